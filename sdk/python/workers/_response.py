"""workers._response - Response, and FetchResponse under it."""
import json as _json
from http import HTTPStatus
from operator import attrgetter

import _corral
import js
import pyodide.http

from ._blob import Blob
from ._formdata import FormData
from ._headers import HTTPMessageMapping, to_headers
from ._values import JsException, JsProxy, kind, no_attribute, none_of, python_error, to_body, type_name

_new_response = _corral.internal("newResponse")
_new_text = _corral.internal("newTextResponse")
_JSON_TYPE = "application/json"


class FetchResponse(pyodide.http.FetchResponse):
    """What a fetch gave; js_object is the Response of JavaScript.

    Beside what is here it has what pyodide.http.FetchResponse has: ok, redirected, status, status_text, type, url,
    body_used, text(), json(), bytes(), buffer(), memoryview(), raise_for_status(), abort() and others.
    """

    abort_controller = abort_signal = None      # those of a fetch have some

    def __init__(self, url, js_response):
        self.js_response = js_response

    js_object = property(attrgetter("js_response"), doc="The Response of JavaScript.")
    _request = property(attrgetter("js_response.url"))

    @property
    def body(self):
        """The body as a ReadableStream of JavaScript, or None."""
        return none_of(self.js_response.body)

    @property
    def headers(self):
        """The headers, an http.client.HTTPMessage; changes reach a Response that was made here."""
        return HTTPMessageMapping(self.js_response.headers)

    def _raise_if_failed(self):
        if self.js_response.bodyUsed:
            raise pyodide.http.BodyUsedError

    def clone(self):
        """Another Response with the same content; both can be read."""
        self._raise_if_failed()
        return Response._fetched(self.js_response.clone(), self)

    async def form_data(self):
        """The body, which is a form, as FormData; TypeError when it is none."""
        self._raise_if_failed()
        try:
            return FormData._of(await self.js_response.formData())
        except JsException as e:
            raise python_error(e) from None

    formData = form_data

    async def blob(self):
        """The body as a Blob."""
        self._raise_if_failed()
        return Blob._of(await self.js_response.blob())

    def replace_body(self, body):
        """A new Response with the status and the headers of this one, and another body."""
        js_response = self.js_response
        return Response._made(to_body(body, "Response.replace_body"), js_response.status, js_response.statusText, js_response.headers)

    def json(self, *args, **kwargs):
        """The body, parsed as JSON; keywords go to json.loads().

        `Response.json(data, status=, status_text=, headers=)` is Response.from_json().
        """
        if isinstance(self, FetchResponse):
            return super().json(*args, **kwargs)
        return Response.from_json(self, *args, **kwargs)

    @staticmethod
    def redirect(url, status=HTTPStatus.FOUND):
        """A redirect to a full address; status is 301, 302, 303, 307 or 308.

        Raises ValueError for another status, TypeError for what is no address.
        """
        if not isinstance(url, (str, JsProxy)):
            raise TypeError(f"Response.redirect: url must be a str, not {type_name(url)}")
        try:
            return Response._of(js.Response.redirect(url, _status("Response.redirect", status)))
        except JsException as e:
            raise python_error(e) from None

    @staticmethod
    def from_json(data, status=HTTPStatus.OK, status_text="", headers=None):
        """A Response whose body is data as JSON: what json.dumps() takes, and objects of JavaScript, also inside.

        Raises TypeError for data that cannot be JSON, ValueError for a status that is none.
        """
        if isinstance(data, JsProxy):
            text = _js_text(data)
        else:
            text = _encode(data)
        return Response._json(text, status, status_text, headers)

    def __getattr__(self, name):
        no_attribute(self, name)


def _js_text(data):
    text = js.JSON.stringify(data)
    if text is None:
        error = TypeError(f"Object of type {type_name(data)} is not JSON serializable")
        raise error
    return text


def _json_default(value):
    if isinstance(value, JsProxy):
        if kind(value) not in ("function", "Promise"):
            return _json.loads(_js_text(value))
    elif none_of(value) is None:
        return None
    raise TypeError(f"Object of type {type_name(value)} is not JSON serializable")


_encode = _json.JSONEncoder(default=_json_default).encode       # dumps(default=) would make one each time


def _status(where, status):
    if status is None or type(status) is int:
        return status
    if isinstance(status, (int, float, str)) and not isinstance(status, bool):
        try:
            return int(status)
        except (ValueError, OverflowError):
            pass
    raise _options_error(where, f"status must be an int or an HTTPStatus, not {status!r}", status)


def _options_error(where, text, value):
    """A TypeError; of a dict that stands where JavaScript has its options it says how they are given here."""
    error = TypeError(f"{where}: {text}")
    if isinstance(value, dict):
        error.add_note(f"options are keywords: `{where}({'data' if '.' in where else 'body'}, status=201, headers={{...}})`")
    return error


class Response(FetchResponse):
    """An answer.

    body: a str, bytes or another buffer, FormData, Blob, File, a ReadableStream or another body of JavaScript, a
    generator of bytes or str (`async` or not), a file; or a Response of JavaScript, which is then wrapped.
    status: an int or HTTPStatus from 200 to 599.  headers: a dict, a list of pairs, Headers, an HTTPMessage; a list as a
    value is the header several times.  web_socket: a WebSocket of JavaScript.

    Raises TypeError or ValueError, which name the argument.
    """

    def __init__(self, body=None, status=None, status_text="", headers=None, web_socket=None):
        if type(body) is str and status is None and headers is None and not status_text and web_socket is None:
            self.js_response = _new_text(body)
            return
        if isinstance(body, FetchResponse) or (isinstance(body, JsProxy) and kind(body) == "Response"):
            if status is not None or status_text or headers is not None or web_socket is not None:
                error = ValueError("Expected no options when constructing Response from a js.Response")
                error.add_note("Response(other.body, status=..., headers=other.headers) makes a new one of its body")
                raise error
            self.js_response = body.js_response if isinstance(body, FetchResponse) else body
            return
        if status is not None:
            status = _status("Response", status)
        if status_text is not None and not isinstance(status_text, str):
            raise _options_error("Response", f"status_text must be a str, not {type_name(status_text)}", status_text)
        try:
            self.js_response = _new_response(to_body(body, "Response"), status, status_text, to_headers(headers, "Response"), web_socket)
        except JsException as e:
            raise python_error(e) from None

    @classmethod
    def _of(cls, js_response):
        self = cls.__new__(cls)
        self.js_response = js_response
        return self

    @classmethod
    def _fetched(cls, js_response, fetched):
        """One that abort() of another one, of pyodide.http, ends too."""
        self = cls._of(js_response)
        if fetched.abort_controller is not None:
            self.abort_controller, self.abort_signal = fetched.abort_controller, fetched.abort_signal
        return self

    @classmethod
    def _made(cls, body, status, status_text, headers):
        try:
            return cls._of(_new_response(body, status, status_text, headers, None))
        except JsException as e:
            raise python_error(e) from None

    @classmethod
    def _json(cls, text, status, status_text, headers):
        if headers is None or (isinstance(headers, dict) and not headers):
            given = "content-type\n" + _JSON_TYPE
        else:
            given = to_headers(headers, "Response.json")
            if isinstance(given, str):
                names = given.split("\n")[::2]
                if not any(name.strip().lower() == "content-type" for name in names):
                    given += "\ncontent-type\n" + _JSON_TYPE
            elif given is None:
                given = "content-type\n" + _JSON_TYPE
            else:
                given = js.Headers.new(given)
                if not given.has("content-type"):
                    given.set("content-type", _JSON_TYPE)
        return cls._made(text, _status("Response.json", status), status_text or "", given)

    def __repr__(self):
        js_response = self.js_response
        parts = [f"status={js_response.status}"]
        for name, value in (("status_text", js_response.statusText), ("content_type", none_of(js_response.headers.get("content-type"))),
                            ("url", js_response.url)):
            if value:
                parts.append(f"{name}={value!r}")
        if js_response.type != "default":
            parts.append(f"type={js_response.type!r}")
        return f"Response({', '.join(parts)})"
