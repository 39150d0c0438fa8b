"""Processes of a node die while it is asked; then the node itself.  bench/chaos does the same for minutes."""
import threading
import time

import pytest

from chaos import ABOUT, HELLO, Chaos, restart
from harness import DEADLINE, PATIENCE, orphans, until
from serve import Serve

pytestmark = [pytest.mark.apart, pytest.mark.long]

SECONDS = 15


def test_any_process_may_die_at_any_time(serve):
    """Every request has an answer, and what was acknowledged is there."""
    node = serve("--access-log", "off", env={"CORRAL_TEST_CLOCK_SPEED": "30", "CORRAL_TEST_STUCK_MS": str(3000 * PATIENCE),
                                             "CORRAL_TEST_IDLE_MS": "3000"})
    with Chaos(node, seed=20) as chaos:
        chaos.run(SECONDS)
        # On a machine that has little left it takes longer until this shows something.
        until(lambda: "enough is asked and killed: " + chaos.report(),
              lambda: (sum(chaos.killed.values()) > 20 and chaos.total("200") > 200) or chaos.run(1), 10 * DEADLINE)
    print(chaos.report())
    assert not chaos.wrong, chaos.report()
    chaos.settle()
    assert not chaos.stored() and not chaos.leaks()
    until(lambda: "no process is left behind: %r" % orphans({node.pid}), lambda: not orphans({node.pid}))
    assert chaos.slope() < 8192 * PATIENCE, chaos.report()


def test_a_node_that_is_killed_serves_again(serve, tmp_path):
    """Its processes end with it, nothing acknowledged is lost, and the first answer is soon there."""
    node = serve("--access-log", "off")
    chaos, took, fresh = Chaos(node, seed=21, stops=False), [], []
    chaos.prepare()
    try:
        for _ in range(3):
            chaos._stop = threading.Event()
            threads = [threading.Thread(target=chaos._loop(client), daemon=True)
                       for client in (chaos._hello, chaos._insert, chaos._put)]
            for thread in threads:
                thread.start()
            until("some rows are in", lambda count=len(chaos.inserted): len(chaos.inserted) > count + 5)
            node.process.kill()
            chaos._stop.set()
            for thread in threads:
                thread.join(90 * PATIENCE)
                assert not thread.is_alive(), "a client still waits"
            seconds, node, left = restart(Serve, node, "--access-log", "off")
            took.append(seconds)
            chaos.node = node
            until("they die with it", lambda: not orphans({node.pid}))
            assert not chaos.stored()
            fresh.append(first_deploy(serve))
    finally:
        node.close()
    # Two engines start in it, and in a fresh node's first deploy: on a machine that does nothing else both take half a second.
    assert any(one < max(1, 1.5 * other) for one, other in zip(took, fresh)), (took, fresh)


def first_deploy(serve):
    """How long a fresh node takes for it, just now."""
    begun = time.monotonic()
    other = serve("--access-log", "off")
    assert other.get("nobody").status == 404
    other.deploy("hello", HELLO % 0, ABOUT)
    took = time.monotonic() - begun
    other.close()
    return took
