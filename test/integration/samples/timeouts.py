import asyncio
import json

from js import AbortController, AbortSignal, Response, fetch, setTimeout
from pyodide.ffi import JsException, create_once_callable


async def attempt(coroutine):
    try:
        response = await coroutine
        return response.status
    except JsException as e:
        return e.name
    except asyncio.TimeoutError:
        return "asyncio"


async def on_fetch(request):
    slow = "https://example.com/slow"
    controller = AbortController.new()
    setTimeout(create_once_callable(lambda: controller.abort()), 20)
    results = await asyncio.gather(
        attempt(fetch(slow, signal=AbortSignal.timeout(20))),
        attempt(fetch(slow, signal=controller.signal)),
        attempt(asyncio.wait_for(fetch(slow), timeout=0.02)),
        attempt(fetch("https://example.com/html", signal=AbortSignal.timeout(10000))),
    )
    return Response.new(json.dumps(results))
