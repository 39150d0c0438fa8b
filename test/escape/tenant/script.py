"""JavaScript and WebAssembly: what the engine might hand out, and what leads out of its memory."""
import ctypes
import json

import js
from pyodide.code import run_js

from attempt import INSTANCE, NOT, OWN, attempt

ENGINE = ("engine",)


def evaluate(code):
    """A function body of JavaScript; its value, through JSON."""
    return json.loads(run_js("JSON.stringify((() => {%s})() ?? null)" % code))


@attempt(*ENGINE, proof=NOT, because="the shell that has them is another program")
def functions_of_the_shell(c):
    """What JavaScriptCore's own shell has: files, programs, its internals."""
    return evaluate("""
        const names = ["$vm", "load", "loadString", "readFile", "read", "run", "quit", "readline", "dollar", "$", "gc", "fullGC", "edenGC", "describe",
                       "print", "createGlobalObject", "setRandomSeed", "transferArrayBuffer", "noInline", "jscOptions", "OSRExit", "ffi", "system"];
        return names.filter(name => typeof globalThis[name] === "function");""")


@attempt(*ENGINE, proof=NOT, because="these are other engines'")
def modules_of_the_host(c):
    """Files and processes as other hosts give them: require, process, Deno, Bun, import of node:fs."""
    return evaluate("""
        const found = [];
        for (const name of ["require", "process", "Deno", "Bun", "module", "__dirname", "ActiveXObject", "java", "Packages", "imports", "GLib", "Gio", "webkit"])
            if (typeof globalThis[name] !== "undefined" && !(name === "process" && !globalThis.process.binding)) found.push(name);
        return found;""")


@attempt(*ENGINE, proof=NOT, because="these are other engines'")
async def import_of_files(c):
    """import() of a file of the host, of a module of the host's."""
    for name in ("file://" + c.host_file, c.host_file, "node:fs", "fs", "data:text/javascript,export default 1", "http://127.0.0.1/x.js"):
        try:
            made = await run_js("(async () => { const m = await import(%s); return JSON.stringify(Object.keys(m)); })()" % json.dumps(name))
            return [name, made]
        except Exception:
            pass


@attempt("landlock", "tree")
def files_through_python(c):
    """A file of the host from JavaScript, through a function of Python's."""
    return run_js("(read) => String(read(%s))" % json.dumps(c.host_file))(lambda path: open(path).read())


@attempt("seccomp")
def calls_through_python(c):
    """A socket from JavaScript, through ctypes."""
    def ask():
        libc = ctypes.CDLL(None, use_errno=True)
        fd = libc.socket(2, 1, 0)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "refused")
        libc.close(fd)
        return fd
    return "socket %d" % run_js("(ask) => ask()")(ask)


@attempt("node")
async def fetch_from_script(c):
    """A server on this machine by JavaScript's fetch."""
    return "status %d" % await run_js("(async () => (await fetch('http://127.0.0.1:%d/')).status)()" % c.http_port)


@attempt("node", proof=NOT, because="there is no client of these protocols in the node")
async def files_by_fetch(c):
    """Files by JavaScript's fetch and XMLHttpRequest."""
    for url in ("file://" + c.host_file, "blob:x", "about:blank", "filesystem:x", "resource:///org"):
        try:
            return [url, await run_js("(async () => (await fetch(%s)).text())()" % json.dumps(url))]
        except Exception:
            pass


@attempt(*ENGINE, proof=NOT, because="threads of JavaScript would be needed")
def threads_of_script(c):
    """Clocks finer than those that are given, out of threads and shared memory: Worker, SharedWorker."""
    return evaluate("""return ["Worker", "SharedWorker", "ServiceWorker"].filter(name => { try { new globalThis[name]("data:,"); return true } catch { return false } });""")


@attempt(*ENGINE, proof=NOT, because="what a realm keeps for itself is nobody's else")
def platform_internals(c):
    """The platform's own functions, by replacing what it calls: prototypes, getters, error hooks."""
    return evaluate("""
        const seen = [];
        const before = [Array.prototype.push, Function.prototype.call, Error.prepareStackTrace];
        try {
            Error.prepareStackTrace = (e, frames) => { seen.push(...frames.map(f => typeof f.getThis === "function" && f.getThis()).filter(Boolean).map(String)); };
            Array.prototype.push = function (...items) { for (const i of items) if (i && typeof i === "object" && i.constructor === undefined) seen[seen.length] = "internal"; return before[0].apply(this, items); };
            try { new URL("bad"); } catch (e) { e.stack; }
            new Headers([["a", "b"]]); new Request("http://x/"); new TextEncoder().encode("x"); structuredClone({a: 1});
        } finally { [Array.prototype.push, Function.prototype.call, Error.prepareStackTrace] = before; }
        return seen.filter(s => /native|host|secret/.test(s));""")


@attempt(*ENGINE, proof=NOT, because="another account's objects are in other processes")
def things_of_others(c):
    """Words of another tenant among all reachable objects of the realm."""
    found = run_js("""(() => {
        const seen = new Set(), left = [globalThis], hits = [];
        while (left.length && seen.size < 20000) {
            const o = left.pop();
            if (!o || (typeof o !== "object" && typeof o !== "function") || seen.has(o)) continue;
            seen.add(o);
            let keys = [];
            try { keys = Reflect.ownKeys(o); left.push(Object.getPrototypeOf(o)); } catch { continue; }
            for (const k of keys) {
                let d; try { d = Object.getOwnPropertyDescriptor(o, k); } catch { continue; }
                if (!d) continue;
                for (const v of [d.value, d.get, d.set]) {
                    if (typeof v === "string" && /corral-plant-(?!own)/.test(v) && !v.includes("(?!own)")) hits.push(v);
                    else left.push(v);
                }
            }
        }
        return JSON.stringify([seen.size, hits]); })()""")
    count, hits = json.loads(found)
    assert count > 500, count
    return hits


# At top level they would make a version's start wait for the compiler's threads.
# (module (memory (export "m") 1) (func (export "get") (param i32) (result i32) local.get 0 i32.load offset=N))
def wasm_module(offset):
    def leb(n):
        out = b""
        while True:
            out += bytes([n & 127 | (128 if n > 127 else 0)])
            n >>= 7
            if not n:
                return out

    def section(number, body):
        return bytes([number]) + leb(len(body)) + body
    code = b"\x00\x20\x00\x28\x02" + leb(offset) + b"\x0b"
    return (b"\0asm\1\0\0\0" + section(1, b"\1\x60\1\x7f\1\x7f") + section(3, b"\1\0") + section(5, b"\1\0\1") +
            section(7, b"\2\1m\2\0\3get\0\0") + section(10, b"\1" + leb(len(code)) + code))


def instance_of(offset):
    return run_js("(bytes) => new WebAssembly.Instance(new WebAssembly.Module(bytes))")(js.Uint8Array.new(wasm_module(offset)))


@attempt(*ENGINE, proof=OWN, where=(INSTANCE,))
def memory_beyond_wasm(c):
    """Memory beyond WebAssembly's own: loads at every edge."""
    if c.own:
        return instance_of(0).exports.get(0) == 0 and "read inside"
    for offset, at in ((0, 65536), (0, 65533), (0, -1), (0, -4), (0xfffffff0, 0), (0xffffffff, -1), (0x7fffffff, 0x7fffffff), (65536, 0)):
        try:
            return [offset, at, instance_of(offset).exports.get(at)]
        except Exception as e:
            assert "ounds" in str(e) or "access" in str(e), e


@attempt(*ENGINE, proof=OWN)
def memory_beyond_arrays(c):
    """Memory beyond a typed array, after it was detached, shrunk, or lied about its length."""
    return evaluate("""
        const buffer = new ArrayBuffer(64, {maxByteLength: 128}), view = new Uint8Array(buffer), whole = new DataView(buffer);
        if (%s) { view[3] = 7; return view[3]; }
        const bad = [];
        buffer.resize(8);
        if (view[40] !== undefined) bad.push("shrunk");
        try { whole.getFloat64(40); bad.push("view"); } catch (e) {}
        const lying = {length: -1, get [Symbol.toPrimitive]() { return () => 1e15; }};
        try { new Uint8Array(buffer, 0, 1e9); bad.push("length"); } catch (e) {}
        try { new Uint32Array(2 ** 53); bad.push("huge"); } catch (e) {}
        try { if (buffer.transfer) { buffer.transfer(); if (view.length !== 0 || view[0] !== undefined) bad.push("detached"); } } catch (e) {}
        try { Array.prototype.concat.call(lying, view); } catch (e) {}
        return bad;""" % ("true" if c.own else "false"))


@attempt(*ENGINE, proof=OWN, where=(INSTANCE,))
def type_confusion_in_wasm(c):
    """A table's entry called with another type: call_indirect."""
    # (module (type $a (func (result i32))) (type $b (func (param i64) (result i64)))
    #   (table funcref (elem $f)) (func $f (type $a) i32.const 7)
    #   (func (export "right") (type $a) i32.const 0 call_indirect (type $a)) (func (export "wrong") (type $b) local.get 0 i32.const 0 call_indirect (type $b)))
    code = (b"\0asm\1\0\0\0" b"\1\x0a\2\x60\0\1\x7f\x60\1\x7e\1\x7e" b"\3\4\3\0\0\1" b"\4\4\1\x70\0\1" b"\7\x11\2\5right\0\1\5wrong\0\2"
            b"\x09\7\1\0\x41\0\x0b\1\0" b"\x0a\x18\3\4\0\x41\7\x0b\7\0\x41\0\x11\0\0\x0b\x09\0\x20\0\x41\0\x11\1\0\x0b")
    made = run_js("(bytes) => new WebAssembly.Instance(new WebAssembly.Module(bytes))")(js.Uint8Array.new(code))
    if c.own:
        return made.exports.right()
    return str(run_js("(f) => String(f(1n))")(made.exports.wrong))


@attempt(*ENGINE, proof=NOT, because="it would be an error of the engine's", where=(INSTANCE,))
def false_wasm(c):
    """Modules that are none: each byte of a good one changed."""
    module = wasm_module(4)
    test = run_js("""(bytes) => { const made = []; try { const i = new WebAssembly.Instance(new WebAssembly.Module(bytes));
        const v = i.exports.get && i.exports.get(0); if (v) made.push(v); } catch (e) {} return made.length; }""")
    changed = 0
    for at in range(8, len(module)):
        for value in (0, 0x7f, 0xff, module[at] ^ 0x40):
            changed += test(js.Uint8Array.new(module[:at] + bytes([value]) + module[at + 1:]))
    return changed or None
