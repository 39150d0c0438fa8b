"""`corral d1 ... --remote`: the databases of a node, by the command line."""
import json
import os
import subprocess

import pytest

from harness import BIN, DEADLINE

pytestmark = pytest.mark.asan

CONFIG = 'name = "shop"\nmain = "entry.py"\ncompatibility_date = "2026-03-01"\n'


def test_the_commands_of_a_node(serve, tmp_path):
    node = serve()
    folder = tmp_path / "project"
    (folder / "migrations").mkdir(parents=True)
    (folder / "wrangler.toml").write_text(CONFIG)
    (folder / "schema.sql").write_text("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT);\nINSERT INTO books VALUES (1, 'Dune');\n")
    (folder / "bad.sql").write_text("INSERT INTO books VALUES (2, 'x');\nINSERT INTO nope VALUES (1);\n")
    (folder / "migrations/0001_more.sql").write_text("ALTER TABLE books ADD COLUMN author TEXT")
    env = dict(os.environ, HOME=str(tmp_path), **node.client_env())

    def d1(*arguments, code=0):
        done = subprocess.run([str(BIN / "corral"), "d1", *arguments, "--remote"], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE, text=True)
        assert done.returncode == code, (arguments, done)
        d1.err = done.stderr
        return done.stdout

    assert "There are no databases yet" in d1("list")
    said = d1("create", "books", "--binding", "DB", "--write-config")
    assert "Successfully created DB 'books'" in said and "as env.DB" in said
    uuid = json.loads(d1("list", "--json"))[0]["uuid"]
    assert uuid in (folder / "wrangler.toml").read_text()
    d1("create", "books", code=1)
    assert "already exists [code: 7502]" in d1.err
    said = d1("execute", "DB", "--file", "schema.sql")
    assert "Executed 2 queries" in said and "remote database DB (%s)" % uuid in said and "Uploading complete" in d1.err
    d1("execute", "DB", "--file", "bad.sql", code=1)
    assert "no such table: nope: SQLITE_ERROR (statement 2, line 2: INSERT INTO nope VALUES (1);)" in d1.err
    said = d1("execute", "books", "--command", "SELECT * FROM books")
    assert json.loads(said[said.index("["):])[0]["results"] == [{"id": 1, "title": "Dune"}]
    whole = json.loads(d1("execute", "books", "--command", "SELECT * FROM books", "--json"))
    assert whole[0]["results"] == [{"id": 1, "title": "Dune"}] and whole[0]["meta"]["rows_read"] == 1
    d1("execute", uuid, "--command", "SELCT", code=1)
    assert 'near "SELCT": syntax error' in d1.err and "[code: 7500]" in d1.err
    assert "SELCT" in json.loads(d1("execute", "DB", "--command", "SELCT", "--json", code=1))["error"]["text"]
    assert "0001_more.sql" in d1("migrations", "list", "DB")
    assert "✅" in d1("migrations", "apply", "DB", "-y")
    assert "No migrations to apply" in d1("migrations", "list", "books")
    d1("export", "DB", "--output", "out.sql")
    text = (folder / "out.sql").read_text()
    assert "INSERT INTO \"books\" VALUES(1,'Dune',NULL);" in text and "0001_more.sql" in text
    assert "CREATE" not in d1("export", "DB", "--output", "-", "--no-schema", "--table", "books")
    assert json.loads(d1("info", "DB", "--json"))["num_tables"] == 2 and "num_tables" in d1("info", "DB")
    d1("execute", "DB", "--preview", "--command", "SELECT 1", code=1)
    assert "preview" in d1.err
    d1("delete", "DB", code=1)
    assert "-y" in d1.err
    assert "Deleted 'books' successfully." in d1("delete", "DB", "-y")
    d1("info", "DB", code=1)
    assert "database_id of 'books' in the configuration" in d1.err
    assert not (folder / ".corral").exists()
