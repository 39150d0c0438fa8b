// cache.js - the Cache API: caches.default and caches.open(name), answers that the node keeps for the workers of an account.
//
// What may be kept and for how long is decided here, by RFC 9111 and Cloudflare's rules; the node keeps what it is given
// (service/cache.h).  Vary is not looked at, as on Cloudflare; conditions and ranges are answered from what is kept.

const { Date, Error, Headers, Map, Number, Request, Response, String, TypeError, URL } = globalThis, { parse: parseDate } = Date;

const MINUTE = 60;
// Seconds that an answer is fresh when it does not say so: Cloudflare's, by status.
const DEFAULT_TTL = new internals.OwnMap([[200, 120 * MINUTE], [301, 120 * MINUTE], [302, 20 * MINUTE], [303, 20 * MINUTE], [404, 3 * MINUTE], [410, 3 * MINUTE]]);
const TTL_MAX = 365 * 24 * 3600;
const DAY_TEXT = internals.pattern(/^(?:mon|tue|wed|thu|fri|sat|sun)/i);   // of a date of HTTP: others would be read as something

// Cache-Control: a Map of directives in lower case to their values.
function directivesOf(text) {
  const found = new internals.OwnMap();
  for (const [, name, quoted, plain] of (text ?? '').matchAll(/([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;]+)))?/g))
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), quoted ?? plain ?? '');
  return found;
}

const secondsOf = (text) => (/^\d+$/.test(text ?? '') ? Math.min(Number(text), TTL_MAX) : null);
const dateOf = (text) => (text !== null && DAY_TEXT.test(text) ? parseDate(text) : NaN);

// Seconds for which this answer is fresh; 0: it is not to be kept.
function ttlOf(status, headers) {
  const own = headers.get('cloudflare-cdn-cache-control') ?? headers.get('cdn-cache-control');
  const directives = directivesOf(own ?? headers.get('cache-control'));
  const kept = directives.get('private') ?? null;
  if (directives.has('no-store') || directives.has('no-cache')) return 0;
  if (kept !== null && !/^\s*set-cookie\s*$/i.test(kept)) return 0;
  if (headers.has('set-cookie') && kept === null) return 0;
  const age = secondsOf(headers.get('age')) ?? 0;
  const seconds = secondsOf(directives.get('s-maxage')) ?? secondsOf(directives.get('max-age'));
  if (seconds !== null) return seconds - age;
  const expires = headers.get('expires');
  if (own === null && expires !== null) {
    const date = dateOf(headers.get('date'));
    return Math.min(TTL_MAX, (dateOf(expires) - (date === date ? date : Date.now())) / 1000) || 0;
  }
  return DEFAULT_TTL.get(status) ?? 0;
}

// The request of a call: { url, method, headers }.
function wishOf(input, call) {
  const request = internals.isRequest(input) ? input : new Request(input), { url, method, headers } = internals.partsOfRequest(request);
  const at = new URL(url);
  if (at.protocol !== 'http:' && at.protocol !== 'https:') throw new TypeError(`Cache.${call}: the address must begin with http: or https:, not ${at.protocol}`);
  at.hash = '';
  return { url: at.href, method, headers };
}

// An entity tag without its weakness: both are compared weakly here.
const tagOf = (text) => text.trim().replace(/^W\//, '');

// Has the client what is kept already?
function isUnchanged(asked, headers) {
  const none = asked.get('if-none-match'), tag = headers.get('etag');
  if (none !== null) return none.trim() === '*' || (tag !== null && (none.match(/(?:W\/)?"[^"]*"/g) ?? []).some((one) => tagOf(one) === tagOf(tag)));
  const since = dateOf(asked.get('if-modified-since')), changed = dateOf(headers.get('last-modified'));
  return since >= changed;
}

// One range of bytes, or null: several, and what is none, are answered with all.
function rangeOf(asked) {
  const found = /^\s*bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(asked.get('range') ?? '');
  if (!found || (found[1] === '' && found[2] === '') || (found[1] !== '' && found[2] !== '' && Number(found[1]) > Number(found[2]))) return null;
  return `${found[1]}-${found[2]}`;
}

// May a part be sent?  If-Range wants all when what is kept is another one.
function isSameRange(asked, headers) {
  const wanted = asked.get('if-range');
  if (wanted === null) return true;
  if (/^(?:W\/)?"/.test(wanted.trim())) return wanted.trim() === headers.get('etag') && !wanted.trim().startsWith('W/');
  return dateOf(wanted) === dateOf(headers.get('last-modified'));
}

let illegal = true;
class Cache {
  #name;
  constructor(secret, name) {
    if (secret !== internals) throw new TypeError('Illegal constructor');
    this.#name = name;
  }

  #ask(method, url, more, { request = native.currentRequest(), headers = '', body = null } = {}) {
    return internals.outcall({ request, binding: '', method: `cache.${method}`, arguments: ['cache', this.#name, 'url', url, ...more], headers, body, signal: null });
  }

  async #match(wish, range) {
    const reply = await this.#ask('match', wish.url, range === null ? [] : ['range', range]);
    if (reply.status === 404) return { status: 404 };
    const said = new internals.OwnMap();
    for (let i = 0; i < reply.results.length; i += 2) said.set(reply.results[i], reply.results[i + 1]);
    return { status: reply.status, said, reply, headers: reply.status === 416 ? null : internals.headersFromLines(reply.headers, false) };
  }

  async match(input, options = undefined) {
    internals.needArguments(1, arguments.length, 'Cache.match');
    const { ignoreMethod } = internals.options(options, 'Cache.match'), wish = wishOf(input, 'match');
    if (wish.method !== 'GET' && !ignoreMethod) return undefined;
    let range = rangeOf(wish.headers), found = await this.#match(wish, range);
    if (found.status === 404) return undefined;
    if (found.status === 416) {
      const { said, reply } = await this.#match(wish, null);
      if (!reply) return undefined;
      internals.discardReply(reply);
      return new Response(null, { status: 416, headers: { 'content-range': `bytes */${said.get('length')}`, 'cf-cache-status': 'HIT' } });
    }
    if (range !== null && (found.said.get('status') !== '200' || !isSameRange(wish.headers, found.headers))) {
      internals.discardReply(found.reply);
      range = null;
      found = await this.#match(wish, null);
      if (found.status === 404) return undefined;
    }
    const { said, reply, headers } = found, length = said.get('length');
    headers.set('cf-cache-status', 'HIT');
    headers.set('age', String((secondsOf(headers.get('age')) ?? 0) + Number(said.get('age'))));
    if (isUnchanged(wish.headers, headers)) {
      internals.discardReply(reply);
      headers.delete('content-length');
      return new Response(null, { status: 304, headers });
    }
    let status = Number(said.get('status'));
    if (range !== null) {
      status = 206;
      headers.set('content-range', `bytes ${said.get('range')}/${length}`);
      headers.set('content-length', String(reply.length < 0 ? 0 : reply.length));
    }
    return internals.answerOfReply(reply, { status, headers });
  }

  async put(input, response) {
    internals.needArguments(2, arguments.length, 'Cache.put');
    const owner = native.currentRequest(), wish = wishOf(input, 'put');
    if (!internals.isResponse(response)) throw new TypeError("Failed to execute 'put' on 'Cache': parameter 2 is not of type 'Response'.");
    if (wish.method !== 'GET') throw new TypeError('Cannot cache response to non-GET request.');
    const { status, headers } = response;
    if (status === 206) throw new TypeError('Cannot cache response to a range request (206 Partial Content).');
    if ((headers.get('vary') ?? '').includes('*')) throw new TypeError("Cannot cache response with 'Vary: *' header.");
    if (status < 200 || response.webSocket !== null) throw new TypeError('Cannot cache response to a WebSocket handshake.');
    const seconds = ttlOf(status, headers), body = internals.bodyOfResponse(response);
    if (!(seconds > 0)) {
      if (body !== null && internals.isBodyUsed(body)) throw new TypeError(internals.BODY_USED);
      if (body !== null) await response.arrayBuffer();      // as if it were sent there
      return undefined;
    }
    const kept = new Headers(headers);
    if (kept.has('set-cookie')) kept.delete('set-cookie');
    const reply = await this.#ask('put', wish.url, ['status', String(status), 'ttl_ms', String(Math.ceil(seconds * 1000))],
      { request: owner, headers: internals.linesOfHeaders(kept), body });
    if (reply.status === 413) throw new Error('Cache.put: 413 Payload Too Large: the response is longer than a cache of this node takes');
    return undefined;
  }

  async delete(input, options = undefined) {
    internals.needArguments(1, arguments.length, 'Cache.delete');
    const { ignoreMethod } = internals.options(options, 'Cache.delete'), wish = wishOf(input, 'delete');
    if (wish.method !== 'GET' && !ignoreMethod) return false;
    return (await this.#ask('delete', wish.url, [])).status === 200;
  }
}

const NAME_MAX = 1024;
class CacheStorage {
  #default;
  constructor() {
    if (illegal) throw new TypeError('Illegal constructor');
    this.#default = new Cache(internals, '');
  }
  get default() { return this.#default; }
  async open(name) {
    internals.needArguments(1, arguments.length, 'CacheStorage.open');
    const text = String(name);
    if (text.length > NAME_MAX) throw new TypeError('Cache name is too long.');
    return new Cache(internals, `n${text}`);        // so that none is the default one
  }
}

// What the standard has and Cloudflare's have not says so.
for (const [Class, names] of [[Cache, ['add', 'addAll', 'keys', 'matchAll']], [CacheStorage, ['delete', 'has', 'keys', 'match']]]) {
  for (const name of names) {
    const method = { [name]() { throw new Error(`Failed to execute '${name}' on '${Class.name}': the method is not implemented.`); } }[name];
    Object.defineProperty(Class.prototype, name, { value: method, writable: true, configurable: true });
  }
}

for (const c of [Cache, CacheStorage]) internals.tag(c);
illegal = false;
internals.expose({ Cache, CacheStorage, caches: new CacheStorage() });
illegal = true;
