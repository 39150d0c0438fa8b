"""Rows become dataclasses and models; what goes in comes of them."""
import dataclasses
import json

import pydantic
from workers import Response, WorkerEntrypoint


@dataclasses.dataclass
class Item:
    id: int
    name: str
    price: float = 0.0

    @classmethod
    def of(cls, row):
        return cls(**{field.name: row[field.name] for field in dataclasses.fields(cls)})


class Person(pydantic.BaseModel):
    name: str
    email: str
    age: int = 0
    active: bool


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        db = self.env.DB
        items = [Item.of(row) for row in (await db.prepare("SELECT * FROM items WHERE id <= 3 ORDER BY id").all()).results]
        person = Person(name="Grace", email="grace@records.example", age=85, active=False)
        await db.prepare("DELETE FROM people WHERE email = ?").bind(person.email).run()
        await db.prepare("INSERT INTO people (name, email, age, active) VALUES (?, ?, ?, ?)").bind(*person.dict().values()).run()
        row = await db.prepare("SELECT * FROM people WHERE email = ?").bind(person.email).first()
        back = Person(**(row.to_py() if hasattr(row, "to_py") else row))
        return Response(json.dumps({"items": [dataclasses.asdict(item) for item in items], "same": back == person, "type": type(items[1].price).__name__}))
