// node:http - agents, and clients over fetch; who serves is told that it is not there.
const { ClientRequest, IncomingMessage, askers } = require('node:internal/http_client');
const { stubs } = require('node:internal/stubs');
const { Agent, globalAgent, validateHeaderName, validateHeaderValue } = require('node:internal/http_agent');
const { METHODS, STATUS_CODES } = require('node:internal/http_constants');

module.exports = {
  ...stubs('http', '_connectionListener createServer setMaxIdleHTTPParsers validateHeaderName validateHeaderValue', 'Agent CloseEvent MessageEvent OutgoingMessage Server ServerResponse WebSocket'),
  ...askers('http:'), ClientRequest, IncomingMessage, METHODS, STATUS_CODES, maxHeaderSize: 16384, WebSocket: globalThis.WebSocket, MessageEvent: globalThis.MessageEvent, CloseEvent: globalThis.CloseEvent, Agent, globalAgent, validateHeaderName, validateHeaderValue, setMaxIdleHTTPParsers() {},
};
