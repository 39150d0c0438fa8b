import json

import js
from js import JSON, Object, Response
from pyodide.ffi import JsProxy, to_js


async def on_fetch(request):
    data = await request.json()
    plain = data.to_py()
    out = {
        "attribute": data.title,
        "item": data["title"],
        "nested": data.author.name,
        "nested item": data["author"]["name"],
        "list": [t for t in data.tags],
        "index": data.tags[0],
        "len": len(data.tags),
        "plain": plain,
        "stringify": json.loads(JSON.stringify(data)),
        "hasattr": hasattr(data, "missing"),
        "getattr": getattr(data, "missing", "default"),
        "isinstance": isinstance(data, JsProxy),
        "keys": list(Object.keys(data)),
        "entries": [e[0] for e in Object.entries(data)],
        "object_entries": [e[0] for e in data.object_entries()],
        "float": data.price,
        "int": data.count,
        "types": [type(data.price).__name__, type(data.count).__name__, type(data.flag).__name__],
        "unicode": data.author.city,
    }
    data.title = "changed"
    data["added"] = 1
    out["changed"] = json.loads(JSON.stringify(data, None, 2))
    which = request.headers.get("x-way")
    made = {"ok": True, "items": [1, 2, {"x": None}], "out": None}
    if which == "json":
        return Response.json(to_js(made, dict_converter=js.Object.fromEntries))
    if which == "json-status":
        return Response.json(to_js(made, dict_converter=js.Object.fromEntries), status=201, headers=to_js({"x-a": "b"}, dict_converter=js.Object.fromEntries))
    if which == "stringify":
        return Response.new(JSON.stringify(to_js(made, dict_converter=js.Object.fromEntries)))
    if which == "dumps":
        return Response.new(json.dumps(made))
    if which == "same":
        return Response.json(data)
    if which == "parsed":
        return Response.json(JSON.parse(json.dumps(made)))
    if which == "new-to-js":
        return Response.new(to_js({"a": 1}, dict_converter=js.Object.fromEntries))
    return Response.new(json.dumps(out))
