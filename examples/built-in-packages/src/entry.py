import asgi
import httpx
import micropip
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/status")
async def status(req: Request):
    async with httpx.AsyncClient() as client:
        answer = await client.get(req.scope["env"].PAGE, headers={"User-Agent": "built-in-packages"})
    return {"status": answer.status_code, "type": answer.headers.get("content-type"), "bytes": len(answer.content)}


@app.get("/title")
async def title(req: Request):
    env = req.scope["env"]
    await micropip.install("beautifulsoup4", index_urls=env.INDEX or None)
    from bs4 import BeautifulSoup

    async with httpx.AsyncClient() as client:
        answer = await client.get(env.PAGE)
    soup = BeautifulSoup(answer.text, "html.parser")
    return {"title": soup.title.string if soup.title else None, "links": [link["href"] for link in soup.find_all("a", href=True)]}


@app.get("/missing")
async def missing(req: Request):
    """What an installation that cannot work comes to."""
    try:
        await micropip.install("html5lib==0.1", index_urls=req.scope["env"].INDEX or None)
    except ValueError as e:
        return PlainTextResponse(str(e), status_code=502)
    return PlainTextResponse("installed, to everyone's surprise")


async def on_fetch(request, env):
    return await asgi.fetch(app, request, env)
