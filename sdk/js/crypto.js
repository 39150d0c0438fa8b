// crypto.js - crypto: random values, CryptoKey, and crypto.subtle's common half.
//
// Each algorithm is a record of functions, put into internals.algorithms by
// subtle_secret.js and subtle_pair.js; SubtleCrypto finds it by name, checks
// the key and hands over.  All work is done at once: promises are the form only.

const MAX_RANDOM = 65536;       // bytes that getRandomValues gives at once, as the standard says
const HASHES = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];
const USAGES = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];
const FORMATS = ['raw', 'pkcs8', 'spki', 'jwk'];
const INTEGERS = new internals.OwnSet(['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array']);
const viewTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array).prototype, Symbol.toStringTag).get;
const SECRET = {};

const algorithms = internals.algorithms = { __proto__: null };
const { DOMException } = internals;
const failure = internals.cryptoFailure = (name, message) => new DOMException(message, name);

// Randomness belongs to handlers: top-level code runs once for all instances, which must differ.
internals.GLOBAL_SCOPE = 'Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), setting a timeout, and generating random values are not allowed within global scope. To fix this error, perform this operation within a handler. https://developers.cloudflare.com/workers/runtime-apis/handlers/';
let isServing = false;
internals.allowRandom = () => { isServing = true; };
internals.isServing = () => isServing;
function needHandler() {
  if (!isServing)
    throw new Error(internals.GLOBAL_SCOPE);
}
internals.needHandler = needHandler;

// ---- arguments ----

function bytesOf(value, what) {
  const bytes = internals.chunkBytes(value);
  if (!bytes) throw new TypeError(`crypto.subtle: ${what} must be an ArrayBuffer, a view on one, or bytes`);
  return bytes;
}

function optionsOf(value) {
  if (typeof value === 'string') return { name: value };
  const found = internals.options(value, 'crypto.subtle');
  if (found.name === undefined) throw new TypeError('crypto.subtle: the algorithm must be a name or an object with one');
  return found;
}

// [the algorithm's functions, its parameters] for an operation.
function find(value, operation) {
  const parameters = optionsOf(value), algorithm = algorithms[String(parameters.name).toUpperCase()];
  if (!algorithm?.[operation]) throw failure('NotSupportedError', `Unrecognized or unimplemented algorithm "${parameters.name}" requested for ${operation}().`);
  return [algorithm, parameters];
}

function hashOf(value) {
  const name = String(optionsOf(value).name).toUpperCase();
  if (!HASHES.includes(name)) throw failure('NotSupportedError', `Unrecognized or unimplemented digest algorithm "${name}" requested.`);
  return name;
}

// digest() knows one more, as on Cloudflare.
function digestName(value) {
  const name = String(optionsOf(value).name).toUpperCase();
  return name === 'MD5' ? name : hashOf(value);
}

function usagesOf(value) {
  if (value === null || value === undefined || typeof value[Symbol.iterator] !== 'function') throw new TypeError('crypto.subtle: keyUsages must be a list');
  const given = [...value].map(String);
  for (const usage of given) if (!USAGES.includes(usage)) throw new TypeError(`crypto.subtle: '${usage}' is no key usage`);
  return USAGES.filter((usage) => given.includes(usage));
}

function formatOf(value) {
  const format = String(value);
  if (!FORMATS.includes(format)) throw failure('NotSupportedError', `Unrecognized key format "${format}".`);
  return format;
}

// Refuse usages that this kind of key does not have.
function checkUsages(usages, allowed) {
  for (const usage of usages)
    if (!allowed.includes(usage)) throw failure('SyntaxError', `Unsupported key usage "${usage}" for this algorithm.`);
}

// ---- keys ----

class CryptoKey {
  #parts; #shown = null;
  constructor(secret, parts) {
    if (secret !== SECRET) throw new TypeError('Illegal constructor');
    this.#parts = parts;
  }
  get type() { return this.#parts.type; }
  get extractable() { return this.#parts.extractable; }
  get algorithm() { return this.#shown ??= internals.structuredClone(this.#parts.algorithm); }
  get usages() { return this.#parts.usages.slice(); }
  [internals.inspectFields]() { return { type: this.type, extractable: this.extractable, algorithm: this.algorithm, usages: this.usages }; }

  static {
    // parts: { type, extractable, algorithm, usages, and secret: bytes or pair: a key in C }
    internals.makeKey = (parts) => {
      if (parts.type !== 'public' && parts.usages.length === 0) throw failure('SyntaxError', 'Secret and private keys need at least one usage.');
      return new CryptoKey(SECRET, parts);
    };
    internals.keyParts = (key) => {
      if (typeof key !== 'object' || key === null || !(#parts in key)) throw new TypeError('crypto.subtle: the key must be a CryptoKey');
      return key.#parts;
    };
    internals.addCloner((value) => #parts in value, (key) => () => new CryptoKey(SECRET, key.#parts));
  }
}

// The key's parts, when it is for this algorithm and may be used so.
function keyFor(key, algorithm, usage) {
  const parts = internals.keyParts(key);
  if (parts.algorithm.name !== algorithm.name) throw failure('InvalidAccessError', `The key is for ${parts.algorithm.name}, not for ${algorithm.name}.`);
  if (!parts.usages.includes(usage)) throw failure('InvalidAccessError', `The key does not have the usage "${usage}".`);
  return parts;
}

const bufferOf = (bytes) => (bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer);

function importKeyNow(format, data, algorithm, extractable, usages) {
  const [found, parameters] = find(algorithm, 'importKey');
  format = formatOf(format);
  const keyData = format === 'jwk' ? internals.options(data, 'crypto.subtle.importKey') : bytesOf(data, 'the key').slice();
  return found.importKey(format, keyData, parameters, Boolean(extractable), usagesOf(usages));
}
internals.importKeyNow = importKeyNow;
async function importKey(format, data, algorithm, extractable, usages) { return importKeyNow(format, data, algorithm, extractable, usages); }

function exportKey(format, key) {
  const parts = internals.keyParts(key), algorithm = algorithms[parts.algorithm.name.toUpperCase()];
  format = formatOf(format);
  if (!parts.extractable) throw failure('InvalidAccessError', 'The key is not extractable.');
  if (!algorithm.exportKey) throw failure('NotSupportedError', `A key for ${parts.algorithm.name} cannot be exported.`);
  return algorithm.exportKey(format, parts);
}

function deriveBits(found, parameters, parts, length) {
  const bits = length === null || length === undefined ? null : Math.trunc(Number(length));
  return found.deriveBits(parameters, parts, bits);
}

// AES-KW wraps blocks of eight bytes: spaces behind it are no part of JSON.
function jwkText(jwk, wrapper) {
  const text = JSON.stringify(jwk);
  return wrapper.wrap ? text.padEnd(Math.ceil(text.length / 8) * 8) : text;
}

class SubtleCrypto {
  constructor(secret) { if (secret !== SECRET) throw new TypeError('Illegal constructor'); }

  async digest(algorithm, data) {
    return bufferOf(native.cryptoDigest(digestName(algorithm), bytesOf(data, 'the data')));
  }
  async sign(algorithm, key, data) {
    const [found, parameters] = find(algorithm, 'sign');
    return bufferOf(found.sign(parameters, keyFor(key, found, 'sign'), bytesOf(data, 'the data')));
  }
  async verify(algorithm, key, signature, data) {
    const [found, parameters] = find(algorithm, 'verify');
    return found.verify(parameters, keyFor(key, found, 'verify'), bytesOf(signature, 'the signature'), bytesOf(data, 'the data'));
  }
  async encrypt(algorithm, key, data) {
    const [found, parameters] = find(algorithm, 'encrypt');
    return bufferOf(found.encrypt(parameters, keyFor(key, found, 'encrypt'), bytesOf(data, 'the data')));
  }
  async decrypt(algorithm, key, data) {
    const [found, parameters] = find(algorithm, 'decrypt');
    return bufferOf(found.decrypt(parameters, keyFor(key, found, 'decrypt'), bytesOf(data, 'the data')));
  }
  async generateKey(algorithm, extractable, usages) {
    const [found, parameters] = find(algorithm, 'generateKey');
    needHandler();
    return found.generateKey(parameters, Boolean(extractable), usagesOf(usages));
  }
  importKey(format, data, algorithm, extractable, usages) { return importKey(format, data, algorithm, extractable, usages); }
  async exportKey(format, key) {
    const exported = exportKey(format, key);
    return exported instanceof Uint8Array ? bufferOf(exported) : exported;
  }
  async deriveBits(algorithm, key, length = null) {
    const [found, parameters] = find(algorithm, 'deriveBits');
    return bufferOf(deriveBits(found, parameters, keyFor(key, found, 'deriveBits'), length));
  }
  async deriveKey(algorithm, key, derived, extractable, usages) {
    const [found, parameters] = find(algorithm, 'deriveBits'), parts = keyFor(key, found, 'deriveKey');
    const [target, targetParameters] = find(derived, 'keyLength');
    const bits = deriveBits(found, parameters, parts, target.keyLength(targetParameters));
    return importKey('raw', bits, derived, extractable, usages);
  }
  async wrapKey(format, key, wrappingKey, algorithm) {
    const wrapper = algorithms[String(optionsOf(algorithm).name).toUpperCase()];
    const [found, parameters] = find(algorithm, wrapper?.wrap ? 'wrap' : 'encrypt');
    const parts = keyFor(wrappingKey, found, 'wrapKey'), exported = exportKey(format, key);
    const bytes = exported instanceof Uint8Array ? exported : native.encode(jwkText(exported, found));
    return bufferOf((found.wrap ?? found.encrypt)(parameters, parts, bytes));
  }
  async unwrapKey(format, wrapped, unwrappingKey, algorithm, keyAlgorithm, extractable, usages) {
    const wrapper = algorithms[String(optionsOf(algorithm).name).toUpperCase()];
    const [found, parameters] = find(algorithm, wrapper?.unwrap ? 'unwrap' : 'decrypt');
    const bytes = (found.unwrap ?? found.decrypt)(parameters, keyFor(unwrappingKey, found, 'unwrapKey'), bytesOf(wrapped, 'the wrapped key'));
    let data = bytes;
    if (format === 'jwk') {
      try { data = JSON.parse(native.decode(bytes, true)); } catch { throw failure('DataError', 'The unwrapped key is no JSON.'); }
    }
    return importKey(format, data, keyAlgorithm, extractable, usages);
  }
  // Cloudflare's: compares without telling by its time how much is equal.
  timingSafeEqual(a, b) {
    const left = bytesOf(a, 'the first argument'), right = bytesOf(b, 'the second argument');
    if (left.length !== right.length) throw new TypeError('Input buffers must have the same byte length.');
    return native.cryptoIsEqual(left, right);
  }
}

class Crypto {
  #subtle = new SubtleCrypto(SECRET);
  constructor(secret) { if (secret !== SECRET) throw new TypeError('Illegal constructor'); }
  get subtle() { return this.#subtle; }
  getRandomValues(array) {
    needHandler();
    const kind = ArrayBuffer.isView(array) ? Reflect.apply(viewTag, array, []) : undefined;
    if (!INTEGERS.has(kind)) throw failure('TypeMismatchError', 'getRandomValues: expected a typed array of integers, Uint8Array.new(16) or such');
    if (array.byteLength > MAX_RANDOM)
      throw failure('QuotaExceededError', `getRandomValues() only accepts buffers of size <= ${MAX_RANDOM} bytes, provided ${array.byteLength} bytes.`);
    native.cryptoRandom(array);
    return array;
  }
  randomUUID() {
    needHandler();
    const bytes = new Uint8Array(16);
    native.cryptoRandom(bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = bytes.toHex();
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}

internals.subtle = { bytesOf, hashOf, checkUsages, digestName };
for (const c of [Crypto, SubtleCrypto, CryptoKey]) internals.tag(c);
internals.expose({ Crypto, SubtleCrypto, CryptoKey, crypto: new Crypto(SECRET) });
