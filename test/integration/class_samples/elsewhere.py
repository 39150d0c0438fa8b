"""Other hosts behind this one: method, headers and body are passed on."""
from urllib.parse import urlparse, urlunparse

from workers import Request, Response, WorkerEntrypoint, fetch

ORIGIN = urlparse("https://example.com").netloc
HOSTS = {"shop.example": ORIGIN, "cafe.example": ORIGIN}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlparse(request.url)
        if url.hostname not in HOSTS:
            return Response(f"nothing at {url.hostname}", status=404)
        there = urlunparse(url._replace(scheme="http", netloc=HOSTS[url.hostname]))
        if request.method in ("GET", "HEAD"):
            return await fetch(there, method=request.method, headers=request.headers)
        if url.path == "/echo/by-request":
            changed = Request(there, method=request.method, body=request.body, headers={"x-through": "worker", **dict(request.headers)})
            return await fetch(changed)
        return await fetch(there, method=request.method, headers=request.headers, body=await request.bytes())
