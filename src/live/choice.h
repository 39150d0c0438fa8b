/* choice.h - which version of a deployment a request goes to.
 *
 * By percent, at random; to the same one for the same Cloudflare-Workers-Version-Key; to the one that
 * Cloudflare-Workers-Version-Overrides names for this worker, if it is in the deployment
 * (developers.cloudflare.com/workers/configuration/versions-and-deployments/gradual-deployments/).
 *
 * Inside live/ only.  Loop thread only. */
#ifndef CORRAL_LIVE_CHOICE_H
#define CORRAL_LIVE_CHOICE_H

#include "live/inside.h"

/* NULL: it has no deployment. */
struct live_version *choice_make(const struct live_worker *worker, const struct request *request);
/* The id that a list of NAME="ID" has for this worker, or "". */
struct span choice_override(struct span header, const char *worker_name);

#endif
