"""A schedule that cleans up, and work that goes on behind an answer."""
from workers import Response, WorkerEntrypoint, wait_until


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/count"):
            n = await self.env.DB.prepare("SELECT count(*) AS n FROM log WHERE line LIKE ?").bind("swept%").first("n")
            return Response(str(n))
        insert = self.env.DB.prepare("INSERT INTO log (line, at) VALUES (?, ?)")
        self.ctx.waitUntil(insert.bind("swept old", 1.0).run())
        wait_until(insert.bind("swept older", 0.5).run())
        return Response("noted")

    async def scheduled(self, controller, env, ctx):
        kept = await env.DB.prepare("DELETE FROM log WHERE line LIKE 'swept%' AND at < ?").bind(1_000_000).run()
        print("swept", kept.meta.changes, "on", controller.cron)
