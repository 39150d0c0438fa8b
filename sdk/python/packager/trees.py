"""trees.py - folders of modules: copied, hashed, compiled, exchanged whole."""
import contextlib
import ctypes
import errno
import fcntl
import hashlib
import importlib.util
import os
import py_compile
import shutil

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def tops(folder):
    """Names of the modules that are importable from this folder, sorted."""
    found = set()
    for entry in os.scandir(folder):
        stem = entry.name.partition(".")[0]
        if entry.is_dir():
            if stem == entry.name and stem.isidentifier() and stem != "__pycache__" and _has_modules(entry.path):
                found.add(stem)
        elif entry.name.endswith((".py", ".so")) and stem.isidentifier():
            found.add(stem)
    return sorted(found)


def _has_modules(folder):
    return any(name.endswith((".py", ".so")) for _, _, names in os.walk(folder) for name in names)


def files(folder):
    """Paths of all files below a folder, relative to it and sorted; bytecode is none of them."""
    found = []
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found += [os.path.relpath(os.path.join(at, name), folder) for name in names]
    return sorted(found)


def copy(source, paths, target):
    """Copy files, paths below source, to target: their content, without links, owners and times."""
    made = set()
    for path in paths:
        to = os.path.join(target, path)
        folder = os.path.dirname(to)
        if folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
        shutil.copyfile(os.path.join(source, path), to)


def sha256_of(folder):
    """Of the names and contents of all files below a folder, bytecode apart."""
    digest = hashlib.sha256()
    for path in files(folder):
        with open(os.path.join(folder, path), "rb") as f:
            content = hashlib.file_digest(f, "sha256").hexdigest()
        digest.update(f"{path}\0{content}\n".encode())
    return digest.hexdigest()


def _compile(paths, folder, known_as):
    for path in paths:
        try:
            py_compile.compile(os.path.join(folder, path), dfile=os.path.join(known_as, path), doraise=True,
                               invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        except (py_compile.PyCompileError, ValueError, RecursionError):
            pass            # a template, or for another Python: whoever imports it is told


def _start(paths, folder, known_as):
    """_compile in a process of its own, which ends with the number of the error. Its pid."""
    pid = os.fork()
    if pid == 0:
        code = errno.ENOMEM
        try:
            _compile(paths, folder, known_as)
            code = 0
        except OSError as e:
            code = e.errno or errno.EIO
        finally:
            os._exit(code)
    return pid


def _has_bytecode(path):
    return os.path.exists(importlib.util.cache_from_source(path))


def compile_all(folder, known_as):
    """Compile all modules below a folder that have no bytecode yet, on all processors. Nobody will look whether the source has
    changed. known_as: the path in tracebacks. Returns how many there were."""
    paths = [path for path in files(folder) if path.endswith(".py") and not _has_bytecode(os.path.join(folder, path))]
    shares = min(len(os.sched_getaffinity(0)), 1 + len(paths) // 50)
    children = [_start(paths[share::shares], folder, known_as) for share in range(1, shares)]
    try:
        _compile(paths[::shares], folder, known_as)
    finally:
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    for code in filter(None, codes):
        raise OSError(code, os.strerror(code), folder) if code > 0 else RuntimeError(f"a compiling process died of signal {-code}")
    return len(paths)


@contextlib.contextmanager
def locked(path, is_patient=True):
    """One process at a time, waiting for the other, or BlockingIOError; the lock ends with its process."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "ab") as f:
        fcntl.flock(f, fcntl.LOCK_EX | (0 if is_patient else fcntl.LOCK_NB))
        yield


def exchange(fresh, target):
    """Put a finished folder in the place of target, which may exist: at no moment is there half of either."""
    if not os.path.isdir(target):
        os.rename(fresh, target)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(fresh), _AT_FDCWD, os.fsencode(target), _RENAME_EXCHANGE) != 0:
        code = ctypes.get_errno()
        if code not in (errno.EINVAL, errno.ENOSYS):
            raise OSError(code, os.strerror(code), target)
        os.rename(target, fresh + ".old")       # a file system without exchange: a moment without
        os.rename(fresh, target)
        fresh += ".old"
    shutil.rmtree(fresh, ignore_errors=True)
