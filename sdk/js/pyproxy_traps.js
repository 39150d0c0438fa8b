// pyproxy_traps.js - properties of PyProxies: attributes of the Python object, and items of some.
//
// What JavaScript has of that name comes first (methods of the prototype, properties that were defined), then
// the attribute.  `$name` always means the attribute.

const CALLABLE = 1, SEQUENCE = 8192, DICT = 32768, JSON_ADAPTOR = 65536;
const NAMES_MAX = 4096;                 // remembered per kind
const { ownKeys, getOwnPropertyDescriptor } = Reflect;
const { hasOwn } = Object;

// What functions have in JavaScript, where Python's attribute is meant.
const notOfFunctions = { __proto__: null, name: true, length: true, caller: true, arguments: true };

const numbers = new Map();              // name -> its number in Python
const numberOf = (name) => {
  let number = numbers.get(name);
  if (number === undefined) {
    number = native.pythonName(name);
    if (number >= 0) numbers.set(name, number);
  }
  return number >= 0 ? number : name;
};
const attributeName = (key) => (key[0] === '$' ? key.slice(1) : key);

// Targets have no properties of their own but those that somebody defined, which is rare: while nobody
// has, nobody looks for them.
let someAreDefined = false;

const isIndex = (key) => {
  if (typeof key !== 'string' || key.length === 0) return false;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
};
// Run; false for an error of that type of Python.
const succeeds = (type, work) => {
  try {
    work();
    return true;
  } catch (error) {
    if (internals.pythonErrorType(error) === type) return false;
    throw error;
  }
};

function attributes(kind, prototype) {
  const isFunction = kind & CALLABLE;
  const known = new Map();              // names that are Python's alone -> what pythonGet takes
  // Whether JavaScript answers for this name.
  const isOurs = (target, key, withPrototype) => {
    if (isFunction && (notOfFunctions[key] || (!withPrototype && key === 'prototype'))) return hasOwn(target, key);
    return key in (someAreDefined ? target : prototype);
  };
  return {
    get(target, key, receiver) {
      const name = known.get(key);
      if (name !== undefined && !someAreDefined) return native.pythonGet(target, name);
      if (typeof key === 'symbol') return Reflect.get(target, key, receiver);
      if (isOurs(target, key, false)) return Reflect.get(someAreDefined ? target : prototype, key, receiver);
      const asked = numberOf(attributeName(key));
      if (known.size < NAMES_MAX) known.set(key, asked);
      return native.pythonGet(target, asked);
    },
    has(target, key) {
      if (typeof key === 'symbol') return key in target;
      return isOurs(target, key, true) || native.pythonHas(target, numberOf(attributeName(key)));
    },
    set(target, key, value) {
      const own = getOwnPropertyDescriptor(target, key);
      if (own && !own.writable && !own.set) return false;
      if (typeof key === 'symbol') return Reflect.set(target, key, value);
      if (isOurs(target, key, false)) {
        someAreDefined = true;
        return Reflect.set(target, key, value);
      }
      native.pythonSet(target, numberOf(attributeName(key)), value);
      return true;
    },
    deleteProperty(target, key) {
      const own = getOwnPropertyDescriptor(target, key);
      if (own && !own.configurable) return false;
      if (typeof key === 'symbol' || isOurs(target, key, false)) return Reflect.deleteProperty(target, key);
      native.pythonSet(target, numberOf(attributeName(key)));
      return true;
    },
    defineProperty(target, key, descriptor) {
      someAreDefined = true;
      return Reflect.defineProperty(target, key, descriptor);
    },
    setPrototypeOf(target, value) {
      someAreDefined = true;
      return Reflect.setPrototypeOf(target, value);
    },
    ownKeys(target) { return [...new Set([...native.pythonNames(target), ...ownKeys(target)])]; },
  };
}

// Sequences: the items are properties too.
const items = (base) => ({
  ...base,
  get(target, key, receiver) { return isIndex(key) ? native.pythonAt(target, +key) : base.get(target, key, receiver); },
  has(target, key) { return isIndex(key) ? +key < native.pythonLength(target) : base.has(target, key); },
  set(target, key, value) {
    return isIndex(key) ? succeeds('IndexError', () => native.pythonSetItem(target, +key, value)) : base.set(target, key, value);
  },
  deleteProperty(target, key) {
    return isIndex(key) ? succeeds('IndexError', () => native.pythonSetItem(target, +key)) : base.deleteProperty(target, key);
  },
  ownKeys(target) {
    return [...new Set([...base.ownKeys(target), ...Array.from({ length: native.pythonLength(target) }, (_, i) => `${i}`), 'length'])];
  },
});

// asJsJson() of a mapping: nothing but its items.
const always = { __proto__: null, copy: true, constructor: true, toString: true, destroy: true };
const keyIn = (target, key) => {
  if (native.pythonContains(target, key)) return key;
  return isIndex(key) && native.pythonContains(target, +key) ? +key : undefined;
};
const descriptorOf = (target, key) => {
  const found = typeof key === 'symbol' ? undefined : keyIn(target, key);
  return found === undefined ? undefined : { value: native.pythonGetItem(target, found), writable: true, enumerable: true, configurable: true };
};
const keyToChange = (target, key) => keyIn(target, key) ?? (isIndex(key) ? +key : key);
const jsonOfMapping = (base) => ({
  ...base,
  get(target, key, receiver) {
    if (typeof key === 'symbol' || always[key]) return Reflect.get(target, key, receiver);
    const found = keyIn(target, key);
    return found === undefined ? Reflect.get(target, key, receiver) : native.pythonGetItem(target, found);
  },
  has(target, key) { return typeof key === 'symbol' ? key in target : keyIn(target, key) !== undefined; },
  set(target, key, value) {
    return typeof key !== 'symbol' && succeeds('KeyError', () => native.pythonSetItem(target, keyToChange(target, key), value));
  },
  deleteProperty(target, key) {
    return typeof key !== 'symbol' && succeeds('KeyError', () => native.pythonSetItem(target, keyToChange(target, key)));
  },
  getOwnPropertyDescriptor: descriptorOf,
  ownKeys(target) { return [...new Set(native.pythonKeys(target))]; },
});

// Dicts as of newer dates: attributes first, then the items.
const attributesThenItems = (base, json) => ({
  ...base,
  get(target, key, receiver) {
    const value = base.get(target, key, receiver);
    return value !== undefined || base.has(target, key) ? value : json.get(target, key, receiver);
  },
  has(target, key) { return base.has(target, key) || json.has(target, key); },
  set(target, key, value) { return base.has(target, key) ? base.set(target, key, value) : json.set(target, key, value); },
  deleteProperty(target, key) { return base.has(target, key) ? base.deleteProperty(target, key) : json.deleteProperty(target, key); },
  getOwnPropertyDescriptor(target, key) { return getOwnPropertyDescriptor(target, key) ?? descriptorOf(target, key); },
  ownKeys(target) { return [...new Set([...base.ownKeys(target), ...native.pythonKeys(target)])]; },
});

internals.proxyHandlers = (kind, prototype) => {
  const base = attributes(kind, prototype);
  if (kind & SEQUENCE) return items(base);
  if (kind & JSON_ADAPTOR) return jsonOfMapping(base);
  return kind & DICT ? attributesThenItems(base, jsonOfMapping(base)) : base;
};
