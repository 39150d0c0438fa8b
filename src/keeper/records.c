/* records.c - take records apart as they come, and give them back one by one. */
#include "keeper/records.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 256 * 1024 }; /* bytes that are read from the file at once */

void records_done(struct records *r)
{
    if (r->file)
        fclose(r->file);
    buf_done(&r->memory);
    buf_done(&r->partial);
    buf_done(&r->error_bytes);
    *r = (struct records){0};
}

static int refuse(struct err *err)
{
    return err_set(err, ERR_INVALID, "the database's process sent an answer that makes no sense");
}

static int write_file(struct records *r, struct span bytes, struct err *err)
{
    if (fwrite(bytes.data, 1, bytes.len, r->file) < bytes.len)
        return err_errno(err, errno, "keep the answer in a temporary file");
    return 0;
}

static int move_to_file(struct records *r, struct err *err)
{
    int code;

    r->file = tmpfile();
    if (!r->file)
        return err_errno(err, errno, "make a temporary file for the answer");
    code = write_file(r, buf_span(&r->memory), err);
    buf_done(&r->memory);
    buf_init(&r->memory);
    return code;
}

static int keep(struct records *r, struct span record, struct err *err)
{
    int code = 0;

    if (!r->file && r->len + record.len > RECORDS_MEMORY)
        code = move_to_file(r, err);
    if (code == 0 && r->file)
        code = write_file(r, record, err);
    else if (code == 0 && buf_append(&r->memory, record.data, record.len) < 0)
        code = err_nomem(err);
    if (code == 0)
        r->len += record.len;
    return code;
}

static int forget(struct records *r, struct err *err)
{
    buf_eat(&r->memory, buf_len(&r->memory));
    if (r->file && (fflush(r->file) < 0 || ftruncate(fileno(r->file), 0) < 0))
        return err_errno(err, errno, "empty a temporary file");
    if (r->file)
        rewind(r->file);
    r->len = r->statements = 0;
    r->total = (struct row_meta){0};
    return 0;
}

static int take_error(struct records *r, struct span bytes, struct err *err)
{
    if (buf_append(&r->error_bytes, bytes.data, bytes.len) < 0)
        return err_nomem(err);
    if (row_get_error(buf_span(&r->error_bytes), &r->error) < 0)
        return refuse(err);
    r->state = RECORDS_FAILED;
    return 0;
}

/* u64 statements, u64 line, u64 bytes */
static int take_progress(struct records *r, struct span bytes, struct err *err)
{
    uint32_t words[6];

    for (int i = 0; i < 6; i++)
        if (row_get_u32(&bytes, &words[i]) < 0)
            return refuse(err);
    r->script_statements = (uint64_t)words[1] << 32 | words[0];
    r->script_bytes = (uint64_t)words[5] << 32 | words[4];
    return 0;
}

static int add(struct records *r, struct span done, struct err *err)
{
    struct row_meta meta, *total = &r->total;

    if (row_get_meta(done, &meta) < 0)
        return refuse(err);
    meta.duration_ms += total->duration_ms;
    meta.changes += total->changes;
    meta.rows_read += total->rows_read;
    meta.rows_written += total->rows_written;
    meta.changed_db |= total->changed_db;
    *total = meta;
    r->statements++;
    return 0;
}

static int take_end(struct records *r, struct span bookmark, struct err *err)
{
    r->state = RECORDS_WHOLE;
    if (bookmark.len < sizeof r->bookmark)
        memcpy(r->bookmark, bookmark.data, bookmark.len);
    if (r->file && fflush(r->file) < 0)
        return err_errno(err, errno, "keep the answer in a temporary file");
    return 0;
}

static int take_record(struct records *r, enum row_record type, struct span bytes,
                       struct span record, struct err *err)
{
    switch (type) {
    case ROW_RECORD_DONE:
        if (add(r, bytes, err) < 0)
            return err->code;
        return r->is_light ? 0 : keep(r, record, err);
    case ROW_RECORD_COLUMNS:
    case ROW_RECORD_ROWS:
        return r->is_light ? 0 : keep(r, record, err);
    case ROW_RECORD_END:
        return take_end(r, bytes, err);
    case ROW_RECORD_ERROR:
        return take_error(r, bytes, err);
    case ROW_RECORD_RESTART:
        return forget(r, err);
    case ROW_RECORD_PROGRESS:
        return take_progress(r, bytes, err);
    }
    return refuse(err);
}

int records_take(struct records *r, struct span bytes, struct err *err)
{
    enum row_record type;
    struct span body;
    size_t used;
    int code;

    if (buf_append(&r->partial, bytes.data, bytes.len) < 0)
        return err_nomem(err);
    while (r->state == RECORDS_OPEN) {
        code = row_next(buf_span(&r->partial), &type, &body, &used);
        if (code < 0)
            return refuse(err);
        if (code == 0)
            return 0;
        code = take_record(r, type, body, (struct span){buf_data(&r->partial), used}, err);
        if (code < 0)
            return code;
        buf_eat(&r->partial, used);
    }
    return buf_len(&r->partial) > 0 ? refuse(err) : 0;
}

/* ---- give back ---- */

static int fill(struct records_walk *walk, struct err *err)
{
    struct records *r = walk->records;
    uint64_t from = walk->at + buf_len(&walk->window);
    size_t n = r->len - from < WINDOW ? (size_t)(r->len - from) : WINDOW;
    ssize_t got;
    char *room;

    if (n == 0)
        return refuse(err);
    if (buf_reserve(&walk->window, n, &room) < 0)
        return err_nomem(err);
    if (r->file) {
        got = pread(fileno(r->file), room, n, (off_t)from);
        if (got <= 0)
            return err_errno(err, got < 0 ? errno : EIO, "read the answer from a temporary file");
        n = (size_t)got;
    } else {
        memcpy(room, buf_data(&r->memory) + from, n);
    }
    buf_commit(&walk->window, n);
    return 0;
}

int records_next(struct records_walk *walk, enum row_record *ret_type, struct span *ret_bytes,
                 struct err *err)
{
    int r;

    buf_eat(&walk->window, walk->used);
    walk->at += walk->used;
    walk->used = 0;
    if (walk->at == walk->records->len)
        return 0;
    for (;;) {
        r = row_next(buf_span(&walk->window), ret_type, ret_bytes, &walk->used);
        if (r < 0)
            return refuse(err);
        if (r > 0)
            break;
        r = fill(walk, err);
        if (r < 0)
            return r;
    }
    return 1;
}

void records_seek(struct records_walk *walk, uint64_t at)
{
    buf_eat(&walk->window, buf_len(&walk->window));
    walk->at = at;
    walk->used = 0;
}

void records_walk_done(struct records_walk *walk)
{
    buf_done(&walk->window);
}
