/* realm_memory.c - a realm that serves for long: what requests leave behind on either side of the bridge. */
#include "realm_host.h"

enum { SETTLED = 8000, GROWTH_KB = 8 * 1024 };

/* A leak of 200 bytes each is 10 MB from one half of them to the other; a page is noise, and so is what is left of
 * the collector's cycles, which are long where there is little garbage. */
static int requests(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 4000;    /* these never return freed memory: only that it all works */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return 4000;
#endif
#endif
    return 100000;
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        abort();
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void forget_answers(void)
{
    for (int i = 0; i < ANSWERS_MAX; i++) {
        buf_done(&recorder.answers[i].body);
        recorder.answers[i] = (struct answer){0};
    }
    buf_done(&recorder.log);
    buf_init(&recorder.log);
}

static void ask(void)
{
    static const struct host_pair headers[] = {{{"X-One", 5}, {"1", 1}}, {{"Cookie", 6}, {"a=b", 3}}};
    uint32_t stream = send_request("POST", "http://localhost/", 8, headers, 2);

    realm_request_body(realm, stream, SPAN("{\"a\":"), false);
    realm_request_body(realm, stream, SPAN("[1]"), false);
    realm_request_body(realm, stream, SPAN("}"), true);
    do {
        realm_turn(realm);
        realm_idle(realm);
    } while (!answer_of(stream)->is_done);
    forget_answers();
}

static int count;

/* The least that it was in so many requests: where the collector's cycle stands does not matter. */
static long lowest_kb(int some)
{
    long lowest = resident_kb(), now;

    for (int i = 0; i < some; i++) {
        ask();
        now = i % 100 == 0 ? resident_kb() : lowest;
        lowest = now < lowest ? now : lowest;
    }
    return lowest;
}

static void check_flat(void)
{
    long before, after;

    for (int i = 0; i < SETTLED && i < count; i++)
        ask();
    before = lowest_kb(count / 2);
    after = lowest_kb(count - count / 2);
    if (requests() == 100000 && after > before + GROWTH_KB)
        printf("  %d requests: from %ld to %ld KB\n", count, before, after);
    CHECK(requests() < 100000 || after <= before + GROWTH_KB);
}

static void is_flat(int some, const char *statements)
{
    char entry[2048];

    count = some;
    snprintf(entry, sizeof entry,
             "import asyncio, js\nfrom js import Response, Headers, Promise\nfrom pyodide.ffi import create_proxy, to_js\n"
             "async def later(): await asyncio.sleep(0)\n"
             "def boom(): raise ValueError('boom')\n"
             "catch = js.eval('(f) => { try { return f(); } catch (e) { return String(e).length; } }')\n"
             "async def on_fetch(request, env, ctx):\n%s    return Response.new('x')\n", statements);
    in_instance(entry, check_flat);
}

static void hundred_thousand_requests_leave_nothing_behind(void)
{
    is_flat(requests(), "    request.url, [list(pair) for pair in request.headers]\n"
                        "    return Response.new(request.method, status=201, headers=Headers.new({'a': request.headers.get('x-one')}.items()))\n");
}

static void awaited_promises_and_bodies_leave_nothing_behind(void)
{
    is_flat(requests() / 8, "    (await request.json()).to_py(), await Promise.resolve(1)\n"
                            "    await asyncio.gather(later(), asyncio.wait_for(later(), 5))\n"
                            "    ctx.waitUntil(later()), js.setTimeout(lambda: None, 0)\n");
    is_flat(requests() / 8, "    return Response.new(request.body)\n");
}

static void exceptions_leave_nothing_behind(void)
{
    is_flat(requests() / 8, "    catch(boom)\n    try: await Promise.reject('no')\n    except Exception: pass\n    js.JSON.parse('{')\n");
    is_flat(requests() / 8, "    return 5\n");
}

static void converted_values_leave_nothing_behind(void)
{
    is_flat(requests() / 2, "    create_proxy(boom), to_js({'a': [1, {'b': b'c'}, 2**70]})\n    return Response.new({'a': 1})\n");
}

/* To JavaScript's collector a Python object is a few bytes, whatever it holds. */
static void big_python_values_are_collected_in_time(void)
{
    is_flat(3000, "    return Response.new(bytes(100000))\n");
    is_flat(3000, "    js.Number.isNaN(bytes(100000)), js.Number.isNaN([0] * 10000)\n");
    is_flat(1, "    for _ in range(3000): js.Number.isNaN(bytes(100000))\n");
}

static const struct test tests[] = {
    {"hundred_thousand_requests_leave_nothing_behind", hundred_thousand_requests_leave_nothing_behind},
    {"awaited_promises_and_bodies_leave_nothing_behind", awaited_promises_and_bodies_leave_nothing_behind},
    {"exceptions_leave_nothing_behind", exceptions_leave_nothing_behind},
    {"converted_values_leave_nothing_behind", converted_values_leave_nothing_behind},
    {"big_python_values_are_collected_in_time", big_python_values_are_collected_in_time},
    {0},
};

int main(int argc, char **argv)
{
    start_realm(argv);
    return test_main("realm_memory", tests, argc, argv);
}
