// node:test - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('test', 'after afterEach before beforeEach describe it only run skip suite test todo'),
  get assert() { return require('node:assert'); }, mock: {}, snapshot: {},
};
