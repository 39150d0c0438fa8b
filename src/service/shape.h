/* shape.h - the rows of a statement seen as JavaScript's objects, which is how people know them.
 *
 * Of columns with one name the last one counts, in the place of the first;
 * names that are whole numbers come first, by size.  Values are what a worker
 * gets: numbers are doubles, those that JSON cannot write are null, a blob is
 * "[1, 2, 255]". */
#ifndef CORRAL_SERVICE_SHAPE_H
#define CORRAL_SERVICE_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "row/row.h"

struct shape {
    uint32_t width;        /* values of a row */
    uint32_t count;        /* names that are shown */
    uint32_t *places;      /* of each shown name: its value's place in the row */
    struct span *names;    /* likewise; point into text */
    struct row_value *row; /* width values, after shape_row */
    struct buf text;
};

void shape_done(struct shape *s);
/* From a COLUMNS record; what was there before is forgotten.  ERR_INVALID, ERR_NOMEM. */
int shape_read(struct shape *s, struct span columns, struct err *err) MUST_CHECK;
/* Eat one row from a ROWS record into s->row.  ERR_INVALID. */
int shape_row(struct shape *s, struct span *rows, struct err *err) MUST_CHECK;

/* Is it null for JavaScript?  Else its text is appended. */
bool shape_is_null(const struct row_value *value);
int shape_text(const struct row_value *value, struct buf *out) MUST_CHECK;

#endif
