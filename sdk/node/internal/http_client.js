// http_client.js - http.request over the platform's fetch: ClientRequest, which is written, and IncomingMessage, which is read.
//
// What a connection would tell (sockets, agents' pools, 100 and 103, trailers) is not there.  Bodies come unpacked, so what
// says how they were packed is taken out of the headers.
import { Buffer } from 'node:internal/buffer';
import { AbortError, argType, coded } from 'node:internal/errors';
import { validateHeaderName } from 'node:internal/http_agent';
import { messageOfResponse } from 'node:internal/http_incoming';
import { OutgoingMessage } from 'node:internal/http_outgoing';
import { urlToHttpOptions } from 'node:url';

const { AbortController, clearTimeout, fetch, queueMicrotask, setTimeout } = globalThis;

function optionsOf(input, options) {
  if (typeof input === 'string') input = urlToHttpOptions(new URL(input));
  else if (input instanceof URL) input = urlToHttpOptions(input);
  else [input, options] = [undefined, input];
  return { ...input, ...options };
}

export class ClientRequest extends OutgoingMessage {
  #abort = new AbortController(); #timer; #url;
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
    Object.assign(this, { method: (all.method || 'GET').toUpperCase(), path: String(all.path || '/'), host, protocol, agent: all.agent, aborted: false, reusedSocket: false, res: null, maxHeadersCount: null });
    this._hasBody = this.method !== 'GET' && this.method !== 'HEAD';
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
  _implicitHeader() { this._header = `${this.method} ${this.path} HTTP/1.1\r\n\r\n`; }
  async _send(headers, body) {
    headers.delete('host');
    try {
      const response = await fetch(this.#url + this.path, { method: this.method, headers, body, redirect: 'manual', signal: this.#abort.signal });
      if (this.destroyed) return;
      this.res = messageOfResponse(response, this);
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
