"""User ids of accounts that somebody else on the machine has: where nodes are root."""
import json
import os
import re
import subprocess

import pytest

from harness import BIN, DEADLINE, HELLO, status_of
from serve import corral_command

pytestmark = [pytest.mark.asan, pytest.mark.skipif(os.geteuid() != 0, reason="accounts have no user ids: this is not root")]

# A range that no other run of the tests has.
FIRST = 2110000000 + os.getpid() * 8 % 8000000


@pytest.fixture(scope="module", autouse=True)
def needs_the_layer():
    said = json.loads(corral_command("doctor", "--json"))
    if said["box"]["uids"] is None:
        pytest.skip("accounts have no user ids on this machine")


def refused(data, *flags):
    run = subprocess.run([BIN / "corral", "serve", "--data", data, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--domain", "test", *flags],
                         capture_output=True, text=True, timeout=DEADLINE, stdin=subprocess.DEVNULL)
    assert run.returncode in (1, 2) and "Ready" not in run.stdout, run
    return run.stderr


def test_a_user_of_the_machine_is_no_account(tmp_path):
    text = refused(tmp_path / "data", "--box-uids", "65000-66000")
    assert "'/etc/passwd' gives 'nobody' 65534" in text and "box.uids" in text
    assert "'nobody'" in refused(tmp_path / "data", "--box-uids", "65000-66000,shared")
    assert "no range of user ids" in refused(tmp_path / "data", "--box-uids", "5000-6000,mine")
    config = tmp_path / "corral.toml"
    config.write_text('data = "data"\ndomain = "test"\n[box]\nuids = "65534-65534"\n')
    run = subprocess.run([BIN / "corral", "doctor", "--json", "--config", config], capture_output=True, text=True, timeout=DEADLINE)
    said = json.loads(run.stdout)
    assert said["box"]["uids"] is None and any("'nobody' 65534" in one["text"] for one in said["problems"] if one["severity"] == "problem")


def test_two_nodes_have_no_user_id_in_common(serve, tmp_path):
    one = serve("--box-uids", f"{FIRST}-{FIRST + 3}")
    if re.search("nobody can tell", one.log_text()):
        pytest.skip("nothing can be locked in /run/corral here")
    text = refused(tmp_path / "other", "--box-uids", f"{FIRST + 3}-{FIRST + 4}")
    assert f"in use by another node of this machine (pid {one.pid})" in text and "a free one is taken" in text
    config = tmp_path / "corral.toml"
    config.write_text(f'data = "data"\ndomain = "test"\n[box]\nuids = "{FIRST}-{FIRST + 3}"\n')
    said = json.loads(corral_command("doctor", "--json", "--config", config))
    assert said["box"]["uids"] == {"first": FIRST, "last": FIRST + 3, "held_by": one.pid}
    told = serve("--box-uids", f"{FIRST + 3}-{FIRST + 4},shared", data=tmp_path / "shared")
    told.stop()
    one.kill()      # what it had is free at once
    again = serve("--box-uids", f"{FIRST + 2}-{FIRST + 3}", data=tmp_path / "again")
    again.deploy("w", HELLO, {"compatibility_date": "2024-03-29"})
    assert again.get("w").status == 200
    (template,) = again.generations()[1]
    assert status_of(template.pid)["Uid"].split() == [str(FIRST + 2)] * 4


def test_nodes_that_are_told_nothing_share_nothing(serve, corral):
    """A `corral serve` and a `corral dev`, and whatever else runs here."""
    node, dev = serve(), corral(HELLO)
    node.deploy("w", HELLO, {"compatibility_date": "2024-03-29"})
    assert node.get("w").status == dev.get("/").status == 200
    found = [int(status_of(one.generations()[1][0].pid)["Uid"].split()[0]) for one in (node, dev)]
    assert found[0] // 1000000 != found[1] // 1000000 or "nobody can tell" in node.log_text() + dev.log_text(), found
    assert all(1900000000 <= uid < 2100000000 for uid in found)
