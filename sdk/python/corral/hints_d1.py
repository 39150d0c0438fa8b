"""hints_d1.py - what to do about errors of D1, and where its objects were taken for those of another database."""
import linecache
import re

from . import errors

# What other databases, and D1's own other objects, have: the kind of the object -> names -> what to say.
_READ = "`await db.prepare(sql).bind(value, ...).all()` reads rows, `.first()` one, `.run()` writes"
_NAMES = {
    "D1Database": (
        (("execute", "executemany", "query", "run", "all", "first", "get", "select", "fetch", "fetchall", "fetchone", "fetchrow", "sql", "raw", "bind"), _READ),
        (("cursor", "connect", "connection", "close", "acquire", "session"), "D1 has no connections and no cursors: " + _READ),
        (("commit", "rollback", "begin", "transaction", "savepoint"),
         "every statement is committed by itself; `await db.batch([statement, ...])` is a transaction"),
        (("executescript", "script"), "`await db.exec(script)` runs a script"),
    ),
    "D1PreparedStatement": (
        (("execute", "executemany", "query", "exec"), "`await statement.all()` reads rows, `.first()` one, `.run()` writes"),
        (("fetchall", "fetch", "results", "rows", "to_list", "meta", "success"), "`await statement.all()` brings the rows, in its `results`"),
        (("fetchone", "get", "one", "scalar"), "`await statement.first()` is the first row, `first(column)` one value of it"),
        (("values", "fetchmany"), "`await statement.raw()` has rows as lists"),
    ),
}
_RESULT = {"success", "meta", "results"}
_RESULT_HINT = "what D1 answers: the rows are in its `results`, what was changed in its `meta`"
# Words that are no names without quotes, of those that people want as names.
_WORDS = {"add", "all", "case", "check", "collate", "commit", "constraint", "default", "distinct", "exists", "foreign", "from", "group", "in", "index",
          "is", "join", "limit", "nothing", "order", "primary", "references", "select", "set", "table", "then", "to", "transaction", "unique", "update",
          "using", "values", "when", "where"}
_LIMITS = {
    "too many SQL variables": "a statement has at most 100: for a list, `IN (SELECT value FROM json_each(?))` and bind(json.dumps(values)); for rows, batch()",
    "LIKE or GLOB pattern too complex": "a pattern has at most 50 bytes: `instr(column, ?) > 0` finds longer text, an FTS5 table words",
}
_IN_TEXT = "a value in the text of SQL is read as SQL: write `?` in its place and give it to bind(value)"


def _source(e):
    """The worker's own lines around the one where it came from."""
    frame, found = e.__traceback__, None
    while frame:
        code = frame.tb_frame.f_code
        if errors.is_of_bundle(code.co_filename):
            found = code.co_filename, code.co_firstlineno, frame.tb_lineno
        frame = frame.tb_next
    if not found:
        return ""
    file, first, line = found
    return "".join(linecache.getlines(file)[max(first - 1, line - 12):line + 4])


def _is_formatted(e):
    return bool(re.search(r"""\b[fF]["']|["']\s*%\s*[\w(]|\.format\(|["']\s*\+\s*\w""", _source(e)))


def _database():
    """The binding of the worker's database, as the command line takes it; NAME where there are several."""
    from workers._values import kind_of

    from . import entry
    names = [name for name, value in entry.env.object_entries() if kind_of(value).lstrip("?") == "D1Database"]
    return names[0] if len(names) == 1 else "NAME"


def _of_sql(e, text):
    match = re.search(r"no such table: (\S+?)(?: at offset \d+)?(?:: SQLITE_ERROR|$)", text)
    if match and not match[1].startswith("sqlite_"):
        name = _database()
        return (f"the database has no table `{match[1]}` yet: `corral d1 execute {name} --file=schema.sql` makes those of a file, "
                f"`corral d1 migrations apply {name}` those of migrations")
    if "Wrong number of parameter bindings" in text:
        return "bind() takes one value for each `?` of the SQL, or for each number of `?1`, `?2`; a list is handed over as `bind(*values)`"
    for part, hint in _LIMITS.items():
        if part in text:
            return hint
    match = re.search(r'near "(.*?)": syntax error', text)
    if match and match[1] == "%":
        return "`?` stands for a value, not `%s`"
    if match and match[1].lower() in _WORDS and not _is_formatted(e):
        return f'`{match[1]}` is a word of SQL: as a name it stands in double quotes, "{match[1]}"'
    if (match or "unrecognized token" in text or "no such column" in text) and _is_formatted(e):
        return _IN_TEXT
    if "SQL must be a string" in text:
        return "prepare() takes the SQL, a str"
    return ""


def _of_type(text):
    match = re.search(r"Type '(\w+)' not supported for value '(.*)'$", text, re.S)
    if not match:
        return ""
    kind, value = match[1], match[2]
    if kind == "bigint":
        return "numbers cross as JavaScript's, exact below 2^53: bind str(n), and write CAST(? AS INTEGER)"
    if kind == "undefined":
        return "`null` (in Python None) is NULL, `undefined` is nothing that can be stored"
    if value == "[object Object]" or value.startswith("{"):
        return "values go by their places, bind(a, b): names are not known; json.dumps(value) makes text of a dict"
    if value.startswith(("[", "(")) or "," in value:
        return "bind(*values) gives each `?` a value of its own; json.dumps(value) makes text of a list"
    if re.match(r"\d{4}-\d\d-\d\d|\w{3} \w{3} \d\d \d{4} ", value):
        return "D1 has no dates: bind value.isoformat(), or value.timestamp()"
    if re.fullmatch(r"-?[\d.]+(E[+-]?\d+)?", value):
        return "bind float(value), or str(value) to keep all digits"
    return "D1 stores None, bool, int, float, str and bytes: bind str(value), say"


def of_exception(e):
    """What to do about an error that D1 has raised; else ''."""
    text = str(e)
    if "D1_TYPE_ERROR" in text:
        return _of_type(text)
    if "D1_ERROR" in text or "D1_EXEC_ERROR" in text:
        return _of_sql(e, text)
    if "D1_COLUMN_NOTFOUND" in text:
        return "first(column) wants the name of a column of the result: `SELECT count(*) AS n` has `n`"
    return ""


def of_attribute(obj, name, kind):
    """What to say of a name that an object of D1 does not have; else ''.  kind: of a JavaScript object, as webKind has it."""
    for names, hint in _NAMES.get(kind.lstrip("?"), ()):
        if name.lower() in names:
            return hint
    if name == "to_py" and not kind and isinstance(obj, (list, dict, str, int, float)):
        return "a value of Python already, as all that bindings give from 2026-04-21 on: leave out `.to_py()`"
    keys = set(obj) if isinstance(obj, dict) else set(obj.object_keys()) if kind == "object" else ()
    return _RESULT_HINT if _RESULT <= set(keys) else ""


_NO_ROW = re.compile(r"'(NoneType|JsNull)' object (?:has no attribute|is not subscriptable)")


def of_value(e):
    """No row that was taken for one; null; values that bindings do not take; sqlite3 in place of D1; else ''."""
    if type(e).__module__ == "sqlite3" and "unable to open database file" in str(e):
        return "SQLite does not see the files below /tmp, which are in this worker's memory, and `:memory:` lasts no longer than the worker: its database is `env.DB`, " + _READ.replace("db.", "env.DB.")
    text = str(e.args[0]) if e.args else ""
    match = _NO_ROW.match(text)
    if match and ".first(" in _source(e):
        return f"first() gives {'None' if match[1] == 'NoneType' else 'jsnull'} where there is no row: ask `if row:` before"
    if isinstance(e, (TypeError, AttributeError, ValueError)) and "'JsNull'" in str(e):
        return "jsnull is JavaScript's null, of a NULL in a row say: `value or None`, or ask `value is jsnull`, `from pyodide.ffi import jsnull`"
    if text == "<class 'tuple'> cannot be sent over RPC.":
        return "a list can: list(values); bind(*values) takes each of them by itself"
    if text.startswith("Awaitable <class ") and ".batch(" in _source(e):
        return "batch() takes statements before run(), all() or first()"
    return ""
