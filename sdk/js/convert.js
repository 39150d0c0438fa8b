// convert.js - how the Web API takes what it is given: options, Python's dicts, text; and the iterators it gives.

const { getPrototypeOf, setPrototypeOf, create, defineProperty } = Object, { apply } = Reflect;
const { isWellFormed, toWellFormed, includes, slice } = String.prototype;
const plainPrototype = Object.prototype;
const IteratorPrototype = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()));

// [name, value, name, value ...] of a dict (or another mapping) of Python, and
// of an iterable of pairs when asked for; else undefined.
const pythonPairs = (value, withIterables = false) => native.pythonPairs(value, withIterables);

// The options a constructor was given, as an object to read names from.  A dict
// of Python counts with its keys: its attributes would be its methods.
function options(value, where) {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError(`${where}: expected an object of options, not ${typeof value}`);
  if (getPrototypeOf(value) === plainPrototype) return value;
  const pairs = pythonPairs(value);
  if (!pairs) return value;
  const object = create(null);
  for (let i = 0; i < pairs.length; i += 2) if (typeof pairs[i] === 'string') object[pairs[i]] = pairs[i + 1];
  return object;
}

// WebIDL's USVString.
function text(value) {
  value = `${value}`;       // unlike String(), refuses symbols
  return isWellFormed.call(value) ? value : toWellFormed.call(value);
}

// Without white space (HTTP's, if no other is given) at both ends.  A regular expression for the end
// would begin anew at each space inside: time by the square.
const isOneOf = (spaces, character) => character <= ' ' && includes.call(spaces, character);
function trimmed(value, spaces = '\t\n\r ') {
  let start = 0, end = value.length;
  while (start < end && isOneOf(spaces, value[start])) start++;
  while (end > start && isOneOf(spaces, value[end - 1])) end--;
  return start === 0 && end === value.length ? value : slice.call(value, start, end);
}

function need(count, given, where) {
  if (given < count) throw new TypeError(`${where}: ${count} argument${count > 1 ? 's' : ''} required, but only ${given} given`);
}

// Give a class entries(), keys(), values(), forEach() and iteration over
// pairsOf(object), an array of pairs that may change meanwhile.
internals.addIteration = (constructor, pairsOf) => {
  const KEYS = 0, VALUES = 1, ENTRIES = 2;
  class PairIterator {
    #object; #kind; #at = 0;
    constructor(object, kind) {
      pairsOf(object);      // throws when it is none of ours
      this.#object = object;
      this.#kind = kind;
    }
    next() {
      const pair = pairsOf(this.#object)[this.#at];
      if (pair === undefined) return { value: undefined, done: true };
      this.#at++;
      return { value: this.#kind === ENTRIES ? [pair[0], pair[1]] : pair[this.#kind], done: false };
    }
  }
  delete PairIterator.prototype.constructor;
  setPrototypeOf(PairIterator.prototype, IteratorPrototype);
  internals.tag(PairIterator, `${constructor.name} Iterator`);
  const methods = {
    entries() { return new PairIterator(this, ENTRIES); },
    keys() { return new PairIterator(this, KEYS); },
    values() { return new PairIterator(this, VALUES); },
    forEach(callback, self = undefined) {
      if (typeof callback !== 'function') throw new TypeError(`${constructor.name}.forEach: expected a function`);
      for (let i = 0; i < pairsOf(this).length; i++) {
        const pair = pairsOf(this)[i];
        apply(callback, self, [pair[1], pair[0], this]);
      }
    },
  };
  for (const name of Object.keys(methods))
    defineProperty(constructor.prototype, name, { value: methods[name], writable: true, configurable: true });
  defineProperty(constructor.prototype, Symbol.iterator, { value: methods.entries, writable: true, configurable: true });
};

Object.assign(internals, { pythonPairs, options, toUSVString: text, trimmed, needArguments: need });
