"""pyodide_js - of the JavaScript side of Pyodide what means something in a worker, under its names.

In Pyodide this is a JavaScript object; here it is a module whose functions take the options as keywords too.
"""
import importlib
import sys

import pyodide as pyodide_py
from pyodide import code as _code
from pyodide.ffi import JsProxy, register_js_module as registerJsModule, unregister_js_module as unregisterJsModule

version = pyodide_py.__version__
globals = sys.modules["__main__"].__dict__


def _options(options, more):
    """{globals: ..., locals: ..., filename: ...} of JavaScript, or keywords."""
    if isinstance(options, JsProxy):
        options = dict(options.object_entries())
    options = {**(options or {}), **more}
    if unknown := options.keys() - {"globals", "locals", "filename"}:
        raise TypeError(f"there is no option {sorted(unknown)[0]!r}: they are globals, locals and filename")
    options.setdefault("globals", globals)
    return options


def runPython(code, options=None, **more):
    """Run Python source, in the globals of `__main__` if not said; see pyodide.code.eval_code()."""
    return _code.eval_code(code, **_options(options, more))


async def runPythonAsync(code, options=None, **more):
    """Run Python source that may use `await`; see pyodide.code.eval_code_async()."""
    return await _code.eval_code_async(code, **_options(options, more))


def toPy(obj, depth=-1, defaultConverter=None):
    """What a JavaScript object is in Python: to_py() of it."""
    return obj.to_py(depth=depth, default_converter=defaultConverter) if isinstance(obj, JsProxy) else obj


def pyimport(name):
    """A module, or what a module has: pyimport("math.floor")."""
    module, _, attribute = name.rpartition(".")
    if not module:
        return importlib.import_module(name)
    found = importlib.import_module(module)
    return getattr(found, attribute) if hasattr(found, attribute) else importlib.import_module(name)


async def loadPackage(names, options=None, **more):
    """Have packages of the package set importable, by name, or wheels, by address; what is new of it, a list of dicts.

    Raises ModuleNotFoundError when a package is not there.
    """
    from micropip import _load
    return await _load.load([names] if isinstance(names, str) else list(names), loadedPackages)


async def loadPackagesFromImports(code, options=None, **more):
    """Load what the imports of this source name and the package set has; the other imports say what is missing."""
    from micropip import _load, _site
    known = _site.package_set()
    found = [one.name for module in _code.find_imports(code) if known is not None and (one := known.provider(module.partition(".")[0]))]
    return await _load.load(found, loadedPackages)


loadedPackages = {}
