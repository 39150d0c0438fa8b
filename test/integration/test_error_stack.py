"""`error.stack` of workers in JavaScript: as V8 writes it, in the worker's own files.  One worker, asked once."""
import pytest

pytestmark = pytest.mark.asan

CONFIG = """name = "n"
main = "src/index.ts"
compatibility_date = "2025-05-01"
"""
LIB = """\
// a line before
export function fail(message: string): never {
  throw new TypeError(message);
}
"""
MAIN = """\
import { fail } from "./lib";

class Mine extends Error {
  constructor(message: string) { super(message); this.name = "Mine"; }
}
function Old(message) {
  Error.captureStackTrace(this, Old);
  this.message = message;
}
Object.setPrototypeOf(Old.prototype, Error.prototype);
const caught = (f) => { try { f(); } catch (error) { return error; } };
const deep = (n: number) => (n === 0 ? new RangeError("deep") : deep(n - 1));
const lines = (error) => error.stack.split("\\n");
const cases = {
  plain() { return new Error("a").stack; },
  called() { return Error("b").stack; },
  empty() { return lines(new Error())[0]; },
  other() { return caught(() => fail("of a file")).stack; },
  async later() { return (await (async () => { await null; fail("later"); })().catch((error) => error)).stack; },
  mine() { const error = new Mine("c"); return [lines(error), String(error), error instanceof Mine, error.constructor === Mine]; },
  old() { const error = new Old("d"); return [lines(error), String(error)]; },
  many() { return lines(new AggregateError([1], "e", { cause: 2 }))[0]; },
  dom() { return lines(new DOMException("f", "AbortError"))[0]; },
  platform() { return lines(caught(() => new URL("nowhere"))); },
  limit() {
    const count = () => lines(deep(30)).length - 1, counts = [Error.stackTraceLimit, count()];
    for (const limit of [3, 0, 20]) { Error.stackTraceLimit = limit; counts.push(count()); }
    Error.stackTraceLimit = 10;
    return counts;
  },
  sites() {
    Error.prepareStackTrace = (error, sites) => [error.message, ...sites.slice(0, 1).map((site) => [site.getFunctionName(), site.getFileName(), site.getLineNumber(), site.getColumnNumber(), site.isNative(), String(site)])];
    try { return caught(() => fail("seen")).stack; } finally { Error.prepareStackTrace = undefined; }
  },
  captured() { const object = { name: "N", message: "m" } as any; Error.captureStackTrace(object); return [lines(object)[0], Object.keys(object)]; },
  written() {
    const error = new Error("g"), own = Object.getOwnPropertyDescriptor(error, "stack"), before = error.stack;
    error.message = "changed";
    const after = error.stack === before;
    error.stack = "mine";
    return [own.enumerable, own.configurable, after, error.stack, Object.keys(new Error("h")), "stack" in new Error()];
  },
  frozen() { return lines(Object.freeze(new Error("i")))[0]; },
  names() {
    const all = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError];
    return [all.map((one) => `${one.name}${one.length}`).join(), all.every((one) => one.prototype.constructor === one && one.prototype.name === one.name), Object.getPrototypeOf(TypeError) === Error,
      new TypeError("x", { cause: 5 }).cause, Object.prototype.toString.call(new Error()), caught(() => null.x).constructor === TypeError, caught(() => null.x) instanceof Error, Reflect.construct(Error, ["r"], Mine) instanceof Mine];
  },
  engine() { return typeof caught(() => null.x).stack; },
};
export default { async fetch(request) {
  if (new URL(request.url).pathname === "/log") {
    const error = new Mine("first");
    error.message = "in the log";
    console.error(error);
    console.log(error.stack);
    throw error;
  }
  const results = {};
  for (const [name, one] of Object.entries(cases)) results[name] = await one();
  return Response.json(results);
} };
"""


def test_stacks(corral):
    one = corral({"wrangler.toml": CONFIG, "src/index.ts": MAIN, "src/lib.ts": LIB})
    got = one.get().json()
    assert got.pop("plain") == "Error: a\n    at plain (src/index.ts:15:24)\n    at fetch (src/index.ts:60:74)"
    assert got.pop("called").startswith("Error: b\n    at called (src/index.ts:16:")
    assert got.pop("other").startswith("TypeError: of a file\n    at fail (src/lib.ts:3:13)\n    at src/index.ts:18:")
    assert got.pop("later").startswith("TypeError: later\n    at fail (src/lib.ts:3:13)\n    at src/index.ts:19:")
    (head, made, asked, *_), text, *kinds = got.pop("mine")
    assert (head, made.split(":")[0], asked.split(":")[0], text, kinds) == ("Error: c", "    at Mine (src/index.ts", "    at mine (src/index.ts", "Mine: c", [True, True])
    (head, asked, *_), text = got.pop("old")
    assert (head, asked.split(":")[0], text) == ("Error", "    at old (src/index.ts", "Error: d")
    head, place, *_ = got.pop("platform")
    assert head == "TypeError: Invalid URL string." and place.startswith("    at src/index.ts:24:")
    assert got.pop("limit") == [10, 10, 3, 0, 20]
    assert got.pop("sites") == ["seen", ["fail", "src/lib.ts", 3, 13, False, "fail (src/lib.ts:3:13)"]]
    assert got.pop("captured") == ["N: m", ["name", "message"]]
    assert got.pop("written") == [False, True, True, "mine", [], True]
    assert got.pop("names") == ["Error1,TypeError1,RangeError1,SyntaxError1,ReferenceError1,EvalError1,URIError1,AggregateError2", True, True, 5, "[object Error]", True, True, True]
    assert got == {"empty": "Error", "many": "AggregateError: e", "dom": "AbortError: f", "frozen": "Error: i", "engine": "string"}


def test_the_log_has_what_is_said_now(corral):
    one = corral({"wrangler.toml": CONFIG, "src/index.ts": MAIN, "src/lib.ts": LIB})
    assert one.get("/log").status == 500
    one.wait_log(r"\[n:err\] Mine: in the log\n +at Mine \(src/index\.ts:4:34\)\n +at fetch \(src/index\.ts:53:23\)\n\[n:inf\] Error: first\n +at Mine \(src/index\.ts:4:34\)")
    one.wait_log(r"(?s)Error: first.*\[n:err\] GET .*: Mine: in the log")
