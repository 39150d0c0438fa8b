"""load.py - import the worker's module, find its handlers, word what went wrong.

load() returns (fetch, count, warm, count, dispatch, bits of handlers) or a dict with the fields of
struct realm_failure.  The kinds are those of enum failure in src/wire/message.h.
"""
import asyncio
import gc
import importlib.machinery
import importlib.util
import os
import sys

import js

from . import chance, entry, errors, flags, hints, js_modules, memory, packages, stdlib, threads, vendored

SYNTAX, IMPORT, EXCEPTION, NO_HANDLER, INTERNAL = 1, 2, 3, 4, 5
NULL_SINCE = "2025-09-29"       # JavaScript's null is jsnull from this compatibility date on


def _failure(kind, text, **fields):
    return {"kind": kind, "text": text, **fields}


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


def _folders(folder, beside_main):
    """Where modules are looked for before Python's own: the worker's files; and behind them: what is vendored, then what is installed.

    In this order as on Cloudflare: a package that has a module of Python's name, such as an old backport, does not take its place."""
    vendors = ["python_modules"] if flags.is_on("python_workers_force_new_vendor_path") else ["python_modules", "vendor"]
    vendored_in = [os.path.join(root, name) for name in vendors for root in (folder, beside_main)]
    own = list(dict.fromkeys([beside_main, folder]))
    return own, list(dict.fromkeys([*filter(os.path.isdir, vendored_in), *packages.folders]))


# Python's own modules that our SDK has loaded and Pyodide's has not: there a project's own ones of these names are found.
_EARLY = ("calendar", "difflib", "fcntl", "grp", "locale", "lzma", "pwd", "queue", "ssl", "tarfile")


def _make_room(folders):
    """For modules of the project with a name of _EARLY; who has imported Python's keeps it."""
    for name in _EARLY:
        spec = importlib.machinery.PathFinder.find_spec(name, folders) if name in sys.modules else None
        if spec is not None and spec.origin is not None:        # a folder without __init__.py comes after Python's own
            for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] == name]:
                del sys.modules[loaded]


def _process_pth_files(folders):
    """Installed packages may add folders, or run a line, by files NAME.pth: as Python's site does it."""
    import site
    for directory in folders:
        if os.path.basename(directory) == "python_modules":
            for name in sorted(os.listdir(directory)):
                if name.endswith(".pth"):
                    site.addpackage(directory, name, None)


def _import_main(folder, main):
    path = os.path.join(folder, main)
    name = os.path.splitext(os.path.basename(main))[0]
    own, others = _folders(folder, os.path.dirname(path))
    pythons = [one for one in sys.path if one not in own and one not in others]
    last = next((i for i, one in enumerate(pythons) if one.endswith("site-packages")), len(pythons))      # micropip's
    sys.path[:] = own + pythons[:last] + others + pythons[last:]
    importlib.invalidate_caches()
    packages.leave_out()
    vendored.settle(own + others)
    _make_room(own)
    if flags.is_on("python_process_pth_files"):
        _process_pth_files(others)
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


def _set_dialect(date, given):
    """Which Pyodide the date stands for: 0.26, from NULL_SINCE on 0.28; 314 by its flag alone, as yet."""
    import _corral
    import pyodide
    from pyodide import ffi
    from . import convert, sync
    names = set(given.replace(",", " ").split())
    is_314 = not names.isdisjoint({"python_workers_20260610", "python_workers_20260817"})
    has_null = is_314 or "python_workers_20250116" in names or not date or date >= NULL_SINCE   # no date: the newest
    pyodide.__version__ = "314.0.4" if is_314 else "0.28.2" if has_null else "0.26.0a2"
    _corral.set_null(ffi.jsnull, has_null)
    _corral.set_bigint(ffi.JsBigInt, is_314)
    _corral.set_dicts(is_314)
    _corral.open_dicts(has_null)
    convert.dicts_are_objects = is_314
    _corral.internal("setSocketWays")(flags.is_on("web_socket_auto_reply_to_close"),
                                      "blob" if flags.is_on("websocket_standard_binary_type") else "arraybuffer")
    sync.completes = has_null


def load(name, folder, main, date, names, env, chosen, tmp_bytes=0):
    errors.set_folder(folder)
    packages.set_all(chosen, date)
    memory.set_limit(tmp_bytes)
    memory.set_real([folder, packages.set_folder, *packages.folders])
    path = os.path.join(folder, main)
    if not main.endswith(".py"):
        return _failure(INTERNAL, f"{main} is no Python file", file=main, hint="`main` must name a .py file")
    if not os.path.isfile(path):
        return _failure(INTERNAL, f"{main} does not exist", file=main, hint="check `main` in the worker's configuration")
    flags.set_all(date, names)
    entry.env = env
    _set_dialect(date, names)
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
    _warn_of_old_packages(folder)
    return _threads_failure(main) or _find_handlers(module, main)


def _warn_of_old_packages(folder):
    if "fastapi" not in sys.modules:
        return
    import _corral
    from . import old_fastapi
    try:
        said = old_fastapi.warnings(folder)
    except Exception:       # it looks at the worker's objects, which may do what they like
        return
    for text in said:
        _corral.log(2, text)


def _threads_failure(main):
    left = threads.settle()
    if not left:
        return None
    many = len(left) > 1
    return _failure(EXCEPTION, f"{main} left {'threads' if many else 'a thread'} running when it was loaded: {', '.join(left[:5])}",
                    file=main, hint="instances are forked from the loaded worker, and a fork takes no threads along: "
                                    f"start {'them' if many else 'it'} in a handler, when the first request needs {'them' if many else 'it'}")


def _find_handlers(module, main):
    try:
        bits = entry.find(module, main)
    except entry.Mistake as e:
        text, hint = e.args
        return _failure(NO_HANDLER if isinstance(e, entry.NoHandler) else EXCEPTION, text, file=main, hint=hint)
    except Exception as e:      # its `__all__`, `__dir__` or a class in it
        return _exception_failure(e, main)
    return *entry.fetch_handler(), _warm, 3, entry.dispatch, bits


seed = chance.open
chance.watch()
stdlib.install()
memory.install()


def settle():
    """Before forking often: no garbage left, and nothing for collections to touch in children."""
    threads.settle()        # tasks of top-level code may have started some
    asyncio.all_tasks()
    errors.remember_sources()
    gc.collect()
    gc.freeze()
