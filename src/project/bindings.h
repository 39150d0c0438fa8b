/* bindings.h - d1_databases of the chosen environment.
 *
 * Inside project/ only. */
#ifndef CORRAL_PROJECT_BINDINGS_H
#define CORRAL_PROJECT_BINDINGS_H

#include "project/config.h"
#include "project/project.h"

/* p->env is set; fills p->databases.  Mistakes become diagnostics.  The list is not inherited by
 * environments, as no binding is. */
int bindings_read(const struct config *c, struct project *p, struct diagnostics *d,
                   struct err *err) MUST_CHECK;
void bindings_done(struct project *p);

#endif
