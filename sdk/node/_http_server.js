// node:_http_server - of node:http.
const { stubs } = require('node:internal/stubs');
const { STATUS_CODES } = require('node:internal/http_constants');
const { Server, ServerResponse } = require('node:internal/http_server');

module.exports = {
  ...stubs('_http_server', '_connectionListener httpServerPreClose setupConnectionsTracking storeHTTPOptions'), Server, ServerResponse,
  STATUS_CODES, kConnectionsCheckingInterval: Symbol('http.server.connectionsCheckingInterval'), kServerResponse: Symbol('ServerResponse'),
};
