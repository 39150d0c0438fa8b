"""Talks with the front that take more than one message: each row says what it is from, and what must come of it.

    @talk(SOURCE) def name(node): what a client does; what it must get; what the worker may hear of it

`node` is a `corral dev` with raw_messages.SOURCE.  Where nginx or Cloudflare do otherwise, the row says why.
"""
import contextlib
import json
import os
import re
import signal
import socket
import ssl
import struct
import time

import pytest

from harness import DEADLINE, PATIENCE, descendants, rss_kb, until
from raw_messages import MESSAGES, SOURCE, RawClient
from test_front import run_table, whole

pytestmark = pytest.mark.asan

GET = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST %s HTTP/1.1\r\nHost: a\r\n"
NEVER = b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n"
HANDSHAKE = (b"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")

TALKS = []


def talk(source):
    def note(function):
        TALKS.append((function.__name__, source, function))
        return function
    return note


def headers_with(node, lines):
    """What the worker reads when a client sends these header lines."""
    with RawClient(node.port) as client:
        client.send(b"GET /headers HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")
        reply = client.read()
        assert reply.status == 200, reply.body
        return dict(json.loads(reply.body))


def refused(node, data, status, tls=None):
    """This answer, the end, and nothing else."""
    with RawClient(node.port, tls=tls) as client:
        client.send(data)
        reply = client.read()
        assert reply.status == status, (reply.status, reply.body)
        assert reply.headers["connection"] == "close"
        assert client.ends(), client.got


def own_kb(node):
    """The node's memory, without the pages of its program, which come when they are used for the first time."""
    return rss_kb(node.pid, "RssAnon")


def computed(node):
    """Seconds of processor time of the node and all under it."""
    seconds = 0
    for pid in [node.pid] + [p.pid for p in descendants(node.pid)]:
        with contextlib.suppress(OSError):      # it has ended
            seconds += sum(map(int, open("/proc/%d/stat" % pid).read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    return seconds


def still_serves(node):
    with RawClient(node.port) as client:
        client.send(GET % b"/url")
        assert client.read().body == b"http://a/url"


# ---- headers of the connection ----


@talk("RFC 9110 7.6.1; CVE-2022-31813: Connection strips what others rely on. Nothing is stripped: we are no proxy, nor is nginx then")
def connection_strips_no_header(node):
    got = headers_with(node, b"Connection: close, authorization, Cookie, x-forwarded-for, cf-connecting-ip, host\r\n"
                             b"Authorization: Bearer x\r\nCookie: a=b\r\nX-Forwarded-For: 1.2.3.4\r\n")
    assert got["authorization"] == "Bearer x" and got["cookie"] == "a=b" and got["x-forwarded-for"] == "1.2.3.4"
    assert got["host"] == "a" and got["cf-connecting-ip"] == "127.0.0.1"


@talk("RFC 9110 7.6.1: what speaks of the connection stays on it")
def headers_of_the_connection_stay_here(node):
    got = headers_with(node, b"Keep-Alive: 5\r\nTE: trailers\r\nTrailer: X\r\nProxy-Connection: close\r\nUpgrade: h2c\r\nX: 1\r\n")
    assert set(got) & {"keep-alive", "te", "trailer", "proxy-connection", "upgrade", "connection"} == set() and got["x"] == "1"


@talk("RFC 9112 6.3: Connection cannot take the framing away")
def connection_does_not_touch_the_length(node):
    with RawClient(node.port) as client:
        client.send(POST % b"/" + b"Connection: content-length\r\nContent-Length: %d\r\n\r\n" % len(NEVER) + NEVER + GET % b"/url")
        assert client.read().body == b"POST\n" + NEVER
        assert client.read().body == b"http://a/url"


@talk("RFC 9112 6.3: nor the coding")
def connection_does_not_touch_the_coding(node):
    with RawClient(node.port) as client:
        client.send(POST % b"/" + b"Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" + GET % b"/url")
        assert client.read().body == b"POST\nhi"
        assert client.read().body == b"http://a/url"


@talk("RFC 9112 9.3: close wins, wherever it stands")
def close_among_a_thousand_names(node):
    with RawClient(node.port) as client:
        client.send(b"GET /url HTTP/1.1\r\nHost: a\r\nConnection: " + b"x, " * 1000 + b"keep-alive, close\r\n\r\n" + NEVER)
        assert client.read().headers["connection"] == "close"
        assert client.ends()


@talk("RFC 9112 9.3; Proxy-Connection is nobody's")
def proxy_connection_closes_nothing(node):
    with RawClient(node.port) as client:
        client.send(b"GET /url HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n" + GET % b"/url")
        assert [client.read().status for _ in range(2)] == [200, 200]


@talk("RFC 9110 5.3: fields of one name are joined in their order")
def repeated_headers_are_joined(node):
    assert headers_with(node, b"X: 1\r\nx: 2\r\nX:\r\nX: 3\r\n")["x"] == "1, 2, , 3"


@talk("RFC 9110 5.5: bytes that are no UTF-8 reach the worker, and nothing breaks")
def header_values_of_any_bytes(node):
    got = headers_with(node, b"X: " + bytes(range(0x80, 0x100)) + b"\r\nY: \xed\xa0\x80\r\n")
    assert len(got["x"]) >= 64 and "y" in got


# ---- Upgrade ----


@talk("RFC 6455 4.2.1")
def upgrade_with_a_bad_key(node):
    for key in (b"", b"x", b"dGhlIHNhbXBsZSBub25jZQ=", b"dGhlIHNhbXBsZSBub25jZR==", b"a" * 5000):
        refused(node, HANDSHAKE.replace(b"dGhlIHNhbXBsZSBub25jZQ==", key) + b"\r\n" + NEVER, 400)


@talk("RFC 6455 4.2.2: 426")
def upgrade_with_another_version(node):
    for version in (b"8", b"013", b"13, 8", b"", b"14"):
        refused(node, HANDSHAKE.replace(b"Version: 13", b"Version: " + version) + b"\r\n" + NEVER, 426)


@talk("RFC 6455 4.2.1: one key, one version")
def upgrade_with_two_keys(node):
    refused(node, HANDSHAKE + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 400)
    refused(node, HANDSHAKE + b"Sec-WebSocket-Version: 13\r\n\r\n", 426)


@talk("RFC 9110 7.8: a server may ignore Upgrade; by POST or in HTTP/1.0 it is no handshake")
def upgrade_that_is_none(node):
    with RawClient(node.port) as client:
        client.send(HANDSHAKE.replace(b"GET /socket", b"POST /socket") + b"Content-Length: 2\r\n\r\nhi" +
                    HANDSHAKE.replace(b"Connection: Upgrade", b"Connection: keep-alive") + b"\r\n" +
                    HANDSHAKE.replace(b"websocket", b"h2c, TLS/1.2") + b"\r\n")
        assert client.read().body == b"POST\nhi"
        assert [client.read().body for _ in range(2)] == [b"GET\n"] * 2
        client.send(HANDSHAKE.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n")
        assert client.read().status == 200 and client.ends()


@talk("RFC 9110 7.8: HTTP behind a handshake is bytes of the new protocol, never a request")
def pipelined_behind_an_upgrade(node):
    with RawClient(node.port) as client:
        client.send(HANDSHAKE + b"\r\n" + NEVER * 3)
        head = client._until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        while client._more():
            pass
        assert b"HTTP/1.1" not in client.got and client.got[:1] in (b"", b"\x88")  # at most a close frame


@talk("RFC 9110 7.8: a handshake that the worker does not take is a request; what follows is the next one")
def pipelined_behind_an_upgrade_that_was_refused(node):
    with RawClient(node.port) as client:
        client.send(HANDSHAKE.replace(b"/socket", b"/url") + b"\r\n" + GET % b"/url/2")
        assert client.read().body == b"http://a/url"
        assert client.read().body == b"http://a/url/2"


@talk("RFC 7540 3.2: no upgrade to HTTP/2 without TLS, so nothing is smuggled through it")
def h2c_is_never_spoken(node):
    with RawClient(node.port) as client:
        client.send(b"GET /url HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
        assert client.read().status == 200
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert client.read().status == 505 and client.ends()


# ---- Expect ----


@talk("RFC 9110 10.1.1: no 100 before a refusal")
def no_100_before_a_refusal(node):
    refused(node, POST % b"/" + b"Expect: 100-continue\r\nContent-Length: 600000000\r\n\r\n", 413)
    refused(node, POST % b"/" + b"Expect: 100-continue\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400)


@talk("RFC 9110 10.1.1: asked for and not read, the body is thrown away; an answer that did not ask for it closes, as nobody knows whether it comes")
def expectation_that_the_worker_does_not_care_for(node):
    with RawClient(node.port) as client:
        client.send(POST % b"/unread" + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(NEVER))
        asked = reply = client.read()
        reply = client.read() if asked.status == 100 else reply
        assert reply.body == b"unread"
        client.send(NEVER)
        if asked.status == 100:
            client.send(GET % b"/url")
            assert client.read().body == b"http://a/url"
        else:
            assert reply.headers["connection"] == "close" and client.ends(), client.got


@talk("RFC 9110 10.1.1: a client that does not wait")
def expectation_with_the_body_at_once(node):
    with RawClient(node.port) as client:
        client.send(POST % b"/" + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello" + GET % b"/url")
        reply = client.read()
        reply = client.read() if reply.status == 100 else reply
        assert reply.body == b"POST\nhello"
        assert client.read().body == b"http://a/url"


# ---- methods ----


@talk("RFC 9110 9.3.2")
def head_has_no_body_however_often(node):
    with RawClient(node.port) as client:
        client.send(b"HEAD /url HTTP/1.1\r\nHost: a\r\n\r\n" * 50 + GET % b"/url")
        for _ in range(50):
            reply = client.read("HEAD")
            assert reply.status == 200 and reply.headers["content-length"] == "12"
        assert client.read().body == b"http://a/url"


@talk("RFC 9110 9.3.7; OPTIONS is the worker's, with * too; nginx answers 400 to *, Cloudflare passes it on")
def options_of_everything(node):
    with RawClient(node.port) as client:
        client.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS /url HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [client.read().status for _ in range(2)] == [200, 200]


@talk("RFC 9110 9.3.6, 9.3.8: no tunnels, and nobody's headers are echoed")
def connect_and_trace(node):
    refused(node, b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n" + NEVER, 501)
    refused(node, b"TRACE / HTTP/1.1\r\nHost: a\r\nCookie: secret=1\r\n\r\n" + NEVER, 501)


# ---- pipelines ----


@talk("RFC 9112 9.3.2: in order, one at a time")
def flood_of_a_thousand(node):
    with RawClient(node.port) as client:
        client.send(b"".join(GET % (b"/url/%d" % n) for n in range(1000)))
        assert [client.read().body for n in range(1000)] == [b"http://a/url/%d" % n for n in range(1000)]


@talk("RFC 9112 9.3.2: nothing behind an error, however much there is")
def thousand_behind_an_error(node):
    refused(node, b"GET / HTTP/1.1\r\n\r\n" + NEVER * 1000, 400)
    refused(node, b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n" + NEVER * 20000, 501)


@talk("RFC 9112 9.3: behind a body that the worker does not read")
def pipelined_behind_an_unread_body(node):
    body = (NEVER * 4000)[:100000]
    with RawClient(node.port) as client:
        client.send((POST % b"/unread" + b"Content-Length: 100000\r\n\r\n" + body) * 3 + GET % b"/url")
        assert [client.read().body for _ in range(3)] == [b"unread"] * 3
        assert client.read().body == b"http://a/url"


@talk("RFC 9112 9.6: behind one too large to be read for nothing the connection ends")
def pipelined_behind_a_large_unread_body(node):
    body = NEVER * (4_000_000 // len(NEVER))
    with RawClient(node.port) as client:
        client.send(POST % b"/unread" + b"Content-Length: %d\r\n\r\n" % len(body) + body + NEVER)
        assert client.read().body == b"unread"
        assert client.ends(), client.got[:200]


@talk("RFC 9112 9.3.2: who pipelines and never reads is held up; the node's memory is not his")
def flood_whose_answers_nobody_reads(node):
    before = own_kb(node)
    with RawClient(node.port) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.socket.settimeout(1)
        sent, requests, left = 0, (GET % (b"/url/" + b"x" * 8000)) * 20, b""
        try:
            while sent < 40_000_000:
                left = left or requests
                count = client.socket.send(left)
                sent, left = sent + count, left[count:]
        except (socket.timeout, OSError):
            pass
        assert sent < 40_000_000, "nothing held it up"
        still_serves(node)
        assert own_kb(node) - before < 8000 * PATIENCE
        client.socket.settimeout(DEADLINE)
        assert client.read().status == 200


@talk("RFC 9112 7.1: chunks of one byte, a hundred thousand of them")
def chunk_bomb(node):
    with RawClient(node.port) as client:
        begun = computed(node)
        client.send(POST % b"/" + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n" + GET % b"/url")
        assert client.read().body == b"POST\n" + b"x" * 100_000
        assert client.read().body == b"http://a/url"
        assert computed(node) - begun < 5 * PATIENCE


@talk("RFC 9112 7.1.2: trailers are bounded, and reach nobody")
def trailers(node):
    head = POST % b"/" + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    refused(node, head + b"X: " + b"y" * 9000 + b"\r\n\r\n" + NEVER, 431)
    refused(node, head + b"X: y\r\n" * 3000 + b"\r\n" + NEVER, 431)
    with RawClient(node.port) as client:
        client.send(b"PUT /headers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Late: 1\r\nCF-Connecting-IP: 6.6.6.6\r\n\r\n")
        got = dict(json.loads(client.read().body))
        assert "x-late" not in got and got["cf-connecting-ip"] == "127.0.0.1"


# ---- bombs ----


@talk("RFC 6585 5: 128 header lines; nginx has no such bound, Cloudflare 128 KiB in all")
def header_count(node):
    lines = b"".join(b"X%d: y\r\n" % n for n in range(127))
    assert len(headers_with(node, lines)) >= 127
    refused(node, b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"Y: z\r\n\r\n" + NEVER, 431)


@talk("RFC 6585 5; CVE-2018-12121: one header of 64 KiB, and one of ten megabytes")
def header_length(node):
    assert len(headers_with(node, b"X: " + b"y" * 60_000 + b"\r\n")["x"]) == 60_000
    before = own_kb(node)
    refused(node, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 10_000_000 + b"\r\n\r\n" + NEVER, 431)
    refused(node, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"y" * 70_000 + b": x\r\n\r\n" + NEVER, 431)
    assert own_kb(node) - before < 4000 * PATIENCE


@talk("RFC 9112 3: 16 KiB of request line, 414 beyond; nginx 8 KiB, Cloudflare 16 KiB of URL")
def huge_urls(node):
    with RawClient(node.port) as client:
        client.send(GET % (b"/url?" + b"%41" * 5000))
        assert len(client.read().body) == len("http://a/url?") + 15000
    for length in (16_400, 70_000, 10_000_000):
        refused(node, b"GET /" + b"x" * length + b" HTTP/1.1\r\nHost: a\r\n\r\n" + NEVER, 414)
    refused(node, b"G" * 100_000, 414)


@talk("RFC 9112 2.2: a million empty lines")
def flood_of_blank_lines(node):
    refused(node, b"\r\n" * 1_000_000 + NEVER, 400)


@talk("RFC 6265 5.4: a hundred Cookie headers are one to the worker")
def many_cookies(node):
    assert headers_with(node, b"".join(b"Cookie: c%d=%d\r\n" % (n, n) for n in range(100)))["cookie"].count("=") == 100


# ---- slow ones ----


@talk("RFC 9112 8: a head in single bytes")
def head_byte_by_byte(node):
    with RawClient(node.port) as client:
        for byte in GET % b"/url":
            client.send(bytes([byte]))
        assert client.read().body == b"http://a/url"


@talk("RFC 9112 8: a body in single bytes, by length and by chunks")
def body_byte_by_byte(node):
    with RawClient(node.port) as client:
        for framed in (b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"):
            for byte in POST % b"/" + framed:
                client.send(bytes([byte]))
            assert client.read().body == b"POST\nhello"


@talk("RFC 9112 9.6: who has closed its side is answered")
def half_close(node):
    for data, count in ((GET % b"/url", 1), ((GET % b"/url") * 20, 20), (POST % b"/" + b"Content-Length: 2\r\n\r\nhi", 1)):
        with RawClient(node.port) as client:
            client.send(data)
            client.socket.shutdown(socket.SHUT_WR)
            assert [client.read().status for _ in range(count)] == [200] * count
            assert client.ends()


@talk("RFC 9112 8: a request that is cut is none")
def half_close_in_the_middle(node):
    for data in (b"GET / HT", POST % b"/" + b"Content-Length: 5\r\n\r\nhel", POST % b"/" + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
                 POST % b"/" + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"):
        with RawClient(node.port) as client:
            client.send(data)
            client.socket.shutdown(socket.SHUT_WR)
            assert client.ends(), client.got


def reset(client):
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()


@talk("RFC 9112 9.6: resets everywhere")
def reset_in_the_middle(node):
    for data in (b"", b"GET / HT", GET % b"/wait", GET % b"/large?1000", POST % b"/" + b"Content-Length: 500000\r\n\r\n" + b"x" * 300000,
                 (GET % b"/url") * 500, HANDSHAKE + b"\r\n", b"\x16\x03\x01"):
        for _ in range(5):
            client = RawClient(node.port)
            client.send(data)
            if b"large" in data:
                client.socket.recv(1000)
            reset(client)
    still_serves(node)


@talk("connections that come and go")
def five_hundred_connections(node):
    for _ in range(500):
        RawClient(node.port).socket.close()
    still_serves(node)


@talk("RFC 9112 9.8: an answer ends with its length or its last chunk; a slow reader gets it whole, under credit")
def slow_reader_of_a_large_answer(node):
    before = own_kb(node)
    with RawClient(node.port) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.send(GET % b"/large?160" + GET % b"/url")
        for _ in range(100):
            client.got += client.socket.recv(4096)
        assert own_kb(node) - before < 3000 * PATIENCE    # of ten megabytes
        still_serves(node)
        assert client.read().body == bytes(160 * 65536)
        assert client.read().body == b"http://a/url"


@talk("WHATWG URL: hosts that a URL parser may refuse are an error of that request, not of the node")
def hosts_that_are_no_urls(node):
    for host in (b"xn--a", b"xn--", b"a..b", b"-", b"_", b"a" * 300, b"0.0.0.0", b"xn--zz--a.xn--b"):
        with RawClient(node.port) as client:
            client.send(b"GET /url HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
            assert client.read().status in (200, 400)
    still_serves(node)


@pytest.fixture(scope="module")
def node(shared_corral):
    return shared_corral(SOURCE)


@pytest.mark.parametrize("name, source, run", TALKS, ids=[name for name, _, _ in TALKS])
def test_talk(node, name, source, run):
    assert source
    mark = node.mark()
    run(node)
    assert node.is_running()
    assert not [line for line in node.log_lines()[mark:] if re.search(r'took \["\w+", "http://a/never', line)], "a request that was none"


# ---- deadlines ----


@pytest.fixture(scope="module")
def hasty(shared_corral):
    return shared_corral(SOURCE, env={"CORRAL_TEST_HEAD_MS": "1500", "CORRAL_TEST_BODY_MS": "1500", "CORRAL_TEST_WRITE_MS": "1500",
                                      "CORRAL_TEST_KEEPALIVE_MS": "1500", "CORRAL_TEST_INSTANCES": "1"})


def test_deadlines(hasty):
    """Slowloris (CVE-2007-6750): a head has one deadline however many bytes come; a body that stops has one, too; so
    has who says nothing and who does not read. RFC 9110 15.5.9: 408."""
    hasty.get()
    hasty.process.send_signal(signal.SIGSTOP)       # It finds them with all that they say in time, however slow this is.
    try:
        head, idle, body, kept, reader = (RawClient(hasty.port) for _ in range(5))
        reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.send(GET % b"/large?2000")
        kept.send(GET % b"/url")
        body.send(POST % b"/" + b"Content-Length: 50\r\n\r\nhello")
        head.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
    finally:
        hasty.process.send_signal(signal.SIGCONT)
    with head, idle, body, kept, reader:
        assert kept.read().status == 200
        head.socket.settimeout(0.05)
        begun, seen = time.monotonic(), b""
        while not seen and time.monotonic() - begun < DEADLINE:
            head.send(b"X: y\r\n")      # it always goes on
            try:
                seen = head.socket.recv(65536)
            except (socket.timeout, ConnectionResetError):
                pass
        assert seen.startswith(b"HTTP/1.1 408 "), seen
        reply = body.read()
        assert reply.status == 408 and body.ends()
        assert idle.ends() and kept.ends()

        def is_cut():
            try:
                return reader.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0 or states(hasty, reader) == "gone"
            except OSError:
                return True
        until("who does not read is left", is_cut)
    still_serves(hasty)


def states(node, client):
    """Is the node's end of this connection still there?"""
    local = client.socket.getsockname()[1]
    pattern = "0100007F:%04X 0100007F:%04X 0[14]" % (node.port, local)      # ESTABLISHED, FIN_WAIT1
    return "there" if pattern in open("/proc/net/tcp").read() else "gone"


# ---- slow clients hold nobody up ----


def test_slow_clients_hold_no_instance(shared_corral):
    """One instance; two hundred clients that dribble heads, dribble bodies, read answers slowly or not at all.  A handler that waits
    for a body's bytes, or for credit, is one coroutine that waits: others are served meanwhile as if nobody was there."""
    patient = {"CORRAL_TEST_%s_MS" % what: str(1000 * DEADLINE) for what in ("HEAD", "BODY", "WRITE", "KEEPALIVE")}
    node = shared_corral(SOURCE, env={"CORRAL_TEST_INSTANCES": "1", "CORRAL_TEST_SPARES": "0", **patient})
    node.get()
    instances = [p.pid for p in node.instances()]
    slow = []
    try:
        for n in range(200):
            client = RawClient(node.port)
            slow.append((n % 4, client))
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.send((b"GET /url HTTP/1.1\r\nHos", POST % b"/" + b"Content-Length: 20\r\n\r\n",
                         POST % b"/" + b"Transfer-Encoding: chunked\r\n\r\n14\r\n", GET % b"/large?40")[n % 4])
        with RawClient(node.port) as quick:
            for step in range(20):
                for kind, client in slow[step::20]:
                    client.send((b"", b"x", b"x", b"")[kind])
                quick.send(POST % b"/" + b"Content-Length: 2\r\n\r\nhi")
                assert quick.read().body == b"POST\nhi"            # who was behind them would wait for ever
        for kind, client in slow:
            client.send((b"t: a\r\n\r\n", b"x" * 19, b"x" * 19 + b"\r\n0\r\n\r\n", b"")[kind])
        for kind, client in slow:       # and none of them has lost anything
            want = (b"http://a/url", b"POST\n" + b"x" * 20, b"POST\n" + b"x" * 20, bytes(40 * 65536))[kind]
            assert client.read().body == want
        assert [p.pid for p in node.instances()] == instances
    finally:
        for _, client in slow:
            client.socket.close()


# ---- the same table by other ways ----


def tls_context(folder):
    context = ssl.create_default_context(cafile=str(folder / "main.crt"))
    context.check_hostname = False
    return context


def test_the_table_over_tls_and_against_the_api(tmp_path_factory, shared_serve):
    """All that is refused is refused there in the same way.  What is wrong in its body may have been answered before that was
    read, as nobody is there who wants it: then nothing follows, and the connection ends all the same."""
    from test_tls import make_certificate
    folder = tmp_path_factory.mktemp("cert")
    make_certificate(folder, "main", ["localhost"])
    node = shared_serve("--tls-cert", str(folder / "main.crt"), "--tls-key", str(folder / "main.key"), listen="https://127.0.0.1:0")
    refusals = [message for message in MESSAGES if message.is_refused]
    assert len(refusals) >= 350
    assert run_table(node.api_port, [m for m in refusals if m.outcome != ["413"]], whole, early=(401, 404, 405)) == {}
    context = tls_context(folder)
    # A handshake costs more than a row: every third, and all that are about the end of the connection.
    chosen = [m for n, m in enumerate(refusals) if n % 3 == 0 or m.name.startswith("nothing_after")]
    assert run_table(node.port, chosen, whole, context, early=(404,)) == {}
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context.minimum_version = context.maximum_version = version
        refused(node, b"GET / HTTP/1.1\r\n\r\n" + NEVER * 100, 400, context)
    with RawClient(node.port) as client:    # HTTP where TLS is spoken
        client.send(GET % b"/")
        assert client.read().status == 400 and client.ends()


SPOOFS = (b"CF-Connecting-IP", b"cf_connecting_ip", b"X-Forwarded-For", b"X_Forwarded_For", b"x-forwarded_FOR", b"X_Real_IP", b"True_Client_IP",
          b"CF-Visitor", b"CF_Ray", b"X_Forwarded_Proto")


def test_nobody_says_who_he_is(serve):
    """RFC 7239 8.1: what stands in these names at an edge is the edge's own; with '_' for '-' they are the same name to CGI and WSGI."""
    node = serve()
    node.deploy("who", SOURCE, {"compatibility_date": "2024-03-29"})
    with RawClient(node.port) as client:
        client.send(b"GET /headers HTTP/1.1\r\nHost: %s\r\nConnection: CF-Connecting-IP, X-Forwarded-For\r\nX-Forwarded-Host: evil\r\n" %
                    node.host_of("who").encode() + b"".join(name + b": 6.6.6.6\r\n" for name in SPOOFS) + b"\r\n")
        got = json.loads(client.read().body)
    assert "6.6.6.6" not in json.dumps(got)
    assert ["cf-connecting-ip", "127.0.0.1"] in got and ["x-forwarded-for", "127.0.0.1"] in got
