/* describe.h - workers, versions and deployments as the API shows them.
 *
 * What a secret says is in none of these.  New references; NULL: out of memory. */
#ifndef CORRAL_API_DESCRIBE_H
#define CORRAL_API_DESCRIBE_H

#include "api/inside.h"
#include "catalog/worker.h"

/* A worker with one of its versions (NULL: it has none): an item of the list of scripts. */
json_t *describe_script(const struct worker *worker, const struct version *version);
/* {"id": name, "default_environment": ...} */
json_t *describe_service(const struct worker *worker, const struct version *version);
json_t *describe_environment(const struct worker *worker, const struct version *version);
/* is_full: with "resources". */
json_t *describe_version(const struct version *version, bool is_full);
json_t *describe_deployment(const struct deployment *deployment);
/* Bindings without what secrets say. */
json_t *describe_bindings(const json_t *bindings);
/* logpush, tags, tail_consumers, observability. */
json_t *describe_settings(const struct worker *worker);

/* {"id", "name", "subdomain", ...} of /workers/workers; url: where it answers, or NULL. */
json_t *describe_worker(const struct worker *worker, int64_t deployed_ms, const char *url);

/* ---- finding ---- */

/* The worker that the path's :script names; else the call is answered: 404 with `code` (10007, or 10090 of services). */
bool api_worker(struct api_call *call, struct catalog *catalog, int code, struct worker *ret);
/* The version that counts: deployed, of two the one with the greater share, else the newest.  ERR_NOT_FOUND: none.
 * *ret_is_deployed may be NULL. */
int version_current(struct catalog *catalog, const struct worker *worker, struct version *ret,
                    bool *ret_is_deployed, struct err *err) MUST_CHECK;
/* Of the one with this id; NULL: it is not among them. */
const char *workers_name(const struct workers *workers, const char *worker_id);
/* Is the version a draft: made by `secret put` before there was code? */
bool version_is_draft(const struct version *version);

#endif
