"""Routers, sub-applications, static files, background work, threads, the application asked by its own clients."""
import asyncio
import threading
from pathlib import Path

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.testclient import TestClient

from .routers import users

STATIC = Path(__file__).parent.parent / "static"
app = FastAPI(root_path="/base")
app.include_router(users.router)
app.mount("/static", StaticFiles(directory=STATIC, html=True), name="static")
sub = FastAPI()
app.mount("/sub", sub)
done = []


@sub.get("/x")
def inner(request: Request):
    return {"root": request.scope["root_path"]}


@app.get("/background")
async def background():
    return Response("begun", background=BackgroundTask(done.append, 1))


@app.get("/done")
def shown():
    return done


@app.on_event("startup")
async def start():
    app.state.started = True


@app.get("/state")
async def state():
    return {"started": app.state.started}


@app.get("/self")
async def ask_itself():
    async with httpx.AsyncClient(app=app, base_url="http://test") as client:
        return (await client.get("/state")).json()


@app.get("/test")
def test():
    return TestClient(app).get("/state").json()


@app.get("/threads")
def threads():
    seen = []
    thread = threading.Thread(target=seen.append, args=("thread",))
    thread.start()
    thread.join()
    timer = threading.Timer(0.01, seen.append, ("timer",))
    timer.start()
    timer.join()
    return seen


@app.get("/limited")
async def limited():
    two = asyncio.Semaphore(2)

    async def each(n):
        async with two:
            await asyncio.sleep(0.001)
            return n
    return await asyncio.gather(*(each(n) for n in range(5)))


@app.get("/late")
async def late():
    try:
        await asyncio.wait_for(asyncio.sleep(60), 0.01)
    except asyncio.TimeoutError:
        return "late"


@app.get("/file")
async def file():
    return FileResponse(STATIC / "a.txt")


@app.api_route("/any", methods=["GET", "PATCH"], include_in_schema=False)
async def whatever(request: Request):
    return {"method": request.method, "body": (await request.body()).decode(), "header": request.headers.get("x-test")}
