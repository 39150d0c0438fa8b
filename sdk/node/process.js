// node:process - CommonJS: all of it is the object itself.
module.exports = require('node:internal/process').process;
