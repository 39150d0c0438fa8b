"""The README's steps about databases, typed exactly as they stand there.

They use port 8787, so they run in a network of their own, where it is free.
"""
import os
import re
import shutil
import signal
import subprocess

import pytest

from harness import BIN, DEADLINE, ROOT, until

pytestmark = pytest.mark.skipif(BIN != ROOT / "build/rel", reason="the README is about build/rel")

SECTION = re.search(r"^## A database\n(.*?)^## ", (ROOT / "README.md").read_text(), re.M | re.S).group(1)
STEPS = [re.sub(r"^    ", "", block, flags=re.M) for block in re.findall(r"(?:^    .*\n)+", SECTION, re.M)]


@pytest.fixture
def network():
    """argv before a command: a network namespace that has but a loopback."""
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec cat"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if holder.stdout.readline() != "up\n":
        pytest.skip("no network of its own to be had: " + holder.communicate()[1])
    yield ["nsenter", "--net=/proc/%d/ns/net" % holder.pid, "--"]
    holder.communicate()


@pytest.fixture
def home(tmp_path):
    """What the steps need of a clone, in a folder of its own."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".corral"))
    (tmp_path / "build").mkdir()
    (tmp_path / "build/rel").symlink_to(BIN)
    return tmp_path


def typed(network, lines, folder, env=None):
    done = subprocess.run([*network, "bash", "-e"], input=lines, cwd=folder, env=env, text=True, timeout=3 * DEADLINE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_steps_about_databases(network, home):
    assert len(STEPS) == 3 and STEPS[0].endswith("\ncorral dev\n")
    log = home / "log"
    with log.open("w") as out:
        dev = subprocess.Popen([*network, "bash", "-ec", STEPS[0].replace("\ncorral dev\n", "\nexec corral dev\n")], cwd=home, stdin=subprocess.DEVNULL,
                               stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: "it serves:\n" + log.read_text(), lambda: "Ready on http://localhost:8787" in log.read_text() or dev.poll() is not None)
        said = typed(network, STEPS[1], home)
        assert '"title":"坊っちゃん"' in said.replace(" ", "") and said.count("夏目漱石") == 2, said
        env = {**os.environ, "PATH": "%s:%s" % (home / "build/rel", os.environ["PATH"])}
        said = typed(network, STEPS[2], home / "shelf", env)
        assert "坊っちゃん" in said and "loans" in said and "bookshelf" in said, said
        assert 'binding = "LOANS"' in (home / "shelf/wrangler.toml").read_text()
    finally:
        dev.send_signal(signal.SIGTERM)
        assert dev.wait(DEADLINE) == 0, log.read_text()
