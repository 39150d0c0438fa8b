from asyncio import gather

from js import JSON, Headers, Response, fetch
from pyodide.ffi import to_js


async def on_fetch(request):
    # some_host is set up to return JSON responses
    some_host = "https://example.com"
    url1 = some_host + "/todos/1"
    url2 = some_host + "/todos/2"

    responses = await gather(fetch(url1), fetch(url2))
    responses = await gather(*map(lambda r: r.json(), responses))

    headers = Headers.new({"content-type": "application/json;charset=UTF-8"}.items())
    return Response.new(JSON.stringify(to_js(responses)), headers=headers)
