"""workers._headers - headers both ways: http.client.HTTPMessage of JavaScript's Headers, and back."""
import http.client
from collections.abc import Iterable, Mapping

import _corral
from corral import flags

from ._values import JsException, JsProxy, kind, no_attribute, python_error, type_name

_header_text = _corral.internal("headerText")
_is_fixed = _corral.internal("isFixedHeaders")
_headers_of_text = _corral.internal("headersOfText")


class HTTPMessageMapping(http.client.HTTPMessage, Mapping):
    """The headers of a Request or Response; http.client.HTTPMessage, without regard to case.

    `headers["x"]` is the value or None, `get_all("set-cookie")` has each cookie apart, other headers that came several
    times are joined with ", ".  Where the headers may be changed - of what this code made itself - changes reach the
    Response or Request they are of; else they stay in this object.  `headers["x"] = "1"` replaces what was there,
    add_header() adds to it.
    """

    def __init__(self, js_headers=None):
        super().__init__()
        self._js = None
        if js_headers is not None:
            text = _header_text(js_headers)
            if text:
                parts = text.split("\n")
                self._headers = list(zip(parts[::2], parts[1::2]))
            self._js = js_headers

    def __getattr__(self, name):
        no_attribute(self, name)

    def __copy__(self):
        copy = type(self)()
        copy._headers = list(self._headers)
        return copy

    def __deepcopy__(self, memo):
        return self.__copy__()

    def __reduce__(self):
        return type(self), (), {"_headers": self._headers}

    def _changed(self, method, *arguments):
        """The same change in JavaScript, where it is allowed."""
        if self._js is not None and not _is_fixed(self._js):
            try:
                getattr(self._js, method)(*arguments)
            except JsException as e:
                raise python_error(e) from None

    def __setitem__(self, name, value):
        value = _value(name, value)
        self._changed("set", name, value)
        super().__delitem__(name)
        super().__setitem__(name, value)

    def __delitem__(self, name):
        self._changed("delete", name)
        super().__delitem__(name)

    def add_header(self, name, value, **parameters):
        """Add a header beside those of the same name; parameters as in email.message.Message."""
        before = len(self._headers)
        held, self._js = self._js, None
        try:
            if parameters:
                super().add_header(name, value, **parameters)
            else:
                super().__setitem__(name, _value(name, value))
        finally:
            self._js = held
        for added in self._headers[before:]:
            self._changed("append", *added)

    def replace_header(self, name, value):
        """Give the header another value where it stands; KeyError if there is none."""
        super().replace_header(name, _value(name, value))
        self._changed("set", name, value)


class CommaMessage(HTTPMessageMapping):
    """The headers of a Request before python_request_headers_preserve_commas: get_all() takes values apart at commas.

    On Cloudflare headers["user-agent"] ends at its first comma then; here it is whole.
    """

    def get_all(self, name, failobj=None):
        """All values of the header, cookies whole, others cut at commas; failobj if there is none."""
        values = super().get_all(name)
        if values is None:
            return failobj
        if name.lower() == "set-cookie":
            return values
        return [part.strip() for value in values for part in value.split(",")]


def of_request(js_headers):
    """The headers of a Request."""
    made = HTTPMessageMapping if flags.is_on("python_request_headers_preserve_commas") else CommaMessage
    return made(js_headers)


def _value(name, value):
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, bool):
        return "true" if value else "false"     # as JavaScript has it
    if value is None:
        raise TypeError(f"headers: the value of {name!r} is None: leave the header out, or give a str")
    return str(value)


def _text(name):
    if isinstance(name, bytes):
        return name.decode("latin-1")
    if not isinstance(name, str):
        raise TypeError(f"headers: a name must be a str, not {type_name(name)}")
    return name


def _refusal(headers, where):
    return f"{where}: headers must be a dict, a list of (name, value) pairs or Headers, not {type_name(headers)}"


def _pairs(headers, where):
    if isinstance(headers, Mapping) or hasattr(headers, "items"):
        headers = headers.items()
    elif isinstance(headers, (str, bytes)) or not isinstance(headers, Iterable):
        raise TypeError(_refusal(headers, where))
    for item in headers:
        if isinstance(item, (str, bytes)) or not isinstance(item, Iterable):
            raise TypeError(f"{where}: each item of headers must be a pair of name and value, not {item!r}")
        pair = tuple(item)
        if len(pair) != 2:
            raise TypeError(f"{where}: each item of headers must be a pair of name and value, not {item!r}")
        name, value = _text(pair[0]), pair[1]
        if isinstance(value, (list, tuple)):
            for one in value:
                yield name, _value(name, one)
        else:
            yield name, _value(name, value)


def to_headers(headers, where):
    """What newResponse() takes: Headers of JavaScript, or the text "name\\nvalue\\nname\\nvalue", or None."""
    if headers is None:
        return None
    if isinstance(headers, JsProxy):
        if kind(headers) in ("Headers", "object", "Map", "Array"):
            return headers
        raise TypeError(_refusal(headers, where))
    parts = []
    if type(headers) is dict:
        for pair in headers.items():
            if type(pair[0]) is not str or type(pair[1]) is not str:
                parts = []
                break
            parts += pair
    if not parts:
        for pair in _pairs(headers, where):
            parts += pair
    if not parts:
        return None
    text = "\n".join(parts)
    if text.count("\n") != len(parts) - 1:
        for name, value in zip(parts[::2], parts[1::2]):
            if "\n" in name:
                raise TypeError(f"{where}: headers: {name!r} is not a valid header name")
            if "\n" in value.strip():
                raise TypeError(f"{where}: headers: the value of {name!r} has a line break in it")
        text = "\n".join(part.strip() for part in parts)
    return text


def to_js_headers(headers, where):
    """The same as Headers of JavaScript, or None."""
    headers = to_headers(headers, where)
    if isinstance(headers, str):
        try:
            return _headers_of_text(headers)
        except JsException as e:
            raise python_error(e) from None
    return headers
