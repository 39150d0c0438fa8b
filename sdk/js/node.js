// node.js - what the modules of Node.js (sdk/node) need of the realm: the module "corral:node".
//
// Those are linked into the worker's own script, so this is open to the worker:
// everything here checks what it is given, as what the platform exposes does.

const { Error, Number, RangeError, TypeError } = globalThis;
const { bytesOf } = internals.subtle;
const MAX_OUTPUT = 1 << 28;             // bytes that one derivation may make
const MAX_ITERATIONS = 10_000_000;
// Names of digests as OpenSSL and the Web have them, without signs between -> the name in crypto/hash.c.
const HASHES = { md5: 'MD5', sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512', __proto__: null };

const data = (value) => bytesOf(value, 'the data');
function hashName(name) {
  const found = HASHES[`${name}`.toLowerCase().replace(/^rsa-/, '').replaceAll(/[-_/]/g, '')];
  if (!found) throw new Error('Digest method not supported');
  return found;
}
internals.nodeHashName = hashName;
function count(value, max, what) {
  const number = Number(value);
  if (!(number >= 0 && number <= max)) throw new RangeError(`${what} must be 0 to ${max}`);
  return Math.trunc(number);
}
function made(bytes, why) {
  if (!bytes) throw new Error(why);
  return bytes;
}

// A digest of what comes in pieces.
class Digest {
  #state; #isDone = false;
  constructor(state) { this.#state = state; }
  #open() {
    if (this.#isDone) throw new Error('Digest already called');
    return this.#state;
  }
  update(bytes) { native.digestUpdate(this.#open(), data(bytes)); }
  copy() { return new Digest(native.digestCopy(this.#open())); }
  digest() {
    const state = this.#open();
    this.#isDone = true;
    return native.digestFinal(state);
  }
}

// A cipher a piece at a time.  What comes out of it, an empty string or undefined: it was refused.
class Cipher {
  #handle;
  constructor(handle) { this.#handle = handle; }
  update(bytes, isAdditional = false) { return native.cipherUpdate(this.#handle, data(bytes), isAdditional); }
  final() { return native.cipherFinal(this.#handle); }
  tag(length) { return native.cipherTag(this.#handle, Number(length)); }
  setTag(bytes) { return native.cipherSetTag(this.#handle, data(bytes)); }
  pad(isPadded) { native.cipherPad(this.#handle, isPadded); }
}
function cipherInfo(name) {
  const of = (which) => native.cipherInfo(`${name}`, which);
  return of(0) === undefined ? undefined : { blockSize: of(0), ivLength: of(1), keyLength: of(2), mode: of(3), nid: of(4), isAead: of(5) === 1, name: of(6) };
}

const crypto = {
  cipherInfo,
  // A Cipher, or the number of what is wrong: 1 the name, 2 the key, 3 the iv.
  openCipher(name, isEncrypt, key, iv) {
    const handle = native.cipherNew(`${name}`, isEncrypt, data(key), data(iv));
    return typeof handle === 'number' ? handle : new Cipher(handle);
  },
  scrypt: (password, salt, cost, size, parallel, memory, length) => native.cryptoScrypt(data(password), data(salt), count(cost, 2 ** 32, 'N'), count(size, 2 ** 32, 'r'),
    count(parallel, 2 ** 32, 'p'), count(memory, MAX_OUTPUT, 'maxmem'), count(length, MAX_OUTPUT, 'keylen')),
  hashName, digest: (name, bytes) => native.cryptoDigest(hashName(name), data(bytes)),
  openDigest: (name) => new Digest(native.digestOpen(hashName(name))),
  hmac: (name, key, bytes) => native.cryptoHmac(hashName(name), data(key), data(bytes)),
  fillRandom(view) {
    internals.needHandler();
    native.cryptoRandom(data(view));
  },
  pbkdf2: (name, password, salt, iterations, length) => made(native.cryptoPbkdf2(hashName(name), data(password), data(salt),
    count(iterations, MAX_ITERATIONS, 'iterations'), count(length, MAX_OUTPUT, 'keylen')), 'PBKDF2 failed'),
  hkdf: (name, key, salt, info, length) => made(native.cryptoHkdf(hashName(name), data(key), data(salt), data(info), count(length, MAX_OUTPUT, 'keylen')), 'HKDF failed'),
  isEqual(a, b) {
    const left = data(a), right = data(b);
    return left.length === right.length && native.cryptoIsEqual(left, right);
  },
};

// zlib and brotli a step at a time (realm/flate.h): input and output are places in bytes of the worker's own.
const whole = (value) => Number(value) | 0;
class Coder {
  #handle;
  constructor(mode, level, window, memory, strategy, dictionary) {
    const kind = whole(mode);
    if (!(kind >= 1 && kind <= 9)) throw new TypeError('expected a mode');
    this.#handle = native.flateNew(kind, whole(level), whole(window), whole(memory), whole(strategy), dictionary === undefined ? undefined : data(dictionary));
  }
  step(flush, input, at, length, output, to, room, left) { return native.flateStep(this.#handle, whole(flush), view(input), at, length, view(output), to, room, left); }
  tune(level, strategy, output) { return native.flateTune(this.#handle, whole(level), whole(strategy), view(output)); }
  set(name, value) { return native.flateSet(this.#handle, name >>> 0, value >>> 0); }
  reset() { return native.flateReset(this.#handle); }
  message() { return native.flateMessage(this.#handle); }
  close() {
    native.flateClose(this.#handle);
    this.#handle = null;
  }
}
const view = (bytes) => {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('expected bytes');
  return bytes;
};
const surface = {
  encode: (text) => native.encode(`${text}`),
  encodeInto: (text, bytes) => native.encodeInto(`${text}`, view(bytes))[1],
  decode: (bytes) => native.decode(view(bytes), false),
  isUtf8: (bytes) => native.decode(view(bytes), true) !== null,
  latin1: (bytes) => internals.binaryString(view(bytes)),
  promiseState: (value) => native.promiseState(value),
  proxyTarget: (value) => native.proxyTarget(value),
  describeError: (error) => internals.describeError(error),
  stackLines: (error) => internals.stackLines(error),
  report: (error) => internals.report(error),
  log: (level, text) => native.log(count(level, 4, 'level'), `${text}`),
  now: () => native.now(),
  clock: () => internals.clock(),
  headerFields: (headers) => internals.fieldsOfHeaders(headers),
  isServing: () => internals.isServing(),
  // What is called when all reactions have run, and before a handler does.
  onRest(reset, bind) {
    internals.bindContext ??= (f) => Reflect.apply(bind, undefined, [f]);
    internals.resetContext = () => { Reflect.apply(reset, undefined, []); };
    native.atRest(internals.resetContext);
  },
  crypto: Object.freeze(crypto), keys: Object.freeze(internals.nodeKeys),
  openCoder: (...how) => new Coder(...how),
  crc32: (bytes, before) => native.crc32(view(bytes), before >>> 0),
};
internals.nodeModule = Object.freeze({ __proto__: null, ...surface });
