// events.js - EventEmitter.
import { AbortError, argType, checkFunction, checkNumber, checkObject, checkSignal, coded } from 'node:internal/errors';
import { AsyncResource } from 'node:internal/async_resource';
import { inspect } from 'node:internal/inspect';

export const errorMonitor = Symbol('events.errorMonitor'), captureRejectionSymbol = Symbol.for('nodejs.rejection');
const kCapture = Symbol('kCapture');
let defaultMaxListeners = 10;

export function EventEmitter(options) { EventEmitter.init.call(this, options); }
EventEmitter.prototype._events = undefined;
EventEmitter.prototype._eventsCount = 0;
EventEmitter.prototype._maxListeners = undefined;
Object.defineProperty(EventEmitter.prototype, kCapture, { value: false, writable: true, enumerable: false });
EventEmitter.init = function init(options) {
  if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events) {
    this._events = { __proto__: null };
    this._eventsCount = 0;
  }
  this._maxListeners ||= undefined;
  if (options?.captureRejections) {
    if (typeof options.captureRejections !== 'boolean') throw argType('options.captureRejections', 'boolean', options.captureRejections);
    define(this, kCapture, true);
  } else if (EventEmitter.prototype[kCapture]) define(this, kCapture, true);
};
const define = (object, key, value) => Object.defineProperty(object, key, { value, writable: true, configurable: true, enumerable: false });
const maxOf = (emitter) => emitter._maxListeners ?? defaultMaxListeners;

function add(emitter, type, listener, isFirst) {
  checkFunction(listener, 'listener');
  let events = emitter._events;
  if (events === undefined) {
    events = emitter._events = { __proto__: null };
    emitter._eventsCount = 0;
  } else if (events.newListener !== undefined) {
    emitter.emit('newListener', type, listener.listener ?? listener);
    events = emitter._events;
  }
  const known = events[type];
  if (known === undefined) {
    events[type] = listener;
    emitter._eventsCount++;
    return emitter;
  }
  // Lists are never changed while they may be gone through: emit copies.
  const list = typeof known === 'function' ? (events[type] = isFirst ? [listener, known] : [known, listener]) : known;
  if (list === known) {
    if (isFirst) list.unshift(listener);
    else list.push(listener);
  }
  const max = maxOf(emitter);
  if (max > 0 && list.length > max && !list.warned) {
    list.warned = true;
    console.warn(`MaxListenersExceededWarning: Possible EventEmitter memory leak detected. ${list.length} ${String(type)} listeners added to ${inspect(emitter, { depth: -1 })}. MaxListeners is ${max}. Use emitter.setMaxListeners() to increase limit`);
  }
  return emitter;
}

function onceWrap(emitter, type, listener) {
  let isFired = false;
  function wrapped(...args) {
    if (isFired) return undefined;
    emitter.removeListener(type, wrapped);
    isFired = true;
    return Reflect.apply(listener, emitter, args);
  }
  wrapped.listener = listener;
  return wrapped;
}

function unhandled(emitter, args) {
  const error = args[0];
  if (error instanceof Error) return error;
  let text;
  try { text = inspect(error); } catch { text = error; }
  return coded(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${text})`, { context: error });
}
function watchRejection(emitter, promise, type, args) {
  try {
    const { then } = promise;
    if (typeof then !== 'function') return;
    then.call(promise, undefined, (error) => queueMicrotask(() => {
      if (typeof emitter[captureRejectionSymbol] === 'function') emitter[captureRejectionSymbol](error, type, ...args);
      else {
        const before = emitter[kCapture];
        try {
          emitter[kCapture] = false;
          emitter.emit('error', error);
        } finally { emitter[kCapture] = before; }
      }
    }));
  } catch (error) { emitter.emit('error', error); }
}

const methods = {
  setMaxListeners(n) {
    checkNumber(n, 'setMaxListeners', 0);
    this._maxListeners = n;
    return this;
  },
  getMaxListeners() { return maxOf(this); },
  emit(type, ...args) {
    const events = this._events;
    if (type === 'error') {
      if (events?.[errorMonitor] !== undefined) this.emit(errorMonitor, ...args);
      if (events?.error === undefined) throw unhandled(this, args);
    }
    const handler = events?.[type];
    if (handler === undefined) return false;
    const call = (listener) => {
      const result = Reflect.apply(listener, this, args);
      if (result !== undefined && result !== null && this[kCapture]) watchRejection(this, result, type, args);
    };
    if (typeof handler === 'function') call(handler);
    else for (const listener of handler.slice()) call(listener);
    return true;
  },
  addListener(type, listener) { return add(this, type, listener, false); },
  prependListener(type, listener) { return add(this, type, listener, true); },
  once(type, listener) {
    checkFunction(listener, 'listener');
    return this.on(type, onceWrap(this, type, listener));
  },
  prependOnceListener(type, listener) {
    checkFunction(listener, 'listener');
    return this.prependListener(type, onceWrap(this, type, listener));
  },
  removeListener(type, listener) {
    checkFunction(listener, 'listener');
    const events = this._events, list = events?.[type];
    if (list === undefined) return this;
    if (list === listener || list.listener === listener) {
      this._eventsCount--;
      delete events[type];
      if (events.removeListener) this.emit('removeListener', type, list.listener ?? listener);
    } else if (typeof list !== 'function') {
      const at = list.findLastIndex((item) => item === listener || item.listener === listener);
      if (at < 0) return this;
      list.splice(at, 1);
      if (list.length === 1) events[type] = list[0];
      if (events.removeListener !== undefined) this.emit('removeListener', type, listener);
    }
    return this;
  },
  removeAllListeners(type) {
    const events = this._events;
    if (events === undefined) return this;
    if (events.removeListener === undefined) {
      if (arguments.length === 0) {
        this._events = { __proto__: null };
        this._eventsCount = 0;
      } else if (events[type] !== undefined) {
        this._eventsCount--;
        delete events[type];
      }
      return this;
    }
    if (arguments.length === 0) {
      for (const key of Reflect.ownKeys(events)) if (key !== 'removeListener') this.removeAllListeners(key);
      this.removeAllListeners('removeListener');
      this._events = { __proto__: null };
      this._eventsCount = 0;
      return this;
    }
    const list = events[type];
    if (typeof list === 'function') this.removeListener(type, list);
    else if (list !== undefined) for (const listener of list.slice().reverse()) this.removeListener(type, listener);
    return this;
  },
  listeners(type) { return this.rawListeners(type).map((listener) => listener.listener ?? listener); },
  rawListeners(type) {
    const list = this._events?.[type];
    return list === undefined ? [] : typeof list === 'function' ? [list] : list.slice();
  },
  listenerCount(type, listener) {
    const list = this.rawListeners(type);
    return listener ? list.filter((item) => item === listener || item.listener === listener).length : list.length;
  },
  eventNames() { return this._eventsCount > 0 ? Reflect.ownKeys(this._events) : []; },
};
methods.on = methods.addListener;
methods.off = methods.removeListener;
for (const name of Object.keys(methods)) EventEmitter.prototype[name] = methods[name];

function onceOf(emitter, type, options = {}) {
  const signal = options?.signal;
  checkSignal(signal, 'options.signal');
  if (signal?.aborted) return Promise.reject(new AbortError(undefined, { cause: signal.reason }));
  return new Promise((resolve, reject) => {
    const failed = (error) => {
      emitter.removeListener(type, done);
      signal?.removeEventListener('abort', aborted);
      reject(error);
    };
    const done = (...args) => {
      emitter.removeListener?.('error', failed);
      signal?.removeEventListener('abort', aborted);
      resolve(args);
    };
    const aborted = () => {
      off(emitter, type, done);
      emitter.removeListener?.('error', failed);
      reject(new AbortError(undefined, { cause: signal.reason }));
    };
    listen(emitter, type, done, true);
    if (type !== 'error' && typeof emitter.once === 'function') emitter.once('error', failed);
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
function listen(emitter, type, listener, isOnce) {
  if (typeof emitter?.on === 'function') emitter[isOnce ? 'once' : 'on'](type, listener);
  else if (typeof emitter?.addEventListener === 'function') emitter.addEventListener(type, listener, { once: isOnce });
  else throw argType('emitter', 'EventEmitter', emitter);
}
function off(emitter, type, listener) {
  if (typeof emitter.removeListener === 'function') emitter.removeListener(type, listener);
  else emitter.removeEventListener(type, listener);
}

function on(emitter, type, options = {}) {
  checkObject(options, 'options');
  const { signal } = options;
  checkSignal(signal, 'options.signal');
  if (signal?.aborted) throw new AbortError(undefined, { cause: signal.reason });
  const waiting = [], events = [], listeners = [];
  let failure = null, isOver = false;
  const watch = (name, listener) => {
    listen(emitter, name, listener, false);
    listeners.push([name, listener]);
  };
  const close = () => {
    for (const [name, listener] of listeners) off(emitter, name, listener);
    signal?.removeEventListener('abort', aborted);
    isOver = true;
    for (const { resolve } of waiting.splice(0)) resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  };
  const fail = (error) => {
    const next = waiting.shift();
    if (next) next.reject(error);
    else failure = error;
    close();
  };
  const aborted = () => fail(new AbortError(undefined, { cause: signal.reason }));
  watch(type, (...args) => {
    const next = waiting.shift();
    if (next) next.resolve({ value: args, done: false });
    else events.push(args);
  });
  if (type !== 'error' && typeof emitter.on === 'function') watch('error', fail);
  for (const name of options.close ?? []) watch(name, close);
  signal?.addEventListener('abort', aborted, { once: true });
  return {
    next() {
      if (events.length) return Promise.resolve({ value: events.shift(), done: false });
      if (failure) {
        const error = failure;
        failure = null;
        return Promise.reject(error);
      }
      if (isOver) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve, reject) => { waiting.push({ resolve, reject }); });
    },
    return: close,
    throw(error) {
      if (!error || !(error instanceof Error)) throw argType('EventEmitter.AsyncIterator', 'Error', error);
      fail(error);
    },
    [Symbol.asyncIterator]() { return this; },
  };
}

class EventEmitterAsyncResource extends EventEmitter {
  #resource;
  constructor(options) {
    super(options);
    this.#resource = new AsyncResource((typeof options === 'string' ? options : options?.name) || new.target.name, options);
  }
  emit(type, ...args) { return this.#resource.runInAsyncScope(super.emit, this, type, ...args); }
  emitDestroy() { this.#resource.emitDestroy(); }
  get asyncId() { return this.#resource.asyncId(); }
  get triggerAsyncId() { return this.#resource.triggerAsyncId(); }
  get asyncResource() { return this.#resource; }
}

Object.assign(EventEmitter, {
  EventEmitter, once: onceOf, on, errorMonitor, captureRejectionSymbol, EventEmitterAsyncResource, usingDomains: false,
  getEventListeners(emitter, type) { return typeof emitter.listeners === 'function' ? emitter.listeners(type) : []; },
  getMaxListeners(emitter) { return emitter?.getMaxListeners ? emitter.getMaxListeners() : defaultMaxListeners; },
  listenerCount(emitter, type) { return emitter.listenerCount(type); },
  setMaxListeners(n = defaultMaxListeners, ...emitters) {
    checkNumber(n, 'setMaxListeners', 0);
    if (emitters.length === 0) defaultMaxListeners = n;
    for (const emitter of emitters) emitter.setMaxListeners?.(n);
  },
  addAbortListener(signal, listener) {
    if (signal === undefined) throw argType('signal', 'AbortSignal', signal);
    checkSignal(signal, 'signal');
    checkFunction(listener, 'listener');
    if (signal.aborted) queueMicrotask(() => listener());
    else signal.addEventListener('abort', listener, { once: true });
    return { [Symbol.dispose]() { signal.removeEventListener('abort', listener); } };
  },
});
Object.defineProperties(EventEmitter, {
  defaultMaxListeners: {
    enumerable: true, get: () => defaultMaxListeners,
    set(value) {
      checkNumber(value, 'defaultMaxListeners', 0);
      defaultMaxListeners = value;
    },
  },
  captureRejections: {
    enumerable: true, get: () => EventEmitter.prototype[kCapture],
    set(value) {
      if (typeof value !== 'boolean') throw argType('EventEmitter.captureRejections', 'boolean', value);
      EventEmitter.prototype[kCapture] = value;
    },
  },
});
export default EventEmitter;
