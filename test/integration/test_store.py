"""corral-store by itself: calls at the same time, groups of writes, order, cancelling, limits, its end."""
import os
import random
import re
import shutil
import sqlite3
import struct
import subprocess
import time

import pytest

from harness import BIN, PATIENCE
from store_client import (BODY, COLUMNS, DONE, END, OUTCALL, PING, PROGRESS, ROWS, WINDOW, Store, span,
                          statements)

pytestmark = pytest.mark.asan

CPU = "D1 DB exceeded its CPU time limit and was reset."
STORAGE = "D1 DB storage operation exceeded timeout which caused object to be reset."
# A statement that takes a while, and one that takes for ever.
COUNT = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < %d) SELECT max(x) FROM n"
FOREVER = COUNT % 10**12
SLOW_WRITE = ("INSERT INTO t(v) WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < %d) "
              "SELECT 'slow' FROM n WHERE x %% 10000 = 0")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path) as one:
        one.run("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT UNIQUE)")
        one.run("CREATE TABLE log(v)")
        yield one


def count(store, table="t", where="1"):
    return store.run("SELECT count(*) FROM %s WHERE %s" % (table, where)).rows[0][0]


def plainly(path, sql):
    """What SQLite itself says of the file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def is_locked(path):
    """Somebody writes."""
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as e:
        return "locked" in str(e)
    finally:
        connection.close()
    return False


def integrity(path):
    return plainly(path, "PRAGMA integrity_check")


class HeldWriter:
    """The writer is busy until it is let go: what is sent meanwhile becomes one group.  Nothing is written by it."""

    def __init__(self, store, sql="INSERT INTO log(v) " + FOREVER):
        self.store, self.call = store, store.query(sql)
        store.flush()

    def let_go(self):
        assert not self.call.is_over
        self.store.cancel(self.call)
        self.store.flush()


# ---- calls ----
def test_values_and_records(store):
    values = [None, -(2**63), 2**63 - 1, 0.5, "日本\0語", b"\0\1\xff", ""]
    call = store.run(("SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7", *values))
    assert call.rows == [tuple(values)]
    assert [kind for kind, _ in call.records] == [COLUMNS, ROWS, DONE, 4]
    results = store.run(("INSERT INTO t(v) VALUES (?)", "a"), "SELECT id, v FROM t").results_of
    assert results[0][2].changes == 1 and results[1][:2] == (["id", "v"], [(1, "a")])
    assert results[0][2].changed_db == 1 and results[1][2].size_after >= 8192


def test_errors_name_the_statement(store):
    assert store.run("SELECT * FROM nope").error == (0, 0, "no such table: nope: SQLITE_ERROR", "")
    assert store.run("SELECT 1", "SELECT 1", "SELECT nope").error[:3] == (2, 0, "no such column: nope at offset 7: SQLITE_ERROR")
    error = store.run(("INSERT INTO t(v) VALUES (?)", "a"), ("INSERT INTO t(v) VALUES (?)", "a")).error
    assert error.statement == 1 and "UNIQUE constraint failed: t.v: SQLITE_CONSTRAINT" in error.text
    assert count(store) == 0, "a batch is all or nothing"
    # what a worker may send instead of a call
    for body in (b"", b"\xff\xff\xff\xff", statements("SELECT 1") + b"x", statements("SELECT 1")[:-3]):
        call = store.start("query", body).wait()
        assert call.error.statement == 2**32 - 1 and call.error.text, body
    assert store.start("nothing", b"").wait().reset == "a database has no method 'nothing'"
    assert store.run("SELECT 1").rows == [(1,)]


def test_reads_of_one_call_see_one_state(store):
    slow = store.query("SELECT count(*) FROM t", COUNT % (2000000 // PATIENCE), "SELECT count(*) FROM t")
    store.until(lambda: store.ping() is not None)
    assert store.run(("INSERT INTO t(v) VALUES (?)", "between")).error is None
    assert not slow.is_over
    results = slow.wait().results_of
    assert results[0][1] == results[2][1] == [(0,)]
    assert count(store) == 1


def test_bookmarks(store):
    first = store.run("INSERT INTO t(v) VALUES ('a')").bookmark
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}", first)
    assert store.run("SELECT 1").bookmark == first
    second = store.run("INSERT INTO t(v) VALUES ('b')", bookmark=first).bookmark
    assert second > first
    for constraint in ("first-unconstrained", "first-primary", second):
        assert store.run("SELECT count(*) FROM t", bookmark=constraint).rows == [(2,)]
    assert store.run("SELECT 1", bookmark="nonsense").error.text == "D1_SESSION_ERROR: invalid bookmark or constraint"


def test_bookmarks_while_the_wal_begins_anew(store):
    """Many threads ask where the last commit stands, while the writer begins its file again and again."""
    wrong, seen = [], ""
    for n in range(12):
        calls = [store.query("SELECT 1") for _ in range(20)]
        calls += [store.query(COUNT % 20000) for _ in range(4)]
        calls += [store.query(("INSERT INTO log VALUES (?)", "x" * 1900000)) for _ in range(4)]
        last = calls[-1].wait().bookmark
        assert last > seen
        seen = last
        for call in calls:
            wrong += [call.error] if call.wait().error else []
    assert not wrong


def rss(store):
    """Bytes of memory that the process has for itself."""
    with open("/proc/%d/statm" % store.process.pid) as f:
        _, resident, shared, *_ = map(int, f.read().split())
    return (resident - shared) * os.sysconf("SC_PAGESIZE")


@pytest.mark.skipif(BIN.name in ("asan", "tsan"), reason="a sanitizer keeps what is freed")
def test_memory_goes_back_after_a_hungry_query(store):
    before = rss(store)
    for _ in range(2):
        eat(store, before)
        store.until(lambda: rss(store) < before + 25e6)


def eat(store, before):
    hungry = store.query("SELECT max(y) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE "
                         "x < 60000) SELECT hex(zeroblob(500)) || x AS y FROM n ORDER BY y)")
    most = 0
    while not hungry.is_over:
        store.turn(0.01)
        most = max(most, rss(store))
    assert hungry.error is None and most > before + 40e6


def test_info(store):
    info = store.start("info").wait()
    assert int(info.results["size"]) >= 12288 and info.results["tables"] == "2"
    assert info.results["bookmark"] == store.run("SELECT 1").bookmark


def test_long_calls_and_results(store):
    text = "x" * 1900000
    assert store.run(*[("INSERT INTO log(v) VALUES (?)", text)] * 5).error is None
    call = store.run("SELECT v FROM log")
    assert call.rows == [(text,)] * 5
    rows = store.run("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100000) "
                     "SELECT x, 'row ' || x FROM n").rows
    assert len(rows) == 100000 and rows[-1] == (100000, "row 100000")


# ---- at the same time ----
def test_slow_reads_do_not_hold_up_others(store):
    slow = [store.query(COUNT % (1500000 // PATIENCE + i)) for i in range(4)]
    fast = []
    for i in range(32):
        fast.append(store.query("SELECT %d" % i))
        fast.append(store.query(("INSERT INTO t(v) VALUES (?)", str(i))))
    for call in fast:
        assert call.wait().error is None
    assert not any(call.is_over for call in slow)
    assert store.ping() < 1 * PATIENCE
    assert count(store) == 32
    for i, call in enumerate(slow):
        assert call.wait().rows == [(1500000 // PATIENCE + i,)]


def test_more_slow_reads_than_threads(store):
    slow = [store.query(COUNT % (150000 // PATIENCE + i)) for i in range(32)]
    store.flush()
    for _ in range(5):
        assert store.ping() < 1 * PATIENCE
    writes = [store.query(("INSERT INTO t(v) VALUES (?)", str(i))) for i in range(8)]
    for i, call in enumerate(slow):
        assert call.wait().rows == [(150000 // PATIENCE + i,)]
    for call in writes:
        assert call.wait().error is None
    assert count(store) == 8


def test_a_leader_that_is_stuck(store):
    """What takes long to compile looks at no watch: somebody else answers meanwhile."""
    links = 1500 if PATIENCE == 1 else 300
    chain = ", ".join("c%d AS (SELECT * FROM c%d)" % (i, i - 1) for i in range(1, links))
    for n in range(2):
        stuck = "WITH c0 AS (SELECT %d), %s SELECT * FROM c%d" % (n, chain, links - 1)
        calls = [store.query(stuck), store.query("INSERT INTO log " + stuck)]
        store.flush()
        others = [store.query("SELECT %d" % i) for i in range(20)]
        for i, call in enumerate(others):
            assert call.wait().rows == [(i,)]
        assert store.ping() < 1 * PATIENCE and (PATIENCE > 1 or not any(call.is_over for call in calls))
        for call in calls:
            assert call.wait().error is None
    assert count(store, "log") == 2


def test_random_mixture(store):
    """What was acknowledged is there, in the order of each chain; whatever else went on."""
    chance, expected, calls = random.Random(7), {}, []
    store.run("CREATE TABLE chains(chain, n)")
    for n in range(400):
        chain = chance.randrange(8)
        kind = chance.random()
        if kind < 0.6:
            expected.setdefault(chain, []).append(n)
            calls.append((None, store.query(("INSERT INTO chains VALUES (?, ?)", chain, n), order="c%d" % chain)))
        elif kind < 0.9:
            want = list(expected.get(chain, []))
            calls.append((want, store.query(("SELECT n FROM chains WHERE chain = ? ORDER BY rowid", chain),
                                            order="c%d" % chain)))
        elif kind < 0.95:
            calls.append((None, store.query(COUNT % 20000)))
        else:
            cancelled = store.query(COUNT % 2000000)
            store.cancel(cancelled)
        if chance.random() < 0.1:
            store.turn(0)
    for want, call in calls:
        rows = call.wait().rows
        assert want is None or [n for n, in rows] == want
    for chain, numbers in expected.items():
        assert [n for n, in store.run(("SELECT n FROM chains WHERE chain = ? ORDER BY rowid", chain)).rows] == numbers


def test_order(store):
    held = HeldWriter(store)
    chain = [store.query(sql, order="one") for sql in
             ("CREATE TABLE late(a)", "INSERT INTO late VALUES (1)", "SELECT a FROM late",
              "INSERT INTO late VALUES (2)", "UPDATE late SET a = a * 10", "SELECT a FROM late",
              "SELECT * FROM never", "DROP TABLE late", "SELECT a FROM late")]
    free = store.query("SELECT 1", order="two")
    assert free.wait().rows == [(1,)] and not any(c.is_over for c in chain)
    held.let_go()
    assert [c.wait().error is None for c in chain] == [True] * 6 + [False, True, False]
    assert chain[2].rows == [(1,)] and chain[5].rows == [(10,), (20,)]
    # and nobody waits for a clock
    took = []
    for n in range(10):
        began = time.monotonic()
        store.query("INSERT INTO log VALUES ('%d')" % n, order="quick")
        assert store.query("SELECT max(v) FROM log WHERE v < 'a'", order="quick").wait().rows == [(str(n),)]
        took.append(time.monotonic() - began)
    assert sorted(took)[2] < 0.1 * PATIENCE, took
    # one that is dropped lets the next one pass
    held = HeldWriter(store)
    first, second = store.query("DELETE FROM log", order="x"), store.query("SELECT count(*) FROM log", order="x")
    store.cancel(first)
    assert second.wait().rows == [(10,)] and not first.is_over
    held.let_go()


# ---- groups ----
def test_writes_are_committed_together(store):
    held = HeldWriter(store)
    group = [store.query(("INSERT INTO t(v) VALUES (?)", "same" if i in (3, 4) else str(i))) for i in range(20)]
    held.let_go()
    for i, call in enumerate(group):
        assert (call.wait().error is None) == (i != 4), i
    assert "UNIQUE constraint failed" in group[4].error.text
    assert len({call.bookmark for call in group if not call.error}) < 6, "a few commits"
    assert count(store) == 19


def test_a_slow_write_holds_up_none_before_it(store):
    """Neither those that were written with it, nor what waits for them."""
    for slow in (store.query, lambda sql: store.start("script", sql)):
        held = HeldWriter(store)
        quick = store.query("INSERT INTO log(v) VALUES ('quick')", order="one")
        behind = store.query("SELECT count(*) FROM log WHERE v = 'quick'", order="one")
        late = slow("INSERT INTO log(v) " + COUNT % 3000000)
        held.let_go()
        assert late.wait().error is None and behind.wait().error is None
        assert store.over[-3:] == [quick, behind, late]
    assert count(store, "log", "v = 'quick'") == 2 and count(store, "log", "v = 3000000") == 2


@pytest.mark.parametrize("sql", ["INSERT OR ROLLBACK INTO t(v) VALUES ('same')", "INSERT INTO trap VALUES (1)"])
def test_sql_that_ends_the_transaction_of_a_group(store, sql):
    store.run("INSERT INTO t(v) VALUES ('same')", "CREATE TABLE trap(a)",
              "CREATE TRIGGER snap BEFORE INSERT ON trap BEGIN SELECT RAISE(ROLLBACK, 'snapped'); END")
    held = HeldWriter(store)
    group = []
    for i in range(12):
        group.append(store.query(("INSERT INTO t(v) VALUES (?)", str(i)), "INSERT INTO log VALUES ('%d')" % i))
        if i in (3, 4, 9):
            group.append(store.query("INSERT INTO log VALUES ('never')", sql))
    held.let_go()
    failed = [call.wait().error for call in group]
    assert [i for i, error in enumerate(failed) if error] == [4, 6, 12]
    assert all(e.statement == 1 and ("UNIQUE" in e.text or "snapped" in e.text) for e in failed if e)
    assert store.run("SELECT v FROM t WHERE v <> 'same' ORDER BY id").rows == [(str(i),) for i in range(12)]
    assert count(store, "log", "v = 'never'") == 0 and count(store, "log") == 12


def test_deferred_foreign_keys_fail_their_own_call(store):
    store.run("CREATE TABLE p(id INTEGER PRIMARY KEY)",
              "CREATE TABLE c(p REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)")
    held = HeldWriter(store)
    bad = store.query("INSERT INTO c VALUES (1)")
    good = store.query("INSERT INTO c VALUES (2)", "INSERT INTO p VALUES (2)")
    other = store.query("INSERT INTO t(v) VALUES ('other')")
    held.let_go()
    assert "FOREIGN KEY constraint failed" in bad.wait().error.text
    assert good.wait().error is None and other.wait().error is None
    assert store.run("SELECT p FROM c").rows == [(2,)]
    deferred = store.run("PRAGMA defer_foreign_keys = on", "DELETE FROM p", "DELETE FROM c")
    assert deferred.error is None and count(store, "p") == 0


def test_cancelled_writes(store):
    held = HeldWriter(store)
    queued = store.query("INSERT INTO t(v) VALUES ('queued')")
    store.cancel(queued)
    running = store.query(SLOW_WRITE.replace("'slow'", "'slow' || x") % 10**12)
    behind = store.query("INSERT INTO t(v) VALUES ('behind')")
    held.let_go()
    store.ping()
    assert not behind.is_over
    store.cancel(running)
    assert behind.wait().error is None
    assert store.run("SELECT v FROM t").rows == [("behind",)]
    assert not queued.is_over and not running.is_over
    slow = store.query(FOREVER)
    store.ping()
    store.cancel(slow)
    assert store.run("SELECT 1").rows == [(1,)]


def test_large_answers_of_writes(store):
    """More records than are kept until a commit: such a call runs by itself, and its stall stalls no reads."""
    many = ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 6000) "
            "INSERT INTO log SELECT 'large %d ' || hex(zeroblob(50)) FROM n RETURNING v")
    held = HeldWriter(store)
    before = store.query("INSERT INTO t(v) VALUES ('before')")
    large = [store.query(many % i, reads=False) for i in range(2)]
    after = store.query("INSERT INTO t(v) VALUES ('after')")
    held.let_go()
    assert before.wait().error is None
    store.until(lambda: large[0].received >= WINDOW)
    assert store.run("SELECT v FROM t").rows == [("before",)]
    assert not after.is_over and large[0].received == WINDOW
    for call in large:
        store.credit(call, 10**7)
    for i, call in enumerate(large):
        rows = call.wait().rows
        assert len(rows) == 6000 and all(v.startswith("large %d " % i) for v, in rows)
    assert after.wait().error is None
    # one that is given up while it waits for its turn again
    for i in range(10):
        held = HeldWriter(store)
        calls = [store.query("INSERT INTO t(v) VALUES ('x%d')" % i), store.query(many % i),
                 store.query("INSERT INTO t(v) VALUES ('y%d')" % i)]
        held.let_go()
        store.cancel(calls[1])
        assert calls[0].wait().error is None and calls[2].wait().error is None
    assert count(store) == 22


# ---- limits ----
def test_time_limit(tmp_path):
    with Store(tmp_path, query_ms=1000) as store:
        store.run("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)")
        read, write = store.query("SELECT 1", FOREVER), store.query("INSERT INTO t(v) " + FOREVER)
        # who waits behind one has a limit of its own, and so must come later
        store.until(lambda: is_locked(tmp_path / "db.sqlite") and time.monotonic() > write.began + 0.5)
        others = [store.query("INSERT INTO t(v) VALUES ('%d')" % i) for i in range(3)]
        assert read.wait().error[:3] == (1, 0, CPU) and write.wait().error[:3] == (0, 0, CPU)
        assert all(call.wait().error is None for call in others)
        assert count(store) == 3
        # nobody reads: the thread is not held for ever
        stalled = store.query(COUNT.replace("max(x)", "x") % 10**12, reads=False)
        assert stalled.wait().reset == STORAGE and stalled.received == WINDOW
        # what waits behind a long one for too long
        held = store.query("INSERT INTO t(v) " + FOREVER)
        queued = [store.query("INSERT INTO t(v) " + FOREVER) for _ in range(12)]
        texts = {call.wait().error.text for call in [held] + queued}
        assert texts == {CPU, "D1 DB is overloaded. Requests queued for too long."}
        assert count(store) == 3


def test_many_short_statements_have_a_limit(tmp_path):
    with Store(tmp_path, query_ms=500) as store:
        call = store.start("exec", "".join("select %d;" % i for i in range(600000))).wait()
        assert call.error.text == CPU and call.error.statement > 0
        assert store.run("SELECT 1").rows == [(1,)]


def test_what_cannot_be_stopped(tmp_path):
    """Nothing looks at the time within one function: the process ends, and says whose fault it was."""
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 120000) "
    keys = "(SELECT '{' || group_concat(printf('\"%%d%s\":1', x)) || '}' FROM n)"
    patch = numbers + "SELECT length(json_patch(%s, %s))" % (keys % "a", keys % "b")
    with Store(tmp_path, query_ms=1000 * PATIENCE) as store:
        store.run("CREATE TABLE t(v)")
        assert store.run("INSERT INTO t VALUES (1)").error is None
        write = store.query("INSERT INTO t VALUES (2)", "INSERT INTO t " + patch)
        with pytest.raises(EOFError):
            store.until(lambda: False)
        assert write.reset == CPU
        assert any("could not be stopped" in line for line in store.logs)
    with Store(tmp_path) as store:
        assert store.run("SELECT v FROM t").rows == [(1,)]


@pytest.mark.parametrize("links", [100, 1200])
def test_deep_schemas(store, links):
    """What hangs on each other is compiled by recursion: the stack is bounded."""
    n = links if PATIENCE == 1 else min(links, 800)
    deep = "".join("CREATE VIEW v%d AS SELECT a FROM v%d;" % (i, i - 1) for i in range(1, n))
    deep += "".join("CREATE VIEW e%d AS SELECT -a%s AS a FROM e%d;" % (i, "+1" * 90, i - 1) for i in range(1, n // 8))
    deep += "".join("CREATE TABLE f%d(a PRIMARY KEY REFERENCES f%d ON DELETE CASCADE);" % (i, i - 1) for i in range(1, n))
    assert store.start("script", "CREATE TABLE v0(a); CREATE TABLE e0(a); CREATE TABLE f0(a PRIMARY KEY);"
                       + deep).wait().error is None
    memory = "D1 DB's isolate exceeded its memory limit and was reset."
    for sql in ("SELECT * FROM v%d" % (n - 1), "SELECT * FROM e%d" % (n // 8 - 1), "DELETE FROM f0"):
        error = store.run(sql).error
        assert error is None or (links > 100 and error.text == memory), sql
    assert count(store) == 0


def test_too_many_calls(store):
    held = store.query("INSERT INTO log " + FOREVER)
    store.flush()
    calls = [store.query("INSERT INTO log VALUES (1)") for _ in range(1100)]
    refused = calls[-1].wait()
    assert refused.error.text == "D1 DB is overloaded. Too many requests queued."
    store.cancel(held)
    errors = [call.wait().error for call in calls]
    assert 1000 < sum(e is None for e in errors) < 1050
    call = store.begin("query")
    body = b"\0" * (1 << 20)
    while not call.is_over:
        store.send(call, body, is_end=False)
        store.turn(0)
    assert "too long" in call.error.text
    assert store.run("SELECT 1").rows == [(1,)]


def test_answers_wait_for_credit(store):
    sql = COUNT.replace("max(x)", "x, hex(zeroblob(40))") % 20000
    stalled = [store.query(sql, reads=False) for _ in range(5)]
    store.until(lambda: all(call.received == WINDOW for call in stalled))
    assert store.run("INSERT INTO t(v) VALUES ('a')").error is None and count(store) == 1
    store.cancel(stalled.pop())
    for call in stalled:
        store.credit(call, 1)
    store.until(lambda: all(call.received == WINDOW + 1 for call in stalled))
    for call in stalled:
        store.credit(call, 10**8)
        assert len(call.wait().rows) == 20000


# ---- scripts ----
def test_exec(store):
    call = store.start("exec", "INSERT INTO t(v) VALUES ('a;b');\n-- nothing\n\nSELECT * FROM t; ;\nDELETE FROM log").wait()
    assert [(columns, rows) for columns, rows, _ in call.results_of] == [([], []), (["id", "v"], []), ([], [])]
    call = store.start("exec", "SELECT v FROM t", rows="true").wait()
    assert call.rows == [("a;b",)]
    error = store.start("exec", "INSERT INTO t(v) VALUES ('c');\n\n  -- x\n INSERT INTO nope VALUES (1);").wait().error
    assert error == (1, 4, "no such table: nope: SQLITE_ERROR", "INSERT INTO nope VALUES (1);")
    assert count(store) == 1
    assert store.start("exec", " -- nothing\n").wait().error.text == "No SQL statements detected."
    error = store.start("exec", "SELECT '" + "é" * 300 + "' FROM nope").wait().error
    assert len(error.sql.encode()) in (199, 200)


def test_script(store):
    lines = ["PRAGMA foreign_keys=OFF;", "BEGIN TRANSACTION;", "CREATE TABLE big(id INTEGER PRIMARY KEY, v);",
             "CREATE TRIGGER tr AFTER INSERT ON big BEGIN SELECT 1; SELECT 2; END;"]
    lines += ["INSERT INTO big VALUES(%d,'%s');" % (i, "it''s; " * 40) for i in range(12000)]
    lines += ["COMMIT;", "CREATE INDEX i ON big(v);"]
    call = store.start("script", "\n".join(lines)).wait()
    kinds = [kind for kind, _ in call.parse()]
    assert call.error is None and kinds.count(DONE) == 12004 and kinds.count(PROGRESS) >= 1 and ROWS not in kinds
    assert struct.unpack("<QQQ", [b for k, b in call.records if k == PROGRESS][-1])[0] == 12004
    assert count(store, "big") == 12000
    lines[5000] = "INSERT INTO big VALUES(1, 2);"
    bad = store.start("script", "\n".join(lines).replace("big", "big2").replace("tr ", "tr2 ")).wait().error
    assert bad.line == 5001 and bad.statement == 4999 and bad.sql == "INSERT INTO big2 VALUES(1, 2);"
    assert "UNIQUE constraint failed: big2.id" in bad.text
    assert count(store, "sqlite_master", "name = 'big2'") == 0
    # cut off, too long, cancelled on the way
    assert "COMMIT, is missing" in store.start("script", "BEGIN; CREATE TABLE cut(a);").wait().error.text
    assert "SQLITE_TOOBIG" in store.start("script", "SELECT '" + "x" * 600000).wait().error.text
    call = store.begin("script")
    store.send(call, b"CREATE TABLE cancelled(a); INSERT INTO cancelled", is_end=False)
    waiting = store.query("INSERT INTO t(v) VALUES ('waiting')")
    store.ping()
    assert not waiting.is_over
    store.cancel(call)
    assert waiting.wait().error is None
    assert count(store, "sqlite_master", "name IN ('cut', 'cancelled')") == 0


# ---- dumps ----
def test_dump(store, tmp_path):
    store.run("INSERT INTO t(v) VALUES ('日本')", "CREATE TABLE other(a)", "CREATE INDEX late ON t(v)",
              "INSERT INTO log " + COUNT.replace("max(x)", "hex(zeroblob(500))") % 2000)
    call = store.start("dump", reads=False)
    store.until(lambda: call.received == WINDOW)
    # what is written now is not in it
    assert store.run("INSERT INTO t(v) VALUES ('later')").error is None
    store.credit(call, 10**8)
    whole = sqlite3.connect(":memory:")
    whole.executescript(call.wait().bytes.decode())
    assert call.reset is None and whole.execute("SELECT v FROM t").fetchall() == [("日本",)]
    assert whole.execute("SELECT count(*) FROM log").fetchall() == [(2000,)]
    one = store.start("dump", tables=["other", "t"], no_data="true").wait().bytes.decode()
    assert "CREATE TABLE other" in one and "CREATE TABLE t" in one and "log" not in one and "INSERT" not in one
    data = store.start("dump", tables=["t"], no_schema="true").wait().bytes.decode()
    assert "CREATE" not in data and "later" in data
    cancelled = store.start("dump", reads=False)
    store.until(lambda: cancelled.received == WINDOW)
    store.cancel(cancelled)
    assert store.run("SELECT 1").rows == [(1,)]
    assert store.start("dump", tables=["x"] * 10001).wait().reset.startswith("a dump of more than 10000 tables")


# ---- the process ----
def test_a_text_that_has_every_mark(store):
    """A dump writes line breaks as something that the text has not: it looks for that a few times only."""
    text = "\n\\n" + "".join("(\\n%d)" % i for i in range(200000))
    assert store.run(("INSERT INTO log VALUES (?)", text)).error is None
    dump = store.start("dump", tables=["log"]).wait()
    assert dump.reset is None and dump.took < 5 * PATIENCE
    copy = sqlite3.connect(":memory:")
    copy.executescript(bytes(dump.bytes).decode())
    assert copy.execute("SELECT v FROM log").fetchall() == [(text,)]


def test_the_box(store, tmp_path):
    pid = store.process.pid
    for task in os.listdir("/proc/%d/task" % pid):
        status = open("/proc/%d/task/%s/status" % (pid, task)).read()
        assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
    store.run("SELECT 1")
    targets = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
    for target in targets:
        assert target.startswith((str(tmp_path), "socket:", "/dev/null", "pipe:")) or target == os.readlink(
            "/proc/self/fd/1") or target == os.readlink("/proc/self/fd/2"), targets
    assert not open("/proc/%d/environ" % pid, "rb").read().strip(b"\0")
    limits = open("/proc/%d/limits" % pid).read()
    assert re.search(r"Max processes +0 +0", limits) and re.search(r"Max core file size +0 +0", limits)


@pytest.mark.parametrize("frames", [
    struct.pack("<IBBHI", 0, 200, 0, 0, 0), struct.pack("<IBBHI", 5, OUTCALL, 0, 0, 9) + b"abcde",
    struct.pack("<IBBHI", 1 << 20, BODY, 0, 0, 1), struct.pack("<IBBHI", 0, 17, 0, 0, 1)])
def test_a_malformed_frame_ends_the_process(tmp_path, frames):
    store = Store(tmp_path)
    store.outgoing += frames
    with pytest.raises(EOFError):
        store.until(lambda: False)
    assert store.process.wait(10 * PATIENCE) == 1 and store.logs
    store.socket.close()


def test_a_stream_is_not_used_twice(tmp_path):
    store = Store(tmp_path)
    store.run("SELECT 1")
    store.last_stream = 0
    with pytest.raises(EOFError):
        store.run("SELECT 1")
    assert "stream 1" in store.logs[0] and "SELECT" not in "".join(store.logs)
    store.process.wait()
    store.socket.close()


def test_it_ends_in_good_order(tmp_path):
    store = Store(tmp_path)
    store.run("CREATE TABLE t(v)")
    store.run("INSERT INTO t VALUES ('kept')")
    running = [store.query(FOREVER), store.query("INSERT INTO t " + FOREVER), store.query("INSERT INTO t VALUES (2)")]
    running.append(store.query(COUNT.replace("max(x)", "x") % 10**12, reads=False))
    store.until(lambda: running[-1].received == WINDOW)
    began = time.monotonic()
    assert store.close() == 0 and time.monotonic() - began < 3 * PATIENCE
    # everything is in the database itself
    shutil.copy(tmp_path / "db.sqlite", tmp_path / "alone.sqlite")
    assert plainly(tmp_path / "alone.sqlite", "SELECT v FROM t") == [("kept",)]
    with Store(tmp_path) as again:
        assert again.run("SELECT v FROM t").rows == [("kept",)]


def test_it_dies_with_its_parent(tmp_path):
    code = ("import sys; sys.path.insert(0, %r)\nfrom store_client import Store\ns = Store(%r)\n"
            "print(s.process.pid, flush=True)\nimport os; os.dup(s.socket.fileno()); input()"
            % (os.path.dirname(__file__), str(tmp_path)))
    with subprocess.Popen(["/usr/bin/python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        fd = os.pidfd_open(pid)
        parent.kill()
    import select
    assert select.select([fd], [], [], 10 * PATIENCE)[0], "it is gone"
    os.close(fd)


def test_the_wal_stays_small(store, tmp_path):
    for n in range(100):
        calls = [store.query(("INSERT INTO log VALUES (?)", "x" * 3000)) for _ in range(100)]
        for call in calls:
            call.wait()
    assert (tmp_path / "db.sqlite-wal").stat().st_size < 4096 * 6000
    # what is left goes into the database when nobody asks for anything
    deadline = time.monotonic() + 10 * PATIENCE
    while True:
        shutil.copy(tmp_path / "db.sqlite", tmp_path / "alone.sqlite")
        try:
            if plainly(tmp_path / "alone.sqlite", "SELECT count(*) FROM log") == [(10000,)]:
                break
        except sqlite3.DatabaseError:
            pass
        assert time.monotonic() < deadline
        store.turn(0.1)


def test_readers_cannot_keep_the_wal_growing(tmp_path):
    """One that begins before the other has ended: without a bound the WAL would never begin anew."""
    with Store(tmp_path, query_ms=500 * min(PATIENCE, 2)) as store:
        store.run("CREATE TABLE t(a INTEGER PRIMARY KEY, b)")
        store.run("INSERT INTO t(a) WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 40) SELECT x FROM n")
        for n in range(70):
            if n % 3 == 0:
                store.query("SELECT a, (%s) FROM t" % FOREVER)
            write = store.run("UPDATE t SET b = zeroblob(100000 + %d)" % n)
            assert write.error is None or "overloaded" in write.error.text
        assert (tmp_path / "db.sqlite-wal").stat().st_size < 4096 * 30000
        assert store.run("UPDATE t SET b = 1 WHERE a = 1").error is None


# ---- others, and accidents ----
def test_two_processes_on_one_database(store, tmp_path):
    with Store(tmp_path) as other:
        for n in range(40):
            calls = [one.query(("INSERT INTO t(v) VALUES (?)", "%d %d %d" % (n, i, k)))
                     for i in range(5) for k, one in enumerate((store, other))]
            for call in calls:
                assert call.wait().error is None
        held = HeldWriter(other)
        store.until(lambda: is_locked(tmp_path / "db.sqlite"))
        blocked = store.query("INSERT INTO t(v) VALUES ('blocked')")
        assert count(store) == 400 and not blocked.is_over, "reads go on meanwhile"
        held.let_go()
        assert blocked.wait().error is None
        assert count(other) == count(store) == 401
        assert store.run("CREATE TABLE seen(a)").error is None
        assert other.run("INSERT INTO seen VALUES (1)").error is None
        assert store.run("SELECT a FROM seen").rows == [(1,)]


def test_another_process_that_never_ends(tmp_path):
    with Store(tmp_path, query_ms=1000) as store:
        store.run("CREATE TABLE t(v)")
        other = sqlite3.connect(tmp_path / "db.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO t VALUES ('theirs')")
        blocked = [store.query("INSERT INTO t VALUES ('ours')") for _ in range(2)]
        assert count(store) == 0
        assert {call.wait().error.text for call in blocked} == {"D1 DB is overloaded. Requests queued for too long."}
        other.execute("COMMIT")
        assert store.run("INSERT INTO t VALUES ('ours')").error is None and count(store) == 2
        other.close()


@pytest.mark.long
@pytest.mark.parametrize("sync", ["normal", "full"])
def test_what_was_acknowledged_survives_a_kill(tmp_path, sync):
    chance, acknowledged, n = random.Random(11), set(), 0
    for _ in range(12):
        store = Store(tmp_path, sync=sync)
        store.run("CREATE TABLE IF NOT EXISTS pairs(n INTEGER, half INTEGER)")
        calls = []
        end = time.monotonic() + chance.random() * 0.1
        while time.monotonic() < end:
            for _ in range(16):
                n += 1
                calls.append((n, store.query(("INSERT INTO pairs VALUES (?, 1)", n), ("INSERT INTO pairs VALUES (?, 2)", n))))
            store.turn(0)
        store.kill()
        acknowledged |= {n for n, call in calls if call.is_over and not call.error}
    assert acknowledged
    with Store(tmp_path, sync=sync) as store:
        found = dict(store.run("SELECT n, count(*) FROM pairs GROUP BY n").rows)
        assert acknowledged <= set(found) and set(found.values()) == {2}
        assert store.close() == 0
    assert integrity(tmp_path / "db.sqlite") == [("ok",)]


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("mounting is not permitted")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk):
    with Store(small_disk) as store:
        store.run("CREATE TABLE t(v)")
        kept, text = 0, "x" * 100000
        for _ in range(100):
            call = store.run(("INSERT INTO t VALUES (?)", text))
            if call.error:
                break
            kept += 1
        assert "SQLITE_FULL" in call.error.text and kept > 3
        held = HeldWriter(store, "DELETE FROM t WHERE v = (%s)" % FOREVER)
        group = [store.query(("INSERT INTO t VALUES (?)", text)) for _ in range(4)] + [store.query("SELECT count(*) FROM t")]
        held.let_go()
        assert all(c.wait().error for c in group[:4]) and group[4].wait().rows == [(kept,)]
        # there is room again
        assert subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)]).returncode == 0
        assert store.run(("INSERT INTO t VALUES (?)", text)).error is None
        assert count(store) == kept + 1
        assert store.close() == 0
        assert integrity(small_disk / "db.sqlite") == [("ok",)]


def test_a_folder_that_cannot_be_used(tmp_path, small_disk):
    for folder in (tmp_path / "missing" / "deeper", small_disk):
        if folder == small_disk:
            subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        store = Store(folder, start=False)
        store.until(lambda: store.failed)
        kind, text, hint = store.failed
        assert store.hello and kind == 5 and str(folder) in text and hint
        assert store.close() == 1


def test_arguments():
    def run(*arguments, **more):
        return subprocess.run([str(BIN / "corral-store"), *arguments], capture_output=True, text=True, **more)
    assert run().returncode == 2 and "corral" in run().stderr
    with open("/dev/null") as null:
        for bad in (["--sync=fast", "/x"], ["/x", "--query-ms=0"], ["/x", "--size-max=-1"], ["--sync=full"], ["/x", "/y"]):
            done = subprocess.run(["bash", "-c", 'exec 3<&%d; exec "$0" "$@"' % null.fileno(), str(BIN / "corral-store"), *bad],
                                  capture_output=True, text=True, pass_fds=[null.fileno()])
            assert done.returncode == 2 and done.stderr, bad
