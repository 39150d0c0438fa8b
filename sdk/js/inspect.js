// inspect.js - values as text, in the manner of Node's util.inspect (depth 2, 72 columns).

const MAX_DEPTH = 2, MAX_ITEMS = 100, MAX_STRING = 10000, LINE = 72;
const fields = Symbol('inspect');     // a class may give its fields: [internals.inspectFields]() -> object, or pairs as a Map's

function quote(text) {
  if (text.length > MAX_STRING) text = text.slice(0, MAX_STRING) + '...';
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : '`';
  const plain = JSON.stringify(text).slice(1, -1).replace(/\\"/g, '"');
  return mark + (mark === "'" || mark === '`' ? plain : plain.replace(/"/g, '\\"')) + mark;
}

function primitive(value) {
  switch (typeof value) {
    case 'string': return quote(value);
    case 'bigint': return `${value}n`;
    case 'number': return Object.is(value, -0) ? '-0' : String(value);
    case 'symbol': return value.toString();
    default: return String(value);
  }
}

function constructorName(object) {
  for (let o = object; o !== null; o = Object.getPrototypeOf(o)) {
    const own = Object.getOwnPropertyDescriptor(o, 'constructor');
    if (own && typeof own.value === 'function' && own.value.name !== '') return own.value.name;
  }
  return null;
}

function functionText(f) {
  const source = Function.prototype.toString.call(f);
  if (source.startsWith('class')) {
    const parent = Object.getPrototypeOf(f)?.name;
    return `[class ${f.name || '(anonymous)'}${parent ? ` extends ${parent}` : ''}]`;
  }
  const kind = constructorName(f) || 'Function';
  return f.name ? `[${kind}: ${f.name}]` : `[${kind} (anonymous)]`;
}

function keyText(key) {
  if (typeof key === 'symbol') return `[${key.toString()}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
}

class Inspector {
  constructor() { this.stack = []; this.circular = new Map(); }

  text(value, depth) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return primitive(value);
    if (native.isPython(value)) return native.pythonRepr(value);
    if (this.stack.includes(value)) {
      if (!this.circular.has(value)) this.circular.set(value, this.circular.size + 1);
      return `[Circular *${this.circular.get(value)}]`;
    }
    this.stack.push(value);
    let text;
    try { text = this.object(value, depth); } finally { this.stack.pop(); }
    return this.circular.has(value) ? `<ref *${this.circular.get(value)}> ${text}` : text;
  }

  object(value, depth) {
    const name = constructorName(value);
    if (value instanceof Error) return this.error(value, depth);
    if (value instanceof Date)
      return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    if (value instanceof RegExp) return RegExp.prototype.toString.call(value);
    for (const Boxed of [String, Number, Boolean, BigInt, Symbol])
      if (value instanceof Boxed) return `[${Boxed.name}: ${primitive(value.valueOf())}]`;
    const array = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
    if (depth > MAX_DEPTH) return typeof value === 'function' ? functionText(value) : `[${array && Array.isArray(value) ? 'Array' : name || 'Object'}]`;
    const open = array ? '[' : '{', close = array ? ']' : '}';
    let prefix = '', items = [], own = value;
    if (typeof value === 'function') prefix = functionText(value);
    else if (Array.isArray(value)) prefix = name === 'Array' ? '' : `${name}(${value.length})`;
    else if (array) prefix = `${name}(${value.length})`;
    else if (value instanceof Map || value instanceof Set) prefix = `${name}(${value.size})`;
    else if (name === null) prefix = '[Object: null prototype]';
    else if (name !== 'Object') prefix = name;
    if (array) items = this.elements(value, depth);
    else if (value instanceof Map)
      for (const [k, v] of value) items.push(`${this.text(k, depth + 1)} => ${this.text(v, depth + 1)}`);
    else if (value instanceof Set) for (const v of value) items.push(this.text(v, depth + 1));
    else if (value instanceof ArrayBuffer) items.push(`byteLength: ${value.byteLength}`);
    else if (value instanceof Promise) items.push('<pending or settled>');
    else if (typeof value[fields] === 'function') own = value[fields]();
    const isPairs = own !== value && Array.isArray(own), isRecord = own !== value && !isPairs;
    if (isPairs) for (const [k, v] of own) items.push(`${this.text(k, depth + 1)} => ${this.text(v, depth + 1)}`);
    else items.push(...this.properties(own, depth, array));
    if (typeof value === 'function' && items.length === 0) return prefix;
    if (items.length === 0) return `${prefix}${prefix ? ' ' : ''}${open}${close}`;
    return this.join(prefix, open, items, close, isRecord);
  }

  error(error, depth) {
    const text = internals.describeError(error), extra = this.properties(error, depth, false, ['stack', 'line', 'column', 'sourceURL', 'message', 'cause']);
    if ('cause' in error && error.cause !== undefined) extra.push(`[cause]: ${this.text(error.cause, depth + 1)}`);
    if (error instanceof AggregateError) extra.push(`[errors]: ${this.text(error.errors, depth + 1)}`);
    const head = text.includes('\n    at') ? text : `[${text}]`;
    return extra.length ? this.join(head, '{', extra, '}', true) : head;
  }

  elements(array, depth) {
    const items = [], n = Math.min(array.length, MAX_ITEMS);
    for (let i = 0; i < n; i++) {
      if (!(i in array)) {
        let holes = 1;
        while (i + holes < array.length && !((i + holes) in array)) holes++;
        items.push(`<${holes} empty item${holes > 1 ? 's' : ''}>`);
        i += holes - 1;
      } else items.push(this.text(array[i], depth + 1));
    }
    const more = array.length - n;
    if (more > 0) items.push(`... ${more} more item${more > 1 ? 's' : ''}`);
    return items;
  }

  properties(object, depth, isArray, skip = []) {
    const items = [];
    for (const key of Reflect.ownKeys(object)) {
      const d = Object.getOwnPropertyDescriptor(object, key);
      if (!d?.enumerable || skip.includes(key) || (isArray && typeof key === 'string' && /^\d+$/.test(key))) continue;
      const value = 'value' in d ? this.text(d.value, depth + 1)
        : d.get && d.set ? '[Getter/Setter]' : d.get ? '[Getter]' : '[Setter]';
      items.push(`${keyText(key)}: ${value}`);
    }
    return items;
  }

  join(prefix, open, items, close, isMultiLine) {
    const head = prefix ? `${prefix} ` : '';
    const length = items.reduce((sum, item) => sum + item.length + 2, head.length + 4);
    if (!isMultiLine && length <= LINE && !items.some((item) => item.includes('\n')))
      return `${head}${open} ${items.join(', ')} ${close}`;
    return `${head}${open}\n  ${items.map((item) => item.replaceAll('\n', '\n  ')).join(',\n  ')}\n${close}`;
  }
}

const inspect = (value) => new Inspector().text(value, 0);

function formatOne(directive, value) {
  switch (directive) {
    case 's': return typeof value === 'string' ? value : inspect(value);
    case 'd': return typeof value === 'bigint' ? `${value}n` : typeof value === 'object' ? 'NaN' : String(Number(value));
    case 'i': return typeof value === 'bigint' ? `${value}n` : typeof value === 'object' ? 'NaN' : String(parseInt(value));
    case 'f': return typeof value === 'symbol' ? 'NaN' : String(parseFloat(value));
    case 'j': try { return String(JSON.stringify(value)); } catch { return '[Circular]'; }
    case 'c': return '';
    default: return inspect(value);
  }
}

// console.log's arguments as one text.
function format(args) {
  let start = 0, text = '';
  if (args.length > 1 && typeof args[0] === 'string' && args[0].includes('%')) {
    start = 1;
    text = args[0].replace(/%[sdifjoOc%]/g, (m) =>
      m === '%%' ? '%' : start < args.length ? formatOne(m[1], args[start++]) : m);
  }
  for (let i = start; i < args.length; i++)
    text += (i > 0 ? ' ' : '') + (typeof args[i] === 'string' ? args[i] : inspect(args[i]));
  return text;
}

internals.className = (object) => constructorName(object) ?? 'Object';
Object.assign(internals, { inspect, format, inspectFields: fields });
