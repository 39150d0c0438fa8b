// node:os - a machine that says nothing of itself, as Cloudflare's does.
const { dlopen, errno, priority } = require('node:internal/constants');
const { signals } = require('node:internal/system');
const { stubs } = require('node:internal/stubs');

const constant = (name, value) => Object.defineProperty({ [name]: () => value }[name], Symbol.toPrimitive, { value: () => value });
const own = { __proto__: null };
const constants = Object.assign(Object.create(null), { UV_UDP_REUSEADDR: 4, dlopen: { ...own, ...dlopen }, errno: { ...own, ...errno }, signals: { ...own, ...signals }, priority: { ...own, ...priority } });
const texts = { arch: '', machine: '', hostname: '', homedir: '/', tmpdir: '/tmp', platform: 'linux', type: 'Linux', release: '', version: '', endianness: 'LE', availableParallelism: 1, freemem: 0, totalmem: 0, uptime: 0 };

module.exports = {
  ...stubs('os', 'setPriority'), ...Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, constant(name, value)])),
  EOL: '\n', devNull: '/dev/null', constants, cpus: () => [], loadavg: () => [0, 0, 0], networkInterfaces: () => ({}), getPriority: () => 0,
  userInfo: (options) => {
    const text = (value) => (options?.encoding === 'buffer' ? globalThis.Buffer.from(value) : value);
    return { uid: 1000, gid: 1000, username: text('root'), homedir: text('/'), shell: text('/bin/sh') };
  },
};
