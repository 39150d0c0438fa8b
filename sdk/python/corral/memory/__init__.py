"""memory - a file system in the instance's own memory, at /tmp and /session.

A worker's box lets nobody write to a real file.  So what Python code does with files below these folders, it does
here: in this process, bounded, ending with it.  install() puts gates before the functions of os, io and builtins,
and everything above those (pathlib, shutil, tempfile, importlib ...) works by them.  C code that opens a path
itself does not come by here, and is refused by the box as before.

What is written at top level is in every instance, which has a copy of its own from then on.

FOLDER: where packages are installed; it is the last on sys.path.
"""
import errno
import gc
import os
import posix
import stat
import sys
import types

import _corral
import _io

from . import calls, descriptors, files, native, tree
from .tree import BYTES_MAX, FILES_MAX, Outside, add_real, set_limit

FOLDER = "/session/site-packages"
_HEAP_TYPE = 1 << 9         # Py_TPFLAGS_HEAPTYPE

__all__ = ["BYTES_MAX", "FILES_MAX", "FOLDER", "install", "remove_tree", "set_limit", "set_real", "write"]


def write(path, data):
    """Make or replace the file at this absolute path; folders on the way are made.

    data: bytes-like.  OSError: as open() and mkdir() raise it, ENOSPC when memory's limits are met.
    """
    folder = os.path.dirname(path)
    try:
        file = files.open(path, "wb", 0)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
        file = files.open(path, "wb", 0)
    with file:
        file.write(data)


def remove_tree(path):
    """Remove a file, or a folder and all that is in it.  Nothing there: nothing happens.

    OSError: EPERM for what is not in memory.
    """
    with tree.lock:
        try:
            place = tree.resolve(os.fsdecode(path), follow=False)
        except Outside:
            raise OSError(errno.EPERM, "not in memory", path) from None
        except (FileNotFoundError, NotADirectoryError):
            return
        if place.inode is None:
            return
        if not place.name or place.folder is tree.root:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), path)
        _empty(place.inode)
        place.folder.drop(place.name)


def _empty(inode):
    waiting = [inode]
    while waiting:
        folder = waiting.pop()
        if folder.kind != stat.S_IFDIR:
            continue
        for name in list(folder.children):
            child = folder.children[name]
            waiting.append(child)
            if child.kind != stat.S_IFDIR:
                folder.drop(name)
    # Folders from the innermost on: each leaves its parent's count right.
    _drop_folders(inode)


def _drop_folders(inode):
    if inode.kind != stat.S_IFDIR:
        return
    order, waiting = [], [inode]
    while waiting:
        folder = waiting.pop()
        order.append(folder)
        waiting.extend(folder.children.values())
    for folder in reversed(order):
        for name in list(folder.children):
            folder.drop(name)


def set_real(folders):
    """These folders are real, wherever they are: the worker's own files and packages."""
    for folder in folders:
        if folder and add_real(folder):
            _corral.gate_real(posix._path_normpath(folder))


def _gates():
    """[(the original, what stands for it)]"""
    made = [(getattr(calls.real, name), _corral.gate(getattr(calls.real, name), ours, paths))
            for name, (ours, paths) in calls.TABLE.items()]
    made.append((_io.open, _corral.gate(_io.open, files.open, 1)))
    made.append((_io.open_code, _corral.gate(_io.open_code, files.open_code, 1)))
    made.append((_io.FileIO, files.FileIO))
    return made + native.install(_corral.gate)


def _swapped(values, by_id):
    return tuple(by_id.get(id(value), value) for value in values)


def _put_into(thing, by_id):
    """Defaults of a function, attributes of a class."""
    if isinstance(thing, types.FunctionType):
        if thing.__defaults__ and not by_id.keys().isdisjoint(map(id, thing.__defaults__)):
            thing.__defaults__ = _swapped(thing.__defaults__, by_id)
        if thing.__kwdefaults__:
            thing.__kwdefaults__.update(zip(thing.__kwdefaults__, _swapped(thing.__kwdefaults__.values(), by_id)))
    elif isinstance(thing, type) and thing.__flags__ & _HEAP_TYPE:
        for name, value in list(vars(thing).items()):
            if id(value) in by_id:
                setattr(thing, name, by_id[id(value)])


def _put_everywhere(gates):
    """Also where a module has taken a function for itself."""
    by_id = {id(original): gate for original, gate in gates}
    ours = {module.__name__ for module in (calls, descriptors, files, native, tree, sys.modules[__name__])}
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        if names is None or names.get("__name__") in ours:
            continue
        for name, value in list(names.items()):
            gate = by_id.get(id(value))
            if gate is not None:
                names[name] = gate
    for thing in gc.get_objects():
        if isinstance(thing, (types.FunctionType, type)) and thing.__module__ not in ours:
            _put_into(thing, by_id)
    for functions in (os.supports_dir_fd, os.supports_effective_ids, os.supports_fd, os.supports_follow_symlinks):
        for function in [function for function in functions if id(function) in by_id]:
            functions.remove(function)
            functions.add(by_id[id(function)])


def install():
    """Once, in the zygote, before any code of a worker."""
    _put_everywhere(_gates())
    os.makedirs(FOLDER)
    sys.path.append(FOLDER)
