"""wsgi - workers.wsgi by its shorter name."""
from workers.wsgi import build_environ, entrypoint, fetch, logger

__all__ = ["build_environ", "entrypoint", "fetch", "logger"]
