"""What a worker in JavaScript may take of the processor, of memory and of its instance, and what becomes of those that run beside it.
test_limits.py has the same for Python's workers."""
import http.client
import threading

import pytest

from harness import BIN, ONE, until
from test_api_javascript import upload
from test_tail import Listener

pytestmark = pytest.mark.asan

CODE = r"""
let open, gate = new Promise((resolve) => { open = resolve });
const kept = [];
const spinning = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11]);
const texts = {};
const HANDLERS = {
  loop() { for (;;); },
  stubborn() { try { for (;;); } catch { for (;;); } finally { for (;;); } },
  later: async () => { await null; for (;;); },
  timer: () => new Promise(() => setTimeout(() => { for (;;); }, 1)),
  storm: () => new Promise(() => { const again = () => { Promise.resolve().then(again) }; again() }),
  chain: () => new Promise(() => { const again = () => { Promise.resolve().then(again); for (let i = 0; i < 3e7; i++); }; again() }),
  queue: () => new Promise(() => { const again = () => queueMicrotask(again); again() }),
  awaits: async () => { for (;;) await null; },
  regexp() { /^(a|aa)+$/.test("a".repeat(60) + "b"); return new Response("matched") },
  json() { texts.json ??= "[" + "1,".repeat(2e6) + "1]"; for (;;) JSON.parse(texts.json) },
  sort() { const all = new Array(3e5).fill(0).map((_, i) => i % 1013); for (;;) all.slice().sort() },
  getter() { return { get then() { for (;;); } } },
  body: () => new Response(new ReadableStream({ pull() { for (;;); } })),
  async listener(request) { const target = new EventTarget(); target.addEventListener("x", () => { for (;;); }); target.dispatchEvent(new Event("x")) },
  rewriter: () => new HTMLRewriter().on("p", { element() { for (;;); } }).transform(new Response("<p>")).text(),
  wasm() { new WebAssembly.Instance(new WebAssembly.Module(spinning)).exports.f() },

  arrays() { for (;;) kept.push(new Array(100000).fill(1.5)) },
  strings() { for (let i = 0;; i++) kept.push(("x" + i).repeat(50000).split("").join("y")) },
  buffers() { for (;;) kept.push(new Uint8Array(1 << 20).fill(1)) },
  async slow() { for (;;) { kept.push(new Uint8Array(1 << 20).fill(1)); await scheduler.wait(1) } },
  async memory() {
    const memory = new WebAssembly.Memory({ initial: 16 });
    for (;;) { const at = memory.buffer.byteLength; memory.grow(16); new Uint8Array(memory.buffer).fill(1, at); await scheduler.wait(1) }
  },
  blob() { for (let b = new Blob(["x".repeat(1 << 20)]);;) kept.push(b = new Blob([b, b])) },
  promises() { for (;;) kept.push(new Promise(() => {})) },
  timers() { for (;;) setTimeout(() => {}, 1e6) },
  sockets() { for (;;) { const pair = new WebSocketPair(); pair[0].accept(); pair[1].accept(); kept.push(pair) } },

  never: () => scheduler.wait(1e6),
  nothing: () => {},
  one() { Promise.reject(new Error('nobody hears it')); return new Response('rejected') },
  rejections() { for (let i = 0; i < 20000; i++) Promise.reject(new Error("storm " + i)); return new Response("rejected") },
  throws() { setTimeout(() => { throw new Error("out of a timer") }, 0); return scheduler.wait(5).then(() => new Response("thrown")) },
  console() { for (let i = 0; i < 20000; i++) console.log("storm", i, { a: [i] }); return new Response("said") },
  deep() { const f = () => f() + 1; return f() },
  deepJSON() { let a = []; for (let i = 0; i < 200000; i++) a = [a]; return new Response(JSON.stringify(a).length) },
  proto() { Object.prototype.then = (resolve) => {}; Array.prototype[Symbol.iterator] = null; return new Response("broken") },
  async wait() { const timer = setTimeout(() => {}, 1e6); console.log("waits"); await gate; clearTimeout(timer); return new Response("waited") },
  go() { open(); gate = new Promise((resolve) => { open = resolve }); return new Response("gone") },
  hello: () => new Response("hello"),
};
export default { fetch(request, env, ctx) { return HANDLERS[new URL(request.url).pathname.slice(1)](request, env, ctx) } };
"""


EXCEEDED = (503, "1102")


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve("--cpu-ms", "2000", env=ONE)
    for name, limits in (("hello", {"cpu_ms": 200}), ("small", {"memory_mb": 96}), ("short", {"wall_ms": 300}), ("neighbour", {})):
        said = upload(node, name, {"index.js": CODE}, limits=limits)
        assert said.success, said.text
    return node


def asked(node, worker, path):
    """The answer and the event of it."""
    with Listener(node, script=worker) as tail:
        answer = node.get(worker, "/" + path)
        event = next(one for one in iter(tail.next, None) if tail.path(one) == path)
        return answer, event, tail.lines(event)


def ended(node, since):
    return [line for line in node.log_lines()[since:] if "is ended" in line or "was ended by" in line]


@pytest.mark.parametrize("path", ["loop", "stubborn", "later", "timer", "storm", "chain", "queue", "awaits", "regexp", "json", "sort", "getter", "listener", "rewriter", "wasm"])
def test_processor_time(node, path):
    answer, event, lines = asked(node, "hello", path)
    assert answer.status == 503 and "1102" in answer.text, answer
    assert event["outcome"] == "exceededCpu" and 180 <= event["cpuTime"] < 3000, event
    assert node.get("hello", "/hello").text == "hello" and node.get("neighbour", "/hello").text == "hello"


def test_a_body_that_takes_too_long_is_cut(node):
    with Listener(node, script="hello") as tail:
        with pytest.raises(http.client.IncompleteRead):
            node.get("hello", "/body")
        assert tail.next()["outcome"] == "exceededCpu"
    assert node.get("hello", "/hello").text == "hello"


@pytest.mark.parametrize("path", ["loop", "later", "timer", "listener"])
def test_who_waits_in_the_same_instance_goes_on(node, path):
    before, seen = len(node.log_lines()), []
    waiting = threading.Thread(target=lambda: seen.append(node.get("hello", "/wait")))
    waiting.start()
    until("it waits", lambda: any(line.endswith("waits") for line in node.log_lines()[before:]))
    assert node.get("hello", "/" + path).status == 503
    assert node.get("hello", "/go").text == "gone"
    waiting.join()
    assert (seen[0].status, seen[0].text) == (200, "waited") and ended(node, before) == []


@pytest.mark.skipif(BIN.name in ("asan", "tsan"), reason="a sanitizer's memory is not the worker's")
@pytest.mark.parametrize("path", ["arrays", "strings", "buffers", "slow", "memory", "blob", "promises", "sockets"])
def test_memory(node, path):
    """An engine that can say so throws; where it cannot it ends, and that is told apart."""
    answer, event, lines = asked(node, "small", path)
    if answer.status == 500:
        assert event["outcome"] == "exception" and event["exceptions"][0]["message"] == "Out of memory", event
        assert any("a request has failed for want of memory: an instance has 96 MiB (limits.memory_mb)" in line for line in lines), event
    else:
        assert (answer.status, event["outcome"]) == (503, "exceededMemory") and "1102" in answer.text, (answer, event)
    until("it answers again", lambda: node.get("small", "/hello").text == "hello")
    assert node.get("neighbour", "/hello").text == "hello"


def test_timers_are_counted(node):
    assert upload(node, "timers", {"index.js": CODE}).success
    answer, event, lines = asked(node, "timers", "timers")
    assert answer.status == 500 and event["exceptions"][0]["message"].startswith("100000 timers are waiting already."), event


# path, (status, text), outcome, a part of the first exception
ODD = [
    ("nothing", (500, "1101"), "exception", "the Promise did not resolve to 'Response'"),
    ("deep", (500, "1101"), "exception", "Maximum call stack size exceeded"),
    ("throws", (200, "thrown"), "ok", "out of a timer"),
    ("one", (200, "rejected"), "ok", "nobody hears it"),
    ("rejections", (200, "rejected"), "ok", "storm 0"),
    ("console", (200, "said"), "ok", None),
    ("proto", (200, "broken"), "ok", None),
]


@pytest.mark.parametrize("path, answer, outcome, exception", ODD, ids=[row[0] for row in ODD])
def test_odd_code_is_its_own_misfortune(node, path, answer, outcome, exception):
    before = len(node.log_lines())
    said, event, _ = asked(node, "neighbour", path)
    assert said.status == answer[0] and answer[1] in said.text, said
    assert event["outcome"] == outcome and (not exception or exception in event["exceptions"][0]["message"]), event
    assert len(event["logs"]) + len(event["exceptions"]) <= 5000
    said, event, _ = asked(node, "neighbour", "hello")
    assert said.text == "hello" and event["cpuTime"] < 50, event
    assert ended(node, before) == []


def test_who_never_answers(node):
    assert (node.get("short", "/never").status, node.get("short", "/hello").text) == (504, "hello")


@pytest.mark.skipif(BIN.name in ("asan", "tsan"), reason="a sanitizer's memory is not the worker's")
@pytest.mark.parametrize("code, text", [
    ("const f = () => Promise.resolve().then(f); await f();", "of memory, and 96 are allowed (limits.memory_mb)"),
    ("await new Promise(() => {});", "a promise that top-level code awaits is never settled"),
    ("const all = []; for (;;) all.push(new Uint8Array(1 << 24).fill(1));", "of memory, and 96 are allowed (limits.memory_mb)"),
], ids=["storm", "never", "memory"])
def test_top_level_code(node, code, text):
    """One that only computes has 10 s, as Python's."""
    said = upload(node, "greedy", {"index.js": code + "\nexport default { fetch: () => new Response('x') }"}, limits={"cpu_ms": 200, "memory_mb": 96})
    assert (said.status, said.codes) == (400, [10021]) and text in said.text, said.text
    assert node.get("neighbour", "/hello").text == "hello"
