"""The boxes of the programs beside the workers, from the inside and from outside: databases, the TOML helper, the packager, bundlers.

What a machine offers is found out by `corral dev` itself: the layers stand in the command line of the database that it starts.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from harness import BIN, DEADLINE, LAB, PACKAGES, descendants, status_of, still_alive, until
from package_index import PackageIndex, wheel
from store_client import Store

pytestmark = pytest.mark.asan

UID = 1900000777    # of an account; used where the layer is there
FIRST = 2101000000 + os.getpid() * 4 % 8000000      # of a node's own range, which no other run has
NAMESPACES = {"tree": ["mnt"], "pids": ["pid"], "net": ["net"], "ipc": ["ipc", "uts", "cgroup"], "user": ["user"]}


@pytest.fixture(scope="module")
def layers(shared_corral):
    """Those of this machine, and the database's process that was asked to enter them."""
    toml = ('name = "lab"\nmain = "src/entry.py"\ncompatibility_date = "2024-03-29"\ncompatibility_flags = ["python_workers"]\n'
            '[[d1_databases]]\nbinding = "DB"\ndatabase_name = "db"\ndatabase_id = "db"\n')
    one = shared_corral({"src/entry.py": LAB, "wrangler.toml": toml})
    assert one.value("return (await env.DB.prepare('SELECT 7 AS x').first()).x") == 7
    (store,) = one.stores()
    said = [word for word in Path(f"/proc/{store.pid}/cmdline").read_text().split("\0") if word.startswith("--box=")]
    return said[0].removeprefix("--box=").split(","), store.pid


@pytest.fixture
def shown(layers, tmp_path):
    """Does this machine show the files of one user as another's? Without that a packager stays the node's user."""
    done = subprocess.run([BIN / "corral", "doctor", "--data", tmp_path, "--json"], capture_output=True, timeout=DEADLINE)
    said = json.loads(done.stdout)["data"]["account_uids"]
    assert (said is None) == ("uid" not in layers[0])
    return said


def assert_boxed(pid, layers, lacks=()):
    """What a process's own files in /proc say of its box, all threads'. lacks: layers that such a process does not have."""
    threads = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in open(f"/proc/{pid}/task/{task}/status") if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue    # a thread that has ended meanwhile
        threads += 1
        assert status["NoNewPrivs"] == "1", pid
        assert status["Seccomp"] == ("2" if "seccomp" in layers else "0")
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[kind], 16) == 0, (pid, kind, status[kind])
        if os.geteuid() == 0:
            assert int(status["CapBnd"], 16) == 0
    assert threads
    ours, theirs = ({kind: os.readlink(f"/proc/{who}/ns/{kind}") for kinds in NAMESPACES.values() for kind in kinds} for who in ("self", pid))
    for layer, kinds in NAMESPACES.items():
        for kind in kinds:
            assert (ours[kind] != theirs[kind]) == (layer in layers and layer not in lacks), (pid, kind)
    limits = open(f"/proc/{pid}/limits").read()
    assert re.search(r"Max core file size +0 +0 ", limits)


# ---- databases ----


def test_a_database_has_left_the_machine(layers):
    there, pid = layers
    assert_boxed(pid, there, lacks=["pids"])
    if "tree" in there:     # an empty root, nothing of the machine's
        assert sorted(os.listdir(f"/proc/{pid}/root")) == ["dev", "etc", "tmp"]
    assert all(" ro," in line for line in open(f"/proc/{pid}/mounts")) or "tree" not in there


def test_sql_reaches_nothing_and_data_stay(layers, tmp_path):
    box = ",".join(layers[0])
    with Store(tmp_path, box=box) as one:
        one.run("CREATE TABLE t(v)")
        for sql in ("ATTACH '/etc/passwd' AS p", "ATTACH ':memory:' AS p", "SELECT load_extension('/lib/x86_64-linux-gnu/libc.so.6')",
                    "VACUUM INTO '/tmp/out'", "SELECT readfile('/etc/passwd')", "SELECT writefile('/tmp/out', 'x')",
                    "PRAGMA temp_store_directory = '/tmp'", "CREATE VIRTUAL TABLE f USING csv(filename='/etc/passwd')"):
            assert one.run(sql).error, sql
        for n in range(20):
            one.run(("INSERT INTO t VALUES (?)", "x" * 200000))
        # what sorts more than fits needs its files
        assert one.run("SELECT count(*) FROM (SELECT a.v || b.rowid AS x FROM t a, t b ORDER BY x)").rows == [(400,)]
        one.run("DROP TABLE IF EXISTS u", "CREATE TABLE u AS SELECT rowid AS n FROM t")
    with Store(tmp_path, box=box) as one:
        assert one.run("SELECT count(*), sum(n) FROM u").rows == [(20, 210)]


def test_a_database_that_cannot_enter_its_box_says_so(tmp_path):
    store = Store(tmp_path, box="seccomp,nonsense", start=False)
    assert store.process.wait(DEADLINE) == 2
    store.socket.close()


# ---- the zygote ----


@pytest.mark.parametrize("arguments, text", [([], "--box=LAYERS"), (["--uid=5"], "--box=LAYERS"), (["--box=seccomp,nonsense"], "'nonsense'"),
                                             (["--box=uid", "--uid=0"], "not root's"), (["--boxes=seccomp"], "--boxes=seccomp")])
def test_a_zygote_whose_box_is_not_said_does_not_start(arguments, text):
    run = subprocess.run([BIN / "corral-worker", "zygote", *arguments], capture_output=True, text=True, timeout=DEADLINE, stdin=subprocess.DEVNULL)
    assert run.returncode == 2 and text in run.stderr and run.stderr.count("\n") == 1, run
    assert "LAYERS" not in text or "corral doctor" in run.stderr


# ---- the TOML helper ----


def test_the_toml_helper_reads_inside(layers):
    there, _ = layers
    with subprocess.Popen([BIN / "corral-worker", "toml", "--box=" + ",".join(there)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        if "seccomp" in there:
            until("it is inside", lambda: status_of(process.pid)["Seccomp"] == "2")
            assert_boxed(process.pid, there, lacks=["pids"])
            assert re.search(r"Max processes +0 +0 ", open(f"/proc/{process.pid}/limits").read())
            assert "uid" not in there or "0" not in status_of(process.pid)["Uid"].split()
        out, err = process.communicate(b"a = 1\nb = [2026-01-01, 'x']\n", DEADLINE)
    assert json.loads(out) == {"ok": {"a": 1, "b": ["2026-01-01", "x"]}} and not err


# ---- the packager ----

# In place of uv: what somebody can do who has taken the installer over.
TAKEN_OVER = """\
#!/bin/sh
for last; do [ "$before" = -r ] && requirements=$last; before=$last; done
state=$(dirname "$(dirname "$requirements")")
exec 3> "$state/report"
try() { what=$1; shift; if (eval "$@") > /dev/null 2>&1; then echo "$what: done" >&3; else echo "$what: refused" >&3; fi; }
try secret 'cat "SECRET"'
try passwords 'cat /etc/shadow'
try others 'ls "OTHERS"'
try catalog 'cat "CATALOG"'
try set 'ls "PACKAGES"/*/packages.json'
try spoil 'echo x > "PACKAGES"/.x && rm "PACKAGES"/.x'
try project 'cat "PROJECT"/requirements.txt'
try project_write 'touch "PROJECT"/x'
try outside 'touch "OUTSIDE"'
try tmp 'echo x > /tmp/.corral-PID && rm /tmp/.corral-PID'
try own 'touch "$state/own"'
try init 'cat /proc/1/environ'
try signal 'kill -0 PID'
try mount 'mount -t tmpfs x /tmp'
try namespace 'unshare -Ur true || unshare -m true'
try device 'mknod "$state/d" c 1 3'
try setuid 'cp /bin/true "$state/s"; chmod 4755 "$state/s" && [ -u "$state/s" ]'
try run 'cp /bin/true "$state/t"; chmod 755 "$state/t" && "$state/t"'
try unix '/usr/bin/python3 -c "import socket; socket.socket(socket.AF_UNIX)"'
try listen '/usr/bin/python3 -c "import socket; socket.create_server((\\"127.0.0.1\\", 0))"'
try network '/usr/bin/python3 -c "import socket; socket.create_connection((\\"127.0.0.1\\", PORT))"'
env > "$state/environment"
echo nothing to see here
exit 1
"""


def taken_over(tmp_path, box, port, is_upload):
    """{what: done or refused}: what an installer could do that is somebody else's; and the environment that it had."""
    places = {"SECRET": tmp_path / "secrets.key", "OTHERS": tmp_path / "environments/other", "CATALOG": tmp_path / "catalog.sqlite",
              "PACKAGES": PACKAGES, "PROJECT": tmp_path / "project", "OUTSIDE": tmp_path / "outside", "PID": os.getpid(), "PORT": port}
    script = TAKEN_OVER
    for name, value in places.items():
        script = script.replace(name, str(value))
    for path, text in {"secrets.key": "planted", "catalog.sqlite": "planted", "environments/other/x": "planted", "bin/uv": script,
                       "project/requirements.txt": "--index-url http://127.0.0.1:1/\nnone-has-this\n"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "bin/uv").chmod(0o755)
    state = tmp_path / "environments/account"
    job = {"job": "environment", "home": str(PACKAGES), "project": str(tmp_path / "project"), "date": "", "state": str(state),
           "limit_bytes": 1 << 28, "upload": is_upload}
    run = subprocess.run([BIN / "corral-worker", "packages", "--box=" + box, f"--uid={UID}"], input=json.dumps(job).encode(), capture_output=True,
                         timeout=DEADLINE * 3, env={**os.environ, "PATH": f"{tmp_path}/bin:/usr/bin:/bin", "TOKEN": "t0ken"})
    last = json.loads(run.stdout.splitlines()[-1])
    assert "error" in last and (state / "report").exists(), (last, run.stderr)
    return dict(line.split(": ") for line in (state / "report").read_text().splitlines()), (state / "environment").read_text()


def grades(layers):
    """What there is, and less."""
    kinds = [layers, ["seccomp", "landlock"], ["seccomp", "tree", "pids", "net", "ipc", "user"], ["seccomp"]]
    found = [[one for one in kind if one in layers] for kind in kinds]
    return [kind for n, kind in enumerate(found) if kind and kind not in found[:n]]


FILES = ["secret", "passwords", "others", "catalog", "spoil", "project_write", "outside", "tmp", "init", "run"]
NEVER = ["signal", "mount", "namespace", "device", "setuid", "unix", "listen"]
ALWAYS = ["set", "project", "own", "network"]


def test_an_installer_that_is_taken_over(layers, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        for n, grade in enumerate(grades(layers[0])):
            (tmp_path / str(n)).mkdir()
            found, environment = taken_over(tmp_path / str(n), ",".join(grade), server.getsockname()[1], True)
            assert sorted(found) == sorted(FILES + NEVER + ALWAYS)
            has_files = "tree" in grade or "landlock" in grade
            wrong = {what: answer for what, answer in found.items()
                     if (what in ALWAYS) != (answer == "done") and not (what in FILES and not has_files)}
            assert not wrong, grade
            assert "t0ken" not in environment
            if not has_files:   # and so it tells of something
                assert [found[what] for what in ("secret", "others", "catalog", "outside", "tmp", "run")] == ["done"] * 6


def test_an_installer_of_ones_own_project_reads_and_does_not_write(layers, tmp_path):
    """It may be told of any file, and of any folder with wheels."""
    if "landlock" not in layers[0]:
        pytest.skip("this machine has no Landlock: nothing keeps one's own installer from writing")
    found, _ = taken_over(tmp_path, ",".join(layers[0]), 1, False)
    for what in ("secret", "others", "catalog", "set", "project", "own"):
        assert found[what] == "done", what
    for what in ("project_write", "outside", "tmp", *NEVER):
        assert found[what] == "refused", what


def test_an_installer_of_ones_own_project_in_a_chroot(layers, tmp_path):
    """There the kernel gives nobody a user namespace who has not left for a tree of its own."""
    there, _ = layers
    if os.geteuid() != 0 or "tree" not in there:
        pytest.skip("it takes the right to chroot")
    (tmp_path / "project").mkdir()
    with PackageIndex() as index:
        index.add(wheel("one", "1.0", {"one.py": ""}))
        (tmp_path / "project/requirements.txt").write_text(f"--index-url {index.url}\none\n")
        job = {"job": "environment", "home": str(PACKAGES), "project": str(tmp_path / "project"), "date": "",
               "state": str(tmp_path / "state"), "limit_bytes": 1 << 28}
        done = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --rbind / /mnt && exec chroot /mnt "$@"', "sh",
                               BIN / "corral-worker", "packages", "--box=" + ",".join(there)], input=json.dumps(job).encode(),
                              capture_output=True)
    said = json.loads(done.stdout.splitlines()[-1])
    assert "done" in said, said


def test_the_packagers_processes_seen_from_outside(layers, shown, tmp_path):
    there, _ = layers
    with PackageIndex() as index:
        index.add(wheel("slow", "1.0", {"slow.py": ""}))
        index.faults["slow"] = "slow"
        (tmp_path / "project").mkdir()
        (tmp_path / "project/requirements.txt").write_text(f"--index-url {index.url}\nslow\n")
        job = {"job": "environment", "home": str(PACKAGES), "project": str(tmp_path / "project"), "date": "",
               "state": str(tmp_path / "state"), "limit_bytes": 1 << 28, "upload": True}
        with subprocess.Popen([BIN / "corral-worker", "packages", "--box=" + ",".join(there), f"--uid={UID}"], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL) as process:
            try:
                process.stdin.write(json.dumps(job).encode())
                process.stdin.close()
                until("the index is asked for slow", lambda: index.asked("slow"), DEADLINE * 3)
                family = descendants(process.pid)
                assert family
                for one in family if "pids" in there else [*family, process]:
                    assert_boxed(one.pid, there, lacks=["net"])
                for one in [*family, process] if shown else []:    # he who waits for them, too
                    assert status_of(one.pid)["Uid"].split() == status_of(one.pid)["Gid"].split() == [str(UID)] * 4, one
                    assert int(status_of(one.pid)["CapPrm"], 16) == 0 and not status_of(one.pid)["Groups"].split()
            finally:
                process.kill()
        until("all of it ends with it", lambda: not still_alive(family))


def test_a_wheel_that_names_a_file_of_the_node(layers, tmp_path):
    """Its metadata wants a wheel that lies outside of the upload: in there, that is nowhere."""
    planted = wheel("planted", "1.0", {"planted.py": "x = 1\n"})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / planted.name).write_bytes(planted.data)
    with PackageIndex() as index:
        index.add(wheel("asks", "1.0", {"asks.py": ""}, requires=[f"planted @ file://{tmp_path}/outside/{planted.name}"]),
                  wheel("climbs", "1.0", {"../../../climbed.py": ""}))
        for name in ("asks", "climbs"):
            project = tmp_path / name
            project.mkdir()
            (project / "requirements.txt").write_text(f"--index-url {index.url}\n{name}\n")
            job = {"job": "environment", "home": str(PACKAGES), "project": str(project), "date": "", "state": str(tmp_path / "state"),
                   "limit_bytes": 1 << 28, "upload": True}
            run = subprocess.run([BIN / "corral-worker", "packages", "--box=" + ",".join(layers[0])], input=json.dumps(job).encode(),
                                 capture_output=True, timeout=DEADLINE * 3)
            assert "error" in json.loads(run.stdout.splitlines()[-1]), name
    assert not list(tmp_path.rglob("climbed.py")) and not list((tmp_path / "state").rglob("planted.py"))


def test_each_account_has_its_own_environments(serve, tmp_path):
    node = serve()
    node.deploy("w", {"entry.py": "import idna\nfrom workers import Response, WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n"
                                  "    def fetch(self, request):\n        return Response(idna.__name__)\n",
                      "requirements.txt": "idna\n"})
    assert node.request("w", "/").text == "idna"
    folder = Path(node.data) / "environments"
    assert os.listdir(folder) == [node.account["id"]]
    assert (folder / node.account["id"]).stat().st_mode & 0o77 == 0


@pytest.mark.parametrize("grade", ["full", "landlock"])
def test_an_environment_that_becomes_a_link_leads_nowhere(serve, layers, grade):
    """As a packager that was taken over would leave it, for the node to bind into its account's box."""
    if "landlock" not in layers[0]:
        pytest.skip("no Landlock on this machine")
    with PackageIndex() as index:
        index.add(wheel("near", "1.0", {"near.py": "SAYS = 'near'\n"}))
        node = serve(reaches=(), env={"PIP_INDEX_URL": index.url, "PIP_RETRIES": "0", "CORRAL_TEST_BOX": grade})
        node.deploy("w", {"entry.py": "import near\nfrom workers import Response, WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n"
                                      "    def fetch(self, request):\n        return Response(near.SAYS)\n",
                          "requirements.txt": "near\n"})
        assert node.get("w").text == "near"
        (packages,) = (Path(node.data) / "environments").glob("*/*/packages")
        packages.rename(packages.with_name("away"))
        packages.symlink_to(node.data)
        for template in node.templates():       # the one that has only tried the upload may still be on its way out
            with contextlib.suppress(ProcessLookupError):
                os.kill(template.pid, signal.SIGKILL)
        node.wait_log("its box cannot be entered: .*symbolic link")
        assert node.get("w").status == 500


# ---- whose they are ----


def owners_below(folder):
    found = set()
    for root, folders, files in os.walk(folder):
        for name in [".", *folders, *files]:
            with contextlib.suppress(FileNotFoundError):    # a journal, say: the node runs
                found.add((os.lstat(os.path.join(root, name)).st_uid, os.lstat(os.path.join(root, name)).st_gid))
    return found


def command_of(pid):
    """Its command line; "": it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_all_that_runs_for_an_account_has_its_user_id(serve, layers, shown):
    """Databases, packagers, workers: one id for each account. What they make is the node's on the disk, and is found again by the next."""
    if "uid" not in layers[0]:
        pytest.skip("this node is not root")
    code = ("import near\nfrom workers import Response, WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
            "        if 'fill' in request.url:\n            await self.env.DB.exec('CREATE TABLE IF NOT EXISTS t (v); INSERT INTO t VALUES (1)')\n"
            "        return Response.json([near.SAYS, (await self.env.DB.prepare('SELECT count(*) AS n FROM t').first()).n])\n")
    with PackageIndex() as index:
        index.add(wheel("near", "1.0", {"near.py": "SAYS = 'near'\n"}))
        node = serve("--box-uids", f"{FIRST}-{FIRST + 1}", reaches=(), env={"PIP_INDEX_URL": index.url, "PIP_RETRIES": "0"})
        node.add_account("other")
        ids = {}
        for n, account in enumerate(("main", "other")):
            database = node.result("POST", "/accounts/$ACC/d1/database", {"name": "db"}, account=account)["uuid"]
            metadata = {"compatibility_date": "2026-03-01", "compatibility_flags": ["python_workers"],
                        "bindings": [{"type": "d1", "name": "DB", "id": database}]}
            index.faults["near"], asked = "held", len(index.asked("near"))
            index.released.clear()
            deploy = threading.Thread(target=node.deploy, args=("w", {"entry.py": code, "requirements.txt": "near\n"}, metadata), kwargs={"account": account})
            deploy.start()
            try:
                until("the index is asked", lambda: len(index.asked("near")) > asked, DEADLINE * 3)
                commands = [(one, command_of(one.pid)) for one in descendants(node.pid)]
                packagers = [one for one, command in commands if "packages" in command.split("\0")[:2] or "pip" in command]
                found = {tuple(status_of(one.pid)["Uid"].split() + status_of(one.pid)["Gid"].split()) for one in packagers}
                assert len(packagers) >= 2 and len(found) == 1 and (shown or found == {("0",) * 8}), (packagers, found)
            finally:
                index.release()
                deploy.join()
            assert node.get("w", "/fill", account=account).json() == ["near", 1]
            (store,) = [one for one in node.stores() if one.pid not in ids]
            (uid,) = {int(word) for ids_of in found for word in ids_of}
            uid = uid or FIRST + n
            assert status_of(store.pid)["Uid"].split() == status_of(store.pid)["Gid"].split() == [str(uid)] * 4
            assert not status_of(store.pid)["Groups"].split() and os.stat(f"/proc/{store.pid}/mem").st_uid == 0  # dumpable 0
            ids[store.pid] = uid
        assert sorted(ids.values()) == [FIRST, FIRST + 1]
        _, templates, instances = node.generations()
        assert {int(status_of(one.pid)["Uid"].split()[0]) for one in templates + instances} == set(ids.values())
        data, accounts = Path(node.data), dict(node.accounts)
        assert owners_below(data) == {(os.geteuid(), os.getegid())}
        # The next node hands them out in another order, and finds what there is.
        node.stop()
        again = serve("--box-uids", f"{FIRST + 1}-{FIRST + 2}", data=data, reaches=(), env={"PIP_INDEX_URL": index.url, "PIP_RETRIES": "0"})
        for account in ("other", "main"):
            again.tokens[account], again.accounts[account] = node.tokens[account], accounts[account]
            assert again.get("w", "/fill", account=account).json() == ["near", 2]
        assert owners_below(data) == {(os.geteuid(), os.getegid())}


# ---- bundlers ----


def confine(box, *arguments, **more):
    return subprocess.run([BIN / "corral-worker", "confine", "--box=" + ",".join(box), *map(str, arguments)], capture_output=True, text=True,
                          timeout=DEADLINE * 2, **more)


def test_a_bundler_reads_and_writes_where_it_may(layers, tmp_path):
    esbuild = shutil.which("esbuild")
    if not esbuild:
        pytest.skip("esbuild is not installed")
    for path, text in {"in/a.ts": "import {b} from './b'\nlet x: number = b\nexport default x\n", "in/b.ts": "export const b = 7\n",
                       "in/c.ts": "import x from '../secret.json'\nconsole.log(x)\n", "secret.json": '{"planted": 1}'}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "out").mkdir()
    for grade in grades(layers[0]):
        def bundle(name, to, grade=grade):
            return confine(grade, f"--uid={UID}", f"--read={tmp_path}/in", f"--write={tmp_path}/out", "--", esbuild, f"{tmp_path}/in/{name}", "--bundle",
                           "--format=esm", f"--outfile={tmp_path}/{to}", env={})
        assert bundle("a.ts", "out/a.js").returncode == 0
        assert "7" in (tmp_path / "out/a.js").read_text() and (tmp_path / "out/a.js").stat().st_uid == os.geteuid()
        (tmp_path / "out/a.js").unlink()
        if len(grade) == 1:
            continue
        assert bundle("c.ts", "out/c.js").returncode != 0 and not (tmp_path / "out/c.js").exists()
        assert bundle("a.ts", "in/a.js").returncode != 0 and not (tmp_path / "in/a.js").exists()


def test_confine_says_what_is_wrong(layers, shown, tmp_path):
    for arguments, text in (([], "-- PROGRAM"), (["--"], "-- PROGRAM"), (["--", "true"], "-- PROGRAM"), (["--read=x", "--", "/bin/true"], "'x'"), (["--uid=0", "--", "/bin/true"], "'0'"),
                            (["--box=lock", "--", "/bin/true"], "'lock'"), (["--up", "--", "/bin/true"], "--up"),
                            (["--", "/nowhere/x"], "run '/nowhere/x'")):
        said = confine(["seccomp"], *arguments)
        assert said.returncode == 2 and text in said.stderr, said
    assert confine(layers[0], "--", "/bin/true").returncode == 0
    id_of = confine(layers[0], f"--uid={UID}", "--read=/usr/bin/id", "--", "/usr/bin/id", "-u").stdout
    assert id_of == "%d\n" % (1000 if "user" in layers[0] else UID if shown else os.geteuid())
    assert confine(layers[0], "--read=/usr", "--", "/usr/bin/env", env={"A": "b"}).stdout == "A=b\n"
