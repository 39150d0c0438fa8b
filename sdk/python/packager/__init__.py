"""The packager, `corral-worker packages`: makes package sets and environments.  One job, then the process ends.

A job is a module here with run(job) -> what "done" says; it raises report.Failure for what the user has to know and do, and
tells of its progress by report.progress and report.warning. Whatever else it raises is a mistake of ours and is said as such.
Plain CPython: nothing here imports js, and of corral only what does not either (packaging, sets, index, wheel, resolve).
"""
import errno
import importlib
import json
import os
import sys
import traceback

from . import report
from .report import Failure

_JOBS = {           # "job" -> module
    "environment": "environment",
    "about": "about",
    "list": "listing",
    "info": "info",
    "sync": "sync",
    "lock": "lock",
}

_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.EIO,
                   errno.EFBIG)


def main(job):
    """What the job named by job["job"] answers. Failure: it cannot."""
    name = job.get("job") if isinstance(job, dict) else None
    if not isinstance(name, str) or name not in _JOBS:
        raise Failure("the packager was given no job that it knows", detail=repr(job)[:500])
    return importlib.import_module(f"{__name__}.{_JOBS[name]}").run(job)


def _unforeseen(e):
    if isinstance(e, OSError) and e.strerror:
        path = e.filename2 or e.filename
        named = f": '{path}'" if path else ""
        text = f"packages could not be prepared: {e.strerror}{named}"
        if e.errno in _OF_THE_MACHINE:
            return Failure(text, hint="make room, or see who may write there; then try again")
    elif isinstance(e, ImportError) and e.name == "packaging":
        return Failure(str(e), hint="apt install python3-packaging")
    elif isinstance(e, MemoryError):
        text = "there was not enough memory to prepare the packages"
    else:
        text = f"packages could not be prepared: {type(e).__name__}: {e}".splitlines()[0]
    return Failure(text, hint="the traceback says more; it is a fault of Corral's unless the disk or the machine is",
                   detail=traceback.format_exc())


def serve():
    """Read the job on standard input, do it, answer on standard output."""
    report.use(os.dup(1))
    os.dup2(2, 1)       # whatever else prints, uv and pip included
    with open(0, "rb", closefd=False) as f:
        text = f.read()
    try:
        try:
            job = json.loads(text)
        except ValueError as e:
            raise Failure(f"the packager's job is no JSON: {e}") from None
        answer = main(job)
    except Failure as failure:
        report.error(failure)
    except BaseException as e:
        report.error(_unforeseen(e))
    else:
        report.done(answer)
    sys.stderr.flush()
