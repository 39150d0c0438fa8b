// timers.js - setTimeout, setInterval and queueMicrotask over the realm's one heap of timers.

const MAX_DELAY = 2 ** 31 - 1;
const waiting = new Map();      // id -> { callback, args, delay, repeat }
let lastId = 0;

function start(callback, delay, args, repeat) {
  if (typeof callback !== 'function')
    throw new TypeError(`${repeat ? 'setInterval' : 'setTimeout'}: the first argument must be a function`);
  delay = Number(delay);
  if (!(delay >= (repeat ? 1 : 0))) delay = repeat ? 1 : 0;
  if (delay > MAX_DELAY) delay = repeat ? 1 : 0;
  const id = ++lastId;
  waiting.set(id, { callback, args, delay, repeat });
  native.timerStart(id, delay);
  return id;
}

function clear(id) {
  id = Number(id);
  if (waiting.delete(id)) native.timerStop(id);
}

// Called by C when a timer is due.
internals.fireTimer = (id) => {
  const timer = waiting.get(id);
  if (!timer) return;
  if (!timer.repeat) waiting.delete(id);
  try {
    timer.callback.apply(globalThis, timer.args);
  } finally {
    if (timer.repeat && waiting.has(id)) native.timerStart(id, timer.delay);
  }
};

internals.expose({
  setTimeout: function setTimeout(callback, delay, ...args) { return start(callback, delay, args, false); },
  setInterval: function setInterval(callback, delay, ...args) { return start(callback, delay, args, true); },
  clearTimeout: function clearTimeout(id) { clear(id); },
  clearInterval: function clearInterval(id) { clear(id); },
  queueMicrotask: function queueMicrotask(callback) {
    if (typeof callback !== 'function') throw new TypeError('queueMicrotask: the argument must be a function');
    Promise.resolve().then(() => {
      try { callback(); } catch (e) { native.log(3, internals.describeError(e)); }
    });
  },
});
