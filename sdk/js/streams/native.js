// native.js - streams over bytes that C or a body record holds.

const streams = internals.streams;
const { NOTHING, then, handled, attempt, cancelReader, readFrom, makeByteStream, recordOfStream, lock, shellOf, enqueueOwnBytes, endBytes } = streams;
const { Promise, TypeError } = globalThis;

// The body of the request with this stream number.
internals.nativeStream = (id) => {
  let stream;
  const arrived = (resolve) => native.bodyWait(id, resolve);
  const pull = () => {
    const chunk = native.bodyPull(id);
    if (chunk === undefined) return then(new Promise(arrived), pull);
    if (chunk === null) endBytes(stream.controller);
    else enqueueOwnBytes(stream.controller, chunk.buffer, 0, chunk.byteLength);
    return NOTHING;
  };
  stream = makeByteStream({
    pull: () => attempt(pull, undefined, []),
    cancel() {
      native.bodyDrop(id);
      return NOTHING;
    },
  });
  stream.native = id;
  stream.length = native.bodyLength(id);
  stream.keeper = internals.keeperOf(id);
  return shellOf(stream);
};
// Do its chunks belong to nobody else?
internals.givesOwn = (shell) => recordOfStream(shell).givesOwn;
// The number of the request whose untouched body this stream is, or 0.
internals.nativeOf = (shell) => {
  const stream = recordOfStream(shell);
  return stream.native && !stream.isDisturbed && !stream.reader && stream.state === 'readable' ? stream.native : 0;
};
// What gives all bytes of this untouched stream at once, or null.
internals.gathererOf = (shell) => {
  const stream = recordOfStream(shell);
  return stream.isDisturbed || stream.reader || stream.state !== 'readable' ? null : stream.gather;
};
// C takes it from here: nobody else may read it.
internals.takeNative = (shell) => {
  const stream = recordOfStream(shell);
  stream.isDisturbed = true;
  lock(stream);
};
// How many bytes an unread stream will give, or -1.
internals.lengthOfStream = (shell) => {
  const stream = recordOfStream(shell);
  return stream.isDisturbed ? -1 : stream.length;
};

// A stream of these bytes, which nobody else may have.
internals.streamOfChunk = (bytes) => {
  const stream = makeByteStream({
    pull() {
      if (bytes.byteLength > 0) enqueueOwnBytes(stream.controller, bytes.buffer, bytes.byteOffset, bytes.byteLength);
      endBytes(stream.controller);
      return NOTHING;
    },
  });
  stream.length = bytes.byteLength;
  return shellOf(stream);
};

// Two streams with the content of one, which is locked from then on.
internals.teeStream = (shell) => {
  const stream = recordOfStream(shell), length = internals.lengthOfStream(shell);
  const { first, second } = streams.tee(stream, true);
  first.length = second.length = length;
  return [shellOf(first), shellOf(second)];
};

// Send a stream's chunks as the body of an answer or of an outcall, as the peer takes them.
// A sender watches while it reads, too: the source hears at once that nobody waits any more.
const MORE = 0, WAIT = 1;
class Sender {
  constructor(id, stream, fail) {
    this.id = id;
    this.fail = fail;
    this.reader = lock(stream);
    this.isRunning = this.isWaiting = false;
    this.isWanted = true;
    this.woken = () => {
      const room = native.bodyState(this.id);
      if (room === MORE || room === WAIT) native.bodyWatch(this.id, this.woken);
      if (room === MORE && !this.isWaiting) return;
      this.isWaiting = false;
      this.room(room);
      this.run();
    };
    this.request = {
      chunk: (value) => this.send(value),
      close: () => native.bodyEnd(this.id),
      error: fail,
    };
  }
  // A chunk that is there at once does not make the stack deeper.
  run() {
    if (this.isRunning) return;
    this.isRunning = true;
    while (this.isWanted) {
      this.isWanted = false;
      readFrom(this.reader, this.request);
    }
    this.isRunning = false;
  }
  send(value) {
    const bytes = internals.chunkBytes(value);
    if (bytes) this.room(native.bodyWrite(this.id, bytes));
    else {
      const e = new TypeError(`A body's stream must give bytes (a Uint8Array), not ${value === null ? 'null' : typeof value}: encode text with TextEncoder`);
      this.fail(e);
      handled(cancelReader(this.reader, e));
    }
    this.run();
  }
  room(room) {
    if (room === MORE) this.isWanted = true;
    else if (room === WAIT) this.isWaiting = true;
    else handled(cancelReader(this.reader, new TypeError('Nobody waits for this body any more.')));
  }
}
// fail(error) is called when the stream fails or gives something that is no bytes.
internals.sendStream = (id, shell, fail) => {
  const sender = new Sender(id, recordOfStream(shell), fail);
  native.bodyWatch(id, sender.woken);
  sender.run();
};
