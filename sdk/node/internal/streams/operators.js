// operators.js - map, filter and their like of Readable: those that give streams, and those that give promises.
import { AbortError, argType, checkInteger, checkObject, checkSignal, coded, outOfRange } from 'node:internal/errors';
import { whenAborted } from 'node:internal/streams/abort';
import { finished } from 'node:internal/streams/finished';
import { each, generator, iterate } from 'node:internal/streams/iterate';
import { nop } from 'node:internal/streams/state';

const END = Symbol('end'), SKIPPED = Symbol('skipped');
const aborted = (signal) => new AbortError(undefined, { cause: signal?.reason });

function checkOptions(options) {
  if (options !== undefined && options !== null) checkObject(options, 'options');
  if (options?.signal !== undefined && options?.signal !== null) checkSignal(options.signal, 'options.signal');
}
function checkCallable(f, name) {
  if (typeof f !== 'function') throw argType(name, ['Function', 'AsyncFunction'], f);
}
function toCount(value) {
  const count = Number(value);
  if (Number.isNaN(count)) return 0;
  if (count < 0) throw outOfRange('number', '>= 0', count);
  return count;
}
function settings(options) {
  checkOptions(options);
  const concurrency = options?.concurrency === undefined ? 1 : Math.floor(options.concurrency);
  const highWaterMark = options?.highWaterMark === undefined ? concurrency - 1 : Math.floor(options.highWaterMark);
  checkInteger(concurrency, 'options.concurrency', 1);
  checkInteger(highWaterMark, 'options.highWaterMark', 0);
  return { concurrency, ahead: concurrency + highWaterMark };
}

// Results in the order of their chunks; so many calls at a time, so many results ahead of who reads.
function map(f, options) {
  checkCallable(f, 'fn');
  const { concurrency, ahead } = settings(options), source = this, queue = [], controller = new AbortController();
  const forget = options?.signal ? whenAborted(options.signal, () => controller.abort(options.signal.reason)) : nop, { signal } = controller;
  let wakeReader = nop, wakePump = nop, isBegun = false, isOver = false, running = 0;
  const wake = () => {
    wakeReader();
    wakePump();
  };
  const pump = async () => {
    try {
      await each(source, async (chunk) => {
        if (isOver) return false;
        if (signal.aborted) throw aborted(signal);
        let result;
        running++;
        try { result = f(chunk, { signal }); } catch (error) { result = Promise.reject(error); }
        result = Promise.resolve(result);
        result.then(() => {
          running--;
          wakePump();
        }, () => {
          isOver = true;
          running--;
          wakePump();
        });
        queue.push(result);
        wakeReader();
        while (!isOver && (queue.length >= ahead || running >= concurrency)) await new Promise((resolve) => { wakePump = resolve; });
        return !isOver;
      });
      queue.push(END);
    } catch (error) {
      const failed = Promise.reject(error);
      failed.catch(nop);
      queue.push(failed);
    } finally {
      isOver = true;
      forget();
      wakeReader();
    }
  };
  return generator(async () => {
    if (!isBegun) {
      isBegun = true;
      pump();
    }
    for (;;) {
      while (queue.length > 0) {
        const result = await queue[0];
        if (result === END) return { value: undefined, done: true };
        if (signal.aborted) throw aborted(signal);
        queue.shift();
        wakePump();
        return { value: result, done: false };
      }
      await new Promise((resolve) => { wakeReader = resolve; });
    }
  }, () => {
    isOver = true;
    controller.abort();
    wake();
  });
}
function filter(f, options) {
  checkCallable(f, 'fn');
  return sieve(map.call(this, async (chunk, more) => ((await f(chunk, more)) ? chunk : SKIPPED), options), (chunk) => chunk !== SKIPPED);
}
function sieve(inner, isKept) {
  return generator(async () => {
    for (;;) {
      const result = await inner.next();
      if (result.done || isKept(result.value)) return result;
    }
  }, () => inner.return());
}
function flatMap(f, options) {
  const outer = map.call(this, f, options);
  let inner = null;
  return generator(async () => {
    for (;;) {
      if (!inner) {
        const { value, done } = await outer.next();
        if (done) return { value: undefined, done };
        inner = value[Symbol.asyncIterator] ? value[Symbol.asyncIterator]() : value[Symbol.iterator]();
      }
      const result = await inner.next();
      if (!result.done) return result;
      inner = null;
    }
  }, async () => {
    await inner?.return?.();
    await outer.return();
  });
}
// What goes on while `choose` says so: 'give', 'skip', 'last' or 'stop'.
function chosen(stream, options, choose) {
  checkOptions(options);
  const inner = iterate(stream), signal = options?.signal;
  let isLast = false;
  return generator(async () => {
    for (;;) {
      if (signal?.aborted) throw aborted(signal);
      if (isLast) return { value: undefined, done: true };
      const result = await inner.next();
      if (signal?.aborted) throw aborted(signal);
      if (result.done) return result;
      const what = choose();
      if (what === 'stop') return { value: undefined, done: true };
      if (what === 'skip') continue;
      isLast = what === 'last';
      return result;
    }
  }, () => inner.return());
}
function drop(number, options = undefined) {
  let count = toCount(number);
  return chosen(this, options, () => (count-- > 0 ? 'skip' : 'give'));
}
function take(number, options = undefined) {
  let count = toCount(number);
  return chosen(this, options, () => {
    if (count-- <= 0) return 'stop';
    return count <= 0 ? 'last' : 'give';
  });
}
function asIndexedPairs(options) {
  checkOptions(options);
  const inner = iterate(this), signal = options?.signal;
  let index = 0;
  return generator(async () => {
    if (signal?.aborted) throw aborted(signal);
    const { value, done } = await inner.next();
    return done ? { value, done } : { value: [index++, value], done };
  }, () => inner.return());
}

// ---- those that give promises ----

async function some(f, options = undefined) {
  let isFound = false;
  await each(filter.call(this, f, options), () => {
    isFound = true;
    return false;
  });
  return isFound;
}
async function every(f, options = undefined) {
  checkCallable(f, 'fn');
  return !(await some.call(this, async (...args) => !(await f(...args)), options));
}
async function find(f, options) {
  let found;
  await each(filter.call(this, f, options), (chunk) => {
    found = chunk;
    return false;
  });
  return found;
}
async function forEach(f, options) {
  checkCallable(f, 'fn');
  await each(map.call(this, async (chunk, more) => { await f(chunk, more); }, options), nop);
}
async function toArray(options) {
  checkOptions(options);
  const result = [];
  await each(this, (chunk) => {
    if (options?.signal?.aborted) throw aborted(options.signal);
    result.push(chunk);
  });
  return result;
}
async function reduce(reducer, initial, options) {
  checkCallable(reducer, 'reducer');
  checkOptions(options);
  let hasValue = arguments.length > 1, value = initial, isEmpty = true;
  const isGiven = hasValue;
  if (options?.signal?.aborted) {
    const error = aborted(options.signal);
    this.once('error', nop);
    await new Promise((resolve) => { finished(this.destroy(error), () => resolve()); });
    throw error;
  }
  const controller = new AbortController(), { signal } = controller;
  const forget = options?.signal ? whenAborted(options.signal, () => {
    controller.abort();
    this.destroy(aborted(options.signal));
  }) : nop;
  try {
    await each(this, async (chunk) => {
      isEmpty = false;
      if (options?.signal?.aborted) throw aborted(options.signal);
      if (!hasValue) {
        value = chunk;
        hasValue = true;
      } else value = await reducer(value, chunk, { signal });
    });
    if (isEmpty && !isGiven) throw coded(TypeError, 'ERR_MISSING_ARGS', 'Reduce of an empty stream requires an initial value');
  } finally {
    controller.abort();
    forget();
  }
  return value;
}
export const streamOperators = { asIndexedPairs, drop, filter, flatMap, map, take };
export const promiseOperators = { every, forEach, reduce, toArray, some, find };
