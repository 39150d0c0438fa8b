"""_methods.py - the methods of the types of pyodide.ffi, for help(), inspect, mocks with a spec, and `JsArray.append(a, 1)`.

Objects of JavaScript have types of their own (corral.kinds), which do the work: here are names, arguments and words.
"""
import functools


def _of_the_object(function):
    """A method that asks the object, whose type has the same one."""
    name = function.__name__

    @functools.wraps(function)
    def method(self, /, *args, **kwargs):
        return getattr(self, name)(*args, **kwargs)

    return method


def methods_of(described):
    """What a type gets of one of these classes."""
    return {name: _of_the_object(value) if callable(value) else value for name, value in vars(described).items() if not name.startswith("__")}


class Proxy:
    @property
    def js_id(self):
        """A number that two proxies of the same object have in common."""
        return self.js_id

    @property
    def typeof(self):
        """What JavaScript's typeof says."""
        return self.typeof

    def new(self, /, *args, **kwargs):
        """`new X(...)`; keyword arguments become an object."""

    def to_py(self, /, *, depth=-1, default_converter=None):
        """Python's dict, list, set and so on of what is in it, that many levels deep."""

    def as_object_map(self, /, *, hereditary=False):
        """A JsMutableMap of the properties; hereditary: of the objects in it too."""

    def as_py_json(self, /):
        """The object as dicts and lists would be, all the way down, without a copy."""

    def object_entries(self, /):
        """`Object.entries(x)`."""

    def object_keys(self, /):
        """`Object.keys(x)`."""

    def object_values(self, /):
        """`Object.values(x)`."""

    def bind_sig(self, /, signature):
        """The same object, whose arguments and results are converted as a function or class says."""

    def bind_class(self, /, signature):
        """The same class, whose objects are bound to a signature."""

    def to_weakref(self, /):
        """A JsWeakRef to it."""


class Array:
    def append(self, /, object):
        """Add an item at the end."""

    def push(self, /, object):
        """Add an item at the end, as JavaScript calls it."""

    def extend(self, other, /):
        """Add the items of an iterable at the end."""

    def insert(self, /, index, value):
        """Add an item before the index."""

    def pop(self, /, index=-1):
        """Remove an item and return it; IndexError if there is none."""

    def remove(self, /, value):
        """Remove the first item that is equal; ValueError if none is."""

    def index(self, /, value, start=0, stop=2147483647):
        """Where the first item is that is equal; ValueError if none is."""

    def count(self, /, x):
        """How many items are equal."""

    def reverse(self, /):
        """Put the items in the opposite order."""

    def clear(self, /):
        """Remove all items."""


class Map:
    def keys(self, /):
        """A view of the keys."""

    def items(self, /):
        """A view of the pairs of keys and values."""

    def values(self, /):
        """A view of the values."""

    def get(self, key, default=None, /):
        """The value of the key, else the default."""


class MutableMap:
    def pop(self, key, default=None, /):
        """Remove the key and return its value, or the default; KeyError without one."""

    def popitem(self, /):
        """Remove and return some (key, value)."""

    def setdefault(self, /, key, default=None):
        """The value of the key, which becomes the default if there is none."""

    def update(self, /, *args, **kwargs):
        """Take over the keys and values of a mapping, or of pairs."""

    def clear(self, /):
        """Remove everything."""


class Buffer:
    def to_bytes(self, /):
        """A copy as bytes."""

    def to_memoryview(self, /):
        """A copy as a memoryview, with the format of the array."""

    def to_string(self, /, encoding=None):
        """The text in it; ValueError if it is none of that encoding, which is utf-8 unless told."""

    def assign(self, rhs, /):
        """Copy what a Python buffer holds into it; ValueError if the sizes or formats differ."""

    def assign_to(self, to, /):
        """Copy what it holds into a Python buffer; ValueError if the sizes or formats differ."""

    def from_file(self, file, /):
        """Fill it from an open file."""

    def to_file(self, file, /):
        """Write it to an open file."""


class TypedArray:
    def subarray(self, /, start=None, stop=None):
        """Another array on a part of the same memory."""


class Promise:
    def then(self, /, onfulfilled, onrejected=None):
        """A promise of what the function gives for the value, or the other one for the error."""

    def catch(self, onrejected, /):
        """A promise of the value, or of what the function gives for the error."""

    def finally_(self, onfinally, /):
        """The same promise, which is kept after the function has been called."""


class Generator:
    def send(self, /, value):
        """Resume it with the value of its `yield`; the next item."""

    def throw(self, /, *args):
        """Raise an exception at its `yield`; the next item."""

    def close(self, /):
        """End it at its `yield`; RuntimeError if it goes on."""


class AsyncGenerator:
    def asend(self, value, /):
        """Resume it with the value of its `yield`; an awaitable of the next item."""

    def athrow(self, /, value, *args):
        """Raise an exception at its `yield`; an awaitable of the next item."""

    def aclose(self, /):
        """End it at its `yield`; an awaitable."""


class DoubleProxy:
    def destroy(self, /):
        """Let go of the Python object: the proxy is of no use any more."""

    def unwrap(self, /):
        """The Python object."""


class OnceCallable:
    def destroy(self, /):
        """Let go of the function, if it has not been called."""


class FetchResponse:
    def arrayBuffer(self, /):
        """A promise of the body."""

    def clone(self, /):
        """Another Response of the same body."""

    def json(self, /):
        """A promise of what the body holds as JSON."""

    def text(self, /):
        """A promise of the body's text."""


class WeakRef:
    def deref(self, /):
        """The object, or None if it is gone."""
