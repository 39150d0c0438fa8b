// bytes.js - streams of bytes: ReadableByteStreamController, its BYOB reader and requests.
//
// `pending` holds the pull-into descriptors: buffers that wait to be filled,
// of BYOB reads (reader 'byob'), of autoAllocateChunkSize ('default'), or of
// readers that were released meanwhile ('none').  `queue` holds the bytes that
// nobody has asked for yet, as { buffer, offset, length }.
//
// The standard takes a descriptor's buffer away at each step.  The engine counts the bytes
// of each ArrayBuffer anew and collects garbage by that count, so a buffer is taken here
// only from whom it was shown to: `isShown` says that a BYOB request has a view of it.

const streams = internals.streams;
const {
  SECRET, rejected, illegal, deferred, settled, failed, Queue, isObject, dictionary, wholeNumber, publish,
  LOCKED, RELEASED, closeStream, errorStream, pullIfNeeded, startController, desiredSize, newStreamRecord,
} = streams;
const { apply } = Reflect;
const { Promise, TypeError, RangeError, ArrayBuffer, Uint8Array, DataView } = globalThis;

// What a worker could have replaced, or an own property of a view could hide.
const getter = (prototype, name) => {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name);
  return (object) => apply(get, object, []);
};
const arrayPrototype = Object.getPrototypeOf(Uint8Array.prototype), isView = ArrayBuffer.isView;
const bufferLength = getter(ArrayBuffer.prototype, 'byteLength'), isDetached = getter(ArrayBuffer.prototype, 'detached');
const arrayKind = getter(arrayPrototype, Symbol.toStringTag), arrayLength = getter(arrayPrototype, 'length');
const arrayBuffer = getter(arrayPrototype, 'buffer'), arrayOffset = getter(arrayPrototype, 'byteOffset'), arrayBytes = getter(arrayPrototype, 'byteLength');
const dataBuffer = getter(DataView.prototype, 'buffer'), dataOffset = getter(DataView.prototype, 'byteOffset'), dataBytes = getter(DataView.prototype, 'byteLength');
const transferOf = ArrayBuffer.prototype.transfer, sliceOf = ArrayBuffer.prototype.slice, setOf = arrayPrototype.set;
const kinds = {};
for (const kind of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, BigInt64Array, BigUint64Array, globalThis.Float16Array]) if (kind) kinds[kind.name] = kind;

function transfer(buffer) { return apply(transferOf, buffer, []); }
function copyBytes(to, at, from, start, length) { apply(setOf, new Uint8Array(to), [new Uint8Array(from, start, length), at]); }

// { buffer, offset, bytes, kind: its constructor, elementSize, length } of a view.
function viewOf(view) {
  if (!isView(view)) throw new TypeError('expected an ArrayBufferView, such as a Uint8Array');
  const name = arrayKind(view);
  if (name === undefined) {
    const bytes = dataBytes(view);
    return { buffer: dataBuffer(view), offset: dataOffset(view), bytes, kind: DataView, elementSize: 1, length: bytes };
  }
  const kind = kinds[name];
  return { buffer: arrayBuffer(view), offset: arrayOffset(view), bytes: arrayBytes(view), kind, elementSize: kind.BYTES_PER_ELEMENT, length: arrayLength(view) };
}
function refuseEmpty(view) {
  if (view.bytes === 0) throw new TypeError('The view must not be empty.');
  if (bufferLength(view.buffer) === 0) throw new TypeError('The buffer of the view must not be empty.');
}

function copyOf(chunk) {
  const { buffer, offset, bytes } = viewOf(chunk);
  return new Uint8Array(apply(sliceOf, buffer, [offset, offset + bytes]));
}

// ---- the controller ----

function hasRequests(c) {
  const reader = c.stream.reader;
  return reader !== null && (reader.intos ?? reader.requests).length > 0;
}
function shouldPull(c) {
  if (c.stream.state !== 'readable' || c.isClosing || !c.isStarted) return false;
  return hasRequests(c) || desiredSize(c) > 0;
}
// The end of a stream of our own, for a reader that waits with a buffer too.
function end(c) {
  if (c.isClosing || c.stream.state !== 'readable') return;
  close(c);
  if (c.stream.state === 'closed' && c.pending.length > 0) respond(c, 0);
}

function clear(c) { c.pull = c.cancel = undefined; }
function forgetRequest(c) {
  if (!c.request) return;
  c.request.controller = c.request.view = null;
  c.request = null;
}
function clearPending(c) {
  forgetRequest(c);
  c.pending = new Queue();
}

function error(c, reason) {
  if (c.stream.state !== 'readable') return;
  clearPending(c);
  c.queue.clear();
  clear(c);
  errorStream(c.stream, reason);
}

function close(c) {
  if (c.isClosing || c.stream.state !== 'readable') return;
  if (c.queue.size > 0) {
    c.isClosing = true;
    return;
  }
  if (c.pending.length > 0) {
    const first = c.pending.peek();
    if (first.filled % first.elementSize !== 0) {
      const cut = new TypeError('ReadableStream: closed in the middle of an element that somebody reads');
      error(c, cut);
      throw cut;
    }
  }
  clear(c);
  closeStream(c.stream);
}

function push(c, buffer, offset, length) {
  c.queue.push({ buffer, offset, length });
  c.queue.size += length;
}
function pushCopy(c, buffer, offset, length) {
  let copy;
  try { copy = apply(sliceOf, buffer, [offset, offset + length]); } catch (e) {
    error(c, e);
    throw e;
  }
  push(c, copy, 0, length);
}
// The rest of what a released reader's buffer was filled with.
function keepDetached(c, into) {
  if (into.filled > 0) pushCopy(c, into.buffer, into.offset, into.filled);
  c.pending.shift();
}

function afterDrain(c) {
  if (c.queue.size === 0 && c.onDrain) c.onDrain();
  if (c.queue.size === 0 && c.isClosing) {
    clear(c);
    closeStream(c.stream);
  } else pullIfNeeded(c);
}

function serveFromQueue(c, request) {
  const entry = c.queue.shift();
  c.queue.size -= entry.length;
  afterDrain(c);
  request.chunk(new Uint8Array(entry.buffer, entry.offset, entry.length));
}

// Bytes of the queue into a buffer that waits: is it filled as far as its reader wants?
function fill(c, into) {
  const most = Math.min(c.queue.size, into.bytes - into.filled), end = into.filled + most;
  const aligned = end - end % into.elementSize;
  let left = most, isReady = false;
  if (aligned >= into.minimum) {
    left = aligned - into.filled;
    isReady = true;
  }
  while (left > 0) {
    const head = c.queue.peek(), n = Math.min(left, head.length);
    copyBytes(into.buffer, into.offset + into.filled, head.buffer, head.offset, n);
    const { size } = c.queue;
    if (head.length === n) c.queue.shift();
    else {
      head.offset += n;
      head.length -= n;
    }
    c.queue.size = size - n;
    into.filled += n;
    left -= n;
  }
  return isReady;
}

// The buffer becomes ours alone.
function takeBack(into) {
  if (isDetached(into.buffer)) throw new TypeError('ReadableStream: the buffer of the BYOB request is detached');
  if (into.isShown) into.buffer = transfer(into.buffer);
  into.isShown = false;
}

function filledView(into) {
  takeBack(into);
  return new into.kind(into.buffer, into.offset, into.filled / into.elementSize);
}

function commit(stream, into) {
  const isDone = stream.state === 'closed', view = filledView(into), reader = stream.reader;
  if (into.reader === 'default') {
    const request = reader.requests.shift();
    if (isDone) request.close();
    else request.chunk(view);
  } else {
    const request = reader.intos.shift();
    if (isDone) request.close(view);
    else request.chunk(view);
  }
}

function fillPending(c) {
  const ready = [];
  while (c.pending.length > 0 && c.queue.size > 0) {
    const into = c.pending.peek();
    if (!fill(c, into)) continue;
    c.pending.shift();
    ready[ready.length] = into;
  }
  return ready;
}
function commitAll(c, ready) { for (let i = 0; i < ready.length; i++) commit(c.stream, ready[i]); }

// `buffer` is ours from here on.
function enqueueOwn(c, buffer, offset, length) {
  const reader = c.stream.reader;
  if (c.pending.length > 0 && c.pending.peek().reader === 'none') keepDetached(c, c.pending.peek());
  if (reader && !reader.intos) {
    while (reader.requests.length > 0 && c.queue.size > 0) serveFromQueue(c, reader.requests.shift());
    if (reader.requests.length === 0) push(c, buffer, offset, length);
    else {
      if (c.pending.length > 0) c.pending.shift();
      reader.requests.shift().chunk(new Uint8Array(buffer, offset, length));
    }
  } else {
    push(c, buffer, offset, length);
    if (reader) commitAll(c, fillPending(c));
  }
  pullIfNeeded(c);
}

function enqueue(c, view) {
  if (c.isClosing || c.stream.state !== 'readable') return;
  if (isDetached(view.buffer)) throw new TypeError('ReadableStream: the buffer of the chunk is detached');
  const buffer = transfer(view.buffer);
  if (c.pending.length > 0) {
    takeBack(c.pending.peek());
    forgetRequest(c);
  }
  enqueueOwn(c, buffer, view.offset, view.bytes);
}

// ---- reading into the reader's own buffers ----

function pullInto(c, view, least, request) {
  const { stream } = c;
  let buffer;
  try { buffer = transfer(view.buffer); } catch (e) {
    request.error(e);
    return;
  }
  const into = {
    buffer, bufferBytes: bufferLength(buffer), offset: view.offset, bytes: view.bytes, filled: 0,
    minimum: least * view.elementSize, elementSize: view.elementSize, kind: view.kind, reader: 'byob', isShown: false,
  };
  if (c.pending.length === 0) {
    if (stream.state === 'closed') {
      request.close(new into.kind(into.buffer, into.offset, 0));
      return;
    }
    if (c.queue.size > 0) {
      if (fill(c, into)) {
        const filled = filledView(into);
        afterDrain(c);
        request.chunk(filled);
        return;
      }
      if (c.isClosing) {
        const short = new TypeError('ReadableStream: closed with fewer bytes than an element has');
        error(c, short);
        request.error(short);
        return;
      }
    }
  }
  c.pending.push(into);
  stream.reader.intos.push(request);
  if (c.pending.length === 1) pullIfNeeded(c);
}

function respondClosed(c, first) {
  if (first.reader === 'none') c.pending.shift();
  const reader = c.stream.reader;
  if (!reader || !reader.intos) return;
  const ready = [];
  while (ready.length < reader.intos.length) ready[ready.length] = c.pending.shift();
  commitAll(c, ready);
}

function respondReadable(c, written, into) {
  into.filled += written;
  if (into.reader === 'none') {
    keepDetached(c, into);
    commitAll(c, fillPending(c));
    return;
  }
  if (into.filled < into.minimum) return;
  c.pending.shift();
  const rest = into.filled % into.elementSize;
  if (rest > 0) pushCopy(c, into.buffer, into.offset + into.filled - rest, rest);
  into.filled -= rest;
  const ready = fillPending(c);
  commit(c.stream, into);
  commitAll(c, ready);
}

function respondWith(c, buffer, written) {
  const first = c.pending.peek();
  first.buffer = buffer;
  first.isShown = false;
  forgetRequest(c);
  if (c.stream.state === 'closed') respondClosed(c, first);
  else respondReadable(c, written, first);
  pullIfNeeded(c);
}

function checkLength(c, written) {
  if (c.stream.state === 'closed' && written !== 0) throw new TypeError('ReadableStream: respond() with bytes after the stream was closed');
  if (c.stream.state !== 'closed' && written === 0) throw new TypeError('ReadableStream: respond(0) before the stream was closed');
}

function respond(c, written) {
  const first = c.pending.peek();
  checkLength(c, written);
  if (first.filled + written > first.bytes) throw new RangeError('ReadableStream: respond() with more bytes than the view has');
  respondWith(c, transfer(first.buffer), written);
}

function respondWithView(c, view) {
  const first = c.pending.peek();
  checkLength(c, view.bytes);
  if (first.offset + first.filled !== view.offset) throw new RangeError('ReadableStream: the new view must begin where the old one did');
  if (first.bufferBytes !== bufferLength(view.buffer)) throw new RangeError('ReadableStream: the new view must have a buffer of the same length');
  if (first.filled + view.bytes > first.bytes) throw new RangeError('ReadableStream: the new view is longer than the old one');
  respondWith(c, transfer(view.buffer), view.bytes);
}

function requestOf(c) {
  if (!c.request && c.pending.length > 0) {
    const first = c.pending.peek();
    const view = new Uint8Array(first.buffer, first.offset + first.filled, first.bytes - first.filled);
    first.isShown = true;
    c.request = { controller: c, view, shell: null };
    c.request.shell = new ReadableStreamBYOBRequest(SECRET, c.request);
  }
  return c.request;
}

const byteSteps = {
  pullSteps(c, request) {
    if (c.queue.size > 0) {
      serveFromQueue(c, request);
      return;
    }
    if (c.allocate !== undefined) {
      let buffer;
      try { buffer = new ArrayBuffer(c.allocate); } catch (e) {
        request.error(e);
        return;
      }
      c.pending.push({ buffer, bufferBytes: c.allocate, offset: 0, bytes: c.allocate, filled: 0, minimum: 1, elementSize: 1, kind: Uint8Array, reader: 'default', isShown: false });
    }
    c.stream.reader.requests.push(request);
    pullIfNeeded(c);
  },
  cancelSteps(c, reason) {
    clearPending(c);
    c.queue.clear();
    const result = c.cancel(reason);
    clear(c);
    return result;
  },
  releaseSteps(c) {
    if (c.pending.length === 0) return;
    const first = c.pending.peek();
    first.reader = 'none';
    c.pending = new Queue();
    c.pending.push(first);
  },
  shouldPull,
  fail: error,
};

function setUp(stream, algorithms, highWaterMark, allocate) {
  if (allocate === 0) throw new TypeError('ReadableStream: autoAllocateChunkSize must be greater than 0');
  const c = {
    stream, queue: new Queue(), isStarted: false, isClosing: false, isPulling: false, pullAgain: false, highWaterMark,
    pull: algorithms.pull, cancel: algorithms.cancel, shell: null, allocate, request: null, pending: new Queue(), isBytes: true, onDrain: null, ...byteSteps,
  };
  stream.controller = c;
  startController(c, algorithms.start);
}

// A stream of bytes of our own.
function makeByteStream(algorithms, highWaterMark = 0) {
  const stream = newStreamRecord();
  const { nothing } = streams;
  setUp(stream, { start: algorithms.start ?? nothing, pull: algorithms.pull ?? nothing, cancel: algorithms.cancel ?? nothing }, highWaterMark, undefined);
  return stream;
}

// ---- public classes ----

class ReadableByteStreamController {
  #record;
  constructor(secret, record) {
    if (secret !== SECRET) throw new TypeError('Illegal constructor');
    this.#record = record;
  }
  get byobRequest() { return requestOf(this.#record)?.shell ?? null; }
  get desiredSize() { return desiredSize(this.#record); }
  close() {
    const c = this.#record;
    if (c.isClosing || c.stream.state !== 'readable') throw new TypeError('ReadableStream: close() on a stream that is closed already');
    close(c);
  }
  enqueue(chunk) {
    const c = this.#record;
    const view = viewOf(isView(chunk) ? chunk : native.pythonBytes(chunk) ?? chunk);
    refuseEmpty(view);
    if (c.isClosing || c.stream.state !== 'readable') throw new TypeError('ReadableStream: enqueue() on a stream that is closed already');
    enqueue(c, view);
  }
  error(reason = undefined) { error(this.#record, reason); }
}

class ReadableStreamBYOBRequest {
  #record;
  constructor(secret, record) {
    if (secret !== SECRET) throw new TypeError('Illegal constructor');
    this.#record = record;
  }
  get view() { return this.#record.view; }
  respond(bytesWritten) {
    const request = this.#record, written = wholeNumber(bytesWritten, 'respond: the argument');
    if (!request.controller) throw new TypeError('This BYOB request has been answered already.');
    if (isDetached(arrayBuffer(request.view))) throw new TypeError('The buffer of this BYOB request is detached.');
    respond(request.controller, written);
  }
  respondWithNewView(view) {
    const request = this.#record, given = viewOf(view);
    if (!request.controller) throw new TypeError('This BYOB request has been answered already.');
    if (isDetached(given.buffer)) throw new TypeError('The buffer of the view is detached.');
    respondWithView(request.controller, given);
  }
}

function lock(stream) {
  if (stream.reader) throw new TypeError(LOCKED);
  if (!stream.controller.isBytes) throw new TypeError('This ReadableStream does not support BYOB reads: only one made with type: "bytes" does.');
  const reader = { stream, requests: null, intos: new Queue(), closed: null };
  stream.reader = reader;
  reader.closed = stream.state === 'readable' ? deferred() : stream.state === 'closed' ? settled(undefined) : failed(stream.error);
  return reader;
}

function readInto(reader, view, least, request) {
  const { stream } = reader;
  stream.isDisturbed = true;
  if (stream.state === 'errored') request.error(stream.error);
  else pullInto(stream.controller, view, least, request);
}

function readIntoPromise(reader, value, least) {
  const view = viewOf(value);
  refuseEmpty(view);
  if (isDetached(view.buffer)) throw new TypeError('The buffer of the view is detached.');
  if (least === 0) throw new TypeError('read: min must be greater than 0');
  if (least > view.length) throw new RangeError('read: min must not be greater than the length of the view');
  if (!reader.stream) throw new TypeError(RELEASED);
  return new Promise((resolve, reject) => {
    readInto(reader, view, least, {
      chunk: (chunk) => resolve({ value: chunk, done: false }),
      close: (chunk) => resolve({ value: chunk, done: true }),
      error: reject,
    });
  });
}

class ReadableStreamBYOBReader {
  #record;
  constructor(stream) { this.#record = lock(streams.recordOfStream(stream)); }
  get closed() { return isObject(this) && #record in this ? this.#record.closed.promise : illegal(); }
  read(view, options = undefined) {
    try {
      if (!isObject(this) || !(#record in this)) return illegal();
      const { min } = dictionary(options, 'read: the options');
      return readIntoPromise(this.#record, view, min === undefined ? 1 : wholeNumber(min, 'read: min'));
    } catch (e) {
      return rejected(e);
    }
  }
  // Cloudflare's older name for read(view, { min }), in bytes.
  readAtLeast(minBytes, view) {
    try {
      if (!isObject(this) || !(#record in this)) return illegal();
      const size = viewOf(view).elementSize;
      return readIntoPromise(this.#record, view, Math.ceil(wholeNumber(minBytes, 'readAtLeast: minBytes') / size));
    } catch (e) {
      return rejected(e);
    }
  }
  cancel(reason = undefined) { return isObject(this) && #record in this ? streams.cancelReader(this.#record, reason) : illegal(); }
  releaseLock() { streams.release(this.#record); }
}

publish(ReadableByteStreamController, ReadableStreamBYOBReader, ReadableStreamBYOBRequest);
Object.assign(streams, {
  setUpBytes: setUp, makeByteStream, byteShell: (c) => new ReadableByteStreamController(SECRET, c), ByobReader: ReadableStreamBYOBReader,
  viewOf, copyOf, lockByob: lock, endBytes: end, readInto, enqueueBytes: enqueue, enqueueOwnBytes: enqueueOwn, closeBytes: close, errorBytes: error,
  respondBytes: respond, respondBytesWithView: respondWithView, byobRequestOf: requestOf,
});
