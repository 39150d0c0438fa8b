"""Bodies larger than anybody wants in memory: made piece by piece, or passed on as they come."""
from urllib.parse import parse_qs, urlparse

from js import ReadableStream, Response, TransformStream

MB = 1_000_000
PIECE = 64 * 1024
HELP = """\
GET  /generate?mb=100   so many megabytes, made in Python while you read them
POST /echo              your own bytes, as they come
POST /upper             your own bytes in capital letters
POST /count             how many bytes you sent
"""


def generated(size):
    """A stream of `size` bytes, each piece beginning with its place.

    pull() is called when the client has taken what was there: a client that
    reads slowly, or not at all, costs no memory.
    """
    at = 0

    def pull(controller):
        nonlocal at
        if at == size:
            controller.close()
            return
        piece = b"%015d\n" % at + b"." * (PIECE - 17) + b"\n"
        piece = piece[:size - at]
        controller.enqueue(piece)
        at += len(piece)

    return ReadableStream.new(pull=pull)


def upper(chunk, controller):
    controller.enqueue(chunk.to_bytes().upper())


async def on_fetch(request, env):
    url = urlparse(request.url)
    if url.path == "/generate":
        size = int(parse_qs(url.query).get("mb", ["100"])[0]) * MB
        return Response.new(generated(size))
    if request.method == "POST" and url.path == "/echo":
        return Response.new(request.body)  # Python sees none of it.
    if request.method == "POST" and url.path == "/upper":
        return Response.new(request.body.pipeThrough(TransformStream.new(transform=upper)))
    if request.method == "POST" and url.path == "/count":
        total = 0
        async for chunk in request.body:
            total += chunk.byteLength
        return Response.new("%d bytes\n" % total)
    return Response.new(HELP)
