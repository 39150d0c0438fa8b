"""workers._websocket - one WebSocket of an ASGI application, from its handshake to its end."""
import asyncio
import logging
from collections import deque

import _corral
from corral.bridge import JsException

from ._serve import ClientDisconnected, Departure, answer, storable
from ._values import python_error

_open_channel = _corral.internal("openChannel")
_send = _corral.internal("channelSend")
_watch = _corral.internal("channelWatch")
_pause = _corral.internal("channelPause")
_close = _corral.internal("channelClose")
_forget = _corral.internal("channelForget")
_new_response = _corral.internal("newResponse")

GONE, TEXT, BINARY, OPENED, CLOSE = 0, 1, 2, 3, 8       # enum socket_kind (src/realm/socket.h), and OPENED of websocket.js
NO_CODE, ABNORMAL = 1005, 1006
QUEUE_BYTES = 1 << 20       # messages that wait for receive(); then the client is not read until half of them are gone
QUEUE_COST = 1024           # what each counts at least
CONNECTING, OPEN, DENYING, CLOSED = range(4)

logger = logging.getLogger("asgi")


class Socket:
    """receive() and send() for an application; once settled() has returned, `response` is the Response of JavaScript
    that answers the handshake, or `failure` why there is none.

    denial: makes what answers by HTTP, when the application wants that.
    """

    def __init__(self, js_request, denial, text):
        loop = asyncio.get_running_loop()
        self.response = self.failure = None
        self._settled = loop.create_future()
        self._state, self._loop = CONNECTING, loop
        self._make_denial, self._text = denial, text
        self._denial = None
        self._has_connected = False
        self._messages, self._waiting, self._is_paused = deque(), 0, False
        self._news = None           # a future, while somebody waits for a message
        self._room = None           # while the client is behind
        self._disconnect = None     # the last message, when it has come
        self._end = None
        self._opened = loop.create_future()     # the client has its 101, or will never have it
        self._departure = Departure(js_request, self._leave)

    @property
    def is_settled(self):
        """There is a response or a failure."""
        return self._settled.done()

    async def settled(self):
        """Wait until there is a response or a failure."""
        await self._settled

    def _settle(self, response, failure=None):
        if self._settled.cancelled():
            raise ClientDisconnected("nobody waits for the answer any more")
        self.response, self.failure = response, failure
        self._settled.set_result(None)

    # -- from the client --

    def _listen(self, kind, data, code):
        if kind == TEXT:
            self._put({"type": "websocket.receive", "text": data}, len(data))
        elif kind == BINARY:
            self._put({"type": "websocket.receive", "bytes": data.to_bytes()}, data.byteLength)
        elif kind == OPENED:
            if not self._opened.done():
                self._opened.set_result(None)
        elif kind == CLOSE:
            self._lose(code, data)
            _close(self._end, code, data)
        else:
            self._lose(code or ABNORMAL, data)

    def _leave(self):
        self._lose(ABNORMAL, "")

    def _put(self, message, size):
        if self._disconnect is not None or self._state == CLOSED:
            return
        self._messages.append((message, size))
        self._waiting += size + QUEUE_COST
        if self._waiting > QUEUE_BYTES and not self._is_paused:
            self._is_paused = True
            _pause(self._end, True)
        self._wake()

    def _lose(self, code, reason):
        if self._disconnect is None:
            self._disconnect = {"type": "websocket.disconnect", "code": code, "reason": reason}
        if not self._opened.done():
            self._opened.set_result(None)
        self._wake()
        self._go_on()

    def _wake(self):
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _go_on(self):
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    # -- what the application receives --

    async def receive(self):
        if not self._has_connected:
            self._has_connected = True
            return {"type": "websocket.connect"}
        while not self._messages:
            if self._disconnect is not None:
                return dict(self._disconnect)
            if self._news is None or self._news.done():
                self._news = self._loop.create_future()
            await asyncio.shield(self._news)
        message, size = self._messages.popleft()
        self._waiting -= size + QUEUE_COST
        if self._is_paused and self._waiting < QUEUE_BYTES // 2:
            self._is_paused = False
            _pause(self._end, False)
        return message

    # -- what it sends --

    async def send(self, message):
        what = message["type"]
        if what == "websocket.send" and self._state == OPEN:
            await self._send(message)
        elif what == "websocket.accept" and self._state == CONNECTING:
            self._accept(message)
            await asyncio.shield(self._opened)      # before that there is nobody whom send() could wait for
        elif what == "websocket.close" and self._state in (CONNECTING, OPEN):
            self._close(message)
        elif what == "websocket.close" and self._state == CLOSED:
            pass
        elif what == "websocket.http.response.start" and self._state == CONNECTING:
            self._state, self._denial = DENYING, self._make_denial()
            await self._denial.send({**message, "type": "http.response.start"})
        elif what == "websocket.http.response.body" and self._state == DENYING:
            await self._deny_body(message)
        else:
            raise RuntimeError(f"Unexpected ASGI message {what!r}: {self._advice()}")

    def _advice(self):
        return {CONNECTING: "websocket.accept, websocket.close or websocket.http.response.start answers the handshake",
                OPEN: "websocket.send and websocket.close are known while it is open",
                DENYING: "websocket.http.response.body is what follows websocket.http.response.start",
                CLOSED: "the WebSocket is closed"}[self._state]

    def _accept(self, message):
        pairs = [(self._text(name), self._text(value)) for name, value in message.get("headers") or ()]
        subprotocol = message.get("subprotocol")
        if subprotocol:
            pairs.append(("sec-websocket-protocol", subprotocol))
        client, self._end = _open_channel(self._listen)
        lines = "\n".join(part for pair in pairs for part in pair)
        if lines.count("\n") >= (2 * len(pairs) or 1) or "\r" in lines:
            raise ValueError("websocket.accept: a header, or the subprotocol, has a line break in it")
        try:
            response = _new_response(None, 101, "", lines or None, client)
        except JsException as e:
            raise python_error(e) from None
        self._settle(response)
        self._state = OPEN

    async def _send(self, message):
        if self._room is not None:
            await self._wait()
        if self._disconnect is not None:
            raise ClientDisconnected("the client has gone")
        data = message.get("bytes")
        if data is None:
            data = message.get("text")
            if not isinstance(data, str):
                raise TypeError("websocket.send: expected text, a str, or bytes")
        elif not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"websocket.send: bytes must be bytes, not {type(data).__name__}")
        if _send(self._end, data) and self._room is None:
            self._room = self._loop.create_future()
            _watch(self._end, self._go_on)
            await self._wait()

    async def _wait(self):
        """Until the client has taken what it was sent."""
        room = self._room
        await asyncio.shield(room)
        if self._room is room:
            self._room = None

    def _close(self, message):
        if self._state == CONNECTING:
            self._settle(answer(403, [], b""))
        elif self._disconnect is None:
            code = message.get("code") or 1000
            if not 1000 <= code <= 4999 or code in (1004, NO_CODE, ABNORMAL, 1015):
                raise ValueError(f"websocket.close: {code} is no code that may be sent")
            _close(self._end, code, message.get("reason") or "")
        self._state = CLOSED

    async def _deny_body(self, message):
        sending = asyncio.ensure_future(self._denial.send({**message, "type": "http.response.body"}))
        if not self._settled.done():
            begun = asyncio.ensure_future(self._denial.settled())
            await asyncio.wait({sending, begun}, return_when=asyncio.FIRST_COMPLETED)
            begun.cancel()
            if self._denial.is_settled:
                self._settle(self._denial.response)
        await sending
        if not message.get("more_body"):
            self._state = CLOSED

    # -- all of it --

    async def run(self, app, scope):
        try:
            await app(scope, self.receive, self.send)
            if not self._settled.done():
                raise RuntimeError("The application neither accepted the WebSocket nor closed it")
            self._finish(1000)
        except Exception as e:
            self._fail(e)
        except BaseException as e:
            self._fail(e)
            raise
        finally:
            self._departure.forget()
            if self._end is not None:
                _forget(self._end)

    def _finish(self, code):
        if self._state == OPEN and self._disconnect is None:
            _close(self._end, code, "")
        self._state = CLOSED

    def _fail(self, e):
        if not self._settled.done():
            self._settle(None, storable(e))
        elif self._disconnect is not None and (isinstance(e, OSError) or type(e).__name__ == "WebSocketDisconnect"):
            logger.debug("The client of a WebSocket has gone", exc_info=e)
        else:
            logger.error("Exception in ASGI application", exc_info=e)
        self._finish(1011)
