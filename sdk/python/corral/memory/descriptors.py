"""descriptors.py - the functions of os that take a descriptor, for those of files and folders in memory."""
import errno
import posix

from . import files
from .calls import _call, _change_mode, _change_owner, _given, _open_file, _Paths, _start, _statvfs, _text, real
from .files import lookup
from .tree import Outside, fail


@_call(1)
def open_(path, flags, mode=0o777, *, dir_fd=None):
    try:
        with _Paths(path):
            text = _text(path)
            if dir_fd is not None and lookup(dir_fd) is None and not text.startswith("/"):
                raise Outside
            opened = files.open_path(text, flags, mode, _start(dir_fd) if not text.startswith("/") else None)
            return files.new_descriptor(opened, True)
    except Outside as o:
        path, more = _given(o, path, dir_fd)
    return real.open(path, flags, mode, **more)


def _on_descriptor(name, ours):
    """ours(opened, ...): for a file that is open in memory; everything else goes to the original."""
    original = getattr(posix, name)

    def function(fd, *args, **kwargs):
        if lookup(fd) is not None:
            return ours(fd, *args, **kwargs)
        return original(fd, *args, **kwargs)

    function.__name__ = name
    _call(1)(function)


def _read(fd, length, /):
    if length < 0:
        fail(errno.EINVAL)
    opened = _open_file(fd)
    return opened.read(length)


def _readv(fd, buffers, /):
    opened, total = _open_file(fd), 0
    for buffer in buffers:
        total += opened.readinto(buffer)
    return total


def _writev(fd, buffers, /):
    opened = _open_file(fd, errno.EBADF)
    return sum(opened.write(buffer) for buffer in buffers)


def _preadv(fd, buffers, offset, flags=0, /):
    opened, total = _open_file(fd), 0
    for buffer in buffers:
        with memoryview(buffer) as view, view.cast("B") as into:
            data = opened.read_at(len(into), offset + total)
            into[:len(data)] = data
        total += len(data)
    return total


def _pwritev(fd, buffers, offset, flags=0, /):
    opened, total = _open_file(fd), 0
    for buffer in buffers:
        total += opened.write_at(buffer, offset + total)
    return total


def _allocate(fd, offset, length, /):
    opened = _open_file(fd)
    if offset < 0 or length <= 0:
        fail(errno.EINVAL)
    if offset + length > opened.file.size:
        opened.truncate(offset + length)


def _dup(fd, /):
    return files.duplicate(fd, real.dup(fd))


def _duplicate_to(fd, fd2, inheritable=True):
    if fd == fd2:
        return fd2
    if lookup(fd2) is not None:
        files.close_descriptor(fd2)
    return files.duplicate(fd, real.dup2(fd, fd2, inheritable))


def _close(fd):
    files.close_descriptor(fd)


_on_descriptor("close", _close)
_on_descriptor("fstat", lambda fd: lookup(fd).inode.stat())
_on_descriptor("fstatvfs", lambda fd, /: _statvfs())
_on_descriptor("read", _read)
_on_descriptor("pread", lambda fd, length, offset, /: _open_file(fd).read_at(length, offset))
_on_descriptor("write", lambda fd, data, /: _open_file(fd, errno.EBADF).write(data))
_on_descriptor("pwrite", lambda fd, data, offset, /: _open_file(fd, errno.EBADF).write_at(data, offset))
_on_descriptor("readv", _readv)
_on_descriptor("writev", _writev)
_on_descriptor("preadv", _preadv)
_on_descriptor("pwritev", _pwritev)
_on_descriptor("lseek", lambda fd, position, how, /: _open_file(fd).seek(position, how))
_on_descriptor("ftruncate", lambda fd, length, /: _open_file(fd, errno.EINVAL).truncate(length))
_on_descriptor("posix_fallocate", _allocate)
_on_descriptor("posix_fadvise", lambda fd, offset, length, advice, /: None)
_on_descriptor("fsync", lambda fd: None)
_on_descriptor("fdatasync", lambda fd: None)
_on_descriptor("fchmod", lambda fd, mode: _change_mode(lookup(fd).inode, mode))
_on_descriptor("fchown", lambda fd, uid, gid: _change_owner(lookup(fd).inode, uid, gid))
_on_descriptor("isatty", lambda fd, /: False)
_on_descriptor("dup", _dup)


@_call(2)
def dup2(fd, fd2, inheritable=True):
    if lookup(fd) is not None:
        return _duplicate_to(fd, fd2, inheritable)
    if lookup(fd2) is not None:
        files.close_descriptor(fd2)
    return real.dup2(fd, fd2, inheritable)


@_call(1)
def closerange(fd_low, fd_high, /):
    for fd in files.between(fd_low, fd_high):
        files.close_descriptor(fd)
    real.closerange(fd_low, fd_high)


def _no_kernel_copy(name):
    """Between descriptors the kernel would copy: callers then do it themselves."""
    original = getattr(posix, name)

    def function(one, other, *args, **kwargs):
        if lookup(one) is not None or lookup(other) is not None:
            fail(errno.EINVAL if name == "sendfile" else errno.EXDEV)
        return original(one, other, *args, **kwargs)

    function.__name__ = name
    _call(2)(function)


_no_kernel_copy("sendfile")
_no_kernel_copy("copy_file_range")
