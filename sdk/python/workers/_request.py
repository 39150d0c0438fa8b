"""workers._request - Request."""
import json as _json
from http import HTTPMethod
from operator import attrgetter

import js
from pyodide.ffi import to_js

from ._blob import Blob
from ._formdata import FormData
from ._headers import of_request, to_js_headers
from ._values import NAMES, JsException, JsProxy, kind, no_attribute, none_of, python_error, text_option, to_body, type_name

_OF_BROWSERS = {"credentials", "destination", "is_history_navigation", "mode", "referrer", "referrer_policy"}
_METHODS = {method.value: method for method in HTTPMethod}


def js_options(where, options):
    """The options of Request() and fetch() for JavaScript: text of enums, Headers, bodies, objects of dicts."""
    made = {}
    for name, value in options.items():
        if name == "headers":
            value = to_js_headers(value, where)
        elif name == "body":
            value = to_body(value, where)
        elif name in ("method", "redirect") and value is not None:
            value = text_option(where, name, value)
        elif isinstance(value, (dict, list, tuple)):
            value = _object_of(value)
        if value is not None:
            made[name] = value
    return made


def _object_of(value):
    return to_js(value, dict_converter=js.Object.fromEntries)


# What other frameworks' requests have.
_QUERY = "parse_qs(urlparse(request.url).query) of urllib.parse"
_NAMES = NAMES | {"args": _QUERY, "query": _QUERY, "query_params": _QUERY, "path": "urlparse(request.url).path of urllib.parse",
                  "cookies": 'SimpleCookie(request.headers.get("cookie", "")) of http.cookies', "form": "await request.form_data()",
                  "data": "await request.bytes()", "get_json": "await request.json()"}


class Request:
    """A request.

    Request(input, method=, headers=, body=, redirect=, cf=, signal=...): input is an address or another Request; the
    options are those of JavaScript, headers and body what Response() takes.  Of a js.Request it takes no options and
    wraps it.  Raises TypeError or ValueError.
    """

    def __init__(self, input, **other_options):
        if isinstance(input, Request):
            input = input._js_request
        elif isinstance(input, JsProxy):
            what = kind(input)
            if what == "Request":
                if other_options:
                    error = ValueError("Expected no options when constructing Request from a js.Request")
                    error.add_note("Request(Request(js_request), method=...) takes some")
                    raise error
                self._js_request = input
                return
            if what not in ("?URL", "URL"):
                raise TypeError(f"Request: input must be a str, a URL or a Request, not {type_name(input)}")
        elif not isinstance(input, str):
            raise TypeError(f"Request: input must be a str, a URL or a Request, not {type_name(input)}")
        try:
            self._js_request = js.Request.new(input, **js_options("Request", other_options))
        except JsException as e:
            raise python_error(e) from None

    @classmethod
    def _of(cls, js_request):
        self = cls.__new__(cls)
        self._js_request = js_request
        return self

    def __repr__(self):
        return f"Request(method={str(self.method)!r}, url={self.url!r})"

    js_object = property(attrgetter("_js_request"), doc="The Request of JavaScript.")
    url = property(attrgetter("_js_request.url"), doc="The whole address.")
    body_used = property(attrgetter("_js_request.bodyUsed"), doc="Whether the body has been read.")
    redirect = property(attrgetter("_js_request.redirect"), doc="'follow', 'manual' or 'error'.")
    cache = property(attrgetter("_js_request.cache"), doc="'default', or what was given.")
    integrity = property(attrgetter("_js_request.integrity"), doc="What was given, or ''.")
    keepalive = property(attrgetter("_js_request.keepalive"), doc="What was given, or False.")

    @property
    def method(self):
        """The method, an http.HTTPMethod; a str when it is none of those."""
        method = self._js_request.method
        return _METHODS.get(method, method)

    @property
    def headers(self):
        """The headers, an http.client.HTTPMessage."""
        return of_request(self._js_request.headers)

    @property
    def body(self):
        """The body as a ReadableStream of JavaScript, or None."""
        return none_of(self._js_request.body)

    @property
    def cf(self):
        """What Cloudflare tells about a client as an object of JavaScript (here: nothing), or None."""
        return none_of(self._js_request.cf)

    def _raise_if_failed(self):
        if self._js_request.bodyUsed:
            raise OSError("Body already used")

    def clone(self):
        """Another Request with the same content; both can be read."""
        self._raise_if_failed()
        return Request._of(self._js_request.clone())

    async def text(self):
        """The body as a str."""
        self._raise_if_failed()
        return await self._js_request.text()

    async def json(self, **kwargs):
        """The body, parsed as JSON to dicts and lists; keywords go to json.loads().  ValueError when it is none."""
        self._raise_if_failed()
        return _json.loads(await self._js_request.text(), **kwargs)

    async def buffer(self):
        """The body as an ArrayBuffer of JavaScript."""
        self._raise_if_failed()
        return await self._js_request.arrayBuffer()

    async def bytes(self):
        """The body as bytes."""
        self._raise_if_failed()
        return (await self._js_request.arrayBuffer()).to_bytes()

    async def form_data(self):
        """The body, which is a form, as FormData; TypeError when it is none."""
        self._raise_if_failed()
        try:
            return FormData._of(await self._js_request.formData())
        except JsException as e:
            raise python_error(e) from None

    formData = form_data

    async def blob(self):
        """The body as a Blob."""
        self._raise_if_failed()
        return Blob._of(await self._js_request.blob())

    def __getattr__(self, name):
        if name in _OF_BROWSERS:
            raise AttributeError(f"Request.{name} is a matter of browsers: a worker's requests have none", name=name, obj=self)
        no_attribute(self, name, _NAMES)
