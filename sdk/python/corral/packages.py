"""packages.py - the packages that were chosen for this worker, and the set that they were chosen with.

folders: absolute paths of folders of installed packages, in the order in which modules are looked for.
set_folder: of the package set of the worker's date (its layout: src/packages/packages.h), or "".
"""
import json

folders = ()
_home = _date = ""


def set_all(chosen, date=""):
    """chosen: a JSON object, or "": see struct realm_bundle in src/realm/realm.h. date: the compatibility date."""
    global folders, set_folder, _home, _date
    said = json.loads(chosen or "{}")
    folders = tuple(said.get("folders") or ())
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


def package_set():
    """The set, a sets.PackageSet; None: there is none."""
    from . import packages, sets
    try:
        return sets.PackageSet(packages.set_folder) if packages.set_folder else None
    except (OSError, ValueError):
        return None
