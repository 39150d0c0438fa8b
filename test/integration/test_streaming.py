"""Large bodies in flat memory, both ways, through the node and an instance."""
import contextlib
import hashlib
import socket
import threading
import time

import pytest

from harness import BIN, PATIENCE, Load, rss_kb, status_of, until

MB = 1 << 20
GONE = (OSError, KeyError)      # an instance that has had nothing to do for a minute is retired, whenever that is

SOURCE = """
import os
from js import Response, TransformStream

async def on_fetch(request, env):
    if "/echo" in request.url:
        return Response.new(request.body)
    if "/transform" in request.url:
        return Response.new(request.body.pipeThrough(TransformStream.new()))
    if "/ignore" in request.url:
        return Response.new("ignored")
    if "/length" in request.url:
        return Response.new(str(len(await request.text())))
    if "/raise" in request.url:
        raise ValueError("before the body was read")
    return Response.new(str(os.getpid()))
"""


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    import conftest
    one = conftest.start(tmp_path_factory.mktemp("stream"), SOURCE)
    one.get()
    yield one
    survived = one.is_running()
    conftest.finish(one)
    assert survived, "the node died during these tests"


def blocks(count, size=MB, first=0):
    """`count` blocks that differ; first: so do those of another one."""
    seed = bytes((first + n) % 256 for n in range(256)) * (size // 256)
    for n in range(count):
        yield n.to_bytes(8, "big") + seed[8:]


class Exchange:
    """One request on a raw socket, sent by a thread while this one reads."""

    def __init__(self, corral, path, count, chunked=False, size=MB, first=0):
        self.socket = corral.connect(60 * PATIENCE)
        self.reader = None
        self.sent = 0
        self.sent_hash = hashlib.sha256()
        self.error = None
        length = "Transfer-Encoding: chunked" if chunked else "Content-Length: %d" % (count * size)
        head = "POST %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n" % (path, length)
        self.socket.sendall(head.encode())
        self.thread = threading.Thread(target=self._send, args=(blocks(count, size, first), chunked), daemon=True)
        self.thread.start()

    def _send(self, blocks, chunked):
        try:
            for block in blocks:
                self.sent_hash.update(block)
                view = memoryview(block if not chunked else b"%x\r\n%s\r\n" % (len(block), block))
                while view:
                    n = self.socket.send(view[:65536])
                    self.sent += n
                    view = view[n:]
            if chunked:
                self.socket.sendall(b"0\r\n\r\n")
        except OSError as e:
            self.error = e

    def answer(self):
        import http.client
        self.reader = http.client.HTTPResponse(self.socket, method="POST")
        self.reader.begin()
        return self.reader

    def close(self):
        if self.reader:
            self.reader.close()
        self.socket.close()
        self.thread.join(20)


class Watch:
    """The largest memory of some processes while it is open, in KiB above the start."""

    def __init__(self, pids):
        self.pids = pids

    def __enter__(self):
        self.before = {}
        for pid in self.pids:
            with contextlib.suppress(*GONE):
                with open("/proc/%d/clear_refs" % pid, "w") as f:
                    f.write("5")  # VmHWM starts again from here
                self.before[pid] = rss_kb(pid)
        return self

    def __exit__(self, *_):
        self.growth = {}
        for pid, before in self.before.items():
            with contextlib.suppress(*GONE):
                self.growth["%s %d" % (status_of(pid)["Name"], pid)] = rss_kb(pid, "VmHWM") - before


@pytest.mark.long
@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_100_mb_are_echoed_in_flat_memory(stream, chunked):
    count = 100 if BIN.name == "rel" else 10
    for warm in (4, count):
        pids = [stream.pid] + [p.pid for p in stream.instances()]
        exchange = Exchange(stream, "/echo", warm, chunked)
        with Watch(pids) as watch:
            answer = exchange.answer()
            got, size = hashlib.sha256(), 0
            while piece := answer.read(MB):
                got.update(piece)
                size += len(piece)
        exchange.thread.join(60)
        exchange.close()
        assert (answer.status, size, exchange.error) == (200, warm * MB, None)
        assert got.digest() == exchange.sent_hash.digest()
    assert all(kb < 24 * 1024 for kb in watch.growth.values()), watch.growth


@pytest.mark.parametrize("path", ["/echo", "/transform"])
def test_a_slow_reader_slows_the_sender(stream, path):
    """Back-pressure: what nobody reads is not taken from the client either."""
    pids = [stream.pid] + [p.pid for p in stream.instances()]
    with Watch(pids) as watch:
        exchange = Exchange(stream, path, 64)
        last = [-1, 0.0]

        def stalled():
            if exchange.sent != last[0]:
                last[:] = exchange.sent, time.monotonic()
            return time.monotonic() - last[1] > 0.7
        until("the sender is held up", stalled, every=0.05)
        # Kernel buffers of two sockets on loopback, our windows.
        assert exchange.sent < 32 * MB, exchange.sent
        # Others are served meanwhile, in the very same instance or another.
        with Load(stream, 2) as load:
            load.wait(50)
        assert load.statuses() == {200}
        answer = exchange.answer()
        size = 0
        while piece := answer.read(MB):
            size += len(piece)
        exchange.thread.join(60)
        exchange.close()
    assert size == 64 * MB and exchange.error is None
    assert all(kb < 24 * 1024 for kb in watch.growth.values()), watch.growth


def test_an_upload_that_nobody_reads_does_not_hang_the_next_request(stream):
    for size in (1, 20):
        exchange = Exchange(stream, "/ignore", size)
        answer = exchange.answer()
        assert (answer.status, answer.read()) == (200, b"ignored")
        exchange.close()
        assert stream.get().status == 200


def test_an_unread_small_body_keeps_the_connection_usable(stream):
    connection = stream.connection()
    for _ in range(20):
        answer = stream.request("POST", "/ignore", b"x" * 1000, connection=connection)
        assert answer.text == "ignored"
    connection.close()


def test_an_exception_before_the_body_is_read(stream):
    exchange = Exchange(stream, "/raise", 8)
    answer = exchange.answer()
    assert answer.status == 500 and b"before the body was read" in answer.read()
    exchange.close()
    assert stream.get().status == 200


def test_a_delete_with_a_body(stream):
    assert stream.request("DELETE", "/length", b"y" * 70000).text == "70000"


def test_a_client_that_leaves_in_the_middle_of_its_upload(stream):
    for _ in range(10):
        exchange = Exchange(stream, "/length", 64)
        until("some of it is sent", lambda: exchange.sent > MB // 4)
        exchange.socket.shutdown(socket.SHUT_RDWR)
        exchange.close()
    assert stream.request("POST", "/length", b"z" * 10).text == "10"


def test_a_client_that_leaves_in_the_middle_of_its_answer(stream):
    for _ in range(10):
        exchange = Exchange(stream, "/echo", 64)
        answer = exchange.answer()
        answer.read(MB)
        exchange.socket.shutdown(socket.SHUT_RDWR)
        exchange.close()
    assert stream.get().status == 200
    until("no descriptor is left of them", lambda: sockets(stream.pid) < 40)


def sockets(pid):
    import os
    count = 0
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            count += os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("socket:")
        except OSError:
            pass
    return count


def test_echoes_side_by_side(stream):
    wrong, done = [], []

    def one(n):
        exchange = Exchange(stream, "/echo", 3, size=MB + 256 * n, first=n)     # reads while it sends
        answer = exchange.answer()
        body = answer.read()
        exchange.close()
        if (answer.status, len(body), hashlib.sha256(body).digest()) != (200, 3 * (MB + 256 * n), exchange.sent_hash.digest()):
            wrong.append((n, answer.status, len(body), exchange.error))
        done.append(n)
    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong
    assert len(done) == 8


def test_pieces_arrive_as_they_are_sent(stream):
    """Nothing waits for the whole body: the first piece comes back before the last one is sent."""
    with stream.connect() as s:
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        seen = b""
        for n in range(5):
            word = b"piece-%d" % n
            s.sendall(b"%x\r\n%s\r\n" % (len(word), word))
            while word not in seen:
                got = s.recv(65536)
                assert got, seen
                seen += got
        s.sendall(b"0\r\n\r\n")
        while not seen.endswith(b"0\r\n\r\n"):
            got = s.recv(65536)
            assert got, seen
            seen += got
