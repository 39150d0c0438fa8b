// node:tty - there is no terminal.
const { stubs } = require('node:internal/stubs');

module.exports = { ...stubs('tty', '', 'ReadStream WriteStream'), isatty: () => false };
