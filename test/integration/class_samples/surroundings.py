"""The environment: of self, imported, of JavaScript's module; what is not there; patched for a test."""
import json
import os

from js import Object
from workers import Response, WorkerEntrypoint, env, import_from_javascript, patch_env

AT_THE_TOP = env.GREETING
module = import_from_javascript("cloudflare:workers")
SETTINGS = {name: getattr(env, name, default) for name, default in (("GREETING", "none"), ("MISSING", "default"))}
os.environ["GREETING"] = str(env.GREETING)


def deep():
    return env.CONFIG.deep.name


class Default(WorkerEntrypoint):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.number = env.NUMBER + 1

    async def fetch(self, request):
        with patch_env(GREETING="patched"):
            patched = [env.GREETING, hasattr(env, "NUMBER")]
        try:
            self.env.NOTHING
        except AttributeError as e:
            missing = "NOTHING" in str(e)
        return Response.json({
            "top": AT_THE_TOP, "settings": SETTINGS, "module": module.env.GREETING, "number": self.number, "flag": self.env.FLAG is True,
            "list": list(self.env.LIST), "deep": deep(), "patched": patched, "after": env.GREETING, "missing": missing,
            "hasattr": hasattr(self.env, "NOTHING"), "getattr": getattr(self.env, "NOTHING", None), "or": getattr(self.env, "NOTHING", "") or "or",
            "keys": sorted(Object.keys(self.env).to_py()), "os": os.getenv("GREETING"), "secret": len(self.env.MY_SECRET_VALUE),
            "config": json.dumps(self.env.CONFIG.to_py()),
        })
