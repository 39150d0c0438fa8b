"""corral secret: given by the terminal or standard input, shown nowhere."""
import json
import os

import pytest

from commands import Commands
from harness import write_project

pytestmark = pytest.mark.asan

CODE = """\
import json
from js import Response

def on_fetch(request, env):
    return Response.new(json.dumps({name: getattr(env, name, None) for name in "ABCD"}))
"""
CONFIG = 'name = "keeper"\nmain = "src/entry.py"\ncompatibility_date = "2025-01-01"\ncompatibility_flags = ["python_workers"]\n'


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture
def cli(node, tmp_path):
    write_project(tmp_path, {"wrangler.toml": CONFIG, "src/entry.py": CODE})
    return Commands(tmp_path, tmp_path / "home", node)


def test_put_list_delete_bulk(cli, node, tmp_path):
    cli("deploy")
    said = cli("secret", "put", "A", stdin="planted-one\n").out
    assert said == '🌀 Creating the secret for the Worker "keeper"\n✨ Success! Uploaded secret A\n'
    assert node.get("keeper").json()["A"] == "planted-one"
    assert json.loads(cli("secret", "list").out) == [{"name": "A", "type": "secret_text"}]
    assert cli("secret", "list", "--format", "pretty").out == "Secret Name: A\n\n"

    said = cli("secret", "bulk", stdin=json.dumps({"A": None, "B": "planted-two", "C": "three\nlines"})).out
    assert said == ('🌀 Processing the secrets for the Worker "keeper"\n💥 Successfully deleted secret for key: A\n'
                    "✨ Successfully created secret for key: B\n✨ Successfully created secret for key: C\n\n"
                    "Finished processing secrets file:\n💥 1 secrets successfully deleted\n✨ 2 secrets successfully created\n")
    assert node.get("keeper").json() == {"A": None, "B": "planted-two", "C": "three\nlines", "D": None}
    (tmp_path / "more.env").write_text("# of the shop\nD='planted four'\n")
    cli("secret", "bulk", "more.env")
    assert node.get("keeper").json()["D"] == "planted four"

    said = cli("secret", "delete", "B").out
    assert "Are you sure you want to permanently delete the secret B on the Worker keeper?" in said
    assert said.endswith("✨ Success! Deleted secret B\n")
    assert node.get("keeper").json()["B"] is None
    assert "planted" not in node.log_text()


def test_a_worker_that_is_not_there_is_made(cli, node):
    said = cli("secret", "put", "A", "--name", "early", stdin="soon").out
    assert 'There doesn\'t seem to be a Worker called "early"' in said and "Success! Uploaded secret A" in said
    cli("deploy", "--name", "early")
    assert node.get("early").json()["A"] == "soon"
    cli("secret", "bulk", "--name", "early-too", stdin='{"B": "x"}')
    assert json.loads(cli("secret", "list", "--name", "early-too").out) == [{"name": "B", "type": "secret_text"}]
    one = cli.terminal("secret", "put", "A", "--name", "unwanted")
    try:
        one.wait("Enter a secret value:")
        one.wait_mode(False)
        one.type("x\r")
        one.wait(r"add secrets to it\? \(Y/n\)")
        one.type("n\n")
        one.wait("Aborting. No secrets added.")
        assert one.wait_exit() == 0
    finally:
        one.close()
    assert "there is no worker 'unwanted'" in cli("secret", "list", "--name", "unwanted", code=1).err


def test_the_terminal_shows_nothing_of_it(cli, node):
    cli("deploy")
    one = cli.terminal("secret", "put", "C")
    try:
        one.wait("Enter a secret value:")
        one.wait_mode(False)
        one.type("wrong\x15unseex\x7fn value ä\x7fé\r")
        one.wait("Success! Uploaded secret C")
        assert one.wait_exit() == 0
        assert "unsee" not in one.output and "wrong" not in one.output
    finally:
        one.close()
    assert node.get("keeper").json()["C"] == "unseen value é"
    one = cli.terminal("secret", "put", "C")
    try:
        one.wait("Enter a secret value:")
        one.wait_mode(False)
        one.type("half\x03")
        assert one.wait_exit() == -2    # SIGINT
        assert one.mode(), "the terminal edits and echoes again"
    finally:
        one.close()
    one = cli.terminal("secret", "put", "C")
    try:
        one.wait("Enter a secret value:")
        one.wait_mode(False)
        one.type("\x04")
        one.wait("nothing was typed")
        assert one.wait_exit() == 1
    finally:
        one.close()
    assert node.get("keeper").json()["C"] == "unseen value é"


def test_mistakes(cli, tmp_path):
    err = cli("secret", "put", "A=planted-in-argv", code=2).err
    assert "'A=...' is not the name of a secret" in err and "command line" in err and "planted" not in err
    assert "'planted' is too much" in cli("secret", "put", "A", "planted", code=2).err
    assert "NAME is missing" in cli("secret", "put", code=2).err
    assert "there is nothing in standard input" in cli("secret", "bulk", stdin="", code=1).err
    done = cli("secret", "bulk", stdin='{"A": "planted", "B": 5}', code=1)
    assert "the value of 'B' is neither a string nor null" in done.err and "planted" not in done.out + done.err
    done = cli("secret", "bulk", stdin='{"A": "planted",}', code=1)
    assert "standard input:1:" in done.err and "planted" not in done.out + done.err
    assert "read 'nowhere.json': No such file" in cli("secret", "bulk", "nowhere.json", code=1).err
    assert "--format is json or pretty" in cli("secret", "list", "--format", "xml", code=2).err
    assert "longer than 65536 bytes" in cli("secret", "put", "A", stdin="x" * 70000, code=1).err
    assert "not UTF-8" in bytes_put(cli)
    os.unlink(tmp_path / "wrangler.toml")
    err = cli("secret", "list", code=1).err
    assert "which worker is meant?" in err and "--name" in err
    assert "there is no command 'secret lst'" in cli("secret", "lst", code=2).err


def bytes_put(cli):
    import subprocess
    from harness import BIN
    done = subprocess.run([str(BIN / "corral"), "secret", "put", "A"], input=b"\xff\xfe", stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=cli.env, cwd=cli.folder)
    assert done.returncode == 1
    return done.stderr.decode()
