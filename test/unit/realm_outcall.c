/* realm_outcall.c - src/realm/outcall.c and flow.c: calls out of a worker, their bodies, their end.
 */
#include <zlib.h>

#include "realm_host.h"

#define FETCH "from js import Response, fetch, AbortController, Promise\nimport asyncio, js\n"

static struct asked *last_asked(void)
{
    return &recorder.asked[recorder.asked_count - 1];
}

static void reply(uint32_t stream, uint32_t status, const char *name, const char *value,
                  int64_t length, bool is_end)
{
    struct host_pair result = {SPAN("statusText"), SPAN("As it is")};
    struct host_pair header = {span_of(name ? name : ""), span_of(value ? value : "")};
    struct realm_reply r = {.status = status,
                            .results = &result,
                            .result_count = 1,
                            .headers = &header,
                            .header_count = name != NULL,
                            .body_length = length,
                            .is_end = is_end};

    realm_reply(realm, stream, &r);
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

static void check_text(void)
{
    uint32_t stream = ask("http://x/"), call = last_asked()->stream;

    CHECK(last_asked()->request == stream);
    CHECK(strcmp(last_asked()->arguments, "method=POST\nurl=http://up/there?q\n") == 0);
    CHECK(strstr(last_asked()->headers, "x-a=1\n") != NULL);
    CHECK(strstr(last_asked()->headers, "accept-encoding=br, gzip\n") != NULL);
    CHECK(last_asked()->body_length == 5 && last_asked()->is_ended);
    CHECK(buf_len(&last_asked()->body) == 5);
    reply(call, 201, "content-type", "text/plain", 6, false);
    realm_reply_body(realm, call, SPAN("abc"), false);
    turn_for(0);
    CHECK(last_asked()->credit == 3);
    realm_reply_body(realm, call, SPAN("def"), true);
    CHECK(strcmp(finish(stream), "201 As it is abcdef http://up/there?q") == 0);
    CHECK(!last_asked()->is_cancelled);
}

static void sends_a_request_and_reads_its_reply(void)
{
    in_instance(FETCH
                "async def on_fetch(request):\n"
                "    r = await fetch('http://up/there?q#hash', method='POST', body='hello', "
                "headers={'X-A': '1'})\n"
                "    return Response.new(f'{r.status} {r.statusText} {await r.text()} {r.url}')\n",
                check_text);
}

static void check_relay(void)
{
    static char piece[64 * 1024];
    uint32_t stream = ask("http://x/"), call = last_asked()->stream;
    struct answer *a = answer_of(stream);

    reply(call, 200, NULL, NULL, 5 * (int64_t)sizeof piece, false);
    turn_for(0);
    CHECK(a->status == 200 && a->length == 5 * (int64_t)sizeof piece);
    for (int i = 0; i < 5; i++)
        realm_reply_body(realm, call, (struct span){piece, sizeof piece}, i == 4);
    /* The fifth waits for the client's credit. */
    CHECK(a->body_bytes == HOST_WINDOW && !a->is_done);
    CHECK(last_asked()->credit == 4 * sizeof piece);
    a->window += (uint32_t)sizeof piece;
    realm_credit(realm, stream, (uint32_t)sizeof piece);
    CHECK(a->body_bytes == 5 * sizeof piece && a->is_ended);
    turn_until_done(stream);
}

static void relays_a_reply_under_the_clients_credit(void)
{
    in_instance(FETCH "async def on_fetch(request):\n    return await fetch('http://up/')\n",
                check_relay);
}

static void check_upload(void)
{
    static char piece[64 * 1024];
    uint32_t stream = send_request("POST", "http://x/", -1, NULL, 0);
    struct asked *a;

    turn_for(0);
    a = last_asked();
    CHECK(a->body_length == -1 && !a->is_ended);
    for (int i = 0; i < 4; i++)
        realm_request_body(realm, stream, (struct span){piece, sizeof piece}, false);
    CHECK(buf_len(&a->body) == HOST_WINDOW && answer_of(stream)->credit == HOST_WINDOW);
    realm_request_body(realm, stream, SPAN("the end"), true);
    CHECK(buf_len(&a->body) == HOST_WINDOW && !a->is_ended);
    a->window += 100;
    realm_outcall_credit(realm, a->stream, 100);
    CHECK(buf_len(&a->body) == HOST_WINDOW + 7 && a->is_ended);
    reply(a->stream, 204, NULL, NULL, 0, true);
    CHECK(strcmp(finish(stream), "204") == 0);
}

static void relays_a_request_into_an_outcall(void)
{
    in_instance(FETCH "async def on_fetch(request):\n"
                      "    r = await fetch('http://up/', method='POST', body=request.body)\n"
                      "    return Response.new(str(r.status))\n",
                check_upload);
}

static void check_failures(void)
{
    uint32_t stream = ask("http://x/");
    const char *text;

    realm_outcall_failed(realm, last_asked()->stream, SPAN("No connection.\nwhy\nso"));
    text = finish(stream);
    CHECK(strstr(text, "TypeError: No connection.") != NULL && strstr(text, "why") == NULL);
    stream = ask("http://x/");
    reply(last_asked()->stream, 200, NULL, NULL, 10, false);
    realm_reply_body(realm, last_asked()->stream, SPAN("abc"), false);
    turn_for(0);
    realm_outcall_failed(realm, last_asked()->stream, SPAN("Network connection lost.\nwhy"));
    CHECK(strstr(finish(stream), "TypeError: Network connection lost.") != NULL);
    stream = ask("http://x/late");
    reply(last_asked()->stream, 200, NULL, NULL, 0, true);
    CHECK(strcmp(finish(stream), "") == 0);
    /* What is unknown is ignored. */
    reply(HOST_OUTCALL_BIT | 77, 200, NULL, NULL, 0, true);
    realm_reply_body(realm, HOST_OUTCALL_BIT | 77, SPAN("abc"), true);
    realm_outcall_credit(realm, last_asked()->stream, 5);
    realm_outcall_failed(realm, last_asked()->stream, SPAN("late"));
}

static void failures_reject_before_and_behind_the_reply(void)
{
    in_instance(FETCH "async def on_fetch(request):\n"
                      "    r = await fetch('http://up/')\n"
                      "    return Response.new(await r.text())\n",
                check_failures);
}

static void check_end(void)
{
    uint32_t stream = ask("http://x/unread"), call = last_asked()->stream;

    reply(call, 200, NULL, NULL, 10, false);
    CHECK(strcmp(finish(stream), "done") == 0);
    CHECK(asked_of(call)->is_cancelled);
    stream = ask("http://x/forgotten");
    CHECK(strcmp(finish(stream), "done") == 0);
    CHECK(last_asked()->is_cancelled);
    turn_for(0);
    CHECK(log_has("The request that this was fetched for has ended"));
}

static void ends_with_the_request_it_was_made_for(void)
{
    in_instance(FETCH "async def forget():\n"
                      "    await fetch('http://up/')\n"
                      "async def on_fetch(request):\n"
                      "    if 'forgotten' in request.url:\n"
                      "        task = asyncio.create_task(forget())\n"
                      "        await asyncio.sleep(0)\n"
                      "    else:\n"
                      "        await fetch('http://up/')\n"
                      "    return Response.new('done')\n",
                check_end);
}

static void check_abort(void)
{
    uint32_t stream = ask("http://x/");

    TURN_UNTIL(last_asked()->is_cancelled);
    CHECK(strstr(finish(stream), "AbortError") != NULL);
    stream = ask("http://x/body");
    reply(last_asked()->stream, 200, NULL, NULL, -1, false);
    realm_reply_body(realm, last_asked()->stream, SPAN("abc"), false);
    TURN_UNTIL(last_asked()->is_cancelled);
    CHECK(strstr(finish(stream), "AbortError") != NULL);
}

static void a_signal_aborts_before_and_behind_the_reply(void)
{
    in_instance(FETCH "async def on_fetch(request):\n"
                      "    c = AbortController.new()\n"
                      "    asyncio.get_running_loop().call_later(0.01, c.abort)\n"
                      "    r = await fetch('http://up/', signal=c.signal)\n"
                      "    await r.text()\n"
                      "    return Response.new('not aborted')\n",
                check_abort);
}

static void check_client(void)
{
    uint32_t stream = ask("http://x/");

    realm_abort(realm, stream);
    turn_until_done(stream);
    CHECK(log_has("gone: AbortError The client disconnected"));
    CHECK(!last_asked()->is_cancelled || answer_of(stream)->is_done);
}

static void a_client_that_leaves_aborts_the_requests_signal(void)
{
    in_instance(FETCH "from js import console\n"
                      "async def on_fetch(request):\n"
                      "    async def wait():\n"
                      "        await fetch('http://up/', signal=request.signal)\n"
                      "    try:\n"
                      "        await wait()\n"
                      "    except Exception as e:\n"
                      "        r = request.signal.reason\n"
                      "        console.log(f'gone: {r.name} {r.message}')\n"
                      "    return Response.new('')\n",
                check_client);
}

static void check_many(void)
{
    uint32_t stream = ask("http://x/");

    turn_for(0);
    CHECK(recorder.asked_count == HOST_OUTCALLS_MAX);
    for (unsigned i = 0; i < 300; i++) {
        reply(HOST_OUTCALL_BIT | (i + 1), 204, NULL, NULL, 0, true);
        turn_for(0);
    }
    CHECK(recorder.asked_count == 300);
    CHECK(strcmp(finish(stream), "300") == 0);
}

static void further_calls_wait_for_room(void)
{
    in_instance(FETCH "async def on_fetch(request):\n"
                      "    all = await asyncio.gather(*[fetch('http://up/') for _ in range(300)])\n"
                      "    return Response.new(str(len(all)))\n",
                check_many);
}

/* 1 MiB of zeroes, gzipped. */
static size_t pack(char *room, size_t max)
{
    static char zeroes[1 << 20];
    z_stream z = {0};

    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)zeroes;
    z.avail_in = sizeof zeroes;
    z.next_out = (Bytef *)room;
    z.avail_out = (unsigned)max;
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&z);
    return max - z.avail_out;
}

static void check_gzip(void)
{
    static const char *const PATHS[] = {"http://x/text", "http://x/stream", "http://x/relay"};
    static char packed[8192];
    size_t len = pack(packed, sizeof packed);

    for (int i = 0; i < 3; i++) {
        uint32_t stream = ask(PATHS[i]), call = last_asked()->stream;
        reply(call, 200, "content-encoding", "gzip", (int64_t)len, false);
        for (size_t at = 0; at < len; at++)
            realm_reply_body(realm, call, (struct span){packed + at, 1}, at + 1 == len);
        if (i == 2) { /* this client takes no gzip: it is relayed decoded, under its credit */
            struct answer *a = answer_of(stream);
            CHECK(strstr(a->headers, "content-encoding") == NULL && a->length == -1);
            CHECK(a->body_bytes == HOST_WINDOW);
            a->window += 1 << 20;
            realm_credit(realm, stream, 1 << 20);
            turn_until_done(stream);
            CHECK(a->body_bytes == 1 << 20);
        } else {
            CHECK(strcmp(finish(stream), "1048576 gzip") == 0);
        }
    }
    for (int i = 0; i < 2; i++) {
        uint32_t stream = ask(PATHS[i]);
        reply(last_asked()->stream, 200, "content-encoding", "gzip", -1, false);
        realm_reply_body(realm, last_asked()->stream,
                         (struct span){i ? "no gzip at all" : packed, 14}, true);
        CHECK(strstr(finish(stream), "it is no valid gzip") != NULL);
    }
}

static void gzip_is_undone_for_who_reads_it(void)
{
    in_instance(FETCH "async def on_fetch(request):\n"
                      "    r = await fetch('http://up/')\n"
                      "    if 'relay' in request.url:\n"
                      "        return r\n"
                      "    n = 0\n"
                      "    if 'text' in request.url:\n"
                      "        n = len(await r.text())\n"
                      "    else:\n"
                      "        async for piece in r.body:\n"
                      "            n += piece.length\n"
                      "    return Response.new(f\"{n} {r.headers.get('content-encoding')}\")\n",
                check_gzip);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"sends_a_request_and_reads_its_reply", sends_a_request_and_reads_its_reply},
        {"relays_a_reply_under_the_clients_credit", relays_a_reply_under_the_clients_credit},
        {"relays_a_request_into_an_outcall", relays_a_request_into_an_outcall},
        {"failures_reject_before_and_behind_the_reply",
         failures_reject_before_and_behind_the_reply},
        {"ends_with_the_request_it_was_made_for", ends_with_the_request_it_was_made_for},
        {"a_signal_aborts_before_and_behind_the_reply",
         a_signal_aborts_before_and_behind_the_reply},
        {"a_client_that_leaves_aborts_the_requests_signal",
         a_client_that_leaves_aborts_the_requests_signal},
        {"further_calls_wait_for_room", further_calls_wait_for_room},
        {"gzip_is_undone_for_who_reads_it", gzip_is_undone_for_who_reads_it},
        {0},
    };

    start_realm(argv);
    return test_main("realm_outcall", TESTS, argc, argv);
}
