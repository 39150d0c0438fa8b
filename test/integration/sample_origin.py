"""What both folders of samples need: the origin behind them, their environment, a project of a folder."""
import http.server
import json
import threading
from pathlib import Path

import pytest

from conftest import finish, start
from harness import WRANGLER

HERE = Path(__file__).parent
VARS = """
[vars]
GREETING = "hi"
NUMBER = 41
FLAG = true
LIST = [1, "two"]
PASSWORD = "demo-password"
[vars.CONFIG.deep]
name = "inner"
"""
SECRET = "secret-of-the-tests"


class Handler(http.server.BaseHTTPRequestHandler):
    """The origin behind the samples: what it answers is in the path."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_):
        pass

    def body(self):
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        pieces = []
        while True:
            size = int(self.rfile.readline(), 16)
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
            if not size:
                return b"".join(pieces)

    def answer(self):
        body, path = self.body(), self.path.partition("?")[0]
        self.server.seen.append((self.command, self.path, body))
        status, kind, text = 200, "text/html; charset=utf-8", "<p>%s %s</p>" % (self.command, path)
        if path.startswith("/todos/"):
            kind, text = "application/json; charset=utf-8", json.dumps({"userId": 1, "id": int(path[7:]), "title": "t"})
        elif path.startswith("/echo"):
            kind, text = "application/json", json.dumps({
                "method": self.command, "path": self.path, "body": body.decode(),
                "headers": {name.lower(): value for name, value in self.headers.items()}})
        elif path == "/image":
            kind, text = "image/png", "an image"
        elif path == "/sensitive":
            kind, text = "text/plain", "mail a@b.example card 4111 1111 1111 1111"
        elif path == "/bad":
            status, text = 503, "   out of order today"
        elif path == "/slow":
            self.server.ended.wait()
        self.send_response(status)
        for name, value in (("content-type", kind), ("content-length", str(len(text))), ("x-powered-by", "php"), ("foo", "orig")):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = do_HEAD = do_OPTIONS = answer


class Origin(http.server.ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 512

    def handle_error(self, *_):
        pass  # a client that left


@pytest.fixture(scope="module")
def origin():
    one = Origin(("127.0.0.1", 0), Handler)
    one.seen, one.ended = [], threading.Event()
    one.host = "127.0.0.1:%d" % one.server_port
    thread = threading.Thread(target=one.serve_forever, daemon=True)
    thread.start()
    yield one
    one.ended.set()
    one.shutdown()
    one.server_close()


def serve(folder, path, origin, wrangler=WRANGLER):
    """A running project of all that is in the folder; yields it, as a fixture does."""
    files = {"src/%s" % file.relative_to(HERE / folder): file.read_text().replace("https://example.com", "http://" + origin.host)
             for file in (HERE / folder).rglob("*") if file.is_file() and file.suffix != ".pyc"}
    files["wrangler.toml"] = wrangler.format(name="samples") + VARS
    files["requirements.txt"] = files.pop("src/requirements.txt", "")
    files[".dev.vars"] = "MY_SECRET_VALUE=%s\n" % SECRET
    one = start(path, files, env={"CORRAL_TEST_INSTANCES": "1"})    # what a sample keeps between two requests is one instance's
    yield one
    survived = one.is_running()
    finish(one)
    assert survived


@pytest.fixture
def ask(node, origin):
    """ask(sample, path, method, body, **headers); to="origin": with the origin's name in Host, so that fetch(request) goes there."""
    def ask(sample, path="/", method="GET", body=None, to=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["x-sample"] = sample
        if to:
            headers["Host"] = origin.host if to == "origin" else to
        return node.request(method, path, body, headers)
    return ask


def good(answer):
    assert answer.status == 200, (answer.status, answer.text)
    return answer


def good(answer):
    assert answer.status == 200, (answer.status, answer.text)
    return answer
