"""Requests on the threads that run_sync leaves behind: nothing of Python, nor of other requests, is different there."""
import threading

import pytest

from harness import WRANGLER, lab_code, until

pytestmark = pytest.mark.asan

# x-code: as of harness.LAB, but the handler is a plain function; x-wait: it waits until that gate is opened.
ENTRY = """\
import asyncio, base64, contextvars, decimal, gc, json, threading, time, traceback
import js
from js import Response
from pyodide.ffi import can_run_sync, create_proxy, run_sync, to_js

gates, kept = {}, {}
variable = contextvars.ContextVar("variable", default="default")
variable.set("of the module")
decimal.getcontext().prec = 50


def gate(name):
    return gates.setdefault(name, asyncio.get_running_loop().create_future())


def on_fetch(request):
    if request.headers.get("x-wait"):
        return Response.new(str(run_sync(gate(request.headers.get("x-wait")))))
    scope = dict(globals())
    exec(compile(base64.b64decode(request.headers.get("x-code")).decode().removeprefix("async "), "lab.py", "exec"), scope)
    try:
        return Response.new(json.dumps({"value": scope["handle"](request, None, None)}))
    except BaseException as e:
        return Response.new(json.dumps({"error": type(e).__name__, "text": str(e)}))
"""


class Strands:
    """A worker with one instance; while `several` is entered its loop runs on threads other than the first."""

    def __init__(self, one):
        self.one = one
        self.value = one.value

    def __enter__(self):
        self.waiting = [threading.Thread(target=self.one.get, args=("/", {"x-wait": "g%d" % n})) for n in range(3)]
        for thread in self.waiting:
            thread.start()
        until("three wait", lambda: self.value("return len(gates)") == 3)

    def __exit__(self, *_):
        self.value("for g in gates.values(): g.set_result(None)\ngates.clear()")
        for thread in self.waiting:
            thread.join()


@pytest.fixture(scope="module")
def strands(shared_corral):
    return Strands(shared_corral({"src/entry.py": ENTRY, "wrangler.toml": WRANGLER.format(name="strands")},
                                 env={"CORRAL_TEST_INSTANCES": "1"}))


def everywhere(strands, code):
    """What the code comes to on the first thread and on others, twice each."""
    found = [strands.value(code), strands.value(code)]
    with strands:
        found += [strands.value(code), strands.value(code)]
    return found


def test_the_context_of_the_module_is_everywhere_that_of_a_request_nowhere_else(strands):
    assert everywhere(strands, """
        was = variable.get(), decimal.getcontext().prec
        variable.set("of a request")
        decimal.setcontext(decimal.Context(prec=5))
        run_sync(asyncio.sleep(0))
        return [*was, variable.get(), decimal.getcontext().prec]
    """) == 4 * [["of the module", 50, "of a request", 5]]
