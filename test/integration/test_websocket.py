"""WebSockets: from real clients through the node to the worker and back; docs/compatibility.md names these tests."""
import asyncio
import json
import os
import signal
import socket
import struct

import pytest

from harness import PATIENCE, holds, rss_kb, until
from websocket_client import ACCEPT, CLOSE, PING, PONG, TEXT, Raw, closed, connect, frame, noise, run

pytestmark = pytest.mark.asan

ONE = {"CORRAL_TEST_INSTANCES": "1"}     # rooms and logs are in one process, also on a busy machine

WORKER = '''
import asyncio, json, js, workers
from js import WebSocketPair, Response
from pyodide.ffi import create_proxy, run_sync, to_js

logs, room = {}, []

def note(server, log):
    server.addEventListener("close", create_proxy(lambda e: log.append(["close", e.code, e.reason, e.wasClean, server.readyState])))
    server.addEventListener("error", create_proxy(lambda e: log.append(["error", e.message.split("\\n")[-1] or e.message, e.type])))

def echo(server, request):
    def on_message(event):
        if event.data == "boom":
            raise ValueError("boom in a listener")
        server.send(event.data)
    server.addEventListener("message", create_proxy(on_message))

def commands(server, request):
    async def on_message(event):
        word, _, rest = event.data.partition(" ")
        if word == "close":
            server.close(*json.loads(rest))
            server.close(88, "again")
        elif word == "sync":
            server.send(run_sync(later(rest)))
        elif word == "print":
            print("said", rest)
            server.send("printed")
        elif word == "many":
            for i in range(int(rest)):
                server.send("x" * 65536)
        elif word == "state":
            server.send(json.dumps([server.readyState, event.constructor.name, event.type, server.binaryType]))
    server.onmessage = on_message

async def later(text):
    await asyncio.sleep(0.01)
    return "later " + text

def chat(server, request):
    room.append(server)
    async def on_message(event):
        for other in room:
            other.send(event.data)
    server.onmessage = on_message
    server.onclose = lambda event: room.remove(server)

def early(server, request):
    server.send("one")
    server.send(to_js(b"two"))

def quiet(server, request):
    pass

kinds = {"/echo": echo, "/commands": commands, "/chat": chat, "/early": early, "/quiet": quiet}

async def on_fetch(request, env, ctx):
    url = js.URL.new(request.url)
    path, log = url.pathname, logs.setdefault(url.search, [])
    if path == "/log":
        return Response.new(json.dumps(log))
    if request.headers.get("Upgrade") != "websocket":
        return Response.new("expected a WebSocket", status=426)
    if path == "/plain":
        return Response.new("not today", status=403)
    client, server = WebSocketPair.new().object_values()
    server.accept()
    note(server, log)
    if path == "/workers":
        echo(server, request)
        return workers.Response(None, status=101, web_socket=client, headers={"X-A": "1"})
    kinds[path](server, request)
    return Response.new(None, status=101, webSocket=client, headers=[["X-A", "1"], ["x-a", "2"], ["Sec-WebSocket-Accept", "mine"],
                        ["Content-Type", "text/x"], ["Sec-WebSocket-Extensions", "permessage-deflate"], *(
                        [["Sec-WebSocket-Protocol", "b"]] if "b" in (request.headers.get("Sec-WebSocket-Protocol") or "") else [])])
'''


@pytest.fixture(scope="module")
def sockets(shared_corral):
    return shared_corral(WORKER, env=ONE)


def log_of(corral, which, wanted=1):
    """What the listeners of close and error have heard of the connection whose query is ?WHICH."""
    return until(lambda: "%d entries of %s: %r" % (wanted, which, corral.get("/log?" + which).json()),
                 lambda: (lambda found: len(found) >= wanted and found)(corral.get("/log?" + which).json()))


def test_websocket_handshake(sockets):
    with Raw(sockets, "/echo", "Sec-WebSocket-Protocol: a, b\r\n") as raw:
        lines = raw.head.split("\r\n")
        assert lines[0] == "HTTP/1.1 101 Switching Protocols"
        names = [line.lower() for line in lines]
        assert "sec-websocket-accept: " + ACCEPT.lower() in names and sum(n.startswith("sec-websocket-accept") for n in names) == 1
        assert "upgrade: websocket" in names and "connection: upgrade" in names and "sec-websocket-protocol: b" in names
        assert "x-a: 1" in names and "x-a: 2" in names and "content-type: text/x" in names
        assert "extensions" not in raw.head and "Content-Length" not in raw.head and "chunked" not in raw.head
    assert sockets.get("/echo").status == 426
    connection = sockets.connection()
    handshake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    # What is no handshake, or is answered otherwise, is a request like any other, on the same connection.
    answer = sockets.request("GET", "/plain", headers=handshake, connection=connection)
    assert (answer.status, answer.text) == (403, "not today")
    assert sockets.request("POST", "/echo", headers=handshake, connection=connection).status == 426
    assert sockets.request("GET", "/echo", headers={**handshake, "Upgrade": "h2c"}, connection=connection).status == 426
    answer = sockets.request("GET", "/echo", headers={**handshake, "Sec-WebSocket-Version": "8"})
    assert (answer.status, answer.headers["sec-websocket-version"]) == (426, "13")
    assert sockets.request("GET", "/echo", headers={**handshake, "Sec-WebSocket-Key": "short"}).status == 400


def test_websocket_messages_both_ways(sockets):
    async def talk():
        async with connect(sockets, "/echo", subprotocols=["a", "b"]) as ws:
            assert ws.subprotocol == "b"
            for message in ("hi", "", "\u00e4\U0001f600\0", b"", b"\x00\xff", "x" * 125, "x" * 126, "x" * 65535, "x" * 65536, noise(3_000_001)):
                await ws.send(message)
                assert await ws.recv() == message
            await ws.send(["Hel", "", "lo"])        # fragments
            assert await ws.recv() == "Hello"
            await (await ws.ping(b"are you there"))
            for i in range(500):
                await ws.send(str(i))
            assert [await ws.recv() for i in range(500)] == [str(i) for i in range(500)]
        async with connect(sockets, "/early") as ws:
            assert [await ws.recv(), await ws.recv()] == ["one", b"two"]
        async with connect(sockets, "/workers") as ws:
            assert ws.response_headers["X-A"] == "1"
            await ws.send("hi")
            assert await ws.recv() == "hi"
    run(talk())


def test_websocket_closes(sockets):
    async def talk():
        async with connect(sockets, "/echo?client") as ws:
            await ws.close(3456, "r\u00e4son")
            assert (ws.close_code, ws.close_reason) == (3456, "r\u00e4son")
        assert log_of(sockets, "client") == [["close", 3456, "r\u00e4son", True, 2]]
        for arguments, wanted in (('[4001, "bye"]', (4001, "bye")), ("[1000]", (1000, "")), ("[]", (1005, ""))):
            async with connect(sockets, "/commands?%d" % wanted[0]) as ws:
                await ws.send("state")
                assert json.loads(await ws.recv()) == [1, "MessageEvent", "message", "arraybuffer"]
                await ws.send("close " + arguments)
                assert await closed(ws) == wanted
            assert log_of(sockets, str(wanted[0])) == [["close", *wanted, True, 3]]
        async with connect(sockets, "/echo?boom") as ws:
            await ws.send("boom")
            assert await closed(ws) == (1011, "")
        error, close = log_of(sockets, "boom", 2)
        assert (error[0], error[1], close) == ("error", "ValueError: boom in a listener", ["close", 1011, "", True, 3])
        sockets.wait_log("ValueError: boom in a listener")
    run(talk())


def test_websocket_clients_that_leave(sockets):
    with Raw(sockets, "/quiet?fin"):
        pass        # without a close
    assert log_of(sockets, "fin") == [["close", 1006, "WebSocket disconnected without sending Close frame.", False, 3]]
    with Raw(sockets, "/quiet?reset") as raw:
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert log_of(sockets, "reset", 2) == [["error", "Uncaught Error: Network connection lost.", "error"],
                                           ["close", 1006, "Network connection lost.", False, 3]]
    with Raw(sockets, "/quiet?cut") as raw:
        raw.send(frame(TEXT, b"cut")[:-1])
        raw.socket.shutdown(1)
        assert raw.rest() == b""
    assert log_of(sockets, "cut")[0][1] == 1006


@pytest.mark.parametrize("data, code", [
    (frame(TEXT, b"x", mask=None), 1002),
    (b"\xc1\x80\0\0\0\0", 1002),
    (frame(3), 1002),
    (frame(0, b"x"), 1002),
    (frame(TEXT, b"x", end=False) + frame(TEXT, b"x"), 1002),
    (frame(PING, b"x" * 126), 1002),
    (frame(PING, end=False), 1002),
    (frame(CLOSE, b"\x03"), 1002),
    (frame(CLOSE, b"\x03\xed"), 1002),
    (frame(CLOSE, b"\x03\xe8\xff"), 1007),
    (frame(TEXT, b"\xff"), 1007),
    (frame(TEXT, b"\xc3", end=False) + frame(0, b"x"), 1007),
    (b"\x82\xff" + struct.pack(">Q", 32 * 1024 * 1024 + 1) + b"abcd", 1009),
    (b"\x82\xff\x7f" + b"\xff" * 7 + b"abcd", 1009),
    (b"\x82\xff\xff" + b"\xff" * 7 + b"abcd", 1002),
    (frame(CLOSE), None),
])
def test_websocket_what_breaks_the_protocol_is_refused(sockets, data, code):
    with Raw(sockets, "/echo") as raw:
        raw.send(frame(TEXT, b"first") + data)
        assert raw.next() == (TEXT, b"first")
        assert raw.close_code() == code


def test_websocket_frames_byte_by_byte(sockets):
    with Raw(sockets, "/echo") as raw:
        for byte in frame(TEXT, "\u00e4b".encode(), end=False) + frame(PING, b"p") + frame(PONG) + frame(0, b"c"):
            raw.send(bytes([byte]))
        assert [raw.next(), raw.next()] == [(PONG, b"p"), (TEXT, "\u00e4bc".encode())]
        raw.send(frame(CLOSE, b"\x0f\xa0bye") + b"what follows is of no interest")
        assert raw.next() == (CLOSE, b"\x0f\xa0bye")
        assert raw.rest() == b""


def test_websocket_messages_up_to_the_limit(sockets):
    size = 32 * 1024 * 1024

    async def talk():
        async with connect(sockets, "/echo") as ws:
            data = noise(size)
            await ws.send([data[:size // 2], data[size // 2:]])
            assert await ws.recv() == data
            await ws.send([data, b"x"])
            assert (await closed(ws))[0] == 1009
    run(talk())


def test_websocket_parts_of_messages_are_bounded(sockets):
    """Clients that begin large messages and do not end them: the one that would be too much is closed."""
    half, kept = frame(2, bytes(30 << 20), end=False, mask=bytes(4)), []
    for _ in range(4):
        kept.append(Raw(sockets, "/echo"))
        kept[-1].send(half + frame(PING, b"all of it"))
        assert kept[-1].next() == (PONG, b"all of it"), "what is answered was read behind it"
    with Raw(sockets, "/echo") as last:
        try:
            last.send(half)
        except (BrokenPipeError, ConnectionResetError):
            pass        # it is not read to its end
        assert last.close_code() == 1013
    for raw in kept:
        raw.send(frame(0, b"and its end"))
        assert raw.next() == (2, bytes(30 << 20) + b"and its end")
        raw.close()


def test_websocket_the_request_goes_on(sockets):
    """Its number is in the log, run_sync waits, and other requests are served meanwhile."""
    async def talk():
        async with connect(sockets, "/commands") as ws:
            await ws.send("sync a")
            await ws.send("print something")
            assert {await ws.recv(), await ws.recv()} == {"later a", "printed"}
    run(talk())
    sockets.wait_log("said something")


def test_websocket_many_at_once(sockets):
    async def talk():
        clients = await asyncio.gather(*[connect(sockets, "/chat?many") for _ in range(200)])
        await clients[0].send("to all")
        assert set(await asyncio.gather(*[ws.recv() for ws in clients])) == {"to all"}
        await asyncio.gather(*[ws.close() for ws in clients])
    run(talk())
    assert len(sockets.instances()) <= 2
    assert [entry[1] for entry in log_of(sockets, "many", 200)] == [1000] * 200


def test_websocket_a_slow_reader_is_waited_for(sockets):
    with Raw(sockets, "/commands", receive_buffer=4096) as raw:
        raw.send(frame(TEXT, b"many 300"))      # 20 MB that nobody reads yet
        worker = sockets.instances()[0].pid
        node = sockets.process.pid
        before = rss_kb(node)
        assert sockets.get("/log").status == 200
        holds("the node keeps little of it", lambda: rss_kb(node) < before + 8 * 1024 * PATIENCE, 0.3)
        assert worker in [p.pid for p in sockets.instances()]
        for _ in range(300):
            assert raw.next() == (TEXT, b"x" * 65536)


def test_websocket_a_client_that_never_reads_is_cut(sockets):
    with Raw(sockets, "/commands?never", receive_buffer=4096) as raw:
        raw.send(frame(TEXT, b"many 1200"))     # 75 MB
        sockets.wait_log("a WebSocket is cut: its client does not take what is sent")
        assert log_of(sockets, "never", 2)[-1][:2] == ["close", 1006]
        assert len(raw.rest()) < 64 * 1024 * 1024


def test_websocket_ends_with_its_instance(corral):
    one = corral(WORKER, env=ONE)
    with Raw(one, "/echo") as raw:
        raw.send(frame(TEXT, b"x"))
        assert raw.next() == (TEXT, b"x")
        for instance in one.instances():        # that, and the one that waits for work
            os.kill(instance.pid, signal.SIGKILL)
        assert raw.rest() == b""


def test_websocket_a_reload_and_the_end_close_it(corral):
    one = corral(WORKER, env=ONE)
    with Raw(one, "/echo") as raw, Raw(one, "/quiet") as deaf:
        raw.send(frame(TEXT, b"x"))
        assert raw.next() == (TEXT, b"x")
        one.put("src/entry.py", WORKER.replace("not today", "not now"))
        assert raw.next() == (CLOSE, struct.pack(">H", 1012))
        raw.send(frame(CLOSE, struct.pack(">H", 1012)))
        assert raw.rest() == b""
        assert deaf.next() == (CLOSE, struct.pack(">H", 1012))
        with Raw(one, "/echo") as newer:
            newer.send(frame(TEXT, b"y"))
            assert newer.next() == (TEXT, b"y")
            one.process.send_signal(signal.SIGTERM)
            assert newer.next() == (CLOSE, struct.pack(">H", 1012))
            assert newer.rest() == b""
    one.wait_exit()
