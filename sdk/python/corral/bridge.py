"""bridge.py - Python's half of what C cannot say shortly about values from JavaScript."""
import asyncio

import _corral

from . import kinds

JsProxy = _corral.proxy_type()
_new_error = _corral.internal("newError")


class JsException(Exception):
    """What JavaScript threw, and any Error of JavaScript: `name`, `message`, `stack` and its other attributes.

    `js_error` is the error: this exception itself or, when no error was thrown, what was.  Made by
    JsException(name, message="", stack="") it is a new error of JavaScript.
    """

    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)

    def __init__(self, *args, **kwargs):
        name, message, stack = _words(*args, **kwargs)
        self._set(_new_error(name, message, stack)._js_value, name, message, stack)

    def __init_subclass__(cls):
        raise TypeError("type 'pyodide.ffi.JsException' is not an acceptable base type")

    def _set(self, value, name, message, stack):
        own = self.__dict__
        own["_js_value"], own["name"], own["message"], own["stack"] = value, name, message, stack
        self.args = (value,)
        if stack:
            self.add_note("JavaScript:" + (stack if stack.startswith("\n") else "\n" + stack))

    @classmethod
    def of(cls, value, name, message, stack):
        """Called by the bridge."""
        self = cls.__new__(cls)
        self._set(value, name, message, stack)
        return self

    new = classmethod(lambda cls, *args: cls(*args))

    @property
    def js_error(self):
        """The error itself."""
        value = self._js_value
        return self if isinstance(value, JsProxy) and type(value)._js_bits & kinds.ERROR else value

    def __str__(self):
        if self.js_error is self:
            try:
                return str(self._js_value)
            except JsException:     # an error whose toString() throws
                pass
        return f"{self.name}: {self.message}" if self.message else self.name

    __repr__ = __str__

    def __getattr__(self, name):
        if name.startswith("__") or name == "_js_value":
            raise AttributeError(name)
        return getattr(self._js_value, name)

    def __setattr__(self, name, value):
        if name.startswith("__") or name == "args":
            super().__setattr__(name, value)
            return
        setattr(self._js_value, name, value)
        if name in ("name", "message", "stack"):
            self.__dict__[name] = value

    def __eq__(self, other):
        if isinstance(other, JsException):
            other = other._js_value
        return self._js_value == other if isinstance(other, JsProxy) else NotImplemented

    def __hash__(self):
        return hash(self._js_value.js_id) if isinstance(self._js_value, JsProxy) else hash(self._js_value)

    def __dir__(self):
        return sorted({*super().__dir__(), *dir(self._js_value)})

    def __reduce__(self):
        return JsException, (self.name, self.message, self.stack)


def _words(*args, **kwargs):
    """The arguments of JsException(); refused in Pyodide's words."""
    names = ("name", "message", "stack")
    given = {**dict(zip(names, args)), **kwargs}
    if len(args) > 3 or set(given) - set(names):
        raise TypeError(f"__new__() takes at most 3 arguments ({len(args) + len(kwargs)} given)")
    if "name" not in given:
        raise TypeError("__new__() missing required argument 'name' (pos 1)")
    for place, name in enumerate(names, 1):
        if not isinstance(given.get(name, ""), str):
            raise TypeError(f"__new__() argument {place} must be str, not {type(given[name]).__name__}")
    return given["name"], given.get("message", ""), given.get("stack", "")


JsException.__module__ = "pyodide.ffi"
_corral.set_exception(JsException)


def subscribe(awaitable, resolve, reject):
    """Settle a promise with what comes of a Python awaitable."""

    def ended(task):
        if task.cancelled():
            reject(_corral.js_error(asyncio.CancelledError()))
        elif task.exception() is not None:
            reject(_corral.js_error(task.exception()))
        else:
            resolve(task.result())

    asyncio.ensure_future(awaitable).add_done_callback(ended)


class Steps:
    """An asynchronous iterable of Python as JavaScript goes through it."""

    def __init__(self, iterable):
        self._iterator = aiter(iterable)
        self._step = None

    def next(self):
        """A task: (value,), or None at the end."""
        self._step = asyncio.ensure_future(self._next())
        return self._step

    async def _next(self):
        try:
            return (await anext(self._iterator),)
        except StopAsyncIteration:
            return None

    async def end(self):
        """Nobody wants more: what waits in it is cancelled, then it is closed."""
        if self._step and not self._step.done():
            self._step.cancel()
            await asyncio.wait([self._step])
        close = getattr(self._iterator, "aclose", None)
        if close:
            await close()


async def wait_for(awaitable):
    """What comes of it in the end: as a promise, it may come to another one."""
    result = await awaitable
    while hasattr(type(result), "__await__"):
        result = await result
    return result
