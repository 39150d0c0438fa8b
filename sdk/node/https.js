// node:https - agents; who asks or serves is told that it is not there.
const { stubs } = require('node:internal/stubs');
const { SecureAgent, secureGlobalAgent } = require('node:internal/http_agent');

module.exports = {
  ...stubs('https', 'createServer get request', 'Agent Server'),
  Agent: SecureAgent, globalAgent: secureGlobalAgent,
};
