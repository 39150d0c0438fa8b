import json

from js import JSON, Headers, Response


def on_fetch(request):
    error = json.dumps({"error": "The `cf` object is not available inside the preview."})
    data = request.cf if request.cf is not None else error
    headers = Headers.new({"content-type": "application/json;charset=UTF-8"}.items())
    return Response.new(JSON.stringify(data, None, 2), headers=headers)
