"""A/B: who has no cookie yet is given one, who has one goes where it says."""
import random
from urllib.parse import urlparse, urlunparse

from workers import Response, WorkerEntrypoint, fetch

COOKIE = "which-page"


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlparse(request.url)
        cookie = request.headers.get("cookie")
        for group in ("old", "new"):
            if url.path.startswith(f"/{group}/"):
                return fetch(urlunparse(url))
            if cookie and f"{COOKIE}={group}" in cookie:
                return fetch(urlunparse(url._replace(path=f"/{group}{url.path}")))
        group = random.choice(["old", "new"])
        answer = await fetch(urlunparse(url._replace(path=f"/{group}{url.path}")))
        headers = dict(answer.headers)
        headers["Set-Cookie"] = f"{COOKIE}={group}; path=/"
        return Response(answer.body, status=answer.status, headers=headers)
