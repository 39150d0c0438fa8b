"""What users of Python on Cloudflare suffer from works here: a test for each complaint, by its name. docs/compatibility.md lists them."""
import os
import threading
from pathlib import Path

import pytest

from conftest import finish, start
from harness import DEADLINE
from origin import Origin

CONFIG = """\
name = "happy"
main = "src/entry.py"
compatibility_date = "%s"
compatibility_flags = ["python_workers"]
[vars]
WORD = "bound"
NESTED = { list = [1, { deep = true }], text = "ä" }
[[d1_databases]]
binding = "DB"
database_name = "happy"
database_id = "00000000-0000-0000-0000-000000000008"
"""
DATE = "2025-10-01"
PRELUDE = '''
import asyncio, json, os, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
import js
from js import Object
from pyodide.ffi import JsProxy, create_proxy, run_sync, to_js
from workers import Request, Response, WorkerEntrypoint, fetch, python_from_rpc, python_to_rpc
import workers
'''
# Each test's own route: the body of `async def NAME(request, env, ctx)`, whose value is the answer's JSON.
ENTRY = PRELUDE + '''
import routes

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        name, _, argument = request.url.split("/", 3)[3].partition("?")
        made = await getattr(routes, name)(request, self.env, self.ctx, argument)
        return made if isinstance(made, (Response, JsProxy)) else Response.json(made)
'''
ROUTES = PRELUDE + '''
import httpx, requests, urllib.request, urllib3
from fastapi import FastAPI, Request as FastRequest
from fastapi.responses import StreamingResponse
from workers import asgi

app = FastAPI()

@app.middleware("http")
async def through(request, call_next):
    return await call_next(request)

@app.get("/stream_app")
def stream_of_plain(n: int):
    def pieces():
        for i in range(n):
            yield b"%07d\\n" % i * 1000
    return StreamingResponse(pieces())

async def stream_app(request, env, ctx, argument):
    return await asgi.fetch(app, request, env, ctx)

async def clients(request, env, ctx, url):
    got = [requests.get(url).json()["headers"], json.loads(urllib3.PoolManager().request("GET", url).data)["headers"],
           json.loads(urllib.request.urlopen(url).read())["headers"], httpx.get(url, timeout=60).json()["headers"]]
    async with httpx.AsyncClient(headers={"User-Agent": "mine/1.0"}, timeout=60) as client:
        got.append((await client.get(url)).json()["headers"])
        got.append((await client.post(url, json={"a": 1}, headers={"User-Agent": "for this one"})).json()["headers"])
    return [dict(headers).get("user-agent") for headers in got]

async def pooled(request, env, ctx, url):
    with ThreadPoolExecutor(4) as pool:
        return [answer.status_code for answer in pool.map(requests.get, [url] * 10)]

local = threading.local()

async def concurrent(request, env, ctx, n):
    local.n = n
    def in_a_thread(i):
        time.sleep(0.001)
        return i + sum(range(1000)) - 499500 + run_sync(env.DB.prepare("SELECT ? AS n").bind(int(n)).first()).n - int(n)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(in_a_thread, i) for i in range(8)]
        got = await asyncio.gather(*map(asyncio.wrap_future, futures), asyncio.to_thread(in_a_thread, 8), asyncio.sleep(0.001, 9))
    row = await env.DB.prepare("SELECT ? AS n").bind(int(n)).first()
    return [sum(got), row.n, run_sync(asyncio.sleep(0.001, int(n)))]

async def new_threads(request, env, ctx, argument):
    done = []
    threads = [threading.Thread(target=lambda n=n: done.append(n)) for n in range(20)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    timer = threading.Timer(0.001, done.append, ["timer"])
    timer.start()
    timer.join()
    return [sorted(done[:-1]) == list(range(20)), done[-1], await asyncio.get_running_loop().run_in_executor(None, os.getpid) == os.getpid()]

async def big(request, env, ctx, url):
    taken = await (await fetch(url)).bytes()
    as_js = await (await js.fetch(url)).arrayBuffer()
    posted = await (await fetch(url.replace("/big", "/sink"), method="POST", body=taken)).text()
    one = len(as_js.to_bytes())
    blob = os.urandom(1_500_000)
    await env.DB.exec("CREATE TABLE IF NOT EXISTS blobs (data BLOB)")
    await env.DB.prepare("INSERT INTO blobs VALUES (?)").bind(blob).run()
    back = bytes((await env.DB.prepare("SELECT data FROM blobs ORDER BY rowid DESC").first()).data)
    return [len(taken), one, posted.split()[0], back == blob]

async def passed(request, env, ctx, url):
    return await fetch(url)

async def echoed(request, env, ctx, argument):
    return Response(await request.bytes())

async def proxies(request, env, ctx, url):
    db = env.DB
    await db.exec("CREATE TABLE IF NOT EXISTS p (id INTEGER, name TEXT)")
    await db.batch([db.prepare("DELETE FROM p"), db.prepare("INSERT INTO p VALUES (?, ?)").bind(1, "one"), db.prepare("INSERT INTO p VALUES (?, ?)").bind(2, None)])
    answer = await db.prepare("SELECT * FROM p ORDER BY id").all()
    rows = answer.results
    first = rows[0]
    plain = rows.to_py()
    sent = await (await fetch(url, method="POST", headers={"x-a": "b"}, body=json.dumps({"a": [1]}))).json()
    options = to_js({"method": "POST", "headers": {"x-a": "c"}, "body": "d"}, dict_converter=Object.fromEntries)
    raw = (await (await js.fetch(url, options)).json()).to_py()
    kwargs = (await (await js.fetch(url, method="PUT", headers={"x-a": "e"})).json()).to_py()
    body = await request.json()
    return {"attribute": first.name, "item": first["name"], "dict": dict(first.object_entries()), "plain": plain, "loop": [row.id for row in rows], "len": len(rows),
            "has": ["name" in first, hasattr(first, "nothing")], "nested": [env.NESTED.list[1].deep, env.NESTED["list"][0], env.NESTED.text],
            "sent": [sent["method"], dict(sent["headers"])["x-a"], sent["body"]], "raw": [raw["method"], dict(raw["headers"])["x-a"], raw["body"]],
            "kwargs": [kwargs["method"], dict(kwargs["headers"])["x-a"]], "body": [type(body).__name__, body["a"]["b"][0]],
            "rows": rows, "deep": {"rows": [first]}}

async def rpc(request, env, ctx, argument):
    back = python_from_rpc(python_to_rpc({"a": {"b": [1, None]}, "c": (x for x in ()).__class__.__name__}))
    got = python_from_rpc(js.Map.new([["k", js.Map.new([["deep", 1]])], ["l", js.Array.new(1, 2)]]))
    return [type(back).__name__, back["a"]["b"], back.a.b, python_to_rpc({"x": 1}).constructor.name, got["k"]["deep"], list(got["l"]), isinstance(got, dict)]

async def behind(request, env, ctx, word):
    async def work(seconds=0.03):
        await asyncio.sleep(seconds)
        found = await env.DB.prepare("SELECT ? AS word").bind(word).first()
        print("behind:", found.word, request.headers["x-word"], env.WORD, (lambda: request.url)()[-4:])
    def later(*_):
        print("timer:", word)
    proxy = create_proxy(work())
    ctx.waitUntil(proxy)
    js.setTimeout(create_proxy(later), 20)
    js.setTimeout(later, 20)
    ctx.waitUntil(js.Promise.resolve(1).then(lambda n: print("then:", word)))
    workers.wait_until(work())
    asyncio.create_task(work(0.01))  # Nothing waits for it: it has as long as those that are waited for.
    return "answered"

async def sockets(request, env, ctx, argument):
    import socket
    try:
        socket.create_connection(("127.0.0.1", 5432), 1)
    except OSError as e:
        return str(e) + " " + " ".join(getattr(e, "__notes__", ()))

async def modules(request, env, ctx, argument):
    import late_module
    from package.inner import text
    return [late_module.WORD, text(), (__import__("pathlib").Path(__file__).parent / "package" / "data.txt").read_text()]
'''
FILES = {
    "wrangler.toml": CONFIG % DATE, "src/entry.py": ENTRY, "src/routes.py": ROUTES, "requirements.txt": "fastapi\nhttpx\nrequests\nurllib3\n",
    "src/late_module.py": "WORD = 'late'\n", "src/package/__init__.py": "", "src/package/data.txt": "data", "src/package/inner.py": "from . import other\n\ndef text():\n    return other.WORD\n",
    "src/package/other.py": "WORD = 'relative'\n",
}


@pytest.fixture(scope="module")
def happy(shared_corral):
    return shared_corral(FILES)


@pytest.fixture(scope="module")
def origin():
    one = Origin()
    yield one
    one.close()


def ask(happy, path, **more):
    answer = happy.get(path, **more) if "method" not in more else happy.request(path=path, **more)
    assert answer.status == 200, answer.text
    return answer.json()


def together(function, count):
    answers = [None] * count
    def one(n):
        answers[n] = function(n)
    threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


# ---- packages ----


def test_packages_can_be_deployed(tmp_path):
    """With a line in requirements.txt, and nothing else on the machine: no uv, no node, no Pyodide."""
    empty = tmp_path / "bin"
    empty.mkdir()
    project = tmp_path / "project"
    project.mkdir()
    one = start(project, {"wrangler.toml": CONFIG % DATE, "requirements.txt": "fastapi\n", "src/entry.py": (
        "from fastapi import FastAPI\nfrom workers import asgi\napp = FastAPI()\n\n@app.get('/')\ndef index():\n    return 'deployed'\n\nDefault = asgi.entrypoint(app)\n")},
        env={"PATH": str(empty)})
    try:
        assert one.get().json() == "deployed"
    finally:
        finish(one)


def test_native_modules_and_drivers_load(corral, happy):
    """A wheel's own machine code, which Pyodide has only of what was built for it."""
    files = {"wrangler.toml": CONFIG % DATE, "src/entry.py": (
        "import markupsafe._speedups, yaml\nfrom workers import Response, WorkerEntrypoint\n\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
        "        return Response.json([str(markupsafe.escape('<')), markupsafe._speedups.__file__.rsplit('.', 1)[1], yaml.__with_libyaml__,\n"
        "            'python_modules' in markupsafe._speedups.__file__, yaml.load('[1]', yaml.CSafeLoader)])\n")}
    for name in ("markupsafe", "yaml"):
        for path in Path("/usr/lib/python3/dist-packages", name).iterdir():
            if path.suffix == ".py" or path.suffix == ".so" and "311" in path.name:
                files["python_modules/%s/%s" % (name, path.name)] = path.read_bytes()
    assert corral(files).get().json() == ["&lt;", "so", True, True, [1]]
    assert "fetch" in ask(happy, "/sockets")        # a driver's connection is refused, and says what there is


def test_own_modules_are_not_refused(happy):
    assert ask(happy, "/modules") == ["late", "relative", "data"]


def test_no_module_named_workers_never(corral):
    for date, body in ((DATE, "class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        return Response('there')\n"),
                       ("2026-05-01", "class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        return Response('there')\n"),
                       ("2024-03-29", "async def on_fetch(request):\n    return Response('there')\n")):
        one = corral({"wrangler.toml": CONFIG % date, "src/entry.py": "from workers import Response, WorkerEntrypoint, asgi, handler\nimport asgi\n" + body})
        assert one.get().text == "there"


def test_startup_has_no_cpu_limit_for_imports(corral):
    """FastAPI, hundreds of models, and more than a second of computing, as mcp and its like take."""
    one = corral({"wrangler.toml": CONFIG % DATE, "requirements.txt": "fastapi\nhttpx\njinja2\n", "src/entry.py": '''\
        import time
        begun = time.process_time()
        import fastapi, httpx, jinja2, typing
        from pydantic import BaseModel, create_model
        models = [create_model(f"Model{n}", **{f"field{i}": (typing.Optional[typing.Union[int, str, typing.List[float]]], None) for i in range(5)}) for n in range(300)]
        while time.process_time() - begun < 1.3:
            sum(range(10000))
        from workers import Response, WorkerEntrypoint

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return Response.json([len(models), models[7](field1="3").field1])
        '''})
    assert one.get().json() == [300, 3]


def test_requests_and_urllib3_import_and_work_and_user_agents_are_kept(happy, origin):
    agents = ask(happy, "/clients?" + origin.url + "/echo")
    assert [a.split("/")[0] for a in agents[:4]] == ["python-requests", "python-urllib3", "Python-urllib", "python-httpx"] and agents[4:] == ["mine/1.0", "for this one"]
    assert ask(happy, "/pooled?" + origin.url + "/echo") == [200] * 10


# ---- at run time ----


def test_no_gil_error_under_concurrency(happy):
    answers = together(lambda n: ask(happy, "/concurrent?%d" % n), 24)
    assert answers == [[45, n, n] for n in range(24)]


def test_new_threads_can_start(happy):
    assert ask(happy, "/new_threads") == [True, "timer", True]


def test_bodies_of_more_than_10_mb(happy, origin):
    size = 48 << 20
    assert ask(happy, "/big?%s/big?n=%d" % (origin.url, size), timeout=4 * DEADLINE) == [size, size, str(size), True]
    assert len(happy.get("/passed?%s/big?n=%d" % (origin.url, size), timeout=4 * DEADLINE).body) == size
    data = os.urandom(12 << 20)
    assert happy.request("POST", "/echoed", data).body == data


def test_streaming_responses_are_not_truncated(happy):
    line = "/stream_app?n=%d"
    for n in (1, 100, 4000):
        got = happy.get(line % n)
        assert got.body == b"".join(b"%07d\n" % i * 1000 for i in range(n))
    assert together(lambda n: len(happy.get(line % 500).body), 6) == [4_000_000] * 6


def test_values_of_javascript_are_what_one_expects(happy, origin):
    got = ask(happy, "/proxies?" + origin.url + "/echo", method="POST", body='{"a": {"b": [5]}}')
    rows = [{"id": 1, "name": "one"}, {"id": 2, "name": None}]
    assert got == {"attribute": "one", "item": "one", "dict": rows[0], "plain": rows, "loop": [1, 2], "len": 2, "has": [True, False], "nested": [True, 1, "ä"],
                   "sent": ["POST", "b", '{"a": [1]}'], "raw": ["POST", "c", "d"], "kwargs": ["PUT", "e"], "body": ["dict", 5], "rows": rows, "deep": {"rows": [rows[0]]}}, got


def test_rpc_gives_dicts_and_not_maps(happy):
    assert ask(happy, "/rpc") == ["JsDict", [1, None], [1, None], "Object", 1, [1, 2], True]


def test_nothing_is_destroyed_before_wait_until_ends(happy):
    before = happy.mark()
    assert ask(happy, "/behind?word", headers={"x-word": "sent"}) == "answered"
    for n in range(3):
        happy.wait_log(r"(behind: word sent bound word[^\0]*){%d}" % (n + 1), since=before)
    happy.wait_log("then: word", since=before)
    happy.wait_log(r"timer: word[^\0]*timer: word", since=before)
    assert "destroyed" not in "\n".join(happy.log_lines()[before:])
