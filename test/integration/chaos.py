"""A node under load whose processes die at any time: workers, clients, a killer, and what must hold all the same.

    with Chaos(node, seed=1) as chaos:
        chaos.run(seconds=60)
    chaos.report()

Used by bench/chaos, for minutes, and by test_chaos.py, for seconds."""
import http.client
import json
import os
import random
import signal
import socket
import threading
import time
from collections import Counter

from harness import DEADLINE, descendants, processes, rss_kb, still_alive, until
from serve import DOMAIN
from websocket_client import TEXT, Raw, frame

HANG = 75 * (DEADLINE // 20)    # Seconds: more than any deadline of the node's for a request.

HELLO = "from js import Response\nasync def on_fetch(request, env):\n    return Response.new('hello %s')\n"
FASTAPI = """
from fastapi import FastAPI
from workers import WorkerEntrypoint
import asgi
app = FastAPI()

@app.get("/{name}")
async def hello(name: str):
    return {"hello": name}

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(app, request.js_object, self.env)
"""
STREAM = """
import asyncio
from js import ReadableStream, Response
async def on_fetch(request, env):
    left = 20
    async def pull(controller):
        nonlocal left
        await asyncio.sleep(0.005)
        controller.enqueue(b"x" * 20000)
        left -= 1
        if left == 0:
            controller.close()
    return Response.new(ReadableStream.new(pull=pull), headers={"x-bytes": "400000"})
"""
D1 = """
from js import Response
async def on_fetch(request, env):
    key = request.headers.get("x-key")
    await env.DB.prepare("INSERT INTO t (k) VALUES (?)").bind(key).run()
    return Response.new(key)
"""
TALK = """
from js import Response, WebSocketPair
from pyodide.ffi import create_proxy
async def on_fetch(request, env):
    client, server = WebSocketPair.new().object_values()
    server.accept()
    server.addEventListener("message", create_proxy(lambda event: server.send(event.data)))
    return Response.new(None, status=101, webSocket=client)
"""
FETCH = """
from js import Response, fetch
async def on_fetch(request, env):
    answer = await fetch("%s")
    return Response.new(await answer.text())
"""
CRON = """
from js import Response
runs = 0
async def on_fetch(request, env):
    return Response.new(str(runs))
async def on_scheduled(controller, env, ctx):
    global runs
    runs += 1
"""
ABOUT = {"compatibility_date": "2024-03-29"}
DATABASES = "/accounts/$ACC/d1/database"
NAMESPACES = "/accounts/$ACC/storage/kv/namespaces"
SCRIPTS = "/accounts/$ACC/workers/scripts"


def tasks_of(node):
    """Every process under the node, by what it is: [(kind, pid)], found by parents alone."""
    table, found = processes(), []

    def visit(pid, depth):
        for process in table.values():
            if process.parent != pid or process.state in "ZX":
                continue
            kind = process.name if process.name != "corral-worker" else ("zygote", "template", "instance")[min(depth, 2)]
            found.append((kind, process.pid))
            visit(process.pid, depth + 1)
    visit(node.pid, 0)
    return found


class Chaos:
    def __init__(self, node, seed, stops=True, origin=None, every=(0.05, 0.5)):
        self.node, self.random, self.stops, self.every = node, random.Random(seed), stops, every
        self.outcomes = Counter()       # (client, outcome)
        self.longest = {}               # client -> seconds
        self.killed = Counter()         # (signal, kind)
        self.wrong = []                 # what must not happen, in words
        self.inserted, self.put, self.deployed = [], [], {}
        self.rss, self.fds, self.stopped = [], [], []
        self.origin = origin
        self._stop = threading.Event()
        self._threads = []

    # ---- what runs on the node ----

    def prepare(self):
        node = self.node
        for name in ("second", "third"):
            if name not in node.accounts:
                node.add_account(name)
        node.deploy("hello", HELLO % 0, ABOUT)
        node.deploy("stream", STREAM, ABOUT)
        node.deploy("talk", TALK, ABOUT, account="second")
        node.deploy("fast", {"entry.py": FASTAPI, "requirements.txt": "fastapi\n"}, account="second")
        node.deploy("cron", CRON, ABOUT, account="third")
        node.result("PUT", SCRIPTS + "/cron/schedules", [{"cron": "* * * * *"}], account="third")
        self.deployed["hello"] = 0
        if self.origin:
            node.deploy("fetch", FETCH % self.origin, ABOUT, account="third")
        uuid = node.result("POST", DATABASES, {"name": "chaos"}, account="third")["uuid"]
        self.query = DATABASES + "/" + uuid + "/query"
        node.result("POST", self.query, {"sql": "CREATE TABLE t (k TEXT PRIMARY KEY)"}, account="third")
        node.deploy("rows", D1, {**ABOUT, "bindings": [{"type": "d1", "name": "DB", "id": uuid}]}, account="third")
        self.kv = NAMESPACES + "/" + node.result("POST", NAMESPACES, {"title": "chaos"}, account="third")["id"]

    # ---- clients ----

    def _count(self, client, outcome, begun):
        self.outcomes[client, outcome] += 1
        self.longest[client] = max(self.longest.get(client, 0), time.monotonic() - begun)

    def _ask(self, client, host, account, path="/", check=None, headers=None, connection=None):
        """One request; returns the connection if it can be used again."""
        begun, outcome, status = time.monotonic(), None, None
        connection = connection or self.node.connection(HANG)
        try:
            connection.request("GET", path, headers=dict(headers or {}, Host=self.node.host_of(host, account)))
            answer = connection.getresponse()
            status = answer.status
            body = answer.read()
            outcome = str(status)
            if status == 200 and check and not check(answer, body):
                self.wrong.append("%s: %r" % (client, body[:200]))
            if status < 500 and status != 200:
                self.wrong.append("%s: status %d %r" % (client, status, body[:200]))
        except (socket.timeout, TimeoutError):
            outcome = "hangs"
            self.wrong.append("%s: no answer in %d s (status %s)" % (client, HANG, status))
        except (http.client.HTTPException, OSError) as error:
            # A body that has begun can only be cut; before that there is an answer.
            outcome = "cut" if status else "closed"
            if not status and not self._stop.is_set():
                self.wrong.append("%s: closed without an answer: %r" % (client, error))
        self._count(client, outcome, begun)
        if outcome in ("hangs", "cut", "closed") or answer.will_close:
            connection.close()
            return None, outcome
        return connection, outcome

    def _loop(self, once):
        def run():
            state = None
            while not self._stop.is_set():
                state = once(state)
        return run

    def _hello(self, connection):
        fine = lambda answer, body: body.startswith(b"hello ")
        return self._ask("hello", "hello", "main", check=fine, connection=connection)[0]

    def _fast(self, connection):
        fine = lambda answer, body: json.loads(body) == {"hello": "you"}
        return self._ask("fastapi", "fast", "second", "/you", fine, connection=connection)[0]

    def _stream(self, connection):
        fine = lambda answer, body: len(body) == 400000
        return self._ask("stream", "stream", "main", check=fine, connection=connection)[0]

    def _fetch(self, connection):
        return self._ask("fetch", "fetch", "third", check=lambda answer, body: body == b"origin", connection=connection)[0]

    def _insert(self, connection):
        key = "k%d.%d" % (threading.get_ident() % 100000, len(self.inserted))
        key += ".%d" % time.monotonic_ns()
        connection, outcome = self._ask("d1", "rows", "third", headers={"x-key": key}, connection=connection)
        if outcome == "200":
            self.inserted.append(key)
        return connection

    def _talk(self, _):
        begun, outcome = time.monotonic(), "closed"
        try:
            with Raw(self.node, host=self.node.host_of("talk", "second")) as ws:
                for n in range(20):
                    word = b"word %d" % n
                    ws.send(frame(TEXT, word))
                    kind, payload = ws.next()[:2]
                    if payload != word:
                        break
                else:
                    outcome = "101"
        except (OSError, AssertionError, ValueError, EOFError) as error:
            outcome = "hangs" if isinstance(error, TimeoutError) else "cut or 5xx"
            if outcome == "hangs":
                self.wrong.append("websocket: silent for %d s" % DEADLINE)
        self._count("websocket", outcome, begun)

    def _api(self, client, act):
        begun = time.monotonic()
        try:
            said = act()
            outcome = str(said.status)
            if said.status < 500 and not said.success:
                outcome += " " + said.text[:60]
        except (socket.timeout, TimeoutError):
            outcome, said = "hangs", None
            self.wrong.append("%s: no answer in %d s" % (client, DEADLINE))
        except (http.client.HTTPException, OSError) as error:
            outcome, said = "closed", None
            if not self._stop.is_set():
                self.wrong.append("%s: closed without an answer: %r" % (client, error))
        self._count(client, outcome, begun)
        return said

    def _deploy(self, n):
        n = (n or 0) + 1
        said = self._api("deploy", lambda: self.node.upload("hello", HELLO % n, ABOUT))
        if said and said.success:
            self.deployed["hello"] = n
        elif said and said.status < 500:
            self.wrong.append("deploy: %d %s" % (said.status, said.text[:200]))     # there is nothing wrong with what it sends
        self._stop.wait(1)
        return n

    def _put(self, n):
        n = (n or 0) + 1
        said = self._api("kv", lambda: self.node.api("PUT", "%s/values/k%d" % (self.kv, n), b"v%d" % n, account="third"))
        if said and said.success:
            self.put.append(n)
        self._stop.wait(0.02)
        return n

    # ---- the killer ----

    def _strike(self):
        tasks = tasks_of(self.node)
        if not tasks:
            return
        kinds = sorted({kind for kind, _ in tasks})
        # Instances most, zygotes least: a zygote takes all of an account with it.
        weights = [{"zygote": 1, "template": 3}.get(kind, 6) for kind in kinds]
        kind = self.random.choices(kinds, weights)[0]
        pid = self.random.choice([pid for k, pid in tasks if k == kind])
        sign = signal.SIGSTOP if self.stops and self.random.random() < 0.15 else signal.SIGKILL
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        self.killed[sign.name, kind] += 1
        if sign == signal.SIGSTOP and self.random.random() < 0.7:
            self.stopped.append((time.monotonic() + self.random.uniform(0.1, 3), pid))

    def _wake(self, now):
        """Some go on again; the others are the node's to end."""
        for one in [one for one in self.stopped if one[0] <= now]:
            self.stopped.remove(one)
            if one[1] in {pid for _, pid in tasks_of(self.node)}:
                try:
                    os.kill(one[1], signal.SIGCONT)
                except ProcessLookupError:
                    pass

    def _sample(self):
        self.rss.append(rss_kb(self.node.pid))
        self.fds.append(len(os.listdir("/proc/%d/fd" % self.node.pid)))

    # ---- a run ----

    def __enter__(self):
        self.prepare()
        self.settle()
        self._sample()
        self.fds_before = self.fds[0]
        clients = [self._hello, self._hello, self._fast, self._stream, self._insert, self._insert, self._talk, self._deploy, self._put]
        clients += [self._fetch] if self.origin else []
        self._threads = [threading.Thread(target=self._loop(client), daemon=True) for client in clients]
        for thread in self._threads:
            thread.start()
        return self

    def run(self, seconds, say=None):
        begun = time.monotonic()
        last = begun
        while time.monotonic() - begun < seconds:
            self._strike()
            now = time.monotonic()
            self._wake(now)
            if now - last >= 1:
                last = now
                self._sample()
                if say:
                    say(self, now - begun)
            time.sleep(self.random.uniform(*self.every))
        self._wake(float("inf"))

    def __exit__(self, kind, *_):
        self._stop.set()
        end = time.monotonic() + HANG + 10
        for thread in self._threads:
            thread.join(max(0.1, end - time.monotonic()))
            if thread.is_alive():
                self.wrong.append("a client still waits")

    # ---- what must hold ----

    def settle(self):
        """Every worker answers, again."""
        workers = [("hello", "main"), ("stream", "main"), ("fast", "second"), ("cron", "third")]
        for name, account in workers + ([("fetch", "third")] if self.origin else []):
            path = "/you" if name == "fast" else "/"
            until("%s of %s answers" % (name, account), lambda: self.node.get(name, path, account=account, timeout=HANG).status == 200, HANG)

    def stored(self):
        """What was acknowledged and is not there."""
        def rows():
            said = self.node.api("POST", self.query, {"sql": "SELECT k FROM t"}, account="third")
            return said.success and said.result[0]["results"] or None
        there = {row["k"] for row in until("the database answers", rows, HANG)} if self.inserted else set()
        lost = [key for key in self.inserted if key not in there]
        for n in self.put:
            if self.node.api_raw("GET", "/client/v4%s/values/k%d" % (self.kv.replace("$ACC", self.node.accounts["third"]["id"]), n),
                                 account="third").body != b"v%d" % n:
                lost.append("KV k%d" % n)
        text = self.node.get("hello").text
        if int(text.split()[1]) < self.deployed["hello"]:
            lost.append("version %d of hello, it is '%s'" % (self.deployed["hello"], text))
        return lost

    def leaks(self):
        """Descriptors and processes that should have gone, in words; waits for those that go."""
        def few():
            return len(os.listdir("/proc/%d/fd" % self.node.pid)) <= self.fds_before + 8
        found = []
        try:
            until("the descriptors are as before", few, HANG)
        except AssertionError:
            found.append("descriptors: %d before, %d now" % (self.fds_before, len(os.listdir("/proc/%d/fd" % self.node.pid))))
        try:    # each is one for the moment until the node has heard of its end
            until("no zombies", lambda: not self.zombies())
        except AssertionError:
            found += ["a zombie of the node: %s" % name for name in self.zombies()]
        return found

    def zombies(self):
        return [process.name for process in processes().values() if process.state == "Z" and process.parent == self.node.pid]

    def slope(self):
        """Growth of the node's memory from the second third of the run to the last, in kB."""
        third = len(self.rss) // 3
        if third < 3:
            return 0
        middle = lambda values: sorted(values)[len(values) // 2]
        return middle(self.rss[-third:]) - middle(self.rss[third:2 * third])

    def total(self, outcome=None):
        return sum(n for (_, o), n in self.outcomes.items() if outcome is None or o == outcome)

    def report(self):
        lines = ["%-10s %s; longest %.1f s" % (client, ", ".join("%s: %d" % (o, n) for (c, o), n in sorted(self.outcomes.items()) if c == client),
                                               self.longest[client]) for client in sorted(self.longest)]
        lines.append("signals    " + ", ".join("%s %s: %d" % (sign, kind, n) for (sign, kind), n in sorted(self.killed.items())))
        lines.append("memory     %d to %d kB, slope %+d kB; descriptors %d, at most %d"
                     % (self.rss[0], self.rss[-1], self.slope(), self.fds_before, max(self.fds)))
        return "\n".join(lines + ["WRONG      " + w for w in self.wrong[:20]])


def hold_port(port):
    """Until it is closed, nobody gets the port by chance; who asks for it by its number, to listen, does."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", port))
    return held


def restart(node_class, node, *flags):
    """kill -9 of the node, and another one on the same folder and ports; seconds to its first answer, and the node."""
    family = descendants(node.pid)
    listen, api = "127.0.0.1:%d" % node.port, "127.0.0.1:%d" % node.api_port
    node.process.kill()
    node.process.wait(DEADLINE)
    held = [hold_port(port) for port in (node.port, node.api_port)]
    node.wait_exit()
    begun = time.monotonic()
    again = node_class(node.data, *flags, listen=listen, api=api, token=False, domain=DOMAIN)
    again.tokens, again.accounts = node.tokens, node.accounts
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=DEADLINE)
            connection.request("GET", "/", headers={"Host": node.host_of("hello")})
            answer = connection.getresponse()
            answer.read()
            connection.close()
            if answer.status == 200:
                break
        except OSError:
            time.sleep(0.002)
        assert time.monotonic() - begun < DEADLINE, again.log_text()
    took = time.monotonic() - begun
    again.wait_ready()
    for one in held:
        one.close()
    left = still_alive(family)
    return took, again, left
