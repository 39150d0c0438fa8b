"""logging set up by top-level code, a logger of each module, JSON lines, the console, print."""
import json
import logging

from js import console
from workers import Response, WorkerEntrypoint


class JsonLines(logging.Formatter):
    def format(self, record):
        line = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["error"] = repr(record.exc_info[1])
        return json.dumps(line)


logger = logging.getLogger("talkative")
handler = logging.StreamHandler()
handler.setFormatter(JsonLines())
logger.addHandler(handler)
logger.setLevel(logging.INFO)
logger.propagate = False


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        logger.debug("nobody sees this")
        logger.info("asked for %s with %d headers", request.url.rsplit("/", 1)[1], len(request.headers))
        try:
            1 / 0
        except ZeroDivisionError:
            logger.exception("sums")
        console.log("from the console", 1, True)
        console.warn("a warning of %s", "mine")
        print("printed", {"a": 1}, sep=": ")
        print(json.dumps(dict(request.headers)), flush=True)
        return Response("logged")
