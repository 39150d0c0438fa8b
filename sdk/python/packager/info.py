"""info.py - the job "info": what the sets know of a distribution. "name": its name, in any spelling, or that of a module it has.

done: {"name": normalized, "found": [{"set", "dates", "version", "imports", "dependencies", "extras", "lacks", "source", "hash", "folder"}]}
"""
import difflib

from . import homes
from .listing import dates
from .report import Failure


def _unknown(name, found):
    known = sorted({key for one in found for key in one.packages})
    near = difflib.get_close_matches(name.lower(), known, 1, 0.7)
    if not found:
        hint = "there are no package sets yet: corral packages sync debian"
    elif near:
        hint = f"did you mean '{near[0]}'?"
    else:
        hint = f"list {name} in requirements.txt, and it comes from the package index"
    return Failure(f"no package set has a '{name}'", hint)


def run(job):
    """Look the name up in each set."""
    found, answers = homes.sets(job["home"]), []
    has_others = any(one.since or one.until for one in found)
    for one in found:
        distribution = one.get(job["name"]) or one.provider(job["name"])
        if distribution is not None:
            answers.append((one, distribution))
    if not answers:
        raise _unknown(job["name"], found)
    return {"name": answers[0][1].name, "found": [
        {"set": one.name, "dates": dates(one, has_others), "version": d.version, "imports": d.imports, "dependencies": d.dependencies,
         "extras": d.extras, "lacks": d.lacks, "source": d.source, "hash": d.hash, "folder": d.folder} for one, d in answers]}
