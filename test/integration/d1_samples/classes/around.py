"""The binding found in all the ways that people find it."""
import contextvars

from workers import Response, WorkerEntrypoint

current = contextvars.ContextVar("db")
WORKER_ENV = None


def has(env, name):
    return hasattr(env, name) and bool(getattr(env, name))


async def deep_inside():
    return await current.get().prepare("SELECT 'deep' AS a").first("a")


async def by_global():
    return (await WORKER_ENV.DB.prepare("SELECT 'global' AS a").first()).a


class Default(WorkerEntrypoint):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.db = env.DB
        self.statement = env.DB.prepare("SELECT ? AS a")

    async def fetch(self, request, env):
        global WORKER_ENV
        WORKER_ENV = env
        current.set(self.env.DB)
        name = "DB"
        return Response.json([
            await deep_inside(), await by_global(), await self.statement.bind("kept").first("a"), await self.db.prepare("SELECT 'own' AS a").first("a"),
            await getattr(self.env, name).prepare("SELECT 'by name' AS a").first("a"), has(env, "DB"), has(env, "NOPE"), getattr(self.env, "NOPE", None),
            bool(self.env.DB)])
