"""FastAPI: models, dependencies on the environment, errors, background work, a stream."""
import asyncio

import asgi
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BaseModel, Field
from workers import WorkerEntrypoint

app = FastAPI(title="Orders")
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
noted = []


class Order(BaseModel):
    item: str
    count: int = Field(1, ge=1)
    note: str | None = None


def environment(request: Request):
    return request.scope["env"]


@app.middleware("http")
async def stamp(request: Request, call_next):
    answer = await call_next(request)
    answer.headers["x-stamped"] = request.method
    return answer


@app.get("/", response_class=HTMLResponse)
async def home(env=Depends(environment)):
    return f"<h1>{env.GREETING}</h1>"


@app.post("/orders", status_code=201)
async def create(order: Order, tasks: BackgroundTasks):
    async def note():
        await asyncio.sleep(0.001)
        noted.append(order.item)
    tasks.add_task(note)
    return order


@app.get("/orders/{number}")
async def show(number: int, request: Request, verbose: bool = False):
    if number > 9:
        raise HTTPException(404, "no such order")
    return {"number": number, "verbose": verbose, "noted": noted, "client": request.client.host}


@app.post("/raw")
async def raw(request: Request):
    return {"size": len(await request.body()), "form": dict(await request.form())}


@app.get("/lines")
async def lines():
    async def each():
        for n in range(3):
            yield f"line {n}\n"
            await asyncio.sleep(0.001)
    return StreamingResponse(each(), media_type="text/plain")


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(app, request.js_object, self.env)
