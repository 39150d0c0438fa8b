// What `import ... from "cloudflare:email"` gives: the realm has it.
export const { EmailMessage } = __corral.module("cloudflare:email");
