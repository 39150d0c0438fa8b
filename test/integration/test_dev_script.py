"""corral dev and JavaScript: bindings, reloads, what cannot be bundled, a custom build, packages."""
import json
import os
import signal

import pytest

import npm
from harness import holds, until

CONFIG = {"name": "w", "main": "src/index.ts", "compatibility_date": "2026-03-01"}


def project(files, **config):
    return {"wrangler.json": json.dumps({**CONFIG, **config}), **files}


def says(expression):
    return "export default { fetch(): Response { return new Response(String(%s)); } };\n" % expression


def answers(one, text, path="/"):
    until(lambda: "it says %r, not %r" % (text, one.get(path).text), lambda: one.get(path).text == text)


HANDLER = """\
import { total } from "../lib/total";
import text from "./text.txt";
export default {
  async fetch(request: Request, env: any) {
    await env.DB.exec("CREATE TABLE IF NOT EXISTS t (n INTEGER)");
    await env.DB.prepare("INSERT INTO t VALUES (?)").bind(total([1, 2])).run();
    const { n } = await env.DB.prepare("SELECT sum(n) AS n FROM t").first();
    return Response.json([text, env.NAME, env.LIST, env.SECRET, n, process.env.NODE_ENV]);
  },
};
"""


def test_bindings_and_modules(corral):
    one = corral(project({"src/index.ts": HANDLER, "lib/total.ts": "export const total = (all: number[]) => all.reduce((a, b) => a + b);\n",
                          "src/text.txt": "text", ".dev.vars": "SECRET=hidden\n"},
                         vars={"NAME": "top", "LIST": [1]}, d1_databases=[{"binding": "DB", "database_name": "notes"}]))
    assert one.get().json() == ["text", "top", [1], "hidden", 3, "development"]
    one.write("src/text.txt", "other")
    until("the text is new", lambda: one.get().json()[0] == "other")
    one.write("lib/total.ts", "export const total = (all: number[]) => 10;\n")
    until("a file outside of main's folder is watched", lambda: one.get().json()[4] >= 13)
    one.write(".dev.vars", "SECRET=changed\n")
    until("the secret is new", lambda: one.get().json()[3] == "changed")


def test_what_cannot_be_bundled_is_shown_until_it_is_mended(corral):
    one = corral(project({"src/index.ts": "export default {\n  fetch() { return 1 +; }\n};\n"}))
    one.wait_log(r"Ready on .*cannot be bundled yet: mend it and save")
    one.wait_log(r'src/index\.ts:2:23: error: Unexpected ";"\n +fetch\(\) \{ return 1 \+; \}\n +\^')
    answer = one.get(headers={"accept": "text/html"})
    assert answer.status == 500 and "src/index.ts:2:23" in answer.text and "Unexpected" in answer.text
    one.write("src/index.ts", says("'mended'"))
    answers(one, "mended")
    mark = one.mark()
    one.write("src/index.ts", 'import pkg from "pkg";\n' + says("pkg"))
    one.wait_log(r'Could not resolve "pkg"(.|\n)*npm install pkg', since=mark)
    until("the page says so", lambda: 'Could not resolve "pkg"' in one.get().text)
    # npm makes the folder elsewhere and moves it in.
    one.write("other/package.json", '{"main": "m.js"}')
    one.write("other/m.js", "module.exports = 'a package';\n")
    (one.project / "node_modules").mkdir()
    os.rename(one.project / "other", one.project / "node_modules/pkg")
    answers(one, "a package")
    one.write("node_modules/pkg/m.js", "module.exports = 'its new version';\n")
    answers(one, "its new version")


def test_other_packages_of_a_workspace_are_watched(corral, tmp_path):
    (tmp_path / "shared/lib").mkdir(parents=True)
    (tmp_path / "shared/package.json").write_text('{"name": "shared", "main": "lib/index.ts"}')
    (tmp_path / "shared/lib/index.ts").write_text("export const word: string = 'one';\n")
    (tmp_path / "project/node_modules").mkdir(parents=True)
    (tmp_path / "project/node_modules/shared").symlink_to("../../shared")
    (tmp_path / "project").rename(tmp_path / "other")
    one = corral(project({"src/index.ts": says("'no import'")}))
    (tmp_path / "other/node_modules").rename(one.project / "node_modules")
    one.write("src/index.ts", 'import { word } from "shared";\n' + says("word"))
    answers(one, "one")
    (tmp_path / "shared/lib/index.ts").write_text("export const word: string = 'two';\n")
    answers(one, "two")


def test_a_burst_is_one_reload_and_what_is_no_input_none(corral):
    one = corral(project({"src/index.ts": 'import { n } from "./n";\nconst started = Math.random();\n' + says("n + ' ' + started"),
                          "src/n.ts": "export const n = 0;\n"}))
    seen = [one.get().text]
    one.process.send_signal(signal.SIGSTOP)
    for n in range(50):
        one.write("src/n.ts", "export const n = %d;\n" % n)
    one.process.send_signal(signal.SIGCONT)
    until("the last one answers", lambda: seen.append(one.get().text) or seen[-1].startswith("49 "))
    assert len(set(seen)) == 2
    for name in ("notes.md", "src/unused.ts", "node_modules/x/y.js", ".git/index"):
        one.write(name, "export {};\n")
    holds("the same version answers", lambda: one.get().text == seen[-1], 0.4)


def test_errors_name_the_lines_of_the_source(corral):
    source = "interface Env { A: string }\n\nfunction fail(): never {\n  throw new TypeError('oh no');\n}\n\n" \
             "export default {\n  fetch(_: Request, env: Env) {\n    fail();\n  },\n};\n"
    one = corral(project({"src/index.ts": source}))
    answer = one.get(headers={"accept": "text/html"})
    assert answer.status == 500 and "oh no" in answer.text and "throw new TypeError" in answer.text
    one.wait_log(r"TypeError: oh no\n +at fail \(src/index\.ts:4:\d+\)\n +at fetch \(src/index\.ts:9:\d+\)")
    one.write("src/index.ts", "const x: string[] = null!;\nx.length;\n" + says("1"))
    one.wait_log(r"src/index\.ts:2:\d+")


def test_custom_build(corral):
    command = "echo run >> runs.log; mkdir -p dist; cp src/main.txt dist/index.js"
    one = corral(project({"src/main.txt": says("'one'").replace(": Response", "")}, main="dist/index.js", build={"command": command}))
    answers(one, "one")
    one.wait_log(r"\[custom build\] Running: echo run")
    one.write("src/main.txt", says("'two'").replace(": Response", ""))
    answers(one, "two")
    one.write("dist/index.js", says("'three'").replace(": Response", ""))
    answers(one, "three")
    assert (one.project / "runs.log").read_text().count("run") == 2


@pytest.mark.parametrize("times", [1, 2])
def test_a_custom_build_ends_with_us(corral, times):
    command = "sleep 1000 & echo $! > pid.new; mv pid.new pid; wait"
    one = corral(project({"src/index.ts": says("1")}, build={"command": command}), ready=False)
    until(lambda: "the build has not begun", (one.project / "pid").exists)
    pid = int((one.project / "pid").read_text())
    for _ in range(times):
        one.process.send_signal(signal.SIGINT)
    one.process.wait(5)
    try:
        until(lambda: "process %d of the build is alive" % pid, lambda: is_gone(pid), 2)
    finally:
        if not is_gone(pid):
            os.kill(pid, signal.SIGKILL)


def is_gone(pid):
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


HONO = """\
import { Hono } from "hono";
const app = new Hono<{ Bindings: { NAME: string } }>();
app.get("/", (c) => c.text("Hello " + c.env.NAME));
app.get("/users/:id", (c) => c.json({ id: c.req.param("id"), q: c.req.query("q") }));
app.post("/echo", async (c) => c.json(await c.req.json(), 201));
app.notFound((c) => c.text("nobody", 404));
export default app;
"""


@pytest.mark.apart
def test_hono(corral):
    one = corral(project({"src/index.ts": HONO, **npm.files("hono")}, vars={"NAME": "hono"}))
    assert one.get().text == "Hello hono"
    assert one.get("/users/5?q=x").json() == {"id": "5", "q": "x"}
    answer = one.request("POST", "/echo", b'{"a": [1]}', {"content-type": "application/json"})
    assert (answer.status, answer.json()) == (201, {"a": [1]})
    assert (one.get("/x").status, one.get("/x").text) == (404, "nobody")
    assert "Hono" in one.request("PUT", "/").text or one.request("PUT", "/").status == 404
