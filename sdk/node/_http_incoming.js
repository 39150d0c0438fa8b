// node:_http_incoming - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('_http_incoming', 'readStart readStop', 'IncomingMessage'),
};
