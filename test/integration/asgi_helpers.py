"""What test_workers_asgi.py and test_workers_wsgi.py send to the lab before their applications."""
import textwrap

PRELUDE = """\
import logging
from js import Request
from workers import asgi, wsgi

LIFESPAN = {"lifespan.startup": "lifespan.startup.complete", "lifespan.shutdown": "lifespan.shutdown.complete"}

def same(got, wanted):
    if got != wanted or type(got) is not type(wanted):
        raise AssertionError(f"{got!r} is not {wanted!r}")

async def raises(kind, says, awaitable):
    try:
        came = await asyncio.wait_for(awaitable, 20)
    except kind as e:
        if says not in str(e):
            raise AssertionError(f"{e!r} does not say {says!r}")
        return e
    raise AssertionError(f"no {kind}, but {came!r}")

def http(function):
    '''An ASGI application without lifespan.'''
    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise ValueError(f"can only handle http, not {scope['type']}")
        await function(scope, receive, send)
    return app

def start(status=200, headers=()):
    return {"type": "http.response.start", "status": status, "headers": list(headers)}

def body(data=b"", more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}

async def ask(app, *args, **more):
    return await asyncio.wait_for(asgi.fetch(app, Request.new(*(args or ("http://a/",)), **more), env, ctx), 20)

class Records(logging.Handler):
    def __init__(self, name):
        super().__init__()
        self.logger, self.texts = logging.getLogger(name), []
        self.logger.addHandler(self)
        self.logger.setLevel(logging.DEBUG)
        self.logger.propagate = False
    def emit(self, record):
        self.texts.append(self.format(record))
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.logger.removeHandler(self)
        self.logger.propagate = True

"""


def run(lab, code, **more):
    assert lab.value(PRELUDE + textwrap.dedent(code) + "\nreturn True", **more) is True
