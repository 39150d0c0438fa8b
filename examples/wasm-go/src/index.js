// A worker whose work is done in Go: Go's own glue starts the program, which leaves a function behind.
import '../build/wasm_exec.js';
import module from '../build/handler.wasm';

// Go draws random numbers when it starts, which is refused outside of requests: the first one starts it.
let handler;
async function start() {
  const go = new globalThis.Go(), instance = await WebAssembly.instantiate(module, go.importObject);
  go.run(instance);
  return globalThis.handle;
}

export default {
  async fetch({ method, url }) {
    handler ??= start();
    const { status, body } = JSON.parse((await handler)(JSON.stringify({ method, url })));
    return new Response(body, { status });
  },
};
