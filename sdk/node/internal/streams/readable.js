// readable.js - Readable: what is pushed into a buffer flows as `data`, or is read after `readable`.
import { Buffer, bufferOver } from 'node:internal/buffer';
import { AbortError } from 'node:internal/errors';
import EventEmitter from 'node:internal/events';
import { StringDecoder } from 'node:string_decoder';
import { addAbortSignal } from 'node:internal/streams/abort';
import { construct, destroy, fail, undestroy } from 'node:internal/streams/destroy';
import { finished } from 'node:internal/streams/finished';
import { iterate } from 'node:internal/streams/iterate';
import { Stream, prependListener } from 'node:internal/streams/legacy';
import { errors, getDefaultHighWaterMark, highWaterMark, nextTick } from 'node:internal/streams/state';

const kPaused = Symbol('kPaused');
const BUFFER_MAX = 0x40000000;
const TRIM = 256;       // so many read chunks are let go of together

export class ReadableState {
  constructor(options, stream, isDuplex) {
    options ??= {};
    this.objectMode = Boolean(options.objectMode || (isDuplex && options.readableObjectMode));
    this.highWaterMark = options.highWaterMark === undefined && !isDuplex ? getDefaultHighWaterMark(this.objectMode) : highWaterMark(this.objectMode, options, 'readableHighWaterMark', isDuplex);
    this.buffer = [];
    this.bufferIndex = 0;
    this.length = 0;
    this.pipes = [];
    this.flowing = null;            // null: nobody has said
    this.ended = this.endEmitted = this.reading = false;
    this.constructed = this.sync = true;
    this.needReadable = this.emittedReadable = this.readableListening = this.resumeScheduled = false;
    this.errorEmitted = this.destroyed = this.closed = this.closeEmitted = false;
    this.emitClose = options.emitClose !== false;
    this.autoDestroy = options.autoDestroy !== false;
    this.errored = null;
    this.awaitDrainWriters = null;
    this.multiAwaitDrain = this.readingMore = this.dataEmitted = false;
    this[kPaused] = null;
    this.defaultEncoding = options.defaultEncoding ?? 'utf8';
    if (!Buffer.isEncoding(this.defaultEncoding)) throw errors.encoding(this.defaultEncoding);
    this.decoder = this.encoding = null;
    if (options.encoding) {
      this.decoder = new StringDecoder(options.encoding);
      this.encoding = options.encoding;
    }
  }
  get pipesCount() { return this.pipes.length; }
  get paused() { return this[kPaused] !== false; }
  set paused(value) { this[kPaused] = Boolean(value); }
}

export function Readable(options) {
  if (!(this instanceof Readable)) return new Readable(options);
  this._events ??= {};
  this._readableState = new ReadableState(options, this, false);
  takeOptions(this, options);
  Stream.call(this, options);
  begin(this);
}
Object.setPrototypeOf(Readable.prototype, Stream.prototype);
Object.setPrototypeOf(Readable, Stream);
Readable.ReadableState = ReadableState;

function takeOptions(stream, options) {
  if (!options) return;
  if (typeof options.read === 'function') stream._read = options.read;
  if (typeof options.destroy === 'function') stream._destroy = options.destroy;
  if (typeof options.construct === 'function') stream._construct = options.construct;
  if (options.signal) addAbortSignal(options.signal, stream);
}
export function begin(stream) {
  construct(stream, () => { if (stream._readableState.needReadable) readMore(stream, stream._readableState); });
}

// ---- what comes in ----

const canTakeMore = (state) => !state.ended && (state.length < state.highWaterMark || state.length === 0);


function add(stream, state, chunk, isFirst) {
  if (!isFirst && state.flowing && state.length === 0 && !state.sync && stream.listenerCount('data') > 0) {
    if (state.multiAwaitDrain) state.awaitDrainWriters.clear();
    else state.awaitDrainWriters = null;
    state.dataEmitted = true;
    stream.emit('data', chunk);
  } else {
    state.length += state.objectMode ? 1 : chunk.length;
    if (!isFirst) state.buffer.push(chunk);
    else if (state.bufferIndex > 0) state.buffer[--state.bufferIndex] = chunk;
    else state.buffer.unshift(chunk);
    if (state.needReadable) emitReadable(stream);
  }
  maybeReadMore(stream, state);
}
// A chunk as the stream keeps it; undefined when it is of no type that it takes.
function taken(state, chunk, encoding, isFirst) {
  if (typeof chunk === 'string') {
    encoding ||= state.defaultEncoding;
    if (state.encoding === encoding) return chunk;
    if (isFirst && state.encoding) return Buffer.from(chunk, encoding).toString(state.encoding);
    return Buffer.from(chunk, encoding);
  }
  if (Buffer.isBuffer(chunk)) return chunk;
  return ArrayBuffer.isView(chunk) ? bufferOver(chunk) : undefined;
}
function pushBytes(stream, state, chunk, encoding, isFirst) {
  const isText = typeof chunk === 'string' && state.encoding && state.encoding === (encoding || state.defaultEncoding);
  if (chunk !== undefined) {
    const made = taken(state, chunk, encoding, isFirst);
    if (made === undefined) {
      fail(stream, errors.chunk(chunk));
      return false;
    }
    chunk = made;
  }
  if (!chunk || chunk.length <= 0) {
    if (!isFirst) {
      state.reading = false;
      maybeReadMore(stream, state);
    }
    return canTakeMore(state);
  }
  if (isFirst) return putBack(stream, state, chunk);
  if (state.ended) {
    fail(stream, errors.pushAfterEnd());
    return false;
  }
  if (state.destroyed || state.errored) return false;
  state.reading = false;
  if (state.decoder && !isText) {
    chunk = state.decoder.write(chunk);
    if (chunk.length === 0) {
      maybeReadMore(stream, state);
      return canTakeMore(state);
    }
  }
  add(stream, state, chunk, false);
  return canTakeMore(state);
}
function pushObject(stream, state, chunk, encoding) {
  if (state.ended) {
    fail(stream, errors.pushAfterEnd());
    return false;
  }
  if (state.destroyed || state.errored) return false;
  state.reading = false;
  if (state.decoder && !encoding) chunk = state.decoder.write(chunk);
  add(stream, state, chunk, false);
  return canTakeMore(state);
}
function putBack(stream, state, chunk) {
  if (state.endEmitted) fail(stream, errors.unshiftAfterEnd());
  else if (!state.destroyed && !state.errored) add(stream, state, chunk, true);
  else return false;
  return canTakeMore(state);
}
function takeEnd(stream, state) {
  state.reading = false;
  if (state.ended) return false;
  const rest = state.decoder?.end();
  if (rest && rest.length) {
    state.buffer.push(rest);
    state.length += state.objectMode ? 1 : rest.length;
  }
  state.ended = true;
  if (state.sync) emitReadable(stream);
  else {
    state.needReadable = false;
    state.emittedReadable = true;
    emitReadableNow(stream);
  }
  return false;
}
function readMore(stream, state) {
  while (!state.reading && !state.ended && (state.length < state.highWaterMark || (state.flowing && state.length === 0))) {
    const before = state.length;
    stream.read(0);
    if (before === state.length) break;
  }
  state.readingMore = false;
}
function maybeReadMore(stream, state) {
  if (state.readingMore || !state.constructed) return;
  state.readingMore = true;
  nextTick(readMore, stream, state);
}
function emitReadable(stream) {
  const state = stream._readableState;
  state.needReadable = false;
  if (state.emittedReadable) return;
  state.emittedReadable = true;
  nextTick(emitReadableNow, stream);
}
function emitReadableNow(stream) {
  const state = stream._readableState;
  if (!state.destroyed && !state.errored && (state.length || state.ended)) {
    stream.emit('readable');
    state.emittedReadable = false;
  }
  state.needReadable = !state.flowing && !state.ended && state.length <= state.highWaterMark;
  flow(stream);
}

// ---- what goes out ----

function ceilPower(n) {
  if (n > BUFFER_MAX) throw outOfRangeSize(n);
  let power = 1;
  while (power < n) power *= 2;
  return power;
}
function outOfRangeSize(n) { return Object.assign(new RangeError(`The value of "size" is out of range. It must be <= 1GiB. Received ${n}`), { code: 'ERR_OUT_OF_RANGE' }); }

function countToRead(n, state) {
  if (n <= 0 || (state.length === 0 && state.ended)) return 0;
  if (state.objectMode) return 1;
  if (Number.isNaN(n)) return state.flowing && state.length ? state.buffer[state.bufferIndex].length : state.length;
  if (n <= state.length) return n;
  return state.ended ? state.length : 0;
}
function shiftChunk(state) {
  const chunk = state.buffer[state.bufferIndex];
  state.buffer[state.bufferIndex++] = null;
  if (state.bufferIndex === state.buffer.length) {
    state.buffer.length = 0;
    state.bufferIndex = 0;
  } else if (state.bufferIndex > TRIM) {
    state.buffer.splice(0, state.bufferIndex);
    state.bufferIndex = 0;
  }
  return chunk;
}
function takeFromBuffer(n, state) {
  if (state.length === 0) return null;
  if (state.objectMode) return shiftChunk(state);
  const isAll = !n || n >= state.length, first = state.buffer[state.bufferIndex];
  if (isAll && state.buffer.length - state.bufferIndex === 1) return shiftChunk(state);
  if (!isAll && n === first.length) return shiftChunk(state);
  if (!isAll && n < first.length) {
    state.buffer[state.bufferIndex] = first.slice(n);
    return first.slice(0, n);
  }
  const parts = [];
  for (let rest = isAll ? state.length : n; rest > 0;) {
    const chunk = state.buffer[state.bufferIndex];
    if (chunk.length <= rest) parts.push(shiftChunk(state));
    else {
      parts.push(chunk.slice(0, rest));
      state.buffer[state.bufferIndex] = chunk.slice(rest);
    }
    rest -= chunk.length;
  }
  return state.decoder ? parts.join('') : Buffer.concat(parts);
}
// Asks the source for more; what it pushed at once counts.
function callRead(stream, state) {
  state.reading = state.sync = true;
  if (state.length === 0) state.needReadable = true;
  try { stream._read(state.highWaterMark); } catch (error) { fail(stream, error); }
  state.sync = false;
}
function endReadable(stream) {
  const state = stream._readableState;
  if (state.endEmitted) return;
  state.ended = true;
  nextTick(emitEnd, state, stream);
}
function emitEnd(state, stream) {
  if (state.errored || state.closeEmitted || state.endEmitted || state.length !== 0) return;
  state.endEmitted = true;
  stream.emit('end');
  if (stream.writable && stream.allowHalfOpen === false) {
    nextTick(() => { if (stream.writable && !stream.writableEnded && !stream.destroyed) stream.end(); });
  } else if (state.autoDestroy) {
    const w = stream._writableState;
    if (!w || (w.autoDestroy && (w.finished || w.writable === false))) stream.destroy();
  }
}
function flow(stream) {
  const state = stream._readableState;
  while (state.flowing && stream.read() !== null);
}
function resumeNow(stream, state) {
  if (!state.reading) stream.read(0);
  state.resumeScheduled = false;
  stream.emit('resume');
  flow(stream);
  if (state.flowing && !state.reading) stream.read(0);
}
function updateListening(stream) {
  const state = stream._readableState;
  state.readableListening = stream.listenerCount('readable') > 0;
  if (state.resumeScheduled && state[kPaused] === false) state.flowing = true;
  else if (stream.listenerCount('data') > 0) stream.resume();
  else if (!state.readableListening) state.flowing = null;
}

// ---- pipes ----

function canGoOn(source, target) {
  const state = source._readableState;
  if (state.awaitDrainWriters === target) state.awaitDrainWriters = null;
  else if (state.multiAwaitDrain) state.awaitDrainWriters.delete(target);
  if ((!state.awaitDrainWriters || state.awaitDrainWriters.size === 0) && source.listenerCount('data')) source.resume();
}
function waitForDrain(source, target) {
  const state = source._readableState;
  if (state.pipes.length === 1 && state.pipes[0] === target) {
    state.awaitDrainWriters = target;
    state.multiAwaitDrain = false;
  } else if (state.pipes.length > 1 && state.pipes.includes(target)) state.awaitDrainWriters.add(target);
  source.pause();
}
function pipe(target, options) {
  const source = this, state = this._readableState;
  let onDrain, isOver = false;
  if (state.pipes.length === 1 && !state.multiAwaitDrain) {
    state.multiAwaitDrain = true;
    state.awaitDrainWriters = new Set(state.awaitDrainWriters ? [state.awaitDrainWriters] : []);
  }
  state.pipes.push(target);
  const unpipe = () => source.unpipe(target), end = () => target.end();
  const atEnd = (!options || options.end !== false) && !target._isStdio ? end : unpipe;
  const pause = () => {
    if (!isOver) waitForDrain(source, target);
    if (onDrain) return;
    onDrain = () => canGoOn(source, target);
    target.on('drain', onDrain);
  };
  const onData = (chunk) => { if (target.write(chunk) === false) pause(); };
  const onError = (error) => {
    unpipe();
    target.removeListener('error', onError);
    if (target.listenerCount('error') > 0) return;
    const own = target._writableState || target._readableState;
    if (own && !own.errorEmitted) fail(target, error);
    else target.emit('error', error);
  };
  const onClose = () => {
    target.removeListener('finish', onFinish);
    unpipe();
  };
  const onFinish = () => {
    target.removeListener('close', onClose);
    unpipe();
  };
  const onUnpipe = (from, info) => {
    if (from !== source || !info || info.hasUnpiped !== false) return;
    info.hasUnpiped = true;
    for (const [type, listener] of [['close', onClose], ['finish', onFinish], ['error', onError], ['unpipe', onUnpipe]]) target.removeListener(type, listener);
    if (onDrain) target.removeListener('drain', onDrain);
    for (const [type, listener] of [['end', end], ['end', unpipe], ['data', onData]]) source.removeListener(type, listener);
    isOver = true;
    if (onDrain && state.awaitDrainWriters && (!target._writableState || target._writableState.needDrain)) onDrain();
  };
  if (state.endEmitted) nextTick(atEnd);
  else source.once('end', atEnd);
  target.on('unpipe', onUnpipe);
  source.on('data', onData);
  prependListener(target, 'error', onError);
  target.once('close', onClose);
  target.once('finish', onFinish);
  target.emit('pipe', source);
  if (target.writableNeedDrain === true) pause();
  else if (!state.flowing) source.resume();
  return target;
}
function unpipe(target) {
  const state = this._readableState;
  if (state.pipes.length === 0) return this;
  if (!target) {
    const all = state.pipes;
    state.pipes = [];
    this.pause();
    for (const one of all) one.emit('unpipe', this, { hasUnpiped: false });
    return this;
  }
  const at = state.pipes.indexOf(target);
  if (at < 0) return this;
  state.pipes.splice(at, 1);
  if (state.pipes.length === 0) this.pause();
  target.emit('unpipe', this, { hasUnpiped: false });
  return this;
}

// ---- methods ----

function push(stream, chunk, encoding, isFirst) {
  const state = stream._readableState;
  if (chunk === null) return takeEnd(stream, state);
  if (!state.objectMode) return pushBytes(stream, state, chunk, encoding, isFirst);
  if (!isFirst) return pushObject(stream, state, chunk, encoding);
  return chunk === undefined ? canTakeMore(state) : putBack(stream, state, chunk);
}
function read(n) {
  const state = this._readableState;
  if (n === undefined) n = NaN;
  else if (!Number.isInteger(n)) n = Number.parseInt(n, 10);
  const wanted = n;
  if (n > state.highWaterMark) state.highWaterMark = ceilPower(n);
  if (n !== 0) state.emittedReadable = false;
  if (n === 0 && state.needReadable && ((state.highWaterMark !== 0 ? state.length >= state.highWaterMark : state.length > 0) || state.ended)) {
    if (state.length === 0 && state.ended) endReadable(this);
    else emitReadable(this);
    return null;
  }
  n = countToRead(n, state);
  if (n === 0 && state.ended) {
    if (state.length === 0) endReadable(this);
    return null;
  }
  const isWanted = state.needReadable || state.length === 0 || state.length - n < state.highWaterMark;
  if (isWanted && !state.ended && !state.reading && !state.destroyed && !state.errored && state.constructed) {
    callRead(this, state);
    if (!state.reading) n = countToRead(wanted, state);
  }
  const chunk = n > 0 ? takeFromBuffer(n, state) : null;
  if (chunk === null) {
    state.needReadable = state.length <= state.highWaterMark;
    n = 0;
  } else {
    state.length -= n;
    if (state.multiAwaitDrain) state.awaitDrainWriters.clear();
    else state.awaitDrainWriters = null;
  }
  if (state.length === 0) {
    if (!state.ended) state.needReadable = true;
    if (wanted !== n && state.ended) endReadable(this);
  }
  if (chunk !== null && !state.errorEmitted && !state.closeEmitted) {
    state.dataEmitted = true;
    this.emit('data', chunk);
  }
  return chunk;
}
function on(type, listener) {
  const result = Stream.prototype.on.call(this, type, listener), state = this._readableState;
  if (type === 'data') {
    state.readableListening = this.listenerCount('readable') > 0;
    if (state.flowing !== false) this.resume();
  } else if (type === 'readable' && !state.endEmitted && !state.readableListening) {
    state.readableListening = state.needReadable = true;
    state.flowing = state.emittedReadable = false;
    if (state.length) emitReadable(this);
    else if (!state.reading) nextTick(() => this.read(0));
  }
  return result;
}
// An old stream, that only says `data` and `end`.
function wrap(old) {
  let isPaused = false;
  old.on('data', (chunk) => {
    if (this.push(chunk) || !old.pause) return;
    isPaused = true;
    old.pause();
  });
  old.on('end', () => { this.push(null); });
  old.on('error', (error) => { fail(this, error); });
  old.on('close', () => { this.destroy(); });
  old.on('destroy', () => { this.destroy(); });
  this._read = () => {
    if (!isPaused || !old.resume) return;
    isPaused = false;
    old.resume();
  };
  for (const key of Object.keys(old)) if (this[key] === undefined && typeof old[key] === 'function') this[key] = old[key].bind(old);
  return this;
}
const methods = {
  destroy, _undestroy: undestroy, read, pipe, unpipe, on, wrap,
  _destroy(error, callback) { callback(error); },
  [EventEmitter.captureRejectionSymbol](error) { this.destroy(error); },
  push(chunk, encoding) { return push(this, chunk, encoding, false); },
  unshift(chunk, encoding) { return push(this, chunk, encoding, true); },
  isPaused() { return this._readableState[kPaused] === true || this._readableState.flowing === false; },
  setEncoding(encoding) {
    const state = this._readableState, decoder = new StringDecoder(encoding);
    state.decoder = decoder;
    state.encoding = decoder.encoding;
    let text = '';
    for (const chunk of state.buffer.slice(state.bufferIndex)) text += decoder.write(chunk);
    state.buffer = text === '' ? [] : [text];
    state.bufferIndex = 0;
    state.length = text.length;
    return this;
  },
  _read() { throw errors.noMethod('_read()'); },
  removeListener(type, listener) {
    const result = Stream.prototype.removeListener.call(this, type, listener);
    if (type === 'readable') nextTick(updateListening, this);
    return result;
  },
  removeAllListeners(type) {
    const result = Reflect.apply(Stream.prototype.removeAllListeners, this, arguments);
    if (type === 'readable' || type === undefined) nextTick(updateListening, this);
    return result;
  },
  resume() {
    const state = this._readableState;
    if (!state.flowing) {
      state.flowing = !state.readableListening;
      if (!state.resumeScheduled) {
        state.resumeScheduled = true;
        nextTick(resumeNow, this, state);
      }
    }
    state[kPaused] = false;
    return this;
  },
  pause() {
    const state = this._readableState;
    if (state.flowing !== false) {
      state.flowing = false;
      this.emit('pause');
    }
    state[kPaused] = true;
    return this;
  },
  iterator(options) { return iterate(this, options); },
  [Symbol.asyncIterator]() { return iterate(this); },
  [Symbol.asyncDispose]() {
    let error = null;
    if (!this.destroyed) {
      error = this.readableEnded ? null : new AbortError();
      this.destroy(error);
    }
    return new Promise((resolve, reject) => { finished(this, (failure) => (failure && failure !== error ? reject(failure) : resolve(null))); });
  },
};
methods.addListener = methods.on;
methods.off = methods.removeListener;
for (const key of Reflect.ownKeys(methods)) Readable.prototype[key] = methods[key];

const asked = (get, set) => ({ get, set, enumerable: false, configurable: true });
export const readableProperties = {
  readable: asked(function () {
    const r = this._readableState;
    return Boolean(r) && r.readable !== false && !r.destroyed && !r.errorEmitted && !r.endEmitted;
  }, function (value) { if (this._readableState) this._readableState.readable = Boolean(value); }),
  readableDidRead: asked(function () { return this._readableState.dataEmitted; }),
  readableAborted: asked(function () { return Boolean(this._readableState.readable !== false && (this._readableState.destroyed || this._readableState.errored) && !this._readableState.endEmitted); }),
  readableHighWaterMark: asked(function () { return this._readableState.highWaterMark; }),
  readableBuffer: asked(function () { return this._readableState?.buffer; }),
  readableFlowing: asked(function () { return this._readableState.flowing; }, function (value) { if (this._readableState) this._readableState.flowing = value; }),
  readableLength: asked(function () { return this._readableState.length; }),
  readableObjectMode: asked(function () { return this._readableState ? this._readableState.objectMode : false; }),
  readableEncoding: asked(function () { return this._readableState ? this._readableState.encoding : null; }),
  readableEnded: asked(function () { return this._readableState ? this._readableState.endEmitted : false; }),
};
Object.defineProperties(Readable.prototype, {
  ...readableProperties,
  errored: asked(function () { return this._readableState ? this._readableState.errored : null; }),
  closed: asked(function () { return this._readableState ? this._readableState.closed : false; }),
  destroyed: asked(function () { return this._readableState ? this._readableState.destroyed : false; }, function (value) { if (this._readableState) this._readableState.destroyed = value; }),
});
Readable._fromList = takeFromBuffer;

