"""Servers of WebSockets on loopback for workers to connect to: Debian's python3-websockets, and one that says what it likes byte by byte."""
import asyncio
import base64
import hashlib
import http
import re
import socket
import ssl
import struct
import threading

import websockets

from harness import DEADLINE

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_of(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


class Peer:
    """python3-websockets in a thread.  Paths: /echo; /say, which says five things and closes with 4001; /close; /hold; /big/N."""

    def __init__(self, certificate=None, **more):
        self.loop = asyncio.new_event_loop()
        self.ends, self.headers, self.open = [], [], 0
        ready = threading.Event()
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)

        async def serve():
            server = await websockets.serve(self.talk, "127.0.0.1", 0, ssl=context, max_size=None, ping_interval=None, subprotocols=["chat", "b"],
                                            process_request=self.process, compression=None, **more)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()

        self.loop.create_task(serve())
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        assert ready.wait(DEADLINE)
        self.url = "%s://127.0.0.1:%d" % ("https" if certificate else "http", self.port)
        self.ws = self.url.replace("http", "ws", 1)

    async def process(self, path, headers):
        self.headers.append((path, list(headers.raw_items())))
        if path.startswith("/status/"):
            return http.HTTPStatus(int(path.split("/")[2])), [("X-Why", "no")], b"not a socket"
        if path == "/redirect":
            return http.HTTPStatus.FOUND, [("Location", "/echo")], b""
        return None

    async def talk(self, ws):
        self.open += 1
        try:
            await getattr(self, "on_" + re.split("[/?]", ws.path)[1])(ws)
        except websockets.ConnectionClosed:
            pass
        finally:
            self.open -= 1
            await ws.wait_closed()
            self.ends.append((ws.path, ws.close_code, ws.close_reason))

    async def on_echo(self, ws):
        async for message in ws:
            await ws.send(message)

    async def on_say(self, ws):
        for message in ("one", b"\x00\xff", "", "three \U0001f600", "x" * 70000):
            await ws.send(message)
        await ws.close(4001, "said all")

    async def on_close(self, ws):
        await ws.close(4002, "at once")

    async def on_hold(self, ws):
        await ws.wait_closed()

    async def on_deaf(self, ws):
        ws.transport.pause_reading()
        await asyncio.sleep(0.5)        # what is sent in one go is more than anybody gathers
        ws.transport.resume_reading()
        await ws.wait_closed()

    async def on_flood(self, ws):
        for _ in range(int(ws.path.split("/")[2])):
            await ws.send(b"x" * 65536)
        await ws.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)


class Script:
    """A server that answers the handshake of /N by the N-th script: a function of the connection."""

    def __init__(self, scripts):
        self.scripts = scripts
        self.server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.server.getsockname()[1]
        self.url, self.ws = "http://127.0.0.1:%d" % self.port, "ws://127.0.0.1:%d" % self.port
        self.heard = {}
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                one, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(one,), daemon=True).start()

    def _serve(self, one):
        with Line(one) as line:
            line.key = next((v for n, v in line.fields if n == "sec-websocket-key"), "")
            self.heard[line.path] = line
            try:
                self.scripts[line.path.lstrip("/")](line)
            except (OSError, EOFError):
                pass
            line.done.set()

    def close(self):
        self.server.close()


class Line:
    """The server's side of one connection."""

    def __init__(self, one):
        self.socket, self.unread, self.frames = one, b"", []
        self.done = threading.Event()
        one.settimeout(DEADLINE)
        head = self._until(b"\r\n\r\n").decode().split("\r\n")
        self.line, self.path = head[0], head[0].split(" ")[1]
        self.fields = [(n.lower(), v.strip()) for n, _, v in (line.partition(":") for line in head[1:] if line)]

    def send(self, data):
        self.socket.sendall(data)

    def switch(self, more="", accept=None, head="HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", data=b""):
        accept = accept_of(self.key) if accept is None else accept
        self.send((head + ("Sec-WebSocket-Accept: %s\r\n" % accept if accept else "") + more + "\r\n").encode() + data)

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise EOFError
        self.unread += piece

    def _until(self, mark):
        while mark not in self.unread:
            self._more()
        head, _, self.unread = self.unread.partition(mark)
        return head + mark

    def read(self, n):
        while len(self.unread) < n:
            self._more()
        data, self.unread = self.unread[:n], self.unread[n:]
        return data

    def next(self):
        """(first byte, payload) of the client's next frame, which must be masked."""
        first, n = self.read(2)
        assert n & 0x80, "a client's frame without a mask"
        n &= 0x7f
        if n == 126:
            n, = struct.unpack(">H", self.read(2))
        elif n == 127:
            n, = struct.unpack(">Q", self.read(8))
        mask = self.read(4)
        payload = bytes(b ^ mask[i & 3] for i, b in enumerate(self.read(n)))
        self.frames.append((first, payload, mask))
        return first, payload

    def rest(self):
        """All frames up to the end of the connection; behind a close this side ends it, as servers do."""
        try:
            while True:
                if self.next()[0] == 0x88:
                    self.socket.shutdown(socket.SHUT_WR)
        except (EOFError, ConnectionResetError):
            return [(first, payload) for first, payload, _ in self.frames]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
