// console.js - console: one line (or more) of the worker's log per call, formatted as Node's.

const DEBUG = 0, INFO = 1, WARN = 2, ERROR = 3;
const MAX_TOLD = 32 * 1024, MAX_LABELS = 1000, MAX_GROUPS = 50, MAX_TABLE = 1000;    // bytes of what tails have of a line; of counts and of times; groups in each other; rows
const counts = new Map(), times = new Map();
let indent = '';

// ---- formatting ----

function stringFor(value) {
  switch (typeof value) {
    case 'string': return value;
    case 'number': return Object.is(value, -0) ? '-0' : `${value}`;
    case 'bigint': return `${value}n`;
    case 'object':
      if (value === null || native.isPython(value) || native.proxyTarget(value) !== undefined || !internals.hasOwnText(value))
        return internals.inspect(value, { depth: 0 });
      break;
    case 'function': if (native.isPython(value)) return internals.inspect(value); break;
    default: break;
  }
  try { return String(value); } catch { return internals.inspect(value, { depth: 0 }); }
}

function numberFor(value, convert) {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return 'NaN';
  try {
    const number = convert(value);
    return Object.is(number, -0) ? '-0' : `${number}`;
  } catch { return 'NaN'; }
}

function jsonFor(value) {
  try { return String(JSON.stringify(value)); } catch { return '[Circular]'; }
}

function formatOne(directive, value) {
  switch (directive) {
    case 's': return stringFor(value);
    case 'd': return numberFor(value, Number);
    case 'i': return typeof value === 'object' && value === null ? 'NaN' : numberFor(value, parseInt);
    case 'f': return typeof value === 'bigint' ? numberFor(Number(value), parseFloat) : numberFor(value, parseFloat);
    case 'j': return jsonFor(value);
    case 'c': return '';
    case 'o': return internals.inspect(value, { depth: 4, showHidden: true });
    default: return internals.inspect(value);
  }
}

// console.log's arguments as one text.
function format(args) {
  let start = 0, text = '';
  if (args.length > 1 && typeof args[0] === 'string') {
    start = 1;
    text = args[0].includes('%') ? args[0].replace(/%[sdifjoOc%]/g, (m) =>
      (m === '%%' ? '%' : start < args.length ? formatOne(m[1], args[start++]) : m)) : args[0];
  }
  for (let i = start; i < args.length; i++)
    text += (i > 0 ? ' ' : '') + (typeof args[i] === 'string' ? args[i] : internals.inspect(args[i]));
  return text;
}
internals.format = format;

// An argument as Cloudflare's tails have it: in JSON what is plain or says how, else its text.
const { isArray } = Array, { isView } = ArrayBuffer, { getPrototypeOf } = Object;
function isPlain(value) {
  if (typeof value !== 'object' && typeof value !== 'function') return typeof value !== 'bigint' && typeof value !== 'symbol';
  if (value === null || isArray(value)) return true;
  if (native.isPython(value)) return false;
  const prototype = getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || typeof value.toJSON === 'function';
}
// What is larger than the node takes is not made: room counts down.
const TOO_LARGE = { __proto__: null };
let room = 0;
const count = (_, value) => {
  room -= typeof value === 'string' ? value.length + 16 : 16;
  if (room < 0) throw TOO_LARGE;
  return value;
};
function jsonOf(value) {
  try {
    if (isView(value) && (room -= value.byteLength) < 0) throw TOO_LARGE;
    const plain = isPlain(value) ? value : `${value}`;
    return JSON.stringify(plain, count) ?? 'null';
  } catch (e) {
    if (e === TOO_LARGE) throw e;
    return '{}';
  }
}

// What tails have of the call, ["log", argument ...]; undefined: its line.
function toldOf(name, args) {
  if (args.length === 1 && typeof args[0] === 'string' && name !== 'info' && indent === '') return undefined;
  let told = `["${name}"`;
  room = MAX_TOLD;
  try { for (let i = 0; i < args.length; i++) told += ',' + jsonOf(args[i]); } catch { return undefined; }
  return told + ']';
}

function print(level, text, told = undefined) {
  if (indent) text = indent + text.replaceAll('\n', '\n' + indent);
  if (told === undefined) native.log(level, text);
  else native.log(level, text, undefined, told);
}
const NAMES = ['debug', 'log', 'warn', 'error'];
const write = (level, args, name = NAMES[level]) => print(level, format(args), toldOf(name, args));

// ---- labels ----

function labelOf(label) {
  try { return `${label}`; } catch { return internals.inspect(label); }
}

function keep(map, label, value) {
  if (map.size >= MAX_LABELS && !map.has(label)) map.delete(map.keys().next().value);
  map.set(label, value);
}

function duration(milliseconds) {
  if (milliseconds < 1000) return `${Number(milliseconds.toFixed(3))}ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(3)}s`;
  const two = (n) => String(n).padStart(2, '0'), rest = (seconds % 60).toFixed(3).padStart(6, '0');
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}:${rest} (m:ss.mmm)` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest.slice(0, 2)} (h:mm:ss)`;
}

function showTime(label, method, args) {
  const start = times.get(label);
  if (start === undefined) {
    print(WARN, `No such label '${label}' for console.${method}()`);
    return false;
  }
  print(INFO, `${label}: ${duration(native.now() - start)}${args.length ? ` ${format(args.length === 1 ? args : ['%s', '', ...args].slice(2))}` : ''}`);
  return true;
}

// ---- table ----

const cellText = (value) => {
  const isLarge = typeof value === 'object' && value !== null && !Array.isArray(value) && !native.isPython(value) && Object.keys(value).length > 2;
  return internals.inspect(value, { depth: isLarge ? -1 : 0 }).replaceAll(/\n\s*/g, ' ');
};
const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

// [head of the first column, [[index, value] ...], is it a Map] of what is shown as a table.
function tableRows(data) {
  if (data instanceof Map) return ['(iteration index)', [...data].slice(0, MAX_TABLE).map(([k, v], i) => [String(i), v, k]), true];
  if (data instanceof Set) return ['(iteration index)', [...data].slice(0, MAX_TABLE).map((v, i) => [String(i), v]), false];
  return ['(index)', Object.keys(data).slice(0, MAX_TABLE).map((key) => [key, data[key]]), false];
}

function tableText(data, wanted) {
  const [first, rows, isMap] = tableRows(data), columns = [];
  let hasValues = false;
  for (const [, value] of rows) {
    if (!isObject(value) || native.isPython(value) || isMap) hasValues = true;
    else for (const key of wanted ?? Object.keys(value)) if (!columns.includes(key) && columns.length < MAX_TABLE) columns.push(key);
  }
  const heads = [first, ...(isMap ? ['Key'] : []), ...(isMap ? [] : columns), ...(hasValues ? ['Values'] : [])];
  return internals.layout.table(heads, rows.map(([index, value, key]) => {
    const isRow = isObject(value) && !native.isPython(value) && !isMap;
    return [index, ...(isMap ? [cellText(key)] : columns.map((c) => (isRow && Object.hasOwn(value, c) ? cellText(value[c]) : ''))),
      ...(hasValues ? [isRow ? '' : cellText(value)] : [])];
  }));
}

// ---- the methods ----

const methods = {
  log(...args) { write(INFO, args); },
  info(...args) { write(INFO, args, 'info'); },
  debug(...args) { write(DEBUG, args); },
  warn(...args) { write(WARN, args); },
  error(...args) { write(ERROR, args); },
  trace(...args) { print(DEBUG, `Trace${args.length ? `: ${format(args)}` : ''}${internals.stackLines(new Error())}`); },
  dir(value, options = undefined) { print(INFO, internals.inspect(value, isObject(options) ? internals.options(options, 'console.dir') : undefined)); },
  dirxml(...args) { write(INFO, args); },
  table(data, columns = undefined) {
    let text;
    if (isObject(data) && !native.isPython(data)) {
      try { text = tableText(data, columns === undefined ? undefined : [...columns].map(String)); } catch { text = undefined; }
    }
    print(INFO, text ?? format([data]));
  },
  assert(condition, ...args) {
    if (condition) return;
    if (typeof args[0] === 'string') args[0] = `Assertion failed: ${args[0]}`;
    else args.unshift('Assertion failed');
    write(ERROR, args);
  },
  count(label = 'default') {
    label = labelOf(label);
    keep(counts, label, (counts.get(label) ?? 0) + 1);
    print(INFO, `${label}: ${counts.get(label)}`);
  },
  countReset(label = 'default') {
    label = labelOf(label);
    if (!counts.delete(label)) print(WARN, `Count for '${label}' does not exist`);
  },
  group(...args) {
    if (args.length) write(INFO, args);
    if (indent.length < MAX_GROUPS * 2) indent += '  ';
  },
  groupCollapsed(...args) { methods.group(...args); },
  groupEnd() { indent = indent.slice(2); },
  time(label = 'default') {
    label = labelOf(label);
    if (times.has(label)) print(WARN, `Label '${label}' already exists for console.time()`);
    else keep(times, label, native.now());
  },
  timeLog(label = 'default', ...args) { showTime(labelOf(label), 'timeLog', args); },
  timeEnd(label = 'default') {
    label = labelOf(label);
    if (showTime(label, 'timeEnd', [])) times.delete(label);
  },
  clear() {},
  timeStamp() {},
  profile() {},
  profileEnd() {},
  context() { return { ...methods }; },
};
const console = Object.create({}, Object.getOwnPropertyDescriptors(methods));
Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });
internals.expose({ console });
