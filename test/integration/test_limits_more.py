"""Bodies, time, lines and files: each limit with its error, its line in the log, its counter, and a neighbour that goes on."""
import re

import pytest

from harness import until
from test_tail import Listener

pytestmark = pytest.mark.asan

CODE = """\
import asyncio
import errno
from js import Response
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        what = request.url.split("/", 3)[3]
        if what == "body":
            return Response.new(str(len((await request.bytes()))))
        if what == "slow":
            await asyncio.sleep(30)
        if what == "lines":
            for i in range(150):
                print("x" * 900, i)
        if what == "tmp":
            try:
                with open("/tmp/file", "wb") as f:
                    for _ in range(10):
                        f.write(bytes(1 << 20))
            except OSError as e:
                return Response.new(errno.errorcode[e.errno])
        return Response.new(what)
"""
LIMITS = {"body_mb": 2, "log_kb": 64, "tmp_mb": 4}


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve(env={"CORRAL_TEST_INSTANCES": "1"})
    node.deploy("hello", CODE, metadata={"limits": LIMITS})
    node.deploy("hasty", CODE, metadata={"limits": {"wall_ms": 300}})      # nobody else's answers have to come in this time
    node.deploy("neighbour", CODE)
    return node


def exceeded(node, limit, worker="hello"):
    found = re.search(r'corral_limit_exceeded_total\{[^}]*worker="%s",limit="%s"\} (\d+)' % (worker, limit),
                      node.api_raw("GET", "/metrics", token=False).text)
    return int(found.group(1)) if found else 0


def pieces(bytes):
    while bytes > 0:
        yield b"x" * min(bytes, 65536)
        bytes -= 65536


def post(node, worker, body):
    return node.request(worker, "/body", method="POST", body=body)


def test_a_body_that_is_too_large_is_refused(node):
    assert post(node, "hello", b"x" * 2000000).text == "2000000"
    answer = post(node, "hello", b"x" * 2000001)
    assert answer.status == 413, answer
    node.wait_log(r"\[hello:wrn\] a request was refused: its body has more than 2 MB \(limits.body_mb\)")
    assert exceeded(node, "body_mb") == 1
    assert post(node, "neighbour", b"x" * 2000001).text == "2000001"


def test_so_is_one_that_does_not_say_how_long_it_is(node):
    before = exceeded(node, "body_mb")
    try:
        answer = node.request("hello", "/body", method="POST", body=pieces(20 << 20))
        assert answer.status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass        # it was told and went on sending
    until("it counts", lambda: exceeded(node, "body_mb") == before + 1)
    assert node.get("hello", "/x").text == "x"


def test_an_answer_that_does_not_begin_in_time(node):
    answer = node.get("hasty", "/slow")
    assert answer.status == 504 and "did not answer in time" in answer.text, answer
    node.wait_log(r"\[hasty:wrn\] a request got no answer within its 300 ms \(limits.wall_ms\)")
    assert exceeded(node, "wall_ms", "hasty") == 1
    assert node.get("neighbour", "/x").text == "x"
    until("it answers in time", lambda: node.get("hasty", "/x").text == "x")    # which a machine may not give it at once


def test_lines_of_a_request_have_an_end(node):
    before = len(node.log_lines())
    with Listener(node) as tail:
        assert node.get("hello", "/lines").text == "lines"
        lines = tail.lines()
    assert lines[-1].startswith("further lines of this request are dropped: it has written more than 64 KiB"), lines[-1]
    until("the log has it", lambda: any("further lines of this request are dropped" in one for one in node.log_lines()[before:]))
    written = sum(len(one) for one in node.log_lines()[before:] if "xxxx" in one)
    assert 60000 < written < 68000, written
    assert exceeded(node, "log_kb") == 1
    # Another request has its own.
    assert node.get("hello", "/lines").text == "lines"
    until("it counts", lambda: exceeded(node, "log_kb") == 2)


def test_files_in_tmp_have_an_end(node):
    assert node.get("hello", "/tmp").text == "ENOSPC"
    assert node.get("neighbour", "/tmp").text == "tmp"


def test_limits_of_a_configuration_are_checked(corral):
    project = {"wrangler.toml": 'name = "w"\nmain = "src/entry.py"\ncompatibility_date = "2026-03-01"\ncompatibility_flags = ["python_workers"]\n'
                                '[limits]\nbody_mb = 1\nwall = 5\n',
               "src/entry.py": CODE}
    dev = corral(project)
    assert dev.request("GET", "/x").text == "x"
    dev.wait_log("'limits.wall' has no effect")
    assert dev.request("POST", "/body", body=b"x" * 1000001).status == 413
