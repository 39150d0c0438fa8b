/* realm_worker.c - src/realm/py: loading a worker, calling its handlers, asyncio, output, errors. */
#include "realm_host.h"

/* ---- loading ---- */

static void loading_fails(const char *entry, void (*check)(const struct realm_failure *))
{
    pid_t template = fork_realm();
    struct realm_failure failure;
    uint32_t handlers = 0;

    if (template > 0) {
        wait_for_child(template);
        return;
    }
    CHECK(load_files(&(struct worker_files){.entry = entry, .more_name = "src/helper.py", .more_text = "x = 1\n\ndef f():\n    return 1 / 0\n"},
                     &handlers, &failure) == ERR_INVALID);
    check(&failure);
    if (test_failed_checks)
        printf("  kind %d text '%s' hint '%s' file '%s' %d:%d module '%s'\n%s\n", failure.kind, failure.text,
               failure.hint, failure.file, failure.line, failure.column, failure.module, failure.traceback);
    realm_failure_done(&failure);
    CHECK(failure.text == NULL);
    end_process();
}

static void is_syntax(const struct realm_failure *f)
{
    CHECK(f->kind == 1 && f->line == 2 && f->column == 10 && strcmp(f->file, "src/entry.py") == 0);
    CHECK(strstr(f->text, "src/entry.py:2:10: SyntaxError: ") && strstr(f->traceback, "    y = 1 +"));
    CHECK(strstr(f->traceback, "^") && strstr(f->traceback, "File \"src/entry.py\", line 2") && !strstr(f->traceback, "corral"));
    CHECK(strcmp(f->hint, "") == 0);
}

static void shows_where_the_syntax_is_wrong(void)
{
    loading_fails("def f():\n  y = 1 +\n", is_syntax);
}

static void needs_312(const struct realm_failure *f)
{
    CHECK(f->kind == 1 && strstr(f->hint, "needs Python 3.1") && strstr(f->hint, "make PYTHON_EMBED=python-3.1"));
}

static void says_when_source_needs_a_newer_python(void)
{
    loading_fails("type X = int\n", needs_312);
    loading_fails("def f[T](x: T) -> T: return x\n", needs_312);
    loading_fails("class C[T]: pass\n", needs_312);
    loading_fails("d = {}\nx = f'{d['a']}'\n", needs_312);
    loading_fails("try:\n    pass\nexcept ValueError, KeyError:\n    pass\n", needs_312);
    loading_fails("x = t'{1}'\n", needs_312);
}

static void is_package(const struct realm_failure *f)
{
    CHECK(f->kind == 2 && strcmp(f->module, "bs4") == 0);
    CHECK(strstr(f->hint, "add the line `beautifulsoup4` to requirements.txt"));
}

static void names_a_module_that_is_missing(void)
{
    loading_fails("import bs4\n", is_package);
}

static void is_unknown(const struct realm_failure *f)
{
    CHECK(f->kind == 2 && strcmp(f->module, "nowhere") == 0 && f->line == 2 && strstr(f->hint, "nowhere.py"));
    CHECK(strstr(f->traceback, "ModuleNotFoundError") && !strstr(f->traceback, "importlib"));
}

static void tells_how_to_add_an_unknown_module(void)
{
    loading_fails("import json\nimport nowhere.sub\n", is_unknown);
}

static void has_no_handler(const struct realm_failure *f)
{
    CHECK(f->kind == 4 && strcmp(f->text, "src/entry.py defines no fetch handler") == 0);
    CHECK(strstr(f->hint, "async def on_fetch(request, env)"));
}

static void wants_a_handler(void)
{
    loading_fails("x = 1\n", has_no_handler);
    loading_fails("on_fetch = 5\n", has_no_handler);
}

static void has_raised(const struct realm_failure *f)
{
    CHECK(f->kind == 3 && strcmp(f->file, "src/helper.py") == 0 && f->line == 4 && strstr(f->text, "ZeroDivisionError: division by zero"));
    CHECK(strstr(f->traceback, "Traceback (most recent call last):\n  File \"src/entry.py\", line 2, in <module>\n    helper.f()\n") == f->traceback);
}

static void has_exited(const struct realm_failure *f)
{
    CHECK(f->kind == 3 && strstr(f->text, "SystemExit"));
}

static void is_mute(const struct realm_failure *f)
{
    CHECK(f->kind == 3 && strstr(f->text, "src/entry.py raised while it was loaded: Mute"));
}

static void shows_what_top_level_code_raised(void)
{
    loading_fails("import helper\nhelper.f()\n", has_raised);
    loading_fails("raise SystemExit(0)\n", has_exited);
    loading_fails("class Mute(Exception):\n    def __str__(self): raise self\nraise Mute\n", is_mute);
}

/* ---- handlers ---- */

static void is_ok(void)
{
    const char *body = get("http://localhost/");

    if (strcmp(body, "ok") != 0)
        printf("  %s\n", body);
    CHECK(strcmp(body, "ok") == 0 && last_answer()->calls_after_done == 0);
}

static void calls_handlers_of_every_shape(void)
{
    in_instance("from js import Response\ndef on_fetch(request): return Response.new('ok')\n", is_ok);
    in_instance("from js import Response\nasync def on_fetch(request, env, ctx): return Response.new('ok')\n", is_ok);
    in_instance("from js import Response\nasync def on_fetch(*args): return Response.new('ok' if len(args) == 3 else 'no')\n", is_ok);
    in_instance("from js import Response, Promise\ndef on_fetch(request, env): return Promise.resolve(Response.new('ok'))\n", is_ok);
    in_instance("from workers import Response, WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        assert self.env is not None and self.ctx is not None\n        return Response('ok', headers={'a': 'b'})\n", is_ok);
    in_instance("import functools\nfrom js import Response\nclass H:\n    async def __call__(self, request, env): return Response.new('ok')\non_fetch = H()\n", is_ok);
}

static void check_module(void)
{
    CHECK(strcmp(get("http://x/"), "entry True True 1") == 0);
}

static void imports_the_bundle_as_modules(void)
{
    in_instance_of(&(struct worker_files){
                       .entry = "import sys, os\nfrom js import Response\nimport src.helper, helper\nasync def on_fetch(r): return Response.new(f'{__name__} {__file__.endswith(\"/src/entry.py\")} {sys.modules[\"entry\"].__file__ == __file__} {helper.x}')\n",
                       .more_name = "src/helper.py", .more_text = "x = 1\n"},
                   check_module);
}

static void check_exceptions(void)
{
    uint32_t stream = send_request("GET", "http://x/boom", 0, NULL, 0);
    struct answer *a = answer_of(stream);

    CHECK(a->is_done && a->is_failed && a->failure == HOST_EXCEPTION);
    CHECK(strcmp(a->failure_text, "Traceback (most recent call last):\n  File \"src/entry.py\", line 6, in on_fetch\n    inner()\n  File \"src/entry.py\", line 3, in inner\n    raise ValueError('boom \xc3\xa9')\nValueError: boom \xc3\xa9") == 0);
    CHECK(log_has("ValueError: boom"));
    CHECK(strstr(get("http://x/str"), "on_fetch returned a str ('hello'), not a Response. Return Response.new('hello')"));
    CHECK(last_answer()->failure == HOST_BAD_RESULT);
    CHECK(strstr(get("http://x/none"), "on_fetch returned None, not a Response"));
    CHECK(strstr(get("http://x/dict"), "returned a dict ({'a': 1})"));
    CHECK(strstr(get("http://x/headers"), "JsProxy"));
    CHECK(strstr(get("http://x/used"), "already been used") && last_answer()->failure == HOST_BAD_RESULT);
    CHECK(strstr(get("http://x/exit"), "SystemExit") && strstr(get("http://x/cancel"), "CancelledError"));
    CHECK(strstr(get("http://x/later"), "Traceback (most recent call last):\n  File \"src/entry.py\"") && strstr(last_answer()->failure_text, "KeyError: 'k'"));
    CHECK(strstr(get("http://x/reject"), "JsException: Error: text"));
    CHECK(strcmp(get("http://x/"), "fine") == 0);
}

static void turns_exceptions_and_bad_results_into_failures(void)
{
    in_instance("from js import Response, Headers, Promise\ndef inner():\n    raise ValueError('boom \xc3\xa9')\nasync def on_fetch(request):\n    if request.url.endswith('boom'):\n        inner()\n"
                "    import asyncio\n    u = request.url\n    if u.endswith('str'): return 'hello'\n    if u.endswith('none'): return None\n    if u.endswith('dict'): return {'a': 1}\n    if u.endswith('headers'): return Headers.new()\n"
                "    if u.endswith('used'):\n        r = Response.new('x'); await r.text(); return r\n    if u.endswith('exit'): raise SystemExit(3)\n    if u.endswith('cancel'): raise asyncio.CancelledError\n"
                "    if u.endswith('later'):\n        await asyncio.sleep(0.001); {}['k']\n    if u.endswith('reject'): await Promise.reject('text')\n    return Response.new('fine')\n", check_exceptions);
}

static void check_sources(void)
{
    CHECK(strstr(get("http://x/"), "    return 1 / 0\n           ~~^~~\nZeroDivisionError"));
}

static void shows_sources_that_can_no_longer_be_read(void)
{
    in_instance_of(&(struct worker_files){
                       .entry = "import os, helper\nasync def on_fetch(r):\n    os.remove(helper.__file__)\n    helper.f()\n",
                       .more_name = "src/helper.py", .more_text = "def f():\n    return 1 / 0\n"},
                   check_sources);
}

static void runs_asyncio(void)
{
    in_instance("import asyncio, contextvars, time\nfrom js import Response\nvar = contextvars.ContextVar('v', default=0)\n"
                "async def child(n):\n    var.set(n); await asyncio.sleep(0.001 * n); return var.get()\n"
                "async def on_fetch(request):\n"
                "    loop = asyncio.get_running_loop(); assert asyncio.get_event_loop() is loop and loop.is_running() and not loop.is_closed()\n"
                "    assert isinstance(asyncio.current_task(), asyncio.Task) and asyncio.current_task() in asyncio.all_tasks()\n"
                "    assert await asyncio.gather(child(3), child(1), child(2)) == [3, 1, 2] and var.get() == 0\n"
                "    try: await asyncio.wait_for(asyncio.sleep(9), 0.005)\n    except asyncio.TimeoutError: pass\n    else: raise AssertionError\n"
                "    async with asyncio.timeout(1): pass\n"
                "    t = asyncio.create_task(asyncio.sleep(9), name='mine'); assert t.get_name() == 'mine'; t.cancel()\n"
                "    try: await t\n    except asyncio.CancelledError: pass\n"
                "    got = []; h = loop.call_later(0.001, got.append, 'no'); h.cancel(); assert h.cancelled(); loop.call_at(loop.time() + 0.002, got.append, 'at'); loop.call_soon(lambda *a: got.append(a), 1, 2)\n"
                "    await asyncio.sleep(0.006); assert got == [(1, 2), 'at'], got\n"
                "    async with asyncio.TaskGroup() as g: a = g.create_task(child(1))\n    assert a.result() == 1\n"
                "    q = asyncio.Queue(); loop.call_soon_threadsafe(q.put_nowait, 5); assert await q.get() == 5\n"
                "    try: asyncio.run(child(1))\n    except RuntimeError: pass\n    else: raise AssertionError\n"
                "    r = await loop.run_in_executor(None, lambda: (time.sleep(0.01), 7)[1]); assert r == 7\n"
                "    async with asyncio.Lock(): pass\n"
                "    seen = []; loop.set_exception_handler(lambda l, c: seen.append(c['exception'])); loop.call_soon(lambda: 1 / 0); await asyncio.sleep(0.001); assert isinstance(seen[0], ZeroDivisionError)\n"
                "    return Response.new('ok')\n", is_ok);
}

static void check_interleaved(void)
{
    uint32_t first = send_request("GET", "http://x/a", 0, NULL, 0), second = send_request("GET", "http://x/b", 0, NULL, 0);

    CHECK(!answer_of(first)->is_done && !answer_of(second)->is_done);
    turn_until_done(first);
    turn_until_done(second);
    CHECK(strcmp(body_of(first), "http://x/a 2") == 0 && strcmp(body_of(second), "http://x/b 2") == 0);
    CHECK(log_has("[1:1] begin http://x/a\n") && log_has("[1:2] begin http://x/b\n") && log_has("[1:1] end http://x/a\n"));
    CHECK(log_has("[3:1] half a line") && log_has("[1:2] js http://x/b\n"));
}

static void serves_many_requests_at_once(void)
{
    in_instance("import asyncio, sys\nfrom js import Response, console\ncount = 0\n"
                "async def on_fetch(request):\n    global count\n    count += 1\n    print('begin', request.url)\n    await asyncio.sleep(0.01)\n"
                "    print('end', request.url); console.log('js ' + request.url)\n    print('half', end=' ', file=sys.stderr); sys.stderr.write('a line')\n    return Response.new(f'{request.url} {count}')\n", check_interleaved);
}

static void check_wait_until(void)
{
    uint32_t stream = send_request("GET", "http://x/", 0, NULL, 0);

    CHECK(answer_of(stream)->is_ended && !answer_of(stream)->is_done);
    turn_until_done(stream);
    CHECK(log_has("background") && log_has("waitUntil: Traceback (most recent call last):") && log_has("ValueError: lost"));
    CHECK(strcmp(body_of(stream), "answered") == 0);
}

static void wait_until_runs_to_its_end(void)
{
    in_instance("import asyncio\nfrom js import Response\n"
                "async def back():\n    await asyncio.sleep(0.02); print('background')\nasync def lose(): raise ValueError('lost')\n"
                "async def on_fetch(request, env, ctx):\n    ctx.passThroughOnException(); ctx.waitUntil(back()); ctx.waitUntil(lose())\n    return Response.new('answered')\n", check_wait_until);
}

static void check_fair(void)
{
    uint32_t busy = send_request("GET", "http://x/busy", 0, NULL, 0);

    CHECK(!answer_of(busy)->is_done);
    CHECK(realm_turn(realm) == 0);
    CHECK(strcmp(get("http://x/"), "quick") == 0);
    realm_abort(realm, busy);
}

static void a_task_that_always_yields_starves_nobody(void)
{
    in_instance("import asyncio\nfrom js import Response\nasync def on_fetch(request):\n    while request.url.endswith('busy'): await asyncio.sleep(0)\n    return Response.new('quick')\n", check_fair);
}

static void check_turn(void)
{
    for (int i = 0; i < 10 && realm_turn(realm) == 0; i++)
        continue;   /* what is left of loading */
    uint32_t stream = send_request("GET", "http://x/", 0, NULL, 0);
    int due_ms = realm_turn(realm);
    CHECK(due_ms > 60 * 1000 && due_ms <= 120 * 1000 && !answer_of(stream)->is_done);
    realm_abort(realm, stream);
}

static void turn_says_when_something_is_due(void)
{
    in_instance("import asyncio\nfrom js import Response\nasync def on_fetch(request):\n    await asyncio.sleep(120)\n    return Response.new('x')\n", check_turn);
}

static void waits_for_what_a_handler_returned_without_await(void)
{
    in_instance("from js import Response, Promise\nasync def on_fetch(request): return Promise.resolve(Response.new('ok'))\n", is_ok);
    in_instance("import asyncio\nfrom js import Response\nasync def inner():\n    await asyncio.sleep(0.001)\n    return Response.new('ok')\n"
                "async def middle(): return inner()\nasync def on_fetch(request): return middle()\n", is_ok);
    in_instance("import asyncio\nfrom js import Response\nasync def inner(): return Response.new('ok')\n"
                "async def on_fetch(request):\n    await asyncio.sleep(0.001)\n    return asyncio.create_task(inner())\n", is_ok);
}

static void check_late_reader(void)
{
    uint32_t stream = send_request("POST", "http://x/", 100, NULL, 0);

    turn_until_done(stream);
    TURN_UNTIL(log_has("text: JsException") && log_has("chunk: JsException"));
    CHECK(strcmp(body_of(stream), "answered") == 0 && answer_of(stream)->is_unwanted);
}

/* A task that nothing waits for reads a body which nobody sends any more. */
static void readers_of_a_body_that_is_gone_get_an_error(void)
{
    in_instance("import asyncio\nfrom js import Response\n"
                "async def read(name, promise):\n    try: await promise\n    except Exception as e: print(f'{name}: {type(e).__name__}')\n"
                "async def on_fetch(request):\n    asyncio.create_task(read('text', request.text()))\n"
                "    await asyncio.sleep(0)\n    print('chunk: JsException')\n    return Response.new('answered')\n", check_late_reader);
    in_instance("import asyncio\nfrom js import Response\n"
                "async def read(name, promise):\n    try: await promise\n    except Exception as e: print(f'{name}: {type(e).__name__}')\n"
                "async def on_fetch(request):\n    asyncio.create_task(read('chunk', request.body.getReader().read()))\n"
                "    await asyncio.sleep(0)\n    print('text: JsException')\n    return Response.new('answered')\n", check_late_reader);
}

static void check_threads(void)
{
    CHECK(strcmp(get("http://x/"), "ok") == 0);
    CHECK(log_has("a line of a thread\n") && log_has("ZeroDivisionError") && log_has("without an end"));
    CHECK(log_has("bytes of output of threads were dropped"));
}

/* The host is told on the main thread: see on_log. */
static void logs_the_output_of_threads(void)
{
    in_instance("import asyncio, sys, threading\nfrom js import Response\n"
                "def run(): print('a line of a thread'); sys.stderr.write('without an end'); 1 / 0\n"
                "def flood():\n    for _ in range(10): print('x' * 1000000)\n"
                "async def on_fetch(request):\n"
                "    for f in run, flood: t = threading.Thread(target=f); t.start(); t.join()\n"
                "    await asyncio.to_thread(print, 'x')\n    return Response.new('ok')\n", check_threads);
}

static void serves_fastapi(void)
{
    in_instance("import sys\nsys.path.append('/usr/lib/python3/dist-packages')\nfrom js import Response\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\nasync def root(): return {'a': 1}\n@app.get('/sync')\ndef sync(): return 's'\n"
                "async def ask(path):\n    sent = []\n    async def send(m): sent.append(m)\n    async def recv(): return {'type': 'http.request', 'body': b'', 'more_body': False}\n"
                "    await app({'type': 'http', 'asgi': {'version': '3.0'}, 'method': 'GET', 'path': path, 'raw_path': path.encode(), 'query_string': b'', 'headers': [], 'http_version': '1.1', 'scheme': 'http', 'server': ('x', 80), 'client': ('a', 1)}, recv, send)\n    return sent[1]['body']\n"
                "async def on_fetch(request):\n    assert await ask('/') == b'{\"a\":1}' and await ask('/sync') == b'\"s\"'\n    return Response.new('ok')\n", is_ok);
}

static const struct test tests[] = {
    {"shows_where_the_syntax_is_wrong", shows_where_the_syntax_is_wrong},
    {"says_when_source_needs_a_newer_python", says_when_source_needs_a_newer_python},
    {"names_a_module_that_is_missing", names_a_module_that_is_missing},
    {"tells_how_to_add_an_unknown_module", tells_how_to_add_an_unknown_module},
    {"wants_a_handler", wants_a_handler},
    {"shows_what_top_level_code_raised", shows_what_top_level_code_raised},
    {"calls_handlers_of_every_shape", calls_handlers_of_every_shape},
    {"imports_the_bundle_as_modules", imports_the_bundle_as_modules},
    {"turns_exceptions_and_bad_results_into_failures", turns_exceptions_and_bad_results_into_failures},
    {"shows_sources_that_can_no_longer_be_read", shows_sources_that_can_no_longer_be_read},
    {"runs_asyncio", runs_asyncio},
    {"serves_many_requests_at_once", serves_many_requests_at_once},
    {"wait_until_runs_to_its_end", wait_until_runs_to_its_end},
    {"a_task_that_always_yields_starves_nobody", a_task_that_always_yields_starves_nobody},
    {"turn_says_when_something_is_due", turn_says_when_something_is_due},
    {"waits_for_what_a_handler_returned_without_await", waits_for_what_a_handler_returned_without_await},
    {"readers_of_a_body_that_is_gone_get_an_error", readers_of_a_body_that_is_gone_get_an_error},
    {"logs_the_output_of_threads", logs_the_output_of_threads},
    {"serves_fastapi", serves_fastapi},
    {0},
};

int main(int argc, char **argv)
{
    start_realm(argv);
    return test_main("realm_worker", tests, argc, argv);
}
