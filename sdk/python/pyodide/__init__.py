"""Pyodide's Python API, on Corral's bridge; its modules are there without being imported by name."""
import importlib

__version__ = "0.26.0a2"        # load.py makes it that of the compatibility date
__all__ = ["__version__", "code", "console", "ffi", "http", "webloop"]
_MODULES = set(__all__[1:])


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"pyodide.{name}")
    raise AttributeError(f"module 'pyodide' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_MODULES})
