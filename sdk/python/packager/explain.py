"""explain.py - why uv or pip could not install something, for the person who asked for it.

What they say is looked through for the kinds of failure that there are; what the index has is then asked once more, by ourselves.
"""
import functools
import operator
import re
import ssl
import sysconfig
import urllib.error
import urllib.request

from corral import index, sets
from corral.packaging.tags import sys_tags
from corral.packaging.utils import parse_wheel_filename

from . import mistaken, needs
from .network import REFUSED
from .asked import _BUILD_IT, python_version
from .installer import BUILDS_NOTHING
from .report import redacted

ASK_S = 15          # for a page of an index
SAID_LINES = 12     # of what pip said, in an error

_CONNECTION = re.compile(
    r"Failed to establish a new connection|NewConnectionError|Max retries exceeded|ConnectTimeoutError|ReadTimeoutError|"
    r"Name or service not known|Temporary failure in name resolution|Connection refused|Network is unreachable|"
    r"error sending request|client error \(Connect\)|dns error|tcp connect error|operation timed out|ProxyError|"
    r"RemoteDisconnected|Connection aborted|connection error", re.IGNORECASE)
_CERTIFICATE = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|invalid peer certificate")
_BUILDS = re.compile(rf"{BUILDS_NOTHING}|No permission to execute '(?:git|hg|svn|bzr)'")
_KEPT = re.compile(rf"{REFUSED}: (\S+?:\d+)")
_COLLECTING = re.compile(r"^Collecting (\S+)", re.MULTILINE)
_HTTP = re.compile(r"\b(401|403|407|429|5\d\d) (?:Client|Server) Error|status (?:client|server) error \((\d{3})")
_MISSING = re.compile(r"No matching distribution found for ([^\s(]+)|Because (?:there (?:is|are) no versions? of|only) ([^\s]+)|"
                      r"Because ([A-Za-z0-9._-]+) was not found in the package registry|([A-Za-z0-9._-]+) has no wheels")
_FROM = re.compile(r"Could not find a version that satisfies the requirement [^(]*\(from (?!versions:)([^)\s]+)[^)]*\)")
_HASH = re.compile(r"([A-Za-z0-9._-]+(?:==[^\s]+)?) from (\S+)(?: \(from [^\n]*\))?:\s*\n\s*Expected (\S+) (\w+)(?:[\s\S]*?)Got\s+(\w+)")
_UNHASHED = re.compile(r"^\s*([A-Za-z0-9._-]+\S*?)(?: from \S+)? --hash=", re.MULTILINE)
_BAD_WHEEL = re.compile(r"(\S+\.whl) is not a supported wheel on this platform|(\S+\.whl).*?not compatible")


def is_conflict(output):
    """Whether versions contradict each other, and not something else is wrong."""
    if "No solution found" in output:       # uv says so of all that it cannot find, too
        return not re.search(r"was not found in the|no wheels|no usable wheels|hash", output)
    return bool(re.search(r"ResolutionImpossible|Cannot install .* because", output)) and not _CONNECTION.search(output)


def _normal(text):
    return sets.normalize(re.split(r"[\[<>=!~;@ ]", text.strip("'\"`:,."), 1)[0])


class Explainer:
    """asked, choice, package_set, sources: of this environment. tool: "uv" or "pip"."""

    def __init__(self, asked, choice, package_set, sources, tool):
        self.asked, self.choice, self.package_set, self.sources, self.tool = asked, choice, package_set, sources, tool

    def explain(self, output):
        """A Failure."""
        for look in (self._kept, self._built, self._hashes, self._certificate, self._missing, self._connection, self._refused, self._bad_wheel, self._conflict, self._disk):
            failure = look(output)
            if failure is not None:
                failure.detail = output
                return failure
        return self._failure(f"{self.tool} could not install {self.names()}", self._said(output), detail=output)

    # ---- words ----

    def _failure(self, text, hint, name="", detail=""):
        wanted = next((w for w in self.asked.wanted if name and w.name == name), None)
        if wanted is None and len(self.choice.unmet) == 1:
            wanted = self.choice.unmet[0][0]
        return self.asked.mistake(text, hint, wanted.file if wanted else "", wanted.line if wanted else 0, detail)

    def names(self, limit=5):
        """What is to come from the index."""
        names = list(dict.fromkeys(w.as_line().partition(" --hash")[0] for w, _ in self.choice.unmet)) or ["the packages"]
        return redacted(", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else ""))

    def _said(self, output):
        lines = [line.rstrip() for line in output.splitlines() if line.strip() and not line.startswith(("Collecting", "  Downloading"))]
        return f"{self.tool} said:\n" + redacted("\n".join("  " + line[:300] for line in lines[-SAID_LINES:]))

    def _reason(self, name):
        """What the set has instead, as a sentence's part, or ""."""
        return next((reason for wanted, reason in self.choice.unmet if wanted.name == name and reason), "")

    # ---- kinds ----

    def _built(self, output):
        if not _BUILDS.search(output):
            return None
        last = _COLLECTING.findall(output)
        name = _normal(last[-1]) if last else "a package"
        return self._failure(f"'{name}', which one of the packages asks for, would have to be built, and only wheels are installed",
                             f"{_BUILD_IT}\n{self._said(output)}", name)

    def _kept(self, output):
        match = _KEPT.search(output)
        return match and self._failure(f"{self.names()}: what leads to them goes by way of {match[1]}, and this node lets no package come from there",
                                       "upload the wheels with the worker; or whoever runs the node opens it: [fetch] allow in its corral.toml")

    def _connection(self, output):
        return self._unreachable() if _CONNECTION.search(output) else None

    def _unreachable(self):
        reasons = list(dict.fromkeys(reason for _, reason in self.choice.unmet if reason))
        has = (reasons[0][:1].upper() + reasons[0][1:] + ". ") if len(reasons) == 1 else ""
        meant = "".join(f"{said} " for said in (mistaken.meant(w.name, self.package_set) for w, _ in self.choice.unmet) if said)
        listing = f"corral packages list {self.package_set.name}" if self.package_set is not None else "corral packages list"
        return self._failure(
            f"{self.names()} {'is' if len(self.choice.unmet) == 1 else 'are'} to come from the package index {self.sources.shown()}, which cannot be reached",
            f"{meant}{has}Without network: name the packages without versions where the package set has them ({listing}), "
            "put them into python_modules/, or name another index (--index-url in requirements.txt). "
            "With network, `corral packages sync DATE` fetches the set of a date once.",
            self.choice.unmet[0][0].name if self.choice.unmet else "")

    def _certificate(self, output):
        if not _CERTIFICATE.search(output):
            return None
        return self._failure(f"the certificate of the package index {self.sources.shown()} is not trusted",
                             "name the file of its authority: SSL_CERT_FILE=/path/to/ca.pem corral dev")

    def _refused(self, output):
        match = _HTTP.search(output)
        return self._answered(match[1] or match[2]) if match else None

    def _answered(self, status, name=""):
        return self._failure(f"the package index {self.sources.shown()} answered {status}, and was asked for {self.names()}",
                             "check its address and, where it wants them, name and password (~/.netrc); or try again later", name)

    def _hashes(self, output):
        match = _HASH.search(output)
        if match:
            name = _normal(match[1])
            return self._failure(f"{match[1]} has another hash than the one that is asked for: {match[5]}",
                                 f"{match[3]} {match[4]} was asked for, and {redacted(match[2])} is something else: do not use it unless you know why",
                                 name)
        if "Hash mismatch" in output:
            return self._failure(f"a package has another hash than the one that is asked for: {self.names()}", self._said(output))
        if "--require-hashes mode" in output or "require-hashes" in output:
            names = list(dict.fromkeys(_UNHASHED.findall(output)))
            return self._failure(
                f"where one requirement has a hash, all need one, with their dependencies: {', '.join(names[:10]) or 'some have none'}",
                "`pip-compile --generate-hashes` or `uv pip compile --generate-hashes` writes such a file", _normal(names[0]) if names else "")
        return None

    def _bad_wheel(self, output):
        match = _BAD_WHEEL.search(output)
        if not match:
            return None
        wheel = (match[1] or match[2]).rsplit("/", 1)[-1]
        return self._failure(f"{wheel} is not for Python {python_version()} on {_platform()}",
                             "name a wheel for this platform, or the package by name and version alone", _normal(wheel.partition("-")[0]))

    def _conflict(self, output):
        said = re.search(r"Cannot install (.*?) because", output)
        if said or "ResolutionImpossible" in output or "No solution found" in output:
            lines = re.search(r"The conflict is caused by:\n((?:[ \t]+\S.*\n)+)", output)
            if not lines:
                return self._failure(f"the requirements contradict one another: {self.names()}", self._said(output))
            words = re.findall(r"^\s+(?:The user requested (?:\(constraint\) )?)?(\S+(?: \d\S*(?= depends))?)", lines[1], re.MULTILINE)
            names = list(dict.fromkeys(words))
            return self._failure(f"the requirements contradict one another: {', '.join(names[:6])}",
                                 redacted(lines[1].rstrip()) + "\n  loosen or remove one of the versions",
                                 next((name for name in map(_normal, names) if any(w.name == name for w in self.asked.wanted)), ""))
        return None

    def _disk(self, output):
        if "No space left on device" in output or "Disk quota exceeded" in output:
            return self._failure(f"there is no room on the disk to install {self.names()}", "make room, and save the file again")
        return None

    # ---- what the index does not have ----

    def _missing(self, output):
        match = _MISSING.search(output)
        if not match or (_CONNECTION.search(output) and "from versions: none" in output):
            return None
        spec = next(group for group in match.groups() if group)
        name = _normal(spec)
        if not name or (self.tool == "uv" and "conflict" in output):
            return None
        files = self._files(name)
        parent = _FROM.search(output)
        needed = f", which {_normal(parent[1])} needs," if parent and _normal(parent[1]) != name and not parent[1].startswith(("-r", "/")) else ""
        at = name if any(w.name == name for w in self.asked.wanted) else _normal(parent[1]) if parent else name
        if files is None:
            return self._answered(self.status, at) if self.status else self._unreachable() if self.sources.urls() else None
        return self._say_missing(name, spec.rstrip(".:,"), needed, at, files)

    def _say_missing(self, name, spec, needed, at, files):
        specifier = self._specifier(name, spec)
        fitting = [f for f in files if specifier is None or specifier.contains(f.version, prereleases=True)]
        where = self.sources.shown()
        reason = self._reason(name)
        if not files:
            return self._failure(f"{where} has no package {name}{needed.rstrip(',')}",
                                 mistaken.meant(name, self.package_set) or "check the name, or name the index that has it: --index-url in requirements.txt", at)
        lines = [w for w in (*self.asked.wanted, *self.asked.constraints) if w.name == name]
        if not fitting and len({str(w.requirement.specifier) for w in lines}) > 1 and not needed:
            places = "; ".join(f"{w.as_line().partition(' --hash')[0]} ({self.asked.shown(w.file)}:{w.line})" for w in lines[:6])
            return self._failure(f"no {name} is all that is asked for: {places}" + (f"; {reason}" if reason else ""),
                                 f"loosen or remove one of them; {where} has {', '.join(str(v) for v in sorted({f.version for f in files}, reverse=True)[:8])}", at)
        if not fitting:
            versions = sorted({f.version for f in files}, reverse=True)
            return self._failure(f"{where} has no {spec}{needed.rstrip(',')}" + (f"; {reason}" if reason else ""),
                                 f"it has {', '.join(str(v) for v in versions[:8])}" + (f" and {len(versions) - 8} older" if len(versions) > 8 else ""), at)
        wheels = [f for f in fitting if f.kind == "wheel"]
        if wheels:
            last = max(f.version for f in wheels)
            return self._failure(f"{spec}{needed} has no wheel for Python {python_version()} on {_platform()}" + (f"; {reason}" if reason else ""),
                                 f"{where} has {', '.join(f.name for f in wheels if f.version == last)}", at)
        source = max(fitting, key=lambda f: f.version)
        usable = sorted({f.version for f in files if f.kind == "wheel" and _is_usable(f.name)}, reverse=True)
        other = f"; or ask for a version that has one: {', '.join(f'{name}=={v}' for v in usable[:3])}" if usable else ""
        meant = mistaken.meant(name, self.package_set) if not needed else ""
        return self._failure(f"{spec}{needed} comes as source alone ({source.name}), without a wheel",
                             (meant + " " if meant else "") + "Corral builds nothing: building runs the package's code on this machine, outside of every box. If you trust it, build "
                             f"the wheel yourself, `pip wheel --no-deps {name}=={source.version}`, and write its path into requirements.txt{other}", at)

    def _specifier(self, name, spec):
        found = [w.requirement.specifier for w in (*self.asked.wanted, *self.asked.constraints) if w.name == name]
        if found:
            return functools.reduce(operator.and_, found)
        need = needs.parse(spec)
        return need.specifier if need is not None else None

    def _files(self, name):
        """What the indexes have of this package; None: they do not say."""
        found, is_asked, self.status = [], False, 0
        for url in self.sources.urls():
            request = urllib.request.Request(index.project_url(url, name), headers={"Accept": index.ACCEPT})
            try:
                with urllib.request.urlopen(request, timeout=ASK_S, context=ssl.create_default_context()) as answer:
                    body = answer.read(index.PAGE_MAX + 1)
                    found += index.parse(body, answer.headers.get("content-type", ""), answer.url, name)
                    is_asked = True
            except urllib.error.HTTPError as e:
                is_asked |= e.code == 404
                self.status = e.code
            except (OSError, ValueError):
                continue
        return found if is_asked else None


def _platform():
    return sysconfig.get_platform()


def _is_usable(file):
    try:
        tags = parse_wheel_filename(file)[3]
    except ValueError:
        return False
    return not tags.isdisjoint(sys_tags())
