"""What is left in one's own memory of others: words that were planted elsewhere, addresses, seeds, environment."""
import ctypes
import hashlib
import os
import re
import struct

from attempt import NOT, OWN, attempt
from kernel import call, libc

WORD = rb"corral-plant-([a-z]+)-([0-9a-f]{32})"     # the tests plant these; here only their SHA-256 are known
PAGE = 4096


def regions(c):
    """Ranges of one's own memory: as /proc/self/maps has them, or as found by asking page by page."""
    if c.maps:
        return [tuple(r) for r in c.maps]
    try:
        with open("/proc/self/maps") as f:
            return [tuple(int(x, 16) for x in line.split()[0].split("-")) for line in f if line.split()[1][0] == "r"]
    except OSError:
        return walk()


def can_read(fd, at):
    """The kernel copies a byte of it, or says EFAULT."""
    try:
        return call("write", fd[1], ctypes.c_void_p(at), 1) == 1 and call("read", fd[0], ctypes.create_string_buffer(1), 1) == 1
    except OSError:
        return False


def walk():
    """Around every address that is known: libraries, heap, stack, Python's objects."""
    seeds = {id(walk), id(os), ctypes.addressof(ctypes.c_int()), ctypes.cast(libc.getpid, ctypes.c_void_p).value,
             ctypes.cast(libc.environ, ctypes.c_void_p).value if hasattr(libc, "environ") else id(None), id(object()),
             ctypes.addressof(ctypes.create_string_buffer(1 << 22))}
    found, fd = [], os.pipe()
    os.set_blocking(fd[0], False)
    try:
        for seed in sorted(seeds):
            if any(a <= seed < b for a, b in found):
                continue
            begin = end = seed & ~(PAGE - 1)
            gap = 0
            while gap < 256 and begin > 65536:
                gap = 0 if can_read(fd, begin - PAGE) else gap + 1
                begin -= PAGE
            gap = 0
            while gap < 256 and end - seed < 1 << 28:
                gap = 0 if can_read(fd, end) else gap + 1
                end += PAGE
            found.append((begin, end))
    finally:
        os.close(fd[0])
        os.close(fd[1])
    return found


def bytes_of(begin, end):
    """Readable bytes of a range, in pieces with an overlap; through a pipe, since a page may be gone."""
    a, b = os.pipe()
    piece = 65536
    room = ctypes.create_string_buffer(piece)
    try:
        while begin < end:
            size = min(piece, end - begin)
            try:
                put = call("write", b, ctypes.c_void_p(begin), size)
                got = call("read", a, room, put)
                yield begin, room.raw[:got]
                begin += max(PAGE, got - 64) if got > 128 else PAGE
            except OSError:
                begin += PAGE
    finally:
        os.close(a)
        os.close(b)


def search(c):
    """Kinds of the planted words that stand in this process's memory."""
    found, total = set(), 0
    for begin, end in regions(c):
        if end - begin > 1 << 31:
            continue
        for at, data in bytes_of(begin, end):
            total += len(data)
            found.update(planted(c, data))
    return found, total


def planted(c, data):
    """Kinds of the planted words in bytes."""
    return [match.group(1).decode() for match in re.finditer(WORD, data) if hashlib.sha256(match.group(0)).hexdigest() in c.planted]


@attempt("always", proof=OWN)
def words_of_others(c):
    """A secret, a variable and a token of another tenant, the node's environment, a key: all readable memory is searched."""
    found, total = search(c)
    assert total > 1 << 20, "only %d bytes were read" % total
    return sorted(found & {"own"} if c.own else found - {"own"})


@attempt("always", proof=NOT, because="nothing but the box's own variables is ever there")
def environment(c):
    """The node's environment: os.environ, libc's, and where the kernel put it."""
    pointer = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
    names, at = set(os.environ), 0
    while pointer and pointer[at]:
        names.add(pointer[at].split(b"=")[0].decode())
        at += 1
    return sorted(names & set(c.node_environment))


@attempt("always", proof=NOT, because="the first bytes of the stack hold what exec was given")
def start_of_the_stack(c):
    """What the zygote was started with: arguments and environment at the stack's end, by the auxiliary vector."""
    libc.getauxval.restype = ctypes.c_ulong
    name = libc.getauxval(31)       # AT_EXECFN
    if not name:
        return None
    begin = name & ~(PAGE - 1)
    data = b"".join(data for _, data in bytes_of(begin - 16 * PAGE, begin + 2 * PAGE))
    return [kind for kind in planted(c, data) if kind != "own"]


@attempt("always", proof=NOT, because="two workers of an account share them, and others do not")
def chance(c):
    """Addresses and seeds that another account's processes have, too."""
    mine = fingerprint()
    return [name for name in mine if c.other_fingerprint and mine[name] == c.other_fingerprint.get(name)]


def fingerprint():
    """What would be the same in two processes that were forked from one."""
    return {"libc": hex(ctypes.cast(libc.getpid, ctypes.c_void_p).value), "heap": hex(id(fingerprint) >> 20),
            "hash": hash("corral"), "canary": canary()}


def canary():
    """The stack protector's word, the same in all threads of a process and all it forks."""
    libc.getauxval.restype = ctypes.c_ulong
    at = libc.getauxval(25)         # AT_RANDOM
    return ctypes.string_at(at, 16).hex() if at else None


@attempt("always", proof=NOT, because="a core file of an instance is written by no tier")
def core_file(c):
    """One's memory on the host's disk: the size of core files that is allowed."""
    now = ctypes.create_string_buffer(16)
    call("prlimit64", 0, 4, None, now)
    soft, hard = struct.unpack("QQ", now.raw)
    return soft or hard or None


@attempt("tree")
def own_program(c):
    """Where the node's programs are: /proc/self/exe."""
    return os.readlink("/proc/self/exe")


@attempt("seccomp", "always", proof=NOT, because="there is no such memory in a process of Corral")
def shared_with_others(c):
    """Memory that is shared with another process and may be written: by /proc/self/maps, or attached by guess."""
    with open("/proc/self/maps") as f:
        return [line.strip() for line in f if line.split()[1][1] == "w" and line.split()[1][3] == "s" and "memfd" not in line]
