/* query.c - see query.h. */
#include "catalog/query.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "catalog/inside.h"
#include "text/value.h"

int query_fail(struct catalog *catalog, const char *what, struct err *err)
{
    int code = catalog->db ? sqlite3_extended_errcode(catalog->db) : SQLITE_NOMEM;
    const char *says = catalog->db ? sqlite3_errmsg(catalog->db) : "";

    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return err_nomem(err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        err_set(err, ERR_SYSTEM, "%s: another process has held the catalog for %d s", what,
                CATALOG_BUSY_MS / 1000);
        return err_hint(err, "A backup or another `corral` may be at work in '%s'.",
                        catalog->folder);
    case SQLITE_FULL:
        err_set(err, ERR_SYSTEM, "%s in '%s': the disk is full", what, catalog->folder);
        return err_hint(err, "Nothing was changed; make room and try again.");
    case SQLITE_READONLY:
        err_set(err, ERR_SYSTEM, "%s: '%s/" CATALOG_FILE "' may not be written", what,
                catalog->folder);
        return err_hint(err, "It belongs to the user who runs `corral serve`.");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        err_set(err, ERR_SYSTEM, "%s: '%s/" CATALOG_FILE "' is damaged: %s", what, catalog->folder,
                says);
        return err_hint(err, "Restore the data folder from a backup.");
    default:
        return err_set(err, ERR_SYSTEM, "%s: %s", what, says);
    }
}

static int bind_one(sqlite3_stmt *s, int at, char kind, va_list *values)
{
    const char *text;
    struct span span;

    switch (kind) {
    case 't':
        text = va_arg(*values, const char *);
        return text ? sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC) : sqlite3_bind_null(s, at);
    case 'i':
        return sqlite3_bind_int64(s, at, va_arg(*values, int64_t));
    case 'r':
        return sqlite3_bind_double(s, at, va_arg(*values, double));
    case 's':
        span = va_arg(*values, struct span);
        return sqlite3_bind_text64(s, at, span.data ? span.data : "", span.len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case 'b':
        span = va_arg(*values, struct span);
        return sqlite3_bind_blob64(s, at, span.data ? span.data : "", span.len, SQLITE_STATIC);
    default:
        return SQLITE_MISUSE;
    }
}

static int open_list(struct query *q, struct catalog *catalog, struct err *err, const char *sql,
                     const char *kinds, va_list *values)
{
    int r = sqlite3_prepare_v2(catalog->db, sql, -1, &q->statement, NULL);

    q->catalog = catalog;
    for (int i = 0; r == SQLITE_OK && kinds[i]; i++)
        r = bind_one(q->statement, i + 1, kinds[i], values);
    if (r == SQLITE_OK)
        return 0;
    query_fail(catalog, "the catalog", err);
    query_done(q);
    return err->code;
}

int query_open(struct query *q, struct catalog *catalog, struct err *err, const char *sql,
               const char *kinds, ...)
{
    va_list values;
    int r;

    *q = (struct query){0};
    va_start(values, kinds);
    r = open_list(q, catalog, err, sql, kinds, &values);
    va_end(values);
    return r;
}

int query_next(struct query *q, struct err *err)
{
    int r = sqlite3_step(q->statement);

    if (r == SQLITE_ROW)
        return 1;
    return r == SQLITE_DONE ? 0 : query_fail(q->catalog, "the catalog", err);
}

void query_done(struct query *q)
{
    sqlite3_finalize(q->statement);
    q->statement = NULL;
}

int query_run(struct catalog *catalog, int *ret_changes, struct err *err, const char *sql,
              const char *kinds, ...)
{
    struct query q = {0};
    va_list values;
    int r;

    va_start(values, kinds);
    r = open_list(&q, catalog, err, sql, kinds, &values);
    va_end(values);
    while (r >= 0 && (r = query_next(&q, err)) > 0)
        ;
    query_done(&q);
    if (r == 0 && ret_changes)
        *ret_changes = sqlite3_changes(catalog->db);
    return r;
}

int query_number(struct catalog *catalog, int64_t *ret, struct err *err, const char *sql,
                 const char *kinds, ...)
{
    struct query q = {0};
    va_list values;
    int r;

    va_start(values, kinds);
    r = open_list(&q, catalog, err, sql, kinds, &values);
    va_end(values);
    if (r == 0)
        r = query_next(&q, err);
    if (r > 0)
        *ret = query_i64(&q, 0);
    query_done(&q);
    return r > 0 ? 0 : r == 0 ? ERR_NOT_FOUND : r;
}

/* ---- columns ---- */

int64_t query_i64(struct query *q, int column)
{
    return sqlite3_column_int64(q->statement, column);
}

double query_real(struct query *q, int column)
{
    return sqlite3_column_double(q->statement, column);
}

const char *query_text(struct query *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q->statement, column);

    return text ? text : "";
}

struct span query_blob(struct query *q, int column)
{
    const void *bytes = sqlite3_column_blob(q->statement, column);
    size_t n = (size_t)sqlite3_column_bytes(q->statement, column);

    return (struct span){bytes ? bytes : "", bytes ? n : 0};
}

void query_put(struct query *q, int column, char *out, size_t size)
{
    snprintf(out, size, "%s", query_text(q, column));
}

int query_copy(struct query *q, int column, char **ret, struct err *err)
{
    *ret = mem_strdup(query_text(q, column));
    return *ret ? 0 : err_nomem(err);
}

int query_json(struct query *q, int column, json_t **ret, struct err *err)
{
    json_error_t where;
    int r = value_parse(span_of(query_text(q, column)), ret, &where);

    if (r == ERR_NOMEM)
        return err_nomem(err);
    if (r == 0)
        return 0;
    err_set(err, ERR_SYSTEM, "'%s/" CATALOG_FILE "' is damaged: %s", q->catalog->folder,
            where.text);
    return err_hint(err, "Restore the data folder from a backup.");
}

int query_dump(json_t *value, const char *otherwise, const char *what, char **ret, struct err *err)
{
    char *text = value ? value_dump(value, JSON_COMPACT) : mem_strdup(otherwise);

    if (!text)
        return err_nomem(err);
    if (strlen(text) > JSON_BYTES_MAX) {
        mem_free(text);
        return err_set(err, ERR_LIMIT, "%s take more than %d bytes", what, JSON_BYTES_MAX);
    }
    *ret = text;
    return 0;
}

/* ---- rows ---- */

/* Room for one more, zeroed: the array is full at 0, 8, 16, 32 ... */
static void *grow(struct rows *rows, size_t size, struct err *err)
{
    size_t n = rows->count;
    void *more = rows->items;

    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0))
        more = mem_resize(rows->items, (n == 0 ? 8 : n * 2) * size);
    if (!more) {
        err_nomem(err);
        return NULL;
    }
    rows->items = more;
    return memset((char *)more + n * size, 0, size);
}

int query_rows(struct query *q, int r, size_t size,
               int (*take)(struct query *q, void *item, struct err *err), struct rows *ret,
               struct err *err)
{
    struct rows rows = {0};
    void *item;

    while (r == 0 && (r = query_next(q, err)) > 0) {
        item = grow(&rows, size, err);
        r = item ? take(q, item, err) : ERR_NOMEM;
        rows.count += r == 0;
    }
    query_done(q);
    *ret = rows;
    return r;
}

/* ---- transactions ---- */

static int run_plain(struct catalog *catalog, const char *sql)
{
    return sqlite3_exec(catalog->db, sql, NULL, NULL, NULL);
}

static void undo(struct catalog *catalog)
{
    if (!sqlite3_get_autocommit(catalog->db)) /* SQLite has done it already otherwise */
        run_plain(catalog, "ROLLBACK");
}

int catalog_begin(struct catalog *catalog, struct err *err)
{
    if (catalog->is_in_transaction)
        return err_set(err, ERR_INVALID, "a transaction of the catalog is open already");
    if (run_plain(catalog, "BEGIN IMMEDIATE") != SQLITE_OK)
        return query_fail(catalog, "change the catalog", err);
    catalog->is_in_transaction = true;
    return 0;
}

int catalog_commit(struct catalog *catalog, struct err *err)
{
    int r = 0;

    if (!catalog->is_in_transaction || sqlite3_get_autocommit(catalog->db))
        r = err_set(err, ERR_SYSTEM, "the catalog was not changed: an error came before");
    else if (run_plain(catalog, "COMMIT") != SQLITE_OK)
        r = query_fail(catalog, "change the catalog", err);
    if (r < 0)
        undo(catalog);
    catalog->is_in_transaction = false;
    return r;
}

void catalog_rollback(struct catalog *catalog)
{
    undo(catalog);
    catalog->is_in_transaction = false;
}

int change_begin(struct catalog *catalog, bool *ret_is_own, struct err *err)
{
    *ret_is_own = !catalog->is_in_transaction;
    if (*ret_is_own)
        return catalog_begin(catalog, err);
    if (sqlite3_get_autocommit(catalog->db))
        return err_set(err, ERR_SYSTEM, "the catalog was not changed: an error came before");
    return 0;
}

int change_end(struct catalog *catalog, bool is_own, int r, struct err *err)
{
    if (!is_own)
        return r;
    if (r == 0)
        return catalog_commit(catalog, err);
    catalog_rollback(catalog);
    return r;
}
