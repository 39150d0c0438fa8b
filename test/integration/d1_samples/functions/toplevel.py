"""The binding at the top of a module, errors taken apart, a schema from a file, a schedule."""
import json
from pathlib import Path

import js
from js import Response
from pyodide.ffi import JsException
from workers import env as imported

DB = imported.DB
FIND = imported.DB.prepare("SELECT name FROM items WHERE id = ?1")
SCHEMA = (Path(__file__).parent / "more.sql").read_text()


async def on_fetch(request, env):
    done = await env.DB.exec(SCHEMA)
    try:
        await DB.prepare("INSERT INTO more (id, kind) VALUES (?, ?)").bind(1, "no such kind").run()
        said = []
    except JsException as e:
        said = [e.name, e.message, str(e), repr(e), e.cause.message, isinstance(e, Exception), e.js_error.message == e.message]
    rows = (await DB.prepare("SELECT id, kind FROM more ORDER BY id").all()).results
    rows.push(to_row(9, "pushed"))
    return Response.new(json.dumps({
        "count": done.count, "said": said, "found": await FIND.bind(2).first("name"), "rows": [row.id for row in rows], "sum": sum(row.id for row in rows),
        "values": list(rows[0].object_values()), "clone": js.structuredClone(rows[0]).kind, "spread": js.Object.assign(js.Object.new(), rows[0], to_row(5, "x")).id,
        "has": [rows[0].hasOwnProperty("id"), rows[0].hasOwnProperty("nope")], "json": rows.as_py_json()[0]["kind"], "depth": type(rows.to_py(depth=1)[0]).__name__,
        "popped": rows.pop().id, "index": [row.kind for row in rows].index("b"), "js": js.Object.entries(rows[1]).to_py(), "text": js.String(rows[0])}))


def to_row(number, kind):
    return js.JSON.parse(json.dumps({"id": number, "kind": kind}))
