"""kinds.py - Python's own methods of what JavaScript has: Maps are dicts, generators generators, promises futures.

There is one Python type per combination of what JavaScript objects can do (proxy_kind.c); finish()
completes each when it is made.  The bits are those of proxy.h and sdk/js/jsproxy.js.
"""
import types
from collections import abc

import _corral

CALLABLE, AWAITABLE, ITERABLE, ITERATOR, LENGTH, ARRAY, BUFFER, ASYNC_ITERABLE = (1 << n for n in range(8))
ERROR, GET, SET, GENERATOR, ASYNC_ITERATOR, ASYNC_GENERATOR, TYPED_ARRAY, DOUBLE = (1 << n for n in range(8, 16))
OBJECT_MAP, HEREDITARY, JSON = (1 << n for n in range(16, 19))
ONCE, HAS, INCLUDES, ARRAY_LIKE, SIGNED = (1 << n for n in range(20, 25))
DISPOSABLE, ASYNC_DISPOSABLE = (1 << n for n in range(26, 28))
MAP = GET | LENGTH | ITERABLE
MUTABLE_MAP = MAP | SET

_functions = {}
_no_default = object()


def _js(name):
    """A function of sdk/js; looked up late, as the first types are made while the bridge starts."""
    function = _functions.get(name)
    if function is None:
        function = _functions[name] = _corral.internal(name)
    return function


# ---- maps ----


def _find(self, key):
    """self[key]; KeyError also where JavaScript has a null for what is not there, as URLSearchParams does."""
    value = self[key]
    if not value and not isinstance(value, (str, int, float)) and key not in self:
        raise KeyError(key)
    return value


class MapMethods:
    """What a dict can do beside being indexed, of what cannot be changed."""

    def keys(self):
        """A view of the keys."""
        return abc.KeysView(self)

    def items(self):
        """A view of the pairs of keys and values."""
        return abc.ItemsView(self)

    def values(self):
        """A view of the values."""
        return abc.ValuesView(self)

    def get(self, key, default=None):
        """The value of the key, else the default."""
        try:
            return _find(self, key)
        except Exception:
            return default


class MutableMapMethods:
    def pop(self, key, default=_no_default):
        """Remove the key and return its value, or the default."""
        try:
            value = _find(self, key)
        except Exception:
            if default is _no_default:
                raise
            return default
        del self[key]
        return value

    def popitem(self):
        """Remove and return some (key, value)."""
        return abc.MutableMapping.popitem(self)

    def setdefault(self, key, default=None):
        """The value of the key, which becomes the default if there is none."""
        try:
            return _find(self, key)
        except Exception:
            self[key] = default
        return default

    def update(self, other=(), /, **more):
        """Take over the keys and values of a mapping, or of pairs."""
        abc.MutableMapping.update(self, other, **more)

    def clear(self):
        """Remove everything."""
        if type(self)._js_bits & OBJECT_MAP or not _js("clearMap")(self):
            for key in list(self):
                del self[key]


# ---- generators ----


def _outcome(step):
    fault, done, value = step
    if fault is not None:
        raise TypeError(fault)
    if not done:
        return value
    raise StopIteration() if value is None else StopIteration(value)


def exception_of(error, value=None, traceback=None):
    """generator.throw(type[, value[, traceback]]): the exception that is meant."""
    if traceback is not None and not isinstance(traceback, types.TracebackType):
        raise TypeError("throw() third argument must be a traceback object")
    if isinstance(error, BaseException):
        if value is not None:
            raise TypeError("instance exception may not have a separate value")
        exception = error
    elif isinstance(error, type) and issubclass(error, BaseException):
        exception = value if isinstance(value, error) else error() if value is None else \
            error(*value) if isinstance(value, tuple) else error(value)
    else:
        raise TypeError(f"exceptions must be classes or instances deriving from BaseException, not {type(error).__name__}")
    return exception if traceback is None else exception.with_traceback(traceback)


def _throw(generator, exception):
    if isinstance(exception, GeneratorExit):
        return _outcome(_js("returnFrom")(generator))
    return _outcome(_js("throwInto")(generator, _corral.js_error(exception)))


class IteratorMethods:
    def send(self, value, /):
        """Resume it with the value of its `yield`; the next item."""
        return _outcome(_js("sendTo")(self, value))


class GeneratorMethods:
    def throw(self, error, value=None, traceback=None, /):
        """Raise an exception at its `yield`; the next item."""
        return _throw(self, exception_of(error, value, traceback))

    def close(self):
        """End it at its `yield`; RuntimeError if it goes on."""
        try:
            _throw(self, GeneratorExit())
        except (StopIteration, GeneratorExit):
            return
        raise RuntimeError("JavaScript generator ignored return")


# ---- promises ----


def _future(self):
    """The future that a promise is once it is used as one; `await` waits for the same one."""
    notes = _corral.notes(self)
    if "future" not in notes:
        notes["future"] = _corral.future(self)
    return notes["future"]


def _as_future(name, doc):
    def method(self, *args, **kwargs):
        return getattr(_future(self), name)(*args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = doc
    return method


_PROMISES = 8       # of enum py_proxy_trait


def _that_may_wait(function):
    """JavaScript waits for what it comes to, so it may use run_sync()."""
    return _corral.create_proxy(function, _PROMISES) if callable(function) and not hasattr(type(function), "_js_bits") else function


class PromiseMethods:
    def then(self, onfulfilled=None, onrejected=None):
        """A promise of what the function gives for the value, or the other one for the error."""
        return _js("promiseThen")(self, _that_may_wait(onfulfilled), _that_may_wait(onrejected))

    def catch(self, onrejected, /):
        """A promise of the value, or of what the function gives for the error."""
        return _js("promiseThen")(self, None, _that_may_wait(onrejected))

    def finally_(self, onfinally, /):
        """The same promise, which is kept after the function has been called."""
        return _js("promiseFinally")(self, _that_may_wait(onfinally))

    # Calls give a Future in Pyodide.
    add_done_callback = _as_future("add_done_callback", "Call the function when it has come to something.")
    remove_done_callback = _as_future("remove_done_callback", "Undo add_done_callback().")
    cancel = _as_future("cancel", "Stop waiting for it; JavaScript goes on.")
    cancelled = _as_future("cancelled", "Whether cancel() was called in time.")
    done = _as_future("done", "Whether it has come to something, from the first question on.")
    exception = _as_future("exception", "The exception that it has come to, or None; InvalidStateError if it is not done.")
    result = _as_future("result", "What it has come to; InvalidStateError if it is not done.")
    get_loop = _as_future("get_loop", "The event loop.")


# ---- what is disposed of ----


class DisposableMethods:
    """`with` for what JavaScript declares with `using`."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback, /):
        _js("dispose")(self)


class AsyncDisposableMethods:
    """`async with` for what JavaScript declares with `await using`."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, traceback, /):
        await _settled(_js("asyncDispose")(self))


async def _settled(value):
    return await value if hasattr(type(value), "__await__") else value


def _add(type, *classes):
    for one in classes:
        for name, value in vars(one).items():
            if callable(value):
                setattr(type, name, value)


class Kind(type):
    """The type of the types of proxies: isinstance() and issubclass() go by what the objects can do.

    `_wanted`: any of these sets of bits.  `_js_bits`: of a type that objects have, all that they can do.
    """

    _wanted = ()
    _test = None

    def __subclasscheck__(cls, other):
        if type.__subclasscheck__(cls, other):
            return True
        bits = getattr(other, "_js_bits", None)
        if bits is None:
            if not hasattr(cls, "_js_bits") or not isinstance(other, Kind):
                return False
            bits = sum({bit for wanted in other._wanted for bit in _each(wanted)})
        return any(bits & wanted == wanted for wanted in cls._wanted)

    def __instancecheck__(cls, obj):
        if not cls.__subclasscheck__(type(obj)):
            return False
        return cls._test is None or cls._test(obj)

    def __call__(cls, *args, **kwargs):
        raise TypeError(f"{cls.__name__} cannot be instantiated.")


def _each(bits):
    return [1 << n for n in range(bits.bit_length()) if bits >> n & 1]


def finish(type, bits):
    """Complete the type of JsProxies with these abilities; its metaclass."""
    type._js_bits = type._js_type_flags = bits
    type._wanted = (bits,)
    type._test = None
    if bits & AWAITABLE:
        _add(type, PromiseMethods)
    if bits & ITERATOR:
        _add(type, IteratorMethods)
    if bits & GENERATOR:
        _add(type, GeneratorMethods)
    if bits & DISPOSABLE:
        _add(type, DisposableMethods)
    if bits & ASYNC_DISPOSABLE:
        _add(type, AsyncDisposableMethods)
    if bits & OBJECT_MAP or bits & MUTABLE_MAP == MUTABLE_MAP:
        _add(type, MapMethods, MutableMapMethods)
    elif bits & MAP == MAP:
        _add(type, MapMethods)
    if bits & (ARRAY | ARRAY_LIKE | TYPED_ARRAY):
        abc.MutableSequence.register(type)
    elif bits & OBJECT_MAP or bits & MUTABLE_MAP == MUTABLE_MAP:
        abc.MutableMapping.register(type)
    elif bits & MAP == MAP:
        abc.Mapping.register(type)
    return Kind
