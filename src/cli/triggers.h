/* triggers.h - what leads to a worker, set on its node: its host, routes, custom domains, crons. */
#ifndef CORRAL_CLI_TRIGGERS_H
#define CORRAL_CLI_TRIGGERS_H

#include "cli/deploy_options.h"
#include "cli/remote.h"

/* Are routes, domains and crons such that a node takes them?  Asks none: for before the upload.
 * ERR_INVALID. */
int triggers_check(const struct remote *r, const struct deploy_options *o,
                   struct err *err) MUST_CHECK;
/* As the configuration and the options say; options win.  Prints what came of it, as wrangler does:
 * "Deployed NAME triggers (0.12 sec)" and an address or a schedule a line. */
int triggers_set(struct remote *r, const struct deploy_options *o, struct err *err) MUST_CHECK;

#endif
