import asyncio

from js import Object, ReadableStream, Response, TextEncoder
from pyodide.ffi import create_proxy, to_js


async def on_fetch(request):
    encoder = TextEncoder.new()

    async def start(controller):
        for word in ("one", "two", "three"):
            controller.enqueue(encoder.encode(f"data: {word}\n\n"))
            await asyncio.sleep(0)
        controller.close()

    source = to_js({"start": create_proxy(start)}, dict_converter=Object.fromEntries)
    return Response.new(ReadableStream.new(source), headers=to_js({"content-type": "text/event-stream"}, dict_converter=Object.fromEntries))
