"""corral deploy and corral versions upload of JavaScript projects: what a node answers then."""
import base64
import json
import os
import re
import signal
import subprocess

import pytest

from commands import Commands
from harness import BIN, until, write_project
from test_dev_script import is_gone

pytestmark = pytest.mark.asan

CONFIG = {"main": "src/index.ts", "compatibility_date": "2026-03-01"}
# (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
ADD = base64.b64decode("AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=")
SHOW = """\
import module from "./add.wasm";
import text from "./text.txt";
import page from "./page.html";
import data from "./data.bin";
import { twice } from "./lib/twice";

interface Env { NAME: string; TOKEN: string }
const { exports } = new WebAssembly.Instance(module);

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname === "/fail") fail();
    return Response.json([exports.add(20, 22), text, page, new Uint8Array(data)[1], twice(4), env.NAME, env.TOKEN, process.env.NODE_ENV]);
  },
};

function fail(): void {
  throw new RangeError("too far");
}
"""
FILES = {"src/add.wasm": ADD, "src/text.txt": "text", "src/page.html": "<p>", "src/data.bin": b"\1\2\3",
         "src/lib/twice.ts": "export const twice = (n: number): number => 2 * n;\n"}


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture
def cli(node, tmp_path):
    return Commands(tmp_path, tmp_path / "home", node)


def make(folder, name, code, files=None, **config):
    return write_project(folder / name, {"wrangler.json": json.dumps({"name": name, **CONFIG, **config}), "src/index.ts": code, **(files or {})})


def test_a_service_worker_with_modules(cli, node, tmp_path):
    """It goes up as a script, whatever it imports; a line that only looks like an import is none."""
    project = make(tmp_path, "service", """\
import module from "./add.wasm";
import text from "./text.txt";
import { twice } from "./lib/twice";
declare const NAME: string;
const { exports } = new WebAssembly.Instance(module) as any;
addEventListener("fetch", (event: any) => event.respondWith(Response.json([exports.add(20, 22), text, twice(4), NAME])));
""", FILES, vars={"NAME": "global"})
    said = cli("deploy", cwd=project)
    assert "Uploaded service" in said.out and said.err == ""
    assert node.get("service").json() == [42, "text", 8, "global"]
    assert node.api_raw("GET", "/client/v4/accounts/%s/workers/scripts/service/content" % node.account["id"]).headers["cf-entrypoint"] == "index.js"
    versions = node.result("GET", "/accounts/$ACC/workers/scripts/service/versions")["items"]
    about = node.result("GET", "/accounts/$ACC/workers/scripts/service/versions/" + versions[0]["id"])
    assert "fetch" in about["resources"]["script"]["handlers"], about


def test_modules_of_every_kind(cli, node, tmp_path):
    project = make(tmp_path, "kinds", SHOW, FILES, vars={"NAME": "kinds"})
    (tmp_path / "secrets.json").write_text('{"TOKEN": "hidden"}')
    said = cli("deploy", "--secrets-file", tmp_path / "secrets.json", cwd=project)
    assert "Uploaded kinds" in said.out and said.err == ""
    assert node.get("kinds").json() == [42, "text", "<p>", 2, 8, "kinds", "hidden", "production"]
    assert node.get("kinds", "/fail").status == 500


def test_a_project_that_nobody_may_write_into(cli, node, tmp_path, monkeypatch):
    """Root may write everywhere: where the folder would be there is a file."""
    project = make(tmp_path, "reads", "export default { fetch: () => new Response('built elsewhere') };\n")
    (project / ".corral").write_text("")
    (tmp_path / "room").mkdir()
    cli("deploy", cwd=project, env={"TMPDIR": str(tmp_path / "room")})
    assert node.get("reads").text == "built elsewhere"
    assert list((tmp_path / "room").iterdir()) == [] and (project / ".corral").read_text() == ""


def test_what_does_not_start_changes_nothing(cli, node, tmp_path):
    project = make(tmp_path, "starts", "export default { fetch: () => new Response('one') };\n")
    cli("deploy", cwd=project)
    (project / "src/index.ts").write_text("const first: string = 'x';\nthrow new Error('not today: ' + first);\n")
    done = cli("deploy", cwd=project, code=1)
    assert "not today: x" in done.err and "src/index.ts:2" in done.err and "Nothing has changed on the node" in done.err
    assert node.get("starts").text == "one"
    (project / "src/index.ts").write_text("const first: = 'x';\n")
    assert "src/index.ts:1:14: error: Unexpected" in cli("deploy", cwd=project, code=1).err
    assert node.get("starts").text == "one"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_custom_build_ends_with_us(cli, tmp_path, number):
    command = "sleep 1000 & echo $! > pid.new; mv pid.new pid; wait"
    folder = make(tmp_path, "builds", "", build={"command": command})
    process = subprocess.Popen([BIN / "corral", "deploy", folder], cwd=folder, env=cli.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: "the build has not begun", (folder / "pid").exists)
    pid = int((folder / "pid").read_text())
    process.send_signal(number)
    assert process.wait(5) == -number
    try:
        until(lambda: f"process {pid} of the build is alive", lambda: is_gone(pid), 2)
    finally:
        if not is_gone(pid):
            os.kill(pid, signal.SIGKILL)


def test_a_service_worker(cli, node, tmp_path):
    project = make(tmp_path, "old", "import { hi } from './hi';\naddEventListener('fetch', (event: any) => event.respondWith(new Response(hi + NAME)));\n",
                   {"src/hi.ts": "export const hi = 'hi ';\n"}, vars={"NAME": "there"})
    cli("deploy", cwd=project)
    assert node.get("old").text == "hi there"


def test_versions(cli, node, tmp_path):
    project = make(tmp_path, "two", "export default { fetch: () => new Response('one') };\n")
    cli("deploy", cwd=project)
    (project / "src/index.ts").write_text("export default { fetch: () => new Response('two') };\n")
    said = cli("versions", "upload", "--minify", cwd=project).out
    version = re.search(r"Worker Version ID: (\S+)", said)[1]
    assert node.get("two").text == "one"
    cli("versions", "deploy", version + "@100%", "--yes", cwd=project)
    assert node.get("two").text == "two"


def test_modules_by_computed_names(cli, node, tmp_path):
    code = "export default { async fetch(request) { const name = new URL(request.url).pathname.slice(1);\n" \
           "  return new Response((await import(`./lang/${name}.mjs`)).hello); } };\n"
    project = make(tmp_path, "langs", code, {"src/lang/en.mjs": "export const hello = 'hello';\n", "src/lang/fr.mjs": "export const hello = 'bonjour';\n"},
                   find_additional_modules=True, rules=[{"type": "ESModule", "globs": ["lang/*.mjs"]}])
    cli("deploy", cwd=project)
    assert [node.get("langs", "/" + name).text for name in ("en", "fr")] == ["hello", "bonjour"]
    assert node.get("langs", "/de").status == 500
