// node:_http_outgoing - of node:http.
const { stubs } = require('node:internal/stubs');
const { validateHeaderName, validateHeaderValue } = require('node:internal/http_agent');
const { OutgoingMessage } = require('node:internal/http_outgoing');

module.exports = {
  ...stubs('_http_outgoing', 'parseUniqueHeadersOption'), OutgoingMessage, validateHeaderName, validateHeaderValue,
  kHighWaterMark: Symbol('kHighWaterMark'), kUniqueHeaders: Symbol('kUniqueHeaders'),
};
