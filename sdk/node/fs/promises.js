// node:fs/promises - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('fs/promises', 'access appendFile chmod chown copyFile cp glob lchmod lchown link lstat lutimes mkdir mkdtemp open opendir readFile readdir readlink '
    + 'realpath rename rm rmdir stat statfs symlink truncate unlink utimes watch writeFile'),
  constants: require('node:internal/constants').fs,
};
