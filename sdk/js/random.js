// random.js - Math.random from the kernel's random numbers.
//
// JavaScriptCore's own generator is part of the memory that fork copies, so
// all instances would draw the same numbers.  This one refills a small pool
// with getrandom; internals.forgetRandom, called in every new process, empties it.

const pool = new Float64Array(128);
let next = pool.length;

Object.defineProperty(globalThis.Math, 'random', {
  value: function random() {
    if (next === pool.length) {
      native.fillRandom(pool);
      next = 0;
    }
    return pool[next++];
  },
  writable: true, configurable: true, enumerable: false,
});

internals.forgetRandom = () => { next = pool.length; };
