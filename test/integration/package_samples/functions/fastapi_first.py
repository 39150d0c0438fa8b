"""Cloudflare's first example of FastAPI."""
async def on_fetch(request, env):
    import asgi

    return await asgi.fetch(app, request, env)


from fastapi import FastAPI, Request  # noqa: E402
from pydantic import BaseModel  # noqa: E402


class Item(BaseModel):
    name: str
    description: str = None
    price: float
    tax: float = None


app = FastAPI()


@app.get("/")
async def root():
    return {"message": "Hello World"}


@app.get("/env")
async def env(req: Request):
    env = req.scope["env"]
    return {"message": "Here is an example of getting an environment variable: " + env.MESSAGE}


@app.post("/items/")
async def create_item(item: Item):
    return item
