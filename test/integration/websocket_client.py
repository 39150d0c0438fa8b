"""Clients of WebSockets: Debian's python3-websockets, and one that says what it likes byte by byte."""
import asyncio
import os
import socket
import struct

import websockets

from harness import DEADLINE

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="     # RFC 6455, section 1.3
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def connect(corral, path="/", **more):
    """As websockets.connect, without compression and limits."""
    more = {"max_size": None, "max_queue": None, "open_timeout": DEADLINE, "ping_interval": None, "close_timeout": DEADLINE, **more}
    return websockets.connect("ws://localhost:%d%s" % (corral.port, path), **more)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, DEADLINE * 2))


async def closed(ws):
    """(code, reason) of the other side's close."""
    try:
        while True:
            await ws.recv()
    except websockets.ConnectionClosed as e:
        return (e.rcvd.code, e.rcvd.reason) if e.rcvd else None


def frame(kind, payload=b"", end=True, mask=b"\x01\x02\x03\x04"):
    n = len(payload)
    head = bytes([kind | (0x80 if end else 0)])
    bit = 0x80 if mask else 0
    if n < 126:
        head += bytes([bit | n])
    elif n < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", n)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", n)
    if not mask or not any(mask):
        return head + (mask or b"") + payload
    key = (mask * (n // 4 + 1))[:n]
    return head + mask + (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(n, "big")


class Raw:
    """A client that has had its 101 and then sends bytes."""

    def __init__(self, corral, path="/", headers="", receive_buffer=None, host="localhost"):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(("127.0.0.1", corral.port))
        self.send(("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: %s\r\n%s\r\n" % (path, host, KEY, headers)).encode())
        self.unread = b""
        self.head = self._until(b"\r\n\r\n").decode()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise EOFError("the connection has ended, behind %r" % self.unread[-100:])
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
        """(kind, payload) of the next frame."""
        first, n = self.read(2)
        if n == 126:
            n, = struct.unpack(">H", self.read(2))
        elif n == 127:
            n, = struct.unpack(">Q", self.read(8))
        assert first & 0x80 and n < 1 << 31, "a whole frame without a mask: %r" % first
        return first & 0x0f, self.read(n)

    def close_code(self):
        """What the other side closes with, past its messages; the connection must end then."""
        while True:
            kind, payload = self.next()
            if kind == CLOSE:
                break
        assert self.rest() == b""
        return struct.unpack(">H", payload[:2])[0] if payload else None

    def rest(self):
        """All up to the end of the connection."""
        data, self.unread = self.unread, b""
        while True:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                return data
            if not piece:
                return data
            data += piece

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def noise(n):
    return os.urandom(1 << 16) * (n // (1 << 16)) + os.urandom(n % (1 << 16))
