"""A room of Starlette's, with class endpoints."""
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from workers import WorkerEntrypoint

import asgi


class Home(HTTPEndpoint):
    async def get(self, request):
        request.session["n"] = request.session.get("n", 0) + 1
        return HTMLResponse("<h1>%d</h1>" % request.session["n"])


class Room(WebSocketEndpoint):
    encoding = "json"

    async def on_connect(self, websocket):
        await websocket.accept(subprotocol="chat" if "chat" in websocket.scope["subprotocols"] else None)
        await websocket.send_json({"welcome": websocket.query_params.get("name")})

    async def on_receive(self, websocket, data):
        if data == "bye":
            return await websocket.close(4001, "as you like")
        await websocket.send_json({"back": data})


app = Starlette(routes=[Route("/", Home), WebSocketRoute("/room", Room)], middleware=[Middleware(SessionMiddleware, secret_key="demo")])


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await asgi.websocket(app, request.js_object)
        return await asgi.fetch(app, request.js_object, self.env)
