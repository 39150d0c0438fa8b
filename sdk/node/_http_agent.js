// node:_http_agent - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('_http_agent', '', 'Agent'),
  globalAgent: {},
};
