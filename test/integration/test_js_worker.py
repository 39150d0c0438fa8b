"""Workers in JavaScript on a node: what is stopped, what is told of whom, how soon they start."""
import threading
import time

import pytest

from harness import ONE, until
from test_tail import Listener
from websocket_client import TEXT, Raw, frame

pytestmark = pytest.mark.asan

WORKER = """\
import { env, waitUntil, WorkerEntrypoint } from 'cloudflare:workers';
const bytes = Uint8Array.fromBase64('AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=');
const { add } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
const spin = () => { for (;;); };
let open = eval('[]'), refused = [];
for (const f of [() => setTimeout(spin, 1), () => crypto.randomUUID(), () => fetch('http://x/'), () => Promise.resolve().then(() => caches.default.match('http://x/'))]) {
  try { await f(); } catch (e) { refused.push(e.message); }
}

export default {
  async fetch(request) {
    const path = new URL(request.url).pathname.slice(1);
    if (path === 'refused') return Response.json(refused);
    if (path === 'spin') spin();
    if (path === 'caught') { try { spin(); } finally { console.log('finally'); } }
    if (path === 'reaction') await Promise.resolve().then(spin);
    if (path === 'later') { await null; spin(); }
    if (path === 'timer') await new Promise(() => setTimeout(spin, 0));
    if (path === 'stream') return new Response(new ReadableStream({ async pull(c) { await scheduler.wait(1); spin(); } }));
    if (path === 'background') waitUntil(scheduler.wait(1).then(() => { console.log('behind'); spin(); }));
    if (path === 'wait') { console.log('waits'); await new Promise((done) => open.push(done)); }
    if (path === 'go') open.splice(0).forEach((done) => done());
    if (path === 'throw') null.x;
    if (path === 'text') { try { new Function('return 1'); } catch (e) { return new Response(String(e)); } }
    return new Response(path + ' ' + add(1, 2) + ' ' + env.NAME);
  },
};
"""


TIMERS = """\
let ticks = 0, shared, share;
const log = [];
export default {
  async fetch(request, env, ctx) {
    const path = new URL(request.url).pathname.slice(1);
    if (path === 'count') {
      const before = ticks;
      await scheduler.wait(60);
      return Response.json([ticks > 0, ticks - before, log.splice(0)]);
    }
    if (path === 'interval') {
      setInterval(() => ticks++, 1);
      await scheduler.wait(5);
      setInterval(() => ticks++, 1);
      setTimeout(() => log.push('late'), 30);
      AbortSignal.timeout(30).addEventListener('abort', () => log.push('aborted'));
      (async () => { for (;;) { await scheduler.wait(1); ticks++; } })();
    }
    if (path === 'background') ctx.waitUntil(scheduler.wait(30).then(() => log.push('background')));
    if (path === 'stream') {
      return new Response(new ReadableStream({ start(c) { setTimeout(() => { c.enqueue(new TextEncoder().encode('streamed')); c.close(); }, 30); } }));
    }
    if (path === 'socket') {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      setInterval(() => { server.send('tick'); ticks++; }, 1);
      server.addEventListener('message', async ({ data }) => { await scheduler.wait(5); setTimeout(() => server.send('behind ' + data), 5); });
      return new Response(null, { status: 101, webSocket: client });
    }
    // One waits for what another request makes, and then for a while: that is its own, though the other has ended.
    if (path === 'make') { shared = new Promise((done) => { share = done; }); console.log('makes'); await scheduler.wait(60); share(); return new Response('made'); }
    if (path === 'take') { console.log('takes'); await shared; await scheduler.wait(30); return new Response('taken'); }
    return new Response(path);
  },
};
"""


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve("--cpu-ms", "300", env=ONE)
    before = time.monotonic()
    node.deploy("hello", {"index.js": WORKER}, {"main_module": "index.js", "compatibility_date": "2026-01-01", "compatibility_flags": [],
                                                "bindings": [{"type": "plain_text", "name": "NAME", "text": "corral"}]})
    node.took = time.monotonic() - before
    return node


def test_a_worker_that_compiles_webassembly_starts_at_once(node):
    """The engine's compilers idle for ten seconds before they end; nothing can fork meanwhile."""
    assert node.get("hello", "/x").text == "x 3 corral"
    assert node.took < 8


@pytest.mark.parametrize("path", ["spin", "caught", "reaction", "later", "timer"])
def test_a_script_that_uses_up_its_processor_time_is_stopped(node, path):
    before = len(node.log_lines())
    waiting = threading.Thread(target=node.get, args=("hello", "/wait"))
    waiting.start()
    until("it waits", lambda: any(line.endswith("waits") for line in node.log_lines()[before:]))
    with Listener(node) as tail:
        answer = node.get("hello", "/" + path)
        assert answer.status == 503 and "1102" in answer.text, answer.text
        event = tail.next()
        assert event["outcome"] == "exceededCpu", event
        assert any("processor time (limits.cpu_ms)" in line for line in tail.lines(event)), event
    assert node.get("hello", "/go").text == "go 3 corral"
    waiting.join()
    assert "is ended" not in "\n".join(node.log_lines()[before:])


def test_what_runs_behind_an_answer_is_stopped_too(node):
    before = node.mark()
    assert node.get("hello", "/background").text == "background 3 corral"
    node.wait_log(r"GET http://hello.main.test/background: CpuLimitExceeded", since=before)
    assert node.get("hello", "/x").text == "x 3 corral"


def test_a_failure_has_its_place_in_the_source(node):
    before = node.mark()
    assert node.get("hello", "/throw").status == 500
    node.wait_log(r"TypeError: null is not an object", since=before)
    node.wait_log(r"at fetch \(index.js:23:27\)", since=before)


def test_io_of_top_level_code_is_refused(node):
    refused = node.get("hello", "/refused").json()
    assert len(refused) == 4 and all(one.startswith("Disallowed operation called within global scope. Asynchronous I/O") for one in refused), refused


def test_text_is_no_code_in_handlers(node):
    assert node.get("hello", "/text").text == "EvalError: Code generation from strings disallowed for this context"


def test_timers_end_with_their_request(node):
    """What a request leaves behind does not run; what it waits for, or streams, does; others' timers are theirs."""
    node.deploy("timers", {"index.js": TIMERS}, {"main_module": "index.js", "compatibility_date": "2026-01-01", "compatibility_flags": [], "bindings": []})
    assert node.get("timers", "/interval").text == "interval"
    assert node.get("timers", "/count").json() == [True, 0, []]
    assert node.get("timers", "/background").text == "background"
    assert node.get("timers", "/stream").text == "streamed"
    assert node.get("timers", "/count").json() == [True, 0, ["background"]]
    with Raw(node, "/socket", host=node.host_of("timers")) as socket:
        assert [socket.next() for _ in range(3)] == [(TEXT, b"tick")] * 3
        socket.send(frame(TEXT, b"said"))
        while socket.next() != (TEXT, b"behind said"):
            pass
    until("the socket's interval ends with it", lambda: node.get("timers", "/count").json()[1] == 0)
    seen, mark = [], node.mark()
    making = threading.Thread(target=lambda: seen.append(node.get("timers", "/make").text))
    making.start()
    node.wait_log(r"\[timers:inf\] makes", since=mark)
    assert node.get("timers", "/take").text == "taken"
    making.join()
    assert seen == ["made"]


MISUSED = """\
const said = async (f) => { try { return await f(); } catch (error) { return `${error.name}: ${error.message}`; } };
export default { async fetch(request, env, ctx) {
  const { waitUntil, passThroughOnException } = ctx, locked = new Response("x"), used = new Response("y");
  locked.body.getReader();
  await used.text();
  return Response.json([await said(() => waitUntil(null)), await said(() => passThroughOnException.call({})), await said(() => ctx.waitUntil(null) ?? "bound"),
    await said(() => locked.text()), await said(() => locked.clone()), await said(() => used.text())]);
} };
"""


def test_misuse_is_told_as_it_is(node):
    node.deploy("misused", {"index.js": MISUSED}, {"main_module": "index.js", "compatibility_date": "2026-01-01", "compatibility_flags": [], "bindings": []})
    illegal = "TypeError: Illegal invocation: function called with incorrect `this` reference: call it as ctx.waitUntil(), or bind() it to ctx."
    locked = "TypeError: This ReadableStream is currently locked to a reader."
    assert node.get("misused", "/").json() == [illegal, illegal, "bound", locked, locked, "TypeError: Body has already been used. It can only be used once. Use tee() first if you need to read it twice."]
