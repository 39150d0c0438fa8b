// node:stream - CommonJS: require() of it is the class itself.
module.exports = require('node:internal/stream').Stream;
