import struct
import zlib

from js import Headers, Response
from pyodide.ffi import to_js


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, pixel):
    rows = b"".join(b"\0" + b"".join(bytes(pixel(x, y)) for x in range(width)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


async def on_fetch(request):
    data = png(16, 16, lambda x, y: (x * 16, y * 16, 128))
    way = request.headers.get("x-way")
    body = {"to_js": lambda: to_js(data), "buffer": lambda: to_js(data).buffer, "bytes": lambda: data, "memoryview": lambda: memoryview(data)}[way]()
    return Response.new(body, headers=Headers.new({"Content-Type": "image/png", "Content-Length": str(len(data))}.items()))
