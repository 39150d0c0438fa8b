"""Blobs from classes: bytes in, bytes out."""
from urllib.parse import urlparse

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        name = urlparse(request.url).path[1:]
        if request.method == "PUT":
            data = await request.bytes()
            await self.env.DB.prepare("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?)").bind(name, request.headers["content-type"], data).run()
            return Response(str(len(data)))
        row = await self.env.DB.prepare("SELECT * FROM pictures WHERE name = ?").bind(name).first()
        if not row:
            return Response("no such picture", status=404)
        return Response(bytes(row["data"]), headers={"content-type": row["type"]})
