// web.js - streams of Node.js as web streams, and the other way round.
import { AbortError, argType } from 'node:internal/errors';
import { Buffer } from 'node:internal/buffer';
import { discard } from 'node:internal/streams/destroy';
import { Duplex } from 'node:internal/streams/duplex';
import { finished } from 'node:internal/streams/finished';
import { Readable } from 'node:internal/streams/readable';
import { isDestroyed, isReadable, isReadableWeb, isWritable, isWritableWeb, nextTick, nop } from 'node:internal/streams/state';
import { Writable } from 'node:internal/streams/writable';

const { ReadableStream, WritableStream, CountQueuingStrategy, ByteLengthQueuingStrategy } = globalThis;

function overError(error) {
  return error?.code === 'ERR_STREAM_PREMATURE_CLOSE' ? new AbortError(undefined, { cause: error }) : error;
}
export function readableToWeb(readable, options = {}) {
  if (typeof readable?._readableState !== 'object') throw argType('streamReadable', 'stream.Readable', readable);
  if (isDestroyed(readable) || !isReadable(readable)) {
    const ended = new ReadableStream();
    ended.cancel();
    return ended;
  }
  const isObjects = readable.readableObjectMode, highWaterMark = readable.readableHighWaterMark;
  const strategy = options.strategy ?? (isObjects ? new CountQueuingStrategy({ highWaterMark }) : new ByteLengthQueuingStrategy({ highWaterMark }));
  let controller, wasCancelled = false;
  readable.pause();
  const forget = finished(readable, (error) => {
    forget();
    readable.on('error', nop);
    if (error) controller.error(overError(error));
    else if (!wasCancelled) controller.close();
  });
  readable.on('data', (chunk) => {
    controller.enqueue(Buffer.isBuffer(chunk) && !isObjects ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength) : chunk);
    if (controller.desiredSize <= 0) readable.pause();
  });
  return new ReadableStream({
    start(given) { controller = given; },
    pull() { readable.resume(); },
    cancel(reason) {
      wasCancelled = true;
      discard(readable, reason);
    },
  }, strategy);
}
export function readableFromWeb(stream, options = {}) {
  if (!isReadableWeb(stream)) throw argType('readableStream', 'ReadableStream', stream);
  const reader = stream.getReader();
  let isClosed = false;
  const readable = new Readable({
    highWaterMark: options.highWaterMark, encoding: options.encoding, objectMode: options.objectMode ?? false, signal: options.signal,
    read() {
      reader.read().then(({ value, done }) => { readable.push(done ? null : value); }, (error) => discard(readable, error));
    },
    destroy(error, callback) {
      const done = () => nextTick(callback, error);
      if (isClosed) callback(error);
      else reader.cancel(error ?? undefined).then(done, done);
    },
  });
  reader.closed.then(() => { isClosed = true; }, (error) => {
    isClosed = true;
    discard(readable, error);
  });
  return readable;
}
export function writableToWeb(writable) {
  if (typeof writable?._writableState !== 'object') throw argType('streamWritable', 'stream.Writable', writable);
  if (isDestroyed(writable) || !isWritable(writable)) {
    const ended = new WritableStream();
    ended.close();
    return ended;
  }
  const highWaterMark = writable.writableHighWaterMark;
  const strategy = writable.writableObjectMode ? new CountQueuingStrategy({ highWaterMark }) : { highWaterMark };
  let controller, drained = null, closed = null;
  const forget = finished(writable, (error) => {
    error = overError(error);
    forget();
    writable.on('error', nop);
    if (error) {
      drained?.reject(error);
      closed?.reject(error);
      closed = null;
      controller.error(error);
    } else if (closed) {
      closed.resolve();
      closed = null;
    } else controller.error(new AbortError());
  });
  writable.on('drain', () => {
    drained?.resolve();
    drained = null;
  });
  return new WritableStream({
    start(given) { controller = given; },
    write(chunk) {
      if (!writable.writableNeedDrain && writable.write(chunk)) return undefined;
      drained = Promise.withResolvers();
      return drained.promise;
    },
    abort(reason) { discard(writable, reason); },
    close() {
      closed = Promise.withResolvers();
      const { promise } = closed;
      writable.end();
      return promise;
    },
  }, strategy);
}
// write, final and destroy over a writer.
function writerMethods(writer, self) {
  let isClosed = false;
  writer.closed.then(() => { isClosed = true; }, (error) => {
    isClosed = true;
    discard(self(), error);
  });
  const settle = (promise, callback) => promise.then(() => nextTick(callback), (error) => nextTick(callback, error));
  return {
    write(chunk, encoding, callback) {
      if (typeof chunk === 'string' && !self().writableObjectMode) chunk = Buffer.from(chunk, encoding);
      settle(writer.ready.then(() => writer.write(chunk)), callback);
    },
    final(callback) {
      if (isClosed) callback();
      else settle(writer.close(), callback);
    },
    destroy(error, callback) {
      const done = () => nextTick(callback, error);
      if (isClosed) callback(error);
      else (error ? writer.abort(error) : writer.close()).then(done, done);
    },
  };
}
export function writableFromWeb(stream, options = {}) {
  if (!isWritableWeb(stream)) throw argType('writableStream', 'WritableStream', stream);
  const { highWaterMark, decodeStrings = true, objectMode = false, signal } = options;
  const writable = new Writable({ highWaterMark, decodeStrings, objectMode, signal, ...writerMethods(stream.getWriter(), () => writable) });
  return writable;
}
export function duplexToWeb(duplex) {
  if (typeof duplex?._writableState !== 'object' || typeof duplex?._readableState !== 'object') throw argType('duplex', 'stream.Duplex', duplex);
  const ended = () => {
    const stream = new ReadableStream();
    stream.cancel();
    return stream;
  };
  if (isDestroyed(duplex)) {
    const writable = new WritableStream();
    writable.close();
    return { readable: ended(), writable };
  }
  const writable = writableToWeb(duplex);
  return { readable: isReadable(duplex) ? readableToWeb(duplex) : ended(), writable };
}
export function duplexFromWeb(pair, options = {}) {
  const { readable, writable } = pair ?? {};
  if (!isReadableWeb(readable)) throw argType('pair.readable', 'ReadableStream', readable);
  if (!isWritableWeb(writable)) throw argType('pair.writable', 'WritableStream', writable);
  const reader = readable.getReader(), methods = writerMethods(writable.getWriter(), () => duplex);
  let isRead = false;
  const duplex = new Duplex({
    allowHalfOpen: options.allowHalfOpen ?? false, objectMode: options.objectMode ?? false, decodeStrings: options.decodeStrings, encoding: options.encoding,
    highWaterMark: options.highWaterMark, signal: options.signal, write: methods.write, final: methods.final,
    read() { reader.read().then(({ value, done }) => { duplex.push(done ? null : value); }, (error) => discard(duplex, error)); },
    destroy(error, callback) {
      const after = () => methods.destroy(error, callback);
      if (isRead) after();
      else reader.cancel(error ?? undefined).then(after, after);
    },
  });
  reader.closed.then(() => { isRead = true; }, (error) => {
    isRead = true;
    discard(duplex, error);
  });
  return duplex;
}
