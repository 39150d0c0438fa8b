/* realm_d1.h - a database for tests of the realm: looks at the bytes of a call and gives records,
 * in whatever pieces. */
#ifndef CORRAL_TEST_REALM_D1_H
#define CORRAL_TEST_REALM_D1_H

#include "realm_host.h"
#include "row/row.h"

static inline struct asked *last_asked(void)
{
    return &recorder.asked[recorder.asked_count - 1];
}

static struct buf answer;

static inline void ok(int r)
{
    if (r < 0)
        abort();
}

static inline void put_columns(size_t count, const char *const *names)
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

static inline void put_rows(uint32_t rows, size_t count, const struct row_value *values)
{
    size_t mark;

    ok(row_begin(&answer, ROW_RECORD_ROWS, &mark));
    ok(row_put_u32(&answer, rows));
    for (size_t i = 0; i < count; i++)
        ok(row_put_value(&answer, &values[i]));
    row_end(&answer, mark);
}

static inline void put_done(void)
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

static inline void put_end(void)
{
    ok(row_put_text(&answer, ROW_RECORD_END, SPAN("00000001-00000000-0000001c")));
}

static inline void put_raw(uint8_t type, uint32_t len, const char *bytes, size_t count)
{

    ok(buf_append(&answer, &type, 1));
    ok(row_put_u32(&answer, len));
    ok(buf_append(&answer, bytes, count));
}

static inline void reply(uint32_t call)
{
    realm_reply(realm, call, &(struct realm_reply){.status = 200, .body_length = -1});
}

/* All of `answer` in pieces of so many bytes, the first of `first`. */
static inline void send_answer(uint32_t call, size_t first, size_t piece)
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

static inline uint32_t ask(const char *url)
{
    uint32_t stream = send_request("GET", url, 0, NULL, 0);

    turn_for(0);
    return stream;
}

static inline const char *finish(uint32_t stream)
{
    turn_until_done(stream);
    return answer_of(stream)->is_failed ? answer_of(stream)->failure_text : body_of(stream);
}

static inline bool is(const char *got, const char *wanted)
{
    if (strcmp(got, wanted) != 0)
        printf("  got:    %.3000s\n  wanted: %.3000s\n", got, wanted);
    return strcmp(got, wanted) == 0;
}

static inline void in_database(const char *entry, void (*checks)(void))
{
    in_instance_of(&(struct worker_files){.entry = entry, .bindings = "{\"DB\":{\"type\":\"d1\"}}"},
                   checks);
}

#define ANY_JS                                                                                     \
    "from js import Response, JSON\nfrom pyodide.code import run_js\n"                             \
    "from urllib.parse import urlparse, unquote\n"                                                 \
    "async def on_fetch(request, env):\n"                                                          \
    "    f = run_js('async (DB) => {' + unquote(urlparse(request.url).query) + '}')\n"             \
    "    try:\n        return Response.new(JSON.stringify(await f(env.DB)))\n"                     \
    "    except Exception as e:\n        return Response.new(str(e) + ' | ' + "                    \
    "str(e.cause.message))\n"
#define RAW     "http://x/?return await DB.prepare('SELECT').raw({ columnNames: true })"
#define OBJECTS "http://x/?return (await DB.prepare('SELECT').all()).results"

#endif
