// clone.js - structuredClone of the HTML standard.
//
// In two passes, as the standard has it: serialize() looks at everything and
// makes nodes, or throws and nothing has happened; build() takes the buffers
// that are transferred and makes the copies.  A node is made before what it
// holds, so that cycles close.

const { DOMException } = internals;
const TypedArray = Object.getPrototypeOf(Uint8Array);
const getter = (prototype, name) => Object.getOwnPropertyDescriptor(prototype, name).get;
const viewTag = getter(TypedArray.prototype, Symbol.toStringTag);
const transferBuffer = ArrayBuffer.prototype.transfer, sliceBuffer = ArrayBuffer.prototype.slice;
const isDetached = (buffer) => Reflect.apply(getDetached, buffer, []);
const getDetached = getter(ArrayBuffer.prototype, 'detached'), getResizable = getter(ArrayBuffer.prototype, 'resizable');
const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, __proto__: null };
const VIEWS = { DataView, __proto__: null };
for (const C of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array,
  BigUint64Array, Float32Array, Float64Array, globalThis.Float16Array]) if (C) VIEWS[C.name] = C;
const NEVER = [SharedArrayBuffer, Promise, WeakMap, WeakSet, WeakRef, FinalizationRegistry, Iterator, WebAssembly.Module, WebAssembly.Instance,
  WebAssembly.Memory, WebAssembly.Table, WebAssembly.Global, Symbol];

// Each: [is it one, value => its primitive]; a captured valueOf throws on anything else.
const BOXES = [Boolean, Number, String, BigInt].map((C) => {
  const valueOf = C.prototype.valueOf;
  return [C, (value) => Reflect.apply(valueOf, value, [])];
});

class Node {
  constructor(make, fill = null) { this.make = make; this.fill = fill; this.isMade = false; this.result = undefined; }
}

function build(part) {
  if (!(part instanceof Node)) return part;
  if (!part.isMade) {
    part.isMade = true;
    part.result = part.make();
    part.fill?.(part.result);
  }
  return part.result;
}

function refuse(value, why = '') {
  let text;
  if (native.isPython(value)) text = 'A Python object';
  else if (typeof value === 'symbol') text = value.toString();
  else if (typeof value === 'function') text = `A function${value.name ? ` (${String(value.name)})` : ''}`;
  else text = `An object of class ${internals.className(value)}`;
  return new DOMException(`${text} could not be cloned.${why}`, 'DataCloneError');
}

// What the platform's classes may be: [(value) => boolean, (value, serialize) => make()].
const cloners = [];
internals.addCloner = (is, serializer) => { cloners.push([is, serializer]); };

class Serializer {
  constructor(transfer) { this.nodes = new Map(); this.transfer = transfer; }

  part(value) {
    if (typeof value === 'symbol' || typeof value === 'function') throw refuse(value);
    if (typeof value !== 'object' || value === null) return value;
    let node = this.nodes.get(value);
    if (node) return node;
    if (native.isPython(value)) throw refuse(value, ' Convert it with to_js() before.');
    if (native.proxyTarget(value)) throw refuse(value);
    node = this.leaf(value);
    if (node) {
      this.nodes.set(value, node);
      return node;
    }
    return this.container(value);
  }

  // What holds nothing that is cloned with it; undefined: it is no such thing.
  leaf(value) {
    const proto = Object.getPrototypeOf(value);
    if (proto === Object.prototype || proto === Array.prototype || proto === null) return undefined;
    for (const [C, unbox] of BOXES)
      if (value instanceof C) {
        const primitive = unbox(value);
        return new Node(() => Object(primitive));
      }
    if (value instanceof Date) {
      const time = Date.prototype.getTime.call(value);
      return new Node(() => new Date(time));
    }
    if (value instanceof RegExp) {
      const { source, flags } = value;
      return new Node(() => new RegExp(source, flags));
    }
    if (value instanceof ArrayBuffer) return this.buffer(value);
    for (const [is, serializer] of cloners) {
      if (!is(value)) continue;
      return new Node(serializer(value));
    }
    return undefined;
  }

  buffer(value) {
    if (this.transfer.has(value)) return new Node(() => Reflect.apply(transferBuffer, value, []));
    if (isDetached(value)) throw refuse(value, ' It is detached.');
    if (!Reflect.apply(getResizable, value, [])) {
      const copy = Reflect.apply(sliceBuffer, value, [0]);
      return new Node(() => copy);
    }
    const copy = new ArrayBuffer(value.byteLength, { maxByteLength: value.maxByteLength });
    new Uint8Array(copy).set(new Uint8Array(value));
    return new Node(() => copy);
  }

  container(value) {
    const node = new Node(null);
    this.nodes.set(value, node);
    if (ArrayBuffer.isView(value)) this.view(node, value);
    else if (Array.isArray(value)) {
      const length = value.length;
      node.make = () => new Array(length);
      this.properties(node, value);
    } else if (value instanceof Map) {
      const pairs = [];
      Map.prototype.forEach.call(value, (v, k) => { pairs.push(k, v); });
      for (let i = 0; i < pairs.length; i++) pairs[i] = this.part(pairs[i]);
      node.make = () => new Map();
      node.fill = (map) => { for (let i = 0; i < pairs.length; i += 2) map.set(build(pairs[i]), build(pairs[i + 1])); };
    } else if (value instanceof Set) {
      const items = [];
      Set.prototype.forEach.call(value, (v) => { items.push(v); });
      for (let i = 0; i < items.length; i++) items[i] = this.part(items[i]);
      node.make = () => new Set();
      node.fill = (set) => { for (const item of items) set.add(build(item)); };
    } else if (Error.isError(value)) this.error(node, value);
    else {
      if (internals.isPlatformObject(value) || NEVER.some((C) => value instanceof C)) throw refuse(value);
      node.make = () => ({});
      this.properties(node, value);
    }
    return node;
  }

  view(node, value) {
    const C = VIEWS[Reflect.apply(viewTag, value, []) ?? 'DataView'], isTransferred = this.transfer.has(value.buffer);
    if (value.buffer instanceof SharedArrayBuffer) throw refuse(value.buffer);
    if (!isTransferred && isDetached(value.buffer)) throw refuse(value, ' Its buffer is detached.');
    const { byteOffset } = value, length = C === DataView ? value.byteLength : value.length;
    const buffer = this.part(value.buffer);
    node.make = () => new C(build(buffer), byteOffset, length);
  }

  error(node, value) {
    const own = (name) => {
      const d = Object.getOwnPropertyDescriptor(value, name);
      return d && 'value' in d ? d : null;
    };
    const stack = own('stack')?.value, cause = own('cause');
    const causePart = cause ? this.part(cause.value) : undefined;
    if (internals.isDOMException(value)) {
      const { name, message } = value;
      node.make = () => new DOMException(message, name);
    } else {
      const C = ERRORS[String(value.name)] ?? Error, message = own('message');
      const text = message ? String(message.value) : undefined;
      node.make = () => new C(text);
    }
    node.fill = (error) => {
      const define = (name, v) => Object.defineProperty(error, name, { value: v, writable: true, configurable: true, enumerable: false });
      define('stack', typeof stack === 'string' ? stack : '');
      for (const name of ['line', 'column', 'sourceURL']) delete error[name];
      if (cause) define('cause', build(causePart));
    };
  }

  properties(node, value) {
    const keys = Object.keys(value), parts = [];
    for (const key of keys) if (Object.hasOwn(value, key)) parts.push(key, this.part(value[key]));
    node.fill = (object) => {
      for (let i = 0; i < parts.length; i += 2) {
        const v = build(parts[i + 1]);
        if (parts[i] === '__proto__') Object.defineProperty(object, '__proto__', { value: v, writable: true, enumerable: true, configurable: true });
        else object[parts[i]] = v;
      }
    };
  }
}

function transferred(list) {
  const transfer = new Set();
  if (list === undefined || list === null) return transfer;
  if (typeof list[Symbol.iterator] !== 'function') throw new TypeError('structuredClone: transfer must be a list');
  for (const item of list) {
    if (!(item instanceof ArrayBuffer)) throw new DOMException('Only an ArrayBuffer can be transferred.', 'DataCloneError');
    if (transfer.has(item)) throw new DOMException('An ArrayBuffer is twice in the list of transfers.', 'DataCloneError');
    if (isDetached(item)) throw new DOMException('An ArrayBuffer that is to be transferred is detached.', 'DataCloneError');
    transfer.add(item);
  }
  return transfer;
}

function structuredClone(value, options = undefined) {
  if (arguments.length === 0) throw new TypeError('structuredClone: expected a value');
  const serializer = new Serializer(transferred(internals.options(options, 'structuredClone').transfer));
  const part = serializer.part(value);
  for (const buffer of serializer.transfer) {
    if (isDetached(buffer)) throw new DOMException('An ArrayBuffer that is to be transferred is detached.', 'DataCloneError');
    if (!serializer.nodes.has(buffer)) Reflect.apply(transferBuffer, buffer, []);
  }
  return build(part);
}

// About how many bytes a clone takes, written down.
internals.weighClone = (value, seen = new Set()) => {
  if (typeof value === 'string') return value.length + 6;
  if (typeof value !== 'object' || value === null || seen.has(value)) return 9;
  seen.add(value);
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value.byteLength + 8;
  let bytes = 8;
  if (value instanceof Map || value instanceof Set) for (const one of value instanceof Map ? [...value].flat() : value) bytes += internals.weighClone(one, seen);
  for (const key of Object.keys(value)) bytes += key.length + 2 + internals.weighClone(value[key], seen);
  return bytes;
};
internals.structuredClone = structuredClone;
internals.expose({ structuredClone });
