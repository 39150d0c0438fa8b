// blob.js - Blob and File of the File API.
//
// A Blob is a view on bytes that nobody can change: what comes in is copied, what
// goes out is a copy, and slices, Files and bodies made of it share its memory.

const SIZE_MAX = 128 * 1024 * 1024;     // bytes, as on Cloudflare
const PIECE = 64 * 1024;                // bytes of one chunk of stream()
const PRIVATE = {};
const Stream = ReadableStream, { now } = Date;
let bytesOfBlob;

function part(bytes, start, end) { return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start); }

// [bytes or string, are the bytes ours] of one part.
function takePart(value) {
  if (typeof value === 'object' || typeof value === 'function') {
    if (value === null) return ['null', true];
    const bytes = bytesOfBlob(value);
    if (bytes) return [bytes, true];
    if (value instanceof ArrayBuffer) return [new Uint8Array(value), false];
    if (ArrayBuffer.isView(value)) return [new Uint8Array(value.buffer, value.byteOffset, value.byteLength), false];
    const python = native.pythonBytes(value);
    if (python) return [python, true];
  }
  return [internals.toUSVString(value), true];
}

function takeParts(parts, where) {
  if (parts === null || (typeof parts !== 'object' && typeof parts !== 'function') || typeof parts[Symbol.iterator] !== 'function')
    throw new TypeError(`${where}: the parts must be an array or a list, ${where === 'Blob' ? 'Blob.new([data])' : 'File.new([data], name)'}`);
  if (native.pythonBytes(parts)) throw new TypeError(`${where}: put the bytes into a list: ${where}.new([data]${where === 'Blob' ? '' : ', name'})`);
  const taken = [];
  for (const value of parts) taken.push(takePart(value));
  return taken;
}

function joinParts(taken, isNative) {
  const chunks = [];
  let size = 0;
  for (const [value] of taken) {
    const bytes = typeof value !== 'string' ? value : native.encode(isNative ? value.replace(/\r\n?/g, '\n') : value);
    chunks.push(bytes);
    size += bytes.byteLength;
    if (size > SIZE_MAX) throw new RangeError(`Blob size ${size} exceeds limit ${SIZE_MAX}`);
  }
  if (chunks.length === 1 && taken[0][1]) return chunks[0];
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function checkedType(type) {
  type = String(type);
  return /^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : '';
}

// WebIDL's [Clamp], then an offset from the end when it is negative.
function offset(value, size) {
  value = Number(value);
  if (Number.isNaN(value)) return 0;
  const floor = Math.floor(value), rest = value - floor;
  const whole = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  return whole < 0 ? Math.max(size + whole, 0) : Math.min(whole, size);
}

class Blob {
  #bytes; #type;

  constructor(parts = undefined, options = undefined) {
    if (parts === PRIVATE) {
      this.#bytes = options.bytes;
      this.#type = options.type;
      return;
    }
    const taken = parts === undefined ? [] : takeParts(parts, new.target === File ? 'File' : 'Blob');
    options = internals.options(options, 'Blob');
    const { endings = 'transparent', type = '' } = options;
    const ending = String(endings);
    if (ending !== 'transparent' && ending !== 'native') throw new TypeError(`Blob: endings must be 'transparent' or 'native', not '${ending}'`);
    this.#type = checkedType(type);
    this.#bytes = joinParts(taken, ending === 'native');
  }

  get size() { return this.#bytes.byteLength; }
  get type() { return this.#type; }

  slice(start = 0, end = undefined, type = '') {
    const bytes = this.#bytes, size = bytes.byteLength;
    const from = offset(start, size), to = end === undefined ? size : offset(end, size);
    return new Blob(PRIVATE, { bytes: part(bytes, from, Math.max(from, to)), type: checkedType(type) });
  }

  async text() { return internals.decodeBody(this.#bytes); }
  async arrayBuffer() { return new Uint8Array(this.#bytes).buffer; }
  async bytes() { return new Uint8Array(this.#bytes); }

  stream() {
    const bytes = this.#bytes;
    let at = 0;
    return new Stream({
      type: 'bytes',
      pull(controller) {
        if (at === bytes.byteLength) {
          controller.close();
          controller.byobRequest?.respond(0);
          return;
        }
        const end = Math.min(at + PIECE, bytes.byteLength);
        controller.enqueue(new Uint8Array(part(bytes, at, end)));
        at = end;
      },
    });
  }

  [internals.inspectFields]() { return { size: this.size, type: this.type }; }

  static {
    bytesOfBlob = (value) => (typeof value === 'object' && value !== null && #bytes in value ? value.#bytes : undefined);
    internals.makeBlob = (bytes, type) => new Blob(PRIVATE, { bytes, type: checkedType(type) });
  }
}

class File extends Blob {
  #name; #lastModified;

  constructor(parts, name, options = undefined) {
    super(parts, options);
    if (parts === PRIVATE) {
      this.#name = name;
      this.#lastModified = options.lastModified;
      return;
    }
    internals.needArguments(2, arguments.length, 'File');
    if (parts === undefined) throw new TypeError('File: the parts must be an array or a list, File.new([data], name)');
    this.#name = internals.toUSVString(name);
    const { lastModified } = internals.options(options, 'File');
    this.#lastModified = lastModified === undefined ? now() : Math.trunc(Number(lastModified)) || 0;
  }

  get name() { return this.#name; }
  get lastModified() { return this.#lastModified; }

  [internals.inspectFields]() {
    return { size: this.size, type: this.type, name: this.#name, lastModified: this.#lastModified };
  }

  static {
    internals.isFile = (value) => typeof value === 'object' && value !== null && #name in value;
    // A File over bytes that are ours, or over those of a Blob.
    internals.makeFile = (bytes, name, type, lastModified = now()) =>
      new File(PRIVATE, name, { bytes, type: checkedType(type), lastModified });
  }
}

// The bytes of a Blob, which must not be changed, or undefined.
internals.bytesOfBlob = bytesOfBlob;
internals.tag(Blob);
internals.tag(File);
internals.expose({ Blob, File });
internals.addCloner((value) => bytesOfBlob(value) !== undefined, (blob) => {
  const bytes = bytesOfBlob(blob), { type, name, lastModified } = blob;
  return internals.isFile(blob) ? () => internals.makeFile(bytes, name, type, lastModified) : () => internals.makeBlob(bytes, type);
});
