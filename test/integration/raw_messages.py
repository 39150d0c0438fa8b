"""The table of raw requests of test/unit/http_messages.h, and a client that sends bytes as they are.

The C string literals of the table mean the same in Python, so they are read as Python's.  raw_talks.py has what
takes more than one message.
"""
import ast
import collections
import re
import socket

from harness import DEADLINE, ROOT

TABLE = ROOT / "test" / "unit" / "http_messages.h"
LITERAL = r'"(?:[^"\\]|\\.)*"'
ENTRY = re.compile(r"^(?:SOURCE\((%s)\)|MESSAGE\((\w+),\s*(%s),\s*((?:%s\s*)+)\))" % (LITERAL, LITERAL, LITERAL), re.MULTILINE)


class Message:
    def __init__(self, name, source, outcome, data):
        self.name, self.source, self.data = name, source, data
        # What is expected, in order: (method, body) for a request, else "400", "more" or "close".
        self.outcome = [item if not item.startswith(METHODS) else self._request(item) for item in outcome.split("; ")]

    @staticmethod
    def _request(item):
        head, _, body = item.partition(" =")
        method, path, host = head.split(" ")
        return method, body, path, host[1:]

    @property
    def is_refused(self):
        """No request in it is whole and right."""
        return isinstance(self.outcome[0], str) and self.outcome[0].isdigit()

    def calls(self):
        """[(method, url, body)] that reach the worker whole."""
        said = [item for i, item in enumerate(self.outcome) if not isinstance(item, str) and self.outcome[i + 1:i + 2] != ["more"]]
        return [(method, url_of(path, host), body if method in WITH_BODY else "") for method, body, path, host in said]


METHODS = tuple(method + " " for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "REPORT"))
WITH_BODY = ("POST", "PUT", "DELETE")

# What a URL parser makes of a path.
PARSED = {"//x/../y;p=1?q=[]|\\^{}\"<>`": "//y;p=1?q=[]|\\^{}%22%3C%3E`", "/\\..\\x": "/x", "/../../etc/passwd": "/etc/passwd"}


def url_of(path, host):
    host = host.lower()
    name, _, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    host = name if port and int(port) == 80 else host
    return "http://" + (host or "localhost").replace("[::ffff:1.2.3.4]", "[::ffff:102:304]") + PARSED.get(path, path)


def _bytes(literals):
    return b"".join(ast.literal_eval("b" + literal) for literal in re.findall(LITERAL, literals))


def load():
    text, found, source = TABLE.read_text(), [], None
    for m in ENTRY.finditer(text):
        if m.group(1):
            source = _bytes(m.group(1)).decode()
        else:
            found.append(Message(m.group(2), source, _bytes(m.group(3)).decode(), _bytes(m.group(4))))
    assert len(found) == len(re.findall(r"^MESSAGE\(", text, re.MULTILINE)), "an entry was not understood"
    assert all(message.source for message in found), "a row without its source"
    return found


MESSAGES = load()

# A worker that says what it got: the method, then the body.  It tells the log what it was called with.
SOURCE = """
import asyncio, json
from js import Response, WebSocketPair, ReadableStream
from pyodide.ffi import create_proxy

def tell(request, body):
    print("took " + json.dumps([request.method, request.url, body]))

def pieces(count, size):
    left = [count]
    def pull(controller):
        from js import Uint8Array
        if left[0] == 0:
            controller.close()
            return
        left[0] -= 1
        controller.enqueue(Uint8Array.new(size))
    return ReadableStream.new(pull=create_proxy(pull))

async def on_fetch(request, env):
    if "/raise" in request.url:
        raise ValueError("<raised>")
    if "/unread" in request.url:
        return Response.new("unread")
    if "/url" in request.url:
        return Response.new(request.url)
    if "/headers" in request.url:
        return Response.new(json.dumps([list(pair) for pair in request.headers]))
    if "/wait" in request.url:
        print("waits")
        await asyncio.sleep(60)
    if "/large" in request.url:
        return Response.new(pieces(int(request.url.split("?")[1]), 65536))
    if "/socket" in request.url and request.headers.get("upgrade"):
        client, server = WebSocketPair.new().object_values()
        server.accept()
        server.addEventListener("message", create_proxy(lambda event: server.send(event.data)))
        return Response.new(None, status=101, webSocket=client)
    body = ""
    if request.method in ("POST", "PUT", "DELETE"):
        body = await request.text()
    tell(request, body if len(body) < 1000 else str(len(body)))
    return Response.new(request.method + "\\n" + body)
"""


def calls_in(lines):
    """What SOURCE's worker said that it took, counted."""
    import json
    found = (re.search(r"took (\[.*\])", line) for line in lines)
    return collections.Counter(tuple(json.loads(m.group(1))) for m in found if m)


class Reply:
    def __init__(self, status, reason, headers, body):
        self.status, self.reason, self.headers, self.body = status, reason, headers, body


class RawClient:
    """One connection.  Reads answers strictly: what it does not understand is an assertion."""

    def __init__(self, port, timeout=DEADLINE, tls=None):
        """tls: an SSLContext."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket)
        self.got = b""
        self.is_closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """All of it, unless the other side has had enough."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _more(self):
        if self.is_closed:
            return False
        data = self.socket.recv(65536)  # a reset is an error: an answer could have been lost
        self.got += data
        self.is_closed = not data
        return bool(data)

    def _until(self, mark):
        while mark not in self.got:
            assert self._more(), "closed inside an answer: %r" % self.got
        head, self.got = self.got.split(mark, 1)
        return head

    def _exactly(self, n):
        while len(self.got) < n:
            assert self._more(), "closed inside a body: %r" % self.got
        data, self.got = self.got[:n], self.got[n:]
        return data

    def read(self, method="GET"):
        """The next answer; 100 Continue counts as one."""
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, reason = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        status = int(status)
        body = b""
        if method == "HEAD" or status in (100, 204, 304):
            pass
        elif "chunked" in headers.get("transfer-encoding", ""):
            assert "content-length" not in headers
            while True:
                size = int(self._until(b"\r\n"), 16)
                body += self._exactly(size)
                assert self._exactly(2) == b"\r\n"
                if size == 0:
                    break
        elif "content-length" in headers:
            body = self._exactly(int(headers["content-length"]))
        else:
            while self._more():
                pass
            body, self.got = self.got, b""
        return Reply(status, reason, headers, body)

    def ends(self):
        """Nothing follows but the end."""
        while self._more():
            pass
        return self.got == b""


def check(port, message, pieces, tls=None, early=()):
    """Send the message in these pieces; everything that the table says comes back, nothing else.

    early: statuses of an answer that needs no body, and may come before one is refused."""
    with RawClient(port, tls=tls) as client:
        for piece in pieces:
            client.send(piece)
        # "A request that is refused in its body never was": it is not in the outcome either.
        for item in message.outcome:
            if item == "more":
                return
            if item == "close":
                break
            if isinstance(item, str):
                reply = client.read()
                if reply.status in early and b"\r\n\r\n" in message.data[:-4]:
                    break
                assert reply.status == int(item), (item, reply.status, reply.body)
                assert reply.headers["connection"] == "close"
                assert reply.headers["content-type"].startswith("text/plain")
                break
            if item[1] and "more" in message.outcome:
                return  # a cut body: no answer yet
            method, body, path, _ = item
            reply = client.read(method)
            while reply.status == 100:
                reply = client.read(method)
            assert reply.status == 200, (reply.status, reply.body)
            if method in ("POST", "DELETE"):
                assert reply.body.decode() == method + "\n" + body
        else:
            assert not client.got, client.got  # and the connection stays
            client.socket.shutdown(socket.SHUT_WR)
        assert client.ends(), client.got
