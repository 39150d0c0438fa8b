"""Another site as one's own, with its links turned round; an upstream that does not answer in time is a 504."""
import asyncio

from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.method != "GET":
            return Response("Method Not Allowed", status=405, headers={"Allow": "GET"})
        path = "/" + request.url.split("/", 3)[3]
        try:
            answer = await asyncio.wait_for(fetch("https://example.com" + path, redirect="manual"), timeout=0.05 if path == "/slow" else 20)
        except TimeoutError:
            return Response("the site is slow", status=504, headers={"Retry-After": "5"})
        except OSError as e:
            return Response(f"no site: {e}", status=502)
        if "text/html" not in answer.headers.get("content-type", ""):
            return answer
        text = await answer.text()
        return Response(text.replace("<p>", '<p class="proxied">'), status=answer.status, headers={"content-type": answer.headers["content-type"]})
