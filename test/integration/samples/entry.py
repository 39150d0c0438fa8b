"""The entry of a project with all samples in it: `x-sample` says which one answers.

They are written as people write them for Cloudflare, and must run as they are.
"""
import importlib
import inspect
import pathlib
import traceback

samples, broken = {}, {}
for file in pathlib.Path(__file__).parent.glob("*.py"):
    if file.stem != "entry":
        try:
            samples[file.stem] = importlib.import_module(file.stem)
        except Exception:
            broken[file.stem] = traceback.format_exc()


def on_fetch(request, env, ctx):
    from js import Response
    name = request.headers.get("x-sample")
    if name not in samples:
        return Response.new(broken.get(name, "no such sample"), status=500)
    module = samples[name]
    if hasattr(module, "Default"):
        return module.Default(ctx, env).fetch(request)
    count = len(inspect.signature(module.on_fetch).parameters)
    return module.on_fetch(*(request, env, ctx)[:count])
