"""Built-in packages, as they were shown: FastAPI, httpx, and micropip inside of a route."""
import httpx
import micropip
from fastapi import FastAPI, Request


async def on_fetch(request, env):
    import asgi

    return await asgi.fetch(app, request, env)


app = FastAPI()


@app.get("/")
async def root(req: Request):
    async with httpx.AsyncClient() as client:
        answer = await client.get(req.scope["env"].ORIGIN + "/json")
    return {"status": answer.status_code, "path": answer.json()["path"]}


@app.get("/installed")
async def installed(req: Request):
    micropip.set_index_urls(req.scope["env"].INDEX)
    await micropip.install("lorem-words")
    from lorem_words import words
    return {"words": words(3)}


@app.get("/failing")
async def failing(req: Request):
    micropip.set_index_urls(req.scope["env"].INDEX)
    await micropip.install("pandas==2.2.2")
    return {"pandas": True}
