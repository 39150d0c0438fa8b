// node:_http_incoming - of node:http.
const { stubs } = require('node:internal/stubs');
const { IncomingMessage } = require('node:internal/http_incoming');

module.exports = { ...stubs('_http_incoming', 'readStart readStop'), IncomingMessage };
