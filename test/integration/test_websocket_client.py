"""WebSockets that a worker opens to other servers, and what both roles make of every frame; docs/compatibility.md names these tests."""
import asyncio
import json
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import DEADLINE, until
from websocket_cases import CASES, framer
from websocket_client import Raw, closed, connect, run
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
