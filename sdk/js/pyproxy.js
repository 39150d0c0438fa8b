// pyproxy.js - objects of Python as JavaScript sees them: what a PyProxy can do, by what its object can.

const CALLABLE = 1, LENGTH = 2, GET = 4, SET = 8, HAS = 16, ITERABLE = 32, ITERATOR = 64, GENERATOR = 128, ASYNC_ITERABLE = 256,
  ASYNC_ITERATOR = 512, ASYNC_GENERATOR = 1024, AWAITABLE = 2048, BUFFER = 4096, SEQUENCE = 8192, MUTABLE_SEQUENCE = 16384;
const KEPT_THIS = 4, BOUND = 16;                  // enum py_proxy_trait
const JSON_ADAPTOR = 65536;
const END = internals.END;
const { ownKeys, getOwnPropertyDescriptor, apply } = Reflect, { Proxy } = globalThis;
const { defineProperty } = Object;
const help = native.pythonHelp;

class PyProxy {
  static [Symbol.hasInstance](object) { return native.isPython(object); }
  constructor() { throw new TypeError('PyProxy is not a constructor'); }
  get [Symbol.toStringTag]() { return 'PyProxy'; }
  get type() { return native.pythonType(this); }
  toString() { return native.pythonText(this); }
  copy() { return native.pythonCopy(this); }
  destroy({ message = '', destroyRoundtrip = true } = {}) { native.pythonDestroy(this, `${message}`, !!destroyRoundtrip); }
  toJs({ depth = -1, pyproxies, create_pyproxies = true, dict_converter, default_converter, eager_converter } = {}) {
    return help(this, 'to_js', depth, pyproxies, create_pyproxies, dict_converter, default_converter, eager_converter);
  }
}
if (Symbol.dispose) defineProperty(PyProxy.prototype, Symbol.dispose, { value() { this.destroy(); }, writable: true, configurable: true });
const everyProxy = PyProxy.prototype;

// ---- containers ----

const withLength = { get length() { return native.pythonLength(this); } };
const withGet = { get(key) { return native.pythonGetItem(this, key); } };
const withJson = { asJsJson() { return native.pythonAlias(this, 0, JSON_ADAPTOR, undefined); } };
const withSet = {
  set(key, value) { native.pythonSetItem(this, key, value); },
  delete(key) { native.pythonSetItem(this, key); },
};
const withHas = { has(key) { return native.pythonContains(this, key); } };

const sequence = {
  get [Symbol.isConcatSpreadable]() { return true; },
  includes(item) { return native.pythonContains(this, item); },
  toJSON() { return Array.from(this); },
  lastIndexOf(item, from = native.pythonLength(this)) { return apply(array.lastIndexOf, this, [item, from]); },
};
const array = {};
for (const name of ['join', 'slice', 'indexOf', 'lastIndexOf', 'forEach', 'map', 'filter', 'some', 'every', 'reduce', 'reduceRight', 'at', 'concat',
  'entries', 'keys', 'values', 'find', 'findIndex', 'copyWithin', 'fill']) array[name] = Array.prototype[name];
for (const name of ['join', 'slice', 'indexOf', 'forEach', 'map', 'filter', 'some', 'every', 'reduce', 'reduceRight', 'at', 'concat', 'entries', 'keys',
  'values', 'find', 'findIndex']) sequence[name] = { [name](...args) { return apply(array[name], this, args); } }[name];

// JavaScript sorts by text, and what is undefined to the end.
const byText = (a, b) => {
  const x = a.toString(), y = b.toString();
  return x === y ? 0 : x < y ? -1 : 1;
};
const mutableSequence = {
  reverse() {
    help(this, 'reverse');
    return this;
  },
  sort(compare = byText) {
    help(this, 'sort', (a, b) => {
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
      return compare(a, b);
    });
    return this;
  },
  splice(start, ...more) { return help(this, 'splice', start, more.length ? more[0] : undefined, more.slice(1), arguments.length); },
  push(...items) { return help(this, 'push', items); },
  pop() { return help(this, 'pop', -1); },
  shift() { return help(this, 'pop', 0); },
  unshift(...items) { return help(this, 'unshift', items); },
  copyWithin(...args) { return apply(array.copyWithin, this, args); },
  fill(...args) { return apply(array.fill, this, args); },
};

// ---- iteration ----

// A generator, as the iterators of arrays are not: it has throw() and return() too.
function* steps(iterator) {
  for (;;) {
    const item = native.pythonNext(iterator, END);
    if (item === END) return;
    yield item;
  }
}
const iterable = { [Symbol.iterator]() { return steps(native.pythonIterator(this)); } };
const iterator = {
  [Symbol.iterator]() { return this; },
  next(value) {
    const step = { done: false, value: undefined };
    step.value = native.pythonSend(this, value, step);
    return step;
  },
};
const stepOf = (step) => ({ done: step[0], value: step[1] });
const generator = {
  throw(error) { return stepOf(native.pythonThrow(this, false, error)); },
  return(value) { return stepOf(help(this, 'close', value)); },
};
const asyncIterable = {
  [Symbol.asyncIterator]() {
    const steps = native.pythonSteps(this);
    return {
      async next() {
        const step = await steps.next();
        return step ? { value: step[0], done: false } : { value: undefined, done: true };
      },
      async return(value) {
        await steps.end();
        return { value, done: true };
      },
      [Symbol.asyncIterator]() { return this; },
    };
  },
};
const asyncIterator = {
  async next(value) { return stepOf(await help(this, 'asend', value)); },
};
const asyncGenerator = {
  async throw(error) { return stepOf(await native.pythonThrow(this, true, error)); },
  async return(value) { return stepOf(await help(this, 'aclose', value)); },
};

// ---- awaitables: a promise for each, as Python lets nobody wait twice for a coroutine ----

const promises = new WeakMap();
const promiseOf = (proxy) => {
  let promise = promises.get(proxy);
  if (!promise) promises.set(proxy, promise = new Promise((resolve, reject) => native.pythonThen(proxy, resolve, reject)));
  return promise;
};
internals.startAwaitable = (proxy) => { promiseOf(proxy); };
const awaitable = {
  then(onValue, onError) { return promiseOf(this).then(onValue, onError); },
  catch(onError) { return promiseOf(this).catch(onError); },
  finally(onEnd) { return promiseOf(this).finally(onEnd); },
};

// ---- callables; call() and apply() are those of Function ----

function callWith(proxy, args, where, isRelaxed, promises) {
  if (args.length === 0) throw new TypeError(`${where} requires at least one argument (the key word argument object)`);
  const named = args.pop();
  if (named === null || named === undefined || (named.constructor !== undefined && named.constructor.name !== 'Object'))
    throw new TypeError('kwargs argument is not an object');
  return native.pythonCallWith(proxy, args, Object.keys(named), Object.values(named), isRelaxed, promises);
}
const callable = {
  prototype: Function.prototype,
  bind(self, ...args) {
    const bound = native.pythonBound(this);
    return native.pythonAlias(this, BOUND, 0, bound ? [...bound, ...args] : [self, ...args]);
  },
  captureThis() { return native.pythonAlias(this, KEPT_THIS, 0, undefined); },
  callKwargs(...args) { return callWith(this, args, 'callKwargs', false, false); },
  callRelaxed(...args) { return native.pythonCallWith(this, args, [], [], true, false); },
  callKwargsRelaxed(...args) { return callWith(this, args, 'callKwargsRelaxed', true, false); },
  async callPromising(...args) { return native.pythonCallWith(this, args, [], [], false, true); },
  async callPromisingKwargs(...args) { return callWith(this, args, 'callKwargs', false, true); },
  callWithOptions({ relaxed = false, kwargs = false, promising = false }, ...args) {
    if (kwargs) return callWith(this, args, "callWithOptions with 'kwargs: true'", !!relaxed, !!promising);
    return native.pythonCallWith(this, args, [], [], !!relaxed, !!promising);
  },
};

// ---- prototypes, by kind ----

const PARTS = [[LENGTH, withLength], [GET, withGet], [SET, withSet], [HAS, withHas], [ITERABLE, iterable], [ITERATOR, iterator],
  [GENERATOR, generator], [ASYNC_ITERABLE, asyncIterable], [ASYNC_ITERATOR, asyncIterator], [ASYNC_GENERATOR, asyncGenerator],
  [AWAITABLE, awaitable], [BUFFER, internals.pyBuffer], [CALLABLE, callable], [SEQUENCE, sequence], [MUTABLE_SEQUENCE, mutableSequence],
  [GET | SEQUENCE, withJson]];

function addAll(target, part) {
  const keys = ownKeys(part);
  for (let i = 0; i < keys.length; i++) defineProperty(target, keys[i], { ...getOwnPropertyDescriptor(part, keys[i]), enumerable: false });
}
const functionProxy = Object.create(Function.prototype);
addAll(functionProxy, everyProxy);

// For C: [the prototype of this kind, a function that makes Proxies of these targets].  Kinds are made when first met, and for all
// requests: arrays' iterators may be somebody's own by then.
internals.makeProxyKind = (kind) => {
  const prototype = Object.create(kind & CALLABLE ? functionProxy : everyProxy);
  for (let i = 0; i < PARTS.length; i++) if (kind & PARTS[i][0]) addAll(prototype, PARTS[i][1]);
  const handlers = internals.proxyHandlers(kind, prototype);
  return [prototype, (...proxies) => {     // in the places of their targets: no setter of a prototype is asked
    for (let i = 0; i < proxies.length; i++) proxies[i] = new Proxy(proxies[i], handlers);
    apply(native.pythonStock, undefined, proxies);
    return proxies;
  }];
};
