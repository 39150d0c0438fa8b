// wasm.js - WebAssembly for workers in JavaScript: what is compiled belongs to the request that asked for it.
//
// The engine's own compile() and instantiate() end in its run loop, where nobody knows whose code goes on.  These
// compile at once: code is ready without waiting for other threads, which a template could not have.

const { TypeError, WebAssembly } = globalThis;
const { Module, Instance } = WebAssembly, { construct, apply } = Reflect, { arrayBuffer } = Response.prototype;

const isModule = (value) => value instanceof Module;
const newModule = (bytes) => construct(Module, [bytes]);
const newInstance = (module, imports) => construct(Instance, imports === undefined ? [module] : [module, imports]);

async function bytesOf(source, what) {
  const response = await source;
  if (!internals.isResponse(response)) throw new TypeError(`${what}: expected a Response or a promise of one`);
  const type = (internals.typeOfResponse(response) ?? '').split(';', 1)[0].trim().toLowerCase();
  if (type !== 'application/wasm') throw new TypeError(`${what}: Incorrect response MIME type. Expected 'application/wasm'.`);
  if (!response.ok) throw new TypeError(`${what}: HTTP status code is not ok`);
  return apply(arrayBuffer, response, []);
}

async function compile(bytes) { return newModule(bytes); }
async function instantiate(source, imports = undefined) {
  if (isModule(source)) return newInstance(source, imports);
  const module = newModule(source);
  return { module, instance: newInstance(module, imports) };
}
async function compileStreaming(source) { return newModule(await bytesOf(source, 'WebAssembly.compileStreaming()')); }
async function instantiateStreaming(source, imports = undefined) {
  const module = newModule(await bytesOf(source, 'WebAssembly.instantiateStreaming()'));
  return { module, instance: newInstance(module, imports) };
}

internals.ownWasm = () => {
  for (const value of [compile, instantiate, compileStreaming, instantiateStreaming])
    Object.defineProperty(WebAssembly, value.name, { value, writable: true, configurable: true, enumerable: true });
};
