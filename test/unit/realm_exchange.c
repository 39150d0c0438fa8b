/* realm_exchange.c - src/realm/exchange.c: bodies both ways, credit, abort, the end. */
#include "base/mem.h"
#include "realm/exchange.h"
#include "realm_host.h"

#define MB (1024 * 1024)

static char chunk[64 * 1024];

/* Send `total` bytes as the host may: never more than the window; give credit for what comes back. */
static void upload(uint32_t stream, uint64_t total)
{
    struct answer *a = answer_of(stream);
    uint64_t sent = 0, taken = 0;
    int idle = 0;

    while (sent < total && !a->is_unwanted && idle < 200) {
        uint64_t room = HOST_WINDOW + a->credit - sent, n = total - sent;
        n = n < sizeof chunk ? n : sizeof chunk;
        if (n <= room) {
            sent += n;
            realm_request_body(realm, stream, (struct span){chunk, n}, sent == total);
            idle = 0;
        } else {
            idle++;
        }
        realm_turn(realm);
        if (a->body_bytes > taken) {
            uint32_t more = (uint32_t)(a->body_bytes - taken);
            taken = a->body_bytes;
            a->window += more;
            realm_credit(realm, stream, more);
        }
    }
    for (int i = 0; i < 200 && !a->is_done; i++) {
        realm_turn(realm);
        if (a->body_bytes > taken) {
            uint32_t more = (uint32_t)(a->body_bytes - taken);
            taken = a->body_bytes;
            a->window += more;
            realm_credit(realm, stream, more);
        }
    }
}

static long resident_kb(void)
{
    long pages = 0, unused;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%ld %ld", &unused, &pages) != 2)
        abort();
    fclose(f);
    return pages * 4;
}

static void check_echo(void)
{
    uint64_t total = 100ull * MB;
    long before = resident_kb();
    uint32_t stream = send_request("POST", "http://x/", (int64_t)total, NULL, 0);

    recorder.keeps_no_body = true;
    upload(stream, total);
    CHECK(answer_of(stream)->is_done && answer_of(stream)->body_bytes == total);
    CHECK(answer_of(stream)->length == (int64_t)total && answer_of(stream)->is_ended);
    CHECK(resident_kb() - before < 32 * 1024);
}

static void relays_100_mb_in_flat_memory(void)
{
    in_instance("from js import Response\nasync def on_fetch(request):\n    return Response.new(request.body)\n", check_echo);
}

static void check_pump(void)
{
    uint64_t total = 20ull * MB;
    long before = resident_kb();
    uint32_t stream = send_request("POST", "http://x/", -1, NULL, 0);

    recorder.keeps_no_body = true;
    upload(stream, total);
    CHECK(answer_of(stream)->is_done && answer_of(stream)->body_bytes == total);
    CHECK(answer_of(stream)->length == -1);
    CHECK(resident_kb() - before < 64 * 1024);
}

static void pumps_a_stream_through_javascript(void)
{
    in_instance("import js\nfrom js import Response\n"
                "wrap = js.eval('(s) => { const r = s.getReader(); return new ReadableStream({ async pull(c) { const { value, done } = await r.read(); if (done) c.close(); else c.enqueue(value); } }, { highWaterMark: 0 }); }')\n"
                "async def on_fetch(request):\n    return Response.new(wrap(request.body))\n", check_pump);
}

static void check_collect(void)
{
    uint32_t stream = send_request("POST", "http://x/", 3 * MB, NULL, 0);

    upload(stream, 3 * MB);
    CHECK(answer_of(stream)->is_done && strcmp(body_of(stream), "3145728") == 0);
    CHECK(answer_of(stream)->credit > 2 * MB);
    stream = send_request("POST", "http://x/json", 13, NULL, 0);
    realm_request_body(realm, stream, SPAN("{\"a\": "), false);
    realm_request_body(realm, stream, SPAN("[1, 2]}"), true);
    turn_until_done(stream);
    CHECK(strcmp(body_of(stream), "2") == 0);
    stream = send_request("DELETE", "http://x/bad", 1, NULL, 0);
    realm_request_body(realm, stream, SPAN("{"), true);
    turn_until_done(stream);
    CHECK(strcmp(body_of(stream), "SyntaxError") == 0);
    stream = send_request("POST", "http://x/chunks", 6, NULL, 0);
    realm_request_body(realm, stream, SPAN("abc"), false);
    turn_for(5);
    realm_request_body(realm, stream, SPAN("def"), true);
    turn_until_done(stream);
    CHECK(strcmp(body_of(stream), "abc,def") == 0);
}

static void collects_and_reads_bodies(void)
{
    in_instance("from js import Response\nfrom pyodide.ffi import JsException\n"
                "async def on_fetch(request):\n"
                "    if request.url.endswith('json'):\n        return Response.new(str((await request.json()).a[1]))\n"
                "    if request.url.endswith('bad'):\n"
                "        try: await request.json()\n"
                "        except JsException as e: return Response.new(e.name)\n"
                "    if request.url.endswith('chunks'):\n"
                "        return Response.new(','.join([c.to_string() async for c in request.body]))\n"
                "    return Response.new(str(len(await request.text())))\n", check_collect);
}

static void check_never_asks_for_more(void)
{
    uint32_t stream = send_request("POST", "http://x/", 10 * MB, NULL, 0);

    for (int i = 0; i < 4; i++)
        realm_request_body(realm, stream, (struct span){chunk, sizeof chunk}, false);
    turn_for(20);
    CHECK(answer_of(stream)->credit <= 65536);      /* one read, one chunk */
    realm_abort(realm, stream);
    CHECK(strcmp(get("http://x/go"), "it goes on") == 0);
    turn_until_done(stream);
    CHECK(answer_of(stream)->status == 0 && !answer_of(stream)->is_failed);
    CHECK(log_has("cut off"));
}

static void gives_credit_only_for_what_was_read(void)
{
    in_instance("import asyncio\nfrom js import Response\ngo = asyncio.Event()\n"
                "async def on_fetch(request):\n"
                "    if request.url.endswith('go'):\n        go.set(); return Response.new('it goes on')\n"
                "    r = request.body.getReader(); await r.read(); await go.wait()\n"
                "    while True:\n        s = await r.read()\n        if s.done: break\n"
                "    return Response.new('x')\n", check_never_asks_for_more);
}

static void check_unread(void)
{
    uint32_t stream = send_request("POST", "http://x/", 10 * MB, NULL, 0);

    realm_request_body(realm, stream, (struct span){chunk, sizeof chunk}, false);
    turn_until_done(stream);
    CHECK(answer_of(stream)->is_unwanted && answer_of(stream)->status == 200);
    realm_request_body(realm, stream, (struct span){chunk, sizeof chunk}, true);
    stream = send_request("POST", "http://x/wait", 10 * MB, NULL, 0);
    TURN_UNTIL(answer_of(stream)->is_unwanted);
    turn_for(20);
    CHECK(!answer_of(stream)->is_done);
    CHECK(strcmp(get("http://x/go"), "x") == 0);
    turn_until_done(stream);
    stream = send_request("POST", "http://x/fail", 10 * MB, NULL, 0);
    turn_until_done(stream);
    CHECK(answer_of(stream)->is_unwanted && answer_of(stream)->is_failed);
    stream = send_request("POST", "http://x/late", 2, NULL, 0);
    turn_for(10);
    realm_request_body(realm, stream, SPAN("ok"), true);
    turn_until_done(stream);
    CHECK(!answer_of(stream)->is_unwanted && log_has("late: ok"));
}

static void says_when_a_body_is_unwanted(void)
{
    in_instance("import asyncio\nfrom js import Response\ngo = asyncio.Event()\n"
                "async def late(request): print('late:', await request.text())\n"
                "async def on_fetch(request, env, ctx):\n"
                "    if request.url.endswith('fail'): raise ValueError\n"
                "    if request.url.endswith('wait'): ctx.waitUntil(go.wait())\n"
                "    if request.url.endswith('go'): go.set()\n"
                "    if request.url.endswith('late'): ctx.waitUntil(late(request))\n"
                "    return Response.new('x')\n", check_unread);
}

static void check_window(void)
{
    uint32_t stream = send_request("GET", "http://x/", 0, NULL, 0);
    struct answer *a = answer_of(stream);

    CHECK(a->status == 200 && a->length == 1000000 && a->body_bytes == HOST_WINDOW && !a->is_done);
    for (int i = 0; i < 100 && !a->is_done; i++) {
        a->window += 10000;
        realm_credit(realm, stream, 10000);
    }
    CHECK(a->is_done && a->is_ended && a->body_bytes == 1000000);
    stream = send_request("GET", "http://x/endless", 0, NULL, 0);
    TURN_UNTIL(answer_of(stream)->body_bytes == HOST_WINDOW);
    turn_for(30);
    a = answer_of(stream);
    CHECK(a->body_bytes == HOST_WINDOW && a->length == -1);
    realm_abort(realm, stream);
    turn_until_done(stream);
    CHECK(a->calls_after_done == 0 && log_has("stream cancelled"));
    stream = send_request("GET", "http://x/breaks", 0, NULL, 0);
    turn_until_done(stream);
    a = answer_of(stream);
    CHECK(a->status == 200 && a->is_failed && a->failure == HOST_BODY && strstr(a->failure_text, "halfway"));
    stream = send_request("GET", "http://x/words", 0, NULL, 0);
    turn_until_done(stream);
    CHECK(answer_of(stream)->failure == HOST_BODY && strstr(answer_of(stream)->failure_text, "must give bytes"));
    stream = send_request("GET", "http://x/python", 0, NULL, 0);
    turn_until_done(stream);
    CHECK(strcmp(body_of(stream), "from python") == 0);
}

static void sends_no_more_than_the_credit(void)
{
    in_instance("import js\nfrom js import Response, console\n"
                "make = js.eval('(pull, cancel) => new ReadableStream({ pull, cancel })')\n"
                "endless = js.eval('(c) => c.enqueue(new Uint8Array(50000))')\n"
                "breaks = js.eval('(() => { let n = 0; return (c) => { if (n++) throw new Error(\"halfway\"); c.enqueue(new Uint8Array(5)); }; })()')\n"
                "def py(c):\n    c.enqueue(b'from '); c.enqueue(b'python'); c.close()\n"
                "async def on_fetch(request):\n"
                "    u = request.url\n"
                "    if 'endless' in u: return Response.new(make(endless, lambda why: print('stream cancelled')))\n"
                "    if 'breaks' in u: return Response.new(make(breaks, None))\n"
                "    if 'words' in u: return Response.new(make(lambda c: c.enqueue('text'), None))\n"
                "    if 'python' in u: return Response.new(make(py, None))\n"
                "    return Response.new('y' * 1000000)\n", check_window);
}

static void check_abort(void)
{
    uint32_t stream = send_request("POST", "http://x/", 100, NULL, 0);

    realm_abort(realm, stream);
    realm_abort(realm, stream);
    turn_until_done(stream);
    CHECK(answer_of(stream)->status == 0 && !answer_of(stream)->is_failed && answer_of(stream)->calls_after_done == 0);
    CHECK(log_has("went on"));
    realm_request_body(realm, stream, SPAN("late"), true);
    realm_credit(realm, stream, 5);
    realm_abort(realm, stream);
    realm_abort(realm, 4242);
    CHECK(strcmp(get("http://x/again"), "done") == 0);
}

static void goes_on_after_an_abort(void)
{
    in_instance("import asyncio\nfrom js import Response\n"
                "async def on_fetch(request):\n    await asyncio.sleep(0.01); print('went on')\n    return Response.new('done')\n", check_abort);
}

static void check_kept(void)
{
    struct host_pair header = {{"A", 1}, {"b", 1}};
    uint32_t stream = send_request("GET", "http://x/first", 0, &header, 1);

    CHECK(answer_of(stream)->is_done);
    CHECK(strcmp(get("http://x/second"), "http://x/first b") == 0);
}

static void requests_outlive_their_exchange(void)
{
    in_instance("from js import Response\nkept = []\n"
                "async def on_fetch(request):\n    kept.append(request)\n    if len(kept) > 1: return Response.new(kept[0].url + ' ' + kept[0].headers.get('a'))\n    return Response.new('')\n", check_kept);
}

static void check_memory(void)
{
    int failed = 0;

    for (long n = 0; n < 200; n++) {
        uint32_t stream;
        struct answer *a;
        memset(recorder.answers, 0, sizeof recorder.answers);
        stream = next_stream;
        answer_of(stream);
        mem_fail_after(n);
        send_request("POST", "http://x/", 2, NULL, 0);
        realm_request_body(realm, stream, SPAN("ok"), true);
        for (int i = 0; i < 20 && !answer_of(stream)->is_done; i++)
            realm_turn(realm);
        mem_fail_after(-1);
        for (int i = 0; i < 20 && !answer_of(stream)->is_done; i++)
            realm_turn(realm);
        a = answer_of(stream);
        CHECK(a->is_done && a->calls_after_done == 0);
        failed += a->is_failed;
        if (!a->is_failed && a->status == 200 && n > 50)
            break;
    }
    CHECK(failed > 0 && strcmp(get("http://x/none"), "answer: ") == 0);
}

static void ends_every_request_without_memory(void)
{
    in_instance("from js import Response\nasync def on_fetch(request):\n    return Response.new('answer: ' + await request.text(), headers=[])\n", check_memory);
}

static unsigned rounds_of(const char *lines)
{
    char copy[200];
    struct head head = {.lines = {copy, strlen(lines)}};

    memcpy(copy, lines, head.lines.len);
    return head_rounds(&head);
}

static void counts_the_rounds_of_a_request(void)
{
    CHECK(rounds_of("") == 0);
    CHECK(rounds_of("cdn-loop\ncorral; rounds=3\n") == 3);
    CHECK(rounds_of("host\nx\ncdn-loop\ncloudflare; loops=1, corral; rounds=16,other\nx-a\n1\n") == 16);
    CHECK(rounds_of("cdn-loop\ncorral; rounds=2\ncdn-loop\ncorral; rounds=5\n") == 5);
    /* What nobody here has written. */
    CHECK(rounds_of("cdn-loop\ncorral; rounds=\n") == 0);
    CHECK(rounds_of("cdn-loop\ncorral; rounds=x7\n") == 0);
    CHECK(rounds_of("cdn-loop\n,, ,corral\n") == 0);
    CHECK(rounds_of("cdn-loop\ncorral; rounds=99999999999999999999\n") >= HEAD_ROUNDS_MAX);
    CHECK(rounds_of("x-cdn-loop\ncorral; rounds=3\n") == 0);
    CHECK(rounds_of("cdn-loop-x\ncorral; rounds=3\n") == 0);
    CHECK(rounds_of("a\ncdn-loop\nb\ncorral; rounds=3\n") == 0);
}

static const struct test tests[] = {
    {"counts_the_rounds_of_a_request", counts_the_rounds_of_a_request},
    {"relays_100_mb_in_flat_memory", relays_100_mb_in_flat_memory},
    {"pumps_a_stream_through_javascript", pumps_a_stream_through_javascript},
    {"collects_and_reads_bodies", collects_and_reads_bodies},
    {"gives_credit_only_for_what_was_read", gives_credit_only_for_what_was_read},
    {"says_when_a_body_is_unwanted", says_when_a_body_is_unwanted},
    {"sends_no_more_than_the_credit", sends_no_more_than_the_credit},
    {"goes_on_after_an_abort", goes_on_after_an_abort},
    {"requests_outlive_their_exchange", requests_outlive_their_exchange},
    {"ends_every_request_without_memory", ends_every_request_without_memory},
    {0},
};

int main(int argc, char **argv)
{
    start_realm(argv);
    return test_main("realm_exchange", tests, argc, argv);
}
