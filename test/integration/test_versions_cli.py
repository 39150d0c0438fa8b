"""corral versions, deployments, rollback, delete: which code answers, and what came before."""
import json
import re

import pytest

from commands import Commands
from harness import write_project


UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
CONFIG = 'name = "%s"\nmain = "src/entry.py"\ncompatibility_date = "2025-01-01"\ncompatibility_flags = ["python_workers"]\n'
CODE = """\
from js import Response

def on_fetch(request, env):
    return Response.new("%s" + getattr(env, "TOKEN", ""))
"""


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture
def cli(node, tmp_path):
    return Commands(tmp_path, tmp_path / "home", node)


@pytest.fixture
def project(cli, tmp_path, request):
    """A deployed worker "one", and its project in the current folder."""
    name = re.sub("[^a-z]", "-", request.node.name)[:40].strip("-")
    folder = write_project(tmp_path / name, {"wrangler.toml": CONFIG % name + '[vars]\nA = "1"\n', "src/entry.py": CODE % "one"})
    cli.folder = folder
    cli("deploy", "-m", "the first")
    return name


def change(cli, text):
    (cli.folder / "src/entry.py").write_text(CODE % text)


def upload(cli, text, *flags):
    change(cli, text)
    said = cli("versions", "upload", *flags).out
    assert "Total Upload: " in said and "Worker Startup Time: " in said and "corral versions deploy" in said
    return re.search(r"Worker Version ID: (%s)\n" % UUID, said).group(1)


def current(cli):
    return [(v["version_id"], v["percentage"]) for v in json.loads(cli("deployments", "status", "--json").out)["versions"]]


@pytest.mark.asan
def test_upload_deploy_split_and_rollback(cli, node, project):
    first = current(cli)[0][0]
    second = upload(cli, "two", "--tag", "v2", "--message", "the second")
    assert node.get(project).text == "one" and current(cli) == [(first, 100)]

    listed = cli("versions", "list").out
    assert re.search(r"Version ID:  %s\nCreated:     \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\nAuthor:      .+\nSource:      Upload\n"
                     r"Tag:         v2\nMessage:     the second\n" % second, listed), listed
    assert listed.index(first) < listed.index(second)
    assert [v["id"] for v in json.loads(cli("versions", "list", "--json").out)] == [first, second]
    viewed = cli("versions", "view", second).out
    assert "Compatibility Date:   2025-01-01\n" in viewed and "Handlers:             fetch\n" in viewed
    assert re.search(r'env\.A \("1"\) +Environment Variable\n', viewed)
    assert json.loads(cli("versions", "view", second, "--json").out)["id"] == second

    said = cli("versions", "deploy", second + "@30%", first, "-y", "-m", "carefully").out
    assert "Your current deployment has 1 version(s):\n\n(100%%) %s\n" % first in said
    assert re.search(r"Deployed %s version %s at 30%% and version %s at 70%% \(" % (project, second, first), said), said
    assert sorted(current(cli)) == sorted([(second, 30), (first, 70)])
    assert {node.get(project).text for _ in range(60)} == {"one", "two"}
    status = cli("deployments", "status").out
    assert "Message:     carefully\n" in status and "(30%%) %s\n" % second in status and "(70%%) %s\n" % first in status

    assert "version %s at 100%%" % second in cli("versions", "deploy", "--version-tag", "v2").out
    assert {node.get(project).text for _ in range(10)} == {"two"}
    history = cli("deployments", "list").out
    assert history.count("Version(s):") == 3 and history.index("the first" if "the first" in history else first) < history.rindex(second)
    assert len(json.loads(cli("deployments", "list", "--json").out)) == 3

    said = cli("rollback", "-m", "it was wrong", "-y").out   # the split is passed by: nothing answered alone in it
    assert "Worker Version %s has been deployed to 100%% of traffic.\n\nCurrent Version ID: %s\n" % (first, first) in said
    assert node.get(project).text == "one"
    assert "Source:      Deployment\nMessage:     it was wrong\n" in cli("deployments", "status").out
    assert "Using fallback value in non-interactive context: yes" in cli("rollback", second).out
    assert node.get(project).text == "two"


def test_mistakes_of_versions(cli, node, project):
    first = current(cli)[0][0]
    assert "add up to 120, not to 100" in cli("versions", "deploy", first + "@70", "0" * 8 + first[8:] + "@50", code=1).err
    alone = cli("versions", "deploy", first + "@50", code=1).err
    assert "add up to 50, not to 100" in alone and "Name the version that gets the rest" in alone
    assert "stands there twice" in cli("versions", "deploy", first, first, code=1).err
    assert "'abc' is not the id of a version" in cli("versions", "deploy", "abc", code=1).err
    assert "is not a percentage" in cli("versions", "deploy", first + "@x", code=1).err
    assert "at most 2 versions" in cli("versions", "deploy", first, first, first, code=1).err
    assert "no version of '%s' has the tag 'v9'" % project in cli("versions", "deploy", "--version-tag", "v9", code=1).err
    err = cli("versions", "deploy", code=1).err
    assert "There is no terminal to ask on" in err and "VERSION@100%" in err
    err = cli("versions", "view", "00000000-0000-4000-8000-000000000000", code=1).err
    assert "there is no version 00000000-0000-4000-8000-000000000000 of a worker '%s'" % project in err
    assert "no earlier version that answered alone" in cli("rollback", "-y", code=1).err
    said = cli("versions", "deploy", first, "--dry-run").out
    assert said.endswith("100%% of the requests: version %s\n--dry-run: exiting now.\n" % first)
    (cli.folder / "src/entry.py").write_text("import nothing_of_that_name\n")
    err = cli("versions", "upload", code=1).err
    assert "nothing_of_that_name" in err and "[code: 10021]" in err and node.get(project).text == "one"
    for command in (["versions", "list"], ["deployments", "status"], ["rollback", "-y"], ["versions", "upload"]):
        err = cli(*command, "--name", "nobody", code=1).err
        change(cli, "one")
        assert "there is no worker 'nobody' on http://" in err and "`corral deploy` makes it" in err, (command, err)
    assert "Usage: corral versions COMMAND" in cli("versions", "--help").out
    assert "VERSION is missing" in cli("versions", "view", code=2).err
    (cli.folder / "wrangler.toml").unlink()
    assert "which worker is meant?" in cli("versions", "list", code=1).err


def test_choosing_versions_in_a_terminal(cli, node, project):
    second = upload(cli, "two", "--tag", "v2")
    one = cli.terminal("versions", "deploy")
    try:
        one.wait(r"  1  %s  \S+  v2" % second)
        one.wait(r"Which version\(s\) do you want to deploy\?")
        one.type("1@60 2\n")
        one.wait(r"60% of the requests: version " + second)
        one.wait(r"Deploy this\? \(Y/n\)")
        one.type("y\n")
        one.wait(r"Deployed %s version %s at 60%%" % (project, second))
        assert one.wait_exit() == 0
    finally:
        one.close()
    one = cli.terminal("rollback")
    try:
        one.wait("optional message for this rollback")
        one.type("back again\n")
        one.wait(r"Are you sure.*\(Y/n\)")
        one.type("n\n")
        one.wait("Aborting rollback")
        assert one.wait_exit() == 0
    finally:
        one.close()
    assert sorted(p for _, p in current(cli)) == [40, 60]


@pytest.mark.asan
def test_secrets_of_versions(cli, node, project):
    cli("secret", "put", "TOKEN", stdin="live")
    assert node.get(project).text == "onelive"
    said = cli("versions", "secret", "put", "TOKEN", "--tag", "soon", stdin="next").out
    version = re.search(r"Created version (%s) with secret TOKEN\." % UUID, said).group(1)
    assert "corral versions deploy " + version in said and node.get(project).text == "onelive"
    assert re.search(r"-- Version %s \(100%%\) secrets --\nSecret Name: TOKEN\n" % current(cli)[0][0], cli("versions", "secret", "list").out)
    cli("versions", "deploy", version)
    assert node.get(project).text == "onenext"
    said = cli("versions", "secret", "bulk", stdin=json.dumps({"TOKEN": "bulk", "B": "2"})).out
    assert "✨ Successfully created secret for key: TOKEN" in said
    assert "Secret Name: B\n" in cli("versions", "secret", "list", "--latest-version").out
    cli("versions", "deploy", re.search(r"Created version (%s)" % UUID, said).group(1))
    assert node.get(project).text == "onebulk"
    said = cli("versions", "secret", "delete", "TOKEN").out
    cli("versions", "deploy", re.search(r"Created version (%s)" % UUID, said).group(1))
    assert node.get(project).text == "one"
    for text in ("live", "next", "bulk"):
        assert text not in cli("versions", "list").out


def test_delete(cli, node, project):
    assert "With --force nothing is asked" in cli("delete", code=1).err
    assert "%s would be deleted" % project in cli("delete", "--dry-run").out
    one = cli.terminal("delete")
    try:
        one.wait(r"Are you sure you want to delete %s\?.*\(y/N\)" % project)
        one.type("\n")
        assert one.wait_exit() == 0
    finally:
        one.close()
    assert node.get(project).text == "one"
    assert cli("delete", "--force").out == "Successfully deleted %s\n" % project
    assert node.get(project).status == 404
    assert "there is no worker '%s'" % project in cli("delete", project, "--force", code=1).err
