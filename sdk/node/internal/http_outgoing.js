// http_outgoing.js - OutgoingMessage: the headers of what is sent, and its body up to where it goes.
//
// What is written in one turn goes as one; what is still open after it goes through a stream.  Constructors are functions, as
// Node.js's: libraries call them on objects of their own.
import { Buffer } from 'node:internal/buffer';
import { argType, coded } from 'node:internal/errors';
import { validateHeaderName, validateHeaderValue } from 'node:internal/http_agent';
import { nextTick } from 'node:internal/streams/state';
import { Writable } from 'node:internal/streams/writable';

const { FixedLengthStream, IdentityTransformStream } = globalThis;

const kHeaders = Symbol('headers'), kParts = Symbol('parts'), kSize = Symbol('size'), kWriter = Symbol('writer'), kIsStarted = Symbol('isStarted');

const sent = (verb) => coded(Error, 'ERR_HTTP_HEADERS_SENT', `Cannot ${verb} headers after they are sent to the client`);
const keyOf = (name) => {
  if (typeof name !== 'string') throw argType('name', 'string', name);
  return name.toLowerCase();
};
const ignore = () => {};

export function OutgoingMessage(options) {
  if (!(this instanceof OutgoingMessage)) return new OutgoingMessage(options);
  Writable.call(this, { highWaterMark: options?.highWaterMark, autoDestroy: options?.autoDestroy });
  Object.assign(this, { _header: null, finished: false, sendDate: true, chunkedEncoding: false, shouldKeepAlive: true, useChunkedEncodingByDefault: true, strictContentLength: false, socket: null, _hasBody: true });
  this[kHeaders] = new Map();
  this[kParts] = [];
  this[kSize] = 0;
  this[kWriter] = null;
  this[kIsStarted] = false;
}
class Methods extends Writable {
  get headersSent() { return Boolean(this._header); }
  get connection() { return this.socket; }
  set connection(value) { this.socket = value; }
  get _headers() { return this.getHeaders(); }
  // ---- headers ----
  setHeader(name, value) {
    if (this._header) throw sent('set');
    validateHeaderName(name);
    for (const one of Array.isArray(value) ? value : [value]) validateHeaderValue(name, one);
    this[kHeaders].set(name.toLowerCase(), [name, value]);
    return this;
  }
  setHeaders(headers) {
    if (this._header) throw sent('set');
    if (typeof headers?.[Symbol.iterator] !== 'function' || typeof headers.get !== 'function') throw argType('headers', ['Headers', 'Map'], headers);
    const cookies = [];
    for (const [name, value] of headers) {
      if (name.toLowerCase() === 'set-cookie') cookies.push(value);
      else this.setHeader(name, value);
    }
    if (cookies.length > 0) this.setHeader('set-cookie', cookies.flat());
    return this;
  }
  appendHeader(name, value) {
    if (this._header) throw sent('append');
    const before = this.getHeader(name);
    return this.setHeader(name, before === undefined ? value : [before, value].flat());
  }
  getHeader(name) { return this[kHeaders].get(keyOf(name))?.[1]; }
  getHeaders() {
    const all = Object.create(null);
    for (const [key, [, value]] of this[kHeaders]) all[key] = value;
    return all;
  }
  getHeaderNames() { return [...this[kHeaders].keys()]; }
  getRawHeaderNames() { return [...this[kHeaders].values()].map(([name]) => name); }
  hasHeader(name) { return this[kHeaders].has(keyOf(name)); }
  removeHeader(name) {
    const key = keyOf(name);
    if (this._header) throw sent('remove');
    this[kHeaders].delete(key);
  }
  flushHeaders() {
    if (!this._header) this._implicitHeader();
    start(this, true);
  }
  addTrailers() {}                                      // nobody could be told
  // What a kind of message has: _implicitHeader() makes _header, _send(headers, body) sends it, once.
  _implicitHeader() { throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _implicitHeader() method is not implemented'); }
  // ---- the body ----
  write(chunk, encoding, callback) {
    if (!this._header && !this.writableEnded && !this.destroyed) this._implicitHeader();
    return super.write(chunk, encoding, callback);
  }
  end(chunk, encoding, callback) {
    if (typeof chunk === 'function') [chunk, encoding, callback] = [undefined, undefined, chunk];
    else if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
    if (!this.writableEnded && !this.destroyed && !this._header) {
      if (chunk === null || chunk === undefined) this._contentLength = 0;
      else if (typeof chunk === 'string' || ArrayBuffer.isView(chunk)) this._contentLength = Buffer.byteLength(chunk, encoding);
      this._implicitHeader();
    }
    this.finished = true;
    if (typeof callback === 'function' && !this.writableEnded && !this.destroyed) {
      this.once('finish', callback);
      callback = undefined;
    }
    return super.end(chunk, encoding, callback);
  }
  _write(chunk, encoding, callback) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk, length = expected(this), before = this[kSize];
    if (this.strictContentLength && before + bytes.length > length) {
      callback(mismatch(before + bytes.length, length));
      return;
    }
    this[kSize] += bytes.length;
    const part = before + bytes.length > length ? bytes.subarray(0, Math.max(0, length - before)) : bytes;
    if (!this._hasBody || part.length === 0) callback();
    else if (this[kWriter]) this[kWriter].write(part).then(() => callback(), (error) => broken(this, error, callback));
    else {
      // Whoever writes more may use the same bytes again.
      this[kParts].push(this.finished ? part : Buffer.from(part));
      if (this[kSize] >= this.writableHighWaterMark && !this.finished) start(this, true);
      else nextTick(() => start(this, true));
      callback();
    }
  }
  _final(callback) {
    if (this.strictContentLength && this._hasBody && this[kSize] < expected(this) && expected(this) !== Infinity) callback(mismatch(this[kSize], expected(this)));
    else if (this[kWriter]) this[kWriter].close().then(() => callback(), (error) => broken(this, error, callback));
    else {
      start(this, false);
      callback();
    }
  }
  _destroy(error, callback) {
    if (this[kWriter] && !this.writableFinished) this[kWriter].abort(error ?? coded(Error, 'ECONNRESET', 'aborted')).catch(ignore);
    callback(error);
  }
}
OutgoingMessage.prototype = Methods.prototype;
Methods.prototype.constructor = OutgoingMessage;
Object.setPrototypeOf(OutgoingMessage, Writable);

const expected = (message) => {
  const value = message[kHeaders].get('content-length')?.[1];
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : Infinity;
};
const mismatch = (is, should) => coded(Error, 'ERR_HTTP_CONTENT_LENGTH_MISMATCH', `Response body's content-length of ${is} byte(s) does not match the content-length of ${should} byte(s) set in header`);

// Who read it has gone: that is no error of who writes.
function broken(message, error, callback) {
  if (message.destroyed) callback(error);
  else message.destroy();
}

function start(message, isMore) {
  if (message[kIsStarted] || message.destroyed || (isMore && message.writableEnded && message.writableLength === 0 && !message.writableCorked)) return;
  message[kIsStarted] = true;
  const headers = new Headers(), parts = message[kParts], length = expected(message);
  for (const [name, value] of message[kHeaders].values()) for (const one of Array.isArray(value) ? value : [value]) headers.append(name, `${one}`);
  let body = null;
  if (message._hasBody && isMore) {
    const { readable, writable } = length === Infinity ? new IdentityTransformStream() : new FixedLengthStream(length);
    message[kWriter] = writable.getWriter();
    message[kWriter].closed.catch(ignore);
    for (const part of parts) message[kWriter].write(part).catch(ignore);
    body = readable;
  } else if (message._hasBody) {
    body = parts.length === 1 ? parts[0] : parts.length > 0 ? Buffer.concat(parts) : null;
    if (length !== Infinity && length !== (body?.length ?? 0)) headers.delete('content-length');
  }
  message[kParts] = [];
  message._send(headers, body);
}
