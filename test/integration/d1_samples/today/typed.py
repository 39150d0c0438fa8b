"""What may be bound, None and all; models from rows."""
import datetime
import enum
import uuid
from decimal import Decimal

from pydantic import BaseModel
from workers import Response, WorkerEntrypoint


class State(str, enum.Enum):
    OPEN = "open"


class Level(enum.IntEnum):
    HIGH = 3


class Person(BaseModel):
    id: int
    name: str
    email: str | None
    age: int | None
    active: bool


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        db = self.env.DB
        number = uuid.UUID(int=7)
        row = await db.prepare("SELECT ? AS state, ? AS level, ? AS day, ? AS id, ? AS price, ? AS nil, typeof(?) AS yes, ? AS data").bind(
            State.OPEN, Level.HIGH, datetime.date(2026, 5, 1).isoformat(), str(number), float(Decimal("12.50")), None, True, memoryview(b"\x00\xff")).first()
        await db.prepare("INSERT OR REPLACE INTO people (id, name, email, age) VALUES (?, ?, ?, ?)").bind(7001, "Ann", None, None).run()
        person = Person(**await db.prepare("SELECT * FROM people WHERE id = ?").bind(7001).first())
        return Response.json({"row": {**row, "data": list(row.data)}, "person": person.dict()})
