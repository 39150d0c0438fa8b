// destroy.js - how streams begin and end: construct and destroy, with `error` and `close` in their order.
import { AbortError } from 'node:internal/errors';
import { both, errors, isDestroyed, isFinished, kDestroyed, nextTick } from 'node:internal/streams/state';

const kDestroy = Symbol('kDestroy'), kConstruct = Symbol('kConstruct');

function keepError(error, w, r) {
  if (!error) return;
  if (w && !w.errored) w.errored = error;
  if (r && !r.errored) r.errored = error;
}
function emitError(stream, error) {
  const r = stream._readableState, w = stream._writableState;
  if (w?.errorEmitted || r?.errorEmitted) return;
  if (w) w.errorEmitted = true;
  if (r) r.errorEmitted = true;
  stream.emit('error', error);
}
function emitClose(stream) {
  const r = stream._readableState, w = stream._writableState;
  if (w) w.closeEmitted = true;
  if (r) r.closeEmitted = true;
  if (w?.emitClose || r?.emitClose) stream.emit('close');
}
// A listener that throws does not keep `close` from coming.
function emitErrorAndClose(stream, error) {
  try { emitError(stream, error); } finally { emitClose(stream); }
}

function close(stream, error, callback) {
  let isCalled = false;
  const done = (failure) => {
    if (isCalled) return;
    isCalled = true;
    const r = stream._readableState, w = stream._writableState;
    keepError(failure, w, r);
    if (w) w.closed = true;
    if (r) r.closed = true;
    if (typeof callback === 'function') callback(failure);
    nextTick(failure ? emitErrorAndClose : emitClose, stream, failure);
  };
  try { stream._destroy(error || null, done); } catch (failure) { done(failure); }
}
export function destroy(error, callback) {
  const r = this._readableState, w = this._writableState, state = w || r;
  if (w?.destroyed || r?.destroyed) {
    if (typeof callback === 'function') callback();
    return this;
  }
  keepError(error, w, r);
  if (w) w.destroyed = true;
  if (r) r.destroyed = true;
  if (state.constructed) close(this, error, callback);
  else this.once(kDestroy, (failure) => close(this, both(failure, error), callback));
  return this;
}
export function undestroy() {
  const r = this._readableState, w = this._writableState;
  const common = { constructed: true, closed: false, closeEmitted: false, destroyed: false, errored: null, errorEmitted: false };
  if (r) Object.assign(r, common, { reading: false, ended: r.readable === false, endEmitted: r.readable === false });
  if (w) {
    const isOver = w.writable === false;
    Object.assign(w, common, { finalCalled: false, prefinished: false, ended: isOver, ending: isOver, finished: isOver });
  }
}
// `isSync`: the caller's caller has not returned yet.
export function fail(stream, error, isSync) {
  const r = stream._readableState, w = stream._writableState;
  if (w?.destroyed || r?.destroyed) return;
  if (r?.autoDestroy || w?.autoDestroy) {
    stream.destroy(error);
    return;
  }
  if (!error) return;
  keepError(error, w, r);
  if (isSync) nextTick(emitError, stream, error);
  else emitError(stream, error);
}

function begin(stream) {
  let isCalled = false;
  const done = (error) => {
    if (isCalled) {
      fail(stream, error ?? errors.multiple());
      return;
    }
    isCalled = true;
    const r = stream._readableState, w = stream._writableState, state = w || r;
    if (r) r.constructed = true;
    if (w) w.constructed = true;
    if (state.destroyed) stream.emit(kDestroy, error);
    else if (error) fail(stream, error, true);
    else stream.emit(kConstruct);
  };
  try { stream._construct((error) => nextTick(done, error)); } catch (error) { nextTick(done, error); }
}
export function construct(stream, callback) {
  if (typeof stream._construct !== 'function') return;
  if (stream._readableState) stream._readableState.constructed = false;
  if (stream._writableState) stream._writableState.constructed = false;
  stream.once(kConstruct, callback);
  if (stream.listenerCount(kConstruct) > 1) return;     // both sides of a duplex
  nextTick(begin, stream);
}

// A stream of any make that is not wanted any more.
export function discard(stream, error) {
  if (!stream || isDestroyed(stream)) return;
  if (!error && !isFinished(stream)) error = new AbortError();
  if (typeof stream.setHeader === 'function' && typeof stream.abort === 'function') stream.abort();
  else if (typeof stream.destroy === 'function') stream.destroy(error);
  else if (typeof stream.close === 'function') stream.close();
  if (!stream.destroyed) stream[kDestroyed] = true;
}
