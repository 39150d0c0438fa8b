"""JSON posted to a server; its answer changed; requests made of others."""
import json

from workers import Request, Response, WorkerEntrypoint, fetch

API = "https://example.com/echo/api"


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/changed"):
            answer = await fetch("https://example.com/todos/7")
            todo = await answer.json()
            todo["title"] = todo["title"].upper()
            return Response.json(todo, status=203, headers={"x-kept": answer.headers["foo"]})
        if request.url.endswith("/replaced"):
            answer = await fetch("https://example.com/todos/7")
            return answer.replace_body("another body")
        if request.url.endswith("/request"):
            first = Request(API, method="POST", body="{}", headers=[("x-a", "1"), ("x-a", "2")])
            second = Request(first, method="PUT", body='{"b": 2}')
            return await fetch(second, headers={"x-c": "3"})
        answer = await fetch(API, method="POST", body=json.dumps({"greeting": self.env.GREETING, "name": "Zoë"}),
                             headers={"content-type": "application/json;charset=UTF-8", "authorization": f"Bearer {self.env.PASSWORD}"})
        answer.raise_for_status()
        said = await answer.json()
        return Response.json({"method": said["method"], "body": json.loads(said["body"]), "auth": said["headers"]["authorization"]})
