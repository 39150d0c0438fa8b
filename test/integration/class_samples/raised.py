"""Errors as an API shows them: a handler of its own exceptions, a cause, notes, an ExceptionGroup, JavaScript's."""
import traceback

from js import JSON
from pyodide.ffi import JsException
from workers import Response, WorkerEntrypoint


class ApiError(Exception):
    status = 400


class Missing(ApiError):
    status = 404


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        try:
            return await getattr(self, request.url.rsplit("/", 1)[1], self.missing)(request)
        except ApiError as e:
            cause = f" ({type(e.__cause__).__name__})" if e.__cause__ else ""
            return Response.json({"error": f"{e}{cause}"}, status=e.status)

    async def missing(self, request):
        raise Missing("no such page")

    async def parse(self, request):
        try:
            return Response.json(await request.json())
        except ValueError as e:
            raise ApiError("no JSON") from e

    async def js(self, request):
        try:
            JSON.parse("{")
        except JsException as e:
            return Response("".join(traceback.format_exception_only(e)).splitlines()[0].split(":")[1].strip())

    async def group(self, request):
        raise ExceptionGroup("several", [ValueError("a"), KeyError("b")])

    async def secret(self, request):
        error = RuntimeError("of the worker")
        error.add_note("and a note")
        raise error
