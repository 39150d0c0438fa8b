import random
from http.cookies import SimpleCookie
from urllib.parse import urlparse, urlunparse

from js import Headers, Response, fetch

NAME = "myExampleWorkersABTest"


async def on_fetch(request):
    url = urlparse(request.url)
    # Enable Passthrough to allow direct access to control and test routes.
    if url.path.startswith("/control") or url.path.startswith("/test"):
        return fetch(urlunparse(url))

    # Determine which group this requester is in.
    cookie = request.headers.get("cookie")

    if cookie and f"{NAME}=control" in cookie:
        url = url._replace(path="/control" + url.path)
    elif cookie and f"{NAME}=test" in cookie:
        url = url._replace(path="/test" + url.path)
    else:
        # If there is no cookie, this is a new client. Choose a group and set the cookie.
        group = "test" if random.random() < 0.5 else "control"
        if group == "control":
            url = url._replace(path="/control" + url.path)
        else:
            url = url._replace(path="/test" + url.path)
        # Reconstruct response to avoid immutability
        res = await fetch(urlunparse(url))
        headers = dict(res.headers)
        headers["Set-Cookie"] = f"{NAME}={group}; path=/"
        return Response.new(res.body, headers=Headers.new(headers.items()))

    return fetch(urlunparse(url))
