"""DOMException, events, abort signals, structuredClone and the small globals: docs/compatibility.md names these tests."""
import os
import signal

import pytest

from harness import script, until

pytestmark = pytest.mark.asan


# ---- DOMException ----


def test_dom_exception(lab):
    assert script(lab, """
        const e = new DOMException('why', 'DataCloneError'), plain = new DOMException();
        return [e.name, e.message, e.code, String(e), e instanceof Error, e.stack.includes('lab') || typeof e.stack,
                DOMException.DATA_CLONE_ERR, e.ABORT_ERR, Object.prototype.toString.call(e), plain.name, plain.message, plain.code,
                new DOMException('m', { name: 'AbortError', cause: 1 }).cause, new DOMException('m', 'OwnError').code,
                Object.keys(DOMException).length];
    """) == ["DataCloneError", "why", 25, "DataCloneError: why", True, "string", 25, 20, "[object DOMException]",
             "Error", "", 0, 1, 0, 25]


def test_dom_exception_in_python(lab):
    assert lab.value("""
        e = js.DOMException.new("why", "AbortError")
        try:
            js.eval("(e) => { throw e; }")(e)
        except Exception as caught:
            return [e.name, e.code, type(caught).__name__, caught.name, caught.message]
    """) == ["AbortError", 20, "JsException", "AbortError", "why"]


# ---- Event and EventTarget ----


def test_event_fields(lab):
    assert script(lab, """
        const e = new Event('a', { bubbles: true, cancelable: true }), before = [e.target, e.eventPhase, e.composedPath().length];
        const t = new EventTarget();
        let inside;
        t.addEventListener('a', (x) => { inside = [x.target === t, x.currentTarget === t, x.eventPhase, x.composedPath().length, x.returnValue];
          x.preventDefault(); });
        const answer = t.dispatchEvent(e);
        return [before, inside, answer, e.defaultPrevented, e.returnValue, e.target === t, e.currentTarget, e.eventPhase, e.type, e.bubbles,
                e.composed, e.isTrusted, e.timeStamp > 0, Event.AT_TARGET, String(e)];
    """) == [[None, 0, 0], [True, True, 2, 1, True], False, True, False, True, None, 0, "a", True, False, False, True, 2, "[object Event]"]


def test_custom_event(lab):
    assert lab.value("""
        e = js.CustomEvent.new("a", detail={"of": "python"})
        return [e.detail, e.type, js.CustomEvent.new("b").detail is None, e.cancelable,
                js.CustomEvent.new("c", {"detail": 1, "cancelable": True}).cancelable]
    """) == [{"of": "python"}, "a", True, False, True]


def test_event_target_listeners(lab):
    assert script(lab, """
        const got = [], t = new EventTarget(), say = (text) => () => got.append ? 0 : got.push(text);
        const twice = say('twice'), late = say('late');
        t.addEventListener('a', say('bubble'));
        t.addEventListener('a', say('capture'), true);
        t.addEventListener('a', say('once'), { once: true });
        t.addEventListener('a', twice); t.addEventListener('a', twice); t.addEventListener('a', twice, { capture: true });
        t.addEventListener('a', { handleEvent() { got.push(['object', this !== t]); } });
        t.addEventListener('a', function () { got.push(this === t); });
        t.addEventListener('a', () => t.addEventListener('a', late));
        t.addEventListener('a', null);
        t.dispatchEvent(new Event('a'));
        const first = got.splice(0);
        t.removeEventListener('a', twice); t.removeEventListener('a', late); t.removeEventListener('b', late);
        t.dispatchEvent(new Event('a'));
        return [first, got];
    """) == [["capture", "twice", "bubble", "once", "twice", ["object", True], True],
             ["capture", "twice", "bubble", ["object", True], True]]


def test_event_listeners_stop_and_are_removed_meanwhile(lab):
    assert script(lab, """
        const got = [], t = new EventTarget(), gone = () => got.push('gone');
        t.addEventListener('a', (e) => { e.stopImmediatePropagation(); got.push('stops'); });
        t.addEventListener('a', () => got.push('never'));
        t.addEventListener('b', () => t.removeEventListener('b', gone)); t.addEventListener('b', gone);
        t.addEventListener('c', (e) => { e.stopPropagation(); got.push('capture'); }, true);
        t.addEventListener('c', (e) => got.push('never'));
        t.addEventListener('d', (e) => e.preventDefault(), { passive: true });
        for (const type of ['a', 'b', 'c']) t.dispatchEvent(new Event(type));
        const d = new Event('d', { cancelable: true });
        got.push(t.dispatchEvent(d));
        const again = new Event('e');
        t.addEventListener('e', () => { try { t.dispatchEvent(again); } catch (e) { got.push(e.name); } });
        t.dispatchEvent(again);
        return got;
    """) == ["stops", "capture", True, "InvalidStateError"]


def test_event_listener_with_a_signal(lab):
    assert script(lab, """
        const got = [], t = new EventTarget(), c = new AbortController();
        t.addEventListener('a', () => got.push(1), { signal: c.signal });
        t.addEventListener('a', () => got.push(2), { signal: AbortSignal.abort() });
        t.dispatchEvent(new Event('a')); c.abort(); t.dispatchEvent(new Event('a'));
        try { t.addEventListener('a', () => 0, { signal: {} }); } catch (e) { got.push(e.name); }
        return got;
    """) == [1, "TypeError"]


def test_event_target_refuses(lab):
    assert script(lab, """
        const errors = [], t = new EventTarget();
        for (const f of [() => new Event(), () => t.dispatchEvent({}), () => t.addEventListener('a', 5), () => new Event('a', 1),
                         () => EventTarget.prototype.addEventListener.call({}, 'a', () => 0)])
          try { f(); errors.push('none'); } catch (e) { errors.push(e.name); }
        return errors;
    """) == ["TypeError"] * 5


def test_event_listener_errors_are_reported_and_stop_nobody(lab):
    before = lab.mark()
    assert script(lab, """
        const got = [], t = new EventTarget();
        t.addEventListener('a', () => { throw new RangeError('a listener failed'); });
        t.addEventListener('a', {});
        t.addEventListener('a', () => got.push('next'));
        got.push(t.dispatchEvent(new Event('a')));
        return got;
    """) == ["next", True]
    lab.wait_log(r"\[lab:err\] RangeError: a listener failed", since=before)
    lab.wait_log(r"\[lab:err\] TypeError: the listener of 'a' is neither a function", since=before)


def test_event_target_of_python(lab):
    before = lab.mark()
    assert lab.value("""
        from js import Event, EventTarget
        got, t = [], EventTarget.new()
        class Thing:
            def method(self, event):
                got.append("method " + event.type)
            def handleEvent(self, event):
                got.append("handleEvent")
        thing = Thing()
        def listener(event):
            got.append([event.type, event.target == t])
        async def later(event):
            await asyncio.sleep(0)
            got.append("later")
            raise ValueError("of a coroutine")
        def bad(event):
            raise KeyError("of a listener")
        t.addEventListener("a", listener)
        t.addEventListener("a", listener)
        t.addEventListener("a", thing.method)
        t.addEventListener("a", thing)
        t.addEventListener("a", bad)
        t.addEventListener("a", later, once=True)
        t.dispatchEvent(Event.new("a"))
        while "later" not in got:
            await asyncio.sleep(0)
        first = list(got)
        got.clear()
        t.removeEventListener("a", listener)
        t.removeEventListener("a", thing.method)
        t.dispatchEvent(Event.new("a"))
        return [first, got]
    """) == [[["a", True], "method a", "handleEvent", "later"], ["handleEvent"]]
    lab.wait_log(r"ValueError: of a coroutine", since=before)
    lab.wait_log(r"KeyError: 'of a listener'", since=before)


# ---- the global object as a target ----


def test_report_error_and_the_error_event(lab):
    before = lab.mark()
    assert script(lab, """
        const got = [], c = new AbortController();
        addEventListener('error', (e) => { got.push([e instanceof ErrorEvent, e.message, e.error.message, e.target === globalThis, e.lineno > 0]);
          if (e.message.includes('quiet')) e.preventDefault(); throw new Error('in the listener'); }, { signal: c.signal });
        reportError(new TypeError('quiet')); reportError(new Error('loud'));
        await new Promise((resolve) => { setTimeout(() => { setTimeout(resolve, 0); throw new Error('quiet timer'); }, 0); queueMicrotask(() => { throw new Error('quiet microtask'); }); });
        c.abort();
        return got;
    """) == [[True, "Uncaught TypeError: quiet", "quiet", True, True], [True, "Uncaught Error: loud", "loud", True, True],
             [True, "Uncaught Error: quiet microtask", "quiet microtask", True, True], [True, "Uncaught Error: quiet timer", "quiet timer", True, True]]
    lab.wait_log(r"\[lab:err\] Error: loud", since=before)
    lab.wait_log(r"\[lab:err\] Error: in the listener", since=before)
    assert "TypeError: quiet" not in "\n".join(lab.log_lines()[before:])


def test_unhandledrejection(lab):
    before = lab.mark()
    assert script(lab, """
        const got = [], c = new AbortController();
        addEventListener('unhandledrejection', (e) => { got.push([e.reason, e.promise instanceof Promise]); if (e.reason === 'quiet') e.preventDefault(); },
          { signal: c.signal });
        Promise.reject('quiet'); Promise.reject('loud');
        while (got.length < 2) await scheduler.wait(1);
        c.abort();
        return got;
    """) == [["quiet", True], ["loud", True]]
    lab.wait_log(r"Uncaught \(in promise\) 'loud'", since=before)
    assert "'quiet'" not in "\n".join(lab.log_lines()[before:])


def test_rejections_that_python_awaits_a_turn_later_are_heard(lab):
    before = lab.mark()
    assert lab.value("""
        import pyodide.ffi
        failed = lambda text: js.Promise.reject(js.Error.new(text))
        async def outcome(awaitable):
            try:
                return await awaitable
            except pyodide.ffi.JsException as e:
                return e.message
        async def nested():
            async with asyncio.TaskGroup() as group:
                task = group.create_task(outcome(asyncio.wait_for(failed("c"), 5)))
            return task.result()
        async def waited():
            return await asyncio.wait_for(failed("a"), 5)
        return [await outcome(waited()), (await asyncio.gather(failed("b"), return_exceptions=True))[0].message,
                await nested(), await asyncio.wait_for(asyncio.shield(outcome(failed("d"))), 5)]
    """) == ["a", "b", "c", "d"]
    lab.value("js.Promise.reject('the last one')")
    lab.wait_log(r"Uncaught \(in promise\) 'the last one'", since=before)
    assert "\n".join(lab.log_lines()[before:]).count("Uncaught") == 1



# ---- AbortController and AbortSignal ----


def test_abort_controller(lab):
    assert script(lab, """
        const got = [], c = new AbortController(), s = c.signal;
        s.addEventListener('abort', (e) => got.push(['event', e.isTrusted, e.type, s.aborted]));
        s.onabort = () => got.push('replaced'); s.onabort = function () { got.push(['onabort', this === s]); };
        got.push(s.aborted, s.reason === undefined, c.signal === s);
        s.throwIfAborted();
        c.abort(); c.abort('again');
        got.push(s.aborted, s.reason.name, s.reason.message, s.reason.code, s.reason instanceof DOMException);
        try { s.throwIfAborted(); } catch (e) { got.push(e === s.reason); }
        const own = new AbortController(); own.abort('my reason'); got.push(own.signal.reason);
        s.onabort = null; got.push(s.onabort);
        try { new AbortSignal(); } catch (e) { got.push(e.message); }
        return got;
    """) == [False, True, True, ["event", True, "abort", True], ["onabort", True], True, "AbortError", "The operation was aborted", 20, True, True,
             "my reason", None, "Illegal constructor"]


def test_abort_controller_in_python(lab):
    assert lab.value("""
        from js import AbortController, AbortSignal
        got, c = [], AbortController.new()
        c.signal.addEventListener("abort", lambda event: got.append(event.type))
        c.signal.onabort = lambda event: got.append("onabort")
        c.abort()
        try:
            c.signal.throwIfAborted()
        except Exception as e:
            got.append(e.name)
        return got + [c.signal.aborted, AbortSignal.abort("why").reason, AbortSignal.any([c.signal]).aborted]
    """) == ["abort", "onabort", "AbortError", True, "why", True]


def test_abort_signal_timeout(lab):
    assert script(lab, """
        const s = AbortSignal.timeout(1), got = [s.aborted];
        await new Promise((resolve) => s.addEventListener('abort', resolve));
        got.push(s.aborted, s.reason.name, s.reason.message);
        for (const bad of [-1, NaN, 'x']) try { AbortSignal.timeout(bad); } catch (e) { got.push(e.name); }
        return got;
    """) == [False, True, "TimeoutError", "The operation was aborted due to timeout", "TypeError", "TypeError", "TypeError"]


def test_abort_signal_timeout_does_not_hold_up_the_end(corral):
    one = corral("""
import js
async def on_fetch(request):
    js.AbortSignal.timeout(3600_000).onabort = print
    return js.Response.new("ready")
""")
    assert one.get().text == "ready"
    one.stop()


def test_abort_signal_any(lab):
    assert script(lab, """
        const got = [], a = new AbortController(), b = new AbortController();
        const both = AbortSignal.any([a.signal, b.signal]), nested = AbortSignal.any([both, AbortSignal.timeout(1e6)]);
        a.signal.onabort = () => got.push(['a', both.aborted, nested.aborted]);
        both.onabort = () => got.push('both'); nested.onabort = () => got.push('nested');
        a.abort('first'); b.abort('second');
        got.push(both.reason, nested.reason, AbortSignal.any([]).aborted, AbortSignal.any([b.signal, a.signal]).reason);
        for (const bad of [undefined, [1]]) try { AbortSignal.any(bad); } catch (e) { got.push(e.name); }
        return got;
    """) == [["a", True, True], "both", "nested", "first", "first", False, "second", "TypeError", "TypeError"]


def test_abort_signals_that_nobody_holds_are_let_go(lab):
    """Those that follow one for ever, and have a far timeout; one in a thousand is listened to, and stays."""
    assert script(lab, """
        const forever = new AbortController();
        let made = 0, gone = 0, heard = 0;
        const registry = new FinalizationRegistry(() => { gone++; });
        while (gone < 1000 || made < 20000) {
          for (let i = 0; i < 1000; i++, made++) {
            const s = AbortSignal.any([forever.signal, AbortSignal.timeout(1e7)]);
            registry.register(s);
            if (i === 0) s.addEventListener('abort', () => heard++);
          }
          await scheduler.wait(0);
        }
        forever.abort();
        return heard === made / 1000;
    """) is True


# ---- structuredClone ----


def test_structured_clone(lab):
    assert script(lab, """
        const view = new Uint16Array([1, 2, 3]), inner = { x: 1 };
        const o = { u: undefined, n: null, t: true, i: -0, s: 'x', big: 10n, list: [1, , 3], d: new Date(5), r: /x/gi, view, part: view.subarray(1),
                    buffer: view.buffer, dv: new DataView(new ArrayBuffer(8), 2, 3), map: new Map([[inner, new Set([inner])]]),
                    boxed: [Object(1), Object('s'), Object(false), Object(2n)], ['__proto__']: 'own', get got() { return 'value'; } };
        o.self = o; o.list.extra = 1;
        Object.defineProperty(o, 'hidden', { value: 1 }); o[Symbol('s')] = 1;
        const c = structuredClone(o), key = [...c.map.keys()][0];
        return [c !== o && c.self === c, Object.keys(c).length === Object.keys(o).length, 'u' in c && c.u === undefined, c.n, Object.is(c.i, -0), c.big === 10n,
                1 in c.list, c.list.length, c.list.extra, c.d instanceof Date && c.d.getTime(), String(c.r), c.r.lastIndex, c.view !== view && [...c.view],
                c.part.buffer === c.view.buffer && c.buffer === c.view.buffer, [...c.part], c.dv.byteOffset, c.dv.byteLength, key !== inner && c.map.get(key).has(key),
                c.boxed.map((b) => typeof b + ' ' + b.valueOf()), Object.hasOwn(c, '__proto__'), Object.getOwnPropertyDescriptor(c, 'got').value, 'hidden' in c,
                Object.getOwnPropertySymbols(c).length, structuredClone('x'), structuredClone(undefined) === undefined, Object.getPrototypeOf(structuredClone(new (class A { b = 1; })())) === Object.prototype];
    """) == [True, True, True, None, True, True, False, 3, 1, 5, "/x/gi", 0, [1, 2, 3], True, [2, 3], 2, 3, True,
             ["object 1", "object s", "object false", "object 2"], True, "value", False, 0, "x", True, True]


def test_structured_clone_of_errors(lab):
    assert script(lab, """
        const e = new RangeError('far', { cause: { deep: [1] } }), c = structuredClone(e), own = structuredClone(Object.assign(new Error('m'), { name: 'Mine' }));
        const d = structuredClone(new DOMException('why', 'AbortError'));
        return [c instanceof RangeError, c.message, c.stack === e.stack, c.cause, c.cause !== e.cause, own.name, d instanceof DOMException, d.name, d.code, d.message];
    """) == [True, "far", True, {"deep": [1]}, True, "Error", True, "AbortError", 20, "why"]


def test_structured_clone_transfer(lab):
    assert script(lab, """
        const view = new Uint8Array([9, 8]), buffer = view.buffer, got = [];
        try { structuredClone([buffer, () => 1], { transfer: [buffer] }); } catch (e) { got.push(e.name, buffer.detached); }
        const c = structuredClone({ view }, { transfer: [buffer] });
        got.push([...c.view], buffer.detached, view.length);
        for (const f of [() => structuredClone(buffer), () => structuredClone(view), () => structuredClone(1, { transfer: [buffer] }), () => structuredClone(1, { transfer: [{}] }),
                         () => { const b = new ArrayBuffer(1); structuredClone(b, { transfer: [b, b] }); }])
          try { f(); } catch (e) { got.push(e.name); }
        return got;
    """) == ["DataCloneError", False, [9, 8], True, 0] + ["DataCloneError"] * 5


def test_structured_clone_refuses(lab):
    assert script(lab, """
        const bad = [() => 1, class {}, Symbol('s'), { f() {} }, [Symbol.iterator], Promise.resolve(), new WeakMap(), new WeakRef({}), new Headers(), new Response('x'),
                     new AbortController().signal, new Event('e'), new Proxy({}, {}), [].values(), new Error('e', { cause: () => 1 }), new (class extends EventTarget {})()];
        return bad.map((value) => { try { structuredClone(value); return 'cloned'; } catch (e) { return e instanceof DOMException && e.name; } });
    """) == ["DataCloneError"] * 16


def test_structured_clone_of_blobs(lab):
    assert script(lab, """
        const blob = structuredClone(new Blob(['ab', 'c'], { type: 'text/x' })), file = structuredClone({ f: new File(['x'], 'n.txt', { lastModified: 5 }) }).f;
        return [blob instanceof Blob, blob instanceof File, blob.type, await blob.text(), file instanceof File, file.name, file.lastModified, await file.text()];
    """) == [True, False, "text/x", "abc", True, "n.txt", 5, "x"]


def test_structured_clone_in_python(lab):
    assert lab.value("""
        from js import structuredClone, Object, Uint8Array
        from pyodide.ffi import to_js
        made = to_js({"a": [1, {"b": None}]}, dict_converter=Object.fromEntries)
        view = Uint8Array.new([1, 2])
        moved = structuredClone(view, transfer=[view.buffer])
        try:
            structuredClone({"a": 1})
        except Exception as e:
            said = e.name + ": " + e.message
        return [structuredClone(made).to_py(), structuredClone("text"), list(moved.to_bytes()), view.length, said]
    """) == [{"a": [1, {"b": None}]}, "text", [1, 2], 0, "DataCloneError: A Python object could not be cloned. Convert it with to_js() before."]


# ---- atob, btoa and the small globals ----


def test_atob_and_btoa(lab):
    assert script(lab, """
        const bad = ['a', 'ab=', 'abcd=', '=', '====', 'ab==c', 'a-b_', 'ab\\u00e4d', 'YQ==='].map((text) => { try { return atob(text); } catch (e) { return e.name; } });
        const long = '\\u00ff'.repeat(100000);
        const beyond = (() => { try { return btoa('\\u0100'); } catch (e) { return [e.name, e.code]; } })();
        return [btoa('caf\\u00e9'), btoa(''), btoa(null), atob('Y2Fm6Q=='), atob(' Y2\\tFm\\n6Q '), atob('YQ'), atob('YR=='), atob(''), atob(btoa(long)) === long, bad, beyond];
    """) == ["Y2Fm6Q==", "", "bnVsbA==", "caf\u00e9", "caf\u00e9", "a", "a", "", True, ["InvalidCharacterError"] * 9, ["InvalidCharacterError", 5]]


def test_performance(lab):
    assert script(lab, """
        const a = performance.now(); await scheduler.wait(2); const b = performance.now();
        return [b - a >= 1, a > 0 && a < 1e6, Math.abs(performance.timeOrigin + b - Date.now()) < 5000, String(performance), performance instanceof EventTarget,
                Object.keys(performance.toJSON())];
    """) == [True, True, True, "[object Performance]", True, ["timeOrigin"]]


def test_navigator_and_self(lab):
    assert script(lab, """
        return [navigator.userAgent, String(navigator), self === globalThis, (() => { try { new Navigator(); } catch (e) { return e.message; } })()];
    """) == ["Cloudflare-Workers", "[object Navigator]", True, "Illegal constructor"]


def test_scheduler_wait(lab):
    assert script(lab, """
        const c = new AbortController(), got = [await scheduler.wait(1) === undefined];
        const waiting = scheduler.wait(1e6, { signal: c.signal });
        c.abort('enough');
        for (const p of [waiting, scheduler.wait(1, { signal: c.signal }), scheduler.wait(-1)]) try { await p; } catch (e) { got.push(String(e)); }
        return got;
    """) == [True, "enough", "enough", "TypeError: scheduler.wait: expected a number of milliseconds, 0 or more"]


def test_timers_have_a_limit(lab):
    assert script(lab, """
        const ids = [];
        try { for (;;) ids.push(setTimeout(() => 0, 1e6)); } catch (e) { return [ids.length > 90000 && ids.length <= 100000, e.name, e.code]; } finally { ids.forEach(clearTimeout); }
    """) == [True, "QuotaExceededError", 22]
    assert script(lab, "return await new Promise((resolve) => setTimeout(resolve, 0, 'still'));") == "still"


def test_timers_run_coroutines(lab):
    before = lab.mark()
    assert lab.value("""
        done = asyncio.Event()
        async def later(what):
            await asyncio.sleep(0)
            done.what = what
            done.set()
            raise ValueError("of a timer's coroutine")
        js.setTimeout(later, 0, "x")
        await done.wait()
        return done.what
    """) == "x"
    lab.wait_log("ValueError: of a timer's coroutine", since=before)


def test_a_worker_that_replaces_globals_breaks_itself_alone(corral):
    one = corral("""
import js
js.eval("for (const name of ['DOMException', 'Event', 'EventTarget', 'AbortSignal', 'Error', 'Map', 'Set', 'WeakRef', 'Promise', 'Uint8Array']) globalThis[name] = undefined")
async def on_fetch(request):
    c = js.AbortController.new()
    c.signal.onabort = lambda e: None
    c.abort()
    try:
        js.atob("?")
    except Exception as e:
        return js.Response.new(c.signal.reason.name + " " + e.name + " " + js.crypto.randomUUID()[14] + " " + js.structuredClone("x"))
""")
    assert one.get().text == "AbortError InvalidCharacterError 4 x"


# ---- WebAssembly ----

WASM = "0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b"    # exports add(i32, i32)


def test_webassembly_async(lab):
    assert script(lab, """
        const bytes = Uint8Array.fromHex('%s'), module = await WebAssembly.compile(bytes), made = await WebAssembly.instantiate(bytes.buffer), again = await WebAssembly.instantiate(module);
        const many = await Promise.all(Array.from({ length: 20 }, (_, i) => WebAssembly.instantiate(bytes).then(({ instance }) => instance.exports.add(i, 1))));
        const bad = await WebAssembly.compile(new Uint8Array([1, 2])).catch((e) => e.name);
        return [module instanceof WebAssembly.Module, made.instance.exports.add(2, 3), again.exports.add(4, 5), many[19], bad, WebAssembly.validate(bytes), new WebAssembly.Instance(made.module).exports.add(1, 1)];
    """ % WASM) == [True, 5, 9, 20, "CompileError", True, 2]


def test_webassembly_in_python(lab):
    assert lab.value("""
        from js import WebAssembly
        from pyodide.ffi import to_js
        made = await WebAssembly.instantiate(to_js(bytes.fromhex("%s")))
        return [made.instance.exports.add(20, 22), (await WebAssembly.instantiate(made.module)).exports.add(1, 2)]
    """ % WASM) == [42, 3]


@pytest.mark.rel
def test_webassembly_of_top_level_code(corral):
    """Begun before the fork, used in two instances after it."""
    one = corral("""
import os
import js
from pyodide.ffi import to_js
code = to_js(bytes.fromhex("%s"))
made, compiled = js.WebAssembly.instantiate(code), js.WebAssembly.compile(code)
at_once = js.WebAssembly.Instance.new(js.WebAssembly.Module.new(code))
async def on_fetch(request):
    module = await compiled
    values = [(await made).instance.exports.add(1, 2), (await js.WebAssembly.instantiate(module)).exports.add(3, 4), at_once.exports.add(5, 6)]
    return js.Response.new(repr(values) + " " + str(os.getpid()))
""" % WASM)
    pids = set()

    def look():
        text, pid = one.get().text.rsplit(" ", 1)
        assert text == "[3, 7, 11]"
        if pid not in pids:
            pids.add(pid)
            real, since = one.outer(int(pid)), one.mark()
            os.kill(real, signal.SIGKILL)
            one.wait_log(r"an instance of 'hello' \(process %d\) (was )?ended" % real, since=since)     # the node knows
        return len(pids) >= 2

    until("two instances have answered", look)
