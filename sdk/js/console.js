// console.js - console: one line (or more) of the worker's log per call.

const DEBUG = 0, INFO = 1, WARN = 2, ERROR = 3;
const counts = new Map(), times = new Map();
let indent = '';

function write(level, args) {
  let text = internals.format(args);
  if (indent) text = indent + text.replaceAll('\n', '\n' + indent);
  native.log(level, text);
}

const methods = {
  log(...args) { write(INFO, args); },
  info(...args) { write(INFO, args); },
  debug(...args) { write(DEBUG, args); },
  warn(...args) { write(WARN, args); },
  error(...args) { write(ERROR, args); },
  trace(...args) { write(DEBUG, [`Trace: ${internals.format(args)}${internals.stackLines(new Error())}`]); },
  dir(value) { write(INFO, [value]); },
  table(value) { write(INFO, [value]); },
  assert(condition, ...args) {
    if (!condition) write(ERROR, args.length ? ['Assertion failed:', ...args] : ['Assertion failed']);
  },
  count(label = 'default') {
    const n = (counts.get(String(label)) ?? 0) + 1;
    counts.set(String(label), n);
    write(INFO, [`${label}: ${n}`]);
  },
  countReset(label = 'default') { counts.delete(String(label)); },
  group(...args) { if (args.length) write(INFO, args); indent += '  '; },
  groupEnd() { indent = indent.slice(2); },
  time(label = 'default') { times.set(String(label), native.now()); },
  timeEnd(label = 'default') {
    const start = times.get(String(label));
    if (start === undefined) return;
    times.delete(String(label));
    write(INFO, [`${label}: ${(native.now() - start).toFixed(3)}ms`]);
  },
};
methods.groupCollapsed = methods.group;
const console = Object.create({}, Object.getOwnPropertyDescriptors(methods));
Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });
internals.expose({ console });
