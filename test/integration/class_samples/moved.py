"""Redirects: one address, a table, trailing slashes, another host with path and query kept."""
from http import HTTPStatus
from urllib.parse import urlparse, urlunparse

from workers import Response, WorkerEntrypoint

TABLE = {"/old": "https://example.com/new", "/docs": "https://example.com/handbook?v=2"}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlparse(request.url)
        if url.path in TABLE:
            return Response.redirect(TABLE[url.path], HTTPStatus.MOVED_PERMANENTLY)
        if url.path == "/login":
            return Response.redirect("https://example.com/login")
        if url.path != "/" and url.path.endswith("/"):
            return Response.redirect(urlunparse(url._replace(path=url.path.rstrip("/"))), status=308)
        if url.path.startswith("/relative"):
            return Response(None, status=303, headers={"Location": "/elsewhere"})
        return Response.redirect(urlunparse(url._replace(scheme="https", netloc="www.example.net")), 307)
