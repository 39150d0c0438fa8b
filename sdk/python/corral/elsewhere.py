"""elsewhere.py - JavaScript in threads that are not the loop's: the half of src/realm/bridge/proxy_away.c in Python."""
import asyncio
import functools

import _corral

from .loop import loop


def bind(method):
    """A method of a JsProxy that another thread will call: it runs on the loop."""
    return functools.partial(_corral.elsewhere, method)


async def _come(awaitable):
    return await awaitable


def _soon(awaitable):
    return asyncio.run_coroutine_threadsafe(_come(awaitable), loop)


def awaited(promise):
    """What `await promise` iterates over where a loop of the thread's own runs."""
    return asyncio.wrap_future(_soon(promise)).__await__()


def run_sync(awaitable):
    """What it comes to: the loop waits for it, and this thread for the loop."""
    future = _soon(awaitable)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
