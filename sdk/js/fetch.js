// fetch.js - fetch() of the Fetch standard, one call of the node per hop.
//
// Redirects are followed here and not in the node: here are the URL parser and
// the request's body, which 307 and 308 send once more, and no Location of a
// stranger is parsed in the node.

const REDIRECT = new internals.OwnSet([301, 302, 303, 307, 308]), REDIRECTS_MAX = 20;
const BODILESS = new internals.OwnSet([204, 205, 304]);
const BODY_HEADERS = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length'];
const ORIGIN_HEADERS = ['authorization', 'cookie', 'proxy-authorization'];
const SMALL = 64 * 1024;        // a body nobody reads is taken in up to here, so that its connection is used again
const KNOWN_CODING = internals.pattern(/^\s*(?:br|gzip|identity)\s*(?:;|$)/i), DEFAULT_CODING = 'br, gzip';
const ROUNDS_MAX = 16, OWN_ROUNDS = internals.pattern(/^\s*corral\b/);
const { Request } = globalThis, URL = internals.ownClass(globalThis.URL), Headers = internals.ownClass(globalThis.Headers), { canParse } = globalThis.URL;
const { apply } = Reflect, { register } = FinalizationRegistry.prototype, { startsWith, toLowerCase } = String.prototype;

// An incoming body that nobody has looked at costs the node a connection: give
// it up when the collector finds that nobody can look any more.
const registry = new FinalizationRegistry((id) => native.bodyForget(id));
const keepers = new internals.OwnMap();      // id -> WeakRef of what must be alive for the body to be of use
internals.keeperOf = (id) => keepers.get(id)?.deref();     // for the stream over it to hold

function incomingBody(id) {
  const body = internals.newBody('native', id);
  body.keeper = {};
  keepers.set(id, new WeakRef(body.keeper));
  apply(register, registry, [body.keeper, id]);
  return body;
}
internals.bodyIsOver = (id) => { keepers.delete(id); };

function discard(reply) {
  if (!reply.body) return;
  if (reply.length >= 0 && reply.length <= SMALL) native.bodyCollect(reply.body, () => {});
  else native.bodyDrop(reply.body);
}

function fetchable(text) {
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError(`Fetch API cannot load: ${text}`);
  if (url.username || url.password) throw new TypeError(`Fetch API cannot load a URL with a user name or password in it: ${text}`);
  url.hash = '';
  return url;
}

const isWebSocket = (word) => word !== null && apply(toLowerCase, word, []) === 'websocket';

// Where a redirect leads, or why nowhere.
function target(reply, url) {
  const location = internals.fillHeaders(new Headers(), internals.headersFromLines(reply.headers, true)).get('location');
  if (location === null) return null;
  let next;
  try { next = new URL(location, url.href); } catch { throw new TypeError('Invalid Location header; unable to follow redirect.', { cause: new Error(`Location: ${location}`) }); }
  return fetchable(next.href);
}

// Change the request as a redirect wants it.
function turn(hop, status, next) {
  const { method } = hop;
  if (status === 303 ? method !== 'GET' && method !== 'HEAD' : (status === 301 || status === 302) && method === 'POST') {
    hop.method = 'GET';
    hop.body = null;
    for (let i = 0; i < BODY_HEADERS.length; i++) hop.headers.delete(BODY_HEADERS[i]);
  } else if (hop.body !== null && hop.replay === null) {
    throw new TypeError('A request with a one-time-use body (it was initialized from a stream, not a buffer) encountered a redirect requiring the body to be retransmitted. To avoid this error in the future, construct this request from a buffer-like body initializer.');
  } else if (hop.body !== null) hop.body = internals.newBody(hop.replay.kind, hop.replay.value);
  if (next.origin !== hop.url.origin) for (let i = 0; i < ORIGIN_HEADERS.length; i++) hop.headers.delete(ORIGIN_HEADERS[i]);
  hop.url = next;
}

// Only what can be undone here is asked for: headers of a browser's request would ask for more.
function askedCodings(value) {
  if (value === null) return DEFAULT_CODING;
  const known = value.split(',').filter((coding) => KNOWN_CODING.test(coding)).map((coding) => coding.trim());
  return known.length ? known.join(', ') : 'identity';
}

// A worker that fetches its own address gets its own request again, often without end: `fetch(request)` is
// written for a server behind the worker.  Each round is counted in CDN-Loop (RFC 8586).
function countRounds(hop, owner) {
  const own = native.requestUrl(owner);
  if (own === undefined || !canParse(own) || new URL(own).origin !== hop.url.origin) return;
  const rounds = native.requestRounds(owner) + 1;
  if (rounds > ROUNDS_MAX) {
    throw new TypeError(`This worker has fetched its own address ${ROUNDS_MAX} times in a row: fetch(request) asks the server `
      + `that request.url names, and here ${hop.url.origin} is the worker itself. Fetch the address of the server behind it.`);
  }
  const others = (hop.headers.get('cdn-loop') ?? '').split(',').filter((element) => element.trim() && !OWN_ROUNDS.test(element));
  hop.headers.set('cdn-loop', [...others, `corral; rounds=${rounds}`].join(', '));
}

function send(hop, owner, signal) {
  countRounds(hop, owner);
  if (hop.isSocket) return shake(hop, owner, signal);
  return internals.outcall({
    request: owner, binding: '', method: hop.seal ? 'wheel' : 'fetch', arguments: hop.seal ? ['method', hop.method, 'url', hop.url.href, ...hop.seal] : ['method', hop.method, 'url', hop.url.href],
    headers: internals.linesOfHeaders(hop.headers), body: hop.body, signal,
  });
}

// ---- WebSockets ----

const SHAKEN = 'Server failed WebSocket handshake: incorrect';
const listed = (value) => (value === null ? [] : value.split(',').map((one) => one.trim()));

// The server's half of the handshake; or what is wrong with it.
function checkShake(headers, key, offered) {
  const protocol = headers.get('sec-websocket-protocol');
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket') throw new TypeError(`${SHAKEN} Upgrade header.`);
  if (!listed(headers.get('connection')).some((word) => word.toLowerCase() === 'upgrade')) throw new TypeError(`${SHAKEN} Connection header.`);
  if (headers.get('sec-websocket-accept') !== native.socketAccept(key)) throw new TypeError(`${SHAKEN} Sec-WebSocket-Accept header.`);
  if (protocol !== null && !offered.includes(protocol)) throw new TypeError(`${SHAKEN} Sec-WebSocket-Protocol header.`);
  if (headers.has('sec-websocket-extensions')) throw new TypeError(`${SHAKEN} Sec-WebSocket-Extensions header.`);
}

const OUR_HEADERS = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions'];

// Ask for a WebSocket: a GET, whatever the request was.
async function shake(hop, owner, signal) {
  const key = native.socketKey();
  for (const name of OUR_HEADERS) hop.headers.delete(name);
  hop.headers.set('sec-websocket-key', key);
  const reply = await internals.outcall({
    request: owner, binding: '', method: 'upgrade', arguments: ['method', 'GET', 'url', hop.url.href],
    headers: internals.linesOfHeaders(hop.headers), body: null, isDuplex: true, signal,
  });
  if (reply.status !== 101) return reply;
  const headers = internals.headersFromLines(reply.headers, false);
  try { checkShake(headers, key, listed(hop.headers.get('sec-websocket-protocol'))); } catch (error) {
    native.bodyDrop(reply.body);
    throw error;
  }
  headers.delete('connection');
  return { status: 101, results: reply.results, stream: reply.body, headers };
}

// For new WebSocket(): { stream, protocol }.  Redirects are not followed, as on Cloudflare.
internals.dialSocket = async (href, protocols, owner, signal) => {
  const hop = { method: 'GET', url: fetchable(href), headers: new Headers(), isSocket: true };
  if (protocols.length > 0) hop.headers.set('sec-websocket-protocol', protocols.join(', '));
  const reply = await send(hop, owner, signal);
  if (reply.status === 101) return { stream: reply.stream, protocol: reply.headers.get('sec-websocket-protocol') };
  discard(reply);
  throw new TypeError('Failed to establish the WebSocket connection: expected server to reply with HTTP status code 101 (switching protocols), '
    + `but received ${reply.status} instead.`);
};

function responseOf(reply, hop, isRedirected, owner) {
  const { status, results } = reply;
  if (status === 101) {
    return internals.makeResponse({
      status, statusText: results[1] ?? '', headers: reply.headers, url: hop.url.href, isRedirected, body: null,
      webSocket: internals.socketOver(reply.stream, owner, null),
    });
  }
  let body = null;
  if (reply.body) body = incomingBody(reply.body);
  else if (hop.method !== 'HEAD' && !BODILESS.has(status)) body = internals.newBody('bytes', new Uint8Array(0));
  return internals.makeResponse({
    status, statusText: results[1] ?? '', headers: internals.headersFromLines(reply.headers, true),
    url: hop.url.href, isRedirected, body,
  });
}

// What a reply of another method of the platform brings, as a Response.
internals.answerOfReply = (reply, { status, headers }) => internals.makeResponse({
  status, statusText: '', headers, url: '', isRedirected: false,
  body: reply.body ? incomingBody(reply.body) : BODILESS.has(status) ? null : internals.newBody('bytes', new Uint8Array(0)),
});
internals.discardReply = discard;

// A data: URL answers by itself.
function answerOfData(text, method) {
  const url = new URL(text), { type, bytes } = internals.readDataUrl(url);
  return internals.makeResponse({
    status: 200, statusText: 'OK', headers: internals.headersFromLines(`content-type\n${type}\n`, true), url: url.href, isRedirected: false,
    body: method === 'HEAD' ? null : internals.newBody('bytes', bytes),
  });
}

let seal = null;        // of the call that begins: arguments of a wheel, else null

async function fetch(input, init = undefined) {
  const owner = native.currentRequest(), sealed = seal;
  seal = null;
  internals.needArguments(1, arguments.length, 'fetch');
  const request = internals.partsOfRequest(new Request(input, init)), { body, redirect, signal } = request;
  if (apply(startsWith, request.url, ['data:'])) {
    if (signal && internals.isAborted(signal)) throw internals.abortReason(signal);
    return answerOfData(request.url, request.method);
  }
  const hop = { method: request.method, url: fetchable(request.url), headers: internals.fillHeaders(new Headers(), request.headers), body, replay: null, seal: sealed, isSocket: false };
  if (!sealed && isWebSocket(hop.headers.get('upgrade'))) {
    hop.isSocket = true;
    hop.method = 'GET';
    hop.body = null;
  }
  hop.headers.set('accept-encoding', sealed ? 'identity' : askedCodings(hop.headers.get('accept-encoding')));
  // Also behind a redirect that leaves them out.
  if (sealed && ORIGIN_HEADERS.some((name) => hop.headers.has(name))) sealed.push('private', '1');
  if (hop.body !== null && (body.kind === 'text' || body.kind === 'bytes')) hop.replay = { kind: body.kind, value: body.value };
  for (let count = 0; ; count++) {
    const reply = await send(hop, owner, signal);
    if (!REDIRECT.has(reply.status) || redirect === 'manual') return responseOf(reply, hop, count > 0, owner);
    let next;
    try {
      next = target(reply, hop.url);
      if (next !== null && redirect === 'error') throw new TypeError(`fetch: ${hop.url.href} answered with a redirect, and the request's redirect is 'error'.`);
      if (next !== null && count === REDIRECTS_MAX) throw new TypeError('Too many redirects.', { cause: new Error(`The last one led to ${next.href}`) });
      if (next !== null) turn(hop, reply.status, next);
    } catch (e) {
      discard(reply);
      throw e;
    }
    if (next === null) return responseOf(reply, hop, count > 0, owner);
    discard(reply);
  }
}

// fetch(url, options) of something whose SHA-256 is known: the node may have it already, and fails the
// answer's body when it is not that.
internals.fetchWheel = (url, sha256, options) => {
  seal = ['sha256', sha256, 'origin', url];
  return fetch(url, options);
};

internals.expose({ fetch });
