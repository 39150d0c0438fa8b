// util.js - what other modules need of node:util.
import { argType, checkBoolean, checkFunction, checkObject, checkSignal, coded, AbortError } from 'node:internal/errors';

export const kPromisify = Symbol.for('nodejs.util.promisify.custom');
export const kPromisifyNames = Symbol('names');

export function promisify(original) {
  checkFunction(original, 'original');
  if (original[kPromisify]) {
    const own = original[kPromisify];
    checkFunction(own, 'util.promisify.custom');
    return Object.defineProperty(own, kPromisify, { value: own, enumerable: false, writable: false, configurable: true });
  }
  const names = original[kPromisifyNames];
  function fn(...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (error, ...values) => {
        if (error) reject(error);
        else if (names !== undefined && values.length > 1) resolve(Object.fromEntries(names.map((name, i) => [name, values[i]])));
        else resolve(values[0]);
      }]);
    });
  }
  Object.setPrototypeOf(fn, Object.getPrototypeOf(original));
  Object.defineProperty(fn, kPromisify, { value: fn, enumerable: false, writable: false, configurable: true });
  const own = Object.getOwnPropertyDescriptors(original);
  delete own.arguments;
  delete own.caller;
  return Object.defineProperties(fn, own);
}
promisify.custom = kPromisify;

export function callbackify(original) {
  checkFunction(original, 'original');
  function callbackified(...args) {
    const callback = args.pop();
    checkFunction(callback, 'last argument');
    const done = callback.bind(this);
    Reflect.apply(original, this, args).then((value) => queueMicrotask(() => done(null, value)), (reason) => queueMicrotask(() => {
      if (!reason) reason = coded(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value', { reason });
      done(reason);
    }));
  }
  const own = Object.getOwnPropertyDescriptors(original);
  if (typeof own.length.value === 'number') own.length.value++;
  if (typeof own.name.value === 'string') own.name.value += 'Callbackified';
  delete own.arguments;
  delete own.caller;
  delete own.prototype;
  return Object.defineProperties(callbackified, own);
}

export function inherits(constructor, parent) {
  if (constructor === undefined || constructor === null) throw argType('ctor', 'Function', constructor);
  if (parent === undefined || parent === null) throw argType('superCtor', 'Function', parent);
  if (parent.prototype === undefined) throw argType('superCtor.prototype', 'Object', parent.prototype);
  Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

const warned = new Set();
export const warning = { emit: undefined };     // process.emitWarning, once there is one
export function deprecate(fn, message, code) {
  let isWarned = false;
  function deprecated(...args) {
    if (!isWarned) {
      isWarned = true;
      if (code === undefined || !warned.has(code)) {
        if (code !== undefined) warned.add(code);
        if (warning.emit) warning.emit(message, 'DeprecationWarning', code, deprecated);
        else console.warn(`${code ? `[${code}] ` : ''}DeprecationWarning: ${message}`);
      }
    }
    return new.target ? Reflect.construct(fn, args, new.target) : Reflect.apply(fn, this, args);
  }
  Object.setPrototypeOf(deprecated, fn);
  if (fn.prototype) deprecated.prototype = fn.prototype;
  return deprecated;
}

export function once(callback) {
  let isCalled = false;
  return function (...args) {
    if (isCalled) return undefined;
    isCalled = true;
    return Reflect.apply(callback, this, args);
  };
}
export { checkBoolean, checkObject, checkSignal, AbortError };
