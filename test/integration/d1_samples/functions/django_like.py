"""What an object-relational mapper does: a query with joins, prefetching by IN, bulk inserts, F() updates, exists, aggregates."""
import json

from js import Response
from pyodide.ffi import to_js


class Model:
    table, fields = "", ()

    def __init__(self, **values):
        self.__dict__.update(values)

    @classmethod
    async def bulk_create(cls, db, objects, size=100):
        per = size // len(cls.fields)
        for at in range(0, len(objects), per):
            some = objects[at:at + per]
            marks = ", ".join(["(" + ", ".join("?" * len(cls.fields)) + ")"] * len(some))
            values = [getattr(each, name) for each in some for name in cls.fields]
            await db.prepare(f'INSERT INTO "{cls.table}" ({", ".join(cls.fields)}) VALUES {marks}').bind(*values).run()

    @classmethod
    async def filter(cls, db, where="1", *values):
        found = await db.prepare(f'SELECT * FROM "{cls.table}" WHERE {where} ORDER BY 1').bind(*values).all()
        return [cls(**row) for row in found.results.to_py()]


class Author(Model):
    table, fields = "authors", ("id", "name")


class Work(Model):
    table, fields = "works", ("id", "author_id", "title")


async def on_fetch(request, env):
    db = env.DB
    await db.batch(to_js([db.prepare("DELETE FROM works"), db.prepare("DELETE FROM authors")]))
    await Author.bulk_create(db, [Author(id=n, name=f"author {n}") for n in range(1, 121)])
    await Work.bulk_create(db, [Work(id=n, author_id=n % 7 + 1, title=f"work {n}") for n in range(1, 71)])
    authors = await Author.filter(db, "id IN (?, ?, ?)", 1, 2, 3)
    works = await Work.filter(db, f"author_id IN ({', '.join('?' * len(authors))})", *(author.id for author in authors))
    for author in authors:
        author.works = [work for work in works if work.author_id == author.id]
    moved = await db.prepare("UPDATE works SET author_id = author_id + 1 WHERE author_id = ?").bind(7).run()
    exists = await db.prepare("SELECT EXISTS(SELECT 1 FROM works WHERE title = ?) AS e").bind("work 70").first("e")
    top = await db.prepare("""
        SELECT a.name, count(*) AS n FROM authors a JOIN works w ON w.author_id = a.id GROUP BY a.id HAVING n >= ? ORDER BY n DESC, a.id LIMIT 2
    """).bind(10).all()
    try:
        await db.prepare("SELECT " + ", ".join("?" * 101)).bind(*range(101)).all()
        said = None
    except Exception as e:
        said = str(e)
    return Response.new(json.dumps({
        "authors": len(await Author.filter(db)), "prefetched": [[author.name, len(author.works)] for author in authors], "moved": moved.meta.changes,
        "exists": bool(exists), "top": [[row.name, row.n] for row in top.results], "said": said}))
