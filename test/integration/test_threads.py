"""Threads of Python in a worker, and what its box refuses in words: docs/compatibility.md names these tests."""
import re
import threading
import time

import pytest

from harness import PATIENCE, until

pytestmark = pytest.mark.asan
LAB_REQUIREMENTS = "httpx\nrequests\naiohttp\nurllib3\n"
ENTRY = "from js import Response\nfrom own import answer\n\n\ndef on_fetch(request):\n    return Response.new(repr(answer()))\n"
MANY = ("ev = threading.Event()\nstarted, refused = 0, ''\ntry:\n    for n in range(%d):\n        threading.Thread(target=ev.wait).start()\n"
        "        started += 1\nexcept RuntimeError as e:\n    refused = str(e)\nev.set()\n")


def test_at_most_96_threads_at_a_time(lab):
    assert lab.value("import threading\n" + MANY % 96 + "return [started, refused]") == [96, ""]
    until("they have ended", lambda: lab.value("import threading\nreturn threading.active_count()") == 1)
    started, refused = lab.value("import threading\n" + MANY % 97 + "return [started, refused]")
    assert started == 96 and refused.startswith("can't start new thread: an instance of a worker has at most 96"), refused


def test_one_more_than_96_waits_for_one_to_end(lab):
    """As do the first threads of pools; those of a pool that has some leave work in its queue, at once."""
    assert lab.value("""
        import threading
        from concurrent.futures import ThreadPoolExecutor
        go, done = threading.Event(), []
        threads = [threading.Thread(target=go.wait) for n in range(95)] + [threading.Thread(target=time.sleep, args=(0.1,))]
        for thread in threads: thread.start()
        with ThreadPoolExecutor(4) as pool:
            first = pool.submit(done.append, "first")
            begun = time.monotonic()
            rest = [pool.submit(time.sleep, 0.001) for n in range(3)]
            took = time.monotonic() - begun
            go.set()
        for thread in threads: thread.join()
        return [done, took < 1.9]      # who waits for a thread waits for 2 s; these three take less than 1 ms
    """) == [["first"], True]


FULL = """
    import asyncio, threading, urllib.request
    from js import Response
    from pyodide.ffi import run_sync
    go, waiting = threading.Event(), 0

    async def gone():
        while not go.is_set():
            await asyncio.sleep(0.01)

    async def on_fetch(request):
        global waiting
        what = request.url.rpartition("/")[2]
        try:
            if what == "fill":
                for _ in range(96):
                    threading.Thread(target=go.wait).start()
            elif what == "wait":
                waiting += 1
                run_sync(gone())
            elif what == "go":
                go.set()
            elif what == "start":
                threading.Thread(target=go.wait).start()
            elif what == "fetch":
                urllib.request.urlopen("http://127.0.0.1:9/")
        except RuntimeError as e:
            return Response.new(str(e))
        return Response.new(str(waiting))
"""


def test_when_all_threads_are_there_and_all_frames_wait(corral):
    """What cannot wait any more fails at once and alone: the loop, which all the others wait for, goes on."""
    one = corral(FULL, env={"CORRAL_TEST_INSTANCES": "1"})
    one.get("/fill")
    answers = []
    clients = [threading.Thread(target=lambda: answers.append(one.get("/wait").status)) for _ in range(64)]
    for client in clients:
        client.start()
    until("as many wait as may", lambda: one.get("/count").text == "64")
    begun = time.monotonic()
    for _ in range(4):
        assert "an instance of a worker has at most 96 at a time, and none has ended: " in one.get("/start").text
    assert time.monotonic() - begun < 7 * PATIENCE       # once all stood still for 2 s each time
    assert "64 calls wait already" in one.get("/fetch").text
    one.get("/go")
    for client in clients:
        client.join()
    assert answers == [200] * 64 and "never retrieved" not in one.log_text() and "never awaited" not in one.log_text(), one.log_text()


def test_pools_start_their_threads_however_long_that_takes(lab):
    """A thread that begins late, behind others that compute, lets nobody in: the pool holds its lock, which all the others want."""
    assert lab.value("""
        import threading
        from concurrent.futures import ThreadPoolExecutor
        done = threading.Event()
        def compute():
            while not done.is_set():
                sum(range(1000))
        computing = [threading.Thread(target=compute) for _ in range(12)]
        for thread in computing: thread.start()
        with ThreadPoolExecutor(20) as pool:
            async def square(n):
                return await asyncio.get_running_loop().run_in_executor(pool, lambda: n * n)
            squares = await asyncio.gather(*[square(n) for n in range(200)])
        done.set()
        for thread in computing: thread.join()
        return sum(squares)
    """, timeout=90 * PATIENCE) == 2646700


def test_pools_queue_what_has_no_thread(lab):
    assert lab.value("""
        from concurrent.futures import ThreadPoolExecutor
        from multiprocessing.pool import ThreadPool
        import multiprocessing
        with ThreadPoolExecutor(500) as pool:
            total = sum(pool.map(lambda n: (time.sleep(0.001), n)[1], range(300)))
        many = await asyncio.gather(*[asyncio.to_thread(lambda n=n: (time.sleep(0.001), n)[1]) for n in range(200)])
        with ThreadPool(3) as pool:
            mapped = pool.map(abs, [-1, -2, -3])
        queue, lock, value = multiprocessing.Queue(), multiprocessing.RLock(), multiprocessing.Semaphore(1)
        queue.put("q")
        with lock, lock:
            value.acquire()
        return [total, sum(many), mapped, queue.get(timeout=30), value.acquire(False), lock.acquire(False)]
    """) == [44850, 19900, [1, 2, 3], "q", False, True]


def test_recursion_in_a_thread_ends_in_an_error(lab):
    assert lab.value("""
        import json
        def sorting(n): return sorted([1, 2], key=lambda value: sorting(n + 1))
        class Same:
            def __eq__(self, other): return self == other
        deep = []
        for n in range(100_000): deep = [deep]
        got = []
        for function in (lambda: sorting(0), lambda: Same() == 1, lambda: json.dumps(deep), lambda: repr(deep)):
            try:
                await asyncio.to_thread(function)
            except RecursionError:
                got.append("RecursionError")
        return got
    """) == ["RecursionError"] * 4


def test_threads_and_what_they_wait_with(lab):
    assert lab.value("""
        import queue, threading
        got, own = [], threading.local()
        own.n = 0
        lock, gate, ready, barrier = threading.Lock(), threading.Semaphore(2), threading.Condition(), threading.Barrier(3)
        asked, answered = queue.Queue(), queue.PriorityQueue()
        def work(n):
            own.n = n
            barrier.wait(30)
            with gate, lock:
                got.append(own.n)
            asked.get(timeout=30)
            answered.put((-n, threading.current_thread().name))
            with ready:
                ready.notify_all()
        threads = [threading.Thread(target=work, args=(n,), name=f"t{n}") for n in (1, 2, 3)]
        for thread in threads: thread.start()
        for n in range(3): asked.put(n)
        def wait():
            with ready:
                return ready.wait_for(lambda: answered.qsize() == 3, 30)
        full = await asyncio.to_thread(wait)
        for thread in threads: thread.join(30)
        rung, timer = threading.Event(), None
        timer = threading.Timer(0.001, rung.set)
        timer.start()
        rang = await asyncio.to_thread(rung.wait, 30)
        return [sorted(got), own.n, full, [answered.get()[1] for n in range(3)], rang, threading.current_thread() is threading.main_thread()]
    """) == [[1, 2, 3], 0, True, ["t3", "t2", "t1"], True, True]


def test_threads_run_while_the_instance_waits(lab):
    """No request runs: the thread computes all the same.  It computes: the loop goes on."""
    mark = lab.mark()
    assert lab.value("""
        import threading
        count, stop = 0, False
        def compute():
            nonlocal count
            while not stop: count += 1
        def compute_on():
            for n in range(1_000_000): pass
            print("computed to the end")
        thread = threading.Thread(target=compute)
        thread.start()
        while count < 1000: await asyncio.sleep(0.001)      # for ever, if it did not
        stop = True
        thread.join()
        threading.Thread(target=compute_on).start()
        return True
    """)
    lab.wait_log("computed to the end", since=mark)


def test_a_thread_that_sleeps_holds_up_nobody(lab):
    """The loop turns while it is in one sleep; on a busy machine, in one of them."""
    assert lab.value("""
        ticks, is_over = 0, False
        async def tick():
            nonlocal ticks
            while not is_over:
                await asyncio.sleep(0.001)
                ticks += 1
        def sleep():
            for n in range(60):
                before = ticks
                time.sleep(0.2)
                if ticks > before + 2:
                    return True
        ticking = asyncio.create_task(tick())
        has_turned = await asyncio.to_thread(sleep)
        is_over = True
        await ticking
        return has_turned
    """)


def test_stop_iteration_in_a_thread_is_an_error(lab):
    """CPython before 3.12 lets its waiter wait for ever."""
    outcome = lab.outcome("return await asyncio.to_thread(next, iter(()))")
    assert outcome["error"] == "RuntimeError" and "StopIteration" in outcome["text"], outcome


def test_the_loop_wakes_for_what_threads_add(lab):
    assert lab.value("""
        import threading
        loop, event, got = asyncio.get_running_loop(), asyncio.Event(), []
        future = loop.create_future()
        for add in (lambda: loop.call_soon_threadsafe(event.set), lambda: loop.call_soon(event.set), lambda: loop.call_later(0.01, event.set),
                    lambda: future.set_result(event.set())):
            event.clear()
            timer = threading.Timer(0.02, add)
            timer.start()
            await asyncio.wait_for(event.wait(), 30)
            got.append(1)
        return got + [await future]
    """) == [1, 1, 1, 1, None]


def test_loops_of_threads(lab):
    """A thread may have a loop of its own: asyncio's usual one."""
    assert lab.value("""
        async def main():
            await asyncio.sleep(0.001)
            return [type(asyncio.get_running_loop()).__name__, await asyncio.to_thread(sum, [1, 2])]
        def by_hand():
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            try:
                return [loop.run_until_complete(main()), asyncio.get_event_loop() is loop]
            finally:
                loop.close()
                asyncio.set_event_loop(None)    # the pool's thread may be the next one's too
        def none():
            try:
                asyncio.get_event_loop()
            except RuntimeError as e:
                return str(e)[:33]
        return [await asyncio.to_thread(asyncio.run, main()), await asyncio.to_thread(by_hand), await asyncio.to_thread(none)]
    """) == [["_UnixSelectorEventLoop", 3], [["_UnixSelectorEventLoop", 3], True], "There is no current event loop in"]


def test_an_exception_in_a_thread_is_one_entry_of_the_log(lab):
    mark = lab.mark()
    lab.run("import threading\ndef bad(): raise KeyError('of a thread')\nthreading.Thread(target=bad, name='T7').start()\nreturn Response.new('x')")
    found = lab.wait_log(r"err\] Exception in thread T7:.*\n(.*\n)*?.*KeyError: 'of a thread'", since=mark)
    assert "threading.py" not in found.group() and found.group().count("err]") == 1, found.group()


def test_time_sleep_that_stops_all_warns_once(corral):
    """Where JavaScript waits for the call; elsewhere nobody is stopped: test_run_sync.py."""
    one = corral("import time\nfrom time import sleep\nimport js\nfrom js import Response\ntime.sleep(0.001)\n\nasync def on_fetch(request):\n"
                 "    js.eval('(f) => f()')(lambda: sleep(0.001))\n    time.sleep(0.001)\n    return Response.new('ok')\n",
                 env={"CORRAL_TEST_INSTANCES": "1"})    # each instance says it once
    assert [one.get().text for n in range(3)] == ["ok"] * 3
    one.wait_log(r"time.sleep\(0.001\) in a handler stops all requests .* `await asyncio.sleep\(0.001\)`")
    assert one.log_text().count("in a handler stops") == 1


def test_javascript_in_threads_whatever_is_touched(lab):
    """The loop does it for them: FastAPI's `def` endpoints and Django's views want their env."""
    assert lab.value("""
        import pyodide.code, workers
        from pyodide.ffi import JsException, create_once_callable, create_proxy, run_sync, to_js
        o, array, function, promise = js.eval("({a: 1, f(x) { return x; }})"), js.eval("[1, 2]"), js.eval("(x) => x"), js.Promise.resolve(1)
        buffer, mapping = js.Uint8Array.new(3), js.Map.new([["k", 1]])
        loop, here = asyncio.get_running_loop(), asyncio.current_task()
        async def own():
            return await js.Promise.resolve("own") + await asyncio.wait_for(promise, 5) * "!"
        async def coroutine(value):
            await asyncio.sleep(0.001)
            return value
        def fails(way, kind, says):
            try:
                way()
            except kind as e:
                return says in str(e)
        def touch():
            o.b = 5
            del o.a
            array.append(3)
            array[0] = 7
            buffer[1] = 9
            text = o.to_py()
            same = [
                o.b == 5, not hasattr(o, "a"), array[1] == 2, list(array) == [7, 2, 3], array[:2].to_py() == [7, 2], len(array) == 3, 2 in array, "k" in mapping, mapping["k"] == 1,
                function(3) == 3, o.f([1])[0] == 1, function(o) == o, o != array, bool(o), str(o) == "[object Object]", repr(array) == "7,2,3", isinstance(hash(promise), int), "b" in dir(o),
                text["b"] == 5, sorted(o.object_keys()) == ["b", "f"], o.typeof == "object", isinstance(o.js_id, int), buffer.to_bytes() == b"\\0\\x09\\0",
                buffer.to_memoryview()[1] == 9, to_js([1, 2]).length == 2, create_proxy(len).typeof == "function", create_once_callable(len).typeof == "function", Response.new("x").status == 200,
                request.method == "GET", request.url.startswith("http"), request.headers["host"] != "", pyodide.code.run_js("1 + 1") == 2, o.as_object_map()["b"] == 5,
                js.eval("[3, 1, 2]").to_py() == [3, 1, 2], sorted(js.eval("[3, 1, 2]")) == [1, 2, 3], (array + [4]).to_py() == [7, 2, 3, 4], workers.Response("x", status=201).status == 201,
                run_sync(promise) == 1, run_sync(Response.new("body").text()) == "body", run_sync(coroutine(8)) == 8, asyncio.run(own()) == "own!", function(len)("abc") == 3,
                fails(lambda: js.eval("throw new RangeError('thrown')"), JsException, "thrown"), fails(lambda: o.missing, AttributeError, "missing"),
                fails(lambda: run_sync(js.Promise.reject(js.Error.new("rejected"))), JsException, "rejected"), fails(lambda: o(), TypeError, "not callable"),
                fails(lambda: array[10], IndexError, ""), fails(lambda: function(lambda: 1 / 0)(), ZeroDivisionError, ""),
            ]
            return [n for n, is_so in enumerate(same) if is_so is not True]
        boxes = [[js.Object.new() for n in range(100)] for box in range(4)]
        await asyncio.gather(*[asyncio.to_thread(lambda: boxes.pop().clear()) for n in range(4)])
        first = await asyncio.to_thread(touch)
        counts = await asyncio.gather(*[asyncio.to_thread(lambda: sum(function(n) for n in range(500))) for n in range(4)])
        return [first, counts, asyncio.current_task() is here]
    """) == [[], [124750] * 4, True]


def test_a_handler_that_waits_for_threads_that_wait_for_the_loop(lab):
    """By joining them, by results, queues, events and conditions: the loop goes on, and so does everybody."""
    assert lab.value("""
        import queue, threading
        from concurrent.futures import ThreadPoolExecutor, as_completed
        from pyodide.ffi import run_sync
        def work(n):
            run_sync(asyncio.sleep(0.02))       # nobody wakes the loop for that
            return js.eval("2") * n
        with ThreadPoolExecutor(4) as pool:
            got = [list(pool.map(work, range(8))), pool.submit(work, 5).result(10), sorted(f.result() for f in as_completed([pool.submit(work, n) for n in range(4)], 10))]
        items, done, seen = queue.Queue(), threading.Event(), []
        thread = threading.Thread(target=lambda: (items.put(work(1)), seen.append(work(2)), done.set()))
        thread.start()
        got += [items.get(timeout=10), done.wait(10), seen]
        thread.join(10)
        lock = threading.Lock()
        lock.acquire()
        begun = time.monotonic()
        return got + [thread.is_alive(), lock.acquire(timeout=0.05), 0.045 < time.monotonic() - begun < 5]
    """) == [[2 * n for n in range(8)], 10, [0, 2, 4, 6], 2, True, [4], False, False, True]


def test_javascript_is_refused_in_threads_while_the_module_is_loaded(corral):
    one = corral("""\
        import threading
        import js
        from js import Response
        said = []

        def touch():
            try:
                js.Object.new()
            except RuntimeError as e:
                said.append(str(e))

        thread = threading.Thread(target=touch)
        thread.start()
        thread.join()

        async def on_fetch(request):
            return Response.new(said[0])
        """)
    assert "while the worker's module is loaded" in one.get().text


# ---- beside top-level code, and at the end ----


def test_threads_of_top_level_code_that_end(corral):
    """They are waited for; pools are emptied and start threads anew."""
    one = corral({"src/entry.py": ENTRY, "src/own.py": """\
        import _thread, concurrent.futures, threading, time
        done = []
        pool = concurrent.futures.ThreadPoolExecutor(2)
        later = pool.submit(time.sleep, 0.1)
        first = pool.submit(sum, [1, 2]).result()
        threading.Thread(target=lambda: (time.sleep(0.05), done.append("thread"))).start()
        threading.Timer(0.05, print, ["of a timer"]).start()
        _thread.start_new_thread(lambda: (time.sleep(0.05), done.append("raw")), ())

        def answer():
            return [first, later.done(), sorted(done), pool.submit(sum, [3, 4]).result(30), threading.active_count()]
        """})
    assert one.get().text == "[3, True, ['raw', 'thread'], 7, 2]"
    one.wait_log("of a timer")


def test_tasks_of_top_level_code_may_use_threads(corral):
    """Each instance goes on with them from where they were."""
    one = corral({"src/entry.py": """\
        import asyncio, os, time
        from js import Response

        async def prepare():
            found = await asyncio.to_thread(lambda: (time.sleep(0.05), 5)[1])
            await asyncio.sleep(0.01)
            return [found, os.getpid()]

        prepared, queue = asyncio.ensure_future(prepare()), asyncio.Queue()
        asyncio.get_event_loop().call_later(0.01, queue.put_nowait, "of a timer")

        async def on_fetch(request):
            found, pid = await prepared
            return Response.new(repr([found, pid == os.getpid(), await queue.get()]))
        """})
    assert one.get().text == "[5, True, 'of a timer']"


def test_a_thread_of_top_level_code_that_stays_is_refused(corral):
    one = corral({"src/entry.py": ENTRY, "src/own.py": "import threading\nanswer = int\n"
                  "threading.Thread(target=threading.Event().wait, name='poller', daemon=True).start()\n"})
    answer = one.get()
    assert answer.status == 500 and "src/entry.py left a thread running when it was loaded: poller" in answer.text, answer.text
    assert "start it in a handler" in answer.text
    one.wait_log("waiting for threads that top-level code has started: poller")


def test_threads_end_with_their_instance(corral):
    """Whatever they do, daemons or not."""
    one = corral({"src/entry.py": ENTRY, "src/own.py": """\
        import os, threading

        def turn():
            while True:
                pass

        def answer():
            threading.Thread(target=turn).start()
            threading.Thread(target=threading.Event().wait).start()
            return os.getpid()
        """})
    old = one.outer(int(one.get().text))
    one.write("src/own.py", "answer = lambda: 'new'\n")
    until("the new version answers", lambda: one.get().text == "'new'")
    until("the old instance is gone", lambda: old not in [p.pid for p in one.instances()])


# ---- what is refused ----

SOCKETS, PROCESSES = "a worker has no sockets of its own", "a worker cannot start processes"
REFUSED = [
    ("__import__('smtplib').SMTP('127.0.0.1')", "PermissionError", SOCKETS),
    ("__import__('ftplib').FTP('example.com')", "gaierror", SOCKETS),
    ("__import__('socket').create_connection(('127.0.0.1', 80))", "PermissionError", SOCKETS),
    ("__import__('socket').create_server(('127.0.0.1', 0))", "PermissionError", SOCKETS),
    ("__import__('socket').gethostbyname('example.com')", "gaierror", SOCKETS),
    ("__import__('socketserver').TCPServer(('127.0.0.1', 0), None)", "PermissionError", SOCKETS),
    ("await asyncio.open_connection('127.0.0.1', 1)", "NotImplementedError", SOCKETS),
    ("await asyncio.open_unix_connection('/tmp/x')", "NotImplementedError", SOCKETS),
    ("await asyncio.start_server(print, port=1)", "NotImplementedError", SOCKETS),
    ("await asyncio.get_running_loop().getaddrinfo('localhost', 1)", "NotImplementedError", SOCKETS),
    ("await asyncio.get_running_loop().sock_recv(None, 1)", "NotImplementedError", SOCKETS),
    ("asyncio.get_running_loop().add_reader(0, print)", "NotImplementedError", SOCKETS),
    ("await asyncio.create_subprocess_exec('true')", "NotImplementedError", PROCESSES),
    ("await asyncio.create_subprocess_shell('true')", "NotImplementedError", PROCESSES),
    ("subprocess.run(['true'])", "PermissionError", PROCESSES),
    ("subprocess.check_output('true', shell=True)", "PermissionError", PROCESSES),
    ("os.system('true')", "PermissionError", PROCESSES),
    ("os.popen('true')", "PermissionError", PROCESSES),
    ("os.fork()", "PermissionError", PROCESSES),
    ("os.execvp('true', ['true'])", "PermissionError", PROCESSES),
    ("os.spawnvp(os.P_WAIT, 'true', ['true'])", "PermissionError", PROCESSES),
    ("os.posix_spawn('/bin/true', ['true'], {})", "PermissionError", PROCESSES),
    ("__import__('multiprocessing').Process(target=print).start()", "PermissionError", PROCESSES),
    ("__import__('multiprocessing').Pool(2)", "PermissionError", PROCESSES),
    ("__import__('multiprocessing').get_context('spawn').Process(target=print).start()", "PermissionError", PROCESSES),
    ("__import__('concurrent.futures').futures.ProcessPoolExecutor().submit(print)", "PermissionError", PROCESSES),
    ("await asyncio.get_running_loop().run_in_executor(__import__('concurrent.futures').futures.ProcessPoolExecutor(), print)",
     "RuntimeError", PROCESSES),
    ("asyncio.get_running_loop().add_signal_handler(15, print)", "NotImplementedError", "a worker gets no signals"),
    ("with asyncio.Runner() as runner: pass", "RuntimeError", "write `await main()`"),
    ("asyncio.Runner().run(asyncio.sleep(0))", "RuntimeError", "write `await main()`"),
    ("asyncio.new_event_loop().run_forever()", "RuntimeError", "always runs"),
]


def test_what_is_refused_says_what_to_do_instead(lab):
    mark = lab.mark()
    for code, kind, says in REFUSED:
        outcome = lab.outcome(code)
        assert outcome.get("error") == kind and says in outcome["text"], (code, outcome)
        if says == SOCKETS:
            assert "await fetch(url)" in outcome["text"], (code, outcome)
    assert "never awaited" not in "\n".join(lab.log_lines()[mark:])


def test_what_needs_no_socket_and_no_process_works(lab):
    assert lab.value("""
        import socket
        ours, theirs = socket.socketpair()
        ours.send(b"x")
        reader = asyncio.StreamReader()
        reader.feed_data(b"one\\ntwo")
        reader.feed_eof()
        return [theirs.recv(1).decode(), socket.getaddrinfo("127.0.0.1", 80)[0][4][1], (await reader.readline()).decode(), (await reader.read()).decode()]
    """) == ["x", 80, "one\n", "two"]


# ---- what the loop has to say ----


def entry(lab, code, pattern):
    mark = lab.mark()
    assert lab.value(code + "\nawait asyncio.sleep(0)\nimport gc\ngc.collect()\nreturn 1") == 1
    found = lab.wait_log(pattern, since=mark).group()
    assert len(re.findall(pattern, "\n".join(lab.log_lines()[mark:]))) == 1
    return found


def test_what_nobody_hears_of_is_logged_once_with_its_request(lab):
    line = r"err\] GET http://\S+/: "
    entry(lab, "async def f(): raise ValueError('lost')\nasyncio.create_task(f())\nawait asyncio.sleep(0)",
          line + r"Task exception was never retrieved.*\n(.*\n)*?.*ValueError: lost")
    entry(lab, "f = asyncio.get_running_loop().create_future()\nf.set_exception(ValueError('of a future'))\ndel f",
          line + r"Future exception was never retrieved.*\n(.*\n)*?.*ValueError: of a future")
    entry(lab, "def bad(): raise KeyError('of a callback')\nasyncio.get_running_loop().call_soon(bad)",
          line + r"Exception in callback <function .*bad.*\n(.*\n)*?.*KeyError: 'of a callback'")
    entry(lab, "async def f(): await asyncio.get_running_loop().create_future()\nasyncio.create_task(f())\nawait asyncio.sleep(0)",
          line + r"Task was destroyed but it is pending!.*\n.*task: <PyodideTask pending name='Task-\d+' coro=<handle.<locals>.f")
    entry(lab, "asyncio.get_running_loop().call_exception_handler({'message': 'said', 'what': 5})", line + r"said.*\n.*what: 5")


def test_an_exception_handler_of_the_workers_own(lab):
    assert lab.value("""
        loop, got = asyncio.get_running_loop(), []
        def handler(loop, context): got.append([context["message"][:21], repr(context["exception"])])
        loop.set_exception_handler(handler)
        try:
            loop.call_soon(lambda: 1 / 0)
            await asyncio.sleep(0)
            was = loop.get_exception_handler() is handler
        finally:
            loop.set_exception_handler(None)
        try:
            loop.set_exception_handler(5)
        except TypeError as e:
            got.append(str(e))
        return got + [was, loop.get_exception_handler()]
    """) == [["Exception in callback", "ZeroDivisionError('division by zero')"], "A callable object or None is expected", True, None]
    entry(lab, """
loop = asyncio.get_running_loop()
def handler(loop, context): raise LookupError("of the handler")
loop.set_exception_handler(handler)
loop.call_exception_handler({"message": "m"})
loop.set_exception_handler(None)""", r"Unhandled error in the exception handler.*\n(.*\n)*?.*LookupError: of the handler")


def test_debug_mode_names_slow_callbacks(lab):
    mark = lab.mark()
    assert lab.value("""
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.slow_callback_duration, before = 0.02, loop.slow_callback_duration
        try:
            async def slow(): time.sleep(0.03)
            await asyncio.create_task(slow())
            return [loop.get_debug(), before, sys.get_coroutine_origin_tracking_depth() > 0]
        finally:
            loop.slow_callback_duration = before
            loop.set_debug(False)
    """) == [True, 0.1, True]
    assert "lab.py" in lab.wait_log(r"<PyodideTask finished .*slow.* took \d+\.\d+ seconds: nothing else ran", since=mark).group()
    assert lab.value("return [asyncio.get_running_loop().get_debug(), sys.get_coroutine_origin_tracking_depth()]") == [False, 0]


def test_everything_at_once(lab):
    """Threads, run_sync, JavaScript and their leftovers in one instance, from many clients."""
    code = """
        import threading
        from pyodide.ffi import run_sync
        loop, got = asyncio.get_running_loop(), []
        def waits(): return run_sync(asyncio.to_thread(lambda: (time.sleep(0.002), 1)[1]))
        def drops(box): box.clear(); print("from a thread")
        def adds(future): loop.call_soon_threadsafe(future.set_result, 1)
        async def one(n):
            if n % 4 == 0: return waits()
            if n % 4 == 1: return await asyncio.to_thread(drops, [js.Object.new() for i in range(50)]) or 1
            if n % 4 == 2:
                future = loop.create_future()
                threading.Thread(target=adds, args=(future,)).start()
                return await future
            return await js.Promise.resolve(asyncio.to_thread(int, "1"))
        return sum(await asyncio.gather(*[one(n) for n in range(12)]))
    """
    got = []
    askers = [threading.Thread(target=lambda: [got.append(lab.value(code)) for n in range(4)]) for asker in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert got == [12] * 24
