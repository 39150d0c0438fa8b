// http_agent.js - Agent and checks of headers: what programs make while they load, before they ask anybody.
const EventEmitter = require('node:events');
const { coded } = require('node:internal/errors');

class Agent extends EventEmitter {
  constructor(options) {
    super();
    this.options = { __proto__: null, ...options, path: null };
    if (this.options.noDelay === undefined) this.options.noDelay = true;
    this.defaultPort = 80;
    this.protocol = 'http:';
    for (const name of ['requests', 'sockets', 'freeSockets']) this[name] = Object.create(null);
    this.keepAliveMsecs = options?.keepAliveMsecs ?? 1000;
    this.keepAlive = options?.keepAlive ?? false;
    this.maxSockets = options?.maxSockets ?? Infinity;
    this.maxFreeSockets = options?.maxFreeSockets ?? 256;
    this.maxTotalSockets = options?.maxTotalSockets ?? Infinity;
    this.scheduling = options?.scheduling ?? 'lifo';
    this.totalSocketCount = 0;
  }
  getName(options = {}) { return `${options.host || 'localhost'}:${options.port || ''}:${options.localAddress || ''}`; }
  destroy() {}
}
class SecureAgent extends Agent {
  constructor(options) {
    super(options);
    this.defaultPort = 443;
    this.protocol = 'https:';
  }
}
Object.defineProperty(SecureAgent, 'name', { value: 'Agent' });

function validateHeaderName(name, label = 'Header name') {
  if (typeof name !== 'string' || !/^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/.test(name)) throw coded(TypeError, 'ERR_INVALID_HTTP_TOKEN', `${label} must be a valid HTTP token ["${name}"]`);
}
function validateHeaderValue(name, value) {
  if (value === undefined) throw coded(TypeError, 'ERR_HTTP_INVALID_HEADER_VALUE', `Invalid value "${value}" for header "${name}"`);
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw coded(TypeError, 'ERR_INVALID_CHAR', `Invalid character in header content ["${name}"]`);
}
module.exports = { Agent, SecureAgent, globalAgent: new Agent({ keepAlive: true }), secureGlobalAgent: new SecureAgent({ keepAlive: true }), validateHeaderName, validateHeaderValue };
