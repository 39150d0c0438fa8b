"""HTTP clients of Python in whole applications: what waits for a slow server holds up nobody else.

docs/compatibility.md names these tests; the clients one by one are in test_clients.py.
"""
import http.server
import os
import threading

import pytest

from harness import DEADLINE, until
from origin import Origin


REQUIREMENTS = "httpx\nrequests\nfastapi\n"
API = """
    import asgi, asyncio, httpx, requests, threading
    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse
    app = FastAPI()
    SLOW, U = %r, %r

    @app.get("/async")
    async def in_async():
        return [requests.get(SLOW).text, threading.current_thread().name]

    @app.get("/def")
    def in_def():
        return [requests.get(SLOW).text, httpx.get(SLOW, timeout=None).text, threading.current_thread().name]

    @app.get("/thread")
    async def in_thread():
        return [await asyncio.to_thread(lambda: httpx.get(SLOW, timeout=None).text), ""]

    @app.get("/relay")
    async def relay():
        async def pieces():
            async with httpx.AsyncClient(timeout=None) as client, client.stream("GET", U + "/wait?after=head") as answer:
                async for piece in answer.aiter_raw():
                    yield piece
        return StreamingResponse(pieces())

    async def on_fetch(request, env):
        return await asgi.fetch(app, request, env)
"""


class SlowServer(http.server.ThreadingHTTPServer):
    """Answers nobody before so many have asked as `gather` says."""
    daemon_threads = True
    request_queue_size = 512

    def gather(self, count):
        self.barrier = threading.Barrier(count)


class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            self.server.barrier.wait(DEADLINE)
        except threading.BrokenBarrierError:
            return  # they came one after the other
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"slow")

    def log_message(self, *unused):
        pass


@pytest.fixture(scope="module")
def origin():
    one = Origin()
    yield one
    one.close()


@pytest.fixture(scope="module")
def api(shared_corral, origin):
    slow = SlowServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=slow.serve_forever, args=(0.05,), daemon=True).start()
    one = shared_corral({"requirements.txt": REQUIREMENTS, "src/entry.py": API % ("http://127.0.0.1:%d/" % slow.server_port, origin.url)})
    one.slow = slow
    yield one
    slow.shutdown()
    slow.server_close()


def test_clients_that_block_do_so_alone(api):
    """Twenty requests at once, each with a blocking one of a server that answers when all have asked; in `def` endpoints and threads, too."""
    api.slow.gather(1)
    api.get("/async")
    for path, count in (("/async", 20), ("/def", 20), ("/thread", min(6, os.cpu_count() + 4))):     # asyncio has so many threads
        answers = []
        api.slow.gather(count)
        threads = [threading.Thread(target=lambda: answers.append(api.get(path))) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [a.status for a in answers] == [200] * count, answers[0].text
        assert all(a.json()[0] == "slow" for a in answers)


def test_clients_of_a_stream_whose_client_has_left(api, origin):
    before = origin.cut
    connection = api.connection()
    connection.request("GET", "/relay")
    answer = connection.getresponse()
    assert answer.read(5) == b"begun"
    answer.close()
    connection.close()
    until("the relayed request was cut", lambda: origin.cut >= before + 1)


def test_clients_block_in_plain_handlers(corral, origin):
    one = corral({"requirements.txt": REQUIREMENTS, "src/entry.py": """
        import requests
        from workers import Response, WorkerEntrypoint

        class Default(WorkerEntrypoint):
            def fetch(self, request):
                return Response(requests.post(%r, data="of a plain handler").json()["body"])
    """ % origin.url})
    assert one.get().text == "of a plain handler"


def test_clients_that_ask_their_own_worker_come_to_an_end(corral):
    """As fetch() does: the rounds are counted."""
    one = corral({"requirements.txt": REQUIREMENTS, "src/entry.py": """
        import httpx, requests
        from js import Response

        async def on_fetch(request, env):
            try:
                if "blocking" in request.url:
                    return Response.new(requests.get(request.url).text)
                async with httpx.AsyncClient() as client:
                    return Response.new((await client.get(request.url)).text)
            except Exception as e:
                return Response.new(f"{type(e).__name__} {e}")
    """})
    assert "its own address 16 times in a row" in one.get("/").text
    assert "its own address 16 times in a row" in one.get("/blocking").text


def test_clients_at_top_level_say_what_to_do(corral):
    one = corral({"requirements.txt": REQUIREMENTS, "src/entry.py": """
        import httpx
        CONFIG = httpx.get("http://127.0.0.1:1/")
    """}, ready=False)
    one.wait_log("no HTTP request can be sent while the worker's module is loaded")
