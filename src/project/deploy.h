/* deploy.h - what a configuration says about a worker's place on a node: routes, crons, limits.
 *
 * Inside project/ only. */
#ifndef CORRAL_PROJECT_DEPLOY_H
#define CORRAL_PROJECT_DEPLOY_H

#include "project/config.h"
#include "project/project.h"

/* p->env is set; fills p->deploy, all but `required`.  Environments inherit these keys, as
 * wrangler's do.  Mistakes become diagnostics. */
int deploy_read(const struct config *c, struct project *p, struct diagnostics *d,
                struct err *err) MUST_CHECK;
void deploy_done(struct project *p);

#endif
