"""ReadableStream, streams as bodies, text encoding and timers: docs/compatibility.md names these tests."""
import http.client

import pytest

from harness import PIECES, lab_code

pytestmark = pytest.mark.asan

# ---- a request's body ----


def test_request_body_get_reader(lab):
    body = b"0123456789abcdef" * (1 << 16)
    assert lab.value("""
        import hashlib
        reader, total, most, whole = request.body.getReader(), 0, 0, hashlib.sha256()
        while True:
            step = await reader.read()
            if step.done:
                break
            piece = step.value.to_bytes()
            total, most = total + len(piece), max(most, len(piece))
            whole.update(piece)
        same = hashlib.sha256(b"0123456789abcdef" * (1 << 16)).digest() == whole.digest()
        return [total, same, most < total, request.bodyUsed, step.value is None]
    """, method="POST", body=body) == [1 << 20, True, True, True, True]


def test_request_body_async_for(lab):
    assert lab.value("""
        got = b""
        async for piece in request.body:
            got += piece.to_bytes()
        return got.decode()
    """, method="POST", body="in pieces") == "in pieces"


def test_request_body_locked_is_not_read_twice(lab):
    outcome = lab.outcome("request.body.getReader()\nawait request.text()", method="POST", body="x")
    assert outcome["error"] == "JsException" and "TypeError" in outcome["text"], outcome
    outcome = lab.outcome("request.body.getReader()\nrequest.body.getReader()", method="POST", body="x")
    assert outcome["error"] == "JsException" and "locked" in outcome["text"], outcome


def test_request_body_cancel(lab):
    assert lab.value("await request.body.cancel()\nreturn (await request.body.getReader().read()).done",
                     method="POST", body="x" * 100_000) is True
    assert lab.run("return Response.new('next')").text == "next"


def test_request_body_through_a_stream_of_our_own(lab):
    body = b"shout " * 50_000
    answer = lab.run("""
        async def louder():
            async for piece in request.body:
                yield piece.to_bytes().upper()
        source = louder()
        async def pull(controller):
            try:
                controller.enqueue(await anext(source))
            except StopAsyncIteration:
                controller.close()
        return Response.new(js.ReadableStream.new(pull=pull))
    """, method="POST", body=body)
    assert (answer.status, answer.body == body.upper()) == (200, True)


# ---- a response's body ----


def test_response_body_get_reader(lab):
    assert lab.value("""
        r = Response.new("abc")
        reader = r.body.getReader()
        step, end = await reader.read(), await reader.read()
        return [step.value.to_bytes().decode(), step.done, end.done, r.bodyUsed, Response.new(None).body is None]
    """) == ["abc", False, True, True, True]


@pytest.mark.parametrize("made", [
    "js.ReadableStream.new(start=lambda c: (c.enqueue(b'one '), c.enqueue(js.Uint8Array.new([116, 119, 111])), c.close()))",
    "pieces(b'one ', b'two')", "pieces(bytearray(b'one '), memoryview(b'two'))",
    "js.ReadableStream.from_([b'one ', b'two'])", "Response.new('one two').body",
], ids=["start", "pull", "buffers", "from", "another body"])
def test_response_of_a_stream(lab, made):
    answer = lab.run(PIECES + "\nreturn Response.new(%s, status=201, headers=Headers.new([['x-a', '1']]))" % made)
    assert (answer.status, answer.headers["x-a"], answer.body) == (201, "1", b"one two")
    assert answer.headers["content-type"] is None


def test_response_of_a_stream_is_read_back(lab):
    assert lab.value(PIECES + "\nreturn await Response.new(pieces('grün'.encode()[:3], 'grün'.encode()[3:])).text()") == "grün"


def test_response_of_a_stream_comes_piece_by_piece(lab):
    connection = lab.connection()
    sent = {"Transfer-Encoding": "chunked", "x-code": lab_code("""
        begun = []
        async def pull(controller):
            if not begun:
                begun.append(True)
                controller.enqueue(b"first,")
                return
            controller.enqueue((await request.text()).encode())
            controller.close()
        return Response.new(js.ReadableStream.new(pull=pull))
    """)}
    connection.putrequest("POST", "/")
    for name, value in sent.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.read(6) == b"first,"
    connection.send(b"6\r\nsecond\r\n0\r\n\r\n")       # it waits for what is asked only now
    assert answer.read() == b"second"
    connection.close()


def test_response_of_text_pieces_says_to_encode(lab):
    before = lab.mark()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        lab.run(PIECES + "\nreturn Response.new(pieces('text'))")
    lab.wait_log("encode text with TextEncoder", since=before)


def test_response_of_a_stream_that_fails_is_cut(lab):
    before = lab.mark()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        lab.run("""
            async def pull(controller):
                if hasattr(pull, "begun"):
                    raise ValueError("in the middle")
                pull.begun = True
                controller.enqueue(b"begun")
            return Response.new(js.ReadableStream.new(pull=pull))
        """)
    lab.wait_log("ValueError: in the middle", since=before)
    assert lab.run("return Response.new('next')").text == "next"


# ---- ReadableStream itself ----


def test_stream_reader_lock_release_and_closed(lab):
    assert lab.value(PIECES + """
s = pieces(b"a")
reader = s.getReader()
was = s.locked
first = await reader.read()
last = await reader.read()
await reader.closed
reader.releaseLock()
try:
    await reader.read()
except Exception as e:
    after = type(e).__name__ + " " + str("released" in str(e))
return [was, first.value == b"a", last.done, s.locked, after]
""") == [True, True, True, False, "JsException True"]


def test_stream_async_for_and_its_break_cancels(lab):
    assert lab.value(PIECES + """
got = [bytes(piece) async for piece in pieces(b"a", b"b")]
why = []
s = js.ReadableStream.new(pull=lambda c: c.enqueue(b"again"), cancel=lambda reason: why.append("cancelled"))
async for piece in s:
    break
for _ in range(20):
    await asyncio.sleep(0)
return [len(got), piece.decode(), why, s.locked]
""") == [2, "again", ["cancelled"], False]


def test_stream_cancel_and_error(lab):
    assert lab.value("""
        why = []
        s = js.ReadableStream.new(cancel=why.append)
        await s.cancel("enough")
        ended = (await s.getReader().read()).done
        bad = js.ReadableStream.new(start=lambda c: c.error(js.Error.new("broke")))
        try:
            await bad.getReader().read()
        except Exception as e:
            said = str(e)
        return [why, ended, said]
    """) == [["enough"], True, "Error: broke"]


def test_stream_pulls_no_more_than_its_mark(lab):
    assert lab.value("""
        pulled = []
        def pull(controller):
            pulled.append(controller.desiredSize)
            controller.enqueue(b"x")
        source, strategy = js.Object.new(), js.Object.new()
        source.pull, strategy.highWaterMark = pull, 3
        s = js.ReadableStream.new(source, strategy)
        for _ in range(20):
            await asyncio.sleep(0)
        before = len(pulled)
        await s.getReader().read()
        for _ in range(20):
            await asyncio.sleep(0)
        return [before, len(pulled), pulled[:3]]
    """) == [3, 4, [3, 2, 1]]


def test_stream_from_what_python_iterates(lab):
    assert lab.value("""
        s = js.ReadableStream.from_([1, 2, 3])
        return [item async for item in s]
    """) == [1, 2, 3]


# ---- text ----


def test_text_encoder(lab):
    assert lab.value("""
        e = js.TextEncoder.new()
        into = js.Uint8Array.new(4)
        count = e.encodeInto("aäbc", into)
        return [e.encoding, list(e.encode("aä🐎").to_bytes()), e.encode().length, count.read, count.written]
    """) == ["utf-8", [97, 195, 164, 240, 159, 144, 142], 0, 3, 4]


def test_text_decoder(lab):
    assert lab.value("""
        d, s = js.TextDecoder.new(), js.TextDecoder.new()
        more = js.JSON.parse('{"stream": true}')
        pieces = [s.decode(b"\\xe2\\x82", more), s.decode(b"\\xac", more), s.decode()]
        return [d.encoding, d.decode("ä".encode()), d.decode(js.Uint8Array.new([239, 187, 191, 65]).buffer), d.decode(b"\\xffA"), pieces]
    """) == ["utf-8", "ä", "A", "\ufffdA", ["", "€", ""]]


def test_text_decoder_fatal(lab):
    outcome = lab.outcome("js.TextDecoder.new('utf-8', fatal=True).decode(b'\\xff')")
    assert outcome["error"] == "JsException" and "TypeError" in outcome["text"], outcome


# ---- timers and microtasks ----


def test_set_timeout_and_clear_timeout(lab):
    assert lab.value("""
        got, done = [], asyncio.Event()
        while True:
            begun = time.monotonic()
            later = js.setTimeout(lambda *a: (got.append(list(a)), done.set()), 10, "x", 2)
            js.clearTimeout(js.setTimeout(lambda: got.append("never"), 1))
            first = js.setTimeout(lambda: got.append("first"), 0)
            if time.monotonic() - begun < 0.005:
                break       # "first" is due before
            js.clearTimeout(later)
            js.clearTimeout(first)
        await done.wait()
        return got
    """) == ["first", ["x", 2]]


def test_set_interval_and_clear_interval(lab):
    assert lab.value("""
        got, done = [], asyncio.Event()
        def tick():
            got.append(len(got))
            if len(got) == 3:
                js.clearInterval(interval)
                js.setTimeout(done.set, 10)
        interval = js.setInterval(tick, 1)
        await done.wait()
        return got
    """) == [0, 1, 2]


def test_queue_microtask(lab):
    assert lab.value("""
        got = []
        js.queueMicrotask(lambda: got.append("micro"))
        got.append("now")
        await js.Promise.resolve(None)
        return got
    """) == ["now", "micro"]


def test_timer_refuses_what_is_no_function(lab):
    for name in ("setTimeout", "setInterval", "queueMicrotask"):
        outcome = lab.outcome("js.%s('code')" % name)
        assert outcome["error"] == "JsException" and "TypeError" in outcome["text"], outcome


def test_uncaught_in_a_timer_or_a_promise_is_logged(lab):
    before = lab.mark()
    lab.value("""
        done = asyncio.Event()
        def bad():
            raise ValueError("in a timer")
        js.setTimeout(bad, 0)
        js.Promise.reject("nobody caught me")
        js.Promise.reject(js.TypeError.new("nor me"))
        js.setTimeout(done.set, 5)
        await done.wait()
    """)
    lab.wait_log(r"\[lab:err\] Uncaught \(in promise\) 'nobody caught me'$", since=before)
    lab.wait_log(r"\[lab:err\] Uncaught \(in promise\) TypeError: nor me$", since=before)
    lab.wait_log(r"\[lab:err\] Traceback(.|\n)*ValueError: in a timer", since=before)
