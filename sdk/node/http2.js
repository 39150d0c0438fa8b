// node:http2 - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('http2', 'connect createSecureServer createServer getDefaultSettings getPackedSettings getUnpackedSettings performServerHandshake', 'Http2ServerRequest Http2ServerResponse'),
  constants: require('node:internal/http2_constants'), sensitiveHeaders: Symbol('sensitiveHeaders'),
};
