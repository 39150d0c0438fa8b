"""Every kind of host that this machine can look like (test/escape/tiers.py): Corral finds the grade of the box that there is, names it, and
serves. Runs against builds without sanitizers, which need a wider box."""
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from conftest import finish, running
from harness import BIN, WARNING, Corral, write_project
from serve import Serve

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "escape"))

import tiers  # noqa: E402

pytestmark = [pytest.mark.apart, pytest.mark.skipif(BIN.name in ("asan", "tsan"), reason="the box is wider under sanitizers")]

STRANGERS = ("landlock", "namespaces", "unprivileged", "full")
# Why a layer is missing, in each tier where something takes it away.
REASONS = {
    "asked": r"^left out by CORRAL_TEST_BOX",
    "landlock": r"Function not implemented|Operation not permitted",
    "user": r"No space left on device|Operation not permitted",
    "uid": r"does not run as root|without a tree",
}


@pytest.fixture(params=tiers.TIERS, ids=str)
def tier(request):
    reason = request.param.can_run()
    if reason:
        pytest.skip(reason)
    return request.param


SERVES = ("root", "user", "user-no-userns", "user-chroot", "docker", "kubernetes", "unit", "unit-root", "nothing")

PROJECT = {
    "wrangler.toml": """\
name = "hello"
main = "src/entry.py"
compatibility_date = "2024-03-29"
compatibility_flags = ["python_workers", "disable_python_no_global_handlers"]
[[d1_databases]]
binding = "DB"
database_name = "main"
database_id = "0b0f8b0e-5d4b-4a4c-9f6e-2f0c6b1d7e11"
""",
    "requirements.txt": "six\n",
    "src/entry.py": """\
import six
from js import Response

async def on_fetch(request, env):
    return Response.new("%s world, %d" % (six.text_type("Hello"), (await env.DB.prepare("SELECT 40 + 2 AS n").first()).n))
""",
}


def start(tier, home):
    """A `corral dev` of a project with packages and a database, in the tier."""
    project = home / "project"
    project.mkdir()
    write_project(project, PROJECT)
    tier.own(home)
    argv, env = tier.wrap([tier.program(), "dev", "--port", "0", project], {"HOME": str(home)})
    one = Corral(project, command=argv, env=env)
    running.append(one)
    return one


def test_the_grade(tier):
    """doctor names what is there, says why the rest is not, and what to do about it."""
    said = tiers.doctor(tier=tier)
    box = said["box"]
    used = {layer["name"] for layer in box["layers"] if layer["used"]}
    assert used == tier.expected_layers()
    assert box["grade"] == tier.expected()
    assert box["strangers"] == (box["grade"] in STRANGERS)
    abi = said["kernel"]["landlock_abi"]
    assert box["signals_contained"] == bool(used & {"pids", "uid"} or ("landlock" in used and abi >= 6))
    assert [layer["name"] for layer in box["layers"]] == list(tiers.LAYERS)
    for layer in box["layers"]:
        assert bool(layer["why"]) != layer["used"], layer
        reason = "asked" if tier.name.startswith("asked") else layer["name"]
        if not layer["used"] and reason in REASONS:
            assert re.search(REASONS[reason], layer["why"]), layer
    problems = [one["text"] for one in said["problems"] if one["severity"] == "problem" and "box" in one["text"]]
    assert bool(problems) == (not box["strangers"]), said["problems"]
    if not tier.name.startswith("asked") and box["grade"] not in ("full", "unprivileged"):
        assert box["raise"], box


def test_dev_serves(tier):
    """Packages, workers and databases, each in its box; who has a weak box hears of it once, not again when something is saved."""
    with tier.home() as home:
        one = start(tier, home)
        try:
            one.wait_ready()
            assert one.get().text == "Hello world, 42"
            if tier.expected() not in STRANGERS:
                mark = one.mark()
                one.write("src/entry.py", PROJECT["src/entry.py"].replace("world", "again"))
                one.wait_log("Reloaded in", since=mark)
                assert one.get().text == "Hello again, 42"
            if tier.expected() not in STRANGERS:
                one.wait_log(WARNING + r" ?Box: ")
            warnings = [line for line in one.log_lines() if re.search(WARNING + r" ?Box: ", line)]
            assert len(warnings) == (tier.expected() not in STRANGERS), one.log_text()
            if warnings:
                assert "Box: %s (" % tier.expected() in warnings[0] and "corral doctor" in warnings[0]
            one.stop(signal.SIGTERM)
        finally:
            finish(one)


@pytest.mark.parametrize("name", SERVES)
def test_serve_serves(name):
    """Tokens, a deploy and a request; the node says what its box is, and its folder is its user's alone."""
    tier = tiers.BY_NAME.get(name, tiers.ROOT)
    reason = tier.can_run()
    if reason:
        pytest.skip(reason)
    with tier.home() as home:
        node = Serve(home / "data", wrap=tier.wrap, env={"HOME": str(home)})
        running.append(node)
        try:
            node.wait_ready()
            node.deploy("hello", "from workers import Response, WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n"
                                 "    async def fetch(self, request):\n        return Response('hello')\n")
            assert node.get("hello").text == "hello"
            assert node.api_raw("GET", "/healthz", token=False).json()["box"] == tier.expected()
            node.wait_log(r"Box: %s \(" % tier.expected())
            folder = os.stat(home / "data")
            assert folder.st_uid == tier.uid and folder.st_mode & 0o777 == 0o700
            said = tiers.doctor(("doctor", "--json", "--data", str(home / "data")), tier)
            assert said["data"]["node"]["grade"] == tier.expected() and said["data"]["may_share"] == (tier.expected() in STRANGERS)
            assert node.stop() == 0
        finally:
            finish(node)
