"""convert.py - to_py and to_js: whole structures across the border, as in pyodide.ffi."""
import _corral

from .bridge import JsProxy

dicts_are_objects = False       # from a newer date on: set by load.py
null = None                     # jsnull: set by pyodide.ffi
_from_pairs = _corral.internal("fromPairs")
_to_set = _corral.internal("toSet")


class ConversionError(Exception):
    """to_py or to_js met something it cannot convert."""


ConversionError.__module__ = "pyodide.ffi"


def to_py(proxy, *, depth=-1, default_converter=None):
    """Lists for arrays, dicts for objects and Maps, sets for Sets; proxies for the rest."""
    seen = {}

    def convert(value, depth):
        if not isinstance(value, JsProxy) or depth == 0:
            return value
        kind = value._kind
        if kind == "other":
            return default_converter(value, lambda v: convert(v, depth - 1), remember) if default_converter else value
        identity = value.js_id
        if identity in seen:
            return seen[identity]
        if kind == "array":
            result = seen[identity] = []
            result.extend(convert(item, depth - 1) for item in value)
        elif kind == "map":
            result = seen[identity] = {}
            for key in value:
                result[convert(key, depth - 1)] = convert(value[key], depth - 1)
        elif kind == "object":
            result = seen[identity] = {}
            for key, item in value.object_entries():
                result[key] = convert(item, depth - 1)
        elif kind == "set":
            result = seen[identity] = set()
            result.update(convert(item, depth - 1) for item in value)
        else:
            result = seen[identity] = value.to_memoryview()
        return result

    def remember(js_value, python_value):
        seen[js_value.js_id] = python_value

    return convert(proxy, depth)


def to_js(obj, /, *, depth=-1, pyproxies=None, create_pyproxies=True, dict_converter=None,
          default_converter=None, eager_converter=None):
    """Arrays for lists and tuples, Maps (or dict_converter) for dicts, Sets, Uint8Arrays."""
    seen = {}

    def fallback(value):
        if default_converter is not None:
            return default_converter(value, lambda v: convert(v, depth), remember)
        if not create_pyproxies:
            raise ConversionError(f"No conversion known for {value!r}.")
        proxy = _corral.create_proxy(value, 0)
        if pyproxies is not None:
            pyproxies.append(proxy)
        return proxy

    def remember(python_value, js_value):
        seen[id(python_value)] = js_value, python_value     # kept: another object would get its id

    def convert(value, depth):
        if value is None or value is null or isinstance(value, (bool, int, float, str, JsProxy, BaseException)):
            return value
        if id(value) in seen:
            return seen[id(value)][0]
        if eager_converter is not None:
            return eager_converter(value, lambda v: convert_plain(v, depth), remember)
        return convert_plain(value, depth)

    def convert_plain(value, depth):
        if depth == 0:
            return fallback(value)
        if isinstance(value, (list, tuple)):
            result = _corral.js_array(())
            remember(value, result)
            for item in value:
                result.push(convert(item, depth - 1))
            return result
        if isinstance(value, dict):
            pairs = _corral.js_array(
                _corral.js_array((convert(k, depth - 1), convert(v, depth - 1))) for k, v in value.items())
            result = dict_converter(pairs) if dict_converter is not None else _from_pairs(pairs, not dicts_are_objects)
            remember(value, result)
            return result
        if isinstance(value, (set, frozenset)):
            return _to_set(_corral.js_array(convert(item, depth - 1) for item in value))
        if isinstance(value, (bytes, bytearray, memoryview)):
            import js
            result = js.Uint8Array.new(len(value) if not isinstance(value, memoryview) else value.nbytes)
            if result.length:
                result.assign(value)
            return result
        return fallback(value)

    return convert(obj, depth)
