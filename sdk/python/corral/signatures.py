"""signatures.py - bind_sig: what annotations say of the arguments and results of JavaScript functions.

A signature is a function or a class of Python whose annotations name converters.  An argument or a
result without one crosses the border as always.  `_pyodide.jsbind` has the names to annotate with.
"""
import asyncio
import inspect
import types
import typing
from collections import abc

import _corral

from .bridge import JsProxy

KEYWORDS_MAX = 64


class Converter:
    """A way over the border; copy() and the hooks are for the metaclasses of _pyodide.jsbind."""

    def __init__(self, convert, hook=None):
        self._convert = convert
        self._hook = hook

    def copy(self):
        """Another one that does the same."""
        return type(self)(self._convert, self._hook)


class Py2JsConverter(Converter):
    """What becomes of an argument; `pre_convert` is asked first."""

    @property
    def pre_convert(self):
        """A function of the value, or None."""
        return self._hook

    @pre_convert.setter
    def pre_convert(self, function):
        self._hook = function

    def __call__(self, value):
        return self._convert(value if self._hook is None else self._hook(value))


class Js2PyConverter(Converter):
    """What becomes of a result; `post_convert` is asked last."""

    @property
    def post_convert(self):
        """A function of the value, or None."""
        return self._hook

    @post_convert.setter
    def post_convert(self, function):
        self._hook = function

    def __call__(self, value):
        value = self._convert(value)
        return value if self._hook is None else self._hook(value)


def _deep_to_js(value):
    from pyodide.ffi import to_js
    return to_js(value)


def _json_to_js(value):
    is_container = isinstance(value, (abc.Mapping, abc.Sequence)) and not isinstance(value, (str, bytes, bytearray, memoryview, JsProxy))
    return _corral.json_proxy(value) if is_container else value


def _deep_to_py(value):
    return value.to_py() if isinstance(value, JsProxy) else value


def _json_to_py(value):
    return value.as_py_json() if isinstance(value, JsProxy) and hasattr(type(value), "as_py_json") else value


py2js_default = Py2JsConverter(lambda value: value)
py2js_deep = Py2JsConverter(_deep_to_js)
py2js_as_js_json = Py2JsConverter(_json_to_js)
js2py_default = Js2PyConverter(lambda value: value)
js2py_deep = Js2PyConverter(_deep_to_py)
js2py_as_py_json = Js2PyConverter(_json_to_py)


class Json:
    """`Annotated[..., Json]`: JavaScript sees dicts as objects, Python objects as dicts; both write through."""

    py2js = py2js_as_js_json
    js2py = js2py_as_py_json


class Deep:
    """`Annotated[..., Deep]`: as to_js() and to_py()."""

    py2js = py2js_deep
    js2py = js2py_deep


class Default:
    """`Annotated[..., Default]`: as without annotation."""


class BindClass:
    """Base of classes that are signatures of objects: what is annotated with one gets it as its signature."""


def promise_converter(converter):
    """Of a promise: a future of what the converter makes of its value."""

    async def wait(promise):
        value = await promise
        return value if converter is None else converter(value)

    return Js2PyConverter(lambda value: asyncio.ensure_future(wait(value)) if hasattr(type(value), "__await__") else value)


def _bound_to(signature):
    return Js2PyConverter(lambda value: value.bind_sig(signature) if isinstance(value, JsProxy) else value)


def _without_none(annotation):
    """Of `X | None` it is X; of other unions nothing."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [one for one in typing.get_args(annotation) if one is not type(None)]
        return rest[0] if len(rest) == 1 else None
    return annotation


def to_py_of(annotation):
    """The Js2PyConverter that an annotation means, or None."""
    annotation = _without_none(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = annotation.__metadata__[0]
    elif getattr(typing.get_origin(annotation), "__name__", "") in ("Future", "Awaitable"):
        return promise_converter(to_py_of(typing.get_args(annotation)[0]))
    if annotation is None or isinstance(annotation, Js2PyConverter):
        return annotation
    converter = getattr(annotation, "js2py", None)
    if converter:
        return converter
    return _bound_to(annotation) if isinstance(annotation, type) and issubclass(annotation, BindClass) else None


def to_js_of(annotation):
    """The Py2JsConverter that an annotation means, or None."""
    annotation = _without_none(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = annotation.__metadata__[0]
    if annotation is None or isinstance(annotation, Py2JsConverter):
        return annotation
    return getattr(annotation, "py2js", None)


# ---- attributes ----


def _method_of(signature, name):
    method = inspect.getattr_static(signature, name, None)
    if method and callable(method):
        return method.__get__(signature)        # static or not: without `self`
    if method:
        return method
    getter = getattr(signature, "__getattr__", None)
    return typing.get_type_hints(getter).get("return") if getter else None


def attribute(signature, name, value):
    """Called by the bridge: an attribute of an object with a signature."""
    hint = typing.get_type_hints(signature, include_extras=True).get(name)
    if hint:
        converter = to_py_of(hint)
        return value if converter is None else converter(value)
    method = _method_of(signature, name)
    return value.bind_sig(method) if method and isinstance(value, JsProxy) else value


# ---- calls ----


class FunctionSignature:
    """What a call needs to know of a function of Python."""

    def __init__(self, function, cls=None):
        self.function = function
        self.is_construction = cls is not None
        self.places, self.defaults, self.keywords = [], [], {}
        self.rest = self.rest_of_keywords = None
        parameters = inspect.signature(function).parameters.values()
        hints = typing.get_type_hints(function, include_extras=True)
        for p in parameters:
            converter = to_js_of(hints.get(p.name)) or py2js_default
            if p.kind is p.POSITIONAL_ONLY:
                self.places.append(converter)
                if p.default is not p.empty:
                    self.defaults.append(p.default)
            elif p.kind is p.POSITIONAL_OR_KEYWORD:
                raise RuntimeError("Don't currently handle POS_OR_KWD args")
            elif p.kind is p.KEYWORD_ONLY:
                self.keywords[p.name] = converter, p.default
            elif p.kind is p.VAR_POSITIONAL:
                self.rest = converter
            else:
                self.rest_of_keywords = converter
        if len(self.keywords) > KEYWORDS_MAX:
            raise RuntimeError(f"Cannot handle function with more than {KEYWORDS_MAX} kwonly args")
        self.result = to_py_of(hints.get("return", cls))
        if inspect.iscoroutinefunction(function):
            self.result = promise_converter(self.result)

    def __repr__(self):
        return f"<JsSignature {inspect.signature(self.function)}>"

    def arguments(self, args, kwargs):
        """(args, kwargs) as they go to JavaScript; TypeError in Python's own words when they do not fit."""
        missing = len(self.places) - len(args)
        if missing > len(self.defaults) or (missing < 0 and self.rest is None):
            self._refuse(args, kwargs)
        if missing > 0:
            args = (*args, *self.defaults[len(self.defaults) - missing:])
        places = [convert(arg) for convert, arg in zip(self.places, args)]
        places += [self.rest(arg) for arg in args[len(self.places):]]
        named = {}
        for name, value in kwargs.items():
            convert = self.keywords[name][0] if name in self.keywords else self.rest_of_keywords
            if convert is None:
                self._refuse(args, kwargs)
            named[name] = convert(value)
        for name, (convert, default) in self.keywords.items():
            if name in kwargs:
                continue
            if default is inspect.Parameter.empty:
                self._refuse(args, kwargs)
            if default is not None:
                named[name] = convert(default)
        return places, named

    def _refuse(self, args, kwargs):
        self.function(*args, **kwargs)
        raise SystemError("the function of the signature should have refused its arguments")


def function_signature(signature):
    """The FunctionSignature of a function, a class with __call__ or type[a class]; made once."""
    cls, name = None, "_js_sig"
    if typing.get_origin(signature) is type:
        cls = signature.__args__[0]
        keeper, function = cls, cls.__init__.__get__(cls)
    elif isinstance(signature, type):
        keeper, function = signature.__call__, signature.__call__.__get__(signature)
    else:
        keeper = function = signature
    if inspect.ismethod(keeper):
        keeper, name = keeper.__func__, "_js_meth_sig"
    made = vars(keeper).get(name) if hasattr(keeper, "__dict__") else None
    if made is None:
        made = FunctionSignature(function, cls)
        try:
            setattr(keeper, name, made)
        except (AttributeError, TypeError):
            pass
    return made


def call(proxy, /, *args, **kwargs):
    """Called by the bridge: a call of a function with a signature."""
    signature = function_signature(proxy._sig)
    args, kwargs = signature.arguments(args, kwargs)
    if signature.keywords and not kwargs:       # JavaScript expects an object of options
        import js
        args.append(js.Object.new())
    plain = _corral.unsigned(proxy)
    result = plain.new(*args, **kwargs) if signature.is_construction else plain(*args, **kwargs)
    return result if signature.result is None else signature.result(result)
