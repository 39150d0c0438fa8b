"""workers - Cloudflare's Python SDK: entrypoints, and the Web API's classes with Python's names and values."""
import importlib

from corral.overtime import CpuLimitExceeded

from ._blob import Blob, BlobEnding, File
from ._entrypoints import Context, DurableObject, WorkerEntrypoint, WorkflowEntrypoint, handler
from ._fetch import fetch
from ._formdata import FormData
from ._request import Request
from ._response import FetchResponse, Response
from ._rpc import python_from_rpc, python_to_rpc
from ._types import BlobValue, Body, FetchKwargs, FormDataValue, Headers, JSBody, RequestInitCfProperties
from ._runtime import import_from_javascript, patch_env, wait_until

waitUntil = wait_until


def __getattr__(name):
    if name == "env":
        from ._bindings import imported_env
        return imported_env()
    if name in ("asgi", "wsgi", "workflows"):
        return importlib.import_module("." + name, __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Blob", "BlobEnding", "BlobValue", "Body", "Context", "CpuLimitExceeded", "DurableObject", "FetchKwargs", "FetchResponse", "File", "FormData",
    "FormDataValue", "Headers", "JSBody", "Request", "RequestInitCfProperties", "Response", "WorkerEntrypoint",
    "WorkflowEntrypoint", "env", "fetch", "handler", "import_from_javascript", "patch_env", "python_from_rpc", "python_to_rpc",
    "waitUntil", "wait_until", "wsgi",
]
