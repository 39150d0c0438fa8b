/* row_row.c - src/row/row.c: what is written is read again, and nothing else. */
#include "row/row.h"

#include <string.h>

#include "test.h"

static const struct row_value VALUES[] = {
    {.tag = ROW_NULL},
    {.tag = ROW_INT, .integer = INT64_MIN},
    {.tag = ROW_INT, .integer = 9007199254740993},
    {.tag = ROW_REAL, .real = -0.5},
    {.tag = ROW_TEXT, .bytes = {"a\0b\xc3\xa9", 5}},
    {.tag = ROW_TEXT, .bytes = {"", 0}},
    {.tag = ROW_BLOB, .bytes = {"\xff\0", 2}},
};
enum { VALUE_COUNT = sizeof VALUES / sizeof *VALUES };

static void put_call(struct buf *call)
{
    CHECK(row_put_u32(call, 1) == 0);
    CHECK(row_put_statement(call, SPAN("select ?"), VALUE_COUNT) == 0);
    for (int i = 0; i < VALUE_COUNT; i++)
        CHECK(row_put_value(call, &VALUES[i]) == 0);
}

static void reads_what_it_wrote(void)
{
    struct buf call = {0};
    struct span in, sql;
    uint32_t count;
    struct err err = {0};

    put_call(&call);
    in = buf_span(&call);
    CHECK(row_check_call(in, &err) == 0);
    CHECK(row_get_u32(&in, &count) == 0 && count == 1);
    CHECK(row_get_statement(&in, &sql, &count) == 0 && span_is(sql, "select ?"));
    CHECK(count == VALUE_COUNT);
    for (int i = 0; i < VALUE_COUNT; i++) {
        struct row_value v = {0};
        CHECK(row_get_value(&in, &v) == 0 && v.tag == VALUES[i].tag);
        if (v.tag == ROW_INT)
            CHECK(v.integer == VALUES[i].integer);
        if (v.tag == ROW_REAL)
            CHECK(v.real == VALUES[i].real);
        if (v.tag >= ROW_TEXT)
            CHECK(v.bytes.len == VALUES[i].bytes.len &&
                  memcmp(v.bytes.data, VALUES[i].bytes.data, v.bytes.len) == 0);
    }
    CHECK(in.len == 0);
    buf_done(&call);
}

static void refuses_every_cut_and_what_is_left_over(void)
{
    struct buf call = {0};
    struct err err = {0};

    put_call(&call);
    for (size_t len = 0; len < buf_len(&call); len++)
        CHECK(row_check_call((struct span){buf_data(&call), len}, &err) == ERR_INVALID);
    CHECK(buf_append(&call, "x", 1) == 0);
    CHECK(row_check_call(buf_span(&call), &err) == ERR_INVALID);
    buf_done(&call);
    CHECK(row_put_u32(&call, ROW_STATEMENTS_MAX + 1) == 0);
    CHECK(row_check_call(buf_span(&call), &err) == ERR_LIMIT);
    buf_done(&call);
}

static void finds_records_whole(void)
{
    const struct row_meta meta = {1.25, 3, -1, 1 << 30, 17, 4, 1};
    const struct row_error error = {2, 7, SPAN("no such table: t: SQLITE_ERROR"), SPAN("select")};
    struct row_meta meta2;
    struct row_error error2;
    enum row_record type;
    struct buf out = {0};
    struct span bytes;
    size_t used;

    CHECK(row_put_meta(&out, &meta) == 0);
    for (size_t len = 0; len < buf_len(&out); len++)
        CHECK(row_next((struct span){buf_data(&out), len}, &type, &bytes, &used) == 0);
    CHECK(row_next(buf_span(&out), &type, &bytes, &used) == 1 && type == ROW_RECORD_DONE);
    CHECK(used == buf_len(&out) && row_get_meta(bytes, &meta2) == 0);
    CHECK(memcmp(&meta2.duration_ms, &meta.duration_ms, sizeof(double)) == 0);
    CHECK(meta2.changes == 3 && meta2.last_row_id == -1 && meta2.size_after == 1 << 30);
    CHECK(meta2.rows_read == 17 && meta2.rows_written == 4 && meta2.changed_db == 1);
    buf_eat(&out, used);
    CHECK(row_put_error(&out, &error) == 0);
    CHECK(row_next(buf_span(&out), &type, &bytes, &used) == 1 && type == ROW_RECORD_ERROR);
    CHECK(row_get_error(bytes, &error2) == 0 && error2.statement == 2 && error2.line == 7);
    CHECK(span_is(error2.text, "no such table: t: SQLITE_ERROR") && span_is(error2.sql, "select"));
    bytes.len--;
    CHECK(row_get_error(bytes, &error2) == ERR_INVALID);
    buf_done(&out);
    CHECK(row_next((struct span){"\x09\0\0\0\0", 5}, &type, &bytes, &used) == ERR_INVALID);
    CHECK(row_next((struct span){"\x01\xff\xff\xff\x7f", 5}, &type, &bytes, &used) == ERR_INVALID);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"reads_what_it_wrote", reads_what_it_wrote},
        {"refuses_every_cut_and_what_is_left_over", refuses_every_cut_and_what_is_left_over},
        {"finds_records_whole", finds_records_whole},
        {NULL, NULL},
    };

    return test_main("row_row", TESTS, argc, argv);
}
