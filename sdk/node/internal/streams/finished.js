// finished.js - when a stream is over, well or not.
import { AbortError, argType, checkFunction, checkObject, checkSignal } from 'node:internal/errors';
import * as of from 'node:internal/streams/state';

const { errors, nextTick } = of;

// The conditions under which nothing more is heard of a stream that is asked about now.
function isOverAlready(stream, known) {
  const { w, r } = known;
  if (w?.errorEmitted || r?.errorEmitted) return !known.willClose;
  if (!known.readable && (!known.willClose || of.isReadable(stream)) && (known.isWritten || of.isWritable(stream) === false) && !w?.pendingcb) return true;
  return !known.writable && (!known.willClose || of.isWritable(stream)) && (known.isRead || of.isReadable(stream) === false);
}
function watch(stream, options, callback) {
  const w = stream._writableState, r = stream._readableState;
  const known = { w, r, readable: options.readable ?? of.isReadableNode(stream), writable: options.writable ?? of.isWritableNode(stream), isWritten: of.isWritableFinished(stream, false), isRead: of.isReadableFinished(stream, false) };
  known.willClose = of.willEmitClose(stream) && Boolean(of.isReadableNode(stream)) === Boolean(known.readable) && Boolean(of.isWritableNode(stream)) === Boolean(known.writable);
  const say = (error) => callback.call(stream, error);
  const onFinish = () => {
    known.isWritten = true;
    if (stream.destroyed) known.willClose = false;
    if (known.willClose && (!stream.writable || known.readable)) return;
    if (!known.readable || known.isRead) callback.call(stream);
  };
  const onEnd = () => {
    known.isRead = true;
    if (stream.destroyed) known.willClose = false;
    if (known.willClose && (!stream.readable || known.writable)) return;
    if (!known.writable || known.isWritten) callback.call(stream);
  };
  const onClosed = () => {
    const error = of.writableErrored(stream) || of.readableErrored(stream);
    if (error && typeof error !== 'boolean') say(error);
    else callback.call(stream);
  };
  const onClose = () => {
    const error = of.writableErrored(stream) || of.readableErrored(stream);
    if (error && typeof error !== 'boolean') say(error);
    else if (known.readable && !known.isRead && of.isReadableNode(stream, true) && !of.isReadableFinished(stream, false)) say(errors.premature());
    else if (known.writable && !known.isWritten && !of.isWritableFinished(stream, false)) say(errors.premature());
    else callback.call(stream);
  };
  const onOld = () => { if (!stream.writable) onFinish(); };
  const listeners = [['end', onEnd], ['finish', onFinish], ['close', onClose]];
  if (known.writable && !w) listeners.push(['end', onOld], ['close', onOld]);
  if (!known.willClose && typeof stream.aborted === 'boolean') listeners.push(['aborted', onClose]);
  if (options.error !== false) listeners.push(['error', say]);
  for (const [type, listener] of listeners) stream.on(type, listener);
  if (of.isClosed(stream)) nextTick(onClose);
  else if (isOverAlready(stream, known)) nextTick(onClosed);
  return () => {
    callback = of.nop;
    for (const [type, listener] of listeners) stream.removeListener(type, listener);
  };
}
export function finished(stream, options, callback) {
  if (typeof options === 'function') [options, callback] = [{}, options];
  else if (options === undefined || options === null) options = {};
  else checkObject(options, 'options');
  checkFunction(callback, 'callback');
  checkSignal(options.signal, 'options.signal');
  if (!of.isNodeStream(stream)) throw argType('stream', ['ReadableStream', 'WritableStream', 'Stream'], stream);
  const { signal } = options;
  let isCalled = false, forget = of.nop;
  const once = function (...args) {
    if (isCalled) return;
    isCalled = true;
    forget();
    Reflect.apply(callback, stream, args);
  };
  const cleanup = watch(stream, options, once);
  if (signal) {
    const abort = () => {
      cleanup();
      once(new AbortError(undefined, { cause: signal.reason }));
    };
    if (signal.aborted) nextTick(abort);
    else {
      signal.addEventListener('abort', abort, { once: true });
      forget = () => signal.removeEventListener('abort', abort);
    }
  }
  return () => {
    isCalled = true;
    forget();
    cleanup();
  };
}
export function whenFinished(stream, options) {
  if (options !== undefined && options !== null && options.cleanup !== undefined && typeof options.cleanup !== 'boolean') throw argType('cleanup', 'boolean', options.cleanup);
  return new Promise((resolve, reject) => {
    const cleanup = finished(stream, options, (error) => {
      if (options?.cleanup) cleanup();
      if (error) reject(error);
      else resolve();
    });
  });
}
