/* vars.h - the variables of a worker, from all the places they may come from.
 *
 * Later wins: vars of the configuration (of the environment when there is one:
 * they are not inherited), then .dev.vars.ENV or .dev.vars, or, when there is
 * neither, .env, .env.local, .env.ENV, .env.ENV.local (--env-file instead of
 * all these); then --var.  Values from
 * files and --var are strings.  Inside project/ only. */
#ifndef CORRAL_PROJECT_VARS_H
#define CORRAL_PROJECT_VARS_H

#include "project/config.h"
#include "project/project.h"

/* c: NULL without a configuration.  Fills p->env_json and p->secrets_file;
 * p->folder and p->env are set.  Mistakes become diagnostics. */
int vars_collect(const struct config *c, const struct project_options *options,
                 struct project *p, struct diagnostics *d, struct err *err) MUST_CHECK;

/* Is this name (inside the project's folder) one that is read for variables? */
bool vars_is_file(const struct project *p, const char *name);

#endif
