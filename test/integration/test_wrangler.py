"""The real wrangler, 3.78.8 and the newest 4.x, types what people type, against `corral serve`."""
import json
import re
import signal
import threading

import pytest

from harness import DEADLINE, until
from wrangler import Wrangler

pytestmark = [pytest.mark.apart, pytest.mark.long]      # npm may have to bring it first

CONFIG = """\
name = "environment-variables"
main = "src/entry.py"
compatibility_date = "2024-03-29"
compatibility_flags = ["python_workers"]
workers_dev = true

[vars]
MY_NAME = "Ryuji Tsutsui"
"""
ENTRY = """\
from js import Response, console


async def on_fetch(request, env):
    if "boom" in request.url:
        raise ValueError("a reason")
    console.log("seen", request.method)
    return Response.new(f"My name is {env.MY_NAME}. SECRET_KEY: {getattr(env, 'SECRET_KEY', None)}. A: {getattr(env, 'A', None)}")
"""
D1_CONFIG = """\
name = "simple-api"
main = "src/entry.py"
compatibility_date = "2024-03-29"
compatibility_flags = ["python_workers"]

[[d1_databases]]
binding = "DB"
database_name = "bookshelf"
database_id = "%s"
"""
D1_ENTRY = """\
from js import Response


async def on_fetch(request, env):
    found = await env.DB.prepare("SELECT title FROM books ORDER BY id").all()
    return Response.json(found.results)
"""
SCHEMA = """\
DROP TABLE IF EXISTS books;
CREATE TABLE IF NOT EXISTS books (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, description TEXT);
INSERT INTO books (title, description) VALUES ('\u574a\u3063\u3061\u3083\u3093', 'it''s here');
"""
VERSION = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture(scope="module", params=[3, 4], ids=["3.78.8", "4.x"])
def wrangler(request, node, tmp_path_factory):
    """One account for each generation, so that names do not meet."""
    name = "generation-%d" % request.param
    one = Wrangler(request.param, tmp_path_factory.mktemp("home"), node.api_url, node.add_account(name, "deploy"))
    one.account = node.accounts[name]
    return one


def project(folder, **files):
    for name, text in files.items():
        path = folder / {"toml": "wrangler.toml", "entry": "src/entry.py"}.get(name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope="module")
def deployed(wrangler, tmp_path_factory):
    folder = project(tmp_path_factory.mktemp("worker"), toml=CONFIG, entry=ENTRY)
    said = wrangler.run(folder, "deploy")
    assert re.search(r"Current Version ID: " + VERSION, said), said
    assert "environment-variables.%s." % wrangler.account["subdomain"] in said
    return folder


def ask(node, wrangler, path="/", name="environment-variables"):
    return node.request(name, path, account=wrangler.account["name"])


def versions(wrangler, folder):
    """Ids, oldest first."""
    return [one["id"] for one in wrangler.json(folder, "versions", "list", "--json")]


# ---- deploy ----


def test_wrangler_whoami(wrangler, tmp_path):
    said = wrangler.run(tmp_path, "whoami")
    assert wrangler.account["name"] in said and wrangler.account["id"] in said


def test_wrangler_deploys_and_deploys_again(node, wrangler, deployed):
    assert ask(node, wrangler).text == "My name is Ryuji Tsutsui. SECRET_KEY: None. A: None"
    (deployed / "src/entry.py").write_text(ENTRY.replace("My name", "The name"))
    try:
        assert re.search(r"Current Version ID: " + VERSION, wrangler.run(deployed, "deploy"))
        assert ask(node, wrangler).text.startswith("The name is Ryuji")
    finally:
        (deployed / "src/entry.py").write_text(ENTRY)
    wrangler.run(deployed, "deploy")
    assert ask(node, wrangler).text.startswith("My name is Ryuji")


def test_wrangler_shows_the_traceback_of_a_worker_that_does_not_start(node, wrangler, deployed):
    (deployed / "src/entry.py").write_text("import js\n\n\nraise RuntimeError('not today')\n")
    try:
        said = wrangler.run(deployed, "deploy", status=1)
    finally:
        (deployed / "src/entry.py").write_text(ENTRY)
    assert "RuntimeError: not today" in said and "[code: 10021]" in said and "entry.py" in said
    assert ask(node, wrangler).text.startswith("My name is Ryuji")


def test_wrangler_deploys_vendored_modules(node, wrangler, tmp_path):
    folder = project(tmp_path, toml=CONFIG.replace("environment-variables", "vendored"),
                     entry="from js import Response\nimport mylib\nimport helper\n\n\nasync def on_fetch(request, env):\n"
                           "    return Response.new(mylib.NAME + helper.NAME)\n",
                     **{"python_modules/mylib/__init__.py": "NAME = 'vendored'\n", "src/helper.py": "NAME = ' and own'\n"})
    if wrangler.generation == 3:  # It sends no python_modules, and other modules only by rules.
        (folder / "src/entry.py").write_text("from js import Response\n\n\nasync def on_fetch(request, env):\n    return Response.new('vendored and own')\n")
    wrangler.run(folder, "deploy")
    assert ask(node, wrangler, name="vendored").text == "vendored and own"


def test_wrangler_deploys_what_requirements_txt_names(node, wrangler, tmp_path):
    """3.78.8 sends the names; 4.x sends nothing, and the whole built-in set is there."""
    folder = project(tmp_path, toml=CONFIG.replace("environment-variables", "framework"),
                     entry="from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/')\nasync def root():\n    return {'hello': 'fastapi'}\n\n\n"
                           "async def on_fetch(request, env):\n    import asgi\n    return await asgi.fetch(app, request, env)\n",
                     **{"requirements.txt": "fastapi\n"})
    wrangler.run(folder, "deploy")
    assert ask(node, wrangler, name="framework").json() == {"hello": "fastapi"}


# ---- secrets ----


def test_wrangler_secrets(node, wrangler, deployed):
    said = wrangler.run(deployed, "secret", "put", "SECRET_KEY", stdin="s3cret")
    assert "Success" in said and "s3cret" not in said
    assert ask(node, wrangler).text.endswith("SECRET_KEY: s3cret. A: None")
    wrangler.run(deployed, "deploy")  # Trap 2: neither generation says it, both keep secrets.
    assert ask(node, wrangler).text.endswith("SECRET_KEY: s3cret. A: None")
    listed = wrangler.run(deployed, "secret", "list")
    assert json.loads(listed[listed.index("["):listed.rindex("]") + 1]) == [{"name": "SECRET_KEY", "type": "secret_text"}]
    (deployed / "bulk.json").write_text(json.dumps({"A": "1", "B": "2"}))
    assert "2 secrets" in wrangler.run(deployed, "secret", "bulk", "bulk.json")
    assert ask(node, wrangler).text == "My name is Ryuji Tsutsui. SECRET_KEY: s3cret. A: 1"
    wrangler.run(deployed, "secret", "delete", "A", stdin="y\n")
    assert ask(node, wrangler).text.endswith("SECRET_KEY: s3cret. A: None")


def test_wrangler_secret_of_a_worker_that_is_not_there_yet(node, wrangler, tmp_path):
    """Trap 10: 4.x makes a draft first.  The worker that is deployed then has the secret."""
    folder = project(tmp_path, toml=CONFIG.replace("environment-variables", "later"), entry=ENTRY)
    if wrangler.generation == 4:
        wrangler.run(folder, "secret", "put", "SECRET_KEY", stdin="early")
    wrangler.run(folder, "deploy")
    if wrangler.generation == 3:
        wrangler.run(folder, "secret", "put", "SECRET_KEY", stdin="early")
    assert ask(node, wrangler, name="later").text.endswith("SECRET_KEY: early. A: None")


# ---- versions ----


def test_wrangler_versions_and_rollback(node, wrangler, deployed):
    wrangler.run(deployed, "deploy")
    (deployed / "src/entry.py").write_text(ENTRY.replace("My name", "Version two"))
    try:
        said = wrangler.run(deployed, "versions", "upload", "--message", "the second", "--tag", "v2")
    finally:
        (deployed / "src/entry.py").write_text(ENTRY)
    fresh = re.search(VERSION, said).group(0)
    assert ask(node, wrangler).text.startswith("My name")
    assert fresh == versions(wrangler, deployed)[-1]
    assert "the second" in wrangler.run(deployed, "versions", "view", fresh)
    wrangler.run(deployed, "versions", "deploy", fresh + "@100%", "-y")
    assert ask(node, wrangler).text.startswith("Version two")
    assert fresh in wrangler.run(deployed, "deployments", "status")
    wrangler.run(deployed, "rollback", "-y", "-m", "why")
    assert ask(node, wrangler).text.startswith("My name")
    assert "why" in wrangler.run(deployed, "deployments", "list")


def test_wrangler_tells_the_address_of_a_preview(node, wrangler, tmp_path):
    folder = project(tmp_path, toml=CONFIG.replace("environment-variables", "shown").replace("workers_dev = true", "workers_dev = true\npreview_urls = true"),
                     entry=ENTRY)
    wrangler.run(folder, "deploy")
    if wrangler.generation == 3:  # It does not know preview_urls.
        node.result("POST", "/accounts/$ACC/workers/scripts/shown/subdomain", {"enabled": True, "previews_enabled": True}, account=wrangler.account["name"])
    said = wrangler.run(folder, "versions", "upload")
    short = re.search(VERSION, said).group(0)[:8]
    host = "%s-shown.%s." % (short, wrangler.account["subdomain"])
    assert "Version Preview URL: https://" + host in said
    if wrangler.generation == 4:
        assert "Version Preview URL: https://%s%s" % (host, node.domain) in said
        assert "Preview" not in wrangler.run(folder, "versions", "upload", "--preview-alias", "fine").split("Uploaded")[1]
    assert node.request(host + node.domain, "/").text.startswith("My name is Ryuji")


def test_wrangler_versions_by_percent(node, wrangler, deployed):
    (deployed / "src/entry.py").write_text(ENTRY.replace("My name", "Half"))
    try:
        fresh = re.search(VERSION, wrangler.run(deployed, "versions", "upload")).group(0)
    finally:
        (deployed / "src/entry.py").write_text(ENTRY)
    now = re.search(VERSION, wrangler.run(deployed, "deployments", "status")).group(0)
    wrangler.run(deployed, "versions", "deploy", now + "@50%", fresh + "@50%", "-y")
    seen = {ask(node, wrangler).text[:4] for _ in range(60)}
    assert seen == {"My n", "Half"}
    wrangler.run(deployed, "versions", "deploy", now + "@100%", "-y")
    assert {ask(node, wrangler).text[:4] for _ in range(20)} == {"My n"}


def test_wrangler_versions_secret(node, wrangler, deployed):
    before = ask(node, wrangler).text
    said = wrangler.run(deployed, "versions", "secret", "put", "A", stdin="of a version")
    assert "Success" in said and ask(node, wrangler).text == before
    fresh = versions(wrangler, deployed)[-1]
    wrangler.run(deployed, "versions", "deploy", fresh + "@100%", "-y")
    assert ask(node, wrangler).text.endswith("A: of a version")


# ---- tail ----


def tail(wrangler, folder, *arguments):
    """The running tail, a list that its output goes into, and how to end it: then all that it has said is there."""
    process = wrangler.popen(folder, "tail", *arguments)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
    reader.start()

    def end():
        process.send_signal(signal.SIGINT)
        process.wait(3 * DEADLINE)
        reader.join(DEADLINE)
    return lines, end


def test_wrangler_tail(node, wrangler, deployed):
    lines, end = tail(wrangler, deployed, "--format", "json")
    try:
        until(lambda: "an event: %r" % lines, lambda: ask(node, wrangler, "/seen") and any("seen" in line for line in lines), every=0.2)
        until(lambda: "an exception: %r" % lines, lambda: ask(node, wrangler, "/boom") and any("a reason" in line for line in lines), every=0.2)
    finally:
        end()
    text = "".join(lines)
    assert '"outcome": "ok"' in text and '"outcome": "exception"' in text and "Traceback" in text


def test_wrangler_tail_pretty_with_filters(node, wrangler, deployed):
    lines, end = tail(wrangler, deployed, "--format", "pretty", "--status", "error")

    def asked():
        ask(node, wrangler, "/seen")
        ask(node, wrangler, "/boom")
        return any("ValueError: a reason" in line for line in lines)

    try:
        until(lambda: "the exception: %r" % lines, asked, every=0.2)
    finally:
        end()
    text = "".join(lines)
    assert "/boom" in text and "/seen" not in text


# ---- D1 ----


@pytest.fixture(scope="module")
def database(wrangler, tmp_path_factory):
    folder = project(tmp_path_factory.mktemp("d1"), toml=D1_CONFIG % "unknown", entry=D1_ENTRY, **{"schema.sql": SCHEMA})
    said = wrangler.run(folder, "d1", "create", "bookshelf")
    uuid = re.search(VERSION, said).group(0)
    (folder / "wrangler.toml").write_text(D1_CONFIG % uuid)
    return folder


def test_wrangler_d1(node, wrangler, database, tmp_path):
    wrangler.run(database, "d1", "execute", "bookshelf", "--remote", "--file=./schema.sql", "--yes")
    rows = wrangler.json(database, "d1", "execute", "bookshelf", "--remote", "--command", "SELECT title, description FROM books", "--json")
    assert rows[0]["results"] == [{"title": "\u574a\u3063\u3061\u3083\u3093", "description": "it's here"}]
    wrangler.run(database, "d1", "export", "bookshelf", "--remote", "--output", str(tmp_path / "out.sql"))
    assert "CREATE TABLE" in (tmp_path / "out.sql").read_text() and "it''s here" in (tmp_path / "out.sql").read_text()
    assert [one["name"] for one in wrangler.json(database, "d1", "list", "--json")] == ["bookshelf"]
    assert "no such table: nowhere" in wrangler.run(database, "d1", "execute", "bookshelf", "--remote", "--command", "SELECT * FROM nowhere", status=1)
    wrangler.run(database, "deploy")
    assert ask(node, wrangler, name="simple-api").json() == [{"title": "\u574a\u3063\u3061\u3083\u3093"}]


def test_wrangler_d1_info_and_migrations(wrangler, database):
    assert "bookshelf" in wrangler.run(database, "d1", "info", "bookshelf")
    (database / "migrations").mkdir()
    (database / "migrations/0001_loans.sql").write_text("CREATE TABLE loans (id INTEGER PRIMARY KEY);\n")
    assert "0001_loans.sql" in wrangler.run(database, "d1", "migrations", "list", "bookshelf", "--remote")
    wrangler.run(database, "d1", "migrations", "apply", "bookshelf", "--remote")
    assert "No migrations to apply" in wrangler.run(database, "d1", "migrations", "list", "bookshelf", "--remote")
    assert re.search("[0-9a-f]{8}-", wrangler.run(database, "d1", "time-travel", "info", "bookshelf"))


# ---- KV, triggers, delete ----


def test_wrangler_kv(wrangler, tmp_path):
    said = wrangler.run(tmp_path, "kv", "namespace", "create", "MYKV")
    namespace = "--namespace-id=" + re.search("[0-9a-f]{32}", said).group(0)
    remote = ["--remote"] if wrangler.generation == 4 else []
    wrangler.run(tmp_path, "kv", "key", "put", "k1", "value one", namespace, *remote)
    wrangler.run(tmp_path, "kv", "key", "put", "k2", "v2", "--ttl", "120", "--metadata", '{"a":1}', namespace, *remote)
    assert "value one" in wrangler.run(tmp_path, "kv", "key", "get", "k1", namespace, *remote)
    assert "MYKV" in wrangler.run(tmp_path, "kv", "namespace", "list")
    (tmp_path / "bulk.json").write_text('[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]')
    wrangler.run(tmp_path, "kv", "bulk", "put", "bulk.json", namespace, *remote)
    listed = wrangler.json(tmp_path, "kv", "key", "list", namespace, *remote)
    assert [one["name"] for one in listed] == ["a", "b", "k1", "k2"] and listed[3]["metadata"] == {"a": 1}
    wrangler.run(tmp_path, "kv", "key", "delete", "k1", namespace, *remote)
    assert [one["name"] for one in wrangler.json(tmp_path, "kv", "key", "list", namespace, *remote)] == ["a", "b", "k2"]


def test_wrangler_triggers(node, wrangler, tmp_path):
    host = "api.generation%d.example" % wrangler.generation
    toml = CONFIG.replace("environment-variables", "triggered").replace("workers_dev = true",
        'workers_dev = true\nroutes = [{ pattern = "%s/api/*", zone_name = "generation%d.example" }]' % (host, wrangler.generation))
    folder = project(tmp_path, toml=toml + '\n[triggers]\ncrons = ["*/5 * * * *"]\n',
                     entry=ENTRY + "\n\nasync def on_scheduled(event, env, ctx):\n    pass\n")
    said = wrangler.run(folder, "deploy")
    assert "*/5 * * * *" in said and host in said
    assert node.request(host, "/api/x").text.startswith("My name")
    assert node.request(host, "/other").status == 404


def test_wrangler_delete(node, wrangler, tmp_path):
    folder = project(tmp_path, toml=CONFIG.replace("environment-variables", "doomed"), entry=ENTRY)
    wrangler.run(folder, "deploy")
    assert ask(node, wrangler, name="doomed").status == 200
    wrangler.run(folder, "delete", "--force")
    assert ask(node, wrangler, name="doomed").status == 404


def test_wrangler_is_told_what_is_not_supported(wrangler, tmp_path):
    for command in (["r2", "bucket", "create", "mybucket"], ["queues", "create", "jobs"]):
        assert "not supported" in wrangler.run(tmp_path, *command, status=1)
