"""Links with a signature that ends; webhooks signed over their raw body."""
import hashlib
import hmac
import time
from urllib.parse import parse_qs, urlencode, urlparse

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    def seal(self, text):
        return hmac.new(self.env.MY_SECRET_VALUE.encode(), text.encode(), hashlib.sha256).hexdigest()

    async def fetch(self, request):
        url = urlparse(request.url)
        if url.path == "/webhook":
            return await self.webhook(request)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path.startswith("/generate/"):
            path, until = url.path.removeprefix("/generate"), int(time.time()) + int(query.get("for", "60"))
            return Response(f"{path}?{urlencode({'until': until, 'mac': self.seal(f'{path}{until}')})}")
        if not query.keys() >= {"until", "mac"}:
            return Response("Missing query parameter", status=403)
        if not hmac.compare_digest(self.seal(url.path + query["until"]), query["mac"]):
            return Response("Invalid MAC", status=403)
        if time.time() > int(query["until"]):
            return Response("URL expired", status=403)
        return Response("let in")

    async def webhook(self, request):
        body = await request.clone().bytes()
        expected = "sha256=" + hmac.new(b"hook", body, "sha256").hexdigest()
        if not hmac.compare_digest(expected, request.headers.get("X-Hub-Signature-256", "")):
            return Response.json({"error": "bad signature"}, status=401)
        event = await request.json()
        return Response.json({"action": event.get("action"), "sender": event["sender"]["login"], "bytes": len(body)})
