"""FastAPI gives rows back as they came."""
from fastapi import FastAPI, HTTPException, Request
from workers import WorkerEntrypoint, asgi

app = FastAPI()


@app.get("/items")
async def items(request: Request, page: int = 1, size: int = 3):
    db = request.scope["env"].DB
    found = await db.prepare("SELECT * FROM items ORDER BY id LIMIT ? OFFSET ?").bind(size, (page - 1) * size).all()
    return {"items": found.results, "page": page}


@app.put("/items/{number}")
async def change(number: int, request: Request):
    db, data = request.scope["env"].DB, await request.json()
    row = await db.prepare("UPDATE items SET price = ? WHERE id = ? RETURNING *").bind(data["price"], number).first()
    if row is None:
        raise HTTPException(404)
    return row


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(app, request, self.env, self.ctx)
