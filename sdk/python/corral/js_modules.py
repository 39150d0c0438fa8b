"""js_modules.py - objects of JavaScript that can be imported: register_js_module, and what is inside of `js`."""
import sys
from importlib.abc import Loader
from importlib.machinery import ModuleSpec

import _corral

from .bridge import JsProxy

_registered = {}


class _Loader(Loader):
    def __init__(self, proxy):
        self.proxy = proxy

    def create_module(self, spec):
        return self.proxy

    def exec_module(self, module):
        module.__all__ = [*_corral.internal("ownNames")(module)]    # for `import *`


class JsFinder:
    """Finds registered modules, and objects that are properties of those that were imported.

    It comes last: what Python itself finds under a name goes first.
    """

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        parent, _, child = name.rpartition(".")
        if not parent:
            proxy = _registered.get(name)
            if proxy is None:
                return None
        else:
            outer = sys.modules.get(parent)
            if not isinstance(outer, JsProxy):
                return None
            proxy = getattr(outer, child, None)
            if not isinstance(proxy, JsProxy):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return ModuleSpec(name, _Loader(proxy), origin="javascript", is_package=True)


sys.meta_path.append(JsFinder)
# So that `import js.Math` is looked for here.
_js = sys.modules["js"]
_js.__path__, _js.__spec__ = [], ModuleSpec("js", _Loader(_js), origin="javascript", is_package=True)


def register_js_module(name, jsproxy):
    """Make `import name` give the JavaScript object `jsproxy`, and `import name.x` its property x if that is an object.

    Whoever has imported that name keeps what it was.  Raises TypeError.
    """
    if not isinstance(name, str):
        raise TypeError(f"Argument 'name' must be a str, not {type(name).__name__!r}")
    if not isinstance(jsproxy, JsProxy):
        raise TypeError(f"Argument 'jsproxy' must be a JsProxy, not {type(jsproxy).__name__!r}")
    _registered[name] = jsproxy


def unregister_js_module(name):
    """Undo register_js_module(); what was imported stays in sys.modules.  Raises ValueError when there is no such."""
    if _registered.pop(name, None) is None:
        raise ValueError(f"Cannot unregister {name!r}: no Javascript module with that name is registered")


register_js_module.__module__ = unregister_js_module.__module__ = "pyodide.ffi"
