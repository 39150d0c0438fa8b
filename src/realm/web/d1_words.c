/* d1_words.c - records of a database's answer become words that sdk/js/d1_rows.js builds rows of.
 *
 *   COLUMNS n     n words [., length]: names, from the text
 *   ROWS n        n rows of cells
 *   DONE 0|1      changed_db; 6 doubles
 *   END length    the bookmark, from the text
 *   ERROR 0       [statement, line], [length of the text, of the SQL], both from the text
 *   RESTART 0
 *
 * Cells are [tag, argument] by enum cell.  A REAL that JSON does not know (an
 * infinity) is null, as D1 answers in JSON; -0 is 0 for the same reason.
 *
 * Invariant: when a row is begun there is room for its words. */
#include "realm/web/d1_words.h"

#include <sys/mman.h>

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "row/row.h"

union word {
    struct {
        int32_t tag, arg;
    };
    double number;
};

enum cell { CELL_NULL, CELL_INT, CELL_REAL, CELL_TEXT, CELL_BLOB, CELL_LONG };

enum {
    WORDS = 8192, /* as in d1_rows.js */
    ROW_WORDS = 2 * ROW_COLUMNS_MAX + 2,
    TEXT_UNITS = 4 * 1024,         /* of a block, but for its last row */
    TEXT_ALONE = 512,              /* a longer one is a string by itself: who keeps a short
                                       one keeps its block's text */
    BLOB_BYTES = 256 * 1024,       /* as TEXT_UNITS */
    PROBE_EVERY = 4 * 1024 * 1024, /* bytes of records */
    PROBE_ROOM = 96 * 1024 * 1024, /* that must be left for what is made of them */
};

/* On the stack, where the engine's collector sees `longs`. */
struct writer {
    struct d1_answer *answer;
    union word *words;
    size_t count, rows_at; /* of the ROWS word */
    uint32_t rows;
    JSObjectRef longs;
    unsigned long_count;
    d1_block_fn take;
    void *self;
};

/* Of one writer at a time: `take` runs no code of workers before it has read them. */
static struct buf units, blobs;

static union word *words(void)
{
    static union word *all;

    if (!all) {
        JSObjectRef array = engine_internal("d1Words");
        all = JSObjectGetTypedArrayBytesPtr(engine.context, array, NULL);
    }
    return all;
}

void d1_answer_done(struct d1_answer *a)
{
    buf_done(&a->part);
    buf_init(&a->part);
}

/* ---- words ---- */

static void put(struct writer *w, int tag, int32_t argument)
{
    w->words[w->count].tag = tag;
    w->words[w->count++].arg = argument;
}

static void put_double(struct writer *w, double number)
{
    w->words[w->count++].number = number;
}

static void free_bytes(void *bytes, void *context)
{
    (void)context;
    mem_free(bytes);
}

static JSValueRef take_blobs(void)
{
    size_t len = buf_len(&blobs);
    char *bytes;

    if (len == 0)
        return engine.undefined;
    bytes = buf_detach(&blobs);
    if (!bytes)
        return NULL;
    return JSObjectMakeArrayBufferWithBytesNoCopy(engine.context, bytes, len, free_bytes, NULL,
                                                  NULL);
}

static JSValueRef take_text(void)
{
    size_t len = buf_len(&units) / sizeof(uint16_t);
    JSStringRef text = JSStringCreateWithCharacters((const JSChar *)buf_data(&units), len);
    JSValueRef value = JSValueMakeString(engine.context, text);

    JSStringRelease(text);
    buf_eat(&units, buf_len(&units));
    return value;
}

static void end_rows(struct writer *w)
{
    if (w->rows > 0)
        w->words[w->rows_at].arg = (int32_t)w->rows;
    w->rows = 0;
}

static int flush(struct writer *w)
{
    struct d1_block block;
    int r;

    end_rows(w);
    if (w->count == 0)
        return 0;
    block = (struct d1_block){w->count, take_text(), w->longs ? w->longs : engine.undefined,
                              take_blobs()};
    if (!block.bytes)
        return ERR_NOMEM;
    r = w->take(w->self, &block);
    w->count = 0;
    w->longs = NULL;
    w->long_count = 0;
    return r;
}

/* Append to the text; returns its units, or ERR_NOMEM. */
static long add_text(struct span utf8)
{
    char *room;
    long n;

    if (buf_reserve(&units, utf8.len * sizeof(uint16_t), &room) < 0)
        return ERR_NOMEM;
    n = text_decode((const unsigned char *)utf8.data, utf8.len, (uint16_t *)(void *)room, false);
    buf_commit(&units, (size_t)n * sizeof(uint16_t));
    return n;
}

static int put_long(struct writer *w, struct span utf8)
{
    JSStringRef text = text_new(utf8);

    if (!text)
        return ERR_NOMEM;
    if (!w->longs)
        w->longs = JSObjectMakeArray(engine.context, 0, NULL, NULL);
    JSObjectSetPropertyAtIndex(engine.context, w->longs, w->long_count,
                               JSValueMakeString(engine.context, text), NULL);
    JSStringRelease(text);
    put(w, CELL_LONG, (int32_t)w->long_count++);
    return 0;
}

static int put_text(struct writer *w, struct span utf8)
{
    long n;

    if (utf8.len > TEXT_ALONE)
        return put_long(w, utf8);
    n = add_text(utf8);
    if (n < 0)
        return (int)n;
    put(w, CELL_TEXT, (int32_t)n);
    return 0;
}

static int put_cell(struct writer *w, const struct row_value *value)
{
    switch (value->tag) {
    case ROW_NULL:
        put(w, CELL_NULL, 0);
        return 0;
    case ROW_INT:
        if (value->integer == (int32_t)value->integer) {
            put(w, CELL_INT, (int32_t)value->integer);
        } else {
            put(w, CELL_REAL, 0);
            put_double(w, (double)value->integer);
        }
        return 0;
    case ROW_REAL:
        if (value->real - value->real != 0) {
            put(w, CELL_NULL, 0);
        } else {
            put(w, CELL_REAL, 0);
            put_double(w, value->real + 0.0);
        }
        return 0;
    case ROW_TEXT:
        return put_text(w, value->bytes);
    case ROW_BLOB:
        put(w, CELL_BLOB, (int32_t)value->bytes.len);
        return buf_append(&blobs, value->bytes.data, value->bytes.len);
    }
    return ERR_INVALID;
}

/* ---- records ---- */

static int put_columns(struct writer *w, struct span bytes)
{
    struct span name;
    uint32_t count;
    long n;

    if (row_get_u32(&bytes, &count) < 0 || count > ROW_COLUMNS_MAX || w->answer->is_open)
        return ERR_INVALID;
    put(w, ROW_RECORD_COLUMNS, (int32_t)count);
    for (uint32_t i = 0; i < count; i++) {
        if (row_get_bytes(&bytes, &name) < 0)
            return ERR_INVALID;
        n = add_text(name);
        if (n < 0)
            return (int)n;
        put(w, 0, (int32_t)n);
    }
    w->answer->columns = count;
    w->answer->is_open = true;
    w->answer->has_row = false;
    return bytes.len > 0 ? ERR_INVALID : 0;
}

static bool is_full(const struct writer *w)
{
    return w->count + ROW_WORDS > WORDS || buf_len(&units) > TEXT_UNITS * sizeof(uint16_t) ||
           buf_len(&blobs) > BLOB_BYTES;
}

static int put_row(struct writer *w, struct span *in)
{
    bool is_wanted = w->answer->wants == D1_ROWS_ALL ||
                     (w->answer->wants == D1_ROWS_FIRST && !w->answer->has_row);
    struct row_value value;
    int r;

    w->answer->has_row = true;
    if (is_wanted && is_full(w)) {
        r = flush(w);
        if (r < 0)
            return r;
    }
    if (is_wanted && w->rows++ == 0) {
        w->rows_at = w->count;
        put(w, ROW_RECORD_ROWS, 0);
    }
    for (unsigned i = 0; i < w->answer->columns; i++) {
        r = row_get_value(in, &value);
        if (r == 0 && is_wanted)
            r = put_cell(w, &value);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Is there room for more?  The engine does not fail when its memory ends: it ends the process. */
static bool has_memory(void)
{
    for (int i = 0; i < 2; i++) {
        void *probe =
            mmap(NULL, PROBE_ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (probe != MAP_FAILED) {
            munmap(probe, PROBE_ROOM);
            return true;
        }
        if (i == 0)
            JSGarbageCollect(engine.context);
    }
    return false;
}

static int put_rows(struct writer *w, struct span bytes)
{
    uint32_t count;
    int r = 0;

    w->answer->unprobed += bytes.len;
    if (w->answer->unprobed > PROBE_EVERY) {
        w->answer->unprobed = 0;
        if (!has_memory())
            return ERR_LIMIT;
    }
    if (row_get_u32(&bytes, &count) < 0 || !w->answer->is_open ||
        (w->answer->columns == 0 && count > 0))
        return ERR_INVALID;
    for (uint32_t i = 0; i < count && r == 0; i++)
        r = put_row(w, &bytes);
    end_rows(w);
    return r < 0 ? r : bytes.len > 0 ? ERR_INVALID : 0;
}

static int put_done(struct writer *w, struct span bytes)
{
    struct row_meta meta;

    if (row_get_meta(bytes, &meta) < 0 || !w->answer->is_open)
        return ERR_INVALID;
    w->answer->is_open = false;
    put(w, ROW_RECORD_DONE, meta.changed_db != 0);
    put_double(w, meta.duration_ms == meta.duration_ms ? meta.duration_ms : 0);
    put_double(w, (double)meta.changes);
    put_double(w, (double)meta.last_row_id);
    put_double(w, (double)meta.size_after);
    put_double(w, (double)meta.rows_read);
    put_double(w, (double)meta.rows_written);
    return 0;
}

static int put_end(struct writer *w, struct span bytes)
{
    long n = w->answer->is_open ? ERR_INVALID : add_text(bytes);

    if (n < 0)
        return (int)n;
    w->answer->is_over = true;
    put(w, ROW_RECORD_END, (int32_t)n);
    return 0;
}

static int put_error(struct writer *w, struct span bytes)
{
    struct row_error error;
    long text, sql;

    if (row_get_error(bytes, &error) < 0)
        return ERR_INVALID;
    text = add_text(error.text);
    sql = text < 0 ? text : add_text(error.sql);
    if (sql < 0)
        return (int)sql;
    w->answer->is_over = true;
    put(w, ROW_RECORD_ERROR, 0);
    put(w, (int)error.statement, (int32_t)error.line);
    put(w, (int)text, (int32_t)sql);
    return 0;
}

static int put_record(struct writer *w, enum row_record type, struct span bytes)
{
    int r = is_full(w) ? flush(w) : 0;

    if (r < 0)
        return r;
    switch (type) {
    case ROW_RECORD_COLUMNS:
        return put_columns(w, bytes);
    case ROW_RECORD_ROWS:
        return put_rows(w, bytes);
    case ROW_RECORD_DONE:
        return put_done(w, bytes);
    case ROW_RECORD_END:
        return put_end(w, bytes);
    case ROW_RECORD_ERROR:
        return put_error(w, bytes);
    case ROW_RECORD_RESTART:
        w->answer->is_open = false;
        put(w, ROW_RECORD_RESTART, 0);
        return 0;
    case ROW_RECORD_PROGRESS:
        return 0;
    }
    return ERR_INVALID;
}

/* Whole records at the start of *in. */
static int eat_records(struct writer *w, struct span *in)
{
    enum row_record type;
    struct span bytes;
    size_t used;
    int r;

    while (!w->answer->is_over) {
        r = row_next(*in, &type, &bytes, &used);
        if (r <= 0)
            return r;
        r = put_record(w, type, bytes);
        if (r < 0)
            return r;
        in->data += used;
        in->len -= used;
    }
    return in->len > 0 ? ERR_INVALID : 0;
}

static int eat(struct writer *w, struct span in)
{
    struct buf *part = &w->answer->part;
    struct span joined;
    int r;

    if (buf_len(part) == 0) {
        r = eat_records(w, &in);
        return r < 0 ? r : buf_append(part, in.data, in.len);
    }
    if (buf_append(part, in.data, in.len) < 0)
        return ERR_NOMEM;
    joined = buf_span(part);
    r = eat_records(w, &joined);
    buf_eat(part, buf_len(part) - joined.len);
    return r;
}

int d1_answer_eat(struct d1_answer *a, struct span bytes, d1_block_fn take, void *self)
{
    struct writer w = {.answer = a, .words = words(), .take = take, .self = self};
    int r;

    if (a->is_over)
        return bytes.len > 0 ? ERR_INVALID : 0;
    r = eat(&w, bytes);
    if (r == 0)
        r = flush(&w);
    buf_eat(&units, buf_len(&units));
    buf_eat(&blobs, buf_len(&blobs));
    return r;
}
