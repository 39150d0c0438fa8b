// kinds.js - what kind of object a value is, whatever it says of itself: for inspect, for util.types and for comparing.
import { realm } from 'node:internal/realm';

const { getPrototypeOf, getOwnPropertyDescriptor } = Object, { apply } = Reflect;
const TypedArray = getPrototypeOf(Uint8Array);
const getter = (proto, name) => getOwnPropertyDescriptor(proto, name).get;
const brand = (f) => (value) => {
  try {
    apply(f, value, [undefined]);
    return true;
  } catch { return false; }
};
const viewTag = getter(TypedArray.prototype, Symbol.toStringTag);
const isObject = (value) => value !== null && (typeof value === 'object' || typeof value === 'function');
const builtin = (value) => {
  try { return Object.prototype.toString.call(value).slice(8, -1); } catch { return ''; }
};
const tagged = (tag) => (value) => isObject(value) && builtin(value) === tag;
const boxed = (C) => {
  const is = brand(C.prototype.valueOf);
  return (value) => typeof value === 'object' && value !== null && is(value);
};
const ofObject = (is) => (value) => isObject(value) && is(value);
const MapIterator = getPrototypeOf(new Map().entries()), SetIterator = getPrototypeOf(new Set().values());
const inherits = (proto) => (value) => isObject(value) && Object.prototype.isPrototypeOf.call(proto, value);
const AsyncFunction = getPrototypeOf(async () => {}), GeneratorFunction = getPrototypeOf(function* () {});
const asyncs = () => [AsyncFunction].filter((proto) => proto !== Function.prototype);
const stringOf = (f) => {
  try { return Function.prototype.toString.call(f); } catch { return ''; }
};

export const types = {
  isExternal: () => false,
  isDate: ofObject(brand(Date.prototype.getTime)),
  isArgumentsObject: (value) => isObject(value) && !(Symbol.toStringTag in value) && builtin(value) === 'Arguments',
  isBigIntObject: boxed(BigInt), isBooleanObject: boxed(Boolean), isNumberObject: boxed(Number), isStringObject: boxed(String), isSymbolObject: boxed(Symbol),
  isBoxedPrimitive: (value) => types.isNumberObject(value) || types.isStringObject(value) || types.isBooleanObject(value) || types.isBigIntObject(value) || types.isSymbolObject(value),
  isNativeError: (value) => isObject(value) && (Error.isError ? Error.isError(value) : value instanceof Error),
  isRegExp: (value) => isObject(value) && value !== RegExp.prototype && Object.hasOwn(value, 'lastIndex') && brand(getter(RegExp.prototype, 'source'))(value),
  isAsyncFunction: (value) => typeof value === 'function' && (asyncs().some((proto) => Object.prototype.isPrototypeOf.call(proto, value)) || /^async\b/.test(stringOf(value))),
  isGeneratorFunction: (value) => typeof value === 'function' && (Object.prototype.isPrototypeOf.call(GeneratorFunction, value) || /^(async\s+)?function\s*\*/.test(stringOf(value))),
  isGeneratorObject: tagged('Generator'),
  isPromise: (value) => realm.promiseState(value) !== undefined,
  isMap: ofObject(brand(getter(Map.prototype, 'size'))), isSet: ofObject(brand(getter(Set.prototype, 'size'))),
  isMapIterator: inherits(MapIterator), isSetIterator: inherits(SetIterator),
  isWeakMap: ofObject(brand(WeakMap.prototype.has)), isWeakSet: ofObject(brand(WeakSet.prototype.has)),
  isArrayBuffer: ofObject(brand(getter(ArrayBuffer.prototype, 'byteLength'))),
  isDataView: (value) => ArrayBuffer.isView(value) && apply(viewTag, value, []) === undefined,
  isSharedArrayBuffer: (value) => typeof SharedArrayBuffer !== 'undefined' && isObject(value) && brand(getter(SharedArrayBuffer.prototype, 'byteLength'))(value),
  isProxy: (value) => realm.proxyTarget(value) !== undefined,
  isModuleNamespaceObject: tagged('Module'),
  isAnyArrayBuffer: (value) => types.isArrayBuffer(value) || types.isSharedArrayBuffer(value),
  isCryptoKey: (value) => value instanceof CryptoKey,
  isKeyObject: (value) => isObject(value) && value[Symbol.for('corral.KeyObject')] === true,
  isArrayBufferView: ArrayBuffer.isView,
  isTypedArray: (value) => isObject(value) && apply(viewTag, value, []) !== undefined,
};
for (const name of ['Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'Int8Array', 'Int16Array', 'Int32Array', 'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'])
  types[`is${name}`] = (value) => isObject(value) && apply(viewTag, value, []) === name;
for (const name of Object.keys(types)) Object.defineProperty(types[name], 'name', { value: name, configurable: true });

export function kindOf(object) {
  if (Array.isArray(object)) return 'Array';
  if (typeof object === 'function') return 'Function';
  const proto = getPrototypeOf(object);
  if (proto === Object.prototype && !(Symbol.toStringTag in object)) return builtin(object) === 'Arguments' ? 'Arguments' : builtin(object) === 'Error' ? 'Error' : 'Object';
  if (types.isSet(object)) return 'Set';
  if (types.isMap(object)) return 'Map';
  if (types.isTypedArray(object)) return 'TypedArray';
  if (types.isRegExp(object)) return 'RegExp';
  if (types.isDate(object)) return 'Date';
  if (types.isNativeError(object)) return 'Error';
  if (types.isArrayBuffer(object)) return 'ArrayBuffer';
  if (types.isSharedArrayBuffer(object)) return 'SharedArrayBuffer';
  if (types.isDataView(object)) return 'DataView';
  if (types.isPromise(object)) return 'Promise';
  if (types.isWeakSet(object)) return 'WeakSet';
  if (types.isWeakMap(object)) return 'WeakMap';
  for (const kind of ['Number', 'String', 'Boolean', 'BigInt', 'Symbol']) if (types[`is${kind}Object`](object)) return kind;
  if (types.isMapIterator(object)) return 'Map Iterator';
  if (types.isSetIterator(object)) return 'Set Iterator';
  if (types.isGeneratorObject(object)) return 'Generator';
  return builtin(object) === 'WeakRef' ? 'WeakRef' : 'Object';
}
