"""sets.py - read a package set: which distributions it has and what they need. Its layout: src/packages/packages.h.

Pure Python, for the packager and for instances alike.
"""
import json
import os
import re
import sys

PYTHON = "%d.%d" % sys.version_info[:2]       # sets are for one; a system that moved on makes new ones


def normalize(name):
    """A distribution's name as PEP 503 says, which is how sets name them: "Foo_Bar.baz" -> "foo-bar-baz"."""
    return re.sub(r"[-_.]+", "-", name).lower()


def split(requirement):
    """"uvicorn[standard,x]" -> ("uvicorn", ("standard", "x")): how dependencies stand in packages.json."""
    name, _, extras = requirement.partition("[")
    return name, tuple(extra.strip() for extra in extras.rstrip("]").split(",") if extra.strip())


class Distribution:
    """One distribution of a set.

    name: normalized. folder: absolute, what goes on sys.path. imports: names of its top-level modules. dependencies: what it needs,
    each "name" or "name[extra,...]", all in the set. extras: extra -> dependencies, as far as the set has them. lacks: extra -> names
    that it would need and the set does not have. source: where it came from, "debian:python3-x=1.0-1" or the URL of a wheel. hash."""

    __slots__ = ("name", "version", "folder", "imports", "dependencies", "extras", "lacks", "source", "hash")

    def __init__(self, name, fields, set_folder):
        self.name = name
        self.version = fields["version"]
        self.folder = os.path.join(set_folder, fields["folder"])
        self.imports = tuple(fields.get("imports", ()))
        self.dependencies = tuple(fields.get("dependencies", ()))
        self.extras = {extra: tuple(needs) for extra, needs in fields.get("extras", {}).items()}
        self.lacks = {extra: tuple(names) for extra, names in fields.get("lacks", {}).items()}
        self.source, self.hash = fields.get("source", ""), fields.get("hash", "")

    def __repr__(self):
        return f"<{self.name} {self.version}>"


class PackageSet:
    """The set in a folder. OSError, ValueError: it has no packages.json that can be read.

    since, until: see src/packages/packages.h. python: "3.11". recipe: changes when the packages of its source do, or their making."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        with open(os.path.join(folder, "packages.json"), encoding="utf-8") as f:
            said = json.load(f)
        try:
            self.name = said["name"]
            self.since, self.until, self.python = said.get("since", ""), said.get("until", ""), said.get("python", "")
            self.recipe = said.get("recipe", "")
            self.packages = {name: Distribution(name, fields, self.folder) for name, fields in said["packages"].items()}
        except (KeyError, TypeError, AttributeError) as e:
            raise ValueError(f"{folder}/packages.json is not the list of a package set: {e!r}") from None

    def get(self, name):
        """The distribution of this name, in any spelling, or None."""
        return self.packages.get(normalize(name))

    def has_extra(self, name, extra):
        """Whether the set can give this extra, whole. Extras are normalized as names are."""
        distribution, extra = self.get(name), normalize(extra)
        return distribution is not None and extra in distribution.extras and extra not in distribution.lacks

    def provider(self, module):
        """The distribution that has this top-level module, or None; a name of its own goes first."""
        found = [d for d in self.packages.values() if module in d.imports]
        return next((d for d in found if d.name == normalize(module)), found[0] if found else None)

    def closure(self, wanted):
        """All distributions that these need, these included, each once and before what only it needs: what goes on sys.path.

        wanted: names or "name[extra]". What the set does not have is passed over, and so are extras that it cannot give."""
        found, seen = {}, set()
        waiting = [split(requirement) for requirement in wanted]
        while waiting:
            following = []
            for name, extras in waiting:
                distribution = self.get(name)
                if distribution is None:
                    continue
                needs = [] if distribution.name in found else list(distribution.dependencies)
                found.setdefault(distribution.name, distribution)
                for extra in map(normalize, extras):
                    if (distribution.name, extra) not in seen:
                        seen.add((distribution.name, extra))
                        needs += distribution.extras.get(extra, ())
                following += map(split, needs)
            waiting = following
        return list(found.values())


def default_name():
    """Of the default set, by the system that it is made of: "debian-12"."""
    import platform
    system = platform.freedesktop_os_release()
    return f"{system.get('ID', 'linux')}-{system.get('VERSION_ID') or system.get('VERSION_CODENAME') or 'rolling'}"


def all_in(home):
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
