"""Other processes: seeing, signalling, reading, holding up; starting programs; what is forked and stays."""
import ctypes
import errno
import os
import signal
import struct

from attempt import INSTANCE, ROOT, attempt
from kernel import AT_EMPTY_PATH, AT_FDCWD, address, call, first, libc, listing, machine_code, reached, read

SIGNALS = ("seccomp", "pids")   # numbers of processes mean others, and no call reaches any
NONE = 0                        # the signal that only asks whether one could be sent


# ---- seeing ----

@attempt("landlock", "tree")
def list_processes(c):
    """All processes of the machine: /proc."""
    return sorted(set(listing("/proc")) & {str(c.node), str(c.victim)})


@attempt("tree")
def process_exists(c):
    """Whether there is a process: stat of /proc/PID."""
    return oct(os.stat("/proc/%d" % c.victim).st_mode)


@attempt("landlock", "tree")
def environment_of_the_node(c):
    """The node's environment, with what an administrator put there."""
    return b"corral-plant" in read("/proc/%d/environ" % c.node, 65536) and "the planted word"


@attempt("landlock", "tree")
def memory_of_another_process(c):
    """Memory of another process: /proc/PID/mem."""
    fd = call("openat", AT_FDCWD, "/proc/%d/mem" % c.victim, os.O_RDONLY, 0)
    call("close", fd)
    return "opened"


@attempt("landlock", "tree")
def command_line_of_another(c):
    """What another process was started with."""
    return first(["/proc/%d/cmdline" % p for p in (c.node, c.victim)], read)


@attempt(*SIGNALS)
def clock_of_another_process(c):
    """How long another process has computed: its clock, by a number made of its pid."""
    clock = (~c.victim << 3) | 2    # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)
    call("clock_gettime", clock, struct.pack("qq", 0, 0))
    return "read"


@attempt("seccomp", "pids")
def session_of_another(c):
    """Which session and group another process is in."""
    return [call("getsid", c.victim), call("getpgid", c.victim)]


# ---- signals ----

@attempt(*SIGNALS)
def kill(c):
    """A signal to another process: kill."""
    return reached_victim("kill", c.victim, NONE)


def reached_victim(name, *arguments):
    return "%s returned %d" % (name, call(name, *arguments))


@attempt("seccomp")
def kill_everybody(c):
    """A signal to all that may be signalled: kill(-1)."""
    return reached_victim("kill", -1, NONE)


@attempt("seccomp")
def kill_the_group(c):
    """A signal to one's group, where template and zygote are: kill(0)."""
    return reached_victim("kill", 0, NONE)


@attempt("seccomp")
def kill_the_parent(c):
    """A signal to one's parent."""
    return reached_victim("kill", os.getppid(), NONE)


@attempt(*SIGNALS)
def tkill(c):
    """A signal to a thread: tkill."""
    return reached_victim("tkill", c.victim, NONE)


@attempt(*SIGNALS, "landlock", "uid")
def tgkill(c):
    """A signal to a thread of another process: tgkill."""
    return reached_victim("tgkill", c.victim, c.victim, signal.SIGCONT)


@attempt(*SIGNALS)
def queue_a_signal(c):
    """A signal with a value, which may lie about who sends it: rt_sigqueueinfo."""
    info = struct.pack("iiiiii", signal.SIGCONT, 0, -1, 0, c.node, 0) + bytes(104)
    return reached_victim("rt_sigqueueinfo", c.victim, signal.SIGCONT, info)


@attempt(*SIGNALS)
def queue_a_signal_to_a_thread(c):
    """The same to a thread: rt_tgsigqueueinfo."""
    info = struct.pack("iiiiii", signal.SIGCONT, 0, -1, 0, c.node, 0) + bytes(104)
    return reached_victim("rt_tgsigqueueinfo", c.victim, c.victim, signal.SIGCONT, info)


@attempt(*SIGNALS)
def pidfd(c):
    """A handle of another process, and a signal through it: pidfd_open, pidfd_send_signal."""
    fd = call("pidfd_open", c.victim, 0)
    try:
        return reached_victim("pidfd_send_signal", fd, NONE, None, 0)
    finally:
        call("close", fd)


@attempt(*SIGNALS)
def signal_by_descriptor(c):
    """A signal by the kernel's hand: a pipe whose owner is another process (F_SETOWN, O_ASYNC), and bytes into it."""
    return by_owner(c, lambda fd: call("fcntl", fd, 8, c.victim))


@attempt(*SIGNALS)
def signal_by_descriptor_extended(c):
    """The same by F_SETOWN_EX."""
    return by_owner(c, lambda fd: call("fcntl", fd, 15, struct.pack("ii", 1, c.victim)))


@attempt(*SIGNALS)
def signal_by_ioctl(c):
    """The same by ioctl: FIOSETOWN on a socket."""
    return by_owner(c, lambda fd: call("ioctl", fd, 0x8901, struct.pack("i", c.victim)), is_socket=True)


@attempt(*SIGNALS)
def signal_with_high_bits(c):
    """The same with bits in the command that the kernel drops and a filter may not."""
    return by_owner(c, lambda fd: call("fcntl", fd, 8 | 1 << 32, c.victim))


def by_owner(c, own, is_socket=False):
    """The victim is told that the pipe can be read, which ends whoever does not handle SIGIO; the tests look at its list."""
    a, b = call_pair() if is_socket else os.pipe()
    try:
        own(a)
        call("fcntl", a, 10, signal.SIGCONT)        # F_SETSIG
        call("fcntl", a, 4, os.O_ASYNC | os.O_NONBLOCK)
        call("write", b, b"x", 1)
        return "pid %d was made the owner" % c.victim
    finally:
        os.close(a)
        os.close(b)


def call_pair():
    pair = (ctypes.c_int * 2)()
    call("socketpair", 1, 1, 0, pair)
    return pair[0], pair[1]


# ---- reading and holding up others ----

@attempt("seccomp", "pids", "uid")
def ptrace(c):
    """Taking another process over: ptrace."""
    call("ptrace", 0x4206, c.victim, 0, 0)      # PTRACE_SEIZE: stops nobody
    return "seized"


@attempt("seccomp")
def trace_me(c):
    """Being traced by one's parent, whose memory would then be of use: PTRACE_TRACEME."""
    return reached("ptrace", 0xffff, 0, 0, 0)


def iovec(data, size):
    return struct.pack("QQ", address(data), size)


@attempt("seccomp", "pids", "uid")
def read_memory(c):
    """Memory of another process: process_vm_readv."""
    own = ctypes.create_string_buffer(16)
    count = call("process_vm_readv", c.victim, iovec(own, 16), 1, struct.pack("QQ", c.victim_address, 16), 1, 0)
    return own.raw[:count]


@attempt("seccomp", "pids", "uid")
def write_memory(c):
    """Changing memory of another process: process_vm_writev."""
    own = ctypes.create_string_buffer(b"overwritten")
    return call("process_vm_writev", c.victim, iovec(own, 1), 1, struct.pack("QQ", c.victim_address + 15, 1), 1, 0)


@attempt("seccomp", "pids", "uid")
def take_a_descriptor(c):
    """A descriptor out of another process: pidfd_getfd."""
    fd = call("pidfd_open", c.victim, 0)
    try:
        taken = call("pidfd_getfd", fd, 0, 0)
        call("close", taken)
        return "taken as %d" % taken
    finally:
        call("close", fd)


@attempt("seccomp", "pids", "uid")
def compare_kernel_objects(c):
    """Where things lie in the kernel: kcmp."""
    return ["order", call("kcmp", os.getpid(), c.victim, 1, 0, 0)]


@attempt("seccomp", "pids", "uid")
def advise_for_another(c):
    """Sending memory of another process to the swap: process_madvise."""
    fd = call("pidfd_open", c.victim, 0)
    try:
        return reached("process_madvise", fd, struct.pack("QQ", c.victim_address & ~4095, 4096), 1, 20, 0)
    finally:
        call("close", fd)


@attempt("seccomp", "pids", "uid")
def robust_list(c):
    """Where another process keeps its locks: get_robust_list."""
    head, size = ctypes.c_ulong(), ctypes.c_ulong()
    call("get_robust_list", c.victim, head, size)
    return "at %#x" % head.value


@attempt("seccomp", "pids", "uid")
def move_pages(c):
    """Which memory another process has, and where: move_pages."""
    status = ctypes.c_int()
    call("move_pages", c.victim, 1, struct.pack("Q", c.victim_address & ~4095), None, status, 0)
    return "node %d" % status.value


@attempt("seccomp", "pids")
def migrate_pages(c):
    """Moving the memory of another process: migrate_pages."""
    call("migrate_pages", c.victim, 64, struct.pack("Q", 1), struct.pack("Q", 1))
    return "moved"


@attempt("seccomp", "pids")
def release_memory(c):
    """The end of another process's memory: process_mrelease."""
    fd = call("pidfd_open", c.victim, 0)
    try:
        return reached("process_mrelease", fd, 0)
    finally:
        call("close", fd)


@attempt("seccomp", "pids", "uid")
def pin_another(c):
    """Which processors another process may use: sched_setaffinity."""
    mask = ctypes.create_string_buffer(128)
    size = call("sched_getaffinity", c.victim, 128, mask)
    call("sched_setaffinity", c.victim, size, mask)
    return "set"


@attempt("seccomp")
def pin_oneself(c):
    """A processor of one's own choice, a neighbour's: sched_setaffinity."""
    mask = ctypes.create_string_buffer(128)
    size = call("sched_getaffinity", 0, 128, mask)
    call("sched_setaffinity", 0, size, mask)
    return "set"


@attempt("seccomp", "user", "always", proof=ROOT)
def real_time(c):
    """Running before everybody else: SCHED_RR."""
    call("sched_setscheduler", 0, 2, struct.pack("i", 1))
    call("sched_setscheduler", 0, 0, struct.pack("i", 0))
    return "set"


@attempt("seccomp", "pids", "uid")
def priority_of_another(c):
    """Making another process slow: setpriority."""
    call("setpriority", 0, c.victim, 20 - call("getpriority", 0, c.victim))
    return "set"


@attempt("seccomp", "user", "always", proof=ROOT)
def own_priority(c):
    """Being first: setpriority below zero."""
    before = 20 - call("getpriority", 0, 0)
    call("setpriority", 0, 0, -1)
    call("setpriority", 0, 0, before)
    return "set"


@attempt("seccomp", "pids", "uid")
def disk_priority_of_another(c):
    """Making another process's disk slow: ioprio_set."""
    call("ioprio_set", 1, c.victim, 2 << 13 | 4)
    return "set"


@attempt("seccomp", "pids", "uid")
def limits_of_another(c):
    """Reading the limits of another process: prlimit."""
    old = ctypes.create_string_buffer(16)
    call("prlimit64", c.victim, 7, None, old)
    return list(struct.unpack("QQ", old.raw))


@attempt("seccomp", "pids", "uid")
def starve_by_limits(c):
    """Taking away the descriptors of another process: prlimit."""
    old = ctypes.create_string_buffer(16)
    call("prlimit64", c.victim, 7, None, old)
    call("prlimit64", c.victim, 7, old, None)
    return "set"


# ---- programs ----

@attempt("seccomp")
def exec_memory(c):
    """A program out of memory: memfd_create, execveat."""
    fd = call("memfd_create", "program", 0)
    call("write", fd, b"not a program", 13)
    try:
        return tried("execveat", fd, "", None, None, AT_EMPTY_PATH)
    finally:
        call("close", fd)


def tried(name, *arguments):
    """The file is no program: ENOEXEC says that the kernel was ready to run it."""
    try:
        call(name, *arguments)
    except OSError as e:
        if e.errno == errno.ENOEXEC:
            return "%s looked for a program" % name
        raise


@attempt("seccomp", "landlock", "tree")
def exec_by_path(c):
    """A program of the host: execve."""
    return tried("execve", c.host_script, None, None)


@attempt("seccomp", "landlock", "tree")
def exec_by_descriptor_path(c):
    """A program by a descriptor: execve of /proc/self/fd/N."""
    fd = call("memfd_create", "program", 0)
    call("write", fd, b"not a program", 13)
    call("fcntl", fd, 2, 0)
    try:
        return tried("execve", "/proc/self/fd/%d" % fd, None, None)
    finally:
        call("close", fd)


@attempt("seccomp")
def a_shell(c):
    """A shell, as C starts one: system."""
    status = libc.system(b"exit 7")
    if status == -1:
        raise OSError(ctypes.get_errno(), "system is refused")
    return status == 7 << 8 and "it ended with 7"


@attempt("seccomp", "landlock", "tree", "always", proof=ROOT)
def setuid_program(c):
    """A program that runs as root whoever starts it."""
    return tried("execve", c.host_setuid, None, None)


# ---- new processes ----


@attempt("seccomp", where=(INSTANCE,))
def fork(c):
    """A new process: fork."""
    pid = call("fork")
    if pid == 0:
        call("exit_group", 0)
    call("wait4", pid, None, 0, None)
    return "made process %d" % pid


@attempt("seccomp", where=(INSTANCE,))
def clone_as_fork(c):
    """A new process: clone without CLONE_THREAD."""
    pid = call("clone", signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        call("exit_group", 0)
    call("wait4", pid, None, 0, None)
    return "made process %d" % pid


@attempt("seccomp")
def clone3(c):
    """A new process: clone3, whose arguments no filter can read."""
    arguments = struct.pack("8Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    pid = call("clone3", arguments, len(arguments))
    if pid == 0:
        call("exit_group", 0)
    call("wait4", pid, None, 0, None)
    return "made process %d" % pid


@attempt("seccomp", where=(INSTANCE,))
def vfork(c):
    """A new process by machine code: vfork, whose child ends at once."""
    # mov eax,58; syscall; test eax,eax; jnz +9; mov eax,60; xor edi,edi; syscall; ret
    pid = machine_code(b"\xb8\x3a\0\0\0\x0f\x05\x85\xc0\x75\x09\xb8\x3c\0\0\0\x31\xff\x0f\x05\xc3")()
    if pid < 0:
        raise OSError(-pid, os.strerror(-pid))
    call("wait4", pid, None, 0, None)
    return "made process %d" % pid


@attempt("seccomp")
def clone_parent(c):
    """A sister of one's own, a child of whoever forked one: clone(CLONE_PARENT)."""
    pid = call("clone", 0x8000 | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        call("exit_group", 0)
    return "made process %d" % pid


@attempt("seccomp")
def own_session(c):
    """A session of one's own, out of reach of signals to the group: setsid, setpgid."""
    return first(["setsid", "setpgid"], lambda name: reached(name, 0, 0))


@attempt("seccomp")
def untie_from_the_parent(c):
    """Living on when the node ends: taking back PDEATHSIG."""
    before = ctypes.c_int()
    libc.prctl(2, ctypes.byref(before), 0, 0, 0)
    call("prctl", 1, 0, 0, 0, 0)
    call("prctl", 1, before.value or signal.SIGKILL, 0, 0, 0)
    return "untied, and tied again"


@attempt("seccomp")
def adopt(c):
    """Adopting the processes of others: PR_SET_CHILD_SUBREAPER."""
    call("prctl", 36, 1, 0, 0, 0)
    call("prctl", 36, 0, 0, 0, 0)
    return "set"
