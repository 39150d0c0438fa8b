"""http.request and https.request under nodejs_compat, to servers on loopback; what is expected is what Node.js does, but for connections."""
import pytest

from origin import Origin

pytestmark = pytest.mark.asan

WORKER = """\
import http from "node:http";
import https from "node:https";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";

const told = (request, body) => new Promise((resolve, reject) => {
  request.on("error", reject).on("response", async (response) => {
    const parts = [];
    for await (const part of response) parts.push(part);
    resolve({ status: response.statusCode, message: response.statusMessage, headers: response.headers, complete: response.complete, body: Buffer.concat(parts).toString() });
  });
  if (body !== null) request.end(body);
});
const failure = (request, end = true) => new Promise((resolve) => {
  request.on("error", (error) => resolve([error.name, error.code, error.message]));
  if (end) request.end();
});
const said = (f) => { try { return String(f()); } catch (error) { return [error.name, error.code, error.message]; } };
const calls = (base) => ({
  async get() {
    const { body, ...answer } = await new Promise((resolve) => http.get(base + "/echo?a=1", { headers: { "X-Mine": ["1", "2"] }, auth: "u:p" }, (response) => {
      response.setEncoding("latin1");
      let body = "";
      response.on("data", (text) => { body += text; }).on("end", () => resolve({ body, status: response.statusCode, type: response.headers["content-type"], version: response.httpVersion, complete: response.complete }));
    }));
    const { method, path, headers } = JSON.parse(body);
    return [answer, method, path, headers.filter(([name]) => name === "x-mine" || name === "authorization")];
  },
  async post() {
    const { hostname, port } = new URL(base), request = http.request({ hostname, port, path: "/echo", method: "post" });
    request.setHeader("Content-Type", "text/plain");
    request.appendHeader("X-A", "1").appendHeader("X-A", "2");
    request.write("a");
    request.write(Buffer.from("b"));
    const said = [request.getHeader("content-type"), request.getHeaderNames(), request.hasHeader("x-b"), request.method, request.path, request.host];
    const { status, body } = await told(request, "c"), seen = JSON.parse(body);
    return [said, status, seen.method, seen.body, seen.headers.filter(([name]) => ["x-a", "content-length", "content-type"].includes(name))];
  },
  async stream() {
    const request = http.request(base + "/sink", { method: "PUT" }), answer = told(request, null);
    await pipeline(Readable.from((async function* () { for (let i = 0; i < 40; i++) { await null; yield Buffer.alloc(50000, i); if (i % 10 === 0) await scheduler.wait(1); } })()), request);
    return (await answer).body;
  },
  async length() {
    const request = http.request(base + "/sink", { method: "POST", headers: { "Content-Length": 6 } });
    const answer = told(request, null);
    request.write("abc");
    await scheduler.wait(5);
    request.end("def");
    return (await answer).body;
  },
  async cookies() { return (await told(http.get(base + "/cookies"), null)).headers["set-cookie"].concat((await told(http.get(base + "/cookies"), null)).headers["x-two"]); },
  async packed() { const { body, headers } = await told(http.get(base + "/packed?how=gzip"), null); return [body.length, "content-encoding" in headers]; },
  async redirect() { const { status, headers, body } = await told(http.get(base + "/redirect?code=302&to=/echo"), null); return [status, headers.location, body]; },
  async status() { const { status, message, complete } = await told(http.get(base + "/status?code=404"), null); return [status, message, complete]; },
  async head() { const { status, body } = await told(http.request(base + "/echo", { method: "HEAD" })); return [status, body]; },
  async unread() { const request = http.get(base + "/big?n=100000"); await new Promise((resolve) => request.on("close", resolve)); return [request.destroyed, request.res.complete]; },
  async refused() { return (await failure(http.request("http://127.0.0.1:1/"))).slice(0, 2); },
  async destroyed() { const request = http.request(base + "/wait"), end = failure(request); request.destroy(); return end; },
  async destroyedWith() { const request = http.request(base + "/wait"), end = failure(request); request.destroy(new RangeError("mine")); return end; },
  async aborted() { const stop = new AbortController(), end = failure(http.request(base + "/wait", { signal: stop.signal })); stop.abort(); return end; },
  async timeout() { const request = http.get(base + "/wait", { timeout: 20 }); await new Promise((resolve) => request.on("timeout", resolve)); const end = failure(request, false); request.destroy(); return end; },
  async cut() {
    const response = await new Promise((resolve) => http.get(base + "/wait?after=head", resolve)), log = [];
    response.on("data", (part) => { log.push(String(part)); response.destroy(); });
    await new Promise((resolve) => response.on("error", (error) => log.push(error.message)).on("close", resolve));
    return [log, response.complete];
  },
  refusals: () => [said(() => http.request("https://a.example/")), said(() => https.request("http://a.example/")), said(() => http.request({ path: "/a b" })), said(() => http.request({ method: "A B" })),
    said(() => http.request("no address")), said(() => http.request({ headers: { "a b": 1 } })), said(() => http.request({ method: 5 }))],
});
export default { async fetch(request) {
  const { base } = await request.json(), results = {};
  for (const [name, call] of Object.entries(calls(base))) results[name] = await Promise.resolve(call()).catch((error) => String(error?.stack ?? error));
  return Response.json(results);
} };
"""
CONFIG = """name = "n"
main = "index.js"
compatibility_date = "2025-05-01"
compatibility_flags = ["nodejs_compat"]
"""


def test_clients_of_node(corral):
    origin = Origin()
    try:
        one = corral({"wrangler.toml": CONFIG, "index.js": WORKER})
        got = one.request("POST", "/", b'{"base": "%s"}' % origin.url.encode()).json()
    finally:
        origin.close()
    assert got.pop("get") == [{"status": 200, "type": "application/json", "version": "1.1", "complete": True}, "GET", "/echo?a=1",
                              [["x-mine", "1"], ["x-mine", "2"], ["authorization", "Basic dTpw"]]]
    said, status, method, body, headers = got.pop("post")
    assert said == ["text/plain", ["host", "content-type", "x-a"], False, "POST", "/echo", "127.0.0.1"]
    assert (status, method, body) == (200, "POST", "abc")
    assert sorted(headers) == [["content-length", "3"], ["content-type", "text/plain"], ["x-a", "1"], ["x-a", "2"]]
    assert (got.pop("stream"), got.pop("length")) == ("2000000 chunked", "6 length")
    assert got.pop("cookies") == ["a=1; Path=/", "b=2", "1, 2"]
    assert (got.pop("packed"), got.pop("redirect")) == ([7000, False], [302, "/echo", "moved"])
    assert (got.pop("status"), got.pop("head"), got.pop("unread")) == ([404, "Not Found", True], [200, ""], [True, True])
    assert got.pop("refused") == ["Error", "ECONNRESET"]
    hung_up = ["Error", "ECONNRESET", "socket hang up"]
    assert (got.pop("destroyed"), got.pop("timeout"), got.pop("destroyedWith")) == (hung_up, hung_up, ["RangeError", None, "mine"])
    assert got.pop("aborted") == ["AbortError", "ABORT_ERR", "The operation was aborted"]
    assert got.pop("cut") == [["begun"], False]
    assert got.pop("refusals") == [
        ["TypeError", "ERR_INVALID_PROTOCOL", 'Protocol "https:" not supported. Expected "http:"'],
        ["TypeError", "ERR_INVALID_PROTOCOL", 'Protocol "http:" not supported. Expected "https:"'],
        ["TypeError", "ERR_UNESCAPED_CHARACTERS", "Request path contains unescaped characters"],
        ["TypeError", "ERR_INVALID_HTTP_TOKEN", 'Method must be a valid HTTP token ["A B"]'],
        ["TypeError", None, "Invalid URL string."],        # as new URL says it here
        ["TypeError", "ERR_INVALID_HTTP_TOKEN", 'Header name must be a valid HTTP token ["a b"]'],
        ["TypeError", "ERR_INVALID_ARG_TYPE", 'The "options.method" property must be of type string. Received type number (5)']]
    assert got == {}
