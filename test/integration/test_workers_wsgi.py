"""workers.wsgi: applications of the specification; docs/compatibility.md names these tests."""
import textwrap

import pytest

from asgi_helpers import PRELUDE, run
from harness import lab_code

pytestmark = pytest.mark.asan


WSGI = """
async def ask(app, *args, serialize=False, **more):
    return await asyncio.wait_for(wsgi.fetch(app, Request.new(*(args or ("http://a/",)), **more), env, ctx, serialize=serialize), 20)

"""


def test_wsgi_environ(lab):
    run(lab, """
        import io, workers, wsgiref.validate
        raw = Request.new("https://a.b:8443/p%20q/%C3%A4%ff?x=%20&y#z", method="POST", body="abc",
                          headers=[["X-A", "1"], ["x-u", "ä"], ["Content-Type", "text/x"], ["cookie", "a=1"], ["x_a", "spoofed"], ["accept", "a"], ["accept", "b"]])
        e = wsgi.build_environ(raw, env, b"abc")
        wanted = {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/p q/\\xc3\\xa4\\xff", "QUERY_STRING": "x=%20&y", "SERVER_NAME": "a.b", "SERVER_PORT": "8443",
                  "SERVER_PROTOCOL": "HTTP/1.1", "CONTENT_TYPE": "text/x", "CONTENT_LENGTH": "3", "HTTP_X_A": "1", "HTTP_X_U": "\\xc3\\xa4", "HTTP_COOKIE": "a=1",
                  "HTTP_ACCEPT": "a,b", "wsgi.version": (1, 0), "wsgi.url_scheme": "https", "wsgi.multithread": False, "wsgi.multiprocess": False,
                  "wsgi.run_once": False, "wsgi.input_terminated": True, "RAW_URI": "/p%20q/%C3%A4%ff?x=%20&y"}
        same({k: e.get(k) for k in wanted}, wanted)
        same([e["wsgi.input"].read(), e["wsgi.errors"], e["workers.env"] == env, type(e["REQUEST_METHOD"])], [b"abc", sys.stderr, True, str])
        same(wsgi.build_environ(workers.Request(raw), env, io.BytesIO(b""))["HTTP_X_A"], "1")
        same("CONTENT_LENGTH" in wsgi.build_environ(Request.new("http://a/"), env, b""), False)
        import wsgi as short
        same(short.fetch, wsgi.fetch)

        def checked(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [environ["REQUEST_METHOD"].encode()]
        r = await wsgi.fetch(wsgiref.validate.validator(checked), Request.new("http://a/"), env)
        same(await r.text(), "GET")
    """)


def test_wsgi_requests_and_answers(lab):
    run(lab, WSGI + textwrap.dedent("""
        closed = []

        class Iterable:
            def __init__(self, *pieces):
                self.pieces = pieces
            def __iter__(self):
                yield from self.pieces
            def close(self):
                closed.append(self.pieces)

        def app(environ, start_response):
            write = start_response("201 Made so", [("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("X-U", "\\xc3\\xa4"), ("X-L", "\\xe4")])
            app.input = environ["wsgi.input"]
            data = app.input.read()
            write(b"before ")
            return Iterable(b"", b"first ", b"", data)

        r = await ask(app, "http://a/", method="POST", body="request")
        same([r.constructor == js.Response, r.status, r.statusText, r.headers.get("x-u"), r.headers.get("x-l"), list(r.headers.getSetCookie())], [True, 201, "Made so", "ä", "\\udce4", ["a=1", "b=2"]])
        same(await r.text(), "before first request")
        async with asyncio.timeout(20):
            while not (closed and app.input.closed):
                await asyncio.sleep(0.01)
        same(len(closed), 1)

        def lines(environ, start_response):
            start_response("200 OK", [])
            source = environ["wsgi.input"]
            return [repr([source.readline(), source.read(2), list(source)]).encode()]
        same(await (await ask(lines, "http://a/", method="POST", body="a\\nbcd\\ne")).text(), "[b'a\\\\n', b'bc', [b'd\\\\n', b'e']]")
        def big(environ, start_response):
            start_response("200 OK", [])
            return [b"%d" % len(environ["wsgi.input"].read())]
        same(await (await ask(big, "http://a/", method="POST", body="x" * 500_000)).text(), "500000")

        def late(environ, start_response):
            yield b""
            start_response("202 Later", [])
            yield b"a"
            yield memoryview(b"b")
        r = await ask(late)
        same([r.status, await r.text()], [202, "ab"])

        def again(environ, start_response):
            start_response("200 OK", [("x-a", "1")])
            try:
                raise ValueError
            except ValueError:
                start_response("500 Oh", [("x-a", "2")], sys.exc_info())
            return [b"sorry"]
        r = await ask(again)
        same([r.status, r.headers.get("x-a"), await r.text()], [500, "2", "sorry"])

        for status in ("204 No", "304 Not"):
            def empty(environ, start_response):
                start_response(status, [])
                return [b"dropped"]
            same((await ask(empty)).status, int(status[:3]))
        def file(environ, start_response):
            import io
            start_response("200 OK", [("Content-Length", "300000")])
            return environ["wsgi.file_wrapper"](io.BytesIO(b"z" * 300_000))
        same(len(await (await ask(file)).text()), 300_000)

        running = []
        def alone(environ, start_response):
            start_response("200 OK", [])
            running.append(1)
            yield b"a"
            same(len(running), 1)
            running.pop()
            yield b"b"
        same([await r.text() for r in await asyncio.gather(ask(alone, serialize=True), ask(app, serialize=True))], ["ab", "before first "])
        same([issubclass(c, __import__("workers").WorkerEntrypoint) for c in (wsgi.entrypoint(app), asgi.entrypoint(None))], [True, True])
    """))


def test_wsgi_waits_by_run_sync(lab):
    run(lab, WSGI + textwrap.dedent("""
        from pyodide.ffi import run_sync

        active, most, enough = 0, 0, 3

        def app(environ, start_response):
            nonlocal active, most
            active += 1
            most = max(most, active)
            run_sync(asyncio.sleep(0.02))
            while most < enough:
                run_sync(asyncio.sleep(0.002))
            active -= 1
            start_response("200 OK", [])
            yield b"a"
            run_sync(asyncio.sleep(0.01))
            yield b"b"

        same([await r.text() for r in await asyncio.gather(*(ask(app) for _ in range(3)))], ["ab"] * 3)
        same(most, 3)
        most, enough = 0, 1
        same([await r.text() for r in await asyncio.gather(*(ask(app, serialize=True) for _ in range(3)))], ["ab"] * 3)
        same(most, 1)

        given = []

        def slowly(environ, start_response):
            start_response("200 OK", [("x-kind", type(environ["wsgi.input"].raw).__name__)])
            first = environ["wsgi.input"].read(3)
            given.append(first)
            return [first + b"|" + environ["wsgi.input"].read()]

        async def pieces():
            yield b"abc"
            while not given:
                await asyncio.sleep(0.01)
            yield b"def"

        r = await ask(slowly, "http://a/", method="POST", body=__import__("workers").Response(pieces()).body)
        same([r.headers.get("x-kind"), await r.text()], ["_Input", "abc|def"])
    """))


def test_wsgi_errors(lab):
    run(lab, WSGI + textwrap.dedent("""
        closed = []

        def app_of(*pieces, status="200 OK", headers=(), error=None, calls=1):
            class Pieces:
                def __iter__(self):
                    yield from pieces
                    if error:
                        raise error
                def close(self):
                    closed.append(1)
            def app(environ, start_response):
                for _ in range(calls):
                    start_response(status, list(headers))
                return Pieces()
            return app

        def crash(environ, start_response):
            raise RuntimeError("crash before")
        await raises(RuntimeError, "crash before", ask(crash))
        await raises(RuntimeError, "at first", ask(app_of(error=RuntimeError("at first"))))
        await raises(RuntimeError, "did not call start_response()", ask(app_of(b"x", calls=0)))
        await raises(RuntimeError, "did not call start_response()", ask(lambda environ, start_response: []))
        await raises(AssertionError, "was called before", ask(app_of(b"x", calls=2)))
        await raises(TypeError, "must give bytes, not str", ask(app_of("text")))
        await raises(ValueError, "status must be a str such as '200 OK'", ask(app_of(b"x", status=200)))
        await raises(TypeError, "control characters", ask(app_of(b"x", status="200 OK\\r\\nx-a: b")))
        await raises(TypeError, "each header must be a tuple of two str", ask(app_of(b"x", headers=[("a", 1)])))
        await raises(TypeError, "not iterable", ask(lambda environ, start_response: start_response("200 OK", []) and None))
        same(len(closed), 4)
        await raises(RuntimeError, "raised StopIteration", ask(lambda environ, start_response: next(iter([]))))
        with Records("wsgi") as log:
            r = await ask(app_of(b"a", b"b", error=RuntimeError("amid")))
            await raises(Exception, "", r.text())
            same("amid" in log.texts[-1], True)
        same(len(closed), 5)

        class Ends:
            def __iter__(self):
                return iter([b"x"])
            def close(self):
                closed.append(2)
                raise RuntimeError("amid close")
        def without_input(environ, start_response):
            start_response("200 OK", [])
            del environ["wsgi.input"]
            return Ends()
        with Records("wsgi") as log:
            r = await ask(without_input)
            same([await r.text(), closed[-1], "amid close" in log.texts[-1]], ["x", 2, True])

        from pyodide.ffi import run_sync
        begun, left = asyncio.Event(), asyncio.Event()
        def slow(environ, start_response):
            begun.set()
            run_sync(left.wait())
            start_response("200 OK", [])
            return [b"x"]
        with Records("wsgi") as log:
            task = asyncio.ensure_future(ask(slow))
            await begun.wait()
            task.cancel()
            await raises(asyncio.CancelledError, "", task)
            left.set()
            async with asyncio.timeout(20):
                while not log.texts:
                    await asyncio.sleep(0.001)
            same([text.splitlines()[0] for text in log.texts], ["The client of a WSGI application has gone"])
    """))


def test_wsgi_streams_and_a_client_that_leaves(lab):
    before = lab.mark()
    connection = lab.connection()
    connection.request("GET", "/", headers={"x-code": lab_code(PRELUDE + textwrap.dedent("""
        def app(environ, start_response):
            start_response("200 OK", [("x-a", "1")])
            try:
                n = 0
                while True:
                    n += 1
                    if n == 10:
                        print("at 10")
                    yield b"x" * 100_000
            finally:
                print("closed at", n)
        return await wsgi.fetch(app, request, env)
    """))})
    answer = connection.getresponse()
    lab.wait_log("at 10", since=before)
    lab.get()
    assert "closed" not in "\n".join(lab.log_lines()[before:])
    assert answer.read(100) == b"x" * 100
    answer.close()
    connection.close()
    lab.wait_log(r"closed at \d+$", since=before)
