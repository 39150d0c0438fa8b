// timers.js - setTimeout, setInterval and queueMicrotask over the realm's one heap of timers.

const MAX_DELAY = 2 ** 31 - 1;
const MAX_TIMERS = 100_000;     // of the worker's own, that wait at once in one instance
const { Error, Number, Promise, TypeError } = globalThis, { apply } = Reflect, { then } = Promise.prototype, resolved = Promise.resolve();
const waiting = new internals.OwnMap();      // id -> { callback, args, delay, repeat, isOwn, isTied }
let lastId = 0, ownCount = 0;

function add(callback, delay, args, repeat, isOwn, isTied = isOwn) {
  if (isOwn && internals.isScript() && !internals.isServing()) throw new Error(internals.GLOBAL_SCOPE);
  if (isOwn && ++ownCount > MAX_TIMERS) {
    ownCount--;
    throw new internals.DOMException(`${MAX_TIMERS} timers are waiting already. Clear those that are not needed any more.`, 'QuotaExceededError');
  }
  const id = ++lastId;
  waiting.set(id, { callback, args, delay, repeat, isOwn, isTied });
  if (native.timerStart(id, delay, isTied) === false) endTimer(id);
  return id;
}

function forget(id, timer) {
  waiting.delete(id);
  if (timer.isOwn) ownCount--;
}

// In workers in JavaScript C calls it, too: what is tied ends with its request.
function endTimer(id) {
  const timer = waiting.get(id);
  if (timer) forget(id, timer);
}
internals.endTimer = endTimer;

function start(callback, delay, args, repeat) {
  if (typeof callback !== 'function')
    throw new TypeError(`${repeat ? 'setInterval' : 'setTimeout'}: the first argument must be a function`);
  delay = Number(delay);
  if (!(delay >= (repeat ? 1 : 0))) delay = repeat ? 1 : 0;
  if (delay > MAX_DELAY) delay = repeat ? 1 : 0;
  return add(callback, delay, args, repeat, true);
}

function clear(id) {
  id = Number(id);
  const timer = waiting.get(id);
  if (!timer) return;
  forget(id, timer);
  native.timerStop(id);
}

// Called by C when a timer is due.
internals.fireTimer = (id) => {
  const timer = waiting.get(id);
  if (!timer) return;
  if (!timer.repeat) forget(id, timer);
  try {
    internals.runPython(apply(timer.callback, globalThis, timer.args));
  } catch (e) {
    internals.report(e);
  } finally {
    if (timer.repeat && waiting.has(id) && native.timerStart(id, timer.delay, timer.isTied) === false) endTimer(id);
  }
};

// For other scripts: delay in milliseconds, any size.  isOwn: the worker asked for it, it counts.
internals.startTimer = (callback, delay, isOwn, isTied = isOwn) => add(callback, delay, [], false, isOwn, isTied);
internals.stopTimer = clear;

internals.expose({
  setTimeout(callback, delay, ...args) { return start(callback, delay, args, false); },
  setInterval(callback, delay, ...args) { return start(callback, delay, args, true); },
  clearTimeout(id = 0) { clear(id); },
  clearInterval(id = 0) { clear(id); },
  queueMicrotask(callback) {
    if (typeof callback !== 'function') throw new TypeError('queueMicrotask: the argument must be a function');
    apply(then, resolved, [() => {
      try { internals.runPython(callback()); } catch (e) { internals.report(e); }
    }]);
  },
});
