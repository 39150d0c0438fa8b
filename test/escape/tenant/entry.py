"""The worker that tries: at /run what it is told, in an instance; at /top what top-level code has tried."""
import json
import os

from workers import Response, WorkerEntrypoint

import bypass
import files
import frames
import memory
import network
import processes
import script
import surfaces
from attempt import TABLE, TEMPLATE, run, run_any

try:
    from facts import FACTS, TRY
except ImportError:
    FACTS, TRY = {}, []

OUTCOMES = [run(name, dict(FACTS, stage=TEMPLATE)) for name in TRY]


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/top"):
            return Response.json(OUTCOMES)
        if request.url.endswith("/end"):
            os._exit(0)
        if request.url.endswith("/fingerprint"):
            return Response.json(memory.fingerprint())
        if request.url.endswith("/bomb"):
            import bombs
            return Response.json(await bombs.run(await request.json()))
        told = await request.json()
        return Response.json([await run_any(name, told["facts"]) for name in told["names"]])
