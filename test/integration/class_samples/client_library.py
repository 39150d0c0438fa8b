"""A library that knows nothing of async, used from a handler: only its caller waits."""
import json
import time
from concurrent.futures import Future

from pyodide.ffi import can_run_sync, run_sync
from workers import Response, WorkerEntrypoint, fetch


class Session:
    def __init__(self, base):
        self.base, self.headers = base, {}

    def request(self, method, path, **kwargs):
        if not can_run_sync():
            raise RuntimeError("not from here")
        answer = run_sync(fetch(self.base + path, method=method, headers=self.headers, **kwargs))
        return answer.status, run_sync(answer.text())

    def get_json(self, path):
        status, text = self.request("GET", path)
        return json.loads(text)

    def __iter__(self):
        for number in (1, 2, 3):
            yield self.get_json(f"/todos/{number}")["id"]


class Default(WorkerEntrypoint):
    def fetch(self, request):
        session = Session("https://example.com")
        session.headers["X-Token"] = self.env.PASSWORD
        echoed = session.get_json("/echo/sync")
        before = time.monotonic()
        time.sleep(0.01)
        waited = time.monotonic() - before >= 0.01
        return Response.json({"ids": list(session), "sum": sum(session), "token": echoed["headers"]["x-token"], "waited": waited})
