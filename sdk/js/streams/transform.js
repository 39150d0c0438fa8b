// transform.js - TransformStream, by the Streams standard; IdentityTransformStream and FixedLengthStream of Cloudflare.

const streams = internals.streams;
const {
  SECRET, then, rejected, attempt, deferred, functionOf, strategyOf, markOf, underlying, wholeNumber, publish,
  makeStream, makeWritable, shellOf, shellOfWritable, canEnqueue, shouldPull, desiredSize,
  enqueue: enqueueReadable, closeController: closeReadable, errorController: errorReadable, errorWritable, copyOf,
} = streams;
const { apply } = Reflect;
const { TypeError, RangeError } = globalThis;

// ---- records ----

function setBackpressure(t, hasBackpressure) {
  if (t.changed) t.changed.resolve(undefined);
  t.changed = deferred();
  t.hasBackpressure = hasBackpressure;
}
function unblockWrite(t) { if (t.hasBackpressure) setBackpressure(t, false); }
function clear(t) { t.transform = t.flush = t.cancel = undefined; }

function errorWritableAndUnblock(t, error) {
  clear(t);
  errorWritable(t.writable.controller, error);
  unblockWrite(t);
}
function errorTransform(t, error) {
  errorReadable(t.readable.controller, error);
  errorWritableAndUnblock(t, error);
}

function enqueue(t, chunk) {
  const c = t.readable.controller;
  if (!canEnqueue(c)) throw new TypeError('TransformStream: enqueue() after the readable side was closed');
  try { enqueueReadable(c, chunk); } catch (e) {
    errorWritableAndUnblock(t, e);
    throw t.readable.error;
  }
  const hasBackpressure = !shouldPull(c);
  if (hasBackpressure !== t.hasBackpressure) setBackpressure(t, true);
}

function terminate(t) {
  closeReadable(t.readable.controller);
  errorWritableAndUnblock(t, new TypeError('The TransformStream was terminated.'));
}

function transformChunk(t, chunk) {
  return then(t.transform(chunk), undefined, (e) => {
    errorTransform(t, e);
    throw e;
  });
}

function write(t, chunk) {
  if (!t.hasBackpressure) return transformChunk(t, chunk);
  return then(t.changed.promise, () => {
    if (t.writable.state === 'erroring') throw t.writable.error;
    return transformChunk(t, chunk);
  });
}

// The end of either side: `act` runs once, its outcome goes to settle(error, hasFailed).
function finish(t, act, onValue, onError) {
  if (t.finished) return t.finished.promise;
  t.finished = deferred();
  const { finished } = t, ended = act();
  clear(t);
  then(ended, () => onValue(finished), (e) => {
    onError(e);
    finished.reject(e);
  });
  return finished.promise;
}

function abort(t, reason) {
  const fail = (e) => errorReadable(t.readable.controller, e);
  return finish(t, () => t.cancel(reason), (finished) => {
    if (t.readable.state === 'errored') {
      finished.reject(t.readable.error);
      return;
    }
    fail(reason);
    finished.resolve(undefined);
  }, fail);
}

function close(t) {
  return finish(t, () => t.flush(), (finished) => {
    if (t.readable.state === 'errored') {
      finished.reject(t.readable.error);
      return;
    }
    closeReadable(t.readable.controller);
    finished.resolve(undefined);
  }, (e) => errorReadable(t.readable.controller, e));
}

function cancel(t, reason) {
  if (t.finished) unblockWrite(t);      // of a flush() that waits for the reader
  const fail = (e) => {
    errorWritable(t.writable.controller, e);
    unblockWrite(t);
  };
  return finish(t, () => t.cancel(reason), (finished) => {
    if (t.writable.state === 'errored') {
      finished.reject(t.writable.error);
      return;
    }
    fail(reason);
    finished.resolve(undefined);
  }, fail);
}

// algorithms: { transform(chunk), flush(), cancel(reason) }, which give promises; `started` is one too.
function setUp(t, algorithms, started, writableMark, writableSize, readableMark, readableSize) {
  Object.assign(t, {
    ...algorithms, hasBackpressure: undefined, changed: null, finished: null, readable: null, writable: null, shell: null,
  });
  t.writable = makeWritable({
    start: () => started, write: (chunk) => write(t, chunk), close: () => close(t), abort: (reason) => abort(t, reason),
  }, writableMark, writableSize);
  t.readable = makeStream({
    start: () => started,
    pull() {
      setBackpressure(t, false);
      return t.changed.promise;
    },
    cancel: (reason) => cancel(t, reason),
  }, readableMark, readableSize);
  setBackpressure(t, true);
}
function nothing() { return streams.NOTHING; }

// A transform of our own: transform(chunk, put) and flush(put) may throw or give promises; over() is told that
// nothing more comes because one side has given up.  put(chunk) is whether somebody may still want more; put.wait() is
// undefined, or a promise as long as nobody has taken what was put, for transforms that can make much of little.
function makeTransform({ transform, flush, over }) {
  const t = {}, put = (chunk) => {
    if (t.readable.state !== 'readable') return false;
    enqueue(t, chunk);
    return true;
  };
  put.wait = () => (t.hasBackpressure && t.readable.state === 'readable' ? t.changed.promise : undefined);
  setUp(t, {
    transform: (chunk) => attempt(transform, undefined, [chunk, put]),
    flush: flush ? () => attempt(flush, undefined, [put]) : nothing,
    cancel: over ? () => {
      over();
      return streams.NOTHING;
    } : nothing,
  }, streams.NOTHING, 1, undefined, 0, undefined);
  return { readable: shellOf(t.readable), writable: shellOfWritable(t.writable) };
}

// ---- public classes ----

class TransformStreamDefaultController {
  #record;
  constructor(secret, record) {
    if (secret !== SECRET) throw new TypeError('Illegal constructor');
    this.#record = record;
  }
  get desiredSize() { return desiredSize(this.#record.readable.controller); }
  enqueue(chunk = undefined) { enqueue(this.#record, chunk); }
  error(reason = undefined) { errorTransform(this.#record, reason); }
  terminate() { terminate(this.#record); }
}

class TransformStream {
  #readable; #writable;
  constructor(transformer = undefined, writableStrategy = undefined, readableStrategy = undefined) {
    if (transformer === SECRET) {
      this.#readable = shellOf(writableStrategy);
      this.#writable = shellOfWritable(readableStrategy);
      return;
    }
    const forWritable = strategyOf(writableStrategy, 'TransformStream'), forReadable = strategyOf(readableStrategy, 'TransformStream');
    const by = underlying(transformer, 'TransformStream: the transformer');
    const cancelled = functionOf(by, 'cancel', 'TransformStream'), flush = functionOf(by, 'flush', 'TransformStream');
    const { readableType } = by, start = functionOf(by, 'start', 'TransformStream');
    const transform = functionOf(by, 'transform', 'TransformStream'), { writableType } = by;
    if (readableType !== undefined) throw new RangeError('TransformStream: the transformer must not have a readableType');
    if (writableType !== undefined) throw new RangeError('TransformStream: the transformer must not have a writableType');
    const readableMark = markOf(forReadable, 0, 'TransformStream'), writableMark = markOf(forWritable, 1, 'TransformStream');
    const started = deferred(), t = {};
    const shell = () => (t.shell ??= new TransformStreamDefaultController(SECRET, t));
    setUp(t, {
      transform: transform ? (chunk) => attempt(transform, by, [chunk, shell()]) : (chunk) => {
        try { enqueue(t, chunk); } catch (e) { return rejected(e); }
        return streams.NOTHING;
      },
      flush: flush ? () => attempt(flush, by, [shell()]) : nothing,
      cancel: cancelled ? (reason) => attempt(cancelled, by, [reason]) : nothing,
    }, started.promise, writableMark, forWritable.size, readableMark, forReadable.size);
    started.resolve(start ? apply(start, by, [shell()]) : undefined);
    this.#readable = shellOf(t.readable);
    this.#writable = shellOfWritable(t.writable);
  }
  get readable() { return this.#readable; }
  get writable() { return this.#writable; }
}

// ---- Cloudflare's streams of bytes ----

const TOO_MANY = 'Attempt to write too many bytes through a FixedLengthStream.';
const TOO_FEW = 'FixedLengthStream did not see all expected bytes before close().';

function bytesOf(chunk) {
  const bytes = internals.chunkBytes(chunk);
  if (bytes) return bytes;
  throw new TypeError(typeof chunk === 'string'
    ? "This TransformStream is being used as a byte stream, but received a string on its writable side. If you wish to write a string, you'll probably want to explicitly UTF-8-encode it with TextEncoder."
    : 'This TransformStream is being used as a byte stream, but received an object of non-ArrayBuffer/ArrayBufferView type on its writable side.');
}

// The two ends of a pipe for bytes that holds nothing: a write ends when its
// bytes were read.  expected: how many there must be, -1: any number.
function makeBytePipe(expected, strategy, what) {
  let left = expected, taken = null;
  const over = (error) => {
    if (taken) taken.reject(error);
    taken = null;
  };
  const readable = streams.makeByteStream({
    cancel(reason) {
      errorWritable(writable.controller, reason);
      over(reason);
      return streams.NOTHING;
    },
  });
  readable.controller.onDrain = () => {
    if (taken) taken.resolve(undefined);
    taken = null;
  };
  const end = (error) => {
    streams.errorBytes(readable.controller, error);
    return rejected(error);
  };
  const { highWaterMark } = strategyOf(strategy, what);
  const writable = makeWritable({
    write(chunk) {
      let bytes;
      try { bytes = bytesOf(chunk); } catch (e) { return end(e); }
      if (expected >= 0 && bytes.byteLength > left) return end(new TypeError(TOO_MANY));
      left -= bytes.byteLength;
      if (bytes.byteLength === 0) return streams.NOTHING;
      streams.enqueueBytes(readable.controller, streams.viewOf(copyOf(bytes)));
      if (readable.controller.queue.size === 0) return streams.NOTHING;
      taken = deferred();
      return taken.promise;
    },
    close() {
      if (expected >= 0 && left > 0) return end(new TypeError(TOO_FEW));
      streams.endBytes(readable.controller);
      return streams.NOTHING;
    },
  }, markOf({ highWaterMark }, 1, what), highWaterMark === undefined ? undefined : (chunk) => bytesOf(chunk).byteLength);
  // At once, although a write may be under way that nobody will read.
  writable.controller.onAbort = (reason) => {
    streams.errorBytes(readable.controller, reason);
    over(reason);
  };
  writable.expectsBytes = true;
  readable.length = expected;
  return [readable, writable];
}

class IdentityTransformStream extends TransformStream {
  constructor(strategy = undefined, pipe = undefined) {
    const ends = strategy === SECRET ? pipe : makeBytePipe(-1, strategy, 'IdentityTransformStream');
    super(SECRET, ends[0], ends[1]);
  }
}

// The length is known to whom the readable side is given: a Response has it as Content-Length.
class FixedLengthStream extends IdentityTransformStream {
  constructor(expectedLength, strategy = undefined) {
    super(SECRET, makeBytePipe(wholeNumber(expectedLength, 'FixedLengthStream: the length'), strategy, 'FixedLengthStream'));
  }
}

publish(TransformStream, TransformStreamDefaultController, IdentityTransformStream, FixedLengthStream);
internals.makeTransform = makeTransform;
