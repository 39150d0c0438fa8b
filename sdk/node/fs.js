// node:fs - not there: what is called says so.
const { stubs } = require('node:internal/stubs');
const constants = require('node:internal/constants').fs;

module.exports = {
  ...stubs('fs', '_toUnixTimestamp access accessSync appendFile appendFileSync chmod chmodSync chown chownSync close closeSync copyFile copyFileSync cp cpSync '
    + 'createReadStream createWriteStream exists existsSync fchmod fchmodSync fchown fchownSync fdatasync fdatasyncSync fstat fstatSync fsync '
    + 'fsyncSync ftruncate ftruncateSync futimes futimesSync glob globSync lchown lchownSync link linkSync lstat lstatSync lutimes lutimesSync '
    + 'mkdir mkdirSync mkdtemp mkdtempSync open openAsBlob openSync opendir opendirSync read readFile readFileSync readSync readdir readdirSync '
    + 'readlink readlinkSync readv readvSync realpath realpathSync rename renameSync rm rmSync rmdir rmdirSync stat statSync statfs statfsSync '
    + 'symlink symlinkSync truncate truncateSync unlink unlinkSync unwatchFile utimes utimesSync watch watchFile write writeFile writeFileSync '
    + 'writeSync writev writevSync', 'Dir Dirent FileReadStream FileWriteStream ReadStream Stats WriteStream'),
  F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, lchmod: undefined, lchmodSync: undefined, constants, existsSync: () => false,
  get promises() { return require('node:fs/promises'); },
};
