"""Workers as people write them for Cloudflare, in samples/, and what is said to beginners; one project holds them all."""
import base64
import gzip
import hashlib
import json
import struct
import threading
import zlib

import pytest

from harness import until
from sample_origin import SECRET, ask, good, origin, serve  # noqa: F401

pytestmark = pytest.mark.asan


@pytest.fixture(scope="module")
def node(tmp_path_factory, origin):
    yield from serve("samples", tmp_path_factory.mktemp("samples"), origin)


# ---- what stands between a client and a server ----


def test_redirects(ask, origin):
    there = "http://" + origin.host
    for sample, path, location in (("redirect", "/", there + "/"), ("redirect_all", "/a/b?c=d", there + "/a/b?c=d"),
                                   ("bulk_redirects", "/bulk1", "https://examples.cloudflareworkers.com/redirect2")):
        answer = ask(sample, path)
        assert (answer.status, answer.headers["location"]) == (301, location)
    assert good(ask("bulk_redirects", "/other", to="origin")).text == "<p>GET /other</p>"


def test_fetch_of_the_worker_itself_comes_to_an_end(ask, node):
    """`return fetch(request)`, with no server behind the worker."""
    answer = ask("bulk_redirects", "/other", cdn_loop="cloudflare; loops=1")
    assert answer.status == 500 and "fetched its own address 16 times in a row" in answer.text and str(node.port) in answer.text
    assert sum("GET /other 500" in line for line in node.log_lines()) <= 17


def test_ab_testing_with_cookies(ask):
    new = good(ask("ab_testing", "/page", to="origin"))
    name, _, group = new.headers["set-cookie"].split(";")[0].partition("=")
    assert group in ("test", "control") and new.text == "<p>GET /%s/page</p>" % group
    for group in ("control", "test"):
        again = good(ask("ab_testing", "/page", to="origin", cookie="%s=%s" % (name, group)))
        assert again.text == "<p>GET /%s/page</p>" % group and "set-cookie" not in again.headers
    assert good(ask("ab_testing", "/test/x", to="origin")).text == "<p>GET /test/x</p>"


def test_headers_of_answers_are_changed(ask):
    altered = good(ask("alter_headers"))
    assert altered.headers["x-workers-hello"] == "Hello from Cloudflare Workers" and "x-powered-by" not in altered.headers
    assert (altered.headers["x-header-to-change"], altered.headers["x-by-item"]) == ("NewValue", "item")
    secure = good(ask("security_headers", "/page", to="origin"))
    assert secure.headers["x-frame-options"] == "DENY" and "x-powered-by" not in secure.headers and secure.text == "<p>GET /page</p>"
    assert "x-frame-options" not in good(ask("security_headers", "/image", to="origin")).headers
    assert good(ask("cache_fetch")).headers["cache-control"] == "max-age=1500"
    changed = ask("modify_response")
    assert (changed.status, changed.reason, changed.headers["foo"], changed.headers["last-modified"]) == (500, "some message", "bar", "bar")
    assert changed.json() == {"userId": 1, "id": 1, "title": "t", "foo": "bar"}


def test_a_header_that_is_not_there_is_none_by_item_too(ask):
    """`request.headers["Referer"]`, as Cloudflare's examples write it."""
    assert ask("auth_with_headers", "/x", to="origin").status == 403
    assert good(ask("auth_with_headers", "/x", to="origin", X_Custom_PSK="mypresharedkey")).text == "<p>GET /x</p>"
    assert ask("timing_attack").status == 401
    assert good(ask("timing_attack", authorization=SECRET)).text == "Welcome!"
    hot = ask("hot_link", "/image", to="origin", referer="http://other.example/a")
    assert (hot.status, hot.headers["location"]) == (302, "https://tutorial.cloudflareworkers.com/")
    assert good(ask("hot_link", "/image", to="origin")).text == "an image"
    assert good(ask("hot_link", "/page", to="origin", referer="http://other.example/a")).text == "<p>GET /page</p>"


def test_cors_proxy(ask, origin):
    assert "API GET without CORS Proxy" in good(ask("cors_proxy")).text
    proxied = good(ask("cors_proxy", "/corsproxy/?apiurl=http://%s/echo/z" % origin.host, to="me.example"))
    assert proxied.headers["access-control-allow-origin"] == "http://me.example" and proxied.headers["vary"] == "Origin"
    assert proxied.json()["path"] == "/echo/z" and proxied.json()["headers"]["origin"] == "http://" + origin.host
    assert good(ask("cors_proxy", "/corsproxy/", "POST", "abc")).json()["body"] == "abc"
    assert good(ask("cors_proxy", "/corsproxy/", "HEAD")).headers["content-type"] == "application/json"
    asked = good(ask("cors_proxy", "/corsproxy/", "OPTIONS", Origin="http://x", Access_Control_Request_Method="GET",
                     Access_Control_Request_Headers="x-a"))
    assert asked.headers["access-control-allow-headers"] == "x-a" and asked.headers["access-control-max-age"] == "86400"
    assert good(ask("cors_proxy", "/corsproxy/", "OPTIONS")).headers["allow"] == "GET, HEAD, POST, OPTIONS"
    refused = ask("cors_proxy", "/corsproxy/", "PUT")
    assert (refused.status, refused.reason) == (405, "Method Not Allowed")


def test_requests_are_changed_and_sent_on(ask, origin):
    for method, body in (("GET", None), ("POST", "other")):
        seen = good(ask("modify_request", "/", method, body)).json()
        assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/echo/api.js?changed", '{"bar": "foo"}')
        assert (seen["headers"]["x-example"], seen["headers"]["content-type"]) == ("bar", "application/json")
    assert good(ask("another_site", "/", "POST", "body")).text == "<p>POST /html</p>"
    assert good(ask("country_redirect")).text == "<p>GET /html</p>"
    assert good(ask("bulk_origin", "/echo", to="starwarsapi.yourdomain.com")).json()["headers"]["host"] == origin.host
    assert good(ask("bulk_origin", "/echo", to="origin")).json()["path"] == "/echo"


def test_what_leaves_is_looked_through(ask):
    kept = good(ask("dlp", "/sensitive", to="origin"))
    assert (kept.text, kept.headers["x-dlp"]) == ("mail ********** card **********", "email,creditCard")
    assert good(ask("dlp", "/image", to="origin")).text == "an image"


def test_errors_go_to_a_log_service_after_the_answer(ask, origin):
    """`ctx.waitUntil(create_once_callable(post_log(e)))`, as Cloudflare's example writes it: the coroutine runs."""
    assert good(ask("debug_logs", "/fine", to="origin")).text == "<p>GET /fine</p>"
    broken = ask("debug_logs", "/bad", to="origin")
    said = "Bad response at origin. Status:503 Body:out of ord"
    assert broken.status == 503 and broken.headers["x-debug-err"] == said and json.loads(broken.text).startswith("Traceback")
    assert broken.headers["x-debug-stack"] == broken.text
    until("the log has it", lambda: ("POST", "/log", said.encode()) in origin.seen)


def test_wait_until_takes_all_that_can_be_awaited(ask, origin):
    assert good(ask("wait_until", "/logged")).text == "done"
    until("four lines", lambda: {m for m, path, body in origin.seen if path == "/log" and body == b"promise"} == {"PUT"}
          and {"GET", "task", "future"} <= {json.loads(b)["method"] for m, path, b in origin.seen if path == "/log" and b[:1] == b"{"})


def test_requests_side_by_side_and_timeouts(ask):
    assert [todo["id"] for todo in good(ask("aggregate")).json()] == [1, 2]
    assert good(ask("timeouts")).json() == ["TimeoutError", "AbortError", "asyncio", 200]


# ---- who is it ----


def test_basic_auth(ask):
    def admin(credentials):
        return ask("basic_auth", "/admin", authorization="Basic " + base64.b64encode(credentials).decode())
    assert good(admin(b"demo-user:demo-password")).text == "🎉 You have private access!"
    assert ask("basic_auth", "/admin").headers["www-authenticate"] == 'Basic realm="my scope", charset="UTF-8"'
    assert (admin(b"demo-user:wrong").status, ask("basic_auth", "/admin", authorization="Basic !!").status) == (401, 400)
    assert (ask("basic_auth", "/logout").status, ask("basic_auth", "/no").status) == (401, 404)


def test_signed_requests(ask):
    link = good(ask("sign_requests", "/generate/doc")).text
    assert good(ask("sign_requests", link)).text == "This is the data you asked for"
    assert ask("sign_requests", link.replace("/doc", "/other")).text == "Invalid MAC"
    assert ask("sign_requests", "/doc").text == "Missing query parameter"


def test_tokens_of_the_standard_library_are_verified_by_subtle(ask):
    token = good(ask("jwt_by_hand", "/", "POST", "me")).text
    assert good(ask("jwt_by_hand", authorization="Bearer " + token)).json()["sub"] == "me"
    head, body, mac = token.split(".")
    forged = ask("jwt_by_hand", authorization="Bearer %s.%s.%s" % (head, body, mac[::-1]))
    assert (forged.status, forged.text) == (401, "Unauthorized: bad signature")
    assert good(ask("digest", "/", "POST", "abc")).text.split() == [hashlib.sha256(b"abc").hexdigest()] * 6 + ["8", "36"]


# ---- bodies ----


def test_json_in_every_way(ask):
    sent = {"title": "T", "author": {"name": "N", "city": "Zürich"}, "tags": ["a", "b"], "price": 1.5, "count": 3, "flag": True, "no": None}
    body = json.dumps(sent).encode()
    got = good(ask("json_ways", "/", "POST", body)).json()
    assert got.pop("plain") == got.pop("stringify") == sent
    assert got.pop("changed") == {**sent, "title": "changed", "added": 1}
    assert got.pop("entries") == got.pop("object_entries") == got.pop("keys") == list(sent)
    assert got == {"attribute": "T", "item": "T", "nested": "N", "nested item": "N", "list": ["a", "b"], "index": "a", "len": 2,
                   "hasattr": False, "getattr": "default", "isinstance": True, "float": 1.5, "int": 3,
                   "types": ["float", "int", "bool"], "unicode": "Zürich"}
    made = {"ok": True, "items": [1, 2, {}]}
    for way, expected in (("json", made), ("stringify", made), ("dumps", {**made, "items": [1, 2, {"x": None}], "out": None}),
                          ("parsed", {**made, "items": [1, 2, {"x": None}], "out": None}), ("same", {**sent, "title": "changed", "added": 1})):
        assert good(ask("json_ways", "/", "POST", body, x_way=way)).json() == expected
    created = ask("json_ways", "/", "POST", body, x_way="json-status")
    assert (created.status, created.headers["x-a"], created.headers["content-type"]) == (201, "b", "application/json")
    assert good(ask("fetch_json")).json() == {"userId": 1, "id": 1, "title": "t"}
    posted = good(ask("post_json")).json()
    assert json.loads(posted["body"])["msg"] == "I sent this to the fetch" and posted["method"] == "POST"


def test_posts_of_every_kind(ask):
    assert "<form" in good(ask("read_post", "/form")).text
    for kind, body, shown in (("application/json", '{"a":1}', '{"a":1}'), (None, "plain", "plain"),
                              ("application/x-www-form-urlencoded", "fname=a+b", '{"fname":"a b"}')):
        headers = {"content_type": kind} if kind else {}
        assert good(ask("read_post", "/", "POST", body, **headers)).text == "The request body sent in was " + shown


def test_uploads(ask):
    data = bytes(range(256))
    body = (b'--XX\r\nContent-Disposition: form-data; name="title"\r\n\r\nA title\r\n--XX\r\nContent-Disposition: form-data; '
            b'name="file"; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n' + data + b"\r\n--XX--\r\n")
    assert good(ask("upload", "/", "POST", body, content_type="multipart/form-data; boundary=XX")).json() == {
        "fields": [{"name": "title", "value": "A title"},
                   {"name": "file", "filename": "a.bin", "type": "application/octet-stream", "size": 256,
                    "sha256": hashlib.sha256(data).hexdigest()}],
        "files": 1, "has": True, "none": True}


def test_bodies_large_and_small(ask):
    large = good(ask("bodies", "/large"))
    assert len(large.body) == 5_000_000 == int(large.headers["content-length"])
    assert good(ask("bodies", "/echo", "POST", b"z" * 3_000_000)).body == b"z" * 3_000_000
    assert good(ask("bodies", "/len", "POST", ("ü" * 5000).encode())).text == "5000"
    assert good(ask("bodies", "/bytes", "POST", "abc")).text == "cba"
    assert good(ask("bodies", "/blob", "POST", "abc", content_type="text/x")).json() == [3, "text/x", "abc"]
    csv = good(ask("bodies", "/made"))
    assert (csv.text, csv.headers["content-type"]) == ("a,b\n1,2\n", "text/csv")
    assert good(ask("bodies", "/clone", "POST", "ab")).text == "abab"
    assert good(ask("bodies", "/x", "OPTIONS")).text == "OPTIONS False None"
    assert good(ask("bodies", "/x", "HEAD")).headers["content-length"] == "15"


def test_an_image_made_by_hand(ask):
    for way in ("to_js", "buffer", "bytes", "memoryview"):
        image = good(ask("png", x_way=way))
        assert image.headers["content-type"] == "image/png" and int(image.headers["content-length"]) == len(image.body)
        assert image.body[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", image.body[16:24]) == (16, 16)
        packed = image.body[41:41 + struct.unpack(">I", image.body[33:37])[0]]
        assert len(zlib.decompress(packed)) == 16 * (1 + 16 * 3)


def test_streams_of_events_and_through_a_transform(ask):
    events = good(ask("sse"))
    assert events.headers["content-type"] == "text/event-stream"
    assert events.text == "".join('event: tick\ndata: {"n": %d}\n\n' % i for i in range(3))
    assert good(ask("sse_task")).text == "data: one\n\ndata: two\n\ndata: three\n\n"
    assert good(ask("upper")).text == good(ask("upper", "/text")).text == "<P>GET /HTML</P>"


def test_caching_and_compression_by_hand(ask):
    page = good(ask("etag"))
    assert page.text.startswith("<!doctype html><p>hello") and page.headers["vary"] == "accept-encoding"
    for headers in ({"if_none_match": page.headers["etag"]}, {"if_modified_since": page.headers["last-modified"]}):
        same = ask("etag", **headers)
        assert (same.status, same.body, same.headers["etag"]) == (304, b"", page.headers["etag"])
    packed = good(ask("etag", accept_encoding="gzip"))
    assert packed.headers["content-encoding"] == "gzip" and gzip.decompress(packed.body) == page.body
    head = good(ask("etag", "/", "HEAD"))
    assert (head.body, head.headers["content-length"]) == (b"", str(len(page.body)))
    assert (ask("etag", "/", "POST").status, ask("etag", "/", "POST").headers["allow"]) == (405, "GET, HEAD")


def test_cookies(ask):
    assert good(ask("cookies", cookie="visits=4; session=x")).text == "visit 5"
    assert good(ask("cookies")).headers.get_all("set-cookie") == [
        "visits=1; Max-Age=3600; Path=/", 'session="a b\\073 c"; HttpOnly; SameSite=Lax']


# ---- the request itself ----


def test_headers_in_every_way(ask):
    got = good(ask("headers_walks", X_One="1", X_Two="2")).json()
    pairs = got.pop("pairs")
    assert pairs["x-one"] == "1" and pairs["x-two"] == "2" and list(pairs) == sorted(pairs)
    assert got.pop("dict") == got.pop("dict entries") == got.pop("object") == pairs
    entries = [[name, value] for name, value in pairs.items()]
    assert got.pop("entries") == got.pop("forEach") == entries
    assert got == {"keys": list(pairs), "values": list(pairs.values()), "get": "1", "none": None, "or": "default", "item": "1",
                   "in": [True, False], "has": True, "len": len(pairs), "next": [False, entries[0]], "made": [None] + ["1"] * 7}


def test_urls_in_every_way(ask):
    got = good(ask("urls", "/x/y?a=1&b=2&a=3", to="me.example")).json()
    entries = [["a", "1"], ["b", "2"], ["a", "3"]]
    assert got == {
        "keys": ["a", "b", "a"], "keys()": ["a", "b", "a"], "entries": entries, "unpacked": {"a": "3", "b": "2"},
        "values": got["values"], "get": "1", "none": None, "item": "1", "in": [True, False], "getAll": ["1", "3"],
        "from": {"a": "3", "b": "2"}, "fromEntries": {"a": "3", "b": "2"}, "str": "a=1&b=2&a=3", "url": "http://me.example/x/y?a=1&b=2&a=3",
        "forEach": entries, "built": "https://example.org/search?x=1&q=%C3%BC+%26+%C3%BC#top", "query": "q=a+b&n=5", "path": ["", "x", "y"]}


def test_where_a_client_is_nobody_knows(ask):
    assert good(ask("cf_object")).json() == {"httpProtocol": "HTTP/1.1"}
    assert "<p> Colo: None</p><p> Country: None</p>" in good(ask("geolocation_html")).text


# ---- Python ----


def test_the_standard_library_as_people_use_it(ask):
    got = good(ask("stdlib")).json()
    assert got == {
        "csv": "a,b\r\n2,y\r\n1,x\r\n", "zip": "inside", "utc": "2024-07-01T10:00:00+00:00", "now": True, "titles": ["One", "Two"],
        "decimal": "0.3", "mean": 2.5, "uuid": 4, "uuid5": "aad03681-8b63-5304-89e0-8ca8f49461b5", "token": 16, "choice": 1,
        "gzip": "abc", "lzma": "abcd", "toml": {"a": 1}, "quote": "a%20b/%C3%BC", "html": "&lt;a&gt;", "enum": "RED", "pickle": 2,
        "ip": True, "blake": hashlib.blake2b(b"a", digest_size=4).hexdigest(), "md5": hashlib.md5(b"a").hexdigest(),
        "pbkdf2": hashlib.pbkdf2_hmac("sha256", b"p", b"s", 10).hex()[:8], "strftime": "Monday 01 July 2024",
        "timezone": "GMT", "local": got["local"]}


def test_context_variables_and_logging_of_each_request(ask, node):
    answers = []
    threads = [threading.Thread(target=lambda n=n: answers.append(good(ask("contexts", x_request_id="r%d" % n)).json())) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a["id"] for a in answers) == ["r0", "r1", "r2"] and all(a["id"] == a["inner"] for a in answers)
    for n in range(3):
        node.wait_log(r"INFO \[r%d\] working" % n)


def test_a_framework_of_ones_own(ask):
    assert ask("router", "/notes", "POST", '{"text": "a"}').json() == {"id": 1, "text": "a"}
    assert good(ask("router", "/notes")).json() == [{"id": 1, "text": "a"}] and good(ask("router", "/notes/1")).json()["text"] == "a"
    assert [ask("router", path, method, body).status for path, method, body in (
        ("/notes/9", "GET", None), ("/notes", "POST", "[]"), ("/notes", "POST", "no json"), ("/notes", "OPTIONS", None),
        ("/notes", "HEAD", None), ("/notes", "PATCH", None), ("/other", "GET", None), ("/notes/1", "DELETE", None)
    )] == [404, 422, 500, 204, 200, 405, 404, 204]
    assert good(ask("router", "/notes")).json() == []


def test_variables_and_secrets_in_every_way(ask):
    values = {"GREETING": "hi", "NUMBER": 41, "FLAG": True, "LIST": [1, "two"], "PASSWORD": "demo-password",
              "CONFIG": {"deep": {"name": "inner"}}, "MY_SECRET_VALUE": SECRET}
    assert good(ask("env_forms")).json() == {
        "string": "hi", "number": 42, "bool": True, "item": "hi", "object": "inner", "to_py": values["CONFIG"], "list": [1, "two"],
        "secret": len(SECRET), "getattr": None, "hasattr": [True, False], "in": [True, True], "keys": sorted(values), "json": values}


def test_files_and_packages_beside_the_entry(ask):
    page = good(ask("template_file"))
    assert page.text == "<h1>People</h1><ul><li>Ada</li><li>Grace</li></ul>\n" and page.headers["content-type"] == "text/html"
    assert good(ask("own_package")).text == "carts3 3 apples"


def test_a_class_as_entrypoint(ask):
    assert ask("class_default").json() == {"message": "Hello, World!", "var": "hi"}
    created = ask("class_default", "/", "POST", '{"name": "Zoë"}'.encode())
    assert (created.status, created.headers["x-a"], created.json()["message"]) == (201, "1", "Hello, Zoë")


def test_exceptions_as_people_catch_them(ask, node):
    for path, status, text in (("/missing", 404, "no such page"), ("/zero", 500, "ZeroDivisionError: division by zero"),
                               ("/js", 400, "TypeError: Invalid URL string."), ("/x", 200, "fine")):
        answer = ask("errors_shown", path)
        assert (answer.status, answer.text) == (status, text)
    for path, said in (("/uncaught", "NameError: name 'undefined_name' is not defined"), ("/none", "on_fetch returned None, not a Response"),
                       ("/dict", "on_fetch returned a dict"), ("/str", "on_fetch returned a str")):
        answer = ask("errors_shown", path)
        assert answer.status == 500 and said in answer.text
    assert good(ask("logging_headers")).text == "Hello world"
    node.wait_log(r"'x-sample': 'logging_headers'")


# ---- what is said to beginners ----


HINTS = [
    ("Response('hi')", r"Response.new(...)"),
    ("js.Map()", r"`Map.new(...)`"),
    ("request.text().upper()", "`await` it first"),
    ("request.json()['title']", "`await` it first"),
    ("json.dumps(data)", "json.dumps(data.to_py())"),
    ("data.get('a')", "data.to_py() makes a dict of it"),
    ("[k for k, v in data.items()]", "data.as_object_map()"),
    ("request.header", "did you mean `headers`?"),
    ("await request.array_buffer()", "did you mean `arrayBuffer`?"),
    ("ctx.wait_until(None)", "did you mean `waitUntil`?"),
    ("data.tilte", "did you mean `title`?"),
    ("__import__('pyodide_http')", "requests, urllib3 and urllib.request work as they are"),
    ("from pyodide import to_js", "`from pyodide.ffi import to_js`"),
    ("import pyodide\npyodide.eval_code('1')", "`from pyodide.code import eval_code`"),
    ("import pyodide.common", "`pyodide.common` is not in Corral: docs/compatibility.md"),
    ("__import__('no_such_thing')", "put no_such_thing.py into the worker's folder"),
    ("__import__('socket').create_connection(('127.0.0.1', 1))", "a worker has no sockets"),
    ("open('/usr/x', 'w')", "a worker's own files are those below /tmp"),
    ("open('data.txt', 'w')", "a worker's own files are those below /tmp"),
    ("__import__('sqlite3').connect('/tmp/x.db')", "its database is `env.DB`"),
    ("exit()", "ends no worker"),
    ("os.environ['TOKEN']", "variables and secrets are in `env`"),
    ("import workers\nworkers.Response.new('x')", "workers.Response is called without: `Response(...)`"),
    ("import workers\nworkers.FormData.new()", "workers.FormData is called without: `FormData(...)`"),
    ("import workers\nworkers.Response('x', statusText='OK')", "did you mean `status_text`?"),
    ("import workers\nworkers.Response('x', status_code=404)", "did you mean `status`?"),
    ("import workers\nworkers.Response(content='x')", "did you mean `body`?"),
    ("import workers\nworkers.Response('x', media_type='text/html')", "did you mean `headers={'content-type': ...}`?"),
    ("import workers\nworkers.Response('x', statsu=404)", "did you mean `status`?"),
    ("import workers\nworkers.Request('http://x/').args", "parse_qs(urlparse(request.url).query)"),
    ("import workers\nworkers.Request('http://x/').path", "urlparse(request.url).path"),
    ("import workers\nworkers.Request('http://x/').cookies", "SimpleCookie("),
    ("import workers\nworkers.Request('http://x/').url.path", "an address is text: urllib.parse.urlparse(url).path"),
    ("request.url.searchParams", "js.URL.new(url).searchParams"),
    ("import workers\nworkers.Response('{}').json()['a']", "`await` it first"),
    ("import workers\nworkers.Response('{}').text().upper()", "`await` it first"),
    ("import workers\nworkers.Blob(['x'], contentType='a/b')", "did you mean `content_type`?"),
    ("import workers\nworkers.Response('x', {'status': 201})", "`Response(body, status=201, headers={...})`"),
    ("import workers\nworkers.Response.json([], {'status': 201})", "`Response.json(data, status=201, headers={...})`"),
    ("import workers\nworkers.Response('x', 201, {'a': 'b'})", "`Response(body, status=201, headers={...})`"),
    ("import workers\nawait workers.fetch('http://x/', {'method': 'POST'})", "options are keywords: `fetch(url, method=..., headers=...)`"),
    ("import workers\nworkers.Request('http://x/', {'method': 'POST'})", "options are keywords: `Request(url, method=..., headers=...)`"),
]


def test_what_beginners_write_gets_a_hint(lab):
    for code, hint in HINTS:
        answer = lab.run("data = js.JSON.parse('{\"title\": 1}')\n" + code)
        assert answer.status == 500 and answer.text.startswith("PythonError: Traceback"), (code, answer.text)
        assert hint in answer.text.splitlines()[-1], (code, answer.text)
    for names, hint in (("workers import URL", "`from js import URL` has JavaScript's"), ("workers import Respnse", "did you mean `Response`?"),
                        ("js import Buffer", "not in Corral yet"), ("js import Respnse", "did you mean `Response`?")):
        assert hint in lab.run("from " + names).text.splitlines()[-1], names


def test_names_of_a_newer_python_say_which(lab):
    embedded = lab.value("return list(sys.version_info[:2])")
    for code, since in (("from itertools import batched", 12), ("from typing import override", 12), ("import copy\ncopy.replace", 13),
                        ("from warnings import deprecated", 13), ("import uuid\nuuid.uuid7()", 14)):
        if embedded < [3, since]:
            last = lab.run(code).text.splitlines()[-1]
            assert "needs Python 3.%d, and this Corral embeds %d.%d" % (since, *embedded) in last, (code, last)


CLASS = "from workers import Response, WorkerEntrypoint\n\nclass %s:\n    %s\n        return Response('x')\n"
UNLOADABLE = [
    (CLASS % ("Default", "async def fetch(self, request):"), "derive it from WorkerEntrypoint"),
    (CLASS % ("Default(WorkerEntrypoint)", "async def handle(self, request):"), "class Default has no method `fetch`"),
    (CLASS % ("default(WorkerEntrypoint)", "async def fetch(self, request):"), "it has a class `default`: the one that answers"),
    (CLASS % ("Default(WorkerEntrypoint)", "def __init__(self):\n        pass\n    async def fetch(self, request):"),
     "the `__init__` of class Default must take what WorkerEntrypoint takes"),
    ("async def fetch(request):\n    pass\n", "it has a function `fetch`: the handler's name is `on_fetch`"),
    ("from js import response\n", "did you mean `Response`?"),
    ("from js import env\n", "`env` is given to the handler"),
    ("import os\nKEY = os.environ['API_KEY']\n", "variables and secrets are in `env`"),
]


def test_what_cannot_be_loaded_gets_one_hint(hello):
    for source, hint in UNLOADABLE:
        hello.write("src/entry.py", source)
        answer = until(hint, lambda: (lambda a: a if hint in a.text else None)(hello.get()))
        assert answer.status == 500 and answer.text.count(hint) == 1, (source, answer.text)


def test_a_hint_never_hides_the_error(lab):
    text = lab.run("""
        js.eval("globalThis.hostile = new Proxy({}, { has() { throw new Error('has'); }, ownKeys() { throw new Error('keys'); }, "
                "get(t, name) { if (name === 'then') throw new Error('then'); } })")
        from js import hostile
        e = AttributeError("the error itself")
        e.obj, e.name = hostile, "nothing"
        raise e
    """).text
    assert "AttributeError: the error itself" in text, text


def test_what_is_no_error_but_hardly_meant_is_warned_of_once(lab):
    for code, body, warning in (
            ("Response.new(request.text())", "[object Promise]", "is an `await` missing?"),
            ("Response.new(asyncio.sleep(0))", None, "is an `await` missing?"),
            ("Response.new(x async for x in js.ReadableStream.from_([]))", None, "ReadableStream.from_(generator) makes a body of it"),
            ("Response.json({'a': 1})", "{}", "Response.json of js makes {} of a dict"),
            ("__import__('workers').Response(__import__('gzip').compress(b''), headers={'content-encoding': 'gzip'})", None, "encodeBody='manual'")):
        since = lab.mark()
        answer = good(lab.run("%s\nreturn %s" % (code, code)))
        assert body is None or answer.text == body
        until(warning, lambda: any("wrn]" in line and warning in line for line in lab.log_lines()))
        assert sum(warning in line for line in lab.log_lines()[since:]) <= 1


def test_a_rejection_that_python_awaits_later_is_no_uncaught_one(lab):
    since = lab.mark()
    assert lab.value("""
        got = await asyncio.gather(js.fetch("/relative"), js.Promise.reject(js.Error.new("gathered")), return_exceptions=True)
        async def late(promise):
            try:
                await promise
            except Exception as e:
                return str(e)
        return [str(e) for e in got] + [await asyncio.create_task(late(js.Promise.reject("of a task")))]
    """) == ["TypeError: Invalid URL: /relative", "Error: gathered", "Error: of a task"]
    assert "Invalid URL: /returned" in lab.run("return js.fetch('/returned')").text
    assert lab.value("js.Promise.reject('of nobody')") is None
    lab.wait_log(r"Uncaught \(in promise\) 'of nobody'", since=since)
    assert sum("Uncaught" in line for line in lab.log_lines()[since:]) == 1


def test_a_default_of_what_is_not_there(lab):
    """Items give None for JavaScript's null, as in Pyodide; get() and pop() with a default give that."""
    assert lab.value("""
        params, headers = js.URLSearchParams.new("a=1&e="), request.headers
        return [params["zzz"], headers["x-zzz"], params.get("zzz"), params.get("zzz", "d"), params.get("a", "d"), params.get("e", "d"),
                js.Map.new([["n", None], ["z", 0]]).get("n", "d"), js.Map.new([["z", 0]]).get("z", "d"), js.Map.new().get("n", "d")]
    """) == [None, None, None, "d", "1", "", None, 0, "d"]


def test_null_inside_of_what_to_js_converts(lab):
    assert lab.value("""
        from pyodide.ffi import jsnull, to_js
        made = to_js([jsnull, {"a": jsnull}], dict_converter=js.Object.fromEntries)
        return [js.JSON.stringify(made), js.JSON.stringify(to_js(jsnull))]
    """) == ['[null,{"a":null}]', "null"]


def test_headers_and_search_params_lose_items_as_dicts_do(lab):
    assert lab.value("""
        headers, params = js.Headers.new([["a", "1"], ["b", "2"]]), js.URLSearchParams.new("a=1&b=2")
        del headers["a"]
        del params["a"]
        got = [params.pop("b"), params.pop("b", "none"), dict(headers), str(params)]
        for each in (headers, params):
            try:
                del each["zzz"]
            except KeyError as e:
                got.append(e.args[0])
        return got
    """) == ["2", "none", {"b": "2"}, "", "zzz", "zzz"]
