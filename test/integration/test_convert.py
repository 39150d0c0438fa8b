"""to_js and to_py where Pyodide cannot be asked: numpy, LiteralMaps in the Web API, what is hostile or large.

What Pyodide does is in pyodide_cases/to_js.cases, to_py.cases, buffers_to_js.cases.
"""
import pytest

pytestmark = pytest.mark.asan
LAB_REQUIREMENTS = "numpy\n"


def test_numpy_arrays_become_typed_arrays(lab):
    assert lab.value("""
        import numpy as np
        from pyodide.ffi import to_js
        name = js.eval("(x) => x.constructor.name + ' ' + Array.from(x).join()")
        kinds = [name(to_js(np.array([1, 2], dtype=t))) for t in
                 ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")]
        return kinds
    """) == ["Int8Array 1,2", "Uint8Array 1,2", "Int16Array 1,2", "Uint16Array 1,2", "Int32Array 1,2", "Uint32Array 1,2",
             "BigInt64Array 1,2", "BigUint64Array 1,2", "Float32Array 1,2", "Float64Array 1,2"]


def test_numpy_arrays_of_other_shapes_orders_and_kinds(lab):
    assert lab.value("""
        import numpy as np
        from pyodide.ffi import ConversionError, to_js
        text = js.eval("(x) => JSON.stringify(x, (k, v) => ArrayBuffer.isView(v) ? [v.constructor.name, ...v].map(String) : v)")
        a = np.arange(6, dtype="int16")
        said = [text(to_js(x)) for x in (a.reshape(2, 3), a[::2], a[::-1], a.reshape(2, 3).T, np.asfortranarray(a.reshape(2, 3)),
                                         a.astype(">i2"), np.array([True, False]), np.array(5, dtype="int32"), a.reshape(1, 2, 3)[:, :, 1:])]
        refused = []
        for x in (np.array([1], dtype="float16"), np.array([1j]), np.array(["a"]), np.array([(1, 2)], dtype="i4,i4"), np.array([object()])):
            try:
                to_js(x)
            except ConversionError as e:
                refused.append("has no typed array" in str(e.__cause__))
        return said + [refused]
    """) == ['[["Int16Array","0","1","2"],["Int16Array","3","4","5"]]', '["Int16Array","0","2","4"]', '["Int16Array","5","4","3","2","1","0"]',
             '[["Int16Array","0","3"],["Int16Array","1","4"],["Int16Array","2","5"]]', '[["Int16Array","0","1","2"],["Int16Array","3","4","5"]]',
             '["Int16Array","0","1","2","3","4","5"]', "[true,false]", '["Int32Array","5"]', '[[["Int16Array","1","2"],["Int16Array","4","5"]]]',
             [True] * 5]


def test_numpy_scalars(lab):
    assert lab.value("""
        import numpy as np
        from pyodide.ffi import to_js
        kind, same = js.eval("(x) => typeof x + ' ' + x"), js.eval("(x) => x")
        return [kind(np.float64(1.5)), type(same(np.int64(5))).__name__, bool(same(np.int64(5)) == 5), to_js([np.float64(2)])[0],
                np.asarray(js.Float64Array.of(1, 2).to_py()).tolist(), np.frombuffer(js.Uint16Array.of(1, 2).to_bytes(), "uint16").tolist()]
    """) == ["number 1.5", "int64", True, 2, [1, 2], [1, 2]]


def test_literal_maps_in_the_web_api(lab):
    assert lab.value("""
        from pyodide.ffi import to_js
        options = to_js({"status": 201, "headers": {"a": "b"}})
        r = js.Response.new("b", options)
        js.console.log(options)
        return [js.Headers.new(to_js({"x": "y"})).get("x"), r.status, r.headers.get("a"), js.URLSearchParams.new(to_js({"q": "1"})).toString(),
                await js.Response.json(to_js({"a": [{"b": 1}]})).text()]
    """) == ["y", 201, "b", "q=1", '{"a":[{"b":1}]}']


def test_conversions_inside_of_conversions(lab):
    assert lab.value("""
        from pyodide.ffi import to_js
        text = js.eval("(x) => JSON.stringify(x)")
        inner_py = lambda: repr(js.eval("({x: [1, {y: 'text'}], z: 'more'})").to_py())
        inner_js = lambda: text(to_js({"k": [1, {"y": "text"}]}))
        object_of = js.eval("(f) => ({a: 1, get b() { return f() }, c: ['x', 2]})")
        class Odd(list):
            def __len__(self): return 2
            def __getitem__(self, i): return inner_js() if i else inner_py()
        return [object_of(inner_py).to_py(), object_of(inner_js).to_py(), text(to_js(["before", Odd(), {"after": 1}]))]
    """) == [{"a": 1, "b": "{'x': [1, {'y': 'text'}], 'z': 'more'}", "c": ["x", 2]}, {"a": 1, "b": '{"k":[1,{"y":"text"}]}', "c": ["x", 2]},
             '["before",["{\'x\': [1, {\'y\': \'text\'}], \'z\': \'more\'}","{\\"k\\":[1,{\\"y\\":\\"text\\"}]}"],{"after":1}]']


def test_run_sync_inside_of_to_js(lab):
    assert lab.value("""
        import asyncio
        from pyodide.ffi import run_sync, to_js
        text = js.eval("(x) => JSON.stringify(x)")
        class Odd(list):
            def __len__(self): return 1
            def __getitem__(self, i):
                run_sync(asyncio.sleep(0.001 * (5 - n.get())))
                return text(to_js([js.JSON.parse('{"deep": ["%d"]}' % n.get()).to_py()]))
        import contextvars
        n = contextvars.ContextVar("n")
        async def one(number):
            n.set(number)
            return text(to_js(["x%d" % number, Odd(), {"after": number}]))
        return await asyncio.gather(*(one(number) for number in range(5)))
    """) == ['["x%d",["[{\\"deep\\":[\\"%d\\"]}]"],{"after":%d}]' % (n, n, n) for n in range(5)]


def test_what_changes_while_it_is_converted(lab):
    assert lab.value("""
        from pyodide.ffi import ConversionError, to_js
        class OddList(list):
            def __getitem__(self, i):
                outer.clear()
                return 1
        class OddDict(dict):
            def items(self):
                outer.clear()
                outer["z"] = 1
                return [("a", 1)]
        said = []
        for make in (lambda: [[1, 2], OddList([1]), [3], [4]], lambda: {"x": OddDict(a=1), "y": [1]}):
            outer = make()
            try:
                to_js(outer)
            except ConversionError as e:
                said.append(type(e.__cause__).__name__)
        shrinking = js.eval("(() => { const a = [{get x() { a.length = 1; return 5 }}, 2, 3]; return a })()")
        return said + [shrinking.to_py()]
    """) == ["IndexError", "RuntimeError", [{"x": 5}, None, None]]


def test_what_is_too_large_or_too_deep(lab):
    assert lab.value("""
        from pyodide.ffi import ConversionError, JsException, to_js
        said = []
        for code in ("const a = []; a.length = 4294967295; a", "let x = []; for (let i = 0; i < 100000; i++) x = [x]; x",
                     "new Proxy([1], { get: (t, k) => k === 'length' ? 2 ** 31 + 0.5 : t[k] })", "new Proxy([1], { get: (t, k) => k === 'length' ? -1 : t[k] })"):
            try:
                js.eval(code).to_py()
            except JsException as e:
                said.append(e.name)
        x = []
        for _ in range(100_000):
            x = [x]
        try:
            to_js(x)
        except ConversionError as e:
            said.append(type(e.__cause__).__name__ in ("RecursionError", "JsException"))
        return said + [js.eval("new Proxy([1], { get: (t, k) => k === 'length' ? 'x' : t[k] })").to_py()]
    """) == ["RangeError"] * 4 + [True, []]


def test_large_structures(lab):
    assert lab.value("""
        from pyodide.ffi import to_js
        rows = [[str(i), i * 1.5, {"k": i, "long": "x" * (i % 3000)}] for i in range(20000)]
        objects = to_js(rows, dict_converter=js.Object.fromEntries)
        maps = js.eval("() => Array.from({length: 3000}, (_, i) => ({['k' + i % 700]: i}))")().to_py()
        shared = [[n] for n in range(3000)]
        twice = to_js(shared + shared)
        return [objects.to_py() == rows, to_js(rows).to_py() == rows, maps == [{f"k{i % 700}": i} for i in range(3000)],
                twice.to_py() == shared * 2, js.eval("(x) => x.every((one, i) => one === x[(i + 3000) % 6000])")(twice)]
    """) == [True] * 5


def test_nothing_of_the_language_that_a_worker_changes_matters(lab):
    assert lab.value("""
        from pyodide.ffi import to_js
        js.eval('''globalThis.was = [Map.prototype.set, Set.prototype.add, Array.prototype.push, Object.keys, Array.isArray];
            Map.prototype.set = Set.prototype.add = Array.prototype.push = Object.keys = Array.isArray = () => { throw new Error("patched") }''')
        try:
            got = [to_js({"a": [1, {2}]}).a[0], js.eval("({a: [1, new Map([[1, 2]].slice(2))], b: {c: 'x'}})").to_py()]
        finally:
            js.eval("[Map.prototype.set, Set.prototype.add, Array.prototype.push, Object.keys, Array.isArray] = was")
        return got
    """) == [1, {"a": [1, {}], "b": {"c": "x"}}]
