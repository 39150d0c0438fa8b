/* query.h - prepared statements, with values bound by a word of kinds; transactions of one call.
 *
 *     query_open(&q, catalog, err, "SELECT name FROM accounts WHERE id = ?", "t", id)
 *
 * kinds: one letter a value: t text (const char *; NULL is NULL), i int64_t, r double, s struct
 * span as text, b struct span as a blob.  Values are borrowed until query_done.
 *
 * Errors: ERR_NOMEM, ERR_SYSTEM with what SQLite says.  Inside catalog/ only. */
#ifndef CORRAL_CATALOG_QUERY_H
#define CORRAL_CATALOG_QUERY_H

#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "catalog/catalog.h"

enum { JSON_BYTES_MAX = 1024 * 1024 }; /* of a JSON value that is kept */

struct query {
    struct catalog *catalog;
    sqlite3_stmt *statement;
};

int query_open(struct query *q, struct catalog *catalog, struct err *err, const char *sql,
               const char *kinds, ...) MUST_CHECK;
/* 1: a row; 0: no more. */
int query_next(struct query *q, struct err *err) MUST_CHECK;
void query_done(struct query *q);

/* Run what gives no rows.  *ret_changes, which may be NULL: rows that were changed. */
int query_run(struct catalog *catalog, int *ret_changes, struct err *err, const char *sql,
              const char *kinds, ...) MUST_CHECK;
/* The first column of the first row; ERR_NOT_FOUND without a text when there is none. */
int query_number(struct catalog *catalog, int64_t *ret, struct err *err, const char *sql,
                 const char *kinds, ...) MUST_CHECK;

/* Columns of the row. */
int64_t query_i64(struct query *q, int column);
double query_real(struct query *q, int column);
/* "" for NULL; valid until the next query_next. */
const char *query_text(struct query *q, int column);
struct span query_blob(struct query *q, int column);
/* Into a place of `size`; what is too long is cut. */
void query_put(struct query *q, int column, char *out, size_t size);
int query_copy(struct query *q, int column, char **ret, struct err *err) MUST_CHECK;
/* A new reference.  Of a column that an object (array) was stored in. */
int query_json(struct query *q, int column, json_t **ret, struct err *err) MUST_CHECK;

/* As it is stored; NULL: `otherwise`.  ERR_LIMIT: more than JSON_BYTES_MAX; what: "the bindings".
 */
int query_dump(json_t *value, const char *otherwise, const char *what, char **ret,
               struct err *err) MUST_CHECK;

struct rows {
    void *items; /* mem_free */
    size_t count;
};
/* All rows of the query, and its end.  r: what query_open said, which is passed on.  `take` fills
 * one item of `size`, zeroed, or leaves nothing in it.  On failure *ret has what was taken until
 * then, too. */
int query_rows(struct query *q, int r, size_t size,
               int (*take)(struct query *q, void *item, struct err *err), struct rows *ret,
               struct err *err) MUST_CHECK;

/* A change: in the transaction that is open, or in one of its own. */
int change_begin(struct catalog *catalog, bool *ret_is_own, struct err *err) MUST_CHECK;
/* r: how it went.  Commits what is its own, or undoes it; returns how that went. */
int change_end(struct catalog *catalog, bool is_own, int r, struct err *err) MUST_CHECK;

/* What SQLite says about `what`. */
int query_fail(struct catalog *catalog, const char *what, struct err *err);

#endif
