"""All the ways in which people take rows apart."""
import json

import js
from js import Response
from pyodide.ffi import JsProxy


async def on_fetch(request, env):
    r = await env.DB.prepare("SELECT CustomerId AS id, CompanyName AS company, NULL AS nil FROM Customers ORDER BY id").all()
    results = r.results
    first = results[0]
    return Response.new(json.dumps({
        "list": [row.company for row in results][:2],
        "items": [row["id"] for row in results],
        "to_py": results.to_py()[0],
        "whole": sorted(r.to_py()),
        "dict": dict(first.to_py()),
        "entries": dict(first.object_entries()),
        "each": [row.to_py()["id"] for row in list(results)],
        "keys": list(first.object_keys()),
        "map": dict(first.as_object_map()),
        "len": [len(results), results.length],
        "types": [isinstance(results, JsProxy), type(results).__name__, type(first.id).__name__, type(first.nil).__name__],
        "getattr": getattr(first, "nope", "default"),
        "hasattr": [hasattr(first, "company"), hasattr(first, "nope")],
        "slice": [row.id for row in results[1:3]],
        "last": results[-1].id,
        "stringify": js.JSON.stringify(first),
        "loads": json.loads(js.JSON.stringify(results))[1]["company"],
        "enumerate": [(i, row.id) for i, row in enumerate(results)][-1],
        "sorted": [row.id for row in sorted(results, key=lambda row: -row.id)],
        "max": max(row.id for row in results),
        "truth": [bool(results), bool(first), bool(first.nil)],
        "filter": [row.id for row in filter(lambda row: row.company.startswith("A"), results)],
        "js filter": results.filter(lambda row, *_: row.id > 10).length,
        "js map": list(results.map(lambda row, *_: row.id)),
        "unpacked": [*results][0].id,
        "zip": list(zip(["a", "b"], (row.id for row in results))),
        "f": f"{first.company} ({first['id']})",
    }), headers=js.Headers.new({"content-type": "application/json"}.items()))
