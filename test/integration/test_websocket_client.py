"""WebSockets that a worker opens to other servers, and what both roles make of every frame; docs/compatibility.md names these tests."""
import json
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import DEADLINE, rss_kb, until
from websocket_cases import CASES, framer
from origin import make_certificate
from websocket_client import CLOSE, Raw, closed, connect, noise, run
from websocket_origin import Peer, Script

pytestmark = pytest.mark.asan

# A POST is code that runs in JavaScript, and answers with what it returns; everything else is passed on to where it says.
WORKER = '''
import js
from js import Response

async def on_fetch(request, env, ctx):
    url = js.URL.new(request.url)
    if request.method == "POST":
        run = js.eval("(async (request, env, ctx) => {" + js.globalThis.HELP + await request.text() + "})")
        return Response.new(js.JSON.stringify(await run(request, env, ctx)))
    if url.pathname.startswith("/wire/"):
        return js.wire(url.pathname)
    return await js.fetch(url.searchParams.get("to"), request)

js.globalThis.HELP = """
const note = (ws) => {
  const log = []; let over;
  const end = new Promise((resolve) => { over = resolve; });
  ws.addEventListener("open", () => log.push(["open", ws.readyState, ws.protocol, ws.extensions]));
  ws.addEventListener("message", (e) => log.push((typeof e.data === "string" ? "t" + e.data.length : "b" + e.data.byteLength)));
  ws.addEventListener("error", (e) => log.push(["error", e.message, ws.readyState]));
  ws.addEventListener("close", (e) => { log.push(["close", e.code, e.reason, e.wasClean, ws.readyState]); over(log); });
  return { log, end };
};
const caught = (f) => { try { return [f(), "nothing was thrown"]; } catch (e) { return `${e.name}: ${e.message}`; } };
"""
js.eval("""
globalThis.wires = new Map();
globalThis.wire = (name) => {
  const { 0: client, 1: server } = new WebSocketPair();
  const note = new Function(HELP + "return note")();
  server.accept();
  wires.set(name, note(server).log);
  return new Response(null, { status: 101, webSocket: client });
};
""")
'''


@pytest.fixture(scope="module")
def worker(shared_corral):
    return shared_corral(WORKER, env={"CORRAL_TEST_INSTANCES": "1"})


@pytest.fixture(scope="module")
def peer():
    one = Peer()
    yield one
    one.close()


def ask(corral, code, *values):
    answer = corral.request("POST", "/", (code % tuple(json.dumps(v) for v in values)).encode())
    assert answer.status == 200, answer.text
    return json.loads(answer.text)


# ---- every frame, in both roles ----


def judge(name, heard, frames, messages, pongs, told, sent):
    """What the worker's code has heard, and what left."""
    events = [one for one in heard if isinstance(one, list) and one[0] != "open"]
    assert [one for one in heard if isinstance(one, str)] == messages, (name, heard)
    assert [payload.decode() for first, payload in frames if first == 0x8a] == pongs, (name, frames)
    closes = [payload for first, payload in frames if first == 0x88]
    assert len(closes) == 1 and len(frames) == len(pongs) + 1, (name, frames)
    code, = struct.unpack(">H", closes[0][:2]) if closes[0] else (None,)
    assert code == sent, (name, closes)
    assert events[-1][0] == "close" and events[-1][1] == told[0], (name, events)
    if told[1] is None:
        assert [one[0] for one in events] == ["error", "close"] and events[-1][3] is False, (name, events)
    else:
        assert events[-1][2:4] == [told[1], True] and len(events) == 1, (name, events)


def script_of(sent, is_slow):
    def script(line):
        data = sent(framer(None))
        line.switch(data=b"" if is_slow else data)      # fast: in the very segment of the handshake's end
        for i in range(0, len(data) if is_slow else 0):
            line.send(data[i:i + 1])
        line.rest()
    return script


def test_websocket_conformance_as_a_client(worker):
    """All cases at once in one request; the short ones also byte by byte."""
    scripts, wanted = {}, {}
    for i, (name, sent, *rest) in enumerate(CASES):
        scripts[str(i)] = script_of(sent, False)
        wanted[str(i)] = (name, *rest)
        if len(sent(framer(None))) < 300:
            scripts["slow%d" % i] = script_of(sent, True)
            wanted["slow%d" % i] = (name + ", byte by byte", *rest)
    server = Script(scripts)
    try:
        said = ask(worker, """
            const said = {}, names = %s, dial = async () => {
              for (let name; (name = names.shift()) !== undefined;) said[name] = await note(new WebSocket(%s + "/" + name)).end;
            };
            await Promise.all([...Array(40)].map(dial));
            return said;
        """, list(scripts), server.ws)
        for name, (title, messages, pongs, told, sent) in wanted.items():
            line = server.heard["/" + name]
            assert line.done.wait(DEADLINE), title
            judge(title, said[name], [(first, payload) for first, payload, _ in line.frames], messages, pongs, told, sent)
            assert said[name][0] == ["open", 1, None, None], title
        masks = [mask for line in server.heard.values() for _, _, mask in line.frames]
        assert len(set(masks)) > len(masks) - 3, "masks are drawn anew for each frame"
    finally:
        server.close()


def test_websocket_conformance_as_a_server(worker):
    def one(case):
        name, sent, *rest = case
        with Raw(worker, "/wire/" + name.replace(" ", "_").replace(",", "").replace("+", "").replace(":", "")) as raw:
            path = "/wire/" + name.replace(" ", "_").replace(",", "").replace("+", "").replace(":", "")
            raw.send(sent(framer(b"\x9a\x01\x7f\xe3")))
            frames = []
            try:
                while True:
                    kind, payload = raw.next()
                    frames.append((0x80 | kind, payload))
            except (EOFError, ConnectionResetError):
                pass
        return name, path, frames, rest

    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(one, CASES))
    said = ask(worker, "return Object.fromEntries(wires)")
    for name, path, frames, rest in heard:
        judge(name, said[path], frames, *rest)


# ---- the handshake ----

OPEN_UP = """
    const seen = {}, both = async (url) => {
      const ws = new WebSocket(url.replace(/^http/, "ws"), ["chat", "b"]), dialled = note(ws).end;
      ws.onopen = () => ws.close(1000);
      let fetched;
      try {
        const answer = await fetch(url, { headers: { Upgrade: "WebSocket", "Sec-WebSocket-Protocol": "chat, b" } });
        fetched = [answer.status, answer.webSocket === null ? await answer.text() : "a WebSocket"];
        answer.webSocket?.accept();
        answer.webSocket?.close(1000);
      } catch (e) { fetched = `${e.name}: ${e.message}`; }
      const log = await dialled;
      return [fetched, log[0][0] === "open" ? ["open", log[0][2]] : log];
    };
"""
FAILED = "Failed to establish the WebSocket connection: expected server to reply with HTTP status code 101 (switching protocols), but received %d instead."


def test_websocket_handshakes_that_fail(worker):
    hi = b"\x81\x02hi"

    def switch(*arguments, **more):
        return lambda line: (line.switch(*arguments, **more), line.rest())

    def head_of(text):
        return "HTTP/1.1 101 Switching Protocols\r\n" + text

    wrong = {
        "accept": switch(accept="s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "noaccept": switch(accept=""), "accepts": switch("Sec-WebSocket-Accept: x\r\n"),
        "upgrade": switch(head=head_of("Upgrade: h2c\r\nConnection: Upgrade\r\n")), "noupgrade": switch(head=head_of("Connection: Upgrade\r\n")),
        "connection": switch(head=head_of("Upgrade: websocket\r\nConnection: close\r\n")), "noconnection": switch(head=head_of("Upgrade: websocket\r\n")),
        "extensions": switch("Sec-WebSocket-Extensions: permessage-deflate\r\n"), "protocol": switch("Sec-WebSocket-Protocol: superchat\r\n"),
        "protocols": switch("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: b\r\n"),
    }
    names = {"accept": "Accept", "noaccept": "Accept", "accepts": "Accept", "upgrade": "U", "noupgrade": "U", "connection": "C", "noconnection": "C",
             "extensions": "Extensions", "protocol": "Protocol", "protocols": "Protocol"}
    header = {"U": "Upgrade", "C": "Connection"}
    server = Script({
        **wrong,
        "good": switch("Sec-WebSocket-Protocol: b\r\n", data=b"\x88\x02\x03\xe8"), "lower": switch(head=head_of("upgrade: WebSocket\r\nconnection: keep-alive, upgrade\r\n")),
        "early": lambda line: (line.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), line.switch(), line.rest()),
        "ok": lambda line: line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain"),
        "chunked": lambda line: line.send(b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        "end": lambda line: line.send(b"HTTP/1.1 500 Oh\r\n\r\nup to the end"), "gone": lambda line: None, "garbage": lambda line: line.send(hi),
        "cut": lambda line: line.send(b"HTTP/1.1 101 Switching Pro"), "none": lambda line: line.send(b"HTTP/1.1 204 No Content\r\n\r\n"),
    })
    try:
        said = ask(worker, OPEN_UP + "for (const one of %s) seen[one] = await both(%s + '/' + one); return seen", list(server.scripts), server.url)
        for one, name in names.items():
            text = "TypeError: Server failed WebSocket handshake: incorrect %s header." % header.get(name, "Sec-WebSocket-" + name)
            failed = [["error", "Uncaught " + text, 3], ["close", 1006, "Failed to establish websocket connection", False, 3]]
            assert said[one] == [text, failed], (one, said[one])
            assert server.heard["/" + one].done.wait(DEADLINE) and not server.heard["/" + one].frames, one
        assert said["good"] == [[101, "a WebSocket"], ["open", "b"]] and said["lower"] == said["early"] == [[101, "a WebSocket"], ["open", None]], said
        for one, status, text in (("ok", 200, "plain"), ("chunked", 403, "abc"), ("end", 500, "up to the end"), ("none", 204, "")):
            assert said[one][0] == [status, text] and said[one][1][0][1] == "Uncaught TypeError: " + FAILED % status, said[one]
        for one in ("gone", "garbage", "cut"):
            assert said[one][0] == "TypeError: Network connection lost." and said[one][1][0][1] == "Uncaught TypeError: Network connection lost.", (one, said[one])
        line = server.heard["/good"]
        assert line.line == "GET /good HTTP/1.1"
        for name, value in (("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-version", "13"), ("sec-websocket-protocol", "chat, b"),
                            ("host", "127.0.0.1:%d" % server.port)):
            assert [v for n, v in line.fields if n == name] == [value], line.fields
        assert not {"transfer-encoding", "content-length", "expect", "sec-websocket-extensions"} & {n for n, _ in line.fields}, line.fields
        assert len({one.key for one in server.heard.values()}) == len(server.heard) and all(len(one.key) == 24 for one in server.heard.values())
    finally:
        server.close()


def test_websocket_nothing_leaves_before_the_handshake_has_ended(worker):
    """A server that never switches hears no byte but the head; who gives up hears why, and the server that nobody waits any more."""
    server = Script({"silent": lambda line: (line.rest(), line.frames.append(line.unread))})
    try:
        said = ask(worker, """
            const ws = new WebSocket(%s + "/silent"), log = note(ws), states = [ws.readyState, ws.url, ws.protocol, ws.extensions, ws.bufferedAmount];
            const refused = [caught(() => ws.send("early")), caught(() => ws.accept()),
                             caught(() => ws.close(1005)), caught(() => new Response(null, { status: 101, webSocket: ws }).clone())];
            const controller = new AbortController(), asked = fetch(%s + "/silent", { headers: { upgrade: "websocket" }, signal: controller.signal });
            setTimeout(() => { ws.close(); controller.abort(); }, 50);
            let aborted;
            try { await asked; } catch (e) { aborted = e.name; }
            return [states, refused, await log.end, aborted, caught(() => ws.send("late")), ws.readyState];
        """.replace("caught(() => ws.close(1005)), ", ""), server.ws, server.url)
        assert said[0] == [0, server.ws + "/silent", "", "", 0]
        assert said[1] == ["TypeError: You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages.",
                           "TypeError: Websockets obtained from the 'new WebSocket()' constructor cannot call accept",
                           "TypeError: Cannot clone a response to a WebSocket handshake."]
        assert said[2] == [["error", "Uncaught Error: Called close before connection was established.", 3],
                           ["close", 1006, "Failed to establish websocket connection", False, 3]]
        assert said[3:] == ["AbortError", [None, "nothing was thrown"], 3]
        line = server.heard["/silent"]
        assert line.done.wait(DEADLINE) and line.frames == [b""]
    finally:
        server.close()


def test_websocket_urls_and_protocols(worker):
    said = ask(worker, """
        return [["http://a/"], ["nothing"], ["wss://a/#b"], ["ws://a/", []], ["ws://a/", ["a", "a"]], ["ws://a/", ["a b"]], ["ws://a/", ""], []]
          .map((list) => caught(() => new WebSocket(...list)));
    """)
    prefix = "SyntaxError: WebSocket Constructor: "
    assert said == [prefix + "The url scheme must be ws or wss.", prefix + "The url is invalid.", prefix + "The url fragment must be empty.",
                    prefix + "The protocols array cannot be empty.", prefix + "The protocols header cannot have repeating values.",
                    prefix + "One of the protocol header tokens is invalid.", prefix + "The protocol header token is invalid.",
                    "TypeError: Failed to construct 'WebSocket': constructor parameter 1 is not of type 'string'."]


# ---- a life ----


def test_websocket_to_another_server(worker, peer):
    peer.ends.clear()
    said = ask(worker, """
        const base = %s, talk = (ws) => {
          const log = note(ws);
          ws.addEventListener("message", (e) => {
            if (e.data === "hi") { ws.send(new Uint8Array([1, 2, 3]).subarray(1)); ws.send("\\u{1f600}"); ws.send(new ArrayBuffer(300000)); }
            if (e.data.byteLength === 300000) { ws.close(4003, "bye"); ws.close(4004); log.log.push(ws.readyState, caught(() => ws.send("late"))); }
          });
          return log.end;
        };
        const dialled = new WebSocket(base.replace("http", "ws") + "/echo?1", "chat");
        dialled.onopen = () => dialled.send("hi");
        const first = await talk(dialled);
        const answer = await fetch(base + "/echo?2", { method: "POST", body: "ignored", headers: { Upgrade: "websocket", "X-Mine": "1", "Sec-WebSocket-Key": "mine" } });
        const before = [caught(() => answer.webSocket.send("hi")), caught(() => answer.webSocket.close()), answer.webSocket.readyState];
        answer.webSocket.accept();
        answer.webSocket.accept();
        answer.webSocket.send("hi");
        return [first, before, await talk(answer.webSocket), answer.webSocket.url, answer.status, [...answer.headers].map(([n]) => n)];
    """, peer.url)
    talked = ["t2", "b2", "t2", "b300000", 2, "TypeError: Can't call WebSocket send() after close().", ["close", 4003, "bye", True, 3]]
    assert said[0] == [["open", 1, "chat", None], *talked]
    text = "TypeError: You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages."
    assert said[1] == [text, text, 1]
    assert said[2] == talked
    assert said[3:] == [None, 101, ["date", "sec-websocket-accept", "server", "upgrade"]]
    assert until(lambda: repr(peer.ends), lambda: len(peer.ends) == 2) and {end[1:] for end in peer.ends} == {(4003, "bye")}
    (_, first), (_, second) = [(path, headers) for path, headers in peer.headers if path.startswith("/echo?")][-2:]
    assert ("x-mine", "1") in second and not [v for n, v in second if n.lower() == "sec-websocket-key" and v == "mine"]


def test_websocket_redirects_and_the_server_that_closes(worker, peer):
    said = ask(worker, """
        const base = %s, upgrade = { Upgrade: "websocket" }, ws = base.replace("http", "ws");
        const moved = await fetch(base + "/redirect", { headers: upgrade }), manual = await fetch(base + "/redirect", { headers: upgrade, redirect: "manual" });
        moved.webSocket.accept();
        moved.webSocket.close(1000);
        const closing = (await fetch(base + "/say", { headers: upgrade })).webSocket;
        await new Promise((resolve) => setTimeout(resolve, 100));      // all of it, and the end, is here before anybody listens
        const log = note(closing);
        closing.accept();
        return [moved.status, moved.redirected, manual.status, await note(new WebSocket(ws + "/redirect")).end, await log.end, await note(new WebSocket(ws + "/close")).end];
    """, peer.url)
    assert said[:3] == [101, True, 302] and said[3][0][1] == "Uncaught TypeError: " + FAILED % 302
    assert said[4] == ["t3", "b2", "t0", "t8", "t70000", ["close", 4001, "said all", True, 2]]
    assert said[5] == [["open", 1, None, None], ["close", 4002, "at once", True, 2]]


def test_websocket_connections_that_break(worker):
    def reset(line):
        line.switch(data=b"\x81\x01a")
        line.next()
        line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    server = Script({"reset": reset, "end": lambda line: line.switch(data=b"\x81\x01a"), "half": lambda line: line.switch(data=b"\x81\x05a"),
                     "mute": lambda line: (line.switch(), line.next(), line.next(), line.next())})
    try:
        said = ask(worker, """
            const logs = %s.map((name) => {
              const ws = new WebSocket(%s + "/" + name);
              if (name === "reset") ws.onmessage = () => ws.send("x");         // the others are closed: what is sent to them would reset them too
              return note(ws).end;
            });
            return await Promise.all(logs);
        """, ["reset", "end", "half"], server.ws)
        lost = ["close", 1006, "WebSocket disconnected without sending Close frame.", False, 3]
        assert said[1] == [["open", 1, None, None], "t1", lost] and said[2] == [["open", 1, None, None], lost], said
        assert said[0][:2] == [["open", 1, None, None], "t1"] and said[0][-1][:2] == ["close", 1006], said
    finally:
        server.close()


def test_websocket_many_and_large_ones(worker, peer):
    """What comes is taken as fast as it is read; 100 connections at once, and 20 MB through each of two."""
    said = ask(worker, """
        const base = %s;
        const many = await Promise.all([...Array(100)].map((_, i) => new Promise((resolve) => {
          const ws = new WebSocket(base + "/echo");
          ws.onopen = () => ws.send(String(i));
          ws.onmessage = (e) => { ws.close(1000); resolve(Number(e.data)); };
        })));
        const flood = (n) => new Promise((resolve) => {
          const ws = new WebSocket(base + "/flood/" + n);
          let bytes = 0;
          ws.onmessage = (e) => { bytes += e.data.byteLength; };
          ws.onclose = (e) => resolve([bytes, e.code]);
        });
        const big = await new Promise((resolve) => {
          const ws = new WebSocket(base + "/echo"), bytes = new Uint8Array(8 << 20).map((_, i) => i %% 251);
          ws.onopen = () => { ws.send(bytes); resolve.waiting = ws.bufferedAmount; };
          ws.onmessage = (e) => { ws.close(); const back = new Uint8Array(e.data); resolve([resolve.waiting > 1 << 20, ws.bufferedAmount, back.every((b, i) => b === i %% 251), back.length]); };
        });
        return [many, await Promise.all([flood(300), flood(300)]), big];
    """, peer.ws)
    assert said == [list(range(100)), [[300 * 65536, 1000]] * 2, [True, 0, True, 8 << 20]]
    until(lambda: "%d are open" % peer.open, lambda: peer.open == 0)


def test_websocket_a_server_that_never_reads_is_cut(worker, peer):
    said = ask(worker, """
        const ws = new WebSocket(%s + "/deaf"), log = note(ws);
        await new Promise((resolve) => { ws.onopen = resolve; });
        const piece = new Uint8Array(1 << 20);
        for (let i = 0; i < 100 && ws.readyState === 1; i++) ws.send(piece);
        return [await log.end, ws.bufferedAmount];
    """, peer.ws)
    assert said[0][-1] == ["close", 1006, "Network connection lost.", False, 3] and said[1] == 0
    worker.wait_log("a WebSocket is cut: its server does not take what is sent, and 64 MiB wait")


def test_websocket_and_the_request_that_opened_it(worker, peer):
    """One that was accepted keeps its request, one that nobody took ends with it."""
    until(lambda: "%d are open" % peer.open, lambda: peer.open == 0)
    peer.ends.clear()
    assert ask(worker, 'return (await fetch(%s + "/hold", { headers: { Upgrade: "websocket" } })).status', peer.url) == 101
    until(lambda: repr(peer.ends), lambda: peer.ends == [("/hold", 1006, "")])
    assert ask(worker, """
        const ws = new WebSocket(%s + "/echo");
        globalThis.said = new Promise((resolve) => {
          ws.onmessage = (e) => resolve([e.data, (ws.close(1000), ws.readyState)]);
        });
        await new Promise((resolve) => { ws.onopen = resolve; });
        setTimeout(() => ws.send("behind the answer"), 100);
        return "an answer";
    """, peer.ws) == "an answer"
    assert ask(worker, "return await said") == ["behind the answer", 2]
    until(lambda: repr(peer.ends), lambda: ("/echo", 1000, "") in peer.ends)


# ---- passed on ----


def test_websocket_is_passed_on(worker, peer):
    """`return fetch(request)`: the client talks with the server behind the worker."""
    peer.ends.clear()

    async def talk():
        async with connect(worker, "/?to=%s/echo" % peer.url, subprotocols=["x", "chat"]) as ws:
            assert ws.subprotocol == "chat"
            for message in ("hi", b"\x00\xff", "", noise(3 << 20)):
                await ws.send(message)
                assert await ws.recv() == message
            await (await ws.ping())
            await ws.close(4005, "enough")
            assert (ws.close_code, ws.close_reason) == (4005, "enough")
        async with connect(worker, "/?to=%s/say" % peer.url) as ws:
            assert [len(await ws.recv()) for _ in range(5)] == [3, 2, 0, 7, 70000]
            assert await closed(ws) == (4001, "said all")
    run(talk())
    until(lambda: repr(peer.ends), lambda: sorted(peer.ends) == [("/echo", 4005, "enough"), ("/say", 4001, "said all")])
    with Raw(worker, "/?to=%s/hold" % peer.url) as raw:
        assert raw.head.startswith("HTTP/1.1 101 ")
    until(lambda: repr(peer.ends), lambda: ("/hold", 1006, "") in peer.ends)
    with Raw(worker, "/?to=%s/status/403" % peer.url) as raw:
        assert raw.head.startswith("HTTP/1.1 403 ") and "x-why: no" in raw.head.lower() and raw.read(12) == b"not a socket"


def test_websocket_slow_readers_behind_a_worker(worker, peer):
    """Nobody between them gathers what the client does not read."""
    with Raw(worker, "/?to=%s/flood/400" % peer.url, receive_buffer=4096) as raw:
        until(lambda: "the server still sends", lambda: peer.open == 1)
        instance = worker.instances()[0].pid
        before = rss_kb(instance)
        total = 0
        while True:
            kind, payload = raw.next()
            if kind != 2:
                break
            total += len(payload)
            if total == 100 * 65536:
                assert rss_kb(instance) - before < 8 << 10
        assert (kind, payload, total) == (CLOSE, b"\x03\xe8", 400 * 65536)


def test_websocket_to_the_worker_itself(worker):
    said = ask(worker, """
        const ws = new WebSocket(`ws://${new URL(request.url).host}/wire/own`), log = note(ws);
        ws.onopen = () => { ws.send("hello"); ws.close(1000, "done"); };
        return [await log.end, wires.get("/wire/own")];
    """)
    assert said[0] == [["open", 1, None, None], ["close", 1000, "done", True, 3]] and said[1] == ["t5", ["close", 1000, "done", True, 2]]


def test_websocket_by_tls(corral, tmp_path):
    key, certificate = make_certificate(tmp_path, "trusted", "localhost", "DNS:localhost,IP:127.0.0.1")
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    peer = Peer(both)
    try:
        said = [ask(corral(WORKER, env=env), "return await note(new WebSocket(%s + '/say')).end", peer.ws) for env in ({"SSL_CERT_FILE": str(certificate)}, {})]
        assert said[0][0] == ["open", 1, None, None] and said[0][-1] == ["close", 4001, "said all", True, 2]
        assert "The TLS certificate of %s is not accepted: " % peer.url[8:] in said[1][0][1]
    finally:
        peer.close()


def test_websocket_ends_with_its_version(corral, peer):
    one = corral(WORKER)
    until(lambda: "%d are open" % peer.open, lambda: peer.open == 0)
    peer.ends.clear()
    assert ask(one, "const ws = new WebSocket(%s + '/hold'); await new Promise((resolve) => { ws.onopen = resolve; }); return 1", peer.ws) == 1
    with Raw(one, "/?to=%s/hold?relayed" % peer.url) as raw:
        until(lambda: "%d are open" % peer.open, lambda: peer.open == 2)
        one.write("src/entry.py", WORKER + "\n# anew\n")
        until(lambda: repr(peer.ends), lambda: sorted(peer.ends) == [("/hold", 1001, ""), ("/hold?relayed", 1006, "")])
        assert raw.rest() == b""
