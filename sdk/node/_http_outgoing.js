// node:_http_outgoing - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('_http_outgoing', 'parseUniqueHeadersOption validateHeaderName validateHeaderValue', 'OutgoingMessage'),
  kHighWaterMark: Symbol('kHighWaterMark'), kUniqueHeaders: Symbol('kUniqueHeaders'),
};
