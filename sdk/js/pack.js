// pack.js - whole structures between the languages, JavaScript's half of realm/bridge/to_js.c and to_py.c.
//
// A call for each value would cost more than the value.  A structure crosses as one run of 8-byte words instead, which
// one language writes and the other reads: [tag, argument] as two int32, behind some of them a double.  What words
// cannot hold (text, proxies, BigInt) travels beside them.

// As in pack.h.
const UNDEFINED = 0, NULL = 1, FALSE = 2, TRUE = 3, INT = 4, DOUBLE = 5, TEXT = 6, OTHER = 7, LIST = 8, DICT = 9, SET = 10, SEEN = 11, KEYED = 12, BUFFER = 13,
  SHARED = 16, CHECKED = 32;
const WORDS = 8192;             // that wait for the next structure; larger ones get memory of their own
const WORDS_MAX = 1 << 27;      // 1 GiB
const TEXT_MAX = 2048;          // longer ones travel alone

const { Int32Array, Float64Array, ArrayBuffer, Map, Set, Proxy } = globalThis, { apply } = Reflect;
const { getPrototypeOf, getOwnPropertyDescriptor, ownKeys } = Reflect;
const { isArray } = Array, { isView } = ArrayBuffer, { keys: keysOf, entries: entriesOf, defineProperty, hasOwn } = Object;
const plainPrototype = Object.prototype, tagOf = plainPrototype.toString, joined = Array.prototype.join;
const { set: copyFrom } = Object.getPrototypeOf(Float64Array.prototype);
const plainMap = Map.prototype, mapForEach = plainMap.forEach;
const mapGet = Map.prototype.get, mapSet = Map.prototype.set, mapHas = Map.prototype.has, mapDelete = Map.prototype.delete, setAdd = Set.prototype.add;

// ---- dicts before 314: a Map whose keys that are text are properties too ----

const literalHandler = {
  get(map, key) {
    let value = map[key];
    if (typeof value === 'function' && key !== 'constructor') value = value.bind(map);
    return value === undefined ? mapGet.call(map, key) : value;
  },
  set(map, key, value) {
    mapSet.call(map, key, value);
    return true;
  },
  has: (map, key) => mapHas.call(map, key) || key in map,
  deleteProperty: (map, key) => (mapHas.call(map, key) ? mapDelete.call(map, key) : delete map[key]),
  getOwnPropertyDescriptor(map, key) {
    if (mapHas.call(map, key)) return { value: mapGet.call(map, key), writable: true, enumerable: true, configurable: true };
    return getOwnPropertyDescriptor(map, key);
  },
  ownKeys: (map) => [...map.keys(), ...ownKeys(map)].filter((key) => typeof key === 'string' || typeof key === 'symbol'),
};
class LiteralMap extends Map {
  constructor() { super(); }     // three times as fast as without
}
const newLiteralMap = () => new Proxy(new LiteralMap(), literalHandler);

// ---- words ----

const waitingInts = new Int32Array(WORDS * 2), waitingDoubles = new Float64Array(waitingInts.buffer);
internals.waitingWords = waitingDoubles;

// ---- from Python: build() reads words that C wrote ----

const LITERAL_MAPS = 0;         // enum to_js_dicts
let builtInts = waitingInts, builtDoubles = waitingDoubles, built = 0, values = [], made = [], dicts = LITERAL_MAPS;

// What C has beside the words, as much as fits into one call.
internals.takeValues = (taken, ...more) => {
  if (!taken) return more;
  for (let i = 0; i < more.length; i++) taken[taken.length] = more[i];
  return taken;
};

function build() {
  const tag = builtInts[built * 2], arg = builtInts[built * 2 + 1];
  built++;
  switch (tag) {
    case INT: return arg;
    case DOUBLE: return builtDoubles[built++];
    case TEXT: case OTHER: return values[arg];
    case UNDEFINED: return undefined;
    case NULL: return null;
    case FALSE: return false;
    case TRUE: return true;
    case SEEN: return made[arg];
    case LIST: case LIST | SHARED: {
      const list = [];
      if (tag & SHARED) made[made.length] = list;
      for (let i = 0; i < arg; i++) list[i] = build();
      return list;
    }
    case SET: case SET | SHARED: {
      const set = new Set();
      if (tag & SHARED) made[made.length] = set;
      for (let i = 0; i < arg; i++) setAdd.call(set, build());
      return set;
    }
    default: return dicts === LITERAL_MAPS ? buildMap(tag, arg) : buildObject(tag, arg);
  }
}

function buildObject(tag, count) {
  const object = {};
  if (tag & SHARED) made[made.length] = object;
  for (let i = 0; i < count; i++) {
    const key = build();
    if (tag & CHECKED && hasOwn(object, key)) throw `Key collision when converting Python dictionary to JavaScript. Key: '${key}'`;
    const value = build();
    if (key === '__proto__') defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
    else object[key] = value;
  }
  return object;
}

function buildMap(tag, count) {
  const map = new LiteralMap(), proxy = new Proxy(map, literalHandler);
  if (tag & SHARED) made[made.length] = proxy;
  for (let i = 0; i < count; i++) {
    const key = build();
    mapSet.call(map, key, build());
  }
  return proxy;
}

// Runs no code of workers, and so is never inside of itself.  buffer: of the words, unless they are in those that wait.
internals.buildValue = (kind, taken, buffer) => {
  if (buffer) {
    builtInts = new Int32Array(buffer);
    builtDoubles = new Float64Array(buffer);
  } else {
    builtInts = waitingInts;
    builtDoubles = waitingDoubles;
  }
  built = 0;
  values = taken;
  dicts = kind;
  try {
    return build();
  } finally {
    values = undefined;
    if (made.length) made = [];
  }
};
internals.fromEntries = Object.fromEntries;
internals.pushAll = (array, items) => { for (let i = 0; i < items.length; i++) array[array.length] = items[i]; };

// For to_js() with a converter, which goes step by step.
internals.newLiteralMap = newLiteralMap;
internals.emptyLiteralMap = newLiteralMap();
internals.newObject = () => ({});
internals.pushOne = (array, item) => { array[array.length] = item; };
internals.putItem = (array, index, item) => { array[index] = item; };
internals.putEntry = (object, key, value) => {
  if (object instanceof Map) object.set(key, value);
  else if (key === '__proto__') defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
};
internals.nameOf = (key) => `${key}`;

// ---- to Python: pack() writes words that C reads ----

const FEW = 8;
const tooLarge = () => new RangeError('to_py(): the structure has more than 100 million values');

// What Pyodide takes for a plain object.
function isPlain(object, tag) {
  if (tag !== '[object Object]') return false;
  const proto = getPrototypeOf(object);
  if (proto === plainPrototype || proto === null) return true;
  const { constructor } = object;
  return (constructor === undefined || constructor.name === 'Object') && !native.isPython(object);
}
internals.kindOf = (object) => {
  if (isArray(object)) return 'array';
  const tag = tagOf.call(object);
  if (tag === '[object Map]' || object instanceof Map) return 'map';
  if (tag === '[object Set]' || object instanceof Set) return 'set';
  if (tag === '[object ArrayBuffer]' || isView(object)) return 'buffer';
  return typeof object === 'object' && isPlain(object, tag) ? 'object' : 'other';
};

function checkKey(key, kind) {
  const type = typeof key;
  if ((type === 'object' && key !== null) || type === 'symbol' || type === 'function')
    if (!native.isPython(key)) throw new Error(`Cannot use key of type ${key.constructor?.name || type} as a key to a Python ${kind}`);
}

function checkKeys(map, kind) {
  if (map.has(1) && map.has(true)) throw new Error(`Cannot faithfully convert ${kind} into Python since it contains both 1 and true as keys.`);
  if (map.has(0) && map.has(false)) throw new Error(`Cannot faithfully convert ${kind} into Python since it contains both 0 and false as keys.`);
}

// Getters and proxies of workers may get here again, in any order of their ends (run_sync): each call that is inside of
// another has a packer of its own.
function newPacker(waits) {
  let ints, doubles, room, at;
  let strings = [], stringCount, others, places, placeCount, firstPlaces = [];

  function useWords(buffer) {
    ints = new Int32Array(buffer);
    doubles = new Float64Array(buffer);
    room = doubles.length;
  }

  function grow(wanted) {
    const old = doubles, length = room * 2 > wanted ? room * 2 : wanted;
    if (length > WORDS_MAX) throw tooLarge();
    useWords(new ArrayBuffer(length * 8));
    apply(copyFrom, doubles, [old]);
  }

  function word(tag, arg) {
    if (at === room) grow(at + 1);
    ints[at * 2] = tag;
    ints[at * 2 + 1] = arg;
    at++;
  }

  // Where the container is that this object became, or -1; it is one from now on.
  function placeOf(object) {
    if (places) {
      const place = mapGet.call(places, object);
      if (place !== undefined) return place;
      mapSet.call(places, object, placeCount++);
      return -1;
    }
    for (let i = 0; i < placeCount; i++) if (firstPlaces[i] === object) return i;
    firstPlaces[placeCount++] = object;
    if (placeCount === FEW) {
      places = new Map();
      for (let i = 0; i < FEW; i++) mapSet.call(places, firstPlaces[i], i);
    }
    return -1;
  }

  function putText(text) {
    if (text.length > TEXT_MAX) return putOther(text, OTHER);
    if (at === room) grow(at + 1);
    ints[at * 2] = TEXT;
    ints[at * 2 + 1] = text.length;
    at++;
    strings[stringCount++] = text;
  }

  function putOther(value, tag) {
    if (!others) others = [];
    others[others.length] = value;
    word(tag, others.length - 1);
  }

  function putValue(value, depth) {
    switch (typeof value) {
      case 'string':
        putText(value);
        break;
      case 'number':
        if (at + 1 >= room) grow(at + 2);
        if ((value | 0) === value) {
          ints[at * 2] = INT;
          ints[at * 2 + 1] = value;
          at++;
        } else {
          ints[at * 2] = DOUBLE;
          doubles[at + 1] = value;
          at += 2;
        }
        break;
      case 'boolean':
        word(value ? TRUE : FALSE, 0);
        break;
      case 'undefined':
        word(UNDEFINED, 0);
        break;
      case 'object':
        if (value === null) word(NULL, 0);
        else putObject(value, depth);
        break;
      default:
        putOther(value, OTHER);
    }
  }

  function putObject(object, depth) {
    if (depth === 0) return putOther(object, OTHER);
    if (isArray(object)) return putArray(object, depth - 1);
    const tag = tagOf.call(object);
    if (isPlain(object, tag)) return putPlain(object, depth - 1);
    if (tag === '[object Map]' || object instanceof Map) return putMap(object, depth - 1);
    if (tag === '[object Set]' || object instanceof Set) return putSet(object);
    return putOther(object, tag === '[object ArrayBuffer]' || isView(object) ? BUFFER : OTHER);
  }

  function putArray(array, depth) {
    const place = placeOf(array);
    if (place >= 0) return word(SEEN, place);
    const length = array.length >>> 0;      // a Proxy may say anything
    if (length > WORDS_MAX) throw tooLarge();
    word(LIST, length);
    for (let i = 0; i < length; i++) {
      const value = array[i];
      if (typeof value === 'number' && at + 1 < room) {
        if ((value | 0) === value) {
          ints[at * 2] = INT;
          ints[at * 2 + 1] = value;
          at++;
        } else {
          ints[at * 2] = DOUBLE;
          doubles[at + 1] = value;
          at += 2;
        }
      } else {
        putValue(value, depth);
      }
    }
  }

  function putPlain(object, depth) {
    const place = placeOf(object);
    if (place >= 0) return word(SEEN, place);
    const keys = keysOf(object), { length } = keys, header = at;
    word(DICT, length);
    let count = 0;
    for (let i = 0; i < length; i++) {
      const key = keys[i], value = object[key];
      if (value === undefined && !hasOwn(object, key)) continue;     // a getter took it away
      putText(key);
      putValue(value, depth);
      count++;
    }
    ints[header * 2 + 1] = count;
  }

  function putMap(map, depth) {
    const place = placeOf(map);
    if (place >= 0) return word(SEEN, place);
    checkKeys(map, 'Map');
    const header = at;
    let count = 0;
    word(DICT, 0);
    const add = (value, key) => {
      if (typeof key === 'string') {
        putText(key);
      } else {
        checkKey(key, 'dict');
        putValue(key, 0);
      }
      putValue(value, depth);
      count++;
    };
    if (getPrototypeOf(map) === plainMap) mapForEach.call(map, add);
    else for (const [key, value] of map.entries()) add(value, key);
    ints[header * 2 + 1] = count;
  }

  function putSet(set) {
    const place = placeOf(set);
    if (place >= 0) return word(SEEN, place);
    checkKeys(set, 'Set');
    const header = at;
    let count = 0;
    word(SET, 0);
    for (const key of set) {
      checkKey(key, 'set');
      putValue(key, 0);
      count++;
    }
    ints[header * 2 + 1] = count;
  }

  // The number of words; or [number, text, others, words] when there is more than what waits.
  return (value, depth) => {
    if (waits) {
      ints = waitingInts;
      doubles = waitingDoubles;
      room = WORDS;
    } else {
      useWords(new ArrayBuffer(64 * 8));
    }
    at = stringCount = placeCount = 0;
    try {
      putValue(value, depth);
      if (!stringCount && !others && doubles === waitingDoubles) return at;
      return [at, stringCount ? joined.call(strings, '') : '', others, doubles];
    } finally {
      if (stringCount) strings = [];
      if (placeCount) firstPlaces = [];
      ints = doubles = others = places = undefined;
    }
  };
}
internals.pack = newPacker(true);
internals.packNested = (value, depth) => newPacker(false)(value, depth);     // what waits is in use

// For to_py() with a converter, which goes step by step.
internals.checkKeys = checkKeys;
internals.checkKey = checkKey;
internals.entries = entriesOf;
