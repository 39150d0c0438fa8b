// modules.js - the runtime's own modules, as import_from_javascript gives them: cloudflare:workers, cloudflare:sockets.

const { Error, Proxy, TypeError } = globalThis;

// `env` as it is imported: a view of the worker's own, or of what withEnv and patch_env put in its place.  What that is
// for the code that runs, Python's context variables know: they are asked only while there is any.
let own = {}, patches = 0, patchOf;
const current = () => (patches > 0 ? patchOf() ?? own : own);
const importedEnv = new Proxy({}, {
  get: (_, key) => Reflect.get(current(), key),
  set: (_, key, value) => Reflect.set(current(), key, value),
  has: (_, key) => Reflect.has(current(), key),
  deleteProperty: (_, key) => Reflect.deleteProperty(current(), key),
  defineProperty: (_, key, descriptor) => Reflect.defineProperty(current(), key, descriptor),
  ownKeys: () => Reflect.ownKeys(current()),
  getOwnPropertyDescriptor(_, key) {
    const descriptor = Reflect.getOwnPropertyDescriptor(current(), key);
    return descriptor && { ...descriptor, configurable: true };
  },
});

// What a binding's type makes of its name.
const makers = { __proto__: null };
internals.onBinding = (type, make) => { makers[type] = make; };

// values: a JSON object of plain values; bindings: of { type }.
internals.makeEnv = (values, bindings) => {
  own = JSON.parse(values);
  for (const [name, { type }] of Object.entries(JSON.parse(bindings)))
    internals.setOwn(own, name, makers[type](name));
  return own;
};
// For the time of a call, without what it awaits: a worker in JavaScript.
internals.withEnv = (env, call) => {
  const before = own;
  own = env;
  try { return call(); } finally { own = before; }
};
internals.importedEnv = () => importedEnv;
internals.onPatch = (function_) => { patchOf = function_; };
internals.countPatches = (more) => { patches += more; };

// waitUntil() without a ctx: of the request whose code runs.
internals.waitUntil = (promise) => {
  const id = native.currentRequest();
  if (!id) throw new Error('waitUntil() belongs to a request: call it in a handler, not in top-level code');
  internals.makeContext(id).waitUntil(promise);
};

class Entrypoint {
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
  }
}
class WorkerEntrypoint extends Entrypoint {}
class DurableObject extends Entrypoint {}
class WorkflowEntrypoint extends Entrypoint {}
class RpcTarget {}

const moduleOf = (exports) => Object.freeze(Object.assign(Object.create(null, { [Symbol.toStringTag]: { value: 'Module' } }), exports));
const connect = () => {
  throw new TypeError('connect(): TCP sockets are not in Corral yet: docs/compatibility.md says what is; fetch() asks other servers');
};
let workers;
const sockets = moduleOf({ connect });

// The module, or undefined when there is none.  withEnv is Python's: it sets a context variable.
internals.runtimeModule = (name, withEnv) => {
  if (name === 'cloudflare:sockets') return sockets;
  if (name === 'corral:node') return internals.nodeModule;
  if (name !== 'cloudflare:workers') return undefined;
  return workers ??= moduleOf({
    DurableObject, RpcTarget, WorkerEntrypoint, WorkflowEntrypoint, env: importedEnv, waitUntil: internals.waitUntil, withEnv,
    ...(internals.isScript() && { ServiceStub: internals.ServiceStub, exports: internals.exported }),
  });
};
