"""_entrypoints.py - the base classes of a worker's entrypoints, and `handler`, as in Cloudflare's SDK."""
import functools
from typing import Any, Awaitable, Protocol


class Context(Protocol):
    """What a handler gets as `ctx`, for annotations."""

    def waitUntil(self, other: Awaitable[Any]) -> None:
        """Keep the request's surroundings alive until this has ended."""
        ...


class WorkerEntrypoint:
    """An entrypoint: `class Default(WorkerEntrypoint)` with `async def fetch(self, request)`.

    It is made anew for each event, with the event's `ctx` and the worker's `env`.
    """

    def __init__(self, ctx, env):
        self.ctx = ctx
        self.env = env


class DurableObject:
    """A class of Durable Objects; `self.ctx` is its state."""

    def __init__(self, ctx, env):
        self.ctx = ctx
        self.env = env


class WorkflowEntrypoint:
    """A Workflow: `async def run(self, event, step)`."""

    def __init__(self, ctx, env):
        self.ctx = ctx
        self.env = env


def handler(func):
    """Decorator of functions such as on_fetch: `request` comes as `workers.Request`, bindings in `env` take values of Python."""

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        from corral.entry import wrap_request
        if args and getattr(getattr(args[0], "constructor", None), "name", None) == "Request":
            args = (wrap_request(args[0]), *args[1:])
        if len(args) > 1:
            from ._bindings import wrap_env
            args = (args[0], wrap_env(args[1]), *args[2:])
        return func(*args, **kwargs)

    return wrapper
