"""echo_client.py - a client of WebSocket echoes that costs little: what bench/websocket and bench/js load servers with."""
import select
import socket
import time

from common import median

HANDSHAKE = (b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
TEXT, BINARY = 1, 2
SMALL, BIG = 32, 1 << 20        # bytes of a message
CONNECTIONS, AHEAD = 50, 8


def frame(kind, size):
    """A message masked by zeroes, which are a mask like any other; and how long its echo is."""
    head = 0 if size < 126 else 2 if size < 65536 else 8
    length = bytes([0x80 | size]) if not head else bytes([0x80 | (126 if head == 2 else 127)]) + size.to_bytes(head, "big")
    return bytes([0x80 | kind]) + length + bytes(4) + b"x" * size, 2 + head + size


class Socket:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(HANDSHAKE)
        got = b""
        while not got.endswith(b"\r\n\r\n"):
            got += self.socket.recv(4096)
        assert got.startswith(b"HTTP/1.1 101"), got
        self.got = 0

    def read(self, wanted):
        while self.got < wanted:
            n = len(self.socket.recv(1 << 18))
            assert n, "the connection ended"
            self.got += n
        self.got -= wanted


def round_trips(port, seconds):
    """Microseconds that a message and its echo take: the median."""
    ws, times = Socket(port), []
    message, echo = frame(TEXT, SMALL)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        begun = time.perf_counter()
        ws.socket.sendall(message)
        ws.read(echo)
        times.append((time.perf_counter() - begun) * 1e6)
    ws.socket.close()
    return median(times)


def echoes(port, seconds):
    """Messages a second, over all connections."""
    message, echo = frame(TEXT, SMALL)
    all_of_them, wanted = message * AHEAD, echo * AHEAD
    poll, by_fd, count = select.epoll(), {}, 0
    for _ in range(CONNECTIONS):
        ws = Socket(port)
        by_fd[ws.socket.fileno()] = ws
        poll.register(ws.socket.fileno(), select.EPOLLIN)
        ws.socket.sendall(all_of_them)
    begun = time.perf_counter()
    while time.perf_counter() < begun + seconds:
        for fd, _ in poll.poll(1):
            ws = by_fd[fd]
            ws.got += len(ws.socket.recv(65536))
            if ws.got >= wanted:
                ws.got -= wanted
                count += AHEAD
                ws.socket.sendall(all_of_them)
    took = time.perf_counter() - begun
    for ws in by_fd.values():
        ws.socket.close()
    return count / took


def megabytes(port, seconds):
    """Megabytes a second, one message at a time, echoed."""
    ws, count = Socket(port), 0
    message, echo = frame(BINARY, BIG)
    begun = time.perf_counter()
    while time.perf_counter() < begun + seconds:
        ws.socket.sendall(message)
        ws.read(echo)
        count += 1
    took = time.perf_counter() - begun
    ws.socket.close()
    return count * BIG / took / 1e6
