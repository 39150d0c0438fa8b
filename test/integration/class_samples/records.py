"""Dataclasses, enums, pydantic, dates and decimals on their way to JSON and from it."""
import dataclasses
import datetime
import decimal
import enum
import json
import uuid

from pydantic import BaseModel, ValidationError, validator
from workers import Response, WorkerEntrypoint


class State(enum.StrEnum):
    OPEN = "open"
    SOLD = "sold"


@dataclasses.dataclass
class Thing:
    name: str
    price: decimal.Decimal
    state: State = State.OPEN
    tags: list[str] = dataclasses.field(default_factory=list)


class Wish(BaseModel):
    name: str
    limit: float = 10
    until: datetime.date | None = None

    @validator("name")
    def not_blank(cls, value):
        if not value.strip():
            raise ValueError("must not be blank")
        return value.title()


def plain(value):
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    raise TypeError(f"no JSON of {value!r}")


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.method == "POST":
            try:
                wish = Wish(**await request.json())
            except ValidationError as e:
                return Response.json({"errors": [[*error["loc"], error["msg"]] for error in e.errors()]}, status=422)
            except (json.JSONDecodeError, TypeError) as e:
                return Response.json({"error": type(e).__name__}, status=400)
            return Response(wish.json(), headers={"content-type": "application/json"})
        things = [Thing("rope", decimal.Decimal("12.50"), tags=["new"]), Thing("anvil", decimal.Decimal(3), State.SOLD)]
        body = json.dumps({"things": things, "day": datetime.date(2024, 2, 29), "id": uuid.UUID(int=7)}, default=plain, ensure_ascii=False)
        return Response(body, headers={"content-type": "application/json"})
