// events.js - Event and its kinds, EventTarget, and the global object as a target.
//
// There is no tree here: a target is its own whole path.  Its listeners are a
// Map of type -> [listener], made with the first one; the global object has
// such a Map too, though it is no EventTarget.  A listener that throws is
// reported and the next one runs.

const { DOMException } = internals;
const { slice, splice, indexOf } = Array.prototype;
const globalListeners = new internals.OwnMap();
let listenersOf, makeListeners;     // target -> its Map; the first gives undefined when there is none yet
let dispatch;                       // (target, event) -> was it not cancelled?

class Event {
  #type; #bubbles = false; #cancelable = false; #composed = false;
  #timeStamp = internals.clock();
  #target = null; #currentTarget = null; #phase = 0;
  #isStopped = false; #isStoppedNow = false; #isCanceled = false; #isPassive = false; #isDispatched = false;
  #isTrusted = false;

  constructor(type, init = undefined) {
    if (arguments.length === 0) throw new TypeError('Event: the first argument must be the name of the event');
    this.#type = String(type);
    if (init === undefined || init === null) return;
    init = internals.options(init, 'Event');
    this.#bubbles = Boolean(init.bubbles);
    this.#cancelable = Boolean(init.cancelable);
    this.#composed = Boolean(init.composed);
  }

  get type() { return this.#type; }
  get target() { return this.#target; }
  get srcElement() { return this.#target; }
  get currentTarget() { return this.#currentTarget; }
  get eventPhase() { return this.#phase; }
  get bubbles() { return this.#bubbles; }
  get cancelable() { return this.#cancelable; }
  get composed() { return this.#composed; }
  get defaultPrevented() { return this.#isCanceled; }
  get timeStamp() { return this.#timeStamp; }
  get isTrusted() { return this.#isTrusted; }
  get returnValue() { return !this.#isCanceled; }
  set returnValue(value) { if (!value) this.preventDefault(); }
  get cancelBubble() { return this.#isStopped; }
  set cancelBubble(value) { if (value) this.#isStopped = true; }
  composedPath() { return this.#currentTarget === null ? [] : [this.#currentTarget]; }
  stopPropagation() { this.#isStopped = true; }
  stopImmediatePropagation() { this.#isStopped = this.#isStoppedNow = true; }
  preventDefault() { if (this.#cancelable && !this.#isPassive) this.#isCanceled = true; }

  static {
    internals.isEvent = (value) => typeof value === 'object' && value !== null && #type in value;
    internals.trust = (event) => { event.#isTrusted = true; return event; };

    dispatch = (target, event) => {
      if (event.#isDispatched) throw new DOMException('The event is being dispatched already.', 'InvalidStateError');
      event.#isDispatched = true;
      event.#target = event.#currentTarget = target;
      event.#phase = Event.AT_TARGET;
      // Capturing listeners first, each time those that are there at its beginning.
      for (let phase = 0; phase < 2; phase++) {
        const capture = phase === 0, listeners = listenersOf(target)?.get(event.#type);
        if (!listeners || event.#isStopped) break;
        const now = slice.call(listeners);
        for (let i = 0; i < now.length; i++) {
          const listener = now[i];
          if (listener.isRemoved || listener.capture !== capture) continue;
          if (listener.once) remove(target, event.#type, listener);
          event.#isPassive = listener.passive;
          invoke(listener.callback, target, event);
          event.#isPassive = false;
          if (event.#isStoppedNow) break;
        }
      }
      event.#phase = Event.NONE;
      event.#currentTarget = null;
      event.#isDispatched = event.#isStopped = event.#isStoppedNow = false;
      return !event.#isCanceled;
    };
  }
}
['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'].forEach((name, i) => {
  for (const object of [Event, Event.prototype]) Object.defineProperty(object, name, { value: i, enumerable: true });
});

class CustomEvent extends Event {
  #detail;
  constructor(type, init = undefined) {
    super(...arguments);
    const { detail } = internals.options(init, 'CustomEvent');
    this.#detail = detail === undefined ? null : detail;
  }
  get detail() { return this.#detail; }
}

class ErrorEvent extends Event {
  #init;
  constructor(type, init = undefined) {
    super(...arguments);
    const { message = '', filename = '', lineno = 0, colno = 0, error } = internals.options(init, 'ErrorEvent');
    this.#init = { message: String(message), filename: String(filename), lineno: Number(lineno), colno: Number(colno), error };
  }
  get message() { return this.#init.message; }
  get filename() { return this.#init.filename; }
  get lineno() { return this.#init.lineno; }
  get colno() { return this.#init.colno; }
  get error() { return this.#init.error; }
}

class PromiseRejectionEvent extends Event {
  #promise; #reason;
  constructor(type, init) {
    if (typeof init?.promise !== 'object' || init.promise === null) throw new TypeError('PromiseRejectionEvent: the second argument must be an object with a promise');
    super(...arguments);
    this.#promise = init.promise;
    this.#reason = init.reason;
  }
  get promise() { return this.#promise; }
  get reason() { return this.#reason; }
}

// ---- listeners ----

// A Python function comes as another proxy each time.
const isSame = (a, b) => a === b || (native.isPython(a) && native.isPython(b) && native.pythonIsSame(a, b));

let failure = null;      // of the listeners that run

function invoke(callback, target, event) {
  try {
    let f = callback, self = target;
    if (typeof f !== 'function') {
      self = callback;
      f = callback.handleEvent;
      if (typeof f !== 'function') throw new TypeError(`the listener of '${event.type}' is neither a function nor an object with handleEvent()`);
    }
    internals.runPython(Reflect.apply(f, self, [event]));
  } catch (e) {
    failure ??= { error: e };
    internals.report(e);
  }
}

function remove(target, type, listener) {
  const map = listenersOf(target), listeners = map?.get(type), at = listeners ? indexOf.call(listeners, listener) : -1;
  listener.isRemoved = true;
  if (at < 0) return;
  splice.call(listeners, at, 1);
  if (listeners.length === 0) map.delete(type);
  if (listener.signal) internals.removeAbortAlgorithm(listener.signal, listener.stop);
  internals.onListeners(target, type, listeners.length);
}

function find(target, type, callback, capture) {
  const listeners = listenersOf(target)?.get(type);
  for (let i = 0; i < (listeners?.length ?? 0); i++) if (listeners[i].capture === capture && isSame(listeners[i].callback, callback)) return listeners[i];
  return undefined;
}

function add(target, type, callback, options) {
  const map = makeListeners(target);
  const more = typeof options === 'object' || typeof options === 'function' ? internals.options(options, 'addEventListener') : null;
  const signal = more?.signal;
  if (signal !== undefined && !internals.isAbortSignal(signal)) throw new TypeError('addEventListener: signal must be an AbortSignal');
  if (callback === null || callback === undefined) return;
  if (typeof callback !== 'function' && typeof callback !== 'object') throw new TypeError('addEventListener: the listener must be a function or an object with handleEvent()');
  if (signal && internals.isAborted(signal)) return;
  type = String(type);
  const listener = {
    callback, capture: Boolean(more ? more.capture : options), once: Boolean(more?.once), passive: Boolean(more?.passive),
    isRemoved: false, signal, stop: null,
  };
  if (find(target, type, callback, listener.capture)) return;
  let listeners = map.get(type);
  if (!listeners) map.set(type, listeners = []);
  listeners[listeners.length] = listener;
  if (signal) {
    listener.stop = () => remove(target, type, listener);
    internals.addAbortAlgorithm(signal, listener.stop);
  }
  internals.onListeners(target, type, listeners.length);
}

function removeCallback(target, type, callback, options) {
  const capture = Boolean(typeof options === 'object' && options !== null ? internals.options(options, 'removeEventListener').capture : options);
  type = String(type);
  const listener = find(target, type, callback, capture);
  if (listener) remove(target, type, listener);
}

function dispatchAt(target, event) {
  if (!internals.isEvent(event)) throw new TypeError('dispatchEvent: the argument must be an Event');
  return dispatch(target, event);
}

class EventTarget {
  #listeners; #handlers;
  addEventListener(type, callback, options = undefined) { add(this, type, callback, options); }
  removeEventListener(type, callback, options = undefined) { removeCallback(this, type, callback, options); }
  dispatchEvent(event) { return dispatchAt(this, event); }

  static {
    listenersOf = (target) => (target === globalThis ? globalListeners : target.#listeners);
    makeListeners = (target) => (target === globalThis ? globalListeners : target.#listeners ??= new internals.OwnMap());
    // Those of a target of ours that no event will ever reach again.
    internals.forgetListeners = (target) => {
      for (const [type, listeners] of [...target.#listeners ?? []]) for (const one of [...listeners]) remove(target, type, one);
      target.#handlers = undefined;
    };
    // prototype.onTYPE: the listener that is set by assignment keeps its place.
    internals.addHandler = (prototype, type) => {
      Object.defineProperty(prototype, `on${type}`, {
        get() { return this.#handlers?.[type]?.value ?? null; },
        set(value) {
          const handlers = this.#handlers ??= { __proto__: null };
          const isCallable = typeof value === 'function' || (typeof value === 'object' && value !== null);
          if (!isCallable) {
            if (handlers[type]) removeCallback(this, type, handlers[type].call, false);
            handlers[type] = null;
          } else if (handlers[type]) handlers[type].value = value;
          else {
            const handler = handlers[type] = { value, call: null };
            handler.call = function (event) {
              if (typeof handler.value !== 'function') return undefined;
              const result = Reflect.apply(handler.value, this, [event]);
              if (result === false) event.preventDefault();
              return result;
            };
            add(this, type, handler.call, false);
          }
        },
        enumerable: true, configurable: true,
      });
    };
  }
}
// Dispatch an event of the platform's own.
internals.fire = (target, event) => dispatch(target, internals.trust(event));
// The same; { error } of the first listener that threw, or null.
internals.fireOr = (target, event) => {
  const before = failure;
  failure = null;
  try {
    internals.fire(target, event);
    return failure;
  } finally { failure = before; }
};
internals.hasListeners = (target, type) => Boolean(listenersOf(target)?.has(type));
// abort.js wants to know how many listen.
internals.onListeners = () => {};

// ---- the global object ----

let isReporting = false;
const { then } = Promise.prototype, resolved = Promise.resolve();

// A coroutine that a callback of Python gave runs as a task; what it raises is reported.
internals.runPython = (result) => {
  if (typeof result === 'object' && result !== null && native.isPython(result) && typeof result.then === 'function')
    result.then(undefined, internals.report);
  return result;
};

function fireGlobally(event) {
  if (isReporting) return true;     // a listener of 'error' that fails itself
  isReporting = true;
  try { return internals.fire(globalThis, event); } finally { isReporting = false; }
}

// What nobody caught: to listeners of 'error', then to the log.
internals.report = (error) => {
  if (globalListeners.has('error')) {
    let parts = ['', ''], where = error;
    try { parts = internals.errorParts(error); } catch { /* it cannot be shown */ }
    if (typeof error !== 'object' || error === null) where = {};
    const init = { error, message: parts[0] && parts[1] ? `Uncaught ${parts[0]}: ${parts[1]}` : `Uncaught ${parts[0] || parts[1]}`, cancelable: true };
    try {
      init.filename = where.sourceURL;
      init.lineno = where.line;
      init.colno = where.column;
    } catch { /* getters of its own */ }
    if (!fireGlobally(new ErrorEvent('error', init))) return;
  }
  let text;
  try { text = internals.describeError(error); } catch { text = 'an exception that cannot be shown'; }
  native.log(4, text);
};

// Rejected promises that nobody hears yet, each with the timer of its report: what a handler returns, or gives to
// asyncio.gather or asyncio.wait_for, is awaited by Python one or two turns of the loop later.
const unheard = new internals.OwnMap(), TURNS = 3;
internals.hears = (promise) => {
  if (unheard.size === 0 || !unheard.has(promise)) return;
  internals.stopTimer(unheard.get(promise));
  unheard.delete(promise);
};

// A promise that was rejected with nobody to hear it.  Top-level code has no later turn.
internals.onRejection = (promise, reason) => {
  if (!internals.isServing() || internals.isScript()) {
    reportRejection(promise, reason);
    return;
  }
  reportAfter(TURNS, promise, reason);
};

function reportAfter(turns, promise, reason) {
  unheard.set(promise, internals.startTimer(() => {
    if (turns > 1) {
      reportAfter(turns - 1, promise, reason);
      return;
    }
    unheard.delete(promise);
    reportRejection(promise, reason);
  }, 0, false));
}

// The engine tells nobody when a promise finds its listener later; then() and catch() of this one do.
function hearLate(promise, reason) {
  if (!globalListeners.has('rejectionhandled')) return;
  Object.defineProperty(promise, 'then', {
    value(...callbacks) {
      delete promise.then;
      Reflect.apply(then, resolved, [() => { fireGlobally(new PromiseRejectionEvent('rejectionhandled', { promise, reason })); }]);
      return Reflect.apply(then, promise, callbacks);
    },
    configurable: true, writable: true,
  });
}

function reportRejection(promise, reason) {
  const isHeard = globalListeners.has('unhandledrejection') &&
    !fireGlobally(new PromiseRejectionEvent('unhandledrejection', { promise, reason, cancelable: true }));
  hearLate(promise, reason);
  if (isHeard) return;
  internals.logRejection(reason);
}

for (const c of [Event, CustomEvent, ErrorEvent, PromiseRejectionEvent, EventTarget]) internals.tag(c);
internals.expose({
  Event, CustomEvent, ErrorEvent, PromiseRejectionEvent, EventTarget,
  addEventListener: function addEventListener(type, callback, options = undefined) { add(globalThis, type, callback, options); },
  removeEventListener: function removeEventListener(type, callback, options = undefined) { removeCallback(globalThis, type, callback, options); },
  dispatchEvent: function dispatchEvent(event) { return dispatchAt(globalThis, event); },
  reportError: function reportError(error) {
    if (arguments.length === 0) throw new TypeError('reportError: expected the error');
    internals.report(error);
  },
});
