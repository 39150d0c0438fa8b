/* table.h - rows in a frame, as wrangler prints them.
 *
 *     ┌────┬────────────────┐
 *     │ id │ title          │
 *     ├────┼────────────────┤
 *     │ 1  │ 吾輩は猫である │
 *     └────┴────────────────┘
 *
 * A cell may have several lines.  Control characters become pictures of
 * themselves, so that what is in a database cannot speak to the terminal.  Of a
 * cell at most TABLE_WIDTH_MAX columns and TABLE_LINES_MAX lines are drawn, then "…".
 *
 * Rows that are not here at once go by twice: fill and table_measure them all,
 * the head too, then fill and draw them.
 *
 * Errors: ERR_NOMEM. */
#ifndef CORRAL_CLI_TABLE_H
#define CORRAL_CLI_TABLE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum { TABLE_WIDTH_MAX = 1000, TABLE_LINES_MAX = 100 };

enum table_look { TABLE_PLAIN, TABLE_COLOURED };

struct cell;

struct table {
    enum table_look look;
    size_t columns;
    size_t *widths;     /* of each column, without its margins */
    struct cell *cells; /* of one row */
};

/* What stdout should get. */
enum table_look table_look(void);

int table_init(struct table *t, size_t columns, enum table_look look) MUST_CHECK;
void table_done(struct table *t);
/* Fill one cell of the row. */
int table_set(struct table *t, size_t column, struct span text) MUST_CHECK;
/* Make the columns as wide as the row needs. */
void table_measure(struct table *t);
/* Append the row that was filled: the head with the frame's top, others with the line above them.
 */
int table_put_head(struct table *t, struct buf *out) MUST_CHECK;
int table_put_row(struct table *t, struct buf *out) MUST_CHECK;
int table_put_end(struct table *t, struct buf *out) MUST_CHECK;

/* All at once.  cells: row by row; the first row is the head. */
int table_print(struct buf *out, enum table_look look, const struct span *cells, size_t columns,
                size_t rows) MUST_CHECK;
/* 12288 -> "12.3 kB", as wrangler shows sizes. */
void table_bytes(double bytes, char out[32]);

#endif
