"""Foreign keys: what hangs on a row goes with it, what hangs on nothing is refused."""
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        db = self.env.DB
        await db.batch([db.prepare("DELETE FROM authors"),
                        db.prepare("INSERT INTO authors (id, name) VALUES (1, '夏目漱石'), (2, '宮沢賢治')"),
                        db.prepare("INSERT INTO works (author_id, title) VALUES (1, 'こころ'), (1, '坊っちゃん'), (2, '銀河鉄道の夜')")])
        joined = await db.prepare("""
            SELECT a.name, count(w.id) AS works, group_concat(w.title, '、') AS titles
            FROM authors AS a LEFT JOIN works AS w ON w.author_id = a.id
            GROUP BY a.id ORDER BY works DESC
        """).all()
        try:
            await db.prepare("INSERT INTO works (author_id, title) VALUES (?, ?)").bind(99, "nobody's").run()
            said = None
        except Exception as e:
            said = str(e)
        gone = await db.prepare("DELETE FROM authors WHERE id = 1").run()
        left = await db.prepare("SELECT title FROM works").raw()
        await db.exec("PRAGMA defer_foreign_keys = on")
        return Response.json({"joined": [[row.works, row.titles] for row in joined.results], "said": said,
                              "gone": gone.meta.changes, "left": [row[0] for row in left]})
