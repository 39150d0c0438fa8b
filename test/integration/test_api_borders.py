"""Every endpoint there is, asked by those who may not: without a token, with another account's, with too small a scope.

The list is the C source's own: an endpoint that is not asked here fails the test."""
import http.client
import json
import re
from types import SimpleNamespace

import pytest

from harness import DEADLINE, ROOT
from websocket_client import Raw

pytestmark = pytest.mark.asan

CODE = "from js import Response\ndef on_fetch(request, env):\n    return Response.new('mine')\n"
ABOUT = {"compatibility_date": "2024-03-29"}
# Answered without a token: their address is the secret, or they tell nothing about accounts.
OPEN = {"GET /healthz", "GET /metrics"}


def endpoints():
    """[(method, path, scope, is_open)] of src/api/*.c."""
    found, shared = [], {}

    def read(file):
        text = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.S).replace("\\\n", " ")
        return text, dict(re.findall(r'^#define (\w+)\s+(.*?)$', text, re.M))

    for file in (ROOT / "src" / "api").glob("*.h"):
        shared.update(read(file)[1])
    for file in sorted((ROOT / "src" / "api").glob("*.c")):
        text, own = read(file)
        defines = dict(shared, **own)
        tables = re.findall(r"_ENDPOINTS\[\] = \{(.*?)\n?\s*\{0\},?\s*\};", text, re.S)
        assert len(tables) == text.count("_ENDPOINTS[] = {"), (file, "a table that this test cannot read")

        def spelt(expression):
            out = ""
            for literal, name in re.findall(r'"([^"]*)"|(\w+)', expression):
                out += literal if not name else spelt(defines[name])
            return out

        for table in tables:
            rows = re.findall(r'\{\s*("[A-Z]+"),\s*((?:"[^"]*"|\w+|\s)+?),\s*(SCOPE_\w+),\s*(API_\w+),(.*?)\}', table, re.S)
            assert len(rows) == len(re.findall(r"\bSCOPE_", table)), (file, "an endpoint that this test cannot read")
            for method, path, scope, body, rest in rows:
                base = "" if "is_raw" in rest else "/client/v4"
                found.append((method.strip('"'), base + spelt(path), scope, "is_open" in rest))
            # Whole trees that are missing here: src/api/other.c.
            for name, path in re.findall(r'\b(ACCOUNT|TREE)\("([^"]+)"', table):
                base = "/client/v4" + ("/accounts/:account/" if name == "ACCOUNT" else "") + path
                found += [(method, base + end, "SCOPE_READ" if method == "GET" else "SCOPE_DEPLOY", False)
                          for method in ("GET", "POST", "PUT", "PATCH", "DELETE") for end in ("", "/*rest")]
    return found


ALL = endpoints()


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve()
    node.deploy("hidden", CODE, ABOUT)
    node.result("PUT", "/accounts/$ACC/workers/scripts/hidden/secrets", {"name": "S", "text": "x", "type": "secret_text"})
    node.result("PUT", "/accounts/$ACC/workers/scripts/hidden/routes", [{"pattern": "hidden.example/*"}])
    node.add_account("stranger")
    return node


@pytest.fixture(scope="module")
def known(node):
    """What the parameters of a path may be: that which exists, that which does not."""
    scripts = "/accounts/$ACC/workers/scripts/"
    routes = node.result("GET", scripts + "hidden/routes")
    there = {"account": node.account["id"], "script": "hidden", "secret": "S", "environment": "production",
             "version": node.result("GET", scripts + "hidden/versions")["items"][0]["id"],
             "deployment": node.result("GET", scripts + "hidden/deployments")["deployments"][0]["id"],
             "zone": node.result("GET", "/zones?name=hidden.example")[0]["id"], "route": routes[0]["id"],
             "token": node.result("GET", "/user/tokens/verify")["id"], "subdomain": node.account["subdomain"],
             "database": node.result("POST", "/accounts/$ACC/d1/database", {"name": "db"})["uuid"],
             "namespace": node.result("POST", "/accounts/$ACC/storage/kv/namespaces", {"title": "kv"})["id"]}
    tail = node.result("POST", scripts + "hidden/tails", {"filters": []})
    there["tail"] = tail["id"]
    # Somebody listens: a tail without goes after a minute.
    with Raw(SimpleNamespace(port=node.api_port), "/" + tail["url"].split("/", 3)[3], "Sec-WebSocket-Protocol: trace-v1\r\n"):
        yield there, {"account": node.account["id"]}


class Asker:
    """One connection for hundreds of small requests."""

    def __init__(self, node):
        self.node = node
        self.connection = None

    def ask(self, method, path, token, body=None):
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.node.api_port, timeout=DEADLINE)
            try:
                headers = {"Authorization": "Bearer " + token} if token else {}
                self.connection.request(method, path, body, headers)
                answer = self.connection.getresponse()
                raw = answer.read()
                return answer.status, raw
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection.close()
                self.connection = None
                assert attempt == 1, (method, path)


def filled(path, values):
    return re.sub(r"[:*](\w+)", lambda m: values.get(m.group(1), "0" * 32), path)


def guarded():
    return [one for one in ALL if not one[3] and one[0] + " " + one[1] not in OPEN]


def test_the_list_is_whole():
    assert len(ALL) > 400
    paths = {one[1] for one in ALL}
    for path in ("/client/v4/user", "/client/v4/accounts/:account/workers/scripts/:script",
                 "/client/v4/accounts/:account/workers/workers/:script/versions/latest"):
        assert path in paths
    # Whatever belongs to an account says so in its path, or is about the token's own account.
    own = {"/client/v4/" + rest for rest in ("user", "accounts", "memberships", "zones", "graphql", "ips", "radar")}
    for method, path, scope, is_open in guarded():
        assert "/:account" in path or any(path == o or path.startswith(o + "/") for o in own), (method, path)
        if method not in ("GET", "HEAD"):
            assert scope != "SCOPE_READ" or "/tails" in path or "/graphql" in path or "/bulk/get" in path or \
                path.endswith(("/query", "/raw", "/export")), (method, path, "changes with a token that may read")


def test_without_a_token_nothing_is_told(node, known):
    asker = Asker(node)
    for method, path, scope, is_open in guarded():
        said = [asker.ask(method, filled(path, values), None) for values in known]
        assert said[0] == said[1] and said[0][0] == 401, (method, path, said)
        assert json.loads(said[0][1])["errors"][0]["code"] == 10000


def test_another_account_sees_no_difference(node, known):
    asker = Asker(node)
    token = node.tokens["stranger"]
    for method, path, scope, is_open in guarded():
        said = [asker.ask(method, filled(path, values), token, b"{}") for values in known]
        if "/:account" in path:
            assert said[0] == said[1] and said[0][0] == 403, (method, path, said)
            assert json.loads(said[0][1])["errors"] == [{"code": 10000, "message": "Authentication error"}]
        else:
            # About the token's own account: nothing of the other one shows, there or not.
            for status, raw in said:
                for word in (node.account["id"], "hidden", known[0]["token"], known[0]["route"]):
                    assert word.encode() not in raw.replace(path.encode(), b"") or word in filled(path, known[0]), (method, path, raw)
            if ":" in path and method == "DELETE":
                assert said[0][0] == said[1][0] == 404, (method, path, said)
    # And nothing has changed.
    assert node.get("hidden").text == "mine"
    assert node.get("hidden.example").text == "mine"
    assert node.result("GET", "/user/tokens/verify")["status"] == "active"


def test_a_scope_is_enough_or_not(node, known):
    tokens = {name: node.result("POST", "/user/tokens", {"name": name, "scope": name})["value"] for name in ("read", "deploy")}
    asker = Asker(node)
    for method, path, scope, is_open in guarded():
        for name in ("read", "deploy"):
            if "*rest" in path:  # one function for them all, and tried above
                continue
            if scope == "SCOPE_READ" or (scope == "SCOPE_DEPLOY" and name == "deploy"):
                continue
            status, raw = asker.ask(method, filled(path, known[0]), tokens[name], b"{}")
            error = json.loads(raw)["errors"][0]
            assert status == 403 and error["code"] == 10000 and name in error["message"], (method, path, name, status, raw)
    for path in ("/user", "/accounts/$ACC/workers/scripts", "/accounts/$ACC/workers/scripts/hidden/secrets"):
        assert node.api("GET", path, token=tokens["read"]).success
    assert node.get("hidden").text == "mine"


# What a path may name beside the account: ids of things, which are not the other account's by being known.
THINGS = ("version", "deployment", "zone", "route", "token", "database", "namespace", "tail", "domain")
BODIES = [{}, {"sql": "SELECT 1"}, {"output_format": "polling"}, {"action": "init", "etag": 32 * "0"},
          {"action": "ingest", "filename": "$FILE", "etag": 32 * "0"}, {"action": "poll", "current_bookmark": "$FILE"},
          {"title": "taken"}, {"keys": ["k"]}, ["k"], [{"key": "k", "value": "theirs"}]]


def test_ids_of_another_account_lead_nowhere(node, known):
    """In its own account, with a worker of the same name: the ids of the other one are those of nothing at all."""
    node.deploy("hidden", CODE.replace("mine", "theirs"), ABOUT, account="stranger")
    token, own = node.tokens["stranger"], node.accounts["stranger"]["id"]
    kv = "/accounts/$ACC/storage/kv/namespaces/%s" % known[0]["namespace"]
    assert node.api("PUT", kv + "/values/k", b"precious").success
    database = "/accounts/$ACC/d1/database/%s" % known[0]["database"]
    assert node.result("POST", database + "/query", {"sql": "CREATE TABLE t (x); INSERT INTO t VALUES ('precious')"})
    job = node.result("POST", database + "/import", {"action": "init", "etag": 32 * "0"})
    domain = node.result("PUT", "/accounts/$ACC/workers/domains", {"hostname": "own.example", "service": "hidden"})
    there = dict(known[0], account=own, domain=domain["id"], key="k", file=job["filename"])
    nothing = dict(there, **{name: "0" * 32 for name in THINGS + ("file",)})
    uuid = "00000000-0000-4000-8000-000000000000"
    nothing.update(version=uuid, deployment=uuid, database=uuid)
    asker, asked = Asker(node), 0

    def plain(values, status, raw):
        text = raw.decode("utf-8", "replace")
        for name in THINGS + ("file",):
            text = text.replace(values[name], "(id)")
        return status, re.sub(r'"etag":"[^"]*"', "", text)

    for method, path, scope, is_open in guarded():
        if not set(re.findall(r"[:*](\w+)", path)) & set(THINGS) or (method == "POST" and path.endswith("/workers/routes")):
            continue
        for body in BODIES if method not in ("GET", "DELETE") or "/bulk" in path else BODIES[:1]:
            said = [asker.ask(method, filled(path, values), token, json.dumps(body).replace("$FILE", values["file"]))
                    for values in (there, nothing)]
            assert plain(there, *said[0]) == plain(nothing, *said[1]), (method, path, body, said)
            assert b"precious" not in said[0][1] and (said[0][0] >= 400 or "/zones/" in path), (method, path, body, said)
            asked += 1
    assert asked > 100
    scripts = "/accounts/$ACC/workers/scripts/hidden"
    for values in (there, nothing):
        said = node.api("POST", scripts + "/deployments", {"strategy": "percentage", "versions": [
            {"version_id": values["version"], "percentage": 100}]}, account="stranger")
        assert said.status == 404 and values["version"] in said.text, said
        for kind in ({"type": "d1", "id": values["database"]}, {"type": "d1", "database_id": values["database"]}):
            said = node.upload("hidden", CODE, dict(ABOUT, bindings=[dict(kind, name="DB")]), account="stranger")
            assert said.status == 400 and "was not found" in said.text and values["database"] in said.text, said
    node.upload("hidden", CODE.replace("mine", "theirs"), dict(ABOUT, bindings=[{"type": "inherit", "name": "S"}]), account="stranger")
    assert node.result("GET", scripts + "/secrets", account="stranger") == []
    assert node.api("GET", "/graphql", account="stranger").status == 405
    said = node.api_raw("POST", "/client/v4/graphql", json.dumps({"variables": {"accountTag": node.account["id"]}}), account="stranger")
    assert "not authorized" in said.text
    assert node.get("hidden", account="stranger").text == "theirs"
    # What was asked for was not done.
    assert node.get("hidden").text == node.get("hidden.example").text == node.get("own.example").text == "mine"
    assert node.api_raw("GET", "/client/v4" + kv.replace("$ACC", node.account["id"]) + "/values/k").text == "precious"
    assert node.result("POST", database + "/query", {"sql": "SELECT x FROM t"})[0]["results"] == [{"x": "precious"}]
    assert node.result("GET", kv)["title"] == "kv"
    assert [one["id"] for one in node.result("GET", scripts + "/tails")] == [known[0]["tail"]]
    assert node.result("GET", "/user/tokens/verify")["id"] == known[0]["token"]
