// node:inspector - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('inspector', 'close open url waitForDebugger', 'Session'),
  console: globalThis.console, url: () => undefined, Network: {}, NetworkResources: {},
};
