"""JavaScript by the upload form itself: what is refused, with Cloudflare's words; what runs, and comes back as it was sent."""
import json

import pytest

from serve import DATE, multipart

pytestmark = pytest.mark.asan

SCRIPTS = "/accounts/$ACC/workers/scripts/"
ESM = "application/javascript+module"


@pytest.fixture(scope="module")
def node(shared_serve):
    return shared_serve()


def form(parts, **metadata):
    """parts: {name: text or bytes, or (type, those)}; of an ES module when no type is said.  The first one is the main module."""
    about = {"main_module": next(iter(parts)), "bindings": [], "compatibility_date": DATE, **metadata}
    if "body_part" in about:
        del about["main_module"]
    whole = [("metadata", None, None, json.dumps(about).encode())]
    for name, part in parts.items():
        kind, content = part if isinstance(part, tuple) else (ESM, part)
        whole.append((name, name, kind, content.encode() if isinstance(content, str) else content))
    return multipart(whole)


def upload(node, name, parts, **metadata):
    kind, body = form(parts, **metadata)
    return node.api("PUT", SCRIPTS + name, body, headers={"Content-Type": kind})


GOOD = "export default { fetch: () => new Response('good') }"


def test_what_cannot_be_linked(node):
    for parts, metadata, text in (
            ({"index.js": "const a = ;"}, {}, 'Uncaught SyntaxError: Unexpected ";"\n    at index.js:1:10'),
            ({"index.js": "import './x.js'"}, {}, 'Uncaught Error: No such module "x.js".\n  imported from "index.js"\n    at index.js:1:7'),
            ({"src/index.js": "import '../x.js'"}, {}, 'No such module "x.js".\n  imported from "src/index.js"'),
            ({"index.js": "import 'node:fs'"}, {}, 'compatibility_flags'),
            ({"index.js": "import fs from 'fs'"}, {"compatibility_date": "2024-01-01", "compatibility_flags": ["nodejs_compat"]}, '"node:fs"'),
            ({"index.js": "import 'node:nothing'"}, {"compatibility_flags": ["nodejs_compat"]}, 'No such module "node:nothing"'),
            ({"index.js": "import 'cloudflare:nothing'"}, {}, 'No such module "cloudflare:nothing"'),
            ({"index.js": "import secrets from '/etc/passwd'; export default secrets"}, {}, 'No such module "/etc/passwd"'),
            ({"index.js": "import secrets from '../../../../../../../../../etc/passwd'; export default secrets"}, {}, "No such module"),
            ({"index.js": "import { b } from './a.js'; export default b", "a.js": "export const a = 1"}, {}, "does not provide an export named 'b'"),
            ({"index.js": GOOD, "../" * 9 + "a.js": ""}, {}, "more than 8 folders above"),
            ({"index.js": GOOD, "./index.js": GOOD}, {}, "twice"),
            ({"index.js": "x = " + "[" * 3000000}, {}, "linking the modules takes more memory than it may: something in them is nested too deeply"),
            ({"index.js": "import x from 'https://127.0.0.1:1/x.js'; export default x"}, {}, 'No such module "https://127.0.0.1:1/x.js".\n  imported from "index.js"'),
            ({"index.js": GOOD, "a.py": ("text/x-python", "x")}, {}, "is Python"),
            ({"index.js": GOOD, "fastapi": ("text/x-python-requirement", "")}, {}, "is Python"),
            ({"index.js": ("application/wasm", b"\0asm")}, {}, "no JavaScript"),
            ({"script": ("application/javascript", "addEventListener('fetch', () => {")}, {"body_part": "script"}, "at script:1:33")):
        said = upload(node, "wrong", parts, **metadata)
        assert (said.status, said.codes) == (400, [10021]) and text in said.text, (parts, said.text)
    assert node.api("GET", SCRIPTS + "wrong/versions").codes == [10007]


def test_a_bundler_that_is_not_there(serve):
    alone = serve(env={"ESBUILD": "/nowhere/esbuild"})
    said = upload(alone, "none", {"index.js": GOOD})
    assert said.status == 503 and "/nowhere/esbuild" in said.text and "apt install esbuild" in said.text, said.text


MANY = {
    "index.js": """
import wasm from "./abc-add.wasm"
import text from "../up/t.txt"
import page from "page.html"
import data from "./d.bin"
import json from "./package.json"
import { hello } from "./dir/dep.mjs"
import common from "./c.cjs"
console.log("top")
const add = new WebAssembly.Instance(wasm).exports.add
export default {
  async fetch(request, env) {
    const name = new URL(request.url).searchParams.get("import")
    if (name) {
      try { return Response.json(Object.keys(await import(name)).sort()) } catch (e) { return new Response(e.message, { status: 404 }) }
    }
    const late = await import("./dir/late.js")
    return Response.json([add(40, 2), text, page, new TextDecoder().decode(data), json, hello, common.x, late.default, env.NAME])
  },
}
""",
    "./abc-add.wasm": ("application/wasm", bytes.fromhex("0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b")),
    "../up/t.txt": ("text/plain", "text ü"),
    "page.html": ("text/html", "<p>"),
    "d.bin": ("application/octet-stream", b"bytes"),
    "package.json": ("application/json", '{"a": [1]}'),
    "dir/dep.mjs": "import { late } from '../dir/late.js'; export const hello = 'hello ' + typeof late",
    "dir/late.js": "export default 'late'; export const late = 1",
    "c.cjs": ("application/javascript", "exports.x = require('./dir/late.js').late"),
}


NAME = {"type": "plain_text", "name": "NAME", "text": "var"}


@pytest.fixture(scope="module")
def many(node):
    """Once: an engine that has compiled WebAssembly forks ten seconds later."""
    said = upload(node, "many", MANY, bindings=[NAME])
    assert said.success, said.text


def test_modules_of_all_kinds(node, many):
    assert node.get("many").json() == [42, "text ü", "<p>", "bytes", {"a": [1]}, "hello number", 1, "late", "var"]


def test_modules_by_computed_names(node, many):
    for name in ("dir/late.js", "./dir/late.js"):
        assert node.get("many", "/?import=" + name).json() == ["default", "late"], name
    assert node.get("many", "/?import=page.html").json() == ["default"]
    said = node.get("many", "/?import=nowhere.js")
    assert (said.status, said.text) == (404, 'No such module "nowhere.js".')


def test_computed_names_mean_what_they_do_for_the_importer(node):
    """Relative names from its folder, and the argument is taken when the import is reached; ES modules have no require."""
    asks = "export const load = (name) => import(`./${name}`), plain = (name) => import /* x */ ( name );\n"
    assert upload(node, "importers", {"src/index.js": """
import * as inner from "./lib/deep/load.js"; import * as other from "../other/load.js"; import common from "./lib/common.cjs"
const names = ["./a.js"], said = "import(names) typeof require $aa $ab", here = (name) => import(name)
export default { async fetch(request) {
  let name = "./a.js"
  const late = import(name); name = "./nowhere.js"
  const tell = async (promise) => { try { return (await promise).default } catch (e) { return e.message } }
  const all = [late, here("./lib/a.js"), here("./lib/../a.js"), inner.load("a.js"), inner.load("../a.js"), inner.load("../../a.js"), other.load("a.js"), other.plain("../src/a.js"),
    common.load("./a.js"), inner.load("none.js"), inner.plain({ toString: () => "./a.js" }), inner.plain(Symbol()), here("cloudflare:workers").then((m) => ({ default: typeof m.WorkerEntrypoint }))]
  return Response.json([await Promise.all(all.map(tell)), typeof require, typeof (require), typeof require === "undefined" ? "none" : require("x"), common.kind, said])
} }""", "src/a.js": "export default 'src'", "src/lib/a.js": "export default 'lib'", "src/lib/deep/a.js": "export default 'deep'", "other/a.js": "await 1; export default 'other'",
        "src/lib/deep/load.js": asks, "other/load.js": asks,
        "src/lib/common.cjs": ("application/javascript", "exports.load = (name) => import(name); exports.kind = typeof require")}).success
    assert node.get("importers").json() == [
        ["src", "lib", "src", "deep", "lib", "src", "other", "src", "lib", 'No such module "src/lib/deep/none.js".', "deep", "Cannot convert a symbol to a string", "function"],
        "undefined", "undefined", "none", "function", "import(names) typeof require $aa $ab"]


NAMED = """\
var __defProp = Object.defineProperty;
var __name = (target, value) => __defProp(target, "name", { value, configurable: true });
var seen = [];
var Greeter = class {
  static {
    __name(this, "Greeter");
  }
  static made = [this.name];
  #text = "hello";
  say() {
    return this.#text;
  }
};
var Base = class _Base {
  static {
    __name(this, "Base");
  }
  static one = new _Base();
};
var Own = class extends Greeter {
  static {
    seen.push(super.made[0], this.late);
  }
  static late = "later";
  static {
    seen.push(this.late);
  }
  #more = 1;
  more() {
    return this.#more;
  }
};
export default { fetch() {
  const list = [Greeter.name, Greeter.made, new Greeter().say(), Base.name, Base.one instanceof Base, new Own().more(), seen, Object.keys(Greeter)];
  return Response.json(process.getBuiltinModule === undefined ? list : [...list, typeof process.getBuiltinModule("node:path").join, process.getBuiltinModule("process") === process, process.getBuiltinModule("nothing") ?? null]);
} };
"""


def test_classes_as_bundlers_print_them(node):
    """Newer ones write their names as static blocks, beside static fields; and wrangler's bundles ask for modules by getBuiltinModule."""
    said = upload(node, "named", {"index.js": NAMED}, compatibility_flags=["nodejs_compat"], compatibility_date="2025-09-01")
    assert said.success, said.errors
    assert node.get("named").json() == ["Greeter", ["Greeter"], "hello", "Base", True, 1, ["Greeter", None, "later"], ["made"], "function", True, None]


def test_a_worker_calls_what_it_exports(node):
    """ctx.exports, and exports of cloudflare:workers: in the same request, by copies."""
    assert upload(node, "loopback", {"index.js": """
import { exports, WorkerEntrypoint, RpcTarget } from "cloudflare:workers"
const given = { list: [1], date: new Date(5) }
let early
globalThis.Headers = globalThis.Request = undefined      // harms nobody else
try { early = Object.keys(exports) } catch (e) { early = e.message }
export class Named extends WorkerEntrypoint {
  own = 1
  get where() { return "getter " + this.env.NAME }
  async fetch(request) { return Response.json([request.method, new URL(request.url).pathname, await request.text(), this.ctx.props]) }
  add(a, b) { return a + b }
  same(value) { return [value === given, value.list, value.date instanceof Date] }
  props() { return this.ctx.props }
  fails() { throw new RangeError("failed") }
  target() { return () => 1 }
  body(stream) { return new Response(stream) }
  later() { this.ctx.waitUntil(Promise.resolve().then(() => { early = "later" })) }
}
export const plain = { fetch(request, env, ctx) { return new Response("plain " + env.NAME + " " + JSON.stringify(ctx.props)) }, method(a, env, ctx) { return [a, env.NAME, typeof ctx.waitUntil] } }
export const bad = { fetch() {} }
export default { async fetch(request, env, ctx) {
  if (new URL(request.url).pathname === "/inner") return new Response("inner " + (request.headers.get("x-y")))
  const said = async (f) => { try { return await f() } catch (e) { return [e.constructor.name, e.message.split("\\n")[0]] } }
  const { Named, plain, bad } = ctx.exports
  return Response.json(await Promise.all([
    early, Object.keys(exports), exports.Named === Named, typeof Named,
    said(async () => (await ctx.exports.default.fetch("http://x/inner", { headers: { "x-y": "z" } })).text()),
    said(async () => (await Named.fetch("http://x/p", { method: "POST", body: "text" })).json()),
    said(() => Named.add(40, 2)), said(() => exports.Named.same(given)), said(() => Named.where), said(() => Named.own), said(() => Named.none()), said(() => Named.constructor.name),
    said(() => Named({ props: { a: 1 } }).props()), said(() => Named.props()), said(() => Named.fails()), said(() => Named.target()), said(() => Named.add(() => 1, 2)),
    said(async () => (await Named.body(new Blob(["streamed"]).stream())).text()), said(() => Named.later()).then(() => early),
    said(async () => (await plain.fetch("http://x/")).text()), said(() => plain.method(1)), said(() => bad.fetch("http://x/")), said(() => plain.fetch("nowhere")), ctx.props, ctx.props === ctx.props]))
} }""", "unused.js": ""}, bindings=[NAME]).success
    assert node.get("loopback").json() == [
        [], ["Named", "bad", "default", "plain"], True, "function", "inner z", ["POST", "/p", "text", {}], 42, [False, [1], True], "getter var",
        ["TypeError", 'The RPC receiver does not implement the method "own".'], ["TypeError", 'The RPC receiver does not implement the method "none".'], "ServiceStub",
        {"a": 1}, {}, ["RangeError", "failed"], ["DOMException", "A function could not be cloned."], ["DOMException", "A function could not be cloned."], "streamed", "later",
        'plain var {}', [1, "var", "function"], ["TypeError", "Incorrect type for Promise: the Promise did not resolve to 'Response'."], ["TypeError", "Invalid URL: nowhere"], {}, True]


def test_handlers_of_emails_are_accepted(node):
    """Nobody calls them."""
    for code in ("export default { async email(message, env, ctx) {} }", "import { WorkerEntrypoint } from 'cloudflare:workers'; export default class extends WorkerEntrypoint { email() {} }"):
        said = upload(node, "mail", {"index.js": code})
        assert said.success, said.text
        assert node.get("mail").status == 500
    said = upload(node, "mail", {"index.js": "export default { letter() {} }"})
    assert said.status == 400 and "no registered event handlers" in said.text, said.text


def test_imports_that_are_missing_fail_when_they_happen(node):
    assert upload(node, "late", {"src/index.js": """
export default { async fetch() {
  const said = []
  for (const load of [() => import("./none.js"), () => import("nowhere"), () => import("node:fs")])
    try { await load() } catch (e) { said.push(e.message) }
  return Response.json(said)
} }"""}).success
    assert node.get("late").json() == ['No such module "src/none.js".\n  imported from "src/index.js"', 'No such module "nowhere".\n  imported from "src/index.js"',
                                       'No such module "node:fs".\n  imported from "src/index.js"']


def test_a_script_without_modules(node):
    said = upload(node, "script", {
        "script": ("application/javascript", "var calls = 0; function both() { return TEXT + NAME }\n"
                   "addEventListener('fetch', (event) => event.respondWith(Response.json([this === globalThis, ++calls, both(), DATA.byteLength])))"),
        "text": ("application/octet-stream", "blob"), "data": ("application/octet-stream", b"12345")},
        body_part="script", bindings=[{"type": "text_blob", "name": "TEXT", "part": "text"}, {"type": "data_blob", "name": "DATA", "part": "data"}, NAME])
    assert said.success, said.text
    assert node.get("script").json() == [True, 1, "blobvar", 5]
    node.result("PUT", SCRIPTS + "script/secrets", {"name": "SECRET", "text": "x", "type": "secret_text"})
    assert node.get("script").json() == [True, 1, "blobvar", 5]  # The files go from version to version.


def test_what_was_uploaded_comes_back(node, many):
    """The modules under the names and types that they had, and the settings."""
    said = node.api_raw("GET", "/client/v4" + SCRIPTS.replace("$ACC", node.account["id"]) + "many/content")
    assert said.status == 200 and said.headers["cf-entrypoint"] == "index.js"
    for name, part in MANY.items():
        kind, content = part if isinstance(part, tuple) else (ESM, part)
        content = content.encode() if isinstance(content, str) else content
        assert b'name="%s"' % name.encode() in said.body and content in said.body and kind.encode() in said.body, name
    assert [one["name"] for one in node.result("GET", SCRIPTS + "many/settings")["bindings"]] == ["NAME"]


def test_what_top_level_code_throws(node):
    """Cloudflare's code, and the place in the source that the map names."""
    source_map = {"version": 3, "sources": ["../src/index.ts"], "sourcesContent": ["const a: number = 1\nboom()\n"], "names": [],
                  "mappings": "AAAA;AACA"}
    said = upload(node, "thrower", {"index.js": "const a = 1;\nthrow new TypeError('a reason');\nexport default {}\n//# sourceMappingURL=index.js.map",
                                    "index.js.map": ("application/source-map", json.dumps(source_map))})
    assert (said.status, said.codes) == (400, [10021]), said.text
    assert "TypeError: a reason" in said.text and "src/index.ts:2" in said.text, said.text
    assert upload(node, "thrower", {"index.js": "export const a = 1"}).status == 400


def test_no_version_waits_for_threads(node):
    """Of all above: what the engine had put off in the process that all are forked from would be done by a thread, which goes after ten seconds."""
    assert not [line for line in node.log_lines() if "waiting for threads" in line]
