"""workers._rpc - values for calls between workers: python_from_rpc, python_to_rpc."""
import datetime
import inspect

import _corral
import js
from pyodide.ffi import create_proxy, jsnull, to_js

from ._blob import Blob, File
from ._formdata import FormData
from ._request import Request
from ._response import Response
from ._values import JsException, JsProxy, kind, kind_of

_from_pairs = _corral.internal("fromPairs")
_to_set = _corral.internal("toSet")
_set_own = _corral.internal("setOwn")
_push_all = _corral.internal("pushAll")


class JsDict(dict):
    """A dict whose items are attributes too: `result.name` is `result["name"]`, save for names that dicts have."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r} in it", name=name, obj=self) from None

    def __setattr__(self, name, value):
        self[name] = value

    def __delattr__(self, name):
        try:
            del self[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r} in it", name=name, obj=self) from None


def _date_of(value):
    return datetime.datetime.fromtimestamp(value.getTime() / 1000)


def _memory_of(value):
    if js.ArrayBuffer.isView(value) and not hasattr(value, "length"):      # a DataView
        value = js.Uint8Array.new(value.buffer, value.byteOffset, value.byteLength)
    return value.to_memoryview()


_WRAPPERS = {
    "Response": Response._of, "Request": Request._of, "FormData": FormData._of, "Blob": Blob._of, "File": File._of, "Date": _date_of,
    "Number": lambda value: value.valueOf(), "buffer": _memory_of, "?TestController": lambda value: None,
}
_CONTAINERS = frozenset(("Array", "object", "Map", "Set"))


def python_from_rpc(obj):
    """What came from another worker as values of Python.

    Arrays are lists, objects and Maps JsDicts, Sets sets, Dates datetimes, buffers memoryviews, null is None, an Error
    an Exception, Request, Response, FormData, Blob and File those of this package; other objects stay what they are.
    """
    if isinstance(obj, JsProxy) and kind_of(obj) in _CONTAINERS:
        made = _corral.plain_to_py(obj, JsDict)
        if made is not NotImplemented:      # nothing in it wants a class of its own
            return made
    return _from_rpc(obj, {})


def _from_rpc(value, seen):
    if value is jsnull or value is None:
        return None
    if not isinstance(value, JsProxy):
        return Exception(str(value)) if isinstance(value, JsException) else value
    what = kind_of(value)
    wrap = _WRAPPERS.get(what)
    if wrap is not None:
        return wrap(value)
    if what not in _CONTAINERS:
        return value
    identity = value.js_id
    if identity in seen:
        return seen[identity]
    if what == "Array":
        made = seen[identity] = []
        made.extend(_from_rpc(item, seen) for item in value)
    elif what == "Set":
        made = seen[identity] = set()
        made.update(_from_rpc(item, seen) for item in value)
    else:
        made = seen[identity] = JsDict()
        for key, item in value.object_entries() if what == "object" else value.entries():
            made[_from_rpc(key, seen)] = _from_rpc(item, seen)
    return made


def python_to_rpc(value):
    """What another worker gets: values of JavaScript.

    dicts are objects, lists arrays, sets Sets, bytes Uint8Arrays, datetimes Dates, None is null, an Exception an Error;
    functions are proxies that can be called.  Raises TypeError for a tuple, a bytearray, a RegExp and what should have
    been awaited.
    """
    return _to_rpc(value, {})


def _to_rpc(value, seen):
    if value is None:
        return jsnull
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, JsProxy):
        if kind_of(value) == "RegExp":
            raise TypeError("RegExp cannot be sent over RPC.")
        return value
    if isinstance(value, (tuple, bytearray)):
        raise TypeError(f"{type(value)} cannot be sent over RPC.")
    known = seen.get(id(value))
    if known is not None:
        return known[0]
    if isinstance(value, dict):
        made = _from_pairs(_corral.js_array(()), False)
        seen[id(value)] = made, value
        for key, item in value.items():
            _set_own(made, _key(key), _to_rpc(item, seen))
        return made
    if isinstance(value, list):
        made = _corral.js_array(())
        seen[id(value)] = made, value
        _push_all(made, _corral.js_array([_to_rpc(item, seen) for item in value]))
        return made
    if isinstance(value, (set, frozenset)):
        return _to_set(_corral.js_array([_to_rpc(item, seen) for item in value]))
    return _one_to_rpc(value)


def _key(key):
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


def _one_to_rpc(value):
    inner = getattr(value, "js_object", None)
    if inner is not None:
        return inner
    if isinstance(value, JsException):
        return value.js_error
    if isinstance(value, datetime.datetime):
        return js.Date.new(value.timestamp() * 1000)
    if isinstance(value, BaseException):
        return js.Error.new(str(value))
    if isinstance(value, (bytes, memoryview)):
        return to_js(value)
    if inspect.isawaitable(value):
        raise TypeError(f"Awaitable {type(value)} cannot be sent over RPC.")
    if callable(value) and not isinstance(value, type):
        return create_proxy(value)
    return value
