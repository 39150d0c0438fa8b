"""httpcore, and so httpx and what is built on it: requests leave at the pool, which has no connections of its own here.

What is used of httpcore is documented, but for the pools' own attributes, which are asked for with getattr: a version
that has others goes without retries, say, not without requests.  A pool with a network backend of its own, as tests
have them, is left as it is.
"""
import asyncio
import functools
import itertools

from .. import egress
from ..egress import Exchange, Failure

_BACKENDS = {"AutoBackend", "SyncBackend", "AnyIOBackend", "AsyncIOBackend", "TrioBackend"}
_EXCEPTIONS = {
    "connect-timeout": "ConnectTimeout", "read-timeout": "ReadTimeout", "write-timeout": "WriteTimeout", "resolve": "ConnectError",
    "connect": "ConnectError", "certificate": "ConnectError", "tls": "ConnectError", "disconnected": "RemoteProtocolError",
    "partial": "RemoteProtocolError", "protocol": "RemoteProtocolError", "invalid": "LocalProtocolError", "proxy": "ProxyError",
}
_WORDS = {"disconnected": "Server disconnected without sending a response.",
          "partial": "peer closed connection without sending complete message body"}
_httpcore = None


def _exception(failure):
    return getattr(_httpcore, _EXCEPTIONS.get(failure.kind, "ReadError"))(_WORDS.get(failure.kind) or str(failure))


def _address(url):
    """scheme://host[:port]"""
    host = bytes(url.host)
    if b":" in host and not host.startswith(b"["):
        host = b"[" + host + b"]"
    return bytes(url.scheme) + b"://" + host + (b"" if url.port is None else b":%d" % url.port)


def _proxy_of(pool):
    """Its address and what it is told of who asks: of a HTTPProxy, or, in newer versions, a pool that was given one."""
    given = getattr(pool, "_proxy", None)
    url, headers = (getattr(pool, "_proxy_url", None), getattr(pool, "_proxy_headers", None)) if given is None else (given.url, given.headers)
    if url is None:
        return None, b""
    if bytes(url.scheme) not in (b"http", b"https"):
        raise _httpcore.ProxyError(egress.NO_SOCKS)
    address = _address(url) if url.port is not None else _address(url) + (b":443" if bytes(url.scheme) == b"https" else b":80")
    return address, next((value for name, value in headers or () if name.lower() == b"proxy-authorization"), b"")


class _Plan:
    """What of a request and its pool matters here."""

    def __init__(self, pool, request):
        url = request.url
        scheme = bytes(url.scheme)
        if scheme not in (b"http", b"https"):
            name = scheme.decode("latin-1")
            raise _httpcore.UnsupportedProtocol(f"Request URL has an unsupported protocol '{name}://'." if name else
                                                "Request URL is missing an 'http://' or 'https://' protocol.")
        self.proxy, self.proxy_authorization = _proxy_of(pool)
        if getattr(pool, "_uds", None) is not None:
            raise _httpcore.ConnectError("a worker has no sockets, of Unix neither: for HTTP it has the node, by http and https")
        self.url = _address(url) + (bytes(url.target) or b"/")
        self.method, self.headers, self.length = bytes(request.method), list(request.headers), 0
        for name, value in self.headers:
            if name.lower() == b"content-length" and value.isdigit():
                self.length = int(value)
            elif name.lower() == b"transfer-encoding":
                self.length = -1
                break
        timeout = request.extensions.get("timeout") or {}
        self.connect, self.read, self.write = (timeout.get(key) for key in ("connect", "read", "write"))
        self.retries = getattr(pool, "_retries", 0) or 0
        self.http2 = bool(getattr(pool, "_http2", False))

    def arguments(self):
        return self.method, self.url, self.headers, self.length

    def options(self):
        return {"connect": self.connect, "http2": self.http2, "proxy": self.proxy, "proxy_authorization": self.proxy_authorization}

    def open_sync(self):
        """An Exchange, for a caller that blocks."""
        if self.retries > 0:
            return egress.wait(self.open)
        return egress.open_sync(*self.arguments(), **self.options())

    async def open(self):
        """An Exchange; with retries there is a connection."""
        for delay in itertools.chain((0,), (0.5 * 2 ** n for n in itertools.count())):
            exchange = await Exchange.open(*self.arguments(), **self.options())
            try:
                if self.retries > 0:
                    await exchange.connected()
                return exchange
            except Failure as e:
                if self.retries <= 0 or e.kind not in ("resolve", "connect", "connect-timeout"):
                    raise
            self.retries -= 1
            await asyncio.sleep(delay)

    def answer(self, head, stream):
        status, reason, version, headers, _ = head
        return _httpcore.Response(status, headers=headers, content=stream, extensions={
            "http_version": b"HTTP/" + version, "reason_phrase": reason, "network_stream": _NoStream()})


class _NoStream:
    """The connection, of which nothing is known here."""

    def get_extra_info(self, info):
        return None


class _Body:
    def __init__(self, exchange, seconds):
        self._exchange, self._seconds = exchange, seconds

    def __iter__(self):
        exchange, is_here = self._exchange, egress.is_here()
        try:
            while True:
                data = exchange.read_now() if is_here else None
                if data is None:
                    data = egress.wait(exchange.read, self._seconds)
                if not data:
                    return
                yield data
        except Failure as e:
            raise _exception(e) from None
        finally:
            self.close()

    def close(self):
        egress.on_main(self._exchange.cancel)


class _AsyncBody:
    def __init__(self, exchange, seconds):
        self._exchange, self._seconds = exchange, seconds

    async def __aiter__(self):
        try:
            while data := await egress.on_loop(self._exchange.read, self._seconds):
                yield data
        except Failure as e:
            raise _exception(e) from None
        finally:
            egress.on_main(self._exchange.cancel)

    async def aclose(self):
        egress.on_main(self._exchange.cancel)


def _send(pool, request):
    plan = _Plan(pool, request)
    exchange = plan.open_sync()
    try:
        is_here = egress.is_here()
        if plan.length:
            for data in request.stream:
                if is_here and len(data) <= egress.PIECE:
                    takes_more = exchange.write_now(data) == 0 or egress.wait(exchange.drain, plan.write)
                else:
                    takes_more = egress.wait(exchange.write, data, plan.write)
                if not takes_more:
                    break
            egress.on_main(exchange.finish)
        return plan.answer(egress.wait(exchange.head, plan.read), _Body(exchange, plan.read))
    except BaseException:
        egress.on_main(exchange.cancel)
        raise


async def _send_async(pool, request):
    plan = _Plan(pool, request)
    exchange = await egress.on_loop(plan.open)
    try:
        if plan.length:
            async for data in request.stream:
                if not await egress.on_loop(exchange.write, data, plan.write):
                    break
            egress.on_main(exchange.finish)
        return plan.answer(await egress.on_loop(exchange.head, plan.read), _AsyncBody(exchange, plan.read))
    except BaseException:
        egress.on_main(exchange.cancel)
        raise


def _is_ours(pool):
    backend = getattr(pool, "_network_backend", None)
    return backend is None or type(backend).__name__ in _BACKENDS


def tell(module):
    """Of `httpcore`."""
    global _httpcore
    _httpcore = module
    pool, async_pool = module.ConnectionPool, module.AsyncConnectionPool
    plain, plain_async = pool.handle_request, async_pool.handle_async_request

    @functools.wraps(plain)
    def handle_request(self, request):
        if not _is_ours(self):
            return plain(self, request)
        try:
            return _send(self, request)
        except Failure as e:
            raise _exception(e) from None

    @functools.wraps(plain_async)
    async def handle_async_request(self, request):
        if not _is_ours(self):
            return await plain_async(self, request)
        try:
            return await _send_async(self, request)
        except Failure as e:
            raise _exception(e) from None

    pool.handle_request, async_pool.handle_async_request = handle_request, handle_async_request
