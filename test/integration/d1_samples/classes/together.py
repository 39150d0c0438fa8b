"""Many at once: gather, TaskGroup, errors among them; order within a request."""
import asyncio

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        db = self.env.DB
        total, names, first = await asyncio.gather(
            db.prepare("SELECT count(*) AS n FROM items").first("n"), db.prepare("SELECT name FROM items LIMIT 2").all(),
            db.prepare("SELECT * FROM items WHERE id = ?").bind(1).first())
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.price(n)) for n in range(1, 6)]
        failed = await asyncio.gather(self.price(1), self.price("x'"), db.prepare("SELECT * FROM nope").all(), return_exceptions=True)
        async with asyncio.timeout(5):
            slow = await db.prepare("SELECT 1 AS one").first("one")
        return Response.json([total, [row.name for row in names.results], first.name, sum(task.result() for task in tasks),
                              failed[0], failed[1], str(failed[2]), slow])

    async def price(self, number):
        row = await self.env.DB.prepare("SELECT price FROM items WHERE id = ?").bind(number).first()
        return row.price if row else None
