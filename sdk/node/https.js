// node:https - agents, and clients over fetch; who serves is told that it is not there.
const { askers } = require('node:internal/http_client');
const { stubs } = require('node:internal/stubs');
const { SecureAgent, secureGlobalAgent } = require('node:internal/http_agent');

module.exports = {
  ...stubs('https', 'createServer', 'Agent Server'),
  ...askers('https:'), Agent: SecureAgent, globalAgent: secureGlobalAgent,
};
