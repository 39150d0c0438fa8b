// The bodies of Request and Response: by web-platform-tests' fetch/api/{request,response,body}.
const makers = [
  (body, headers) => new Request('http://example.com/', { method: 'POST', body, headers }),
  (body, headers) => new Response(body, { headers }),
];
await test('what a body may be, and its content type', async () => {
  for (const make of makers) {
    const cases = [
      ['text ü', 'text ü', 'text/plain;charset=UTF-8'], ['', '', 'text/plain;charset=UTF-8'], [new Blob(['blob']), 'blob', null],
      [new Blob(['blob'], { type: 'text/x' }), 'blob', 'text/x'], [new File(['file'], 'n', { type: 'a/b' }), 'file', 'a/b'],
      [utf8('buffer').buffer, 'buffer', null], [utf8('xviewx').subarray(1, 5), 'view', null], [new DataView(utf8('xdata').buffer, 1), 'data', null],
      [new Float32Array(1), '\0\0\0\0', null], [123, '123', 'text/plain;charset=UTF-8'], [{}, '[object Object]', 'text/plain;charset=UTF-8'],
      [new Response('stream').body, 'stream', null], ['\ud800', '\ufffd', 'text/plain;charset=UTF-8'], ['\ufeffmark', 'mark', 'text/plain;charset=UTF-8'],
    ];
    for (const [given, wanted, type] of cases) {
      const it = make(given), what = `${it.constructor.name} ${wanted}`;
      equal(it.headers.get('content-type'), type, what);
      equal(it.bodyUsed, false, what);
      equal(await it.text(), wanted, what);
      equal(it.bodyUsed, true, what);
      await rejects(TypeError, it.text(), what);
    }
    equal(make('x', { 'content-type': 'own/type' }).headers.get('content-type'), 'own/type');
    equal(make(new Blob(['x'], { type: 'a/b' }), { 'Content-Type': 'own/type' }).headers.get('content-type'), 'own/type');
    const array = utf8('before'), copy = make(array);
    array.fill(0x78);
    equal(await copy.text(), 'before');
  }
});
await test('every way to read', async () => {
  for (const make of makers) {
    equal((await make('{"a": [1]}').json()).a[0], 1);
    equal((await make('\ufeff{"a": 2}').json()).a, 2);
    await rejects(SyntaxError, make('{').json());
    await rejects(SyntaxError, make('').json());
    same([...new Uint8Array(await make('ü').arrayBuffer())], [195, 188]);
    const bytes = await make('ü').bytes();
    same([bytes instanceof Uint8Array, ...bytes], [true, 195, 188]);
    const blob = await make('blob').blob();
    same([blob instanceof Blob, blob.type, blob.size, await blob.text()], [true, 'text/plain;charset=utf-8'.replace('utf-8', 'utf-8'), 4, 'blob']);
    equal((await make(bytesOf(1, 2)).blob()).type, '');
    equal((await make('x', { 'content-type': 'Image/PNG; A="b c"' }).blob()).type, 'image/png;a="b c"');
    equal((await make('x', [['content-type', 'image/gif'], ['content-type', 'text/html']]).blob()).type, 'text/html');
    equal((await make('x', { 'content-type': 'nonsense' }).blob()).type, '');
    const changed = make('x');
    changed.headers.set('content-type', 'text/y');
    equal((await changed.blob()).type, 'text/y');
    const gone = make('x');
    gone.headers.delete('content-type');
    equal((await gone.blob()).type, '');
    const kept = new Blob(['keep'], { type: 'a/b' }), given = await make(kept).bytes();
    given.fill(0);
    equal(await kept.text(), 'keep');
  }
});
await test('no body', async () => {
  for (const it of [new Request('http://x/'), new Response(), new Response(null), new Response(undefined)]) {
    same([it.body, it.bodyUsed, await it.text(), (await it.arrayBuffer()).byteLength, (await it.blob()).size, (await it.bytes()).length, it.bodyUsed], [null, false, '', 0, 0, 0, false]);
    await rejects(SyntaxError, it.json());
    await rejects(TypeError, it.formData());
  }
});
await test('body and bodyUsed', async () => {
  for (const make of makers) {
    const it = make('abc'), stream = it.body;
    ok(stream instanceof ReadableStream);
    equal(it.body, stream);
    same([it.bodyUsed, stream.locked], [false, false]);
    equal(await it.text(), 'abc');
    same([it.bodyUsed, stream.locked], [true, true]);
    throws(TypeError, () => stream.getReader());
    const read = make(new Blob(['abc']));
    same(await readAll(read.body), [97, 98, 99]);
    equal(read.bodyUsed, true);
    await rejects(TypeError, read.text());
    const locked = make('abc'), reader = locked.body.getReader();
    equal(locked.bodyUsed, false);
    await rejects(TypeError, locked.text());
    throws(TypeError, () => locked.clone());
    reader.releaseLock();
    equal(await locked.text(), 'abc');
    const cancelled = make('abc');
    await cancelled.body.cancel();
    equal(cancelled.bodyUsed, true);
    await rejects(TypeError, cancelled.arrayBuffer());
    const source = new ReadableStream({ start(c) { c.enqueue(utf8('st')); c.enqueue(utf8('ream')); c.close(); } });
    const streamed = make(source);
    equal(streamed.body, source);
    equal(await streamed.text(), 'stream');
    throws(TypeError, () => make(source), 'a used stream');
    const held = new ReadableStream();
    held.getReader();
    throws(TypeError, () => make(held), 'a locked stream');
    const mine = new Error('mine');
    await rejects(mine, make(new ReadableStream({ start(c) { c.error(mine); } })).text());
    await rejects(mine, make(new ReadableStream({ pull() { throw mine; } })).blob());
    for (const chunk of ['text', 1, null, undefined, {}]) await rejects(TypeError, make(new ReadableStream({ start(c) { c.enqueue(chunk); c.close(); } })).text(), String(chunk));
  }
  for (const name of ['text', 'json', 'blob', 'bytes', 'arrayBuffer', 'formData']) {
    await rejects(TypeError, () => Response.prototype[name].call({}), name);
    await rejects(TypeError, () => Request.prototype[name].call(new Response()), name);
  }
});
await test('clone', async () => {
  for (const make of makers) {
    const it = make('abc', { 'x-a': '1' }), copy = it.clone();
    ok(copy !== it && copy.headers !== it.headers);
    copy.headers.set('x-a', '2');
    equal(it.headers.get('x-a'), '1');
    equal(await it.text(), 'abc');
    same([copy.bodyUsed, await copy.text()], [false, 'abc']);
    throws(TypeError, () => it.clone());
    const first = make(bytesOf(1, 2)), second = first.clone();
    (await first.bytes()).fill(9);
    same([...await second.bytes()], [1, 2]);
    const looked = make('abc');
    ok(looked.body);
    equal(await looked.clone().text(), 'abc');
  }
  for (const make of makers) {
    const streamed = make(new ReadableStream({ start(c) { c.enqueue(utf8('str')); c.enqueue(utf8('eam')); c.close(); } }), { 'content-type': 'a/b' });
    const twin = streamed.clone();
    same([await streamed.text(), (await twin.blob()).type, twin.bodyUsed], ['stream', 'a/b', true]);
  }
  equal(Response.redirect('http://x/').clone().headers.get('location'), 'http://x/');
  throws(TypeError, () => Response.redirect('http://x/').clone().headers.set('a', 'b'));
  equal(Response.error().clone().type, 'error');
});
await test('Response', async () => {
  const d = new Response();
  same([d.type, d.url, d.redirected, d.status, d.ok, d.statusText, d.body, d.webSocket, [...d.headers]], ['default', '', false, 200, true, 'OK', null, null, []]);
  equal(d.cf, undefined);
  const r = new Response('x', { status: 404, statusText: 'Not here', headers: { a: 'b' }, cf: { x: 1 }, encodeBody: 'manual', webSocket: null });
  same([r.status, r.ok, r.statusText, r.headers.get('a'), r.cf.x], [404, false, 'Not here', 'b', 1]);
  for (const status of [0, 100, 199, 600, 1000, -1, NaN, 'x']) throws(RangeError, () => new Response('', { status }), String(status));
  for (const statusText of ['\n', 'a\0']) throws(TypeError, () => new Response('', { statusText }));
  for (const status of [204, 205, 304]) {
    throws(TypeError, () => new Response('body', { status }));
    throws(TypeError, () => new Response(new Blob(['x']), { status }));
    equal(new Response(null, { status }).body, null);
  }
  for (const bad of ['x', 1, true]) throws(TypeError, () => new Response('', bad));
  throws(TypeError, () => new Response('', { encodeBody: 'x' }));
  throws(TypeError, () => new Response('', { headers: { 'a b': 'c' } }));
  const other = new Response('y', new Response('x', { status: 201, headers: { a: 'b' } }));
  same([other.status, other.headers.get('a')], [201, 'b']);
  const e = Response.error();
  same([e.type, e.status, e.statusText, e.body, e.ok], ['error', 0, '', null, false]);
});
await test('Response.json and redirect', async () => {
  const j = Response.json({ a: 1 });
  same([j.status, j.headers.get('content-type'), await j.text()], [200, 'application/json', '{"a":1}']);
  same([Response.json('x', { status: 201 }).status, Response.json(1, { headers: { 'content-type': 'a/b' } }).headers.get('content-type')], [201, 'a/b']);
  equal(Response.json(1, { headers: { 'x-a': 'b' } }).headers.get('content-type'), 'application/json');
  for (const status of [204, 205, 304]) throws(TypeError, () => Response.json({}, { status }));
  const mine = new Error('mine'), circular = {};
  throws(mine, () => Response.json({ get a() { throw mine; } }));
  circular.me = circular;
  throws(TypeError, () => Response.json(circular));
  equal(await Response.json(null).text(), 'null');
  for (const status of [301, 302, 303, 307, 308]) {
    const r = Response.redirect('https://example.com/x', status);
    same([r.status, r.headers.get('location'), r.type, r.ok, r.redirected, r.body], [status, 'https://example.com/x', 'default', false, false, null]);
  }
  for (const status of [200, 309, 400, 500, 0]) throws(RangeError, () => Response.redirect('https://example.com/', status));
});
await test('Request', async () => {
  const d = new Request('http://example.com/a?b#c');
  same([d.method, d.url, d.redirect, d.body, d.bodyUsed, d.integrity, d.keepalive, d.cache, [...d.headers]], ['GET', 'http://example.com/a?b#c', 'follow', null, false, '', false, 'default', []]);
  equal(d.cf, undefined);
  for (const method of ['get', 'head', 'options', 'delete', 'post', 'put', 'patch']) equal(new Request('http://x/', { method }).method, method.toUpperCase());
  equal(new Request('http://x/', { method: 'chicken' }).method, 'chicken');
  for (const method of ['', 'a b', 'CONNECT', 'trace', 'TRACK', 'ä']) throws(TypeError, () => new Request('http://x/', { method }), method);
  for (const method of ['GET', 'HEAD', 'get']) throws(TypeError, () => new Request('http://x/', { method, body: '' }), method);
  equal(await new Request('http://x/', { method: 'DELETE', body: 'x' }).text(), 'x');
  for (const redirect of ['follow', 'manual', 'error']) equal(new Request('http://x/', { redirect }).redirect, redirect);
  throws(TypeError, () => new Request('http://x/', { redirect: 'x' }));
  throws(TypeError, () => new Request('http://x/', { cache: 'x' }));
  throws(TypeError, () => new Request());
  throws(TypeError, () => new Request('http://x/', 'x'));
  throws(TypeError, () => new Request('http://x/', { headers: { 'a b': '' } }));
  throws(TypeError, () => new Request('not a url'));
  const r = new Request('http://x/', { method: 'POST', body: 'b', headers: { a: '1' }, redirect: 'manual', cf: { k: 'v' }, keepalive: true, integrity: 'sha', cache: 'no-store', duplex: 'half' });
  const c = new Request(r);
  same([c.method, c.headers.get('a'), c.redirect, c.cf.k, c.keepalive, c.integrity, c.cache, r.bodyUsed, await c.text()], ['POST', '1', 'manual', 'v', true, 'sha', 'no-store', true, 'b']);
  throws(TypeError, () => new Request(r), 'a used one');
  equal(await new Request(r, { body: 'other' }).text(), 'other');
  const kept = new Request('http://x/', { method: 'POST', body: 'b' });
  throws(TypeError, () => new Request(kept, { method: 'GET' }));
  same([new Request(kept, { body: 'x' }).bodyUsed, kept.bodyUsed], [false, false]);
  const over = new Request(kept, { method: 'PUT', headers: { z: '1' } });
  same([over.method, [...over.headers], await over.text()], ['PUT', [['z', '1']], 'b']);
});
await test('the signal of a Request', () => {
  const controller = new AbortController(), { signal } = controller;
  const r = new Request('http://x/', { signal }), twin = r.clone(), next = new Request(r), own = new Request('http://x/');
  ok(r.signal instanceof AbortSignal);
  equal(r.signal, r.signal);
  for (const it of [r, twin, next, own]) equal(it.signal.aborted, false);
  controller.abort('why');
  for (const it of [r, twin, next, new Request(r), twin.clone(), new Request(own, { signal }), new Request('http://x/', { signal })]) same([it.signal.aborted, it.signal.reason], [true, 'why']);
  for (const it of [own, new Request(r, { signal: null }), new Request('http://x/', { signal: undefined })]) equal(it.signal.aborted, false);
  for (const bad of ['x', {}, 1, new EventTarget()]) throws(TypeError, () => new Request('http://x/', { signal: bad }), String(bad));
});
await test('what Cloudflare leaves out', () => {
  for (const name of ['mode', 'credentials', 'referrer', 'referrerPolicy', 'destination']) equal(new Request('http://x/')[name], undefined, name);
});
