"""A deploy while the node's own processes die: tried again, and in the end 503, never an error of the uploaded code."""
import os
import re
import signal
import threading

import pytest

from chaos import ABOUT, HELLO, SCRIPTS, tasks_of
from harness import until

pytestmark = pytest.mark.asan

# It takes its time, so that who kills it finds it at work; and one that is never through before it is found.
SLOW = "import time\ntime.sleep(0.5)\n" + HELLO
ENDLESS = "import time\ntime.sleep(100)\n" + HELLO
CRASH = "import ctypes\nctypes.string_at(0)\n" + HELLO


class Killer:
    """Ends processes of these kinds below a node whenever there are any, at most so many."""

    def __init__(self, node, *kinds, most=10**6):
        self.node, self.kinds, self.most, self.ended = node, kinds, most, []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._stop.wait(0.01):
            for kind, pid in tasks_of(self.node):
                if kind in self.kinds and pid not in self.ended and len(self.ended) < self.most:
                    self.ended.append(pid)
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def refused(said):
    """It is the node's failure, in Cloudflare's envelope, for people."""
    assert said.status == 503 and said.codes == [10013], (said.status, said.errors)
    assert "no fault of the code" in said.text and "deploy again in a moment" in said.text, said.text
    assert "10021" not in said.text and "Traceback" not in said.text


def test_deploys_while_processes_of_the_node_die(serve):
    node = serve("--access-log", "off", "--startup-ms", "200000")
    node.deploy("hello", HELLO % 0, ABOUT)
    instance = until("it answers", lambda: node.get("hello"))
    assert instance.text == "hello 0"

    # One of each kind, in the middle of the work: nobody hears of it.
    for kind in ("zygote", "template"):
        until("a zygote", lambda: node.zygotes())
        known = {pid for _, pid in tasks_of(node)}
        with Killer(node, kind, most=1) as killer:
            if kind == "template":
                killer.ended.extend(known)      # that of the version before has nothing to do with it
                killer.most = len(killer.ended) + 1
            said = node.upload("hello", SLOW % (1 if kind == "zygote" else 2), ABOUT)
            assert said.success, (kind, said.status, said.errors)
            until("it has been found", lambda: len(killer.ended) == killer.most)    # at the latest where it serves
    until("the last version goes on", lambda: node.get("hello").text == "hello 2")

    # Again and again: the node gives up, and says whose fault it is.
    for kinds in (("zygote",), ("template",)):
        with Killer(node, *kinds) as killer:
            refused(node.upload("hello", ENDLESS % 3, ABOUT))
        assert len(killer.ended) >= 3
    until("the version before goes on", lambda: node.get("hello").text == "hello 2")
    assert [w["id"] for w in node.result("GET", SCRIPTS)] == ["hello"]
    node.wait_log("an upload of 'hello' is refused, for no fault of its own")

    # What the code does itself is its own fault.
    said = node.upload("hello", CRASH % 4, ABOUT)
    assert said.status == 400 and said.codes == [10021], (said.status, said.errors)
    # AddressSanitizer sees to SIGSEGV itself.
    assert re.search("the process that loads 'hello' ended 3 times in a row: the last one (was ended by SIGSEGV|ended with status 1)$", said.text)
    node.deploy("hello", HELLO % 5, ABOUT)
    until("it answers", lambda: node.get("hello").text == "hello 5")
