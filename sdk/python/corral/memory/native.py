"""native.py - native modules and libraries that are files in memory: loaded from a memfd.

The loader of the C library opens what it loads by a path, and knows again what it has loaded by the same one.  So each
library is given a memfd, and a spelling of its path below /proc that no other one ever had (there need be no /proc:
src/realm/py/reopen.h); the memfd is closed when it is loaded, its pages stay for as long as they are mapped.

What a library needs is looked for by the loader beside the file, which is nowhere: $ORIGIN in its run path means nothing
there.  What of that is in memory is therefore loaded before, the innermost first, and the loader then finds it by its
name (DT_SONAME), as every wheel that auditwheel has made gives one.
"""
import _imp
import os
import posix
import stat
import struct
from importlib.machinery import ModuleSpec

import _corral

from . import tree
from .tree import Outside, lock

_NEEDED, _STRINGS, _RPATH, _RUNPATH = 1, 5, 15, 29     # of <elf.h>
_DEPTH_MAX = 64             # libraries that need libraries
_SPELLINGS = 20             # bits of a path that tell libraries apart
_CHUNK = 1 << 20
_create_dynamic = _imp.create_dynamic
_memfd_create, _write, _close = posix.memfd_create, posix.write, posix.close
_loaded = {}                # (number of the inode, when it was changed): path that the loader knows
_dlopen = None              # of _ctypes


def _inode(path):
    """The file at this path, or None: it is real, or is not there."""
    try:
        with lock:
            inode = tree.resolve(os.fsdecode(path)).inode
    except (Outside, OSError, ValueError, TypeError):
        return None
    return inode if inode is not None and inode.kind == stat.S_IFREG else None


def _text(data, at):
    return os.fsdecode(bytes(data[at:data.index(b"\0", at)]))


def needs(data):
    """(names, folders of the run path) of a 64-bit ELF library; nothing of what is none."""
    try:
        if data[:6] != b"\x7fELF\x02\x01":
            return [], []
        start, = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        segments = [struct.unpack_from("<IIQQQQ", data, start + i * size) for i in range(count)]
        entries = {}
        for kind, _, offset, _, _, length in segments:
            if kind == 2:
                for at in range(offset, min(offset + length, len(data)) - 15, 16):
                    tag, value = struct.unpack_from("<QQ", data, at)
                    if tag == 0:
                        break
                    entries.setdefault(tag, []).append(value)
        address = entries[_STRINGS][0]
        strings = next(offset + address - where for kind, _, offset, where, _, length in segments
                       if kind == 1 and where <= address < where + length)
        names = [_text(data, strings + at) for at in entries.get(_NEEDED, ())]
        paths = [_text(data, strings + at) for at in entries.get(_RUNPATH) or entries.get(_RPATH, ())]
        return names, [folder for path in paths for folder in path.split(":") if folder]
    except (struct.error, ValueError, KeyError, OverflowError, StopIteration):     # the loader says what is wrong with it
        return [], []


def _spelling(number, fd):
    """A path to the descriptor that is spelt like no other."""
    return "/proc/self/" + "".join("./" if number >> i & 1 else "/" for i in range(_SPELLINGS)) + f"fd/{fd}"


def _copy(path, data):
    """A memfd with these bytes."""
    fd = _memfd_create(os.path.basename(path)[-100:], os.MFD_CLOEXEC)
    try:
        with memoryview(data) as whole:
            at = 0
            while at < len(whole):
                with whole[at:at + _CHUNK] as part:
                    at += _write(fd, part)
    except BaseException:
        _close(fd)
        raise
    return fd


class _Opened:
    """with _Opened(path, inode) as known: the path to load it by; it is remembered when that went well."""

    def __init__(self, path, inode):
        self.path, self.key, self.fd, self.is_shown = path, (inode.number, inode.modified), None, False
        self.data = inode.data

    def __enter__(self):
        known = _loaded.get(self.key)
        if known is None:
            self.fd = _copy(self.path, self.data)
            known = _spelling(len(_loaded), self.fd)
            # In a box there is no /proc: then the loader's own call is answered.
            self.is_shown = _corral.reopen(known, self.fd)
        self.known = known
        return known

    def __exit__(self, kind, error, traceback):
        if self.is_shown:
            _corral.reopened()
        if self.fd is not None:
            _close(self.fd)
            # Also when it failed: parts of it may have stayed, by this name.
            _loaded[self.key if error is None else (self.known, 0)] = self.known


def _load_needed(path, inode, folders, depth):
    """Load what is in memory of what a library needs.  folders: run paths of those that need it."""
    names, own = needs(inode.data)
    origin = os.path.dirname(path)
    folders = [folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for folder in own] + folders
    if depth > _DEPTH_MAX:
        raise ImportError(f"{path}: libraries need each other {_DEPTH_MAX} deep")
    for name in names:
        for folder in folders:
            found = os.path.normpath(folder + "/" + name)
            library = _inode(found)
            if library is not None:
                _load_library(found, library, folders, depth + 1)
                break


_on_the_way = set()


def _load_library(path, inode, folders, depth, flags=os.RTLD_LAZY):
    key = inode.number, inode.modified
    if key in _on_the_way:      # they need each other
        return None
    _on_the_way.add(key)
    try:
        if key not in _loaded:
            _load_needed(path, inode, folders, depth)
        with _Opened(path, inode) as known:
            try:
                return _dlopen(known, flags)
            except OSError as e:
                raise OSError(str(e).replace(known, path)) from None
    finally:
        _on_the_way.discard(key)


def create_dynamic(spec, file=None):
    """_imp.create_dynamic: of a module in memory."""
    inode = _inode(spec.origin) if isinstance(spec.origin, str) else None
    if inode is None:
        return _create_dynamic(spec, file)
    try:
        with lock:
            path = os.path.normpath(spec.origin)
            _load_needed(path, inode, [], 0)
            with _Opened(path, inode) as known:
                shown = ModuleSpec(spec.name, spec.loader, origin=known)
                module = _create_dynamic(shown)
    except (OSError, ImportError) as e:
        text = str(e)
        if isinstance(e, ImportError) and "known" in locals():
            text = text.replace(known, spec.origin)
        raise ImportError(text, name=spec.name, path=spec.origin) from None
    if getattr(module, "__file__", None) == known:
        module.__file__ = spec.origin
    return module


def dlopen(name, flags=os.RTLD_NOW):
    """_ctypes.dlopen: of a library in memory."""
    inode = None if name is None else _inode(name)
    if inode is None:
        return _dlopen(name, flags)
    with lock:
        return _load_library(os.path.normpath(os.fsdecode(name)), inode, [], 0, flags)


def install(gate):
    """gate(original, replacement): what stands for it.  [(original, that)]"""
    global _dlopen
    import _ctypes
    _dlopen = _ctypes.dlopen
    return [(_create_dynamic, gate(_create_dynamic, create_dynamic, -1)), (_dlopen, gate(_dlopen, dlopen, 1))]
