"""about.py - the job "about": what packages would be installed with, and which sets there are.  For `corral doctor`.

done: {"python", "tool": {"name", "path", "version"} or null, "sets": as listing.py}
"""
import importlib.metadata
import os
import subprocess
import sys

from . import installer, listing
from .report import Failure


def _version(tool):
    if tool.name == "pip":
        found = importlib.metadata.distributions(name="pip", path=[os.path.dirname(os.path.dirname(tool.program))])
        return next((one.version for one in found), None)
    try:
        said = subprocess.run([tool.program, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    return said[1] if len(said) > 1 else None


def run(job):
    """Look, and change nothing."""
    try:
        tool = installer.Tool()
    except Failure:
        tool = None
    return {"python": sys.version.split()[0], "sets": listing.run(job)["sets"],
            "tool": tool and {"name": tool.name, "path": tool.program, "version": _version(tool)}}
