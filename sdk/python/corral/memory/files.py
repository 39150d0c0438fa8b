"""files.py - open files: positions, descriptors, io.FileIO and open().

A descriptor of a file in memory is a real number of this process, so that nothing else gets it: that of a memfd.
Functions of os reach the file by a table of them.  C code that is handed the number reads and writes the
memfd, a *window*: it is filled when somebody asks for fileno() (or for the number itself, by os.open), from then on
Python's writes go into it as well, and what C code has written there is taken over before the file is used again.
"""
import _io
import errno
import io
import os
import posix
import stat

import _corral

from . import tree
from .tree import Outside, fail, lock

_RealFileIO = _io.FileIO
_real_open = _io.open
_memfd_create, _posix_open, _posix_close = posix.memfd_create, posix.open, posix.close
_pread, _pwrite, _lseek, _posix_fstat, _ftruncate = posix.pread, posix.pwrite, posix.lseek, posix.fstat, posix.ftruncate
_WINDOW_LOOK = 1 << 20      # bytes of a window that are compared each time; larger ones by their size and time
_CHUNK = 1 << 20

_descriptors = {}           # number: (OpenFile or OpenFolder, which file of the kernel's it is)


def _descriptor(opened):
    """A number that is nobody else's."""
    try:
        number = _memfd_create("memory", os.MFD_CLOEXEC)
    except OSError as e:
        if e.errno != errno.ENOSYS:
            raise
        return _posix_open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    if getattr(opened, "can_write", True) or opened.writer is not None:
        return number
    try:
        shown = _posix_open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return number
    opened.writer = number
    return shown


def _identity(number):
    now = _posix_fstat(number)
    return now.st_dev, now.st_ino


def watch(number, opened):
    if not _corral.gate_descriptor(number, True):
        _posix_close(number)
        fail(errno.EMFILE)
    if number in _descriptors:
        _forget(number)
    _descriptors[number] = opened, _identity(number)
    opened.users += 1


def lookup(number):
    """-> OpenFile or OpenFolder; None: the number is none of ours.

    C code may have closed one of ours by itself, and the number be another file's by now.
    """
    known = _descriptors.get(number)
    if known is None:
        return None
    opened, identity = known
    try:
        if _identity(number) == identity:
            return opened
    except OSError:
        pass
    _corral.gate_descriptor(number, False)
    _forget(number)
    return None


def _forget(number):
    opened, _ = _descriptors.pop(number)
    _leave(opened, number)


def between(low, high):
    return [number for number in list(_descriptors) if low <= number < high and lookup(number) is not None]


class Window:
    """What C code sees of an open file: a memfd."""
    __slots__ = ("opened", "number", "left")

    def __init__(self, opened, number):
        self.opened, self.number = opened, number       # opened.writer: what the number is read-only for
        try:
            self._put(opened.file.data)
        except OSError:
            raise OSError(errno.ENOSPC, "this file has no descriptor that C code could use") from None
        opened.file.windows += (self,)

    def _put(self, data, at=0):
        with memoryview(data) as whole:
            while at < len(whole):
                with whole[at:at + _CHUNK] as part:
                    at += _pwrite(self._writer(), part, at)
        self.settle()

    def settle(self):
        """Nothing is to be taken over of what is there now."""
        _lseek(self.number, self.opened.position, os.SEEK_SET)
        self.left = self._now()

    def _writer(self):
        return self.number if self.opened.writer is None else self.opened.writer

    def _now(self):
        now = _posix_fstat(self.number)
        return now.st_size, now.st_mtime_ns

    def pull(self, is_last=False):
        if not self.opened.can_write:
            return
        file, now = self.opened.file, self._now()
        if now != self.left or is_last or now[0] <= _WINDOW_LOOK:
            content = b"".join(iter(_Reader(self.number), b""))
            if content != file.data:
                file.replace(content)
                for other in file.windows:
                    if other is not self:
                        other.wrote(0, content, len(content))
        at = _lseek(self.number, 0, os.SEEK_CUR)
        if at != self.opened.position:
            self.opened.position = at
        self.left = now

    def wrote(self, at, view, size):
        """Python has written there; the file is `size` long now."""
        try:
            with memoryview(view) as whole:
                done = 0
                while done < len(whole):
                    with whole[done:done + _CHUNK] as part:
                        done += _pwrite(self._writer(), part, at + done)
            if _posix_fstat(self.number).st_size != size:
                _ftruncate(self._writer(), size)
        except OSError:         # the limit of one file: C code sees the beginning
            pass
        self.settle()


class _Reader:
    """Callable: the next bytes of a descriptor, wherever its own position is."""

    def __init__(self, number):
        self.number, self.at = number, 0

    def __call__(self):
        part = _pread(self.number, _CHUNK, self.at)
        self.at += len(part)
        return part


class OpenFolder:
    __slots__ = ("folder", "users", "is_closed")
    window = None

    def __init__(self, folder):
        self.folder, self.users, self.is_closed = folder, 0, False

    @property
    def inode(self):
        return self.folder

    def closed(self):
        pass


class OpenFile:
    """One opening of a file: dup() and open(descriptor) share it, and so its position."""
    __slots__ = ("file", "position", "can_read", "can_write", "appends", "flags", "users", "window", "writer", "is_closed")

    def __init__(self, file, flags):
        access = flags & os.O_ACCMODE
        self.file, self.position, self.flags, self.users, self.window, self.writer = file, 0, flags, 0, None, None
        self.can_read, self.can_write = access != os.O_WRONLY, access != os.O_RDONLY
        self.appends, self.is_closed = bool(flags & os.O_APPEND), False
        file.opened += 1

    @property
    def inode(self):
        return self.file

    def show(self, number):
        """From now on C code sees the file by this number."""
        if self.window is None and _posix_fstat(number).st_ino and not stat.S_ISCHR(_posix_fstat(number).st_mode):
            self.window = Window(self, number)

    def hide(self):
        """C code sees nothing of it any more."""
        try:
            self.window.pull(is_last=True)
        except OSError:         # C code has closed it
            pass
        self.file.windows = tuple(w for w in self.file.windows if w is not self.window)
        self.window = None

    def move_window(self):
        """Its number is being closed: a duplicate goes on, or nobody."""
        identity = _identity(self.window.number)
        for number, (opened, known) in _descriptors.items():
            if opened is self and known == identity:
                self.window.number = number
                return
        if self.window is not None:
            self.hide()

    def closed(self):
        """By its last user."""
        with lock:
            if self.window is not None:
                self.hide()
            if self.writer is not None:
                _posix_close(self.writer)
            self.file.closed()

    def _look(self):
        for window in self.file.windows:
            window.pull()

    def read_at(self, size, at):
        with lock:
            if not self.can_read:
                fail(errno.EBADF)
            if self.file.windows:
                self._look()
            with memoryview(self.file.data) as view:
                return bytes(view[at:] if size is None or size < 0 else view[at:at + size])

    def read(self, size):
        with lock:
            if self.file.windows:
                self._look()
            data = self.read_at(size, self.position)
            self._move(self.position + len(data))
            return data

    def readinto(self, buffer):
        with lock, memoryview(buffer) as given, given.cast("B") as into:
            if not self.can_read:
                fail(errno.EBADF)
            if self.file.windows:
                self._look()
            with memoryview(self.file.data) as view, view[self.position:self.position + len(into)] as part:
                count = len(part)
                into[:count] = part
            self._move(self.position + count)
            return count

    def _move(self, position):
        self.position = position
        if self.window is not None:
            self.window.settle()

    def write_at(self, data, at):
        with lock, memoryview(data) as given, given.cast("B") as view:
            if not self.can_write:
                fail(errno.EBADF)
            file = self.file
            if file.windows:
                self._look()
            if len(view):
                file.write(at, view)
                for window in file.windows:
                    window.wrote(at, view, len(file.data))
            return len(view)

    def write(self, data):
        with lock:
            if self.file.windows:
                self._look()
            at = len(self.file.data) if self.appends else self.position
            count = self.write_at(data, at)
            self._move(at + count)
            return count

    def seek(self, offset, whence):
        with lock:
            if self.file.windows:
                self._look()
            if whence == os.SEEK_SET:
                at = offset
            elif whence == os.SEEK_CUR:
                at = self.position + offset
            elif whence == os.SEEK_END:
                at = len(self.file.data) + offset
            elif whence in (os.SEEK_DATA, os.SEEK_HOLE):
                if not 0 <= offset < len(self.file.data):
                    fail(errno.ENXIO)
                at = offset if whence == os.SEEK_DATA else len(self.file.data)
            else:
                fail(errno.EINVAL)
            if at < 0:
                fail(errno.EINVAL)
            if at >= 1 << 63:
                raise OverflowError("Python int too large to convert to C long")
            if at != self.position:
                self._move(at)
            return at

    def truncate(self, size):
        with lock:
            if not self.can_write or size < 0:
                fail(errno.EINVAL)
            truncate(self.file, size)


def truncate(file, size):
    for window in file.windows:
        window.pull()
    file.resize(size)
    file.touch()
    for window in file.windows:
        window.wrote(0, b"", size)


# ---- opening ----


def open_path(path, flags, mode, start=None):
    """-> OpenFile or OpenFolder; Outside; OSError without names."""
    with lock:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            place = tree.resolve(path, start)
            if place.inode is None:
                fail(errno.ENOENT)
            if place.inode.kind != stat.S_IFDIR:
                fail(errno.ENOTDIR)
            if flags & os.O_ACCMODE == os.O_RDONLY:
                fail(errno.EINVAL)
            return OpenFile(tree.File(tree.permissions(mode)), flags)
        is_new = flags & os.O_CREAT
        place = tree.resolve(path, start, follow=not flags & os.O_NOFOLLOW and not (is_new and flags & os.O_EXCL))
        inode = place.inode
        if inode is None:
            if not is_new:
                fail(errno.ENOENT)
            if place.is_folder:
                fail(errno.EISDIR)
            inode = tree.File(tree.permissions(mode))
            try:
                place.folder.add(place.name, inode)
            except OSError:
                inode.gone()
                raise
            return OpenFile(inode, flags)
        if is_new and flags & os.O_EXCL:
            fail(errno.EEXIST)
        if inode.kind == stat.S_IFLNK:
            fail(errno.ELOOP if not flags & os.O_DIRECTORY else errno.ENOTDIR)
        if inode.kind == stat.S_IFDIR:
            if flags & os.O_ACCMODE != os.O_RDONLY or is_new:
                fail(errno.EISDIR)
            return OpenFolder(inode)
        if flags & os.O_DIRECTORY or place.is_folder:
            fail(errno.ENOTDIR)
        opened = OpenFile(inode, flags)
        if flags & os.O_TRUNC and (inode.size or inode.windows):
            truncate(inode, 0)
        return opened


def new_descriptor(opened, is_shown):
    """A number for what was opened; is_shown: C code may be given it at once."""
    try:
        number = _descriptor(opened)
    except OSError:
        if opened.users == 0:
            opened.closed()
        raise
    watch(number, opened)
    if is_shown and isinstance(opened, OpenFile):
        opened.show(number)
    return number


def close_descriptor(number):
    _corral.gate_descriptor(number, False)
    try:
        _forget(number)
    finally:
        _posix_close(number)


def duplicate(number, made):
    """`made` is a duplicate of `number` in the kernel."""
    watch(made, lookup(number))
    return made


def _leave(opened, number=None):
    """One user less."""
    opened.users -= 1
    if opened.users > 0 and number is not None:
        for other in [other for other, (its, _) in _descriptors.items() if its is opened]:
            lookup(other)       # C code may have closed it
    if opened.users == 0 and not opened.is_closed:
        opened.is_closed = True
        opened.closed()
    elif number is not None and opened.window is not None and opened.window.number == number:
        with lock:
            opened.move_window()


# ---- io.FileIO ----


class _FileIOType(type(_RealFileIO)):
    """io.FileIO(path) is a real one, or one of ours; both are instances of it, and subclasses are real."""

    def __instancecheck__(cls, instance):
        return isinstance(instance, _RealFileIO) if cls is FileIO else type.__instancecheck__(cls, instance)

    def __subclasscheck__(cls, other):
        return issubclass(other, _RealFileIO) if cls is FileIO else type.__subclasscheck__(cls, other)

    def __new__(meta, name, bases, namespace, **more):
        known = globals().get("FileIO")
        if known is not None and known in bases:
            bases = tuple(_RealFileIO if base is known else base for base in bases)
            return type(_RealFileIO)(name, bases, namespace, **more)
        return super().__new__(meta, name, bases, namespace, **more)


_MODES = {}


def _flags(mode):
    """Of a mode of FileIO that is right: (flags of os.open, mode as FileIO tells it)."""
    known = _MODES.get(mode)
    if known is None:
        flags = os.O_RDWR if "+" in mode else os.O_RDONLY if "r" in mode else os.O_WRONLY
        plus = "+" if "+" in mode else ""
        if "r" in mode:
            said = "rb" + plus
        elif "w" in mode:
            flags |= os.O_CREAT | os.O_TRUNC
            said = "rb+" if plus else "wb"
        elif "x" in mode:
            flags |= os.O_CREAT | os.O_EXCL
            said = "xb" + plus
        else:
            flags |= os.O_CREAT | os.O_APPEND
            said = "ab" + plus
        known = _MODES[mode] = flags | os.O_CLOEXEC, said
    return known


def _check(*args, **kwargs):
    """What the real open() or FileIO() says about its arguments, without a file."""
    class Stop(BaseException):
        pass

    def opener(path, flags):
        raise Stop

    try:
        args[0](*args[1:], **kwargs, opener=opener)
    except Stop:
        pass


class FileIO(_RealFileIO, metaclass=_FileIOType):
    __doc__ = _RealFileIO.__doc__
    __module__ = "_io"

    def __new__(cls, file, mode="r", closefd=True, opener=None):
        ours = is_ours(file)
        if not ours or isinstance(ours, Outside):
            return _RealFileIO(ours.path if ours else file, mode, closefd, opener)
        return _RealFileIO.__new__(cls)

    def __init__(self, file, mode="r", closefd=True, opener=None):
        self._opened = None
        if mode not in _MODES:
            _check(_RealFileIO, "/dev/null", mode)
        flags, self._mode = _flags(mode)
        self._closefd, self._number, self._owns = bool(closefd), None, True
        self._name = file
        if isinstance(file, int):
            opened = lookup(file)
            if opened is None:
                fail(errno.EBADF)
            self._share(file, opened)
        else:
            if not closefd:
                raise ValueError("Cannot use closefd=False with file name")
            path = os.fspath(file)
            self._open(path, flags, opener)
        if self._opened.appends or flags & os.O_APPEND:
            self._opened.seek(0, os.SEEK_END)

    def _open(self, path, flags, opener):
        if opener is not None:
            number = opener(path, flags)
            if not isinstance(number, int):
                raise TypeError("expected integer from opener")
            if number < 0:
                raise ValueError(f"opener returned {number}")
            opened = lookup(number)
            if opened is None:
                raise OSError(errno.EXDEV, "the opener of a file in memory returned the descriptor of another one", path)
            self._share(number, opened)
            return
        try:
            opened = open_path(os.fsdecode(path), flags, 0o666)
            if isinstance(opened, OpenFolder):
                fail(errno.EISDIR)
        except OSError as e:
            raise OSError(e.errno, e.strerror, path) from None
        opened.users += 1
        self._opened = opened

    def _share(self, number, opened):
        """The descriptor is this file's own from now on, with closefd; C code sees it when it asks again."""
        if isinstance(opened, OpenFolder):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), self._name)
        self._number, self._opened = number, opened
        if self._closefd and opened.users == 1 and opened.window is not None and opened.window.number == number and not opened.file.size:
            with lock:
                opened.hide()
        self._owns = self._closefd

    def _file(self):
        opened = self._opened
        if opened is None:
            raise ValueError("I/O operation on closed file")
        return opened

    @property
    def name(self):
        return self._name

    @name.setter
    def name(self, value):
        self._name = value

    @property
    def mode(self):
        return self._mode

    @property
    def closed(self):
        return self._opened is None

    @property
    def closefd(self):
        return self._closefd

    @property
    def _blksize(self):
        return io.DEFAULT_BUFFER_SIZE

    def close(self):
        opened = getattr(self, "_opened", None)
        if opened is None:
            return
        try:
            io.RawIOBase.flush(self)
        finally:
            self._opened = None
            number = self._number
            if number is None:
                _leave(opened)
            elif self._owns:
                if lookup(number) is not opened:
                    fail(errno.EBADF)
                close_descriptor(number)

    def __del__(self):
        try:
            if not self.closed and self._owns:
                import warnings
                warnings.warn(f"unclosed file {self!r}", ResourceWarning, 2, source=self)
            self.close()
        except Exception:
            pass

    def __enter__(self):
        if self._opened is None:
            raise ValueError("I/O operation on closed file.")
        return self

    def __repr__(self):
        if self._opened is None:
            return "<_io.FileIO [closed]>"
        return f"<_io.FileIO name={self._name!r} mode={self._mode!r} closefd={self._closefd}>"

    def __getstate__(self):
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    def readable(self):
        self._file()
        return self._mode[0] == "r" or "+" in self._mode

    def writable(self):
        self._file()
        return self._mode[0] != "r" or "+" in self._mode

    def seekable(self):
        self._file()
        return True

    def isatty(self):
        self._file()
        return False

    def fileno(self):
        opened = self._file()
        with lock:
            if self._number is None:
                opened.users -= 1
                try:
                    self._number = new_descriptor(opened, False)
                except BaseException:
                    opened.users += 1
                    raise
            if opened.window is None:
                opened.show(self._number)
            return self._number

    def _readable(self):
        opened = self._file()
        if self._mode[0] != "r" and "+" not in self._mode:
            raise io.UnsupportedOperation("File not open for reading")
        return opened

    def _writable(self):
        opened = self._file()
        if self._mode[0] == "r" and "+" not in self._mode:
            raise io.UnsupportedOperation("File not open for writing")
        return opened

    def read(self, size=-1, /):
        opened = self._readable()
        return opened.read(-1 if size is None else size.__index__())

    def readall(self):
        return self._readable().read(-1)

    def readinto(self, buffer, /):
        return self._readable().readinto(buffer)

    def write(self, b, /):
        opened = self._writable()
        if isinstance(b, str):
            raise TypeError("a bytes-like object is required, not 'str'")
        return opened.write(b)

    def seek(self, pos, whence=0, /):
        return self._file().seek(pos.__index__(), whence)

    def tell(self):
        return self._file().seek(0, os.SEEK_CUR)

    def truncate(self, size=None, /):
        opened = self._writable()
        size = opened.seek(0, os.SEEK_CUR) if size is None else size.__index__()
        opened.truncate(size)
        return size


def is_ours(file):
    """Whether open(file) is about a file in memory."""
    if isinstance(file, int) and not isinstance(file, bool):
        return lookup(file) is not None
    try:
        path = os.fsdecode(file)
    except TypeError:
        return False
    try:
        with lock:
            tree.resolve(path)
    except Outside as outside:
        return False if outside.path is None else outside
    except (OSError, ValueError):
        pass
    return True


_KNOWN = {}     # modes of open() that are right: (mode of FileIO, is text)


def _parse(mode):
    known = _KNOWN.get(mode)
    if known is None:
        raw = "".join(c for c in mode if c not in "bt")
        known = raw, "b" not in mode
        if len(_KNOWN) < 64:
            _KNOWN[mode] = known
    return known


def open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    """As the builtin: the gate sends what may be in memory here."""
    ours = is_ours(file)
    if isinstance(ours, Outside):
        return _real_open(ours.path, mode, buffering, encoding, errors, newline, closefd, opener)
    if not ours:
        return _real_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    _check(_real_open, "/dev/null", mode, buffering, encoding, errors, newline)
    raw_mode, is_text = _parse(mode)
    if not isinstance(file, int):
        file = os.fspath(file)
    raw = result = FileIO(file, raw_mode, closefd, opener)
    try:
        line_buffering = buffering == 1
        if buffering < 0 or line_buffering:
            buffering = io.DEFAULT_BUFFER_SIZE
        if buffering == 0:
            if is_text:
                raise ValueError("can't have unbuffered text I/O")
            return result
        if "+" in raw_mode:
            result = io.BufferedRandom(raw, buffering)
        elif "r" in raw_mode:
            result = io.BufferedReader(raw, buffering)
        else:
            result = io.BufferedWriter(raw, buffering)
        if is_text:
            result = io.TextIOWrapper(result, encoding, errors, newline, line_buffering)
            result.mode = mode
        return result
    except BaseException:
        result.close()
        raise


def open_code(path):
    return open(path, "rb")
