"""WebSocketPair, WebSocket and their events without a client: what is refused in which words, and pairs used in one worker.

The words and orders are those of Cloudflare's runtime (workerd of wrangler 4.86); docs/compatibility.md names these tests.
"""
import pytest

from harness import WRANGLER
from websocket_client import connect, run

pytestmark = pytest.mark.asan

PRELUDE = """
const same = (got, wanted) => {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`${JSON.stringify(got)} is not ${JSON.stringify(wanted)}`);
};
const fails = (f) => { try { f(); } catch (e) { return `${e.name}: ${e.message}`; } return 'nothing'; };
const pair = () => Object.values(new WebSocketPair());
const one = () => { const [a, b] = pair(); b.accept(); return b; };
// So many events are there, and a moment later no more: each takes a turn of the loop.
const came = async (list, n) => {
  for (let i = 0; list.length < n && i < 10000; i++) await scheduler.wait(1);
  await scheduler.wait(20);
};
"""


def javascript(lab, code):
    program = "(async () => {%s\n%s\nreturn 'good';})()" % (PRELUDE, code)
    assert lab.value("return await js.eval(%r)" % program) == "good"


def test_websocket_pair(lab):
    javascript(lab, """
    const both = new WebSocketPair();
    same([Object.keys(both), both[0] instanceof WebSocket, [...both].length, String(both)], [['0', '1'], true, 2, '[object WebSocketPair]']);
    same(fails(() => WebSocketPair()), "TypeError: Failed to construct 'WebSocketPair': Please use the 'new' operator, this object constructor cannot be called as a function.");
    const [a, b] = pair();
    same([a.readyState, a.url, a.protocol, a.extensions, a.binaryType, String(a)], [1, null, '', '', 'arraybuffer', '[object WebSocket]']);
    same([WebSocket.OPEN, WebSocket.READY_STATE_CLOSED, a.CLOSING, a.READY_STATE_CONNECTING], [1, 3, 2, 0]);
    same([a instanceof EventTarget, Object.getOwnPropertyNames(a), typeof a.serializeAttachment], [true, [], 'function']);
    b.accept();
    b.close();
    same([a.readyState, b.readyState], [1, 2]);
    a.binaryType = 'blob';
    same(a.binaryType, 'blob');
    a.binaryType = 'nonsense';
    same(a.binaryType, 'blob');
    """)


def test_websocket_what_is_refused(lab):
    javascript(lab, """
    const [a, b] = pair();
    const gate = 'TypeError: You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages.';
    same([fails(() => a.send('x')), fails(() => a.close())], [gate, gate]);
    b.accept();
    b.accept();
    same(fails(() => b.send()), "TypeError: Failed to execute 'send' on 'WebSocket': parameter 1 is not of type 'ArrayBuffer or ArrayBufferView or string'.");
    for (const code of [999, 1004, 1005, 1006, 1015, 5000, 65536, -1]) same(fails(() => one().close(code, 'r')), `InvalidAccessError: Invalid WebSocket close code: ${code}.`);
    for (const code of ['x', null]) same(fails(() => one().close(code)), 'InvalidAccessError: Invalid WebSocket close code: 0.');
    for (const code of [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 1016, 2999, 3000, 4999, 1000.5, undefined]) same(fails(() => one().close(code)), 'nothing');
    same(fails(() => one().close(undefined, 'r')), 'InvalidAccessError: If you specify a WebSocket close reason, you must also specify a code.');
    b.close(1000, 'r');
    b.close(88, 'again');
    same(fails(() => b.send('x')), "TypeError: Can't call WebSocket send() after close().");
    const urls = { 'nope': 'url is invalid', 'ftp://a/': 'url scheme must be ws or wss', 'ws://a/#x': 'url fragment must be empty' };
    for (const [url, why] of Object.entries(urls)) same(fails(() => new WebSocket(url)), `SyntaxError: WebSocket Constructor: The ${why}.`);
    same(fails(() => new WebSocket('ws://a/', ['a', 'a'])), 'SyntaxError: WebSocket Constructor: The protocols header cannot have repeating values.');
    same(fails(() => new WebSocket('ws://a/', 'a b')), 'SyntaxError: WebSocket Constructor: The protocol header token is invalid.');
    same(fails(() => new WebSocket()), "TypeError: Failed to construct 'WebSocket': constructor parameter 1 is not of type 'string'.");
    """)


def test_websocket_in_a_response(lab):
    javascript(lab, """
    const range = 'RangeError: Responses may only be constructed with status codes in the range 200 to 599, inclusive.';
    const [a, b] = pair();
    for (const status of [100, 101, 102, 199]) same(fails(() => new Response(null, { status })), range);
    same(fails(() => new Response(null, { status: 101, webSocket: null })), range);
    same(fails(() => Response.json(1, { status: 101 })), range);
    for (const init of [{ webSocket: a }, { status: 200, webSocket: a }]) same(fails(() => new Response(null, init)), 'RangeError: Responses with a WebSocket must have status code 101.');
    same(fails(() => new Response('x', { status: 101, webSocket: a })), 'TypeError: Response with null body status (101, 204, 205, or 304) cannot have a body.');
    same(fails(() => new Response(null, { status: 101, webSocket: {} })),
      "TypeError: Incorrect type for the 'webSocket' field on 'InitializerDict': the provided value is not of type 'WebSocket'.");
    const r = new Response(null, { status: 101, webSocket: a });
    same([r.status, r.statusText, r.webSocket === a, r.ok, r.body, new Response('x').webSocket], [101, 'Switching Protocols', true, false, null, null]);
    same(fails(() => r.clone()), 'TypeError: Cannot clone a response to a WebSocket handshake.');
    """)
    # To a request that did not ask for one.
    answer = lab.run("""
        client, server = js.WebSocketPair.new().object_values()
        server.accept()
        return Response.new(None, status=101, webSocket=client)
    """)
    assert answer.status == 500 and "Worker tried to return a WebSocket in a response to a request which did not contain the header" in answer.text
    assert lab.value("""
        from workers import Response
        client, server = js.WebSocketPair.new().object_values()
        r = Response(None, status=101, web_socket=client)
        return [r.status, js.Object.js_is(r.js_object.webSocket, client) if hasattr(js.Object, "js_is") else r.js_object.webSocket == client]
    """) == [101, True]


def test_websocket_events(lab):
    javascript(lab, """
    const m = new MessageEvent('message', { data: 1 });
    same([m.data, m.type, m.origin, m.lastEventId, m.source, m.ports], [1, 'message', null, '', null, []]);
    same(fails(() => new MessageEvent('x')), "TypeError: Failed to construct 'MessageEvent': constructor parameter 2 is not of type 'Initializer'.");
    same(fails(() => new MessageEvent()), "TypeError: Failed to construct 'MessageEvent': constructor parameter 1 is not of type 'string'.");
    const c = new CloseEvent('close', { code: 1, reason: 'x', wasClean: true }), d = new CloseEvent('close');
    same([c.code, c.reason, c.wasClean, d.code, d.reason, d.wasClean, c instanceof Event], [1, 'x', true, 0, '', false, true]);
    """)


def test_websocket_both_ends_in_one_worker(lab):
    javascript(lab, """
    const [c, s] = pair(), log = [], events = (n, w) => {
      for (const k of ['open', 'message', 'close', 'error'])
        w.addEventListener(k, (e) => log.push([n, k, e.data ?? e.code ?? e.message, e.reason, e.wasClean, w.readyState, e.data instanceof ArrayBuffer && e.data.byteLength]));
    };
    events('c', c);
    events('s', s);
    s.accept();
    s.send('early');
    c.accept();
    const bytes = new Uint8Array([1, 2]);
    c.send(bytes.subarray(1));
    bytes[1] = 9;
    log.push('sync');
    queueMicrotask(() => log.push('micro'));
    await came(log, 4);
    same(log.splice(0), ['sync', 'micro', ['c', 'message', 'early', null, null, 1, false], ['s', 'message', {}, null, null, 1, 1]]);
    s.close(1000, 'done');
    same([s.readyState, c.readyState], [2, 1]);
    await came(log, 2);
    same(log.splice(0), [['c', 'close', 1000, 'done', true, 2, false], ['s', 'close', 1000, 'done', true, 3, false]]);
    same([s.readyState, c.readyState], [3, 3]);

    // Half open: nothing is answered by itself.
    const [a, b] = pair(), more = [];
    a.accept({ allowHalfOpen: true });
    b.accept();
    a.onclose = (e) => { more.push(['a', e.code, a.readyState]); a.send('still'); a.close(3000, 'mine'); };
    b.onmessage = (e) => more.push(['b', e.data, b.readyState]);
    b.onclose = (e) => more.push(['b', e.code, b.readyState]);
    b.close(1001, 'yours');
    await came(more, 3);
    same(more, [['a', 1001, 2], ['b', 'still', 2], ['b', 3000, 3]]);

    // Blobs, whole characters, and what is no text.
    const [x, y] = pair(), got = [];
    x.accept();
    y.accept();
    y.binaryType = 'blob';
    y.onmessage = (e) => got.push(e.data);
    x.send(new Blob(['in a blob']));
    x.send('\\ud800');
    x.send(5);
    await came(got, 3);
    same([await got[0].text(), got[0].constructor.name, got[1], got[2]], ['in a blob', 'Blob', '\\ufffd', '5']);
    """)


def test_websocket_python_ends(lab):
    assert lab.value("""
        from pyodide.ffi import create_proxy
        got = []
        a, b = js.WebSocketPair.new().object_values()
        a.accept(), b.accept()
        b.addEventListener("message", create_proxy(lambda e: got.append(e.data if isinstance(e.data, str) else e.data.to_bytes().hex())))
        b.addEventListener("close", lambda e: got.append([e.code, e.reason, e.wasClean]))
        a.send("text")
        a.send(b"\\x01\\x02")
        a.send(memoryview(b"\\x03"))
        a.close(4000, "bye")
        for _ in range(10000):
            if len(got) == 4: break
            await asyncio.sleep(0.001)
        pair = js.WebSocketPair.new()
        return [got, type(pair).__name__, len(pair.object_values()), len(list(pair))]
    """) == [["text", "0102", "03", [4000, "bye", True]], "JsProxy", 2, 2]


NEW_WAYS = """
from workers import Response, WorkerEntrypoint
from js import WebSocketPair

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        client, server = WebSocketPair.new().object_values()
        server.accept()

        async def on_message(event):
            if isinstance(event.data, str):
                server.send(f"{server.readyState} {server.binaryType}")
            else:
                server.send(f"{event.data.constructor.name} {(await event.data.text())}")

        def on_close(event):
            print("closed", event.code, server.readyState)
            server.close(event.code, event.reason)
            server.send("into the void")

        server.addEventListener("message", on_message)
        server.addEventListener("close", on_close)
        return Response(None, status=101, web_socket=client)
"""


def test_websocket_by_the_newest_date(corral):
    """From 2026-03-17 on binary messages are Blobs, from 2026-04-07 on closes are answered before their event."""
    one = corral({"src/entry.py": NEW_WAYS, "wrangler.toml": WRANGLER.format(name="hello").replace("2024-03-29", "2026-05-01").replace(
        ', "disable_python_no_global_handlers"', "")})

    async def talk():
        async with connect(one) as ws:
            await ws.send("hi")
            assert await ws.recv() == "1 blob"
            await ws.send(b"bytes")
            assert await ws.recv() == "Blob bytes"
            await ws.close(4321)
            assert ws.close_code == 4321
    run(talk())
    one.wait_log("closed 4321 3")
    assert "Error" not in one.log_text()
