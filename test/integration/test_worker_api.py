"""Request, Response and Headers in a worker: docs/compatibility.md names these tests."""
import json
import re

import pytest

from harness import LAB, text

pytestmark = pytest.mark.asan


# ---- Request ----


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_request_method(lab, method):
    assert text(lab, "return Response.new(request.method)", method=method) == method


def test_request_url_is_absolute(lab):
    got = text(lab, "return Response.new(request.url)", path="/a/b%20c?x=1&y=%C3%A4")
    assert re.fullmatch(r"http://(127\.0\.0\.1|localhost):%d/a/b%%20c\?x=1&y=%%C3%%A4" % lab.port, got)


def test_request_url_takes_the_host_header(lab):
    got = text(lab, "return Response.new(request.url)", headers={"Host": "example.com"})
    assert got == "http://example.com/"


def test_request_headers_get(lab):
    assert text(lab, 'return Response.new(request.headers.get("X-One"))', headers={"x-one": "1"}) == "1"


def test_request_headers_get_of_a_missing_one_is_none(lab):
    assert lab.value('return request.headers.get("x-none") is None')


def test_request_headers_has(lab):
    assert lab.value('return [request.headers.has("HOST"), request.headers.has("x-none")]') == [True, False]


def test_request_headers_iterate_as_pairs(lab):
    pairs = lab.value("return [list(pair) for pair in request.headers]", )
    assert ["host", "127.0.0.1:%d" % lab.port] in pairs


def test_request_headers_are_immutable(lab):
    outcome = lab.outcome('request.headers.set("a", "b")')
    assert outcome["error"] == "JsException" and "immutable" in outcome["text"].lower(), outcome


def test_request_text(lab):
    body = "Grüße, 日本語 🐎".encode()
    assert text(lab, "return Response.new(await request.text())", method="POST", body=body) == body.decode()


def test_request_text_of_no_body_is_empty(lab):
    assert lab.value("return await request.text()") == ""


def test_request_text_of_a_large_body(lab):
    body = b"0123456789abcdef" * (1 << 18)
    answer = lab.run("return Response.new(await request.text())", method="POST", body=body)
    assert answer.body == body


def test_request_json(lab):
    body = json.dumps({"name": "corral", "list": [1, 2.5, None, True], "deep": {"a": "b"}})
    assert lab.value("""
        data = await request.json()
        return [data.name, data.list.length, data.list[0], data.list[1], data.list[3], data.deep.a]
    """, method="POST", body=body) == ["corral", 4, 1, 2.5, True, "b"]


def test_request_json_to_py(lab):
    body = {"a": [1, {"b": "c"}], "d": "e"}
    assert lab.value("return (await request.json()).to_py()", method="POST", body=json.dumps(body)) == body


def test_request_json_of_nonsense_raises_js_exception(lab):
    outcome = lab.outcome("await request.json()", method="POST", body="{nonsense")
    assert outcome["error"] == "JsException" and "SyntaxError" in outcome["text"], outcome


def test_request_missing_field_with_getattr_default(lab):
    assert lab.value('return getattr(await request.json(), "title", None)', method="POST", body="{}") is None


def test_request_body_read_twice_raises(lab):
    outcome = lab.outcome("await request.text()\nawait request.text()", method="POST", body="x")
    assert outcome["error"] == "JsException" and "TypeError" in outcome["text"], outcome


def test_request_body_used(lab):
    assert lab.value("a = request.bodyUsed\nawait request.text()\nreturn [a, request.bodyUsed]",
                     method="POST", body="x") == [False, True]


def test_request_array_buffer(lab):
    assert lab.value("""
        buffer = await request.arrayBuffer()
        return [buffer.byteLength, list(buffer.to_bytes()), str(buffer)]
    """, method="POST", body=b"\x00\xff\n") == [3, [0, 255, 10], "[object ArrayBuffer]"]


def test_request_bytes(lab):
    assert lab.value("a = await request.bytes()\nreturn [a.length, a[1], list(a.to_bytes())]",
                     method="POST", body=b"\x00\xff\n") == [3, 255, [0, 255, 10]]


def test_request_body_of_a_get_is_none(lab):
    assert lab.value("return request.body is None")


def test_request_clone(lab):
    assert lab.value("""
        copy = request.clone()
        return [copy.method, copy.url == request.url, copy.headers.get("x-mode"), copy == request]
    """) == ["GET", True, "json", False]


def test_request_clone_of_a_body_of_bytes(lab):
    assert lab.value("""
        data = await request.bytes()
        first = js.Request.new(request.url, method="POST", body=data)
        second = first.clone()
        return [await first.text(), await second.text()]
    """, method="POST", body="x") == ["x", "x"]


def test_request_new(lab):
    assert lab.value("""
        r = js.Request.new("https://example.com/a", method="post", headers=Headers.new({"X-A": "1"}.items()), body="words")
        return [r.method, r.url, r.headers.get("x-a"), r.headers.get("content-type"), r.redirect, await r.text(), r.bodyUsed]
    """) == ["POST", "https://example.com/a", "1", "text/plain;charset=UTF-8", "follow", "words", True]


def test_request_new_of_a_request(lab):
    assert lab.value("""
        r = js.Request.new(request, headers=Headers.new([["x-more", "1"]]))
        used = request.bodyUsed
        return [r.method, r.url == request.url, r.headers.get("x-more"), used, await r.text()]
    """, method="PUT", body="moved") == ["PUT", True, "1", True, "moved"]


@pytest.mark.parametrize("call, says", [
    ("js.Request.new('/relative')", "URL"), ("js.Request.new('http://x/', method='a b')", "method"),
    ("js.Request.new('http://x/', method='TRACE')", "forbidden"), ("js.Request.new('http://x/', body='x')", "body"),
], ids=["relative", "no method", "forbidden method", "GET with a body"])
def test_request_new_refuses(lab, call, says):
    outcome = lab.outcome(call)
    assert outcome["error"] == "JsException" and "TypeError" in outcome["text"] and says in outcome["text"], outcome


def test_addresses_are_normalised_or_refused(lab):
    assert lab.value("""
        return [js.Request.new("https://A/../c d#\u00e9").url, Response.redirect("HTTP://b/../\u00fc").headers.get("location")]
    """) == ["https://a/c%20d#%C3%A9", "http://b/%C3%BC"]
    outcome = lab.outcome('Response.redirect("/relative")')
    assert outcome["error"] == "JsException" and "Unable to parse URL: /relative" in outcome["text"], outcome


def test_request_cf_knows_the_names(lab):
    assert lab.value("""
        cf = request.cf
        return [cf.httpProtocol, cf.country, cf.colo, cf.tlsVersion, js.JSON.stringify(cf), js.Request.new(request.url).cf is None,
                js.Request.new(request).cf.httpProtocol, js.Request.new(request.url, cf={"a": "b"}).cf["a"],
                cf.to_py()]
    """) == ["HTTP/1.1", None, None, None, '{"httpProtocol":"HTTP/1.1"}', True, "HTTP/1.1", "b", {"httpProtocol": "HTTP/1.1"}]


# ---- Response ----


def test_response_text_has_its_content_type(lab):
    answer = lab.run('return Response.new("Hällo")')
    assert answer.body == "Hällo".encode()
    assert answer.headers["content-type"].lower().replace(" ", "") == "text/plain;charset=utf-8"
    assert int(answer.headers["content-length"]) == len(answer.body)


def test_response_none_has_no_body(lab):
    answer = lab.run("return Response.new(None)")
    assert (answer.status, answer.body) == (200, b"") and answer.headers["content-type"] is None


def test_response_without_arguments(lab):
    answer = lab.run("return Response.new()")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("status", [200, 201, 202, 301, 400, 404, 418, 451, 500, 503, 599])
def test_response_status(lab, status):
    assert lab.run("return Response.new('x', status=%d)" % status).status == status


@pytest.mark.parametrize("status", [204, 205, 304])
def test_response_without_body_status(lab, status):
    answer = lab.run("return Response.new(None, status=%d)" % status)
    assert (answer.status, answer.body) == (status, b"")


@pytest.mark.parametrize("status", [0, 99, 199, 600, 1000])
def test_response_status_out_of_range_raises(lab, status):
    outcome = lab.outcome("Response.new('x', status=%d)" % status)
    assert outcome["error"] == "JsException" and "RangeError" in outcome["text"], outcome


@pytest.mark.parametrize("body", ["''", "b''", "bytearray()", "js.Blob.new()"])
def test_response_without_body_status_takes_what_is_empty(lab, body):
    """As Cloudflare takes it, and many write it."""
    answer = lab.run("return Response.new(%s, status=204)" % body)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (204, b"", None)
    assert lab.outcome("Response.new('x', status=204)")["error"] == "JsException"


def test_response_status_text(lab):
    assert lab.run("return Response.new('x', status=201, statusText='Made')").reason == "Made"


def test_response_status_text_is_the_usual_one(lab):
    """As on Cloudflare; the Fetch standard has ''."""
    texts = lab.value("return [Response.new(None, status=n).statusText for n in range(200, 600)]")
    assert texts[:2] == ["OK", "Created"] and texts[218] == "I'm a teapot" and texts[399] == ""
    for status in (200, 206, 226, 300, 308, 400, 404, 418, 431, 451, 500, 511):
        assert lab.run("return Response.new(None, status=%d)" % status).reason == texts[status - 200] != ""
    assert lab.value("""
        r = Response.new("x", status=404, statusText="Gone away")
        return [r.statusText, r.clone().statusText, Response.new("y", r).statusText, Response.error().statusText,
                Response.redirect("http://x/").statusText, Response.json(1).statusText]
    """) == ["Gone away", "Gone away", "Gone away", "", "Found", "OK"]


def test_response_headers_from_headers(lab):
    answer = lab.run('h = Headers.new({"X-A": "1"}.items())\nh.append("x-a", "2")\nreturn Response.new("x", headers=h)')
    assert answer.headers.get_all("x-a") in (["1, 2"], ["1", "2"])


def test_response_headers_from_dict_items(lab):
    code = 'return Response.new("{}", headers=Headers.new({"content-type": "application/json"}.items()))'
    assert lab.run(code).headers["content-type"] == "application/json"


def test_response_own_content_type_wins(lab):
    code = 'return Response.new("<p>", headers=Headers.new([("content-type", "text/html")]))'
    assert lab.run(code).headers.get_all("content-type") == ["text/html"]


def test_response_with_too_large_headers_fails_alone(corral):
    import threading
    one = corral(LAB, env={"CORRAL_TEST_INSTANCES": "1"})
    one.get()
    got = []
    other = threading.Thread(target=lambda: got.append(one.run(
        "sys.gate = asyncio.Event()\nprint('waits')\nawait sys.gate.wait()\nreturn Response.new(str(os.getpid()))").text))
    other.start()
    one.wait_log("waits")
    answer = one.run("h = Headers.new([('x%d' % i, 'y' * 10000) for i in range(200)])\n"
                     "print('pid', os.getpid())\nreturn Response.new('body' * 1000, headers=h)")
    assert answer.status == 500 and "headers" in answer.text and "131072 bytes" in answer.text, answer
    one.value("sys.gate.set()")
    other.join()
    assert got == [one.wait_log(r"pid (\d+)").group(1)], "the process was ended with all its requests"


def test_response_set_cookie_stays_apart(lab):
    answer = lab.run("""
        h = Headers.new()
        h.append("Set-Cookie", "a=1; Path=/")
        h.append("Set-Cookie", "b=2, c")
        return Response.new("x", headers=h)
    """)
    assert answer.headers.get_all("set-cookie") == ["a=1; Path=/", "b=2, c"]


def test_response_of_a_dict_is_its_repr(lab):
    assert text(lab, 'return Response.new({"message": "ok"})') == "{'message': 'ok'}"


def test_response_of_a_number_is_its_text(lab):
    assert text(lab, "return Response.new(42)") == "42"


def test_response_fields_read_back(lab):
    assert lab.value("""
        r = Response.new("body", status=418)
        return [r.status, r.ok, r.statusText, r.headers.get("content-type").lower().replace(" ", ""), await r.text()]
    """) == [418, False, "I'm a teapot", "text/plain;charset=utf-8", "body"]


def test_response_is_the_constructor_that_javascript_sees(lab):
    assert lab.value("""
        r, same = Response.new("x"), getattr(js.Object, "is")
        return [same(Response, js.globalThis.Response), same(r.constructor, js.Response),
                Response.name, js.Object.prototype.toString.call(r)]
    """) == [True, True, "Response", "[object Response]"]


@pytest.mark.parametrize("body", [
    "b'\\x00\\xff'", "bytearray(b'\\x00\\xff')", "memoryview(b'\\x00\\xff')", "js.Uint8Array.new([0, 255])",
    "js.Uint8Array.new([0, 255]).buffer", "js.Uint8Array.new([9, 0, 255]).subarray(1)",
], ids=["bytes", "bytearray", "memoryview", "Uint8Array", "ArrayBuffer", "part of an array"])
def test_response_of_bytes(lab, body):
    answer = lab.run("return Response.new(%s)" % body)
    assert (answer.body, answer.headers["content-type"]) == (b"\x00\xff", None)


def test_response_json(lab):
    answer = lab.run("""
        from pyodide.ffi import to_js
        data = to_js({"name": "ä", "list": [1, None]}, dict_converter=js.Object.fromEntries)
        return Response.json(data, status=202, headers=Headers.new([["x-a", "1"]]))
    """)
    assert (answer.status, answer.headers["x-a"], answer.headers["content-type"]) == (202, "1", "application/json")
    assert answer.text == '{"name":"ä","list":[1,null]}'


def test_response_json_of_what_came(lab):
    body = '{"a":[1,{"b":null}]}'
    assert text(lab, "return Response.json(await request.json())", method="POST", body=body) == body


def test_response_json_keeps_the_content_type_it_is_given(lab):
    code = 'return Response.json("x", headers=Headers.new([["content-type", "application/ld+json"]]))'
    assert lab.run(code).headers.get_all("content-type") == ["application/ld+json"]


def test_response_json_of_a_python_dict_is_empty(lab):
    assert text(lab, 'return Response.json({"a": 1})') == "{}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_response_redirect(lab, status):
    answer = lab.run("return Response.redirect('https://example.com/', %d)" % status)
    assert (answer.status, answer.headers["location"], answer.body) == (status, "https://example.com/", b"")


def test_response_redirect_is_immutable_and_302_by_itself(lab):
    assert lab.value("return Response.redirect('https://example.com/').status") == 302
    outcome = lab.outcome("Response.redirect('https://example.com/').headers.set('a', 'b')")
    assert outcome["error"] == "JsException" and "immutable" in outcome["text"], outcome
    outcome = lab.outcome("Response.redirect('https://example.com/', 200)")
    assert outcome["error"] == "JsException" and "RangeError" in outcome["text"], outcome


def test_response_error(lab):
    assert lab.value("r = Response.error()\nreturn [r.type, r.status, r.ok, r.body is None]") == ["error", 0, False, True]
    answer = lab.run("return Response.error()")
    assert answer.status == 500 and "Response.error()" in answer.text


def test_response_clone(lab):
    assert lab.value("""
        r = Response.new("twice", status=201, statusText="Made", headers=Headers.new([["x-a", "1"]]))
        c = r.clone()
        c.headers.set("x-a", "2")
        return [await r.text(), await c.text(), c.status, c.statusText, r.headers.get("x-a"), r.bodyUsed]
    """) == ["twice", "twice", 201, "Made", "1", True]


def test_response_clone_of_a_used_one_is_refused(lab):
    outcome = lab.outcome("r = Response.new('x')\nawait r.text()\nr.clone()")
    assert outcome["error"] == "JsException" and "already been used" in outcome["text"], outcome


def test_response_array_buffer_bytes_and_json_read_back(lab):
    assert lab.value("""
        new = Response.new
        return [list((await new("ä").arrayBuffer()).to_bytes()), list((await new(b"ab").bytes()).to_bytes()),
                (await new('{"a": 1}').json()).a, await new(None).text(), (await new(None).bytes()).length]
    """) == [[195, 164], [97, 98], 1, "", 0]


def test_response_sent_or_read_twice_is_refused(lab):
    outcome = lab.outcome("r = Response.new('x')\nawait r.text()\nawait r.bytes()")
    assert outcome["error"] == "JsException" and "already been used" in outcome["text"], outcome
    answer = lab.run("r = Response.new('x')\nawait r.text()\nreturn r")
    assert answer.status == 500 and "already been used" in answer.text


def test_response_with_a_nul_or_newline_in_a_header_raises(lab):
    for bad in (r"a\nb", r"a\0b", r"a\rb"):
        outcome = lab.outcome("Headers.new([('x', '%s')])" % bad)
        assert outcome["error"] == "JsException" and "TypeError" in outcome["text"], outcome


# ---- Headers ----


def test_headers_of_a_python_dict(lab):
    assert lab.value("""
        class Mine(dict):
            pass
        return [[list(p) for p in Headers.new(made)] for made in ({"A": "b", "n": 1}, Mine(c="d"), {}, [("e", "f"), ["g", "h"]], {"i": "j"}.items())]
    """) == [[["a", "b"], ["n", "1"]], [["c", "d"]], [], [["e", "f"], ["g", "h"]], [["i", "j"]]]


def test_headers_methods(lab):
    assert lab.value("""
        h = Headers.new()
        h.set("A", "1"); h.append("a", "2"); h.set("b", "x"); h.set("c", "y"); h.delete("C")
        return [h.get("A"), h.has("c"), sorted([list(p) for p in h]), list(h.keys()), list(h.values())]
    """) == ["1, 2", False, [["a", "1, 2"], ["b", "x"]], ["a", "b"], ["1, 2", "x"]]


def test_headers_get_set_cookie(lab):
    assert lab.value("""
        h = Headers.new()
        h.append("set-cookie", "a=1"); h.append("set-cookie", "b=2")
        return [list(h.getSetCookie()), list(h.getAll("Set-Cookie"))]
    """) == [["a=1", "b=2"]] * 2


def test_headers_copy_entries_and_for_each(lab):
    assert lab.value("""
        h = Headers.new({"B": "2", "a": " 1 "}.items())
        copy, seen = Headers.new(h), []
        copy.set("c", "3")
        copy.forEach(lambda value, name, all: seen.append([name, value]))
        return [h.has("c"), [list(p) for p in copy.entries()], seen, h.get("none") is None]
    """) == [False, [["a", "1"], ["b", "2"], ["c", "3"]], [["a", "1"], ["b", "2"], ["c", "3"]], True]


def test_headers_of_an_object_of_javascript(lab):
    assert lab.value("""
        from pyodide.ffi import to_js
        return Headers.new(to_js({"p": "q"}, dict_converter=js.Object.fromEntries)).get("P")
    """) == "q"
