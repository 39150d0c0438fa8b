"""Measurements: keys of two columns, windows, CTEs, aggregates, floats that are whole."""
import json
import math

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        db = self.env.DB
        put = db.prepare("INSERT INTO sensors (id, value, at) VALUES (?1, ?2, ?3) ON CONFLICT (id, at) DO UPDATE SET value = max(value, excluded.value)")
        await db.batch([put.bind(name, math.floor(n * factor), n) for name, factor in (("a", 1), ("b", 2.5)) for n in range(6)])
        moving = await db.prepare("""
            WITH recent AS (SELECT * FROM sensors WHERE id = ? AND at >= 2)
            SELECT at, avg(value) OVER (ORDER BY at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS mean, row_number() OVER (ORDER BY at DESC) AS n FROM recent ORDER BY at
        """).bind("b").all()
        stats = await db.prepare("SELECT id, min(value) AS low, max(value) AS high, round(avg(value), 2) AS mean, sqrt(16) AS root FROM sensors GROUP BY id").raw()
        return Response(json.dumps({"moving": [[row.at, row.mean, row.n] for row in moving.results], "stats": [list(row) for row in stats]}))
