"""installer.py - let uv, or else pip, install wheels from an index into a folder.

Both install into a virtual environment that is made for the purpose, of three files, with nothing in it but the metadata of what the
worker gets from elsewhere (the package set, python_modules/): so that counts as installed, and is not installed again. The user's
configuration files are not read; which index to ask can be said in requirements.txt or by the variables of either program.
"""
import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.machinery import PathFinder

from corral import pypi

from . import network, report
from .report import Failure, redacted

OUTPUT_BYTES_MAX = 4 << 20          # of what the installer says

# pip keeps to --only-binary for what comes from an index, not for addresses that a wheel's metadata names: those it would build,
# and that begins with a program, of which it needs none to install wheels.
BUILDS_NOTHING = "corral lets nothing be built"
_ONLY_INSTALL = f"""
import os, runpy, sys
def refuse(event, args):
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.fork", "os.forkpty"):
        if event != "subprocess.Popen" or os.path.basename(str(args[0])) != "keyring":
            raise PermissionError("{BUILDS_NOTHING}")
sys.addaudithook(refuse)
names = {{"__name__": "network"}}
exec(os.environ.pop("{network.CODE}", "def guard_as_told(): pass"), names)
names["guard_as_told"]()
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)

# Of the user's environment: where they are, and how the network is reached.
_PASSED_ON = frozenset("""
    PATH HOME USER LOGNAME LANG SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NETRC
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
    PIP_CERT PIP_CLIENT_CERT PIP_PROXY PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT PIP_TIMEOUT PIP_RETRIES PIP_KEYRING_PROVIDER
    UV_HTTP_TIMEOUT UV_NATIVE_TLS UV_SYSTEM_CERTS UV_INSECURE_HOST UV_KEYRING_PROVIDER UV_CONCURRENT_DOWNLOADS
""".split())


@dataclass
class Indexes:
    """Where to look for wheels."""
    url: str = pypi.URL
    extra: list = field(default_factory=list)
    find_links: list = field(default_factory=list)
    no_index: bool = False
    trusted_hosts: list = field(default_factory=list)
    pre: bool = False

    def shown(self):
        """For people."""
        return redacted("its wheels in " + ", ".join(self.find_links) if self.no_index else self.url)

    def lines(self):
        """As options of a requirements file."""
        found = ["--no-index"] if self.no_index else [f"--index-url {self.url}"]
        found += [f"--extra-index-url {url}" for url in self.extra if not self.no_index]
        found += [f"--find-links {place}" for place in self.find_links]
        return found + ["--pre"] * self.pre

    def urls(self):
        return [] if self.no_index else [self.url, *self.extra]


def _variable(*names):
    return next((os.environ[name].strip() for name in names if os.environ.get(name, "").strip()), "")


def named_by_environment():
    """Addresses that the variables of pip and uv name, and the default one."""
    found = [pypi.URL]
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INDEX", "PIP_FIND_LINKS",
                 "UV_FIND_LINKS"):
        for word in os.environ.get(name, "").replace(",", " ").split():
            found.append(word.rpartition("=")[2] if "://" not in word.partition("=")[0] else word)
    return [url for url in found if url.startswith(("http://", "https://"))]


def indexes(asked):
    """What requirements.txt says goes before what the variables of pip and uv say."""
    uv_more = [word.rpartition("=")[2] if "://" not in word.partition("=")[0] else word for word in _variable("UV_INDEX").split()]
    return Indexes(
        url=asked.index_url or _variable("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL") or pypi.URL,
        extra=asked.extra_index_urls or _variable("PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL").split() or uv_more,
        find_links=asked.find_links or _variable("PIP_FIND_LINKS", "UV_FIND_LINKS").replace(",", " ").split(),
        no_index=asked.no_index or _variable("PIP_NO_INDEX", "UV_NO_INDEX").lower() in ("1", "true", "yes", "on"),
        trusted_hosts=asked.trusted_hosts, pre=asked.pre)


# ---- programs ----


def python_program():
    """The interpreter of the version that workers run."""
    name = "python%d.%d" % sys.version_info[:2]
    program = os.path.join(sys.prefix, "bin", name)
    if not os.access(program, os.X_OK):
        raise Failure(f"there is no {program} to install packages with", f"install {name}, or put the packages into python_modules/")
    return program


def _pip_runner():
    version = "python%d.%d" % sys.version_info[:2]
    places = ["/usr/lib/python3/dist-packages", f"/usr/local/lib/{version}/dist-packages", f"/usr/local/lib/{version}/site-packages",
              os.path.join(sys.prefix, "lib", version, "site-packages")]
    for place in places:
        spec = PathFinder.find_spec("pip", [place])
        runner = spec and spec.origin and os.path.join(os.path.dirname(spec.origin), "__pip-runner__.py")
        if runner and os.path.isfile(runner):
            return runner
    return None


class Tool:
    """uv or pip. name: which. program: its file."""

    def __init__(self, rules=None):
        """rules: network.Network, which pip alone can be bound to."""
        self.python, self.rules = python_program(), rules
        uv = shutil.which("uv") if rules is None else None
        runner = None if uv else _pip_runner()
        self.name = "uv" if uv else "pip"
        if not uv and runner is None:
            raise Failure("neither uv nor pip is there to install packages with" if rules is None else
                          "pip is not there to install packages with, and uv cannot be kept from addresses",
                          "install one of them: apt install python3-pip, or uv from https://docs.astral.sh/uv")
        self.program = uv or runner

    def command(self, venv, requirements, constraints, cache, sources, has_hashes):
        python = os.path.join(venv, "bin", "python")
        shared = ["--only-binary", ":all:", "-r", requirements, "-c", constraints] + ["--require-hashes"] * has_hashes
        if self.name == "uv":
            hosts = [word for host in sources.trusted_hosts for word in ("--allow-insecure-host", host)]
            return [self.program, "pip", "install", "--python", python, "--no-config", "--no-python-downloads", "--color", "never",
                    "--no-progress", "--link-mode", "copy", "--index-strategy", "unsafe-best-match",
                    "--cache-dir", os.path.join(cache, "uv"), *shared, *hosts] + ["--prerelease", "allow"] * sources.pre
        hosts = [word for host in sources.trusted_hosts for word in ("--trusted-host", host)]
        quiet = [word for name, words in (("PIP_RETRIES", ["--retries", "2"]), ("PIP_DEFAULT_TIMEOUT", ["--timeout", "15"]))
                 if name not in os.environ for word in words]
        return [python, "-I", "-c", _ONLY_INSTALL, self.program, "install", "--no-color", "--no-input", "--disable-pip-version-check", "--no-compile",
                "--no-warn-script-location", "--no-warn-conflicts", "--root-user-action", "ignore", "--progress-bar", "off",
                "--cache-dir", os.path.join(cache, "pip"), *quiet, *shared, *hosts]

    def environment(self, scratch):
        found = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("LC_")}
        found.update(self.rules.environment() if self.rules is not None else {})
        return {**found, "TMPDIR": scratch, "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "PYTHONNOUSERSITE": "1"}


# ---- one installation ----


def make_venv(folder, python):
    """Its site-packages."""
    version = "python%d.%d" % sys.version_info[:2]
    site = os.path.join(folder, "lib", version, "site-packages")
    os.makedirs(site)
    os.mkdir(os.path.join(folder, "bin"))
    with open(os.path.join(folder, "pyvenv.cfg"), "w", encoding="utf-8") as f:
        f.write(f"home = {os.path.dirname(python)}\ninclude-system-site-packages = false\nversion = %d.%d.%d\n" % sys.version_info[:3])
    for name in ("python", "python3", version):
        os.symlink(python, os.path.join(folder, "bin", name))
    return site


def pretend(site, name, version, metadata):
    """Make a distribution count as installed, by the text of its METADATA. The name of the folder, to remove it again."""
    target = os.path.join(site, f"{re.sub(r'[-_.]+', '_', name)}-{version}.dist-info")
    os.mkdir(target)
    for file, text in (("METADATA", metadata), ("RECORD", ""), ("INSTALLER", "corral\n")):
        with open(os.path.join(target, file), "w", encoding="utf-8") as f:
            f.write(text)
    return target


class Refused(Exception):
    """The installer ended with an error; output: what it said."""

    def __init__(self, output):
        super().__init__(output[-200:])
        self.output = output


def _die_with_us():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def run(tool, command, scratch, watch):
    """Run it to its end; watch(line) is told every line. Refused: it failed.

    scratch: a folder for what it downloads and unpacks; whoever kills it removes that.
    """
    kept, size = [], 0
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/",
                               env=tool.environment(scratch), preexec_fn=_die_with_us, text=True, errors="replace")
    with process.stdout:
        try:
            for line in process.stdout:
                size += len(line)
                if size <= OUTPUT_BYTES_MAX:
                    kept.append(line)
                watch(line.strip())
        except BaseException:
            _end(process)
            raise
    if process.wait() != 0:
        raise Refused("".join(kept))


def _end(process):
    """Where nothing keeps signals in, the box lets none out (src/box/confine.c): then it ends when we do."""
    with contextlib.suppress(OSError):
        process.kill()
        process.wait()


_LACKS_EXTRA = re.compile(r"(?i)warning: +((?:The package )?\S+.*? does not (?:provide the extra|have an extra named) .*)")
_SAID = re.compile(r"(?:Downloading|Using cached|Preparing|Installing|Installed|Resolved|Prepared)\b.*")
_SIZE = re.compile(r"Downloading \S*?([^/\s]+\.whl) \(([\d.]+) ([kMG]?)B\)")
_UNITS = {"": 1, "k": 1000, "M": 1000 ** 2, "G": 1000 ** 3}


class Watcher:
    """Passes on what people want to know, and ends what grows too large before all of it is there."""

    def __init__(self, limit_bytes):
        self.limit_bytes, self.sizes = limit_bytes, {}

    def __call__(self, line):
        size = _SIZE.match(line)
        if size:
            self.sizes[size[1]] = float(size[2]) * _UNITS[size[3]]
            if sum(self.sizes.values()) > self.limit_bytes:
                raise too_large(sum(self.sizes.values()), self.sizes, self.limit_bytes, "packed ")
        lacks = _LACKS_EXTRA.match(line)
        if lacks:
            report.warning(redacted(lacks[1][:200]), "nothing is installed for it: check its name")
        if _SAID.match(line):
            line = re.sub(r"^Downloading https?://\S*/", "Downloading ", line)
            report.progress(redacted(line if len(line) < 200 else line[:200] + " ..."))


def too_large(total, sizes, limit_bytes, kind=""):
    biggest = sorted(sizes.items(), key=lambda item: -item[1])[:3]
    return Failure(f"the packages are larger than {limit_bytes >> 20} MiB: {kind}{total / (1 << 20):.0f} MiB",
                   "the biggest are " + ", ".join(f"{name} ({size / (1 << 20):.1f} MiB)" for name, size in biggest) +
                   "; what the package set has does not count")
