/* access.h - what a worker has access to, as `corral dev` tells it. */
#ifndef CORRAL_CLI_ACCESS_H
#define CORRAL_CLI_ACCESS_H

#include "base/buf.h"
#include "project/project.h"

/* Appends a table of the bindings, one line each, without a newline at its end; nothing when there
 * are none.  ERR_NOMEM. */
int access_print(const struct project *p, struct buf *out) MUST_CHECK;

#endif
