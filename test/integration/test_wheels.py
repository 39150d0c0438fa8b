"""Downloads that the node keeps for its instances: docs/compatibility.md names these tests."""
import contextlib
import hashlib
import http.server
import os
import socket
import threading

import pytest

from harness import LAB, holds, until

pytestmark = pytest.mark.asan

WHEEL = bytes(range(256)) * 2000
RIGHT = hashlib.sha256(WHEEL).hexdigest()
START = "from corral import wheels\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path, server = self.path.partition("?")[0], self.server
        with server.lock:
            server.asked.append(self.path)
        if path == "/away":     # to another origin, where no password goes along
            self.send_response(302)
            self.send_header("location", server.url.replace("127.0.0.1", "localhost") + "/signed")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        if path.startswith("/to/"):
            self.send_response(302)
            self.send_header("location", f"/{path[4:]}?token={len(server.asked)}")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        if path == "/round":
            self.send_response(302)
            self.send_header("location", "/round")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        body = server.bodies.get(path)
        self.send_response(200 if body is not None else 404)
        body = b"nothing here" if body is None else body
        if path.startswith("/chunked"):
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for at in range(0, len(body), 10_000):
                part = body[at:at + 10_000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
            return
        cut = path.startswith(("/cut", "/stall"))
        self.send_header("content-length", str(len(body) + cut))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = cut
        if path.startswith("/stall"):
            with server.lock:
                server.stalled += 1
            server.released.wait()
            self.wfile.write(b"x")


@pytest.fixture(scope="module")
def server():
    one = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.daemon_threads = True
    one.lock, one.asked, one.released, one.stalled = threading.Lock(), [], threading.Event(), 0
    one.bodies = {"/a.whl": WHEEL, "/b.whl": WHEEL, "/empty": b"", "/chunked": WHEEL, "/cut": WHEEL, "/big": WHEEL * 40, "/auth": WHEEL, "/signed": WHEEL, "/bad": WHEEL[:-1] + b"x",
                  **{f"/many{i}": b"%d" % i * 40_000 for i in range(8)}}
    threading.Thread(target=one.serve_forever, daemon=True).start()
    one.url = f"http://127.0.0.1:{one.server_port}"
    yield one
    one.released.set()
    one.shutdown()
    one.server_close()


@pytest.fixture(scope="module")
def node(shared_corral):
    one = shared_corral(LAB, env={"CORRAL_TEST_WHEELS_BYTES": "3000000"})
    until("the lab answers", lambda: one.get().status == 200)
    return one


def folder_of(node):
    return os.path.join(node.project, ".corral", "wheels")


def files(node):
    """{name: bytes} of all that lies there, but for what goes while we look."""
    found = {}
    for name in os.listdir(folder_of(node)) if os.path.isdir(folder_of(node)) else []:
        with contextlib.suppress(FileNotFoundError):
            found[name] = os.path.getsize(os.path.join(folder_of(node), name))
    return found


def kept(node):
    """What is whole.  An answer does not wait for that: the node writes behind."""
    return sorted(name for name in files(node) if not name.endswith(".part"))


def holds_bytes(node, content):
    """Is there a copy of it?"""
    for name in kept(node):
        with contextlib.suppress(FileNotFoundError), open(os.path.join(folder_of(node), name), "rb") as f:
            if f.read() == content:
                return True
    return False


def settled(node, count):
    """So many are kept, and nothing is on its way; their names."""
    until(lambda: "%d are kept, and no more on their way: %r" % (count, files(node)), lambda: len(kept(node)) == len(files(node)) == count)
    return kept(node)


def get(node, url, sha256, more=""):
    """'ok', or the error."""
    return node.value(START + f"""
        try:
            data = await wheels.get({url!r}, {sha256!r}{more})
        except Exception as e:
            return [type(e).__name__, str(e)]
        import hashlib
        return ["ok", len(data), hashlib.sha256(data).hexdigest()]
    """.replace("\n        ", "\n"))


def count(server, path):
    return sum(asked.partition("?")[0] == path for asked in server.asked)


def test_a_wheel_is_downloaded_once(node, server):
    for _ in range(3):
        assert get(node, server.url + "/a.whl", RIGHT) == ["ok", len(WHEEL), RIGHT]
        settled(node, 1)
    assert count(server, "/a.whl") == 1
    assert get(node, server.url + "/a.whl", RIGHT.upper())[0] == "ok" and count(server, "/a.whl") == 1
    name, = kept(node)
    assert len(name) == 64
    assert get(node, server.url + "/b.whl", RIGHT)[0] == "ok" and count(server, "/b.whl") == 1, "another address is another wheel"
    settled(node, 2)


def test_without_a_hash_nothing_is_kept(node, server):
    had = kept(node)
    for _ in range(2):
        assert get(node, server.url + "/chunked", None) == ["ok", len(WHEEL), RIGHT]
    assert count(server, "/chunked") == 2 and kept(node) == had
    server.asked.clear()


def test_redirects_are_followed_and_what_they_lead_to_is_kept_by_the_first_address(node, server):
    had = len(kept(node))
    for _ in range(3):
        assert get(node, server.url + "/to/to/chunked", RIGHT)[0] == "ok"
        settled(node, had + 1)
    assert count(server, "/chunked") == 1
    error = get(node, server.url + "/round", RIGHT)
    assert error[0] == "OSError" and "Too many redirects" in error[1], error


def test_wrong_bytes_are_an_error_and_not_kept(node, server):
    had = kept(node)
    for _ in range(2):
        kind, text = get(node, server.url + "/bad", RIGHT)
        assert kind == "WrongHash" and f"expected sha256 {RIGHT}, got {hashlib.sha256(server.bodies['/bad']).hexdigest()}" in text and "/bad" in text, text
    kind, text = get(node, server.url + "/cut", RIGHT)
    assert kind == "OSError" and "cannot be fetched" in text, text
    kind, text = get(node, server.url + "/none", RIGHT)
    assert kind == "OSError" and text.endswith("/none answered 404 Not Found"), text
    kind, text = get(node, server.url + "/big", RIGHT, ", bytes_max=1000")
    assert kind == "OSError" and "is longer than 1000 bytes" in text, text
    assert settled(node, len(had)) == had, "nothing is left of them"
    assert get(node, server.url + "/empty", hashlib.sha256(b"").hexdigest())[:2] == ["ok", 0]
    assert get(node, server.url + "/empty", RIGHT)[0] == "WrongHash"
    settled(node, len(had) + 1)


@pytest.mark.parametrize("digits", ["", "0" * 63, "0" * 65, "../" + "0" * 61, "g" * 64, "/" * 64, "٠" * 64, "0" * 63 + "\n"])
def test_what_is_no_hash(node, server, digits):
    assert get(node, server.url + "/a.whl", digits)[0] == "ValueError"
    # And not by the node, for who goes around Python.
    said = node.value(f"""
        import _corral
        try:
            r = await _corral.internal("fetchWheel")({server.url + '/a.whl'!r}, {digits!r})
            return r.status
        except Exception as e:
            return str(e)
    """.replace("\n            ", "\n    ").replace("\n        ", "\n"))
    assert "64 hexadecimal digits" in str(said), said


def test_odd_requests(node, server):
    kind, text = get(node, "file:///etc/passwd", RIGHT)
    assert kind in ("OSError", "TypeError") and "load" in text, text
    kind, text = node.value(START + f"""
        try:
            await wheels.get({server.url!r} + "/" + "x" * 70_000, {RIGHT!r})
        except OSError as e:
            return [type(e).__name__, str(e)]
    """.replace("\n        ", "\n"))
    assert kind == "OSError" and "longer than 65536 bytes" in text, text[-200:]
    with socket.socket() as closed:     # held, or the port may be somebody's
        closed.bind(("127.0.0.1", 0))
        kind, text = get(node, f"http://127.0.0.1:{closed.getsockname()[1]}/a.whl", RIGHT)
    assert kind == "OSError" and "No connection" in text, text


def test_private_wheels_are_not_kept(node, server):
    had = kept(node)
    for _ in range(2):
        assert get(node, server.url + "/auth", RIGHT, ", headers={'authorization': 'Basic eDp5'}")[0] == "ok"
    assert count(server, "/auth") == 2 and kept(node) == had
    for _ in range(2):
        assert get(node, server.url + "/away", RIGHT, ", headers={'authorization': 'Basic eDp5'}")[0] == "ok"
    assert count(server, "/signed") == 2 and kept(node) == had
    kind, _ = get(node, server.url + "/auth", "0" * 64, ", headers={'authorization': 'Basic eDp5'}")
    assert kind == "WrongHash"


def test_damaged_copies_are_noticed(node, server):
    server.asked.clear()
    get(node, server.url + "/a.whl", RIGHT)
    until("it is kept", lambda: holds_bytes(node, WHEEL))
    asked = count(server, "/a.whl")
    for damage in (lambda f: f.truncate(10), lambda f: f.write(b"x"), lambda f: (f.seek(0, 2), f.write(b"more"))):
        for name in kept(node):
            with open(os.path.join(folder_of(node), name), "r+b") as f:
                damage(f)
        assert not holds_bytes(node, WHEEL)
        assert get(node, server.url + "/a.whl", RIGHT) == ["ok", len(WHEEL), RIGHT]
        until("it is kept", lambda: holds_bytes(node, WHEEL))
        assert count(server, "/a.whl") == asked + 1
        asked += 1
    for name in kept(node):
        os.unlink(os.path.join(folder_of(node), name))
        os.symlink("/etc/passwd", os.path.join(folder_of(node), name))
    assert get(node, server.url + "/a.whl", RIGHT) == ["ok", len(WHEEL), RIGHT]
    until("it is kept", lambda: holds_bytes(node, WHEEL))


def test_the_least_recently_used_go(node, server):
    for name in kept(node):
        os.unlink(os.path.join(folder_of(node), name))
    server.asked.clear()
    hashes = {i: hashlib.sha256(server.bodies[f"/many{i}"]).hexdigest() for i in range(8)}
    for i in range(8):
        had = set(kept(node))
        assert get(node, f"{server.url}/many{i}", hashes[i])[0] == "ok"
        name, = set(settled(node, i + 1)) - had
        os.utime(os.path.join(folder_of(node), name), (1_000_000 + i, 1_000_000 + i))   # the clock of files is coarse
    for i in (0, 1):        # used once more
        assert get(node, f"{server.url}/many{i}", hashes[i])[0] == "ok" and count(server, f"/many{i}") == 1
    server.bodies["/filler"] = filler = b"f" * (3_000_000 - 3 * 40_000)
    assert get(node, server.url + "/filler", hashlib.sha256(filler).hexdigest())[0] == "ok"
    until("it is kept", lambda: holds_bytes(node, filler))
    settled(node, 4)
    for i in range(8):
        get(node, f"{server.url}/many{i}", hashes[i])
    assert [count(server, f"/many{i}") for i in range(3)] == [1, 1, 2]


def test_many_at_once(node, server):
    server.asked.clear()
    server.bodies["/fresh"] = fresh = WHEEL[:200_000] + b"fresh"    # twelve are less than all may have: each can be kept
    right = hashlib.sha256(fresh).hexdigest()
    assert node.value(START + f"""
        import asyncio
        datas = await asyncio.gather(*(wheels.get({server.url + '/fresh'!r}, {right!r}) for _ in range(12)))
        return [len(d) for d in datas]
    """.replace("\n        ", "\n")) == [len(fresh)] * 12
    until("it is kept", lambda: len(kept(node)) == len(files(node)) and holds_bytes(node, fresh))
    asked = count(server, "/fresh")
    assert get(node, server.url + "/fresh", right)[0] == "ok" and count(server, "/fresh") == asked


def test_what_is_on_its_way_has_the_same_limit(node, server):
    server.bodies.update({f"/stall{i}": WHEEL * 3 for i in range(4)})
    reading = threading.Thread(target=node.value, args=(START + f"""
        import asyncio
        await asyncio.gather(*(wheels.get(f"{server.url}/stall{{i}}", {RIGHT!r}) for i in range(4)), return_exceptions=True)
    """.replace("\n        ", "\n"),))
    reading.start()

    def size():
        return sum(size for name, size in files(node).items() if name.endswith(".part"))

    # How much of it comes to the disk is up to the disk: what it cannot keep up with is not kept.
    until("all that was asked for has been sent", lambda: server.stalled == 4)
    until("some of it is written", lambda: size() > 0)
    holds("it is no more than may be", lambda: size() <= 3_000_000)
    server.released.set()
    reading.join()
    until("nothing is left", lambda: size() == 0)


def test_what_is_more_than_all_may_have_is_not_kept(node, server):
    big = server.bodies["/big"]
    assert get(node, server.url + "/big", hashlib.sha256(big).hexdigest()) == ["ok", len(big), hashlib.sha256(big).hexdigest()]
    until("nothing is left of it", lambda: len(kept(node)) == len(files(node)))
    assert all(size <= 3_000_000 for size in files(node).values())


def test_a_link_to_another_folder_is_not_used(corral, server, tmp_path):
    """A cloned project may bring it, and names of 64 digits are not ours alone."""
    one = corral(LAB, env={"CORRAL_TEST_WHEELS_BYTES": "600000"})
    until("the lab answers", lambda: one.get().status == 200)
    other = tmp_path / "other"
    other.mkdir()
    theirs = [other / f"{i:064x}" for i in range(3)]
    for path in theirs:
        path.write_bytes(b"x" * 400_000)
    os.symlink(other, folder_of(one))
    for _ in range(2):
        assert get(one, server.url + "/b.whl", RIGHT)[0] == "ok"
    holds("all is as it was", lambda: sorted(other.iterdir()) == theirs)


def test_a_folder_that_cannot_be_written_costs_the_keeping_alone(corral, server):
    one = corral(LAB)
    until("the lab answers", lambda: one.get().status == 200)
    with open(folder_of(one), "w"):
        pass
    for _ in range(2):
        assert get(one, server.url + "/b.whl", RIGHT)[0] == "ok"
