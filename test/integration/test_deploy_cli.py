"""corral deploy: what it uploads, what it says, and what a node answers then."""
import json
import re
import socket
import time

import pytest

from commands import Commands
from harness import PATIENCE, write_project

pytestmark = pytest.mark.asan

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
CONFIG = 'name = "%s"\nmain = "src/entry.py"\ncompatibility_date = "2025-01-01"\ncompatibility_flags = ["python_workers"]\n'
SHOW = """\
import json, os, sys
from js import Response

async def on_fetch(request, env):
    import helper
    return Response.new(json.dumps({"greeting": getattr(env, "GREETING", None), "list": getattr(env, "LIST", None) and list(env.LIST.to_py()),
                                    "secret": getattr(env, "TOKEN", None), "late": getattr(env, "LATE", None), "helper": helper.WHO,
                                    "vendored": __import__("vendored").WHO}))

async def on_scheduled(event, env, ctx):
    pass
"""


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture
def cli(node, tmp_path):
    return Commands(tmp_path, tmp_path / "home", node)


def make(folder, name, code, more="", files=None):
    content = {"wrangler.toml": CONFIG % name + more, "src/entry.py": code}
    content.update(files or {})
    return write_project(folder / name, content)


def test_a_project_with_everything(cli, node, tmp_path):
    files = {"src/helper.py": "WHO = 'helper'\n", "python_modules/vendored/__init__.py": "WHO = 'vendored'\n",
             ".dev.vars": "TOKEN=never-uploaded\n", "README.md": "not part of it"}
    project = make(tmp_path, "show", SHOW, '[vars]\nGREETING = "hello"\nLIST = [1, 2]\n[triggers]\ncrons = ["*/5 * * * *"]\n', files)
    said = cli("deploy", project, "--var", "LATE:secret-ish", "--message", "first", "--tag", "v1").out
    assert re.fullmatch(
        r"Total Upload: \d+\.\d\d KiB / gzip: \d+\.\d\d KiB\n"
        r"Worker Startup Time: \d+ ms\n"
        r"Your Worker has access to the following bindings:\n"
        r"Binding +Resource\n"
        r'env\.GREETING \("hello"\) +Environment Variable\n'
        r"env\.LIST \(\[1,2\]\) +Environment Variable\n"
        r"env\.LATE \(hidden\) +Environment Variable\n"
        r"Uploaded show \(\d+\.\d\d sec\)\n"
        r"Deployed show triggers \(\d+\.\d\d sec\)\n"
        r"  http://show\.main\.test:%d\n"
        r"  schedule: \*/5 \* \* \* \*\n"
        r"Current Version ID: (%s)\n" % (node.port, UUID), said), said
    answer = node.get("show").json()
    assert answer == {"greeting": "hello", "list": [1, 2], "secret": None, "late": "secret-ish", "helper": "helper",
                      "vendored": "vendored"}
    version = re.search("Current Version ID: (%s)" % UUID, said).group(1)
    detail = node.result("GET", "/accounts/$ACC/workers/scripts/show/versions/" + version)
    assert detail["annotations"]["workers/message"] == "first" and detail["annotations"]["workers/tag"] == "v1"
    assert node.result("GET", "/accounts/$ACC/workers/scripts/show/schedules")["schedules"][0]["cron"] == "*/5 * * * *"

    # Secrets stay, variables go with the configuration, --keep-vars keeps them; crons that are not mentioned stay.
    cli("secret", "put", "TOKEN", stdin="s3cret\n", cwd=project)
    (project / "wrangler.toml").write_text(CONFIG % "show")
    assert cli("deploy", cwd=project).out.count("Environment Variable") == 0
    answer = node.get("show").json()
    assert (answer["secret"], answer["greeting"], answer["late"]) == ("s3cret", None, None)
    cli("deploy", "--var", "GREETING:kept", cwd=project)
    cli("deploy", "--keep-vars", cwd=project)
    assert node.get("show").json()["greeting"] == "kept"
    assert len(node.result("GET", "/accounts/$ACC/workers/scripts/show/schedules")["schedules"]) == 1
    assert "schedule: 0 3 * * *\n" in cli("deploy", "--triggers", "0 3 * * *", cwd=project).out
    assert node.result("GET", "/accounts/$ACC/workers/scripts/show/schedules")["schedules"][0]["cron"] == "0 3 * * *"
    (project / "wrangler.toml").write_text(CONFIG % "show" + "[triggers]\ncrons = []\n")
    cli("deploy", cwd=project)
    assert node.result("GET", "/accounts/$ACC/workers/scripts/show/schedules")["schedules"] == []
    for text in ("never-uploaded", "s3cret"):
        assert text not in node.log_text()


HI = "from js import Response\ndef on_fetch(request):\n    return Response.new('%s')\n"


def test_routes_and_hosts(cli, node, tmp_path):
    project = make(tmp_path, "routed", HI % "routed",
                   'routes = ["routed.example/api/*", {pattern = "own.example", custom_domain = true}]\n')
    said = cli("deploy", cwd=project).out
    assert re.search(r"Deployed routed triggers \(\S+ sec\)\n  routed\.example/api/\*\n  own\.example \(custom domain\)\n", said), said
    assert node.get("routed.example", "/api/x").text == "routed"
    assert node.get("routed.example", "/other").status == 404
    assert node.get("own.example").text == "routed"
    assert node.get("routed").status == 404, "routes turn its own host off, as wrangler's"
    assert "  http://routed.main.test" in cli("deploy", "--route", "r2.example/*", cwd=write_config(project, "workers_dev = true\n")).out
    assert node.get("routed").text == "routed"
    assert node.get("r2.example", "/").text == "routed" and node.get("routed.example", "/api/x").status == 404
    assert node.get("own.example").text == "routed", "domains that are not mentioned stay"
    cli("deploy", cwd=write_config(project, "routes = []\nworkers_dev = false\n"))
    assert [node.get(host).status for host in ("r2.example", "own.example", "routed")] == [404, 404, 404]
    assert "No targets deployed for routed" in cli("deploy", cwd=project).out


def write_config(project, more):
    (project / "wrangler.toml").write_text(CONFIG % project.name + more)
    return project


def test_databases_are_found_by_name_or_made(cli, node, tmp_path):
    code = """\
        from js import Response
        async def on_fetch(request, env):
            row = await env.DB.prepare("SELECT 40 + 2 AS n").first()
            return Response.new(str(row.n))
        """
    config = '[[d1_databases]]\nbinding = "DB"\ndatabase_name = "by name"\ndatabase_id = "%s"\n'
    project = make(tmp_path, "with-db", code, config % "placeholder")
    said = cli("deploy", cwd=project).out
    uuid = re.search(r"Created the D1 database 'by name' \((%s)\)\n" % UUID, said).group(1)
    assert re.search(r"env\.DB \(by name\) +D1 Database\n", said)
    assert node.get("with-db").text == "42"
    assert "Created" not in cli("deploy", cwd=project).out
    assert len(node.result("GET", "/accounts/$ACC/d1/database?name=by%20name")) == 1
    write_config(project, config % uuid)
    cli("deploy", cwd=project)
    assert node.get("with-db").text == "42"


def test_what_does_not_start_changes_nothing(cli, node, tmp_path):
    project = make(tmp_path, "careful", HI % "good")
    cli("deploy", cwd=project)
    (project / "src/entry.py").write_text("import nothing_of_that_name\n")
    done = cli("deploy", cwd=project, code=1)
    assert "ModuleNotFoundError" in done.err and "nothing_of_that_name" in done.err and "[code: 10021]" in done.err
    assert "Nothing has changed on the node" in done.err
    assert "Total Upload" in done.out and "Uploaded" not in done.out
    assert node.get("careful").text == "good"


def test_dry_run_asks_nobody(cli, tmp_path):
    project = make(tmp_path, "dry", HI % "dry", '[vars]\nA = "1"\n[[d1_databases]]\nbinding = "DB"\ndatabase_name = "x"\n',
                   {"src/lib/a.py": "", "requirements.txt": "fastapi\n", "python_modules/m.py": ""})
    nobody = {"CORRAL_API_URL": None, "CORRAL_API_TOKEN": None}
    said = cli("deploy", "--dry-run", "--outdir", "out", cwd=project, env=nobody).out
    assert said.endswith("--dry-run: exiting now.\n") and 'env.A ("1")' in said and "env.DB (x)" in said
    there = sorted(str(p.relative_to(project / "out")) for p in (project / "out").rglob("*") if p.is_file())
    assert there == ["entry.py", "lib/a.py", "python_modules/m.py", "requirements.txt"]
    said = cli("versions", "upload", "--dry-run", cwd=project, env=nobody).out
    assert "Total Upload" in said and said.endswith("--dry-run: exiting now.\n")


@pytest.mark.parametrize("options, more, said", [
    (["--triggers", "nope"], "", "the schedule 'nope': a cron expression has five fields"),
    (["--routes", "a.example.com/*/b"], "", "the route 'a.example.com/*/b': "),
    (["--domains", "a.example.com/x"], "", "the custom domain 'a.example.com/x': "),
    ([], 'routes = ["a.example.com/*/b"]\n', "the route 'a.example.com/*/b': ")])
def test_wrong_triggers_are_found_before_the_upload(cli, tmp_path, options, more, said):
    project = make(tmp_path, "wrong", HI % "wrong", more)
    nobody = {"CORRAL_API_URL": None, "CORRAL_API_TOKEN": None}
    assert said in cli("deploy", "--dry-run", *options, cwd=project, env=nobody, code=1).err
    done = cli("deploy", *options, cwd=project, code=1)
    assert said in done.err and "Uploaded" not in done.out


def test_secrets_that_must_be_there(cli, node, tmp_path):
    project = make(tmp_path, "needs", SHOW.replace("import helper\n", "helper = vendored = None\n").replace("helper.WHO", "1").replace(
        '__import__("vendored").WHO', "1"), '[secrets]\nrequired = ["TOKEN", "OTHER"]\n')
    err = cli("deploy", cwd=project, code=1).err
    assert "'needs' lacks secrets that secrets.required names: TOKEN, OTHER" in err and "corral secret put NAME" in err
    (tmp_path / "secrets.json").write_text(json.dumps({"TOKEN": "from-file", "OTHER": "x"}))
    said = cli("deploy", "--secrets-file", tmp_path / "secrets.json", cwd=project).out
    assert "from-file" not in said and re.search(r"env\.TOKEN \(hidden\) +Secret\n", said)
    assert node.get("needs").json()["secret"] == "from-file"
    cli("deploy", cwd=project)
    assert node.get("needs").json()["secret"] == "from-file"


def test_options_of_wrangler(cli, node, tmp_path):
    project = make(tmp_path, "opts", HI % "opts", "[env.staging]\n")
    done = cli("deploy", "--minify", "--env", "staging", "--strict", cwd=project)
    assert "--minify has no effect" in done.err and "Uploaded opts-staging" in done.out
    assert "Uploaded other" in cli("deploy", "--name", "other", "--compatibility-date", "2024-12-01", project / "src/entry.py").out
    assert node.get("other").text == "opts"
    assert "--dispatch-namespace: there are no" in cli("deploy", "--dispatch-namespace", "x", cwd=project, code=2).err
    assert "Did you mean --message?" in cli("deploy", "--mesage", "x", cwd=project, code=2).err
    assert "there is no environment 'prod'" in cli("deploy", "--env", "prod", cwd=project, code=1).err
    assert "wrangler.toml:5:" in cli("deploy", cwd=write_config(project, "routes = 5\n"), code=1).err
    assert "Usage: corral deploy [PROJECT]" in cli("deploy", "--help").out


def test_a_small_worker_takes_less_than_a_second(cli, tmp_path):
    project = make(tmp_path, "quick", HI % "quick")
    cli("deploy", cwd=project)
    times = []
    while len(times) < 20 and min(times, default=60) >= PATIENCE:       # beside others all takes longer: once is enough
        begun = time.monotonic()
        cli("deploy", cwd=project)
        times.append(time.monotonic() - begun)
    assert min(times) < PATIENCE, times


def test_when_there_is_no_node(cli, node, tmp_path):
    project = make(tmp_path, "lost", HI % "lost")
    nobody = {"CORRAL_API_URL": None, "CORRAL_API_TOKEN": None}
    err = cli("deploy", cwd=project, env=nobody, code=1).err
    assert err.startswith("corral: nothing says which node this is for\n") and "corral login" in err and "CORRAL_API_URL" in err
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        err = cli("deploy", cwd=project, env={"CORRAL_API_URL": "http://127.0.0.1:%d" % s.getsockname()[1]}, code=1).err
    assert "nobody answers at http://127.0.0.1:" in err and "corral serve" in err
    err = cli("deploy", cwd=project, env={"CORRAL_API_TOKEN": "wrong"}, code=1).err
    assert "Authentication error [code: 10000]" in err and "CORRAL_API_TOKEN" in err
    err = cli("deploy", cwd=project, env={"CORRAL_ACCOUNT_ID": "0" * 32}, code=1).err
    assert "[code: 10000]" in err and "CORRAL_ACCOUNT_ID" in err
    err = cli("deploy", cwd=project, env={"CORRAL_API_URL": node.url}, code=1).err
    assert "it is no answer of a control API" in err
    err = cli("deploy", cwd=project, env={"CORRAL_API_URL": node.api_url.replace("http", "https")}, code=1).err
    assert "does not speak TLS" in err
    err = cli("deploy", cwd=project, env={"CORRAL_API_URL": "127.0.0.1:8788"}, code=1).err
    assert "CORRAL_API_URL '127.0.0.1:8788' is not an address" in err


def test_variables_of_wrangler_do_as_well(cli, node, tmp_path):
    env = {"CORRAL_API_URL": None, "CORRAL_API_TOKEN": None, **node.client_env()}
    project = make(tmp_path, "by-wrangler", HI % "w", 'account_id = "%s"\n' % ("1" * 32))
    assert "Uploaded by-wrangler" in cli("deploy", cwd=project, env=env).out
    assert "account_id" in cli("deploy", cwd=project, env=dict(env, CLOUDFLARE_ACCOUNT_ID=None), code=1).err


@pytest.mark.parametrize("kind", ["python", "fastapi", "d1"])
def test_templates_are_deployed(cli, node, kind):
    cli("init", "made-" + kind, "--template", kind)
    said = cli("deploy", "made-" + kind).out
    assert "Uploaded made-%s" % kind in said
    answer = node.get("made-" + kind)
    assert answer.text == "Hello world!" if kind == "python" else answer.json() == ({"message": "Hello world!"} if kind == "fastapi" else [])
