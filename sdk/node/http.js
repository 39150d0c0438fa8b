// node:http - agents, clients over fetch, and servers that a worker's requests are given to (cloudflare:node).
const { ClientRequest, askers } = require('node:internal/http_client');
const { IncomingMessage } = require('node:internal/http_incoming');
const { OutgoingMessage } = require('node:internal/http_outgoing');
const { Server, ServerResponse, createServer } = require('node:internal/http_server');
const { stubs } = require('node:internal/stubs');
const { Agent, globalAgent, validateHeaderName, validateHeaderValue } = require('node:internal/http_agent');
const { METHODS, STATUS_CODES } = require('node:internal/http_constants');

module.exports = {
  ...stubs('http', '_connectionListener', 'CloseEvent MessageEvent WebSocket'), ...askers('http:'), ClientRequest, IncomingMessage, OutgoingMessage, Server, ServerResponse, createServer,
  METHODS, STATUS_CODES, maxHeaderSize: 16384, WebSocket: globalThis.WebSocket, MessageEvent: globalThis.MessageEvent, CloseEvent: globalThis.CloseEvent,
  Agent, globalAgent, validateHeaderName, validateHeaderValue, setMaxIdleHTTPParsers() {},
};
