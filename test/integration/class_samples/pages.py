"""HTML, JSON and text; a page from a file; what is preloaded said in a header."""
from pathlib import Path
from urllib.parse import urlparse

from workers import Response, WorkerEntrypoint

HERE = Path(__file__).parent
PAGES = {
    "/": ("text/html;charset=UTF-8", "<!doctype html><h1>Shop of anvils</h1>"),
    "/robots.txt": ("text/plain", "User-agent: *\nDisallow:"),
}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = urlparse(request.url).path
        if path == "/favicon.ico":
            return Response("", status=204)
        if path == "/status.json":
            return Response.json({"greeting": "hello", "open": True, "hours": [9, 17]})
        if path == "/about":
            page = (HERE / "data" / "about.html").read_text()
            return Response(page, headers={"Content-Type": "text/html", "Link": "</style.css>; rel=preload; as=style"})
        if path not in PAGES:
            return Response("Not Found", status=404)
        kind, text = PAGES[path]
        return Response(text, headers={"content-type": kind, "cache-control": "public, max-age=60"})
