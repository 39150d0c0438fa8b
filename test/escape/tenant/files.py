"""Files of the host, of the node and of other tenants; ways around paths; devices; what would change the host."""
import ctypes
import errno
import os
import stat
import struct

from attempt import OWN, ROOT, attempt
from kernel import (AT_FDCWD, O_PATH, address, call, descriptor, first, listing, number, open_raw, raw_syscall, reached,
                    read, read_fd)

FILES = ("landlock", "tree")            # whose names lead out of what a worker may see
CHANGES = ("seccomp", "landlock", "tree")
MOUNTS = ("seccomp", "user", "always")  # capabilities are dropped in every tier


# ---- reading what is not the worker's ----

@attempt(*FILES)
def host_file(c):
    """A file that everybody on the host may read, by its name."""
    return read(c.host_file)


@attempt(*FILES)
def host_file_by_python(c):
    """The same through Python's open."""
    with open(c.host_file) as f:
        return f.read()


@attempt(*FILES, proof=ROOT)
def etc_shadow(c):
    """The host's password hashes."""
    return b"root:" in read("/etc/shadow") and "they are here"


@attempt(*FILES)
def host_accounts(c):
    """Who has an account on the host: /etc/passwd as it really is."""
    names = {line.split(b":")[0].decode() for line in read("/etc/passwd", 65536).splitlines()}
    return sorted(names & {"daemon", "bin", "sys", "sync", "games", "man", "mail"})


@attempt(*FILES)
def host_folder(c):
    """What lies in a folder of the host."""
    return listing(c.host_folder)


@attempt(*FILES)
def root_folder(c):
    """What lies in the host's root folder."""
    return sorted(set(listing("/")) & {"root", "home", "boot", "opt", "srv", "media"})


@attempt("tree")
def host_file_exists(c):
    """Whether a file is there, and how long it is."""
    return os.stat(c.host_file).st_size


@attempt(*FILES)
def key_of_secrets(c):
    """The key that opens the secrets of all accounts: DATA/secrets.key."""
    return read(c.data + "/secrets.key")


@attempt(*FILES)
def catalog(c):
    """The node's catalog: accounts, tokens, secrets, all workers."""
    return first(c.catalog_files, read)


@attempt(*FILES)
def databases(c):
    """The files of another account's D1 database."""
    return first(c.database_files, read)


@attempt(*FILES)
def bundle_of_another_account(c):
    """The code of another account's worker."""
    return first(c.other_bundle_files, read)


@attempt(*FILES)
def bundle_of_a_sibling(c):
    """The code of another worker of the same account."""
    return first(c.sibling_bundle_files, read)


@attempt(*FILES)
def list_bundles(c):
    """Which bundles there are beside one's own."""
    other = os.path.dirname(os.path.dirname(c.other_bundle_files[0]))
    return os.path.basename(other) in listing(os.path.dirname(other)) and "another account's is among them"


@attempt(*FILES)
def data_folder(c):
    """What lies in the node's data folder."""
    return sorted(set(listing(c.data)) - {"bundles", "environments"})    # on the way to one's own


@attempt(*FILES)
def every_file_of_the_node(c):
    """Each file below the data folder that is not this worker's."""
    return first(c.node_files, read)


@attempt(*FILES)
def access_log(c):
    """Who called other people's workers: the access log, which everybody on the host may read here."""
    return read(c.access_log)


# ---- ways around a name ----

@attempt(*FILES)
def dot_dot_from_the_bundle(c):
    """Up from the worker's own folder, through what lies beside it."""
    up = "/".join([".."] * 40)
    return first([os.path.dirname(os.path.abspath(__file__)) + "/" + up + c.host_file, up + c.host_file], read)


@attempt(*FILES)
def path_only_descriptor(c):
    """O_PATH of the root folder, then a name below it."""
    root = open_raw("/", O_PATH)
    try:
        return read(c.host_file[1:], at=root)
    finally:
        call("close", root)


@attempt("seccomp", "landlock", "tree")
def openat2(c):
    """openat2, which filters of open and openat do not see."""
    how = struct.pack("QQQ", os.O_RDONLY | os.O_CLOEXEC, 0, 0)
    fd = call("openat2", AT_FDCWD, c.host_file, how, len(how))
    try:
        return read_fd(fd)
    finally:
        call("close", fd)


@attempt(*FILES)
def open_by_machine_code(c):
    """open by the instruction itself, out of a page of machine code."""
    path = ctypes.create_string_buffer(c.host_file.encode())
    fd = raw_syscall(number("openat"), AT_FDCWD, address(path), os.O_RDONLY | os.O_CLOEXEC, 0)
    if fd < 0:
        raise OSError(-fd, os.strerror(-fd))
    try:
        return read_fd(fd)
    finally:
        call("close", fd)


@attempt(*FILES)
def change_folder(c):
    """chdir to the host's folder, then a name without one."""
    before = open_raw(".", O_PATH)
    try:
        os.chdir(c.host_folder)
        return read(os.path.basename(c.host_file))
    finally:
        call("fchdir", before)
        call("close", before)


@attempt("always", proof=OWN)
def folder_among_inherited_descriptors(c):
    """A folder of the outside that was left open: from there up, and down again."""
    mine = open_raw(os.path.dirname(os.path.abspath(__file__)), os.O_DIRECTORY) if c.own else -1

    def look(fd):
        if fd == mine:
            return read(os.path.basename(__file__), at=fd)
        return read("../" * 40 + c.host_file[1:], at=fd)
    try:
        return first(range(256), look)
    finally:
        if c.own:
            call("close", mine)


@attempt("seccomp", "landlock", "tree", proof=ROOT)
def open_by_handle(c):
    """A file by its number in the file system: open_by_handle_at, the way out of many a container."""
    class Handle(ctypes.Structure):
        _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_char * 128)]
    handle, mount = Handle(128), ctypes.c_int()
    call("name_to_handle_at", AT_FDCWD, c.host_file, handle, mount, 0)
    root = open_raw("/", os.O_RDONLY)
    try:
        fd = call("open_by_handle_at", root, handle, os.O_RDONLY)
        try:
            return read_fd(fd)
        finally:
            call("close", fd)
    finally:
        call("close", root)


@attempt("seccomp", "landlock", "tree", proof=ROOT)
def guessed_handle(c):
    """The root folder's handle need not be asked for: it is number 2 of every ext4."""
    handle = struct.pack("<IiII", 8, 1, 2, 0)
    def look(name):
        at = open_raw(name, os.O_RDONLY)
        try:
            fd = call("open_by_handle_at", at, handle, os.O_RDONLY)
        finally:
            call("close", at)
        found = "inode %d" % os.fstat(fd).st_ino
        call("close", fd)
        return found
    return first((".", "/tmp", "/etc", "/usr"), look)


@attempt(*FILES)
def dlopen(c):
    """Code of the host into the own process: dlopen of a library that is not the worker's."""
    return ctypes.CDLL(c.host_library)._name


@attempt("seccomp", "landlock", "tree")
def symbolic_link(c):
    """A link of one's own that leads out."""
    link = c.scratch + "/link-%d" % os.getpid()
    call("symlinkat", c.host_file, AT_FDCWD, link)
    try:
        return read(link)
    finally:
        call("unlinkat", AT_FDCWD, link, 0)


@attempt("seccomp", "landlock", "tree")
def symbolic_link_in_tmp(c):
    """The same in /tmp, where a worker may write."""
    link = "/tmp/corral-escape-link-%d" % os.getpid()
    call("symlinkat", c.host_file, AT_FDCWD, link)
    try:
        return read(link)
    finally:
        call("unlinkat", AT_FDCWD, link, 0)


@attempt(*FILES)
def root_of_own_process(c):
    """The real root through /proc/self/root."""
    return read("/proc/self/root" + c.host_file)


@attempt(*FILES, proof=ROOT)
def root_of_another_process(c):
    """The real root through that of another process."""
    return first(["/proc/%d/root" % p for p in (1, c.node, c.victim, os.getppid())], lambda root: read(root + c.host_file))


@attempt(*FILES)
def folder_of_another_process(c):
    """The folder that another process is in."""
    return first(["/proc/%d/cwd" % p for p in (c.victim, c.node)], listing)


@attempt(*FILES)
def descriptors_of_another_process(c):
    """What another process has open, opened once more."""
    return first(["/proc/%d/fd/%d" % (p, fd) for p in (c.victim, c.node) for fd in range(64)],
                 lambda path: stat.S_ISREG(os.stat(path).st_mode) and read(path))


@attempt("tree")
def own_descriptors_reopened(c):
    """A descriptor that may only be written, opened once more for reading."""
    a, b = os.pipe()
    try:
        return descriptor("openat", AT_FDCWD, "/proc/self/fd/%d" % b, os.O_RDONLY | os.O_NONBLOCK, 0)
    finally:
        os.close(a)
        os.close(b)


@attempt(*FILES)
def proc_of_the_host(c):
    """What the kernel tells of itself: /proc/kallsyms, /proc/modules, /proc/net, /proc/meminfo, /proc/version."""
    return first(["/proc/" + n for n in ("version", "meminfo", "kallsyms", "net/unix", "cpuinfo", "mounts", "self/mountinfo")], read)


@attempt(*FILES)
def own_memory_map(c):
    """Where all is in one's own memory: /proc/self/maps."""
    return read("/proc/self/maps")


@attempt("seccomp", "landlock", "tree")
def own_memory_file(c):
    """Writing over code that may not be written: /proc/self/mem."""
    return descriptor("openat", AT_FDCWD, "/proc/self/mem", os.O_RDWR, 0)


@attempt(*FILES)
def sysfs(c):
    """Devices, drivers and settings of the host: /sys."""
    return first(["/sys/kernel/mm/transparent_hugepage/enabled", "/sys/devices/system/cpu/online", "/sys/fs/cgroup/cgroup.controllers"], read)


@attempt(*FILES)
def kernel_settings(c):
    """Settings of the kernel: /proc/sys."""
    return read("/proc/sys/kernel/core_pattern")


@attempt("seccomp", "landlock", "tree", proof=ROOT)
def core_pattern(c):
    """The program that the kernel starts as root for a crash: opening /proc/sys/kernel/core_pattern for writing."""
    return descriptor("openat", AT_FDCWD, "/proc/sys/kernel/core_pattern", os.O_WRONLY, 0)


@attempt("seccomp", "landlock", "tree", proof=ROOT)
def sysrq(c):
    """Orders to the kernel: opening /proc/sysrq-trigger, /proc/sys/vm/drop_caches for writing."""
    return first(["/proc/sysrq-trigger", "/proc/sys/vm/drop_caches"], lambda path: descriptor("openat", AT_FDCWD, path, os.O_WRONLY, 0))


# ---- devices ----

@attempt(*FILES, proof=ROOT)
def disks_and_memory(c):
    """Memory, kernel log and disks as files: /dev/mem, /dev/kmsg, /dev/vda, /dev/loop0 and the like."""
    names = ("mem", "kmem", "port", "kmsg", "vda", "sda", "nvme0n1", "loop0", "loop-control", "kvm", "fuse", "hwrng", "autofs", "net/tun",
             "vhost-net", "mapper/control", "ptmx", "tty", "console", "dri/card0", "nvram", "rtc0", "userfaultfd", "uinput")
    return first(["/dev/" + n for n in names], lambda path: descriptor("openat", AT_FDCWD, path, os.O_RDONLY | os.O_NONBLOCK, 0))


@attempt("seccomp", "landlock", "tree", "user", "always", proof=ROOT)
def make_a_device(c):
    """A disk by its number: mknod."""
    path = c.scratch + "/device-%d" % os.getpid()
    call("mknodat", AT_FDCWD, path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    try:
        return "made %s" % path
    finally:
        call("unlinkat", AT_FDCWD, path, 0)


@attempt("seccomp", "landlock", "tree")
def shared_memory_folder(c):
    """A file that other processes see: /dev/shm."""
    path = "/dev/shm/corral-escape-%d" % os.getpid()
    fd = open_raw(path, os.O_RDWR | os.O_CREAT)
    call("close", fd)
    call("unlinkat", AT_FDCWD, path, 0)
    return "made %s" % path


# ---- changing the host ----

@attempt(*CHANGES)
def write_host_file(c):
    """Writing into a file that everybody may write."""
    fd = open_raw(c.host_writable, os.O_WRONLY)
    call("write", fd, b"y", 1)
    call("close", fd)
    return "written"


@attempt(*CHANGES)
def make_host_file(c):
    """A new file where everybody may make some."""
    path = c.scratch + "/made-%d" % os.getpid()
    call("close", open_raw(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    call("unlinkat", AT_FDCWD, path, 0)
    return "made %s" % path


@attempt(*CHANGES)
def make_unnamed_file(c):
    """A file without a name on the host's disk: O_TMPFILE."""
    return descriptor("openat", AT_FDCWD, c.scratch, os.O_TMPFILE | os.O_RDWR, 0o600)


@attempt(*CHANGES)
def make_folder(c):
    """A new folder on the host."""
    path = c.scratch + "/folder-%d" % os.getpid()
    call("mkdirat", AT_FDCWD, path, 0o700)
    call("unlinkat", AT_FDCWD, path, 0x200)
    return "made %s" % path


@attempt(*CHANGES)
def remove_host_file(c):
    """Removing a file of the host."""
    call("unlinkat", AT_FDCWD, c.victim_files + "/remove-%s" % c.stage, 0)
    return "removed"


@attempt(*CHANGES)
def rename_host_file(c):
    """Renaming a file of the host."""
    call("renameat2", AT_FDCWD, c.victim_files + "/rename-%s" % c.stage, AT_FDCWD, c.victim_files + "/renamed-%s" % c.stage, 0)
    return "renamed"


@attempt(*CHANGES)
def hard_link(c):
    """A second name for a file of the host."""
    call("linkat", AT_FDCWD, c.victim_files + "/link-%s" % c.stage, AT_FDCWD, c.victim_files + "/linked-%s" % c.stage, 0)
    return "linked"


@attempt(*CHANGES)
def truncate_host_file(c):
    """Cutting a file of the host."""
    call("truncate", c.victim_files + "/truncate-%s" % c.stage, 1)
    return "cut"


@attempt(*CHANGES)
def change_mode(c):
    """Opening a file of the host for everybody: chmod."""
    call("fchmodat", AT_FDCWD, c.victim_files + "/mode-%s" % c.stage, 0o777)
    return "changed"


@attempt(*CHANGES)
def change_owner(c):
    """Giving a file of the host to somebody: chown."""
    call("fchownat", AT_FDCWD, c.victim_files + "/owner-%s" % c.stage, os.getuid(), os.getgid(), 0)
    return "changed"


@attempt("seccomp", "tree")
def change_times(c):
    """Changing a file's times."""
    call("utimensat", AT_FDCWD, c.victim_files + "/times-%s" % c.stage, None, 0)
    return "changed"


@attempt("seccomp", "tree")
def extended_attribute(c):
    """Hanging bytes on a file of the host: setxattr."""
    call("setxattr", c.victim_files + "/xattr-%s" % c.stage, "user.corral", b"x", 1, 0)
    return "set"


@attempt("seccomp", "landlock", "tree")
def own_bundle(c):
    """The worker's own code, for its next start."""
    return descriptor("openat", AT_FDCWD, os.path.abspath(__file__), os.O_WRONLY | os.O_APPEND, 0)


@attempt("seccomp", "landlock", "tree", proof=ROOT)
def interpreter(c):
    """The interpreter's library, which all workers read."""
    return descriptor("openat", AT_FDCWD, os.__file__, os.O_WRONLY | os.O_APPEND, 0)


@attempt("seccomp")
def lock_for_all(c):
    """A lock on a folder that all workers read, so that the node waits for it: flock."""
    return first([os.path.dirname(os.__file__), c.packages_folder, c.packages_folder + "/lock"], lambda path: lock(path))


def lock(path):
    fd, other = open_raw(path), open_raw(path)
    try:
        call("flock", fd, 2 | 4)        # LOCK_EX | LOCK_NB
        call("flock", other, 1 | 4)     # what the node would ask for
    except OSError as e:
        return e.errno == errno.EWOULDBLOCK and "locked"
    finally:
        call("close", fd)
        call("close", other)


@attempt("seccomp", "tree")
def watch_folders(c):
    """Seeing what others do in a folder: inotify."""
    fd = call("inotify_init1", os.O_CLOEXEC)
    try:
        return "watch %d" % call("inotify_add_watch", fd, c.host_folder, 0xfff)
    finally:
        call("close", fd)


@attempt("seccomp", "user", "always", proof=ROOT)
def fanotify(c):
    """Seeing every file that anybody opens: fanotify."""
    return descriptor("fanotify_init", 0, 0)


@attempt("seccomp")
def flush_the_disk(c):
    """Making everybody's disk wait: fsync again and again."""
    try:
        call("fsync", 999)
    except OSError as e:
        # An answer without the disk is no answer of the kernel's.
        if e.errno == errno.EBADF:
            return "fsync is tried: %s" % e
        raise


# ---- mounts ----

@attempt(*MOUNTS, proof=ROOT)
def mount(c):
    """A file system of one's own: mount."""
    call("mount", "none", c.scratch_mount, "tmpfs", 0, None)
    call("umount2", c.scratch_mount, 2)
    return "mounted"


@attempt(*MOUNTS, proof=ROOT)
def new_mount_calls(c):
    """The same by the newer calls: fsopen."""
    return descriptor("fsopen", "tmpfs", 1)


@attempt(*MOUNTS, proof=ROOT)
def copy_of_the_tree(c):
    """A copy of the mounts without what hides things: open_tree."""
    return descriptor("open_tree", AT_FDCWD, "/", 1 | 0o2000000)


@attempt(*MOUNTS, proof=ROOT)
def writable_again(c):
    """Making a read-only tree writable: mount_setattr, remount."""
    return reached("mount_setattr", AT_FDCWD, c.scratch, 0, struct.pack("QQQQ", 0, 0, 0, 0), 32)


@attempt(*MOUNTS, proof=ROOT)
def umount(c):
    """Taking away what hides things: umount."""
    return reached("umount2", c.scratch, 2)


@attempt(*MOUNTS, proof=ROOT)
def pivot_root(c):
    """Another root folder: pivot_root."""
    return reached("pivot_root", c.scratch, c.scratch)


@attempt(*MOUNTS, proof=ROOT)
def chroot(c):
    """A root folder below the one that one is in, and so out of it: chroot."""
    return reached("chroot", "/")


@attempt("seccomp")
def list_mounts(c):
    """Which file systems there are: statmount, listmount."""
    request, found = struct.pack("<IIQQ", 24, 0, 0xffffffffffffffff, 0), ctypes.create_string_buffer(4096)
    return "%d mounts" % call("listmount", request, found, 512, 0)
