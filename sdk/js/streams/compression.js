// compression.js - CompressionStream and DecompressionStream: gzip, deflate, deflate-raw and brotli; C does the work (web/flate.c).

const { publish, then } = internals.streams;
const { TypeError, Uint8Array, Uint32Array } = globalThis;
const { apply } = Reflect, { set, subarray } = Uint8Array.prototype;

const NO_FLUSH = 0, FINISH = 4, BROTLI_FINISH = 2;      // zlib's and brotli's numbers
const OK = 0, END = 1, STUCK = -5;                     // what a step comes to; all else, a wish for a dictionary too, is damage
const ROOM = 64 * 1024;
const MODES = {
  __proto__: null,
  gzip: [3, 4], deflate: [1, 2], 'deflate-raw': [5, 6], brotli: [9, 8],
};
const NOTHING = new Uint8Array(0), LEFT = new Uint32Array(2);
const MEMORY = 8, WINDOW = 15, LEVEL = -1;
const BROTLI = 9, QUALITY = 1, QUICK = 5;               // brotli's own choice of 11 is for files that are packed once
let room = null;        // of one step

function modeOf(format, way) {
  const mode = MODES[`${format}`];
  if (!mode) throw new TypeError("The compression format must be either 'deflate', 'deflate-raw', 'gzip' or 'brotli'.");
  return mode[way];
}

// One direction of one stream.  run() goes on in steps, and waits between two of them until somebody wants what
// came of the first: a small piece may unpack to a thousand times as much.
class Coder {
  constructor(mode, failure) {
    this.handle = native.flateNew(mode, LEVEL, WINDOW, MEMORY, 0, undefined);
    if (mode === BROTLI) native.flateSet(this.handle, QUALITY, QUICK);
    this.finish = mode > 7 ? BROTLI_FINISH : FINISH;
    this.failure = failure;
    this.hasEnded = false;
  }
  close() {
    if (this.handle) native.flateClose(this.handle);
    this.handle = null;
  }
  fail(text) {
    this.close();
    throw new TypeError(text);
  }
  // undefined, or a promise when it has to wait.
  run(bytes, flush, put) {
    const size = bytes.byteLength;
    for (let at = 0; this.handle;) {
      room ??= new Uint8Array(ROOM);
      const status = native.flateStep(this.handle, flush, bytes, at, size - at, room, 0, ROOM, LEFT);
      const made = ROOM - LEFT[0];
      at = size - LEFT[1];
      if (status !== OK && status !== END && status !== STUCK) this.fail(this.failure);
      if (made > 0 && !put(made === ROOM ? takeRoom() : copyOfRoom(made))) this.close();
      if (status === END) {
        this.hasEnded = true;
        this.close();
        if (at < size) this.fail('Trailing bytes after end of compressed data');
        return undefined;
      }
      if (made < ROOM && (at === size || status === STUCK)) return undefined;
      const wait = put.wait();
      if (wait) {
        if (at > 0) bytes = apply(subarray, bytes, [at]);
        const rest = bytes;
        return then(wait, () => this.run(rest, flush, put));
      }
    }
    return undefined;
  }
}
function takeRoom() {
  const full = room;
  room = null;
  return full;
}
function copyOfRoom(size) {
  const copy = new Uint8Array(size);
  apply(set, copy, [apply(subarray, room, [0, size])]);
  return copy;
}

function bytesOf(chunk) {
  const bytes = internals.chunkBytes(chunk);
  if (bytes) return bytes;
  throw new TypeError('The chunk must be an ArrayBuffer or a view on one.');
}

class CompressionStream {
  #ends;
  constructor(format) {
    internals.needArguments(1, arguments.length, 'CompressionStream');
    const coder = new Coder(modeOf(format, 0), 'Compression failed.');
    this.#ends = internals.makeTransform({
      transform: (chunk, put) => coder.run(bytesOf(chunk), NO_FLUSH, put),
      flush: (put) => coder.run(NOTHING, coder.finish, put),
      over: () => coder.close(),
    });
  }
  get readable() { return this.#ends.readable; }
  get writable() { return this.#ends.writable; }
}

class DecompressionStream {
  #ends;
  constructor(format) {
    internals.needArguments(1, arguments.length, 'DecompressionStream');
    const coder = new Coder(modeOf(format, 1), 'Decompression failed.');
    this.#ends = internals.makeTransform({
      transform(chunk, put) {
        const bytes = bytesOf(chunk);
        if (bytes.byteLength === 0) return undefined;
        if (coder.hasEnded) coder.fail('Trailing bytes after end of compressed data');
        return coder.run(bytes, NO_FLUSH, put);
      },
      flush() {
        if (!coder.hasEnded) coder.fail('Called close() on a decompression stream with incomplete data');
      },
      over: () => coder.close(),
    });
  }
  get readable() { return this.#ends.readable; }
  get writable() { return this.#ends.writable; }
}

publish(CompressionStream, DecompressionStream);
