// What `import ... from "cloudflare:node"` gives: servers of Node.js as handlers of a worker.
export { handleAsNodeRequest, httpServerHandler } from "node:internal/http_server";
