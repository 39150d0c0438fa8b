"""Queries side by side: gather, create_task, Promise.all."""
import asyncio
import json

from js import Promise, Response
from pyodide.ffi import to_js


async def on_fetch(request, env):
    by_id = env.DB.prepare("SELECT name FROM items WHERE id = ?")
    names = await asyncio.gather(*(by_id.bind(n).first("name") for n in (3, 1, 2)))
    task = asyncio.ensure_future(env.DB.prepare("SELECT max(id) AS m FROM items").first("m"))
    together = await Promise.all(to_js([by_id.bind(4).first(), by_id.bind(5).first()]))
    failed = await asyncio.gather(by_id.bind(1).first("name"), env.DB.prepare("SELECT * FROM nope").all(), return_exceptions=True)
    return Response.new(json.dumps([names, await task, [row.name for row in together], failed[0], str(failed[1])]))
