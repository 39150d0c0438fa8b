// http_client.js - http.request over the platform's fetch: ClientRequest, which is written, and IncomingMessage, which is read.
//
// What a connection would tell (sockets, agents' pools, 100 and 103, trailers) is not there.  Bodies come unpacked, so what
// says how they were packed is taken out of the headers.
import { Buffer } from 'node:internal/buffer';
import { AbortError, argType, coded } from 'node:internal/errors';
import { validateHeaderName, validateHeaderValue } from 'node:internal/http_agent';
import { STATUS_CODES } from 'node:internal/http_constants';
import { Readable } from 'node:internal/streams/readable';
import { Writable } from 'node:internal/streams/writable';
import { urlToHttpOptions } from 'node:url';

const { AbortController, FixedLengthStream, IdentityTransformStream, clearTimeout, fetch, queueMicrotask, setTimeout } = globalThis;

export class IncomingMessage extends Readable {
  #reader = null;
  constructor(socket) {
    super();
    Object.assign(this, { socket, httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, complete: false, aborted: false, rawHeaders: [], rawTrailers: [], trailers: {}, url: '', method: null, statusCode: null, statusMessage: null });
  }
  get connection() { return this.socket; }
  get headers() {
    const all = Object.create(null);
    for (let i = 0; i < this.rawHeaders.length; i += 2) {
      const name = this.rawHeaders[i].toLowerCase(), value = this.rawHeaders[i + 1];
      if (name === 'set-cookie') (all[name] ??= []).push(value);
      else all[name] = name in all ? `${all[name]}, ${value}` : value;
    }
    Object.defineProperty(this, 'headers', { value: all, writable: true, enumerable: true, configurable: true });
    return all;
  }
  get headersDistinct() {
    const all = Object.create(null);
    for (let i = 0; i < this.rawHeaders.length; i += 2) (all[this.rawHeaders[i].toLowerCase()] ??= []).push(this.rawHeaders[i + 1]);
    return all;
  }
  setTimeout(milliseconds, callback) {
    this.req?.setTimeout(milliseconds, callback);
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
  static from(response, request) {
    const message = new IncomingMessage(request.socket), isPacked = response.headers.has('content-encoding');
    for (const [name, value] of response.headers) if (!isPacked || (name !== 'content-encoding' && name !== 'content-length')) message.rawHeaders.push(name, value);
    Object.assign(message, { req: request, statusCode: response.status, statusMessage: response.statusText || STATUS_CODES[response.status] || '' });
    if (response.body) message.#reader = response.body.getReader();
    else {
      message.complete = true;
      message.push(null);
    }
    return message;
  }
}
const messageFrom = IncomingMessage.from;
IncomingMessage.from = Readable.from;

function optionsOf(input, options) {
  if (typeof input === 'string') input = urlToHttpOptions(new URL(input));
  else if (input instanceof URL) input = urlToHttpOptions(input);
  else [input, options] = [undefined, input];
  return { ...input, ...options };
}

export class ClientRequest extends Writable {
  #headers = new Map(); #abort = new AbortController(); #parts = []; #writer = null; #isStarted = false; #timer; #url;
  constructor(input, options, callback) {
    if (typeof options === 'function') [options, callback] = [undefined, options];
    const all = optionsOf(input, options), protocol = all.protocol ?? all.agent?.protocol ?? all.defaultProtocol ?? 'http:', expected = all.defaultProtocol ?? protocol;
    if (protocol !== expected) throw coded(TypeError, 'ERR_INVALID_PROTOCOL', `Protocol "${protocol}" not supported. Expected "${expected}"`);
    if (all.path !== undefined && /[^\u0021-\u00ff]/.test(String(all.path))) throw coded(TypeError, 'ERR_UNESCAPED_CHARACTERS', 'Request path contains unescaped characters');
    if (all.method !== undefined && all.method !== null && typeof all.method !== 'string') throw argType('options.method', 'string', all.method);
    if (all.method) validateHeaderName(all.method, 'Method');
    super({ autoDestroy: false });
    const host = all.hostname || all.host || 'localhost', port = Number(all.port || all.defaultPort || (protocol === 'https:' ? 443 : 80));
    const isDefault = port === (protocol === 'https:' ? 443 : 80), name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
    Object.assign(this, { method: (all.method || 'GET').toUpperCase(), path: String(all.path || '/'), host, protocol, agent: all.agent, aborted: false, reusedSocket: false, res: null, socket: null, headersSent: false, maxHeadersCount: null });
    this.#url = `${protocol}//${name}${isDefault ? '' : `:${port}`}`;
    const given = Array.isArray(all.headers) ? (Array.isArray(all.headers[0]) ? all.headers : all.headers.flatMap((one, i) => (i % 2 ? [] : [[one, all.headers[i + 1]]]))) : Object.entries(all.headers ?? {});
    for (const [key, value] of given) this.setHeader(key, value);
    if (all.auth && !this.hasHeader('authorization')) this.setHeader('Authorization', `Basic ${Buffer.from(all.auth).toString('base64')}`);
    if (!this.hasHeader('host') && all.setHost !== false) this.setHeader('Host', isDefault ? name : `${name}:${port}`);
    if (callback) this.once('response', callback);
    if (all.timeout) this.setTimeout(all.timeout);
    if (all.signal) {
      const stop = () => this.destroy(new AbortError(undefined, { cause: all.signal.reason }));
      if (all.signal.aborted) queueMicrotask(stop);
      else all.signal.addEventListener('abort', stop);
    }
  }
  // ---- headers ----
  setHeader(name, value) {
    if (this.headersSent) throw coded(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot set headers after they are sent to the client');
    validateHeaderName(name);
    for (const one of Array.isArray(value) ? value : [value]) validateHeaderValue(name, one);
    this.#headers.set(name.toLowerCase(), [name, value]);
    return this;
  }
  setHeaders(headers) {
    for (const [name, value] of headers) this.setHeader(name, value);
    return this;
  }
  appendHeader(name, value) {
    const before = this.getHeader(name);
    return this.setHeader(name, before === undefined ? value : [before, value].flat());
  }
  getHeader(name) { return this.#headers.get(`${name}`.toLowerCase())?.[1]; }
  getHeaders() {
    const all = Object.create(null);
    for (const [key, [, value]] of this.#headers) all[key] = value;
    return all;
  }
  getHeaderNames() { return [...this.#headers.keys()]; }
  getRawHeaderNames() { return [...this.#headers.values()].map(([name]) => name); }
  hasHeader(name) { return this.#headers.has(`${name}`.toLowerCase()); }
  removeHeader(name) {
    if (this.headersSent) throw coded(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot remove headers after they are sent to the client');
    this.#headers.delete(`${name}`.toLowerCase());
  }
  flushHeaders() { this.#start(true); }
  // ---- the body: what is there at the end of this turn goes at once, more through a stream ----
  _write(chunk, encoding, callback) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    if (this.#writer) {
      this.#writer.write(bytes).then(() => callback(), callback);
      return;
    }
    this.#parts.push(bytes);
    callback();
    setTimeout(() => this.#start(true), 0);
  }
  _final(callback) {
    if (this.#writer) this.#writer.close().then(() => callback(), callback);
    else {
      this.#start(false);
      callback();
    }
  }
  #start(isMore) {
    if (this.#isStarted || this.destroyed) return;
    this.#isStarted = this.headersSent = true;
    const headers = new Headers(), hasBody = this.method !== 'GET' && this.method !== 'HEAD';
    for (const [name, value] of this.#headers.values()) for (const one of Array.isArray(value) ? value : [value]) if (name.toLowerCase() !== 'host') headers.append(name, `${one}`);
    let body;
    if (hasBody && isMore) {
      const length = Number(this.getHeader('content-length') ?? NaN), { readable, writable } = length >= 0 ? new FixedLengthStream(length) : new IdentityTransformStream();
      this.#writer = writable.getWriter();
      for (const part of this.#parts) this.#writer.write(part).catch(() => {});
      body = readable;
    } else if (hasBody && this.#parts.length > 0) body = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#ask(headers, body);
  }
  async #ask(headers, body) {
    try {
      const response = await fetch(this.#url + this.path, { method: this.method, headers, body, redirect: 'manual', signal: this.#abort.signal });
      if (this.destroyed) return;
      this.res = messageFrom(response, this);
      this.res.on('close', () => this.#end());
      if (!this.emit('response', this.res)) this.res.resume();
    } catch (error) {
      if (!this.destroyed) this.destroy(error instanceof Error && error.code === undefined ? coded(Error, 'ECONNRESET', error.message, { cause: error }) : error);
    }
  }
  #end() {
    clearTimeout(this.#timer);
    if (!this.destroyed) super.destroy();
  }
  // ---- its end ----
  setTimeout(milliseconds, callback) {
    clearTimeout(this.#timer);
    if (callback) this.once('timeout', callback);
    this.timeout = milliseconds;
    if (milliseconds > 0) this.#timer = setTimeout(() => this.emit('timeout'), milliseconds);
    return this;
  }
  setNoDelay() {}
  setSocketKeepAlive() {}
  abort() {
    if (this.aborted) return;
    this.aborted = true;
    queueMicrotask(() => this.emit('abort'));
    this.destroy();
  }
  _destroy(error, callback) {
    clearTimeout(this.#timer);
    this.#abort.abort();
    if (this.res && !this.res.complete) this.res.destroy(error ?? coded(Error, 'ECONNRESET', 'aborted'));
    callback(error ?? (this.res ? null : coded(Error, 'ECONNRESET', 'socket hang up')));
  }
}

// request and get of one protocol.
export function askers(protocol) {
  const withProtocol = (options) => ({ ...options, defaultProtocol: protocol });
  const request = (input, options, callback) => (typeof input === 'string' || input instanceof URL
    ? new ClientRequest(input, ...(typeof options === 'function' ? [withProtocol(), options] : [withProtocol(options), callback])) : new ClientRequest(withProtocol(input), options));
  return {
    request(input, options, callback) { return request(input, options, callback); },
    get(input, options, callback) {
      const made = request(input, options, callback);
      made.end();
      return made;
    },
  };
}
