// node:_tls_wrap - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('_tls_wrap', 'connect createServer', 'Server TLSSocket'),
};
