"""packages.py - the packages that were chosen for this worker, and the set that they were chosen with.

folders: absolute paths of folders of installed packages, in the order in which modules are looked for.
left_out: names of modules that the worker has in python_modules/ for another machine: there they are not found.
set_folder: of the package set of the worker's date (its layout: src/packages/packages.h), or "".
"""
import importlib.machinery
import json
import os
import sys

folders = ()
left_out = frozenset()
_home = _date = ""


def set_all(chosen, date=""):
    """chosen: a JSON object, or "": see struct realm_bundle in src/realm/realm.h. date: the compatibility date."""
    global folders, left_out, set_folder, _home, _date
    said = json.loads(chosen or "{}")
    folders = tuple(said.get("folders") or ())
    stems = (path.partition("/")[2].partition(".")[0] for path in said.get("left_out") or ())
    left_out = frozenset(stem for stem in stems if stem.isidentifier())
    _home, _date = said.get("home", ""), date
    if said.get("set"):
        set_folder = said["set"]
    else:
        globals().pop("set_folder", None)


def __getattr__(name):
    """set_folder, where the worker asked for nothing, so that nobody has looked for a set."""
    if name != "set_folder":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    global set_folder
    from . import sets
    found = sets.for_date(sets.all_in(_home), _date) if _home else None
    set_folder = found.folder if found else ""
    return set_folder


class _Elsewhere:
    """Finds what is left out of python_modules/ where this machine's own is, if it is."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is not None or name not in left_out:
            return None
        spec = importlib.machinery.PathFinder.find_spec(
            name, [folder for folder in sys.path if os.path.basename(folder) != "python_modules"], target)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return spec


def leave_out():
    """Before the worker's code is imported."""
    if left_out:
        sys.meta_path.insert(0, _Elsewhere)


def package_set():
    """The set, a sets.PackageSet; None: there is none."""
    from . import packages, sets
    try:
        return sets.PackageSet(packages.set_folder) if packages.set_folder else None
    except (OSError, ValueError):
        return None
