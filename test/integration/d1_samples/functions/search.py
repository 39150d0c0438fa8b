"""Full-text search: FTS5 with snippets and ranks."""
import json
from urllib.parse import unquote

from js import Response
from pyodide.ffi import JsException

NOTES = [("Running shoes", "Shoes for runners who run far"), ("Python workers", "Running Python at the edge"), ("Café", "Crème brûlée and naïve coffee")]


async def on_fetch(request, env):
    if request.method == "POST":
        insert = env.DB.prepare("INSERT INTO notes_fts (title, body) VALUES (?1, ?2)")
        await env.DB.batch([env.DB.prepare("DELETE FROM notes_fts"), *(insert.bind(*note) for note in NOTES)])
        return Response.new("indexed")
    query = unquote(request.url.split("?q=")[1])
    try:
        found = await env.DB.prepare(
            "SELECT title, snippet(notes_fts, 1, '<b>', '</b>', '…', 8) AS shown FROM notes_fts WHERE notes_fts MATCH ? ORDER BY rank, rowid").bind(query).all()
    except JsException as e:
        return Response.new(e.message, status=400)
    return Response.new(json.dumps([[row.title, row.shown] for row in found.results], ensure_ascii=False))
