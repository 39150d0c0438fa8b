"""D1 seen from the node: one store process per open database, its life and its deaths, limits, reloads, nothing lost."""
import contextlib
import os
import re
import shutil
import signal
import sqlite3
import threading
import time

import pytest

from harness import BIN, LAB, PATIENCE, Load, holds, is_alive, rss_kb, until

pytestmark = pytest.mark.asan

CONFIG = """\
name = "lab"
main = "src/entry.py"
compatibility_date = "2024-03-29"
compatibility_flags = ["python_workers", "disable_python_no_global_handlers"]
"""
# As long as a call may run; counts to a billion.
LONG = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000000000) SELECT count(*) FROM c"
RESET = "D1_ERROR: Internal error in D1 DB storage caused object to be reset."


def project(*bindings, entry=LAB, names=None):
    databases = "".join('[[d1_databases]]\nbinding = "%s"\ndatabase_name = "%s"\n' % (b, (names or {}).get(b, b.lower()))
                        for b in bindings)
    return {"src/entry.py": entry, "wrangler.toml": CONFIG + databases}


def has_ended(pid):
    """All of its threads have: the first one may be a zombie while others still hold the socket."""
    try:
        threads = os.listdir("/proc/%d/task" % pid)
        return all(open("/proc/%d/task/%s/stat" % (pid, t)).read().rpartition(")")[2].split()[0] in "ZX" for t in threads)
    except OSError:
        return not is_alive(pid)


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    until("pid %d is gone" % process.pid, lambda: has_ended(process.pid))


def prepare(node, binding="DB"):
    node.value("""
        await env.%s.exec("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT)")
    """ % binding)


def insert(node, text, binding="DB"):
    return node.value("""
        r = await env.%s.prepare("INSERT INTO t (v) VALUES (?)").bind(%r).run()
        return r.meta.last_row_id
    """ % (binding, text))


def column(node, sql="SELECT v FROM t ORDER BY id", binding="DB"):
    return node.value("""
        r = await env.%s.prepare(%r).raw()
        return [row[0] for row in r]
    """ % (binding, sql))


def begin(node, code):
    """Run it beside us; a list that gets its outcome, and the thread."""
    got = []

    def run():
        try:
            got.append(node.outcome(code))
        except Exception as e:  # the node may die
            got.append(e)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return got, thread


def ticks(process):
    """Processor time that it has used, in hundredths of a second."""
    try:
        with open("/proc/%d/stat" % process.pid) as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def is_computing(process):
    before = ticks(process)
    time.sleep(0.1)
    return ticks(process) > before


def store_of(node, name):
    """The process that has this database open."""
    for process in node.stores():
        with contextlib.suppress(FileNotFoundError):        # it has gone, or has closed that one
            for fd in os.listdir("/proc/%d/fd" % process.pid):
                if os.path.islink(path := "/proc/%d/fd/%s" % (process.pid, fd)) and "/d1/%s/" % name in os.readlink(path):
                    return process
    return None


def is_whole(node, name="db"):
    with sqlite3.connect(node.project / ".corral/state/d1" / name / "db.sqlite") as db:
        return db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def open_files(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


# ---- a life ----


def test_a_database_has_a_process_of_its_own(corral):
    node = corral(project("DB", "SECOND"))
    node.wait_log(r"Your Worker has access to the following bindings:\n"
                  r"\s+Binding +Resource +Mode\n\s+env\.DB \(db\) +D1 Database +local\n\s+env\.SECOND \(second\)")
    assert node.stores() == []
    prepare(node)
    assert len(node.stores()) == 1
    assert insert(node, "one") == 1
    prepare(node, "SECOND")
    first, second = node.stores()
    assert column(node) == ["one"] and column(node, binding="SECOND") == []
    assert [p.pid for p in node.stores()] == [first.pid, second.pid]
    assert open_files(first.pid) < 40 and os.readlink("/proc/%d/cwd" % first.pid)
    # Nobody reaches what has no binding, nor what the platform's own methods are.
    assert node.value("return [hasattr(env, name) for name in ('DB', 'THIRD', 'db')]") == [True, False, False]
    # The state is where people are told, and in order.
    names = sorted(os.listdir(node.project / ".corral/state/d1"))
    assert names == ["db", "second"]
    assert (node.project / ".corral/state/d1/db/about.json").exists()
    # SIGTERM ends all of it within a second, also while it computes.
    got, thread = begin(node, "return (await env.DB.prepare(%r).all())" % LONG)
    until("it computes", lambda: is_computing(first))
    node.stop()
    thread.join()


def test_two_bindings_and_versions_may_share_a_database(corral):
    node = corral(project("DB", "SAME", names={"DB": "shared", "SAME": "shared"}))
    prepare(node)
    insert(node, "seen by both")
    assert column(node, binding="SAME") == ["seen by both"] and len(node.stores()) == 1
    store = node.stores()[0]
    with Load(node, 3, headers={"x-code": ""}) as load:
        before = node.mark()
        got, thread = begin(node, """
            for i in range(200):
                await env.DB.prepare("INSERT INTO t (v) VALUES (?)").bind(str(i)).run()
                await asyncio.sleep(0.002)
            return "done"
        """)
        node.write("src/entry.py", LAB + "\n# changed\n")
        node.wait_log("Reloaded in", since=before)
        thread.join()
    # What the version before had begun went on, in the same process.
    assert got == [{"value": "done"}], got
    assert all(status == 200 for status, _ in load.results), load.results
    assert column(node, "SELECT count(*) FROM t") == [201] and [p.pid for p in node.stores()] == [store.pid]
    # A binding that comes with a change of the configuration is there, and said.
    before = node.mark()
    node.write("wrangler.toml", project("DB", "MORE", names={"DB": "shared"})["wrangler.toml"])
    node.wait_log(r"env\.MORE", since=before)
    until("it is served", lambda: node.value("return hasattr(env, 'MORE')"))
    prepare(node, "MORE")
    assert column(node, "SELECT count(*) FROM t") == [201] and len(node.stores()) == 2
    assert node.value("return hasattr(env, 'SAME')") is False


def test_idle_processes_end_and_come_again(corral):
    node = corral(project("DB"), env={"CORRAL_TEST_STORE_IDLE_MS": "150", "CORRAL_TEST_INSTANCES": "1",
                                      "CORRAL_TEST_SPARES": "0"})
    prepare(node)
    insert(node, "kept")
    until("it has ended", lambda: not node.stores())
    files = open_files(node.pid)    # our own connection may take the node a moment to close: one more, at most
    for i in range(3):
        assert column(node) == ["kept"]
        until("it has ended", lambda: not node.stores())
        until("no descriptor of it is left", lambda: open_files(node.pid) <= files)
    assert not re.search(r"err\]|wrn\]", node.log_text())


def test_many_databases_share_few_places(corral):
    names = ["D%d" % i for i in range(8)]
    node = corral(project(*names), env={"CORRAL_TEST_STORES": "3"})
    most = 0
    got, thread = begin(node, """
        names = %r
        async def use(name):
            db = getattr(env, name)
            await db.exec("CREATE TABLE IF NOT EXISTS t (v TEXT)")
            for i in range(3):
                await db.prepare("INSERT INTO t VALUES (?)").bind(name).run()
            return (await db.prepare("SELECT min(v) || count(*) AS s FROM t").first("s"))
        return [await use(n) for n in names] + await asyncio.gather(*[use(n) for n in names])
    """ % names)
    while thread.is_alive():
        most = max(most, len(node.stores()))
        thread.join(0.01)
    assert got == [{"value": [n + "3" for n in names] + [n + "6" for n in names]}], got
    assert 1 <= most <= 3
    # One that is busy keeps its place; the others share what is left.
    got, thread = begin(node, "return await env.D0.prepare(%r).first()" % LONG)
    busy = until("its process", lambda: store_of(node, "d0"))
    until("it computes", lambda: is_computing(busy))
    assert [node.value("return await env.%s.prepare('SELECT count(*) AS n FROM t').first('n')" % n)
            for n in names[1:]] == [6] * 7
    assert thread.is_alive()
    kill(busy)
    thread.join()
    assert got[0]["text"].startswith(("Error: " + RESET, RESET)), got


# ---- deaths ----


def test_a_store_that_is_killed(corral):
    node = corral(project("DB", "OTHER"))
    prepare(node)
    prepare(node, "OTHER")
    insert(node, "before")
    other = column(node, "SELECT 1", "OTHER") and node.stores()[1]
    # Idle: nobody notices.
    kill(node.stores()[0])
    assert column(node) == ["before"]
    node.wait_log(r"err\] database 'db': its process was ended by SIGKILL")
    # In flight: a clear error, for reads and writes, and the next call works.
    for sql in (LONG, "INSERT INTO t (v) SELECT 'half' FROM (%s)" % LONG):
        store = next(p for p in node.stores() if p.pid != other.pid)
        got, thread = begin(node, "return (await env.DB.prepare(%r).run())" % sql)
        until("it computes", lambda: is_computing(store))
        kill(store)
        thread.join()
        assert RESET + " The database's process ended unexpectedly while this query ran; it may or may not have been " \
                       "committed." in got[0]["text"], got
        assert column(node) == ["before"]
    assert [p for p in node.stores() if p.pid == other.pid], "the other database's process lives on"
    node.stop()
    assert is_whole(node)


def test_killed_again_and_again_nothing_acknowledged_is_lost(corral):
    node = corral(project("DB"))
    prepare(node)
    node.value("await env.DB.exec('CREATE TABLE pairs (a TEXT, b TEXT)')")
    stop = threading.Event()
    acknowledged, failed = [], []

    def client(number):
        i = 0
        while not stop.is_set():
            text = "%d-%d" % (number, i)
            got = node.outcome("""
                insert = env.DB.prepare("INSERT INTO t (v) VALUES (?)").bind(%r)
                await env.DB.batch([insert, env.DB.prepare("INSERT INTO pairs VALUES (?1, ?1)").bind(%r)])
            """ % (text, text))
            (acknowledged if "value" in got else failed).append((text, got))
            i += 1
    clients = [threading.Thread(target=client, args=(n,), daemon=True) for n in range(4)]
    for c in clients:
        c.start()
    for _ in range(6):
        seen = len(acknowledged)
        until("writes are acknowledged", lambda: len(acknowledged) > seen + 10)
        store = until("there is a store", node.stores)[0]
        kill(store)
    stop.set()
    for c in clients:
        c.join()
    # Killed between its start and its HELLO it has not been called at all, and says so.
    allowed = (RESET, "D1_ERROR: Internal error while starting up D1 DB storage")
    assert all(any(a in got["text"] for a in allowed) for _, got in failed), failed
    there = column(node)
    assert len(set(there)) == len(there)
    assert {text for text, _ in acknowledged} <= set(there)
    assert set(there) <= {text for text, _ in acknowledged + failed}
    assert sorted(column(node, "SELECT b FROM pairs")) == sorted(there), "batches are whole"
    node.stop()
    assert is_whole(node)


def test_an_instance_that_is_killed_takes_its_queries_along(corral):
    node = corral(project("DB"), env={"CORRAL_TEST_INSTANCES": "1"})
    prepare(node)
    insert(node, "kept")
    store = node.stores()[0]
    pid = node.value("return os.getpid()")
    worker = node.instances()
    got, thread = begin(node, "return (await env.DB.prepare(%r).run())" % LONG)
    until("it computes", lambda: is_computing(store))
    for instance in worker:
        kill(instance)
    thread.join()
    assert pid
    # Nobody waits for the answer any more: it computes no longer, and lives on.
    until("it has stopped", lambda: not is_computing(store))
    assert column(node) == ["kept"]
    assert [p.pid for p in node.stores()] == [store.pid]


def test_a_node_that_is_killed_keeps_the_data(corral):
    node = corral(project("DB"))
    prepare(node)
    for i in range(20):
        insert(node, str(i))
    store = node.stores()[0]
    node.process.kill()
    node.process.wait()
    until("its store ends with it", lambda: not is_alive(store.pid))
    again = type(node)(node.project).wait_ready()
    try:
        assert column(again) == [str(i) for i in range(20)]
        assert insert(again, "more") == 21
        again.stop()
    finally:
        again.close()


def test_state_that_cannot_be_used_is_an_error_of_the_query(corral, tmp_path):
    state = tmp_path / "elsewhere"
    node = corral(project("DB"), "--persist-to", str(state))
    prepare(node)
    insert(node, "kept")
    home = next(state.rglob("d1"))
    kill(node.stores()[0])
    os.rename(home / "db", home / "away")
    (home / "db").write_text("no folder")
    until("the error is clear", lambda: "D1_ERROR: " in node.outcome("await env.DB.prepare('SELECT 1').run()").get("text", ""))
    text = node.outcome("await env.DB.prepare('SELECT 1').run()")["text"]
    assert "db" in text and not re.search(r"Traceback|Assertion", node.log_text()), text
    os.unlink(home / "db")
    os.rename(home / "away", home / "db")
    until("it works again", lambda: "value" in node.outcome("await env.DB.prepare('SELECT 1').run()"))
    assert column(node) == ["kept"]


def test_state_that_is_deleted_or_put_back_while_it_is_used(corral):
    """What is acknowledged is in the folder that has the name, not in one that nobody finds any more."""
    node = corral(project("DB"))
    prepare(node)
    insert(node, "kept")
    home = next(node.project.rglob("d1"))
    os.rename(home, home.with_name("away"))
    gone = "return (await env.DB.prepare(\"SELECT count(*) AS n FROM sqlite_master WHERE name = 't'\").first('n'))"
    until("an empty database is there", lambda: node.value(gone) == 0)
    prepare(node)
    insert(node, "new")
    assert column(node) == ["new"] and (home / "db" / "db.sqlite").exists()
    shutil.rmtree(home)
    os.rename(home.with_name("away"), home)
    until("the old one is there again", lambda: column(node) == ["kept"])
    assert insert(node, "more") == 2
    until("one process is left", lambda: len(node.stores()) == 1)


# ---- much at once ----


def test_a_thousand_queries_at_once(corral):
    node = corral(project("DB"))
    prepare(node)
    assert node.value("""
        async def one(i):
            if i % 10 == 0:
                await env.DB.prepare("INSERT INTO t (v) VALUES (?)").bind(str(i)).run()
            return await env.DB.prepare("SELECT ?1 AS n").bind(i).first("n")
        answers = await asyncio.gather(*[one(i) for i in range(1000)])
        return answers == list(range(1000))
    """) is True
    assert column(node, "SELECT count(*) FROM t") == [100]
    # Calls of one request run in the order in which they were made.
    assert node.value("""
        calls = []
        for i in range(50):
            calls.append(env.DB.prepare("UPDATE t SET v = ?1 WHERE id = 1").bind(str(i)).run())
            calls.append(env.DB.prepare("SELECT v FROM t WHERE id = 1").first("v"))
        answers = await asyncio.gather(*calls)
        return answers[1::2] == [str(i) for i in range(50)]
    """) is True


def test_who_does_not_read_is_not_sent_more(corral):
    node = corral(project("DB"), env={"CORRAL_TEST_INSTANCES": "1", "CORRAL_TEST_SPARES": "0"})
    prepare(node)
    store = node.stores()[0]
    before = rss_kb(node.pid), rss_kb(store.pid)
    instance, idle = node.instances()[0], ticks(store)
    got, thread = begin(node, """
        rows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 300000)"
        r = await env.DB.prepare(rows + " SELECT x, hex(zeroblob(200)) AS h FROM c").raw()
        return len(r)
    """)
    until("it computes", lambda: ticks(store) > idle)
    os.kill(instance.pid, signal.SIGSTOP)
    # 120 MB are to come: they wait in the store, not yet made.
    until("the store waits", lambda: not is_computing(store))
    holds("nothing grows", lambda: rss_kb(node.pid) < before[0] + 16 * 1024 * PATIENCE
          and rss_kb(store.pid) < before[1] + 32 * 1024 * PATIENCE, seconds=0.4)
    os.kill(instance.pid, signal.SIGCONT)
    thread.join()
    assert got == [{"value": 300000}], got
    assert BIN.name == "asan" or rss_kb(node.pid) < before[0] + 16 * 1024  # ASan keeps what is freed
