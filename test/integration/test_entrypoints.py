"""Entrypoints, handlers and flags of Python workers: docs/compatibility.md names these tests."""
import re

import pytest

from harness import until


WRANGLER = """\
name = "entry"
main = "src/entry.py"
compatibility_date = "%s"
compatibility_flags = ["python_workers"%s]

[vars]
WORD = "up"
"""
OLD, NEW = "2025-08-13", "2025-08-14"


def project(source, date=NEW, *flags, **more):
    config = WRANGLER % (date, "".join(', "%s"' % flag for flag in flags))
    return {"src/entry.py": source, "wrangler.toml": config, **more}


def use(one, files):
    """The running corral serves this project from now on: a start less per case."""
    before = one.mark()
    for path, content in files.items():
        one.put(path, content)
    return before


# ---- the two styles ----

CLASS = """\
from js import Response
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response.new("class " + self.env.WORD)
"""
FUNCTION = """\
from js import Response

async def on_fetch(request, env):
    return Response.new("function " + env.WORD)
"""
METHOD = CLASS.replace("def fetch", "def on_fetch").replace("class \" +", "method \" +")
STYLES = [
    (CLASS, NEW, (), "class up"), (CLASS, OLD, (), "class up"), (CLASS, "2026-03-01", (), "class up"),
    (FUNCTION, OLD, (), "function up"), (FUNCTION, NEW, ("disable_python_no_global_handlers",), "function up"),
    (METHOD, OLD, (), "method up"), (METHOD, "2026-03-01", ("disable_python_no_global_handlers",), "method up"),
    (CLASS, OLD, ("python_no_global_handlers",), "class up"),
]


def test_both_styles_by_date_and_flag(corral):
    one = corral(project("x = 1\n"), ready=False)
    one.wait_ready()
    one.wait_log("defines no fetch handler")
    for source, date, flags, says in STYLES:
        use(one, project(source, date, *flags))
        until(lambda: (date, flags, one.get().text), lambda: one.get().text == says)
        use(one, project("x = 1\n"))
        until("the next version", lambda: one.get().status == 500)


def test_on_fetch_of_a_newer_date_says_what_to_write(corral):
    one = corral(project(FUNCTION), ready=False)
    one.wait_ready()
    one.wait_log("TypeError: on_fetch is not called")
    text = one.get().text
    assert "2025-08-14" in text and "    async def fetch(self, request):" in text
    assert 'compatibility_flags = ["python_workers", "disable_python_no_global_handlers"]' in text
    before = use(one, project("def on_scheduled(event): pass\n" + FUNCTION, OLD, "python_no_global_handlers"))
    one.wait_log(r"write them so:(.|\n)*async def fetch\(self, request\)(.|\n)*def scheduled\(self, controller\)", since=before)


def test_on_fetch_without_a_date_is_called_with_a_warning(corral):
    files = project(FUNCTION)
    files["wrangler.toml"] = re.sub("compatibility_date.*\n", "", files["wrangler.toml"])
    one = corral(files)
    assert one.get().text == one.get().text == "function up"
    one.wait_log("on_fetch is called because")
    assert len(re.findall("on_fetch is called because there is no compatibility_date", one.log_text())) == 1


def test_both_styles_at_once(corral):
    both = CLASS + FUNCTION
    one = corral(project(both, OLD), ready=False)
    one.wait_ready()
    one.wait_log("TypeError: Cannot define multiple default entrypoints(.|\n)*keep either on_fetch or class Default")
    before = use(one, project(both))
    until("the class answers", lambda: one.get().text == "class up")
    one.wait_log("on_fetch will not be called: by this compatibility date", since=before)


# ---- what a module defines ----

MISTAKES = [
    ("class Default:\n    async def fetch(self, request): pass\n", "derive it from WorkerEntrypoint"),
    ("from workers import WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n    pass\n", "class Default has no method `fetch`"),
    ("from workers import WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n    def __init__(self): pass\n    def fetch(self, r): pass\n",
     "def __init__(self, ctx, env):"),
    ("x = 1\n", "class Default(WorkerEntrypoint):\n    async def fetch(self, request):"),
    ("from workers import WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n    def on_fetch(self, request): pass\n",
     "it is called `fetch` from the compatibility date 2025-08-14 on"),
    ("from workers import WorkerEntrypoint\nclass Defualt(WorkerEntrypoint):\n    def fetch(self, request): pass\n",
     "it has a class `Defualt`: the one that answers requests is `Default`"),
    ("from workers import WorkerEntrypoint\n", "class Default(WorkerEntrypoint):"),
    ("__all__ = 5\n", "'int' object is not iterable\n\ncode outside of handlers runs once"),
]


def test_mistakes_say_what_to_write(corral):
    one = corral(project(MISTAKES[0][0]), ready=False)
    one.wait_ready()
    for source, says in MISTAKES:
        use(one, project(source))
        until(lambda: (says, one.get().text), lambda: says in one.get().text)


LOADS = [
    # Only other handlers, or entrypoints that other workers call: fetch is refused in Cloudflare's words.
    ("from workers import WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n    def scheduled(self, controller): pass\n",
     NEW, "Handler does not export a fetch() function.", "add `async def fetch(self, request):` to class Default"),
    ("def on_scheduled(controller): pass\n", OLD, 'Python entrypoint "src/entry.py" does not export a handler named "on_fetch"',
     "add `async def on_fetch(request, env, ctx):`"),
    ("from workers import WorkerEntrypoint\nclass Counter(WorkerEntrypoint):\n    def add(self, a): pass\n",
     NEW, "Handler does not export a fetch() function.", "has a class `Counter`: the one that is called by default is `Default`"),
    ("from workers import DurableObject\nclass Room(DurableObject):\n    def __init__(self, state, env): pass\n",
     NEW, "Handler does not export a fetch() function.", "class Default"),
    ("from workers import WorkflowEntrypoint\nclass Flow(WorkflowEntrypoint):\n    async def run(self, event, step): pass\n",
     NEW, "Handler does not export a fetch() function.", "class Default"),
]


def test_workers_without_fetch_load(corral):
    one = corral(project(LOADS[0][0]))
    for source, date, says, hint in LOADS:
        use(one, project(source, date))
        until(lambda: (says, one.get().text), lambda: "TypeError: " + says in one.get().text and hint in one.get().text)
        assert one.get().status == 500


EVERYTHING = """\
import sys

from js import Reflect, Response
import js
import workers
from workers import (Context, DurableObject, WorkerEntrypoint, WorkflowEntrypoint, env, handler, import_from_javascript, patch_env, waitUntil,
                     wait_until)
from workers.workflows import NonRetryableError

top = {"env": env.WORD, "module": import_from_javascript("cloudflare:workers").env.WORD}
for name in ("./helper.js", "cloudflare:vectorize"):
    try:
        import_from_javascript(name)
    except ImportError as e:
        top[name] = str(e)
try:
    wait_until(js.Promise.resolve(1))
except Exception as e:
    top["wait"] = f"{type(e).__name__} {e}"


class Base(WorkerEntrypoint):
    async def fetch(self, request):
        if request.headers.get("x-code"):
            scope = {**globals(), "self": self, "request": request}
            exec("async def run():\\n" + "\\n".join("    " + line for line in js.atob(request.headers.get("x-code")).splitlines()), scope)
            return Response.new(js.JSON.stringify(js.JSON.parse(__import__("json").dumps(await scope["run"]()))))
        return Response.new("ready")


class Default(Base):
    pass
"""


@pytest.fixture(scope="module")
def all_of_it(shared_corral):
    return shared_corral(project(EVERYTHING))


def run(one, code):
    import base64
    import textwrap
    answer = one.request("GET", "/", headers={"x-code": base64.b64encode(textwrap.dedent(code).strip().encode()).decode()})
    assert answer.status == 200, answer.text
    return answer.json()


def test_an_inherited_handler_is_found(all_of_it):
    assert all_of_it.get().text == "ready"


def test_import_env_in_top_level_code_and_handlers(all_of_it):
    assert run(all_of_it, """
        here = [env.WORD, workers.env.WORD, self.env.WORD, top["env"], top["module"]]
        env.ADDED = 5
        here += [self.env.ADDED, "ADDED" in env, sorted(env.object_keys())]
        del env.ADDED
        return here + [hasattr(self.env, "ADDED"), env.to_py(), Reflect.ownKeys(env).to_py()]
    """) == ["up", "up", "up", "up", "up", 5, True, ["ADDED", "WORD"], False, {"WORD": "up"}, ["WORD"]]


def test_patch_env(all_of_it):
    assert run(all_of_it, """
        import asyncio
        def seen(): return [getattr(env, name, None) for name in ("WORD", "NAME", "place", "extra")]
        got = [seen()]
        with patch_env(NAME=1, place="Somewhere"): got.append(seen())
        with patch_env({"NAME": 1, "place": "Somewhere"}): got.append(seen())
        with patch_env([("NAME", 1), ("place", "Somewhere")]): got.append(seen())
        with patch_env({"NAME": 1, "place": "x"}, extra=22, place="y"):
            got.append(seen())
            with patch_env(NAME=2): got.append(seen())
            got.append(seen())
            got.append([self.env.WORD, Reflect.ownKeys(env).to_py()])
        try:
            with patch_env(NAME=1): raise RuntimeError("oops")
        except RuntimeError:
            got.append(seen())
        async def other():
            await asyncio.sleep(0)
            return seen()
        async def patched():
            with patch_env(NAME=3, thing=[1, {"a": 2}]):
                await asyncio.sleep(0.001)
                return seen() + [env.thing[1].a]
        return got + await asyncio.gather(patched(), other())
    """) == [["up", None, None, None], [None, 1, "Somewhere", None], [None, 1, "Somewhere", None], [None, 1, "Somewhere", None],
             [None, 1, "y", 22], [None, 2, None, None], [None, 1, "y", 22], ["up", ["NAME", "place", "extra"]],
             ["up", None, None, None], [None, 3, None, None, 2], ["up", None, None, None]]


def test_with_env_of_cloudflare_workers(all_of_it):
    assert run(all_of_it, """
        import asyncio
        module = import_from_javascript("cloudflare:workers")
        async def later():
            await asyncio.sleep(0)
            return [module.env.FOO, getattr(env, "WORD", None)]
        one = await module.withEnv(js.JSON.parse('{"FOO": 1}'), later)
        two = module.withEnv(js.JSON.parse('{"FOO": 2}'), lambda: env.FOO)
        return [list(one), two, env.WORD]
    """) == [[1, None], 2, "up"]


def test_import_from_javascript(all_of_it):
    assert run(all_of_it, """
        module, sockets = import_from_javascript("cloudflare:workers"), import_from_javascript("cloudflare:sockets")
        got = [module is not None and [hasattr(module, n) for n in ("env", "withEnv", "waitUntil", "WorkerEntrypoint", "DurableObject", "RpcTarget")],
               hasattr(sockets, "connect"), top["./helper.js"], top["cloudflare:vectorize"]]
        for call in (lambda: import_from_javascript("./helper.js"), lambda: import_from_javascript("crypto"), lambda: import_from_javascript(None),
                     lambda: sockets.connect("localhost:1")):
            try:
                call()
            except Exception as e:
                got.append(f"{type(e).__name__}: {e}"[:100])
        return got
    """) == [[True] * 6, True,
             "Failed to import './helper.js': Only 'cloudflare:workers' and 'cloudflare:sockets' are available in the global scope.",
             "Failed to import 'cloudflare:vectorize': Only 'cloudflare:workers' and 'cloudflare:sockets' are available in the global scope.",
             "ImportError: Failed to import './helper.js': JavaScript modules beside a Python worker are not in Corral yet"[:100],
             "ImportError: Failed to import 'crypto': No such module \"crypto\". 'cloudflare:workers' and 'cloudflare:sockets' are there"[:100],
             "ImportError: Failed to import 'None': No such module \"None\". 'cloudflare:workers' and 'cloudflare:sockets' are there"[:100],
             "JsException: TypeError: connect(): TCP sockets are not in Corral yet: docs/compatibility.md says what is; fetch() asks other servers"[:100]]


def test_wait_until_of_the_module(all_of_it):
    before = all_of_it.mark()
    assert run(all_of_it, """
        import asyncio
        async def back(word):
            await asyncio.sleep(0)
            print("back", word)
        wait_until(back("one"))
        waitUntil(back("two"))
        import_from_javascript("cloudflare:workers").waitUntil(back("three"))
        async def lose(): raise ValueError("lost")
        wait_until(lose())
        return [wait_until is waitUntil, top["wait"]]
    """) == [True, "JsException Error: waitUntil() belongs to a request: call it in a handler, not in top-level code"]
    for word in ("back one", "back two", "back three", r"waitUntil: Traceback(.|\n)*ValueError: lost"):
        all_of_it.wait_log(word, since=before)


def test_callbacks_of_javascript_belong_to_their_request(all_of_it):
    """What a timer, a promise or an event calls may use wait_until(), while the request goes on."""
    before = all_of_it.mark()
    assert run(all_of_it, """
        import asyncio
        from pyodide.ffi import create_once_callable, create_proxy
        got, over = [], asyncio.Event()

        def look(where, last=False):
            def called(*_):
                try:
                    wait_until(js.Promise.resolve(1))
                    got.append(where)
                except Exception as e:
                    got.append(f"{where}: {e}")
                if last:
                    over.set()
            return called

        await js.Promise.resolve(1).then(look("then"))
        await js.Promise.reject(js.Error.new("x")).catch(look("catch"))
        js.queueMicrotask(create_once_callable(look("microtask")))
        target = js.EventTarget.new()
        target.addEventListener("x", create_proxy(look("event")))
        js.eval("(target) => { setTimeout(() => target.dispatchEvent(new Event('x')), 1) }")(target)
        async def later():
            await asyncio.sleep(0)
            look("coroutine", True)()
        js.setTimeout(create_proxy(later), 2)
        await over.wait()

        async def after():      # nothing holds the request any more, once it is answered
            try:
                wait_until(js.Promise.resolve(1))
                js.setTimeout(again, 50)
            except Exception as e:
                print("too late:", e)
        again = create_proxy(after)
        js.setTimeout(again, 50)
        return got
    """) == ["then", "catch", "microtask", "event", "coroutine"]
    all_of_it.wait_log(r"too late: Error: waitUntil\(\) belongs to a request", since=before)


def test_names_of_the_sdk(all_of_it):
    assert run(all_of_it, """
        class Mine(DurableObject): pass
        class Flow(WorkflowEntrypoint): pass
        d, f = Mine("state", "env"), Flow("ctx", "env")
        try:
            raise NonRetryableError("for good")
        except Exception as e:
            said = [type(e).__module__, str(e)]
        return [d.ctx, d.env, f.ctx, f.env, said, hasattr(Context, "waitUntil"), self.ctx.props.to_py(), Default.__mro__[2].__module__.split(".")[0]]
    """) == ["state", "env", "ctx", "env", ["workers.workflows", "for good"], True, {}, "workers"]


# ---- scheduled ----

SCHEDULED = """\
import asyncio

from js import Response
from workers import WorkerEntrypoint
ran = []

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response.new("fetch " + " ".join(ran))

    async def scheduled(self, controller):
        await asyncio.sleep(0)
        print("ran", repr(controller.cron), controller.scheduledTime, controller.type, self.env.WORD)

        async def back():
            await asyncio.sleep(0.01)
            print("waited for", controller.cron)
            if controller.cron == "lose":
                raise ValueError("lost behind")
        self.ctx.waitUntil(back())
        if controller.cron == "fail":
            controller.noRetry()
            raise ValueError("no luck")
"""


@pytest.fixture(scope="module")
def cron(shared_corral):
    return shared_corral(project(SCHEDULED), "--test-scheduled")


def test_scheduled_by_the_path_of_wrangler(cron):
    cron.wait_log(r'The scheduled handler is not called by itself here. To run it: curl "http://localhost:\d+/cdn-cgi/handler/scheduled"')
    before = cron.mark()
    answer = cron.get("/__scheduled?cron=*+*+*+*+*")
    assert (answer.status, answer.text) == (200, "Ran scheduled event")
    cron.wait_log(r"\[entry:inf\] ran '\* \* \* \* \*' \d{13} scheduled up", since=before)
    cron.wait_log(r"waited for \* \* \* \* \*", since=before)
    cron.wait_log(r"GET /__scheduled 200 OK", since=before)
    assert cron.get("/__scheduled").text == cron.request("POST", "/__scheduled", b"body").text == "Ran scheduled event"
    assert cron.get("/__scheduledx").text == cron.get("/x?/__scheduled").text == "fetch "


def test_scheduled_by_the_paths_of_miniflare(cron):
    before = cron.mark()
    assert cron.get("/cdn-cgi/handler/scheduled?cron=a%20b&time=1234").text == "ok"
    cron.wait_log("ran 'a b' 1234 scheduled", since=before)
    answer = cron.get("/cdn-cgi/mf/scheduled?format=json")
    assert answer.json() == {"outcome": "ok", "noRetry": False} and answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("word, no_retry", [("fail", True), ("lose", False)])
def test_scheduled_that_fails(cron, word, no_retry):
    before = cron.mark()
    answer = cron.get("/__scheduled?cron=" + word)
    assert answer.status == 500 and answer.text.startswith("PythonError: Traceback") and "ValueError: " in answer.text
    cron.wait_log(r"(scheduled event|waitUntil): Traceback(.|\n)*ValueError: (no luck|lost behind)", since=before)
    cron.wait_log("waited for " + word, since=before)
    answer = cron.get("/cdn-cgi/handler/scheduled?cron=" + word)
    assert (answer.status, answer.text) == (500, "exception")
    answer = cron.get("/cdn-cgi/handler/scheduled?format=json&cron=" + word)
    assert answer.status == 500 and answer.json()["outcome"] == "exception" and answer.json()["noRetry"] is no_retry


ODD = """\
import corral.load
import dataclasses
import js
from js import Response
from workers import WorkerEntrypoint

corral.load.seed = None     # what an instance calls at its start fails, and is logged
js.eval("JSON.stringify = () => 'x'.repeat(1000000)")

@dataclasses.dataclass
class Handler:              # cannot be hashed
    cron: str = ""
    def __call__(self, controller):
        if controller.cron == "long":
            raise ValueError("\\1" * 100000)

class Default(WorkerEntrypoint):
    fetch = lambda self, request: Response.new("here")
    scheduled = Handler()
"""


def test_scheduled_of_an_odd_worker(corral):
    one = corral(project(ODD), "--test-scheduled")
    assert one.get("/__scheduled").text == "Ran scheduled event"
    answer = one.get("/__scheduled?cron=long")
    assert answer.status == 500 and answer.text.count("\1") > 20000
    assert one.get().text == "here"
    assert "broke the protocol" not in one.log_text()


def test_scheduled_needs_the_flag_or_a_handler(corral):
    one = corral(project(SCHEDULED))
    assert one.get("/__scheduled").text == "fetch " and one.get("/cdn-cgi/handler/scheduled").text == "ok"
    before = use(one, project(CLASS))
    until("the next version", lambda: one.get().text == "class up")
    assert one.get("/cdn-cgi/handler/scheduled").text == "exception"
    one.wait_log("TypeError: Handler does not export a scheduled\\(\\) function.\n.*add `async def scheduled\\(self, controller\\):`", since=before)
    use(one, project("def on_scheduled(event, env): print('old', event.cron, env.WORD)\n" + FUNCTION, OLD))
    until("the next version", lambda: one.get().text == "function up")
    assert one.get("/cdn-cgi/handler/scheduled?cron=x").text == "ok"
    one.wait_log("old x up", since=before)


# ---- flags ----


def test_flags_of_python_workers(corral):
    known = ["python_workers_20250116", "python_workers_20260610", "python_workers_development", "python_workers_durable_objects",
             "python_external_packages", "python_workflows", "python_dedicated_snapshot", "python_check_rng_state",
             "python_request_headers_preserve_commas", "enable_python_external_sdk", "python_process_pth_files",
             "no_python_workflows_implicit_dependencies", "nodejs_compat"]
    one = corral(project(CLASS, NEW, *known, "pyhton_workers"))
    assert one.get().text == "class up"
    assert re.findall("warning: .*|hint: .*", one.log_text()) == [
        "warning: 'pyhton_workers' is no compatibility flag of Python workers: it has no effect", "hint: did you mean 'python_workers'?"]
    assert "wrangler.toml:4:" in one.log_text()
    before = use(one, {"wrangler.toml": re.sub("compatibility_flags.*", "", project(CLASS)["wrangler.toml"])})
    one.wait_log("Reloaded", since=before)
    assert one.get().text == "class up" and "warning" not in "\n".join(one.log_lines()[before:])


PATHS = """\
import sys

from js import Response
import both, colorsys, only_vendored, this, tarfile
from workers import WorkerEntrypoint
try:
    import older
    old = older.WORD
except ImportError:
    old = "no vendor/"
try:
    import by_pth
    pth = by_pth.WORD
except ImportError:
    pth = "no .pth"

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = [p.rstrip("/").split("/")[-1] for p in sys.path]
        first = path.index("src") < path.index("python3.11") < path.index("python_modules") and "dist-packages" not in path
        first = first and this.WORD == "own" and hasattr(colorsys, "rgb_to_hls") and hasattr(tarfile, "open")
        return Response.new(f"{both.WORD} {only_vendored.WORD} {old} {pth} {getattr(sys, 'ran_by_pth', None)} {first}")
"""


def test_paths_of_modules(corral):
    more = {"src/this.py": "WORD = 'own'\n", "python_modules/colorsys.py": "", "python_modules/tarfile.py": "",      # Python has modules of these names
            "src/both.py": "WORD = 'own'\n", "python_modules/both.py": "WORD = 'vendored'\n", "python_modules/only_vendored.py": "WORD = 'vendored'\n",
            "src/vendor/older.py": "WORD = 'older'\n", "python_modules/extra.pth": "inside\nimport sys; sys.ran_by_pth = 1\n",
            "python_modules/inside/by_pth.py": "WORD = 'pth'\n"}
    one = corral(project(PATHS, "2026-05-26", **more))
    assert one.get().text == "own vendored no vendor/ pth 1 True"
    use(one, project(PATHS, "2025-08-10"))
    until(lambda: one.get().text, lambda: one.get().text == "own vendored older no .pth None True")


# ---- what handlers get, and what they may return ----

GIVEN = """\
import functools

import js
import workers
from js import Response
from workers import WorkerEntrypoint, handler


@handler
async def decorated(request, env):
    return workers.Response(f"{type(request).__name__} {request.method} {env.WORD} {decorated.__name__}")


@handler
def alone(request):
    return Response.new(type(request).__name__)


class WithJsResponse:
    def __init__(self):
        self.js_response = Response.new("js_response", status=201)


class Default(WorkerEntrypoint):
    async def fetch(self, request, env, ctx):
        assert isinstance(request, workers.Request) and env is self.env and ctx is self.ctx
        match request.url.rpartition("/")[2]:
            case "decorated": return await decorated(request.js_object, env)
            case "alone": return alone(request.js_object)
            case "js_response": return WithJsResponse()
            case "sdk": return workers.Response("sdk")
            case "js": return Response.new("js")
            case "missing": return Response.new(self.env.WROD)
            case "unknown": return Response.new(await self.env.MY_KV.get("a"))
            case "imported": return Response.new(workers.env.NOBODY)
            case "none": return None
"""
SHAPES = {
    "def fetch(self): return Response.new('ok')": "ok",
    "def fetch(self, request): return Response.new(request.method)": "GET",
    "def fetch(self, request, env): return Response.new(env.WORD)": "up",
    "def fetch(self, *more): return Response.new(str(len(more)))": "3",
    "def fetch(self, request, env=None, ctx=None, x=5): return Response.new(str(x))": "5",
    "fetch = lambda self, request: Response.new('lambda')": "lambda",
    "async def __call__(self, request): return Response.new('x')\n    fetch = functools.partial(lambda a, request: Response.new(a), 'partial')": "partial",
    "@staticmethod\n    def fetch(request): return Response.new('static ' + request.method)": "static GET",
    "@classmethod\n    def fetch(cls, request): return Response.new(cls.__name__ + request.method)": "DefaultGET",
    "def fetch(self, a, b, c, d): return Response.new('x')": "missing 1 required positional argument: 'd'",
}


def test_what_class_handlers_get_and_return(corral):
    one = corral(project(GIVEN))
    for path, says in (("decorated", "Request GET up decorated"), ("alone", "Request"), ("js_response", "js_response"), ("sdk", "sdk"), ("js", "js")):
        assert one.get("/" + path).text == says
    assert one.get("/js_response").status == 201
    assert "did you mean `WORD`?" in one.get("/missing").text
    for path, name in (("unknown", "MY_KV"), ("imported", "NOBODY")):
        text = one.get("/" + path).text
        assert "AttributeError: " + name in text and f"gives no `{name}`: variables stand in [vars] or .dev.vars" in text and "`env` has WORD" in text
    assert "\nfetch returned None" in "\n" + one.get("/none").text and one.get("/none").status == 500
    for method, says in SHAPES.items():
        use(one, project("import functools\nfrom js import Response\nfrom workers import WorkerEntrypoint\n\nclass Default(WorkerEntrypoint):\n    %s\n" % method))
        until(lambda: (method, one.get().text), lambda: says in one.get().text)


def test_handler_decorator_of_functions(corral):
    one = corral(project("import workers\nfrom js import Response\nfrom workers import handler\n\n@handler\nasync def on_fetch(request):\n"
                         "    assert isinstance(request, workers.Request)\n    return Response.new(request.headers['host'] and 'wrapped')\n", OLD))
    assert one.get().text == "wrapped"


BINDINGS = """\
import js
from js import Response
from workers import WorkerEntrypoint, env, handler
import json

js.eval('''(env) => {
  class D1Database {
    prepare(sql, ...more) { return new D1PreparedStatement(sql, more); }
    async first(x) { return { got: x, kind: typeof x, list: [1, null, { deep: x }], when: new Date(0) }; }
    async nothing() { return null; }
    headers() { return new Headers([['a', 'b']]); }
    get count() { return 3; }
    fail() { throw new TypeError('no'); }
  }
  class D1PreparedStatement {
    constructor(sql, args) { this.sql = sql; this.args = args; }
    bind(...args) { return new D1PreparedStatement(this.sql, args); }
    async all(options) { return { results: [{ sql: this.sql, args: this.args, options }], self: this === this }; }
    both() { return [this, 5]; }
  }
  class Fetcher {
    async fetch(request, options) { return new Response('fetched ' + (request.url ?? request) + ' ' + (options?.method ?? '')); }
    async add(a, b) { return { sum: a + b, o: a }; }
  }
  class DurableObjectNamespace { get(id) { return new Fetcher(); } idFromName(name) { return { name }; } }
  class WorkflowImpl { async create(o) { return new WorkflowInstance(o); } async createBatch(l) { return l.map((o) => new WorkflowInstance(o)); } }
  class WorkflowInstance { constructor(o) { this.id = o?.id; } async status() { return { status: 'ok' }; } async sendEvent(e) { return e.type; } }
  Object.assign(env, { DB: new D1Database(), API: new Fetcher(), ROOM: new DurableObjectNamespace(), FLOW: new WorkflowImpl() });
}''')(env)


async def look(env):
    db, got = env.DB, {"word": env.WORD, "in": ["DB" in env, "XX" in env, env["WORD"], getattr(env, "NO", None)]}
    got["add"] = (await env.API.add(1, 2))["sum"]
    answer = await env.API.fetch("http://x/y", method="POST")
    got["fetch"] = [type(answer).__module__.split(".")[0], await answer.text()]
    got["room"] = [env.ROOM.idFromName("n").name, (await (await env.ROOM.get(1).fetch("http://z/")).text())]
    made = await env.FLOW.create({"id": "7"})
    got["flow"] = [made.id, (await made.status()).status, await made.send_event({"type": "t"}), [m.id for m in await env.FLOW.create_batch([{"id": "a"}, {"id": "b"}])]]
    first = await db.first({"a": None} if type(db).__name__ == "Binding" else 1)
    got["kind"] = type(first).__name__
    if type(db).__name__ == "Binding":
        rows = await db.prepare("select", 1).bind("x", None, 2.5).all(limit=1, more={"a": [1]})
        got["rows"] = [rows["results"], rows.results[0].sql, rows.self]
        got["first"] = [first.got, first.list, type(first.when).__name__, await db.nothing(), db.count, db.headers().get("a")]
        got["both"] = [repr(item) for item in db.prepare("s").both()]
        got["same"] = [db == env.DB, len({db, env.DB}), bool(db)]
        try:
            db.fail()
        except Exception as e:
            got["fail"] = str(e)
    return got


@handler
async def decorated(request, env):
    return (await look(env))["kind"]


class Default(WorkerEntrypoint):
    async def fetch(self, request, env):
        import workers
        imported = [type(workers.env).__name__, workers.env.WORD, type(await workers.env.API.add(1, 2)).__name__]
        return Response.new(json.dumps([env is self.env, await look(self.env), await decorated(request, js.Object.assign(js.Object.new(), env.js_object)), imported]))
"""


def test_bindings_are_wrapped_by_the_names_of_their_classes(corral):
    one = corral(project(BINDINGS, "2026-04-21"))
    answer = one.get()
    assert answer.status == 200, answer.text
    old = {"word": "up", "in": [True, False, "up", None], "add": 3, "fetch": ["workers", "fetched http://x/y POST"], "room": ["n", "fetched http://z/ "],
           "flow": ["7", "ok", "t", ["a", "b"]]}
    assert answer.json() == [True, {
        **old, "kind": "JsDict", "first": [{"a": None}, [1, None, {"deep": {"a": None}}], "datetime", None, 3, "b"],
        "rows": [[{"sql": "select", "args": ["x", None, 2.5], "options": {"limit": 1, "more": {"a": [1]}}}], "select", True],
        "both": ["<D1PreparedStatement of JavaScript>", "5"], "same": [True, 1, True], "fail": "TypeError: no"}, "JsDict", ["Env", "up", "JsDict"]]
    use(one, project(BINDINGS, "2026-04-20"))
    until(lambda: one.get().text, lambda: one.get().json() == [True, {**old, "kind": "JsProxy"}, "JsProxy", ["JsProxy", "up", "JsProxy"]])
