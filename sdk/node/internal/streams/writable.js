// writable.js - Writable: one write at a time, the rest in a buffer; `drain`, `finish` and their callbacks.
import { Buffer, bufferOver } from 'node:internal/buffer';
import { AbortError } from 'node:internal/errors';
import EventEmitter from 'node:internal/events';
import { addAbortSignal } from 'node:internal/streams/abort';
import { construct, destroy, fail, undestroy } from 'node:internal/streams/destroy';
import { finished } from 'node:internal/streams/finished';
import { Stream } from 'node:internal/streams/legacy';
import { errors, getDefaultHighWaterMark, highWaterMark, nextTick, nop } from 'node:internal/streams/state';

const TRIM = 256;

export class WritableState {
  constructor(options, stream, isDuplex) {
    options ??= {};
    this.objectMode = Boolean(options.objectMode || (isDuplex && options.writableObjectMode));
    this.highWaterMark = options.highWaterMark === undefined && !isDuplex ? getDefaultHighWaterMark(this.objectMode) : highWaterMark(this.objectMode, options, 'writableHighWaterMark', isDuplex);
    this.finalCalled = this.needDrain = this.ending = this.ended = this.finished = this.destroyed = false;
    this.decodeStrings = options.decodeStrings !== false;
    this.defaultEncoding = options.defaultEncoding ?? 'utf8';
    if (!Buffer.isEncoding(this.defaultEncoding)) throw errors.encoding(this.defaultEncoding);
    this.length = this.corked = this.writelen = this.pendingcb = 0;
    this.writing = this.bufferProcessing = false;
    this.sync = this.constructed = true;
    this.onwrite = (error) => written(stream, error);
    this.writecb = null;
    this.afterWriteTickInfo = null;
    this.isAfterPending = false;
    this.onFinished = [];
    this.prefinished = this.errorEmitted = this.closed = this.closeEmitted = false;
    this.emitClose = options.emitClose !== false;
    this.autoDestroy = options.autoDestroy !== false;
    this.errored = null;
    resetBuffer(this);
  }
  getBuffer() { return this.buffered.slice(this.bufferedIndex); }
  get bufferedRequestCount() { return this.buffered.length - this.bufferedIndex; }
}
function resetBuffer(state) {
  state.buffered = [];
  state.bufferedIndex = 0;
  state.allBuffers = state.allNoop = true;
}

export function Writable(options) {
  if (!Reflect.apply(Function.prototype[Symbol.hasInstance], Writable, [this]) && !this?._writableState && !(this instanceof Stream && this._readableState)) return new Writable(options);
  this._events ??= {};
  this._writableState = new WritableState(options, this, false);
  takeOptions(this, options);
  Stream.call(this, options);
  begin(this);
}
Object.setPrototypeOf(Writable.prototype, Stream.prototype);
Object.setPrototypeOf(Writable, Stream);
Writable.WritableState = WritableState;
// A Duplex is one, too.
Object.defineProperty(Writable, Symbol.hasInstance, {
  value(object) { return Reflect.apply(Function.prototype[Symbol.hasInstance], this, [object]) || (this === Writable && Boolean(object) && object._writableState instanceof WritableState); },
});

function takeOptions(stream, options) {
  if (!options) return;
  for (const key of ['write', 'writev', 'destroy', 'final', 'construct']) if (typeof options[key] === 'function') stream[`_${key}`] = options[key];
  if (options.signal) addAbortSignal(options.signal, stream);
}
export function begin(stream) {
  construct(stream, () => {
    const state = stream._writableState;
    if (!state.writing) clearBuffer(stream, state);
    maybeFinish(stream, state);
  });
}

// ---- writes ----

function write(stream, chunk, encoding, callback) {
  const state = stream._writableState;
  if (typeof encoding === 'function') {
    callback = encoding;
    encoding = undefined;
  } else if (typeof callback !== 'function') callback = nop;
  if (chunk === null) throw errors.nullValues();
  if (!state.objectMode) {
    if (!encoding) encoding = state.defaultEncoding;
    else if (encoding !== 'buffer' && !Buffer.isEncoding(encoding)) throw errors.encoding(encoding);
    if (typeof chunk === 'string') {
      if (state.decodeStrings) {
        chunk = Buffer.from(chunk, encoding);
        encoding = 'buffer';
      }
    } else if (Buffer.isBuffer(chunk)) encoding = 'buffer';
    else if (ArrayBuffer.isView(chunk)) {
      chunk = bufferOver(chunk);
      encoding = 'buffer';
    } else throw errors.chunk(chunk);
  }
  const error = state.ending ? errors.writeAfterEnd() : state.destroyed ? errors.destroyed('write') : undefined;
  if (error) {
    nextTick(callback, error);
    fail(stream, error, true);
    return error;
  }
  state.pendingcb++;
  return writeOrKeep(stream, state, chunk, encoding, callback);
}
function writeOrKeep(stream, state, chunk, encoding, callback) {
  const size = state.objectMode ? 1 : chunk.length;
  state.length += size;
  if (state.writing || state.corked || state.errored || !state.constructed) {
    state.buffered.push({ chunk, encoding, callback });
    if (encoding !== 'buffer') state.allBuffers = false;
    if (callback !== nop) state.allNoop = false;
  } else {
    state.writelen = size;
    state.writecb = callback;
    state.writing = state.sync = true;
    stream._write(chunk, encoding, state.onwrite);
    state.sync = false;
  }
  // Known only now: what is written at once takes no room.
  const isBelow = state.length < state.highWaterMark || state.length === 0;
  if (!isBelow) state.needDrain = true;
  return isBelow && !state.errored && !state.destroyed;
}
function start(stream, state, isMany, size, chunk, encoding, callback) {
  state.writelen = size;
  state.writecb = callback;
  state.writing = state.sync = true;
  if (state.destroyed) state.onwrite(errors.destroyed('write'));
  else if (isMany) stream._writev(chunk, state.onwrite);
  else stream._write(chunk, encoding, state.onwrite);
  state.sync = false;
}
function written(stream, error) {
  const state = stream._writableState, { sync: isSync, writecb: callback } = state;
  if (typeof callback !== 'function') {
    fail(stream, errors.multiple());
    return;
  }
  state.writing = false;
  state.writecb = null;
  state.length -= state.writelen;
  state.writelen = 0;
  if (error) {
    if (!state.errored) state.errored = error;
    if (stream._readableState && !stream._readableState.errored) stream._readableState.errored = error;
    if (isSync) nextTick(failWrite, stream, state, error, callback);
    else failWrite(stream, state, error, callback);
    return;
  }
  if (state.buffered.length > state.bufferedIndex) clearBuffer(stream, state);
  if (isSync) afterSync(stream, state, callback);
  else afterWrite(stream, state, 1, callback);
}
// Callbacks of writes that were done at once: together, when what wrote has returned.
function afterSync(stream, state, callback) {
  if (callback === nop) {
    const isDrained = state.needDrain && state.length === 0 && !state.isAfterPending;
    if (isDrained || state.destroyed) {
      state.isAfterPending = isDrained;
      nextTick(afterWrite, stream, state, 1, callback);
    } else {
      state.pendingcb--;
      if (state.ending) maybeFinish(stream, state, true);
    }
  } else if (state.afterWriteTickInfo?.callback === callback) state.afterWriteTickInfo.count++;
  else {
    const info = state.afterWriteTickInfo = { count: 1, callback };
    state.isAfterPending = true;
    nextTick(() => {
      state.afterWriteTickInfo = null;
      afterWrite(stream, state, info.count, callback);
    });
  }
}
function afterWrite(stream, state, count, callback) {
  state.isAfterPending = false;
  if (state.needDrain && !state.ending && !state.destroyed && state.length === 0) {
    state.needDrain = false;
    stream.emit('drain');
  }
  for (; count > 0; count--) {
    state.pendingcb--;
    callback(null);
  }
  if (state.destroyed) failBuffer(state);
  maybeFinish(stream, state);
}
function failWrite(stream, state, error, callback) {
  state.pendingcb--;
  callback(error);
  failBuffer(state);
  fail(stream, error);
}
// Those that wait hear that nothing comes of it.
function failBuffer(state) {
  if (state.writing) return;
  for (let i = state.bufferedIndex; i < state.buffered.length; i++) {
    const { chunk, callback } = state.buffered[i];
    state.length -= state.objectMode ? 1 : chunk.length;
    callback(state.errored ?? errors.destroyed('write'));
  }
  callFinished(state, state.errored ?? errors.destroyed('end'));
  resetBuffer(state);
}
function clearBuffer(stream, state) {
  if (state.corked || state.bufferProcessing || state.destroyed || !state.constructed) return;
  const { buffered } = state, count = buffered.length - state.bufferedIndex;
  if (!count) return;
  let i = state.bufferedIndex;
  state.bufferProcessing = true;
  if (count > 1 && stream._writev) {
    state.pendingcb -= count - 1;
    const first = i, callback = state.allNoop ? nop : (error) => { for (let at = first; at < buffered.length; at++) buffered[at].callback(error); };
    const chunks = state.allNoop && i === 0 ? buffered : buffered.slice(i);
    chunks.allBuffers = state.allBuffers;
    start(stream, state, true, state.length, chunks, '', callback);
    resetBuffer(state);
  } else {
    do {
      const { chunk, encoding, callback } = buffered[i];
      buffered[i++] = null;
      start(stream, state, false, state.objectMode ? 1 : chunk.length, chunk, encoding, callback);
    } while (i < buffered.length && !state.writing);
    if (i === buffered.length) resetBuffer(state);
    else if (i > TRIM) {
      buffered.splice(0, i);
      state.bufferedIndex = 0;
    } else state.bufferedIndex = i;
  }
  state.bufferProcessing = false;
}

// ---- the end ----

function callFinished(state, error) { for (const callback of state.onFinished.splice(0)) callback(error); }

const mayFinish = (state) => state.ending && !state.destroyed && state.constructed && state.length === 0 && !state.errored && state.buffered.length === 0
  && !state.finished && !state.writing && !state.errorEmitted && !state.closeEmitted;

function callFinal(stream, state) {
  let isCalled = false;
  const done = (error) => {
    if (isCalled) {
      fail(stream, error ?? errors.multiple());
      return;
    }
    isCalled = true;
    state.pendingcb--;
    if (error) {
      callFinished(state, error);
      fail(stream, error, state.sync);
    } else if (mayFinish(state)) {
      state.prefinished = true;
      stream.emit('prefinish');
      state.pendingcb++;
      nextTick(finish, stream, state);
    }
  };
  state.sync = true;
  state.pendingcb++;
  try { stream._final(done); } catch (error) { done(error); }
  state.sync = false;
}
function prefinish(stream, state) {
  if (state.prefinished || state.finalCalled) return;
  if (typeof stream._final === 'function' && !state.destroyed) {
    state.finalCalled = true;
    callFinal(stream, state);
  } else {
    state.prefinished = true;
    stream.emit('prefinish');
  }
}
function maybeFinish(stream, state, isSync) {
  if (!mayFinish(state)) return;
  prefinish(stream, state);
  if (state.pendingcb !== 0) return;
  if (isSync) {
    state.pendingcb++;
    nextTick(() => {
      if (mayFinish(state)) finish(stream, state);
      else state.pendingcb--;
    });
  } else if (mayFinish(state)) {
    state.pendingcb++;
    finish(stream, state);
  }
}
function finish(stream, state) {
  state.pendingcb--;
  state.finished = true;
  callFinished(state, null);
  stream.emit('finish');
  if (!state.autoDestroy) return;
  const r = stream._readableState;
  if (!r || (r.autoDestroy && (r.endEmitted || r.readable === false))) stream.destroy();
}
function end(chunk, encoding, callback) {
  const state = this._writableState;
  let error;
  if (typeof chunk === 'function') [chunk, encoding, callback] = [null, null, chunk];
  else if (typeof encoding === 'function') [encoding, callback] = [null, encoding];
  if (chunk !== null && chunk !== undefined) {
    const result = write(this, chunk, encoding);
    if (result instanceof Error) error = result;
  }
  if (state.corked) {
    state.corked = 1;
    this.uncork();
  }
  if (!error) {
    if (!state.errored && !state.ending) {
      state.ending = true;
      maybeFinish(this, state, true);
      state.ended = true;
    } else if (state.finished) error = errors.alreadyFinished('end');
    else if (state.destroyed) error = errors.destroyed('end');
  }
  if (typeof callback === 'function') {
    if (error) nextTick(callback, error);
    else if (state.errored) nextTick(callback, state.errored);
    else if (state.finished) nextTick(callback);
    else state.onFinished.push(callback);
  }
  return this;
}

// ---- methods ----

const methods = {
  write(chunk, encoding, callback) { return write(this, chunk, encoding, callback) === true; },
  end, _undestroy: undestroy,
  pipe() { fail(this, errors.cannotPipe()); },
  cork() { this._writableState.corked++; },
  uncork() {
    const state = this._writableState;
    if (!state.corked) return;
    state.corked--;
    if (!state.writing) clearBuffer(this, state);
  },
  setDefaultEncoding(encoding) {
    if (typeof encoding === 'string') encoding = encoding.toLowerCase();
    if (!Buffer.isEncoding(encoding)) throw errors.encoding(encoding);
    this._writableState.defaultEncoding = encoding;
    return this;
  },
  _write(chunk, encoding, callback) {
    if (!this._writev) throw errors.noMethod('_write()');
    this._writev([{ chunk, encoding }], callback);
  },
  _writev: null,
  destroy(error, callback) {
    const state = this._writableState;
    if (!state.destroyed && (state.bufferedIndex < state.buffered.length || state.onFinished.length)) nextTick(failBuffer, state);
    destroy.call(this, error, callback);
    return this;
  },
  _destroy(error, callback) { callback(error); },
  [EventEmitter.captureRejectionSymbol](error) { this.destroy(error); },
  [Symbol.asyncDispose]() {
    let error = null;
    if (!this.destroyed) {
      error = this.writableFinished ? null : new AbortError();
      this.destroy(error);
    }
    return new Promise((resolve, reject) => { finished(this, (failure) => (failure && failure.name !== 'AbortError' ? reject(failure) : resolve(null))); });
  },
};
for (const key of Reflect.ownKeys(methods)) Writable.prototype[key] = methods[key];

const asked = (get, set) => ({ get, set, enumerable: false, configurable: true });
export const writableProperties = {
  writable: asked(function () {
    const w = this._writableState;
    return Boolean(w) && w.writable !== false && !w.destroyed && !w.errored && !w.ending && !w.ended;
  }, function (value) { if (this._writableState) this._writableState.writable = Boolean(value); }),
  writableFinished: asked(function () { return this._writableState ? this._writableState.finished : false; }),
  writableObjectMode: asked(function () { return this._writableState ? this._writableState.objectMode : false; }),
  writableBuffer: asked(function () { return this._writableState?.getBuffer(); }),
  writableEnded: asked(function () { return this._writableState ? this._writableState.ending : false; }),
  writableNeedDrain: asked(function () {
    const w = this._writableState;
    return w ? !w.destroyed && !w.ending && w.needDrain : false;
  }),
  writableHighWaterMark: asked(function () { return this._writableState?.highWaterMark; }),
  writableCorked: asked(function () { return this._writableState ? this._writableState.corked : 0; }),
  writableLength: asked(function () { return this._writableState?.length; }),
  writableAborted: asked(function () { return Boolean(this._writableState.writable !== false && (this._writableState.destroyed || this._writableState.errored) && !this._writableState.finished); }),
};
Object.defineProperties(Writable.prototype, {
  ...writableProperties,
  errored: asked(function () { return this._writableState ? this._writableState.errored : null; }),
  closed: asked(function () { return this._writableState ? this._writableState.closed : false; }),
  destroyed: asked(function () { return this._writableState ? this._writableState.destroyed : false; }, function (value) { if (this._writableState) this._writableState.destroyed = value; }),
});
