"""Bodies of every kind, Blob, File, FormData, Headers in full: docs/compatibility.md names these tests."""
import pytest

from harness import run_cases, text

pytestmark = pytest.mark.asan



# ---- the standards' cases ----


def test_headers_by_the_standard(lab):
    run_cases(lab, "body_cases/headers.js", 257)


def test_blob_and_file_by_the_standard(lab):
    run_cases(lab, "body_cases/blob.js", 160)


def test_form_data_by_the_standard(lab):
    run_cases(lab, "body_cases/formdata.js", 90)


def test_bodies_requests_and_responses_by_the_standard(lab):
    run_cases(lab, "body_cases/body.js", 379)


# ---- from Python ----

FORM = {
    "headers": {"content-type": "multipart/form-data; boundary=b"}, "method": "POST",
    "body": b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n'
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a b.bin"\r\nContent-Type: application/x-y\r\n\r\n'
            b'\x00\xff\r\n--\r\n'
            b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nagain\r\n--b--\r\n',
}


def run_form(lab, code, **more):
    sent = dict(FORM, **more)
    sent["headers"] = dict(sent["headers"], **{"x-mode": "json"})
    outcome = lab.run(code, **sent).json()
    assert "value" in outcome, outcome
    return outcome["value"]


def test_request_form_data_multipart(lab):
    assert run_form(lab, """
        form = await request.formData()
        file = form.get("file")
        return [form.get("title"), form["title"], list(form.getAll("title")), form.get("none") is None,
                "file" in form, [name for name, value in form], file.name, file.type, file.size,
                list((await file.bytes()).to_bytes()), (await file.arrayBuffer()).to_bytes().hex(),
                [piece.to_bytes().hex() async for piece in file.slice(0, 2).stream()]]
    """) == ["Grüße", "Grüße", ["Grüße", "again"], True, True, ["title", "file", "title"], "a b.bin", "application/x-y", 6,
             [0, 255, 13, 10, 45, 45], "00ff0d0a2d2d", ["00ff"]]


def test_request_form_data_of_a_large_file(lab):
    content = bytes(range(256)) * 40_000
    body = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n' + content + b"\r\n--b--\r\n"
    assert run_form(lab, """
        import hashlib
        file = (await request.formData()).get("f")
        return [file.size, hashlib.sha256((await file.bytes()).to_bytes()).hexdigest() == hashlib.sha256(bytes(range(256)) * 40_000).hexdigest()]
    """, body=body) == [len(content), True]


@pytest.mark.parametrize("body, type, says", [
    (b"x", "multipart/form-data; boundary=b", "no line with the boundary 'b'"), (b"x", "multipart/form-data", "No boundary string"),
    (b"x", "text/plain", "can only parse"), (b"--b\r\nA: b\r\n\r\n\r\n--b--", "multipart/form-data; boundary=b", "part 1: it has no Content-Disposition"),
], ids=["no boundary in the body", "no boundary", "another type", "no disposition"])
def test_request_form_data_says_what_is_wrong(lab, body, type, says):
    outcome = lab.run("await request.formData()", method="POST", body=body, headers={"content-type": type, "x-mode": "json"}).json()
    assert outcome["error"] == "JsException" and "TypeError" in outcome["text"] and says in outcome["text"], outcome


def test_request_form_data_urlencoded(lab):
    assert run_form(lab, """
        form = await request.formData()
        return [form["name"], form.get("text"), [[k, v] for k, v in form]]
    """, body=b"name=Gr%C3%BC%C3%9Fe+an&text=a%0D%0Ab&name=2", headers={"content-type": "application/x-www-form-urlencoded"}) == [
        "Grüße an", "a\r\nb", [["name", "Grüße an"], ["text", "a\r\nb"], ["name", "2"]]]


def test_header_values_travel_as_utf8(lab):
    answer = lab.run('return Response.new(request.headers.get("x-a"), headers={"x-b": "grün ✓"})', headers={"x-a": "gr\u00fcn \u2713".encode()})
    assert (answer.text, answer.headers["x-b"].encode("latin-1").decode()) == ("grün ✓", "grün ✓")


def test_request_blob(lab):
    assert run_form(lab, """
        blob = await request.blob()
        return [blob.size, blob.type, (await blob.text())]
    """, body=b"\xc3\xa4", headers={"content-type": "Text/X; a=b"}) == [2, "text/x;a=b", "ä"]


def test_request_delete_with_a_body(lab):
    assert lab.value("return [request.method, await request.text()]", method="DELETE", body="gone") == ["DELETE", "gone"]


def test_blob_from_python(lab):
    assert lab.value("""
        new = js.Blob.new
        b = new(["text ü ", b"bytes ", bytearray(b"array "), memoryview(b"view "), new(["blob"]), js.Uint8Array.new([33]), 7], type="text/X")
        part = b.slice(-5)
        return [b.size, b.type, await b.text(), await part.text(), (await part.bytes()).to_bytes().decode(), new().size,
                await new(["a\\r\\nb"], endings="native").text(), await new((b"tuple",), {"type": "a/b"}).text(),
                new([], {"type": "a/b"}).type, str(b)]
    """) == [31, "text/x", "text ü bytes array view blob!7", "lob!7", "lob!7", 0, "a\nb", "tuple", "a/b", "[object Blob]"]


def test_blob_refuses_what_is_no_list(lab):
    for call in ("js.Blob.new('text')", "js.Blob.new(b'bytes')", "js.File.new(b'bytes', 'name')", "js.Blob.new(5)"):
        outcome = lab.outcome(call)
        assert outcome["error"] == "JsException" and "TypeError" in outcome["text"] and ".new([data]" in outcome["text"], outcome


def test_file_from_python(lab):
    assert lab.value("""
        f = js.File.new([b"\\x00\\x01"], "x.bin", type="application/x", lastModified=5)
        return [f.name, f.size, f.type, f.lastModified, (await f.bytes()).to_bytes().hex(), await js.File.new([f], "y").slice(1).text() == "\\x01"]
    """) == ["x.bin", 2, "application/x", 5, "0001", True]


def test_form_data_from_python(lab):
    assert lab.value("""
        form = js.FormData.new()
        form.append("a", "1")
        form.append("a", 2)
        form.append("f", js.Blob.new([b"blob"], type="x/y"), "name.bin")
        form.append("g", b"bytes", filename="g.bin")
        form.append("h", bytearray(b"more"))
        form.set("s", "set")
        form.delete("none")
        pairs = [[name, value if isinstance(value, str) else value.name] for name, value in form]
        r = Response.new(form)
        back = await r.formData()
        return [pairs, list(form.keys()), (await back["g"].bytes()).to_bytes().decode(), back["f"].type, form.has("s"),
                [[k, v] for k, v in js.FormData.new({"x": "y", "z": 3})]]
    """) == [[["a", "1"], ["a", "2"], ["f", "name.bin"], ["g", "g.bin"], ["h", "blob"], ["s", "set"]],
             ["a", "a", "f", "g", "h", "s"], "bytes", "x/y", True, [["x", "y"], ["z", "3"]]]


def test_response_of_a_blob_and_a_form(lab):
    answer = lab.run("return Response.new(js.Blob.new([b'\\x00\\xff'], type='image/x'), status=201)")
    assert (answer.status, answer.headers["content-type"], answer.headers["content-length"], answer.body) == (201, "image/x", "2", b"\x00\xff")
    answer = lab.run("form = js.FormData.new()\nform.append('a', 'ü')\nreturn Response.new(form)")
    boundary = answer.headers["content-type"].split("boundary=")[1]
    assert answer.text == '--%s\r\nContent-Disposition: form-data; name="a"\r\n\r\nü\r\n--%s--\r\n' % (boundary, boundary)
    assert int(answer.headers["content-length"]) == len(answer.body)


def test_response_that_was_looked_at_keeps_its_length(lab):
    answer = lab.run("r = Response.new('looked at')\nconsole.log(r)\nr.body\nreturn r")
    assert (answer.text, answer.headers["content-length"]) == ("looked at", "9")


def test_response_options_may_be_a_dict(lab):
    answer = lab.run("return Response.new('x', {'status': 201, 'statusText': 'Made', 'headers': {'x-a': '1', 'content-type': 'a/b'}})")
    assert (answer.status, answer.reason, answer.headers["x-a"], answer.headers["content-type"]) == (201, "Made", "1", "a/b")
    answer = lab.run("return Response.json(js.JSON.parse('[1]'), {'status': 202, 'headers': {'x-a': '1'}})")
    assert (answer.status, answer.headers["x-a"], answer.headers["content-type"], answer.text) == (202, "1", "application/json", "[1]")
    assert text(lab, "return Response.new({'status': 201})") == "{'status': 201}"
    assert lab.value("""
        r = js.Request.new("http://x/", {"method": "POST", "body": "b", "headers": [("x-a", "1")]})
        return [r.method, r.headers.get("x-a"), await r.text()]
    """) == ["POST", "1", "b"]


def test_request_fields(lab):
    assert lab.value("""
        r = request
        return [r.redirect, r.keepalive, r.integrity, r.cache, r.duplex, r.clone().redirect, js.Request.new(r.url).redirect,
                js.Request.new(r.url, cache="no-store", keepalive=True).cache]
    """) == ["manual", False, "", "default", "half", "manual", "follow", "no-store"]


def test_blobs_and_forms_are_shown_with_their_fields(lab):
    before = lab.mark()
    lab.run("""
        form = js.FormData.new({"a": "1"})
        console.log(js.File.new(["x"], "n", type="t/u", lastModified=5), form)
        return Response.new("x")
    """)
    lab.wait_log(r"\[lab:inf\] File \{\s+size: 1,\s+type: 't/u',\s+name: 'n',\s+lastModified: 5\s+\} FormData \{\s+a: '1'\s+\}", since=before)


def test_headers_of_what_python_iterates(lab):
    assert lab.value("""
        from collections import UserDict
        from pyodide.ffi import JsException
        def pairs():
            yield "a", "1"
            yield ["b", 2]
        made = [[list(p) for p in Headers.new(x)] for x in (pairs(), UserDict(c="3"), [js.Array.of("d", "4")], [p for p in Headers.new({"e": "5"})], [])]
        def broken():
            yield "a", "1"
            raise ValueError("mine")
        raised = []
        for bad in ([("a",)], [("a", "b", "c")], ["ab"], [5], [("a b", "c")], b"ab", broken()):
            try:
                Headers.new(bad)
            except (JsException, TypeError, ValueError) as e:
                raised.append(str(e))
        return [made, raised]
    """) == [[[["a", "1"], ["b", "2"]], [["c", "3"]], [["d", "4"]], [["e", "5"]], []],
             ["each item must be a pair of name and value"] * 4 + ["TypeError: Headers: 'a b' is not a valid header name",
              "TypeError: Headers: each item must be a pair of name and value", "mine"]]
