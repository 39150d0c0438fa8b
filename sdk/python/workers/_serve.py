"""workers._serve - what asgi and wsgi share: a request's address and headers, an answer and its body in pieces."""
import _corral
from corral.bridge import JsException
from corral.loop import loop
from pyodide.ffi import create_proxy

from ._runtime import wait_until
from ._values import python_error

_text_of_request = _corral.internal("textOfRequest")
_new_answer = _corral.internal("newAnswer")
_new_ascii_answer = _corral.internal("newAsciiAnswer")
_new_outlet = _corral.internal("newOutlet")
_outlet_stream = _corral.internal("outletStream")
_outlet_write = _corral.internal("outletWrite")
_outlet_end = _corral.internal("outletEnd")

NO_BODY = frozenset((101, 103, 204, 205, 304))
PORTS = {"http": 80, "https": 443}
SMALL_BODY = 65536      # crosses in one


class ClientDisconnected(OSError):
    """Nobody reads the answer any more."""


def parts_of(js_request):
    """(method, url, version of HTTP, whether there is a body, its headers as text) of a Request of JavaScript."""
    method, url, protocol, body, lines = _text_of_request(js_request).split("\n", 4)
    return method, url, protocol[5:] if protocol.startswith("HTTP/") else "1.1", bool(body), lines


def pairs_of(lines):
    """[(name, value)] of headers as text or as bytes, in their order, names in lower case."""
    parts = lines.split(b"\n" if isinstance(lines, bytes) else "\n")
    return list(zip(parts[:-1:2], parts[1::2]))


def split_url(url):
    """(scheme, host, port, path, query) of a whole address."""
    scheme, _, rest = url.partition("://")
    rest = rest.partition("#")[0]
    place, slash, path = rest.partition("/")
    if "?" in place:
        place, _, query = place.partition("?")
        path = ""
    else:
        path, _, query = path.partition("?")
    host, colon, port = place.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = place, ""
    return scheme, host, int(port or PORTS.get(scheme, 0)), "/" + path, query


def is_small(length):
    """Whether a Content-Length is one of a small body."""
    return length.isascii() and length.isdigit() and int(length) <= SMALL_BODY


def answer(status, pairs, body, status_text=""):
    """A Response of JavaScript; pairs: [(name, value)] of text."""
    parts = [part for pair in pairs for part in pair]
    text = "\n".join(parts)
    if text.count("\n") >= (len(parts) or 1) or "\r" in text:
        _refuse_line_breaks(pairs)
    if status in NO_BODY:
        body = None
    try:
        if type(body) is bytes and len(body) <= SMALL_BODY and body.isascii():
            return _new_ascii_answer(body.decode("ascii"), status, status_text, text or None)
        return _new_answer(body, status, status_text, text or None)
    except JsException as e:
        raise python_error(e) from None


def _refuse_line_breaks(pairs):
    for name, value in pairs:
        if "\n" in name or "\r" in name:
            raise ValueError(f"{name!r} is not a valid header name")
        if "\n" in value or "\r" in value:
            raise ValueError(f"the value of the header {name!r} has a line break in it")


def said_length(pairs):
    """What Content-Length says, or -1."""
    for name, value in pairs:
        if name.lower() == "content-length":
            return int(value) if value.isascii() and value.isdigit() else -1
    return -1


def storable(e):
    """An exception of the application's; neither a future nor a coroutine takes StopIteration."""
    if isinstance(e, StopIteration):
        cause, e = e, RuntimeError("the application raised StopIteration")
        e.__cause__ = cause
    return e


def fail(future, e):
    """Set an exception of the application's."""
    future.set_exception(storable(e))


def check_wanted(response):
    """Raise ClientDisconnected when the one who waited for the answer has been cancelled."""
    if response.cancelled():
        raise ClientDisconnected("nobody waits for the answer any more")


class Outlet:
    """A body that is written piece by piece; write() waits as long as its reader is behind.

    Where the pieces go is known later than they begin: to the request that it answers, by leads_to(), or into a stream of
    JavaScript, when somebody looks at it.
    """

    def __init__(self, length=-1, on_gone=None):
        self._number, self._outlet = 0, None    # of the request; the stream's
        self._early, self._waiting = [], 0      # pieces that wait for either, and their bytes
        self._end = None                        # (why or None,) when it has ended before
        self._room = None
        self.length, self._sent, self._on_gone = length, 0, on_gone
        self.is_gone = False

    @property
    def stream(self):
        """It as a ReadableStream of JavaScript."""
        if self._outlet is None:
            self._outlet = _new_outlet(self._wake, self.length)
            self._catch_up()
        return _outlet_stream(self._outlet)

    def leads_to(self, number):
        """The answer to this request has begun."""
        self._number = number
        if _corral.body_open(number, self._wake):
            self._catch_up()
        else:
            self._wake(False)

    def _catch_up(self):
        early, self._early = self._early, ()
        must_wait = False
        for data in early:
            must_wait = self._put(data)
        if self._end is not None:
            self._finish(*self._end)
        elif not must_wait:
            self._go_on()

    def _put(self, data):
        """Whether the writer must wait then."""
        if self._number:
            must_wait = _corral.body_write(self._number, data if type(data) is bytes else bytes(data))
            if must_wait is None and not self.is_gone:
                self._wake(False)
            return must_wait
        if self._outlet is not None:
            return _outlet_write(self._outlet, data)
        self._early.append(bytes(data))
        self._waiting += len(self._early[-1])
        return self._waiting >= SMALL_BODY

    def _finish(self, why):
        if self._number:
            _corral.body_end(self._number, why and f"Error: {why}")
        elif self._outlet is not None:
            _outlet_end(self._outlet, why)
        else:
            self._end = (why,)

    def _wake(self, is_wanted):
        if not is_wanted:
            self.is_gone = True
            if self._on_gone is not None:
                self._on_gone()
        self._go_on()

    def leave(self):
        """Nobody will read it: the client has gone, perhaps before the answer could be given to anybody."""
        if not self.is_gone:
            self.is_gone = True
            self._finish("the client has gone")
            self._go_on()

    def _go_on(self):
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    async def write(self, data):
        """Send bytes.  Raises ClientDisconnected when nobody wants them any more."""
        if self._room is not None:
            await self._room
            self._room = None
        if self.is_gone:
            raise ClientDisconnected("the client has gone")
        if not data:
            return
        self._sent += len(data)
        if 0 <= self.length < self._sent:
            raise RuntimeError(f"the body is longer than its Content-Length, {self.length}")
        if self._put(data):
            self._room = loop.create_future()
            await self._room
            self._room = None
        if self.is_gone:
            raise ClientDisconnected("the client has gone")

    def close(self):
        """It is complete."""
        if self.length >= 0 and self._sent < self.length and not self.is_gone:
            self.fail(f"the body has {self._sent} bytes, its Content-Length is {self.length}")
        else:
            self._finish(None)

    def fail(self, why):
        """It ends before its end."""
        self._finish(why)


class Departure:
    """Whether the client of a request has gone."""

    def __init__(self, js_request, on_gone):
        self._signal = js_request.signal
        self._listener = create_proxy(lambda event=None: on_gone())
        self._signal.addEventListener("abort", self._listener)
        if self._signal.aborted:
            on_gone()

    def forget(self):
        """Look no longer."""
        if self._listener is not None:
            self._signal.removeEventListener("abort", self._listener)
            self._listener.destroy()
            self._listener = None


def keep(task, ctx):
    """Keep the request's surroundings until the task has ended."""
    if ctx is not None and hasattr(ctx, "waitUntil"):
        ctx.waitUntil(task)
    elif _corral.stream():
        wait_until(task)
