// A worker that replaces every method of the builtin prototypes, one prototype at a time, by one that throws, and then uses the platform.
// Asked for `stay`, it replaces them all for good.  What it needs itself it has taken before.
const { apply, ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect, { getPrototypeOf } = Object, { stringify } = JSON, { toString } = Object.prototype;
const Generator = function* () {}, AsyncGenerator = async function* () {};
const kinds = { RegExp: RegExp.prototype, Array: Array.prototype, String: String.prototype, Promise: Promise.prototype, Map: Map.prototype, Set: Set.prototype, WeakMap: WeakMap.prototype, WeakSet: WeakSet.prototype,
  WeakRef: WeakRef.prototype, Function: Function.prototype, Number: Number.prototype, Date: Date.prototype, TypedArray: getPrototypeOf(Uint8Array.prototype), ArrayBuffer: ArrayBuffer.prototype, DataView: DataView.prototype,
  ArrayIterator: getPrototypeOf([][Symbol.iterator]()), MapIterator: getPrototypeOf(new Map()[Symbol.iterator]()), SetIterator: getPrototypeOf(new Set()[Symbol.iterator]()), StringIterator: getPrototypeOf(''[Symbol.iterator]()),
  RegExpIterator: getPrototypeOf('a'.matchAll(/a/g)), Iterator: globalThis.Iterator?.prototype, Generator: getPrototypeOf(Generator.prototype), AsyncGenerator: getPrototypeOf(AsyncGenerator.prototype), FinalizationRegistry: FinalizationRegistry.prototype,
  Object: Object.prototype, Error: Error.prototype, Symbol: Symbol.prototype, Boolean: Boolean.prototype, BigInt: BigInt.prototype,
  ObjectStatics: Object, ArrayStatics: Array, NumberStatics: Number, StringStatics: String, PromiseStatics: Promise, JSON, Math, Reflect, DateStatics: Date, SymbolStatics: null,
  Headers: Headers.prototype, URL: URL.prototype, URLSearchParams: URLSearchParams.prototype, Request: Request.prototype, Response: Response.prototype, ReadableStream: ReadableStream.prototype, TextEncoder: TextEncoder.prototype, TextDecoder: TextDecoder.prototype,
  Reader: ReadableStreamDefaultReader.prototype, Writer: WritableStreamDefaultWriter.prototype, WritableStream: WritableStream.prototype, TransformStream: TransformStream.prototype, Controller: ReadableStreamDefaultController.prototype, TController: TransformStreamDefaultController.prototype,
  Blob: Blob.prototype, FormData: FormData.prototype, AbortSignal: AbortSignal.prototype, EventTarget: EventTarget.prototype, Event: Event.prototype, globals: globalThis };
const KEEP = { Object: ['constructor', '__proto__', '__defineGetter__', '__defineSetter__', '__lookupGetter__', '__lookupSetter__'], globals: ['Error', 'ArrayBuffer', 'globalThis', 'self', 'Object', 'constructor'] };
let count = 0;
function harm(kind) {
  const object = kinds[kind], undo = [];
  if (!object) return undo;
  const keys = ownKeys(object);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i], keep = KEEP[kind] ?? [];
    let kept = key === 'constructor' || key === 'prototype';
    for (let k = 0; k < keep.length; k++) if (keep[k] === key) kept = true;
    const d = getOwnPropertyDescriptor(object, key);
    if (kept || !d.configurable) continue;
    const name = typeof key === 'symbol' ? 'symbol' : key;
    if (typeof key === 'symbol' && typeof object === 'function') continue;
    const isFunction = typeof d.value === 'function', isGetter = d.get !== undefined;
    if (!isFunction && !isGetter) continue;
    undo[undo.length] = () => defineProperty(object, key, d);
    const broken = function () { throw new Error(kind + '.' + name + ' is broken'); };
    if (isFunction) defineProperty(object, key, { value: broken, configurable: true, writable: true, enumerable: d.enumerable });
    else defineProperty(object, key, { get: broken, set: d.set, configurable: true, enumerable: d.enumerable });
    count++;
  }
  return undo;
}
const own = (o, n) => getOwnPropertyDescriptor(o.prototype, n);
const { get: headersOf } = own(Response, 'headers'), { get: bodyOf } = own(Response, 'body'), { get: urlOf } = own(Request, 'url'), { get: statusOf } = own(Response, 'status');
const { text: textOf, json: jsonOf, arrayBuffer, clone } = Response.prototype, { text: requestText, formData } = Request.prototype, { get, set, append, has, forEach, entries } = Headers.prototype, { get: hrefOf, set: setHref } = own(URL, 'href');
const { get: pathOf } = own(URL, 'pathname'), { get: paramsOf } = own(URL, 'searchParams'), { get: param, append: addParam } = URLSearchParams.prototype, paramsText = URLSearchParams.prototype.toString;
const { getReader, pipeThrough, tee, pipeTo } = ReadableStream.prototype, { read } = ReadableStreamDefaultReader.prototype, { getWriter } = WritableStream.prototype, { write, close } = WritableStreamDefaultWriter.prototype;
const { get: readable } = own(TransformStream, 'readable'), { get: writable } = own(TransformStream, 'writable'), { enqueue, close: closeStream } = ReadableStreamDefaultController.prototype, { enqueue: enqueueT } = TransformStreamDefaultController.prototype;
const { encode } = TextEncoder.prototype, { decode } = TextDecoder.prototype, { digest, importKey, sign } = SubtleCrypto.prototype, { subtle } = crypto;
const { log, error } = console, { addEventListener, dispatchEvent } = EventTarget.prototype;
const F = { fetch, Response, Request, Headers, URL, URLSearchParams, ReadableStream, TransformStream, TextEncoder, TextDecoder, CompressionStream, DecompressionStream, Blob, FormData, setTimeout, structuredClone, btoa, atob, AbortController, Event, EventTarget, HTMLRewriter, Promise, WebSocketPair, console, crypto, caches, URLPattern, performance, Uint8Array, MessageChannel };
const { onRewriter = HTMLRewriter.prototype.on, transform } = HTMLRewriter.prototype;
const { get: cDefault } = own(CacheStorage, 'default') ?? {}, { match, put } = Cache.prototype, cache = caches.default, { test: testPattern, exec } = URLPattern.prototype, { mark } = performance, { get: cr } = own(CompressionStream, 'readable') ?? {}, { get: cw } = own(CompressionStream, 'writable') ?? {};
const blobText = Blob.prototype.text, { append: formAppend } = FormData.prototype, { abort } = AbortController.prototype, { get: signalOf } = own(AbortController, 'signal'), { get: abortedOf } = own(AbortSignal, 'aborted');
async function readAll(stream) {
  const reader = apply(getReader, stream, []); let n = 0;
  for (;;) { const { value, done } = await apply(read, reader, []); if (done) return n; n += typeof value === 'string' ? value.length : value.length; }
}
const uses = {
  response: async () => await apply(textOf, new F.Response('text', { status: 201, headers: { a: 'b' } }), []),
  'response of pairs': async () => await apply(get, new F.Headers({ a: '1', B: '2' }), ['b']),
  'response.json': async () => (await apply(jsonOf, new F.Response('{"a":1}'), [])).a,
  'response bytes': async () => (await apply(arrayBuffer, new F.Response(new F.Uint8Array(5)), [])) instanceof ArrayBuffer,
  clone: async () => await apply(textOf, apply(clone, new F.Response('twice'), []), []),
  headers: () => { const h = new F.Headers(); apply(set, h, ['x', '1']); apply(append, h, ['X', '2']); return apply(get, h, ['x']); },
  'headers forEach': () => { let t = ''; apply(forEach, new F.Headers({ b: '1', a: '2' }), [(v, k) => { t += k + v; }]); return t; },
  url: () => { const u = new F.URL('../b?x=1&y=%20#h', 'http://user@example.com:8080/a/c/'); return apply(hrefOf, u, []) + apply(pathOf, u, []); },
  params: () => { const p = new F.URLSearchParams('a=1&b=2'); apply(addParam, p, ['c', ' ']); return apply(param, p, ['b']) + apply(paramsText, p, []); },
  'url params': () => { const u = new F.URL('http://e/?q=1'); apply(addParam, apply(paramsOf, u, []), ['r', '2']); return apply(hrefOf, u, []); },
  request: () => apply(urlOf, new F.Request('http://e.com/a', { method: 'POST', body: 'x', headers: { a: 'b' } }), []),
  'request text': async () => await apply(requestText, new F.Request('http://e.com/a', { method: 'POST', body: 'body' }), []),
  stream: async () => await readAll(new F.ReadableStream({ start(c) { apply(enqueue, c, ['abc']); apply(closeStream, c, []); } })),
  'byte stream': async () => await readAll(apply(bodyOf, new F.Response('some bytes'), [])),
  'transform stream': async () => await readAll(apply(pipeThrough, new F.ReadableStream({ start(c) { apply(enqueue, c, ['abc']); apply(closeStream, c, []); } }), [new F.TransformStream({ transform(t, c) { apply(enqueueT, c, [t + t]); } })])),
  tee: async () => await readAll(apply(tee, apply(bodyOf, new F.Response('some bytes'), []), [])[1]),
  writer: async () => { const t = new F.TransformStream(), w = apply(getWriter, apply(writable, t, []), []); apply(write, w, ['x']); apply(close, w, []); return await readAll(apply(readable, t, [])); },
  compression: async () => (await readAll(apply(pipeThrough, apply(bodyOf, new F.Response('some bytes'), []), [new F.CompressionStream('gzip')]))) > 10,
  text: () => apply(decode, new F.TextDecoder(), [apply(encode, new F.TextEncoder(), ['äö'])]),
  'text latin': () => apply(decode, new F.TextDecoder('latin1'), [apply(encode, new F.TextEncoder(), ['a'])]),
  base64: () => F.atob(F.btoa('abc')),
  clone2: () => F.structuredClone({ a: [1, new F.Uint8Array(2)] }).a[1].length,
  log: () => { apply(log, F.console, ['text', 1, { a: [1, 'x'], m: new Map([[1, 2]]) }]); return 1; },
  error: () => { apply(error, F.console, [new Error('shown')]); return 1; },
  timer: async () => await new F.Promise((resolve) => F.setTimeout(resolve, 1, 'timed')),
  event: () => { const t = new F.EventTarget(); let n = 0; apply(addEventListener, t, ['a', () => n++]); apply(dispatchEvent, t, [new F.Event('a')]); return n; },
  abort: () => { const a = new F.AbortController(); apply(abort, a, []); return apply(abortedOf, apply(signalOf, a, []), []); },
  digest: async () => (await apply(digest, subtle, ['SHA-256', apply(encode, new F.TextEncoder(), ['abc'])])).constructor === ArrayBuffer,
  hmac: async () => (await apply(sign, subtle, ['HMAC', await apply(importKey, subtle, ['raw', new F.Uint8Array(4), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']]), new F.Uint8Array(1)])).constructor === ArrayBuffer,
  blob: async () => await apply(blobText, new F.Blob(['a', new F.Uint8Array(1)], { type: 'a/b' }), []),
  form: async () => { const f = new F.FormData(); apply(formAppend, f, ['a', 'b']); return (await apply(textOf, new F.Response(f), [])).length > 10; },
  rewriter: async () => await apply(textOf, apply(transform, apply(onRewriter, new F.HTMLRewriter(), ['a[href]', { element(e) { e.setAttribute('x', 'y'); } }]), [new F.Response('<a href="b">c</a>')]), []),
  pattern: () => apply(testPattern, new F.URLPattern({ pathname: '/a/:b' }), ['http://e/a/c']),
  cache: async () => { await apply(put, cache, ['http://e.com/harm', new F.Response('kept', { headers: { 'cache-control': 'max-age=9' } })]); return await apply(textOf, await apply(match, cache, ['http://e.com/harm']), []); },
  mark: () => { apply(mark, F.performance, ['x']); return 1; },
  fetch: async (url) => await apply(textOf, await F.fetch(url + '/echo'), []).then === undefined || 'fetched',
  'fetch post': async (url) => await apply(statusOf, await F.fetch(url + '/echo', { method: 'POST', body: 'x', headers: { a: 'b' } }), []),
  'fetch redirect': async (url) => await apply(statusOf, await F.fetch(url + '/redirect?code=302&to=/echo'), []),
};
const names = Object.keys(uses), kindNames = Object.keys(kinds);
const once = async (name, url) => { try { return stringify((await uses[name](url)) ?? null); } catch (e) { return '!! ' + e.message; } };
const late = setTimeout;
const attempt = (name, url) => new F.Promise(async (resolve) => { late(resolve, 250, '!! hangs'); resolve(await once(name, url)); });
export default { async fetch(request) {
  const url = decodeURIComponent(new URL(request.url).search.slice(1)), which = new URL(request.url).pathname.slice(1), plain = {}, broken = {}, lines = [];
  for (let i = 0; i < names.length; i++) plain[names[i]] = await attempt(names[i], url);
  if (which === 'stay') { for (let k = 0; k < kindNames.length; k++) if (kindNames[k] !== 'globals') harm(kindNames[k]); return new F.Response('answered with all of them broken'); }
  const chosen = which === 'all' ? [kindNames] : which ? [[which]] : null;
  for (let k = 0; k < kindNames.length; k++) {
    if (chosen) { if (k > 0) break; }
    const set = chosen ? chosen[0] : [kindNames[k]], undo = [];
    for (let s = 0; s < set.length; s++) { const u = harm(set[s]); for (let j = 0; j < u.length; j++) undo[undo.length] = u[j]; }
    const said = {};
    for (let i = 0; i < names.length; i++) said[names[i]] = await attempt(names[i], url);
    for (let j = undo.length - 1; j >= 0; j--) undo[j]();
    for (let i = 0; i < names.length; i++) if (said[names[i]] !== plain[names[i]]) lines[lines.length] = set[0] + (set.length > 1 ? '...' : '') + ' / ' + names[i] + ': ' + said[names[i]];
  }
  return Response.json({ plain, lines, count });
} };
