"""Every limit of a worker once: the error that its users know, a line in the worker's own log, a number in the metrics, and
a neighbour that goes on.  docs/limits.md has the same table; what each limit is in detail stands in the tests beside this one."""
import contextlib
import re
import socket
import threading

import pytest

from harness import BIN, until
from test_tail import Listener
from websocket_client import Raw, frame

pytestmark = pytest.mark.asan

BINARY = 2
CODE = """\
import asyncio
import ctypes
import errno
import os
import threading
import time
from js import Response, WebSocketPair, fetch
from workers import WorkerEntrypoint

MIB = 1 << 20
kept, gate, released = [], threading.Event(), asyncio.Event()

def crowd(many):
    try:
        for _ in range(many):
            kept.append(threading.Thread(target=gate.wait, daemon=True))
            kept[-1].start()
        return "started"
    except RuntimeError as e:
        gate.set()
        return str(e).partition(":")[0]

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        what = request.url.split("/", 3)[3]
        if what == "cpu":
            while True:
                pass
        if what == "mark":
            print("all of twice's lines are before this")
        if what == "release":
            released.set()
        if what == "wall":
            await released.wait()       # its event comes when it has ended
        if what == "native-memory":
            for _ in range(12):
                kept.append(os.memfd_create("x"))
                os.write(kept[-1], bytes(8 * MIB))
            while True:
                await asyncio.sleep(0.001)
        if what == "memory":
            while True:
                kept.append(bytearray(MIB))
        if what == "subrequests":
            await asyncio.gather(*(fetch("http://127.0.0.1:1/") for _ in range(3)), return_exceptions=True)
            await fetch("http://127.0.0.1:1/")
        if what == "connections":
            await asyncio.gather(*(fetch(request.headers["x-held"]) for _ in range(4)), return_exceptions=True)
        if what == "body":
            return Response.new(str(len(await request.bytes())))
        if what == "log":
            for i in range(150):
                print("x" * 900, i)
        if what == "many-threads":
            crowd(60)
            while True:
                await asyncio.sleep(0.01)
        if what == "threads":
            return Response.new(crowd(200))
        if what == "descriptors":
            ends, end = [], time.monotonic() + 1.5      # six looks of the node
            try:
                while True:
                    ends.append(os.dup(0))
            except OSError as e:
                name = errno.errorcode[e.errno]
            while time.monotonic() < end:       # the engine has no turn, for which it may need one
                time.sleep(0.001)
            for fd in ends:
                os.close(fd)
            return Response.new(name)
        if what == "tmp":
            try:
                with open("/tmp/file", "wb") as f:
                    for _ in range(10):
                        f.write(bytes(MIB))
            except OSError as e:
                return Response.new(errno.errorcode[e.errno])
        if what == "socket":
            client, server = WebSocketPair.new().object_values()
            server.accept()
            return Response.new(None, status=101, webSocket=client)
        return Response.new(what)
"""
EXCEEDED = (503, "1102")

# path, limit and its value, what the client gets: (status, a part of the text), the line
ROWS = [
    ("cpu", "cpu_ms", 100, EXCEEDED, r"a request has used more than its 100 ms of processor time \(limits.cpu_ms\)"),
    ("wall", "wall_ms", 300, (504, "did not answer in time"), r"a request got no answer within its 300 ms \(limits.wall_ms\)"),
    ("native-memory", "memory_mb", 64, EXCEEDED, r"an instance of '\S+' \(process \d+\) is ended: it holds \d+ MiB of memory, and 64 are allowed \(limits.memory_mb\)"),
    ("memory", "memory_mb", 64, (500, "1101"), r"a request has failed for want of memory: an instance has 64 MiB \(limits.memory_mb\)"),
    ("subrequests", "subrequests", 3, (500, "1101"), r"Too many subrequests: a request has made 3, and may make no more \(limits.subrequests\)"),
    ("connections", "connections", 2, (200, "connections"), r"a request waits with further connections: 2 are open \(limits.connections\)"),
    ("body", "body_mb", 1, (413, ""), r"a request was refused: its body has more than 1 MB \(limits.body_mb\)"),
    ("log", "log_kb", 64, (200, "log"), r"further lines of this request are dropped: it has written more than 64 KiB \(limits.log_kb\)"),
    ("many-threads", "threads", 32, EXCEEDED, r"an instance of '\S+' \(process \d+\) is ended: it has \d+ threads, and 32 are allowed \(limits.threads\)"),
    ("threads", "threads", 192, (200, "can't start new thread"), r"a request could not start a thread: its instance has as many as Python may have \(limits.threads\)"),
    ("descriptors", "descriptors", 64, (200, "EMFILE"), r"an instance has all 64 file descriptors open that it may \(limits.descriptors\)"),
    ("tmp", "tmp_mb", 4, (200, "ENOSPC"), r"a request could not write a file: those below /tmp and /session have 4 MiB together \(limits.tmp_mb\)"),
    ("socket", "message_mb", 1, None, r"a WebSocket is closed with 1009: a message has more than 1 MiB \(limits.message_mb\)"),
]
OUTCOMES = {"cpu": "exceededCpu", "native-memory": "exceededMemory", "memory": "exception", "subrequests": "exception",
            "many-threads": "exceededResources", "wall": "unknown", "body": "unknown"}


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve(env={"CORRAL_TEST_INSTANCES": "1", "CORRAL_TEST_SPARES": "0"})
    node.deploy("neighbour", CODE)
    return node


def exceeded(node, worker, limit):
    found = re.search(r'corral_limit_exceeded_total\{[^}]*worker="%s",limit="%s"\} (\d+)' % (worker, limit),
                      node.api_raw("GET", "/metrics", token=False).text)
    return int(found.group(1)) if found else 0


@contextlib.contextmanager
def held(node, what, line):
    """The request's headers: a server for it that says nothing until the limit is said to be met."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def let_go():
            try:
                node.wait_log(line)
            finally:
                server.shutdown(socket.SHUT_RDWR)

        holder = threading.Thread(target=let_go if what == "connections" else str)
        holder.start()
        yield {"x-held": "http://127.0.0.1:%d/" % server.getsockname()[1]}
        holder.join()


def socket_is_closed(node, worker, *frames):
    with Raw(node, "/socket", host=node.host_of(worker)) as raw:
        for one in frames:
            raw.send(one)
        return raw.close_code()


@pytest.mark.parametrize("what, limit, value, answer, line", ROWS, ids=[row[0] for row in ROWS])
def test_each_limit_has_its_error_its_line_and_its_number(node, what, limit, value, answer, line):
    if limit == "memory_mb" and BIN.name in ("asan", "tsan"):
        pytest.skip("a sanitizer's memory is not the worker's")
    worker, line = what, r"\[%s:wrn\] %s" % (what, line)
    node.deploy(worker, CODE, metadata={"limits": {limit: value}})
    with Listener(node, script=worker) as tail:
        if what == "socket":
            piece = bytes(600 << 10)
            assert socket_is_closed(node, worker, frame(BINARY, piece, end=False), frame(0, piece)) == 1009
        else:
            body = b"x" * 1000001 if what == "body" else None
            with held(node, what, line) as headers:
                said = node.request(worker, "/" + what, method="POST" if body else "GET", body=body, headers=headers)
            assert said.status == answer[0] and answer[1] in said.text, said
        node.wait_log(line)
        until("it counts", lambda: exceeded(node, worker, limit) == 1)
        if what == "wall":      # from here on 300 ms may be too few for a busy machine
            until("it answers in time", lambda: node.get(worker, "/release").text == "release")
        event = next(one for one in iter(tail.next, None) if tail.path(one) == what)
        assert event["outcome"] == OUTCOMES.get(what, "ok"), event
    assert node.get("neighbour", "/x").text == "x" and (what == "wall" or node.get(worker, "/x").text == "x")


def test_what_a_limit_says_it_says_once_for_a_request(node):
    node.deploy("twice", CODE.replace("for _ in range(10):", "f.write(bytes(4 * MIB))\n                    for _ in range(0):")
                .replace("except OSError as e:\n                return", "except OSError as e:\n                for _ in range(1000):\n"
                         "                    try:\n                        open('/tmp/other', 'wb').write(bytes(8 * MIB))\n"
                         "                    except OSError:\n                        pass\n                return"),
                metadata={"limits": {"tmp_mb": 2}})
    for n in (1, 2):
        assert node.get("twice", "/tmp").text == "ENOSPC"
        until("it counts", lambda: exceeded(node, "twice", "tmp_mb") == n)
    assert node.get("neighbour", "/mark").text == "mark"
    node.wait_log("all of twice's lines are before this")
    assert len([one for one in node.log_lines() if "[twice:wrn]" in one]) == 2


def test_a_message_is_measured_however_it_comes(node):
    """Whole, announced, in fragments; packed it cannot come: no extension is agreed on, so its bit is an error."""
    node.deploy("talker", CODE, metadata={"limits": {"message_mb": 1}})
    piece = bytes(1 << 18)
    assert socket_is_closed(node, "talker", frame(BINARY, bytes((1 << 20) + 1))) == 1009
    assert socket_is_closed(node, "talker", frame(BINARY, bytes(1 << 30 >> 10), end=False), *[frame(0, b"x", end=False)] * 2) == 1009
    assert socket_is_closed(node, "talker", frame(BINARY, piece, end=False), *[frame(0, piece, end=False)] * 4) == 1009
    assert socket_is_closed(node, "talker", frame(BINARY | 0x40, b"\xca\x48\xcd\xc9\xc9\x07\x00")) == 1002
    until("they count", lambda: exceeded(node, "talker", "message_mb") == 3)
    with Raw(node, "/socket", host=node.host_of("talker")) as raw:
        raw.send(frame(BINARY, bytes(1 << 20)) + frame(8, b"\x03\xe8"))
        assert raw.close_code() == 1000


def test_top_level_code_meets_limits_as_well(node):
    said = node.upload("greedy", "import os\ntry:\n    open('/tmp/x', 'wb').write(bytes(3 << 20))\nexcept OSError:\n    pass\n" + CODE,
                       metadata={"limits": {"tmp_mb": 2}})
    assert said.success, said.text
    node.wait_log(r"\[greedy:wrn\] top-level code could not write a file: those below /tmp and /session have 2 MiB together")
    assert node.get("greedy", "/x").text == "x"
