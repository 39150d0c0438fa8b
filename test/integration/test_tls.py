"""TLS, the access log and what workers hear of their clients, on a real `corral serve` with real clients: curl, Python's ssl."""
import base64
import http.client
import json
import os
import re
import shutil
import signal
import socket
import select
import ssl
import struct
import subprocess
import threading

import pytest

from harness import DEADLINE, until
from serve import accounts_of, make_token

pytestmark = pytest.mark.asan

SOURCE = """\
from js import Response, WebSocketPair
from pyodide.ffi import create_proxy
import json

async def on_fetch(request, env, ctx):
    path = request.url.split("/", 3)[3]
    if path.startswith("headers"):
        return Response.new(json.dumps({"url": request.url, "headers": dict(request.headers)}))
    if path == "echo":
        return Response.new(request.body)
    if path == "slow":
        print("slow begins")
        return Response.new(await request.text())
    if path == "raise":
        raise ValueError("planted-secret")
    if path == "socket":
        client, server = WebSocketPair.new().object_values()
        server.accept()
        server.addEventListener("message", create_proxy(lambda event: server.send("you said " + event.data)))
        return Response.new(None, status=101, webSocket=client)
    return Response.new("hello from " + path)
"""

OLD = {"compatibility_flags": ["python_workers", "disable_python_no_global_handlers"]}


def make_certificate(folder, name, names):
    """NAME.crt and NAME.key, signed by itself."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=" + name, "-addext", "subjectAltName=" + ",".join("DNS:" + n for n in names),
                    "-keyout", str(folder / (name + ".key")), "-out", str(folder / (name + ".crt"))],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def node(tmp_path_factory, shared_serve):
    folder = tmp_path_factory.mktemp("tls")
    make_token(folder / "data")
    subdomain = accounts_of(folder / "data")["main"]["subdomain"]
    make_certificate(folder, "one", ["localhost"])
    make_certificate(folder, "two", ["*.%s.test" % subdomain])
    flags = []
    for name in ("one", "two"):
        flags += ["--tls-cert", str(folder / (name + ".crt")), "--tls-key", str(folder / (name + ".key"))]
    one = shared_serve(*flags, data=folder / "data", listen="https://127.0.0.1:0")
    one.folder = folder
    one.deploy("tls", SOURCE, OLD)
    one.hello = one.host_of("tls")
    yield one
    assert one.is_running(), "the node died during these tests"


def context(node, name="two", **more):
    found = ssl.create_default_context(cafile=str(node.folder / (name + ".crt")))
    for key, value in more.items():
        setattr(found, key, value)
    return found


def connect(node, host=None, trust="two", **more):
    plain = socket.create_connection(("127.0.0.1", node.port), timeout=DEADLINE)
    try:
        return context(node, trust, **more).wrap_socket(plain, server_hostname=host or node.hello)
    except BaseException:
        plain.close()
        raise


def read_answer(sock):
    """Head and body of an answer with Content-Length, or to the end."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = sock.recv(65536)
        assert more, got
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    while (length and len(body) < int(length.group(1))) or not length:
        more = sock.recv(65536)
        if not more:
            break
        body += more
    return head.decode(), body


def get(node, path, extra="", **more):
    with connect(node, **more) as sock:
        sock.sendall(("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n" % (path, node.hello, extra)).encode())
        return read_answer(sock)


def curl(node, *arguments):
    return subprocess.run(["curl", "-sS", "--noproxy", "*", "--cacert", str(node.folder / "two.crt"), "--connect-to",
                           "%s:443:127.0.0.1:%d" % (node.hello, node.port)] + list(arguments),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE)


def test_curl_speaks_to_a_worker(node):
    done = curl(node, "-i", "https://%s/x" % node.hello)
    assert done.returncode == 0 and done.stdout.startswith(b"HTTP/1.1 200"), done
    assert done.stdout.endswith(b"hello from x")
    assert node.url.startswith("https://") and node.api_url.startswith("http://")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda v: v.name)
def test_both_versions(node, version):
    with connect(node, maximum_version=version, minimum_version=version) as sock:
        assert sock.version() == version.name.replace("_", ".")
        for path in ("a", "b"):
            sock.sendall(("GET /%s HTTP/1.1\r\nHost: %s\r\n\r\n" % (path, node.hello)).encode())
            assert read_answer(sock)[1].decode() == "hello from " + path


def test_a_name_has_its_certificate(node):
    with connect(node, "localhost", "one") as sock:
        assert sock.getpeercert()["subjectAltName"] == (("DNS", "localhost"),)
    with connect(node) as sock:
        assert sock.getpeercert()["subject"] == ((("commonName", "two"),),)
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(node, "elsewhere.example", "two")


def test_what_a_worker_hears_of_its_client(node):
    forged = "".join("%s: 6.6.6.6\r\n" % name for name in (
        "CF-Connecting-IP", "x-real-ip", "X-Forwarded-For", "X-Forwarded-Proto", "CF-Ray", "CF-Visitor", "True-Client-IP"))
    head, body = get(node, "/headers?q=1", forged)
    said = json.loads(body)
    assert said["url"] == "https://%s/headers?q=1" % node.hello
    headers = said["headers"]
    assert "6.6.6.6" not in json.dumps(headers)
    assert headers["cf-connecting-ip"] == headers["x-real-ip"] == headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "https" and json.loads(headers["cf-visitor"]) == {"scheme": "https"}
    assert re.fullmatch("[0-9a-f]{16}", headers["cf-ray"])
    assert "CF-Ray: " + headers["cf-ray"] in head


def test_a_stranger_reads_a_code_and_an_id(node):
    head, body = get(node, "/raise")
    ray = re.search("CF-Ray: ([0-9a-f]{16})", head).group(1)
    assert head.startswith("HTTP/1.1 500 ") and body.startswith(b"error code: 1101\n")
    assert ("Ray ID: " + ray).encode() in body and b"planted-secret" not in body and b"Traceback" not in body
    line = until("the request stands in the log", lambda: [x for x in node.access_log() if x.get("ray") == ray])[0]
    assert line["status"] == 500 and line["outcome"] == "exception" and line["worker"] == "tls"
    head, body = get(node, "/raise", "Accept: text/html\r\n")
    assert b"<!doctype html>" in body and b"1101" in body and b"planted-secret" not in body
    said = json.loads(get(node, "/raise", "Accept: application/json\r\n")[1])
    assert said["error_code"] == 1101 and said["status"] == 500 and len(said["ray_id"]) == 16


def test_the_access_log(node):
    head, _ = get(node, "/logged?token=planted-query", "User-Agent: x\r\n")
    ray = re.search("CF-Ray: ([0-9a-f]{16})", head).group(1)
    line = until("the request stands in the log", lambda: [x for x in node.access_log() if x.get("ray") == ray])[0]
    assert line["client"] == "127.0.0.1" and line["method"] == "GET" and line["host"] == node.hello
    assert line["path"] == "/logged" and line["scheme"] == "https" and line["protocol"] == "HTTP/1.1"
    assert line["tls"] == "TLSv1.3" and line["status"] == 200 and line["outcome"] == "ok"
    assert line["bytes_in"] == 0 and line["bytes_out"] == len("hello from logged?token=planted-query")
    assert line["duration_ms"] > 0 and line["worker"] == "tls"
    assert re.fullmatch(r"[0-9a-f-]{36}", line["version"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert not any("planted-query" in text for text in node.log_lines())


def unchunked(body):
    found, at = bytearray(), 0
    while True:
        end = body.index(b"\r\n", at)
        n = int(body[at:end], 16)
        if n == 0:
            return found
        found += body[end + 2:end + 2 + n]
        at = end + 2 + n + 2


class Wire:
    """Both ways at once over one TLS socket, in one thread: OpenSSL's connections are not for two."""

    def __init__(self, sock, rest):
        self.sock, self.rest, self.got = sock, memoryview(rest), bytearray()
        sock.setblocking(False)

    def move(self, reads):
        """Send and take what can be; False when neither was possible."""
        before = len(self.rest), len(self.got)
        try:
            while self.rest:
                self.rest = self.rest[self.sock.send(self.rest[:1 << 16]):]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        try:
            while reads:
                more = self.sock.recv(1 << 18)
                assert more, "the end behind %d bytes, with %d to send" % (len(self.got), len(self.rest))
                self.got += more
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        return before != (len(self.rest), len(self.got))

    def wait(self, seconds):
        return any(select.select([self.sock], [self.sock] if self.rest else [], [], seconds)[:2])


def test_large_bodies_both_ways_and_a_slow_reader(node):
    body = os.urandom(1 << 16) * (24 * 16)
    with connect(node) as sock:
        head = "POST /echo HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (node.hello, len(body))
        wire = Wire(sock, head.encode() + body)
        # Nobody reads at first: what is sent stays in the buffers between, which are bounded.
        while wire.move(reads=False) or select.select([], [sock], [], 0.3)[1]:
            pass
        assert wire.rest, "everything was taken although nothing was read"

        def is_whole():
            head, _, come = bytes(wire.got[:65536]).partition(b"\r\n\r\n")
            if b"chunked" in head.lower():
                return wire.got.endswith(b"\r\n0\r\n\r\n")
            return bool(come) and len(wire.got) >= len(head) + 4 + len(body)

        while not is_whole():
            assert wire.move(reads=True) or wire.wait(DEADLINE), "nothing moves any more"
    head, _, come = bytes(wire.got).partition(b"\r\n\r\n")
    assert (unchunked(come) if b"chunked" in head.lower() else come) == body


def shake_hands(node, sock):
    """Make a WebSocket of it; what came behind the answer's head."""
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(("GET /socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: %s\r\n\r\n" % (node.hello, key)).encode())
    got = b""
    while b"\r\n\r\n" not in got:
        got += sock.recv(4096)
    assert got.startswith(b"HTTP/1.1 101"), got
    return got.partition(b"\r\n\r\n")[2]


def frame_of(kind, payload):
    mask = b"\1\2\3\4"
    return bytes([0x80 | kind, 0x80 | len(payload)]) + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(payload))


def close_frame(code):
    return frame_of(8, struct.pack(">H", code))


def test_a_websocket(node):
    with connect(node) as sock:
        frame = shake_hands(node, sock)
        sock.sendall(frame_of(1, b"hello"))
        while len(frame) < 2 + len("you said hello"):
            frame += sock.recv(4096)
        assert frame[2:] == b"you said hello"
        sock.sendall(close_frame(1000))
        while sock.recv(4096):
            pass


def test_a_plain_request_gets_a_sentence(node):
    answer = node.request("tls", "/")
    assert answer.status == 400 and "https://" in answer.text


def test_certificates_are_read_again(node):
    with connect(node) as old:
        make_certificate(node.folder, "new", ["*.%s.test" % node.account["subdomain"]])
        for ending in ("crt", "key"):
            shutil.copy(node.folder / ("two." + ending), node.folder / ("kept." + ending))
            os.replace(node.folder / ("new." + ending), node.folder / ("two." + ending))
        mark = node.mark()
        node.process.send_signal(signal.SIGHUP)
        node.wait_log("Certificates were read", since=mark)
        with connect(node) as sock:
            assert sock.getpeercert()["subject"] == ((("commonName", "new"),),)
        # A bad one leaves what was there, and says which file it is.
        (node.folder / "two.crt").rename(node.folder / "good.crt")
        (node.folder / "two.crt").write_text("no certificate")
        mark = node.mark()
        node.process.send_signal(signal.SIGHUP)
        node.wait_log("read the certificate '.*two.crt': there is no PEM block", since=mark)
        with connect(node, trust="good") as sock:
            assert sock.getpeercert()["subject"] == ((("commonName", "new"),),)
        # And who was there all the time has noticed nothing.
        old.sendall(("GET /old HTTP/1.1\r\nHost: %s\r\n\r\n" % node.hello).encode())
        assert read_answer(old)[1] == b"hello from old"
    for ending in ("crt", "key"):
        os.replace(node.folder / ("kept." + ending), node.folder / ("two." + ending))
    node.process.send_signal(signal.SIGHUP)
    until("the first certificate is back", lambda: connects(node))


def connects(node):
    try:
        connect(node).close()
        return True
    except ssl.SSLError:
        return False


def test_a_port_leads_to_https_and_a_drain_ends_what_runs(node, serve):
    flags = ["--tls-cert", str(node.folder / "two.crt"), "--tls-key", str(node.folder / "two.key")]
    flags += ["--listen", "redirect://127.0.0.1:0"]
    one = serve(*flags, listen="https://127.0.0.1:0")
    one.deploy("tls", SOURCE, OLD)
    one.folder, one.hello = node.folder, one.host_of("tls")
    other = int(one.wait_log(r"http://127.0.0.1:(\d+) leads to https").group(1))
    plain = http.client.HTTPConnection("127.0.0.1", other, timeout=DEADLINE)
    plain.request("GET", "/a?b", headers={"Host": one.hello + ":80"})
    answer = plain.getresponse()
    assert answer.status == 308 and answer.headers["location"] == "https://%s/a?b" % one.hello
    plain.close()
    with connect(one) as sock, connect(one) as talk:
        shake_hands(one, talk)
        sock.sendall(("POST /slow HTTP/1.1\r\nHost: %s\r\nContent-Length: 4\r\n\r\nslo" % one.hello).encode())
        one.wait_log("slow begins")
        one.process.send_signal(signal.SIGTERM)
        assert talk.recv(100).startswith(bytes([0x88])), "a WebSocket is closed when the node drains"
        talk.sendall(close_frame(1012))
        assert talk.recv(100) == b""
        talk.close()
        sock.sendall(b"w")
        head, body = read_answer(sock)
        assert "Connection: close" in head and body == b"slow"
        assert sock.recv(100) == b""    # with close_notify: Python's ssl raises without
        assert one.wait_exit() == 0
