"""console: docs/compatibility.md names these tests.  What values look like is a table in console_cases.py."""
import json
import re

import pytest

from console_cases import FORMATS, TABLES, VALUES
from harness import script

pytestmark = pytest.mark.asan


def logged(lab, code):
    """Run JavaScript; what it logged, as [level, text] of each call."""
    mark = lab.mark()
    script(lab, code + "\nconsole.log('@@ the end');\nreturn 0;")
    lab.wait_log("@@ the end", since=mark)
    calls = []
    for line in lab.log_lines()[mark:]:
        head = re.match(r"\[lab:(\w+)\] ?(.*)", line)
        if head:
            calls.append([head.group(1), head.group(2)])
        elif calls and line.startswith("    "):     # the log sets further lines in
            calls[-1][1] += "\n" + line[4:]
    return calls[:[text for _, text in calls].index("@@ the end")]


def texts(lab, code):
    return [text for _, text in logged(lab, code)]


def test_values_look_as_in_node(lab):
    got = texts(lab, "'use strict';" + "".join("console.log('>>', (%s));\n" % expression for expression, _ in VALUES))
    assert [(e, g) for (e, want), g in zip(VALUES, got) if g != want] == []
    assert len(got) == len(VALUES)


def test_format_specifiers(lab):
    got = texts(lab, "".join("console.log(%s);\n" % arguments for arguments, _ in FORMATS))
    assert [(e, g) for (e, want), g in zip(FORMATS, got) if g != want] == []
    assert len(got) == len(FORMATS)


def test_table(lab):
    got = texts(lab, "".join("console.table(%s);\n" % arguments for arguments, _ in TABLES))
    assert [(e, g) for (e, want), g in zip(TABLES, got) if g != want] == []
    assert len(got) == len(TABLES)


def test_levels(lab):
    assert logged(lab, """
        console.log('a'); console.info('b'); console.warn('c'); console.error('d'); console.dirxml('e', { f: 1 });
    """) == [["inf", "a"], ["inf", "b"], ["wrn", "c"], ["err", "d"], ["inf", "e { f: 1 }"]]


def test_assert(lab):
    assert logged(lab, """
        console.assert(true, 'never'); console.assert(1 > 2); console.assert(0, 'why %s', 'not'); console.assert(null, { a: 1 }, 'x');
    """) == [["err", "Assertion failed"], ["err", "Assertion failed: why not"], ["err", "Assertion failed { a: 1 } x"]]


def test_group(lab):
    assert texts(lab, """
        console.group('outer', 1); console.log({ a: 'x'.repeat(80) }); console.groupCollapsed('inner'); console.warn('deep'); console.groupEnd(); console.log('less');
        console.groupEnd(); console.groupEnd(); console.log('none');
    """) == ["outer 1", "  {\n    a: '%s'\n  }" % ("x" * 80), "  inner", "    deep", "  less", "none"]


def test_count(lab):
    assert logged(lab, """
        console.count(); console.count('n'); console.count(); console.countReset(); console.count(); console.countReset('missing'); console.countReset(); console.countReset('n');
    """) == [["inf", "default: 1"], ["inf", "n: 1"], ["inf", "default: 2"], ["inf", "default: 1"], ["wrn", "Count for 'missing' does not exist"]]


def test_time(lab):
    got = logged(lab, """
        console.time('t'); console.time('t'); console.timeLog('t', 'so far', { a: 1 }); console.timeEnd('t'); console.timeEnd('t'); console.timeLog(); console.time(); console.timeEnd();
    """)
    assert [level for level, _ in got] == ["wrn", "inf", "inf", "wrn", "wrn", "inf"]
    patterns = ["Label 't' already exists for console.time\\(\\)", r"t: [\d.]+m?s so far \{ a: 1 \}", r"t: [\d.]+m?s", "No such label 't' for console.timeEnd\\(\\)",
                "No such label 'default' for console.timeLog\\(\\)", r"default: [\d.]+m?s"]
    for pattern, (_, text) in zip(patterns, got):
        assert re.fullmatch(pattern, text), text


def test_dir(lab):
    assert texts(lab, """
        const deep = { a: { b: { c: { d: { e: 1 } } } } };
        console.dir(deep); console.dir(deep, { depth: 0 }); console.dir(deep, { depth: null }); console.dir([1], { showHidden: true }); console.dir('text');
    """) == ["{ a: { b: { c: [Object] } } }", "{ a: [Object] }", "{\n  a: {\n    b: { c: { d: { e: 1 } } }\n  }\n}", "[ 1, [length]: 1 ]", "'text'"]


def test_errors_with_their_stack(lab):
    got = texts(lab, """
        function failing() { return new TypeError('inner'); }
        const e = (function making() { return new Error('outer', { cause: failing() }); })();
        console.log(e); console.log({ e: failing() }); console.error('%s failed', 'it', e); console.log(new DOMException('gone', 'AbortError'));
    """)
    assert re.match(r"Error: outer\n    at making \(.*\) \{\n  \[cause\]: TypeError: inner\n      at failing \(.*\)(\n.*)*\n\}$", got[0]), got[0]
    assert re.match(r"\{\n  e: TypeError: inner\n      at failing \(.*\)(\n.*)*\n\}$", got[1]), got[1]
    assert got[2].startswith("it failed Error: outer\n    at "), got[2]
    assert got[3] == "[AbortError: gone]"


def test_platform_objects(lab):
    got = texts(lab, """
        const headers = new Headers({ b: '2', a: '1' });
        console.log(headers); console.log(new Response('x', { headers: { 'x-a': 'b' } })); console.log({ r: { r: { r: new Response() } } });
        console.log(new Request('http://x/y', { method: 'POST', body: 'b' })); console.log(new URL('http://x/?a=b#c')); console.log(new URLSearchParams('a=b&c=d'));
        console.log(new AbortController()); console.log(AbortSignal.abort('why')); console.log(new Blob(['ab'], { type: 'x/y' })); console.log(new Event('e').type, new EventTarget());
        console.log(crypto, new TextEncoder()); console.log(await crypto.subtle.importKey('raw', new Uint8Array(4), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']));
        console.log(Object.create(Response.prototype), Response.prototype, Response);
    """)
    assert got[0] == "Headers { a: '1', b: '2' }"
    assert got[1].startswith("Response {\n  status: 200,\n  statusText: 'OK',\n  headers: Headers { 'content-type': 'text/plain;charset=UTF-8', 'x-a': 'b' },\n")
    assert "\n  body: ReadableStream {\n    locked: false,\n    state: 'readable',\n    supportsBYOB: true\n  },\n  bodyUsed: false\n}" in got[1]
    assert got[2] == "{ r: { r: { r: [Response] } } }"
    assert got[3].startswith("Request {\n  method: 'POST',\n  url: 'http://x/y',\n  headers: Headers { 'content-type': 'text/plain;charset=UTF-8' },\n")
    assert got[4].startswith("URL {\n  href: 'http://x/?a=b#c',\n  origin: 'http://x',\n") and "\n  searchParams: URLSearchParams { 'a' => 'b' },\n  hash: '#c'\n}" in got[4]
    assert got[5:9] == ["URLSearchParams { 'a' => 'b', 'c' => 'd' }", "AbortController { signal: AbortSignal { aborted: false } }",
                        "AbortSignal { aborted: true, reason: 'why' }", "Blob { size: 2, type: 'x/y' }"]
    assert got[9] == "e EventTarget {}" and got[10] == "Crypto {} TextEncoder {}"
    assert got[11].startswith("CryptoKey {\n  type: 'secret',\n  extractable: false,\n  algorithm: { name: 'HMAC', hash: { name: 'SHA-256' }, length: 32 },\n")
    assert "[class Response]" in got[12]


def test_a_response_that_was_logged_keeps_its_length(lab):
    answer = lab.run("r = Response.new('twelve bytes')\njs.console.log(r)\nreturn r")
    assert (answer.headers["content-length"], answer.headers["transfer-encoding"], answer.text) == ("12", None, "twelve bytes")
    answer = lab.run("js.console.log(request)\nreturn Response.new(await request.text())", method="POST", body="unread")
    assert (answer.text, answer.headers["content-length"]) == ("unread", "6")


def test_python_values(lab):
    mark = lab.mark()
    lab.value("""
        from js import console
        console.log([1, {"a": None}], "text", 1.5, None, True, b"x")
        console.log("%s and %o", {"a": 1}, [2])
        console.log(js.eval("(x) => ({ held: x })")({"b": (1, 2)}))
        class Bad:
            def __repr__(self):
                raise ValueError("no repr")
        console.log("bad", Bad())
        console.table([{"a": 1}])
        console.assert_(False, "of python")
        console.count("python")
    """)
    lab.wait_log(r"python: 1$", since=mark)
    log = "\n".join(lab.log_lines()[mark:])
    for line in ("[1, {'a': None}] text 1.5 undefined true b'x'", "{'a': 1} and [2]", "{ held: {'b': (1, 2)} }", "[{'a': 1}]", "Assertion failed: of python"):
        assert "] " + line in log, line
    assert re.search(r"\] bad \S", log)


def test_hostile_values_do_no_harm(lab):
    """Getters that throw, proxies that throw, things without end: all are printed somehow, and the worker goes on."""
    got = texts(lab, """
        const trap = new Proxy({}, new Proxy({}, { get() { throw new Error('trap'); } }));
        const all = [
          trap, { trap }, { get a() { throw 1; }, get [Symbol.toStringTag]() { throw 2; } }, Object.create({ get constructor() { throw 3; } }), Object.create({ constructor: trap }),
          Object.assign(new Error('m'), { get name() { return 'n'; } }), Object.defineProperty(new Error('m'), 'name', { get() { throw 4; } }), Object.defineProperty(new Error('m'), 'message', { get() { throw 5; } }),
          Object.defineProperty(new Error('m'), 'stack', { value: { toString() { throw 6; } } }), { toString() { throw 7; }, valueOf() { throw 8; } }, Object.defineProperty(() => 1, 'name', { get() { throw 9; } }),
          Object.setPrototypeOf(new Map(), Array.prototype), Object.create(Promise.prototype), Object.create(Map.prototype), Object.create(Date.prototype), Object.create(Error.prototype), { then: 1, [Symbol.iterator]: 1 },
          Object.create(Uint8Array.prototype), Object.setPrototypeOf(Promise.resolve(1), null), new (class extends Promise {})(() => 0), (() => { const b = new ArrayBuffer(8); b.transfer(); return b; })(),
        ];
        for (const x of all) { console.log(x); console.log('%s %d %i %f %j %o', x, x, x, x, x, x); console.table([x]); console.dir(x, { depth: null }); console.assert(false, x); }
        console.log(new Array(4294967295)); console.table([new Array(4294967295)]);
        let deep = {}; for (let i = 0; i < 50000; i++) deep = { deep };
        console.dir(deep, { depth: null });
        console.count(Symbol('s')); console.time({ toString() { throw 1; } });
    """)
    assert len(got) >= 21 * 5 + 3
    assert max(len(text) for text in got) < 4 << 20
    since = lab.mark()
    script(lab, "console.log(Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => 'x'.repeat(10000)))); return 1;")
    lab.wait_log("GET / 200", since=since)
    assert len("".join(lab.log_lines()[since:])) < 4 << 20     # of 100 MB
    assert lab.value("return 1") == 1
