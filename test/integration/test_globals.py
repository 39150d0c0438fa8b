"""The global object beside workerd's (globals_cases/, recorded by tools/globals-cases); EventSource, PerformanceObserver, sendBeacon.

docs/compatibility.md names these tests."""
import json
from pathlib import Path

import pytest

from conftest import finish, start
from harness import until
from origin import Handler, Origin

pytestmark = pytest.mark.asan

CASES = Path(__file__).with_name("globals_cases")
TOML = 'name = "globals"\nmain = "src/index.js"\ncompatibility_date = "2026-04-01"\n'
MAIN = """
const tests = {
  names: () => globals(),
  answers: () => answerAll(),
  async source({ url, errors }) {
    const got = [], source = new EventSource(url);
    got.push([source.url, source.readyState]);
    source.onopen = () => got.push(['open', source.readyState]);
    source.onmessage = (e) => { got.push([e.type, e.data, e.lastEventId, e.origin === new URL(url).origin]); if (e.data === 'close') source.close(); };
    await new Promise((done) => {
      source.addEventListener('bye', () => { source.close(); done(); });
      source.onerror = (e) => { got.push([e.constructor.name, e.error.name, e.error.message, source.readyState]); if (source.readyState === 2 || --errors === 0) done(source.close()); };
    });
    return [...got, source.readyState];
  },
  async closed({ url }) {
    const got = [], source = new EventSource(url);
    source.onmessage = (e) => { source.close(); got.push(e.data, String(source.readyState)); };
    source.addEventListener('bye', () => got.push('bye'));
    source.onerror = () => got.push('error');
    while (source.readyState !== 2) await scheduler.wait(1);
    await scheduler.wait(10);
    return [got, source.readyState];
  },
  beacon: ({ url }) => [navigator.sendBeacon(url + '/echo?beacon', 'text'), navigator.sendBeacon(url + '/echo?blob', new Blob(['b'], { type: 'a/b' })), navigator.sendBeacon('nonsense')],
  async observer() {
    const seen = [], list = (entries) => entries.getEntries().map((e) => [e.name, e.entryType]);
    performance.mark('before');
    const both = new PerformanceObserver((entries, self) => seen.push(['both', list(entries), self === both, entries.getEntriesByType('measure').length, entries.getEntriesByName('a').length]));
    both.observe({ entryTypes: ['mark', 'measure', 'navigation'] });
    const marks = new PerformanceObserver((entries) => seen.push(['marks', list(entries)]));
    marks.observe({ type: 'mark', buffered: true });
    performance.mark('a');
    performance.measure('m', 'a');
    const none = seen.length;
    await scheduler.wait(1);
    performance.mark('b');
    const taken = marks.takeRecords().map((e) => e.name);
    both.disconnect();
    marks.disconnect();
    performance.mark('c');
    await scheduler.wait(1);
    const refused = [() => new PerformanceObserver(), () => marks.observe(), () => marks.observe({ type: 'mark', entryTypes: ['mark'] }), () => new PerformanceObserverEntryList(),
      () => new PerformanceResourceTiming()].map((f) => { try { f(); } catch (e) { return e.name; } });
    return [none, seen, taken, refused, PerformanceObserver.supportedEntryTypes, performance.eventLoopUtilization(), performance.timerify((x) => x + 1)(1)];
  },
};
export default { async fetch(request) { return Response.json(await tests[new URL(request.url).pathname.slice(1)](await request.json())); } };
"""
EXPECTED = json.loads((CASES / "expected.json").read_text())

# What workerd's have and these have not, name by name: a row each in docs/compatibility.md.
ENGINE = {"Atomics.waitAsync", "Intl.v8BreakIterator", "Iterator.zip", "Iterator.zipKeyed", "Iterator.prototype.includes",
          "Iterator.prototype.join", "WebAssembly.SuspendError", "WebAssembly.Suspending", "WebAssembly.promising"}
MISSING = {"Request.prototype.fetcher", "ReadableStreamBYOBRequest.prototype.atLeast", "performance.eventCounts", "performance.nodeTiming",
           "Performance.prototype.eventCounts", "Performance.prototype.nodeTiming"}
BODY = {"Body.prototype." + name for name in "arrayBuffer blob body bodyUsed bytes formData json text".split()}


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    script = (CASES / "names.js").read_text() + (CASES / "answers.js").read_text() + MAIN
    one = start(tmp_path_factory.mktemp("globals"), {"src/index.js": script, "wrangler.toml": TOML})

    def asked(name, **more):
        answer = one.request("POST", "/" + name, json.dumps(more).encode())
        assert answer.status == 200, answer.text
        return answer.json()

    asked.one = one
    yield asked
    finish(one)


def test_names_of_workerd(ask):
    """Each is there, of the same type, with the same members; what is not is listed above."""
    ours, missing, others = ask("names"), set(), []
    for name, (kind, members) in EXPECTED["names"].items():
        if name not in ours:
            missing.add(name)
            continue
        if ours[name][0] != kind:
            others.append((name, ours[name][0], kind))
        for theirs, mine, where in zip(members, ours[name][1], (".", ".prototype.")):
            if name + where not in ("WorkerGlobalScope.prototype.", "ServiceWorkerGlobalScope.prototype."):      # both have all names of the global object
                missing |= {name + where + one for one in set(theirs) - set(mine)}
    assert missing - (ENGINE | MISSING | BODY) == set() == (ENGINE | MISSING | BODY) - missing
    assert others == []
    assert len(EXPECTED["names"]) >= 156


def test_what_workerd_answers(ask):
    answers = ask("answers")
    assert {name: answers.get(name) for name in EXPECTED["answers"]} == EXPECTED["answers"]
    assert len(answers) >= 40


# ---- EventSource ----


class Events(Handler):
    def on_events(self, query):
        said = {"404": (404, None, b"x"), "204": (204, None, b""), "plain": (200, "text/plain; charset=utf-8", b"data: x\n\n"), "none": (200, None, b"data: x\n\n"),
                "201": (201, "text/event-stream", b"data: x\n\n"), "more": (200, "Text/Event-Stream; charset=utf-8", b"\xef\xbb\xbfdata: bom\r\n\r\ndata:cr\r\rdata: \xff\n\nretry: x\nid: a\0b\ndata\n\n"
                        b":comment\ndata:  two\nid: 1\n\nevent: \ndata: e\n\nevent: bye\ndata: b\n\n"),
                "close": (200, "text/event-stream", b"data: close\n\ndata: not this\n\nevent: bye\ndata: nor this\n\n" * 10)}
        status, kind, body = said[query["what"]]
        self.answer(status, body, [("Content-Type", kind)] if kind else [])
        self.close_connection = True

    def on_again(self, query):
        """The next event of each connection, then no more."""
        last = int(self.headers.get("Last-Event-ID") or 0)
        body = b"" if last == 3 else b"retry: 1\nid: %d\ndata: after %d\n\ndata: cut" % (last + 1, last)
        self.answer(204 if last == 3 else 200, body, [("Content-Type", "text/event-stream")] if last < 3 else [])


@pytest.fixture(scope="module")
def events():
    one = Origin()
    one.RequestHandlerClass = Events
    yield one
    one.close()


@pytest.mark.parametrize("what, why", [("404", "The response status code was 404."), ("204", "No content type header was present in the response."),
                                       ("none", "No content type header was present in the response."), ("plain", "The content type 'text/plain; charset=utf-8' is invalid.")])
def test_event_source_of_what_is_none(ask, events, what, why):
    url = "%s/events?what=%s" % (events.url, what)
    assert ask("source", url=url) == [[url, 0], ["ErrorEvent", "AbortError", why, 2], 2]


def test_event_source_events(ask, events):
    url = "%s/events?what=more" % events.url
    assert ask("source", url=url) == [
        [url, 0], ["open", 1], ["message", "bom", "", True], ["message", "cr", "", True], ["message", "\ufffd", "", True], ["message", "", "", True],
        ["message", " two", "1", True], ["message", "e", "1", True], 2]
    url = events.url + "/redirect?code=302&to=" + events.url + "/events?what=201"
    assert ask("source", url=url, errors=1) == [[url, 0], ["open", 1], ["message", "x", "", True], ["ErrorEvent", "Error", "The server disconnected.", 0], 2]


def test_event_source_closed_hears_no_more(ask, events):
    assert ask("closed", url="%s/events?what=close" % events.url) == [["close", "2"], 2]


def test_event_source_asks_again(ask, events):
    """With the last id, after the time that the server says, until it says no."""
    before = len(events.seen)
    said, gone = ask("source", url=events.url + "/again", errors=9), ["ErrorEvent", "Error", "The server disconnected.", 0]
    assert said[1:] == [["open", 1], ["message", "after 0", "1", True], gone, ["open", 1], ["message", "after 1", "2", True], gone, ["open", 1],
                        ["message", "after 2", "3", True], gone, ["ErrorEvent", "AbortError", "No content type header was present in the response.", 2], 2]
    heads = [{name.lower(): value for name, value in head.items()} for _, _, head in events.seen[before:]]
    assert [head.get("last-event-id") for head in heads] == [None, "1", "2", "3"]
    assert {(head["accept"], head["cache-control"]) for head in heads} == {("text/event-stream", "no-cache")}


def test_event_source_of_nobody(ask):
    said = ask("source", url="http://127.0.0.1:1/")
    assert said[1][:2] == ["ErrorEvent", "TypeError"] and "No connection" in said[1][2] and said[1][3] == 2


# ---- the others ----


def test_performance_observer(ask):
    assert ask("observer") == [0, [
        ["marks", [["before", "mark"], ["a", "mark"]]], ["both", [["a", "mark"], ["m", "measure"]], True, 1, 1]], ["b"],
        ["TypeError", "TypeError", "TypeError", "TypeError", "TypeError"], ["mark", "measure"], {"idle": 0, "active": 0, "utilization": 0}, 2]


def test_send_beacon(ask, events):
    assert ask("beacon", url=events.url) == [True, True, True]
    until("both have come", lambda: {(method, path) for method, path, _ in events.seen} >= {("POST", "/echo?beacon"), ("POST", "/echo?blob")})
    ask.one.wait_log("waitUntil: TypeError: Invalid URL: nonsense")


SHARED = """\
const said = async (f) => { try { return await f(); } catch (error) { return `${error.name}: ${error.message}`; } };
export default { async fetch() {
  const shared = new SharedArrayBuffer(8), numbers = new Int32Array(shared), bytes = new Uint8Array(shared), memory = new WebAssembly.Memory({ initial: 1, maximum: 10, shared: true });
  Atomics.store(numbers, 0, 0x01020304);
  console.log(shared, memory.buffer.byteLength);
  return Response.json([Atomics.add(numbers, 0, 1), bytes[0], memory.buffer instanceof SharedArrayBuffer, memory.grow(2), memory.buffer.byteLength, [...Iterator.concat([1], [2, 3])],
    await said(() => Atomics.wait(numbers, 0, 5)), await said(() => structuredClone(shared)), await said(() => structuredClone({ a: bytes })), await said(async () => (await new Response(bytes).bytes())[0]),
    await said(() => new TextEncoder().encodeInto("hi", bytes).written), await said(async () => (await crypto.subtle.digest("SHA-1", bytes)).byteLength)]);
} };
"""


def test_shared_memory(corral):
    one = corral({"src/index.js": SHARED, "wrangler.toml": TOML})
    refused = "DataCloneError: An object of class SharedArrayBuffer could not be cloned."
    assert one.get().json() == [0x01020304, 5, True, 1, 3 << 16, [1, 2, 3], "TypeError: Atomics.wait cannot be called in this context", refused, refused, 5, 2, 20]
    one.wait_log(r"SharedArrayBuffer \{\n +\[Uint8Contents\]: <04 03 02 01 00 00 00 00>,\n +byteLength: 8\n +\} 65536")


# ---- builtins that the worker has replaced ----

# Prototype: what then fails of globals_cases/broken.js, for the worker alone.  All that is not here works on.
BROKEN = {
    "RegExp": "blob form rewriter pattern cache",
    "String": "base64 log digest hmac blob form pattern cache",
    "Array": "headers_forEach params url_params clone2 log abort digest hmac blob form rewriter pattern cache mark",
    "ArrayIterator": "headers_forEach params clone2 log abort hmac blob form rewriter pattern cache",
    "TypedArray": "response_bytes byte_stream tee compression text text_latin base64 clone2 digest hmac blob form rewriter",
    "ArrayBuffer": "response_bytes digest hmac",
    "Map": "clone2 log", "Set": "clone2", "MapIterator": "headers_forEach", "SetIterator": "clone2 mark", "StringIterator": "pattern", "RegExpIterator": "cache",
    "Iterator": "cache", "ArrayStatics": "clone2 pattern", "StringStatics": "base64", "Promise": "writer", "Headers": "rewriter cache", "URL": "url_params pattern cache",
    "Response": "cache", "ReadableStream": "rewriter", "TransformStream": "transform_stream", "globals": "log form",
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    one = start(tmp_path_factory.mktemp("broken"), {"src/index.js": (CASES / "broken.js").read_text(), "wrangler.toml": TOML})
    yield one
    finish(one)


def test_builtins_that_throw(broken, events):
    """One prototype after the other: what the platform does by itself goes on, but for what stands in BROKEN."""
    answer = broken.get("/?" + events.url)
    assert answer.status == 200, answer.text
    said = answer.json()
    assert [use for use, value in said["plain"].items() if value.startswith('"!!') or value.startswith("!!")] == []
    failed = {}
    for line in said["lines"]:
        kind, use = line.partition(":")[0].split(" / ")
        failed.setdefault(kind, set()).add(use.replace(" ", "_"))
    del failed["Function"]      # call(), by which methods that were taken before are called
    assert {kind: uses - set(BROKEN.get(kind, "").split()) for kind, uses in failed.items() if uses - set(BROKEN.get(kind, "").split())} == {}
    assert said["count"] > 700 and len(said["plain"]) >= 36 and sum(map(len, failed.values())) <= 90


def test_a_worker_with_broken_builtins_harms_itself_alone(broken):
    """All of them at once, for good: its answer is delivered, and the node goes on."""
    for _ in range(3):
        assert broken.get("/stay").status in (200, 500)
    assert broken.is_running()
