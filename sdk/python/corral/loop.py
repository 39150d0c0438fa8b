"""loop.py - the instance's event loop as asyncio wants it; the hot half is C (_corral.Loop).

There is one loop, it always runs, and all requests share it: so nobody stops it, closes it or runs it, and what would
end its generators and its executor for all does nothing.  Threads may have loops of their own, asyncio's usual ones.
"""
import asyncio      # before _asyncio, which would else find it half made and be ignored by it
import asyncio.events
import concurrent.futures
import functools
import sys
import traceback

import _corral

from . import errors, libraries, refused, sync, threads
from .futures import PyodideFuture, PyodideTask   # the first for loop.c, too

Future = asyncio.Future     # of promises; as the task of a handler of that very type, for which asyncio's C has a short way
Task = asyncio.Task
assert Task.__module__ == "_asyncio"
set_running_loop = asyncio.events._set_running_loop

_RUNS_ALREADY = "the event loop of a worker always runs: make the handler `async def` and use await"
_is_debug = False
_DEBUG_FRAMES = 10      # of where a coroutine was made, in debug mode
_MISSING = {
    refused.SOCKETS: ("create_connection", "create_server", "create_unix_connection", "create_unix_server", "create_datagram_endpoint",
                      "start_tls", "sendfile", "connect_accepted_socket", "connect_read_pipe", "connect_write_pipe", "sock_connect",
                      "sock_accept", "sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into", "sock_sendall", "sock_sendto",
                      "sock_sendfile", "getaddrinfo", "getnameinfo", "add_reader", "remove_reader", "add_writer", "remove_writer"),
    refused.PROCESSES: ("subprocess_exec", "subprocess_shell"),
    refused.SIGNALS: ("add_signal_handler", "remove_signal_handler"),
}


def _missing(name, why):
    def method(self, *args, **kwargs):
        raise NotImplementedError(why)

    async def coroutine(self, *args, **kwargs):
        raise NotImplementedError(why)

    found = coroutine if asyncio.iscoroutinefunction(getattr(asyncio.AbstractEventLoop, name)) else method
    found.__name__ = name
    return found


def _call(function, args):
    """StopIteration, as of next(), cannot be a future's: until Python 3.12 whoever waits for it waits for ever."""
    try:
        return function(*args)
    except StopIteration as e:
        raise RuntimeError("StopIteration interacts badly with generators and cannot be raised into a Future") from e


class WebLoop(_corral.Loop, asyncio.AbstractEventLoop):
    """Always running, never waiting: the instance calls it when something is ready.

    WebLoop() gives the one loop that there is.  As in Pyodide its futures and tasks have then(), catch() and finally_().
    """

    slow_callback_duration = 0.1    # seconds; in debug mode the log names callbacks that take longer
    _the_one = None

    def __new__(cls):
        if WebLoop._the_one is None:
            self = WebLoop._the_one = super().__new__(cls)
            self._exception_handler = self._task_factory = self._executor = None
        return WebLoop._the_one

    def __repr__(self):
        return f"<{type(self).__name__} running={self.is_running()} closed={self.is_closed()} debug={self.get_debug()}>"

    def create_task(self, coro, *, name=None, context=None):
        if self._task_factory is not None:
            task = self._task_factory(self, coro) if context is None else self._task_factory(self, coro, context=context)
            if name is not None and hasattr(task, "set_name"):
                task.set_name(name)
            return task
        task = PyodideTask(coro, loop=self, name=name, context=context)
        if _is_debug and task._source_traceback:    # it ends here, which tells nobody anything
            del task._source_traceback[-1]
        return task

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
            raise RuntimeError(refused.PROCESSES + "; the default executor has threads")
        return asyncio.wrap_future(executor.submit(_call, func, args), loop=self)

    def set_default_executor(self, executor):
        if not isinstance(executor, concurrent.futures.ThreadPoolExecutor):
            raise TypeError("executor must be ThreadPoolExecutor instance")
        self._executor = executor

    async def shutdown_default_executor(self, timeout=None):
        """Does nothing: other requests use it."""

    async def shutdown_asyncgens(self):
        """Does nothing: the generators may be those of other requests."""

    def run_forever(self):
        raise RuntimeError(_RUNS_ALREADY)

    def run_until_complete(self, future):
        """What comes of it, as of run_sync(); of older dates a task of it, as in Pyodide 0.26."""
        return sync.run_until_complete(future)

    def stop(self):
        """Does nothing: the loop always runs."""

    def close(self):
        """Does nothing: the loop always runs."""

    def set_debug(self, enabled):
        """In debug mode the log names slow callbacks, and tasks and coroutines know where they were made."""
        global _is_debug
        _is_debug = bool(enabled)
        self._set_debug(_is_debug)
        sys.set_coroutine_origin_tracking_depth(_DEBUG_FRAMES if enabled else 0)

    def _report_slow(self, callback, seconds):
        """Called by run_timed of loop.c."""
        task = getattr(callback, "__self__", None)
        what = task if isinstance(task, asyncio.Task) else callback
        _corral.log(2, f"{what!r} took {seconds:.3f} seconds: nothing else ran in this instance meanwhile")

    def get_exception_handler(self):
        return self._exception_handler

    def set_exception_handler(self, handler):
        if handler is not None and not callable(handler):
            raise TypeError("A callable object or None is expected")
        self._exception_handler = handler

    def default_exception_handler(self, context):
        """One entry of the log: whose request it was, what asyncio says, the traceback or else what it is about."""
        line, text = _corral.request_line(), context.get("message") or "Unhandled exception in the event loop"
        exception = context.get("exception")
        text = text.removeprefix("Pyodide")     # "PyodideTask exception was never retrieved"
        if line:
            text = f"{line}: {text}"
        for key in sorted(context.keys() - {"message", "exception"}):
            if key in ("source_traceback", "handle_traceback"):
                text += "\nmade at (most recent call last):\n" + "".join(traceback.format_list(context[key])).rstrip()
            elif exception is None or self.get_debug():
                text += f"\n{key}: {context[key]!r}"
        if isinstance(exception, BaseException):
            text += "\n" + errors.format_exception(exception)
        _corral.log(4, text)

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
        setattr(WebLoop, name, _missing(name, why))
WebLoop.__module__ = "pyodide.webloop"
loop = WebLoop()


class WebLoopPolicy(asyncio.DefaultEventLoopPolicy):
    """The instance's loop where it runs; in threads what asyncio usually gives, so that asyncio.run() works there."""

    def get_event_loop(self):
        return loop if asyncio.events._get_running_loop() is loop else super().get_event_loop()

    def new_event_loop(self):
        """A thread's own loop; where the instance's runs, no other could, and that one is given."""
        return loop if asyncio.events._get_running_loop() is loop else super().new_event_loop()

    def set_event_loop(self, other):
        if asyncio.events._get_running_loop() is not loop:
            super().set_event_loop(other)


WebLoopPolicy.__module__ = "pyodide.webloop"
asyncio.set_event_loop_policy(WebLoopPolicy())
_run = asyncio.run
_runner_run = asyncio.Runner.run


def _refuse_to_run(coroutine):
    if asyncio.events._get_running_loop() is loop:
        if asyncio.iscoroutine(coroutine):
            coroutine.close()
        raise RuntimeError("asyncio.run() cannot be called from a running event loop: the one of a worker always runs, so make the "
                           "handler `async def` and write `await main()`")


@functools.wraps(_run)
def run(main, *, debug=None, **options):
    """On the worker's loop, where run_sync() can wait for it; a thread's own loop in a thread."""
    if not options and _corral.can_run_sync():
        return _corral.run_sync(main)
    _refuse_to_run(main)
    return _run(main, debug=debug, **options)


class Runner(asyncio.Runner):
    __doc__ = asyncio.Runner.__doc__

    def __enter__(self):
        _refuse_to_run(None)
        return super().__enter__()

    @functools.wraps(_runner_run)
    def run(self, coro, **options):
        _refuse_to_run(coro)
        return super().run(coro, **options)


asyncio.run, asyncio.Runner = run, Runner
threads.limit()
libraries.install()
refused.install()


def _close_later(generator):
    """Nobody holds this asynchronous generator any more: its `finally` runs as a task, as everywhere."""
    loop.call_soon_threadsafe(loop.create_task, generator.aclose())


sys.set_asyncgen_hooks(finalizer=_close_later)
