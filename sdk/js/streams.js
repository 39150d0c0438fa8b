// streams.js - ReadableStream with its default controller and default reader, by the Streams standard.
//
// Every public object is a shell around a record; the functions below are the
// standard's abstract operations on records, under shortened names.  Pipes,
// tee and byte streams build on the same records: a controller record brings
// its own pullSteps, cancelSteps and releaseSteps.
//
// A stream over an incoming request's body has `native` set to the request's
// stream number; while nobody has read from it, C can move the bytes itself.

let recordOfStream, recordOfReader, recordOfController;
const SECRET = {};              // the constructors that only we may call

function deferred() {
  const d = {};
  d.promise = new Promise((resolve, reject) => { d.resolve = resolve; d.reject = reject; });
  return d;
}
function handled(promise) { promise.then(undefined, () => {}); return promise; }

// ---- streams ----

function newStreamRecord() {
  return { state: 'readable', reader: null, error: undefined, isDisturbed: false, controller: null, native: 0, shell: null };
}

function closeStream(stream) {
  stream.state = 'closed';
  const reader = stream.reader;
  if (!reader) return;
  reader.closed.resolve(undefined);
  const requests = reader.requests;
  reader.requests = [];
  for (const request of requests) request.close();
}

function errorStream(stream, error) {
  stream.state = 'errored';
  stream.error = error;
  const reader = stream.reader;
  if (!reader) return;
  reader.closed.reject(error);
  handled(reader.closed.promise);
  const requests = reader.requests;
  reader.requests = [];
  for (const request of requests) request.error(error);
}

function cancelStream(stream, reason) {
  stream.isDisturbed = true;
  if (stream.state === 'closed') return Promise.resolve();
  if (stream.state === 'errored') return Promise.reject(stream.error);
  closeStream(stream);
  return stream.controller.cancelSteps(stream.controller, reason).then(() => undefined);
}

function readFrom(reader, request) {
  const stream = reader.stream;
  stream.isDisturbed = true;
  if (stream.state === 'closed') request.close();
  else if (stream.state === 'errored') request.error(stream.error);
  else stream.controller.pullSteps(stream.controller, request);
}

// ---- default controller ----

function clearController(c) {
  c.queue = [];
  c.queueSize = 0;
  c.pull = c.cancel = c.size = undefined;
}

function canEnqueue(c) { return !c.isClosing && c.stream.state === 'readable'; }
function desiredSize(c) {
  if (c.stream.state === 'errored') return null;
  return c.stream.state === 'closed' ? 0 : c.highWaterMark - c.queueSize;
}

function shouldPull(c) {
  if (!canEnqueue(c) || !c.isStarted) return false;
  if (c.stream.reader && c.stream.reader.requests.length > 0) return true;
  return desiredSize(c) > 0;
}

function pullIfNeeded(c) {
  if (!shouldPull(c)) return;
  if (c.isPulling) {
    c.pullAgain = true;
    return;
  }
  c.isPulling = true;
  let result;
  try { result = Promise.resolve(c.pull()); } catch (e) { result = Promise.reject(e); }
  result.then(() => {
    c.isPulling = false;
    if (!c.pullAgain) return;
    c.pullAgain = false;
    pullIfNeeded(c);
  }, (e) => errorController(c, e));
}

function errorController(c, error) {
  if (c.stream.state !== 'readable') return;
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
    let size = 1;
    try {
      if (c.size) size = Number(c.size(chunk));
      if (!(size >= 0) || size === Infinity) throw new RangeError('ReadableStream: the size of a chunk must be a finite number, not negative');
    } catch (e) {
      errorController(c, e);
      throw e;
    }
    c.queue.push({ chunk, size });
    c.queueSize += size;
  }
  pullIfNeeded(c);
}

const defaultSteps = {
  pullSteps(c, request) {
    if (c.queue.length > 0) {
      const { chunk, size } = c.queue.shift();
      c.queueSize = Math.max(0, c.queueSize - size);
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
    const cancel = c.cancel;
    c.queue = [];
    c.queueSize = 0;
    let result;
    try { result = Promise.resolve(cancel ? cancel(reason) : undefined); } catch (e) { result = Promise.reject(e); }
    clearController(c);
    return result;
  },
  releaseSteps() {},
};

// algorithms: { start(controller), pull(controller), cancel(reason) }, all optional.
function setUpController(stream, algorithms, highWaterMark, size) {
  const c = {
    stream, queue: [], queueSize: 0, isStarted: false, isClosing: false, isPulling: false, pullAgain: false,
    highWaterMark, size, pull: undefined, cancel: algorithms.cancel, shell: null, ...defaultSteps,
  };
  stream.controller = c;
  c.shell = new ReadableStreamDefaultController(SECRET, c);
  c.pull = algorithms.pull ? () => algorithms.pull(c.shell) : () => undefined;
  const started = algorithms.start ? algorithms.start(c.shell) : undefined;
  Promise.resolve(started).then(() => {
    c.isStarted = true;
    pullIfNeeded(c);
  }, (e) => errorController(c, e));
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
  static { recordOfController = (shell) => shell.#record; }
}

// ---- default reader ----

function lock(stream) {
  if (stream.reader) throw new TypeError('This ReadableStream is currently locked to a reader.');
  const reader = { stream, requests: [], closed: deferred() };
  stream.reader = reader;
  if (stream.state === 'closed') reader.closed.resolve(undefined);
  else if (stream.state === 'errored') {
    reader.closed.reject(stream.error);
    handled(reader.closed.promise);
  }
  return reader;
}

function release(reader) {
  const stream = reader.stream;
  if (!stream) return;
  const gone = new TypeError('The reader was released.');
  if (stream.state === 'readable') reader.closed.reject(gone);
  else {
    reader.closed = deferred();
    reader.closed.reject(gone);
  }
  handled(reader.closed.promise);
  stream.controller.releaseSteps();
  stream.reader = null;
  reader.stream = null;
  const requests = reader.requests;
  reader.requests = [];
  for (const request of requests) request.error(gone);
}

function readPromise(reader) {
  if (!reader.stream) return Promise.reject(new TypeError('The reader was released.'));
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
  get closed() { return this.#record.closed.promise; }
  read() { return readPromise(this.#record); }
  cancel(reason = undefined) {
    if (!this.#record.stream) return Promise.reject(new TypeError('The reader was released.'));
    return cancelStream(this.#record.stream, reason);
  }
  releaseLock() { release(this.#record); }
  static { recordOfReader = (shell) => shell.#record; }
}

// ---- the public stream ----

function checkedMark(strategy, fallback) {
  if (strategy?.highWaterMark === undefined) return fallback;
  const mark = Number(strategy.highWaterMark);
  if (!(mark >= 0)) throw new RangeError('ReadableStream: highWaterMark must be a number, not negative');
  return mark;
}

class ReadableStream {
  #record;
  constructor(source = undefined, strategy = undefined) {
    if (source === SECRET) {
      this.#record = strategy;
      strategy.shell = this;
      return;
    }
    if (source === null || (source !== undefined && typeof source !== 'object' && typeof source !== 'function'))
      throw new TypeError('ReadableStream: the source must be an object');
    const method = (name) => {
      const f = source?.[name];
      if (f === undefined) return undefined;
      if (typeof f !== 'function') throw new TypeError(`ReadableStream: the source's ${name} must be a function`);
      return (argument) => f.call(source, argument);
    };
    const size = strategy?.size;
    if (size !== undefined && typeof size !== 'function') throw new TypeError('ReadableStream: size must be a function');
    const algorithms = { start: method('start'), pull: method('pull'), cancel: method('cancel') };
    const type = source?.type;
    if (type !== undefined && String(type) !== 'bytes') throw new TypeError(`ReadableStream: unknown type '${type}'`);
    const mark = checkedMark(strategy, type === undefined ? 1 : 0);
    this.#record = newStreamRecord();
    this.#record.shell = this;
    setUpController(this.#record, algorithms, mark, size);
  }

  get locked() { return this.#record.reader !== null; }
  cancel(reason = undefined) {
    if (this.locked) return Promise.reject(new TypeError('This ReadableStream is currently locked to a reader.'));
    return cancelStream(this.#record, reason);
  }
  getReader(options = undefined) {
    if (options?.mode !== undefined) throw new TypeError(`ReadableStream.getReader: mode '${options.mode}' is not supported yet`);
    return new ReadableStreamDefaultReader(this);
  }

  async *values(options = undefined) {
    const preventCancel = Boolean(options?.preventCancel);
    const reader = lock(this.#record);
    let isDone = false;
    try {
      for (;;) {
        let step;
        try { step = await readPromise(reader); } catch (e) { isDone = true; throw e; }
        if (step.done) {
          isDone = true;
          return;
        }
        yield step.value;
      }
    } finally {
      const stream = reader.stream;
      if (!isDone && !preventCancel && stream) {
        const cancelled = cancelStream(stream, undefined);
        release(reader);
        await cancelled;
      } else release(reader);
    }
  }

  static from(iterable) {
    const make = iterable?.[Symbol.asyncIterator] ?? iterable?.[Symbol.iterator];
    if (typeof make !== 'function') throw new TypeError('ReadableStream.from: expected something iterable');
    const iterator = make.call(iterable);
    return new ReadableStream({
      async pull(controller) {
        const { value, done } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(await value);
      },
      async cancel(reason) { await iterator.return?.(reason); },
    }, { highWaterMark: 0 });
  }

  [internals.inspectFields]() {
    return { locked: this.locked, state: this.#record.state, supportsBYOB: false };
  }

  static {
    recordOfStream = (stream) => {
      if (typeof stream !== 'object' || stream === null || !(#record in stream)) throw new TypeError('expected a ReadableStream');
      return stream.#record;
    };
    internals.isStream = (value) => typeof value === 'object' && value !== null && #record in value;
  }
}
Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, { value: ReadableStream.prototype.values, writable: true, configurable: true });

// ---- for our own use ----

// The body of the request with this stream number.
internals.nativeStream = (id) => {
  const record = newStreamRecord();
  record.native = id;
  setUpController(record, {
    pull(controller) {
      const chunk = native.bodyPull(id);
      if (chunk === null) controller.close();
      else if (chunk !== undefined) controller.enqueue(chunk);
      else return new Promise((resolve) => native.bodyWait(id, resolve)).then(() => this.pull(controller));
      return undefined;
    },
    cancel() { native.bodyDrop(id); },
  }, 0, undefined);
  return new ReadableStream(SECRET, record);
};
// The number of the request whose untouched body this stream is, or 0.
internals.nativeOf = (stream) => {
  const record = recordOfStream(stream);
  return record.native && !record.isDisturbed && !record.reader && record.state === 'readable' ? record.native : 0;
};
// C takes it from here: nobody else may read it.
internals.takeNative = (stream) => {
  const record = recordOfStream(stream);
  record.isDisturbed = true;
  lock(record);
};
internals.streamOfChunk = (bytes) => {
  const record = newStreamRecord();
  setUpController(record, {
    pull(controller) {
      if (bytes.byteLength) controller.enqueue(bytes);
      controller.close();
    },
  }, 0, undefined);
  return new ReadableStream(SECRET, record);
};
internals.isDisturbed = (stream) => recordOfStream(stream).isDisturbed;
internals.lockStream = (stream) => lock(recordOfStream(stream));
internals.readFrom = readFrom;
internals.readPromise = readPromise;
internals.cancelReader = (reader, reason) => (reader.stream ? handled(cancelStream(reader.stream, reason)) : undefined);

for (const c of [ReadableStream, ReadableStreamDefaultReader, ReadableStreamDefaultController]) internals.tag(c);
internals.expose({ ReadableStream, ReadableStreamDefaultReader, ReadableStreamDefaultController });
