"""Requests on the threads that run_sync leaves behind: nothing of Python, nor of other requests, is different there."""
import socket
import threading

import pytest

from harness import WRANGLER, until

pytestmark = pytest.mark.asan

# x-code: as of harness.LAB, but the handler is a plain function; x-wait: it waits until that gate is opened.
ENTRY = """\
import asyncio, base64, contextvars, decimal, gc, json, threading, time, traceback
import js
from js import Response
from pyodide.ffi import can_run_sync, create_proxy, run_sync, to_js

gates, kept = {}, {}
variable = contextvars.ContextVar("variable", default="default")
variable.set("of the module")
decimal.getcontext().prec = 50


def gate(name):
    return gates.setdefault(name, asyncio.get_running_loop().create_future())


def on_fetch(request):
    if request.headers.get("x-wait"):
        try:
            return Response.new(str(run_sync(gate(request.headers.get("x-wait")))))
        finally:
            if "given up" in kept and not kept["given up"].done():
                kept["given up"].set_result("ended")
    scope = dict(globals())
    exec(compile(base64.b64decode(request.headers.get("x-code")).decode().removeprefix("async "), "lab.py", "exec"), scope)
    try:
        return Response.new(json.dumps({"value": scope["handle"](request, None, None)}))
    except BaseException as e:
        return Response.new(json.dumps({"error": type(e).__name__, "text": str(e)}))
"""


class Strands:
    """A worker with one instance; while `several` is entered its loop runs on threads other than the first."""

    def __init__(self, one):
        self.one = one
        self.value = one.value

    def __enter__(self):
        self.waiting = [threading.Thread(target=self.one.get, args=("/", {"x-wait": "g%d" % n})) for n in range(3)]
        for thread in self.waiting:
            thread.start()
        until("three wait", lambda: self.value("return len(gates)") == 3)

    def __exit__(self, *_):
        self.value("for g in gates.values(): g.set_result(None)\ngates.clear()")
        for thread in self.waiting:
            thread.join()


@pytest.fixture(scope="module")
def strands(shared_corral):
    return Strands(shared_corral({"src/entry.py": ENTRY, "wrangler.toml": WRANGLER.format(name="strands")},
                                 env={"CORRAL_TEST_INSTANCES": "1"}))


def everywhere(strands, code):
    """What the code comes to on the first thread and on others, twice each."""
    found = [strands.value(code), strands.value(code)]
    with strands:
        found += [strands.value(code), strands.value(code)]
    return found


def test_the_context_of_the_module_is_everywhere_that_of_a_request_nowhere_else(strands):
    assert everywhere(strands, """
        was = variable.get(), decimal.getcontext().prec
        variable.set("of a request")
        decimal.setcontext(decimal.Context(prec=5))
        run_sync(asyncio.sleep(0))
        return [*was, variable.get(), decimal.getcontext().prec]
    """) == 4 * [["of the module", 50, "of a request", 5]]


def test_to_python_they_are_one_thread(strands):
    """What asks for the thread, as sqlite3, Django's connections and RLock do, hears of the main one."""
    strands.value("""
        import sqlite3
        kept.update(ids=[threading.get_ident(), threading.main_thread().ident], db=sqlite3.connect(":memory:"))
    """)
    assert everywhere(strands, """
        import _thread, sqlite3
        run_sync(asyncio.sleep(0))
        ids = [threading.get_ident(), _thread.get_ident()]
        other = run_sync(asyncio.to_thread(lambda: [threading.get_ident() in kept["ids"], threading.current_thread() is threading.main_thread()]))
        return [ids == kept["ids"], threading.current_thread() is threading.main_thread(), threading.enumerate()[0] is threading.main_thread(),
                kept["db"].execute("select 5").fetchall(), other]
    """) == 4 * [[True, True, True, [[5]], [False, False]]]


def test_an_rlock_is_its_requests_whatever_thread_goes_on(strands):
    """Held over await and taken again by what a request awaits, as on one thread; yet others wait for it."""
    code = """
        lock, log = threading.RLock(), []
        async def again(n):
            with lock:
                await asyncio.sleep(0.001)
                log.append(n)
        async def hold():
            with lock:
                await asyncio.sleep(0.002)
                await again(1)
        async def wait():
            run_sync(asyncio.sleep(0.004))
        async def both():
            await asyncio.gather(hold(), wait(), hold(), wait())
        run_sync(both())
        with lock, lock:
            lock.release()
            run_sync(again(2))
            lock.acquire(timeout=1)
            log.append([lock._is_owned(), run_sync(asyncio.to_thread(lock.acquire, False))])
        condition = threading.Condition(lock)
        async def tell():
            with condition:
                condition.notify()
        with condition, condition:
            log.append([condition.wait(0.001), run_sync(tell()), lock._is_owned()])
        return log + [lock._is_owned(), run_sync(asyncio.to_thread(lock.acquire, False)), lock.acquire(False)]
    """
    assert everywhere(strands, code) == 4 * [[1, 1, 2, [True, False], [False, None, True], False, True, False]]


def test_a_lock_that_cannot_be_had_where_nothing_can_wait(strands):
    """JavaScript beneath, and another request waits with the lock: nobody could ever release it."""
    strands.value("kept.update(lock=threading.Lock(), rlock=threading.RLock())")
    held = threading.Thread(target=strands.value, args=("with kept['lock'], kept['rlock']: return run_sync(gate('held'))",))
    held.start()
    until("it is held", lambda: strands.value("return 'held' in gates"))
    found = strands.value("""
        call, found = js.eval("f => f()"), []
        def take():
            try:
                found.append(kept["lock"].acquire(timeout=0.01))
                kept["lock"].acquire()
            except RuntimeError as e:
                found.append(str(e))
            with kept["rlock"]:
                found.append("as in Pyodide")
        call(take)
        gates.pop("held").set_result(None)
        with kept["lock"], kept["rlock"]:
            return found
    """)
    held.join()
    assert found[0] is False and "asyncio.Lock" in found[1] and found[2:] == ["as in Pyodide"]


def test_futures_that_call_back_at_once_twice_and_from_threads(strands):
    assert everywhere(strands, """
        class Future(asyncio.Future):
            def add_done_callback(self, f, **more):
                super().add_done_callback(f, **more)
                if self.odd == "at once":
                    self.set_result(1)
                    f(self)
                elif self.odd == "twice":
                    self.get_loop().call_later(0.001, lambda: (self.set_result(2), f(self), f(self)))
                elif self.odd == "thread":
                    done = threading.Event()
                    self.get_loop().call_later(0.001, lambda: (self.set_result(3), done.set()))
                    threading.Thread(target=lambda: (done.wait(), f(self))).start()
                kept["f"] = f
        found = []
        for odd in ("at once", "twice", "thread"):
            future = Future()
            future.odd = odd
            found.append(run_sync(future))
            kept.pop("f")(future)
        return found + [run_sync(asyncio.sleep(0.004, 4))]
    """) == 4 * [[1, 2, 3, 4]]


def test_who_waits_for_clients_that_left_makes_room_for_others(corral):
    one = corral({"src/entry.py": ENTRY, "wrangler.toml": WRANGLER.format(name="strands")}, env={"CORRAL_TEST_INSTANCES": "1"})
    clients = [one.connect() for _ in range(64)]
    for n, client in enumerate(clients):
        client.sendall(b"GET /%d HTTP/1.1\r\nHost: x\r\nx-wait: g%d\r\n\r\n" % (n, n))
    until("all wait", lambda: one.value("return len(gates)") == 64)
    assert "64 calls wait already" in one.outcome("run_sync(asyncio.sleep(0))")["text"]
    for client in clients[:40]:
        client.shutdown(socket.SHUT_WR)
    for client in clients[:40]:
        assert client.recv(1) == b""        # The node has seen that it left, and told the worker.
        client.close()
    # What one waits for ends while another gives up for it.
    assert one.outcome("kept['given up'] = asyncio.Future()\nreturn run_sync(kept['given up'])") == {"value": "ended"}
    one.wait_log("CancelledError: run_sync.. gave up: the client of this request has left")
    waits, found = "return run_sync(asyncio.sleep(0.001, 'waited'))", []
    threads = [threading.Thread(target=lambda: found.append(one.outcome(waits))) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == 30 * [{"value": "waited"}]
    one.value("for g in gates.values(): g.set_result(None)")
    for client in clients[40:]:
        assert client.recv(12) == b"HTTP/1.1 200"
        client.close()


def test_threads_that_compute_do_not_come_between(strands):
    """From a frame that waits to the next one the GIL goes along; had by another thread each time, it would go round twelve times as often.
    Counted, not timed; in sums of interleaved windows, as who gets a GIL that is let go of is chance."""
    asks, waits = strands.value("""
        over, turn, turns = [], [0], [0]
        def compute(me):
            while not over:
                if turn[0] != me:
                    turn[0] = me
                    turns[0] += 1
        async def awaits():
            for _ in range(20):
                await asyncio.sleep(0.0001)
        async def waits():
            for _ in range(20):
                run_sync(asyncio.sleep(0.0001))
        def changes(f):
            async def all_():
                await asyncio.gather(*[f() for _ in range(8)])
            began = turns[0]
            run_sync(all_())
            return turns[0] - began
        threads = [threading.Thread(target=compute, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        try:
            pairs = [(changes(awaits), changes(waits)) for _ in range(5)]
            return [sum(asks for asks, _ in pairs), sum(waits for _, waits in pairs)]
        finally:
            over.append(True)
    """)
    assert waits < 5 * asks, (asks, waits)
