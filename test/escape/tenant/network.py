"""The network, the machine's and the node's; the one socket that a worker has, and who is at its other end."""
import ctypes
import os
import socket
import stat
import struct

from attempt import INSTANCE, NOT, OWN, ROOT, attempt
from kernel import call, descriptor, first, reached

AF_UNIX, AF_INET, AF_INET6, STREAM, DGRAM, RAW = 1, 2, 10, 1, 2, 3


def inet(port, host="127.0.0.1"):
    return struct.pack("<H", AF_INET) + struct.pack(">H", port) + socket.inet_aton(host) + bytes(8)


def connect(family, kind, address):
    fd = call("socket", family, kind | os.O_CLOEXEC, 0)
    try:
        call("connect", fd, address, len(address))
        return "connected"
    finally:
        call("close", fd)


# ---- sockets ----

@attempt("seccomp", "landlock", "net")
def tcp_to_this_machine(c):
    """A server on this machine: TCP to 127.0.0.1."""
    return connect(AF_INET, STREAM, inet(c.tcp_port))


@attempt("seccomp", "landlock", "net")
def tcp_by_python(c):
    """The same through Python's socket."""
    with socket.socket() as s:
        s.settimeout(2)
        s.connect(("127.0.0.1", c.tcp_port))
        return "connected"


@attempt("seccomp", "landlock", "net")
def tcp_to_the_node(c):
    """The node's own listeners."""
    return first((c.port, c.api_port), lambda port: connect(AF_INET, STREAM, inet(port)))


@attempt("seccomp", "net")
def udp(c):
    """A datagram to a server on this machine."""
    fd = call("socket", AF_INET, DGRAM, 0)
    try:
        address = inet(c.udp_port)
        return "%d bytes sent" % call("sendto", fd, b"x", 1, 0, address, len(address))
    finally:
        call("close", fd)


@attempt("seccomp", "net", "landlock")
def listen(c):
    """A server of one's own."""
    fd = call("socket", AF_INET, STREAM, 0)
    try:
        call("bind", fd, inet(0), 16)
        call("listen", fd, 1)
        return "listening"
    finally:
        call("close", fd)


@attempt("seccomp", "landlock", "net")
def abstract_socket(c):
    """A service of the host by its abstract name, of which no file system knows."""
    name = b"\0" + c.abstract.encode()
    return connect(AF_UNIX, STREAM, struct.pack("<H", AF_UNIX) + name)


@attempt("seccomp", "tree")
def unix_socket(c):
    """A service of the host by its path, as a database or Docker has one."""
    return connect(AF_UNIX, STREAM, struct.pack("<H", AF_UNIX) + c.unix_path.encode() + b"\0")


@attempt("seccomp", "tree")
def datagram_to_a_path(c):
    """A line into the host's log: /dev/log, by sendto on a socket pair."""
    a = (ctypes.c_int * 2)()
    call("socketpair", AF_UNIX, DGRAM, 0, a)
    address = struct.pack("<H", AF_UNIX) + c.unix_datagram_path.encode() + b"\0"
    try:
        return "%d bytes sent" % call("sendto", a[0], b"x", 1, 0, address, len(address))
    finally:
        os.close(a[0])
        os.close(a[1])


FAMILIES = {"netlink": (16, 3, 0), "packet": (17, 3, 0), "alg": (38, 5, 0), "vsock": (40, 1, 0), "key": (15, 3, 2), "bluetooth": (31, 3, 1),
            "can": (29, 3, 1), "tipc": (30, 1, 0), "xdp": (44, 3, 0), "kcm": (41, 2, 0), "smc": (43, 1, 0), "qipcrtr": (42, 2, 0), "rds": (21, 5, 0),
            "ax25": (3, 5, 0), "appletalk": (5, 2, 0), "llc": (26, 2, 0), "nfc": (39, 3, 0), "phonet": (35, 2, 0), "mctp": (45, 2, 0)}


@attempt("seccomp")
def socket_families(c):
    """The kernel's other protocols, each with a history: netlink, packet, alg, vsock and their like."""
    return first(sorted(FAMILIES), lambda name: descriptor("socket", *FAMILIES[name]))


@attempt("seccomp")
def families_by_socketpair(c):
    """The same by socketpair."""
    pair = (ctypes.c_int * 2)()

    def make(name):
        return reached("socketpair", FAMILIES[name][0], FAMILIES[name][1], 0, pair)
    return first(sorted(set(FAMILIES) - {"alg"}), make)


@attempt("seccomp", "net", "user", "always", proof=ROOT)
def raw_socket(c):
    """Packets as one likes: a raw socket."""
    return descriptor("socket", AF_INET, RAW, 1)


@attempt("seccomp", "net")
def interfaces(c):
    """The machine's networks and addresses, by netlink."""
    fd = call("socket", 16, 3, 0)
    try:
        request = struct.pack("IHHIIBxHiII", 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0)    # RTM_GETLINK, all
        call("sendto", fd, request, len(request), 0, None, 0)
        found = ctypes.create_string_buffer(65536)
        count = call("read", fd, found, 65536)
        got = found.raw[:count]
        names, at = [], 0
        while at + 16 <= len(got):
            size, kind = struct.unpack_from("IH", got, at)
            inner = at + 32
            while kind == 16 and inner + 4 <= at + size:
                length, what = struct.unpack_from("HH", got, inner)
                if what == 3:
                    names.append(got[inner + 4:inner + length].rstrip(b"\0").decode())
                inner += max(4, (length + 3) & ~3)
            at += max(16, (size + 3) & ~3)
        return names
    finally:
        call("close", fd)


# ---- the one socket ----

def sockets():
    return [fd for fd in range(256) if is_socket(fd)]


def is_socket(fd):
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


def option(fd, which, size=64):
    value, length = ctypes.create_string_buffer(size), ctypes.c_uint(size)
    call("getsockopt", fd, 1, which, value, length)
    return value.raw[:length.value]


@attempt("seccomp")
def handle_of_the_node(c):
    """A handle of the process at the other end of one's socket: SO_PEERPIDFD."""
    def take(fd):
        taken = struct.unpack("i", option(fd, 77, 4))[0]
        call("close", taken)
        return "pidfd %d" % taken
    return first(sockets(), take)


@attempt("seccomp")
def who_is_the_node(c):
    """Its number and user: SO_PEERCRED, SO_PEERGROUPS."""
    return first(sockets(), lambda fd: list(struct.unpack("iII", option(fd, 17, 12))))


@attempt("seccomp")
def label_of_the_node(c):
    """Its label, and names of the socket: SO_PEERSEC, SO_PASSSEC, SO_COOKIE, SO_MEMINFO."""
    return first([(fd, which) for fd in sockets() for which in (31, 34, 57, 55, 59)], lambda one: "%d bytes" % len(option(one[0], one[1])))


@attempt("seccomp")
def descriptors_for_the_node(c):
    """A descriptor into the node, which then holds it: sendmsg with SCM_RIGHTS."""
    # On a pair of one's own: what it does to the node is tested where the node's wire is.
    pair = (ctypes.c_int * 2)()
    call("socketpair", AF_UNIX, STREAM, 0, pair)
    control = struct.pack("QiiI", 20, 1, 1, pair[0]) + bytes(4)
    data, held = ctypes.create_string_buffer(b"x", 1), ctypes.create_string_buffer(control)
    vector = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(data), 1))
    message = struct.pack("QIxxxxQQQQi", 0, 0, ctypes.addressof(vector), 1, ctypes.addressof(held), 20, 0) + bytes(4)
    try:
        return "%d bytes sent" % call("sendmsg", pair[0], message, 0)
    finally:
        os.close(pair[0])
        os.close(pair[1])


@attempt("seccomp")
def many_messages(c):
    """The same by sendmmsg."""
    return reached("sendmmsg", sockets()[0], None, 0, 0)


@attempt("seccomp", where=(INSTANCE,))
def descriptors_from_the_node(c):
    """A descriptor that came along with bytes: recvmsg."""
    return reached("recvmsg", sockets()[0], None, 0x40)


@attempt("seccomp")
def credentials(c):
    """Being told who sends, to pretend: SO_PASSCRED by setsockopt."""
    pair = (ctypes.c_int * 2)()
    call("socketpair", AF_UNIX, STREAM, 0, pair)
    try:
        return "set: %d" % call("setsockopt", pair[0], 1, 16, ctypes.c_int(1), 4)
    finally:
        os.close(pair[0])
        os.close(pair[1])


@attempt("seccomp")
def larger_buffers(c):
    """Memory of the kernel that nobody counts: SO_SNDBUF."""
    pair = (ctypes.c_int * 2)()
    call("socketpair", AF_UNIX, STREAM, 0, pair)
    try:
        return "set: %d" % call("setsockopt", pair[0], 1, 7, ctypes.c_int(1 << 20), 4)
    finally:
        os.close(pair[0])
        os.close(pair[1])


@attempt("seccomp", where=(INSTANCE,))
def accept_on_the_socket(c):
    """Making a listener of one's socket."""
    fd = sockets()[0]
    return first(("listen", "accept", "bind"), lambda name: reached(name, fd, None, None))


@attempt("always", proof=OWN)
def descriptors_of_the_node(c):
    """What the node has open, by descriptors that were left open: files, folders, listeners, more than one socket."""
    mine = os.open(os.path.abspath(__file__), os.O_RDONLY) if c.own else -1
    found = []
    try:
        for fd in range(1024):
            try:
                about = os.fstat(fd)
            except OSError:
                continue
            mode = about.st_mode
            if stat.S_ISREG(mode) and not is_private(about) or stat.S_ISDIR(mode) or stat.S_ISBLK(mode):
                found.append("%d: %o" % (fd, mode))
            if stat.S_ISSOCK(mode) and option(fd, 30, 4) != bytes(4):
                found.append("%d listens" % fd)
        return found
    finally:
        if mine >= 0:
            os.close(mine)


def is_private(about):
    """A file of memory, or one of the kernel's that tells of oneself: JavaScriptCore and the template watch their own size."""
    return about.st_nlink == 0 or (about.st_size == 0 and about.st_mode & 0o222 == 0)


# ---- through the node ----

async def asked(url, **more):
    from workers import fetch
    answer = await fetch(url, redirect="manual", **more)
    return "status %d" % answer.status


@attempt("node")
async def fetch_this_machine(c):
    """A server on this machine through the node: fetch of 127.0.0.1."""
    return await asked("http://127.0.0.1:%d/" % c.http_port)


@attempt("node")
async def fetch_by_name(c):
    """The same by a name."""
    return await asked("http://localhost:%d/" % c.http_port)


SPELLINGS = ("127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "127.0.0.2",
             "[::]", "[64:ff9b::7f00:1]", "localhost.", "LOCALHOST", "127.0.0.1.")


@attempt("node")
async def fetch_by_other_spellings(c):
    """The same by each way to write the address."""
    for host in SPELLINGS:
        try:
            return [host, await asked("http://%s:%d/" % (host, c.http_port))]
        except Exception as e:
            last = e
    raise last


@attempt("node")
async def fetch_by_redirect(c):
    """The same by a server's redirect."""
    from workers import fetch
    answer = await fetch("http://127.0.0.1:%d/redirect" % c.http_port)
    return "status %d" % answer.status


@attempt("node")
async def fetch_the_control_api(c):
    """The node's control API, which believes those on this machine."""
    return await asked("http://127.0.0.1:%d/metrics" % c.api_port)


@attempt("node")
async def fetch_the_node(c):
    """The node's own listener, with another account's host."""
    return await asked("http://127.0.0.1:%d/" % c.port, headers={"Host": c.other_host})


@attempt("node")
async def web_socket_to_this_machine(c):
    """The same by a WebSocket."""
    return await asked("http://127.0.0.1:%d/" % c.http_port, headers={"Upgrade": "websocket"})


@attempt("node", proof=NOT, because="no address of the kind answers here; what the node refuses says so")
async def fetch_metadata(c):
    """The cloud's metadata, which hands out keys of the machine."""
    for url in ("http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/", "http://100.100.100.200/", "http://metadata.google.internal/"):
        try:
            return [url, await asked(url)]
        except Exception as e:
            if "timed out" in str(e).lower():
                return [url, "it was asked: %s" % e]


@attempt("node", proof=NOT, because="there is no client of these protocols in the node")
async def fetch_other_schemes(c):
    """Files and other protocols through the node."""
    for url in ("file://" + c.host_file, "ftp://127.0.0.1/", "gopher://127.0.0.1:%d/" % c.http_port, "unix://" + c.unix_path, "dict://127.0.0.1/",
                "ldap://127.0.0.1/", "scp://127.0.0.1/", "telnet://127.0.0.1:%d/" % c.http_port):
        try:
            return [url, await asked(url)]
        except Exception:
            pass


@attempt("node", where=(INSTANCE,))
def client_of_python(c):
    """The same by urllib, which waits."""
    import urllib.request
    return "status %d" % urllib.request.urlopen("http://127.0.0.1:%d/" % c.http_port, timeout=5).status
