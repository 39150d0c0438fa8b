"""wheel.py - wheels: what their names say, which one fits this interpreter best, and how one is unpacked.

Pure Python without `js`: the packager and micropip use it.  A wheel may be made by somebody who means harm: corral/zipped.py bounds
what is unpacked and where to, here the contents are checked against RECORD, and nothing of it is run.
"""
import base64
import csv
import functools
import hashlib
import itertools
import re
from dataclasses import dataclass

from corral.packaging import tags as _tags, utils, version as versions

from . import index, zipped

METADATA_MAX = 4 << 20      # bytes of METADATA, WHEEL and RECORD, each
HEADERS_MAX = 10_000        # lines of METADATA before the description
TAGS_MAX = 1000             # tags that a name may stand for
HASHES = ("sha256", "sha384", "sha512")

_SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")
_OURS = ("INSTALLER", "REQUESTED", "direct_url.json", "RECORD", "RECORD.jws", "RECORD.p7s")
_ABOVE = {"purelib": "", "platlib": "", "data": "", "scripts": "bin/", "headers": "include/"}


class WheelError(ValueError):
    """This is no wheel, or one that is not installed; the text says why."""


# ---- names ----


@dataclass(frozen=True, slots=True)
class Name:
    """What the name of a wheel's file says.  project is normalized; build is () or (number, rest)."""
    project: str
    version: versions.Version
    build: tuple
    tags: frozenset

    @property
    def is_pure(self):
        """Does it run on any platform?"""
        return any(tag.platform == "any" and tag.abi == "none" for tag in self.tags)


@functools.lru_cache(4096)
def parse_name(filename):
    """Name of a wheel's file name.  Raises WheelError."""
    known = index.kind_of(filename) if filename.endswith(".whl") else None
    if known is None:
        raise WheelError(f"{filename[:200]!r} is not the name of a wheel: NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl")
    parts = filename[:-4].split("-")
    number = re.match(r"\d{1,50}", parts[2]) if len(parts) == 6 else None
    if len(parts) == 6 and number is None:
        raise WheelError(f"{filename[:200]!r} is not the name of a wheel: the build {parts[2]!r} does not begin with a digit")
    build = (int(number[0]), parts[2][number.end():]) if number else ()
    pythons, abis, platforms = ([one.lower() for one in part.split(".")] for part in parts[-3:])
    if len(pythons) * len(abis) * len(platforms) > TAGS_MAX:
        raise WheelError(f"the name of a wheel stands for more than {TAGS_MAX} tags: {filename[:200]!r}")
    return Name(known[1], known[2], build, frozenset(_tags.Tag(*tag) for tag in itertools.product(pythons, abis, platforms)))


@functools.cache
def _ranks():
    """This interpreter's tags, the best first, as packaging (and with it pip) has them."""
    return {tag: rank for rank, tag in enumerate(_tags.sys_tags())}


def rank(filename):
    """How well a wheel fits this interpreter and platform: a tuple, the smallest is the best; None when it does not fit."""
    try:
        name = parse_name(filename)
    except WheelError:
        return None
    ranks = _ranks()
    best = min((ranks[tag] for tag in name.tags if tag in ranks), default=None)
    if best is None:
        return None
    number, rest = name.build or (-1, "")
    return best, -number, tuple(-ord(c) for c in rest) + (1,)       # the highest build of the same tags


def best(files, key=lambda file: file.name):
    """The one of these files that fits best, or None.  key: the name of a file's wheel."""
    ranked = [(place, i, file) for i, file in enumerate(files) if (place := rank(key(file))) is not None]
    return min(ranked)[2] if ranked else None


def why_unfit(filename):
    """Why a wheel does not fit here, for people, such as "for Windows"; "" when it does."""
    if rank(filename) is not None:
        return ""
    try:
        name = parse_name(filename)
    except WheelError:
        return "of no valid name"
    mine = {(tag.interpreter, tag.abi) for tag in _ranks()}
    fits = [tag for tag in name.tags if (tag.interpreter, tag.abi) in mine]
    if fits:
        return "for " + ", ".join(sorted({tag.platform for tag in fits})[:3])
    return "for " + ", ".join(sorted({tag.interpreter + ("" if tag.platform == "any" else f"-{tag.platform}") for tag in name.tags})[:3])


# ---- metadata ----


@dataclass(frozen=True, slots=True)
class Metadata:
    """What METADATA says of dependencies."""
    name: str
    version: str
    requires: tuple         # Requires-Dist, as they are written
    requires_python: str
    extras: tuple

    @classmethod
    def parse(cls, data):
        """data: bytes of a METADATA file.  Raises WheelError."""
        fields = _headers(data, "METADATA")
        name, version = fields.get("name", [""])[0], fields.get("version", [""])[0]
        if not name or not version:
            raise WheelError("its METADATA has no Name or no Version")
        return cls(name, version, tuple(fields.get("requires-dist", ())), fields.get("requires-python", [""])[0],
                   tuple(fields.get("provides-extra", ())))


def _headers(data, what):
    """Fields of the head of a file in the form of an e-mail: {lower-case name: [values]}."""
    if len(data) > METADATA_MAX:
        raise WheelError(f"its {what} has more than {METADATA_MAX >> 20} MiB")
    head = re.split(rb"\r?\n[ \t]*\r?\n", data.lstrip(b"\r\n\t \xef\xbb\xbf"), maxsplit=1)[0].decode("utf-8", "replace")
    fields, last = {}, None
    lines = head.split("\n")
    if len(lines) > HEADERS_MAX:
        raise WheelError(f"its {what} has more than {HEADERS_MAX} lines of fields")
    for line in lines:
        line = line.rstrip("\r")
        if line[:1] in (" ", "\t"):
            if last is not None:
                last.append(line.strip())
            continue
        name, colon, value = line.partition(":")
        if not colon:
            last = None
            continue
        last = [value.strip()]
        fields.setdefault(name.strip().lower(), []).append(last)
    return {name: [" ".join(parts) for parts in values] for name, values in fields.items()}


# ---- contents ----


def _digest(data, algorithm="sha256"):
    return base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()


class Wheel:
    """A wheel's bytes, opened: its list of files is checked, nothing else is unpacked yet.

    filename: the name that it came under, with which its contents must agree.  Attributes name, metadata.  Raises WheelError.
    """

    def __init__(self, data, filename):
        self.name = parse_name(filename)
        self._data = data
        with _as_wheel_errors():
            self._entries = {entry.path: entry for entry in zipped.entries(data)}
        self._info = self._find_info()
        self._check_version()
        self.metadata = Metadata.parse(self._read("METADATA"))
        self._check_names(self.metadata.name, self.metadata.version, "its METADATA is of")

    @property
    def info_folder(self):
        """Name of its folder NAME-VERSION.dist-info."""
        return self._info

    def _find_info(self):
        tops = {path.partition("/")[0] for path in self._entries if "/" in path}
        found = sorted(top for top in tops if top.lower().endswith(".dist-info"))
        if len(found) != 1 or not found[0].endswith(".dist-info"):
            raise WheelError(f"it has {len(found)} folders *.dist-info, and a wheel has one" if len(found) != 1 else
                             f"its folder {found[0]!r} is not in lower case")
        stem = found[0].removesuffix(".dist-info")
        self._check_names(*stem.rpartition("-")[::2], f"its folder {found[0]!r} is of")
        data = [top for top in tops if top.lower().endswith(".data") and top != stem + ".data" and
                utils.canonicalize_name(top[:-5]) == utils.canonicalize_name(stem)]
        inside = [path.lower() for path in self._entries if path.startswith(found[0] + "/")]
        if data or len(set(inside)) != len(inside):
            raise WheelError("it has files that differ in upper and lower case only, where an installer must tell them apart")
        return found[0]

    def _check_names(self, project, version, what):
        try:
            same = utils.canonicalize_name(project) == self.name.project and versions.Version(version) == self.name.version
        except ValueError:
            same = False
        if not same:
            raise WheelError(f"{what} {project!r} {version!r}, and the wheel is called {self.name.project} {self.name.version}")

    def _check_version(self):
        said = _headers(self._read("WHEEL"), "WHEEL").get("wheel-version", [""])[0]
        if said.partition(".")[0] != "1":
            raise WheelError(f"it is a wheel of version {said[:20]!r}, and 1 is known")

    def _read(self, name):
        entry = self._entries.get(f"{self._info}/{name}")
        if entry is None:
            raise WheelError(f"it has no {self._info}/{name}")
        if entry.size > METADATA_MAX:
            raise WheelError(f"its {name} has more than {METADATA_MAX >> 20} MiB")
        with _as_wheel_errors():
            return zipped.read(self._data, entry)

    def read(self, name):
        """Text of a file in its .dist-info, such as "entry_points.txt"; "" when it has none."""
        return self._read(name).decode("utf-8", "replace") if f"{self._info}/{name}" in self._entries else ""

    @property
    def size(self):
        """Bytes of all its files."""
        return sum(entry.size for entry in self._entries.values())

    def _recorded(self):
        """{path: (algorithm, digest) or None} of its RECORD."""
        recorded = {}
        try:
            for row in csv.reader(self._read("RECORD").decode("utf-8").splitlines()):
                if row:
                    algorithm, mark, digest = row[1].partition("=") if len(row) > 1 else ("", "", "")
                    recorded[row[0].removeprefix("./")] = (algorithm, digest) if mark else None
        except (csv.Error, UnicodeDecodeError):
            raise WheelError("its RECORD cannot be read") from None
        return recorded

    def _check_record(self, path, content, recorded):
        if path.startswith(self._info + "/") and path.rpartition("/")[2] in _SIGNATURES:
            return
        said = recorded.get(path)
        if said is None:
            raise WheelError(f"its RECORD has no hash of {path!r}")
        algorithm, digest = said
        if algorithm not in HASHES:
            raise WheelError(f"its RECORD has a hash of {path!r} by {algorithm[:20]!r}: {', '.join(HASHES)} are good enough")
        if digest.rstrip("=") != _digest(content, algorithm):
            raise WheelError(f"{path!r} is not what its RECORD says: the hash differs")

    def _place(self, path):
        """Where a file is installed, as a path below site-packages."""
        data = self._info.removesuffix(".dist-info") + ".data/"
        if not path.startswith(data):
            return path, ""
        kind, slash, rest = path[len(data):].partition("/")
        if not slash or kind not in _ABOVE:
            raise WheelError(f"it has {path!r}, and an installer knows {', '.join(_ABOVE)} below {data}")
        return _ABOVE[kind] + (f"{self.name.project}/" if kind == "headers" else "") + rest, kind

    def files(self, installer="", notes=None):
        """(path below site-packages, bytes) of all that is installed, checked one by one; RECORD, made anew, is the last.

        As `pip install --target` places them: scripts are put into bin/, data where it says, headers into include/NAME/; no scripts
        are made for entry points, as there is nobody who could start one.  installer: for the file INSTALLER; notes: further
        files of the .dist-info, {name: bytes}.  Raises WheelError in the middle: who wants all or nothing takes all first.
        """
        recorded = self._recorded()
        taken, rows = set(), []
        above = set()
        added = {name: data for name, data in {"INSTALLER": f"{installer}\n".encode() if installer else None, **(notes or {})}.items() if data is not None}
        for path, entry in self._entries.items():
            with _as_wheel_errors():
                content = zipped.read(self._data, entry)
            self._check_record(path, content, recorded)
            if path.startswith(self._info + "/") and (path[len(self._info) + 1:] in _OURS or path[len(self._info) + 1:] in added):
                continue
            where, kind = self._place(path)
            if kind == "scripts":
                content = re.sub(rb"\A#!pythonw?(?=[ \r\n])", b"#!/usr/bin/env python3", content)
            parents = {where[:i] for i, c in enumerate(where) if c == "/"}
            if where in taken or where in above or not taken.isdisjoint(parents) or (kind and where.startswith(self._info + "/")):
                raise WheelError(f"two of its files are installed as {where!r}")
            taken.add(where)
            above |= parents
            rows.append((where, f"sha256={_digest(content)}", len(content)))
            yield where, content
        for name, content in added.items():
            rows.append((f"{self._info}/{name}", f"sha256={_digest(content)}", len(content)))
            yield f"{self._info}/{name}", content
        rows.append((f"{self._info}/RECORD", "", ""))
        yield f"{self._info}/RECORD", _record(rows)


def _record(rows):
    import io
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


class _as_wheel_errors:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, zipped.ZipError):
            raise WheelError(str(error)) from None
        return False
