"""Several schedules, one handler; work that goes on after it."""
import asyncio

from workers import Response, WorkerEntrypoint

done = []


class Default(WorkerEntrypoint):
    async def fetch(self):
        return Response.json(done)

    async def scheduled(self, controller, env, ctx):
        match controller.cron:
            case "*/3 * * * *":
                await self.refresh("three minutes")
            case "0 0 1 * *":
                ctx.waitUntil(self.refresh("monthly"))
            case other:
                raise ValueError(f"no work for {other}")
        print("scheduled", type(controller.scheduledTime).__name__, controller.type, self.env.GREETING)

    async def refresh(self, what):
        await asyncio.sleep(0.001)
        done.append(what)
