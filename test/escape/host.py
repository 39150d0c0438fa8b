"""Become a process of another host, then run a program: what a container, a cluster or a service manager would do to it.

    host.py '{"uid": 64123, "refuse": {"1": ["mount"]}}' PROGRAM ARGUMENT...

Keys of the object, in the order in which they take effect; each needs what it would need by hand (most: root):
  mounts             [[how, path]...] in a mount namespace of its own: "ro" (read-only from here down), "rw" (as before the
                     "ro" above it), "tmpfs" (an empty one), "devices" (a /dev with a few harmless ones)
  chroot             a folder; or true: everything bound to /mnt, and that made the root
  user_namespaces    false: none may be made (a user namespace around it whose limit is 0; the host's stays as it is)
  limits             {"NOFILE": n ...}: of resource
  refuse             {errno: [names of system calls]} by seccomp
  allow              [names of system calls]: no others, as SystemCallFilter= of systemd
  families           [numbers] of sockets that may be made, as RestrictAddressFamilies=
  refuse_namespaces  true: clone() with a flag for one is refused, as unshare is; clone3 is not there
  bounding           [capabilities] that are left in the bounding set and in all others
  uid                a number: user and group, no others
  ambient            [capabilities] that a user keeps
  no_new_privs       true
The process stays the same one, so its pid is the program's.
"""
import ctypes
import json
import os
import platform
import resource
import struct
import subprocess
import sys

CAPABILITIES = """chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service
net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot
sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog
wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore""".split()

# Number on x86_64, on aarch64 (None: it has no such call).
SYSCALLS = {
    "acct": (163, 89), "add_key": (248, 217), "bpf": (321, 280), "chroot": (161, 51), "clock_settime": (227, 112),
    "clone": (56, 220), "clone3": (435, 435), "delete_module": (176, 106), "fanotify_init": (300, 262),
    "finit_module": (313, 273), "fsconfig": (431, 431), "fsmount": (432, 432), "fsopen": (430, 430), "fspick": (433, 433),
    "get_mempolicy": (239, 236), "init_module": (175, 105), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425), "ioperm": (173, None), "iopl": (172, None), "kcmp": (312, 272), "kexec_file_load": (320, 294),
    "kexec_load": (246, 104), "keyctl": (250, 219), "landlock_add_rule": (445, 445), "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446), "lookup_dcookie": (212, 18), "mbind": (237, 235), "mount": (165, 40),
    "mount_setattr": (442, 442), "move_mount": (429, 429), "move_pages": (279, 239), "open_by_handle_at": (304, 265),
    "open_tree": (428, 428), "perf_event_open": (298, 241), "pidfd_getfd": (438, 438), "pivot_root": (155, 41),
    "process_madvise": (440, 440), "ptrace": (101, 117), "quotactl": (179, 60), "reboot": (169, 142),
    "request_key": (249, 218), "set_mempolicy": (238, 237), "setdomainname": (171, 162), "sethostname": (170, 161),
    "setns": (308, 268), "settimeofday": (164, 170), "swapoff": (168, 225), "swapon": (167, 224), "syslog": (103, 116),
    "umount2": (166, 39), "unshare": (272, 97), "userfaultfd": (323, 282), "vhangup": (153, 58),
}
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
NAMESPACE_FLAGS = 0x7E020000
EPERM, ENOSYS = 1, 38
ALLOW, ERRNO = 0x7FFF0000, 0x00050000

libc = ctypes.CDLL(None, use_errno=True)


def call(what, result):
    if result < 0:
        raise OSError(ctypes.get_errno(), what + ": " + os.strerror(ctypes.get_errno()))
    return result


def prctl(what, *arguments):
    numbers = [ctypes.c_ulong(n) for n in (list(arguments) + [0, 0, 0, 0])[:4]]
    return call("prctl %d" % what, libc.prctl(ctypes.c_int(what), *numbers))


# ---- mounts ----

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_NOSUID, MS_BIND, MS_REC, MS_PRIVATE = 2, 4096, 16384, 1 << 18


class MountAttr(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def set_read_only(path, is_read_only):
    """Everything mounted from here down."""
    attr = MountAttr(1, 0) if is_read_only else MountAttr(0, 1)
    call("mount_setattr " + path, libc.syscall(ctypes.c_long(SYSCALLS["mount_setattr"][0]), ctypes.c_int(-100), path.encode(),
                                               ctypes.c_uint(0x8000), ctypes.byref(attr), ctypes.c_size_t(32)))


def mount(source, target, kind, flags, data=None):
    call("mount %s" % target, libc.mount(source and source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags),
                                         data and data.encode()))


def own_mounts():
    call("unshare(NEWNS)", libc.unshare(CLONE_NEWNS))
    mount(None, "/", None, MS_REC | MS_PRIVATE)


def own_devices(path):
    """As PrivateDevices= of systemd."""
    mount("tmpfs", "/mnt", "tmpfs", MS_NOSUID, "mode=755")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        open("/mnt/" + name, "w").close()
        mount("/dev/" + name, "/mnt/" + name, None, MS_BIND)
    os.mkdir("/mnt/shm")
    mount("tmpfs", "/mnt/shm", "tmpfs", MS_NOSUID, "mode=1777")
    mount("/mnt", path, None, MS_BIND | MS_REC)
    call("umount /mnt", libc.umount2(b"/mnt", 2))


def apply_mounts(mounts):
    own_mounts()
    for how, path in mounts:
        if how == "tmpfs":
            mount("tmpfs", path, "tmpfs", 0, "mode=1777")
        elif how == "devices":
            own_devices(path)
        else:
            if path != "/":  # bound onto itself it would make a chroot of what is below
                mount(path, path, None, MS_BIND | MS_REC)
            set_read_only(path, how == "ro")


def apply_chroot(where):
    here = os.getcwd()
    if where is True:
        own_mounts()
        where = "/mnt"  # a folder that every Debian has: nothing is left of it outside
        mount("/", where, None, MS_BIND | MS_REC)
    os.chroot(where)
    os.chdir(here)


# ---- namespaces, limits ----


def forbid_user_namespaces():
    """A user namespace with everybody in it, whose own limit of user namespaces is 0."""
    begin, end = os.pipe(), os.pipe()
    helper = os.fork()
    if helper == 0:  # outside, where the rights to write such a map are
        os.close(begin[1])
        if os.read(begin[0], 1) != b"x":
            os._exit(1)  # there is none, as in a chroot
        for name in ("uid_map", "gid_map"):
            with open("/proc/%d/%s" % (os.getppid(), name), "w") as f:
                f.write("0 0 4294967295")
        os.write(end[1], b"x")
        os._exit(0)
    call("unshare(NEWUSER)", libc.unshare(CLONE_NEWUSER))
    os.write(begin[1], b"x")
    os.close(end[1])
    if os.read(end[0], 1) != b"x":
        raise OSError(EPERM, "the map of the user namespace could not be written")
    os.waitpid(helper, 0)
    for fd in begin + (end[0],):
        os.close(fd)
    with open("/proc/sys/user/max_user_namespaces", "w") as f:
        f.write("0")


# ---- system calls ----


def filter_of(refuse, refuse_namespaces):
    """A classic BPF program that lets through what is not named."""
    column, architecture = ARCHITECTURES[platform.machine()]
    code = [(0x20, 0, 0, 4), (0x15, 1, 0, architecture), (0x06, 0, 0, 0x80000000), (0x20, 0, 0, 0)]

    def on(name, errno):
        number = SYSCALLS[name][column]
        if number is not None:
            code.extend([(0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | errno)])

    if refuse_namespaces:
        on("clone3", ENOSYS)
        # clone with a flag for a namespace: its first argument, low word
        code.extend([(0x15, 0, 4, SYSCALLS["clone"][column]), (0x20, 0, 0, 16), (0x45, 0, 1, NAMESPACE_FLAGS),
                     (0x06, 0, 0, 0x00050000 | EPERM), (0x20, 0, 0, 0)])
    for errno, names in refuse.items():
        for name in names:
            on(name, int(errno))
    code.append((0x06, 0, 0, 0x7FFF0000))
    return b"".join(struct.pack("HBBI", *line) for line in code), len(code)


class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def apply_filter(refuse, refuse_namespaces):
    if not holds_capability("sys_admin"):
        prctl(38, 1)
    code, count = filter_of(refuse, refuse_namespaces)
    program = Program(count, code)
    call("seccomp", libc.prctl(ctypes.c_int(22), ctypes.c_ulong(2), ctypes.byref(program), ctypes.c_ulong(0), ctypes.c_ulong(0)))


class Compare(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("how", ctypes.c_int), ("value", ctypes.c_uint64), ("more", ctypes.c_uint64)]


def load_filter(otherwise, rules):
    """By libseccomp.  rules: [(action, name, value of the first argument or None)]; names that it does not know are left out."""
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(lib.seccomp_init(ctypes.c_uint32(otherwise)))
    for action, name, value in rules:
        number = lib.seccomp_syscall_resolve_name(name.encode())
        compare = (Compare * 1)(Compare(0, 4, value or 0, 0))  # SCMP_CMP_EQ
        if number != -1:
            lib.seccomp_rule_add_array(context, ctypes.c_uint32(action), ctypes.c_int(number), ctypes.c_uint(value is not None), compare)
    if lib.seccomp_load(context) != 0:
        raise OSError(EPERM, "the filter cannot be loaded")


def apply_lists(allow, families):
    if families:
        load_filter(ALLOW, [(ERRNO | 97, "socket", family) for family in range(64) if family not in families])
    if allow:
        load_filter(ERRNO | EPERM, [(ALLOW, name, None) for name in allow])


# ---- capabilities, users ----


def mask_of(names):
    return sum(1 << CAPABILITIES.index(name) for name in names)


def holds_capability(name):
    with open("/proc/self/status") as f:
        effective = next(int(line.split()[1], 16) for line in f if line.startswith("CapEff:"))
    return bool(effective & mask_of([name]))


def set_capabilities(permitted, inheritable):
    header = struct.pack("Ii", 0x20080522, 0)
    data = b"".join(struct.pack("III", *[(m >> shift) & 0xFFFFFFFF for m in (permitted, permitted, inheritable)]) for shift in (0, 32))
    call("capset", libc.capset(header, data))


def drop_bounding(kept):
    for number, name in enumerate(CAPABILITIES):
        if name not in kept and libc.prctl(ctypes.c_int(23), ctypes.c_ulong(number), 0, 0, 0) == 1:
            prctl(24, number)


def become(uid, ambient):
    if ambient:
        prctl(8, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if ambient:
        set_capabilities(mask_of(ambient), mask_of(ambient))
        for name in ambient:
            prctl(47, 2, CAPABILITIES.index(name))


def become_host(spec):
    if spec.get("mounts"):
        apply_mounts(spec["mounts"])
    if spec.get("chroot"):
        apply_chroot(spec["chroot"])
    if spec.get("user_namespaces") is False:
        forbid_user_namespaces()
    for name, value in spec.get("limits", {}).items():
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
    if spec.get("bounding") is not None:
        drop_bounding(spec["bounding"])
    if spec.get("refuse") or spec.get("refuse_namespaces"):
        apply_filter(spec.get("refuse", {}), spec.get("refuse_namespaces", False))
    if spec.get("families") or spec.get("allow"):
        apply_lists(spec.get("allow"), spec.get("families"))
    if spec.get("uid") is not None:
        become(spec["uid"], spec.get("ambient", []))
    elif spec.get("bounding") is not None:
        set_capabilities(mask_of(spec["bounding"]), 0)
    if spec.get("no_new_privs"):
        prctl(38, 1)


def main():
    spec, argv = json.loads(sys.argv[1]), sys.argv[2:]
    try:
        become_host(spec)
        os.execvp(argv[0], argv)
    except OSError as e:
        sys.exit("host.py: %s: %s" % (type(e).__name__, e))


def run(spec, argv, **more):
    return subprocess.run([sys.executable, __file__, json.dumps(spec)] + argv, **more)


if __name__ == "__main__":
    main()
