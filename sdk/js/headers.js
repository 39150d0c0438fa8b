// headers.js - Headers of the Fetch standard.
//
// The fields are a flat array [name, value, name, value ...] in order of
// addition, names in lower case.  Headers of an incoming request are made from
// C's lines only when somebody looks at them.  Values may hold any Unicode
// (they travel as UTF-8), as on Cloudflare.

const NAME = internals.pattern(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
const BAD_VALUE = internals.pattern(/[\0\r\n]/);

const { ownKeys } = Reflect, { getOwnPropertyDescriptor, fromEntries } = Object, { iterator } = Symbol;
const { toLowerCase, split } = String.prototype, { pop, slice, join, sort } = Array.prototype;

function checkedName(name) {
  name = String(name);
  if (!NAME.test(name)) throw new TypeError(`Headers: '${name}' is not a valid header name`);
  return toLowerCase.call(name);
}

function checkedValue(name, value) {
  value = internals.trimmed(String(value));
  if (BAD_VALUE.test(value)) throw new TypeError(`Headers: the value of '${name}' has a line break or NUL in it`);
  return value;
}

// An iterable of pairs, read as a whole before any of it counts.
function readPairs(init) {
  const pairs = [];
  for (const pair of init) {
    if (pair === null || (typeof pair !== 'object' && typeof pair !== 'function') || typeof pair[iterator] !== 'function')
      throw new TypeError('Headers: each item must be a pair of name and value');
    const both = [...pair];
    if (both.length !== 2) throw new TypeError('Headers: each item must be a pair of name and value');
    pairs[pairs.length] = both;
  }
  return pairs;
}

// An object of names and values, by WebIDL's conversion to a record.
function readRecord(init) {
  const pairs = [];
  const names = ownKeys(init);
  for (let i = 0; i < names.length; i++) {
    const name = names[i], own = getOwnPropertyDescriptor(init, name);
    if (!own?.enumerable) continue;
    if (typeof name === 'symbol') throw new TypeError(`Headers: '${String(name)}' is not a valid header name`);
    pairs[pairs.length] = [name, String(init[name])];
  }
  return pairs;
}

let listOf, entriesOf;
function keep(list, name, value) {
  list[list.length] = name;
  list[list.length] = value;
}

class Headers {
  #list = [];
  #pairs = null;        // what iteration gives, until something changes
  #isImmutable = false;

  constructor(init = undefined) {
    if (init === undefined || init === null) return;
    if (typeof init !== 'object' && typeof init !== 'function')
      throw new TypeError('Headers: expected Headers, pairs, or an object of names and values');
    if (#list in init && init[iterator] === entriesOf) {
      this.#list = slice.call(init.#list);
      return;
    }
    const pairs = internals.pythonPairs(init, true);
    if (pairs) {
      for (let i = 0; i < pairs.length; i += 2) this.#add(pairs[i], pairs[i + 1]);
      return;
    }
    const isIterable = init[iterator] !== undefined && init[iterator] !== null, read = isIterable ? readPairs(init) : readRecord(init);
    for (let i = 0; i < read.length; i++) this.#add(read[i][0], read[i][1]);
  }

  #add(name, value) {
    name = checkedName(name);
    this.#put(name, checkedValue(name, value));
  }

  #put(name, value) { keep(this.#list, name, value); }

  #change() {
    if (this.#isImmutable) throw new TypeError("Can't modify immutable headers.");
    this.#pairs = null;
  }

  append(name, value) {
    internals.needArguments(2, arguments.length, 'Headers.append');
    name = checkedName(name);
    value = checkedValue(name, value);
    this.#change();
    this.#put(name, value);
  }

  delete(name) {
    internals.needArguments(1, arguments.length, 'Headers.delete');
    name = checkedName(name);
    this.#change();
    const list = this.#list;
    const kept = [];
    for (let i = 0; i < list.length; i += 2) if (list[i] !== name) keep(kept, list[i], list[i + 1]);
    this.#list = kept;
  }

  get(name) {
    internals.needArguments(1, arguments.length, 'Headers.get');
    name = checkedName(name);
    const list = this.#list;
    let value = null;
    for (let i = 0; i < list.length; i += 2)
      if (list[i] === name) value = value === null ? list[i + 1] : `${value}, ${list[i + 1]}`;
    return value;
  }

  getSetCookie() {
    const list = this.#list, values = [];
    for (let i = 0; i < list.length; i += 2) if (list[i] === 'set-cookie') values[values.length] = list[i + 1];
    return values;
  }

  getAll(name) {
    if (String(name).toLowerCase() !== 'set-cookie') throw new TypeError("getAll() can only be used with the header name 'Set-Cookie'.");
    return this.getSetCookie();
  }

  has(name) {
    internals.needArguments(1, arguments.length, 'Headers.has');
    name = checkedName(name);
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) return true;
    return false;
  }

  set(name, value) {
    internals.needArguments(2, arguments.length, 'Headers.set');
    name = checkedName(name);
    value = checkedValue(name, value);
    this.#change();
    const list = this.#list, kept = [];
    let isSet = false;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] !== name) keep(kept, list[i], list[i + 1]);
      else if (!isSet) {
        keep(kept, name, value);
        isSet = true;
      }
    }
    if (!isSet) keep(kept, name, value);
    this.#list = kept;
  }

  // Sorted by name; fields of one name joined, except Set-Cookie.
  #sorted() {
    if (this.#pairs !== null) return this.#pairs;
    const list = this.#list, joined = new internals.OwnMap(), cookies = [];
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i], value = list[i + 1];
      if (name === 'set-cookie') cookies.push([name, value]);
      else joined.set(name, joined.has(name) ? `${joined.get(name)}, ${value}` : value);
    }
    this.#pairs = [...joined, ...cookies].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    return this.#pairs;
  }

  [internals.inspectFields]() { return fromEntries(this.#sorted()); }

  static {
    listOf = (headers) => headers.#list;
    internals.addIteration(Headers, (headers) => headers.#sorted());
    internals.isHeaders = (value) => typeof value === 'object' && value !== null && #list in value;
    internals.pairsOfHeaders = (headers) => headers.#sorted();
    internals.isFixedHeaders = (headers) => headers.#isImmutable;
    // text: "name\nvalue\nname\nvalue" as Python code gave them, not checked yet.
    internals.headersOfText = (text) => {
      const headers = new Headers(), parts = split.call(text, '\n');
      for (let i = 0; i < parts.length - 1; i += 2) headers.#add(parts[i], parts[i + 1]);
      return headers;
    };
    // lines: "name\nvalue\n...", as C keeps them.
    internals.headersFromLines = (lines, isImmutable) => {
      const headers = new Headers();
      headers.#list = split.call(lines, '\n');
      pop.call(headers.#list);
      headers.#isImmutable = isImmutable;
      return headers;
    };
    internals.freezeHeaders = (headers) => { headers.#isImmutable = true; };
    // Those of one as they are, for another.
    internals.fillHeaders = (headers, from) => {
      headers.#list = slice.call(from.#list);
      return headers;
    };
    // The same fields, as changeable as they were.
    internals.cloneHeaders = (headers) => {
      const copy = new Headers();
      copy.#list = slice.call(headers.#list);
      copy.#isImmutable = headers.#isImmutable;
      return copy;
    };
  }
}

// The fields as they came: name, value, name, value ...
internals.fieldsOfHeaders = (headers) => slice.call(listOf(headers));
internals.linesOfHeaders = (headers) => {
  const list = listOf(headers);
  return list.length ? join.call(list, '\n') + '\n' : '';
};
entriesOf = Headers.prototype.entries;
internals.tag(Headers);
internals.expose({ Headers });
