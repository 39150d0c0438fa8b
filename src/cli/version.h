/* version.h - one version of the worker that `corral dev` serves: project, bundle, pool.
 *
 *   version_new -> version_start -> LOADING -> ready() -> (version_retire) -> gone()
 *        \-> version_free                \----> failed() -> (version_retire) ---^
 *
 * A version copies what it needs of a project as it was read, takes its bundle, and, once started, runs a pool on it.  A started version frees itself
 * when its pool has drained.  Loop thread only. */
#ifndef CORRAL_CLI_VERSION_H
#define CORRAL_CLI_VERSION_H

#include "base/err.h"
#include "herd/herd.h"
#include "link/link.h"
#include "packages/environment.h"
#include "project/bundle.h"
#include "project/project.h"
#include "service/service.h"

struct version;

struct version_events {
    void (*ready)(void *self, struct version *v);
    void (*failed)(void *self, struct version *v, const struct failed *why);
    void (*gone)(void *self, struct version *v);    /* v is freed when this returns */
};

/* Takes the inside of the project's bundle, environment and (of JavaScript) linked folder, when it succeeds.  ERR_INVALID: a
 * database's name; ERR_NOMEM. */
int version_new(const struct project *project, struct bundle *bundle,
                struct environment *environment, struct linked *linked,
                const struct version_events *events, void *self, struct version **ret_version,
                struct err *err) MUST_CHECK;
/* Only before version_start, or after it failed. */
void version_free(struct version *v);
/* Open its pool; what its code asks of the node goes to `service`.  Errors of pool_open. */
int version_start(struct version *v, struct herd *herd, struct service *service,
                  struct err *err) MUST_CHECK;
/* Stop using it: running requests finish, then gone() fires.  A second call does nothing. */
void version_retire(struct version *v);

struct pool *version_pool(const struct version *v);
/* Bit set of enum handler, once it is ready. */
uint32_t version_handlers(const struct version *v);
/* Is it in JavaScript? */
bool version_is_script(const struct version *v);
/* Its bundle, for `gone` to take it out and delete it. */
struct bundle *version_bundle(struct version *v);
/* Same code, same packages, same name, same settings, same variables, same databases? */
bool version_is_same(const struct version *a, const struct version *b);

#endif
