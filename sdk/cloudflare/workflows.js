// What `import ... from "cloudflare:workflows"` gives: the realm has it.
export const { NonRetryableError } = __corral.module("cloudflare:workflows");
