"""`corral doctor`, and what a node says and does about the grade of its box: its log, /healthz, /metrics, second accounts."""
import json
import os
import re
import subprocess

import pytest

from harness import BIN, ERROR, WARNING, write_project
from serve import corral_command, make_token

pytestmark = pytest.mark.asan
WEAK = {"CORRAL_TEST_BOX": "seccomp"}
HELLO = "from workers import Response, WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n    def fetch(self, request):\n        return Response('hello')\n"


def doctor(*flags, env=None, code=0, cwd=None):
    """What it wrote; its exit code is checked."""
    done = subprocess.run([str(BIN / "corral"), "doctor", *map(str, flags)], env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, cwd=cwd)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout if code != 2 else done.stderr


def texts(said, severity):
    return [one["text"] + "\n" + one["hint"] for one in said["problems"] if one["severity"] == severity]


def test_what_it_finds():
    said = json.loads(doctor("--json", code=0))
    assert list(said) == ["corral", "ok", "problems", "programs", "package_sets", "host", "kernel", "cgroup", "limits", "box", "data"]
    assert said["ok"] is True and said["data"] is None
    programs = {one["name"]: one for one in said["programs"]}
    assert programs["corral"]["path"] == str(BIN / "corral")
    for name, version in (("corral-worker", r"corral-worker [\d.]+ \(Python 3[\d.]+, JavaScriptCore [\d.]+\)"), ("corral-store", r"corral-store [\d.]+ \(SQLite 3[\d.]+\)")):
        assert programs[name]["needed"] and programs[name]["path"] == str(BIN / name)
        assert re.fullmatch(version, programs[name]["version"]), programs[name]
    tool = programs.get("uv") or programs["pip"]
    assert tool["path"] and re.match(r"\d+\.\d+", tool["version"]), tool
    assert [one["name"] for one in said["package_sets"]][:1] == ["debian-12"]
    assert set(said["limits"]) == {"open_files", "processes", "address_space"}
    assert said["kernel"]["release"] == os.uname().release and said["host"]["uid"] == os.geteuid()
    assert said["kernel"]["landlock_abi"] >= 0 and set(said["cgroup"]) >= {"version", "is_delegated"}
    text = doctor()
    for word in ("Programs", "Host", "Box", "grade: %s" % said["box"]["grade"], "All is well."):
        assert word in text
    for layer in said["box"]["layers"]:
        assert re.search(r"(used|missing) +%s +\S" % layer["name"], text)


def test_the_command_line(tmp_path):
    assert "--json" in doctor("--help")
    assert "'x' is too much" in doctor("x", code=2)
    assert "--jsom" in doctor("--jsom", code=2)
    assert "'weak'" in doctor("--accept-box", "weak", "--data", tmp_path, "--json", code=1)
    assert "CORRAL_TEST_BOX" in doctor(env={"CORRAL_TEST_BOX": "half"}, code=2)


def test_a_weak_box_needs_hands():
    said = json.loads(doctor("--json", env=WEAK, code=1))
    assert said["ok"] is False and said["box"]["grade"] == "seccomp" and said["box"]["strangers"] is False
    assert [text for text in texts(said, "problem") if "grade 'seccomp'" in text]
    assert "This needs hands." in doctor(env=WEAK, code=1)


def test_programs_that_are_not_there(tmp_path):
    copy = tmp_path / "corral"
    copy.write_bytes((BIN / "corral").read_bytes())
    copy.chmod(0o755)
    (tmp_path / "corral-store").write_text("#!/bin/sh\necho corral-store 0.0.1 of another day\n")
    (tmp_path / "corral-store").chmod(0o755)
    done = subprocess.run([copy, "doctor", "--json"], capture_output=True, text=True)
    said = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert [text for text in texts(said, "problem") if "corral-worker" in text and "No such file" in text]
    assert [text for text in texts(said, "problem") if "not of this corral" in text and "0.0.1" in text and "make MODE=rel install" in text]


def test_limits_of_the_shell():
    script = 'ulimit -n 1000 && ulimit -v 40000000 && exec "$0" doctor --json'
    if BIN.name == "asan":
        pytest.skip("sanitizers need the address space")
    done = subprocess.run(["bash", "-c", script, BIN / "corral"], capture_output=True, text=True)
    said = json.loads(done.stdout)
    assert said["limits"]["open_files"]["hard"] == 1000 and done.returncode == 1
    assert [text for text in texts(said, "advice") if "1000 files" in text and "LimitNOFILE" in text]
    assert [text for text in texts(said, "problem") if "ulimit -v" in text]


def test_a_data_folder(tmp_path):
    data = tmp_path / "data"
    said = json.loads(doctor("--json", "--data", data, code=1))
    assert said["data"] == {"folder": str(data), "exists": False} and "is not there" in texts(said, "problem")[0]
    make_token(data)
    said = json.loads(doctor("--json", "--data", data))
    assert said["data"]["mode"] == "0700" and said["data"]["accounts"] == 1 and said["data"]["node"] is None and said["data"]["may_share"] is True
    assert "Data folder" in doctor("--data", data)
    data.chmod(0o755)
    (data / "secrets.key").write_text("x")
    (data / "secrets.key").chmod(0o644)
    wrong = texts(json.loads(doctor("--json", "--data", data, code=1)), "problem")
    assert [text for text in wrong if "mode 0755" in text and "chmod 0700" in text]
    assert [text for text in wrong if "secrets.key" in text and "0644" in text]
    config = tmp_path / "corral.toml"
    config.write_text('data = "data"\n[box]\naccept = "seccomp"\n')
    said = json.loads(doctor("--json", "--config", config, env=WEAK, code=1))
    assert said["data"]["folder"] == str(data) and said["data"]["accept"] == "seccomp" and said["data"]["may_share"] is True
    config.write_text('data = "data"\n[box]\naccep = "seccomp"\n')
    assert "did you mean 'accept'" in doctor("--config", config, code=2)


def test_a_node_names_its_box(serve):
    node = serve()
    grade = json.loads(doctor("--json"))["box"]["grade"]
    layers = [layer["name"] for layer in json.loads(doctor("--json"))["box"]["layers"] if layer["used"]]
    node.wait_log(r"\[corral:(inf|wrn)\] Box: %s \(%s" % (grade, ",".join(layers)))
    assert node.api_raw("GET", "/healthz", token=False).json() == {"status": "ok", "box": grade}
    metrics = node.api_raw("GET", "/metrics", token=False).text
    assert 'corral_box_info{grade="%s",layers="%s"} 1' % (grade, ",".join(layers)) in metrics
    assert 'corral_box_layer{layer="seccomp"} 1' in metrics and metrics.count("corral_box_layer{") == 8
    assert "corral_box" not in node.api_raw("GET", "/metrics").text, "not for an account's token"
    # What it found lies there for commands beside it.
    said = json.loads(doctor("--json", "--data", node.data, env=WEAK, code=1))
    assert said["data"]["node"]["grade"] == grade and said["data"]["may_share"] is True


def refused(*arguments, env=None):
    done = subprocess.run([str(BIN / "corral"), *map(str, arguments)], env=dict(os.environ, **(env or {})), capture_output=True, text=True)
    assert done.returncode == 2 and not done.stdout, (done.returncode, done.stdout, done.stderr)
    return done.stderr


def test_a_second_account_below_the_line(serve):
    node = serve(env=WEAK)
    node.wait_log(WARNING + r" ?Box: seccomp \(seccomp\): run only code that you trust here\. `corral doctor`")
    # The commands that would make one, which have a strong box themselves: the node's counts.
    for command in (("token", "create", "--account", "two", "--scope", "deploy"), ("account", "create", "two")):
        text = refused(*command, "--data", node.data)
        assert "account 'two' would be the second one" in text and "'seccomp'" in text and "--accept-box seccomp" in text and "corral doctor" in text
    assert corral_command("token", "create", "--data", node.data, "--account", "main", "--scope", "read")
    # Who says so makes one all the same; the node that runs was not told, and loads nothing of it.
    node.tokens["two"] = corral_command("token", "create", "--data", node.data, "--account", "two", "--scope", "admin", "--accept-box", "seccomp").strip()
    node.accounts = {one["name"]: one for one in json.loads(corral_command("account", "list", "--data", node.data, "--json"))}
    node.deploy("first", HELLO)
    assert node.get("first").text == "hello"
    said = node.upload("second", HELLO, account="two")
    assert not said.success and "this node has another account already" in said.text and "--accept-box seccomp" in said.text, said
    assert node.get("first").text == "hello"
    assert node.stop() == 0
    # At its start it refuses both, unless it is told.
    again = serve(data=node.data, env=WEAK, ready=False, token=False)
    assert again.wait_exit() == 1
    assert re.search(ERROR + r"there are 2 accounts: more than one account wants a box of the grade 'landlock', and the node's is 'seccomp'", again.log_text(), re.M)
    assert not re.search("^Ready on", again.log_text(), re.M)
    wrong = texts(json.loads(doctor("--json", "--data", node.data, code=1)), "problem")
    assert [text for text in wrong if "more than one account" in text]
    told = serve("--accept-box", "seccomp", data=node.data, env=WEAK, token=False)
    told.tokens, told.accounts = node.tokens, node.accounts
    assert told.get("first").text == "hello"
    told.deploy("second", HELLO, account="two")
    assert told.get("second", account="two").text == "hello"
    # It passes on what it was told.
    assert corral_command("account", "create", "three", "--data", node.data)
    assert told.stop() == 0
    config = write_project(node.data.parent / "config", {"corral.toml": '[box]\naccept = "seccomp"\n', "wrangler.toml": ""}) / "corral.toml"
    told = serve("--config", str(config), data=node.data, env=WEAK, token=False)
    assert told.stop() == 0


def test_a_node_that_wants_more(serve):
    """--accept-box is also a way to ask for more than the default."""
    node = serve("--accept-box", "full", env={"CORRAL_TEST_BOX": "landlock"})
    grade = json.loads(doctor("--json", env={"CORRAL_TEST_BOX": "landlock"}, code=0 if node.api_raw("GET", "/healthz", token=False).json()["box"] != "seccomp" else 1))["box"]["grade"]
    assert "wants a box of the grade 'full', and the node's is '%s'" % grade in refused("account", "create", "two", "--data", node.data)
    assert "the grade of the box to accept is not 'none'" in refused("serve", "--data", node.data, "--accept-box", "none")
