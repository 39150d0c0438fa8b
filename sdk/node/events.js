// node:events - CommonJS: require() of it is the class itself.
module.exports = require('node:internal/events').default;
