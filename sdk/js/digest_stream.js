// digest_stream.js - crypto.DigestStream of Cloudflare: a WritableStream that gives the digest of what went in.

class DigestStream extends WritableStream {
  #digest; #count;

  constructor(algorithm) {
    const name = internals.subtle.digestName(algorithm), state = native.digestOpen(name), count = { bytes: 0 };
    const { promise, resolve, reject } = Promise.withResolvers();
    promise.catch(() => {});        // whoever wants it asks for it
    super({
      write(chunk) {
        const bytes = typeof chunk === 'string' ? native.encode(chunk) : internals.chunkBytes(chunk);
        if (!bytes) {
          const error = new TypeError('DigestStream is a byte stream but received an object of non-ArrayBuffer/ArrayBufferView/string type on its writable side.');
          reject(error);
          throw error;
        }
        count.bytes += bytes.byteLength;
        native.digestUpdate(state, bytes);
      },
      close() { resolve(native.digestFinal(state).buffer); },
      abort(reason) { reject(reason); },
    });
    this.#digest = promise;
    this.#count = count;
  }

  get digest() { return this.#digest; }
  get bytesWritten() { return BigInt(this.#count.bytes); }
}

internals.tag(DigestStream);
Object.defineProperty(Crypto.prototype, 'DigestStream', { value: DigestStream, writable: true, configurable: true, enumerable: false });
