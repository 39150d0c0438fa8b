"""bridge.py - Python's half of what C cannot say shortly about values from JavaScript."""
import asyncio

import _corral

JsProxy = _corral.proxy_type()
_parts = _corral.internal("errorParts")


class JsException(Exception):
    """What JavaScript threw; `js_error` is the value itself."""

    def __init__(self, js_error):
        super().__init__(js_error)
        self.js_error = js_error
        self.name, self.message, self.stack = _parts(js_error)

    def __str__(self):
        return f"{self.name}: {self.message}" if self.message else self.name

    def __repr__(self):
        return f"JsException({str(self)!r})"

    def __getattr__(self, name):
        if name.startswith("__") or name == "js_error":
            raise AttributeError(name)
        return getattr(self.js_error, name)


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


async def wait_for(awaitable):
    """What comes of it in the end: as a promise, it may come to another one."""
    result = await awaitable
    while hasattr(type(result), "__await__"):
        result = await result
    return result
