// request.js - Request of the Fetch standard; incoming ones read their head from C.

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const UPPER = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH']);
const INCOMING = {};

function checkedMethod(method) {
  method = String(method);
  if (!METHOD.test(method)) throw new TypeError(`Request: '${method}' is not a valid method`);
  const upper = method.toUpperCase();
  if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK') throw new TypeError(`Request: the method '${method}' is forbidden`);
  return UPPER.has(upper) ? upper : method;
}

class Request {
  #method; #url; #headers; #body; #redirect; #head = null;

  constructor(input, init = undefined) {
    if (input === INCOMING) {
      // init: the handle of the head in C, which outlives the exchange.
      this.#head = init;
      this.#method = native.headMethod(init);
      this.#url = native.headURL(init);
      this.#headers = null;
      const id = native.headBody(init);
      this.#body = id ? internals.newBody('native', id) : null;
      this.#redirect = 'manual';
      return;
    }
    const from = typeof input === 'object' && input !== null && #url in input ? input : null;
    this.#url = from ? from.#url : String(input);
    if (!from && !/^[a-z][a-z0-9+.\-]*:/i.test(this.#url)) throw new TypeError(`Request: invalid URL '${this.#url}'`);
    this.#method = init?.method !== undefined ? checkedMethod(init.method) : from ? from.#method : 'GET';
    this.#redirect = init?.redirect !== undefined ? String(init.redirect) : from ? from.#redirect : 'follow';
    if (this.#redirect !== 'follow' && this.#redirect !== 'manual' && this.#redirect !== 'error')
      throw new TypeError(`Request: redirect must be 'follow', 'manual' or 'error', not '${this.#redirect}'`);
    this.#headers = new Headers(init?.headers ?? from?.headers);
    const value = init?.body;
    if (value !== undefined && value !== null) {
      if (this.#method === 'GET' || this.#method === 'HEAD') throw new TypeError(`Request with a ${this.#method} method cannot have a body.`);
      const [body, type] = internals.extractBody(value);
      this.#body = body;
      if (type && !this.#headers.has('content-type')) this.#headers.append('content-type', type);
    } else if (from && from.#body) {
      if (internals.isBodyUsed(from.#body)) throw new TypeError(internals.BODY_USED);
      this.#body = from.#body;     // the body moves
      from.#body = { ...from.#body, isUsed: true };
    } else this.#body = null;
  }

  get method() { return this.#method; }
  get url() { return this.#url; }
  get headers() {
    this.#headers ??= internals.headersFromLines(native.headLines(this.#head), true);
    return this.#headers;
  }
  get redirect() { return this.#redirect; }
  get cf() { return undefined; }

  clone() {
    const copy = new Request(this.#url, { method: this.#method, headers: this.headers, redirect: this.#redirect });
    copy.#body = internals.cloneBody(this.#body);
    return copy;
  }

  [internals.inspectFields]() {
    return { method: this.method, url: this.url, headers: this.headers, redirect: this.redirect, body: this.body, bodyUsed: this.bodyUsed };
  }

  static {
    internals.addBody(Request, (request) => request.#body);
    internals.makeRequest = (head) => new Request(INCOMING, head);
  }
}

internals.tag(Request);
internals.expose({ Request });
