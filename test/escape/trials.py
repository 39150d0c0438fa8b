"""All attempts in one place, once; the tests look at what came of them."""
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from harness import descendants, free_port, is_alive, still_alive, until
from place import HERE, SHOP_SAYS, Place
from plain import table
from tiers import IS_ROOT, TIERS, USER, Tier

# What is searched for in memory must not be there from other attempts.
TABLE = dict(sorted(table().items(), key=lambda item: item[1].room != "memory"))
from attempt import ANYBODY, INSTANCE, NOT, OWN, ROOT, TEMPLATE  # noqa: E402

# What holds in every tier, whatever layers there are.
ALWAYS = {"always", "node", "engine"}
UNBOXED = {True: Tier("unboxed-root", "root, without a box", env={"CORRAL_TEST_BOX": "none"}),
           False: Tier("unboxed-user", "an ordinary user, without a box", spec={"uid": USER} if IS_ROOT else {},
                       env={"CORRAL_TEST_BOX": "none"})}
# Tiers in which those are tried at top level, too, whose process may end: each takes a start of its own.
THOROUGH = ("root", "user")


class Trials:
    """outcomes: {(name, stage): {"got", "stopped"}}; own: of those that go for what is the worker's; harm: what came to whom."""

    def __init__(self, tier):
        self.tier, self.layers = tier, set(tier.expected_layers())
        self.outcomes, self.own = {}, {}
        with Place(tier) as place:
            self.status = status_of_processes(place)
            for name, attempt in TABLE.items():
                self.outcomes[name, INSTANCE] = place.try_in_instance(name)
                if attempt.proof == OWN:
                    self.own[name] = place.try_in_instance(name, own=True)
            at_top = [name for name, attempt in TABLE.items() if TEMPLATE in attempt.where]
            together = [name for name in at_top if not TABLE[name].deadly]
            apart = [[name] for name in at_top if TABLE[name].deadly and tier.name in THOROUGH]
            for names in [together] + apart:
                for name, outcome in place.try_at_top(names).items():
                    self.outcomes[name, TEMPLATE] = outcome
            self.harm = harm_in(place)
            self.log = place.node.log_text()
            self.left = what_is_left(place) if "pids" in self.layers else None

    def promised(self, attempt):
        return bool(set(attempt.layers) & (self.layers | ALWAYS))


def harm_in(place):
    """What became of the host, the node and the neighbours: nothing, one hopes."""
    harm, host, folder = [], place.host, place.host.folder
    victim = host.look_at_victim()
    if victim != host.victim_is:
        harm.append("the victim: %r" % victim)
    for path in sorted((folder / "victims").iterdir()):
        about = path.stat()
        if path.name.split("-")[0] not in ("remove", "rename", "link", "truncate", "mode", "owner", "times", "xattr") or \
                path.read_text() != "whole" or about.st_mode & 0o777 != 0o666 or about.st_mtime != 1000 or about.st_nlink != 1:
            harm.append("changed: %s" % path.name)
    if len(list((folder / "victims").iterdir())) != 16:
        harm.append("files are missing")
    if list((folder / "scratch").iterdir()) or os.path.ismount(folder / "mount"):
        harm.append("something was made on the host")
    if (folder / "writable.txt").read_text() != "x" * 64:
        harm.append("the writable file was written")
    if host.web.asked:
        harm.append("a server of this machine was asked: %r" % host.web.asked)
    if not place.node.is_running():
        harm.append("the node has ended")
    elif place.neighbours_answer() != SHOP_SAYS:
        harm.append("the neighbour says %r" % place.neighbours_answer())
    return harm


SPACES = ("mnt", "pid", "net", "ipc", "uts", "cgroup", "user")


def spaces_of(pid):
    return {kind: os.readlink("/proc/%d/ns/%s" % (pid, kind)) for kind in SPACES}


def status_of_processes(place):
    """What the kernel says of the node, and of its templates and instances:
    ({namespace: id}, [(kind, {field: text}, {namespace: id}, limits, environment)])."""
    place.node.get("tries", "/top")
    _, templates, instances = place.node.generations()
    found = []
    for kind, processes in (("template", templates), ("instance", instances)):
        for process in processes:
            about = "/proc/%d/" % process.pid
            try:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in open(about + "status") if ":\t" in line)
                limits = {line[:25].strip(): line[25:].split() for line in open(about + "limits")}
                all_of_it = kind, status, spaces_of(process.pid), limits, open(about + "environ", "rb").read()
            except (FileNotFoundError, ProcessLookupError):
                continue  # an instance that was not needed any more
            if is_alive(process):   # what ends has lost some of it already
                found.append(all_of_it)
    return spaces_of(place.node.pid), found


LEAVES = """
import ctypes, os, time
libc = ctypes.CDLL(None)
def stay():
    for fd in range(0, 64):
        try: os.close(fd)
        except OSError: pass
    while True: libc.usleep(50000)
for flags in (17, 0, 0x8000 | 17, 17, 17):
    pid = libc.syscall(56, flags, 0, 0, 0, 0) if os.uname().machine == "x86_64" else libc.syscall(220, flags, 0, 0, 0, 0)
    if pid == 0:
        if libc.syscall(56 if os.uname().machine == "x86_64" else 220, 17, 0, 0, 0, 0) == 0:
            libc.setsid()
            libc.prctl(1, 0, 0, 0, 0)
            stay()
        stay()
from js import Response
def on_fetch(request):
    return Response.new("stayed")
"""


def what_is_left(place):
    """Processes that top-level code forks, and which live when the worker, then the node, has ended."""
    said = place.node.upload("leaves", LEAVES, {"compatibility_date": "2024-03-29"})
    if said.success:
        place.node.get("leaves")
    # Whoever has lost its parent is a child of the first in its pid namespace, so still below the node.
    family = descendants(place.node.pid)
    place.node.process.kill()
    place.node.wait_exit()
    try:
        until("all have ended", lambda: not still_alive(family))
        return []
    except AssertionError:
        left = still_alive(family)
        for process in left:
            os.kill(process.pid, signal.SIGKILL)
        return ["%s, one of %d" % (process.name, len(family)) for process in left]


class Proof:
    """All that needs no box to fail, in a node without one whose fetch is open."""

    def __init__(self, is_root):
        self.tier = UNBOXED[is_root]
        self.outcomes, self.plain = {}, {}
        names = [name for name, attempt in TABLE.items() if attempt.proof == ANYBODY or (attempt.proof == ROOT and is_root)]
        api = free_port()
        flags = ["--allow-fetch", "*", "--allow-fetch", "127.0.0.1:%d" % api]
        with Place(self.tier, flags, api="127.0.0.1:%d" % api) as place:
            for name in names:
                self.outcomes[name] = place.try_in_instance(name)
                place.host.look_at_victim()     # has heard this one's signal: two of a kind that wait would be one
            failed = [name for name in names if not self.outcomes[name]["got"]]
            if failed:
                argv, environment = self.tier.wrap([sys.executable, str(HERE / "plain.py")])
                done = subprocess.run(argv, env=environment, input=json.dumps({"names": failed, "facts": place.facts}), text=True,
                                      stdout=subprocess.PIPE, timeout=60)
                self.plain = {one["name"]: one for one in json.loads(done.stdout)}
            self.victim = place.host.look_at_victim()


# Each is made once, two at a time: much of it is waiting.
makers = concurrent.futures.ThreadPoolExecutor(2)
made = {}
MAKE = {tier.name: (Trials, tier) for tier in TIERS}
MAKE.update({"proof-%s" % is_root: (Proof, is_root) for is_root in (True, False)})


def begin(names):
    """Make these, in this order."""
    for name in names:
        if name not in made:
            made[name] = makers.submit(*MAKE[name])


def wait_for(name):
    """What was made, or why it could not be."""
    begin([name])
    error = made[name].exception()
    if error:
        raise AssertionError("%s: %s" % (type(error).__name__, error)) from None
    return made[name].result()


def trials(tier):
    return wait_for(tier.name)


def proof(is_root):
    return wait_for("proof-%s" % is_root)
