"""_runtime.py - what the runtime itself offers: env, patch_env, wait_until, the modules of JavaScript."""
import asyncio
import contextlib
import contextvars

import _corral
import js
from corral.bridge import JsProxy, wait_for
from pyodide.ffi import create_proxy, to_js

_patch = contextvars.ContextVar("patch_env", default=None)
_imported_env = _corral.internal("importedEnv")
_count_patches = _corral.internal("countPatches")
_runtime_module = _corral.internal("runtimeModule")
_wait_until = _corral.internal("waitUntil")
_corral.internal("onPatch")(create_proxy(_patch.get))


def imported_env():
    """`from workers import env`: the worker's bindings, for code that is handed no env; in top-level code too."""
    return _imported_env()


@contextlib.contextmanager
def patch_env(d=None, **kwds):
    """Stand something else in the place of the imported `env`, for the code inside `with`.

    patch_env({"NAME": value}, OTHER=value), or pairs.  What is not named is not there; `self.env` and a handler's env
    stay as they are.
    """
    if d:
        kwds = dict(d) | kwds
    with _patched(to_js(kwds, dict_converter=js.Object.fromEntries)):
        yield


@contextlib.contextmanager
def _patched(env):
    before = _patch.get()
    _patch.set(env)
    _count_patches(1)
    try:
        yield
    finally:
        _count_patches(-1)
        _patch.set(before)


async def _await_patched(env, awaitable):
    with _patched(env):
        return await wait_for(awaitable)


def _with_env(env, function):
    """withEnv of cloudflare:workers: call function() with another imported env; if that is async, until it has ended."""
    with _patched(env):
        result = function()
    if not isinstance(result, JsProxy) and hasattr(type(result), "__await__"):
        return asyncio.ensure_future(_await_patched(env, result))
    return result


def wait_until(awaitable, /):
    """Keep the request's surroundings alive until this coroutine or promise has ended, as `ctx.waitUntil` does.

    Raises JsException outside of a request.
    """
    _wait_until(awaitable)


def import_from_javascript(module_name):
    """A module of JavaScript: "cloudflare:workers" or "cloudflare:sockets".  Raises ImportError for any other."""
    module = _runtime_module(module_name, _keep_with_env()) if isinstance(module_name, str) else None
    if module is not None:
        return module
    if not _corral.stream():
        why = "Only 'cloudflare:workers' and 'cloudflare:sockets' are available in the global scope."
    elif str(module_name).startswith(("./", "../", "/")):
        why = "JavaScript modules beside a Python worker are not in Corral yet; js.eval(...) runs JavaScript"
    else:
        why = f"No such module \"{module_name}\". 'cloudflare:workers' and 'cloudflare:sockets' are there"
    raise ImportError(f"Failed to import '{module_name}': {why}")


_with_env_proxy = None


def _keep_with_env():
    global _with_env_proxy
    if _with_env_proxy is None:
        _with_env_proxy = create_proxy(_with_env)
    return _with_env_proxy
