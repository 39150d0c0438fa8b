"""Quotas: requests per day of accounts and workers, error 1027, counters that survive restarts."""
import time

import pytest

from harness import until

DAY_S = 24 * 3600


HELLO = """\
from js import Response

async def on_fetch(request, env):
    if "/fail" in request.url:
        raise ValueError("no luck")
    return Response.new("hello")
"""
FLAGS = {"compatibility_flags": ["python_workers", "disable_python_no_global_handlers"]}


def statuses(node, worker, count, path="/", **more):
    return [node.request(worker, path, **more).status for _ in range(count)]


def today(node, worker=None, **more):
    where = "workers/scripts/%s/quota" % worker if worker else "corral/quota"
    return node.result("GET", "/accounts/$ACC/" + where, **more)["today"]


@pytest.fixture(autouse=True)
def one_day():
    """No test has midnight (UTC) in it."""
    left = DAY_S - time.time() % DAY_S
    if left < 60:
        time.sleep(left)


def test_no_limit_by_itself(serve):
    node = serve()
    node.deploy("hello", HELLO, FLAGS)
    assert set(statuses(node, "hello", 12)) == {200}
    assert node.request("hello", "/fail").status == 500
    until(lambda: "counted: %r" % today(node, "hello"), lambda: [today(node, "hello")[what] for what in ("requests", "errors")] == [13, 1])
    assert [today(node)[what] for what in ("requests", "errors")] == [13, 1]
    assert node.stop() == 0


@pytest.mark.asan
def test_a_node_s_default_and_its_page(serve):
    node = serve("--requests-per-day", "5")
    for name in ("one", "two"):
        node.deploy(name, HELLO, FLAGS)
    node.add_account("other")
    node.deploy("one", HELLO, FLAGS, account="other")
    # All workers of an account together.
    assert statuses(node, "one", 3) == [200] * 3 and statuses(node, "two", 2) == [200] * 2
    for name in ("one", "two"):
        answer = node.request(name)
        assert answer.status == 429 and "1027" in answer.text
        assert 0 < int(answer.headers["Retry-After"]) <= DAY_S + 1
    assert node.request("one", headers={"Accept": "text/html"}).status == 429
    # Nobody else's.
    assert statuses(node, "one", 5, account="other") == [200] * 5
    assert node.request("one", account="other").status == 429
    until("the access log has all four", lambda: [line["worker"] for line in node.access_log() if line["status"] == 429] ==
          ["one", "two", "one", "one"])
    # An account of its own quota: 0 is none.
    assert node.result("PUT", "/accounts/$ACC/corral/quota", {"requests_per_day": 7})["requests_per_day"] == 7
    assert statuses(node, "two", 3) == [200, 200, 429]
    node.result("PUT", "/accounts/$ACC/corral/quota", {"requests_per_day": 0})
    assert statuses(node, "two", 3) == [200] * 3
    # A worker's own comes on top.
    node.result("PUT", "/accounts/$ACC/workers/scripts/one/quota", {"requests_per_day": 4})
    assert statuses(node, "one", 2) == [200, 429] and node.request("two").status == 200
    node.result("PUT", "/accounts/$ACC/workers/scripts/one/quota", {"requests_per_day": None})
    assert node.request("one").status == 200
    assert node.stop() == 0


@pytest.mark.asan
def test_counters_survive(serve):
    node = serve("--requests-per-day", "6")
    node.deploy("hello", HELLO, FLAGS)
    assert statuses(node, "hello", 3) == [200] * 3
    assert node.stop() == 0                 # at the end
    again = serve("--requests-per-day", "6", data=node.data)
    assert today(again, "hello")["requests"] == 3
    assert statuses(again, "hello", 2) == [200] * 2
    until("they are in the catalog", lambda: today(again, "hello")["requests"] == 5)
    again.kill()                            # about once a second
    third = serve("--requests-per-day", "6", data=node.data)
    assert statuses(third, "hello", 2) == [200, 429]
    third.kill()
    # The next day.
    fourth = serve("--requests-per-day", "6", data=node.data, env={"CORRAL_TEST_CLOCK_AHEAD_S": str(DAY_S)})
    assert statuses(fourth, "hello", 7) == [200] * 6 + [429]
    assert fourth.stop() == 0


def test_a_new_day_while_it_runs(serve):
    # A day takes a second and a half.
    node = serve("--requests-per-day", "1", env={"CORRAL_TEST_CLOCK_SPEED": "60000"})
    node.deploy("hello", HELLO, FLAGS)
    until("it is used up", lambda: node.request("hello").status == 429)
    until("a new day has begun", lambda: node.request("hello").status == 200)
    assert node.stop() == 0


def test_a_deleted_worker_counts_for_its_account(serve):
    node = serve("--requests-per-day", "4")
    node.deploy("gone", HELLO, FLAGS)
    assert statuses(node, "gone", 3) == [200] * 3
    assert node.api("DELETE", "/accounts/$ACC/workers/scripts/gone").success
    node.deploy("gone", HELLO, FLAGS)
    assert statuses(node, "gone", 2) == [200, 429]
    assert node.stop() == 0
    again = serve("--requests-per-day", "4", data=node.data)
    assert again.request("gone").status == 429


def test_processor_time(serve):
    node = serve("--cpu-ms", "2000")
    spin = """\
import time
from js import Response

async def on_fetch(request, env):
    end = time.process_time() + float(request.url.split("=")[1])
    while time.process_time() < end:
        pass
    return Response.new("spun")
"""
    node.deploy("node", spin, FLAGS)
    node.deploy("own", spin, dict(FLAGS, limits={"cpu_ms": 200}))
    assert node.request("node", "/?s=0.3").text == "spun"
    answer = node.request("own", "/?s=1.5")        # the upload's own is smaller
    assert answer.status == 503 and "1102" in answer.text
    node.result("PUT", "/accounts/$ACC/workers/scripts/node/quota", {"cpu_ms": 200})
    answer = node.request("node", "/?s=1.5")
    assert answer.status == 503 and "1102" in answer.text
    assert node.request("node", "/?s=0.001").text == "spun"
