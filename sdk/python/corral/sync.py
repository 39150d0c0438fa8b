"""sync.py - waiting in plain functions: what others make of run_sync."""
import _thread
import asyncio
import threading
import time
import types

import _corral

completes = True        # whether run_until_complete() waits, as of newer dates: set by load.py


def run_until_complete(future):
    return _corral.run_sync(future) if completes else asyncio.ensure_future(future)


def sleep(seconds):
    """Whether it has waited without stopping anybody else."""
    if not isinstance(seconds, (int, float)) or not seconds > 0 or not _corral.can_run_sync():
        return False
    try:
        _corral.run_sync(asyncio.sleep(seconds))
    except RuntimeError:    # as many as may wait do
        return False
    return True


# ---- locks that are taken: called by locks.c ----

LOOK_SECONDS = 0.005    # who waits for a lock looks again after so long, as not every release is told,
LOOK_SECONDS_MAX = 0.1  # and more and more rarely
waiters = {}            # by id of the lock: futures of those who wait for it


def wait_for_lock(lock, seconds):
    """acquire() of a lock that somebody has, in seconds or (-1) whenever."""
    loop, end, patience = asyncio.get_running_loop(), None if seconds < 0 else time.monotonic() + seconds, LOOK_SECONDS
    while True:
        released = asyncio.Future(loop=loop)
        left = patience if end is None else min(patience, max(0, end - time.monotonic()))
        patience = min(2 * patience, LOOK_SECONDS_MAX)
        look = loop.call_later(left, _settle, released)
        waiting = waiters.setdefault(id(lock), [])
        waiting.append(released)
        try:
            _corral.run_sync(released)
        finally:
            look.cancel()
            waiting.remove(released)
            if not waiting:
                waiters.pop(id(lock), None)
        if lock.acquire(False):
            return True
        if end is not None and time.monotonic() >= end:
            return False


def _settle(future):
    if not future.done():
        future.set_result(None)


def wake_one(lock):
    """It was released, by any thread."""
    for released in waiters.get(id(lock), ()):
        if not released.done():
            released.get_loop().call_soon_threadsafe(_settle, released)
            return


# ---- threads that stand in for the main one ----


def _install():
    """To Python they are it; but one import of a module waits for another, which goes by the thread that really runs."""
    import importlib._bootstrap as bootstrap
    bootstrap._thread = types.SimpleNamespace(**vars(_thread))
    _thread.get_ident = threading.get_ident = _corral.get_ident


_install()
