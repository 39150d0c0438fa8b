"""FastAPI and Starlette as people use them, in a worker with a database: docs/compatibility.md names these tests."""
import http.client
import json
import threading

import pytest

from harness import rss_kb, until

REQUIREMENTS = "fastapi\njinja2\npython-multipart\nitsdangerous\nsniffio\n"
CONFIG = """\
name = "shop"
main = "src/entry.py"
compatibility_date = "2025-10-01"
compatibility_flags = ["python_workers"]
[vars]
WORD = "bound"
[[d1_databases]]
binding = "DB"
database_name = "shop"
database_id = "00000000-0000-0000-0000-000000000006"
"""
ENTRY = """
from workers import WorkerEntrypoint, asgi
from shop import app, bare

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(bare if "/bare/" in request.url else app, request, self.env, self.ctx)
"""
SHOP = r'''
import asyncio
import contextvars
import os
import sys
import threading
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import List, Optional

import asgi
import jinja2
import workers
from fastapi import APIRouter, BackgroundTasks, Body, Cookie, Depends, FastAPI, File, Form, Header, HTTPException, Query, Request, Response, UploadFile, status
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials, OAuth2PasswordBearer
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, Field, validator
from pyodide.ffi import run_sync
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.sessions import SessionMiddleware

HERE = Path(__file__).parent
who = contextvars.ContextVar("who", default="nobody")
log = []


@asynccontextmanager
async def lifespan(app):
    log.append("up")
    yield {"made": "by lifespan"}
    log.append("down")

app = FastAPI(title="Shop", version="1.2.3")
app.router.lifespan_context = lifespan         # lifespan=lifespan from FastAPI 0.93 on
app.mount("/static", StaticFiles(directory=HERE / "static", html=True), name="static")
templates = Jinja2Templates(directory=str(HERE / "templates"))


@app.middleware("http")
async def timing(request: Request, call_next):
    who.set(request.headers.get("x-who", "nobody"))
    try:
        response = await call_next(request)
    except KeyError as e:
        return JSONResponse({"middleware": repr(e)}, 500)
    response.headers["x-process-time"] = "0.1"
    return response

app.add_middleware(GZipMiddleware, minimum_size=2000)
app.add_middleware(SessionMiddleware, secret_key="secret")
app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"], allow_methods=["*"], allow_credentials=True, allow_headers=["x-token"])
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "*.example.com"])


class Tag(BaseModel):
    name: str

class Item(BaseModel):
    name: str = Field(min_length=2)
    price: float = Field(gt=0)
    tags: List[Tag] = []
    secret: Optional[str] = None

    @validator("name")
    def no_spaces(cls, value):
        if " " in value:
            raise ValueError("no spaces")
        return value

class Shown(BaseModel):
    name: str
    price: float


@app.post("/items", response_model=Shown, status_code=201)
async def create(item: Item):
    return item

@app.get("/items/{number}")
async def item(number: int, q: List[str] = Query([]), x_token: Optional[str] = Header(None), c: Optional[str] = Cookie(None)):
    return {"number": number, "q": q, "token": x_token, "c": c}

@app.get("/path/{rest:path}")
async def rest(rest: str, request: Request):
    return [rest, request.url.path, request.scope["raw_path"].decode(), str(request.url), str(request.url_for("rest", rest="x/y")), request.client.host]


# ---- dependencies ----

async def session():
    log.append("open")
    try:
        yield "session"
    finally:
        log.append("close")

def plain_session(s=Depends(session)):
    log.append("plain open")
    try:
        yield s + " plain"
    except HTTPException:
        log.append("rolled back")
        raise
    finally:
        log.append("plain close")

class Pages:
    def __init__(self, size: int = 10):
        self.size = size

@app.get("/depends")
async def depends(s=Depends(plain_session), pages: Pages = Depends()):
    return [s, pages.size]

@app.get("/depends/fails")
def depends_fails(s=Depends(plain_session)):
    raise HTTPException(status.HTTP_409_CONFLICT, {"why": s}, {"x-why": "because"})

@app.get("/log")
async def show_log():
    shown = log[:]
    log.clear()
    return shown

@app.get("/thread")
def thread():
    time.sleep(0.01)
    return [who.get(), threading.current_thread() is threading.main_thread()]

basic, bearer = HTTPBasic(), OAuth2PasswordBearer(tokenUrl="token")

@app.get("/basic")
def with_basic(c: HTTPBasicCredentials = Depends(basic)):
    return [c.username, c.password]

@app.get("/bearer")
async def with_bearer(token: str = Depends(bearer)):
    return token


# ---- errors ----

class Teapot(Exception):
    pass

@app.exception_handler(Teapot)
async def teapot(request, e):
    return JSONResponse({"handled": str(e)}, 418)

@app.exception_handler(RequestValidationError)
async def invalid(request, e):
    return JSONResponse({"errors": [[list(x["loc"]), x["msg"]] for x in e.errors()]}, 422)

@app.get("/raises/{what}")
async def raises(what: str):
    if what == "teapot":
        raise Teapot("short and stout")
    if what == "key":
        raise KeyError("of middleware")
    raise ValueError("nobody handles it")


# ---- forms, files, pages ----

@app.post("/form")
async def form(title: str = Form(), numbers: List[int] = Form([]), files: List[UploadFile] = File([]), blob: Optional[UploadFile] = File(None)):
    seen = []
    for file in files:
        data = await file.read(10)
        await file.seek(0)
        seen.append([file.filename, file.content_type, data.decode("latin-1"), len(await file.read()), file.headers["x-part"] if "x-part" in file.headers else None])
        await file.close()
    return [title, numbers, seen, blob and blob.filename]

@app.get("/page")
async def page(request: Request):
    return templates.TemplateResponse("page.html", {"request": request, "items": ["<a>", "b"]}, headers={"x-t": "1"})

loader = jinja2.Environment(loader=jinja2.PackageLoader("site_pages", "templates"), enable_async=True, autoescape=True)

@app.get("/package-page", response_class=HTMLResponse)
async def package_page():
    return await loader.get_template("hello.html").render_async(name="<you>")

@app.get("/file")
def file():
    return FileResponse(HERE / "static" / "data.txt", filename="däta.txt", headers={"x-f": "1"})

@app.get("/visits")
async def visits(request: Request):
    request.session["n"] = request.session.get("n", 0) + 1
    return request.session["n"]

@app.get("/cookies")
async def cookies(response: Response):
    response.set_cookie("a", "1", httponly=True, samesite="strict")
    response.set_cookie("b", "ä ö")
    response.delete_cookie("c")
    response.headers.append("x-many", "1")
    response.headers.append("X-Many", "2")
    response.headers["x-empty"] = ""
    return "ok"

@app.get("/raw")
async def raw():
    async def asgi(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Latin", b"caf\xe9"), (b"x-u", "ü".encode()), (b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
    return Raw(asgi)

class Raw(Response):
    def __init__(self, asgi):
        super().__init__()
        self.asgi = asgi
    async def __call__(self, scope, receive, send):
        await self.asgi(scope, receive, send)

@app.get("/echo-headers")
async def echo_headers(request: Request):
    return [[k.decode("latin-1"), v.decode("latin-1")] for k, v in request.scope["headers"] if k.startswith(b"x-")]

@app.api_route("/status/{code}", methods=["GET", "HEAD", "DELETE", "PUT", "PATCH", "OPTIONS"])
async def with_status(code: int):
    return Response(status_code=code, headers={"x-code": str(code)}, content=None if code in (204, 304) else b"body")

@app.get("/redirect")
async def redirect():
    return RedirectResponse("/items/5?q=a b")

@app.get("/scope")
async def scope(request: Request):
    s = request.scope
    return {"keys": sorted(s), "type": s["type"], "asgi": s["asgi"], "http_version": s["http_version"], "method": s["method"], "scheme": s["scheme"],
            "path": s["path"], "raw_path": s["raw_path"].decode(), "query": s["query_string"].decode("latin-1"), "root_path": s["root_path"],
            "server": list(s["server"]), "client": list(s["client"]), "state": dict(s["state"]), "env": s["env"].WORD, "extensions": s["extensions"],
            "made": request.state.made, "length": request.headers.get("content-length")}


# ---- routers and sub-applications ----

router = APIRouter(prefix="/api", tags=["api"], dependencies=[Depends(session)])

@router.get("/one", name="one")
async def one(request: Request):
    return app.url_path_for("one")

app.include_router(router, prefix="/v1")
sub = FastAPI()

@sub.get("/hello/{name}")
async def sub_hello(name: str, request: Request):
    return [name, request.scope["root_path"], request.scope["path"], str(request.url), request.scope["env"].WORD]

app.mount("/sub", sub)


# ---- streams ----

BLOCK = bytes(range(256)) * 256

@app.get("/stream")
async def stream(size: int, kind: str = "async"):
    async def pieces():
        for n in range(size // len(BLOCK)):
            if kind == "told" and n % 16 == 0:
                print(n // 16, "MiB are sent")
            yield BLOCK
    def plain():
        for n in range(size // len(BLOCK)):
            yield BLOCK
    return StreamingResponse(plain() if kind == "plain" else pieces(), media_type="application/octet-stream")

@app.post("/upload")
async def upload(request: Request):
    total = most = 0
    async for piece in request.stream():
        total += len(piece)
        most = max(most, len(piece))
    return [total, most]

@app.post("/upload-file")
async def upload_file(file: UploadFile):
    total = 0
    while piece := await file.read(1 << 20):
        total += len(piece)
    return [file.filename, total, file.size if hasattr(file, "size") else total]

@app.get("/events")
async def events(request: Request):
    db = request.scope["env"].DB
    await db.exec("CREATE TABLE IF NOT EXISTS words (n INTEGER PRIMARY KEY, word TEXT)")
    async def pieces():
        n = 0
        try:
            while True:
                for row in (await db.prepare("SELECT n, word FROM words WHERE n > ? ORDER BY n").bind(n).all()).results:
                    n = row.n
                    yield f"id: {n}\ndata: {row.word}\n\n"
                await asyncio.sleep(0.002)
        except BaseException as e:
            print("events ended by", type(e).__name__)
            raise
        finally:
            print("events are over")
    return StreamingResponse(pieces(), media_type="text/event-stream", headers={"cache-control": "no-store"})

@app.post("/say/{word}")
async def say(word: str, request: Request):
    await request.scope["env"].DB.prepare("INSERT INTO words (word) VALUES (?)").bind(word).run()

bare = FastAPI()

@bare.get("/bare/watch")
async def watch(request: Request):
    print("watch begins")
    while not await request.is_disconnected():
        await asyncio.sleep(0.01)
    print("watch saw it go")

@app.get("/breaks")
async def breaks():
    async def pieces():
        yield b"first"
        raise RuntimeError("amid the stream")
    return StreamingResponse(pieces())

@app.get("/length/{said}")
async def length(said: int):
    async def pieces():
        yield b"0123"
        yield b"4567"
    return StreamingResponse(pieces(), headers={"content-length": str(said)})


# ---- background ----

@app.get("/behind")
async def behind(tasks: BackgroundTasks, request: Request):
    async def work(n):
        await asyncio.sleep(0.02)
        print("behind async", n, await request.scope["env"].DB.prepare("SELECT 7").first("7"))
    def plain(n):
        time.sleep(0.02)
        print("behind plain", n)
    tasks.add_task(work, 1)
    tasks.add_task(plain, n=2)
    async def alone():
        await asyncio.sleep(0.05)
        print("task of its own")
    asyncio.create_task(alone())
    return "at once"


# ---- the database ----

def database(request: Request):
    return request.scope["env"].DB

@app.post("/sql")
async def sql(request: Request, names: List[str] = Body()):
    db = request.scope["env"].DB
    await db.exec("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, name TEXT)")
    await db.batch([db.prepare("INSERT INTO t (name) VALUES (?)").bind(name) for name in names])
    found = await db.prepare("SELECT name FROM t ORDER BY id").all()
    return [row.name for row in found.results]

@app.post("/sql/plain")
def plain_sql(names: List[str] = Body(), db=Depends(database)):
    run_sync(db.exec("CREATE TABLE IF NOT EXISTS p (id INTEGER PRIMARY KEY, name TEXT)"))
    insert = db.prepare("INSERT INTO p (name) VALUES (?)")
    run_sync(db.batch([insert.bind(name) for name in names]))
    found = run_sync(db.prepare("SELECT count(*) AS n, max(name) AS name FROM p").first())
    return {"n": found.n, "name": found.name, "is_main": threading.current_thread() is threading.main_thread()}

@app.get("/word/plain")
def plain_word(request: Request, env=asgi.env):
    return [env.WORD, request.scope["env"].WORD, workers.env.WORD]
'''
FILES = {
    "src/entry.py": ENTRY,
    "src/shop.py": SHOP,
    "src/static/data.txt": "static data ä\n" * 10,
    "src/static/index.html": "<h1>index</h1>",
    "src/static/sub/page.css": "a { color: red }",
    "src/templates/base.html": "<title>{% block title %}{% endblock %}</title>",
    "src/templates/page.html": "{% extends 'base.html' %}{% block title %}{{ items|join(',') }} {{ url_for('static', path='/data.txt') }}{% endblock %}",
    "src/site_pages/__init__.py": "",
    "src/site_pages/templates/hello.html": "<p>{{ name }}</p>",
    "requirements.txt": REQUIREMENTS,
    "wrangler.toml": CONFIG,
}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def shop(shared_corral):
    return shared_corral(FILES, env={"CORRAL_TEST_INSTANCES": "1"})      # it keeps a log


def post(shop, path, value, **headers):
    return shop.request("POST", path, json.dumps(value), {**JSON, **headers})


def multipart(*parts):
    """(content type, body) of [(name, filename or None, bytes, other headers)]."""
    lines = b""
    for name, filename, data, *more in parts:
        lines += b"--B\r\nContent-Disposition: form-data; name=\"%s\"" % name.encode()
        if filename is not None:
            lines += b"; filename=\"%s\"\r\nContent-Type: text/x-test" % filename.encode()
        for one in more:
            lines += b"\r\n" + one.encode()
        lines += b"\r\n\r\n" + data + b"\r\n"
    return {"content-type": "multipart/form-data; boundary=B"}, lines + b"--B--\r\n"


def test_fastapi_models_and_parameters(shop):
    made = post(shop, "/items", {"name": "pen", "price": 1.5, "tags": [{"name": "t"}], "secret": "s"})
    assert (made.status, made.json()) == (201, {"name": "pen", "price": 1.5})
    wrong = post(shop, "/items", {"name": "a b", "price": -1, "tags": [{}]})
    assert wrong.status == 422
    assert {tuple(loc) for loc, msg in wrong.json()["errors"]} == {("body", "name"), ("body", "price"), ("body", "tags", 0, "name")}
    assert shop.request("POST", "/items", "{not json", JSON).status == 422
    assert shop.get("/items/7?q=a&q=%C3%A4", headers={"x-token": "t", "cookie": "b=1; c=2"}).json() == {"number": 7, "q": ["a", "ä"], "token": "t", "c": "2"}
    assert shop.get("/items/seven").json()["errors"] == [[["path", "number"], "value is not a valid integer"]]
    base = "http://127.0.0.1:%d" % shop.port
    assert shop.get("/path/a%2Fb/%C3%A4%20c?x").json() == ["a/b/ä c", "/path/a/b/ä c", "/path/a%2Fb/%C3%A4%20c", base + "/path/a/b/ä c?x", base + "/path/x/y", "127.0.0.1"]
    assert shop.get("/items/5/").status == 307 and shop.request("POST", "/items/5").status == 405


def test_fastapi_scope(shop):
    scope = shop.get("/scope?a=%20b&ä".encode().decode("latin-1").replace("\xc3\xa4", "%C3%A4")).json()
    assert scope.pop("keys") == sorted(["type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers", "client",
                                        "server", "extensions", "env", "state", "app", "router", "route", "endpoint", "path_params", "session", "fastapi_astack"])
    assert scope == {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": "/scope",
                     "raw_path": "/scope", "query": "a=%20b&%C3%A4", "root_path": "", "server": ["127.0.0.1", shop.port], "client": ["127.0.0.1", 0],
                     "state": {"made": "by lifespan"}, "env": "bound", "extensions": {}, "made": "by lifespan", "length": None}


def test_fastapi_dependencies_and_lifespan(shop):
    def seen(*words):           # the lifespan is that of each request; both may end after the answer
        found = []
        def look():
            found.extend(shop.get("/log").json())
            return [word for word in found if word not in ("up", "down")] == list(words) and "up" in found
        until(lambda: "%r, not %r" % (words, found), look)
    seen()
    assert shop.get("/depends?size=3").json() == ["session plain", 3]
    seen("open", "plain open", "plain close", "close")
    failed = shop.get("/depends/fails")
    assert (failed.status, failed.json(), failed.headers["x-why"]) == (409, {"detail": {"why": "session plain"}}, "because")
    seen("open", "plain open", "rolled back", "plain close", "close")
    assert shop.get("/thread", headers={"x-who": "me"}).json() == ["me", False]
    assert shop.get("/basic", headers={"authorization": "Basic dTpw"}).json() == ["u", "p"]
    denied = shop.get("/basic")
    assert (denied.status, denied.headers["www-authenticate"]) == (401, "Basic")
    assert shop.get("/bearer", headers={"authorization": "Bearer tok"}).json() == "tok" and shop.get("/bearer").status == 401


def test_fastapi_errors(shop):
    assert (lambda a: (a.status, a.json()))(shop.get("/raises/teapot")) == (418, {"handled": "short and stout"})
    assert (lambda a: (a.status, a.json()))(shop.get("/raises/key")) == (500, {"middleware": "KeyError('of middleware')"})
    before = shop.mark()
    wrong = shop.get("/raises/other")
    assert wrong.status == 500
    shop.wait_log("nobody handles it", since=before)
    assert shop.get("/nowhere").json() == {"detail": "Not Found"}


def test_fastapi_forms_and_files(shop):
    headers, body = multipart(("title", None, "ä".encode()), ("numbers", None, b"1"), ("numbers", None, b"2"), ("files", "one.txt", b"x" * 20),
                              ("files", "zwei ä.bin", bytes(range(256)) * 8000, "X-Part: p"), ("blob", "b", b"123"))
    assert shop.request("POST", "/form", body, headers).json() == ["ä", [1, 2], [["one.txt", "text/x-test", "x" * 10, 20, None],
                                                                                 ["zwei ä.bin", "text/x-test", "\0\1\2\3\4\5\6\7\x08\t", 2048000, "p"]], "b"]
    answer = shop.request("POST", "/form", "title=a+b&numbers=3", {"content-type": "application/x-www-form-urlencoded"})
    assert answer.json() == ["a b", [3], [], None]
    assert shop.request("POST", "/form", "", {"content-type": "application/x-www-form-urlencoded"}).status == 422


def test_fastapi_pages_and_files(shop):
    page = shop.get("/page")
    assert page.text == "<title>&lt;a&gt;,b http://127.0.0.1:%d/static/data.txt</title>" % shop.port and page.headers["x-t"] == "1"
    assert shop.get("/package-page").text == "<p>&lt;you&gt;</p>"
    data = "static data ä\n" * 10
    file = shop.get("/file")
    assert (file.text, file.headers["x-f"], file.headers["content-length"]) == (data, "1", str(len(data.encode())))
    assert "filename*=utf-8''d%C3%A4ta.txt" in file.headers["content-disposition"]
    static = shop.get("/static/data.txt")
    assert (static.text, static.headers["content-type"]) == (data, "text/plain; charset=utf-8")
    again = shop.get("/static/data.txt", headers={"if-none-match": static.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert shop.get("/static/").text == "<h1>index</h1>" and shop.get("/static/sub/page.css").headers["content-type"] == "text/css; charset=utf-8"
    assert shop.get("/static/../shop.py").status == 404 and shop.get("/static/%2e%2e/shop.py").status == 404
    head = shop.request("HEAD", "/static/data.txt")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(data.encode())))
    assert "Shop" in shop.get("/docs").text and "redoc" in shop.get("/redoc").text
    api = shop.get("/openapi.json").json()
    assert (api["info"], "Item" in api["components"]["schemas"]) == ({"title": "Shop", "version": "1.2.3"}, True)


def test_fastapi_cookies_and_headers(shop):
    cookies = shop.get("/cookies")
    assert [c.split(";")[0] for c in cookies.headers.get_all("set-cookie")] == ["a=1", 'b="\\344 \\366"', 'c=""']
    assert cookies.headers.get_all("x-many") == ["1", "2"] and cookies.headers["x-empty"] == ""
    raw = shop.get("/raw")
    assert (raw.headers["x-latin"], raw.headers["x-u"].encode("latin-1").decode()) == ("caf\xe9", "ü")
    with shop.connect() as s:
        s.sendall(b"GET /echo-headers HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: 1\r\nx-a: 2\r\nX-Empty:\r\nx-latin: caf\xe9\r\nx-u: \xc3\xa4\r\nx-comma: a, b\r\nConnection: close\r\n\r\n")
        got = b"".join(iter(lambda: s.recv(65536), b""))
    assert json.loads(got.partition(b"\r\n\r\n")[2]) == [["x-a", "1"], ["x-a", "2"], ["x-empty", ""], ["x-latin", "caf\xe9"], ["x-u", "\xc3\xa4"], ["x-comma", "a, b"]]
    first = shop.get("/visits")
    cookie = first.headers["set-cookie"].split(";")[0]
    assert [first.json(), shop.get("/visits", headers={"cookie": cookie}).json(), shop.get("/visits").json()] == [1, 2, 1]


def test_fastapi_methods_and_statuses(shop):
    for code in (204, 304):
        for method in ("GET", "HEAD", "DELETE", "PUT"):
            answer = shop.request(method, "/status/%d" % code)
            assert (answer.status, answer.body, answer.headers["x-code"]) == (code, b"", str(code)), method
    for code in (200, 203, 299, 400, 418, 499, 500, 599):
        assert (lambda a: (a.status, a.text))(shop.get("/status/%d" % code)) == (code, "body")
    head = shop.request("HEAD", "/status/200")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "4")
    redirect = shop.get("/redirect")
    assert (redirect.status, redirect.headers["location"]) == (307, "/items/5?q=a%20b")
    preflight = shop.request("OPTIONS", "/items", headers={"origin": "https://shop.example", "access-control-request-method": "POST", "access-control-request-headers": "x-token"})
    assert preflight.status == 200 and preflight.headers["access-control-allow-origin"] == "https://shop.example", preflight.text
    assert shop.get("/items/5", headers={"origin": "https://shop.example"}).headers["access-control-allow-credentials"] == "true"
    assert shop.request("OPTIONS", "/items", headers={"origin": "https://evil.example", "access-control-request-method": "POST"}).status == 400
    assert shop.get("/items/5", headers={"host": "evil.org"}).status == 400
    assert shop.get("/items/5", headers={"host": "a.example.com"}).status == 200
    zipped = shop.get("/openapi.json", headers={"accept-encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"
    import gzip
    assert json.loads(gzip.decompress(zipped.body))["info"]["title"] == "Shop"
    streamed = shop.get("/stream?size=655360", headers={"accept-encoding": "gzip"})
    assert gzip.decompress(streamed.body) == bytes(range(256)) * 2560


def test_fastapi_routers_and_mounted_applications(shop):
    assert shop.get("/v1/api/one").json() == "/v1/api/one"
    base = "http://127.0.0.1:%d" % shop.port
    assert shop.get("/sub/hello/you").json() == ["you", "/sub", "/hello/you", base + "/sub/hello/you", "bound"]
    assert '/sub/openapi.json' in shop.get("/sub/docs").text


def test_fastapi_background(shop):
    before = shop.mark()
    assert shop.get("/behind").json() == "at once"
    for said in ("behind async 1 7", "behind plain 2", "task of its own"):
        shop.wait_log(said, since=before)


def test_fastapi_database(shop):
    assert post(shop, "/sql", ["a", "b"]).json() == ["a", "b"]


def test_fastapi_plain_functions_have_env(shop):
    assert post(shop, "/sql/plain", ["a", "b"]).json() == {"n": 2, "name": "b", "is_main": False}
    assert shop.get("/word/plain").json() == ["bound"] * 3
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(post(shop, "/sql/plain", ["c"]).json()["n"])) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(answers) == 10 and len(answers) == 8


# ---- bodies of any size, both ways ----

SIZE = 100 << 20
GROWTH_KB = 24 << 10    # what an instance may have more than before, while 100 MiB go through it
BLOCK = bytes(range(256)) * 256


def growth(shop, function):
    """What function() gives, and by how many KiB the largest instance has grown meanwhile."""
    before = largest(shop)
    most, over = [before], threading.Event()

    def look():
        while not over.wait(0.01):
            most.append(largest(shop))
    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        got = function()
    finally:
        over.set()
        watcher.join()
    return got, max(most) - before


def resident(pid):
    try:
        return rss_kb(pid)
    except (OSError, KeyError):
        return 0


def largest(shop):
    return max((resident(i.pid) for i in shop.instances()), default=0)


def read_all(shop, path):
    connection = shop.connection()
    connection.request("GET", path)
    answer, total = connection.getresponse(), 0
    while piece := answer.read(1 << 20):
        assert piece[:256] == BLOCK[:256]
        total += len(piece)
    connection.close()
    return total


def test_fastapi_streams_100_mb_in_flat_memory(shop):
    for kind in ("async", "plain"):
        total, grown = growth(shop, lambda: read_all(shop, "/stream?size=%d&kind=%s" % (SIZE, kind)))
        assert total == SIZE and grown < GROWTH_KB, (kind, grown)


def test_fastapi_takes_100_mb_in_flat_memory(shop):
    pieces = (BLOCK for n in range(SIZE // len(BLOCK)))
    got, grown = growth(shop, lambda: shop.request("POST", "/upload", pieces, {"content-length": str(SIZE)}).json())
    assert got[0] == SIZE and got[1] <= 1 << 20 and grown < GROWTH_KB, (got, grown)


def test_fastapi_a_slow_reader_slows_the_application(shop):
    before = shop.mark()
    connection = shop.connection()
    connection.request("GET", "/stream?size=%d&kind=told" % SIZE)
    answer = connection.getresponse()
    answer.read(1000)
    shop.wait_log("1 MiB are sent", since=before)
    for n in range(3):
        shop.get("/log")
    assert "20 MiB are sent" not in "\n".join(shop.log_lines()[before:])
    connection.close()


# ---- event streams, clients that leave ----


def test_fastapi_server_sent_events_arrive_one_by_one(shop):
    before = shop.mark()
    connection = shop.connection()
    connection.request("GET", "/events")
    answer = connection.getresponse()
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8" and "content-length" not in answer.headers
    for n, word in enumerate(["one", "two", "drei"], 1):
        assert shop.request("POST", "/say/" + word).status == 200
        lines = [answer.readline() for _ in range(3)]       # the next is said when this one was read
        assert lines == [b"id: %d\n" % n, b"data: %s\n" % word.encode(), b"\n"]
    answer.close()
    connection.close()
    shop.wait_log("events ended by CancelledError", since=before)
    shop.wait_log("events are over", since=before)


def test_fastapi_is_disconnected(shop):
    before = shop.mark()
    connection = shop.connection()
    connection.request("GET", "/bare/watch")
    shop.wait_log("watch begins", since=before)
    connection.close()
    shop.wait_log("watch saw it go", since=before)


def test_fastapi_answers_that_break(shop):
    before = shop.mark()
    with pytest.raises(http.client.IncompleteRead) as broken:
        shop.get("/breaks")
    assert broken.value.partial in (b"", b"first")
    shop.wait_log("amid the stream", since=before)
    assert shop.get("/length/8").text == "01234567"
    for wrong, says in ((9, "the body has 8 bytes, its Content-Length is 9"), (7, "longer than its Content-Length, 7")):
        before = shop.mark()
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            shop.get("/length/%d" % wrong)
        shop.wait_log(says, since=before)


def test_fastapi_upload_files_larger_than_they_stay_in_memory(shop):
    """Starlette keeps 1 MiB of each and puts the rest into a file, which is in the instance's own memory."""
    data = BLOCK * 160
    headers, body = multipart(("file", "large.bin", data))
    assert shop.request("POST", "/upload-file", body, headers).json()[:2] == ["large.bin", len(data)]
    before = largest(shop)
    for n in range(4):
        assert shop.request("POST", "/upload-file", body, headers).status == 200
    until("each goes with its request, which ends behind the answer", lambda: largest(shop) < before + 40_000)
