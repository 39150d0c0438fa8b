"""homes.py - the package sets of a home: which there are, and which one is a compatibility date's. Layout: src/packages/packages.h."""
import json
import os
import platform
import shutil

from corral.sets import PackageSet

from . import pylock, trees
from .report import Failure

PYTHON_FULL = platform.python_version()
PYTHON = ".".join(platform.python_version_tuple()[:2])       # sets are for one; a system that moved on makes new ones


def default_name():
    """Of the default set, by the system that it is made of: "debian-12"."""
    system = platform.freedesktop_os_release()
    return f"{system.get('ID', 'linux')}-{system.get('VERSION_ID') or system.get('VERSION_CODENAME') or 'rolling'}"


def sets(home):
    """All sets in a home, [PackageSet], by name; what is half made, broken or for another Python is none."""
    found = []
    try:
        names = sorted(os.listdir(home))
    except FileNotFoundError:
        names = []
    for name in names:
        if not name.startswith("."):
            try:
                one = PackageSet(os.path.join(home, name))
            except (OSError, ValueError):
                continue
            if one.python == PYTHON:
                found.append(one)
    return found


def for_date(found, date):
    """The set among these for a compatibility date, or None: one that names the date, else the default one."""
    dated = [one for one in found if (one.since or one.until) and one.since <= date and (not one.until or date <= one.until)]
    if dated and date:
        return max(dated, key=lambda one: one.since)
    plain = [one for one in found if not one.since and not one.until]
    return next((one for one in plain if one.name == default_name()), plain[0] if plain else None)


class Making:
    """A set that is being made, in a folder beside its place: what was there before stays until finish()."""

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
        os.mkdir(self.folder)
        return self

    def __exit__(self, *raised):
        self.discard()
        self._lock.__exit__(None, None, None)

    def discard(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.folder + ".old", ignore_errors=True)

    def place(self, name, version):
        """(path of the folder for a distribution, its name in the set)"""
        folder = f"{name}-{version}"
        return os.path.join(self.folder, folder), folder

    def add(self, name, fields, lock):
        """A distribution that lies in its place now. fields: of packages.json; lock: of pylock.toml."""
        self.packages[name] = fields
        self.locks.append({"name": name, "version": fields["version"], **lock})

    def finish(self, since="", until="", recipe=""):
        """Compile, describe, and put it where sets are. recipe: see PackageSet."""
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
