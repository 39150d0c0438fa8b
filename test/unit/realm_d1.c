/* realm_d1.c - src/realm/web/d1.c and sdk/js/d1.js: calls of a worker on a database. */
#include "realm_d1.h"

/* ---- calls ---- */

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
        "\"served_by_primary\":true,\"served_by_colo\":\"LOCAL\","
        "\"timings\":{\"sql_duration_ms\":1.5},\"duration\":1.5,"
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

/* ---- scripts ---- */

#define EXEC(script) "http://x/?return await DB.exec('" script "')"

static void fail_statement(uint32_t statement, uint32_t line, const char *text, const char *sql)
{
    ok(row_put_error(&answer, &(struct row_error){statement, line, span_of(text), span_of(sql)}));
    send_answer(last_asked()->stream, 100000, 1);
    turn_for(0);
}

static void succeed(int statements)
{
    for (int i = 0; i < statements; i++) {
        put_columns(0, NULL);
        put_done();
    }
    put_end();
    send_answer(last_asked()->stream, 100000, 1);
}

static void check_scripts(void)
{
    uint32_t stream = ask(EXEC(" CREATE a\\n\\n INSERT; SELECT\\n")), count;
    struct span body = buf_span(&last_asked()->body), sql;

    CHECK(strcmp(last_asked()->method, "query") == 0);
    CHECK(row_get_u32(&body, &count) == 0 && count == 2);
    CHECK(row_get_statement(&body, &sql, &count) == 0 && span_is(sql, "CREATE a"));
    CHECK(row_get_statement(&body, &sql, &count) == 0 && span_is(sql, " INSERT; SELECT"));
    succeed(2);
    CHECK(is(finish(stream), "{\"count\":2,\"duration\":3}"));
    stream = ask(EXEC(" CREATE (\\n a);\\nINSERT ")); /* statements have lines of their own */
    fail_statement(0, 0, "incomplete input: SQLITE_ERROR", "");
    CHECK(strcmp(last_asked()->method, "exec") == 0);
    CHECK(span_is(buf_span(&last_asked()->body), "CREATE (\n a);\nINSERT"));
    succeed(2);
    CHECK(is(finish(stream), "{\"count\":2,\"duration\":3}"));
}

#define EXEC_ERROR(text) "Error: D1_EXEC_ERROR: " text " | " text

static void check_failing_scripts(void)
{
    uint32_t stream = ask(EXEC("CREATE a\\n\\nNONSENSE\\nINSERT"));

    fail_statement(1, 0, "syntax error: SQLITE_ERROR", "");
    fail_statement(0, 1, "near NONSENSE", "CREATE a\n\nNONSENSE\nINSERT");
    CHECK(is(finish(stream), EXEC_ERROR("Error in line 3: NONSENSE: syntax error: SQLITE_ERROR")));
    stream = ask(EXEC("CREATE (\\na);\\nNONSENSE"));
    fail_statement(0, 0, "incomplete input: SQLITE_ERROR", "");
    fail_statement(1, 3, "near NONSENSE: SQLITE_ERROR", "NONSENSE");
    CHECK(is(finish(stream), EXEC_ERROR("Error in line 3: NONSENSE: near NONSENSE: SQLITE_ERROR")));
    stream = ask(EXEC("INSERT\\nVALUES"));
    fail_statement(0, 0, "incomplete input: SQLITE_ERROR", "");
    fail_statement(0, 1, "no such table", "INSERT\nVALUES");
    CHECK(is(finish(stream), EXEC_ERROR("Error in line 1: INSERT\nVALUES: no such table")));
    stream = ask(EXEC("NONSENSE"));
    fail_statement(0, 0, "syntax error: SQLITE_ERROR", "");
    CHECK(is(finish(stream), EXEC_ERROR("Error in line 1: NONSENSE: syntax error: SQLITE_ERROR")));
    CHECK(is(get(EXEC(" ")), EXEC_ERROR("Error in line 1: : No SQL statements detected.")));
    stream = ask(EXEC("SELECT 1\\nSELECT 2"));
    realm_outcall_failed(realm, last_asked()->stream, SPAN("The database has ended"));
    CHECK(is(finish(stream), "Error: D1_ERROR: The database has ended | The database has ended"));
}

static void a_script_is_a_statement_a_line_or_statements_of_many(void)
{
    in_database(ANY_JS, check_scripts);
}

static void what_fails_in_a_script_is_named(void)
{
    in_database(ANY_JS, check_failing_scripts);
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

static double bound_by(const struct asked *call)
{
    struct span body = buf_span(&call->body), sql;
    struct row_value v = {0};
    uint32_t count;

    CHECK(row_get_u32(&body, &count) == 0 && row_get_statement(&body, &sql, &count) == 0);
    CHECK(row_get_value(&body, &v) == 0);
    return v.real;
}

static void check_many_at_once(void)
{
    uint32_t stream = ask("http://x/all");
    unsigned first = recorder.asked_count, calls = 0;

    CHECK(recorder.asked_count - 2 == HOST_OUTCALLS_MAX);
    first = 2;
    while (calls < 300 && !test_failed_checks) {
        CHECK(first + calls < recorder.asked_count);
        CHECK(bound_by(&recorder.asked[first + calls]) == calls);
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
        {"a_script_is_a_statement_a_line_or_statements_of_many",
         a_script_is_a_statement_a_line_or_statements_of_many},
        {"what_fails_in_a_script_is_named", what_fails_in_a_script_is_named},
        {"python_binds_and_reads_values", python_binds_and_reads_values},
        {"undefined_of_javascript_is_refused", undefined_of_javascript_is_refused},
        {"a_call_ends_with_its_request", a_call_ends_with_its_request},
        {0},
    };

    start_realm(argv);
    return test_main("realm_d1", TESTS, argc, argv);
}
