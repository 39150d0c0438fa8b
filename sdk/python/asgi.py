"""asgi - workers.asgi by its shorter name."""
from workers import asgi as _asgi
from workers.asgi import entrypoint, fetch, logger, request_to_scope, run_in_background, websocket

__all__ = ["entrypoint", "fetch", "logger", "request_to_scope", "run_in_background", "websocket"]


def __getattr__(name):
    return getattr(_asgi, name)
