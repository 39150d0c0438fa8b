/* realm_d1_words.c - src/realm/web/d1_words.c and sdk/js/d1_rows.js: what a worker sees of the
 * records of an answer. */
#include <sys/resource.h>

#include "realm_d1.h"

/* ---- answers ---- */

static const char BROKEN[] = "a\0b\xff\xf0\x9f\x98\x80";

static void put_values(size_t long_text)
{
    static char longer[5000];
    const struct row_value values[] = {
        {.tag = ROW_INT, .integer = -5},
        {.tag = ROW_TEXT, .bytes = {BROKEN, sizeof BROKEN - 1}},
        {.tag = ROW_NULL},
        {.tag = ROW_REAL, .real = 0.25},
        {.tag = ROW_INT, .integer = 9007199254740993},
        {.tag = ROW_TEXT, .bytes = {longer, long_text}},
        {.tag = ROW_BLOB, .bytes = {"\0\xff", 2}},
        {.tag = ROW_REAL, .real = 1.0 / 0.0},
        {.tag = ROW_INT, .integer = INT64_MIN},
        {.tag = ROW_TEXT, .bytes = {"", 0}},
        {.tag = ROW_BLOB, .bytes = {"", 0}},
        {.tag = ROW_REAL, .real = -0.0},
    };

    memset(longer, 'L', sizeof longer);
    put_columns(4, (const char *const[]){"a", "__proto__", "\xe6\x9c\xac", "a"});
    put_rows(1, 4, values);
    put_rows(0, 0, NULL);
    put_rows(2, 8, values + 4);
    put_done();
    put_end();
}

#define ROW_1 "-5,\"a\\u0000b\xef\xbf\xbd\xf0\x9f\x98\x80\",null,0.25"

/* What was recorded for a call that is over is not looked at again. */
static void forget(uint32_t stream)
{
    buf_done(&answer_of(stream)->body);
    *answer_of(stream) = (struct answer){0};
}

static void check_values(void)
{
    uint32_t stream = ask(RAW);
    size_t len;

    put_values(3);
    len = buf_len(&answer);
    CHECK(len < 300);
    send_answer(last_asked()->stream, 1, 1);
    CHECK(is(finish(stream),
             "[[\"a\",\"__proto__\",\"\xe6\x9c\xac\",\"a\"],[" ROW_1 "],[9007199254740992,\"LLL\","
             "[0,255],null],[-9223372036854776000,\"\",[],0]]"));
    CHECK(last_asked()->credit == len - 1);
    forget(stream);
    for (size_t cut = 1; cut < len && !test_failed_checks; cut++) {
        stream = ask(OBJECTS);
        put_values(3);
        send_answer(last_asked()->stream, cut, len);
        CHECK(is(finish(stream), "[{\"a\":0.25,\"__proto__\":"
                                 "\"a\\u0000b\xef\xbf\xbd\xf0\x9f\x98\x80\",\"\xe6\x9c\xac\":null},"
                                 "{\"a\":null,\"__proto__\":\"LLL\",\"\xe6\x9c\xac\":[0,255]},"
                                 "{\"a\":0,\"__proto__\":\"\",\"\xe6\x9c\xac\":[]}]"));
        CHECK(last_asked()->credit == cut);
        forget(stream);
    }
}

static void values_are_what_d1_makes_of_them_wherever_they_are_cut(void)
{
    in_database(ANY_JS, check_values);
}

static void check_many(void)
{
    uint32_t stream = ask("http://x/?const { results: r } = await DB.prepare('SELECT').all(); let "
                          "long = 0, blob = 0, sum = 0;"
                          "for (const { i, t, b } of r) { sum %2B= i; if (t.length === 5000 %26%26 "
                          "t === 'x'.repeat(5000)) long%2B%2B;"
                          "if (b.length === 3 %26%26 b[2] === 9) blob%2B%2B; } return [r.length, "
                          "sum, long, blob, r[30001].t]");
    char text[5000];

    memset(text, 'x', sizeof text);
    put_columns(3, (const char *const[]){"i", "t", "b"});
    for (int i = 0; i < 40000; i++) {
        struct row_value row[] = {{.tag = ROW_INT, .integer = i},
                                  {.tag = ROW_TEXT, .bytes = {text, i % 1000 ? 20 : sizeof text}},
                                  {.tag = ROW_BLOB, .bytes = SPAN("\x07\x08\x09")}};
        put_rows(1, 3, row);
    }
    put_done();
    put_end();
    send_answer(last_asked()->stream, 70000, 70000);
    CHECK(is(finish(stream), "[40000,799980000,40,40000,\"xxxxxxxxxxxxxxxxxxxx\"]"));
}

static void many_rows_come_in_blocks(void)
{
    in_database(ANY_JS, check_many);
}

static void check_names(void)
{
    static const char *const names[] = {
        "__proto__", "a\"b\\\n", "\xe2\x80\xa8", "constructor", "10", "a", "a", ""};
    uint32_t stream = ask("http://x/?const { results: r } = await DB.prepare('SELECT').all(), t = "
                          "JSON.stringify(r[0]);"
                          "return [r.every((row) => JSON.stringify(row) === t %26%26 "
                          "Object.getPrototypeOf(row) === Object.prototype), r.length, t]");
    struct row_value values[8];

    for (int i = 0; i < 8; i++)
        values[i] = (struct row_value){.tag = ROW_INT, .integer = i};
    put_columns(8, names);
    for (int i = 0; i < 300; i++)
        put_rows(1, 8, values);
    put_done();
    put_end();
    send_answer(last_asked()->stream, 777, 777);
    CHECK(is(finish(stream),
             "[true,300,\"{\\\"10\\\":4,\\\"__proto__\\\":0,\\\"a\\\\\\\"b\\\\\\\\\\\\n\\\":1,"
             "\\\"\xe2\x80\xa8\\\":2,\\\"constructor\\\":3,\\\"a\\\":6,\\\"\\\":7}\"]"));
}

static void names_are_whatever_they_are(void)
{
    in_database(ANY_JS, check_names);
}

static void check_wide(void)
{
    const char *names[100];
    static struct row_value values[100 * 3000];
    char room[100][8];
    uint32_t stream = ask("http://x/?const { results: r } = await DB.prepare('SELECT').all(); "
                          "return [r.length, Object.keys(r[2999]).length, r[2999].c99, r[0].c0]");

    for (int i = 0; i < 100; i++) {
        snprintf(room[i], sizeof room[i], "c%d", i);
        names[i] = room[i];
    }
    for (int i = 0; i < 300000; i++)
        values[i] = (struct row_value){.tag = ROW_REAL, .real = i + 0.5};
    put_columns(100, names);
    put_rows(3000, 300000, values);
    put_done();
    put_end();
    send_answer(last_asked()->stream, 65536, 65536);
    CHECK(is(finish(stream), "[3000,100,299999.5,0.5]"));
}

static void wide_rows_fit_into_the_words(void)
{
    in_database(ANY_JS, check_wide);
}

static void put_all(int step, uint32_t columns, uint32_t rows)
{
    const struct row_value value = {.tag = ROW_INT, .integer = 1};

    if (step > 0)
        put_columns(columns, (const char *const[]){"n", "m"});
    if (step > 1)
        put_rows(rows, 1, &value);
    if (step > 2)
        put_done();
}

/* Rows without end, where there is not much memory: an error, and the worker lives. */
static void check_memory(void)
{
    static char text[100000];
    uint32_t stream = ask("http://x/?return (await DB.prepare('SELECT').all()).results.length"),
             call = last_asked()->stream;
    struct row_value value = {.tag = ROW_TEXT, .bytes = {text, sizeof text}};
    unsigned long pages = 0;
    struct rlimit limit;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%lu", &pages) != 1)
        abort();
    fclose(f);
    limit.rlim_cur = limit.rlim_max = pages * 4096 + (400ul << 20);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    memset(text, 'x', sizeof text);
    put_columns(1, (const char *const[]){"t"});
    reply(call);
    for (int i = 0; i < 10000 && !asked_of(call)->is_cancelled; i++) {
        put_rows(1, 1, &value);
        realm_reply_body(realm, call, buf_span(&answer), false);
        buf_eat(&answer, buf_len(&answer));
    }
    CHECK(asked_of(call)->is_cancelled);
    CHECK(strstr(finish(stream), "D1_ERROR: The result is too large for this worker's memory") !=
          NULL);
    stream = ask(OBJECTS);
    put_all(3, 1, 1);
    put_end();
    send_answer(last_asked()->stream, 100000, 1);
    CHECK(is(finish(stream), "[{\"n\":1}]"));
}

static void a_result_that_is_too_large_is_an_error(void)
{
#ifndef __SANITIZE_ADDRESS__ /* which has all of the address space */
    in_database(ANY_JS, check_memory);
#else
    (void)check_memory;
#endif
}

static void check_first(void)
{
    const struct row_value values[] = {{.tag = ROW_INT, .integer = 1},
                                       {.tag = ROW_NULL},
                                       {.tag = ROW_INT, .integer = 2},
                                       {.tag = ROW_TEXT, .bytes = {"x", 1}}};
    const char *const names[] = {"n", "t"};
    uint32_t stream = ask("http://x/?const s = DB.prepare('SELECT'); return [await s.first(), "
                          "await s.first('t'), await s.first('m').catch((e) => e.message)]");

    for (int i = 0; i < 3; i++) {
        put_columns(2, names);
        put_rows(2, 4, values);
        put_rows(2, 4, values);
        put_done();
        put_end();
        send_answer(last_asked()->stream, 100000, 1);
        turn_for(0);
    }
    CHECK(is(finish(stream),
             "[{\"n\":1,\"t\":null},null,\"D1_COLUMN_NOTFOUND: Column not found (m)\"]"));
}

static void first_makes_one_row(void)
{
    in_database(ANY_JS, check_first);
}

static void check_restart(void)
{
    const struct row_value value = {.tag = ROW_INT, .integer = 1};
    uint32_t stream = ask(OBJECTS);

    put_columns(1, (const char *const[]){"n"});
    put_rows(1, 1, &value);
    ok(row_put_text(&answer, ROW_RECORD_RESTART, SPAN("")));
    put_columns(1, (const char *const[]){"n"});
    put_done();
    ok(row_put_text(&answer, ROW_RECORD_RESTART, SPAN("")));
    put_columns(1, (const char *const[]){"m"});
    put_rows(1, 1, &value);
    put_done();
    put_end();
    send_answer(last_asked()->stream, 7, 11);
    CHECK(is(finish(stream), "[{\"m\":1}]"));
}

static void a_restart_forgets_what_has_come(void)
{
    in_database(ANY_JS, check_restart);
}

static void put_failure(uint32_t line, const char *text, const char *sql)
{
    ok(row_put_error(
        &answer, &(struct row_error){.line = line, .text = span_of(text), .sql = span_of(sql)}));
}

static void check_errors(void)
{
    uint32_t stream = ask(OBJECTS);

    put_columns(1, (const char *const[]){"n"});
    put_failure(0, "no such table: t: SQLITE_ERROR", "");
    send_answer(last_asked()->stream, 100000, 1);
    CHECK(is(finish(stream),
             "Error: D1_ERROR: no such table: t: SQLITE_ERROR | no such table: t: SQLITE_ERROR"));
    stream = ask(OBJECTS);
    realm_outcall_failed(realm, last_asked()->stream, SPAN("The database has ended"));
    CHECK(is(finish(stream), "Error: D1_ERROR: The database has ended | The database has ended"));
    stream = ask(OBJECTS);
    put_columns(1, (const char *const[]){"n"});
    reply(last_asked()->stream);
    realm_reply_body(realm, last_asked()->stream, buf_span(&answer), false);
    realm_outcall_failed(realm, last_asked()->stream, SPAN("The database has ended"));
    buf_eat(&answer, buf_len(&answer));
    CHECK(is(finish(stream), "Error: D1_ERROR: The database has ended | The database has ended"));
}

static void errors_are_d1s(void)
{
    in_database(ANY_JS, check_errors);
}

/* ---- what no store would send ---- */

#define MALFORMED                                                                                  \
    "Error: D1_ERROR: The database's answer was cut off or is malformed | The database's answer "  \
    "was cut off or is malformed"

/* What is in `answer` is refused, and the node told that no more is wanted unless it has ended. */
static void expect_refusal(bool is_end)
{
    uint32_t stream = ask(OBJECTS), call = last_asked()->stream;

    reply(call);
    realm_reply_body(realm, call, buf_span(&answer), is_end);
    buf_eat(&answer, buf_len(&answer));
    CHECK(is(finish(stream), MALFORMED));
    CHECK(asked_of(call)->is_cancelled == !is_end);
    forget(stream);
}

static void check_hostile(void)
{
    static const struct {
        uint8_t type;
        uint32_t len;
        const char *bytes;
        size_t count;
    } records[] = {
        {0, 0, "", 0},
        {8, 0, "", 0},
        {1, UINT32_MAX, "", 0},
        {2, 16 * 1024 * 1024, "", 0},
        {1, 3, "abc", 3},
        {1, 4, "\1\0\0\0", 4},
        {1, 8, "\1\0\0\0\377\377\377\377", 8},
        {1, 4, "\377\377\377\177", 4},
        {1, 4, "\145\0\0\0", 4},
        {1, 5, "\0\0\0\0x", 5},
        {2, 4, "\0\0\0\0", 4},
        {3, 3, "abc", 3},
        {5, 4, "\0\0\0\0", 4},
        {5, 16, "\0\0\0\0\0\0\0\0\377\0\0\0\0\0\0\0", 16},
    };
    static const char *const rows[] = {
        "\1\0\0\0",           "\1\0\0\0\5",         "\1\0\0\0\1\0\0", "\1\0\0\0\3\377\377\377\377",
        "\1\0\0\0\4\1\0\0\0", "\377\377\377\377\0", "\0\0\0\0\0",     "\1\0\0"};
    static const size_t row_lens[] = {4, 5, 7, 9, 9, 5, 5, 3};

    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        put_raw(records[i].type, records[i].len, records[i].bytes, records[i].count);
        expect_refusal(false);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_all(1, 1, 0);
        put_raw(ROW_RECORD_ROWS, (uint32_t)row_lens[i], rows[i], row_lens[i]);
        expect_refusal(false);
    }
    put_all(1, 0, 0); /* rows without columns */
    put_raw(ROW_RECORD_ROWS, 4, "\377\377\377\377", 4);
    expect_refusal(false);
    put_all(1, 1, 0); /* COLUMNS twice */
    put_all(1, 1, 0);
    expect_refusal(false);
    put_all(1, 1, 0); /* END before DONE */
    put_end();
    expect_refusal(false);
    put_all(3, 1, 1); /* bytes behind the end */
    put_end();
    put_end();
    expect_refusal(true);
    for (int step = 0; step < 4; step++) { /* cut off */
        put_all(step, 1, 1);
        expect_refusal(true);
    }
    put_all(3, 1, 1);
    put_raw(ROW_RECORD_END, 10, "abc", 3);
    expect_refusal(true);
}

static void hostile_answers_are_refused(void)
{
    in_database(ANY_JS, check_hostile);
}

static void check_counts(void)
{
    uint32_t stream = ask(OBJECTS);

    put_all(3, 1, 1);
    put_all(3, 1, 1);
    put_end();
    send_answer(last_asked()->stream, 100000, 1);
    CHECK(strstr(finish(stream), "D1_ERROR: The database answered 2 statements of 1") != NULL);
    stream = ask(OBJECTS);
    put_end();
    send_answer(last_asked()->stream, 100000, 1);
    CHECK(strstr(finish(stream), "D1_ERROR: The database answered 0 statements of 1") != NULL);
}

static void each_statement_has_one_result(void)
{
    in_database(ANY_JS, check_counts);
}

/* Bytes of chance behind a good beginning: whatever they are, each call ends once. */
static void check_noise(void)
{
    unsigned seed = 12345;

    for (int round = 0; round < 250; round++) {
        uint32_t stream = ask(OBJECTS), call = last_asked()->stream;
        size_t len;
        put_values(3);
        len = buf_len(&answer);
        for (int i = 0; i < 1 + round % 4; i++) {
            seed = seed * 1103515245 + 12345;
            answer.mem[answer.head + (seed >> 8) % len] ^= (char)(1 << (seed >> 28) % 8);
        }
        reply(call);
        realm_reply_body(realm, call, buf_span(&answer), true);
        buf_eat(&answer, buf_len(&answer));
        turn_until_done(stream);
        forget(stream);
    }
}

static void noise_breaks_nothing(void)
{
    in_database(ANY_JS, check_noise);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"values_are_what_d1_makes_of_them_wherever_they_are_cut",
         values_are_what_d1_makes_of_them_wherever_they_are_cut},
        {"many_rows_come_in_blocks", many_rows_come_in_blocks},
        {"names_are_whatever_they_are", names_are_whatever_they_are},
        {"wide_rows_fit_into_the_words", wide_rows_fit_into_the_words},
        {"a_result_that_is_too_large_is_an_error", a_result_that_is_too_large_is_an_error},
        {"first_makes_one_row", first_makes_one_row},
        {"a_restart_forgets_what_has_come", a_restart_forgets_what_has_come},
        {"errors_are_d1s", errors_are_d1s},
        {"hostile_answers_are_refused", hostile_answers_are_refused},
        {"each_statement_has_one_result", each_statement_has_one_result},
        {"noise_breaks_nothing", noise_breaks_nothing},
        {0},
    };

    start_realm(argv);
    return test_main("realm_d1_words", TESTS, argc, argv);
}
