"""The README's steps about a node, and those at the top of docs/deploy.md, typed as they stand there."""
import os
import re
import signal
import subprocess

import pytest

from harness import BIN, ROOT, until
from test_readme_d1 import home, network, typed  # noqa: F401

pytestmark = pytest.mark.skipif(BIN != ROOT / "build/rel", reason="the README is about build/rel")


def steps(page, title):
    section = re.search(r"^## %s\n(.*?)^## " % re.escape(title), (ROOT / page).read_text(), re.M | re.S)[1]
    return re.sub(r"^    ", "", "".join(re.findall(r"(?:^    .*\n)+", section, re.M)), flags=re.M).splitlines()


@pytest.mark.parametrize("page, title", [("README.md", "A node"), ("docs/deploy.md", "In five minutes, on one machine")])
def test_steps_about_a_node(page, title, network, home):
    lines = steps(page, title)
    assert lines[0].startswith("corral serve --data ./data")
    env = dict(os.environ, PATH="%s:%s" % (BIN, os.environ["PATH"]), HOME=str(home))
    log = home / "log"
    with open(log, "w") as out:
        node = subprocess.Popen([*network, *lines[0].rstrip(" &").split()], cwd=home, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: "it is ready: " + log.read_text(), lambda: "API on " in log.read_text())
        said = typed(network, "\n".join(lines[1:]), home, env)
    finally:
        node.send_signal(signal.SIGTERM)
        node.wait()
    assert "Current Version ID: " in said and "http://hello.me.localhost:8787" in said
    assert "Hello" in said.splitlines()[-1], said
