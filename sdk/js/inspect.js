// inspect.js - values as text, as Node's util.inspect shows them (depth 2, 80 columns).
//
// Nothing of the worker's runs while its values are shown, but for what cannot
// be avoided (a getter of Symbol.toStringTag, an error's name): getters are
// named, proxies are looked through.  What throws all the same is shown as
// what cannot be shown.  layout.js makes lines of the parts.

const MAX_ITEMS = 100, LONG_LIST = 10000, MAX_STRING = 10000, MAX_TEXT = 1 << 20;     // characters of one value, about
const fields = Symbol('inspect');     // a class may give its fields: [internals.inspectFields]() -> object, or pairs as a Map's
const { quote, keyText, layOut } = internals.layout;
const { getPrototypeOf, getOwnPropertyDescriptor, hasOwn } = Object;

// ---- what kind of object it is, whatever it says of itself ----

const getter = (prototype, name) => getOwnPropertyDescriptor(prototype, name).get;
const TypedArray = getPrototypeOf(Uint8Array);
const viewTag = getter(TypedArray.prototype, Symbol.toStringTag);
const brand = (f) => (value) => {
  try { Reflect.apply(f, value, [undefined]); return true; } catch { return false; }
};
const sizeOf = { Map: getter(Map.prototype, 'size'), Set: getter(Set.prototype, 'size') };
function builtinTag(value) {
  try { return Object.prototype.toString.call(value); } catch { return ''; }
}
const KINDS = new Map([
  [Array.prototype, ['Array', Array.isArray]],
  [Map.prototype, ['Map', brand(sizeOf.Map)]],
  [Set.prototype, ['Set', brand(sizeOf.Set)]],
  [TypedArray.prototype, ['TypedArray', (value) => Reflect.apply(viewTag, value, []) !== undefined]],
  [DataView.prototype, ['DataView', brand(getter(DataView.prototype, 'byteLength'))]],
  [ArrayBuffer.prototype, ['ArrayBuffer', brand(getter(ArrayBuffer.prototype, 'byteLength'))]],
  [SharedArrayBuffer.prototype, ['SharedArrayBuffer', brand(getter(SharedArrayBuffer.prototype, 'byteLength'))]],
  [Date.prototype, ['Date', brand(Date.prototype.getTime)]],
  [RegExp.prototype, ['RegExp', (value) => hasOwn(value, 'lastIndex') && builtinTag(value) === '[object RegExp]']],
  [Promise.prototype, ['Promise', (value) => native.promiseState(value) !== undefined]],
  [WeakMap.prototype, ['WeakMap', brand(WeakMap.prototype.has)]],
  [WeakSet.prototype, ['WeakSet', brand(WeakSet.prototype.has)]],
  [Error.prototype, ['Error', Error.isError]],
  ...[Number, String, Boolean, BigInt, Symbol].map((C) => [C.prototype, [C.name, brand(C.prototype.valueOf)]]),
]);
const mapForEach = Map.prototype.forEach, setForEach = Set.prototype.forEach;
const unbox = { Number, String, Boolean, BigInt, Symbol };
for (const name of Object.keys(unbox)) unbox[name] = unbox[name].prototype.valueOf;

function kindOf(object) {
  let o = getPrototypeOf(object);
  for (; o !== null && o !== Object.prototype; o = getPrototypeOf(o)) {
    const kind = KINDS.get(o);
    if (kind) return kind[1](object) ? kind[0] : 'Object';
  }
  if (o === null) for (const [name, is] of KINDS.values()) if (is(object)) return name;
  return 'Object';
}

function constructorName(object) {
  for (let o = object; o !== null; o = getPrototypeOf(o)) {
    const own = getOwnPropertyDescriptor(o, 'constructor');
    if (!own || typeof own.value !== 'function') continue;
    const name = getOwnPropertyDescriptor(own.value, 'name')?.value;
    if (typeof name === 'string' && name !== '' && Object.prototype.isPrototypeOf.call(own.value.prototype ?? {}, object)) return name;
  }
  return null;
}

function tagOf(object) {
  let tag;
  try { tag = object[Symbol.toStringTag]; } catch { return ''; }
  if (typeof tag !== 'string' || getOwnPropertyDescriptor(object, Symbol.toStringTag)?.enumerable) return '';
  return tag;
}

// "Map(2) ", "[Map(2): null prototype] ", "Mine(2) [Map] "
function prefixOf(name, tag, kind, size = '') {
  const text = name === null ? `[${kind}${size}: null prototype] ` : `${name}${size} `;
  const base = name ?? kind;
  return tag !== '' && tag !== base ? `${text}[${tag}] ` : text;
}

// ---- functions ----

const functionKinds = [async function () {}, function* () {}, async function* () {}].map(getPrototypeOf);
const FUNCTION_NAMES = ['AsyncFunction', 'GeneratorFunction', 'AsyncGeneratorFunction'];

function nameOfFunction(f) {
  const name = getOwnPropertyDescriptor(f, 'name')?.value;
  return typeof name === 'string' ? name : '';
}

function functionText(f, name, tag) {
  let source = '';
  try { source = Function.prototype.toString.call(f); } catch { /* none */ }
  const own = nameOfFunction(f);
  if (/^class\b/.test(source)) {
    const parent = getPrototypeOf(f), of = parent === null ? '[null prototype]' : parent === Function.prototype ? '' : nameOfFunction(parent);
    return `[class ${own || '(anonymous)'}${tag !== '' && tag !== name ? ` [${tag}]` : ''}${of ? ` extends ${of}` : ''}]`;
  }
  let kind = 'Function';
  for (let o = getPrototypeOf(f); o !== null; o = getPrototypeOf(o)) {
    const at = functionKinds.indexOf(o);
    if (at >= 0) kind = FUNCTION_NAMES[at];
  }
  const text = `[${kind}${name === null ? ' (null prototype)' : ''}${own ? `: ${own}` : ' (anonymous)'}]`;
  return name !== null && name !== kind && name !== 'Function' ? `${text} ${name}` : text;
}

// ---- the walk ----

// Stands for an object that shall be shown and not be made.
class Stand {
  constructor(name, parts) { this.name = name; this.parts = parts; }
}

class Inspector {
  constructor(depth = 2, showHidden = false) {
    this.depth = depth;
    this.showHidden = showHidden;
    this.stack = [];
    this.circular = new Map();
    this.indent = 0;
    this.current = 0;           // how deep the last object was
    this.left = MAX_TEXT;
  }

  primitive(value) {
    switch (typeof value) {
      case 'string': {
        const more = value.length - MAX_STRING;
        const text = more > 0 ? value.slice(0, MAX_STRING) : value, end = more > 0 ? `... ${more} more character${more > 1 ? 's' : ''}` : '';
        if (text.length > 16 && text.length > 76 - this.indent && text.includes('\n'))
          return text.split(/(?<=\n)/).map(quote).join(` +\n${' '.repeat(this.indent + 2)}`) + end;
        return quote(text) + end;
      }
      case 'bigint': return `${value}n`;
      case 'number': return Object.is(value, -0) ? '-0' : `${value}`;
      case 'symbol': return Symbol.prototype.toString.call(value);
      default: return `${value}`;
    }
  }

  text(value, depth) {
    let text;
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) text = this.primitive(value);
    else if (native.isPython(value)) text = native.pythonRepr(value);
    else {
      const target = native.proxyTarget(value);
      if (target !== undefined) return target === null ? '<Revoked Proxy>' : this.text(target, depth);
      if (this.stack.includes(value)) {
        if (!this.circular.has(value)) this.circular.set(value, this.circular.size + 1);
        return `[Circular *${this.circular.get(value)}]`;
      }
      const level = this.indent;
      try { text = value instanceof Stand ? this.stand(value, depth) : this.object(value, depth); } catch (e) {
        if (e instanceof RangeError && depth > 0) throw e;      // of the stack: for whoever began
        text = '[an object that cannot be shown]';
        this.indent = level;
      }
    }
    this.left -= text.length;
    return text;
  }

  // Run f with everything further in.
  inside(f) {
    this.indent += 2;
    try { return f(); } finally { this.indent -= 2; }
  }

  object(value, depth) {
    const kind = typeof value === 'function' ? 'Function' : kindOf(value), name = constructorName(value), tag = tagOf(value);
    const record = typeof value[fields] === 'function' && internals.isPlatformObject(value) ? value[fields]() : null;
    const keys = record ? [] : this.keysOf(value, kind);
    const shape = this.shape(value, kind, name, tag, keys);
    // shape: a text that is all, or { base, open, close, items() }
    if (typeof shape === 'string') return shape;
    if (depth > this.depth || this.left < 0) return this.tooDeep(value, name, tag);
    this.current = depth;
    this.stack.push(value);
    let parts;
    try {
      parts = record ? this.fields(record, depth) : shape.items ? shape.items(depth + 1) : [];
      for (const key of keys) {
        if (this.left < 0) {
          parts.push('... more');
          break;
        }
        parts.push(this.property(value, key, depth));
      }
    } finally { this.stack.pop(); }
    const count = Array.isArray(value) || kind === 'TypedArray' ? value : undefined;
    let { base = '', open, close = '}' } = shape;
    if (this.circular.has(value)) {
      const reference = `<ref *${this.circular.get(value)}>`;
      if (base) base = `${reference} ${base}`; else open = `${reference} ${open}`;
    }
    if (parts.length === 0) return `${base ? `${base} ` : ''}${open}${close}`;
    return layOut(parts, { base, open, close, indent: this.indent, isShallow: this.current - depth < 3, list: shape.isList ? count : undefined, max: MAX_ITEMS });
  }

  tooDeep(value, name, tag) {
    const text = prefixOf(name, tag, 'Object').slice(0, -1);
    return name === null ? text : Array.isArray(value) && name === 'Array' ? '[Array]' : `[${text}]`;
  }

  stand({ name, parts }, depth) {
    if (depth > this.depth) return `[${name}]`;
    return layOut(this.fields(parts, depth), { base: '', open: `${name} {`, close: '}', indent: this.indent, isShallow: true });
  }

  fields(record, depth) {
    return this.inside(() => (Array.isArray(record) ? record.map(([k, v]) => `${this.text(k, depth + 1)} => ${this.text(v, depth + 1)}`)
      : Reflect.ownKeys(record).map((key) => `${keyText(key)}: ${this.text(record[key], depth + 1)}`)));
  }

  // The own properties that are shown beside what the kind of object shows.
  keysOf(value, kind) {
    const isList = kind === 'Array' || kind === 'TypedArray' || kind === 'String';
    // The names of all items cost far more memory than the items: a long list shows those of symbols only.
    let keys = isList && value.length > LONG_LIST ? Object.getOwnPropertySymbols(value) : Reflect.ownKeys(value);
    if (isList) keys = keys.filter((key) => typeof key === 'symbol' || !/^(0|[1-9]\d{0,9})$/.test(key));
    if (this.showHidden) return keys;
    return keys.filter((key) => getOwnPropertyDescriptor(value, key)?.enumerable);
  }

  property(object, key, depth) {
    const d = getOwnPropertyDescriptor(object, key);
    if (!d) return `${keyText(key)}: undefined`;
    const text = 'value' in d ? this.inside(() => this.text(d.value, depth + 1))
      : d.get && d.set ? '[Getter/Setter]' : d.get ? '[Getter]' : '[Setter]';
    return `${d.enumerable ? keyText(key) : `[${typeof key === 'symbol' ? key.toString() : key}]`}: ${text}`;
  }

  shape(value, kind, name, tag, keys) {
    const braced = (text) => (keys.length === 0 ? text : { base: text, open: '{' });
    switch (kind) {
      case 'Array': {
        const prefix = name !== 'Array' || (tag !== '' && tag !== 'Array') ? prefixOf(name, tag, 'Array', `(${value.length})`) : '';
        if (value.length === 0 && keys.length === 0) return `${prefix}[]`;
        return { open: `${prefix}[`, close: ']', isList: true, items: (depth) => this.elements(value, depth) };
      }
      case 'TypedArray': {
        const own = Reflect.apply(viewTag, value, []), length = value.length;
        const prefix = prefixOf(name, tag, own, `(${length})`);
        if (length === 0 && keys.length === 0) return `${prefix}[]`;
        return { open: `${prefix}[`, close: ']', isList: true, items: (depth) => this.elements(value, depth) };
      }
      case 'Map': case 'Set': {
        const size = Reflect.apply(sizeOf[kind], value, []), prefix = prefixOf(name, tag, kind, `(${size})`);
        if (size === 0 && keys.length === 0) return `${prefix}{}`;
        return { open: `${prefix}{`, items: (depth) => this.entries(value, kind, size, depth) };
      }
      case 'Function': return braced(functionText(value, name, tag));
      case 'RegExp': {
        const prefix = prefixOf(name, tag, 'RegExp');
        return braced((prefix === 'RegExp ' ? '' : prefix) + RegExp.prototype.toString.call(value));
      }
      case 'Date': {
        const prefix = prefixOf(name, tag, 'Date'), isValid = !Number.isNaN(Date.prototype.getTime.call(value));
        return braced((prefix === 'Date ' ? '' : prefix) + (isValid ? Date.prototype.toISOString.call(value) : 'Invalid Date'));
      }
      case 'Error': return this.error(value, name, keys);
      case 'Number': case 'String': case 'Boolean': case 'BigInt': case 'Symbol':
        return braced(this.boxed(value, kind, name, tag));
      default: return this.plain(value, kind, name, tag, keys);
    }
  }

  boxed(value, kind, name, tag) {
    const primitive = Reflect.apply(unbox[kind], value, []);
    const other = name === kind ? '' : name === null ? ' (null prototype)' : ` (${name})`;
    return `[${kind}${other}: ${new Inspector().primitive(primitive)}]${tag !== '' && tag !== name ? ` [${tag}]` : ''}`;
  }

  plain(value, kind, name, tag, keys) {
    const prefix = prefixOf(name, tag, kind);
    switch (kind) {
      case 'ArrayBuffer': case 'SharedArrayBuffer': return { open: `${prefix}{`, items: () => this.bufferParts(value) };
      case 'DataView': return { open: `${prefix}{`, items: (depth) => this.inside(() => ['byteLength', 'byteOffset', 'buffer'].map((key) => `${key}: ${this.text(value[key], depth)}`)) };
      case 'Promise': return { open: `${prefix}{`, items: (depth) => this.promiseParts(value, depth) };
      case 'WeakMap': case 'WeakSet': return { open: `${prefix}{`, items: () => ['<items unknown>'] };
      default: break;
    }
    if (name === 'Object' && hasOwn(value, 'callee') && builtinTag(value) === '[object Arguments]') return { open: '[Arguments] {' };
    let open = name === 'Object' && tag === '' ? '{' : `${prefix}{`;
    if (name === null && getPrototypeOf(value) !== null) open = `Object <${prefixOf(null, '', 'Object')}{}> {`;
    if (keys.length === 0 && !(typeof value[fields] === 'function')) return `${open}}`;
    return { open };
  }

  bufferParts(buffer) {
    let bytes;
    try { bytes = new Uint8Array(buffer); } catch { return ['(detached)', 'byteLength: 0']; }
    const shown = bytes.subarray(0, MAX_ITEMS), more = bytes.length - shown.length;
    const hex = [...shown].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return [`[Uint8Contents]: <${hex}${more > 0 ? ` ... ${more} more byte${more > 1 ? 's' : ''}` : ''}>`, `byteLength: ${bytes.length}`];
  }

  promiseParts(promise, depth) {
    const [state, result] = native.promiseState(promise);
    if (state === 0) return ['<pending>'];
    const text = this.inside(() => this.text(result, depth));
    return [state === 2 ? `<rejected> ${text}` : text];
  }

  elements(array, depth) {
    const items = [], length = array.length;
    this.inside(() => {
      let i = 0;
      for (; i < length && items.length < MAX_ITEMS && this.left >= 0; i++) {
        if (hasOwn(array, i)) {
          const d = getOwnPropertyDescriptor(array, i);
          items.push('value' in d ? this.text(d.value, depth) : d.get && d.set ? '[Getter/Setter]' : d.get ? '[Getter]' : '[Setter]');
        } else {
          const next = this.nextIndex(array, i), holes = next - i;
          items.push(`<${holes} empty item${holes > 1 ? 's' : ''}>`);
          i = next - 1;
        }
      }
      const more = length - i;
      if (more > 0) items.push(`... ${more} more item${more > 1 ? 's' : ''}`);
    });
    return items;
  }

  // The first index after a hole that is there: by the keys, as a hole may be four thousand millions long,
  // and one by one, as there may be millions behind it.
  nextIndex(array, i) {
    for (const key in array) if (Number(key) >= i && hasOwn(array, key)) return Number(key);
    return array.length;
  }

  entries(collection, kind, size, depth) {
    const items = [];
    let count = 0;
    this.inside(() => {
      const one = kind === 'Map' ? (v, k) => `${this.text(k, depth)} => ${this.text(v, depth)}` : (v) => this.text(v, depth);
      Reflect.apply(kind === 'Map' ? mapForEach : setForEach, collection, [(v, k) => {
        if (items.length < MAX_ITEMS && this.left >= 0) items.push(one(v, k));
        count++;
      }]);
    });
    const more = count - items.length;
    if (more > 0) items.push(`... ${more} more item${more > 1 ? 's' : ''}`);
    return items;
  }

  error(error, name, keys) {
    let text = internals.describeError(error);
    const own = nameOf(error);
    if (own === 'Error' && name !== null && name !== 'Error' && text.startsWith('Error')) text = `${name} [Error]${text.slice(5)}`;
    if (!text.includes('\n    at') && own !== 'PythonError') text = `[${text}]`;
    if (this.indent > 0) text = text.replaceAll('\n', `\n${' '.repeat(this.indent)}`);
    for (const key of ['name', 'message', 'stack']) {
      const at = keys.indexOf(key);
      if (at >= 0 && typeof getOwnPropertyDescriptor(error, key).value === 'string') keys.splice(at, 1);
    }
    for (const key of ['cause', 'errors']) if (hasOwn(error, key) && !keys.includes(key)) keys.push(key);
    return keys.length === 0 ? text : { base: text, open: '{' };
  }
}

function nameOf(error) {
  try { return String(error.name); } catch { return ''; }
}

// options: { depth (null or Infinity: all), showHidden }
function inspect(value, options = undefined) {
  const depth = options?.depth === undefined ? 2 : options.depth === null ? Infinity : Number(options.depth);
  try {
    return new Inspector(depth, Boolean(options?.showHidden)).text(value, 0);
  } catch (e) {
    return e instanceof RangeError ? '[an object that goes too deep to be shown]' : '[an object that cannot be shown]';
  }
}

// Does it say itself how it reads?  Then %s asks it.
function hasOwnText(object) {
  for (let o = object; o !== null && o !== Object.prototype && !KINDS.has(o); o = getPrototypeOf(o)) if (hasOwn(o, 'toString')) return true;
  return false;
}

internals.className = (object) => constructorName(object) ?? 'Object';
internals.standFor = (name, parts) => new Stand(name, parts);
Object.assign(internals, { inspect, hasOwnText, inspectFields: fields });
