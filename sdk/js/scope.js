// scope.js - names of the global object that are there to be asked about: what kind of scope this is, whose it is.
//
// The global object stays an object of the engine's: these classes say by instanceof what it is, as on Cloudflare.

const { Error, ExtendableEvent, ReadableStream, ReferenceError, String, Symbol, TypeError, fetch } = globalThis;
const { apply } = Reflect, { cancel } = ReadableStream.prototype, { freeze, defineProperty } = Object;
const bodyOf = Object.getOwnPropertyDescriptor(globalThis.Response.prototype, 'body').get;
const refuse = () => { throw new TypeError('Illegal constructor'); };

class WorkerGlobalScope extends EventTarget {
  constructor() { refuse(); }
}
class ServiceWorkerGlobalScope extends WorkerGlobalScope {
  static [Symbol.hasInstance](value) { return value === globalThis; }
}
// Requests and Responses.  Their methods are their own, as the standard has them.
class Body {
  constructor() { refuse(); }
  static [Symbol.hasInstance](value) { return internals.isRequest(value) || internals.isResponse(value); }
}
class TailEvent extends ExtendableEvent {}

class WebSocketRequestResponsePair {
  #request; #response;
  constructor(request, response) {
    if (arguments.length < 2) throw new TypeError("Failed to construct 'WebSocketRequestResponsePair': two texts are needed.");
    this.#request = String(request);
    this.#response = String(response);
  }
  get request() { return this.#request; }
  get response() { return this.#response; }
}

// ---- Cloudflare.compatibilityFlags: those that the worker names ----

const cloudflare = { compatibilityFlags: freeze({ __proto__: null }) };
defineProperty(cloudflare, Symbol.toStringTag, { value: 'Cloudflare' });
internals.showFlags = (names) => {
  const flags = { __proto__: null };
  for (let i = 0; i < names.length; i++) if (names[i] !== '') flags[names[i]] = true;
  cloudflare.compatibilityFlags = freeze(flags);
};

// ---- navigator.sendBeacon ----

async function beacon(url, body) {
  const answer = await fetch(url, { __proto__: null, method: 'POST', body }), stream = apply(bodyOf, answer, []);
  if (stream !== null) await apply(cancel, stream, []);
}
// A POST whose answer nobody waits for; the request's surroundings stay until it has come.
defineProperty(Navigator.prototype, 'sendBeacon', {
  value: function sendBeacon(url, body = undefined) {
    internals.needArguments(1, arguments.length, 'sendBeacon');
    if (!internals.isServing()) throw new Error(internals.GLOBAL_SCOPE);
    internals.makeContext(native.currentRequest()).waitUntil(beacon(url, body));
    return true;
  },
  writable: true, enumerable: true, configurable: true,
});

// ---- nobody else could wake who waits ----

defineProperty(Atomics, 'wait', {
  value: function wait(array, index, value, timeout = undefined) { throw new TypeError('Atomics.wait cannot be called in this context'); },
  writable: true, configurable: true, enumerable: false,
});

// ---- what engines have that know `using`, and this one does not yet ----

class Suppressed extends Error {
  constructor(error, suppressed, message = undefined) {
    super(message);
    for (const [name, value] of [['error', error], ['suppressed', suppressed]]) defineProperty(this, name, { value, writable: true, configurable: true });
  }
}
defineProperty(Suppressed, 'name', { value: 'SuppressedError', configurable: true });
defineProperty(Suppressed.prototype, 'name', { value: 'SuppressedError', writable: true, configurable: true });

// What was thrown, over what was thrown before.
const over = (error, failure) => ({ error: failure ? new Suppressed(error, failure.error) : error });
const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
const CALLS = Symbol('calls');

class Stack {
  #isDisposed = false; #calls = [];
  get disposed() { return this.#isDisposed; }
  defer(onDispose) {
    if (typeof onDispose !== 'function') throw new TypeError(`${this.constructor.name}.defer: the argument must be a function`);
    this.#push(() => onDispose());
  }
  adopt(value, onDispose) {
    if (typeof onDispose !== 'function') throw new TypeError(`${this.constructor.name}.adopt: the second argument must be a function`);
    this.#push(() => onDispose(value));
    return value;
  }
  [CALLS](value, symbols) {
    if (value === null || value === undefined) {
      this.#push(() => undefined);
      return value;
    }
    const method = isObject(value) ? symbols.map((symbol) => value[symbol]).find((one) => one !== undefined && one !== null) : undefined;
    if (typeof method !== 'function') throw new TypeError(`${this.constructor.name}.use: the value has no ${String(symbols[0])}`);
    this.#push(() => apply(method, value, []));
    return value;
  }
  #push(call) {
    if (this.#isDisposed) throw new ReferenceError(`this ${this.constructor.name} has been disposed of`);
    this.#calls.push(call);
  }
  static take(stack) {
    const calls = stack.#calls;
    stack.#isDisposed = true;
    stack.#calls = [];
    return calls;
  }
  static give(from, to) {
    if (from.#isDisposed) throw new ReferenceError(`this ${from.constructor.name} has been disposed of`);
    to.#calls = take(from);
    return to;
  }
}
class DisposableStack extends Stack {
  use(value) { return this[CALLS](value, [Symbol.dispose]); }
  dispose() {
    let failure = null;
    for (const calls = take(this); calls.length > 0;) try { calls.pop()(); } catch (error) { failure = over(error, failure); }
    if (failure) throw failure.error;
  }
  move() { return give(this, new DisposableStack()); }
}
class AsyncDisposableStack extends Stack {
  use(value) { return this[CALLS](value, [Symbol.asyncDispose, Symbol.dispose]); }
  async disposeAsync() {
    let failure = null;
    for (const calls = take(this); calls.length > 0;) try { await calls.pop()(); } catch (error) { failure = over(error, failure); }
    if (failure) throw failure.error;
  }
  move() { return give(this, new AsyncDisposableStack()); }
}
const { take, give } = Stack;
delete Stack.take;
delete Stack.give;
for (const [Class, symbol, name] of [[DisposableStack, Symbol.dispose, 'dispose'], [AsyncDisposableStack, Symbol.asyncDispose, 'disposeAsync']]) {
  defineProperty(Class.prototype, symbol, { value: Class.prototype[name], writable: true, configurable: true });
  defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
}
for (const [name, value] of Object.entries({ DisposableStack, AsyncDisposableStack, SuppressedError: Suppressed }))
  if (!globalThis[name]) internals.expose({ [name]: value });

for (const Class of [Body, TailEvent, WebSocketRequestResponsePair]) internals.tag(Class);
defineProperty(WorkerGlobalScope.prototype, Symbol.toStringTag, { value: 'WorkerGlobalScope', configurable: true });
internals.expose({ WorkerGlobalScope, ServiceWorkerGlobalScope, Body, TailEvent, TraceEvent: TailEvent, WebSocketRequestResponsePair, Cloudflare: cloudflare, origin: 'null',
  constructor: ServiceWorkerGlobalScope });
defineProperty(globalThis, Symbol.toStringTag, { value: 'ServiceWorkerGlobalScope', configurable: true });
