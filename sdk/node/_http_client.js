// node:_http_client - of node:http.
const { ClientRequest } = require('node:internal/http_client');

module.exports = {
  ClientRequest,
};
