"""Several servers at once, and what they say as one."""
import asyncio

from workers import Response, WorkerEntrypoint, fetch

HOST = "https://example.com"


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        answers = await asyncio.gather(*(fetch(f"{HOST}/todos/{n}") for n in (1, 2, 3)))
        todos = await asyncio.gather(*(answer.json() for answer in answers))
        failed = await asyncio.gather(fetch(HOST + "/bad"), self.boom(), return_exceptions=True)
        return Response.json({"todos": todos, "failed": [failed[0].status, type(failed[1]).__name__]},
                             headers={"content-type": "application/json;charset=UTF-8"})

    async def boom(self):
        raise LookupError("nobody")
