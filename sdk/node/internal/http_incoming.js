// http_incoming.js - IncomingMessage: a request that is served, or an answer that came.
import { Buffer } from 'node:internal/buffer';
import { coded } from 'node:internal/errors';
import { STATUS_CODES } from 'node:internal/http_constants';
import { Readable } from 'node:internal/streams/readable';

// Of these the first counts (RFC 9110 knows no list of them); all others are lists.
const SINGLE = new Set(['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host', 'if-modified-since', 'if-unmodified-since', 'last-modified',
  'location', 'max-forwards', 'proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent']);
let fill;

export class IncomingMessage extends Readable {
  #reader = null; #isJoined = false;
  constructor(socket) {
    super({ highWaterMark: socket?.readableHighWaterMark });
    Object.assign(this, { socket, httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, complete: false, aborted: false, upgrade: false, rawHeaders: [], rawTrailers: [], trailers: {}, url: '', method: null, statusCode: null, statusMessage: null });
  }
  static {
    fill = (message, body, isJoined = false) => {
      message.#isJoined = isJoined;
      if (body) message.#reader = body.getReader();
      else {
        message.complete = true;
        message.push(null);
      }
    };
  }
  get connection() { return this.socket; }
  set connection(value) { this.socket = value; }
  get headers() {
    const all = Object.create(null);
    for (let i = 0; i < this.rawHeaders.length; i += 2) {
      const name = this.rawHeaders[i].toLowerCase(), value = this.rawHeaders[i + 1];
      if (name === 'set-cookie') (all[name] ??= []).push(value);
      else if (!(name in all)) all[name] = value;
      else if (this.#isJoined || !SINGLE.has(name)) all[name] += `${name === 'cookie' ? '; ' : ', '}${value}`;
    }
    Object.defineProperty(this, 'headers', { value: all, writable: true, enumerable: true, configurable: true });
    return all;
  }
  set headers(value) { Object.defineProperty(this, 'headers', { value, writable: true, enumerable: true, configurable: true }); }
  get headersDistinct() {
    const all = Object.create(null);
    for (let i = 0; i < this.rawHeaders.length; i += 2) (all[this.rawHeaders[i].toLowerCase()] ??= []).push(this.rawHeaders[i + 1]);
    return all;
  }
  get trailersDistinct() { return Object.create(null); }
  setTimeout(milliseconds, callback) {
    (this.req ?? this.socket)?.setTimeout(milliseconds, callback);
    return this;
  }
  _read() {
    this.#reader?.read().then(({ done, value }) => {
      if (done) this.complete = true;
      this.push(done ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    }, (error) => this.destroy(error));
  }
  _destroy(error, callback) {
    if (!this.complete) {
      this.aborted = true;
      this.#reader?.cancel(error).catch(() => {});
    }
    callback(error);
  }
}

// The answer of a server to `request`, a ClientRequest.
export function messageOfResponse(response, request) {
  const message = new IncomingMessage(request.socket), isPacked = response.headers.has('content-encoding');
  for (const [name, value] of response.headers) if (!isPacked || (name !== 'content-encoding' && name !== 'content-length')) message.rawHeaders.push(name, value);
  Object.assign(message, { req: request, statusCode: response.status, statusMessage: response.statusText || STATUS_CODES[response.status] || '' });
  fill(message, response.body);
  return message;
}

// message, one of a server's own class, becomes `request`.
export function fillFromRequest(message, request, url, rawHeaders, isJoined) {
  Object.assign(message, { method: request.method, url: url.pathname + url.search, rawHeaders });
  fill(message, request.body, isJoined);
}

// Its client has gone.
export function abortMessage(message) {
  if (message.complete || message.destroyed) return;
  message.aborted = true;
  message.emit('aborted');
  message.destroy(message.listenerCount('error') > 0 ? coded(Error, 'ECONNRESET', 'aborted') : undefined);
}
