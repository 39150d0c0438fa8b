// The Cache API: RFC 9111 for what is kept and for how long, Cloudflare's rules for what may be put there.
const base = 'https://cache.test/';
let count = 0;
const place = () => `${base}${++count}?a=b`;
const fresh = { 'cache-control': 'max-age=100' };
const put = (url, body, headers = fresh, init = {}) => caches.default.put(url, new Response(body, { headers, ...init }));
const bodyAt = async (input) => { const found = await caches.default.match(input); return found && found.text(); };
await test('classes', async () => {
  throws(TypeError, () => new Cache());
  throws(TypeError, () => new CacheStorage());
  equal(String(caches), '[object CacheStorage]');
  equal(String(caches.default), '[object Cache]');
  equal(caches.default, caches.default);
  ok(caches.default instanceof Cache);
  ok(await caches.open('x') instanceof Cache);
  await rejects(TypeError, caches.open());
  await rejects(TypeError, caches.open('x'.repeat(1025)));
  await rejects(TypeError, caches.default.match());
  await rejects(TypeError, caches.default.put(base));
  await rejects(TypeError, caches.default.put(base, 'text'));
  await rejects(TypeError, caches.default.match('ftp://x/'));
  await rejects(TypeError, caches.default.match('no address'));
});
await test('what is put is found', async () => {
  const url = place();
  equal(await caches.default.match(url), undefined);
  equal(await caches.default.delete(url), false);
  equal(await put(url, 'one', { ...fresh, 'x-a': 'b', 'content-type': 'text/x' }, { status: 200 }), undefined);
  const found = await caches.default.match(url);
  same([found.status, found.headers.get('x-a'), found.headers.get('content-type'), found.headers.get('cf-cache-status'), found.headers.get('age')], [200, 'b', 'text/x', 'HIT', '0']);
  equal(await found.text(), 'one');
  equal(await bodyAt(new Request(url)), 'one');
  equal(await bodyAt(new URL(url)), 'one');
  equal(await bodyAt(`${url}#fragment`), 'one');
  equal(await bodyAt(url.replace('cache.test', 'CACHE.test:443')), 'one');
  for (const other of [url.replace('https', 'http'), `${url}&c`, url.replace('?a=b', '')]) equal(await caches.default.match(other), undefined, other);
  await put(url, 'two');
  equal(await bodyAt(url), 'two');
  equal(await caches.default.delete(url), true);
  equal(await caches.default.delete(url), false);
  equal(await caches.default.match(url), undefined);
  found.headers.set('x-b', 'can be changed');
});
await test('caches by name', async () => {
  const url = place(), one = await caches.open('one'), same1 = await caches.open('one'), two = await caches.open('two');
  await one.put(url, new Response('1', { headers: fresh }));
  equal(await (await same1.match(url)).text(), '1');
  for (const other of [two, caches.default, await caches.open(''), await caches.open('none')]) equal(await other.match(url), undefined);
  equal(await two.delete(url), false);
  equal(await same1.delete(url), true);
});
await test('methods', async () => {
  const url = place(), post = new Request(url, { method: 'POST', body: 'x' }), head = new Request(url, { method: 'HEAD' });
  await rejects(TypeError, caches.default.put(post, new Response('x', { headers: fresh })));
  await rejects(TypeError, caches.default.put(head, new Response('x', { headers: fresh })));
  await put(url, 'kept');
  for (const asked of [post, head]) {
    equal(await caches.default.match(asked), undefined);
    equal(await (await caches.default.match(asked, { ignoreMethod: true })).text(), 'kept');
    equal(await caches.default.delete(asked), false);
  }
  equal(await caches.default.delete(post, { ignoreMethod: true }), true);
});
await test('what may not be put', async () => {
  for (const [status, headers] of [[206, fresh], [200, { ...fresh, vary: '*' }], [200, { ...fresh, vary: 'accept, *' }]])
    await rejects(TypeError, put(place(), 'x', headers, { status }), `${status} ${JSON.stringify(headers)}`);
  const used = new Response('x', { headers: fresh });
  await used.text();
  await rejects(TypeError, caches.default.put(place(), used));
  const locked = new Response(new Blob(['x']).stream(), { headers: fresh });
  locked.body.getReader();
  await rejects(TypeError, caches.default.put(place(), locked));
  const given = new Response('x', { headers: fresh });
  await caches.default.put(place(), given);
  equal(given.bodyUsed, true);
});
await test('what is kept', async () => {
  const day = (seconds) => new Date(Date.now() + seconds * 1000).toUTCString();
  const kept = [
    [200, {}], [301, {}], [302, {}], [303, {}], [404, {}], [410, {}], [500, fresh], [201, fresh], [204, fresh],
    [200, { 'cache-control': 'public, max-age=1' }], [200, { 'cache-control': 'S-MaxAge=5, max-age=0' }], [200, { 'cache-control': 'max-age="60"' }],
    [200, { expires: day(100) }], [200, { expires: day(100), date: day(-10) }], [200, { 'cache-control': 'max-age=10', expires: day(-100) }],
    [200, { ...fresh, vary: 'accept-encoding' }], [200, { 'cache-control': 'max-age=100, private=Set-Cookie', 'set-cookie': 'a=b' }], [200, { ...fresh, age: '99' }],
    [200, { 'cache-control': 'no-store', 'cdn-cache-control': 'max-age=10' }], [200, { 'cache-control': 'no-store', 'cloudflare-cdn-cache-control': 'max-age=10', 'cdn-cache-control': 'no-store' }],
    [200, { 'cache-control': 'max-age=99999999999999999999' }],
  ];
  const dropped = [
    [201, {}], [500, {}], [403, {}], [200, { 'cache-control': 'no-store' }], [200, { 'cache-control': 'max-age=10, NO-CACHE' }], [200, { 'cache-control': 'private, max-age=10' }],
    [200, { 'cache-control': 'max-age=0' }], [200, { 'cache-control': 's-maxage=0, max-age=10' }], [200, { ...fresh, 'set-cookie': 'a=b' }], [200, { 'set-cookie': 'a=b' }],
    [200, { expires: '0' }], [200, { expires: day(-1) }], [200, { expires: day(10), date: day(20) }], [200, { ...fresh, age: '100' }],
    [200, { 'cache-control': 'max-age=100', 'cdn-cache-control': 'no-store' }],
  ];
  for (const [list, isKept] of [[kept, true], [dropped, false]]) {
    for (const [status, headers] of list) {
      const url = place();
      await put(url, status === 204 ? null : 'x', headers, { status });
      const found = await caches.default.match(url);
      equal(found !== undefined, isKept, `${status} ${JSON.stringify(headers)}`);
      if (found) same([found.status, found.headers.get('set-cookie')], [status, null]);
    }
  }
  const url = place();
  await put(url, 'x', { ...fresh, age: '7' });
  equal((await caches.default.match(url)).headers.get('age'), '7');
});
await test('conditions', async () => {
  const url = place(), at = 'Wed, 21 Oct 2015 07:28:00 GMT';
  await put(url, 'body', { ...fresh, etag: '"v1"', 'last-modified': at, 'content-length': '4' });
  const status = async (headers) => (await caches.default.match(new Request(url, { headers }))).status;
  for (const [headers, wanted] of [
    [{ 'if-none-match': '"v1"' }, 304], [{ 'if-none-match': 'W/"v1"' }, 304], [{ 'if-none-match': '"a", "v1"' }, 304], [{ 'if-none-match': '*' }, 304], [{ 'if-none-match': '"v2"' }, 200],
    [{ 'if-none-match': 'v1' }, 200], [{ 'if-modified-since': at }, 304], [{ 'if-modified-since': 'Wed, 21 Oct 2015 07:28:01 GMT' }, 304], [{ 'if-modified-since': 'Wed, 21 Oct 2015 07:27:59 GMT' }, 200],
    [{ 'if-modified-since': '2015' }, 200], [{ 'if-modified-since': 'no day' }, 200], [{ 'if-none-match': '"v2"', 'if-modified-since': at }, 200],
  ]) equal(await status(headers), wanted, JSON.stringify(headers));
  const unchanged = await caches.default.match(new Request(url, { headers: { 'if-none-match': '"v1"' } }));
  same([unchanged.body, unchanged.headers.get('etag'), unchanged.headers.get('content-length')], [null, '"v1"', null]);
  equal(await bodyAt(url), 'body');
});
await test('ranges', async () => {
  const url = place(), empty = place(), at = 'Wed, 21 Oct 2015 07:28:00 GMT';
  await put(url, '0123456789', { ...fresh, etag: '"v1"', 'last-modified': at });
  await put(empty, '');
  const part = async (range, more = {}, input = url) => {
    const found = await caches.default.match(new Request(input, { headers: { range, ...more } }));
    return [found.status, found.headers.get('content-range'), await found.text()];
  };
  for (const [range, ...wanted] of [
    ['bytes=0-3', 206, 'bytes 0-3/10', '0123'], ['bytes=8-', 206, 'bytes 8-9/10', '89'], ['bytes=-3', 206, 'bytes 7-9/10', '789'], ['bytes=0-99', 206, 'bytes 0-9/10', '0123456789'],
    ['bytes=-99', 206, 'bytes 0-9/10', '0123456789'], ['bytes=9-9', 206, 'bytes 9-9/10', '9'], ['Bytes = 1 - 2', 206, 'bytes 1-2/10', '12'], ['bytes=10-', 416, 'bytes */10', ''],
    ['bytes=99-100', 416, 'bytes */10', ''], ['bytes=-0', 416, 'bytes */10', ''], ['bytes=3-2', 200, null, '0123456789'], ['bytes=0-1,3-4', 200, null, '0123456789'], ['bytes=-', 200, null, '0123456789'],
    ['items=0-1', 200, null, '0123456789'], ['bytes=0x1-2', 200, null, '0123456789'],
  ]) same(await part(range), wanted, range);
  same(await part('bytes=0-3', { 'if-range': '"v1"' }), [206, 'bytes 0-3/10', '0123']);
  same(await part('bytes=0-3', { 'if-range': at }), [206, 'bytes 0-3/10', '0123']);
  for (const other of ['"v2"', 'W/"v1"', 'Wed, 21 Oct 2015 07:28:01 GMT']) same(await part('bytes=0-3', { 'if-range': other }), [200, null, '0123456789'], other);
  same(await part('bytes=0-', {}, empty), [416, 'bytes */0', '']);
  const found = await caches.default.match(new Request(url, { headers: { range: 'bytes=2-4' } }));
  equal(found.headers.get('content-length'), '3');
});
await test('bodies', async () => {
  const big = new Uint8Array(5_000_000).map((_, i) => i * 7), url = place();
  await put(url, big);
  same(new Uint8Array(await (await caches.default.match(url)).arrayBuffer()).every((byte, i) => byte === (i * 7 & 255)), true);
  const pieces = ['a', 'b'.repeat(100_000), 'c'], stream = new ReadableStream({ pull(c) { pieces.length ? c.enqueue(utf8(pieces.shift())) : c.close(); } });
  await put(url, stream);
  equal((await bodyAt(url)).length, 100_002);
  const mine = new Error('mine');
  await rejects(Error, put(url, new ReadableStream({ pull(c) { c.error(mine); } })));
  equal((await bodyAt(url)).length, 100_002);
  await put(url, null);
  equal(await bodyAt(url), '');
  const [one, two] = await Promise.all([put(place(), 'x'), put(place(), 'y')]);
  same([one, two], [undefined, undefined]);
  const at = place();
  await put(at, 'z'.repeat(300_000));
  const twice = await Promise.all([bodyAt(at), bodyAt(at)]);
  equal(twice[0] === twice[1] && twice[0].length === 300_000, true);
  (await caches.default.match(at)).body.cancel();
  await rejects(Error, put(at, new Uint8Array(33 << 20)));     // a quarter of a node's 128 MiB is the most
  equal(await caches.default.match(at), undefined);
});
