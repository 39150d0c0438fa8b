// equal.js - deep comparing: assert.deepEqual, deepStrictEqual and util.isDeepStrictEqual.
import { kindOf, types } from 'node:internal/kinds';

const { getPrototypeOf, hasOwn, is } = Object;
const isEnumerable = (object, key) => Object.prototype.propertyIsEnumerable.call(object, key);
const symbolsOf = (object) => Object.getOwnPropertySymbols(object).filter((key) => isEnumerable(object, key));

function looseEqual(a, b, memo) {
  if (a === null || typeof a !== 'object') {
    // eslint-disable-next-line eqeqeq
    return (b === null || typeof b !== 'object') && (a == b || (a !== a && b !== b));
  }
  return b !== null && typeof b === 'object' && compare(a, b, false, memo);
}
function deep(a, b, isStrict, memo) {
  if (a === b) return isStrict ? a !== 0 || is(a, b) : true;
  if (!isStrict) return looseEqual(a, b, memo);
  if (typeof a !== 'object') return typeof a === 'number' && Number.isNaN(a) && Number.isNaN(b);
  if (typeof b !== 'object' || a === null || b === null || getPrototypeOf(a) !== getPrototypeOf(b)) return false;
  return compare(a, b, true, memo);
}

function sameInner(a, b, kind, isStrict) {
  switch (kind) {
    case 'Date': return Date.prototype.getTime.call(a) === Date.prototype.getTime.call(b) || (Number.isNaN(+a) && Number.isNaN(+b));
    case 'RegExp': return a.source === b.source && a.flags === b.flags && a.lastIndex === b.lastIndex;
    case 'TypedArray': {
      if (Object.prototype.toString.call(a) !== Object.prototype.toString.call(b)) return false;
      if (a.length !== b.length) return false;
      const loose = !isStrict && (types.isFloat32Array(a) || types.isFloat64Array(a));
      for (let i = 0; i < a.length; i++) if (loose ? a[i] !== b[i] : !is(a[i], b[i])) return false;
      return true;
    }
    case 'ArrayBuffer': case 'SharedArrayBuffer': case 'DataView': {
      const bytes = (o) => (kind === 'DataView' ? new Uint8Array(o.buffer, o.byteOffset, o.byteLength) : new Uint8Array(o)), one = bytes(a), other = bytes(b);
      return one.length === other.length && one.every((byte, i) => byte === other[i]);
    }
    case 'Error': return a.message === b.message && a.name === b.name;
    case 'Number': case 'String': case 'Boolean': case 'BigInt': case 'Symbol': {
      const value = globalThis[kind].prototype.valueOf;
      return is(value.call(a), value.call(b));
    }
    case 'Promise': case 'WeakMap': case 'WeakSet': case 'WeakRef': return false;
    default: return true;
  }
}

function compare(a, b, isStrict, memo) {
  const kind = kindOf(a);
  if (isStrict && Object.prototype.toString.call(a) !== Object.prototype.toString.call(b)) return false;
  if (kind !== kindOf(b)) return !isStrict && kind === 'Object' && kindOf(b) === 'Arguments' ? false : false;
  if (!sameInner(a, b, kind, isStrict)) return false;
  let keys = Object.keys(a);
  const others = Object.keys(b);
  if (kind === 'Array' && a.length !== b.length) return false;
  if (kind === 'TypedArray' || kind === 'String') keys = keys.filter((key) => !/^\d+$/.test(key));
  const count = kind === 'TypedArray' || kind === 'String' ? others.filter((key) => !/^\d+$/.test(key)).length : others.length;
  if (keys.length !== count || keys.some((key) => !hasOwn(b, key) || !isEnumerable(b, key))) return false;
  if (kind === 'Error') for (const key of ['cause', 'errors']) {
    if (hasOwn(a, key) !== hasOwn(b, key)) return false;
    if (hasOwn(a, key) && !keys.includes(key)) keys.push(key);
  }
  if (isStrict) {
    const symbols = symbolsOf(a);
    if (symbols.length !== symbolsOf(b).length || symbols.some((key) => !isEnumerable(b, key))) return false;
    keys.push(...symbols);
  }
  if (kind !== 'Map' && kind !== 'Set' && keys.length === 0) return true;
  // A ring in one is one in the other.
  memo ??= { left: new Map(), right: new Map(), at: 0 };
  const known = memo.left.get(a);
  if (known !== undefined && memo.right.get(b) !== undefined) return known === memo.right.get(b);
  memo.at++;
  memo.left.set(a, memo.at);
  memo.right.set(b, memo.at);
  const result = (kind === 'Set' ? sameSet(a, b, isStrict, memo) : kind === 'Map' ? sameMap(a, b, isStrict, memo) : true) && keys.every((key) => deep(a[key], b[key], isStrict, memo));
  memo.left.delete(a);
  memo.right.delete(b);
  return result;
}

const isPlain = (value) => (typeof value !== 'object' || value === null);
function take(pool, wanted, isStrict, memo, matches) {
  for (const item of pool) if (deep(wanted, item, isStrict, memo) && matches(item)) {
    pool.delete(item);
    return true;
  }
  return false;
}
function sameSet(a, b, isStrict, memo) {
  if (a.size !== b.size) return false;
  const pool = new Set();
  for (const item of b) if (!(isPlain(item) && a.has(item))) pool.add(item);
  for (const item of a) {
    if (isPlain(item) && b.has(item)) continue;
    if (isPlain(item) && isStrict) return false;
    if (!take(pool, item, isStrict, memo, () => true)) return false;
  }
  return pool.size === 0;
}
function sameMap(a, b, isStrict, memo) {
  if (a.size !== b.size) return false;
  const pool = new Set();
  for (const key of b.keys()) if (!(isPlain(key) && a.has(key))) pool.add(key);
  for (const [key, value] of a) {
    if (isPlain(key) && b.has(key)) {
      if (!deep(value, b.get(key), isStrict, memo)) return false;
    } else if ((isPlain(key) && isStrict) || !take(pool, key, isStrict, memo, (other) => deep(value, b.get(other), isStrict, memo))) return false;
  }
  return pool.size === 0;
}

export const isDeepEqual = (a, b) => deep(a, b, false);
export const isDeepStrictEqual = (a, b) => deep(a, b, true);
