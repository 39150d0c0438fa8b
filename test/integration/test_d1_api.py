"""D1 as workers use it, in Python of every age and in JavaScript; docs/compatibility.md names these tests.

What D1 itself answers is compared with the real one in test_d1_cases.py.
"""
import textwrap

import pytest

from harness import DEADLINE, LAB, until

pytestmark = pytest.mark.asan

DATABASES = """
[[d1_databases]]
binding = "DB"
database_name = "books"
database_id = "00000000-0000-0000-0000-000000000001"

[[d1_databases]]
binding = "OTHER"
database_name = "other"
"""
CLASS_LAB = LAB.replace("async def on_fetch(request, env, ctx):", "async def answer(request, env, ctx):") + '''

from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await answer(request, self.env, self.ctx)
'''


def project(source, date, name):
    return {"src/entry.py": source, "wrangler.toml": f'name = "{name}"\nmain = "src/entry.py"\ncompatibility_date = "{date}"\n'
                                                     'compatibility_flags = ["python_workers"]\n' + DATABASES}


@pytest.fixture(scope="module")
def old(shared_corral):
    """Global handlers: objects of JavaScript, null is None."""
    return shared_corral(project(LAB, "2024-03-29", "old"), name="old")


@pytest.fixture(scope="module")
def mid(shared_corral):
    """Classes, objects of JavaScript, null is jsnull."""
    return shared_corral(project(CLASS_LAB, "2025-10-01", "mid"), name="mid")


@pytest.fixture(scope="module")
def new(shared_corral):
    """Classes, bindings that take and give values of Python."""
    return shared_corral(project(CLASS_LAB, "2026-05-01", "new"), name="new")


@pytest.fixture(params=["old", "mid", "new"])
def any_age(request):
    return request.getfixturevalue(request.param)




def with_table(code):
    """Behind making an empty table t (id, a, b)."""
    return 'await env.DB.exec("DROP TABLE IF EXISTS t\\nCREATE TABLE t (id INTEGER PRIMARY KEY, a, b)")\n' + textwrap.dedent(code)



# ---- Python of every age ----


def test_statements_of_every_kind(any_age):
    assert any_age.value(with_table("""
        s = env.DB.prepare("INSERT INTO t (a, b) VALUES (?1, ?2)")
        r = await s.bind("題名 🐎 \\0", 1.5).run()
        wrote = [r.success, r.meta.changes, r.meta.last_row_id, r.meta.changed_db, r.meta.rows_written, len(r.results)]
        r = await s.bind("two", 2).run()
        r = await env.DB.prepare("SELECT * FROM t ORDER BY id").all()
        first = await env.DB.prepare("SELECT * FROM t WHERE id = ?").bind(1).first()
        a = await env.DB.prepare("SELECT * FROM t WHERE id = ?").bind(1).first("a")
        none = await env.DB.prepare("SELECT * FROM t WHERE id = ?").bind(99).first()
        raw = await env.DB.prepare("SELECT a, b FROM t ORDER BY id").raw()
        names = await env.DB.prepare("SELECT a, b FROM t ORDER BY id").raw(columnNames=True)
        return [wrote, [row["a"] for row in r.results], [row.b for row in r.results], first["a"], first.b, a, not none,
                [list(row) for row in raw], list(names[0]), len(names)]
    """)) == [[True, 1, 1, True, 1, 0], ["題名 🐎 \0", "two"], [1.5, 2], "題名 🐎 \0", 1.5, "題名 🐎 \0", True,
             [["題名 🐎 \0", 1.5], ["two", 2]], ["a", "b"], 3]


def test_values_of_python_are_bound(any_age):
    assert any_age.value("""
        s = env.DB.prepare("SELECT typeof(?1) AS t, ?1 AS v, hex(?1) AS h")
        found = []
        for value in (None, True, False, 7, -1, 2**53 - 2, 1.5, "x", "", b"\\x00\\xff", b"", memoryview(b"ab")):
            row = await s.bind(value).first()
            found.append([row["t"], row["h"] if row["t"] == "blob" else row["v"] if row["t"] != "null" else None])
        return found
    """) == [["null", None], ["real", 1], ["real", 0], ["real", 7], ["real", -1], ["real", 2**53 - 2], ["real", 1.5], ["text", "x"],
             ["text", ""], ["blob", "00FF"], ["blob", ""], ["blob", "6162"]]


@pytest.mark.parametrize("age", ["old", "mid"])
def test_what_cannot_be_bound_is_refused(age, request):
    lab = request.getfixturevalue(age)
    assert lab.value("""
        s, found = env.DB.prepare("SELECT ?, ?"), []
        for value in (2**53, -2**60, 10**30, [1, "x"], {"a": 1}, (1, -2), object, js.undefined if hasattr(js, "undefined") else None):
            try:
                s.bind(None, value)
                found.append("bound")
            except Exception as e:
                found.append([type(e).__name__, str(e), e.cause.message])
        return found[:7]
    """) == [["JsException", f"Error: D1_TYPE_ERROR: {says}", says] for says in (
        "Type 'bigint' not supported for value '9007199254740992'", "Type 'bigint' not supported for value '-1152921504606846976'",
        "Type 'bigint' not supported for value '1000000000000000000000000000000'", "Type 'object' not supported for value '[1, 'x']'",
        "Type 'object' not supported for value '{'a': 1}'", "Type 'object' not supported for value '(1, -2)'",
        "Type 'function' not supported for value '<class 'object'>'")]


def test_bytes_and_bytearrays_are_blobs(old):
    assert old.value("""
        row = await env.DB.prepare("SELECT ? AS a, ? AS b, ? AS c").bind(bytearray(b"\\x01\\x02"), b"x" * 100_000, js.Uint8Array.new([7, 8])).first()
        return [row.a.to_py(), len(row.b), row.b[99_999], list(row.c)]
    """) == [[1, 2], 100_000, 120, [7, 8]]


def test_none_is_null_of_javascripts_undefined_is_not(old):
    assert old.value("""
        bind = js.eval("(s, v) => { try { return s.bind(v).params.length } catch (e) { return e.message } }")
        s = env.DB.prepare("SELECT ? AS a")
        row = await s.bind(None).first()
        return [row.a, bind(s, None), js.eval("(s) => { try { s.bind(undefined) } catch (e) { return e.message } }")(s), bind(s, 1)]
    """) == [None, "D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'",
             "D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'", 1]


def test_nulls_come_back(old, mid, new):
    code = """
        from pyodide.ffi import jsnull
        row = await env.DB.prepare("SELECT NULL AS a").first()
        one = await env.DB.prepare("SELECT NULL AS a").first("a")
        nothing = await env.DB.prepare("SELECT 1 WHERE 0").first()
        return [row["a"] is None, row["a"] is jsnull, one is None, nothing is None]
    """
    assert old.value(code) == [True, False, True, True]
    assert mid.value(code) == [False, True, False, False]
    assert new.value(code) == [True, False, True, True]


def test_results_are_answers_and_values_of_python(any_age):
    assert any_age.value(with_table("""
        await env.DB.prepare("INSERT INTO t (a, b) VALUES (?, ?), (?, ?)").bind("猫", None, "犬", b"\\x01").run()
        r = await env.DB.prepare("SELECT id, a, b FROM t ORDER BY id").all()
        rows = r.results.to_py() if hasattr(r.results, "to_py") else r.results
        return [repr([[row["id"], row["a"], list(row)] for row in rows]), len(r.results), r.results[1]["a"], r.results[-1].a, sorted(dir(r.meta))[:0]]
    """)) == ["[[1, '猫', ['id', 'a', 'b']], [2, '犬', ['id', 'a', 'b']]]", 2, "犬", "犬", []]


def test_response_json_of_results(old, mid, new):
    code = with_table("""
        await env.DB.prepare("INSERT INTO t (a, b) VALUES ('猫', NULL), (1.5, x'00ff')").run()
        return Response.json((await env.DB.prepare("SELECT * FROM t ORDER BY id").all()).results)
    """)
    rows = [{"id": 1, "a": "猫", "b": None}, {"id": 2, "a": 1.5, "b": [0, 255]}]
    assert old.run(code).json() == rows
    assert mid.run(code).json() == rows
    assert new.run(code.replace("return Response", "import workers\nreturn workers.Response")).json() == rows


def test_batches(any_age):
    assert any_age.value(with_table("""
        s = env.DB.prepare("INSERT INTO t (a) VALUES (?)")
        made = await env.DB.batch([s.bind("x"), s.bind(2), env.DB.prepare("SELECT a FROM t ORDER BY id")])
        try:
            await env.DB.batch([s.bind("lost"), env.DB.prepare("INSERT INTO nope VALUES (1)")])
            said = ""
        except Exception as e:
            said = str(e)
        left = await env.DB.prepare("SELECT count(*) AS n FROM t").first("n")
        return [len(made), [r.meta.changes for r in made], [row["a"] for row in made[2].results], said, left]
    """)) == [3, [1, 1, 0], ["x", 2], "Error: D1_ERROR: no such table: nope: SQLITE_ERROR", 2]


def test_a_hundred_at_once(any_age):
    assert any_age.value(with_table("""
        insert, select = env.DB.prepare("INSERT INTO t (a) VALUES (?) RETURNING id"), env.DB.prepare("SELECT a FROM t WHERE id = ?")
        made = await asyncio.gather(*[insert.bind(i).first("id") for i in range(100)])
        found = await asyncio.gather(*[select.bind(i).first() for i in made])
        return [sorted(made) == list(range(1, 101)), [row["a"] for row in found] == list(range(100))]
    """)) == [True, True]


def test_run_sync_waits_for_a_database(any_age):
    assert any_age.value("""
        from pyodide.ffi import run_sync
        def find(n):
            return run_sync(env.DB.prepare("SELECT ? AS n").bind(n).first("n"))
        return [find(n) for n in range(5)]
    """) == [0, 1, 2, 3, 4]


def test_scripts_and_sessions(any_age):
    assert any_age.value("""
        r = await env.DB.exec("DROP TABLE IF EXISTS u;\\nCREATE TABLE u (\\n  a TEXT\\n);\\nINSERT INTO u VALUES ('x');")
        session = env.DB.withSession("first-primary")
        before = session.getBookmark()
        await session.prepare("INSERT INTO u VALUES ('y')").run()
        one = session.getBookmark()
        await session.batch([session.prepare("INSERT INTO u VALUES ('z')")])
        again = env.DB.withSession(session.getBookmark())
        return [r.count, r.duration >= 0, not before, one < session.getBookmark(), await again.prepare("SELECT count(*) AS n FROM u").first("n")]
    """) == [3, True, True, True, 3]


def test_what_goes_on_behind_the_answer_is_kept_by_wait_until(old):
    code = """
        async def later():
            await asyncio.sleep(0.01)
            await env.DB.prepare("INSERT INTO t (a) VALUES ('kept')").run()
        ctx.waitUntil(later())
        return Response.new("answered")
    """
    assert old.run(with_table(code)).text == "answered"
    until("the row is there", lambda: old.value("return await env.DB.prepare('SELECT a FROM t').first('a')") == "kept")


def test_env_is_imported(any_age):
    assert any_age.value("""
        import workers
        row = await workers.env.DB.prepare("SELECT ? AS a").bind("x").first()
        return row.a
    """) == "x"


def test_errors_are_d1s(any_age):
    assert any_age.value("""
        async def said(awaitable):
            try:
                await awaitable
            except Exception as e:
                return [str(e), e.cause.message if hasattr(e, "cause") else ""]
        DB = env.DB
        return [await said(DB.prepare("NONSENSE").run()), await said(DB.prepare("SELECT 1 AS a").first("b")), await said(DB.batch([])),
                await said(DB.exec("SELECT 1\\nSELECT * FROM nope")), (await said(DB.dump()))[0][:21]]
    """) == [['Error: D1_ERROR: near "NONSENSE": syntax error at offset 0: SQLITE_ERROR', 'near "NONSENSE": syntax error at offset 0: SQLITE_ERROR'],
             ["Error: D1_COLUMN_NOTFOUND: Column not found (b)", "Column not found"],
             ["Error: D1_ERROR: No SQL statements detected.", "No SQL statements detected."],
             ["Error: D1_EXEC_ERROR: Error in line 2: SELECT * FROM nope: no such table: nope: SQLITE_ERROR",
              "Error in line 2: SELECT * FROM nope: no such table: nope: SQLITE_ERROR"], "Error: D1_DUMP_ERROR:"]


def test_databases_are_apart(any_age):
    assert any_age.value("""
        await env.DB.exec("DROP TABLE IF EXISTS only_here")
        await env.DB.exec("CREATE TABLE only_here (a)")
        try:
            await env.OTHER.prepare("SELECT * FROM only_here").all()
        except Exception as e:
            return str(e)
    """) == "Error: D1_ERROR: no such table: only_here: SQLITE_ERROR"


def test_meta_has_every_field(any_age):
    meta = any_age.value("""
        meta = (await env.DB.prepare("SELECT 1").all()).meta
        return meta if isinstance(meta, dict) else meta.to_py()
    """)
    assert set(meta) == {"served_by", "served_by_region", "served_by_primary", "served_by_colo", "timings", "duration", "changes",
                         "last_row_id", "changed_db", "size_after", "rows_read", "rows_written", "total_attempts"}
    assert meta["timings"] == {"sql_duration_ms": meta["duration"]} and meta["total_attempts"] == 1 and meta["served_by_primary"] is True
    assert meta["changes"] == 0 and meta["changed_db"] is False and meta["size_after"] > 0


def test_integers_beyond_what_javascript_has(any_age):
    assert any_age.value("""
        row = await env.DB.prepare("SELECT 9007199254740991 AS a, 9007199254740993 AS b, 9223372036854775807 AS c, 9e999 AS d").first()
        return [row["a"], float(row["b"]), float(row["c"])]
    """) == [2**53 - 1, 2.0**53, 2.0**63]


# ---- JavaScript ----


def test_javascript_in_a_worker(old):
    assert old.value("""
        run = js.eval('''async (DB) => {
            const sql = "SELECT ?1 AS a, ?2 AS b";
            const s = DB.prepare(sql).bind(1, null), r = await s.all();
            return JSON.stringify([r.results, r.success, Object.keys(r), await s.raw({ columnNames: true }), DB.constructor.name, s.params, s.statement === sql]);
        }''')
        return json.loads(await run(env.DB))
    """) == [[{"a": 1, "b": None}], True, ["success", "meta", "results"], [["a", "b"], [1, None]], "D1Database", [1, None], True]


PATCHES = """
  const bad = () => { throw new Error("patched") };
  for (const C of [Array, String, Map])
    for (const name of ["push", "map", "slice", "forEach", "concat", "at", "substring", "trim", "split", "replace", "startsWith", "get", "set", "has", "clear"])
      if (C.prototype[name]) C.prototype[name] = bad;
  JSON.stringify = Array.isArray = Reflect.apply = Object.fromEntries = bad;
"""


def test_patched_prototypes_break_nothing(corral):
    one = corral(project(f"import js\nfrom js import Response\njs.eval({PATCHES!r})\n" + """
async def on_fetch(request, env):
    rows = (await env.DB.prepare("SELECT ?1 AS a, 'x' AS b UNION ALL SELECT 6, x'01'").bind(5).all()).results
    two = await env.DB.exec("SELECT 1\\nSELECT 2")
    raw = await env.DB.prepare("SELECT 1 AS a").raw(columnNames=True)
    return Response.new(repr([rows[0].a, rows[1].a, rows[0].b, rows[1].b[0], two.count, raw[0][0]]))
""", "2024-03-29", "patched"), name="patched")
    assert one.get().text == "[5, 6, 'x', 1, 2, 'a']"


# ---- large results ----


def test_many_rows(old):
    count, total, longest = old.value("""
        r = await env.DB.prepare('''WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
            SELECT i, 'row ' || i AS t, i % 7 AS s, NULL AS z FROM n''').all()
        total = js.eval("(rows) => rows.reduce((sum, row) => sum + row.i, 0)")(r.results)
        return [len(r.results), total, r.results[199_999].t]
    """, timeout=3 * DEADLINE)
    assert (count, total, longest) == (200_000, 200_000 * 200_001 // 2, "row 200000")


# ---- outside of requests ----


def test_a_database_at_top_level_is_refused_as_fetch_is(corral):
    source = """
import asyncio
from workers import env
from js import Response, fetch
from pyodide.ffi import create_proxy
said = []
for ask in (lambda: env.DB.prepare("SELECT 1").run(), lambda: fetch("http://x")):
    ask().catch(create_proxy(lambda e: said.append(str(e))))

async def on_fetch(request, env):
    return Response.new(repr(said))
"""
    one = corral(project(source, "2024-03-29", "top"), name="top")
    until("both have failed", lambda: len(eval(one.get().text)) == 2)
    one_says, other_says = eval(one.get().text)
    assert "Disallowed operation called within global scope" in one_says and one_says == other_says
