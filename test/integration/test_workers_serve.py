"""What asgi leaves undone for speed while nobody looks: requests read out of their heads, answers that are no objects yet."""
import http.client
import json
import textwrap

import pytest

from asgi_helpers import PRELUDE
from harness import ONE, lab_code, until

pytestmark = pytest.mark.asan
LAB_ENV = ONE      # what a request has left, the next one sees

APP = PRELUDE + """
HEADERS = [(b"Content-Type", b"text/plain"), (b"set-cookie", b"a=1; x, y"), (b"set-cookie", b"b=2"), (b"x-empty", b"")]

def answers(status=200, headers=HEADERS, data=b"Hello"):
    @http
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data})
    return app
"""


def answer_of(lab, code, **more):
    headers = {"x-code": lab_code(APP + textwrap.dedent(code)), **more.pop("headers", {})}
    return lab.request("GET", more.pop("path", "/"), headers=headers, **more)


def check(lab, code):
    assert lab.value(APP + textwrap.dedent(code) + "\nreturn True") is True


def test_an_answer_that_nobody_looks_at(lab):
    answer = answer_of(lab, "return await asgi.fetch(answers(), request, env)")
    assert (answer.status, answer.body) == (200, b"Hello")
    assert [(n, v) for n, v in answer.headers.items() if n.lower() not in ("date", "connection")] == [
        ("content-type", "text/plain"), ("set-cookie", "a=1; x, y"), ("set-cookie", "b=2"), ("x-empty", ""), ("Content-Length", "5")]
    for status, data in ((201, b""), (204, b"never sent"), (304, b""), (404, b"no\xff\x00"), (599, bytes(300_000))):
        answer = answer_of(lab, f"return await asgi.fetch(answers({status}, [], {data[:9]!r} if {len(data)} < 10 else bytes({len(data)})), request, env)")
        assert (answer.status, answer.body) == (status, b"" if status == 204 else data)
    # In the class of the SDK, and handed through JavaScript.
    answer = answer_of(lab, "from workers import Response as R\nreturn R(await asgi.fetch(answers(data=b'wrapped'), request, env))")
    assert answer.body == b"wrapped"
    answer = answer_of(lab, "return js.eval('(r) => r')(await asgi.fetch(answers(data=b'through'), request, env))")
    assert answer.body == b"through"


def test_an_answer_that_somebody_looks_at(lab):
    check(lab, """
        r = await ask(answers())
        same([type(r) is type(Response.new("")), r.constructor == js.Response, js.eval("(r) => r instanceof Response")(r)], [True] * 3)
        same([r.status, r.ok, r.statusText, r.bodyUsed, r.headers.get("content-type"), list(r.headers.getSetCookie())],
             [200, True, "OK", False, "text/plain", ["a=1; x, y", "b=2"]])
        r.headers.set("x-more", "1")
        same([r.clone().headers.get("x-more"), await r.clone().text(), await r.text(), r.bodyUsed], ["1", "Hello", "Hello", True])
        r = await ask(answers(data="ä".encode() + b"\\xff"))
        same([(await r.clone().arrayBuffer()).to_bytes(), await r.text()], ["ä".encode() + b"\\xff", "ä\\ufffd"])
        same((await (await ask(answers(headers=[], data=bytes(100_000)))).arrayBuffer()).byteLength, 100_000)
        same([h for h in (await ask(answers(headers=[]))).headers], [])
        same(js.eval("(r) => r.body === null")(await ask(answers(204))), True)
    """)


def test_headers_that_are_not_as_they_are_sent(lab):
    check(lab, """
        r = await ask(answers(headers=((b"X-A", b" 1\\t"), [b"x-b", b"2"], (b"x-c", "ä".encode()))))
        same([r.headers.get("x-a"), r.headers.get("x-b"), r.headers.get("x-c")], ["1", "2", "ä"])
        r = await ask(answers(headers=iter([("x-a", "1")])))
        same(r.headers.get("x-a"), "1")
        for bad in ([(b"x y", b"1")], [(b"", b"1")], [(b"x", b"a\\r\\nb: c")], [(b"x", b"a\\0")], [(b"x\\n", b"1")]):
            await raises(ValueError if b"\\n" in bad[0][0] + bad[0][1] else TypeError, "", ask(answers(headers=bad)))
        for bad in (99, 101, 199, 600, 70_000):
            await raises(ValueError, "200 to 599", ask(answers(bad)))
        await raises(TypeError, "must be bytes", ask(answers(headers=[(b"a", 1)])))
        changing = [(b"x-a", b"1")]
        @http
        async def changes(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": changing})
            changing.append((b"x-b", b"2"))
            await send({"type": "http.response.body"})
        r = await ask(changes)
        same([n for n, _ in r.headers], ["x-a"])
        many = [(b"x-%d" % n, b"") for n in range(257)]
        same(len(list((await ask(answers(headers=many))).headers)), 257)
    """)
    # Too many for an answer.
    answer = answer_of(lab, "return await asgi.fetch(answers(headers=[(b'x', b'')] * 257), request, env)")
    assert answer.status == 500 and "at most 256 headers" in answer.text


def test_an_answer_is_sent_once(lab):
    code = """
        global kept
        if "kept" not in globals():
            kept = await asgi.fetch(answers(), request, env)
            js.globalThis.keptAnswer = None
        return kept
    """
    first, second = (answer_of(lab, "import builtins\n" + textwrap.dedent(code).replace("global kept\n", "").replace(
        '"kept" not in globals()', 'not hasattr(builtins, "kept")').replace("kept =", "builtins.kept =").replace("return kept", "return builtins.kept")) for _ in range(2))
    assert first.body == b"Hello"
    assert second.status == 500 and "body has already been" in second.text.lower()
    assert lab.value("import builtins\nkept = builtins.kept\ndel builtins.kept\nreturn [kept.status, kept.bodyUsed, kept.headers.get('content-type')]") == [
        200, True, "text/plain"]


def test_a_request_is_the_same_looked_at_or_not(lab):
    code = """
        js_request = request
        from workers import Request as R
        before = asgi._parts(js_request)
        js_request.headers, asgi.unwrap(R(js_request))      # now it is an object
        after = asgi._parts(js_request)
        same(list(before), list(after))
        again = asgi._parts(js_request)
        return [str(before[2]), before[3], before[4].decode(), before[5].decode(), before[0], before[1], before[8], len(before[6])]
    """
    hosts = {"localhost:8787": "('localhost', 8787)", "a.example": "('a.example', 80)", "[::1]:80": "('[::1]', 80)", "[::1]": "('[::1]', 80)",
             "127.0.0.1:080": "('127.0.0.1', 80)", "xn--exmple-cua.com": "('xn--exmple-cua.com', 80)", "A.Example:81": "('a.example', 81)"}
    for host, server in hosts.items():
        for path, wanted in (("/", ["/", "/", ""]), ("/a%20b/%C3%A4?x=%20&y=?", ["/a%20b/%C3%A4", "/a%20b/%C3%A4", "x=%20&y=?"]), ("//x/../y?", ["//y", "//y", ""])):
            headers = {"x-code": lab_code(PRELUDE + textwrap.dedent(code)), "x-mode": "json", "Host": host, "X-Long": "y" * 3000, "X-Twice": "ä"}
            answer = lab.request("GET", path, headers=headers)
            assert answer.status == 200, answer.text
            value = json.loads(answer.text)["value"]
            assert value[:4] == [server, *wanted], (host, value)


def test_the_first_step_of_an_application_runs_at_once(lab):
    check(lab, """
        seen = []
        @http
        async def app(scope, receive, send):
            mine = asyncio.current_task()
            seen.append("first")
            await asyncio.sleep(0)
            same(asyncio.current_task() is mine, True)
            async with asyncio.timeout(5):
                await asyncio.sleep(0.001)
            await send(start())
            await send(body(b"late"))
        outer = asyncio.current_task()
        pending = asyncio.ensure_future(asyncio.sleep(0))
        r = await ask(app)
        same([await r.text(), seen, asyncio.current_task() is outer], ["late", ["first"], True])

        from pyodide.ffi import run_sync
        @http
        async def waits(scope, receive, send):
            mine = asyncio.current_task()
            same(mine is not outer, True)
            run_sync(asyncio.sleep(0.01))
            same(asyncio.current_task() is mine, True)
            await send(start())
            run_sync(asyncio.sleep(0.001))
            await send(body(b"waited"))
        answers = await asyncio.gather(*(asgi.fetch(waits, Request.new("http://a/"), env, ctx) for _ in range(5)))
        same([await r.text() for r in answers], ["waited"] * 5)
        same(await (await asgi.fetch(waits, request, env)).text(), "waited")
        same(asyncio.current_task() is outer, True)

        @http
        async def stops(scope, receive, send):
            raise StopIteration(1)
        await raises(RuntimeError, "StopIteration", ask(stops))
        @http
        async def leaves(scope, receive, send):
            raise asyncio.CancelledError()
        try:
            await asgi.fetch(leaves, Request.new("http://a/"), env, ctx)
            raise AssertionError("no CancelledError")
        except asyncio.CancelledError:
            pass
    """)


STREAMS = """
import asyncio, builtins
from workers import asgi

seen = builtins.__dict__.setdefault("seen_of_streams", [])
HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}

def piece(data, more=True):
    return {"type": "http.response.body", "body": data, "more_body": more}

def of(*pieces, headers=HEAD["headers"], last=True):
    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise ValueError
        try:
            await send({**HEAD, "headers": headers})
            for data in pieces:
                await send(piece(data))
            if last:
                await send(piece(b"", False))
            seen.append("whole")
        except BaseException as e:
            seen.append(type(e).__name__)
            raise
    return app
"""


def stream_of(lab, code, **more):
    return lab.request("GET", "/", headers={"x-code": lab_code(STREAMS + textwrap.dedent(code))}, **more)


def seen(lab):
    return lab.value(STREAMS + "\nseen_now = seen[:]\nseen.clear()\nreturn seen_now")


def test_a_body_in_pieces_that_nobody_looks_at(lab):
    seen(lab)
    for wanted, code in (
        (b"abc", "of(b'a', b'', bytearray(b'b'), memoryview(b'c'))"),
        (b"", "of(b'', b'')"),
        (bytes(3_000_000), "of(*[bytes(1000_000)] * 3)"),
        (b"x" * 200_000, "of(*[b'x'] * 200_000)"),
        (b"12345", "of(b'123', b'45', headers=[(b'content-length', b'5')])"),
    ):
        answer = stream_of(lab, f"return await asgi.fetch({code}, request, env)")
        assert (answer.status, answer.body) == (200, wanted), code
        assert ("Content-Length" in answer.headers) == (b"12345" == wanted)
    seen_all = []
    until("all of them ended", lambda: seen_all.extend(seen(lab)) or len(seen_all) >= 5)
    assert seen_all == ["whole"] * 5
    # The same when somebody has looked, before anything was taken.
    for look in ("r.status", "r.body", "js.eval('(r) => r')(r)", "r.clone()"):
        answer = stream_of(lab, f"r = await asgi.fetch(of(*[b'ab' * 50_000] * 3), request, env)\n{look}\nreturn r")
        assert answer.body == b"ab" * 150_000, look
    assert lab.value(STREAMS + "r = await asgi.fetch(of(b'a', b'b'), request, env)\nreturn [await r.text(), r.bodyUsed]") == ["ab", True]
    until("they ended", lambda: seen_all.extend(seen(lab)) or len(seen_all) >= 10)


@pytest.mark.parametrize("code", ["of(b'123', headers=[(b'content-length', b'5')])", "of(b'123', b'456', headers=[(b'content-length', b'5')])",
                                  "of(b'123', last=False)"])
def test_a_body_that_cannot_be_whole_is_cut(lab, code):
    with pytest.raises(http.client.IncompleteRead):
        stream_of(lab, f"return await asgi.fetch({code}, request, env)")
    until("the application has ended as well", lambda: seen(lab))


def test_who_writes_hears_that_the_client_has_gone(lab):
    seen(lab)
    endless = "of(*[bytes(65536)] * 10_000)"
    for first in ("", "r.status\n"):        # looked at, or not
        with lab.connect() as client:
            code = lab_code(STREAMS + f"r = await asgi.fetch({endless}, request, env)\n{first}return r")
            client.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\nx-code: {code}\r\n\r\n".encode())
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        heard = []
        until("the application heard of it", lambda: heard.extend(seen(lab)) or heard)
        assert heard == ["ClientDisconnected"]
    # One that writes nothing then.
    with lab.connect() as client:
        code = lab_code(STREAMS + textwrap.dedent("""
            async def app(scope, receive, send):
                await send({**HEAD, "headers": [(b"content-type", b"text/event-stream")]})
                await receive()
                seen.append((await receive())["type"])
            return await asgi.fetch(app, request, env)
        """))
        client.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\nx-code: {code}\r\n\r\n".encode())
        assert b"text/event-stream" in client.recv(4096)
    heard = []
    until("the application heard of it", lambda: heard.extend(seen(lab)) or heard)
    assert heard == ["http.disconnect"]


def test_answers_that_nobody_takes_are_let_go(lab):
    check(lab, """
        import gc, weakref
        from workers import _serve
        kept = []
        new = asgi._Exchange.__init__
        def counting(self, *args):
            new(self, *args)
            kept.append(weakref.ref(self))
        asgi._Exchange.__init__ = counting
        try:
            @http
            async def pieces(scope, receive, send):
                await send(start())
                await send(body(b"a", True))
                await send(body(b"b"))
            for _ in range(20):
                await ask(answers())
                await asyncio.sleep(0)
                await asgi.fetch(pieces, Request.new("http://a/"), env)
        finally:
            asgi._Exchange.__init__ = new
        same(len(kept), 40)
        for _ in range(1000):       # what is on its way comes to its end
            await asyncio.sleep(0.01)
            gc.collect()
            if not [ref for ref in kept if ref() is not None]:
                break
        same([ref() for ref in kept if ref() is not None], [])
    """)
