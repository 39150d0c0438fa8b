"""Dates as text and as seconds; SQLite's functions of them."""
import datetime
import json

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        db = self.env.DB
        await db.prepare("DELETE FROM events").run()
        start = datetime.datetime(2024, 2, 28, 12, 30, tzinfo=datetime.timezone.utc)
        insert = db.prepare("INSERT INTO events (name, happens_at, created_at) VALUES (?, ?, ?)")
        await db.batch([insert.bind(f"day {n}", (start + datetime.timedelta(days=n)).isoformat(), int((start + datetime.timedelta(days=n)).timestamp()))
                        for n in range(3)])
        await db.prepare("INSERT INTO events (name) VALUES ('now')").run()
        row = await db.prepare("SELECT happens_at, created_at, date(happens_at, '+1 day') AS next FROM events WHERE name = ?").bind("day 1").first()
        months = await db.prepare("SELECT strftime('%Y-%m', happens_at) AS month, count(*) AS n FROM events WHERE happens_at IS NOT NULL GROUP BY 1 ORDER BY 1").all()
        age = await db.prepare("SELECT unixepoch() - created_at AS age, CURRENT_TIMESTAMP AS stamp FROM events WHERE name = 'now'").first()
        return Response(json.dumps({
            "back": datetime.datetime.fromisoformat(row.happens_at) == start + datetime.timedelta(days=1),
            "seconds": datetime.datetime.fromtimestamp(row.created_at, datetime.timezone.utc).isoformat(), "next": row.next,
            "months": [[each.month, each.n] for each in months.results], "young": 0 <= age.age < 60,
            "stamp": abs((datetime.datetime.strptime(age.stamp, "%Y-%m-%d %H:%M:%S") - datetime.datetime.utcnow()).total_seconds()) < 60}))
