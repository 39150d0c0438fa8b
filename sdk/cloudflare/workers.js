// What `import ... from "cloudflare:workers"` gives: the realm has it.
const own = __corral.module("cloudflare:workers");
export const { DurableObject, WorkerEntrypoint, WorkflowEntrypoint, RpcPromise, RpcProperty, RpcStub, RpcTarget, ServiceStub,
               env, exports, waitUntil, withEnv, abortIsolate } = own;
