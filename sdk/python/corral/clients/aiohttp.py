"""aiohttp's client: the connections of its TCPConnector are Transports, which send through the node.

3.8 to 3.12: what is used is the connector's `_create_connection`, which makes one connection for its pool.  There is
none yet when it is made, so what goes wrong with it comes where the answer is waited for, as the same exceptions.
"""
import asyncio
import functools
import os
import socket
import ssl
from collections import deque

from .. import egress
from ..egress import Exchange, Failure
from . import http1
from .sockets import origin

HIGH, LOW = 256 * 1024, 64 * 1024       # bytes of a body that wait, until the library is asked to pause, and to go on
_aiohttp = None


def _exception(failure, req):
    kind, text, errors = failure.kind, str(failure), _aiohttp.client_exceptions
    key = req.connection_key
    if kind == "connect-timeout":
        timeout = getattr(errors, "ConnectionTimeoutError", errors.ServerTimeoutError)
        return timeout(f"Connection timeout to host {req.url}")
    if kind == "read-timeout":
        return getattr(errors, "SocketTimeoutError", errors.ServerTimeoutError)("Timeout on reading data from socket")
    if kind == "proxy":
        return errors.ClientProxyConnectionError(key, OSError(None, text))
    if kind == "resolve":
        cls = getattr(errors, "ClientConnectorDNSError", errors.ClientConnectorError)
        return cls(key, socket.gaierror(socket.EAI_NONAME, text))
    if kind == "connect":
        return errors.ClientConnectorError(key, OSError(failure.errno, os.strerror(failure.errno)))
    if kind == "certificate":
        return errors.ClientConnectorCertificateError(key, ssl.SSLCertVerificationError(1, text))
    if kind == "tls":
        return errors.ClientConnectorSSLError(key, OSError(1, text))
    if kind == "invalid":
        return errors.ClientConnectionError(text)
    if kind == "disconnected":
        return errors.ServerDisconnectedError()
    if kind == "protocol":
        return errors.ClientResponseError(req.request_info, (), status=400, message=text)
    return errors.ClientOSError(failure.errno, text)


def _proxy_of(req):
    """How Exchange.open() is told of it."""
    if req.proxy is None:
        return {}
    headers = {name.lower(): value for name, value in (req.proxy_headers or {}).items()}
    auth = req.proxy_auth or (req.proxy.user and _aiohttp.BasicAuth(req.proxy.user, req.proxy.password or ""))
    told = auth.encode() if auth else headers.get("proxy-authorization", "")
    return {"proxy": origin(req.proxy.scheme, req.proxy.host, req.proxy.port), "proxy_authorization": told.encode("latin-1")}


class Transport(asyncio.Transport):
    """One connection, of which only HTTP/1.1 is understood; for a protocol of any loop."""

    def __init__(self, protocol, loop, req, connect):
        super().__init__({"peername": (req.host, req.port)})
        self._origin, self._proxy = origin("https" if req.is_ssl() else "http", req.host, req.port), _proxy_of(req)
        self._protocol, self._loop, self._req, self._connect = protocol, loop, req, connect
        self._ask = http1.Ask()
        self._tasks = set()
        self._exchange = None
        self._pieces, self._waiting, self._is_paused = deque(), 0, False    # of the request's body
        self._more = self._resumed = None           # futures
        self._is_closing = self._is_reading_paused = False
        protocol.connection_made(self)

    # ---- from the library ----

    def write(self, data):
        if self._is_closing:
            return
        for part in self._parts(bytes(data)):
            if isinstance(part, http1.Head):
                self._begin(part)
                continue
            self._pieces.append(part)
            self._waiting += len(part or b"")
            _settle(self._more)
        if self._waiting > HIGH and not self._is_paused:
            self._is_paused = True
            self._protocol.pause_writing()

    def _parts(self, data):
        try:
            yield from self._ask.feed(data)
        except http1.Malformed as e:
            self._fail(Failure("invalid", f"{e}: a worker has no sockets, and requests of HTTP/1.1 alone leave it"))

    def get_write_buffer_size(self):
        return self._waiting

    def pause_reading(self):
        self._is_reading_paused = True

    def resume_reading(self):
        self._is_reading_paused = False
        _settle(self._resumed)

    def is_reading(self):
        return not self._is_reading_paused

    def can_write_eof(self):
        return False

    def is_closing(self):
        return self._is_closing

    def close(self):
        self._lose(None)

    abort = close

    def get_protocol(self):
        return self._protocol

    def set_protocol(self, protocol):
        self._protocol = protocol

    # ---- its work ----

    def _begin(self, head):
        self._stop()
        task = self._loop.create_task(self._run(head))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, head):
        try:
            url = head.target if head.target.startswith((b"http://", b"https://")) else self._origin + head.target
            self._exchange = exchange = await egress.on_loop(Exchange.open, head.method, url, head.headers, head.length,
                                                             connect=self._connect, **self._proxy)
            if head.length:
                task = self._loop.create_task(self._upload(exchange))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                self._pieces.clear()
            if await self._download(head.method, exchange):
                self._lose(None)
        except Failure as e:
            self._fail(e)

    async def _upload(self, exchange):
        try:
            while True:
                while not self._pieces:
                    self._more = self._loop.create_future()
                    await self._more
                piece = self._pieces.popleft()
                if piece is None:
                    egress.on_main(exchange.finish)
                    return
                await egress.on_loop(exchange.write, piece)
                self._waiting -= len(piece)
                if self._is_paused and self._waiting <= LOW:
                    self._is_paused = False
                    self._protocol.resume_writing()
        except Failure:     # the download hears of it, too
            pass

    async def _download(self, method, exchange):
        """Whether the connection ends with it."""
        reply = http1.Reply(method, await egress.on_loop(exchange.head))
        self._protocol.data_received(reply.head)
        while data := await egress.on_loop(exchange.read):
            self._protocol.data_received(reply.piece(data))
            while self._is_reading_paused and not self._is_closing:
                self._resumed = self._loop.create_future()
                await self._resumed
        if end := reply.end():
            self._protocol.data_received(end)
        return reply.closes

    # ---- its end ----

    def _fail(self, failure):
        if self._is_closing:
            return
        exception = _exception(failure, self._req)
        if failure.kind != "partial":
            self._protocol.set_exception(exception)
        self._lose(exception)

    def _stop(self):
        for task in list(self._tasks):
            if task is not asyncio.current_task(self._loop):
                task.cancel()
        if self._exchange is not None:
            egress.on_main(self._exchange.cancel)
        self._exchange = None
        self._pieces.clear()
        self._waiting = 0

    def _lose(self, exception):
        if self._is_closing:
            return
        self._is_closing = True
        self._stop()
        self._loop.call_soon(self._protocol.connection_lost, exception)


def _settle(future):
    if future is not None and not future.done():
        future.set_result(None)


def tell(module):
    """Of `aiohttp.connector`."""
    global _aiohttp
    import aiohttp.client_exceptions
    _aiohttp = aiohttp
    plain = module.TCPConnector._create_connection

    @functools.wraps(plain)
    async def _create_connection(self, req, traces, timeout):
        if type(req.ssl).__name__ == "Fingerprint":
            raise aiohttp.client_exceptions.ClientConnectorSSLError(
                req.connection_key, OSError(None, "fingerprints of certificates cannot be checked in a worker: the node does TLS"))
        limits = [each for each in (getattr(timeout, "sock_connect", None), getattr(timeout, "connect", None)) if each]
        protocol = self._factory()
        Transport(protocol, self._loop, req, min(limits, default=None))
        return protocol

    module.TCPConnector._create_connection = _create_connection
