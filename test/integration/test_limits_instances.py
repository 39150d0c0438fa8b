"""How many instances there may be, of an account and of a node: the longest idle one gives way, and who finds none waits."""
import re
import threading

import pytest

from harness import until
from test_limits_table import exceeded

pytestmark = pytest.mark.asan

CODE = """\
import asyncio
from js import Response
from workers import WorkerEntrypoint

gate = None

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        global gate
        what = request.url.split("/", 3)[3]
        if what == "hold":
            gate = asyncio.Event()
            print("holds")
            await gate.wait()
        if what == "open":
            gate.set()
        return Response.new(what)
"""
ENV = {"CORRAL_TEST_INSTANCES": "1", "CORRAL_TEST_SPARES": "0"}


def running(node):
    """{worker: how many instances}, without those that have none."""
    text = node.api_raw("GET", "/metrics", token=False).text
    found = {name: int(n) for name, n in re.findall(r'^corral_instances\{[^}]*worker="(\w+)"[^}]*\} (\d+)$', text, re.M)}
    return {name: n for name, n in found.items() if n}


class Asked:
    """A request that is under way."""

    def __init__(self, node, worker, path, account=None):
        self.node, self.worker, self.account, self.answer = node, worker, account, None
        self.thread = threading.Thread(target=self.ask, args=(path,))
        self.thread.start()

    def ask(self, path):
        self.answer = self.node.get(self.worker, path, account=self.account)

    def text(self):
        self.thread.join()
        return self.answer.text


class Held(Asked):
    """One that keeps its instance until it is let go; it has begun when this returns."""

    def __init__(self, node, worker, account=None):
        since = node.mark()
        super().__init__(node, worker, "/hold", account)
        node.wait_log(r"\[%s:inf\] holds" % worker, since=since)

    def let_go(self):
        assert self.node.get(self.worker, "/open", account=self.account).text == "open"
        assert self.text() == "hold"


def test_the_longest_idle_instance_gives_way_and_who_finds_none_waits(serve):
    node = serve("--account-instances", "2", env=ENV)
    for name in ("one", "two", "three"):
        node.deploy(name, CODE)
    for name in ("one", "two"):
        assert node.get(name, "/x").text == "x"
    assert running(node) == {"one": 1, "two": 1}
    # Nobody is at work: who was idle for longest goes, and no request notices.
    assert node.get("three", "/x").text == "x"
    until("one has gone", lambda: running(node) == {"two": 1, "three": 1})
    assert node.get("one", "/x").text == "x"
    until("two has gone", lambda: running(node) == {"one": 1, "three": 1})
    assert not any(exceeded(node, name, "instances") for name in ("one", "two", "three"))
    # All are at work: who comes waits for the first that is through.
    holders = [Held(node, name) for name in ("one", "three")]
    waits = Asked(node, "two", "/x")
    node.wait_log(r"\[two:wrn\] requests of 'two' wait for others to end: the workers of this account run 2 instances, "
                  r"as many as they may \(limits.account_instances\)")
    assert exceeded(node, "two", "instances") >= 1      # and once more for each second that it has waited
    assert waits.answer is None
    holders[0].let_go()
    assert waits.text() == "x"
    holders[1].let_go()
    assert len([line for line in node.log_lines() if "wait for others to end" in line]) == 1


def test_who_finds_no_instance_waits_as_long_as_any_request(serve):
    """Then it gets the error that its users know."""
    node = serve("--account-instances", "2", env=dict(ENV, CORRAL_TEST_QUEUE_MS="1500"))
    for name in ("one", "two", "three"):
        node.deploy(name, CODE)
    for name in ("one", "two"):
        until("%s is there" % name, lambda: node.get(name, "/x").status == 200)
    holders = [Held(node, name) for name in ("one", "two")]
    answer = node.get("three", "/x")
    assert answer.status == 503 and "1102" in answer.text, answer
    assert node.get("one", "/x").text == "x", "a request of who has an instance goes there"
    for holder in holders:
        holder.let_go()
    until("three finds a place", lambda: node.get("three", "/x").text == "x")


def test_a_node_has_a_limit_for_all_accounts(serve, tmp_path):
    node = serve("--node-instances", "2", env=ENV)
    node.add_account("other")
    node.deploy("one", CODE)
    node.deploy("two", CODE)
    node.deploy("theirs", CODE, account="other")
    for name in ("one", "two"):
        assert node.get(name, "/x").text == "x"
    assert node.get("theirs", "/x", account="other").text == "x"
    until("one has gone", lambda: running(node) == {"two": 1, "theirs": 1})
    holders = [Held(node, "two"), Held(node, "theirs", "other")]
    waits = Asked(node, "one", "/x")
    node.wait_log(r"\[one:wrn\] requests of 'one' wait for others to end: the workers of this node run 2 instances, as many as they may \(limits.node_instances\)")
    assert waits.answer is None
    for holder in holders:
        holder.let_go()
    assert waits.text() == "x"
