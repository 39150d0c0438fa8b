"""What people do to call async code from plain code."""
import asyncio

import nest_asyncio
from workers import Response, WorkerEntrypoint


async def later(n):
    await asyncio.sleep(0.001)
    return n * 2


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        said = {}
        said["in a thread"] = await asyncio.to_thread(lambda: asyncio.run(later(1)))
        async with asyncio.timeout(5):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(later(n)) for n in range(3)]
        said["group"] = [t.result() for t in tasks]
        queue = asyncio.Queue()
        workers = [asyncio.create_task(queue.put(await later(n))) for n in range(2)]
        await asyncio.wait(workers)
        said["queue"] = sorted([queue.get_nowait(), queue.get_nowait()])
        try:
            said["run"] = asyncio.run(later(3))
        except RuntimeError as e:
            said["run"] = str(e)
        try:
            nest_asyncio.apply()
            said["nested"] = asyncio.get_event_loop().run_until_complete(later(4))
        except Exception as e:
            said["nested"] = repr(e)
        return Response.json(said)
