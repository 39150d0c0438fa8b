"""A request of a JavaScript worker that nothing can answer any more is told so at once; one that something can is not."""
import re
import socket
import threading
import time

import pytest

from harness import ONE

pytestmark = pytest.mark.asan

SAYS = "The Workers runtime canceled this request because it detected that your Workers' code had hung and would never generate a response."
CONFIG = 'name = "n"\nmain = "index.js"\ncompatibility_date = "2026-03-01"\n'
CODE = """let open;
const gate = new Promise((resolve) => { open = resolve; });
const never = () => new Promise(() => {});
const HANDLERS = {
  never, later: async () => { await 0; await scheduler.wait(1); await never(); },
  behind: async (request, env, ctx) => { ctx.waitUntil(never()); await never(); },
  fetched: async (request) => { await (await fetch(new URL("/hello", request.url))).text(); return never(); },
  read: async (request) => { await request.text(); return never(); },
  stream: async () => { const { readable, writable } = new TransformStream(); await readable.getReader().read(); },
  pair: async () => { const pair = new WebSocketPair(); pair[0].accept(); await new Promise((r) => pair[0].addEventListener("message", r)); },

  timer: () => new Promise((r) => setTimeout(() => r(new Response("timer")), 200)),
  interval: () => new Promise((r) => { let n = 0; const id = setInterval(() => { if (++n === 3) { clearInterval(id); r(new Response("interval")); } }, 20); }),
  fetches: async (request) => { const r = await fetch(new URL("/timer", request.url)); return new Response("fetches " + await r.text()); },
  body: async (request) => new Response(await request.text()),
  aborted: async () => { try { await new Promise((_, fail) => { const signal = AbortSignal.timeout(100); signal.addEventListener("abort", () => fail(signal.reason)); }); } catch (e) { return new Response(e.name); } },
  message: () => new Promise((r) => { const { port1, port2 } = new MessageChannel(); port2.onmessage = (e) => r(new Response(e.data)); port1.postMessage("message"); }),
  sockets: () => new Promise((r) => { const pair = new WebSocketPair(); pair[0].accept(); pair[1].accept(); pair[0].addEventListener("message", (e) => r(new Response(e.data))); setTimeout(() => pair[1].send("sockets"), 20); }),
  digest: async () => new Response((await crypto.subtle.digest("SHA-256", new Uint8Array(1000000))).byteLength),
  keys: async () => new Response((await crypto.subtle.generateKey({ name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, false, ["sign", "verify"])).publicKey.type),
  gzip: async () => new Response((await new Response(new Blob(["x".repeat(1e6)]).stream().pipeThrough(new CompressionStream("gzip")).pipeThrough(new DecompressionStream("gzip"))).text()).length),
  atomics: () => new Response(typeof Atomics.waitAsync),
  wasm: async () => new Response((await WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 4, 1, 2, 0, 11]))).instance.exports.f.length),
  served: () => { const [client, server] = Object.values(new WebSocketPair()); server.accept(); setTimeout(() => server.send("served"), 100); return new Response(null, { status: 101, webSocket: client }); },
  client: (request) => new Promise((r) => { new WebSocket(new URL("/served", request.url).href.replace("http", "ws")).addEventListener("message", (e) => r(new Response(e.data))); }),
  upgraded: async (request) => { const { webSocket } = await fetch(new URL("/served", request.url), { headers: { upgrade: "websocket" } }); webSocket.accept(); return new Promise((r) => webSocket.addEventListener("message", (e) => r(new Response(e.data)))); },
  cache: async () => { await caches.default.put("http://x.test/", new Response("cache", { headers: { "cache-control": "max-age=60" } })); return new Response("cache"); },
  wait: async () => { console.log("it waits"); await gate; return new Response("wait"); },
  open: async () => { console.log("it opens"); await scheduler.wait(100); open(); return new Response("open"); },
  left: (request) => new Promise((r) => { request.signal.addEventListener("abort", () => { console.log("the client has left"); r(new Response()); }); console.log("it listens"); }),
  hello: () => new Response("hello"),
};
export default { fetch(request, env, ctx) { return HANDLERS[new URL(request.url).pathname.slice(1)](request, env, ctx); } };
"""


@pytest.fixture(scope="module")
def worker(shared_corral):
    return shared_corral({"wrangler.toml": CONFIG, "index.js": CODE}, env=ONE)


@pytest.mark.parametrize("path", ["never", "later", "behind", "fetched", "read", "stream", "pair"])
def test_what_can_never_be_answered_fails_at_once(worker, path):
    since, began = worker.mark(), time.monotonic()
    answer = worker.request("POST", f"/{path}", body="text")
    assert answer.status == 500 and time.monotonic() - began < 5, answer.body
    worker.wait_log(r"Error: " + re.escape(SAYS), since=since)
    assert worker.get("/hello").body == b"hello"


@pytest.mark.parametrize("path, text", [
    ("timer", "timer"), ("interval", "interval"), ("fetches", "fetches timer"), ("body", "text"), ("aborted", "TimeoutError"), ("message", "message"), ("sockets", "sockets"),
    ("digest", "32"), ("keys", "public"), ("gzip", "1000000"), ("cache", "cache"), ("wasm", "0"), ("client", "served"), ("upgraded", "served"), ("atomics", "undefined")])
def test_what_something_can_answer_is_waited_for(worker, path, text):
    answer = worker.request("POST", f"/{path}", body="text")
    assert (answer.status, answer.body.decode()) == (200, text)


def test_a_body_that_still_arrives_is_waited_for(worker):
    with socket.create_connection(("127.0.0.1", worker.port), 20) as own:
        own.sendall(b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nhalf")
        assert worker.get("/timer").body == b"timer"
        own.sendall(b" all")
        assert own.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_request_that_another_one_can_wake_is_waited_for(worker):
    """The first one waits for a promise of the module; the second is there before the instance is idle."""
    since, seen = worker.mark(), []
    opening = threading.Thread(target=lambda: seen.append(worker.get("/open").body))
    opening.start()
    worker.wait_log("it opens", since=since)
    assert worker.get("/wait").body == b"wait"
    opening.join()
    assert seen == [b"open"]


def test_who_listens_for_its_client_to_leave_hears_it(worker):
    since = worker.mark()
    with socket.create_connection(("127.0.0.1", worker.port), 20) as own:
        own.sendall(b"GET /left HTTP/1.1\r\nHost: localhost\r\n\r\n")
        worker.wait_log("it listens", since=since)
        assert worker.get("/hello").body == b"hello"
    worker.wait_log("the client has left", since=since)
