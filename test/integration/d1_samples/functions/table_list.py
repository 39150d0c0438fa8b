"""Cloudflare's first steps: the tables of a database, the whole result as JSON."""
from workers import Response


async def on_fetch(request, env):
    # Do anything else you'd like on request here!
    results = await env.DB.prepare("PRAGMA table_list").run()
    return Response.json(results)
