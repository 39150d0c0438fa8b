"""MessageChannel, performance.mark and measure, and that the small globals are there."""
import pytest

from harness import script

pytestmark = pytest.mark.asan


def test_ports(lab):
    assert script(lab, """
        const { port1, port2 } = new MessageChannel(), got = [], turn = () => new Promise((f) => setTimeout(f, 0)), buffer = new ArrayBuffer(4);
        port1.postMessage({ a: [1, new Date(0)] }); port1.postMessage(buffer, [buffer]);
        await turn();
        got.push('none before it is started');
        port2.onmessage = (e) => got.push(e.data instanceof ArrayBuffer ? e.data.byteLength : e.data, e instanceof MessageEvent && e.target === port2);
        got.push('nor at once');
        await turn();
        got.push(buffer.detached);
        let refused;
        try { port1.postMessage(() => 1); } catch (e) { refused = e.name; }
        port1.addEventListener('message', (e) => got.push(e.data));
        port2.postMessage('not started');
        await turn();
        port1.start();
        await turn();
        port2.onclose = () => got.push('closed');
        port1.postMessage('last'); port1.close(); port1.postMessage('lost'); port2.postMessage('lost');
        await turn();
        return [...got, refused, String(port1), typeof port1.onmessageerror];
    """) == ["none before it is started", "nor at once", {"a": [1, "1970-01-01T00:00:00.000Z"]}, True, 4, True, True, "not started", "last", True, "closed",
             "DataCloneError", "[object MessagePort]", "object"]


def test_ports_refuse(lab):
    assert script(lab, """
        const refused = (f) => { try { f(); return 'done'; } catch (e) { return e.name; } }, { port1, port2 } = new MessageChannel();
        for (let i = 0; i < 10000; i++) port1.postMessage(i);
        return [refused(() => new MessagePort()), refused(() => port1.postMessage()), refused(() => port1.postMessage(1)), refused(() => port2.postMessage(port1)), refused(() => port2.postMessage(1, [port1]))];
    """) == ["TypeError", "TypeError", "QuotaExceededError", "DataCloneError", "DataCloneError"]


def test_a_port_that_answers_goes_on_in_its_turn(lab):
    assert script(lab, """
        const { port1, port2 } = new MessageChannel(), done = Promise.withResolvers();
        port1.onmessage = ({ data }) => (data === 100 ? done.resolve(data) : port1.postMessage(data + 1));
        port2.onmessage = ({ data }) => port2.postMessage(data + 1);
        port1.postMessage(1);
        return done.promise;
    """) == 100


def test_marks_and_measures(lab):
    assert script(lab, """
        performance.clearMarks(); performance.clearMeasures();
        const a = performance.mark('a', { startTime: 5, detail: { x: 1 } }), b = performance.mark('b', { startTime: 9 }), m = performance.measure('m', 'a', 'b');
        const n = performance.measure('n', { start: 1, duration: 3, detail: 'd' });
        let wrong = [];
        for (const f of [() => performance.measure('x', 'none'), () => performance.mark(), () => new PerformanceEntry(), () => performance.measure('x', { start: 1, end: 2, duration: 1 }), () => performance.mark('x', { startTime: -1 })]) try { f(); } catch (e) { wrong.push(e.name); }
        const names = performance.getEntries().map((e) => e.name), kinds = [performance.getEntriesByType('mark').length, performance.getEntriesByName('m').length, performance.getEntriesByName('m', 'mark').length];
        performance.clearMarks('a');
        const left = performance.getEntries().length;
        performance.clearMarks(); performance.clearMeasures();
        return [a.detail, b.entryType, [m.startTime, m.duration, m.detail], [n.startTime, n.duration, n.detail], wrong, names, kinds, left, performance.getEntries().length, m instanceof PerformanceEntry, JSON.parse(JSON.stringify(b)).startTime];
    """) == [{"x": 1}, "mark", [5, 4, None], [1, 3, "d"], ["SyntaxError", "TypeError", "TypeError", "TypeError", "TypeError"], ["n", "a", "m", "b"], [2, 1, 0], 3, 0, True, 9]


GLOBALS = """AbortController AbortSignal AggregateError Array ArrayBuffer Atomics BigInt Blob ByteLengthQueuingStrategy CloseEvent CountQueuingStrategy Crypto CryptoKey
CustomEvent DOMException DataView Date ErrorEvent Event EventTarget File FinalizationRegistry FixedLengthStream Float16Array FormData Headers IdentityTransformStream Intl Iterator JSON
MessageChannel MessageEvent MessagePort Navigator Performance PerformanceEntry PerformanceMark PerformanceMeasure PromiseRejectionEvent Proxy ReadableByteStreamController ReadableStream
ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Reflect Request Response Scheduler SubtleCrypto TextDecoder
TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL URLPattern URLSearchParams WeakRef WebAssembly WebSocket WebSocketPair
WritableStream WritableStreamDefaultController WritableStreamDefaultWriter addEventListener atob btoa clearInterval clearTimeout console crypto dispatchEvent escape fetch globalThis
navigator performance queueMicrotask removeEventListener reportError scheduler self setInterval setTimeout structuredClone unescape"""


def test_the_globals_that_cloudflare_has(lab):
    assert script(lab, """
        return ['%s'.split(' ').filter((name) => globalThis[name] === undefined), navigator.languages, navigator.platform, new Intl.NumberFormat('de-DE').format(1234.5),
          new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', dateStyle: 'medium' }).format(0), ['b', 'ä', 'a'].sort(new Intl.Collator('de').compare), new Intl.PluralRules('en').select(1),
          ['Module', 'Instance', 'Memory', 'Table', 'Global', 'CompileError', 'LinkError', 'RuntimeError', 'validate', 'compile', 'instantiate'].every((n) => typeof WebAssembly[n] === 'function')];
    """ % " ".join(GLOBALS.split())) == [[], ["en"], "", "1.234,5", "Jan 1, 1970", ["a", "ä", "b"], "one", True]
