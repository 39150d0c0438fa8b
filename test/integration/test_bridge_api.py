"""Values between Python and JavaScript, pyodide.ffi and workers: docs/compatibility.md names these tests."""
import pytest

from harness import WRANGLER

pytestmark = pytest.mark.asan


def raises(lab, code, kind, says=""):
    outcome = lab.outcome(code)
    assert outcome.get("error") == kind and says in outcome["text"], outcome


# ---- plain values ----


def test_plain_values_cross_unchanged(lab):
    assert lab.value("""
        same, kind = js.eval("(x) => x"), js.eval("(x) => typeof x")
        values = [True, False, 0, -5, 2**53 - 1, 2**70, -2**70, 1.5, "", "ä🐎", "a\\0b", None]
        crossed = all(same(v) == v and type(same(v)) is type(v) for v in values)
        return [crossed, [kind(v) for v in (None, True, 1, 2**53, 1.5, "s", len, object())]]
    """) == [True, ["undefined", "boolean", "number", "bigint", "number", "string", "function", "object"]]


def test_strings_of_every_length_and_width_cross_unchanged(lab):
    assert lab.value(r"""
        same, length = js.eval("(x) => x"), js.eval("(x) => x.length")
        bad = []
        for n in [*range(130), 1023, 1024, 1025, 100_003]:
            for odd in ("", "\0", "\xe9", "\u20ac", "\ud7ff", "\ue000", "\U0001f40e"):
                for at in {0, n // 2, n}:
                    text = "x" * at + odd + "y" * (n - at)
                    if same(text) != text or length(text) != len(text.encode("utf-16-le")) // 2:
                        bad.append((n, odd, at))
            for lone in ("\ud800", "\udfff"):
                text = js.eval("(n, c) => 'x'.repeat(n) + String.fromCharCode(c)")(n, ord(lone))
                if text != "x" * n + lone:
                    bad.append((n, lone))
        return repr(bad)
    """) == "[]"


def test_null_is_none_of_older_dates(lab):
    assert lab.value("return [js.JSON.parse('null') is None, js.eval('undefined') is None]") == [True, True]


@pytest.mark.parametrize("date", ['compatibility_date = "2025-09-29"\n', ""], ids=["2025-09-29", "no date"])
def test_null_is_jsnull_of_newer_dates(corral, date):
    one = corral({"src/entry.py": "import js\nfrom js import Response\nfrom pyodide.ffi import jsnull\n\ndef on_fetch(request):\n"
                                  "    null = js.JSON.parse('null')\n    words = [null is jsnull, bool(null), js.String(null), js.eval('undefined') is None]\n"
                                  "    return Response.new(repr(words))\n",
                  "wrangler.toml": WRANGLER.format(name="x").replace('compatibility_date = "2024-03-29"\n', date)})
    assert one.get().text == "[True, False, 'null', True]"


# ---- JsProxy ----


def test_proxy_attributes(lab):
    assert lab.value("""
        o = js.JSON.parse('{"a": 1, "from": 5, "n": null}')
        o.b = "x"
        o["c"] = 2
        del o.n
        return [o.a, o.from_, o.b, o["c"], "c" in o, "n" in o, hasattr(o, "missing"), getattr(o, "missing", 7), "a" in dir(o)]
    """) == [1, 5, "x", 2, True, False, False, 7, True]
    raises(lab, "js.JSON.parse('{}').missing", "AttributeError", "missing")
    raises(lab, "js.JSON.parse('{}')['missing']", "KeyError", "missing")


def test_proxy_calls_methods_and_keywords(lab):
    assert lab.value("""
        o = js.eval("({a: 1, f(x) { return this.a + x; }})")
        f = o.f
        return [o.f(2), f(3), js.eval("(...a) => JSON.stringify(a)")(1, x=2, y="z"), js.Date.new(0).getTime(), callable(o)]
    """) == [3, 4, '[1,{"x":2,"y":"z"}]', 0, False]


def test_proxy_of_an_array(lab):
    assert lab.value("""
        a = js.JSON.parse("[1, 2, [3]]")
        got = [len(a), a[0], a[-1][0], a[0:2].to_py(), 2 in a, [type(x).__name__ for x in a]]
        a[0] = 9
        del a[1]
        a.push(4)
        return got + [a.to_py(), bool(js.Array.new()), a.join("+")]
    """) == [3, 1, 3, [1, 2], True, ["int", "int", "JsProxy"], [9, [3], 4], False, "9+3+4"]
    raises(lab, "js.JSON.parse('[1]')[5]", "IndexError")


def test_proxy_of_an_array_is_a_list(lab):
    assert lab.value("""
        from collections.abc import MutableSequence
        a = js.JSON.parse("[1, 2]")
        a.append(3)
        a.extend(n for n in (4, 5))
        a.insert(0, 0)
        a.insert(-1, "x")
        a.insert(99, "end")
        got = [a.to_py(), a.pop(), a.pop(0), a.pop(-2)]
        a.remove(2)
        a.reverse()
        got += [a.to_py(), a.index(3), a.count(3), a.index(1, 2), list(reversed(a)), (a + [9]).to_py(), (a * 2).to_py()]
        b = a
        b += [7]
        a[1:2] = ["p", "q"]
        del a[0]
        a[::2] = [10, 20, 30]
        got += [a.to_py(), a[::-1].to_py(), a[1:3].to_py(), isinstance(a, MutableSequence), b == a]
        return got
    """) == [[0, 1, 2, 3, 4, "x", 5, "end"], "end", 0, "x", [5, 4, 3, 1], 2, 1, 3, [1, 3, 4, 5], [5, 4, 3, 1, 9], [5, 4, 3, 1] * 2,
             [10, "q", 20, 1, 30], [30, 1, 20, "q", 10], ["q", 20], True, True]
    for code, kind in (("a.pop(9)", "IndexError"), ("js.Array.new().pop()", "IndexError"), ("a.index(5)", "ValueError"), ("a.remove(5)", "ValueError"),
                       ("a[::2] = [1, 2, 3]", "ValueError"), ("a + 1", "TypeError")):
        raises(lab, "a = js.JSON.parse('[1, 2]')\n" + code, kind)


def test_proxy_of_a_map_is_a_dict(lab):
    assert lab.value("""
        from collections.abc import Mapping, MutableMapping
        m = js.Map.new([["a", 1], ["b", 2]])
        got = [list(m.keys()), list(m.items()), list(m.values()), m.get("a"), m.get("z"), m.get("z", 0), dict(m), {**m}]
        m.update({"c": 3}, d=4)
        m.update([("e", 5)])
        got += [m.pop("c"), m.pop("c", "gone"), m.setdefault("f", 6), m.setdefault("a", 9), m.popitem(), dict(m)]
        m.clear()
        p = js.eval("new class { get(k) { return k } get size() { return 1 } keys() { return ['k'].values() } [Symbol.iterator]() { return [['k', 'k']].values() } }")
        return got + [len(m), isinstance(m, MutableMapping), isinstance(p, Mapping), isinstance(p, MutableMapping), list(p.items())]
    """) == [["a", "b"], [["a", 1], ["b", 2]], [1, 2], 1, None, 0, {"a": 1, "b": 2}, {"a": 1, "b": 2},
             3, "gone", 6, 1, ["a", 1], {"b": 2, "d": 4, "e": 5, "f": 6}, 0, True, True, False, [["k", "k"]]]
    raises(lab, "js.Map.new().pop('k')", "KeyError", "k")


def test_objects_have_attributes_and_items(lab):
    assert lab.value("""
        data = await js.Response.new('{"title": "t", "tags": ["a", {"b": 1}], "items": 5, "none": null}').json()
        data["more"] = 1
        del data["none"]
        return [data["title"], data.title, "title" in data, "other" in data, data.items, data["tags"][1]["b"], data.tags[1].b, data.more,
                list(data.object_keys()), bool(js.Object.new()), data.to_py()["tags"]]
    """) == ["t", "t", True, False, 5, 1, 1, 1, ["title", "tags", "items", "more"], True, ["a", {"b": 1}]]
    raises(lab, "js.JSON.parse('{}')['title']", "KeyError", "title")
    answer = lab.run("for key in js.JSON.parse('{}'): pass")
    assert "is not iterable" in answer.text and "object_keys()" in answer.text and "to_py()" in answer.text, answer.text


def test_as_object_map_and_as_py_json(lab):
    assert lab.value("""
        from pyodide.ffi import JsMutableMap
        o = js.eval('({a: {b: [{c: 1}]}, __proto__: {inherited: 1}})')
        m, h, j = o.as_object_map(), o.as_object_map(hereditary=True), o.as_py_json()
        m["d"] = 2
        got = [list(m), len(m), dict(m)["d"], "inherited" in m, m.get("x", 9), o.d, m.pop("d"), isinstance(m, JsMutableMap),
               type(m["a"]) == type(o.a), list(h["a"].keys()), [dict(e) for e in j["a"]["b"]], j["a"]["b"][0]["c"],
               [e["x"] for e in js.eval("[{x: 2}, {x: 7}]").as_py_json()]]
        m.clear()
        return got + [len(o.object_keys())]
    """) == [["a", "d"], 2, 2, False, 9, 2, 2, True, True, ["b"], [{"c": 1}], 1, [2, 7], 0]


def test_proxy_of_a_map_and_a_set(lab):
    assert lab.value("""
        m, s = js.Map.new([["k", 1]]), js.Set.new([1, 2, 2])
        m["z"] = 2
        got = [m["k"], "k" in m, len(m), list(m), list(m.values()), dict(m.entries())]
        del m["k"]
        return got + [m.to_py(), 1 in s, len(s), list(s), bool(js.Set.new())]
    """) == [1, True, 2, ["k", "z"], [1, 2], {"k": 1, "z": 2}, {"z": 2}, True, 2, [1, 2], False]
    raises(lab, "js.Map.new()['k']", "KeyError", "k")


def test_proxy_iterates(lab):
    assert lab.value("""
        numbers = js.eval("(function*() { yield 1; yield 2; })()")
        later = js.eval("(async function*() { yield 3; yield 4; })()")
        return [list(numbers), next(js.eval("[5].values()")), [n async for n in later]]
    """) == [[1, 2], 5, [3, 4]]


def test_proxy_of_generators(lab):
    assert lab.value("""
        def end(call):
            try:
                return call()
            except StopIteration as e:
                return ["stopped", e.value]
        g = js.eval("(function*() { let x = yield 1; try { x = yield x + 1; } catch (e) { yield e.type; } return 'end'; })()")
        got = [next(g), g.send(5), g.throw(ValueError("v")), end(lambda: g.send(None))]
        h = js.eval("(function*() { try { yield 1; yield 2; } finally { globalThis.closed = true; } })()")
        next(h)
        h.close()
        a = js.eval("(async function*() { const x = yield 1; try { yield x; } catch (e) { yield e.type; } })()")
        got += [js.closed, list(h), await a.__anext__(), await a.asend(7), await a.athrow(KeyError)]
        await a.aclose()
        return got + [[x async for x in a]]
    """) == [1, 6, "ValueError", ["stopped", "end"], True, [], 1, 7, "KeyError", []]


def test_proxy_hashing_and_weak_references(lab):
    raises(lab, "hash(js.Object.new())", "TypeError", "unhashable")
    assert lab.value("""
        p, s = js.Promise.resolve(1), js.Symbol("q")
        return [hash(p) == hash(js.eval("(p) => p")(p)), len({p, p}), js.Object.new().to_weakref().constructor.name, s.description, str(s),
                js.eval("(s) => typeof s")(s), js.Object.new().bind_sig(int).typeof]
    """) == [True, 1, "WeakRef", "q", "Symbol(q)", "symbol", "object"]


def test_proxy_identity_and_text(lab):
    assert lab.value("""
        same = js.eval("(x) => x")
        o, other = js.Object.new(), js.Object.new()
        return [o == same(o), o == other, o.js_id == same(o).js_id, o.js_id == other.js_id, o.typeof, same.typeof, str(o),
                repr(js.JSON.parse("[1,2]")), str(js.Error.new("boom"))]
    """) == [True, False, True, False, "object", "function", "[object Object]", "1,2", "Error: boom"]


def test_proxy_object_keys_values_entries(lab):
    assert lab.value("""
        o = js.JSON.parse('{"a": 1, "b": 2}')
        return [o.object_keys().to_py(), o.object_values().to_py(), o.object_entries().to_py()]
    """) == [["a", "b"], [1, 2], [["a", 1], ["b", 2]]]


def test_proxy_buffers(lab):
    assert lab.value("""
        a = js.Uint8Array.new([49, 50, 51])
        view = a.to_memoryview()
        view[0] = 0
        got = [list(a.to_bytes()), list(a.subarray(1).to_bytes()), len(a), a.to_string(), list(a)]
        a.assign(b"987")
        return got + [a.to_string(), list(a.buffer.to_bytes())]
    """) == [[49, 50, 51], [50, 51], 3, "123", [49, 50, 51], "987", [57, 56, 55]]
    raises(lab, "js.Uint8Array.new(2).assign(b'abc')", "ValueError", "of length 3")


def test_proxy_buffers_and_files(lab):
    assert lab.value("""
        import io
        a, file, target = js.Uint8Array.new([1, 2, 3]), io.BytesIO(), bytearray(3)
        a.to_file(file)
        a.into_file(file)
        a.assign_to(target)
        a.from_file(io.BytesIO(b"xyz more"))
        return [list(file.getvalue()), list(target), a.to_string(), a[1:].constructor.name, list(a[1:]), list(a[::-1])]
    """) == [[1, 2, 3, 1, 2, 3], [1, 2, 3], "xyz", "Uint8Array", [121, 122], [122, 121, 120]]
    raises(lab, "import io\njs.Uint8Array.new(3).from_file(io.BytesIO(b'ab'))", "ValueError", "3 bytes")
    raises(lab, "js.Uint8Array.new(3).assign_to(bytearray(2))", "ValueError", "of length 3")
    raises(lab, "js.Uint8Array.new(3)[:] = [1]", "ValueError", "typed array")


def test_proxy_buffers_keep_their_items(lab):
    assert lab.value("""
        made = [("Int8Array", "b", -1), ("Uint8ClampedArray", "B", 1), ("Int16Array", "h", -2), ("Uint16Array", "H", 2),
                ("Int32Array", "i", -3), ("Uint32Array", "I", 3), ("Float32Array", "f", 0.5), ("Float64Array", "d", 1.5)]
        got = []
        for name, letter, item in made:
            view = getattr(js, name).new([item, item]).to_memoryview()
            got.append((view.format, view.tolist()) == (letter, [item, item]))
        return got + [js.Float64Array.new([2.5]).to_py().tolist(), js.BigInt64Array.new(1).to_memoryview().format]
    """) == [True] * 8 + [[2.5], "q"]


def test_to_py(lab):
    assert lab.value("""
        v = js.eval("({a: [1, {b: null}], m: new Map([[1, 2]]), s: new Set([3]), u: new Uint8Array([7, 8])})").to_py()
        loop = js.Object.new()
        loop.me = loop
        ring = loop.to_py()
        date = js.Date.new(0)
        return [v["a"], v["m"] == {1: 2}, v["s"] == {3}, list(v["u"]), ring["me"] is ring,
                type(js.JSON.parse('{"a": {}}').to_py(depth=1)["a"]).__name__, date.to_py() == date,
                js.Array.new(date).to_py(default_converter=lambda value, convert, cache: "a date")[:1]]
    """) == [[1, {"b": None}], True, True, [7, 8], True, "JsProxy", True, ["a date"]]


# ---- Python objects in JavaScript ----


def test_python_objects_in_javascript(lab):
    assert lab.value("""
        class P:
            x = 1
            def add(self, n): return self.x + n
            def __str__(self): return "a P"
        p, ev = P(), js.eval
        return [ev("(p) => p.x")(p), ev("(p) => p.add(4)")(p), ev("(p) => `${p}`")(p), ev("(p) => { p.x = 7; return p.y === undefined; }")(p),
                p.x, ev("(p) => p")(p) is p, ev("(l) => [...l].join() + l.length + l[1]")([1, 2, 3]), ev("(d) => d.get('a')")({"a": 1}),
                ev("[3, 1]").map(lambda v, *_: v * 2).to_py()]
    """) == [1, 5, "a P", True, 7, True, "1,2,332", 1, [6, 2]]


def test_python_functions_are_callbacks_without_a_proxy(lab):
    assert lab.value("""
        import gc
        got, done = [], asyncio.Event()
        js.setTimeout(lambda: (got.append("called"), done.set()), 5)
        gc.collect()
        await done.wait()
        return got
    """) == ["called"]


# ---- promises ----


def test_promises_and_coroutines_await_each_other(lab):
    assert lab.value("""
        async def later(v):
            await asyncio.sleep(0)
            return v
        task = asyncio.ensure_future(js.Promise.resolve(3))
        return [await js.eval("async (c) => (await c) + 1")(later(4)), await js.eval("(f) => f(1).then((x) => x + 1)")(later),
                await asyncio.gather(js.Promise.resolve("a"), later("b")), await asyncio.wait_for(js.Promise.resolve(2), 30), await task,
                (await js.Promise.all(js.Array.new(js.Promise.resolve(5), later(6)))).to_py()]
    """) == [5, 2, ["a", "b"], 2, 3, [5, 6]]


def test_promise_then_catch_finally(lab):
    assert lab.value("""
        got = []
        value = await js.Promise.resolve(1).then(lambda v: v + 1).finally_(lambda: got.append("end"))
        return [value, got, await js.Promise.reject(js.Error.new("no")).catch(lambda e: e.message)]
    """) == [2, ["end"], "no"]


def test_promise_that_comes_too_late(lab):
    outcome = lab.outcome("await asyncio.wait_for(js.Promise.new(lambda resolve, reject: None), 0.01)")
    assert outcome["error"] == "TimeoutError", outcome


# ---- errors ----


def test_js_exception_fields(lab):
    assert lab.value("""
        from pyodide.ffi import JsException
        try:
            js.eval("() => { throw new TypeError('bad'); }")()
        except JsException as e:
            return [e.name, e.message, str(e), isinstance(e.stack, str), e.js_error.message, isinstance(e, Exception)]
    """) == ["TypeError", "bad", "TypeError: bad", True, "bad", True]


def test_python_exceptions_pass_through_javascript(lab):
    assert lab.value("""
        def fail(): raise ValueError("mine")
        try:
            js.eval("(f) => f()")(fail)
        except ValueError as e:
            through = str(e)
        try:
            await js.eval("async (f) => await f()")(fail)
        except ValueError as e:
            awaited = str(e)
        seen = js.eval("(f) => { try { f(); } catch (e) { return `${e.name} ${e.type} ${e instanceof Error}`; } }")(fail)
        error = ValueError("the same")
        def fail_again(): raise error
        try:
            js.eval("(f) => { try { f() } catch (e) { throw e } }")(fail_again)
        except ValueError as e:
            same = e is error and e.__traceback__.tb_next is not None
        thrown = js.eval("new RangeError('mine too')")
        def throw(): raise thrown
        back = js.eval("(f, e) => { try { f() } catch (x) { return x === e } }")(throw, thrown)
        return [through, awaited, seen, same, back]
    """) == ["mine", "mine", "PythonError ValueError true", True, True]


def test_errors_carry_the_other_languages_traceback(lab):
    assert lab.value("""
        def inner(): return 1 / 0
        message = js.eval("(f) => { try { f() } catch (e) { return e.message } }")(inner)
        return message.startswith("Traceback (most recent call last)") and "in inner" in message and message.endswith("ZeroDivisionError: division by zero")
    """) is True
    answer = lab.run("js.eval('(function outer() { return function thrower() { null.x } })()')()\nreturn 1")
    assert answer.status == 500
    assert "JsException: TypeError: null is not an object" in answer.text and "JavaScript:\n    at thrower (" in answer.text, answer.text


def test_js_exception_is_constructed_and_raised(lab):
    assert lab.value("""
        import pickle
        from pyodide.ffi import JsException, JsProxy
        made, error = JsException("TypeError", "mine"), js.RangeError.new("theirs")
        said = []
        for e in (made, error):
            try:
                raise e
            except JsException as caught:
                said.append([str(caught), caught.name, caught.message, caught is e, caught.js_error == e, caught.constructor.name])
        caught = js.eval("(f) => { try { f() } catch (e) { return [e instanceof TypeError, e.message] } }")(
            lambda: (_ for _ in ()).throw(made)).to_py()
        other = pickle.loads(pickle.dumps(made))
        made.extra = 5
        return said + [caught, str(other), made.js_error.extra, isinstance(made, JsProxy), isinstance(made, Exception),
                       js.eval("(e) => e")(error) == error, error == made, str(JsException("Error")), repr(made)]
    """) == [["TypeError: mine", "TypeError", "mine", True, True, "TypeError"], ["RangeError: theirs", "RangeError", "theirs", True, True, "RangeError"],
             [True, "mine"], "TypeError: mine", 5, True, True, True, False, "Error", "TypeError: mine"]


def test_what_is_thrown_need_not_be_an_error(lab):
    assert lab.value("""
        from pyodide.ffi import JsException
        said = []
        for thrown in ("null", "undefined", "'text'", "7", "({a: 1})"):
            try:
                await js.eval("(x) => Promise.reject(x)")(js.eval(thrown)) if thrown != "null" else await js.eval("Promise.reject(null)")
            except JsException as e:
                said.append(str(e))
        return said
    """) == ["Error: null", "Error: undefined", "Error: text", "Error: 7", "Error: { a: 1 }"]


# ---- pyodide.ffi ----


def test_create_proxy(lab):
    assert lab.value("""
        from pyodide.ffi import create_once_callable, create_proxy, destroy_proxies
        class P: x = 1
        p, f = create_proxy(P()), create_proxy(lambda n: n + 1)
        same = js.eval("(a, b) => a === b")
        got = [same(p, p), p.x, js.eval("(f) => f(1)")(f), js.eval("(f) => f()")(create_once_callable(lambda: 5))]
        p.destroy()
        destroy_proxies(js.Array.of(f))
        return got
    """) == [True, 1, 2, 5]


def test_a_destroyed_proxy_raises(lab):
    assert lab.value("""
        from pyodide.ffi import JsException, create_once_callable, create_proxy, destroy_proxies
        class P: x = 1
        f, p, once, call = create_proxy(lambda: 1), create_proxy(P()), create_once_callable(lambda: 2), js.eval("(f) => f()")
        said = [call(f), p.x, call(once)]
        destroy_proxies(js.Array.of(f))
        p.destroy()
        for use in (f, lambda: call(f), lambda: p.x, lambda: setattr(p, "x", 2), lambda: str(p), lambda: call(once), once.destroy):
            try:
                said.append(use())
            except JsException as e:
                said.append(e.message)
        destroy_proxies(js.Array.of(f, p))
        return said + [js.eval("(p) => { try { p.x } catch (e) { return e.constructor === Error } }")(p)]
    """) == [1, 1, 2] + ['Object has already been destroyed\nThe object was of type "%s"' % kind
                         for kind in ("function", "function", "P", "P", "P")] + [
        "OnceProxy can only be called once", "OnceProxy has already been destroyed", True]


def test_destroy_lets_go_at_once_and_breaks_cycles(lab):
    assert lab.value("""
        import gc, weakref
        from pyodide.ffi import create_once_callable, create_proxy
        class Held: pass
        kept = js.eval("globalThis.kept = []")
        def hold(make):
            held = Held()
            proxy = make(lambda: held and 1)
            kept.push(proxy)
            held.javascript = kept
            return weakref.ref(held), proxy
        one, destroyed = hold(create_proxy)
        two, called = hold(create_once_callable)
        alive = [one() is not None, two() is not None]
        destroyed.destroy()
        called()
        gc.collect()
        return alive + [one(), two()]
    """) == [True, True, None, None]


def test_finalizers_run_python_outside_of_the_collector(lab):
    # A __del__ that uses JavaScript: inside JavaScript's collector it would end the process.
    assert lab.value("""
        import gc
        made, touched, waste = 0, [], js.eval("() => { const a = []; for (let i = 0; i < 50000; i++) a.push({ i }); return a.length; }")
        class Loud:
            def __del__(self):
                touched.append(js.JSON.parse("[1, 2]").length + len(js.Array.new(js.Object.new(), self.text)))
            def __init__(self): self.text = "x" * 10
        same = js.eval("(x) => x")
        for _ in range(200):
            for _ in range(20):
                made += 1
                same([Loud()])
            waste()
            await asyncio.sleep(0)
        gc.collect()
        return [made, len(touched) > 1000, set(touched) == {4}]
    """) == [4000, True, True]


def test_a_ring_of_an_exception_and_its_promise_is_broken(lab):
    assert lab.value("""
        import gc, weakref
        class Held: pass
        live = weakref.WeakSet()
        def fail(*_): raise ValueError("of Python")
        async def one():
            held = Held()
            live.add(held)
            promise = js.Promise.resolve(1).then(fail)
            try:
                await promise
            except ValueError as e:
                return str(e)
        for _ in range(500):
            await one()
        gc.collect()
        return len(live) < 100
    """) is True


def test_create_proxy_capture_this_and_roundtrip(lab):
    assert lab.value("""
        from pyodide.ffi import JsDoubleProxy, create_proxy
        o, same, x = js.eval("({n: 5})"), js.eval("(x) => x"), {}
        o.f = create_proxy(lambda this, a: this.n + a, capture_this=True)
        kept, plain = create_proxy(x), create_proxy(x, roundtrip=False)
        return [js.eval("(o) => o.f(1)")(o), isinstance(same(kept), JsDoubleProxy), kept.unwrap() is x, same(plain) is x, plain.unwrap() is x]
    """) == [6, True, True, True, True]


def test_to_js(lab):
    assert lab.value("""
        from pyodide.ffi import to_js
        ring = []
        ring.append(ring)
        return [js.JSON.stringify(to_js([1, (2.5, "a"), None, True])), to_js({"a": 1}).get("a"), to_js({1, 2}).size,
                to_js(b"ab").constructor.name, to_js(b"ab").to_string(), to_js("s"), to_js(ring)[0].length,
                js.JSON.stringify(to_js({"a": {"b": [1]}}, dict_converter=js.Object.fromEntries))]
    """) == ['[1,[2.5,"a"],null,true]', 1, 2, "Uint8Array", "ab", "s", 1, '{"a":{"b":[1]}}']


def test_to_js_options(lab):
    assert lab.value("""
        from pyodide.ffi import to_js
        class X: pass
        x, proxies = X(), js.Array.new()
        to_js([x], pyproxies=proxies)
        return [len(proxies), to_js([x])[0] is x, to_js([x], default_converter=lambda v, convert, cache: "converted")[0],
                to_js([(1,)], eager_converter=lambda v, convert, cache: "eager" if isinstance(v, tuple) else convert(v))[0],
                to_js([[1]], depth=1)[0] == [1]]
    """) == [1, True, "converted", "eager", True]
    raises(lab, "from pyodide.ffi import to_js\nto_js([object()], create_pyproxies=False)", "ConversionError", "No conversion known")


def test_proxy_kinds(lab):
    assert lab.value("""
        from pyodide import ffi
        made = {"JsArray": "[]", "JsMap": "new Map()", "JsBuffer": "new ArrayBuffer(1)", "JsTypedArray": "new Uint8Array(1)",
                "JsCallable": "() => 1", "JsPromise": "Promise.resolve(1)", "JsIterable": "[]", "JsIterator": "[].values()", "JsProxy": "({})",
                "JsMutableMap": "new URLSearchParams()" if hasattr(js, "URLSearchParams") else "new Map()",
                "JsGenerator": "(function*() {})()", "JsAsyncGenerator": "(async function*() {})()", "JsAsyncIterable": "(async function*() {})()",
                "JsAsyncIterator": "(async function*() {})()", "JsFetchResponse": "new Response()", "JsWeakRef": "new WeakRef({})"}
        wrong = [name for name, code in made.items() if not isinstance(js.eval(code), getattr(ffi, name))]
        plain = js.Object.new()
        return [wrong, [name for name in made if name != "JsProxy" and isinstance(plain, getattr(ffi, name))], isinstance({}, ffi.JsProxy),
                isinstance(ffi.create_proxy({}), ffi.JsDoubleProxy), isinstance(ffi.create_once_callable(print), (ffi.JsOnceCallable, ffi.JsCallableDoubleProxy)),
                issubclass(type(plain), ffi.JsProxy), issubclass(ffi.JsArray, ffi.JsProxy), all(hasattr(ffi, name) for name in ffi.__all__)]
    """) == [[], [], False, True, True, True, True, True]
    raises(lab, "from pyodide.ffi import JsArray\nJsArray()", "TypeError", "cannot be instantiated")


def test_js_big_int(lab):
    assert lab.value("""
        from pyodide.ffi import JsBigInt
        kind, n = js.eval("(x) => typeof x"), JsBigInt(5)
        return [kind(n), kind(5), kind(JsBigInt(2**80)), n + 1, repr(n), str(n), js.eval("5n") == 5, type(js.eval("5n")).__name__, js.eval("(x) => x === -(2n**80n)")(JsBigInt(-2**80))]
    """) == ["bigint", "number", "bigint", 6, "5", "5", True, "int", True]


def test_the_dialect_of_the_newest_flag(corral):
    one = corral({"src/entry.py": "import js\nfrom js import Response\nfrom pyodide.ffi import jsnull, to_js\n\ndef on_fetch(request):\n"
                                  "    words = [js.JSON.parse('null') is jsnull, type(js.eval('5n')).__name__, to_js({'a': 1}).constructor.name]\n"
                                  "    return Response.new(repr(words))\n",
                  "wrangler.toml": WRANGLER.format(name="x").replace('"python_workers"', '"python_workers", "python_workers_20260610"')})
    assert one.get().text == "[True, 'JsBigInt', 'Object']"


def test_register_js_module(lab):
    assert lab.value("""
        from pyodide.ffi import register_js_module, unregister_js_module
        register_js_module("from_javascript", js.eval("({a: 1, f: (x) => x + 1})"))
        import from_javascript
        from from_javascript import a, f
        from_javascript.b = 2
        got = [a, f(1), from_javascript.b]
        unregister_js_module("from_javascript")
        del sys.modules["from_javascript"]
        try:
            import from_javascript
        except ModuleNotFoundError as e:
            return got + [e.name]
    """) == [1, 2, 2, "from_javascript"]


# ---- js ----


def test_js_is_the_global_object(lab):
    assert lab.value("""
        from js import Map, globalThis as everything
        js.of_mine = 5
        got = [js.eval("of_mine"), js.globalThis.of_mine, everything.Map == Map, js == everything, "Response" in dir(js), hasattr(js, "Nothing")]
        from js import of_mine
        del js.of_mine
        return got + [of_mine, js.eval("typeof of_mine")]
    """) == [5, 5, True, True, True, False, 5, "undefined"]


def test_a_name_that_js_does_not_have(corral, lab):
    raises(lab, "from js import Respnse", "ImportError", "cannot import name 'Respnse' from 'js'")
    raises(lab, "js.Respnse", "AttributeError", "Respnse")
    assert "did you mean `Response`?" in lab.run("from js import Respnse").text
    assert "did you mean `Response`?" in lab.run("js.Respnse").text


# ---- workers ----


@pytest.mark.parametrize("body, sent, kind", [
    ("'text'", b"text", "text/plain;charset=UTF-8"), ("b'\\x00\\xff'", b"\x00\xff", None), ("None", b"", None),
    ("js.Response.new('of a stream').body", b"of a stream", None),
], ids=["text", "bytes", "None", "stream"])
def test_workers_response_body(lab, body, sent, kind):
    answer = lab.run("from workers import Response\nreturn Response(%s)" % body)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, sent, kind)


@pytest.mark.parametrize("headers", ["{'x-a': '1'}", "[('x-a', '1')]", "Headers.new([['x-a', '1']])"], ids=["dict", "pairs", "Headers"])
def test_workers_response_status_and_headers(lab, headers):
    answer = lab.run("from workers import Response\nreturn Response('x', status=201, status_text='Made', headers=%s)" % headers)
    assert (answer.status, answer.reason, answer.headers["x-a"]) == (201, "Made", "1")


@pytest.mark.parametrize("name", ["json", "from_json"])
def test_workers_response_json(lab, name):
    answer = lab.run("from workers import Response\nreturn Response.%s({'a': [1, None]}, status=202, headers={'x-a': '1'})" % name)
    assert (answer.status, answer.json(), answer.headers["x-a"]) == (202, {"a": [1, None]}, "1")
    assert answer.headers.get_all("content-type") == ["application/json"]


def test_workers_response_redirect(lab):
    answer = lab.run("from workers import Response\nreturn Response.redirect('https://example.com/', 307)")
    assert (answer.status, answer.headers["location"]) == (307, "https://example.com/")


def test_workers_response_read_back(lab):
    assert lab.value("""
        from workers import Response
        r = Response("read", status=203, headers={"x-a": "1"})
        return [r.status, r.headers.get("x-a"), await r.text(), js.Response == r.js_object.constructor]
    """) == [203, "1", "read", True]
