"""Tails of deployed workers: the API and its WebSocket by a client of our own, and `corral tail`."""
import json
import os
import signal
import subprocess
from types import SimpleNamespace

import pytest

from harness import BIN, DEADLINE, until
from test_api_javascript import upload
from websocket_client import CLOSE, PING, PONG, TEXT, Raw, frame

pytestmark = pytest.mark.asan

CODE = """\
import asyncio
from js import Response, console
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = request.url.split("/", 3)[3].split("?")[0]
        print("begin", path)
        if path == "odd":
            print("nul\\0 esc\\x1b")
        if path == "boom":
            raise ValueError("two")
        if path.startswith("mix"):
            for i in range(5):
                await asyncio.sleep(0.001)
                print(path, i)
        if path == "levels":
            console.debug("d", 1)
            console.warn("w")
            console.error({"a": [1]})
        if path == "big":
            for i in range(64):
                print("x" * 4000)
        if path == "late":
            async def later():
                await asyncio.sleep(0.02)
                print("later")
                raise KeyError("late")
            self.ctx.waitUntil(later())
        return Response.new("said", status=201)

    async def scheduled(self, controller, env=None, ctx=None):
        print("tick", controller.cron)
        if controller.cron == "1-59 * * * *":
            raise RuntimeError("tock")
"""
TAILS = "/accounts/$ACC/workers/scripts/hello/tails"


class Listener:
    """A tail and who reads it, byte for byte as wrangler does: the first frame is not masked."""

    def __init__(self, node, *filters, receive_buffer=None, script="hello"):
        self.node, self.tails = node, TAILS.replace("hello", script)
        self.tail = node.result("POST", self.tails, {"filters": list(filters)})
        self.raw = self.connect(receive_buffer)
        assert self.raw.head.startswith("HTTP/1.1 101 ") and "sec-websocket-protocol: trace-v1" in self.raw.head.lower()
        self.raw.send(frame(TEXT, b'{"debug":false}', mask=None))
        # What is answered was read behind it.
        self.raw.send(frame(PING, b"wrangler tail ping"))
        assert self.raw.next() == (PONG, b"wrangler tail ping")

    def connect(self, receive_buffer=None):
        path = self.tail["url"].split("/", 3)[3]
        assert self.tail["url"] == "ws://127.0.0.1:%d/%s" % (self.node.api_port, path)
        return Raw(SimpleNamespace(port=self.node.api_port), "/" + path, "Sec-WebSocket-Protocol: trace-v1\r\n", receive_buffer)

    def next(self):
        kind, text = self.raw.next()
        assert kind == TEXT, (kind, text)
        return json.loads(text)

    @staticmethod
    def path(event):
        return event["event"]["request"]["url"].rsplit("/", 1)[1]

    def lines(self, event=None):
        return [line["message"][0] for line in (event or self.next())["logs"]]

    def close(self):
        self.raw.close()
        self.node.api("DELETE", self.tails + "/" + self.tail["id"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve(env={"CORRAL_TEST_INSTANCES": "1", "CORRAL_TEST_CLOCK_SPEED": "600", "TZ": "UTC"})
    node.deploy("hello", CODE)
    node.get("hello")
    return node


# ---- events ----


def test_a_request_is_an_event(node):
    with Listener(node) as tail:
        assert node.request("hello", "/a/" + "0" * 32 + "?k=v", "POST", "body",
                            {"Authorization": "Bearer hidden", "X-Api-Key": "hidden", "X-Tag": "red"}).status == 201
        event = tail.next()
        request = event["event"]["request"]
        assert event["outcome"] == "ok" and event["scriptName"] == "hello" and event["exceptions"] == []
        assert event["scriptVersion"]["id"] == node.result("GET", "/accounts/$ACC/workers/scripts/hello/deployments")[
            "deployments"][0]["versions"][0]["version_id"]
        assert request["url"] == "http://%s/a/REDACTED?k=v" % node.host_of("hello") and request["method"] == "POST"
        assert request["headers"]["x-tag"] == "red" and request["headers"]["x-api-key"] == "REDACTED"
        assert "hidden" not in json.dumps(event)
        assert event["event"]["response"] == {"status": 201} and event["truncated"] is False
        assert event["wallTime"] >= 0 and event["cpuTime"] >= 0 and event["diagnosticsChannelEvents"] == []
        node.get("hello", "/levels")
        assert [(line["level"], line["message"]) for line in tail.next()["logs"]] == [
            ("log", ["begin levels"]), ("debug", ["d", 1]), ("warn", ["w"]), ("error", ["{'a': [1]}"])]


def test_a_line_is_its_arguments(node):
    """Plain values as they are, others as text, as Cloudflare has them; the node's log has one line."""
    said = upload(node, "arguments", {"index.js": """
class Point { constructor() { this.x = 1 } }
const around = {}
around.around = around
export default { fetch() {
  console.log("a", { b: 1 }, [1, [2]], null, undefined, true, 1.5, NaN)
  console.info("info")
  console.warn(new Point(), new Date(0), new Error("why"), 12n, Symbol("s"), around, Object.create(null), { toJSON() { throw 1 } })
  console.debug("%s is %d", "x", 1)
  console.group("group"); console.error("inner"); console.groupEnd()
  console.log("single"); console.log({ long: "x".repeat(40000) })
  console.log("holes", new Array(2 ** 32 - 1)); console.log(new Uint8Array(1e6)); console.log({ a: Array(5000).fill(1) })
  return new Response("said")
} }"""})
    assert said.success, said.text
    with Listener(node, script="arguments") as tail:
        assert node.get("arguments").text == "said"
        logs = [(line["level"], line["message"]) for line in tail.next()["logs"]]
        assert logs[:7] == [
            ("log", ["a", {"b": 1}, [1, [2]], None, None, True, 1.5, None]), ("info", ["info"]),
            ("warn", ["[object Object]", "1970-01-01T00:00:00.000Z", "Error: why", "12", {}, {}, {}, {}]),
            ("debug", ["%s is %d", "x", 1]), ("log", ["group"]), ("error", ["inner"]), ("log", ["single"])]
        assert [message[0][:5] for _, message in logs[8:]] == ["holes", "Uint8", "{\n  a"] and all(len(message) == 1 for _, message in logs[7:])
        assert logs[7][1][0].startswith("{\n  long: 'xxx")      # what is too long for a value comes as the log has it
    node.wait_log(r"\[arguments:inf\] a { b: 1 } \[ 1, \[ 2 \] \] null undefined true 1.5 NaN")
    node.wait_log(r"\[arguments:err\]   inner")


def test_exceptions_come_with_their_traceback(node):
    with Listener(node) as tail:
        assert node.get("hello", "/boom").status == 500
        event = tail.next()
        assert event["outcome"] == "exception" and tail.lines(event) == ["begin boom"]
        one, = event["exceptions"]
        assert one["name"] == "PythonError" and one["message"].startswith("Traceback (most recent call last):")
        assert 'File "entry.py", line 12, in fetch' in one["message"] and one["message"].endswith("ValueError: two")
        # What runs behind the answer belongs to it.
        assert node.get("hello", "/late").status == 201
        event = tail.next()
        assert event["outcome"] == "ok" and tail.lines(event) == ["begin late", "later"]
        assert event["exceptions"][0]["message"].endswith("KeyError: 'late'")
        assert event["event"]["response"] == {"status": 201}


def test_the_outcome_is_that_of_the_access_log(node):
    """What is rejected behind an answer, with waitUntil or without, is an exception of a request that was in order; of a
    scheduled run what waitUntil waits for is part of it, what nobody waits for is not."""
    said = upload(node, "rejecting", {"index.js": """
const reject = async (why) => { await Promise.resolve(); throw new RangeError(why) }
function both(way, ctx) {
  if (way === "waited") ctx.waitUntil(reject(way))
  if (way === "floating") reject(way)
}
export default {
  fetch(request, env, ctx) {
    both(new URL(request.url).pathname.slice(1), ctx)
    return new Response("said")
  },
  scheduled({ cron }, env, ctx) { both({ "* * * * *": "waited", "1-59 * * * *": "floating" }[cron], ctx) },
}"""})
    assert said.success, said.text
    with Listener(node, script="rejecting") as tail:
        for way in ("none", "waited", "floating"):
            mark = node.mark()
            assert node.get("rejecting", "/" + way).text == "said"
            event = tail.next()
            assert event["outcome"] == "ok" and event["event"]["response"] == {"status": 200}, event
            assert [one["message"] for one in event["exceptions"]] == ([] if way == "none" else [way]), event
            assert '"outcome":"ok"' in node.wait_log(r'.*"path":"/%s".*' % way, since=mark).group()
        schedules = "/accounts/$ACC/workers/scripts/rejecting/schedules"
        node.result("PUT", schedules, [{"cron": "* * * * *"}, {"cron": "1-59 * * * *"}])
        events = {}
        while len(events) < 2:
            event = tail.next()
            events[event["event"]["cron"]] = event["outcome"], [one["message"] for one in event["exceptions"]]
        node.result("PUT", schedules, [])
    assert events == {"* * * * *": ("exception", ["waited"]), "1-59 * * * *": ("ok", ["floating"])}


def test_lines_of_requests_at_once_do_not_mix(node):
    with Listener(node) as tail:
        connections = [node.connection() for _ in range(8)]
        for i, connection in enumerate(connections):
            connection.request("GET", "/mix%d" % i, headers={"Host": node.host_of("hello")})
        for connection in connections:
            assert connection.getresponse().read() == b"said"
            connection.close()
        events = {event["event"]["request"]["url"].rsplit("/", 1)[1]: tail.lines(event)
                  for event in (tail.next() for _ in connections)}
        assert events == {"mix%d" % i: ["begin mix%d" % i] + ["mix%d %d" % (i, k) for k in range(5)] for i in range(8)}


def test_scheduled_runs_are_events(node):
    node.deploy("ticking", CODE)    # its last run may end when another test listens
    with Listener(node, script="ticking") as tail:
        node.result("PUT", "/accounts/$ACC/workers/scripts/ticking/schedules", [{"cron": "* * * * *"}, {"cron": "1-59 * * * *"}])
        events = {}
        while len(events) < 2:
            event = tail.next()
            events[event["event"]["cron"]] = event
        node.result("PUT", "/accounts/$ACC/workers/scripts/ticking/schedules", [])
    good, bad = events["* * * * *"], events["1-59 * * * *"]
    assert good["outcome"] == "ok" and tail.lines(good) == ["tick * * * * *"] and good["event"]["scheduledTime"] % 60000 == 0
    assert bad["outcome"] == "exception" and bad["exceptions"][0]["message"].endswith("RuntimeError: tock")


# ---- filters ----


def test_filters_let_through_what_they_say(node):
    def passes(*filters):
        with Listener(node, *filters) as tail, Listener(node) as whole:
            node.request("hello", "/f", "POST", "", {"X-Tag": "red green"})
            node.get("hello", "/boom")
            assert [whole.path(whole.next()) for _ in range(2)] == ["f", "boom"]    # by now the other has had them, too
            tail.raw.send(frame(TEXT, b'{"debug":true}'))   # from now on everything
            tail.raw.send(frame(PING, b""))
            seen = []
            while True:
                kind, text = tail.raw.next()
                if kind == PONG:
                    return seen
                seen.append(tail.path(json.loads(text)))

    assert passes() == ["f", "boom"]
    assert passes({"outcome": ["ok"]}) == ["f"]
    assert passes({"outcome": ["exception", "unknown"]}) == ["boom"]
    assert passes({"method": ["POST"]}) == ["f"]
    assert passes({"header": {"key": "x-tag", "query": "green"}}) == ["f"]
    assert passes({"header": {"key": "x-other"}}) == []
    assert passes({"client_ip": ["self"]}) == ["f", "boom"]
    assert passes({"client_ip": ["192.0.2.1"]}) == []
    assert passes({"query": "begin b"}) == ["boom"]
    assert passes({"sampling_rate": 0}) == []
    assert passes({"sampling_rate": 1}, {"method": ["GET"]}) == ["boom"]
    assert passes({"scriptVersion": "00000000-0000-4000-8000-000000000000"}) == []
    said = node.api("POST", TAILS, {"filters": [{"colour": "red"}]})
    assert said.status == 400 and "there is no filter \"colour\"" in said.text


# ---- the socket ----


def test_only_the_first_frame_may_be_without_a_mask(node):
    with Listener(node) as tail:
        tail.raw.send(frame(TEXT, b"{}", mask=None))
        assert tail.raw.close_code() == 1002
    with Listener(node) as tail:
        tail.raw.send(frame(TEXT, b"{}") + frame(CLOSE, b"\x03\xe8"))
        assert tail.raw.close_code() == 1000


def test_a_tail_is_its_accounts_and_ends(node):
    node.add_account("other")
    with Listener(node) as tail:
        again = tail.connect()
        assert again.head.startswith("HTTP/1.1 409 ")
        again.close()
        assert [one["id"] for one in node.result("GET", TAILS)] == [tail.tail["id"]]
        assert node.api("GET", TAILS, account="other").codes == [10007]
        assert node.api("POST", TAILS, {"filters": []}, account="other").codes == [10007]
        assert node.api("DELETE", TAILS + "/" + tail.tail["id"], account="other").status == 404
        assert node.api("DELETE", TAILS + "/" + tail.tail["id"]).success
        assert tail.raw.close_code() == 1000
        gone = tail.connect()
        assert gone.head.startswith("HTTP/1.1 404 ")
        gone.close()
    assert node.api("POST", TAILS.replace("hello", "nobody"), {"filters": []}).codes == [10007]
    tails = [node.result("POST", TAILS, {"filters": []}) for _ in range(10)]
    assert node.api("POST", TAILS, {"filters": []}).status == 400
    for one in tails:
        assert node.api("DELETE", TAILS + "/" + one["id"]).success
    answer = node.api_raw("GET", "/tails/" + "0" * 32, token=False)
    assert answer.status == 404


def test_what_is_too_long_is_cut(node):
    with Listener(node) as tail:
        assert node.get("hello", "/big").status == 201
        event = tail.next()
        assert event["truncated"] is True and 64 * 1024 < sum(map(len, tail.lines(event))) < 128 * 1024


def test_a_slow_reader_slows_nobody_and_is_told(node):
    big = {"X-Big-%d" % i: "x" * 7000 for i in range(6)}
    with Listener(node, receive_buffer=4096) as tail:
        connection = node.connection()
        for _ in range(250):
            assert node.request("hello", "/", headers=big, connection=connection).status == 201
        connection.close()
        assert "corral_tail_events_dropped_total 0\n" not in node.api_raw("GET", "/metrics", token=False).text
        seen, told = 0, None
        while told is None:
            event = tail.next()
            if event["event"].get("type") == "overload":
                told = event["event"]["message"]
            seen += 1
        assert seen < 250 and "dropped" in told


# ---- corral tail ----


def corral_tail(node, *arguments):
    return subprocess.Popen([str(BIN / "corral"), "tail", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=dict(os.environ, NO_COLOR="1", TZ="UTC", **node.client_env()), cwd="/")


def is_heard(node, count=1):
    until("somebody listens", lambda: "corral_tails %d\n" % count in node.api_raw("GET", "/metrics", token=False).text)


def end(process, node):
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, errors.decode()
    assert node.result("GET", TAILS) == []
    return out.decode(), errors.decode()


def test_corral_tail_pretty(node):
    process = corral_tail(node, "hello", "--format", "pretty")
    assert process.stdout.readline() == b"Connected to hello, waiting for logs...\n"
    node.get("hello", "/odd?a=b")
    node.get("hello", "/boom")
    lines = [process.stdout.readline().decode() for _ in range(5)]
    out, errors = end(process, node)
    host = "http://" + node.host_of("hello")
    assert lines[0].startswith("GET %s/odd?a=b - Ok @ " % host) and lines[0].rstrip().endswith("M")
    assert lines[1] == "  (log) begin odd\n" and lines[2] == "  (log) nul\\u0000 esc\\u001b\n"
    assert lines[3].startswith("GET %s/boom - Exception Thrown @ " % host) and lines[4] == "  (log) begin boom\n"
    assert "PythonError: Traceback (most recent call last):" in errors and "ValueError: two" in errors and out == ""


def test_corral_tail_json_and_filters(node):
    process = corral_tail(node, "hello", "--format=json", "--status", "error", "--method", "GET", "POST", "--search", "begin",
                          "--header", "x-tag: red", "--ip", "self")
    is_heard(node)
    # It hears when it is connected: the node has a tail first.
    until("it is connected", lambda: node.get("hello", "/f", headers={"X-Tag": "red"}).status == 201
          and node.get("hello", "/boom", headers={"X-Tag": "red"}).status == 500 and is_readable(process))
    out, errors = end(process, node)
    decoder, events = json.JSONDecoder(), []
    while out.strip():
        event, at = decoder.raw_decode(out.lstrip())
        events.append(event)
        out = out.lstrip()[at:]
    assert {event["outcome"] for event in events} == {"exception"} and errors == ""


def is_readable(process):
    import select
    return bool(select.select([process.stdout], [], [], 0)[0])


def test_corral_tail_says_what_is_wrong(node):
    for arguments, code, words in ((("nobody", "--format", "pretty"), 1, "there is no worker 'nobody'"),
                                   (("hello", "--sampling-rate", "2"), 2, "--sampling-rate is a number between 0 and 1"),
                                   (("hello", "--status", "bad"), 2, "--status is ok, error or canceled"),
                                   (("hello", "--format", "xml"), 2, "--format is pretty or json")):
        process = corral_tail(node, *arguments)
        errors = process.communicate(timeout=DEADLINE)[1].decode()
        assert process.returncode == code and words in errors, errors


def test_a_node_that_stops_says_goodbye(serve):
    node = serve()
    node.deploy("hello", CODE)
    tail = Listener(node)
    node.process.send_signal(signal.SIGTERM)
    assert tail.raw.close_code() == 1001
    tail.raw.close()
    node.wait_exit()
