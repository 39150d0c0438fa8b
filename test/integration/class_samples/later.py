"""Work that goes on when the answer has left: in every way that people write."""
import asyncio

from js import Promise
from pyodide.ffi import create_once_callable, create_proxy
from workers import Response, WorkerEntrypoint, fetch, wait_until, waitUntil


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        self.ctx.waitUntil(self.log("coroutine"))
        self.ctx.waitUntil(create_proxy(self.log("proxy")))
        self.ctx.waitUntil(create_once_callable(self.log("once")))
        self.ctx.waitUntil(asyncio.create_task(self.log("task")))
        self.ctx.waitUntil(asyncio.gather(self.log("gathered"), self.log("too")))
        self.ctx.waitUntil(Promise.resolve("x").then(lambda value: self.log("promise")))
        wait_until(self.log("module"))
        waitUntil(self.log("camel"))
        return Response("answered", status=202)

    async def log(self, what):
        await asyncio.sleep(0.002)
        await fetch("https://example.com/log", method="POST", body=f"later: {what}")
