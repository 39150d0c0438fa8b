from urllib.parse import urlparse

from js import Response


async def on_fetch(request):
    base = "https://example.com"
    statusCode = 301
    url = urlparse(request.url)
    destinationURL = f"{base}{url.path}{'?' if url.query else ''}{url.query}"
    print(destinationURL)
    return Response.redirect(destinationURL, statusCode)
