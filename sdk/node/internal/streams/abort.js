// abort.js - a signal that destroys a stream.
import { AbortError, argType, checkSignal } from 'node:internal/errors';
import { finished } from 'node:internal/streams/finished';
import { isNodeStream, isReadableWeb, isWritableWeb } from 'node:internal/streams/state';

// What is to be done when a signal fires, or has; gives what takes it back.
export function whenAborted(signal, listener) {
  if (signal.aborted) {
    queueMicrotask(listener);
    return () => {};
  }
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
export function addAbortSignal(signal, stream) {
  if (signal === undefined || signal === null) throw argType('signal', 'AbortSignal', signal);
  checkSignal(signal, 'signal');
  if (!isNodeStream(stream) && !isReadableWeb(stream) && !isWritableWeb(stream)) throw argType('stream', ['ReadableStream', 'WritableStream', 'Stream'], stream);
  const abort = () => {
    const error = new AbortError(undefined, { cause: signal.reason });
    if (isNodeStream(stream)) stream.destroy(error);
    else (isReadableWeb(stream) ? stream.cancel(error) : stream.abort(error)).catch(() => {});
  };
  if (signal.aborted) abort();
  else {
    const forget = whenAborted(signal, abort);
    if (isNodeStream(stream)) finished(stream, forget);
  }
  return stream;
}
