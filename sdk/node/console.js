// node:console - the worker's console, and Console for streams of one's own.
const { argType, coded } = require('node:internal/errors');
const { formatWithOptions } = require('node:internal/format');
const { inspect } = require('node:internal/inspect');
const { process } = require('node:internal/process');

const { console } = globalThis;
const isStream = (value) => typeof value?.write === 'function';
const lengthOf = (text) => text.length;

function table(rows, columns) {
  const first = rows instanceof Map || rows instanceof Set ? '(iteration index)' : '(index)', names = new Map([[first, []]]), values = [];
  let hasValues = false;
  const show = (value) => inspect(value, { depth: value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 2 ? -1 : 0, maxArrayLength: 3, breakLength: Infinity });
  const entries = rows instanceof Map ? [...rows].map(([key, value], i) => [i, { Key: key, Values: value }]) : rows instanceof Set ? [...rows].map((value, i) => [i, value]) : Object.entries(rows);
  entries.forEach(([key, row], i) => {
    names.get(first)[i] = `${key}`;
    if (row === null || (typeof row !== 'object' && typeof row !== 'function')) {
      values[i] = show(row);
      hasValues = true;
      return;
    }
    for (const column of columns ?? Object.keys(row)) {
      if (!names.has(column)) names.set(column, []);
      if (Object.hasOwn(row, column)) names.get(column)[i] = show(row[column]);
    }
  });
  if (hasValues) names.set('Values', values);
  const list = [...names], widths = list.map(([name, cells]) => Math.max(lengthOf(name), ...entries.map((_, i) => lengthOf(cells[i] ?? ''))) + 2);
  const line = (cells) => `│${cells.map((cell, i) => ` ${cell}${' '.repeat(widths[i] - lengthOf(cell) - 1)}`).join('│')}│`;
  const border = (left, middle, right) => `${left}${widths.map((width) => '─'.repeat(width)).join(middle)}${right}`;
  return [border('┌', '┬', '┐'), line(list.map(([name]) => name)), border('├', '┼', '┤'), ...entries.map((_, i) => line(list.map(([, cells]) => cells[i] ?? ''))), border('└', '┴', '┘')].join('\n');
}

function elapsed(milliseconds) {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(3)}s`;
  return `${Number(milliseconds.toFixed(3))}ms`;
}

class Console {
  #out; #err; #options; #ignoresErrors; #step; #indent = ''; #counts = new Map(); #times = new Map();
  constructor(options, stderr, ignoreErrors = true) {
    const given = options && !isStream(options) ? options : { stdout: options, stderr, ignoreErrors };
    this.#out = given.stdout;
    this.#err = given.stderr ?? given.stdout;
    if (!isStream(this.#out)) throw coded(TypeError, 'ERR_CONSOLE_WRITABLE_STREAM', 'Console expects a writable stream instance for stdout');
    if (!isStream(this.#err)) throw coded(TypeError, 'ERR_CONSOLE_WRITABLE_STREAM', 'Console expects a writable stream instance for stderr');
    if (given.inspectOptions !== undefined && (given.inspectOptions === null || typeof given.inspectOptions !== 'object')) throw argType('options.inspectOptions', 'Object', given.inspectOptions);
    this.#options = given.inspectOptions;
    this.#ignoresErrors = given.ignoreErrors ?? true;
    this.#step = given.groupIndentation ?? 2;
    // Methods work without their object, as console.log does.
    for (const name of Object.getOwnPropertyNames(Console.prototype)) if (name !== 'constructor') Object.defineProperty(this, name, { value: this[name].bind(this), writable: true, configurable: true, enumerable: true });
  }
  #write(stream, text) {
    const lines = this.#indent ? this.#indent + text.replaceAll('\n', `\n${this.#indent}`) : text;
    try { stream.write(`${lines}\n`); } catch (error) { if (!this.#ignoresErrors) throw error; }
  }
  #format(args) { return formatWithOptions(this.#options ?? {}, ...args); }
  #warn(text) { process.emitWarning(text); }
  log(...args) { this.#write(this.#out, this.#format(args)); }
  info(...args) { this.log(...args); }
  debug(...args) { this.log(...args); }
  warn(...args) { this.#write(this.#err, this.#format(args)); }
  error(...args) { this.warn(...args); }
  dirxml(...args) { this.log(...args); }
  dir(value, options) { this.#write(this.#out, inspect(value, { customInspect: false, ...this.#options, ...options })); }
  trace(...args) {
    const at = { name: 'Trace', message: this.#format(args) };
    this.error(`${at.name}${at.message ? `: ${at.message}` : ''}\n${(new Error().stack ?? '').split('\n').slice(1).join('\n')}`);
  }
  assert(value, ...args) {
    if (value) return;
    this.warn(`Assertion failed${args.length > 0 ? `: ${args[0]}` : ''}`, ...args.slice(1));
  }
  clear() {}
  count(label = 'default') {
    const count = (this.#counts.get(`${label}`) ?? 0) + 1;
    this.#counts.set(`${label}`, count);
    this.log(`${label}: ${count}`);
  }
  countReset(label = 'default') { if (!this.#counts.delete(`${label}`)) this.#warn(`Count for '${label}' does not exist`); }
  group(...args) {
    if (args.length > 0) this.log(...args);
    this.#indent += ' '.repeat(this.#step);
  }
  groupCollapsed(...args) { this.group(...args); }
  groupEnd() { this.#indent = this.#indent.slice(0, Math.max(0, this.#indent.length - this.#step)); }
  time(label = 'default') {
    if (this.#times.has(`${label}`)) this.#warn(`Label '${label}' already exists for console.time()`);
    else this.#times.set(`${label}`, performance.now());
  }
  timeLog(label = 'default', ...args) {
    const start = this.#times.get(`${label}`);
    if (start === undefined) this.#warn(`No such label '${label}' for console.timeLog()`);
    else this.log('%s: %s', label, elapsed(performance.now() - start), ...args);
  }
  timeEnd(label = 'default') {
    const start = this.#times.get(`${label}`);
    if (start === undefined) this.#warn(`No such label '${label}' for console.timeEnd()`);
    else this.log('%s: %s', label, elapsed(performance.now() - start));
    this.#times.delete(`${label}`);
  }
  table(rows, columns) {
    if (rows === null || typeof rows !== 'object') this.log(rows);
    else this.log(table(rows, columns));
  }
  profile() {}
  profileEnd() {}
  timeStamp() {}
  context() { return this; }
  createTask() { return { run: (f) => f() }; }
}
Console.Console = Console;

const extra = { context: () => console, createTask: () => ({ run: (f) => f() }), profile() {}, profileEnd() {}, timeStamp() {} };
for (const name of Object.keys(extra)) if (!(name in console)) Object.defineProperty(console, name, { value: extra[name], writable: true, configurable: true, enumerable: true });
if (!('Console' in console)) Object.defineProperty(console, 'Console', { value: Console, writable: true, configurable: true });
module.exports = console;
