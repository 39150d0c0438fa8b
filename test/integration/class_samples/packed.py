"""Compressed by hand with zlib, gzip and brotli's absence; hashes by both languages agree."""
import gzip
import hashlib
import hmac
import zlib

import js
from js import Object, Response as JsResponse, TextEncoder, Uint8Array
from pyodide.ffi import to_js
from workers import Response, WorkerEntrypoint

PAGE = ("<p>a page that is worth packing</p>\n" * 200).encode()


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/hashes"):
            return Response.json(await self.hashes(await request.bytes()))
        if request.method == "POST":
            return Response(zlib.decompress(await request.bytes(), 31))
        if "gzip" not in (request.headers["accept-encoding"] or ""):
            return Response(PAGE, headers={"content-type": "text/html"})
        headers = Object.fromEntries(to_js({"content-type": "text/html", "content-encoding": "gzip", "vary": "accept-encoding"}))
        return JsResponse.new(to_js(gzip.compress(PAGE, mtime=0)), headers=headers, encodeBody="manual")

    async def hashes(self, data):
        algorithm = Object.fromEntries([["name", "HMAC"], ["hash", "SHA-256"]])
        key = await js.crypto.subtle.importKey("raw", TextEncoder.new().encode("key"), algorithm, False, ["sign", "verify"])
        mac = await js.crypto.subtle.sign("HMAC", key, to_js(data))
        digest = await js.crypto.subtle.digest("SHA-512", to_js(data))
        return [
            digest.to_bytes().hex() == hashlib.sha512(data).hexdigest(),
            bytes(Uint8Array.new(mac)).hex() == hmac.new(b"key", data, hashlib.sha256).hexdigest(),
            await js.crypto.subtle.verify("HMAC", key, mac, to_js(data)),
            js.crypto.subtle.timingSafeEqual(to_js(b"same"), to_js(b"same")),
            zlib.crc32(data) == zlib.crc32(memoryview(data)),
            len(hashlib.scrypt(b"p", salt=b"s", n=16, r=8, p=1)), len(js.crypto.getRandomValues(Uint8Array.new(8)).to_bytes()),
        ]
