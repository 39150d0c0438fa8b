"""Servers on loopback for workers to fetch from: an honest one, one over TLS, hostile ones."""
import ctypes
import ctypes.util
import gzip
import http.server
import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
from urllib.parse import parse_qs, urlsplit

PIECE = b"0123456789abcdef" * 4096


def brotli(data):
    """What no package of Debian's python3 does."""
    lib = ctypes.CDLL(ctypes.util.find_library("brotlienc") or "libbrotlienc.so.1")
    size = ctypes.c_size_t(len(data) + 1024)
    room = ctypes.create_string_buffer(size.value)
    assert lib.BrotliEncoderCompress(5, 22, 0, ctypes.c_size_t(len(data)), data, ctypes.byref(size), room)
    return room.raw[:size.value]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        with self.server.lock:
            self.server.connections += 1
            self.number = self.server.connections

    def log_message(self, *_):
        pass

    def pieces(self):
        """The request's body, as it comes."""
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while True:
                n = int(self.rfile.readline().split(b";")[0], 16)
                left = n
                while left:
                    piece = self.rfile.read(min(left, 65536))
                    if not piece:
                        return
                    left -= len(piece)
                    yield piece
                self.rfile.readline()
                if n == 0:
                    return
        left = int(self.headers.get("content-length") or 0)
        while left:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                return
            left -= len(piece)
            yield piece

    def answer(self, status=200, body=b"", headers=(), length=True):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if length and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def handle_any(self):
        where = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(where.query).items()}
        if where.path not in ("/sink", "/early"):
            self.body = b"".join(self.pieces())
        with self.server.lock:
            self.server.seen.append((self.command, self.path, dict(self.headers.items())))
        name = where.path.strip("/").split("/")[0] or "echo"
        getattr(self, "on_" + name, self.on_echo)(query)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_PROPFIND = handle_any

    def on_echo(self, query):
        said = {"method": self.command, "path": self.path, "headers": [[k.lower(), v] for k, v in self.headers.items()],
                "body": self.body.decode("latin-1"), "connection": self.number}
        self.answer(body=json.dumps(said).encode(), headers=[("Content-Type", "application/json"), ("X-Odd", "\xe9\xe8")])

    def on_cookies(self, query):
        self.answer(body=b"x", headers=[("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2"), ("X-Two", "1"), ("X-Two", "2")])

    def on_status(self, query):
        self.answer(int(query["code"]), b"some text")

    def on_redirect(self, query):
        self.answer(int(query["code"]), b"moved", [("Location", query["to"])] if "to" in query else [])

    def on_loop(self, query):
        self.answer(302, b"", [("Location", "/loop?n=%d" % (int(query.get("n", 0)) + 1))])

    def on_packed(self, query):
        text = b"packed " * 1000
        body = {"gzip": gzip.compress, "br": brotli, "bad": lambda b: b"no gzip"}[query["how"]](text)
        self.answer(body=body, headers=[("Content-Encoding", "br" if query["how"] == "br" else "gzip"), ("Content-Type", "text/plain")])

    def on_big(self, query):
        left = int(query["n"])
        self.send_response(200)
        self.send_header("Content-Length", str(left))
        self.end_headers()
        try:
            while left:
                piece = PIECE[:min(left, len(PIECE))]
                self.wfile.write(piece)
                left -= len(piece)
        except OSError:
            with self.server.lock:
                self.server.cut += 1
            self.close_connection = True

    def on_sink(self, query):
        count = sum(len(piece) for piece in self.pieces())
        self.answer(body=b"%d %s" % (count, self.headers.get("transfer-encoding", "length").encode()))

    def on_early(self, query):
        """Says no at once, and hangs up as servers do that want to be heard: what still comes is read, lest the kernel drop the answer."""
        self.close_connection = True
        self.answer(413, b"too much", [("Connection", "close")])
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        try:
            while self.connection.recv(1 << 16):
                pass
        except OSError:
            pass

    def on_wait(self, query):
        """Answers when the test says so, or when it is over."""
        if query.get("after") == "head":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"begun")
        self.server.waiting.release()
        gone = threading.Event()

        def watch(connection=self.connection):
            try:
                connection.recv(1, socket.MSG_PEEK)
            except OSError:
                pass  # answered and closed before this thread ran
            gone.set()

        threading.Thread(target=watch, daemon=True).start()
        while not self.server.go.wait(0.02) and not gone.is_set():
            pass
        with self.server.lock:
            self.server.cut += gone.is_set()
        self.close_connection = True
        if not gone.is_set() and query.get("after") != "head":
            self.answer(body=b"waited")

    def on_arrived(self, query):
        """Answers once a /wait has arrived that nobody has asked for yet."""
        self.answer(200 if self.server.waiting.acquire(timeout=60) else 504)


class Origin(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    scheme = "http"

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.connections = self.cut = 0
        self.seen = []
        self.waiting, self.go = threading.Semaphore(0), threading.Event()
        self.context = context
        if context:
            self.scheme = "https"
        self.url = "%s://127.0.0.1:%d" % (self.scheme, self.server_port)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def finish_request(self, request, address):
        if self.context:
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, address)

    def handle_error(self, request, address):
        """Clients that leave are expected; whatever else ends a connection is for the report."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError, TimeoutError)):
            super().handle_error(request, address)

    def close(self):
        self.go.set()
        self.shutdown()
        self.server_close()


def stop_listening(listener, thread):
    """End `thread`, which accepts, before the number of the descriptor can be another's: it would accept what comes for that."""
    listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    listener.close()


class Raw:
    """Answers each connection with what the request's path says, and hangs up or stays."""

    def __init__(self, answers):
        self.answers, self.closing = answers, False
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.closing:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        with connection:
            head = b""
            try:
                while b"\r\n\r\n" not in head:
                    piece = connection.recv(4096)
                    if not piece:
                        return
                    head += piece
                answer = self.answers[head.split(b" ")[1].decode().strip("/")]
                stays = answer.endswith(b"<stay>")
                connection.sendall(answer[:-6] if stays else answer)
                if stays:
                    connection.recv(1)
                else:
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
            except OSError:
                pass

    def close(self):
        self.closing = True
        stop_listening(self.socket, self.thread)


class Dying:
    """Answers a connection's first request with the length of its body, and lets the kept connection die:
    "close", "reset", "half-close" at once, "close-later", "reset-later" at the first byte of the next request, "silent" behind all of it."""

    def __init__(self, how):
        self.how, self.connections = how, 0
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        try:
            with connection, connection.makefile("rb") as said:
                head, body = self.hear(said)
                answer = b"" if head.startswith(b"HEAD") else b"%d" % len(body)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
                if self.how == "half-close":
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1)
                elif self.how.endswith("-later"):
                    connection.recv(1, socket.MSG_PEEK)
                elif self.how == "silent":
                    self.hear(said)
                if self.how.startswith("reset"):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except (OSError, ValueError):
            pass

    @staticmethod
    def hear(said):
        """A request's first line and its body, by Content-Length."""
        lines = [said.readline()]
        while lines[-1] not in (b"\r\n", b""):
            lines.append(said.readline())
        length = [line.split(b":")[1] for line in lines if line.lower().startswith(b"content-length:")]
        return lines[0], said.read(int(length[0]) if length else 0)

    def close(self):
        stop_listening(self.socket, self.thread)


def make_certificate(folder, name, subject, alternative):
    """A self-signed one; its files."""
    key, certificate = folder / (name + ".key"), folder / (name + ".pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=" + subject, "-addext", "subjectAltName=" + alternative, "-keyout", str(key), "-out", str(certificate)],
                   check=True, capture_output=True)
    return key, certificate


def tls_context(key, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
