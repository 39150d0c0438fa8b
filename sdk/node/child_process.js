// node:child_process - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('child_process', '_forkChild exec execFile execFileSync execSync fork spawn spawnSync', 'ChildProcess'),
};
