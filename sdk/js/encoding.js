// encoding.js - TextEncoder and TextDecoder, UTF-8; the conversions themselves are C (web/encoding.c).

const LABELS = new Set(['utf-8', 'utf8', 'unicode-1-1-utf-8', 'unicode11utf8', 'unicode20utf8', 'x-unicode20utf8']);

function bytesOf(source) {
  if (source === undefined) return new Uint8Array(0);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  const bytes = native.pythonBytes(source);
  if (bytes) return bytes;
  throw new TypeError('TextDecoder.decode: expected an ArrayBuffer or a view on one');
}

class TextEncoder {
  get encoding() { return 'utf-8'; }
  encode(input = '') { return native.encode(String(input)); }
  encodeInto(source, destination) {
    if (!(destination instanceof Uint8Array)) throw new TypeError('TextEncoder.encodeInto: expected a Uint8Array');
    const text = String(source);
    let read = 0, written = 0;
    for (const character of text) {
      const bytes = native.encode(character);
      if (written + bytes.length > destination.length) break;
      destination.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

class TextDecoder {
  #fatal; #ignoreBOM; #rest = null; #hasStarted = false;
  constructor(label = 'utf-8', options = {}) {
    if (!LABELS.has(String(label).trim().toLowerCase()))
      throw new RangeError(`TextDecoder: the encoding '${label}' is not supported (only utf-8 is)`);
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBOM = Boolean(options?.ignoreBOM);
  }
  get encoding() { return 'utf-8'; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }
  decode(input, options) {
    let bytes = bytesOf(input);
    const isStream = Boolean(options?.stream);
    if (this.#rest) {
      bytes = internals.concat([this.#rest, bytes]);
      this.#rest = null;
    }
    if (isStream) {
      const cut = native.cutBytes(bytes);
      if (cut > 0) {
        this.#rest = bytes.slice(bytes.length - cut);
        bytes = bytes.subarray(0, bytes.length - cut);
      }
    }
    let text = native.decode(bytes, this.#fatal);
    if (!this.#hasStarted && !this.#ignoreBOM && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    this.#hasStarted = isStream && (this.#hasStarted || text.length > 0 || bytes.length > 0);
    return text;
  }
}

internals.concat = (chunks) => {
  if (chunks.length === 1) return chunks[0];
  let length = 0;
  for (const chunk of chunks) length += chunk.byteLength;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
};
internals.tag(TextEncoder);
internals.tag(TextDecoder);
internals.expose({ TextEncoder, TextDecoder });
