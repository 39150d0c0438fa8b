"""Handlers, their errors, their output and asyncio: docs/compatibility.md names these tests."""
import re
import textwrap

import pytest

from harness import LAB, ONE, WRANGLER, lab_code, until, text

pytestmark = pytest.mark.asan
LAB_ENV = ONE      # where one request opens what another waits at


# ---- handlers ----

HANDLERS = {
    "one": "async def on_fetch(request):\n    return Response.new('one')\n",
    "two": "async def on_fetch(request, env):\n    return Response.new('two ' + env.WORD)\n",
    "three": "async def on_fetch(request, env, ctx):\n    return Response.new('three ' + str(ctx is not None))\n",
    "sync": "def on_fetch(request):\n    return Response.new('sync')\n",
    "defaults": "async def on_fetch(request, env=None, *more):\n    return Response.new('defaults %d' % len(more))\n",
    "returns an awaitable": "async def later():\n    return Response.new('later')\n\ndef on_fetch(request):\n    return later()\n",
}
SAYS = {"one": "one", "two": "two up", "three": "three True", "sync": "sync", "defaults": "defaults 1",
        "returns an awaitable": "later"}


@pytest.mark.parametrize("kind", HANDLERS)
def test_handler_shapes(corral, kind):
    one = corral({"src/entry.py": "from js import Response\n\n" + HANDLERS[kind],
                  "wrangler.toml": WRANGLER.format(name="x") + '[vars]\nWORD = "up"\n'})
    assert one.get().text == SAYS[kind]


CLASSES = {
    "fetch": ("from js import Response", "async def fetch(self, request):\n        return Response.new('fetch ' + self.env.WORD)"),
    "sync": ("from js import Response", "def fetch(self, request):\n        return Response.new('fetch ' + self.env.WORD)"),
    "three": ("from js import Response", "async def fetch(self, request, env, ctx):\n"
              "        assert ctx is self.ctx\n        return Response.new('fetch ' + env.WORD)"),
    "workers.Response": ("from workers import Response", "async def fetch(self, request):\n        return Response('fetch ' + self.env.WORD)"),
}


@pytest.mark.parametrize("kind", CLASSES)
def test_class_default(corral, kind):
    imports, method = CLASSES[kind]
    one = corral({"src/entry.py": "from workers import WorkerEntrypoint\n%s\n\nclass Default(WorkerEntrypoint):\n    %s\n" % (imports, method),
                  "wrangler.toml": WRANGLER.format(name="x").replace("2024-03-29", "2025-12-01") + '[vars]\nWORD = "up"\n'})
    assert one.get().text == "fetch up"


def test_class_default_is_made_anew_for_each_request(corral):
    one = corral("from workers import Response, WorkerEntrypoint\nmade = 0\n\nclass Default(WorkerEntrypoint):\n"
                 "    def __init__(self, ctx, env):\n        global made\n        super().__init__(ctx, env)\n        made += 1\n"
                 "        self.n = made\n\n    async def fetch(self, request):\n        return Response(str(self.n))\n", env=ONE)
    connection = one.connection()
    assert [one.request("GET", "/", connection=connection).text for _ in range(3)] == ["1", "2", "3"]
    connection.close()


def test_class_default_beside_on_fetch_is_refused(corral):
    one = corral("from workers import WorkerEntrypoint\n\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        pass\n\n"
                 "async def on_fetch(request):\n    pass\n", ready=False)
    one.wait_log("Cannot define multiple default entrypoints")


def test_wait_until_runs_on_after_the_answer(lab):
    before = lab.mark()
    assert text(lab, """
        gate = sys.gate = asyncio.Event()
        async def back():
            await gate.wait()
            print("ran on")
        ctx.waitUntil(back())
        return Response.new("answered")
    """) == "answered"
    assert "ran on" not in "\n".join(lab.log_lines()[before:])

    def opened():
        lab.run("if hasattr(sys, 'gate'): sys.gate.set()\nreturn Response.new('x')")
        return "ran on" in "\n".join(lab.log_lines()[before:])
    until("what waitUntil was given ends", opened)


def test_wait_until_takes_promises_and_logs_what_fails(lab):
    before = lab.mark()
    assert text(lab, """
        async def lose(): raise ValueError("lost behind the answer")
        ctx.waitUntil(js.Promise.resolve(1))
        ctx.waitUntil(lose())
        return Response.new("answered")
    """) == "answered"
    lab.wait_log(r"\[lab:err\] waitUntil: Traceback(.|\n)*ValueError: lost behind the answer", since=before)


def test_pass_through_on_exception_does_nothing(lab):
    answer = lab.run("ctx.passThroughOnException()\nraise ValueError('not passed')")
    assert answer.status == 500 and "not passed" in answer.text
    lab.wait_log("passThroughOnException: there is no origin behind this worker")


def test_own_modules_beside_the_entry(corral):
    one = corral({"src/entry.py": "from js import Response\nimport helper\nfrom pack.inner import WORD\n\n"
                                  "def on_fetch(request):\n    return Response.new(helper.word() + WORD)\n",
                  "src/helper.py": "def word():\n    return 'help'\n",
                  "src/pack/__init__.py": "", "src/pack/inner.py": "WORD = 'ful'\n"})
    assert one.get().text == "helpful"


def test_top_level_state_lives_on_between_requests(corral):
    one = corral("from js import Response\ncount = 0\n\ndef on_fetch(request):\n    global count\n    count += 1\n"
                 "    return Response.new(str(count))\n", env=ONE)
    connection = one.connection()
    assert [one.request("GET", "/", connection=connection).text for _ in range(3)] == ["1", "2", "3"]
    connection.close()


def test_env_can_be_changed_in_its_instance(lab):
    assert lab.value("""
        env.ADDED = 5
        env["MORE"] = "text"
        got = [env.ADDED, env["ADDED"], env.MORE, "ADDED" in env]
        del env.ADDED
        return got + [hasattr(env, "ADDED"), getattr(env, "ADDED", None)]
    """) == [5, 5, "text", True, False, None]


# ---- errors ----


def test_exception_is_a_500_with_the_traceback(lab):
    before = lab.mark()
    answer = lab.run("raise ValueError('quite wrong')")
    assert answer.status == 500
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("PythonError: Traceback (most recent call last)")
    assert "ValueError: quite wrong" in answer.text
    lab.wait_log("ValueError: quite wrong", since=before)
    assert text(lab, 'return Response.new("alive")') == "alive"


def test_exception_of_a_helper_names_file_and_line(corral):
    one = corral({"src/entry.py": "from js import Response\nimport helper\n\ndef on_fetch(request):\n    return helper.go()\n",
                  "src/helper.py": "\n\ndef go():\n    return 1 / 0\n"})
    answer = one.get()
    assert answer.status == 500
    assert re.search(r'helper\.py", line 4', answer.text) and "ZeroDivisionError" in answer.text


@pytest.mark.parametrize("code, says", [
    ("return None", "None"), ("return 'text'", "str"), ("return {'a': 1}", "dict"), ("return 7", "int"),
    ("return js.Object.new()", "Object"), ("return Response", "Response"),
], ids=["None", "str", "dict", "int", "object", "class"])
def test_no_response_says_what_came(lab, code, says):
    before = lab.mark()
    answer = lab.run(code)
    assert answer.status == 500
    assert "Response" in answer.text and says in answer.text, answer.text
    lab.wait_log(r"\[\w+:err\].*Response", since=before)


def test_system_exit_does_not_end_the_node(lab):
    before = lab.mark()
    answer = lab.run("await asyncio.sleep(0)\nsys.exit(3)")
    assert answer.status == 500 and "SystemExit: 3" in answer.text
    lab.run("print('after it')\nreturn Response.new('x')")
    lab.wait_log("after it", since=before)
    assert "\n".join(lab.log_lines()[before:]).count("SystemExit") == 1
    assert text(lab, 'return Response.new("alive")') == "alive"


def test_os_exit_costs_one_request(lab):
    answer = lab.run("os._exit(0)")
    assert 500 <= answer.status < 600
    until("it serves", lambda: lab.run('return Response.new("alive")').text == "alive")


def test_rejected_promise_with_a_string_does_not_hang(lab):
    outcome = lab.outcome('await js.Promise.reject("plain words")')
    assert "plain words" in outcome["text"], outcome
    assert text(lab, 'return Response.new("next")') == "next"


def test_js_error_is_a_js_exception(lab):
    outcome = lab.outcome("js.JSON.parse('{')")
    assert outcome["error"] == "JsException" and "SyntaxError" in outcome["text"], outcome


DEEP = {
    "calls": "def deep(n): return js.eval('(f, n) => f(n)')(deep, n + 1)\ndeep(0)",
    "getters": "def deep(n): return js.eval('(f, n) => ({ get x() { return f(n) } })')(deep, n + 1).x\ndeep(0)",
    "attributes": "class Deep:\n    def __getattr__(self, name): return js.eval('(o) => o.deeper')(self)\nDeep().x",
    "iterators": "class Deep:\n    def __iter__(self): return iter(js.eval('(l) => [...l]')(self))\nlist(Deep())",
    "text": "class Deep:\n    def __str__(self): return js.eval('(s) => String(s)')(self)\nstr(Deep())",
    "the request": "def deep(n): return request.method if n == 0 else js.eval('(f, n) => f(n)')(deep, n - 1)\ndeep(100000)",
}


@pytest.mark.parametrize("kind", DEEP)
def test_recursion_through_both_languages_ends_in_an_error(lab, kind):
    pid, error = lab.value("sys.setrecursionlimit(100_000)\ntry:\n%s\nexcept Exception as e:\n    return [os.getpid(), repr(e)]"
                           % textwrap.indent(DEEP[kind], "    "), timeout=60)
    assert "RecursionError" in error or "RangeError" in error
    assert lab.outer(pid), "the instance died"


def test_a_c_stack_overflow_costs_one_instance(lab):
    answer = lab.run("sys.setrecursionlimit(10**8)\nnested = []\nfor _ in range(3 * 10**5): nested = [nested]\nrepr(nested)", timeout=60)
    assert answer.status >= 500
    until("it serves", lambda: lab.run('return Response.new("alive")').text == "alive")


# ---- output ----


@pytest.mark.parametrize("call, line", [
    ("console.log('a', 1, 'b')", r"\[lab:inf\] a 1 b$"),
    ("console.info('info')", r"\[lab:inf\] info$"),
    ("console.warn('warned')", r"\[lab:(wrn|warn)\] warned$"),
    ("console.error('erred')", r"\[lab:err\] erred$"),
    ("print('printed', 2)", r"\[lab:inf\] printed 2$"),
    ("print('to stderr', file=sys.stderr)", r"\[lab:\w+\] to stderr$"),
    ("print('no newline at the end', end='')", r"\[lab:inf\] no newline at the end$"),
    ("print('first\\nsecond')", r"\[lab:inf\] first\n(\[lab:inf\] )?\s*second$"),
    ("console.log('Grüße 🐎')", r"\[lab:inf\] Grüße 🐎$"),
    ("console.log(js.JSON.parse('{\"a\":{\"b\":{\"c\":{}}}}'))", r"\[lab:inf\] \{ a: \{ b: \{ c: \{\} \} \} \}$|\[Object\]"),
    ("console.log('%s is %d%%', 'x', 5, 'more')", r"\[lab:inf\] x is 5% more$"),
    ("console.log({'a': [1, None]}, (1,), b'x', None)", r"\[lab:inf\] \{'a': \[1, None\]\} \(1,\) b'x' undefined$"),
    ("console.log(Headers.new([['a', 'b']]))", r"\[lab:inf\] Headers \{\s*a: 'b'\s*\}$"),
    ("console.dir(js.JSON.parse('{\"dir\":1}'))", r"\[lab:inf\] \{ dir: 1 \}$"),
    ("console.table(js.JSON.parse('[{\"table\":1}]'))", r"\[lab:inf\] ┌─+┬─+┐\n +│ \(index\) │ table │$"),
    ("console.assert_(1 > 2, 'why')", r"\[lab:err\] Assertion failed: why$"),
    ("console.count('n'); console.count('n'); console.countReset('n'); console.count('n')",
     r"\[lab:inf\] n: 1\n\[lab:inf\] n: 2\n\[lab:inf\] n: 1$"),
    ("console.group('outer'); console.log('inner'); console.groupEnd(); console.log('after')",
     r"\[lab:inf\] outer\n\[lab:inf\]   inner\n\[lab:inf\] after$"),
    ("console.time('t'); console.timeEnd('t')", r"\[lab:inf\] t: [0-9.]+ms$"),
], ids=lambda v: v.split("(")[0] + v[-12:-2] if "(" in v and v[0] != "\\" else "")
def test_output_is_logged_with_the_workers_name(lab, call, line):
    before = lab.mark()
    lab.run("%s\nreturn Response.new('x')" % call)

    def said():     # what the node has to say of other requests may come between its lines
        return "\n".join(one for one in lab.log_lines()[before:] if not one.startswith("[corral:"))
    until(lambda: "%r in %r" % (line, said()), lambda: re.search(line, said(), re.M))


def test_stdout_and_stdin_are_files(lab):
    before = lab.mark()
    assert lab.value("""
        import io
        sys.stdout.writelines(["one of ", "lines\\n"])
        euro = "\\u20ac bytes\\n".encode()
        sys.stdout.buffer.write(euro[:1])
        sys.stdout.buffer.write(memoryview(euro[1:]))
        sys.stderr.buffer.write(b"bytes of stderr\\n")
        sys.stdout.reconfigure(line_buffering=True)
        io.TextIOWrapper(sys.stdout.buffer, write_through=True).write("wrapped\\n")
        try:
            input()
        except EOFError as e:
            ended = True
        return [sys.stdin.read(), list(sys.stdin), sys.stdin.isatty(), ended, isinstance(sys.stdout, io.TextIOBase), sys.stdout.name, sys.stdout.errors,
                sys.stderr.closed, sys.stdout.buffer is sys.stdout.buffer]
    """) == ["", [], False, True, True, "<stdout>", "replace", False, True]
    for line in (r"\[lab:inf\] one of lines$", r"\[lab:inf\] \u20ac bytes$", r"\[lab:err\] bytes of stderr$", r"\[lab:inf\] wrapped$"):
        lab.wait_log(line, since=before)


def test_debug_output_needs_the_log_level(corral):
    source = ("from js import Response, console\n\ndef on_fetch(request):\n    console.debug('of debug')\n    console.trace('of trace')\n"
              "    console.log('of log')\n    return Response.new('x')\n")
    one = corral(source)
    one.get()
    one.wait_log("of log")
    assert "of debug" not in one.log_text() and "of trace" not in one.log_text()
    two = corral(source, "--log-level", "debug")
    two.get()
    two.wait_log(r"\[hello:\w+\] of debug\n(.|\n)*\[hello:\w+\] Trace: of trace")


def test_output_comes_at_once(lab):
    import threading
    before = lab.mark()
    got = []
    asker = threading.Thread(target=lambda: got.append(
        lab.run("sys.gate = asyncio.Event()\nprint('early')\nawait sys.gate.wait()\nreturn Response.new('late')")))
    asker.start()
    lab.wait_log("early", since=before)
    assert not got, "the line came only with the answer"
    lab.run("sys.gate.set()\nreturn Response.new('x')")
    asker.join()
    assert got[0].text == "late"


def test_output_of_a_handler_that_never_returns_is_logged(corral):
    one = corral(LAB)
    one.get()
    with one.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nx-code: %s\r\n\r\n"
                       % lab_code("print('about to hang')\nwhile True: pass").encode())
        one.wait_log("about to hang")


def test_the_last_words_of_a_process_are_logged(lab):
    before = lab.mark()
    assert lab.run("print('last words')\nos._exit(0)").status >= 500
    lab.wait_log(r"\[lab:inf\] last words", since=before)
    until("it serves", lambda: lab.run('return Response.new("alive")').text == "alive")


def test_a_long_line_is_not_cut_inside_a_character(lab):
    before = lab.mark()
    lab.run("print('a' + '\\u20ac' * 50_000 + '.')\nreturn Response.new('x')")
    lab.wait_log("\u20ac\\.", since=before)
    assert "\ufffd" not in "".join(lab.log_lines()[before:])


def test_top_level_output_is_logged(corral):
    one = corral("print('while loading')\nfrom js import Response\n\ndef on_fetch(request):\n    return Response.new('x')\n")
    one.wait_log(r"\[hello:inf\] while loading")


def test_a_long_line_arrives_whole(lab):
    before = lab.mark()
    lab.run("print('<' + 'x' * 200_000 + '>')\nreturn Response.new('x')")
    lab.wait_log("x>", since=before)
    assert "".join(re.findall("x+", "".join(l for l in lab.log_lines()[before:] if "xxx" in l))).count("x") == 200_000


# ---- asyncio ----


def test_asyncio_sleep(lab):
    assert lab.value("t = time.monotonic()\nawait asyncio.sleep(0.05)\nreturn time.monotonic() - t >= 0.05")


def test_asyncio_gather_runs_together(lab):
    assert lab.value("""
        inside, all_in = [], asyncio.Event()
        async def one(n):
            inside.append(n)
            if len(inside) == 20:
                all_in.set()
            await asyncio.sleep(0.001)
            await all_in.wait()
            return n, len(inside)
        return await asyncio.gather(*[one(n) for n in range(20)])
    """) == [[n, 20] for n in range(20)]


def test_asyncio_tasks_events_queues_and_timeouts(lab):
    assert lab.value("""
        queue, event = asyncio.Queue(), asyncio.Event()
        async def producer():
            await event.wait()
            for n in range(3): await queue.put(n)
        task = asyncio.create_task(producer())
        event.set()
        got = [await queue.get() for _ in range(3)]
        await task
        try:
            await asyncio.wait_for(asyncio.sleep(30), 0.02)
        except asyncio.TimeoutError:
            got.append("timeout")
        return got
    """) == [0, 1, 2, "timeout"]


def test_asyncio_current_task_and_loop(lab):
    assert lab.value("return [asyncio.current_task() is not None, asyncio.get_running_loop().is_running()]") == [True, True]


def test_asyncio_current_task_after_an_await(lab):
    assert lab.value("await asyncio.sleep(0.01)\nreturn asyncio.current_task() is not None")


def test_requests_wait_together_in_one_instance(lab):
    """Each waits for the last one: one after another they would never end."""
    import threading
    lab.run("sys.together = asyncio.Barrier(12)\nreturn Response.new('x')")
    got = []
    askers = [threading.Thread(target=lambda: got.append(lab.value(
        "await asyncio.sleep(0.001)\nawait sys.together.wait()\nreturn os.getpid()"))) for _ in range(12)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(got) == 12 and len(set(got)) == 1, got


def test_awaiting_a_promise(lab):
    assert lab.value("return await js.Promise.resolve(41) + 1") == 42


def test_asyncio_task_group_timeout_and_context(lab):
    assert lab.value("""
        import contextvars
        var = contextvars.ContextVar("var", default=0)
        async def child(n):
            var.set(n)
            await asyncio.sleep(0)
            return var.get()
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            tasks = [group.create_task(child(n), name=str(n)) for n in (1, 2)]
        return [[t.result() for t in tasks], var.get(), tasks[0].get_name()]
    """) == [[1, 2], 0, "1"]


def test_asyncio_call_later_call_soon_and_cancel(lab):
    assert lab.value("""
        loop, done, got = asyncio.get_running_loop(), asyncio.Event(), []
        loop.call_later(0.001, got.append, "never").cancel()
        loop.call_soon(got.append, "soon")
        loop.call_later(0.005, lambda: (got.append("later"), done.set()))
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            got.append("cancelled")
        await done.wait()
        return got
    """) == ["soon", "cancelled", "later"]


def test_asyncio_to_thread_and_executors(lab):
    assert lab.value("""
        import threading
        loop, here = asyncio.get_running_loop(), threading.get_ident()
        inside = await asyncio.to_thread(threading.get_ident)
        box = asyncio.Queue()
        await loop.run_in_executor(None, lambda: loop.call_soon_threadsafe(box.put_nowait, 5))
        return [inside != here, await loop.run_in_executor(None, sum, [1, 2]), await box.get()]
    """) == [True, 3, 5]


def test_asyncio_generators_are_closed_when_nobody_holds_them(lab):
    assert lab.value("""
        closed = asyncio.Event()
        async def numbers():
            try:
                yield 1
                yield 2
            finally:
                await asyncio.sleep(0)
                closed.set()
        async for n in numbers():
            break
        await asyncio.wait_for(closed.wait(), 30)
        return n
    """) == 1


@pytest.mark.parametrize("call, says", [
    ("await asyncio.open_connection('127.0.0.1', 1)", "fetch"), ("await asyncio.start_server(print, port=1)", "fetch"),
    ("await asyncio.get_running_loop().getaddrinfo('localhost', 1)", "fetch"), ("asyncio.get_running_loop().add_reader(0, print)", "fetch"),
    ("await asyncio.create_subprocess_exec('true')", "processes"), ("await asyncio.create_subprocess_shell('true')", "processes"),
    ("asyncio.get_running_loop().add_signal_handler(15, print)", "signals"),
], ids=lambda v: v.split("(")[0].split(".")[-1] if "(" in v else "")
def test_asyncio_network_is_not_implemented(lab, call, says):
    outcome = lab.outcome(call)
    assert outcome["error"] == "NotImplementedError" and says in outcome["text"], outcome


def test_asyncio_run_says_what_to_write(lab):
    """Where JavaScript waits for the call; elsewhere it works: pyodide_cases/run_sync.cases."""
    answer = lab.run("async def main(): pass\none = main()\ntry:\n    js.eval('(f) => f()')(lambda: asyncio.run(one))\nfinally:\n    one.close()")
    assert answer.status == 500 and "cannot be called from a running event loop" in answer.text and "await main()" in answer.text


def test_asyncio_locks_conditions_and_barriers(lab):
    assert lab.value("""
        lock, gate, condition, barrier, got = asyncio.Lock(), asyncio.Semaphore(2), asyncio.Condition(), asyncio.Barrier(3), []
        inside = most = 0
        async def one(n):
            nonlocal inside, most
            async with gate:
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.001)
                inside -= 1
            async with lock:
                got.append(n)
            async with condition:
                condition.notify_all()
            return await barrier.wait()
        tasks = [asyncio.create_task(one(n)) for n in range(3)]
        async with condition:
            await asyncio.wait_for(condition.wait_for(lambda: len(got) == 3), 30)
        places = sorted(await asyncio.gather(*tasks))
        bounded = asyncio.BoundedSemaphore(1)
        try:
            bounded.release()
        except ValueError:
            got.append("bounded")
        return [most, sorted(map(str, got)), places, lock.locked()]
    """) == [2, ["0", "1", "2", "bounded"], [0, 1, 2], False]


def test_asyncio_queues(lab):
    assert lab.value("""
        small, last, best = asyncio.Queue(1), asyncio.LifoQueue(), asyncio.PriorityQueue()
        async def fill():
            for n in (3, 1, 2):
                await small.put(n)
                last.put_nowait(n)
                best.put_nowait(n)
        task = asyncio.create_task(fill())
        got = []
        for _ in range(3):
            got.append(await small.get())
            small.task_done()
        await small.join()
        await task
        for queue in (last, best):
            got += [queue.get_nowait() for _ in range(3)]
        try:
            last.get_nowait()
        except asyncio.QueueEmpty:
            return got
    """) == [3, 1, 2, 2, 1, 3, 1, 2, 3]


def test_asyncio_wait_shield_as_completed_and_groups(lab):
    assert lab.value("""
        async def after(seconds, value):
            await asyncio.sleep(seconds)
            if isinstance(value, Exception): raise value
            return value
        done, pending = await asyncio.wait([asyncio.create_task(after(0, 1)), asyncio.create_task(after(60, 2))], return_when=asyncio.FIRST_COMPLETED)
        got = [[t.result() for t in done], len(pending)]
        for t in pending: t.cancel()
        got.append([await c for c in asyncio.as_completed([after(0.01, "b"), after(0, "a")])])
        inner = asyncio.create_task(after(0.01, "kept"))
        try:
            await asyncio.wait_for(asyncio.shield(inner), 0)
        except asyncio.TimeoutError:
            got.append(await inner)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(after(0, ValueError("v")))
                sleeper = group.create_task(after(60, 0))
        except* ValueError as e:
            got += [str(e.exceptions[0]), sleeper.cancelled()]
        return got + [await asyncio.gather(after(0, KeyError("k")), after(0, 1), return_exceptions=True) is not None]
    """) == [[1], 1, ["a", "b"], "kept", "v", True, True]


def test_asyncio_from_other_threads(lab):
    assert lab.value("""
        import contextvars, threading
        var = contextvars.ContextVar("var")
        var.set("carried")
        loop = asyncio.get_running_loop()
        async def inside(n): return [n, threading.current_thread() is threading.main_thread(), asyncio.current_task() is not None]
        return [await asyncio.to_thread(var.get), await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(inside(5), loop).result(30))]
    """) == ["carried", [5, True, True]]


def test_asyncio_context_of_a_request_stays_its_own(lab):
    import threading
    lab.run("import contextvars\nsys.of_test = contextvars.ContextVar('of_test', default='none')\nsys.both = asyncio.Barrier(2)\nreturn Response.new('x')")
    got = []
    askers = [threading.Thread(target=lambda n=n: got.append(text(lab, """
        var = sys.of_test
        before = var.get()
        var.set("%d")
        await sys.both.wait()
        return Response.new(before + var.get() + asyncio.current_task().get_name()[:4])
    """ % n))) for n in (1, 2)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert sorted(got) == ["none1Task", "none2Task"]


def test_ecmascript_is_there(lab):
    assert lab.value("""
        return [js.Date.new(0).toISOString(), js.Math.max(1, 3), js.Object.entries(js.JSON.parse('{"a":1}'))[0][0],
                js.Map.new([["k", 1]]).get("k"), js.Set.new([1, 1]).size, js.Array.from_("abc").join("-"),
                js.RegExp.new("a+").test("caat"), js.encodeURIComponent("ä b"), js.Intl.NumberFormat.new("en").format(12345),
                js.BigInt(5) + 1, js.parseInt("12px"), js.Uint8Array.new(3).length]
    """) == ["1970-01-01T00:00:00.000Z", 3, "a", 1, 1, "a-b-c", True, "%C3%A4%20b", "12,345", 6, 12, 3]


def test_javascript_can_be_evaluated(lab):
    assert lab.value("return js.eval('(a, b) => a * b')(6, 7)") == 42
