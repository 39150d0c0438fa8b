"""Parts of the kernel that a worker has no need of: namespaces, keyrings, bpf, io_uring and their like, IPC, machine settings."""
import ctypes
import errno
import os
import struct

from attempt import INSTANCE, NOT, ROOT, attempt
from kernel import call, descriptor, first, libc, open_raw, reached

ONLY = ("seccomp",)
RIGHTS = ("seccomp", "user", "always")      # wants a capability, and they are dropped in every tier

NAMESPACES = {"user": 0x10000000, "mnt": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x8000000, "uts": 0x4000000,
              "cgroup": 0x2000000, "time": 0x80}


# ---- namespaces ----

@attempt(*ONLY)
def own_user_namespace(c):
    """A user namespace, in which one is root: unshare(CLONE_NEWUSER)."""
    # Without the box, a process with threads is refused with EINVAL: the kernel has looked.
    return reached("unshare", NAMESPACES["user"])


@attempt(*ONLY, proof=ROOT)
def own_other_namespaces(c):
    """Namespaces of the other kinds: unshare of uts, ipc, cgroup."""
    return first(("uts", "ipc", "cgroup"), lambda kind: "unshare returned %d" % call("unshare", NAMESPACES[kind]))


@attempt(*ONLY, where=(INSTANCE,))
def clone_into_a_namespace(c):
    """A process in a user namespace: clone(CLONE_NEWUSER)."""
    pid = call("clone", NAMESPACES["user"] | 17, 0, 0, 0, 0)
    if pid == 0:
        call("exit_group", 0)
    call("wait4", pid, None, 0, None)
    return "made process %d" % pid


@attempt("seccomp", "landlock", "tree")
def namespaces_of_another(c):
    """Into the namespaces of another process: setns by /proc/PID/ns."""
    fd = open_raw("/proc/%d/ns/uts" % c.victim)
    try:
        return reached("setns", fd, 0)
    finally:
        call("close", fd)


@attempt("seccomp", "pids")
def namespaces_by_pidfd(c):
    """The same by a handle of the process."""
    fd = call("pidfd_open", c.victim, 0)
    try:
        return reached("setns", fd, NAMESPACES["uts"])
    finally:
        call("close", fd)


# ---- what has a history ----

@attempt(*ONLY, proof=ROOT)
def bpf_map(c):
    """Memory and programs in the kernel: bpf."""
    attributes = struct.pack("IIIII", 2, 4, 4, 1, 0) + bytes(100)   # an array of one
    return descriptor("bpf", 0, attributes, len(attributes))


@attempt(*ONLY, proof=ROOT)
def performance_counters(c):
    """Counting in the kernel and in others: perf_event_open."""
    attributes = struct.pack("IIQ", 1, 112, 0) + bytes(96)          # software, the processor's clock
    return descriptor("perf_event_open", attributes, 0, -1, -1, 0)


@attempt(*ONLY)
def io_uring(c):
    """System calls that no filter sees: io_uring."""
    try:
        return descriptor("io_uring_setup", 1, bytearray_of(120))
    except OSError as e:
        if e.errno != errno.ENOMEM:
            raise
        return "only a limit stands against it"


def bytearray_of(n):
    return ctypes.create_string_buffer(n)


@attempt(*ONLY)
def old_asynchronous_io(c):
    """Their predecessor: io_setup."""
    context = ctypes.c_ulong(0)
    call("io_setup", 1, context)
    return "context %#x" % context.value


@attempt(*ONLY)
def userfaultfd(c):
    """Holding the kernel in the middle of a copy: userfaultfd."""
    return descriptor("userfaultfd", 1)     # of one's own accesses alone, which needs no right


@attempt(*ONLY)
def secret_memory(c):
    """Memory that nobody else can look at, and no limit counts: memfd_secret."""
    return descriptor("memfd_secret", 0)


MAP_PRIVATE_ANONYMOUS, MAP_NORESERVE, MAP_HUGETLB, MFD_HUGETLB, SHM_HUGETLB = 0x22, 0x4000, 0x40000, 4, 0o4000
HUGE = 2 << 20


@attempt(*ONLY)
def huge_pages(c):
    """Pages that an admin has set aside, and no limit counts: mmap with MAP_HUGETLB. Not touched, so that it takes none."""
    at = call("mmap", None, HUGE, 3, MAP_PRIVATE_ANONYMOUS | MAP_NORESERVE | MAP_HUGETLB, -1, 0)
    call("munmap", ctypes.c_void_p(at), HUGE)
    return "mapped at %#x" % at


@attempt(*ONLY)
def huge_pages_of_a_size(c):
    """The same with a size of them in the flags, as for a gigabyte each."""
    found = []
    for shift in (21, 30):
        try:
            at = call("mmap", None, 1 << shift, 3, MAP_PRIVATE_ANONYMOUS | MAP_NORESERVE | MAP_HUGETLB | shift << 26, -1, 0)
            call("munmap", ctypes.c_void_p(at), 1 << shift)
            found.append(shift)
        except OSError:
            pass
    return found


@attempt(*ONLY)
def huge_pages_in_a_file(c):
    """The same as a file in memory: memfd_create with MFD_HUGETLB."""
    return descriptor("memfd_create", "huge", MFD_HUGETLB)


@attempt("seccomp", "ipc", proof=NOT, because="a segment of huge pages takes them when it is made")
def huge_pages_in_a_segment(c):
    """The same as shared memory: shmget with SHM_HUGETLB."""
    segment = call("shmget", 0, HUGE, 0o1600 | SHM_HUGETLB)
    call("shmctl", segment, 0, None)
    return "segment %d" % segment


def filter_of_ones_own(flags):
    """A filter that allows all, loaded with these flags; what the call returned."""
    code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(code)))
    libc.prctl(38, 1, 0, 0, 0)      # as every process of the box has it already
    return call("seccomp", 1, flags, program)


@attempt(*ONLY)
def filters_for_one_thread(c):
    """Kernel memory that no limit counts: a thread's own filters, a quarter of a MiB each: seccomp without TSYNC."""
    return "one more filter: %d" % filter_of_ones_own(0)


@attempt(*ONLY)
def filter_with_a_listener(c):
    """Answering the system calls of others: seccomp with a listener."""
    fd = filter_of_ones_own(8)
    call("close", fd)
    return "a listener, descriptor %d" % fd


@attempt(*ONLY)
def keyring(c):
    """Keys in the kernel, shared by whoever has the same user id: keyctl, add_key, request_key."""
    key = call("add_key", "user", "corral-escape", b"x", 1, -3)
    call("keyctl", 3, key, 0, 0, 0)         # revoke
    return "key %d" % key


@attempt(*ONLY)
def session_keyring(c):
    """The keyring of the session."""
    return "keyring %d" % call("keyctl", 0, -3, 1, 0, 0)


@attempt(*ONLY)
def requested_key(c):
    """A program of root's that makes a key: request_key."""
    return reached("request_key", "user", "corral-escape-none", None, 0)


@attempt(*RIGHTS, proof=ROOT)
def kernel_module(c):
    """Code in the kernel: init_module."""
    return reached("init_module", bytearray_of(8), 8, "")


@attempt(*RIGHTS, proof=ROOT)
def kernel_module_by_file(c):
    """The same by descriptor: finit_module."""
    return reached("finit_module", -1, "", 0)


@attempt(*RIGHTS, proof=ROOT)
def other_kernel(c):
    """Another kernel: kexec_load."""
    return reached("kexec_load", 0, 1 << 30, None, 0)       # more segments than there may be


@attempt(*RIGHTS, proof=ROOT)
def reboot(c):
    """The end of the machine: reboot."""
    return reached("reboot", 0, 0, 0, 0)                    # without the magic numbers nothing happens


@attempt(*RIGHTS, proof=ROOT)
def swap(c):
    """Memory on the host's disk: swapon."""
    return first(("swapon", "swapoff"), lambda name: reached(name, "/nowhere", 0))


@attempt(*RIGHTS, proof=ROOT)
def accounting(c):
    """A file that the kernel writes: acct."""
    return reached("acct", "/nowhere/at/all")


@attempt(*RIGHTS, proof=ROOT)
def kernel_log(c):
    """What the kernel has said: syslog."""
    return "%d bytes" % call("syslog", 10, None, 0)


@attempt(*RIGHTS, proof=ROOT)
def quota(c):
    """Quotas of the host's disks: quotactl."""
    return reached("quotactl", 0x800001 << 8 & 0xffffffff, None, 0, None)


@attempt(*RIGHTS, proof=ROOT)
def ports_of_the_machine(c):
    """The machine's ports: ioperm, iopl."""
    return first(("ioperm", "iopl"), lambda name: reached(name, 0, 0, 0))


@attempt(*ONLY)
def segments(c):
    """Segments of an old kind: modify_ldt."""
    return reached("modify_ldt", 0, bytearray_of(64), 64)


@attempt(*ONLY)
def no_chance_in_addresses(c):
    """Addresses without chance for what is started next: personality."""
    return "was %#x" % call("personality", 0xffffffff)


@attempt(*RIGHTS, proof=ROOT)
def clock_of_the_machine(c):
    """The machine's clock: clock_settime, settimeofday, adjtimex."""
    return first((lambda: reached("clock_settime", 0, None), lambda: reached("settimeofday", None, bytearray_of(8))), lambda f: f())


@attempt(*ONLY)
def drift_of_the_clock(c):
    """How the machine's clock runs, and who may change that: adjtimex."""
    return "state %d" % call("adjtimex", bytearray_of(208))


@attempt(*RIGHTS, proof=ROOT)
def name_of_the_machine(c):
    """The machine's name: sethostname."""
    name = os.uname().nodename.encode()
    return "set to what it was: %d" % call("sethostname", name, len(name))


@attempt("ipc")
def name_of_the_host(c):
    """The host's name, which may tell whose machine it is: uname."""
    return os.uname().nodename == c.nodename and c.nodename


# ---- what other processes share ----

@attempt(*ONLY)
def shared_memory(c):
    """Memory that other processes find by a number: shmget, shmat."""
    number_of = call("shmget", 0, 4096, 0o1600)
    call("shmctl", number_of, 0, None)
    return "segment %d" % number_of


@attempt(*ONLY)
def message_queue(c):
    """Messages of System V: msgget."""
    queue = call("msgget", 0, 0o1600)
    call("msgctl", queue, 0, None)
    return "queue %d" % queue


@attempt(*ONLY)
def semaphores(c):
    """Semaphores of System V: semget."""
    made = call("semget", 0, 1, 0o1600)
    call("semctl", made, 0, 0)
    return "semaphores %d" % made


@attempt("seccomp", "ipc")
def shared_memory_of_the_host(c):
    """A segment that is there already."""
    return "segment %d" % call("shmget", c.shm_key, 16, 0)


@attempt(*ONLY)
def posix_message_queue(c):
    """Messages of POSIX: mq_open."""
    name = "corral-escape-%d" % os.getpid()
    try:
        fd = call("mq_open", name, 0o102, 0o600, None)
    except OSError as e:
        return e.errno == errno.EMFILE and "only a limit stands against it"
    call("close", fd)
    call("mq_unlink", name)
    return "descriptor %d" % fd


# ---- who one is ----

@attempt("seccomp", "user", "always", proof=ROOT)
def user_ids(c):
    """Becoming somebody else: setresuid, setgroups."""
    # All of them as they are: allowed to anybody, were the call not refused.
    groups = struct.pack("I", 0)
    call("setgroups", 1, groups)
    call("setgroups", 0, None)
    return "groups set"


@attempt("seccomp")
def root_again(c):
    """Becoming root: setuid(0)."""
    return reached("setuid", os.getuid())


@attempt("seccomp")
def capabilities(c):
    """Taking rights back: capset."""
    header, data = struct.pack("Ii", 0x20080522, 0), ctypes.create_string_buffer(24)
    call("capget", header, data)
    return "capset returned %d" % call("capset", header, data)


@attempt("seccomp")
def capabilities_for_children(c):
    """Rights for what is started next: PR_CAP_AMBIENT, PR_SET_SECUREBITS, PR_SET_KEEPCAPS."""
    return first((47, 28, 8), lambda option: reached("prctl", option, 0, 0, 0, 0))


@attempt("always", proof=NOT, because="setuid programs are not run by the suite")
def new_privileges(c):
    """Whether a setuid program could give rights: PR_GET_NO_NEW_PRIVS."""
    return call("prctl", 39, 0, 0, 0, 0) == 0 and "they may be had"


# ---- undoing one's own box ----

@attempt("seccomp")
def prctl_surgery(c):
    """Changing what the kernel knows of one's memory: PR_SET_MM."""
    return "%d" % call("prctl", 35, 15, ctypes.c_uint(), 0, 0)     # how long such a description is: anybody may ask


@attempt("seccomp")
def dumpable(c):
    """Being looked into again: PR_SET_DUMPABLE, PR_SET_PTRACER."""
    return first((4, 0x59616d61), lambda option: reached("prctl", option, 1, 0, 0, 0))


@attempt("seccomp")
def other_prctls(c):
    """Speculation, timestamps, core scheduling, memory errors: prctl."""
    return first((53, 26, 62, 57, 33, 65), lambda option: reached("prctl", option, 0, 0, 0, 0))


@attempt("seccomp", where=(INSTANCE,))
def filter_of_filters(c):
    """A filter of one's own that answers before: seccomp with a listener, SECCOMP_SET_MODE_FILTER."""
    return first((0, 1, 2, 3), lambda operation: reached("seccomp", operation, 1 << 3, None))


@attempt("seccomp")
def arch_prctl(c):
    """Instructions that trap, segment registers: arch_prctl."""
    return reached("arch_prctl", 0x1011, 0)     # ARCH_GET_CPUID


@attempt("seccomp")
def landlock_of_ones_own(c):
    """Rules beside those that are there: landlock_create_ruleset."""
    return reached("landlock_create_ruleset", None, 0, 1)


@attempt("always", proof=NOT, because="the limits are those of every tier")
def raise_limits(c):
    """More descriptors, more memory, core files: setrlimit above what is allowed."""
    def more(which):
        old = ctypes.create_string_buffer(16)
        call("prlimit64", 0, which, None, old)
        soft, hard = struct.unpack("QQ", old.raw)
        if hard == 0xffffffffffffffff:
            return None
        call("prlimit64", 0, which, struct.pack("QQ", hard + 4096, hard + 4096), None)
        return "limit %d raised" % which
    return first((4, 7, 1, 9), more)


@attempt("seccomp", "user", "always", proof=NOT, because="few kernels are built with it, and where it works it costs the machine memory")
def broken_memory(c):
    """Telling the kernel that memory of the machine is broken: MADV_HWPOISON, MADV_SOFT_OFFLINE."""
    # Where no memory is: it looks, and nothing is lost.
    libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    page = libc.mmap(None, 4096, 0, 0x22, -1, 0)
    call("munmap", page, 4096)
    return "Invalid" not in (tried := reached("madvise", page, 4096, 101)) and tried


# ---- ioctl and descriptors ----

@attempt("seccomp")
def type_into_a_terminal(c):
    """Typing into the terminal of whoever started the node: TIOCSTI, TIOCLINUX."""
    return first([(fd, request) for fd in range(8) for request in (0x5412, 0x541c)], lambda one: seen(one[0], one[1], ctypes.create_string_buffer(b"\n")))


def seen(fd, request, value):
    """ENOTTY says that the kernel asked the descriptor."""
    return "%#x on %d: %s" % (request, fd, reached("ioctl", fd, request, value))


@attempt("seccomp")
def ioctl_with_high_bits(c):
    """The same with bits in the number that the kernel drops and a filter may not."""
    return first(range(8), lambda fd: seen(fd, 0x5412 | 1 << 32, ctypes.create_string_buffer(b"\n")))


@attempt("seccomp")
def signals_from_descriptors(c):
    """Signals for whoever holds a descriptor: FIOASYNC."""
    return first(range(8), lambda fd: seen(fd, 0x5452, ctypes.c_int(0)))


@attempt("seccomp")
def larger_pipes(c):
    """Memory of the kernel that nobody counts: F_SETPIPE_SZ."""
    a, b = os.pipe()
    try:
        return "%d bytes" % call("fcntl", a, 1031, 1 << 20)
    finally:
        os.close(a)
        os.close(b)


@attempt("seccomp")
def leases(c):
    """Holding up whoever opens a file: F_SETLEASE, F_NOTIFY."""
    fd = open_raw(os.path.abspath(__file__))
    try:
        return first((1024, 1026), lambda command: reached("fcntl", fd, command, 2))
    finally:
        call("close", fd)


@attempt("seccomp")
def pages_of_others(c):
    """Which pages of a shared file are in memory, which tells what others read: mincore."""
    fd = open_raw(os.__file__)
    libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    page = libc.mmap(None, 4096, 1, 2, fd, 0)
    call("close", fd)
    there = ctypes.create_string_buffer(1)
    call("mincore", page, 4096, there)
    return "told: %d" % there.raw[0]


@attempt("seccomp")
def pages_by_splice(c):
    """Pages into a pipe without a copy: vmsplice, splice."""
    a, b = os.pipe()
    data = ctypes.create_string_buffer(64)
    try:
        return "%d bytes" % call("vmsplice", b, struct.pack("QQ", ctypes.addressof(data), 64), 1, 0)
    finally:
        os.close(a)
        os.close(b)


@attempt("seccomp")
def flush_everything(c):
    """Making all disks of the machine wait: sync, syncfs."""
    return reached("syncfs", -1)


@attempt("seccomp")
def timers_that_signal(c):
    """Timers of the kernel without a limit: timer_create."""
    event = struct.pack("QiiI", 0, 0, 1, 0) + bytes(64)     # SIGEV_NONE
    made = ctypes.c_int()
    call("timer_create", 1, event, made)
    return "timer %d" % made.value
