// state.js - what all streams share: errors, high water marks, and questions about a stream of any make.
import { argType, argValue, checkInteger, coded, notImplemented, received } from 'node:internal/errors';

const { queueMicrotask } = globalThis;

export const kDestroyed = Symbol.for('nodejs.stream.destroyed'), kIsErrored = Symbol.for('nodejs.stream.errored');
export const kIsReadable = Symbol.for('nodejs.stream.readable'), kIsWritable = Symbol.for('nodejs.stream.writable');
export const kIsDisturbed = Symbol.for('nodejs.stream.disturbed'), kIsClosed = Symbol('stream.closedPromise');
export const nop = () => {};

// As process.nextTick: not through `process`, which the worker may change.
export function nextTick(f, a, b, c, d) { queueMicrotask(() => f(a, b, c, d)); }

export const errors = {
  alreadyFinished: (name) => coded(Error, 'ERR_STREAM_ALREADY_FINISHED', `Cannot call ${name} after a stream was finished`),
  cannotPipe: () => coded(Error, 'ERR_STREAM_CANNOT_PIPE', 'Cannot pipe, not readable'),
  chunk: (chunk) => argType('chunk', ['string', 'Buffer', 'TypedArray', 'DataView'], chunk),
  destroyed: (name) => coded(Error, 'ERR_STREAM_DESTROYED', `Cannot call ${name} after a stream was destroyed`),
  encoding: (name) => coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${name}`),
  missing: (name) => coded(TypeError, 'ERR_MISSING_ARGS', `The "${name}" argument must be specified`),
  multiple: () => coded(Error, 'ERR_MULTIPLE_CALLBACK', 'Callback called multiple times'),
  noMethod: (name) => notImplemented(name),
  nullValues: () => coded(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream'),
  premature: () => coded(Error, 'ERR_STREAM_PREMATURE_CLOSE', 'Premature close'),
  pushAfterEnd: () => coded(Error, 'ERR_STREAM_PUSH_AFTER_EOF', 'stream.push() after EOF'),
  unableToPipe: () => coded(Error, 'ERR_STREAM_UNABLE_TO_PIPE', 'Cannot pipe to a closed or destroyed stream'),
  unshiftAfterEnd: () => coded(Error, 'ERR_STREAM_UNSHIFT_AFTER_END_EVENT', 'stream.unshift() after end event'),
  writeAfterEnd: () => coded(Error, 'ERR_STREAM_WRITE_AFTER_END', 'write after end'),
  returned: (expected, name, value) => coded(TypeError, 'ERR_INVALID_RETURN_VALUE',
    `Expected ${expected} to be returned from the "${name}" function but got${received(value).slice(' Received'.length)}.`),
};

// Both of two errors: what came later happened while the first was dealt with.
export function both(inner, outer) {
  if (!inner || !outer || inner === outer) return inner || outer;
  if (Array.isArray(outer.errors)) {
    outer.errors.push(inner);
    return outer;
  }
  const error = new AggregateError([outer, inner], outer.message);
  error.code = outer.code;
  return error;
}

// ---- high water marks ----

let ofBytes = 64 * 1024, ofObjects = 16;

export const getDefaultHighWaterMark = (isObjects) => (isObjects ? ofObjects : ofBytes);
export function setDefaultHighWaterMark(isObjects, value) {
  checkInteger(value, 'value', 0);
  if (isObjects) ofObjects = value;
  else ofBytes = value;
}
export function highWaterMark(isObjects, options, key, isDuplex) {
  const isOwn = options.highWaterMark == null && isDuplex, value = isOwn ? options[key] : options.highWaterMark;
  if (value == null) return getDefaultHighWaterMark(isObjects);
  if (!Number.isInteger(value) || value < 0) throw argValue(isOwn ? `options.${key}` : 'options.highWaterMark', value);
  return Math.floor(value);
}

// ---- what a thing is ----

const isObject = (stream) => stream !== null && typeof stream === 'object';
export const isReadableNode = (stream, isStrict = false) => Boolean(stream && typeof stream.pipe === 'function' && typeof stream.on === 'function'
  && (!isStrict || (typeof stream.pause === 'function' && typeof stream.resume === 'function'))
  && (!stream._writableState || stream._readableState?.readable !== false) && (!stream._writableState || stream._readableState));
export const isWritableNode = (stream) => Boolean(stream && typeof stream.write === 'function' && typeof stream.on === 'function'
  && (!stream._readableState || stream._writableState?.writable !== false));
export const isDuplexNode = (stream) => Boolean(stream && typeof stream.pipe === 'function' && stream._readableState && typeof stream.on === 'function' && typeof stream.write === 'function');
export const isNodeStream = (stream) => Boolean(stream && (stream._readableState || stream._writableState
  || (typeof stream.write === 'function' && typeof stream.on === 'function') || (typeof stream.pipe === 'function' && typeof stream.on === 'function')));
export const isReadableWeb = (stream) => Boolean(isObject(stream) && !isNodeStream(stream) && typeof stream.pipeThrough === 'function' && typeof stream.getReader === 'function' && typeof stream.cancel === 'function');
export const isWritableWeb = (stream) => Boolean(isObject(stream) && !isNodeStream(stream) && typeof stream.getWriter === 'function' && typeof stream.abort === 'function');
export const isTransformWeb = (stream) => Boolean(isObject(stream) && !isNodeStream(stream) && typeof stream.readable === 'object' && typeof stream.writable === 'object');
export const isWebStream = (stream) => isReadableWeb(stream) || isWritableWeb(stream) || isTransformWeb(stream);
export function isIterable(value, isAsync) {
  if (value == null) return false;
  if (isAsync === true) return typeof value[Symbol.asyncIterator] === 'function';
  if (isAsync === false) return typeof value[Symbol.iterator] === 'function';
  return typeof value[Symbol.asyncIterator] === 'function' || typeof value[Symbol.iterator] === 'function';
}

// ---- what has become of a stream: null where it cannot tell ----

export function isDestroyed(stream) {
  if (!isNodeStream(stream)) return null;
  const state = stream._writableState || stream._readableState;
  return Boolean(stream.destroyed || stream[kDestroyed] || state?.destroyed);
}
export function isWritableEnded(stream) {
  if (!isWritableNode(stream)) return null;
  if (stream.writableEnded === true) return true;
  if (stream._writableState?.errored) return false;
  return typeof stream._writableState?.ended === 'boolean' ? stream._writableState.ended : null;
}
export function isWritableFinished(stream, isStrict) {
  if (!isWritableNode(stream)) return null;
  if (stream.writableFinished === true) return true;
  const state = stream._writableState;
  if (state?.errored) return false;
  if (typeof state?.finished !== 'boolean') return null;
  return state.finished || (isStrict === false && state.ended === true && state.length === 0);
}
export function isReadableEnded(stream) {
  if (!isReadableNode(stream)) return null;
  if (stream.readableEnded === true) return true;
  const state = stream._readableState;
  return !state || state.errored ? false : typeof state.ended === 'boolean' ? state.ended : null;
}
export function isReadableFinished(stream, isStrict) {
  if (!isReadableNode(stream)) return null;
  const state = stream._readableState;
  if (state?.errored) return false;
  if (typeof state?.endEmitted !== 'boolean') return null;
  return state.endEmitted || (isStrict === false && state.ended === true && state.length === 0);
}
export function isReadable(stream) {
  if (stream && stream[kIsReadable] != null) return stream[kIsReadable];
  if (typeof stream?.readable !== 'boolean') return null;
  if (isDestroyed(stream)) return false;
  return isReadableNode(stream) && stream.readable && !isReadableFinished(stream);
}
export function isWritable(stream) {
  if (stream && stream[kIsWritable] != null) return stream[kIsWritable];
  if (typeof stream?.writable !== 'boolean') return null;
  if (isDestroyed(stream)) return false;
  return isWritableNode(stream) && stream.writable && !isWritableEnded(stream);
}
export function isFinished(stream, options = undefined) {
  if (!isNodeStream(stream)) return null;
  if (isDestroyed(stream)) return true;
  if (options?.readable !== false && isReadable(stream)) return false;
  return !(options?.writable !== false && isWritable(stream));
}
export const readableErrored = (stream) => (!isNodeStream(stream) ? null : stream.readableErrored ?? stream._readableState?.errored ?? null);
export const writableErrored = (stream) => (!isNodeStream(stream) ? null : stream.writableErrored ?? stream._writableState?.errored ?? null);
export function isClosed(stream) {
  if (!isNodeStream(stream)) return null;
  if (typeof stream.closed === 'boolean') return stream.closed;
  const w = stream._writableState, r = stream._readableState;
  if (typeof w?.closed === 'boolean' || typeof r?.closed === 'boolean') return w?.closed || r?.closed;
  if (typeof stream._closed === 'boolean' && stream._defaultKeepAlive !== undefined) return stream._closed;
  return null;
}
export function willEmitClose(stream) {
  if (!isNodeStream(stream)) return null;
  const w = stream._writableState, r = stream._readableState, state = w || r;
  return Boolean(state && state.autoDestroy && state.emitClose && state.closed === false);
}
// Where the platform's own streams keep it: asked of them as far as they say it themselves.
export const isDisturbed = (stream) => Boolean(stream && (stream[kIsDisturbed] ?? (stream.readableDidRead || stream.readableAborted)));
export const isErrored = (stream) => Boolean(stream && (stream[kIsErrored] ?? stream.readableErrored ?? stream.writableErrored ?? stream._readableState?.errorEmitted
  ?? stream._writableState?.errorEmitted ?? stream._readableState?.errored ?? stream._writableState?.errored));
