"""Ways around a filter: other call tables, other threads, machine code, moments between, bits that are dropped."""
import ctypes
import errno
import os
import signal
import struct
import threading

from attempt import INSTANCE, NOT, attempt
from kernel import IS_X86, address, call, call_number, libc, machine_code, number, raw_syscall, reached


def socket_of(fd):
    if fd < 0:
        raise OSError(-fd, os.strerror(-fd))
    os.close(fd)
    return "socket %d" % fd


@attempt("seccomp")
def syscall_instruction(c):
    """A socket by the instruction itself, without any library."""
    return socket_of(raw_syscall(number("socket"), 2, 1, 0))


@attempt("seccomp", deadly=True)
def calls_of_32_bits(c):
    """The i386 table by int 0x80: number 20 is getpid there."""
    # push rbx; mov eax,20; int 0x80; pop rbx; ret
    pid = machine_code(b"\x53\xb8\x14\0\0\0\xcd\x80\x5b\xc3")()
    if pid != os.getpid():
        raise OSError(errno.ENOSYS, "int 0x80 gave %d" % pid)
    return "getpid of i386 gave %d" % pid


@attempt("seccomp", deadly=True)
def socket_of_32_bits(c):
    """A socket by the i386 table: number 359."""
    # push rbx; mov eax,359; mov ebx,2; mov ecx,1; xor edx,edx; int 0x80; pop rbx; movsxd rax,eax; ret
    return socket_of(machine_code(b"\x53\xb8\x67\x01\0\0\xbb\x02\0\0\0\xb9\x01\0\0\0\x31\xd2\xcd\x80\x5b\x48\x63\xc0\xc3")())


@attempt("seccomp", deadly=True, proof=NOT, because="this kernel may be built without x32")
def calls_of_x32(c):
    """The x32 table: numbers with bit 30."""
    return socket_of(call_number(0x40000000 | number("socket"), 2, 1, 0))


@attempt("seccomp")
def number_with_high_bits(c):
    """A number with bits above 32, which a filter may read and the kernel drops."""
    return socket_of(raw_syscall(1 << 32 | number("socket"), 2, 1, 0)) if IS_X86 else None


@attempt("seccomp")
def family_with_high_bits(c):
    """A pair of the internet's, with bits above 32 in the family."""
    pair = (ctypes.c_int * 2)()
    return reached("socketpair", 1 << 32 | 2, 1, 0, pair)


@attempt("seccomp", where=(INSTANCE,))
def clone_with_high_bits(c):
    """A new process by clone, with bits above 32 that look like a thread's."""
    pid = call("clone", 0x10000 << 32 | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        call("exit_group", 0)
    call("wait4", pid, None, 0, None)
    return "made process %d" % pid


@attempt("seccomp")
def another_thread(c):
    """The same from a thread that is started now."""
    got = []

    def work():
        try:
            got.append(socket_of(call("socket", 2, 1, 0)))
        except OSError as e:
            got.append(e)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(got[0], OSError):
        raise got[0]
    return got[0]


@attempt("seccomp")
def raw_thread(c):
    """A thread that no library knows, by clone in machine code, which asks for a socket."""
    if not IS_X86:
        raise OSError(errno.ENOSYS, "this machine code is for x86-64")
    stack = libc_map(65536)
    result = stack          # its first bytes: what the thread got
    # The thread: mov eax,41; mov edi,2; mov esi,1; xor edx,edx; syscall; mov [r12],rax; mov eax,60; xor edi,edi; syscall
    body = b"\xb8\x29\0\0\0\xbf\x02\0\0\0\xbe\x01\0\0\0\x31\xd2\x0f\x05\x49\x89\x04\x24\xb8\x3c\0\0\0\x31\xff\x0f\x05"
    flags = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000
    # push r12; mov r12,result; mov eax,56; mov edi,flags; mov rsi,stack; xor edx,edx; xor r10,r10; xor r8,r8; syscall; test rax,rax; jz body; pop r12; ret
    code = (b"\x41\x54\x49\xbc" + struct.pack("<Q", result) + b"\xb8\x38\0\0\0\xbf" + struct.pack("<I", flags) +
            b"\x48\xbe" + struct.pack("<Q", stack + 65536 - 64) + b"\x31\xd2\x4d\x31\xd2\x4d\x31\xc0\x0f\x05\x48\x85\xc0\x74\x03\x41\x5c\xc3")
    ctypes.memmove(result, struct.pack("<q", -99999), 8)
    tid = machine_code(code + body)()
    if tid < 0:
        raise OSError(-tid, os.strerror(-tid))
    for _ in range(100000):
        got = struct.unpack("<q", ctypes.string_at(result, 8))[0]
        if got != -99999:
            return socket_of(got)
        os.sched_yield()


def libc_map(size):
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    return libc.mmap(None, size, 3, 0x22, -1, 0)


@attempt("seccomp")
def signal_handler(c):
    """The same from within a handler of a signal."""
    got = []

    @ctypes.CFUNCTYPE(None, ctypes.c_int)
    def handler(number_of):
        try:
            got.append(socket_of(call("socket", 2, 1, 0)))
        except OSError as e:
            got.append(e)
    libc.signal.restype = ctypes.c_void_p
    before = libc.signal(signal.SIGUSR2, handler)
    getattr(libc, "raise")(signal.SIGUSR2)
    libc.signal(signal.SIGUSR2, ctypes.c_void_p(before))
    if isinstance(got[0], OSError):
        raise got[0]
    return got[0]


@attempt("seccomp")
def through_wrappers(c):
    """The same through each library that has a call of its own: libc, Python."""
    fd = libc.socket(2, 1, 0)
    if fd < 0:
        raise OSError(ctypes.get_errno() or errno.EPERM, "libc refuses")
    return socket_of(fd)


@attempt("seccomp")
def other_flags(c):
    """Opening for writing by each spelling of the flags."""
    path = ctypes.create_string_buffer(c.host_writable.encode())
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_RDONLY | os.O_CREAT, 3, 1 << 32 | os.O_WRONLY):
        fd = raw_syscall(number("openat"), -100, address(path), flags, 0o600)
        if fd >= 0:
            os.close(fd)
            return "opened with flags %#x" % flags
    raise OSError(-fd, os.strerror(-fd))


@attempt("seccomp")
def restarted_call(c):
    """A sleep that a signal interrupts, restarted as another call."""
    call_number(number("getpid"))
    # restart_syscall without anything to restart says EINTR; it must not run what was refused before.
    try:
        call("close", call("socket", 2, 1, 0))
    except OSError as e:
        try:
            got = call("restart_syscall")
        except OSError:
            raise e
        return got and "restarted: %d" % got
    return "a socket was given"


@attempt("seccomp")
def code_in_a_library(c):
    """The same from where libc's own code stands, which one may overwrite."""
    function = ctypes.cast(libc.getppid, ctypes.c_void_p).value
    if IS_X86 and call("mprotect", function & ~4095, 8192, 7) == 0:
        saved = ctypes.string_at(function, 32)
        try:
            ctypes.memmove(function, b"\xb8\x29\0\0\0\xbf\x02\0\0\0\xbe\x01\0\0\0\x31\xd2\x0f\x05\x48\x63\xc0\xc3", 24)
            return socket_of(libc.getppid())
        finally:
            ctypes.memmove(function, saved, 32)


@attempt("seccomp", proof=NOT, because="a filter of the kernel's cannot be taken back by anybody")
def no_filter_any_more(c):
    """Taking the filter back: prctl(PR_SET_SECCOMP, 0), PR_SET_NO_NEW_PRIVS to 0."""
    for option, value in ((22, 0), (38, 0)):
        try:
            call("prctl", option, value, 0, 0, 0)
            if call("prctl", 21, 0, 0, 0, 0) == 0:
                return "without a filter"
        except OSError as e:
            last = e
    raise last
