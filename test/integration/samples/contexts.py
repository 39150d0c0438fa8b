"""State per request, per instance, and the logging module with both."""
import asyncio
import contextvars
import json
import logging
import sys
from dataclasses import asdict, dataclass, field
from typing import Any, Optional

from js import Response

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")


class WithId(logging.Filter):
    def filter(self, record):
        record.request_id = request_id.get()
        return True


logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s [%(request_id)s] %(message)s")
logging.getLogger().handlers[0].addFilter(WithId())
log = logging.getLogger(__name__)
cache: dict[str, int] = {}


@dataclass
class Answer:
    id: str
    inner: str
    hits: int
    extra: Optional[dict[str, Any]] = field(default_factory=dict)


async def inner():
    await asyncio.sleep(0.01)
    log.info("working")
    return request_id.get()


async def on_fetch(request, env):
    rid = request.headers.get("x-request-id") or "none"
    request_id.set(rid)
    cache["hits"] = cache.get("hits", 0) + 1
    first, second = await asyncio.gather(inner(), asyncio.create_task(inner()))
    assert first == second == request_id.get() == rid
    return Response.new(json.dumps(asdict(Answer(rid, first, cache["hits"]))))
