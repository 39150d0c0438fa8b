"""Debian's packages that want a whole event loop, in a worker: docs/compatibility.md names these tests."""
import os

import pytest

pytestmark = pytest.mark.asan
LAB_REQUIREMENTS = "anyio\nsniffio\nhttpx\nfastapi\naiohttp\nasync-timeout\n"


def test_anyio_groups_and_scopes(lab):
    assert lab.value("""
        import anyio, sniffio
        got = []
        turns = {1: anyio.Event(), 5: anyio.Event(), 9: anyio.Event(), None: anyio.Event()}
        turns[1].set()
        async def child(n):
            await anyio.sleep(n / 1000)
            await turns[n].wait()
            got.append(n)
            turns[{1: 5, 5: 9, 9: None}[n]].set()
        async with anyio.create_task_group() as group:
            for n in (9, 1, 5): group.start_soon(child, n)
        async def begin(n, *, task_status):
            task_status.started(n + 1)
            await anyio.sleep(60)
        async with anyio.create_task_group() as group:
            got.append(await group.start(begin, 1))
            group.cancel_scope.cancel()
        with anyio.move_on_after(0.005) as scope:
            await anyio.sleep(60)
        got.append(scope.cancel_called)
        try:
            with anyio.fail_after(0.005): await anyio.sleep(60)
        except TimeoutError:
            got.append("too long")
        async def bad(): raise ValueError("of the group")
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(bad)
                group.start_soon(anyio.sleep, 60)
        except ValueError as e:
            got.append(str(e))
        with anyio.CancelScope() as scope:
            scope.cancel()
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.001)
                got.append("shielded")
            await anyio.sleep(0)
            got.append("never")
        return got + [sniffio.current_async_library(), anyio.get_current_task().id == id(asyncio.current_task())]
    """) == [1, 5, 9, 2, True, "too long", "of the group", "shielded", "asyncio", True]


def test_anyio_streams_and_locks(lab):
    assert lab.value("""
        import anyio
        send, receive = anyio.create_memory_object_stream(2)
        async def produce():
            async with send:
                for n in range(5): await send.send(n)
        most = inside = 0
        two, limiter, event, lock, condition = anyio.Event(), anyio.CapacityLimiter(2), anyio.Event(), anyio.Lock(), anyio.Condition()
        async def one():
            nonlocal most, inside
            await event.wait()
            async with limiter, anyio.Semaphore(1):
                inside += 1
                most = max(most, inside)
                if inside == 2: two.set()
                await two.wait()
                await anyio.sleep(0.001)
                inside -= 1
        async with anyio.create_task_group() as group:
            group.start_soon(produce)
            for n in range(6): group.start_soon(one)
            event.set()
            async with receive, lock, condition:
                items = [n async for n in receive]
        return [items, most]
    """) == [[0, 1, 2, 3, 4], 2]


def test_anyio_threads(lab):
    code = """
        import anyio, anyio.from_thread, anyio.to_thread, threading
        async def inside(n):
            await anyio.sleep(0)
            return [n, threading.current_thread() is threading.main_thread()]
        def outside():
            return anyio.from_thread.run(inside, 5) + [anyio.from_thread.run_sync(threading.get_ident) == here]
        here = threading.get_ident()
        async with anyio.create_task_group() as group:
            for n in range(60): group.start_soon(anyio.to_thread.run_sync, time.sleep, 0.001)
        def own():
            async def main():
                await anyio.sleep(0)
                return "own loop"
            return anyio.run(main)
        async with await anyio.open_file(__file__) as file:
            line = await file.readline()
        with anyio.from_thread.start_blocking_portal() as portal:
            through = portal.call(inside, 6)
        return [await anyio.to_thread.run_sync(outside), await anyio.to_thread.run_sync(own), line[:6], through,
                await anyio.to_thread.run_sync(threading.get_ident) != here]
    """
    for n in range(3):
        assert lab.value(code) == [[5, True, True], "own loop", "import", [6, False], True]


def test_anyio_keeps_its_threads_between_requests(lab):
    seen, rounds = {}, max(6, 2 * os.cpu_count())     # so many that one instance has had two of them, also where the machine is busy
    for n in range(rounds):
        pid, thread, tasks = lab.value("import anyio, threading\nthread = await anyio.to_thread.run_sync(threading.get_native_id)\n"
                                       "return [os.getpid(), thread, [t.get_name() for t in asyncio.all_tasks()]]")
        assert seen.setdefault(pid, thread) == thread and "anyio's threads" not in tasks
    assert len(seen) < rounds


def test_anyio_in_top_level_code(corral):
    source = ("import asyncio\nimport anyio\nfrom js import Response\n\nasync def prepare():\n    return await anyio.to_thread.run_sync(sum, [1, 2])\n\n"
              "prepared = asyncio.ensure_future(prepare())\n\nasync def on_fetch(request):\n"
              "    return Response.new(repr([await prepared, await anyio.to_thread.run_sync(sum, [3, 4])]))\n")
    one = corral({"src/entry.py": source, "requirements.txt": "anyio\n"})
    assert one.get().text == "[3, 7]"


def test_anyio_says_what_it_cannot_have(lab):
    for code, says in (("await anyio.connect_tcp('127.0.0.1', 80)", "await fetch(url)"), ("await anyio.run_process('true')", "start processes"),
                       ("async def main(): pass\nanyio.run(main)", "write `await main()`")):
        answer = lab.run("import anyio\n" + code)
        assert answer.status == 500 and says in answer.text, (code, answer.text)


APP = """
async def app(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"): break
    await send({"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"b")]})
    await send({"type": "http.response.body", "body": scope["path"].encode() + body})
"""


def test_httpx_without_a_network(lab):
    assert lab.value("import httpx" + APP + """
async def handler(request): return httpx.Response(200, json={"method": request.method, "agent": request.headers["user-agent"][:12]})
async with httpx.AsyncClient(app=app, base_url="http://in.process") as client:
    answers = await asyncio.gather(*[client.post(f"/p{n}", content=b"xyz") for n in range(3)])
async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
    mocked = (await client.get("http://mocked/")).json()
with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, text=str(request.url)))) as client:
    plain = client.get("http://mocked/x").text
return [[a.text for a in answers], answers[0].status_code, answers[0].headers["x-a"], mocked, plain]
""") == [["/p0xyz", "/p1xyz", "/p2xyz"], 201, "b", {"method": "GET", "agent": "python-httpx"}, "http://mocked/x"]


def test_starlette_and_fastapi(lab):
    assert lab.value("""
        import httpx, threading
        from fastapi import Depends, FastAPI
        from starlette.applications import Starlette
        from starlette.background import BackgroundTask
        from starlette.middleware.base import BaseHTTPMiddleware
        from starlette.responses import StreamingResponse
        from starlette.routing import Route
        from starlette.testclient import TestClient
        got, api = [], FastAPI()
        def dependency():
            yield "dependency"
        @api.get("/sync/{n}")
        def sync(n: int, d=Depends(dependency)):
            return [n, d, threading.current_thread() is threading.main_thread()]
        @api.get("/async")
        async def not_sync():
            await asyncio.sleep(0)
            return 1
        async def stream(request):
            def pieces():
                yield from "abc"
            return StreamingResponse(pieces(), background=BackgroundTask(got.append, "afterwards"))
        class Middleware(BaseHTTPMiddleware):
            async def dispatch(self, request, call_next):
                response = await call_next(request)
                response.headers["x-m"] = "1"
                return response
        app = Starlette(routes=[Route("/", stream)])
        app.add_middleware(Middleware)
        async with httpx.AsyncClient(app=api, base_url="http://t") as client:
            got += [(await client.get("/sync/5")).json(), (await client.get("/async")).json()]
        async with httpx.AsyncClient(app=app, base_url="http://t") as client:
            answer = await client.get("/")
        def tested():
            with TestClient(api) as client:
                return client.get("/sync/6").json()
        return got + [answer.text, answer.headers["x-m"], await asyncio.to_thread(tested)]
    """) == [[5, "dependency", False], 1, "afterwards", "abc", "1", [6, "dependency", False]]


def test_aiohttp_without_a_network(lab):
    assert lab.value("""
        import aiohttp, async_timeout
        from unittest import mock
        from aiohttp import web
        from aiohttp.test_utils import make_mocked_request
        async def handler(request): return web.json_response({"path": request.path})
        app = web.Application()
        app.router.add_get("/x", handler)
        answer = await handler(make_mocked_request("GET", "/x"))
        form = aiohttp.FormData()
        form.add_field("a", "b")
        reader = aiohttp.StreamReader(mock.Mock(_reading_paused=False), 2**16, loop=asyncio.get_running_loop())
        reader.feed_data(b"line\\n")
        reader.feed_eof()
        got = [answer.text, form().content_type, (await reader.readline()).decode(), len(aiohttp.CookieJar())]
        async with aiohttp.ClientSession() as session:
            got.append(session.closed)
        try:
            async with async_timeout.timeout(0.005): await asyncio.sleep(60)
        except asyncio.TimeoutError:
            got.append("too long")
        return got
    """) == ['{"path": "/x"}', "application/x-www-form-urlencoded", "line\n", 0, False, "too long"]
