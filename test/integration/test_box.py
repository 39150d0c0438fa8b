"""What a worker may not do.  Runs against builds without sanitizers, which need a wider box.

Each refusal is asked for from inside, through Python, and for system calls that Python wraps
also raw, so that it is the kernel that refuses and not a missing module.
"""
import contextlib
import json
import os
import platform
import re
import signal
import subprocess
import sys

import pytest

from harness import BIN, HELLO, LAB, PACKAGES, ROOT, children, inner_pid, is_alive, status_of, until

pytestmark = pytest.mark.skipif(BIN.name in ("asan", "tsan"), reason="the box is wider under sanitizers")

EPERM, ENOENT, EACCES, EROFS, ENOSYS = 1, 2, 13, 30, 38

# Number on x86_64, on aarch64, arguments that would succeed for root outside the box.
SYSCALLS = {
    "socket AF_INET": (41, 198, "2, 1, 0"),
    "socket AF_INET6": (41, 198, "10, 2, 0"),
    "socket AF_UNIX": (41, 198, "1, 1, 0"),
    "socket AF_NETLINK": (41, 198, "16, 3, 0"),
    "connect": (42, 203, "3, b'\\x01\\x00/tmp/x\\x00', 9"),
    "bind": (49, 200, "3, b'\\x01\\x00/tmp/x\\x00', 9"),
    "listen": (50, 201, "3, 1"),
    "accept": (43, 202, "3, None, None"),
    "clone as fork": (56, 220, "17, 0, 0, 0, 0"),
    "clone3": (435, 435, "None, 0"),
    "execve": (59, 221, "b'/bin/true', None, None"),
    "execveat": (322, 281, "-100, b'/bin/true', None, None, 0"),
    "ptrace": (101, 117, "0, 0, 0, 0"),
    "process_vm_readv": (310, 270, "os.getppid(), None, 0, None, 0, 0"),
    "process_vm_writev": (311, 271, "os.getppid(), None, 0, None, 0, 0"),
    "pidfd_open": (434, 434, "os.getppid(), 0"),
    "pidfd_getfd": (438, 438, "3, 0, 0"),
    "kill the parent": (62, 129, "os.getppid(), 0"),
    "tgkill the parent": (234, 131, "os.getppid(), os.getppid(), 0"),
    "unshare NEWUSER": (272, 97, "0x10000000"),
    "unshare NEWNS": (272, 97, "0x20000"),
    "setns": (308, 268, "3, 0"),
    "mount": (165, 40, "b'none', b'/tmp', b'tmpfs', 0, None"),
    "pivot_root": (155, 41, "b'/', b'/'"),
    "chroot": (161, 51, "b'/'"),
    "bpf": (321, 280, "0, None, 0"),
    "io_uring_setup": (425, 425, "1, b'\\0' * 120"),
    "perf_event_open": (298, 241, "None, 0, -1, -1, 0"),
    "userfaultfd": (323, 282, "0"),
    "keyctl": (250, 219, "0, -3, 1, 0, 0"),
    "add_key": (248, 217, "b'user', b'x', b'x', 1, -3"),
    "open_by_handle_at": (304, 265, "3, None, 0"),
    "name_to_handle_at": (303, 264, "-100, b'/', None, None, 0"),
    "init_module": (175, 105, "None, 0, b''"),
    "kexec_load": (246, 104, "0, 0, None, 0"),
    "reboot": (169, 142, "0, 0, 0, None"),
    "setuid": (105, 146, "0"),
    "capset": (126, 91, "None, None"),
    "personality": (135, 92, "0x40000"),
    "seccomp": (317, 277, "0, 0, None"),
    "prctl NO_NEW_PRIVS": (157, 167, "38, 0, 0, 0, 0"),
    "prctl PDEATHSIG": (157, 167, "1, 0, 0, 0, 0"),
    "prlimit of another": (302, 261, "os.getppid(), 9, None, None"),
    "shmget": (29, 194, "0, 4096, 0o1600"),
    "syslog": (103, 116, "10, None, 0"),
}

NUMBER = {"x86_64": 0, "aarch64": 1}.get(platform.machine())


@pytest.mark.skipif(NUMBER is None, reason="no table of numbers for this machine")
@pytest.mark.parametrize("name", SYSCALLS)
def test_system_call_is_refused(lab, name):
    number, arguments = SYSCALLS[name][NUMBER], SYSCALLS[name][2]
    code = """
        libc = ctypes.CDLL(None, use_errno=True)
        result = libc.syscall(ctypes.c_long(%d), %s)
        if result == 0 and %d == %d:
            os._exit(0)     # the child of a fork that should not be
        return [result, ctypes.get_errno()]
    """ % (number, arguments, number, (56, 220)[NUMBER])
    result, error = lab.value(code)
    assert result == -1 and error in (EPERM, EACCES, EROFS, ENOSYS), (result, error, os.strerror(error))


PYTHON = {
    "socket": "import socket; socket.socket()",
    "socket.create_connection": "import socket; socket.create_connection(('127.0.0.1', 22), 1)",
    "os.fork": "pid = os.fork(); pid or os._exit(0)",
    "subprocess": "subprocess.run(['/bin/true'], check=True)",
    "os.posix_spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "os.execv": "os.execv('/bin/true', ['true'])",
    "os.kill": "os.kill(os.getppid(), 0)",
    "open for write": "open('/var/tmp/corral-box-test', 'w').write('x')",
    "open for append": "open('/etc/passwd', 'a')",
    "open r+": "open('/etc/passwd', 'r+')",
    "O_TMPFILE": "os.open('/var/tmp', os.O_TMPFILE | os.O_RDWR)",
    "tempfile": "import tempfile; tempfile.TemporaryFile(dir='/var/tmp')",
    "own source": "open(sys.modules[__name__].__file__, 'a')",
    "os.unlink": "os.unlink('/var/tmp/corral-box-test-victim')",
    "os.rename": "os.rename('/var/tmp/corral-box-test-victim', '/var/tmp/corral-box-test-2')",
    "os.mkdir": "os.mkdir('/var/tmp/corral-box-test-dir')",
    "os.symlink": "os.symlink('/etc', '/var/tmp/corral-box-test-link')",
    "os.chmod": "os.chmod('/var/tmp/corral-box-test-victim', 0o777)",
    "os.truncate": "os.truncate('/var/tmp/corral-box-test-victim', 0)",
    "os.utime": "os.utime('/var/tmp/corral-box-test-victim')",
    "os.mkfifo": "os.mkfifo('/var/tmp/corral-box-test-fifo')",
    "os.setuid": "os.setuid(0)",
    "os.chroot": "os.chroot('/')",
    "os.openpty": "os.openpty()",
    "memory of the parent": "open('/proc/%d/mem' % os.getppid(), 'r+b')",
}


@pytest.fixture(scope="module")
def victim():
    path = "/var/tmp/corral-box-test-victim"
    with open(path, "w") as f:
        f.write("whole")
    yield path
    with open(path) as f:
        assert f.read() == "whole", "a worker changed a file"
    os.unlink(path)
    left = [n for n in os.listdir("/var/tmp") if n.startswith("corral-box-test")]
    assert not left, left


@pytest.mark.parametrize("name", PYTHON)
def test_python_is_refused(lab, victim, name):
    outcome = lab.outcome("\n".join(PYTHON[name].split("; ")) + "\nreturn 'it worked'")
    assert outcome.get("is_os_error"), outcome
    # tempfile tries every folder and then says that none is there.
    allowed = (EPERM, EACCES, EROFS, ENOSYS) + ((ENOENT,) if name == "tempfile" else ())
    assert outcome["errno"] in allowed, outcome


def test_threads_of_our_own_process_are_allowed(lab):
    # A box that refuses everything would pass the tests above.
    assert lab.value("""
        import threading
        done = []
        thread = threading.Thread(target=lambda: done.append(1))
        thread.start(); thread.join()
        return done
    """) == [1]


def test_reading_and_the_standard_library_still_work(lab):
    assert lab.value("import zoneinfo, csv, xml.dom.minidom, sqlite3\nreturn 'imported'") == "imported"


# ---- seen from outside ----


@pytest.fixture
def boxed(lab):
    """/proc of the instance that answers."""
    return "/proc/%d/" % lab.outer(lab.value("return os.getpid()"))


def test_instance_has_no_new_privs_and_a_filter(boxed):
    status = open(boxed + "status").read()
    assert re.search(r"^NoNewPrivs:\t1$", status, re.M)
    assert re.search(r"^Seccomp:\t2$", status, re.M)


def test_template_has_no_new_privs_and_a_filter(lab):
    template = lab.wait_settled()[1][0]
    status = open("/proc/%d/status" % template.pid).read()
    assert re.search(r"^NoNewPrivs:\t1$", status, re.M)
    assert re.search(r"^Seccomp:\t2$", status, re.M)


def test_every_thread_of_an_instance_is_filtered(lab, boxed):
    looked_at = 0
    for thread in os.listdir(boxed + "task"):
        try:
            with open(boxed + "task/%s/status" % thread) as f:
                status = f.read()
        except (FileNotFoundError, ProcessLookupError):
            continue  # the engine's threads leave when they have nothing to do
        assert re.search(r"^Seccomp:\t2$", status, re.M), thread
        looked_at += 1
    assert looked_at >= 1


def test_instance_holds_only_the_expected_descriptors(boxed):
    held = {}
    for fd in os.listdir(boxed + "fd"):
        try:
            held[int(fd)] = os.readlink(boxed + "fd/" + fd)
        except FileNotFoundError:
            pass  # closed meanwhile
    sockets = [t for t in held.values() if t.startswith("socket:")]
    assert len(sockets) == 1, held
    # statm: JavaScriptCore opens it when it starts, to know its own size, and keeps it.
    others = [t for t in held.values() if not re.match(
        r"socket:|pipe:|anon_inode:\[?(eventfd|eventpoll|timerfd)|/dev/null$|/dev/u?random$|/proc/\d+/statm$", t)]
    assert not others, held
    inode = sockets[0][len("socket:["):-1]
    unix = [line.split() for line in open("/proc/net/unix") if line.split()[6] == inode]
    assert unix and len(unix[0]) == 7, "the one socket is an unnamed unix socket"
    assert len(held) <= 16, held


def test_no_writable_file_is_held(boxed):
    for fd in os.listdir(boxed + "fdinfo"):
        try:
            target, info = os.readlink(boxed + "fd/" + fd), open(boxed + "fdinfo/" + fd).read()
            if os.readlink(boxed + "fd/" + fd) != target:
                continue  # another one meanwhile
        except FileNotFoundError:
            continue
        flags = int(re.search(r"flags:\s*(\d+)", info).group(1), 8)
        assert not (target.startswith("/") and not target.startswith("/dev/null") and flags & 3), target


def test_address_space_is_limited(boxed):
    line = next(l for l in open(boxed + "limits") if l.startswith("Max address space"))
    soft, hard = line.split()[3:5]
    assert soft != "unlimited" and hard != "unlimited" and int(soft) < 64 << 30, line


def test_no_core_files_and_few_descriptors(boxed):
    limits = {line[:25].strip(): line[25:].split() for line in open(boxed + "limits")}
    assert limits["Max core file size"][1] == "0"
    assert int(limits["Max open files"][1]) <= 4096
    assert int(limits["Max file size"][1]) == 256 << 20


def test_limits_cannot_be_raised(lab):
    outcome = lab.outcome("import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))\nreturn 'it worked'")
    assert "error" in outcome, outcome


# ---- the layers: whatever this machine gives is there ----

GRADES = ["none", "seccomp", "landlock", "namespaces", "unprivileged", "full"]


@pytest.fixture(scope="module")
def machine():
    """What `corral doctor` says of the box: {"grade", "layers": {name: used}}."""
    said = json.loads(subprocess.run([BIN / "corral", "doctor", "--json"], stdout=subprocess.PIPE, text=True).stdout)["box"]
    return {"grade": said["grade"], "layers": {layer["name"]: layer["used"] for layer in said["layers"]}}


def namespace(pid, kind):
    return os.readlink("/proc/%s/ns/%s" % (pid, kind))


def test_namespaces_of_template_and_instance(lab, machine):
    lab.get()
    _, templates, instances = lab.wait_settled()
    kinds = {"tree": ["mnt"], "pids": ["pid"], "net": ["net"], "ipc": ["ipc", "uts", "cgroup"], "user": ["user"]}
    spaces = {}
    for process in templates + instances:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):    # an instance that was not needed any more
            spaces[process.pid] = {name: namespace(process.pid, name) for names in kinds.values() for name in names}
    assert len(spaces) >= 2
    for found in spaces.values():
        for layer, names in kinds.items():
            for name in names:
                assert (found[name] != namespace("self", name)) == machine["layers"][layer], (layer, name)
    assert {found["net"] for found in spaces.values()} == {namespace(templates[0].pid, "net")}
    if machine["layers"]["pids"]:
        assert inner_pid(templates[0].pid) == 1
        assert lab.value("return [os.getppid(), os.getpid() > 1]") == [1, True]


def test_no_right_is_left(boxed, lab, machine):
    status = status_of(int(boxed.split("/")[2]))
    assert {status[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {""}
    if machine["layers"]["user"] or os.geteuid() == 0:
        assert status["CapBnd"].strip("0") == ""
    uids = {int(uid) for uid in status["Uid"].split() + status["Gid"].split()}
    if machine["layers"]["uid"]:
        # The first million that no other node on this machine has.
        assert len(uids) == 1 and 1_900_000_000 <= uids.pop() < 2_100_000_000 and not status["Groups"].split()
    else:
        assert uids == {os.geteuid(), os.getegid()} or not uids - {os.geteuid(), os.getegid()}
    if machine["layers"]["user"]:
        assert lab.value("return [os.getuid(), os.geteuid(), os.getgid()]") == [1000] * 3


def test_a_tree_of_its_own(lab, machine):
    if not machine["layers"]["tree"]:
        pytest.skip("no tree on this machine")
    # The first part of everything that the tests have a place for: wherever the clone, the build and the projects are.
    places = [ROOT, BIN, PACKAGES, lab.project, sys.base_prefix, os.path.realpath(sys.executable)]
    tops = {name.split("/")[1] for place in places for name in (str(place), os.path.realpath(place)) if name != "/"}
    found = lab.value("""
        import pwd
        here = os.path.dirname(os.path.abspath(sys.modules[__name__].__file__))
        return {"top": sorted(os.listdir("/")), "dev": sorted(os.listdir("/dev")), "etc": sorted(os.listdir("/etc")),
                "me": list(pwd.getpwuid(1000))[:3], "ssl": sorted(os.listdir("/etc/ssl")), "usr": sorted(os.listdir("/usr")),
                "source": len(open(here + "/entry.py").read()) > 0}
    """)
    assert set(found["top"]) <= {"bin", "dev", "etc", "home", "lib", "lib32", "lib64", "root", "tmp", "usr", "var", "opt"} | tops, found
    assert "proc" not in found["top"] and "sys" not in found["top"]
    assert found["dev"] == ["full", "null", "random", "urandom", "zero"]
    assert "shadow" not in found["etc"] and "hostname" not in found["etc"] and "machine-id" not in found["etc"], found["etc"]
    assert found["me"] == ["worker", "x", 1000] and "private" not in found["ssl"] and "bin" not in found["usr"]
    assert found["source"]
    (lab.project / ".corral" / "bundles" / "other").mkdir()
    if os.geteuid() == 0:
        inside = "/proc/%d/root%s/.corral/bundles" % (lab.instances()[0].pid, lab.project)
        assert len(os.listdir(inside)) == 1, "only its own bundle is there"
    (lab.project / ".corral" / "bundles" / "other").rmdir()


READ_BY_NONE = ["/etc/shadow", "/etc/machine-id", "/root/.bashrc", "/proc/1/environ", "/proc/self/environ", "/proc/self/maps", "/sys/kernel/notes",
                "/dev/kmsg", "/dev/mem", "/var/log/dpkg.log", "/usr/bin/env"]


@pytest.mark.parametrize("grade", GRADES[2:])
def test_every_grade_keeps_files_and_serves(corral, machine, grade):
    """Lowered to each grade that there is: the same promises for files, the same standard library."""
    if GRADES.index(grade) > GRADES.index(machine["grade"]):
        pytest.skip("this machine has %s" % machine["grade"])
    if grade == "namespaces" and machine["grade"] == "landlock":
        pytest.skip("no namespaces on this machine")
    one = corral(LAB, env={"CORRAL_TEST_BOX": grade})
    assert one.value("""
        found = []
        for path in %r:
            for way in ("open(path, 'rb').read(1)", "os.listdir(path)"):
                try:
                    eval(way)
                    found.append([path, way])
                except OSError:
                    pass
        return found
    """ % (READ_BY_NONE + ["/proc/self/fd", "/proc", "/sys", "/var/tmp", "/home", "/usr/bin", "/etc/ssl/private"],)) == []
    assert one.value("""
        import ssl, zoneinfo, sqlite3, mimetypes, decimal, locale, datetime, uuid, random, ctypes, traceback, tempfile, threading
        context = ssl.create_default_context(cafile="/etc/ssl/certs/ca-certificates.crt")
        with open("/tmp/x", "w") as f:
            f.write("mine")
        sqlite3.connect(":memory:").execute("SELECT 1")
        try:
            __import__("json").loads("{")
        except ValueError as e:
            lines = "".join(traceback.format_exception(e))
        thread = threading.Thread(target=lambda: None); thread.start(); thread.join()
        return [len(context.get_ca_certs()) > 10, str(datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).utcoffset()),
                mimetypes.guess_type("x.webmanifest")[0], open("/tmp/x").read(), "scan_once(s, idx)" in lines, os.path.expanduser("~"), open("/dev/zero", "rb").read(2) == bytes(2)]
    """) == [True, "2:00:00", "application/manifest+json", "mine", True, "/tmp", True]


@pytest.mark.parametrize("grade", ["none", "seccomp"])
def test_lower_grades_serve_too(corral, grade):
    one = corral(LAB, env={"CORRAL_TEST_BOX": grade})
    assert one.value("return 1") == 1
    status = status_of(one.instances()[0].pid)
    assert status["Seccomp"].strip() == ("0" if grade == "none" else "2")


def test_what_top_level_code_leaves_behind_ends_with_it(corral, machine):
    """A process that hostile top-level code has forked, in a session of its own, its output closed."""
    if not machine["layers"]["pids"]:
        pytest.skip("no pid namespace on this machine")
    one = corral({"src/entry.py": """
        import ctypes
        import os
        import time
        from js import Response

        libc = ctypes.CDLL(None)
        child = libc.syscall(57)        # fork, past Python
        if child == 0:
            os.closerange(0, 100)
            while True:
                time.sleep(1)

        async def on_fetch(request, env):
            return Response.new(str(child))
        """})
    assert int(one.get().text) > 1
    template = one.templates()[0]
    left = until("the process that it has left", lambda: [p for p in children(template.pid) if inner_pid(p.pid) == int(one.get().text)])[0]
    os.kill(template.pid, signal.SIGKILL)
    until("it is gone with its template", lambda: not is_alive(left.pid))


def test_each_account_has_a_user_of_its_own(serve, machine):
    if not machine["layers"]["uid"]:
        pytest.skip("only root has users to give away")
    node = serve()
    node.add_account("other")
    for account in ("main", "other"):
        node.deploy("hello-" + account, HELLO, {"compatibility_date": "2025-01-01"}, account=account)
        assert node.get("hello-" + account, account=account).status == 200

    def users_of(generation):
        for process in generation:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                yield status_of(process.pid)["Uid"]

    def look():     # one that has just been forked is on its way there
        users = [set(users_of(generation)) for generation in node.generations()]
        return users[0] == {"0\t0\t0\t0"} and users[1] == users[2] and len(users[1]) == 2 and users
    users = until("one user for each account", look)
    assert not any(set(user.split()) & {"0", "1000", "65534"} for user in users[1]), users


def test_a_layer_that_is_gone_ends_the_version_and_not_the_layer(corral):
    """A machine that gives less than it gave at the node's start: nothing runs in a weaker box, and the page says why."""
    wrap = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*wrap, "true"], stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("no user namespace on this machine")
    one = corral(command=lambda argv: wrap + argv)
    assert one.get().text == "Hello world!"
    into = ["nsenter", "--user", "--preserve-credentials", "-t", str(one.pid)]
    subprocess.run([*into, "sh", "-c", "echo 0 > /proc/sys/user/max_net_namespaces"], check=True)
    one.write("src/entry.py", HELLO.replace("world", "moon"))
    one.wait_log("its box cannot be entered: make a network namespace", deadline=60)
    answer = until("the page", lambda: (lambda answer: answer.status == 500 and answer)(one.get()))
    assert "corral doctor" in answer.text, answer.text
    subprocess.run([*into, "sh", "-c", "echo 1000 > /proc/sys/user/max_net_namespaces"], check=True)
    one.write("src/entry.py", HELLO.replace("world", "sun"))
    until("the next version runs", lambda: one.get().text == "Hello sun!")


FORKS = """
import ctypes
import mmap
import os
import time
from js import Response

libc = ctypes.CDLL(None)
for n in range(%d):
    pid = libc.syscall(57)          # fork, past Python
    assert pid >= 0, "fork failed"
    if pid == 0:
        while not %s:
            time.sleep(0.1)
        room = mmap.mmap(-1, 64 << 20)
        room.write(b"x" * len(room))
        while True:
            time.sleep(1)
time.sleep(%d)

async def on_fetch(request, env):
    return Response.new("serves")
"""


@pytest.mark.skipif(NUMBER != 0, reason="fork's number is x86_64's")
def test_top_level_code_that_starts_many_processes_does_not_load(corral, machine):
    """Each has memory of its own, and the kernel's: no limit of one process sees it.  It does not get on before the node has looked."""
    if not machine["layers"]["pids"]:
        pytest.skip("no pid namespace on this machine")
    one = corral({"src/entry.py": FORKS % (100, "False", 60)}, ready=False)
    one.wait_log("top-level code of '[^']*' started processes, which workers have none of")
    until("they are gone with it", lambda: not [p for t in one.templates() for p in children(t.pid)])


@pytest.mark.skipif(NUMBER != 0, reason="fork's number is x86_64's")
def test_memory_of_processes_that_top_level_code_has_left_behind_is_its_own(corral, machine):
    """Few of them, which wait until it has loaded."""
    if not machine["layers"]["pids"]:
        pytest.skip("no pid namespace on this machine")
    one = corral({"src/entry.py": FORKS % (12, "libc.access(b'grow', 0) == 0", 0)})
    assert one.get().text == "serves"
    until("they wait", lambda: sum(len(children(t.pid)) for t in one.templates()) >= 12)
    bundle, = one.project.glob(".corral/bundles/*")     # the folder of them all
    (bundle / "grow").write_text("")
    one.wait_log("the template of '[^']*' started processes, .* or [0-9]{3,4} MiB of memory in them")


def test_processes_of_a_root_node_cannot_be_dumped(boxed, lab, machine):
    if os.geteuid() != 0 or not machine["layers"]["uid"]:
        pytest.skip("the node does not run as root")
    assert os.stat(boxed + "status").st_uid == 0, "/proc of a process that cannot be dumped is root's"


# ---- nothing of the node comes in ----

def words_of(pid):
    """How a process was started; nothing once it has ended."""
    try:
        with open("/proc/%d/cmdline" % pid) as f:
            return f.read().split("\0")
    except OSError:
        return []


def test_nobody_reads_the_terminal_and_what_the_node_was_started_with(tmp_path):
    """A shell gives a terminal that can be read, as standard error too."""
    (tmp_path / "wrangler.toml").write_text('name = "hello"\nmain = "src/entry.py"\ncompatibility_date = "2025-01-01"\ncompatibility_flags = ["python_workers"]\n')
    (tmp_path / "src").mkdir()
    (tmp_path / "src/entry.py").write_text(HELLO)
    ours, theirs = os.openpty()
    stray = os.open("/dev/zero", os.O_RDONLY)
    node = subprocess.Popen([BIN / "corral", "dev", "--port", "0", tmp_path], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                            pass_fds=[stray], start_new_session=True)
    try:
        def zygotes():      # beside them, for a moment, are processes that try what the kernel gives
            return [p for p in children(node.pid) if words_of(p.pid)[:2] == [str(BIN / "corral-worker"), "zygote"]]
        zygote = until("the zygote", zygotes)[0]
        for fd in (1, 2):
            with open("/proc/%d/fdinfo/%d" % (zygote.pid, fd)) as f:
                flags = int(re.search(r"flags:\s+(\d+)", f.read())[1], 8)
            assert flags & os.O_ACCMODE == os.O_WRONLY, oct(flags)

        def held():
            for fd in os.listdir("/proc/%d/fd" % zygote.pid):
                with contextlib.suppress(FileNotFoundError):     # closed meanwhile
                    yield os.readlink("/proc/%d/fd/%s" % (zygote.pid, fd))
        until("it has closed the rest", lambda: "/dev/zero" not in held())
    finally:
        os.kill(node.pid, signal.SIGTERM)
        os.close(theirs)
        os.close(stray)
        node.wait()
        os.close(ours)



@pytest.fixture
def secretive(corral):
    one = corral(LAB, env={"SECRET_OF_THE_NODE": "xyzzy-4711"})
    one.get()
    one.wait_settled()
    return one


def by_generation(node, what):
    """That file of /proc, of each process; one that has ended meanwhile has none."""
    for generation in node.generations():
        found = []
        for process in generation:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), open("/proc/%d/%s" % (process.pid, what), "rb") as f:
                found.append(f.read())
        assert any(found)
        yield filter(None, found)


def test_no_environment_of_the_node_in_any_generation(secretive):
    for processes in by_generation(secretive, "environ"):
        for environ in processes:
            assert b"xyzzy" not in environ and b"SECRET" not in environ
            for name in (b"USER=", b"SSH", b"XDG_", b"PYTEST"):
                assert name not in environ, environ
            assert b"HOME=/tmp\0" in environ, environ


def test_no_environment_of_the_node_inside(secretive):
    environ = secretive.value("return dict(os.environ)")
    assert "SECRET_OF_THE_NODE" not in environ and "xyzzy-4711" not in environ.values()
    assert environ["HOME"] == "/tmp" and "PYTEST_CURRENT_TEST" not in environ
    # The C library has its own list.
    assert secretive.value("""
        libc = ctypes.CDLL(None)
        libc.getenv.restype = ctypes.c_char_p
        return libc.getenv(b"SECRET_OF_THE_NODE") is None
    """)


def test_command_line_tells_no_secret(secretive):
    for processes in by_generation(secretive, "cmdline"):
        for cmdline in processes:
            assert b"xyzzy" not in cmdline


# ---- bombs ----


def serves(corral):
    until("it serves", lambda: corral.run('return Response.new("fine")').text == "fine")


def test_one_huge_allocation_is_a_memory_error(lab):
    outcome = lab.outcome("x = bytearray(1 << 44)\nreturn len(x)")
    assert outcome["error"] == "MemoryError", outcome
    serves(lab)


@pytest.mark.parametrize("bomb", [
    "hold = []\nwhile True: hold.append(bytearray(16 << 20))",
    "hold = []\nwhile True: hold.append('x%d' % len(hold) * 100)",
    "hold = []\nwhile True: hold.append(js.Uint8Array.new(16 << 20))",
    "hold = js.Array.new()\nwhile True: hold.push(js.Array.new(1000).fill(0))",
], ids=["bytearrays", "strings", "typed arrays", "arrays"])
def test_a_memory_bomb_costs_one_request(corral, bomb):
    one = corral(LAB)
    one.get()
    answer = one.run(bomb, timeout=60)
    assert answer.status >= 500, (answer.status, answer.text[:200])
    assert one.is_running()
    serves(one)


def test_memory_in_memfds_has_an_end(corral):
    """The kernel counts it for nobody: the node looks."""
    one = corral(LAB)
    one.get()
    outcome = one.outcome("""
        fd = os.memfd_create("one")
        piece, n = b"x" * (1 << 20), 0
        try:
            while True:
                n += os.write(fd, piece)
        except OSError as e:
            return [n, e.errno]
    """.replace("\n        ", "\n"))
    assert outcome["value"] == [256 << 20, 27], outcome
    answer = one.run("""
        fds, piece = [], b"x" * (1 << 20)
        while True:
            fds.append(os.memfd_create("many"))
            for _ in range(64):
                os.write(fds[-1], piece)
            await asyncio.sleep(0)
    """.replace("\n        ", "\n"), timeout=60)
    assert answer.status >= 500, (answer.status, answer.text[:200])
    one.wait_log("it holds [0-9]+ MiB (in memfds|of memory), and [0-9]+ are allowed")
    serves(one)


def test_a_descriptor_bomb_costs_one_request(corral):
    one = corral(LAB)
    one.get()
    outcome = one.outcome("hold = []\nwhile True: hold.append(os.open('/dev/null', os.O_RDONLY))")
    assert outcome["errno"] == 24, outcome
    assert one.is_running()


def test_a_thread_bomb_leaves_the_node_alive(corral):
    one = corral(LAB)
    one.get()
    one.run("""
        import threading
        stop = threading.Event()
        count = 0
        try:
            while count < 3000:
                threading.Thread(target=stop.wait, daemon=True).start()
                count += 1
        finally:
            stop.set()
        return Response.new(str(count))
    """, timeout=60)
    assert one.is_running()
    serves(one)


def test_a_stack_bomb_costs_one_request(corral):
    one = corral(LAB)
    one.get()
    answer = one.run("def down(n): return down(n + 1)\nreturn down(0)")
    assert answer.status == 500 and "RecursionError" in answer.text
    answer = one.run("sys.setrecursionlimit(10**9)\nl = []\nfor _ in range(10**6): l = [l]\nreturn Response.new(repr(l)[:3])")
    assert one.is_running()
    serves(one)
