"""Servers of node:http as workers (cloudflare:node), asked over loopback; what is expected is what Node.js answers, but for connections."""
import gzip
import json

import npm
import pytest

pytestmark = pytest.mark.asan

CONFIG = """name = "n"
main = "index.js"
compatibility_date = "2025-09-01"
compatibility_flags = ["nodejs_compat"]
"""
INDEX = """\
import { httpServerHandler } from "cloudflare:node";
import { server } from "./app.mjs";
server.listen(8080);
export default httpServerHandler({ port: 8080 });
"""
# Runs under Node.js as it is: `server` listens where it is told.
APP = """\
import http from "node:http";
import { Readable, Writable } from "node:stream";
import { gzipSync } from "node:zlib";

const said = (f) => { try { f(); return null; } catch (error) { return [error.name, error.code, error.message]; } };
const log = [];
const calls = {
  hello(request, response) { response.end("hello"); },
  what(request, response) {
    const { method, url, httpVersion, headers, aborted, upgrade } = request;
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ method, url, httpVersion, aborted, upgrade, custom: headers["x-a"], cookie: headers.cookie, host: typeof headers.host, agent: headers["user-agent"],
      distinct: request.headersDistinct["x-a"], raw: request.rawHeaders.filter((_, i, all) => all[i - (i % 2)].toLowerCase() === "x-a").map((x) => x.toLowerCase()),
      classes: [request instanceof http.IncomingMessage, request instanceof Readable, response instanceof http.ServerResponse, response instanceof http.OutgoingMessage, response.req === request],
      socket: [typeof request.socket.remoteAddress, Boolean(request.socket.encrypted), request.connection === request.socket, response.socket === request.socket] }));
  },
  headers(request, response) {
    response.statusCode = 207;
    response.statusMessage = "Mine";
    response.setHeader("X-One", 1);
    response.setHeader("Set-Cookie", ["a=1", "b=2"]);
    response.setHeader("X-Two", ["1", "2"]);
    response.appendHeader("X-Two", "3");
    response.setHeaders(new Headers({ "x-three": "3" }));
    response.setHeader("X-Gone", "1");
    response.removeHeader("x-gone");
    const before = [response.headersSent, response.getHeader("x-one"), response.getHeaderNames(), response.getRawHeaderNames(), response.hasHeader("X-ONE"), response.getHeaders()["x-two"]];
    response.write("");
    response.end(JSON.stringify([before, response.headersSent, said(() => response.setHeader("a", "b")), said(() => response.removeHeader("a")), said(() => response.writeHead(200))]));
  },
  head(request, response) { response.writeHead(201, "Made", { "X-A": "1", "Content-Type": "text/plain" }).end("made"); },
  list(request, response) { response.writeHead(200, ["X-A", "1", "X-A", "2", "X-B", ["3", "4"]]).end(); },
  refusals(request, response) {
    response.end(JSON.stringify([said(() => response.writeHead(99)), said(() => response.writeHead(1000)), said(() => response.writeHead("x")), said(() => response.setHeader("a b", "1")), said(() => response.setHeader("a", undefined)),
      said(() => response.setHeader("a", "\\u0100")), said(() => response.writeHead(200, "a\\nb")), said(() => { response.statusMessage = ""; response.writeHead(200, ["a"]); }), said(() => response.write(5)), said(() => response.write(null))]));
  },
  echo(request, response) { request.pipe(response); },
  sizes(request, response) {
    const sizes = [];
    request.on("data", (part) => sizes.push(part.length)).on("end", () => response.end(JSON.stringify([sizes.reduce((a, b) => a + b, 0), sizes.length > 1, request.complete])));
  },
  text(request, response) {
    let all = "";
    request.setEncoding("utf8").on("data", (text) => { all += text; }).on("end", () => response.end(`${all} ${all.length}`));
  },
  async iterated(request, response) {
    let n = 0;
    for await (const part of request) n += part.length;
    response.end(String(n));
  },
  unread(request, response) { response.end("not read"); },
  many(request, response) {
    for (let i = 0; i < 100; i++) response.write(`${i}|`);
    response.end("end");
  },
  kinds(request, response) {
    response.write("text|");
    response.write("7c7c", "hex");
    response.write(Buffer.from("buffer|"));
    response.write(new Uint8Array([85, 56, 124]));
    response.end("\\u00f1", "latin1");
  },
  async slow(request, response) {
    const bytes = Buffer.from("one|");
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.flushHeaders();
    response.write(bytes, () => bytes.fill("?"));
    await new Promise((resolve) => setTimeout(resolve, 2));
    response.write("two|");
    await new Promise((resolve) => setTimeout(resolve, 2));
    response.end("three");
  },
  drained(request, response) {
    let left = 50, drains = 0, isFull = false;
    const more = () => {
      while (left-- > 0) if (!response.write(Buffer.alloc(32768, 97))) { isFull = true; return; }
      response.end(isFull && drains > 0 ? "drained" : "never full");
    };
    response.on("drain", () => { drains++; more(); });
    more();
  },
  large(request, response) { Readable.from((function* () { for (let i = 0; i < 40; i++) yield Buffer.alloc(50000, 98); })()).pipe(response); },
  length(request, response) { response.setHeader("Content-Length", 6); response.write("abc"); response.end("def"); },
  late(request, response) { response.writeHead(200, { "Content-Length": 6 }); response.flushHeaders(); setTimeout(() => { response.write("abc"); response.end("def"); }, 2); },
  strict(request, response) {
    response.strictContentLength = true;
    response.setHeader("Content-Length", 3);
    response.end("abc");
  },
  none(request, response) { response.statusCode = 204; response.end("nothing of this"); },
  modified(request, response) { response.writeHead(304, { ETag: '"a"' }); response.end(); },
  packed(request, response) { response.setHeader("Content-Encoding", "gzip"); response.end(gzipSync("packed")); },
  connection(request, response) { response.setHeader("X-A", "1"); response.setHeader("Connection", "close"); response.end("closed"); },
  corked(request, response) {
    response.cork();
    response.write("a");
    response.write("b");
    const length = response.writableLength;
    response.uncork();
    response.end(String(length > 0));
  },
  events(request, response) {
    log.length = 0;
    response.on("finish", () => log.push("finish", response.writableFinished)).on("close", () => log.push("close", response.destroyed)).on("prefinish", () => log.push("prefinish"));
    log.push(response.finished, response.writableEnded);
    response.end("x", () => log.push("callback"));
    log.push(response.finished, response.writableEnded);
  },
  log(request, response) { response.end(JSON.stringify(log)); },
  after(request, response) {
    log.length = 0;
    response.end("first");
    response.on("error", () => {});
    response.write("second", (error) => log.push(error.code));
    response.end("third", (error) => log.push(error?.code));
  },
  destroyed(request, response) {
    request.on("error", (error) => { response.statusCode = 400; response.end(error.message); });
    request.destroy(new Error("Destroy test"));
  },
  twice(request, response) {
    const all = [[], []];
    let open = 2;
    for (const list of all) request.pipe(new Writable({ write(part, _, done) { list.push(part); done(); } })).on("finish", () => { if (--open === 0) response.end(all.map((one) => Buffer.concat(one).toString()).join("|")); });
  },
  thrown() { throw new RangeError("of the listener"); },
  reset(request, response) { response.destroy(new Error("no answer")); },
};
export const server = http.createServer(function (request, response) {
  const name = request.url.slice(1).split("?")[0];
  if (calls[name]) calls[name](request, response);
  else response.writeHead(404).end(String(this === server));
});
"""


# A method and path, and a body: status, reason, what else the headers have, body.
ANSWERS = [
    ("GET /hello", None, 200, "OK", {"content-length": "5"}, "hello"),
    ("GET /head", None, 201, "Made", {"x-a": "1", "content-type": "text/plain"}, "made"),
    ("GET /list", None, 200, "OK", {"x-a": "1, 2", "x-b": "3, 4"}, ""),
    ("GET /unread", None, 200, "OK", {}, "not read"),
    ("PUT /unread", b"x" * 2_000_000, 200, "OK", {}, "not read"),
    ("GET /many", None, 200, "OK", {}, "".join("%d|" % i for i in range(100)) + "end"),
    ("GET /kinds", None, 200, "OK", {}, "text|||buffer|U8|\xf1"),
    ("GET /slow", None, 200, "OK", {"content-type": "text/event-stream", "transfer-encoding": "chunked"}, "one|two|three"),
    ("GET /large", None, 200, "OK", {}, "b" * 2_000_000),
    ("GET /drained", None, 200, "OK", {}, "a" * 32768 * 50 + "drained"),
    ("GET /length", None, 200, "OK", {"content-length": "6"}, "abcdef"),
    ("GET /late", None, 200, "OK", {"content-length": "6"}, "abcdef"),
    ("GET /strict", None, 200, "OK", {"content-length": "3"}, "abc"),
    ("GET /none", None, 204, "No Content", {}, ""),
    ("GET /modified", None, 304, "Not Modified", {"etag": '"a"'}, ""),
    ("GET /connection", None, 200, "OK", {"x-a": "1"}, "closed"),
    ("GET /corked", None, 200, "OK", {}, "abtrue"),
    ("GET /nowhere", None, 404, "Not Found", {}, "true"),
    ("POST /echo", b"\xc3\xb6" * 70_000, 200, "OK", {}, "\xc3\xb6" * 70_000),
    ("POST /sizes", b"x" * 300_000, 200, "OK", {}, "[300000,true,true]"),
    ("POST /text", "h\u00e9llo".encode(), 200, "OK", {}, "h\xc3\xa9llo 5"),
    ("POST /iterated", b"x" * 300_000, 200, "OK", {}, "300000"),
    ("POST /twice", b"both", 200, "OK", {}, "both|both"),
    ("GET /destroyed", None, 400, "Bad Request", {}, "Destroy test"),
    ("HEAD /hello", None, 200, "OK", {"content-length": "5"}, ""),
    ("HEAD /length", None, 200, "OK", {"content-length": "6"}, ""),
]


@pytest.fixture(scope="module")
def served(shared_corral):
    return shared_corral({"wrangler.toml": CONFIG, "index.js": INDEX, "app.mjs": APP})


@pytest.mark.parametrize("asked, body, status, reason, headers, text", ANSWERS, ids=[one[0] for one in ANSWERS])
def test_answers(served, asked, body, status, reason, headers, text):
    got = served.request(*asked.split(), body)
    assert (got.status, got.reason, got.body.decode("latin-1")) == (status, reason, text)
    assert {name: ", ".join(got.headers.get_all(name, [])) for name in headers} == headers


def test_requests_as_a_listener_sees_them(served):
    own = served.connection()
    own.putrequest("GET", "/what?a=1&a=%20b", skip_accept_encoding=True)
    for name, value in [("X-A", "1"), ("X-A", "2"), ("Cookie", "a=1"), ("Cookie", "b=2"), ("User-Agent", "first"), ("User-Agent", "second")]:
        own.putheader(name, value)
    own.endheaders()
    assert json.loads(own.getresponse().read()) == {
        "method": "GET", "url": "/what?a=1&a=%20b", "httpVersion": "1.1", "aborted": False, "upgrade": False, "custom": "1, 2", "cookie": "a=1; b=2", "host": "string", "agent": "first",
        "distinct": ["1", "2"], "raw": ["x-a", "1", "x-a", "2"], "classes": [True] * 5, "socket": ["string", False, True, True]}
    own.close()


def test_headers_of_an_answer(served):
    got = served.get("/headers")
    assert (got.status, got.reason, got.headers.get_all("set-cookie"), got.headers.get_all("x-two")) == (207, "Mine", ["a=1", "b=2"], ["1", "2", "3"])
    sent = "Cannot %s headers after they are sent to the client"
    assert got.json() == [
        [False, 1, ["x-one", "set-cookie", "x-two", "x-three"], ["X-One", "Set-Cookie", "X-Two", "x-three"], True, ["1", "2", "3"]], True,
        *(["Error", "ERR_HTTP_HEADERS_SENT", sent % verb] for verb in ("set", "remove", "write"))]


def test_what_an_answer_refuses(served):
    status = ["RangeError", "ERR_HTTP_INVALID_STATUS_CODE"]
    assert served.get("/refusals").json() == [
        [*status, "Invalid status code: 99"], [*status, "Invalid status code: 1000"], [*status, "Invalid status code: x"],
        ["TypeError", "ERR_INVALID_HTTP_TOKEN", 'Header name must be a valid HTTP token ["a b"]'], ["TypeError", "ERR_HTTP_INVALID_HEADER_VALUE", 'Invalid value "undefined" for header "a"'],
        ["TypeError", "ERR_INVALID_CHAR", 'Invalid character in header content ["a"]'], ["TypeError", "ERR_INVALID_CHAR", "Invalid character in statusMessage"],
        ["TypeError", "ERR_INVALID_ARG_VALUE", "The argument 'headers' is invalid. Received [ 'a' ]"],
        ["TypeError", "ERR_INVALID_ARG_TYPE", 'The "chunk" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received type number (5)'],
        ["TypeError", "ERR_STREAM_NULL_VALUES", "May not write null values to stream"]]


def test_order_of_events(served):
    assert served.get("/events").text == "x"
    assert served.get("/log").json() == [False, False, "prefinish", True, True, "finish", True, "callback", "close", True]
    assert served.get("/after").text == "first"
    assert served.get("/log").json() == ["ERR_STREAM_WRITE_AFTER_END", "ERR_STREAM_WRITE_AFTER_END"]


def test_what_is_packed_already_is_not_packed_again(served):
    got = served.get("/packed")
    assert (got.headers["content-encoding"], gzip.decompress(got.body)) == ("gzip", b"packed")


# Node.js ends for the one, and closes the connection for the other.
def test_listeners_that_fail(served):
    mark = served.mark()
    assert served.get("/thrown").status == 500
    served.wait_log("RangeError: of the listener", since=mark)
    assert served.get("/reset").status == 500
    served.wait_log("Error: no answer", since=mark)
    assert served.get("/hello").text == "hello"


def test_a_client_that_goes_is_seen(corral):
    one = corral({"wrangler.toml": CONFIG, "index.js": INDEX, "app.mjs": """        import http from "node:http";
        const told = [];
        export const server = http.createServer((request, response) => {
          if (request.url === "/told") { response.end(JSON.stringify(told)); return; }
          response.on("close", () => console.log("closed", response.writableFinished, response.destroyed));
          response.write("begun");
        });
        """})
    with one.connect() as client:
        client.sendall(b"GET /open HTTP/1.1\r\nHost: a\r\n\r\n")
        seen = b""
        while b"begun" not in seen:
            seen += client.recv(4096)
    one.wait_log("closed false true")


SERVERS = """import http from "node:http";
import https from "node:https";
import EventEmitter from "node:events";
import { handleAsNodeRequest, httpServerHandler } from "cloudflare:node";

const said = (f) => { try { return f(); } catch (error) { return [error.name, error.code ?? null, error.message]; } };
const rejected = (promise) => promise.then(() => "resolved", (error) => error.message);
const event = (emitter, name) => new Promise((resolve) => emitter.once(name, resolve));
const tests = {
  async listens() {
    const log = [], server = http.createServer(), before = server.address();
    server.listen(9000, "127.0.0.1", () => log.push("callback")).on("listening", () => log.push("event"));
    const at = [server.listening, server.address(), log.length];
    await event(server, "listening");
    const again = said(() => server.listen(9001)), other = http.createServer().listen(9000), error = await event(other, "error");
    server.close(() => log.push("closed"));
    await event(server, "close");
    return [before, at, again, [error.code, error.message], log, server.listening, await new Promise((resolve) => server.close((e) => resolve(e.code)))];
  },
  async free() {
    const a = http.createServer().listen(), b = http.createServer().listen(0), c = http.createServer().listen({ port: null });
    const ports = [a, b, c].map((server) => server.address().port);
    for (const server of [a, b, c]) await server[Symbol.asyncDispose]();
    return [new Set(ports).size, ports.every((port) => port >= 49152 && port < 65536), await a[Symbol.asyncDispose]()];
  },
  ports: () => [NaN, Infinity, -1, 1.1, 9999999].map((port) => said(() => http.createServer().listen(port))[1]).concat(said(() => http.createServer().listen("/a/path"))),
  times: () => [[], [{ headersTimeout: 10000, requestTimeout: 20000 }], [{ requestTimeout: 20000 }], [{ requestTimeout: 100000 }], [{ headersTimeout: 10000, requestTimeout: 1000 }]].map((args) => said(() => {
    const { headersTimeout, requestTimeout } = http.createServer(...args);
    return [headersTimeout, requestTimeout];
  })),
  options: () => ["foo", 42, true, []].map((option) => said(() => new http.Server(option))[1]),
  kinds: () => [http.createServer() instanceof http.Server, http.Server() instanceof EventEmitter, https.createServer({ key: "x" }, () => {}) instanceof http.Server, new http.ServerResponse({ method: "GET" }).statusCode,
    Object.create(http.ServerResponse.prototype) instanceof http.OutgoingMessage],
  async classes() {
    class Asked extends http.IncomingMessage { agent() { return this.headers["user-agent"]; } }
    function Answer(...args) { http.ServerResponse.apply(this, args); }
    Object.setPrototypeOf(Answer.prototype, http.ServerResponse.prototype);
    Answer.prototype.plain = function (text) { this.writeHead(202, { "content-type": "text/plain" }); this.end(text); };
    const server = http.createServer({ IncomingMessage: Asked, ServerResponse: Answer }, (asked, answer) => answer.plain(asked.agent()));
    server.listen(9100);
    const answer = await handleAsNodeRequest(9100, new Request("https://a.example/", { headers: { "user-agent": "mine" } }));
    return [answer.status, answer.headers.get("content-type"), await answer.text()];
  },
  async given(env, ctx) {
    const server = http.createServer((asked, answer) => answer.end(JSON.stringify([asked.url, asked.headers.host, asked.socket.encrypted, asked.cloudflare.env === env, asked.cloudflare.ctx === ctx, "cf" in asked.cloudflare])));
    const { fetch } = httpServerHandler(server);
    return [server.listening, await (await fetch(new Request("https://a.example:444/p?q=1#h"), env, ctx)).json()];
  },
  async waits() {
    const log = [], server = http.createServer((asked, answer) => setTimeout(() => answer.end("late"), 2)).listen(9200), answer = handleAsNodeRequest({ port: 9200 }, new Request("http://a.example/"));
    await null;
    server.close(() => log.push("closed"));
    const count = await new Promise((resolve) => server.getConnections((_, n) => resolve(n)));
    log.push(await (await answer).text());
    if (log.length < 2) await event(server, "close");
    return [count, log, await rejected(handleAsNodeRequest(9200, new Request("http://a.example/")))];
  },
  async missing() {
    const server = http.createServer().listen(9300);
    return [await rejected(handleAsNodeRequest({}, new Request("http://a.example/"))), await rejected(handleAsNodeRequest(1234, new Request("http://a.example/"))),
      await rejected(handleAsNodeRequest(9300, new Request("http://a.example/"))), said(() => httpServerHandler(null)), said(() => httpServerHandler({}))];
  },
};
export default { async fetch(request, env, ctx) {
  const results = {};
  for (const [name, test] of Object.entries(tests)) results[name] = await Promise.resolve(test(env, ctx)).catch((error) => String(error?.stack ?? error));
  return Response.json(results);
} };
"""


def test_servers(corral):
    got = corral({"wrangler.toml": CONFIG, "index.js": SERVERS}).get().json()
    assert got.pop("listens") == [
        None, [True, {"address": "127.0.0.1", "family": "IPv4", "port": 9000}, 0], ["Error", "ERR_SERVER_ALREADY_LISTEN", "Listen method has been called more than once without closing."],
        ["EADDRINUSE", "listen EADDRINUSE: address already in use :::9000"], ["callback", "event", "closed"], False, "ERR_SERVER_NOT_RUNNING"]
    assert got.pop("free") == [3, True, None]
    assert got.pop("ports") == ["ERR_SOCKET_BAD_PORT"] * 5 + ["Error", "ERR_INVALID_ARG_VALUE", "A server of a worker listens at the number of a port, not at a path"]
    assert got.pop("times") == [[60000, 300000], [10000, 20000], [20000, 20000], [60000, 100000],
                                ["RangeError", "ERR_OUT_OF_RANGE", 'The value of "headersTimeout" is out of range. It must be <= requestTimeout. Received 10000']]
    assert got.pop("options") == ["ERR_INVALID_ARG_TYPE"] * 4
    assert got.pop("kinds") == [True, True, True, 200, True]
    assert got.pop("classes") == [202, "text/plain", "mine"]
    assert got.pop("given") == [True, ["/p?q=1", "a.example:444", True, True, True, True]]
    count, log, after = got.pop("waits")
    assert (count, sorted(log)) == (1, ["closed", "late"]) and after.startswith("Http server with port 9200 not found.")
    missing = got.pop("missing")
    assert missing[0] == "Failed to determine port for server" and missing[1].startswith("Http server with port 1234 not found.") and "has no listener of requests" in missing[2]
    assert missing[3:] == [["Error", None, "Server descriptor cannot be null or undefined"], ["Error", None, "Failed to determine port for server"]]
    assert got == {}


def test_without_the_flag_its_name_is_told(corral):
    one = corral({"wrangler.toml": CONFIG.replace('["nodejs_compat"]', "[]"), "index.js": INDEX, "app.mjs": "export const server = null;"})
    assert one.get().status == 500
    one.wait_log('add "nodejs_compat" to compatibility_flags')


EXPRESS = """import compression from "compression";
import express from "express";
import { httpServerHandler } from "cloudflare:node";

const app = express();
app.use(compression());
app.get("/hello/:name", (request, response) => { response.cookie("seen", "1"); response.json({ hello: request.params.name, query: request.query, secure: request.secure, host: request.hostname }); });
app.post("/echo", express.json(), (request, response) => { response.status(201).json(request.body); });
app.get("/big", (request, response) => { response.type("text").send("x".repeat(100_000)); });
app.get("/away", (request, response) => { response.redirect("/hello/you"); });
app.get("/fails", async () => { throw Object.assign(new Error("told"), { status: 418, expose: true }); });
app.use((error, request, response, next) => { response.status(error.status ?? 500).send(`sorry: ${error.status}`); });
app.listen(3000);
export default httpServerHandler({ port: 3000 });
"""


@pytest.mark.apart
def test_express(corral):
    one = corral({"wrangler.toml": CONFIG, "index.js": EXPRESS, **npm.files("express", "compression")})
    got = one.get("/hello/me?a=1&b[c]=2")
    assert (got.json(), got.headers["set-cookie"], got.headers["x-powered-by"]) == ({"hello": "me", "query": {"a": "1", "b[c]": "2"}, "secure": False, "host": "127.0.0.1"}, "seen=1; Path=/", "Express")
    assert one.request("GET", "/hello/me?a=1&b[c]=2", headers={"If-None-Match": got.headers["etag"]}).status == 304
    made = one.request("POST", "/echo", b'{"a": [1, 2]}', {"Content-Type": "application/json"})
    assert (made.status, made.json()) == (201, {"a": [1, 2]})
    assert one.request("POST", "/echo", b'{"a"', {"Content-Type": "application/json"}).text == "sorry: 400"
    big = one.request("GET", "/big", headers={"Accept-Encoding": "gzip"})
    assert (big.headers["content-encoding"], gzip.decompress(big.body)) == ("gzip", b"x" * 100_000)
    away = one.get("/away")
    assert (away.status, away.headers["location"]) == (302, "/hello/you")
    assert (one.get("/fails").status, one.get("/fails").text, one.get("/none").status) == (418, "sorry: 418", 404)
