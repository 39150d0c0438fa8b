"""Texts are taken once, listed while nobody fetched them, marked then."""
import hashlib

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url, method = request.url, request.method
        try:
            if method == "POST" and url.endswith("/ingest"):
                raw_text = (await request.text()).strip()
                if not raw_text:
                    return Response.json({"error": "Empty body"}, status=400)
                msg_id = hashlib.sha256(raw_text.encode("utf-8")).hexdigest()[:16]
                done = await self.env.DB.prepare("INSERT OR IGNORE INTO messages (id, raw) VALUES (?, ?)").bind(msg_id, raw_text).run()
                return Response.json({"status": "received", "id": msg_id, "new": bool(done.meta.changes)}, status=200)
            if method == "GET" and url.endswith("/pending"):
                result = await self.env.DB.prepare("SELECT raw FROM messages WHERE synced = 0 ORDER BY created_at ASC, rowid").all()
                return Response.json(result.results, status=200)
            if method == "POST" and url.endswith("/ack"):
                data = await request.json()
                ids = data.get("ids", [])
                placeholders = ",".join("?" for _ in ids)
                result = await self.env.DB.prepare(f"UPDATE messages SET synced = 1 WHERE id IN ({placeholders})").bind(*ids).run()
                return Response.json({"acked": result.meta.changes})
            return Response.json({"error": "not found"}, status=404)
        except Exception as e:
            return Response.json({"error": str(e)}, status=500)
