"""Bombs: each takes what it can of something that is there for all, and its neighbours keep answering.

One node with small limits, one account that bombs, one that answers meanwhile. Where it is harmless the same bomb is let off on a
node with large limits, to see that it is one."""
import json
import sys
import threading
import time

import pytest

from harness import BIN, PATIENCE, descendants, until
from place import SHOP_SAYS, Place
from plain import TENANT, table
from tiers import BY_NAME
from trials import UNBOXED

pytestmark = pytest.mark.skipif(BIN.name in ("asan", "tsan"), reason="the box is wider under sanitizers")


def bombs():
    """{name: (kind, enough, function)}"""
    table()
    sys.path.insert(0, str(TENANT))
    try:
        import bombs as module
    finally:
        sys.path.remove(str(TENANT))
    return module.BOMBS


BOMBS = bombs()
LIMITS = ["--memory-mb", "64", "--cpu-ms", "400", "--subrequests", "50"]
TIERS = [BY_NAME[name] for name in ("root", "user-no-userns")]
# Two zygotes, a store, four templates, an instance and a spare of each.
MOST_PROCESSES = 20
# A neighbour is asked for this long, at most, on a machine that has other work.
PATIENT_S = 4 * PATIENCE


@pytest.fixture(scope="module", params=TIERS, ids=[tier.name for tier in TIERS])
def place(request):
    tier = request.param
    if tier.can_run():
        pytest.skip(tier.can_run())
    with Place(tier, LIMITS) as place:
        yield place
        assert place.node.is_running(), "the node died of a bomb"


@pytest.fixture(scope="module")
def open_place():
    """Without a box, and with limits that none of the bombs meets."""
    with Place(UNBOXED[True], ["--memory-mb", "2000", "--cpu-ms", "0", "--subrequests", "0", "--allow-fetch", "*"]) as place:
        yield place


def let_off(place, name, timeout=60):
    return place.node.request("tries", "/bomb", "POST", json.dumps({"name": name}).encode(), timeout=timeout)


class Neighbour:
    """Asks the other account's worker until it is told to stop."""

    def __init__(self, place):
        self.place, self.slowest, self.wrong, self.count = place, 0, [], 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.stopped.is_set():
            begun = time.monotonic()
            try:
                text = self.place.node.get("shop", account="other", timeout=PATIENT_S).text
            except OSError as e:
                text = repr(e)
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.count += 1
            if text != SHOP_SAYS:
                self.wrong.append(text[:100])
            self.stopped.wait(0.01)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join(PATIENT_S * 2)


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_a_bomb_hurts_nobody(place, name):
    kind, enough, _ = BOMBS[name]
    if kind == "time" and place.tier is not TIERS[0]:
        pytest.skip("processor time is looked at from outside, in all tiers the same")
    node = place.node
    with Neighbour(place) as neighbour:
        answer = let_off(place, name)
        until("the worker serves again", lambda: node.get("tries", "/top").status == 200)
        until("the neighbour was asked", lambda: neighbour.count > 0)
    assert node.is_running()
    assert neighbour.wrong == [] and neighbour.slowest < PATIENT_S, (neighbour.wrong, neighbour.slowest)
    if enough and answer.status == 200:
        assert (answer.json() or 0) < enough, "%s got %s" % (name, answer.text)
    if kind == "time":
        assert answer.status >= 500, (answer.status, answer.text[:200])
    until("no processes are left", lambda: len(descendants(node.pid)) <= MOST_PROCESSES)


# The others meet limits that are there in every tier: our rlimits, the kernel's, the engine's.
PROVEN = ["arrays_of_script", "forks", "heap", "memory_files", "memory_of_wasm", "pages", "strings_of_script", "subrequests"]


@pytest.mark.parametrize("name", PROVEN)
def test_without_limits_it_is_a_bomb(open_place, name):
    answer, enough = let_off(open_place, name), BOMBS[name][1]
    assert answer.status == 200 and answer.json() >= min(enough, 900), (answer.status, answer.text[:200])
