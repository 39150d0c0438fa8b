"""Small habits of many programs: feature tests, conversions just in case, names found at run time."""
import builtins
import json
import sys

import js
from js import JSON, Object, fetch as js_fetch
from pyodide.ffi import JsProxy, to_js as _to_js
from workers import Response, WorkerEntrypoint

try:
    from js import NoSuchThingAtAll
except ImportError:
    NoSuchThingAtAll = None


def to_js(value):
    return _to_js(value, dict_converter=Object.fromEntries)


def native(value):
    return value.to_py() if hasattr(value, "to_py") else value


def find(name):
    return globals().get(name) or getattr(builtins, name, None) or getattr(js, name, None)


class Default(WorkerEntrypoint):
    async def fetch(self, request, env):
        if str(request.method).upper() == "POST":
            raw = await request.text()
            update = json.loads(raw) if raw else {}
            message = update.get("message", {})
            token = getattr(env, "TELEGRAM_TOKEN", "") or "no token"
            answer = await js_fetch("https://example.com/echo/bot", JSON.parse(json.dumps({
                "method": "POST", "headers": {"Content-Type": "application/json"},
                "body": json.dumps({"chat_id": message.get("chat", {}).get("id"), "text": message.get("text", "").upper()})})))
            said = await answer.json()
            return Response(json.dumps([answer.status, json.loads(said.body), getattr(said.headers, "content-type"), token]))
        listed = await (await js_fetch("https://example.com/todos/2", to_js({"method": "GET", "headers": {"accept": "application/json"}}))).json()
        many = js.Array.of(*(to_js({"n": n}) for n in range(5)))
        scope = {}
        exec("output = sum(range(10))", scope)
        return Response.json({
            "class": NoSuchThingAtAll is None, "emscripten": "pyodide" in sys.modules, "native": native(listed), "native str": native("x"),
            "proxy": isinstance(listed, JsProxy), "find": [find("URL") is not None, find("nothing"), find("len") is len],
            "slice": [each.n for each in many[:2]] + [many[-1].n], "stringify": JSON.stringify(listed), "or": str(request.url or ""),
            "items": {name: value for name, value in listed.object_entries()}, "exec": scope.get("output"), "len": len(many),
            "sorted": sorted((each.n for each in many), reverse=True), "in": "title" in listed.object_keys(), "typeof": listed.typeof,
        }, headers={"Access-Control-Allow-Origin": "*"})
