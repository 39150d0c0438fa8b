from js import Array, Response, Uint8Array, crypto
from pyodide.ffi import to_js


async def on_fetch(request):
    data = await request.arrayBuffer()
    digest = await crypto.subtle.digest("SHA-256", data)
    hex1 = digest.to_bytes().hex()
    hex2 = "".join(f"{b:02x}" for b in Uint8Array.new(digest))
    hex3 = "".join("%02x" % b for b in Array.from_(Uint8Array.new(digest)).to_py())
    hex4 = bytes(Uint8Array.new(digest).to_py()).hex()
    other = await crypto.subtle.digest("SHA-256", to_js(b"abc"))
    other2 = await crypto.subtle.digest("SHA-256", b"abc")
    random = crypto.getRandomValues(Uint8Array.new(8))
    return Response.new(" ".join([hex1, hex2, hex3, hex4, other.to_bytes().hex(), other2.to_bytes().hex(), str(len(random)), str(len(crypto.randomUUID()))]))
