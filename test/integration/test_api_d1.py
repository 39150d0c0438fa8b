"""D1 through the control API: databases of an account, SQL on them, files into and out of them."""
import hashlib
import json
import urllib.parse

import pytest

from harness import PATIENCE

pytestmark = pytest.mark.asan

DATABASES = "/accounts/$ACC/d1/database"
WORKER = """
from workers import Response, WorkerEntrypoint
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        try:
            return Response.json((await self.env.DB.prepare("SELECT count(*) AS n FROM t").first()).to_py())
        except Exception as e:
            return Response(str(e), status=500)
"""


def create(node, name, **more):
    return node.result("POST", DATABASES, {"name": name}, **more)["uuid"]


def address(url):
    """The path of an address that the API gave out."""
    parts = urllib.parse.urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")


def start_import(node, uuid, sql, etag=None, **more):
    """init and upload; (what init said, the answer to the upload)."""
    etag = etag or hashlib.md5(sql).hexdigest()
    said = node.result("POST", "%s/%s/import" % (DATABASES, uuid), {"action": "init", "etag": etag}, **more)
    return said, node.api_raw("PUT", address(said["upload_url"]), sql, token=False)


def run_import(node, uuid, sql):
    """A whole import: what its last poll said."""
    said, answer = start_import(node, uuid, sql)
    assert answer.status == 200, answer.text
    assert answer.headers["ETag"].strip('"') == hashlib.md5(sql).hexdigest()
    body = {"action": "ingest", "filename": said["filename"], "etag": hashlib.md5(sql).hexdigest()}
    result = node.result("POST", "%s/%s/import" % (DATABASES, uuid), body)
    while result["success"] and result["status"] == "active":
        body = {"action": "poll", "current_bookmark": result["at_bookmark"]}
        result = node.result("POST", "%s/%s/import" % (DATABASES, uuid), body)
    return result


def export(node, uuid, **options):
    body = {"output_format": "polling", "dump_options": options}
    result = node.result("POST", "%s/%s/export" % (DATABASES, uuid), body)
    while result["success"] and result["status"] == "active":
        result = node.result("POST", "%s/%s/export" % (DATABASES, uuid), dict(body, current_bookmark=result["at_bookmark"]))
    assert result["success"], result
    return node.api_raw("GET", address(result["result"]["signed_url"]), token=False)


def query(node, uuid, sql, *params, **more):
    return node.result("POST", "%s/%s/query" % (DATABASES, uuid), {"sql": sql, "params": list(params)}, **more)


def test_databases(serve):
    node = serve()
    made = node.result("POST", DATABASES, {"name": "books"})
    assert set(made) == {"uuid", "name", "version", "created_at", "file_size", "num_tables"} and made["version"] == "production"
    assert made["created_at"].endswith("000Z") and len(made["created_at"]) == 27
    for body, code in (({"name": "books"}, 7502), ({}, 7400), ({"name": ""}, 7400), ({"name": 5}, 7400), ({"name": "x" * 65}, 7400),
                       ({"name": made["uuid"]}, 7400), ([], 7400), ({"name": "r", "read_replication": {"mode": "auto"}}, 7400)):
        said = node.api("POST", DATABASES, body)
        assert said.status == 400 and said.codes == [code], (body, said)
    other = create(node, "../../x y")
    for name in "cde":
        create(node, name)
    page = node.api("GET", DATABASES + "?per_page=10&page=1")
    assert [d["name"] for d in page.result] == ["../../x y", "books", "c", "d", "e"] and page.info["total_count"] == 5
    page = node.api("GET", DATABASES + "?per_page=2&page=3")
    assert [d["name"] for d in page.result] == ["e"]
    assert node.result("GET", DATABASES + "?page=9") == [] and len(node.result("GET", DATABASES + "?name=book")) == 1
    query(node, made["uuid"], "CREATE TABLE t(a)")
    by_id, by_name = (node.result("GET", DATABASES + "/" + word) for word in (made["uuid"], "books"))
    assert by_id == by_name and by_id["num_tables"] == 1 and by_id["file_size"] > 0
    assert "-" in node.result("GET", "%s/%s/time_travel/bookmark" % (DATABASES, other))["bookmark"]
    said = node.api("POST", "%s/%s/time_travel/restore?bookmark=b" % (DATABASES, other))
    assert said.status == 400 and "not supported by this Corral yet" in said.text
    assert "not supported" in node.api("PATCH", DATABASES + "/books", {"read_replication": {"mode": "auto"}}).text
    assert node.result("PUT", DATABASES + "/books", {"read_replication": {"mode": "disabled"}})["name"] == "books"
    assert node.result("DELETE", DATABASES + "/" + made["uuid"]) is None
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/query"), ("POST", "/import")):
        said = node.api(method, DATABASES + "/" + made["uuid"] + path, {"sql": "SELECT 1"} if path else None)
        assert said.status == 404 and said.codes == [7404] and made["uuid"] in said.text, (method, path, said)
    graphql = {"query": "...", "variables": {"accountTag": node.account["id"]}}
    answer = json.loads(node.api_raw("POST", "/client/v4/graphql", json.dumps(graphql)).body)
    assert answer["data"]["viewer"]["accounts"][0]["d1AnalyticsAdaptiveGroups"] == [] and answer["errors"] is None


def test_queries(serve):
    node = serve()
    uuid = create(node, "books")
    said = query(node, uuid, "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, x'01ff'), (2.5, NULL); SELECT * FROM t; SELECT a AS x, b AS x FROM t")
    assert [s["success"] for s in said] == [True] * 4 and said[0]["meta"]["changed_db"] is True and said[1]["meta"]["changes"] == 2
    assert said[2]["results"] == [{"a": 1, "b": [1, 255]}, {"a": 2.5, "b": None}] and said[3]["results"] == [{"x": [1, 255]}, {"x": None}]
    raw = node.result("POST", "%s/%s/raw" % (DATABASES, uuid), {"sql": "SELECT a AS x, b AS x, ? AS c FROM t", "params": ['é"\n']})
    assert raw[0]["results"] == {"columns": ["x", "x", "c"], "rows": [[1, [1, 255], 'é"\n'], [2.5, None, 'é"\n']]}
    said = query(node, uuid, "SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e, ? AS f", 1, 2.5, None, True, "a", [0, 255])
    assert said[0]["results"] == [{"a": 1, "b": 2.5, "c": None, "d": 1, "e": "a", "f": [0, 255]}]
    batch = {"batch": [{"sql": "INSERT INTO t VALUES (?, ?)", "params": [3, "x"]}, {"sql": "SELECT count(*) AS n FROM t"}]}
    assert node.result("POST", "%s/%s/query" % (DATABASES, uuid), batch)[1]["results"] == [{"n": 3}]
    batch["batch"].append({"sql": "INSERT INTO nope VALUES (1)"})
    assert "no such table: nope" in node.api("POST", "%s/%s/query" % (DATABASES, uuid), batch).text
    assert query(node, uuid, "SELECT count(*) AS n FROM t")[0]["results"] == [{"n": 3}]
    for body, code in (({"sql": "SELCT"}, 7500), ({"sql": ""}, 7500), ({"sql": "SELECT ?", "params": [{}]}, 7400), ({"sql": 1}, 7400), ({}, 7400),
                       ({"sql": "SELECT ?", "params": "x"}, 7400), ([], 7400), (b'"x"', 7400), ({"batch": {}}, 7400), ({"batch": [1]}, 7400),
                       ({"sql": "SELECT ?", "params": [[256]]}, 7400), ({"sql": "ATTACH 'x' AS y"}, 7500),
                       ({"sql": "SELECT 1", "params": [0] * 1000000}, 7500), ({"batch": [{"sql": "SELECT 1"}] * 10001}, 7400)):
        said = node.api("POST", "%s/%s/query" % (DATABASES, uuid), body)
        assert said.status == 400 and said.codes == [code], (str(body)[:80], said[:4])
    deep = b'{"sql":' + b"[" * 100000 + b"]" * 100000 + b"}"
    assert node.api("POST", "%s/%s/query" % (DATABASES, uuid), deep).status == 400
    assert node.api("POST", "%s/%s/query" % (DATABASES, uuid), b'{"sql":"' + b"x" * (11 << 20) + b'"}').status == 413
    many = query(node, uuid, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 60000) SELECT i, 'row number ' || i AS t FROM n")
    assert len(many[0]["results"]) == 60000 and many[0]["results"][-1] == {"i": 60000, "t": "row number 60000"}
    assert node.api("POST", "%s/%s/query" % (DATABASES, uuid), {"sql": "SELECT hex(zeroblob(900000)) FROM t, t AS b, t AS c, t AS d, t AS e, t AS f"}).codes == [7500]
    assert query(node, uuid, "SELECT 1 AS one")[0]["results"] == [{"one": 1}]


def test_files(serve):
    node = serve()
    uuid, other = create(node, "books"), create(node, "other")
    done = run_import(node, uuid, b"CREATE TABLE t(a);\nINSERT INTO t VALUES (1), (2);\n")
    assert done["status"] == "complete" and done["result"]["num_queries"] == 2 and done["result"]["meta"]["rows_written"] >= 2
    assert done["result"]["final_bookmark"] == node.result("GET", "%s/%s/time_travel/bookmark" % (DATABASES, uuid))["bookmark"]
    bad = run_import(node, uuid, b"INSERT INTO t VALUES (3);\nINSERT INTO nope VALUES (1);\n")
    assert bad["success"] is False and bad["status"] == "error"
    assert bad["error"] == "no such table: nope: SQLITE_ERROR (statement 2, line 2: INSERT INTO nope VALUES (1);)"
    assert query(node, uuid, "SELECT count(*) AS n FROM t")[0]["results"] == [{"n": 2}]
    dump = export(node, uuid, tables=[], no_data=False, no_schema=False)
    assert dump.status == 200 and "INSERT INTO \"t\" VALUES(2);" in dump.text and "books" in dump.headers["Content-Disposition"]
    assert "INSERT" not in export(node, uuid, no_data=True).text and "CREATE" not in export(node, uuid, no_schema=True).text
    assert run_import(node, other, dump.body)["status"] == "complete"
    assert query(node, other, "SELECT count(*) AS n FROM t")[0]["results"] == [{"n": 2}]

    path = "%s/%s/import" % (DATABASES, uuid)
    said, answer = start_import(node, uuid, b"SELECT 1", etag="0" * 32)
    assert answer.status == 400 and hashlib.md5(b"SELECT 1").hexdigest() in answer.text
    ingest = {"action": "ingest", "filename": said["filename"], "etag": "0" * 32}
    assert "not been uploaded" in node.api("POST", path, ingest).text
    sql = b"INSERT INTO t VALUES (9)"
    said, answer = start_import(node, uuid, sql)
    again = node.api_raw("PUT", address(said["upload_url"]), sql, token=False)
    assert answer.status == again.status == 200
    ingest = {"action": "ingest", "filename": said["filename"], "etag": hashlib.md5(sql).hexdigest()}
    assert node.api("POST", "%s/%s/import" % (DATABASES, other), ingest).status == 400  # another database's
    assert node.api("POST", path, dict(ingest, etag="1" * 32)).status == 400
    first = node.result("POST", path, ingest)
    assert node.result("POST", path, ingest)["at_bookmark"] == first["at_bookmark"]  # once
    assert node.api_raw("PUT", address(said["upload_url"]), sql, token=False).status == 403
    until_done = {"action": "poll", "current_bookmark": first["at_bookmark"]}
    while node.result("POST", path, until_done)["status"] == "active":
        pass
    assert query(node, uuid, "SELECT count(*) AS n FROM t")[0]["results"] == [{"n": 3}]
    lost = node.result("POST", path, {"action": "poll", "current_bookmark": "nope"})
    assert lost["success"] is False and "Not currently importing anything" in lost["error"]
    for body in ({}, {"action": "x"}, {"action": "init"}, {"action": "init", "etag": "x"}, {"action": 1}, [], {"action": "ingest"}):
        assert node.api("POST", path, body).codes == [7400], body
    for wrong in ("/d1/upload/" + "0" * 64, "/d1/upload/x"):
        assert node.api_raw("PUT", wrong, b"SELECT 1", token=False).status == 403
    assert node.api_raw("GET", "/d1/download/" + "0" * 64, token=False).status == 403
    assert node.api("POST", "%s/%s/export" % (DATABASES, uuid), {"output_format": "csv"}).codes == [7400]
    assert node.result("POST", "%s/%s/export" % (DATABASES, uuid), {"current_bookmark": "x"})["success"] is False
    for n in range(40):  # those that nobody uses give way
        assert node.api("POST", path, {"action": "init", "etag": "%032x" % n}).status == 200


def test_nobody_reaches_what_is_of_another_account(serve):
    node = serve()
    uuid = create(node, "books")
    node.add_account("rival")
    node.add_account("reader", "read")
    sql = b"CREATE TABLE t(a)"
    said, _ = start_import(node, uuid, sql)
    assert node.result("GET", DATABASES, account="rival") == []
    assert create(node, "books", account="rival") != uuid
    body = {"action": "ingest", "filename": said["filename"], "etag": hashlib.md5(sql).hexdigest()}
    for method, path, body in (("GET", "", None), ("DELETE", "", None), ("POST", "/query", {"sql": "SELECT 1"}), ("POST", "/raw", {"sql": "SELECT 1"}),
                               ("POST", "/import", body), ("POST", "/export", {}), ("PATCH", "", {}), ("GET", "/time_travel/bookmark", None)):
        assert node.api(method, DATABASES + "/" + uuid + path, body, account="rival").status == 404, (method, path)
        whole = DATABASES.replace("$ACC", node.account["id"]) + "/" + uuid + path
        assert node.api(method, whole, body, account="rival").status == 403, (method, path)
        assert node.api(method, whole, body, token=None).status == 401, (method, path)
    own = node.result("GET", DATABASES, account="rival")[0]["uuid"]
    poll = {"action": "poll", "current_bookmark": said["filename"]}
    assert node.result("POST", "%s/%s/import" % (DATABASES, own), poll, account="rival")["success"] is False
    for method, path in (("POST", ""), ("POST", "/x/query"), ("DELETE", "/x"), ("POST", "/x/import")):
        assert node.api(method, DATABASES + path, {"name": "x"}, account="reader").status == 403


def test_a_deleted_database_is_gone_for_its_workers(serve):
    node = serve()
    uuid = create(node, "books")
    query(node, uuid, "CREATE TABLE t(a)")
    node.deploy("shop", WORKER, {"bindings": [{"type": "d1", "name": "DB", "id": uuid}]})
    assert json.loads(node.get("shop").text) == {"n": 0}
    assert node.result("DELETE", DATABASES + "/" + uuid) is None
    gone = node.get("shop")
    assert gone.status == 500 and "The database 'books' (env.DB) has been deleted." in gone.text, gone.text
    again = create(node, "books")
    query(node, again, "CREATE TABLE t(a)")
    assert "has been deleted" in node.get("shop").text  # its binding is of the other one
    assert "its folder was deleted" not in node.log_text()  # Nobody else took it away.
    assert node.result("GET", DATABASES)[0]["uuid"] == again


@pytest.mark.rel
def test_a_large_import_takes_no_memory_of_the_node(serve):
    node = serve()
    uuid = create(node, "big")
    line = b"INSERT INTO t VALUES ('" + b"x" * 9970 + b"');\n"
    sql = b"CREATE TABLE t(a);\n" + line * 10000  # 100 MB

    def memory():
        with open("/proc/%d/status" % node.pid) as status:
            return next(int(text.split()[1]) for text in status if text.startswith("VmHWM"))

    limit = 40 << 10 if PATIENCE == 1 else 400 << 10  # the sanitizer keeps what is freed
    before = memory()
    done = run_import(node, uuid, sql)
    assert done["success"] and done["result"]["num_queries"] == 10001, done
    assert memory() - before < limit, (before, memory())
    answer = export(node, uuid)
    assert answer.body.count(b"INSERT INTO \"t\"") == 10000
    assert memory() - before < limit, (before, memory())


def test_a_node_killed_during_an_import_has_done_nothing(serve):
    node = serve()
    uuid = create(node, "books")
    query(node, uuid, "CREATE TABLE t(a); INSERT INTO t VALUES (1)")
    slow = b"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n;\n"
    sql = b"INSERT INTO t VALUES (2);\n" * 1000 + slow
    said, answer = start_import(node, uuid, sql)
    assert answer.status == 200
    body = {"action": "ingest", "filename": said["filename"], "etag": hashlib.md5(sql).hexdigest()}
    assert node.result("POST", "%s/%s/import" % (DATABASES, uuid), body)["status"] == "active"
    node.kill()
    node = serve(data=node.data)
    assert query(node, uuid, "SELECT count(*) AS n FROM t")[0]["results"] == [{"n": 1}]
    lost = node.result("POST", "%s/%s/import" % (DATABASES, uuid), {"action": "poll", "current_bookmark": "x"})
    assert "import the file again" in lost["error"]
