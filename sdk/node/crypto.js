// node:crypto - all of its names; those that are not there yet say so when they are called.
const { ciphers, crypto: numbers } = require('node:internal/constants');
const crypto = require('node:internal/crypto').default;
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('crypto', 'checkPrime checkPrimeSync createDiffieHellman createDiffieHellmanGroup generatePrime generatePrimeSync getDiffieHellman setEngine setFips',
    'Certificate DiffieHellman DiffieHellmanGroup'),
  ...crypto,
  Cipher: undefined, Decipher: undefined,       // those without an iv are gone from Node.js
  constants: Object.freeze({ ...numbers, defaultCoreCipherList: ciphers, defaultCipherList: ciphers }),
  getFips: () => 0, secureHeapUsed: () => ({ total: 0, used: 0, utilization: 0, min: 2 }),
};
