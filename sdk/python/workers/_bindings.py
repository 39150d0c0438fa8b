"""_bindings.py - bindings as class handlers see them: values of Python go in, values of Python come out.

As in Cloudflare's SDK a binding is known by the name of its class.  The SDK that Cloudflare's runtime brought itself wraps
services, Durable Objects and Workflows alone; the one that workers bring along (by itself from 2026-04-21) all others too.
"""
from corral import flags
from corral.bridge import JsProxy

from . import _runtime
from ._fetch import fetch
from ._rpc import python_from_rpc, python_to_rpc
from ._values import kind_of

_WRAPPED = frozenset((
    "KvNamespace", "R2Bucket", "D1Database", "WorkerQueue", "Ai", "VectorizeIndexImpl", "AnalyticsEngine", "AnalyticsEngineDataset",
    "LocalAnalyticsEngineDataset", "ImagesBindingImpl", "HostedImagesBindingImpl", "Ratelimit",
))
# They are given to Response and its kind, which want JavaScript's own.
_LEFT_ALONE = frozenset((
    "ArrayBuffer", "DataView", "Uint8Array", "Uint8ClampedArray", "Int8Array", "Uint16Array", "Int16Array", "Uint32Array", "Int32Array",
    "Float16Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array", "ReadableStream", "URLSearchParams", "Headers",
))
_PLAIN = frozenset((str, int, float, bool))         # the same in JavaScript
# Kinds of what is made often, and is neither awaited nor data.
_OWN_OBJECTS = frozenset(("?D1PreparedStatement", "?D1DatabaseSession"))


def _class_of(value):
    name = getattr(getattr(value, "constructor", None), "name", "") if isinstance(value, JsProxy) else ""
    return name if isinstance(name, str) else ""


class Binding:
    """An object of JavaScript whose methods take and give values of Python; `js_object` is the object itself."""

    def __init__(self, js_object):
        self.__dict__["js_object"] = js_object

    def _of(self, result):
        result = python_from_rpc(result)
        if isinstance(result, list):
            return [self._wrap(item) for item in result]
        return self._wrap(result)

    def _wrap(self, value):
        if not isinstance(value, JsProxy):
            return value
        what = kind_of(value)
        return value if (what[1:] if what.startswith("?") else _class_of(value)) in _LEFT_ALONE else type(self)(value)

    async def _of_promise(self, promise):
        return self._of(await promise)

    def _call(self, function, args, kwargs):
        args = [value if type(value) in _PLAIN else python_to_rpc(value) for value in args]
        result = function(*args, **{name: python_to_rpc(value) for name, value in kwargs.items()}) if kwargs else function(*args)
        if isinstance(result, JsProxy):
            what = kind_of(result)
            if what in _OWN_OBJECTS:
                return type(self)(result)
            if what == "Promise" or hasattr(result, "then"):
                return self._of_promise(result)
        return self._of(result)

    def __getattr__(self, name):
        value = getattr(self.js_object, name)
        if not callable(value):
            return self._of(value)
        return lambda *args, **kwargs: self._call(value, args, kwargs)

    def __setattr__(self, name, value):
        setattr(self.js_object, name, python_to_rpc(value))

    def __call__(self, *args, **kwargs):
        return self._call(self.js_object, args, kwargs)

    def __getitem__(self, key):
        return self._of(self.js_object[key])

    def __iter__(self):
        return (self._of(item) for item in self.js_object)

    def __len__(self):
        return len(self.js_object)

    def __bool__(self):
        return True

    def __eq__(self, other):
        return isinstance(other, Binding) and self.js_object == other.js_object

    def __hash__(self):
        return hash(self.js_object.js_id)

    def __repr__(self):
        return f"<{_class_of(self.js_object) or 'Object'} of JavaScript>"


class Fetcher(Binding):
    """A service, or the stub of a Durable Object: its `fetch` is that of `workers`."""

    def fetch(self, *args, **kwargs):
        """As workers.fetch, answered by this service."""
        return fetch(*args, fetcher=self.js_object.fetch, **kwargs)


class DurableObjectNamespace:
    """A namespace as it is; the stubs that get() gives are Fetchers."""

    def __init__(self, js_object):
        self.js_object = js_object

    def __getattr__(self, name):
        return getattr(self.js_object, name)

    def get(self, *args, **kwargs):
        """The stub of the object with this id."""
        return Fetcher(self.js_object.get(*args, **kwargs))

    def getByName(self, *args, **kwargs):
        """The stub of the object with this name."""
        return Fetcher(self.js_object.getByName(*args, **kwargs))

    def jurisdiction(self, *args, **kwargs):
        """The part of the namespace that stays in a jurisdiction."""
        return DurableObjectNamespace(self.js_object.jurisdiction(*args, **kwargs))


class WorkflowInstance(Binding):
    """One run of a Workflow."""

    def send_event(self, *args, **kwargs):
        """sendEvent()."""
        return self._call(self.js_object.sendEvent, args, kwargs)


class Workflow(Binding):
    """A Workflow's binding: get, create and create_batch give instances."""

    def _of(self, result):
        result = python_from_rpc(result)
        if isinstance(result, list):
            return [WorkflowInstance(item) for item in result]
        return WorkflowInstance(result) if isinstance(result, JsProxy) else result

    def create_batch(self, *args, **kwargs):
        """createBatch()."""
        return self._call(self.js_object.createBatch, args, kwargs)


_OWN = {"Fetcher": Fetcher, "DurableObjectNamespace": DurableObjectNamespace, "WorkflowImpl": Workflow}


def wrap(value):
    """The binding as Python should see it, or the value itself."""
    name = _class_of(value)
    kind = _OWN.get(name) or (Binding if name in _WRAPPED and flags.is_on("enable_python_external_sdk") else None)
    return kind(value) if kind is not None else value


def wrap_batch(batch):
    """What a class's queue() gets."""
    return Binding(batch) if flags.is_on("enable_python_external_sdk") and _class_of(batch) == "MessageBatch" else batch


class Env:
    """The worker's env, its bindings wrapped."""

    def __init__(self, js_object):
        self.__dict__["js_object"] = js_object

    def __getattr__(self, name):
        return wrap(getattr(self.js_object, name))

    def __setattr__(self, name, value):
        setattr(self.js_object, name, getattr(value, "js_object", value))

    def __delattr__(self, name):
        delattr(self.js_object, name)

    def __getitem__(self, name):
        return wrap(self.js_object[name])

    def __setitem__(self, name, value):
        setattr(self, name, value)

    def __contains__(self, name):
        return name in self.js_object

    def __dir__(self):
        return dir(self.js_object)

    def __repr__(self):
        return repr(self.js_object)


def wrap_env(env):
    """env for class handlers; itself as long as nothing in it wants to be wrapped, for then it is faster."""
    return Env(env) if isinstance(env, JsProxy) and any(wrap(value) is not value for value in env.object_values()) else env


def imported_env():
    """`from workers import env`; that of Cloudflare's runtime itself wraps no binding."""
    env = _runtime.imported_env()
    return wrap_env(env) if flags.is_on("enable_python_external_sdk") else env
