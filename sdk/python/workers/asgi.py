"""asgi - ASGI applications (FastAPI, Starlette, Django, Litestar ...) as workers, as in Cloudflare's SDK.

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return await asgi.fetch(app, request, self.env)

A request that asks for a WebSocket goes to the application as one: `@app.websocket` of FastAPI and Starlette, and what
else speaks ASGI.  Bindings are in scope["env"].  Bodies go both ways as they come and wait for who is slower; what the application still
does after its answer is kept alive as by ctx.waitUntil().  The lifespan is that of a request, as on Cloudflare.
"""
import asyncio
import functools
import logging
import weakref
from urllib.parse import unquote

from _corral import header_lines, ready_answer, request_parts
from corral.loop import loop
from ._serve import NO_BODY, ClientDisconnected, Departure, Outlet, answer, is_small, keep, pairs_of, parts_of, said_length, split_url, storable
from ._values import JsException, unwrap
from ._websocket import Socket

ASGI = {"version": "3.0", "spec_version": "2.4"}
PATIENCE_S = 1      # how long a lifespan that has said that it failed may take to raise why
logger = logging.getLogger("asgi")
_background = set()


def run_in_background(awaitable):
    """Run it beside the request; what it raises is logged.  A future."""
    future = asyncio.ensure_future(awaitable)
    _background.add(future)

    def ended(future):
        _background.discard(future)
        if not future.cancelled() and future.exception() is not None:
            logger.error("Unhandled exception in background task", exc_info=future.exception())

    future.add_done_callback(ended)
    return future


def _first(headers, wanted):
    return next((value for name, value in headers if name == wanted), None)


def request_to_scope(req, env, ws=False, state=None):
    """The scope of a request: ASGI's fields, and the bindings under "env"."""
    scope, _ = _scope(unwrap(req), env)
    if ws:
        _to_websocket(scope)
    if state is not None:
        scope["state"] = dict(state)
    return scope


def _to_websocket(scope):
    del scope["method"]
    scope["type"], scope["scheme"] = "websocket", scope["scheme"].replace("http", "ws", 1)
    scope["subprotocols"] = [word.strip() for name, value in scope["headers"] if name == b"sec-websocket-protocol"
                             for word in value.decode().split(",")]


def _parts(js_request):
    """What request_parts() gives of a request that came in, of any request; and the version of HTTP."""
    parts = request_parts(js_request)
    if parts is not None:
        return *parts, "1.1"
    method, url, version, has_body, lines = parts_of(js_request)
    scheme, host, port, path, query = split_url(url)
    headers = pairs_of(lines.encode("utf-8", "surrogateescape"))
    return method, scheme, (host, port), path, path.encode(), query.encode(), headers, _first(headers, b"cf-connecting-ip"), has_body, version


def _scope(js_request, env):
    """The scope, and whether there is a body."""
    method, scheme, server, path, raw_path, query, headers, client, has_body, version = _parts(js_request)
    return {
        "type": "http",
        "asgi": dict(ASGI),
        "http_version": version,
        "method": method,
        "scheme": scheme,
        "path": unquote(path) if "%" in path else path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": (client.decode(errors="replace"), 0) if client else None,
        "server": server,
        "extensions": {},
        "env": env,
    }, has_body


# Applications that know no lifespan are asked once.
_refused = weakref.WeakSet()


def _is_refused(app):
    try:
        return app in _refused
    except TypeError:
        return False


def _refuse(app):
    try:
        _refused.add(app)
    except TypeError:       # nothing that can be remembered
        pass


@functools.lru_cache(64)
def _is_from(kind, *modules):
    return kind.__module__ in modules


def _is_idle(app):
    """Whether it is one of Starlette's or FastAPI's own classes, in whose lifespan nothing would happen."""
    if not _is_from(type(app), "fastapi.applications", "starlette.applications"):
        return False
    router = getattr(app, "router", None)
    if not _is_from(type(router), "fastapi.routing", "starlette.routing"):
        return False
    has = vars(router)
    return ("lifespan" not in has and type(has.get("lifespan_context")).__name__ == "_DefaultLifespan"
            and not has.get("on_startup") and not has.get("on_shutdown")
            and (not app.user_middleware
                 or all(getattr(middleware, "cls", middleware).__module__.startswith("starlette.") for middleware in app.user_middleware)))


class _Lifespan:
    """The application's start and its end, around one request."""

    def __init__(self, app):
        self._app, self._failure = app, ""
        self._started, self._stopped, self._asked = loop.create_future(), loop.create_future(), asyncio.Event()
        self._count = 0
        self._task = None
        self.state = {}

    async def start(self):
        self._task = loop.create_task(self._run())
        if not await self._started and self._failure:
            await self._raise("startup")

    async def stop(self):
        if not self._started.result():
            return
        self._asked.set()
        await self._stopped
        if self._failure:
            await self._raise("shutdown")

    async def _raise(self, phase):
        await asyncio.wait({self._task}, timeout=PATIENCE_S)
        cause = self._task.exception() if self._task.done() and not self._task.cancelled() else None
        raise RuntimeError(self._failure) from cause

    async def _receive(self):
        self._count += 1
        if self._count == 1:
            return {"type": "lifespan.startup"}
        await self._asked.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message):
        what = message["type"]
        phase, _, outcome = what.removeprefix("lifespan.").partition(".")
        future = {"startup": self._started, "shutdown": self._stopped}.get(phase)
        if future is None or outcome not in ("complete", "failed"):
            raise RuntimeError(f"Unexpected lifespan event {what}")
        if future.done():
            return
        if outcome == "failed":
            self._failure = message.get("message") or f"ASGI lifespan {phase} failed"
        future.set_result(outcome == "complete")

    async def _run(self):
        try:
            await self._app({"type": "lifespan", "asgi": dict(ASGI), "state": self.state}, self._receive, self._send)
        except Exception as e:
            if self._failure:
                raise
            if not self._started.done():
                logger.debug("The ASGI application raised before reporting startup: taken as one without lifespan", exc_info=e)
                if not self._count:     # it did not even look
                    _refuse(self._app)
            else:
                logger.exception("Exception in the lifespan of the ASGI application")
        finally:
            for future in (self._started, self._stopped):
                if not future.done():
                    future.set_result(False)


class _Exchange:
    """One request and its answer."""

    is_settled = False                  # there is a response, or a failure
    response = failure = None           # a Response of JavaScript; why there is none
    _wanting = None                     # a future of who waits for that
    _is_disconnected = False            # the client has gone, or has all
    _over = None                        # a future of that, for who waits
    _reader = _reading = None           # and the task that reads
    _is_read = False
    _status = _lines = None             # its headers as header_lines() gives them, or else:
    _pairs = ()
    _outlet = _departure = None

    def __init__(self, js_request, has_body, headers):
        self._request, self._has_body, self._request_headers = js_request, has_body, headers

    async def settled(self):
        """Wait until there is a response or a failure."""
        self._wanting = loop.create_future()
        await self._wanting

    def _settle(self, response, failure=None):
        self.is_settled, self.response, self.failure = True, response, failure
        if self._wanting is not None and not self._wanting.done():
            self._wanting.set_result(None)

    @property
    def _is_unwanted(self):
        """Who waited for the response has been cancelled."""
        return self._wanting is not None and self._wanting.cancelled()

    def _end(self):
        self._is_disconnected = True
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _watch(self):
        """Hear of a client that goes."""
        if self._departure is None and not self._is_disconnected:
            self._departure = Departure(self._request, self._leave)

    def _leave(self):
        self._end()
        if self._outlet is not None:
            self._outlet.leave()

    # -- what the application receives --

    async def receive(self):
        while not self._is_read and not self._is_disconnected:
            if not self._has_body:
                self._is_read = True
                return {"type": "http.request", "body": b"", "more_body": False}
            reading = self._reading or self._read()
            try:
                body, has_more = await asyncio.shield(reading)      # who is impatient loses no piece
            except JsException:         # cut off on its way
                self._is_read = True
                self._end()
                break
            if self._reading is reading:        # or another receive() has had it
                self._reading = None
                self._is_read = not has_more
                return {"type": "http.request", "body": body, "more_body": has_more}
        self._watch()
        if not self._is_disconnected:
            self._over = self._over or loop.create_future()
            await asyncio.shield(self._over)
        return {"type": "http.disconnect"}

    def _read(self):
        self._reading = loop.create_task(self._next_piece())
        self._reading.add_done_callback(_look_at)
        return self._reading

    async def _next_piece(self):
        if self._reader is None:
            if is_small(_first(self._request_headers, b"content-length") or b"-"):
                return (await self._request.arrayBuffer()).to_bytes(), False
            self._reader = self._request.body.getReader()
        step = await self._reader.read()
        return (b"", False) if step.done else (step.value.to_bytes(), True)

    # -- what it sends --

    async def send(self, message):
        what = message["type"]
        if what == "http.response.start":
            self._start(message)
        elif what == "http.response.body":
            await self._body(message.get("body", b""), message.get("more_body", False))
        else:
            raise RuntimeError(f"Unexpected ASGI message {what!r}: http.response.start and http.response.body are known")

    def _start(self, message):
        if self._status is not None:
            raise RuntimeError("Unexpected ASGI message 'http.response.start': it was sent before")
        headers = message.get("headers", ())
        self._lines = header_lines(headers)
        if self._lines is None:
            self._pairs = [(_text(name), _text(value)) for name, value in headers]
        self._status = int(message["status"])
        if self._status not in NO_BODY and (self._lines is None or b"text/event-stream" in self._lines) and self._is_of_events():
            self._open()        # whoever listens wants to know that it may, perhaps long before the first event

    def _all_pairs(self):
        return self._pairs if self._lines is None else pairs_of(self._lines.decode("ascii"))

    def _is_of_events(self):
        return any(name.lower() == "content-type" and value.startswith("text/event-stream") for name, value in self._all_pairs())

    def _check_wanted(self):
        if self._is_unwanted:
            raise ClientDisconnected("nobody waits for the answer any more")

    def _open(self):
        self._check_wanted()
        pairs = self._all_pairs()
        self._outlet = Outlet(said_length(pairs), self._end)
        self._watch()
        if self._is_disconnected:
            self._outlet.leave()
        response = self._ready(self._outlet, self._outlet.length)
        self._settle(answer(self._status, pairs, self._outlet.stream) if response is None else response)

    def _ready(self, body, length=-1):
        """A Response that is made when somebody looks at it; None: this one cannot be."""
        return None if self._lines is None else ready_answer(self._status, self._lines, body, length)

    async def _body(self, body, has_more):
        if self._status is None:
            raise RuntimeError("Unexpected ASGI message 'http.response.body': 'http.response.start' goes before")
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise TypeError(f"http.response.body: body must be bytes, not {type(body).__name__}")
        if self._outlet is not None:
            await self._write(body, has_more)
        elif self.is_settled or self._is_unwanted:
            self._check_wanted()
            if self._status not in NO_BODY:
                raise RuntimeError("Unexpected ASGI message 'http.response.body': the response is complete")
        elif has_more and self._status not in NO_BODY:
            self._open()
            await self._write(body, True)
        else:
            whole = bytes(body)
            response = self._ready(whole)
            self._settle(answer(self._status, self._all_pairs(), whole) if response is None else response)
            self._end()

    async def _write(self, body, has_more):
        await self._outlet.write(body)
        if not has_more:
            self._outlet.close()
            self._end()

    # -- all of it --

    async def run(self, app, scope):
        try:
            await app(scope, self.receive, self.send)
            if not self.is_settled:
                raise RuntimeError("The application did not generate a response")
            if self._outlet is not None and not self._is_disconnected:
                raise RuntimeError("The application ended before its response was complete")
        except Exception as e:
            self._fail(e)
        except BaseException as e:
            self._fail(e)
            raise
        finally:
            self._end()
            if self._departure is not None:
                self._departure.forget()
            if self._reader is not None and not self._is_read:
                run_in_background(_give_up(self._reader))

    def _fail(self, e):
        if not self.is_settled and not self._is_unwanted:
            self._settle(None, storable(e))
            return
        if self._is_unwanted or (self._outlet is not None and self._outlet.is_gone):
            logger.debug("The client of an ASGI application has gone", exc_info=e)
            return
        logger.error("Exception in ASGI application after response started", exc_info=e)
        if self._outlet is not None:
            self._outlet.fail("the application failed")


def _look_at(task):
    """Perhaps nobody else does."""
    return task.cancelled() or task.exception()


async def _give_up(reader):
    try:
        await reader.cancel()
    except JsException:
        pass


def _text(value):
    """A name or value of a header, which ASGI has as bytes."""
    if isinstance(value, str):
        return value
    if type(value) is not bytes and not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"http.response.start: names and values of headers must be bytes, not {type(value).__name__}")
    value = bytes(value)
    return value.decode("utf-8", "surrogateescape")     # and so the same bytes leave


async def fetch(app, req, env, ctx=None):
    """Answer a request by an ASGI application; a Response of JavaScript, as soon as the application has begun one.

    req: a Request of `workers` or of JavaScript.  Raises what the application raises before its answer.
    """
    js_request = unwrap(req)
    try:
        scope, has_body = _scope(js_request, env)
    except JsException:
        raise _wrong_request(req) from None
    headers = scope["headers"]
    if b"upgrade" in dict(headers) and _is_handshake(dict(headers)):
        _to_websocket(scope)
        return await _serve(app, scope, _socket(js_request, scope), ctx)
    return await _serve(app, scope, _Exchange(js_request, has_body, headers), ctx)


def _wrong_request(req):
    return TypeError(f"asgi.fetch(app, request, env): request is {type(req).__name__}, not the request that the handler was given")


def _is_handshake(headers):
    return headers[b"upgrade"].lower() == b"websocket" and b"sec-websocket-key" in headers


async def _serve(app, scope, exchange, ctx):
    """Run the application, in its lifespan; the Response that it has begun."""
    lifespan = None if _is_idle(app) or _is_refused(app) else _Lifespan(app)
    if lifespan is None:
        scope["state"] = {}
    else:
        await lifespan.start()
        scope["state"] = lifespan.state.copy()
    task = loop._start_task(exchange.run(app, scope))   # many are done then
    try:
        if not exchange.is_settled:
            await exchange.settled()
        if exchange.failure is not None:
            raise exchange.failure
    except Exception:
        logger.debug("ASGI request failed", exc_info=True)
        if lifespan is not None:
            await lifespan.stop()
        raise
    except BaseException:       # we are cancelled, or the application wants to exit
        task.cancel()
        keep(run_in_background(_abandon(task, lifespan)), ctx)
        raise
    if not task.done():
        keep(run_in_background(_finish(task, lifespan)), ctx)
    elif lifespan is not None:
        await lifespan.stop()
    response, exchange.response = exchange.response, None       # it may hold the exchange
    return response


async def _finish(task, lifespan):
    try:
        await task
    finally:
        if lifespan is not None:
            await lifespan.stop()


async def _abandon(task, lifespan):
    await asyncio.wait({task})
    if lifespan is not None:
        await lifespan.stop()


async def websocket(app, req, env=None, ctx=None):
    """Answer a request for a WebSocket by an ASGI application: the Response, with status 101 once the application has
    accepted, or what it denies it with.  The application runs on as long as it is open.

    Both directions wait for who is slower.  close() before accept() is a 403; `websocket.http.response` is there for
    other answers.  Raises what the application raises before it has answered; later, that is logged and closes with 1011.
    """
    js_request = unwrap(req)
    scope = request_to_scope(js_request, env, ws=True)
    return await _serve(app, scope, _socket(js_request, scope), ctx)


def _socket(js_request, scope):
    scope["extensions"]["websocket.http.response"] = {}
    return Socket(js_request, lambda: _Exchange(js_request, False, scope["headers"]), _text)


def entrypoint(app):
    """A class Default that answers with an ASGI application: `Default = asgi.entrypoint(app)`."""
    from . import WorkerEntrypoint

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return await fetch(app, request, self.env, self.ctx)

    return Default


def __getattr__(name):
    if name == "env":       # a dependency of FastAPI: `async def route(env=asgi.env)`
        from fastapi import Depends, Request

        async def env(request: Request):
            return request.scope["env"]

        return Depends(env)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
