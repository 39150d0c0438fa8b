"""examples/streaming: 100 MB made in Python and 100 MB passed through, in flat memory."""
import contextlib
import hashlib
import http.client
import shutil
import threading

import pytest

import conftest
from harness import BIN, ROOT, rss_kb, status_of, until

MB = 1_000_000
GONE = (OSError, KeyError)      # an instance that has had nothing to do for a minute is retired, whenever that is
MANY = 100 if BIN.name == "rel" else 10


@pytest.fixture(scope="module")
def streaming(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples") / "streaming"
    shutil.copytree(ROOT / "examples" / "streaming", folder)
    one = conftest.start(folder, None)
    one.get()
    yield one
    survived = one.is_running()
    conftest.finish(one)
    assert survived, "the node died during these tests"


def expected(size):
    """The example's body, and its hash."""
    whole = hashlib.sha256()
    for at in range(0, size, 64 * 1024):
        piece = b"%015d\n" % at + b"." * (64 * 1024 - 17) + b"\n"
        whole.update(piece[:size - at])
    return whole.hexdigest()


class Memory:
    """The growth of node and instances in KiB while it is open, at the worst moment."""

    def __init__(self, corral):
        self.corral = corral

    def __enter__(self):
        self.before = {}
        for pid in [self.corral.pid] + [p.pid for p in self.corral.instances()]:
            with contextlib.suppress(*GONE):
                with open("/proc/%d/clear_refs" % pid, "w") as f:
                    f.write("5")  # VmHWM starts again from here
                self.before[pid] = rss_kb(pid)
        return self

    def __exit__(self, *_):
        self.growth = {}
        for pid, kb in self.before.items():
            with contextlib.suppress(*GONE):
                self.growth[status_of(pid)["Name"], pid] = rss_kb(pid, "VmHWM") - kb

    def assert_flat(self):
        if BIN.name != "asan":  # which keeps what was freed
            assert all(kb < 24 * 1024 for kb in self.growth.values()), self.growth


def read_whole(answer):
    whole, size = hashlib.sha256(), 0
    while piece := answer.read(1 << 18):
        whole.update(piece)
        size += len(piece)
    return whole.hexdigest(), size


def generate(streaming, megabytes):
    connection = streaming.connection()
    connection.request("GET", "/generate?mb=%d" % megabytes)
    answer = connection.getresponse()
    assert answer.status == 200
    return connection, answer


@pytest.mark.long
def test_100_mb_are_made_in_flat_memory(streaming):
    for megabytes in (4, MANY):  # the first makes every buffer as large as it gets
        with Memory(streaming) as memory:
            connection, answer = generate(streaming, megabytes)
            got = read_whole(answer)
            connection.close()
        assert got == (expected(megabytes * MB), megabytes * MB)
    memory.assert_flat()


def test_a_client_that_does_not_read_stops_the_making(streaming):
    """Back-pressure reaches pull(): with nobody reading, the instance comes to rest far before the end."""
    with Memory(streaming) as memory:
        connection, answer = generate(streaming, 1000)
        first = answer.read(16)
        last = []

        def is_at_rest():
            last.append(sum(cpu_ticks(p.pid) for p in streaming.instances()))
            return len(last) > 10 and last[-1] == last[-10]
        until("the instance is at rest", is_at_rest, every=0.05)
        assert streaming.get().status == 200
        connection.close()
    assert first == b"000000000000000\n"
    memory.assert_flat()


def cpu_ticks(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


@pytest.mark.long
@pytest.mark.parametrize("path", ["/echo", "/upper"])
def test_100_mb_pass_through_in_flat_memory(streaming, path):
    block = bytes(range(256)) * 256

    def blocks(count):
        for n in range(count):
            yield b"%08d" % n + block[8:]
    for count in (64, MANY * MB // len(block)):
        wanted = hashlib.sha256()
        for b in blocks(count):
            wanted.update(b.upper() if path == "/upper" else b)
        with Memory(streaming) as memory, streaming.connect() as s:
            s.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (path.encode(), count * len(block)))
            sender = threading.Thread(target=lambda: [s.sendall(b) for b in blocks(count)], daemon=True)
            sender.start()
            answer = http.client.HTTPResponse(s, method="POST")
            answer.begin()
            got = read_whole(answer)
            sender.join(60)
        assert got == (wanted.hexdigest(), count * len(block))
    memory.assert_flat()


def test_count_and_help(streaming):
    assert streaming.request("POST", "/count", b"x" * 1_000_003).text == "1000003 bytes\n"
    assert "/generate" in streaming.get("/").text
