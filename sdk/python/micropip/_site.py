"""_site.py - what is installed in this instance, and the place in its memory where micropip puts what it installs.

Three places: the worker's own folders, which are real and only read; folders of the package set, which are put on sys.path; and
memory.FOLDER, the last on sys.path, whose files micropip writes and removes.
"""
import csv
import importlib
import importlib.metadata
import importlib.util
import os
import sys

from corral import memory, packages, sets
from corral.packaging.utils import canonicalize_name

from ._log import logger

FOLDER = memory.FOLDER
changes = 0             # how often something was installed or removed


def refresh():
    """What was installed or removed is seen by the next import."""
    global changes
    changes += 1
    importlib.invalidate_caches()


def package_set():
    """The PackageSet of the worker's compatibility date, or None."""
    global _set
    if _set is False:
        try:
            _set = sets.PackageSet(packages.set_folder) if packages.set_folder else None
        except (OSError, ValueError) as e:
            logger.warning("The package set of this worker cannot be read, so packages come from indexes alone: %s", e)
            _set = None
    return _set


_set = False


def installed():
    """{normalized name: Distribution} of all that can be imported, what is found first counts."""
    found = {}
    for distribution in importlib.metadata.distributions():
        try:
            name = distribution.metadata["Name"]
        except Exception:       # a folder *.dist-info of somebody's own making
            continue
        if name:
            found.setdefault(canonicalize_name(name), distribution)
    return found


def place(distribution):
    """The folder on sys.path that it is in, or ""."""
    path = getattr(distribution, "_path", None)
    return os.path.dirname(str(path)) if path is not None else ""


def is_ours(distribution):
    return place(distribution) == FOLDER


def in_set(distribution):
    """The set's Distribution that it is, or None: it came from elsewhere."""
    known, folder = package_set(), place(distribution)
    one = known.get(distribution.metadata["Name"]) if known else None
    return one if one is not None and os.path.realpath(one.folder) == os.path.realpath(folder) else None


def source(distribution):
    """As micropip.list() says it, or "": it is none of the packages that were chosen or installed."""
    said = distribution.read_text("PYODIDE_SOURCE")
    if said:
        return said.strip()
    if in_set(distribution) is not None:
        return "pyodide"
    return "pypi" if place(distribution) in packages.folders else ""


# ---- changes ----


def add_folder(folder):
    """A folder of the set: looked at before what micropip has unpacked."""
    if folder not in sys.path:
        sys.path.insert(sys.path.index(FOLDER) if FOLDER in sys.path else len(sys.path), folder)


def write(files):
    """Write [(path below FOLDER, bytes)], or nothing: when memory is full, all is as it was before.  Raises OSError."""
    if FOLDER not in sys.path:
        sys.path.append(FOLDER)
    done = []
    try:
        for path, data in files:
            whole = f"{FOLDER}/{path}"
            done.append((whole, _read(whole)))
            memory.write(whole, data)
    except OSError:
        for whole, before in reversed(done):
            if before is None:
                remove_file(whole)
            else:
                memory.write(whole, before)
        raise


def _read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return None


def remove_file(path):
    """Remove a file below FOLDER, its bytecode, and the folders that are empty then."""
    for one in (path, _bytecode(path)):
        if one:
            try:
                os.unlink(one)
            except OSError:
                pass
    folder = os.path.dirname(path)
    while folder.startswith(FOLDER + "/"):
        try:
            os.rmdir(os.path.join(folder, "__pycache__"))
        except OSError:
            pass
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def _bytecode(path):
    return importlib.util.cache_from_source(path) if path.endswith(".py") else ""


def files_of(distribution):
    """Paths of an unpacked distribution's files, by its RECORD, and of all in its .dist-info; none outside of FOLDER."""
    info = str(distribution._path)
    found = {}
    for row in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
        path = os.path.normpath(os.path.join(FOLDER, row[0])) if row else ""
        if path.startswith(FOLDER + "/"):
            found[path] = None
    try:
        found.update((f"{info}/{name}", None) for name in os.listdir(info))
    except OSError:
        pass
    return list(found)


def contents(distributions):
    """{path: bytes} of unpacked distributions, to be put back by restore()."""
    return {path: data for one in distributions for path in files_of(one) if (data := _read(path)) is not None}


def restore(kept):
    for path, data in kept.items():
        memory.write(path, data)
