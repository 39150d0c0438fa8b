from js import Object, Response, TextDecoder, TextDecoderStream, TextEncoder, TextEncoderStream, TransformStream, fetch
from pyodide.ffi import create_proxy, to_js


async def on_fetch(request):
    response = await fetch("https://example.com/html")
    decoder, encoder = TextDecoder.new(), TextEncoder.new()

    def transform(chunk, controller):
        controller.enqueue(encoder.encode(decoder.decode(chunk).upper()))

    if "text" in request.url:
        shout = TransformStream.new(transform=lambda chunk, controller: controller.enqueue(chunk.upper()))
        body = response.body.pipeThrough(TextDecoderStream.new()).pipeThrough(shout).pipeThrough(TextEncoderStream.new())
    else:
        transformer = Object.fromEntries(to_js({"transform": create_proxy(transform)}))
        body = response.body.pipeThrough(TransformStream.new(transformer))
    return Response.new(body, response)
