"""Workers with packages as people write them for Cloudflare, of three ages; package_samples/ has them, a project per age runs its own."""
import http.server
import json
import struct
import threading
from pathlib import Path

import pytest

from conftest import assert_clean, finish, start
from harness import DEADLINE, until, write_project
from package_index import PackageIndex, wheel
from sample_origin import good
from test_class_samples import form_of
from websocket_client import closed, connect, run


HERE = Path(__file__).parent / "package_samples"


# What is written wrong most often: the body of a handler of a class, and what the log says of it.
MISTAKES = [
    ("import htpx", "did you mean `httpx`?"),
    ("from PIL import Image", "'PIL' is the package pillow, which is built in: add the line `pillow`"),
    ("import yaml", "add the line `pyyaml`"),
    ("import sklearn.linear_model", "'sklearn' is the package scikit-learn: add the line `scikit-learn` to requirements.txt"),
    ("import psycopg", "add the line `psycopg` .*but a worker has no sockets of its own"),
    ("import redis.asyncio", "add the line `redis` .*or use D1"),
    ("import uvicorn", "a worker needs no server: `return await asgi.fetch"),
    ("import pip", r"`await micropip.install\('NAME'\)` brings one"),
    ("import pyodide_http", "`pyodide_http` is not needed"),
    ("import langchain_community.llms", "name it in requirements.txt"),
    ("import helpers.things", "put helpers.py into the worker's folder"),
    ("from pydantic import field_validator", "this is pydantic 1.*the line `pydantic>=2` in requirements.txt"),
    ("Model().model_dump()", "this is pydantic 1.*the line `pydantic>=2`"),
    ("Model.model_validate({})", "this is pydantic 1"),
    ("from starlette.testclient import Nope", "this is starlette .*another version may have it, `starlette>"),
    ("httpx.Nope", "this is httpx .*another version may have it"),
    ("await asgi.fetch(app)", r"\(`await asgi.fetch\(app, request, self.env\)`: the application, the request"),
    ("await asgi.fetch(app, request)", "the environment for request.scope"),
    ("await asgi.fetch(request, app, self.env)", "request is FastAPI, not the request that the handler was given"),
    ("await wsgi.fetch(request, flasked, self.env)", "request is Flask, not the request that the handler was given"),
    ("await asgi.fetch(flasked, request, self.env)", r"`from workers import wsgi`, `await wsgi.fetch\(app"),
    ("await wsgi.fetch(app, request, self.env)", r"`from workers import asgi`, `await asgi.fetch\(app"),
    ("return app(request, self.env)", "an application of ASGI, as FastAPI's are"),
    ("return app", r"Return await asgi.fetch\(app, request, self.env\)"),
    ("return flasked", r"Return await wsgi.fetch\(app, request, self.env\)"),
    ("return JSONResponse({})", r"Return await asgi.fetch\(answer, request, self.env\)"),
    ("return Model()", r"Return Response.json\(data.dict\(\)\)"),
    ("return requests.get(self.env.ORIGIN + '/json')", r"Return Response\(answer.content, status=answer.status_code\)"),
    ("await requests.get(self.env.ORIGIN + '/json')", "leave out the `await`"),
    ("httpx.AsyncClient().get(self.env.ORIGIN).text", "a coroutine: `await` it first"),
    ("return Response.json(Model())", r"a model of pydantic: value.dict\(\)"),
    ("return Response.json({'a': numpy.arange(3)})", r"value.tolist\(\)"),
    ("return Response.json({'a': numpy.float32(3)})", r"value.item\(\)"),
    ("return Response.json({'a': datetime.datetime(2024, 1, 1)})", r"value.isoformat\(\)"),
    ("return Response.json({'a': {1, 2}})", r"list\(value\)"),
    ("return await asgi.fetch(reads('request.env'), request, self.env)", r'the environment is request.scope\["env"\]'),
    ("return await asgi.fetch(reads('env.MESSAGE'), request, self.env)", "`env` is given to the handler"),
    ("return await asgi.fetch(reads('request.scope[\"env\"].NOPE'), request, self.env)", "the worker's configuration gives no `NOPE`"),
    ("StaticFiles(directory='pages')", r'pathlib.Path\(__file__\).parent / "pages"'),
    ("open('pages/a.html')", r'pathlib.Path\(__file__\).parent / "pages/a.html"'),
    ("open('a.txt', 'w')", "those below /tmp"),
    ("os.environ['MESSAGE']", "`self.env` in a class"),
    ("with_form()", "add the line `python-multipart`"),
    ("subprocess.run([sys.executable, '-m', 'pip', 'install', 'x'])", "a worker cannot start processes"),
    ("multiprocessing.Pool(2)", "a worker cannot start processes"),
    ("socket.create_connection(('127.0.0.1', 5432))", "a worker has no sockets of its own"),
    ("importlib.metadata.version('pillow')", "PackageNotFoundError"),
    ("await micropip.install('nope', index_urls=self.env.INDEX)", "Can't find a pure Python 3 wheel for 'nope'|Can't fetch metadata for 'nope'"),
    ("await micropip.install('fastapi==0.1', index_urls=self.env.INDEX)", "fastapi"),
    ("WebSocketPair.new(); return JsResponse.new(None, status=101, webSocket=WebSocketPair.new().object_values()[0])", 'did not contain the header "Upgrade: websocket"'),
]
MISTAKEN = """\
import asyncio, datetime, importlib.metadata, multiprocessing, os, socket, subprocess, sys
import httpx, micropip, numpy, requests
import asgi
from fastapi import FastAPI, Form, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from flask import Flask
from js import Response as JsResponse, WebSocketPair
from pydantic import BaseModel
from workers import Response, WorkerEntrypoint, wsgi

class Model(BaseModel):
    a: int = 1

app, flasked = FastAPI(), Flask(__name__)

def reads(what):
    app = FastAPI()
    @app.get("/{n}")
    async def read(request: Request):
        return eval(what) if what.startswith("request") else env.MESSAGE
    return app

def with_form():
    @app.post("/form")
    def form(a: str = Form()):
        return a

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await getattr(self, "m" + request.url.rsplit("/", 1)[1])(request)

%s
""" % "\n".join("    async def m%d(self, request):\n        %s\n        return Response('fine')\n" % (n, code) for n, (code, _) in enumerate(MISTAKES))

# Code outside of handlers, and what is said of it.
TOP = [
    ("from fastapi import FastAPI\napp = FastAPI()\n", r"entry.py defines no fetch handler[\s\S]*return await asgi.fetch\(app, request, self.env\)"),
    ("from flask import Flask\napplication = Flask(__name__)\n", r"return await wsgi.fetch\(application, request, self.env\)"),
    ("""
from contextlib import asynccontextmanager
from typing import Annotated
from fastapi import Depends, FastAPI, Header
from workers import WorkerEntrypoint, asgi
@asynccontextmanager
async def lifespan(app):
    yield
api = FastAPI(lifespan=lifespan)
def token(x_token: Annotated[str, Header()]):
    return x_token
@api.get("/")
def shown(who: Annotated[str, Depends(token)] = ""):
    return who
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(api, request, self.env)
""", r"`api = FastAPI\(lifespan=...\)` does nothing in FastAPI 0.92[\s\S]*`who` of shown\(\) is taken for a plain parameter.*`fastapi>=0.95`"),
    ("""
from typing import Annotated
from fastapi import Depends, FastAPI
class Db: pass
@FastAPI().get("/")
def shown(db: Annotated[Db, Depends(Db)]): pass
""", "this is FastAPI 0.92.0: what stands in `Annotated` is known from 0.95 on"),
    ("import requests\nrequests.get('http://127.0.0.1:1/')\n", "Send it in a handler"),
    ("import micropip\nawait micropip.install('x')\n", "`await` stands in a function"),
    ("from flask import Flask\nFlask(__name__).run()\n", "a worker has no sockets of its own"),
    ("import pandas as pd\n", "'pandas' is the package pandas: add the line `pandas` to requirements.txt"),
]


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        if "chunked" in self.headers.get("transfer-encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(length)
        status, kind, text, path = 200, "application/json", json.dumps({"path": self.path}), self.path.partition("?")[0]
        if path == "/echo":
            text = json.dumps({"method": self.command, "body": body.decode(), "headers": {k.lower(): v for k, v in self.headers.items()}})
        elif path == "/page":
            kind = "text/html"
            text = "<html><title>Shop &amp; more</title><ul><li><a href='/a'>a</a><li><a href=b/c>b</a></ul>"
        elif path == "/lines":
            kind, text = "text/plain", "one\ntwo\n"
        elif path.startswith("/busy/"):
            self.server.busy[path] = self.server.busy.get(path, 0) + 1
            status, text = (503, "busy") if self.server.busy[path] < 3 else (200, "after %d" % self.server.busy[path])
        elif path == "/missing":
            status = 404
        elif path == "/v1/chat":
            asked, key = json.loads(body), self.headers["authorization"].removeprefix("Bearer ")
            if asked["message"] == "limited":
                status, text = 429, json.dumps({"error": "slow down"})
            elif asked.get("stream"):
                kind, text = "text/event-stream", "".join('data: {"text": "%s"}\n\n' % piece for piece in ("Hel", "lo")) + "data: [DONE]\n\n"
            else:
                text = json.dumps({"text": "Hello", "key": key})
        self.send_response(status)
        for name, value in (("content-type", kind), ("content-length", str(len(text.encode()))), ("x-agent", self.headers.get("user-agent", ""))):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = do_HEAD = answer


SHOP_AI = {"shop_ai/__init__.py": """\
from ._client import AsyncShopAI, ShopAI
from ._version import __version__
__all__ = ["AsyncShopAI", "ShopAI"]
""", "shop_ai/_version.py": "__version__ = '1.12'\n", "shop_ai/errors.py": """\
class APIError(Exception): pass
class RateLimited(APIError): pass
""", "shop_ai/_client.py": """\
import json, os, platform
import anyio, distro, httpx
from pydantic import BaseModel
from .errors import APIError, RateLimited

class Message(BaseModel):
    message: str
    stream: bool = False

def headers(key):
    return {"Authorization": f"Bearer {key or os.environ['SHOP_AI_KEY']}", "X-OS": platform.system(), "X-Distro": distro.id()}

def checked(answer):
    if answer.status_code == 429:
        raise RateLimited(answer.json()["error"])
    answer.raise_for_status()
    return answer

def piece(line):
    return json.loads(line[6:])["text"] if line.startswith("data: {") else ""

class _Chat:
    def __init__(self, http):
        self.http = http
    def create(self, message):
        return checked(self.http.post("/v1/chat", json=Message(message=message).dict())).json()
    def stream(self, message):
        with self.http.stream("POST", "/v1/chat", json=Message(message=message, stream=True).dict()) as answer:
            yield from filter(None, map(piece, answer.iter_lines()))

class _AsyncChat:
    def __init__(self, http):
        self.http = http
    async def create(self, message):
        for attempt in range(2):
            answer = await self.http.post("/v1/chat", json=Message(message=message).dict())
            if answer.status_code != 429:
                break
            await anyio.sleep(0.001)
        return checked(answer).json()
    async def stream(self, message):
        async with self.http.stream("POST", "/v1/chat", json=Message(message=message, stream=True).dict()) as answer:
            async for line in answer.aiter_lines():
                if piece(line):
                    yield piece(line)

class ShopAI:
    def __init__(self, api_key=None, base_url=""):
        self.chat = _Chat(httpx.Client(base_url=base_url, headers=headers(api_key), limits=httpx.Limits(max_connections=100), timeout=600))

class AsyncShopAI:
    def __init__(self, api_key=None, base_url=""):
        self.chat = _AsyncChat(httpx.AsyncClient(base_url=base_url, headers=headers(api_key), http2=False, timeout=httpx.Timeout(600, connect=5)))
"""}
SHOP_CHAIN = {"shop_chain/__init__.py": "", "shop_chain/prompts/__init__.py": """\
from importlib import import_module
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from .template import PromptTemplate
def __getattr__(name):
    return getattr(import_module(".template", __name__), name)
""", "shop_chain/prompts/template.py": """\
from string import Formatter
from pydantic import BaseModel, root_validator
from ..runnables import Runnable
class PromptTemplate(BaseModel, Runnable):
    template: str
    input_variables: list[str]
    @classmethod
    def from_template(cls, template):
        return cls(template=template, input_variables=[f for _, f, _, _ in Formatter().parse(template) if f])
    @root_validator
    def known(cls, values):
        assert values["input_variables"]
        return values
    def format(self, **values):
        return self.template.format(**values)
    async def ainvoke(self, values):
        return self.format(**values)
""", "shop_chain/runnables.py": """\
import inspect
class Runnable:
    def __or__(self, other):
        return Chain(self, other)
class Chain(Runnable):
    def __init__(self, *steps):
        self.steps = steps
    async def ainvoke(self, value):
        for step in self.steps:
            value = await step.ainvoke(value)
        return value
class RunnableLambda(Runnable):
    def __init__(self, function):
        self.function = function
    async def ainvoke(self, value):
        made = self.function(value)
        return await made if inspect.isawaitable(made) else made
"""}
NEST = """\
import asyncio, heapq, sys
from contextlib import contextmanager
def apply(loop=None):
    loop = loop or asyncio.get_event_loop()
    if not isinstance(loop, asyncio.BaseEventLoop):
        raise ValueError("Can't patch loop of type %s" % type(loop))
    cls = loop.__class__
    def run_until_complete(self, future):
        raise NotImplementedError
"""


@pytest.fixture(scope="module")
def index():
    with PackageIndex() as one:
        one.add(wheel("shop-ai", "1.12", SHOP_AI, requires=["httpx<1,>=0.23", "anyio>=3.5", "distro", "pydantic>=1.9"], requires_python=">=3.7.1"),
                wheel("shop-chain", "0.1.8", SHOP_CHAIN, requires=["pydantic<3,>=1"]),
                wheel("shop-plugins", "2.0", {"shop_plugins/__init__.py": "def double(n):\n    return 2 * n\n", "shop_plugins/data.txt": "some data"},
                      entry_points="[shop.plugins]\ndouble = shop_plugins:double\n[console_scripts]\nshop = shop_plugins:main\n"),
                wheel("nest-asyncio", "1.6", {"nest_asyncio.py": NEST}),
                wheel("uvicorn", "0.20", {"uvicorn/__init__.py": "def run(app, **options):\n    raise SystemExit('a server')\n"}),
                wheel("lorem-words", "0.1", {"lorem_words.py": "def words(n):\n    return ' '.join(['lorem', 'ipsum', 'dolor'][:n])\n"}),
                wheel("pandas", "2.2.2", tag="cp312-cp312-win_amd64"))
        yield one


@pytest.fixture(scope="module")
def origin():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    server.daemon_threads, server.busy = True, {}
    server.url = "http://127.0.0.1:%d" % server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def serve(path, folder, files, origin, index):
    """A running project of all that is in the folder; yields ask(sample, path, ...)."""
    found = {"src/%s" % file.relative_to(HERE / folder): file.read_text()
             for file in (HERE / folder).rglob("*") if file.is_file() and file.suffix != ".pyc"}
    write_project(path, {**found, **files})
    one = start(path, None, "--var", "MESSAGE:hi", "--var", "ORIGIN:" + origin.url, "--var", "INDEX:" + index.url,
                env={"CORRAL_TEST_INSTANCES": "1"},     # what one request leaves behind the next one finds, also on a busy machine
                ready=False)
    try:
        one.wait_ready(4 * DEADLINE)    # it installs thirty packages and imports most of them
    except BaseException:
        finish(one)
        raise

    def ask(sample, path="/", method="GET", body=None, **headers):
        if isinstance(body, (dict, list)):
            body, headers = json.dumps(body), {"content_type": "application/json", **headers}
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return one.request(method, path, body.encode() if isinstance(body, str) else body, {**headers, "x-sample": sample})
    ask.node = one
    yield ask
    survived = one.is_running()
    finish(one)
    assert survived
    assert_clean()


@pytest.fixture(scope="module")
def functions(tmp_path_factory, origin, index):
    yield from serve(tmp_path_factory.mktemp("functions"), "functions", {
        "requirements.txt": f"--extra-index-url {index.url}\nfastapi\nhttpx\nmicropip\nrequests\njinja2\nshop-chain\n"}, origin, index)


PYPROJECT = """\
[project]
name = "samples"
version = "0.1.0"
description = "Python workers"
readme = "README.md"
requires-python = ">=3.12"
dependencies = [
    "webtypy>=0.1.7",
    "fastapi",
    "httpx",
    "requests", "aiohttp", "certifi", "packaging",
    "jinja2", "python-multipart", "pyjwt",
    "beautifulsoup4", "lxml", "pyyaml", "numpy", "pillow",
    "flask", "django", "itsdangerous",
    "shop-ai>=1", "shop-chain==0.1.8", "shop-plugins", "nest-asyncio", "uvicorn",
]

[dependency-groups]
dev = ["workers-py", "workers-runtime-sdk", "pytest>=8"]

[tool.uv]
package = false

[[tool.uv.index]]
url = "INDEX"
default = true
"""


@pytest.fixture(scope="module")
def classes(tmp_path_factory, origin, index):
    yield from serve(tmp_path_factory.mktemp("classes"), "classes", {
        "pyproject.toml": PYPROJECT.replace("INDEX", index.url), "uv.lock": 'version = 1\nrequires-python = ">=3.12"\n', "package.json": '{"private": true}',
        ".dev.vars": "API_KEY=sk-demo\n",
        "wrangler.jsonc": json.dumps({"name": "samples", "main": "src/entry.py", "compatibility_date": "2026-05-01", "compatibility_flags": ["python_workers"],
                                      "d1_databases": [{"binding": "DB", "database_name": "db", "database_id": "x"}]})}, origin, index)


def test_functions(functions):
    ask = functions
    assert good(ask("fastapi_first")).json() == {"message": "Hello World"}
    assert good(ask("fastapi_first", "/env")).json()["message"].endswith(": hi")
    assert good(ask("fastapi_first", "/items/", "POST", {"name": "a", "price": "1.5"})).json()["price"] == 1.5
    assert ask("fastapi_first", "/items/", "POST", {"name": "a"}).status == 422
    assert good(ask("fastapi_late")).json() == {"late": True} and ask("fastapi_late", "/no").json() == {"detail": "a teapot"}
    assert good(ask("talk")).json() == {"status": 200, "path": "/json"}
    assert good(ask("talk", "/installed")).json() == {"words": "lorem ipsum dolor"}
    failing = ask("talk", "/failing")
    assert failing.status == 500
    ask.node.wait_log(r"Can't find a pure Python 3 wheel for 'pandas==2\.2\.2'")
    assert good(ask("prompts")).text == "Complete the following sentence: I am a electrician and "
    echoed = good(ask("fetched")).json()
    assert (echoed["method"], echoed["body"], echoed["headers"]["x-from"]) == ("POST", "a=1", "worker")
    assert good(ask("with_jinja", "/?name=%3CZo%C3%AB%3E")).text == "<p>hi, &lt;Zoë&gt;!</p>"
    assert good(ask("pyfetched")).text == "/json"


def test_fastapi_of_the_documentation(classes):
    ask = classes
    assert good(ask("items")).json() == {"message": "Hello, World!"} and good(ask("items", "/env")).json()["message"].endswith("hi")
    assert good(ask("items", "/items/", "POST", {"name": "a", "price": 1})).json() == {"name": "a", "description": None, "price": 1, "tax": None}
    assert good(ask("items", "/items/3?q=x", "PUT", {"name": "a", "price": 1})).json()["q"] == "x"
    assert ask("items", "/items/x").status == 422
    assert good(ask("items", "/openapi.json")).json()["info"]["title"] == "FastAPI" and "swagger" in good(ask("items", "/docs")).text
    assert good(ask("served")).json() == {"Hello": "World"}


def test_fastapi_of_some_size(classes):
    ask = classes
    made = ask("big", "/api/v1/users", "POST", {"name": "zoë", "colour": "blue"})
    assert (made.status, made.json()) == (201, {"name": "Zoë", "colour": "blue", "born": None}), made.text
    assert ask("big", "/api/v1/users", "POST", {"name": "z1"}).json() == {"invalid": ["body.name"]}
    assert good(ask("big", "/api/v1/search?q=ab&tag=1&tag=2", cookie="session=s", x_token="t")).json() == {"q": "ab", "tag": ["1", "2"], "token": "t", "session": "s"}
    assert good(ask("big", "/api/v1/plain")).json() == {"greeting": "hi", "answer": "/json?a=1+2"}
    assert good(ask("big", "/api/v1/d1")).json() == [{"text": "one"}]
    assert good(ask("big", "/api/v1/d1-plain")).json() == {"one": 1, "two": "x"}
    assert good(ask("big", "/api/v1/threads")).json() == [499500] * 3
    page = good(ask("big", "/page"))
    assert "<h1>Hello &lt;b&gt;</h1><li>a</li><li>b</li>" in page.text and "/page" in page.text
    kind, body = form_of(('name="files"; filename="a.txt"', "Content-Type: text/plain\r\n", b"abc"), ('name="files"; filename="b.bin"', "", b"\0" * 2_000_000), ('name="note"', "", b"n"))
    assert good(ask("big", "/upload", "POST", body, content_type=kind)).json() == {
        "note": "n", "files": [{"name": "a.txt", "type": "text/plain", "size": 3}, {"name": "b.bin", "type": None, "size": 2_000_000}]}
    kind, body = form_of(('name="file"; filename="s.txt"', "Content-Type: text/plain\r\n", b"abc" * 500))
    saved = good(ask("big", "/save", "POST", body, content_type=kind))
    assert saved.body == b"abc" * 500 and saved.headers["content-type"].startswith("text/x-saved"), saved.headers
    assert good(ask("big", "/numbers")).text == good(ask("big", "/plain-numbers")).text == "0\n1\n2\n3\n4\n"
    events = good(ask("big", "/events"))
    assert events.headers["content-type"].startswith("text/event-stream") and events.text.count("event: tick") == 3
    assert good(ask("big", "/csv")).text == 'a,b\r\n1,"x,y"\r\n'
    asked = ask("big", "/page", "OPTIONS", origin="https://app.example", access_control_request_method="POST")
    assert asked.headers["access-control-allow-origin"] == "https://app.example"
    assert ask("big", "/token", "POST", "username=a&password=b", content_type="application/x-www-form-urlencoded").status == 401
    token = good(ask("big", "/token", "POST", "username=zoe&password=demo-password", content_type="application/x-www-form-urlencoded")).json()["access_token"]
    assert good(ask("big", "/me", authorization="Bearer " + token)).json() == {"me": "zoe"} and ask("big", "/me", authorization="Bearer x").status == 401
    assert good(ask("big", "/cookie")).headers.get_all("set-cookie") == ['session="a b"; HttpOnly; Path=/; SameSite=lax', "other=1; Path=/; SameSite=lax"]
    assert ask("big", "/raise").status == 500
    ask.node.wait_log("RuntimeError: broken on purpose")
    until("what comes behind an answer is done", lambda: set(good(ask("big", "/logged")).json()["done"]) == {"closed", "Zoë"})
    ask.node.wait_log("INFO:big:a line of the log")
    ask.node.wait_log("WARNING:big:numbers 3")


def test_fastapi_of_many_modules(classes):
    def ask(path, *more, **headers):
        return classes("tree", path, *more, **headers)
    assert good(ask("/users/3")).json() == {"n": 3, "open": True, "url": classes.node.url.replace("localhost", "127.0.0.1") + "/base/users/5"}
    static = good(ask("/static/a.txt"))
    assert static.text == good(ask("/file")).text == "hello a" and ask("/static/a.txt", if_none_match=static.headers["etag"]).status == 304
    assert good(ask("/static/")).text == "<h1>index</h1>" and ask("/static/../tree.py").status == ask("/static/%2e%2e/tree.py").status == 404
    assert good(ask("/sub/x")).json() == {"root": "/base/sub"} and good(ask("/background")).text == "begun"
    until("the work is done", lambda: ask("/done").json() == [1])
    for path in ("/state", "/self", "/test"):
        assert good(ask(path)).json() == {"started": True}, path
    assert good(ask("/threads")).json() == ["thread", "timer"] and good(ask("/limited")).json() == [0, 1, 2, 3, 4] and good(ask("/late")).json() == "late"
    assert good(ask("/any", "PATCH", "text", x_test="1")).json() == {"method": "PATCH", "body": "text", "header": "1"}
    assert "/users/{n}" in good(ask("/openapi.json")).json()["paths"]


def test_websockets(classes):
    async def chat():
        ws = await connect(classes.node, "/ws/7", extra_headers={"x-sample": "big"})
        await ws.send("hello")
        assert json.loads(await ws.recv()) == {"you": "hello", "greeting": "hi"}
        assert await ws.recv() == "Client #7 says: hello"
        other = await connect(classes.node, "/room?name=zoe", extra_headers={"x-sample": "chat"}, subprotocols=["x", "chat"])
        assert json.loads(await other.recv()) == {"welcome": "zoe"}
        await other.send('{"a": 1}')
        assert json.loads(await other.recv()) == {"back": {"a": 1}}
        await other.send('"bye"')
        assert await closed(other) == (4001, "as you like")
        await ws.close()
    run(chat())
    one = good(classes("chat"))
    assert one.text == "<h1>1</h1>" and good(classes("chat", cookie=one.headers["set-cookie"].partition(";")[0])).text == "<h1>2</h1>"


def test_pages_of_others(classes, origin):
    assert good(classes("scrape")).json() == {"title": "Shop & more", "links": [origin.url + "/a", origin.url + "/b/c"], "same": ["/a", "b/c"], "agent": "sample/1.0"}
    said = good(classes("clients_of_all")).json()
    for library in ("aiohttp", "requests", "httpx", "blocking", "urllib", "urllib3", "fetch"):
        assert json.loads(said[library]["body"]) == {"text": "grüezi"}, library
        assert said[library]["headers"]["content-type"].startswith("application/json")
    assert said["several"] == ["/json?n=0", "/json?n=1", "/json?n=2"] and said["retried"] == "after 3" and said["lines"] == ["one", "two"] * 2
    assert (said["missing"], said["refused"]) == (404, True)
    assert good(classes("sdk")).json() == {"answer": "Hello", "limited": "slow down"} and good(classes("sdk", "/blocking")).text == "Hello sk-demo"
    assert good(classes("sdk", "/stream")).text == "data: Hel\n\ndata: lo\n\n"
    assert good(classes("prompt")).text == "Complete the following sentence: I am a electrician and I like hi"


def test_pictures(classes):
    png = good(classes("picture"))
    assert png.body[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", png.body[16:24]) == (64, 32)
    small = good(classes("picture", "/", "POST", png.body))
    assert small.body[:2] == b"\xff\xd8" and small.headers["content-type"] == "image/jpeg"
    assert good(classes("picture", "/numbers")).json() == {"mean": [4, 5, 6, 7], "norm": pytest.approx(22.494444), "inv": [[0.5, 0], [0, 0.5]], "random": 2, "old": 3}


def test_surroundings(classes):
    assert good(classes("surroundings")).json() == {
        "versions": ["2.0", True, True], "settings": {"message": "hi", "number": 7}, "files": ["a.txt", "b.txt"], "zip": True, "total": 3, "plugins": {"double": 4},
        "pool": [0, 1, 4, 9], "map": [25, 36], "data": "some data", "cpu": True, "main": "MainProcess", "certifi": True, "platform": [True, True], "cwd": True}
    classes.node.wait_log(r"\[DEBUG\] sample: a line of surroundings")
    looped = good(classes("loops")).json()
    assert looped.pop("nested").startswith("ValueError") and looped == {"in a thread": 2, "group": [0, 2, 4], "queue": [0, 2], "run": 6}
    installed = good(classes("installs")).json()
    assert installed["words"] == "lorem ipsum" and installed["listed"] and installed["said"][0] == "Can't find a pure Python 3 wheel for 'pandas==2.2.2'."


def test_wsgi(classes, origin):
    ask = classes
    assert good(ask("flasked")).text == "<p>Hello, World!</p>" and good(ask("flasked", "/pages/3")).text == "<h1>3 hi</h1>"
    kind, body = form_of(('name="a"', "", b"1"), ('name="f"; filename="x"', "", b"abc"))
    assert good(ask("flasked", "/echo?q=1", "POST", body, content_type=kind)).json() == {"form": {"a": "1"}, "json": None, "files": {"f": 3}, "args": {"q": "1"}}
    assert good(ask("flasked", "/echo", "POST", {"a": [1]})).json()["json"] == {"a": [1]}
    first = good(ask("flasked", "/visits"))
    assert good(ask("flasked", "/visits", cookie=first.headers["set-cookie"].partition(";")[0])).json() == {"n": 2}
    assert good(ask("flasked", "/fetched")).json() == {"path": "/json"} and good(ask("flasked", "/lines")).text == "/lines 0\n/lines 1\n/lines 2\n"
    assert (ask("flasked", "/no").status, ask("flasked", "/no").json()) == (404, {"error": "nothing here"})
    assert good(ask("djangoed")).text == "hello from Django 3" and good(ask("djangoed", "/show/3/?q=a+b")).json() == {"number": 3, "q": "a b", "greeting": "hi"}
    assert ask("djangoed", "/show/3").headers["location"] == "/show/3/" and ask("djangoed", "/no/").status == 404


def test_mistakes(shared_corral, origin, index):
    one = shared_corral({"src/entry.py": MISTAKEN, "src/pages/a.html": "", "requirements.txt": "fastapi\nflask\nhttpx\nrequests\nnumpy\npydantic\n",
                         "wrangler.toml": 'name = "m"\nmain = "src/entry.py"\ncompatibility_date = "2026-05-01"\ncompatibility_flags = ["python_workers"]\n'},
                        "--var", "MESSAGE:hi", "--var", "ORIGIN:" + origin.url, "--var", "INDEX:" + index.url)
    for n, (code, said) in enumerate(MISTAKES):
        mark = one.mark()
        answer = one.get("/%d" % n)
        assert answer.status == 500, (code, answer.text)
        one.wait_log(said, since=mark)
    for code, said in TOP:
        mark = one.mark()
        one.write("src/entry.py", code)
        one.wait_log(said, since=mark)
    assert one.is_running()
