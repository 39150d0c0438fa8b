"""workers._fetch - fetch()."""
from pyodide.http import pyfetch

from ._request import Request, js_options
from ._response import FetchResponse, Response
from ._values import kind, type_name


async def fetch(resource, **other_options):
    """Ask a server; a Response.

    resource: an address or a Request.  Options: method, headers, body, redirect, signal, cf and what else fetch() of
    JavaScript takes; fetcher: what is called in its stead, such as `env.SERVICE.fetch`.

    Raises OSError (pyodide.http.AbortError) when there is no answer, TypeError for options that are none.  Cancelling
    the task aborts the request.
    """
    if isinstance(resource, Request):
        resource = resource.js_object
    elif not isinstance(resource, str) and kind(resource) not in ("Request", "?URL"):
        raise TypeError(f"fetch: resource must be a str, a URL or a Request, not {type_name(resource)}")
    fetcher = other_options.pop("fetcher", None)
    answer = await pyfetch(resource, fetcher=fetcher, **js_options("fetch", other_options))
    inner = answer.js_response
    if isinstance(inner, FetchResponse):        # the fetcher is a function of Python
        inner = inner.js_response
    return Response._fetched(inner, answer)
