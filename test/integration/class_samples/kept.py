"""What lives in the module: counters, lru_cache, a cache with a time to live, one flight for many askers, a limit per client."""
import asyncio
import functools
import time

from workers import Response, WorkerEntrypoint, fetch

cache, flights, buckets = {}, {}, {}
lock = asyncio.Lock()
fetched = 0


@functools.lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


async def once(key, make):
    """The value; who asks while it is being made waits for the same one."""
    if key not in flights:
        flights[key] = asyncio.create_task(make())
        flights[key].add_done_callback(lambda task: flights.pop(key))
    return await flights[key]


class Default(WorkerEntrypoint):
    async def todo(self):
        global fetched
        fetched += 1
        return await (await fetch("https://example.com/todos/5")).json()

    async def fetch(self, request):
        client = request.headers["CF-Connecting-IP"]
        tokens, since = buckets.get(client, (3, time.monotonic()))
        tokens = min(3, tokens + (time.monotonic() - since) / 600)
        if tokens < 1:
            return Response.json({"error": "slow down"}, status=429, headers={"Retry-After": "600"})
        buckets[client] = (tokens - 1, time.monotonic())
        async with lock:
            if "todo" not in cache or cache["todo"][0] < time.monotonic():
                values = await asyncio.gather(*(once("todo", self.todo) for _ in range(5)))
                cache["todo"] = (time.monotonic() + 600, values[0])
        return Response.json({"todo": cache["todo"][1]["id"], "fetched": fetched, "fibonacci": fibonacci(90), "hits": fibonacci.cache_info().hits > 0})
