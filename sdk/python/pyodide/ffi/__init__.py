"""pyodide.ffi - proxies and conversions between Python and JavaScript."""
import _corral
from _corral import can_run_sync, run_sync, to_js

from corral import convert, kinds
from corral.bridge import JsException
from corral.bridge import JsProxy as _Proxy
from corral.convert import ConversionError, InternalError
from corral.js_modules import register_js_module, unregister_js_module
from corral.scalars import JsBigInt, JsNull, jsnull

from . import _methods

IN_BROWSER = IN_PYODIDE = True  # as on Cloudflare: there is a JavaScript to talk to
convert.null = jsnull
_KEPT, _ONCE, _TAKES_THIS, _PROMISES = 1, 2, 4, 8     # enum py_proxy_trait


def create_proxy(obj, /, *, capture_this=False, roundtrip=True):
    """A proxy that stays one and the same object in JavaScript until destroy() is called."""
    return _corral.create_proxy(obj, (_TAKES_THIS if capture_this else 0) | (_KEPT if roundtrip else 0))


def create_once_callable(obj, /, *, _may_syncify=False):
    """A proxy of a function that lets go of it when it has been called once.

    With _may_syncify JavaScript gets a promise of what comes of the call, which may use run_sync().

    `ctx.waitUntil(create_once_callable(coroutine))` stands in Cloudflare's examples: the coroutine runs.
    """
    if hasattr(type(obj), "__await__"):
        return create_proxy(obj)
    if not callable(obj):
        raise TypeError(f"create_once_callable() needs a callable, not {type(obj).__name__}")
    return _corral.create_proxy(obj, _ONCE | _KEPT | (_PROMISES if _may_syncify else 0))


def destroy_proxies(pyproxies, /):
    """Destroy all proxies of an array, as to_js(pyproxies=) fills it.  Raises TypeError."""
    if not isinstance(pyproxies, _Proxy):
        raise TypeError("Expected a JsProxy for the argument")
    if not isinstance(pyproxies, JsArray) or isinstance(pyproxies, JsBuffer):
        raise TypeError("Expected a Js Array for the pyproxies argument")
    _corral.internal("destroyAll")(pyproxies)


class _Kind(kinds.Kind):
    """A type of this module, which objects only seem to have."""

    def __subclasscheck__(cls, other):
        if cls is JsProxy and type.__subclasscheck__(_Proxy, other) or type.__subclasscheck__(JsException, other):
            return cls is JsProxy
        return super().__subclasscheck__(other)

    def __getitem__(cls, parameters):
        return cls


def _kind(name, *wanted, test=None, base=None, doc=""):
    bases = base if isinstance(base, tuple) else (base or JsProxy,)
    described = getattr(_methods, name.removeprefix("Js"), None)
    members = _methods.methods_of(described) if described else {}
    return _Kind(name, bases, {**members, "__module__": __name__, "__doc__": doc, "_wanted": wanted, "_test": test})


JsProxy = _kind("JsProxy", base=object, doc="Any object of JavaScript.")


def _instance_of(name):
    is_instance = _corral.internal("isInstance")
    return lambda obj: is_instance(obj, name)


_OBJECT_MAP = kinds.OBJECT_MAP
JsIterable = _kind("JsIterable", kinds.ITERABLE, _OBJECT_MAP, doc="What can be iterated.")
JsArray = _kind("JsArray", kinds.ARRAY, kinds.ARRAY_LIKE, kinds.TYPED_ARRAY, base=JsIterable, doc="An array.")
JsMap = _kind("JsMap", kinds.MAP, _OBJECT_MAP, base=JsIterable, doc="What has get(), a size, and can be iterated.")
JsMutableMap = _kind("JsMutableMap", kinds.MUTABLE_MAP, _OBJECT_MAP, base=JsMap, doc="A JsMap that has set().")
JsBuffer = _kind("JsBuffer", kinds.BUFFER, doc="An ArrayBuffer or a view on one.")
JsTypedArray = _kind("JsTypedArray", kinds.TYPED_ARRAY, base=(JsBuffer, JsArray), doc="A Uint8Array and its like.")
JsCallable = _kind("JsCallable", kinds.CALLABLE, doc="A function.")
JsPromise = _kind("JsPromise", kinds.AWAITABLE, doc="What has then().")
JsIterator = _kind("JsIterator", kinds.ITERATOR, doc="What has next().")
JsGenerator = _kind("JsGenerator", kinds.GENERATOR, base=(JsIterator, JsIterable), doc="A generator.")
JsAsyncIterable = _kind("JsAsyncIterable", kinds.ASYNC_ITERABLE, doc="What `for await` takes.")
JsAsyncIterator = _kind("JsAsyncIterator", kinds.ASYNC_ITERATOR, doc="What such a loop asks for the next item.")
JsAsyncGenerator = _kind("JsAsyncGenerator", kinds.ASYNC_GENERATOR, base=(JsAsyncIterator, JsAsyncIterable), doc="An asynchronous generator.")
JsDoubleProxy = _kind("JsDoubleProxy", kinds.DOUBLE, doc="What create_proxy() gives.")
JsCallableDoubleProxy = _kind("JsCallableDoubleProxy", kinds.DOUBLE | kinds.CALLABLE, base=(JsDoubleProxy, JsCallable),
                              doc="What create_proxy() gives of a function.")
JsOnceCallable = _kind("JsOnceCallable", kinds.ONCE, base=JsCallable, doc="What create_once_callable() gives.")
JsFetchResponse = _kind("JsFetchResponse", 0, test=_instance_of("Response"), doc="A Response.")
JsWeakRef = _kind("JsWeakRef", 0, test=_instance_of("WeakRef"), doc="A WeakRef.")
JsDomElement = _kind("JsDomElement", 0, test=lambda obj: False, doc="There are none in a worker.")


class ToJsConverter:
    """The type of the converters that to_js() takes, for annotations."""


__all__ = [
    "ConversionError", "IN_BROWSER", "IN_PYODIDE", "InternalError", "JsArray", "JsAsyncGenerator", "JsAsyncIterable", "JsAsyncIterator",
    "JsBigInt", "JsBuffer", "JsCallable", "JsCallableDoubleProxy", "JsDomElement", "JsDoubleProxy", "JsException",
    "JsFetchResponse", "JsGenerator", "JsIterable", "JsIterator", "JsMap", "JsMutableMap", "JsNull", "JsOnceCallable",
    "JsPromise", "JsProxy", "JsTypedArray", "JsWeakRef", "ToJsConverter", "can_run_sync", "create_once_callable", "create_proxy",
    "destroy_proxies", "jsnull", "register_js_module", "run_sync", "to_js", "unregister_js_module",
]
