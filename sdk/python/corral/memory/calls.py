"""calls.py - the functions of os (which are posix's) that take a path, for what is in memory.

Each is called as the original is, by a gate, when an argument may be of memory; it looks closely, and calls the
original when it is not.  TABLE says how many of its first arguments the gate looks at.
"""
import errno
import os
import posix
import stat as modes

import _corral

from . import files, tree
from .files import OpenFile, OpenFolder, lookup
from .tree import Outside, fail, lock

_path_argument = posix.fspath


class real:
    """The originals."""


TABLE = {}


def _call(paths):
    def keep(function):
        name = function.__name__.rstrip("_")
        original = getattr(posix, name, None)
        if original is not None:
            setattr(real, name, original)
            TABLE[name] = function, paths
        return function
    return keep


class _Paths:
    """with _Paths(names) as ...: OSErrors get the names, as the caller gave them; all of it under the lock."""
    __slots__ = ("names",)

    def __init__(self, *names):
        self.names = names

    @staticmethod
    def _said(name):
        return name if name is None or isinstance(name, int) else _path_argument(name)

    def __enter__(self):
        lock.acquire()

    def __exit__(self, kind, error, traceback):
        lock.release()
        if isinstance(error, OSError) and error.filename is None and error.errno is not None:
            first, second = map(self._said, (*self.names, None, None)[:2])
            if first is not None:
                raise OSError(error.errno, error.strerror, *((first, None, second) if second is not None else (first,))) from None


def _text(path, name="path", kinds="string, bytes or os.PathLike"):
    try:
        return os.fsdecode(path)
    except TypeError:
        raise TypeError(f"{name} should be {kinds}, not {type(path).__name__}") from None


def _start(dir_fd):
    """The folder of a dir_fd; Outside: it is real."""
    if dir_fd is None:
        return None
    opened = lookup(dir_fd)
    if opened is None:
        return None if isinstance(dir_fd, int) else fail(errno.EBADF)
    if not isinstance(opened, OpenFolder):
        fail(errno.ENOTDIR)
    return opened.folder


def _find(path, dir_fd=None, follow=True):
    """-> tree.Place.  Outside: it is real, and so is a relative one below a real dir_fd."""
    if dir_fd is not None and lookup(dir_fd) is None and not path.startswith("/"):
        raise Outside
    return tree.resolve(path, _start(dir_fd) if not path.startswith("/") else None, follow)


def _there(path, dir_fd=None, follow=True):
    place = _find(path, dir_fd, follow)
    if place.inode is None:
        fail(errno.ENOENT)
    if place.is_folder and place.inode.kind != modes.S_IFDIR:
        fail(errno.ENOTDIR)
    return place.inode


def _inode(path, dir_fd=None, follow=True):
    """Of a path or a descriptor of ours.  Outside."""
    if isinstance(path, int):
        opened = lookup(path)
        if opened is None:
            raise Outside
        return opened.inode
    return _there(_text(path), dir_fd, follow)


def _given(outside, path, dir_fd):
    """What to call the original with: (path, its keywords)."""
    if outside.path is not None:
        return outside.path, {}
    return path, {} if dir_fd is None else {"dir_fd": dir_fd}


# ---- looking ----


@_call(1)
def stat(path, *, dir_fd=None, follow_symlinks=True):
    try:
        with _Paths(path):
            return _inode(path, dir_fd, follow_symlinks).stat()
    except Outside as o:
        path, more = _given(o, path, dir_fd)
    return real.stat(path, **more, follow_symlinks=follow_symlinks)


@_call(1)
def lstat(path, *, dir_fd=None):
    try:
        with _Paths(path):
            return _there(_text(path), dir_fd, False).stat()
    except Outside as o:
        path, more = _given(o, path, dir_fd)
    return real.lstat(path, **more)


@_call(1)
def access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True):
    try:
        with _Paths(path):
            inode = _there(_text(path), dir_fd, follow_symlinks)
    except Outside as o:
        path, more = _given(o, path, dir_fd)
        return real.access(path, mode, **more, effective_ids=effective_ids, follow_symlinks=follow_symlinks)
    except OSError:
        return False
    return not mode & os.X_OK or inode.kind == modes.S_IFDIR or bool(inode.mode & 0o111)


@_call(1)
def readlink(path, *, dir_fd=None):
    try:
        with _Paths(path):
            inode = _there(_text(path), dir_fd, False)
            if inode.kind != modes.S_IFLNK:
                fail(errno.EINVAL)
            return os.fsencode(inode.target) if isinstance(_path_argument(path), bytes) else inode.target
    except Outside as o:
        path, more = _given(o, path, dir_fd)
    return real.readlink(path, **more)


def _folder(path):
    inode = _inode("." if path is None else path)
    if inode.kind != modes.S_IFDIR:
        fail(errno.ENOTDIR)
    return inode


def _is_bytes(path):
    return not isinstance(path, int) and path is not None and isinstance(_path_argument(path), bytes)


@_call(1)
def listdir(path=None):
    try:
        with _Paths(path):
            names = list(_folder(path).children)
            return [os.fsencode(name) for name in names] if _is_bytes(path) else names
    except Outside as o:
        path = o.path or path
    return real.listdir(path)


class DirEntry:
    """As os.DirEntry: what os.scandir() found."""
    __slots__ = ("name", "path", "_inode", "_stat")

    def __init__(self, name, path, inode):
        self.name, self.path, self._inode, self._stat = name, path, inode, None

    def __fspath__(self):
        return self.path

    def __repr__(self):
        return f"<DirEntry {self.name!r}>"

    def inode(self):
        return self._inode.number

    def is_symlink(self):
        return self._inode.kind == modes.S_IFLNK

    def _is(self, kind, follow):
        if follow and self._inode.kind == modes.S_IFLNK:
            try:
                return modes.S_IFMT(os.stat(self.path).st_mode) == kind
            except FileNotFoundError:
                return False
        return self._inode.kind == kind

    def is_dir(self, *, follow_symlinks=True):
        return self._is(modes.S_IFDIR, follow_symlinks)

    def is_file(self, *, follow_symlinks=True):
        return self._is(modes.S_IFREG, follow_symlinks)

    def stat(self, *, follow_symlinks=True):
        if follow_symlinks and self._inode.kind == modes.S_IFLNK:
            return os.stat(self.path)
        if self._stat is None:
            self._stat = self._inode.stat()
        return self._stat


DirEntry.__module__ = "posix"


class _Scan:
    def __init__(self, entries):
        self._entries = iter(entries)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._entries)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self._entries = iter(())


@_call(1)
def scandir(path=None):
    try:
        with _Paths(path):
            folder = _folder(path)
            children = list(folder.children.items())
            if isinstance(path, int):
                return _Scan([DirEntry(name, name, inode) for name, inode in children])
            text = "." if path is None else _text(path)
            prefix = text if text.endswith("/") else text + "/"
            if _is_bytes(path):
                return _Scan([DirEntry(os.fsencode(name), os.fsencode(prefix + name), inode) for name, inode in children])
            return _Scan([DirEntry(name, prefix + name, inode) for name, inode in children])
    except Outside as o:
        path = o.path or path
    return real.scandir(path)


def _statvfs():
    free = max(tree.BYTES_MAX - tree.used_bytes, 0) // tree.BLOCK
    left = tree.FILES_MAX - tree.used_files
    return os.statvfs_result((tree.BLOCK, tree.BLOCK, tree.BYTES_MAX // tree.BLOCK, free, free, tree.FILES_MAX, left, left, 0, tree.NAME_MAX))


@_call(1)
def statvfs(path):
    try:
        with _Paths(path):
            _inode(path)
            return _statvfs()
    except Outside as o:
        path = o.path or path
    return real.statvfs(path)


def _no_attribute(name):
    """Extended attributes: there are none."""
    original = getattr(posix, name)

    def function(path, *args, **kwargs):
        try:
            with _Paths(path):
                _inode(path, None, kwargs.get("follow_symlinks", True))
                if name == "listxattr":
                    return []
                fail(errno.ENOTSUP)
        except Outside as o:
            path = o.path or path
        return original(path, *args, **kwargs)

    function.__name__ = name
    _call(1)(function)


for _name in ("getxattr", "setxattr", "removexattr", "listxattr"):
    _no_attribute(_name)


# ---- changing ----


def _open_file(fd, error=errno.EISDIR):
    opened = lookup(fd)
    if not isinstance(opened, OpenFile):
        fail(error)
    return opened


def _new(place):
    """The name is free."""
    if place.inode is not None or not place.name:
        fail(errno.EEXIST)


def _put(place, inode):
    try:
        place.folder.add(place.name, inode)
    except OSError:
        inode.gone()
        raise


@_call(1)
def mkdir(path, mode=0o777, *, dir_fd=None):
    try:
        with _Paths(path):
            place = _find(_text(path), dir_fd, False)
            _new(place)
            _put(place, tree.Folder(tree.permissions(mode), place.folder, place.name))
            return
    except Outside as o:
        path, more = _given(o, path, dir_fd)
    real.mkdir(path, mode, **more)


def _is_root(inode):
    return inode.kind == modes.S_IFDIR and inode.parent is tree.root


@_call(1)
def rmdir(path, *, dir_fd=None):
    try:
        with _Paths(path):
            place = _find(_text(path), dir_fd, False)
            if place.inode is None:
                fail(errno.ENOENT)
            if place.inode.kind != modes.S_IFDIR:
                fail(errno.ENOTDIR)
            if not place.name:
                fail(errno.EINVAL if _text(path).rstrip("/").endswith("/.") or _text(path) == "." else errno.ENOTEMPTY)
            if _is_root(place.inode):
                fail(errno.EBUSY)
            if place.inode.children:
                fail(errno.ENOTEMPTY)
            place.folder.drop(place.name)
            return
    except Outside as o:
        path, more = _given(o, path, dir_fd)
    real.rmdir(path, **more)


def _unlink(original):
    def function(path, *, dir_fd=None):
        try:
            with _Paths(path):
                place = _find(_text(path), dir_fd, False)
                if place.inode is None:
                    fail(errno.ENOENT)
                if place.inode.kind == modes.S_IFDIR:
                    fail(errno.EISDIR)
                if place.is_folder:
                    fail(errno.ENOTDIR)
                place.folder.drop(place.name)
                return
        except Outside as o:
            path, more = _given(o, path, dir_fd)
        original(path, **more)

    function.__name__ = original.__name__
    return _call(1)(function)


_unlink(posix.unlink)
_unlink(posix.remove)


def _is_inside(folder, above):
    while folder is not None and folder is not folder.parent:
        if folder is above:
            return True
        folder = folder.parent
    return False


def _rename(old, new):
    """Of two places, as rename(2)."""
    inode, there = old.inode, new.inode
    if inode is None:
        fail(errno.ENOENT)
    is_folder = inode.kind == modes.S_IFDIR
    if not old.name or not new.name or _is_root(inode) or (there is not None and _is_root(there)):
        fail(errno.EBUSY)
    if not is_folder and (old.is_folder or new.is_folder):
        fail(errno.ENOTDIR)
    if there is inode:
        return
    if is_folder and _is_inside(new.folder, inode):
        fail(errno.EINVAL)
    if there is not None:
        if there.kind == modes.S_IFDIR:
            if not is_folder:
                fail(errno.EISDIR)
            if there.children:
                fail(errno.ENOTEMPTY)
        elif is_folder:
            fail(errno.ENOTDIR)
        new.folder.drop(new.name)
    old.folder.take(old.name)
    new.folder.add(new.name, inode)


def _two(original):
    """rename and replace.  Between memory and what is real: EXDEV, as between two disks."""
    def function(src, dst, *, src_dir_fd=None, dst_dir_fd=None):
        with _Paths(src, dst):
            places, real_paths = [], []
            for path, name, dir_fd in ((src, "src", src_dir_fd), (dst, "dst", dst_dir_fd)):
                try:
                    places.append(_find(_text(path, name), dir_fd, False))
                except Outside as o:
                    real_paths.append(o.path or path)
            if len(places) == 2:
                return _rename(*places)
            if len(places) == 1:
                fail(errno.EXDEV)
        return original(*real_paths, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    function.__name__ = original.__name__
    return _call(2)(function)


_two(posix.rename)
_two(posix.replace)


@_call(2)
def link(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True):
    with _Paths(src, dst):
        try:
            inode = _there(_text(src, "src"), src_dir_fd, False)
        except Outside:
            inode = None
        try:
            place = _find(_text(dst, "dst"), dst_dir_fd, False)
        except Outside:
            place = None
        if inode is not None and place is not None:
            _new(place)
            if inode.kind == modes.S_IFDIR:
                fail(errno.EPERM)
            if place.is_folder:
                fail(errno.ENOENT)
            place.folder.add(place.name, inode)
            inode.changed = inode.modified if inode.changed < inode.modified else place.folder.changed
            return None
        if inode is not None or place is not None:
            fail(errno.EXDEV)
    return real.link(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=follow_symlinks)


@_call(2)
def symlink(src, dst, target_is_directory=False, *, dir_fd=None):
    try:
        with _Paths(src, dst):
            place = _find(_text(dst, "dst"), dir_fd, False)
            target = _text(src, "src")
            if not target or place.is_folder and place.inode is None:
                fail(errno.ENOENT)
            _new(place)
            if len(os.fsencode(target)) >= tree.PATH_MAX:
                fail(errno.ENAMETOOLONG)
            _put(place, tree.Link(target))
            return
    except Outside as o:
        dst, more = _given(o, dst, dir_fd)
    real.symlink(src, dst, target_is_directory, **more)


@_call(1)
def chmod(path, mode, *, dir_fd=None, follow_symlinks=True):
    try:
        with _Paths(path):
            if not follow_symlinks:
                raise NotImplementedError("chmod: follow_symlinks unavailable on this platform")
            _change_mode(_inode(path, dir_fd), mode)
            return
    except Outside as o:
        path, more = _given(o, path, dir_fd)
    real.chmod(path, mode, **more, follow_symlinks=follow_symlinks)


def _change_mode(inode, mode):
    inode.mode = mode & 0o7777
    inode.changed = tree.time.time_ns()


def _change_owner(inode, uid, gid):
    if uid not in (-1, inode.uid) or gid not in (-1, inode.gid):
        fail(errno.EPERM)
    inode.changed = tree.time.time_ns()


@_call(1)
def chown(path, uid, gid, *, dir_fd=None, follow_symlinks=True):
    try:
        with _Paths(path):
            _change_owner(_inode(path, dir_fd, follow_symlinks), uid, gid)
            return
    except Outside as o:
        path, more = _given(o, path, dir_fd)
    real.chown(path, uid, gid, **more, follow_symlinks=follow_symlinks)


@_call(1)
def lchown(path, uid, gid):
    try:
        with _Paths(path):
            _change_owner(_inode(path, None, False), uid, gid)
            return
    except Outside as o:
        path = o.path or path
    real.lchown(path, uid, gid)


def _times(times, ns):
    if ns is not None:
        if times is not None:
            raise ValueError("utime: you may specify either 'times' or 'ns' but not both")
        if not isinstance(ns, tuple) or len(ns) != 2:
            raise TypeError("utime: 'ns' must be a tuple of two ints")
        return ns
    if times is None:
        now = tree.time.time_ns()
        return now, now
    if not isinstance(times, tuple) or len(times) != 2:
        raise TypeError("utime: 'times' must be either a tuple of two ints or None")
    return tuple(int(t) * 10**9 + round((t - int(t)) * 10**9) for t in times)


@_call(1)
def utime(path, times=None, *, dir_fd=None, follow_symlinks=True, **ns):
    try:
        with _Paths():      # the original names nobody either
            if ns.keys() - {"ns"}:
                raise Outside       # the original says what it does not know
            inode = _inode(path, dir_fd, follow_symlinks)
            inode.accessed, inode.modified = _times(times, ns.get("ns"))
            inode.changed = tree.time.time_ns()
            return
    except Outside as o:
        path, more = _given(o, path, dir_fd)
    real.utime(path, times, **ns, **more, follow_symlinks=follow_symlinks)


@_call(1)
def truncate(path, length):
    try:
        with _Paths(path):
            opened = lookup(path) if isinstance(path, int) else None
            if opened is not None:
                return _open_file(path).truncate(length)
            inode = _inode(path)
            if inode.kind == modes.S_IFDIR:
                fail(errno.EISDIR)
            if length < 0:
                fail(errno.EINVAL)
            files.truncate(inode, length)
            return
    except Outside as o:
        path = o.path or path
    real.truncate(path, length)


def _special(name):
    original = getattr(posix, name)

    def function(path, *args, dir_fd=None, **kwargs):
        try:
            with _Paths(path):
                _new(_find(_text(path), dir_fd, False))
                fail(errno.EPERM)
        except Outside as o:
            path, more = _given(o, path, dir_fd)
        return original(path, *args, **kwargs, **more)

    function.__name__ = name
    _call(1)(function)


_special("mkfifo")
_special("mknod")


# ---- the current folder ----


def _set_cwd(folder):
    tree.cwd = folder
    _corral.gate_relative(folder is not None or real.getcwd() in ("/", "/proc/self/cwd"))


def _leave(change, *args, **kwargs):
    """To a real folder: the original says what is wrong with the arguments."""
    change(*args, **kwargs)
    _set_cwd(None)


@_call(-1)
def chdir(*args, **kwargs):
    path, = args or kwargs.values() if len(args) + len(kwargs) == 1 else (None,)
    if path is None or not isinstance(path, (str, bytes, int)) and not hasattr(type(path), "__fspath__"):
        return _leave(real.chdir, *args, **kwargs)
    try:
        with _Paths(path):
            _set_cwd(_folder(path))
            return None
    except Outside as o:
        if o.path is not None:
            return _leave(real.chdir, o.path)
    return _leave(real.chdir, *args, **kwargs)


@_call(-1)
def fchdir(*args, **kwargs):
    fd, = args or kwargs.values() if len(args) + len(kwargs) == 1 else (None,)
    number = fd.fileno() if hasattr(fd, "fileno") else fd
    if isinstance(number, int) and lookup(number) is not None:
        return chdir(number)
    return _leave(real.fchdir, *args, **kwargs)


@_call(1)
def getcwd():
    if tree.cwd is None:
        return real.getcwd()
    path = tree.cwd.path()
    return fail(errno.ENOENT) if path is None else path


@_call(1)
def getcwdb():
    return os.fsencode(getcwd()) if tree.cwd is not None else real.getcwdb()
