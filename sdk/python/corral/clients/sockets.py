"""sockets.py - what stands for the socket of a connection of http.client: requests that are written to it leave through the node.

The connection itself is the node's business: here there is none before the first request is whole.  What goes wrong
with it is raised where that is written, so that request() has the errors that connect() had; everything else is
raised where the answer is read.
"""
import errno
import io
import os
import socket
import ssl
from collections import deque

from .. import egress
from ..egress import Failure
from . import http1

_TIMED_OUT = {"connect-timeout", "read-timeout", "write-timeout"}


def default_exception(failure):
    """As sockets and http.client have them."""
    kind, text = failure.kind, str(failure)
    if kind in _TIMED_OUT:
        return TimeoutError("timed out")
    if kind == "resolve":
        return socket.gaierror(socket.EAI_NONAME, text)
    if kind == "certificate":
        return ssl.SSLCertVerificationError(1, text)
    if kind == "tls":
        return ssl.SSLError(1, text)
    if kind == "proxy":
        return OSError(f"Tunnel connection failed: {text}")
    if kind == "invalid":
        return ValueError(text)
    if kind == "protocol":
        import http.client
        return http.client.BadStatusLine(text)
    if failure.errno:
        return OSError(failure.errno, os.strerror(failure.errno))
    return ConnectionResetError(errno.ECONNRESET, text)


def origin(scheme, host, port):
    """scheme://host:port as bytes."""
    host = host.strip("[]")
    host = f"[{host}]" if ":" in host else host if host.isascii() else host.encode("idna").decode()
    return f"{scheme}://{host}:{port}".encode("ascii")


class _Raw(io.RawIOBase):
    """The stream that an answer is read from."""

    def __init__(self, owner):
        self._socket = owner

    def readable(self):
        return True

    def readinto(self, room):
        return self._socket.recv_into(room)

    def fileno(self):
        return self._socket.fileno()

    def close(self):
        if not self.closed:
            super().close()
            self._socket._release()


class Socket:
    """A connection to a server, of which only HTTP/1.1 is understood.  timeout: seconds or None, of connecting as well."""

    family, type, proto = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP

    def __init__(self, scheme, host, port, timeout, exception_for=default_exception, proxy=None, proxy_authorization=b""):
        self._origin, self._proxy, self._proxy_authorization = origin(scheme, host, port), proxy, proxy_authorization
        self._peer = (host, port)
        self._timeout = self._connect_timeout = socket.getdefaulttimeout() if timeout is socket._GLOBAL_DEFAULT_TIMEOUT else timeout
        self._exception_for = exception_for
        self._ask, self._head = http1.Ask(), None
        self._exchange = self._reply = None
        self._is_writing = False        # the body is wanted still
        self._out = deque()             # bytes of the answer that nobody has read
        self._at_end = self._is_closed = False
        self._readers = 0

    # ---- requests ----

    def sendall(self, data, flags=0):
        """Bytes of a request."""
        if self._is_closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        try:
            data = bytes(data)
            for part in self._ask.feed(data):
                if isinstance(part, http1.Head):
                    self._begin(part)
                elif part is None:
                    self._finish()
                elif self._is_writing:
                    self._is_writing = self._wait(self._exchange.write, part, self._timeout)
        except http1.Malformed as e:
            raise ValueError(f"{e}: a worker has no sockets, and requests of HTTP/1.1 alone leave it") from None

    def send(self, data, flags=0):
        """The same; how many bytes that were: all."""
        self.sendall(data)
        return len(data)

    def _wait(self, function, *args):
        try:
            return egress.wait(function, *args)
        except Failure as e:
            self._at_end = True
            raise self._exception_for(e) from None

    def _begin(self, head):
        url, proxy = self._origin + head.target, self._proxy
        if head.target.startswith((b"http://", b"https://")):       # to a proxy
            url, proxy = head.target, self._origin
        self._head, self._reply, self._at_end = head, None, False
        self._out.clear()
        if self._exchange is not None:
            egress.on_main(self._exchange.cancel)
        try:
            self._exchange = egress.open_sync(head.method, url, head.headers, head.length, connect=self._connect_timeout, proxy=proxy,
                                              proxy_authorization=self._proxy_authorization)
        except Failure as e:
            self._at_end = True
            raise self._exception_for(e) from None
        self._is_writing = True

    def _finish(self):
        self._is_writing = False
        egress.on_main(self._exchange.finish)
        try:
            egress.wait(self._exchange.connected)
        except Failure as e:
            if e.kind in egress.CONNECTING or e.kind == "invalid":
                self._at_end = True
                raise self._exception_for(e) from None
            # of others the reader hears

    # ---- answers ----

    def _more(self):
        """The next bytes of the answer; b"" at the end of the connection."""
        exchange = self._exchange
        if exchange is None or self._at_end:
            return b""
        try:
            if self._reply is None:
                self._reply = http1.Reply(self._head.method, egress.wait(exchange.head, self._timeout))
                return self._reply.head
            data = exchange.read_now() if egress.is_here() else None
            if data is None:
                data = egress.wait(exchange.read, self._timeout)
        except Failure as e:
            self._at_end = True
            if e.kind in ("disconnected", "partial"):       # as a server that closes the connection
                return b""
            raise self._exception_for(e) from None
        if data:
            return self._reply.piece(data)
        self._exchange, self._at_end = None, self._reply.closes
        return self._reply.end()

    def recv_into(self, room, nbytes=0, flags=0):
        """Bytes of the answer into a buffer; how many."""
        room = memoryview(room).cast("B")
        if nbytes:
            room = room[:nbytes]
        while not self._out:
            data = self._more()
            if not data and (self._at_end or self._exchange is None):
                return 0
            if data:
                self._out.append(memoryview(data))
        piece = self._out[0]
        count = min(len(room), len(piece))
        room[:count] = piece[:count]
        if count == len(piece):
            self._out.popleft()
        else:
            self._out[0] = piece[count:]
        return count

    def recv(self, bufsize, flags=0):
        """Bytes of the answer, at most so many."""
        room = bytearray(bufsize)
        return bytes(room[:self.recv_into(room)])

    def makefile(self, mode="r", buffering=None, **kwargs):
        """A stream of the answers; it holds the connection open."""
        if mode != "rb":
            raise ValueError(f"the stream of answers is read, and of bytes: mode {mode!r}")
        self._readers += 1
        raw = _Raw(self)
        return raw if buffering == 0 else io.BufferedReader(raw, buffering if buffering and buffering > 0 else io.DEFAULT_BUFFER_SIZE)

    def is_readable(self):
        """Whether reading would not wait: as urllib3 asks, of connections that nobody uses whether they are closed."""
        if self._is_closed or self._out:
            return True
        if self._exchange is None or self._reply is not None:
            return self._at_end
        return self._exchange.has_head()

    # ---- life ----

    def _release(self):
        self._readers -= 1
        self._let_go()

    def close(self):
        """No more requests; what reads an answer goes on."""
        self._is_closed = True
        self._let_go()

    def _let_go(self):
        if self._is_closed and self._readers <= 0 and self._exchange is not None:
            egress.on_main(self._exchange.cancel)
            self._exchange, self._at_end = None, True

    def shutdown(self, how):
        """No more comes of it."""
        self._at_end = True

    def detach(self):
        """There is no descriptor."""
        self.close()
        return -1

    def fileno(self):
        """There is none."""
        return -1

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    # ---- what else is asked of sockets ----

    def settimeout(self, timeout):
        """Seconds, or None, until what is waited for must come."""
        self._timeout = timeout

    def gettimeout(self):
        """Seconds or None."""
        return self._timeout

    def setblocking(self, flag):
        """It always blocks."""
        if not flag:
            raise OSError(errno.EINVAL, "what stands for a socket here blocks whoever reads it")
        self._timeout = None

    def setsockopt(self, *unused):
        """Of the node's sockets the node decides."""

    def getsockopt(self, *unused):
        """As of setsockopt(): nothing is set."""
        return 0

    def getpeername(self):
        """(host, port) as they were asked for."""
        return self._peer

    def getsockname(self):
        """Not known here."""
        return "0.0.0.0", 0

    def getpeercert(self, binary_form=False):
        """Of TLS only the node knows."""
        return b"" if binary_form else {}

    def version(self):
        """As of getpeercert()."""
        return None

    cipher = selected_alpn_protocol = version

