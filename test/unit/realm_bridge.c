/* realm_bridge.c - src/realm/bridge: values cross between Python and JavaScript as in Pyodide. */
#include "realm_host.h"

#include "realm/js/engine.h"

#define PROLOGUE                                                                                   \
    "import js, asyncio\n"                                                                         \
    "from js import Response, Headers, Object, console\n"                                          \
    "from pyodide.ffi import create_proxy, to_js, JsProxy, JsException, JsArray\n"                 \
    "def raises(kind, f, text=''):\n"                                                              \
    "    try:\n"                                                                                   \
    "        f()\n"                                                                                \
    "    except kind as e:\n"                                                                      \
    "        assert text in str(e), f'{e!r} does not say {text}'\n"                                \
    "        return e\n"                                                                           \
    "    raise AssertionError(f'did not raise {kind} {text}')\n"                                   \
    "async def on_fetch(request, env):\n"                                                          \
    "    await check(request, env)\n"                                                              \
    "    return Response.new('ok')\n"                                                              \
    "async def check(request, env):\n"

static void expect_ok(void)
{
    const char *body = get("http://localhost/");

    if (strcmp(body, "ok") != 0)
        printf("  %s\n", body);
    CHECK(strcmp(body, "ok") == 0);
}

static void python(const char *lines)
{
    in_instance_of(&(struct worker_files){.entry = lines, .env = "{\"NAME\":\"v\",\"N\":{\"a\":[1]}}"},
                   expect_ok);
}

static void plain_values_cross(void)
{
    python(PROLOGUE
           "    same = js.eval('(x) => x')\n"
           "    for v in (True, False, 0, 1, -5, 2**53-2, 2**53, -2**60, 2**70, -2**70, 1.5, 'a', '', 'h\\xe9', '\\u20ac', '\\U0001f600', 'x' * 5000, 'a\\0b', None):\n"
           "        r = same(v)\n"
           "        assert r == v and type(r) is type(v), (v, r)\n"
           "    kind = js.eval('(x) => typeof x')\n"
           "    assert [kind(v) for v in (None, True, 1, 2**53, 1.5, 's', len, object())] == ['undefined', 'boolean', 'number', 'bigint', 'number', 'string', 'function', 'object']\n"
           "    assert js.eval('null') is None and js.eval('1e300') == 1e300 and js.eval('3.0') == 3 and type(js.eval('3.0')) is int\n"
           "    assert str(js.eval('NaN')) == 'nan' and js.eval('10n ** 30n') == 10**30 and same('\\ud800') == '\\ud800'\n");
}

static void items_without_a_length_leave_no_exception_behind(void)
{
    python(PROLOGUE
           "    class Items:\n        def __getitem__(self, i): raise IndexError\n"
           "    assert js.eval('(x) => x.length')(Items()) is None and js.eval('(x) => x.length')([1]) == 1\n");
}

static void proxies_of_javascript_objects(void)
{
    python(PROLOGUE
           "    o = js.eval('({a: 1, f(x) { return this.a + x; }, n: null, u: undefined, from: 5})')\n"
           "    assert o.a == 1 and o.f(2) == 3 and o.n is None and o.u is None and o.from_ == 5 and o['a'] == 1\n"
           "    raises(AttributeError, lambda: o.missing, 'missing'); assert getattr(o, 'missing', 7) == 7 and not hasattr(o, 'missing')\n"
           "    o.b = 'x'; o['c'] = 2; assert 'b' in o and 'zz' not in o and o.b == 'x' and o.c == 2\n"
           "    del o.b; del o['c']; assert 'b' not in o and 'c' not in o; raises(KeyError, lambda: o['nope'], 'nope')\n"
           "    f = o.f; assert f(1) == 2 and callable(f) and not callable(o) and o.typeof == 'object' and f.typeof == 'function'\n"
           "    a = js.eval('[1, 2, [3]]'); assert len(a) == 3 and a[0] == 1 and a[-1][0] == 3 and list(a)[:2] == [1, 2] and a[0:2].to_py() == [1, 2] and 2 in a\n"
           "    raises(IndexError, lambda: a[9]); a[0] = 9; assert a[0] == 9; del a[0]; assert len(a) == 2; a.push(4); assert a[-1] == 4\n"
           "    assert bool(o) and not js.eval('[]') and js.eval('[0]') and isinstance(a, JsArray) and isinstance(a, JsProxy)\n"
           "    assert o == js.eval('(x) => x')(o) and o != a and o.js_id == js.eval('(x) => x')(o).js_id and o.js_id != a.js_id\n"
           "    raises(TypeError, lambda: hash(o)); assert 'f' in dir(o) and 'to_py' in dir(o)\n"
           "    assert str(js.eval('[1,2]')) == '1,2' and repr(o) == '[object Object]' and str(js.Symbol('q')) == 'Symbol(q)'\n"
           "    m = js.Map.new([['k', 1]]); assert m['k'] == 1 and 'k' in m and len(m) == 1 and list(m) == ['k'] and m.get('k') == 1; m['z'] = 2; assert m.size == 2\n"
           "    assert [x for x in js.eval('(function*() { yield 1; yield 2; })()')] == [1, 2] and next(js.eval('[5].values()')) == 5\n"
           "    assert o.object_keys().to_py() == ['a', 'f', 'n', 'u', 'from'] and not hasattr(js, 'nothing_such')\n"
           "    try:\n        from js import Nothing\n    except ImportError: pass\n    else: raise AssertionError\n"
           "    import inspect; assert not inspect.isawaitable(o) and inspect.isawaitable(js.Promise.resolve(1))\n"
           "    raises(TypeError, lambda: len(o)); raises(TypeError, lambda: iter(o)); raises(TypeError, lambda: o())\n");
}

static void methods_are_bound_to_what_they_were_found_in(void)
{
    python(PROLOGUE
           "    C = js.eval('(class { constructor(n) { this.n = n; } f(a) { return this.n + a; } g() { return -this.n; } })')\n"
           "    a, b = C.new(1), C.new(10)\n"
           "    assert [(a.f(1), b.f(1), a.g(), b.f(2), a.f(2)) for _ in range(3)] == [(2, 11, -1, 12, 3)] * 3\n"
           "    first, second = a.f, a.f\n"
           "    assert first is not second and first(1) == second(1) == 2\n"
           "    del first, second\n"
           "    third = a.f\n"
           "    a.f = lambda x: x * 100\n"
           "    assert third(5) == 6 and a.f(5) == 500\n"
           "    orphan = js.eval('({n: 7, f(a) { return this.n + a; }})').f\n"
           "    assert orphan(1) == 8\n");
}

static void keywords_become_options(void)
{
    python(PROLOGUE
           "    r = Response.new('b', status=404, headers=Headers.new({'A': 'b', 'C': 'd'}.items()))\n"
           "    assert r.status == 404 and r.headers.get('a') == 'b' and list(map(list, r.headers)) == [['a', 'b'], ['c', 'd'], ['content-type', 'text/plain;charset=UTF-8']]\n"
           "    assert dict(r.headers)['a'] == 'b' and await r.text() == 'b'\n"
           "    assert js.eval('(...a) => JSON.stringify(a)')(1, x=2, y='z') == '[1,{\"x\":2,\"y\":\"z\"}]'\n"
           "    assert await Response.new({'message': 'ok'}).text() == \"{'message': 'ok'}\" and await Response.json({'a': 1}).text() == '{}' and await Response.json(None).text() == 'undefined'\n"
           "    assert await Response.new(b'\\x00\\xff').arrayBuffer() is not None and (await Response.new(bytearray(b'xy')).bytes()).to_bytes() == b'xy' and await Response.new(memoryview(b'mv')).text() == 'mv'\n"
           "    assert Headers.new({'a': 'b'}).get('A') == 'b' and Response.new('x', {'status': 201}).status == 201\n"
           "    raises(JsException, lambda: Response.new('x', status=1000), 'RangeError')\n"
           "    assert Headers.new(to_js({'p': 'q'}, dict_converter=Object.fromEntries)).get('p') == 'q' and Headers.new([['s', 't']]).get('s') == 't'\n");
}

static void proxies_of_python_objects(void)
{
    python(PROLOGUE
           "    class P:\n"
           "        x = 1\n"
           "        def __str__(self): return 'a P'\n"
           "        def add(self, n): return self.x + n\n"
           "    p = P(); ev = js.eval\n"
           "    assert ev('(p) => p.x')(p) == 1 and ev('(p) => p.add(4)')(p) == 5 and ev('(p) => String(p)')(p) == 'a P' and ev('(p) => `${p}`')(p) == 'a P'\n"
           "    assert ev('(p) => { p.x = 7; return \"x\" in p && !(\"y\" in p) && p.y === undefined; }')(p) and p.x == 7\n"
           "    assert ev('(p) => p')(p) is p and ev('(f) => f(3)')(lambda n: n * 2) == 6 and ev('(f) => typeof f')(print) == 'function'\n"
           "    assert ev('(l) => [...l].join() + l.length + l[1]')([1, 2, 3]) == '1,2,332' and ev('(d) => [...d].join()')({'a': 1}) == 'a'\n"
           "    assert ev('(f) => f.call(null, 2) + f.apply(null, [3])')(lambda n: n) == 5 and ev('(s) => [...s].length')({1, 2}) == 2\n"
           "    q = create_proxy(p); assert ev('(a, b) => a === b')(q, q) and q.x == 7; q.destroy()\n"
           "    order = []; js.eval('[3, 1]').forEach(lambda v, i, a: order.append((v, i))); assert order == [(3, 0), (1, 1)]\n"
           "    assert ev('[1,2,3]').map(lambda v, *_: v * 2).to_py() == [2, 4, 6]\n"
           "    import gc, weakref; w = weakref.ref(P); t = P(); r = weakref.ref(t); ev('(p) => 1')(t); del t\n");
}

static void promises_are_awaited_both_ways(void)
{
    python(PROLOGUE
           "    assert await js.Promise.resolve(5) == 5 and await js.eval('({ then(r) { r(6); } })') == 6\n"
           "    wait = js.eval('(ms, v) => new Promise((r) => setTimeout(() => r(v), ms))')\n"
           "    assert await asyncio.gather(wait(10, 'a'), wait(5, 'b')) == ['a', 'b'] and await asyncio.wait_for(wait(1, 1), 5) == 1\n"
           "    try: await asyncio.wait_for(wait(5000, 1), 0.01)\n    except asyncio.TimeoutError: pass\n    else: raise AssertionError\n"
           "    async def later(v): await asyncio.sleep(0.005); return v\n"
           "    assert await js.eval('async (c) => (await c) + 1')(later(4)) == 5\n"
           "    f = asyncio.get_running_loop().create_future(); asyncio.get_running_loop().call_later(0.001, f.set_result, 9); assert await js.eval('async (f) => await f')(f) == 9\n"
           "    assert await js.eval('(f) => f(1).then((x) => x + 1)')(create_proxy(later)) == 2\n"
           "    got = []\n    async for v in js.eval('(async function*() { yield 1; yield 2; })()'): got.append(v)\n    assert got == [1, 2]\n"
           "    done = []; js.Promise.resolve(3).then(lambda v: done.append(v)); await asyncio.sleep(0); await asyncio.sleep(0); assert done == [3]\n"
           "    t = asyncio.ensure_future(js.Promise.resolve(1)); assert await t == 1\n");
}

static void errors_cross_both_ways(void)
{
    python(PROLOGUE
           "    e = raises(JsException, js.eval('() => { throw new TypeError(\"bad\"); }'), 'TypeError: bad')\n"
           "    assert (e.name, e.message, str(e)) == ('TypeError', 'bad', 'TypeError: bad') and isinstance(e.stack, str) and isinstance(e, Exception) and e.js_error.message == 'bad'\n"
           "    assert JsException.__module__ == 'pyodide.ffi'\n"
           "    def fail(*_): raise ValueError('mine')\n"
           "    first = raises(ValueError, lambda: js.eval('(f) => f()')(fail), 'mine')\n"
           "    text = js.eval('(f) => { try { f(); } catch (e) { return e.name + \"|\" + e.type + \"|\" + (e instanceof Error) + \"|\" + e.message; } }')(fail)\n"
           "    assert text.startswith('PythonError|ValueError|true|Traceback (most recent call last):') and 'ValueError: mine' in text and 'src/entry.py' in text, text\n"
           "    for p, kind in ((js.Promise.reject('string'), JsException), (js.eval('(f) => Promise.resolve().then(f)')(fail), ValueError), (js.eval('async () => { null.x; }')(), JsException), (js.Promise.reject(None), JsException)):\n"
           "        try: await p\n"
           "        except kind as e: last = e\n"
           "        else: raise AssertionError\n"
           "    async def co(): raise KeyError('k')\n"
           "    try: await js.eval('async (c) => await c')(co())\n    except KeyError: pass\n    else: raise AssertionError\n"
           "    assert js.eval('async (c) => { try { await c; } catch (e) { return e.type; } }') is not None\n"
           "    e2 = raises(JsException, lambda: js.eval('(f) => f()')(lambda: js.eval('null.x'))); assert e2.name == 'TypeError'\n"
           "    assert js.eval('(f) => { try { f(); } catch (e) { return e instanceof RangeError; } }')(lambda: js.eval('(() => { throw new RangeError(1); })()')) is True\n"
           "    assert raises(JsException, lambda: js.JSON.parse('{')).name == 'SyntaxError'\n"
           "    def deep(n): return js.eval('(f, n) => f(n)')(deep, n + 1)\n    raises((RecursionError, JsException), lambda: deep(0))\n");
}

static void whole_structures_convert(void)
{
    python(PROLOGUE
           "    v = js.eval('({a: [1, {b: null}], m: new Map([[1, 2]]), s: new Set([3]), u: new Uint8Array([7, 8])})').to_py()\n"
           "    assert v['a'] == [1, {'b': None}] and v['m'] == {1: 2} and v['s'] == {3} and bytes(v['u']) == b'\\x07\\x08'\n"
           "    assert isinstance(js.eval('({a: {}})').to_py(depth=1)['a'], JsProxy); c = js.eval('(() => { const o = {}; o.o = o; return o; })()').to_py(); assert c['o'] is c\n"
           "    j = js.JSON.stringify(to_js({'a': [1, (2, 3)], 'n': None, 'd': {'x': True}}, dict_converter=Object.fromEntries)); assert j == '{\"a\":[1,[2,3]],\"d\":{\"x\":true}}', j\n"
           "    assert to_js({'a': 1}).get('a') == 1 and to_js({1, 2}).size == 2 and to_js(b'ab').to_bytes() == b'ab' and to_js([]).length == 0 and to_js('s') == 's'\n"
           "    l = []; l.append(l); assert to_js(l)[0].length == 1; b = to_js(b'1234'); b.assign(b'5678'); assert b.to_bytes() == b'5678' and bytes(b.to_memoryview()) == b'5678' and b.to_string() == '5678' and len(b) == 4\n"
           "    assert js.eval('new Uint8Array([1,2,3]).subarray(1)').to_bytes() == b'\\x02\\x03' and js.eval('new ArrayBuffer(2)').to_bytes() == b'\\0\\0'\n"
           "    assert Response.json(to_js({'a': 1}, dict_converter=Object.fromEntries)) is not None\n");
}

static void env_has_attributes(void)
{
    python(PROLOGUE
           "    assert env.NAME == 'v' and env.N.a[0] == 1; raises(AttributeError, lambda: env.MISSING, 'MISSING'); assert getattr(env, 'X', None) is None\n"
           "    import sys; assert sys.modules['js'].Response == Response and js.globalThis.Response == Response and js.eval('Response') == Response\n");
}

static void expect_null(void)
{
    CHECK(strcmp(get("http://x/"), "jsnull False True null") == 0);
}

static void null_is_jsnull_of_newer_dates(void)
{
    in_instance_of(&(struct worker_files){
                       .entry = "import js\nfrom js import Response\nfrom pyodide.ffi import jsnull\nasync def on_fetch(request):\n    n = js.eval('null')\n    return Response.new(f'{n} {bool(n)} {n is jsnull} {js.String(jsnull)}')\n",
                       .date = "2025-09-29"},
                   expect_null);
}

static void check_threads(void)
{
    CHECK(strcmp(get("http://x/"), "refused threads") == 0);
}

static void javascript_stays_on_the_main_thread(void)
{
    in_instance("import js, asyncio, threading, gc\nfrom js import Response\n"
                "async def on_fetch(request):\n"
                "    o = js.eval('({a: 1})'); box = [js.eval('({})')]\n"
                "    def work():\n"
                "        box.clear()\n"
                "        try: return str(o.a)\n"
                "        except RuntimeError: return 'refused'\n"
                "    r = await asyncio.get_running_loop().run_in_executor(None, work)\n"
                "    return Response.new(r + ' ' + await asyncio.to_thread(lambda: 'threads'))\n",
                check_threads);
}

static void check_finalizers(void)
{
    CHECK(strcmp(get("http://x/"), "ok") == 0);
    for (int i = 0; i < 40; i++)
        get("http://x/garbage");
    turn_for(50);
    CHECK(strncmp(get("http://x/count"), "few", 3) == 0);
}

static void collected_proxies_give_python_objects_back(void)
{
    in_instance("import js, weakref, gc\nfrom js import Response\nlive = weakref.WeakSet()\nclass T: pass\n"
                "async def on_fetch(request):\n"
                "    if request.url.endswith('garbage'):\n"
                "        f = js.eval('(x) => { for (let i = 0; i < 20000; i++) ({i}); return 1; }')\n"
                "        for _ in range(500):\n            t = T(); live.add(t); f(t) if _ % 50 == 0 else js.eval('(x) => 1')(t)\n"
                "    if request.url.endswith('count'):\n        gc.collect(); return Response.new('few' if len(live) < 15000 else f'many {len(live)}')\n"
                "    return Response.new('ok')\n",
                check_finalizers);
}

static void check_stack(void)
{
    JSStringRef code = JSStringCreateWithUTF8CString("globalThis.thrower = function thrower() {\n  null.x;\n}");
    JSStringRef name = JSStringCreateWithUTF8CString("worker.js");

    JSEvaluateScript(engine.context, code, NULL, name, 10, NULL);
    JSStringRelease(code);
    JSStringRelease(name);
    CHECK(strncmp(get("http://x/"), "\n    at thrower (worker.js:11:", 29) == 0);
    CHECK(strstr(get("http://x/raise"), "JsException: TypeError:") != NULL);
    CHECK(strstr(get("http://x/raise"), "\nJavaScript:\n    at thrower (worker.js:11:") != NULL);
}

static void exceptions_of_javascript_name_file_and_line(void)
{
    in_instance("import js\nfrom js import Response\nasync def on_fetch(request):\n"
                "    if request.url.endswith('raise'): js.thrower()\n"
                "    try: js.thrower()\n"
                "    except Exception as e: return Response.new(e.stack)\n",
                check_stack);
}

static void destroyed_proxies_are_safe_in_javascript(void)
{
    python(PROLOGUE
           "    class P:\n        x = 1\n        def __iter__(self): return iter([1])\n        def __call__(self): return 1\n        def __await__(self): yield\n"
           "    p = create_proxy(P()); p.destroy()\n"
           "    for code in ('p.x', 'p.x = 1', 'p()', '[...p]', 'String(p)', '`${p}`', 'p.type', 'p.copy()', 'p.toJs()', 'delete p.x', 'p.bind(1)', '\"x\" in p && p.x', 'JSON.stringify([p]) && p.x'):\n"
           "        raises(JsException, lambda: js.eval(f'(p) => {code}')(p), 'already been destroyed')\n"
           "    own = js.eval('(p) => { const l = []; for (let o = Object.getPrototypeOf(p); o !== Function.prototype; o = Object.getPrototypeOf(o)) for (const k of Reflect.ownKeys(o)) { const d = Object.getOwnPropertyDescriptor(o, k); if (k !== \"constructor\") l.push(d.value, d.get, d.set); } return l; }')(create_proxy(P()))\n"
           "    call = js.eval('(f, x) => { try { return f.call(x); } catch (e) { return e.name; } }')\n"
           "    for f in own:\n        for x in (None, 1, js.Object.new(), p):\n            if callable(f): call(f, x)\n"
           "    console.log(p); assert str(js.eval('(p) => p')(p).typeof) == 'function'\n");
}

static const struct test tests[] = {
    {"plain_values_cross", plain_values_cross},
    {"items_without_a_length_leave_no_exception_behind", items_without_a_length_leave_no_exception_behind},
    {"proxies_of_javascript_objects", proxies_of_javascript_objects},
    {"methods_are_bound_to_what_they_were_found_in", methods_are_bound_to_what_they_were_found_in},
    {"keywords_become_options", keywords_become_options},
    {"proxies_of_python_objects", proxies_of_python_objects},
    {"promises_are_awaited_both_ways", promises_are_awaited_both_ways},
    {"errors_cross_both_ways", errors_cross_both_ways},
    {"whole_structures_convert", whole_structures_convert},
    {"env_has_attributes", env_has_attributes},
    {"null_is_jsnull_of_newer_dates", null_is_jsnull_of_newer_dates},
    {"exceptions_of_javascript_name_file_and_line", exceptions_of_javascript_name_file_and_line},
    {"destroyed_proxies_are_safe_in_javascript", destroyed_proxies_are_safe_in_javascript},
    {"javascript_stays_on_the_main_thread", javascript_stays_on_the_main_thread},
    {"collected_proxies_give_python_objects_back", collected_proxies_give_python_objects_back},
    {0},
};

int main(int argc, char **argv)
{
    start_realm(argv);
    return test_main("realm_bridge", tests, argc, argv);
}
