/* labels.h - lines of "Label:  value", their values in one column, as wrangler shows versions.
 *
 *     Version ID:  11111111-2222-4333-8444-555555555555
 *     Created:     2026-11-21T19:00:00.000Z */
#ifndef CORRAL_CLI_LABELS_H
#define CORRAL_CLI_LABELS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct label {
    const char *name, *value; /* value NULL or "": "-"; further lines of it are indented */
};

enum labels_side { LABELS_LEFT, LABELS_RIGHT };

/* Appends a line end behind each.  indent: blanks before all.  ERR_NOMEM. */
int labels_put(struct buf *out, const struct label *labels, size_t count, enum labels_side side,
               int indent) MUST_CHECK;

#endif
