/* clean.h - texts of somebody else, fit for a terminal.
 *
 * What a node says may come from whoever deployed there: a message of a version, the name of a
 * secret. Lines and tabs stay; other control characters, those of C1 too, are left out. */
#ifndef CORRAL_CLI_CLEAN_H
#define CORRAL_CLI_CLEAN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* ERR_NOMEM. */
int clean_put(struct buf *out, struct span text) MUST_CHECK;
/* The same to stdout. */
void clean_print(const char *text);

#endif
