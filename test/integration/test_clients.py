"""HTTP clients of Python in workers: httpx, requests, urllib3, urllib.request, http.client and aiohttp, through the node.

docs/compatibility.md names these tests.
"""
import asyncio
import contextlib
import http.client
import http.server
import socket
import textwrap
import threading

import pytest

from conftest import finish, start
from harness import LAB, PATIENCE, lab_code, rss_kb, until
from origin import Origin, Raw, make_certificate, stop_listening, tls_context

pytestmark = pytest.mark.asan

MB = 1 << 20
REQUIREMENTS = "httpx\nrequests\nurllib3\naiohttp\nfastapi\npydantic\n"
HELP = '''
def sort_of(function):
    """What a call raises: the names of its class and of those that it is one of, and its text."""
    try:
        return [str(function()), ""]
    except Exception as e:
        return [" ".join(c.__name__ for c in type(e).__mro__), str(e)]

async def sort_of_async(awaitable):
    try:
        return [str(await awaitable), ""]
    except Exception as e:
        return [" ".join(c.__name__ for c in type(e).__mro__), str(e)]
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("clients")


@pytest.fixture(scope="module")
def trusted(folder):
    return make_certificate(folder, "trusted", "localhost", "DNS:localhost,IP:127.0.0.1")


@pytest.fixture(scope="module")
def origin():
    one = Origin()
    yield one
    one.close()


@pytest.fixture
def lonely():
    """An origin that no other test's requests are counted at."""
    one = Origin()
    yield one
    one.close()


@pytest.fixture(scope="module")
def secure(trusted):
    one = Origin(tls_context(*trusted))
    yield one
    one.close()


@pytest.fixture(scope="module")
def node(folder, trusted):
    files = {"src/entry.py": LAB.replace("import asyncio\n", "import asyncio\n" + HELP, 1), "requirements.txt": REQUIREMENTS}
    one = start(folder / "lab", files, name="lab", env={"SSL_CERT_FILE": str(trusted[1])})
    until("the lab answers", lambda: one.get().status == 200)
    yield one
    survived, log = one.is_running(), one.log_text()
    finish(one)
    assert survived and "broke the protocol" not in log and "never retrieved" not in log


@pytest.fixture
def web(node, origin):
    """node.value with U, the origin's address, in scope."""
    def value(code, **more):
        return node.value("U = %r\n" % origin.url + textwrap.dedent(code), **more)
    return value


@pytest.fixture(scope="module")
def raw():
    one = Raw({
        "nothing": b"", "rubbish": b"rubbish\r\n\r\n", "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        "cut-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "reason": b"HTTP/1.1 299 Quite Odd\r\nContent-Length: 0\r\n\r\n",
        "old": b"HTTP/1.0 200 OK\r\nX-Case-Of-Names: A\r\nx-again: 1\r\nX-AGAIN: 2\r\n\r\nuntil the end",
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
    })
    yield one
    one.close()


class Full:
    """Nobody accepts, and the queue is full: connecting takes for ever."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(0)
        self.address = self.socket.getsockname()
        self.others = []
        for _ in range(4):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(self.address)
            self.others.append(other)
        self.url = "http://127.0.0.1:%d" % self.address[1]

    def close(self):
        for each in self.others + [self.socket]:
            each.close()


@pytest.fixture(scope="module")
def full():
    one = Full()
    yield one
    one.close()


# ---- what leaves and what comes ----


HEADS = """
    import aiohttp, httpx, http.client, requests, urllib.request
    own = {"X-Case": "Yes", "x-lower": "1", "Cookie": "a=1; b=2"}
    async with httpx.AsyncClient() as client:
        await client.get(U + "/a?q=%41%2f#hash", headers=[*own.items(), ("X-Two", "1"), ("X-Two", "2")])
    httpx.put(U, content=b"12345", headers={"Host": "other.example", "User-Agent": "mine", "Accept": ""})
    httpx.post(U, data={"a": "1"}, cookies={"c": "2"})
    requests.get(U + "/a/../b", headers=own)
    requests.post(U, json={"a": 1}, headers={"User-Agent": None, "Connection": None, "Accept": None, "Accept-Encoding": None})
    requests.delete(U)
    urllib.request.urlopen(urllib.request.Request(U, data=b"x=1", headers=own)).read()
    connection = http.client.HTTPConnection(U[7:])
    connection.putrequest("REPORT", "/odd", skip_host=True, skip_accept_encoding=True)
    connection.putheader("host", U[7:])
    connection.putheader("x-empty", "")
    connection.putheader("x-folded", "one", "two")
    connection.endheaders()
    assert connection.getresponse().read() == b"ok"
    async with aiohttp.ClientSession(headers=own) as session:
        for method in ("GET", "POST", "OPTIONS"):
            async with session.request(method, U + "/a?b=%20c") as answer:
                assert await answer.read() == b"ok"
        async with session.put(U, data=b"raw", headers={"User-Agent": "", "content-type": "X/Y"}) as answer:
            pass
"""


def test_clients_headers_leave_as_the_library_wrote_them(node):
    """What a server gets is, byte for byte, what it gets from the same code without Corral; but Host, by this name, comes first."""
    heads = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as said:
                raw = []
                while (line := said.readline()) not in (b"\r\n", b""):
                    raw.append(line)
                lines = b"".join(raw)[:-2].decode("latin-1").replace("\r\n\t", " ").split("\r\n")
                # To the last byte: what is unread when it is closed would reset the connection.
                said.read(sum(int(line.split(b":")[1]) for line in raw if line.lower().startswith(b"content-length:")))
                lines = ["Host" + line[4:] if line.lower().startswith("host:") else line for line in lines]
                heads.append(lines[:1] + sorted(lines[1:], key=lambda line: not line.startswith("Host:")))
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    url = "http://127.0.0.1:%d" % server.getsockname()[1]
    node.value("U = %r\n" % url + textwrap.dedent(HEADS))
    inside = list(heads)
    heads.clear()
    scope = {"U": url}
    exec("async def plain():\n" + textwrap.indent(textwrap.dedent(HEADS), "    "), scope)
    asyncio.run(scope["plain"]())
    stop_listening(server, thread)
    assert len(inside) == len(heads) == 12
    for ours, theirs in zip(inside, heads):
        assert [line.lower() if line.startswith("x-empty") else line.rstrip() for line in ours] == [line.rstrip() for line in theirs]
    assert any("User-Agent: python-httpx/" in line for line in inside[0])


def test_clients_answers_come_as_the_server_wrote_them(node, raw):
    assert node.value("""
        import aiohttp, httpx, http.client, requests
        U, said = %r, []
        with httpx.stream("GET", U + "/old") as answer:
            said.append([answer.http_version, answer.reason_phrase, [[k.decode(), v.decode()] for k, v in answer.headers.raw], answer.read().decode()])
        connection = http.client.HTTPConnection(U[7:])
        connection.request("GET", "/old")
        answer = connection.getresponse()
        said.append([answer.version, answer.getheaders(), answer.read().decode()])
        answer = requests.get(U + "/reason")
        said.append([answer.status_code, answer.reason])
        answer = requests.get(U + "/chunks", stream=True)
        said.append([answer.headers["transfer-encoding"], b"".join(answer.raw.read_chunked()).decode()])
        async with aiohttp.ClientSession() as session:
            async with session.get(U + "/chunks") as answer:
                said.append([answer.version[1], await answer.text(), answer.headers["Transfer-Encoding"]])
            async with session.get(U + "/old") as answer:
                said.append([answer.version[1], await answer.text(), answer.headers.getall("x-again")])
        return said
    """ % raw.url) == [
        ["HTTP/1.0", "OK", [["X-Case-Of-Names", "A"], ["x-again", "1"], ["X-AGAIN", "2"]], "until the end"],
        [10, [["X-Case-Of-Names", "A"], ["x-again", "1"], ["X-AGAIN", "2"]], "until the end"], [299, "Quite Odd"], ["chunked", "onetwo"],
        [1, "onetwo", "chunked"], [0, "until the end", ["1", "2"]]]


def test_clients_encodings_are_undone_once(web):
    """By the library; raw bytes stay packed."""
    assert web("""
        import aiohttp, gzip, httpx, requests, urllib.request
        text, said = "packed " * 1000, []
        said.append([httpx.get(U + "/packed?how=gzip").text == text, (await httpx.AsyncClient().get(U + "/packed?how=gzip")).text == text])
        with httpx.stream("GET", U + "/packed?how=gzip") as answer:
            said.append(gzip.decompress(b"".join(answer.iter_raw())).decode() == text)
        said.append(requests.get(U + "/packed?how=gzip").text == text)
        said.append(gzip.decompress(requests.get(U + "/packed?how=gzip", stream=True).raw.read()).decode() == text)
        said.append(gzip.decompress(urllib.request.urlopen(U + "/packed?how=gzip").read()).decode() == text)
        async with aiohttp.ClientSession() as session:
            async with session.get(U + "/packed?how=gzip") as answer:
                said.append(await answer.text() == text)
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            async with session.get(U + "/packed?how=gzip") as answer:
                said.append(gzip.decompress(await answer.read()).decode() == text)
        return said
    """) == [[True, True], True, True, True, True, True, True]


def test_clients_redirects_cookies_and_auth_by_the_library(web):
    assert web("""
        import aiohttp, httpx, requests, urllib.error, urllib.request
        said = []
        answer = httpx.get(U + "/redirect?code=302&to=/echo")
        said.append([answer.status_code, answer.next_request.url.path])
        async with httpx.AsyncClient(follow_redirects=True, base_url=U, auth=("u", "p"), cookies={"c": "1"}) as client:
            answer = await client.post("/redirect?code=307&to=/echo", content=b"again")
            sent = dict(answer.json()["headers"])
            said.append([[r.status_code for r in answer.history], answer.json()["body"], sent["authorization"], sent["cookie"]])
            await client.get("/cookies")
            said.append(sorted(client.cookies.items()))
            said.append((await sort_of_async(client.get("/loop")))[0].split()[0])
        answer = requests.get(U + "/redirect?code=302&to=/status%3Fcode=404")
        said.append([answer.status_code, [r.status_code for r in answer.history], answer.ok])
        session = requests.Session()
        session.get(U + "/cookies")
        said.append([dict(session.cookies), dict(session.get(U + "/echo", auth=("u", "p")).json()["headers"])["cookie"]])
        said.append(urllib.request.urlopen(U + "/redirect?code=301&to=/echo").url == U + "/echo")
        try:
            urllib.request.urlopen(U + "/status?code=404")
        except urllib.error.HTTPError as e:
            said.append([e.code, e.reason, e.read().decode()])
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            async with session.get(U + "/redirect?code=303&to=/echo") as answer:
                said.append([answer.url.path, [r.status for r in answer.history]])
            async with session.get(U + "/cookies") as answer:
                said.append([answer.cookies["a"].value, answer.headers.getall("X-Two")])
            async with session.get(U + "/echo") as answer:
                said.append(dict((await answer.json())["headers"]).get("cookie"))
            said.append((await sort_of_async(session.get(U + "/status?code=500")))[0].split()[0])
        return said
    """) == [[302, "/echo"], [[307], "again", "Basic dTpw", "c=1"], [["a", "1"], ["b", "2"], ["c", "1"]], "TooManyRedirects",
             [404, [302], False], [{"a": "1", "b": "2"}, "a=1; b=2"], True, [404, "Not Found", "some text"], ["/echo", [303]],
             ["1", ["1", "2"]], None, "ClientResponseError"]


def test_clients_bodies_of_all_kinds(web):
    assert web("""
        import aiohttp, http.client, httpx, io, requests
        said = []
        def told(answer):
            d = answer.json()
            return [d["body"], dict(d["headers"]).get("content-length"), dict(d["headers"]).get("transfer-encoding")]
        def pieces():
            yield b"one "
            yield b"two"
        async def later():
            for piece in pieces():
                await asyncio.sleep(0)
                yield piece
        said.append(told(requests.post(U, data=pieces())))
        said.append(told(requests.put(U, data=io.BytesIO(b"a file"))))
        said.append(told(httpx.post(U, content=pieces())))
        async with httpx.AsyncClient() as client:
            said.append(told(await client.post(U, content=later())))
            said.append(told(await client.request("DELETE", U, content=b"gone")))
        async with aiohttp.ClientSession() as session:
            async with session.post(U, data=later()) as answer:
                said.append(told(type("", (), {"json": lambda self, d=await answer.json(): d})()))
            form = aiohttp.FormData()
            form.add_field("file", b"bytes of it", filename="f.bin")
            async with session.post(U, data=form) as answer:
                said.append("bytes of it" in (await answer.json())["body"])
        said.append("of a file" in requests.post(U, files={"f": ("f.txt", b"of a file")}).json()["body"])
        connection = http.client.HTTPConnection(U[7:])
        connection.request("POST", "/", body=pieces(), headers={"Transfer-Encoding": "chunked"}, encode_chunked=True)
        said.append(json.loads(connection.getresponse().read())["body"])
        connection.request("POST", "/", body=b"x" * 300_000, headers={"Expect": "100-continue"})
        said.append(len(json.loads(connection.getresponse().read())["body"]))
        said.append([requests.head(U).text, requests.head(U).headers["content-length"] > "0", httpx.get(U + "/status?code=204").content.decode()])
        return said
    """) == [["one two", None, "chunked"], ["a file", "6", None], ["one two", None, "chunked"], ["one two", None, "chunked"],
             ["gone", "4", None], ["one two", None, "chunked"], True, True, "one two", 300_000, ["", True, ""]]


def test_clients_retrieve_into_memory(web):
    assert web("""
        import urllib.request
        name, headers = urllib.request.urlretrieve(U + "/big?n=100000")
        urllib.request.urlretrieve(U + "/big?n=5", "/tmp/small")
        return [os.path.getsize(name), headers["content-length"], os.path.getsize("/tmp/small")]
    """) == [100_000, "100000", 5]


def test_clients_are_made_quickly(web):
    """Nobody reads the system's authorities for them: 20 ms each."""
    assert web("""
        import http.client, httpx, ssl, time
        httpx.Client()
        begun = time.process_time()
        for _ in range(20):
            httpx.AsyncClient()
            http.client.HTTPSConnection("localhost")
        took = time.process_time() - begun
        context = ssl.create_default_context()
        context.load_verify_locations("/etc/ssl/certs/ca-certificates.crt")
        missing = sort_of(lambda: ssl.create_default_context(cafile="/no/such"))[0].split()[0]
        return [took < 0.2 * %d, len(context.get_ca_certs()) > 50, missing, context.verify_mode == ssl.CERT_REQUIRED]
    """ % PATIENCE) == [True, True, "FileNotFoundError", True]


# ---- what goes wrong ----


ERRORS = """
    import aiohttp, http.client, httpx, requests, urllib.request
    async def of_httpx(url, limit):
        async with httpx.AsyncClient(timeout=httpx.Timeout(limit)) as client:
            return await client.get(url)
    async def of_aiohttp(url, limit):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_connect=limit, sock_read=limit)) as session:
            async with session.get(url) as answer:
                return (await answer.read()).decode()
    def of_connection(url, limit):
        connection = http.client.HTTPConnection(url[7:].split("/")[0], timeout=limit)
        connection.request("GET", "/" + url[7:].split("/")[1])
        return connection.getresponse().read()
    def each(url, limit):
        return [sort_of_async(of_httpx(url, limit)), aside(lambda: httpx.get(url, timeout=limit)), aside(lambda: requests.get(url, timeout=limit)),
                aside(lambda: urllib.request.urlopen(url, timeout=limit).read()), sort_of_async(of_aiohttp(url, limit)), aside(lambda: of_connection(url, limit))]
    said = {}
    for name, url in places.items():
        if not name.startswith("slow"):
            said[name] = [await one for one in each(url, 0.1 if name == "full" else 20)]
    # All at once: it is long, lest a server that comes late with a head be taken for one that says nothing.
    late = [name for name in places if name.startswith("slow")]
    said.update(zip(late, await asyncio.gather(*[asyncio.gather(*each(places[name], 2)) for name in late])))
    return said
"""
# A call that blocks, of a task: in a worker the others go on.
HERE = "async def aside(function):\n    return sort_of(function)\n"
BESIDE = "async def aside(function):\n    return await asyncio.to_thread(sort_of, function)\n"


@pytest.mark.rel
def test_clients_raise_their_own_exceptions(node, raw, origin, full):
    """Of the same classes as without Corral, which the same code is asked for."""
    places = {"refused": "http://127.0.0.1:1/", "unknown": "http://no.such.invalid/", "full": full.url + "/", "slow": origin.url + "/wait",
              "slow body": origin.url + "/wait?after=head"}
    places.update((name, raw.url + "/" + name) for name in ("nothing", "rubbish", "cut", "cut-chunk", "reason"))
    said = node.value(HERE + "places = %r\n" % places + textwrap.dedent(ERRORS), timeout=60)
    scope = {"places": places, "asyncio": asyncio}
    exec(HELP + BESIDE + "async def plain():\n" + textwrap.indent(textwrap.dedent(ERRORS), "    "), scope)
    theirs = asyncio.run(scope["plain"]())
    for name in places:
        for ours, other in zip(said[name], theirs[name]):
            assert ours[0].split(" ")[0] == other[0].split(" ")[0], (name, ours, other)
    assert "Connection refused" in said["refused"][0][1] and "[Errno 111] Connection refused" in said["refused"][2][1]
    assert said["refused"][3][1] == theirs["refused"][3][1] == "<urlopen error [Errno 111] Connection refused>"
    assert said["full"][3][1] == theirs["full"][3][1] == "<urlopen error timed out>"
    assert "IncompleteRead(9 bytes read, 91 more expected)" == said["cut"][5][1] == theirs["cut"][5][1]
    assert all("no.such.invalid" in got[1] for got in said["unknown"])


def test_clients_tls_is_the_nodes(node, secure, folder):
    """And is always verified, whatever verify= says."""
    other = Origin(tls_context(*make_certificate(folder, "other", "localhost", "IP:127.0.0.1")))
    try:
        said = node.value("""
            import aiohttp, httpx, http.client, requests, ssl, urllib.request
            T, O, said = %r, %r, []
            said.append([httpx.get(T).status_code, requests.get(T).status_code, urllib.request.urlopen(T).status])
            async with aiohttp.ClientSession() as session:
                async with session.get(T) as answer:
                    said[0].append(answer.status)
                said.append(await sort_of_async(session.get(O)))
            said.append(sort_of(lambda: httpx.get(O)))
            said.append(sort_of(lambda: requests.get(O)))
            said.append(sort_of(lambda: urllib.request.urlopen(O)))
            said.append(sort_of(lambda: requests.get(O, verify=False)))
            def plain():
                connection = http.client.HTTPSConnection(O[8:], context=ssl._create_unverified_context())
                connection.request("GET", "/")
            said.append(sort_of(plain))
            said.append(sort_of(lambda: requests.get(T, cert="/tmp/none.pem")))
            said.append(sort_of(lambda: httpx.get(O.replace("https", "http"))))
            return said
        """ % (secure.url, other.url))
    finally:
        other.close()
    assert said[0] == [200] * 4
    for got, want in zip(said[1:], ["ClientConnectorCertificateError", "ConnectError", "SSLError", "URLError", "SSLError", "SSLCertVerificationError"]):
        assert want in got[0].split() and "the node checks it, whatever `verify` says" in got[1], (want, got)


def test_clients_retries_by_the_library(node, raw, origin):
    said = node.value("""
        import httpx, requests, time
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry
        U, said = %r, []
        session = requests.Session()
        session.mount("http://", HTTPAdapter(max_retries=Retry(total=2, status_forcelist=[500], backoff_factor=0.01)))
        said.append(sort_of(lambda: session.get(U + "/status?code=500")))
        said.append(sort_of(lambda: session.get("http://127.0.0.1:1/")))
        begun = time.monotonic()
        with httpx.Client(transport=httpx.HTTPTransport(retries=2, http2=False, limits=httpx.Limits(max_connections=1), verify=False)) as client:
            said.append(sort_of(lambda: client.get("http://127.0.0.1:1/")))
            said.append(client.post(U, content=b"x").json()["body"])
        said.append(time.monotonic() - begun > 0.5)
        return said
    """ % origin.url)
    assert "RetryError" in said[0][0] and "too many 500" in said[0][1]
    assert "ConnectionError" in said[1][0] and "Max retries exceeded" in said[1][1]
    assert "ConnectError" in said[2][0] and said[3:] == ["x", True]
    assert sum(path == "/status?code=500" for _, path, _ in origin.seen) >= 3


def test_clients_what_is_refused_says_why(node):
    said = node.value("""
        import aiohttp, http.client, httpx, requests, socket, urllib.request
        said = []
        said.append(sort_of(lambda: httpx.get("ftp://x/")))
        said.append(sort_of(lambda: httpx.Client(transport=httpx.HTTPTransport(uds="/x")).get("http://x/")))
        said.append(sort_of(lambda: socket.create_connection(("127.0.0.1", 80))))
        async with aiohttp.ClientSession() as session:
            said.append(await sort_of_async(session.ws_connect("http://127.0.0.1:1/")))
        return said
    """)
    assert "UnsupportedProtocol" in said[0][0] and "no sockets" in said[1][1] and "no sockets of its own" in said[2][1]
    assert "PermissionError" in said[2][0]
    assert "ClientConnectionError" in said[3][0] and "a connection is to become one of websocket" in said[3][1]


# ---- proxies ----


class Proxy(http.server.BaseHTTPRequestHandler):
    """Forwards, and opens tunnels, for those who say who they are."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    def is_known(self):
        self.server.seen.append(self.requestline.rsplit(" ", 1)[0])
        if self.headers["proxy-authorization"] == "Basic dTpw":
            return True
        self.send_response(407)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def do_GET(self):
        if self.is_known():
            place, _, path = self.path[7:].partition("/")
            onward = http.client.HTTPConnection(place)
            onward.request("GET", "/" + path)
            body = onward.getresponse().read()
            onward.close()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def do_CONNECT(self):
        if self.is_known():
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host, int(port))) as onward:
                self.send_response(200)
                self.end_headers()
                other = threading.Thread(target=self.pump, args=(onward, self.connection), daemon=True)
                other.start()
                self.pump(self.connection, onward)
                other.join(10)
        self.close_connection = True

    @staticmethod
    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_clients_go_through_proxies_that_they_are_given(node, origin, secure):
    """As http in absolute form, as https through a tunnel; those of the node's environment are nobody's."""
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    proxy.daemon_threads, proxy.seen = True, []
    threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
    place = "127.0.0.1:%d" % proxy.server_port
    said = node.value("""
        import aiohttp, httpx, requests, urllib.request
        U, T, P, said = %r, %r, %r, []
        for known in ("http://u:p@" + P, "http://" + P, "http://127.0.0.1:1"):
            async with httpx.AsyncClient(proxies=known) as client:
                for url in (U + "/echo", T + "/echo"):
                    said.append(await sort_of_async(client.get(url)))
            for url in (U + "/echo", T + "/echo"):
                said.append(sort_of(lambda: requests.get(url, proxies={"http": known, "https": known})))
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": known, "https": known}))
            for url in (U + "/echo", T + "/echo"):
                said.append(sort_of(lambda: opener.open(url).status))
            async with aiohttp.ClientSession() as session:
                for url in (U + "/echo", T + "/echo"):
                    said.append(await sort_of_async(session.get(url, proxy=known)))
        async with httpx.AsyncClient(proxies="http://u:p@" + P) as client:
            said.append([str(dict((await client.get(T + "/echo")).json()["headers"]).get("proxy-authorization")), ""])
        return [one[0].split(" ")[0] + " " + one[1][:160] if "200" not in one[0] else "200" for one in said]
    """ % (origin.url, secure.url, place))
    proxy.shutdown()
    proxy.server_close()
    assert said[:8] == ["200"] * 8, said
    # A tunnel that was opened for one who is known is nobody else's: each request has its own.
    assert proxy.seen == ["GET " + origin.url + "/echo", "CONNECT " + secure.url[8:]] * 8 + ["CONNECT " + secure.url[8:]]
    for got, want in zip(said[8:16], ["", "ProxyError", "", "ProxyError", "HTTPError", "URLError", "", "ClientProxyConnectionError"]):
        assert want in got and ("407" in got or want in ("", "ProxyError")), (want, got)
    for got, want in zip(said[16:24], ["ConnectError", "ConnectError", "ProxyError", "ProxyError", "URLError", "URLError", "Client", "Client"]):
        assert got.startswith(want), (want, got)
    assert said[24] == "None ", said[24]


# ---- who waits ----


def test_clients_keep_the_connections_of_a_session(web):
    """As urllib3 counts them: the pool's connection is used again, also behind answers without a body."""
    assert web("""
        import requests
        session = requests.Session()
        for path in ("/echo", "/status?code=204", "/echo", "/packed?how=gzip", "/echo"):
            session.get(U + path)
        session.head(U)
        pool = session.get_adapter(U).poolmanager.connection_from_url(U)
        return [pool.num_connections, pool.num_requests]
    """) == [1, 6]


def test_clients_many_at_once(web):
    """More than an instance may have under way: the others wait."""
    assert web("""
        import aiohttp, httpx
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None), timeout=60) as client:
            said = [r.status_code for r in await asyncio.gather(*[client.get(U) for _ in range(300)])]
        async with aiohttp.ClientSession() as session:
            async def one():
                async with session.get(U) as answer:
                    return answer.status
            said += await asyncio.gather(*[one() for _ in range(150)])
        return sorted(set(said)), len(said)
    """) == [[200], 450]


def test_clients_cannot_block_beneath_javascript(web):
    said = web("""
        import httpx, requests
        return [js.eval("(call) => call()")(lambda: sort_of(lambda: get(U)))[1] for get in (httpx.get, requests.get)]
    """)
    assert all("JavaScript has called this function and waits for it" in text and "httpx.AsyncClient" in text for text in said), said


def test_clients_in_threads_and_in_loops_of_their_own(web):
    assert web("""
        import aiohttp, httpx, requests
        def blocking():
            with requests.get(U + "/big?n=1000000", stream=True) as answer:
                count = sum(len(piece) for piece in answer.iter_content(10_000))
            return [count, len(httpx.get(U + "/big?n=1000000").content), requests.post(U, data=(b"x" for _ in range(9))).json()["body"]]
        async def main():
            async with httpx.AsyncClient() as client, aiohttp.ClientSession() as session:
                async with session.post(U, data=b"xyz") as answer:
                    return [(await client.get(U)).status_code, (await answer.json())["body"]]
        return [await asyncio.to_thread(blocking), await asyncio.to_thread(lambda: asyncio.run(main()))]
    """) == [[1_000_000, 1_000_000, "x" * 9], [200, "xyz"]]


def test_clients_that_are_cancelled_end_their_requests(node, lonely):
    """A task that is cancelled, an answer that is dropped, a stream whose client has left."""
    node.value("""
        import aiohttp, httpx, requests
        U = %r
        async def of_httpx():
            async with httpx.AsyncClient() as client:
                await client.get(U + "/wait")
        async def of_aiohttp():
            async with aiohttp.ClientSession() as session:
                await (await session.get(U + "/wait?after=head")).read()
        for task in [asyncio.create_task(of_httpx()), asyncio.create_task(of_aiohttp())]:
            httpx.get(U + "/arrived")
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
        with httpx.stream("GET", U + "/wait?after=head") as answer:
            next(answer.iter_raw())
        answer = requests.get(U + "/wait?after=head", stream=True)
        del answer
        import gc
        gc.collect()
    """ % lonely.url)
    until("four requests were cut", lambda: lonely.cut == 4)
    connection = node.connection()
    connection.request("GET", "/", headers={"x-code": lab_code("""
        import httpx
        async def relay():
            async with httpx.AsyncClient() as client:
                async with client.stream("GET", %r) as answer:
                    async for piece in answer.aiter_raw():
                        yield js.Uint8Array.new(piece)
        return Response.new(js.ReadableStream.from_(relay()))
    """ % (lonely.url + "/wait?after=head"))})
    answer = connection.getresponse()
    assert answer.read(5) == b"begun"
    answer.close()
    connection.close()
    until("the relayed request was cut", lambda: lonely.cut == 5)


# ---- streams ----


def largest_kb(node):
    """The most that any of its instances has ever had."""
    found = []
    for instance in node.instances():
        with contextlib.suppress(OSError, KeyError):        # one that is idle may be retired
            found.append(rss_kb(instance.pid, "VmHWM"))
    return max(found)


def test_clients_stream_fifty_megabytes_in_flat_memory(node, origin):
    n = 50 * 1000 * 1000
    code = """
        import aiohttp, httpx, requests
        U, N, said = %r, %d, []
        def pieces():
            for _ in range(N // 50_000):
                yield b"x" * 50_000
        async def later():
            for piece in pieces():
                yield piece
        said.append(requests.post(U + "/sink", data=pieces()).text)
        async with httpx.AsyncClient(timeout=60) as client:
            said.append((await client.post(U + "/sink", content=later())).text)
            async with client.stream("GET", U + f"/big?n={N}") as answer:
                said.append(sum([len(piece) async for piece in answer.aiter_bytes()]))
        async with aiohttp.ClientSession() as session:
            async with session.post(U + "/sink", data=later()) as answer:
                said.append(await answer.text())
            async with session.get(U + f"/big?n={N}") as answer:
                said.append(sum([len(piece) async for piece in answer.content.iter_any()]))
        with requests.get(U + f"/big?n={N}", stream=True) as answer:
            said.append(sum(len(piece) for piece in answer.iter_content(65536)))
        return said
    """ % (origin.url, n)
    node.value("import aiohttp, httpx, requests")
    before = largest_kb(node)
    assert node.value(code, timeout=110 * PATIENCE) == ["%d chunked" % n] * 2 + [n, "%d chunked" % n, n, n]
    assert PATIENCE > 1 or largest_kb(node) - before < 40_000


def test_clients_that_do_not_read_hold_the_server_back(node, lonely):
    assert node.value("""
        import aiohttp, httpx
        U = %r
        async with httpx.AsyncClient() as client, aiohttp.ClientSession() as session:
            async with client.stream("GET", U + "/big?n=30000000") as first, session.get(U + "/big?n=30000000") as second:
                one = await anext(aiter(first.aiter_raw()))
                two = await second.content.readany()
                httpx.get(U + "/echo")
                return [0 < len(one) <= 2**20, 0 < len(two) <= 2**20]
    """ % lonely.url) == [True, True]
    until("both servers were cut off while they wrote", lambda: lonely.cut == 2)


def test_clients_early_answer_to_an_upload(web):
    """413 before the body is read."""
    assert web("""
        import httpx
        def pieces():
            for _ in range(2000):
                yield b"x" * 50_000
        async def later():
            for piece in pieces():
                yield piece
        said = [httpx.post(U + "/early", content=pieces()).status_code]
        async with httpx.AsyncClient() as client:
            said.append((await client.post(U + "/early", content=later())).status_code)
        return said
    """) == [413, 413]
