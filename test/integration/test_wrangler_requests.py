"""Each request that real wrangler was seen to send (wrangler_cases/requests.jsonl), replayed in order against one node: status,
code, and every key that the client finds at Cloudflare, with its JSON type."""
import functools
import hashlib
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import until
from serve import multipart
from websocket_client import PING, PONG, TEXT, Raw, frame

pytestmark = pytest.mark.asan

CODE = """\
from js import Response


async def on_fetch(request, env):
    return Response.new(f"My name is {getattr(env, 'MY_NAME', None)}.")
"""
SQL = ("DROP TABLE IF EXISTS books;\nCREATE TABLE IF NOT EXISTS books (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, description TEXT);\n"
       "INSERT INTO books (title) VALUES ('t');\n")
ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"
TEXTS = {  # What texts have to look like: it is parsed.
    "id": ID, "hex": r"[0-9a-f]{32}\Z", "string": r"", "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z",
    "http": r"http://127\.0\.0\.1:\d+/", "ws": r"ws://127\.0\.0\.1:\d+/",
}
KINDS = {"number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool), "boolean": lambda v: isinstance(v, bool),
         "true": lambda v: v is True, "null": lambda v: v is None, "array": lambda v: isinstance(v, list),
         "object": lambda v: isinstance(v, dict), "empty": lambda v: v == [], "any": lambda v: True}

CASES = [case for case in map(json.loads, (Path(__file__).parent / "wrangler_cases" / "requests.jsonl").read_text().splitlines())
         if "ask" in case]


def differences(value, shape, where):
    """What of the shape is not in the value, as sentences."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return ["%s is no object: %r" % (where, value)]
        return [said for key, inner in shape.items()
                for said in (differences(value[key], inner, where + "." + key) if key in value else ["%s has no %s" % (where, key)])]
    if isinstance(shape, list):
        if not isinstance(value, list) or not value:
            return ["%s is no array with something in it: %r" % (where, value)]
        return [said for i, item in enumerate(value) for said in differences(item, shape[0], "%s[%d]" % (where, i))]
    if shape in TEXTS:
        good = isinstance(value, str) and re.match(TEXTS[shape], value)
    else:
        good = KINDS[shape](value)
    return [] if good else ["%s is no %s: %r" % (where, shape, value)]


class Replay:
    """A node that is asked one case after the other, and what the answers so far have named."""

    def __init__(self, node):
        self.node = node
        self.names = {"ACC": node.account["id"], "SQL": SQL, "MD5": hashlib.md5(SQL.encode()).hexdigest(),
                      "NONE": "00000000-0000-4000-8000-000000000000"}

    def filled(self, value):
        """As it is, with $NAMES in texts replaced."""
        text = json.dumps(value)
        return json.loads(re.sub(r"\$([A-Z][A-Z0-9_]*)", lambda m: json.dumps(self.names.get(m.group(1), m.group(0)))[1:-1], text))

    def body(self, case):
        """(content type or None, body or None) as wrangler writes it."""
        if "upload" in case:
            metadata = case["upload"]
            main = metadata["main_module"]
            parts = [("metadata", None, None, json.dumps(metadata).encode()),
                     (main, main, case.get("type", "text/x-python"), case.get("code_text", CODE).encode())]
            parts += [(name, name, kind, text.encode()) for name, kind, text in case.get("parts", [])]
            return multipart(parts)
        if "form" in case:
            return multipart([(name, None, None, (value if isinstance(value, str) else json.dumps(value)).encode())
                              for name, value in case["form"].items()])
        if "json" in case:
            return "application/json", json.dumps(case["json"]).encode()
        return None, case["text"].encode() if "text" in case else None

    def ask(self, case):
        case = self.filled(case)
        method, path = case["ask"].split(" ", 1)
        kind, body = self.body(case)
        headers = dict({"Content-Type": kind} if kind else {}, **case.get("headers", {}))
        is_signed = path.startswith("http://")  # An address that the node named: asked without the token.
        path = "/" + path.split("/", 3)[3] if is_signed else "/client/v4" + path
        return case, self.node.api_raw(method, path, body, headers, token=not is_signed)

    def complaints(self, case):
        """Asks it; what is wrong with the answer."""
        case, answer = self.ask(case)
        if "until" in case:
            key, wanted = case["until"]
            until("%s is %s" % (key, wanted), lambda: self.ask(case)[1].json()["result"][key] == wanted)
            answer = self.ask(case)[1]
        status = case.get("status", 200)
        wrong = ["status %d, not %d" % (answer.status, status)] if answer.status != status else []
        if "header" in case:
            name, value = case["header"]
            wrong += ["%s is %r" % (name, answer.headers[name])] if (answer.headers[name] or "").strip('"') != value else []
        if case.get("says", "") not in answer.text:
            wrong.append("it does not say %r" % case["says"])
        if "raw" in case:
            wrong += ["type %s" % answer.headers["content-type"]] if not (answer.headers["content-type"] or "").startswith(case["raw"]) else []
            wrong += differences(answer.json()["data"], case["data"], "data") if "data" in case else []
        elif not path_is_bare(case):
            wrong += self.of_envelope(case, answer.json(), status)
        for name, way in case.get("keep", {}).items() if answer.status == status else ():
            self.names[name] = functools.reduce(lambda value, step: value[step], way, answer.json()["result"])
        return ["%s: %s: %s" % (case["ask"], "; ".join(wrong), answer.text[:1500])] if wrong else []

    def of_envelope(self, case, said, status):
        wrong = differences(said, {"success": "boolean", "errors": "array", "messages": "array", "result": "any"}, "envelope")
        if wrong or status >= 400:
            codes = [error.get("code") for error in said.get("errors", [])]
            wrong += differences(said["errors"], [{"code": "number", "message": "string"}], "errors")
            return wrong + (["codes %r" % codes] if said["success"] or case.get("code", codes[:1]) not in (codes, codes[:1] and codes[0]) else [])
        wrong += ["success is false"] if not said["success"] else []
        wrong += differences(said["result"], case["result"], "result")
        return wrong + (differences(said.get("result_info"), case["info"], "result_info") if "info" in case else [])


def path_is_bare(case):
    """An address of a file: nothing that has the envelope."""
    return case["ask"].startswith("PUT http://") or case["ask"].startswith("GET http://")


def test_wrangler_requests_are_all_answered(shared_serve):
    replay = Replay(shared_serve())
    wrong, listeners = [], {}
    for case in CASES:
        wrong += replay.complaints(case)
        url = replay.names.get("TAIL_URL")
        if url not in listeners and url:        # a tail that nobody listens to goes after a minute
            listeners[url] = Raw(SimpleNamespace(port=replay.node.api_port), "/" + url.split("/", 3)[3], "Sec-WebSocket-Protocol: trace-v1\r\n")
    assert not wrong, "\n\n".join(wrong)
    # The tail that is left: its first frame is not masked, pings are answered (trap 13).
    raw = listeners[replay.names["TAIL_URL"]]
    raw.send(frame(TEXT, b'{"debug":false}', mask=None))
    raw.send(frame(PING, b"wrangler tail ping"))
    said = raw.next()
    while said[0] == TEXT:      # the worker has a schedule, whose minute it may be
        said = raw.next()
    assert said == (PONG, b"wrangler tail ping")
    for listener in listeners.values():
        listener.close()
