"""corral backup: a copy of a data folder, made while its node serves and writes, that another node starts from."""
import re
import shutil
import stat
import subprocess
import textwrap
import threading

import pytest

from harness import BIN
from serve import corral_command

pytestmark = pytest.mark.asan

WORKER = """
    from workers import Response, WorkerEntrypoint

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            await self.env.DB.exec("create table if not exists t(a)")
            if request.method == "POST":
                await self.env.DB.prepare("insert into t values (1)").run()
            n = await self.env.DB.prepare("select count(*) as n from t").first("n")
            return Response(f"{n} {self.env.SECRET}")
"""


def test_backup_of_a_node_that_serves(serve, tmp_path):
    node = serve()
    database = node.result("POST", "/accounts/$ACC/d1/database", {"name": "books"})
    node.deploy("w", {"entry.py": textwrap.dedent(WORKER)},
                {"bindings": [{"name": "DB", "type": "d1", "id": database["uuid"]},
                              {"name": "SECRET", "type": "secret_text", "text": "hush"}]})
    for i in range(5):
        assert node.request("w", method="POST").text == "%d hush" % (i + 1)

    # Somebody writes all the time.
    done, counts = threading.Event(), []

    def write():
        while not done.is_set():
            counts.append(int(node.request("w", method="POST").text.split()[0]))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        said = corral_command("backup", tmp_path / "copy", "--data", node.data)
    finally:
        done.set()
        writer.join()
    assert re.match(r"The backup is in '.*/copy': the catalog, 1 bundle, 1 database, ", said), said
    assert "secrets.key' somewhere else" in said
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o700
    assert not (tmp_path / "copy" / "secrets.key").exists()
    assert counts == list(range(6, 6 + len(counts)))
    assert node.request("w").text == "%d hush" % (5 + len(counts))  # nothing of it was lost

    again = subprocess.run([BIN / "corral", "backup", tmp_path / "copy", "--data", node.data], capture_output=True)
    assert again.returncode == 1 and b"already" in again.stderr

    shutil.copy(node.data / "secrets.key", tmp_path / "copy")
    copy = serve(data=tmp_path / "copy", token=False)
    copy.accounts, copy.tokens = node.accounts, node.tokens
    count, secret = copy.request("w").text.split()
    assert secret == "hush" and 5 <= int(count) <= 5 + len(counts)
    assert [one["name"] for one in copy.result("GET", "/accounts/$ACC/d1/database")] == ["books"]
