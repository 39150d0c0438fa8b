from pathlib import Path

import asgi
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, Field

app = FastAPI()
templates = Jinja2Templates(directory=str(Path(__file__).parent / "templates"))

BOOKS = {
    1: {"title": "吾輩は猫である", "author": "夏目漱石", "price": 990},
    2: {"title": "銀河鉄道の夜", "author": "宮沢賢治", "price": 770},
}


class Order(BaseModel):
    book: int
    copies: int = Field(gt=0, le=100)


@app.get("/")
async def shop(req: Request):
    return {"shop": req.scope["env"].SHOP, "books": len(BOOKS)}


@app.get("/books/{book}")
async def read_book(book: int):
    if book not in BOOKS:
        raise HTTPException(404, "no such book")
    return BOOKS[book]


@app.post("/orders", status_code=201)
async def place_order(order: Order):
    book = await read_book(order.book)
    return {"title": book["title"], "total": book["price"] * order.copies}


@app.get("/page", response_class=HTMLResponse)
async def page(request: Request):
    return templates.TemplateResponse("page.html", {"request": request, "shop": request.scope["env"].SHOP, "books": BOOKS.values()})


async def on_fetch(request, env):
    return await asgi.fetch(app, request, env)
