"""A POST of any kind, read with what JavaScript has; the old example in its newer form."""
from js import JSON, Headers, Object, Response
from workers import WorkerEntrypoint


async def read(request):
    kind = request.headers["content-type"] or ""
    if "application/json" in kind:
        return JSON.stringify(await request.json())
    if "form" in kind:
        form = await request.formData()
        return JSON.stringify(Object.fromEntries(form.entries()))
    if kind.startswith("text/"):
        return await request.text()
    return f"{len(await request.bytes())} bytes"


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.method == "POST":
            return Response.new(f"got {await read(request)}")
        return Response.new("<form method=post><input name=a>", headers=Headers.new({"content-type": "text/html;charset=UTF-8"}.items()))
