import json

from js import Headers, Object, Response, fetch
from pyodide.ffi import to_js as _to_js


def to_js(obj):
    return _to_js(obj, dict_converter=Object.fromEntries)


# gather_response returns both content-type & response body as a string
async def gather_response(response):
    headers = response.headers
    content_type = headers["content-type"] or ""

    if "application/json" in content_type:
        return (content_type, json.dumps((await response.json()).to_py()))
    return (content_type, await response.text())


async def on_fetch(_request):
    url = "https://example.com/echo"

    body = {
        "results": ["default data to send"],
        "errors": None,
        "msg": "I sent this to the fetch",
    }

    options = {
        "body": json.dumps(body),
        "method": "POST",
        "headers": {
            "content-type": "application/json;charset=UTF-8",
        },
    }

    response = await fetch(url, to_js(options))
    content_type, result = await gather_response(response)

    headers = Headers.new({"content-type": content_type}.items())
    return Response.new(result, headers=headers)
