"""dpkg.py - Python distributions as Debian's packages install them: which there are, of what files, and what they need.

Only read, never changed: the distributions by their .dist-info or .egg-info in /usr/lib/python3/dist-packages, the files by
the lists of the Debian package that owns them. Debian's tools move requirements from an .egg-info to the package's
`Depends`, so that is read, too; a .dist-info has them all.
"""
import email.parser
import os
import re

from corral.packaging.markers import Marker
from corral.sets import normalize

from . import debian_list, needs

_FOLDER = "usr/lib/python3/dist-packages"
_SUFFIXES = (".dist-info", ".egg-info")


class Installed:
    """A distribution. name: normalized. info: its .dist-info or .egg-info. files: paths below dist-packages, this one's alone.
    package, package_version: Debian's. requires: [Requirement], extras: {extra: [Requirement]}; markers are evaluated.
    follows: Debian packages that its own depends on, where that has to be asked."""

    def __init__(self, name, version, info):
        self.name, self.version, self.info = name, version, info
        self.package = self.package_version = ""
        self.files, self.requires, self.extras, self.follows = [], [], {}, []


class NoDebian(Exception):
    """This system is none that dpkg has installed."""


def _read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def _headers(text):
    return email.parser.Parser().parsestr(text, headersonly=True)


def _metadata(folder, info):
    """The text of METADATA or PKG-INFO, or None."""
    path = os.path.join(folder, info)
    names = (path,) if os.path.isfile(path) else (os.path.join(path, "METADATA"), os.path.join(path, "PKG-INFO"))
    for name in names:
        try:
            return _read(name)
        except OSError:
            pass
    return None


def _take_requires_txt(one, text):
    """Requirements as requires.txt has them: sections [extra:marker], either of which may be missing."""
    into = one.requires
    for line in map(str.strip, text.splitlines()):
        section = re.fullmatch(r"\[([^]:]*)(?::(.*))?\]", line)
        if section:
            extra, marker = section[1].strip(), section[2]
            into = one.extras.setdefault(normalize(extra), []) if extra else one.requires
            if marker and not needs.holds(Marker(marker)):
                into = []
        elif line and not line.startswith("#"):
            requirement = needs.parse(line)
            if requirement is not None:
                into.append(requirement)


def _distribution(folder, info):
    text = _metadata(folder, info)
    headers = _headers(text) if text is not None else {}
    if not headers.get("Name") or not headers.get("Version"):
        return None
    one = Installed(normalize(headers["Name"]), headers["Version"], info)
    one.requires, one.extras = needs.of_metadata(headers.get_all("Requires-Dist", ()), headers.get_all("Provides-Extra", ()))
    requires = os.path.join(folder, info, "requires.txt")
    if info.endswith(".egg-info") and os.path.isfile(requires):
        _take_requires_txt(one, _read(requires))
    return one


def _owners(root):
    """{Debian package: [paths below dist-packages]} of those that have some there."""
    lists = os.path.join(root, "var/lib/dpkg/info")
    try:
        names = sorted(name for name in os.listdir(lists) if name.endswith(".list"))
    except OSError:
        raise NoDebian(lists) from None
    prefix, found = f"/{_FOLDER}/", {}
    for name in names:
        text = _read(os.path.join(lists, name))
        if prefix in text:
            paths = [line[len(prefix):] for line in text.splitlines() if line.startswith(prefix)]
            found[name.removesuffix(".list").partition(":")[0]] = paths
    return found


def _status(root):
    """{Debian package: (version, Depends)} of what is installed."""
    found = {}
    for paragraph in _read(os.path.join(root, "var/lib/dpkg/status")).split("\n\n"):
        headers = _headers(paragraph)
        if headers.get("Status", "").endswith(" installed"):
            found[headers["Package"]] = (headers.get("Version", ""), re.sub(r"\s+", " ", headers.get("Depends", "")))
    return found


def _depends(text):
    """The Debian packages of a `Depends`; of alternatives all, but none where Python itself will do."""
    found = []
    for clause in text.split(","):
        names = [alternative.strip().split(" ")[0].partition(":")[0] for alternative in clause.split("|")]
        if not any(re.fullmatch(r"python3(\.\d+)?(-minimal)?", name) for name in names):
            found += [name for name in names if name.startswith("python3-") and name not in debian_list.NOT_FOLLOWED]
    return found


def _is_left_out(path):
    """What a worker does not import: tests, as Pyodide leaves them out, and bytecode, which is made anew."""
    parts = path.split("/")
    return "__pycache__" in parts or "tests" in parts[1:-1] or path.endswith(".pth")


def _tops(folder, info):
    """Names that a distribution says are its top level, by whichever file says so."""
    path = os.path.join(folder, info, "top_level.txt")
    if os.path.isfile(path):
        return set(_read(path).split())
    path = os.path.join(folder, info, "RECORD")
    if os.path.isfile(path):
        return {line.split(",")[0].split("/")[0].partition(".")[0] for line in _read(path).splitlines()}
    return set()


def _share_out(folder, ours, paths):
    """Give each of a Debian package's files to one of its distributions."""
    infos = {one.info: one for one in ours}
    tops = {one.info: _tops(folder, one.info) | {one.name.replace("-", "_"), one.name} for one in ours}
    for path in paths:
        top = path.split("/")[0]
        if top in infos:
            owner = infos[top]
        elif top.endswith(_SUFFIXES):
            continue            # a second description of the same distribution
        else:
            stem = top.partition(".")[0]
            owner = next((one for one in ours if stem in tops[one.info]), ours[0])
        if not _is_left_out(path):
            owner.files.append(path)


def _of_package(folder, paths):
    """The distributions of one Debian package, the better description of each."""
    infos = sorted({path.split("/")[0] for path in paths if path.split("/")[0].endswith(_SUFFIXES)})
    found = {}
    for info in infos:          # .dist-info sorts before .egg-info of the same name, and is the better one
        one = _distribution(folder, info)
        if one is not None and (one.name not in found or info.endswith(".dist-info")):
            found[one.name] = one
    return list(found.values())


def installed(root="/"):
    """(folder, {name: Installed}, {Debian package: [names]}) of what dpkg has put into dist-packages.

    NoDebian: it has not."""
    folder = os.path.join(root, _FOLDER)
    status, found, by_package = None, {}, {}
    for package, paths in _owners(root).items():
        ours = _of_package(folder, paths)
        if not ours:
            continue
        status = _status(root) if status is None else status
        if package not in status:
            continue            # removed, its configuration kept
        _share_out(folder, ours, [path for path in paths if os.path.isfile(os.path.join(folder, path))])
        for one in ours:
            one.package, (one.package_version, depends) = package, status[package]
            one.follows = _depends(depends) if one.info.endswith(".egg-info") else []
            found[one.name] = one
        by_package[package] = [one.name for one in ours]
    return folder, found, by_package
