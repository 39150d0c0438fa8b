"""workers - Cloudflare's Python SDK: the base class of entrypoints, and Response."""
import json as _json

import js
from pyodide.ffi import JsProxy, to_js

from ._entrypoints import Context, DurableObject, WorkerEntrypoint, WorkflowEntrypoint, handler
from ._runtime import import_from_javascript, imported_env as _imported_env, patch_env, wait_until

waitUntil = wait_until


def __getattr__(name):
    if name == "env":
        return _imported_env()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Response:
    """A Response made of Python values; `js_object` is the JavaScript one."""

    def __init__(self, body=None, status=None, status_text="", headers=None, web_socket=None):
        options = {}
        if status is not None:
            options["status"] = int(status)
        if status_text:
            options["statusText"] = status_text
        if headers is not None:
            if not isinstance(headers, JsProxy):
                pairs = headers.items() if hasattr(headers, "items") else headers
                headers = js.Headers.new(to_js([[k, v] for k, v in pairs]))
            options["headers"] = headers
        self.js_object = js.Response.new(body, **options)

    @classmethod
    def _of(cls, js_object):
        response = cls.__new__(cls)
        response.js_object = js_object
        return response

    @classmethod
    def json(cls, data, status=None, status_text="", headers=None):
        response = cls(_json.dumps(data), status, status_text, headers)
        if response.js_object.headers.get("content-type") in (None, "text/plain;charset=UTF-8"):
            response.js_object.headers.set("content-type", "application/json")
        return response

    from_json = json

    @classmethod
    def redirect(cls, url, status=302):
        return cls._of(js.Response.redirect(url, int(status)))

    @property
    def status(self):
        return self.js_object.status

    @property
    def headers(self):
        return self.js_object.headers

    async def text(self):
        return await self.js_object.text()
