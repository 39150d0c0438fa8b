"""What one request may take of the processor and of memory, and what becomes of those that run beside it."""
import threading
import time

import pytest

from harness import BIN, ONE, until
from test_tail import Listener

pytestmark = pytest.mark.asan

CODE = """\
import asyncio
import time
from js import Function, Response
from workers import WorkerEntrypoint

gate = asyncio.Event()
script = Function.new("try { while (true); } catch (e) { for (;;); } finally { while (true); }")

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = request.url.split("/", 3)[3]
        if path == "spin":
            print("spins")
            while True:
                pass
        if path == "stubborn":
            for _ in range(1000000):
                try:
                    while True:
                        try:
                            sum(range(1000))
                        except Exception:
                            pass
                finally:
                    print("finally")
        if path == "slices":
            while True:
                sum(range(20000))
                await asyncio.sleep(0)
        if path == "sync":
            from pyodide.ffi import run_sync
            run_sync(asyncio.sleep(0.001))
            while True:
                pass
        if path == "callback":
            def burn():
                while True:
                    pass
            asyncio.get_running_loop().call_soon(burn)
            await asyncio.sleep(0.5)
        if path == "native":
            sum(range(10**12))
        if path == "script":
            script()
        if path == "stages":
            Function.new("f", "f()")(Function.new("while (true);"))
        if path == "wasm":
            Function.new("new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, "
                         "7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11]))).exports.f()")()
        if path == "reaction":
            from js import Promise
            await Promise.resolve(1).then(Function.new("while (true);"))
        if path == "timer":
            from js import setTimeout
            setTimeout(Function.new("while (true);"), 0)
            await asyncio.sleep(10)
        if path == "beneath":
            def burn(*_):
                Function.new("while (true);")()
            Function.new("f", "f()")(burn)
        if path == "under":
            from js import Promise
            await Promise.resolve(1).then(Function.new("f", "return () => { try { f() } finally { console.log('finally') } }")(lambda: script()))
        if path == "awaits":
            await Function.new("return (async () => { for (;;) await 0; })()")()
        if path == "chained":
            from js import Promise
            Function.new("p", "p.then(() => { for (;;); }); for (let i = 0; i < 3; i++) p.then(() => 0).then(() => console.log('lives'))")(Promise.resolve(1))
            await asyncio.sleep(10)
        if path == "promised":
            from js import Promise
            await Promise.new(Function.new("resolve", "globalThis.go = resolve; console.log('waits')"))
            return Response.new(path)
        if path == "settle":
            from js import go
            go()
        if path == "deaf":
            while True:
                try:
                    while True:
                        pass
                except BaseException:
                    pass
        if path in ("some", "more"):
            until = time.process_time() + (0.05 if path == "some" else 0.2)
            while time.process_time() < until:
                pass
        if path == "go":
            global gate
            gate.set()
            gate = asyncio.Event()
        if path.startswith("wait"):
            print("waits")
            await gate.wait()
        if path == "hold":
            import os
            held = []
            while True:
                fd = os.memfd_create("x")
                os.write(fd, bytes(32 << 20))
                held.append(fd)
                await asyncio.sleep(0.005)
        if path == "grow":
            from js import Array, String
            all, i = Array.new(), 0
            while True:
                i += 1
                all.push(String.new("x" * 20000 + str(i)))
                if i == 9500:       # of the 512 MiB that are allowed, less than a quarter is left, and enough to go on
                    print("waits")
                    await gate.wait()
        return Response.new(path)
"""


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve("--cpu-ms", "300", env=ONE)
    node.deploy("hello", CODE)
    return node


def waits(node, before):
    return sum(line.endswith("waits") for line in node.log_lines()[before:])


def beside(node, path, again=False):
    """Ask for path while three others wait; its answer, and whether those went on (or, with again, were asked again)."""
    seen = {}

    def ask(path):
        seen[path] = node.get("hello", "/" + path)

    node.get("hello", "/some")
    before = len(node.log_lines())
    threads = [threading.Thread(target=ask, args=("wait?%d" % i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    until("they wait", lambda: waits(node, before) == 3)
    ask(path)
    if again:
        until("they wait in another process", lambda: waits(node, before) == 6)
    node.get("hello", "/go")
    for thread in threads:
        thread.join()
    assert [seen["wait?%d" % i].status for i in range(3)] == [200] * 3
    assert waits(node, before) == (6 if again else 3)
    return seen[path]


@pytest.mark.parametrize("path", ["spin", "stubborn", "slices", "sync", "callback", "script", "stages", "reaction", "timer", "beneath", "under"])
def test_a_request_that_uses_up_its_processor_time_is_stopped(node, path):
    before = len(node.log_lines())
    with Listener(node) as tail:
        answer = node.get("hello", "/" + path)
        assert answer.status == 503 and "1102" in answer.text, answer.text
        event = tail.next()
        assert event["outcome"] == "exceededCpu", event
        assert 285 <= event["cpuTime"] < 3000, event
        assert any("processor time (limits.cpu_ms)" in line for line in tail.lines(event)), event
        assert node.get("hello", "/some").text == "some"
        event = tail.next()
        assert event["outcome"] == "ok" and 50 <= event["cpuTime"] < 300
    node.wait_log(r"a request has used more than its 300 ms of processor time \(limits.cpu_ms\) and was stopped", since=before)
    assert "is ended" not in "\n".join(node.log_lines()[before:])


def test_it_is_seen_from_outside(node):
    node.get("hello", "/spin")
    until("it is in the access log", lambda: any(line["outcome"] == "exceededCpu" and line["status"] == 503 for line in node.access_log()))

    def is_counted():
        text = node.api_raw("GET", "/metrics", token=False).text
        return 'outcome="exceededCpu"} ' in text and 'worker="hello",limit="cpu_ms"} ' in text
    until("it is counted", is_counted)


@pytest.mark.parametrize("path", ["spin", "script"])
def test_who_waits_beside_it_does_not_notice(node, path):
    assert beside(node, path).status == 503


@pytest.mark.parametrize("path", ["script", "reaction", "timer", "beneath", "under"])
def test_promises_outlive_a_script_that_was_ended(node, path):
    seen, before = [], len(node.log_lines())
    waiting = threading.Thread(target=lambda: seen.append(node.get("hello", "/promised")))
    waiting.start()
    until("it waits", lambda: waits(node, before) == 1)
    for _ in range(3):
        assert node.get("hello", "/" + path).status == 503
    assert node.get("hello", "/settle").status == 200
    waiting.join()
    assert (seen[0].status, seen[0].text) == (200, "promised")
    assert waits(node, before) == 1 and "is ended" not in "\n".join(node.log_lines()[before:])


def test_reactions_behind_one_that_was_ended_are_not_forgotten(node):
    before = len(node.log_lines())
    assert node.get("hello", "/chained").status == 503
    until("the others ran", lambda: sum(line.endswith("lives") for line in node.log_lines()[before:]) == 3)
    assert "is ended" not in "\n".join(node.log_lines()[before:])


def test_a_loop_of_javascript_that_only_awaits_ends(node):
    """The engine's watchdog may or may not be asked in time: it is stopped, or ended with its instance."""
    answer = node.get("hello", "/awaits")
    assert answer.status == 503 and "1102" in answer.text, answer.text
    assert node.get("hello", "/some").text == "some"


@pytest.mark.parametrize("path", ["native", "wasm", "deaf"])
def test_code_that_cannot_be_stopped_is_ended_a_moment_later(node, path):
    before = len(node.log_lines())
    assert beside(node, path, again=True).status == 503
    node.wait_log(r"an instance of 'hello' \(process \d+\) is ended: a request has used more than its 300 ms")
    assert node.get("hello", "/some").text == "some"


def test_a_version_may_have_a_limit_of_its_own(node):
    node.deploy("small", CODE, metadata={"limits": {"cpu_ms": 100}})
    assert node.get("small", "/x").text == "x"
    assert node.get("small", "/more").status == 503
    assert node.get("hello", "/more").text == "more"


def test_too_much_memory_is_told_apart(serve):
    # In large pieces: a sanitizer's limit is four times as wide, and there are 256 descriptors.
    node = serve()
    node.deploy("hello", CODE)
    with Listener(node) as tail:
        answer = node.get("hello", "/hold")
        event = tail.next()
        assert (answer.status, event["outcome"]) == (503, "exceededMemory"), (answer.text, event)
    until("it answers again", lambda: node.get("hello", "/x").status == 200)


@pytest.mark.skipif(BIN.name == "asan", reason="address space has no limit there")
def test_an_engine_that_gets_no_more_memory(serve):
    """What it died of is told by what it had when the node looked last: so it waits until the node has."""
    node = serve(env=ONE)
    node.deploy("hello", CODE)
    seen = []
    with Listener(node) as tail:
        growing = threading.Thread(target=lambda: seen.append(node.get("hello", "/grow")))
        growing.start()
        until("it has grown", lambda: waits(node, 0) == 1)
        for _ in range(20):     # turns of the node, for 0.4 s: it looks every 120 ms
            assert node.api_raw("GET", "/metrics", token=False).status == 200
            time.sleep(0.02)
        node.get("hello", "/go")        # which may not get its answer out before all ends
        growing.join()
        assert seen[0].status == 503
        events = [tail.next(), tail.next()]
        assert [event["outcome"] for event in events if event["event"]["request"]["url"].endswith("/grow")] == ["exceededMemory"], events
    assert node.get("hello", "/x").status == 200
