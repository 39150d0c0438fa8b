/* databases.h - d1_databases of the chosen environment.
 *
 * Inside project/ only. */
#ifndef CORRAL_PROJECT_DATABASES_H
#define CORRAL_PROJECT_DATABASES_H

#include "project/config.h"
#include "project/project.h"

/* p->env is set; fills p->databases.  Mistakes become diagnostics.  The list is not inherited by
 * environments, as no binding is. */
int databases_read(const struct config *c, struct project *p, struct diagnostics *d,
                   struct err *err) MUST_CHECK;
void databases_done(struct project *p);

#endif
