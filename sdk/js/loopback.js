// loopback.js - ctx.exports, and `exports` of cloudflare:workers: what a worker exports, called by itself as another would.
//
// Within the request that calls: its waitUntil, its logs, its limits.  Arguments and results are copies; a Request, a
// Response, Headers or a stream go over as they are, alone and not inside of something.

const { Error, Headers, Proxy, Request, TypeError } = globalThis, { create } = Object;
const exported = { __proto__: null };
internals.exported = exported;

class ServiceStub {
  constructor() { throw new TypeError('Illegal constructor'); }
}
internals.tag(ServiceStub);
internals.ServiceStub = ServiceStub;

const isPassed = (value) => internals.isResponse(value) || internals.isRequest(value) || value instanceof Headers || internals.isStream(value);
const copy = (value) => (isPassed(value) ? value : internals.structuredClone(value));
function thrown(error) {
  try { return copy(error); } catch { return new Error(error instanceof Error ? `${error.message}` : 'an exception that cannot be copied'); }
}

function current() {
  const id = native.currentRequest();
  if (!id) throw new Error(internals.GLOBAL_SCOPE);
  return id;
}

// how(name, id, props, ...) of entry.js; what it is given is copied before anything else happens.
async function ask(how, name, props, what) {
  const id = current(), own = copy(props);
  let result;
  try { result = await how(name, id, own, ...what); } catch (e) { throw thrown(e); }
  return copy(result);
}

// A method to be called, or a property to be awaited: which of them, the code says by what it does.
function memberOf(name, props, key) {
  const member = async (...args) => ask(internals.callExport, name, props, [key, args.map(copy)]);
  member.then = (resolve, reject) => { ask(internals.getExport, name, props, [key]).then(resolve, reject); };
  return member;
}

function stubOf(name, props, isCallable) {
  const stub = async (input, init) => ask(internals.fetchExport, name, props, [new Request(input, init)]);
  const withProps = (options = undefined) => stubOf(name, copy(options?.props ?? {}), false);
  return new Proxy(isCallable ? withProps : create(ServiceStub.prototype), {
    __proto__: null,
    get: (_, key) => (key === 'fetch' ? stub : key === 'constructor' ? ServiceStub : typeof key === 'symbol' || key === 'then' ? undefined : memberOf(name, props, key)),
    getPrototypeOf: () => ServiceStub.prototype,
    set: () => false, defineProperty: () => false, deleteProperty: () => false,
  });
}

internals.exportAs = (name) => { exported[name] = stubOf(name, {}, true); };
