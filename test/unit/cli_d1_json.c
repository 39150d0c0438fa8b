/* cli_d1_json.c - src/cli/{d1_json,d1_table}.c, keeper/records.c, service/shape.c: what a database answered, as people
 * see it. */
#include "cli/d1_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/d1_table.h"
#include "test.h"

static void put_columns(struct buf *out, const char *const *names, uint32_t count)
{
    size_t mark;

    CHECK(row_begin(out, ROW_RECORD_COLUMNS, &mark) == 0);
    CHECK(row_put_u32(out, count) == 0);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(row_put_u32(out, (uint32_t)strlen(names[i])) == 0);
        CHECK(buf_append(out, names[i], strlen(names[i])) == 0);
    }
    row_end(out, mark);
}

static void put_rows(struct buf *out, const struct row_value *values, uint32_t width, uint32_t rows)
{
    size_t mark;

    CHECK(row_begin(out, ROW_RECORD_ROWS, &mark) == 0);
    CHECK(row_put_u32(out, rows) == 0);
    for (uint32_t i = 0; i < width * rows; i++)
        CHECK(row_put_value(out, &values[i]) == 0);
    row_end(out, mark);
}

static void put_done(struct buf *out)
{
    const struct row_meta meta = {.duration_ms = 0.25};

    CHECK(row_put_meta(out, &meta) == 0);
}

#define TEXT(t)                                                                                    \
    {                                                                                              \
        .tag = ROW_TEXT, .bytes = { t, sizeof(t) - 1 }                                             \
    }
#define INT(n)                                                                                     \
    {                                                                                              \
        .tag = ROW_INT, .integer = (n)                                                             \
    }
#define REAL(n)                                                                                    \
    {                                                                                              \
        .tag = ROW_REAL, .real = (n)                                                               \
    }
#define BLOB(t)                                                                                    \
    {                                                                                              \
        .tag = ROW_BLOB, .bytes = { t, sizeof(t) - 1 }                                             \
    }

/* A statement without rows, then one with three. */
static void put_two(struct buf *out)
{
    const struct row_value values[] = {
        INT(1),  TEXT("吾輩は猫である"),   BLOB("\x01\xff"),  REAL(1.5),
        INT(2),  {.tag = ROW_NULL},        {.tag = ROW_NULL}, REAL(1e300),
        INT(30), TEXT("a\n\"b\\\x01\xff"), BLOB(""),          REAL(INFINITY),
    };

    put_columns(out, NULL, 0);
    put_done(out);
    put_columns(out, (const char *const[]){"id", "title", "b", "r"}, 4);
    put_rows(out, values, 4, 2);
    put_rows(out, values + 8, 4, 1);
    put_done(out);
    CHECK(row_put_text(out, ROW_RECORD_END, SPAN("bookmark")) == 0);
}

/* In pieces of so many bytes. */
static int take(struct records *records, struct span bytes, size_t piece)
{
    struct err err = {0};
    int r = 0;

    *records = (struct records){0};
    while (bytes.len > 0 && r == 0) {
        size_t n = bytes.len < piece ? bytes.len : piece;
        r = records_take(records, (struct span){bytes.data, n}, &err);
        bytes.data += n;
        bytes.len -= n;
    }
    return r;
}

typedef int (*print_fn)(struct records *records, FILE *out, struct err *err);

static int print_plain(struct records *records, FILE *out, struct err *err)
{
    return d1_table_print(records, TABLE_PLAIN, out, err);
}

static int print_coloured(struct records *records, FILE *out, struct err *err)
{
    return d1_table_print(records, TABLE_COLOURED, out, err);
}

static void expect(struct records *records, print_fn print, const char *wanted)
{
    struct err err = {0};
    char *got = NULL;
    size_t len;
    FILE *out = open_memstream(&got, &len);

    CHECK(records->state == RECORDS_WHOLE);
    CHECK(print(records, out, &err) == 0);
    fclose(out);
    if (strcmp(got, wanted) != 0) {
        test_failed_checks++;
        printf("  got:\n%s\n  wanted:\n%s\n", got, wanted);
    }
    free(got);
}

static const char JSON[] = "[\n"
                           "  {\n"
                           "    \"results\": [],\n"
                           "    \"success\": true,\n"
                           "    \"meta\": {\n"
                           "      \"duration\": 0.25\n"
                           "    }\n"
                           "  },\n"
                           "  {\n"
                           "    \"results\": [\n"
                           "      {\n"
                           "        \"id\": 1,\n"
                           "        \"title\": \"吾輩は猫である\",\n"
                           "        \"b\": \"[1, 255]\",\n"
                           "        \"r\": 1.5\n"
                           "      },\n"
                           "      {\n"
                           "        \"id\": 2,\n"
                           "        \"title\": null,\n"
                           "        \"b\": null,\n"
                           "        \"r\": 1e+300\n"
                           "      },\n"
                           "      {\n"
                           "        \"id\": 30,\n"
                           "        \"title\": \"a\\n\\\"b\\\\\\u0001\xEF\xBF\xBD\",\n"
                           "        \"b\": \"[]\",\n"
                           "        \"r\": null\n"
                           "      }\n"
                           "    ],\n"
                           "    \"success\": true,\n"
                           "    \"meta\": {\n"
                           "      \"duration\": 0.25\n"
                           "    }\n"
                           "  }\n"
                           "]\n";

static const char TABLE[] = "┌────┬────────────────┬──────────┬────────┐\n"
                            "│ id │ title          │ b        │ r      │\n"
                            "├────┼────────────────┼──────────┼────────┤\n"
                            "│ 1  │ 吾輩は猫である │ [1, 255] │ 1.5    │\n"
                            "├────┼────────────────┼──────────┼────────┤\n"
                            "│ 2  │ null           │ null     │ 1e+300 │\n"
                            "├────┼────────────────┼──────────┼────────┤\n"
                            "│ 30 │ a              │ []       │ null   │\n"
                            "│    │ \"b\\␁�          │          │        │\n"
                            "└────┴────────────────┴──────────┴────────┘\n";

static void prints_json_and_tables(void)
{
    struct records records;
    struct buf bytes = {0};

    put_two(&bytes);
    CHECK(take(&records, buf_span(&bytes), 7) == 0);
    CHECK(records.statements == 2);
    expect(&records, d1_json_print, JSON);
    expect(&records, print_plain, TABLE);
    expect(&records, d1_json_print, JSON);
    records_done(&records);
    buf_done(&bytes);
}

static void orders_columns_as_objects_do(void)
{
    const struct row_value values[] = {INT(1), INT(2), INT(3), INT(4), INT(5), INT(6)};
    static const char *const NAMES[] = {"b", "10", "a", "2", "b", "01"};
    struct records records;
    struct buf bytes = {0};

    put_columns(&bytes, NAMES, 6);
    put_rows(&bytes, values, 6, 1);
    put_done(&bytes);
    CHECK(row_put_text(&bytes, ROW_RECORD_END, SPAN("")) == 0);
    CHECK(take(&records, buf_span(&bytes), 1000) == 0);
    expect(&records, print_coloured,
           "\x1b[90m┌───┬────┬───┬───┬────┐\x1b[39m\n"
           "\x1b[90m│\x1b[39m\x1b[34m 2 \x1b[39m\x1b[90m│\x1b[39m\x1b[34m 10 \x1b[39m\x1b[90m│"
           "\x1b[39m\x1b[34m b \x1b[39m\x1b[90m│\x1b[39m\x1b[34m a \x1b[39m\x1b[90m│"
           "\x1b[39m\x1b[34m 01 \x1b[39m\x1b[90m│\x1b[39m\n"
           "\x1b[90m├───┼────┼───┼───┼────┤\x1b[39m\n"
           "\x1b[90m│\x1b[39m 4 \x1b[90m│\x1b[39m 2  \x1b[90m│\x1b[39m 5 \x1b[90m│\x1b[39m 3 "
           "\x1b[90m│\x1b[39m 6  \x1b[90m│\x1b[39m\n"
           "\x1b[90m└───┴────┴───┴───┴────┘\x1b[39m\n");
    records_done(&records);
    buf_done(&bytes);
}

static void forgets_at_a_restart(void)
{
    struct records records;
    struct buf bytes = {0};

    put_columns(&bytes, (const char *const[]){"x"}, 1);
    put_done(&bytes);
    CHECK(row_put_text(&bytes, ROW_RECORD_RESTART, SPAN("")) == 0);
    put_two(&bytes);
    CHECK(take(&records, buf_span(&bytes), 3) == 0);
    CHECK(records.statements == 2);
    expect(&records, d1_json_print, JSON);
    records_done(&records);
    buf_done(&bytes);
}

/* More than stays in memory: the answer is kept in a file, and is still the same. */
static void keeps_what_is_large_in_a_file(void)
{
    static char text[5000];
    const struct row_value value = {.tag = ROW_TEXT, .bytes = {text, sizeof text}};
    struct records records;
    struct buf bytes = {0};
    struct err err = {0};
    char *got = NULL;
    size_t len, rows = 0;
    FILE *out = open_memstream(&got, &len);

    memset(text, 'x', sizeof text);
    for (int pass = 0; pass < 2; pass++) { /* the first is forgotten */
        put_columns(&bytes, (const char *const[]){"x"}, 1);
        for (int i = 0; i < 500; i++)
            put_rows(&bytes, &value, 1, 1);
        put_done(&bytes);
        if (pass == 0)
            CHECK(row_put_text(&bytes, ROW_RECORD_RESTART, SPAN("")) == 0);
    }
    CHECK(row_put_text(&bytes, ROW_RECORD_END, SPAN("")) == 0);
    CHECK(take(&records, buf_span(&bytes), 65536) == 0);
    CHECK(records.file && buf_len(&records.memory) == 0 && records.statements == 1);
    CHECK(d1_json_print(&records, out, &err) == 0);
    fclose(out);
    for (const char *p = got; (p = strstr(p, "\"x\": \"xxx")); p++)
        rows++;
    CHECK(rows == 500);
    free(got);
    records_done(&records);
    buf_done(&bytes);
}

static void refuses_what_is_no_answer(void)
{
    static const char *const NAMES[] = {"x"};
    const struct row_value value = INT(1);
    struct err err = {0};
    struct records records;
    struct buf bytes = {0};
    FILE *out = fopen("/dev/null", "w");

    CHECK(take(&records, SPAN("\x63\0\0\0\0"), 5) == ERR_INVALID);
    records_done(&records);
    CHECK(take(&records, SPAN("\x07\x01\0\0\0x"), 6) == ERR_INVALID); /* a cut PROGRESS */
    records_done(&records);
    CHECK(take(&records, SPAN("\x04\0\0\0\0more"), 9) == ERR_INVALID);
    records_done(&records);

    put_rows(&bytes, &value, 1, 1); /* rows without columns */
    put_done(&bytes);
    CHECK(row_put_text(&bytes, ROW_RECORD_END, SPAN("")) == 0);
    CHECK(take(&records, buf_span(&bytes), 100) == 0);
    CHECK(d1_json_print(&records, out, &err) == ERR_INVALID);
    CHECK(print_plain(&records, out, &err) == ERR_INVALID);
    records_done(&records);
    buf_eat(&bytes, buf_len(&bytes));

    put_columns(&bytes, NAMES, 1); /* fewer rows than are announced */
    put_rows(&bytes, &value, 1, 1);
    bytes.mem[bytes.tail - 13] = 9;
    put_done(&bytes);
    CHECK(row_put_text(&bytes, ROW_RECORD_END, SPAN("")) == 0);
    CHECK(take(&records, buf_span(&bytes), 100) == 0);
    CHECK(d1_json_print(&records, out, &err) == ERR_INVALID);
    CHECK(print_plain(&records, out, &err) == ERR_INVALID);
    records_done(&records);
    buf_done(&bytes);
    fclose(out);
}

static void keeps_the_error(void)
{
    const struct row_error error = {.statement = 2,
                                    .line = 4,
                                    .text = SPAN("no such table: t: SQLITE_ERROR"),
                                    .sql = SPAN("SELECT")};
    struct records records;
    struct buf bytes = {0};

    CHECK(row_put_error(&bytes, &error) == 0);
    CHECK(take(&records, buf_span(&bytes), 4) == 0);
    CHECK(records.state == RECORDS_FAILED);
    CHECK(records.error.statement == 2 && records.error.line == 4);
    CHECK(span_is(records.error.text, "no such table: t: SQLITE_ERROR"));
    CHECK(span_is(records.error.sql, "SELECT"));
    records_done(&records);
    buf_done(&bytes);
}

static void cuts_large_cells(void)
{
    static char text[3000];
    struct row_value value = {.tag = ROW_TEXT, .bytes = {text, sizeof text}};
    struct records records;
    struct buf bytes = {0};
    struct err err = {0};
    char *got = NULL;
    size_t len;
    FILE *out = open_memstream(&got, &len);

    memset(text, 'y', sizeof text);
    put_columns(&bytes, (const char *const[]){"x"}, 1);
    put_rows(&bytes, &value, 1, 1);
    memset(text, '\n', sizeof text);
    put_rows(&bytes, &value, 1, 1);
    put_done(&bytes);
    CHECK(row_put_text(&bytes, ROW_RECORD_END, SPAN("")) == 0);
    CHECK(take(&records, buf_span(&bytes), 100) == 0);
    CHECK(print_plain(&records, out, &err) == 0);
    fclose(out);
    CHECK(strstr(got, "y… │\n") && !strstr(got, "y │"));
    CHECK(strstr(got, "\n│ …"));
    CHECK(len < 600 * 1000);
    free(got);
    records_done(&records);
    buf_done(&bytes);
}

static void copes_without_memory(void)
{
    struct buf bytes = {0};
    FILE *out = fopen("/dev/null", "w");
    int r = ERR_NOMEM;

    put_two(&bytes);
    for (int n = 0; n < 200 && r != 0; n++) {
        struct err err = {0};
        struct records records;
        mem_fail_after(n);
        r = take(&records, buf_span(&bytes), 11);
        if (r == 0)
            r = d1_json_print(&records, out, &err);
        if (r == 0)
            r = d1_table_print(&records, TABLE_PLAIN, out, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        records_done(&records);
    }
    CHECK(r == 0);
    buf_done(&bytes);
    fclose(out);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"prints_json_and_tables", prints_json_and_tables},
        {"orders_columns_as_objects_do", orders_columns_as_objects_do},
        {"forgets_at_a_restart", forgets_at_a_restart},
        {"keeps_what_is_large_in_a_file", keeps_what_is_large_in_a_file},
        {"refuses_what_is_no_answer", refuses_what_is_no_answer},
        {"keeps_the_error", keeps_the_error},
        {"cuts_large_cells", cuts_large_cells},
        {"copes_without_memory", copes_without_memory},
        {0},
    };

    return test_main("cli_d1_json", TESTS, argc, argv);
}
