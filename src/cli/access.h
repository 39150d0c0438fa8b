/* access.h - what a worker has access to, as `corral dev` and `corral deploy` tell it. */
#ifndef CORRAL_CLI_ACCESS_H
#define CORRAL_CLI_ACCESS_H

#include <jansson.h>

#include "base/buf.h"
#include "project/project.h"

/* Appends a table of the bindings, one line each, without a newline at its end; nothing when there
 * are none.  Variables are not in it: what of them is secret is not known.  ERR_NOMEM. */
int access_print(const struct project *p, struct buf *out) MUST_CHECK;

/* The same of the bindings of an upload, with its variables: metadata's list of {"name", "type",
 * ...}. Secrets, and variables whose name is in `hidden` (NULL ends it; may be NULL), without their
 * values. */
int access_print_upload(json_t *bindings, const char *const *hidden, struct buf *out) MUST_CHECK;

#endif
