// iterate.js - streams in loops, and what async generators do, by hand: an engine's own async generators would keep
// the linker from following AsyncLocalStorage through the whole worker.
import { discard } from 'node:internal/streams/destroy';
import { finished } from 'node:internal/streams/finished';
import { both, nop } from 'node:internal/streams/state';

const AsyncIteratorPrototype = globalThis.AsyncIterator?.prototype ?? { [Symbol.asyncIterator]() { return this; } };
const OVER = { value: undefined, done: true };

// An async iterator: `step` gives { value, done }, `close` is called once, with an error or not.  Calls wait for those before.
export function generator(step, close = nop) {
  let isOver = false, last = Promise.resolve();
  const finish = async (error, isEarly) => {
    if (isOver) return;
    isOver = true;
    await close(error, isEarly);
  };
  const queued = (f) => {
    const made = last.then(f);
    last = made.then(nop, nop);
    return made;
  };
  const next = async () => {
    if (isOver) return OVER;
    let result;
    try { result = await step(); } catch (error) {
      await finish(error, false);
      throw error;
    }
    if (!result.done) return result;
    await finish(undefined, false);
    return OVER;
  };
  return {
    __proto__: AsyncIteratorPrototype,
    next: () => queued(next),
    return: (value) => queued(async () => {
      await finish(undefined, true);
      return { value: await value, done: true };
    }),
    throw: (error) => queued(async () => {
      await finish(error, true);
      throw error;
    }),
    [Symbol.asyncIterator]() { return this; },
  };
}
export const iteratorOf = (iterable) => (iterable[Symbol.asyncIterator] ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]());

// `for await`: f may answer false to leave the loop.
export async function each(iterable, f) {
  const isAsync = Boolean(iterable[Symbol.asyncIterator]), iterator = iteratorOf(iterable);
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return;
    let goesOn;
    try { goesOn = await f(isAsync ? value : await value); } catch (error) {
      try { await iterator.return?.(); } catch { /* the first error counts */ }
      throw error;
    }
    if (goesOn === false) {
      await iterator.return?.();
      return;
    }
  }
}

export function iterate(stream, options) {
  let wake = nop, error, isWatching = false, cleanup = nop;
  const onReadable = () => {
    const f = wake;
    wake = nop;
    f();
  };
  const begin = () => {
    isWatching = true;
    stream.on('readable', onReadable);
    cleanup = finished(stream, { writable: false }, (failure) => {
      error = failure ? both(error, failure) : null;
      onReadable();
    });
  };
  const step = async () => {
    if (!isWatching) begin();
    for (;;) {
      const chunk = stream.destroyed ? null : stream.read();
      if (chunk !== null) return { value: chunk, done: false };
      if (error) throw error;
      if (error === null) return OVER;
      await new Promise((resolve) => { wake = resolve; });
    }
  };
  const made = generator(step, (failure) => {
    if (!isWatching) return;        // as a generator that has not begun
    error = failure ? both(error, failure) : error;
    if ((error || options?.destroyOnReturn !== false) && (error === undefined || stream._readableState.autoDestroy)) discard(stream, null);
    else {
      stream.off('readable', onReadable);
      cleanup();
    }
  });
  made.stream = stream;
  return made;
}
