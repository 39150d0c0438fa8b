"""Sessions with bookmarks, in the newest style."""
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        session = self.env.DB.withSession(request.headers.get("x-d1-bookmark", "first-unconstrained"))
        if request.method == "POST":
            await session.batch([session.prepare("INSERT INTO todos (title) VALUES (?)").bind(title) for title in await request.json()])
        rows = (await session.prepare("SELECT title FROM todos ORDER BY id").run()).results
        return Response.json([row.title for row in rows], headers={"x-d1-bookmark": session.getBookmark() or ""})
