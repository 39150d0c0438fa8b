"""FastAPI, Flask and Django as they are, in workers: asgi and wsgi at work."""
import json

import pytest

ENTRY = """
from workers import WorkerEntrypoint, asgi, wsgi
import %s as module

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await %s.fetch(module.app, request, self.env, self.ctx)
"""
FASTAPI = """
import asyncio
from contextlib import asynccontextmanager
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, UploadFile, Form
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel
import asgi

app = FastAPI()

class Item(BaseModel):
    name: str
    price: float = 1

@app.on_event("startup")
async def started():
    app.state.word = "started"

@app.middleware("http")
async def mark(request, call_next):
    response = await call_next(request)
    response.headers["x-middle"] = "1"
    return response

@app.get("/items/{number}")
async def item(number: int, q: str = "", env=asgi.env):
    return {"number": number, "q": q, "word": env.WORD, "state": app.state.word}

@app.post("/items")
async def add(item: Item):
    return item

@app.get("/sync")
def in_a_thread():
    return "from a thread"

@app.post("/upload")
async def upload(title: str = Form(), file: UploadFile = None):
    return [title, file.filename, len(await file.read())]

@app.get("/stream")
async def stream():
    async def pieces():
        for n in range(200):
            yield f"{n:05}" * 200
    return StreamingResponse(pieces(), media_type="text/plain")

@app.get("/behind")
async def behind(tasks: BackgroundTasks):
    async def work():
        await asyncio.sleep(0.05)
        print("background of fastapi: done")
    tasks.add_task(work)
    return "at once"

@app.get("/cookies")
async def cookies(request: Request):
    response = PlainTextResponse(request.cookies["c"])
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response

@app.get("/wrong")
async def wrong():
    raise ValueError("wrong in fastapi")

@app.get("/teapot")
async def teapot():
    raise HTTPException(418, "no coffee")
"""
FLASK = """
from flask import Flask, Response, abort, jsonify, request, stream_with_context

app = Flask(__name__)

@app.route("/items/<int:number>")
def item(number):
    return jsonify(number=number, q=request.args.get("q"), word=request.environ["workers.env"].WORD)

@app.post("/form")
def form():
    return [request.form["title"], request.files["file"].filename, len(request.files["file"].read())]

@app.post("/json")
def take():
    return request.json

@app.route("/stream")
def stream():
    @stream_with_context
    def pieces():
        for n in range(200):
            yield f"{n:05}" * 200 if request.path == "/stream" else "wrong"
    return Response(pieces(), mimetype="text/plain")

@app.route("/cookies")
def cookies():
    response = Response(request.cookies["c"])
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response

@app.route("/wrong")
def wrong():
    raise ValueError("wrong in flask")

@app.route("/teapot")
def teapot():
    abort(418)
"""
DJANGO = """
import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

settings.configure(DEBUG=False, SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=["django.middleware.common.CommonMiddleware"])

def item(request, number):
    return JsonResponse({"number": number, "q": request.GET.get("q"), "word": request.environ["workers.env"].WORD})

async def item_asgi(request, number):       # the others run in a thread, which has no env
    return JsonResponse({"number": number, "q": request.GET.get("q"), "word": request.scope["env"].WORD})

def form(request):
    return JsonResponse([request.POST["title"], request.FILES["file"].name, request.FILES["file"].size], safe=False)

def stream(request):
    return StreamingHttpResponse((f"{n:05}" * 200 for n in range(200)), content_type="text/plain")

def cookies(request):
    response = HttpResponse(request.COOKIES["c"])
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response

urlpatterns = [path("items/<int:number>", item_asgi if "%(kind)s" == "asgi" else item), path("form", form), path("stream", stream), path("cookies", cookies)]
django.setup()
app = get_%(kind)s_application()
"""
MULTIPART = (b"--B\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\na title\r\n"
             b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.bin\"\r\n\r\n" + b"x" * 200_000 + b"\r\n--B--\r\n")
FORM = {"content-type": "multipart/form-data; boundary=B"}
STREAM = "".join("%05d" % n * 200 for n in range(200))


def framework(corral, kind, name, source):
    return corral({"src/entry.py": ENTRY % (name, kind), "src/%s.py" % name: source, ".dev.vars": "WORD=bound\n",
                   "requirements.txt": "fastapi\npython-multipart\nflask\ndjango\n"})


def check_cookies(one):
    answer = one.get("/cookies", headers={"cookie": "c=given; d=2"})
    assert answer.text == "given" and [c.split(";")[0] for c in answer.headers.get_all("set-cookie")] == ["a=1", "b=2"]


def test_fastapi(corral):
    one = framework(corral, "asgi", "shop", FASTAPI)
    answer = one.get("/items/5?q=%C3%A4")
    assert answer.json() == {"number": 5, "q": "ä", "word": "bound", "state": "started"}, answer.text
    assert answer.headers["x-middle"] == "1"
    assert one.get("/items/x").status == 422
    made = one.request("POST", "/items", json.dumps({"name": "n"}), {"content-type": "application/json"})
    assert made.json() == {"name": "n", "price": 1}
    assert one.get("/sync").json() == "from a thread"
    assert one.request("POST", "/upload", MULTIPART, FORM).json() == ["a title", "f.bin", 200_000]
    assert one.get("/stream").text == STREAM
    head = one.request("HEAD", "/items/5")
    assert (head.status, head.body) == (405, b"")
    check_cookies(one)
    before = one.mark()
    assert one.get("/behind").json() == "at once"
    one.wait_log("background of fastapi: done", since=before)
    assert one.get("/wrong").status == 500
    one.wait_log("wrong in fastapi", since=before)
    teapot = one.get("/teapot")
    assert (teapot.status, teapot.json()) == (418, {"detail": "no coffee"})
    assert "openapi" in one.get("/openapi.json").json()


def test_flask(corral):
    one = framework(corral, "wsgi", "shop", FLASK)
    answer = one.get("/items/5?q=%C3%A4")
    assert answer.json() == {"number": 5, "q": "ä", "word": "bound"}, answer.text
    assert answer.headers["content-length"] == str(len(answer.body))
    assert one.request("POST", "/form", MULTIPART, FORM).json() == ["a title", "f.bin", 200_000]
    assert one.request("POST", "/json", '{"a": [1]}', {"content-type": "application/json"}).json() == {"a": [1]}
    assert one.get("/stream").text == STREAM
    head = one.request("HEAD", "/items/5")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(one.get("/items/5").body)))
    check_cookies(one)
    assert one.get("/wrong").status == 500
    one.wait_log("wrong in flask")
    assert [one.get(p).status for p in ("/teapot", "/nowhere")] == [418, 404]


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_django(corral, kind):
    one = framework(corral, kind, "shop", DJANGO % {"kind": kind})
    answer = one.get("/items/5?q=%C3%A4")
    assert answer.json() == {"number": 5, "q": "ä", "word": "bound"}, answer.text
    assert one.request("POST", "/form", MULTIPART, FORM).json() == ["a title", "f.bin", 200_000]
    assert one.get("/stream").text == STREAM
    check_cookies(one)
    assert one.get("/nowhere").status == 404
