/* dump.c - the database as SQL text, as `wrangler d1 export` writes it.
 *
 * Tables with their rows, then indices, triggers and views; one statement a
 * line, which the sqlite3 shell and D1 load.  Where the original loses
 * something we do not: integers beyond 2^53, a text with a NUL or with both a
 * line break and "\n", a real number in a column without a type.
 *
 * All of it is of one moment: a read transaction. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/inside.h"

struct dump {
    struct connection *c;
    const struct dump_options *options;
    const struct sink *sink;
    struct err *err;
    struct buf out;
};

static int dump_sql(struct dump *d, int code)
{
    return words_set(d->c, code, d->err);
}

static int dump_flush(struct dump *d)
{
    int r = d->sink->put(d->sink->self, buf_span(&d->out), d->err);

    buf_eat(&d->out, buf_len(&d->out));
    return r;
}

static int put(struct dump *d, const char *text, size_t len)
{
    return buf_append(&d->out, text, len) < 0 ? err_nomem(d->err) : 0;
}

static int put_text(struct dump *d, const char *text)
{
    return put(d, text, strlen(text));
}

/* A statement's end; what has gathered is sent. */
static int put_end(struct dump *d)
{
    int r = put_text(d, ";\n");

    return r < 0 || buf_len(&d->out) < ROW_BLOCK ? r : dump_flush(d);
}

static int put_doubled(struct dump *d, char quote, const char *text, size_t len)
{
    const char *end;
    int r = put(d, &quote, 1);

    while (r == 0 && (end = memchr(text, quote, len))) {
        size_t n = (size_t)(end - text) + 1;

        r = put(d, text, n);
        r = r < 0 ? r : put(d, &quote, 1);
        text += n;
        len -= n;
    }
    r = r < 0 ? r : put(d, text, len);
    return r < 0 ? r : put(d, &quote, 1);
}

static int put_name(struct dump *d, const char *name)
{
    return put_doubled(d, '"', name, strlen(name));
}

/* ---- values ---- */

static int put_hex(struct dump *d, const unsigned char *bytes, size_t len)
{
    static const char DIGITS[] = "0123456789abcdef";
    char *room;

    if (buf_reserve(&d->out, len * 2 + 3, &room) < 0)
        return err_nomem(d->err);
    *room++ = 'X';
    *room++ = '\'';
    for (size_t i = 0; i < len; i++) {
        *room++ = DIGITS[bytes[i] >> 4];
        *room++ = DIGITS[bytes[i] & 15];
    }
    *room = '\'';
    buf_commit(&d->out, len * 2 + 3);
    return 0;
}

/* What stands for a line break in a text: not in it otherwise.  false: the text has all of them, as
 * only one has that was made to. */
static bool choose_mark(struct span text, const char *usual, char *ret, size_t size)
{
    enum { TRIES = 64 };

    snprintf(ret, size, "%s", usual);
    for (int i = 0; memmem(text.data, text.len, ret, strlen(ret)); i++) {
        if (i == TRIES)
            return false;
        snprintf(ret, size, "(%s%d)", usual, i);
    }
    return true;
}

static int put_marked(struct dump *d, struct span text, const char *lf, const char *cr)
{
    int r = put_text(d, "'");

    for (size_t i = 0; i < text.len && r == 0; i++) {
        char c = text.data[i];

        if (c == '\'')
            r = put_text(d, "''");
        else if (c == '\n')
            r = put_text(d, lf);
        else if (c == '\r')
            r = put_text(d, cr);
        else
            r = put(d, &c, 1);
    }
    return r < 0 ? r : put_text(d, "'");
}

static int put_cast(struct dump *d, struct span text)
{
    int r = put_text(d, "CAST(");

    r = r < 0 ? r : put_hex(d, (const unsigned char *)text.data, text.len);
    return r < 0 ? r : put_text(d, " AS TEXT)");
}

static int put_string(struct dump *d, struct span text)
{
    bool has_lf = memchr(text.data, '\n', text.len), has_cr = memchr(text.data, '\r', text.len);
    char lf[32], cr[32], end[64];
    int r;

    if (memchr(text.data, '\0', text.len))
        return put_cast(d, text);
    if (!has_lf && !has_cr)
        return put_doubled(d, '\'', text.data, text.len);
    if (!choose_mark(text, "\\n", lf, sizeof lf) || !choose_mark(text, "\\r", cr, sizeof cr))
        return put_cast(d, text);
    r = put_text(d, has_lf ? "replace(" : "");
    r = r < 0 ? r : put_text(d, has_cr ? "replace(" : "");
    r = r < 0 ? r : put_marked(d, text, lf, cr);
    snprintf(end, sizeof end, ",'%s',char(13))", cr);
    r = r < 0 ? r : put_text(d, has_cr ? end : "");
    snprintf(end, sizeof end, ",'%s',char(10))", lf);
    return r < 0 ? r : put_text(d, has_lf ? end : "");
}

/* As short as it can be read back; a column of reals makes one of an integer by itself. */
static int put_real(struct dump *d, double x, bool is_column_real)
{
    char text[40];

    if (isinf(x))
        return put_text(d, x > 0 ? "9e999" : "-9e999");
    for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    if (!is_column_real && !strpbrk(text, ".e"))
        strcat(text, ".0");
    return put_text(d, text);
}

static int put_value(struct dump *d, sqlite3_stmt *stmt, int column, bool is_column_real)
{
    char text[24];
    struct span bytes;

    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER:
        snprintf(text, sizeof text, "%lld", sqlite3_column_int64(stmt, column));
        return put_text(d, text);
    case SQLITE_FLOAT:
        return put_real(d, sqlite3_column_double(stmt, column), is_column_real);
    case SQLITE_TEXT:
        bytes.data = (const char *)sqlite3_column_text(stmt, column);
        bytes.len = (size_t)sqlite3_column_bytes(stmt, column);
        return bytes.data ? put_string(d, bytes) : err_nomem(d->err);
    case SQLITE_BLOB:
        bytes.len = (size_t)sqlite3_column_bytes(stmt, column);
        return put_hex(d, sqlite3_column_blob(stmt, column), bytes.len);
    }
    return put_text(d, "NULL");
}

/* ---- tables ---- */

static int prepare(struct dump *d, const char *sql, sqlite3_stmt **ret)
{
    int r;

    d->c->is_own = true;
    r = sqlite3_prepare_v2(d->c->db, sql, -1, ret, NULL);
    d->c->is_own = false;
    return r == SQLITE_OK ? 0 : dump_sql(d, r);
}

/* 1: a row, 0: no more. */
static int step(struct dump *d, sqlite3_stmt *stmt)
{
    int r = sqlite3_step(stmt);

    if (r == SQLITE_ROW || r == SQLITE_DONE)
        return r == SQLITE_ROW;
    dump_sql(d, r);
    return d->c->is_cancelled ? err_set(d->err, ERR_CANCELLED, "interrupted: SQLITE_INTERRUPT")
                              : d->err->code;
}

/* The rowids' type names nothing that we can ask of a result: by SQLite's own rules. */
static bool is_real(const char *type)
{
    char upper[64];
    size_t n = 0;

    for (; type[n] && n < sizeof upper - 1; n++)
        upper[n] = type[n] >= 'a' && type[n] <= 'z' ? (char)(type[n] - 32) : type[n];
    upper[n] = '\0';
    if (strstr(upper, "INT") || strstr(upper, "CHAR") || strstr(upper, "CLOB") ||
        strstr(upper, "TEXT") || strstr(upper, "BLOB"))
        return false;
    return strstr(upper, "REAL") || strstr(upper, "FLOA") || strstr(upper, "DOUB");
}

/* SELECT of the columns that can be inserted. */
static int make_select(struct dump *d, const char *table, struct buf *ret_sql, bool *ret_reals)
{
    sqlite3_stmt *stmt = NULL;
    struct buf line = d->out;
    int n = 0, r = prepare(d, "SELECT name, type FROM pragma_table_info(?)", &stmt);

    d->out = (struct buf){0}; /* the helpers write there */
    r = r < 0 ? r : put_text(d, "SELECT ");
    if (r == 0 && sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC) != SQLITE_OK)
        r = err_nomem(d->err);
    d->c->is_own = true;
    while (r == 0 && (r = step(d, stmt)) == 1) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        const char *type = (const char *)sqlite3_column_text(stmt, 1);

        if (n < 2 * ROW_COLUMNS_MAX)
            ret_reals[n] = is_real(type ? type : "");
        r = n++ > 0 ? put_text(d, ", ") : 0;
        r = r < 0 ? r : put_name(d, name ? name : "");
    }
    d->c->is_own = false;
    sqlite3_finalize(stmt);
    r = r < 0 ? r : put_text(d, " FROM ");
    r = r < 0 ? r : put_name(d, table);
    r = r < 0 ? r : put(d, "", 1);
    *ret_sql = d->out;
    d->out = line;
    return r;
}

static int dump_rows(struct dump *d, const char *table)
{
    bool reals[2 * ROW_COLUMNS_MAX] = {false};
    sqlite3_stmt *stmt = NULL;
    struct buf sql = {0};
    int r = make_select(d, table, &sql, reals);

    r = r < 0 ? r : prepare(d, buf_data(&sql), &stmt);
    while (r == 0 && (r = step(d, stmt)) == 1) {
        int columns = sqlite3_column_count(stmt);

        r = put_text(d, "INSERT INTO ");
        r = r < 0 ? r : put_name(d, table);
        r = r < 0 ? r : put_text(d, " VALUES(");
        for (int i = 0; i < columns && r == 0; i++) {
            r = i > 0 ? put_text(d, ",") : 0;
            r = r < 0 ? r : put_value(d, stmt, i, i < 2 * ROW_COLUMNS_MAX && reals[i]);
        }
        r = r < 0 ? r : put_text(d, ")");
        r = r < 0 ? r : put_end(d);
    }
    sqlite3_finalize(stmt);
    buf_done(&sql);
    return r;
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static int dump_schema(struct dump *d, const char *sql)
{
    static const char CREATE[] = "CREATE TABLE ";
    int r = 0;

    if (d->options->has_no_schema)
        return 0;
    if (begins_with(sql, CREATE) && strchr("'\"", sql[sizeof CREATE - 1])) {
        r = put_text(d, "CREATE TABLE IF NOT EXISTS ");
        sql += sizeof CREATE - 1;
    }
    r = r < 0 ? r : put_text(d, sql);
    return r < 0 ? r : put_end(d);
}

static int dump_table(struct dump *d, const char *name, const char *sql)
{
    int r;

    if (strcmp(name, "sqlite_sequence") == 0)
        r = dump_schema(d, "DELETE FROM sqlite_sequence");
    else if (begins_with(name, "sqlite_stat"))
        r = dump_schema(d, "ANALYZE sqlite_schema");
    else if (begins_with(sql, "CREATE VIRTUAL TABLE"))
        return err_set(d->err, ERR_INVALID,
                       "D1 Export error: cannot export databases with Virtual Tables (fts5)");
    else if (begins_with(name, "_cf_") || begins_with(name, "sqlite_"))
        return 0;
    else
        r = dump_schema(d, sql);
    return r < 0 || d->options->has_no_data ? r : dump_rows(d, name);
}

static bool is_wanted(const struct dump *d, const char *name)
{
    for (size_t i = 0; i < d->options->table_count; i++)
        if (span_is(d->options->tables[i], name))
            return true;
    return d->options->table_count == 0;
}

static int each(struct dump *d, const char *query,
                int (*dump_one)(struct dump *d, const char *name, const char *sql))
{
    sqlite3_stmt *stmt = NULL;
    int r = prepare(d, query, &stmt);

    while (r == 0 && (r = step(d, stmt)) == 1) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        const char *sql = (const char *)sqlite3_column_text(stmt, 1);

        r = name && sql ? 0 : err_nomem(d->err);
        if (r == 0 && is_wanted(d, name))
            r = dump_one(d, name, sql);
    }
    sqlite3_finalize(stmt);
    return r;
}

static int dump_rest(struct dump *d, const char *name, const char *sql)
{
    (void)name;
    return dump_schema(d, sql);
}

int connection_dump(struct connection *c, const struct dump_options *options,
                    const struct sink *sink, struct err *err)
{
    struct dump d = {.c = c, .options = options, .sink = sink, .err = err};
    bool was_inside = connection_is_inside(c);
    int r = 0;

    if (!was_inside) {
        r = connection_own(c, OWN_BEGIN_READ, NULL);
        r = r == SQLITE_OK ? 0 : words_set(c, r, err);
    }
    c->is_cancelled = false;
    r = r < 0 ? r : put_text(&d, "PRAGMA defer_foreign_keys=TRUE;\n");
    r = r < 0 ? r
              : each(&d,
                     "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql NOT NULL"
                     " ORDER BY tbl_name = 'sqlite_sequence', rowid",
                     dump_table);
    r = r < 0
            ? r
            : each(&d,
                   "SELECT name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger', 'view')"
                   " AND sql NOT NULL ORDER BY type COLLATE NOCASE, rowid",
                   dump_rest);
    r = r < 0 ? r : dump_flush(&d);
    if (!was_inside)
        connection_rollback(c);
    buf_done(&d.out);
    return r;
}
