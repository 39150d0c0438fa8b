"""A cursor as of Python's database API, over D1 with run_sync, as adapters of frameworks have it."""
import json

from js import Response
from pyodide.ffi import run_sync


class Cursor:
    def __init__(self, db):
        self.db, self.rows, self.lastrowid, self.rowcount, self.description = db, [], None, -1, None

    def execute(self, query, params=None):
        query = query.replace("%s", "?")
        statement = self.db.prepare(query).bind(*params) if params else self.db.prepare(query)
        if query.lstrip().upper().startswith("SELECT"):
            names, *rows = run_sync(statement.raw(columnNames=True)).to_py()
            self.description, self.rows = [(name,) + (None,) * 6 for name in names], [tuple(row) for row in rows]
        else:
            done = run_sync(statement.all())
            self.rows = [tuple(row.values()) for row in done.results.to_py()]
            self.lastrowid, self.rowcount = done.meta.last_row_id, done.meta.rows_written
        return self

    def fetchone(self):
        return self.rows.pop(0) if self.rows else None

    def fetchall(self):
        rows, self.rows = self.rows, []
        return rows


def work(cursor):
    cursor.execute("DROP TABLE IF EXISTS cursor_things")
    cursor.execute("CREATE TABLE cursor_things (id INTEGER PRIMARY KEY, name TEXT, born TEXT)")
    cursor.execute("INSERT INTO cursor_things (name, born) VALUES (%s, %s), (%s, %s)", ["a", "2024-02-29", "b%", None])
    last = cursor.lastrowid
    one = cursor.execute("SELECT * FROM cursor_things WHERE id = %s", [2]).fetchone()
    names = [column[0] for column in cursor.description]
    made = cursor.execute("INSERT INTO cursor_things (name) VALUES (%s) RETURNING id", ["c"]).fetchall()
    return [last, one, names, made, cursor.execute("SELECT count(*) FROM cursor_things").fetchone(), cursor.fetchone()]


async def on_fetch(request, env):
    return Response.new(json.dumps(work(Cursor(env.DB))))
