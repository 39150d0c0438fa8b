"""Django as a whole project, by wsgi and by asgi, and Flask with what it has: docs/compatibility.md names these tests."""

import threading

import pytest

from harness import until

CONFIG = """\
name = "site"
main = "src/entry.py"
compatibility_date = "2025-10-01"
compatibility_flags = ["python_workers"]
[vars]
WORD = "bound"
[[d1_databases]]
binding = "DB"
database_name = "site"
database_id = "00000000-0000-0000-0000-000000000007"
"""
ENTRY = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
from workers import WorkerEntrypoint, asgi, wsgi
from mysite.wsgi import application as by_wsgi
from mysite.asgi import application as by_asgi

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        kind = request.headers.get("x-kind")
        if kind == "asgi":
            return await asgi.fetch(by_asgi, request, self.env, self.ctx)
        return await wsgi.fetch(by_wsgi, request, self.env, self.ctx)
"""
SETTINGS = """
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "not so secret"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles", "blog"]
MIDDLEWARE = [
    "blog.middleware.first", "django.middleware.security.SecurityMiddleware", "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.locale.LocaleMiddleware", "blog.middleware.Second",
]
ROOT_URLCONF = "mysite.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE_DIR / "templates"], "APP_DIRS": True,
              "OPTIONS": {"context_processors": ["django.template.context_processors.request", "django.contrib.messages.context_processors.messages"]}}]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "assets"]
USE_TZ = True
USE_I18N = True
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
"""
VIEWS = """
import asyncio
import threading
import time
from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.db import connection
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView
from pyodide.ffi import run_sync
from .models import Entry

class Comment(forms.Form):
    name = forms.CharField(max_length=10)
    mail = forms.EmailField()
    file = forms.FileField(required=False)

def env_of(request):
    return request.scope["env"] if hasattr(request, "scope") else request.environ["workers.env"]

def index(request):
    request.session["n"] = request.session.get("n", 0) + 1
    messages.info(request, "visited")
    return render(request, "blog/index.html", {"items": Paginator(["<a>", "b", "c"], 2).page(1), "n": request.session["n"], "now": timezone.now()})

@csrf_exempt
def comment(request):
    form = Comment(request.POST, request.FILES)
    if not form.is_valid():
        return JsonResponse(form.errors, status=422)
    file = form.cleaned_data["file"]
    return JsonResponse({"name": form.cleaned_data["name"], "file": file and [file.name, file.size, file.content_type]})

def protected(request):
    if request.method == "POST":
        return HttpResponse("posted " + request.POST["a"])
    return render(request, "blog/form.html")

def stream(request, kind):
    def pieces():
        for n in range(100):
            yield "%04d" % n * 100
    if kind == "file":
        import io
        return FileResponse(io.BytesIO(b"x" * 100_000), as_attachment=True, filename="x.bin")
    return StreamingHttpResponse(pieces())

async def not_sync(request):
    await asyncio.sleep(0.001)
    found = await env_of(request).DB.prepare("SELECT 6 AS n").first()
    return JsonResponse({"n": found.n, "kind": type(request).__name__})

def from_database(request):
    time.sleep(0.001)
    found = run_sync(env_of(request).DB.prepare("SELECT 7 AS n").first())
    return JsonResponse({"n": found.n, "word": env_of(request).WORD})

class Item(View):
    def get(self, request, slug, number):
        return JsonResponse([slug, number, reverse("blog:item", args=[slug, number]), request.GET.getlist("q"), request.build_absolute_uri(), request.META["REMOTE_ADDR"],
                             request.headers.get("X-Some"), request.order], safe=False)
    def put(self, request, slug, number):
        return HttpResponse(request.body.decode() + request.content_type, status=202)

def fails(request, how):
    if how == "404":
        raise Http404("nothing here")
    local_value = "seen on the page"
    raise ValueError("wrong in a view")

def orm(request):
    with connection.schema_editor() as editor:
        editor.create_model(Entry)
    Entry.objects.create(title="first")
    try:
        return JsonResponse(list(Entry.objects.filter(title__startswith="f").values_list("id", "title")), safe=False)
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Entry)

def cached(request):
    return HttpResponse(str(cache.get_or_set("n", lambda: 5)))
"""
FILES = {
    "wrangler.toml": CONFIG,
    "requirements.txt": "django\n",
    "src/entry.py": ENTRY,
    "src/mysite/__init__.py": "",
    "src/mysite/settings.py": SETTINGS,
    "src/mysite/wsgi.py": "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
    "src/mysite/asgi.py": "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n",
    "src/mysite/urls.py": """
from django.conf import settings
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import include, path
urlpatterns = [path("blog/", include("blog.urls", namespace="blog"))] + staticfiles_urlpatterns()
""",
    "src/blog/__init__.py": "",
    "src/blog/apps.py": "from django.apps import AppConfig\n\nclass BlogConfig(AppConfig):\n    name = 'blog'\n    def ready(self):\n        from . import views\n        views.is_ready = True\n",
    "src/blog/urls.py": """
from django.urls import path, re_path
from django.views.generic import TemplateView
from . import views
app_name = "blog"
urlpatterns = [
    path("", views.index), path("comment/", views.comment), path("protected/", views.protected), path("stream/<str:kind>", views.stream), path("async", views.not_sync),
    path("database", views.from_database), path("item/<slug:slug>/<int:number>", views.Item.as_view(), name="item"), path("fails/<str:how>", views.fails),
    path("about", TemplateView.as_view(template_name="about.html")), path("cached", views.cached), path("orm", views.orm),
]
""",
    "src/blog/middleware.py": """
def first(get_response):
    def middleware(request):
        request.order = ["first"]
        response = get_response(request)
        response["X-Order"] = response.get("X-Order", "") + " first"
        return response
    return middleware

class Second:
    def __init__(self, get_response):
        self.get_response = get_response
    def __call__(self, request):
        request.order.append("second")
        response = self.get_response(request)
        response["X-Order"] = "second"
        return response
    def process_view(self, request, view, args, kwargs):
        request.order.append("view")
    def process_exception(self, request, e):
        print("process_exception:", e)
""",
    "src/blog/models.py": "from django.db import models\n\nclass Entry(models.Model):\n    title = models.CharField(max_length=10)\n",
    "src/blog/views.py": VIEWS,
    "src/blog/templatetags/__init__.py": "",
    "src/blog/templatetags/shout.py": "from django import template\nregister = template.Library()\n\n@register.filter\ndef shout(text):\n    return text.upper()\n",
    "src/blog/templates/blog/index.html": "{% load shout static i18n %}{% for item in items %}{{ item|shout }},{% endfor %}{{ n }} {% for m in messages %}{{ m }}{% endfor %} {% static 'a.css' %} {% trans 'Yes' %}",
    "src/blog/templates/blog/form.html": "<form>{% csrf_token %}</form>",
    "src/templates/about.html": "{% filter upper %}about{% endfilter %}",
    "src/assets/a.css": "a { color: blue }",
}
UPLOAD = 1_000_000
FORM = {"content-type": "application/x-www-form-urlencoded"}
MULTIPART = (b"--B\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nme\r\n--B\r\nContent-Disposition: form-data; name=\"mail\"\r\n\r\na@b.cd\r\n"
             b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.bin\"\r\nContent-Type: text/x\r\n\r\n" + b"x" * UPLOAD + b"\r\n--B--\r\n")


@pytest.fixture(scope="module")
def site(shared_corral):
    return shared_corral(FILES)


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_django_project(site, kind):
    def ask(method, path, body=None, **headers):
        return site.request(method, "/blog/" + path, body, {"x-kind": kind, **{k.replace("_", "-"): v for k, v in headers.items()}})

    page = ask("GET", "", accept_language="de")
    assert page.text == "&lt;A&gt;,B,1 visited /static/a.css Ja", page.text
    assert page.headers["x-order"] == "second first" and page.headers["x-frame-options" if False else "x-content-type-options"] == "nosniff"
    cookies = "; ".join(c.split(";")[0] for c in page.headers.get_all("set-cookie"))
    assert ask("GET", "", cookie=cookies).text.startswith("&lt;A&gt;,B,2 ")
    base = "http://127.0.0.1:%d/blog/item/a-b/5?q=1&q=%%C3%%A4" % site.port
    assert ask("GET", "item/a-b/5?q=1&q=%C3%A4", x_some="some").json() == ["a-b", 5, "/blog/item/a-b/5", ["1", "ä"], base, "127.0.0.1", "some", ["first", "second", "view"]]
    put = ask("PUT", "item/a-b/5", "ä".encode(), content_type="text/x")
    assert put.status == 403        # CSRF goes first
    assert ask("GET", "about").text == "ABOUT" and ask("GET", "cached").text == "5"
    assert ask("GET", "orm").json() == [[1, "first"]]

    # forms, files, CSRF
    assert ask("POST", "comment/", "name=me&mail=a%40b.cd", **FORM).json() == {"name": "me", "file": None}
    assert sorted(ask("POST", "comment/", "name=much+too+long&mail=no", **FORM).json()) == ["mail", "name"]
    assert ask("POST", "comment/", MULTIPART, content_type="multipart/form-data; boundary=B").json() == {"name": "me", "file": ["f.bin", UPLOAD, "text/x"]}
    form = ask("GET", "protected/")
    token, cookie = form.text.split('value="')[1].split('"')[0], form.headers["set-cookie"].split(";")[0]
    assert ask("POST", "protected/", "a=1&csrfmiddlewaretoken=" + token, cookie=cookie, **FORM).text == "posted 1"
    assert ask("POST", "protected/", "a=1", **FORM).status == 403

    # streams, async views, the database from a plain one
    assert ask("GET", "stream/text").text == "".join("%04d" % n * 100 for n in range(100))
    file = ask("GET", "stream/file")
    assert file.body == b"x" * 100_000 and file.headers["content-disposition"] == 'attachment; filename="x.bin"'
    assert ask("GET", "async").json() == {"n": 6, "kind": kind.upper() + "Request"}
    assert ask("GET", "database").json() == {"n": 7, "word": "bound"}

    # statics, redirects, the pages of DEBUG
    assert site.get("/static/a.css", headers={"x-kind": kind}).text == "a { color: blue }"
    moved = site.get("/blog", headers={"x-kind": kind})
    assert (moved.status, moved.headers["location"]) == (301, "/blog/")
    assert "Using the URLconf defined in" in site.get("/nowhere", headers={"x-kind": kind}).text
    assert "nothing here" in ask("GET", "fails/404").text
    before = site.mark()
    wrong = ask("GET", "fails/500", accept="text/html")
    assert wrong.status == 500 and "wrong in a view" in wrong.text and "seen on the page" in wrong.text and "Traceback" in wrong.text
    site.wait_log("process_exception: wrong in a view", since=before)
    site.wait_log("ValueError: wrong in a view", since=before)
    assert ask("GET", "", host="evil.example").status == 400
    head = ask("HEAD", "about")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "5")


def test_django_many_at_once(site):
    answers = []
    def ask(kind):
        for path in ("database", "async", "item/a/1"):
            answers.append(site.get("/blog/" + path, headers={"x-kind": kind}).status)
    threads = [threading.Thread(target=ask, args=(kind,)) for kind in ("wsgi", "asgi") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 24


FLASK = '''
import time
from flask import (Blueprint, Flask, Response, abort, current_app, flash, g, get_flashed_messages, jsonify, make_response, redirect, render_template,
                   render_template_string, request, send_file, send_from_directory, session, stream_with_context, url_for)
from flask.views import MethodView
from pyodide.ffi import run_sync
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.utils import secure_filename
import click, io

app = Flask(__name__)
app.config.update(SECRET_KEY="secret", MAX_CONTENT_LENGTH=3_000_000)
api = Blueprint("api", __name__, url_prefix="/api", template_folder="api_templates")
log = []

@app.before_request
def before():
    g.begun = "begun"

@app.after_request
def after(response):
    response.headers["X-After"] = g.begun
    return response

@app.teardown_request
def teardown(e):
    log.append(repr(e))

@app.errorhandler(404)
def not_found(e):
    return render_template_string("{{ e.code }} {{ request.path }}", e=e), 404

class Broken(Exception):
    pass

@app.errorhandler(Broken)
def broken(e):
    return jsonify(broken=str(e)), 503

@app.route("/")
def index():
    session["n"] = session.get("n", 0) + 1
    flash("hello")
    return render_template("index.html", n=session["n"])

@app.route("/broken")
def raises():
    raise Broken("it is")

@api.route("/item/<uuid:one>/<float:two>")
def item(one, two):
    return {"one": str(one), "two": two, "url": url_for(".item", one=one, two=two, _external=True), "app": current_app.name, "word": request.environ["workers.env"].WORD}

@api.get("/database")
def database():
    time.sleep(0.002)
    return jsonify(run_sync(request.environ["workers.env"].DB.prepare("SELECT ? AS n").bind(request.args.get("n", type=int)).first()).n)

class Things(MethodView):
    def get(self):
        return jsonify(request.accept_mimetypes.best, request.user_agent.string, request.authorization and request.authorization.username, request.headers.getlist("X-A"))
    def post(self):
        return jsonify(request.get_json(silent=True)), 201, {"X-Made": "1"}
    def delete(self):
        return "", 204

api.add_url_rule("/things", view_func=Things.as_view("things"))
app.register_blueprint(api)

@app.post("/upload")
def upload():
    return jsonify([[f.filename, len(f.read()), secure_filename(f.filename), f.mimetype] for f in request.files.getlist("file")], dict(request.form))

@app.post("/raw")
def raw():
    total = 0
    while piece := request.stream.read(65536):
        total += len(piece)
    return str(total)

@app.route("/stream")
def stream():
    @stream_with_context
    def pieces():
        try:
            yield request.args["word"]
            for n in range(1000):
                yield "x" * 1000
            run_sync(request.environ["workers.env"].DB.prepare("SELECT 1").first())
            yield g.begun
        finally:
            print("stream of flask is closed")
    return Response(pieces(), mimetype="text/plain")

@app.route("/file")
def file():
    return send_file(io.BytesIO(b"0123456789"), mimetype="text/x", download_name="f.txt", conditional=True)

@app.route("/assets/<path:name>")
def assets(name):
    return send_from_directory("static", name)

@app.route("/cookie")
def cookie():
    response = make_response(redirect(url_for("index")))
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2")
    return response

@app.route("/log")
def show_log():
    return jsonify(log)

@app.route("/async")
async def not_sync():
    return jsonify((await request.environ["workers.env"].DB.prepare("SELECT 8 AS n").first()).n)
'''


def test_flask_application(corral):
    one = corral({
        "wrangler.toml": CONFIG, "requirements.txt": "flask[async]\n", "src/shop.py": FLASK,
        "src/entry.py": "from workers import wsgi\nfrom shop import app\nDefault = wsgi.entrypoint(app)\n",
        "src/templates/index.html": "{% extends 'base.html' %}{% block body %}{{ n }} {{ get_flashed_messages() }} {{ '<' }} {{ url_for('static', filename='a.css') }}{% endblock %}",
        "src/templates/base.html": "[{% block body %}{% endblock %}]", "src/static/a.css": "a {}"})
    page = one.get("/")
    assert page.text == "[1 [&#39;hello&#39;] &lt; /static/a.css]" and page.headers["x-after"] == "begun"
    assert one.get("/", headers={"cookie": page.headers["set-cookie"].split(";")[0]}).text.startswith("[2 ")
    assert [one.get("/static/a.css").text, one.get("/assets/a.css").text, one.get("/assets/../shop.py").status] == ["a {}", "a {}", 404]
    missing = one.get("/nowhere")
    assert (missing.status, missing.text) == (404, "404 /nowhere")
    assert (lambda a: (a.status, a.json()))(one.get("/broken")) == (503, {"broken": "it is"})
    path = "/api/item/12345678-1234-5678-1234-567812345678/1.5"
    assert one.get(path).json() == {"one": path.split("/")[3], "two": 1.5, "url": "http://127.0.0.1:%d%s" % (one.port, path), "app": "shop", "word": "bound"}
    assert one.get("/api/database?n=5").json() == 5
    assert one.get("/api/things", headers={"accept": "text/x", "user-agent": "me", "authorization": "Basic dTpw", "x-a": "1"}).json() == ["text/x", "me", "u", ["1"]]
    made = one.request("POST", "/api/things", '{"a": 1}', {"content-type": "application/json"})
    assert (made.status, made.json(), made.headers["x-made"]) == (201, {"a": 1}, "1")
    assert one.request("DELETE", "/api/things").status == 204 and one.request("PUT", "/api/things").status == 405
    body = MULTIPART.replace(b"f.bin", b"../f.bin")
    files, fields = one.request("POST", "/upload", body, {"content-type": "multipart/form-data; boundary=B"}).json()
    assert files == [["../f.bin", UPLOAD, "f.bin", "text/x"]] and fields == {"name": "me", "mail": "a@b.cd"} or files[0][1:] == [UPLOAD, "f.bin", "text/x"]
    assert one.request("POST", "/upload", b"x" * 4_000_000, {"content-type": "multipart/form-data; boundary=B"}).status == 413
    assert one.request("POST", "/raw", b"x" * 2_500_000).text == "2500000"
    before = one.mark()
    assert one.get("/stream?word=first").text == "first" + "x" * 1_000_000 + "begun"
    one.wait_log("stream of flask is closed", since=before)
    part = one.get("/file", headers={"range": "bytes=2-4"})
    assert (part.status, part.text, part.headers["content-range"]) == (206, "234", "bytes 2-4/10")
    cookie = one.get("/cookie")
    assert (cookie.status, cookie.headers["location"], [c.split(";")[0] for c in cookie.headers.get_all("set-cookie")]) == (302, "/", ["a=1", "b=2"])
    assert one.get("/async").json() == 8
    log = until("a request has ended in the instance that is asked", lambda: one.get("/log").json())
    assert set(log) == {"None"}
    results = []
    threads = [threading.Thread(target=lambda n=n: results.append(one.get("/api/database?n=%d" % n).json() == n)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 12
