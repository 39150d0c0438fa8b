"""homes.py - the package sets of a home: which there are, and which one is a compatibility date's. Layout: src/packages/packages.h."""
import contextlib
import json
import os
import platform
import re
import shutil

from corral.sets import PYTHON, PackageSet, all_in as sets, default_name, for_date     # noqa: F401

from . import pylock, trees
from .report import Failure

PYTHON_FULL = platform.python_version()


class Making:
    """A set that is being made, in a folder beside its place: what was there before stays until finish().

    Nothing is made before there is something to put in: who looks at the home's times sees no change (src/packages/environment.c)."""

    def __init__(self, home, name):
        self.home, self.name = home, name
        self.target = os.path.join(home, name)
        self.folder = os.path.join(home, f".{name}.making")
        self.packages, self.locks = {}, []

    def __enter__(self):
        try:
            self._lock = trees.locked(os.path.join(self.home, f".{self.name}.lock"))
            self._lock.__enter__()
        except OSError as e:
            raise Failure(f"packages cannot be kept in {self.home}: {e.strerror}",
                          "make that folder writable, or name another one in CORRAL_PACKAGES") from None
        self.discard()          # of one that was killed: whoever has the lock is alone
        self._sweep()
        return self

    def __exit__(self, *raised):
        self.discard()
        self._lock.__exit__(None, None, None)

    def _sweep(self):
        """What was left of other sets by processes that were killed."""
        for entry in os.listdir(self.home):
            left = re.fullmatch(r"\.(.+)\.making(\.old)?", entry)
            if left and left[1] != self.name:
                with contextlib.suppress(OSError), trees.locked(os.path.join(self.home, f".{left[1]}.lock"), is_patient=False):
                    shutil.rmtree(os.path.join(self.home, entry), ignore_errors=True)

    def discard(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.folder + ".old", ignore_errors=True)

    def place(self, name, version):
        """(path of the folder for a distribution, its name in the set)"""
        folder = f"{name}-{version}"
        os.makedirs(self.folder, exist_ok=True)
        return os.path.join(self.folder, folder), folder

    def add(self, name, fields, lock):
        """A distribution that lies in its place now. fields: of packages.json; lock: of pylock.toml."""
        self.packages[name] = fields
        self.locks.append({"name": name, "version": fields["version"], **lock})

    def finish(self, since="", until="", recipe=""):
        """Compile, describe, and put it where sets are. recipe: see PackageSet."""
        os.makedirs(self.folder, exist_ok=True)
        trees.compile_all(self.folder, self.target)
        about = {"name": self.name, "since": since, "until": until, "python": PYTHON, "recipe": recipe,
                 "packages": dict(sorted(self.packages.items()))}
        with open(os.path.join(self.folder, "pylock.toml"), "w", encoding="utf-8") as f:
            f.write(pylock.dumps(self.locks, f"=={PYTHON}.*"))
        with open(os.path.join(self.folder, "packages.json"), "w", encoding="utf-8") as f:
            json.dump(about, f, indent=1)
            f.write("\n")
        trees.exchange(self.folder, self.target)
        return PackageSet(self.target)
