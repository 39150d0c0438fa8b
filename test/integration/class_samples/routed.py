"""A router of decorators, middleware around it, parameters from the path."""
import inspect
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlparse

from workers import Response, WorkerEntrypoint


class HTTPError(Exception):
    def __init__(self, status, detail):
        self.status, self.detail = status, detail


@dataclass
class Route:
    method: str
    pattern: re.Pattern
    handler: object


class Router:
    def __init__(self):
        self.routes, self.middleware = [], []

    def route(self, path, methods=("GET",)):
        pattern = re.compile(re.sub(r"{(\w+)(?::(int))?}", lambda m: f"(?P<{m[1]}>{r'[0-9]+' if m[2] else '[^/]+'})", path) + "$")

        def decorate(handler):
            self.routes += [Route(method, pattern, handler) for method in methods]
            return handler
        return decorate

    def use(self, function):
        self.middleware.append(function)
        return function

    async def dispatch(self, request, env):
        path = urlparse(request.url).path
        matches = [(route, match) for route in self.routes if (match := route.pattern.match(path))]
        if not matches:
            raise HTTPError(404, f"no {path}")
        for route, match in matches:
            if route.method == request.method:
                parameters = {name: route.handler.__annotations__.get(name, str)(value) for name, value in match.groupdict().items()}
                result = route.handler(request, env, **parameters)
                result = await result if inspect.isawaitable(result) else result
                return result if isinstance(result, Response) else Response.json(result)
        raise HTTPError(405, f"not {request.method.lower()}")

    async def __call__(self, request, env):
        async def call(index=0):
            if index == len(self.middleware):
                return await self.dispatch(request, env)
            return await self.middleware[index](request, env, lambda: call(index + 1))
        try:
            return await call()
        except HTTPError as e:
            return Response.json({"error": e.detail}, status=e.status)


app = Router()


@app.use
async def locked(request, env, following):
    if request.method == "DELETE" and request.headers.get("authorization") != f"Bearer {env.PASSWORD}":
        raise HTTPError(401, "who are you?")
    return await following()


@app.use
async def marked(request, env, following):
    answer = await following()
    answer.headers["x-marked"] = "yes"
    return answer


@app.route("/users/{number:int}/files/{name}")
async def file_of(request, env, number: int, name: str):
    return {"number": number + 1, "name": name, "query": parse_qs(urlparse(request.url).query)}


@app.route("/users/{number:int}", methods=["GET", "DELETE"])
def user(request, env, number: int):
    return Response(None, status=204) if request.method == "DELETE" else {"number": number}


@app.route("/sums", methods=["POST"])
async def sums(request, env):
    body = await request.json()
    if not isinstance(body, list):
        raise HTTPError(422, "a list, please")
    return {"sum": sum(body)}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await app(request, self.env)
