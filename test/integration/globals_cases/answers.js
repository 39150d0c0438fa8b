// What the smaller globals answer.
const says = (e) => `${e?.name}: ${e?.message}`;
const socket = () => Object.values(new WebSocketPair())[0];
const answers = {
  tag: () => String(globalThis),
  kinds: () => [globalThis.constructor.name, globalThis instanceof EventTarget, globalThis instanceof WorkerGlobalScope, globalThis instanceof ServiceWorkerGlobalScope, globalThis.origin],
  scopes: () => new WorkerGlobalScope(),
  body: () => new Body(),
  tail: () => [TailEvent === TraceEvent, TailEvent.name, Object.getPrototypeOf(TailEvent.prototype).constructor === ExtendableEvent],
  'new tail': () => new TailEvent('x'),
  'new extendable': () => new ExtendableEvent('x'),
  'new fetch event': () => new FetchEvent('x'),
  cloudflare: () => [String(Cloudflare), Object.keys(Cloudflare), Object.isFrozen(Cloudflare.compatibilityFlags), Cloudflare.compatibilityFlags.nonsense ?? null],
  'cache.keys': () => caches.default.keys(),
  'cache.add': () => caches.default.add('http://x/'),
  'cache.addAll': () => caches.default.addAll([]),
  'cache.matchAll': () => caches.default.matchAll(),
  'caches.keys': () => caches.keys(),
  'caches.has': () => caches.has('x'),
  'caches.delete': () => caches.delete('x'),
  'caches.match': () => caches.match('http://x/'),
  'URL.createObjectURL': () => URL.createObjectURL(new Blob([])),
  'URL.revokeObjectURL': () => URL.revokeObjectURL('x'),
  attachment: () => { const a = socket(); a.serializeAttachment({ a: [1] }); return [a.deserializeAttachment(), a.deserializeAttachment() === a.deserializeAttachment()]; },
  'no attachment': () => socket().deserializeAttachment(),
  'large attachment': () => socket().serializeAttachment('x'.repeat(20000)),
  pair: () => { const p = new WebSocketRequestResponsePair('a', 'b'); return [p.request, p.response, String(p)]; },
  console: () => ['clear', 'timeStamp', 'profile', 'profileEnd'].map((name) => typeof console[name]('x')),
  'console.context': () => typeof console.context().log,
  navigator: () => [navigator.userAgent, navigator.language, navigator.languages, navigator.platform, navigator.hardwareConcurrency, String(navigator)],
  illegal: () => ['Crypto', 'SubtleCrypto', 'CryptoKey', 'Cache', 'CacheStorage', 'Navigator', 'MessagePort', 'AbortSignal', 'ReadableStreamDefaultController', 'ReadableStreamBYOBRequest']
    .map((name) => { try { return [name, typeof new globalThis[name]()]; } catch (e) { return [name, says(e)]; } }),
  'functions alone': () => { const { setTimeout, btoa, queueMicrotask, structuredClone, clearTimeout } = globalThis; return [clearTimeout(setTimeout(() => {}, 0)) ?? null, btoa('a'), queueMicrotask(() => {}) ?? null, structuredClone(1)]; },
  stack: () => { const s = new DisposableStack(), got = []; s.defer(() => got.push(1)); s.use({ [Symbol.dispose]() { got.push(2); } }); s.adopt(3, (x) => got.push(x)); s.dispose(); s.dispose(); return [got, s.disposed, String(s)]; },
  'stack moved': () => { const s = new DisposableStack(), got = []; s.defer(() => got.push(1)); const t = s.move(); s.dispose(); t.dispose(); return [got, s.disposed]; },
  'stack used late': () => { const s = new DisposableStack(); s.dispose(); try { s.defer(() => {}); } catch (e) { return e.name; } return 'nothing'; },
  'stack that throws': () => { const s = new DisposableStack(); s.defer(() => { throw 1; }); s.defer(() => { throw 2; }); try { s.dispose(); } catch (e) { return [e.name, e.error, e.suppressed, e instanceof SuppressedError]; } return 'nothing'; },
  'async stack': async () => { const s = new AsyncDisposableStack(), got = []; s.defer(async () => { await null; got.push(1); }); s.use({ async [Symbol.asyncDispose]() { got.push(2); } }); await s.disposeAsync(); return [got, s.disposed]; },
  suppressed: () => { const e = new SuppressedError(1, 2, 'm'); return [e.error, e.suppressed, e.message, e.name, e instanceof Error, Object.keys(e)]; },
  'source: url': () => new EventSource('nonsense'),
  'source: credentials': () => new EventSource('http://x/', { withCredentials: true }),
  'source: fetcher': () => new EventSource('http://x/', { fetcher: {} }),
  'source: locked': () => { const stream = new Blob(['x']).stream(); stream.getReader(); return EventSource.from(stream); },
  'source: constants': () => [EventSource.CONNECTING, EventSource.OPEN, EventSource.CLOSED, EventSource.prototype.CLOSED],
  'source: from': async () => {
    const text = ': hi\nid: 7\nevent: a\ndata: one\ndata: two\n\ndata:x\nretry: 5\n\nid\ndata: z\r\n\r\nevent: none\n\nfoo: bar\ndata:  two\r\rid: 8\ndata: cut';
    const source = EventSource.from(new Blob([text]).stream()), got = [[source.url, source.readyState, source.withCredentials, String(source)]];
    const note = (e) => got.push([e.type, e.data, e.lastEventId, e.origin, e.constructor.name]);
    source.onmessage = note;
    source.addEventListener('a', note);
    source.onopen = () => got.push('open');
    await new Promise((done) => { source.onerror = (e) => done(got.push([e.constructor.name, e.message, says(e.error), source.readyState])); });
    return [got, source.close() ?? null, source.readyState];
  },
};
async function answerAll() {
  const found = {};
  for (const [name, ask] of Object.entries(answers)) try { found[name] = await ask() ?? null; } catch (e) { found[name] = `!! ${says(e)}`; }
  return found;
}
