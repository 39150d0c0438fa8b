"""Three generations of processes, seen from /proc: how they live, and what happens when one dies."""
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness import BIN, HELLO, LAB, PATIENCE, Load, children, descendants, is_alive, processes, until

SPIN = """
import os, time
from js import Response

async def on_fetch(request, env):
    if "/spin" in request.url:
        print("spins")
        end = time.thread_time() + float(request.url.rsplit("=", 1)[1])     # of the processor: on a busy machine it takes longer
        while time.thread_time() < end:
            pass
    if "/hold" in request.url:
        name = request.url.rsplit("=", 1)[1]
        while not os.path.exists(name):         # in the bundle, whose folder this is
            pass
    return Response.new(str(os.getpid()))
"""


def let_go(corral, name):
    """End /hold?until=NAME."""
    (next(corral.project.glob(".corral/bundles/*/src/..")).resolve() / name).write_text("")


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    until("pid %d is gone" % process.pid, lambda: not is_alive(process.pid))


def serves(corral, text="Hello world!", times=20):
    """So many good answers in a row."""
    good = 0

    def once():
        nonlocal good
        answer = corral.get()
        good = good + 1 if answer.status == 200 and (text is None or answer.text == text) else 0
        return good >= times
    until("%d good answers in a row" % times, once)


def linked(program):
    return subprocess.run(["ldd", str(BIN / program)], stdout=subprocess.PIPE, check=True, text=True).stdout.lower()


# ---- who is who ----


def has_python(program):
    """Linked to the shared library, or with CPython inside."""
    return "libpython3" in linked(program) or b"Py_InitializeFromConfig" in (BIN / program).read_bytes()


def test_the_node_links_no_engine():
    for program in ("corral", "corral-store"):
        assert "javascriptcore" not in linked(program) and not has_python(program)


def test_the_worker_links_both_engines():
    # Shows that the test above looks for the right names.
    assert "javascriptcore" in linked("corral-worker") and has_python("corral-worker")


def test_node_zygote_template_instance(hello):
    hello.get()
    zygotes, templates, instances = hello.wait_settled()
    for process, parent in ((zygotes[0], hello.pid), (templates[0], zygotes[0].pid), (instances[0], templates[0].pid)):
        assert process.parent == parent
        assert os.readlink("/proc/%d/exe" % process.pid) == str(BIN / "corral-worker")
    assert os.readlink("/proc/%d/exe" % hello.pid) == str(BIN / "corral")
    # Nothing else lives under the node (a spare may be forked between two looks).
    until("all of them are known", lambda: {p.pid for p in descendants(hello.pid)} == {p.pid for g in hello.generations() for p in g})


def test_zygote_and_template_have_one_thread(hello):
    hello.get()
    hello.wait_settled()
    for who in hello.zygotes() + hello.templates():
        until("pid %d has one thread" % who.pid, lambda: len(os.listdir("/proc/%d/task" % who.pid)) == 1)


def test_the_answer_comes_from_an_instance(corral):
    one = corral(SPIN)
    assert one.outer(int(one.get().text))


def test_a_spare_is_there_before_the_first_request(hello):
    until("an instance before any request", hello.instances)


def test_a_spare_is_replaced_without_a_request(hello):
    first = until("an instance", hello.instances)[0]
    kill(first)
    until("another one", lambda: [p for p in hello.instances() if p.pid != first.pid])


def test_nothing_is_forked_ahead_when_spares_are_off(corral):
    one = corral(SPIN, env={"CORRAL_TEST_SPARES": "0", "CORRAL_TEST_INSTANCES": "1"})    # no second one for who finds the first busy
    assert one.outer(int(one.get().text))
    assert len(one.instances()) == 1


JAVASCRIPT = {
    "wrangler.toml": 'name = "hello"\nmain = "src/index.js"\ncompatibility_date = "2025-09-01"\n',
    "src/index.js": "export default { fetch: () => new Response('Hello') };\n",
}


@pytest.mark.rel
@pytest.mark.parametrize("files", [HELLO, JAVASCRIPT], ids=["python", "javascript"])
def test_a_template_shares_most_of_its_memory_with_its_zygote(corral, files):
    """What the garbage collectors look at is copied: they look at nothing that the zygote has made."""
    one = corral(files, env={"CORRAL_TEST_SPARES": "0"})
    template = until("a template", one.templates)[0]

    def kilobytes(kind):
        return int(re.search(r"^%s_Dirty: +(\d+) kB$" % kind, Path("/proc/%d/smaps_rollup" % template.pid).read_text(), re.M).group(1))
    until(lambda: "less of its own than shared: %d, %d kB" % (kilobytes("Private"), kilobytes("Shared")), lambda: 0 < kilobytes("Private") < kilobytes("Shared"))


# ---- retiring and growing ----


def test_idle_instances_are_retired_and_come_back(corral):
    one = corral(SPIN, env={"CORRAL_TEST_SPARES": "0", "CORRAL_TEST_IDLE_MS": "200"})
    first = int(one.get().text)
    until("no instance is left", lambda: not one.instances())
    assert len(one.templates()) == 1, "the template stays"
    second = int(one.get().text)
    assert first != second


def test_an_idle_instance_is_not_retired_under_load(corral):
    one = corral(SPIN, env={"CORRAL_TEST_SPARES": "0", "CORRAL_TEST_IDLE_MS": "200"})
    with Load(one, 2) as load:
        begun = time.monotonic()
        until("a second of load", lambda: time.monotonic() - begun > 1)
    assert load.statuses() == {200}


class Held:
    """with Held(corral, "name") as held: an instance computes, and does nothing else; held.answer is then of its request."""

    def __init__(self, corral, name):
        self.corral, self.name, self.quick, self.asking = corral, name, [], []

    def ask(self):
        self.answer = self.corral.get("/hold?until=" + self.name)

    def ask_quickly(self):
        """The answer to a request that comes meanwhile.  One that comes before the node has noticed waits with the others."""
        def look():
            self.asking.append(threading.Thread(target=lambda: self.quick.append(self.corral.get("/quick"))))
            self.asking[-1].start()
            self.asking[-1].join(0.2)
            return self.quick
        until("an answer meanwhile", look)
        return self.quick[0]

    def __enter__(self):
        before = {process.pid: used_ms(process) for process in self.corral.instances()}
        self.asking.append(threading.Thread(target=self.ask))
        self.asking[0].start()
        until_long_busy(self.corral, before)
        return self

    def __exit__(self, *_):
        let_go(self.corral, self.name)
        for thread in self.asking:
            thread.join()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs a free core")
def test_a_second_instance_answers_while_one_is_busy(corral):
    one = corral(SPIN)
    one.get()
    with Held(one, "told") as held:
        answer = held.ask_quickly()
        assert answer.status == 200 and held.asking[0].is_alive()
    assert held.answer.status == 200 and held.answer.text != answer.text, "both came from one instance"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs a free core")
def test_an_instance_that_computes_does_not_hold_up_others(corral):
    one = corral(SPIN)
    one.get()
    for n in range(5):
        with Held(one, "round%d" % n) as held:
            assert held.ask_quickly().status == 200 and held.asking[0].is_alive()


def test_answers_do_not_wait_for_all_the_requests_behind_them(corral):
    """Three requests read in one go: what is answered leaves before the last one is worked on."""
    one = corral(SPIN, env={"CORRAL_TEST_INSTANCES": "1", "CORRAL_TEST_SPARES": "0"})
    pid = one.outer(int(one.get().text))
    os.kill(pid, signal.SIGSTOP)
    sockets = []
    for path in ("/spin?s=0.1", "/spin?s=0.1", "/hold?until=told"):
        sockets.append(socket.create_connection(("127.0.0.1", one.port), 20 * PATIENCE))
        sockets[-1].sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
        # The node answers this by itself, after it has read the one above.
        with socket.create_connection(("127.0.0.1", one.port), 20 * PATIENCE) as bad:
            bad.sendall(b"BAD\r\n\r\n")
            assert b" 400 " in bad.recv(4096)
    os.kill(pid, signal.SIGCONT)
    for quick in sockets[:2]:
        assert b" 200 " in quick.recv(4096)     # the last one does not end before
    let_go(one, "told")
    assert b" 200 " in sockets[2].recv(4096)
    for s in sockets:
        s.close()


def used_ms(process):
    """Processor time of a process so far; 0 when it is gone."""
    try:
        with open("/proc/%d/schedstat" % process.pid) as f:
            return int(f.read().split()[0]) / 1e6
    except OSError:
        return 0


def until_long_busy(corral, before):
    """Wait until an instance has been computing for longer than the node waits for a
    sign of life (busy_ms of src/herd/herd.h).  before: used_ms of each at the start."""
    until("an instance has been busy for long", lambda: any(
        used_ms(process) - before.get(process.pid, 0) > 60 for process in corral.instances()))


# ---- deaths ----


def test_killing_the_node_leaves_nothing(hello):
    hello.get()
    hello.wait_settled()
    family = [p.pid for p in descendants(hello.pid)]
    assert len(family) >= 3
    hello.process.kill()
    hello.process.wait()
    until("all of %s are gone" % family, lambda: not any(is_alive(p) for p in family))
    hello.assert_nothing_left()


def test_killing_the_node_under_load_leaves_nothing(hello):
    hello.wait_settled()
    with Load(hello, 4) as load:
        load.wait(100)
        family = [p.pid for p in descendants(hello.pid)]
        hello.process.kill()
        hello.process.wait()
    until("all are gone", lambda: not any(is_alive(p) for p in family))
    hello.assert_nothing_left()


def test_killing_the_node_while_an_instance_spins_leaves_nothing(corral):
    one = corral(SPIN)
    one.get()
    with one.connect() as s:
        s.sendall(b"GET /spin?s=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        one.wait_log("spins")
        family = [p.pid for p in descendants(one.pid)]
        one.process.kill()
        one.process.wait()
        until("all are gone", lambda: not any(is_alive(p) for p in family))
    one.assert_nothing_left()


@pytest.mark.parametrize("generation", ["instance", "template", "zygote"])
def test_every_request_is_answered_when_one_dies_under_load(hello, generation):
    hello.get()
    hello.wait_settled()
    with Load(hello, 8) as load:
        for _ in range(3):
            load.wait(100)
            victim = dict(zip(("zygote", "template", "instance"), hello.wait_settled()))[generation][-1]
            kill(victim)
            until("a successor", lambda: [p for p in dict(zip(
                ("zygote", "template", "instance"), hello.generations()))[generation] if p.pid != victim.pid])
            load.wait(50)
        serves(hello)
    assert not load.unanswered(), load.unanswered()[:3]
    assert load.statuses() <= {200, 500, 502, 503}, load.statuses()
    assert (200, "Hello world!") in load.results
    # A death costs the requests it held, not those that come after it.
    bad = sum(1 for status, _ in load.results if status != 200)
    assert bad < len(load.results) / 2, "%d of %d failed" % (bad, len(load.results))
    hello.wait_settled()


@pytest.mark.long
def test_a_template_that_does_not_fork_any_more_is_replaced(hello):
    hello.get()
    stuck = hello.wait_settled()[1][0].pid
    os.kill(stuck, signal.SIGSTOP)
    until("it stands still", lambda: processes()[stuck].state == "T")
    for instance in hello.instances():
        kill(instance)
    until("another template", lambda: [t for t in hello.templates() if t.pid != stuck])
    serves(hello)
    until("the stuck one is gone", lambda: not is_alive(stuck))


def test_an_instance_that_dies_in_a_request_is_a_5xx_with_a_reason(corral):
    one = corral({"src/entry.py": LAB})
    one.get()
    answer = one.run("import ctypes\nctypes.string_at(0)")  # SIGSEGV
    assert 500 <= answer.status < 600 and answer.text.strip()
    serves(one, "ready")
    assert one.is_running()


def test_deaths_again_and_again_do_not_end_the_node(hello):
    for _ in range(10):
        kill(until("an instance", hello.instances)[0])
        assert hello.get().status in (200, 500, 502, 503)
    serves(hello)
    assert len(hello.zygotes()) == 1 and len(hello.templates()) == 1


def test_a_worker_that_always_dies_at_start_does_not_spin_the_node(corral):
    """Restart with back-off: the answer is a 5xx, and the processor stays free."""
    one = corral({"src/entry.py": "import ctypes\nctypes.string_at(0)\n"}, ready=False)
    until("the death is in the log", lambda: any("err" in l or "wrn" in l or "died" in l for l in one.log_lines()))
    before = cpu_seconds(one)
    begun = time.monotonic()
    until("two seconds", lambda: time.monotonic() - begun > 2)
    assert cpu_seconds(one) - before < 1.5 * PATIENCE, "it restarts without a pause"
    assert one.is_running()
    one.write("src/entry.py", 'from js import Response\n\ndef on_fetch(request):\n    return Response.new("alive")\n')
    one.wait_ready()
    serves(one, "alive")


def test_a_worker_whose_every_instance_ends_at_its_start_says_so_at_once(corral):
    one = corral({"src/entry.py": "import os\nfrom js import Response\n\nos.register_at_fork(after_in_child=lambda: os._exit(3))\n\n"
                                  "def on_fetch(request):\n    return Response.new('never')\n"})
    one.wait_log(r"'hello' does not start: 3 instances in a row")
    for _ in range(3):
        begun = time.monotonic()
        answer = one.get()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1"), answer
        assert "'hello' does not start: its process ended" in answer.text, answer.text
        assert time.monotonic() - begun < 3 * PATIENCE
    assert "(process 0)" not in one.log_text()
    one.write("src/entry.py", "from js import Response\n\ndef on_fetch(request):\n    return Response.new('alive')\n")
    until("the new version answers", lambda: one.get().text == "alive")


def cpu_seconds(corral):
    """Of the node and all that it has waited for or that lives."""
    total = 0
    for pid in [corral.pid] + [p.pid for p in descendants(corral.pid)]:
        try:
            fields = open("/proc/%d/stat" % pid).read().rpartition(")")[2].split()
            total += sum(int(x) for x in fields[11:15])
        except OSError:
            pass
    return total / os.sysconf("SC_CLK_TCK")


# ---- the end ----


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_within_a_second(hello, sign):
    hello.get()
    hello.wait_settled()
    hello.stop(sign)
    hello.assert_nothing_left()
    assert hello.process.returncode in (0, -sign, 128 + sign)


def test_sigterm_ends_all_within_a_second_while_one_spins(corral):
    one = corral(SPIN)
    one.get()
    with one.connect() as s:
        s.sendall(b"GET /spin?s=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        one.wait_log("spins")
        one.stop()
    one.assert_nothing_left()


def test_sigterm_right_at_the_start(corral):
    one = corral(ready=False)
    until("the first process under it", lambda: children(one.pid))
    one.stop()
    one.assert_nothing_left()


def test_a_request_in_flight_is_finished_before_the_end(corral):
    one = corral(LAB, env={"CORRAL_TEST_DRAIN_MS": str(20_000 * PATIENCE)})
    one.get()
    got = []
    asker = threading.Thread(target=lambda: got.append(one.run(
        'console.log("begun")\nawait asyncio.sleep(0.3)\nreturn Response.new("finished")')))
    asker.start()
    one.wait_log("begun")
    one.stop()
    asker.join()
    assert (got[0].status, got[0].text) == (200, "finished")


def test_the_node_takes_as_many_descriptors_as_it_may_and_an_instance_few(hello):
    hello.get()
    instance = hello.wait_settled()[-1][0]
    soft, hard = open_files(hello.pid)
    assert soft == hard
    assert open_files(instance.pid) == (256, 256)


def open_files(pid):
    """Soft and hard limit of open files."""
    with open("/proc/%d/limits" % pid) as f:
        words = re.search(r"^Max open files\s+(\d+)\s+(\d+)", f.read(), re.M).groups()
    return int(words[0]), int(words[1])


@pytest.mark.long
def test_a_worker_whose_every_instance_hangs_serves_again(corral):
    one = corral(SPIN, env={"CORRAL_TEST_STUCK_MS": "3000"})
    one.wait_settled()
    spinning = [threading.Thread(target=lambda: one.get("/spin=600", timeout=300), daemon=True)
                for _ in range(2 * os.cpu_count())]
    for thread in spinning:
        thread.start()
    one.wait_log("has not returned to the event loop", deadline=120)
    until("it serves", lambda: one.get(timeout=120).status == 200, deadline=240)
    one.stop(within=5)
