"""tree.py - folders, files and links in this process's own memory, and how a path leads to one of them.

One tree, whose root is "/": of that only the folders of ROOTS are in memory, all else is real.  Paths in REAL are
real as well, although they are below those: a worker's own files may lie in /tmp.

Whoever calls holds `lock`, but for resolve() alone.  Errors are OSErrors with the number that Linux gives.
"""
import errno
import os
import posix
import stat
import threading
import time

import _corral

BYTES_MAX = 512 << 20       # of all files together; limits.tmp_mb: set_limit
FILES_MAX = 65536           # files, folders and links
NAME_MAX = 255              # bytes
PATH_MAX = 4096             # bytes, with the NUL behind them
LINKS_MAX = 40              # symbolic links on one path
DEVICE = 0x7fff             # st_dev of all that is here
BLOCK = 4096

lock = threading.RLock()
used_bytes = used_files = 0
_numbers = 0
_umask = posix.umask
_getcwd = posix.getcwd
_real = []                  # paths


def set_limit(bytes):
    """All files together; 0: no limit.  What is more says ENOSPC."""
    global BYTES_MAX
    BYTES_MAX = bytes or 1 << 60


class Outside(Exception):
    """The path is real: .path to use, or None for that which was given."""

    def __init__(self, path=None):
        self.path = path


def fail(number, *names):
    raise OSError(number, os.strerror(number), *names)


def _full():
    """limits.tmp_mb is met, or FILES_MAX: the worker's log says so."""
    _corral.met("tmp_mb")
    fail(errno.ENOSPC)


def permissions(mode):
    mask = _umask(0)
    _umask(mask)
    return mode & 0o7777 & ~mask


class Inode:
    """What has a number, a mode and times.  kind: one of stat's S_IF constants."""
    __slots__ = ("mode", "number", "links", "uid", "gid", "accessed", "modified", "changed")
    kind = 0
    size = 0

    def __init__(self, mode):
        global used_files, _numbers
        if used_files >= FILES_MAX:
            _full()
        used_files += 1
        _numbers += 1
        self.mode, self.number, self.links = mode, _numbers, 0
        self.uid, self.gid = posix.getuid(), posix.getgid()
        self.accessed = self.modified = self.changed = time.time_ns()

    def touch(self):
        self.modified = self.changed = time.time_ns()

    def gone(self):
        """No name leads here any more."""
        global used_files
        used_files -= 1

    def stat(self):
        a, m, c = self.accessed, self.modified, self.changed
        return os.stat_result(
            (self.kind | self.mode, self.number, DEVICE, self.links, self.uid, self.gid, self.size,
             a // 10**9, m // 10**9, c // 10**9),
            {"st_atime": a / 10**9, "st_mtime": m / 10**9, "st_ctime": c / 10**9, "st_atime_ns": a, "st_mtime_ns": m, "st_ctime_ns": c,
             "st_blksize": BLOCK, "st_blocks": -(-self.size // 512), "st_rdev": 0})


class Folder(Inode):
    __slots__ = ("children", "parent", "name")
    kind = stat.S_IFDIR

    def __init__(self, mode, parent, name):
        super().__init__(mode)
        self.children, self.parent, self.name, self.links = {}, parent, name, 2

    def path(self):
        """Where it is, or None: it was removed."""
        names, at = [], self
        while at.parent is not at:
            if at.parent is None:
                return None
            names.append(at.name)
            at = at.parent
        return "/" + "/".join(reversed(names))

    def add(self, name, inode):
        if self.parent is None:         # removed, and still somebody's current folder
            fail(errno.ENOENT)
        if inode.kind == stat.S_IFDIR:
            inode.parent, inode.name = self, name
            self.links += 1
        else:
            inode.links += 1
        self.children[name] = inode
        self.touch()

    def take(self, name):
        """Without a word to what was there."""
        inode = self.children.pop(name)
        if inode.kind == stat.S_IFDIR:
            self.links -= 1
        else:
            inode.links -= 1
        inode.changed = time.time_ns()
        self.touch()
        return inode

    def drop(self, name):
        inode = self.take(name)
        if inode.kind == stat.S_IFDIR:
            inode.parent = None
            inode.links = 0
        if inode.links == 0:
            inode.gone()


class Link(Inode):
    __slots__ = ("target",)
    kind = stat.S_IFLNK

    def __init__(self, target):
        super().__init__(0o777)
        self.target = target

    @property
    def size(self):
        return len(os.fsencode(self.target))


class File(Inode):
    """windows: what C code reads and writes instead, see files.py."""
    __slots__ = ("data", "opened", "windows")
    kind = stat.S_IFREG

    def __init__(self, mode):
        super().__init__(mode)
        self.data, self.opened, self.windows = bytearray(), 0, ()

    @property
    def size(self):
        return len(self.data)

    def stat(self):
        for window in self.windows:
            window.pull()
        return super().stat()

    def _reserve(self, more):
        global used_bytes
        if more > 0 and used_bytes + more > BYTES_MAX:
            _full()
        used_bytes += more

    def resize(self, size):
        data, had = self.data, len(self.data)
        self._reserve(size - had)
        try:
            if size < had:
                del data[size:]
            else:
                data.extend(bytes(size - had))
        except BaseException as e:
            self._reserve(had - size)
            if isinstance(e, MemoryError):
                fail(errno.ENOSPC)
            raise

    def write(self, at, view):
        """All of the view, a memoryview of bytes."""
        data, had, end = self.data, len(self.data), at + len(view)
        if end > had:
            self._reserve(end - had)
        try:
            if at > had:
                data.extend(bytes(at - had))
            data[at:end] = view
        except BaseException as e:
            self._reserve(len(data) - max(end, had))
            if isinstance(e, MemoryError):
                fail(errno.ENOSPC)
            raise
        self.touch()

    def replace(self, content):
        """All of it: `content` (bytes) is copied."""
        self._reserve(len(content) - len(self.data))
        self.data = bytearray(content)
        self.touch()

    def gone(self):
        if self.opened == 0:
            super().gone()
            self._reserve(-len(self.data))
            self.data = bytearray()

    def closed(self):
        self.opened -= 1
        if self.links == 0:
            self.gone()


root = Folder(0o755, None, "/")
root.parent = root
ROOTS = {"tmp": 0o1777, "session": 0o755}
for _name, _mode in ROOTS.items():
    root.add(_name, Folder(_mode, root, _name))
cwd = None      # a folder, or None: it is real


# ---- paths ----


def add_real(path):
    """What is below this folder is real."""
    path = posix._path_normpath(path)
    if path.split("/", 2)[1] in ROOTS and path not in _real:
        _real.append(path)
        return True
    return False


def _is_real(path):
    """-> True; None: it leads to something real, and may be in memory too; False."""
    answer = False
    for real in _real:
        if path == real or path.startswith(real + "/"):
            return True
        if answer is False and real.startswith(path + "/"):
            answer = None
    return answer


def _enter(path, start):
    """(folder to begin in, path from there) or Outside."""
    if not path.startswith("/") and start is None and cwd is None:
        path = _getcwd() + "/" + path
    if path.startswith("/"):
        clean = posix._path_normpath("/" + path.lstrip("/"))
        if clean.split("/", 2)[1] not in ROOTS:
            # A link on the way may lead elsewhere than the text says: only where there is memory on the way.
            if not any(part in ROOTS for part in path.split("/")):
                raise Outside
        elif _is_real(clean):
            raise Outside
        return root, path
    return start or cwd, path


class Place:
    """Where a path leads: .folder and .name, and .inode or None.  name is "" for the root of all, "." and ".."."""
    __slots__ = ("folder", "name", "inode", "is_folder")

    def __init__(self, folder, name, inode, is_folder):
        self.folder, self.name, self.inode, self.is_folder = folder, name, inode, is_folder


def resolve(path, start=None, follow=True):
    """-> Place, or raises Outside or OSError without names.

    path: str.  start: the folder that a relative one begins in; None: the current one.
    follow: also a symbolic link at the end.  .is_folder: the path ends in a slash, so nothing else may be there.
    """
    if "\0" in path:
        raise ValueError("embedded null byte")
    if not path:
        fail(errno.ENOENT)
    if len(path) > PATH_MAX // 4 and len(os.fsencode(path)) >= PATH_MAX:
        fail(errno.ENAMETOOLONG)
    folder, rest = _enter(path, start)
    parts = rest.split("/")
    parts.reverse()
    links = 0
    name, inode = "", folder
    is_folder = rest.endswith("/")
    while parts:
        part = parts.pop()
        if part == "" or part == ".":
            if part == "." and not any(parts):
                is_folder, name = True, ""
            if inode is None:       # "missing/."
                if part == "." or any(parts):
                    fail(errno.ENOENT)
            elif inode.kind != stat.S_IFDIR and (part == "." or not any(parts)):
                fail(errno.ENOTDIR)
            continue
        if inode is None:
            fail(errno.ENOENT)
        if inode.kind != stat.S_IFDIR:
            fail(errno.ENOTDIR)
        folder = inode
        if part == "..":
            inode, name = folder.parent, ""
            if inode is None:
                fail(errno.ENOENT)
            continue
        if len(part) > NAME_MAX // 4 and len(os.fsencode(part)) > NAME_MAX:
            fail(errno.ENAMETOOLONG)
        if folder is root and part not in root.children:
            raise Outside("/" + "/".join([part, *reversed(parts)]))
        name, inode = part, folder.children.get(part)
        if inode is not None and inode.kind == stat.S_IFLNK and (follow or is_folder or any(parts)):
            links += 1
            if links > LINKS_MAX:
                fail(errno.ELOOP)
            parts.extend(reversed(inode.target.split("/")))
            if inode.target.startswith("/"):
                clean = posix._path_normpath("/" + "/".join(p for p in reversed(parts) if p))
                if _is_real(clean):
                    raise Outside(clean)
                inode = root
            else:
                inode = folder
            name = ""
    if inode is root:
        raise Outside("/")
    if _real and (inode is None or inode.kind == stat.S_IFDIR):
        _meet_real(folder, name, inode)
    return Place(folder, name, inode, is_folder)


def _meet_real(folder, name, inode):
    """A folder on the way to what is real is real, unless there is one in memory."""
    if inode is None and name:
        above = folder.path()
        if above is not None:
            path = (above if above != "/" else "") + "/" + name
            if _is_real(path) is not False:
                raise Outside(path)
