"""workers._values - what the SDK's classes share: kinds of JavaScript's values, bodies, errors.

wrap_request() and unwrap() are for corral's own callers: what a handler is given, what it gives back.
"""
import inspect
import io
from collections.abc import AsyncIterable, Iterator

import _corral
import js

from corral.bridge import JsException, JsProxy
from pyodide.ffi import jsnull

kind_of = _corral.internal("webKind")
_to_bytes = _corral.internal("toBytes")

# What JavaScript's Response and Request take as a body.
BODY_KINDS = frozenset(("buffer", "Blob", "File", "FormData", "ReadableStream", "URLSearchParams"))
FILE_PIECE = 65536
_NAMES = {"arrayBuffer": "bytes() or buffer()", "formData": "form_data()", "bodyUsed": "body_used", "statusText": "status_text",
          "type": "content_type", "lastModified": "last_modified", "getAll": "get_all()", "entries": "items()", "has": "`in`",
          "set": "[name] = value", "webSocket": "js_object.webSocket", "signal": "js_object.signal"}


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


def no_attribute(self, name):
    """Raise AttributeError; say what JavaScript's name for something is called here."""
    error = AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
    if not name.startswith("_"):
        right = _NAMES.get(name)
        if right:
            error.add_note(f"In Python it is {right}; the JavaScript object is in js_object")
        elif isinstance(getattr(self, "js_object", None), JsProxy) and hasattr(self.js_object, name):
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
    if isinstance(value, (dict, list, tuple, int, float, bool)):
        return "Response.json(data) makes an answer of data, json.dumps(data) a body"
    if inspect.isawaitable(value):
        return "is an `await` missing?"
    return ("a body is a str, bytes, a buffer, FormData, Blob, File, a generator of bytes or str, a file, "
            "or a Blob, buffer, FormData, ReadableStream or URLSearchParams of JavaScript")


def _piece(piece):
    """A Uint8Array of a piece of a body."""
    if isinstance(piece, JsProxy):
        return piece
    if isinstance(piece, str):
        piece = piece.encode()
    elif not isinstance(piece, (bytes, bytearray, memoryview)):
        try:
            piece = bytes(memoryview(piece))
        except TypeError:
            raise TypeError(f"a body's pieces must be bytes or str, not {type_name(piece)}") from None
    return _to_bytes(piece)


async def _pieces(source):
    """The pieces of an iterator, a generator of either kind, or a file, as bytes."""
    try:
        if isinstance(source, io.IOBase):
            while piece := source.read(FILE_PIECE):
                yield _piece(piece)
        elif isinstance(source, AsyncIterable):
            async for piece in source:
                yield _piece(piece)
        else:
            for piece in source:
                yield _piece(piece)
    finally:
        if hasattr(source, "aclose"):
            await source.aclose()
        elif hasattr(source, "close"):
            source.close()


def stream_of(source):
    """A ReadableStream of JavaScript that asks a source of Python for piece after piece, as its reader wants them."""
    return js.ReadableStream.from_(_pieces(source))


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
    return getattr(value, "js_object", value)
