// request.js - Request of the Fetch standard; incoming ones read their head from C.

const { Headers } = globalThis, { get: getHeader, has: hasHeader, append: appendHeader } = Headers.prototype;
const { toUpperCase } = String.prototype;
const METHOD = internals.pattern(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
const UPPER = new internals.OwnSet(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH']);
const INCOMING = {};

function checkedMethod(method) {
  method = String(method);
  if (!METHOD.test(method)) throw new TypeError(`Request: '${method}' is not a valid method`);
  const upper = toUpperCase.call(method);
  if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK') throw new TypeError(`Request: the method '${method}' is forbidden`);
  return UPPER.has(upper) ? upper : method;
}

function checkedURL(input) {
  const href = internals.hrefOf(input);
  if (href === null) throw new TypeError(`Invalid URL: ${input}`);
  return href;
}

const REDIRECTS = new internals.OwnSet(['follow', 'manual', 'error']);
const CACHES = new internals.OwnSet(['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached']);

// One of the words, or what was there before when the option was not given.
function oneOf(name, words, value, before) {
  if (value === undefined) return before;
  value = String(value);
  if (!words.has(value)) throw new TypeError(`Request: ${name} must be one of ${[...words].join(', ')}, not '${value}'`);
  return value;
}

// What Cloudflare's edge tells about a connection.  Here nobody knows where a
// client is: the names are there, so that Python's request.cf.country is None
// and no error, but neither listed nor serialised.
const CF_NAMES = [
  'asn', 'asOrganization', 'botManagement', 'city', 'clientAcceptEncoding', 'clientTcpRtt', 'clientTrustScore', 'colo', 'continent', 'country',
  'isEUCountry', 'latitude', 'longitude', 'metroCode', 'postalCode', 'region', 'regionCode', 'requestPriority', 'timezone',
  'tlsCipher', 'tlsClientAuth', 'tlsVersion',
];
const { defineProperty, entries, hasOwn } = Object, { parse } = JSON, OWN = { writable: true, configurable: true };
let configuredCf = '';         // of the node: a JSON object, or ''
internals.setRequestCf = (json) => { configuredCf = json; };
function incomingCf() {
  const cf = { httpProtocol: 'HTTP/1.1' };
  if (configuredCf !== '') for (const [name, value] of entries(parse(configuredCf))) defineProperty(cf, name, { value, ...OWN, enumerable: true });
  for (const name of CF_NAMES) if (!hasOwn(cf, name)) defineProperty(cf, name, { value: undefined, ...OWN });
  return cf;
}

// Aborted when the client of the request with this head goes away before its answer is complete.
function clientSignal(head) {
  const signal = internals.newSignal();
  native.onAbort(native.headStream(head), () => internals.abortSignal(signal, new DOMException('The client disconnected', 'AbortError')));
  return signal;
}

class Request {
  #method; #url; #headers; #body; #redirect; #head = null;
  #cf = undefined;
  #more = null;         // { cache, integrity, keepalive }, when one of them was given
  #signal = null;       // made when somebody looks at it
  #source = null;       // the signal that #signal follows

  constructor(input, init = undefined) {
    if (input === INCOMING) {
      // init: the handle of the head in C, which outlives the exchange.
      this.#head = init;
      this.#method = native.headMethod(init);
      this.#url = internals.urlOfHead(init);
      this.#headers = null;
      const id = native.headBody(init);
      this.#body = id ? internals.newBody('native', id) : null;
      this.#redirect = 'manual';
      return;
    }
    internals.needArguments(1, arguments.length, 'Request');
    const from = typeof input === 'object' && input !== null && #url in input ? input : null;
    init = internals.options(init, 'Request');
    this.#url = from ? from.#url : checkedURL(input);
    this.#method = init.method !== undefined ? checkedMethod(init.method) : from ? from.#method : 'GET';
    this.#redirect = oneOf('redirect', REDIRECTS, init.redirect, from ? from.#redirect : 'follow');
    this.#setMore(init, from);
    this.#headers = new Headers(init.headers ?? (from ? headersOf.call(from) : undefined));
    this.#setSource(init.signal, from);
    this.#setBody(init.body ?? null, from);
  }

  // An incoming request's signal speaks of its client: what is asked for it elsewhere goes on without.
  #setSource(signal, from) {
    if (signal === undefined) this.#source = from && from.#head === null ? from.#source ?? from.#signal : null;
    else if (signal === null) this.#source = null;
    else if (internals.isAbortSignal(signal)) this.#source = signal;
    else throw new TypeError('Request: signal must be an AbortSignal');
  }

  #setMore({ cache, cf, integrity, keepalive }, from) {
    this.#cf = cf !== undefined ? cf : from?.cf;
    if (cache === undefined && integrity === undefined && keepalive === undefined && !from?.#more) return;
    this.#more = {
      cache: oneOf('cache', CACHES, cache, from?.cache ?? 'default'),
      integrity: integrity !== undefined ? String(integrity) : from?.integrity ?? '',
      keepalive: keepalive !== undefined ? Boolean(keepalive) : from?.keepalive ?? false,
    };
  }

  #setBody(value, from) {
    const moved = value === null && from ? from.#body : null;
    this.#body = null;
    if (value === null && moved === null) return;
    if (this.#method === 'GET' || this.#method === 'HEAD') throw new TypeError(`Request with a ${this.#method} method cannot have a body.`);
    if (moved) {
      if (internals.isBodyUsed(moved) || moved.stream?.locked) throw new TypeError(internals.BODY_USED);
      this.#body = moved;
      from.#body = { ...moved, isUsed: true };
      return;
    }
    const made = internals.extractBody(value), type = made[1];
    this.#body = made[0];
    if (type && !hasHeader.call(this.#headers, 'content-type')) appendHeader.call(this.#headers, 'content-type', type);
  }

  get method() { return this.#method; }
  get url() { return this.#url; }
  get headers() {
    this.#headers ??= internals.headersFromLines(native.headLines(this.#head), true);
    return this.#headers;
  }
  get redirect() { return this.#redirect; }
  get cf() {
    if (this.#head !== null && this.#cf === undefined) this.#cf = incomingCf();
    return this.#cf;
  }
  get cache() { return this.#more?.cache ?? 'default'; }
  get integrity() { return this.#more?.integrity ?? ''; }
  get keepalive() { return this.#more?.keepalive ?? false; }
  get duplex() { return 'half'; }
  get signal() {
    if (this.#signal !== null) return this.#signal;
    if (this.#head !== null) this.#signal = clientSignal(this.#head);
    else this.#signal = this.#source === null ? internals.newSignal() : internals.followSignals([this.#source]);
    return this.#signal;
  }

  clone() {
    const body = internals.cloneBody(this.#body), copy = new Request('x:', { method: this.#method });
    copy.#url = this.#url;
    copy.#redirect = this.#redirect;
    copy.#headers = internals.cloneHeaders(headersOf.call(this));
    copy.#body = body;
    copy.#cf = this.cf;
    copy.#more = this.#more;
    copy.#source = this.#head === null ? this.#source : this.signal;
    return copy;
  }

  [internals.inspectFields]() {
    return {
      method: this.method, url: this.url, headers: this.headers, redirect: this.redirect, cf: this.cf,
      integrity: this.integrity, keepalive: this.keepalive, body: internals.shownBody(this.#body), bodyUsed: this.bodyUsed,
    };
  }

  static {
    internals.addBody(Request, (request) => request.#body, (request) => getHeader.call(headersOf.call(request), 'content-type'));
    internals.makeRequest = (head) => new Request(INCOMING, head);
    internals.isRequest = (value) => typeof value === 'object' && value !== null && #url in value;
    // What ASGI and WSGI ask of a request, in one text: method, url, protocol, "1" or "" for a body, then its
    // headers as linesOfHeaders gives them.  Those of an incoming one become no objects for that, and keep bytes that are no UTF-8.
    internals.textOfRequest = (r) => {
      const isAsItCame = r.#head !== null && r.#headers === null;
      const protocol = r.#head !== null && r.#cf === undefined ? 'HTTP/1.1' : r.#cf?.httpProtocol;
      return `${r.#method}\n${r.#url}\n${typeof protocol === 'string' ? protocol : ''}\n${r.#body === null ? '' : '1'}\n${
        isAsItCame ? native.headRawLines(r.#head) : internals.linesOfHeaders(r.headers)}`;
    };
    // What fetch() needs of a request that it has made.
    internals.partsOfRequest = (r) => ({ method: r.#method, url: r.#url, headers: headersOf.call(r), body: r.#body, redirect: r.#redirect, signal: r.#source ?? r.#signal });
  }
}

const headersOf = Object.getOwnPropertyDescriptor(Request.prototype, 'headers').get;
internals.tag(Request);
internals.expose({ Request });
