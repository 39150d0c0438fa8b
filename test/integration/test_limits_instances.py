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

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        what = request.url.split("/", 3)[3]
        if what.startswith("hold"):
            print("holds")
            await asyncio.sleep(float(what[4:]))
        return Response.new(what)
"""
ENV = {"CORRAL_TEST_INSTANCES": "1", "CORRAL_TEST_SPARES": "0", "CORRAL_TEST_QUEUE_MS": "2000"}


def running(node):
    """{worker: how many instances}, without those that have none."""
    text = node.api_raw("GET", "/metrics", token=False).text
    found = {name: int(n) for name, n in re.findall(r'^corral_instances\{[^}]*worker="(\w+)"[^}]*\} (\d+)$', text, re.M)}
    return {name: n for name, n in found.items() if n}


def hold(node, worker, seconds, account=None):
    """A request that keeps its instance for so long; it has begun when this returns."""
    since = node.mark()
    thread = threading.Thread(target=node.get, args=(worker, "/hold%s" % seconds), kwargs={"account": account} if account else {})
    thread.start()
    node.wait_log(r"\[%s:inf\] holds" % worker, since=since)
    return thread


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
    # All are at work: who comes waits for the first that is through ...
    holders = [hold(node, "one", 0.5), hold(node, "three", 0.5)]
    assert node.get("two", "/x").text == "x"
    for holder in holders:
        holder.join()
    node.wait_log(r"\[two:wrn\] requests of 'two' wait for others to end: the workers of this account run 2 instances, "
                  r"as many as they may \(limits.account_instances\)")
    assert exceeded(node, "two", "instances") == 1
    # ... and for as long as any request waits, then it gets the error that its users know.
    until("two is idle", lambda: node.get("one", "/x").status == 200 and node.get("two", "/x").status == 200)
    holders = [hold(node, "one", 6), hold(node, "two", 6)]
    answer = node.get("three", "/x")
    assert answer.status == 503 and "1102" in answer.text, answer
    assert node.get("one", "/x").text == "x", "a request of who has an instance goes there"
    for holder in holders:
        holder.join()
    assert node.get("three", "/x").text == "x"


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
    holders = [hold(node, "two", 0.5), hold(node, "theirs", 0.5, "other")]
    assert node.get("one", "/x").text == "x"
    for holder in holders:
        holder.join()
    node.wait_log(r"\[one:wrn\] requests of 'one' wait for others to end: the workers of this node run 2 instances, as many as they may \(limits.node_instances\)")
