// node:_http_client - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('_http_client', '', 'ClientRequest'),
};
