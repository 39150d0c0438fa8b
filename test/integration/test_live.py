"""What is deployed: versions come up, switch in one step, share, go; hosts and routes find them."""
import asyncio
import contextlib
import os
import re
import signal
import threading

import pytest
import websockets

from harness import DEADLINE, PATIENCE, descendants, free_port, until
from serve import upload_form
from websocket_client import closed, run

pytestmark = pytest.mark.asan

OLD = "2024-09-01"      # on_fetch as in the samples
CODE = """from js import Response
VERSION = %r
async def on_fetch(request, env):
    return Response.new(VERSION)
"""


def metadata(**more):
    return dict({"compatibility_date": OLD, "compatibility_flags": ["python_workers"]}, **more)


def files(code):
    """An empty list of requirements asks for no package, not for all of the set."""
    return {"entry.py": code, "requirements.txt": ""}


def put(node, name, code, **more):
    return node.deploy(name, files(code), metadata(**more))


def new_version(node, name, code, **more):
    """POST versions; its id."""
    kind, body = upload_form(files(code), metadata(**more))
    return node.result("POST", "/accounts/$ACC/workers/scripts/%s/versions" % name, body, headers={"Content-Type": kind})["id"]


def share(node, name, **percentages):
    versions = [{"version_id": version, "percentage": part} for version, part in percentages.items()]
    return node.result("POST", "/accounts/$ACC/workers/scripts/%s/deployments" % name,
                       {"strategy": "percentage", "versions": versions})


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


class Hammer(threading.Thread):
    """Asks without pause, on a connection that stays; what it was told, in order."""

    def __init__(self, node, name):
        super().__init__(daemon=True)
        self.node, self.name_, self.answers, self.is_over = node, name, [], False

    def run(self):
        connection = self.node.connection()
        while not self.is_over:
            answer = self.node.request(self.name_, connection=connection)
            self.answers.append((answer.status, answer.text))
        connection.close()


def test_no_request_fails_or_goes_back_through_deploys(node):
    put(node, "busy", CODE % "0")
    clients = [Hammer(node, "busy") for _ in range(3)]
    for client in clients:
        client.start()
    last = 25 if PATIENCE == 1 else 10
    try:
        for i in range(1, last + 1):
            put(node, "busy", CODE % str(i))
            # What is deployed when the answer is there answers from then on.
            assert node.get("busy").text == str(i)
            had = [len(client.answers) for client in clients]
            until("everybody is answered", lambda: all(len(client.answers) > count + 1 for client, count in zip(clients, had)))
    finally:
        for client in clients:
            client.is_over = True
    for client in clients:
        client.join()
        assert {status for status, _ in client.answers} == {200}
        seen = [int(text) for _, text in client.answers]
        assert seen == sorted(seen)
        assert set(seen) >= set(range(1, last + 1))


SOCKET = """from js import Response, WebSocketPair
from pyodide.ffi import create_proxy, to_js
async def on_fetch(request, env):
    client, server = WebSocketPair.new().object_values()
    server.accept()
    server.addEventListener('message', create_proxy(lambda event: server.send(%r + event.data)))
    return Response.new(None, status=101, webSocket=client)
"""


def test_sockets_of_the_old_version_end_with_1012(node):
    put(node, "talks", SOCKET % "old ")

    async def talk():
        address = "ws://%s/" % node.host_of("talks")
        more = {"host": "127.0.0.1", "port": node.port, "ping_interval": None, "open_timeout": DEADLINE}
        async with websockets.connect(address, **more) as ws:
            await ws.send("hello")
            assert await ws.recv() == "old hello"
            await asyncio.get_running_loop().run_in_executor(None, put, node, "talks", SOCKET % "new ")
            assert (await closed(ws))[0] == 1012
        async with websockets.connect(address, **more) as ws:
            await ws.send("hello")
            assert await ws.recv() == "new hello"

    run(talk())


def test_a_template_that_dies_hurts_nobody_else(node):
    put(node, "one", CODE % "one")
    put(node, "other", CODE % "other")
    assert node.get("one").text == "one"
    zygote = node.zygotes()[0]
    for process in descendants(zygote.pid):
        with contextlib.suppress(ProcessLookupError):       # an instance may have ended with its template
            os.kill(process.pid, signal.SIGKILL)
    until("both answer again", lambda: node.get("one").text == "one" and node.get("other").text == "other")
    os.kill(zygote.pid, signal.SIGKILL)
    until("both answer again", lambda: node.get("one").text == "one" and node.get("other").text == "other")


def test_a_deploy_that_does_not_load_changes_nothing(node):
    put(node, "steady", CODE % "good")
    said = node.upload("steady", files("import nothing_of_this_name\n"), metadata())
    assert said.status == 400 and said.codes == [10021]
    assert "Traceback (most recent call last)" in said.text and "No module named 'nothing_of_this_name'" in said.text
    said = node.upload("steady", files("def f(:\n"), metadata())
    assert said.codes == [10021] and "SyntaxError" in said.text and "entry.py" in said.text
    said = node.upload("steady", files(CODE % "x"), metadata(bindings=[{"type": "queue", "name": "Q", "queue_name": "jobs"}]))
    assert said.codes == [10021] and "'Q'" in said.text and "queue" in said.text
    assert node.get("steady").text == "good"


def test_versions_share_a_deployment(node):
    put(node, "two", CODE % "A")
    a = node.result("GET", "/accounts/$ACC/workers/scripts/two/deployments")["deployments"][0]["versions"][0]["version_id"]
    b = new_version(node, "two", CODE % "B")
    assert node.get("two").text == "A"
    share(node, "two", **{a: 50, b: 50})
    seen = [node.get("two").text for _ in range(60)]
    assert 10 < seen.count("A") < 50 and set(seen) == {"A", "B"}
    for name in ("Cloudflare-Workers-Version-Overrides", "cloudflare-workers-version-overrides"):
        assert node.get("two", headers={name: 'two="%s"' % b}).text == "B"
        assert node.get("two", headers={name: 'two="%s"' % a}).text == "A"
    for user in range(10):
        assert len({node.get("two", headers={"Cloudflare-Workers-Version-Key": "user-%d" % user}).text for _ in range(4)}) == 1
    share(node, "two", **{b: 100})
    assert {node.get("two").text for _ in range(10)} == {"B"}
    share(node, "two", **{a: 100})
    assert {node.get("two").text for _ in range(10)} == {"A"}


def test_previews_have_addresses(node):
    put(node, "seen", CODE % "live")
    candidate = new_version(node, "seen", CODE % "candidate")
    subdomain = node.account["subdomain"]
    host = "%s-seen.%s.test" % (candidate[:8], subdomain)
    node.result("POST", "/accounts/$ACC/workers/scripts/seen/subdomain", {"enabled": True, "previews_enabled": False})
    assert node.get(host).status == 404
    node.result("POST", "/accounts/$ACC/workers/scripts/seen/subdomain", {"enabled": True, "previews_enabled": True})
    assert node.get(host).text == "candidate"
    assert node.get("seen").text == "live"
    assert node.get("%s-seen.%s.test" % (new_version(node, "seen", CODE % "later")[:8], subdomain)).text == "later"
    assert node.get("00000000-seen.%s.test" % subdomain).status == 404
    node.result("POST", "/accounts/$ACC/workers/scripts/seen/subdomain", {"enabled": False, "previews_enabled": False})
    assert node.get("seen").status == 404
    assert node.get(host).status == 404


def test_a_version_knows_its_id(node):
    code = """from js import Response
async def on_fetch(request, env):
    return Response.new(env.META.id + ' ' + env.META.tag + ' ' + env.META.timestamp)
"""
    put(node, "self", code, bindings=[{"type": "version_metadata", "name": "META"}], annotations={"workers/tag": "v7"})
    version = node.result("GET", "/accounts/$ACC/workers/scripts/self/deployments")["deployments"][0]["versions"][0]["version_id"]
    told = node.get("self").text
    assert re.fullmatch(version + r" v7 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told), told


def test_a_bundle_that_names_no_package_gets_all_of_the_set(node):
    code = """import fastapi
from js import Response
async def on_fetch(request, env):
    return Response.new(fastapi.__name__)
"""
    node.deploy("all", {"entry.py": code}, metadata())
    assert node.get("all").text == "fastapi"
    said = node.upload("none", files(code), metadata())
    assert said.codes == [10021] and "No module named 'fastapi'" in said.text and "requirements.txt" in said.text
    node.deploy("asked", {"entry.py": code, "requirements.txt": "fastapi\n"}, metadata())
    assert node.get("asked").text == "fastapi"
    said = node.upload("asked", {"entry.py": code, "requirements.txt": "no-such-package-anywhere==1\n"}, metadata())
    assert said.codes == [10021] and "no-such-package-anywhere" in said.text
    assert node.get("asked").text == "fastapi"


def test_vendored_packages_for_another_machine_give_way(node):
    """What wrangler 4 uploads of a project whose python_modules/ was made for WebAssembly."""
    code = """import markupsafe, pure
from js import Response
async def on_fetch(request, env):
    return Response.new(pure.word + ' ' + str(markupsafe.escape('<')))
"""
    tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp312-cp312-pyodide_2024_0_wasm32\n"
    node.deploy("vendored", {
        "entry.py": code,
        "python_modules/pure.py": "word = 'vendored'\n",
        "python_modules/markupsafe/__init__.py": "raise ImportError('made for WebAssembly')\n",
        "python_modules/markupsafe-9.9.dist-info/METADATA": "Metadata-Version: 2.1\nName: MarkupSafe\nVersion: 9.9\n",
        "python_modules/markupsafe-9.9.dist-info/WHEEL": tag,
        "python_modules/markupsafe-9.9.dist-info/RECORD":
            "markupsafe/__init__.py,,\nmarkupsafe-9.9.dist-info/METADATA,,\nmarkupsafe-9.9.dist-info/WHEEL,,\n",
    }, metadata())
    assert node.get("vendored").text == "vendored &lt;"


def test_routes_and_custom_domains(node):
    for name in ("shop", "api", "any"):
        put(node, name, CODE % name)

    def routes(script, *patterns):
        node.result("PUT", "/accounts/$ACC/workers/scripts/%s/routes" % script, [{"pattern": one} for one in patterns])

    routes("shop", "shop.example/*", "https://tls.shop.example/*")
    routes("api", "shop.example/api/*", "exact.example/path", "own.example/v2/*")
    routes("any", "*.shop.example/*")
    node.result("PUT", "/accounts/$ACC/workers/domains", {"hostname": "own.example", "service": "any", "environment": "production"})
    assert node.get("shop.example").text == "shop"
    assert node.get("SHOP.example:%d" % node.port, "/api/x?y=1").text == "api"
    assert node.get("shop.example.", "/api").text == "shop"
    assert node.get("a.b.shop.example").text == "any"
    assert node.get("tls.shop.example").text == "any"
    assert node.get("exact.example", "/path").text == "api"
    assert node.get("exact.example", "/path?query").status == 404
    assert node.get("own.example", "/").text == "any"
    assert node.get("own.example", "/v2/x").text == "api"
    routes("api")
    assert node.get("shop.example", "/api/x").text == "shop"
    assert node.get("own.example", "/v2/x").text == "any"
    node.result("POST", "/zones/shop.example/workers/routes", {"pattern": "shop.example/static/*"})
    assert node.get("shop.example", "/static/x.css").status == 404
    node.add_account("other")
    node.deploy("thief", files(CODE % "thief"), metadata(), account="other")
    for pattern in ("shop.example/login", "*shop.example/login*", "*.main.test/*", "shop.%s.test/*" % node.account["subdomain"]):
        node.api("PUT", "/accounts/$ACC/workers/scripts/thief/routes", [{"pattern": pattern}], account="other")
        assert node.get("shop.example", "/login").text == "shop"
        assert node.get("shop", "/login").text == "shop"


def test_unknown_hosts_get_a_plain_page(node):
    for host in ("nobody.main.test", "nobody.test", "test", "example.com"):
        answer = node.get(host)
        assert answer.status == 404, (host, answer)


def test_what_a_worker_logs_is_in_the_nodes_log(node):
    put(node, "chatty", """from js import Response
async def on_fetch(request, env):
    print('said by the worker')
    return Response.new('ok')
""")
    assert node.get("chatty").text == "ok"
    node.wait_log(r"\[chatty:inf\] said by the worker")


@pytest.mark.rel
def test_engines_start_ahead_of_the_first_request(serve):
    """The zygotes of accounts with deployed workers, no more of them than cores, and those that nobody asks go again."""
    node = serve()
    assert not node.zygotes()
    put(node, "here", CODE % "here")
    for n in range(os.cpu_count() + 1):
        node.add_account("more%d" % n)
    node.add_account("empty")
    for n in range(os.cpu_count() + 1):
        node.deploy("here", files(CODE % "there"), metadata(), account="more%d" % n)
    for _ in range(3):
        assert node.get("here").text == "here"      # It is asked most.
    node.stop()
    again = serve(data=node.data, token=False)
    again.tokens, again.accounts = node.tokens, node.accounts
    most = len(os.sched_getaffinity(0))
    warm = until("as many zygotes as cores", lambda: (lambda now: len(now) == most and now)(again.zygotes()))
    assert again.get("here").text == "here"
    assert {p.pid for p in again.zygotes()} <= {p.pid for p in warm}, "it took one that was there"
    again.stop()
    last = serve(data=node.data, token=False, env={"CORRAL_TEST_POOL_IDLE_MS": "2500"})
    last.tokens, last.accounts = node.tokens, node.accounts
    until("as many zygotes as cores", lambda: len(last.zygotes()) == most)
    until("they end when nobody asks", lambda: not last.zygotes())
    assert last.get("here", account="more0").text == "there"


def test_a_restart_asks_no_packager_again(serve):
    """What it said is kept; who asks it writes that down anew."""
    api = "127.0.0.1:%d" % free_port()      # No packager may reach that, so what it says depends on it.
    node = serve(api=api)
    put(node, "here", CODE % "here")
    node.deploy("listed", {**files(CODE % "listed"), "requirements.txt": "fastapi\n"}, metadata())

    def answers():
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (node.data / "answers").iterdir()}
    kept = answers()
    assert len(kept) == 2 and (node.data / "answers").stat().st_mode & 0o777 == 0o700
    node.kill()
    again = serve(data=node.data, token=False, api=api)
    again.tokens, again.accounts = node.tokens, node.accounts
    assert again.get("here").text == "here" and again.get("listed").text == "listed"
    assert answers() == kept
    again.kill()
    for path in (node.data / "answers").iterdir():
        path.write_text("{")
    third = serve(data=node.data, token=False, api=api)
    third.tokens, third.accounts = node.tokens, node.accounts
    assert third.get("here").text == "here" and third.get("listed").text == "listed"
    assert answers().keys() == kept.keys() and all(answers()[name] != kept[name] for name in kept)


def test_what_is_idle_closes_and_comes_back(serve):
    node = serve(env={"CORRAL_TEST_POOL_IDLE_MS": "300"})
    put(node, "rare", CODE % "here")
    assert node.get("rare").text == "here"
    until("its processes end", lambda: not node.zygotes())
    assert node.get("rare").text == "here"
    data = node.data
    node.stop()
    assert serve(data=data).get("rare").text == "here"
