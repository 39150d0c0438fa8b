// stream.js - node:stream put together; its module is Stream itself.
import { kPromisify } from 'node:internal/util';
import { bufferOver } from 'node:internal/buffer';
import { addAbortSignal } from 'node:internal/streams/abort';
import { discard } from 'node:internal/streams/destroy';
import { Duplex, PassThrough, Transform, duplexPair } from 'node:internal/streams/duplex';
import { finished, whenFinished } from 'node:internal/streams/finished';
import { from } from 'node:internal/streams/from';
import { Stream } from 'node:internal/streams/legacy';
import { pipeline, whenPiped } from 'node:internal/streams/pipeline';
import { Readable } from 'node:internal/streams/readable';
import { getDefaultHighWaterMark, isDestroyed, isDisturbed, isErrored, isReadable, isWritable, setDefaultHighWaterMark } from 'node:internal/streams/state';
import { Writable } from 'node:internal/streams/writable';

export const promises = { finished: whenFinished, pipeline: whenPiped };
Readable.from = from;
Object.assign(Stream, {
  isDestroyed, isDisturbed, isErrored, isReadable, isWritable, Readable, Writable, Duplex, Transform, PassThrough, duplexPair, pipeline, addAbortSignal, finished,
  destroy: discard, setDefaultHighWaterMark, getDefaultHighWaterMark, Stream,
  _isUint8Array: (value) => value instanceof Uint8Array, _isArrayBufferView: ArrayBuffer.isView,
  _uint8ArrayToBuffer: (chunk) => bufferOver(chunk),
});
Object.defineProperty(Stream, 'promises', { enumerable: true, configurable: true, get: () => promises });
Object.defineProperty(pipeline, kPromisify, { enumerable: true, get: () => whenPiped });
Object.defineProperty(finished, kPromisify, { enumerable: true, get: () => whenFinished });
export { Stream };
