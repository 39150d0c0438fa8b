"""`corral serve`: its contract with scripts, its settings, its beginning and its end."""
import os
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from harness import BIN, DEADLINE, free_port, until
from origin import Origin, make_certificate
from serve import upload_form
from websocket_client import CLOSE, Raw, frame

pytestmark = pytest.mark.asan

FLAGS = {"compatibility_flags": ["python_workers", "disable_python_no_global_handlers"]}

# Waits for so many seconds as its path says, or for what another server says; or is a WebSocket.
SLOW = """\
import asyncio
from js import Response, WebSocketPair, fetch

async def on_fetch(request, env):
    if request.headers.get("Upgrade"):
        client, server = WebSocketPair.new().object_values()
        server.accept()
        return Response.new(None, status=101, webSocket=client)
    print("waiting")
    if "?" in request.url:
        return Response.new(await (await fetch(request.url.split("?")[1])).text())
    await asyncio.sleep(float(request.url.rsplit("/", 1)[1] or 0))
    return Response.new("slow")
"""


def refused(*arguments, code=2, **more):
    """What `corral serve` says when it does not start."""
    done = subprocess.run([str(BIN / "corral"), "serve"] + [str(a) for a in arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE, **more)
    assert (done.returncode, done.stdout) == (code, b""), (done.returncode, done.stdout, done.stderr)
    return done.stderr.decode()


def all_of(s):
    """What comes up to the end of the connection."""
    with s.makefile("rb") as f:
        return f.read()


# ---- the contract ----


def test_what_it_prints_and_how_it_ends(tmp_path):
    data = tmp_path / "deep" / "data"
    command = [str(BIN / "corral"), "serve", "--data", str(data), "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0",
               "--domain", "test", "--drain-seconds", "3000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first, second = process.stdout.readline().decode(), process.stdout.readline().decode()
    try:
        for line, begin in ((first, "Ready on http://127.0.0.1:"), (second, "API on http://127.0.0.1:")):
            assert line.startswith(begin) and line.endswith("\n"), line
            socket.create_connection(("127.0.0.1", int(line[len(begin):])), DEADLINE).close()
        assert oct(data.stat().st_mode & 0o777) == "0o700"
        assert int((data / "node.lock").read_text()) == process.pid
        limits = dict(line.split("  ", 1) for line in open("/proc/%d/limits" % process.pid) if "  " in line)
        soft, hard = limits["Max open files"].split()[:2]
        assert soft == hard
        process.send_signal(signal.SIGTERM)
        rest, logs = process.communicate(timeout=DEADLINE)      # nobody is there to be waited for
        assert (process.returncode, rest) == (0, b""), (process.returncode, rest, logs)
    finally:
        process.kill()


def test_hosts_tokens_and_an_empty_node(serve):
    node = serve()
    answer = node.get("nobody")
    assert answer.status == 404 and "Server" not in answer.text
    assert node.api("GET", "/accounts/$ACC/d1/database").result == []
    assert set(node.account) >= {"id", "name", "subdomain"} and len(node.account["id"]) == 32
    assert node.api("GET", "/accounts/$ACC/d1/database", token=None).status in (400, 401)
    assert node.api("GET", "/accounts/$ACC/d1/database", token="crl_" + "x" * 40).status in (401, 403)
    assert node.stop() == 0
    assert [line for line in node.access_log() if line["status"] == 404 and line["host"] == node.host_of("nobody")]


def test_one_node_per_data_folder(serve):
    node = serve()
    said = refused("--data", node.data, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", code=1)
    assert "another node (pid %d) serves the data folder '%s'" % (node.pid, node.data) in said
    node.kill()
    again = serve(data=node.data, token=False)
    assert int((node.data / "node.lock").read_text()) == again.pid
    # What was acknowledged before kill -9 is there: the token.
    again.tokens, again.accounts = node.tokens, node.accounts
    assert again.api("GET", "/accounts/$ACC/d1/database").result == []


def test_a_port_that_is_taken(serve, tmp_path):
    node = serve()
    said = refused("--data", tmp_path / "other", "--listen", "127.0.0.1:%d" % node.port, "--api", "127.0.0.1:0", code=1)
    assert "port %d is in use by 'corral' (pid %d)" % (node.port, node.pid) in said
    said = refused("--data", tmp_path / "other", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:%d" % node.api_port, code=1)
    assert "port %d is in use by 'corral' (pid %d)" % (node.api_port, node.pid) in said and "choose another port" in said


def test_several_addresses(serve):
    port = free_port()
    node = serve("--listen", "[::1]:0", "--listen", "localhost:%d" % port, "--access-log", "off")
    assert node.url == "http://127.0.0.1:%d" % node.port
    other = int(node.wait_log(r"Also on http://\[::1\]:(\d+)").group(1))
    node.wait_log(r"Also on http://localhost:%d" % port)
    for family, ip, number in ((socket.AF_INET6, "::1", other), (socket.AF_INET, "127.0.0.1", port),
                               (socket.AF_INET6, "::1", port)):
        with socket.socket(family) as s:
            s.settimeout(DEADLINE)
            s.connect((ip, number))
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert all_of(s).startswith(b"HTTP/1.1 404")
    assert node.stop() == 0 and node.access_log() == []


# ---- settings ----


def test_command_lines_that_are_wrong(tmp_path):
    data = ("--data", tmp_path / "data")
    assert "no data folder was named" in refused()
    assert "unknown option '--datta'" in refused("--datta", "x")
    assert "'extra' is too much" in refused(*data, "extra")
    assert "'nonsense' is no address to listen on" in refused(*data, "--listen", "nonsense")
    assert "'127.0.0.1:65536' is no address" in refused(*data, "--listen", "127.0.0.1:65536")
    assert "'under_score.test' is no domain" in refused(*data, "--domain", "under_score.test")
    assert "--cpu-ms takes a number" in refused(*data, "--cpu-ms", "-1")
    assert "the log level is debug" in refused(*data, "--log-level", "loud")
    assert "'https://127.0.0.1:0' needs a certificate" in refused(*data, "--listen", "https://127.0.0.1:0")
    assert "a certificate without its key" in refused(*data, "--tls-cert", "x.pem")
    assert "there is no file 'missing.toml'" in refused(*data, "--config", "missing.toml")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "*:0", "192.0.2.1:8788", "http://0.0.0.0:0"])
def test_the_api_does_not_leave_the_machine_in_the_clear(tmp_path, address):
    said = refused("--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--api", address)
    assert "the API would listen at %s without TLS" % address in said
    assert "reads the tokens in it" in said and "--allow-plain-http-api" in said


def test_the_api_leaves_the_machine_when_told_so(serve):
    node = serve("--allow-plain-http-api", api="0.0.0.0:0")
    assert node.api_url.startswith("http://0.0.0.0:")
    assert node.api("GET", "/accounts/$ACC/d1/database").success


CONFIG = """\
data = "data"
listen = ["127.0.0.1:0", "[::1]:0"]
api = "127.0.0.1:0"
domain = "Workers.Example"
drain_seconds = 5

[limits]
requests_per_day = 100
cpu_ms = 0
memory_mb = 512
instances = 2
pools = 10
idle_seconds = 60
clients = 5000
clients_per_address = 100

[log]
access = "access.json"
level = "warn"
"""


def test_corral_toml(tmp_path, serve):
    (tmp_path / "corral.toml").write_text(CONFIG)
    node = serve("--config", str(tmp_path / "corral.toml"), "--log-level", "info", data=tmp_path / "data", listen=None,
                 api=None, domain="other.test", cwd="/")
    node.wait_log(r"Also on http://\[::1\]:\d+")     # the level of the command line
    assert node.get("x.y.workers.example").status == 404
    assert (tmp_path / "data" / "catalog.sqlite").exists()
    until("the access log has it", lambda: "x.y.workers.example" in (tmp_path / "access.json").read_text())
    assert node.stop() == 0


BAD = """\
data = 7
lisen = "127.0.0.1:0"
listen = []
api_url = ""
[limits]
cpu_m = 5
cpu_ms = -1
instances = "two"
memory_mb = 3
[tls]
cert = "cert.pem"
[[tls.hosts]]
host = "a.test"
cert = "a.pem"
[[tls.hosts]]
hosts = "b.test"
[log]
access = true
[cluster]
"""


def test_mistakes_in_corral_toml_are_named_with_their_place(tmp_path):
    path = tmp_path / "corral.toml"
    path.write_text(BAD)
    said = refused("--config", path)
    for place, text in [("1:8", "'data' must be a text, not a number"),
                        ("2:1", "'lisen' is not a key of corral.toml"),
                        ("3:10", "'listen' must be an address such as"),
                        ("4:11", "'api_url' must be a text"),
                        ("6:1", "'limits.cpu_m' is not a key of corral.toml"),
                        ("7:10", "'limits.cpu_ms' must be a number from 1 to 300000, or 0 for no limit, not -1"),
                        ("8:13", "'limits.instances' must be a number from 1 to 256, not a string"),
                        ("9:13", "'limits.memory_mb' must be a number from 16"),
                        ("10", "'tls' has a 'cert' but no 'key'"),
                        ("12", "number 1 of 'tls.hosts' has no 'key'"),
                        ("16:1", "'tls.hosts.hosts' is not a key"),
                        ("18:10", "'log.access' must be a text, not true"),
                        ("19", "'cluster' is not a key of corral.toml")]:
        assert any(line.startswith("[corral:err] %s:%s" % (path, place)) and text in line
                   for line in said.splitlines()), (place, text, said)
    assert "did you mean 'listen'?" in said and "did you mean 'cpu_ms'?" in said
    path.write_text("data = \n")
    said = refused("--config", path)
    assert "corral.toml:1" in said and "this is not TOML" in said


# ---- the end ----


def ask(node, path, results):
    """A request in a thread; it has reached the worker when this returns."""
    def run():
        try:
            results.append(node.request("slow", path))
        except Exception as e:      # no answer is a result, too
            results.append(e)
    before = node.mark()
    thread = threading.Thread(target=run)
    thread.start()
    node.wait_log("waiting", since=before)
    return thread


def refuses(node):
    try:
        socket.create_connection(("127.0.0.1", node.port), DEADLINE).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:        # it was about to be taken
        pass
    return False


@pytest.fixture
def origin():
    one = Origin()
    yield one
    one.close()


def test_requests_end_before_the_node_does(serve, origin):
    node = serve("--drain-seconds", str(10 * DEADLINE))
    node.deploy("slow", SLOW, FLAGS)
    socket_client = Raw(node, host=node.host_of("slow"))
    results = []
    thread = ask(node, "/?%s/wait" % origin.url, results)
    node.process.send_signal(signal.SIGTERM)
    until("nobody is let in", lambda: refuses(node))
    assert results == [] and node.is_running()
    kind, why = socket_client.next()
    assert kind == CLOSE and int.from_bytes(why[:2], "big") == 1012
    socket_client.send(frame(CLOSE, why[:2]))
    assert socket_client.rest() == b""
    socket_client.close()
    assert results == [] and node.is_running()
    origin.go.set()
    assert node.wait_exit() == 0
    thread.join()
    assert results[0].text == "waited" and results[0].headers["Connection"] == "close"
    node.assert_nothing_left()


def test_requests_that_do_not_end(serve):
    node = serve(env={"CORRAL_TEST_DRAIN_MS": "300"})
    node.deploy("slow", SLOW, FLAGS)
    results = []
    thread = ask(node, "/60", results)
    assert node.stop() == 0
    thread.join()
    assert isinstance(results[0], Exception) or results[0].status >= 500


def test_a_second_signal_ends_at_once(serve):
    node = serve()
    node.deploy("slow", SLOW, FLAGS)
    results = []
    thread = ask(node, "/60", results)
    node.process.send_signal(signal.SIGINT)
    until("nobody is let in", lambda: refuses(node))
    node.process.send_signal(signal.SIGTERM)
    assert node.wait_exit() == 128 + signal.SIGTERM
    thread.join()
    node.assert_nothing_left()


def test_a_signal_while_it_starts(serve):
    for _ in range(5):
        node = serve(ready=False, token=False)
        until("it has caught its signals, and goes on to its data", lambda: node.data.exists() and any(node.data.iterdir()))
        node.process.send_signal(signal.SIGTERM)
        assert node.wait_exit() == 0


@pytest.mark.rel
def test_killed_while_it_deploys(serve):
    node = serve()
    node.deploy("slow", SLOW.replace('"slow"', '"version 0"'), FLAGS)
    for number in range(1, 4):
        kind, body = upload_form(SLOW.replace('"slow"', '"version %d"' % number), FLAGS)
        uploader = socket.create_connection(("127.0.0.1", node.api_port), DEADLINE)
        uploader.sendall(("PUT /client/v4/accounts/%s/workers/scripts/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                          "Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (node.account["id"], node.token, kind, len(body)))
                         .encode() + body)
        if number == 3:
            assert uploader.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"     # acknowledged
        node.kill()
        uploader.close()
        node = serve(data=node.data)
        assert node.request("slow").text in ["version %d" % n for n in ([3] if number == 3 else range(number + 1))]
    assert node.stop() == 0


# ---- the service manager ----


class Manager:
    """A socket as systemd has it."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(DEADLINE)

    def wait(self, word):
        """The next message with this line in it."""
        while True:
            lines = self.socket.recv(4096).decode().splitlines()
            if word in lines:
                return lines


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_readiness(serve, tmp_path, kind):
    name = str(tmp_path / "notify") if kind == "path" else "@corral-test-%d" % os.getpid()
    manager = Manager(name.replace("@", "\0"))
    node = serve(env={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000000"})     # A queue has ten places: what is too much is lost.
    ready = manager.wait("READY=1")
    assert any(line.startswith("STATUS=") and node.url in line for line in ready)
    manager.wait("WATCHDOG=1")
    manager.wait("WATCHDOG=1")
    node.process.send_signal(signal.SIGHUP)
    reloading = manager.wait("RELOADING=1")
    assert any(line.startswith("MONOTONIC_USEC=") for line in reloading)
    manager.wait("READY=1")
    assert node.stop() == 0
    manager.wait("STOPPING=1")
    manager.socket.close()


def test_a_watchdog_that_is_about_another_process(serve, tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    node = serve(env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000", "WATCHDOG_PID": "1"})
    manager.wait("READY=1")
    manager.socket.settimeout(0.2)
    with pytest.raises(socket.timeout):
        manager.wait("WATCHDOG=1")
    manager.socket.close()
    assert node.stop(signal.SIGINT) == 0


# ---- TLS ----


def certificate(folder, name, *hosts):
    make_certificate(folder, name, name, ",".join("DNS:" + host for host in hosts))


def shown_name(port, host):
    """The name of the certificate that a host gets; and that HTTP is answered behind it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as plain, \
            context.wrap_socket(plain, server_hostname=host) as tls:
        der = tls.getpeercert(binary_form=True)
        tls.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host.encode())
        assert tls.recv(100).startswith(b"HTTP/1.1 404")
    text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"], input=der, stdout=subprocess.PIPE,
                          check=True, timeout=DEADLINE).stdout.decode()
    return text.rsplit("=", 1)[1].strip()


def test_certificates_by_host_and_their_reload(serve, tmp_path):
    certs = tmp_path / "certs"
    certs.mkdir()
    certificate(certs, "main", "*.test")
    certificate(certs, "org", "a.org")
    (certs / "corral.toml").write_text("""\
        [tls]
        cert = "main.pem"
        key = "main.key"
        [[tls.hosts]]
        host = "a.org"
        cert = "org.pem"
        key = "org.key"
        """)
    log = tmp_path / "access.json"
    node = serve("--config", str(certs / "corral.toml"), "--access-log", str(log), "--listen", "http://127.0.0.1:0",
                 "--listen", "redirect://127.0.0.1:0")
    assert node.scheme == "https" and node.api_url.startswith("http://127.0.0.1")
    plain = int(node.wait_log(r"Also on http://127.0.0.1:(\d+)").group(1))
    leading = int(node.wait_log(r"http://127.0.0.1:(\d+) leads to https").group(1))
    with socket.create_connection(("127.0.0.1", leading), DEADLINE) as s:
        s.sendall(b"GET /a?b HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n")
        answer = all_of(s)
        assert answer.startswith(b"HTTP/1.1 30") and b"https://x.test/a?b" in answer
    assert shown_name(node.port, "x.test") == "main" and shown_name(node.port, "a.org") == "org"
    with socket.create_connection(("127.0.0.1", plain), DEADLINE) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n")
        assert all_of(s).startswith(b"HTTP/1.1 404")
    until("the access log has all four", lambda: log.read_text().count("\n") == 4)

    certificate(certs, "renewed", "a.org")
    (certs / "renewed.pem").replace(certs / "org.pem")
    (certs / "renewed.key").replace(certs / "org.key")
    log.rename(tmp_path / "rotated.json")
    node.process.send_signal(signal.SIGHUP)
    node.wait_log("Certificates were read and the access log was opened again")
    assert shown_name(node.port, "a.org") == "renewed" and shown_name(node.port, "x.test") == "main"
    until("the new log has both", lambda: log.exists() and log.read_text().count("\n") == 2)
    assert (tmp_path / "rotated.json").read_text().count("\n") == 4

    (certs / "org.pem").write_text("no certificate")
    node.process.send_signal(signal.SIGHUP)
    node.wait_log(r"err\].*org\.pem")
    node.wait_log("The certificates stay as they were")
    assert shown_name(node.port, "a.org") == "renewed"
    assert node.stop() == 0


def test_a_certificate_that_cannot_be_read(tmp_path):
    certificate(tmp_path, "main", "*.test")
    certificate(tmp_path, "other", "*.test")
    cert, key = tmp_path / "main.pem", tmp_path / "main.key"
    common = ("--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0")
    assert "missing.pem" in refused(*common, "--tls-cert", tmp_path / "missing.pem", "--tls-key", key, code=1)
    assert "other.key" in refused(*common, "--tls-cert", cert, "--tls-key", tmp_path / "other.key", code=1)


def test_environments_of_before_accounts_had_their_own_are_removed(serve, tmp_path):
    data, old, account = tmp_path / "old", "0123456789abcdef" * 2, "fedcba9876543210" * 2
    for place in (data / "environments" / old, data / "environments" / account / old, data / "environments/.new-7", tmp_path / "elsewhere"):
        (place / "packages/six").mkdir(parents=True)
        (place / "packages/six/__init__.py").write_text("")
        (place / "environment.json").write_text("{}")
    (data / "environments/.lock").write_text("")
    (data / "environments" / ("a" * 32)).symlink_to(tmp_path / "elsewhere")
    data.chmod(0o700)
    node = serve(data=data)
    node.wait_log("2 package environments of an earlier Corral were removed")
    assert [entry.name for entry in (data / "environments").iterdir()] == [account]
    assert (data / "environments" / account / old / "packages/six/__init__.py").exists() and (tmp_path / "elsewhere/environment.json").exists()
