"""vendored.py - who provides `workers`, `asgi` and `wsgi`: this program, or the project itself.

A module of that name in the project goes first, as on Cloudflare, and is then the only one: nothing of ours is mixed in.
One exception is Cloudflare's own SDK, which its tools copy into python_modules/: it speaks to the inside of Cloudflare's
runtime, which is not here, so ours, which offers the same names, stays.
"""
import importlib.machinery
import os
import sys

from . import entry

NAMES = ("workers", "asgi", "wsgi")
_INSIDE = "_pyodide_entrypoint_helper"      # a module of that runtime, which only its SDK imports
_SOURCE_MAX = 1 << 20


def _sources(spec):
    if spec.submodule_search_locations:
        for folder in spec.submodule_search_locations:
            for name in sorted(os.listdir(folder)):
                if name.endswith(".py"):
                    yield os.path.join(folder, name)
    elif spec.origin and spec.origin.endswith(".py"):
        yield spec.origin


def _is_cloudflares(spec):
    for path in _sources(spec):
        try:
            with open(path, encoding="utf-8", errors="replace") as f:
                if _INSIDE in f.read(_SOURCE_MAX):
                    return True
        except OSError:
            pass
    return False


def _request_of(js_request):
    """What the project's own SDK makes of a request."""
    convert = getattr(sys.modules.get("workers"), "python_from_rpc", None)
    return convert(js_request) if convert is not None else js_request


def settle(folders):
    """Let go of ours where a module in one of these folders has the name; all of it, when it is `workers`."""
    own = {}
    for name in NAMES:
        spec = importlib.machinery.PathFinder.find_spec(name, folders)
        if spec is not None and spec.origin is not None:
            own[name] = spec
    if not own or ("workers" in own and _is_cloudflares(own["workers"])):
        return
    hidden = NAMES if "workers" in own else tuple(own)
    finder = next(finder for finder in sys.meta_path if hasattr(finder, "hidden"))
    finder.hidden = frozenset(hidden)
    for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] in hidden]:
        del sys.modules[loaded]
    if "workers" in own:
        entry.wrap_request = _request_of
