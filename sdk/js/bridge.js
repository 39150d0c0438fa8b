// bridge.js - JavaScript's half of the bridge to Python.

const CALLABLE = 1, AWAITABLE = 2, ITERABLE = 4, ITERATOR = 8, LENGTH = 16, ARRAY = 32, BUFFER = 64, ASYNC_ITERABLE = 128, ERROR = 256;

// What a Python proxy of this object can do: the bits choose its Python type.
internals.classify = (object) => {
  let bits = 0;
  const has = (name) => { try { return typeof object[name] === 'function'; } catch { return false; } };
  if (typeof object === 'function') bits |= CALLABLE;
  if (has('then')) bits |= AWAITABLE;
  if (has(Symbol.iterator)) bits |= ITERABLE;
  if (has(Symbol.asyncIterator)) bits |= ASYNC_ITERABLE;
  if (has('next')) bits |= ITERATOR;
  if (Array.isArray(object)) bits |= ARRAY | LENGTH;
  else if (object instanceof ArrayBuffer || ArrayBuffer.isView(object)) bits |= BUFFER | LENGTH;
  else if (typeof object !== 'function') {
    try { if (typeof object.length === 'number' || typeof object.size === 'number') bits |= LENGTH; } catch { /* a getter that throws */ }
  }
  if (object instanceof Error) bits |= ERROR;
  return bits;
};

// How to_py should take it.
internals.kindOf = (object) => {
  if (Array.isArray(object)) return 'array';
  if (object instanceof Map) return 'map';
  if (object instanceof Set) return 'set';
  if (object instanceof ArrayBuffer || ArrayBuffer.isView(object)) return 'buffer';
  if (typeof object === 'object') {
    const proto = Object.getPrototypeOf(object);
    if (proto === null || proto === Object.prototype) return 'object';
  }
  return 'other';
};

internals.typeOf = (value) => typeof value;
internals.toText = (value) => {
  if (typeof value === 'symbol') return value.toString();
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null) return internals.inspect(value);
  return String(value);
};
internals.dir = (object) => {
  const names = new Set();
  for (let o = object; o !== null && o !== Object.prototype && o !== Function.prototype; o = Object.getPrototypeOf(o))
    for (const name of Object.getOwnPropertyNames(o)) names.add(name);
  return [...names];
};
internals.length = (o) => (typeof o.size === 'number' && !Array.isArray(o) && !ArrayBuffer.isView(o) ? o.size : o.length ?? o.byteLength);
internals.truth = (o) => {
  if (typeof o === 'function') return true;
  if (Array.isArray(o) || ArrayBuffer.isView(o)) return o.length > 0;
  return o instanceof Map || o instanceof Set ? o.size > 0 : true;
};
internals.contains = (o, key) => {
  if (Array.isArray(o) || ArrayBuffer.isView(o)) return o.includes(key);
  if (typeof o.has === 'function') return o.has(key);
  return key in o;
};
// o[key] for Python: [value], or undefined for KeyError.
internals.getItem = (o, key) => {
  if (typeof o.get === 'function') {
    const value = o.get(key);
    if (value === undefined && typeof o.has === 'function' && !o.has(key)) return undefined;
    return [value];
  }
  return key in o ? [o[key]] : undefined;
};
internals.setItem = (o, key, value) => {
  if (typeof o.set === 'function' && !ArrayBuffer.isView(o)) o.set(key, value);
  else o[key] = value;
};
internals.deleteItem = (o, key) => {
  if (Array.isArray(o)) {
    o.splice(key, 1);
    return true;
  }
  if (typeof o.delete === 'function') return o.delete(key);
  return key in o && delete o[key];
};
// Iterate a map-like by pairs, as Pyodide does with what has no size.
internals.iterator = (o) => {
  if (o instanceof Map || (typeof o.get === 'function' && typeof o.size === 'number' && typeof o.keys === 'function')) return o.keys();
  return o[Symbol.iterator]();
};
internals.asyncIterator = (o) => o[Symbol.asyncIterator]();
internals.objectEntries = Object.entries;
internals.objectKeys = Object.keys;
internals.objectValues = Object.values;
internals.fromPairs = (pairs, asMap) => (asMap ? new Map(pairs) : Object.fromEntries(pairs));
internals.toSet = (items) => new Set(items);
internals.toBigInt = (digits) => BigInt(digits);
internals.bigText = (value) => value.toString(16);

const ids = new WeakMap();
let lastId = 0;
internals.idOf = (object) => {
  let id = ids.get(object);
  if (!id) ids.set(object, id = ++lastId);
  return id;
};

// The prototypes of PyProxy objects, by bits: 1 callable, 2 iterable, 4 awaitable.
const everyProxy = {
  toString() { return native.pythonText(this); },
  destroy() {},         // collected when nobody holds it
};
const iterableProxy = {
  [Symbol.iterator]() {
    const iterator = native.pythonIterator(this);
    return {
      next() {
        const step = native.pythonNext(iterator);
        return step ? { value: step[0], done: false } : { value: undefined, done: true };
      },
      [Symbol.iterator]() { return this; },
    };
  },
};
const awaitableProxy = {
  then(onValue, onError) {
    return new Promise((resolve, reject) => native.pythonThen(this, resolve, reject)).then(onValue, onError);
  },
  catch(onError) { return this.then(undefined, onError); },
  finally(onEnd) { return Promise.resolve(this).finally(onEnd); },
};
internals.proxyPrototypes = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => {
  const proto = Object.create(bits & 1 ? Function.prototype : Object.prototype);
  const parts = [everyProxy];
  if (bits & 2) parts.push(iterableProxy);
  if (bits & 4) parts.push(awaitableProxy);
  for (const part of parts)
    for (const key of Reflect.ownKeys(part))
      Object.defineProperty(proto, key, { value: part[key], writable: true, configurable: true });
  Object.defineProperty(proto, Symbol.toStringTag, { value: 'PyProxy', configurable: true });
  return proto;
});

const END = {};
internals.END = END;
internals.step = (iterator) => {
  const { done, value } = iterator.next();
  return done ? END : value;
};
internals.awaitFor = (promise, waiter) => {
  promise.then((value) => native.settle(waiter, value, false), (error) => native.settle(waiter, error, true));
};
