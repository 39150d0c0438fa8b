// node:_tls_common - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('_tls_common', 'createSecureContext translatePeerCertificate', 'SecureContext'),
};
