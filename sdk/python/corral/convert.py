"""convert.py - to_js and to_py step by step, for converters that are asked on the way.

Without one C does it at once (src/realm/bridge/to_js.c, to_py.c); the rules are the same, Pyodide's.
"""
import _corral

from .bridge import JsException, JsProxy

dicts_are_objects = False       # from a newer date on: set by load.py
null = None                     # jsnull: set by pyodide.ffi
_functions = {}


class ConversionError(Exception):
    """to_py or to_js met something it cannot convert."""


class InternalError(Exception):
    """Pyodide's word for a fault of its own; never raised here."""


ConversionError.__module__ = InternalError.__module__ = "pyodide.ffi"


def _js(name):
    """A function of sdk/js, looked up once."""
    function = _functions.get(name)
    if function is None:
        function = _functions[name] = _corral.internal(name)
    return function


def failed(error):
    """What to_js raises for this error: all but ConversionErrors are wrapped."""
    if isinstance(error, ConversionError) or not isinstance(error, Exception):
        return error
    wrapped = ConversionError("Conversion from python to javascript failed")
    wrapped.__cause__ = wrapped.__context__ = error
    return wrapped


def _is_plain(value):
    return value is None or value is null or isinstance(value, (bool, int, float, str))


class _Unfinished:
    """Stands for what a dict_converter will make of a dict that is converted right now."""

    result = None


class _ToJs:
    def __init__(self, pyproxies, may_wrap, dict_converter, default_converter, eager_converter):
        self.pyproxies, self.may_wrap, self.dict_converter = pyproxies, may_wrap, dict_converter
        self.default_converter, self.eager_converter = default_converter, eager_converter
        self.seen = {}          # id -> (object, result): kept, or another object would get its id
        self.asked = {}         # id -> object: the eager converter has been
        self.wrapped = {}       # id of a proxy -> (proxy, object)
        self.patches = []       # (where, key, unfinished): what points back to a dict

    def convert(self, value, depth):
        if id(value) in self.seen:
            return self.seen[id(value)][1]
        if _is_plain(value) or isinstance(value, (JsProxy, JsException)):
            return value
        if depth == 0:
            return self.by_default(value, 0)
        depth -= 1
        if self.eager_converter is not None and id(value) not in self.asked:
            self.asked[id(value)] = value       # once: it may ask for the usual conversion of the same
            return self.taken(self.eager_converter(value, lambda v: self.outside(v, depth), self.remember))
        return self.deep(value, depth)

    def deep(self, value, depth):
        if isinstance(value, (list, tuple)):
            return self.sequence(value, depth)
        if isinstance(value, dict):
            return self.dict(value, depth)
        if isinstance(value, set):
            result = _js("toSet")(_corral.js_array([self.key(key, "Set") for key in value]))
            self.seen[id(value)] = value, result
            return result
        result = _corral.buffer_to_js(value)
        return self.by_default(value, depth) if result is None else result

    def sequence(self, value, depth):
        result = _corral.js_array(())
        self.seen[id(value)] = value, result
        for n in range(len(value)):
            item = self.convert(value[n], depth)
            if isinstance(item, _Unfinished):
                self.patches.append((result, n, item))
                item = None
            _js("putItem")(result, n, item)
        return result

    def key(self, key, kind):
        if not _is_plain(key):
            raise ConversionError(f"Cannot use {key!r} as a key for a Javascript {kind}")
        return key

    def dict(self, value, depth):
        if self.dict_converter is not None:
            return self.dict_by_converter(value, depth)
        result = _js("newObject" if dicts_are_objects else "newLiteralMap")()
        self.seen[id(value)] = value, result
        names = set()
        for key, item in value.items():
            key = self.key(key, "Map")
            if dicts_are_objects and _js("nameOf")(key) in names:
                raise ConversionError(f"Key collision when converting Python dictionary to JavaScript. Key: '{_js('nameOf')(key)}'")
            names.add(_js("nameOf")(key))
            _js("putEntry")(result, key, self.convert(item, depth))
        return result

    def dict_by_converter(self, value, depth):
        unfinished, pairs = _Unfinished(), _corral.js_array(())
        self.seen[id(value)] = value, unfinished
        for key, item in value.items():
            pair = _corral.js_array((self.key(key, "Map"), None))
            result = self.convert(item, depth)
            if isinstance(result, _Unfinished):
                self.patches.append((unfinished, key, result))
            else:
                _js("putItem")(pair, 1, result)
            _js("pushOne")(pairs, pair)
        unfinished.result = self.taken(self.dict_converter(pairs))
        self.seen[id(value)] = value, unfinished.result
        return unfinished.result

    def by_default(self, value, depth):
        if self.default_converter is not None:
            return self.taken(self.default_converter(value, lambda v: self.outside(v, depth), self.remember))
        if not self.may_wrap:
            raise ConversionError("No conversion known for x.")
        return self.wrap(value)

    def taken(self, value):
        """What a converter returned."""
        return value if _is_plain(value) or isinstance(value, (JsProxy, JsException)) else self.wrap(value)

    def wrap(self, value):
        proxy = _corral.create_proxy(value, 0)
        self.wrapped[id(proxy)] = proxy, value
        if self.pyproxies is not None:
            _js("pushOne")(self.pyproxies, proxy)
        return proxy

    def outside(self, value, depth):
        """convert() for converters."""
        result = self.convert(value, depth)
        if isinstance(result, _Unfinished):
            return None
        return self.wrapped[id(result)][1] if id(result) in self.wrapped else result

    def remember(self, value, result):
        """cache() for converters."""
        if _is_plain(value):
            raise TypeError(f"cache(): {value!r} is a plain value, which needs no remembering")
        self.seen[id(value)] = value, self.taken(result)

    def finish(self, result):
        for where, key, unfinished in self.patches:
            where = where.result if isinstance(where, _Unfinished) else where
            if isinstance(where, JsProxy):
                _js("putEntry")(where, key, unfinished.result)
        return result


def to_js_by_steps(obj, depth, pyproxies, may_wrap, dict_converter, default_converter, eager_converter):
    """Called from C: to_js(obj) with its options, each None when it is not given."""
    conversion = _ToJs(pyproxies, may_wrap, dict_converter, default_converter, eager_converter)
    try:
        return conversion.finish(conversion.convert(obj, depth))
    except ConversionError:
        raise
    except Exception as e:
        raise failed(e) from e


class _ToPy:
    def __init__(self, default_converter):
        self.default_converter = default_converter
        self.seen = {}          # by js_id

    def convert(self, value, depth):
        if not isinstance(value, (JsProxy, JsException)) or depth == 0:
            return value
        identity = value.js_id
        if identity in self.seen:
            return self.seen[identity]
        kind = value._kind if isinstance(value, JsProxy) else "other"
        depth -= 1
        if kind == "array":
            result = self.seen[identity] = []
            for item in value:
                result.append(self.convert(item, depth))
        elif kind == "object":
            result = self.seen[identity] = {}
            for key, item in _js("entries")(value):
                result[key] = self.convert(item, depth)
        elif kind == "map":
            _js("checkKeys")(value, "Map")
            result = self.seen[identity] = {}
            for key, item in value.entries():
                result[self.key(key, "dict")] = self.convert(item, depth)
        elif kind == "set":
            _js("checkKeys")(value, "Set")
            result = self.seen[identity] = set()
            for key in value:
                result.add(self.key(key, "set"))
        elif kind == "buffer":
            result = value.to_memoryview()
        elif _corral.is_python(value):
            result = value
        else:
            result = self.default_converter(value, lambda v: self.convert(v, depth), self.remember)
        return result

    def key(self, key, kind):
        if isinstance(key, (JsProxy, JsException)):
            _js("checkKey")(key, kind)
        return key

    def remember(self, js_value, value):
        """cache() for the converter."""
        self.seen[js_value.js_id] = value


def to_py_by_steps(proxy, depth, default_converter):
    """Called from C: proxy.to_py(depth=depth, default_converter=default_converter)."""
    return _ToPy(default_converter).convert(proxy, depth)
