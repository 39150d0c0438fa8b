// What `import ... from "cloudflare:sockets"` gives: the realm has it.
export const { connect } = __corral.module("cloudflare:sockets");
