"""Workers whose native code writes what it wants to its own socket to the node, and who is asked beside them.

The worker finds the socket among its descriptors and writes frames by libc's write: nothing of ours is between it and
the node.  Each way of misbehaving is a function of WAYS; `?way=NAME&seed=N` runs one."""
import http.client
import json
import os
import select
import socket
import subprocess
import sys
import time

# How the frames look: src/wire/frame.h.
WIRE = '''
import ctypes, os, random, stat, struct, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
HELLO, LOG, RESPONSE, BODY, CREDIT, RESET, DONE, PONG, OUTCALL, EVENT = 1, 2, 17, 18, 19, 20, 21, 23, 24, 26
LOADED, FAILED, SPAWNED, SPAWN_FAILED, EXITED, EVALUATED = 34, 35, 37, 38, 39, 40

def find():
    for fd in range(64):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return fd
        except OSError:
            pass
    raise RuntimeError("no socket")

def say(data):
    """All of it, whatever else the process would have to do."""
    fd = find()
    data = bytes(data)
    while data:
        n = libc.write(fd, data, len(data))
        if n > 0:
            data = data[n:]
        elif ctypes.get_errno() not in (4, 11):
            os._exit(0)

def frame(kind, payload=b"", stream=0, flags=0, length=None):
    return struct.pack("<IBBHI", len(payload) if length is None else length, kind, flags, 0, stream) + payload

def text(t):
    return struct.pack("<I", len(t)) + t

def forever(data, seconds=1.0):
    """Less than a loop may stand still (CORRAL_TEST_STUCK_MS): who is ended for that is asked again elsewhere."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        say(data)
'''

INSTANCE = WIRE + '''
import json
from js import Response

def response(stream, length=-1, status=200, flags=0):
    return frame(RESPONSE, struct.pack("<I", status) + text(b"") + struct.pack("<I", 0) + text(b"") + struct.pack("<q", length), stream, flags)

def pairs(items):
    data = b"".join(text(part.encode()) for item in items.items() for part in item)
    return struct.pack("<I", len(items)) + text(data)

def outcall(n, length=0, url=None):
    """Without an address it is refused at once."""
    payload = struct.pack("<I", 0) + text(b"") + text(b"fetch") + pairs({"url": url} if url else {}) + pairs({}) + struct.pack("<q", length)
    return frame(OUTCALL, payload, 0x80000000 | n, 1 if length == 0 else 0)

def away(n):
    return frame(RESET, struct.pack("<I", 7) + text(b""), 0x80000000 | n)

def noise(rng):
    kinds = [1, 2, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39, 40]
    out = b""
    for _ in range(rng.randrange(1, 6)):
        stream = rng.choice([0, 1, 2, 3, 7, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff])
        out += frame(rng.choice(kinds), rng.randbytes(rng.choice([0, 4, 12, 40, 300])), stream, rng.choice([0, 0, 1, 2, 3, 4, 8]))
    return out

def stop(rng):
    libc.kill(os.getpid(), 19)
    libc.raise_ = libc["raise"](19)

def hold(rng):
    while True:
        libc.pause()    # time.sleep would leave the loop to others

def spin(rng):
    end = time.monotonic() + 1
    while time.monotonic() < end:
        pass

def pour(rng):
    end = time.monotonic() + 1
    while time.monotonic() < end:
        libc.write(1, b"\\n" * 4096, 4096)

def outcalls_and_away(rng, url=None, seconds=1):
    """Asks and takes it back, a hundred at once; what comes of it is not read."""
    n, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        data = b""
        for _ in range(100):
            n += 1
            data += outcall(n, 0, url and url % n) + away(n)
        say(data)

def refused(reads):
    """One call after the other that is refused at once; what the node says of them is read, or it is not."""
    n, end, room = 0, time.monotonic() + 1, ctypes.create_string_buffer(65536)
    while time.monotonic() < end:
        data = b"".join(outcall(n + i) for i in range(1, 51))
        n += 50
        say(data)
        if reads:
            libc.read(find(), room, 65536)

WAYS = {
    "wrong_stream": lambda rng: say(response(999)),
    "giant": lambda rng: say(frame(BODY, b"", 1, length=0x7fffffff)),
    "event": lambda rng: say(frame(EVENT, b"", 1, length=16 << 20) + bytes(1 << 20)) or hold(rng),
    "half": lambda rng: say(frame(BODY, b"x" * 100, 1, length=60000)) or hold(rng),
    "body_first": lambda rng: say(frame(BODY, b"x", 1)),
    "longer": lambda rng: say(response(1, 3) + frame(BODY, b"abcdef", 1)),
    "more_than_credit": lambda rng: say(response(1) + frame(BODY, bytes(65536), 1) * 6),
    "two_heads": lambda rng: say(response(1) * 2),
    "hello": lambda rng: say(frame(HELLO, struct.pack("<II", 6, 3) + text(b"") * 2)),
    "pong": lambda rng: say(frame(PONG) * 3),  # one may answer a PING: nobody asks twice
    "exited": lambda rng: say(frame(EXITED, struct.pack("<II", 1, 9))),
    "spawned": lambda rng: say(frame(SPAWNED, struct.pack("<II", 1, 1))),
    "credit": lambda rng: say(frame(CREDIT, struct.pack("<I", 0xffffffff), 1) * 2),
    "many_outcalls": lambda rng: say(b"".join(outcall(n, 5) for n in range(1, 300))),
    "open_outcalls": lambda rng: say(b"".join(outcall(n, 5) for n in range(1, 200))) or hold(rng),
    "outcalls_and_away": lambda rng: outcalls_and_away(rng, seconds=float(query.get("seconds", "1"))),
    "fetches_and_away": lambda rng: outcalls_and_away(rng, "http://127.0.0.1:%s/%%d" % query["port"]),
    "names_and_away": lambda rng: outcalls_and_away(rng, "http://host%d.invalid/"),
    "fetches_unread": lambda rng: say(b"".join(outcall(n, 0, "http://127.0.0.1:%s/" % query["port"]) for n in range(1, 200))) or hold(rng),
    "others_outcalls": lambda rng: say(frame(BODY, b"x", 0x80000007)),
    "flood_calls": lambda rng: refused(False),
    "flood_calls_read": lambda rng: refused(True),
    "flood_credit": lambda rng: forever(frame(CREDIT, struct.pack("<I", 0), 1) * 4096),
    "flood_gone": lambda rng: say(outcall(1)) or forever(frame(CREDIT, struct.pack("<I", 0), 0x80000001) * 4096),
    "flood_log": lambda rng: forever(frame(LOG, struct.pack("<I", 1) + text(b"") + text(b"")) * 4096),
    "flood_log_long": lambda rng: forever(frame(LOG, struct.pack("<I", 1) + text(b"x" * 60000) + text(b"")) * 4),
    "flood_lines": pour,
    "flood_body": lambda rng: say(response(1)) or forever(frame(BODY, b"", 1) * 4096),
    "close": lambda rng: os.close(find()) or spin(rng),
    "stop": stop,
    "hold": hold,
    "spin": spin,
    "exit": lambda rng: os._exit(3),
}

async def on_fetch(request, env):
    global query
    query = dict(pair.split("=") for pair in request.url.partition("?")[2].split("&") if pair)
    if not query:
        return Response.new(json.dumps(sorted(WAYS)))
    rng = random.Random(int(query.get("seed", "0")))
    if query["way"] == "noise":
        say(noise(rng))
    else:
        WAYS[query["way"]](rng)
    return Response.new("done")
'''

# Top-level code of a template: before it is loaded, or in the place of being so.
TEMPLATE_WAYS = {
    "spawned": "say(frame(SPAWNED, struct.pack('<II', 77, 1)))",
    "exited": "[say(frame(EXITED, struct.pack('<II', n, 9)) * 1000) for n in range(100)]",
    "spawn_failed": "say(frame(SPAWN_FAILED, struct.pack('<II', 9, 0) + text(b'no')))",
    "loaded_twice": "say(frame(LOADED, struct.pack('<I', 1)) * 2)",
    "failed_behind_loaded": "say(frame(LOADED, struct.pack('<I', 1)) + frame(FAILED, bytes(4) + text(b'no') * 4 + bytes(8) + text(b'')))",
    "response": "say(frame(RESPONSE, bytes(24), 1))",
    "flood_log": "forever(frame(LOG, struct.pack('<I', 1) + text(b'') + text(b'')) * 4096, 2)",
    "flood_evaluated": "say(frame(EVALUATED) * 1000)",
    "half": "say(frame(FAILED, b'x' * 100, length=200000)); time.sleep(3600)",
    "event": "say(frame(EVENT, b'x' * 100, length=16 << 20)); time.sleep(3600)",
    "hello": "say(frame(HELLO, struct.pack('<II', 6, 2) + text(b'') * 2))",
    "loaded_and_silent": "say(frame(LOADED, struct.pack('<I', 1))); time.sleep(3600)",
    "loaded_and_stopped": "say(frame(LOADED, struct.pack('<I', 1))); libc.kill(os.getpid(), 19); libc['raise'](19); time.sleep(3600)",
    "exit": "os._exit(0)",
}


def template(way):
    return WIRE + TEMPLATE_WAYS[way] + "\nfrom js import Response\nasync def on_fetch(request, env):\n    return Response.new('up')\n"


# ---- who is asked beside them ----

# In a process of its own, so that what the test does costs it nothing; one line with its times per window.
ASK = '''
import json, os, socket, sys, time
port, host, pause = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
watched = [open("/proc/%s/schedstat" % pid, "rb", buffering=0) for pid in ["self"] + sys.argv[4:]]
last = [0] * len(watched)

def waited():
    """Seconds that these were ready to run, and somebody else had the processor."""
    for n, file in enumerate(watched):
        try:
            last[n] = int(os.pread(file.fileno(), 99, 0).split()[1])
        except OSError:
            pass  # It is no more.
    return sum(last) / 1e9

try:
    os.nice(-10)
except OSError:
    pass
request = ("GET / HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % host).encode()
for line in sys.stdin:
    sock = socket.create_connection(("127.0.0.1", port))    # one that nothing came on since the last window might be closed
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.settimeout(60)
    times, end = [], time.monotonic() + float(line)
    while time.monotonic() < end:
        before, begun = waited(), time.perf_counter()
        sock.sendall(request)
        answer = b""
        while not answer.endswith(b"calm"):
            piece = sock.recv(65536)
            assert piece and b" 200 " in (answer + piece)[:20], answer + piece
            answer += piece
        times.append((time.perf_counter() - begun - (waited() - before if sys.argv[4:] else 0)) * 1000)
        time.sleep(pause)
    sock.close()
    print(json.dumps(times), flush=True)
'''


class Neighbour:
    """Asks a worker all the time, in windows.

    watched: processes that a request goes through.  What they, and who asks, wait for a processor does not count then: the
    time is theirs, and nothing else that the machine does adds to it."""

    def __init__(self, node, host, pause=0.002, watched=()):
        self.process = subprocess.Popen([sys.executable, "-c", ASK, str(node.port), host, str(pause)] + [str(pid) for pid in watched], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def begin(self, seconds):
        self.process.stdin.write("%f\n" % seconds)
        self.process.stdin.flush()

    def end(self):
        """Milliseconds of each answer in the window, sorted."""
        line = self.process.stdout.readline()
        assert line, "the neighbour had no answer"
        return sorted(json.loads(line))

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def p99(times):
    return times[min(len(times) - 1, int(len(times) * 0.99))]


def ask(node, host, path, timeout, method="GET"):
    """Status of a request that may well fail; None when the connection broke behind its head."""
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=timeout)
    status = None
    try:
        connection.request(method, path, headers={"Host": host})
        answer = connection.getresponse()
        status = answer.status
        answer.read()
        return status
    except http.client.HTTPException:
        assert status is not None, "closed without an answer"
        return None
    finally:
        connection.close()
