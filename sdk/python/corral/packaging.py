"""packaging.py - `packaging` (versions, specifiers, requirements, markers, tags), as Debian's python3-packaging brings it.

    from corral.packaging.requirements import Requirement

It is loaded from its own folder under the name corral.packaging: its modules import one another relatively. So a worker's
own `packaging`, of whatever version, or none, is no matter to us, and ours is none to the worker.
ImportError: it is not installed.
"""
import os

_FOLDERS = ("/usr/lib/python3/dist-packages/packaging", os.path.join(os.path.dirname(os.__file__), "site-packages", "packaging"))


def _find():
    for folder in _FOLDERS:
        if os.path.isfile(os.path.join(folder, "requirements.py")):
            return folder
    raise ImportError(f"Python's `packaging`, with which Corral reads versions and requirements, is not in {_FOLDERS[0]}: "
                      "install Debian's python3-packaging", name="packaging")


__path__ = [_find()]
