"""sync.py - the job "sync": make a package set, or bring it up to date.

"what": "debian", or a compatibility date, then also "index_url", "lock": a file's path.
done: {"set", "folder", "packages": how many, "new": whether anything was done}
"""
from . import dated, debian
from .report import Failure


def run(job):
    """Make the set that the job asks for."""
    if job["what"] != "debian":
        return dated.run(job)
    for option in ("lock", "index_url"):
        if job.get(option):
            raise Failure(f"--{option.replace('_', '-')} is for the packages of a date; the default set is made of Debian's packages",
                          "corral packages sync DATE " + f"--{option.replace('_', '-')} ...")
    return debian.run(job)
