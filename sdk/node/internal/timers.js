// timers.js - timers as Node.js has them: immediates, and promises.
import { AbortError, checkFunction, checkObject, checkSignal, argType } from 'node:internal/errors';
import { bound } from 'node:internal/context';
import { kPromisify } from 'node:internal/util';

const { setTimeout: startTimeout, clearTimeout, setInterval: startInterval, clearInterval } = globalThis;

export class Immediate {
  constructor(callback, args) {
    const run = bound(callback);
    this._id = startTimeout(() => {
      this._id = undefined;
      Reflect.apply(run, undefined, args);
    }, 0);
  }
  ref() { return this; }
  unref() { return this; }
  hasRef() { return this._id !== undefined; }
  [Symbol.dispose]() { clearImmediate(this); }
}
export function setImmediate(callback, ...args) {
  checkFunction(callback, 'callback');
  return new Immediate(callback, args);
}
export function clearImmediate(immediate) {
  if (immediate?._id !== undefined) {
    clearTimeout(immediate._id);
    immediate._id = undefined;
  }
}

// node:timers gives objects: what clearTimeout takes as a number, too.
export class Timeout {
  #start; #clear;
  constructor(start, clear) {
    this.#start = start;
    this.#clear = clear;
    this._id = start();
  }
  ref() { return this; }
  unref() { return this; }
  hasRef() { return true; }
  refresh() {
    this.#clear(this._id);
    this._id = this.#start();
    return this;
  }
  close() {
    this.#clear(this._id);
    return this;
  }
  [Symbol.toPrimitive]() { return this._id; }
  [Symbol.dispose]() { this.close(); }
}
export function setTimeout(callback, delay, ...args) {
  checkFunction(callback, 'callback');
  const run = bound(callback);
  return new Timeout(() => startTimeout(run, delay, ...args), clearTimeout);
}
export function setInterval(callback, delay, ...args) {
  checkFunction(callback, 'callback');
  const run = bound(callback);
  return new Timeout(() => startInterval(run, delay, ...args), clearInterval);
}
export const stopTimeout = (timer) => clearTimeout(timer?._id ?? timer), stopInterval = (timer) => clearInterval(timer?._id ?? timer);

function waiting(start, stop, value, options = {}) {
  try {
    checkObject(options, 'options');
    checkSignal(options.signal, 'options.signal');
    if (options.ref !== undefined && typeof options.ref !== 'boolean') throw argType('options.ref', 'boolean', options.ref);
  } catch (error) { return Promise.reject(error); }
  const { signal } = options;
  if (signal?.aborted) return Promise.reject(new AbortError(undefined, { cause: signal.reason }));
  return new Promise((resolve, reject) => {
    const aborted = () => {
      stop(timer);
      reject(new AbortError(undefined, { cause: signal.reason }));
    };
    const timer = start(() => {
      signal?.removeEventListener('abort', aborted);
      resolve(value);
    });
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
export const promises = {
  setTimeout: (delay, value, options) => waiting((f) => startTimeout(f, delay), clearTimeout, value, options),
  setImmediate: (value, options) => waiting((f) => setImmediate(f), clearImmediate, value, options),
  setInterval(delay, value, options = {}) {
    checkObject(options, 'options');
    checkSignal(options.signal, 'options.signal');
    const { signal } = options;
    let ticks = 0, wake = null, isOver = false, failure = null;
    const settle = () => {
      const f = wake;
      wake = null;
      f?.();
    };
    const aborted = () => {
      failure = new AbortError(undefined, { cause: signal.reason });
      clearInterval(timer);
      settle();
    };
    const timer = startInterval(() => {
      ticks++;
      settle();
    }, delay);
    if (signal?.aborted) aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    const close = () => {
      isOver = true;
      clearInterval(timer);
      signal?.removeEventListener('abort', aborted);
      return Promise.resolve({ value: undefined, done: true });
    };
    return {
      async next() {
        if (isOver) return { value: undefined, done: true };
        if (ticks === 0 && !failure) await new Promise((resolve) => { wake = resolve; });
        if (failure) {
          isOver = true;
          throw failure;
        }
        ticks--;
        return { value, done: false };
      },
      return: close, [Symbol.asyncIterator]() { return this; },
    };
  },
  scheduler: { wait: (delay, options) => promises.setTimeout(delay, undefined, options), yield: () => promises.setImmediate() },
};
for (const f of [setTimeout, globalThis.setTimeout]) Object.defineProperty(f, kPromisify, { get: () => promises.setTimeout, enumerable: false, configurable: true });
Object.defineProperty(setImmediate, kPromisify, { get: () => promises.setImmediate, enumerable: false, configurable: true });
