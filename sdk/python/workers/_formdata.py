"""workers._formdata - FormData."""
from collections.abc import Iterable, Mapping, MutableMapping
from operator import attrgetter

import js

from ._blob import Blob, File
from ._values import JsException, JsProxy, kind, no_attribute, none_of, python_error, type_name

_none = object()


def _to_js(value):
    if isinstance(value, Blob):
        return value.js_object
    if isinstance(value, memoryview):
        return bytes(value)
    if value is None or isinstance(value, (dict, list, tuple, set)):
        raise TypeError(f"FormData: a value must be a str, bytes, a Blob or a File, not {type_name(value)}")
    return value


def _to_py(value):
    if not isinstance(value, JsProxy):
        return none_of(value)
    what = kind(value)
    return File._of(value) if what == "File" else Blob._of(value) if what == "Blob" else value


class FormData(MutableMapping):
    """A form: names and values, each name perhaps several times; values are str, Blob or File, and bytes become a File.

    form_data: None, a dict (a list as a value is the name several times), a list of pairs, or FormData of JavaScript or
    Python.  form["x"] is the first value, or None; get_all("x") all of them; `form["x"] = value` replaces, append() adds.
    """

    def __init__(self, form_data=None):
        if isinstance(form_data, FormData):
            form_data = form_data._js_form_data
        if isinstance(form_data, JsProxy) and kind(form_data) == "FormData":
            self._js_form_data = form_data
            return
        self._js_form_data = js.FormData.new()
        if form_data is None:
            return
        if isinstance(form_data, Mapping) and not isinstance(form_data, JsProxy):
            form_data = form_data.items()
        elif isinstance(form_data, (str, bytes, JsProxy)) or not isinstance(form_data, Iterable):
            raise TypeError("Expected form_data to be a dict or an instance of FormData")
        for item in form_data:
            if not isinstance(item, (tuple, list)) or len(item) != 2:
                raise TypeError(f"FormData: each item must be a pair of name and value, not {item!r}")
            name, value = item
            for one in value if isinstance(value, (list, tuple)) else (value,):
                self.append(name, one)

    @classmethod
    def _of(cls, js_form_data):
        self = cls.__new__(cls)
        self._js_form_data = js_form_data
        return self

    js_object = property(attrgetter("_js_form_data"), doc="The FormData of JavaScript.")

    def __repr__(self):
        return f"FormData({list(self.items())!r})"

    def __getitem__(self, key):
        return _to_py(self._js_form_data.get(key))

    def get(self, key, default=None):
        """The first value of the name, else the default."""
        return self[key] if key in self else default

    def get_all(self, key):
        """All values of the name, a list."""
        return [_to_py(value) for value in self._js_form_data.getAll(key)]

    def __setitem__(self, key, value):
        if isinstance(value, list):
            raise TypeError("Expected single item in arguments to FormData.__setitem__")
        self._js_form_data.set(key, _to_js(value))

    def append(self, key, value, filename=None):
        """Add a value; filename names a Blob, a File or bytes."""
        try:
            if filename is None:
                self._js_form_data.append(key, _to_js(value))
            else:
                self._js_form_data.append(key, _to_js(value), filename)
        except JsException as e:
            raise python_error(e) from None

    def delete(self, key):
        """Remove all values of the name."""
        self._js_form_data.delete(key)

    def __delitem__(self, key):
        if key not in self:
            raise KeyError(key)
        self.delete(key)

    def pop(self, key, default=_none):
        """Remove the name; its first value, else the default, else KeyError."""
        if key in self:
            value = self[key]
            self.delete(key)
            return value
        if default is _none:
            raise KeyError(key)
        return default

    def setdefault(self, key, default=None):
        """The first value of the name, which becomes the default if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def __contains__(self, key):
        return isinstance(key, str) and self._js_form_data.has(key)

    def keys(self):
        """The names, as often as there are values."""
        yield from self._js_form_data.keys()

    __iter__ = keys

    def values(self):
        """All values."""
        for value in self._js_form_data.values():
            yield _to_py(value)

    def items(self):
        """All pairs of name and value."""
        for key, value in self._js_form_data.entries():
            yield key, _to_py(value)

    entries = items     # JavaScript's name, which Cloudflare's examples use

    def __len__(self):
        return sum(1 for _ in self.keys())

    def __bool__(self):
        return True

    def __eq__(self, other):
        return isinstance(other, FormData) and self._js_form_data == other._js_form_data

    __hash__ = None

    def __getattr__(self, name):
        no_attribute(self, name)
