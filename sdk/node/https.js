// node:https - agents, clients over fetch, and servers, whose TLS is the node's.
const { askers } = require('node:internal/http_client');
const { Server, createServer } = require('node:internal/http_server');
const { SecureAgent, secureGlobalAgent } = require('node:internal/http_agent');

module.exports = { ...askers('https:'), Agent: SecureAgent, Server, createServer, globalAgent: secureGlobalAgent };
