// from.js - Readable.from: what can be gone through, as a stream; Duplex.from has one that can be written to as well.
import { Buffer } from 'node:internal/buffer';
import { argType } from 'node:internal/errors';
import { Readable } from 'node:internal/streams/readable';
import { errors, nextTick } from 'node:internal/streams/state';

export function from(iterable, options, Class = Readable) {
  if (typeof iterable === 'string' || iterable instanceof Buffer) {
    return new Class({ objectMode: true, ...options, read() {
      this.push(iterable);
      this.push(null);
    } });
  }
  const isAsync = Boolean(iterable?.[Symbol.asyncIterator]);
  if (!isAsync && !iterable?.[Symbol.iterator]) throw argType('iterable', ['Iterable'], iterable);
  const iterator = isAsync ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
  const readable = new Class({ objectMode: true, highWaterMark: 1, ...options });
  let isReading = false;
  const pump = async () => {
    for (;;) {
      try {
        const { value, done } = isAsync ? await iterator.next() : iterator.next();
        if (done) {
          readable.push(null);
          return;
        }
        const chunk = value && typeof value.then === 'function' ? await value : value;
        if (chunk === null) {
          isReading = false;
          throw errors.nullValues();
        }
        if (readable.push(chunk)) continue;
        isReading = false;
      } catch (error) { readable.destroy(error); }
      return;
    }
  };
  readable._read = () => {
    if (isReading) return;
    isReading = true;
    pump();
  };
  const close = async (error) => {
    const hasError = error !== undefined && error !== null;
    if (hasError && typeof iterator.throw === 'function') {
      const { value, done } = await iterator.throw(error);
      await value;
      if (done) return;
    }
    if (typeof iterator.return === 'function') {
      const { value } = await iterator.return();
      await value;
    }
  };
  readable._destroy = (error, callback) => { close(error).then(() => nextTick(callback, error), (failure) => nextTick(callback, failure || error)); };
  return readable;
}
