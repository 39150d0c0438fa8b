"""common.py - what the programs under bench/ share: building, serving, reading /proc, tables."""
import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = (ROOT / os.environ.get("CORRAL_BIN_DIR", "build/rel")).resolve()
TICK = os.sysconf("SC_CLK_TCK")

WRANGLER = """\
name = "bench"
main = "src/entry.py"
compatibility_date = "2024-03-29"
compatibility_flags = ["python_workers"]
"""

HELLO = """\
from js import Response

async def on_fetch(request, env):
    return Response.new("Hello world!")
"""


def arguments(text, **numbers):
    """--check, --markdown and a number per keyword."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--check", action="store_true", help="exit 1 when a figure misses its threshold")
    parser.add_argument("--markdown", action="store_true", help="tables for docs/performance.md")
    for name, default in numbers.items():
        parser.add_argument("--" + name, type=type(default), default=default)
    return parser.parse_args()


def prepare(*sets):
    """Install what is missing and build, as script/dev does.  Not with CORRAL_BIN_DIR: that is built."""
    if "CORRAL_BIN_DIR" not in os.environ:
        subprocess.run(["bash", "-ec", '. "$1"; shift; install_packages "$@"; build rel all', "-",
                        str(ROOT / "script/lib.sh"), "build", "run", *sets], check=True, stdout=sys.stderr)


def until(what, condition, seconds=20, every=0.002):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise SystemExit("bench: never came true: " + what)
        time.sleep(every)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- processes ----


def stat(pid):
    with open("/proc/%d/stat" % pid) as f:
        head, _, tail = f.read().rpartition(")")
    return head.split("(", 1)[1], tail.split()


def families():
    """Live children of every process, oldest first.  (Not every kernel has /proc/PID/task/*/children.)"""
    found = {}
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            fields = stat(pid)[1]
        except OSError:
            continue
        if fields[0] not in "ZX":
            found.setdefault(int(fields[1]), []).append(pid)
    return found


def is_alive(pid):
    try:
        return stat(pid)[1][0] not in "ZX"
    except OSError:
        return False


def tree(pid, table=None):
    table = families() if table is None else table
    return [pid] + [p for child in table.get(pid, []) for p in tree(child, table)]


def outer(inner):
    """The process below this program that calls itself so: instances are in a pid namespace. None: it is gone."""
    for pid in tree(os.getpid())[1:]:
        try:
            with open("/proc/%d/status" % pid) as f:
                own = [line.split()[-1] for line in f if line.startswith("NSpid:")]
            with open("/proc/%d/comm" % pid) as f:
                is_worker = f.read().startswith("corral-worker")
        except OSError:
            continue
        if is_worker and own == [str(inner)]:
            return pid
    return None


def cpu_us(pid):
    """User and system time, all threads."""
    try:
        fields = stat(pid)[1]
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) * 1_000_000 // TICK


def private_kb(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return sum(int(line.split()[1]) for line in f if line.startswith(("Private_Dirty:", "Private_Clean:")))


class Server:
    """A child that serves on `port`; the whole family ends with close()."""

    def __init__(self, name, command, port, env=None, cwd=None):
        self.name, self.port = name, port
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, env={**os.environ, **(env or {})}, cwd=cwd,
                                        start_new_session=True)
        self.pid = self.process.pid

    def text(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def wait(self, seconds=20, path="/"):
        def answers():
            if self.process.poll() is not None:
                raise SystemExit("bench: %s ended:\n%s" % (self.name, self.text()))
            return get(self.port, path) is not None
        until("%s answers:\n%s" % (self.name, self.text()), answers, seconds)
        return self

    def close(self):
        family = tree(self.pid)
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in family:
            if pid != self.pid and is_alive(pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def write(path, text):
    """As most editors do: a new file renamed over the old one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name("." + path.name + ".new")
    beside.write_text(text)
    os.rename(beside, path)


def corral(folder, source=HELLO, port=None, tables="", **settings):
    """`corral dev` on a project of one file; tables: more of its configuration; settings are CORRAL_TEST_..."""
    write(Path(folder) / "wrangler.toml", WRANGLER + tables)
    write(Path(folder) / "src/entry.py", source)
    port = port or free_port()
    return Server("corral", [BIN / "corral", "dev", "--port", port, "--log-level", "warn", folder], port,
                  env={"CORRAL_TEST_" + k.upper(): str(v) for k, v in settings.items()})


def generations(server):
    """Pids of zygotes, templates, instances."""
    table = families()
    zygotes = [p for p in table.get(server.pid, []) if stat(p)[0] != "corral-store"]
    templates = [t for z in zygotes for t in table.get(z, [])]
    return zygotes, templates, [i for t in templates for i in table.get(t, [])]


# ---- requests: the smallest client there is, so that it costs little ----

GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Client:
    """One kept connection."""

    def __init__(self, port, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path="/"):
        """(status, body); OSError when the answer does not come whole."""
        self.socket.sendall(GET % path.encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        while length and len(body) < int(length.group(1)):
            body += self._more()
        if not length:
            while not body.endswith(b"0\r\n\r\n"):
                body += self._more()
            body = body.split(b"\r\n")[1]
        return int(head.split()[1]), body

    def _more(self):
        got = self.socket.recv(65536)
        if not got:
            raise ConnectionError("the connection ended")
        return got

    def close(self):
        self.socket.close()


def get(port, path="/"):
    try:
        client = Client(port, 5)
    except OSError:
        return None
    try:
        return client.get(path)
    except OSError:
        return None
    finally:
        client.close()


def timed(client):
    """Milliseconds, status, body."""
    begun = time.perf_counter()
    status, body = client.get()
    return (time.perf_counter() - begun) * 1000, status, body


# ---- load ----


def wrk(port, path, connections, seconds, script=None):
    """Requests per second, p50 and p99 in milliseconds, requests.  script: a file of Lua that makes them."""
    out = subprocess.run(["wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds, "--latency", *(["-s", script] if script else []),
                          "http://127.0.0.1:%d%s" % (port, path)], stdout=subprocess.PIPE, text=True, check=True).stdout
    bad = re.search(r"Socket errors:.*|Non-2xx.*", out)
    if bad:
        raise SystemExit("bench: wrk: " + bad.group(0))

    def ms(percent):
        value, unit = re.search(r"^ +%d%% +([\d.]+)(us|ms|s|m)$" % percent, out, re.M).groups()
        return float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]
    return (float(re.search(r"Requests/sec: +([\d.]+)", out).group(1)), ms(50), ms(99),
            int(re.search(r"(\d+) requests in", out).group(1)))


def role(server, pid):
    if server.name != "corral":
        return stat(pid)[0]
    zygotes, templates, instances = generations(server)
    return ("store" if stat(pid)[0] == "corral-store" else
            "node" if pid == server.pid else "instance" if pid in instances else
            "template" if pid in templates else "zygote")


def measure(server, path, options, script=None):
    """Of a server under `options.connections` connections for `options.seconds`: rate, p50, p99, and what
    each of its processes takes for a request."""
    wrk(server.port, path, options.connections, 1, script)  # warm
    before = {pid: cpu_us(pid) for pid in tree(server.pid)}
    rate, p50, p99, requests = wrk(server.port, path, options.connections, options.seconds, script)
    spent = {}
    for pid in before:
        us = (cpu_us(pid) - before[pid]) / requests
        if us >= 0.05:
            spent.setdefault(role(server, pid), []).append(us)
    return {"rate": rate, "p50": p50, "p99": p99, "cpu": spent}


# ---- figures ----


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def median(values):
    return quantile(values, 0.5)


def table(markdown, head, rows):
    rows = [[str(c) for c in row] for row in rows]
    if markdown:
        lines = [head, ["---"] * len(head)] + rows
        print("\n".join("| %s |" % " | ".join(row) for row in lines))
    else:
        widths = [max(len(row[i]) for row in [head] + rows) for i in range(len(head))]
        for row in [head] + rows:
            print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))))
    print()


class Thresholds:
    """`is_met` decides; prints a line each and the exit code of --check."""

    def __init__(self):
        self.rows, self.missed = [], 0

    def at_most(self, what, value, limit, unit):
        self._add(what, value, "<=", limit, unit, value <= limit)

    def at_least(self, what, value, limit, unit):
        self._add(what, value, ">=", limit, unit, value >= limit)

    def _add(self, what, value, sign, limit, unit, is_met):
        self.missed += not is_met
        self.rows.append([what, "%.4g %s" % (value, unit), "%s %.4g %s" % (sign, limit, unit), "met" if is_met else "MISSED"])

    def close(self, options):
        table(options.markdown, ["threshold", "figure", "wanted", ""], self.rows)
        return 1 if options.check and self.missed else 0


def machine():
    model = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    return "%d cores, %s, Linux %s, load %.1f before" % (os.cpu_count(), model.group(1) if model else os.uname().machine,
                                                       os.uname().release.split("-")[0], os.getloadavg()[0])
