"""Pages of a list: LIMIT and OFFSET, and a cursor."""
import json
from urllib.parse import parse_qs, urlparse

from js import Response

PER_PAGE = 10


async def on_fetch(request, env):
    query = {name: values[0] for name, values in parse_qs(urlparse(request.url).query).items()}
    if "cursor" in query:
        found = await env.DB.prepare("SELECT id, name FROM items WHERE id > ? ORDER BY id LIMIT ?").bind(int(query["cursor"]), PER_PAGE + 1).all()
        rows = found.results.to_py()
        more, rows = len(rows) > PER_PAGE, rows[:PER_PAGE]
        return Response.new(json.dumps({"items": [row["id"] for row in rows], "next": rows[-1]["id"] if more else None}))
    page = max(int(query.get("page", "1")), 1)
    count, found = await env.DB.batch([
        env.DB.prepare("SELECT COUNT(*) AS total FROM items"),
        env.DB.prepare("SELECT * FROM items ORDER BY price DESC LIMIT ?1 OFFSET ?2").bind(PER_PAGE, (page - 1) * PER_PAGE)])
    total = count.results[0].total
    return Response.new(json.dumps({"total": total, "pages": -(-total // PER_PAGE), "prices": [row.price for row in found.results]}))
