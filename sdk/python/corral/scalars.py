"""scalars.py - values of JavaScript that Python has no type for: null, and BigInt where it must stay one."""
import functools
import json


class JsNull:
    """The type of jsnull, which is JavaScript's null and must not be mistaken for undefined."""

    typeof = "object"

    def __new__(cls):
        return jsnull

    def __bool__(self):
        return False

    def __repr__(self):
        return "jsnull"

    def __reduce__(self):
        return "jsnull"


jsnull = object.__new__(JsNull)


def _same(value):
    return JsBigInt(value) if isinstance(value, int) else value


class JsBigInt(int):
    """An integer that is a BigInt in JavaScript, however small.

    Computing with one gives another when it stands on the left; products are plain ints, as in Pyodide.
    """

    def __abs__(self):
        return JsBigInt(int.__abs__(self))

    def __neg__(self):
        return JsBigInt(int.__neg__(self))

    def __pos__(self):
        return JsBigInt(int.__pos__(self))

    def __invert__(self):
        return JsBigInt(int.__invert__(self))

    def __add__(self, other):
        return _same(int.__add__(self, other))

    def __sub__(self, other):
        return _same(int.__sub__(self, other))

    def __floordiv__(self, other):
        return _same(int.__floordiv__(self, other))

    def __mod__(self, other):
        return _same(int.__mod__(self, other))

    def __pow__(self, other, modulus=None):
        return _same(int.__pow__(self, other, modulus))

    def __lshift__(self, other):
        return _same(int.__lshift__(self, other))

    def __rshift__(self, other):
        return _same(int.__rshift__(self, other))

    def __and__(self, other):
        return _same(int.__and__(self, other))

    def __or__(self, other):
        return _same(int.__or__(self, other))

    def __xor__(self, other):
        return _same(int.__xor__(self, other))


JsNull.__module__ = JsBigInt.__module__ = "pyodide.ffi"

# json.dumps() of jsnull is null, as in Pyodide from 0.28 on.
_default = json.JSONEncoder.default


@functools.wraps(_default)
def _default_or_null(self, o):
    return None if o is jsnull else _default(self, o)


json.JSONEncoder.default = _default_or_null
