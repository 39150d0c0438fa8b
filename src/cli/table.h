/* table.h - rows in a frame, as wrangler prints them.
 *
 * A cell may have several lines.  Control characters become pictures of
 * themselves, so that what is in a database cannot speak to the terminal.
 * ERR_NOMEM. */
#ifndef CORRAL_CLI_TABLE_H
#define CORRAL_CLI_TABLE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* cells: row by row; the first row is the head. */
int table_print(struct buf *out, const struct span *cells, size_t columns, size_t rows) MUST_CHECK;
/* 12288 -> "12.3 kB", as wrangler shows sizes. */
void table_bytes(double bytes, char out[32]);

#endif
