// node:assert - CommonJS: require() of it is a function.
module.exports = require('node:internal/assert').default;
