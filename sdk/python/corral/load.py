"""load.py - import the worker's module, find its handlers, word what went wrong.

load() returns (fetch, count, warm, count) or a dict with the fields of struct
realm_failure.  The kinds are those of enum failure in src/wire/message.h.
"""
import asyncio
import difflib
import gc
import importlib.util
import inspect
import os
import sys

import js

from . import chance, errors, hints
from .bridge import JsProxy

SYNTAX, IMPORT, EXCEPTION, NO_HANDLER, INTERNAL = 1, 2, 3, 4, 5
NULL_SINCE = "2025-09-29"       # JavaScript's null is jsnull from this compatibility date on


def _failure(kind, text, **fields):
    return {"kind": kind, "text": text, **fields}


def _positional_count(function, most=3):
    """How many of (request, env, ctx) the handler takes; a method has `self` before them."""
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


def _class_handler(cls, env):
    takes = _positional_count(cls.fetch, 4) - 1

    def on_fetch(request, env, ctx):
        entry = cls(ctx, env)
        return entry.fetch(request, env, ctx) if takes > 2 else entry.fetch(request, env) if takes > 1 else entry.fetch(request)

    return on_fetch


async def _warm(request, env, ctx):
    """Touches what every handler touches, so that no instance is the first to."""
    headers = js.Headers.new({"content-type": "text/plain"}.items())
    text = await request.text()
    request.headers.get("host")
    url = js.URL.new(request.url)
    headers.set("x-warm", url.pathname + (url.searchParams.get("warm") or ""))
    return js.Response.new(request.method + url.origin + text, status=200, headers=headers)


def _syntax_failure(e, file):
    shown = errors.shown_path(e.filename or file)
    line, column = e.lineno or 0, e.offset or 0
    failure = _failure(
        SYNTAX, f"{shown}:{line}:{column}: {type(e).__name__}: {e.msg}", file=shown, line=line, column=max(column, 0),
        traceback=errors.format_exception(e, is_hinted=False))
    failure["hint"] = hints.for_syntax(e)
    return failure


def _import_failure(e, main):
    name = (e.name or "").split(".")[0]
    file, line = errors.where(e)
    failure = _failure(
        IMPORT, f"{file or main} imports the module '{e.name or '?'}', which was not found", module=e.name or "",
        file=file or main, line=line, traceback=errors.format_exception(e, is_hinted=False))
    failure["hint"] = hints.for_import(name, e.name or "")
    return failure


def _exception_failure(e, main):
    file, line = errors.where(e)
    try:
        said = str(e)
    except Exception:
        said = "<exception str() failed>"
    first = f"{type(e).__name__}: {said}" if said else type(e).__name__
    return _failure(
        EXCEPTION, f"{file or main} raised while it was loaded: {first.splitlines()[0]}", file=file or main, line=line,
        hint=hints.for_exception(e) or "code outside of handlers runs once, when the worker is loaded; see the traceback",
        traceback=errors.format_exception(e, is_hinted=False))


def _import_main(folder, main):
    path = os.path.join(folder, main)
    name = os.path.splitext(os.path.basename(main))[0]
    for directory in (os.path.join(folder, "python_modules"), folder, os.path.dirname(path)):
        if directory in sys.path:
            sys.path.remove(directory)
        sys.path.insert(0, directory)
    importlib.invalidate_caches()
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    _warn_of_prefix(os.path.dirname(main), main)
    return module


def _warn_of_prefix(prefix, main):
    """`import src.helper` from src/entry.py: found here, under two names, and not on Cloudflare."""
    import _corral
    wrong = sorted(name for name in sys.modules if prefix and name.startswith(prefix.replace("/", ".") + "."))
    if wrong:
        right = wrong[0][len(prefix) + 1:]
        _corral.log(2, f"{main} or a module beside it imports '{wrong[0]}': write `import {right}`. "
                       f"Modules are looked for in {prefix}/, and Cloudflare finds them there alone")


def _set_dialect(date, flags):
    """Which Pyodide the date stands for: 0.26, from NULL_SINCE on 0.28; 314 by its flag alone, as yet."""
    import _corral
    from pyodide import ffi
    from . import convert
    names = set(flags.replace(",", " ").split())
    is_314 = not names.isdisjoint({"python_workers_20260610", "python_workers_20260817"})
    has_null = is_314 or "python_workers_20250116" in names or not date or date >= NULL_SINCE   # no date: the newest
    _corral.set_null(ffi.jsnull, has_null)
    _corral.set_bigint(ffi.JsBigInt, is_314)
    convert.dicts_are_objects = is_314


def load(name, folder, main, date, flags, env):
    errors.set_folder(folder)
    path = os.path.join(folder, main)
    if not main.endswith(".py"):
        return _failure(INTERNAL, f"{main} is no Python file", file=main, hint="`main` must name a .py file")
    if not os.path.isfile(path):
        return _failure(INTERNAL, f"{main} does not exist", file=main, hint="check `main` in the worker's configuration")
    _set_dialect(date, flags)
    chance.close(folder)
    try:
        module = _import_main(folder, main)
    except SyntaxError as e:
        return _syntax_failure(e, main)
    except ModuleNotFoundError as e:
        return _import_failure(e, main)
    except BaseException as e:
        return _exception_failure(e, main)
    finally:
        errors.remember_sources()
    return _find_handlers(module, main, env)


def _is_entrypoint(value):
    return inspect.isclass(value) and any(base.__name__ == "WorkerEntrypoint" for base in value.__mro__[1:])


def _class_hint(module):
    """What keeps a class of the module from being the entrypoint, or ''."""
    default = getattr(module, "Default", None)
    if inspect.isclass(default):
        if not callable(getattr(default, "fetch", None)):
            return "class Default has no method `fetch`: add `async def fetch(self, request):` to it"
        if not _is_entrypoint(default):
            return "derive it from WorkerEntrypoint: `from workers import WorkerEntrypoint`, `class Default(WorkerEntrypoint):`"
        try:
            inspect.signature(default).bind(None, None)
        except TypeError:
            return ("the `__init__` of class Default must take what WorkerEntrypoint takes: "
                    "`def __init__(self, ctx, env):` with `super().__init__(ctx, env)`")
        except ValueError:
            pass
        return ""
    others = [name for name, value in vars(module).items() if _is_entrypoint(value) and value.__module__ == module.__name__]
    return f"it has a class `{others[0]}`: the one that answers requests is `Default`" if others else ""


def _handler_hint(module):
    """A function of the module that was probably meant, or how a handler looks."""
    hint = _class_hint(module)
    if hint:
        return hint
    own = [name for name, value in vars(module).items()
           if inspect.isfunction(value) and value.__module__ == module.__name__]
    near = difflib.get_close_matches("on_fetch", own, n=1, cutoff=0.6)
    if near:
        return f"it has a function `{near[0]}`: the handler's name is `on_fetch`"
    return ("add one:\n\nfrom js import Response\n\nasync def on_fetch(request, env):\n"
            '    return Response.new("Hello world!")')


def _find_handlers(module, main, env):
    on_fetch, default = getattr(module, "on_fetch", None), getattr(module, "Default", None)
    is_class = inspect.isclass(default) and callable(getattr(default, "fetch", None)) and not _class_hint(module)
    if is_class and on_fetch is not None:
        return _failure(EXCEPTION, f"{main}: Cannot define multiple default entrypoints", file=main,
                        hint="keep either on_fetch or class Default(WorkerEntrypoint)")
    if is_class:
        on_fetch = _class_handler(default, env)
    if on_fetch is None or isinstance(on_fetch, JsProxy) or not callable(on_fetch):
        return _failure(NO_HANDLER, f"{main} defines no fetch handler", file=main, hint=_handler_hint(module))
    return on_fetch, _positional_count(on_fetch), _warm, 3


seed = chance.open
chance.watch()


def settle():
    """Before forking often: no garbage left, and nothing for collections to touch in children."""
    asyncio.all_tasks()
    errors.remember_sources()
    gc.collect()
    gc.freeze()
