"""A repository over the binding that it is given."""


def as_dict(row):
    return row.to_py() if row is not None else None


class People:
    COLUMNS = ("name", "email", "age", "active")

    def __init__(self, env):
        self.db = env.DB

    async def add(self, **fields):
        names = [name for name in self.COLUMNS if name in fields]
        sql = f"INSERT INTO people ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) RETURNING *"
        return as_dict(await self.db.prepare(sql).bind(*(fields[name] for name in names)).first())

    async def find(self, email):
        return as_dict(await self.db.prepare("SELECT * FROM people WHERE email = ?").bind(email).first())

    async def change(self, email, **fields):
        sets = ", ".join(f"{name} = ?{n}" for n, name in enumerate(fields, 2))
        return (await self.db.prepare(f"UPDATE people SET {sets} WHERE email = ?1").bind(email, *fields.values()).run()).meta.changes

    async def remove(self, email):
        return (await self.db.prepare("DELETE FROM people WHERE email = ?").bind(email).run()).meta.changes > 0

    async def adults(self):
        found = await self.db.prepare("SELECT name FROM people WHERE age >= ?1 AND email LIKE '%@store.example' ORDER BY name COLLATE NOCASE").bind(18).all()
        return [row["name"] for row in found.results]
