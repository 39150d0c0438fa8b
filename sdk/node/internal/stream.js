// stream.js - node:stream put together; its module is Stream itself.
import { coded } from 'node:internal/errors';
import { kPromisify } from 'node:internal/util';
import { bufferOver } from 'node:internal/buffer';
import { addAbortSignal } from 'node:internal/streams/abort';
import { compose, composeWith, duplexOf } from 'node:internal/streams/compose';
import { discard } from 'node:internal/streams/destroy';
import { Duplex, PassThrough, Transform, duplexPair } from 'node:internal/streams/duplex';
import { finished, whenFinished } from 'node:internal/streams/finished';
import { from } from 'node:internal/streams/from';
import { Stream } from 'node:internal/streams/legacy';
import { promiseOperators, streamOperators } from 'node:internal/streams/operators';
import { pipeline, whenPiped } from 'node:internal/streams/pipeline';
import { Readable } from 'node:internal/streams/readable';
import { getDefaultHighWaterMark, isDestroyed, isDisturbed, isErrored, isReadable, isWritable, setDefaultHighWaterMark } from 'node:internal/streams/state';
import * as web from 'node:internal/streams/web';
import { Writable } from 'node:internal/streams/writable';

export const promises = { finished: whenFinished, pipeline: whenPiped };
Readable.from = (iterable, options) => from(iterable, options);
Readable.wrap = (old, options) => new Readable({
  objectMode: old.readableObjectMode ?? old.objectMode ?? true, ...options,
  destroy(error, callback) {
    discard(old, error);
    callback(error);
  },
}).wrap(old);
Readable.fromWeb = web.readableFromWeb;
Readable.toWeb = web.readableToWeb;
Writable.fromWeb = web.writableFromWeb;
Writable.toWeb = web.writableToWeb;
Duplex.fromWeb = web.duplexFromWeb;
Duplex.toWeb = web.duplexToWeb;
Duplex.from = duplexOf;

// map, toArray and their like, as methods.
function method(name, f, wrap) {
  const value = function (...args) {
    if (new.target) throw coded(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    return wrap(Reflect.apply(f, this, args));
  };
  Object.defineProperty(value, 'name', { value: name, configurable: true });
  Object.defineProperty(value, 'length', { value: f.length, configurable: true });
  Object.defineProperty(Readable.prototype, name, { value, writable: true, configurable: true });
}
for (const [name, f] of Object.entries(streamOperators)) method(name, f, (made) => from(made));
for (const [name, f] of Object.entries(promiseOperators)) method(name, f, (promise) => promise);
method('compose', composeWith, (made) => made);

Object.assign(Stream, {
  isDestroyed, isDisturbed, isErrored, isReadable, isWritable, Readable, Writable, Duplex, Transform, PassThrough, duplexPair, pipeline, addAbortSignal, finished, compose,
  destroy: discard, setDefaultHighWaterMark, getDefaultHighWaterMark, Stream,
  _isUint8Array: (value) => value instanceof Uint8Array, _isArrayBufferView: ArrayBuffer.isView,
  _uint8ArrayToBuffer: (chunk) => bufferOver(chunk),
});
Object.defineProperty(Stream, 'promises', { enumerable: true, configurable: true, get: () => promises });
Object.defineProperty(pipeline, kPromisify, { enumerable: true, get: () => whenPiped });
Object.defineProperty(finished, kPromisify, { enumerable: true, get: () => whenFinished });
export { Stream };
