// Request, Response and what their bodies are: the Fetch standard, with what Cloudflare refuses.
const bytesOf = async (x) => [...new Uint8Array(await x.arrayBuffer())];
const BODIES = {
  text: ['h\u00e9', [104, 195, 169], 'text/plain;charset=UTF-8'], empty: ['', [], 'text/plain;charset=UTF-8'], lone: ['\ud800', [239, 191, 189], 'text/plain;charset=UTF-8'],
  buffer: [new Uint8Array([1, 2]).buffer, [1, 2], null], view: [new Uint8Array([0, 1, 2, 3]).subarray(1, 3), [1, 2], null], data: [new DataView(new ArrayBuffer(3), 1), [0, 0], null],
  words: [new Uint16Array([0x0201]), [1, 2], null], blob: [new Blob(['ab'], { type: 'X/y' }), [97, 98], 'x/y'], untyped: [new Blob(['ab']), [97, 98], null],
  params: [new URLSearchParams('a=b c'), [97, 61, 98, 43, 99], 'application/x-www-form-urlencoded;charset=UTF-8'], number: [5, [53], 'text/plain;charset=UTF-8'], object: [{}, [...'[object Object]'].map((c) => c.charCodeAt(0)), 'text/plain;charset=UTF-8'],
};

for (const [name, [value, wanted, type]] of Object.entries(BODIES)) {
  check(`a body of ${name}`, async () => {
    for (const make of [(b) => new Response(b), (b) => new Request('http://x/', { method: 'POST', body: b })]) {
      const m = make(value);
      is(m.headers.get('content-type'), type);
      is(m.bodyUsed, false);
      ok(m.body instanceof ReadableStream);
      is(m.body, m.body);
      same(await bytesOf(m), wanted);
      is(m.bodyUsed, true);
      for (const how of ['text', 'json', 'arrayBuffer', 'bytes', 'blob', 'formData']) await rejects(TypeError, m[how](), how);
      throws(TypeError, () => m.clone());
      const c = make(value), d = c.clone();
      same([await bytesOf(d), await bytesOf(c)], [wanted, wanted]);
      same([...(await make(value).bytes())], wanted);
      is((await make(value).blob()).size, wanted.length);
      is((await make(value).blob()).type, type === null ? '' : type.toLowerCase());
      same((await all(make(value).body)).flatMap((chunk) => [...chunk]), wanted);
    }
    is(new Response(value, { headers: { 'content-type': 'own/type' } }).headers.get('content-type'), 'own/type');
  });
}
check('no body', async () => {
  for (const m of [new Response(), new Response(null), new Response(undefined), new Request('http://x/'), new Request('http://x/', { method: 'POST', body: null })]) {
    is(m.body, null);
    is(await m.text(), '');
    is(m.bodyUsed, false);
    is(await m.text(), '');
    is((await m.arrayBuffer()).byteLength, 0);
    is((await m.blob()).size, 0);
    await rejects(SyntaxError, m.json());
    is(m.headers.get('content-type'), null);
  }
});
check('locked and disturbed bodies', async () => {
  const locked = new Response('x'), reader = locked.body.getReader();
  is(locked.bodyUsed, false);
  for (const how of ['text', 'json', 'arrayBuffer', 'bytes', 'blob', 'formData']) await rejects(TypeError, locked[how](), how);
  throws(TypeError, () => locked.clone());
  throws(TypeError, () => new Response(locked.body));
  throws(TypeError, () => new Request('http://x/', { method: 'POST', body: locked.body }));
  reader.releaseLock();
  is(await locked.text(), 'x');
  const read = new Response('xy');
  await read.body.getReader().read();
  is(read.bodyUsed, true);
  throws(TypeError, () => new Response(read.body));
  const cancelled = new Response('xy');
  await cancelled.body.cancel();
  is(cancelled.bodyUsed, true);
  await rejects(TypeError, cancelled.text());
  const used = new Response('x');
  const first = used.text();
  is(used.bodyUsed, true);
  ok(used.body.locked);
  await rejects(TypeError, used.text());
  is(await first, 'x');
});
check('streams as bodies', async () => {
  const of2 = () => of(new Uint8Array([104]), new Uint8Array([105]));
  is(await new Response(of2()).text(), 'hi');
  is(new Response(of2()).headers.get('content-type'), null);
  is(await new Request('http://x/', { method: 'POST', body: of2(), duplex: 'half' }).text(), 'hi');
  for (const bad of ['text', 5, null, {}, [1]]) await rejects(TypeError, new Response(of(bad)).text(), show(bad));
  await rejects(boom, new Response(new ReadableStream({ start(c) { c.error(boom); } })).text());
  await rejects(boom, new Response(new ReadableStream({ pull() { throw boom; } })).arrayBuffer());
  const s = of2(), r = new Response(s);
  is(r.body, s);
  const a = new Response(of2()), b = a.clone();
  is(await a.text() + await b.text(), 'hihi');
  ok((await new Response('abc').body.getReader({ mode: 'byob' }).read(new Uint8Array(2))).value.length === 2);
});
check('json and text', async () => {
  for (const [text, wanted] of [['{"a":1}', { a: 1 }], ['\ufeff[1]', [1]], [' null ', null], ['"\\ud83d"', '\ud83d'], ['1e3', 1000]]) same(await new Response(text).json(), wanted, text);
  for (const bad of ['', '{', 'undefined', "{'a':1}", '[1,]', '\0']) await rejects(SyntaxError, new Response(bad).json(), bad);
  is(await new Response(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])).text(), 'a');
  is(await new Response(new Uint8Array([0xff, 0x61, 0xc3])).text(), '\ufffda\ufffd');
  is(await new Response(new Uint8Array([0xfe, 0xff, 0, 0x61]), { headers: { 'content-type': 'text/plain;charset=utf-16' } }).text(), '\ufffd\ufffd\0a');
});
check('Response: status', async () => {
  for (const bad of [0, 100, 199, 600, 1000, -1, NaN, 'x', Infinity]) throws(RangeError, () => new Response('', { status: bad }), String(bad));
  for (const good of [200, 201, 299, 300, 404, 418, 500, 599, '404', 200.9]) is(new Response('', { status: good }).status, Math.trunc(Number(good)), String(good));
  for (const bare of [204, 205, 304]) {
    is(new Response(null, { status: bare }).body, null);
    throws(TypeError, () => new Response('x', { status: bare }), String(bare));
  }
  same([200, 204, 299, 300, 199 + 301].map((status) => new Response(null, { status }).ok), [true, true, true, false, false]);
  const r = new Response();
  same([r.status, r.type, r.url, r.redirected, r.ok], [200, 'default', '', false, true]);
  is(new Response('', { statusText: 'Fine \u00e9' }).statusText, 'Fine \u00e9');
  for (const bad of ['\n', '\r', '\0', '\x7f']) throws(TypeError, () => new Response('', { statusText: bad }), show(bad));
  is(Object.prototype.toString.call(r), '[object Response]');
  throws(TypeError, () => Response());
});
check('Response.error', async () => {
  const e = Response.error();
  same([e.type, e.status, e.ok, e.statusText, e.body, e.url], ['error', 0, false, '', null, '']);
  throws(TypeError, () => e.headers.append('a', 'b'));
  is([...e.headers].length, 0);
});
check('Response.redirect', async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    const r = Response.redirect('http://a/b c?d e#f', status);
    same([r.status, r.headers.get('location'), r.body], [status, 'http://a/b%20c?d%20e#f', null]);
    throws(TypeError, () => r.headers.set('a', 'b'));
  }
  is(Response.redirect('http://a/').status, 302);
  for (const bad of [200, 300, 304, 305, 306, 309, 400, 0]) throws(RangeError, () => Response.redirect('http://a/', bad), String(bad));
  for (const bad of ['http://:', '//', '']) throws(TypeError, () => Response.redirect(bad), bad);
});
check('Response.json', async () => {
  for (const value of [null, 1, 'a', true, [1, { b: 2 }], { a: undefined, b: null }, '\u20ac']) {
    const r = Response.json(value);
    is(r.headers.get('content-type'), 'application/json');
    is(await r.text(), JSON.stringify(value));
  }
  same([Response.json(1, { status: 418, statusText: 'T', headers: { x: 'y' } })].map((r) => [r.status, r.statusText, r.headers.get('x'), r.headers.get('content-type')]), [[418, 'T', 'y', 'application/json']]);
  is(Response.json(1, { headers: { 'content-type': 'a/b' } }).headers.get('content-type'), 'a/b');
    const circle = {};
  circle.circle = circle;
  throws(TypeError, () => Response.json(circle));
  throws(TypeError, () => Response.json(5n));
  throws(boom, () => Response.json({ get a() { throw boom; } }));
  for (const status of [204, 205, 304]) throws(TypeError, () => Response.json('', { status }), String(status));
});
check('Response: clone', async () => {
  const r = new Response('x', { status: 201, statusText: 'S', headers: { a: 'b' } }), c = r.clone();
  same([c.status, c.statusText, c.headers.get('a')], [201, 'S', 'b']);
  c.headers.set('a', 'c');
  is(r.headers.get('a'), 'b');
  is(new Response().clone().body, null);
});
check('Request: method', async () => {
  for (const [given, wanted] of [['get', 'GET'], ['Post', 'POST'], ['put', 'PUT'], ['delete', 'DELETE'], ['head', 'HEAD'], ['options', 'OPTIONS'], ['PATCH', 'PATCH'], ['chicken', 'chicken'], ['PROPFIND', 'PROPFIND']])
    is(new Request('http://x/', { method: given }).method, wanted);
  for (const bad of ['', ' ', 'a b', 'connect', 'TRACE', 'track', 'GET\n', '\u00e9', 'a/b']) throws(TypeError, () => new Request('http://x/', { method: bad }), show(bad));
  for (const method of ['GET', 'HEAD', 'get']) throws(TypeError, () => new Request('http://x/', { method, body: '' }), method);
});
check('Request: URL', async () => {
  is(new Request('HTTP://ExAmple.com:80/a/../b?c#d').url, 'http://example.com/b?c#d');
  is(new Request(new URL('http://x/y')).url, 'http://x/y');
  is(new Request({ toString: () => 'http://z/' }).url, 'http://z/');
  for (const bad of ['', 'x', '/path', 'http://', 'http://[', '//x/']) throws(TypeError, () => new Request(bad), bad);
  throws(TypeError, () => new Request());
  throws(TypeError, () => Request('http://x/'));
});
check('Request of a Request', async () => {
  const from = new Request('http://x/', { method: 'POST', body: 'b', headers: { a: '1' }, redirect: 'manual' }), to = new Request(from);
  same([to.method, to.url, to.headers.get('a'), to.redirect, to.headers.get('content-type')], ['POST', 'http://x/', '1', 'manual', 'text/plain;charset=UTF-8']);
  is(from.bodyUsed, true);
  is(await to.text(), 'b');
  throws(TypeError, () => new Request(from));
  is(await new Request(from, { body: 'other' }).text(), 'other');
  throws(TypeError, () => new Request(to, { headers: { z: '1' } }));
  same([...new Request(new Request('http://x/', { headers: { a: '1' } }), { headers: { z: '1' } }).headers], [['z', '1']]);
});
check('Request: options', async () => {
  const r = new Request('http://x/');
  same([r.method, r.redirect, r.integrity, r.keepalive, r.signal instanceof AbortSignal, r.signal.aborted], ['GET', 'follow', '', false, true, false]);
  for (const redirect of ['follow', 'manual']) is(new Request('http://x/', { redirect }).redirect, redirect);
  for (const bad of ['', 'FOLLOW', 'x', null]) throws(TypeError, () => new Request('http://x/', { redirect: bad }), String(bad));
  for (const bad of [{}, 'x', 1, new EventTarget()]) throws(TypeError, () => new Request('http://x/', { signal: bad }), show(bad));
  const controller = new AbortController(), s = new Request('http://x/', { signal: controller.signal }), t = new Request(s), u = s.clone();
  controller.abort(boom);
  same([s.signal.aborted, t.signal.aborted, u.signal.aborted], [true, true, true]);
  is(t.signal.reason, boom);
  is(new Request(s, { signal: null }).signal.aborted, false);
  for (const init of [undefined, null, {}]) is(new Request('http://x/', init).method, 'GET');
  is(Object.prototype.toString.call(r), '[object Request]');
});
check('Request: clone', async () => {
  const r = new Request('http://x/', { method: 'POST', body: 'abc', headers: { h: '1' } }), c = r.clone();
  c.headers.set('h', '2');
  same([r.headers.get('h'), c.headers.get('h'), c.method, c.url, await c.text(), await r.text()], ['1', '2', 'POST', 'http://x/', 'abc', 'abc']);
});
check('fetch of a data URL', async () => {
  for (const [url, text, type] of [['data:,a%20b', 'a b', 'text/plain;charset=US-ASCII'], ['data:text/html;base64,PGI+', '<b>', 'text/html'], ['data:;charset=x,y', 'y', 'text/plain;charset=x'], ['data:a/b,', '', 'a/b']]) {
    const r = await fetch(url);
    same([r.status, r.ok, await r.text(), r.headers.get('content-type')], [200, true, text, type]);
  }
  for (const bad of ['data:x', 'data:;base64,a', 'blob:x', 'about:blank', 'file:///x', 'ftp://x/', 'http://u:p@x/', 'x']) await rejects(TypeError, fetch(bad), bad);
  await rejects(TypeError, fetch());
  const gone = AbortSignal.abort(boom);
  await rejects(boom, fetch('data:,x', { signal: gone }));
});
