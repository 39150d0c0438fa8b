// node:constants - the numbers of os, fs and crypto in one.
const { ciphers, crypto, dlopen, errno, fs, priority } = require('node:internal/constants');
const { signals } = require('node:internal/system');

module.exports = Object.freeze({ ...dlopen, ...errno, ...priority, ...signals, ...fs, ...crypto, defaultCoreCipherList: ciphers, defaultCipherList: ciphers });
