// node:wasi - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('wasi', '', 'WASI'),
};
