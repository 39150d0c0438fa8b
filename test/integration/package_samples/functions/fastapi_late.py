"""One that is made with the first request, and raises."""
app = None


def get_app():
    from fastapi import FastAPI, HTTPException

    app = FastAPI()

    @app.get("/")
    async def root():
        return {"late": True}

    @app.get("/no")
    async def no():
        raise HTTPException(418, detail="a teapot")

    return app


async def on_fetch(request, env, ctx):
    global app
    from asgi import fetch
    app = app or get_app()
    return await fetch(app, request, env, ctx)
