"""listing.py - the job "list": the package sets of a home; with "name", of a set or a compatibility date, the packages of one.

done: {"home", "sets": [{"name", "packages": how many, "dates": in words, "since", "until", "python", "folder", "default"}]}, or
with a name {"set", "dates", "folder", "packages": [{"name", "version", "imports", "source"}]}
"""
import re

from . import homes
from .report import Failure


def dates(one, has_others):
    """Which compatibility dates a set is for, in words."""
    if one.since and one.until:
        return f"{one.since} to {one.until}"
    if one.since or one.until:
        return f"from {one.since} on" if one.since else f"to {one.until}"
    return "all others" if has_others else "all"


def run(job):
    """Look at each set, or into one."""
    found = homes.sets(job["home"])
    has_others = any(one.since or one.until for one in found)
    if job.get("name"):
        one = _named(job["name"], found)
        return {"set": one.name, "dates": dates(one, has_others), "folder": one.folder, "packages": [
            {"name": d.name, "version": d.version, "imports": d.imports, "source": d.source} for _, d in sorted(one.packages.items())]}
    default = homes.for_date(found, "")
    return {"home": job["home"], "sets": [
        {"name": one.name, "packages": len(one.packages), "dates": dates(one, has_others), "since": one.since, "until": one.until,
         "python": one.python, "folder": one.folder, "default": one is default} for one in found]}


def _named(name, found):
    """The set of this name, or of this date. Failure: there is none."""
    one = next((one for one in found if one.name == name), None)
    if one is None and re.fullmatch(r"\d{4}-\d\d-\d\d", name):
        one = homes.for_date(found, name)
    if one is None:
        names = ", ".join(one.name for one in found)
        raise Failure(f"there is no package set '{name}'", f"there is {names}; `corral packages info {name}` looks for a package" if names
                      else "there are no package sets yet: corral packages sync debian")
    return one
