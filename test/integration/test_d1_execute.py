"""corral d1 execute: SQL from the command line and from files, and what it gives."""
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from d1_shell import Shell
from harness import BIN, DEADLINE, children, orphans, rss_kb, until

pytestmark = pytest.mark.asan

TOML = """\
name = "w"
main = "src/entry.py"
compatibility_date = "2026-03-01"
compatibility_flags = ["python_workers"]

[[d1_databases]]
binding = "DB"
database_name = "books"
database_id = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
"""

NOTES = "Resource location: local\n\n🌀 Executing on local database %s (aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee) from .corral/state/d1:\n"

SQL = """CREATE TABLE t(id INTEGER PRIMARY KEY, title TEXT, b BLOB, r REAL);
INSERT INTO t VALUES(1,'吾輩は猫である',x'01ff',1.5),(2,NULL,NULL,1e300),(3,'a\nb',x'',9007199254740993);
SELECT * FROM t"""

# As wrangler 4.86 prints it, byte for byte but for the duration.
ROWS = """[
  {
    "results": [],
    "success": true,
    "meta": {
      "duration": 0
    }
  },
  {
    "results": [],
    "success": true,
    "meta": {
      "duration": 0
    }
  },
  {
    "results": [
      {
        "id": 1,
        "title": "吾輩は猫である",
        "b": "[1, 255]",
        "r": 1.5
      },
      {
        "id": 2,
        "title": null,
        "b": null,
        "r": 1e+300
      },
      {
        "id": 3,
        "title": "a\\nb",
        "b": "[]",
        "r": 9007199254740992
      }
    ],
    "success": true,
    "meta": {
      "duration": 0
    }
  }
]
"""

TABLE = """\
┌────┬────────────────┬──────────┬──────────────────┐
│ id │ title          │ b        │ r                │
├────┼────────────────┼──────────┼──────────────────┤
│ 1  │ 吾輩は猫である │ [1, 255] │ 1.5              │
├────┼────────────────┼──────────┼──────────────────┤
│ 2  │ null           │ null     │ 1e+300           │
├────┼────────────────┼──────────┼──────────────────┤
│ 3  │ a              │ []       │ 9007199254740992 │
│    │ b              │          │                  │
└────┴────────────────┴──────────┴──────────────────┘
"""


@pytest.fixture
def d1(tmp_path):
    shell = Shell(tmp_path)
    shell.write("wrangler.toml", TOML)
    return shell


def timeless(text):
    return re.sub(r'"duration": [0-9.]+', '"duration": 0', text)


def rows(d1, sql, *more):
    return json.loads(d1("execute", "books", "--json", "--command", sql, *more))[-1]["results"]


def test_results_as_wrangler_prints_them(d1):
    """For a program as JSON with the notes around it, for --json alone, on a terminal as tables."""
    assert timeless(d1("execute", "books", "--command", SQL)) == NOTES % "books" + "🚣 3 commands executed successfully.\n" + ROWS
    assert d1.err == ""
    again = "DROP TABLE t; " + SQL
    assert json.loads(timeless(d1("execute", "DB", "--json", "--command", again))) == json.loads(ROWS)[:1] + json.loads(ROWS)
    shown = NOTES % "DB" + "🚣 4 commands executed successfully.\n" + TABLE
    assert d1.screen("execute", "DB", "--command", again, env={"NO_COLOR": "1"}) == shown
    coloured = d1.screen("execute", "DB", "--local", "--command", again)
    assert "\x1b[90m┌────┬" in coloured and "\x1b[34m title          \x1b[39m" in coloured
    assert re.sub("\x1b\\[[0-9]+m", "", coloured) == shown
    assert d1.screen("execute", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "--json", "--command", "SELECT 1 AS one").startswith("[\n  {\n    \"results\": [\n")
    several = d1.screen("execute", "DB", "--command", "SELECT 1 AS one; SELECT 2 AS two WHERE 0; SELECT '三' AS three", env={"NO_COLOR": "1"})
    assert several.endswith("┌─────┐\n│ one │\n├─────┤\n│ 1   │\n└─────┘\n┌───────┐\n│ three │\n├───────┤\n│ 三    │\n└───────┘\n")


def test_names_and_values_of_every_kind(d1):
    """Columns in the order of an object's keys, numbers as JavaScript writes them, nothing that speaks to the terminal."""
    sql = """SELECT 5 AS id, 1, 2, 1 AS id, 9007199254740993 AS big, 9e999 AS inf, 0.1+0.2 AS f, 1e21 AS g, 1e-7 AS h, -0.0 AS z,
             'é"\\/'||char(7)||char(127)||char(8232) AS esc, zeroblob(2) AS b"""
    assert timeless(d1("execute", "books", "--json", "--command", sql)).split('"results"')[1].split("]")[0] == """: [
      {
        "1": 1,
        "2": 2,
        "id": 1,
        "big": 9007199254740992,
        "inf": null,
        "f": 0.30000000000000004,
        "g": 1e+21,
        "h": 1e-7,
        "z": 0,
        "esc": "é\\"\\\\/\\u0007\x7f\u2028",
        "b": "[0, 0"""
    shown = d1.screen("execute", "books", "--command", "SELECT char(27)||'[2J'||char(9)||'x' AS x", env={"NO_COLOR": "1"})
    assert "│ ␛[2J␉x │" in shown and "\x1b" not in shown
    assert rows(d1, "SELECT 1 AS a; -- nothing more\n") == [{"a": 1}]
    with open("/dev/full", "w") as full:
        failed = subprocess.run([str(BIN / "corral"), "d1", "execute", "books", "--json", "--command", "SELECT 1"], stdout=full,
                                stderr=subprocess.PIPE, cwd=d1.folder, text=True, timeout=DEADLINE)
    assert failed.returncode == 1 and "it was done, but the result could not be written: No space left" in failed.stderr
    assert len(rows(d1, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 30000) SELECT i, 'row number '||i AS t FROM n")) == 30000


def test_a_file_is_one_transaction(d1):
    d1.write("schema.sql", "\ufeff-- books\nCREATE TABLE books(id INTEGER PRIMARY KEY,\n  title TEXT);\n\nINSERT INTO books(title) VALUES ('雪国'), (';');\n"
             "CREATE TRIGGER tr AFTER INSERT ON books BEGIN UPDATE books SET title = 'x;' WHERE 0; SELECT 1; END;\nSELECT count(*) AS n FROM books;\n")
    assert "🚣 4 commands executed successfully.\n" in d1("execute", "books", "--file=schema.sql")
    assert json.loads(d1.out.split("successfully.\n")[1])[3]["results"] == [{"n": 2}]
    d1.write("bad.sql", "INSERT INTO books(title) VALUES ('lost');\n/* a\n comment */\nINSERT INTO\n  nope VALUES ('" + "長い" * 200 + "');\nSELECT 1;")
    assert d1("execute", "books", "--file", "bad.sql", code=1).startswith("corral: bad.sql:4: no such table: nope: SQLITE_ERROR\n  in statement 2: INSERT INTO nope VALUES ('長い")
    assert d1.err.endswith("…\n") and len(d1.err) < 200
    d1("execute", "books", "--file", "bad.sql", "--json", code=1)
    error = json.loads(d1.out)["error"]
    assert (error["text"], error["statement"], error["line"]) == ("no such table: nope: SQLITE_ERROR", 2, 4)
    assert rows(d1, "SELECT title FROM books") == [{"title": "雪国"}, {"title": ";"}]
    assert d1("execute", "books", "--command", "INSERT INTO books(title) VALUES ('lost'); selec 1", code=1) == (
        'corral: near "selec": syntax error at offset 0: SQLITE_ERROR\n  in statement 2: selec 1\n')
    assert rows(d1, "SELECT count(*) AS n FROM books") == [{"n": 2}]


def test_a_dump_of_sqlite3_is_loaded(d1):
    """BEGIN TRANSACTION and COMMIT around it are left out."""
    with sqlite3.connect(":memory:") as db:
        db.executescript("CREATE TABLE a(x, y BLOB); INSERT INTO a VALUES ('it''s; 猫', x'00ff'), (1.5, NULL); CREATE VIEW v AS SELECT x FROM a;")
        d1.write("dump.sql", "PRAGMA foreign_keys=OFF;\n" + "\n".join(db.iterdump()) + "\n")
    d1("execute", "books", "--file", "dump.sql")
    assert rows(d1, "SELECT x, hex(y) AS y FROM a") == [{"x": "it's; 猫", "y": "00FF"}, {"x": 1.5, "y": ""}]
    d1.write("half.sql", "BEGIN TRANSACTION;\nINSERT INTO a VALUES (7, 7);\n")
    assert "COMMIT, is missing" in d1("execute", "books", "--file", "half.sql", code=1)
    assert rows(d1, "SELECT count(*) AS n FROM a") == [{"n": 2}]


def test_mistakes_are_explained(d1):
    hint = "Please check the file path and try again."
    assert d1("execute", "books", "--file", "gone.sql", code=1) == 'corral: Unable to read SQL text file "gone.sql": No such file or directory\n  %s\n' % hint
    assert hint in d1("execute", "books", "--file", ".", code=1)
    assert d1("execute", "books", code=1) == d1("execute", "books", "--command", "", code=1) == "corral: must provide --command or --file\n"
    assert "can't provide both" in d1("execute", "books", "--command", "SELECT 1", "--file", "x", code=1)
    assert "can't use --preview without --remote" in d1("execute", "books", "--command", "SELECT 1", "--preview", code=1)
    assert "nothing says which node" in d1("execute", "books", "--command", "SELECT 1", "--remote", code=1)
    assert d1("execute", code=2).startswith("corral: NAME is missing: corral d1 execute NAME")
    assert not (d1.folder / ".corral/state").exists()
    for sql in ("-- nothing", ";", "\n"):
        d1.write("empty.sql", sql)
        assert d1("execute", "books", "--file", "empty.sql", code=1) == "corral: No SQL statements detected.\n"
    d1("execute", "books", "--command", "CREATE TABLE t(x)")
    assert "is a binary SQLite database file" in d1("execute", "books", "--file", ".corral/state/d1/books/db.sqlite", code=1)
    for order in ("utf-16-le", "utf-16-be"):
        (d1.folder / "wide.sql").write_bytes("\ufeffSELECT 1;".encode(order))
        assert d1("execute", "books", "--file", "wide.sql", code=1) == (
            'corral: "wide.sql" is UTF-16: SQL text files are UTF-8\n  `iconv -f UTF-16 -t UTF-8` converts it.\n')
    assert "--command takes one value" in d1("execute", "books", "--command", "SELECT 1", "--command", "SELECT 2", code=2)
    assert d1("execute", "boks", "--command", "SELECT 1", code=1) == (
        "corral: Couldn't find a D1 DB with the name or binding 'boks' in your wrangler.toml file\n  Did you mean 'books'?\n")
    d1("execute", "boks", "--json", "--command", "SELECT 1", code=1)
    assert json.loads(d1.out)["error"]["text"] == "Couldn't find a D1 DB with the name or binding 'boks' in your wrangler.toml file"
    assert d1.err == ""


def test_databases_without_a_configuration_and_elsewhere(d1):
    d1("create", "loose")
    assert json.loads(d1("execute", "loose", "--json", "--command", "SELECT 1 AS a"))[0]["results"] == [{"a": 1}]
    d1("execute", "books", "--persist-to", "else where", "--command", "CREATE TABLE only_there(x)")
    assert (d1.folder / "else where/d1/books/db.sqlite").exists()
    assert "no such table" in d1("execute", "books", "--command", "SELECT * FROM only_there", code=1)
    assert json.loads(d1("list", "--json", "--persist-to", "else where"))[0]["uuid"] == "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


# ---- long files ----

FILLER = "x" * 150
ROWS_OF_LARGE = 20000 if BIN.name == "asan" else 200000


def write_large(d1, name, table, first=""):
    """200,000 rows, 33 MB."""
    with open(d1.folder / name, "w") as f:
        f.write("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n%sCREATE TABLE %s(id INTEGER PRIMARY KEY, t TEXT);\n" % (first, table))
        for i in range(0, ROWS_OF_LARGE, 20):
            f.write("INSERT INTO %s VALUES%s;\n" % (table, ",".join("(%d,'%s')" % (n, FILLER) for n in range(i, i + 20))))
        f.write("COMMIT;\n")


def run_lean(d1, *words):
    """With its output into a file; the most memory that corral or its store ever had, in KiB."""
    peaks = [0]
    with open(d1.folder / "out", "wb") as out:
        process = subprocess.Popen([str(BIN / "corral"), "d1", *words], stdin=subprocess.DEVNULL, stdout=out, cwd=d1.folder)
        while process.poll() is None:
            for one in [process.pid] + [p.pid for p in children(process.pid) if p.name == "corral-store"]:
                try:
                    peaks.append(rss_kb(one, "VmHWM"))
                except (OSError, KeyError):
                    pass  # has just ended
            time.sleep(0.01)
    assert process.returncode == 0, d1.read("out")
    return max(peaks)


def test_large_files_and_results_in_flat_memory(d1):
    """In, out as rows, out as SQL: none of them is ever in memory as a whole."""
    write_large(d1, "large.sql", "large")
    lean = [run_lean(d1, "execute", "books", "--file", "large.sql")]
    assert d1.read("out").startswith(NOTES % "books" + "🚣 %d commands executed successfully.\n[\n" % (ROWS_OF_LARGE / 20 + 2))
    assert len(json.loads(d1.read("out").split("successfully.\n")[1])) == ROWS_OF_LARGE / 20 + 2
    lean.append(run_lean(d1, "execute", "books", "--json", "--command", "SELECT * FROM large"))
    found = json.loads(d1.read("out"))[0]["results"]
    assert len(found) == ROWS_OF_LARGE and found[-1] == {"id": ROWS_OF_LARGE - 1, "t": FILLER}
    lean.append(run_lean(d1, "export", "books", "--output", "out.sql"))
    assert (d1.folder / "out.sql").stat().st_size > 150 * ROWS_OF_LARGE
    assert BIN.name == "asan" or max(lean) < 32 * 1024, lean


def is_locked(d1):
    """Is somebody in the middle of writing?"""
    db = sqlite3.connect(d1.folder / ".corral/state/d1/books/db.sqlite", timeout=0, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
        return False
    except sqlite3.OperationalError:
        return True
    finally:
        db.close()


@pytest.fixture
def half(d1):
    """An import from a pipe that has written a lot and waits for more: (process, the pipe)."""
    d1("execute", "books", "--command", "CREATE TABLE t(x)")
    os.mkfifo(d1.folder / "pipe")
    process = subprocess.Popen([str(BIN / "corral"), "d1", "execute", "books", "--file", "pipe"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=d1.folder, text=True)
    pipe = open(d1.folder / "pipe", "w")
    pipe.write("INSERT INTO t VALUES ('half');\n" * 5000)
    pipe.flush()
    until("it writes", lambda: is_locked(d1))
    yield process, pipe
    try:
        pipe.close()
    except BrokenPipeError:
        pass
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_an_interrupted_import_leaves_nothing_behind(d1, half, number):
    process, _ = half
    store = children(process.pid)
    assert [p.name for p in store] == ["corral-store"]
    process.send_signal(number)
    _, said = process.communicate(timeout=DEADLINE)
    assert process.returncode == -number
    assert said == ("" if number == signal.SIGKILL else "corral: interrupted\n  It was not done: the database is as it was before.\n")
    until("the store has ended", lambda: not orphans(()))
    assert rows(d1, "SELECT count(*) AS n FROM t") == [{"n": 0}]
    assert rows(d1, "PRAGMA quick_check") == [{"quick_check": "ok"}]


def test_an_import_from_a_pipe_and_its_progress(d1):
    """A terminal is told how far a long one is, and the line is gone at the end."""
    os.mkfifo(d1.folder / "pipe")

    def feed():
        with open(d1.folder / "pipe", "w") as pipe:
            end = time.monotonic() + DEADLINE
            pipe.write("CREATE TABLE t(x);")
            while b"commands executed..." not in d1.shown and time.monotonic() < end:
                pipe.write("INSERT INTO t VALUES (1);\n" * 10)
                pipe.flush()
                time.sleep(0.02)

    feeder = threading.Thread(target=feed)
    feeder.start()
    shown = d1.screen("execute", "books", "--file", "pipe", env={"NO_COLOR": "1"})
    feeder.join()
    assert re.search("\r🌀 [0-9]+ commands executed\\.\\.\\.\x1b\\[K", shown)
    assert re.search("\r\x1b\\[K🚣 [0-9]+ commands executed successfully.\n$", shown)


WORKER = """
    from workers import Response, WorkerEntrypoint

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            if request.method == "POST":
                await self.env.DB.prepare("INSERT INTO t VALUES (?)").bind(await request.text()).run()
                return Response("written")
            r = await self.env.DB.prepare("SELECT group_concat(x) AS x FROM (SELECT DISTINCT x FROM t ORDER BY rowid)").first("x")
            return Response(str(r))
"""


def test_beside_corral_dev_on_the_same_project(corral, tmp_path):
    """What one writes the other reads at once; neither is stopped by an import that runs."""
    node = corral({"src/entry.py": WORKER, "wrangler.toml": TOML}, ready=True)
    d1 = Shell(node.project)
    d1("execute", "books", "--command", "CREATE TABLE t(x); INSERT INTO t VALUES ('cli')")
    until("the worker answers", lambda: node.get().status == 200)
    assert node.get().text == "cli"
    assert node.request("POST", "/", "dev").text == "written"
    assert rows(d1, "SELECT x FROM t") == [{"x": "cli"}, {"x": "dev"}]
    d1("migrations", "create", "books", "more")
    d1.write("migrations/0001_more.sql", "INSERT INTO t VALUES ('migrated');")
    d1("migrations", "apply", "books")
    assert node.get().text == "cli,dev,migrated"

    os.mkfifo(d1.folder / "pipe")
    process = subprocess.Popen([str(BIN / "corral"), "d1", "execute", "books", "--file", "pipe"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, cwd=d1.folder)
    answers = []
    with open(d1.folder / "pipe", "w") as pipe:
        pipe.write("INSERT INTO t VALUES ('imported');\n" * 5000)
        pipe.flush()
        until("it writes", lambda: is_locked(d1))
        assert node.get().text == "cli,dev,migrated"
        writer = threading.Thread(target=lambda: answers.append(node.request("POST", "/", "waited").text))
        writer.start()
    process.communicate(timeout=DEADLINE)
    writer.join(DEADLINE)
    assert (process.returncode, answers) == (0, ["written"])
    assert node.get().text == "cli,dev,migrated,imported,waited"
    assert "INSERT" in d1("export", "books", "--output", "-")
