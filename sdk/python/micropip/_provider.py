"""_provider.py - where versions come from: what is installed, the package set, indexes, addresses."""
import hashlib
import os
import platform
import re
import sysconfig
import urllib.parse
from dataclasses import dataclass, field

from corral import index, resolve, wheel
from corral.packaging.specifiers import SpecifierSet
from corral.packaging.version import Version

from . import _fetch, _site
from ._log import logger

PYTHON = Version(platform.python_version())
SHOWN_MAX = 3           # kinds of files that are told when none fits


@dataclass(eq=False)
class Item:
    """What a Candidate's data is.

    distribution: of what is installed; of_set: of the set's; url, hashes, file_name, metadata (PEP 658): of a wheel that is still to be had;
    said: what its METADATA says, opened: the wheel, sha256: of it; once they are there.
    """
    distribution: object = None
    of_set: object = None
    url: str = ""
    hashes: dict = field(default_factory=dict)
    file_name: str = ""
    metadata: bool | dict = False
    is_from_index: bool = False
    said: wheel.Metadata | None = None
    opened: wheel.Wheel | None = None
    sha256: str = ""


class Provider(resolve.Provider):
    """For one call of install().  may_replace: what is installed may be exchanged for another version."""

    def __init__(self, fetcher, index_urls, is_set_first, may_replace):
        self.fetcher, self.index_urls, self.is_set_first = fetcher, index_urls, is_set_first
        self.installed = _site.installed()
        self.may_replace = may_replace
        self.unknown = set()        # projects that no index has

    # ---- what there is ----

    def installed_candidate(self, project):
        """The Candidate of what is installed, or None."""
        found = self.installed.get(project)
        try:
            version = Version(found.version) if found is not None else None
        except (ValueError, TypeError):
            return None
        return None if version is None else resolve.Candidate(project, version, "installed", Item(distribution=found), is_fixed=True)

    def _set_candidate(self, project):
        known = _site.package_set()
        one = known.get(project) if known else None
        try:
            return resolve.Candidate(project, Version(one.version), "the package set", Item(of_set=one)) if one is not None else None
        except ValueError:
            return None

    async def find(self, project, is_narrow):
        here = self.installed_candidate(project)
        if here is not None and not self.may_replace:
            return resolve.Found([here])
        first = [here] if here is not None else []
        of_set = self._set_candidate(project)
        if is_narrow and (first or (of_set is not None and self.is_set_first)):
            return resolve.Found(first + [of_set] * (of_set is not None and self.is_set_first), is_all=False)
        found = await self._find_in_indexes(project)
        if of_set is not None:
            found.candidates = [of_set, *found.candidates] if self.is_set_first else [*found.candidates, of_set]
        found.candidates = first + found.candidates
        return found

    async def _find_in_indexes(self, project):
        """The first index that has the project counts, as in Pyodide."""
        failures = []
        for url in self.index_urls:
            page_url = index.project_url(url, project)
            try:
                files = await self._page(page_url, project)
            except _fetch.FetchError as e:
                if e.status != 404:
                    failures.append(e)
                continue
            if files:
                return _found(project, files, page_url)
        if failures:
            raise failures[0]
        self.unknown.add(project)
        return resolve.Found(missing=f"no index has a project '{project}': {', '.join(map(_fetch.shown, self.index_urls))}")

    async def _page(self, url, project):
        body, content_type, came_from = await self.fetcher.page(url)
        try:
            return index.parse(body, content_type, came_from, project)
        except index.PageError as e:
            raise ValueError(f"{_fetch.shown(url)} is no page of a package index: it answered {e}") from None

    # ---- wheels ----

    async def at(self, url, requirement):
        """Of an address, a file: or emfs: path, or a path."""
        plain, _, fragment = url.partition("#")
        parts = urllib.parse.urlsplit(plain)
        name = urllib.parse.unquote(parts.path.rpartition("/")[2])
        if not name.endswith(".whl"):
            raise ValueError(f"{_fetch.shown(url)!r} is not the address of a wheel: they end with .whl")
        project, version = check_fits(name)
        hashes = {key: value.lower() for key, _, value in (part.partition("=") for part in fragment.split("&")) if value}
        item = Item(url=plain, hashes=hashes, file_name=name)
        candidate = resolve.Candidate(project, version, _fetch.shown(plain), item)
        here = self.installed_candidate(project)
        if here is not None and here.version == version and not _site.is_ours(here.data.distribution):
            return here         # what the worker has in this very version
        await self.load(candidate)
        return candidate

    async def load(self, candidate):
        """Have the bytes of its wheel, checked and opened."""
        item = candidate.data
        if item.opened is not None:
            return
        logger.info("Collecting %s", candidate.project)
        logger.info("  Downloading %s", item.file_name)
        data = _local(item.url) if not re.match(r"https?:", item.url, re.I) else await self.fetcher.wheel(item.url, item.hashes)
        _fetch.check(data, item.hashes, item.url)
        try:
            item.opened = wheel.Wheel(data, item.file_name)
        except wheel.WheelError as e:
            raise ValueError(f"{_fetch.shown(item.url)} is not installed: {e}") from None
        item.said, item.sha256 = item.opened.metadata, hashlib.sha256(data).hexdigest()

    async def requires(self, candidate):
        item = candidate.data
        if item.distribution is not None:
            return list(item.distribution.requires or ())
        if item.of_set is not None:
            return _requires_of_set(item.of_set)
        if item.said is None:
            item.said = await self._metadata(candidate)
        return list(item.said.requires)

    async def _metadata(self, candidate):
        """By itself, when the index has it (PEP 658), else out of the wheel."""
        item = candidate.data
        if item.metadata:
            url = f"{item.url}.metadata"
            try:
                data = await self.fetcher.metadata(url)
            except _fetch.FetchError as e:
                logger.debug("%s", e)
            else:
                _fetch.check(data, item.metadata if isinstance(item.metadata, dict) else {}, url)
                try:
                    return wheel.Metadata.parse(data)
                except wheel.WheelError as e:
                    raise ValueError(f"{_fetch.shown(url)} is no METADATA of a wheel: {e}") from None
        await self.load(candidate)
        return item.said

    def extras(self, candidate):
        item = candidate.data
        if item.distribution is not None:
            return item.distribution.metadata.get_all("Provides-Extra") or ()
        if item.of_set is not None:
            return (*item.of_set.extras, *filter(None, item.of_set.lacks))
        return item.said.extras if item.said is not None else None


def _local(url):
    path = url
    for scheme in ("emfs:", "file:"):
        if url.startswith(scheme):
            path = urllib.parse.unquote(url.removeprefix(scheme))
            path = path[2:] if path.startswith("//") else path
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", path):
        raise ValueError(f"{_fetch.shown(url)!r} is neither http:, https:, emfs: nor file:, nor a path")
    return _fetch.local(os.path.abspath(path))


def check_fits(file_name):
    """(project, version) of a wheel that fits here.  Raises ValueError as Pyodide's micropip words it."""
    try:
        name = wheel.parse_name(file_name)
    except wheel.WheelError as e:
        raise ValueError(f"Wheel filename is invalid: {file_name!r} ({e})") from None
    if wheel.rank(file_name) is None:
        tag = sorted(name.tags, key=str)[0]
        raise ValueError(f"Wheel platform '{tag.platform}' is not compatible with the platform '{sysconfig.get_platform()}' here"
                         if wheel.why_unfit(file_name) == f"for {tag.platform}" or "wasm32" in tag.platform else
                         f"Wheel interpreter version '{tag.interpreter}' is not supported: {file_name} is {wheel.why_unfit(file_name)}")
    return name.project, name.version


def _requires_of_set(one):
    """The set's distributions in the set's versions: they fit together by the word of whoever made it."""
    def pinned(need):
        other = _site.package_set().get(need.partition("[")[0])
        try:
            return f"{need}=={Version(other.version)}" if other is not None else need
        except ValueError:
            return need
    extras = [(extra, pinned(need)) for extra, needs in one.extras.items() for need in needs]
    extras += [(extra, name) for extra, names in one.lacks.items() for name in names]
    return [*map(pinned, one.dependencies), *(f"{need}; extra == {extra!r}" for extra, need in extras)]


# ---- files of a page ----


def _runs_here(specifier):
    try:
        return not specifier or SpecifierSet(specifier).contains(PYTHON, prereleases=True)
    except ValueError:
        return True             # as pip has it


def _found(project, files, page_url):
    """Candidates of a project's files, the newest first, and why the other versions are none."""
    by_version = {}
    for file in files:
        by_version.setdefault(file.version, []).append(file)
    found = resolve.Found()
    for version in sorted(by_version, reverse=True):
        wheels = [file for file in by_version[version] if file.kind == "wheel"]
        fit = [file for file in wheels if _runs_here(file.requires_python)]
        whole = [file for file in fit if not file.yanked]
        best = wheel.best(whole) or wheel.best(fit)
        if best is None:
            found.refused[version] = _why_refused(by_version[version], wheels, fit)
            continue
        item = Item(url=best.url, hashes=best.hashes, file_name=best.name, metadata=best.metadata, is_from_index=bool(best.hashes))
        found.candidates.append(resolve.Candidate(project, version, _fetch.shown(page_url), item, best.yanked))
    return found


def _why_refused(files, wheels, fit):
    if not wheels:
        return "as a source distribution only, and nothing is built here"
    if not fit:
        return f"it needs Python {wheels[0].requires_python[:100]}, and this is {PYTHON}"
    kinds = sorted({wheel.why_unfit(file.name) for file in fit})
    return f"its wheels are {', '.join(kinds[:SHOWN_MAX])}" + (f" and {len(kinds) - SHOWN_MAX} others" if len(kinds) > SHOWN_MAX else "")
