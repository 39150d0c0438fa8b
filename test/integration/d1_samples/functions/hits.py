"""Counters by upsert; the writing goes on behind the answer."""
from js import URL, Date, Response

UPSERT = """
    INSERT INTO hits (path, count, last_seen) VALUES (?1, 1, ?2)
    ON CONFLICT (path) DO UPDATE SET count = count + 1, last_seen = excluded.last_seen
"""


async def on_fetch(request, env, ctx):
    path = URL.new(request.url).pathname
    if path == "/now":
        count = await env.DB.prepare(UPSERT + " RETURNING count").bind(path, Date.new().toISOString()).first("count")
        return Response.new(str(count))
    if path == "/shown":
        r = await env.DB.prepare("SELECT path, count FROM hits WHERE path = '/later'").first()
        return Response.new(f"{r.path} {r.count}" if r else "none")
    ctx.waitUntil(env.DB.prepare(UPSERT).bind(path, Date.new().toISOString()).run())
    return Response.new("counted later")
