// node:http - names and agents; who asks or serves is told that it is not there.
const { stubs } = require('node:internal/stubs');
const { Agent, globalAgent, validateHeaderName, validateHeaderValue } = require('node:internal/http_agent');
const { METHODS, STATUS_CODES } = require('node:internal/http_constants');

module.exports = {
  ...stubs('http', '_connectionListener createServer get request setMaxIdleHTTPParsers validateHeaderName validateHeaderValue', 'Agent ClientRequest CloseEvent IncomingMessage MessageEvent OutgoingMessage Server ServerResponse WebSocket'),
  METHODS, STATUS_CODES, maxHeaderSize: 16384, WebSocket: globalThis.WebSocket, MessageEvent: globalThis.MessageEvent, CloseEvent: globalThis.CloseEvent, Agent, globalAgent, validateHeaderName, validateHeaderValue, setMaxIdleHTTPParsers() {},
};
