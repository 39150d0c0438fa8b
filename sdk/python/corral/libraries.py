"""libraries.py - what packages are told about a loop that always runs, when they are first imported."""
import asyncio
import contextvars
import functools
import importlib
import importlib.machinery
import sys
from asyncio import events

import _corral

# Set by wsgi: this is a plain function, which may wait and block, though the loop runs.
is_plain = contextvars.ContextVar("is_plain", default=False)


def loop():
    from .loop import loop
    return loop


def _anyio(module):
    """Its threads live as long as the loop's first task, which it looks for; here they would be started for each request.

    Told of a task that never ends it keeps them, 40 at most: three times as many requests to `def` handlers of FastAPI.
    """
    find, root = module.find_root_task, None

    async def for_ever():
        await loop().create_future()

    @functools.wraps(find)
    def find_root_task():
        nonlocal root
        if events._get_running_loop() is not loop() or not _corral.stream():      # threads of top-level code must end
            return find()
        if root is None:
            root = asyncio.Task(for_ever(), loop=loop(), name="anyio's threads")
            asyncio.tasks._unregister_task(root)    # it is nobody's to wait for
        return root

    module.find_root_task = find_root_task


def _asgiref(module):
    """async_to_sync() refuses where a loop runs, as it could not wait there; a plain function on ours can, and Django's asynchronous
    views come to it by WSGI that way."""
    call = module.AsyncToSync.__call__

    async def come(function, args, kwargs):
        is_plain.set(False)     # in a context of its own
        return await function(*args, **kwargs)

    @functools.wraps(call)
    def __call__(self, *args, **kwargs):
        if events._get_running_loop() is loop() and _corral.can_run_sync():
            return _corral.run_sync(come(self.awaitable, args, kwargs))
        return call(self, *args, **kwargs)

    module.AsyncToSync.__call__ = __call__


def _django(module):
    """What may block is refused where a loop runs, which is right in coroutines; a plain view that wsgi.fetch() has called may."""
    find = module.get_running_loop

    def get_running_loop():
        if is_plain.get():
            raise RuntimeError("no running event loop")
        return find()

    module.get_running_loop = get_running_loop


def _colorama(module):
    """Its init(), which Django calls, puts itself before sys.stdout and flushes each piece of a line, which are then lines of the log."""
    module.wrap_stream      # AttributeError: not the one that we know
    module.wrap_stream = lambda stream, *options: stream


def _client(module, function="tell"):
    """Of corral/clients: what sends HTTP requests."""

    def tell(library):
        getattr(importlib.import_module(f"{__package__}.clients.{module}"), function)(library)

    return tell


_TOLD = {
    "anyio._backends._asyncio": _anyio,
    "asgiref.sync": _asgiref,
    "colorama.initialise": _colorama,
    "django.utils.asyncio": _django,
    "aiohttp.connector": _client("aiohttp"),
    "http.client": _client("http_client"),
    "httpcore": _client("httpcore"),
    "ssl": _client("tls"),
    "urllib3.connection": _client("urllib3", "tell_connection"),
    "urllib3.util.wait": _client("urllib3", "tell_wait"),
}


class _Loader:
    def __init__(self, loader, tell):
        self._loader, self._tell = loader, tell

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        try:
            self._tell(module)
        except AttributeError:      # a version that has it no more goes without
            pass


class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        tell = _TOLD.get(name)
        if tell is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, tell)
        return spec


def install():
    """What is imported already is told now."""
    sys.meta_path.insert(0, _Finder)
    for name, tell in _TOLD.items():
        if name in sys.modules:
            tell(sys.modules[name])
