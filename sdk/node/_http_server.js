// node:_http_server - not there: what is called says so.
const { stubs } = require('node:internal/stubs');
const { STATUS_CODES } = require('node:internal/http_constants');

module.exports = {
  ...stubs('_http_server', '_connectionListener httpServerPreClose setupConnectionsTracking storeHTTPOptions', 'Server ServerResponse'),
  STATUS_CODES, kConnectionsCheckingInterval: Symbol('http.server.connectionsCheckingInterval'), kServerResponse: Symbol('ServerResponse'),
};
