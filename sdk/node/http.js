// node:http - not there: what is called says so.
const { stubs } = require('node:internal/stubs');
const { METHODS, STATUS_CODES } = require('node:internal/http_constants');

module.exports = {
  ...stubs('http', '_connectionListener createServer get request setMaxIdleHTTPParsers validateHeaderName validateHeaderValue', 'Agent ClientRequest CloseEvent IncomingMessage MessageEvent OutgoingMessage Server ServerResponse WebSocket'),
  METHODS, STATUS_CODES, maxHeaderSize: 16384, WebSocket: globalThis.WebSocket, MessageEvent: globalThis.MessageEvent, CloseEvent: globalThis.CloseEvent, globalAgent: {},
};
