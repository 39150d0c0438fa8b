from urllib.parse import urlparse

from js import Response, fetch


async def on_fetch(request):
    externalHostname = "examples.cloudflareworkers.com"

    redirectMap = {
        "/bulk1": "https://" + externalHostname + "/redirect2",
        "/bulk2": "https://" + externalHostname + "/redirect3",
    }

    url = urlparse(request.url)
    location = redirectMap.get(url.path, None)
    if location:
        return Response.redirect(location, 301)

    # If request not in map, return the original request
    return fetch(request)
