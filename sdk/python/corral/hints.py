"""hints.py - what to do about an exception; of packages: hints_packages.py, of D1: hints_d1.py."""
import difflib
import errno
import importlib
import inspect
import os
import re
import sys
from types import CoroutineType

from . import errors, hints_d1, hints_packages

def for_import(name, whole=""):
    """`name` is the module's first part, `whole` all of it."""
    if name in ("pyodide", "_pyodide", "_pyodide_core", "workers"):
        return f"`{whole or name}` is not in Corral: docs/compatibility.md says what is"
    if whole not in ("", name) and name in sys.modules:
        return f"`{name}` is there and has no module `{whole[len(name) + 1:]}`: another version of it may have one"
    return hints_packages.for_import(name)


# Names of the platform that are not there yet.
_LATER = {"Buffer", "process"}
_JS_NAME = re.compile(r"^(?:cannot import name|JavaScript has no global) '([^']+)'")


# of asyncio and anyio
_LOOP_RUNS = (("asyncio.run() cannot be called from a running event loop",), ("Already running asyncio in this thread",))


# Names that handlers have and functions that they call have not.
_HANDLERS = {
    "env": "`env` is given to the handler, `self.env` in a class: hand it on, or have it everywhere by `from workers import env`",
    "ctx": "`ctx` is given to the handler, `self.ctx` in a class: hand it on",
    "self": "a function has no `self`: hand on what it needs, `await save(self.env, ...)`",
}


def for_exception(e):
    """What to do about it, where that is known; else ''."""
    try:
        return _known(e)
    except Exception:       # what it looks at is the worker's: attributes may raise, and must not hide the error itself
        return ""


def _known(e):
    if isinstance(e, TypeError) and e.args == ("'pyodide.ffi.JsProxy' object is not iterable",):
        return ("an object of JavaScript: iterate over its object_keys() or object_entries(), see it as a dict with as_object_map(), "
                "or make it one with to_py()")
    if isinstance(e, ImportError) and e.args and e.args[0] == "attempted relative import with no known parent package":
        return "`main` is in no package: import the modules beside it by their names alone, `import helper`"
    if isinstance(e, RuntimeError) and e.args in _LOOP_RUNS:
        return "the event loop of a worker always runs: make the handler `async def` and write `await main()`"
    if isinstance(e, NameError) and e.name in _HANDLERS:
        return _HANDLERS[e.name]
    if isinstance(e, SystemExit):
        return "exit ends no worker, only this request, with an error: return a Response instead"
    if type(e).__name__ == "JsException":
        hint = hints_d1.of_exception(e)
        if hint:
            return hint
    for known in (hints_d1.of_value, _for_hidden, _for_newer_name, _for_platform_import, _for_value, _for_proxy, _for_constructor, _for_sdk, _for_box, hints_packages.for_exception):
        hint = known(e)
        if hint:
            return hint
    return for_js_name(e)


def _for_hidden(e):
    """A module of the project that has the name of another one, and either of the two is not seen."""
    name = e.name if isinstance(e, ImportError) else getattr(e.obj, "__name__", None) if isinstance(e, AttributeError) else None
    module = sys.modules.get(name) if isinstance(name, str) else None
    if not isinstance(module, type(sys)) or (isinstance(e, AttributeError) and e.obj is not module):
        return ""
    file = getattr(module, "__file__", None) or ""
    if name == "workers" and file:
        return f"{errors.shown_path(file)} hides the `workers` of Cloudflare: give it another name"
    if name not in sys.stdlib_module_names:
        return ""
    for own in (name + ".py", os.path.join(name, "__init__.py")):
        own = os.path.join(sys.path[0], own)
        if os.path.isfile(own) and file != own:
            return (f"{errors.shown_path(own)} is not seen: Python's own module `{name}` has the name and is loaded before, on Cloudflare too: "
                    "give it another")
    return ""


_OLD_NAME = re.compile(r"^(?:cannot import name '(\w+)' from 'pyodide' |module 'pyodide' has no attribute '(\w+)')")


def _where_it_went(name):
    """`from pyodide import to_js`, as in old programs."""
    for module in ("pyodide.ffi", "pyodide.code", "pyodide.http", "pyodide.ffi.wrappers", "pyodide.console"):
        if name in importlib.import_module(module).__all__:
            return f"`{name}` is in {module}: `from {module} import {name}`"
    return ""


def _for_platform_import(e):
    if isinstance(e, ModuleNotFoundError) and e.name:
        return for_import(e.name.split(".")[0], e.name)
    if isinstance(e, (ImportError, AttributeError)) and e.args:
        match = _OLD_NAME.match(str(e.args[0]))
        if match:
            return _where_it_went(match[1] or match[2])
    if isinstance(e, ImportError) and e.name == "workers" and e.args:
        match = re.match(r"cannot import name '([^']+)'", str(e.args[0]))
        if match:
            import js
            import workers
            near = difflib.get_close_matches(match[1], getattr(workers, "__all__", ()), 1, 0.7)
            if match[1] in dir(js):
                return f"workers has no such name: `from js import {match[1]}` has JavaScript's"
            return f"did you mean `{near[0]}`?" if near else ""
    return ""


_ADDRESS = {"path": "urllib.parse.urlparse(url).path", "query": "urllib.parse.urlparse(url).query", "hostname": "urllib.parse.urlparse(url).hostname",
            "params": "urllib.parse.parse_qs(urllib.parse.urlparse(url).query)", "pathname": "js.URL.new(url).pathname",
            "searchParams": "js.URL.new(url).searchParams", "search": "js.URL.new(url).search", "origin": "js.URL.new(url).origin"}


_COROUTINES = (("'coroutine' object is not subscriptable",), ("'coroutine' object is not iterable",),
               ("Object of type coroutine is not JSON serializable",))


def _for_value(e):
    """A coroutine taken for what it will bring, an address for one that is taken apart."""
    if isinstance(e, TypeError) and e.args in _COROUTINES:
        return "a coroutine: `await` it first"
    if isinstance(e, AttributeError) and isinstance(e.obj, CoroutineType):
        return "a coroutine: `await` it first"
    if isinstance(e, AttributeError) and type(e.obj) is str and e.obj.startswith(("http://", "https://")) and e.name in _ADDRESS:
        return f"an address is text: {_ADDRESS[e.name]}"
    return ""


def _for_proxy(e):
    """A JavaScript object taken for a dict, or for one of other names; a promise for what it will bring."""
    if isinstance(e, TypeError) and e.args == ("Object of type JsProxy is not JSON serializable",):
        return "an object of JavaScript: json.dumps(data.to_py()), or js.JSON.stringify(data)"
    if not isinstance(e, AttributeError) or e.obj is None or not e.name:
        return ""
    from pyodide.ffi import JsProxy
    if not isinstance(e.obj, JsProxy):
        return hints_d1.of_attribute(e.obj, e.name, "")
    if hasattr(e.obj, "then"):
        return "a promise of JavaScript: `await` it first"
    if _is_env(e.obj):
        return _for_env(e.obj, e.name)
    from workers._values import kind_of
    hint = hints_d1.of_attribute(e.obj, e.name, kind_of(e.obj))
    if hint:
        return hint
    if e.name in ("get", "items", "keys", "values", "update", "pop", "setdefault", "copy"):
        return ("an object of JavaScript is no dict: data.name or data['name'] reads it, getattr(data, 'name', None) asks, "
                "data.to_py() makes a dict of it, data.as_object_map() shows it as one")
    names = {name.lower(): name for name in dir(e.obj) if not name.startswith("_")}
    near = difflib.get_close_matches(e.name.replace("_", "").lower(), names, n=1, cutoff=0.7)
    if near:
        return f"did you mean `{names[near[0]]}`?"
    keys = list(e.obj.object_keys()) if kind_of(e.obj) == "object" else []
    return f"it has {', '.join(f'`{key}`' for key in keys[:10])}" if keys else ""


def _is_env(obj):
    from . import entry
    from workers import _runtime
    return entry.env is not None and (obj == entry.env or obj == _runtime.imported_env())


def _for_env(env, name):
    has = sorted(env.object_keys())
    near = difflib.get_close_matches(name.lower(), {each.lower(): each for each in has}, n=1, cutoff=0.7)
    if near:
        return f"did you mean `{next(each for each in has if each.lower() == near[0])}`?"
    return (f"the worker's configuration gives no `{name}`: variables stand in [vars] or .dev.vars, databases in [[d1_databases]], "
            f"and an environment, [env.X], inherits none of them; bindings that Corral has not yet are warned of at its start" + (f"; `env` has {', '.join(has[:10])}" if has else ""))


_NO_NEW = re.compile(r"Cannot call a class constructor without \|new\||calling (\w+) constructor without new is invalid")


def _for_constructor(e):
    match = _NO_NEW.match(str(getattr(e, "message", None) or "")) if type(e).__name__ == "JsException" else None
    return f"JavaScript's classes are called by their `new`: `{match[1] or 'Response'}.new(...)`" if match else ""


_NO_KEYWORD = re.compile(r"(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(\w+)'")
_ELSEWHERE = {"content": "body", "status_code": "status", "reason": "status_text"}     # what other frameworks call them
_NO_OPTIONS = re.compile(r"(?:(Request)\.__init__|(fetch))\(\) takes .* positional arguments? but \d+ were given")


def _for_sdk(e):
    """JavaScript's ways with the classes of `workers`."""
    import workers
    if isinstance(e, AttributeError) and e.name == "new" and isinstance(e.obj, type):
        name = e.obj.__name__
        if getattr(workers, name, None) is e.obj:
            return f"JavaScript's {name} has `new`, `from js import {name}`; workers.{name} is called without: `{name}(...)`"
    if not isinstance(e, TypeError) or not e.args or not isinstance(e.args[0], str):
        return ""
    match = _NO_OPTIONS.match(e.args[0])
    if match:
        return f"options are keywords: `{match[1] or match[2]}(url, method=..., headers=...)`"
    match = _NO_KEYWORD.match(e.args[0])
    if match and match[1] in workers.__all__:
        known = inspect.signature(getattr(workers, match[1])).parameters
        right = _ELSEWHERE.get(match[2]) or re.sub("[A-Z]", lambda upper: "_" + upper[0].lower(), match[2])
        if match[2] in ("content_type", "media_type", "mimetype") and "headers" in known:
            return "did you mean `headers={'content-type': ...}`?"
        near = [right] if right in known else difflib.get_close_matches(match[2], known, 1, 0.7)
        return f"did you mean `{near[0]}`?" if near else ""
    return ""


def _for_box(e):
    """What the box of a worker refuses."""
    frame = e.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    file = frame.tb_frame.f_code.co_filename if frame else ""
    if isinstance(e, KeyError) and file == "<frozen os>":
        return ("a worker sees no environment: variables and secrets are in `env`, the handler's second parameter, which is `self.env` in a class; "
                "`from workers import env` has it everywhere")
    if isinstance(e, OSError) and e.errno == errno.EROFS:
        return "a worker's own files are those below /tmp, in its memory; nothing else can be written"
    if isinstance(e, OSError) and e.errno == errno.ENOSPC:
        return "files below /tmp are in the instance's memory, and there is a limit: remove those that are not needed any more"
    if isinstance(e, OSError) and e.errno == errno.EMFILE:
        return "an instance has few file descriptors, for all of its requests together: close what is not needed any more"
    return ""


def for_js_name(e):
    """A name that JavaScript's global object does not have: `from js import Respnse`, `js.Respnse`."""
    is_import = isinstance(e, ImportError) and e.name == "js"
    if not (is_import or isinstance(e, AttributeError)) or not e.args or not isinstance(e.args[0], str):
        return ""
    match = _JS_NAME.match(e.args[0])
    if not match:
        return ""
    name = match[1]
    if name in _LATER:
        return f"`{name}` is not in Corral yet: docs/compatibility.md says what is"
    if name in ("env", "ctx", "request"):
        return (f"`{name}` is given to the handler: `async def on_fetch(request, env, ctx)`" +
                ("; `from workers import env` has it everywhere" if name == "env" else ""))
    import js
    near = difflib.get_close_matches(name, [n for n in dir(js) if not n.startswith("_")] + sorted(_LATER), n=1, cutoff=0.7)
    return f"did you mean `{near[0]}`?" if near else f"JavaScript's global object has no `{name}`"


# Syntax newer than the oldest Python that Corral embeds: (since, what, pattern on a source line).
_NEWER = [
    ((3, 12), "the `type` statement", re.compile(r"^\s*type\s+\w+\s*(\[.*\])?\s*=[^=]")),
    ((3, 12), "type parameters", re.compile(r"^\s*(async\s+def|def|class)\s+\w+\s*\[")),
    ((3, 12), "quotes nested in an f-string", re.compile(r"""(?i)\b(?:f|rf|fr)(["'])(?:(?!\1).)*\{[^}"']*\1""")),
    ((3, 12), "a backslash inside the braces of an f-string", re.compile(r"""(?i)\b(?:f|rf|fr)["'].*\{[^}]*\\[^}]*\}""")),
    ((3, 14), "`except` with several types and no parentheses",
     re.compile(r"^\s*except\*?\s+[\w.]+\s*,\s*[\w.]+(\s*,\s*[\w.]+)*\s*:")),
    ((3, 14), "a template string", re.compile(r"""(?<![\w"'])(?:t|rt|tr)["']""")),
]


# Names of the standard library newer than that: module, since, names.
_NEWER_NAMES = {
    "itertools": {(3, 12): ("batched",)},
    "typing": {(3, 12): ("override", "TypeAliasType"), (3, 13): ("TypeIs", "ReadOnly", "NoDefault", "get_protocol_members", "is_protocol")},
    "collections.abc": {(3, 12): ("Buffer",)},
    "asyncio": {(3, 12): ("eager_task_factory", "create_eager_task_factory"), (3, 13): ("QueueShutDown",)},
    "calendar": {(3, 12): ("Month", "Day")},
    "copy": {(3, 13): ("replace",)},
    "math": {(3, 12): ("sumprod",), (3, 13): ("fma",)},
    "random": {(3, 12): ("binomialvariate",)},
    "statistics": {(3, 13): ("kde", "kde_random")},
    "uuid": {(3, 14): ("uuid6", "uuid7", "uuid8")},
    "warnings": {(3, 13): ("deprecated",)},
}


def _for_newer_name(e):
    """A name of the standard library that a later Python has: Cloudflare's is 3.12 or later."""
    if isinstance(e, ImportError) and e.args:
        match = re.match(r"cannot import name '(\w+)'", str(e.args[0]))
        module, name = e.name, match[1] if match else None
    elif isinstance(e, AttributeError) and isinstance(e.obj, type(sys)):
        module, name = e.obj.__name__, e.name
    else:
        return ""
    for since, names in _NEWER_NAMES.get(module, {}).items():
        if name in names and sys.version_info < since:
            return _needs(f"`{module}.{name}`", since)
    return ""


def _needs(what, since):
    newer = "%d.%d" % max(since, (3, 13))
    return (f"{what} needs Python {since[0]}.{since[1]}, and this Corral embeds {sys.version_info[0]}.{sys.version_info[1]}: "
            f"rebuild it with `make PYTHON_EMBED=python-{newer}-embed`")


def _source_line(e):
    if e.filename and e.lineno:
        try:
            with open(e.filename, encoding="utf-8") as file:
                return file.read().splitlines()[e.lineno - 1]
        except (OSError, IndexError, UnicodeError):
            pass
    return e.text or ""


def for_syntax(e):
    if e.msg in ("'await' outside function", "'await' outside async function"):
        return "`await` stands in a function that is `async def`, and nothing can be waited for while the module is loaded: write it into a handler"
    line = _source_line(e)
    for since, what, pattern in _NEWER:
        if sys.version_info < since and pattern.search(line):
            return _needs(what, since)
    return ""
