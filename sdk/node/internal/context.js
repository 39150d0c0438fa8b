// context.js - what AsyncLocalStorage stores: one immutable map, the current one, which goes along with what is waited for.
//
// The engine tells nobody when an async function goes on.  A worker that imports node:async_hooks is therefore linked
// with its async functions made into generators and promises, and Promise.prototype.then (below) keeps the map for
// its reactions, as timers and queueMicrotask do.  Where the linker could not (async generators, await at the top
// level), reading a promise's `constructor` is the sign that it is awaited: the map is set again right before.
import { realm } from 'node:internal/realm';

const { apply } = Reflect, { then } = Promise.prototype;
let current;            // a Map from storages to values, or undefined
let isInstalled = false;

export const currentContext = () => current;
export function runIn(context, f, self, args) {
  const before = current;
  current = context;
  try { return apply(f, self, args); } finally { current = before; }
}
export function enter(context) { current = context; }
export function bound(f) {
  if (typeof f !== 'function') return f;
  const context = current;
  return function (...args) { return runIn(context, f, this, args); };
}

function patchTimers() {
  for (const name of ['setTimeout', 'setInterval', 'queueMicrotask']) {
    const original = globalThis[name], made = { [name](callback, ...rest) { return original(bound(callback), ...rest); } }[name];
    for (const key of Object.getOwnPropertySymbols(original)) Object.defineProperty(made, key, Object.getOwnPropertyDescriptor(original, key));
    Object.defineProperty(globalThis, name, {
      value: made, writable: true, configurable: true, enumerable: false,
    });
  }
}

// Where async functions are the engine's own: what is awaited sets the map right before they go on.
function patchAwait() {
  const { Promise } = globalThis;
  let isReading = false;        // then() reads it, too
  Object.defineProperty(Promise.prototype, 'constructor', {
    get() {
      if (!isReading && current !== undefined && realm.promiseState(this) !== undefined) {
        const context = current, set = () => { current = context; };
        isReading = true;
        try { apply(then, this, [set, set]); } finally { isReading = false; }
      }
      return Promise;
    },
    set(value) { Object.defineProperty(this, 'constructor', { value, writable: true, configurable: true, enumerable: false }); },
    configurable: true, enumerable: false,
  });
}

export function install() {
  if (isInstalled) return;
  isInstalled = true;
  Object.defineProperty(Promise.prototype, 'then', {
    value: { then(fulfilled, rejected) {
      return current === undefined ? apply(then, this, [fulfilled, rejected]) : apply(then, this, [bound(fulfilled), bound(rejected)]);
    } }.then, writable: true, configurable: true, enumerable: false,
  });
  patchTimers();
  // Lowered, this function is one like all others.
  if (Object.getPrototypeOf(async () => {}) !== Function.prototype) patchAwait();
  realm.onEvent(() => { current = undefined; });
}
