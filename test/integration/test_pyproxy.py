"""PyProxy, Python objects in JavaScript: what no case of pyodide_cases/pyproxy_*.cases can ask Pyodide.

Some of it ends the whole of Pyodide there, some is better here, some is seen from outside."""
import pytest

pytestmark = pytest.mark.asan


def test_calls_that_promise(lab):
    assert lab.value("""
        def fail(): raise ValueError("in here")
        async def later(x):
            await asyncio.sleep(0)
            return x + 1
        f = lambda x, y=1: x + y
        got = [await js.eval("(f) => f.callPromising(4)")(f), await js.eval("(f) => f.callPromisingKwargs(4, {y: 2})")(f),
               await js.eval("(f) => f.callWithOptions({promising: true, kwargs: true}, 4, {y: 3})")(f),
               await js.eval("(f) => f.callWithOptions({promising: true, relaxed: true}, 4, 5, 6)")(f),
               await js.eval("(f) => f.callPromising(4)")(later)]
        try:
            await js.eval("(f) => f.callPromising()")(fail)
        except ValueError as e:
            got.append(str(e))
        return got
    """) == [5, 6, 7, 9, 5, "in here"]


def test_calls_that_promise_may_wait_and_hold_nobody(lab):
    assert lab.value("""
        from pyodide.ffi import run_sync
        log = []
        def f(x):
            log.append("in")
            run_sync(asyncio.sleep(0.01))
            log.append("out")
            return x
        got = await js.eval("async (f, log) => { const p = f.callPromising(7); log('after'); return await p }")(f, log.append)
        return [got, sorted(log[:2]), log[2:]]
    """) == [7, ["after", "in"], ["out"]]


def test_proxies_live_while_wait_until_runs(lab):
    assert lab.value("""
        import weakref
        class Thing: x = 5
        thing, done = Thing(), asyncio.get_running_loop().create_future()
        later = js.eval("(o, done) => new Promise((r) => setTimeout(r, 5)).then(() => done(o.x))")
        ctx.waitUntil(later(thing, done.set_result))
        del thing
        return await done
    """) == 5


def test_what_the_console_shows(lab):
    assert lab.value("""
        shown = js.eval("(o) => { const log = console.log; return `${o}` }")
        js.console.log([1, {"a": 2}], len, {1})
        p = js.eval("(o) => { const c = o.copy(); c.destroy(); return c }")
        return [shown([1]), shown({"a": 1})]
    """) == ["[1]", "{'a': 1}"]
    lab.wait_log(r"\[1, \{'a': 2\}\]")


def test_deep_structures_and_odd_uses_end_in_errors(lab):
    """Nothing here may crash the process: each comes to a value or an error."""
    assert lab.value(r"""
        ends = js.eval("(f) => { try { return typeof f() } catch (e) { return e.name } }")
        odd = js.eval('''(list, dict, call) => {
          const try_ = (f) => { try { const r = f(); if (r instanceof Promise) r.catch(() => 0); return 1 } catch (e) { return e instanceof Error ? 2 : 3 } };
          const every = Object.getPrototypeOf(list), results = [];
          for (const proxy of [list, dict, call])
            for (let o = Object.getPrototypeOf(proxy); o && o !== Object.prototype && o !== Function.prototype; o = Object.getPrototypeOf(o))
              for (const key of Reflect.ownKeys(o)) {
                const d = Object.getOwnPropertyDescriptor(o, key);
                for (const f of [d.value, d.get]) if (typeof f === 'function')
                  for (const self of [undefined, 1, {}, [], () => 1, new Proxy({}, {}), Object.create(list)])
                    for (const args of [[], [undefined], [{}, {}, {}], [-1, 1e300, NaN], [Symbol(), 1n]])
                      results.push(try_(() => Reflect.apply(f, self, args)));
              }
          return results.includes(3) || results.length < 100 ? results.length : 'fine';
        }''')
        nested = []
        nested.append(nested)
        return [odd([1], {"a": 1}, lambda: 1), ends(js.eval("(l) => () => JSON.stringify(l)")(nested)), ends(js.eval("(l) => () => l.toJs()[0]")(nested))]
    """)[0] == "fine"


def test_a_ring_with_created_proxies_ends_with_destroy(lab):
    assert lab.value("""
        import weakref
        from pyodide.ffi import create_proxy
        class Thing: pass
        thing = Thing()
        thing.object = js.Object.new()
        thing.object.back = create_proxy(thing)
        gone = weakref.ref(thing)
        thing.object.back.destroy()
        del thing
        return gone() is None
    """) is True
