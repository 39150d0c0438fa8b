// node:readline - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('readline', 'clearLine clearScreenDown createInterface cursorTo emitKeypressEvents moveCursor', 'Interface'),
  get promises() { return require('node:readline/promises'); },
};
