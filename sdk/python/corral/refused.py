"""refused.py - what a worker's box refuses, said in words where it is asked for, with what to do instead.

The kernel says no more than "Operation not permitted"; libraries pass that on in errors of their own.  The box itself
needs none of this: whoever goes around these functions meets the kernel.
"""
import _posixsubprocess
import errno
import functools
import os
import socket
import subprocess
import threading
import time
from asyncio import events

import _corral

from . import sync

SOCKETS = ("a worker has no sockets of its own: for HTTP use `await fetch(url)` (from js import fetch), httpx, aiohttp, requests or "
           "urllib.request, which send through the node")
PROCESSES = "a worker cannot start processes: call what you need as a Python module, or over HTTP with fetch"
SIGNALS = "a worker gets no signals: what is to be done at the end belongs into the request, or ctx.waitUntil"

_STARTERS = ("fork", "forkpty", "posix_spawn", "posix_spawnp", "execv", "execve", "system")
_LOOKUPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo")


def _no_process(function):
    @functools.wraps(function)
    def refused(*args, **kwargs):
        raise PermissionError(errno.EPERM, PROCESSES)

    return refused


def _refuse_processes():
    for name in _STARTERS:
        setattr(os, name, _no_process(getattr(os, name)))
    _posixsubprocess.fork_exec = _no_process(_posixsubprocess.fork_exec)
    for name in ("_fork_exec", "fork_exec"):        # as one Python or another calls it
        if hasattr(subprocess, name):
            setattr(subprocess, name, _posixsubprocess.fork_exec)


def _refuse_sockets():
    make = socket.socket.__init__

    @functools.wraps(make)
    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        try:
            make(self, family, type, proto, fileno)
        except PermissionError as e:
            raise PermissionError(e.errno, SOCKETS) from None

    socket.socket.__init__ = __init__
    for name in _LOOKUPS:
        setattr(socket, name, _no_lookup(getattr(socket, name)))


def _no_lookup(function):
    """Numbers and what /etc/hosts names are found; nothing else is."""

    @functools.wraps(function)
    def lookup(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except (socket.gaierror, socket.herror) as e:
            raise type(e)(e.errno, SOCKETS) from None

    return lookup


# ---- time.sleep ----

_sleep = time.sleep
_is_warned = False


@functools.wraps(_sleep)
def sleep(seconds, /):
    """Other requests go on where run_sync() can wait for it."""
    global _is_warned
    if sync.sleep(seconds):
        return
    if not _is_warned and events._get_running_loop() is not None and _corral.request_line():
        _is_warned = True
        _corral.log(2, f"time.sleep({seconds!r}) in a handler stops all requests of its instance for so long: write "
                       f"`await asyncio.sleep({seconds!r})`, or run what blocks in a thread, `await asyncio.to_thread(function)`")
    _sleep(seconds)


# ---- multiprocessing ----


class SemLock:
    """Semaphores of multiprocessing, among the threads of the one process: ThreadPool and its queues want them.

    The system's own are files, which a worker does not write.
    """

    SEM_VALUE_MAX = 2**31 - 1
    _RECURSIVE = 0

    def __init__(self, kind, value, maxvalue, name, unlink=True):
        self.kind, self.maxvalue = kind, maxvalue
        self.handle, self.name = 0, None
        self._value, self._depth, self._owner = value, 0, None
        self._changed = threading.Condition(threading.Lock())

    def acquire(self, block=True, timeout=None):
        if self.kind == self._RECURSIVE and self._is_mine():
            self._depth += 1
            return True
        with self._changed:
            if not self._value and (not block or not self._changed.wait_for(lambda: self._value, timeout)):
                return False
            self._value -= 1
        self._owner = threading.get_ident()
        self._depth += 1
        return True

    def release(self):
        if self.kind == self._RECURSIVE:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._depth > 1:
                self._depth -= 1
                return
        with self._changed:
            if self._value >= self.maxvalue:
                raise ValueError("semaphore or lock released too many times")
            self._depth -= 1
            self._value += 1
            self._changed.notify()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *unused):
        self.release()

    def _count(self):
        return self._depth

    def _is_mine(self):
        return self._depth > 0 and self._owner == threading.get_ident()

    def _get_value(self):
        return self._value

    def _is_zero(self):
        return self._value == 0

    def _after_fork(self):
        self._depth = 0


def install():
    import _multiprocessing
    _multiprocessing.SemLock = SemLock
    _refuse_processes()
    _refuse_sockets()
    time.sleep = sleep
