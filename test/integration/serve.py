"""A `corral serve` for tests: its data folder, an account with a token made by the real commands, its API, its workers.

    def test_hello(serve):
        node = serve()
        node.deploy("hello", "from js import Response\ndef on_fetch(request): return Response.new('hi')")
        assert node.request("hello", "/").text == "hi"
        assert node.api("GET", "/accounts/$ACC/workers/scripts").result[0]["id"] == "hello"
"""
import http.client
import json
import os
import re
import signal
import subprocess
import uuid
from collections import namedtuple
from pathlib import Path

from harness import BIN, DEADLINE, PATIENCE, Answer, Corral, children, descendants, still_alive, until

DOMAIN = "test"
DATE = "2026-03-01"
TYPES = {".py": "text/x-python", ".txt": "text/plain", ".js": "application/javascript+module", ".json": "application/json"}

# What the API said: status of HTTP, members of the envelope, the answer itself.
Envelope = namedtuple("Envelope", "status success result errors messages info answer")
Envelope.codes = property(lambda self: [error["code"] for error in self.errors])
Envelope.text = property(lambda self: "\n".join(error["message"] for error in self.errors))


def plainly(argv, env):
    """How a program is started, unless it is to run in another place (test/escape/tiers.py)."""
    return argv, dict(os.environ, **(env or {}))


def corral_command(*arguments, env=None, wrap=plainly, **more):
    """Run `corral ...`; what it printed on stdout.  It must succeed."""
    argv, env = wrap([str(BIN / "corral")] + [str(a) for a in arguments], env)
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=DEADLINE, **more)
    assert done.returncode == 0, (arguments, done.returncode, done.stdout.decode(), done.stderr.decode())
    return done.stdout.decode()


def make_token(data, account="main", scope="admin", **more):
    """`corral token create`: the token's text; the account is made at its first use."""
    token = corral_command("token", "create", "--data", data, "--account", account, "--scope", scope, **more)
    assert token.endswith("\n") and token.count("\n") == 1, token
    return token.strip()


def accounts_of(data, **more):
    return {one["name"]: one for one in json.loads(corral_command("account", "list", "--data", data, "--json", **more))}


def multipart(parts):
    """[(name, filename or None, type or None, bytes)] -> (content type, body), as wrangler's FormData writes it."""
    boundary = "----formdata-undici-%012d" % (uuid.uuid4().int % 10**12)
    body = b""
    for name, filename, kind, content in parts:
        body += b"--" + boundary.encode() + b'\r\nContent-Disposition: form-data; name="%s"' % name.encode()
        if filename is not None:
            body += b'; filename="%s"' % filename.encode()
        body += b"\r\n" + (b"Content-Type: %s\r\n" % kind.encode() if kind else b"") + b"\r\n" + content + b"\r\n"
    return "multipart/form-data; boundary=" + boundary, body + b"--" + boundary.encode() + b"--\r\n"


def upload_form(files, metadata=None, main=None):
    """The form of an upload.  files: {part's name: text or bytes}, or the text of entry.py."""
    if isinstance(files, (str, bytes)):
        files = {"entry.py": files}
    about = {"main_module": main or next(iter(files)), "bindings": [], "compatibility_date": DATE,
             "compatibility_flags": ["python_workers"]}
    about.update(metadata or {})
    parts = [("metadata", None, None, json.dumps(about).encode())]
    for name, content in files.items():
        kind = TYPES.get(Path(name).suffix, "application/octet-stream")
        parts.append((name, name, kind, content.encode() if isinstance(content, str) else content))
    return multipart(parts)


class Serve(Corral):
    """One running `corral serve`."""

    def __init__(self, data, *flags, account="main", scope="admin", listen="127.0.0.1:0", api="127.0.0.1:0", domain=DOMAIN,
                 token=True, env=None, cwd=None, reaches=("127.0.0.1", "::1"), wrap=plainly):
        """reaches: rules of `fetch.allow`. A node keeps workers from this machine, and that is where tests have their servers:
        so it is allowed here, in words; test_egress.py has nodes without."""
        self.data, self.wrap = Path(data), wrap
        self.domain = domain
        self.tokens, self.accounts = {}, {}
        if token:
            self.add_account(account, scope)
        self.account_name = account
        command = [str(BIN / "corral"), "serve", "--data", str(data)]
        for name, value in (("--listen", listen), ("--api", api), ("--domain", domain)):
            command += [name, value] if value is not None else []
        for rule in reaches:
            command += ["--allow-fetch", rule]
        command, env = wrap(command + list(flags), env)
        super().__init__(None, command=command, env=env, cwd=cwd)
        self.api_port = None

    # -- accounts --

    def add_account(self, name, scope="admin"):
        """An account by the real commands, and a token for it; the token."""
        self.tokens[name] = make_token(self.data, name, scope, wrap=self.wrap)
        self.accounts = accounts_of(self.data, wrap=self.wrap)
        return self.tokens[name]

    @property
    def token(self):
        return self.tokens[self.account_name]

    @property
    def account(self):
        """{"id", "name", "subdomain"}"""
        return self.accounts[self.account_name]

    # -- its output --

    def wait_ready(self, deadline=None):
        match = self.wait_log(r"^Ready on (https?)://(\S+):(\d+)$", deadline)
        self.scheme, self.port = match.group(1), int(match.group(3))
        self.url = match.group(0)[len("Ready on "):]
        match = self.wait_log(r"^API on (https?)://(\S+):(\d+)$", deadline)
        self.api_port = int(match.group(3))
        self.api_url = match.group(0)[len("API on "):]
        return self

    # -- the API --

    def client_env(self, account=None):
        """What wrangler and corral need in their environment to reach this API."""
        name = account or self.account_name
        return {"CLOUDFLARE_API_BASE_URL": self.api_url + "/client/v4", "CLOUDFLARE_API_TOKEN": self.tokens[name],
                "CLOUDFLARE_ACCOUNT_ID": self.accounts[name]["id"]}

    def api_raw(self, method, path, body=None, headers=None, token=True, account=None):
        """One request to the API's port; path whole; the Answer."""
        headers = dict(headers or {})
        if token:
            text = self.tokens[account or self.account_name] if token is True else token
            headers.setdefault("Authorization", "Bearer " + text)
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=DEADLINE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.reason, answer.headers, answer.read())
        finally:
            connection.close()

    def api(self, method, path, body=None, headers=None, token=True, account=None):
        """One call; the Envelope.  path is below /client/v4, $ACC in it is the account's id.

        body: bytes as they are, anything else as JSON.  token: a text, True: the account's, None: none."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        path = path.replace("$ACC", self.accounts[account or self.account_name]["id"])
        answer = self.api_raw(method, "/client/v4" + path, body, headers, token, account)
        said = json.loads(answer.body)
        assert said["success"] == (answer.status < 400), (answer.status, answer.text)
        return Envelope(answer.status, said["success"], said["result"], said["errors"], said["messages"],
                        said.get("result_info"), answer)

    def result(self, method, path, body=None, **more):
        """The result of a call that must succeed."""
        said = self.api(method, path, body, **more)
        assert said.success, (method, path, said.status, said.errors)
        return said.result

    def upload(self, name, files, metadata=None, main=None, account=None, **more):
        """PUT of a worker as wrangler sends it: a version, and a deployment of it; the Envelope."""
        kind, body = upload_form(files, metadata, main)
        return self.api("PUT", "/accounts/$ACC/workers/scripts/%s?excludeScript=true" % name, body,
                        headers={"Content-Type": kind}, account=account, **more)

    def deploy(self, name, files, metadata=None, main=None, account=None):
        """As upload, and it must succeed; the result."""
        said = self.upload(name, files, metadata, main, account)
        assert said.success, (said.status, said.errors)
        return said.result

    # -- workers --

    def host_of(self, name, account=None):
        """A worker's host; what has a dot is one already."""
        if "." in name:
            return name
        return "%s.%s.%s" % (name, self.accounts[account or self.account_name]["subdomain"], self.domain)

    def request(self, host, path="/", method="GET", body=None, headers=None, timeout=None, connection=None, account=None):
        """A request to a worker: its name, or any host; the Answer."""
        own = connection or self.connection(timeout)
        try:
            own.request(method, path, body, dict(headers or {}, Host=self.host_of(host, account)))
            answer = own.getresponse()
            return Answer(answer.status, answer.reason, answer.headers, answer.read())
        finally:
            if connection is None:
                own.close()

    def get(self, host, path="/", **more):
        return self.request(host, path, **more)

    # -- processes --

    def zygotes(self):
        return [p for p in children(self.pid) if p.name != "corral-store"]

    # -- the end --

    def stop(self, sign=signal.SIGTERM, within=5.0):
        """SIGTERM: everything ends in good order, with 0."""
        family = descendants(self.pid)
        self.process.send_signal(sign)
        code = self.wait_exit(within * PATIENCE)
        until(lambda: "the processes under it end with it: %r" % still_alive(family), lambda: not still_alive(family), within * PATIENCE)
        return code

    def kill(self):
        """kill -9, and everything under it is gone."""
        family = descendants(self.pid)
        self.process.kill()
        self.wait_exit()
        until("the processes under it are gone", lambda: not still_alive(family))

    def access_log(self):
        """The lines of the access log on stdout, as objects."""
        return [json.loads(line) for line in self.log_lines() if re.match(r"\{.*\}$", line)]
