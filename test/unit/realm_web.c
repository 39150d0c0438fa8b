/* realm_web.c - sdk/js and src/realm/web: the classes behave as their standards say.
 *
 * Each test is JavaScript that runs in a handler; `is(a, b)` compares as JSON,
 * `throws(f, text)` wants an error that says so. */
#include "realm_host.h"

static const char entry[] =
    "import js\n"
    "from js import Response\n"
    "HELPERS = '''\n"
    "const is = (a, b) => { a = JSON.stringify(a); b = JSON.stringify(b); if (a !== b) throw new Error(`${a} is not ${b}`); };\n"
    "const throws = (f, text) => { try { f(); } catch (e) { if (!String(e).includes(text)) throw new Error(`${e} does not say ${text}`); return; } throw new Error(`did not throw: ${text}`); };\n"
    "const rejects = async (p, text) => { try { await p; } catch (e) { if (!String(e).includes(text)) throw new Error(`${e} does not say ${text}`); return; } throw new Error(`did not reject: ${text}`); };\n"
    "'''\n"
    "async def on_fetch(request, env):\n"
    "    code = await request.text()\n"
    "    f = js.eval('(async function (request) {' + HELPERS + code + '\\n})')\n"
    "    await f(request)\n"
    "    return Response.new('ok')\n";

static const char *script;

static void run_script(void)
{
    static const struct host_pair headers[] = {{{"X-One", 5}, {"1", 1}}, {{"x-one", 5}, {"2", 1}},
                                               {{"Cookie", 6}, {"a=b", 3}}};
    uint32_t stream =
        send_request("POST", "http://localhost/a?b=c", (int64_t)strlen(script), headers, 3);

    realm_request_body(realm, stream, span_of(script), true);
    turn_until_done(stream);
    if (answer_of(stream)->is_failed)
        printf("  %s\n", answer_of(stream)->failure_text);
    CHECK(!answer_of(stream)->is_failed && strcmp(body_of(stream), "ok") == 0);
}

static void js(const char *text)
{
    script = text;
    in_instance(entry, run_script);
}

static void headers_follow_the_standard(void)
{
    js("const h = new Headers({ B: '2', a: ' 1\\t' });\n"
       "h.append('b', '3'); h.append('Set-Cookie', 'x=1'); h.append('set-cookie', 'y=2');\n"
       "is([...h], [['a', '1'], ['b', '2, 3'], ['set-cookie', 'x=1'], ['set-cookie', 'y=2']]);\n"
       "is([...h.keys()], ['a', 'b', 'set-cookie', 'set-cookie']); is([...h.values()], ['1', '2, 3', 'x=1', 'y=2']);\n"
       "is(h.getSetCookie(), ['x=1', 'y=2']); is(h.get('SET-COOKIE'), 'x=1, y=2'); is(h.get('none'), null);\n"
       "h.set('b', '4'); is(h.get('B'), '4'); h.delete('B'); is(h.has('b'), false);\n"
       "is([...new Headers(h)], [...h]); is([...new Headers([['q', 1]])], [['q', '1']]);\n"
       "let n = 0; h.forEach((v, k, all) => { n++; is(all === h, true); }); is(n, 3);\n"
       "throws(() => h.set('a b', '1'), 'not a valid header name'); throws(() => h.get(''), 'not a valid header name');\n"
       "throws(() => h.set('a', 'x\\ny'), 'line break'); throws(() => h.set('a', 'x\\0'), 'line break');\n"
       "throws(() => new Headers([['a']]), 'pair'); throws(() => new Headers('abc'), 'Headers');\n"
       "is(Object.prototype.toString.call(h), '[object Headers]'); is(typeof Headers, 'function'); is(Headers.name, 'Headers');\n"
       "class Mine extends Headers { twice(n) { return this.get(n) + this.get(n); } } is(new Mine({ a: 'x' }).twice('a'), 'xx');\n"
       "throws(() => Headers(), 'class constructor');\n");
}

static void incoming_requests_are_read_only(void)
{
    js("is(request.method, 'POST'); is(request.url, 'http://localhost/a?b=c'); is(request.redirect, 'manual');\n"
       "is(request.headers.get('x-one'), '1, 2'); is(request.headers.get('cookie'), 'a=b');\n"
       "is(request.headers === request.headers, true); is(request.bodyUsed, true);\n"
       "throws(() => request.headers.set('a', 'b'), 'immutable'); throws(() => request.headers.append('a', 'b'), 'immutable');\n"
       "throws(() => request.headers.delete('x-one'), 'immutable');\n"
       "const h = new Headers(request.headers); h.set('a', 'b'); is(h.get('a'), 'b');\n"
       "await rejects(request.text(), 'already been used'); is(request instanceof Request, true);\n");
}

static void requests_can_be_made(void)
{
    js("const r = new Request('https://x.y/', { method: 'post', headers: { A: '1' }, body: '{\"a\":[1]}' });\n"
       "is([r.method, r.url, r.headers.get('a'), r.headers.get('content-type')], ['POST', 'https://x.y/', '1', 'text/plain;charset=UTF-8']);\n"
       "const c = r.clone(); is(await r.json(), { a: [1] }); is(await c.text(), '{\"a\":[1]}');\n"
       "throws(() => new Request('/relative'), 'Invalid URL'); throws(() => new Request('http://x', { body: 'a' }), 'cannot have a body');\n"
       "throws(() => new Request('http://x', { method: 'a b' }), 'not a valid method'); throws(() => new Request('http://x', { method: 'TRACE' }), 'forbidden');\n"
       "const d = new Request(new Request('http://z', { method: 'PUT', body: 'q' }), { headers: { b: '2' } }); is([d.method, await d.text(), d.headers.get('b')], ['PUT', 'q', '2']);\n");
}

static void responses_follow_the_standard(void)
{
    js("const r = new Response('h\\u00e9', { status: 201, statusText: 'Made', headers: { X: 'y' } });\n"
       "is([r.status, r.statusText, r.ok, r.headers.get('x'), r.headers.get('content-type'), r.bodyUsed], [201, 'Made', true, 'y', 'text/plain;charset=UTF-8', false]);\n"
       "is(await r.text(), 'h\\u00e9'); is(r.bodyUsed, true); await rejects(r.text(), 'already been used');\n"
       "is([...new Uint8Array(await new Response('h\\u00e9').arrayBuffer())], [104, 195, 169]); is(await new Response(new Uint8Array([1, 2])).bytes(), new Uint8Array([1, 2]));\n"
       "const j = Response.json({ a: 1 }, { status: 202 }); is([j.status, j.headers.get('content-type'), await j.json()], [202, 'application/json', { a: 1 }]);\n"
       "is(Response.json(1, { headers: { 'content-type': 'x/y' } }).headers.get('content-type'), 'x/y'); is(await Response.json(undefined).text(), 'undefined');\n"
       "const d = Response.redirect('http://a/', 307); is([d.status, d.headers.get('location')], [307, 'http://a/']); throws(() => d.headers.set('a', 'b'), 'immutable');\n"
       "throws(() => Response.redirect('http://a/', 200), 'not a redirect'); throws(() => new Response('', { status: 99 }), 'range 200 to 599');\n"
       "throws(() => new Response('x', { status: 204 }), 'null body'); is(new Response(null, { status: 204 }).body, null); is(new Response().body, null);\n"
       "await rejects(new Response('{').json(), 'SyntaxError'); is(await new Response().text(), '');\n"
       "is(await new Response(new Uint8Array([0xef, 0xbb, 0xbf, 65]).buffer).text(), 'A'); is(new Response('', { status: '404' }).status, 404);\n"
       "class Mine extends Response { get teapot() { return this.status === 418; } } is(new Mine('x', { status: 418 }).teapot, true);\n"
       "const c = new Response('q'); is([await c.clone().text(), await c.text()], ['q', 'q']);\n"
       "const s = new Response('abc').body.getReader(); is(await s.read(), { value: new Uint8Array([97, 98, 99]), done: false }); is((await s.read()).done, true);\n");
}

static void streams_follow_the_standard(void)
{
    js("let log = [];\n"
       "const s = new ReadableStream({ start(c) { log.push(c.desiredSize); c.enqueue('a'); log.push(c.desiredSize); }, pull(c) { log.push('pull'); c.enqueue('b'); if (log.length > 4) c.close(); } });\n"
       "const r = s.getReader(); is(s.locked, true); throws(() => s.getReader(), 'locked'); await rejects(s.cancel(), 'locked');\n"
       "is(await r.read(), { value: 'a', done: false }); is(await r.read(), { value: 'b', done: false });\n"
       "const rest = []; for (;;) { const { value, done } = await r.read(); if (done) break; rest.push(value); } await r.closed;\n"
       "is(log.slice(0, 3), [1, 0, 'pull']); r.releaseLock(); is(s.locked, false); await rejects(r.read(), 'released');\n"
       "// back-pressure: with a mark of 3 and nobody reading, three pulls and no more\n"
       "let pulls = 0; const t = new ReadableStream({ pull(c) { pulls++; c.enqueue(pulls); } }, { highWaterMark: 3 });\n"
       "for (let i = 0; i < 20; i++) await null; is(pulls, 3); const tr = t.getReader(); await tr.read(); for (let i = 0; i < 20; i++) await null; is(pulls, 4);\n"
       "// a mark of 0 pulls only for a reader\n"
       "let lazy = 0; const z = new ReadableStream({ pull(c) { lazy++; c.enqueue(1); } }, { highWaterMark: 0 }); await null; await null; is(lazy, 0); await z.getReader().read(); is(lazy, 1);\n"
       "let reason; const c = new ReadableStream({ cancel(why) { reason = why; } }); await c.cancel('why'); is(reason, 'why'); is((await c.getReader().read()).done, true);\n"
       "const e = new ReadableStream({ start(c) { c.error(new Error('broke')); } }); await rejects(e.getReader().read(), 'broke');\n"
       "const p = new ReadableStream({ pull() { throw new Error('pulled badly'); } }); await rejects(p.getReader().read(), 'pulled badly');\n"
       "throws(() => new ReadableStream({ start(c) { c.close(); c.enqueue(1); } }), 'closed already'); throws(() => new ReadableStream({ type: 'x' }), 'type');\n"
       "const q = new ReadableStream({}, { size() { return -1; } }); \n"
       "const got = []; for await (const x of new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close(); } })) got.push(x); is(got, [1, 2]);\n"
       "let stopped = false; const st = new ReadableStream({ pull(c) { c.enqueue(1); }, cancel() { stopped = true; } }); for await (const x of st) break; is([stopped, st.locked], [true, false]);\n"
       "const fr = []; for await (const x of ReadableStream.from([1, 2, 3])) fr.push(x); is(fr, [1, 2, 3]);\n"
       "const order = []; const two = new ReadableStream({ start(c) { globalThis.C = c; } }).getReader(); two.read().then((x) => order.push(x.value)); two.read().then((x) => order.push(x.value)); C.enqueue(1); C.enqueue(2); await null; await null; await null; is(order, [1, 2]);\n"
       "const rel = new ReadableStream({ start(c) { globalThis.D = c; } }); const r1 = rel.getReader(); const waiting = r1.read(); r1.releaseLock(); await rejects(waiting, 'released'); D.enqueue('x'); is((await rel.getReader().read()).value, 'x');\n"
       "is(await new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('a\\u00e9')); c.enqueue(new Uint8Array([66])); c.close(); } })).text(), 'a\\u00e9B');\n"
       "await rejects(new Response(new ReadableStream({ start(c) { c.enqueue('text'); c.close(); } })).text(), 'must give bytes');\n"
       "throws(() => new ReadableStreamDefaultController(), 'Illegal'); is(String(new ReadableStream()), '[object ReadableStream]');\n");
}

static void text_is_encoded_and_decoded(void)
{
    js("const e = new TextEncoder(), d = new TextDecoder();\n"
       "is([...e.encode('a\\u20ac\\ud83d\\ude00')], [97, 226, 130, 172, 240, 159, 152, 128]); is([...e.encode('\\ud800')], [239, 191, 189]); is(e.encode().length, 0);\n"
       "is(d.decode(e.encode('h\\u00e9llo')), 'h\\u00e9llo'); is(d.decode(new Uint8Array([0xff, 65])), '\\ufffdA');\n"
       "throws(() => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff])), 'Failed to decode'); throws(() => new TextDecoder('latin-5-x'), 'latin-5-x');\n"
       "is(d.decode(new Uint8Array([0xef, 0xbb, 0xbf, 65])), 'A'); is(new TextDecoder('utf8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 65])), '\\ufeffA');\n"
       "const s = new TextDecoder(); is(s.decode(new Uint8Array([0xe2, 0x82]), { stream: true }) + s.decode(new Uint8Array([0xac]), { stream: true }) + s.decode(), '\\u20ac');\n"
       "is(s.decode(new Uint8Array([0xe2]), { stream: true }) + s.decode(), '\\ufffd'); is(d.decode(new Uint8Array([1, 65, 66]).subarray(1)), 'AB');\n"
       "const into = new Uint8Array(4); is(e.encodeInto('a\\u20acb', into), { read: 2, written: 4 });\n"
       "const big = 'x\\u00e9'.repeat(100000); is(d.decode(e.encode(big)) === big, true);\n");
}

static void check_console(void)
{
    script = "console.log('a', 1, { b: [1, 2, { c: { d: 1 } }], s: 'q' }); console.error('bad'); console.warn('%s is %d%%', 'x', 5, 'more'); console.debug(null, undefined, 5n);\n"
             "console.log([undefined, -0, , 'it\\'s'], new Map([['k', { v: 1 }]]), new Set([1]), /r/g, Symbol('s'));\n"
             "console.log(class A extends Headers {}, function f() {}, () => 1); console.log(new Headers({ a: 'b' })); const o = {}; o.o = o; console.log(o);\n"
             "console.log(new Response('x', { status: 201 })); console.info(new Uint8Array(3), new Date(0)); console.log(new Error('boom'));\n"
             "console.log({ f() {}, get g() { return 1; } }, Object.create(null), [[[[1]]]], 'x'.repeat(3)); console.log();\n";
    run_script();
    CHECK(log_has("[1:1] a 1 { b: [ 1, 2, { c: [Object] } ], s: 'q' }\n"));
    CHECK(log_has("[3:1] bad\n"));
    CHECK(log_has("[2:1] x is 5% more\n"));
    CHECK(log_has("[0:1] null undefined 5n\n"));
    CHECK(log_has("[1:1] [ undefined, -0, <1 empty item>, \"it's\" ] Map(1) { 'k' => { v: 1 } } Set(1) { 1 } /r/g Symbol(s)\n"));
    CHECK(log_has("[class A extends Headers] [Function: f] [Function (anonymous)]\n"));
    CHECK(log_has("Headers { a: 'b' }") || log_has("Headers {\n  a: 'b'\n}"));
    CHECK(log_has("<ref *1> { o: [Circular *1] }\n"));
    CHECK(log_has("Response {\n  status: 201,\n"));
    CHECK(log_has("Uint8Array(3) [ 0, 0, 0 ] 1970-01-01T00:00:00.000Z\n"));
    CHECK(log_has("[Error: boom]\n"));
    CHECK(log_has("{ f: [Function: f], g: [Getter] } [Object: null prototype] {} [ [ [ [Array] ] ] ] xxx\n"));
}

static void console_prints_as_node_does(void)
{
    in_instance(entry, check_console);
}

static void timers_fire_in_order(void)
{
    js("const order = []; const wait = (ms) => new Promise((r) => setTimeout(r, ms));\n"
       "setTimeout((a, b) => order.push(a + b), 20, 'x', 'y'); setTimeout(() => order.push('0'), 0); const gone = setTimeout(() => order.push('never'), 5); clearTimeout(gone);\n"
       "queueMicrotask(() => order.push('m')); let n = 0; const i = setInterval(() => { if (++n === 3) clearInterval(i); }, 3);\n"
       "order.push('now'); while (n < 3 || order.length < 4) await wait(5); await wait(20); is(order, ['now', 'm', '0', 'xy']); is(n, 3); throws(() => setTimeout('code'), 'function'); clearTimeout(undefined); clearTimeout(99999);\n");
}

static void check_rejection(void)
{
    script = "Promise.reject(new Error('nobody caught me')); setTimeout(() => { throw new TypeError('in a timer'); }, 0); for (let i = 0; i < 3; i++) await new Promise((r) => setTimeout(r, 5));";
    run_script();
    CHECK(log_has("Uncaught (in promise) Error: nobody caught me"));
    CHECK(log_has("TypeError: in a timer"));
}

static void uncaught_errors_are_logged(void)
{
    in_instance(entry, check_rejection);
}

static const struct test tests[] = {
    {"headers_follow_the_standard", headers_follow_the_standard},
    {"incoming_requests_are_read_only", incoming_requests_are_read_only},
    {"requests_can_be_made", requests_can_be_made},
    {"responses_follow_the_standard", responses_follow_the_standard},
    {"streams_follow_the_standard", streams_follow_the_standard},
    {"text_is_encoded_and_decoded", text_is_encoded_and_decoded},
    {"console_prints_as_node_does", console_prints_as_node_does},
    {"timers_fire_in_order", timers_fire_in_order},
    {"uncaught_errors_are_logged", uncaught_errors_are_logged},
    {0},
};

int main(int argc, char **argv)
{
    start_realm(argv);
    return test_main("realm_web", tests, argc, argv);
}
