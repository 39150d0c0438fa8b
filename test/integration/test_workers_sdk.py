"""The classes of `workers`: Request, Response, FormData, Blob, fetch and the conversions; docs/compatibility.md names these tests."""
import textwrap

import pytest

from harness import WRANGLER
from origin import Origin


PRELUDE = """\
import array, datetime, http.client, io, typing
import workers
from http import HTTPMethod, HTTPStatus
from js import Object, Uint8Array
from pyodide.ffi import JsException, JsProxy, jsnull, to_js
from workers import Blob, BlobEnding, FetchResponse, File, FormData, Request, Response, fetch, python_from_rpc, python_to_rpc

def same(got, wanted):
    if got != wanted or type(got) is not type(wanted):
        raise AssertionError(f"{got!r} is not {wanted!r}")

def raises(kind, says, call, *args, **kwargs):
    try:
        came = call(*args, **kwargs)
    except kind as e:
        told = "\\n".join([str(e), *getattr(e, "__notes__", ())])
        if says not in told:
            raise AssertionError(f"{told!r} does not say {says!r}")
        return e
    raise AssertionError(f"no {kind}, but {came!r}")

async def raises_later(kind, says, awaitable):
    try:
        came = await awaitable
    except kind as e:
        return raises(kind, says, lambda: (_ for _ in ()).throw(e))
    raise AssertionError(f"no {kind}, but {came!r}")

"""


def run(lab, code, **more):
    """Run checks in the worker."""
    assert lab.value(PRELUDE + textwrap.dedent(code) + "\nreturn True", **more) is True


# ---- Response ----


def test_response_bodies(lab):
    run(lab, """
        async def text_of(body, **more):
            return await Response(body, **more).text()

        same(await text_of("ä🐎"), "ä🐎")
        same(await text_of(""), "")
        same(await Response(b"\\x00\\xff").bytes(), b"\\x00\\xff")
        same(await Response(bytearray(b"ab")).bytes(), b"ab")
        same(await Response(memoryview(b"abcd")[1:3]).bytes(), b"bc")
        same(await Response(array.array("H", [1, 2])).bytes(), b"\\1\\0\\2\\0")
        same(Response().body, None)
        same(await text_of(None), "")
        same(Response(None, status=204).body, None)
        same(await text_of(jsnull), "")
        blob = Response(Blob(["a", b"b"], content_type="text/x-a"))
        same([await blob.text(), blob.headers["content-type"]], ["ab", "text/x-a"])
        same(await text_of(js.Blob.new(["js"])), "js")
        same(await text_of(File("content", "name")), "content")
        form = Response(FormData({"a": "1"}))
        same((await form.form_data())["a"], "1")
        params = Response(js.URLSearchParams.new("a=1"))
        same(params.headers["content-type"], "application/x-www-form-urlencoded;charset=UTF-8")
        same((await params.formData())["a"], "1")
        same(await text_of(js.Response.new("of a stream").body), "of a stream")
        source = Uint8Array.new(to_js([0, 1, 2, 3]))
        for view in (source, source.buffer, js.DataView.new(source.buffer), source.subarray(1), js.Int16Array.new(source.buffer),
                     js.Float64Array.new(2), js.BigInt64Array.new(1)):
            same((await Response(view).buffer()).byteLength, view.byteLength)
    """)


def test_response_of_generators_and_files(lab):
    run(lab, """
        closed = []

        def pieces():
            try:
                yield "ä"
                yield b"b"
                yield bytearray(b"c")
                yield memoryview(b"d")
            finally:
                closed.append("sync")

        async def later():
            try:
                for piece in pieces():
                    await asyncio.sleep(0)
                    yield piece
            finally:
                closed.append("async")

        class Endless:
            def __aiter__(self):
                return self
            async def __anext__(self):
                return b"x" * 1000
            async def aclose(self):
                closed.append("endless")

        same(await Response(pieces()).text(), "äbcd")
        same(await Response(later(), status=201).text(), "äbcd")
        same(await Response(iter([b"1", "2"])).text(), "12")
        same(await Response(map(str, range(12))).text(), "01234567891011")
        same(await Response(io.BytesIO(b"x" * 200_000)).bytes(), b"x" * 200_000)
        same(await Response(io.StringIO("text")).text(), "text")
        reader = Response(Endless()).body.getReader()
        same((await reader.read()).value.to_bytes(), b"x" * 1000)
        await reader.cancel()
        same(closed, ["sync", "sync", "async", "endless"])

        def wrong():
            yield 5

        await raises_later(Exception, "must be bytes or str, not int", Response(wrong()).text())
    """)


def test_response_of_a_generator_is_sent_as_it_comes(lab):
    answer = lab.run("""
        from workers import Response
        async def count():
            for n in range(1000):
                yield ""
                yield f"{n}\\n"
                yield b""
        return Response(count(), headers={"x-a": "1"})
    """)
    assert answer.text.split() == [str(n) for n in range(1000)] and answer.headers["x-a"] == "1"


def test_response_of_a_generator_ends_with_its_reader(lab):
    run(lab, """
        closed = []

        async def waits():
            try:
                yield b"a"
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                closed.append("cancelled")
                raise
            finally:
                await asyncio.sleep(0)
                closed.append("closed")

        class Iterable:                     # its iterator is what is to be closed
            def __aiter__(self):
                return waits()

        for source in (waits, Iterable):
            closed.clear()
            reader = Response(source()).body.getReader()
            same((await reader.read()).value.to_bytes(), b"a")
            reading = reader.read()         # the generator waits meanwhile
            await asyncio.sleep(0)
            await asyncio.wait_for(reader.cancel(), 20)
            same([closed, (await reading).done], [["cancelled", "closed"], True])

            closed.clear()
            reader = Response(source()).body.getReader()
            await reader.read()
            await asyncio.wait_for(reader.cancel(), 20)
            same(closed[-1:], ["closed"])
    """)


def test_response_refuses(lab):
    run(lab, """
        class Test:
            pass

        same(str(raises(TypeError, "Response.json", Response, {"a": 1})), "Unsupported type in Response: dict")
        same(str(raises(TypeError, "a body is", Response, Test())), "Unsupported type in Response: Test")
        raises(TypeError, "Response.json(data)", Response, [1])
        raises(TypeError, "Response.json(data)", Response, 5)
        raises(TypeError, "Unsupported type in Response: Map", Response, js.Map.new())
        raises(TypeError, "Unsupported type in Response: object", Response, js.Object.new())
        raises(TypeError, "Unsupported type in Response: type", Response, str)
        coroutine = asyncio.sleep(0)
        raises(TypeError, "is an `await` missing?", Response, coroutine)
        await coroutine
        raises(ValueError, "200 to 599", Response, "x", status=99)
        raises(ValueError, "200 to 599", Response, "x", status=600)
        raises(TypeError, "status must be an int or an HTTPStatus, not 'ok'", Response, "x", status="ok")
        raises(TypeError, "status must be an int or an HTTPStatus, not []", Response, "x", status=[])
        raises(TypeError, "status must be an int or an HTTPStatus, not inf", Response, "x", status=float("inf"))
        raises(TypeError, "status_text must be a str, not int", Response, "x", status_text=5)
        raises(TypeError, "null body status", Response, "x", status=204)
        raises(TypeError, "headers must be a dict", Response, "x", headers="a: b")
        raises(TypeError, "headers must be a dict", Response, "x", headers=5)
        raises(TypeError, "headers must be a dict", Response, "x", headers=js.Date.new())
        raises(TypeError, "pair of name and value, not 'a'", Response, "x", headers=["a"])
        raises(TypeError, "pair of name and value, not ('a',)", Response, "x", headers=[("a",)])
        raises(TypeError, "the value of 'x-a' is None", Response, "x", headers={"x-a": None})
        raises(TypeError, "a name must be a str, not int", Response, "x", headers={5: "a"})
        raises(TypeError, "not a valid header name", Response, "x", headers={"a b": "a"})
        raises(TypeError, "line break", Response, "x", headers={"a": "b\\nset-cookie: c"})
        raises(TypeError, "not a valid header name", Response, "x", headers={"a\\nb": "c"})
        raises(TypeError, "line break", Response, "x", headers={"a": "b\\r\\nc", "d": "e"})
        raises(ValueError, "Expected no options", Response, js.Response.new("x"), status=201)
        raises(ValueError, "other.body", Response, Response("x"), headers={"a": "b"})
        raises(TypeError, "WebSocket", Response, None, web_socket=js.Object.new())
        raises(ValueError, "must have status code 101", Response, None, web_socket=js.Object.values(js.WebSocketPair.new())[0])
    """)


def test_response_status_and_fields(lab):
    run(lab, """
        r = Response("x", HTTPStatus.NOT_FOUND, "Gone away", {"x-a": "1"})
        same([r.status, r.status_text, r.ok, r.redirected, r.type, r.url, r.body_used], [404, "Gone away", False, False, "default", "", False])
        same(isinstance(r, FetchResponse), True)
        same(r.js_object, r.js_response)
        same(r.js_object.constructor == js.Response, True)
        same(Response("x", status="201").status, 201)
        same(Response("x", status=HTTPStatus.OK).status, 200)
        raises(OSError, "404 Client Error: Gone away", r.raise_for_status)
        raises(OSError, "500 Server Error", Response("x", 500).raise_for_status)
        same(Response("x").raise_for_status(), None)
        same(repr(Response("x", 201, "Made")), "Response(status=201, status_text='Made', content_type='text/plain;charset=UTF-8')")
        same(repr(Response.json([1])), "Response(status=200, status_text='OK', content_type='application/json')")
        same(repr(Response(None, 204)), "Response(status=204, status_text='No Content')")
        wrapped = Response(js.Response.new("raw", status=202))
        same([wrapped.status, await wrapped.text()], [202, "raw"])
        again = Response(Response("inner", 203))
        same([again.status, await again.text()], [203, "inner"])
        raises(AttributeError, "status_text", lambda: r.statusText)
        raises(AttributeError, "bytes() or buffer()", lambda: r.arrayBuffer)
        raises(AttributeError, "'Response' object has no attribute 'nothing'", lambda: r.nothing)
        r.own = 5
        same(r.own, 5)
    """)


def test_response_reading(lab):
    run(lab, """
        r = Response('{"a": [1, null, {"b": 1.5}]}')
        same(await r.clone().json(), {"a": [1, None, {"b": 1.5}]})
        same(await r.clone().json(parse_float=str), {"a": [1, None, {"b": "1.5"}]})
        same(type(r.clone()), Response)
        same(await r.clone().bytes(), b'{"a": [1, null, {"b": 1.5}]}')
        same(bytes(await r.clone().memoryview()), b'{"a": [1, null, {"b": 1.5}]}')
        same((await r.clone().buffer()).byteLength, 28)
        same(await (await r.clone().blob()).text(), '{"a": [1, null, {"b": 1.5}]}')
        same(await r.clone().string(), await r.text())
        same(r.body_used, True)
        for read in (r.text, r.json, r.bytes, r.buffer, r.form_data, r.blob, r.memoryview):
            await raises_later(OSError, "already used", read())
        raises(OSError, "already used", r.clone)
        await raises_later(ValueError, "Expecting value", Response("no json").json())
        await raises_later(TypeError, "Content-Type", Response(b"x").form_data())
        other = Response("test", status=201, status_text="Created", headers={"x-a": "1"}).replace_body("other")
        same([other.status, other.status_text, other.headers["x-a"], await other.text()], [201, "Created", "1", "other"])
        same((await Response("x").replace_body(FormData({"k": "v"})).bytes()).split()[-2], b"v")
        raises(TypeError, "Unsupported type in Response.replace_body: dict", Response("x").replace_body, {})
    """)


def test_response_json(lab):
    run(lab, """
        async def text(*args, **more):
            return await Response.json(*args, **more).text()

        same(await text([1, 2, 3]), "[1, 2, 3]")
        same(await Response.from_json({"obj": {"field": 123}}).text(), '{"obj": {"field": 123}}')
        same(await text("test"), '"test"')
        same(await text(None), "null")
        same(await text(5), "5")
        same(await text((1, True, None, 1.5)), "[1, true, null, 1.5]")
        same(await text("ä🐎"), '"\\\\u00e4\\\\ud83d\\\\udc0e"')
        r = Response.json("t", status=HTTPStatus.NOT_FOUND, status_text="No", headers={"x-other": "42"})
        same([r.status, r.status_text, r.headers["content-type"], r.headers["x-other"]], [404, "No", "application/json", "42"])
        same(Response.json("t", headers={"Content-Type": "42"}).headers.get_all("content-type"), ["42"])
        same(Response.json("t", headers=js.Headers.new([["content-type", "43"]])).headers.get_all("content-type"), ["43"])
        given = js.Headers.new([["x-a", "1"]])
        same(Response.json("t", headers=given).headers["content-type"], "application/json")
        same(given.has("content-type"), False)
        same(Response.json("t", headers=[]).headers["content-type"], "application/json")

        rows = js.JSON.parse('[{"id": 1, "name": null}]')
        same(await text(rows), '[{"id":1,"name":null}]')
        same(await text({"rows": rows, "n": jsnull}), '{"rows": [{"id": 1, "name": null}], "n": null}')
        same(await text(to_js({"a": 1}, dict_converter=Object.fromEntries)), '{"a":1}')

        class Test:
            pass

        same(str(raises(TypeError, "", Response.json, Test())), "Object of type Test is not JSON serializable")
        same(str(raises(TypeError, "", Response.json, {1, 2})), "Object of type set is not JSON serializable")
        same(str(raises(TypeError, "", Response.json, {"a": js.fetch})), "Object of type function is not JSON serializable")
        raises(TypeError, "is not JSON serializable", Response.json, js.fetch)
        raises(ValueError, "200 to 599", Response.json, {}, status=1)
        raises(TypeError, "null body status", Response.json, {}, status=204)
    """)


def test_response_redirect(lab):
    run(lab, """
        r = Response.redirect("https://example.com/x", HTTPStatus.TEMPORARY_REDIRECT)
        same([r.status, r.headers["location"]], [307, "https://example.com/x"])
        same(Response.redirect("https://example.com").status, 302)
        raises(ValueError, "redirect status code", Response.redirect, "https://example.com", HTTPStatus.BAD_GATEWAY)
        raises(TypeError, "Unable to parse URL", Response.redirect, "")
        raises(TypeError, "url must be a str", Response.redirect, 5)
    """)


# ---- headers ----


def test_headers_in_all_forms(lab):
    run(lab, """
        message = http.client.HTTPMessage()
        message.add_header("X-A", "1")
        message.add_header("X-A", "2")
        forms = [{"X-A": "1, 2"}, [("x-a", "1"), ("x-a", "2")], (["x-a", "1"], ["x-a", "2"]), {"x-a": ["1", "2"]}, message,
                 js.Headers.new([["x-a", "1, 2"]]), {"x-a": "1, 2"}.items(), (p for p in [("x-a", b"1"), (b"x-a", 2)]),
                 Response(headers=[("x-a", "1"), ("x-a", "2")]).headers, Object.fromEntries([["x-a", "1, 2"]]), {"X-a": " 1, 2 "}]
        for form in forms:
            same(Response("x", headers=form).headers.items(), [("x-a", "1, 2"), ("content-type", "text/plain;charset=UTF-8")][::-1])
        same(Response("x", headers={"a": 5, "b": True, "c": "1\\n", "d": "ä"}).js_object.headers.get("b"), "true")
        same(Response("x", headers={}).headers.keys(), ["content-type"])
    """)
    answer = lab.run("""
        from workers import Response
        return Response("x", headers=[("set-cookie", "a=1; Expires=Wed, 21 Oct 2015"), ("Set-Cookie", "b=2"), ("x-a", "1"), ("x-a", "2")])
    """)
    assert answer.headers.get_all("set-cookie") == ["a=1; Expires=Wed, 21 Oct 2015", "b=2"]
    assert ", ".join(answer.headers.get_all("x-a")) == "1, 2"


def test_headers_are_an_http_message(lab):
    run(lab, """
        h = Response("x", headers=[("Set-Cookie", "a=b, c=d"), ("Set-Cookie", "e=f"), ("Accept", "text/html, */*"), ("accept", "a")]).headers
        same([isinstance(h, http.client.HTTPMessage), isinstance(h, typing.Mapping)], [True, True])
        same(h.get_all("set-cookie"), ["a=b, c=d", "e=f"])
        same(h["ACCEPT"], "text/html, */*, a")
        same([h["nothing"], h.get("nothing", 5), "accept" in h, "nothing" in h, len(h)], [None, 5, True, False, 4])
        same(h.get_content_type(), "text/plain")
        same(h.get_content_charset(), "utf-8")
        same(dict(h)["accept"], "text/html, */*, a")
        same({**Response("x").headers}, {"content-type": "text/plain;charset=UTF-8"})
        same(Response(None).headers.items(), [])
        same(list(Response("x").headers), ["content-type"])

        r = Response("x")
        r.headers["X-A"] = "1"
        r.headers["x-a"] = "2"
        r.headers.add_header("x-b", "3")
        r.headers.add_header("x-b", "4")
        r.headers.add_header("content-disposition", "attachment", filename="a.txt")
        r.headers.replace_header("content-type", "text/css")
        r.headers["x-c"] = 5
        del r.headers["x-nothing"]
        same(r.js_object.headers.get("x-a"), "2")
        same(r.headers.items(), [("content-disposition", 'attachment; filename="a.txt"'), ("content-type", "text/css"), ("x-a", "2"),
                                 ("x-b", "3, 4"), ("x-c", "5")])
        del r.headers["x-b"]
        same(r.js_object.headers.has("x-b"), False)
        raises(TypeError, "not a valid header name", r.headers.__setitem__, "a b", "c")
        raises(AttributeError, 'get_all("set-cookie")', lambda: r.headers.getSetCookie)
        raises(AttributeError, "no attribute 'nothing'", lambda: r.headers.nothing)
        raises(KeyError, "x-z", r.headers.replace_header, "x-z", "c")

        import copy, pickle
        for again in (copy.copy(r.headers), copy.deepcopy(r.headers), pickle.loads(pickle.dumps(r.headers))):
            same([again.items(), type(again)], [r.headers.items(), type(r.headers)])
            again["x-new"] = "1"
        same(r.headers["x-new"], None)

        fixed = Response.redirect("https://example.com").headers
        fixed["x-a"] = "1"
        del fixed["location"]
        same(fixed.items(), [("x-a", "1")])
        same(Response("y", headers=fixed).headers["x-a"], "1")
    """)


# ---- Request ----


def test_request(lab):
    run(lab, """
        r = Request("https://test.com", method=HTTPMethod.POST)
        same(r.method, HTTPMethod.POST)
        same(r.method == "POST", True)
        same(repr(r), "Request(method='POST', url='https://test.com/')")
        same(Request("http://a/", method="propfind").method, "propfind")
        same([Request("http://a/").method, r.url, r.body, r.body_used, r.cf], [HTTPMethod.GET, "https://test.com/", None, False, None])
        same([r.redirect, r.cache, r.integrity, r.keepalive], ["follow", "default", "", False])
        same(Request("http://a/", redirect="manual").redirect, "manual")
        same(Request(js.URL.new("http://a/b")).url, "http://a/b")
        for form in ({"X-A": "1"}, [("x-a", "1")], js.Headers.new([["x-a", "1"]]), Request("http://a/", headers={"x-a": "1"}).headers):
            same(Request("http://a/", headers=form).headers["x-a"], "1")
        cookies = Request("http://a/", headers=[("Set-Cookie", "s=1"), ("Set-Cookie", "t=2"), ("X-Custom", "v")])
        same(cookies.headers.get_all("Set-Cookie"), ["s=1", "t=2"])
        agent = Request("http://a/", headers={"User-Agent": "Example, Agent/1.0 (a, b)"})
        same(agent.headers["user-agent"], "Example, Agent/1.0 (a, b)")
        same([Request("http://a/", cf={"colo": "DFW", "x": {"y": 1}}).cf.x.y, Request(js.Request.new("http://a/", cf=to_js({"colo": "D"}, dict_converter=Object.fromEntries))).cf.colo], [1, "D"])
        aborter = js.AbortController.new()
        aborter.abort()
        same(Request("http://a/", signal=aborter.signal).js_object.signal.aborted, True)
        copy = Request(Request("http://a/", method="PUT", headers={"x-a": "1"}), headers={"x-b": "2"})
        same([copy.method, copy.headers.items()], [HTTPMethod.PUT, [("x-b", "2")]])
        raw = js.Request.new("http://a/c")
        same(Request(raw).js_object, raw)
        same(workers._values.wrap_request(raw).url, "http://a/c")
        same(workers._values.unwrap(Request(raw)), raw)

        raises(ValueError, "Expected no options", Request, raw, method="POST")
        raises(TypeError, "input must be a str, a URL or a Request, not int", Request, 5)
        raises(TypeError, "input must be a str, a URL or a Request, not Map", Request, js.Map.new())
        raises(TypeError, "Invalid URL", Request, "no address")
        raises(TypeError, "method must be a str, not int", Request, "http://a/", method=5)
        raises(TypeError, "not a valid method", Request, "http://a/", method="a b")
        raises(TypeError, "redirect must be one of", Request, "http://a/", redirect="x")
        raises(TypeError, "Unsupported type in Request: dict", Request, "http://a/", method="POST", body={"a": 1})
        raises(TypeError, "cannot have a body", Request, "http://a/", body="x")
        raises(AttributeError, "browsers", lambda: r.mode)
        raises(AttributeError, "bytes() or buffer()", lambda: r.arrayBuffer)
        raises(AttributeError, "js_object.signal", lambda: r.signal)
    """)


def test_request_bodies(lab):
    run(lab, """
        def post(body):
            return Request("http://a/", method="POST", body=body)

        async def later():
            yield "a"
            yield b"b"

        same(await post('{"field": [42, null]}').json(), {"field": [42, None]})
        same(await post(bytes(range(256))).bytes(), bytes(range(256)))
        same(await post(bytearray(b"ab")).text(), "ab")
        same(await post(memoryview(b"ab")).text(), "ab")
        same(await post(later()).text(), "ab")
        same((await post(FormData({"foobar": "123"})).form_data())["foobar"], "123")
        raw = js.FormData.new()
        raw.append("foobar", 123)
        same((await post(raw).formData())["foobar"], "123")
        same(await (await post("foobar").blob()).text(), "foobar")
        same((await post("foobar").buffer()).byteLength, 6)
        used = post("x")
        same(await used.clone().text(), "x")
        await used.text()
        same(raises(OSError, "Body already used", used.clone).__class__.__name__, "OSError")
        for read in (used.text, used.json, used.bytes, used.buffer, used.form_data, used.blob):
            await raises_later(OSError, "already used", read())
        same(used.body_used, True)
        await raises_later(ValueError, "Expecting", post("no json").json())
        await raises_later(TypeError, "Content-Type", post(b"x").form_data())
    """)


def test_request_of_a_client(lab):
    code = PRELUDE + textwrap.dedent("""
        r = Request(request)
        same([r.method, r.url, r.headers["x-mine"], r.headers["user-agent"]], [HTTPMethod.POST, request.url, "a, b", "Mozilla/5.0 (KHTML, like Gecko)"])
        same([r.headers.get_all("x-mine"), r.headers.get_all("x-nothing", 5)], [["a", "b"], 5])
        same(await r.json(), {"a": [1, {"b": None}]})
        same(isinstance(r.cf, JsProxy), True)
        h = r.headers
        h["x-mine"] = "changed"
        same([h["x-mine"], r.headers["x-mine"]], ["changed", "a, b"])
        return True
    """)
    answer = lab.run(code, method="POST", body=b'{"a": [1, {"b": null}]}',
                     headers={"x-mode": "json", "x-mine": "a, b", "user-agent": "Mozilla/5.0 (KHTML, like Gecko)"})
    assert answer.json() == {"value": True}


# ---- fetch ----


@pytest.fixture(scope="module")
def origin():
    one = Origin()
    yield one
    one.close()


def test_fetch(lab, origin):
    run(lab, "U = %r\n" % origin.url + textwrap.dedent("""
        async def sent(*args, **more):
            said = await (await fetch(*args, **more)).json()
            return said["method"], said["path"], said["body"], dict(said["headers"])

        r = await fetch(U + "/a?q=1")
        same([type(r), isinstance(r, FetchResponse), r.status, r.ok, r.url, r.redirected], [Response, True, 200, True, U + "/a?q=1", False])
        same(r.headers["Content-Type"], "application/json")
        same((await r.json())["path"], "/a?q=1")
        method, path, body, headers = await sent(U + "/b", method=HTTPMethod.PUT, body=b"\\x01\\xff", headers={"X-Mine": 123})
        same([method, body, headers["x-mine"]], ["PUT", "\\x01\\xff", "123"])
        same((await sent(U, body=None))[0], "GET")
        same((await sent(js.URL.new(U + "/url")))[1], "/url")
        same((await sent(Request(U + "/c", method="POST", body="text")))[:3], ("POST", "/c", "text"))
        same((await sent(Request(U + "/c", headers={"x-a": "1"}), method="PATCH", body=FormData({"k": "v"})))[0], "PATCH")
        said = await (await fetch(js.Request.new(U + "/raw"), headers=[("x-a", "1"), ("x-a", "2")])).json()
        same(", ".join(v for k, v in said["headers"] if k == "x-a"), "1, 2")
        same((await sent(U, method="POST", body=(c for c in ("a", b"b"))))[2], "ab")
        same((await sent(U, method="POST", body=js.URLSearchParams.new("a=1")))[3]["content-type"], "application/x-www-form-urlencoded;charset=UTF-8")
        same((await sent(U, headers=Request(U, headers={"x-a": "1"}).headers))[3]["x-a"], "1")
        r = await fetch(U + "/cookies")
        same([r.headers.get_all("set-cookie"), r.headers["x-two"]], [["a=1; Path=/", "b=2"], "1, 2"])
        r = await fetch(U + "/redirect?code=301&to=/x", redirect="manual", foobarbaz=42, cf={"cacheTtl": 5, "cacheKey": "k"})
        same([r.status, r.headers["location"]], [301, "/x"])
        same([(await fetch(U + "/redirect?code=302&to=/x")).redirected, (await fetch(U + "/status?code=404")).status], [True, 404])
        raises(OSError, "404 Client Error", (await fetch(U + "/status?code=404")).raise_for_status)
        answer = Response((await fetch(U + "/y")).body, status=201, headers={"x-a": "1"})
        same([answer.status, (await answer.json())["path"]], [201, "/y"])
        same((await (await fetch(U + "/z")).replace_body("mine").text()), "mine")

        async def service(resource, options):
            return js.Response.new(f"{resource} {options.method} {options.headers.get('x-a')}")

        r = await fetch("http://inner/", method=HTTPMethod.POST, headers={"x-a": "1"}, fetcher=js.eval("(f) => (r, o) => f(r, o)")(service))
        same(await r.text(), "http://inner/ POST 1")

        same(str(raises(TypeError, "", fetch, U, {"headers": {}})), "fetch() takes 1 positional argument but 2 were given")
        await raises_later(OSError, "", fetch("http://127.0.0.1:1/"))
        await raises_later(OSError, "nvalid URL", fetch("no address"))
        await raises_later(TypeError, "resource must be a str, a URL or a Request, not dict", fetch({}))
        await raises_later(TypeError, "Unsupported type in fetch: dict", fetch(U, method="POST", body={}))
        await raises_later(TypeError, "headers must be a dict", fetch(U, headers="a: b"))
        aborter = js.AbortController.new()
        aborter.abort()
        await raises_later(OSError, "aborted", fetch(U, signal=aborter.signal))
    """))


@pytest.mark.parametrize("date, values", [("2026-02-16", ["a", "b"]), ("2026-02-17", ["a, b"])])
def test_commas_of_request_headers(corral, date, values):
    one = corral({"src/entry.py": "from workers import Response, WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n"
                                  "    def fetch(self, request):\n        h = request.headers\n"
                                  "        return Response.json([h['x-a'], h.get_all('x-a'), h.get_all('set-cookie')])\n",
                  "wrangler.toml": WRANGLER.format(name="x").replace("2024-03-29", date)})
    assert one.get(headers={"x-a": "a, b", "set-cookie": "c=1, 2"}).json() == ["a, b", values, ["c=1, 2"]]


@pytest.mark.parametrize("code, kinds", [
    ("class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        return show(request)\n", "Request workers._request"),
    ("@handler\nasync def on_fetch(request, env):\n    return show(request)\n", "Request workers._request"),
    ("async def on_fetch(request):\n    return show(request)\n", "JsProxy pyodide.ffi"),
], ids=["class", "handler", "function"])
def test_what_handlers_are_given(corral, code, kinds):
    one = corral({"src/entry.py": "from workers import Response, WorkerEntrypoint, handler\n\n"
                                  "def show(request):\n    if '/wrong' in request.url:\n        request.arrayBuffer(), request.headers.getSetCookie()\n"
                                  "    return Response(type(request).__name__ + ' ' + type(request).__module__)\n\n" + code})
    assert one.get().text == kinds
    if "workers" in kinds:
        wrong = one.get("/wrong")
        assert wrong.status == 500 and "In Python it is bytes() or buffer()" in wrong.text, wrong.text


# ---- FormData ----


def test_form_data(lab):
    run(lab, """
        raw = js.FormData.new()
        raw.append("foobar", 123)
        raw.append("key", "lorem ipsum")
        raw.append("key", "dolor sit amet")
        f = FormData(raw)
        same([f["foobar"], f["key"], f.get_all("key"), "unknown" in f, "key" in f], ["123", "lorem ipsum", ["lorem ipsum", "dolor sit amet"], False, True])
        same(f.js_object, raw)
        f = FormData({"key": "foobar"})
        f.append("key", "another")
        f.append("key2", "foobar2")
        same(list(f.items()), [("key", "foobar"), ("key", "another"), ("key2", "foobar2")])
        same(list(f.entries()), list(f.items()))
        same([list(f.keys()), list(f), list(f.values()), len(f)], [["key", "key", "key2"], ["key", "key", "key2"], ["foobar", "another", "foobar2"], 3])
        f["key"] = "one"
        same(f.get_all("key"), ["one"])
        same([f["nothing"], f.get("nothing"), f.get("nothing", 5), f.get_all("nothing"), f.get("key")], [None, None, 5, [], "one"])
        del f["key"]
        raises(KeyError, "key", f.__delitem__, "key")
        same([f.pop("key2"), f.pop("key2", 5), len(f), bool(f)], ["foobar2", 5, 0, True])
        raises(KeyError, "x", f.pop, "x")
        same([f.setdefault("x", "1"), f.setdefault("x", "2")], ["1", "1"])
        f.delete("x")
        f.update({"a": "1"}, b="2")
        same(FormData(f) == f, False if FormData(f).js_object != f.js_object else True)
        same(list(FormData([("a", "1"), ("a", "2")]).items()), [("a", "1"), ("a", "2")])
        same(list(FormData({"a": ["1", "2"], "b": 5}).items()), [("a", "1"), ("a", "2"), ("b", "5")])
        same(list(FormData(None).items()), [])
        same(list(FormData({}).items()), [])
        same(repr(FormData({"a": "1"})), "FormData([('a', '1')])")
        raises(TypeError, "Expected single item", f.__setitem__, "a", ["x"])
        raises(TypeError, "Expected form_data to be a dict", FormData, 5)
        raises(TypeError, "Expected form_data to be a dict", FormData, js.Map.new())
        raises(TypeError, "a value must be a str, bytes, a Blob or a File, not dict", f.append, "a", {})
        raises(TypeError, "not NoneType", f.append, "a", None)
        raises(TypeError, "filename", f.append, "a", "text", "name")
        raises(AttributeError, "get_all()", lambda: f.getAll)

        f = FormData({"blob": Blob(["some string"], content_type="text/x-a")})
        f["js"] = js.Blob.new(["another"])
        f.append("file", File("my file", "test.txt", "text/plain"))
        f.append("named", Blob("x"), "named.bin")
        f.append("named", b"y", filename="other.bin")
        same([type(v) for v in f.values()], [File] * 5)
        same([await f["blob"].text(), f["blob"].content_type, f["js"].name, f["file"].name, f["named"].name], ["some string", "text/x-a", "blob", "test.txt", "named.bin"])
        back = await Response(f).form_data()
        same([await v.bytes() for v in back.get_all("named")], [b"x", b"y"])
        same([back["file"].name, back["file"].content_type, await back["file"].text()], ["test.txt", "text/plain", "my file"])
    """)


# ---- Blob and File ----


def test_blob_and_file(lab):
    run(lab, """
        b = Blob(["test"], content_type="Application/JSON")
        same([b.size, b.content_type, b.js_object.type, await b.bytes(), await b.text()], [4, "application/json", "application/json", b"test", "test"])
        same(await b.slice(1, 3).text(), "es")
        same([await b.slice(-2).text(), await b.slice().text(), b.slice(0, 1, "a/b").content_type], ["st", "test", "a/b"])
        same(await Blob([memoryview(b"foobar"), bytearray(b"1"), b"2", "ä", Blob("x"), js.Blob.new(["y"]), Uint8Array.new(to_js([122])), array.array("b", [65])]).text(), "foobar12äxyzA")
        for single in ("ab", b"ab", bytearray(b"ab"), memoryview(b"ab"), Blob("ab"), js.Blob.new(["ab"]), Uint8Array.new(to_js(b"ab")), (c for c in "ab")):
            same(await Blob(single).text(), "ab")
        same([Blob(b).content_type, Blob(b, content_type="other/type").content_type, Blob([b]).content_type, Blob(b.js_object).content_type],
             ["application/json", "other/type", "", "application/json"])
        same([await Blob("a\\r\\nb\\n", endings=e).text() for e in ("native", BlobEnding.NATIVE, BlobEnding.TRANSPARENT, None)],
             ["a\\nb\\n", "a\\nb\\n", "a\\r\\nb\\n", "a\\r\\nb\\n"])
        same(str(BlobEnding.NATIVE), "native")
        same(await Response(b.stream()).text(), "test")
        same(repr(b), "Blob(size=4, content_type='application/json')")
        f = File("my file", filename="test.txt", content_type="text/plain", last_modified=12345)
        same([f.content_type, f.name, f.last_modified, await f.text(), isinstance(f, Blob)], ["text/plain", "test.txt", 12345, "my file", True])
        same(abs(File(["a"], "n").last_modified - time.time() * 1000) < 60_000, True)
        g = File(f, "new.txt")
        same([g.name, g.content_type, g.last_modified], ["new.txt", "text/plain", 12345])
        g = File(f.js_object)
        same([g.name, g.content_type, g.last_modified], ["test.txt", "text/plain", 12345])
        same([type(Blob(f)), type(f.slice(1))], [Blob, Blob])
        same(repr(f), "File(name='test.txt', size=7, content_type='text/plain')")
        raises(TypeError, "filename", File, "x")
        raises(TypeError, "filename must be a str, not int", File, "x", 5)
        raises(TypeError, "a part must be a str, bytes, a buffer, a Blob or a File, not int", Blob, [5])
        raises(TypeError, "blob_parts must be", Blob, 5)
        raises(TypeError, "blob_parts must be", Blob, {"a": 1})
        raises(TypeError, "a part must be", Blob, [js.Map.new()])
        raises(TypeError, "endings must be 'transparent' or 'native'", Blob, "x", endings="mac")
        raises(AttributeError, "content_type", lambda: b.type)
    """)


# ---- conversions for calls between workers ----


def test_python_from_rpc(lab):
    run(lab, """
        value = js.eval('''({n: null, u: undefined, list: [1, [2.5, null], {a: {b: true}}], map: new Map([["k", {x: null}], [1, 2]]),
                            set: new Set([1, "a"]), date: new Date(86400000), "get": 5})''')
        v = python_from_rpc(value)
        same([v["n"], v.u, v.list, v.set], [None, None, [1, [2.5, None], {"a": {"b": True}}], {1, "a"}])
        same([v.map["k"]["x"], v.map["k"].x, v.map[1], v.list[2].a.b, v["get"]], [None, None, 2, True, 5])
        same(v.date, datetime.datetime.fromtimestamp(86400))
        same([type(v).__name__, isinstance(v, dict), type(v.list[2]).__name__], ["JsDict", True, "JsDict"])
        raises(AttributeError, "missing", lambda: v.missing)
        v.new = 1
        same(v["new"], 1)
        del v.new
        same("new" in v, False)
        ring = js.eval("const r = {list: []}; r.self = r; r.list.push(r); r")
        ring = python_from_rpc(ring)
        same([ring.self is ring, ring.list[0] is ring], [True, True])
        for binary in (js.ArrayBuffer.new(8), js.DataView.new(js.ArrayBuffer.new(8)), js.Int16Array.of(1, 2)):
            same(type(python_from_rpc(binary)), memoryview)
        same([python_from_rpc(x) for x in (None, jsnull, 5, "x", True, 1.5, 2**70)], [None, None, 5, "x", True, 1.5, 2**70])
        same(python_from_rpc(js.Number.new("1234")), 1234)
        error = python_from_rpc(js.Error.new("message"))
        same([type(error), str(error)], [Exception, "Error: message"])
        same([type(python_from_rpc(x)) for x in (js.Response.new("x"), js.Request.new("http://a/"), js.FormData.new(), js.Blob.new(["x"]), js.File.new(["x"], "n"))],
             [Response, Request, FormData, Blob, File])
        same(type(python_from_rpc(js.eval("[new Response('x')]"))[0]), Response)
        same([python_from_rpc(js.fetch) == js.fetch, python_from_rpc(js.Headers.new()).constructor == js.Headers], [True, True])
    """)


def test_python_to_rpc(lab):
    run(lab, """
        show = js.eval('''(v) => v === null ? "null" : typeof v !== "object" ? typeof v : v.constructor.name + " " + JSON.stringify(v)''')
        wanted = {
            "null": None, "string": "x", "number": 5, "boolean": True, "bigint": 2**70,
            'Object {"a":1,"b":{"c":null}}': {"a": 1, "b": {"c": None}}, "Array [1,[null],{}]": [1, [None], {}], 'Object {"1":2,"null":3,"true":4}': {1: 2, None: 3, True: 4} if False else {1: 2, None: 3, "true": 4},
            'Date "1970-01-02T00:00:00.000Z"': datetime.datetime.fromtimestamp(86400), 'Uint8Array {"0":1,"1":2}': b"\\1\\2", "function": len,
        }
        for text, value in wanted.items():
            same(show(python_to_rpc(value)), text)
        made = python_to_rpc({"constructor": 1, "__proto__": {"x": 1}, "set": 5, "length": 2})
        same(js.JSON.stringify(made), '{"constructor":1,"__proto__":{"x":1},"set":5,"length":2}')
        same(js.Array.from_(python_to_rpc({1, 2, 3})).length, 3)
        same(python_to_rpc(memoryview(b"ab")).to_bytes(), b"ab")
        ring = {"list": []}
        ring["list"].append(ring)
        ring = python_to_rpc(ring)
        same(ring.list[0] == ring, True)
        for thing in (Response("x"), Request("http://a/"), FormData(), Blob("x"), File("x", "n")):
            same(python_to_rpc(thing), thing.js_object)
            same(python_to_rpc([thing])[0], thing.js_object)
        error = python_to_rpc(ValueError("bad"))
        same([error.name, error.message], ["Error", "bad"])
        same(python_to_rpc(js.Map.new([[1, 2]])).get(1), 2)
        same(js.eval("(f) => f(2)")(python_to_rpc(lambda x: x + 1)), 3)
        same(js.eval("(o) => o.f(2)")(python_to_rpc({"f": lambda x: x + 1})), 3)
        for bad in ((1, 2), bytearray(b"x"), [(1,)], {"a": (1,)}, [[bytearray()]], {"a": {"b": bytearray()}}):
            raises(TypeError, "cannot be sent over RPC.", python_to_rpc, bad)
        same(str(raises(TypeError, "", python_to_rpc, (1,))), "<class 'tuple'> cannot be sent over RPC.")
        same(str(raises(TypeError, "", python_to_rpc, js.RegExp.new("a"))), "RegExp cannot be sent over RPC.")
        coroutine = asyncio.sleep(0)
        same(str(raises(TypeError, "", python_to_rpc, [coroutine])), "Awaitable <class 'coroutine'> cannot be sent over RPC.")
        await coroutine
        same(python_from_rpc(python_to_rpc({"a": [None, {"b": b"x"}]})).a[0], None)
    """)


# ---- names for annotations ----


def test_names_for_annotations(lab):
    run(lab, """
        from workers import Body, Context, FetchKwargs, Headers, JSBody, RequestInitCfProperties

        def annotated(a: Body | None, b: Headers | None, c: JSBody | None, **more: FetchKwargs) -> Context:
            pass

        same([FetchKwargs(method="GET"), RequestInitCfProperties(cacheTtl=5)], [{"method": "GET"}, {"cacheTtl": 5}])
        same(sorted(FetchKwargs.__annotations__), ["body", "cf", "fetcher", "headers", "method", "redirect"])
        same([n for n in workers.__all__ if not hasattr(workers, n)], [])
        same([workers.wsgi.__name__, workers.asgi.__name__, workers.workflows.NonRetryableError.__module__], ["workers.wsgi", "workers.asgi", "workers.workflows"])
    """)


# ---- a project with an SDK of its own ----

OWN_SDK = """
import js

class WorkerEntrypoint:
    def __init__(self, ctx, env):
        self.env = env

class Request:
    def __init__(self, raw):
        self.raw = raw

class Response:
    def __init__(self, text):
        self.js_object = js.Response.new("own: " + text)

def python_from_rpc(value):
    return Request(value)
"""


def test_a_workers_package_of_the_project_goes_first(corral):
    one = corral({
        "src/entry.py": "import sys\nfrom workers import Response, WorkerEntrypoint\nfrom workers.more import WORD\nimport asgi\n"
                        "try:\n    from workers import fetch\nexcept ImportError as e:\n    missing = str(e)\n"
                        "try:\n    import wsgi\nexcept ImportError as e:\n    missing += ' ' + str(e)\n"
                        "class Default(WorkerEntrypoint):\n    def fetch(self, request):\n"
                        "        names = sorted(n for n in sys.modules if n.split('.')[0] in ('workers', 'asgi', 'wsgi'))\n"
                        "        return Response(f'{WORD} {type(request).__module__} {request.raw.method} {asgi.WORD} {names} {missing}')\n",
        "python_modules/workers/__init__.py": OWN_SDK, "python_modules/workers/more.py": "WORD = 'more'\n", "src/asgi.py": "WORD = 'mine'\n",
    })
    text = one.get().text
    assert text.startswith("own: more workers GET mine ['asgi', 'workers', 'workers.more'] cannot import name 'fetch'"), text
    assert text.endswith("No module named 'wsgi'"), text


def test_cloudflares_sdk_in_the_project_is_replaced_by_ours(corral):
    one = corral({
        "src/entry.py": "import workers\nfrom workers import Response, WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n"
                        "    def fetch(self, request):\n        return Response(workers.__spec__.origin + ' ' + type(request).__name__)\n",
        "python_modules/workers/__init__.py": "from ._workers import Response\n",
        "python_modules/workers/_workers.py": "import _pyodide_entrypoint_helper\ntype JSBody = int\n",
    })
    assert one.get().text == "<corral>/python/workers/__init__.py Request"
