"""loop.py - the instance's event loop as asyncio wants it; the hot half is C (_corral.Loop)."""
import asyncio      # before _asyncio, which would else find it half made and be ignored by it
import asyncio.events
import concurrent.futures
import sys

import _corral

from . import errors

Future = asyncio.Future
Task = asyncio.Task
assert Task.__module__ == "_asyncio"
set_running_loop = asyncio.events._set_running_loop


_SOCKETS = "a worker has no sockets of its own: for HTTP use `await fetch(url)` (from js import fetch)"
_PROCESSES = "a worker cannot start processes: call what you need as a Python module, or over HTTP with fetch"
_SIGNALS = "a worker gets no signals: what is to be done at the end belongs into the request, or ctx.waitUntil"
_MISSING = {
    _SOCKETS: ("create_connection", "create_server", "create_unix_connection", "create_unix_server", "create_datagram_endpoint",
               "start_tls", "sendfile", "connect_accepted_socket", "connect_read_pipe", "connect_write_pipe", "sock_connect",
               "sock_accept", "sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into", "sock_sendall", "sock_sendto",
               "sock_sendfile", "getaddrinfo", "getnameinfo", "add_reader", "remove_reader", "add_writer", "remove_writer"),
    _PROCESSES: ("subprocess_exec", "subprocess_shell"),
    _SIGNALS: ("add_signal_handler", "remove_signal_handler"),
}


def _missing(name, why):
    def method(self, *args, **kwargs):
        raise NotImplementedError(why)

    async def coroutine(self, *args, **kwargs):
        raise NotImplementedError(why)

    found = coroutine if asyncio.iscoroutinefunction(getattr(asyncio.AbstractEventLoop, name)) else method
    found.__name__ = name
    return found


class Loop(_corral.Loop, asyncio.AbstractEventLoop):
    """Always running, never waiting: the instance calls it when something is ready."""

    def __init__(self):
        self._exception_handler = None
        self._task_factory = None
        self._executor = None

    def create_task(self, coro, *, name=None, context=None):
        if self._task_factory is not None:
            task = self._task_factory(self, coro) if context is None else self._task_factory(self, coro, context=context)
            if name is not None and hasattr(task, "set_name"):
                task.set_name(name)
            return task
        return Task(coro, loop=self, name=name, context=context)

    def set_task_factory(self, factory):
        if factory is not None and not callable(factory):
            raise TypeError("task factory must be a callable or None")
        self._task_factory = factory

    def get_task_factory(self):
        return self._task_factory

    # Threads are allowed, processes are not.
    def run_in_executor(self, executor, func, *args):
        if executor is None:
            if self._executor is None:
                self._executor = concurrent.futures.ThreadPoolExecutor(thread_name_prefix="worker")
            executor = self._executor
        if isinstance(executor, concurrent.futures.ProcessPoolExecutor):
            raise RuntimeError("a worker cannot start processes: use the default executor, which has threads")
        return asyncio.wrap_future(executor.submit(func, *args), loop=self)

    def set_default_executor(self, executor):
        self._executor = executor

    async def shutdown_default_executor(self):
        pass

    async def shutdown_asyncgens(self):
        pass

    def run_forever(self):
        raise RuntimeError("the event loop is running already: make the handler `async def` and use await")

    def run_until_complete(self, future):
        if asyncio.iscoroutine(future):
            future.close()
        raise RuntimeError("the event loop is running already: make the handler `async def` and use await")

    def stop(self):
        pass

    def close(self):
        pass

    def set_debug(self, enabled):
        pass

    def get_exception_handler(self):
        return self._exception_handler

    def set_exception_handler(self, handler):
        if handler is not None and not callable(handler):
            raise TypeError("A callable object or None is expected")
        self._exception_handler = handler

    def default_exception_handler(self, context):
        text = context.get("message") or "Unhandled exception in the event loop"
        exception = context.get("exception")
        if isinstance(exception, BaseException):
            text += "\n" + errors.format_exception(exception)
        _corral.log(3, text)

    def call_exception_handler(self, context):
        if self._exception_handler is None:
            self.default_exception_handler(context)
            return
        try:
            self._exception_handler(self, context)
        except BaseException as e:
            self.default_exception_handler({"message": "Unhandled error in the exception handler", "exception": e})


for why, names in _MISSING.items():
    for name in names:
        setattr(Loop, name, _missing(name, why))
loop = Loop()


def _close_later(generator):
    """Nobody holds this asynchronous generator any more: its `finally` runs as a task, as everywhere."""
    loop.call_soon_threadsafe(loop.create_task, generator.aclose())


sys.set_asyncgen_hooks(finalizer=_close_later)
