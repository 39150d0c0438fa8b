"""Comments under posts, as a JSON API with its own routes and CORS."""
import json
import re

from js import Headers, JSON, Object, Response
from pyodide.ffi import to_js as _to_js

CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, POST, OPTIONS"}
ROUTE = re.compile(r"^https?://[^/]+/api/posts/([^/?]+)/comments$")


def to_js(obj):
    return _to_js(obj, dict_converter=Object.fromEntries)


def answer(text, status=200):
    return Response.new(text, to_js({"status": status, "headers": {**CORS, "content-type": "application/json"}}))


async def on_fetch(request, env):
    if request.method == "OPTIONS":
        return Response.new(None, status=204, headers=Headers.new(CORS.items()))
    match = ROUTE.match(request.url)
    if not match:
        return answer(json.dumps({"error": "no such route"}), 404)
    slug = match[1]
    if request.method == "GET":
        r = await env.DB.prepare("select * from comments where post_slug = ?").bind(slug).all()
        return answer(JSON.stringify(r.results))
    data = await request.json()
    author, body = getattr(data, "author", None), getattr(data, "body", None)
    if not author:
        return answer(json.dumps({"error": "Missing author value for new comment"}), 400)
    if not body:
        return answer(json.dumps({"error": "Missing body value for new comment"}), 400)
    r = await env.DB.prepare("insert into comments (author, body, post_slug) values (?, ?, ?)").bind(author, body, slug).run()
    if r.success:
        return answer(json.dumps({"created": r.meta.last_row_id, "changes": r.meta.changes}), 201)
    return answer(json.dumps({"error": "Something went wrong"}), 500)
