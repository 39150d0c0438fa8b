"""sync.py - the job "sync": make a package set, or bring it up to date.

"what": "debian", or a compatibility date. done: {"set", "folder", "packages": how many, "new": whether anything was done}
"""
from . import debian
from .report import Failure


def run(job):
    """Make the set that the job asks for."""
    if job.get("what") == "debian":
        return debian.run(job)
    raise Failure(f"there is no package set '{job.get('what')}'", "corral packages sync debian")
