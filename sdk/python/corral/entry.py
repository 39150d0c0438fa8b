"""entry.py - a worker's entrypoints: what its main module defines, and the calls of its handlers.

Two styles, as on Cloudflare.  A class `Default(WorkerEntrypoint)` has methods fetch, scheduled, queue ..., and is made
anew for each event.  Functions on_fetch, on_scheduled ... count under a compatibility date before 2025-08-14, or with
the flag disable_python_no_global_handlers.  Handlers get as many of (event, env, ctx) as they take.
"""
import asyncio
import difflib
import inspect
import operator
import sys

from workers import _bindings, _entrypoints
from workers._rpc import python_from_rpc, python_to_rpc
from workers._request import Request
from workers._values import wrap_request as _wrap_request

from . import errors, flags

# kind of event: (its bit, as enum handler of the wire has it; method names of a class; name of a function)
KINDS = {
    "fetch": (1, ("fetch",), "on_fetch"),
    "scheduled": (2, ("scheduled",), "on_scheduled"),
    "queue": (4, ("queue",), "on_queue"),
    "alarm": (8, ("alarm",), "on_alarm"),
    "trace": (16, ("trace", "tail"), "on_trace"),
    "pubsub": (32, ("pubsub",), "on_pubsub"),
    "test": (64, ("test",), "test"),
}


class Mistake(Exception):
    """What keeps the module from being a worker: (text, hint)."""


class NoHandler(Mistake):
    """There is nothing in it to call."""


main = "src/entry.py"       # as the configuration names it
env = None                  # the worker's
default = None              # class Default
named = {}                  # the other entrypoints: name -> class
functions = {}              # handlers in the older style: kind -> function
wrap_request = _wrap_request    # what a handler gets as its request; an SDK of the project's own has another
_counts = {}


def positional_count(function, most=3):
    """How many positional arguments it takes, at most `most`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return most
    count = 0
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            return most
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            count += 1
    return min(count, most)


def _relaxed(function, *args):
    """Call it with as many of the arguments as it takes."""
    key = getattr(function, "__func__", function)
    if not inspect.isfunction(key):         # an object that can be called, perhaps one that cannot be hashed
        return function(*args[:positional_count(function)])
    count = _counts.get(key)
    if count is None:
        count = positional_count(function)
        if len(_counts) < 1000:
            _counts[key] = count
    return function(*args[:count])


# ---- what a module defines ----


def _classes(module, base):
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name in dir(module) if not name.startswith("_")]
    found = {}
    for name in names:
        value = getattr(module, name, None)
        if inspect.isclass(value) and issubclass(value, base) and value is not base:
            found[name] = value
    return found


def _method(cls, kind):
    """The name under which cls has a handler of this kind, or ''."""
    names = KINDS[kind][1]
    if not flags.is_on("python_no_global_handlers"):        # the methods were called on_fetch ... as the functions are
        names = (KINDS[kind][2], *names)
    return next((name for name in names if callable(getattr(cls, name, None))), "")


def find(module, path):
    """Take the entrypoints of the main module; the bits of its handlers.  Raises Mistake."""
    global main, default, named, functions
    main = path
    base = getattr(sys.modules.get("workers"), "WorkerEntrypoint", None)       # the project may have an SDK of its own
    named = _classes(module, base if inspect.isclass(base) else _entrypoints.WorkerEntrypoint)
    default = named.pop("Default", None)
    functions = {kind: function for kind, (_, _, name) in KINDS.items() if callable(function := getattr(module, name, None))}
    functions = {kind: function for kind, function in functions.items() if not _is_from_javascript(function)}
    others = {**named, **_classes(module, _entrypoints.DurableObject), **_classes(module, _entrypoints.WorkflowEntrypoint)}
    _settle_style(module, others)
    if default is not None:
        _check_constructor()
        bits = sum(bit for kind, (bit, _, _) in KINDS.items() if _method(default, kind))
    else:
        bits = sum(KINDS[kind][0] for kind in functions)
    if not bits and (not others or _nearly_default()):
        raise NoHandler(f"{path} defines no fetch handler", _hint(module))
    return bits


def _nearly_default():
    """The entrypoint that was probably meant to be Default, or ''."""
    lower = {name.lower(): name for name in named}
    return next((lower[name] for name in difflib.get_close_matches("default", lower, 1, 0.8)), "")


def _proxy_type():
    from .bridge import JsProxy
    return JsProxy


def _is_from_javascript(function):
    return isinstance(function, _proxy_type())


def _settle_style(module, others):
    """Which of the two styles counts."""
    global functions
    given = [KINDS[kind][2] for kind in functions if kind != "test"]
    if not given:
        return
    if not flags.is_on("python_no_global_handlers"):
        if default is not None:
            raise Mistake(f"{main}: TypeError: Cannot define multiple default entrypoints",
                          f"keep either {' and '.join(given)} or class Default(WorkerEntrypoint)")
        return
    if default is None and not others and not flags.date:
        _warn(f"{main}: {given[0]} is called because there is no compatibility_date: from 2025-08-14 on handlers are methods of "
              "a class Default(WorkerEntrypoint)")
        return
    if default is None and not others:
        raise NoHandler(f"{main}: TypeError: {given[0]} is not called: from the compatibility date 2025-08-14 on handlers are "
                        "methods of a class Default(WorkerEntrypoint)", _rewritten(module, given))
    _warn(f"{main}: {', '.join(given)} will not be called: by this compatibility date the worker's handlers are the methods of "
          f"{'class Default' if default is not None else 'classes'}")
    functions = {}


def _warn(text):
    import _corral
    _corral.log(2, text)


_SHAPES = {"fetch": "request", "scheduled": "controller", "queue": "batch"}


def _rewritten(module, given):
    lines = ["write them so:" if len(given) > 1 else "write it so:", "", "from workers import WorkerEntrypoint", "",
             "class Default(WorkerEntrypoint):"]
    for name in given:
        kind = name.removeprefix("on_")
        word = "async def" if asyncio.iscoroutinefunction(getattr(module, name)) else "def"
        lines += [f"    {word} {kind}(self, {_SHAPES.get(kind, 'event')}):", "        ...     # env is self.env, ctx is self.ctx"]
    return "\n".join(lines + ["", 'or keep it: compatibility_flags = ["python_workers", "disable_python_no_global_handlers"]'])


def _check_constructor():
    try:
        inspect.signature(default).bind(None, None)
    except TypeError:
        raise NoHandler(f"{main} defines no fetch handler",
                        "the `__init__` of class Default must take what WorkerEntrypoint takes: "
                        "`def __init__(self, ctx, env):` with `super().__init__(ctx, env)`") from None
    except ValueError:
        pass


def _hint(module):
    """What was probably meant to be a handler, or how one looks."""
    unbased = getattr(module, "Default", None)
    older = next((name for _, _, name in KINDS.values() if callable(getattr(default, name, None)) and name != "test"), "")
    if older:
        return f"class Default has a method `{older}`: it is called `{older.removeprefix('on_')}` from the compatibility date 2025-08-14 on"
    if default is not None:
        return "class Default has no method `fetch`: add `async def fetch(self, request):` to it"
    if named:
        return f"it has a class `{_nearly_default()}`: the one that answers requests is `Default`"
    if inspect.isclass(unbased):
        return "derive it from WorkerEntrypoint: `from workers import WorkerEntrypoint`, `class Default(WorkerEntrypoint):`"
    own = [name for name, value in vars(module).items() if inspect.isfunction(value) and value.__module__ == module.__name__]
    near = difflib.get_close_matches("on_fetch", own, n=1, cutoff=0.6)
    if near and not flags.is_on("python_no_global_handlers"):
        return f"it has a function `{near[0]}`: the handler's name is `on_fetch`"
    app = next((name for name, value in vars(module).items() if _is_application(value)), "")
    if app:
        kind = "wsgi" if hasattr(getattr(module, app), "wsgi_app") else "asgi"
        if flags.is_on("python_no_global_handlers"):
            return (f"`{app}` is called by one:\n\nfrom workers import WorkerEntrypoint, {kind}\n\nclass Default(WorkerEntrypoint):\n"
                    f"    async def fetch(self, request):\n        return await {kind}.fetch({app}, request, self.env)")
        return (f"`{app}` is called by one:\n\nfrom workers import {kind}\n\nasync def on_fetch(request, env):\n"
                f"    return await {kind}.fetch({app}, request, env)")
    if flags.is_on("python_no_global_handlers"):
        return ("add one:\n\nfrom workers import Response, WorkerEntrypoint\n\nclass Default(WorkerEntrypoint):\n"
                '    async def fetch(self, request):\n        return Response("Hello world!")')
    return ("add one:\n\nfrom js import Response\n\nasync def on_fetch(request, env):\n"
            '    return Response.new("Hello world!")')


def _is_application(value):
    """Of FastAPI, Starlette, Flask."""
    return not isinstance(value, type) and {c.__module__.partition(".")[0] for c in type(value).__mro__} & {"fastapi", "starlette", "flask"} and (
        hasattr(value, "add_middleware") or hasattr(value, "wsgi_app"))


# ---- calls ----


def _missing(kind):
    if functions:
        name = KINDS[kind][2]
        e = TypeError(f'Python entrypoint "{main}" does not export a handler named "{name}"')
        e.add_note(f"(add `async def {name}({_SHAPES.get(kind, 'event')}, env, ctx):` to {main})")
    else:
        e = TypeError(f"Handler does not export a {kind}() function.")
        other = next(iter(named), "")
        e.add_note(f"({main} has a class `{other}`: the one that is called by default is `Default`)" if other and default is None else
                   f"(add `async def {kind}(self, {_SHAPES.get(kind, 'event')}):` to class Default of {main})")
    return e


def _no_fetch(request, env, ctx):
    raise _missing("fetch")


def fetch_handler():
    """(function, how many of request, env, ctx it takes): what answers requests."""
    if default is None:
        function = functions.get("fetch", _no_fetch)
        return function, positional_count(function)
    name = _method(default, "fetch")
    if not name:
        return _no_fetch, 3
    cls, takes = default, positional_count(getattr(default, name), 4)
    takes -= inspect.isfunction(inspect.getattr_static(default, name))      # self
    errors.handler = name
    wrap = Request._of if wrap_request is _wrap_request else wrap_request
    call, seen_env = operator.attrgetter(name), _bindings.wrap_env(env)

    def fetch(request, env, ctx):
        return call(cls(ctx, seen_env))(wrap(request))

    def relaxed_fetch(request, env, ctx):
        return call(cls(ctx, seen_env))(*(wrap(request), seen_env, ctx)[:max(takes, 0)])

    return fetch if takes == 1 else relaxed_fetch, 3


def _class_of(name):
    if not name or name == "default" or name == "Default":
        return default
    if name not in named:
        raise TypeError(f"There is no '{name}' class defined in the Python Worker's main module")
    return named[name]


def dispatch(kind, entrypoint, event, env, ctx):
    """Call the handler of an event other than fetch; what it returns may be awaitable."""
    cls = _class_of(entrypoint)
    if cls is None and kind == "rpc":
        raise TypeError(f"{main} has no class Default(WorkerEntrypoint): there are no methods to call")
    if cls is None:
        function = functions.get(kind)
        if function is None:
            raise _missing(kind)
        return _relaxed(function, event, env, ctx)
    env = _bindings.wrap_env(env)
    if kind == "rpc":
        return _call_method(cls(ctx, env), event)
    name = _method(cls, kind)
    if not name:
        raise _missing(kind)
    if kind == "queue":
        event = _bindings.wrap_batch(event)
    elif kind != "alarm":
        event = python_from_rpc(event)
    return _relaxed(getattr(cls(ctx, env), name), event, env, ctx)


async def _call_method(entrypoint, call):
    """Another worker calls a method: exactly with the arguments that it gives, and values of Python on this side."""
    name = call.method
    method = getattr(entrypoint, name, None) if not name.startswith("__") else None
    if not callable(method) or isinstance(method, _proxy_type()):
        raise TypeError(f"Method {name} does not exist")
    result = method(*python_from_rpc(call.args))
    while inspect.isawaitable(result):
        result = await result
    call.result = python_to_rpc(result)
