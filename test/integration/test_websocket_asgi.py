"""asgi.websocket and FastAPI's @app.websocket, from real clients; docs/compatibility.md names these tests."""
import asyncio
import json

import pytest
import websockets

from harness import PATIENCE, holds, rss_kb, until
from websocket_client import CLOSE, TEXT, Raw, closed, connect, frame, noise, run


ONE = {"CORRAL_TEST_INSTANCES": "1"}     # rooms and what was seen are in one process, also on a busy machine

PLAIN = '''
import asyncio, json
from js import Response
from workers import asgi, wait_until

seen, poured, held = [], [0], asyncio.Event()

class Denied(Exception):
    pass

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            seen.append(message["type"])
            scope["state"]["started"] = True
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(poured if scope["path"] == "/poured" else seen).encode()})
        if scope["path"] == "/let-go":
            held.set()
        return
    name = scope["path"][1:]
    seen.append(await receive())
    await globals()[name](scope, receive, send)

async def describe(scope, receive, send):
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][-1], "headers": [(b"X-A", b"1"), (b"x-a", "\\u00e4".encode())]})
    shown = {key: scope[key] for key in ("type", "scheme", "path", "subprotocols", "http_version", "asgi", "extensions", "state", "client")}
    shown["query"], shown["bindings"] = scope["query_string"].decode(), scope["env"].NAME
    shown["headers"] = [name.decode() for name, value in scope["headers"]]
    await send({"type": "websocket.send", "text": json.dumps(shown)})
    await send({"type": "websocket.close"})

async def echo(scope, receive, send):
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            seen.append(message)
            seen.append(await receive())
            try:
                await send({"type": "websocket.send", "text": "late"})
            except OSError as e:
                seen.append(str(e))
            return
        await send({"type": "websocket.send", **{key: message[key] for key in ("text", "bytes") if key in message}})

async def closes(scope, receive, send):
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 4003, "reason": "enough"})
    seen.append(await receive())

async def returns(scope, receive, send):
    await send({"type": "websocket.accept"})

async def fails(scope, receive, send):
    await send({"type": "websocket.accept"})
    raise ValueError("after accept")

async def fails_early(scope, receive, send):
    raise ValueError("before accept")

async def silent(scope, receive, send):
    pass

async def denies(scope, receive, send):
    await send({"type": "websocket.close"})

async def answers(scope, receive, send):
    await send({"type": "websocket.http.response.start", "status": 401, "headers": [(b"www-authenticate", b"Basic")]})
    await send({"type": "websocket.http.response.body", "body": b"who ", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b"are you?"})

async def wrong(scope, receive, send):
    said = []
    async def attempt(message):
        try:
            await send(message)
        except (RuntimeError, TypeError, ValueError) as e:
            said.append(f"{type(e).__name__}: {e}")
    await attempt({"type": "websocket.send", "text": "x"})
    await attempt({"type": "websocket.accept", "headers": [(b"a", b"b\\nc")]})
    await send({"type": "websocket.accept"})
    await attempt({"type": "websocket.accept"})
    await attempt({"type": "http.response.start", "status": 200})
    await attempt({"type": "websocket.send", "text": b"x"})
    await attempt({"type": "websocket.send", "bytes": "x"})
    await attempt({"type": "websocket.send"})
    await attempt({"type": "websocket.close", "code": 99})
    await send({"type": "websocket.send", "text": json.dumps(said)})

async def slow(scope, receive, send):
    """Reads nothing before it is let go."""
    await send({"type": "websocket.accept"})
    await held.wait()
    size = 0
    while True:
        message = await receive()
        if message.get("text") == "end":
            break
        size += len(message["bytes"])
    await send({"type": "websocket.send", "text": str(size)})

async def pours(scope, receive, send):
    await send({"type": "websocket.accept"})
    for poured[0] in range(300):
        await send({"type": "websocket.send", "bytes": bytes(65536)})
    poured[0] = 300

async def on_fetch(request, env, ctx):
    if "/direct" in request.url:
        return await asgi.websocket(describe, request, env)
    return await asgi.fetch(app, request, env, ctx)
'''


@pytest.fixture(scope="module")
def plain(shared_corral):
    return shared_corral(PLAIN, "--var", "NAME:the binding", env=ONE)


def seen(corral):
    return corral.get("/seen").json()


def test_asgi_websocket_scope(plain):
    async def talk():
        async with connect(plain, "/describe?a=%20b", subprotocols=["one", "two"]) as ws:
            assert ws.subprotocol == "two" and len(ws.response_headers.get_all("x-a")) == 2
            scope = json.loads(await ws.recv())
            assert await closed(ws) == (1000, "")
        assert (scope["type"], scope["scheme"], scope["path"], scope["query"]) == ("websocket", "ws", "/describe", "a=%20b")
        assert scope["subprotocols"] == ["one", "two"] and scope["http_version"] == "1.1"
        assert scope["extensions"] == {"websocket.http.response": {}} and scope["asgi"]["spec_version"] == "2.4"
        assert scope["state"] == {"started": True} and scope["client"] == ["127.0.0.1", 0] and scope["bindings"] == "the binding"
        assert {"upgrade", "sec-websocket-key", "host"} <= set(scope["headers"])
    run(talk())
    found = seen(plain)
    assert {"type": "websocket.connect"} in found and "lifespan.startup" in found
    until("the lifespan ends with the socket", lambda: "lifespan.shutdown" in seen(plain))


def test_asgi_websocket_messages_and_ends(plain):
    async def talk():
        async with connect(plain, "/echo") as ws:
            for message in ("hi", "", b"", "\u00e4\U0001f600", b"\x00\xff", noise(2_000_000)):
                await ws.send(message)
                assert await ws.recv() == message
            for i in range(300):
                await ws.send(str(i))
            assert [await ws.recv() for i in range(300)] == [str(i) for i in range(300)]
            await ws.close(3999, "done")
            assert (ws.close_code, ws.close_reason) == (3999, "done")
        gone = {"type": "websocket.disconnect", "code": 3999, "reason": "done"}
        found = until("the application has heard of it", lambda: (lambda found: "the client has gone" in found and found)(seen(plain)))
        at = found.index(gone)
        assert found[at:at + 3] == [gone, gone, "the client has gone"]
        for path, wanted in (("/closes", (4003, "enough")), ("/returns", (1000, "")), ("/fails", (1011, ""))):
            async with connect(plain, path) as ws:
                assert await closed(ws) == wanted
        until("it hears of the answer to its own close", lambda: {"type": "websocket.disconnect", "code": 4003, "reason": "enough"} in seen(plain))
        plain.wait_log("ValueError: after accept")
    run(talk())
    with Raw(plain, "/echo"):
        pass
    until("a client that just goes", lambda: any(isinstance(m, dict) and m.get("code") == 1006 for m in seen(plain)))


def test_asgi_websocket_denials(plain):
    handshake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    assert plain.get("/denies", headers=handshake).status == 403
    answer = plain.get("/answers", headers=handshake)
    assert (answer.status, answer.text, answer.headers["www-authenticate"]) == (401, "who are you?", "Basic")
    answer = plain.get("/fails_early", headers=handshake)
    assert answer.status == 500 and "ValueError: before accept" in answer.text
    answer = plain.get("/silent", headers=handshake)
    assert answer.status == 500 and "neither accepted the WebSocket nor closed it" in answer.text


def test_asgi_websocket_messages_out_of_order(plain):
    async def talk():
        async with connect(plain, "/wrong") as ws:
            early, line, twice, http, text, data, nothing, code = json.loads(await ws.recv())
        assert early.startswith("RuntimeError: Unexpected ASGI message 'websocket.send'") and "websocket.accept" in early
        assert "line break" in line
        assert twice.startswith("RuntimeError: Unexpected ASGI message 'websocket.accept'") and "while it is open" in twice
        assert "'http.response.start'" in http
        assert "TypeError: websocket.send: expected text, a str, or bytes" == text == nothing
        assert "bytes must be bytes, not str" in data
        assert "99 is no code that may be sent" in code
        async with connect(plain, "/direct", subprotocols=["x"]) as ws:     # asgi.websocket() itself
            assert json.loads(await ws.recv())["path"] == "/direct"
    run(talk())


def test_asgi_websocket_waits_for_who_is_slower(plain):
    with Raw(plain, "/slow") as raw:
        piece = frame(2, bytes(1 << 20), mask=bytes(4))
        raw.socket.setblocking(False)
        sent, data = 0, piece * 40
        def push():
            nonlocal sent
            try:
                sent += raw.socket.send(data[sent:sent + (1 << 16)])
                return True
            except BlockingIOError:
                return False
        until("nobody takes more", lambda: not any([push() for _ in range(64)]), every=0.05)
        assert sent < 20 << 20, "the application reads nothing, so only buffers are filled"
        raw.socket.setblocking(True)
        assert plain.get("/let-go").status == 200
        raw.send(data[sent:] + frame(TEXT, b"end"))
        assert raw.next() == (TEXT, b"%d" % (40 << 20))
    with Raw(plain, "/pours", receive_buffer=4096) as raw:
        assert raw.next()[0] == 2
        rss = [rss_kb(p.pid) for p in plain.instances()]
        holds("nobody gathers what is not read", lambda: all(rss_kb(p.pid) < max(rss) + 16 * 1024 * PATIENCE for p in plain.instances()), 0.4)
        until("the application waits for the client", lambda: plain.get("/poured").json() == plain.get("/poured").json())
        assert plain.get("/poured").json()[0] < 299, "it does not send to who does not read"
        for _ in range(299):
            assert raw.next() == (2, bytes(65536))
        assert raw.next()[0] == CLOSE


CHAT = '''
from contextlib import asynccontextmanager
from fastapi import Depends, FastAPI, Query, WebSocket, WebSocketDisconnect, WebSocketException, status
from workers import Response, WorkerEntrypoint, asgi

app = FastAPI()

class Room:
    def __init__(self):
        self.members = {}
    async def say(self, text):
        for member in list(self.members.values()):
            await member.send_json({"text": text})

room = Room()

@app.get("/members")
async def members():
    return sorted(room.members)

@app.websocket("/room/{name}")
async def chat(socket: WebSocket, name: str, loud: bool = False):
    await socket.accept()
    room.members[name] = socket
    await room.say(f"{name} came")
    try:
        while True:
            text = await socket.receive_text()
            await room.say(f"{name}: {text.upper() if loud else text}")
    except WebSocketDisconnect as e:
        del room.members[name]
        await room.say(f"{name} left with {e.code}")

@app.websocket("/guarded")
async def guarded(socket: WebSocket, token: str = Query(...)):
    if token != "right":
        raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text + " " + socket.scope["env"].NAME)

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(app, request, self.env)
'''


def test_fastapi_websocket_chat(corral):
    one = corral({"src/entry.py": CHAT, "requirements.txt": "fastapi\n"}, "--var", "NAME:bound", env=ONE)

    async def talk():
        async with connect(one, "/room/ann") as ann:
            assert json.loads(await ann.recv()) == {"text": "ann came"}
            async with connect(one, "/room/bob?loud=1") as bob:
                assert json.loads(await ann.recv()) == json.loads(await bob.recv()) == {"text": "bob came"}
                await bob.send("hello")
                assert json.loads(await ann.recv()) == json.loads(await bob.recv()) == {"text": "bob: HELLO"}
                assert one.get("/members").json() == ["ann", "bob"]
            assert json.loads(await ann.recv()) == {"text": "bob left with 1000"}
            others = await asyncio.gather(*[connect(one, "/room/%d" % i) for i in range(100)])
            await ann.send("all")
            async def hears(ws):
                while json.loads(await ws.recv())["text"] != "ann: all":
                    pass
            await asyncio.gather(*map(hears, others))
            await asyncio.gather(*[ws.close() for ws in others])
        async with connect(one, "/guarded?token=right") as ws:
            await ws.send("x")
            assert await ws.recv() == "x bound"
        for path in ("/guarded?token=wrong", "/nowhere"):
            with pytest.raises(websockets.InvalidStatusCode) as error:
                await connect(one, path)
            assert error.value.status_code == 403
    run(talk())
    until("all have left", lambda: one.get("/members").json() == [])
    assert "Traceback" not in one.log_text()
