import json

from js import Headers, Response
from pyodide.ffi import JsException

# Whoever may call this from a page of theirs.
CORS = [
    ["access-control-allow-origin", "*"],
    ["access-control-allow-methods", "GET, POST, OPTIONS"],
    ["access-control-allow-headers", "content-type"],
]


def answer(value, status=200):
    return Response.json(value, status=status, headers=Headers.new(CORS))


def complain(text, status):
    headers = Headers.new([*CORS, ["content-type", "application/json"]])
    return Response.new(json.dumps({"error": text}), status=status, headers=headers)


async def list_books(env):
    found = await env.DB.prepare("SELECT id, title, description FROM books ORDER BY id").all()
    return answer(found.results)


async def add_book(request, env):
    try:
        data = await request.json()
    except JsException:
        return complain("the body is not JSON", 400)
    title = getattr(data, "title", None)
    description = getattr(data, "description", None)
    if not title or not description:
        return complain("title and description are needed", 400)
    added = (
        await env.DB.prepare("INSERT INTO books (title, description) VALUES (?1, ?2) RETURNING id, title, description")
        .bind(title, description)
        .first()
    )
    return answer(added, 201)


async def on_fetch(request, env):
    if request.method == "OPTIONS":
        return Response.new(None, status=204, headers=Headers.new(CORS))
    if request.method == "GET":
        return await list_books(env)
    if request.method == "POST":
        return await add_book(request, env)
    return complain("only GET and POST", 405)
