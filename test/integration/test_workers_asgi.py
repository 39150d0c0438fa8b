"""asgi: applications of the specification; docs/compatibility.md names these tests."""
import textwrap

import pytest

from asgi_helpers import PRELUDE, run
from harness import lab_code

pytestmark = pytest.mark.asan
LAB_REQUIREMENTS = "fastapi\n"


def test_asgi_scope(lab):
    run(lab, """
        import workers
        headers = [["X-A", "1"], ["x-b", "ä"], ["accept", "a"], ["Accept", "b"]]
        raw = Request.new("https://ex%C3%A4mple.com:8443/a%20b/%C3%A4?x=%20&y=1#hash", method="POST", headers=headers)
        scope = asgi.request_to_scope(raw, env)
        same(scope, {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "POST", "scheme": "https",
            "path": "/a b/ä", "raw_path": b"/a%20b/%C3%A4", "query_string": b"x=%20&y=1", "root_path": "", "client": None,
            "headers": [(b"x-a", b"1"), (b"x-b", "ä".encode()), (b"accept", b"a"), (b"accept", b"b")],
            "server": ("xn--exmple-cua.com", 8443), "extensions": {}, "env": env})
        same(asgi.request_to_scope(workers.Request(raw), env)["headers"], scope["headers"])
        same(type(asgi.request_to_scope(workers.Request(raw), env)["method"]), str)
        s = asgi.request_to_scope(Request.new("http://[::1]", headers=[["cf-connecting-ip", "1.2.3.4"]]), env, state={"a": 1})
        same([s["server"], s["path"], s["raw_path"], s["query_string"], s["state"], s["client"]], [("[::1]", 80), "/", b"/", b"", {"a": 1}, ("1.2.3.4", 0)])
        same([asgi.request_to_scope(request, env)["client"], wsgi.build_environ(request, env, b"")["REMOTE_ADDR"]], [("127.0.0.1", 0), "127.0.0.1"])
        s = asgi.request_to_scope(Request.new("https://a/x", headers=[["sec-websocket-protocol", "a, b"]]), env, ws=True)
        same([s["type"], s["scheme"], s["subprotocols"], "method" in s, s["server"]], ["websocket", "wss", ["a", "b"], False, ("a", 443)])
        import asgi as short
        same([short.fetch, short.request_to_scope, short.ASGI], [asgi.fetch, asgi.request_to_scope, asgi.ASGI])
    """)


def test_asgi_requests_and_answers(lab):
    run(lab, """
        @http
        async def echo(scope, receive, send):
            got, count = b"", 0
            while True:
                message = await receive()
                same(message["type"], "http.request")
                got, count = got + message["body"], count + 1
                if not message["more_body"]:
                    break
            await send(start(201, [(b"x-a", b"1"), (b"X-A", b"2"), (b"Set-Cookie", b"a=1; x, y"), (b"set-cookie", b"b=2"), (b"x-u", "ä".encode()), (b"x-l", b"\\xe4")]))
            await send(body(got + b" %d" % count))
            same(await receive(), {"type": "http.disconnect"})

        r = await ask(echo)
        same([r.constructor == js.Response, r.status, await r.text()], [True, 201, " 1"])
        same([r.headers.get("x-a"), list(r.headers.getSetCookie()), r.headers.get("x-u"), r.headers.get("x-l")], ["1, 2", ["a=1; x, y", "b=2"], "ä", "\\udce4"])
        same(await (await ask(echo, "http://a/", method="POST", body="some text")).text(), "some text 2")
        same(await (await ask(echo, "http://a/", method="POST", body="x" * 5, headers={"content-length": "5"})).text(), "xxxxx 1")
        same(len(await (await ask(echo, "http://a/", method="POST", body="x" * 300_000)).text()) > 300_000, True)

        for status in (204, 205, 304):
            @http
            async def empty(scope, receive, send):
                await send(start(status, [(b"x-a", b"1")]))
                await send(body(b"to be dropped", True))
                await send(body(b"more"))
            r = await ask(empty)
            same([r.status, r.headers.get("x-a"), await r.text(), r.body], [status, "1", "", None if js.JSON.parse("null") is None else r.body])

        @http
        async def bare(scope, receive, send):
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})
        r = await ask(bare)
        same([r.status, await r.text()], [200, ""])

        seen = []
        @http
        async def state(scope, receive, send):
            seen.append([scope["state"], scope["env"] == env])
            await send(start())
            await send(body(bytearray(b"ok")))
        same(await (await asgi.fetch(state, Request.new("http://a/"), env)).text(), "ok")
        same(seen, [[{}, True]])
    """)


def test_asgi_streams(lab):
    run(lab, """
        sent = []

        @http
        async def stream(scope, receive, send):
            await send(start(200, [(b"content-type", b"text/event-stream")]))
            for n in range(20):
                sent.append(n)
                await send(body(b"x" * 20_000, True))
            await send(body(b"end"))
            sent.append("end")

        r = await ask(stream)
        await asyncio.sleep(0)
        reader = r.body.getReader()
        first = await reader.read()
        same(first.value.to_bytes(), b"x" * 20_000)
        await asyncio.sleep(0.02)
        same(len(sent) < 8, True)       # 64 KiB wait, and then the application does
        total, pieces = 20_000, 1
        while not (step := await reader.read()).done:
            total, pieces = total + step.value.length, pieces + 1
        same([total, pieces, sent[-1]], [400_003, 21, "end"])
    """)


def test_asgi_a_receive_that_is_cancelled_loses_nothing(lab):
    """As Starlette's is_disconnected() does it."""
    run(lab, """
        @http
        async def impatient(scope, receive, send):
            got, more = b"", True
            while more:
                try:
                    message = await asyncio.wait_for(receive(), 0.002)
                except asyncio.TimeoutError:
                    lost_patience.set()
                    continue
                got, more = got + message["body"], message["more_body"]
            await send(start())
            await send(body(got))

        from pyodide.ffi import create_proxy
        lost_patience, given = asyncio.Event(), []
        async def held():           # each piece comes when one has waited for it in vain
            lost_patience.clear()
            given.append(1)
            await lost_patience.wait()
        slow = js.eval("(held) => { let n = 0; return new ReadableStream({ async pull(c) { await held();"
                       "if (n < 3) c.enqueue(new TextEncoder().encode(`piece${n++} `)); else c.close(); } }, { highWaterMark: 0 }); }")
        for headers in ([], [["content-length", "21"]]):
            given.clear()
            r = await ask(impatient, "http://a/", method="POST", body=slow(create_proxy(held)), headers=headers)
            same(await r.text(), "piece0 piece1 piece2 ")
            same(len(given), 4)

        @http
        async def leaves(scope, receive, send):     # while it reads
            try:
                await asyncio.wait_for(receive(), 0.001)
            except asyncio.TimeoutError:
                await send(start())
                await send(body(b"no time"))
                lost_patience.set()
        with Records("asgi") as log:
            log.logger.setLevel(logging.INFO)
            same(await (await ask(leaves, "http://a/", method="POST", body=slow(create_proxy(held)))).text(), "no time")
            await asyncio.sleep(0.02)
            same(log.texts, [])
    """)


def test_asgi_lifespan(lab):
    run(lab, """
        class App:
            def __init__(self, behaviour=None):
                self.events, self.behaviour = [], behaviour
            async def __call__(self, scope, receive, send):
                if scope["type"] == "lifespan":
                    same(sorted(scope), ["asgi", "state", "type"])
                    scope["state"]["word"] = "kept"
                    while True:
                        what = (await receive())["type"]
                        self.events.append(what)
                        if self.behaviour:
                            await self.behaviour(what, send)
                        await send({"type": LIFESPAN[what]})
                        if what == "lifespan.shutdown":
                            return
                self.events.append(scope["state"]["word"])
                await send(start())
                await send(body(b"ok"))

        app = App()
        same(await (await ask(app)).text(), "ok")
        same(app.events, ["lifespan.startup", "kept", "lifespan.shutdown"])
        same(await (await ask(app)).text(), "ok")
        same(len(app.events), 6)

        def failing(phase, message, cause=True):
            async def behaviour(what, send):
                if what == phase:
                    await send({"type": phase + ".failed", "message": message})
                    if cause:
                        raise ValueError("the real reason")
            return behaviour

        e = await raises(RuntimeError, "boom", ask(App(failing("lifespan.startup", "boom"))))
        same([type(e.__cause__), str(e.__cause__)], [ValueError, "the real reason"])
        e = await raises(RuntimeError, "boom", ask(App(failing("lifespan.shutdown", "boom"))))
        same(str(e.__cause__), "the real reason")
        await raises(RuntimeError, "ASGI lifespan startup failed", ask(App(failing("lifespan.startup", ""))))

        async def half(scope, receive, send):
            if scope["type"] == "lifespan":
                await receive()
                return await send({"type": "lifespan.startup.failed", "message": "no cause"})
        await raises(RuntimeError, "no cause", ask(half))

        async def crash(what, send):
            raise RuntimeError("crashed at once")
        app = App(crash)
        with Records("asgi") as log:
            async def tolerant(scope, receive, send):
                if scope["type"] == "lifespan":
                    return await app(scope, receive, send)
                await send(start())
                await send(body(b"ok"))
            same(await (await ask(tolerant)).text(), "ok")
        same(["before reporting startup" in log.texts[0], "crashed at once" in log.texts[0]], [True, True])

        async def silent(scope, receive, send):
            if scope["type"] != "lifespan":
                await send(start())
                await send(body(b"ok"))
        same(await (await ask(silent)).text(), "ok")

        async def odd(scope, receive, send):
            if scope["type"] == "lifespan":
                try:
                    await send({"type": "lifespan.strange"})
                except RuntimeError as e:
                    odd.said = str(e)
                return
            await send(start())
            await send(body(b"ok"))
        await ask(odd)
        same(odd.said, "Unexpected lifespan event lifespan.strange")
    """)


def test_asgi_lifespan_is_left_out_where_nothing_would_happen(lab):
    """Applications that refuse the scope are asked once; FastAPI's and Starlette's only with something to do."""
    run(lab, """
        from fastapi import FastAPI
        from starlette.applications import Starlette
        from starlette.middleware.cors import CORSMiddleware
        asked = []

        class Seeing:
            def __init__(self, app):
                self.app = app
            async def __call__(self, scope, receive, send):
                asked.append(scope["type"])
                await self.app(scope, receive, send)

        class Mine(FastAPI):
            async def __call__(self, scope, receive, send):
                asked.append(scope["type"])
                await super().__call__(scope, receive, send)

        async def hears(app):
            asked.clear()
            same((await ask(app)).status, 404)
            return asked.copy()

        plain = FastAPI()
        plain.add_middleware(CORSMiddleware)
        same([await hears(Starlette()), await hears(plain)], [[], []])
        plain.add_event_handler("shutdown", lambda: asked.append("down"))
        same(await hears(plain), ["down"])
        same(await hears(FastAPI(on_startup=[lambda: asked.append("up")])), ["up"])
        seen = FastAPI()
        seen.add_middleware(Seeing)
        same([await hears(seen), await hears(Mine()), await hears(Seeing(FastAPI()))], [["lifespan", "http"]] * 3)

        async def refusing(scope, receive, send):
            asked.append(scope["type"])
            same(scope["type"], "http")
            await send(start(404))
            await send(body())
        same([await hears(refusing), await hears(refusing)], [["lifespan", "http"], ["http"]])

        async def failing(scope, receive, send):
            asked.append(scope["type"])
            if scope["type"] == "lifespan":
                await receive()
                raise OSError("not yet")
            await send(start(404))
            await send(body())
        same([await hears(failing), await hears(failing)], [["lifespan", "http"]] * 2)

        class Odd:
            __hash__ = None
            async def __call__(self, scope, receive, send):
                await refusing(scope, receive, send)
        odd = Odd()
        same([await hears(odd), await hears(odd)], [["lifespan", "http"]] * 2)
    """)


def test_asgi_errors(lab):
    run(lab, """
        def app_of(*messages, error=None):
            @http
            async def app(scope, receive, send):
                for message in messages:
                    await send(message)
                if error:
                    raise error
            return app

        await raises(RuntimeError, "crash before", ask(app_of(error=RuntimeError("crash before"))))
        await raises(RuntimeError, "crash before", ask(app_of(start(), error=RuntimeError("crash before"))))
        await raises(RuntimeError, "did not generate a response", ask(app_of()))
        await raises(RuntimeError, "did not generate a response", ask(app_of(start())))
        await raises(RuntimeError, "'http.response.start' goes before", ask(app_of(body())))
        await raises(RuntimeError, "it was sent before", ask(app_of(start(), start())))
        await raises(RuntimeError, "Unexpected ASGI message 'x'", ask(app_of({"type": "x"})))
        await raises(TypeError, "body must be bytes, not str", ask(app_of(start(), body("text"))))
        await raises(ValueError, "200 to 599", ask(app_of(start(99), body(b""))))
        await raises(ValueError, "line break", ask(app_of(start(200, [(b"x-a", b"1\\nx-b: 2")]), body(b""))))
        await raises(TypeError, "not a valid header name", ask(app_of(start(200, [(b"x a", b"1")]), body(b""))))
        await raises(ValueError, "not a valid header name", ask(app_of(start(200, [(b"x\\ny", b"1")]), body(b""))))
        await raises(TypeError, "must be bytes, not int", ask(app_of(start(200, [(b"x", 5)]), body(b""))))

        def stops(scope, receive, send):
            raise StopIteration
        await raises(RuntimeError, "raised StopIteration", ask(stops))

        with Records("asgi") as log:
            r = await ask(app_of(start(), body(b"ok"), error=RuntimeError("late")))
            same(await r.text(), "ok")
            same("response started" in log.texts[-1] and "late" in log.texts[-1], True)
            await ask(app_of(start(), body(b"ok"), body(b"again")))
            same("the response is complete" in log.texts[-1], True)

            for app, why in ((app_of(start(), body(b"part", True), error=RuntimeError("amid")), "amid"),
                             (app_of(start(), body(b"part", True)), "before its response was complete"),
                             (app_of(start(200, [(b"content-length", b"3")]), body(b"part", True), body()), "longer than its Content-Length")):
                r = await ask(app)
                await raises(Exception, "", r.text())
                same(why in log.texts[-1], True)

            async def failing():
                raise ValueError("beside")
            asgi.run_in_background(failing())
            while "beside" not in log.texts[-1]:
                await asyncio.sleep(0.001)
    """)


def test_asgi_ends_with_the_one_who_waits(lab):
    """asgi.fetch() cancelled, or left by SystemExit: the application and its lifespan end too."""
    run(lab, """
        seen, begun = [], asyncio.Event()

        async def app(scope, receive, send):
            if scope["type"] == "lifespan":
                while True:
                    what = (await receive())["type"]
                    seen.append(what)
                    await send({"type": LIFESPAN[what]})
                    if what == "lifespan.shutdown":
                        return
            begun.set()
            if scope["path"] == "/exit":
                raise SystemExit
            try:
                await asyncio.sleep(60)
            finally:
                seen.append("over")
                try:
                    await send(start())
                    await send(body(b"x"))
                except OSError as e:
                    seen.append(str(e))

        with Records("asgi") as log:
            log.logger.setLevel(logging.INFO)
            task = asyncio.ensure_future(ask(app))
            await begun.wait()
            task.cancel()
            await raises(asyncio.CancelledError, "", task)
            while len(seen) < 4:
                await asyncio.sleep(0.001)
            same(seen, ["lifespan.startup", "over", "nobody waits for the answer any more", "lifespan.shutdown"])
            seen.clear()
            await raises(SystemExit, "", asgi.fetch(app, Request.new("http://a/exit"), env, ctx))
            while len(seen) < 2:
                await asyncio.sleep(0.001)
            same([seen, log.texts], [["lifespan.startup", "lifespan.shutdown"], []])
    """)


def test_asgi_background_work_goes_on_after_the_answer(lab):
    before = lab.mark()
    answer = lab.run(PRELUDE + textwrap.dedent("""
        @http
        async def app(scope, receive, send):
            await send(start())
            await send(body(b"answered"))
            await asyncio.sleep(0.05)
            print("background: done")
        return await ask(app)
    """))
    assert answer.text == "answered"
    lab.wait_log("background: done", since=before)


def test_asgi_a_client_that_leaves(lab):
    """Who waits in receive() hears of it, and so does who sends."""
    before = lab.mark()
    connection = lab.connection()
    connection.request("GET", "/", headers={"x-code": lab_code(PRELUDE + textwrap.dedent("""
        @http
        async def app(scope, receive, send):
            await receive()
            await send(start())
            await send(body(b"first", True))
            print("heard:", await receive())
            try:
                await send(body(b"more", True))
            except OSError as e:
                print("told:", e)
                raise
        return await ask(app)
    """))})
    answer = connection.getresponse()
    assert answer.read(5) == b"first"
    answer.close()
    connection.close()
    lab.wait_log("heard: {'type': 'http.disconnect'}", since=before)
    lab.wait_log("told: the client has gone", since=before)


def test_asgi_a_client_that_leaves_before_the_answer(lab):
    """Nobody will read it: who sends hears of it even so."""
    before = lab.mark()
    connection = lab.connection()
    connection.request("GET", "/", headers={"x-code": lab_code(PRELUDE + textwrap.dedent("""
        @http
        async def app(scope, receive, send):
            await receive()
            print("begun")
            same(await receive(), {"type": "http.disconnect"})
            await send(start())
            try:
                while True:
                    await send(body(b"x" * 100_000, True))
            except OSError as e:
                print("told:", e)
                raise
        return await asgi.fetch(app, request, env, ctx)
    """))})
    lab.wait_log("begun", since=before)
    connection.close()
    lab.wait_log("told: the client has gone", since=before)


def test_asgi_a_client_that_leaves_while_nobody_looks(lab):
    """The application does not ask; its answer goes nowhere, and sending ends."""
    before = lab.mark()
    connection = lab.connection()
    connection.request("GET", "/", headers={"x-code": lab_code(PRELUDE + textwrap.dedent("""
        gone = asyncio.Event()
        request.signal.addEventListener("abort", lambda event: gone.set())

        @http
        async def app(scope, receive, send):
            print("begun")
            await gone.wait()
            await send(start())
            try:
                while True:
                    await send(body(b"x" * 100_000, True))
            except OSError as e:
                print("told:", e)

        def wapp(environ, start_response):
            start_response("200 OK", [])
            try:
                while True:
                    yield b"x" * 100_000
            finally:
                print("closed")

        await asgi.fetch(app, request, env, ctx)
        return await wsgi.fetch(wapp, request, env, ctx)
    """))})
    lab.wait_log("begun", since=before)
    connection.close()
    lab.wait_log("told: the client has gone", since=before)
    lab.wait_log("closed", since=before)


def test_asgi_a_slow_client_slows_the_application(lab):
    before = lab.mark()
    connection = lab.connection()
    connection.request("GET", "/", headers={"x-code": lab_code(PRELUDE + textwrap.dedent("""
        @http
        async def app(scope, receive, send):
            await send(start())
            for n in range(400):
                await send(body(b"x" * 100_000, True))
                if n == 20:
                    print("at 20")
            print("all sent")
            await send(body())
        return await ask(app)
    """))})
    answer = connection.getresponse()
    lab.wait_log("at 20", since=before)
    lab.get()
    assert "all sent" not in "\n".join(lab.log_lines()[before:])
    assert len(answer.read()) == 40_000_000
    lab.wait_log("all sent", since=before)
    connection.close()
