"""JavaScript projects become one module and what it imports: esbuild, modules by rules, what it complains about."""
import json
import os
import shutil
import subprocess

import pytest

from commands import Commands

pytestmark = pytest.mark.asan

CONFIG = {"name": "w", "main": "src/index.ts", "compatibility_date": "2026-03-01"}
HANDLER = "export default { fetch() { return new Response(%s); } };\n"


class Project:
    def __init__(self, folder):
        self.folder = folder
        self.cli = Commands(folder, folder / "home")

    def put(self, files, **config):
        for name, text in {"wrangler.json": json.dumps({**CONFIG, **config}), **files}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def bundle(self, *flags, **more):
        """{name: bytes} of what would be uploaded; .said: what the command said."""
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        said = self.cli("deploy", "--dry-run", "--outdir", str(out), *flags, cwd=self.folder, **more)
        files = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()} if out.exists() else {}
        return said, files


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def run(files, expression, folder):
    """What Node.js says of an expression over the bundle, `m`."""
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    place = folder / "run"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name.replace("index.js", "index.mjs")).write_bytes(text)
    script = 'import * as m from "./index.mjs"; console.log(JSON.stringify(%s))' % expression
    (place / "main.mjs").write_text(script)
    return json.loads(subprocess.run([node, "main.mjs"], cwd=place, check=True, capture_output=True, text=True).stdout)


def test_typescript_jsx_and_packages_become_one_module(project):
    project.put({
        "src/index.ts": 'import { two } from "./two";\nimport view from "./view";\nimport pkg from "pkg";\nimport data from "./d.json";\n'
                        'import { x } from "@/deep/x";\nenum Kind { A = 7 }\n'
                        "export const all: unknown[] = [two, view, pkg, data.a, x, Kind.A, process.env.NODE_ENV];\n"
                        "export default { fetch() { return new Response('x'); } };\n",
        "src/two.ts": "export const two: number = 2;\n",
        "src/view.tsx": "const h = (name: string, ...more: unknown[]) => name;\nexport default <p class='x'>hi</p>;\n",
        "src/deep/x.js": "exports.x = 'deep';\n", "src/d.json": '{"a": [1]}',
        "tsconfig.json": json.dumps({"compilerOptions": {"paths": {"@/*": ["./src/*"]}}}),
        "node_modules/pkg/package.json": '{"exports": {"workerd": "./w.js", "default": "./d.js"}}',
        "node_modules/pkg/w.js": "module.exports = 'for workerd';\n", "node_modules/pkg/d.js": "module.exports = 'no';\n",
    }, jsx_factory="h")
    said, files = project.bundle()
    assert sorted(files) == ["index.js", "index.js.map"] and said.err == ""
    assert run(files, "m.all", project.folder) == [2, "p", "for workerd", [1], "deep", 7, "production"]
    sources = json.loads(files["index.js.map"])["sources"]
    assert {"src/index.ts", "src/view.tsx", "node_modules/pkg/w.js", "src/deep/x.js"} <= set(sources)


def test_other_modules_lie_beside_it(project):
    wasm = b"\0asm\1\0\0\0"
    project.put({
        "src/index.ts": 'import w from "./a.wasm";\nimport v from "./b.wasm?module";\nimport t from "./t.txt";\nimport h from "pkg/p.html";\n'
                        'import q from "../q.sql";\nimport b from "./d.bin";\nimport g from "./s.glsl";\n' + HANDLER % "[w, v, t, h, q, b, g]",
        "src/a.wasm": wasm, "src/b.wasm": wasm + b"\0", "src/t.txt": "text", "q.sql": "SELECT 1", "src/d.bin": b"\xff\0", "src/s.glsl": "void",
        "node_modules/pkg/p.html": "<p>", "node_modules/pkg/package.json": "{}"},
        rules=[{"type": "Text", "globs": ["**/*.glsl"], "fallthrough": True}])
    said, files = project.bundle()
    assert said.err == ""
    others = {name.partition("-")[2]: data for name, data in files.items() if name.partition("-")[2]}
    assert others == {"a.wasm": wasm, "b.wasm": wasm + b"\0", "t.txt": b"text", "p.html": b"<p>", "q.sql": b"SELECT 1", "d.bin": b"\xff\0", "s.glsl": b"void"}
    for name in files:
        if "-" in name:
            assert b'"./%s' % name.encode() in files["index.js"]
    project.put({}, preserve_file_names=True, rules=[{"type": "Text", "globs": ["**/*.glsl"], "fallthrough": True}])
    assert {"a.wasm", "t.txt", "s.glsl", "index.js"} <= set(project.bundle()[1])


def test_a_rule_hides_those_of_its_type(project):
    project.put({"src/index.ts": 'import t from "./t.html";\n' + HANDLER % "t", "src/t.html": "text"},
                rules=[{"type": "Text", "globs": ["**/*.md"]}, {"type": "Text", "globs": ["**/*.html"]}])
    said, _ = project.bundle(code=1)
    assert "wrangler.json:1:" in said.err and 'this rule has no effect: one before it has the same type, "Text"' in said.err
    assert 'src/index.ts:1:15: error: No loader is configured for ".html" files: src/t.html' in said.err
    assert "in 'rules'" in said.err


def test_modules_of_node_need_the_flag(project):
    files = {"src/index.ts": 'import path from "path";\nimport { Buffer } from "node:buffer";\nimport pkg from "pkg";\nimport { WorkerEntrypoint } from "cloudflare:workers";\n'
                             "export const all = [path.basename('a/b'), Buffer.from('x').toString('hex'), pkg, typeof WorkerEntrypoint];\n" + HANDLER % "1",
             "node_modules/pkg/package.json": '{"main": "m.js"}',
             "node_modules/pkg/m.js": "const { EventEmitter } = require('events');\nmodule.exports = typeof EventEmitter + require('node:util').format('%d', 5);\n"}
    project.put(files)
    said, _ = project.bundle(code=1)
    assert 'src/index.ts:1:18: error: Could not resolve "path"' in said.err
    assert '"path" is a module of Node.js: add "nodejs_compat" to compatibility_flags' in said.err
    project.put({"src/index.ts": 'import { Buffer } from "node:buffer";\n' + HANDLER % "Buffer"})
    said, _ = project.bundle()
    assert 'warning: "node:buffer" is a module of Node.js' in said.err and "imported from src/index.ts" in said.err
    # What packages require is theirs to miss.
    project.put({**files, "src/index.ts": 'import pkg from "lazy";\nexport const all = [typeof pkg.there, pkg.parse("1")];\n' + HANDLER % "1",
                 "node_modules/lazy/package.json": '{"main": "m.js"}', "node_modules/lazy/events.js": "module.exports = 5;\n",
                 "node_modules/lazy/m.js": "exports.there = () => typeof require('fs');\n"
                                           "exports.parse = (text) => { return text === 'path' ? require('path').parse(text) : Number(text); };\n"})
    said, made = project.bundle()
    assert 'warning: "fs" is a module of Node.js, and the worker does without them: what requires it fails' in said.err and '"path" is a module' in said.err
    assert run(made, "m.all", project.folder) == ["function", 1]
    project.put({**files, "src/index.ts": 'import pkg from "lazy";\nimport none from "none";\n' + HANDLER % "pkg + none"})
    said, _ = project.bundle(code=1)
    assert 'Could not resolve "none"' in said.err and 'Could not resolve "fs"' in said.err
    files["src/index.ts"] = files["src/index.ts"].replace('import { WorkerEntrypoint } from "cloudflare:workers";\n', "const WorkerEntrypoint = 1;\n")
    project.put(files, compatibility_flags=["nodejs_compat"])
    said, made = project.bundle()
    assert said.err == "" and run(made, "m.all", project.folder) == ["b", "78", "function5", "number"]


def test_a_package_that_one_may_have_or_not(project):
    project.put({"src/index.ts": 'import pkg from "pkg";\nexport const all = pkg;\n' + HANDLER % "1", "node_modules/pkg/package.json": '{"main": "m.js"}',
                 "node_modules/pkg/m.js": "try { module.exports = require('colors-of-some'); } catch (error) { module.exports = typeof require('util').format; }\n"},
                compatibility_flags=["nodejs_compat"])
    _, made = project.bundle()
    assert run(made, "m.all", project.folder) == "function"


def test_options_and_keys(project):
    project.put({"src/index.ts": 'import a from "a";\nimport b from "b";\ndeclare const N: number, M: string;\nexport const all = [a, b, N, M];\n'
                                 "export function longName() { return longName.name; }\n" + HANDLER % "1",
                 "src/a.js": "export default 'a';\n", "src/b.js": "export default 'b';\n"},
                alias={"a": "./src/a.js"}, define={"N": "1", "M": '"config"'}, minify=True, upload_source_maps=False)
    said, files = project.bundle("--alias", "b:./src/b.js", "--define", "N:2")
    assert said.err == "" and sorted(files) == ["index.js"]
    assert run(files, "[m.all, m.longName()]", project.folder) == [["a", "b", 2, "config"], "longName"]
    small = len(files["index.js"])
    said, files = project.bundle("--alias", "b:./src/b.js", "--no-minify", "--upload-source-maps", "--metafile", str(project.folder / "report.json"))
    assert len(files["index.js"]) > small and "index.js.map" in files
    assert "src/index.ts" in json.loads((project.folder / "report.json").read_text())["inputs"]
    assert "--define takes two words with a colon between, not 'N'" in project.bundle("--define", "N", code=1)[0].err


def test_what_is_wrong_is_shown_where_it_is(project):
    project.put({"src/index.ts": 'import { Hono } from "hono";\nimport { x } from "./missing";\nimport "@scope/name/deep";\n' + HANDLER % "[Hono, x]"})
    said, _ = project.bundle(code=1)
    assert said.err.startswith('src/index.ts:1:22: error: Could not resolve "hono"\n    import { Hono } from "hono";\n'
                               "                         ^\n  hint: run `npm install`, or `npm install hono` when package.json does not name it\n")
    assert 'src/index.ts:2:19: error: Could not resolve "./missing"' in said.err and "`npm install @scope/name`" in said.err
    project.put({"src/index.ts": "export default {\n  fetch() { return 1 +; }\n};\n"})
    assert 'src/index.ts:2:23: error: Unexpected ";"' in project.bundle(code=1)[0].err
    project.put({"src/index.ts": "const x = 1; x = 2;\n" + HANDLER % "x"})
    said, files = project.bundle(code=1)
    assert "src/index.ts:1:" in said.err and "constant" in said.err


def test_no_bundler(project):
    project.put({"src/index.ts": HANDLER % "1"})
    said, _ = project.bundle(code=1, env={"PATH": "/nowhere", "ESBUILD": None})
    assert said.err == ("corral: JavaScript is bundled by esbuild, which is not installed\n"
                        "  `npm install --save-dev esbuild` in the project, or `apt install esbuild`\n")
    said, _ = project.bundle(code=1, env={"ESBUILD": "/nowhere/esbuild"})
    assert "ESBUILD is '/nowhere/esbuild', which is no program" in said.err
    own = project.folder / "node_modules/.bin/esbuild"
    own.parent.mkdir(parents=True)
    own.write_text('#!/bin/sh\necho own >&2\nexit 3\n')
    own.chmod(0o755)
    assert "ended with 3: own" in project.bundle(code=1, env={"ESBUILD": None})[0].err
    assert project.bundle(env={"ESBUILD": shutil.which("esbuild")})[1]


def test_a_service_worker_is_a_script(project):
    project.put({"src/index.ts": "import { x } from './x';\naddEventListener('fetch', (e) => e.respondWith(new Response(x)));\n", "src/x.ts": "export const x = 'hi';\n"})
    said, files = project.bundle()
    assert said.err == "" and b"import" not in files["index.js"] and b"export" not in files["index.js"]


def test_without_bundling(project):
    project.put({"src/index.js": 'import { x } from "./lib/x.mjs";\nimport t from "./t.txt";\n' + HANDLER % "x + t", "src/lib/x.mjs": "export const x = 1;\n",
                 "src/old.cjs": "exports.y = 1;\n", "src/t.txt": "text", "src/more.ts": "no", "src/node_modules/n.js": "no", "other.js": "no"},
                main="src/index.js", no_bundle=True)
    said, files = project.bundle()
    assert said.err == "" and sorted(files) == ["index.js", "lib/x.mjs", "old.cjs", "t.txt"]
    assert files["index.js"] == (project.folder / "src/index.js").read_bytes()
    project.put({}, main="src/index.js", find_additional_modules=True, base_dir=".", rules=[{"type": "ESModule", "globs": ["src/lib/*.mjs"]}])
    said, files = project.bundle()
    assert sorted(name for name in files if "-" not in name) == ["index.js", "index.js.map", "src/lib/x.mjs", "src/old.cjs", "src/t.txt"]
    project.put({"src/index.ts": HANDLER % "1"}, no_bundle=True)
    assert "'src/index.ts' has to be bundled" in project.bundle(code=1)[0].err


def test_custom_build(project):
    project.put({"src/main.txt": HANDLER % "'built'"}, main="dist/index.js",
                build={"command": "echo building; mkdir -p ../dist && cp main.txt ../dist/index.js", "cwd": "src"})
    said, files = project.bundle()
    assert "[custom build] Running: echo building; " in said.out and "[custom build] building\n" in said.out
    assert b"built" in files["index.js"]
    project.put({}, main="dist/index.js", build={"command": "echo oh no >&2; exit 3"})
    said, _ = project.bundle(code=1)
    assert "[custom build] oh no" in said.out and "build.command ended with 3: echo oh no >&2; exit 3" in said.err


def test_main_on_the_command_line(project):
    project.put({"other.mjs": "export default { fetch: () => new Response('named') };\n"})
    assert b"named" in project.bundle("other.mjs")[1]["index.js"]
    (project.folder / "wrangler.json").unlink()
    assert b"named" in project.bundle("other.mjs", "--name", "x", "--compatibility-date", "2026-03-01")[1]["index.js"]


def test_parts_are_sent_with_their_types(project):
    """What a node gets: see test_api_deploy.py for what it does with it."""
    project.put({"src/index.ts": 'import t from "./t.txt";\nimport w from "./a.wasm";\n' + HANDLER % "[t, w]", "src/t.txt": "text", "src/a.wasm": b"\0asm\1\0\0\0"})
    said, files = project.bundle()
    assert "Total Upload:" in said.out and len(files) == 4
    assert not list((project.folder / ".corral/bundles").iterdir())
    assert os.listdir(project.folder / ".corral") == ["bundles"]
