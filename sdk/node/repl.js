// node:repl - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('repl', 'isValidSyntax start writer', 'REPLServer Recoverable'),
  REPL_MODE_SLOPPY: Symbol('repl-sloppy'), REPL_MODE_STRICT: Symbol('repl-strict'),
};
