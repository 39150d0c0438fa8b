"""From 2026-04-21 on rows are dicts whose keys are attributes: nothing has to be converted."""
import json

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        db = self.env.DB
        result = await db.prepare("SELECT CustomerId AS id, CompanyName AS company, NULL AS nil FROM Customers ORDER BY id LIMIT 2").all()
        row = result.results[0]
        return Response.json({
            "rows": result.results, "dumps": json.loads(json.dumps(result.results))[1]["id"], "types": [type(result.results).__name__, isinstance(row, dict)],
            "item": row["company"], "attribute": row.company, "get": [row.get("company"), row.get("nope", "default")], "none": row.nil is None,
            "keys": list(row), "spread": {**row, "more": 1}, "unpacked": dict(row) == row, "no row": (await db.prepare("SELECT 1 WHERE 0").first()) is None,
            "match": self.matched(row), "changes": (await db.prepare("UPDATE items SET price = price WHERE id < 4").run())["meta"]["changes"],
            "success": result.success, "f": f"{row.company!r}"})

    def matched(self, row):
        match row:
            case {"id": int(number), "company": str(name)}:
                return [number, name]
