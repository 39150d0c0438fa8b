/* count.c - how many rows a statement has read and written, as D1 bills them. */
#include <string.h>

#include "store/inside.h"

void plan_make(struct connection *c, struct statement *s)
{
    (void)c;
    s->is_planned = true;
}

void plan_count(const struct statement *s, const struct counted *counted, struct row_meta *meta)
{
    meta->rows_read = sqlite3_stmt_status(s->stmt, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
    meta->rows_written = counted->total;
}
