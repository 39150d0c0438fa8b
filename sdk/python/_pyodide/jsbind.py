"""_pyodide.jsbind - what the signatures of bind_sig() and bind_class() are annotated with.

    def signature(data: Annotated[dict, Json], /) -> Annotated[list[int], Deep]: ...
"""
from corral.signatures import (
    BindClass, Deep, Default, FunctionSignature, Js2PyConverter, Json, Py2JsConverter, function_signature, js2py_default, py2js_default)

func_to_sig = function_signature


def func_to_sig_inner(f, cls):
    """The signature of a function, or of the __init__ of a class that is to be constructed."""
    return FunctionSignature(f, cls)


def _chained(first, then):
    return (lambda value: then(first(value))) if first and then else first or then


class Py2JsConverterMeta(type):
    """Makes a converter of a class with a static `pre_convert`, and perhaps another `converter` to go on with."""

    def __new__(metaclass, name, bases, namespace):
        converter = namespace.get("converter", py2js_default).copy()
        converter.pre_convert = _chained(namespace["pre_convert"], converter.pre_convert)
        return converter


class Js2PyConverterMeta(type):
    """Makes a converter of a class with a static `post_convert`, and perhaps another `converter` before it."""

    def __new__(metaclass, name, bases, namespace):
        converter = namespace.get("converter", js2py_default).copy()
        converter.post_convert = _chained(converter.post_convert, namespace["post_convert"])
        return converter


__all__ = [
    "BindClass", "Deep", "Default", "Js2PyConverter", "Js2PyConverterMeta", "Json", "Py2JsConverter", "Py2JsConverterMeta",
    "func_to_sig", "func_to_sig_inner",
]
