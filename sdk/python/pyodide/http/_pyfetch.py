"""pyfetch() and its FetchResponse: fetch() of JavaScript with Python's types."""
import builtins
import json
from asyncio import CancelledError
from typing import IO, Any
from urllib.parse import urlsplit

import js
import pyodide

from ..ffi import JsException, JsProxy, to_js
from . import _archive
from ._exceptions import AbortError, BodyUsedError, HttpStatusError


def _reason(text):
    """What to abort with: the platform's own reason when nothing is said."""
    return None if text is None else JsException("AbortError", str(text))


def _abort(controller, cancelled):
    """The task that waited was cancelled."""
    if controller is not None:
        controller.abort(_reason("\n".join(map(str, cancelled.args)) if cancelled.args else None))


class FetchResponse:
    """A Response of JavaScript, `js_response`, with Python's types; pyfetch() makes them.

    Reading a body raises BodyUsedError when it was read before, and AbortError when the request was aborted or
    the body broke off.  A task that is cancelled while it reads aborts the request.
    """

    def __init__(self, request: "str | JsProxy", js_response: JsProxy, abort_controller: JsProxy | None = None,
                 abort_signal: JsProxy | None = None):
        self._request = request
        self.js_response = js_response
        self.abort_controller = abort_controller
        self.abort_signal = abort_signal

    @property
    def _url(self):
        return self._request if isinstance(self._request, str) else self._request.url

    @property
    def js_request(self) -> JsProxy | None:
        """The Request of JavaScript that was asked for; None of an empty URL."""
        if isinstance(self._request, str):
            return js.Request.new(self._request) if self._request else None
        return self._request

    @property
    def body_used(self) -> bool:
        """Whether the body was read; clone() first to read it twice."""
        return self.js_response.bodyUsed

    @property
    def headers(self) -> dict[str, str]:
        """The headers, names in lower case; of several `set-cookie` the last."""
        return js.Object.fromEntries(self.js_response.headers.entries()).to_py()

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return self.js_response.ok

    @property
    def redirected(self) -> bool:
        """Whether redirects were followed."""
        return self.js_response.redirected

    @property
    def status(self) -> int:
        """The status code."""
        return self.js_response.status

    @property
    def status_text(self) -> str:
        """What the server wrote behind the status code."""
        return self.js_response.statusText

    @property
    def type(self) -> str:
        """Which kind of Response: default or error."""
        return self.js_response.type

    @property
    def url(self) -> str:
        """The URL that answered, after redirects."""
        return self.js_response.url

    def raise_for_status(self) -> None:
        """Raise HttpStatusError if the status is 400 to 599."""
        if 400 <= self.status < 600:
            raise HttpStatusError(self.status, self.status_text, self.url)

    def clone(self) -> "FetchResponse":
        """A second one whose body can be read independently; raises BodyUsedError after reading."""
        if self.js_response.bodyUsed:
            raise BodyUsedError
        return FetchResponse(self._request, self.js_response.clone(), self.abort_controller, self.abort_signal)

    async def _read(self, method):
        signal = self.abort_signal
        if signal and signal.aborted:
            raise AbortError(signal.reason)
        if self.js_response.bodyUsed:
            raise BodyUsedError
        try:
            return await getattr(self.js_response, method)()
        except JsException as e:
            raise AbortError(signal.reason if signal and signal.aborted else e) from None
        except CancelledError as e:
            _abort(self.abort_controller, e)
            raise

    async def buffer(self) -> JsProxy:
        """The body as an ArrayBuffer of JavaScript."""
        return await self._read("arrayBuffer")

    async def text(self) -> str:
        """The body as text, read as UTF-8."""
        return await self._read("text")

    async def string(self) -> str:
        """The same as text(), by its older name."""
        return await self.text()

    async def json(self, **kwargs: Any) -> Any:
        """The body read by json.loads(), which gets the keywords."""
        return json.loads(await self.text(), **kwargs)

    async def memoryview(self) -> "builtins.memoryview":
        """The body as a memoryview."""
        return (await self.buffer()).to_memoryview()

    async def bytes(self) -> "builtins.bytes":
        """The body as bytes."""
        return (await self.buffer()).to_bytes()

    async def _into_file(self, f: IO) -> None:
        """Write the body to a file that is open for writing bytes."""
        (await self.buffer()).to_file(f)

    async def _create_file(self, path: str) -> None:
        """Write the body to a new file."""
        with open(path, "xb") as f:
            await self._into_file(f)

    async def unpack_archive(self, *, extract_dir: str | None = None, format: str | None = None) -> None:
        """Unpack the body, an archive, into a folder: the current one if not said.

        format: "zip", "whl", "tar", "gztar", "bztar", "xztar" or what shutil.register_unpack_format() knows; if not
        said, that of the URL's file name.  Raises ValueError for formats that are not known.
        """
        data = await self.bytes()
        _archive.unpack(data, urlsplit(self._url).path.rpartition("/")[2], format, extract_dir)

    def abort(self, reason: Any = None) -> None:
        """Abort the request: reading the body raises AbortError(reason).

        Raises ValueError when `abort_controller` is not set; that of pyfetch() is.
        """
        if self.abort_controller is None:
            raise ValueError("abort_controller is not set")
        self.abort_controller.abort(_reason(reason))


async def pyfetch(request: "str | JsProxy", /, *, signal: Any = None, fetcher: Any = None, **kwargs: Any) -> FetchResponse:
    """Ask a server: a URL, or a Request of JavaScript.

    signal: an AbortSignal that aborts the request.
    fetcher: what is called instead of fetch(), with the URL (from Pyodide 314 on: a Request) and the options.
    The other keywords are the options of fetch(): method, headers, body, redirect ...
    Raises AbortError, an OSError, when there is no answer; cancelling the task aborts the request.
    """
    controller = js.AbortController.new()
    signal = js.AbortSignal.any(to_js([signal, controller.signal])) if signal else controller.signal
    options = to_js({**kwargs, "signal": signal}, dict_converter=js.Object.fromEntries)
    try:
        if fetcher and isinstance(request, str) and pyodide.__version__.startswith("314"):
            request = js.Request.new(request, options)
        answer = await (fetcher or js.fetch)(request, options)
    except CancelledError as e:
        _abort(controller, e)
        raise
    except JsException as e:
        raise AbortError(e) from None
    return FetchResponse(request, answer, controller, signal)
