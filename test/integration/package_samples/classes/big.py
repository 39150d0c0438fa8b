"""Everything of FastAPI that an application of some size has."""
import asyncio
import io
import json
import logging
import os
import secrets
import tempfile
import time
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from enum import Enum
from pathlib import Path as FilePath
from typing import Optional

import jwt
import requests
from fastapi import (APIRouter, BackgroundTasks, Body, Cookie, Depends, FastAPI, File, Form, Header, HTTPException, Path, Query, Request, Response,
                     Security, UploadFile, WebSocket, WebSocketDisconnect, status)
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from fastapi.security import APIKeyHeader, HTTPBasic, HTTPBasicCredentials, HTTPBearer, OAuth2PasswordBearer, OAuth2PasswordRequestForm
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, BaseSettings, EmailStr, Field, validator
from starlette.concurrency import run_in_threadpool
from workers import WorkerEntrypoint

import asgi

logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
logger = logging.getLogger(__name__)


async def get_env(request: Request):
    return request.scope["env"]


app = FastAPI(title="Big", version="1.2.3", dependencies=[])
app.add_middleware(CORSMiddleware, allow_origins=["https://app.example"], allow_credentials=True, allow_methods=["*"], allow_headers=["*"])
app.add_middleware(GZipMiddleware, minimum_size=1000)
templates = Jinja2Templates(directory=str(FilePath(__file__).parent / "templates"))
router = APIRouter(prefix="/api/v1", tags=["v1"])
oauth2 = OAuth2PasswordBearer(tokenUrl="token")
done = []


@app.middleware("http")
async def add_process_time_header(request: Request, call_next):
    start = time.perf_counter()
    response = await call_next(request)
    response.headers["X-Process-Time"] = str(time.perf_counter() - start)
    return response


@app.exception_handler(RequestValidationError)
async def invalid(request, exc):
    return JSONResponse({"invalid": [".".join(map(str, e["loc"])) for e in exc.errors()]}, status_code=422)


class Colour(str, Enum):
    red = "red"
    blue = "blue"


class User(BaseModel):
    name: str = Field(..., min_length=2, max_length=20)
    colour: Colour = Colour.red
    born: Optional[datetime] = None
    id: uuid.UUID = Field(default_factory=uuid.uuid4)

    @validator("name")
    def no_digits(cls, value):
        if any(c.isdigit() for c in value):
            raise ValueError("no digits")
        return value.title()


class Database:
    def __init__(self, env):
        self.env, self.open = env, True

    def close(self):
        self.open = False
        done.append("closed")


async def database(env=Depends(get_env)):
    db = Database(env)
    try:
        yield db
    finally:
        db.close()


@router.post("/users", response_model=User, response_model_exclude={"id"}, status_code=status.HTTP_201_CREATED)
async def create_user(user: User, tasks: BackgroundTasks, db: Database = Depends(database)):
    assert db.open
    tasks.add_task(done.append, user.name)
    return user


@router.get("/search")
def search(q: str = Query(..., min_length=2), tag: list[str] = Query(default=[]), x_token: Optional[str] = Header(None), session: Optional[str] = Cookie(None)):
    return {"q": q, "tag": tag, "token": x_token, "session": session}


@router.get("/plain")
def plain(request: Request):
    """A def endpoint, in a thread: env, requests and the database at once."""
    env = request.scope["env"]
    answer = requests.get(env.ORIGIN + "/json", params={"a": "1 2"}, timeout=10)
    answer.raise_for_status()
    time.sleep(0.005)
    return {"greeting": env.MESSAGE, "answer": answer.json()["path"]}


@router.get("/d1")
async def d1(env=Depends(get_env)):
    await env.DB.exec("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT)")
    await env.DB.prepare("INSERT INTO notes (text) VALUES (?)").bind("one").run()
    rows = (await env.DB.prepare("SELECT text FROM notes").all()).results
    return [dict(row) for row in rows][:1]


@router.get("/d1-plain")
def d1_plain(request: Request):
    from pyodide.ffi import run_sync
    return dict(run_sync(request.scope["env"].DB.prepare("SELECT 1 AS one, 'x' AS two").first()))


@router.get("/threads")
async def threads():
    def work():
        return sum(range(1000))
    one = await run_in_threadpool(work)
    two = await asyncio.to_thread(work)
    three = await asyncio.get_running_loop().run_in_executor(None, work)
    return [one, two, three]


@app.get("/page", response_class=HTMLResponse)
async def page(request: Request, name: str = "<b>"):
    return templates.TemplateResponse("hello.html", {"request": request, "name": name, "items": ["a", "b"]})


@app.post("/upload")
async def upload(files: list[UploadFile] = File(...), note: str = Form("")):
    return {"note": note, "files": [{"name": f.filename, "type": f.content_type, "size": len(await f.read())} for f in files]}


@app.post("/save")
def save(file: UploadFile):
    path = FilePath(tempfile.gettempdir()) / file.filename
    with open(path, "wb") as out:
        while piece := file.file.read(100):
            out.write(piece)
    return FileResponse(path, media_type="text/x-saved", filename="again.txt")


@app.get("/numbers")
async def numbers():
    async def each():
        for n in range(5):
            yield f"{n}\n"
            await asyncio.sleep(0)
    return StreamingResponse(each(), media_type="text/plain")


@app.get("/plain-numbers")
def plain_numbers():
    def each():
        for n in range(5):
            yield f"{n}\n".encode()
    return StreamingResponse(each(), media_type="text/plain")


@app.get("/events")
async def events(request: Request):
    async def each():
        for n in range(3):
            if await request.is_disconnected():
                break
            yield f"event: tick\ndata: {json.dumps({'n': n})}\n\n"
    return StreamingResponse(each(), media_type="text/event-stream", headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})


@app.get("/csv")
def csv():
    import csv
    out = io.StringIO()
    csv.writer(out).writerows([["a", "b"], [1, "x,y"]])
    return StreamingResponse(iter([out.getvalue()]), media_type="text/csv", headers={"Content-Disposition": "attachment; filename=a.csv"})


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends(), env=Depends(get_env)):
    if not secrets.compare_digest(form.password, "demo-password"):
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Incorrect username or password", headers={"WWW-Authenticate": "Bearer"})
    claims = {"sub": form.username, "exp": datetime.now(timezone.utc) + timedelta(minutes=5)}
    return {"access_token": jwt.encode(claims, env.MESSAGE, algorithm="HS256"), "token_type": "bearer"}


@app.get("/me")
async def me(token: str = Depends(oauth2), env=Depends(get_env)):
    try:
        return {"me": jwt.decode(token, env.MESSAGE, algorithms=["HS256"])["sub"]}
    except jwt.PyJWTError as e:
        raise HTTPException(401, str(e))


@app.get("/cookie")
def cookie(response: Response):
    response.set_cookie("session", "a b", httponly=True, samesite="lax")
    response.set_cookie("other", "1")
    return RedirectResponse("/page", headers=dict(response.headers)) if False else {"ok": True}


@app.get("/raise")
async def raises():
    raise RuntimeError("broken on purpose")


@app.get("/logged")
async def logged():
    logger.info("a line of the log")
    logger.warning("numbers %d", 3)
    return {"done": done}


class Connections:
    def __init__(self):
        self.active = []

    async def connect(self, websocket):
        await websocket.accept()
        self.active.append(websocket)

    async def broadcast(self, text):
        for one in self.active:
            await one.send_text(text)


manager = Connections()


@app.websocket("/ws/{client_id}")
async def chat(websocket: WebSocket, client_id: int):
    await manager.connect(websocket)
    try:
        while True:
            data = await websocket.receive_text()
            await websocket.send_json({"you": data, "greeting": websocket.scope["env"].MESSAGE})
            await manager.broadcast(f"Client #{client_id} says: {data}")
    except WebSocketDisconnect:
        manager.active.remove(websocket)
        await manager.broadcast(f"Client #{client_id} left")


app.include_router(router)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(app, request, self.env, self.ctx)
