/* kv.c - calls on the store of a namespace, and what it answers. */
#include "service/kv.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "keeper/errand.h"
#include "keeper/records.h"
#include "service/kv_inside.h"
#include "service/shape.h"

static const char TABLES[] =
    "CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,"
    " metadata TEXT, expires INTEGER, bytes INTEGER NOT NULL, value BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS entry_expires ON entry (expires) WHERE expires IS NOT NULL;"
    "CREATE TABLE IF NOT EXISTS piece (entry INTEGER NOT NULL, number INTEGER NOT NULL,"
    " value BLOB NOT NULL, PRIMARY KEY (entry, number));";

enum kv_kind { KV_CHANGE, KV_GET, KV_LIST };

struct item {         /* an entry that becomes whole */
    struct buf bytes; /* key, metadata, value, one behind the other */
    size_t key_len, metadata_len;
    bool has_metadata;
    int64_t expires_s, left; /* bytes of the value that are still due */
};

struct kv_call {
    struct kv_place place;
    char *folder;
    enum kv_kind kind;
    struct buf body;
    struct errand *errand;
    struct records records;
    bool has_made_tables;
    unsigned limit; /* of a list */
    kv_done_fn done;
    kv_found_fn found;
    void *self;
    struct item *items;
    struct kv_entry *entries;
    size_t count, cap;
};

static void call_free(struct kv_call *c)
{
    for (size_t i = 0; i < c->count; i++)
        buf_done(&c->items[i].bytes);
    mem_free(c->items);
    mem_free(c->entries);
    records_done(&c->records);
    buf_done(&c->body);
    mem_free(c->folder);
    mem_free(c);
}

void kv_cancel(struct kv_call *c)
{
    if (c->errand)
        errand_cancel(c->errand);
    call_free(c);
}

/* ---- what came back ---- */

static int refuse(struct err *err)
{
    return err_set(err, ERR_SYSTEM, "the namespace's process sent an answer that makes no sense");
}

static struct span bytes_of(const struct row_value *value)
{
    return value->tag == ROW_BLOB || value->tag == ROW_TEXT ? value->bytes : (struct span){0};
}

static struct item *add_item(struct kv_call *c, struct err *err)
{
    size_t cap = c->cap ? c->cap * 2 : 16;
    struct item *items = c->items;

    if (c->count == c->cap) {
        items = mem_resize(c->items, cap * sizeof *items);
        if (!items) {
            (void)err_nomem(err);
            return NULL;
        }
        c->items = items;
        c->cap = cap;
    }
    items[c->count] = (struct item){0};
    return &items[c->count++];
}

/* key, metadata, expires, bytes, value */
static int take_entry(struct kv_call *c, const struct shape *shape, struct err *err)
{
    const struct row_value *row = shape->row;
    struct span key, metadata, value;
    struct item *item;
    int r;

    if (shape->width != 5 || row[0].tag != ROW_BLOB || row[3].tag != ROW_INT)
        return refuse(err);
    item = add_item(c, err);
    if (!item)
        return err->code;
    key = bytes_of(&row[0]);
    metadata = bytes_of(&row[1]);
    value = bytes_of(&row[4]);
    item->key_len = key.len;
    item->has_metadata = row[1].tag == ROW_TEXT;
    item->metadata_len = metadata.len;
    item->expires_s = row[2].tag == ROW_INT ? row[2].integer : 0;
    item->left = row[4].tag == ROW_BLOB ? row[3].integer - (int64_t)value.len : 0;
    r = buf_append(&item->bytes, key.data, key.len);
    if (r == 0 && metadata.len > 0)
        r = buf_append(&item->bytes, metadata.data, metadata.len);
    if (r == 0 && value.len > 0)
        r = buf_append(&item->bytes, value.data, value.len);
    return r < 0 ? err_nomem(err) : 0;
}

/* key, value: in the order of their numbers */
static int take_piece(struct kv_call *c, const struct shape *shape, struct err *err)
{
    struct span key = bytes_of(&shape->row[0]), value = bytes_of(&shape->row[1]);

    for (size_t i = 0; i < c->count; i++) {
        struct item *item = &c->items[i];
        if (item->key_len != key.len || memcmp(buf_data(&item->bytes), key.data, key.len) != 0)
            continue;
        item->left -= (int64_t)value.len;
        return buf_append(&item->bytes, value.data, value.len) < 0 ? err_nomem(err) : 0;
    }
    return refuse(err);
}

static int take_rows(struct kv_call *c, struct shape *shape, struct span bytes, struct err *err)
{
    uint32_t count;
    int r = 0;

    if (row_get_u32(&bytes, &count) < 0 || (shape->width != 5 && shape->width != 2))
        return refuse(err);
    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = shape_row(shape, &bytes, err);
        if (r == 0)
            r = shape->width == 5 ? take_entry(c, shape, err) : take_piece(c, shape, err);
    }
    return r;
}

static int read_records(struct kv_call *c, struct err *err)
{
    struct records_walk walk = {.records = &c->records};
    struct shape shape = {0};
    enum row_record type;
    struct span bytes;
    int r;

    while ((r = records_next(&walk, &type, &bytes, err)) > 0) {
        if (type == ROW_RECORD_COLUMNS)
            r = shape_read(&shape, bytes, err);
        else if (type == ROW_RECORD_ROWS)
            r = take_rows(c, &shape, bytes, err);
        if (r < 0)
            break;
    }
    for (size_t i = 0; i < c->count && r == 0; i++)
        if (c->items[i].left != 0)
            r = refuse(err);
    shape_done(&shape);
    records_walk_done(&walk);
    return r;
}

static int make_entries(struct kv_call *c, struct err *err)
{
    c->entries = mem_alloc((c->count + 1) * sizeof *c->entries);
    if (!c->entries)
        return err_nomem(err);
    for (size_t i = 0; i < c->count; i++) {
        struct item *item = &c->items[i];
        const char *at = buf_data(&item->bytes);
        size_t head = item->key_len + item->metadata_len;
        c->entries[i] = (struct kv_entry){.key = {at, item->key_len},
                                          .value = {at + head, buf_len(&item->bytes) - head},
                                          .expires_s = item->expires_s};
        if (item->has_metadata)
            c->entries[i].metadata = (struct span){at + item->key_len, item->metadata_len};
    }
    return 0;
}

/* ---- the end ---- */

static void end(struct kv_call *c, int result, const struct err *why)
{
    struct kv_found found = {0};
    struct err err = *why;

    if (c->kind == KV_CHANGE) {
        c->done(c->self, result, &err);
        call_free(c);
        return;
    }
    if (result == 0)
        result = read_records(c, &err);
    if (result == 0)
        result = make_entries(c, &err);
    if (result == 0) {
        found = (struct kv_found){.items = c->entries, .count = c->count};
        if (c->kind == KV_LIST && found.count > c->limit) {
            found.is_more = true;
            found.count = c->limit;
        }
    }
    c->found(c->self, result, &found, &err);
    call_free(c);
}

static bool has_no_tables(const struct kv_call *c)
{
    struct span text = c->records.error.text;

    return c->records.state == RECORDS_FAILED &&
           memmem(text.data, text.len, "no such table: ", strlen("no such table: "));
}

static int start(struct kv_call *c, const char *method, struct span body, struct err *err);

static void on_tables(void *self, int result, const struct err *why)
{
    struct kv_call *c = self;
    struct err err = *why;

    c->errand = NULL;
    if (result == 0 && c->records.state != RECORDS_WHOLE)
        result = err_set(&err, ERR_SYSTEM, "the namespace's tables cannot be made: %.*s",
                         SPAN_ARG(c->records.error.text));
    if (result == 0) {
        records_done(&c->records);
        result = start(c, "query", buf_span(&c->body), &err);
    }
    if (result < 0)
        end(c, result, &err);
}

static void on_done(void *self, int result, const struct err *why)
{
    struct kv_call *c = self;
    struct err err = *why;

    c->errand = NULL;
    if (result == 0 && has_no_tables(c) && !c->has_made_tables) {
        c->has_made_tables = true;
        records_done(&c->records);
        if (c->kind == KV_CHANGE)
            result = start(c, "exec", SPAN(TABLES), &err);
        if (c->kind == KV_CHANGE && result == 0)
            return; /* waits for: on_tables */
    } else if (result == 0 && c->records.state == RECORDS_FAILED) {
        result = err_set(&err, ERR_SYSTEM, "%.*s", SPAN_ARG(c->records.error.text));
    } else if (result == 0 && c->records.state == RECORDS_OPEN) {
        result = err_set(&err, ERR_SYSTEM, "the namespace's process ended before its answer");
    }
    end(c, result, &err);
}

static int on_take(void *self, struct span bytes, struct err *err)
{
    struct kv_call *c = self;

    if (c->records.len + bytes.len > KV_GET_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the values are larger than %d MB together",
                       KV_GET_BYTES_MAX >> 20);
    return records_take(&c->records, bytes, err);
}

/* ---- the beginning ---- */

static int start(struct kv_call *c, const char *method, struct span body, struct err *err)
{
    struct errand_spec spec = {.folder = c->folder,
                               .method = method,
                               .file = -1,
                               .text = body,
                               .take = on_take,
                               .done = body.data == TABLES ? on_tables : on_done,
                               .self = c};

    return errand_start(c->place.loop, c->place.keeper, &spec, &c->errand, err);
}

static struct kv_call *call_new(const struct kv_place *place, enum kv_kind kind, void *self,
                                struct err *err)
{
    struct kv_call *c = mem_alloc(sizeof *c);

    if (c)
        c->folder = mem_strdup(place->folder);
    if (!c || !c->folder) {
        mem_free(c);
        (void)err_nomem(err);
        return NULL;
    }
    c->place = *place;
    c->kind = kind;
    c->self = self;
    return c;
}

/* r: how its body was made. */
static int launch(struct kv_call *c, int r, struct kv_call **ret, struct err *err)
{
    if (r == ERR_NOMEM)
        (void)err_nomem(err);
    if (r == 0)
        r = start(c, "query", buf_span(&c->body), err);
    if (r < 0)
        call_free(c);
    else
        *ret = c;
    return r;
}

int kv_change(const struct kv_place *place, struct kv_changes *take_changes, kv_done_fn done,
              void *self, struct kv_call **ret, struct err *err)
{
    struct kv_call *c = call_new(place, KV_CHANGE, self, err);
    int r = c ? kv_changes_close(take_changes, err) : err->code;

    if (c) {
        c->body = take_changes->body;
        take_changes->body = (struct buf){0};
        c->done = done;
    }
    kv_changes_done(take_changes);
    return c ? launch(c, r, ret, err) : r;
}

static int put_blob(struct buf *out, struct span bytes)
{
    const struct row_value value = {.tag = ROW_BLOB, .bytes = bytes};

    return row_put_value(out, &value);
}

static int put_int(struct buf *out, int64_t integer)
{
    const struct row_value value = {.tag = ROW_INT, .integer = integer};

    return row_put_value(out, &value);
}

/* A statement about some keys, with the time as its first value; "%s": a mark for each. */
static int put_about(struct buf *out, const char *before, const char *after,
                     const struct span *keys, size_t count, int64_t now_s)
{
    struct buf sql = {0};
    int r = buf_print(&sql, "%s", before);

    for (size_t i = 0; i < count && r == 0; i++)
        r = buf_print(&sql, "%s?", i > 0 ? "," : "");
    r = r < 0 ? r : buf_print(&sql, "%s", after);
    r = r < 0 ? r : row_put_statement(out, buf_span(&sql), (uint32_t)count + 1);
    r = r < 0 ? r : put_int(out, now_s);
    for (size_t i = 0; i < count && r == 0; i++)
        r = put_blob(out, keys[i]);
    buf_done(&sql);
    return r;
}

int kv_get(const struct kv_place *place, const struct span *keys, size_t count, int64_t now_s,
           bool wants_values, kv_found_fn done, void *self, struct kv_call **ret, struct err *err)
{
    enum { PART = 50 }; /* keys of one statement */
    size_t parts = (count + PART - 1) / PART;
    struct kv_call *c;
    int r = 0;

    if (count > KV_GET_MAX)
        return err_set(err, ERR_INVALID, "more than %d keys in one call", KV_GET_MAX);
    c = call_new(place, KV_GET, self, err);
    if (!c)
        return err->code;
    c->found = done;
    r = row_put_u32(&c->body, (uint32_t)(wants_values ? 2 * parts : parts));
    for (size_t i = 0; i < count && r == 0; i += PART) {
        size_t n = count - i < PART ? count - i : PART;
        r = put_about(&c->body,
                      wants_values
                          ? "SELECT key, metadata, expires, bytes, value FROM entry"
                            " WHERE coalesce(expires, ?1 + 1) > ?1 AND key IN ("
                          : "SELECT key, metadata, expires, bytes, NULL AS value FROM entry"
                            " WHERE coalesce(expires, ?1 + 1) > ?1 AND key IN (",
                      ")", keys + i, n, now_s);
        if (r == 0 && wants_values)
            r = put_about(&c->body,
                          "SELECT e.key, p.value FROM entry AS e JOIN piece AS p ON p.entry = e.id"
                          " WHERE coalesce(e.expires, ?1 + 1) > ?1 AND e.key IN (",
                          ") ORDER BY e.key, p.number", keys + i, n, now_s);
    }
    return launch(c, r, ret, err);
}

/* The first bytes that do not begin with it any more. */
static size_t behind(struct span prefix, char out[KV_KEY_MAX + 1])
{
    size_t n = prefix.len;

    memcpy(out, prefix.data, n);
    while (n > 0 && (unsigned char)out[n - 1] == 0xFF)
        n--;
    if (n > 0) {
        out[n - 1]++;
        return n;
    }
    memset(out, 0xFF, KV_KEY_MAX + 1); /* longer than any key */
    return KV_KEY_MAX + 1;
}

int kv_list(const struct kv_place *place, struct span prefix, struct span after, unsigned limit,
            int64_t now_s, kv_found_fn done, void *self, struct kv_call **ret, struct err *err)
{
    static const struct span SQL =
        SPAN("SELECT key, metadata, expires, bytes, NULL AS value FROM entry WHERE key > ?1 AND "
             "key >= ?2 AND key < ?3 AND coalesce(expires, ?4 + 1) > ?4 ORDER BY key LIMIT ?5");
    char end_of[KV_KEY_MAX + 1];
    struct kv_call *c;
    int r;

    if (prefix.len > KV_KEY_MAX || after.len > KV_KEY_MAX)
        return err_set(err, ERR_INVALID, "no key is longer than %d bytes", KV_KEY_MAX);
    c = call_new(place, KV_LIST, self, err);
    if (!c)
        return err->code;
    c->found = done;
    c->limit = limit < KV_LIST_MAX ? limit : KV_LIST_MAX;
    r = row_put_u32(&c->body, 1);
    r = r < 0 ? r : row_put_statement(&c->body, SQL, 5);
    r = r < 0 ? r : put_blob(&c->body, after.data ? after : SPAN(""));
    r = r < 0 ? r : put_blob(&c->body, prefix);
    r = r < 0 ? r : put_blob(&c->body, (struct span){end_of, behind(prefix, end_of)});
    r = r < 0 ? r : put_int(&c->body, now_s);
    r = r < 0 ? r : put_int(&c->body, (int64_t)c->limit + 1);
    return launch(c, r, ret, err);
}
