"""Books are posted and listed; what is printed of rows goes to the log."""
from js import Headers, Response
from pyodide.ffi import JsException

headers = Headers.new({"content-type": "application/json;charset=UTF-8"}.items())


async def on_fetch(request, env):
    if request.method == "POST":
        try:
            data = await request.json()
        except JsException:
            return Response.new({"error": "invalid JSON"}, status=400)
        title, description = getattr(data, "title", None), getattr(data, "description", None)
        if title is None or description is None:
            return Response.new({"error": "title and description"}, status=400)
        await env.DB.prepare("INSERT INTO books (title, description) VALUES (?, ?)").bind(title, description).run()
        return Response.new({"message": "ok"}, status=201)
    if request.method == "GET":
        r = await env.DB.prepare("SELECT title, description FROM books ORDER BY id").all()
        print(r.results)
        return Response.json(r.results, headers=headers)
    return Response.new({"error": "method not allowed"}, status=405)
