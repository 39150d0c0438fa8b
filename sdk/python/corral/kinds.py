"""kinds.py - Python's own methods of what JavaScript has: arrays are lists, Maps are dicts.

There is one Python type per combination of what JavaScript objects can do (proxy_js.c); finish()
completes each when it is made.  The bits are those of proxy_js.c and sdk/js/bridge.js.
"""
from collections import abc

import _corral

CALLABLE, AWAITABLE, ITERABLE, ITERATOR, LENGTH, ARRAY, BUFFER, ASYNC_ITERABLE = (1 << n for n in range(8))
ERROR, MAP, MUTABLE, GENERATOR, ASYNC_ITERATOR, ASYNC_GENERATOR, TYPED_ARRAY, DOUBLE = (1 << n for n in range(8, 16))
OBJECT_MAP, HEREDITARY, JSON = (1 << n for n in range(16, 19))
ONCE = 1 << 20
VIEW_OBJECT_MAP, VIEW_HEREDITARY_MAP, VIEW_JSON = range(3)

_functions = {}
_no_default = object()


def _js(name):
    """A function of sdk/js; looked up late, as the first types are made while the bridge starts."""
    function = _functions.get(name)
    if function is None:
        function = _functions[name] = _corral.internal(name)
    return function


def _array_of(items):
    """A JavaScript array with these items."""
    return _corral.js_array(items if isinstance(items, (list, tuple)) else list(items))


# ---- arrays ----


def _position(self, index):
    """Where insert() puts something."""
    length = len(self)
    return max(0, index + length) if index < 0 else min(index, length)


def set_slice(array, part, items):
    """array[part] = items; del array[part] when called from C without items."""
    values = _array_of(() if items is None else items)
    start, stop, step = part.indices(len(array))
    if not type(array)._js_bits & ARRAY:
        count = len(range(start, stop, step))
        if items is None:
            raise TypeError("a typed array keeps its length: its items cannot be deleted")
        if len(values) != count:
            raise ValueError(f"a typed array keeps its length: attempt to assign {len(values)} items to {count}")
        _js("assignItems")(array, start, step, values)
        return
    if step == 1:
        _js("replaceItems")(array, start, max(0, stop - start), values)
        return
    places = range(start, stop, step)
    if items is None:
        for place in sorted(places, reverse=True):
            del array[place]
        return
    if len(values) != len(places):
        raise ValueError(f"attempt to assign sequence of size {len(values)} to extended slice of size {len(places)}")
    for place, value in zip(places, values):
        array[place] = value


class ArrayMethods:
    """What a list can do beside being indexed."""

    def append(self, item):
        """Append an item to the end."""
        self.push(item)

    def extend(self, items):
        """Append all items of an iterable."""
        _js("replaceItems")(self, len(self), 0, _array_of(items))

    def insert(self, index, item):
        """Insert an item before the index."""
        _js("insertItem")(self, _position(self, index), item)

    def pop(self, index=-1):
        """Remove and return the item at the index."""
        length = len(self)
        if not length:
            raise IndexError("pop from empty list")
        if index < 0:
            index += length
        if not 0 <= index < length:
            raise IndexError("pop index out of range")
        return _js("takeItem")(self, index)

    def remove(self, item):
        """Remove the first item that is equal."""
        del self[ArrayMethods.index(self, item)]

    def index(self, item, start=0, stop=None):
        """The first index of an equal item."""
        length = len(self)
        start, stop, _ = slice(start, stop).indices(length)
        for n in range(start, stop):
            if self[n] == item:
                return n
        raise ValueError(f"{item!r} is not in list")

    def count(self, item):
        """How many items are equal."""
        return sum(1 for one in self if one == item)

    def reverse(self):
        """Turn the order round, in place."""
        _js("reverseItems")(self)

    def __reversed__(self):
        return (self[n] for n in range(len(self) - 1, -1, -1))

    def __add__(self, items):
        if not isinstance(items, abc.Iterable) or isinstance(items, (str, bytes, bytearray)):
            return NotImplemented
        return _js("concatItems")(self, _array_of(items))

    def __iadd__(self, items):
        ArrayMethods.extend(self, items)
        return self

    def __mul__(self, times):
        if not isinstance(times, int):
            return NotImplemented
        return _array_of(list(self) * times)

    __rmul__ = __mul__

    def __imul__(self, times):
        if not isinstance(times, int):
            return NotImplemented
        set_slice(self, slice(None), list(self) * times)
        return self


class JsonArrayMethods:
    def __iter__(self):
        return (self[n] for n in range(len(self)))


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

    def get(self, key, default=None, /):
        """The value of the key, else the default."""
        try:
            return _find(self, key)
        except KeyError:
            return default


class MutableMapMethods:
    def pop(self, key, default=_no_default, /):
        """Remove the key and return its value, or the default."""
        try:
            value = _find(self, key)
        except KeyError:
            if default is _no_default:
                raise
            return default
        del self[key]
        return value

    def popitem(self):
        """Remove and return some (key, value)."""
        for key in self:
            return key, MutableMapMethods.pop(self, key)
        raise KeyError("popitem(): the map is empty")

    def setdefault(self, key, default=None, /):
        """The value of the key, which becomes the default if there is none."""
        try:
            return _find(self, key)
        except KeyError:
            self[key] = default
        return default

    def update(self, other=(), /, **more):
        """Take over the keys and values of a mapping, or of pairs."""
        if hasattr(type(other), "keys") or isinstance(other, abc.Mapping):
            for key in other.keys():
                self[key] = other[key]
        else:
            for key, value in other:
                self[key] = value
        for key, value in more.items():
            self[key] = value


class RealMapMethods:
    def clear(self):
        """Remove everything."""
        _js("clearMap")(self)


class ObjectMapMethods:
    def clear(self):
        """Remove everything."""
        for key in list(self):
            del self[key]


# ---- generators ----


def _outcome(step):
    value, done = step[0], step[1]
    if done:
        raise StopIteration(value)
    return value


def _thrown(error, value=None, traceback=None):
    """generator.throw(type[, value[, traceback]]): the exception that is meant."""
    if isinstance(error, BaseException):
        return _corral.js_error(error)
    if not (isinstance(error, type) and issubclass(error, BaseException)):
        raise TypeError("exceptions must be classes or instances deriving from BaseException")
    return _corral.js_error(value if isinstance(value, error) else error() if value is None else error(value))


class GeneratorMethods:
    def send(self, value):
        """Resume it with the value of its `yield`; the next item."""
        return _outcome(_js("sendTo")(self, value))

    def throw(self, error, value=None, traceback=None):
        """Raise an exception at its `yield`; the next item."""
        return _outcome(_js("throwInto")(self, _thrown(error, value, traceback)))

    def close(self):
        """End it at its `yield`."""
        _js("closeGenerator")(self)


async def _outcome_later(promise):
    step = await promise
    if step.done:
        raise StopAsyncIteration
    return step.value


class AsyncIteratorMethods:
    def __anext__(self):
        return _outcome_later(self.next())


class AsyncGeneratorMethods:
    def asend(self, value):
        """Resume it with the value of its `yield`; the next item, to be awaited."""
        return _outcome_later(self.next(value))

    def athrow(self, error, value=None, traceback=None):
        """Raise an exception at its `yield`; the next item, to be awaited."""
        # `throw` itself is what JavaScript calls it.
        return _outcome_later(getattr(self, "throw")(_thrown(error, value, traceback)))

    async def aclose(self):
        """End it at its `yield`."""
        await getattr(self, "return")()


def _add(type, *classes):
    for one in classes:
        for name, value in vars(one).items():
            if callable(value):
                setattr(type, name, value)


def finish(type, bits):
    """Complete the type of JsProxies with these abilities."""
    type._js_bits = bits
    if bits & ARRAY:
        _add(type, ArrayMethods)
        abc.MutableSequence.register(type)
        if bits & JSON:
            _add(type, JsonArrayMethods)
    elif bits & OBJECT_MAP:
        _add(type, MapMethods, MutableMapMethods, ObjectMapMethods)
        abc.MutableMapping.register(type)
    elif bits & MUTABLE:
        _add(type, MapMethods, MutableMapMethods, RealMapMethods)
        abc.MutableMapping.register(type)
    elif bits & MAP:
        _add(type, MapMethods)
        abc.Mapping.register(type)
    if bits & GENERATOR:
        _add(type, GeneratorMethods)
    if bits & ASYNC_ITERATOR:
        _add(type, AsyncIteratorMethods)
    if bits & ASYNC_GENERATOR:
        _add(type, AsyncGeneratorMethods)


# ---- of every proxy (added once, by bridge.py) ----


class ProxyMethods:
    def as_object_map(self, *, hereditary=False):
        """The same object with its properties as items, as in a dict."""
        return _corral.view(self, VIEW_HEREDITARY_MAP if hereditary else VIEW_OBJECT_MAP)

    def as_py_json(self):
        """The same object, with objects as dicts and arrays as lists all the way down."""
        return _corral.view(self, VIEW_JSON)

    def bind_sig(self, signature):
        """For type checkers: the annotations are not used while running."""
        return self

    bind_class = bind_sig

    def to_weakref(self):
        """A WeakRef of JavaScript of this object."""
        import js
        return js.WeakRef.new(self)


def complete(proxy_type):
    _add(proxy_type, ProxyMethods)
