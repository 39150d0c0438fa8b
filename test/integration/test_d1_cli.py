"""corral d1 create, list, info, delete: what a person types, and what they read."""
import fcntl
import json
import os
import re
import subprocess

import pytest

from d1_shell import Shell
from harness import BIN, holds

pytestmark = pytest.mark.asan

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
TOML = 'name = "w"\nmain = "src/entry.py"\ncompatibility_date = "2026-03-01"\n'
IN_TOML = TOML + '\n[[d1_databases]]\nbinding = "DB"\ndatabase_name = "books"\ndatabase_id = "to come"\n'


COUNTS = """
    import time
    from workers import Response, WorkerEntrypoint
    LOADED = time.time_ns()

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            await self.env.DB.exec("create table if not exists t(a)")
            await self.env.DB.prepare("insert into t values (1)").run()
            return Response("%d %d" % (LOADED, await self.env.DB.prepare("select count(*) as n from t").first("n")))
"""


@pytest.fixture
def d1(tmp_path):
    return Shell(tmp_path)


def uuid_in(text):
    return re.search(UUID, text).group()


def test_says_what_there_is(d1):
    assert d1(code=2).startswith("Usage: corral d1 COMMAND")
    usage = d1("--help")
    assert usage == d1("help") == d1("-h")
    for name in ("create NAME", "list", "info NAME", "delete NAME"):
        assert name in usage
        command = name.split()[0]
        assert d1(command, "--help").startswith("Usage: corral d1 %s [options]\n" % name)
        for option in ("--env", "--config", "--cwd", "--persist-to", "--local", "--remote"):
            assert option in d1.out
        assert ("--json" in d1.out) == (command in ("list", "info"))
    assert d1("lst", code=2) == "corral: there is no command 'd1 lst'\n  Did you mean `corral d1 list`?\n"
    assert d1("frobnicate", code=2).endswith("`corral d1 --help` lists the commands.\n")
    assert d1("time-travel", "info", "x", code=1) == "corral: 'corral d1 time-travel' is not supported yet\n"
    assert "Did you mean --json?" in d1("list", "--jason", code=2)
    assert "unknown option '--json'" in d1("delete", "x", "--json", code=2)
    assert d1("info", code=2) == "corral: NAME is missing: corral d1 info NAME\n"
    assert d1("info", "", code=2) == "corral: NAME must not be empty: corral d1 info NAME\n"
    assert "'b' is too much" in d1("info", "a", "b", code=2)
    assert "'a' is too much" in d1("list", "a", code=2)
    assert "--config needs a value" in d1("list", "--config", code=2)
    assert "--config takes one value, and stands there twice" in d1("list", "-c", "a.toml", "--config=a.toml", code=2)
    assert "--binding 'my-db' is not a JavaScript identifier" in d1("create", "x", "--binding", "my-db", code=2)
    for command in (["list"], ["create", "x"], ["info", "x"], ["delete", "x", "-y"]):
        assert "nothing says which node this is for" in d1(*command, "--remote", code=1)
        assert "corral login" in d1.err
    assert os.listdir(d1.folder) == []


def test_output_that_goes_nowhere(d1):
    """No success without what was asked for; a descriptor that is closed is never one of ours."""
    d1("create", "books")
    for command in (["list"], ["info", "books"], ["create", "more"], ["execute", "books", "--command", "SELECT 1"], ["--help"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(BIN / "corral"), "d1", *command], stdout=full, stderr=subprocess.PIPE, cwd=d1.folder, text=True)
        assert (done.returncode, done.stderr.endswith("could not be written: No space left on device\n")) == (1, True), done
        closed = subprocess.run(["sh", "-c", '"$@" <&- >&-', "sh", str(BIN / "corral"), "d1", *command], stderr=subprocess.PIPE, cwd=d1.folder, text=True)
        assert closed.returncode == 1
        assert "Bad file descriptor" in closed.stderr or command == ["create", "more"], closed


def test_creates_and_shows_what_to_configure(d1):
    """Without a configuration, in TOML, in JSON; for an environment."""
    assert "no databases yet" in d1("list")
    assert json.loads(d1("list", "--json")) == []
    out = d1("create", "my books-é")
    assert out == ("✅ Successfully created DB 'my books-é'\n\nTo use it in your worker, add this to wrangler.toml:\n\n[[d1_databases]]\n"
                   'binding = "my_books_"\ndatabase_name = "my books-é"\ndatabase_id = "%s"\n' % uuid_in(out))
    assert os.listdir(d1.folder / ".corral/state/d1") == ["my%20books-%C3%A9"]
    d1.write("wrangler.toml", TOML + "[env.live]\n[env.'a.b']\n")
    assert d1("create", "本", "--binding", "$B", "--env", "live", "--location", "weur").startswith("✅ Successfully created DB '本'\n")
    assert '[[env.live.d1_databases]]\nbinding = "$B"\ndatabase_name = "本"\n' in d1.out
    assert '[[env."a.b".d1_databases]]\nbinding = "DB"\n' in d1("create", "日", "--env", "a.b")
    d1.write("wrangler.jsonc", '{"name": "w", "main": "x.py", "compatibility_date": "2026-03-01", "env": {"live": {}}}')
    out = d1("create", '9"', "--env=live")
    assert "add this to wrangler.jsonc:" in out
    assert json.loads(out[out.index("{"):]) == {"env": {"live": {"d1_databases": [
        {"binding": "_9", "database_name": '9"', "database_id": uuid_in(out)}]}}}
    assert json.loads(d1("create", "other").split(":\n", 1)[1])["d1_databases"][0]["binding"] == "other"
    assert d1("create", "other", code=1).startswith("corral: there is a database 'other' already\n")
    assert len(json.loads(d1("list", "--json"))) == 5


def test_a_database_that_is_configured(d1):
    """Its own id is kept when it can be; nothing is to be added."""
    wanted = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    d1.write("wrangler.toml", IN_TOML.replace("to come", wanted) +
             '[[d1_databases]]\nbinding = "TWO"\ndatabase_name = "b"\ndatabase_id = "%s"\n' % wanted)
    assert d1("info", "DB", code=1) == ("corral: the database 'books' (env.DB) is configured, but not made yet\n"
                                        "  Its first use makes it, or `corral d1 create`.\n")
    assert d1("create", "books") == "✅ Successfully created DB 'books'\nwrangler.toml has it already: env.DB.\n"
    assert d1("create", "b") == "✅ Successfully created DB 'b'\nwrangler.toml has it already: env.TWO.\n"
    for name in ("books", "DB", wanted, wanted.upper()):
        assert json.loads(d1("info", name, "--json"))["uuid"] == wanted
    assert json.loads(d1("info", "TWO", "--json"))["uuid"] != wanted
    assert [each["binding"] for each in json.loads(d1("list", "--json"))] == ["TWO", "DB"]
    assert 'binding = "THREE"' in d1("delete", "books", "-y") + d1("create", "books", "--binding", "THREE")


@pytest.mark.parametrize("name, env, before, after", [
    ("wrangler.toml", None, IN_TOML + "# of vars\n[vars]\nA = 1 # one\n",
     IN_TOML + '\n[[d1_databases]]\nbinding = "B"\ndatabase_name = "new"\ndatabase_id = "UUID"\n\n# of vars\n[vars]\nA = 1 # one\n'),
    ("wrangler.toml", "live", TOML.replace("\n", "\r\n") + "[env.live]\r\n",
     TOML.replace("\n", "\r\n") + '[env.live]\r\n\r\n[[env.live.d1_databases]]\r\nbinding = "B"\r\ndatabase_name = "new"\r\ndatabase_id = "UUID"\r\n'),
    ("wrangler.json", None, '{"name": "w", "main": "x.py"}',
     '{"name": "w", "main": "x.py", "d1_databases": [{"binding": "B", "database_name": "new", "database_id": "UUID"}]}'),
    ("wrangler.jsonc", None, '{\n\t"name": "w", // the name\n\t"d1_databases": [\n\t\t{ "binding": "A" }, /* first */\n\t],\n}\n',
     '{\n\t"name": "w", // the name\n\t"d1_databases": [\n\t\t{ "binding": "A" }, /* first */\n'
     '\t\t{"binding": "B", "database_name": "new", "database_id": "UUID"},\n\t],\n}\n'),
    ("wrangler.jsonc", "new", '{\n    "name": "w" // the name\n}\n',
     '{\n    "name": "w", // the name\n    "env": {\n        "new": {\n            "d1_databases": [\n                {\n'
     '                    "binding": "B",\n                    "database_name": "new",\n                    "database_id": "UUID"\n'
     '                }\n            ]\n        }\n    }\n}\n'),
], ids=["toml", "toml env crlf", "json line", "jsonc list", "jsonc new env"])
def test_writes_into_the_configuration(d1, name, env, before, after):
    d1.write(name, before)
    flags = ["--binding", "B", "--write-config"] + (["--env", env] if env else [])
    assert d1("create", "new", *flags) == "✅ Successfully created DB 'new'\nIt is in %s as env.B.\n" % name
    flags = ["--env", env] if env else []
    uuid = json.loads(d1("info", "B", "--json", *flags))["uuid"]
    assert d1.read(name) == after.replace("UUID", uuid)
    assert d1("create", "newer", "--binding", "B", "--update-config", *flags, code=1) == (
        "corral: %s has a binding or variable 'B' already\n  Choose another name with --binding.\n" % name)
    assert d1.read(name) == after.replace("UUID", uuid)
    assert len(json.loads(d1("list", "--json"))) == 1
    assert sorted(os.listdir(d1.folder)) == [".corral", name]


def test_writes_nothing_when_it_cannot(d1):
    assert "there is no configuration in" in d1("create", "x", "--write-config", code=1)
    d1.write("wrangler.toml", 'name = "w"\nenv = {a = {main = "x"}}\n')
    assert "written in a way that Corral cannot add to" in d1("create", "x", "--write-config", "--env", "a", code=1)
    d1.write("wrangler.toml", "name = \n")
    assert d1("create", "x", "--write-config", code=1).startswith("wrangler.toml:1:8: error: this is not TOML")
    assert "there is no configuration file 'none.toml' (--config)" in d1("list", "--config", "none.toml", code=1)
    d1.write("wrangler.toml", TOML + "[env.live]\n")
    assert "there is no environment 'lve'" in d1("create", "x", "--write-config", "--env", "lve", code=1)
    assert "control characters" in d1("create", "a\nb", "--write-config", code=1)
    assert "has 1 to 64 bytes, not 65" in d1("create", "x" * 65, code=1)
    assert d1("list", "--json") == "[]\n"


def test_shows_databases(d1):
    d1.write("wrangler.toml", IN_TOML)
    for name in ("books", "本棚", "x"):
        d1("create", name)
    d1.write(".corral/state/d1/x/about.json", "{ broken")
    rows = [[cell.strip() for cell in line.strip("│\n").split("│")] for line in d1("list").splitlines() if line[0] == "│"]
    assert rows[0] == ["uuid", "name", "binding", "created_at", "file_size"]
    assert [row[1:3] for row in rows[1:]] == [["books", "DB"], ["x", ""], ["本棚", ""]]
    for row in rows[1:]:
        assert re.fullmatch(UUID, row[0]) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row[3]) and row[4] == "0 B"
    assert [each["uuid"] for each in json.loads(d1("list", "--json"))] == [row[0] for row in rows[1:]]
    shown = [line.split("│")[1:3] for line in d1("info", "本棚").splitlines() if line[0] == "│"]
    assert shown[0][1].strip() == rows[3][0] and [cell.strip() for cell in shown[1]] == ["name", "本棚"]
    assert len({len(line.replace("本棚", "1234")) for line in d1.out.splitlines()}) == 1
    info = json.loads(d1("info", rows[2][0], "--json"))
    assert info["name"] == "x" and info["uuid"] == rows[2][0] and info["database_size"] == info["num_tables"] == 0
    assert sorted(os.listdir(d1.folder / ".corral/state/d1/x")) == ["about.json"]
    d1.write(".corral/state/d1/x/db.sqlite", "x" * 12288)
    assert re.search("corral: look into the database 'x': .*file is not a database", d1("info", "x", code=1))
    assert "12.3 kB" in d1("list")
    assert d1("info", "bocks", code=1) == "corral: there is no database 'bocks'\n  Did you mean 'books'?\n"
    assert "`corral d1 list` shows those there are" in d1("info", "quite another", code=1)


def test_other_folders(d1, tmp_path):
    """--cwd, --config and --persist-to name the project and where its databases are."""
    d1.write("deep/er/wrangler.toml", IN_TOML)
    d1.write("deep/er/src/x/y", "")
    d1("create", "a", "--cwd", "deep/er/src/x")
    d1("create", "b", "--config", "deep/er/wrangler.toml")
    assert sorted(os.listdir(tmp_path / "deep/er/.corral/state/d1")) == ["a", "b"]
    d1("create", "c", "--persist-to", "kept/here")
    assert os.listdir(tmp_path / "kept/here/d1") == ["c"] and not (tmp_path / ".corral").exists()
    assert [each["name"] for each in json.loads(d1("list", "--json", "--persist-to", "kept/here"))] == ["c"]
    assert [each["name"] for each in json.loads(d1("list", "--json", "--cwd", "", "--persist-to", "", "-c", "deep/er/wrangler.toml"))] == ["a", "b"]
    assert "--cwd 'nowhere'" in d1("list", "--cwd", "nowhere", code=2)
    assert (tmp_path / "kept/here/d1/c").stat().st_mode & 0o777 == 0o700


def test_warnings_of_the_configuration(d1):
    """What --env has not got is said before something happens to the wrong database; what concerns no database is not."""
    d1.write("wrangler.toml", 'name = "w"\n[[d1_databases]]\nbinding = "DB"\ndatabase_name = "books"\n')
    d1("create", "other", "--env", "nope", "--binding", "O", "--write-config")
    assert d1.err == "" and "[[env.nope.d1_databases]]" in d1.read("wrangler.toml")
    d1.write("wrangler.toml", d1.read("wrangler.toml").split("\n[[env")[0])
    d1("list", "--env", "nope")
    assert d1.err == "wrangler.toml: warning: there is no environment 'nope': the top level is used\n  hint: add a table [env.NAME]\n"
    d1("list")
    assert d1.err == ""
    d1.write("wrangler.toml", d1.read("wrangler.toml") + "[env.z]\n")
    assert d1("list", "--json", "-e", "z").startswith("[")
    assert "the environment 'z' does not inherit 'd1_databases': it has no DB\n" in d1.err
    assert "there is no environment 'nope'\n" in d1("list", "-e", "nope", code=1)


def test_asks_before_it_deletes(d1):
    d1.write("wrangler.toml", IN_TOML)
    uuid = json.loads(d1("create", "books") and d1("info", "DB", "--json"))["uuid"]
    d1("execute", "DB", "--command", "create table t(a); create table u(b)")
    assert d1("delete", "DB", code=1) == "corral: there is no terminal to ask on\n  With -y nothing is asked.\n"
    question = ("About to delete the database 'books' (%s) with all that is in it: SIZE kB, 2 tables.\n"
                "This cannot be undone. Ok to proceed? (y/N) " % uuid)
    for no in ("n\n", "\n", "x" * 100 + "\n", "\x04"):
        out = re.sub(r"\d+\.?\d* kB", "SIZE kB", d1.answer(no, "delete", "DB"))
        assert out.startswith(question) and out.endswith("Not deleting.\n")
    assert (d1.folder / ".corral/state/d1/books/db.sqlite").exists()
    assert re.sub(r"\d+\.?\d* kB", "SIZE kB", d1.answer("yes\n", "delete", uuid)) == question + "Deleted 'books' successfully.\n"
    assert os.listdir(d1.folder / ".corral/state/d1") == []
    assert "not made yet" in d1("delete", "DB", "-y", code=1)
    assert "there is no database 'x'" in d1("delete", "x", "-y", code=1)
    d1("create", "x")
    assert d1("delete", "x", "--skip-confirmation") == "Deleted 'x' successfully.\n"


def test_keeps_a_database_that_is_in_use(d1):
    d1("create", "books")
    with open(d1.folder / ".corral/state/d1/books/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        said = d1("delete", "books", "-y", code=1)
    name = open("/proc/self/comm").read().strip()
    assert said == "corral: the database 'books' is in use by %s (process %d)\n  Stop it first.\n" % (name, os.getpid())
    assert d1("delete", "books", "-y") == "Deleted 'books' successfully.\n"


def test_beside_a_worker_that_uses_it(corral, d1, tmp_path):
    """Its state, kept in the project's own folder, is neither bundled nor a reason to reload."""
    project = tmp_path / "project"
    toml = IN_TOML.replace('main =', 'compatibility_flags = ["python_workers"]\nmain =')
    one = corral({"src/entry.py": COUNTS, "wrangler.toml": toml + '[[d1_databases]]\nbinding = "E"\n'}, "--persist-to", str(project))
    here = ["--persist-to", ".", "--cwd", str(project)]
    loaded = one.get().text.split()[0]
    holds("nothing is loaded anew", lambda: one.get().text.split()[0] == loaded, 0.4)
    assert sorted(os.listdir(project)) == ["bundles", "d1", "src", "wrangler.toml"] and len(os.listdir(project / "bundles")) == 1
    said = d1("delete", "DB", "-y", *here, code=1)
    assert re.fullmatch(r"corral: the database 'books' is in use by corral-store \(process \d+\)\n"
                        r"  Stop `corral dev` \(process %d\) first\.\n" % one.pid, said), said
    d1("create", "E", *here)
    d1("delete", "E", "-y", *here)
    info = json.loads(d1("info", "DB", "--json", *here))
    assert info["num_tables"] == 1 and info["database_size"] == 8192 and info["name"] == "books"
    before = int(one.get().text.split()[1])
    one.close()
    row = json.loads(d1("list", "--json", *here))[0]
    assert row["name"] == "books" and row["binding"] == "DB" and row["file_size"] > 4096 and before > 1
    again = corral(None, command=one.arguments)
    assert again.get().text.split()[1] == str(before + 1)
    again.close()
    again.assert_nothing_left()     # who holds the database may end a little later
    d1("delete", row["uuid"], "-y", *here)
    assert os.listdir(project / "d1") == []
