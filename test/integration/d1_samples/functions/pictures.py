"""Blobs: what is uploaded is stored, and given back byte by byte."""
from js import URL, Headers, Response, Uint8Array


async def on_fetch(request, env):
    name = URL.new(request.url).pathname.strip("/")
    if request.method == "PUT":
        buffer = await request.arrayBuffer()
        await env.DB.prepare("INSERT OR REPLACE INTO pictures (name, type, data) VALUES (?, ?, ?)").bind(
            name, request.headers.get("content-type"), buffer).run()
        return Response.new(None, status=204)
    if request.method == "POST":
        data = (await request.arrayBuffer()).to_bytes()
        await env.DB.prepare("INSERT OR REPLACE INTO pictures (name, type, data) VALUES (?, ?, ?)").bind(name, "image/gif", data).run()
        return Response.new(f"{len(data)} bytes")
    row = await env.DB.prepare("SELECT type, data, length(data) AS size, hex(substr(data, 1, 4)) AS magic FROM pictures WHERE name = ?").bind(name).first()
    if row is None:
        return Response.new("no such picture", status=404)
    headers = Headers.new({"content-type": row.type, "x-size": str(row.size), "x-magic": row.magic, "x-python": bytes(row.data)[:2].hex()}.items())
    return Response.new(Uint8Array.new(row.data), headers=headers)
