"""workers._types - names for annotations."""
from http import HTTPMethod
from typing import Any, TypedDict, Union

from pyodide.ffi import JsBuffer, JsProxy

from ._blob import Blob, File
from ._formdata import FormData

# Of annotations: what a body of JavaScript is, what a body is, what headers are.
JSBody = Union["js.Blob", JsBuffer, "js.FormData", "js.ReadableStream", "js.URLSearchParams"]
Body = Union[str, bytes, FormData, Blob, JSBody]
Headers = Union[dict[str, str], list[tuple[str, str]], "js.Headers"]
BlobValue = Union[str, bytes, JsBuffer, "js.Blob", Blob, File]
FormDataValue = Union[str, "js.Blob", Blob]


class RequestInitCfProperties(TypedDict, total=False):
    """The `cf` option of Request() and fetch()."""
    apps: bool | None
    cacheEverything: bool | None
    cacheKey: str | None
    cacheTags: list[str] | None
    cacheTtl: int
    cacheTtlByStatus: dict[str, int]
    image: Any | None
    mirage: bool | None
    polish: str | None
    resolveOverride: str | None
    scrapeShield: bool | None
    webp: bool | None


class FetchKwargs(TypedDict, total=False):
    """The options of Request() and fetch()."""
    headers: Headers | None
    body: Body | None
    method: HTTPMethod | None
    redirect: str | None
    cf: RequestInitCfProperties | None
    fetcher: Any | None
