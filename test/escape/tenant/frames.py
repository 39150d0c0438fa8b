"""Raw frames on the worker's own socket: bindings of others by their ids, and what the platform's own calls give."""
import ctypes
import os
import select
import struct

from attempt import INSTANCE, NOT, OWN, attempt
from kernel import call

OUTCALL, BODY, RESET = 24, 18, 20
ONLY = (INSTANCE,)


def socket_of_the_node():
    """The one descriptor that is a connected socket."""
    for fd in range(3, 256):
        try:
            call("getpeername", fd, ctypes.create_string_buffer(110), ctypes.c_uint(110))
            return fd
        except OSError:
            pass


def span(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack("<I", len(data)) + data


def pairs(items):
    body = b"".join(span(a) + span(b) for a, b in items)
    return struct.pack("<I", len(items)) + span(body)


def frame(kind, flags, stream, payload):
    return struct.pack("<IBBHI", len(payload), kind, flags, 0, stream) + payload


def outcall(binding, method, arguments=(), headers=(), body=b""):
    """Ask the node as the realm would, and read its answer off the socket, before the loop does."""
    fd = socket_of_the_node()
    state = outcall.__dict__
    state["last"] = state.get("last", 0) + 1
    stream = 0x80000000 | state["last"]
    head = struct.pack("<I", 0) + span(binding) + span(method) + pairs(arguments) + pairs(headers) + struct.pack("<q", len(body))
    os.write(fd, frame(OUTCALL, 0 if body else 1, stream, head) + (frame(BODY, 1, stream, body) if body else b""))
    return answer(fd, stream)


def answer(fd, stream):
    got, kept, said = b"", b"", []
    while True:
        ready, _, _ = select.select([fd], [], [], 20)
        if not ready:
            raise TimeoutError("the node says nothing")
        room = ctypes.create_string_buffer(65536)
        n = call("read", fd, room, 65536)
        if n == 0:
            raise EOFError("the node hung up")
        got += room.raw[:n]
        while len(got) >= 12:
            size, kind, flags, _, of = struct.unpack_from("<IBBHI", got)
            if len(got) < 12 + size:
                break
            payload, got = got[12:12 + size], got[12 + size:]
            if of != stream:
                kept += b"."
            elif kind == RESET:
                raise PermissionError(payload[8:].decode("utf-8", "replace")[:200])
            else:
                said.append((kind, payload))
                if flags & 1:
                    return b"".join(payload for _, payload in said)


@attempt("node", proof=OWN, where=ONLY, deadly=True)
def binding_of_another(c):
    """Another account's D1 database as a binding: by its binding's name, its uuid, its name, its path."""
    query = span("SELECT 1")
    names = ("DB",) if c.own else ("OTHER_DB", c.other_database, "other-db", "../other-db", c.database_files[0], "DB\0" + c.other_database)
    last = None
    for name in names:
        try:
            got = outcall(name, "nothing", [("database", c.other_database), ("id", c.other_database)], [], query)
            return "%s: %r" % (name, got[:60])
        except PermissionError as e:
            last = e
            # What is refused for its method was found: that is the own one.
            if "has no method" in str(e):
                return "%s: %s" % (name, e)
    raise last


@attempt("node", proof=NOT, because="the node has no such method", where=ONLY, deadly=True)
def methods_of_the_platform(c):
    """What the platform itself answers to: files, programs, its own data, under each name one could think of."""
    for method in ("read", "open", "exec", "spawn", "secret", "secrets", "env", "catalog", "load", "fork", "eval", "file", "wheel", "bundle", "d1", "kv"):
        try:
            got = outcall("", method, [("path", c.host_file), ("name", "SECRET"), ("url", "file://" + c.host_file)])
            return "%s: %r" % (method, got[:60])
        except PermissionError:
            pass


@attempt("node", where=ONLY, deadly=True)
def fetch_by_raw_frame(c):
    """A server on this machine, asked for by a raw frame, past every check of the realm."""
    return outcall("", "fetch", [("method", "GET"), ("url", "http://127.0.0.1:%d/" % c.http_port)])


@attempt("node", proof=NOT, because="there is no client of these protocols in the node", where=ONLY, deadly=True)
def file_by_raw_frame(c):
    """A file of the host, asked for by a raw frame."""
    for url in ("file://" + c.host_file, "FILE:" + c.host_file, "http://x@127.0.0.1/\r\nx", "unix:" + c.unix_path):
        try:
            return outcall("", "fetch", [("method", "GET"), ("url", url)])
        except PermissionError as e:
            last = e
    raise last


@attempt("node", proof=NOT, because="a process that lies is ended: unit tests herd_instance, herd_outcall", where=ONLY, deadly=True)
def answer_to_anothers_request(c):
    """An answer to a request that is not one's own, a false number, a log line in another's name."""
    fd = socket_of_the_node()
    os.write(fd, frame(17, 1, 77777, struct.pack("<I", 200) + span("OK") + pairs([]) + struct.pack("<q", 0)))
    ready, _, _ = select.select([fd], [], [], 5)
    if ready and call("read", fd, ctypes.create_string_buffer(1), 1) == 0:
        raise EOFError("the node hung up")
    return "the node goes on"


@attempt("node", proof=NOT, because="a process that lies is ended: unit tests herd_instance, herd_template", where=ONLY, deadly=True)
def orders_of_the_node(c):
    """Orders that only the node gives: SPAWN, FORK, LOAD, sent by an instance."""
    fd = socket_of_the_node()
    for kind in (32, 33, 36, 37, 34):
        os.write(fd, frame(kind, 0, 0, struct.pack("<IQ", 1, 0)))
    ready, _, _ = select.select([fd], [], [], 5)
    if ready and call("read", fd, ctypes.create_string_buffer(1), 1) == 0:
        raise EOFError("the node hung up")
    return "the node goes on"
