"""pyodide.http.pyxhr - requests that block their caller, in the manner of `requests`; other requests go on meanwhile."""
import asyncio
import base64
import codecs
import inspect
import json
import re
import threading
from typing import Any, TypedDict
from urllib.parse import urlencode

import js
from corral.loop import loop

from ..ffi import JsException, run_sync, to_js
from ._exceptions import HttpStatusError, XHRError, XHRNetworkError


class XHRRequestParams(TypedDict, total=False):
    """The keywords of get(), post() and the others."""

    headers: dict[str, str]
    params: dict[str, Any]
    data: str | bytes
    json: dict[str, Any] | list[Any]
    auth: tuple[str, str] | list[str]


class _Answer:
    """What XHRResponse asks an XMLHttpRequest for, of an answer that is there."""

    def __init__(self, response, data, pairs):
        self.status, self.statusText, self.responseURL = response.status, response.statusText, response.url
        self.response = data
        self._pairs = pairs

    def getAllResponseHeaders(self):
        return "".join(f"{name}: {value}\r\n" for name, value in self._pairs)

    @property
    def responseText(self):
        """The text, in the charset that the server names; UTF-8 if it names none that is known."""
        named = re.search(r"charset\s*=\s*[\"']?([^\s;\"']+)", dict(self._pairs).get("content-type", ""), re.I)
        try:
            charset = codecs.lookup(named[1]).name if named else "utf-8"
        except LookupError:
            charset = "utf-8"
        return self.response.decode("utf-8-sig" if charset == "utf-8" else charset, "replace")


class XHRResponse:
    """An answer; `xhr` is an XMLHttpRequest that is done, or what looks like one."""

    def __init__(self, xhr: Any):
        self._xhr = xhr
        self._headers = None

    @property
    def status_code(self) -> int:
        """The status code."""
        return self._xhr.status

    @property
    def content(self) -> bytes:
        """The body."""
        data = getattr(self._xhr, "response", None)
        if data and not isinstance(data, str):
            try:
                return bytes(data)
            except (TypeError, ValueError):
                pass
        return self._xhr.responseText.encode()

    @property
    def text(self) -> str:
        """The body, read as UTF-8; raises UnicodeDecodeError if it is something else."""
        return self.content.decode()

    @property
    def headers(self) -> dict[str, str]:
        """The headers, names in lower case."""
        if self._headers is None:
            lines = (self._xhr.getAllResponseHeaders() or "").split("\r\n")
            pairs = (line.partition(":") for line in lines if ":" in line)
            self._headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return self._headers

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 399."""
        return 200 <= self.status_code < 400

    @property
    def url(self) -> str:
        """The URL that answered, after redirects."""
        return getattr(self._xhr, "responseURL", "")

    def json(self, **kwargs: Any) -> Any:
        """The body read by json.loads(), which gets the keywords."""
        return json.loads(self.text, **kwargs)

    def raise_for_status(self) -> None:
        """Raise HttpStatusError if the status is 400 to 599."""
        if 400 <= self.status_code < 600:
            raise HttpStatusError(self.status_code, self._xhr.statusText, self.url)


async def _fetch(url, options):
    if not js.URL.canParse(url):
        raise XHRError(f"XMLHttpRequest failed: {url!r} is no URL: it needs a scheme and a host, as https://example.com/")
    response = await js.fetch(url, to_js(options, dict_converter=js.Object.fromEntries))
    pairs = [(pair[0], pair[1]) for pair in response.headers.entries()]
    return _Answer(response, (await response.arrayBuffer()).to_bytes(), pairs)


def _wait(coroutine):
    """What it comes to; other threads than the event loop's have no run_sync(), nor JavaScript."""
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
    try:
        return run_sync(coroutine)
    except RuntimeError:
        if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
            coroutine.close()       # nobody may wait here
        raise


def send(method, url, headers=None, body=None):
    """An _Answer; raises XHRError for what is no URL, XHRNetworkError when there is no answer."""
    options = {"method": method, "headers": headers or {}}
    if body is not None and method not in ("GET", "HEAD"):
        options["body"] = body
    try:
        return _wait(_fetch(url, options))
    except JsException as e:
        raise XHRNetworkError(f"Network error for {method} {url}") from e


def _request(method, url, *, headers=None, params=None, data=None, json=None, auth=None):
    headers = {name: str(value) for name, value in (headers or {}).items()}
    if params:
        url += ("&" if "?" in url else "?") + urlencode(params)
    if auth and len(auth) == 2:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
    if json is not None:
        data = _dumps(json)
        headers["Content-Type"] = "application/json"
    if data is not None and not isinstance(data, (str, bytes, bytearray, memoryview)):
        raise TypeError(f"data must be str or bytes, not {type(data).__name__}: for a dict or a list use json=")
    return XHRResponse(send(method, url, headers, data))


_dumps = json.dumps


def _method(name):
    def request(url: str, **kwargs) -> XHRResponse:
        return _request(name, url, **kwargs)

    request.__name__ = request.__qualname__ = name.lower()
    request.__doc__ = (f"Send a {name} request and wait for the answer.\n\n"
                       "    The keywords are headers, params, data, json and auth; raises XHRError when there is no answer.\n    ")
    return request


get, post, put, delete, head, patch, options = map(_method, ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"))
__all__ = [
    "delete", "get", "head", "options", "patch", "post", "put", "XHRError", "XHRNetworkError", "XHRRequestParams", "XHRResponse",
]
