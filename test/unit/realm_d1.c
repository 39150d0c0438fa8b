/* realm_d1.c - src/realm/web/d1.c and d1_words.c with sdk/js/d1.js: calls of a worker on a
 * database, and what answers become.
 *
 * The test is the database: it looks at the bytes of a call and gives records, in whatever pieces.
 */
#include "realm_host.h"
#include "row/row.h"

static struct asked *last_asked(void)
{
    return &recorder.asked[recorder.asked_count - 1];
}

static struct buf answer;

static void ok(int r)
{
    if (r < 0)
        abort();
}

static void put_columns(size_t count, const char *const *names)
{
    size_t mark;

    ok(row_begin(&answer, ROW_RECORD_COLUMNS, &mark));
    ok(row_put_u32(&answer, (uint32_t)count));
    for (size_t i = 0; i < count; i++) {
        ok(row_put_u32(&answer, (uint32_t)strlen(names[i])));
        ok(buf_append(&answer, names[i], strlen(names[i])));
    }
    row_end(&answer, mark);
}

static void put_rows(uint32_t rows, size_t count, const struct row_value *values)
{
    size_t mark;

    ok(row_begin(&answer, ROW_RECORD_ROWS, &mark));
    ok(row_put_u32(&answer, rows));
    for (size_t i = 0; i < count; i++)
        ok(row_put_value(&answer, &values[i]));
    row_end(&answer, mark);
}

static void put_done(void)
{
    const struct row_meta meta = {.duration_ms = 1.5,
                                  .changes = 2,
                                  .last_row_id = 1ll << 40,
                                  .size_after = 8192,
                                  .rows_read = 4,
                                  .rows_written = 5,
                                  .changed_db = 1};

    ok(row_put_meta(&answer, &meta));
}

static void put_end(void)
{
    ok(row_put_text(&answer, ROW_RECORD_END, SPAN("00000001-00000000-0000001c")));
}

static void put_raw(uint8_t type, uint32_t len, const char *bytes, size_t count)
{
    size_t mark = buf_len(&answer);

    ok(buf_append(&answer, &type, 1));
    ok(row_put_u32(&answer, len));
    ok(buf_append(&answer, bytes, count));
    (void)mark;
}

static void reply(uint32_t call)
{
    realm_reply(realm, call, &(struct realm_reply){.status = 200, .body_length = -1});
}

/* All of `answer` in pieces of so many bytes, the first of `first`. */
static void send_answer(uint32_t call, size_t first, size_t piece)
{
    struct span all = buf_span(&answer);
    size_t at = 0, n = first;

    reply(call);
    while (at < all.len) {
        n = n < all.len - at ? n : all.len - at;
        realm_reply_body(realm, call, (struct span){all.data + at, n}, at + n == all.len);
        at += n;
        n = piece;
    }
    buf_eat(&answer, buf_len(&answer));
}

static uint32_t ask(const char *url)
{
    uint32_t stream = send_request("GET", url, 0, NULL, 0);

    turn_for(0);
    return stream;
}

static const char *finish(uint32_t stream)
{
    turn_until_done(stream);
    return answer_of(stream)->is_failed ? answer_of(stream)->failure_text : body_of(stream);
}

static bool is(const char *got, const char *wanted)
{
    if (strcmp(got, wanted) != 0)
        printf("  got:    %.3000s\n  wanted: %.3000s\n", got, wanted);
    return strcmp(got, wanted) == 0;
}

static void in_database(const char *entry, void (*checks)(void))
{
    in_instance_of(&(struct worker_files){.entry = entry, .bindings = "{\"DB\":{\"type\":\"d1\"}}"},
                   checks);
}

/* ---- calls ---- */

#define ANY_JS                                                                                     \
    "from js import Response, JSON\nfrom pyodide.code import run_js\n"                             \
    "from urllib.parse import urlparse, unquote\n"                                                 \
    "async def on_fetch(request, env):\n"                                                          \
    "    f = run_js('async (DB) => {' + unquote(urlparse(request.url).query) + '}')\n"             \
    "    try:\n        return Response.new(JSON.stringify(await f(env.DB)))\n"                     \
    "    except Exception as e:\n        return Response.new(str(e) + ' | ' + "                    \
    "str(e.cause.message))\n"

static void check_call(void)
{
    uint32_t stream = ask(
        "http://x/?return await DB.prepare('SELECT ?1, ?2').bind(1.5, 'a\\0\\u00e9\\ud83d\\ude00', "
        "null, true, [1, 255], new Uint8Array([7]).buffer, NaN, -0).all()");
    struct span body = buf_span(&last_asked()->body), sql;
    struct row_value v;
    uint32_t count;
    struct err err;

    CHECK(strcmp(last_asked()->method, "query") == 0);
    CHECK(strcmp(last_asked()->arguments, "") == 0);
    CHECK(last_asked()->is_ended && last_asked()->request == stream);
    CHECK(row_check_call(body, &err) == 0);
    CHECK(row_get_u32(&body, &count) == 0 && count == 1);
    CHECK(row_get_statement(&body, &sql, &count) == 0 && span_is(sql, "SELECT ?1, ?2") &&
          count == 8);
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_REAL && v.real == 1.5);
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_TEXT && v.bytes.len == 8);
    CHECK(v.bytes.len == 8 && memcmp(v.bytes.data, "a\0\xc3\xa9\xf0\x9f\x98\x80", 8) == 0);
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_NULL);
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_REAL && v.real == 1);
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_BLOB && span_is(v.bytes, "\x01\xff"));
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_BLOB && span_is(v.bytes, "\x07"));
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_NULL);
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_REAL && v.real == 0);
    put_columns(2, (const char *const[]){"a", "b"});
    put_done();
    put_end();
    send_answer(last_asked()->stream, 100000, 1);
    CHECK(is(
        finish(stream),
        "{\"success\":true,\"meta\":{\"served_by\":\"corral-store\",\"served_by_region\":\"LOCAL\","
        "\"served_by_primary\":true,\"timings\":{\"sql_duration_ms\":1.5},\"duration\":1.5,"
        "\"changes\":2,"
        "\"last_row_id\":1099511627776,\"changed_db\":true,\"size_after\":8192,\"rows_read\":4,"
        "\"rows_written\":5,\"total_attempts\":1},\"results\":[]}"));
}

static void a_call_is_sql_and_values(void)
{
    in_database(ANY_JS, check_call);
}

static void check_batch(void)
{
    uint32_t stream =
        ask("http://x/?const s = DB.prepare('INSERT'); return (await DB.batch([s.bind(1), "
            "DB.prepare('  '), s.bind('x', 2)])).length");
    struct span body = buf_span(&last_asked()->body);
    uint32_t count;
    struct err err;

    CHECK(row_check_call(body, &err) == 0);
    CHECK(row_get_u32(&body, &count) == 0 && count == 2);
    for (int i = 0; i < 2; i++) {
        put_columns(0, NULL);
        put_done();
    }
    put_end();
    send_answer(last_asked()->stream, 1, 1);
    CHECK(is(finish(stream), "2"));
    stream = ask("http://x/?return await DB.withSession().batch([DB.prepare('')])");
    CHECK(is(finish(stream),
             "Error: D1_ERROR: No SQL statements detected. | No SQL statements detected."));
}

static void a_batch_is_one_call(void)
{
    in_database(ANY_JS, check_batch);
}

static void check_session(void)
{
    uint32_t stream = ask("http://x/?const s = DB.withSession(); const before = s.getBookmark(); "
                          "await s.prepare('SELECT').first(); return [before, s.getBookmark(), "
                          "DB.withSession(' first-primary ').getBookmark()]");

    CHECK(strcmp(last_asked()->arguments, "bookmark=first-unconstrained\n") == 0);
    put_columns(0, NULL);
    put_done();
    put_end();
    send_answer(last_asked()->stream, 100000, 1);
    CHECK(is(finish(stream), "[null,\"00000001-00000000-0000001c\",null]"));
}

static void a_session_keeps_the_bookmark(void)
{
    in_database(ANY_JS, check_session);
}

/* ---- answers ---- */

#define RAW     "http://x/?return await DB.prepare('SELECT').raw({ columnNames: true })"
#define OBJECTS "http://x/?return (await DB.prepare('SELECT').all()).results"

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
    stream = ask("http://x/?return await DB.exec(' CREATE; \\n INSERT ')");
    CHECK(strcmp(last_asked()->method, "exec") == 0);
    CHECK(span_is(buf_span(&last_asked()->body), "CREATE; \n INSERT"));
    put_failure(2, "incomplete input: SQLITE_ERROR", "INSERT");
    send_answer(last_asked()->stream, 100000, 1);
    CHECK(is(finish(stream),
             "Error: D1_EXEC_ERROR: Error in line 2: INSERT: incomplete input: SQLITE_ERROR | "
             "Error in line 2: INSERT: incomplete input: SQLITE_ERROR"));
    stream = ask("http://x/?return await DB.exec('CREATE')");
    for (int i = 0; i < 2; i++) {
        put_columns(0, NULL);
        put_done();
    }
    put_end();
    send_answer(last_asked()->stream, 100000, 1);
    CHECK(is(finish(stream), "{\"count\":2,\"duration\":3}"));
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

/* ---- Python ---- */

static const char PYTHON[] =
    "from js import Response\n"
    "import asyncio\n"
    "async def on_fetch(request, env):\n"
    "    s = env.DB.prepare('SELECT')\n"
    "    if request.url.endswith('/bind'):\n"
    "        r = await s.bind(None, True, False, 7, 1.5, b'\\x01', bytearray(b'\\x02'), "
    "memoryview(b'\\x03'), '\\ud83d').run()\n"
    "        return Response.new(str(len(r.results)))\n"
    "    if request.url.endswith('/big'):\n"
    "        out = []\n"
    "        for value in (2**53, [1, 'x'], {'a': 1}, object, 'ok'):\n"
    "            try:\n"
    "                s.bind(value)\n"
    "            except Exception as e:\n"
    "                out.append(str(e))\n"
    "        return Response.new('\\n'.join(out))\n"
    "    if request.url.endswith('/all'):\n"
    "        every = await asyncio.gather(*[s.bind(i).all() for i in range(300)])\n"
    "        return Response.new(str(sum(r.results[0]['n'] + r.results[1].n for r in every)))\n"
    "    r = await s.all()\n"
    "    rows = r.results\n"
    "    return Response.new(f'{len(rows)} {[row.t for row in rows]} {rows[1][\"n\"]} "
    "{rows.to_py()} {r.meta.changes}')\n";

static void put_two(void)
{
    const struct row_value values[] = {{.tag = ROW_INT, .integer = 1},
                                       {.tag = ROW_TEXT, .bytes = SPAN("\xe6\x9c\xac")},
                                       {.tag = ROW_INT, .integer = 2},
                                       {.tag = ROW_NULL}};

    put_columns(2, (const char *const[]){"n", "t"});
    put_rows(2, 4, values);
    put_done();
    put_end();
}

static void check_bound_values(void)
{
    static const char *const blobs[] = {"\1", "\2", "\3"};
    uint32_t stream = ask("http://x/bind");
    struct span body = buf_span(&last_asked()->body), sql;
    struct row_value v;
    uint32_t count;

    CHECK(row_get_u32(&body, &count) == 0 && row_get_statement(&body, &sql, &count) == 0 &&
          count == 9);
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_NULL);
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_REAL && v.real == 1);
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_REAL && v.real == 0);
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_REAL && v.real == 7);
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_REAL && v.real == 1.5);
    for (int i = 0; i < 3; i++)
        CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_BLOB && span_is(v.bytes, blobs[i]));
    CHECK(row_get_value(&body, &v) == 0 && v.tag == ROW_TEXT && span_is(v.bytes, "\xef\xbf\xbd"));
    put_two();
    send_answer(last_asked()->stream, 100000, 1);
    CHECK(is(finish(stream), "2"));
}

static void check_many_at_once(void)
{
    uint32_t stream = ask("http://x/all");
    unsigned first = recorder.asked_count, calls = 0;

    CHECK(recorder.asked_count - 2 == HOST_OUTCALLS_MAX);
    first = 2;
    while (calls < 300 && !test_failed_checks) {
        CHECK(first + calls < recorder.asked_count);
        put_two();
        send_answer(recorder.asked[first + calls++].stream, 100000, 1);
        turn_for(0);
    }
    CHECK(is(finish(stream), "900"));
}

static void check_python(void)
{
    uint32_t stream = ask("http://x/");

    put_two();
    send_answer(last_asked()->stream, 100000, 1);
    CHECK(is(finish(stream),
             "2 ['\xe6\x9c\xac', None] 2 [{'n': 1, 't': '\xe6\x9c\xac'}, {'n': 2, 't': None}] 2"));
    check_bound_values();
    CHECK(is(get("http://x/big"),
             "Error: D1_TYPE_ERROR: Type 'bigint' not supported for value '9007199254740992'\n"
             "Error: D1_TYPE_ERROR: Type 'object' not supported for value '[1, 'x']'\n"
             "Error: D1_TYPE_ERROR: Type 'object' not supported for value '{'a': 1}'\n"
             "Error: D1_TYPE_ERROR: Type 'function' not supported for value '<class 'object'>'"));
    check_many_at_once();
}

static void python_binds_and_reads_values(void)
{
    in_database(PYTHON, check_python);
}

static void check_undefined(void)
{
    CHECK(is(get("http://x/?return DB.prepare('').bind(undefined)"),
             "Error: D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined' | "
             "Type 'undefined' not supported for value 'undefined'"));
    CHECK(is(get("http://x/?return DB.prepare('').bind(null).params"), "[null]"));
    CHECK(recorder.asked_count == 0);
}

static void undefined_of_javascript_is_refused(void)
{
    in_database(ANY_JS, check_undefined);
}

/* ---- the request's end ---- */

static void check_end(void)
{
    uint32_t stream = ask("http://x/?DB.prepare('INSERT').run().catch(() => {}); return 1");
    uint32_t call = last_asked()->stream;

    CHECK(is(finish(stream), "1"));
    CHECK(asked_of(call)->is_cancelled);
    put_two();
    send_answer(call, 100000, 1);
    turn_for(0);
}

static void a_call_ends_with_its_request(void)
{
    in_database(ANY_JS, check_end);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"a_call_is_sql_and_values", a_call_is_sql_and_values},
        {"a_batch_is_one_call", a_batch_is_one_call},
        {"a_session_keeps_the_bookmark", a_session_keeps_the_bookmark},
        {"values_are_what_d1_makes_of_them_wherever_they_are_cut",
         values_are_what_d1_makes_of_them_wherever_they_are_cut},
        {"many_rows_come_in_blocks", many_rows_come_in_blocks},
        {"wide_rows_fit_into_the_words", wide_rows_fit_into_the_words},
        {"first_makes_one_row", first_makes_one_row},
        {"a_restart_forgets_what_has_come", a_restart_forgets_what_has_come},
        {"errors_are_d1s", errors_are_d1s},
        {"hostile_answers_are_refused", hostile_answers_are_refused},
        {"each_statement_has_one_result", each_statement_has_one_result},
        {"noise_breaks_nothing", noise_breaks_nothing},
        {"python_binds_and_reads_values", python_binds_and_reads_values},
        {"undefined_of_javascript_is_refused", undefined_of_javascript_is_refused},
        {"a_call_ends_with_its_request", a_call_ends_with_its_request},
        {0},
    };

    start_realm(argv);
    return test_main("realm_d1", TESTS, argc, argv);
}
