"""Workers of today's style, classes of `workers` under a newer date, as people write them; class_samples/ has them, one project runs them."""
import base64
import gzip
import hashlib
import hmac
import io
import json
import re
import zipfile
import zlib

import pytest

from harness import until
from sample_origin import SECRET, ask, good, origin, serve  # noqa: F401


WRANGLER = """\
name = "{name}"
main = "src/entry.py"
compatibility_date = "2026-06-01"
compatibility_flags = ["python_workers"]
[triggers]
crons = ["*/3 * * * *", "0 0 1 * *"]
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory, origin):
    yield from serve("class_samples", tmp_path_factory.mktemp("samples"), origin, WRANGLER)


def form_of(*parts):
    """(content type, body) of multipart/form-data; parts: (what stands behind form-data, further lines, data)."""
    pieces = [b'--XX\r\nContent-Disposition: form-data; %s\r\n%s\r\n%s\r\n' % (head.encode(), lines.encode(), data) for head, lines, data in parts]
    return "multipart/form-data; boundary=XX", b"".join(pieces) + b"--XX--\r\n"


# ---- pages, redirects, what stands before other servers ----


def test_pages_and_redirects(ask, origin):
    page = good(ask("pages"))
    assert (page.headers["content-type"], page.headers["cache-control"]) == ("text/html;charset=UTF-8", "public, max-age=60")
    assert good(ask("pages", "/status.json")).text == '{"greeting": "hello", "open": true, "hours": [9, 17]}'
    about = good(ask("pages", "/about"))
    assert "grüezi" in about.text and about.headers["link"].startswith("</style.css>")
    assert (ask("pages", "/favicon.ico").status, ask("pages", "/nothing").status) == (204, 404)
    there = "http://" + origin.host
    for path, status, location in (("/old", 301, there + "/new"), ("/docs", 301, there + "/handbook?v=2"), ("/login", 302, there + "/login"),
                                   ("/relative", 303, "/elsewhere"), ("/a/b?c=d", 307, "https://www.example.net/a/b?c=d")):
        answer = ask("moved", path)
        assert (answer.status, answer.headers["location"]) == (status, location)
    assert ask("moved", "/a/b/", to="me.example").headers["location"] == "http://me.example/a/b"


def test_two_pages_and_three_servers(ask):
    new = good(ask("two_versions", "/page", to="origin"))
    group = re.fullmatch(r"which-page=(old|new); path=/", new.headers["set-cookie"])[1]
    assert new.text == "<p>GET /%s/page</p>" % group
    assert good(ask("two_versions", "/page", to="origin", cookie="which-page=new")).text == "<p>GET /new/page</p>"
    assert good(ask("two_versions", "/old/x", to="origin")).text == "<p>GET /old/x</p>"
    both = good(ask("both"))
    assert [todo["id"] for todo in both.json()["todos"]] == [1, 2, 3] and both.json()["failed"] == [503, "LookupError"]
    assert both.headers["content-type"] == "application/json;charset=UTF-8"


def test_headers_are_changed(ask):
    changed = good(ask("headers_changed"))
    assert changed.headers["x-powered-by"] is None and changed.headers["x-frame-options"] == "DENY" and changed.headers["foo"] == "ORIG"
    assert changed.headers.get_all("set-cookie") == ['a=1; path="/"', "b=2"] and changed.text == "<p>GET /page</p>"
    assert good(ask("headers_changed", "/image")).headers["x-powered-by"] == "php"


def test_who_may_come_in(ask):
    def door(credentials):
        return ask("door", authorization="Basic " + base64.b64encode(credentials).decode())
    assert good(door(b"demo-user:demo-password")).text == "hello demo-user"
    assert (door(b"demo-user:no").status, door(b"nobody").status, ask("door", authorization="Basic !").status) == (401, 401, 400)
    assert ask("door").headers["www-authenticate"] == 'Basic realm="my scope", charset="UTF-8"'
    asked = ask("allowed", "/", "OPTIONS", Origin="https://app.example", Access_Control_Request_Headers="x-a")
    assert (asked.status, asked.headers["access-control-allow-methods"], asked.headers["access-control-allow-headers"]) == (204, "GET, POST", "x-a")
    posted = good(ask("allowed", "/", "POST", "x", Origin="https://app.example"))
    assert (posted.json(), posted.headers["access-control-allow-origin"], posted.headers["vary"]) == ({"method": "POST"}, "https://app.example", "Origin")
    assert (ask("allowed", "/", "PUT").headers["allow"], good(ask("allowed")).headers["access-control-allow-origin"]) == ("GET, POST", None)


def test_requests_are_sent_on(ask):
    assert good(ask("elsewhere", "/page", to="shop.example")).text == "<p>GET /page</p>"
    for path, through in (("/echo", None), ("/echo/by-request", "worker")):
        said = good(ask("elsewhere", path, "POST", "a body", to="cafe.example", x_own="1")).json()
        assert (said["method"], said["body"], said["headers"]["x-own"], said["headers"].get("x-through")) == ("POST", "a body", "1", through)
        assert "cf-connecting-ip" not in said["headers"], "servers behind are not told as if they were asked by the client"
    assert ask("elsewhere", to="other.example").text == "nothing at other.example"
    assert good(ask("sent_on")).json() == {"method": "POST", "body": {"greeting": "hi", "name": "Zoë"}, "auth": "Bearer demo-password"}
    changed = ask("sent_on", "/changed")
    assert (changed.status, changed.reason, changed.headers["x-kept"], changed.json()["title"]) == (203, "Non-Authoritative Information", "orig", "T")
    replaced = good(ask("sent_on", "/replaced"))
    assert (replaced.text, replaced.headers["foo"]) == ("another body", "orig")
    made = good(ask("sent_on", "/request")).json()
    assert (made["method"], made["body"], made["headers"]["x-c"], made["headers"].get("x-a")) == ("PUT", '{"b": 2}', "3", None)
    assert good(ask("site_proxy", "/x?y=1")).text == '<p class="proxied">GET /x</p>' and good(ask("site_proxy", "/image")).text == "an image"
    assert (ask("site_proxy", "/slow").status, ask("site_proxy", "/", "POST").status, ask("site_proxy", "/bad").status) == (504, 405, 503)


# ---- what is sent to them ----


def test_cookies_countries_and_links(ask):
    assert good(ask("crumbs", cookie="x=1; __uid=abc")).text == "abc"
    assert good(ask("crumbs")).headers.get_all("set-cookie") == ["__uid=u-1; HttpOnly; SameSite=Lax", 'theme="dark mode"']
    assert good(ask("crumbs", "/where")).text == "<p>nowhere, None, None"
    assert good(ask("crumbs", "/address")).text == "127.0.0.1 True" and good(ask("crumbs", "/address", CF_Connecting_IP="203.0.113.9")).text == "203.0.113.9 False"
    assert ask("crumbs", "/linked", referer="http://other.example/").status == 403
    assert good(ask("crumbs", "/linked", to="me.example", referer="http://me.example/page")).text == "the image"


def test_posts_and_forms(ask):
    kind, body = form_of(('name="fname"', "", b"Zo\xc3\xab"), ('name="n"', "", b"1"))
    for content_type, data, shown in (("application/json", b'{"a": [1, null]}', '{"a":[1,null]}'), ("application/x-www-form-urlencoded", b"a=b+c&d=", '{"a":"b c","d":""}'),
                                      (kind, body, '{"fname":"Zoë","n":"1"}'), ("text/plain", b"text", "text"), ("application/octet-stream", b"\xff", "1 bytes")):
        assert good(ask("posted", "/", "POST", data, content_type=content_type)).text == "got " + shown
    for token, status, text in (("good", 200, "welcome, Zoë"), ("bad", 401, "not valid"), ("", 400, "Missing token")):
        kind, body = form_of(('name="cf-turnstile-response"', "", token.encode()), ('name="name"', "", "Zoë".encode()))
        answer = ask("human", "/", "POST", body, content_type=kind)
        assert answer.status == status and text in answer.text
    data = bytes(range(256))
    kind, body = form_of(('name="tag"', "", b"a"), ('name="tag"', "", b"b"), ('name="file"; filename="ä.bin"', "Content-Type: image/x\r\n", b"abc" + data))
    uploaded = good(ask("parcels", "/upload", "POST", body, content_type=kind)).json()
    assert uploaded == {"seen": [["tag", "a"], ["tag", "b"], ["file", "ä.bin", "image/x", 259, hashlib.sha256(b"abc" + data).hexdigest()[:8], "abc"]],
                        "tags": ["a", "b"], "has": True}


def test_files_that_are_made(ask):
    form = good(ask("parcels", "/form"))
    boundary = form.headers["content-type"].split("boundary=")[1].strip('"').encode()
    parts = form.body.split(b"--" + boundary)
    assert len(parts) == 5 and b'filename="notes.txt"\r\nContent-Type: text/plain\r\n\r\nsome notes\r\n' in parts[2] and b"\r\n\r\n\x00\x01text\r\n" in parts[3]
    assert b'name="blob"; filename="abc.txt"\r\nContent-Type: text/plain\r\n\r\nabcdef\r\n' in good(ask("parcels", "/js")).body
    with zipfile.ZipFile(io.BytesIO(good(ask("parcels", "/zip")).body)) as archive:
        assert archive.read("hello.txt") == b"hello " * 100
    assert good(ask("parcels", "/csv")).text == 'name,count\r\n"a ""quoted"", name",1\r\nü,2\r\n'
    assert good(ask("parcels", "/bytes")).body == bytes(range(256))
    packed = good(ask("packed", accept_encoding="gzip"))
    assert packed.headers["content-encoding"] == "gzip" and gzip.decompress(packed.body) == good(ask("packed")).body
    assert good(ask("packed", "/", "POST", gzip.compress(b"unpacked"))).body == b"unpacked"
    assert good(ask("packed", "/hashes", "POST", b"some data")).json() == [True] * 5 + [64, 8]


def test_signatures(ask):
    link = good(ask("sealed", "/generate/doc")).text
    assert good(ask("sealed", link)).text == "let in"
    assert ask("sealed", link.replace("/doc", "/other")).text == "Invalid MAC" and ask("sealed", "/doc").text == "Missing query parameter"
    assert ask("sealed", good(ask("sealed", "/generate/doc?for=-5")).text).text == "URL expired"
    mac = hmac.new(SECRET.encode(), b"/x1", "sha256").hexdigest()
    assert ask("sealed", "/x?until=1&mac=" + mac).text == "URL expired"
    event = json.dumps({"action": "opened", "sender": {"login": "zoë"}}, ensure_ascii=False).encode()
    signed = good(ask("sealed", "/webhook", "POST", event, X_Hub_Signature_256="sha256=" + hmac.new(b"hook", event, "sha256").hexdigest()))
    assert signed.json() == {"action": "opened", "sender": "zoë", "bytes": len(event)}
    assert ask("sealed", "/webhook", "POST", event, X_Hub_Signature_256="sha256=0").status == 401


def test_streams(ask):
    assert good(ask("pumped", "/transform")).json() == {"items": [{"n": 0}, {"n": 1}, {"n": 2}]}
    assert good(ask("pumped", "/numbers")).text == "0\n1\n2\n3\n4\n"
    events = good(ask("pumped", "/events"))
    assert events.headers["content-type"] == "text/event-stream" and events.text == "".join('id: %d\ndata: {"n": %d}\n\n' % (n, n) for n in range(3))
    assert good(ask("pumped", "/upper")).text == "<P>GET /PAGE</P>"
    assert good(ask("pumped", "/bounded", "POST", b"x" * 1000)).text == "1000 bytes" and ask("pumped", "/bounded", "POST", b"x" * 100_000).status == 413


# ---- frameworks and structure ----


def test_frameworks(ask):
    home = good(ask("orders"))
    assert (home.text, home.headers["x-stamped"], home.headers["content-type"]) == ("<h1>hi</h1>", "GET", "text/html; charset=utf-8")
    made = ask("orders", "/orders", "POST", '{"item": "rope"}', content_type="application/json")
    assert (made.status, made.json()) == (201, {"item": "rope", "count": 1, "note": None})
    wrong = ask("orders", "/orders", "POST", '{"item": "rope", "count": 0}', content_type="application/json")
    assert wrong.status == 422 and wrong.json()["detail"][0]["loc"] == ["body", "count"]
    until("the note", lambda: good(ask("orders", "/orders/3?verbose=yes")).json() == {"number": 3, "verbose": True, "noted": ["rope"], "client": "127.0.0.1"})
    assert (ask("orders", "/orders/10").json(), ask("orders", "/nothing").status) == ({"detail": "no such order"}, 404)
    assert good(ask("orders", "/raw", "POST", "a=1&b=c+d", content_type="application/x-www-form-urlencoded")).json() == {"size": 9, "form": {"a": "1", "b": "c d"}}
    assert good(ask("orders", "/lines")).text == "line 0\nline 1\nline 2\n"
    assert good(ask("orders", "/", "OPTIONS", origin="http://a", access_control_request_method="POST")).headers["access-control-allow-origin"] == "*"
    todo = ask("todo", "/todos", "POST", '{"title": "mine"}', to="me.example", content_type="application/json")
    assert (todo.status, todo.json(), todo.headers["location"]) == (201, {"id": 1, "title": "mine"}, "http://me.example/todos/1")
    assert good(ask("todo", "/todos/1")).json() == {"id": 1, "title": "mine", "greeting": "hi"}
    assert (ask("todo", "/todos/7").status, ask("todo", "/x").json()) == (410, {"detail": "Not Found"})


def test_templates_and_feeds(ask):
    page = good(ask("rendered", "/list?name=%3Cb%3E"))
    assert "<title>&lt;b&gt;</title>" in page.text and "<li>anvil &amp; co 0.99</li>" in page.text
    assert ask("rendered", "/other").text == "no template other.html"
    feed = good(ask("feed"))
    assert "Größe &amp; &lt;Maß&gt;" in feed.text and "日本語 🎉" in feed.text and "Mon, 01 Jul 2024 12:00:00 +0200" in feed.text
    assert good(ask("feed", "/", "POST", '<all><item href="u"><title>T</title></item></all>')).json() == [{"title": "T", "link": "u"}]


def test_classes_over_classes(ask):
    hello = good(ask("stalls", "/hello"))
    assert hello.json() == {"greeting": "HI", "same": True} and hello.headers["server-timing"].startswith("total;dur=")
    assert good(ask("stalls", "/pages")).json() == ["hello", "index", "pages"] and good(ask("stalls", "/")).text == "index of Default"
    missing = ask("stalls", "/zzz")
    assert (missing.status, missing.json(), missing.headers["x-stall"]) == (404, {"missing": "zzz"}, "Default")


def test_routers_of_decorators(ask):
    found = good(ask("routed", "/users/41/files/a%20b?x=1&x=2"))
    assert found.json() == {"number": 42, "name": "a%20b", "query": {"x": ["1", "2"]}} and found.headers["x-marked"] == "yes"
    assert ask("routed", "/users/1", "DELETE").json() == {"error": "who are you?"}
    assert ask("routed", "/users/1", "DELETE", authorization="Bearer demo-password").status == 204
    assert good(ask("routed", "/sums", "POST", "[1, 2, 3]")).json() == {"sum": 6}
    for path, method, body, status, error in (("/sums", "POST", "{}", 422, "a list, please"), ("/sums", "PUT", "", 405, "not put"), ("/users/x", "GET", None, 404, "no /users/x")):
        answer = ask("routed", path, method, body)
        assert (answer.status, answer.json()) == (status, {"error": error})


def test_records_in_json(ask):
    assert good(ask("records")).text == ('{"things": [{"name": "rope", "price": "12.50", "state": "open", "tags": ["new"]}, {"name": "anvil", "price": "3", '
                                         '"state": "sold", "tags": []}], "day": "2024-02-29", "id": "00000000-0000-0000-0000-000000000007"}')
    assert good(ask("records", "/", "POST", '{"name": "big rope", "until": "2030-01-02"}')).json() == {"name": "Big Rope", "limit": 10, "until": "2030-01-02"}
    assert ask("records", "/", "POST", '{"name": " ", "limit": "x"}').json() == {"errors": [["name", "must not be blank"], ["limit", "value is not a valid float"]]}
    assert ask("records", "/", "POST", "{").json() == {"error": "JSONDecodeError"} and ask("records", "/", "POST", "[1]").json() == {"error": "TypeError"}


def test_errors_as_an_api_shows_them(ask):
    assert (ask("raised", "/x").status, ask("raised", "/x").json()) == (404, {"error": "no such page"})
    assert ask("raised", "/parse", "POST", "{").json() == {"error": "no JSON (JSONDecodeError)"}
    assert good(ask("raised", "/js")).text == "SyntaxError"
    group, secret = ask("raised", "/group"), ask("raised", "/secret")
    assert group.status == 500 and "ExceptionGroup: several (2 sub-exceptions)" in group.text and "KeyError: 'b'" in group.text
    assert secret.status == 500 and secret.text.startswith("PythonError: Traceback") and "RuntimeError: of the worker\nand a note" in secret.text


# ---- Python and JavaScript together ----


def test_pyodides_own_http(ask):
    assert good(ask("pyodides")).json() == {"ok": True, "status": 200, "body": '{"a": 1}', "url": "/echo/x", "string": "<p>GET /page</p>", "bytes": 16,
                                            "view": "<p>", "open_url": 4, "error": [503, "Service Unavailable", True], "nobody": True}


def test_listeners_timers_and_signals(ask):
    assert good(ask("listeners")).json() == ["ping", "once", "ping", "timer", 3, "resolved", "AbortError", "TimeoutError"]


def test_libraries_that_wait(ask):
    assert good(ask("client_library")).json() == {"ids": [1, 2, 3], "sum": 6, "token": "demo-password", "waited": True}


def test_what_goes_on_later(ask, origin):
    assert ask("later").status == 202
    ways = {b"later: " + way for way in (b"coroutine", b"proxy", b"once", b"task", b"gathered", b"too", b"promise", b"module", b"camel")}
    until("all ways", lambda: {body for _, path, body in origin.seen if path == "/log"} >= ways)


def test_the_environment(ask):
    assert good(ask("surroundings")).json() == {
        "top": "hi", "settings": {"GREETING": "hi", "MISSING": "default"}, "module": "hi", "number": 42, "flag": True, "list": [1, "two"], "deep": "inner",
        "patched": ["patched", False], "after": "hi", "missing": True, "hasattr": False, "getattr": None, "or": "or",
        "keys": ["CONFIG", "FLAG", "GREETING", "LIST", "MY_SECRET_VALUE", "NUMBER", "PASSWORD"], "os": "hi", "secret": len(SECRET),
        "config": '{"deep": {"name": "inner"}}'}


def test_what_the_module_keeps(ask):
    for _ in range(3):
        assert good(ask("kept")).json() == {"todo": 5, "fetched": 1, "fibonacci": 2880067194370816120, "hits": True}
    slow = ask("kept")
    assert (slow.status, slow.headers["retry-after"]) == (429, "600") and good(ask("kept", CF_Connecting_IP="2001:db8::1")).json()["fetched"] == 1


def test_asyncio_at_length(ask):
    assert good(ask("pipeline")).json() == {"found": [1, 2, 3, 4, 5, 6], "most": 2, "ended": "CancelledError", "order": [0, 1, 2], "retried": 9,
                                            "attempts": 3, "group": ["one failed"]}


def test_small_habits(ask):
    got = good(ask("seen_in_the_wild", to="me.example")).json()
    todo = {"userId": 1, "id": 2, "title": "t"}
    assert json.loads(got.pop("stringify")) == got.pop("native") == got.pop("items") == todo
    assert got == {"class": True, "emscripten": True, "native str": "x", "proxy": True, "find": [True, None, True], "slice": [0, 1, 4],
                   "or": "http://me.example/", "exec": 45, "len": 5, "sorted": [4, 3, 2, 1, 0], "in": True, "typeof": "object"}
    said = good(ask("seen_in_the_wild", "/", "POST", '{"message": {"chat": {"id": 77}, "text": "hé"}}'.encode())).json()
    assert said == [200, {"chat_id": 77, "text": "HÉ"}, "application/json", "no token"]


def test_logs_and_schedules(ask, node):
    since = node.mark()
    assert good(ask("talkative", "/here")).text == "logged"
    for line in (r'\{"level": "INFO", "logger": "talkative", "message": "asked for here with \d headers"\}',
                 r'\{"level": "ERROR", "logger": "talkative", "message": "sums", "error": "ZeroDivisionError\(.division by zero.\)"\}',
                 "from the console 1 true", "a warning of mine", r"printed: \{'a': 1\}", r'\{.*"x-sample": "talkative".*\}'):
        node.wait_log(line, since=since)
    assert not any("nobody sees this" in line for line in node.log_lines()[since:])
    for cron, outcome in (("*/3+*+*+*+*", "ok"), ("0+0+1+*+*", "ok"), ("1+1+1+1+1", "exception")):
        answer = node.get("/cdn-cgi/handler/scheduled?cron=" + cron)
        assert answer.text == outcome, (cron, answer)
    node.wait_log("scheduled int scheduled hi", since=since)
    node.wait_log("ValueError: no work for 1 1 1 1 1", since=since)
    assert good(ask("cron")).json() == ["three minutes", "monthly"]
