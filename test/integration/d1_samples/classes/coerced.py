"""Helpers that take rows of every age, as projects that outlived a few have them."""
import json

from workers import Response, WorkerEntrypoint

try:
    from pyodide.ffi import jsnull
except ImportError:
    jsnull = None


def coerce(value):
    if value is None or (jsnull is not None and value is jsnull):
        return None
    if hasattr(value, "to_py"):
        value = value.to_py()
    if isinstance(value, list):
        return [coerce(each) for each in value]
    if isinstance(value, dict):
        return {name: coerce(each) for name, each in value.items()}
    return value


async def query_all(db, sql, *params):
    stmt = db.prepare(sql)
    if params:
        stmt = stmt.bind(*params)
    result = await stmt.all()
    return coerce(getattr(result, "results", result))


async def query_one(db, sql, *params):
    stmt = db.prepare(sql)
    if params:
        stmt = stmt.bind(*params)
    return coerce(await stmt.first())


async def execute(db, sql, *params):
    result = await db.prepare(sql).bind(*params).run()
    meta = coerce(result.meta)
    return meta.get("last_row_id", 0), meta["changes"], bool(result.success)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        db = self.env.DB
        await execute(db, "DELETE FROM people WHERE email LIKE '%@coerced.example'")
        number, *rest = await execute(db, "INSERT INTO people (name, email, age) VALUES (?, ?, ?)", "Zoë", "zoe@coerced.example", None)
        return Response(json.dumps({
            "same": number == (await query_one(db, "SELECT id FROM people WHERE email = ?", "zoe@coerced.example"))["id"], "rest": rest,
            "rows": await query_all(db, "SELECT name, age, active FROM people WHERE email LIKE ?", "%@coerced.example"),
            "none": await query_one(db, "SELECT * FROM people WHERE id = ?", -1), "all none": await query_all(db, "SELECT 1 WHERE 0"),
        }), headers={"content-type": "application/json"})
