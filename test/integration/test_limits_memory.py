"""Memory of workers: whatever takes it, it has an end, the worker's log says so, and the neighbour goes on."""
import contextlib
import os
import re
from pathlib import Path

import pytest

from harness import BIN, until
from test_tail import Listener

pytestmark = pytest.mark.skipif(BIN.name == "asan", reason="a sanitizer's memory is not the worker's")

CODE = """\
import asyncio
import ctypes
import mmap
import os
import threading
from js import Response
from workers import WorkerEntrypoint

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
MIB = 1 << 20
kept = []

def take(bytes, flags=0x22):
    place = libc.mmap(None, bytes, 3, flags, -1, 0)
    if place == ctypes.c_void_p(-1).value:
        raise MemoryError(os.strerror(ctypes.get_errno()))
    return place

def held(grow):
    # Grows in a thread of its own once somebody writes into the pipe whose number is answered: let_go().
    pipe = os.pipe()
    def run():
        os.read(pipe[0], 1)
        grow()
    threading.Thread(target=run, daemon=True).start()
    return Response.new(str(os.fstat(pipe[0]).st_ino))

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        what = request.url.split("/", 3)[3]
        if what == "python":
            try:
                for _ in range(4096):
                    kept.append(bytearray(MIB))
            except MemoryError:
                kept.clear()
                return Response.new("MemoryError")
        if what == "slowly":
            while True:
                kept.append(bytearray(4 * MIB))
                await asyncio.sleep(0)
        if what == "native":
            while True:
                place = take(4 * MIB)
                ctypes.memset(place, 1, 4 * MIB)
                await asyncio.sleep(0.001)
        if what == "memfd":
            for _ in range(16):     # no more than the machine has, should nobody look
                fd = os.memfd_create("x")
                os.write(fd, bytes(16 * MIB))
                kept.append(fd)
                await asyncio.sleep(0.001)
            while True:
                await asyncio.sleep(0.01)
        if what == "background":
            def grow():
                while True:
                    kept.append(bytearray(b"1" * MIB))
            return held(grow)
        if what == "afterwards":
            def grow(piece=bytes(8 * MIB)):
                for _ in range(192):
                    kept.append(os.memfd_create("x"))
                    os.write(kept[-1], piece)
            return held(grow)
        if what == "threads":
            def wait():
                threading.Event().wait()
            libc.pthread_create.argtypes = [ctypes.c_void_p] * 4
            handle, pause = ctypes.c_ulong(), ctypes.cast(libc.pause, ctypes.c_void_p)
            attributes = ctypes.create_string_buffer(64)
            libc.pthread_attr_init(attributes)
            libc.pthread_attr_setstacksize(ctypes.byref(attributes), ctypes.c_size_t(64 * 1024))
            for _ in range(300):
                if libc.pthread_create(ctypes.byref(handle), ctypes.addressof(attributes), pause, None):
                    return Response.new("EAGAIN")
            while True:
                await asyncio.sleep(0.01)
        return Response.new(what)
"""


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve("--memory-mb", "96", env={"CORRAL_TEST_INSTANCES": "1"})
    node.deploy("hello", CODE)
    node.deploy("neighbour", CODE)
    assert node.get("neighbour", "/x").text == "x"
    return node


def neighbour_pid(node):
    return {pid for pid in node.log_lines() if "neighbour" in pid and "ended" in pid}


def exceeded(node, worker, limit):
    found = re.search(r'corral_limit_exceeded_total\{[^}]*worker="%s",limit="%s"\} (\d+)' % (worker, limit),
                      node.api_raw("GET", "/metrics", token=False).text)
    return int(found.group(1)) if found else 0


def let_go(node, answer):
    """Write into the pipe of held(): no request runs any more, and none may be sent for it."""
    assert answer.status == 200, answer.text
    ends = []
    for process in node.instances():
        for fd in Path("/proc/%d/fd" % process.pid).iterdir():
            with contextlib.suppress(OSError):
                ends += [fd] if os.readlink(fd) == "pipe:[%s]" % answer.text else []
    with open(ends[0], "wb", 0) as end:
        end.write(b"x")


def test_python_gets_a_memory_error(node):
    assert node.get("hello", "/python").text == "MemoryError"
    assert node.get("hello", "/x").text == "x"


def test_memory_that_python_does_not_count_ends_the_instance(node):
    node.deploy("filer", CODE)
    with Listener(node, script="filer") as tail:
        answer = node.get("filer", "/memfd")
        assert answer.status == 503 and "1102" in answer.text, answer.text
        assert tail.next()["outcome"] == "exceededMemory"
    assert exceeded(node, "filer", "memory_mb") == 1
    node.wait_log(r"an instance of 'filer' \(process \d+\) is ended: it holds \d+ MiB of memory, and 96 are allowed \(limits.memory_mb\)")
    assert node.get("filer", "/x").text == "x"
    assert node.get("neighbour", "/x").text == "x" and not neighbour_pid(node)


def test_native_code_gets_no_more_addresses(node):
    answer = node.get("hello", "/native")
    assert answer.status in (500, 503)
    node.wait_log(r"MemoryError: Cannot allocate memory|it holds \d+ MiB of memory")
    until("it answers again", lambda: node.get("hello", "/x").status == 200)


def test_memory_that_grows_behind_an_answer_has_an_end(node):
    let_go(node, node.get("hello", "/background"))
    until("it is ended or has got no more", lambda: node.get("hello", "/x").status == 200)


def test_who_fills_memory_while_no_request_runs_is_seen_as_soon(node):
    node.deploy("later", CODE)
    held = []
    while len(held) < 3 and not any(mib < 700 for mib in held):    # of 1536, which take it half a second; a node that is kept from looking is late
        mark = node.mark()
        let_go(node, node.get("later", "/afterwards"))
        found = node.wait_log(r"an instance of 'later' \(process \d+\) is ended: it holds (\d+) MiB of memory, and 96 are allowed", since=mark)
        held.append(int(found.group(1)))
    assert min(held) < 700, held


def test_threads_have_an_end(node):
    node.deploy("crowd", CODE)
    answer = node.get("crowd", "/threads")
    if answer.status == 200:
        assert answer.text == "EAGAIN"
    else:
        assert answer.status == 503 and "1102" in answer.text
        node.wait_log(r"an instance of 'crowd' \(process \d+\) is ended: it has \d+ threads, and 192 are allowed \(limits.threads\)")
    assert node.get("neighbour", "/x").text == "x" and not neighbour_pid(node)


def test_top_level_code_that_takes_all_memory_does_not_load(node):
    said = node.upload("greedy", "held = []\nwhile True:\n    held.append(bytearray(b'x' * (1 << 20)))\n")
    assert not said.success and re.search(r"MemoryError|top-level code of 'greedy' took \d+ MiB of memory, and 96 are allowed", said.text), said.text


def test_all_workers_together_have_a_limit_and_the_heaviest_goes(serve):
    node = serve("--memory-mb", "512", "--node-memory-mb", "96", env={"CORRAL_TEST_INSTANCES": "1"})
    node.deploy("hello", CODE)
    node.deploy("neighbour", CODE)
    assert node.get("neighbour", "/x").text == "x"
    answer = node.get("hello", "/memfd")
    assert answer.status == 503 and "1102" in answer.text, answer.text
    node.wait_log(r"an instance of 'hello' \(process \d+\) is ended: the workers of this node hold more than 96 MiB")
    assert node.get("neighbour", "/x").text == "x" and not neighbour_pid(node)
