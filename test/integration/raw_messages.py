"""The table of raw requests of test/unit/http_messages.h, and a client that sends bytes as they are.

The C string literals of the table mean the same in Python, so they are read as Python's.
"""
import ast
import re
import socket

from harness import DEADLINE, ROOT

TABLE = ROOT / "test" / "unit" / "http_messages.h"
LITERAL = r'"(?:[^"\\]|\\.)*"'
ENTRY = re.compile(r"^MESSAGE\((\w+),\s*(%s),\s*((?:%s\s*)+)\)" % (LITERAL, LITERAL), re.MULTILINE)


class Message:
    def __init__(self, name, outcome, data):
        self.name, self.data = name, data
        # What is expected, in order: (method, body) for a request, else "400", "more" or "close".
        self.outcome = [item if " " not in item else self._request(item) for item in outcome.split("; ")]

    @staticmethod
    def _request(item):
        head, _, body = item.partition(" =")
        return head.split(" ")[0], body


def _bytes(literals):
    return b"".join(ast.literal_eval("b" + literal) for literal in re.findall(LITERAL, literals))


def load():
    text = TABLE.read_text()
    found = [Message(m.group(1), _bytes(m.group(2)).decode(), _bytes(m.group(3))) for m in ENTRY.finditer(text)]
    assert len(found) == len(re.findall(r"^MESSAGE\(", text, re.MULTILINE)), "an entry was not understood"
    return found


MESSAGES = load()

# A worker that says what it got: the method, then the body.
SOURCE = """
from js import Response

async def on_fetch(request, env):
    if "/raise" in request.url:
        raise ValueError("<raised>")
    if "/unread" in request.url:
        return Response.new("unread")
    if "/url" in request.url:
        return Response.new(request.url)
    body = ""
    if request.method in ("POST", "PUT", "DELETE"):
        body = await request.text()
    return Response.new(request.method + "\\n" + body)
"""


class Reply:
    def __init__(self, status, reason, headers, body):
        self.status, self.reason, self.headers, self.body = status, reason, headers, body


class RawClient:
    """One connection.  Reads answers strictly: what it does not understand is an assertion."""

    def __init__(self, port, timeout=DEADLINE):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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


def check(port, message, pieces):
    """Send the message in these pieces; everything that the table says comes back, nothing else."""
    with RawClient(port) as client:
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
                assert reply.status == int(item), (item, reply.status, reply.body)
                assert reply.headers["connection"] == "close"
                assert reply.headers["content-type"].startswith("text/plain")
                break
            if item[1] and "more" in message.outcome:
                return  # a cut body: no answer yet
            method, body = item
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
