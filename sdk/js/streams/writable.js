// writable.js - WritableStream with its default controller and default writer, by the Streams standard.
//
// state: 'writable', 'erroring' (an error is known, writes under way may end),
// 'errored', 'closed'.  Promises that somebody waits for are deferreds: those
// of writes in `writes`, the one under way in `inFlight`.

const streams = internals.streams;
const {
  SECRET, then, resolved, rejected, handled, attempt, illegal, deferred, settled, failed, Queue,
  isObject, functionOf, strategyOf, markOf, underlying, publish,
} = streams;
const { apply } = Reflect;
const { TypeError, RangeError, Number } = globalThis;
const CLOSE = {};               // in a controller's queue: the stream is to be closed
let recordOfStream, isStream;

const LOCKED = 'This WritableStream is currently locked to a writer.';
const RELEASED = 'This WritableStream writer has been released.';
const CLOSED = 'This WritableStream has been closed.';

function newStreamRecord() {
  return {
    state: 'writable', error: undefined, writer: null, controller: null, writes: new Queue(), inFlight: null,
    closing: null, closeInFlight: null, aborting: null, hasBackpressure: false,
  };
}

// ---- streams ----

function isClosing(stream) { return stream.closing !== null || stream.closeInFlight !== null; }

function rejectReady(writer, error) {
  if (writer.ready.isPending) {
    writer.ready.reject(error);
    handled(writer.ready.promise);
  } else writer.ready = failed(error);
}
function rejectClosed(writer, error) {
  if (writer.closed.isPending) {
    writer.closed.reject(error);
    handled(writer.closed.promise);
  } else writer.closed = failed(error);
}

function startErroring(stream, reason) {
  stream.state = 'erroring';
  stream.error = reason;
  if (stream.writer) rejectReady(stream.writer, reason);
  if (!stream.inFlight && !stream.closeInFlight && stream.controller.isStarted) finishErroring(stream);
}

function finishErroring(stream) {
  stream.state = 'errored';
  stream.controller.queue.clear();
  const writes = stream.writes;
  stream.writes = new Queue();
  while (writes.length > 0) writes.shift().reject(stream.error);
  const abort = stream.aborting;
  stream.aborting = null;
  if (!abort) {
    rejectCloseAndClosed(stream);
    return;
  }
  if (abort.wasErroring) {
    abort.done.reject(stream.error);
    rejectCloseAndClosed(stream);
    return;
  }
  const ended = stream.controller.abort(abort.reason);
  clearController(stream.controller);
  then(ended, () => {
    abort.done.resolve(undefined);
    rejectCloseAndClosed(stream);
  }, (e) => {
    abort.done.reject(e);
    rejectCloseAndClosed(stream);
  });
}

function rejectCloseAndClosed(stream) {
  if (stream.closing) {
    stream.closing.reject(stream.error);
    stream.closing = null;
  }
  if (stream.writer) rejectClosed(stream.writer, stream.error);
}

function dealWithRejection(stream, error) {
  if (stream.state === 'writable') startErroring(stream, error);
  else finishErroring(stream);
}

function abortStream(stream, reason) {
  if (stream.state === 'closed' || stream.state === 'errored') return resolved(undefined);
  signalAbort(stream.controller, reason);
  if (stream.state === 'closed' || stream.state === 'errored') return resolved(undefined);
  if (stream.aborting) return stream.aborting.done.promise;
  const wasErroring = stream.state === 'erroring';
  const done = deferred();
  stream.aborting = { done, reason: wasErroring ? undefined : reason, wasErroring };
  if (!wasErroring) startErroring(stream, reason);
  return done.promise;
}

function closeStream(stream) {
  if (stream.state === 'closed' || stream.state === 'errored') return rejected(new TypeError(CLOSED));
  stream.closing = deferred();
  const { promise } = stream.closing;
  if (stream.writer && stream.hasBackpressure && stream.state === 'writable') stream.writer.ready.resolve(undefined);
  stream.controller.queue.pushSized(CLOSE, 0);
  advance(stream.controller);
  return promise;
}

function setBackpressure(stream, hasBackpressure) {
  if (stream.writer && hasBackpressure !== stream.hasBackpressure) {
    if (hasBackpressure) stream.writer.ready = deferred();
    else stream.writer.ready.resolve(undefined);
  }
  stream.hasBackpressure = hasBackpressure;
}

// ---- the controller ----

function clearController(c) { c.write = c.close = c.abort = c.size = undefined; }
function room(c) { return c.highWaterMark - c.queue.size; }
function desiredSize(stream) {
  if (stream.state === 'errored' || stream.state === 'erroring') return null;
  return stream.state === 'closed' ? 0 : room(stream.controller);
}

function errorIfNeeded(c, error) {
  if (c.stream.state !== 'writable') return;
  clearController(c);
  startErroring(c.stream, error);
}

function signalAbort(c, reason) {
  c.isAborted = true;
  c.abortReason = reason;
  if (c.signal) internals.abortSignal(c.signal, reason);
  if (c.onAbort) c.onAbort(reason);
}
// The AbortSignal is made when somebody looks.
function signalOf(c) {
  if (!c.signal) {
    c.signal = internals.newSignal();
    if (c.isAborted) internals.abortSignal(c.signal, c.abortReason);
  }
  return c.signal;
}

function advance(c) {
  const { stream } = c;
  if (!c.isStarted || stream.inFlight) return;
  if (stream.state === 'erroring') {
    finishErroring(stream);
    return;
  }
  if (c.queue.length === 0) return;
  const { value } = c.queue.peek();
  if (value === CLOSE) processClose(c);
  else processWrite(c, value);
}

function processClose(c) {
  const { stream } = c;
  stream.closeInFlight = stream.closing;
  stream.closing = null;
  c.queue.shiftSized();
  const ended = c.close();
  clearController(c);
  then(ended, () => {
    stream.closeInFlight.resolve(undefined);
    stream.closeInFlight = null;
    if (stream.state === 'erroring') {
      stream.error = undefined;
      if (stream.aborting) {
        stream.aborting.done.resolve(undefined);
        stream.aborting = null;
      }
    }
    stream.state = 'closed';
    if (stream.writer) stream.writer.closed.resolve(undefined);
  }, (e) => {
    stream.closeInFlight.reject(e);
    stream.closeInFlight = null;
    if (stream.aborting) {
      stream.aborting.done.reject(e);
      stream.aborting = null;
    }
    dealWithRejection(stream, e);
  });
}

function processWrite(c, chunk) {
  const { stream } = c;
  stream.inFlight = stream.writes.shift();
  then(c.write(chunk), () => {
    stream.inFlight.resolve(undefined);
    stream.inFlight = null;
    c.queue.shiftSized();
    if (!isClosing(stream) && stream.state === 'writable') setBackpressure(stream, room(c) <= 0);
    advance(c);
  }, (e) => {
    if (stream.state === 'writable') clearController(c);
    stream.inFlight.reject(e);
    stream.inFlight = null;
    dealWithRejection(stream, e);
  });
}

// algorithms: { start(), write(chunk), close(), abort(reason) }; all but start give promises.
function setUpController(stream, algorithms, highWaterMark, size) {
  const c = {
    stream, queue: new Queue(), isStarted: false, highWaterMark, size, write: algorithms.write, close: algorithms.close, abort: algorithms.abort,
    shell: null, signal: null, isAborted: false, abortReason: undefined, onAbort: null,
  };
  stream.controller = c;
  setBackpressure(stream, room(c) <= 0);
  const started = algorithms.start();
  then(resolved(started), () => {
    c.isStarted = true;
    advance(c);
  }, (e) => {
    c.isStarted = true;
    dealWithRejection(stream, e);
  });
}

// A stream of our own.
function makeStream(algorithms, highWaterMark = 1, size = undefined) {
  const stream = newStreamRecord(), nothing = () => streams.NOTHING;
  setUpController(stream, { start: algorithms.start ?? nothing, write: algorithms.write, close: algorithms.close ?? nothing, abort: algorithms.abort ?? nothing }, highWaterMark, size);
  return stream;
}

class WritableStreamDefaultController {
  #record;
  constructor(secret, record) {
    if (secret !== SECRET) throw new TypeError('Illegal constructor');
    this.#record = record;
  }
  get signal() { return signalOf(this.#record); }
  error(reason = undefined) { errorIfNeeded(this.#record, reason); }
}

// ---- the writer ----

function lock(stream) {
  if (stream.writer) throw new TypeError(LOCKED);
  const writer = { stream, ready: null, closed: null };
  stream.writer = writer;
  const { state } = stream;
  if (state === 'errored' || state === 'erroring') writer.ready = failed(stream.error);
  else writer.ready = state === 'writable' && !isClosing(stream) && stream.hasBackpressure ? deferred() : settled(undefined);
  if (state === 'errored') writer.closed = failed(stream.error);
  else writer.closed = state === 'closed' ? settled(undefined) : deferred();
  return writer;
}

function release(writer) {
  const { stream } = writer;
  if (!stream) return;
  const gone = new TypeError(RELEASED);
  rejectReady(writer, gone);
  rejectClosed(writer, gone);
  stream.writer = null;
  writer.stream = null;
}

function sizeOf(c, chunk) {
  const { size } = c;
  if (size === undefined) return 1;
  try { return Number(size(chunk)); } catch (e) {
    errorIfNeeded(c, e);
    return 1;
  }
}

function write(writer, chunk) {
  const { stream } = writer, c = stream.controller, size = sizeOf(c, chunk);
  if (stream !== writer.stream) return rejected(new TypeError(RELEASED));
  if (stream.state === 'errored') return rejected(stream.error);
  if (isClosing(stream) || stream.state === 'closed') return rejected(new TypeError(CLOSED));
  if (stream.state === 'erroring') return rejected(stream.error);
  const done = deferred();
  stream.writes.push(done);
  try {
    c.queue.pushSized(chunk, size);
  } catch (e) {
    errorIfNeeded(c, e);
    return done.promise;
  }
  if (!isClosing(stream) && stream.state === 'writable') setBackpressure(stream, room(c) <= 0);
  advance(c);
  return done.promise;
}

function closeFrom(writer) {
  const { stream } = writer;
  if (isClosing(stream)) return rejected(new TypeError('This WritableStream is closing already.'));
  return closeStream(stream);
}

// What a pipe does at the end of its source.
function closeOrFail(writer) {
  const { stream } = writer;
  if (isClosing(stream) || stream.state === 'closed') return resolved(undefined);
  if (stream.state === 'errored') return rejected(stream.error);
  return closeFrom(writer);
}

class WritableStreamDefaultWriter {
  #record;
  constructor(stream) { this.#record = lock(recordOfStream(stream)); }
  get closed() { return isObject(this) && #record in this ? this.#record.closed.promise : illegal(); }
  get ready() { return isObject(this) && #record in this ? this.#record.ready.promise : illegal(); }
  get desiredSize() {
    if (!this.#record.stream) throw new TypeError(RELEASED);
    return desiredSize(this.#record.stream);
  }
  abort(reason = undefined) {
    if (!isObject(this) || !(#record in this)) return illegal();
    return this.#record.stream ? abortStream(this.#record.stream, reason) : rejected(new TypeError(RELEASED));
  }
  close() {
    if (!isObject(this) || !(#record in this)) return illegal();
    return this.#record.stream ? closeFrom(this.#record) : rejected(new TypeError(RELEASED));
  }
  write(chunk = undefined) {
    if (!isObject(this) || !(#record in this)) return illegal();
    return this.#record.stream ? write(this.#record, chunk) : rejected(new TypeError(RELEASED));
  }
  releaseLock() { release(this.#record); }
}

// ---- the public stream ----

class WritableStream {
  #record;
  constructor(sink = undefined, strategy = undefined) {
    if (sink === SECRET) {
      this.#record = strategy;
      return;
    }
    const { highWaterMark, size } = strategyOf(strategy, 'WritableStream');
    const to = underlying(sink, 'WritableStream: the sink');
    const abort = functionOf(to, 'abort', 'WritableStream'), close = functionOf(to, 'close', 'WritableStream');
    const start = functionOf(to, 'start', 'WritableStream'), { type } = to, write = functionOf(to, 'write', 'WritableStream');
    if (type !== undefined) throw new RangeError('WritableStream: the sink must not have a type');
    const mark = markOf({ highWaterMark }, 1, 'WritableStream');
    const stream = newStreamRecord();
    const shell = () => (stream.controller.shell ??= new WritableStreamDefaultController(SECRET, stream.controller));
    const nothing = () => streams.NOTHING;
    setUpController(stream, {
      start: () => (start ? apply(start, to, [shell()]) : undefined),
      write: write ? (chunk) => attempt(write, to, [chunk, shell()]) : nothing,
      close: close ? () => attempt(close, to, []) : nothing,
      abort: abort ? (reason) => attempt(abort, to, [reason]) : nothing,
    }, mark, size);
    this.#record = stream;
  }
  get locked() { return this.#record.writer !== null; }
  abort(reason = undefined) {
    if (!isStream(this)) return illegal();
    return this.#record.writer ? rejected(new TypeError(LOCKED)) : abortStream(this.#record, reason);
  }
  close() {
    if (!isStream(this)) return illegal();
    if (this.#record.writer) return rejected(new TypeError(LOCKED));
    return isClosing(this.#record) ? rejected(new TypeError('This WritableStream is closing already.')) : closeStream(this.#record);
  }
  getWriter() { return new WritableStreamDefaultWriter(this); }

  [internals.inspectFields]() {
    return { locked: this.locked, state: this.#record.state, expectsBytes: this.#record.expectsBytes === true };
  }

  static {
    isStream = (value) => typeof value === 'object' && value !== null && #record in value;
    recordOfStream = (stream) => {
      if (!isStream(stream)) throw new TypeError('expected a WritableStream');
      return stream.#record;
    };
  }
}

publish(WritableStream, WritableStreamDefaultWriter, WritableStreamDefaultController);
Object.assign(streams, {
  isWritable: isStream, recordOfWritable: recordOfStream, shellOfWritable: (record) => new WritableStream(SECRET, record),
  makeWritable: makeStream, lockWritable: lock, releaseWriter: release, write, closeOrFail, abortWritable: abortStream,
  isClosingWritable: isClosing, errorWritable: errorIfNeeded,
});
