/* row.c - values of SQL as bytes, and bytes as values. */
#include "row/row.h"

#include <string.h>

/* ---- write ---- */

static void le(unsigned char *p, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (unsigned char)(value >> (8 * i));
}

static int put_int(struct buf *out, uint64_t value, int bytes)
{
    unsigned char p[8];

    le(p, value, bytes);
    return buf_append(out, p, (size_t)bytes);
}

static uint64_t bits_of(double real)
{
    uint64_t bits;

    memcpy(&bits, &real, sizeof bits);
    return bits;
}

int row_put_u32(struct buf *out, uint32_t value)
{
    return put_int(out, value, 4);
}

static int put_bytes(struct buf *out, struct span bytes)
{
    int r = put_int(out, bytes.len, 4);

    return r < 0 ? r : buf_append(out, bytes.data, bytes.len);
}

int row_put_value(struct buf *out, const struct row_value *value)
{
    size_t len = 1;
    unsigned char *p;
    char *room;
    int r;

    if (value->tag == ROW_INT || value->tag == ROW_REAL)
        len = 9;
    else if (value->tag == ROW_TEXT || value->tag == ROW_BLOB)
        len = 5 + value->bytes.len;
    r = buf_reserve(out, len, &room);
    if (r < 0)
        return r;
    p = (unsigned char *)room;
    p[0] = (unsigned char)value->tag;
    if (value->tag == ROW_INT)
        le(p + 1, (uint64_t)value->integer, 8);
    else if (value->tag == ROW_REAL)
        le(p + 1, bits_of(value->real), 8);
    else if (len > 1) {
        le(p + 1, value->bytes.len, 4);
        if (value->bytes.len > 0)
            memcpy(p + 5, value->bytes.data, value->bytes.len);
    }
    buf_commit(out, len);
    return 0;
}

int row_put_statement(struct buf *out, struct span sql, uint32_t count)
{
    int r = put_bytes(out, sql);

    return r < 0 ? r : put_int(out, count, 4);
}

int row_begin(struct buf *out, enum row_record type, size_t *ret_mark)
{
    unsigned char header[ROW_RECORD_HEADER] = {(unsigned char)type};

    *ret_mark = buf_len(out);
    return buf_append(out, header, sizeof header);
}

void row_end(struct buf *out, size_t mark)
{
    unsigned char *header = (unsigned char *)out->mem + out->head + mark;

    le(header + 1, buf_len(out) - mark - ROW_RECORD_HEADER, 4);
}

int row_put_meta(struct buf *out, const struct row_meta *meta)
{
    const uint64_t words[] = {
        bits_of(meta->duration_ms),  (uint64_t)meta->changes,   (uint64_t)meta->last_row_id,
        (uint64_t)meta->size_after,  (uint64_t)meta->rows_read, (uint64_t)meta->rows_written,
        meta->changed_db,
    };
    size_t mark;
    int r = row_begin(out, ROW_RECORD_DONE, &mark);

    for (size_t i = 0; i < sizeof words / sizeof *words && r == 0; i++)
        r = put_int(out, words[i], 8);
    if (r == 0)
        row_end(out, mark);
    return r;
}

int row_put_error(struct buf *out, const struct row_error *error)
{
    size_t mark;
    int r = row_begin(out, ROW_RECORD_ERROR, &mark);

    if (r == 0)
        r = put_int(out, error->statement, 4);
    if (r == 0)
        r = put_int(out, error->line, 4);
    if (r == 0)
        r = put_bytes(out, error->text);
    if (r == 0)
        r = put_bytes(out, error->sql);
    if (r == 0)
        row_end(out, mark);
    return r;
}

int row_put_text(struct buf *out, enum row_record type, struct span text)
{
    size_t mark;
    int r = row_begin(out, type, &mark);

    if (r == 0)
        r = buf_append(out, text.data, text.len);
    if (r == 0)
        row_end(out, mark);
    return r;
}

/* ---- read ---- */

static uint64_t get_le(const char *data, int bytes)
{
    const unsigned char *p = (const unsigned char *)data;
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

static int get_int(struct span *in, int bytes, uint64_t *ret)
{
    if (in->len < (size_t)bytes)
        return ERR_INVALID;
    *ret = get_le(in->data, bytes);
    in->data += bytes;
    in->len -= (size_t)bytes;
    return 0;
}

int row_get_u32(struct span *in, uint32_t *ret)
{
    uint64_t value;
    int r = get_int(in, 4, &value);

    if (r == 0)
        *ret = (uint32_t)value;
    return r;
}

int row_get_bytes(struct span *in, struct span *ret)
{
    uint32_t len;
    int r = row_get_u32(in, &len);

    if (r < 0)
        return r;
    if (in->len < len)
        return ERR_INVALID;
    *ret = (struct span){in->data, len};
    in->data += len;
    in->len -= len;
    return 0;
}

int row_get_value(struct span *in, struct row_value *ret)
{
    uint64_t word;
    int r;

    if (in->len == 0)
        return ERR_INVALID;
    ret->tag = (enum row_tag)(unsigned char)in->data[0];
    in->data++;
    in->len--;
    switch (ret->tag) {
    case ROW_NULL:
        return 0;
    case ROW_INT:
    case ROW_REAL:
        r = get_int(in, 8, &word);
        if (r < 0)
            return r;
        ret->integer = (int64_t)word;
        memcpy(&ret->real, &word, sizeof word);
        return 0;
    case ROW_TEXT:
    case ROW_BLOB:
        return row_get_bytes(in, &ret->bytes);
    }
    return ERR_INVALID;
}

int row_get_statement(struct span *in, struct span *ret_sql, uint32_t *ret_count)
{
    int r = row_get_bytes(in, ret_sql);

    return r < 0 ? r : row_get_u32(in, ret_count);
}

int row_check_call(struct span call, struct err *err)
{
    struct row_value value;
    uint32_t statements, count;
    struct span sql;

    if (row_get_u32(&call, &statements) < 0)
        return err_set(err, ERR_INVALID, "the call has no count of statements");
    if (statements > ROW_STATEMENTS_MAX)
        return err_set(err, ERR_LIMIT, "too many statements in one call: %u, the limit is %d",
                       statements, ROW_STATEMENTS_MAX);
    for (uint32_t i = 0; i < statements; i++) {
        if (row_get_statement(&call, &sql, &count) < 0)
            return err_set(err, ERR_INVALID, "statement %u of the call is cut off", i);
        for (uint32_t k = 0; k < count; k++)
            if (row_get_value(&call, &value) < 0)
                return err_set(err, ERR_INVALID, "parameter %u of statement %u is malformed", k, i);
    }
    if (call.len > 0)
        return err_set(err, ERR_INVALID, "%zu bytes too many in the call", call.len);
    return 0;
}

int row_next(struct span in, enum row_record *ret_type, struct span *ret_bytes, size_t *ret_used)
{
    uint64_t len;

    if (in.len < ROW_RECORD_HEADER)
        return 0;
    *ret_type = (enum row_record)(unsigned char)in.data[0];
    len = get_le(in.data + 1, 4);
    if (*ret_type < ROW_RECORD_COLUMNS || *ret_type > ROW_RECORD_PROGRESS ||
        len > ROW_RECORD_MAX - ROW_RECORD_HEADER)
        return ERR_INVALID;
    if (in.len - ROW_RECORD_HEADER < len)
        return 0;
    *ret_bytes = (struct span){in.data + ROW_RECORD_HEADER, len};
    *ret_used = ROW_RECORD_HEADER + len;
    return 1;
}

int row_get_meta(struct span bytes, struct row_meta *ret)
{
    uint64_t words[7];

    if (bytes.len != sizeof words)
        return ERR_INVALID;
    for (size_t i = 0; i < 7; i++)
        words[i] = get_le(bytes.data + 8 * i, 8);
    memcpy(&ret->duration_ms, &words[0], sizeof words[0]);
    ret->changes = (int64_t)words[1];
    ret->last_row_id = (int64_t)words[2];
    ret->size_after = (int64_t)words[3];
    ret->rows_read = (int64_t)words[4];
    ret->rows_written = (int64_t)words[5];
    ret->changed_db = words[6] != 0;
    return 0;
}

int row_get_error(struct span bytes, struct row_error *ret)
{
    if (row_get_u32(&bytes, &ret->statement) < 0 || row_get_u32(&bytes, &ret->line) < 0 ||
        row_get_bytes(&bytes, &ret->text) < 0 || row_get_bytes(&bytes, &ret->sql) < 0 ||
        bytes.len > 0)
        return ERR_INVALID;
    return 0;
}
