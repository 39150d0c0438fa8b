"""bridge.py - Python's half of what C cannot say shortly about values from JavaScript."""
import asyncio

import _corral

from . import kinds

JsProxy = _corral.proxy_type()
kinds.complete(JsProxy)
_new_error = _corral.internal("newError")


class JsException(Exception):
    """What JavaScript threw, and any Error of JavaScript; `js_error` is the value itself."""

    def __init__(self, name, message="", stack=""):
        error = _new_error(str(name), str(message), str(stack))
        self._set(error.js_error, str(name), str(message), str(stack))

    def _set(self, js_error, name, message, stack):
        own = self.__dict__
        own["js_error"], own["name"], own["message"], own["stack"] = js_error, name, message, stack
        self.args = (name, message)
        if stack:
            self.add_note("JavaScript:" + (stack if stack.startswith("\n") else "\n" + stack))

    @classmethod
    def of(cls, js_error, name, message, stack):
        """Called by the bridge."""
        self = cls.__new__(cls)
        self._set(js_error, name, message, stack)
        return self

    new = classmethod(lambda cls, *args: cls(*args))

    def __str__(self):
        return f"{self.name}: {self.message}" if self.message else self.name

    def __repr__(self):
        return f"JsException({str(self)!r})"

    def __getattr__(self, name):
        if name.startswith("__") or name == "js_error":
            raise AttributeError(name)
        return getattr(self.js_error, name)

    def __setattr__(self, name, value):
        if name.startswith("__") or name == "args":
            super().__setattr__(name, value)
            return
        setattr(self.js_error, name, value)
        if name in ("name", "message", "stack"):
            self.__dict__[name] = value

    def __eq__(self, other):
        if isinstance(other, JsException):
            other = other.js_error
        return self.js_error == other if isinstance(other, JsProxy) else NotImplemented

    def __hash__(self):
        return hash(self.js_error.js_id) if isinstance(self.js_error, JsProxy) else hash(self.js_error)

    def __dir__(self):
        return [*super().__dir__(), *dir(self.js_error)]

    def __reduce__(self):
        return JsException, (self.name, self.message, self.stack)


JsException.__module__ = "pyodide.ffi"


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


async def iterate(iterator):
    """`async for` over what a JavaScript asynchronous iterator gives."""
    done = False
    try:
        while True:
            step = await iterator.next()
            if step.done:
                done = True
                return
            yield step.value
    finally:
        if not done and hasattr(iterator, "return_"):
            await iterator.return_()


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
