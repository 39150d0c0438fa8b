/* function.c - functions of SQL that are added to SQLite's own, or replaced.
 *
 * Added: what Cloudflare's newer SQLite has and Debian's has not.  Replaced:
 * printf (printf.c), instr, replace and the trims, which take a time that grows with the product of
 * their arguments' lengths: two megabytes by one would be minutes in a single
 * step of the virtual machine, where no watch looks.  Ours take linear time and
 * give the same answers. */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "store/inside.h"

typedef unsigned char byte;

struct text {
    const byte *data;
    size_t len;
};

static struct text text_of(sqlite3_value *v)
{
    const byte *data = sqlite3_value_text(v);

    return (struct text){data, (size_t)sqlite3_value_bytes(v)};
}

static struct text blob_of(sqlite3_value *v)
{
    const byte *data = sqlite3_value_blob(v);

    return (struct text){data, (size_t)sqlite3_value_bytes(v)};
}

static bool is_null(sqlite3_value *v)
{
    return sqlite3_value_type(v) == SQLITE_NULL;
}

/* The result from a buffer; too long is SQLite's to say. */
static void give(sqlite3_context *x, struct buf *out, bool is_broken)
{
    if (is_broken)
        sqlite3_result_error_nomem(x);
    else
        sqlite3_result_text64(x, buf_data(out), buf_len(out), SQLITE_TRANSIENT, SQLITE_UTF8);
    buf_done(out);
}

/* Nothing that SQLite will refuse is built first. */
static bool is_too_big(sqlite3_context *x, size_t len)
{
    if (len <= (size_t)sqlite3_limit(sqlite3_context_db_handle(x), SQLITE_LIMIT_LENGTH, -1))
        return false;
    sqlite3_result_error_toobig(x);
    return true;
}

/* ---- added ---- */

static void join(sqlite3_context *x, struct text between, int count, sqlite3_value **values)
{
    struct buf out = {0};
    bool is_first = true;

    for (int i = 0; i < count; i++) {
        struct text t;
        size_t gap = is_first ? 0 : between.len;

        if (is_null(values[i]))
            continue;
        t = text_of(values[i]);
        if (is_too_big(x, buf_len(&out) + gap + t.len)) {
            buf_done(&out);
            return;
        }
        if (buf_append(&out, between.data, gap) < 0 || buf_append(&out, t.data, t.len) < 0) {
            give(x, &out, true);
            return;
        }
        is_first = false;
    }
    give(x, &out, false);
}

static void sql_concat(sqlite3_context *x, int count, sqlite3_value **values)
{
    join(x, (struct text){(const byte *)"", 0}, count, values);
}

static void sql_concat_ws(sqlite3_context *x, int count, sqlite3_value **values)
{
    if (!is_null(values[0]))
        join(x, text_of(values[0]), count - 1, values + 1);
}

static void sql_octet_length(sqlite3_context *x, int count, sqlite3_value **values)
{
    (void)count;
    switch (sqlite3_value_type(values[0])) {
    case SQLITE_NULL:
        return;
    case SQLITE_BLOB:
        sqlite3_result_int(x, sqlite3_value_bytes(values[0]));
        return;
    default:
        sqlite3_result_int64(x, (sqlite3_int64)text_of(values[0]).len);
    }
}

static int digit(byte c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of the code point that begins here, malformed ones too. */
static size_t point_len(struct text t, size_t at)
{
    size_t n = 1;

    if (t.data[at] >= 0xc0)
        while (at + n < t.len && (t.data[at + n] & 0xc0) == 0x80)
            n++;
    return n;
}

static bool has_point(struct text set, const byte *point, size_t len)
{
    for (size_t i = 0, n; i < set.len; i += n) {
        n = point_len(set, i);
        if (n == len && memcmp(set.data + i, point, n) == 0)
            return true;
    }
    return false;
}

/* unhex(X), unhex(X, what may stand between the pairs) */
static void sql_unhex(sqlite3_context *x, int count, sqlite3_value **values)
{
    struct text in = text_of(values[0]), skip = {(const byte *)"", 0};
    byte *out;
    size_t n = 0, at = 0;

    if (is_null(values[0]) || (count == 2 && is_null(values[1])))
        return;
    if (count == 2)
        skip = text_of(values[1]);
    out = sqlite3_malloc64(in.len / 2 + 1);
    if (!out) {
        sqlite3_result_error_nomem(x);
        return;
    }
    while (at < in.len) {
        int high = digit(in.data[at]);

        if (high < 0) {
            size_t len = point_len(in, at);

            if (!has_point(skip, in.data + at, len))
                break;
            at += len;
        } else if (at + 1 < in.len && digit(in.data[at + 1]) >= 0) {
            out[n++] = (byte)(high << 4 | digit(in.data[at + 1]));
            at += 2;
        } else {
            break;
        }
    }
    if (at == in.len)
        sqlite3_result_blob64(x, out, n, sqlite3_free);
    else
        sqlite3_free(out);
}

/* ---- string_agg: group_concat with its separator ---- */

struct gathered {
    char *data;
    size_t len, room;
    bool has_any, is_broken;
};

static bool gather(sqlite3_context *x, struct gathered *g, struct text t)
{
    char *data;

    if (is_too_big(x, g->len + t.len))
        return false;
    if (g->len + t.len > g->room) {
        size_t room = (g->len + t.len) * 2;

        data = sqlite3_realloc64(g->data, room);
        if (!data) {
            sqlite3_result_error_nomem(x);
            return false;
        }
        g->data = data;
        g->room = room;
    }
    if (t.len > 0)
        memcpy(g->data + g->len, t.data, t.len);
    g->len += t.len;
    return true;
}

static void string_agg_step(sqlite3_context *x, int count, sqlite3_value **values)
{
    struct gathered *g = sqlite3_aggregate_context(x, sizeof *g);

    (void)count;
    if (!g || g->is_broken || is_null(values[0]))
        return;
    g->is_broken = (g->has_any && !is_null(values[1]) && !gather(x, g, text_of(values[1]))) ||
                   !gather(x, g, text_of(values[0]));
    g->has_any = true;
}

static void string_agg_end(sqlite3_context *x)
{
    struct gathered *g = sqlite3_aggregate_context(x, 0);

    if (g && g->has_any && !g->is_broken)
        sqlite3_result_text64(x, g->data ? g->data : "", g->len, SQLITE_TRANSIENT, SQLITE_UTF8);
    if (g)
        sqlite3_free(g->data);
}

/* ---- replaced ---- */

/* Blobs by bytes, everything else by characters; from 1, 0: not there. */
static void sql_instr(sqlite3_context *x, int count, sqlite3_value **values)
{
    bool is_blob = sqlite3_value_type(values[0]) == SQLITE_BLOB &&
                   sqlite3_value_type(values[1]) == SQLITE_BLOB;
    struct text in, what;
    const byte *found;
    int at = 1;

    (void)count;
    if (is_null(values[0]) || is_null(values[1]))
        return;
    in = is_blob ? blob_of(values[0]) : text_of(values[0]);
    what = is_blob ? blob_of(values[1]) : text_of(values[1]);
    if (what.len == 0) {
        sqlite3_result_int(x, 1);
        return;
    }
    found = in.len < what.len ? NULL : memmem(in.data, in.len, what.data, what.len);
    if (!found) {
        sqlite3_result_int(x, 0);
        return;
    }
    for (const byte *p = in.data; p < found; p++)
        at += is_blob || (*p & 0xc0) != 0x80;
    sqlite3_result_int(x, at);
}

static void sql_replace(sqlite3_context *x, int count, sqlite3_value **values)
{
    struct text in, what, by;
    struct buf out = {0};
    const byte *found;
    bool is_broken = false;

    (void)count;
    if (is_null(values[0]) || is_null(values[1]))
        return;
    in = text_of(values[0]);
    what = text_of(values[1]);
    if (what.len == 0 || what.data[0] == '\0') {
        sqlite3_result_value(x, values[0]);
        return;
    }
    if (is_null(values[2]))
        return;
    by = text_of(values[2]);
    while (in.len >= what.len && !is_broken) {
        size_t before;

        found = memmem(in.data, in.len, what.data, what.len);
        if (!found)
            break;
        before = (size_t)(found - in.data);
        if (is_too_big(x, buf_len(&out) + before + by.len)) {
            buf_done(&out);
            return;
        }
        is_broken = buf_append(&out, in.data, before) < 0 || buf_append(&out, by.data, by.len) < 0;
        in.data += before + what.len;
        in.len -= before + what.len;
    }
    if (!is_broken && is_too_big(x, buf_len(&out) + in.len)) {
        buf_done(&out);
        return;
    }
    give(x, &out, is_broken || buf_append(&out, in.data, in.len) < 0);
}

/* The characters to trim: bytes in a set, longer ones hashed. */
struct trims {
    bool bytes[256];
    const byte **points; /* a table with room for twice as many */
    byte *lens;
    size_t room;
};

static size_t slot_of(const struct trims *t, const byte *point, size_t len)
{
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < len; i++)
        h = (h ^ point[i]) * 0x100000001b3;
    h = (h ^ h >> 29) % t->room;
    while (t->lens[h] > 0 && (t->lens[h] != len || memcmp(t->points[h], point, len) != 0))
        h = (h + 1) % t->room;
    return (size_t)h;
}

enum { POINT_MAX = 4 };

static bool trims_init(struct trims *t, struct text set)
{
    size_t longer = 0, n;

    *t = (struct trims){0};
    for (size_t i = 0; i < set.len; i += n) {
        n = point_len(set, i);
        if (n == 1)
            t->bytes[set.data[i]] = true;
        else
            longer += n <= POINT_MAX;
    }
    if (longer == 0)
        return true;
    t->room = longer * 2;
    t->points = mem_alloc(t->room * sizeof *t->points);
    t->lens = mem_alloc(t->room);
    if (!t->points || !t->lens)
        return false;
    for (size_t i = 0; i < set.len; i += n) {
        size_t slot;

        n = point_len(set, i);
        if (n == 1 || n > POINT_MAX)
            continue;
        slot = slot_of(t, set.data + i, n);
        t->points[slot] = set.data + i;
        t->lens[slot] = (byte)n;
    }
    return true;
}

/* How many bytes at this end are in the set, as a character or a part of one; 0: none. */
static size_t trims_find(const struct trims *t, struct text in, bool is_right)
{
    for (size_t n = 1; n <= POINT_MAX && n <= in.len; n++) {
        const byte *point = is_right ? in.data + in.len - n : in.data;

        if (n == 1 ? t->bytes[*point] : t->room > 0 && t->lens[slot_of(t, point, n)] > 0)
            return n;
    }
    return 0;
}

static void trims_done(struct trims *t)
{
    mem_free(t->points);
    mem_free(t->lens);
}

enum ends { LEFT = 1, RIGHT = 2 };

static struct text trim(struct text in, const struct trims *t, enum ends ends)
{
    size_t n;

    while ((ends & LEFT) && (n = trims_find(t, in, false)) > 0) {
        in.data += n;
        in.len -= n;
    }
    while ((ends & RIGHT) && (n = trims_find(t, in, true)) > 0)
        in.len -= n;
    return in;
}

static void sql_trim(sqlite3_context *x, int count, sqlite3_value **values)
{
    enum ends ends = (enum ends)(intptr_t)sqlite3_user_data(x);
    struct text in, set = {(const byte *)" ", 1};
    struct trims trims;

    if (is_null(values[0]) || (count == 2 && is_null(values[1])))
        return;
    in = text_of(values[0]);
    if (count == 2) {
        set = text_of(values[1]);
        set.len = strnlen((const char *)set.data, set.len); /* as SQLite's own */
    }
    if (trims_init(&trims, set)) {
        in = trim(in, &trims, ends);
        sqlite3_result_text64(x, in.len > 0 ? (const char *)in.data : "", in.len, SQLITE_TRANSIENT,
                              SQLITE_UTF8);
    } else {
        sqlite3_result_error_nomem(x);
    }
    trims_done(&trims);
}

/* ---- all ---- */

/* The expression of a DEFAULT is used without asking the authorizer.  What may not be used and
 * would read a blob, or a table, as the R-Tree extension's own goes altogether. */
static int remove_all(sqlite3 *db)
{
    static const struct {
        const char *name;
        int count;
    } GONE[] = {{"rtreenode", 2}, {"rtreedepth", 1}, {"rtreecheck", -1}};
    int r = SQLITE_OK;

    for (size_t i = 0; i < sizeof GONE / sizeof *GONE && r == SQLITE_OK; i++)
        r = sqlite3_create_function_v2(db, GONE[i].name, GONE[i].count, SQLITE_UTF8, NULL, NULL,
                                       NULL, NULL, NULL);
    return r;
}

int function_add_all(sqlite3 *db)
{
    static const struct {
        const char *name;
        int count;
        enum ends ends;
        void (*call)(sqlite3_context *, int, sqlite3_value **);
    } ALL[] = {
        {"concat", -1, 0, sql_concat},
        {"concat_ws", -1, 0, sql_concat_ws},
        {"octet_length", 1, 0, sql_octet_length},
        {"unhex", 1, 0, sql_unhex},
        {"unhex", 2, 0, sql_unhex},
        {"printf", -1, 0, sql_printf},
        {"format", -1, 0, sql_printf},
        {"instr", 2, 0, sql_instr},
        {"replace", 3, 0, sql_replace},
        {"trim", 1, LEFT | RIGHT, sql_trim},
        {"trim", 2, LEFT | RIGHT, sql_trim},
        {"ltrim", 1, LEFT, sql_trim},
        {"ltrim", 2, LEFT, sql_trim},
        {"rtrim", 1, RIGHT, sql_trim},
        {"rtrim", 2, RIGHT, sql_trim},
    };
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int r = remove_all(db);

    for (size_t i = 0; i < sizeof ALL / sizeof *ALL && r == SQLITE_OK; i++)
        r = sqlite3_create_function_v2(db, ALL[i].name, ALL[i].count, flags,
                                       (void *)(intptr_t)ALL[i].ends, ALL[i].call, NULL, NULL,
                                       NULL);
    return r ? r
             : sqlite3_create_function_v2(db, "string_agg", 2, flags, NULL, NULL, string_agg_step,
                                          string_agg_end, NULL);
}
