"""System calls without a wrapper between: through libc.syscall, or machine code in a page of one's own."""
import ctypes
import errno
import os
import platform

# Number on x86_64 and on aarch64; None: there is no such call.
NUMBERS = {
    "accept": (43, 202), "accept4": (288, 242), "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171), "arch_prctl": (158, None),
    "bind": (49, 200), "bpf": (321, 280), "capget": (125, 90), "capset": (126, 91), "chdir": (80, 49), "chmod": (90, None),
    "chroot": (161, 51), "clock_adjtime": (305, 266), "clock_gettime": (228, 113), "clock_nanosleep": (230, 115), "clock_settime": (227, 112),
    "clone": (56, 220), "clone3": (435, 435), "close": (3, 57), "connect": (42, 203), "epoll_create1": (291, 20), "eventfd2": (290, 19), "execve": (59, 221), "execveat": (322, 281),
    "exit": (60, 93), "exit_group": (231, 94), "fanotify_init": (300, 262), "fchdir": (81, 50), "fchmodat": (268, 53),
    "fchownat": (260, 54), "fcntl": (72, 25), "finit_module": (313, 273), "flock": (73, 32), "fork": (57, None), "fsconfig": (431, 431), "fsmount": (432, 432), "fsopen": (430, 430), "fspick": (433, 433),
    "fsync": (74, 82), "futex": (202, 98), "getdents64": (217, 61), "get_robust_list": (274, 100), "getpid": (39, 172), "getpeername": (52, 205), "getpgid": (121, 155), "getpriority": (140, 141), "getsid": (124, 156),
    "getsockopt": (55, 209), "gettid": (186, 178), "init_module": (175, 105), "inotify_add_watch": (254, 27), "inotify_init1": (294, 26),
    "io_setup": (206, 0), "io_uring_setup": (425, 425), "ioctl": (16, 29), "ioperm": (173, None), "iopl": (172, None), "ioprio_get": (252, 31), "ioprio_set": (251, 30),
    "kcmp": (312, 272), "kexec_load": (246, 104), "keyctl": (250, 219), "kill": (62, 129), "landlock_create_ruleset": (444, 444),
    "linkat": (265, 37), "listen": (50, 201), "listmount": (458, 458), "listxattr": (194, 11), "lookup_dcookie": (212, 18), "lsm_get_self_attr": (459, 459), "madvise": (28, 233), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "migrate_pages": (256, 238), "mincore": (27, 232), "mkdirat": (258, 34), "mknodat": (259, 33), "mlock": (149, 228), "mmap": (9, 222), "modify_ldt": (154, None),
    "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429), "move_pages": (279, 239), "mprotect": (10, 226), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "msgctl": (71, 187), "msgget": (68, 186), "msync": (26, 227), "munmap": (11, 215), "name_to_handle_at": (303, 264), "nanosleep": (35, 101), "open": (2, None), "open_by_handle_at": (304, 265),
    "open_tree": (428, 428), "openat": (257, 56), "openat2": (437, 437), "perf_event_open": (298, 241), "personality": (135, 92),
    "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pivot_root": (155, 41), "pkey_alloc": (330, 289), "prctl": (157, 167), "pread64": (17, 67),
    "prlimit64": (302, 261), "process_madvise": (440, 440), "process_mrelease": (448, 448), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "ptrace": (101, 117), "quotactl": (179, 60), "read": (0, 63), "readlinkat": (267, 78), "reboot": (169, 142),
    "recvmsg": (47, 212), "remap_file_pages": (216, 234), "renameat2": (316, 276), "request_key": (249, 218), "restart_syscall": (219, 128), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "sched_getaffinity": (204, 123), "sched_getattr": (315, 275), "sched_getscheduler": (145, 120), "sched_setaffinity": (203, 122), "sched_setattr": (314, 274), "sched_setscheduler": (144, 119),
    "seccomp": (317, 277), "semctl": (66, 191), "semget": (64, 190), "sendmmsg": (307, 269), "sendmsg": (46, 211), "sendto": (44, 206), "setdomainname": (171, 162), "setgid": (106, 144), "setgroups": (116, 159),
    "sethostname": (170, 161), "setns": (308, 268), "setpgid": (109, 154), "setpriority": (141, 140), "setresuid": (117, 147), "setrlimit": (160, 164), "setsid": (112, 157), "setsockopt": (54, 208),
    "settimeofday": (164, 170), "setuid": (105, 146), "setxattr": (188, 5), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197), "shmget": (29, 194), "socket": (41, 198),
    "socketpair": (53, 199), "splice": (275, 76), "statmount": (457, 457), "swapoff": (168, 225), "swapon": (167, 224), "symlinkat": (266, 36), "sync": (162, 81), "syncfs": (306, 267), "syslog": (103, 116), "tgkill": (234, 131),
    "timer_create": (222, 107), "tkill": (200, 130), "truncate": (76, 45), "umount2": (166, 39), "unlinkat": (263, 35), "unshare": (272, 97), "userfaultfd": (323, 282), "utimensat": (280, 88), "ustat": (136, None), "vfork": (58, None),
    "vhangup": (153, 58), "vmsplice": (278, 75), "waitid": (247, 95), "wait4": (61, 260), "write": (1, 64),
}
MACHINE = {"x86_64": 0, "aarch64": 1}.get(platform.machine(), 0)
IS_X86 = platform.machine() == "x86_64"

AT_FDCWD, AT_EMPTY_PATH, AT_REMOVEDIR = -100, 0x1000, 0x200
O_PATH = 0o10000000
# What the box says when it refuses: in words, as an old kernel does, or as a file system that cannot change.
REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EROFS)

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def number(name):
    value = NUMBERS[name][MACHINE]
    if value is None:
        raise OSError(errno.ENOSYS, "there is no %s on this machine" % name)
    return value


def argument(value):
    if isinstance(value, int):
        return ctypes.c_long(value)
    if isinstance(value, str):
        return ctypes.c_char_p(value.encode())
    if isinstance(value, bytes):
        return ctypes.c_char_p(value)
    if value is None or isinstance(value, ctypes.c_void_p):
        return value or ctypes.c_void_p(0)
    return ctypes.byref(value) if isinstance(value, (ctypes.Structure, ctypes.Union, ctypes._SimpleCData)) else value


def call_number(n, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(n), *[argument(a) for a in arguments])
    if result == -1:
        raise OSError(ctypes.get_errno(), "%s: system call %d" % (os.strerror(ctypes.get_errno()), n))
    return result


def call(name, *arguments):
    """One system call; its result, or OSError."""
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number(name)), *[argument(a) for a in arguments])
    if result == -1:
        raise OSError(ctypes.get_errno(), "%s: %s" % (os.strerror(ctypes.get_errno()), name))
    return result


def reached(name, *arguments):
    """Evidence when the kernel looked at the arguments, whatever it said of them."""
    try:
        return "%s returned %d" % (name, call(name, *arguments))
    except OSError as e:
        if e.errno in REFUSED:
            raise
        return "%s was tried: %s" % (name, e)


def descriptor(name, *arguments):
    """Evidence when the call gives a descriptor, which is closed again."""
    fd = call(name, *arguments)
    call("close", fd)
    return "%s gave descriptor %d" % (name, fd)


def read_fd(fd, count=4096, offset=None):
    data = ctypes.create_string_buffer(count)
    got = call("read", fd, data, count) if offset is None else call("pread64", fd, data, count, offset)
    return data.raw[:got]


def open_raw(path, flags=os.O_RDONLY, mode=0o600, at=AT_FDCWD):
    return call("openat", at, path, flags | os.O_CLOEXEC, mode)


def read(path, count=4096, at=AT_FDCWD):
    """The first bytes of a file."""
    fd = open_raw(path, at=at)
    try:
        return read_fd(fd, count)
    finally:
        call("close", fd)


def listing(path):
    """Names in a folder, as the kernel gives them."""
    fd, names = open_raw(path, os.O_DIRECTORY), []
    try:
        while True:
            data = ctypes.create_string_buffer(32768)
            got, at = call("getdents64", fd, data, 32768), 0
            if got == 0:
                return sorted(set(names) - {".", ".."})
            while at < got:
                size = int.from_bytes(data.raw[at + 16:at + 18], "little")
                names.append(data.raw[at + 19:at + size].split(b"\0")[0].decode("utf-8", "replace"))
                at += size
    finally:
        call("close", fd)


def first(tries, what):
    """What the first of them gives that what(it) does not refuse; the last refusal when all do."""
    last = None
    for one in tries:
        try:
            got = what(one)
        except (OSError, KeyError, ValueError) as e:
            last = e
            continue
        if got:
            return [one, got[:60] if isinstance(got, bytes) else got]
    if last:
        raise last


def machine_code(code):
    """A function int f(void) of x86-64 machine code."""
    if not IS_X86:
        raise OSError(errno.ENOSYS, "this machine code is for x86-64")
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    page = libc.mmap(None, 4096, 7, 0x22, -1, 0)    # read, write, execute; private, anonymous
    if page in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "no page for code")
    ctypes.memmove(page, code, len(code))
    return ctypes.CFUNCTYPE(ctypes.c_int64)(page)


def raw_syscall(n, *values):
    """The `syscall` instruction itself, in a page of one's own; the kernel's answer, negative for errors."""
    registers = (b"\x48\xbf", b"\x48\xbe", b"\x48\xba", b"\x49\xba", b"\x49\xb8", b"\x49\xb9")   # rdi rsi rdx r10 r8 r9
    code = b"".join(r + (v & 0xffffffffffffffff).to_bytes(8, "little") for r, v in zip(registers, values))
    return machine_code(code + b"\x48\xb8" + (n & 0xffffffffffffffff).to_bytes(8, "little") + b"\x0f\x05\xc3")()


def address(data):
    return ctypes.cast(data, ctypes.c_void_p).value
