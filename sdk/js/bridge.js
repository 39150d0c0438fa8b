// bridge.js - JavaScript's half of the bridge to Python.

const CALLABLE = 1, AWAITABLE = 2, ITERABLE = 4, ITERATOR = 8, LENGTH = 16, ARRAY = 32, BUFFER = 64, ASYNC_ITERABLE = 128, ERROR = 256,
  MAP = 512, MUTABLE = 1024, GENERATOR = 2048, ASYNC_ITERATOR = 4096, ASYNC_GENERATOR = 8192, TYPED_ARRAY = 16384, DOUBLE = 32768;

// What a Python proxy of this object can do: the bits choose its Python type.
internals.classify = (object) => {
  let bits = 0;
  const has = (name) => { try { return typeof object[name] === 'function'; } catch { return false; } };
  if (typeof object === 'function') bits |= CALLABLE;
  if (has('then')) bits |= AWAITABLE;
  if (has(Symbol.iterator)) bits |= ITERABLE;
  if (has(Symbol.asyncIterator)) bits |= ASYNC_ITERABLE;
  if (has('next')) {
    const isGenerator = has('return') && has('throw');
    if (bits & ASYNC_ITERABLE) bits |= ASYNC_ITERATOR | (isGenerator ? ASYNC_GENERATOR : 0);
    else bits |= ITERATOR | (isGenerator && bits & ITERABLE ? GENERATOR : 0);
  }
  if (Array.isArray(object)) bits |= ARRAY | LENGTH;
  else if (object instanceof ArrayBuffer) bits |= BUFFER;
  else if (ArrayBuffer.isView(object)) bits |= object instanceof DataView ? BUFFER : BUFFER | LENGTH | TYPED_ARRAY;
  else if (typeof object !== 'function') {
    try { if (typeof object.length === 'number' || typeof object.size === 'number') bits |= LENGTH; } catch { /* a getter that throws */ }
  }
  if (bits & LENGTH && bits & ITERABLE && !(bits & (ARRAY | BUFFER)) && has('get')) bits |= has('set') ? MAP | MUTABLE : MAP;
  if (object instanceof Error) bits |= ERROR;
  if (native.isPython(object)) bits = bits & (CALLABLE | AWAITABLE | ITERABLE) | DOUBLE;
  return bits;
};

internals.isPlain = (object) => ['object', 'array'].includes(internals.kindOf(object));

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
  if (Array.isArray(o)) return o.length > 0;
  if (ArrayBuffer.isView(o) || o instanceof ArrayBuffer) return o.byteLength > 0;
  return o instanceof Map || o instanceof Set ? o.size > 0 : true;
};
internals.contains = (o, key) => {
  if (Array.isArray(o) || ArrayBuffer.isView(o)) return o.includes(key);
  if (typeof o.has === 'function') return o.has(key);
  return key in o;
};
// o[key] for Python: [value], or undefined for KeyError.  A null is a value, also that of a header that is not there.
internals.getItem = (o, key) => {
  if (typeof o.get === 'function') {
    const value = o.get(key);
    if (value === undefined && typeof o.has === 'function' && !o.has(key)) return undefined;
    return [value];
  }
  if (o instanceof Promise) throw new TypeError('a promise of JavaScript has no items: `await` it first');
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
  if (typeof o.delete === 'function') {
    const was = typeof o.has !== 'function' || o.has(key), done = o.delete(key);
    return done === undefined ? was : done;     // Headers and URLSearchParams do not say
  }
  return key in o && delete o[key];
};
// What has a size and get() gives its keys, as Map does in Pyodide; others what they give in JavaScript.
internals.iterator = (o) => {
  if (o instanceof Map || (typeof o.get === 'function' && typeof o.size === 'number' && typeof o.keys === 'function')) return o.keys();
  return o[Symbol.iterator]();
};
// Arrays as lists: a part of one, and a part replaced by other items.
internals.slice = (o, start, step, count) => {
  if (ArrayBuffer.isView(o) && step === 1) return o.slice(start, start + count);
  const part = ArrayBuffer.isView(o) ? new o.constructor(count) : new Array(count);
  for (let i = 0; i < count; i++) part[i] = o[start + i * step];
  return part;
};
internals.assignItems = (o, start, step, items) => { for (let i = 0; i < items.length; i++) o[start + i * step] = items[i]; };
internals.replaceItems = (o, start, removed, items) => {
  const tail = o.splice(start).slice(removed);
  for (const item of items) o.push(item);
  for (const item of tail) o.push(item);
};
internals.insertItem = (o, index, item) => { o.splice(index, 0, item); };
internals.takeItem = (o, index) => o.splice(index, 1)[0];
internals.reverseItems = (o) => { Array.prototype.reverse.call(o); };
internals.concatItems = (o, items) => [...o, ...items];
internals.clearItems = (o) => { o.length = 0; };

// Objects as maps of their own properties (as_object_map, as_py_json).
const { hasOwn } = Object;
internals.viewContains = (o, key) => hasOwn(o, key);
internals.viewGet = (o, key) => (hasOwn(o, key) ? [o[key]] : undefined);
internals.viewSet = (o, key, value) => { o[key] = value; };
internals.viewDelete = (o, key) => hasOwn(o, key) && delete o[key];
internals.viewLength = (o) => Object.keys(o).length;
internals.viewIterator = (o) => Object.keys(o)[Symbol.iterator]();

// Maps as dicts.
internals.clearMap = (o) => {
  if (typeof o.clear === 'function') o.clear();
  else for (const key of [...o.keys()]) o.delete(key);
};

// Generators: [value, done].
const stepOf = ({ value, done }) => [value, !!done];
internals.sendTo = (generator, value) => stepOf(generator.next(value));
internals.throwInto = (generator, error) => stepOf(generator.throw(error));
internals.closeGenerator = (generator) => { generator.return(); };

internals.newError = (name, message, stack) => {
  const maker = typeof globalThis[name] === 'function' && globalThis[name].prototype instanceof Error ? globalThis[name] : Error;
  const error = new maker(message);
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true });
  if (stack) Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
  return error;
};
internals.isInstance = (o, name) => typeof globalThis[name] === 'function' && o instanceof globalThis[name];

internals.asyncIterator = (o) => o[Symbol.asyncIterator]();
internals.objectEntries = Object.entries;
internals.objectKeys = Object.keys;
internals.objectValues = Object.values;
internals.fromPairs = (pairs, asMap) => (asMap ? new Map(pairs) : Object.fromEntries(pairs));
internals.toSet = (items) => new Set(items);
const { BigInt } = globalThis, digitsOf = BigInt.prototype.toString;
internals.toBigInt = (digits, isNegative) => (isNegative ? -BigInt(digits) : BigInt(digits));
internals.bigText = (value) => Reflect.apply(digitsOf, value, [16]);

const ids = new WeakMap();
let lastId = 0;
internals.idOf = (object) => {
  let id = ids.get(object);
  if (!id) ids.set(object, id = ++lastId);
  return id;
};

// Of a DataView: [buffer, byteOffset, byteLength].
const partOf = (name) => Object.getOwnPropertyDescriptor(DataView.prototype, name).get;
const bufferOf = partOf('buffer'), offsetOf = partOf('byteOffset'), lengthOf = partOf('byteLength');
internals.viewParts = (view) => [bufferOf.call(view), offsetOf.call(view), lengthOf.call(view)];
const { TextDecoder } = globalThis, { decode } = TextDecoder.prototype;
internals.decodeStrictly = (bytes, label) => {
  const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
  try {
    return decode.call(decoder, bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
};

internals.ownNames = Object.getOwnPropertyNames;
internals.destroyAll = (proxies) => { for (let i = 0; i < proxies.length; i++) proxies[i].destroy(); };

const END = {};
internals.END = END;
internals.step = (iterator) => {
  const { done, value } = iterator.next();
  return done ? END : value;
};
internals.awaitFor = (promise, waiter) => {
  internals.hears(promise);
  promise.then((value) => native.settle(waiter, value, false), (error) => native.settle(waiter, error, true));
};
