// readable.js - ReadableStream with its default controller and default reader, by the Streams standard.
//
// A stream record's controller record brings its own pullSteps, cancelSteps,
// releaseSteps and shouldPull: the ones here, or those of bytes.js.  A reader
// record serves default readers (`requests`) and those of bytes.js (`intos`).
//
// A stream over an incoming request's body has `native` set to the request's
// stream number; while nobody has read from it, C can move the bytes itself.

const streams = internals.streams;
const {
  SECRET, then, resolved, rejected, handled, attempt, deferred, settled, failed, Queue,
  illegal, isObject, dictionary, functionOf, strategyOf, markOf, underlying, publish,
} = streams;
const { apply } = Reflect;
const { Promise, TypeError, RangeError, Boolean, String, Symbol } = globalThis;
let recordOfStream, isStream;

const LOCKED = 'This ReadableStream is currently locked to a reader.';
const RELEASED = 'This ReadableStream reader has been released.';

// ---- streams ----

function newStreamRecord() {
  return { state: 'readable', reader: null, error: undefined, isDisturbed: false, controller: null, native: 0, length: -1, givesOwn: false, gather: null };
}
function shellOf(record) { return new ReadableStream(SECRET, record); }

function closeStream(stream) {
  stream.state = 'closed';
  const reader = stream.reader;
  if (!reader) return;
  reader.closed.resolve(undefined);
  if (reader.intos) return;
  const requests = reader.requests;
  reader.requests = new Queue();
  while (requests.length > 0) requests.shift().close();
}

function errorStream(stream, error) {
  stream.state = 'errored';
  stream.error = error;
  const reader = stream.reader;
  if (!reader) return;
  reader.closed.reject(error);
  handled(reader.closed.promise);
  failRequests(reader, error);
}

function failRequests(reader, error) {
  const requests = reader.intos ?? reader.requests;
  if (reader.intos) reader.intos = new Queue();
  else reader.requests = new Queue();
  while (requests.length > 0) requests.shift().error(error);
}

function cancelStream(stream, reason) {
  stream.isDisturbed = true;
  if (stream.state === 'closed') return resolved(undefined);
  if (stream.state === 'errored') return rejected(stream.error);
  closeStream(stream);
  const intos = stream.reader?.intos;
  if (intos) {
    stream.reader.intos = new Queue();
    while (intos.length > 0) intos.shift().close(undefined);
  }
  return then(stream.controller.cancelSteps(stream.controller, reason), () => undefined);
}

function readFrom(reader, request) {
  const stream = reader.stream;
  stream.isDisturbed = true;
  if (stream.state === 'closed') request.close();
  else if (stream.state === 'errored') request.error(stream.error);
  else stream.controller.pullSteps(stream.controller, request);
}

// ---- what both kinds of controller do ----

function pullIfNeeded(c) {
  if (!c.shouldPull(c)) return;
  if (c.isPulling) {
    c.pullAgain = true;
    return;
  }
  c.isPulling = true;
  then(c.pull(), () => {
    c.isPulling = false;
    if (!c.pullAgain) return;
    c.pullAgain = false;
    pullIfNeeded(c);
  }, (e) => c.fail(c, e));
}

function startController(c, start) {
  const started = start();      // what it throws goes to the constructor's caller
  then(resolved(started), () => {
    c.isStarted = true;
    pullIfNeeded(c);
  }, (e) => c.fail(c, e));
}

function desiredSize(c) {
  if (c.stream.state === 'errored') return null;
  return c.stream.state === 'closed' ? 0 : c.highWaterMark - c.queue.size;
}

// ---- default controller ----

function clearController(c) { c.pull = c.cancel = c.size = undefined; }
function canEnqueue(c) { return !c.isClosing && c.stream.state === 'readable'; }

function shouldPull(c) {
  if (!canEnqueue(c) || !c.isStarted) return false;
  if (c.stream.reader && c.stream.reader.requests.length > 0) return true;
  return desiredSize(c) > 0;
}

function errorController(c, error) {
  if (c.stream.state !== 'readable') return;
  c.queue.clear();
  clearController(c);
  errorStream(c.stream, error);
}

function closeController(c) {
  if (!canEnqueue(c)) return;
  c.isClosing = true;
  if (c.queue.length === 0) {
    clearController(c);
    closeStream(c.stream);
  }
}

function enqueue(c, chunk) {
  if (!canEnqueue(c)) return;
  const reader = c.stream.reader;
  if (reader && reader.requests.length > 0) {
    reader.requests.shift().chunk(chunk);
  } else {
    try {
      const { size } = c;
      c.queue.pushSized(chunk, size ? Number(size(chunk)) : 1);
    } catch (e) {
      errorController(c, e);
      throw e;
    }
  }
  pullIfNeeded(c);
}

const defaultSteps = {
  pullSteps(c, request) {
    if (c.queue.length > 0) {
      const chunk = c.queue.shiftSized();
      if (c.isClosing && c.queue.length === 0) {
        clearController(c);
        closeStream(c.stream);
      } else pullIfNeeded(c);
      request.chunk(chunk);
    } else {
      c.stream.reader.requests.push(request);
      pullIfNeeded(c);
    }
  },
  cancelSteps(c, reason) {
    c.queue.clear();
    const result = c.cancel(reason);
    clearController(c);
    return result;
  },
  releaseSteps() {},
  shouldPull,
  fail: errorController,
};

// algorithms: { start(), pull(), cancel(reason) }; pull and cancel give promises, start anything.
function setUpController(stream, algorithms, highWaterMark, size) {
  const c = {
    stream, queue: new Queue(), isStarted: false, isClosing: false, isPulling: false, pullAgain: false,
    highWaterMark, size, pull: algorithms.pull, cancel: algorithms.cancel, shell: null, ...defaultSteps,
  };
  stream.controller = c;
  startController(c, algorithms.start);
  return c;
}
function nothing() { return streams.NOTHING; }

// A stream of our own: its shell.
function makeStream(algorithms, highWaterMark = 1, size = undefined) {
  const stream = newStreamRecord();
  setUpController(stream, { start: algorithms.start ?? nothing, pull: algorithms.pull ?? nothing, cancel: algorithms.cancel ?? nothing }, highWaterMark, size);
  return stream;
}

class ReadableStreamDefaultController {
  #record;
  constructor(secret, record) {
    if (secret !== SECRET) throw new TypeError('Illegal constructor');
    this.#record = record;
  }
  get desiredSize() { return desiredSize(this.#record); }
  close() {
    if (!canEnqueue(this.#record)) throw new TypeError('ReadableStream: close() on a stream that is closed already');
    closeController(this.#record);
  }
  enqueue(chunk = undefined) {
    if (!canEnqueue(this.#record)) throw new TypeError('ReadableStream: enqueue() on a stream that is closed already');
    enqueue(this.#record, chunk);
  }
  error(reason = undefined) { errorController(this.#record, reason); }
}

// The algorithms that call a source's functions with the controller's shell.
function algorithmsOf(source, cancel, pull, start, shell) {
  return {
    start: () => (start ? apply(start, source, [shell()]) : undefined),
    pull: pull ? () => attempt(pull, source, [shell()]) : nothing,
    cancel: cancel ? (reason) => attempt(cancel, source, [reason]) : nothing,
  };
}

// ---- default reader ----

function lock(stream) {
  if (stream.reader) throw new TypeError(LOCKED);
  const reader = { stream, requests: new Queue(), intos: null, closed: null };
  stream.reader = reader;
  reader.closed = stream.state === 'readable' ? deferred() : stream.state === 'closed' ? settled(undefined) : failed(stream.error);
  return reader;
}

function release(reader) {
  const stream = reader.stream;
  if (!stream) return;
  const gone = new TypeError(RELEASED);
  if (stream.state === 'readable') {
    reader.closed.reject(gone);
    handled(reader.closed.promise);
  } else reader.closed = failed(gone);
  stream.controller.releaseSteps(stream.controller);
  stream.reader = null;
  reader.stream = null;
  failRequests(reader, gone);
}

function cancelReader(reader, reason) {
  return reader.stream ? cancelStream(reader.stream, reason) : rejected(new TypeError(RELEASED));
}

function readPromise(reader) {
  if (!reader.stream) return rejected(new TypeError(RELEASED));
  return new Promise((resolve, reject) => {
    readFrom(reader, {
      chunk: (value) => resolve({ value, done: false }),
      close: () => resolve({ value: undefined, done: true }),
      error: reject,
    });
  });
}

class ReadableStreamDefaultReader {
  #record;
  constructor(stream) { this.#record = lock(recordOfStream(stream)); }
  get closed() { return isObject(this) && #record in this ? this.#record.closed.promise : illegal(); }
  read() { return isObject(this) && #record in this ? readPromise(this.#record) : illegal(); }
  cancel(reason = undefined) { return isObject(this) && #record in this ? cancelReader(this.#record, reason) : illegal(); }
  releaseLock() { release(this.#record); }
}

// ---- iteration ----

class StreamIterator {
  #reader; #preventCancel; #ongoing = null; #isFinished = false;
  constructor(stream, preventCancel) {
    this.#reader = lock(stream);
    this.#preventCancel = preventCancel;
  }

  #end() {
    this.#isFinished = true;
    this.#ongoing = null;
    release(this.#reader);
  }
  #step() {
    if (this.#isFinished) return resolved({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      readFrom(this.#reader, {
        chunk: (value) => { this.#ongoing = null; resolve({ value, done: false }); },
        close: () => { this.#end(); resolve({ value: undefined, done: true }); },
        error: (e) => { this.#end(); reject(e); },
      });
    });
  }
  #leave(value) {
    if (this.#isFinished) return resolved({ value, done: true });
    this.#isFinished = true;
    this.#ongoing = null;
    const reader = this.#reader;
    const cancelled = this.#preventCancel ? streams.NOTHING : cancelStream(reader.stream, value);
    release(reader);
    return then(cancelled, () => ({ value, done: true }));
  }

  next() {
    if (!isObject(this) || !(#reader in this)) return illegal();
    const step = () => this.#step();
    this.#ongoing = this.#ongoing ? then(this.#ongoing, step, step) : this.#step();
    return this.#ongoing;
  }
  return(value = undefined) {
    if (!isObject(this) || !(#reader in this)) return illegal();
    const leave = () => this.#leave(value);
    return this.#ongoing ? then(this.#ongoing, leave, leave) : this.#leave(value);
  }
}
Object.setPrototypeOf(StreamIterator.prototype, Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype));
delete StreamIterator.prototype.constructor;
for (const name of ['next', 'return']) Object.defineProperty(StreamIterator.prototype, name, { enumerable: true });
internals.tag(StreamIterator, 'ReadableStream AsyncIterator');

// [iterator, its next, whether it is an asynchronous one]
function iteratorOf(iterable) {
  const from = (name) => {
    const make = iterable?.[name];
    if (make !== undefined && make !== null && typeof make !== 'function') throw new TypeError('ReadableStream.from: expected something iterable');
    return make ?? undefined;
  };
  let isAsync = true, make = from(Symbol.asyncIterator);
  if (!make) {
    isAsync = false;
    make = from(Symbol.iterator);
  }
  if (!make) throw new TypeError('ReadableStream.from: expected something iterable');
  const iterator = apply(make, iterable, []);
  if (!isObject(iterator)) throw new TypeError('ReadableStream.from: the iterator must be an object');
  return [iterator, iterator.next, isAsync];
}

function fromIterable(iterable) {
  const made = iteratorOf(iterable), iterator = made[0], next = made[1], isAsync = made[2];
  const checked = (result) => {
    if (!isObject(result)) throw new TypeError('ReadableStream.from: the iterator gave a result that is no object');
    return result;
  };
  const stream = makeStream({
    pull: () => then(attempt(next, iterator, []), (result) => {
      if (checked(result).done) {
        closeController(stream.controller);
        return undefined;
      }
      if (isAsync) return enqueue(stream.controller, result.value);
      return then(resolved(result.value), (value) => enqueue(stream.controller, value));
    }),
    cancel(reason) {
      let end;
      try { end = iterator.return; } catch (e) { return rejected(e); }
      if (end === undefined || end === null) return streams.NOTHING;
      return then(attempt(end, iterator, [reason]), (result) => { checked(result); });
    },
  }, 0);
  return stream;
}

// ---- the public stream ----

function pipeOptions(options, what) {
  const o = dictionary(options, `${what}: the options`);
  const preventAbort = Boolean(o.preventAbort), preventCancel = Boolean(o.preventCancel), preventClose = Boolean(o.preventClose);
  const signal = o.signal;
  if (signal !== undefined && !internals.isAbortSignal(signal)) throw new TypeError(`${what}: signal must be an AbortSignal`);
  return { preventAbort, preventCancel, preventClose, signal };
}

class ReadableStream {
  #record;
  constructor(source = undefined, strategy = undefined) {
    if (source === SECRET) {
      this.#record = strategy;
      return;
    }
    const { highWaterMark, size } = strategyOf(strategy, 'ReadableStream');
    const from = underlying(source, 'ReadableStream: the source');
    const chunkSize = from.autoAllocateChunkSize;
    const allocate = chunkSize === undefined ? undefined : streams.wholeNumber(chunkSize, 'ReadableStream: autoAllocateChunkSize');
    const cancel = functionOf(from, 'cancel', 'ReadableStream'), pull = functionOf(from, 'pull', 'ReadableStream');
    const start = functionOf(from, 'start', 'ReadableStream'), type = from.type;
    const isBytes = type !== undefined && String(type) === 'bytes';
    // `type` of a Python object is the name of its class.
    if (type !== undefined && !isBytes && !native.isPython(from)) throw new TypeError(`ReadableStream: unknown type '${String(type)}'`);
    const record = newStreamRecord();
    const algorithms = algorithmsOf(from, cancel, pull, start, () => {
      const c = record.controller;
      c.shell ??= isBytes ? streams.byteShell(c) : new ReadableStreamDefaultController(SECRET, c);
      return c.shell;
    });
    if (isBytes) {
      if (size !== undefined) throw new RangeError('ReadableStream: a stream of bytes takes no size()');
      streams.setUpBytes(record, algorithms, markOf({ highWaterMark }, 0, 'ReadableStream'), allocate);
    } else setUpController(record, algorithms, markOf({ highWaterMark }, 1, 'ReadableStream'), size);
    this.#record = record;
  }

  get locked() { return this.#record.reader !== null; }
  cancel(reason = undefined) {
    if (!isStream(this)) return illegal();
    if (this.#record.reader) return rejected(new TypeError(LOCKED));
    return cancelStream(this.#record, reason);
  }
  getReader(options = undefined) {
    void this.#record;
    const mode = dictionary(options, 'ReadableStream.getReader: the options').mode;
    if (mode === undefined) return new ReadableStreamDefaultReader(this);
    if (String(mode) !== 'byob') throw new TypeError(`ReadableStream.getReader: unknown mode '${String(mode)}'`);
    return new streams.ByobReader(this);
  }

  pipeThrough(transform, options = undefined) {
    if (!isObject(transform)) throw new TypeError('ReadableStream.pipeThrough: expected an object with readable and writable');
    const { readable, writable } = transform;
    if (!isStream(readable)) throw new TypeError('ReadableStream.pipeThrough: readable must be a ReadableStream');
    if (!streams.isWritable(writable)) throw new TypeError('ReadableStream.pipeThrough: writable must be a WritableStream');
    const o = pipeOptions(options, 'ReadableStream.pipeThrough');
    const to = streams.recordOfWritable(writable);
    if (this.#record.reader) throw new TypeError(LOCKED);
    if (to.writer) throw new TypeError('This WritableStream is currently locked to a writer.');
    handled(streams.pipe(this.#record, to, o));
    return readable;
  }
  pipeTo(destination, options = undefined) {
    try {
      if (!isStream(this)) return illegal();
      if (!streams.isWritable(destination)) throw new TypeError('ReadableStream.pipeTo: expected a WritableStream');
      const o = pipeOptions(options, 'ReadableStream.pipeTo');
      const to = streams.recordOfWritable(destination);
      if (this.#record.reader) throw new TypeError(LOCKED);
      if (to.writer) throw new TypeError('This WritableStream is currently locked to a writer.');
      return streams.pipe(this.#record, to, o);
    } catch (e) {
      return rejected(e);
    }
  }
  tee() {
    const branches = streams.tee(this.#record, false);
    return [shellOf(branches.first), shellOf(branches.second)];
  }
  values(options = undefined) {
    void this.#record;
    const { preventCancel } = dictionary(options, 'ReadableStream.values: the options');
    return new StreamIterator(this.#record, Boolean(preventCancel));
  }
  static from(iterable) { return shellOf(fromIterable(iterable)); }

  [internals.inspectFields]() {
    return { locked: this.locked, state: this.#record.state, supportsBYOB: this.#record.controller.isBytes === true };
  }

  static {
    isStream = (value) => typeof value === 'object' && value !== null && #record in value;
    recordOfStream = (stream) => {
      if (!isStream(stream)) throw new TypeError('expected a ReadableStream');
      return stream.#record;
    };
  }
}
publish(ReadableStream, ReadableStreamDefaultReader, ReadableStreamDefaultController);
Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, { value: ReadableStream.prototype.values, writable: true, configurable: true });

Object.assign(streams, {
  LOCKED, RELEASED, newStreamRecord, shellOf, recordOfStream, closeStream, errorStream, cancelStream, readFrom, pullIfNeeded,
  startController, desiredSize, makeStream, enqueue, closeController, errorController, canEnqueue, shouldPull, nothing,
  lock, release, readPromise, cancelReader,
});

// ---- for bodies ----

internals.isStream = isStream;
internals.isDisturbed = (stream) => recordOfStream(stream).isDisturbed;
internals.lockStream = (stream) => lock(recordOfStream(stream));
internals.readFrom = readFrom;
internals.readPromise = readPromise;
internals.cancelReader = (reader, reason) => { handled(cancelReader(reader, reason)); };
