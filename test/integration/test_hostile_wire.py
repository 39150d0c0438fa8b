"""Native code of workers that writes to its own socket to the node: it is ended or contained, and nobody else feels it."""
import contextlib
import os
import socket
import threading
import time

import pytest

from harness import PATIENCE, children, descendants, rss_kb, until
from hostile_instance import INSTANCE, TEMPLATE_WAYS, Neighbour, ask, p99, template
from origin import stop_listening

pytestmark = pytest.mark.apart

ABOUT = {"compatibility_date": "2024-03-29"}
CALM = "from js import Response\nasync def on_fetch(request, env):\n    return Response.new('calm')\n"
# Broken rules of the wire: each ends its process, and the node says so.
LIES = ["wrong_stream", "giant", "event", "body_first", "longer", "more_than_credit", "two_heads", "hello", "pong", "exited", "spawned",
        "credit", "others_outcalls"]
# These break none; a deadline or a limit ends them, or they end by themselves.
SILENT = ["many_outcalls", "half", "stop", "hold", "open_outcalls", "close", "exit"]
FLOODS = ["flood_credit", "flood_gone", "flood_body", "flood_calls", "flood_calls_read", "outcalls_and_away", "flood_log",
          "flood_log_long", "flood_lines"]
# Workers that share them, and those that write noise: after a death the next fork of a worker waits, longer each time.
GROUP, NOISY = 10, 4


# Of the test of floods.
BUSY, ROUNDS = 0.6, 10


def descriptors(node):
    return len(os.listdir("/proc/%d/fd" % node.pid))


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve("--access-log", "off", "--startup-ms", str(5000 * PATIENCE), env={
        "CORRAL_TEST_STUCK_MS": str(2000 * PATIENCE), "CORRAL_TEST_QUEUE_MS": str(10000 * PATIENCE)})
    node.add_account("victim")
    node.deploy("calm", CALM, ABOUT, account="victim")
    assert node.get("calm", account="victim").text == "calm"
    node.of_victim = [process.pid for process in children(node.pid)]  # No other account has had a worker yet.
    return node


@pytest.fixture(scope="module")
def neighbour(node):
    one = Neighbour(node, node.host_of("calm", "victim"))
    yield one
    one.close()


def attack(node, name, ways, seeds=(0,)):
    for seed in seeds:
        for way in ways:
            ask(node, node.host_of(name), "/?way=%s&seed=%d" % (way, seed), 60 * PATIENCE)


def all_at_once(tasks):
    """Each in a thread; what one raises is raised here."""
    wrong = []

    def run(task):
        try:
            task()
        except BaseException as error:
            wrong.append(error)
    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]


def test_every_lie_ends_its_process_and_nothing_else(node, neighbour):
    groups = [(LIES + SILENT)[n::GROUP] for n in range(GROUP)]
    for first in range(2):  # No more than eight uploads are checked at once.
        all_at_once([lambda n=n: node.deploy("bad%d" % n, INSTANCE, ABOUT) for n in range(first, GROUP + NOISY, 2)])
    since = node.mark()
    for again in range(2):
        tasks = [lambda n=n: attack(node, "bad%d" % n, groups[n]) for n in range(GROUP)]
        tasks += [lambda n=n: attack(node, "bad%d" % (GROUP + n), ["noise"], [2 * n + again]) for n in range(NOISY)]
        neighbour.begin(2)
        all_at_once(tasks)
        assert neighbour.end()
        if not again:
            before = rss_kb(node.pid), descriptors(node)
    until("the descriptors are as before", lambda: descriptors(node) <= before[1] + 8)
    is_given_back(node, before[0])
    said = until("each is said", lambda: (lambda said: len(said) >= len(LIES) and said)(
        [line for line in node.log_lines()[since:] if "broke the protocol" in line]))
    for words in ("that is not open", "BODY frame of 2147483647 bytes", "start of frame EVENT", "BODY before RESPONSE", "HELLO frame from",
                  "PONG without PING", "EXITED frame from", "CREDIT of 4294967295 bytes"):
        until(lambda: "%s in %s" % (words, said), lambda: any(words in line and "broke the protocol" in line for line in node.log_lines()[since:]))
    assert node.get("calm", account="victim").text == "calm"


def cores(*pids):
    """Every thread of these processes and of all below them: on that core alone.  What they fork stays there."""
    def put(core):
        for pid in pids:
            for one in [pid] + [process.pid for process in descendants(pid)]:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):    # it has ended, or this thread of it
                    for thread in os.listdir("/proc/%d/task" % one):
                        with contextlib.suppress(ProcessLookupError):
                            os.sched_setaffinity(int(thread), {core})
    return put


def apart(node, neighbour, attackers):
    """Attackers have a core to themselves, where there are two: what they take from a neighbour by computing is between them
    and the kernel, and no concern of the node.  What is left is what they take from it by what they say."""
    known = sorted(os.sched_getaffinity(0))
    if len(known) > 1:
        cores(node.pid, neighbour.process.pid)(known[0])
        cores(*attackers)(known[-1])


def computed(pid):
    """Seconds of the processor that a process's first thread has had: the node's loop."""
    with open("/proc/%d/schedstat" % pid) as f:
        return int(f.read().split()[0]) / 1e9


def flooders(way):
    """Their workers: of each way its own, since the more of a worker's instances have been ended the later comes its next."""
    return ["%s-%d" % (way.replace("_", "-"), n) for n in range(2)]


def window(node, neighbour, way, seconds=0.5):
    """p99 of the neighbour beside two processes that flood the node (way None: beside nobody), and how much of a core the node
    took meanwhile."""
    stop = threading.Event()

    def flood(name):
        while not stop.is_set():
            ask(node, node.host_of(name, "flooder"), "/?way=" + way, 60 * PATIENCE)
    threads = [threading.Thread(target=flood, args=(name,)) for name in (flooders(way) if way else ())]
    for thread in threads:
        thread.start()
    begun, before = time.monotonic(), computed(node.pid)
    neighbour.begin(seconds)
    times = neighbour.end()
    share = (computed(node.pid) - before) / (time.monotonic() - begun)
    stop.set()
    for thread in threads:
        thread.join()
    return p99(times), share


def is_given_back(node, before):
    """But for what the heap may keep, and 2 MiB for what is learned by the way."""
    until(lambda: "memory is given back: %d kB before, %d now" % (before, rss_kb(node.pid)),
          lambda: rss_kb(node.pid) < before + (6144 + 2048) * PATIENCE)


def is_bounded(node, before, peak, held=0):
    """A flooder's unread bytes end at 2 MiB (INSTANCE_UNREAD_MAX), in a buffer that doubles and is copied: four for each of
    two of them, and 6 that the heap may keep (HEAP_SPARE).  It gives back what is more, within two seconds."""
    print("memory %d kB before, at most %d" % (before, peak))
    assert peak < before + (16384 + 6144 + held) * PATIENCE, (before, peak)
    is_given_back(node, before)


@pytest.mark.long
def test_no_flood_takes_the_node_from_its_neighbour(node):
    """Two facts, for each way to flood.

    The node's loop does not work for who floods: BUSY of a core for two of them (6 to 33 % as measured on a machine that does
    nothing else, against 2 to 4 % with the neighbour alone).  That is processor time, which other work does not add to.

    p99 of the neighbour beside them is at most twice what it is alone.  Time in which node, worker or client were ready to run
    and something else had the processor does not count: that is between them and the kernel, and on a machine that others
    use it is most of it.  A millisecond on top: a turn in which frames of both are read takes FAIR_TURN_US longer, twice in
    the way of a request that alone takes as little.  Windows alternate, and the best of each kind counts."""
    others = {process.pid for process in children(node.pid)}
    node.add_account("flooder")
    node.deploy("first", CALM, ABOUT, account="flooder")
    assert node.get("calm", account="victim").text == "calm"
    victims = [process.pid for pid in node.of_victim for process in descendants(pid)]
    neighbour = Neighbour(node, node.host_of("calm", "victim"), watched=[node.pid] + victims)
    apart(node, neighbour, [process.pid for process in children(node.pid) if process.pid not in others])
    before, peak, since = rss_kb(node.pid), 0, node.mark()
    for way in FLOODS:
        for name in flooders(way):
            node.deploy(name, INSTANCE, ABOUT, account="flooder")
        calm, beside, busy = [], [], []
        for _ in range(ROUNDS):
            calm.append(window(node, neighbour, None)[0])
            late, share = window(node, neighbour, way)
            beside.append(late)
            busy.append(share)
            peak = max(peak, rss_kb(node.pid))
            if min(beside) <= 2 * min(calm) + PATIENCE:
                break
        print("%-20s p99 %.2f -> %.2f ms in %d windows, %.0f %% of a core" % (way, min(calm), min(beside), len(calm), 100 * max(busy)))
        assert max(busy) < BUSY * PATIENCE, (way, busy)
        assert min(beside) <= 2 * min(calm) + PATIENCE, (way, calm, beside)
    neighbour.close()
    is_bounded(node, before, peak)
    node.wait_log("lines of output in a second: the rest is dropped", since=since)


def unread(node, query):
    """Two workers that read nothing of what they ask for: how much memory the node had before, and has at most."""
    for n in range(2):
        node.deploy("unread%d" % n, INSTANCE, ABOUT)
    before, over, most = rss_kb(node.pid), threading.Event(), [0]

    def watch():
        while not over.wait(0.005):
            most.append(max(most.pop(), rss_kb(node.pid)))
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        all_at_once([lambda n=n: ask(node, node.host_of("unread%d" % n), "/?" + query, 60 * PATIENCE, "POST")
                     for n in range(2)])  # POST: nobody tries again.
    finally:
        over.set()
        watcher.join()
    return before, most[0]


def test_answers_that_nobody_reads_are_bounded_and_given_back(node):
    """Two processes ask for answers without end, 199 at once each, and read nothing: libcurl holds what it has read for them
    (EGRESS_WIDE_MAX of 128 KiB, the others of 32)."""
    with pouring() as port:
        before, peak = unread(node, "way=fetches_unread&port=%d" % port)
    is_bounded(node, before, peak, 64 * 128 + 2 * 199 * 40)


def test_refusals_that_nobody_reads_end_who_asks(serve):
    """Two that ask for nothing that there is and do not read the refusals are ended, with the reason; however long they take for
    so many: on this node their loops may stand still."""
    node = serve("--access-log", "off", env={"CORRAL_TEST_STUCK_MS": str(60000 * PATIENCE)})
    since = node.mark()
    before, peak = unread(node, "way=outcalls_and_away&seconds=%d" % (40 * PATIENCE))
    is_bounded(node, before, peak)
    for n in range(2):
        node.wait_log(r"an instance of 'unread%d' \(process \d+\) broke the protocol and was ended: it does not read what it is sent" % n,
                      since=since)


@contextlib.contextmanager
def pouring():
    """A server whose answers have no end; its port."""
    listener, clients = socket.create_server(("127.0.0.1", 0), backlog=1024), []

    def pour(client):
        try:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while True:
                client.sendall(bytes(65536))
        except OSError:
            pass

    def serve():
        try:
            while True:
                clients.append(listener.accept()[0])
                threading.Thread(target=pour, args=(clients[-1],), daemon=True).start()
        except OSError:
            pass
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    stop_listening(listener, thread)
    for client in clients:
        client.close()


def test_top_level_code_that_speaks_for_its_template(node, neighbour):
    """The upload is answered, whatever happens; what was taken serves or does not; the node says whose fault it was."""
    since, answers = node.mark(), {}

    def deploy(way):
        # No more than eight uploads are checked at once.
        said = until("an upload is checked", lambda: (lambda said: said.status != 503 and said)(
            node.upload("top-" + way.replace("_", "-"), template(way), ABOUT)), 60 * PATIENCE, every=0.2)
        answers[way] = said.status
        assert said.success or said.status in (400, 500), (way, said)
    neighbour.begin(3)
    all_at_once([lambda way=way: deploy(way) for way in TEMPLATE_WAYS])
    assert neighbour.end()
    assert answers["loaded_and_silent"] == 200 and answers["half"] != 200 and answers["exit"] != 200
    # It says that it has loaded and reads no order any more.
    begun = time.monotonic()
    status = ask(node, node.host_of("top-loaded-and-silent"), "/", 60 * PATIENCE)
    assert status == 503 and time.monotonic() - begun < 25 * PATIENCE, status
    node.wait_log(r"the template of 'top-loaded-and-silent' has forked nothing in 5 s: it is ended", since=since)
    node.wait_log(r"the template of 'top-response' broke the protocol", since=since)
    assert node.get("calm", account="victim").text == "calm"
