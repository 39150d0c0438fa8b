import json

from js import Blob, Headers, Response, URL
from pyodide.ffi import to_js


async def on_fetch(request):
    path = URL.new(request.url).pathname
    if path == "/large":
        return Response.new("x" * 5_000_000)
    if path == "/echo":
        return Response.new(request.body, headers=Headers.new({"content-type": request.headers.get("content-type") or "text/plain"}.items()))
    if path == "/len":
        return Response.new(str(len(await request.text())))
    if path == "/bytes":
        raw = (await request.arrayBuffer()).to_bytes()
        return Response.new(raw[::-1])
    if path == "/blob":
        blob = await request.blob()
        return Response.new(json.dumps([blob.size, blob.type, (await blob.text())[:3]]))
    if path == "/made":
        return Response.new(Blob.new(["a,b\n", "1,2\n"], type="text/csv"))
    if path == "/clone":
        copy = request.clone()
        return Response.new(await request.text() + await copy.text())
    if path == "/proxy-list":
        return Response.new(to_js([1, 2, 3]))
    return Response.new(f"{request.method} {request.bodyUsed} {request.body}")
