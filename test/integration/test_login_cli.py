"""corral login, logout, whoami: where the token is kept, who may read it, and to whom it goes."""
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading

import pytest

from commands import Commands
from origin import stop_listening

pytestmark = pytest.mark.asan

NOTHING = {"CORRAL_API_URL": None, "CORRAL_API_TOKEN": None}


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture
def cli(node, tmp_path):
    return Commands(tmp_path, tmp_path / "home", None)


def stored(cli):
    return cli.home / "config/corral/credentials.json"


def test_login_by_a_pipe(cli, node):
    assert "nothing says which node this is for" in cli("whoami", code=1).err
    assert cli("logout").out == "Nobody was logged in.\n"
    said = cli("login", "--api-url", node.api_url, stdin=node.token + "\n").out
    assert "✨ Logged in to %s/client/v4, account main.\n" % node.api_url in said and str(stored(cli)) in said
    assert node.token not in said
    assert stored(cli).stat().st_mode & 0o7777 == 0o600 and stored(cli).parent.stat().st_mode & 0o7777 == 0o700
    assert json.loads(stored(cli).read_text()) == {"api": node.api_url + "/client/v4", "token": node.token,
                                                   "account_id": node.account["id"]}
    said = cli("whoami").out
    assert "with the token of `corral login`" in said and node.account["id"] in said and "│ main" in said
    assert "Commands are for the account %s (`corral login`)." % node.account["id"] in said
    about = json.loads(cli("whoami", "--json").out)
    assert about["loggedIn"] is True and about["accounts"][0]["id"] == node.account["id"] and node.token not in json.dumps(about)

    # A wrong token, and an address where nobody is, leave what was kept.
    assert "Authentication error [code: 10000]" in cli("login", "--api-url", node.api_url, stdin="wrong", code=1).err
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        assert "nobody answers" in cli("login", "--api-url", "http://127.0.0.1:%d" % s.getsockname()[1], stdin="t", code=1).err
    assert json.loads(stored(cli).read_text())["token"] == node.token
    assert "the token is empty" in cli("login", "--api-url", node.api_url, stdin="\n", code=1).err
    assert "There is no terminal to ask on" in cli("login", stdin=node.token, code=1).err
    assert "--api-url 'nonsense' is not an address" in cli("login", "--api-url", "nonsense", code=1).err

    # The kept token is for that node alone, and one of Cloudflare's is not for it.
    seen = []
    with listener(seen) as url:
        assert "there is no token for " + url in cli("whoami", env={"CORRAL_API_URL": url}, code=1).err
    assert seen == []
    assert "main" in cli("whoami", env={"CLOUDFLARE_API_TOKEN": "of-cloudflare"}).out

    os.chmod(stored(cli), 0o640)
    err = cli("whoami", code=1).err
    assert "can be read or changed by others" in err and "chmod 600" in err
    os.chmod(stored(cli), 0o600)
    assert cli("logout").out == "Logged out.\n" and not stored(cli).exists()
    assert "nothing says which node" in cli("whoami", code=1).err


def test_login_in_a_terminal(cli, node):
    one = cli.terminal("login")
    try:
        one.wait(r"Address of the node's API: \(http://127\.0\.0\.1:8788\)")
        one.type(node.api_url + "\n")
        one.wait("Token")
        one.wait_mode(False)
        one.type(node.token + "\r")
        one.wait("Logged in to " + node.api_url)
        assert one.wait_exit() == 0
        assert node.token not in one.output
    finally:
        one.close()
    assert "main" in cli("whoami").out


class listener:
    """Somebody who answers nothing, and notes what came."""

    def __init__(self, seen, context=None):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.seen, self.context = seen, context
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            try:
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                said = b""
                while b"\r\n\r\n" not in said:
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    said += piece
                self.seen.append(said)
                connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
            except OSError:
                pass
            connection.close()

    def __enter__(self):
        self.thread.start()
        return "%s://127.0.0.1:%d" % ("https" if self.context else "http", self.socket.getsockname()[1])

    def __exit__(self, *_):
        stop_listening(self.socket, self.thread)


class Cutting(http.server.BaseHTTPRequestHandler):
    """A node that goes away whenever something is to be changed."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"success": True, "result": [{"id": "a" * 32, "name": "me"}] if self.path.endswith("/accounts")
                           else {"default_environment": {"script": {}}}, "errors": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        self.server.changes.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.close_connection = True

    def log_message(self, *_):
        pass


def test_a_node_that_dies_in_the_middle_is_not_asked_twice(cli):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cutting) as server:
        server.changes = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = "http://127.0.0.1:%d" % server.server_port
        err = cli("secret", "put", "A", "--name", "w", stdin="text", env={"CORRAL_API_URL": url, "CORRAL_API_TOKEN": "a-token-of-mine"}, code=1).err
        server.shutdown()
    assert len(server.changes) == 1, "an answer that is lost is no reason to do it again"
    assert "%s hung up in the middle" % url in err and "may be done all the same" in err


def test_certificates(cli, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    seen = []
    with listener(seen, context) as url:
        env = {"CORRAL_API_URL": url, "CORRAL_API_TOKEN": "a-token-of-mine"}
        err = cli("whoami", env=env, code=1).err
        assert "certificate of %s is not to be trusted" % url in err and "SSL_CERT_FILE" in err
        assert seen == [], "nothing was sent to somebody who was not trusted"
        err = cli("whoami", env=dict(env, SSL_CERT_FILE=str(certificate)), code=1).err
        assert "answered 302" in err, "no redirect is followed"
        assert len(seen) == 1 and b"Authorization: Bearer a-token-of-mine\r\n" in seen[0]
        err = cli("whoami", env=dict(env, CORRAL_API_URL=url.replace("https", "http")), code=1).err
        assert "hung up, or does not speak HTTP" in err and "https://" in err
        assert "cannot be read" in cli("whoami", env=dict(env, SSL_CERT_FILE=str(tmp_path / "none")), code=1).err


def test_warns_of_a_token_in_the_clear(cli):
    err = cli("login", "--api-url", "http://nowhere.invalid:1", stdin="t", code=1).err
    assert "is not encrypted" in err and "there is no host by the name" in err
