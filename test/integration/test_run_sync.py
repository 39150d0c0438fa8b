"""run_sync: a plain function waits on its own stack, everybody else goes on.

What it does with each awaitable is in pyodide_cases/run_sync.cases; here is what needs many requests at once.
"""
import socket
import threading

import pytest

from harness import DEADLINE, WRANGLER, descendants, until
from origin import Origin

pytestmark = pytest.mark.asan

CONFIG = WRANGLER.format(name="waits")
ENTRY = """\
import asyncio
import json
import threading
import time
from urllib.parse import urlsplit

import js
from js import Response
from pyodide.ffi import can_run_sync, run_sync

AT_TOP = [can_run_sync()]
early = asyncio.sleep(0)
try:
    run_sync(early)
except RuntimeError as e:
    AT_TOP.append(str(e))
early.close()

gates, waiting, naps, local = {}, set(), set(), threading.local()
local.greeting = "of the module"


def gate(name):
    if name not in gates:
        gates[name] = asyncio.get_running_loop().create_future()
    return gates[name]


def wait(name):
    \"\"\"Holds values of both languages on its stack meanwhile.\"\"\"
    kept = [js.JSON.parse('{"a": [%d]}' % i) for i in range(20)]
    text = "x" * 1000 + name
    waiting.add(name)
    try:
        opened = run_sync(asyncio.shield(gate(name)))
    finally:
        waiting.remove(name)
    assert [k.a[0] for k in kept] == list(range(20)) and text.endswith(name)
    assert threading.enumerate() == [threading.main_thread()] and threading.current_thread() is threading.main_thread() and local.greeting == "of the module"
    return "%s %s" % (name, opened)


def recurse(n):
    if n > 0:
        sorted([n], key=lambda _: recurse(n - 1))
    return n


def bounce(f, n):
    return 0 if n == 0 else 1 + f(bounce, f, n - 1)


def garbage():
    js.eval("for (let i = 0; i < 200; i++) globalThis.last = Array.from({length: 1000}, (_, j) => ({j}))")


def on_fetch(request):
    path = urlsplit(request.url).path.strip("/").split("/")
    if path[0] == "wait":
        return Response.new(wait(path[1]))
    if path[0] == "task":
        return in_task(path[1])
    if path[0] == "callback":
        return in_callback(path[1])
    if path[0] == "open":
        for name in path[1:]:
            gates.pop(name).set_result("opened")
        return Response.new("ok")
    if path[0] == "garbage":
        garbage()
    if path[0] == "top":
        return Response.new(json.dumps(AT_TOP))
    if path[0] == "deep":
        return Response.new(json.dumps(deep()))
    if path[0] == "sleep":
        print("sleeps")
        time.sleep(float(path[1]))
    if path[0] == "nap":        # until another request wakes it
        naps.add(path[1])
        while path[1] in naps:
            time.sleep(0.01)
    if path[0] == "wake":
        naps.remove(path[1])
    if path[0] == "naps":
        return Response.new(json.dumps(sorted(naps)))
    if path[0] == "run":
        return asyncio.run(in_task(path[1]))
    if path[0] == "fail":
        run_sync(asyncio.sleep(0.001))
        raise KeyError("after it had waited")
    if path[0] == "print":
        print("before", path[1])
        wait(path[1])
        print("after", path[1])
    return Response.new(json.dumps(sorted(waiting)))


async def in_task(name):
    await asyncio.sleep(0)
    one = wait(name)
    await asyncio.sleep(0)
    assert asyncio.current_task() is not None
    return Response.new(one)


async def in_callback(name):
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: done.set_result(wait(name)))
    return Response.new(await done)


def deep():
    outcomes = []
    for f in (lambda: recurse(200), lambda: recurse(10_000), lambda: bounce(js.eval("(f, g, n) => f(g, n)"), 100_000)):
        try:
            outcomes.append(f())
        except Exception as e:
            outcomes.append(type(e).__name__)
    return outcomes
"""


class Asking:
    """A request that is on its way."""

    def __init__(self, one, path):
        self.answer = None
        self.thread = threading.Thread(target=self._ask, args=(one, path))
        self.thread.start()

    def _ask(self, one, path):
        self.answer = one.get(path)

    def text(self):
        self.thread.join(3 * DEADLINE)
        assert self.answer is not None, "there is no answer"
        return self.answer.text


def waiting(one):
    return one.get("/").json()


LOCKS = """\
import asyncio
import concurrent.futures
import functools
import json
import queue
import threading
from urllib.parse import urlsplit

from js import Response
from pyodide.ffi import run_sync

pool = concurrent.futures.ThreadPoolExecutor(2)
locks = {"lock": threading.Lock(), "rlock": threading.RLock(), "condition": threading.Condition()}
event, items, made, inside = threading.Event(), queue.Queue(), [], set()


class Lazy:
    @functools.cached_property
    def client(self):
        made.append(1)
        run_sync(asyncio.sleep(0.05))
        return "client"


lazy = Lazy()


def fine():
    lock, rlock = threading.Lock(), threading.RLock()
    with lock:
        found = [lock.acquire(False), lock.acquire(timeout=0.01), lock.locked()]
        for arguments in ((False, 1), (True, -2), (True, 1e12), ("x", "y")):
            try:
                lock.acquire(*arguments)
            except (ValueError, OverflowError, TypeError) as e:
                found.append(type(e).__name__)
    with rlock, rlock:
        found += [rlock.acquire(), rlock._is_owned(), pool.submit(rlock.acquire, False).result(), pool.submit(rlock.acquire, timeout=0.01).result()]
        rlock.release()
    thread = threading.Thread(target=event.wait, args=(0.02,))
    thread.start()
    thread.join()
    with locks["condition"]:
        found += [thread.is_alive(), locks["condition"].wait(0.01)]
    try:
        items.get(timeout=0.01)
    except queue.Empty:
        found.append("empty")
    return found


def on_fetch(request):
    path = urlsplit(request.url).path.strip("/").split("/")
    if path[0] in locks:
        with locks[path[0]]:
            assert not inside
            inside.add(path[1])
            run_sync(asyncio.sleep(0.05))
            inside.remove(path[1])
    elif path[0] == "lazy":
        return Response.new(lazy.client)
    elif path[0] == "fine":
        return Response.new(json.dumps(fine()))
    return Response.new(json.dumps([len(made), sorted(inside)]))
"""


def test_a_lock_may_be_held_over_run_sync(corral):
    """Who wants it waits as by run_sync, instead of stopping the loop and with it what the lock waits for."""
    one = corral({"src/entry.py": LOCKS, "wrangler.toml": CONFIG}, env={"CORRAL_TEST_INSTANCES": "1"})
    for kind in ("lock", "rlock", "condition"):
        asked = [Asking(one, "/%s/%d" % (kind, n)) for n in range(4)]
        assert one.get("/").status == 200
        assert [a.text()[:3] for a in asked] == ["[0,"] * 4
    asked = [Asking(one, "/lazy") for n in range(4)]
    assert [a.text() for a in asked] == ["client"] * 4 and one.get("/").json() == [1, []]
    assert one.get("/fine").json() == [False, False, True, "ValueError", "ValueError", "OverflowError", "TypeError",
                                       True, True, False, False, False, False, "empty"]


HANDLERS = """\
import asyncio
import gc

import js
from pyodide.ffi import can_run_sync, run_sync
from workers import Response, WorkerEntrypoint

ended = []


class Waits:
    \"\"\"When it ends.\"\"\"

    def __init__(self):
        self.circle = self

    def __del__(self):
        ended.append(run_sync(asyncio.sleep(0.001, "waited")) if can_run_sync() else "could not")


def pieces():
    yield str(can_run_sync())
    try:
        run_sync(asyncio.sleep(0))
    except RuntimeError:
        yield " refused"


class Default(WorkerEntrypoint):
    def fetch(self, request):
        if request.url.endswith("pieces"):
            return Response(pieces())
        if request.url.endswith("ends"):
            Waits()
            gc.collect()
            js.eval("(f) => f()")(lambda: [Waits() and None, gc.collect()] and None)
            return Response.json(ended)
        return Response.json([can_run_sync(), run_sync(asyncio.sleep(0.001, 5)), run_sync(self.more())])

    async def more(self):
        return run_sync(asyncio.sleep(0, 6))
"""


def test_methods_generators_and_finalizers(corral):
    """A plain method of an entrypoint waits; what JavaScript calls, as the pieces of a body, cannot."""
    one = corral({"src/entry.py": HANDLERS, "wrangler.toml": CONFIG.replace("2024-03-29", "2025-10-01")})
    assert one.get("/").json() == [True, 5, 6]
    assert one.get("/pieces").text == "False refused"
    assert one.get("/ends").json() == ["waited", "could not"]


@pytest.fixture(scope="module")
def node(shared_corral):
    """With one instance, which all requests share."""
    return shared_corral({"src/entry.py": ENTRY, "wrangler.toml": CONFIG}, env={"CORRAL_TEST_INSTANCES": "1"})


@pytest.mark.parametrize("kind", ["wait", "task", "callback", "run"])
def test_those_who_wait_go_on_in_any_order(node, kind):
    asked = {n: Asking(node, "/%s/%s" % (kind, n)) for n in "abcd"}
    until("all wait", lambda: waiting(node) == list("abcd"))
    for n in "cadb":
        node.get("/open/" + n)
        assert asked[n].text() == n + " opened"
        node.get("/garbage")
    assert waiting(node) == []


def test_fifty_wait_and_another_answers(corral):
    one = corral({"src/entry.py": ENTRY, "wrangler.toml": CONFIG}, env={"CORRAL_TEST_INSTANCES": "1"})
    names = ["n%02d" % n for n in range(50)]
    asked = {n: Asking(one, "/%s/%s" % (("wait", "task", "callback")[int(n[1:]) % 3], n)) for n in names}
    until("all wait", lambda: waiting(one) == names)
    assert one.get("/garbage").status == 200
    assert one.get("/deep").json() == [200, "RecursionError", "RecursionError"]
    for n in names[1::2] + names[-2::-2]:
        one.get("/open/" + n)
        assert asked[n].text() == n + " opened"
    assert waiting(one) == [] and one.get("/deep").json() == [200, "RecursionError", "RecursionError"]


def test_as_many_as_may_wait_and_no_more(corral):
    one = corral({"src/entry.py": ENTRY, "wrangler.toml": CONFIG}, env={"CORRAL_TEST_INSTANCES": "1"})
    names = ["n%02d" % n for n in range(64)]
    asked = {n: Asking(one, "/wait/" + n) for n in names}
    until("all wait", lambda: waiting(one) == names)
    refused = one.get("/task/more")
    assert refused.status == 500 and "64 calls wait already" in refused.text and "async def" in refused.text
    assert one.get("/sleep/0.01").json() == names    # it stops the others for so long instead
    one.get("/open/more/" + "/".join(names))
    assert [asked[n].text() for n in names] == [n + " opened" for n in names]
    assert Asking(one, "/sleep/0.01").text() == "[]"


def test_it_cannot_wait_at_the_top_level(node):
    can, words = node.get("/top").json()
    assert not can and "while the worker's module is loaded" in words


def test_it_waits_in_other_threads_too(lab):
    assert lab.value("""
        import contextvars, threading
        from pyodide.ffi import can_run_sync, run_sync
        word = contextvars.ContextVar("word")
        word.set("of the request")
        async def later(value):
            await asyncio.sleep(0.01)
            return [value, word.get("none"), threading.current_thread() is threading.main_thread()]
        async def fails():
            raise KeyError("in the loop")
        def in_thread(n):
            try:
                run_sync(fails())
            except KeyError as e:
                return run_sync(later(n)) + [str(e), can_run_sync()]
        begun = time.monotonic()
        got = await asyncio.gather(*[asyncio.to_thread(in_thread, n) for n in range(3)])
        try:
            await asyncio.to_thread(run_sync, 5)
        except TypeError as e:
            return [got, str(e)]
    """) == [[[n, "of the request", True, "'in the loop'", False] for n in range(3)], "object int is not awaitable"]


def test_an_exception_after_waiting_is_the_answer(node):
    answer = node.get("/fail")
    assert answer.status == 500 and "KeyError: 'after it had waited'" in answer.text
    assert 'in on_fetch' in answer.text and "_corral" not in answer.text


def test_a_client_that_leaves_does_not_stop_it(node):
    mark = node.mark()
    client = socket.create_connection((node.host, node.port))
    client.sendall(b"GET /print/left HTTP/1.1\r\nHost: x\r\n\r\n")
    until("it waits", lambda: waiting(node) == ["left"])
    client.close()
    assert waiting(node) == ["left"]
    node.get("/open/left")
    node.wait_log("after left", since=mark)
    assert waiting(node) == []


def test_the_version_before_ends_when_those_who_wait_are_answered(corral):
    one = corral({"src/entry.py": ENTRY, "wrangler.toml": CONFIG}, env={"CORRAL_TEST_INSTANCES": "1"})
    asked = Asking(one, "/sleep/2.5")
    one.wait_log("sleeps")
    pids = {p.pid for p in descendants(one.pid)}
    one.write("src/entry.py", ENTRY.replace("json.dumps(sorted(waiting))", "'new'"))
    until("the new version answers", lambda: one.get("/").text == "new")
    assert asked.text() == "[]"
    until("the old processes are gone", lambda: len(pids & {p.pid for p in descendants(one.pid)}) <= 1)


def test_time_sleep_stops_nobody_else(node):
    asked = Asking(node, "/wait/w")
    until("it waits", lambda: waiting(node) == ["w"])
    slow = Asking(node, "/nap/n")
    until("it naps", lambda: node.get("/naps").json() == ["n"])
    assert waiting(node) == ["w"] and slow.answer is None
    node.get("/open/w")
    assert asked.text() == "w opened" and slow.answer is None
    node.get("/wake/n")
    assert slow.text() == "[]"


def test_it_waits_for_a_fetch(lab):
    origin = Origin()
    try:
        assert lab.value("""
            from pyodide.ffi import run_sync
            def status(path):
                return run_sync(js.fetch(%r + path)).status
            async def other(n):
                return status("/status?code=%%d" %% (200 + n))
            found = await asyncio.gather(*[other(n) for n in range(10)])
            return [status("/status?code=404"), found]
        """ % origin.url) == [404, list(range(200, 210))]
    finally:
        origin.close()


def test_the_collectors_of_both_languages_find_what_waits(lab):
    assert lab.value("""
        import gc
        from pyodide.ffi import create_proxy, run_sync
        pause = js.eval("(ms) => new Promise(resolve => setTimeout(resolve, ms))")
        def wait(n):
            kept, total = js.eval("({n: 0})"), 0
            for i in range(5):
                made = js.eval("(n) => ({n, text: 'x'.repeat(n)})")(n)
                run_sync(pause(1 + n % 3))
                assert made.n == n and len(made.text) == n
                js.eval("for (let i = 0; i < 300; i++) globalThis.last = Array.from({length: 300}, (_, j) => ({j}))")
                gc.collect(0 if n % 4 else 2)
                kept.n += made.n
            return kept.n
        async def one(n):
            return wait(n)
        return (await asyncio.gather(*[one(n) for n in range(30)])) == [5 * n for n in range(30)]
    """) is True


def test_calls_that_javascript_lets_wait(lab):
    """As in Pyodide 314; the older ones die of most of this.  There the call has no context and no task, here the request's context."""
    assert lab.value("""
        import contextvars
        from pyodide.ffi import can_run_sync, create_proxy, run_sync
        var, log, me = contextvars.ContextVar("var"), [], asyncio.current_task()
        var.set("mine")
        pause = lambda ms: run_sync(asyncio.sleep(ms / 1000))
        def f(x, y=0):
            log.append("began")
            pause(1)
            assert asyncio.current_task() is not me and var.get() == "mine"
            return [x, y, can_run_sync()]
        promise = js.eval("(f) => f.callPromising(3)")(f)
        log.append("called")
        got = [[*await promise], [*await js.eval("(f) => f.callPromisingKwargs(1, {y: 2})")(f)],
               [*await js.eval("(f) => f.callWithOptions({promising: true, kwargs: true}, 1, {y: 2})")(f)], log[:2]]
        async def later(x):
            pause(0)
            await asyncio.sleep(0)
            return x
        got.append(await js.eval("(f) => f.callPromising(4)")(later))
        def fails():
            pause(1)
            raise ValueError("after waiting")
        try:
            await js.eval("(f) => f.callPromising()")(fails)
        except ValueError as e:
            got.append(str(e))
        beneath = []
        def inner():
            beneath.append(can_run_sync())
            pause(1)
        inner = create_proxy(inner)
        def outer():
            promises.append(js.eval("(f) => f.callPromising()")(inner))
            beneath.append(can_run_sync())
            js.eval("(f) => { f() }")(lambda: beneath.append(can_run_sync()))
        promises = []
        js.eval("(f) => { f() }")(outer)
        await promises[0]
        got.append(beneath)
        order, waits, gates = [], [], {n: asyncio.Event() for n in range(1, 7)}
        async def passed(n):
            waits.append(n)
            await gates[n].wait()
        def b(n):
            run_sync(passed(n))
            order.append(n)
        async def a(n):
            await passed(n)
            order.append(n)
        async def open_all():
            while len(waits) < 6:
                await asyncio.sleep(0.001)
            for n in gates:
                gates[n].set()
                while n not in order:
                    await asyncio.sleep(0.001)
        opener = asyncio.ensure_future(open_all())
        await js.eval("(a, b) => Promise.all([b.callPromising(6), b.callPromising(2), b.callPromising(4), a(3), a(1), a(5)])")(a, b)
        got.append(order)
        return got
    """) == [[3, 0, True], [1, 2, True], [1, 2, True], ["called", "began"], 4, "after waiting", [False, False, True],
             [1, 2, 3, 4, 5, 6]]
