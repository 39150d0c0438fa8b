// error_stack.js - the `stack` of errors that a worker in JavaScript makes: a head and lines "    at name (file:line:column)",
// as V8 writes it, in the worker's own files.
//
// This engine's own stack has neither the message nor a way to change that, so here are constructors in the place of Error
// and its like: the platform's errors are made by them, too.  What the engine itself throws keeps its own stack, as all do
// where Python is the worker's language.  https://v8.dev/docs/stack-trace-api has the rules.

const { EvalError, ReferenceError, URIError, AggregateError } = globalThis;
const { defineProperty, getOwnPropertyDescriptor, setPrototypeOf } = Object, { apply, construct, ownKeys } = Reflect, { slice, map } = Array.prototype;
const { toString } = Error.prototype, capture = Error.captureStackTrace;
const FRAMES = 10;        // V8's Error.stackTraceLimit

// What a place of a stack is to Error.prepareStackTrace.
const PLACE = /^(.*):(\d+):(\d+)$/;
class CallSite {
  #name; #place;
  constructor({ name, place }) {
    this.#name = name || null;
    this.#place = PLACE.exec(place) ?? [null, place, '0', '0'];
  }
  getThis() {}
  getFunction() {}
  getTypeName() { return null; }
  getFunctionName() { return this.#name; }
  getMethodName() { return null; }
  getFileName() { return this.#place[1]; }
  getScriptNameOrSourceURL() { return this.#place[1]; }
  getLineNumber() { return Number(this.#place[2]) || null; }
  getColumnNumber() { return Number(this.#place[3]) || null; }
  getEvalOrigin() {}
  getPromiseIndex() { return null; }
  isToplevel() { return true; }
  isEval() { return false; }
  isNative() { return false; }
  isConstructor() { return false; }
  isAsync() { return false; }
  isPromiseAll() { return false; }
  toString() { return this.#name ? `${this.#name} (${this.#place[0] ?? this.#place[1]})` : this.#place[0] ?? this.#place[1]; }
}

let isOn = false;         // the worker is one in JavaScript
let take, rawOf, rename;
class Stamped {
  constructor(object) { return object; }
}
class Stack extends Stamped {
  #raw; #head; #limit; #text;
  constructor(object) { super(object); }      // the one that the language gives goes through an iterator
  static {
    take = (object, raw, head, limit) => {
      if (!(#raw in object)) new Stack(object);
      object.#raw = raw;
      object.#head = head;
      object.#limit = limit;
      object.#text = undefined;
      defineProperty(object, 'stack', DESCRIPTOR);
    };
    rename = (object) => { if (#raw in object) object.#head = headOf(object); };
    rawOf = (object) => (#raw in object && getOwnPropertyDescriptor(object, 'stack')?.get === DESCRIPTOR.get ? object.#raw : undefined);
  }
  // As it was when the error was made, put into words when somebody looks.
  static read(object) {
    if (!(#raw in object)) return undefined;
    if (object.#text === undefined) {
      const frames = apply(slice, internals.framesOf(object.#raw), [0, object.#limit]), prepare = made.prepareStackTrace;
      if (typeof prepare === 'function') object.#text = apply(prepare, made, [object, apply(map, frames, [(frame) => new CallSite(frame)])]);
      else object.#text = object.#head + internals.linesOfFrames(frames);
    }
    return object.#text;
  }
}
const DESCRIPTOR = {
  get: function stack() { return typeof this === 'object' && this !== null ? Stack.read(this) : undefined; },
  set: function stack(value) { defineProperty(this, 'stack', { value, writable: true, configurable: true, enumerable: false }); },
  configurable: true, enumerable: false,
};
// What the engine had kept of an error's stack, while that is still ours.
internals.rawStack = (error) => rawOf(error);

function headOf(object) {
  try { return apply(toString, object, []); } catch { return '<error>'; }
}
function limitOf() {
  const limit = getOwnPropertyDescriptor(made, 'stackTraceLimit')?.value;
  return typeof limit === 'number' && limit > 0 ? limit : 0;
}
function keepStack(object) {
  const { stack } = object;
  if (typeof stack === 'string') take(object, stack, headOf(object), limitOf());
}
// An error that has its name and message later than others.
internals.nameStack = (error) => { if (isOn) rename(error); };

function replacement(Native, Base) {
  const { name, length, prototype } = Native;
  const { [name]: own } = { [name]: function (...args) {
    const error = construct(Native, args, new.target ?? Native);
    if (isOn) keepStack(error);
    return error;
  } };
  for (const key of ownKeys(Native)) if (!['name', 'length', 'prototype'].includes(key)) defineProperty(own, key, getOwnPropertyDescriptor(Native, key));
  defineProperty(own, 'length', { value: length, configurable: true });
  defineProperty(own, 'prototype', { value: prototype, writable: false });
  if (Base) setPrototypeOf(own, Base);
  return own;
}
const made = replacement(globalThis.Error), all = { __proto__: null, Error: made };
for (const Native of [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError]) all[Native.name] = replacement(Native, made);
made.stackTraceLimit = FRAMES;
defineProperty(made, 'captureStackTrace', { writable: true, configurable: true, enumerable: false, value: function captureStackTrace(object, below) {
  capture(object, below);
  keepStack(object);
} });
internals.errors = all;

internals.ownErrors = () => {
  isOn = true;
  for (const name in all) {
    defineProperty(all[name].prototype, 'constructor', { value: all[name], writable: true, configurable: true, enumerable: false });
    defineProperty(globalThis, name, { value: all[name], writable: true, configurable: true, enumerable: false });
  }
};
