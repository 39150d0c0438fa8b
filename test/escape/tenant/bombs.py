"""Bombs: what uses up something that is there for all.  Each has an end of its own, so that nothing is hurt where no box ends it.

A bomb returns what it got, if it gets that far; `enough` in the tests says from where on it would have been too much."""
import asyncio
import ctypes
import json
import os
import re
import threading
import time

import js
from pyodide.code import run_js

from kernel import call, libc, machine_code
from script import instance_of

MIB = 1 << 20
BOMBS = {}


def bomb(kind, enough):
    """kind: what it uses up.  enough: the result that would be too much; 0: it says nothing."""
    def keep(run):
        BOMBS[run.__name__] = (kind, enough, run)
        return run
    return keep


async def run(told):
    outcome = BOMBS[told["name"]][2](told)
    return await outcome if asyncio.iscoroutine(outcome) else outcome


# ---- processes and threads ----

@bomb("processes", 8)
def forks(c):
    """fork, again and again."""
    made = []
    try:
        while len(made) < 16:
            pid = call("fork")
            if pid == 0:
                call("nanosleep", (ctypes.c_long * 2)(5, 0), None)
                call("exit_group", 0)
            made.append(pid)
    except OSError:
        pass
    for pid in made:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    return len(made)


@bomb("threads", 1500)
def threads(c):
    """Threads of Python."""
    stop, made = threading.Event(), 0
    try:
        while made < 2000:
            threading.Thread(target=stop.wait, daemon=True).start()
            made += 1
    except (RuntimeError, MemoryError, OSError):
        pass
    stop.set()
    return made


@bomb("threads", 1500)
def threads_of_c(c):
    """Threads of C, which no language knows."""
    made, thread = 0, ctypes.c_ulong()
    # jmp $: a thread that computes for ever would do the same; these sleep: mov eax,34 (pause); syscall; jmp -9
    code = machine_code(b"\xb8\x22\0\0\0\x0f\x05\xeb\xf7")
    while made < 2000 and libc.pthread_create(ctypes.byref(thread), None, code, None) == 0:
        made += 1
    return made


# ---- memory ----

@bomb("memory", 256)
def heap(c):
    """Bytes of Python."""
    hold = []
    while len(hold) < 300:
        hold.append(bytearray(os.urandom(4096)) * 256)
    return len(hold)


@bomb("memory", 256)
def objects(c):
    """Small objects."""
    hold = []
    while len(hold) < 5_000_000:
        hold.append([len(hold)])
    return len(hold) * 64 // MIB


@bomb("memory", 256)
def pages(c):
    """Pages of the kernel's, written."""
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    held = []
    while len(held) < 300:
        page = libc.mmap(None, MIB, 3, 0x8022, -1, 0)       # MAP_POPULATE
        if page in (None, ctypes.c_void_p(-1).value):
            break
        held.append(page)
    for page in held:
        call("munmap", page, MIB)
    return len(held)


@bomb("memory", 1000)
def memory_files(c):
    """Memory in files that no limit of the kernel's counts: memfd. It is looked at ten times a second, so much gets through."""
    fds, piece = [], b"x" * MIB
    try:
        while len(fds) < 250:
            fds.append(call("memfd_create", "bomb", 0))
            for _ in range(4):
                call("write", fds[-1], piece, MIB)
    except OSError:
        pass
    finally:
        for fd in fds:
            call("close", fd)
    return len(fds) * 4


@bomb("memory", 128)
def page_tables(c):
    """Tables of pages: one byte in each 2 MiB costs 4 KiB of a table beside the page."""
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    touched = 0
    while touched < 40000:
        begin = libc.mmap(None, 16 * MIB, 3, 0x4022, -1, 0)     # MAP_NORESERVE
        if begin in (None, ctypes.c_void_p(-1).value):
            break
        for at in range(begin, begin + 16 * MIB, 2 * MIB):
            ctypes.memset(at, 1, 1)
            touched += 1
    return touched * 4096 // MIB


@bomb("memory", 64)
def pipes(c):
    """Memory of the kernel in pipes and sockets."""
    got, piece = 0, b"x" * 65536
    held = []
    try:
        while len(held) < 2000:
            pair = (ctypes.c_int * 2)()
            call("socketpair" if len(held) % 2 else "pipe2", *((1, 1, 0, pair) if len(held) % 2 else (pair, 0)))
            held.append(pair)
            call("fcntl", pair[1], 4, os.O_NONBLOCK)
            try:
                while True:
                    got += call("write", pair[1], piece, len(piece))
            except BlockingIOError:
                pass
    except OSError:
        pass
    for pair in held:
        for fd in pair:
            os.close(fd)
    return got // MIB


@bomb("memory", 256)
def stack(c):
    """The stack, by recursion in machine code."""
    # push rax (x4096 by loop would be the same): sub rsp,4096; push rax; call -13: the end is a signal
    machine_code(b"\x48\x81\xec\0\x10\0\0\x50\xe8\xf3\xff\xff\xff\xc3")()
    return 256


@bomb("memory", 0)
def tmp(c):
    """Files in /tmp."""
    n, piece = 0, b"x" * MIB
    try:
        while n < 600:
            with open("/tmp/bomb-%d" % n, "wb") as f:
                f.write(piece)
            n += 1
    except (OSError, MemoryError):
        return "ended at %d" % n if n < 600 else None
    return None


@bomb("memory", 256)
def arrays_of_script(c):
    """Arrays of JavaScript."""
    return run_js("() => { const hold = []; while (hold.length < 300) hold.push(new Uint8Array(1 << 20).fill(7)); return hold.length }")()


@bomb("memory", 256)
def strings_of_script(c):
    """Strings of JavaScript."""
    return run_js("() => { const hold = []; while (hold.length < 300) { const s = String(hold.length).padEnd(1 << 20, 'ab'); hold.push(s + '1'); s.charCodeAt(5); hold[hold.length-1].charCodeAt(5) } return hold.length }")()


@bomb("memory", 256)
def memory_of_wasm(c):
    """Memory of WebAssembly, grown and written."""
    module = instance_of(0)
    return run_js("""(m) => { const memory = m.exports.m; let pages = 1;
        while (pages < 4800) { memory.grow(1600); pages += 1600; new Uint8Array(memory.buffer).fill(1, (pages - 1600) * 65536) }
        return pages / 16 | 0 }""")(module)


# ---- processor time ----

def spin(seconds=8):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@bomb("time", 0)
def loop(c):
    """A loop of Python."""
    spin()


@bomb("time", 0)
def loop_of_threads(c):
    """Threads that compute, while nothing waits for them."""
    for _ in range(4):
        threading.Thread(target=spin, daemon=True).start()
    spin()


@bomb("time", 0)
def loop_of_c(c):
    """A loop of machine code, which no language can interrupt."""
    # mov rcx,12e9; dec rcx; jnz; ret: some seconds
    machine_code(b"\x48\xb9" + (12 * 10**9).to_bytes(8, "little") + b"\x48\xff\xc9\x75\xfb\xc3")()


@bomb("time", 0)
def number_of_c(c):
    """One operation of Python that takes for ever."""
    return pow(7, 60_000_000) & 1


@bomb("time", 0)
def pattern(c):
    """A regular expression that tries everything."""
    re.match(r"(a+)+$", "a" * 31 + "b")


@bomb("time", 0)
def loop_of_script(c):
    """A loop of JavaScript."""
    run_js("() => { const end = Date.now() + 8000; while (true) { for (let i = 0; i < 1e6; i++); if (performance.now() < 0) return } }")()


@bomb("tasks", 0)
def pattern_of_script(c):
    """A regular expression of JavaScript's that tries everything: the engine itself gives up."""
    return run_js("() => /^(a+)+$/.test('a'.repeat(34) + 'b')")()


@bomb("time", 0)
async def microtasks(c):
    """Promises that each make the next."""
    await run_js("(async () => { while (true) await null })()")


@bomb("time", 0)
def loop_of_wasm(c):
    """A loop of WebAssembly."""
    # (module (func (export "f") (loop (br 0))))
    code = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\7\5\1\1f\0\0\x0a\x09\1\7\0\x03\x40\x0c\0\x0b\x0b"
    run_js("(bytes) => { new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.f() }")(js.Uint8Array.new(code))


@bomb("time", 0)
def loop_that_catches(c):
    """A loop that takes every exception for none."""
    end = time.monotonic() + 8
    while time.monotonic() < end:
        try:
            while time.monotonic() < end:
                pass
        except BaseException:
            pass


# ---- descriptors, logs, answers ----

@bomb("descriptors", 1000)
def descriptors(c):
    """Descriptors."""
    made = []
    try:
        while len(made) < 2000:
            made.append(call("eventfd2", 0, 0))
    except OSError:
        pass
    for fd in made:
        os.close(fd)
    return len(made)


@bomb("log", 0)
def prints(c):
    """Lines of the log."""
    for n in range(200000):
        print("x" * 200)
    return "printed"


@bomb("log", 0)
def raw_lines(c):
    """Lines of the log, past all that counts them: to descriptor 2."""
    piece = b"y" * 4096 + b"\n"
    for _ in range(5000):
        os.write(2, piece)
    return "printed"


@bomb("error", 0)
def deep_exception(c):
    """An exception with a thousand causes."""
    error = None
    for n in range(5000):
        made = ValueError("x" * 2000)
        made.__cause__ = error
        error = made
    raise error


@bomb("error", 0)
def recursion(c):
    """Functions that call themselves, in each language."""
    try:
        run_js("() => { const f = () => f(); f() }")()
    except Exception:
        pass
    def down(n):
        return down(n + 1)
    return down(0)


@bomb("tasks", 0)
async def timers(c):
    """Timers without number."""
    for _ in range(200000):
        js.setTimeout(js.Object.new, 100000)
    return "set"


@bomb("subrequests", 2000)
async def subrequests(c):
    """Subrequests without number."""
    made = 0
    try:
        for _ in range(2000):
            try:
                await js.fetch("http://127.0.0.1:1/")
            except Exception as e:
                if "subrequest" in str(e).lower():
                    break
            made += 1
    except BaseException:
        pass
    return made
