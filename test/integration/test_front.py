"""The front over real sockets: raw messages, pipelining, bodies, limits, what a client may and may not."""
import random
import select
import socket
from collections import Counter

import pytest

from harness import DEADLINE, until
from raw_messages import MESSAGES, SOURCE, RawClient, calls_in, check

GET = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    import conftest
    one = conftest.start(tmp_path_factory.mktemp("front"), SOURCE)
    one.get()
    one.wait_log(r"took \[")  # its line belongs to no test
    yield one
    survived = one.is_running()
    conftest.finish(one)
    assert survived, "the node died during these tests"


def run_table(port, messages, cut, tls=None, early=()):
    """Every row; what went wrong, by name.  early: see check."""
    wrong = {}
    for message in messages:
        try:
            check(port, message, cut(message), tls, early)
        except (AssertionError, OSError) as e:
            wrong[message.name] = repr(e)
    return wrong


def whole(message):
    return [message.data]


def in_pieces(message):
    rng = random.Random(message.name)
    cuts = sorted(rng.randrange(1, len(message.data)) for _ in range(4)) if len(message.data) > 1 else []
    return [message.data[a:b] for a, b in zip([0] + cuts, cuts + [None])]


@pytest.mark.asan
def test_every_message(front):
    """What the client gets, and what the worker was called with: no more and no less."""
    assert len({message.data for message in MESSAGES}) == len(MESSAGES) >= 500
    mark = front.mark()
    assert run_table(front.port, MESSAGES, whole) == {}
    expected = Counter(call for message in MESSAGES for call in message.calls())
    until(lambda: "the calls are in the log: %r" % (expected - calls_in(front.log_lines()[mark:])),
          lambda: not expected - calls_in(front.log_lines()[mark:]))
    assert run_table(front.port, MESSAGES, in_pieces) == {}
    until("those as well", lambda: not expected + expected - calls_in(front.log_lines()[mark:]))
    assert calls_in(front.log_lines()[mark:]) == expected + expected


def test_many_pipelined_requests_are_answered_in_order(front):
    with RawClient(front.port) as client:
        client.send(b"".join(GET % (b"/url/%d" % n) for n in range(300)))
        for n in range(300):
            assert client.read().body == b"http://a/url/%d" % n


def test_a_connection_is_used_again(front):
    with RawClient(front.port) as client:
        for n in range(50):
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n%02d" % n)
            assert client.read().body == b"POST\n%02d" % n
            client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            head = client.read("HEAD")
            assert head.status == 200 and "date" in head.headers and not client.got


def test_the_body_is_asked_for(front):
    with RawClient(front.port) as client:
        for _ in range(2):
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            assert client.read().status == 100
            client.send(b"hello")
            assert client.read().body == b"POST\nhello"


def test_an_unread_body_does_not_disturb_the_next_request(front):
    with RawClient(front.port) as client:
        for _ in range(3):
            client.send(b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000)
            assert client.read().body == b"unread"
            client.send(GET % b"/")
            assert client.read().body == b"GET\n"


@pytest.mark.parametrize("request_line", [b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close", b"GET / HTTP/1.0"])
def test_bytes_behind_the_last_answer_reset_nothing(front, request_line):
    """RFC 9112, 9.6: who closes over bytes that it has not read resets the connection, and its answer may be lost."""
    with RawClient(front.port) as client:
        client.send(request_line + b"\r\n\r\n")
        ended = select.poll()
        ended.register(client.socket, select.POLLRDHUP)
        assert ended.poll(DEADLINE * 1000), "the end came behind the answer"
        for _ in range(3):
            client.socket.sendall(GET % b"/never")
        assert client.read().body == b"GET\n" and client.ends()


def test_a_refusal_survives_what_the_client_still_sends(front):
    with RawClient(front.port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n" + b"x" * 500000)
        assert client.read().status == 400
        assert client.ends()


def test_half_a_close_is_answered(front):
    with RawClient(front.port) as client:
        client.send(GET % b"/1" + GET % b"/2")
        client.socket.shutdown(socket.SHUT_WR)
        assert [client.read().status for _ in range(2)] == [200, 200]
        assert client.ends()


@pytest.mark.parametrize("status, data", [
    (200, GET % (b"/" + b"x" * 16000)),
    (414, GET % (b"/" + b"x" * 17000)),
    (414, b"GET /" + b"x" * 100000),
    (200, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 60000 + b"\r\n\r\n"),
    (431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70000 + b"\r\n\r\n"),
    (200, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 120 + b"\r\n"),
    (431, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 200 + b"\r\n"),
    (413, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 600000000\r\n\r\n"),
], ids=["url", "long_url", "endless_url", "header", "large_header", "headers", "many_headers", "large_body"])
def test_limits(front, status, data):
    with RawClient(front.port) as client:
        client.send(data)
        assert client.read().status == status
        if status != 200:
            assert client.ends()


def test_idle_connections_are_no_burden(front):
    clients = [RawClient(front.port) for _ in range(500)]
    try:
        for client in clients:
            client.send(b"GET / HT")
        assert front.get().status == 200
        for client in clients:
            client.send(b"TP/1.1\r\nHost: a\r\n\r\n")
        assert {client.read().status for client in clients} == {200}
    finally:
        for client in clients:
            client.socket.close()


def test_a_client_that_vanished_will_be_noticed(front):
    # Without a FIN there is nothing to read: the kernel must ask (timer 02: keepalive).
    with RawClient(front.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.read().status == 200
        ends = "0100007F:%04X 0100007F:%04X" % (front.port, client.socket.getsockname()[1])
        ours = [line.split() for line in open("/proc/net/tcp") if ends in line]
        assert len(ours) == 1 and ours[0][5].startswith("02:"), ours


@pytest.mark.long
def test_a_slow_head_is_refused(front):
    with RawClient(front.port, timeout=60) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        reply = client.read()
        assert reply.status == 408 and reply.headers["connection"] == "close"
        assert client.ends()


def test_an_exception_is_shown_to_the_developer(front):
    with RawClient(front.port) as client:
        client.send(GET % b"/raise")
        reply = client.read()
        assert reply.status == 500 and reply.headers["content-type"].startswith("text/plain")
        assert reply.body.startswith(b"PythonError: Traceback (most recent call last):")
        assert b"ValueError: <raised>" in reply.body
        client.send(b"GET /raise HTTP/1.1\r\nHost: a\r\nAccept: text/html,*/*;q=0.8\r\n\r\n")
        reply = client.read()
        assert reply.status == 500 and reply.headers["content-type"].startswith("text/html")
        assert b"ValueError: &lt;raised&gt;" in reply.body and b"<raised>" not in reply.body
        client.send(GET % b"/")
        assert client.read().status == 200


def test_the_access_log(front):
    mark = front.mark()
    front.get("/x?y=1")
    front.wait_log(r"^\[corral:inf\] GET /x 200 OK \(\d+ms\)$", since=mark)
