"""The entry of a project with all samples of 2024 in it: `x-sample` says which one answers, as if it were the main module."""
import importlib

from js import Response
from pyodide.code import relaxed_call

NAMES = ("fastapi_first", "fastapi_late", "talk", "prompts", "fetched", "with_jinja", "pyfetched")
samples = {name: importlib.import_module(name) for name in NAMES}


async def on_fetch(request, env, ctx):
    name = request.headers.get("x-sample")
    result = relaxed_call(samples[name].on_fetch, request, env, ctx)
    return await result if hasattr(result, "__await__") else result
