"""threads.py - Python's threads in a worker: how many, how large, what becomes of those of top-level code.

Instances are forked from the loaded worker, and a fork takes no thread along.  So top-level code must leave none
behind: pools are emptied (they start their threads anew when they are next used), others are waited for.
"""
import _thread
import concurrent.futures.thread
import functools
import queue
import sys
import threading
import time

import _corral

from . import errors, sync

WAIT_SECONDS = 5        # for threads of top-level code
SWITCH_SECONDS = 0.001  # how long a thread that computes keeps a request waiting, each time it wants to go on
ROOM_SECONDS = 2        # that a thread waits for the end of another one, when no more may be
LOOK_SECONDS = 0.005
SAY_SECONDS = 1         # until the log says that it waits
_POOL = concurrent.futures.thread.ThreadPoolExecutor
_NO_ROOM = "can't start new thread"
_start = _thread.start_new_thread
_start_thread = threading.Thread.start
_adjust = _POOL._adjust_thread_count
_excepthook = threading.excepthook


def _has_room():
    """Whether there is room for one more; requests that have their own threads come and go, so it is waited for.

    In a request that is run_sync(): where it cannot be, the threads that should end may be waiting for the loop.
    """
    end = time.monotonic() + ROOM_SECONDS
    is_loops = threading.get_ident() == threading.main_thread().ident
    while _corral.thread_count() >= _corral.THREADS_MAX:
        if time.monotonic() > end:
            return False
        if is_loops and _corral.stream():
            if not sync.sleep(LOOK_SECONDS):
                return False
        else:
            time.sleep(LOOK_SECONDS)
    return True


def start_new_thread(function, args, *kwargs):
    if _corral.thread_count() >= _corral.THREADS_MAX and not _has_room():
        _corral.met("threads")
        raise RuntimeError(f"{_NO_ROOM}: an instance of a worker has at most {_corral.THREADS_MAX} at a time, and none has ended: "
                           "give the work to `await asyncio.to_thread(...)` or another pool, where it waits for its turn")
    _corral.make_thread_room()
    try:
        return _start(function, args, *kwargs)
    except RuntimeError as e:
        if str(e) != _NO_ROOM:
            raise
        raise RuntimeError(f"{_NO_ROOM}: the instance has no memory left for its stack of {threading.stack_size() >> 20} MiB "
                           f"({_corral.thread_count()} threads run)") from None


@functools.wraps(_start_thread)
def _start_alone(self):
    """A thread begins by itself. Others that were let in meanwhile would want the locks that the caller, a pool say, holds."""
    was = _corral.stand_still(True)
    try:
        _start_thread(self)
    finally:
        _corral.stand_still(was)


def _adjust_thread_count(self):
    """What cannot have a thread of its own waits in the queue for those that the pool has."""
    if self._threads and _corral.thread_count() >= _corral.THREADS_MAX:
        self._idle_semaphore.acquire(timeout=0)
        return
    try:
        _adjust(self)
    except RuntimeError:
        if not self._threads:
            raise


def _report(args):
    """An exception that ends a thread: one entry of the log, which begins with the worker's own code."""
    if args.exc_type is SystemExit or args.exc_value is None:
        return
    traceback = args.exc_value.__traceback__
    while traceback and traceback.tb_next and traceback.tb_frame.f_code.co_filename in (threading.__file__, start_new_thread.__code__.co_filename):
        traceback = traceback.tb_next
    text = errors.format_exception(args.exc_value.with_traceback(traceback))
    _corral.log(4, f"Exception in thread {args.thread.name if args.thread else threading.get_ident()}:\n{text}")


def limit():
    """Once, before any thread is there."""
    threading.stack_size(_corral.THREAD_STACK)
    sys.setswitchinterval(SWITCH_SECONDS)
    _thread.start_new_thread = _thread.start_new = threading._start_new_thread = start_new_thread
    threading.Thread.start = _start_alone
    _POOL._adjust_thread_count = _adjust_thread_count
    threading.excepthook = _report


# ---- before instances are forked ----


def _pool_of(thread):
    """The pool of concurrent.futures that the thread works for, or None."""
    reference = (getattr(thread, "_args", None) or (None,))[0]
    pool = reference() if callable(reference) and getattr(thread, "_target", None) is concurrent.futures.thread._worker else None
    return pool if isinstance(pool, _POOL) else None


def _empty(pool):
    """End the threads of a pool that has nothing to do, as if it had never been used."""
    with pool._shutdown_lock:
        if pool._work_queue.qsize() or pool._idle_semaphore._value < len(pool._threads):
            return
        was_shut_down, pool._shutdown = pool._shutdown, True
        pool._work_queue.put(None)
    for thread in pool._threads:
        thread.join()
    pool._threads = set()
    pool._work_queue = queue.SimpleQueue()
    pool._idle_semaphore = threading.Semaphore(0)
    pool._shutdown = was_shut_down


def _others():
    return [t for t in threading.enumerate() if t is not threading.main_thread()]


def settle():
    """Wait until top-level code's threads are gone; the names of those that stay."""
    end, say = time.monotonic() + WAIT_SECONDS, time.monotonic() + SAY_SECONDS
    while _corral.thread_count() > 0:
        threads = _others()
        for pool in {id(p): p for p in map(_pool_of, threads) if p}.values():
            _empty(pool)
        now = time.monotonic()
        if now > end:
            return [t.name for t in _others()] or ["a thread without a name"]
        if now > say:
            say = end + 1
            _corral.log(1, "waiting for threads that top-level code has started: " + (", ".join(t.name for t in threads) or "one without a name"))
        for thread in threads[:1]:
            thread.join(0.01)
        if not threads:
            time.sleep(0.01)
    return []
