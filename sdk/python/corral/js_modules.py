"""js_modules.py - objects of JavaScript as modules of Python: `import js.x.y`, register_js_module()."""
import importlib.util
import sys

from .bridge import JsProxy

_registered = {}


class _Loader:
    """Gives the proxy itself as the module."""

    def __init__(self, proxy):
        self._proxy = proxy

    def create_module(self, spec):
        return self._proxy

    def exec_module(self, module):
        """There is nothing to run."""

    def is_package(self, name):
        """Its attributes are modules too."""
        return True


class JsFinder:
    """Finds what is registered, and attributes of modules that are proxies."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        parent, _, child = name.rpartition(".")
        if not parent:
            proxy = _registered.get(name)
        elif isinstance(sys.modules.get(parent), JsProxy):
            proxy = getattr(sys.modules[parent], child, None)
            if not isinstance(proxy, JsProxy):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        else:
            return None
        return None if proxy is None else importlib.util.spec_from_loader(name, _Loader(proxy), origin="javascript")


def register_js_module(name, jsproxy):
    """Make `import name` give a JavaScript object, its attributes and the objects in it as modules of their own.

    A module of that name that is imported already stays in sys.modules.  Raises TypeError when name is
    no str or jsproxy no JsProxy.
    """
    if not isinstance(name, str):
        raise TypeError(f"Argument 'name' must be a str, not {type(name).__name__!r}")
    if not isinstance(jsproxy, JsProxy):
        raise TypeError(f"Argument 'jsproxy' must be a JsProxy, not {type(jsproxy).__name__!r}")
    _registered[name] = jsproxy


def unregister_js_module(name):
    """Undo register_js_module(); raises ValueError when there is no such module.

    What has been imported stays in sys.modules.
    """
    if name not in _registered:
        raise ValueError(f"Cannot unregister {name!r}: no Javascript module with that name is registered")
    del _registered[name]


sys.meta_path.append(JsFinder)
_js = sys.modules["js"]         # the bridge put it there
_js.__name__, _js.__path__ = "js", []
_js.__spec__ = importlib.util.spec_from_loader("js", _Loader(_js), origin="javascript")
