"""workers.wsgi - WSGI applications (Flask, Django, Bottle ...) as workers, as in Cloudflare's SDK.

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return await wsgi.fetch(app, request, self.env)

Bindings are in environ["workers.env"].  An application runs on the event loop: what it waits for, it waits for with
run_sync(), so that other requests go on.  Its answer is sent as its iterable gives it, no faster than it is read.
"""
import asyncio
import io
import logging
import sys
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

from corral.libraries import is_plain

from ._serve import (NO_BODY, ClientDisconnected, Departure, Outlet, answer, check_wanted, fail, is_small, keep, pairs_of, parts_of,
                     said_length, split_url)
from ._values import JsException, unwrap

logger = logging.getLogger("wsgi")
_serial = None          # a lock of those who want to be alone


class _Input(io.RawIOBase):
    """wsgi.input over a stream of JavaScript: reads as much as the application asks for."""

    def __init__(self, stream, run_sync):
        self._reader, self._run_sync = stream.getReader(), run_sync
        self._rest = memoryview(b"")
        self._is_over = False

    def readable(self):
        return True

    def readinto(self, room):
        while not self._rest and not self._is_over:
            try:
                step = self._run_sync(self._reader.read())
            except JsException as e:
                self._is_over = True
                raise OSError(f"the request was cut off: {e.message}") from None
            if step.done:
                self._is_over = True
            else:
                self._rest = memoryview(step.value.to_bytes())
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self):
        if not self.closed and not self._is_over:
            self._is_over = True
            self._reader.cancel()
        super().close()


async def _input_of(js_request, has_body, pairs):
    """wsgi.input, and how long it is, or -1."""
    if not has_body:
        return io.BytesIO(b""), 0
    try:
        from pyodide.ffi import can_run_sync, run_sync
    except ImportError:
        can_run_sync = run_sync = None
    if not any(name == "content-length" and is_small(value) for name, value in pairs) and can_run_sync is not None and can_run_sync():
        return io.BufferedReader(_Input(js_request.body, run_sync), 65536), -1
    body = (await js_request.arrayBuffer()).to_bytes()
    return io.BytesIO(body), len(body)


def _native(data):
    """WSGI's strings: bytes as characters of Latin-1."""
    return (data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data).decode("latin-1")


def build_environ(req, env, body):
    """The environ of a request; body: bytes, or a file to read from."""
    js_request = unwrap(req)
    length = -1
    if isinstance(body, (bytes, bytearray)):
        body, length = io.BytesIO(body), len(body)
    method, url, version, _, lines = parts_of(js_request)
    return _environ(method, url, version, pairs_of(lines), env, body, length)


def _environ(method, url, version, pairs, env, body, length):
    scheme, host, port, path, query = split_url(url)
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _native(unquote_to_bytes(path)),
        "QUERY_STRING": _native(query),
        "RAW_URI": path + ("?" + query if query else ""),
        "REQUEST_URI": path + ("?" + query if query else ""),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/" + version,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "workers.env": env,
    }
    for name, value in pairs:
        if "_" in name:             # `X_A` would pass for `X-A`
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        value = _native(value)
        environ[key] = environ[key] + ("; " if name == "cookie" else ",") + value if key in environ else value
    if length > 0:
        environ.setdefault("CONTENT_LENGTH", str(length))
    address = environ.get("HTTP_CF_CONNECTING_IP")
    if address:
        environ["REMOTE_ADDR"] = address
    return environ


def _header_text(value):
    """A header of the application as text: Latin-1 stands for bytes, which leave as they are."""
    if value.isascii():
        return value
    return value.encode("latin-1").decode("utf-8", "surrogateescape")


class _Exchange:
    """One request and its answer."""

    def __init__(self, js_request):
        self._request = js_request
        self.response = asyncio.get_running_loop().create_future()      # a Response of JavaScript
        self._status, self._status_text = None, ""
        self._headers = []
        self._written = []
        self._outlet = self._departure = None

    def start_response(self, status, headers, exc_info=None):
        if exc_info is not None:
            try:
                if self.response.done():
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._status is not None:
            raise AssertionError("start_response() was called before: call it again with exc_info only")
        if not isinstance(status, str) or len(status) < 3 or not status[:3].isdigit():
            raise ValueError(f"start_response: status must be a str such as '200 OK', not {status!r}")
        for item in headers:
            if not isinstance(item, tuple) or len(item) != 2 or not all(isinstance(part, str) for part in item):
                raise TypeError(f"start_response: each header must be a tuple of two str, not {item!r}")
        self._headers = [(name, _header_text(value)) for name, value in headers]
        self._status, self._status_text = int(status[:3]), status[4:]
        return self._write

    def _write(self, data):
        self._written.append(_bytes(data))

    async def run(self, app, environ):
        result, body = None, environ["wsgi.input"]
        is_plain.set(True)      # in the task's own context
        try:
            result = app(environ, self.start_response)
            await self._send(result)
        except Exception as e:
            self._fail(e)
        except BaseException as e:
            self._fail(e)
            raise
        finally:
            if self._departure is not None:
                self._departure.forget()
            for one in (result, body):
                try:
                    if hasattr(one, "close"):
                        one.close()
                except Exception:
                    logger.exception("Exception while a WSGI response was closed")

    async def _send(self, result):
        if isinstance(result, (list, tuple)):
            self._whole(b"".join(map(_bytes, result)))
            return
        pieces = iter(result)
        first = next((piece for piece in map(_bytes, pieces) if piece), b"")
        length = said_length(self._headers)
        if not first or self._status in NO_BODY or 0 <= length <= len(first) + sum(map(len, self._written)):
            self._whole(first)
            return
        self._check()
        check_wanted(self.response)
        self._outlet = Outlet(length)
        self._departure = Departure(self._request, self._outlet.leave)
        self.response.set_result(answer(self._status, self._headers, self._outlet.stream, self._status_text))
        for piece in self._taken():
            await self._outlet.write(piece)
        await self._outlet.write(first)
        for piece in pieces:
            for written in self._taken():
                await self._outlet.write(written)
            await self._outlet.write(_bytes(piece))
            await asyncio.sleep(0)      # so that it leaves now
        for written in self._taken():
            await self._outlet.write(written)
        self._outlet.close()

    def _taken(self):
        written, self._written = self._written, []
        return written

    def _check(self):
        if self._status is None:
            raise RuntimeError("The WSGI application did not call start_response()")

    def _whole(self, body):
        self._check()
        check_wanted(self.response)
        self.response.set_result(answer(self._status, self._headers, b"".join(self._taken()) + body, self._status_text))

    def _fail(self, e):
        if not self.response.done():
            fail(self.response, e)
        elif self.response.cancelled() or isinstance(e, ClientDisconnected):
            logger.debug("The client of a WSGI application has gone")
        else:
            logger.error("Exception while streaming a WSGI response", exc_info=e)
            self._outlet.fail("the application failed")


def _bytes(piece):
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, (bytearray, memoryview)):
        return bytes(piece)
    raise TypeError(f"a WSGI application must give bytes, not {type(piece).__name__}")


async def fetch(app, req, env, ctx=None, *, serialize=False):
    """Answer a request by a WSGI application; a Response of JavaScript.

    req: a Request of `workers` or of JavaScript.  serialize: no two requests at once in such applications, until their
    answers have been made.  Raises what the application raises before its answer.
    """
    global _serial
    js_request = unwrap(req)
    try:
        method, url, version, has_body, lines = parts_of(js_request)
    except JsException:
        raise TypeError(f"wsgi.fetch(app, request, env): request is {type(req).__name__}, not the request that the handler was given") from None
    pairs = pairs_of(lines)
    body, length = await _input_of(js_request, has_body, pairs)
    environ = _environ(method, url, version, pairs, env, body, length)
    exchange = _Exchange(js_request)
    if serialize and _serial is None:
        _serial = asyncio.Lock()
    task = asyncio.get_running_loop().create_task(_alone(exchange.run, app, environ) if serialize else exchange.run(app, environ))
    try:
        return await exchange.response
    finally:
        if not task.done():
            keep(task, ctx)


async def _alone(run, app, environ):
    async with _serial:
        await run(app, environ)


def entrypoint(app, *, serialize=False):
    """A class Default that answers with a WSGI application: `Default = wsgi.entrypoint(app)`."""
    from . import WorkerEntrypoint

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return await fetch(app, request, self.env, getattr(self, "ctx", None), serialize=serialize)

    return Default
