// http_server.js - http.Server and ServerResponse: what serves here is a worker, and a port is only the name of a server.
//
// httpServerHandler and handleAsNodeRequest (cloudflare:node) give a worker's request to the server that listens at a port.
// There is no connection: sockets only tell what is known of the client.
import { argType, argValue, checkFunction, checkInteger, coded, outOfRange } from 'node:internal/errors';
import EventEmitter from 'node:internal/events';
import { STATUS_CODES } from 'node:internal/http_constants';
import { IncomingMessage, abortMessage, fillFromRequest } from 'node:internal/http_incoming';
import { OutgoingMessage } from 'node:internal/http_outgoing';
import { realm } from 'node:internal/realm';
import { nextTick } from 'node:internal/streams/state';

const { Response, URL } = globalThis;

const FIRST_PORT = 49152, MAX_PORT = 65535;             // of those that nobody chose (RFC 6335)
const NO_BODY = [204, 205, 304];
// What speaks of the connection: it is not the worker's.
const OF_CONNECTION = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];
const kAnswer = Symbol('answer'), kOptions = Symbol('options'), kHost = Symbol('host'), kPort = Symbol('port'), kAlive = Symbol('alive'), kIsClosing = Symbol('isClosing');
const servers = new Map();                              // port -> Server

// ---- what is known of the client ----

class Socket extends EventEmitter {
  constructor(request, url, port) {
    super();
    const remoteAddress = request.headers.get('cf-connecting-ip') ?? undefined;
    Object.assign(this, { encrypted: url.protocol === 'https:', remoteAddress, remoteFamily: remoteAddress && (remoteAddress.includes(':') ? 'IPv6' : 'IPv4'), localPort: port, readable: true, writable: true, destroyed: false, timeout: 0 });
  }
  address() { return { port: this.localPort }; }
  setTimeout() { return this; }
  setNoDelay() { return this; }
  setKeepAlive() { return this; }
  cork() {}
  uncork() {}
  ref() { return this; }
  unref() { return this; }
  end() { return this.destroy(); }
  destroySoon() { this.destroy(); }
  destroy(error) {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.readable = this.writable = false;
    this._httpMessage?.destroy(error);
    nextTick(() => this.emit('close', Boolean(error)));
    return this;
  }
}

// ---- the answer ----

export function ServerResponse(request, options) {
  if (!(this instanceof ServerResponse)) return new ServerResponse(request, options);
  OutgoingMessage.call(this, options);
  Object.assign(this, { req: request, statusCode: 200, statusMessage: undefined, strictContentLength: Boolean(options?.strictContentLength) });
  this[kAnswer] = null;
  if (request?.method === 'HEAD') this._hasBody = false;
}
class Methods extends OutgoingMessage {
  _implicitHeader() { this.writeHead(this.statusCode); }
  writeHead(status, reason, headers) {
    if (this._header) throw coded(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot write headers after they are sent to the client');
    const given = status;
    status |= 0;
    if (status < 100 || status > 999) throw coded(RangeError, 'ERR_HTTP_INVALID_STATUS_CODE', `Invalid status code: ${given}`);
    if (typeof reason === 'string') this.statusMessage = reason;
    else {
      headers ??= reason;
      this.statusMessage ||= STATUS_CODES[status] || 'unknown';
    }
    if (/[^\t\x20-\x7e\x80-\xff]/.test(this.statusMessage)) throw coded(TypeError, 'ERR_INVALID_CHAR', 'Invalid character in statusMessage');
    this.statusCode = status;
    takeHeaders(this, headers);
    if (NO_BODY.includes(status)) this._hasBody = false;
    this._header = `HTTP/1.1 ${status} ${this.statusMessage}\r\n${this.getRawHeaderNames().map((name) => `${name}: ${this.getHeader(name)}\r\n`).join('')}\r\n`;
    return this;
  }
  writeHeader(...how) { return this.writeHead(...how); }
  writeContinue(callback) { if (callback) nextTick(callback); }
  writeProcessing(callback) { if (callback) nextTick(callback); }
  writeEarlyHints(hints, callback) { if (callback) nextTick(callback); }
  assignSocket(socket) {
    if (socket._httpMessage) throw coded(Error, 'ERR_HTTP_SOCKET_ASSIGNED', 'Socket already assigned');
    socket._httpMessage = this;
    this.socket = socket;
    this.emit('socket', socket);
  }
  detachSocket(socket) {
    socket._httpMessage = null;
    this.socket = null;
  }
  setTimeout(milliseconds, callback) {
    if (callback) this.on('timeout', callback);
    return this;
  }
  _send(headers, body) {
    if (!this[kAnswer]) return;
    this[kAnswer].isGiven = true;
    for (const name of OF_CONNECTION) headers.delete(name);
    if (this.req?.method === 'HEAD' && this._contentLength > 0 && !headers.has('content-length')) headers.set('content-length', this._contentLength);
    // The body is as its Content-Encoding says already.
    try {
      this[kAnswer].resolve(new Response(body, { status: this.statusCode, statusText: this.statusMessage, headers, encodeBody: headers.has('content-encoding') ? 'manual' : 'automatic' }));
    } catch (error) {
      this[kAnswer].reject(error);
      this.destroy();
    }
  }
  _destroy(error, callback) {
    const answer = this[kAnswer];
    if (answer && !answer.isGiven) answer.reject(error ?? coded(Error, 'ECONNRESET', 'The server destroyed its answer before it began'));
    // Who is told is the client.
    super._destroy(error, (problem) => callback(answer ? null : problem));
  }
}
ServerResponse.prototype = Methods.prototype;
Methods.prototype.constructor = ServerResponse;
Object.setPrototypeOf(ServerResponse, OutgoingMessage);

// An object, pairs, or names and values in turn: those of one name in a list are all meant.
function takeHeaders(response, headers) {
  if (!headers) return;
  if (!Array.isArray(headers)) {
    for (const name of Object.keys(headers)) if (name) response.setHeader(name, headers[name]);
    return;
  }
  if (!Array.isArray(headers[0]) && headers.length % 2 !== 0) throw argValue('headers', headers);
  const pairs = Array.isArray(headers[0]) ? headers : headers.flatMap((name, i) => (i % 2 ? [] : [[name, headers[i + 1]]]));
  for (const [name] of pairs) response.removeHeader(`${name}`);
  for (const [name, value] of pairs) response.appendHeader(name, value);
}

// ---- the server ----

// Times are kept as they are given; the platform has its own.
function takeTimes(server, options) {
  const time = (name, standard) => {
    const value = options[name];
    if (value === undefined) return standard;
    checkInteger(value, name, 0);
    return value;
  };
  server.requestTimeout = time('requestTimeout', 300_000);
  server.headersTimeout = time('headersTimeout', server.requestTimeout > 0 ? Math.min(60_000, server.requestTimeout) : 60_000);
  if (server.requestTimeout > 0 && server.headersTimeout > server.requestTimeout) throw outOfRange('headersTimeout', '<= requestTimeout', options.headersTimeout);
  server.keepAliveTimeout = time('keepAliveTimeout', 5_000);
  server.connectionsCheckingInterval = time('connectionsCheckingInterval', 30_000);
}

export function Server(options, listener) {
  if (!(this instanceof Server)) return new Server(options, listener);
  if (typeof options === 'function') [options, listener] = [{}, options];
  else if (options === undefined || options === null) options = {};
  else if (typeof options !== 'object' || Array.isArray(options)) throw argType('options', 'Object', options);
  EventEmitter.call(this, options);
  takeTimes(this, options);
  Object.assign(this, { timeout: 0, maxHeadersCount: null, maxRequestsPerSocket: 0, httpAllowHalfOpen: false });
  this[kOptions] = { IncomingMessage, ServerResponse, ...options };
  this[kPort] = this[kHost] = null;
  this[kAlive] = 0;
  this[kIsClosing] = false;
  if (listener) this.on('request', listener);
}
class ServerMethods extends EventEmitter {
  get listening() { return this[kPort] !== null; }
  listen(...args) {
    const callback = args.findLast((arg) => typeof arg === 'function'), first = args[0];
    const options = typeof first === 'object' && first !== null ? first : { port: typeof first === 'function' ? undefined : first, host: args.find((arg, i) => i > 0 && typeof arg === 'string') };
    if (this.listening) throw coded(Error, 'ERR_SERVER_ALREADY_LISTEN', 'Listen method has been called more than once without closing.');
    if (options.path !== undefined || (typeof options.port === 'string' && !/^\s*\d+\s*$/.test(options.port))) throw coded(Error, 'ERR_INVALID_ARG_VALUE', 'A server of a worker listens at the number of a port, not at a path');
    const port = options.port === undefined || options.port === null ? 0 : Number(options.port);
    if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) throw coded(RangeError, 'ERR_SOCKET_BAD_PORT', `options.port should be >= 0 and < 65536. Received type ${typeof options.port} (${options.port}).`);
    if (callback) this.once('listening', callback);
    const chosen = port || freePort();
    if (servers.has(chosen)) {
      const error = coded(Error, 'EADDRINUSE', `listen EADDRINUSE: address already in use :::${chosen}`, { errno: -98, syscall: 'listen', address: '::', port: chosen });
      nextTick(() => this.emit('error', error));
      return this;
    }
    servers.set(chosen, this);
    this[kPort] = chosen;
    this[kHost] = options.host || '::';
    this[kIsClosing] = false;
    nextTick(() => { if (this[kPort] === chosen) this.emit('listening'); });
    return this;
  }
  address() {
    const address = this[kHost];
    return this.listening ? { address, family: address.includes(':') ? 'IPv6' : 'IPv4', port: this[kPort] } : null;
  }
  close(callback) {
    if (typeof callback === 'function') {
      if (this.listening) this.once('close', callback);
      else nextTick(callback, coded(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.'));
    }
    if (this.listening) {
      servers.delete(this[kPort]);
      this[kPort] = null;
      this[kIsClosing] = true;
      closeWhenDone(this);
    }
    return this;
  }
  [Symbol.asyncDispose]() {
    return new Promise((resolve, reject) => { this.close((error) => (error && error.code !== 'ERR_SERVER_NOT_RUNNING' ? reject(error) : resolve())); });
  }
  closeAllConnections() {}
  closeIdleConnections() {}
  getConnections(callback) {
    checkFunction(callback, 'callback');
    nextTick(callback, null, this[kAlive]);
    return this;
  }
  setTimeout(milliseconds, callback) {
    this.timeout = typeof milliseconds === 'number' ? milliseconds : 0;
    if (callback) this.on('timeout', callback);
    return this;
  }
  ref() { return this; }
  unref() { return this; }
}
Server.prototype = ServerMethods.prototype;
ServerMethods.prototype.constructor = Server;
Object.setPrototypeOf(Server, EventEmitter);

function freePort() {
  for (let port = FIRST_PORT; port <= MAX_PORT; port++) if (!servers.has(port)) return port;
  throw coded(Error, 'EADDRINUSE', 'listen EADDRINUSE: all ports are in use');
}
function closeWhenDone(server) {
  if (server[kAlive] > 0 || !server[kIsClosing]) return;
  server[kIsClosing] = false;
  nextTick(() => server.emit('close'));
}

// The Response that a server gives to a Request.
function serve(server, request, env, ctx) {
  const options = server[kOptions], url = new URL(request.url), socket = new Socket(request, url, server[kPort]), fields = realm.headerFields(request.headers);
  if (!request.headers.has('host')) fields.unshift('host', url.host);
  const asked = new options.IncomingMessage(socket);
  fillFromRequest(asked, request, url, fields, options.joinDuplicateHeaders === true);
  asked.cloudflare = { cf: request.cf, env, ctx };
  const answer = new options.ServerResponse(asked, options);
  asked.res = answer;
  answer.assignSocket(socket);
  request.signal?.addEventListener('abort', () => {
    abortMessage(asked);
    if (!answer.writableFinished) answer.destroy();
  });
  server[kAlive]++;
  answer.once('close', () => {
    server[kAlive]--;
    closeWhenDone(server);
  });
  return new Promise((resolve, reject) => {
    answer[kAnswer] = { resolve, reject };
    server.emit('connection', socket);
    if (!server.emit('request', asked, answer)) throw new Error(`The server at port ${server[kPort]} has no listener of requests: give one to createServer(), or on("request", ...)`);
  });
}

export async function handleAsNodeRequest(server, request, env, ctx) {
  const port = portOf(typeof server === 'number' ? server : server?.port), found = servers.get(port);
  if (!found) throw coded(Error, 'ERR_INVALID_ARG_VALUE', `Http server with port ${port} not found. This is likely a bug with your code. You should check if server.listen() was called with the same port (${port})`);
  return serve(found, request, env, ctx);
}
function portOf(port) {
  if (!Number.isFinite(port) || port < 0 || port > MAX_PORT) throw new Error('Failed to determine port for server');
  return port;
}

// server: its port, { port }, or a Server, which listens from now on.
export function httpServerHandler(server) {
  if (server === undefined || server === null) throw new Error('Server descriptor cannot be null or undefined');
  if (typeof server.listen === 'function' && typeof server.port !== 'number' && !server.address()) server.listen();
  const port = portOf(typeof server === 'number' ? server : typeof server.address === 'function' ? server.address()?.port : server.port);
  return { fetch: (request, env, ctx) => handleAsNodeRequest(port, request, env, ctx) };
}

export const createServer = (options, listener) => new Server(options, listener);
