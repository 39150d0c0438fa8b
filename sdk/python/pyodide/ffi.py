"""pyodide.ffi - proxies and conversions between Python and JavaScript."""
import _corral

from corral.bridge import JsException, JsProxy
from corral.convert import ConversionError, to_js


def create_proxy(obj, /, *, capture_this=False, roundtrip=True):
    """A proxy that stays one and the same object in JavaScript."""
    return _corral.create_proxy(obj)


def create_once_callable(obj, /):
    return _corral.create_proxy(obj)


def destroy_proxies(pyproxies):
    """Proxies are collected when nobody holds them: there is nothing to do."""


class JsNull:
    """JavaScript's null, where it must not be mistaken for undefined."""

    _instance = None

    def __new__(cls):
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __bool__(self):
        return False

    def __repr__(self):
        return "jsnull"


jsnull = JsNull()


def _kind(name, test):
    meta = type("_Kind", (type,), {"__instancecheck__": lambda cls, obj: isinstance(obj, JsProxy) and test(obj)})
    return meta(name, (), {"__module__": __name__})


JsArray = _kind("JsArray", lambda o: o._kind == "array")
JsMap = _kind("JsMap", lambda o: o._kind == "map")
JsMutableMap = _kind("JsMutableMap", lambda o: o._kind == "map")
JsBuffer = _kind("JsBuffer", lambda o: o._kind == "buffer")
JsTypedArray = _kind("JsTypedArray", lambda o: o._kind == "buffer" and hasattr(o, "buffer"))
JsCallable = _kind("JsCallable", callable)
JsPromise = _kind("JsPromise", lambda o: hasattr(type(o), "__await__"))
JsIterable = _kind("JsIterable", lambda o: hasattr(type(o), "__iter__"))
JsIterator = _kind("JsIterator", lambda o: hasattr(type(o), "__next__"))

__all__ = [
    "ConversionError", "JsArray", "JsBuffer", "JsCallable", "JsException", "JsIterable", "JsIterator", "JsMap",
    "JsMutableMap", "JsNull", "JsPromise", "JsProxy", "JsTypedArray", "create_once_callable", "create_proxy",
    "destroy_proxies", "jsnull", "to_js",
]
