"""A node whose disk is full: what was acknowledged stays, errors say what it is, workers are served, and with room all goes on."""
import json
import subprocess

import pytest

from harness import BIN, until
from serve import upload_form

ROOM = 16 << 20
ACCOUNT = "/client/v4/accounts/%s"
WORKER = """
from js import Response
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        db = self.env.DB
        if request.url.endswith("/add"):
            try:
                await db.prepare("INSERT INTO t VALUES (?)").bind("x" * 300_000).run()
            except Exception as e:
                return Response.new(str(e), status=500)
        return Response.new(str(await db.prepare("SELECT count(*) AS n FROM t").first("n")))
"""


@pytest.fixture
def small_disk(tmp_path):
    """A data folder on a file system of its own."""
    data = tmp_path / "small"
    data.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,mode=700" % ROOM, "tmpfs", str(data)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here: " + mounted.stderr.decode().strip())
    yield data
    subprocess.run(["umount", "-l", str(data)], check=True)


class Filler:
    """A file that takes what room there is."""

    def __init__(self, data):
        self.path = data / "filler"
        self.path.write_bytes(bytes(1 << 20))

    def fill(self):
        try:
            with open(self.path, "r+b", buffering=0) as f:
                f.seek(0, 2)
                while f.write(bytes(4096)) == 4096:
                    pass
        except OSError:
            pass


def is_about_the_disk(answer):
    said = answer.json()
    assert answer.status in (500, 507) and not said["success"], answer.text
    assert "disk" in said["errors"][0]["message"], answer.text


def test_a_node_whose_disk_is_full(serve, small_disk):
    node = serve(data=small_disk)
    filler, path, as_json = Filler(small_disk), ACCOUNT % node.account["id"], {"Content-Type": "application/json"}
    database = node.result("POST", "/accounts/$ACC/d1/database", {"name": "db"})["uuid"]
    namespace = path + "/storage/kv/namespaces/" + node.result("POST", "/accounts/$ACC/storage/kv/namespaces", {"title": "ns"})["id"]
    node.result("POST", "/accounts/$ACC/d1/database/%s/query" % database, {"sql": "CREATE TABLE t(v)"})
    node.deploy("w", WORKER, {"bindings": [{"type": "d1", "name": "DB", "id": database}]})
    # Both kinds of database write until there is no room.
    kept, rows = [], 0
    while len(kept) < 20 and node.api_raw("PUT", "%s/values/k%d" % (namespace, len(kept)), b"v" * 100_000).status == 200:
        kept.append("k%d" % len(kept))
    assert len(kept) == 20
    filler.fill()
    for _ in range(100):
        answer = node.request("w", "/add")
        if answer.status != 200:
            break
        rows = int(answer.text)
    assert answer.status == 500 and "full" in answer.text, answer.text
    while True:
        answer = node.api_raw("PUT", "%s/values/k%d" % (namespace, len(kept)), b"v" * 10_000)
        if answer.status != 200:
            break
        kept.append("k%d" % len(kept))
        assert len(kept) < 2000
    is_about_the_disk(answer)

    def change_everything():
        """Each way to change something that is kept."""
        kind, form = upload_form({"entry.py": WORKER, "python_modules/big.py": "#" * 2_000_000})
        return {"upload": node.api_raw("PUT", path + "/workers/scripts/other", form, {"Content-Type": kind}),
                "database": node.api_raw("POST", path + "/d1/database", json.dumps({"name": "more"}).encode(), as_json),
                "namespace": node.api_raw("POST", path + "/storage/kv/namespaces", json.dumps({"title": "more"}).encode(), as_json),
                "secret": node.api_raw("PUT", path + "/workers/scripts/w/secrets",
                                       json.dumps({"name": "S", "text": "t" * 5000, "type": "secret_text"}).encode(), as_json)}

    for what, answer in change_everything().items():
        assert answer.status in (500, 507), (what, answer.text)
        is_about_the_disk(answer)
    done = subprocess.run([str(BIN / "corral"), "account", "create", "--data", str(small_disk), "late"], capture_output=True, text=True)
    assert done.returncode == 1 and "disk is full" in done.stderr and "Traceback" not in done.stderr, done.stderr

    def holds_all(one):
        assert int(one.request("w", "/").text) == rows
        for key in (kept[0], kept[19], kept[-1]):
            value = one.api_raw("GET", "%s/values/%s" % (namespace, key))
            assert value.status == 200 and set(value.body) == {ord("v")}, (key, value.status)
        assert one.api_raw("GET", "/healthz", token=False).status == 200

    holds_all(node)
    # It starts again without any room, and keeps nothing of what it may have been before.
    node.process.kill()
    node.wait_exit()
    again = serve(data=small_disk, token=False)
    again.tokens, again.accounts = node.tokens, node.accounts
    again.account_name = node.account_name
    holds_all(again)
    assert not (small_disk / "box.json").exists() and not (small_disk / "box.json.new").exists()
    again.wait_log("box.json.*No space left on device")
    # With room, all that was refused is taken.
    filler.path.unlink()
    node = again
    answers = until("it takes what it has refused", lambda: [a for a in [change_everything()] if all(x.status < 300 for x in a.values())])[0]
    assert all(answer.json()["success"] for answer in answers.values())
    assert int(node.request("w", "/add").text) == rows + 1
    rows += 1
    assert node.api_raw("PUT", "%s/values/late" % namespace, b"v").status == 200
    holds_all(node)
    assert node.is_running()
