"""egress.py - whole HTTP requests of Python's own clients, which the node sends as they are written.

Exchange is one request and its answer, on the event loop: what httpcore, http.client and aiohttp send goes through it
(corral/clients).  Redirects, encodings, cookies and retries are the libraries' own business.  Bodies are streamed both
ways, with back-pressure; what waits too long raises Failure, of a kind that each library has an exception for.
"""
import asyncio
import inspect
import threading
from asyncio import events

import _corral

from .bridge import JsException
from .loop import loop

PIECE = 64 * 1024       # bytes written at once
_MAIN = threading.main_thread().ident
CONNECTING = {"proxy", "resolve", "connect", "connect-timeout", "certificate", "tls"}     # kinds: nothing was sent
_CERTIFICATE = "the node checks it, whatever `verify` says; another authority is made known to it by SSL_CERT_FILE"
NO_SOCKS = "the node sends through proxies by http and https alone"


class Failure(Exception):
    """There is no (whole) answer.

    kind: "resolve", "connect", "connect-timeout", "certificate", "tls": no connection; "write-timeout", "read-timeout";
    "disconnected": closed without an answer; "partial": in the midst of one; "reset"; "protocol": what came is no HTTP;
    "proxy": which refused; "invalid": cannot be sent; "ended": the worker's request has ended; "cancelled".  errno: 0 if there is none.
    """

    def __init__(self, kind, text, errno=0):
        super().__init__(text)
        self.kind, self.errno = kind, errno


def _failure(said):
    """Of what egress.c has: kind and errno, the message, detail."""
    words, _, rest = said.partition("\n")
    kind, _, number = words.partition(" ")
    text = rest.partition("\n")[0]
    if kind == "proxy":
        text = rest.rpartition("\n")[2]
    elif kind in ("disconnected", "partial", "reset", "protocol"):
        text = rest.replace("\n", " ")
    elif kind == "certificate":
        text = f"{text} ({_CERTIFICATE})"
    return Failure(kind, text, int(number or 0))


def _expire(future):
    if not future.done():
        future.set_result(False)


class Exchange:
    """A request that is sent and its answer; on the event loop's thread.  A task that is cancelled in it ends it."""

    __slots__ = ("_sending",)

    def __init__(self, sending):
        self._sending = sending

    @classmethod
    def open_now(cls, method, url, headers, length, *, connect=None, http2=False, proxy=None, proxy_authorization=b""):
        """Send the head; None if too many are under way.  All is bytes; headers: pairs, which leave as they are.

        length: of the body, -1 if not known; connect: seconds until there must be a connection; proxy: its address, without a path.
        """
        if _corral.egress_room() is not None:
            return None
        arguments = [(b"method", method), (b"url", url)]
        if connect is not None:
            arguments.append((b"connect_ms", b"%d" % max(1, min(connect, 1e6) * 1000)))
        if http2:
            arguments.append((b"http2", b"1"))
        if proxy:
            arguments += (b"proxy", proxy), (b"proxy_authorization", proxy_authorization)
        try:
            return cls(_corral.Sending(arguments, headers, length))
        except JsException as e:
            raise Failure("invalid", e.message) from None
        except ValueError as e:
            raise Failure("invalid", str(e)) from None

    @classmethod
    async def open(cls, *args, **kwargs):
        """open_now(), when there is room."""
        while (exchange := cls.open_now(*args, **kwargs)) is None:
            if (promise := _corral.egress_room()) is not None:
                await promise
        return exchange

    def __del__(self):
        if self._sending.open:
            loop.call_soon_threadsafe(self._sending.cancel)

    async def _change(self, seconds, kind):
        future = asyncio.Future(loop=loop)
        self._sending.wait(future)
        clock = None if seconds is None else loop.call_later(seconds, _expire, future)
        try:
            changed = await future
        except asyncio.CancelledError:
            self._sending.cancel()
            raise
        finally:
            if clock is not None:
                clock.cancel()
        if changed is False:
            self._sending.cancel()
            raise Failure(kind, "timed out")

    def _check(self):
        if self._sending.error is not None:
            raise _failure(self._sending.error)

    async def connected(self):
        """Until there is a connection."""
        sending = self._sending
        while not sending.connected:
            self._check()
            await self._change(None, "")

    def has_head(self):
        """Whether head() waits for nothing."""
        return self._sending.head is not None or self._sending.error is not None

    async def head(self, seconds=None):
        """(status, reason, version, headers, length): bytes, headers as pairs, length -1 if not known."""
        sending = self._sending
        if seconds is not None and not sending.connected:
            await self.connected()
        while sending.head is None:
            self._check()
            await self._change(seconds, "read-timeout")
        return sending.head

    def read_now(self, most=-1):
        """Bytes of the answer's body; b"" at its end, None if none are here."""
        data = self._sending.read(most)
        if data is None:
            self._check()
        return data

    async def read(self, seconds=None, most=-1):
        """The next bytes of the answer's body, as they come, encoded as they are; b"" at its end."""
        while (data := self.read_now(most)) is None:
            await self._change(seconds, "read-timeout")
        return data

    def write_now(self, data):
        """Of bytes, at most PIECE: 0 more may come, 1 drain() first, 2 the server takes no more."""
        return self._sending.write(data)

    async def drain(self, seconds=None):
        """Until more may be written; whether the server takes it."""
        sending = self._sending
        if seconds is not None and not sending.connected:
            await self.connected()
        while (room := sending.room()) == 1:
            self._check()
            await self._change(seconds, "write-timeout")
        if room == 2:
            self._check()
        return room == 0

    async def write(self, data, seconds=None):
        """Bytes of the request's body; whether the server takes more: it may have answered before."""
        if len(data) > PIECE:
            data = memoryview(data).cast("B")
        for at in range(0, len(data), PIECE):
            if self.write_now(data[at:at + PIECE]) and not await self.drain(seconds):
                return False
        return True

    def finish(self):
        """The request's body is whole."""
        self._sending.finish()

    def cancel(self):
        """Nobody wants the rest of it."""
        if self._sending.open:
            self._sending.cancel()

    def is_open(self):
        """Whether more may come of it."""
        return self._sending.open


# ---- from elsewhere ----


def is_here():
    """Whether this is the event loop's thread."""
    return threading.get_ident() == _MAIN


def wait(function, *args, **kwargs):
    """What comes of a coroutine, for a caller that blocks: it alone."""
    coroutine = function(*args, **kwargs)
    if not is_here():
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise
    has_task = _corral.can_run_sync()       # which ends the coroutine when too many wait already
    try:
        return _corral.run_sync(coroutine)
    except RuntimeError as e:
        if inspect.getcoroutinestate(coroutine) != inspect.CORO_CREATED:
            raise
        if not has_task:
            coroutine.close()
        raise RuntimeError(_cannot_wait(str(e))) from None


def open_sync(*args, **kwargs):
    """Exchange.open(), for a caller that blocks; here that hardly ever waits."""
    if is_here() and _corral.can_run_sync():
        exchange = Exchange.open_now(*args, **kwargs)
        if exchange is not None:
            return exchange
    return wait(Exchange.open, *args, **kwargs)


def _cannot_wait(text):
    if _corral.stream() == 0 and "is loaded" in text:
        return ("no HTTP request can be sent while the worker's module is loaded: nothing is served yet. Send it in a handler, "
                "and keep what it brings in a global if it is for all requests")
    if text.startswith("Cannot stack switch"):
        return ("a blocking HTTP request cannot wait here: JavaScript has called this function and waits for it. Make it `async def` and use "
                "an asynchronous client (httpx.AsyncClient, aiohttp, `await fetch(url)`), or run it in a thread, `await asyncio.to_thread(function)`")
    return text


async def on_loop(function, *args, **kwargs):
    """What comes of a coroutine, for one of any loop: threads may have loops of their own."""
    coroutine = function(*args, **kwargs)
    if events._get_running_loop() is loop:
        return await coroutine
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, loop))


def on_main(function, *args):
    """function(*args) on the event loop's thread, soon."""
    if is_here():
        function(*args)
    else:
        loop.call_soon_threadsafe(function, *args)
