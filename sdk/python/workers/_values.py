"""workers._values - what the SDK's classes share: kinds of JavaScript's values, bodies, errors.

wrap_request() and unwrap() are for corral's own callers: what a handler is given, what it gives back.
"""
import asyncio
import contextvars
import inspect
import io
from collections.abc import AsyncIterable, Iterator

import _corral

from corral.bridge import JsException, JsProxy
from pyodide.ffi import jsnull

kind_of = _corral.internal("webKind")
_stream_of_pieces = _corral.internal("streamOfPieces")

# What JavaScript's Response and Request take as a body.
BODY_KINDS = frozenset(("buffer", "Blob", "File", "FormData", "ReadableStream", "URLSearchParams"))
FILE_PIECE = 65536
NAMES = {"arrayBuffer": "bytes() or buffer()", "formData": "form_data()", "bodyUsed": "body_used", "statusText": "status_text",
         "type": "content_type", "lastModified": "last_modified", "getAll": "get_all()", "entries": "items()", "has": "`in`",
         "set": "[name] = value", "getSetCookie": 'get_all("set-cookie")', "append": "add_header()", "forEach": "items()",
         "delete": "del", "webSocket": "js_object.webSocket", "signal": "js_object.signal"}


def python_error(e):
    """What a JsException is as an exception of Python: the same for most, TypeError and ValueError for those two."""
    if e.name == "RangeError":
        return ValueError(e.message)
    if e.name == "TypeError":
        return TypeError(e.message)
    return e


def none_of(value):
    """The value, None for JavaScript's null."""
    return None if value is jsnull else value


def kind(value):
    """The kind of a value of JavaScript (see webKind in sdk/js/values.js), or '' for one of Python."""
    if isinstance(value, JsProxy):
        return kind_of(value)
    return "Error" if isinstance(value, JsException) else ""


def type_name(value):
    """What to call a value's type in an error."""
    if isinstance(value, JsProxy):
        name = kind_of(value)
        return name.lstrip("?") or "an object of JavaScript"
    return type(value).__name__


def no_attribute(self, name, names=NAMES):
    """Raise AttributeError; say what something is called here that has another name in JavaScript, or elsewhere."""
    error = AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
    if not name.startswith("_"):
        right, has_js = names.get(name), "js_object" in dir(type(self))
        if right:
            error.add_note(f"In Python it is {right}" + ("; the JavaScript object is in js_object" if has_js else ""))
        elif has_js and isinstance(self.js_object, JsProxy) and hasattr(self.js_object, name):
            error.add_note(f"The JavaScript object has it: js_object.{name}")
    raise error


def text_option(where, name, value):
    """An option that must be text, or an enum of such."""
    value = getattr(value, "value", value)
    if not isinstance(value, str):
        raise TypeError(f"{where}: {name} must be a str, not {type_name(value)}")
    return value


# ---- bodies ----


def _advice(value):
    if isinstance(value, (list, tuple)) or kind(value) == "Array":
        return "Response.json(data) makes an answer of data, json.dumps(data) a body; bytes(data) is one of numbers, as D1's blobs come"
    if isinstance(value, (dict, int, float, bool)) or kind(value) == "object":
        return "Response.json(data) makes an answer of data, json.dumps(data) a body"
    if inspect.isawaitable(value):
        return "is an `await` missing?"
    return ("a body is a str, bytes, a buffer, FormData, Blob, File, a generator of bytes or str, a file, "
            "or a Blob, buffer, FormData, ReadableStream or URLSearchParams of JavaScript")


def _piece(piece):
    """Bytes, or what JavaScript has of them."""
    if isinstance(piece, (bytes, bytearray, memoryview, JsProxy)):
        return piece
    if isinstance(piece, str):
        return piece.encode()
    try:
        return bytes(memoryview(piece))
    except TypeError:
        raise TypeError(f"a body's pieces must be bytes or str, not {type_name(piece)}") from None


class _Pieces:
    """What a body is made of, for a stream that asks: an iterator, a generator of either kind, a file."""

    def __init__(self, source):
        self._source = source
        self._context = contextvars.copy_context()      # of the request, whoever reads it
        self._is_open = True
        self._step = None       # the task of the piece that is waited for
        if isinstance(source, io.IOBase):
            self._next, self._iterator = self._read, None
        elif isinstance(source, AsyncIterable):
            self._next, self._iterator = self._later, aiter(source)
        else:
            self._next, self._iterator = self._now, iter(source)

    def next(self):
        """The next bytes, None at the end; of what is asynchronous a task that gives those."""
        return self._context.run(self._next)

    def cancel(self, reason=None):
        """Nobody wants more."""
        return self._context.run(self._close)

    def _read(self):
        piece = self._source.read(FILE_PIECE)
        return _piece(piece) if piece else self._close()

    def _now(self):
        for piece in self._iterator:
            return _piece(piece)
        return self._close()

    def _later(self):
        self._step = asyncio.get_running_loop().create_task(self._one_later(), context=self._context)
        return self._step

    async def _one_later(self):
        async for piece in self._iterator:
            return _piece(piece)
        return None

    def _close(self):
        if not self._is_open:
            return None
        self._is_open = False
        if self._step is not None or hasattr(self._source, "aclose"):
            return asyncio.get_running_loop().create_task(self._close_later(), context=self._context)
        if hasattr(self._source, "close"):
            self._source.close()
        return None

    async def _close_later(self):
        if self._step is not None and not self._step.done():
            self._step.cancel()
            await asyncio.wait({self._step})
        for one in (self._iterator, self._source):
            if hasattr(one, "aclose"):
                await one.aclose()
                return


def stream_of(source):
    """A ReadableStream of JavaScript that asks a source of Python for piece after piece, as its reader wants them."""
    pieces = _Pieces(source)
    return _stream_of_pieces(pieces.next, pieces.cancel)


def to_body(body, where):
    """What JavaScript takes as a body for what Python code gave as one."""
    if body is None or isinstance(body, (str, bytes, bytearray, memoryview)):
        return body
    if body is jsnull:
        return None
    if isinstance(body, JsProxy):
        if kind_of(body) in BODY_KINDS:
            return body
    else:
        inner = getattr(body, "js_object", None)
        if inner is not None:
            if kind(inner) in BODY_KINDS:
                return inner
        elif isinstance(body, (AsyncIterable, Iterator, io.IOBase)):
            return stream_of(body)
        elif not inspect.isawaitable(body):
            try:
                return bytes(memoryview(body))      # array.array, numpy
            except TypeError:
                pass
    error = TypeError(f"Unsupported type in {where}: {type_name(body)}")
    error.add_note(_advice(body))
    raise error


# ---- for the rest of corral ----


def wrap_request(js_request):
    """The workers.Request of an incoming request."""
    from ._request import Request
    return Request._of(js_request)


def unwrap(value):
    """What JavaScript gets of a value of the SDK: its js_object, else the value."""
    return value if isinstance(value, JsProxy) else getattr(value, "js_object", value)
