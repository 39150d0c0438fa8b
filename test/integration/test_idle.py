"""Connections that say nothing: what they cost, and who gives way when there are too many (bench/idle has the figures)."""
import resource
import socket
import subprocess

import pytest

from harness import BIN, DEADLINE, PATIENCE, rss_kb, until

HELLO = "from js import Response\ndef on_fetch(request):\n    return Response.new('hi')\n"
ABOUT = {"compatibility_date": "2024-03-29"}
IDLE_MAX = 10_000               # the most that are tried
IDLE_BYTES = 10_000             # resident memory of the node for each of them, at most
SPARE = 500                     # descriptors that pytest and the node have for other things


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(node):
    return socket.create_connection(("127.0.0.1", node.port), DEADLINE)


def ask(node, client, path="/"):
    client.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (path.encode(), node.host_of("hello").encode()))
    data = b""
    while not data.endswith(b"\r\n\r\nhi"):
        more = client.recv(65536)
        assert more, data
        data += more
    assert data.startswith(b"HTTP/1.1 200 "), data


def is_closed(client):
    """The node has closed it."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    finally:
        client.settimeout(DEADLINE)


def rested(node):
    """The node's memory once it stands still: buffers are given back by a sweep."""
    seen = [0]

    def look():
        before, seen[0] = seen[0], rss_kb(node.pid)
        return abs(before - seen[0]) <= 64
    until("the node's memory stands still", look, every=0.3)
    return seen[0]


@pytest.mark.skipif(PATIENCE > 1, reason="a sanitizer's memory is not the node's")
def test_idle_connections_cost_little(serve, descriptors):
    node = serve("--access-log", "off", env={"CORRAL_TEST_KEEPALIVE_MS": "600000"})
    node.deploy("hello", HELLO, ABOUT)
    count = min(IDLE_MAX, descriptors - SPARE, descriptors * 3 // 4)
    clients = []
    try:
        for _ in range(20):     # what every node has once it has worked
            with connect(node) as client:
                ask(node, client)
        before = rested(node)
        for _ in range(count):
            clients.append(connect(node))
            ask(node, clients[-1])
        grown = (rested(node) - before) * 1024
        assert grown / count < IDLE_BYTES, (grown, count)
        assert not any(is_closed(client) for client in clients[::100])
        for client in clients[::50]:
            ask(node, client)   # each is still served
    finally:
        for client in clients:
            client.close()


@pytest.mark.asan
def test_who_comes_gets_the_place_of_the_longest_silent(serve):
    node = serve("--clients", "20")
    node.deploy("hello", HELLO, ABOUT)
    clients = [connect(node) for _ in range(20)]
    try:
        for client in clients:
            ask(node, client)
        ask(node, clients[0])   # the second is the longest silent now
        clients.append(connect(node))
        ask(node, clients[-1])
        until("the second was closed", lambda: is_closed(clients[1]))
        assert not any(is_closed(client) for client in clients[:1] + clients[2:])
        node.wait_log(r"wrn\] connections: all 20 places are taken; closed 1 of clients that were silent the longest")
        # A flood of connections that say nothing pushes out itself, and nobody is locked out.
        flood = [connect(node) for _ in range(200)]
        with connect(node) as client:
            ask(node, client)
        for client in flood:
            client.close()
    finally:
        for client in clients:
            client.close()


@pytest.mark.asan
def test_connections_of_one_address(serve):
    node = serve("--clients-per-address", "3")
    node.deploy("hello", HELLO, ABOUT)
    clients = [connect(node) for _ in range(3)]
    for client in clients:
        ask(node, client)
    with connect(node) as client, client.makefile("rb") as said:
        assert said.read().startswith(b"HTTP/1.1 503 ")     # to its end
    node.wait_log(r"wrn\] connections: refused 1 of clients that have 3 already \(limits.clients_per_address\)")
    # Another address has places of its own.
    with socket.create_connection(("127.0.0.1", node.port), DEADLINE, source_address=("127.0.0.2", 0)) as client:
        ask(node, client)
    clients.pop().close()

    def comes_in():
        with connect(node) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % node.host_of("hello").encode())
            return client.recv(65536).startswith(b"HTTP/1.1 200 ")
    until("there is a place again", comes_in)
    for client in clients:
        client.close()


@pytest.mark.asan
def test_without_descriptors_nothing_spins(serve):
    """Few descriptors are a warning at the start; none are a line in the log, a rest, and no turning in circles."""
    node = serve()
    node.deploy("hello", HELLO, ABOUT)
    busy = connect(node)
    busy.sendall(b"GET / HT")   # in the middle of a request: it keeps its place
    quiet = connect(node)
    ask(node, quiet)
    ask(node, quiet)            # behind it `busy` has been read
    old = resource.prlimit(node.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(node.pid, resource.RLIMIT_NOFILE, (3, old[1]))  # stdin, stdout, stderr
    clients = [connect(node) for _ in range(5)]
    until("who was silent gave way", lambda: is_closed(quiet))
    node.wait_log(r"wrn\] accept: Too many open files: ")
    before = node_cpu(node)
    for client in clients:      # the kernel has them, the node knows nothing of them yet
        client.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % node.host_of("hello").encode())
    with pytest.raises(socket.timeout):
        clients[0].settimeout(0.7)
        clients[0].recv(1)
    assert node_cpu(node) - before < 0.35 * PATIENCE, "it turns in circles"
    resource.prlimit(node.pid, resource.RLIMIT_NOFILE, old)
    for client in clients:
        client.settimeout(DEADLINE)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        client.close()
    busy.sendall(b"TP/1.1\r\nHost: %s\r\n\r\n" % node.host_of("hello").encode())
    assert busy.recv(65536).startswith(b"HTTP/1.1 200 ")
    busy.close()


def node_cpu(node):
    with open("/proc/%d/stat" % node.pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_few_descriptors_are_a_warning(tmp_path):
    script = 'ulimit -n 300; exec "$0" serve --data "$1" --listen 127.0.0.1:0 --api 127.0.0.1:0 --clients 9000'
    process = subprocess.Popen(["sh", "-c", script, str(BIN / "corral"), str(tmp_path / "data")], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if line.startswith("API on"):
                break
    finally:
        process.terminate()
        said.append(process.communicate(timeout=DEADLINE)[0])
    text = "".join(said)
    assert "may open 300 files only, so at most 225 clients can be connected at once" in text, text
    assert "limits.clients: 9000 is more than the limit of open files allows, 225 it is" in text, text
