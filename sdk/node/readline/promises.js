// node:readline/promises - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('readline/promises', 'createInterface', 'Interface Readline'),
};
