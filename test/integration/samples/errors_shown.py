from js import Response, URL, fetch
from pyodide.ffi import JsException


class NotFound(Exception):
    status = 404


def route(path):
    if path == "/missing":
        raise NotFound("no such page")
    if path == "/zero":
        return 1 / 0
    if path == "/js":
        return URL.new("no url")
    return "fine"


async def on_fetch(request):
    path = URL.new(request.url).pathname
    if path == "/uncaught":
        return Response.new(undefined_name)  # noqa
    if path == "/none":
        return None
    if path == "/dict":
        return {"a": 1}
    if path == "/str":
        return "text"
    try:
        return Response.new(str(route(path)))
    except NotFound as e:
        return Response.new(str(e), status=e.status)
    except JsException as e:
        return Response.new(f"{e.name}: {e.message}", status=400)
    except Exception as e:
        return Response.new(f"{type(e).__name__}: {e}", status=500)
