// response.js - Response of the Fetch standard, and how one reaches the host.
//
// The commonest answer, a string with a status, must cost little: the body
// stays a bare string and Headers are made only when somebody looks at them.

const { Headers } = globalThis, { has: hasHeader, append: appendHeader, delete: deleteHeader } = Headers.prototype;
const NO_BODY = new internals.OwnSet([101, 204, 205, 304]), BODILESS = 'Response with null body status (101, 204, 205, or 304) cannot have a body.';
const TEXT = 'text/plain;charset=UTF-8';
const SENT = { kind: 'text', value: '', stream: null, isUsed: true, isShared: false };
const { getPrototypeOf } = Object, plainPrototype = Object.prototype;

const BAD_TEXT = internals.pattern(/[^\t\x20-\x7e\x80-\uffff]/);
const KNOWN_CODING = internals.pattern(/^(gzip|br)$/i);
function linesWithout(headers, name) {
  const copy = new Headers(headers);
  deleteHeader.call(copy, name);
  return internals.linesOfHeaders(copy);
}

function checkedStatus(status, webSocket) {
  status = Math.trunc(Number(status));
  if (webSocket !== null) {
    if (status !== 101) throw new RangeError('Responses with a WebSocket must have status code 101.');
    return status;
  }
  if (!(status >= 200 && status <= 599)) throw new RangeError('Responses may only be constructed with status codes in the range 200 to 599, inclusive.');
  return status;
}

class Response {
  #status = 200;
  #statusText = '';     // '': the usual one
  #headers = null;      // null: only the content type of #type
  #type = null;
  #body = null;         // a string, a body record (body.js), or null
  #cf = undefined;
  #webSocket = null;
  #url = '';
  #isRedirected = false;
  #isEncoded = false;   // encodeBody: 'manual': the body is as its Content-Encoding says

  constructor(body = undefined, init = undefined) {
    if (init !== undefined && init !== null) this.#setUp(init);
    if (body === undefined || body === null) return;
    if (NO_BODY.has(this.#status)) {        // an empty one is none, as on Cloudflare
      if (body !== '' && internals.extractBody(body)[0].value?.length !== 0) throw new TypeError(BODILESS);
      return;
    }
    if (typeof body === 'string') {
      this.#body = body;
      this.#setType(TEXT);
    } else {
      const made = internals.extractBody(body);
      this.#body = made[0];
      if (made[1]) this.#setType(made[1]);
    }
  }

  #setUp(init) {
    if (getPrototypeOf(Object(init)) !== plainPrototype) init = internals.options(init, 'Response');
    const { cf, encodeBody, headers, status, statusText, webSocket } = init;
    if (cf !== undefined) this.#cf = cf;
    if (encodeBody === 'manual') this.#isEncoded = true;
    else if (encodeBody !== undefined && encodeBody !== 'automatic') throw new TypeError(`Response: encodeBody must be 'automatic' or 'manual', not '${String(encodeBody)}'`);
    if (webSocket !== undefined && webSocket !== null) {
      if (!internals.isWebSocket(webSocket))
        throw new TypeError("Incorrect type for the 'webSocket' field on 'InitializerDict': the provided value is not of type 'WebSocket'.");
      this.#webSocket = webSocket;
    }
    if ((status !== undefined && status !== null) || this.#webSocket !== null) this.#status = checkedStatus(status ?? 200, this.#webSocket);
    if (statusText !== undefined && statusText !== null) {
      this.#statusText = String(statusText);
      if (BAD_TEXT.test(this.#statusText)) throw new TypeError('Response: statusText has control characters in it');
    }
    if (headers !== undefined && headers !== null) this.#headers = new Headers(headers);
  }

  #setType(type) {
    if (this.#headers === null) this.#type = type;
    else if (!hasHeader.call(this.#headers, 'content-type')) appendHeader.call(this.#headers, 'content-type', type);
  }

  #record() {
    if (typeof this.#body === 'string') this.#body = internals.newBody('text', this.#body);
    return this.#body;
  }

  get status() { return this.#status; }
  get statusText() { return this.#statusText || native.statusText(this.#status); }
  get ok() { return this.#status >= 200 && this.#status <= 299; }
  get redirected() { return this.#isRedirected; }
  get type() { return this.#status === 0 ? 'error' : 'default'; }
  get url() { return this.#url; }
  get webSocket() { return this.#webSocket; }
  get cf() { return this.#cf; }
  get headers() {
    if (this.#headers === null) {
      this.#headers = new Headers();
      if (this.#type !== null) appendHeader.call(this.#headers, 'content-type', this.#type);
    }
    return this.#headers;
  }

  clone() {
    if (this.#webSocket !== null) throw new TypeError('Cannot clone a response to a WebSocket handshake.');
    const copy = new Response();
    copy.#body = internals.cloneBody(this.#record());
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#headers = internals.cloneHeaders(headersOf.call(this));
    copy.#cf = this.#cf;
    copy.#url = this.#url;
    copy.#isRedirected = this.#isRedirected;
    copy.#isEncoded = this.#isEncoded;
    return copy;
  }

  static json(value, init = undefined) {
    if (typeof value === 'object' && value !== null && native.isPython(value))
      internals.warnOnce('Response.json of js makes {} of a dict, a list or another object of Python, as on Cloudflare: '
        + 'write Response.json(to_js(data, dict_converter=Object.fromEntries)), or take Response from workers');
    if (init !== undefined && init !== null && getPrototypeOf(Object(init)) !== plainPrototype) init = internals.options(init, 'Response.json');
    const text = String(JSON.stringify(value)), response = new Response(null, init);
    if (NO_BODY.has(response.#status)) throw new TypeError(BODILESS);
    response.#body = text;
    response.#setType('application/json');
    return response;
  }

  static redirect(url, status = 302) {
    status = Number(status);
    if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`${status} is not a redirect status code. It must be one of: 301, 302, 303, 307, or 308.`);
    const location = internals.hrefOf(url);
    if (location === null) throw new TypeError(`Unable to parse URL: ${url}`);
    const response = new Response(null, { status, headers: { location } });
    internals.freezeHeaders(response.#headers);
    return response;
  }

  static error() {
    const response = new Response();
    response.#status = 0;
    response.#headers = new Headers();
    internals.freezeHeaders(response.#headers);
    return response;
  }

  [internals.inspectFields]() {
    return {
      status: this.#status, statusText: this.statusText, headers: this.headers, ok: this.ok, redirected: this.#isRedirected,
      url: this.#url, webSocket: this.#webSocket, cf: this.#cf, type: this.type, body: internals.shownBody(this.#record()), bodyUsed: this.bodyUsed,
    };
  }

  // Answer exchange `id`.  true: done or under way; false: not a Response; a
  // string: why this Response cannot be sent.
  static #deliver(id, response) {
    if (typeof response !== 'object' || response === null || !(#status in response)) return false;
    let headers = response.#headers === null ? response.#type === TEXT ? 1 : response.#type : internals.linesOfHeaders(response.#headers);
    const body = response.#body, coding = response.#headers === null ? null : response.#headers.get('content-encoding');
    // A body is here as its reader sees it, so it leaves without the coding that its headers still
    // name; save one that is passed on untouched, below.
    if (coding !== null && !response.#isEncoded && KNOWN_CODING.test(coding)) {
      headers = linesWithout(response.#headers, 'content-encoding');
      if (body?.kind === 'bytes' && body.value[0] === 0x1f && body.value[1] === 0x8b)
        internals.warnOnce("a body that is gzip already leaves without its Content-Encoding, and nobody unpacks it (Cloudflare would pack it once more): "
          + "Response.new(data, headers=headers, encodeBody='manual') of js sends it with the header");
    }
    if (typeof body === 'string') {
      response.#body = SENT;
      native.respond(id, response.#status, response.#statusText, headers, body);
      return true;
    }
    if (response.#webSocket !== null) return internals.coupleSocket(id, response.#webSocket, response.#statusText, headers);
    if (response.#status === 0) return 'the handler returned Response.error()';
    if (body === null) {
      native.respond(id, response.#status, response.#statusText, headers, null);
      return true;
    }
    if (internals.isBodyUsed(body)) return internals.BODY_USED;
    if (body.stream?.locked) return internals.BODY_LOCKED;
    if (body.kind === 'text' || body.kind === 'bytes') {
      internals.markBodyUsed(body);
      native.respond(id, response.#status, response.#statusText, headers, body.value);
      return true;
    }
    const stream = internals.streamOfBody(body);
    const source = internals.nativeOf(stream);
    if (source) {
      const its = native.bodyCoding(source), isRaw = its !== '' && its === coding?.toLowerCase() && (response.#isEncoded || native.accepts(id, its));
      internals.takeNative(stream);
      native.respondRelay(id, response.#status, response.#statusText, isRaw ? internals.linesOfHeaders(response.#headers) : headers, source, !isRaw);
      return true;
    }
    native.respondStream(id, response.#status, response.#statusText, headers, internals.lengthOfStream(stream));
    internals.sendStream(id, stream, (e) => native.bodyFail(id, internals.describeError(e)));
    return true;
  }

  static {
    internals.addBody(Response, (response) => response.#record(),
      (response) => (response.#headers === null ? response.#type : response.#headers.get('content-type')));
    internals.deliver = Response.#deliver;
    // An answer whose bytes are ASCII: as a string they cross faster; they bring no Content-Type along.
    internals.newAsciiAnswer = (text, status, statusText, headers) => {
      const response = new Response(null, { status, statusText, headers: headers && internals.headersOfText(headers) });
      response.#body = text;
      response.#isEncoded = true;
      return response;
    };
    // Likewise of any body: what a server's application sends is as its Content-Encoding says.
    internals.newAnswer = (body, status, statusText, headers) => {
      const response = new Response(body, { status, statusText, headers: headers && internals.headersOfText(headers) });
      response.#isEncoded = true;
      return response;
    };
    // An application's answer (src/realm/py/serve.c) that somebody wants to look at; lines: its headers, checked.
    internals.readyAnswer = (body, status, lines, isSent) => {
      const response = new Response();
      response.#status = status;
      if (lines !== '') response.#headers = internals.headersFromLines(lines, false);
      response.#isEncoded = true;
      response.#body = isSent ? SENT : typeof body === 'string' ? body : internals.extractBody(body)[0];
      return response;
    };
    // What fetch() gives.
    internals.makeResponse = ({ status, statusText, headers, url, isRedirected, body, webSocket = null }) => {
      const response = new Response();
      response.#status = status;
      response.#statusText = statusText;
      response.#headers = headers;
      response.#url = url;
      response.#isRedirected = isRedirected;
      response.#body = body;
      response.#webSocket = webSocket;
      return response;
    };
    internals.bodyOfResponse = (response) => response.#record();
    // As new Response(body, response), where transform(stream, content type) gives the body.  Its length is not known.
    internals.transformResponse = (response, transform) => {
      const copy = new Response(), body = response.#record(), headers = headersOf.call(response);
      copy.#headers = new Headers(headers);
      copy.#status = response.#status;
      copy.#statusText = response.#statusText;
      copy.#cf = response.#cf;
      copy.#isEncoded = response.#isEncoded;
      if (body === null) return copy;
      copy.#headers.delete('content-length');
      copy.#body = internals.newBody('stream', null);
      copy.#body.stream = transform(internals.streamOfBody(body), headers.get('content-type'));
      body.isUsed = true;
      return copy;
    };
    internals.streamOfResponse = (response) => internals.streamOfBody(response.#record());
    internals.typeOfResponse = (response) => (response.#headers === null ? typeof response.#type === 'string' ? response.#type : null : response.#headers.get('content-type'));
    internals.isResponse = (value) => typeof value === 'object' && value !== null && #status in value;
  }
}

const headersOf = Object.getOwnPropertyDescriptor(Response.prototype, 'headers').get;
internals.tag(Response);
internals.expose({ Response });
