// node:dns/promises - not there: what is called says so.
const { stubs } = require('node:internal/stubs');
const codes = require('node:internal/dns_codes');

module.exports = {
  ...stubs('dns/promises', 'getDefaultResultOrder getServers lookup lookupService resolve resolve4 resolve6 resolveAny resolveCaa resolveCname resolveMx resolveNaptr '
    + 'resolveNs resolvePtr resolveSoa resolveSrv resolveTlsa resolveTxt reverse setDefaultResultOrder setServers', 'Resolver'),
  ...codes, getServers: () => [], getDefaultResultOrder: () => 'verbatim',
};
