import json

import js
from js import Object, Response


async def on_fetch(request, env):
    out = {
        "string": env.GREETING,
        "number": env.NUMBER + 1,
        "bool": env.FLAG,
        "item": env["GREETING"],
        "object": env.CONFIG.deep.name,
        "to_py": env.CONFIG.to_py(),
        "list": [x for x in env.LIST],
        "secret": len(env.MY_SECRET_VALUE),
        "getattr": getattr(env, "MISSING", None),
        "hasattr": [hasattr(env, "GREETING"), hasattr(env, "MISSING")],
        "in": ["GREETING" in Object.keys(env).to_py(), "GREETING" in env],
        "keys": sorted(Object.keys(env)),
        "json": json.loads(js.JSON.stringify(env)),
    }
    return Response.new(json.dumps(out))
