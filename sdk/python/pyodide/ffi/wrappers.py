"""pyodide.ffi.wrappers - timers and event listeners that look after the proxies of their callbacks.

TIMEOUTS, INTERVAL_CALLBACKS and EVENT_LISTENERS hold the proxies of what is pending, as in Pyodide.
"""
from collections import abc
from typing import Any, Protocol

import js

from . import JsProxy, create_once_callable, create_proxy


class Destroyable(Protocol):
    """What has destroy()."""

    def destroy(self):
        """Let go of it."""


class DUMMY_DESTROYABLE:
    """Stands in for a proxy that is gone already."""

    @staticmethod
    def destroy():
        """Nothing to let go of."""


EVENT_LISTENERS: dict[tuple[int, str, abc.Callable], JsProxy] = {}
TIMEOUTS: dict[int, Destroyable] = {}
INTERVAL_CALLBACKS: dict[int, Destroyable] = {}


def _key(timer):
    """JavaScript names a timer by a number, or by an object as Node does."""
    return timer if isinstance(timer, int) else timer.js_id


def add_event_listener(elt: JsProxy, event: str, listener: abc.Callable[[Any], None]) -> None:
    """elt.addEventListener(event, listener); remove_event_listener() with the same three undoes it.

    The target alone holds the listener: what nobody can reach any more goes with its listeners.
    """
    proxy = create_proxy(listener)
    EVENT_LISTENERS[elt.js_id, event, listener] = js.WeakRef.new(proxy)
    elt.addEventListener(event, proxy)


def remove_event_listener(elt: JsProxy, event: str, listener: abc.Callable[[Any], None]) -> None:
    """Undo add_event_listener(); raises KeyError for what was not added by it."""
    proxy = EVENT_LISTENERS.pop((elt.js_id, event, listener)).deref()
    if proxy is not None:
        elt.removeEventListener(event, proxy)
        proxy.destroy()


def set_timeout(callback: abc.Callable[[], None], timeout: int) -> int | JsProxy:
    """Call `callback` once, in so many milliseconds; what it returns is for clear_timeout()."""
    key = None

    def run():
        TIMEOUTS.pop(key, None)
        callback()

    proxy = create_once_callable(run)
    timer = js.setTimeout(proxy, timeout)
    key = _key(timer)
    TIMEOUTS[key] = proxy
    return timer


def clear_timeout(timeout_retval: int | JsProxy) -> None:
    """Undo set_timeout(); of a callback that has run, or never was, nothing."""
    js.clearTimeout(timeout_retval)
    TIMEOUTS.pop(_key(timeout_retval), DUMMY_DESTROYABLE).destroy()


def set_interval(callback: abc.Callable[[], None], interval: int) -> int | JsProxy:
    """Call `callback` each so many milliseconds, until clear_interval() of what this returns."""
    proxy = create_proxy(callback)
    timer = js.setInterval(proxy, interval)
    INTERVAL_CALLBACKS[_key(timer)] = proxy
    return timer


def clear_interval(interval_retval: int | JsProxy) -> None:
    """Undo set_interval(); nothing if that was done."""
    js.clearInterval(interval_retval)
    INTERVAL_CALLBACKS.pop(_key(interval_retval), DUMMY_DESTROYABLE).destroy()


__all__ = ["add_event_listener", "clear_interval", "clear_timeout", "remove_event_listener", "set_interval", "set_timeout"]
