"""A little framework, as many write one."""
import inspect
import json
import re
from functools import wraps

from js import Headers, Response, URL

routes = []


def route(method, pattern):
    regex = re.compile("^" + re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", pattern) + "$")

    def decorate(f):
        routes.append((method, regex, f))
        return f
    return decorate


def as_json(f):
    @wraps(f)
    async def inner(*args, **kwargs):
        value = f(*args, **kwargs)
        if inspect.isawaitable(value):
            value = await value
        status = 200
        if isinstance(value, tuple):
            value, status = value
        return Response.new(json.dumps(value), status=status, headers=Headers.new({"content-type": "application/json"}.items()))
    return inner


notes = {}


@route("GET", "/notes")
@as_json
def index(request):
    return list(notes.values())


@route("POST", "/notes")
@as_json
async def create(request):
    body = (await request.json()).to_py()
    if not isinstance(body, dict) or not body.get("text"):
        return {"error": "text is required"}, 422
    note = {"id": len(notes) + 1, **body}
    notes[str(note["id"])] = note
    return note, 201


@route("GET", "/notes/<id>")
@as_json
def show(request, id):
    return notes[id] if id in notes else ({"error": "not found"}, 404)


@route("DELETE", "/notes/<id>")
async def remove(request, id):
    notes.pop(id, None)
    return Response.new(None, status=204)


async def on_fetch(request, env, ctx):
    path = URL.new(request.url).pathname
    allowed = set()
    for method, regex, f in routes:
        match = regex.match(path)
        if match:
            allowed.add(method)
            if method == request.method:
                return await f(request, **match.groupdict())
    if request.method == "OPTIONS" and allowed:
        return Response.new("", status=204, headers=Headers.new({"allow": ", ".join(sorted(allowed))}.items()))
    if request.method == "HEAD" and "GET" in allowed:
        return Response.new(None, status=200)
    if allowed:
        return Response.new("method not allowed", status=405)
    return Response.new("not found", status=404)
