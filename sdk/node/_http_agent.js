// node:_http_agent - the older name of what node:http gives.
const { Agent, globalAgent } = require('node:internal/http_agent');

module.exports = { Agent, globalAgent };
