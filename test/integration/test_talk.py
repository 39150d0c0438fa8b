"""The commands of the talk in its order, for all its samples: dev, deploy, secret put, d1 create, d1 execute --local and
--remote.  With corral, and, where its commands reach a server, with both generations of the real wrangler."""
import json
import os
import re
import shutil
import subprocess

import pytest

from conftest import finish, start
from harness import BIN, PATIENCE, ROOT
from wrangler import Wrangler

pytestmark = [pytest.mark.apart, pytest.mark.long]      # npm may have to bring wrangler first

BOOK = {"title": "坊っちゃん", "description": "夏目漱石"}
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class Corral:
    """corral with the same methods as Wrangler."""

    def __init__(self, home, api_url, token):
        self.environment = dict(os.environ, HOME=str(home), XDG_CONFIG_HOME=str(home), NO_COLOR="1", CORRAL_API_URL=api_url, CORRAL_API_TOKEN=token)

    def run(self, project, *arguments, stdin="", status=0):
        done = subprocess.run([BIN / "corral", *arguments], cwd=project, env=self.environment, input=stdin, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=180 * PATIENCE)
        said = done.stdout + done.stderr
        assert status is None or done.returncode == status, "corral %s ended with %d:\n%s" % (" ".join(arguments), done.returncode, said)
        return said


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture(scope="module", params=["corral", "wrangler 3", "wrangler 4"])
def typist(request, node, tmp_path_factory):
    account = request.param.replace(" ", "-")
    token, home = node.add_account(account, "deploy"), tmp_path_factory.mktemp("home")
    if request.param == "corral":
        one = Corral(home, node.api_url, token)
    else:
        one = Wrangler(int(request.param[-1]), home, node.api_url, token)
    one.is_corral, one.account = request.param == "corral", node.accounts[account]
    return one


@pytest.fixture
def sample(typist, tmp_path):
    def copy(name):
        folder = tmp_path / name
        shutil.copytree(ROOT / "examples" / name, folder, ignore=shutil.ignore_patterns(".corral", "__pycache__", ".wrangler", "node_modules"))
        return folder

    return copy


def in_dev(folder, *paths):
    """What `corral dev` answers, in order."""
    one = start(folder, None)
    try:
        return [one.get(path) for path in paths]
    finally:
        finish(one)


def ask(node, typist, name, path="/", method="GET", body=None):
    headers = {"content-type": "application/json"} if body else {}
    return node.request(name, path, method, json.dumps(body).encode() if body else None, headers, account=typist.account["name"])


def test_talk_hello(node, typist, sample):
    folder = sample("hello")
    if typist.is_corral:
        assert in_dev(folder, "/")[0].text == "Hello world!"
    said = typist.run(folder, "deploy")
    assert "hello.%s." % typist.account["subdomain"] in said and re.search("Current Version ID: " + UUID, said)
    assert ask(node, typist, "hello").text == "Hello world!"
    entry = folder / "src/entry.py"
    entry.write_text(entry.read_text().replace("Hello world!", "Hello again!"))
    typist.run(folder, "deploy")
    assert ask(node, typist, "hello").text == "Hello again!"


def test_talk_environment_variables(node, typist, sample):
    folder = sample("environment-variables")
    shutil.copy(folder / ".dev.vars.example", folder / ".dev.vars")
    local = re.search(r'API_TOKEN="?([^"\n]+)', (folder / ".dev.vars").read_text())[1]
    if typist.is_corral:
        assert in_dev(folder, "/")[0].text == "host:  api.example.com\ntoken: %s\n" % local
    typist.run(folder, "deploy")
    assert ask(node, typist, "environment-variables").text.endswith("cp .dev.vars.example .dev.vars\n")
    said = typist.run(folder, "secret", "put", "API_TOKEN", stdin="of production\n")
    assert "of production" not in said
    assert ask(node, typist, "environment-variables").text == "host:  api.example.com\ntoken: of production\n"
    typist.run(folder, "deploy")
    assert ask(node, typist, "environment-variables").text == "host:  api.example.com\ntoken: of production\n"
    assert "API_TOKEN" in typist.run(folder, "secret", "list")


def test_talk_d1(node, typist, sample):
    folder = sample("d1-api")
    said = typist.run(folder, "d1", "create", "bookshelf", *(["--remote"] if typist.is_corral else []))
    toml = folder / "wrangler.toml"
    toml.write_text(re.sub(r'database_id = ".*"', 'database_id = "%s"' % re.search(UUID, said)[0], toml.read_text()))
    if typist.is_corral:
        typist.run(folder, "d1", "execute", "bookshelf", "--local", "--file=./schema.sql")
        typist.run(folder, "d1", "execute", "bookshelf", "--local", "--command", "INSERT INTO books (title, description) VALUES ('local', 'x')")
        assert [book["title"] for book in in_dev(folder, "/")[0].json()] == ["local"]
    typist.run(folder, "d1", "execute", "bookshelf", "--remote", "--file=./schema.sql", "--yes")
    typist.run(folder, "deploy")
    assert ask(node, typist, "d1-api").json() == []
    added = ask(node, typist, "d1-api", method="POST", body=BOOK)
    assert (added.status, added.json()) == (201, {"id": 1, **BOOK})
    assert "坊っちゃん" in typist.run(folder, "d1", "execute", "bookshelf", "--remote", "--command", "SELECT * FROM books")
    assert ask(node, typist, "d1-api").json() == [{"id": 1, **BOOK}]


def test_talk_packages(node, typist, sample):
    folder = sample("fastapi")
    if typist.is_corral:
        assert in_dev(folder, "/")[0].json() == {"shop": "Corner bookshop", "books": 2}
    typist.run(folder, "deploy")
    assert ask(node, typist, "fastapi").json() == {"shop": "Corner bookshop", "books": 2}
    assert ask(node, typist, "fastapi", "/books/1").json()["author"] == "夏目漱石"
    order = ask(node, typist, "fastapi", "/orders", method="POST", body={"book": 2, "copies": 3})
    assert (order.status, order.json()["total"]) == (201, 2310)
    if typist.is_corral:  # wrangler uploads modules, not templates.
        assert "<h1>Corner bookshop</h1>" in ask(node, typist, "fastapi", "/page").text


def test_talk_built_in_packages(node, typist, sample):
    folder = sample("built-in-packages")
    typist.run(folder, "deploy")
    assert set(ask(node, typist, "built-in-packages", "/openapi.json").json()["paths"]) == {"/status", "/title", "/missing"}
