"""What a worker may not do.  Runs against builds without sanitizers, which need a wider box.

Each refusal is asked for from inside, through Python, and for system calls that Python wraps
also raw, so that it is the kernel that refuses and not a missing module.
"""
import os
import platform
import re

import pytest

from harness import BIN, LAB, until

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
    pid = lab.value("return os.getpid()")
    assert pid in {p.pid for p in lab.instances()}
    return "/proc/%d/" % pid


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
    for thread in os.listdir(boxed + "task"):
        assert re.search(r"^Seccomp:\t2$", open(boxed + "task/%s/status" % thread).read(), re.M), thread


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
    unix = [line.split() for line in open(boxed + "net/unix") if line.split()[6] == inode]
    assert unix and len(unix[0]) == 7, "the one socket is an unnamed unix socket"
    assert len(held) <= 16, held


def test_no_writable_file_is_held(boxed):
    for fd in os.listdir(boxed + "fdinfo"):
        try:
            target, info = os.readlink(boxed + "fd/" + fd), open(boxed + "fdinfo/" + fd).read()
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


# ---- nothing of the node comes in ----


@pytest.fixture
def secretive(corral):
    one = corral(LAB, env={"SECRET_OF_THE_NODE": "xyzzy-4711"})
    one.get()
    one.wait_settled()
    return one


def test_no_environment_of_the_node_in_any_generation(secretive):
    for generation in secretive.generations():
        for process in generation:
            environ = open("/proc/%d/environ" % process.pid, "rb").read()
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
    for generation in secretive.generations():
        for process in generation:
            assert b"xyzzy" not in open("/proc/%d/cmdline" % process.pid, "rb").read()


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
    one.wait_log("it holds [0-9]+ MiB in memfds, and 768 are allowed")
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
