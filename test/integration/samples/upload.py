import hashlib
import json

from js import Headers, Response

FORM = "<form method=post enctype=multipart/form-data><input name=file type=file></form>"


async def on_fetch(request):
    if request.method != "POST":
        return Response.new(FORM, headers=Headers.new({"content-type": "text/html"}.items()))
    form = await request.formData()
    answer = []
    for name, value in form.entries():
        if isinstance(value, str):
            answer.append({"name": name, "value": value})
        else:
            data = (await value.arrayBuffer()).to_bytes()
            answer.append({"name": name, "filename": value.name, "type": value.type, "size": value.size,
                           "sha256": hashlib.sha256(data).hexdigest()})
    files = form.getAll("file")
    return Response.new(json.dumps({"fields": answer, "files": len(files), "has": form.has("file"), "none": form.get("nothing") is None}))
