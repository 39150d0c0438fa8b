from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        name = (await request.json()).name if request.method == "POST" else "World!"
        return Response.json({"message": f"Hello, {name}", "var": self.env.GREETING}, status=201, headers={"x-a": "1"})
