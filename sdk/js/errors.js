// errors.js - how thrown values read in logs, and what Python's exceptions are in JavaScript.

// What V8 has and this engine not yet: the names of the methods that `using` calls.
for (const name of ['dispose', 'asyncDispose'])
  if (!Symbol[name]) Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) });

// JavaScriptCore's stack holds lines `name@url:line:column` without the message: [{ name, place }] of those that are the
// worker's.  A stack that the worker wrote itself, as other engines write theirs: the lines, as `place`.
function framesOf(stack) {
  const frames = [], lines = stack.split('\n');
  let last = null;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (line === '') continue;
    const script = line.lastIndexOf('@worker.js:'), at = script >= 0 ? script : line.indexOf('@');   // names of functions may have an @, too
    if (at < 0 && !/:\d+$|^\[native code\]$/.test(line)) {
      if (/^\s+at /.test(line)) frames[frames.length] = { name: '', place: line.trim().slice('at '.length) };
      continue;
    }
    const name = at > 0 ? line.slice(0, at) : '', raw = at < 0 ? line : line.slice(at + 1);
    if (name === last && internals.isAsyncStart(raw)) continue;
    last = name;
    const where = internals.originalPlace(raw);
    if (where === '[native code]' || where.startsWith('corral:')) continue;
    if (where === '' && at <= 0) continue;
    frames[frames.length] = { name, place: where || '<evaluated>' };   // code of eval() has no name and no lines
  }
  return frames;
}
function linesOfFrames(frames) {
  let text = '';
  for (let i = 0; i < frames.length; i++) text += `\n    at ${frames[i].name ? `${frames[i].name} (${frames[i].place})` : frames[i].place}`;
  return text;
}

function stackLines(error) {
  let stack;
  try {
    stack = internals.rawStack?.(error) ?? error.stack;
    if (typeof stack !== 'string') return '';
    if (stack.startsWith(`${error.name}: `)) {      // as other engines have it, and D1's errors here
      const head = `${error.name}: ${error.message}`;
      if (stack.startsWith(head)) stack = stack.slice(head.length);
    }
  } catch { return ''; }
  return linesOfFrames(framesOf(stack));
}

function describeError(thrown) {
  if (thrown instanceof Error) {
    if (thrown.name === 'PythonError') return String(thrown.message).trimEnd();
    const name = String(thrown.name), message = String(thrown.message);
    return (message ? `${name}: ${message}` : name) + stackLines(thrown);
  }
  return `Uncaught ${internals.inspect ? internals.inspect(thrown) : String(thrown)}`;
}

// A Python exception on its way through JavaScript.  `exception` is the PyProxy
// of the exception itself, so that it can come out on Python's side unchanged.
// Its message is the traceback, which is put into words when it is read.
//
// An exception holds the variables of the functions that it ended, and with
// them often the very promise or stream that holds it: a ring through both
// languages, which no collector sees.  So of those that have come out on
// Python's side only the last ones stay; earlier ones keep their words.
const DELIVERED_MAX = 32;
const delivered = [];
let nextDelivered = 0;

class PythonError extends Error {
  #exception;
  #isDelivered = false;
  constructor(type, exception) {
    super();
    Object.defineProperty(this, 'type', { value: type, enumerable: false });
    this.#exception = exception;
  }
  get message() {
    return this.#keep(#exception in this && this.#exception ? native.pythonTraceback(this.#exception) : '');
  }
  set message(value) { this.#keep(value); }
  #keep(value) {
    Object.defineProperty(this, 'message', { value, writable: true, configurable: true });
    return value;
  }
  #letGo() {
    const exception = this.#exception;
    this.#exception = undefined;
    if (!Object.hasOwn(this, 'message')) this.#keep(native.pythonSummary(exception));
    native.pythonDestroy(exception);
  }
  static {
    // 'KeyError' of a Python exception; undefined of anything else.
    internals.pythonErrorType = (e) => (typeof e === 'object' && e !== null && #exception in e ? e.type : undefined);
    internals.pythonException = (e) => {
      if (typeof e !== 'object' || e === null || !(#exception in e)) return undefined;
      if (!e.#isDelivered) {
        e.#isDelivered = true;
        delivered[nextDelivered]?.deref()?.#letGo();
        delivered[nextDelivered] = new WeakRef(e);
        nextDelivered = (nextDelivered + 1) % DELIVERED_MAX;
      }
      return e.#exception;
    };
  }
}
Object.defineProperty(PythonError.prototype, 'name', { value: 'PythonError', configurable: true, writable: true });

internals.framesOf = framesOf;
internals.linesOfFrames = linesOfFrames;
internals.stackLines = stackLines;
internals.describeError = describeError;
internals.makePythonError = (type, exception) => new PythonError(type, exception);
// To put one into words costs more than to throw it, and is nobody's in particular.
const REJECTIONS_MAX = 100;     // in a second
const now = Date.now;
let rejections = 0, countedSince = 0;
internals.logRejection = (reason) => {
  const at = now();
  if (at - countedSince >= 1000 || at < countedSince) {
    rejections = 0;
    countedSince = at;
  }
  if (++rejections === REJECTIONS_MAX) native.log(3, 'further rejections of promises that nobody handles are not shown for a second');
  if (rejections >= REJECTIONS_MAX) return;
  native.log(4, `Uncaught (in promise) ${reason instanceof Error ? describeError(reason) : internals.inspect(reason)}`);
};
// [name, message, stack] of any thrown value, for Python's JsException.
internals.errorParts = (thrown) => {
  if (thrown instanceof Error) return [String(thrown.name), String(thrown.message), stackLines(thrown)];
  try {     // what looks like an error is one to Python
    if (typeof thrown === 'object' && thrown !== null && 'name' in thrown && 'message' in thrown && 'stack' in thrown)
      return [String(thrown.name), String(thrown.message), String(thrown.stack)];
  } catch { /* its getters throw */ }
  return ['Error', typeof thrown === 'string' ? thrown : internals.inspect(thrown), ''];
};

// Define a public name as the platform does: writable, configurable, not enumerable.
internals.expose = (names) => {
  for (const [name, value] of Object.entries(names))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
};
// The platform's classes: internals.isPlatformObject knows their objects and those of subclasses.
const platform = new internals.OwnSet();
internals.tag = (constructor, name = constructor.name) => {
  platform.add(constructor.prototype);
  Object.defineProperty(constructor.prototype, Symbol.toStringTag, { value: name, configurable: true });
};
internals.isPlatformPrototype = (object) => platform.has(object);
internals.isPlatformObject = (object) => {
  for (let o = Object.getPrototypeOf(object); o !== null; o = Object.getPrototypeOf(o)) if (platform.has(o)) return true;
  return false;
};
