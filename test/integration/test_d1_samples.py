"""Workers over D1 as people write them, of three ages; d1_samples/ has them, a project per age runs all of its own.

functions: handlers that are functions, objects of JavaScript.  classes: classes of `workers`, run by a date at which rows are
objects of JavaScript and by one at which they are dicts.  today: what only the latter can do.
"""
import json
import re
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import pytest

from conftest import assert_clean, finish, start, write_project
from harness import BIN, DEADLINE, until
from sample_origin import good

pytestmark = pytest.mark.asan

HERE = Path(__file__).parent / "d1_samples"
WRANGLER = """\
name = "{name}"
main = "src/entry.py"
compatibility_date = "{date}"
compatibility_flags = ["python_workers"]

[[d1_databases]]
binding = "DB" # This will be how you refer to your database in your Worker
database_name = "my-first-db"
database_id = "YOUR_DATABASE_ID"
"""
BEVERAGES = [{"CustomerId": 11, "CompanyName": "Bs Beverages", "ContactName": "Victoria Ashworth"},
             {"CustomerId": 13, "CompanyName": "Bs Beverages", "ContactName": "Random Name"}]
HORN = {"CustomerId": 4, "CompanyName": "Around the Horn", "ContactName": "Thomas Hardy"}


# What is written wrong most often: the body of a function of env, and what the hint below the traceback says, of functions, classes, today
# ("" when it is no mistake there; no second or third: as the one before).
MISTAKES = [
    ("await env.DB.prepare('SELECT * FROM nope').all()", "no table `nope` yet: `corral d1 execute DB --file=schema.sql`"),
    ("await env.DB.prepare('SELECT ? AS a').all()", "bind() takes one value for each `?`"),
    ("await env.DB.prepare('SELECT ? AS a, ? AS b').bind(*'abc').first()", "bind() takes one value for each `?`"),
    ("await env.DB.prepare('SELECT :a AS a').bind(a=1).first()", "values go by their places"),
    ("await env.DB.prepare('SELECT ? AS a').bind({'a': 1}).first()", "json.dumps(value) makes text of a dict"),
    ("await env.DB.prepare('SELECT ? AS a').bind(['x']).first()", "bind(*values) gives each", None, "bind str(value), say"),
    ("await env.DB.prepare('SELECT ? AS a').bind((1, 'x')).first()", "bind(*values) gives each", None, "bind(*values) takes each of them"),
    ("await env.DB.prepare('SELECT ? AS a').bind(datetime.datetime(2024, 2, 29)).first()", "value.isoformat()"),
    ("await env.DB.prepare('SELECT ? AS a').bind(datetime.date(2024, 2, 29)).first()", "value.isoformat()"),
    ("await env.DB.prepare('SELECT ? AS a').bind(Decimal('1.50')).first()", "bind float(value), or str(value)"),
    ("await env.DB.prepare('SELECT ? AS a').bind(uuid.UUID(int=1)).first()", "bind str(value)"),
    ("await env.DB.prepare('SELECT ? AS a').bind(2**60).first()", "CAST(? AS INTEGER)"),
    ("""name = "O'Brien"; await env.DB.prepare(f"SELECT '{name}' AS a").first()""", "write `?` in its place"),
    ("""name = "Ann"; await env.DB.prepare("SELECT * FROM people WHERE name = " + name).first()""", "write `?` in its place"),
    ("await env.DB.prepare('SELECT * FROM people WHERE id = %s').bind(1).first()", "not `%s`"),
    ("await env.DB.prepare('SELECT * FROM people WHERE id IN (' + ', '.join('?' * 101) + ')').bind(*range(101)).all()", "at most 100"),
    ("await env.DB.prepare(\"SELECT 1 WHERE 'x' LIKE ?\").bind('%' + 'x' * 60).all()", "instr("),
    ("await env.DB.prepare('SELECT group FROM people').all()", 'in double quotes, "group"'),
    ("row = await env.DB.prepare('SELECT 1 AS a WHERE 0').first(); row['a']", "first() gives None where", "first() gives jsnull where", "first() gives None where"),
    ("row = await env.DB.prepare('SELECT 1 AS a WHERE 0').first(); row.a", "first() gives None where", "first() gives jsnull where", "first() gives None where"),
    ("row = await env.DB.prepare('SELECT NULL AS a').first(); row.a + 1", "NoneType", "`value is jsnull`", "NoneType"),
    ("await env.DB.prepare('SELECT 1 AS a').first('b')", "wants the name of a column"),
    ("row = await env.DB.prepare('SELECT 1 AS a, 2 AS b').first(); row.title", "it has `a`, `b`", None, "there is no 'title' in it"),
    ("env.DB.prepare('SELECT 1 AS a').all().results", "`await` it first"),
    ("env.DB.prepare('SELECT 1 AS a').all()['results']", "`await` it first"),
    ("json.dumps((await env.DB.prepare('SELECT 1 AS a').all()).results)", "json.dumps(data.to_py())", None, ""),
    ("(await env.DB.prepare('SELECT 1 AS a').all()).results.to_py()", "", "", "leave out `.to_py()`"),
    ("(await env.DB.prepare('SELECT 1 AS a').first()).to_py()", "", "", "leave out `.to_py()`"),
    ("(await env.DB.prepare('SELECT 1 AS a').all()).rows", "the rows are in its `results`"),
    ("await env.DB.execute('SELECT 1')", "prepare(sql).bind(value, ...).all()"),
    ("env.DB.cursor()", "no connections and no cursors"),
    ("await env.DB.commit()", "db.batch([statement, ...])` is a transaction"),
    ("await env.DB.prepare('SELECT 1').fetchall()", "`await statement.all()` brings the rows"),
    ("await env.DB.prepare('SELECT 1').fetchone()", "`await statement.first()` is the first row"),
    ("await env.DB.batch(['SELECT 1'])", "batch() takes statements as prepare() and bind() give them"),
    ("await env.DB.batch([env.DB.prepare('SELECT 1').run()])", "before run(), all() or first()"),
    ("await env.DB.batch(env.DB.prepare('SELECT 1'))", "in Python a list"),
    ("await env.db.prepare('SELECT 1').all()", "did you mean `DB`?"),
    ("await env.SHOP.prepare('SELECT 1').all()", "databases in [[d1_databases]], and an environment, [env.X], inherits none"),
    ("await helper()", "`from workers import env`"),
    ("await self.env.DB.prepare('SELECT 1').all()", "a function has no `self`"),
    ("sqlite3.connect('my.db').execute('SELECT 1')", "its database is `env.DB`"),
    ("await env.DB.prepare('BEGIN').run()", "With D1, use batch()"),
    ("return workers.Response((await env.DB.prepare('SELECT 1 AS a').all()).results)", "Response.json(data)"),
    ("return workers.Response(await env.DB.prepare('SELECT 1 AS a').first())", "Response.json(data)"),
    ("return workers.Response(await env.DB.prepare(\"SELECT x'0102' AS a\").first('a'))", "bytes(data) is one of numbers"),
    ("return (await env.DB.prepare('SELECT 1 AS a').all()).results", "Return Response.json(data)"),
]
MISTAKEN = """\
import asyncio, datetime, json, sqlite3, uuid
from decimal import Decimal
import js, workers

async def helper():
    return await env.DB.prepare("SELECT 1").first()

%s
async def on_fetch(request, env):
    return await globals()["m" + request.url.rsplit("/", 1)[1]](env) or js.Response.new("fine")

class Default(workers.WorkerEntrypoint):
    async def fetch(self, request):
        return await globals()["m" + request.url.rsplit("/", 1)[1]](self.env) or workers.Response("fine")
""" % "\n".join("async def m%d(env):\n    %s\n" % (n, mistake[0]) for n, mistake in enumerate(MISTAKES))


def serve(path, name, date, *folders):
    """A running project of all that is in the folders, its tables made by the command line first; yields ask(sample, path, ...)."""
    files = {"src/%s" % file.relative_to(HERE / folder): file.read_text()
             for folder in folders for file in (HERE / folder).rglob("*") if file.is_file() and file.suffix != ".pyc"}
    files["src/mistaken.py"] = MISTAKEN
    files["requirements.txt"] = files.pop("src/requirements.txt", "")
    files["wrangler.toml"] = WRANGLER.format(name=name, date=date)
    files["schema.sql"] = (HERE / "schema.sql").read_text()
    write_project(path, files)
    done = subprocess.run([str(BIN / "corral"), "d1", "execute", "my-first-db", "--local", "--file=./schema.sql"], cwd=path,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stdout
    one = start(path, None, "--test-scheduled")

    def ask(sample, path="/", method="GET", body=None, **headers):
        if isinstance(body, (dict, list)):
            body, headers = json.dumps(body), {"content_type": "application/json", **headers}
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return one.request(method, path, body.encode() if isinstance(body, str) else body, {**headers, "x-sample": sample})
    ask.node = one
    yield ask
    survived = one.is_running()
    finish(one)
    assert survived
    assert_clean()


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    yield from serve(tmp_path_factory.mktemp("functions"), "functions", "2024-03-29", "functions")


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    yield from serve(tmp_path_factory.mktemp("classes"), "classes", "2025-10-01", "classes")


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    yield from serve(tmp_path_factory.mktemp("today"), "today", "2026-05-01", "classes", "today")


@pytest.fixture(params=["classes", "today"])
def either(request):
    return request.getfixturevalue(request.param)


# ---- functions ----


def test_first_steps(functions):
    tables = good(functions("table_list")).json()
    assert tables["success"] is True and tables["meta"]["changes"] == 0
    assert {"Customers", "sqlite_schema"} <= {table["name"] for table in tables["results"]}
    assert good(functions("customers", "/api/beverages")).json() == BEVERAGES
    assert good(functions("customers", "/api/customers/4")).json() == HORN and functions("customers", "/api/customers/99").status == 404
    everyone = good(functions("customers", "/api/all")).json()
    assert list(everyone) == ["success", "meta", "results"] and len(everyone["results"]) == 4
    assert good(functions("customers", "/api/raw")).json() == [[1, "Maria Anders"], [4, "Thomas Hardy"]]


def test_comments_and_books(functions):
    comments = "/api/posts/hello-world/comments"
    assert good(functions("comments", comments)).json() == [{"id": 1, "author": "Kristian", "body": "Great post!", "post_slug": "hello-world"}]
    for body, said in (({"body": "b"}, "Missing author value for new comment"), ({"author": "a", "body": ""}, "Missing body value for new comment")):
        answer = functions("comments", comments, "POST", body)
        assert (answer.status, answer.json()) == (400, {"error": said})
    made = functions("comments", comments, "POST", {"author": "Zoë", "body": "'); DROP TABLE comments; --"})
    assert (made.status, made.json(), made.headers["access-control-allow-origin"]) == (201, {"created": 2, "changes": 1}, "*")
    assert good(functions("comments", comments)).json()[1]["body"] == "'); DROP TABLE comments; --"
    book = {"title": "こころ", "description": "夏目漱石 🎉"}
    assert (functions("bookshelf", "/", "POST", book).status, functions("bookshelf", "/", "POST", "{").status) == (201, 400)
    assert functions("bookshelf", "/", "POST", {"title": "t"}).text == "{'error': 'title and description'}"
    assert good(functions("bookshelf")).json() == [book] and functions("bookshelf", "/", "PUT").status == 405
    functions.node.wait_log(r"\[object Object\]")


def test_rows_are_taken_apart(functions):
    alfred = {"id": 1, "company": "Alfreds Futterkiste", "nil": None}
    assert good(functions("rows")).json() == {
        "list": ["Alfreds Futterkiste", "Around the Horn"], "items": [1, 4, 11, 13], "to_py": alfred, "whole": ["meta", "results", "success"],
        "dict": alfred, "entries": alfred, "each": [1, 4, 11, 13], "keys": ["id", "company", "nil"], "map": alfred, "len": [4, 4],
        "types": [True, "JsProxy", "int", "NoneType"], "getattr": "default", "hasattr": [True, False], "slice": [4, 11], "last": 13,
        "stringify": '{"id":1,"company":"Alfreds Futterkiste","nil":null}', "loads": "Around the Horn", "enumerate": [3, 13],
        "sorted": [13, 11, 4, 1], "max": 13, "truth": [True, True, False], "filter": [1, 4], "js filter": 2, "js map": [1, 4, 11, 13],
        "unpacked": 1, "zip": [["a", 1], ["b", 4]], "f": "Alfreds Futterkiste (1)"}


def test_pages_and_counters(functions):
    assert good(functions("pages", "/?page=3")).json() == {"total": 25, "pages": 3, "prices": [2.5, 2, 1.5, 1, 0.5]}
    seen, cursor = [], 0
    while cursor is not None:
        page = good(functions("pages", "/?cursor=%d" % cursor)).json()
        seen, cursor = seen + page["items"], page["next"]
    assert seen == list(range(1, 26))
    assert [good(functions("hits", "/now")).text for _ in range(3)] == ["1", "2", "3"]
    for _ in range(4):
        assert good(functions("hits", "/later")).text == "counted later"
    until("all are counted", lambda: functions("hits", "/shown").text == "/later 4")


def test_transactions_and_imports(functions):
    assert good(functions("transfer", "/?amount=30")).json() == {"said": [1, 1], "left": {"alice": 70, "bob": 50}}
    assert good(functions("transfer", "/?amount=500")).json() == {
        "said": "Error: D1_ERROR: CHECK constraint failed: balance >= 0: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)",
        "left": {"alice": 70, "bob": 50}}
    rows = "".join("name %d,%s\n" % (n, n / 2 if n % 3 else "") for n in range(120))
    assert good(functions("importer", "/", "POST", "name,score\n" + rows)).json() == {
        "made": 240, "n": 240, "scored": 160, "total": 4800, "last": "name 99", "type": "real"}


def test_javascript(functions):
    def js(path, *more, **headers):
        return functions("javascript", path, *more, **headers)
    assert good(js("/beverages")).json() == BEVERAGES
    assert good(js("/shelf")).json() == {"all": [23, 24, 25], "one": {"id": 3, "name": "item 3", "price": 1.5}, "none": None}
    assert good(js("/batch")).json() == [2, "Thomas Hardy", True, "number"]
    session = good(js("/session"))
    assert session.json() == [{"line": "js"}] and good(js("/session", x_d1_bookmark=session.headers["x-d1-bookmark"])).headers["x-d1-bookmark"] > session.headers["x-d1-bookmark"]
    assert good(js("/errors")).json() == [
        ["D1_ERROR: no such table: missing: SQLITE_ERROR", "no such table: missing: SQLITE_ERROR", True],
        ["D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'", "Type 'undefined' not supported for value 'undefined'", True],
        ["D1_ERROR: UNIQUE constraint failed: accounts.name: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)",
         "UNIQUE constraint failed: accounts.name: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)", True],
        ['D1_EXEC_ERROR: Error in line 2: SELEC 2;: near "SELEC": syntax error at offset 0: SQLITE_ERROR',
         'Error in line 2: SELEC 2;: near "SELEC": syntax error at offset 0: SQLITE_ERROR', True],
        ["D1_COLUMN_NOTFOUND: Column not found (b)", "Column not found", True]]
    assert good(js("/types")).json() == {"i": 1, "f": 1.5, "s": "x", "b": 1, "n": None, "blob": [1, 2, 255], "buffer": [1, 2, 255]}
    assert good(js("/first")).json() == [25, None, [1, "item 1", 2, "item 2"], [["id", "name"], [1, "item 1"]], 1]
    assert [json.loads(line)["id"] for line in good(js("/stream")).text.splitlines()] == list(range(1, 26))
    people = [{"name": "A", "email": "a@js.example"}, {"name": "B", "email": "b@js.example", "age": 3, "active": False}, {"name": "C", "email": "a@js.example"}]
    made = js("/insert", "POST", people)
    assert (made.status, made.json()) == (201, {"changes": [1, 1, 1], "people": [{"name": "C", "age": None, "active": True}, {"name": "B", "age": 3, "active": False}]})


def test_json_blobs_and_words(functions):
    assert good(functions("settings")).json() == {
        "city": "Zürich", "themes": [["ada", "dark"], ["bob", "light"]], "tags": [["ada", "a"], ["ada", "b"]],
        "ada": {"theme": "dark", "tags": ["a", "b"], "n": 2, "seen": True},
        "grouped": [{"user": "ada", "theme": "dark"}, {"user": "bob", "theme": "light"}], "some": ["ada"]}
    image = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
    assert functions("pictures", "/a.png", "PUT", image, content_type="image/png").status == 204
    back = good(functions("pictures", "/a.png"))
    assert back.body == image and [back.headers[name] for name in ("content-type", "x-size", "x-magic", "x-python")] == ["image/png", str(len(image)), "89504E47", "8950"]
    assert good(functions("pictures", "/b", "POST", image)).text == "%d bytes" % len(image) and good(functions("pictures", "/b")).body == image
    assert functions("pictures", "/c").status == 404
    assert good(functions("search", "/", "POST")).text == "indexed"
    assert good(functions("search", "/?q=run")).json() == [["Running shoes", "Shoes for runners who <b>run</b> far"], ["Python workers", "<b>Running</b> Python at the edge"]]
    assert good(functions("search", "/?q=creme%20OR%20zzz")).json() == [["Café", "<b>Crème</b> brûlée and naïve coffee"]]
    wrong = functions("search", "/?q=%22")
    assert (wrong.status, wrong.text) == (400, "D1_ERROR: unterminated string: SQLITE_ERROR")


def test_modules_retries_and_cursors(functions):
    assert good(functions("again", x_table="items")).text == "25"
    missing = functions("again", x_table="nope")
    assert (missing.status, missing.text) == (404, "Error: D1_ERROR: no such table: nope: SQLITE_ERROR")
    first = good(functions("sessions", "/", "POST", "buy milk"))
    assert first.json() == [{"title": "buy milk"}]
    assert good(functions("sessions", x_d1_bookmark=first.headers["x-d1-bookmark"])).json() == [{"title": "buy milk"}]
    assert good(functions("db_api")).json() == [2, [2, "b%", None], ["id", "name", "born"], [[3]], [3], None]
    assert good(functions("repository")).json() == {
        "ada": {"name": "Ada", "email": "ada@store.example", "age": 36, "active": 1}, "bob": {"name": "bob", "email": "bob@store.example", "age": None, "active": 0},
        "active": True, "none": None, "changed": [1, 0], "bob now": 40, "adults": ["Ada", "bob", "Eve"], "removed": [True, False]}
    assert good(functions("gathered")).json() == [["item 3", "item 1", "item 2"], 25, ["item 4", "item 5"], "item 1", "Error: D1_ERROR: no such table: nope: SQLITE_ERROR"]


def test_builders_and_mappers(functions):
    assert good(functions("builders")).json() == {
        "cheap": [{"number": n, "label": "item %d" % n, "cost": "%.2f" % (n / 2)} for n in (1, 2, 3)], "made": "2", "none": "undefined",
        "read": [{"title": "a", "done": 1}, {"title": "b", "done": 0}], "said": {"name": "O'Brien", "sum": 3}, "n": 7}
    assert good(functions("django_like")).json() == {
        "authors": 120, "prefetched": [["author %d" % n, 10] for n in (1, 2, 3)], "moved": 10, "exists": True, "top": [["author 1", 10], ["author 2", 10]],
        "said": "Error: D1_ERROR: too many SQL variables at offset 307: SQLITE_ERROR"}


def test_schedules_of_functions(functions):
    assert good(functions("swept")).text == "nothing"
    assert functions.node.get("/__scheduled?cron=0+*+*+*+*").status == 200
    until("both reports are there", lambda: functions("swept").text == "0 * * * * 25, later 25")


def test_what_modules_make(functions, either):
    broken = "CHECK constraint failed: kind IN ('a', 'b'): SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)"
    assert good(functions("toplevel")).json() == {
        "count": 4, "said": ["Error", "D1_ERROR: " + broken, "Error: D1_ERROR: " + broken, "Error: D1_ERROR: " + broken, broken, True, True], "found": "item 2",
        "rows": [1, 2, 9], "sum": 12, "values": [1, "a"], "clone": "a", "spread": 5, "has": [True, False], "json": "a", "depth": "JsProxy", "popped": 9,
        "index": 1, "js": [["id", 2], ["kind", "b"]], "text": "[object Object]"}
    assert good(either("toplevel")).json() == [3, "IT'S", "item 3", 1]


# ---- classes, of two ages ----


def test_the_docs_pages(either):
    def docs(path):
        return good(either("from_the_docs", "/" + path)).json()
    assert "Customers" in [table["name"] for table in docs("tables")["results"]]
    assert docs("bound")["results"] == BEVERAGES[:1]
    for way in ("batch", "own_list"):
        assert [result["results"] for result in docs(way)] == [BEVERAGES, [HORN]]
    assert docs("script")["count"] == 1
    assert docs("raw") == [[11, "Victoria Ashworth"], [13, "Random Name"]] and docs("names") == [["CustomerId", "ContactName"], *docs("raw")]
    assert docs("first") == [HORN, 4] and docs("session") == [False, "str", True]


def test_frameworks(either):
    assert either("quotes", "/quotes/1").status == 500      # FastAPI answers it, and logs what was wrong
    log = either.node.wait_log(r"(?s)File \"src/quotes.py\", line \d+, in one.*no table `quotes` yet").group()
    assert "/bundles/" not in log
    assert good(either("quotes", "/quotes")).json() == []
    assert either("quotes", "/quotes", "POST", {"quote": ""}).status == 422
    made = either("quotes", "/quotes", "POST", {"quote": "吾輩は猫である", "author": "夏目漱石"})
    assert (made.status, made.json()) == (201, {"id": 1, "quote": "吾輩は猫である", "author": "夏目漱石"})
    assert either("quotes", "/quotes", "POST", {"quote": "anonymous"}).status == 201
    assert [quote["author"] for quote in good(either("quotes", "/quotes?limit=5")).json()] == ["夏目漱石", None]
    assert good(either("quotes", "/quotes/1")).json() == {"quote": "吾輩は猫である", "author": "夏目漱石"}
    assert [either("quotes", "/quotes/1", "DELETE").status for _ in range(2)] == [204, 404] and either("quotes", "/quotes/1").status == 404
    assert good(either("notebook", "/items/2")).json() == {"name": "item 2", "price": 1} and either("notebook", "/items/99").status == 404
    line = either("notebook", "/log", "POST", {"line": "from flask"})
    assert (line.status, line.json()) == (201, {"line": "from flask"})


def test_rows_of_any_age(either):
    assert good(either("coerced")).json() == {"same": True, "rest": [1, True], "rows": [{"name": "Zoë", "age": None, "active": 1}], "none": None, "all none": []}
    assert good(either("records")).json() == {
        "items": [{"id": n, "name": "item %d" % n, "price": n / 2} for n in (1, 2, 3)], "same": True, "type": "int"}
    assert good(either("sensors")).json() == {"moving": [[2, 5, 4], [3, 6, 3], [4, 8.5, 2], [5, 11, 1]], "stats": [["a", 0, 5, 2.5, 4], ["b", 0, 12, 6, 4]]}


def test_what_is_taken_in(either):
    assert [good(either("ingest", "/ingest", "POST", "hello")).json()["new"] for _ in range(2)] == [True, False]
    other = good(either("ingest", "/ingest", "POST", "other")).json()["id"]
    assert either("ingest", "/ingest", "POST", " ").status == 400
    assert good(either("ingest", "/pending")).json() == [{"raw": "hello"}, {"raw": "other"}]
    assert good(either("ingest", "/ack", "POST", {"ids": [other, "x"]})).json() == {"acked": 1}
    assert good(either("ingest", "/pending")).json() == [{"raw": "hello"}] and either("ingest", "/nope").status == 404
    ada = {"username": "ada", "password": "pässword"}
    assert [either("register", "/", "POST", ada).status for _ in range(2)] == [201, 409]
    assert [either("register", "/login", "POST", {**ada, **change}).status for change in ({}, {"password": "x"}, {"username": "eve"})] == [200, 401, 401]
    data = bytes(range(256)) * 100
    assert good(either("files", "/f.bin", "PUT", data, content_type="a/b")).text == "25600"
    back = good(either("files", "/f.bin"))
    assert back.body == data and back.headers["content-type"] == "a/b" and either("files", "/nothing").status == 404


def test_schedules(either):
    assert good(either("swept")).text == "noted"
    until("both are there", lambda: either("swept", "/count").text == "2")
    assert either.node.get("/__scheduled?cron=*+*+*+*+*").status == 200
    either.node.wait_log(r"swept 2 on \* \* \* \* \*")
    assert either("swept", "/count").text == "0"


def test_relations_dates_and_links(either):
    assert good(either("cascade")).json() == {
        "joined": [[2, "こころ、坊っちゃん"], [1, "銀河鉄道の夜"]],
        "said": "Error: D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)", "gone": 3, "left": ["銀河鉄道の夜"]}
    assert good(either("calendar_days")).json() == {
        "back": True, "seconds": "2024-02-29T12:30:00+00:00", "next": "2024-03-01", "months": [["2024-02", 2], ["2024-03", 1]], "young": True, "stamp": True}
    form = {"content_type": "application/x-www-form-urlencoded"}
    for status in (201, 409):
        assert either("shortener", "/", "POST", urlencode({"url": "https://example.com/?a=b", "slug": "s"}), **form).status == status
    assert re.fullmatch(r"[\w-]{6}", either("shortener", "/", "POST", urlencode({"url": "https://a.example/"}), **form).text)
    moved = either("shortener", "/s")
    assert (moved.status, moved.headers["location"]) == (302, "https://example.com/?a=b")
    assert good(either("shortener", "/stats/s")).json() == {"clicks": 1} and either("shortener", "/t").status == 404


def test_where_the_binding_is(either):
    assert good(either("ensured")).json() == good(either("ensured")).json() == ["https://a.example/feed", "https://b.example/feed"]
    assert good(either("around")).json() == ["deep", "global", "kept", "own", "by name", True, False, None, True]


def test_queries_that_are_built_and_many(either):
    for query, rows in (("ids=3,1,99", [1, 3]), ("ids=", []), ("min=11.5&by=dear", [25, 24, 23]), ("like=2&by=name", [12, 2, 20, 21, 22, 23, 24, 25]), ("like=%25", [])):
        assert good(either("builder", "/?" + query)).json() == rows, query
    assert len(good(either("builder")).json()) == 25
    assert good(either("together")).json() == [25, ["item 1", "item 2"], "item 1", 7.5, 0.5, None, "Error: D1_ERROR: no such table: nope: SQLITE_ERROR", 1]
    assert good(either("streamed")).text.splitlines() == ["%d,item %d" % (n, n) for n in range(1, 26)]


# ---- today ----


def test_rows_are_dicts(today):
    alfred, horn = [{"id": number, "company": name, "nil": None} for number, name in ((1, "Alfreds Futterkiste"), (4, "Around the Horn"))]
    assert good(today("plain")).json() == {
        "rows": [alfred, horn], "dumps": 4, "types": ["list", True], "item": alfred["company"], "attribute": alfred["company"],
        "get": [alfred["company"], "default"], "none": True, "keys": list(alfred), "spread": {**alfred, "more": 1}, "unpacked": True, "no row": True,
        "match": [1, alfred["company"]], "changes": 3, "success": True, "f": "'Alfreds Futterkiste'"}
    assert good(today("typed")).json() == {
        "row": {"state": "open", "level": 3, "day": "2026-05-01", "id": "00000000-0000-0000-0000-000000000007", "price": 12.5, "nil": None, "yes": "real",
                "data": [0, 255]}, "person": {"id": 7001, "name": "Ann", "email": None, "age": None, "active": True}}


def test_frameworks_sessions_and_javascript(today):
    assert good(today("api", "/items?page=2")).json() == {"items": [{"id": n, "name": "item %d" % n, "price": n / 2} for n in (4, 5, 6)], "page": 2}
    assert good(today("api", "/items/4", "PUT", {"price": 9.75})).json() == {"id": 4, "name": "item 4", "price": 9.75}
    assert today("api", "/items/99", "PUT", {"price": 1}).status == 404
    first = good(today("bookmarked", "/", "POST", ["a", "b"]))
    assert first.json() == ["a", "b"] and good(today("bookmarked", x_d1_bookmark=first.headers["x-d1-bookmark"])).json() == ["a", "b"]
    assert good(today("mixed")).json() == ["item 2", "3 item 1", "item 3"]


# ---- mistakes ----


@pytest.mark.parametrize("age", ["functions", "classes", "today"])
def test_mistakes_get_a_hint(age, request):
    ask = request.getfixturevalue(age)
    wrong = []
    for n, (code, *hints) in enumerate(MISTAKES):
        hint = [each for each in hints[:["functions", "classes", "today"].index(age) + 1] if each is not None][-1]
        answer = ask("mistaken", "/%d" % n)
        if (answer.status, answer.text) != (200, "fine") if hint == "" else answer.status != 500 or hint not in answer.text.strip().splitlines()[-1]:
            wrong.append((code, hint, answer.status, answer.text[-400:]))
    assert not wrong
