// node:dgram - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('dgram', '_createSocketHandle createSocket', 'Socket'),
};
