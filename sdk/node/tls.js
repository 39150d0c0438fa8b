// node:tls - not there: what is called says so.
const { stubs } = require('node:internal/stubs');
const { ciphers } = require('node:internal/constants');

module.exports = {
  ...stubs('tls', 'checkServerIdentity connect convertALPNProtocols createSecurePair createServer getCACertificates getCiphers setDefaultCACertificates', 'Server TLSSocket'),
  CLIENT_RENEG_LIMIT: 3, CLIENT_RENEG_WINDOW: 600, DEFAULT_CIPHERS: ciphers, DEFAULT_ECDH_CURVE: 'auto', DEFAULT_MAX_VERSION: 'TLSv1.3', DEFAULT_MIN_VERSION: 'TLSv1.2',
  rootCertificates: [], getCiphers: () => ciphers.split(':').map((name) => name.toLowerCase()), ...stubs('tls', 'createSecureContext', 'SecureContext'),
};
