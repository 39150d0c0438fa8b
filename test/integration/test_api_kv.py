"""KV through the control API: namespaces of an account, keys and values in them, and what is not there yet."""
import base64
import json
import os
import subprocess
import time
import urllib.parse

import pytest

from harness import BIN, DEADLINE
from serve import multipart

pytestmark = pytest.mark.asan

NAMESPACES = "/accounts/$ACC/storage/kv/namespaces"


class Namespace:
    def __init__(self, node, title, **more):
        self.node, self.more = node, more
        self.id = node.result("POST", NAMESPACES, {"title": title}, **more)["id"]
        self.path = NAMESPACES + "/" + self.id

    def put(self, key, value, query="", headers=None):
        return self.node.api("PUT", "%s/values/%s%s" % (self.path, urllib.parse.quote(key, ""), query), value, headers=headers, **self.more)

    def get(self, key):
        path = "/client/v4" + self.path.replace("$ACC", self.node.account["id"])
        return self.node.api_raw("GET", "%s/values/%s" % (path, urllib.parse.quote(key, "")))

    def keys(self, query=""):
        return self.node.api("GET", self.path + "/keys" + query, **self.more)

    def names(self, query=""):
        return [key["name"] for key in self.keys(query).result]


def test_namespaces(serve):
    node = serve()
    made = node.result("POST", NAMESPACES, {"title": "b"})
    assert len(made["id"]) == 32 and made["title"] == "b" and made["supports_url_encoding"] is True
    said = node.api("POST", NAMESPACES, {"title": "b"})
    assert said.status == 400 and said.codes == [10014]
    for body in ({}, {"title": ""}, {"title": 1}, {"title": "x" * 513}, {"title": "a\nb"}, []):
        assert node.api("POST", NAMESPACES, body).status == 400, body
    for title in "ca":
        node.result("POST", NAMESPACES, {"title": title})
    titles = lambda query: [one["title"] for one in node.result("GET", NAMESPACES + query)]
    assert titles("") == ["a", "b", "c"] and titles("?direction=desc&order=title") == ["c", "b", "a"]
    assert titles("?per_page=2&page=1") == ["a", "b"] and titles("?per_page=2&page=2") == ["c"] and titles("?per_page=2&page=3") == []
    assert titles("?per_page=1000&order=title&direction=asc&page=2") == []
    one = NAMESPACES + "/" + made["id"]
    assert node.result("GET", one)["title"] == "b" and node.result("PUT", one, {"title": "z"})["title"] == "z"
    assert node.api("PUT", one, {"title": "a"}).codes == [10014] and titles("") == ["a", "c", "z"]
    assert node.result("DELETE", one) is None
    for method, path, body in (("GET", "", None), ("DELETE", "", None), ("PUT", "", {"title": "y"}), ("GET", "/keys", None), ("GET", "/values/k", None),
                               ("PUT", "/values/k", "v"), ("PUT", "/bulk", [{"key": "k", "value": "v"}]), ("POST", "/bulk/get", {"keys": ["k"]})):
        said = node.api(method, one + path, body)
        assert said.status == 404 and said.codes == [10013], (method, path, said)
    assert node.api("GET", NAMESPACES + "/..%2F..").status == 404


def test_values(serve):
    node = serve()
    kv = Namespace(node, "values")
    assert kv.names() == [] and kv.get("k").status == 404
    for value in (b"", b"v", os.urandom(70000), os.urandom(1 << 20), os.urandom((1 << 20) + 1), os.urandom(5 << 20), b"short again"):
        assert kv.put("k", value).success
        answer = kv.get("k")
        assert answer.status == 200 and answer.body == value, len(value)
    assert kv.put("big", b"x" * (25 << 20)).success and len(kv.get("big").body) == 25 << 20
    said = kv.put("big", b"x" * ((25 << 20) + 1))
    assert said.status == 400 and "exceeds limit" in said.text and len(kv.get("big").body) == 25 << 20
    for key in ("a/b c", "é", "%", "x" * 512, "?", "#", "+"):
        assert kv.put(key, key.encode()).success and kv.get(key).body == key.encode(), key
    assert kv.put("x" * 513, b"v").codes == [10012] and "512" in kv.put("x" * 513, b"v").text
    assert kv.put(".", b"v").status == kv.put("..", b"v").status == 400
    assert kv.names("?prefix=a") == ["a/b c"] and kv.names("?prefix=%C3") == ["é"]

    kind, body = multipart([("value", None, None, b"with"), ("metadata", None, None, b'{"a": [1]}')])
    begun = int(time.time())
    assert kv.put("m", body, "?expiration_ttl=100", {"Content-Type": kind}).success
    assert kv.get("m").body == b"with" and begun + 100 <= int(kv.get("m").headers["expiration"]) <= time.time() + 100
    assert node.result("GET", kv.path + "/metadata/m") == {"a": [1]} and node.result("GET", kv.path + "/metadata/k") is None
    assert kv.keys("?prefix=m").result[0]["metadata"] == {"a": [1]}
    for meta in (b"{", b'"' + b"x" * 1024 + b'"'):
        kind, body = multipart([("value", None, None, b"v"), ("metadata", None, None, meta)])
        assert kv.put("m", body, headers={"Content-Type": kind}).status == 400
    kind, body = multipart([("metadata", None, None, b"1")])
    assert "no part 'value'" in kv.put("m", body, headers={"Content-Type": kind}).text
    assert kv.put("m", b"v", headers={"Content-Type": "multipart/form-data"}).status == 400
    for query in ("?expiration_ttl=59", "?expiration_ttl=x", "?expiration=5", "?expiration_ttl=-1", "?expiration=" + "9" * 30):
        assert kv.put("m", b"v", query).codes == [10012], query
    assert kv.put("m", b"v", "?expiration=%d" % (time.time() + 3600)).success
    assert node.result("DELETE", kv.path + "/values/m") is None and kv.get("m").status == 404
    assert node.result("DELETE", kv.path + "/values/m") is None


def test_many(serve):
    node = serve()
    kv = Namespace(node, "many")
    pairs = [{"key": "k%05d" % n, "value": "v%d" % n} for n in range(5000)] + [{"key": "k00000", "value": "last wins"},
             {"key": "bin", "value": base64.b64encode(b"\0\1\xff").decode(), "base64": True, "metadata": {"n": 1}, "expiration_ttl": 3600},
             {"key": "long", "value": "x" * (3 << 20)}]
    said = node.result("PUT", kv.path + "/bulk", pairs)
    assert said == {"successful_key_count": 5003, "unsuccessful_keys": []}
    assert kv.get("k00000").text == "last wins" and kv.get("bin").body == b"\0\1\xff" and len(kv.get("long").body) == 3 << 20
    names, cursor, rounds = [], "", 0
    while rounds == 0 or cursor:
        page = kv.keys("?prefix=k&cursor=" + cursor)
        names += [key["name"] for key in page.result]
        cursor, rounds = page.info["cursor"], rounds + 1
        assert page.info["count"] == len(page.result) <= 1000
    assert names == ["k%05d" % n for n in range(5000)] and rounds == 5
    assert kv.names("?limit=2") == ["bin", "k00000"]
    for query in ("?limit=0", "?limit=1001", "?limit=x", "?cursor=%21", "?cursor=abc"):
        assert kv.keys(query).codes == [10012], query
    found = node.result("POST", kv.path + "/bulk/get", {"keys": ["k00001", "nope", "k00002"]})["values"]
    assert found == {"k00001": "v1", "nope": None, "k00002": "v2"}
    node.result("PUT", kv.path + "/bulk", [{"key": "json", "value": '{"a": 1}', "metadata": 5}])
    found = node.result("POST", kv.path + "/bulk/get", {"keys": ["json"], "type": "json", "withMetadata": True})["values"]
    assert found == {"json": {"value": {"a": 1}, "metadata": 5}}
    assert node.api("POST", kv.path + "/bulk/get", {"keys": ["bin"]}).status == 400
    assert node.api("POST", kv.path + "/bulk/get", {"keys": ["a"] * 101}).codes == [10012]
    assert node.result("DELETE", kv.path + "/bulk", ["k00001", "nope"])["successful_key_count"] == 2
    assert node.result("POST", kv.path + "/bulk/delete", [{"name": "k00002"}])["successful_key_count"] == 1
    assert kv.get("k00001").status == kv.get("k00002").status == 404 and kv.get("k00003").status == 200
    for body in ({}, "[", [1], [{"key": "a"}], [{"key": "", "value": ""}], [{"key": "a", "value": "!", "base64": True}], "",
                 [{"key": "a", "value": "v"}, {"key": "b", "value": "v", "expiration_ttl": 5}], [{"key": "a", "value": 1}]):
        assert node.api("PUT", kv.path + "/bulk", body).status == 400, body
    assert node.api("PUT", kv.path + "/bulk", [{"key": "k", "value": "v"}] * 10001).status == 413
    assert kv.get("a").status == 404  # all or nothing
    deep = b'[{"key":"a","value":"v","metadata":' + b"[" * 100000 + b"]" * 100000 + b"}]"
    assert node.api("PUT", kv.path + "/bulk", deep).status == 400
    node.kill()
    node = serve(data=node.data)
    kv.node = node
    assert kv.get("k00000").text == "last wins" and len(kv.get("long").body) == 3 << 20


def test_nobody_reaches_what_is_of_another_account(serve):
    node = serve()
    kv = Namespace(node, "mine")
    kv.put("k", b"v")
    node.add_account("rival")
    assert node.result("GET", NAMESPACES, account="rival") == []
    Namespace(node, "mine", account="rival")
    for method, path, body in (("GET", "", None), ("PUT", "", {"title": "x"}), ("DELETE", "", None), ("GET", "/keys", None), ("GET", "/values/k", None),
                               ("PUT", "/values/k", "x"), ("DELETE", "/values/k", None), ("GET", "/metadata/k", None), ("PUT", "/bulk", []),
                               ("DELETE", "/bulk", ["k"]), ("POST", "/bulk/delete", ["k"]), ("POST", "/bulk/get", {"keys": ["k"]})):
        assert node.api(method, kv.path + path, body, account="rival").codes == [10013], (method, path)
        whole = kv.path.replace("$ACC", node.account["id"]) + path
        assert node.api(method, whole, body, account="rival").status == 403, (method, path)
        assert node.api(method, whole, body, token=None).status == 401, (method, path)
    assert kv.get("k").body == b"v"


def test_what_is_not_there_says_so(serve):
    node = serve()
    for path in ("queues?name=x&page=1", "workers/durable_objects/namespaces", "workers/dispatch/namespaces", "workflows", "mtls_certificates"):
        assert node.result("GET", "/accounts/$ACC/" + path) == [], path
    assert node.result("GET", "/accounts/$ACC/r2/buckets") == {"buckets": []}
    for method, path, what in (("POST", "queues", "Queues"), ("POST", "r2/buckets", "R2 buckets"), ("GET", "r2/buckets/b", "R2 buckets"),
                               ("PUT", "r2/buckets/b/objects/a/b.txt", "R2 buckets"), ("POST", "vectorize/v2/indexes", "Vectorize indexes"),
                               ("GET", "hyperdrive/configs", "Hyperdrive configurations"), ("GET", "pages/projects", "Pages projects"),
                               ("POST", "ai/run/model", "AI models"), ("GET", "workers/durable_objects/namespaces/x/objects", "Durable Objects"),
                               ("GET", "secrets_store/stores", "Secrets stores"), ("GET", "d1/database/x/backup", "D1 backups"),
                               ("GET", "containers/me", "Containers"), ("GET", "pipelines", "Pipelines")):
        said = node.api(method, "/accounts/$ACC/" + path, {} if method != "GET" else None)
        assert said.status == 400 and said.codes == [10501] and said.text.startswith(what + " are not supported by this Corral yet"), said


def test_the_commands(serve, tmp_path):
    node = serve()
    env = dict(os.environ, HOME=str(tmp_path), **node.client_env())

    def kv(*arguments, code=0, stdin=b""):
        done = subprocess.run([str(BIN / "corral"), "kv", *arguments], cwd=tmp_path, env=env, input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=DEADLINE)
        assert done.returncode == code, (arguments, done)
        kv.err = done.stderr.decode()
        return done.stdout

    assert b"Success!" in kv("namespace", "create", "first")
    made, = json.loads(kv("namespace", "list"))
    space = ("--namespace-id", made["id"])
    assert made["title"] == "first" and b'"second"' in kv("namespace", "rename", *space, "--new-name", "second")
    kv("namespace", "create", "second", code=1)
    assert "already exists [code: 10014]" in kv.err
    kv("key", "put", "a/b c", "v1", *space)
    (tmp_path / "value").write_bytes(b"\0\xff" * 100000)
    kv("key", "put", "file", "--path", "value", *space, "--ttl", "100", "--metadata", '{"a": 1}')
    kv("key", "put", "in", *space, stdin=b"from stdin")
    assert kv("key", "get", "a/b c", *space) == b"v1" and kv("key", "get", "file", *space) == b"\0\xff" * 100000
    assert kv("key", "get", "in", *space) == b"from stdin"
    keys = json.loads(kv("key", "list", *space))
    assert [key["name"] for key in keys] == ["a/b c", "file", "in"] and keys[1]["metadata"] == {"a": 1}
    assert json.loads(kv("key", "list", "--prefix", "f", *space)) == [keys[1]]
    kv("key", "delete", "in", *space)
    kv("key", "get", "in", *space, code=1)
    assert "key not found" in kv.err
    (tmp_path / "many.json").write_text(json.dumps([{"key": "k%04d" % n, "value": str(n)} for n in range(2500)]))
    assert b"Success!" in kv("bulk", "put", "many.json", *space)
    assert len(json.loads(kv("key", "list", "--prefix", "k", *space))) == 2500
    (tmp_path / "keys.json").write_text('["k0001", "k2499", "nope"]')
    assert json.loads(kv("bulk", "get", "keys.json", *space)) == {"k0001": "1", "k2499": "2499", "nope": None}
    assert b"Success!" in kv("bulk", "delete", "keys.json", "-f", *space)
    assert len(json.loads(kv("key", "list", "--prefix", "k", *space))) == 2498
    (tmp_path / "bad.json").write_text('{"a": 1}')
    for arguments, words in ((("bulk", "put", "bad.json", *space), "no JSON array"), (("bulk", "put", "gone.json", *space), "gone.json"),
                             (("key", "put", "k", "v"), "--namespace-id ID is missing"), (("key", "list", *space, "--local"), "has no KV yet"),
                             (("key", "put", "k", "v", *space, "--ttl", "x"), "--ttl 'x'"), (("key", "put", "k", "v", *space, "--ttl", "5"), "at least 60"),
                             (("key", "list", "--binding", "KV"), "are not read yet"), (("key", "list", "--namespace-id", "x"), "namespace not found")):
        kv(*arguments, code=1)
        assert words in kv.err, (arguments, kv.err)
    assert b"Deleted" in kv("namespace", "delete", *space, "-y") and json.loads(kv("namespace", "list")) == []
