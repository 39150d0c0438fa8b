// inspect.js - util.inspect: any value as text, by Node's rules.
import { kInspect, realm } from 'node:internal/realm';
import { argType, argValue } from 'node:internal/errors';
import { kindOf } from 'node:internal/kinds';
import { quote, keyText, layOut, widthOf } from 'node:internal/layout';

export const DEFAULTS = {
  showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100, maxStringLength: 10000,
  breakLength: 80, compact: 3, sorted: false, getters: false, numericSeparator: false,
};
export const colors = Object.assign(Object.create(null), {
  reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25], inverse: [7, 27], hidden: [8, 28],
  strikethrough: [9, 29], doubleunderline: [21, 24], black: [30, 39], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39],
  magenta: [35, 39], cyan: [36, 39], white: [37, 39], bgBlack: [40, 49], bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49],
  bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49], framed: [51, 54], overlined: [53, 55], gray: [90, 39],
  grey: [90, 39], blackBright: [90, 39], redBright: [91, 39], greenBright: [92, 39], yellowBright: [93, 39], blueBright: [94, 39],
  magentaBright: [95, 39], cyanBright: [96, 39], whiteBright: [97, 39], bgGray: [100, 49], bgRedBright: [101, 49],
  bgGreenBright: [102, 49], bgYellowBright: [103, 49], bgBlueBright: [104, 49], bgMagentaBright: [105, 49], bgCyanBright: [106, 49], bgWhiteBright: [107, 49],
});
export const styles = Object.assign(Object.create(null), {
  special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold', string: 'green', symbol: 'green',
  date: 'magenta', regexp: 'red', module: 'underline',
});
const { getPrototypeOf, getOwnPropertyDescriptor, hasOwn } = Object;
const plain = (text) => text;
const coloured = (text, kind) => {
  const code = colors[styles[kind]];
  return code ? `\u001b[${code[0]}m${text}\u001b[${code[1]}m` : text;
};

function constructorName(object, context, depth) {
  const first = object;
  for (let o = object; o !== null; o = getPrototypeOf(o)) {
    const own = getOwnPropertyDescriptor(o, 'constructor');
    const value = own?.get && o === Promise.prototype ? Promise : own?.value;
    if (typeof value === 'function' && value.name !== '' && isInstance(first, value)) return String(value.name);
  }
  if (getPrototypeOf(first) === null) return null;
  const parent = getPrototypeOf(first);
  return `${kindOf(first)} <${depth > context.depth && context.depth !== null ? '[Complex prototype]' : inspect(parent, { ...context.user, customInspect: false, depth: -1 })}>`;
}
function isInstance(object, constructor) {
  try { return object instanceof constructor; } catch { return false; }
}

function prefixOf(name, tag, fallback, size = '') {
  if (name === null) return tag !== '' && fallback !== tag ? `[${fallback}${size}: null prototype] [${tag}] ` : `[${fallback}${size}: null prototype] `;
  return tag !== '' && name !== tag ? `${name}${size} [${tag}] ` : `${name}${size} `;
}

function keysOf(value, showHidden) {
  const symbols = Object.getOwnPropertySymbols(value);
  if (showHidden) return [...Object.getOwnPropertyNames(value), ...symbols];
  let keys;
  try { keys = Object.keys(value); } catch { keys = Object.getOwnPropertyNames(value); }
  return [...keys, ...symbols.filter((key) => Object.prototype.propertyIsEnumerable.call(value, key))];
}
const isIndex = (key) => typeof key === 'string' && /^(0|[1-9]\d*)$/.test(key) && Number(key) < 2 ** 32 - 1;

function separated(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, '_');
}
function numberText(context, number) {
  if (Object.is(number, -0)) return '-0';
  const text = String(number);
  if (!context.numericSeparator || !/^-?\d+(\.\d+)?$/.test(text)) return text;
  const [whole, fraction] = text.split('.');
  return fraction === undefined ? separated(whole) : `${separated(whole)}.${fraction.replace(/(\d{3})(?=\d)/g, '$1_')}`;
}

export function primitiveText(context, value) {
  const { stylize } = context;
  switch (typeof value) {
    case 'string': {
      let trailer = '';
      if (value.length > context.maxStringLength) {
        const left = value.length - context.maxStringLength;
        value = value.slice(0, context.maxStringLength);
        trailer = `... ${left} more character${left > 1 ? 's' : ''}`;
      }
      if (context.compact !== true && value.length > 16 && value.length > context.breakLength - context.indent - 4 && value.includes('\n'))
        return value.split(/(?<=\n)/).map((line) => stylize(quote(line), 'string')).join(` +\n${' '.repeat(context.indent + 2)}`) + trailer;
      return stylize(quote(value), 'string') + trailer;
    }
    case 'number': return stylize(numberText(context, value), 'number');
    case 'bigint': return stylize(`${context.numericSeparator ? separated(String(value)) : value}n`, 'bigint');
    case 'boolean': return stylize(`${value}`, 'boolean');
    case 'undefined': return stylize('undefined', 'undefined');
    case 'symbol': return stylize(Symbol.prototype.toString.call(value), 'symbol');
    default: return stylize('null', 'null');
  }
}

function formatValue(context, value, depth, isTyped = false) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return primitiveText(context, value);
  const given = value, target = realm.proxyTarget(value);
  if (target !== undefined) {
    if (target === null) return context.stylize('<Revoked Proxy>', 'special');
    if (context.showProxy) return formatProxy(context, target, depth);
    value = target;
  }
  if (context.customInspect) {
    const custom = value[kInspect];
    if (typeof custom === 'function' && custom !== inspect && !(value.constructor && value.constructor.prototype === value)) {
      const left = context.depth === null ? null : context.depth - depth;
      const isForeign = target !== undefined || !(given instanceof Object);
      const result = Reflect.apply(custom, given, [left, { ...context.user, ...optionsOf(context), depth: left, stylize: context.stylize }, isForeign ? inspect : inspect]);
      if (result !== given) return typeof result === 'object' && result !== null ? formatValue(context, result, depth) : String(result).replaceAll('\n', `\n${' '.repeat(context.indent)}`);
    }
  }
  if (context.seen.includes(value)) {
    context.circular ??= new Map();
    if (!context.circular.has(value)) context.circular.set(value, context.circular.size + 1);
    return context.stylize(`[Circular *${context.circular.get(value)}]`, 'special');
  }
  return formatRaw(context, value, depth, isTyped);
}
const optionsOf = (context) => Object.fromEntries(Object.keys(DEFAULTS).map((key) => [key, context[key]]));

function formatProxy(context, target, depth) {
  if (depth > context.depth && context.depth !== null) return context.stylize('Proxy [Array]', 'special');
  context.indent += 2;
  const parts = [formatValue(context, target, depth + 1), '{}'];
  context.indent -= 2;
  return layOut(context, parts, '', ['Proxy [', ']'], 1, depth);
}

function formatRaw(context, value, depth, isTyped) {
  const kind = kindOf(value), name = constructorName(value, context, depth);
  let tag = '';
  try { tag = value[Symbol.toStringTag]; } catch { /* none */ }
  if (typeof tag !== 'string' || (tag !== '' && (context.showHidden ? hasOwn(value, Symbol.toStringTag) : getOwnPropertyDescriptor(value, Symbol.toStringTag)?.enumerable))) tag = '';
  const shape = shapeOf(context, value, kind, name, tag, isTyped);
  if (typeof shape === 'string') return shape;
  if (depth > context.depth && context.depth !== null) {
    const short = prefixOf(name, tag, kind === 'Array' ? 'Array' : 'Object').slice(0, -1);
    return context.stylize(`[${name === null ? short : short}]`, 'special');
  }
  depth++;
  context.seen.push(value);
  context.current = depth;
  let parts;
  try {
    parts = shape.items ? shape.items(depth) : [];
    for (const key of shape.keys) parts.push(property(context, value, key, depth, shape.isList ? 1 : 0));
  } finally { context.seen.pop(); }
  let { base = '', braces } = shape;
  const reference = context.circular?.get(value);
  if (reference !== undefined) {
    const text = context.stylize(`<ref *${reference}>`, 'special');
    if (context.compact !== true) base = base === '' ? text : `${text} ${base}`;
    else braces = [`${text} ${braces[0]}`, braces[1]];
  }
  if (context.sorted) {
    const compare = context.sorted === true ? undefined : context.sorted;
    if (!shape.isList) parts.sort(compare);
    else if (shape.keys.length > 1) {
      const sorted = parts.slice(parts.length - shape.keys.length).sort(compare);
      parts.splice(parts.length - shape.keys.length, shape.keys.length, ...sorted);
    }
  }
  const text = layOut(context, parts, base, braces, shape.isList ? 2 : 1, depth, value);
  return text;
}

// A text that is all, or { base, braces, keys, items(depth), isList }
function shapeOf(context, value, kind, name, tag, isTyped) {
  let keys = keysOf(value, context.showHidden);
  const list = (prefix, items) => ({ braces: [`${prefix}[`, ']'], keys: keys.filter((key) => !isIndex(key) && !(context.showHidden && key === 'length' && false)), items, isList: true });
  const braced = (prefix, items) => ({ braces: [`${prefix}{`, '}'], keys, items });
  const based = (base, style) => (keys.length === 0 ? (style ? context.stylize(base, style) : base) : { base, braces: ['{', '}'], keys });
  switch (kind) {
    case 'Array': {
      const prefix = name !== 'Array' || tag !== '' ? prefixOf(name, tag, 'Array', `(${value.length})`) : '', made = list(prefix, () => arrayParts(context, value, context.current));
      return value.length === 0 && made.keys.length === 0 ? `${prefix}[]` : made;
    }
    case 'Set': case 'Map': {
      const size = value.size, prefix = prefixOf(name, tag, kind, `(${size})`);
      if (size === 0 && keys.length === 0) return `${prefix}{}`;
      return braced(prefix, (depth) => entryParts(context, kind === 'Set' ? Set.prototype.values.call(value) : Map.prototype.entries.call(value), kind, depth));
    }
    case 'TypedArray': {
      const own = Object.prototype.toString.call(value).slice(8, -1), prefix = prefixOf(name, tag, own, `(${value.length})`), made = list(prefix, () => typedParts(context, value));
      return value.length === 0 && made.keys.length === 0 && !context.showHidden ? `${prefix}[]` : made;
    }
    case 'Map Iterator': case 'Set Iterator': return braced(`[${tag}] `, () => ['<items unknown>']);
    case 'Arguments': return braced('[Arguments] ', undefined);
    case 'Function': return based(functionBase(value, name, tag), 'special');
    case 'RegExp': {
      const prefix = prefixOf(name, tag, 'RegExp');
      return based((prefix === 'RegExp ' ? '' : prefix) + RegExp.prototype.toString.call(value), 'regexp');
    }
    case 'Date': {
      const prefix = prefixOf(name, tag, 'Date'), time = Date.prototype.getTime.call(value);
      return based((prefix === 'Date ' ? '' : prefix) + (Number.isNaN(time) ? 'Invalid Date' : Date.prototype.toISOString.call(value)), 'date');
    }
    case 'Error': return based(errorBase(context, value, name, tag, keys));
    case 'ArrayBuffer': case 'SharedArrayBuffer': {
      const prefix = prefixOf(name, tag, kind);
      if (isTyped) return `${prefix}{ byteLength: ${numberText(context, value.byteLength)} }`;
      return braced(prefix, () => bufferParts(context, value));
    }
    case 'DataView':
      return braced(prefixOf(name, tag, 'DataView'), (depth) => ['byteLength', 'byteOffset', 'buffer'].map((key) => `${key}: ${indented(context, () => formatValue(context, value[key], depth))}`));
    case 'Promise': return braced(prefixOf(name, tag, 'Promise'), (depth) => promiseParts(context, value, depth));
    case 'WeakSet': case 'WeakMap': return braced(prefixOf(name, tag, kind), () => [context.stylize('<items unknown>', 'special')]);
    case 'WeakRef': return braced(prefixOf(name, tag, 'WeakRef'), () => [context.stylize('<cannot read>', 'special')]);
    case 'Number': case 'String': case 'Boolean': case 'BigInt': case 'Symbol': {
      if (kind === 'String') keys = keys.filter((key) => !isIndex(key) && !(context.showHidden && key === 'length'));
      const inner = globalThis[kind].prototype.valueOf.call(value);
      let base = `[${kind}${name === kind ? '' : name === null ? ' (null prototype)' : ` (${name})`}: ${primitiveText({ ...context, stylize: plain }, inner)}]`;
      if (tag !== '' && tag !== name) base += ` [${tag}]`;
      return based(base, kind.toLowerCase());
    }
    case 'Generator': return braced(prefixOf(name, tag, 'Object'), undefined);
    default: {
      if (name === 'Object' && tag === '') return keys.length === 0 ? '{}' : { braces: ['{', '}'], keys };
      const prefix = prefixOf(name, tag, 'Object');
      return keys.length === 0 ? `${prefix}{}` : braced(prefix, undefined);
    }
  }
}

function functionBase(f, name, tag) {
  let source = '';
  try { source = Function.prototype.toString.call(f); } catch { /* a proxy */ }
  const own = getOwnPropertyDescriptor(f, 'name')?.value, title = typeof own === 'string' ? own : '';
  if (source.startsWith('class') && source.endsWith('}') && !/^class\s*\(/.test(source)) {
    let text = title === '' ? '[class (anonymous)' : `[class ${title}`;
    if (name !== 'Function' && name !== null) text += ` [${name}]`;
    if (tag !== '' && name !== tag) text += ` [${tag}]`;
    if (name === null) text += ' extends [null prototype]';
    else {
      const parent = getPrototypeOf(f).name;
      if (parent) text += ` extends ${parent}`;
    }
    return `${text}]`;
  }
  const kind = Object.prototype.toString.call(f).slice(8, -1).replace(/^(?!.*Function$).*/, 'Function');
  let text = `[${kind}${name === null ? ' (null prototype)' : ''}${title === '' ? ' (anonymous)' : `: ${title}`}]`;
  if (name !== kind && name !== null && name !== 'Function') text += ` ${name}`;
  if (tag !== '' && name !== tag && tag !== kind) text += ` [${tag}]`;
  return text;
}

function errorBase(context, error, name, tag, keys) {
  const title = error.name !== undefined && error.name !== null ? String(error.name) : 'Error';
  let text;
  const own = getOwnPropertyDescriptor(error, 'stack')?.value;
  if (typeof own === 'string' && /^\s+at /m.test(own)) text = own;
  else {
    let head;
    try { head = error.toString === Error.prototype.toString || !hasOwn(error, 'toString') ? Error.prototype.toString.call(error) : error.toString(); } catch { head = title; }
    text = head + realm.stackLines(error);
  }
  if (title !== name && name !== null && text.startsWith(title) && !title.includes(name) && name.endsWith('Error') && title === 'Error') text = name + text.slice(title.length);
  if (name === null) text = text.replace(/^\w+/, (word) => `[${word}: null prototype]`);
  for (const key of ['name', 'message', 'stack']) {
    const at = keys.indexOf(key);
    if (at >= 0 && (typeof error[key] !== 'string' || text.includes(error[key]) || key === 'stack')) keys.splice(at, 1);
  }
  for (const key of ['line', 'column', 'sourceURL']) {
    const at = keys.indexOf(key);
    if (at >= 0) keys.splice(at, 1);
  }
  if ('cause' in error && hasOwn(error, 'cause') && !keys.includes('cause')) keys.push('cause');
  if (Array.isArray(getOwnPropertyDescriptor(error, 'errors')?.value) && !keys.includes('errors')) keys.push('errors');
  if (!/\n\s+at /.test(text)) text = `[${text}]`;
  if (context.indent !== 0) text = text.replaceAll('\n', `\n${' '.repeat(context.indent)}`);
  return text;
}

function indented(context, f) {
  context.indent += 2;
  try { return f(); } finally { context.indent -= 2; }
}
const more = (count, what) => `... ${count} more ${what}${count > 1 ? 's' : ''}`;

function arrayParts(context, array, depth) {
  const length = array.length, parts = [], max = Math.min(Math.max(0, context.maxArrayLength), length);
  let i = 0;
  for (; i < length && parts.length < max; i++) {
    if (hasOwn(array, i)) {
      parts.push(property(context, array, String(i), depth, 1));
      continue;
    }
    let next = i + 1;
    if (length - i > 10000) next = Object.keys(array).map(Number).find((key) => key > i) ?? length;
    else while (next < length && !hasOwn(array, next)) next++;
    parts.push(context.stylize(`<${next - i} empty item${next - i > 1 ? 's' : ''}>`, 'undefined'));
    i = next - 1;
  }
  if (i < length) parts.push(more(length - i, 'item'));
  return parts;
}
function typedParts(context, array) {
  const max = Math.min(Math.max(0, context.maxArrayLength), array.length), parts = [];
  for (let i = 0; i < max; i++) parts.push(primitiveText(context, array[i]));
  if (array.length > max) parts.push(more(array.length - max, 'item'));
  if (context.showHidden) indented(context, () => {
    for (const key of ['BYTES_PER_ELEMENT', 'length', 'byteLength', 'byteOffset', 'buffer']) parts.push(`[${key}]: ${formatValue(context, array[key], context.current, true)}`);
  });
  return parts;
}
function entryParts(context, iterator, kind, depth) {
  const items = [...iterator], max = Math.min(Math.max(0, context.maxArrayLength), items.length);
  const parts = indented(context, () => items.slice(0, max).map((item) => (kind === 'Set' ? formatValue(context, item, depth) : `${formatValue(context, item[0], depth)} => ${formatValue(context, item[1], depth)}`)));
  if (items.length > max) parts.push(more(items.length - max, 'item'));
  return parts;
}
function bufferParts(context, buffer) {
  let bytes;
  try { bytes = new Uint8Array(buffer); } catch { return [context.stylize('(detached)', 'special')]; }
  const max = Math.min(Math.max(0, context.maxArrayLength), bytes.length), hex = bytes.subarray(0, max).toHex().replace(/(.{2})/g, '$1 ').trim();
  return [`${context.stylize('[Uint8Contents]', 'special')}: <${hex}${bytes.length > max ? ` ${more(bytes.length - max, 'byte')}` : ''}>`, `byteLength: ${context.stylize(`${bytes.length}`, 'number')}`];
}
function promiseParts(context, promise, depth) {
  const [state, result] = realm.promiseState(promise) ?? [0];
  if (state === 0) return [context.stylize('<pending>', 'special')];
  const text = indented(context, () => formatValue(context, result, depth));
  return [state === 2 ? `${context.stylize('<rejected>', 'special')} ${text}` : text];
}

// type 0: "key: value", 1: an element of a list
function property(context, value, key, depth, type) {
  const own = getOwnPropertyDescriptor(value, key) ?? { value: value[key], configurable: true, enumerable: true };
  const { stylize } = context;
  let text, space = ' ';
  if ('value' in own) {
    const by = context.compact !== true || type !== 0 ? 2 : 3;
    context.indent += by;
    text = formatValue(context, own.value, depth);
    if (by === 3 && context.breakLength < widthOf(text)) space = `\n${' '.repeat(context.indent)}`;
    context.indent -= by;
  } else if (own.get !== undefined) {
    const label = own.set !== undefined ? 'Getter/Setter' : 'Getter', wanted = context.getters;
    if (wanted && (wanted === true || (wanted === 'get' && own.set === undefined) || (wanted === 'set' && own.set !== undefined))) {
      try {
        const got = Reflect.apply(own.get, value, []);
        context.indent += 2;
        text = got === null || typeof got !== 'object' ? `${stylize(`[${label}:`, 'special')} ${primitiveText(context, got)}${stylize(']', 'special')}` : `${stylize(`[${label}]`, 'special')} ${formatValue(context, got, depth)}`;
        context.indent -= 2;
      } catch (error) { text = `[${label}: <Inspection threw (${error.message})>]`; }
    } else text = stylize(`[${label}]`, 'special');
  } else text = stylize(own.set !== undefined ? '[Setter]' : 'undefined', own.set !== undefined ? 'special' : 'undefined');
  if (type === 1 && isIndex(key)) return text;
  let name = keyText(key);
  if (typeof key === 'symbol') name = `[${stylize(name.slice(1, -1), 'symbol')}]`;
  else if (own.enumerable === false) name = `[${name.replace(/^'(.*)'$/, '$1')}]`;
  else if (key !== '__proto__') name = name === key ? stylize(key, 'name') : stylize(name, 'string');
  return `${name}:${space}${text}`;
}

export function inspect(value, options) {
  const context = { ...DEFAULTS, indent: 0, current: 0, seen: [], circular: undefined, user: undefined, stylize: plain };
  if (arguments.length > 1) {
    if (arguments.length > 2) {
      if (arguments[2] !== undefined) context.depth = arguments[2];
      if (arguments.length > 3 && arguments[3] !== undefined) context.colors = arguments[3];
    }
    if (typeof options === 'boolean') context.showHidden = options;
    else if (options) {
      for (const key of Object.keys(options)) if (hasOwn(DEFAULTS, key) || key === 'stylize') context[key] = options[key];
      context.user = options;
    }
  }
  if (context.colors) context.stylize = coloured;
  else if (context.stylize !== plain && options?.stylize === undefined) context.stylize = plain;
  if (context.maxArrayLength === null) context.maxArrayLength = Infinity;
  if (context.maxStringLength === null) context.maxStringLength = Infinity;
  return formatValue(context, value, 0);
}
inspect.custom = kInspect;
inspect.colors = colors;
inspect.styles = styles;
Object.defineProperty(inspect, 'defaultOptions', {
  get: () => DEFAULTS,
  set(options) {
    if (options === null || typeof options !== 'object') throw argType('options', 'Object', options);
    Object.assign(DEFAULTS, options);
  },
});
export { argValue };
