// event_source.js - EventSource: events that a server sends, read from a fetch, or from any stream with from().
//
// As Cloudflare's runtime has it: whose answer is no stream of events is closed for good, whose stream has ended asks
// again after a while, with the last id that it has heard.  It lives as long as the request that made it.

const { Error, Event, EventTarget, MessageEvent, ErrorEvent, Headers, ReadableStream, Response, TextDecoder, TypeError, URL, fetch } = globalThis;
const { DOMException } = internals, { apply } = Reflect, { max, min } = Math;
const [CONNECTING, OPEN, CLOSED] = [0, 1, 2];
const WAIT_MS = 2000, WAIT_MIN_MS = 100, WAIT_MAX_MS = 10_000;      // until it asks again; a server may say how long within these
const getterOf = (Class, name) => Object.getOwnPropertyDescriptor(Class.prototype, name).get;
const statusOf = getterOf(Response, 'status'), headersOf = getterOf(Response, 'headers'), bodyOf = getterOf(Response, 'body'), urlOf = getterOf(Response, 'url'), originOf = getterOf(URL, 'origin');
const isLocked = getterOf(ReadableStream, 'locked'), { get: getHeader, set: setHeader } = Headers.prototype, { decode } = TextDecoder.prototype;
const { then } = Promise.prototype;
const { indexOf, slice, charCodeAt, trim, toLowerCase } = String.prototype;
const MADE = {};

// Lines of text that comes in pieces, as fields of events: take(name, value), and take('', '') behind each event.
class Lines {
  #take; #partial = ''; #isBehindCR = false;
  constructor(take) { this.#take = take; }

  add(text) {
    if (text === '') return;
    let from = this.#isBehindCR && apply(charCodeAt, text, [0]) === 10 ? 1 : 0;
    this.#isBehindCR = false;
    let feed = apply(indexOf, text, ['\n', from]), turn = apply(indexOf, text, ['\r', from]);
    while (feed >= 0 || turn >= 0) {
      const end = feed < 0 || (turn >= 0 && turn < feed) ? turn : feed;
      this.#line(this.#partial + apply(slice, text, [from, end]));
      this.#partial = '';
      from = end + 1;
      if (end === turn && from === feed) from++;
      this.#isBehindCR = end === turn && from === text.length;
      if (feed >= 0 && feed < from) feed = apply(indexOf, text, ['\n', from]);
      if (turn >= 0 && turn < from) turn = apply(indexOf, text, ['\r', from]);
    }
    this.#partial += apply(slice, text, [from]);
  }

  #line(line) {
    const colon = apply(indexOf, line, [':']);
    if (colon === 0) return;
    if (colon < 0) this.#take(line, '');
    else this.#take(apply(slice, line, [0, colon]), apply(slice, line, [line[colon + 1] === ' ' ? colon + 2 : colon + 1]));
  }
}

class EventSource extends EventTarget {
  #url = ''; #state = CONNECTING; #wait = WAIT_MS; #lastId = ''; #origin = null;
  #signal = null;           // that ends its fetch
  #timer = 0;
  #reader = null;
  #data = null; #type = ''; #id = '';       // of the event that comes

  constructor(url, init = undefined) {
    super();
    if (init === MADE) return;
    if (arguments.length === 0) throw new TypeError("Failed to construct 'EventSource': constructor parameter 1 is not of type 'string'.");
    const { withCredentials, fetcher } = internals.options(init, 'EventSource'), href = internals.hrefOf(url);
    if (href === null) throw new DOMException(`Cannot open an EventSource to '${String(url)}'. The URL is invalid.`, 'SyntaxError');
    if (withCredentials) throw new DOMException('The init.withCredentials option is not supported. It must be false or undefined.', 'NotSupportedError');
    if (fetcher !== undefined && fetcher !== null) throw new TypeError("Incorrect type for the 'fetcher' field on 'EventSourceInit': the provided value is not of type 'Fetcher'.");
    if (!internals.isServing()) throw new Error(internals.GLOBAL_SCOPE);
    this.#url = href;
    this.#connect();
  }

  static from(stream) {
    if (!internals.isStream(stream)) throw new TypeError("Failed to execute 'from' on 'EventSource': parameter 1 is not of type 'ReadableStream'.");
    if (apply(isLocked, stream, [])) throw new TypeError('This ReadableStream is locked.');
    const source = new EventSource('', MADE);
    source.#state = OPEN;
    apply(then, source.#read(stream), [(error) => source.#fail(error)]);
    return source;
  }

  get url() { return this.#url; }
  get withCredentials() { return false; }
  get readyState() { return this.#state; }

  close() {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#stop();
  }

  #stop() {
    internals.stopTimer(this.#timer);
    if (this.#signal !== null && !internals.isAborted(this.#signal)) internals.abortSignal(this.#signal, new DOMException('The EventSource was closed.', 'AbortError'));
    if (this.#reader !== null) internals.cancelReader(this.#reader);
    this.#reader = this.#signal = null;
  }

  // For good.
  #fail(error) {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    internals.fire(this, new ErrorEvent('error', { error }));
    this.#stop();
  }

  async #connect() {
    const headers = new Headers(), signal = internals.newSignal();
    apply(setHeader, headers, ['accept', 'text/event-stream']);
    apply(setHeader, headers, ['cache-control', 'no-cache']);
    if (this.#lastId !== '') apply(setHeader, headers, ['last-event-id', this.#lastId]);
    this.#signal = signal;
    try {
      const answer = await fetch(this.#url, { __proto__: null, headers, signal, redirect: 'follow' });
      if (this.#signal !== signal) return;
      const refused = why(apply(statusOf, answer, []), apply(getHeader, apply(headersOf, answer, []), ['content-type']));
      const body = apply(bodyOf, answer, []);
      if (refused !== '') {
        giveUp(body);
        this.#fail(new DOMException(refused, 'AbortError'));
        return;
      }
      this.#state = OPEN;
      this.#origin = apply(originOf, new URL(apply(urlOf, answer, [])), []);
      internals.fire(this, new Event('open'));
      if (this.#signal !== signal) {
        giveUp(body);
        return;
      }
      const error = body === null ? new Error(LOST) : await this.#read(body);
      if (this.#signal === signal) this.#again(error);
    } catch (error) {
      if (this.#signal === signal) this.#fail(error);
    }
  }

  #again(error) {
    this.#state = CONNECTING;
    this.#signal = null;
    internals.fire(this, new ErrorEvent('error', { error }));
    if (this.#state === CONNECTING) this.#timer = internals.startTimer(() => { this.#connect(); }, this.#wait, true);
  }

  // All of it; the error with which it ended.
  async #read(stream) {
    const reader = this.#reader = internals.lockStream(stream), decoder = new TextDecoder(), lines = new Lines((name, value) => this.#take(name, value));
    this.#data = null;
    this.#type = '';
    this.#id = this.#lastId;
    try {
      while (this.#reader === reader) {
        const { value, done } = await internals.readPromise(reader);
        if (done) break;
        if (this.#reader === reader) lines.add(typeof value === 'string' ? value : apply(decode, decoder, [internals.chunkBytes(value), { __proto__: null, stream: true }]));
      }
    } catch (error) {
      this.#reader = null;
      return error;
    }
    if (this.#reader === reader) this.#reader = null;
    return new Error(LOST);
  }

  #take(name, value) {
    if (this.#state !== OPEN) return;
    if (name === 'data') this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    else if (name === 'event') this.#type = value;
    else if (name === 'id') { if (apply(indexOf, value, ['\0']) < 0) this.#id = value; }
    else if (name === 'retry') { if (isDigits(value)) this.#wait = min(WAIT_MAX_MS, max(WAIT_MIN_MS, +value)); }
    else if (name === '') this.#tell();
  }

  #tell() {
    const type = this.#type || 'message', data = this.#data;
    this.#lastId = this.#id;
    this.#type = '';
    this.#data = null;
    if (data !== null) internals.fire(this, new MessageEvent(type, { __proto__: null, data, lastEventId: this.#lastId, origin: this.#origin }));
  }
}

const giveUp = (body) => { if (body !== null) internals.cancelReader(internals.lockStream(body)); };
const LOST = 'The server disconnected.';
const isDigits = (text) => {
  for (let i = 0; i < text.length; i++) if (!(text[i] >= '0' && text[i] <= '9')) return false;
  return text !== '';
};
function why(status, type) {
  if (status < 200 || status > 299) return `The response status code was ${status}.`;
  if (type === null) return 'No content type header was present in the response.';
  const end = apply(indexOf, type, [';']), essence = apply(trim, end < 0 ? type : apply(slice, type, [0, end]), []);
  return apply(toLowerCase, essence, []) === 'text/event-stream' ? '' : `The content type '${type}' is invalid.`;
}

for (const type of ['open', 'message', 'error']) internals.addHandler(EventSource.prototype, type);
['CONNECTING', 'OPEN', 'CLOSED'].forEach((name, value) => {
  for (const object of [EventSource, EventSource.prototype]) Object.defineProperty(object, name, { value, enumerable: true });
});
Object.defineProperty(EventSource.prototype, Symbol.dispose, { value: EventSource.prototype.close, writable: true, configurable: true });
internals.tag(EventSource);
internals.expose({ EventSource });
