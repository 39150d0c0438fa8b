// node:net - addresses; sockets are not there.
const { stubs } = require('node:internal/stubs');

const V4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const isIPv4 = (text) => V4.test(`${text}`);
function isIPv6(text) {
  const [address, zone] = `${text}`.split(/%(.*)/s);
  if (zone !== undefined && !/^[0-9a-zA-Z\-.:]+$/.test(zone)) return false;
  const v4 = /^(.*:)([^:]*\.[^:]*)$/.exec(address);
  if (v4 && !isIPv4(v4[2])) return false;
  const rest = v4 ? `${v4[1]}0:0` : address, halves = rest.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  return groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) && (halves.length === 2 ? groups.length < 8 : groups.length === 8);
}
const isIP = (text) => (isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0);
let autoSelect = true, autoSelectTimeout = 250;

module.exports = {
  ...stubs('net', '_createServerHandle _normalizeArgs _setSimultaneousAccepts connect createConnection createServer getDefaultAutoSelectFamily '
    + 'getDefaultAutoSelectFamilyAttemptTimeout isIP isIPv4 isIPv6 setDefaultAutoSelectFamily setDefaultAutoSelectFamilyAttemptTimeout', 'BlockList Server Socket SocketAddress Stream'),
  isIP, isIPv4, isIPv6, getDefaultAutoSelectFamily: () => autoSelect, getDefaultAutoSelectFamilyAttemptTimeout: () => autoSelectTimeout,
  setDefaultAutoSelectFamily(value) { autoSelect = !!value; },
  setDefaultAutoSelectFamilyAttemptTimeout(value) { autoSelectTimeout = Math.max(10, value); },
};
