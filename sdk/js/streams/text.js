// text.js - TextEncoderStream and TextDecoderStream: text to bytes and back, piece by piece.

const { publish } = internals.streams;
const { TextDecoder, Uint8Array } = globalThis;
const { apply } = Reflect, { decode } = TextDecoder.prototype;
const MORE = Object.freeze({ __proto__: null, stream: true });
const isHigh = (unit) => unit >= 0xd800 && unit <= 0xdbff;

class TextEncoderStream {
  #ends;
  constructor() {
    let half = '';              // of a pair of surrogates that was cut in two
    this.#ends = internals.makeTransform({
      transform(chunk, put) {
        let text = half + `${chunk}`;
        half = '';
        if (isHigh(text.charCodeAt(text.length - 1))) {
          half = text[text.length - 1];
          text = text.slice(0, -1);
        }
        if (text !== '') put(native.encode(text));
      },
      flush(put) {
        if (half !== '') put(new Uint8Array([0xef, 0xbf, 0xbd]));
      },
    });
  }
  get encoding() { void this.#ends; return 'utf-8'; }
  get readable() { return this.#ends.readable; }
  get writable() { return this.#ends.writable; }
}

class TextDecoderStream {
  #decoder; #ends;
  constructor(label = 'utf-8', options = undefined) {
    const decoder = this.#decoder = new TextDecoder(label, options);
    this.#ends = internals.makeTransform({
      transform(chunk, put) {
        const text = apply(decode, decoder, [chunk, MORE]);
        if (text !== '') put(text);
      },
      flush(put) {
        const text = apply(decode, decoder, []);
        if (text !== '') put(text);
      },
    });
  }
  get encoding() { return this.#decoder.encoding; }
  get fatal() { return this.#decoder.fatal; }
  get ignoreBOM() { return this.#decoder.ignoreBOM; }
  get readable() { return this.#ends.readable; }
  get writable() { return this.#ends.writable; }
}

publish(TextEncoderStream, TextDecoderStream);
