// node:string_decoder - bytes in pieces to text.
import { Buffer, bytesOf } from 'node:internal/buffer';
import { argType, coded } from 'node:internal/errors';
import { findEncoding } from 'node:internal/bytes';

// How many bytes at the end begin a character that is not whole, and how many it lacks.
function cutUtf8(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const size = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    if (byte >= 0xf5 || size <= back) return 0;
    if (back > 1) {     // a second byte that cannot follow
      const second = bytes[bytes.length - back + 1];
      if ((byte === 0xe0 && second < 0xa0) || (byte === 0xed && second > 0x9f) || (byte === 0xf0 && second < 0x90) || (byte === 0xf4 && second > 0x8f)) return 0;
    }
    return back;
  }
  return 0;
}
const missing = (byte) => (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2);

export class StringDecoder {
  #found; #rest = new Uint8Array(0);
  constructor(encoding) {
    this.#found = findEncoding(encoding);
    if (!this.#found) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
    this.encoding = this.#found.name;
  }
  get lastChar() { return Buffer.from(this.#rest); }
  get lastNeed() { return this.#rest.length ? this.#size() - this.#rest.length : 0; }
  get lastTotal() { return this.#rest.length ? this.#size() : 0; }
  #size() {
    const { name } = this.#found;
    return name === 'utf8' ? missing(this.#rest[0]) : name === 'utf16le' ? (this.#rest.length >= 2 ? 4 : 2) : 3;
  }
  #cut(bytes) {
    switch (this.#found.name) {
      case 'utf8': return cutUtf8(bytes);
      case 'utf16le': {
        const odd = bytes.length % 2, at = bytes.length - odd;
        return at >= 2 && (bytes[at - 1] & 0xfc) === 0xd8 ? odd + 2 : odd;
      }
      case 'base64': case 'base64url': return bytes.length % 3;
      default: return 0;
    }
  }
  write(chunk) {
    if (typeof chunk === 'string') return chunk;
    let bytes = bytesOf(chunk);
    if (!bytes) throw argType('buf', ['Buffer', 'TypedArray', 'DataView'], chunk);
    if (this.#rest.length) {
      const whole = new Uint8Array(this.#rest.length + bytes.length);
      whole.set(this.#rest);
      whole.set(bytes, this.#rest.length);
      bytes = whole;
    }
    const cut = this.#cut(bytes);
    this.#rest = bytes.slice(bytes.length - cut);
    return this.#found.toText(cut ? bytes.subarray(0, bytes.length - cut) : bytes);
  }
  end(chunk) {
    let text = chunk === undefined ? '' : this.write(chunk);
    if (this.#rest.length) text += this.#found.toText(this.#rest);
    this.#rest = new Uint8Array(0);
    return text;
  }
  text(chunk, offset) {
    this.#rest = new Uint8Array(0);
    return this.write(chunk.slice(offset));
  }
}
export default { StringDecoder };
