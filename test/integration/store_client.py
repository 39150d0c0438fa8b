"""corral-store from the node's side: its frames over a socketpair, its records as Python values."""
import collections
import os
import select
import socket
import struct
import subprocess
import time

from harness import BIN, PATIENCE

HELLO, LOG, BODY, CREDIT, RESET, PING, PONG, OUTCALL, REPLY, FAILED = 1, 2, 18, 19, 20, 22, 23, 24, 25, 35
END = 1
WINDOW = 256 * 1024
COLUMNS, ROWS, DONE, RECORD_END, ERROR, RESTART, PROGRESS = range(1, 8)
Meta = collections.namedtuple("Meta", "duration_ms changes last_row_id size_after rows_read rows_written changed_db")
Error = collections.namedtuple("Error", "statement line text sql")


def span(data):
    data = data.encode() if isinstance(data, str) else bytes(data)
    return struct.pack("<I", len(data)) + data


def pairs(items):
    data = b"".join(span(name) + span(value) for name, value in items)
    return struct.pack("<I", len(items)) + span(data)


def value(v):
    if v is None:
        return b"\0"
    if isinstance(v, int):
        return b"\1" + struct.pack("<q", v)
    if isinstance(v, float):
        return b"\2" + struct.pack("<d", v)
    return (b"\3" if isinstance(v, str) else b"\4") + span(v)


def statements(*items):
    """Each is SQL, or SQL and its parameters."""
    out = struct.pack("<I", len(items))
    for item in items:
        sql, *values = (item,) if isinstance(item, str) else item
        out += span(sql) + struct.pack("<I", len(values)) + b"".join(map(value, values))
    return out


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, code):
        found = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return found[0]

    def span(self):
        n = self.take("I")
        self.at += n
        assert self.at <= len(self.data)
        return self.data[self.at - n : self.at]

    def pairs(self):
        count, inner = self.take("I"), Reader(self.span())
        return {inner.span().decode(): inner.span().decode() for _ in range(count)}

    def value(self):
        tag = self.take("B")
        if tag == 0:
            return None
        if tag in (1, 2):
            return self.take("q" if tag == 1 else "d")
        return self.span().decode() if tag == 3 else self.span()


class Call:
    """What has come of one; `wait` until it is over."""

    def __init__(self, store, stream, reads):
        self.store, self.stream, self.reads = store, stream, reads
        self.window = WINDOW
        self.status = None
        self.results = {}
        self.bytes = bytearray()
        self.received = 0
        self.records = []
        self.reset = None
        self.is_over = False
        self.is_ended = False
        self.began = time.monotonic()
        self.took = None

    def feed(self, payload, is_end):
        self.received += len(payload)
        self.bytes += payload
        if is_end:
            self.finish()

    def finish(self):
        self.is_over = True
        self.store.over.append(self)
        self.took = time.monotonic() - self.began

    def parse(self):
        data, at = bytes(self.bytes), 0
        self.records = []
        while at < len(data):
            kind, length = struct.unpack_from("<BI", data, at)
            body = data[at + 5 : at + 5 + length]
            assert len(body) == length, "a record is cut off"
            self.records.append((kind, body))
            at += 5 + length
        return self.records

    def wait(self):
        self.store.until(lambda: self.is_over)
        return self

    @property
    def error(self):
        if self.reset is not None:
            return self.reset
        for kind, body in self.parse():
            if kind == ERROR:
                r = Reader(body)
                return Error(r.take("I"), r.take("I"), r.span().decode(), r.span().decode())
        return None

    @property
    def results_of(self):
        """A list for each statement: (columns, rows, meta)."""
        assert self.error is None, self.error
        found, columns, rows = [], None, []
        for kind, body in self.parse():
            r = Reader(body)
            if kind == COLUMNS:
                columns, rows = [r.span().decode() for _ in range(r.take("I"))], []
            elif kind == ROWS:
                for _ in range(r.take("I")):
                    rows.append(tuple(r.value() for _ in columns))
            elif kind == DONE:
                words = struct.unpack("<dqqqqqQ", body)
                found.append((columns, rows, Meta(*words)))
        assert self.records[-1][0] == RECORD_END
        return found

    @property
    def rows(self):
        return self.results_of[-1][1]

    @property
    def bookmark(self):
        assert self.parse()[-1][0] == RECORD_END, self.error
        return self.records[-1][1].decode()


class Store:
    def __init__(self, folder, sync="normal", query_ms=30000, size_max=0, start=True, program=None, box=None):
        ours, theirs = socket.socketpair()
        # subprocess keeps descriptors by number: the child moves ours to 3
        command = 'exec 3<&%d; exec "$0" "$@"' % theirs.fileno()
        self.process = subprocess.Popen(
            ["bash", "-c", command, str(program or BIN / "corral-store"), str(folder), "--sync=" + sync,
             "--size-max=%d" % size_max, "--query-ms=%d" % query_ms] + (["--box=" + box] if box is not None else []),
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self.socket = ours
        ours.setblocking(False)
        self.incoming, self.outgoing = bytearray(), bytearray()
        self.calls = {}
        self.over = []  # those that are over, as they came
        self.last_stream = 0
        self.pongs = 0
        self.logs = []
        self.hello = self.failed = None
        self.is_closed = False
        if start:
            self.until(lambda: self.hello)

    # ---- frames ----
    def put(self, kind, stream, payload=b"", flags=0):
        self.outgoing += struct.pack("<IBBHI", len(payload), kind, flags, 0, stream) + payload

    def turn(self, timeout):
        wanted = [self.socket] if self.outgoing else []
        readable, writable, _ = select.select([self.socket], wanted, [], timeout)
        if writable:
            try:
                n = self.socket.send(self.outgoing)
                del self.outgoing[:n]
            except BlockingIOError:
                pass
            except OSError:
                self.is_closed = True
        if readable:
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionError:
                data = b""
            if not data:
                self.is_closed = True
            self.incoming += data
            self.parse()

    def parse(self):
        at = 0
        while len(self.incoming) - at >= 12:
            length, kind, flags, zero, stream = struct.unpack_from("<IBBHI", self.incoming, at)
            if len(self.incoming) - at < 12 + length:
                break
            self.take(kind, flags, stream, bytes(self.incoming[at + 12 : at + 12 + length]))
            at += 12 + length
        del self.incoming[:at]

    def take(self, kind, flags, stream, payload):
        call = self.calls.get(stream)
        if kind == HELLO:
            self.hello = struct.unpack_from("<II", payload)
        elif kind == FAILED:
            r = Reader(payload)
            self.failed = (r.take("I"), r.span().decode(), r.span().decode())
        elif kind == LOG:
            self.logs.append(payload[8:8 + struct.unpack_from("<I", payload, 4)[0]].decode())
        elif kind == PONG:
            self.pongs += 1
        elif call is None:
            return
        elif kind == REPLY:
            assert call.status is None
            r = Reader(payload)
            call.status, call.results = r.take("I"), r.pairs()
            if flags & END:
                call.finish()
        elif kind == BODY:
            assert call.status == 200 and not call.is_over
            call.feed(payload, flags & END)
            if call.reads and not call.is_over:
                self.put(CREDIT, stream, struct.pack("<I", len(payload)))
        elif kind == CREDIT:
            call.window += struct.unpack("<I", payload)[0]
        elif kind == RESET:
            r = Reader(payload)
            r.take("I")
            call.reset = r.span().decode()
            call.finish()
        else:
            raise AssertionError("unexpected frame %d" % kind)

    def until(self, what, seconds=30 * PATIENCE):
        deadline = time.monotonic() + seconds
        while not what():
            if self.is_closed:
                raise EOFError("the store has gone: %r %r" % (self.failed, self.logs))
            assert time.monotonic() < deadline, "nothing came"
            self.turn(0.5)

    def flush(self):
        self.until(lambda: not self.outgoing)

    # ---- calls ----
    def begin(self, method, arguments=(), reads=True, has_body=True):
        self.last_stream += 1
        call = Call(self, self.last_stream, reads)
        self.calls[call.stream] = call
        head = struct.pack("<I", 0) + span("DB") + span(method) + pairs(list(arguments)) + pairs([])
        self.put(OUTCALL, call.stream, head + struct.pack("<q", -1 if has_body else 0), 0 if has_body else END)
        return call

    def send(self, call, body, is_end=True):
        """All of it, as credit comes."""
        body = memoryview(body)
        while True:
            n = min(len(body), call.window, 65536)
            if n or not len(body):
                is_last = is_end and n == len(body)
                if n or is_last:
                    self.put(BODY, call.stream, bytes(body[:n]), END if is_last else 0)
                call.window -= n
                body = body[n:]
            if not len(body) or call.is_over:
                return
            if not call.window:
                self.until(lambda: call.window or call.is_over)
            else:
                self.flush()

    def start(self, method, body=None, reads=True, **arguments):
        tables = arguments.pop("tables", ())
        items = [(name.replace("_", "-"), text) for name, text in arguments.items()]
        items += [("table", name) for name in tables]
        call = self.begin(method, items, reads, body is not None)
        if body is not None:
            self.send(call, body.encode() if isinstance(body, str) else body)
        return call

    def query(self, *items, **more):
        return self.start("query", statements(*items), **more)

    def run(self, *items, **more):
        return self.query(*items, **more).wait()

    def credit(self, call, n):
        self.put(CREDIT, call.stream, struct.pack("<I", n))

    def cancel(self, call):
        self.put(RESET, call.stream, struct.pack("<I", 7) + span(""))

    def ping(self):
        before = self.pongs
        self.put(PING, 0)
        began = time.monotonic()
        self.until(lambda: self.pongs > before)
        return time.monotonic() - began

    # ---- the end ----
    def close(self):
        """In good order; its exit code."""
        self.socket.close()
        return self.process.wait(30 * PATIENCE)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        try:
            self.process.wait(30 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
