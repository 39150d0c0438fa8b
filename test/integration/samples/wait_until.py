import asyncio
import json
import time

from js import Object, Response, console, fetch
from pyodide.ffi import to_js


async def log_request(method, url, started):
    await asyncio.sleep(0.01)
    line = json.dumps({"method": method, "url": url, "kept": round(time.time() - started) >= 0})
    await fetch("https://example.com/log", method="POST", body=line)
    console.log("logged", line)


async def on_fetch(request, env, ctx):
    ctx.waitUntil(log_request(request.method, request.url, time.time()))
    ctx.waitUntil(asyncio.create_task(log_request("task", "", time.time())))
    ctx.waitUntil(asyncio.ensure_future(log_request("future", "", time.time())))
    ctx.waitUntil(fetch("https://example.com/log", to_js({"method": "PUT", "body": "promise"}, dict_converter=Object.fromEntries)))
    return Response.new("done")
