import asyncio
import json

from js import Headers, Response, TextEncoder, TransformStream


async def on_fetch(request, env, ctx):
    stream = TransformStream.new()
    readable, writable = stream.readable, stream.writable
    encoder = TextEncoder.new()

    async def produce():
        writer = writable.getWriter()
        for i in range(3):
            await writer.write(encoder.encode(f"event: tick\ndata: {json.dumps({'n': i})}\n\n"))
            await asyncio.sleep(0.01)
        await writer.close()

    ctx.waitUntil(produce())
    return Response.new(readable, headers=Headers.new({"content-type": "text/event-stream", "cache-control": "no-cache"}.items()))
