import json

from js import Object, Response, URL, URLSearchParams
from pyodide.ffi import to_js


async def on_fetch(request):
    url = URL.new(request.url)
    params = url.searchParams
    out = {
        "keys": [key for key in params],
        "keys()": list(params.keys()),
        "entries": [list(pair) for pair in params.entries()],
        "unpacked": {k: v for k, v in params.entries()},
        "values": list(params.values()),
        "get": params.get("a"),
        "none": params.get("zzz"),
        "item": params["a"],
        "in": ["a" in params, "zzz" in params],
        "getAll": list(params.getAll("a")),
        "from": Object.fromEntries(params).to_py(),
        "fromEntries": Object.fromEntries(params.entries()).to_py(),
        "str": str(params),
        "url": str(url),
    }
    each = []
    params.forEach(lambda value, key, *_: each.append([key, value]))
    out["forEach"] = each
    built = URL.new("/search?x=1", "https://example.org")
    built.searchParams.append("q", "ü & ü")
    built.hash = "top"
    out["built"] = built.href
    query = URLSearchParams.new(to_js({"q": "a b", "n": 5}, dict_converter=Object.fromEntries))
    out["query"] = query.toString()
    out["path"] = url.pathname.split("/")
    return Response.new(json.dumps(out))
