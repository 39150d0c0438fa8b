// context.js - what AsyncLocalStorage stores: one immutable map, the current one, which goes along with what is waited for.
//
// The engine tells nobody when an async function goes on.  A worker that imports node:async_hooks is therefore linked so
// that its code says where it waits (src/link/awaits.h): wait() sets the map again right before that goes on, by a
// reaction of the same promise, which runs before the engine's own.  Promise.prototype.then, timers and queueMicrotask
// keep the map for their functions.  Behind all of that, when the engine rests, there is none.
//
// Code that the linker could not read waits by itself.  There, reading a promise's `constructor` is the sign.
import { realm } from 'node:internal/realm';

const { Map, Object, Promise, TypeError } = globalThis, { apply } = Reflect, { getPrototypeOf } = Object;
const { then } = Promise.prototype, { resolve, reject } = Promise, promisePrototype = Promise.prototype;
const { asyncIterator, iterator } = Symbol;
let current;            // a Context, or undefined
let isInstalled = false;

// From storages to values.
export class Context extends Map {
  resume = () => { current = this; };
}
const resumeNone = () => { current = undefined; };

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
const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

// ---- where code waits ----

// What a promise is settled with: then() of what is no promise is called later, by the engine.
function give(value) {
  if (!isObject(value) || getPrototypeOf(value) === promisePrototype) return value;
  let f;
  try { f = value.then; } catch { return value; }       // the engine gets the same, and knows what to do
  if (typeof f !== 'function') return value;
  const context = current;
  return { then(fulfil, fail) { return runIn(context, f, value, [fulfil, fail]); } };
}

// What is awaited: as the engine would make a promise of it.
function wait(value) {
  const promise = apply(resolve, Promise, [give(value)]), resume = current === undefined ? resumeNone : current.resume;
  apply(then, promise, [resume, resume]);
  return promise;
}

// What an iterator that knows no promises gives, as the engine makes one of it that does.
function later(call) {
  try {
    const result = call();
    if (!isObject(result)) throw new TypeError('Iterator result is not an object');
    const { done, value } = result;
    return apply(then, apply(resolve, Promise, [value]), [(value) => ({ value, done: !!done })]);
  } catch (e) { return apply(reject, Promise, [e]); }
}
function followed(it, isSync) {
  const { next } = it;
  const step = (f, args) => wait(isSync ? later(() => apply(f, it, args)) : apply(f, it, args));
  const method = (name, missing) => {
    const f = it[name];
    return f === undefined || f === null ? missing : (...args) => step(f, args);
  };
  return {
    next: (...args) => step(next, args),
    get return() { return method('return', isSync ? (value) => wait(apply(resolve, Promise, [{ value, done: true }])) : undefined); },
    get throw() { return method('throw', undefined); },
  };
}
// What `for await` and `yield *` go through.
function each(iterable) {
  let method = iterable?.[asyncIterator];
  const isSync = method === undefined || method === null;
  if (isSync) method = iterable?.[iterator];
  if (typeof method !== 'function') throw new TypeError(`${isObject(iterable) ? 'the object' : String(iterable)} is not async iterable`);
  return { [asyncIterator]() {
    const it = apply(method, iterable, []);
    if (!isObject(it)) throw new TypeError(`Result of the Symbol.${isSync ? 'iterator' : 'asyncIterator'} method is not an object`);
    return followed(it, isSync);
  } };
}

// ---- what takes functions ----

// Of then(): called with one value, and what it gives may be waited for in turn.
function reaction(f) {
  if (typeof f !== 'function') return f;
  const context = current;
  return (value) => {
    const before = current;
    current = context;
    try { return give(f(value)); } finally { current = before; }
  };
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

// Where code waits by itself: what is awaited sets the map right before that goes on.
function patchAwait() {
  let isReading = false;        // then() reads it, too
  Object.defineProperty(promisePrototype, 'constructor', {
    get() {
      if (!isReading && realm.promiseState(this) !== undefined) {
        isReading = true;
        try { wait(this); } finally { isReading = false; }
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
  Object.defineProperty(promisePrototype, 'then', {
    value: { then(fulfilled, rejected) { return apply(then, this, [reaction(fulfilled), reaction(rejected)]); } }.then,
    writable: true, configurable: true, enumerable: false,
  });
  Object.defineProperty(Promise, 'resolve', {
    value: { resolve(value) { return apply(resolve, this, [give(value)]); } }.resolve, writable: true, configurable: true, enumerable: false,
  });
  patchTimers();
  // What a generator is told to return with it waits for.
  const generators = getPrototypeOf(async function* () { /* none */ }.prototype), end = generators.return;
  Object.defineProperty(generators, 'return', {
    value: { return(value) { return apply(end, this, [wait(value)]); } }.return, writable: true, configurable: true, enumerable: false,
  });
  Object.assign(__corral.async, { wait, each, give });
  // Rewritten, this function calls wait().
  if (!`${async () => { await 0; }}`.includes('.wait(')) patchAwait();
  realm.onRest(resumeNone, bound);
}
