"""dated.py - the package set of a compatibility date: Cloudflare's versions of that time, from an index or by a lock file.

The listed versions are taken as they were put together, whatever their metadata asks of one another; what they need beside comes
from what there was at the time, where the index says when that was, and else from all that it has.
"""
import asyncio
import datetime
import hashlib
import json
import os
import urllib.parse

from corral import resolve, wheel
from corral.packaging.markers import InvalidMarker, Marker
from corral.packaging.requirements import Requirement
from corral.packaging.specifiers import SpecifierSet
from corral.packaging.version import Version
from corral.sets import normalize

from . import cloudflare_list, fetch, homes, needs, pylock, report, walls, wheels
from .report import Failure

SHOWN_MAX = 3                   # of what is missing, in one line
ANNOUNCED_MIN = 4_000_000       # bytes of a file whose download is told of before, too


def _era(what):
    try:
        date = datetime.date.fromisoformat(what).isoformat()
    except ValueError:
        raise Failure(f"there is no package set '{what}'", "debian, or a compatibility date such as 2024-03-29: "
                      "corral packages sync DATE") from None
    return cloudflare_list.of_date(date)


def run(job):
    """Sync of a date. "index_url", "lock": what --index-url and --lock name."""
    era, lock, index_url = _era(job["what"]), job.get("lock"), job.get("index_url")
    if lock and index_url:
        raise Failure("--lock names every file itself, so there is nothing for --index-url to say", "leave one of the two out")
    if not lock and era.versions is None:
        raise Failure(f"Cloudflare has no packages built in for compatibility dates from {era.since} on: there is no list to take them from",
                      "list what the worker needs in requirements.txt or pyproject.toml, and it comes from the index; "
                      "or make a set of your own: corral packages sync DATE --lock pylock.toml")
    source = _Lock(lock) if lock else _Versions(era, fetch.Index(index_url or fetch.default_url()))
    with homes.Making(job["home"], era.name) as making:
        walls.enter(job["home"])
        there = next((one for one in homes.sets(job["home"]) if one.name == era.name), None)
        if there is not None and there.recipe == source.recipe:
            return {"set": there.name, "folder": there.folder, "packages": len(there.packages), "new": False}
        wheels.fill(making, asyncio.run(source.wheels()))
        made = making.finish(era.since, era.until, source.recipe)
    return {"set": made.name, "folder": made.folder, "packages": len(made.packages), "new": True}


def _listed(problems):
    return "; ".join(problems[:SHOWN_MAX]) + (f"; and {len(problems) - SHOWN_MAX} more" if len(problems) > SHOWN_MAX else "")


async def _all(function, items):
    """function(item) of all, a few at a time, each in a thread; the first failure is raised."""
    gate = asyncio.Semaphore(8)

    async def one(item):
        async with gate:
            return await asyncio.to_thread(function, item)

    tasks = [asyncio.ensure_future(one(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def _size(data):
    return f"{len(data) / 1e6:.1f} MB" if len(data) > 100_000 else f"{len(data) / 1e3:.1f} kB"


# ---- by an index ----


class _Versions(resolve.Provider):
    """The versions of a list, and what they need."""

    def __init__(self, era, index):
        self.index, self.made = index, era.made
        self.pins = {name: Version(text) for name, text in era.versions.items()}
        self.recipe = hashlib.sha256(json.dumps(era.versions, sort_keys=True).encode()).hexdigest()[:32]
        self._data = {}

    async def wheels(self):
        """[wheels.Chosen]"""
        report.progress(f"Asking {self.index.shown} for {len(self.pins)} packages ...")
        await _all(self.index.files, self.pins)
        lacking = [text for name in self.pins if (text := self._lack(name))]
        if lacking:
            some = lacking[0] if len(lacking) == 1 else f"{len(lacking)} of the {len(self.pins)} packages: {_listed(lacking)}"
            raise Failure(f"the package index {self.index.shown} does not have {some}",
                          "ask one that has them: --index-url URL; or list others: --lock pylock.toml", detail="\n".join(lacking))
        roots = [Requirement(f"{name}=={version}") for name, version in self.pins.items()]
        try:
            chosen = await resolve.Resolution(self).run(roots)
        except resolve.MissingError as e:
            raise Failure(f"the package index {self.index.shown} does not have what they need: {_listed(e.requirements)}",
                          "ask one that has it: --index-url URL", detail="\n".join(filter(None, e.details))) from None
        except resolve.ResolveError as e:
            raise Failure(str(e).splitlines()[0], "choose versions of your own: --lock pylock.toml", detail=str(e)) from None
        return await _all(self._chosen, [one.data for one in chosen.values()])

    def _fit(self, name):
        """{version: its best wheel} of what can be installed here."""
        by_version = {}
        for file in self.index.files(name):
            if file.kind == "wheel" and _is_for_us(file.requires_python):
                by_version.setdefault(file.version, []).append(file)
        return {version: file for version, files in by_version.items() if (file := wheel.best(files))}

    def _lack(self, name):
        """What is wrong with a pinned project, or ""."""
        version, files = self.pins[name], self.index.files(name)
        if version in self._fit(name):
            return ""
        if not files:
            return f"{name} {version} (it does not know {name})"
        same = [file for file in files if file.version == version]
        if not same:
            newest = sorted({file.version for file in files})[-3:]
            return f"{name} {version} (it has {', '.join(map(str, newest))})"
        unfit = [wheel.why_unfit(file.name) for file in same if file.kind == "wheel"]
        return f"{name} {version} for this machine (it has {'; '.join(filter(None, unfit[:2])) or 'its source'})"

    # -- resolve.Provider --

    async def find(self, project, is_narrow):
        """Of a pinned project that version alone."""
        await asyncio.to_thread(self.index.files, project)
        fit = self._fit(project)
        versions = [self.pins[project]] if project in self.pins else sorted(fit, reverse=True)
        if project not in self.pins:        # of its time first: the sort is stable
            versions.sort(key=lambda version: fit[version].uploaded[:10] > self.made)
        found = resolve.Found([resolve.Candidate(project, version, self.index.shown, fit[version], fit[version].yanked) for version in versions])
        if not fit:
            found.missing = f"the index has no wheel of {project} for this machine"
        return found

    async def at(self, url, requirement):
        """Nothing that is listed names an address."""
        raise resolve.ResolveError(f"{requirement or url} is at an address of its own, which no package set takes")

    async def requires(self, candidate):
        """Its requirements; those of pinned ones among one another without versions."""
        data = await asyncio.to_thread(self.index.metadata, candidate.data)
        if data is None:
            metadata = wheels.opened(await asyncio.to_thread(self._download, candidate.data), candidate.data.name).metadata
        else:
            try:
                metadata = wheel.Metadata.parse(data)
            except wheel.WheelError as e:
                raise Failure(f"{candidate}: {e}", "ask another index: --index-url URL") from None
        found = []
        for requirement in filter(None, map(needs.parse, metadata.requires)):
            if candidate.project in self.pins and normalize(requirement.name) in self.pins:
                requirement.specifier, requirement.url = SpecifierSet(), None
            found.append(str(requirement))
        return found

    # -- files --

    def _download(self, file):
        if file.name not in self._data:
            if (file.size or 0) > ANNOUNCED_MIN:
                report.progress(f"Downloading {file.name} ({file.size / 1e6:.1f} MB) ...")
            data = self.index.download(file)
            report.progress(f"Downloaded {file.name} ({_size(data)})")
            if not any(kind in ("sha256", "sha384", "sha512") for kind in file.hashes):
                report.warning(f"the package index {self.index.shown} gives no sha256 of {file.name}: what came was taken and locked")
            self._data[file.name] = data
        return self._data[file.name]

    def _chosen(self, file):
        name = wheel.parse_name(file.name)
        return wheels.Chosen(name.project, str(file.version), file.name, file.url, self.index.shown, self._download(file))


def _is_for_us(requires_python):
    try:
        return not requires_python or SpecifierSet(requires_python).contains(homes.PYTHON_FULL, prereleases=True)
    except ValueError:
        return True


# ---- by a lock file ----


class _Lock:
    """What a lock file lists, as far as it is for this machine."""

    def __init__(self, path):
        self.path, self.folder = path, os.path.dirname(os.path.abspath(path))
        self.packages = [one for one in pylock.load(path) if self._applies(one)]
        with open(path, "rb") as f:
            self.recipe = hashlib.sha256(f.read()).hexdigest()[:32]
        names = [one["name"] for one in self.packages]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise Failure(f"{path} has {twice[0]} twice for this machine", "markers must leave one of them", file=path)

    def _applies(self, package):
        try:
            return needs.holds(Marker(package["marker"])) if package.get("marker") else True
        except (InvalidMarker, TypeError):
            raise Failure(f"{self.path}: the marker of {package['name']} makes no sense: {package['marker']!r}", file=self.path) from None

    async def wheels(self):
        """[wheels.Chosen]"""
        report.progress(f"Getting {len(self.packages)} packages by {self.path} ...")
        return await _all(self._chosen, self.packages)

    def _best(self, package):
        def name(one):
            return one.get("name") or urllib.parse.unquote((one.get("url") or one.get("path")).partition("#")[0].rpartition("/")[2])
        best = wheel.best(package["wheels"], key=name)
        if best is None:
            raise Failure(f"{self.path} has no wheel of {package['name']} {package['version']} for this machine",
                          "lock it on a machine like this one", file=self.path, detail="\n".join(map(name, package["wheels"])))
        return best, name(best)

    def _chosen(self, package):
        entry, file = self._best(package)
        parsed = wheel.parse_name(file)
        try:
            is_same = parsed.project == package["name"] and parsed.version == Version(package["version"])
        except ValueError:
            is_same = False
        if not is_same:
            raise Failure(f"{self.path}: {package['name']} {package['version']} has the wheel {file}, which is of something else", file=self.path)
        data = self._get(entry, file)
        where = fetch.without_login(entry["url"]) if entry.get("url") else entry["path"]
        fetch.check(file, data, entry["hashes"], where)
        report.progress(f"Got {file} ({_size(data)})")
        return wheels.Chosen(package["name"], package["version"], file, where, package.get("index", ""), data)

    def _get(self, entry, file):
        if not entry.get("url"):
            try:
                with open(os.path.join(self.folder, entry["path"]), "rb") as f:
                    return f.read()
            except OSError as e:
                raise Failure(f"{self.path} names {entry['path']}, which cannot be read: {e.strerror}", file=self.path) from None
        data = fetch.get(entry["url"])
        if data is None:
            raise Failure(f"{file} is not where {self.path} says (404 for {entry['url']})", "lock it again", file=self.path)
        return data
