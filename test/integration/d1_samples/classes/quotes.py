"""FastAPI over D1: models in, rows out, a dependency for the database."""
import asgi
from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, Field
from workers import WorkerEntrypoint

app = FastAPI()


class Quote(BaseModel):
    quote: str = Field(min_length=1)
    author: str | None = None


class Stored(Quote):
    id: int


async def db(request: Request):
    return request.scope["env"].DB


def native(value):
    return value.to_py() if hasattr(value, "to_py") else value


@app.get("/quotes", response_model=list[Stored])
async def quotes(limit: int = 10, db=Depends(db)):
    await db.prepare("CREATE TABLE IF NOT EXISTS quotes (id INTEGER PRIMARY KEY, quote TEXT NOT NULL, author TEXT)").run()
    found = await db.prepare("SELECT id, quote, nullif(author, '') AS author FROM quotes ORDER BY id LIMIT ?").bind(limit).all()
    return [{**row, "author": row["author"] or None} for row in native(found.results)]


@app.post("/quotes", status_code=201)
async def add(quote: Quote, db=Depends(db)):
    row = await db.prepare("INSERT INTO quotes (quote, author) VALUES (?, ?) RETURNING id").bind(quote.quote, quote.author or "").first()
    return {"id": row.id, **quote.dict()}


@app.get("/quotes/{number}")
async def one(number: int, request: Request):
    env = request.scope["env"]
    row = await env.DB.prepare("SELECT quote, author FROM quotes WHERE id = ?1").bind(number).first()
    if not row:
        raise HTTPException(404, "no such quote")
    return {"quote": row.quote, "author": row["author"]}


@app.delete("/quotes/{number}", status_code=204)
async def remove(number: int, db=Depends(db)):
    done = await db.prepare("DELETE FROM quotes WHERE id = ?").bind(number).run()
    if done.meta.changes == 0:
        raise HTTPException(404)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(app, request.js_object, self.env)
