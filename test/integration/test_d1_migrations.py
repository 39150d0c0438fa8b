"""corral d1 migrations and export: files that a database gets once each, and a database as a file."""
import json
import os
import re
import sqlite3
import subprocess

import pytest

from d1_shell import Shell


TOML = """\
name = "w"
main = "src/entry.py"

[[d1_databases]]
binding = "DB"
database_name = "books"
database_id = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

[[d1_databases]]
binding = "OTHER"
migrations_dir = "db/changes"
migrations_table = "my changes"
"""

NOTES = "Resource location: local\n\n"
RUNS = "🌀 Executing on local database books (aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee) from .corral/state/d1:\n"
ASKS = "? About to apply %d migration(s)\nYour database may not be available to serve requests during the migration, continue?"
FALLBACK = "\n🤖 Using fallback value in non-interactive context: yes\n"


@pytest.fixture
def d1(tmp_path):
    shell = Shell(tmp_path)
    shell.write("wrangler.toml", TOML)
    return shell


def rows(d1, sql, name="books"):
    return json.loads(d1("execute", name, "--json", "--command", sql))[-1]["results"]


def test_the_life_of_migrations(d1):
    """create asks for the folder, list, apply up to the first that fails, apply again: in wrangler's words."""
    missing = "No migrations folder found. Set `migrations_dir` in your wrangler.toml file to choose a different path."
    folder = d1.folder / "migrations"
    for command in ("list", "apply"):
        assert d1("migrations", command, "books", code=1) == "corral: No migrations present at %s\n  %s\n" % (folder, missing)
    asks = "? %s\nOk to create %s?" % (missing, folder)
    assert asks + " (Y/n) " in d1.screen("migrations", "create", "books", "no", text="n\n", code=1)
    assert not folder.exists()
    made = "✅ Successfully created Migration '%s'!\n\nThe migration is available for editing here\n%s/%s\n"
    assert d1("migrations", "create", "DB", "add books") == asks + FALLBACK + made % ("0001_add_books.sql", folder, "0001_add_books.sql")
    assert re.fullmatch(r"-- Migration number: 0001 \t 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ\n", d1.read("migrations/0001_add_books.sql"))
    d1.write("migrations/0009_it's.sql", "INSERT INTO books(title) VALUES ('雪国');\nINSERT INTO bookz(title) VALUES ('x');\n")
    d1.write("migrations/readme.txt", "")
    assert "Migration '0010_last.sql'" in d1("migrations", "create", "books", "last")
    d1.write("migrations/0001_add_books.sql", d1.read("migrations/0001_add_books.sql") + "CREATE TABLE books(id INTEGER PRIMARY KEY, title TEXT) -- no ;")
    head = "Migrations to be applied:\n"
    three = "┌────────────────────┐\n│ %s               │\n├────────────────────┤\n│ 0001_add_books.sql │\n├────────────────────┤\n│ 0009_it's.sql      │\n├────────────────────┤\n│ 0010_last.sql      │\n└────────────────────┘\n"
    assert d1("migrations", "list", "books") == NOTES + head + three % "Name"
    assert d1.screen("migrations", "apply", "books", text="n\n", env={"NO_COLOR": "1"}) == (
        NOTES + head + three % "name" + ASKS % 3 + " (Y/n) Not applying.\n")

    def table(*signs):
        names = ("0001_add_books.sql", "0009_it's.sql     ", "0010_last.sql     ")
        return ("┌────────────────────┬────────┐\n│ name               │ status │\n" + "".join(
            "├────────────────────┼────────┤\n│ %s │ %s     │\n" % pair for pair in zip(names, signs)) + "└────────────────────┴────────┘\n")

    assert d1("migrations", "apply", "books", code=1) == (
        "Migration 0009_it's.sql failed with the following errors:\n"
        "corral: 0009_it's.sql:2: no such table: bookz: SQLITE_ERROR\n  in statement 2: INSERT INTO bookz(title) VALUES ('x');\n")
    assert d1.out == (NOTES + head + three % "name" + ASKS % 3 + FALLBACK + RUNS + "🚣 2 commands executed successfully.\n" +
                      table("✅", "🕒️", "🕒️") + RUNS + table("✅", "❌", "🕒️"))
    assert rows(d1, "SELECT count(*) AS n FROM books") == [{"n": 0}]
    d1.write("migrations/0009_it's.sql", "INSERT INTO books(title) VALUES ('雪国'); /* that is all")
    shown = d1.screen("migrations", "apply", "books", text="\n", env={"NO_COLOR": "1"})
    assert "🚣 1 command executed successfully.\n" in shown and "│ 0010_last.sql │ ✅     │\n" in shown
    for command in ("list", "apply"):
        assert d1("migrations", command, "books") == NOTES + "✅ No migrations to apply!\n"
    assert [(r["id"], r["name"]) for r in rows(d1, "SELECT * FROM d1_migrations ORDER BY id")] == [
        (1, "0001_add_books.sql"), (2, "0009_it's.sql"), (3, "0010_last.sql")]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", rows(d1, "SELECT * FROM d1_migrations")[0]["applied_at"])
    assert rows(d1, "SELECT sql FROM sqlite_master WHERE name = 'd1_migrations'") == [{
        "sql": "CREATE TABLE d1_migrations(\n\t\tid         INTEGER PRIMARY KEY AUTOINCREMENT,\n\t\tname       TEXT UNIQUE,\n"
               "\t\tapplied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL\n)"}]


def test_numbers_folders_and_tables_of_ones_own(d1):
    assert "Migration '0001_a.sql'" in d1("migrations", "create", "OTHER", "a", "-y")
    d1.write("db/changes/10_c.sql", "INSERT INTO t VALUES ('c');")
    d1.write("db/changes/9_b.sql", "CREATE TABLE t(x); INSERT INTO t VALUES ('b');")
    d1.write("db/changes/zz.sql", "\ufeffINSERT INTO t VALUES ('zz');")
    assert "Migration '0011_d.sql'" in d1("migrations", "create", "OTHER", "d")
    d1("migrations", "apply", "OTHER", "--yes")
    assert ASKS.split("%")[0] not in d1.out
    assert rows(d1, "SELECT x FROM t", "OTHER") == [{"x": "b"}, {"x": "c"}, {"x": "zz"}]
    assert len(rows(d1, 'SELECT * FROM "my changes"', "OTHER")) == 5
    assert "cannot have a '/'" in d1("migrations", "create", "OTHER", "../x", code=1)
    assert "too long" in d1("migrations", "create", "OTHER", "x" * 250, code=1)
    assert "Couldn't find a D1 DB with the name or binding 'OTHR' in your wrangler.toml file\n  Did you mean 'OTHER'?" in d1(
        "migrations", "create", "OTHR", "x", code=1)
    assert "MESSAGE is missing" in d1("migrations", "create", "OTHER", code=2)
    assert d1("migrations", code=2).startswith("Usage: corral d1 migrations")
    assert "Did you mean `corral d1 migrations apply`?" in d1("migrations", "aply", code=2)
    d1.write("db/changes/0012_db.sql", "")
    (d1.folder / "db/changes/0012_db.sql").write_bytes((d1.folder / ".corral/state/d1/OTHER/db.sqlite").read_bytes())
    assert "is a binary SQLite database file" in d1("migrations", "apply", "OTHER", code=1)


SCHEMA = """
CREATE TABLE authors(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
CREATE TABLE books(id INTEGER PRIMARY KEY, author INTEGER REFERENCES authors(id), title TEXT, cover BLOB, price REAL, "odd ""name" ANY);
CREATE INDEX by_title ON books(title);
CREATE TRIGGER no_empty BEFORE INSERT ON books WHEN new.title = '' BEGIN SELECT RAISE(ABORT, 'empty; title'); END;
CREATE VIEW cheap AS SELECT title FROM books WHERE price < 10;
INSERT INTO authors(name) VALUES ('夏目 漱石'), ('O''Brien');
INSERT INTO books VALUES (1, 1, '吾輩は猫である', x'00ff', 1.5, 9007199254740993), (2, 2, 'two
lines; "quoted" \\n', NULL, 1e300, -0.1), (3, NULL, 'NUL' || char(0) || 'inside', zeroblob(0), 3, NULL);
"""


def test_export_loads_in_sqlite3_and_back(d1):
    """The same rows in the sqlite3 shell and in another database of ours; tables, schema and data apart."""
    d1.write("schema.sql", SCHEMA)
    d1("execute", "books", "--file", "schema.sql")
    assert d1("export", "DB", "--output", "dump.sql") == (
        "Resource location: local\n\n🌀 Exporting local database DB (aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee) from .corral/state/d1:\n"
        "🌀 Exporting SQL to dump.sql...\nDone!\n")
    dump = d1.read("dump.sql")
    assert dump.startswith("PRAGMA defer_foreign_keys=TRUE;\n")
    with open(d1.folder / "dump.sql", "rb") as text:
        subprocess.run(["sqlite3", "-bail", "copy.db"], stdin=text, cwd=d1.folder, check=True, timeout=60)
    queries = ["SELECT * FROM authors ORDER BY id", "SELECT * FROM books ORDER BY id", "SELECT * FROM cheap", "SELECT * FROM sqlite_sequence",
               "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY 1, 2"]
    d1("create", "again")
    d1("execute", "again", "--file", "dump.sql")
    ours = [sqlite3.connect(d1.folder / ".corral/state/d1" / name / "db.sqlite") for name in ("books", "again")]
    copy = sqlite3.connect(d1.folder / "copy.db")
    for query in queries:
        wanted = ours[0].execute(query).fetchall()
        assert wanted, query
        assert ours[1].execute(query).fetchall() == wanted
        assert copy.execute(query).fetchall() == wanted
    for db in ours + [copy]:
        db.close()
    assert d1("export", "again", "--output", "-") == dump
    assert "INSERT INTO" not in d1("export", "DB", "--output", "-", "--no-data") and "CREATE TABLE books" in d1.out
    assert "CREATE" not in d1("export", "DB", "--output", "-", "--no-schema") and 'INSERT INTO "books"' in d1.out
    assert "books(" not in d1("export", "DB", "--output", "-", "--table", "authors") and "O''Brien" in d1.out
    both = d1("export", "DB", "--output", "-", "--table", "authors", "--table=books", "--no-schema")
    assert 'INTO "authors"' in both and 'INTO "books"' in both
    assert d1("export", "DB", "--table", "authors", "books", "--no-schema", "--output", "-") == both
    assert "'books' is too much" in d1("export", "DB", "--table", "authors", "--output", "-", "books", code=2)


def test_export_leaves_no_half_a_file(d1):
    d1("execute", "books", "--command", "CREATE TABLE t(x)")
    d1.write("there.sql", "kept")
    os.symlink("there.sql", d1.folder / "link.sql")
    assert "--output FILE is missing" in d1("export", "books", code=1)
    assert "You cannot specify both" in d1("export", "books", "--output", "x", "--no-schema", "--no-data", code=1)
    assert "not a directory" in d1("export", "books", "--output", ".", code=1)
    assert d1("export", "books", "--output", "no/where.sql", code=1) == "corral: write 'no/where.sql': No such file or directory\n"
    assert "Couldn't find a D1 DB" in d1("export", "boks", "--output", "x", code=1)
    d1.write("broken/d1/books/db.sqlite", "this is no database" * 1000)
    d1("export", "books", "--output", "there.sql", "--persist-to", "broken", code=1)
    assert "database 'books': file is not a database" in d1.err
    assert d1.read("there.sql") == "kept"
    d1("export", "books", "--output", "link.sql")
    assert "CREATE TABLE t(x);" in d1.read("there.sql") and (d1.folder / "link.sql").is_symlink()
    assert sorted(os.listdir(d1.folder)) == [".corral", "broken", "link.sql", "there.sql", "wrangler.toml"]
    assert d1("export", "books", "--output", "/dev/full", code=1).startswith("corral: write '/dev/full': No space left on device")
