"""The entry of a project with all samples of today's style in it: `x-sample` says which one answers, as if it were the main module."""
import importlib
import pathlib
import traceback

from pyodide.code import relaxed_call
from workers import Response, WorkerEntrypoint

samples, broken = {}, {}
for file in pathlib.Path(__file__).parent.glob("*.py"):
    if file.stem != "entry":
        try:
            samples[file.stem] = importlib.import_module(file.stem)
        except Exception:
            broken[file.stem] = traceback.format_exc()


class Default(WorkerEntrypoint):
    def fetch(self, request):
        name = request.headers["x-sample"]
        if name not in samples:
            return Response(broken.get(name, "no such sample"), status=500)
        return relaxed_call(samples[name].Default(self.ctx, self.env).fetch, request, self.env, self.ctx)
