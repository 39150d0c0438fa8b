"""fetch() of workers, end to end: what servers see, what workers get back, what goes wrong; docs/compatibility.md names these tests."""
import contextlib
import gzip
import http.client
import json
import os
import socket
import subprocess
import textwrap
import threading
from pathlib import Path

import pytest

from conftest import finish, start
from harness import DEADLINE, LAB, PATIENCE, lab_code, rss_kb, until
from origin import Dying, Origin, Raw, make_certificate, stop_listening, tls_context

pytestmark = pytest.mark.asan

SILENCE_MS = 2500  # of the hasty node
MB = 1 << 20
HELP = """
from js import AbortController, AbortSignal, Headers, Request, Response, URL, fetch
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fetch")


@pytest.fixture(scope="module")
def trusted(folder):
    return make_certificate(folder, "trusted", "localhost", "DNS:localhost,IP:127.0.0.1")


@pytest.fixture
def origin():
    """Of one test: what the one before has asked for, and may still be told of, is another's."""
    one = Origin()
    yield one
    one.close()


def start_lab(folder, trusted, **env):
    """Its node trusts our certificate; http_proxy is a trap."""
    one = start(folder, LAB.replace("import asyncio\n", "import asyncio\n" + HELP, 1), name="lab",
                env={"SSL_CERT_FILE": str(trusted[1]), "http_proxy": "http://127.0.0.1:1/", "https_proxy": "http://127.0.0.1:1/",
                     "ALL_PROXY": "http://127.0.0.1:1/", **env})
    until("the lab answers", lambda: one.get().status == 200)
    return one


def end_lab(one):
    survived = one.is_running()
    log = one.log_text()
    finish(one)
    assert survived and "broke the protocol" not in log


@pytest.fixture(scope="module")
def node(folder, trusted):
    one = start_lab(folder / "lab", trusted)
    yield one
    end_lab(one)


@pytest.fixture(scope="module")
def hasty(folder, trusted):
    """A node that loses patience soon: on a busy machine an honest server may be too slow for it."""
    one = start_lab(folder / "hasty", trusted, CORRAL_TEST_SILENCE_MS=str(SILENCE_MS))
    yield one
    end_lab(one)


@pytest.fixture
def web(node, origin):
    """node.value with U, the origin's address, in scope."""
    def value(code, **more):
        return node.value("U = %r\n" % origin.url + textwrap.dedent(code), **more)
    return value


def failure(node, code, **more):
    outcome = node.outcome(code, **more)
    assert outcome.get("error") == "JsException", outcome
    return outcome["text"]


# ---- requests ----


def test_fetch_get(web, origin):
    said = web("""
        r = await fetch(U + "/a/../b?q=1&r=%20#hash")
        said = (await r.json()).to_py()
        return [r.status, r.statusText, r.ok, r.url, r.redirected, r.type, r.headers.get("content-type"), said]
    """)
    assert said[:7] == [200, "OK", True, origin.url + "/b?q=1&r=%20", False, "default", "application/json"]
    assert (said[7]["method"], said[7]["path"], said[7]["body"]) == ("GET", "/b?q=1&r=%20", "")
    assert said[7]["headers"] == [["host", origin.url[7:]], ["accept-encoding", "br, gzip"]]


def test_fetch_methods_headers_and_bodies(web):
    said = web("""
        import json
        said = []
        async def one(*args, **options):
            r = await fetch(*args, **options)
            d = (await r.json()).to_py() if r.body else {}
            said.append([d.get("method"), d.get("body"), [h for h in d.get("headers", []) if h[0] not in ("host", "accept-encoding")]])
        for method in ["get", "POST", "PUT", "PATCH", "delete", "OPTIONS", "propfind", "PROPFIND"]:
            if method != "propfind":
                await one(U, method=method)
        await one(U, method="POST", body="text \u00e9")
        await one(U, method="PUT", body=b"bytes")
        await one(U, method="POST", body=js.URLSearchParams.new("a=1&b=%20"))
        await one(U, method="DELETE", body="with a body", headers={"Content-Type": "x/y", "X-Empty": "", "X-Odd": "\u00e9"})
        await one(Request.new(U, method="POST", body="of a Request", headers=Headers.new([["x-a", "1"], ["x-a", "2"]])))
        await one(Request.new(U, method="POST", body="x"), method="PATCH", headers={"host": "evil", "connection": "x", "content-length": "99", "expect": "100-continue", "transfer-encoding": "chunked", "te": "x"}, body="y")
        await one(URL.new(U))
        return said
    """)
    text = ["content-type", "text/plain;charset=UTF-8"]
    assert said[:7] == [["GET", "", []], ["POST", "", [["content-length", "0"]]], ["PUT", "", [["content-length", "0"]]],
                        ["PATCH", "", [["content-length", "0"]]], ["DELETE", "", []], ["OPTIONS", "", []], ["PROPFIND", "", []]]
    bodies = [(method, body, sorted(h for h in headers if h[0] != "content-length")) for method, body, headers in said[7:]]
    assert bodies[0] == ("POST", "text é".encode().decode("latin-1"), [text])
    assert bodies[1] == ("PUT", "bytes", [])
    assert bodies[2] == ("POST", "a=1&b=+", [["content-type", "application/x-www-form-urlencoded;charset=UTF-8"]])
    assert bodies[3] == ("DELETE", "with a body", [["content-type", "x/y"], ["x-empty", ""], ["x-odd", "Ã©"]])
    assert bodies[4] == ("POST", "of a Request", [text, ["x-a", "1"], ["x-a", "2"]]) or bodies[4][2][1:] == [["x-a", "1, 2"]]
    assert bodies[5][:2] == ("PATCH", "y") and [h[0] for h in bodies[5][2]] == ["content-type"]
    assert bodies[6] == ("GET", "", [])


def test_fetch_what_is_refused_before_it_leaves(node):
    for code, says in [
        ("await fetch('/relative')", "Invalid URL: /relative"),
        ("await fetch('ftp://x/')", "Fetch API cannot load: ftp://x/"),
        ("await fetch('file:///etc/passwd')", "Fetch API cannot load: file:///etc/passwd"),
        ("await fetch('http://user:word@x/')", "user name or password"),
        ("await fetch('http://x/', body='a')", "cannot have a body"),
        ("await fetch('http://x/', method='TRACE')", "TRACE"),
        ("await fetch('http://x/', headers={'a': 'b\\r\\nc: d'})", "line break"),
        ("await fetch('http://x/', signal=5)", "signal must be an AbortSignal"),
        ("await fetch('http://x/?' + 'a' * 300_000)", "too long"),
        ("await fetch()", "1 argument required"),
    ]:
        text = failure(node, code)
        assert "TypeError" in text and says in text, (code, text)


# ---- responses ----


def test_fetch_response_headers(web):
    assert web("""
        r = await fetch(U + "/cookies")
        try:
            r.headers.set("a", "b")
        except Exception as e:
            refused = str(e)
        return [list(r.headers.getSetCookie()), r.headers.get("x-two"), refused, r.headers.get("X-ODD")]
    """) == [["a=1; Path=/", "b=2"], "1, 2", "TypeError: Can't modify immutable headers.", None]


def test_fetch_head_and_answers_without_body(web):
    assert web("""
        said = []
        r = await fetch(U + "/echo", method="HEAD")
        said.append([r.status, r.body is None, await r.text(), int(r.headers.get("content-length")) > 50])
        for code in (204, 304):
            r = await fetch(U + f"/status?code={code}")
            said.append([r.status, r.body is None, await r.text()])
        r = await fetch(U + "/status?code=500")
        said.append([r.status, r.ok, await r.text()])
        return said
    """) == [[200, True, "", True], [204, True, ""], [304, True, ""], [500, False, "some text"]]


def test_fetch_response_is_passed_through(node, origin):
    answer = node.run("return await fetch(%r)" % (origin.url + "/cookies"))
    assert (answer.status, answer.body, answer.headers.get_all("set-cookie")) == (200, b"x", ["a=1; Path=/", "b=2"])
    answer = node.run("r = await fetch(%r)\nreturn Response.new(r.body, status=201, headers={'x': 'y'})" % (origin.url + "/cookies"))
    assert (answer.status, answer.body, answer.headers["x"]) == (201, b"x", "y")
    answer = node.run("r = await fetch(%r)\nreturn Response.new(r.body, r)" % (origin.url + "/status?code=404"))
    assert (answer.status, answer.body) == (404, b"some text")
    answer = node.run("return await fetch(%r)" % (origin.url + "/status?code=304"))
    assert (answer.status, answer.body) == (304, b"")
    answer = node.run("return await fetch(Request.new(%r, request))" % (origin.url + "/echo"), method="POST", body="from the client")
    assert json.loads(answer.body)["body"] == "from the client"


@pytest.mark.parametrize("how", ["gzip", "br"])
def test_fetch_decodes_what_the_worker_reads(node, web, origin, how):
    assert web("""
        r = await fetch(U + "/packed?how=%s")
        whole = await r.text()
        n = 0
        async for piece in (await fetch(U + "/packed?how=%s")).body:
            n += piece.length
        return [whole == "packed " * 1000, n, r.headers.get("content-encoding")]
    """ % (how, how)) == [True, 7000, how]
    code, text = "return await fetch(%r)" % (origin.url + "/packed?how=" + how), b"packed " * 1000
    answer = node.run(code, headers={"accept-encoding": how})
    assert answer.headers["content-encoding"] == how and 0 < len(answer.body) < 200
    for accepts in ("identity", how + ";q=0", "x" + how):
        answer = node.run(code, headers={"accept-encoding": accepts})
        assert answer.headers["content-encoding"] is None and answer.body == text
    asked = node.value("""
        said = []
        for value in ("gzip, deflate, br;q=0.5, zstd", "zstd", "*", "identity"):
            said.append(dict((await (await fetch(%r, headers={"accept-encoding": value})).json()).to_py()["headers"])["accept-encoding"])
        return said
    """ % origin.url)
    assert asked == ["gzip, br;q=0.5", "identity", "identity", "identity"]
    # Made anew of what was read, or of the stream: it leaves as its bytes are.
    for more in ("return Response.new(await r.text(), r)", "return Response.new(r.body, headers={'a': 'b'})",
                 "return Response.new(await r.bytes(), headers=r.headers)"):
        answer = node.run(code.replace("return", "r =") + "\n" + more, headers={"accept-encoding": how})
        assert answer.headers["content-encoding"] is None and answer.body == text
    answer = node.run("import gzip\nreturn Response.new(gzip.compress(b'own'), headers={'content-encoding': 'gzip'}, encodeBody='manual')")
    assert answer.headers["content-encoding"] == "gzip" and answer.body[:2] == b"\x1f\x8b"
    if how == "gzip":
        assert "no valid gzip" in failure(node, "await (await fetch(%r)).text()" % (origin.url + "/packed?how=bad"))


@pytest.mark.skipif(PATIENCE > 1, reason="sanitizers need all the memory that there is")
def test_fetch_of_a_gzip_bomb_fails_and_ends_nobody(node):
    bomb = gzip.compress(bytes(16 * MB)) * 128
    raw = Raw({"bomb": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb})
    try:
        said, pid = node.value("""
            try:
                await (await fetch(%r)).text()
            except Exception as e:
                return [str(e), os.getpid()]
        """ % (raw.url + "/bomb"), timeout=3 * DEADLINE)
        assert "RangeError: There is no memory left for this body." in said
        assert node.value("""
            n = 0
            async for piece in (await fetch(%r)).body:
                n += piece.length
                if n > 20_000_000:
                    return True
        """ % (raw.url + "/bomb")) is True
        assert node.outer(pid) and "was ended by" not in node.log_text()
    finally:
        raw.close()


# ---- redirects ----


def test_fetch_follows_redirects(web, origin):
    said = web("""
        said = []
        for code in (301, 302, 303, 307, 308):
            for method in ("GET", "POST", "PUT", "HEAD"):
                r = await fetch(f"{U}/redirect?code={code}&to=/echo?x", method=method, headers={"content-language": "en"},
                                body=None if method in ("GET", "HEAD") else "data")
                d = (await r.json()).to_py() if method != "HEAD" else None
                said.append([code, method, r.status, r.redirected, r.url == U + "/echo?x", d and d["method"], d and d["body"],
                             d and "content-type" in dict(d["headers"])])
        return said
    """)
    for code, method, status, redirected, same, as_method, body, typed in said:
        assert (status, redirected, same) == (200, True, True), (code, method)
        becomes_get = (code == 303 and method not in ("GET", "HEAD")) or (code in (301, 302) and method == "POST")
        if method == "HEAD":
            assert origin.seen[0] and as_method is None
        elif becomes_get or method == "GET":
            assert (as_method, body, typed) == ("GET", "", False), (code, method)
        else:
            assert (as_method, body, typed) == (method, "data", True), (code, method)
    assert ("HEAD", "/echo?x") in [s[:2] for s in origin.seen]


def test_fetch_redirect_modes_and_loops(node, web, origin):
    assert web("""
        r = await fetch(U + "/redirect?code=302&to=/echo", redirect="manual")
        bare = await fetch(U + "/redirect?code=302")
        return [r.status, r.headers.get("location"), r.redirected, await r.text(), bare.status]
    """) == [302, "/echo", False, "moved", 302]
    for code, says in [("redirect?code=302&to=/echo', redirect='error", "redirect is 'error'"), ("loop", "Too many redirects"),
                       ("redirect?code=302&to=http://[", "Invalid Location header"),
                       ("redirect?code=302&to=file:///etc/passwd", "cannot load: file:"),
                       ("redirect?code=307&to=/echo', method='POST', body=request.body or '", "one-time-use body")]:
        text = failure(node, "await fetch('%s/%s')" % (origin.url, code), method="POST", body="stream")
        assert "TypeError" in text and says in text, (code, text)
    assert sum(path.startswith("/loop") for _, path, _ in origin.seen) == 21


def test_fetch_redirect_to_another_origin_takes_no_secrets_along(web, origin):
    other = Origin()
    try:
        said = web("""
            secret = {"Authorization": "a", "Cookie": "c", "X-Mine": "m"}
            said = []
            for to in (%r, U):
                r = await fetch(U + "/redirect?code=307&to=" + to + "/echo", headers=secret)
                said.append(sorted(dict((await r.json()).to_py()["headers"])))
            return said
        """ % other.url)
    finally:
        other.close()
    assert said == [["accept-encoding", "host", "x-mine"], ["accept-encoding", "authorization", "cookie", "host", "x-mine"]]


# ---- abort, time, the end ----


def test_fetch_is_aborted_by_its_signal(web, origin):
    assert web("""
        said = []
        async def attempt(what):
            try:
                await what
            except Exception as e:
                said.append(str(e))
        await attempt(fetch(U, signal=AbortSignal.abort()))
        c = AbortController.new()
        call = asyncio.ensure_future(fetch(Request.new(U + "/wait", signal=c.signal)))
        await fetch(U + "/arrived")
        c.abort(js.Error.new("enough"))
        await attempt(call)
        c = AbortController.new()
        r = await fetch(U + "/wait?after=head", signal=c.signal)
        asyncio.get_running_loop().call_later(0.05, c.abort)
        await attempt(r.text())
        c = AbortController.new()
        r = await fetch(U + "/wait?after=head", signal=c.signal)
        reader = r.body.getReader()
        first = (await reader.read()).value.to_bytes().decode()
        c.abort()
        await attempt(reader.read())
        await attempt(fetch(U + "/wait", signal=AbortSignal.timeout(50)))
        r = await fetch(U, signal=AbortController.new().signal)
        return said + [first, r.status]
    """) == ["AbortError: The operation was aborted", "Error: enough", "AbortError: The operation was aborted", "AbortError: The operation was aborted",
             "TimeoutError: The operation was aborted due to timeout", "begun", 200]
    # The last one may have been given up before it had left.
    until("the server sees its connections closed", lambda: origin.cut == sum(path.startswith("/wait") for _, path, _ in origin.seen) >= 3)


def test_fetch_cancelled_by_asyncio(web):
    assert web("""
        try:
            await asyncio.wait_for(fetch(U + "/wait"), 0.05)
        except asyncio.TimeoutError:
            return (await fetch(U)).status
    """) == 200


def test_fetch_from_a_silent_server_ends(hasty, origin):
    said = hasty.value("""
        async def whole(url):
            return await (await fetch(url)).text()
        return [str(e) for e in await asyncio.gather(*[whole(%r + more) for more in ("", "?after=head")], return_exceptions=True)]
    """ % (origin.url + "/wait"))
    assert said == ["TypeError: %s has been silent for 3 s." % origin.url[7:]] * 2


def test_fetch_ends_with_its_request(node, origin):
    assert node.run("""
        r = await fetch(%r)
        return Response.new("not read")
    """ % (origin.url + "/big?n=50000000")).text == "not read"
    until("the server is told", lambda: origin.cut == 1)
    assert node.run("asyncio.ensure_future(fetch(%r))\nawait fetch(%r)\nreturn Response.new('x')" % (
        origin.url + "/wait", origin.url + "/arrived")).text == "x"
    until("the server is told", lambda: origin.cut == 2)
    node.wait_log("The request that this was fetched for has ended")
    # waitUntil keeps it alive.
    mark = node.mark()
    assert node.run("""
        async def later():
            await asyncio.sleep(0.05)
            print("later:", (await fetch(%r)).status)
        ctx.waitUntil(later())
        return Response.new("first")
    """ % origin.url).text == "first"
    node.wait_log("later: 200", since=mark)


def test_fetch_goes_on_when_the_client_has_gone(node, origin):
    mark = node.mark()
    with node.connect() as client:
        code = """
            request.signal.addEventListener("abort", lambda e: print("aborted:", request.signal.reason.name, request.signal.reason.message))
            r = await fetch(%r)
            print("fetched:", await r.text(), request.signal.aborted)
            return Response.new("nobody")
        """ % (origin.url + "/wait")
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nx-code: " + lab_code(code).encode() + b"\r\n\r\n")
        assert origin.waiting.acquire(timeout=DEADLINE)
    node.wait_log("aborted: AbortError The client disconnected", since=mark)
    origin.go.set()
    node.wait_log("fetched: waited True", since=mark)


def test_fetch_with_the_clients_signal_ends_with_the_client(node, origin):
    with node.connect() as client:
        code = "await fetch(%r, signal=request.signal)" % (origin.url + "/wait")
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nx-code: " + lab_code(code).encode() + b"\r\n\r\n")
        assert origin.waiting.acquire(timeout=DEADLINE)
    until("the fetch is cancelled", lambda: origin.cut == 1)


# ---- what goes wrong ----


def test_fetch_says_why_there_is_no_connection(node):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        place = "127.0.0.1:%d" % closed.getsockname()[1]
        text = failure(node, "await fetch('http://%s/')" % place)
    assert "TypeError: No connection to %s: Connection refused." % place in text
    nowhere = "x" * 64 + ".invalid"     # a label that long is asked of no server, which might be slow
    assert "TypeError: The name of the host '%s' could not be resolved." % nowhere in failure(node, "await fetch('http://%s:81/')" % nowhere)
    assert node.value("""
        try:
            await fetch("http://%s/")
        except Exception as e:
            return [e.name, e.js_error.cause.message != ""]
    """ % nowhere) == ["TypeError", True]


@pytest.mark.parametrize("how", ["close", "reset", "half-close", "close-later", "reset-later", "silent"])
def test_fetch_on_a_kept_connection_that_dies_is_repeated(node, how):
    server = Dying(how)
    try:
        said = node.value("""
            said = set()
            for n in range(10):
                for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
                    body = "x" * 60_000 if method[0] == "P" else None
                    said.add((method, await (await fetch(%r, method=method, body=body)).text()))
            return sorted(said)
        """ % server.url)
        assert said == [["DELETE", "0"], ["GET", "0"], ["HEAD", ""], ["POST", "60000"], ["PUT", "60000"]]
        assert server.connections == 50
    finally:
        server.close()


HOSTILE = {
    "no-answer": b"",
    "no-http": b"SSH-2.0-OpenSSH\r\n\r\n",
    "bad-status": b"HTTP/1.1 9999 x\r\n\r\n",
    "bad-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    "cut-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    "cut-length": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "cut-head": b"HTTP/1.1 200 OK\r\nContent-Len",
    "huge-header": b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000 + b"\r\n\r\n",
    "many-headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"a%d: x\r\n" % i for i in range(400)) + b"\r\n",
    "control-header": b"HTTP/1.1 200 OK\r\nA: b\x01c\r\nContent-Length: 0\r\n\r\n",
    "bad-name": b"HTTP/1.1 200 OK\r\nA b: c\r\nContent-Length: 0\r\n\r\n",
    "endless-interim": b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + b"<stay>",
    "endless-trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: bcdefghi\r\n" * 10_000 + b"\r\n",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 10\r\n\r\n0123456789",
    "odd-length": b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n01234",
    "silent-body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc<stay>",
}


def test_fetch_from_hostile_servers_fails_and_harms_nobody(node, hasty):
    """Only those that fall silent need a node that loses patience: honest ones might be too slow for it."""
    raw = Raw(dict(HOSTILE, good=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", close=b"HTTP/1.0 200 OK\r\n\r\nto the end",
                   **{"bad-chunk-later": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n"}))
    silent = [name for name, answer in HOSTILE.items() if answer.endswith(b"<stay>")]

    def ask(lab, *names):
        return lab.value("""
            async def one(name):
                try:
                    r = await fetch(%r + name)
                    return [name, r.status, await r.text()]
                except Exception as e:
                    return [name, str(e)]
            return await asyncio.gather(*[one(name) for name in %r])
        """ % (raw.url + "/", names), timeout=3 * DEADLINE)

    try:
        said = ask(node, *[name for name in HOSTILE if name not in silent], "good", "close")
        ended = ask(hasty, *silent)
        # Passed on, a body that is cut is cut for the client too.
        with pytest.raises(http.client.IncompleteRead):
            node.run("return await fetch(%r)" % (raw.url + "/cut-length"))
        with pytest.raises(http.client.IncompleteRead):
            node.run("return await fetch(%r)" % (raw.url + "/bad-chunk-later"))
    finally:
        raw.close()
    for name, *what in said[:-2]:
        assert len(what) == 1 and "Network connection lost." in what[0], (name, what)
    assert said[-2:] == [["good", 200, "ok"], ["close", 200, "to the end"]]
    for name, *what in ended:
        assert len(what) == 1 and ("Network connection lost." in what[0] or "has been silent" in what[0]), (name, what)


def test_fetch_over_tls(node, folder, trusted):
    good = Origin(tls_context(*trusted))
    unknown = Origin(tls_context(*make_certificate(folder, "unknown", "localhost", "IP:127.0.0.1")))
    try:
        assert node.value("""
            r = await fetch(%r)
            return [r.status, (await r.json()).method]
        """ % good.url) == [200, "GET"]
        text = failure(node, "await fetch(%r)" % unknown.url)
        assert "TypeError: The TLS certificate of %s is not accepted: " % unknown.url[8:] in text, text
        text = failure(node, "await fetch(%r)" % good.url.replace("127.0.0.1", "127.0.0.2").replace("127.0.0.2", "[::ffff:7f00:1]"))
        assert "not accepted" in text or "No connection" in text, text
        text = failure(node, "await fetch(%r)" % good.url.replace("https:", "http:"))
        assert "Network connection lost." in text, text
    finally:
        good.close()
        unknown.close()


# ---- many and much ----


def test_fetch_uses_connections_again(web, origin):
    first = web("""
        numbers = []
        for i in range(10):
            numbers.append((await (await fetch(U, method="POST", body="x")).json()).connection)
        return numbers
    """)
    assert len(set(first)) == 1


def test_fetch_many_at_once(web, origin):
    assert web("""
        async def one(i):
            return (await (await fetch(f"{U}/{i}", method="POST", body=str(i))).json()).body
        return [int(x) for x in await asyncio.gather(*[one(i) for i in range(400)])]
    """, timeout=3 * DEADLINE) == list(range(400))


def reset_peak(pid):
    """VmHWM is as VmRSS again: what the tests before took says nothing."""
    with open("/proc/%d/clear_refs" % pid, "w") as f:
        f.write("5")


def test_fetch_50_mb_each_way_in_flat_memory(node, web, origin):
    size = 50 * MB
    web("return await (await fetch(U + '/big?n=100000')).text()")
    reset_peak(node.pid)
    before = rss_kb(node.pid)
    assert web("""
        n = 0
        async for piece in (await fetch(U + "/big?n=%d")).body:
            n += piece.length
        return n
    """ % size, timeout=3 * DEADLINE) == size
    answer = node.run("return await fetch(%r)" % (origin.url + "/big?n=%d" % size), timeout=3 * DEADLINE)
    assert len(answer.body) == size
    assert answer.headers["content-length"] == str(size)
    assert node.run("return await fetch(%r, method='POST', body=request.body)" % (origin.url + "/sink"), method="POST",
                    body=b"x" * size, timeout=3 * DEADLINE).text == "%d length" % size
    assert web("""
        left = [b"y" * 65536] * (%d // 65536)
        def pull(controller):
            if left:
                controller.enqueue(left.pop())
            else:
                controller.close()
        stream = js.ReadableStream.new(pull=pull)
        return await (await fetch(U + "/sink", method="PUT", body=stream)).text()
    """ % size, timeout=3 * DEADLINE) == "%d chunked" % size
    if PATIENCE == 1:   # ASan keeps freed memory for a while
        assert rss_kb(node.pid, "VmHWM") - before < 24 * 1024


def test_fetch_many_long_heads_for_a_busy_worker(node):
    """What the servers say while the worker computes waits in the node, bounded, and ends nobody."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" + b"".join(b"a%d: %s\r\n" % (i, b"y" * 30_000) for i in range(4)) + b"\r\n"
    raw = Raw({"full": head % 2 + b"ok", "empty": head % 0})
    try:
        assert node.value("""
            calls = [asyncio.ensure_future(fetch(%r + ["full", "empty"][i %% 2])) for i in range(120)]
            await asyncio.sleep(0)
            for _ in range(3):
                await asyncio.sleep(0.01)
                time.sleep(0.3)
            said = await asyncio.gather(*[(await call).text() for call in calls])
            return [said.count("ok"), said.count("")]
        """ % (raw.url + "/"), timeout=3 * DEADLINE) == [60, 60]
    finally:
        raw.close()


def test_fetch_waits_for_a_slow_reader(node, origin):
    """A client that does not read holds the origin up, not the node's memory."""
    before = rss_kb(node.pid)
    with node.connect() as client:
        code = "return await fetch(%r)" % (origin.url + "/big?n=%d" % (200 * MB))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nx-code: " + lab_code(code).encode() + b"\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
        # Other fetches go on meanwhile.
        for _ in range(20):
            assert node.value("return (await fetch(%r)).status" % origin.url) == 200
        assert PATIENCE > 1 or rss_kb(node.pid) - before < 16 * 1024


def test_fetch_answered_before_the_upload_is_read(node, origin):
    outcome = node.outcome("r = await fetch(%r, method='POST', body=request.body)\nreturn [r.status, await r.text()]"
                           % (origin.url + "/early"), method="POST", body=b"x" * (8 * MB), timeout=3 * DEADLINE)
    assert outcome.get("value") == [413, "too much"] or "Network connection lost." in outcome["text"], outcome


def test_fetch_to_itself(node):
    assert node.value("return await (await fetch(request.url)).text()") == "ready"
    assert node.value("""
        texts = await asyncio.gather(*[fetch(request.url) for _ in range(50)])
        return sum([len(await r.text()) for r in texts])
    """) == 250


def test_fetch_when_the_instance_dies(node, origin):
    answer = node.run("asyncio.ensure_future(fetch(%r))\nawait fetch(%r)\nos._exit(1)" % (origin.url + "/wait", origin.url + "/arrived"))
    assert answer.status >= 500
    # It is sent to another instance once more, and that one dies as well.
    until("its connections are closed", lambda: origin.cut == sum(path == "/wait" for _, path, _ in origin.seen))
    assert node.value("return (await fetch(%r)).status" % origin.url) == 200


def listens_on(process):
    """The port that a process has taken by itself: one chosen for it could be another's by then. None: not yet."""
    sockets = set()
    for fd in Path("/proc/%d/fd" % process.pid).iterdir():
        with contextlib.suppress(OSError):
            sockets.add(os.readlink(fd))
    for line in Path("/proc/%d/net/tcp" % process.pid).read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and "socket:[%s]" % fields[9] in sockets:
            return int(fields[1].split(":")[1], 16)
    assert process.poll() is None, "it has ended"
    return None


def test_fetch_speaks_http2(node, folder, trusted):
    site = folder / "site"
    site.mkdir()
    (site / "hello").write_text("over two")
    (site / "big").write_bytes(b"z" * (20 * MB))
    server = subprocess.Popen(["nghttpd", "-v", "--echo-upload", "-d", str(site), "-a", "127.0.0.1", "0", str(trusted[0]), str(trusted[1])],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = []
    reader = threading.Thread(target=lambda: said.extend(server.stdout), daemon=True)
    reader.start()
    try:
        port = until("nghttpd listens", lambda: listens_on(server))
        assert node.value("""
            U = "https://localhost:%d"
            first = await (await fetch(U + "/hello")).text()
            texts = await asyncio.gather(*[fetch(U + "/hello", headers={"x-n": str(i)}) for i in range(30)])
            echoed = await (await fetch(U + "/echo", method="POST", body="u" * 300_000)).text()
            n = 0
            async for piece in (await fetch(U + "/big")).body:
                n += piece.length
            missing = await fetch(U + "/missing")
            return [first, {await t.text() for t in texts} == {"over two"}, len(echoed), n, missing.status]
        """ % port, timeout=3 * DEADLINE) == ["over two", True, 300_000, 20 * MB, 404]
        mine = node.run("return await fetch(%r, method='POST', body=request.body)" % ("https://localhost:%d/echo" % port),
                        method="POST", body=b"v" * (3 * MB), timeout=3 * DEADLINE)
        assert mine.body == b"v" * (3 * MB)
    finally:
        server.kill()
        server.wait()
        reader.join(10)
    text = b"".join(said).decode("utf-8", "replace")
    assert ":authority: localhost:%d" % port in text.replace("\x1b[0m", "").replace("\x1b[1;34m", "")


def test_fetch_leaves_an_http2_connection_that_died_silently(hasty, trusted):
    """Its streams share it, but no new one is put on it."""
    context = tls_context(*trusted)
    context.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", 0))
    # SETTINGS and its acknowledgement, HEADERS with :status 200, DATA that ends stream 1.
    answer = bytes.fromhex("000000 04 00 00000000  000000 04 01 00000000  000001 01 04 00000001 88  000002 00 01 00000001") + b"ok"

    def serve():
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer_once, args=(plain,), daemon=True).start()

    def answer_once(plain):
        with context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(65536)
            connection.sendall(answer)
            while connection.recv(65536):
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        assert hasty.value("""
            said = []
            for i in range(3):
                try:
                    said.append(await (await fetch(%r)).text())
                except Exception as e:
                    said.append("has been silent" in str(e))
            return said
        """ % ("https://localhost:%d/" % listener.getsockname()[1]), timeout=3 * DEADLINE) == ["ok", True, "ok"]
    finally:
        stop_listening(listener, thread)


def test_fetch_in_top_level_code_is_refused(corral):
    one = corral("""\
        from js import Response, fetch
        early = fetch("http://127.0.0.1:1/")
        early.catch(lambda e: None)

        async def on_fetch(request):
            try:
                await early
            except Exception as e:
                return Response.new(str(e))
        """)
    assert "Disallowed operation called within global scope" in one.get().text
