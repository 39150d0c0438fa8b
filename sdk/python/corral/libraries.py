"""libraries.py - what packages are told about a loop that always runs, when they are first imported."""
import asyncio
import functools
import importlib.machinery
import sys
from asyncio import events

import _corral


def _anyio(module):
    """Its threads live as long as the loop's first task, which it looks for; here they would be started for each request.

    Told of a task that never ends it keeps them, 40 at most: three times as many requests to `def` handlers of FastAPI.
    """
    from .loop import loop
    find, root = module.find_root_task, None

    async def for_ever():
        await loop.create_future()

    @functools.wraps(find)
    def find_root_task():
        nonlocal root
        if events._get_running_loop() is not loop or not _corral.stream():      # threads of top-level code must end
            return find()
        if root is None:
            root = asyncio.Task(for_ever(), loop=loop, name="anyio's threads")
            asyncio.tasks._unregister_task(root)    # it is nobody's to wait for
        return root

    module.find_root_task = find_root_task


_TOLD = {"anyio._backends._asyncio": _anyio}


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
    sys.meta_path.insert(0, _Finder)
