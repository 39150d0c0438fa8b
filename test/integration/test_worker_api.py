"""The API that a worker sees so far: docs/compatibility.md names these tests."""
import json
import re

import pytest

from harness import LAB, WRANGLER, lab_code, until

pytestmark = pytest.mark.asan


def text(lab, code, **more):
    answer = lab.run(code, **more)
    assert answer.status == 200, (answer.status, answer.text)
    return answer.text


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


def test_request_clone_of_an_unread_body_is_refused(lab):
    outcome = lab.outcome("request.clone()", method="POST", body="x")
    assert outcome["error"] == "JsException" and "bytes()" in outcome["text"], outcome
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


def test_addresses_stay_as_they_are_written(lab):
    assert lab.value("""
        return [js.Request.new("https://A/../c d").url, Response.redirect("/relative").headers.get("location")]
    """) == ["https://A/../c d", "/relative"]


def test_request_cf_is_none(lab):
    assert lab.value("return [request.cf is None, hasattr(request, 'cf')]") == [True, True]


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


def test_response_status_text(lab):
    assert lab.run("return Response.new('x', status=201, statusText='Made')").reason == "Made"


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
    one = corral(LAB)
    one.get()
    got = []
    other = threading.Thread(target=lambda: got.append(one.run(
        "print('waits')\nawait asyncio.sleep(0.5)\nreturn Response.new(str(os.getpid()))").text))
    other.start()
    one.wait_log("waits")
    answer = one.run("h = Headers.new([('x%d' % i, 'y' * 10000) for i in range(200)])\n"
                     "print('pid', os.getpid())\nreturn Response.new('body' * 1000, headers=h)")
    assert answer.status == 500 and "headers" in answer.text and "131072 bytes" in answer.text, answer
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
    """) == [418, False, "", "text/plain;charset=utf-8", "body"]


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


def test_response_clone_of_a_stream_or_a_used_one_is_refused(lab):
    outcome = lab.outcome("r = Response.new('x')\nawait r.text()\nr.clone()")
    assert outcome["error"] == "JsException" and "already been used" in outcome["text"], outcome
    outcome = lab.outcome("Response.new(js.ReadableStream.new()).clone()")
    assert outcome["error"] == "JsException" and "not supported yet" in outcome["text"], outcome


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


def test_headers_of_a_python_dict_does_not_hang(lab):
    outcome = lab.outcome('return Headers.new({"a": "b"}).get("a")', timeout=15)
    assert outcome.get("value") == "b" or "error" in outcome
    assert text(lab, 'return Response.new("next")') == "next"


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


# ---- handlers ----

HANDLERS = {
    "one": "async def on_fetch(request):\n    return Response.new('one')\n",
    "two": "async def on_fetch(request, env):\n    return Response.new('two ' + env.WORD)\n",
    "three": "async def on_fetch(request, env, ctx):\n    return Response.new('three ' + str(ctx is not None))\n",
    "sync": "def on_fetch(request):\n    return Response.new('sync')\n",
    "defaults": "async def on_fetch(request, env=None, *more):\n    return Response.new('defaults %d' % len(more))\n",
    "returns an awaitable": "async def later():\n    return Response.new('later')\n\ndef on_fetch(request):\n    return later()\n",
}
SAYS = {"one": "one", "two": "two up", "three": "three True", "sync": "sync", "defaults": "defaults 1",
        "returns an awaitable": "later"}


@pytest.mark.parametrize("kind", HANDLERS)
def test_handler_shapes(corral, kind):
    one = corral({"src/entry.py": "from js import Response\n\n" + HANDLERS[kind],
                  "wrangler.toml": WRANGLER.format(name="x") + '[vars]\nWORD = "up"\n'})
    assert one.get().text == SAYS[kind]


CLASSES = {
    "fetch": ("from js import Response", "async def fetch(self, request):\n        return Response.new('fetch ' + self.env.WORD)"),
    "sync": ("from js import Response", "def fetch(self, request):\n        return Response.new('fetch ' + self.env.WORD)"),
    "three": ("from js import Response", "async def fetch(self, request, env, ctx):\n"
              "        assert ctx is self.ctx\n        return Response.new('fetch ' + env.WORD)"),
    "workers.Response": ("from workers import Response", "async def fetch(self, request):\n        return Response('fetch ' + self.env.WORD)"),
}


@pytest.mark.parametrize("kind", CLASSES)
def test_class_default(corral, kind):
    imports, method = CLASSES[kind]
    one = corral({"src/entry.py": "from workers import WorkerEntrypoint\n%s\n\nclass Default(WorkerEntrypoint):\n    %s\n" % (imports, method),
                  "wrangler.toml": WRANGLER.format(name="x").replace("2024-03-29", "2025-12-01") + '[vars]\nWORD = "up"\n'})
    assert one.get().text == "fetch up"


def test_class_default_is_made_anew_for_each_request(corral):
    one = corral("from workers import Response, WorkerEntrypoint\nmade = 0\n\nclass Default(WorkerEntrypoint):\n"
                 "    def __init__(self, ctx, env):\n        global made\n        super().__init__(ctx, env)\n        made += 1\n"
                 "        self.n = made\n\n    async def fetch(self, request):\n        return Response(str(self.n))\n")
    connection = one.connection()
    assert [one.request("GET", "/", connection=connection).text for _ in range(3)] == ["1", "2", "3"]
    connection.close()


def test_class_default_beside_on_fetch_is_refused(corral):
    one = corral("from workers import WorkerEntrypoint\n\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        pass\n\n"
                 "async def on_fetch(request):\n    pass\n", ready=False)
    one.wait_log("Cannot define multiple default entrypoints")


def test_on_fetch_of_a_newer_date_is_still_called(corral):
    one = corral({"src/entry.py": "from js import Response\n\ndef on_fetch(request):\n    return Response.new('called')\n",
                  "wrangler.toml": WRANGLER.format(name="x").replace("2024-03-29", "2025-12-01")})
    assert one.get().text == "called"


def test_wait_until_runs_on_after_the_answer(lab):
    before = lab.mark()
    assert text(lab, """
        gate = sys.gate = asyncio.Event()
        async def back():
            await gate.wait()
            print("ran on")
        ctx.waitUntil(back())
        return Response.new("answered")
    """) == "answered"
    assert "ran on" not in "\n".join(lab.log_lines()[before:])

    def opened():
        lab.run("if hasattr(sys, 'gate'): sys.gate.set()\nreturn Response.new('x')")
        return "ran on" in "\n".join(lab.log_lines()[before:])
    until("what waitUntil was given ends", opened)


def test_wait_until_takes_promises_and_logs_what_fails(lab):
    before = lab.mark()
    assert text(lab, """
        async def lose(): raise ValueError("lost behind the answer")
        ctx.waitUntil(js.Promise.resolve(1))
        ctx.waitUntil(lose())
        return Response.new("answered")
    """) == "answered"
    lab.wait_log(r"\[lab:err\] waitUntil: Traceback(.|\n)*ValueError: lost behind the answer", since=before)


def test_pass_through_on_exception_does_nothing(lab):
    answer = lab.run("ctx.passThroughOnException()\nraise ValueError('not passed')")
    assert answer.status == 500 and "not passed" in answer.text


def test_own_modules_beside_the_entry(corral):
    one = corral({"src/entry.py": "from js import Response\nimport helper\nfrom pack.inner import WORD\n\n"
                                  "def on_fetch(request):\n    return Response.new(helper.word() + WORD)\n",
                  "src/helper.py": "def word():\n    return 'help'\n",
                  "src/pack/__init__.py": "", "src/pack/inner.py": "WORD = 'ful'\n"})
    assert one.get().text == "helpful"


def test_top_level_state_lives_on_between_requests(corral):
    one = corral("from js import Response\ncount = 0\n\ndef on_fetch(request):\n    global count\n    count += 1\n"
                 "    return Response.new(str(count))\n")
    connection = one.connection()
    assert [one.request("GET", "/", connection=connection).text for _ in range(3)] == ["1", "2", "3"]
    connection.close()


# ---- errors ----


def test_exception_is_a_500_with_the_traceback(lab):
    before = lab.mark()
    answer = lab.run("raise ValueError('quite wrong')")
    assert answer.status == 500
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("PythonError: Traceback (most recent call last)")
    assert "ValueError: quite wrong" in answer.text
    lab.wait_log("ValueError: quite wrong", since=before)
    assert text(lab, 'return Response.new("alive")') == "alive"


def test_exception_of_a_helper_names_file_and_line(corral):
    one = corral({"src/entry.py": "from js import Response\nimport helper\n\ndef on_fetch(request):\n    return helper.go()\n",
                  "src/helper.py": "\n\ndef go():\n    return 1 / 0\n"})
    answer = one.get()
    assert answer.status == 500
    assert re.search(r'helper\.py", line 4', answer.text) and "ZeroDivisionError" in answer.text


@pytest.mark.parametrize("code, says", [
    ("return None", "None"), ("return 'text'", "str"), ("return {'a': 1}", "dict"), ("return 7", "int"),
    ("return js.Object.new()", "Object"), ("return Response", "Response"),
], ids=["None", "str", "dict", "int", "object", "class"])
def test_no_response_says_what_came(lab, code, says):
    before = lab.mark()
    answer = lab.run(code)
    assert answer.status == 500
    assert "Response" in answer.text and says in answer.text, answer.text
    lab.wait_log(r"\[\w+:err\].*Response", since=before)


def test_system_exit_does_not_end_the_node(lab):
    answer = lab.run("sys.exit(3)")
    assert answer.status == 500
    assert text(lab, 'return Response.new("alive")') == "alive"


def test_os_exit_costs_one_request(lab):
    answer = lab.run("os._exit(0)")
    assert 500 <= answer.status < 600
    until("it serves", lambda: lab.run('return Response.new("alive")').text == "alive")


def test_rejected_promise_with_a_string_does_not_hang(lab):
    outcome = lab.outcome('await js.Promise.reject("plain words")', timeout=15)
    assert "plain words" in outcome["text"], outcome
    assert text(lab, 'return Response.new("next")') == "next"


def test_js_error_is_a_js_exception(lab):
    outcome = lab.outcome("js.JSON.parse('{')")
    assert outcome["error"] == "JsException" and "SyntaxError" in outcome["text"], outcome


# ---- output ----


@pytest.mark.parametrize("call, line", [
    ("console.log('a', 1, 'b')", r"\[lab:inf\] a 1 b$"),
    ("console.info('info')", r"\[lab:inf\] info$"),
    ("console.warn('warned')", r"\[lab:(wrn|warn)\] warned$"),
    ("console.error('erred')", r"\[lab:err\] erred$"),
    ("print('printed', 2)", r"\[lab:inf\] printed 2$"),
    ("print('to stderr', file=sys.stderr)", r"\[lab:\w+\] to stderr$"),
    ("print('no newline at the end', end='')", r"\[lab:inf\] no newline at the end$"),
    ("print('first\\nsecond')", r"\[lab:inf\] first\n(\[lab:inf\] )?\s*second$"),
    ("console.log('Grüße 🐎')", r"\[lab:inf\] Grüße 🐎$"),
    ("console.log(js.JSON.parse('{\"a\":{\"b\":{\"c\":{}}}}'))", r"\[lab:inf\] \{ a: \{ b: \{ c: \{\} \} \} \}$|\[Object\]"),
    ("console.log('%s is %d%%', 'x', 5, 'more')", r"\[lab:inf\] x is 5% more$"),
    ("console.log({'a': [1, None]}, (1,), b'x', None)", r"\[lab:inf\] \{'a': \[1, None\]\} \(1,\) b'x' undefined$"),
    ("console.log(Headers.new([['a', 'b']]))", r"\[lab:inf\] Headers \{\s*a: 'b'\s*\}$"),
    ("console.dir(js.JSON.parse('{\"dir\":1}'))", r"\[lab:inf\] \{ dir: 1 \}$"),
    ("console.table(js.JSON.parse('[{\"table\":1}]'))", r"\[lab:inf\] \[ \{ table: 1 \} \]$"),
    ("console.assert_(1 > 2, 'why')", r"\[lab:err\] Assertion failed: why$"),
    ("console.count('n'); console.count('n'); console.countReset('n'); console.count('n')",
     r"\[lab:inf\] n: 1\n\[lab:inf\] n: 2\n\[lab:inf\] n: 1$"),
    ("console.group('outer'); console.log('inner'); console.groupEnd(); console.log('after')",
     r"\[lab:inf\] outer\n\[lab:inf\]   inner\n\[lab:inf\] after$"),
    ("console.time('t'); console.timeEnd('t')", r"\[lab:inf\] t: [0-9.]+ms$"),
], ids=lambda v: v.split("(")[0] + v[-12:-2] if "(" in v and v[0] != "\\" else "")
def test_output_is_logged_with_the_workers_name(lab, call, line):
    before = lab.mark()
    lab.run("%s\nreturn Response.new('x')" % call)
    lab.wait_log(line, since=before)


def test_debug_output_needs_the_log_level(corral):
    source = ("from js import Response, console\n\ndef on_fetch(request):\n    console.debug('of debug')\n    console.trace('of trace')\n"
              "    console.log('of log')\n    return Response.new('x')\n")
    one = corral(source)
    one.get()
    one.wait_log("of log")
    assert "of debug" not in one.log_text() and "of trace" not in one.log_text()
    two = corral(source, "--log-level", "debug")
    two.get()
    two.wait_log(r"\[hello:\w+\] of debug\n(.|\n)*\[hello:\w+\] Trace: of trace")


def test_output_comes_at_once(lab):
    import threading
    before = lab.mark()
    got = []
    asker = threading.Thread(target=lambda: got.append(
        lab.run("print('early')\nawait asyncio.sleep(1.5)\nreturn Response.new('late')")))
    asker.start()
    lab.wait_log("early", since=before)
    assert not got, "the line came only with the answer"
    asker.join()


def test_output_of_a_handler_that_never_returns_is_logged(corral):
    one = corral(LAB)
    one.get()
    with one.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nx-code: %s\r\n\r\n"
                       % lab_code("print('about to hang')\nwhile True: pass").encode())
        one.wait_log("about to hang")


def test_the_last_words_of_a_process_are_logged(lab):
    before = lab.mark()
    assert lab.run("print('last words')\nos._exit(0)").status >= 500
    lab.wait_log(r"\[lab:inf\] last words", since=before)
    until("it serves", lambda: lab.run('return Response.new("alive")').text == "alive")


def test_a_long_line_is_not_cut_inside_a_character(lab):
    before = lab.mark()
    lab.run("print('a' + '\\u20ac' * 50_000 + '.')\nreturn Response.new('x')")
    lab.wait_log("\u20ac\\.", since=before)
    assert "\ufffd" not in "".join(lab.log_lines()[before:])


def test_top_level_output_is_logged(corral):
    one = corral("print('while loading')\nfrom js import Response\n\ndef on_fetch(request):\n    return Response.new('x')\n")
    one.wait_log(r"\[hello:inf\] while loading")


def test_a_long_line_arrives_whole(lab):
    before = lab.mark()
    lab.run("print('<' + 'x' * 200_000 + '>')\nreturn Response.new('x')")
    lab.wait_log("x>", since=before)
    assert "".join(re.findall("x+", "".join(l for l in lab.log_lines()[before:] if "xxx" in l))).count("x") == 200_000


# ---- asyncio ----


def test_asyncio_sleep(lab):
    assert lab.value("t = time.monotonic()\nawait asyncio.sleep(0.05)\nreturn time.monotonic() - t >= 0.05")


def test_asyncio_gather_runs_together(lab):
    assert lab.value("""
        async def one(n):
            await asyncio.sleep(0.2)
            return n
        t = time.monotonic()
        got = await asyncio.gather(*[one(n) for n in range(20)])
        return [got == list(range(20)), time.monotonic() - t < 2]
    """) == [True, True]


def test_asyncio_tasks_events_queues_and_timeouts(lab):
    assert lab.value("""
        queue, event = asyncio.Queue(), asyncio.Event()
        async def producer():
            await event.wait()
            for n in range(3): await queue.put(n)
        task = asyncio.create_task(producer())
        event.set()
        got = [await queue.get() for _ in range(3)]
        await task
        try:
            await asyncio.wait_for(asyncio.sleep(30), 0.02)
        except asyncio.TimeoutError:
            got.append("timeout")
        return got
    """) == [0, 1, 2, "timeout"]


def test_asyncio_current_task_and_loop(lab):
    assert lab.value("return [asyncio.current_task() is not None, asyncio.get_running_loop().is_running()]") == [True, True]


def test_asyncio_current_task_after_an_await(lab):
    assert lab.value("await asyncio.sleep(0.01)\nreturn asyncio.current_task() is not None")


def test_requests_wait_together_in_one_instance(lab):
    import threading
    import time
    lab.run("return Response.new('x')")
    begun, got = time.monotonic(), []
    askers = [threading.Thread(target=lambda: got.append(lab.run(
        "await asyncio.sleep(0.5)\nreturn Response.new(str(os.getpid()))").text)) for _ in range(12)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(got) == 12 and len(set(got)) <= 2, got
    assert time.monotonic() - begun < 4, "they waited one after another"


def test_awaiting_a_promise(lab):
    assert lab.value("return await js.Promise.resolve(41) + 1") == 42


def test_asyncio_task_group_timeout_and_context(lab):
    assert lab.value("""
        import contextvars
        var = contextvars.ContextVar("var", default=0)
        async def child(n):
            var.set(n)
            await asyncio.sleep(0)
            return var.get()
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            tasks = [group.create_task(child(n), name=str(n)) for n in (1, 2)]
        return [[t.result() for t in tasks], var.get(), tasks[0].get_name()]
    """) == [[1, 2], 0, "1"]


def test_asyncio_call_later_call_soon_and_cancel(lab):
    assert lab.value("""
        loop, done, got = asyncio.get_running_loop(), asyncio.Event(), []
        loop.call_later(0.001, got.append, "never").cancel()
        loop.call_soon(got.append, "soon")
        loop.call_later(0.005, lambda: (got.append("later"), done.set()))
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            got.append("cancelled")
        await done.wait()
        return got
    """) == ["soon", "cancelled", "later"]


def test_asyncio_to_thread_and_executors(lab):
    assert lab.value("""
        import threading
        loop, here = asyncio.get_running_loop(), threading.get_ident()
        inside = await asyncio.to_thread(threading.get_ident)
        box = asyncio.Queue()
        await loop.run_in_executor(None, lambda: loop.call_soon_threadsafe(box.put_nowait, 5))
        return [inside != here, await loop.run_in_executor(None, sum, [1, 2]), await box.get()]
    """) == [True, 3, 5]


def test_asyncio_generators_are_closed_when_nobody_holds_them(lab):
    assert lab.value("""
        closed = asyncio.Event()
        async def numbers():
            try:
                yield 1
                yield 2
            finally:
                await asyncio.sleep(0)
                closed.set()
        async for n in numbers():
            break
        await asyncio.wait_for(closed.wait(), 30)
        return n
    """) == 1


def test_asyncio_loop_cannot_be_started_again(lab):
    outcome = lab.outcome("""
        async def child(): pass
        one = child()
        try:
            asyncio.get_running_loop().run_until_complete(one)
        finally:
            one.close()
    """)
    assert outcome["error"] == "RuntimeError" and "await" in outcome["text"], outcome


def test_asyncio_network_is_not_implemented(lab):
    assert lab.outcome("await asyncio.open_connection('127.0.0.1', 1)")["error"] == "NotImplementedError"


def test_ecmascript_is_there(lab):
    assert lab.value("""
        return [js.Date.new(0).toISOString(), js.Math.max(1, 3), js.Object.entries(js.JSON.parse('{"a":1}'))[0][0],
                js.Map.new([["k", 1]]).get("k"), js.Set.new([1, 1]).size, js.Array.from_("abc").join("-"),
                js.RegExp.new("a+").test("caat"), js.encodeURIComponent("ä b"), js.Intl.NumberFormat.new("en").format(12345),
                js.BigInt(5) + 1, js.parseInt("12px"), js.Uint8Array.new(3).length]
    """) == ["1970-01-01T00:00:00.000Z", 3, "a", 1, 1, "a-b-c", True, "%C3%A4%20b", "12,345", 6, 12, 3]


def test_javascript_can_be_evaluated(lab):
    assert lab.value("return js.eval('(a, b) => a * b')(6, 7)") == 42
