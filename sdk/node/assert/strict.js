// node:assert/strict
module.exports = require('node:internal/assert').default.strict;
