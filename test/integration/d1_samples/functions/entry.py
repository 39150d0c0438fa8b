"""The entry of a project with all of these in it: `x-sample` says which one answers."""
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
    handler = samples[name].on_fetch
    return handler(*(request, env, ctx)[:len(inspect.signature(handler).parameters)])


async def on_scheduled(controller, env, ctx):
    await samples["swept"].on_scheduled(controller, env, ctx)
