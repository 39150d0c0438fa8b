"""Whom workers may reach, and how often: the fetch policy of a node, subrequests, outgoing connections.

docs/security.md, docs/compatibility.md and docs/configuration.md name these tests.
"""
import json
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from harness import DEADLINE, WRANGLER, holds, until
from origin import Origin, Raw
from wheelwright import wheel

pytestmark = pytest.mark.asan

ABOUT = {"compatibility_flags": ["python_workers", "disable_python_no_global_handlers"]}
# Runs what the request's body says, and answers with what that returns; what it raises is told as [class, text].
ASKER = """
import json, textwrap
from js import Response
async def on_fetch(request, env, ctx):
    scope = {"env": env, "ctx": ctx}
    exec("async def asked():\\n" + textwrap.indent(await request.text(), "  "), scope)
    return Response.new(json.dumps(await scope["asked"](), default=str))
"""
HELP = """
from js import fetch
async def attempt(url, **init):
    from pyodide.ffi import to_js
    from js import Object
    try:
        answer = await fetch(url, to_js(init, dict_converter=Object.fromEntries))
        return [answer.status, await answer.text()]
    except Exception as e:
        return [type(e).__name__, str(e)]
"""


class Asker:
    def __init__(self, node, name="asker", metadata=None, requirements=None):
        files = {"entry.py": ASKER, **({"requirements.txt": requirements} if requirements else {})}
        node.deploy(name, files, {**ABOUT, **(metadata or {})})
        self.node, self.name = node, name

    def ask(self, code):
        answer = self.node.request(self.name, "/", "POST", (HELP + "\n" + code).encode())
        assert answer.status == 200, answer.text
        return json.loads(answer.text)

    def fetch(self, url, init=""):
        return self.ask("return await attempt(%r%s)" % (url, init))


@pytest.fixture(scope="module")
def origin():
    one = Origin()
    yield one
    one.close()


@pytest.fixture(scope="module")
def closed(shared_serve):
    """A node as it is by itself, with one worker."""
    return Asker(shared_serve(reaches=(), env={"CORRAL_TEST_CONNECT_MS": "1000"}), requirements="httpx\nrequests\nurllib3\naiohttp\n")


# What leads to this machine, or beside it, in whatever way it is written; PORT is one where somebody listens.
HERE = ["http://127.0.0.1:PORT/", "http://localhost:PORT/", "http://LOCALHOST.:PORT/", "http://a.localhost:PORT/", "http://127.1:PORT/",
        "http://0x7f.0.0.1:PORT/", "http://0177.0.0.1:PORT/", "http://2130706433:PORT/", "http://0x7f000001:PORT/", "http://127.255.0.9:PORT/",
        "http://0.0.0.0:PORT/", "http://0:PORT/", "http://[::1]:PORT/", "http://[::]:PORT/", "http://[::ffff:127.0.0.1]:PORT/",
        "http://[::ffff:7f00:1]:PORT/", "http://[0:0:0:0:0:0:0:1]:PORT/", "http://[::127.0.0.1]:PORT/", "http://[64:ff9b::7f00:1]:PORT/",
        "http://[2002:7f00:1::]:PORT/", "http://%31%32%37.0.0.1:PORT/", "http://\uff11\uff12\uff17.0.0.1:PORT/", "https://127.0.0.1:PORT/"]
BESIDE = ["http://169.254.169.254/latest/meta-data/", "http://2852039166/", "http://[fd00:ec2::254]/", "http://100.100.100.200/", "http://168.63.129.16/",
          "http://10.0.0.1/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/", "http://100.64.0.1/", "http://169.254.1.1/",
          "http://198.18.0.1/", "http://192.0.2.1/", "http://203.0.113.1/", "http://224.0.0.1/", "http://255.255.255.255/", "http://240.0.0.1/",
          "http://[fe80::1]/", "http://[fc00::1]/", "http://[fd12::1]/", "http://[fec0::1]/", "http://[ff02::1]/", "http://[2001:db8::1]/",
          "http://[2001::1]/", "http://[64:ff9b:1::a00:1]/", "http://[::ffff:10.0.0.1]/"]


def test_workers_reach_neither_this_machine_nor_its_neighbours(closed, origin):
    """Every spelling is refused in the same words and at once, and nothing arrives."""
    before = origin.connections
    for url in HERE + BESIDE:
        url = url.replace("PORT", str(origin.server_port))
        said = closed.fetch(url)
        assert said[0] == "JsException" and said[1].startswith("TypeError: "), (url, said)
        assert "Workers may not reach" in said[1] or ("localhost" in url.lower() and "could not be resolved" in said[1]), (url, said)
    assert origin.connections == before
    # Public ones are open: nothing keeps this one but that there may be no network here.
    assert "may not reach" not in closed.fetch("http://[2606:4700::1]:1/")[1]


DIAL = """(url) => new Promise((resolve) => {
  const ws = new WebSocket(url.replace(/^http/, "ws"));
  ws.onerror = (e) => resolve(e.message);
  ws.onopen = () => resolve("open");
})"""


def test_nor_does_a_websocket(closed, origin):
    """The same rules, on the same address: of fetch that asks for one, and of new WebSocket."""
    before = origin.connections
    urls = [url.replace("PORT", str(origin.server_port)) for url in HERE + BESIDE]
    said = closed.ask("urls, DIAL = %s, %r" % (json.dumps(urls), DIAL) + '''
import js, asyncio
dialled = js.eval(DIAL)
async def one(url):
    return [url, (await attempt(url, headers={"Upgrade": "websocket"}))[1], await dialled(url)]
return [await one(url) for url in urls]
''')
    for url, fetched, dialled in said:
        for text in (fetched, dialled):
            assert "Workers may not reach" in text or ("localhost" in url.lower() and "could not be resolved" in text), (url, text)
    assert len(said) == len(urls) and origin.connections == before


def test_an_open_port_looks_like_a_closed_one(closed, origin):
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    said = closed.ask("""
        import time
        said = []
        for port in (%d, %d) * 10:
            at = time.monotonic()
            said.append([(await attempt("http://127.0.0.1:%%d/" %% port))[1].replace(str(port), "PORT"), time.monotonic() - at])
        return said
    """.replace("\n        ", "\n") % (origin.server_port, port))
    assert len({text for text, _ in said}) == 1, said
    # Not by the end of a second's wait, which none would be spared.
    assert max(min(s for _, s in said[i::2]) for i in (0, 1)) < 1, said


def test_the_nodes_own_doors_are_shut(closed, serve):
    node = closed.node
    for port in (node.port, node.api_port):
        for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"):
            assert "Workers may not reach" in closed.fetch("http://%s:%d/healthz" % (host, port))[1]
    # The API stays shut where loopback is open, unless its very address and port are named.
    other = Asker(serve("--allow-fetch", "*"))
    assert "the control API of this node" in other.fetch("http://127.0.0.1:%d/healthz" % other.node.api_port)[1]
    assert "Workers may not reach" in other.fetch("http://localhost:%d/metrics" % other.node.api_port)[1]
    assert other.fetch("http://127.0.0.1:%d/" % other.node.port)[0] == 404      # the front, as for any client
    assert "metadata" in other.fetch("http://169.254.169.254/")[1]


def test_redirects_are_asked_about_too(serve, origin):
    """One that leads from where a worker may go to where it may not."""
    asker = Asker(serve("--allow-fetch", "127.0.0.1:%d" % origin.server_port, reaches=()))
    inside = Origin()
    upgrade = ', headers={"Upgrade": "websocket"}'
    try:
        assert asker.fetch(origin.url + "/echo")[0] == 200
        # What asks for a WebSocket is led as far, and no farther; new WebSocket follows nobody.
        assert asker.fetch("%s/redirect?code=302&to=%s/echo" % (origin.url, origin.url), upgrade)[0] == 200
        dialled = asker.ask("import js\nreturn await js.eval(%r)(%r)" % (DIAL, "%s/redirect?code=302&to=%s/echo" % (origin.url.replace("http", "ws"), inside.url)))
        assert "received 302 instead" in dialled, dialled
        for url in (inside.url + "/echo", "http://localhost:%d/" % inside.server_port, "http://169.254.169.254/"):
            said = asker.fetch("%s/redirect?code=302&to=%s" % (origin.url, url))
            assert "Workers may not reach" in said[1], (url, said)
            said = asker.fetch("%s/redirect?code=302&to=%s" % (origin.url, url), upgrade)
            assert "Workers may not reach" in said[1], (url, said)
        assert inside.connections == 0
    finally:
        inside.close()


@pytest.mark.parametrize("answers, way", [("127.0.0.2,127.0.0.1", "fetch"), ("127.0.0.1+127.0.0.2", "fetch"), ("127.0.0.2,127.0.0.1", "upgrade"),
                                          ("127.0.0.2,127.0.0.1", "socket")])
def test_a_name_that_changes_its_address(serve, origin, answers, way):
    """The address counts that is connected to, not the one that was looked at: 127.0.0.2 may be reached here, 127.0.0.1 not."""
    node = serve("--allow-fetch", "127.0.0.2", reaches=(), env={"CORRAL_TEST_RESOLVE": "evil.test:%d=%s" % (origin.server_port, answers)})
    asker = Asker(node)
    before = len(origin.seen)
    # Nobody listens at 127.0.0.2: it was let through, and that is all.
    ways = {"fetch": lambda url: asker.fetch(url), "upgrade": lambda url: asker.fetch(url, ', headers={"Upgrade": "websocket"}'),
            "socket": lambda url: [None, asker.ask("import js\nreturn await js.eval(%r)(%r)" % (DIAL, url.replace("http", "ws")))]}
    said = [ways[way]("http://evil.test:%d/?%d" % (origin.server_port, i)) for i in range(3)]
    assert ["may not reach" in text for _, text in said] == [answers[-1] == "1" and i > 0 or "+" in answers for i in range(3)], said
    assert "No connection" in said[0][1] or "+" in answers
    assert len(origin.seen) == before
    assert "127.0.0.1" not in said[2][1], "what a name means in the node's network is nobody's business"


def test_clients_of_python_hear_of_a_refused_connection(closed, origin):
    """As from a firewall, in the classes that each library has for it; so do proxies that they are given."""
    said = closed.ask("""
        import aiohttp, httpx, requests, urllib.request, http.client
        U, said = %r, []
        async def keep(what):
            try:
                said.append(["", str(await what() )])
            except Exception as e:
                said.append([" ".join(c.__name__ for c in type(e).__mro__), str(e)])
        async def with_httpx(**more):
            async with httpx.AsyncClient(**more) as client:
                return (await client.get(U)).status_code
        async def with_requests(**more): return requests.get(U, **more).status_code
        async def with_urllib(): return urllib.request.urlopen(U).status
        async def with_http():
            c = http.client.HTTPConnection(U.split("/")[2]); c.request("GET", "/"); return c.getresponse().status
        async def with_aiohttp(**more):
            async with aiohttp.ClientSession() as session:
                async with session.get(U, **more) as answer: return answer.status
        for one in (with_httpx, with_requests, with_urllib, with_http, with_aiohttp, lambda: with_httpx(proxies=U),
                    lambda: with_requests(proxies={"http": U}), lambda: with_aiohttp(proxy=U)):
            await keep(one)
        return said
    """.replace("\n        ", "\n") % (origin.url + "/"))
    for (kinds, text), wanted in zip(said, ["ConnectError", "ConnectionError", "URLError", "ConnectionRefusedError", "ClientConnectorError",
                                           "ConnectError", "ConnectionError", "ClientConnectorError"]):
        assert wanted in kinds.split(), said
    assert "Workers may not reach 127.0.0.1:%d" % origin.server_port in "".join(text for _, text in said), said


def test_the_log_says_it_now_and_then(serve, origin):
    asker = Asker(serve(reaches=()), name="curious")
    began = time.monotonic()
    for i in range(20):
        assert "may not reach" in asker.fetch(origin.url)[1]
    line = asker.node.wait_log(r"'curious' was kept from 127.0.0.1:%d \(127.0.0.1\): a loopback address.*" % origin.server_port)
    assert "[fetch] allow" in line.group(0)
    lines = len([one for one in asker.node.log_lines() if "was kept from" in one])
    assert lines <= 1 + (time.monotonic() - began) // 10, "one in ten seconds"


def test_rules_in_corral_toml(serve, tmp_path, origin):
    config = tmp_path / "corral.toml"
    rules = '[fetch]\nallow = ["127.0.0.1:%d", "127.0.0.2"]\ndeny = ["127.0.0.2:1"]\n' % origin.server_port
    config.write_text(rules)
    asker = Asker(serve("--config", str(config), reaches=()))
    assert asker.fetch(origin.url + "/status?code=201")[0] == 201
    assert "may not reach" in asker.fetch("http://127.0.0.1:1/")[1]
    assert "a rule of this node denies it" in asker.fetch("http://127.0.0.2:1/")[1]
    assert "No connection" in asker.fetch("http://127.0.0.2:2/")[1]


def test_mistakes_in_rules_are_named(tmp_path, serve):
    config = tmp_path / "corral.toml"
    config.write_text('[fetch]\nallow = ["10.1.2.3/16",\n  "a b"]\ndeny = "x"\nprivate = 1\npubilc = true\n')
    node = serve("--config", str(config), reaches=(), ready=False)
    assert node.wait_exit() != 0
    said = node.log_text()
    for word in ("corral.toml:2:", "has bits set behind the first 16", "the range with this address in it is 10.1.0.0/16", "corral.toml:3:",
                 "'a b' is no rule", "'fetch.deny' must be a list of rules", "'fetch.private' must be true or false", "did you mean 'public'?"):
        assert word in said, (word, said)
    node = serve("--deny-fetch", "1.2.3", reaches=(), ready=False)
    assert node.wait_exit() != 0 and "--deny-fetch: '1.2.3' is no rule" in node.log_text()


def test_dev_is_for_trying_out(corral, origin):
    code = "from js import Response, fetch\nasync def on_fetch(request):\n  try:\n    return Response.new(str((await fetch(%r)).status))\n" \
           "  except Exception as e:\n    return Response.new(str(e))\n" % (origin.url + "/echo")
    assert corral(code).get("/").text == "200"
    assert "may not reach" in corral(code, "--guard-fetch").get("/").text


# ---- subrequests ----

MAKE = """
async def made(count, how):
    for i in range(count):
        try: await how(i)
        except Exception as e: return [i, type(e).__name__, str(e)]
    return [count, "", ""]
"""


def test_a_request_makes_so_many_subrequests(serve, origin):
    """What one request has used up is not the next one's; fetch, each redirect, Python's clients and bindings count alike."""
    node = serve("--subrequests", "50")
    asker = Asker(node, metadata={"limits": {"subrequests": 7}}, requirements="httpx\nrequests\n")
    url = origin.url + "/echo"
    several = MAKE + "import httpx, requests\nU = %r\n" % url
    for _ in range(2):
        said = asker.ask(several + "return await made(20, lambda i: fetch(U))")
        assert said[:2] == [7, "JsException"] and said[2].startswith("Error: Too many subrequests by single Worker invocation."), said
    node.wait_log(r"\[asker[^\]]*\] .*Too many subrequests: a request has made 7, and may make no more \(limits.subrequests\)")
    until("each says it once", lambda: len([line for line in node.log_lines() if "may make no more" in line]) == 2)
    said = asker.ask(several + "from js import JSON\nI = JSON.parse('{\"headers\": {\"Upgrade\": \"websocket\"}}')\nreturn await made(20, lambda i: fetch(U, I))")
    assert said[0] == 7 and "Too many subrequests" in said[2], said
    said = asker.ask(several + "c = httpx.AsyncClient()\nreturn await made(20, lambda i: c.get(U))")
    assert said[0] == 7 and "Too many subrequests" in said[2], said
    said = asker.ask(several + "async def get(i): requests.get(U)\nreturn await made(20, get)")
    assert said[0] == 7 and "Too many subrequests" in said[2], said
    # Two hops each.
    said = asker.ask(several + "return await made(20, lambda i: fetch(%r))" % ("%s/redirect?code=302&to=/echo" % origin.url))
    assert said[0] == 3 and "Too many subrequests" in said[2], said
    # The node's own limit holds for those that say nothing, or more.
    for metadata in ({}, {"limits": {"subrequests": 100000}}):
        other = Asker(node, "other", metadata)
        assert other.ask(MAKE + "return await made(60, lambda i: fetch(%r))" % url)[0] == 50


def test_databases_are_subrequests(serve):
    node = serve()
    database = node.result("POST", "/accounts/$ACC/d1/database", {"name": "db"})["uuid"]
    asker = Asker(node, metadata={"limits": {"subrequests": 4}, "bindings": [{"type": "d1", "name": "DB", "id": database}]})
    said = asker.ask(MAKE + "return await made(9, lambda i: env.DB.prepare('SELECT 1').all())")
    assert said[0] == 4 and "Too many subrequests" in said[2], said


def test_dev_has_the_limit_that_the_project_says(corral, origin):
    code = "from js import Response, fetch\nasync def on_fetch(request):\n  n = 0\n  try:\n    for n in range(30): await fetch(%r)\n" \
           "  except Exception as e:\n    return Response.new('%%d %%s' %% (n, e))\n  return Response.new('all')\n" % (origin.url + "/echo")
    assert corral(code).get("/").text == "all"
    config = WRANGLER.format(name="few") + "[limits]\nsubrequests = 5\n"
    assert corral({"src/entry.py": code, "wrangler.toml": config}).get("/").text.startswith("5 Error: Too many subrequests")


# ---- connections ----

class Door:
    """An origin that counts whom it holds, and lets in one at a time, or all."""

    def __init__(self):
        self.origin = Origin()
        self.url = self.origin.url

    def arrived(self):
        return self.origin.connections

    def open(self):
        self.origin.go.set()

    def close(self):
        self.origin.close()


@pytest.fixture
def door():
    one = Door()
    yield one
    one.close()


def background(function):
    said = []
    thread = threading.Thread(target=lambda: said.append(function()), daemon=True)
    thread.start()
    return SimpleNamespace(said=said, join=lambda: thread.join(DEADLINE), is_over=lambda: bool(said))


def test_six_connections_wait_for_their_heads(serve, door, origin):
    """The seventh goes when one of six has its head, not its body; another request has six of its own."""
    asker = Asker(serve())
    many = "import asyncio\nreturn await asyncio.gather(*(attempt('%s/wait?%%d' %% i) for i in range(15)))" % door.url
    first = background(lambda: asker.ask(many))
    until("six arrive", lambda: door.arrived() == 6)
    second = background(lambda: asker.ask(many))
    until("six more arrive", lambda: door.arrived() == 12)
    assert asker.fetch(origin.url + "/status?code=202")[0] == 202
    holds("and no more do", lambda: door.arrived() == 12, 0.3)
    door.open()
    for one in (first, second):
        one.join()
        assert one.said == [[[200, "waited"]] * 15]
    # Heads are enough: bodies that nobody reads hold nobody up.
    said = asker.ask("from js import fetch\nkept = [await fetch('%s/big?n=3000000') for i in range(12)]\nreturn [one.status for one in kept]" % origin.url)
    assert said == [200] * 12


def test_uploads_that_wait_for_one_another_come_to_an_end(serve, door, origin):
    """Six requests whose bodies wait for the seventh's answer: who waits for its own worker holds no connection."""
    asker = Asker(serve("--connections", "2"))
    said = asker.ask("""
        import asyncio
        from js import fetch, TransformStream, Object, TextEncoder
        from pyodide.ffi import to_js
        sending, writers = [], []
        for i in range(5):
            pipe = TransformStream.new()
            writers.append(pipe.writable.getWriter())
            sending.append(asyncio.ensure_future(fetch("URL/sink", to_js({"method": "POST", "body": pipe.readable}, dict_converter=Object.fromEntries))))
        status = (await fetch("URL/status?code=203")).status
        for one in writers:
            await one.write(TextEncoder.new().encode("done"))
            await one.close()
        return [status, [(await (await one).text()).split()[0] for one in sending]]
    """.replace("\n        ", "\n").replace("URL", origin.url))
    assert said == [203, ["4"] * 5]


def test_an_account_leaves_room_for_others(serve, door, origin):
    """Of a node's connections one account gets half while it is alone, and who comes later finds some."""
    node = serve("--connections", "0", "--instances", "1", env={"CORRAL_TEST_OUTGOING": "12"})
    node.add_account("other")
    greedy = Asker(node)
    node.deploy("modest", ASKER, ABOUT, account="other")
    flood = background(lambda: greedy.ask("import asyncio\nreturn await asyncio.gather(*(attempt('%s/wait?%%d' %% i) for i in range(40)))" % door.url))
    until("half of them", lambda: door.arrived() == 6)
    for _ in range(3):
        answer = node.request("modest", "/", "POST", HELP + "\nreturn await attempt('%s/status?code=202')" % origin.url, account="other")
        assert json.loads(answer.text)[0] == 202
    assert door.arrived() == 6
    door.open()
    flood.join()
    assert flood.said == [[[200, "waited"]] * 40]


def test_names_that_are_none_leave_nothing_behind(serve, origin):
    """Only look-ups that go on for nobody count against an account's share."""
    asker = Asker(serve(env={"CORRAL_TEST_OUTGOING": "8"}))
    said = asker.ask("""
        import asyncio
        said = [one[1] for one in await asyncio.gather(*(attempt("http://n%d.invalid:PORT/" % i) for i in range(7)))]
        return [len([1 for one in said if "could not be resolved" in one or "No connection" in one]), await attempt("URL/status?code=202")]
    """.replace("\n        ", "\n").replace("PORT", "1").replace("URL", origin.url))
    assert said[0] == 7 and said[1][0] == 202, said


def test_micropip_obeys_the_rules(closed, origin):
    said = closed.ask("import micropip\ntry:\n  await micropip.install('%s/x-1-py3-none-any.whl')\nexcept Exception as e:\n  return str(e)" % origin.url)
    assert "Workers may not reach" in said, said


def test_accounts_share_no_connection(serve, origin):
    node = serve()
    node.add_account("other")
    Asker(node)
    node.deploy("asker", ASKER, ABOUT, account="other")
    numbers = []
    for account in ("main", "main", "other", "other", "main"):
        answer = node.request("asker", "/", "POST", HELP + "\nreturn await attempt('%s/echo')" % origin.url, account=account)
        numbers.append(json.loads(json.loads(answer.text)[1])["connection"])
    assert numbers[0] == numbers[1] == numbers[4] != numbers[2] == numbers[3], numbers


def test_circles_of_workers_end(serve):
    """Two that ask one another: the node counts, whatever they send along."""
    node = serve(domain="localhost", listen="127.0.0.1:0")
    code = "from js import Response\nimport requests\nasync def on_fetch(request, env):\n" \
           "  try:\n    return Response.new('. ' + requests.get('http://127.0.0.1:%d/', headers={'Host': '%s'}).text)\n" \
           "  except Exception as e:\n    return Response.new(str(e))\n"
    for name, other in (("a", "b"), ("b", "a")):
        node.deploy(name, {"entry.py": code % (node.port, node.host_of(other)), "requirements.txt": "requests\n"}, ABOUT)
    said = node.get("a").text
    assert said.count(". ") >= 16 and "Workers fetch one another in a circle" in said, said
    assert said.index("Workers") < 40, said
