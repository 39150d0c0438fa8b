"""The platform's classes from Python: functions, coroutines and objects of Python where JavaScript's would be.

docs/compatibility.md names these tests."""
import hashlib
import json

import pytest

from origin import Handler, Origin
from websocket_origin import Peer

pytestmark = pytest.mark.asan

HELP = """
from pyodide.ffi import create_proxy, to_js, JsException
from js import Object
async def whole(stream):
    return b"".join([bytes(piece) async for piece in stream])
def given(*items):
    left = list(items)
    def pull(controller):
        controller.enqueue(left.pop(0)) if left else controller.close()
    return js.ReadableStream.new(pull=pull)
async def until(condition):
    for _ in range(20000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise TimeoutError
"""


class Events(Handler):
    def on_events(self, query):
        last = self.headers.get("Last-Event-ID")
        self.answer(200, b"retry: 1\nid: 1\ndata: one\n\n" if last is None else b"event: bye\ndata: %s\n\n" % last.encode(), [("Content-Type", "text/event-stream")])


@pytest.fixture(scope="module")
def events():
    one = Origin()
    one.RequestHandlerClass = Events
    yield one
    one.close()


@pytest.fixture(scope="module")
def peer():
    one = Peer()
    yield one
    one.close()


# ---- HTMLRewriter ----


def test_html_rewriter_takes_a_response_of_workers(lab):
    """A workers.Response as it is, its .js_object, and one of fetch's; objects with functions and coroutines as handlers."""
    assert lab.value(HELP + """
import workers
class Links:
    seen = []
    def element(self, element):
        element.setAttribute("rel", "nofollow")
        self.seen.append(element.tagName)
    async def text(self, text):
        await asyncio.sleep(0)
        if text.text:
            text.replace(text.text.upper())
links = Links()
page = '<a href="/">home</a>'
def rewriter():
    return js.HTMLRewriter.new().on("a", create_proxy(links))
plain = rewriter().transform(workers.Response(page, headers={"content-type": "text/html", "x-kept": "1"}, status=203))
inner = rewriter().transform(workers.Response(page).js_object)
said = []
for wrong in ("text", workers.Response, {"js_object": 1}):
    try:
        rewriter().transform(wrong)
    except Exception as e:
        said.append(type(e).__name__)
wrapped = workers.Response(rewriter().transform(workers.Response(page)))
return [await plain.text(), plain.status, plain.headers.get("x-kept"), await inner.text(), await wrapped.text(), links.seen, said]
""") == ['<a href="/" rel="nofollow">HOME</a>', 203, "1", '<a href="/" rel="nofollow">HOME</a>', '<a href="/" rel="nofollow">HOME</a>', ["a", "a", "a"], ["JsException"] * 3]


# ---- WebSockets ----


def test_websocket_client_with_listeners_of_python(lab, peer):
    """from js import WebSocket: proxies, plain functions and coroutines listen."""
    said = lab.value(HELP + """
from js import WebSocket
got, ended = [], asyncio.Event()
socket = WebSocket.new(%r)
async def on_open(event):
    await asyncio.sleep(0)
    socket.send("text")
    socket.send(b"\\x01\\x02")
def on_message(event):
    got.append(event.data if isinstance(event.data, str) else bytes(event.data.to_bytes()).hex())
    if len(got) == 2:
        socket.close(1000, "done")
def on_close(event):
    got.append([event.code, event.reason, event.wasClean])
    ended.set()
socket.binaryType = "arraybuffer"
socket.addEventListener("open", create_proxy(on_open))
socket.addEventListener("message", create_proxy(on_message))
socket.onclose = on_close
await asyncio.wait_for(ended.wait(), 20)
return [got, socket.readyState]
""" % (peer.url.replace("http", "ws") + "/echo"))
    assert said == [["text", "0102", [1000, "done", True]], 3]


def test_websocket_pair_with_listeners_of_python(lab):
    assert lab.value(HELP + """
client, server = js.WebSocketPair.new().object_values()
got = []
@create_proxy
async def answer(event):
    await asyncio.sleep(0)
    server.send(event.data.upper())
def once(event):
    got.append("once " + event.data)
proxy = create_proxy(once)
server.addEventListener("message", answer)
client.addEventListener("message", lambda event: got.append(event.data))
client.addEventListener("message", proxy, once=True)
server.accept(), client.accept()
client.send("a")
await until(lambda: len(got) == 2)
server.removeEventListener("message", answer)
server.addEventListener("message", lambda event: server.close(4001, event.data))
client.addEventListener("close", lambda event: got.append([event.code, event.reason]))
client.send("b")
await until(lambda: len(got) == 3)
return got
""") == ["A", "once A", [4001, "b"]]


# ---- streams ----


def test_transform_stream_with_functions_of_python(lab):
    """start, transform and flush, that wait and that do not; terminate and error by the controller."""
    assert lab.value(HELP + """
async def start(controller):
    await asyncio.sleep(0)
    controller.enqueue(b"<")
async def transform(chunk, controller):
    await asyncio.sleep(0)
    controller.enqueue(bytes(chunk).swapcase())
def flush(controller):
    controller.enqueue(b">")
first = await whole(given(b"a", b"B").pipeThrough(js.TransformStream.new(start=start, transform=transform, flush=flush)))
def until_stop(chunk, controller):
    controller.enqueue(chunk)
    if bytes(chunk) == b"stop":
        controller.terminate()
second = await whole(given(b"1", b"stop", b"2").pipeThrough(js.TransformStream.new({"transform": until_stop})))
third = await whole(given(b"as ", b"it is").pipeThrough(js.TransformStream.new()))
return [first.decode(), second.decode(), third.decode()]
""") == ["<Ab>", "1stop", "as it is"]


@pytest.mark.parametrize("where", ["start", "transform", "flush"])
def test_transform_stream_of_python_that_raises(lab, where):
    """The reader gets the very exception, the writer too."""
    assert lab.value(HELP + """
mine = KeyError("of %s")
async def raising(*_):
    await asyncio.sleep(0)
    raise mine
stream = js.TransformStream.new(%s=raising)
writer, said = stream.writable.getWriter(), []
async def write():
    try:
        await writer.write(b"x")
        await writer.close()
    except BaseException as e:
        said.append(e is mine)
async def read():
    try:
        await whole(stream.readable)
    except BaseException as e:
        said.append(e is mine)
await asyncio.gather(write(), read())
return said
""" % (where, where)) == [True, True]


def test_byte_streams_of_python(lab):
    """type="bytes": views to fill, pieces to give, buffers of the reader, autoAllocateChunkSize, cancel."""
    assert lab.value(HELP + """
log = []
left = list(b"abcdefgh")
async def pull(controller):
    await asyncio.sleep(0)
    request = controller.byobRequest
    if not left:
        controller.close()
        if request:
            request.respond(0)
        return
    size = min(3, len(left), request.view.byteLength)
    request.view.subarray(0, size).assign(bytes(left[:size]))
    del left[:size]
    request.respond(size)
stream = js.ReadableStream.new(type="bytes", autoAllocateChunkSize=4, pull=pull, cancel=lambda reason: log.append(reason))
reader = stream.getReader(mode="byob")
step = await reader.read(js.Uint8Array.new(2))
log.append(step.value.to_bytes().decode())
reader.releaseLock()
log.append((await whole(stream)).decode())
other = js.ReadableStream.new(type="bytes", start=lambda c: c.enqueue(b"first"), cancel=lambda reason: log.append(reason))
plain = other.getReader()
log.append((await plain.read()).value.to_bytes().decode())
await plain.cancel("enough")
answer = Response.new(js.ReadableStream.new(type="bytes", start=lambda c: (c.enqueue(bytearray(b"a body")), c.close())))
return log + [await answer.text()]
""") == ["ab", "cdefgh", "first", "enough", "a body"]


def test_compression_streams_of_python(lab):
    assert lab.value(HELP + """
import gzip, zlib
data = b"corral " * 1000
packed = await whole(given(data[:10], data[10:]).pipeThrough(js.CompressionStream.new("gzip")))
writer = (one := js.CompressionStream.new("deflate")).writable.getWriter()
_, deflated = await asyncio.gather(asyncio.gather(writer.write(data), writer.close()), whole(one.readable))
back = await whole(given(gzip.compress(data)).pipeThrough(js.DecompressionStream.new("gzip")))
try:
    await whole(given(b"nonsense").pipeThrough(js.DecompressionStream.new("gzip")))
except JsException as e:
    failed = e.name
return [gzip.decompress(packed) == data, zlib.decompress(deflated) == data, back == data, len(packed) < 200, failed]
""") == [True, True, True, True, "TypeError"]


# ---- crypto ----


def test_crypto_awaited_from_python(lab):
    digest, signed, sealed, jwk, pairs, derived, failed = lab.value(HELP + """
import hashlib, hmac
subtle = js.crypto.subtle
digest = (await subtle.digest({"name": "SHA-512"}, b"abc")).to_bytes().hex()
key = await subtle.generateKey({"name": "HMAC", "hash": "SHA-256"}, True, ["sign", "verify"])
signature = await subtle.sign("HMAC", key, b"data")
raw = (await subtle.exportKey("raw", key)).to_bytes()
signed = [signature.to_bytes() == hmac.digest(raw, b"data", "sha256"), await subtle.verify("HMAC", key, signature, b"data"), await subtle.verify("HMAC", key, signature, b"Data")]
aes = await subtle.generateKey({"name": "AES-GCM", "length": 256}, True, ["encrypt", "decrypt"])
how = {"name": "AES-GCM", "iv": b"\\x01" * 12, "additionalData": b"beside"}
closed = await subtle.encrypt(how, aes, b"secret")
sealed = [closed.byteLength, (await subtle.decrypt(how, aes, closed)).to_bytes().decode()]
exported = await subtle.exportKey("jwk", aes)
again = await subtle.importKey("jwk", {"kty": exported.kty, "k": exported.k, "alg": "A256GCM", "ext": True}, "AES-GCM", False, ["decrypt"])
third = await subtle.importKey("jwk", exported, {"name": "AES-GCM"}, True, ["decrypt"])
jwk = [(await subtle.decrypt(how, one, closed)).to_bytes().decode() for one in (again, third)] + [exported.kty, exported.alg, again.extractable, list(third.usages)]
pair = await subtle.generateKey({"name": "ECDSA", "namedCurve": "P-256"}, True, ["sign", "verify"])
es = {"name": "ECDSA", "hash": "SHA-256"}
made = await subtle.sign(es, pair.privateKey, memoryview(b"by Python"))
public = await subtle.importKey("jwk", await subtle.exportKey("jwk", pair.publicKey), {"name": "ECDSA", "namedCurve": "P-256"}, True, ["verify"])
pairs = [made.byteLength, await subtle.verify(es, public, made, b"by Python"), pair.privateKey.type, public.algorithm.namedCurve]
base = await subtle.importKey("raw", b"password", "PBKDF2", False, ["deriveBits"])
derived = (await subtle.deriveBits({"name": "PBKDF2", "hash": "SHA-256", "salt": b"salt", "iterations": 1000}, base, 256)).to_bytes().hex()
failed = []
for attempt in (lambda: subtle.digest("SHA-3", b""), lambda: subtle.decrypt(how, aes, b"x" * 32), lambda: subtle.sign("HMAC", aes, b""), lambda: subtle.importKey("jwk", {"kty": "oct"}, "AES-GCM", True, ["encrypt"])):
    try:
        await attempt()
        failed.append(None)
    except JsException as e:
        failed.append(e.name)
return [digest, signed, sealed, jwk, pairs, derived, failed]
""")
    assert digest == hashlib.sha512(b"abc").hexdigest()
    assert signed == [True, True, False] and sealed == [22, "secret"]
    assert jwk == ["secret", "secret", "oct", "A256GCM", False, ["decrypt"]]
    assert pairs == [64, True, "private", "P-256"]
    assert derived == hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1000).hex()
    assert failed == ["NotSupportedError", "OperationError", "InvalidAccessError", "DataError"]


# ---- caches, patterns, events ----


def test_caches_of_python(lab):
    assert lab.value(HELP + """
import workers
cache, url = js.caches.default, "https://cached.example/python"
before = await cache.match(url)
await cache.put(url, Response.new("kept", headers={"cache-control": "max-age=60"}.items()))
hit = await cache.match(js.Request.new(url))
named = await js.caches.open("mine")
other = await named.match(url)
await named.put(url, workers.Response("of workers", headers={"cache-control": "max-age=60"}).js_object)
gone = [await cache.delete(url), await cache.delete(url)]
try:
    await cache.put(js.Request.new(url, method="POST"), Response.new("x"))
except JsException as e:
    refused = e.name
return [before is None or before is js.undefined, await hit.text(), other is None or other is js.undefined, await (await named.match(url)).text(), gone, refused]
""") == [True, "kept", True, "of workers", [True, False], "TypeError"]


def test_url_patterns_of_python(lab):
    assert lab.value(HELP + """
from js import URLPattern
books = URLPattern.new({"pathname": "/books/:id(\\\\d+)", "hostname": "*.example"})
found = books.exec("https://shop.example/books/12")
return [books.test("https://shop.example/books/12"), books.test("https://shop.example/books/x"), found.pathname.groups.id, found.hostname.groups.to_py(),
        books.exec("https://else/") is None, books.pathname, URLPattern.new("/a", "https://h").test({"pathname": "/a", "protocol": "https", "hostname": "h"})]
""") == [True, False, "12", {"0": "shop"}, True, "/books/:id(\\d+)", True]


def test_event_source_of_python(lab, events):
    assert lab.value(HELP + """
from js import EventSource
got, ended = [], asyncio.Event()
source = EventSource.new(%r)
async def on_message(event):
    await asyncio.sleep(0)
    got.append([event.data, event.lastEventId])
def bye(event):
    got.append(["bye", event.data])
    source.close()
    ended.set()
source.onopen = lambda event: got.append(source.readyState)
source.onerror = create_proxy(lambda event: got.append(event.error.message))
source.addEventListener("message", create_proxy(on_message))
source.addEventListener("bye", bye)
await asyncio.wait_for(ended.wait(), 20)
other, heard = EventSource.from_(given(b"data: of a ", b"stream\\n\\n")), asyncio.Event()
other.onmessage = lambda event: (got.append(event.data), heard.set())
await asyncio.wait_for(heard.wait(), 20)
return got + [source.readyState]
""" % (events.url + "/events")) == [1, ["one", "1"], "The server disconnected.", 1, ["bye", "1"], "of a stream", 2]


def test_performance_observer_of_python(lab):
    assert lab.value(HELP + """
seen = []
observer = js.PerformanceObserver.new(create_proxy(lambda entries, self, _: seen.extend(e.name for e in entries.getEntries())))
observer.observe(entryTypes=["mark"])
js.performance.mark("of python")
await until(lambda: seen)
observer.disconnect()
return seen
""") == ["of python"]
