/* kv_changes.c - puts and deletions as statements: many small pairs in one, a long value in its
 * own. */
#include <stdio.h>
#include <string.h>

#include "row/row.h"
#include "service/kv_inside.h"

enum {
    ROWS = 20,            /* pairs of one statement: each has five parameters */
    ROWS_BYTES = 1 << 20, /* of them, from which on they leave */
    KEYS = 90,            /* deletions of one statement */
    SWEEP = 100,          /* expired entries that a change removes */
    STATEMENTS_LEFT = 4,  /* for the sweep */
};

static const char EXPIRED[] = "SELECT id FROM entry WHERE expires <= ?1 ORDER BY expires LIMIT 100";
_Static_assert(SWEEP == 100, "the statement has the number in it");

void kv_changes_done(struct kv_changes *changes)
{
    buf_done(&changes->body);
    buf_done(&changes->rows);
    buf_done(&changes->keys);
    *changes = (struct kv_changes){0};
}

/* ---- what there may be ---- */

int kv_check_key(struct span key, struct err *err)
{
    if (key.len == 0)
        return err_set(err, ERR_INVALID, "a key must not be empty");
    if (key.len > KV_KEY_MAX)
        return err_set(err, ERR_INVALID,
                       "UTF-8 encoded length of %zu exceeds key length limit of %d.", key.len,
                       KV_KEY_MAX);
    if (span_is(key, ".") || span_is(key, ".."))
        return err_set(err, ERR_INVALID, "a key must not be \".\" or \"..\"");
    return 0;
}

int kv_check_pair(const struct kv_pair *pair, struct err *err)
{
    if (kv_check_key(pair->key, err) < 0)
        return err->code;
    if (pair->value.len > KV_VALUE_MAX)
        return err_set(err, ERR_INVALID, "Value length of %zu exceeds limit of %d.",
                       pair->value.len, KV_VALUE_MAX);
    if (pair->metadata.data && pair->metadata.len > KV_METADATA_MAX)
        return err_set(err, ERR_INVALID, "Metadata length of %zu exceeds limit of %d.",
                       pair->metadata.len, KV_METADATA_MAX);
    return 0;
}

/* ---- statements ---- */

static int put_int(struct buf *out, int64_t integer)
{
    const struct row_value value = {.tag = ROW_INT, .integer = integer};

    return row_put_value(out, &value);
}

static int put_bytes(struct buf *out, struct span bytes, enum row_tag tag)
{
    const struct row_value value = {.tag = bytes.data ? tag : ROW_NULL, .bytes = bytes};

    return row_put_value(out, &value);
}

static int begin(struct kv_changes *c, const char *sql, uint32_t values)
{
    c->statements++;
    return row_put_statement(&c->body, span_of(sql), values);
}

/* "?,?,?", "(?,?),(?,?)" */
static size_t repeat(char *out, const char *what, uint32_t times)
{
    size_t n = strlen(what);

    for (uint32_t i = 0; i < times; i++) {
        if (i > 0)
            *out++ = ',';
        memcpy(out, what, n);
        out += n;
    }
    *out = '\0';
    return times * (n + 1);
}

static int forget_pieces(struct kv_changes *c, struct span keys, uint32_t count)
{
    char sql[KEYS * 2 + 160], marks[KEYS * 2 + 1];
    int r;

    repeat(marks, "?", count);
    snprintf(sql, sizeof sql,
             "DELETE FROM piece WHERE entry IN (SELECT id FROM entry WHERE key IN (%s))", marks);
    r = begin(c, sql, count);
    return r < 0 ? r : buf_append(&c->body, keys.data, keys.len);
}

static int leave_keys(struct kv_changes *c)
{
    char sql[KEYS * 2 + 160], marks[KEYS * 2 + 1];
    int r;

    if (c->key_count == 0)
        return 0;
    r = forget_pieces(c, buf_span(&c->keys), c->key_count);
    if (r == 0 && c->row_count == 0) {
        repeat(marks, "?", c->key_count);
        snprintf(sql, sizeof sql, "DELETE FROM entry WHERE key IN (%s)", marks);
        r = begin(c, sql, c->key_count);
        r = r < 0 ? r : buf_append(&c->body, buf_data(&c->keys), buf_len(&c->keys));
    }
    return r;
}

static int leave_rows(struct kv_changes *c)
{
    char sql[ROWS * 12 + 320], marks[ROWS * 12];
    int r;

    if (c->row_count == 0)
        return 0;
    repeat(marks, "(?,?,?,?,?)", c->row_count);
    snprintf(sql, sizeof sql,
             "INSERT INTO entry (key, metadata, expires, bytes, value) VALUES %s "
             "ON CONFLICT (key) DO UPDATE SET metadata = excluded.metadata, "
             "expires = excluded.expires, bytes = excluded.bytes, value = excluded.value",
             marks);
    r = begin(c, sql, c->row_count * 5);
    return r < 0 ? r : buf_append(&c->body, buf_data(&c->rows), buf_len(&c->rows));
}

/* All that waits becomes statements: the keys are those of the rows, or are deleted. */
static int leave(struct kv_changes *c)
{
    int r = leave_keys(c);

    r = r < 0 ? r : leave_rows(c);
    buf_eat(&c->rows, buf_len(&c->rows));
    buf_eat(&c->keys, buf_len(&c->keys));
    c->row_count = c->key_count = 0;
    return r;
}

static int put_pieces(struct kv_changes *c, const struct kv_pair *pair)
{
    int r = 0;

    for (size_t at = KV_PIECE, number = 1; at < pair->value.len && r == 0; at += KV_PIECE) {
        size_t left = pair->value.len - at;
        struct span piece = {pair->value.data + at, left < KV_PIECE ? left : KV_PIECE};
        r = begin(c,
                  "INSERT INTO piece (entry, number, value) SELECT id, ?2, ?3 FROM entry "
                  "WHERE key = ?1",
                  3);
        r = r < 0 ? r : put_bytes(&c->body, pair->key, ROW_BLOB);
        r = r < 0 ? r : put_int(&c->body, (int64_t)number++);
        r = r < 0 ? r : put_bytes(&c->body, piece, ROW_BLOB);
    }
    return r;
}

static int put_row(struct kv_changes *c, const struct kv_pair *pair)
{
    const struct row_value none = {.tag = ROW_NULL};
    struct span first = pair->value;
    struct buf *out = &c->rows;
    int r;

    if (first.len > KV_PIECE)
        first.len = KV_PIECE;
    if (!first.data)
        first = SPAN("");
    r = put_bytes(out, pair->key, ROW_BLOB);
    r = r < 0 ? r : put_bytes(out, pair->metadata, ROW_TEXT);
    r = r < 0 ? r : pair->expires_s > 0 ? put_int(out, pair->expires_s) : row_put_value(out, &none);
    r = r < 0 ? r : put_int(out, (int64_t)pair->value.len);
    r = r < 0 ? r : put_bytes(out, first, ROW_BLOB);
    r = r < 0 ? r : put_bytes(&c->keys, pair->key, ROW_BLOB);
    c->row_count++;
    c->key_count++;
    return r;
}

/* ---- from outside ---- */

static int check_room(const struct kv_changes *c, size_t more, struct err *err)
{
    if (c->count >= KV_CHANGES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d keys in one call", KV_CHANGES_MAX);
    if (c->statements + STATEMENTS_LEFT + 32 > ROW_STATEMENTS_MAX ||
        buf_len(&c->body) + buf_len(&c->rows) + buf_len(&c->keys) + more + 4096 > ROW_CALL_MAX)
        return err_set(err, ERR_LIMIT, "the pairs of one call are larger than %d MB",
                       ROW_CALL_MAX / 1000 / 1000);
    return 0;
}

/* The count stands first; it is written when it is known. */
static int open_body(struct kv_changes *c)
{
    return c->count++ > 0 ? 0 : row_put_u32(&c->body, 0);
}

int kv_changes_put(struct kv_changes *c, const struct kv_pair *pair, struct err *err)
{
    int r;

    if (kv_check_pair(pair, err) < 0 || check_room(c, pair->value.len + 2048, err) < 0)
        return err->code;
    r = open_body(c);
    if (r == 0 && c->key_count > c->row_count) /* deletions */
        r = leave(c);
    r = r < 0 ? r : put_row(c, pair);
    if (r == 0 &&
        (c->row_count == ROWS || buf_len(&c->rows) > ROWS_BYTES || pair->value.len > KV_PIECE))
        r = leave(c);
    r = r < 0 ? r : put_pieces(c, pair);
    return r < 0 ? err_nomem(err) : 0;
}

int kv_changes_delete(struct kv_changes *c, struct span key, struct err *err)
{
    int r;

    if (kv_check_key(key, err) < 0 || check_room(c, 1024, err) < 0)
        return err->code;
    r = open_body(c);
    if (r == 0 && c->row_count > 0)
        r = leave(c);
    r = r < 0 ? r : put_bytes(&c->keys, key, ROW_BLOB);
    c->key_count++;
    if (r == 0 && c->key_count == KEYS)
        r = leave(c);
    return r < 0 ? err_nomem(err) : 0;
}

static int sweep(struct kv_changes *c)
{
    char sql[256];
    int r;

    snprintf(sql, sizeof sql, "DELETE FROM piece WHERE entry IN (%s)", EXPIRED);
    r = begin(c, sql, 1);
    r = r < 0 ? r : put_int(&c->body, c->now_s);
    snprintf(sql, sizeof sql, "DELETE FROM entry WHERE id IN (%s)", EXPIRED);
    r = r < 0 ? r : begin(c, sql, 1);
    return r < 0 ? r : put_int(&c->body, c->now_s);
}

int kv_changes_close(struct kv_changes *c, struct err *err)
{
    struct buf count = {0};
    int r = c->count > 0 ? 0 : row_put_u32(&c->body, 0);

    r = r < 0 ? r : leave(c);
    r = r < 0 ? r : sweep(c);
    r = r < 0 ? r : row_put_u32(&count, c->statements);
    if (r == 0)
        memcpy((char *)(uintptr_t)buf_data(&c->body), buf_data(&count), buf_len(&count));
    buf_done(&count);
    return r < 0 ? err_nomem(err) : 0;
}
