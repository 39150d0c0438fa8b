// legacy.js - Stream, what all are: an EventEmitter that pipes by `data` and `drain`.
import EventEmitter from 'node:internal/events';

export function Stream(options) { EventEmitter.call(this, options); }
Object.setPrototypeOf(Stream.prototype, EventEmitter.prototype);
Object.setPrototypeOf(Stream, EventEmitter);

export function prependListener(emitter, type, listener) {
  if (typeof emitter.prependListener === 'function') emitter.prependListener(type, listener);
  else emitter.on(type, listener);
}

Stream.prototype.pipe = function pipe(target, options) {
  const source = this;
  let isEnded = false;
  const listeners = [];
  const watch = (emitter, type, listener) => {
    emitter.on(type, listener);
    listeners.push([emitter, type, listener]);
  };
  const cleanup = () => { for (const [emitter, type, listener] of listeners) emitter.removeListener(type, listener); };
  function onError(error) {
    cleanup();
    if (this.listenerCount('error') === 0) this.emit('error', error);
  }
  watch(source, 'data', (chunk) => {
    if (target.writable && target.write(chunk) === false && source.pause) source.pause();
  });
  watch(target, 'drain', () => {
    if (source.readable && source.resume) source.resume();
  });
  if (!target._isStdio && options?.end !== false) {
    watch(source, 'end', () => {
      if (isEnded) return;
      isEnded = true;
      target.end();
    });
    watch(source, 'close', () => {
      if (isEnded) return;
      isEnded = true;
      if (typeof target.destroy === 'function') target.destroy();
    });
  }
  for (const emitter of [source, target]) {
    prependListener(emitter, 'error', onError);
    listeners.push([emitter, 'error', onError]);
  }
  watch(source, 'end', cleanup);
  watch(source, 'close', cleanup);
  watch(target, 'close', cleanup);
  target.emit('pipe', source);
  return target;
};
