"""lock.py - the job "lock": write a project's pylock.toml: what its worker gets, with hashes.

"project", "date", "state", "limit_bytes": as of "environment"; "index_url": when the project names none.
done: {"file": its path, "packages": how many}

What comes from an index stands there as the one file that fits this machine; what comes from a set as the set's own lock file has it.
python_modules/ is a part of the project already.
"""
import contextlib
import hashlib
import json
import os
import tempfile
import tomllib

from corral import sets, wheel
from corral.packaging.version import Version

from . import environment, fetch, homes, installer, needs, pylock, pyproject, ready, report, requirements, walls
from .asked import Asked
from .report import Failure


def run(job):
    """Resolve, describe, write."""
    if job.get("index_url"):
        os.environ["PIP_INDEX_URL"] = job["index_url"]
    asked = Asked(job["project"])
    has_any = requirements.read_file(asked, os.path.join(asked.project, "requirements.txt"))
    has_any |= pyproject.read_file(asked, os.path.join(asked.project, "pyproject.toml"))
    if not has_any:
        raise Failure(f"there is nothing to lock: {asked.project} has no requirements.txt and no pyproject.toml with dependencies",
                      "list what the worker imports in requirements.txt, a name a line")
    made = environment.run({**job, "more_folders": [asked.project]})
    walls.enter(asked.project)
    packages = _of_set(made) + _of_index(made, _Sources(installer.indexes(asked)))
    path = os.path.join(asked.project, "pylock.toml")
    _write(path, pylock.dumps(packages, f"=={homes.PYTHON}.*"))
    return {"file": path, "packages": len(packages)}


def _write(path, text):
    """Whole or not at all."""
    fd, new = tempfile.mkstemp(prefix=".pylock.", dir=os.path.dirname(path))
    try:
        with open(fd, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(new, 0o644)
        os.rename(new, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise


def _of_set(made):
    """What the set's lock file says of those that come from it."""
    if not made["set"]:
        return []
    taken = set(made["folders"])
    names = {one.name for one in sets.PackageSet(made["set"]).packages.values() if one.folder in taken}
    with open(os.path.join(made["set"], "pylock.toml"), "rb") as f:
        found = [one for one in tomllib.load(f)["packages"] if one["name"] in names]
    for one in found:
        one.pop("directory", None)          # of this machine alone
        one["tool"] = one.get("tool", {}).get("corral") or {}
        if not one["tool"]:
            del one["tool"]
    return [_in_order(one) for one in found]


def _in_order(package):
    """Tables are the last."""
    last = [key for key in ("wheels", "tool") if key in package]
    return {**{key: value for key, value in package.items() if key not in last}, **{key: package[key] for key in last}}


def _of_index(made, sources):
    """What uv or pip has installed."""
    if not made["environment"]:
        return []
    installed = ready.find(os.path.join(made["environment"], "packages"))
    report.progress(f"Looking up the hashes of {len(installed)} package{'s' * (len(installed) != 1)} ...")
    found = []
    for one in installed.values():
        names = {*installed, *(package["name"] for package in made["packages"])}
        dependencies, _ = needs.within(needs.of_metadata(one.requires, ())[0], names)
        file, where = sources.find(one)
        found.append({"name": one.name, "version": one.version, "dependencies": [{"name": sets.split(need)[0]} for need in dependencies],
                      "index": where, "wheels": [file]})
    return found


class _Sources:
    """Where the files are that were installed. sources: installer.Indexes."""

    def __init__(self, sources):
        self._indexes = [fetch.Index(url) for url in sources.urls()]
        self._folders = [place for place in sources.find_links if os.path.isdir(place)]
        self._shown = sources.shown()

    def find(self, one):
        """(an entry of "wheels", the index's address or "") for a ready.Ready. Failure: it is nowhere any more."""
        direct = os.path.join(one.info, "direct_url.json")
        if os.path.isfile(direct):
            return self._direct(direct), ""
        for folder in self._folders:
            path = _of_version([(name, name) for name in sorted(os.listdir(folder))], one)
            if path:
                return _of_file(os.path.join(folder, path)), ""
        for index in self._indexes:
            file = _of_version([(file.name, file) for file in index.files(one.name) if file.kind == "wheel"], one)
            if file:
                digest = file.hashes.get("sha256")
                data = index.download(file) if not digest or file.size is None else None
                return {"name": file.name, "url": file.url, "size": len(data) if data is not None else file.size,
                        "hashes": {"sha256": digest or hashlib.sha256(data).hexdigest()}}, index.shown
        raise Failure(f"{one.name} {one.version} is installed, and {self._shown} does not have it any more",
                      "ask for another version, or name the index that has it by --index-url")

    def _direct(self, path):
        """Of a requirement that names an address or a file."""
        with open(path, encoding="utf-8") as f:
            url = json.load(f)["url"]
        if url.startswith("file://"):
            return _of_file(fetch.file_of(url))
        shown, data = fetch.without_login(url), fetch.get(url)
        if data is None:
            raise Failure(f"{shown} was installed, and is not there any more (404)", "ask for another version")
        return _entry(shown.rpartition("/")[2], {"url": shown}, data)


def _entry(name, where, data):
    return {"name": name, **where, "size": len(data), "hashes": {"sha256": hashlib.sha256(data).hexdigest()}}


def _of_file(path):
    with open(path, "rb") as f:
        return _entry(os.path.basename(path), {"path": path}, f.read())


def _of_version(named, one):
    """Of (file name, file) the file that fits best, of a distribution's version; or None."""
    fit = []
    for name, file in named:
        try:
            parsed = wheel.parse_name(name)
            if parsed.project == one.name and parsed.version == Version(one.version):
                fit.append((name, file))
        except ValueError:      # a WheelError is one
            pass
    best = wheel.best(fit, key=lambda pair: pair[0])
    return best and best[1]
