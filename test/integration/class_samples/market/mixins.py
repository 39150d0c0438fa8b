import time

from workers import Response


class JsonMixin:
    def json(self, data, status=200, **headers):
        return Response.json(data, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


class TimedMixin:
    async def fetch(self, request):
        before = time.perf_counter()
        answer = await super().fetch(request)
        answer.headers["Server-Timing"] = f"total;dur={(time.perf_counter() - before) * 1000:.1f}"
        return answer
