"""Start the real corral and look at it from outside: its output, its answers, its processes.

CORRAL_BIN_DIR says which build (default build/rel).  Nothing here sleeps to wait for something:
until() polls a condition with a deadline, and wait_log() is woken by the line itself.
"""
import base64
import contextlib
import ctypes
import fcntl
import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import textwrap
import threading
import time
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = (ROOT / os.environ.get("CORRAL_BIN_DIR", "build/rel")).resolve()
# Deadlines are long because they only matter when something is wrong; sanitizers need more.
PATIENCE = 5 if BIN.name in ("asan", "tsan") else 1
DEADLINE = 20 * PATIENCE
# Built-in packages are made once, for all tests; nothing here touches the home of who runs them.
PACKAGES = ROOT / "build" / "packages"
os.environ["CORRAL_PACKAGES"] = str(PACKAGES)
if BIN.name == "tsan":
    # A data race ends the process that has it, and so the test; in its box no symbolizer can be started.
    os.environ.setdefault("TSAN_OPTIONS", "halt_on_error=1 symbolize=0")

# How an error and a warning begin, in the log or on the command line.
ERROR = r"(?:err\]|error: |^corral: )"
WARNING = r"(?:wrn\]|warning: )"

Answer = namedtuple("Answer", "status reason headers body")
Answer.text = property(lambda self: self.body.decode("utf-8", "replace"))
Answer.json = lambda self: json.loads(self.body)

WRANGLER = """\
name = "{name}"
main = "src/entry.py"
compatibility_date = "2024-03-29"
compatibility_flags = ["python_workers", "disable_python_no_global_handlers"]
"""


def until(what, condition, deadline=None, every=0.02):
    """Poll condition() until it is true; its value.  `what` names it, or is a function that does.

    The last look begins behind the deadline: who was kept from looking does not take that for an answer."""
    end = time.monotonic() + (deadline or DEADLINE)
    while True:
        is_last = time.monotonic() > end
        value = condition()
        if value:
            return value
        if is_last:
            raise AssertionError("never came true: %s (last: %r)" % (what() if callable(what) else what, value))
        time.sleep(every)


def holds(what, condition, seconds=0.7, every=0.02):
    """condition() must stay true for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        assert value, "did not stay true: %s (%r)" % (what, value)
        time.sleep(every)


# A node of whose worker one instance takes all requests: of several, each that does not turn for 30 ms, as on a busy
# machine, makes the next request go to another.
ONE = {"CORRAL_TEST_INSTANCES": "1"}


# ---- processes ----

Process = namedtuple("Process", "pid parent name state start")


def processes():
    """Every process of the machine, by pid."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % entry, "rb") as f:
                line = f.read().decode("utf-8", "replace")
        except OSError:
            continue
        head, _, tail = line.rpartition(")")
        fields = tail.split()
        found[int(entry)] = Process(int(entry), int(fields[1]), head.split("(", 1)[1], fields[0], int(fields[19]))
    return found


def children(pid, table=None):
    table = processes() if table is None else table
    return sorted((p for p in table.values() if p.parent == pid and p.state not in "ZX"), key=lambda p: p.start)


def descendants(pid, table=None):
    table = processes() if table is None else table
    found = []
    for child in children(pid, table):
        found += [child] + descendants(child.pid, table)
    return found


def is_alive(one, table=None):
    """one: a pid; or a Process, which another one with the same number is not."""
    table = processes() if table is None else table
    process = table.get(getattr(one, "pid", one))
    return process is not None and process.state not in "ZX" and getattr(one, "start", process.start) == process.start


def still_alive(family):
    """Those of these processes that have not ended."""
    table = processes()
    return [one for one in family if is_alive(one, table)]


def status_of(pid):
    """/proc/PID/status as a dict."""
    return dict(line.rstrip("\n").split(":\t", 1) for line in open("/proc/%d/status" % pid) if ":\t" in line)


def inner_pid(pid):
    """What a process calls itself."""
    try:
        return int(status_of(pid)["NSpid"].split()[-1])
    except (OSError, KeyError):
        return None


def rss_kb(pid, field="VmRSS"):
    return int(status_of(pid)[field].split()[0])


def listening(pid):
    """[(address, port)] at which a process waits for connections by IPv4."""
    sockets = set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        with contextlib.suppress(OSError):
            sockets.add(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
    lines = [line.split() for line in open("/proc/net/tcp").readlines()[1:]]
    local = [fields[1].split(":") for fields in lines if fields[3] == "0A" and "socket:[%s]" % fields[9] in sockets]
    return [(socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)) for address, port in local]


def adopt_orphans():
    """Orphans of what we start become our children, so that none can hide."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(36, 1, 0, 0, 0) == 0, "PR_SET_CHILD_SUBREAPER"


def orphans(known):
    """Live children of this process that it did not start itself; reaps the dead ones."""
    live = []
    for process in processes().values():
        if process.parent != os.getpid() or process.pid in known:
            continue
        if process.state in "ZX":
            if process.name.startswith("corral"):
                try:
                    os.waitpid(process.pid, os.WNOHANG)
                except ChildProcessError:
                    pass
        elif is_ours(process):
            live.append(process)
    return live


def is_ours(process):
    if process.name.startswith("corral"):
        return True
    try:
        return os.readlink("/proc/%d/exe" % process.pid).startswith(str(BIN))
    except OSError:
        return False


# ---- packages ----


def run_packager(job, **more):
    """Every line that corral-worker packages says about a job."""
    done = subprocess.run([str(BIN / "corral-worker"), "packages"], input=json.dumps(job).encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **more)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return [json.loads(line) for line in done.stdout.splitlines()]


def make_packages():
    """The default set, made when there is none or when what it is made of has changed."""
    last = run_packager({"job": "sync", "what": "debian", "home": str(PACKAGES)})[-1]
    assert "done" in last, last


# ---- projects ----


def write_project(folder, files, name="hello"):
    """files: {path: text or bytes}, or the text of src/entry.py.  Adds a wrangler.toml when there is no config."""
    if isinstance(files, str):
        files = {"src/entry.py": files}
    files = dict(files)
    if not any(os.path.basename(p).startswith("wrangler.") for p in files):
        files["wrangler.toml"] = WRANGLER.format(name=name)
    for path, content in files.items():
        target = Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = textwrap.dedent(content).encode()
        target.write_bytes(content)
    return Path(folder)


def free_port():
    """A port that nobody has, and none of those that the kernel gives away: whoever asks for any port, and every client
    that connects, could have got it by the time that it is used."""
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    ports = range(10000, low) if low > 20000 else range(high + 1, 65536) if high < 60000 else range(low, high)
    while True:
        port = secrets.choice(ports)
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("0.0.0.0", port))
            return port


HELLO = """\
from js import Response

async def on_fetch(request, env):
    return Response.new("Hello world!")
"""

# A worker that runs the Python it is sent, so that a test holds both sides in one place.
# x-code: the body of `async def handle(request, env, ctx)`; x-mode json: its value as JSON.
LAB = '''\
import base64, ctypes, errno, json, os, random, secrets, subprocess, sys, time, traceback, uuid
import asyncio
import js
from js import Headers, Response, console

async def on_fetch(request, env, ctx):
    code = request.headers.get("x-code")
    if not code:
        return Response.new("ready")
    scope = dict(globals())
    exec(compile(base64.b64decode(code).decode(), "lab.py", "exec"), scope)
    if request.headers.get("x-mode") != "json":
        return await scope["handle"](request, env, ctx)
    try:
        answer = {"value": await scope["handle"](request, env, ctx)}
    except BaseException as e:
        cause = getattr(getattr(e, "js_error", None), "cause", None)
        answer = {"error": type(e).__name__, "errno": getattr(e, "errno", None), "text": str(e),
                  "is_os_error": isinstance(e, OSError), "cause": cause and str(cause)}
    return Response.new(json.dumps(answer))
'''


def ends_within(process, seconds):
    """Whether a child ends in so many seconds of a machine that runs: those in which this process stood still as well count little."""
    left, before = seconds, time.monotonic()
    while left > 0:
        try:
            process.wait(0.05)
            return True
        except subprocess.TimeoutExpired:
            now = time.monotonic()
            left -= min(now - before, 0.25)
            before = now
    return process.poll() is not None


class Corral:
    """One running `corral dev`."""

    def __init__(self, project, *flags, port=0, env=None, cwd=None, command=None):
        """command: what to run instead, or what makes it of the usual arguments."""
        self.project = project
        arguments = [str(BIN / "corral"), "dev"] + ([] if port is None else ["--port", str(port)]) + list(flags)
        if project is not None:
            arguments.append(str(project))
        if command is not None:
            arguments = command(arguments) if callable(command) else command
        self.arguments = arguments
        environment = dict(os.environ)
        environment.update(env or {})
        self._lines = []
        self._changed = threading.Condition()
        self._open = 2
        self.started = time.monotonic()
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment, cwd=cwd, start_new_session=True)
        for pipe in (self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):      # a node leaves out lines that a slow reader, as these threads may be, has no room for
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.pid = self.process.pid
        self.host = "127.0.0.1"
        self.port = None
        self._readers = [threading.Thread(target=self._read, args=(pipe,), daemon=True)
                         for pipe in (self.process.stdout, self.process.stderr)]
        for reader in self._readers:
            reader.start()

    # -- output --

    def _read(self, pipe):
        for line in pipe:
            with self._changed:
                self._lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def log_lines(self):
        with self._changed:
            return list(self._lines)

    def log_text(self):
        return "\n".join(self.log_lines())

    def mark(self):
        """For wait_log(since=...): only what comes from now on."""
        return len(self.log_lines())

    def wait_log(self, pattern, deadline=None, since=0):
        """The first match of the pattern in the output (over several lines if it wants)."""
        regex = re.compile(pattern, re.MULTILINE)
        spans_lines = any(word in pattern for word in ("\\n", "\\s", "[^", "(?s", "\n"))
        end = time.monotonic() + (deadline or DEADLINE)
        with self._changed:
            while True:
                match = regex.search("\n".join(self._lines[since:]))
                if match:
                    return match
                if not spans_lines:     # megabytes of output are looked at once
                    since = len(self._lines)
                left = end - time.monotonic()
                over = self._open == 0
                if left <= 0 or over:
                    raise AssertionError("%s without %r; the output was:\n%s" % (
                        "the program ended" if over else "time is up", pattern, "\n".join(self._lines)))
                self._changed.wait(left)

    def wait_ready(self, deadline=None):
        match = self.wait_log(r"Ready on (http://[^\s/]*:(\d+))", deadline)
        self.ready_after = time.monotonic() - self.started
        self.url = match.group(1)
        self.port = int(match.group(2))
        return self

    def wait_exit(self, deadline=None):
        """The exit code of a corral that ends by itself."""
        code = self.process.wait(deadline or DEADLINE)
        for reader in self._readers:
            reader.join(DEADLINE)
        return code

    # -- requests --

    def connect(self, timeout=None):
        return socket.create_connection((self.host, self.port), timeout or DEADLINE)

    def connection(self, timeout=None):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout or DEADLINE)

    def request(self, method, path, body=None, headers=None, timeout=None, connection=None):
        own = connection or self.connection(timeout)
        try:
            own.request(method, path, body, headers or {})
            answer = own.getresponse()
            return Answer(answer.status, answer.reason, answer.headers, answer.read())
        finally:
            if connection is None:
                own.close()

    def get(self, path="/", headers=None, timeout=None):
        return self.request("GET", path, None, headers, timeout)

    def run(self, code, method="GET", path="/", body=None, headers=None, timeout=None):
        """Run the body of a handler in a LAB worker; the answer."""
        sent = {"x-code": lab_code(code)}
        sent.update(headers or {})
        return self.request(method, path, body, sent, timeout)

    def value(self, code, **more):
        """Run Python in a LAB worker; what it returned."""
        outcome = self.outcome(code, **more)
        assert "value" in outcome, outcome
        return outcome["value"]

    def outcome(self, code, **more):
        """Run Python in a LAB worker: {"value": ...} or {"error": ..., "errno": ..., "text": ...}."""
        answer = self.run(code, headers={"x-mode": "json"}, **more)
        assert answer.status == 200, (answer.status, answer.text)
        return answer.json()

    # -- processes --

    def generations(self):
        """The live (zygotes, templates, instances), oldest first: children, grandchildren and theirs."""
        table = processes()
        zygotes = [p for p in children(self.pid, table) if p.name != "corral-store"]
        templates = [t for z in zygotes for t in children(z.pid, table)]
        instances = [i for t in templates for i in children(t.pid, table)]
        return zygotes, templates, instances

    def outer(self, pid):
        """The number, out here, of the instance that calls itself `pid`: it may be in a pid namespace."""
        own = [p.pid for p in self.instances() if inner_pid(p.pid) == pid]
        assert len(own) == 1, (pid, own)
        return own[0]

    def zygotes(self):
        return self.generations()[0]

    def templates(self):
        return self.generations()[1]

    def instances(self):
        return self.generations()[2]

    def stores(self):
        """The processes that hold databases, oldest first."""
        return [p for p in children(self.pid) if p.name == "corral-store"]

    def wait_settled(self):
        """One zygote, one template, an instance: what a quiet corral looks like."""
        def look():
            zygotes, templates, instances = self.generations()
            return len(zygotes) == 1 and len(templates) == 1 and len(instances) >= 1 and (zygotes, templates, instances)
        return until(lambda: "one zygote, one template, an instance: %r" % (self.generations(),), look)

    def write(self, path, content):
        target = Path(self.project) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(content))

    def put(self, path, content):
        """As write, and nobody ever sees half of it: a file made elsewhere takes the place of the old one."""
        made = Path(self.project).parent / "put"
        made.write_text(content)
        os.replace(made, Path(self.project) / path)

    # -- the end --

    def is_running(self):
        return self.process.poll() is None

    def assert_nothing_left(self, others=()):
        known = {self.pid} | {o.pid for o in others}
        until(lambda: "no process is left behind: %r" % (orphans(known),), lambda: not orphans(known))

    def stop(self, sign=signal.SIGTERM, within=3.0):
        """SIGTERM: ends all at once. That takes a fifth of a second; the rest is for what else the machine does."""
        family = descendants(self.pid)
        begun = time.monotonic()
        self.process.send_signal(sign)
        if not ends_within(self.process, within * PATIENCE):
            with open("/proc/%d/status" % self.pid) as f:
                raise AssertionError("still there %.1f s after %s:\n%s" % (time.monotonic() - begun, sign, f.read()))
        until(lambda: "the processes under it end with it: %r" % still_alive(family), lambda: not still_alive(family),
              max(0.2, within * PATIENCE - (time.monotonic() - begun)))
        return time.monotonic() - begun

    def close(self):
        """At teardown, whatever happened: everything of it is gone when this returns."""
        if self.is_running():
            self.process.kill()
            self.process.wait(DEADLINE)
        for reader in self._readers:
            reader.join(DEADLINE)
        self.process.stdout.close()
        self.process.stderr.close()


def lab_code(code):
    source = "async def handle(request, env, ctx):\n" + textwrap.indent(textwrap.dedent(code), "    ")
    return base64.b64encode(source.encode()).decode()


class Load:
    """Clients that ask again and again, each on its own connection, until stopped.

    with Load(corral, 4) as load: ...; then load.results: [(status or exception, text)]
    """

    def __init__(self, corral, clients, path="/", keep_alive=True, headers=None):
        self.corral, self.path, self.keep_alive, self.headers = corral, path, keep_alive, headers or {}
        self.results = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def _run(self):
        connection = None
        while not self._stop.is_set():
            try:
                connection = connection or self.corral.connection()
                connection.request("GET", self.path, headers=self.headers)
                answer = connection.getresponse()
                self.results.append((answer.status, answer.read().decode("utf-8", "replace")))
                closes = answer.will_close
            except Exception as e:  # every kind of no answer is a result
                self.results.append((e, repr(e)))
                closes = True
            if closes or not self.keep_alive:
                connection.close()
                connection = None
        if connection:
            connection.close()

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(DEADLINE * 2)
            assert not thread.is_alive(), "a request was never answered"

    def wait(self, count):
        """So many more results."""
        goal = len(self.results) + count
        until(lambda: "%d results, there are %d" % (goal, len(self.results)), lambda: len(self.results) >= goal)

    def unanswered(self):
        return [r for r in self.results if not isinstance(r[0], int)]

    def statuses(self):
        return {status for status, _ in self.results}


def text(lab, code, **more):
    """The answer's body; it must be a 200."""
    answer = lab.run(code, **more)
    assert answer.status == 200, (answer.status, answer.text)
    return answer.text


def script(lab, code, **more):
    """Run the body of an async function of JavaScript in a LAB worker; what it returned, through JSON."""
    return lab.value("""
        made = await js.eval("(async () => {" + %s + "\\n})")()
        return json.loads(js.JSON.stringify(made))
    """ % json.dumps(code), **more)


# ---- JavaScript cases: files of checks that run whole in a worker ----


def run_cases(lab, path, at_least):
    """Run a file of JavaScript cases (body_cases/harness.js): no failure, and not fewer checks than there were."""
    here = Path(__file__).parent
    script = "(async () => {\n%s\n%s\nreturn JSON.stringify(outcome);\n})()" % (
        (here / "body_cases/harness.js").read_text(), (here / path).read_text())
    outcome = lab.value("return json.loads(await js.eval(await request.text()))", method="POST", body=script.encode())
    assert outcome["failures"] == []
    assert outcome["checks"] >= at_least, outcome


# Python in front of a test's own: pieces(...) is a stream of them.
PIECES = """
def pieces(*items):
    left = list(items)
    def pull(controller):
        if left:
            controller.enqueue(left.pop(0))
        else:
            controller.close()
    return js.ReadableStream.new(pull=pull)
"""
