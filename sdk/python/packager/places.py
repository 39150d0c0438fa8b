"""places.py - the folders of a project's environments: made whole or not at all, swept when nobody uses them.

    STATE/.lock                     held (flock) by whoever makes or deletes here
    STATE/HASH/environment.json     what was made, written last
    STATE/HASH/packages/            what goes on sys.path
    STATE/.new-PID/                 being made; of a process that is gone: rubbish

HASH names what was asked for. Who serves a worker with an environment holds its folder (flock, shared), as corral dev does: those are
never deleted, and of the others the KEPT that were used last stay, for whoever goes back and forth between two branches.
"""
import contextlib
import ctypes
import fcntl
import json
import os
import shutil

from . import report

KEPT = 3

_INFO = "environment.json"


def look(state, name):
    """What environment.json of a whole environment says, or None. It counts as used now."""
    path = os.path.join(state, name, _INFO)
    try:
        with open(path, encoding="utf-8") as f:
            said = json.load(f)
        os.utime(path)
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) and os.path.isdir(os.path.join(state, name, "packages")) else None


def make(state, name, fill):
    """The environment of this name: looked up, else made by fill(folder) -> what environment.json is to say. (folder, what it says)"""
    os.makedirs(state, mode=0o700, exist_ok=True)
    folder = os.path.join(state, name)
    said = look(state, name)
    if said is None:
        with _locked(state):
            said = look(state, name)        # another process may have made it while we waited
            if said is None:
                _sweep_rubbish(state)
                said = _make_new(state, folder, fill)
            _sweep(state, name)
    return folder, said


@contextlib.contextmanager
def _locked(state):
    with open(os.path.join(state, ".lock"), "a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report.progress("Waiting for another corral, which prepares packages in the same folder ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_new(state, folder, fill):
    new = os.path.join(state, f".new-{os.getpid()}")
    _remove(new)
    os.mkdir(new, 0o700)
    try:
        said = fill(new)
        with open(os.path.join(new, _INFO), "x", encoding="utf-8") as f:
            json.dump(said, f)
        _to_disk(new)
        _remove(folder)         # was there, and not whole
        os.rename(new, folder)
        _to_disk(state)
    finally:
        shutil.rmtree(new, ignore_errors=True)      # an installer may be writing there still, which ends when we do
    return said


def _to_disk(folder):
    """All of its file system: a machine that stops does not leave empty files under a good name."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        ctypes.CDLL(None).syncfs(fd)
    finally:
        os.close(fd)


def _remove(folder):
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _sweep_rubbish(state):
    """With the lock held: who made it was killed, perhaps for a newer change of the project, and there may be many."""
    for entry in os.scandir(state):
        if entry.name.startswith((".new-", ".old-")):
            shutil.rmtree(entry.path, ignore_errors=True)


def _sweep(state, name):
    """With the lock held."""
    _sweep_rubbish(state)
    used = []
    for entry in os.scandir(state):
        if entry.is_dir(follow_symlinks=False) and entry.name != name and len(entry.name) == 32:
            with contextlib.suppress(OSError):
                used.append((os.stat(os.path.join(entry.path, _INFO)).st_mtime_ns, entry.path))
    for _, path in sorted(used)[:-KEPT]:
        with contextlib.suppress(OSError):
            _remove_unheld(path)


def _remove_unheld(path):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        old = os.path.join(os.path.dirname(path), ".old-" + os.path.basename(path))
        os.rename(path, old)        # away first, so that nobody takes it for whole while it shrinks
        shutil.rmtree(old, ignore_errors=True)
    finally:
        os.close(fd)
