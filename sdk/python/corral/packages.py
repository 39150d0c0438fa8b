"""packages.py - the packages that were chosen for this worker, and the set that they were chosen with.

folders: absolute paths of folders of installed packages, in the order in which modules are looked for.
set_folder: of the package set of the worker's date (its layout: src/packages/packages.h), or "".
"""
import json

folders = ()
set_folder = ""


def set_all(chosen):
    """chosen: a JSON object, or "": see struct realm_bundle in src/realm/realm.h."""
    global folders, set_folder
    said = json.loads(chosen or "{}")
    folders = tuple(said.get("folders", ()))
    set_folder = said.get("set", "")
