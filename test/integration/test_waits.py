"""What ends what: deadlines of slow clients, drains, processes that lie, over real sockets.

The node's deadlines are made short (CORRAL_TEST_*), so that they pass within a test.
"""
import os
import re
import signal
import socket
import struct
import threading
import time

import pytest

from harness import HELLO, LAB, PATIENCE, is_alive, lab_code, rss_kb, until
from raw_messages import RawClient

MB = 1024 * 1024
BODY, IDLE, WRITE = (1.5 * PATIENCE, 0.7 * PATIENCE, 2.0 * PATIENCE)   # seconds


def hasty(name, seconds):
    """A fixture: a node with this one short deadline, so that whoever is slow for another reason is not ended by it."""
    @pytest.fixture(scope="module")
    def node(shared_corral):
        one = shared_corral(LAB, name="lab", env={name: str(int(seconds * 1000))})
        until("the lab answers", lambda: one.get().status == 200)
        yield one
        assert one.is_running(), "the node died during these tests"
    return node


body = hasty("CORRAL_TEST_BODY_MS", BODY)
idle = hasty("CORRAL_TEST_KEEPALIVE_MS", IDLE)
write = hasty("CORRAL_TEST_WRITE_MS", WRITE)


def head(code, method=b"GET", more=b""):
    """The head of a request to a LAB worker, without the empty line."""
    return method + b" / HTTP/1.1\r\nHost: a\r\nx-code: " + lab_code(code).encode() + b"\r\n" + more


# ---- slow clients ----


def test_a_body_that_does_not_come_is_refused(body):
    with RawClient(body.port) as client:
        client.send(head("return Response.new(await request.text())", b"POST", b"Content-Length: 10\r\n\r\nabc"))
        reply = client.read()
        assert reply.status == 408 and reply.headers["connection"] == "close" and b"body did not arrive" in reply.body
        assert client.ends()


def test_a_body_that_comes_slowly_is_taken(body):
    with RawClient(body.port) as client:
        client.send(head("return Response.new(await request.text())", b"POST", b"Content-Length: 6\r\n\r\n"))
        for letter in b"slowly":            # in all longer than the deadline for one piece
            time.sleep(0.2 * BODY)
            client.send(bytes([letter]))
        assert client.read().body == b"slowly"


def test_an_idle_connection_is_closed(idle):
    with RawClient(idle.port) as client, RawClient(idle.port) as silent:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.read().status == 200
        begun = time.monotonic()
        assert client.ends() and silent.ends()
        assert time.monotonic() - begun < 10 * PATIENCE


BIG = "return Response.new(bytes(32 * 1024 * 1024))"


def narrow(port):
    """A client whose kernel takes little ahead of it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    client.settimeout(60 * PATIENCE)
    client.connect(("127.0.0.1", port))
    return client


def server_side(one, client):
    """Does the node still hold its end of this connection?"""
    ends = "0100007F:%04X 0100007F:%04X 01" % (one.port, client.getsockname()[1])
    return any(ends in line for line in open("/proc/net/tcp"))


def test_a_client_that_reads_nothing_is_given_up_in_flat_memory(write):
    write.run(BIG)
    before = rss_kb(write.pid)
    with narrow(write.port) as client:
        client.sendall(head(BIG) + b"\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        most = 0

        def is_over():
            nonlocal most
            most = max(most, rss_kb(write.pid))
            return not server_side(write, client)
        until("the node gives up", is_over)
        assert most - before < 16 * 1024, (before, most)
    assert write.get().status == 200


def test_a_client_that_reads_slowly_gets_all(write):
    with narrow(write.port) as client:
        client.sendall(head("return Response.new(bytes(6 * 1024 * 1024))") + b"Connection: close\r\n\r\n")
        got, begun = 0, time.monotonic()
        while piece := client.recv(MB):
            got += len(piece)
            if time.monotonic() - begun < 1.2 * WRITE:
                time.sleep(0.05)
        assert got > 6 * MB
        assert time.monotonic() - begun > 1.2 * WRITE


# ---- the end of the node ----


def test_sigterm_ends_each_connection_in_its_own_way(corral):
    one = corral(LAB, env={"CORRAL_TEST_DRAIN_MS": str(2000 * PATIENCE)})
    one.get()
    slow = 'console.log("begun")\nawait asyncio.sleep(%s)\nreturn Response.new("finished")'
    with RawClient(one.port) as idle, RawClient(one.port) as short, RawClient(one.port) as long, RawClient(one.port) as half:
        idle.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert idle.read().status == 200
        half.send(b"GET / HTTP/1.1\r\nHost:")
        since = one.mark()
        short.send(head(slow % 0.3) + b"\r\n")
        long.send(head(slow % 60) + b"\r\n")
        one.wait_log("begun(.|\n)*begun", since=since)
        one.process.send_signal(signal.SIGTERM)
        assert idle.ends()
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", one.port), 5).close()
        half.send(b" a\r\n\r\n")
        reply = half.read()
        assert (reply.status, reply.headers["connection"]) == (200, "close") and half.ends()
        reply = short.read()
        assert (reply.status, reply.body, reply.headers["connection"]) == (200, b"finished", "close") and short.ends()
        # What takes too long is cut: no answer, and certainly not half of one.
        try:
            assert long.ends()
        except ConnectionResetError:
            pass
    assert one.wait_exit() == 0


def test_a_second_signal_ends_at_once(corral):
    one = corral(LAB, "--log-level", "debug")
    one.get()
    with RawClient(one.port) as client:
        client.send(head('console.log("begun")\nawait asyncio.sleep(60)') + b"\r\n")
        one.wait_log("begun")
        one.process.send_signal(signal.SIGTERM)
        one.wait_log("ending")
        one.process.send_signal(signal.SIGINT)
        assert one.wait_exit() in (0, 130)


# ---- processes that lie ----


def frame(kind, payload=b"", flags=0, stream=0):
    return struct.pack("<IBBHI", len(payload), kind, flags, 0, stream) + payload


# A child writes to its socket what it likes: its code may do that.
LIE = """
import os, stat
for fd in range(3, 64):
    try:
        if stat.S_ISSOCK(os.fstat(fd).st_mode):
            os.write(fd, bytes.fromhex("%s"))
    except OSError:
        pass
"""

LIES = {
    "noise": b"\xff" * 64,
    "too_long": struct.pack("<IBBHI", 1 << 30, 18, 0, 0, 1),
    "hello_again": frame(1, struct.pack("<II", 1, 3) + b"\0" * 8),
    "a_stream_that_is_not": frame(18, b"x", stream=77777),
    "for_the_node_only": frame(16, b""),
    "of_a_template": frame(37, struct.pack("<II", 1, 1)),
}


@pytest.mark.asan
@pytest.mark.parametrize("lie", LIES)
def test_an_instance_that_lies_is_ended(corral, lie):
    """A node for each: one whose instances die again and again starts them later and later."""
    hasty = corral(LAB, name="lab")
    hasty.get()
    since = hasty.mark()
    answer = hasty.run(LIE % LIES[lie].hex() + "\nawait asyncio.sleep(60)\n")
    assert answer.status == 502, (answer.status, answer.text)
    hasty.wait_log(r"an instance of 'lab' \(process \d+\) broke the protocol and was ended: .+", since=since)
    assert hasty.get().text == "ready"


@pytest.mark.asan
def test_a_template_that_lies_is_ended(corral):
    one = corral(HELLO)
    assert one.get().status == 200
    for lie in ("noise", "of_a_template", "hello_again"):
        since = one.mark()
        one.put("src/entry.py", LIE % LIES[lie].hex() + HELLO + "# %s\n" % lie)
        one.wait_log(r"the template of 'hello' broke the protocol and was ended: .+", since=since)
        one.wait_log(r"the process that loads 'hello' ended 3 times in a row", since=since)
        until("requests are told", lambda: one.get().status == 500)
    one.put("src/entry.py", HELLO)
    until("it serves again", lambda: one.get().status == 200)


def test_a_template_that_dies_at_once_is_tried_less_and_less(corral):
    one = corral("import ctypes\nif ctypes.CDLL(None).access(b'die', 0) == 0:      # in the bundle, whose folder this is\n    ctypes.string_at(0)\n" + HELLO)
    assert one.get().status == 200
    flag = next(one.project.glob(".corral/bundles/*/src/..")).resolve() / "die"
    flag.write_text("")
    since = one.mark()
    os.kill(one.templates()[0].pid, signal.SIGKILL)
    pattern = r"the template of 'hello' starts again in (\d+) ms"

    def waits():
        return [int(ms) for ms in re.findall(pattern, "\n".join(one.log_lines()[since:]))]
    until("five tries", lambda: len(waits()) >= 5)
    assert waits()[:5] == [50, 100, 200, 400, 800]
    flag.unlink()
    until("it serves again", lambda: one.get().status == 200)


@pytest.mark.long
def test_a_zygote_that_stands_still_is_replaced(corral):
    one = corral(HELLO)
    one.get()
    stuck = one.zygotes()[0].pid
    os.kill(stuck, signal.SIGSTOP)
    one.put("src/entry.py", HELLO.replace("world", "moon"))
    assert one.get().status == 200      # the version before goes on serving
    one.wait_log("zygote.* has forked nothing for 10 s", deadline=60 * PATIENCE)
    until("the new one answers", lambda: one.get().text == "Hello moon!", deadline=60 * PATIENCE)
    until("the old one is gone", lambda: not is_alive(stuck) and len(one.zygotes()) == 1)


# ---- saves ----


def version(n, more=""):
    return "%sfrom js import Response\n\ndef on_fetch(request):\n    return Response.new('version %s')\n" % (more, n)


def test_a_save_while_loading_and_many_in_a_row(corral):
    one = corral(version(0))
    answers, done = [], threading.Event()

    def ask():
        while not done.is_set():
            answer = one.get()
            answers.append((answer.status, answer.text))
    asker = threading.Thread(target=ask)
    asker.start()
    try:
        one.put("src/entry.py", version("that loads for ever", "import time\ntime.sleep(8)\n"))
        until("it loads beside the first", lambda: len(one.templates()) == 2)
        one.put("src/entry.py", version(1))
        until("the newest answers", lambda: answers and answers[-1] == (200, "version 1"))
        for n in range(2, 40):      # faster than any of them can load
            one.put("src/entry.py", version(n))
        until("the last one answers", lambda: answers[-1] == (200, "version 39"))
    finally:
        done.set()
        asker.join()
    assert {status for status, _ in answers} == {200}
    numbers = [int(text.split()[1]) for _, text in answers]
    assert numbers == sorted(numbers), "an older version answered after a newer one"
    until("the others are gone", lambda: len(one.templates()) == 1)


def test_requests_do_not_wait_for_a_large_reload(corral):
    one = corral({"src/entry.py": version(1), "src/data.bin": bytes(100 * MB)}, "--log-level", "debug")
    until("the first answers", lambda: one.get().text == "version 1")
    connection, found = one.connection(), []

    def reload(n):
        """Of the time that it takes, how much did one request wait?"""
        waits, begun = [], time.monotonic()
        one.put("src/entry.py", version(n))

        def answers():
            asked = time.monotonic()
            text = one.request("GET", "/", connection=connection).text
            waits.append(time.monotonic() - asked)
            return text
        until("the next answers", lambda: answers() == "version %d" % n, every=0)
        found.append((max(waits), time.monotonic() - begun))
        return found[-1][0] < found[-1][1] / 2
    # A machine that has other things to do may stop one of them for a moment, but not each time.
    assert any(reload(n) for n in (2, 3, 4, 5)), found
    connection.close()
    # Nor does the end wait for it.
    since = one.mark()
    one.put("src/entry.py", version(3))
    one.wait_log("changed: ", since=since)
    one.stop()
