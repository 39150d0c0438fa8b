"""Proxies, callbacks, promises and exceptions are let go: memory stays flat over tens of thousands of requests.

bench/lifetimes does the same with a million.  Here the least number of Python's blocks of memory in an
early window is compared with that in a late one, which shows one object lost per request."""
import re

from websocket_client import CLOSE, TEXT, Raw, frame

PATIENT = 60
BATCH = 50
WINDOW = 3000
ANSWER = re.compile(rb"\r\n\r\n(\d+) (\d+)\.")

SOURCE = """
import asyncio, gc, os, sys
import js
from js import Response
from pyodide.ffi import JsException, create_once_callable, create_proxy, destroy_proxies, to_js

ev = js.eval
same, call, later = ev("(x) => x"), ev("(f, ...a) => f(...a)"), ev("(x) => new Promise((r) => setTimeout(r, 0, x))")
throw, keep = ev("(x) => { throw x; }"), ev("(o) => { globalThis.kept = o; }")
LEAKS = %s
count, leaked = 0, []

class Thing:
    def method(self): return 1

async def proxies(request, ctx):
    o = js.Object.new()
    o.list = js.Array.new(1, 2, o)
    o.list.append(o)
    return [js.Map.new([["k", o]])["k"].list[0], o.list.as_py_json()[1], [x for x in o.list], o.object_keys().to_py()]

async def python_objects(request, ctx):
    thing = Thing()
    keep(thing)
    same([thing]), same({"a": thing}), to_js({"a": [thing, 2]}).to_py()
    thing.javascript = js.Object.new()
    thing.javascript.back = create_proxy(thing)
    thing.javascript.back.destroy()
    other = Thing()
    other.javascript = js.Object.new()
    other.javascript.back = create_once_callable(lambda: other and 1)
    call(other.javascript.back)

async def callbacks(request, ctx):
    thing, done = Thing(), asyncio.Event()
    js.setTimeout(lambda: (thing, done.set()), 0)
    js.JSON.parse("[1, 2]").map(lambda v, *_: (v, thing))
    await done.wait()

async def promises(request, ctx):
    async def child():
        await asyncio.sleep(0.002)
        return Thing()
    await js.Promise.all(to_js([child(), later(1)]))
    await js.Promise.resolve(1).then(lambda v: Thing()).finally_(lambda: None)
    ctx.waitUntil(child())

async def exceptions(request, ctx):
    def fail(*_): raise ValueError("of Python")
    for what in (lambda: throw(js.Error.new("of JavaScript")), lambda: call(fail)):
        try:
            what()
        except (JsException, ValueError) as e:
            str(e)
    for promise in (js.Promise.reject(js.Error.new("rejected")), js.Promise.resolve(1).then(fail)):
        try:
            await promise
        except (JsException, ValueError) as e:
            str(e)

async def created(request, ctx):
    thing, destroyed = Thing(), create_proxy(Thing())
    ev("(p) => { p.copy().destroy(); const c = p.copy(); return c.method === p.method }")(destroyed)
    destroyed.destroy()
    create_proxy(thing), create_proxy(lambda: thing), create_once_callable(lambda: thing)
    call(create_once_callable(lambda x: thing), 1)
    found = js.Array.new()
    to_js([thing, {"a": thing}], pyproxies=found)
    destroy_proxies(found)
    ev("(o) => { globalThis.last = o.method; return o.copy().method() }")(thing)
    ev("(f) => [f.bind(1, 2)(3), f.captureThis().call(4), f.callKwargs({a: 1}), f.callRelaxed(1)]")(lambda *a, **k: thing)

async def listeners(request, ctx):
    thing, target, done = Thing(), js.EventTarget.new(), asyncio.Event()
    listener = create_proxy(lambda event: thing)
    target.addEventListener("a", listener)
    target.dispatchEvent(js.Event.new("a"))
    target.removeEventListener("a", listener)
    listener.destroy()
    target.addEventListener("b", lambda event: thing)
    target.dispatchEvent(js.Event.new("b"))
    js.setTimeout(create_once_callable(done.set), 0)
    await done.wait()

async def buffers(request, ctx):
    data, fixed = bytearray(400), bytes(400)
    ev("(b) => { const v = b.getBuffer(); v.data[0] = 1; v.release() }")(data)
    ev("(b) => { globalThis.view = b.getBuffer('u16') }")(data)
    ev("(b) => b.getBuffer().data.length")(fixed)
    array = to_js(data)
    array.to_memoryview(), array.to_py(), array.assign(fixed), array.assign_to(data)

async def awaited(request, ctx):
    thing = Thing()
    async def child():
        await asyncio.sleep(0.002)
        return thing
    async def steps():
        yield thing
        yield thing
    await ev("async (p) => [await p, await p]")(child())
    await ev("async (f) => { f(); await f() }")(child)
    await ev("async (g) => { for await (const x of g) ; }")(steps())
    await ev("async (g) => { await g.next(); await g.return(1) }")(steps())

async def sequences(request, ctx):
    ev("(l) => [l.map((x) => x), l.splice(1, 1), l.push({}), JSON.stringify(l), l.asJsJson()[1]]")([Thing(), Thing(), {"a": [Thing()]}])
    ev("(g) => { g.next(); try { g.throw(new Error('x')) } catch {} }")(Thing() for _ in range(3))
    ev("(d) => [d.get('k'), d.items(), d.asJsJson().k, d.toJs()]")({"k": Thing(), "l": [1, Thing()]})

async def generators(request, ctx):
    list(ev("(function*() { yield 1; yield {}; })()"))
    [x async for x in ev("(async function*() { yield 1; yield {}; })()")]
    ev("(i) => [...i].length")(Thing() for _ in range(3))

KINDS = [proxies, python_objects, callbacks, promises, exceptions, generators, created, listeners, buffers, awaited, sequences]

async def on_fetch(request, env, ctx):
    global count
    count += 1
    await KINDS[count %% len(KINDS)](request, ctx)
    if LEAKS:
        leaked.append(js.Object.new())
    return Response.new("%%d %%d." %% (sys.getallocatedblocks(), os.getpid()))
"""


def ask(one, count):
    """[(blocks, pid)] of so many requests, sent in batches over one connection."""
    got = []
    with one.connect(PATIENT) as client:
        for _ in range(count // BATCH):
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * BATCH)
            data = b""
            while len(ANSWER.findall(data)) < BATCH:
                more = client.recv(1 << 16)
                assert more, data[-300:]
                data += more
            got += [(int(b), int(p)) for b, p in ANSWER.findall(data)]
    return got


def rss_mib(pid):
    with open("/proc/%d/statm" % pid) as f:
        return int(f.read().split()[1]) / 256


def measure(corral, leaks, windows):
    """How many blocks and how much of its memory an instance has gained from the first to the last of these windows."""
    one = corral(SOURCE % leaks, env={"CORRAL_TEST_INSTANCES": "1"})
    pid = ask(one, 3000)[-1][1]
    rss, blocks = [], []
    for _ in range(windows):
        answers = ask(one, WINDOW)
        assert {p for _, p in answers} == {pid}, "the instance did not live to the end"
        blocks.append(min(b for b, _ in answers))
        rss.append(rss_mib(one.outer(pid)))
    print(blocks, rss)
    lost = (windows - 1) * WINDOW      # if each request lost one
    return (blocks[-1] - blocks[0]) / lost, min(rss[windows // 2:]) / max(rss[:windows // 2])


def test_nothing_is_lost_in_thousands_of_requests(corral):
    blocks, growth = measure(corral, False, 4)
    assert blocks < 1 / 3 and growth < 1.05, (blocks, growth)


def test_one_proxy_lost_per_request_would_be_seen(corral):
    blocks, growth = measure(corral, True, 2)
    assert blocks > 2 / 3, (blocks, growth)


SOCKETS = """
import asyncio, gc, json, sys
import js
from js import Response, WebSocketPair
from pyodide.code import run_js
from pyodide.ffi import create_proxy
from workers import asgi

alive = [0]
ENOUGH = 15

class Held:
    def __init__(self): alive[0] += 1
    def __del__(self): alive[0] -= 1

async def app(scope, receive, send):
    held = Held()
    scope["held"] = held
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})

async def failing(scope, receive, send):
    held = Held()
    await receive()
    await send({"type": "websocket.accept", "headers": [(b"x-a", b"1\\n2")]})

def listeners():
    held = Held()
    client, server = WebSocketPair.new().object_values()
    server.accept()
    server.addEventListener("message", create_proxy(lambda event: held and server.send(event.data)))
    server.onclose = lambda event: held and server
    return Response.new(None, status=101, webSocket=client)

async def collect():
    # Old objects go when the whole heap of JavaScript is collected, that is, when what lives there has grown for a
    # while, and what ends with them ends when their block is swept: at leisure.
    for _ in range(60):
        run_js("globalThis.held ??= []; if (held.length > 1000000) held = []; for (let i = 0; i < 100000; i++) held.push({i, a: [i]}); 0")
        await asyncio.sleep(0)
    run_js("held = []; 0")
    for _ in range(500):
        gc.collect()
        if alive[0] < ENOUGH:
            break
        await asyncio.sleep(0.02)

async def on_fetch(request, env, ctx):
    if request.url.endswith("/alive"):
        await collect()
        return Response.new(str(alive[0]))
    if request.url.endswith("/listeners"):
        return listeners()
    return await asgi.fetch(failing if request.url.endswith("/failing") else app, request, env, ctx)
"""
OPENED = 300


def one_socket(one, path):
    with Raw(one, path) as client:
        if "101" in client.head:
            client.send(frame(TEXT, b"hello"))
            assert client.next() == (TEXT, b"hello")
            client.send(frame(CLOSE, b"\x03\xe8"))
            assert client.close_code() == 1000


def test_sockets_are_let_go(corral):
    """A listener that holds its own socket is a circle through both languages: it is opened when the socket is over.  A few may
    stand on the stack, where the collector takes numbers for references."""
    one = corral(SOCKETS, env={"CORRAL_TEST_INSTANCES": "1"})
    for path in ("/asgi", "/listeners", "/failing"):
        for _ in range(OPENED):
            one_socket(one, path)
        alive = int(one.get("/alive", timeout=PATIENT).text)
        assert alive < OPENED // 20, (path, alive)
