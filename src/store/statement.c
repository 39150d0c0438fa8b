/* statement.c - one call's SQL: compiled or found, bound, stepped, its rows as records.
 *
 * As on Cloudflare a text may hold several statements: all but the last run
 * without parameters and their rows are dropped.  What is asked for again is
 * kept, by its text: CACHE_MAX statements for each connection, the least
 * recently used goes.
 *
 * A kept statement is reset after each run, and while it runs it is nobody
 * else's: a connection belongs to one thread. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/inside.h"

/* ---- the cache ---- */

static uint64_t hash_of(struct span sql)
{
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < sql.len; i++)
        h = (h ^ (unsigned char)sql.data[i]) * 0x100000001b3;
    return h;
}

static void unlink_use(struct connection *c, struct statement *s)
{
    *(s->newer ? &s->newer->older : &c->newest) = s->older;
    *(s->older ? &s->older->newer : &c->oldest) = s->newer;
}

static void link_use(struct connection *c, struct statement *s)
{
    s->newer = NULL;
    s->older = c->newest;
    *(s->older ? &s->older->newer : &c->oldest) = s;
    c->newest = s;
}

static void statement_free(struct statement *s)
{
    if (s)
        sqlite3_finalize(s->stmt);
    mem_free(s);
}

static void forget(struct connection *c, struct statement *s)
{
    struct statement **at = &c->buckets[s->hash % CACHE_BUCKETS];

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    unlink_use(c, s);
    c->count--;
    statement_free(s);
}

static void keep(struct connection *c, struct statement *s)
{
    struct statement **bucket = &c->buckets[s->hash % CACHE_BUCKETS];

    if (c->count == CACHE_MAX)
        forget(c, c->oldest);
    s->is_kept = true;
    s->next = *bucket;
    *bucket = s;
    link_use(c, s);
    c->count++;
}

static struct statement *look_up(struct connection *c, struct span sql, uint64_t hash)
{
    struct statement *s = c->buckets[hash % CACHE_BUCKETS];

    while (s && (s->hash != hash || s->len != sql.len || memcmp(s->sql, sql.data, sql.len) != 0))
        s = s->next;
    if (s && s != c->newest) {
        unlink_use(c, s);
        link_use(c, s);
    }
    return s;
}

void statement_forget_all(struct connection *c)
{
    while (c->oldest)
        forget(c, c->oldest);
    statement_free(c->ready);
    c->ready = NULL;
}

/* ---- compile ---- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int compile_once(struct connection *c, const char *sql, size_t len, unsigned flags,
                        sqlite3_stmt **ret_stmt, const char **ret_tail)
{
    int r;

    c->refusal = NULL;
    c->is_once = c->wants_writer = c->is_cancelled = c->is_dml = false;
    r = sqlite3_prepare_v3(c->db, sql, (int)len + 1, flags, ret_stmt, ret_tail);
    c->is_once = c->is_once || sqlite3_stmt_isexplain(*ret_stmt);
    return r;
}

/* Another connection may have changed the tables since this one has read the schema; SQLite only
 * looks when a statement runs. */
static void refresh_schema(struct connection *c)
{
    (void)connection_exec(c, "SELECT 1 FROM sqlite_schema LIMIT 0");
}

/* *ret_used: behind the first statement and what is blank there. */
static int compile(struct connection *c, const char *sql, size_t len, unsigned flags,
                   sqlite3_stmt **ret_stmt, size_t *ret_used, struct err *err)
{
    const char *tail = sql;
    int r;

    r = compile_once(c, sql, len, flags, ret_stmt, &tail);
    if (r == SQLITE_NOMEM) {
        statement_forget_all(c);
        r = compile_once(c, sql, len, flags, ret_stmt, &tail);
    } else if (r == SQLITE_ERROR || r == SQLITE_SCHEMA || (r == SQLITE_OK && c->is_once)) {
        sqlite3_finalize(*ret_stmt);
        refresh_schema(c);
        r = compile_once(c, sql, len, flags, ret_stmt, &tail);
    }
    if (r != SQLITE_OK)
        return words_set(c, r, err);
    if (!*ret_stmt)
        return err_set(err, ERR_INVALID, "SQL code did not contain a statement.");
    while (tail < sql + len && is_blank(*tail))
        tail++;
    *ret_used = (size_t)(tail - sql);
    return 0;
}

/* One that was asked for before: in the cache, or compiled by connection_is_read just now. */
static struct statement *statement_find(struct connection *c, struct span sql)
{
    uint64_t hash = hash_of(sql);
    struct statement *s = c->ready;

    if (!s || s->hash != hash || s->len != sql.len || memcmp(s->sql, sql.data, sql.len) != 0)
        return look_up(c, sql, hash);
    c->ready = NULL;
    return s;
}

/* The first statement of a text, which ends with a NUL.  Kept, if it is the whole of it and that
 * may be, or for the caller to free; *ret_used < len: there are more. */
static int statement_make(struct connection *c, const char *text, size_t len, bool is_whole,
                          struct statement **ret, size_t *ret_used, struct err *err)
{
    bool may_keep = is_whole && len <= CACHE_SQL_MAX;
    sqlite3_stmt *stmt = NULL;
    struct statement *s;
    int r = compile(c, text, len, may_keep ? SQLITE_PREPARE_PERSISTENT : 0, &stmt, ret_used, err);

    if (r < 0)
        return r;
    is_whole = is_whole && *ret_used == len;
    s = mem_alloc(sizeof *s + (is_whole ? len : 0));
    if (!s) {
        sqlite3_finalize(stmt);
        return err_nomem(err);
    }
    s->stmt = stmt;
    s->is_read = sqlite3_stmt_readonly(stmt) && !c->wants_writer;
    s->is_dml = c->is_dml;
    if (is_whole) {
        memcpy(s->sql, text, len);
        s->len = len;
        s->hash = hash_of((struct span){text, len});
        if (may_keep && !c->is_once)
            keep(c, s);
    }
    *ret = s;
    return 0;
}

/* SQLite wants a NUL behind the text, or copies what is left of it for each statement in it. */
static int copy_text(struct span sql, char **ret, struct err *err)
{
    if (sql.len > ROW_SQL_MAX)
        return err_set(err, ERR_LIMIT, "statement too long: SQLITE_TOOBIG");
    *ret = mem_copy(sql.data, sql.len);
    return *ret ? 0 : err_nomem(err);
}

int connection_is_read(struct connection *c, struct span sql, struct err *err)
{
    struct statement *s;
    size_t used = sql.len;
    char *text = NULL;
    bool is_read;
    int r = 0;

    connection_settle(c);
    s = statement_find(c, sql);
    if (!s) {
        r = copy_text(sql, &text, err);
        c->is_asked = true;
        c->wants_writer = false;
        r = r < 0 ? r : statement_make(c, text, sql.len, true, &s, &used, err);
        c->is_asked = false;
        mem_free(text);
    }
    if (r < 0)
        return c->wants_writer ? 0 : r;
    is_read = s->is_read && used == sql.len;
    if (s->is_kept)
        return is_read;
    statement_free(c->ready);
    c->ready = NULL;
    if (is_read)
        c->ready = s;
    else
        statement_free(s);
    return is_read;
}

/* ---- run ---- */

static int bind_all(struct connection *c, sqlite3_stmt *stmt, struct span values, uint32_t count,
                    struct err *err)
{
    struct row_value v;
    int r = SQLITE_OK;

    if (count != (uint32_t)sqlite3_bind_parameter_count(stmt))
        return err_set(err, ERR_INVALID, "Wrong number of parameter bindings for SQL query.");
    for (int i = 1; i <= (int)count && r == SQLITE_OK; i++) {
        if (row_get_value(&values, &v) < 0)
            return err_set(err, ERR_INVALID, "parameter %d is malformed", i);
        if (v.tag == ROW_NULL)
            r = sqlite3_bind_null(stmt, i);
        else if (v.tag == ROW_INT)
            r = sqlite3_bind_int64(stmt, i, v.integer);
        else if (v.tag == ROW_REAL)
            r = sqlite3_bind_double(stmt, i, v.real);
        else if (v.tag == ROW_TEXT)
            r = sqlite3_bind_text64(stmt, i, v.bytes.data, v.bytes.len, SQLITE_STATIC, SQLITE_UTF8);
        else
            r = sqlite3_bind_blob64(stmt, i, v.bytes.data, v.bytes.len, SQLITE_STATIC);
    }
    return r == SQLITE_OK ? 0 : words_set(c, r, err);
}

static int put_columns(struct buf *out, sqlite3_stmt *stmt, int columns)
{
    size_t mark;
    int r = row_begin(out, ROW_RECORD_COLUMNS, &mark);

    r = r < 0 ? r : row_put_u32(out, (uint32_t)columns);
    for (int i = 0; i < columns && r == 0; i++) {
        const char *name = sqlite3_column_name(stmt, i);
        size_t len = name ? strlen(name) : 0;

        r = name ? row_put_u32(out, (uint32_t)len) : ERR_NOMEM;
        r = r < 0 ? r : buf_append(out, name, len);
    }
    if (r == 0)
        row_end(out, mark);
    return r;
}

static int put_value(struct buf *out, sqlite3_stmt *stmt, int column)
{
    struct row_value v = {.tag = ROW_NULL};

    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER:
        v.tag = ROW_INT;
        v.integer = sqlite3_column_int64(stmt, column);
        break;
    case SQLITE_FLOAT:
        v.tag = ROW_REAL;
        v.real = sqlite3_column_double(stmt, column);
        break;
    case SQLITE_TEXT:
        v.tag = ROW_TEXT;
        v.bytes.data = (const char *)sqlite3_column_text(stmt, column);
        v.bytes.len = (size_t)sqlite3_column_bytes(stmt, column);
        break;
    case SQLITE_BLOB:
        v.tag = ROW_BLOB;
        v.bytes.data = sqlite3_column_blob(stmt, column);
        v.bytes.len = (size_t)sqlite3_column_bytes(stmt, column);
        break;
    }
    if (v.bytes.len > 0 && !v.bytes.data)
        return ERR_NOMEM;
    return row_put_value(out, &v);
}

/* Rows on their way out: blocks of them, each a record. */
struct rows {
    struct connection *c;
    sqlite3_stmt *stmt;
    const struct sink *sink;
    int columns;
    size_t mark; /* where the open block begins */
    uint32_t in_block;
    uint64_t all;
    int64_t first;        /* value, if it is a number */
    int64_t total_before; /* changes, before this statement */
};

static int rows_begin(struct rows *rows)
{
    int r = row_begin(&rows->c->out, ROW_RECORD_ROWS, &rows->mark);

    return r < 0 ? r : row_put_u32(&rows->c->out, 0);
}

static void rows_end(struct rows *rows)
{
    struct buf *out = &rows->c->out;
    unsigned char *count = (unsigned char *)out->mem + out->head + rows->mark + ROW_RECORD_HEADER;

    for (int i = 0; i < 4; i++)
        count[i] = (unsigned char)(rows->in_block >> (8 * i));
    row_end(out, rows->mark);
    rows->in_block = 0;
}

static int rows_flush(struct rows *rows, struct err *err)
{
    struct buf *out = &rows->c->out;
    int r = rows->sink->put(rows->sink->self, buf_span(out), err);

    buf_eat(out, buf_len(out));
    return r;
}

static int rows_add(struct rows *rows, struct err *err)
{
    struct buf *out = &rows->c->out;
    size_t before = buf_len(out);
    int r = 0;

    if (rows->all == 0)
        rows->first = sqlite3_column_int64(rows->stmt, 0);
    if (rows->in_block == 0)
        r = rows_begin(rows);
    for (int i = 0; i < rows->columns && r == 0; i++) {
        r = put_value(out, rows->stmt, i);
        if (buf_len(out) - before > ROW_RECORD_MAX / 2)
            return err_set(err, ERR_LIMIT, "a row of the result is too large: SQLITE_TOOBIG");
    }
    if (r < 0)
        return err_nomem(err);
    rows->in_block++;
    rows->all++;
    if (buf_len(out) < ROW_BLOCK)
        return 0;
    rows_end(rows);
    return rows_flush(rows, err);
}

/* Where the counters of the connection stand, before and after. */
struct before {
    int64_t total, last_row_id, size, started_us;
};

static int64_t size_now(struct connection *c)
{
    int64_t pages = 0;

    if (c->kind == CONNECTION_WRITE && connection_is_inside(c) &&
        connection_own(c, OWN_PAGES, &pages) == SQLITE_OK)
        return pages * engine.page_bytes;
    return (int64_t)engine_size();
}

static void measure(struct connection *c, struct before *b)
{
    b->total = sqlite3_total_changes64(c->db);
    b->last_row_id = sqlite3_last_insert_rowid(c->db);
    b->size = size_now(c);
    b->started_us = clock_now_us();
}

static int put_done(struct rows *rows, const struct statement *s, const struct before *b)
{
    struct connection *c = rows->c;
    struct counted counted = {.rows = rows->all, .count = rows->first};
    struct row_meta meta = {.duration_ms = (double)(clock_now_us() - b->started_us) / 1000};
    struct before after;

    if (c->kind == CONNECTION_READ) {
        meta.last_row_id = atomic_load(&engine.last_row_id);
        meta.size_after = b->size;
    } else {
        measure(c, &after);
        counted.total = after.total - rows->total_before;
        counted.changes = counted.total > 0 ? sqlite3_changes64(c->db) : 0;
        meta.changes = after.total - b->total;
        meta.last_row_id = after.last_row_id;
        meta.size_after = after.size;
        meta.changed_db =
            counted.total != 0 || after.last_row_id != b->last_row_id || after.size != b->size;
        atomic_store(&engine.last_row_id, after.last_row_id);
    }
    plan_count(s, &counted, &meta);
    return row_put_meta(&c->out, &meta);
}

static int interrupted(struct err *err)
{
    return err_set(err, ERR_CANCELLED, "interrupted: SQLITE_INTERRUPT");
}

/* A step that failed: the watch, nothing left, or the SQL. */
static int stepped(struct connection *c, int code, struct err *err)
{
    int r = words_set(c, code, err);

    return c->is_cancelled ? interrupted(err) : r;
}

static int step_all(struct rows *rows, struct err *err)
{
    bool is_first = true;
    int r;

    for (;;) {
        r = sqlite3_step(rows->stmt);
        if (r != SQLITE_ROW && r != SQLITE_DONE)
            return stepped(rows->c, r, err);
        /* Not earlier: the first step compiles it anew when its tables have changed. */
        if (is_first && rows->sink) {
            rows->columns = sqlite3_column_count(rows->stmt);
            if (put_columns(&rows->c->out, rows->stmt, rows->columns) < 0)
                return err_nomem(err);
        }
        is_first = false;
        if (r == SQLITE_DONE)
            return 0;
        if (!rows->sink)
            continue;
        r = rows_add(rows, err);
        if (r < 0)
            return r;
    }
}

static int statement_run(struct connection *c, struct statement *s, struct span values,
                         uint32_t count, const struct before *b, const struct sink *sink,
                         struct err *err)
{
    struct rows rows = {
        .c = c, .stmt = s->stmt, .sink = sink, .total_before = sqlite3_total_changes64(c->db)};
    int r;

    if (c->kind == CONNECTION_READ && !s->is_read)
        return err_set(err, ERR_INVALID, "attempt to write a readonly database: SQLITE_READONLY");
    if (sink && (!s->is_planned || sqlite3_stmt_status(s->stmt, SQLITE_STMTSTATUS_REPREPARE, 1)))
        plan_make(c, s);
    c->is_cancelled = false;
    r = bind_all(c, s->stmt, values, count, err);
    r = r < 0 ? r : step_all(&rows, err);
    if (r == 0 && rows.in_block > 0)
        rows_end(&rows);
    if (r == 0 && sink)
        r = put_done(&rows, s, b) < 0 ? err_nomem(err) : 0;
    r = r < 0 || !sink ? r : rows_flush(&rows, err);
    buf_eat(&c->out, buf_len(&c->out));
    sqlite3_reset(s->stmt);
    if (count > 0)
        sqlite3_clear_bindings(s->stmt);
    return r;
}

/* A statement after the other; all but the last without parameters, for what they do. */
static int run_text(struct connection *c, const char *text, size_t len, struct span values,
                    uint32_t count, const struct before *b, const struct sink *sink,
                    struct err *err)
{
    struct statement *s;
    bool is_whole = true, is_last;
    size_t used;
    int r;

    do {
        r = statement_make(c, text, len, is_whole, &s, &used, err);
        if (r < 0)
            return r;
        is_last = used == len;
        if (is_last)
            r = statement_run(c, s, values, count, b, sink, err);
        else if (sqlite3_bind_parameter_count(s->stmt) > 0)
            r = err_set(err, ERR_INVALID,
                        "When executing multiple SQL statements in a single call, only the last "
                        "statement can have parameters.");
        else
            r = statement_run(c, s, (struct span){"", 0}, 0, b, NULL, err);
        if (!s->is_kept)
            statement_free(s);
        text += used;
        len -= used;
        is_whole = false;
        if (r == 0 && !is_last && c->watch.look && c->watch.look(c->watch.self))
            r = interrupted(err);
    } while (r == 0 && !is_last);
    return r;
}

int connection_run(struct connection *c, struct span sql, struct span values, uint32_t count,
                   const struct sink *sink, struct err *err)
{
    struct statement *s;
    struct before b;
    char *text;
    int r;

    if (c->kind == CONNECTION_READ)
        connection_settle(c);
    measure(c, &b);
    s = statement_find(c, sql);
    if (s) {
        r = statement_run(c, s, values, count, &b, sink, err);
        if (!s->is_kept)
            statement_free(s);
        return r;
    }
    r = copy_text(sql, &text, err);
    if (r < 0)
        return r;
    r = run_text(c, text, sql.len, values, count, &b, sink, err);
    mem_free(text);
    return r;
}
