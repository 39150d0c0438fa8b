"""Flask over D1: functions that are not async wait with run_sync."""
from flask import Flask, abort, g, jsonify, request
from pyodide.ffi import run_sync
from workers import WorkerEntrypoint, wsgi

app = Flask(__name__)


@app.before_request
def connect():
    g.db = request.environ["workers.env"].DB


def rows(sql, *values):
    result = run_sync(g.db.prepare(sql).bind(*values).all())
    return [dict(row) for row in (result.results.to_py() if hasattr(result.results, "to_py") else result.results)]


@app.get("/items/<int:number>")
def item(number):
    found = rows("SELECT name, price FROM items WHERE id = ?", number)
    return jsonify(found[0]) if found else abort(404)


@app.post("/log")
def write():
    [row] = rows("INSERT INTO log (line, at) VALUES (?, julianday('now')) RETURNING line", request.get_json()["line"])
    return row, 201


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await wsgi.fetch(app, request, self.env, self.ctx)
