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
        return list(h.getSetCookie())
    """) == ["a=1", "b=2"]


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
], ids=lambda v: v.split("(")[0] + v[-12:-2] if "(" in v and v[0] != "\\" else "")
def test_output_is_logged_with_the_workers_name(lab, call, line):
    before = lab.mark()
    lab.run("%s\nreturn Response.new('x')" % call)
    lab.wait_log(line, since=before)


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
