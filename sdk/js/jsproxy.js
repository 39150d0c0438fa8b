// jsproxy.js - JavaScript's half of JsProxy: what Python code asks of the objects of JavaScript.
//
// What a proxy can do is decided once, when it is made, by what the object has then: these are Pyodide's rules.

const { getPrototypeOf, getOwnPropertyDescriptor, getOwnPropertyNames, hasOwn } = Object;
const { isArray, prototype: arrays } = Array, { isView } = ArrayBuffer, { apply } = Reflect, tagOf = Object.prototype.toString;
const objectPrototype = Object.prototype;

const CALLABLE = 1, AWAITABLE = 2, ITERABLE = 4, ITERATOR = 8, LENGTH = 16, ARRAY = 32, BUFFER = 64, ASYNC_ITERABLE = 128, ERROR = 256,
  GET = 512, SET = 1024, GENERATOR = 2048, ASYNC_ITERATOR = 4096, ASYNC_GENERATOR = 8192, TYPED_ARRAY = 16384,
  HAS = 1 << 21, INCLUDES = 1 << 22, ARRAY_LIKE = 1 << 23, DISPOSABLE = 1 << 26, ASYNC_DISPOSABLE = 1 << 27, STABLE = 1 << 30;
const { dispose, asyncDispose } = Symbol;

function hasMethod(object, name) {
  try { return typeof object[name] === 'function'; } catch { return false; }
}

// By looking, not by asking: a proxy of JavaScript may say that it has everything.
function hasProperty(object, name) {
  try {
    if (!(name in object)) return false;
    if (hasOwn(object, name)) return true;
    for (let o = getPrototypeOf(object); o !== null; o = getPrototypeOf(o)) if (getOwnPropertyDescriptor(o, name)) return true;
  } catch { /* a revoked proxy */ }
  return false;
}

function safely(ask) {
  try { return ask(); } catch { return undefined; }
}

// Prototypes of the language and the platform, all of whose objects are alike.
let stable;
function isStable(object) {
  if (stable === undefined) {
    const arrayIterator = getPrototypeOf([][Symbol.iterator]());
    stable = new WeakSet([objectPrototype, arrayIterator, getPrototypeOf(arrayIterator), getPrototypeOf(new Map().keys()),
      getPrototypeOf(new Set().keys()), getPrototypeOf(Uint8Array.prototype)]);
    for (const name of getOwnPropertyNames(globalThis)) {
      const prototype = safely(() => globalThis[name].prototype);
      if (typeof prototype === 'object' && prototype !== null) stable.add(prototype);
    }
  }
  for (let o = getPrototypeOf(object); o !== null; o = getPrototypeOf(o)) if (!stable.has(o) && !internals.isPlatformPrototype(o)) return false;
  return true;
}

// Nearly always nothing throws.
function methodBits(object) {
  let bits = 0;
  if (typeof object.then === 'function') bits |= AWAITABLE;
  if (typeof object.get === 'function') bits |= GET;
  if (typeof object.set === 'function') bits |= SET;
  if (typeof object.has === 'function') bits |= HAS;
  if (typeof object.includes === 'function') bits |= INCLUDES;
  if (typeof object[Symbol.iterator] === 'function') bits |= ITERABLE;
  if (typeof object[Symbol.asyncIterator] === 'function') bits |= ASYNC_ITERABLE;
  if (typeof object.next === 'function') bits |= ITERATOR;
  if (typeof object[dispose] === 'function') bits |= DISPOSABLE;
  if (typeof object[asyncDispose] === 'function') bits |= ASYNC_DISPOSABLE;
  return bits;
}
const METHODS = [['then', AWAITABLE], ['get', GET], ['set', SET], ['has', HAS], ['includes', INCLUDES], ['next', ITERATOR],
  [Symbol.iterator, ITERABLE], [Symbol.asyncIterator, ASYNC_ITERABLE],
  [dispose, DISPOSABLE], [asyncDispose, ASYNC_DISPOSABLE]];
const slowMethodBits = (object) => METHODS.reduce((bits, [name, bit]) => (hasMethod(object, name) ? bits | bit : bits), 0);
const mayHave = (object) => 'length' in object || 'size' in object || 'message' in object;

function bitsOf(object) {
  const isFunction = typeof object === 'function';
  let bits, tag, isAnArray = false, isEmpty = false;
  try {
    bits = methodBits(object);
    tag = object[Symbol.toStringTag];
    isAnArray = isArray(object);
    isEmpty = !mayHave(object);
  } catch {
    bits = slowMethodBits(object);
  }
  if (bits & ITERATOR) {      // it could be either
    if (bits & ASYNC_ITERABLE || !(bits & ITERABLE)) bits |= ASYNC_ITERATOR;
    if (bits & ASYNC_ITERABLE && !(bits & ITERABLE)) bits &= ~ITERATOR;
  }
  if (isFunction) bits |= CALLABLE;
  if (isAnArray) bits |= ARRAY;
  else if (isView(object)) bits |= tag === undefined || tag === 'DataView' ? BUFFER : BUFFER | TYPED_ARRAY;
  else if (tag === 'Generator') bits |= GENERATOR;
  else if (tag === 'AsyncGenerator') bits |= ASYNC_GENERATOR;
  else if (tag === 'ArrayBuffer' && object instanceof ArrayBuffer) bits |= BUFFER;
  if (isEmpty) return bits;
  const hasLength = isAnArray || (!isFunction && hasProperty(object, 'length'));
  if (hasLength || hasProperty(object, 'size')) bits |= LENGTH;
  if (hasLength && bits & ITERABLE && !(bits & (ARRAY | ITERATOR | TYPED_ARRAY | GET))) bits |= ARRAY_LIKE;
  if (!(bits & (CALLABLE | BUFFER)) && looksLikeError(object)) bits |= ERROR;
  return bits;
}
// Made by Python errors have no stack.
const looksLikeError = (object) => hasProperty(object, 'message') && hasProperty(object, 'name') &&
  (safely(() => object instanceof Error) || hasProperty(object, 'stack'));
internals.classify = bitsOf;
// Whether it can stand for the others of its prototype: it really is of that kind, and nothing was added to it.
const TELLING = [...METHODS.map(([name]) => name), 'size', 'message', 'name', Symbol.toStringTag];
const typedArrays = getPrototypeOf(Uint8Array.prototype), dataViews = DataView.prototype, { isPrototypeOf } = objectPrototype;
const isTypical = (object) => {
  for (let i = 0; i < TELLING.length; i++) if (hasOwn(object, TELLING[i])) return false;
  if (isArray(object) !== apply(isPrototypeOf, arrays, [object])) return false;
  return isArray(object) || (isView(object) === (apply(isPrototypeOf, typedArrays, [object]) || apply(isPrototypeOf, dataViews, [object])));
};
// The same of an object whose prototype is not known to be stable.
const unstable = new WeakSet();
internals.classifyFirst = (object) => {
  const prototype = getPrototypeOf(object);
  if (unstable.has(prototype)) return bitsOf(object);
  if (safely(() => isStable(object))) return isTypical(object) ? bitsOf(object) | STABLE : bitsOf(object);
  unstable.add(prototype);
  return bitsOf(object);
};

internals.typeOf = (value) => typeof value;
internals.toText = (value) => {
  const method = typeof value === 'symbol' ? value.toString : safely(() => value.toString);
  return apply(typeof method === 'function' ? method : tagOf, value, []);
};
// The operations by Python's numbers: Py_LT, Py_LE, Py_GT, Py_GE.
internals.compare = (a, b, operation) => safely(() => (operation === 0 ? a < b : operation === 1 ? a <= b : operation === 4 ? a > b : a >= b));
// The names that dir() shows: no indices, and words of Python with an underscore behind them.
const WORDS = new Set(('False None True and as assert async await break class continue def del elif else except finally for from ' +
  'global if import in is lambda nonlocal not or pass raise return try while with yield').split(' '));
internals.dir = (object) => {
  const names = new Set();
  for (let o = object; o !== null; o = getPrototypeOf(o))
    for (const name of getOwnPropertyNames(o))
      if (!/^\d/.test(name)) names.add(WORDS.has(name.replace(/_*$/, '')) ? `${name}_` : name);
  if (isArray(object) || isView(object)) names.delete('keys');
  return [...names];
};
internals.setProperty = (o, key, value) => { o[key] = value; };
internals.ownNames = (object) => getOwnPropertyNames(object);

// NaN when it has none.
internals.length = (o) => (typeof o.size === 'number' ? o.size : typeof o.length === 'number' ? o.length : NaN);
internals.truth = (o) => {
  try {
    if (o.size === 0 || (isArray(o) && o.length === 0)) return false;
    return o.byteLength !== 0;
  } catch {
    return false;
  }
};

// ---- items ----

const MISSING = {};
internals.MISSING = MISSING;
internals.getItem = (o, key) => {
  const value = o.get(key);
  return value === undefined && typeof o.has === 'function' && !o.has(key) ? MISSING : value;
};
internals.setItem = (o, key, value) => { o.set(key, value); };
internals.deleteItem = (o, key) => {
  const was = typeof o.has !== 'function' || o.has(key), done = o.delete(key);
  return done === undefined ? was : done;     // Headers and URLSearchParams do not say
};
internals.hasKey = (o, key) => o.has(key);
internals.includesItem = (o, item) => o.includes(item);
// Objects that have no items of their own kind: their properties.
internals.plainHas = (o, key) => key in o;
internals.plainGet = (o, key) => (key in o ? o[key] : MISSING);
internals.plainSet = (o, key, value) => { o[key] = value; };
internals.plainDelete = (o, key) => key in o && delete o[key];
// Objects as maps of their own properties (as_object_map, as_py_json).
internals.viewHas = (o, key) => hasOwn(o, key);
internals.viewGet = (o, key) => (hasOwn(o, key) ? o[key] : MISSING);
internals.viewDelete = (o, key) => hasOwn(o, key) && delete o[key];
internals.viewLength = (o) => Object.keys(o).length;
internals.viewIterator = (o) => Object.keys(o)[Symbol.iterator]();

internals.iterator = (o) => o[Symbol.iterator]();
internals.mapIterator = (o) => (typeof o.keys === 'function' ? o.keys() : o[Symbol.iterator]());
internals.dispose = (o) => { o[dispose](); };
internals.asyncDispose = (o) => o[asyncDispose]();
internals.asyncIterator = (o) => o[Symbol.asyncIterator]();
internals.clearMap = (o) => {
  if (typeof o.clear !== 'function') return false;
  o.clear();
  return true;
};

// ---- arrays as lists ----

internals.arrayHas = (o, index) => index in o;
internals.arrayPush = (o, item) => { apply(arrays.push, o, [item]); };
internals.arrayExtend = (o, items) => { for (let i = 0, n = items.length; i < n; i++) o.push(items[i]); };
internals.arrayInsert = (o, index, item) => { apply(arrays.splice, o, [index, 0, item]); };
internals.arrayTake = (o, index) => apply(arrays.splice, o, [index, 1])[0];
internals.arrayReverse = (o) => { apply(arrays.reverse, o, []); };
internals.arrayConcat = (o, items) => [...arrays.values.call(o), ...items];
internals.arrayRepeat = (o, times) => {
  const result = [], n = o.length;
  for (let k = 0; k < times; k++) for (let i = 0; i < n; i++) result.push(o[i]);
  return result;
};
internals.arrayIndex = (o, item, start, stop) => {
  for (let i = start; i < stop; i++) if (o[i] === item) return i;
  return -1;
};
internals.arrayCount = (o, item) => {
  let count = 0;
  for (let i = 0; i < o.length; i++) if (o[i] === item) count++;
  return count;
};
internals.arraySlice = (o, start, step, count) => {
  if (isView(o) && step === 1) return o.slice(start, start + count);
  const part = isView(o) ? new o.constructor(count) : new Array(count);
  for (let i = 0; i < count; i++) part[i] = o[start + i * step];
  return part;
};
internals.arrayReplace = (o, start, removed, items) => {
  const tail = apply(arrays.splice, o, [start]).slice(removed);
  for (const item of items) o.push(item);
  for (const item of tail) o.push(item);
};
internals.arrayPut = (o, start, step, items) => { for (let i = 0; i < items.length; i++) o[start + i * step] = items[i]; };
internals.arrayDrop = (o, start, step, count) => {
  if (step < 0) {
    start += step * (count - 1);
    step = -step;
  }
  for (let i = count - 1; i >= 0; i--) o.splice(start + i * step, 1);
};
class ReversedIterator {
  #array; #at;
  constructor(array) {
    this.#array = array;
    this.#at = array.length;
  }
  next() {
    if (this.#at <= 0) return { value: undefined, done: true };
    return { value: this.#array[--this.#at], done: false };
  }
  [Symbol.iterator]() { return this; }
}
internals.arrayReversed = (o) => new ReversedIterator(o);

// ---- iterators and generators ----

// Why a result of next() is none; undefined when it is one.
function stepFault(result) {
  if (typeof result !== 'object' || result === null) return `Result should have type "object" not "${result === null ? 'null' : typeof result}"`;
  if (result.done !== undefined) return undefined;
  return typeof result.then === 'function' ? 'Result was a promise, use anext() / asend() / athrow() instead.' : 'Result has no "done" field.';
}
// The next value; END at the end, OTHER when Python has more to ask: [fault] or [undefined, what it returned].
const END = {}, OTHER = {};
let other;
Object.assign(internals, { END, OTHER });
internals.step = (iterator) => {
  const result = iterator.next();
  if (typeof result === 'object' && result !== null && result.done === false) return result.value;
  const fault = stepFault(result);
  if (fault === undefined && !result.done) return result.value;
  if (fault === undefined && result.value === undefined) return END;
  other = [fault, fault === undefined ? result.value : undefined];
  return OTHER;
};
internals.takeOther = () => {
  const taken = other;
  other = undefined;
  return taken;
};
// [fault, done, value]
const stepOf = (result) => {
  const fault = stepFault(result);
  return fault === undefined ? [undefined, !!result.done, result.value] : [fault, false, undefined];
};
internals.sendTo = (generator, value) => stepOf(generator.next(value));
internals.throwInto = (generator, error) => stepOf(generator.throw(error));
internals.returnFrom = (generator) => stepOf(generator.return());

// Settle the waiter (proxy_ops.c) with what comes of a step of an asynchronous iterator.  A text says what is wrong instead.
const AGAIN = 0, FAILED = 1, ENDED = 2;
const ended = new WeakSet();        // iterators that need no closing
internals.stepLater = (iterator, method, argument, isClosing, waiter) => {
  const promise = iterator[method](argument);
  if (typeof promise !== 'object') return `Result of anext() should be object not ${typeof promise}`;
  if (promise === null || typeof promise.then !== 'function')
    return `Result of anext() was not a promise${typeof promise?.done === 'boolean' ? ', use next() instead' : ''}.`;
  promise.then(({ done, value }) => {
    if (done) ended.add(iterator);
    if (!isClosing) native.settle(waiter, value, done ? ENDED : AGAIN);
    else if (done) native.settle(waiter, undefined, AGAIN);
    else native.settle(waiter, 'JavaScript generator ignored return', FAILED + ENDED);
  }, (error) => {
    ended.add(iterator);
    native.settle(waiter, error, FAILED);
  });
  return undefined;
};
internals.closeIterator = (iterator) => {
  if (!ended.has(iterator)) safely(() => iterator.return?.()?.then?.(undefined, () => {}));
};

// ---- promises ----

const { resolve } = Promise;
internals.promiseThen = (promise, onValue, onError) => apply(resolve, Promise, [promise]).then(onValue, onError);
internals.promiseFinally = (promise, onEnd) => apply(resolve, Promise, [promise]).finally(onEnd);
internals.isPromise = (object) => typeof object === 'object' || typeof object === 'function' ? hasMethod(object, 'then') : false;
internals.awaitFor = (promise, waiter) => {
  internals.hears(promise);
  promise.then((value) => native.settle(waiter, value, AGAIN), (error) => native.settle(waiter, error, FAILED));
};

// ---- errors ----

internals.newError = (name, message, stack) => {
  const maker = typeof globalThis[name] === 'function' && globalThis[name].prototype instanceof Error ? globalThis[name] : Error;
  const error = new maker(message);
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true });
  if (stack) Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
  return error;
};
internals.isInstance = (o, name) => typeof globalThis[name] === 'function' && o instanceof globalThis[name];

internals.newWeakRef = (object) => new WeakRef(object);
internals.objectEntries = Object.entries;
internals.objectKeys = Object.keys;
internals.objectValues = Object.values;

const ids = new WeakMap();
let lastId = 0;
internals.idOf = (object) => {
  let id = ids.get(object);
  if (!id) ids.set(object, id = ++lastId);
  return id;
};
