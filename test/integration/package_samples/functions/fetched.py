"""requests in a handler that is no coroutine, its JSON on."""
import requests
from js import Headers, Response


def on_fetch(request, env):
    answer = requests.post(env.ORIGIN + "/echo", data={"a": "1"}, headers={"X-From": "worker"}, timeout=5)
    headers = Headers.new({"content-type": "application/json"}.items())
    return Response.new(answer.text, status=answer.status_code, headers=headers)
