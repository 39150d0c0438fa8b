"""JavaScript inside: a function that gets the database, rows that go there and come back."""
import js
from pyodide.code import run_js
from pyodide.ffi import to_js
from workers import Response, WorkerEntrypoint, env

find = run_js("async (DB, id) => (await DB.prepare('SELECT name FROM items WHERE id = ?').bind(id).first()).name")
count = run_js("(rows) => rows.length + ' ' + rows[0].name")


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        rows = (await env.DB.prepare("SELECT name FROM items ORDER BY id LIMIT 3").all()).results
        return Response.json([await find(self.env.DB.js_object, 2), count(to_js(rows, dict_converter=js.Object.fromEntries)), await find(env.DB.js_object, 3)])
