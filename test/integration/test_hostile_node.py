"""A node and those who want what is not theirs: another account's hosts, things, secrets."""
import base64
import contextlib
import json
import select
import socket
import urllib.parse
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import DEADLINE, descendants, free_port, until
from serve import multipart, upload_form
from websocket_client import TEXT, Raw, frame

pytestmark = pytest.mark.asan

CODE = "from js import Response\ndef on_fetch(request, env):\n    return Response.new('%s')\n"
ABOUT = {"compatibility_date": "2024-03-29"}
SCRIPTS = "/accounts/$ACC/workers/scripts/"


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve()
    node.add_account("thief")
    node.deploy("shop", CODE % "shop", ABOUT)
    node.deploy("shop", CODE % "thief", ABOUT, account="thief")
    return node


def test_hosts_of_other_accounts_are_refused(node):
    """What the router would not lead there is not taken, and is said; it stands in nobody's way."""
    own = node.accounts["thief"]["subdomain"]
    hosts = ["shop.main.test", "new.main.test", "main.test", "a.b.main.test", "NEW.Main.TEST", "test", "free.test", "api.free.test"]
    for host in hosts + ["*.main.test", "*main.test", "*x.main.test", "*%s.test" % own]:
        for pattern in (host, host + "/*", "http://%s/x" % host, "HTTPS://%s/*" % host):
            for said in (node.api("PUT", SCRIPTS + "shop/routes", [pattern], account="thief"),
                         node.api("POST", "/zones/z/workers/routes", {"pattern": pattern, "script": "shop"}, account="thief")):
                assert (said.status, said.codes) == (403, [10022]), (pattern, said)
                assert "'%s' is not your account's" % host in said.text and "'%s.test'" % own in said.text
    for host in hosts:
        for said in (node.api("PUT", SCRIPTS + "shop/domains/records", [{"hostname": host}], account="thief"),
                     node.api("POST", SCRIPTS + "shop/domains/changeset", [{"hostname": host}], account="thief"),
                     node.api("PUT", "/accounts/$ACC/workers/domains", {"hostname": host, "service": "shop"}, account="thief")):
            assert (said.status, said.codes) == (403, [100117]), (host, said)
    assert node.result("GET", "/accounts/$ACC/workers/domains", account="thief") == []
    assert node.result("GET", SCRIPTS + "shop/routes", account="thief") == []
    # Its own it may name, and others' hosts elsewhere it may not.
    mine = ["shop.%s.test/*" % own, "*.%s.test/x" % own, "a.b.%s.test" % own, "%s.test/*" % own, "bestest/*", "*.mytest.example/*"]
    assert len(node.result("PUT", SCRIPTS + "shop/routes", mine, account="thief")) == len(mine)
    assert node.get("a.b.%s.test" % own).text == node.get("%s.test" % own, "/any").text == node.get("x.mytest.example").text == "thief"
    node.result("PUT", SCRIPTS + "shop/routes", ["new.main.test/*", "*.main.test/all", "shop.example/*"])
    assert node.get("new.main.test").text == node.get("other.main.test", "/all").text == "shop"
    for pattern in ("shop.example/deeper/*", "*.shop.example/*", "*shop.example/*"):
        said = node.api("PUT", SCRIPTS + "shop/routes", [pattern], account="thief")
        assert said.status == (409 if "*." not in pattern else 200), (pattern, said)
    # A name that an account gives up is not its own any more.
    node.result("PUT", "/accounts/$ACC/workers/subdomain", {"subdomain": "moved"}, account="thief")
    assert node.get("a.b.%s.test" % own).status == node.get("shop.%s.test" % own).status == 404
    assert node.api("PUT", SCRIPTS + "shop/routes", ["x.%s.test/*" % own], account="thief").status == 403
    assert node.get("shop.moved.test").text == "thief"
    for taken in ("main", "MAIN", "main.", "m\u0430in", "main.test", "", "x" * 64):
        assert node.api("PUT", "/accounts/$ACC/workers/subdomain", {"subdomain": taken}, account="thief").status in (400, 409), taken
    node.result("PUT", "/accounts/$ACC/workers/subdomain", {"subdomain": own}, account="thief")
    assert node.get("shop").text == "shop"


def test_a_worker_is_not_this_machine(node, serve):
    """Who asks the API from this machine without a token may see all metrics; a tenant's code may not: it does not get there, and
    where the node's owner lets it, it needs a token like others."""
    fetch = """from workers import Response, WorkerEntrypoint, fetch
import http.client, urllib.request
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = "http://%s:%d/metrics"
        try:
            said = await fetch(url, headers={"CDN-Loop": "other", "Host": "localhost"})
        except Exception as e:
            return Response("kept: %%s" %% e)
        try:
            other = urllib.request.urlopen(url).status
        except Exception as e:
            other = str(e)
        return Response("%%d %%s %%s" %% (said.status, other, await said.text()))
"""
    assert "corral_requests_total" in node.api_raw("GET", "/metrics", token=False).text
    for host in ("127.0.0.1", "localhost"):
        node.deploy("spy", fetch % (host, node.api_port), account="thief")
        said = node.get("spy", account="thief").text
        assert said.startswith("kept: ") and "may not reach" in said, said
    port = free_port()
    other = serve("--allow-fetch", "127.0.0.1:%d" % port, api="127.0.0.1:%d" % port)
    other.deploy("spy", fetch % ("127.0.0.1", port))
    said = other.get("spy").text
    assert said.startswith("401 ") and "wants a token" in said and "corral_" not in said and " 200 " not in said, said


# ---- secrets ----

def forms(text):
    """How a secret could stand somewhere: as it is, in JSON, in a URL, in base64 at each offset, in hexadecimal."""
    raw = text.encode()
    found = {raw, urllib.parse.quote(text, safe="").encode(), raw.hex().encode(), text.encode("utf-16-le"), raw[::-1]}
    for skip in range(3):
        found.add(base64.b64encode(b"\0" * skip + raw)[4:-4])
    return found


def all_processes(node):
    return [node.process.pid] + [p.pid for p in descendants(node.pid)]


EXPLODES = """
import os, sys
from workers import Response, WorkerEntrypoint, env
print("the environment:", dict(os.environ), sys.argv)
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "boom" in request.url:
            raise ValueError("no words of it")
        return Response("%s %s" % (len(self.env.PLANTED), len(self.env.BULK)))
"""
FAILS = """
import os, sys
""" + "raise RuntimeError('no: %r %r' % (dict(os.environ), sys.argv))\n"


def test_a_secret_is_nowhere(serve, tmp_path):
    """Planted in every way there is; then every file, log, answer, figure, tail, environment and command line is searched."""
    access = tmp_path / "access.log"
    node = serve("--access-log", str(access), env={"CORRAL_LOG": "debug"})
    words = {name: "planted-%s-%s" % (name, uuid.uuid4().hex) for name in ("put", "new", "bulk", "form", "version", "latest", "draft",
                                                                         "wrong", "gone", "cut", "key")}
    words["cut"] = "pl4nt" + uuid.uuid4().hex[:10]  # short ones are what a parser of JSON likes to repeat
    needles = {form: name for name, word in words.items() for form in forms(word)}
    said = []   # every answer but those of the worker's own words

    def found(text):
        raw = text if isinstance(text, bytes) else text.encode()
        return {name for form, name in needles.items() if form in raw}

    def ask(method, path, body=None, headers=None, good=None):
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        answer = node.api_raw(method, ("/client/v4" + path if not path.startswith("/metrics") else path)
                              .replace("$ACC", node.account["id"]), body, headers)
        assert good is None or (answer.status < 400) == good, (method, path, answer.status, answer.text)
        said.append(("%s %s" % (method, path), answer.body + str(answer.headers).encode()))
        return answer

    def form(path, method, code, name, good=True, **metadata):
        kind, body = upload_form({"entry.py": code}, dict({"compatibility_date": "2026-03-01"}, **metadata))
        return ask(method, path, body, {"Content-Type": kind}, good)

    def secret(name, word, **more):
        return dict({"name": name, "type": "secret_text", "text": words.get(word, word)}, **more)

    scripts = "/accounts/$ACC/workers/scripts/"
    # Before there is code; with the code; beside it; many at once, of both wranglers.
    stub = [("metadata", None, None, json.dumps({"main_module": "one", "bindings": [secret("PLANTED", "draft")]}).encode()),
            ("one", "one", "application/javascript+module", b"export default { fetch() {} }")]
    kind, body = multipart(stub)
    ask("PUT", scripts + "one", body, {"Content-Type": kind}, True)
    ask("PUT", scripts + "one/secrets", secret("PLANTED", "put"), good=True)
    ask("PATCH", scripts + "one/secrets-bulk", {"secrets": {"BULK": secret("BULK", "bulk"), "GONE": secret("GONE", "gone")}}, good=True)
    form(scripts + "one", "PUT", EXPLODES, "one", bindings=[secret("FORM", "form")])
    listener = node.result("POST", scripts + "one/tails", {"filters": []})
    tail = Raw(SimpleNamespace(port=node.api_port), "/tails/" + listener["id"], "Sec-WebSocket-Protocol: trace-v1\r\n", None)
    tail.send(frame(TEXT, b'{"debug":false}', mask=None))
    assert node.get("one").text == "%d %d" % (len(words["put"]), len(words["bulk"]))
    ask("PUT", scripts + "one/secrets", secret("PLANTED", "new"), good=True)
    ask("DELETE", scripts + "one/secrets/GONE", good=True)
    form(scripts + "one/versions", "POST", EXPLODES, "one", bindings=[secret("V", "version")], keep_bindings=["secret_text"])
    ask("PATCH", "/accounts/$ACC/workers/workers/one/versions/latest", {"env": {"L": secret("L", "latest")}}, good=True)
    # Refused: a wrong kind, half a body, code that does not start, a name twice, a key.
    ask("PUT", scripts + "one/secrets", secret("X", "wrong", type="nonsense"), good=False)
    ask("PUT", scripts + "one/secrets", {"name": "X", "text": [words["wrong"]]}, good=False)
    ask("PUT", scripts + "one/secrets", {"name": "", "text": words["wrong"]}, good=False)
    ask("PUT", scripts + "nobody/secrets", secret("X", "wrong"), good=False)
    ask("PATCH", scripts + "one/secrets-bulk", {"secrets": {"A": words["wrong"], "B": secret("B", "wrong")}}, good=False)
    whole = json.dumps(secret("X", "cut"))
    for broken in (whole[:-1], whole[:-3], whole.replace('"type"', "type"), whole + whole, '"%s' % words["cut"], words["cut"],
                   whole.replace("pl4nt", "\\x"), whole.replace("pl4nt", "pl4nt\\q")):
        ask("PUT", scripts + "one/secrets", broken, good=False)
        ask("PATCH", scripts + "one/secrets-bulk", '{"secrets": {"A": ' + broken, good=False)
        kind, body = multipart([("metadata", None, None, b'{"main_module": "entry.py", "bindings": [' + broken.encode())])
        ask("PUT", scripts + "one", body, {"Content-Type": kind}, False)
    form(scripts + "one", "PUT", FAILS, "one", False, bindings=[secret("F", "wrong")])
    form(scripts + "two", "PUT", FAILS, "two", False, bindings=[secret("F", "wrong"), secret("F", "wrong")])
    key = {"name": "K", "type": "secret_key", "format": "raw", "algorithm": {"name": "HMAC"}, "usages": ["sign"], "key_base64": words["key"]}
    form(scripts + "one", "PUT", EXPLODES, "one", False, bindings=[key])
    stub[1] = ("draft", "draft", *stub[1][2:])
    stub[0] = ("metadata", None, None, json.dumps({"main_module": "draft", "bindings": [key, dict(key, name="J", key_jwk={"k": words["key"]})]}).encode())
    kind, body = multipart(stub)
    ask("PUT", scripts + "draft", body, {"Content-Type": kind})
    ask("PUT", scripts + "draft/secrets", key)
    ask("PATCH", scripts + "draft/secrets-bulk", {"secrets": {"K": key}})
    # It runs, and fails.
    assert node.get("one").text == "%d %d" % (len(words["new"]), len(words["bulk"]))
    for path in ("/boom", "/"):
        page = node.get("one", path)
        assert not found(page.body), page.text
    events = [tail.next()[1]]
    while b"no words of it" not in events[-1]:
        events.append(tail.next()[1])
    said.append(("tail", b"".join(events)))
    tail.close()
    # Everything that can be read.
    version = json.loads(ask("GET", scripts + "one/versions", good=True).body)["result"]["items"]
    for name in ("one", "draft"):
        for path in ("", "/settings", "/script-settings", "/secrets", "/versions", "/deployments", "/content/v2", "/schedules", "/usage-model",
                     "/routes", "/subdomain", "/bindings", "/secrets/PLANTED", "/secrets/F", "/secrets/K") + tuple("/versions/" + v["id"] for v in version):
            ask("GET", scripts + name + path)
        for path in ("services/", "workers/"):
            for end in ("", "/environments/production", "/environments/production/settings", "/environments/production/bindings",
                        "/environments/production/content", "/versions", "/versions/latest"):
                ask("GET", "/accounts/$ACC/workers/" + path + name + end)
    for path in ("/user", "/user/tokens", scripts[:-1], "/metrics", "/memberships"):
        ask("GET", path, good=True)
    for what, raw in said:
        assert not found(raw), (what, found(raw), raw)
    # Processes: what they were started with.
    assert len(all_processes(node)) >= 3
    for pid in all_processes(node):
        for file in ("environ", "cmdline"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):    # of a version that is no more
                assert not found(Path("/proc/%d/%s" % (pid, file)).read_bytes()), (pid, file)
    # Files, while it runs and when it has ended: catalog, its log, bundles, what lies about; the tokens are not there, either.
    def search():
        files = [one for one in node.data.rglob("*") if one.is_file()]
        assert any(one.name.endswith(".sqlite") or "catalog" in one.name for one in files), files
        for one in files + [access]:
            try:
                raw = one.read_bytes()
            except FileNotFoundError:
                continue    # it was there for a moment
            assert not found(raw) and node.token.encode() not in raw, (one, found(raw))
        text = "\n".join(node.log_lines())
        assert not found(text) and node.token not in text and "no words of it" in text

    node.wait_log("no words of it")
    search()
    node.stop()
    search()
    # And again: it is still there, for who may.
    again = serve(data=node.data)
    assert again.get("one").text == "%d %d" % (len(words["new"]), len(words["bulk"]))


@pytest.mark.rel
def test_requirements_stay_in_their_bundle(serve, tmp_path):
    """What a worker asks for is read by the node: it leads to no file and no variable of the node's, there or not."""
    node = serve(env={"CORRAL_SECRETS_KEY_OF_NODE": "planted-variable"})
    (tmp_path / "planted.txt").write_text("planted-line==1 x\n")
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "planted-1-py3-none-any.whl").write_bytes(b"planted")
    worker = CODE % "ok"
    here, up = str(tmp_path), "../" * 20 + str(tmp_path)[1:]

    def refused(files, name="w"):
        said = node.upload(name, dict({"entry.py": worker}, **files), ABOUT)
        assert said.status == 400 and said.codes == [10021] and "planted-" not in said.text.replace("planted-1-py3", ""), said
        return said.text

    for base in (here, up, "file://" + here, "file://localhost" + here):
        for line, is_path in (("-r %s/%s.txt", True), ("-c %s/%s.txt", True), ("%s/wheels/%s-1-py3-none-any.whl", False),
                              ("%s @ " + base + "/wheels/%s-1-py3-none-any.whl", False), ("--find-links %s/%s.txt", False),
                              ("--index-url %s/%s.txt", False)):
            if is_path and "://" in base or "@" in line and "://" not in base or "index" in line and "://" not in base:
                continue
            texts = []
            for name in ("planted", "missing"):
                words = line % ((name, name) if "@" in line else (base, name))
                texts.append(refused({"requirements.txt": words + "\n"}).replace(name, "NAME"))
            assert texts[0] == texts[1] and "leads out of what was uploaded" in texts[0], texts
    for table in ('[tool.uv.sources]\nplanted = { path = "%s/wheels/planted-1-py3-none-any.whl" }\n',
                  '[tool.uv.sources]\nplanted = { url = "file://%s/wheels/planted-1-py3-none-any.whl" }\n',
                  '[[tool.uv.index]]\nurl = "file://%s"\n', '[tool.uv]\nfind-links = ["%s"]\n', '[tool.uv.pip]\nfind-links = ["file://%s"]\n'):
        text = refused({"pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["planted"]\n' + table % here})
        assert "leads out of what was uploaded" in text, text
    assert "leads out" in refused({"requirements.txt": "-r more/x.txt\n", "more/x.txt": "-r ../../%s/planted.txt\n" % up})
    for line in ("${CORRAL_SECRETS_KEY_OF_NODE}", "x==1 --index-url=${PATH}", "--index-url http://127.0.0.1/${CORRAL_SECRETS_KEY_OF_NODE}", "${NOT_THERE}"):
        assert "sees no variables of the node" in refused({"requirements.txt": line + "\n"})
    # Its own files it may name.
    node.deploy("w", {"entry.py": worker, "requirements.txt": "-r more/x.txt\n--find-links ./more\n", "more/x.txt": "-c ../c.txt\n# none\n", "c.txt": "a<2\n"},
                ABOUT)
    assert node.get("w").text == "ok"


def test_one_account_does_not_take_the_whole_api(node):
    """Bodies that never end are bounded for each account: the others deploy all the same."""
    sockets = []

    def begin(path, more):
        one = socket.create_connection(("127.0.0.1", node.api_port), timeout=DEADLINE)
        sockets.append(one)
        one.sendall(("POST /client/v4/accounts/%s/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 200000\r\n\r\n"
                     % (node.accounts["thief"]["id"], path, node.tokens["thief"])).encode() + more)
        return one

    def answer(one):
        head = one.recv(65536)
        while b"\r\n\r\n" not in head or b"}" not in head:
            more = one.recv(65536)
            assert more, head
            head += more
        return head

    try:
        large = [begin("d1/database", b" " * 100000) for _ in range(33)]
        said = answer(select.select(large, [], [], DEADLINE)[0][0])
        assert b" 503 " in said and b"32 uploads of your account are under way already" in said, said
        small = [begin("d1/database", b" ") for _ in range(230)]
        said = answer(select.select(small, [], [], DEADLINE)[0][0])
        assert b" 429 " in said and b"256 calls under way" in said, said
        node.deploy("shop", {"entry.py": CODE % "shop", "large.bin": b"x" * 200000}, ABOUT)
        assert node.get("shop").text == "shop"
    finally:
        for one in sockets:
            one.close()
    until("they are forgotten", lambda: "corral_api_calls 1\n" in node.api_raw("GET", "/metrics", token=False).text)
    node.deploy("shop", {"entry.py": CODE % "thief", "large.bin": b"x" * 200000}, ABOUT, account="thief")


def test_names_in_paths_are_text(node):
    namespace = node.result("POST", "/accounts/$ACC/storage/kv/namespaces", {"title": "odd"})["id"]
    values = "/accounts/$ACC/storage/kv/namespaces/%s/values/" % namespace
    odd = {"a%2Fb": "a/b", "%0A": "\n", "%F0%9F%98%80": "\U0001f600", "%3F%23%25": "?#%", "a+b": "a+b"}
    for raw, key in odd.items():
        assert node.api("PUT", values + raw, b"v").success
    for raw in ("%FF", "%E2%80", "a%C0%AF", "%ED%A0%80", "%00", "a%00b", "%2E%2E", "%2e"):
        for method in ("PUT", "GET", "DELETE"):
            said = node.api(method, values + raw, b"v" if method == "PUT" else None)
            assert said.status == 400 and said.errors[0]["code"] in (7003, 10012), (method, raw, said)
    assert sorted(one["name"] for one in node.result("GET", values[:-7] + "keys")) == sorted(odd.values())
    for raw in ("%FF", "%2e%2e", "a%2Fb", "a%00", "%20"):
        said = node.upload(raw, CODE % "x", ABOUT)
        assert said.status == 400 and said.errors[0]["code"] in (7003, 10021, 10016) and "Traceback" not in said.text, (raw, said)
        assert node.api("GET", SCRIPTS + raw + "/secrets").status in (400, 404)


def test_long_last_words(node):
    """Whatever a worker says as it fails, its uploader is told what it was."""
    for code in ("raise ValueError('first' + 'x' * 5_000_000)", "raise ValueError('first\\n' + '\\N{SNOWMAN}\\n' * 1_000_000)",
                 "raise SyntaxError('first', ('f' * 5_000_000, 1, 1, 's' * 5_000_000))", "import first%s" % ("x" * 300_000),
                 "exec(compile('raise ValueError(\"first\")', 'n' * 1_000_000, 'exec'))"):
        said = node.upload("wordy", code + "\n")
        assert said.status == 400 and said.codes == [10021] and "first" in said.text and len(said.text) < 200_000, (code[:60], said.text[:300])


def test_nobody_gets_the_apis_own_host(serve):
    node = serve("--api-url", "https://api.test:8443")
    said = node.api("PUT", "/accounts/$ACC/workers/subdomain", {"subdomain": "api"})
    assert (said.status, said.codes) == (409, [10031]), said
    for free in ("ap", "api2"):
        assert node.api("PUT", "/accounts/$ACC/workers/subdomain", {"subdomain": free}).success
