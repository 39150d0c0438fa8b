"""CORS around any handler, by a decorator."""
from functools import wraps

from workers import Response, WorkerEntrypoint

ORIGINS = {"http://localhost:5173", "https://app.example"}


def cors(*methods):
    def decorate(handler):
        @wraps(handler)
        async def inner(self, request):
            origin = request.headers.get("Origin")
            headers = {"Vary": "Origin"}
            if origin in ORIGINS:
                headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Methods": ", ".join(methods)}
            if request.method == "OPTIONS":
                asked = request.headers.get("Access-Control-Request-Headers")
                if asked:
                    headers["Access-Control-Allow-Headers"] = asked
                return Response("", status=204, headers=headers)
            if request.method not in methods:
                return Response(f"{request.method} is not allowed", status=405, headers={"Allow": ", ".join(methods)})
            answer = await handler(self, request)
            for name, value in headers.items():
                answer.headers[name] = value
            return answer
        return inner
    return decorate


class Default(WorkerEntrypoint):
    @cors("GET", "POST")
    async def fetch(self, request):
        return Response.json({"method": request.method})
