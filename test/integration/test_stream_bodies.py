"""Streams as bodies (clone, transforms, passed through) and streams made in Python: docs/compatibility.md names these tests."""
import hashlib

import pytest

from harness import PIECES, lab_code

pytestmark = pytest.mark.asan

LARGE = b"0123456789abcdef" * (1 << 16)

# In front of a test's own: all bytes of a stream; a stream of pieces.
HELP = PIECES + """
async def whole(stream):
    got = b""
    async for piece in stream:
        got += bytes(piece) if isinstance(piece, (bytes, bytearray)) else piece.to_bytes()
    return got
"""


# ---- clone ----


def test_request_clone_of_an_incoming_body(lab):
    assert lab.value("""
        import hashlib
        copy = request.clone()
        a, b = await asyncio.gather(copy.bytes(), request.bytes())
        return [hashlib.sha256(x.to_bytes()).hexdigest() for x in (a, b)] + [request.bodyUsed, copy.bodyUsed]
    """, method="POST", body=LARGE) == [hashlib.sha256(LARGE).hexdigest()] * 2 + [True, True]


def test_request_clone_then_the_original_goes_on(lab):
    answer = lab.run("""
        text = await request.clone().text()
        return Response.new(request.body, headers=Headers.new([["x-size", str(len(text))]]))
    """, method="POST", body=LARGE)
    assert (answer.headers["x-size"], answer.headers["content-length"], answer.body == LARGE) == (str(len(LARGE)), str(len(LARGE)), True)


def test_request_clone_of_clones_and_unread_ones(lab):
    assert lab.value("""
        first = request.clone()
        second = first.clone()
        return [await second.text(), await first.text(), request.bodyUsed]
    """, method="POST", body="three") == ["three", "three", False]
    assert lab.value("request.clone()\nreturn await request.text()", method="POST", body="x" * 300_000) == "x" * 300_000


def test_request_clone_of_a_locked_or_read_body_is_refused(lab):
    for code in ("request.body.getReader()\nrequest.clone()", "await request.text()\nrequest.clone()"):
        outcome = lab.outcome(code, method="POST", body="x")
        assert outcome["error"] == "JsException" and "TypeError" in outcome["text"], outcome


def test_response_clone_of_a_stream(lab):
    assert lab.value(HELP + """
r = Response.new(pieces(b"one ", b"two"), status=201)
c = r.clone()
return [await c.text(), await r.text(), c.status]
""") == ["one two", "one two", 201]
    answer = lab.run(HELP + """
r = Response.new(pieces(b"one ", b"two"))
ctx.waitUntil(r.clone().text())
return r
""")
    assert answer.body == b"one two"


# ---- passed through ----


@pytest.mark.parametrize("through", ["js.TransformStream.new()", "js.IdentityTransformStream.new()",
                                     "js.FixedLengthStream.new(len_)"])
def test_request_body_through_a_transform(lab, through):
    answer = lab.run("len_ = %d\nreturn Response.new(request.body.pipeThrough(%s))" % (len(LARGE), through),
                     method="POST", body=LARGE)
    assert (answer.status, answer.body == LARGE) == (200, True)
    assert answer.headers["content-length"] == (str(len(LARGE)) if "Fixed" in through else None)


def test_request_body_piped_by_hand(lab):
    answer = lab.run("""
        t = js.TransformStream.new()
        ctx.waitUntil(request.body.pipeTo(t.writable))
        return Response.new(t.readable)
    """, method="POST", body=LARGE)
    assert answer.body == LARGE


def test_response_of_another_ones_body(lab):
    answer = lab.run("return Response.new(Response.new(request.body).body, status=202)", method="POST", body=LARGE)
    assert (answer.status, answer.headers["content-length"], answer.body == LARGE) == (202, str(len(LARGE)), True)


def test_fixed_length_stream_gives_the_length(lab):
    answer = lab.run("""
        t = js.FixedLengthStream.new(11)
        async def write():
            writer = t.writable.getWriter()
            await writer.write(js.TextEncoder.new().encode("hello "))
            await writer.write(b"world")
            await writer.close()
        ctx.waitUntil(write())
        return Response.new(t.readable)
    """)
    assert (answer.headers["content-length"], answer.body) == ("11", b"hello world")


def test_request_body_with_buffers_of_the_reader(lab):
    assert lab.value("""
        import hashlib
        reader, seen, most = request.body.getReader(mode="byob"), hashlib.sha256(), 0
        while True:
            step = await reader.read(js.Uint8Array.new(10_000))
            if step.done:
                break
            piece = step.value.to_bytes()
            most = max(most, len(piece))
            seen.update(piece)
        return [seen.hexdigest(), most <= 10_000]
    """, method="POST", body=LARGE) == [hashlib.sha256(LARGE).hexdigest(), True]


# ---- made in Python ----


@pytest.mark.parametrize("made", [
    "js.ReadableStream.new(start=start, pull=pull, cancel=cancel)",
    "js.ReadableStream.new(to_js({'start': start, 'pull': pull, 'cancel': cancel}))",
    "js.ReadableStream.new(to_js({'start': start, 'pull': pull}, dict_converter=js.Object.fromEntries))",
    "js.ReadableStream.new({'start': start, 'pull': pull})",
    "js.ReadableStream.new(Source())",
    "js.ReadableStream.new(type='bytes', start=start, pull=pull)",
], ids=["keywords", "a map", "an object", "a dict", "an object of Python", "bytes"])
def test_stream_of_python_functions(lab, made):
    answer = lab.run("""
        from pyodide.ffi import to_js
        log, n = [], 0
        def start(controller):
            log.append("start")
        async def pull(controller):
            nonlocal n
            await asyncio.sleep(0)
            n += 1
            if n > 3:
                controller.close()
            else:
                controller.enqueue(b"%%d," %% n)
        def cancel(reason):
            log.append("cancel")
        class Source:
            def start(self, controller):
                start(controller)
            def pull(self, controller):
                return pull(controller)
        stream = %s
        assert log == ["start"], log
        return Response.new(stream)
    """ % made)
    assert (answer.status, answer.body) == (200, b"1,2,3,")


def test_stream_from_an_asynchronous_generator(lab):
    answer = lab.run("""
        async def parts():
            for n in range(3):
                await asyncio.sleep(0)
                yield b"%d," % n
        return Response.new(js.ReadableStream.from_(parts()))
    """)
    assert answer.body == b"0,1,2,"
    answer = lab.run("""
        async def shout():
            async for piece in request.body:
                yield piece.to_bytes().upper()
        return Response.new(js.ReadableStream.from_(shout()))
    """, method="POST", body=b"shout " * 50_000)
    assert answer.body == b"SHOUT " * 50_000
    assert lab.value("""
        log = []
        async def parts():
            try:
                while True:
                    yield b"x"
            finally:
                log.append("closed")
        stream = js.ReadableStream.from_(parts())
        reader = stream.getReader()
        await reader.read()
        await reader.cancel()
        async def bad():
            yield b"x"
            raise ValueError("in the middle")
        try:
            async for piece in js.ReadableStream.from_(bad()):
                log.append("piece")
        except ValueError as e:
            log.append(str(e))
        return log
    """) == ["closed", "piece", "in the middle"]


def test_byte_stream_of_python(lab):
    assert lab.value(HELP + """
def pull(controller):
    request = controller.byobRequest
    if request:
        request.view.assign(b"ab")
        request.respond(2)
    else:
        controller.enqueue(bytearray(b"cd"))
stream = js.ReadableStream.new(type="bytes", pull=pull)
reader = stream.getReader(mode="byob")
step = await reader.read(js.Uint8Array.new(2))
reader.releaseLock()
plain = await stream.getReader().read()
return [step.value.to_bytes().decode(), plain.value.to_bytes().decode(), step.done]
""") == ["ab", "cd", False]


def test_transform_stream_of_python(lab):
    answer = lab.run("""
        class Louder:
            def transform(self, chunk, controller):
                controller.enqueue(chunk.to_bytes().upper())
            async def flush(self, controller):
                await asyncio.sleep(0)
                controller.enqueue(b"!")
        async def twice(chunk, controller):
            await asyncio.sleep(0)
            controller.enqueue(chunk)
            controller.enqueue(chunk)
        body = request.body.pipeThrough(js.TransformStream.new(Louder())).pipeThrough(js.TransformStream.new(transform=twice))
        return Response.new(body)
    """, method="POST", body="abc")
    assert answer.body == b"ABCABC!!"


def test_transform_of_python_that_raises(lab):
    assert lab.value(HELP + """
def transform(chunk, controller):
    raise ValueError("not this one")
try:
    await whole(pieces(b"a").pipeThrough(js.TransformStream.new(transform=transform)))
except ValueError as e:
    return str(e)
""") == "not this one"


def test_writable_stream_of_python(lab):
    assert lab.value(HELP + """
log = []
async def write(chunk, controller):
    await asyncio.sleep(0)
    log.append(bytes(chunk).decode())
sink = js.WritableStream.new(write=write, close=lambda: log.append("close"), abort=lambda reason: log.append(reason))
await pieces(b"a", b"b").pipeTo(sink, preventClose=True)
writer = sink.getWriter()
await writer.write(b"c")
size = writer.desiredSize
await writer.abort("enough")
return log + [size]
""") == ["a", "b", "c", "enough", 1]


def test_tee_and_iteration_of_python(lab):
    assert lab.value(HELP + """
a, b = pieces(b"x", b"y").tee()
one = await whole(a)
two = await whole(b)
three = await whole(Response.new("from a response").body)
kept = pieces(b"1", b"2")
async for piece in kept.values(preventCancel=True):
    break
while kept.locked:
    await asyncio.sleep(0)
return [one.decode(), two.decode(), three.decode(), (await whole(kept)).decode()]
""") == ["xy", "xy", "from a response", "2"]


def test_strategies_of_python(lab):
    assert lab.value("""
        sizes = []
        def start(controller):
            controller.enqueue(b"12345")
            sizes.append(controller.desiredSize)
        js.ReadableStream.new({"start": start}, js.ByteLengthQueuingStrategy.new(highWaterMark=16))
        js.ReadableStream.new({"start": start}, js.CountQueuingStrategy.new(highWaterMark=16))
        js.ReadableStream.new({"start": start}, {"highWaterMark": 10, "size": len})
        return sizes
    """) == [8 + 3, 15, 5]


# ---- the client leaves ----


@pytest.mark.parametrize("through", ["", ".pipeThrough(js.TransformStream.new())"], ids=["directly", "through a transform"])
def test_a_client_that_leaves_cancels_the_stream(lab, through):
    """Even one that has nothing to say at the moment: it would wait for ever."""
    before = lab.mark()
    sent = {"x-code": lab_code("""
        started = False
        async def pull(controller):
            nonlocal started
            if started:
                await asyncio.Event().wait()
            started = True
            controller.enqueue(b"first")
        def cancel(reason):
            print("cancelled:", reason)
        return Response.new(js.ReadableStream.new(pull=pull, cancel=cancel)%s)
    """ % through)}
    connection = lab.connection()
    connection.request("GET", "/", headers=sent)
    answer = connection.getresponse()
    assert answer.read(5) == b"first"
    assert "cancelled:" not in "\n".join(lab.log_lines()[before:])
    answer.close()
    connection.close()
    lab.wait_log("cancelled: .*Nobody waits", since=before)


def test_a_client_that_leaves_closes_the_generator(lab):
    """It is woken where it waits, and its `finally` runs: events that nobody reads any more."""
    before = lab.mark()
    connection = lab.connection()
    connection.request("GET", "/", headers={"x-code": lab_code("""
        async def events():
            try:
                yield b"first"
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                print("events: closed")
        return Response.new(js.ReadableStream.from_(events()))
    """)})
    answer = connection.getresponse()
    assert answer.read(5) == b"first"
    answer.close()
    connection.close()
    lab.wait_log("events: closed", since=before)
    assert "Traceback" not in "\n".join(lab.log_lines()[before:])
