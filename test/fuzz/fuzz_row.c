/* fuzz_row.c - any bytes as a call and as records: refused, or read to the end. */
#include <assert.h>
#include <stdint.h>

#include "row/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned sum;

static void touch(struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        sum += (unsigned char)bytes.data[i];
}

static void read_values(struct span bytes)
{
    struct row_value v = {0};

    while (bytes.len > 0 && row_get_value(&bytes, &v) == 0)
        if (v.tag == ROW_TEXT || v.tag == ROW_BLOB)
            touch(v.bytes);
}

/* A call that is well-formed is written again as the same bytes. */
static void read_call(struct span call)
{
    struct buf out = {0};
    struct span in = call, sql;
    struct row_value v;
    struct err err;
    uint32_t statements, count;

    if (row_check_call(call, &err) < 0)
        return;
    assert(row_get_u32(&in, &statements) == 0 && row_put_u32(&out, statements) == 0);
    while (statements-- > 0) {
        assert(row_get_statement(&in, &sql, &count) == 0);
        assert(row_put_statement(&out, sql, count) == 0);
        while (count-- > 0) {
            assert(row_get_value(&in, &v) == 0);
            assert(row_put_value(&out, &v) == 0);
        }
    }
    assert(buf_len(&out) == call.len && memcmp(buf_data(&out), call.data, call.len) == 0);
    buf_done(&out);
}

static void read_records(struct span in)
{
    enum row_record type;
    struct row_error error;
    struct row_meta meta;
    struct span bytes;
    uint32_t count;
    size_t used;

    while (row_next(in, &type, &bytes, &used) == 1) {
        assert(used <= in.len && used == bytes.len + ROW_RECORD_HEADER);
        if (type == ROW_RECORD_ERROR && row_get_error(bytes, &error) == 0) {
            touch(error.text);
            touch(error.sql);
        }
        if (type == ROW_RECORD_DONE)
            sum += row_get_meta(bytes, &meta) == 0;
        if (type == ROW_RECORD_ROWS && row_get_u32(&bytes, &count) == 0)
            read_values(bytes);
        in.data += used;
        in.len -= used;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = {(const char *)data, size};

    read_call(in);
    read_values(in);
    read_records(in);
    return 0;
}
