"""Streams: a TransformStream fed beside the answer, generators, server-sent events, a body in bounds."""
import asyncio
import json

from js import TextEncoder, TransformStream
from pyodide.ffi import create_proxy
from workers import Response, WorkerEntrypoint, fetch

LIMIT = 1000


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = request.url.rsplit("/", 1)[1]
        if path == "transform":
            return self.transform()
        if path == "numbers":
            return Response((f"{n}\n" for n in range(5)), headers={"content-type": "text/plain"})
        if path == "events":
            return Response(self.events(), headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        if path == "upper":
            return Response(self.upper(await fetch("https://example.com/page")), headers={"content-type": "text/html"})
        return await self.bounded(request)

    def transform(self):
        stream = TransformStream.new()
        writer, encoder = stream.writable.getWriter(), TextEncoder.new()

        async def produce():
            await writer.write(encoder.encode('{"items": ['))
            for n in range(3):
                await writer.write(encoder.encode(("," if n else "") + json.dumps({"n": n})))
                await asyncio.sleep(0.001)
            await writer.write(encoder.encode("]}"))
            await writer.close()

        self.ctx.waitUntil(create_proxy(produce()))
        return Response(stream.readable, headers={"content-type": "application/json"})

    async def events(self):
        for n in range(3):
            yield f"id: {n}\ndata: {json.dumps({'n': n})}\n\n"
            await asyncio.sleep(0.001)

    async def upper(self, answer):
        async for piece in answer.body:
            yield piece.to_bytes().upper()

    async def bounded(self, request):
        reader, got = request.body.getReader(), bytearray()
        while True:
            step = await reader.read()
            if step.done:
                return Response(f"{len(got)} bytes")
            got += step.value.to_bytes()
            if len(got) > LIMIT:
                await reader.cancel("too much")
                return Response("Payload Too Large", status=413)
