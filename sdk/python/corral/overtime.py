"""overtime.py - whether the code that runs may be stopped here, and with which words."""
import asyncio
import os
import threading
import traceback

from . import errors
from .loop import loop

# Code that other requests share: what it has begun must be finished.
_SHARED = (os.path.dirname(asyncio.__file__) + os.sep, threading.__file__)


class CpuLimitExceeded(BaseException):
    """The request has used more processor time than limits.cpu_ms allows; its client has got error 1102 already.

    Raised wherever its code happens to be.  It is no Exception, so that `except Exception` lets it pass; what `finally` does must
    be short: a moment later the process is ended.
    """


_TEXT = "the request has used up its processor time (limits.cpu_ms)"
CpuLimitExceeded.__module__ = "workers"


def stop(frame):
    """(exception, what the log says) to raise it in this frame; None when its code must not be interrupted."""
    file = frame.f_code.co_filename
    if errors.is_ours(file) or file.startswith(_SHARED):
        return None
    return ended(frame)


def ended(frame):
    """Likewise, where a call ends anyway: its script was ended.  frame: None where there is no Python."""
    exception = CpuLimitExceeded(_TEXT)
    stack = [one for one in (traceback.extract_stack(frame) if frame else ()) if not errors.is_ours(one.filename)]
    return exception, errors.shorten_paths("Traceback (most recent call last):\n" + "".join(traceback.format_list(stack)) +
                                           f"workers.CpuLimitExceeded: {exception}\n")


def wake(stream):
    """What waits in this request will not come any more: its handler gets the exception where it waits."""
    for task in asyncio.all_tasks(loop):
        # The handler's own has a callback of worker.c, bound to the stream's number.
        if not any(getattr(callback, "__name__", "") == "task_ended" and callback.__self__ == stream for callback, _ in task._callbacks or ()):
            continue
        waiter = task
        while isinstance(waiter, asyncio.Task):
            waiter = waiter._fut_waiter
        if waiter is not None and not waiter.done():
            waiter.set_exception(CpuLimitExceeded(_TEXT))
