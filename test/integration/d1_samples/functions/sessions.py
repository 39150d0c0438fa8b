"""Reads that see what was written: a bookmark travels in a header."""
from js import Headers, Response


async def on_fetch(request, env):
    bookmark = request.headers.get("x-d1-bookmark") or "first-unconstrained"
    session = env.DB.withSession(bookmark)
    if request.method == "POST":
        await session.prepare("INSERT INTO todos (title) VALUES (?)").bind(await request.text()).run()
    listed = await session.prepare("SELECT title FROM todos ORDER BY id").all()
    headers = Headers.new({"x-d1-bookmark": session.getBookmark()}.items())
    return Response.json(listed.results, headers=headers)
