"""What top-level code forks, where no pid namespace ends it: it goes with its template, with its zygote, or when the node starts again."""
import os
import signal

import pytest

from chaos import ABOUT
from harness import adopt_orphans, children, is_alive, processes, until

pytestmark = pytest.mark.asan

# Forks past Python, twice, so that its template is not its parent; goes on to fork and to end, so that no number lasts.
# An end of its own it has as well: what a failing test leaves behind would take a processor for ever.
LEAVER = """
import ctypes, os, time
from js import Response
libc = ctypes.CDLL(None)
if libc.syscall(%(fork)d) == 0:
    if libc.syscall(%(fork)d) == 0:
        end = time.monotonic() + 300
        while time.monotonic() < end:
            time.sleep(%(pause)s)
            if %(hops)s and libc.syscall(%(fork)d) != 0:
                os._exit(0)
        os._exit(0)
    os._exit(0)
time.sleep(0.3)

async def on_fetch(request, env):
    return Response.new("serves")
"""
CROWD = """
import ctypes, os, time
from js import Response
libc = ctypes.CDLL(None)
if libc.syscall(%(fork)d) == 0:
    for n in range(40):
        if libc.syscall(%(fork)d) == 0:
            time.sleep(300)
            os._exit(0)
    os._exit(0)
time.sleep(20)

async def on_fetch(request, env):
    return Response.new("serves")
"""
FORK = {"x86_64": 57}.get(os.uname().machine)
ONLY = {"CORRAL_TEST_BOX": "landlock"}


def forks(source, pause=0.2, hops=False):
    return source % {"fork": FORK, "pause": pause, "hops": hops}


def of_session(leader):
    """Who is of this session and has not ended: [pid]."""
    found = []
    for pid in processes():
        try:
            with open("/proc/%d/stat" % pid) as f:
                state, _, _, session = f.read().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state not in "ZX":
            found.append(pid)
    return found


def is_empty(leader):
    """Nobody of this session is left: one look may miss who forks on and on."""
    return not any(of_session(leader) for _ in range(20))


def strays_of(node):
    """Those that have left their template: children of a zygote that lead no group."""
    zygote = node.zygotes()[0].pid
    found = []
    for process in children(zygote):
        try:
            if os.getpgid(process.pid) != process.pid:
                found.append(process.pid)
        except ProcessLookupError:
            pass
    return found


@pytest.mark.skipif(FORK is None, reason="fork's number is x86_64's")
def test_what_has_left_its_template_ends_all_the_same(serve):
    adopt_orphans()
    node = serve("--access-log", "off", env=ONLY)
    node.deploy("leaver", forks(LEAVER), ABOUT)
    node.deploy("hops", forks(LEAVER, 0.002, True), ABOUT)
    assert node.get("leaver").text == node.get("hops").text == "serves"
    zygote = node.zygotes()[0].pid
    until("both have left", lambda: len(strays_of(node)) >= 2)

    # With the template.
    templates = [p.pid for p in children(zygote) if p.pid not in strays_of(node) and children(p.pid)]
    for pid in templates:
        os.kill(pid, signal.SIGKILL)
    for pid in templates:
        until("its group ends with it", lambda pid=pid: not any(group_of(one) == pid for one in of_session(zygote)))

    # With the zygote.
    assert node.get("leaver").text == node.get("hops").text == "serves"
    until("both have left", lambda: len(strays_of(node)) >= 2)
    os.kill(zygote, signal.SIGKILL)
    until("its session ends with it", lambda: is_empty(zygote))

    # With the next node, when this one has no time to see to it.
    until("it serves again", lambda: node.get("leaver", timeout=60).text == "serves")
    assert node.get("hops").text == "serves"
    until("both have left", lambda: len(strays_of(node)) >= 2)
    zygote = node.zygotes()[0].pid
    node.process.kill()
    node.wait_exit()
    until("the zygote has gone", lambda: not is_alive(zygote))
    assert of_session(zygote), "nothing was left behind: this test shows nothing"
    again = serve("--access-log", "off", data=node.data, token=False, env=ONLY)
    again.wait_log("processes were ended that workers of a killed node had left behind")
    until("its session ends", lambda: is_empty(zygote))


def group_of(pid):
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


@pytest.mark.skipif(FORK is None, reason="fork's number is x86_64's")
def test_what_has_left_its_template_is_counted(serve):
    node = serve("--access-log", "off", env=ONLY)
    said = node.upload("crowd", forks(CROWD), ABOUT)
    assert said.status == 400 and "started processes, which workers have none of" in said.text, (said.status, said.errors)
    zygote = node.zygotes()[0].pid
    until("they end with it", lambda: of_session(zygote) == [zygote])
