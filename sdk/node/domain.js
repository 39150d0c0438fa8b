// node:domain - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('domain', 'create createDomain', 'Domain'),
  _stack: [], active: null,
};
