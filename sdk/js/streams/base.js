// base.js - what the files of streams/ share: promises, queues and the reading of options.
//
// Every public object of the Streams standard is a shell around a record; the
// functions of these files are the standard's abstract operations on records,
// under shortened names, and meet in internals.streams.  Nothing here calls a
// method that a worker could have replaced: promises go through then(), waiting
// things through Queue.

const { apply } = Reflect;
const { Promise, TypeError, RangeError, Number, Map } = globalThis;
const promiseThen = Promise.prototype.then, promiseResolve = Promise.resolve;
const EMPTY = Object.freeze(Object.create(null));
const SECRET = {};              // the constructors that only we may call
const NOTHING = promiseResolve.call(Promise);

function then(promise, onValue, onError) { return apply(promiseThen, promise, [onValue, onError]); }
function resolved(value) { return apply(promiseResolve, Promise, [value]); }
function rejected(error) { return new Promise((resolve, reject) => reject(error)); }
function ignore() {}
// What a method that gives a promise says to the wrong `this`.
function illegal() { return rejected(new TypeError('Illegal invocation')); }
function handled(promise) {
  then(promise, undefined, ignore);
  return promise;
}
// The promise of what f(...args) gives or throws.
function attempt(f, self, args) {
  try { return resolved(apply(f, self, args)); } catch (e) { return rejected(e); }
}

function deferred() {
  const d = { promise: undefined, resolve: undefined, reject: undefined, isPending: true };
  d.promise = new Promise((resolve, reject) => {
    d.resolve = (value) => { d.isPending = false; resolve(value); };
    d.reject = (error) => { d.isPending = false; reject(error); };
  });
  return d;
}
// One that is settled already; a rejected one counts as handled.
function settled(value) { return { promise: resolved(value), resolve: ignore, reject: ignore, isPending: false }; }
function failed(error) { return { promise: handled(rejected(error)), resolve: ignore, reject: ignore, isPending: false }; }

const FORGET_FROM = 1024;       // places

// First in, first out, without moving what waits; `size` is the sum of the entries' own.
class Queue {
  constructor() { this.clear(); }
  clear() {
    this.items = [];
    this.head = this.tail = this.size = 0;
  }
  get length() { return this.tail - this.head; }
  push(item) { this.items[this.tail++] = item; }
  peek() { return this.items[this.head]; }
  shift() {
    const item = this.items[this.head];
    this.items[this.head++] = undefined;
    if (this.head === this.tail) {
      this.items = [];
      this.head = this.tail = 0;
    } else if (this.head >= FORGET_FROM && this.head * 2 >= this.tail) this.forget();
    return item;
  }
  // The places of what has left, in a queue that is never empty.
  forget() {
    const rest = [];
    for (let i = this.head; i < this.tail; i++) rest[i - this.head] = this.items[i];
    this.items = rest;
    this.tail -= this.head;
    this.head = 0;
  }
  pushSized(value, size) {
    if (typeof size !== 'number' || !(size >= 0) || size === Infinity)
      throw new RangeError('The size of a chunk must be a finite number, not negative.');
    this.push({ value, size });
    this.size += size;
  }
  shiftSized() {
    const entry = this.shift();
    this.size = Math.max(0, this.size - entry.size);    // sums of fractions may fall below
    return entry.value;
  }
}

// ---- arguments ----

function isObject(value) { return (typeof value === 'object' && value !== null) || typeof value === 'function'; }

// A dictionary of options: an object, a dict of Python, or a Map, which is what to_js makes of a dict.
function dictionary(value, what) {
  if (value === undefined || value === null) return EMPTY;
  if (!isObject(value)) throw new TypeError(`${what} must be an object`);
  return value instanceof Map ? Object.fromEntries(value) : internals.options(value, what);
}

function functionOf(object, name, what) {
  const f = object[name];
  if (f !== undefined && typeof f !== 'function') throw new TypeError(`${what}: '${name}' must be a function`);
  // Called when somebody reads or writes: with what node:async_hooks stores where the stream was made.
  return f === undefined || !internals.bindContext ? f : internals.bindContext(f);
}

// { highWaterMark, size } of a queuing strategy, each undefined when not given.
function strategyOf(value, what) {
  const strategy = dictionary(value, `${what}: the strategy`);
  const mark = strategy.highWaterMark;
  return { highWaterMark: mark === undefined ? undefined : Number(mark), size: functionOf(strategy, 'size', what) };
}

function markOf(strategy, fallback, what) {
  const mark = strategy.highWaterMark;
  if (mark === undefined) return fallback;
  if (!(mark >= 0)) throw new RangeError(`${what}: highWaterMark must be a number, not negative`);
  return mark;
}

// What an underlying source, sink or transformer may be.
function underlying(value, what) {
  if (value === undefined) return EMPTY;
  if (!isObject(value)) throw new TypeError(`${what} must be an object`);
  return dictionary(value, what);
}

// [EnforceRange] unsigned long long
function wholeNumber(value, what) {
  const n = Math.trunc(Number(value));
  if (!(n >= 0 && n <= Number.MAX_SAFE_INTEGER)) throw new TypeError(`${what} must be a whole number, not negative`);
  return n === 0 ? 0 : n;
}

// Members of a platform's class are enumerable.
function publish(...classes) {
  const names = {};
  for (const c of classes) {
    for (const holder of [c, c.prototype]) {
      for (const key of Object.getOwnPropertyNames(holder)) {
        const d = Object.getOwnPropertyDescriptor(holder, key);
        if (key === 'constructor' || key === 'prototype' || key === 'name' || key === 'length' || !d.configurable) continue;
        Object.defineProperty(holder, key, { enumerable: true });
      }
    }
    internals.tag(c);
    names[c.name] = c;
  }
  internals.expose(names);
}

internals.streams = {
  SECRET, NOTHING, then, resolved, rejected, handled, attempt, ignore, illegal, deferred, settled, failed, Queue,
  isObject, dictionary, functionOf, strategyOf, markOf, underlying, wholeNumber, publish,
};
