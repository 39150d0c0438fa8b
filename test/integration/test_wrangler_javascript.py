"""The real wrangler, 3.78.8 and the newest 4.x, deploys JavaScript and TypeScript to `corral serve`."""
import json
import re
import shutil

import npm
import pytest

from harness import until
from test_wrangler import VERSION, project, tail, wrangler  # noqa: F401: the fixture

pytestmark = [pytest.mark.apart, pytest.mark.long]      # npm may have to bring it first

CONFIG = """\
name = "%s"
main = "src/index.%s"
compatibility_date = "2024-09-23"
workers_dev = true
upload_source_maps = true

[vars]
NAME = "var"
"""
TYPESCRIPT = """\
import { WorkerEntrypoint } from "cloudflare:workers"
import greeting, { type Greeter } from "./greeting"
import text from "./note.txt"
import page from "./page.html"
import data from "./data.bin"

interface Env { NAME: string; SECRET?: string }

export class Other extends WorkerEntrypoint {}

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const url = new URL(request.url)
    console.log("seen", url.pathname, { a: 1 })
    if (url.pathname === "/boom") boom()
    const greet: Greeter = greeting
    return Response.json([greet(env.NAME), text, page, data.byteLength, env.SECRET ?? null])
  },
} satisfies ExportedHandler<Env>

function boom(): never {
  throw new TypeError("a reason")
}
"""
FILES = {"src/greeting.ts": "export type Greeter = (name: string) => string\nexport default ((name) => `hello ${name}`) as Greeter\n", "src/note.txt": "note", "src/page.html": "<p>", "src/data.bin": "12345"}


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


@pytest.fixture(scope="module")
def deployed(node, wrangler, tmp_path_factory):
    folder = project(tmp_path_factory.mktemp("worker"), toml=CONFIG % ("typed", "ts"), **{"src/index.ts": TYPESCRIPT}, **FILES)
    said = wrangler.run(folder, "deploy")
    assert re.search(r"Current Version ID: " + VERSION, said), said
    return folder


def ask(node, wrangler, name, path="/"):
    return node.request(name, path, account=wrangler.account["name"])


def test_wrangler_deploys_typescript(node, wrangler, deployed):
    assert ask(node, wrangler, "typed").json() == ["hello var", "note", "<p>", 5, None]


def test_wrangler_tails_javascript(node, wrangler, deployed):
    lines, end = tail(wrangler, deployed, "--format", "json")
    try:
        until(lambda: "an event: %r" % lines, lambda: ask(node, wrangler, "typed", "/seen") and any("seen" in line for line in lines), every=0.2)
        until(lambda: "an exception: %r" % lines, lambda: ask(node, wrangler, "typed", "/boom") and any("a reason" in line for line in lines), every=0.2)
    finally:
        end()
    text = "".join(lines)
    assert '"outcome": "exception"' in text and '"name": "TypeError"' in text and "at boom (src/index.ts:22:" in text, text


def test_wrangler_versions_and_secrets_of_javascript(node, wrangler, deployed):
    (deployed / "src/note.txt").write_text("second")
    said = wrangler.run(deployed, "versions", "upload")
    assert ask(node, wrangler, "typed").json()[1] == "note"
    version = re.search(r"Version ID: (%s)" % VERSION, said).group(1)
    wrangler.run(deployed, "versions", "deploy", version + "@100%", "--yes")
    assert ask(node, wrangler, "typed").json()[1] == "second"
    wrangler.run(deployed, "secret", "put", "SECRET", stdin="s3cret\n")
    assert ask(node, wrangler, "typed").json() == ["hello var", "second", "<p>", 5, "s3cret"]


def test_wrangler_deploys_modules_unbundled(node, wrangler, tmp_path):
    config = (CONFIG % ("unbundled", "js")).partition("[vars]")[0] + 'no_bundle = true\nfind_additional_modules = true\nbase_dir = "./src"\nrules = [{ type = "ESModule", globs = ["**/*.js"] }]\n'
    folder = project(tmp_path, toml=config, **{
        "src/index.js": "import { a } from './lib/a.js'\nimport t from './lib/t.txt'\nexport default { fetch: async () => Response.json([a, t, (await import('./lib/' + 'b.js')).default]) }\n",
        "src/lib/a.js": "export const a = 'a'\n", "src/lib/b.js": "export default 'b'\n", "src/lib/t.txt": "text"})
    wrangler.run(folder, "deploy")
    assert ask(node, wrangler, "unbundled").json() == ["a", "text", "b"]


def test_wrangler_deploys_a_service_worker(node, wrangler, tmp_path):
    folder = project(tmp_path, toml=CONFIG % ("service", "js"), **{
        "src/index.js": "import text from './t.txt'\naddEventListener('fetch', (event) => event.respondWith(new Response(text + NAME)))\n", "src/t.txt": "text "})
    wrangler.run(folder, "deploy")
    assert ask(node, wrangler, "service").text == "text var"


EXPRESS = """\
import express from "express";
import { httpServerHandler } from "cloudflare:node";
const app = express();
app.get("/", (request, response) => { response.json({ name: process.env.NAME, host: request.hostname }); });
app.post("/", express.json(), (request, response) => { response.status(201).json(request.body); });
app.listen(3000);
export default httpServerHandler({ port: 3000 });
"""


def test_wrangler_deploys_express(node, wrangler, tmp_path):
    if wrangler.generation == 3:
        pytest.skip("wrangler 3.78.8 knows no servers of node:http")
    config = (CONFIG % ("express", "js")).replace("2024-09-23", "2025-09-01").replace("workers_dev", 'compatibility_flags = ["nodejs_compat"]\nworkers_dev')
    folder = project(tmp_path, toml=config, **{"src/index.js": EXPRESS})
    shutil.copytree(npm.install("npm/express+compression", "express", "express", "compression"), folder / "node_modules")    # wrangler keeps accounts in it
    wrangler.run(folder, "deploy")
    assert ask(node, wrangler, "express").json()["name"] == "var"
    made = node.request("express", "/", "POST", b'{"a": [1]}', {"Content-Type": "application/json"}, account=wrangler.account["name"])
    assert (made.status, made.json()) == (201, {"a": [1]})


def test_wrangler_shows_what_does_not_start(node, wrangler, tmp_path):
    folder = project(tmp_path, toml=CONFIG % ("thrower", "ts"), **{"src/index.ts": "const a: number = 1\nthrow new RangeError('at once')\nexport default {}\n"})
    said = wrangler.run(folder, "deploy", status=1)
    assert "RangeError: at once" in said and "src/index.ts:2" in said and "[code: 10021]" in said, said


def test_wrangler_puts_a_secret_before_there_is_code(node, wrangler, tmp_path):
    folder = project(tmp_path, toml=CONFIG % ("early", "js"), **{"src/index.js": "export default { fetch: (r, env) => new Response(env.SECRET) }\n"})
    wrangler.run(folder, "secret", "put", "SECRET", stdin="before\n")
    assert json.loads(wrangler.run(folder, "secret", "list", *(["--format", "json"] if wrangler.generation == 4 else [])))[0]["name"] == "SECRET"
    wrangler.run(folder, "deploy")
    assert ask(node, wrangler, "early").text == "before"
