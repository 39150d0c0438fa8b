// node:dns - not there: what is called says so.
const { stubs } = require('node:internal/stubs');
const codes = require('node:internal/dns_codes');

module.exports = {
  ...stubs('dns', 'getDefaultResultOrder getServers lookup lookupService resolve resolve4 resolve6 resolveAny resolveCaa resolveCname resolveMx resolveNaptr '
    + 'resolveNs resolvePtr resolveSoa resolveSrv resolveTlsa resolveTxt reverse setDefaultResultOrder setServers', 'Resolver'),
  ...codes, ADDRCONFIG: 32, ALL: 16, V4MAPPED: 8, getServers: () => [], getDefaultResultOrder: () => 'verbatim',
  get promises() { return require('node:dns/promises'); },
};
