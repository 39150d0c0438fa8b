"""D1 when processes die: what was acknowledged is there, nothing is there by half.

Writers insert pairs of rows, a pair in one batch, while the store, an instance or the whole node is killed at
random moments (after a random number of acknowledgements, so that no moment is tied to a clock).
"""
import http.client
import os
import random
import signal
import sqlite3
import threading

import pytest

from conftest import finish, start
from harness import BIN, DEADLINE, until, write_project

ROUNDS = 30 if BIN.name == "asan" else 100
WRITERS = 6

CONFIG = """
name = "ledger"
main = "src/entry.py"
compatibility_date = "2024-03-29"
compatibility_flags = ["python_workers"]

[[d1_databases]]
binding = "DB"
database_name = "ledger"
"""

WORKER = """
from js import Response
from pyodide.ffi import to_js

CREATE = "CREATE TABLE IF NOT EXISTS pairs (key INTEGER, half INTEGER, filler TEXT, PRIMARY KEY (key, half))"

async def on_fetch(request, env):
    what, _, key = request.url.rpartition("/")[2].partition("?")
    if what == "create":
        await env.DB.prepare(CREATE).run()
    elif what == "add":
        one = env.DB.prepare("INSERT INTO pairs VALUES (?1, ?2, ?3)")
        await env.DB.batch(to_js([one.bind(int(key), 1, "x" * (int(key) % 3000)), one.bind(int(key), 2, "y")]))
        return Response.new("added " + key)
    elif what == "keys":
        rows = await env.DB.prepare("SELECT key, count(*) AS halves FROM pairs GROUP BY key").raw()
        return Response.json(rows)
    return Response.new("ok")
"""


class Writers:
    """Threads that insert, each pair with a key of its own, until stopped; they outlive nodes."""

    def __init__(self, served):
        self.served = served
        self.acknowledged, self.tried = set(), 0
        self.strange = []
        self.changed = threading.Condition()
        self.is_over = False
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.is_over:
            with self.changed:
                self.tried += 1
                key = self.tried
            served = self.served
            try:
                answer = served.request("POST", "/add?%d" % key)
            except Exception:  # the node is gone: a new one comes, then go on
                with self.changed:
                    self.changed.wait(0.05)
                continue
            with self.changed:
                if (answer.status, answer.text) == (200, "added %d" % key):
                    self.acknowledged.add(key)
                elif answer.status not in (500, 502, 503) and self.served is served:    # a port of before may be another program's
                    self.strange.append((answer.status, answer.text))
                self.changed.notify_all()

    def wait_for_more(self, count):
        """Until so many more are acknowledged."""
        with self.changed:
            want = len(self.acknowledged) + count
            assert self.changed.wait_for(lambda: len(self.acknowledged) >= want, 3 * DEADLINE), self.served.log_text()[-3000:]

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


def keys_of(served):
    def ask():
        try:
            answer = served.get("/keys")
        except (OSError, http.client.HTTPException):
            return None
        return answer.json() if answer.status == 200 else None
    return dict(until("the database answers again", ask))


def kill(what, served, folder, restart):
    """SIGKILL for one of the store's processes, instances, or the node; the Corral that serves from now on."""
    if what == "node":
        os.kill(served.pid, signal.SIGKILL)
        return restart(served)
    victims = served.stores() if what == "store" else served.instances()
    for process in victims[:1]:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return served


def test_how_dev_syncs(corral):
    """--d1-sync reaches the process that has the database."""
    files = {"wrangler.toml": CONFIG, "src/entry.py": WORKER}
    for flags, how in (((), "normal"), (("--d1-sync", "full"), "full"), (("--d1-sync=normal",), "normal")):
        served = corral(files, *flags)
        assert served.get("/create").status == 200
        (store,) = served.stores()
        arguments = open("/proc/%d/cmdline" % store.pid).read().split("\0")
        assert "--sync=" + how in arguments
    refused = corral(files, "--d1-sync", "extra", ready=False)
    assert refused.wait_exit() == 2
    refused.wait_log("--d1-sync is full or normal, not 'extra'")


@pytest.mark.long
@pytest.mark.asan
def test_a_hundred_kills(tmp_path):
    folder = write_project(tmp_path / "ledger", {"wrangler.toml": CONFIG, "src/entry.py": WORKER})
    chance = random.Random(20261122)
    served = start(folder, None)
    assert served.get("/create").status == 200
    writers = Writers(served)

    def restart(old):
        old.wait_exit()
        new = start(folder, None)
        writers.served = new
        finish(old)
        return new

    counts = {"store": 0, "instance": 0, "node": 0}
    try:
        for n in range(ROUNDS):
            writers.wait_for_more(chance.randrange(1, 40))
            what = chance.choices(("store", "instance", "node"), (5, 3, 2))[0]
            served = kill(what, served, folder, restart)
            counts[what] += 1
            with writers.changed:
                promised = set(writers.acknowledged)
            found = keys_of(served)
            assert promised <= set(found), (n, what, sorted(promised - set(found))[:10])
            assert set(found.values()) <= {2}, (n, what)
    finally:
        writers.stop()
        finish(served)
    assert not writers.strange, writers.strange[:3]
    assert min(counts.values()) > 0, counts
    with sqlite3.connect(folder / ".corral/state/d1/ledger/db.sqlite") as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept = dict(db.execute("SELECT key, count(*) FROM pairs GROUP BY key"))
    db.close()
    assert writers.acknowledged <= set(kept) and set(kept.values()) == {2}
    print("%d acknowledged of %d tried; killed: %r" % (len(writers.acknowledged), writers.tried, counts))
