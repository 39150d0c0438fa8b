import json

from js import Headers, Object, Response
from pyodide.ffi import to_js


async def on_fetch(request):
    h = request.headers
    out = {
        "pairs": {k: v for k, v in h},
        "dict": dict(h),
        "dict entries": dict(h.entries()),
        "entries": [[p[0], p[1]] for p in h.entries()],
        "keys": [k for k in h.keys()],
        "values": [v for v in h.values()],
        "object": Object.fromEntries(h).to_py(),
        "get": h.get("X-One"),
        "none": h.get("x-none"),
        "or": h.get("x-none") or "default",
        "item": h["x-one"],
        "in": ["x-one" in h, "x-none" in h],
        "has": h.has("X-ONE"),
        "len": len(list(h)),
    }
    each = []
    h.forEach(lambda value, key, parent: each.append([key, value]))
    out["forEach"] = each
    it = h.entries()
    first = it.next()
    out["next"] = [first.done, list(first.value)]
    made = [
        Headers.new(),
        Headers.new(to_js({"a": "1"}, dict_converter=Object.fromEntries)),
        Headers.new(to_js([["a", "1"]])),
        Headers.new([("a", "1")]),
        Headers.new({"a": "1"}.items()),
        Headers.new({"a": "1"}),
        Headers.new(Object.entries(to_js({"a": 1}, dict_converter=Object.fromEntries))),
        Headers.new(h),
    ]
    out["made"] = [m.get("a") or m.get("x-one") for m in made]
    return Response.new(json.dumps(out), headers=made[1])
