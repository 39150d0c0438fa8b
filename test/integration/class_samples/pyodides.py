"""pyodide.http: pyfetch in its own words, and in threads' stead open_url."""
import json

from pyodide.ffi import JsException
from pyodide.http import AbortError, HttpStatusError, open_url, pyfetch
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        posted = await pyfetch("https://example.com/echo/x", method="POST", headers={"Content-Type": "application/json"}, body=json.dumps({"a": 1}))
        got = {"ok": posted.ok, "status": posted.status, "body": (await posted.json())["body"], "url": posted.url[-7:]}
        got["string"] = await (await pyfetch("https://example.com/page")).string()
        got["bytes"] = len(await (await pyfetch("https://example.com/page")).bytes())
        got["view"] = bytes(await (await pyfetch("https://example.com/page")).memoryview())[:3].decode()
        got["open_url"] = json.load(open_url("https://example.com/todos/4"))["id"]
        try:
            (await pyfetch("https://example.com/bad")).raise_for_status()
        except HttpStatusError as e:
            got["error"] = [e.status, e.status_text, isinstance(e, OSError)]
        try:
            await pyfetch("http://127.0.0.1:1/")
        except (AbortError, JsException) as e:
            got["nobody"] = "Connection refused" in str(e)
        return Response.json(got)
