/* worker.h - workers, their versions and deployments, and the secrets of versions.
 *
 * A *worker* has a name in its account.  A *version* never changes: code (a bundle), bindings,
 * settings of its run.  A *deployment* says which one or two versions answer, by percent; the
 * newest one counts. A change of secrets is a new version with the same code and a deployment of
 * it, as at Cloudflare.
 *
 * Names of workers: a-z, A-Z, 0-9, '-', '_', 1 to 63 bytes.  (Only those that are DNS labels have a
 * host below the subdomain.) */
#ifndef CORRAL_CATALOG_WORKER_H
#define CORRAL_CATALOG_WORKER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/catalog.h"
#include "catalog/database.h" /* UUID_SIZE */

enum {
    WORKER_NAME_MAX = 63,
    WORKERS_MAX = 500,   /* of an account */
    VERSIONS_KEPT = 100, /* of a worker: older ones that no deployment of the last ten names go */
    DEPLOYMENTS_KEPT = 100,
    DEPLOYMENT_VERSIONS_MAX = 2,
    SECRET_BYTES_MAX = 64 * 1024, /* of one; Cloudflare has 5 kB */
    BINDINGS_MAX = 500,
};

struct worker {
    char account_id[ID_SIZE];
    char id[ID_SIZE]; /* its "tag"; a worker that was deleted and made again has another */
    char *name;
    int64_t created_ms, modified_ms;
    bool is_subdomain_enabled; /* answers at NAME.SUBDOMAIN.DOMAIN; true at first */
    bool has_previews;
    json_t *settings;      /* object: logpush, tags, observability, tail_consumers ... as given */
    int64_t version_count; /* ever made: the number of the newest; 0: it is a draft without code */
};
void worker_done(struct worker *worker);
struct workers {
    struct worker *items; /* by name */
    size_t count;
};
void workers_done(struct workers *workers);

/* The one of this name, made if there is none (*ret_is_new, which may be NULL). */
int worker_need(struct catalog *catalog, const char *account_id, const char *name,
                struct worker *ret, bool *ret_is_new, struct err *err) MUST_CHECK;
int worker_find(struct catalog *catalog, const char *account_id, const char *name,
                struct worker *ret, struct err *err) MUST_CHECK;
/* By its id. */
int worker_find_id(struct catalog *catalog, const char *worker_id, struct worker *ret,
                   struct err *err) MUST_CHECK;
/* account_id NULL: of all accounts. */
int worker_list(struct catalog *catalog, const char *account_id, struct workers *ret,
                struct err *err) MUST_CHECK;
/* With versions, deployments, secrets, routes, domains, schedules, counters. */
int worker_delete(struct catalog *catalog, const char *account_id, const char *name,
                  struct err *err) MUST_CHECK;
int worker_set_subdomain(struct catalog *catalog, const char *worker_id, bool is_enabled,
                         bool has_previews, struct err *err) MUST_CHECK;
/* Keys of `patch` replace those of the settings; null takes one away. */
int worker_patch_settings(struct catalog *catalog, const char *worker_id, json_t *patch,
                          struct err *err) MUST_CHECK;

/* ---- versions ---- */

struct version {
    char id[UUID_SIZE];
    char worker_id[ID_SIZE];
    int64_t number; /* from 1, within its worker */
    int64_t created_ms;
    char *source;        /* "wrangler", "corral", "api", "secret" */
    char *author;        /* the token's name, or "" */
    char *bundle;        /* HASH of bundles.h */
    char *main;          /* inside the bundle */
    json_t *metadata;    /* object: the upload's, without "bindings", "annotations", "main_module":
                            compatibility_date, compatibility_flags, limits, placement ... */
    json_t *bindings;    /* array, as uploaded: {"name", "type", ...}; secrets without "text" */
    json_t *annotations; /* object: {"workers/message": ..., "workers/tag": ...} */
    json_t *facts; /* object, of the node that checked it: {"handlers": ["fetch"], "startup_ms": 12,
                      "bytes": 584} */
};
void version_done(struct version *version);
struct versions {
    struct version *items; /* newest first */
    size_t count;
};
void versions_done(struct versions *versions);

/* A new version.  Of `draft` are taken: worker_id, source, author, bundle, main, metadata,
 * bindings, annotations, facts (text may be NULL: ""; json_t NULL: empty).  Secrets in
 * draft->bindings
 * ("type": "secret_text" or "secret_key"): with "text" (or "key_base64", "key_jwk") they are
 * sealed, without it they are those of `base_version_id` (NULL: none).  ERR_INVALID: a binding
 * twice, or without what its kind needs; a secret to be kept that the base does not have. draft->id
 * and created_ms: taken when they are set, so that a candidate can know them before it is one
 * (database_make_uuid); ERR_LIMIT: the id is taken. */
int version_create(struct catalog *catalog, const struct version *draft,
                   const char *base_version_id, struct version *ret, struct err *err) MUST_CHECK;
int version_find(struct catalog *catalog, const char *worker_id, const char *version_id,
                 struct version *ret, struct err *err) MUST_CHECK;
/* The newest one, deployed or not. */
int version_latest(struct catalog *catalog, const char *worker_id, struct version *ret,
                   struct err *err) MUST_CHECK;
int version_list(struct catalog *catalog, const char *worker_id, struct versions *ret,
                 struct err *err) MUST_CHECK;
/* {NAME: text} of its secret_texts, in the clear: for the process that runs it, for nobody else. */
int version_secrets(struct catalog *catalog, const char *version_id, json_t **ret_object,
                    struct err *err) MUST_CHECK;

/* ---- deployments ---- */

struct deployment {
    char id[UUID_SIZE];
    char worker_id[ID_SIZE];
    int64_t created_ms;
    char *source, *author;
    json_t *annotations;
    struct deployment_share {
        char version_id[UUID_SIZE];
        double percentage; /* over 0; together 100 */
    } shares[DEPLOYMENT_VERSIONS_MAX];
    size_t share_count;
};
void deployment_done(struct deployment *deployment);
struct deployments {
    struct deployment *items; /* newest first */
    size_t count;
};
void deployments_done(struct deployments *deployments);

/* Of `draft`: worker_id, source, author, annotations, shares.  ERR_INVALID: percentages,
 * ERR_NOT_FOUND: a version is not this worker's. */
int deployment_create(struct catalog *catalog, const struct deployment *draft,
                      struct deployment *ret, struct err *err) MUST_CHECK;
/* The one that counts. */
int deployment_latest(struct catalog *catalog, const char *worker_id, struct deployment *ret,
                      struct err *err) MUST_CHECK;
int deployment_list(struct catalog *catalog, const char *worker_id, struct deployments *ret,
                    struct err *err) MUST_CHECK;

#endif
