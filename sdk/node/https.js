// node:https - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('https', 'createServer get request', 'Agent Server'),
  globalAgent: {},
};
