"""Packages of npm, by name, each set of them installed once into build/npm.

Without npm, or where it reaches no registry, the tests that need them are skipped with a line that says so.
"""
import fcntl
import re
import shutil
import subprocess

import pytest

from harness import ROOT

SECONDS = 300
TELLING = re.compile(r"npm (?:error|ERR!) ?(.*)")


def install(folder, what, *packages):
    """node_modules with the packages, in this folder below build/; `what` is who needs them, for people."""
    folder = ROOT / "build" / folder
    npm = shutil.which("npm")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Test suites of two builds may run side by side.
        if not (folder / "ready").exists():
            if not npm:
                pytest.skip("%s: npm is not installed" % what)
            (folder / "package.json").write_text("{}")
            try:
                done = subprocess.run([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages], cwd=folder, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                pytest.skip("%s: npm did not finish within %d s" % (what, SECONDS))
            if done.returncode:
                pytest.skip("%s: npm cannot install it: %s" % (what, "; ".join(TELLING.findall(done.stdout))[:300]))
            (folder / "ready").touch()
    return folder / "node_modules"


def files(*packages, without=()):
    """{"node_modules/...": bytes} for a project; without: patterns of what it does not need."""
    at = install("npm/" + "+".join(re.sub(r"[^\w.-]", "_", one) for one in packages), packages[0], *packages)
    return {str(path.relative_to(at.parent)): path.read_bytes() for path in at.rglob("*")
            if path.is_file() and not any(path.match(pattern) for pattern in without)}
