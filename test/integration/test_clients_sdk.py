"""An SDK of the shape that OpenAI's has, on httpx: resources, models, streams of events, retries, timeouts; both kinds of client.

And HTTP/2 by httpcore, which such SDKs ask for.
"""
import collections
import http.server
import json
import subprocess
import threading

import pytest

from conftest import finish, start
from harness import LAB, listening, until
from origin import make_certificate


SDK = '''
"""A client of the shape that those have which are generated from an API's description."""
import asyncio
import json
import time
from typing import List, Optional

import httpx
from pydantic import BaseModel


class APIError(Exception):
    pass


class APIConnectionError(APIError):
    pass


class APITimeoutError(APIConnectionError):
    pass


class APIStatusError(APIError):
    def __init__(self, response, body):
        self.status_code, self.body = response.status_code, body
        self.request_id = response.headers.get("x-request-id")
        super().__init__(f"Error code: {response.status_code} - {body}")


class RateLimitError(APIStatusError):
    pass


class Message(BaseModel):
    role: str
    content: Optional[str] = None


class Delta(BaseModel):
    content: Optional[str] = None


class Choice(BaseModel):
    index: int
    message: Optional[Message] = None
    delta: Optional[Delta] = None


class Completion(BaseModel):
    id: str
    choices: List[Choice]


class Events:
    """Of bytes in pieces of any size."""

    def __init__(self):
        self.buffer = b""

    def feed(self, data):
        self.buffer += data
        while b"\\n\\n" in self.buffer:
            event, _, self.buffer = self.buffer.partition(b"\\n\\n")
            data = b"\\n".join(line[5:].strip() for line in event.split(b"\\n") if line.startswith(b"data:"))
            if data and data != b"[DONE]":
                yield Completion(**json.loads(data))


class Stream:
    def __init__(self, response):
        self.response = response

    def __iter__(self):
        events = Events()
        for data in self.response.iter_bytes():
            yield from events.feed(data)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.response.close()


class AsyncStream:
    def __init__(self, response):
        self.response = response

    async def __aiter__(self):
        events = Events()
        async for data in self.response.aiter_bytes():
            for event in events.feed(data):
                yield event

    async def close(self):
        await self.response.aclose()


class _Base:
    limits = httpx.Limits(max_connections=1000, max_keepalive_connections=100)

    def __init__(self, api_key, base_url, timeout=httpx.Timeout(600, connect=5.0), max_retries=2, http_client=None):
        self.key, self.max_retries, self.tries = api_key, max_retries, 0
        self.client = http_client or self.client_type(base_url=base_url, timeout=timeout, limits=self.limits, follow_redirects=True,
                                                      transport=self.transport_type(limits=self.limits, http2=False, retries=0))
        self.chat = type("Chat", (), {"completions": self.resource(self)})()

    def build(self, path, body, stream):
        headers = {"Authorization": f"Bearer {self.key}", "User-Agent": "Shape/Python 1.0", "X-Stainless-Retry-Count": str(self.tries),
                   "Accept": "text/event-stream" if stream else "application/json"}
        return self.client.build_request("POST", path, json=body, headers=headers)

    def delay(self, response):
        return float(response.headers.get("retry-after-ms", 1)) / 1000

    def should_retry(self, response):
        return response.status_code in (408, 409, 429) or response.status_code >= 500

    def error(self, response):
        cls = RateLimitError if response.status_code == 429 else APIStatusError
        return cls(response, response.json())


class Completions:
    def __init__(self, client):
        self.client = client

    def create(self, *, stream=False, **body):
        return self.client.post("/chat/completions", {**body, "stream": stream}, Completion, stream and Stream)


class AsyncCompletions(Completions):
    async def create(self, *, stream=False, **body):
        return await self.client.post("/chat/completions", {**body, "stream": stream}, Completion, stream and AsyncStream)


class Client(_Base):
    client_type, transport_type, resource = httpx.Client, httpx.HTTPTransport, Completions

    def post(self, path, body, model, stream):
        for self.tries in range(self.max_retries + 1):
            is_last = self.tries == self.max_retries
            try:
                response = self.client.send(self.build(path, body, stream), stream=bool(stream))
            except httpx.TimeoutException as e:
                if is_last:
                    raise APITimeoutError("Request timed out.") from e
                continue
            except httpx.HTTPError as e:
                if is_last:
                    raise APIConnectionError("Connection error.") from e
                continue
            if response.is_success:
                return stream(response) if stream else model(**response.json())
            if is_last or not self.should_retry(response):
                response.read()
                raise self.error(response)
            response.close()
            time.sleep(self.delay(response))


class AsyncClient(_Base):
    client_type, transport_type, resource = httpx.AsyncClient, httpx.AsyncHTTPTransport, AsyncCompletions

    async def post(self, path, body, model, stream):
        for self.tries in range(self.max_retries + 1):
            is_last = self.tries == self.max_retries
            try:
                response = await self.client.send(self.build(path, body, stream), stream=bool(stream))
            except httpx.TimeoutException as e:
                if is_last:
                    raise APITimeoutError("Request timed out.") from e
                continue
            except httpx.HTTPError as e:
                if is_last:
                    raise APIConnectionError("Connection error.") from e
                continue
            if response.is_success:
                return stream(response) if stream else model(**response.json())
            if is_last or not self.should_retry(response):
                await response.aread()
                raise self.error(response)
            await response.aclose()
            await asyncio.sleep(self.delay(response))
'''


class Fake(http.server.BaseHTTPRequestHandler):
    """Of the API that the SDK is for.  The model says what it does; a piece of a stream waits until the last was asked about (/go/MODEL)."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *unused):
        pass

    def do_GET(self):
        self.server.go[self.path.rsplit("/", 1)[1]].release()
        self.say(200, {})

    def say(self, status, body, **headers):
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.seen.append((body["model"], self.headers["authorization"], self.headers["user-agent"], self.headers["x-stainless-retry-count"]))
            count = sum(model == body["model"] for model, *_ in self.server.seen)
        kind = body["model"].split("-")[0]
        if kind == "busy" and count < 3:
            return self.say(429 if count == 1 else 503, {"error": "busy"}, retry_after_ms="5")
        if kind == "full":
            return self.say(429, {"error": "full"}, x_request_id="req_1")
        if kind == "bad":
            return self.say(400, {"error": {"message": "no such model"}})
        if kind == "moved" and "v2" not in self.path:
            return self.say(307, {}, Location="/v2/chat/completions")
        if kind == "slow":
            self.server.over.wait(60)
            self.close_connection = True
            return None
        if body["stream"]:
            return self.stream(kind, self.server.go[body["model"]])
        return self.say(200, {"id": "1", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Grüße, " + body["messages"][0]["content"]}}]})

    def stream(self, kind, go):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for n, word in enumerate(("Hello", " ", "wörld")):
            if n and not go.acquire(timeout=60):
                return
            event = b"data: " + json.dumps({"id": "1", "choices": [{"index": 0, "delta": {"content": word}}]}).encode() + b"\n\n"
            for part in (event[:9], event[9:]):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()
        if kind == "torn":
            self.close_connection = True
            return
        self.wfile.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Fake)
        self.lock, self.seen = threading.Lock(), []
        self.go, self.over = collections.defaultdict(lambda: threading.Semaphore(0)), threading.Event()
        self.url = "http://127.0.0.1:%d" % self.server_port
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture(scope="module")
def server():
    one = Server()
    yield one
    one.over.set()
    one.shutdown()
    one.server_close()


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificates"), "trusted", "localhost", "DNS:localhost,IP:127.0.0.1")


@pytest.fixture(scope="module")
def node(tmp_path_factory, trusted):
    files = {"src/entry.py": LAB, "src/sdk.py": SDK, "requirements.txt": "httpx\npydantic\n"}
    one = start(tmp_path_factory.mktemp("sdk"), files, name="lab", env={"SSL_CERT_FILE": str(trusted[1])})
    until("the lab answers", lambda: one.get().status == 200)
    yield one
    finish(one)


CALLS = """
    import httpx, sdk
    U, said = %r, []
    def known(e):
        return [type(e).__name__, str(e)]
    def ask(client, model, **more):
        return client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Bob"}], **more)
"""


def test_sdk_blocking(node, server):
    assert node.value(CALLS % server.url + """
    client = sdk.Client("key", U + "/v1")
    said.append(ask(client, "plain-s").choices[0].message.content)
    said.append([ask(client, "busy-s").id, client.tries])
    said.append(ask(client, "moved-s").choices[0].message.content)
    words = []
    with ask(client, "words-s", stream=True) as stream:
        for event in stream:
            words.append(event.choices[0].delta.content)
            httpx.get(U + "/go/words-s")
    said.append(words)
    for model, options in (("full-s", {}), ("bad-s", {}), ("slow-s", {"timeout": httpx.Timeout(60, read=0.2), "max_retries": 1})):
        try:
            ask(sdk.Client("key", U + "/v1", **options), model)
        except sdk.APIError as e:
            said.append(known(e))
    try:
        ask(sdk.Client("key", "http://127.0.0.1:1"), "plain")
    except sdk.APIError as e:
        said.append(known(e) + known(e.__cause__)[:1])
    said.append((await asyncio.to_thread(ask, client, "plain-s")).id)
    return said
    """) == ["Grüße, Bob", ["1", 2], "Grüße, Bob", ["Hello", " ", "wörld"], ["RateLimitError", "Error code: 429 - {'error': 'full'}"],
             ["APIStatusError", "Error code: 400 - {'error': {'message': 'no such model'}}"], ["APITimeoutError", "Request timed out."],
             ["APIConnectionError", "Connection error.", "ConnectError"], "1"]
    asked = [each for each in server.seen if each[0] == "busy-s"]
    assert [each[1:] for each in asked] == [("Bearer key", "Shape/Python 1.0", str(n)) for n in range(3)]
    until("both tries are read", lambda: [each[0] for each in server.seen].count("slow-s") == 2)


def test_sdk_async(node, server):
    assert node.value(CALLS % server.url + """
    client = sdk.AsyncClient("key", U + "/v1")
    said.append([a.id for a in await asyncio.gather(*[ask(client, "plain-a") for _ in range(20)])])
    said.append([(await ask(client, "busy-a")).id, client.tries])
    words = []
    async with httpx.AsyncClient() as other:
        async for event in await ask(client, "words-a", stream=True):
            words.append(event.choices[0].delta.content)
            await other.get(U + "/go/words-a")
        said.append(words)
        stream = await ask(client, "left-a", stream=True)       # and leaves
        said.append((await anext(aiter(stream))).choices[0].delta.content)
        await stream.close()
        try:
            async for event in await ask(client, "torn-a", stream=True):
                await other.get(U + "/go/torn-a")
        except httpx.RemoteProtocolError as e:
            said.append(known(e))
    for model, options in (("full-a", {}), ("slow-a", {"timeout": httpx.Timeout(60, read=0.2), "max_retries": 1})):
        try:
            await ask(sdk.AsyncClient("key", U + "/v1", **options), model)
        except sdk.APIError as e:
            said.append(known(e))
    task = asyncio.create_task(ask(client, "slow-a"))
    await asyncio.sleep(0)
    task.cancel()
    said.append([type(e).__name__ for e in await asyncio.gather(task, return_exceptions=True)])
    return said
    """) == [["1"] * 20, ["1", 2], ["Hello", " ", "wörld"], "Hello",
             ["RemoteProtocolError", "peer closed connection without sending complete message body"],
             ["RateLimitError", "Error code: 429 - {'error': 'full'}"], ["APITimeoutError", "Request timed out."], ["CancelledError"]]


def test_clients_speak_http2_when_they_are_told_to(node, trusted, tmp_path):
    """nghttpd speaks nothing else; pools without http2 have 1.1."""
    (tmp_path / "hello").write_text("over two")
    (tmp_path / "big").write_bytes(b"z" * 5_000_000)
    server = subprocess.Popen(["nghttpd", "--echo-upload", "-d", str(tmp_path), "-a", "127.0.0.1", "0", str(trusted[0]), str(trusted[1])],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        (_, port), = until("nghttpd listens", lambda: listening(server.pid))
        assert node.value("""
            import httpcore, httpx
            U, said = "https://localhost:%d", []
            async with httpcore.AsyncConnectionPool(http2=True) as pool:
                answer = await pool.request("GET", U + "/hello")
                said.append([answer.status, answer.content.decode(), answer.extensions["http_version"].decode()])
                answers = await asyncio.gather(*[pool.request("GET", U + "/hello") for _ in range(20)])
                said.append({a.content for a in answers} == {b"over two"})
                said.append(len((await pool.request("GET", U + "/big")).content))
                said.append((await pool.request("POST", U + "/echo", content=b"u" * 300_000)).content == b"u" * 300_000)
            async with httpx.AsyncClient() as client:
                client._transport._pool._http2 = True
                answer = await client.get(U + "/hello")
                said.append([answer.http_version, answer.text, answer.reason_phrase])
            return said
        """ % port, timeout=60) == [[200, "over two", "HTTP/2"], True, 5_000_000, True, ["HTTP/2", "over two", ""]]
    finally:
        server.kill()
        server.wait()
