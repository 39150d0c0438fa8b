"""listing.py - the job "list": the package sets of a home.

done: {"home", "sets": [{"name", "packages": how many, "dates": in words, "since", "until", "python", "folder", "default"}]}
"""
from . import homes


def dates(one, has_others):
    """Which compatibility dates a set is for, in words."""
    if one.since and one.until:
        return f"{one.since} to {one.until}"
    if one.since or one.until:
        return f"from {one.since} on" if one.since else f"to {one.until}"
    return "all others" if has_others else "all"


def run(job):
    """Look at each set."""
    found = homes.sets(job["home"])
    has_others = any(one.since or one.until for one in found)
    default = homes.for_date(found, "")
    return {"home": job["home"], "sets": [
        {"name": one.name, "packages": len(one.packages), "dates": dates(one, has_others), "since": one.since, "until": one.until,
         "python": one.python, "folder": one.folder, "default": one is default} for one in found]}
