"""Where attempts are made: a node in a tier, two accounts with something to lose, and a host with something to find.

    with Place(tier) as place:
        place.outcome("etc_shadow")         # {"got": evidence or None, "stopped": why}
"""
import contextlib
import ctypes
import glob
import hashlib
import http.server
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from harness import DEADLINE, PACKAGES, Corral
from serve import DOMAIN, Serve

HERE = Path(__file__).resolve().parent
TENANT = HERE / "tenant"
MINE = "bypass.py"      # a file of the worker that tries, and of no other
ABOUT = {"compatibility_date": "2026-03-01", "compatibility_flags": ["python_workers"]}

# Frames of their own: what the process sends after them, the node takes for lies.
SPOILS = ("binding_of_another", "fetch_by_raw_frame", "file_by_raw_frame", "methods_of_the_platform")

SHOP = """
from workers import Response, WorkerEntrypoint
WORD = %r
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "fill" in request.url:
            await self.env.DB.exec("CREATE TABLE t (v TEXT)")
            await self.env.DB.prepare("INSERT INTO t VALUES (?)").bind(%r).run()
        row = await self.env.DB.prepare("SELECT v FROM t").first()
        return Response("%%s %%d" %% (row.v[:12], len(self.env.SECRET)))
"""
SHOP_SAYS = "corral-plant 52"
SIBLING = """
from js import Response
WORD = %r
def on_fetch(request):
    return Response.new("hi")
"""
SPY = """
from workers import Response, WorkerEntrypoint
import memory
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response.json(memory.fingerprint())
"""

KINDS = ("own", "sibling", "secret", "variable", "code", "row", "node", "file")


def make_word(kind):
    return "corral-plant-%s-%s" % (kind, secrets.token_hex(16))


class Node(Serve):
    """A `corral serve` in a tier."""

    def __init__(self, tier, data, flags=(), env=None, api="127.0.0.1:0"):
        self.tier, self.data, self.domain = tier, Path(data), DOMAIN
        self.tokens, self.accounts, self.account_name, self.api_port = {}, {}, "main", None
        # Below the line a second account wants to be accepted in words.
        grade = tier.env.get("CORRAL_TEST_BOX") or tier.expected()
        self.accept = ["--accept-box", grade] if grade == "seccomp" else []
        self.add_account("main")
        if grade == "none":     # where no words help: all is one account's, which does for what is shown there
            self.tokens["other"], self.accounts["other"] = self.tokens["main"], self.accounts["main"]
        else:
            self.add_account("other")
        argv, environment = tier.wrap([tier.program(), "serve", "--data", self.data, "--listen", "127.0.0.1:0", "--api", api,
                                       "--domain", DOMAIN] + self.accept + list(flags), env)
        Corral.__init__(self, None, command=argv, env=environment)
        self.api_port = None

    def ask(self, *arguments):
        done = self.tier.run([self.tier.program()] + [str(a) for a in arguments], timeout=DEADLINE)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def add_account(self, name, scope="admin"):
        self.tokens[name] = self.ask("token", "create", "--data", self.data, "--account", name, "--scope", scope, *self.accept).strip()
        self.accounts = {one["name"]: one for one in json.loads(self.ask("account", "list", "--data", self.data, "--json"))}
        return self.tokens[name]


class Web(http.server.BaseHTTPRequestHandler):
    """A server of this machine that a worker has no business with."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(302 if self.path == "/redirect" else 200)
        if self.path == "/redirect":
            self.send_header("Location", "/")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments):
        pass


class Host:
    """Files, sockets and a process of the host, all as open as they can be: it is the box that must keep a worker away."""

    def __init__(self, tier, word):
        self.tier, self.stack = tier, contextlib.ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="corral-escape-", dir="/var/tmp"))
        self.stack.callback(self._remove)
        os.chmod(self.folder, 0o755)
        self.file("secret.txt", word, 0o644)
        self.file("writable.txt", "x" * 64, 0o666)
        self.file("script", "this is no program", 0o755)
        self.file("setuid", "this is no program", 0o4755)
        self.file("access.json", "{}", 0o644)
        library = sorted(glob.glob("/usr/lib/*/libform.so.*") + glob.glob("/usr/lib/*/libpanel.so.*") + glob.glob("/usr/lib/*/libz.so.1"))
        shutil.copy(library[0], self.folder / "libhost.so")
        for name in ("scratch", "victims", "mount"):
            (self.folder / name).mkdir()
            os.chmod(self.folder / name, 0o777)
        for stage in ("instance", "template"):
            for what in ("remove", "rename", "link", "truncate", "mode", "owner", "times", "xattr"):
                path = self.file("victims/%s-%s" % (what, stage), "whole", 0o666)
                os.chown(path, tier.uid, tier.uid)
                os.utime(path, (1000, 1000))
        self._sockets()
        self._victim()
        # A segment that everybody on the host may attach.
        libc = ctypes.CDLL(None, use_errno=True)
        self.shm_key = secrets.randbelow(1 << 30) + 1
        segment = libc.shmget(self.shm_key, 4096, 0o1666)
        self.stack.callback(lambda: libc.shmctl(segment, 0, None))

    def file(self, name, text, mode):
        path = self.folder / name
        path.write_text(text)
        os.chmod(path, mode)
        return path

    def _remove(self):
        if os.path.ismount(self.folder / "mount"):
            subprocess.run(["umount", "-l", str(self.folder / "mount")])
        shutil.rmtree(self.folder, ignore_errors=True)

    def _sockets(self):
        def bound(family, kind, address, listens):
            one = self.stack.enter_context(socket.socket(family, kind))
            one.bind(address)
            if listens:
                one.listen(64)
            return one
        self.tcp = bound(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0), True)
        self.udp = bound(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0), False)
        self.abstract = "corral-escape-%s" % secrets.token_hex(8)
        bound(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract, True)
        bound(socket.AF_UNIX, socket.SOCK_STREAM, str(self.folder / "stream"), True)
        bound(socket.AF_UNIX, socket.SOCK_DGRAM, str(self.folder / "datagram"), False)
        for name in ("stream", "datagram"):
            os.chmod(self.folder / name, 0o777)
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
        self.web.asked = []
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        self.stack.callback(self.web.server_close)
        self.stack.callback(self.web.shutdown)

    def _victim(self):
        argv, environment = self.tier.wrap([sys.executable, str(HERE / "victim.py")])
        self.victim = subprocess.Popen(argv, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=self.folder)
        self.stack.callback(self._end_victim)
        self.victim_is = json.loads(self.victim.stdout.readline())

    def _end_victim(self):
        self.victim.kill()
        self.victim.wait()
        self.victim.stdin.close()
        self.victim.stdout.close()

    def look_at_victim(self):
        """What the victim says of itself, None: it has ended."""
        try:
            self.victim.stdin.write("\n")
            self.victim.stdin.flush()
            line = self.victim.stdout.readline()
        except OSError:
            line = ""
        return json.loads(line) if line else None

    def facts(self):
        folder = str(self.folder)
        return {"host_file": folder + "/secret.txt", "host_folder": folder, "host_writable": folder + "/writable.txt",
                "host_script": folder + "/script", "host_setuid": folder + "/setuid", "host_library": folder + "/libhost.so",
                "access_log": folder + "/access.json", "scratch": folder + "/scratch", "scratch_mount": folder + "/mount",
                "victim_files": folder + "/victims", "victim": self.victim_is["pid"], "victim_address": self.victim_is["address"],
                "tcp_port": self.tcp.getsockname()[1], "udp_port": self.udp.getsockname()[1], "http_port": self.web.server_port,
                "abstract": self.abstract, "unix_path": folder + "/stream", "unix_datagram_path": folder + "/datagram",
                "shm_key": self.shm_key, "nodename": os.uname().nodename}

    def close(self):
        self.stack.close()


class Place:
    """flags, env, api: of the node, beside what the tier wants."""

    def __init__(self, tier, flags=(), env=None, api="127.0.0.1:0"):
        self.tier, self.flags, self.api, self.stack = tier, list(flags), api, contextlib.ExitStack()
        self.words = {kind: make_word(kind) for kind in KINDS}
        self.env = dict(env or {}, CORRAL_ESCAPE_WORD=self.words["node"])

    def __enter__(self):
        try:
            self.host = Host(self.tier, self.words["file"])
            self.stack.callback(self.host.close)
            home = self.stack.enter_context(self.tier.home())
            self.node = Node(self.tier, home / "data", ["--instances", "1"] + self.flags, self.env, self.api)
            self.stack.callback(self.node.close)
            self.node.wait_ready()
            self._fill()
            self.facts = self._facts()
        except BaseException:
            if hasattr(self, "node"):
                print(self.node.log_text())
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def _fill(self):
        """What the two accounts have."""
        node, words = self.node, self.words
        self.other_database = node.result("POST", "/accounts/$ACC/d1/database", {"name": "other-db"}, account="other")["uuid"]
        node.deploy("shop", SHOP % (words["code"], words["row"]), dict(ABOUT, bindings=[
            {"type": "secret_text", "name": "SECRET", "text": words["secret"]}, {"type": "plain_text", "name": "VARIABLE", "text": words["variable"]},
            {"type": "d1", "name": "DB", "id": self.other_database}]),
            account="other")
        assert node.request("shop", "/fill", account="other").status == 200
        node.deploy("sibling", SIBLING % words["sibling"], {"compatibility_date": "2024-03-29"})
        assert node.get("sibling").text == "hi"
        mine = node.result("POST", "/accounts/$ACC/d1/database", {"name": "own-db"})["uuid"]
        self.bindings = [{"type": "d1", "name": "DB", "id": mine}, {"type": "secret_text", "name": "OWN", "text": words["own"]}]
        node.deploy("spy", dict({"entry.py": SPY}, **{name: (TENANT / name).read_text() for name in ("attempt.py", "kernel.py", "memory.py")}),
                    ABOUT, main="entry.py", account="other")
        self.deploy("tries")

    def tenant(self, **more):
        return dict({path.name: path.read_text() for path in sorted(TENANT.glob("*.py"))}, **more)

    def deploy(self, name, names=None):
        """The worker that tries; names: what its top-level code tries."""
        more = {} if names is None else {"facts.py": "FACTS = %r\nTRY = %r\n" % (self.facts, names)}
        return self.node.upload(name, self.tenant(**more), dict(ABOUT, bindings=self.bindings), main="entry.py")

    # -- what a tenant may know --

    def _files(self):
        """Files below the data folder, by what they are."""
        data = self.node.data
        paths = sorted(str(p) for p in data.rglob("*") if p.is_file())
        holds = {kind: [] for kind in self.words}
        for path in paths:
            try:
                content = Path(path).read_bytes() if os.path.getsize(path) < 1 << 22 else b""
            except FileNotFoundError:
                continue    # a journal that was there for a moment
            for kind, word in self.words.items():
                if word.encode() in content and "/bundles/" in path:
                    holds[kind].append(path)
        own = {os.path.dirname(p) for p in paths if p.endswith("/" + MINE)}
        assert holds["code"] and holds["sibling"], paths
        return {"catalog_files": [p for p in paths if "catalog" in os.path.basename(p)],
                "database_files": [p for p in paths if ".sqlite" in p and "catalog" not in p],
                "other_bundle_files": holds["code"], "sibling_bundle_files": holds["sibling"],
                "node_files": [p for p in paths if os.path.dirname(p) not in own]}

    def _facts(self):
        node = self.node
        found = self._files()
        assert found["catalog_files"] and found["database_files"], found
        facts = dict(self.host.facts(), **found, stage="instance", own=False, maps=None, data=str(node.data), node=node.pid, port=node.port,
                     api_port=node.api_port, other_host=node.host_of("shop", "other"), other_database=self.other_database,
                     packages_folder=str(PACKAGES),
                     planted=[hashlib.sha256(w.encode()).hexdigest() for w in self.words.values()],
                     node_environment=sorted(set(os.environ) - {"HOME", "PATH", "LANG", "LC_ALL", "TZ", "PWD", "TMPDIR"} | {"CORRAL_ESCAPE_WORD"}),
                     other_fingerprint=node.get("spy", "/fingerprint", account="other").json())
        return dict(facts, maps=self.maps())

    def maps(self):
        """Ranges of readable memory of the process that will answer, as it could find them itself; None when this user cannot look."""
        try:
            pid, ranges = self.instance().pid, []
            with open("/proc/%d/maps" % pid) as f, open("/proc/%d/pagemap" % pid, "rb") as pages:
                for line in f:
                    span, rights = line.split()[:2]
                    begin, end = (int(x, 16) for x in span.split("-"))
                    if rights[0] == "r" and "[v" not in line:
                        ranges += [(begin, end)] if end - begin <= 1 << 26 else present(pages, begin, end)
            return ranges
        except OSError:
            return None

    def instance(self):
        """The process of the worker that tries."""
        self.node.get("tries", "/top")
        return next(i for i in self.node.instances() if self.is_mine(i))

    def is_mine(self, process):
        try:
            # In a tree or a chroot the kernel may write the way to it differently.
            folder = os.readlink("/proc/%d/cwd" % process.pid).split("/")[-2]
        except (FileNotFoundError, ProcessLookupError):
            return False    # one that was not needed any more
        return (self.node.data / "bundles" / folder / "files" / MINE).exists()

    # -- trying --

    def try_in_instance(self, name, own=False, timeout=30):
        body = json.dumps({"names": [name], "facts": dict(self.facts, own=own)}).encode()
        answer = self.node.request("tries", "/run", "POST", body, timeout=timeout)
        if name in SPOILS:
            self.node.get("tries", "/end")
        if answer.status != 200:
            return {"name": name, "got": None, "stopped": "status %d: %s" % (answer.status, answer.text[:200])}
        return answer.json()[0]

    def try_at_top(self, names):
        """Outcomes by name, of top-level code."""
        said = self.deploy("top", names)
        if not said.success:
            return {name: {"name": name, "got": None, "stopped": "it did not start: %s" % said.text[:300]} for name in names}
        return {one["name"]: one for one in self.node.get("top", "/top").json()}

    def neighbours_answer(self):
        return self.node.get("shop", account="other").text


def present(pages, begin, end):
    """The pages of a range that are in memory."""
    pages.seek(begin // 4096 * 8)
    data = memoryview(pages.read((end - begin) // 4096 * 8)).cast("Q")
    ranges = []
    for at, entry in enumerate(data):
        if entry >> 62:
            address = begin + at * 4096
            if ranges and ranges[-1][1] == address:
                ranges[-1] = (ranges[-1][0], address + 4096)
            else:
                ranges.append((address, address + 4096))
    return ranges
