// node:sys - the older name of node:util.
module.exports = require('node:util').default;
