"""_transaction.py - one installation: choose, download, unpack, and put everything in its place at once, or nothing.

Several may be under way in an instance, those of other requests too.  Who wants what another one is about to install waits for
it and finds it there; the others hold up nobody, and look again when something was installed or removed meanwhile.
"""
import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass

from corral import memory, resolve, wheel
from corral.packaging import utils

from . import _fetch, _site
from ._log import logger
from ._provider import Provider

FAQ = "https://pyodide.org/en/stable/usage/faq.html#why-can-t-micropip-find-a-pure-python-wheel-for-a-package"
TURN_S = 0.02           # so long others wait while a wheel is unpacked
ROUNDS_MAX = 10         # times that an installation looks again

_running = {}           # project that somebody is installing -> future, done when it is over, well or not


@dataclass
class Choices:
    """What install() was told; see there.  is_set_first: the package set comes before the indexes."""
    keep_going: bool
    deps: bool
    pre: bool
    credentials: str | None
    reinstall: bool
    index_urls: list
    is_set_first: bool
    constraints: list


async def run(wanted, choices):
    """Install these Requirements.  Raises as install() says."""
    names = {utils.canonicalize_name(one.name) for one in wanted}
    while others := {_running[name] for name in names if name in _running}:
        await asyncio.wait(others)
    over = asyncio.get_running_loop().create_future()
    _running.update(dict.fromkeys(names, over))
    try:
        await _install(wanted, choices)
    finally:
        for name in names:
            del _running[name]
        over.set_result(None)


async def _install(wanted, choices):
    fetcher = _fetch.Fetcher(choices.credentials)
    for _ in range(ROUNDS_MAX):
        seen = _site.changes
        chosen, resolution = await _choose(wanted, choices, fetcher)
        new = [one for one in chosen.values() if not one.is_fixed]
        files = await _files(new, resolution)
        if seen == _site.changes:
            break
    if not new:
        return
    logger.info("Installing collected packages: %s", ", ".join(one.project for one in new))
    _put(new, files, resolution.provider)
    logger.info("Successfully installed %s", ", ".join(f"{one.project}-{one.version}" for one in new))


async def _files(new, resolution):
    """[(path, bytes)] of all wheels among these."""
    wheels, files = [one for one in new if one.data.of_set is None], []
    await resolve.gather(resolution.provider.load(one) for one in wheels)
    _check_room(wheels)
    for one in wheels:
        files += await _unpacked(one, _notes(one, resolution))
    return files


# ---- choosing ----


def _constraints(texts):
    """Those that say something; the others are passed over, as Pyodide's micropip does."""
    for text in texts:
        try:
            one = resolve.parse(text)
        except resolve.ResolveError as e:
            logger.info("Transaction: constraint %s discarded: %s", text, e)
            continue
        if one.extras or not (one.url or len(one.specifier)):
            logger.info("Transaction: constraint %s discarded: %s", text, "may not provide [extras]" if one.extras else "no version or URL")
            continue
        yield text


async def _choose(wanted, choices, fetcher):
    provider = Provider(fetcher, choices.index_urls, choices.is_set_first, choices.reinstall)
    if not choices.reinstall:
        _check_installed(wanted, provider)
    resolution = resolve.Resolution(provider, list(_constraints(choices.constraints)), choices.deps, choices.pre, choices.keep_going)
    try:
        chosen = await resolution.run(wanted)
    except resolve.MissingError as e:
        raise _missing(e, provider, choices.keep_going) from None
    for line in resolution.unknown_extras:
        logger.warning("%s", line)
    _check_replaced(chosen, provider)
    return chosen, resolution


def _check_installed(wanted, provider):
    for one in wanted:
        here = provider.installed_candidate(utils.canonicalize_name(one.name))
        if here is not None and not one.url and not one.specifier.contains(here.version, prereleases=True):
            raise ValueError(f"Requested '{one}', but {here.project}=={here.version} is already installed. "
                             "To have another version instead, use micropip.install(..., reinstall=True), or uninstall it first.")


def _check_replaced(chosen, provider):
    """What came with the worker cannot be exchanged, as its folder is only read; a folder of the set can be left out."""
    for project, one in chosen.items():
        here = provider.installed.get(project)
        if here is not None and not one.is_fixed and not _site.is_ours(here) and _site.in_set(here) is None:
            raise ValueError(f"Requested '{project}=={one.version}', but {project}=={here.version} came with the worker: "
                             "change its version in requirements.txt, pyproject.toml or python_modules/")


def _missing(e, provider, keep_going):
    """The error as Pyodide's micropip words it, with notes of what there is."""
    names = {text: utils.canonicalize_name(resolve.parse(text).name) for text in e.requirements}
    if keep_going:
        failed = ", ".join(f"'{text}'" for text in e.requirements)
        error = ValueError(f"Can't find a pure Python 3 wheel for: {failed}\nSee: {FAQ}\n")
    elif names[e.requirements[0]] in provider.unknown:
        error = ValueError(f"Can't fetch metadata for '{e.requirements[0]}'. Please make sure you have entered a correct package name "
                           "and correctly specified index_urls (if you changed them).")
    else:
        error = ValueError(f"Can't find a pure Python 3 wheel for '{e.requirements[0]}'.\nSee: {FAQ}\n"
                           "You can use `await micropip.install(..., keep_going=True)` to get a list of all packages with missing wheels.")
    for line in e.details:
        if line:
            error.add_note(f"({line})")
    return error


# ---- unpacking ----


def _check_room(wheels):
    needed = sum(one.data.opened.size for one in wheels)
    if needed > memory.BYTES_MAX:
        raise ValueError(f"{', '.join(str(one) for one in wheels)}: {needed >> 20} MiB when unpacked, and an instance has room for "
                         f"{memory.BYTES_MAX >> 20} MiB: list what is large in requirements.txt instead")


def _notes(one, resolution):
    """Files that Pyodide's micropip adds to a .dist-info."""
    item = one.data
    requires = [r for r in resolution.required.get(one, ()) if resolve.applies(r)]
    notes = {"PYODIDE_SOURCE": "pypi" if item.is_from_index else _fetch.shown(item.url), "PYODIDE_URL": _fetch.without_login(item.url)[0],
             "PYODIDE_SHA256": item.sha256}
    if requires:
        notes["PYODIDE_REQUIRES"] = json.dumps(sorted({utils.canonicalize_name(r.name) for r in requires}))
    return {name: text.encode() for name, text in notes.items()}


async def _unpacked(one, notes):
    """[(path, bytes)] of a wheel; others run meanwhile."""
    files, since = [], time.monotonic()
    try:
        for file in one.data.opened.files("micropip", notes):
            files.append(file)
            if time.monotonic() - since > TURN_S:
                await asyncio.sleep(0)
                since = time.monotonic()
    except wheel.WheelError as e:
        raise ValueError(f"{_fetch.shown(one.data.url)} is not installed: {e}") from None
    one.data.opened = None      # its bytes may go
    return files


def _put(new, files, provider):
    """All at once, without waiting for anything."""
    old = [provider.installed[one.project] for one in new if one.project in provider.installed]
    ours = [one for one in old if _site.is_ours(one)]
    kept, path = _site.contents(ours), list(sys.path)
    try:
        for one in old:
            _take_away(one)
        _site.write(files)
    except OSError as e:
        _site.restore(kept)
        sys.path[:] = path
        _site.refresh()
        raise OSError(e.errno, f"{', '.join(map(str, new))} cannot be installed: {e.strerror or e}") from None
    for one in new:
        if one.data.of_set is not None:
            _site.add_folder(one.data.of_set.folder)
    _site.refresh()


def _take_away(distribution):
    if _site.is_ours(distribution):
        for file in _site.files_of(distribution):
            _site.remove_file(file)
    elif (of_set := _site.in_set(distribution)) is not None:
        sys.path[:] = [folder for folder in sys.path if folder != _site.place(distribution)]


def remove(distribution):
    """Uninstall it.  False: it came with the worker, and stays."""
    if not _site.is_ours(distribution):
        if _site.in_set(distribution) is None:
            logger.warning("Skipping '%s': it came with the worker, or is no package that micropip could remove.", distribution.name)
            return False
        _take_away(distribution)
        return True
    files = _site.files_of(distribution)
    folders = {os.path.dirname(file) for file in files} - {_site.FOLDER}
    for file in files:
        if not os.path.isfile(file):
            logger.warning("A file '%s' listed in the metadata of '%s' does not exist.", file, distribution.name)
    name = distribution.name
    for file in files:
        _site.remove_file(file)
    for folder in sorted(folders, key=len, reverse=True):
        if os.path.isdir(folder) and not _is_shared(folder):
            logger.warning("A directory '%s' is not empty after uninstallation of '%s'. "
                           "This might cause problems when installing a new version of the package. ", folder, name)
    return True


def _is_shared(folder):
    """Do other packages have files in it?"""
    return any(file.startswith(folder + "/") for one in _site.installed().values() if _site.is_ours(one) for file in _site.files_of(one))
