"""asyncio at length: a queue of workers, a semaphore, as_completed, retries that wait longer, a task group that fails."""
import asyncio
import contextlib

from workers import Response, WorkerEntrypoint, fetch

attempts = 0


async def flaky():
    global attempts
    attempts += 1
    if attempts < 3:
        raise ConnectionError("not yet")
    return await (await fetch("https://example.com/todos/9")).json()


async def retry(make, tries=5, wait=0.001):
    for n in range(tries):
        try:
            return await make()
        except ConnectionError:
            await asyncio.sleep(wait * 2 ** n)
    raise TimeoutError


@contextlib.asynccontextmanager
async def counted(counts):
    counts["now"] += 1
    counts["most"] = max(counts["most"], counts["now"])
    try:
        yield
    finally:
        counts["now"] -= 1


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        queue, found, gate, counts = asyncio.Queue(), [], asyncio.Semaphore(2), {"now": 0, "most": 0}

        async def worker():
            while True:
                number = await queue.get()
                async with gate, counted(counts):
                    found.append((await (await fetch(f"https://example.com/todos/{number}")).json())["id"])
                queue.task_done()
        workers = [asyncio.create_task(worker(), name=f"worker {n}") for n in range(4)]
        for number in range(1, 7):
            queue.put_nowait(number)
        await queue.join()
        for task in workers:
            task.cancel()
        ended = await asyncio.gather(*workers, return_exceptions=True)
        order = [await next_one for next_one in asyncio.as_completed([asyncio.sleep(0.004 - n / 1000, n) for n in range(3)])]
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(60))
                group.create_task(self.fail())
        except* ValueError as failures:
            group_failed = [str(e) for e in failures.exceptions]
        return Response.json({"found": sorted(found), "most": counts["most"], "ended": {type(e).__name__ for e in ended}.pop(), "order": sorted(order),
                              "retried": (await retry(flaky))["id"], "attempts": attempts, "group": group_failed})

    async def fail(self):
        raise ValueError("one failed")
