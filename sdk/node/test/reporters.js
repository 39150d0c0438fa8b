// node:test/reporters - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('test/reporters', 'dot junit spec tap'),
  lcov: {},
};
