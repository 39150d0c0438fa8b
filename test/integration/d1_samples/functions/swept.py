"""A schedule that writes a report of what is there, once by itself and once behind its own end."""
from js import Response


async def report(db, kind):
    await db.prepare("INSERT INTO log (line, at) SELECT ?1 || count(*), unixepoch() FROM items").bind(kind).run()


async def on_scheduled(controller, env, ctx):
    await report(env.DB, controller.cron + " ")
    ctx.waitUntil(report(env.DB, "later "))


async def on_fetch(request, env):
    lines = await env.DB.prepare("SELECT group_concat(line, ', ') AS lines FROM log WHERE line LIKE '% 25' ORDER BY id").first("lines")
    return Response.new(lines or "nothing")
