/* deploy.h - from an upload, or a change of bindings, to a version that answers.
 *
 *   desk: what was asked for; its bindings; bundle on disk   deploy_prepare
 *   loop: live_check starts its template                     deploy_check
 *   desk: version, deployment, settings in one transaction   (acknowledged from here on)
 *   loop: live_adopt, live_changed; then the answer
 *
 * An endpoint's `work` fills a struct deploy and says deploy_prepare; its `after` is deploy_check.  Nothing has
 * changed until the transaction; bindings are worked out again in it, by the version that is the newest then, so that
 * a secret that was put meanwhile stays. */
#ifndef CORRAL_API_DEPLOY_H
#define CORRAL_API_DEPLOY_H

#include "api/bindings.h"
#include "api/inside.h"
#include "catalog/bundles.h"
#include "catalog/worker.h"
#include "live/live.h"

enum deploy_base { DEPLOY_ON_NEWEST, DEPLOY_ON_CURRENT };

struct deploy {
    /* What is asked for. */
    char worker_name[WORKER_NAME_MAX + 1];
    bool makes_worker;         /* when there is none of this name; else 404 */
    bool deploys;              /* a deployment of it follows; of a change: if the worker has one */
    bool is_draft;             /* no code yet: is not run */
    bool is_script;            /* of an upload: no modules, a service worker */
    enum deploy_base base;     /* whose bindings stay */
    enum bindings_missing missing;
    char bundle[BUNDLE_HASH_SIZE]; /* "": a change, which has the base's code and metadata */
    uint64_t bytes;
    char *main;
    json_t *metadata, *asked, *keep, *annotations; /* keep may be NULL */
    json_t *changes;           /* of a change: see bindings_patch; or NULL, then `asked` counts */
    json_t *settings;          /* of the worker, patched along; or NULL */
    const char *triggered_by;  /* "upload", "secret" */
    /* In the desk's thread, in the transaction: set the result. */
    void (*answer)(struct api_call *call, const struct deploy *d, const struct worker *worker,
                   const struct version *version);

    /* Between the jobs. */
    char new_id[UUID_SIZE];    /* of the version, which its bindings may tell */
    int64_t new_ms;
    char base_id[UUID_SIZE];   /* "": none */
    char *folder, *base_main;
    char base_bundle[BUNDLE_HASH_SIZE];
    json_t *base_metadata, *base_facts;
    json_t *bindings, *secrets; /* as it would run */
    json_t *facts;
    struct live_check *check;
    bool is_kept;              /* what was checked is what was made */
    bool is_deployed;
    char worker_id[ID_SIZE], version_id[UUID_SIZE];
};

/* A new one as the call's state, for the worker that :script names; NULL: the call is answered. */
struct deploy *deploy_new(struct api_call *call);
/* Read the form of an upload into it, and put its bundle; false: the call is answered. */
bool deploy_read_form(struct api_call *call, struct catalog *catalog, struct deploy *d);
void deploy_prepare(struct api_call *call, struct catalog *catalog, struct deploy *d);
void deploy_check(struct api_call *call); /* `after` */
/* Strings of an object of annotations; false: the call is answered.  *ret is a new reference. */
bool deploy_annotations(struct api_call *call, const json_t *given, json_t **ret);
/* live reads the worker again, then the call is answered with what was set. */
void deploy_switch(struct api_call *call, const char *worker_id);
/* The same for calls without a state: in `work`, when the worker was changed; and as their `after`. */
void api_changed(struct api_call *call, const char *worker_id);
void api_after_change(struct api_call *call);
/* Settings that are the worker's and no version's: are they of their kinds (false: the call is answered)?  And only
 * they, as a new object. */
bool settings_check(struct api_call *call, const json_t *given);
json_t *settings_of_worker(const json_t *given);
/* Texts of secrets in arrays and objects of bindings are overwritten. */
void deploy_wipe(json_t *value);

#endif
