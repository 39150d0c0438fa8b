"""corral token and corral account: what a person types, what they read, and what is on the disk then."""
import json
import os
import re
import sqlite3
import stat
import subprocess

import pytest

from harness import BIN

pytestmark = pytest.mark.asan

TOKEN = re.compile(r"crl_[0-9A-Za-z]{40}\n")


@pytest.fixture
def run(tmp_path):
    """run("token", "list") in an empty folder; stdout when it succeeds, stderr otherwise."""
    def run(*arguments, code=0):
        done = subprocess.run([BIN / "corral"] + [str(a) for a in arguments], cwd=tmp_path, stdin=subprocess.DEVNULL,
                              capture_output=True)
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == code, (arguments, done.returncode, out, err)
        assert code == 0 or not out, out
        assert code != 0 or not err, err
        return err if code else out
    return run


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_says_what_there_is(run):
    for room, commands in (("token", ("create", "list", "revoke ID")), ("account", ("list", "create NAME"))):
        assert run(room, code=2).startswith("Usage: corral %s COMMAND" % room)
        usage = run(room, "--help")
        for command in commands:
            assert "  %s " % command in usage
            text = run(room, command.split()[0], "--help")
            assert text.startswith("Usage: corral %s %s --data FOLDER" % (room, command))
            assert "-d, --data FOLDER" in text
    assert run("token", "creat", code=2) == ("corral: there is no command 'token creat'\n"
                                             "  Did you mean `corral token create`?\n")
    assert run("token", "create", "--dat", "x", code=2) == ("corral: unknown option '--dat'\n"
                                                            "  Did you mean --data? --help lists all.\n")


def test_refuses_what_cannot_be(run, tmp_path):
    create = ("token", "create", "--data", "data")
    assert "no data folder was named" in run("token", "list", code=2)
    assert "--account is missing" in run(*create, "--scope", "read", code=2)
    assert "--scope is missing" in run(*create, "--account", "a", code=2)
    assert run(*create, "--account", "a", "--scope", "depoy", code=2) == (
        "corral: --scope is read, deploy or admin, not 'depoy'\n  Did you mean deploy?\n")
    assert "--expires takes a number from 1" in run(*create, "--account", "a", "--scope", "read", "--expires", "0", code=2)
    assert "stands there twice" in run(*create, "--data", "b", code=2)
    assert "ID is missing" in run("token", "revoke", "--data", "data", code=2)
    assert "'b' is too much" in run("account", "create", "a", "b", "--data", "data", code=2)
    for name in ("list", "revoke"):
        word = ("x",) if name == "revoke" else ()
        assert "'data' is not the data folder of a node" in run("token", name, *word, "--data", "data", code=1)
    assert not (tmp_path / "data").exists()
    for name, says in (("", "1 to 64 bytes, not 0"), ("x" * 65, "not 65"), ("a\nb", "no control characters")):
        assert says in run("account", "create", name, "--data", "data", code=2)
    for label in ("-a", "a-", "A", "a.b", "x" * 64, "é"):
        assert "is no subdomain" in run("account", "create", "n", "--subdomain", label, "--data", "data", code=2)
    assert json.loads(run("account", "list", "--data", "data", "--json")) == []
    (tmp_path / "file").write_text("")
    assert "make the folder 'file/data'" in run("account", "create", "n", "--data", "file/data", code=1)


def test_makes_accounts_and_tokens(run, tmp_path):
    create = ("token", "create", "--data", "a/b/data", "--account")
    tokens = [run(*create, "Home", "--scope", "admin", "--name", "laptop"), run(*create, "Home", "--scope", "read"),
              run(*create, "Büro 2", "--scope", "deploy", "--expires", "30")]
    assert all(TOKEN.fullmatch(token) for token in tokens) and len(set(tokens)) == 3
    run("account", "create", "home!", "--data", "a/b/data")
    run("account", "create", "fourth", "--subdomain", "four", "--data", "a/b/data")
    accounts = json.loads(run("account", "list", "--data", "a/b/data", "--json"))
    assert [sorted(one) for one in accounts] == [["id", "name", "subdomain"]] * 4
    assert all(re.fullmatch("[0-9a-f]{32}", one["id"]) for one in accounts)
    assert [(one["name"], one["subdomain"]) for one in accounts] == [
        ("Büro 2", "b-ro-2"), ("Home", "home"), ("fourth", "four"), ("home!", "home-2")]
    assert "│ Büro 2 │ b-ro-2    │" in run("account", "list", "-d", "a/b/data")
    assert "there is an account 'Home' already" in run("account", "create", "Home", "-d", "a/b/data", code=1)
    assert "'four' is another account's" in run("account", "create", "x", "--subdomain", "four", "-d", "a/b/data", code=1)
    assert len(json.loads(run("account", "list", "--data", "a/b/data", "--json"))) == 4
    # The id of an account is a name for it, too.
    by_id = run(*create, accounts[1]["id"], "--scope", "read")

    listed = json.loads(run("token", "list", "--data", "a/b/data", "--json"))
    assert [(one["account"], one["scope"], one["name"]) for one in listed] == [
        ("Büro 2", "deploy", ""), ("Home", "admin", "laptop"), ("Home", "read", ""), ("Home", "read", "")]
    assert listed[0]["expires_ms"] - listed[0]["created_ms"] in range(30 * 86400000 - 60000, 30 * 86400000 + 1)
    assert listed[1]["expires_ms"] == 0
    assert len(json.loads(run("token", "list", "--account", "Home", "--data", "a/b/data", "--json"))) == 3
    table = run("token", "list", "--data", "a/b/data")
    assert "laptop" in table and "never" in table

    assert run("token", "revoke", listed[1]["id"], "--data", "a/b/data") == "The token is revoked.\n"
    assert run("token", "revoke", by_id.strip(), "--data", "a/b/data") == "The token is revoked.\n"
    assert "no token with this id" in run("token", "revoke", listed[1]["id"], "--data", "a/b/data", code=1)
    assert len(json.loads(run("token", "list", "--data", "a/b/data", "--json"))) == 2

    # Only who owns the folder may look into it, and no token's text is in it.
    data = tmp_path / "a" / "b" / "data"
    assert mode(tmp_path / "a") == mode(data) == 0o700
    everything = b""
    for path in data.rglob("*"):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path
        everything += path.read_bytes() if path.is_file() else b""
    assert b"Home" in everything and b"laptop" not in everything
    assert not any(token.strip()[4:].encode() in everything for token in tokens)


def test_many_at_once(run, tmp_path):
    """The first of them makes the folder and the tables, whichever that is."""
    command = [BIN / "corral", "token", "create", "--data", tmp_path / "data", "--scope", "deploy", "--account"]
    started = [subprocess.Popen(command + ["team %d" % (i % 3)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
               for i in range(12)]
    said = [(one.communicate(), one.returncode) for one in started]
    assert all(code == 0 and TOKEN.fullmatch(out.decode()) for (out, _), code in said), said
    assert [one["name"] for one in json.loads(run("account", "list", "--data", "data", "--json"))] == [
        "team 0", "team 1", "team 2"]
    assert len(json.loads(run("token", "list", "--data", "data", "--json"))) == 12


def test_strange_catalogs(run, tmp_path):
    file = tmp_path / "data" / "catalog.sqlite"
    run("account", "create", "a", "--data", "data")
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 1000")
    db.close()
    said = run("account", "list", "--data", "data", code=1)
    assert re.match(r"corral: the catalog in '.*/data' is of a newer Corral \(1000; this one knows \d+\)\n", said)
    file.unlink()
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE accounts (a)")
    db.close()
    assert "is not a catalog of Corral's" in run("account", "list", "--data", "data", code=1)
    file.write_bytes(b"no database at all" * 100)
    assert "is damaged" in run("account", "list", "--data", "data", code=1)
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(b"")
    assert run("account", "list", "--data", "data", code=1).startswith("corral: open '")


def test_keys_of_secrets(run, tmp_path):
    """A node says at its start that a key is missing, another one, or readable by others; commands need none."""
    serve = ("serve", "--data", "data", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0")

    def node(*more, says=None, **env):
        """A node that must not start; without says: one that must, and is ended."""
        one = subprocess.Popen([BIN / "corral", *serve, *more], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=dict(os.environ, **env))
        if says is None:
            assert one.stdout.readline().startswith(b"Ready on ")
            one.terminate()
        out, err = one.communicate()
        assert (one.returncode == 0) == (says is None), (out, err)
        assert says is None or says in err.decode(), err

    run("account", "create", "a", "--data", "data")
    assert not (tmp_path / "data" / "secrets.key").exists()
    node()
    key = tmp_path / "data" / "secrets.key"
    assert mode(key) == 0o600 and re.fullmatch(r"[A-Za-z0-9+/]{43}=\n", key.read_text())
    node()
    key.chmod(0o640)
    node(says="(mode 0640")
    key.chmod(0o600)
    other = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    node(says="CORRAL_SECRETS_KEY is not the key that the secrets", CORRAL_SECRETS_KEY=other)
    node(says="CORRAL_SECRETS_KEY is no key: it has to be 32 random bytes in base64", CORRAL_SECRETS_KEY="hunter2")
    node(CORRAL_SECRETS_KEY=key.read_text())
    key.rename(tmp_path / "kept")
    node(says="secrets.key' is not there")
    assert not key.exists()
    node("--secrets-key-file", "kept")
    run("token", "create", "--account", "a", "--scope", "read", "--data", "data")
