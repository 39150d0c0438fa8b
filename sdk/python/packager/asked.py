"""asked.py - what a project asks for: its requirements with the places where they stand, and the indexes to ask.

The collection is filled by requirements.py (requirements.txt and what it includes) and by pyproject.py.
"""
import codecs
import os
import re
import stat
import sys
from urllib.parse import quote, unquote, urlsplit

from corral.packaging.markers import default_environment
from corral.packaging.requirements import Requirement
from corral.sets import normalize

from . import mistaken
from .report import Failure, redacted

FILE_BYTES_MAX = 1 << 20        # of one file with requirements
REQUIREMENTS_MAX = 10000

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))    # `pip freeze > ...` of PowerShell
REQUIREMENT_MAX = 4096          # characters of one: what reads it takes longer than its length

# What Corral itself brings in place of these: the SDK, and parts of Python that Pyodide has as packages.
PLATFORM = frozenset("""
    workers-py workers-runtime-sdk webtypy pyodide-py pyodide-lock micropip
    hashlib lzma openssl pydecimal pydoc-data sqlite3 ssl
""".split())

# Addresses are written into a file for the installer: what comes behind a space or on a line of its own would be an option there.
ADDRESS = re.compile(r"(https?|file)://[^\s\"'\\]+")


class Mistake(Failure):
    """A requirement that cannot be. `inputs` are the files to watch until it is mended."""


class Wanted:
    """One requirement.

    text: as a line of a requirements file. name: normalized. requirement: packaging's, its marker holds here.
    file, line: where it stands. hashes: ("sha256:...", ...)."""

    __slots__ = ("text", "name", "requirement", "file", "line", "hashes")

    def __init__(self, text, requirement, file, line, hashes=()):
        self.text, self.requirement, self.file, self.line, self.hashes = text, requirement, file, line, hashes
        self.name = normalize(requirement.name)

    def is_met_by(self, version, is_pre=False):
        """Whether this version will do. is_pre: pre-releases are welcome."""
        if self.requirement.url or self.hashes:
            return False
        if not self.requirement.specifier:
            return True
        try:
            return self.requirement.specifier.contains(version, prereleases=is_pre or None)
        except ValueError:
            return False

    def as_line(self):
        """For a requirements file of pip's, without the marker."""
        r = self.requirement
        extras = f"[{','.join(sorted(r.extras))}]" if r.extras else ""
        line = f"{r.name}{extras} @ {r.url}" if r.url else f"{r.name}{extras}{r.specifier}"
        return " ".join([line, *(f"--hash={h}" for h in self.hashes)])


class Asked:
    """All that a project asks for.

    project: its folder. wanted: of Wanted. constraints: likewise. files: what was read, absolute, also what is not there yet.
    is_confined: a stranger has uploaded it, so that it sees neither files outside of itself nor variables of this process.
    network: network.Network, whom it may ask; None: anybody.
    notes: fields of warnings. index_url, extra_index_urls, find_links, no_index, pre, trusted_hosts: as pip's options."""

    def __init__(self, project, is_confined=False, network=None):
        self.project, self.is_confined, self.network = project, is_confined, network
        self.wanted, self.constraints, self.files, self.notes = [], [], [], []
        self.index_url, self.extra_index_urls, self.find_links, self.trusted_hosts = "", [], [], []
        self.no_index = self.pre = False

    def shown(self, path):
        """A file's name for people: as it is seen from the project."""
        inside = os.path.relpath(path, self.project)
        return path if inside.startswith("..") and len(inside) > len(path) else inside

    def warn(self, text, hint="", file="", line=0):
        self.notes.append({"text": text, "hint": hint, "file": self.shown(file) if file else "", "line": line})

    def mistake(self, text, hint="", file="", line=0, detail=""):
        """To raise."""
        return Mistake(redacted(text), redacted(hint), self.shown(file) if file else "", line, detail)

    def may_see(self, path):
        if not self.is_confined:
            return True
        try:
            base = os.path.realpath(self.project)
            return os.path.commonpath((base, os.path.realpath(path))) == base
        except (OSError, ValueError):       # a path that cannot be
            return False

    def check_path(self, path, said, file="", line=0):
        """Before anything is said of what is there. Mistake: it is none of this project's business."""
        if not self.may_see(path):
            raise self.mistake(f"'{said}' leads out of what was uploaded", "upload the file with the worker, and name it as it is seen from there",
                               file, line)

    def check_address(self, url, file="", line=0):
        """Likewise of an address, which may be one of a file."""
        scheme, _, rest = url.partition(":")
        if self.is_confined and scheme.lower() == "file":
            host, slash, path = rest.removeprefix("//").partition("/")
            self.check_path(slash + unquote(path) if not host and rest.startswith("//") else "/", redacted(url), file, line)
        elif self.network is not None and not self.network.may_name(url):
            raise self.mistake(f"'{redacted(url)}' is no place where packages may come from on this node",
                               "upload the wheel with the worker, and name its path; or whoever runs the node names the index: "
                               "[packages] indexes in its corral.toml", file, line)

    def read(self, path):
        """The text of a file with requirements; None: there is none. It is watched from now on."""
        self.check_path(path, self.shown(path))
        if path not in self.files:
            self.files.append(path)
        try:
            # A terminal, or a pipe, would be waited for.
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), "rb") as f:
                if not stat.S_ISREG(os.fstat(f.fileno()).st_mode):
                    raise self.mistake(f"'{self.shown(path)}' is no file with text", file=path)
                data = f.read(FILE_BYTES_MAX + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as e:
            raise self.mistake(f"'{self.shown(path)}' cannot be read: {e.strerror}", file=path) from None
        except ValueError as e:         # a path that cannot be
            raise self.mistake(f"'{self.shown(path)}' cannot be read: {e}", file=path) from None
        if len(data) > FILE_BYTES_MAX:
            raise self.mistake(f"'{self.shown(path)}' is larger than {FILE_BYTES_MAX >> 20} MiB",
                               "is it a list of packages?", file=path)
        try:
            return data.decode(next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8"))
        except UnicodeDecodeError as e:
            line = data.count(b"\n", 0, e.start) + 1
            raise self.mistake(f"'{self.shown(path)}' is not text in UTF-8", "save it as UTF-8", path, line) from None

    def add(self, text, file, line, hashes=(), is_constraint=False):
        """One requirement of PEP 508. Mistake: it is none."""
        if len(text) > REQUIREMENT_MAX:
            raise self.mistake(f"a requirement has {len(text)} characters, and {REQUIREMENT_MAX} are read: '{text[:60]} ...'", file=file, line=line)
        try:
            requirement = Requirement(text)
            applies = requirement.marker is None or requirement.marker.evaluate({**default_environment(), "extra": ""})
        except (ValueError, RecursionError) as e:       # what packaging does not take, and what it has not thought of
            said = "it is nested too deeply" if isinstance(e, RecursionError) else str(e).splitlines()[0].rstrip(": ")
            raise self.mistake(f"'{text}' is no requirement: {said}", mistaken.how(text), file, line) from None
        if not applies:
            return
        if normalize(requirement.name) in PLATFORM:
            return
        if len(self.wanted) + len(self.constraints) >= REQUIREMENTS_MAX:
            raise self.mistake(f"more than {REQUIREMENTS_MAX} requirements", file=file, line=line)
        if requirement.url:
            self.check_url(requirement.url, requirement.name, file, line)
        wanted = Wanted(text, requirement, file, line, tuple(hashes))
        (self.constraints if is_constraint else self.wanted).append(wanted)

    def check_url(self, url, name, file, line):
        """Only wheels can come from an address."""
        path = url.partition("#")[0].partition("?")[0]
        if re.match(r"(git|hg|svn|bzr)\+", url):
            raise self.mistake(
                f"'{name or url}' is to come from a repository, and would have to be built", _BUILD_IT, file, line)
        if not path.endswith(".whl"):
            raise self.mistake(
                f"'{name or url}' is to come from '{redacted(url)}', which is no wheel (.whl): it would have to be built",
                _BUILD_IT, file, line)
        if not is_address(url):
            raise self.mistake(f"'{redacted(url)}' is no address of http, https or file", file=file, line=line)
        self.check_address(url, file, line)


_BUILD_IT = ("building runs the package's own code on this machine: build a wheel yourself, `pip wheel --no-deps ADDRESS`, "
             "and name the wheel's path here")


def is_address(url):
    """See ADDRESS."""
    try:
        return bool(ADDRESS.fullmatch(url) and urlsplit(url))
    except ValueError:
        return False


def as_word(path):
    """A path for the installer's file, see ADDRESS."""
    return path if re.fullmatch(r"[^\s\"'\\]+", path) else "file://" + quote(path)


def python_version():
    return "%d.%d.%d" % sys.version_info[:3]
