// node.js - what the modules of Node.js (sdk/node) need of the realm: the module "corral:node".
//
// Those are linked into the worker's own script, so this is open to the worker:
// everything here checks what it is given, as what the platform exposes does.

const { Error, Number, Object, Promise, RangeError, TypeError } = globalThis;
const { bytesOf } = internals.subtle;
const MAX_OUTPUT = 1 << 28;             // bytes that one derivation may make
const MAX_SCRYPT = 64 << 20;            // bytes of memory that scrypt may take
const MAX_ITERATIONS = 10_000_000;
// Names of digests as OpenSSL and the Web have them, without signs between -> the name in crypto/hash.c.
const HASHES = {
  md5: 'MD5', sha1: 'SHA-1', sha224: 'SHA-224', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512', sha512224: 'SHA-512/224',
  sha512256: 'SHA-512/256', sha3224: 'SHA3-224', sha3256: 'SHA3-256', sha3384: 'SHA3-384', sha3512: 'SHA3-512', ripemd160: 'RIPEMD-160',
  rmd160: 'RIPEMD-160', ripemd: 'RIPEMD-160', blake2b512: 'BLAKE2B-512', blake2s256: 'BLAKE2S-256', __proto__: null,
};
const CIPHERS = /^aes-(128|192|256)-(cbc|ctr|ecb|gcm)$/;

const data = (value) => bytesOf(value, 'the data');
function hashName(name) {
  const found = HASHES[`${name}`.toLowerCase().replace(/^rsa-/, '').replaceAll(/[-_/]/g, '')];
  if (!found) throw new Error('Digest method not supported');
  return found;
}
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
  digest() {
    const state = this.#open();
    this.#isDone = true;
    return native.digestFinal(state);
  }
  copy() { return new Digest(native.digestCopy(this.#open())); }
}

// A cipher of what comes in pieces.
class Cipher {
  #state; #isDone = false; #needsTag;
  constructor(isEncrypt, name, key, iv, tagLength) {
    this.#needsTag = !isEncrypt && name.endsWith('gcm');
    this.#state = made(native.cipherOpen(isEncrypt, name, key, iv, tagLength), 'Invalid initialization vector');
  }
  #open(method) {
    if (this.#isDone) throw new Error(`Unsupported state or unable to authenticate data`);
    return this.#state;
  }
  update(bytes) { return made(native.cipherUpdate(this.#open(), data(bytes)), 'Unsupported state'); }
  aad(bytes) { return native.cipherExtra(this.#open(), data(bytes)); }
  padding(isOn) { native.cipherPadding(this.#open(), Boolean(isOn)); }
  setTag(bytes) {
    this.#needsTag = false;
    return native.cipherSetTag(this.#open(), data(bytes));
  }
  // undefined: the data was not made with this key.
  final() {
    const state = this.#open();
    this.#isDone = true;
    return this.#needsTag ? undefined : native.cipherFinal(state);
  }
  tag() { return this.#isDone ? native.cipherTag(this.#state) : undefined; }
}

// A key of two halves: an object of C, which only this sees.
class Pair {
  #pair; #isPrivate;
  constructor(pair, isPrivate) {
    this.#pair = pair;
    this.#isPrivate = isPrivate;
  }
  get isPrivate() { return this.#isPrivate; }
  get kind() { return native.pkeyKind(this.#pair); }
  der(isPrivate) {
    if (isPrivate && !this.#isPrivate) throw new TypeError('This needs a private key');
    return native.pkeyExport(Boolean(isPrivate), this.#pair);
  }
  public() { return new Pair(this.#pair, false); }
  sign(hash, salt, bytes) {
    if (!this.#isPrivate) throw new TypeError('This needs a private key');
    return native.pkeySign(this.#pair, hash ? hashName(hash) : '', Pair.#salt(salt), data(bytes));
  }
  verify(hash, salt, signature, bytes) {
    return native.pkeyVerify(this.#pair, hash ? hashName(hash) : '', Pair.#salt(salt), data(signature), data(bytes));
  }
  crypt(isEncrypt, hash, label, bytes) {
    if (native.pkeyKind(this.#pair) !== 'RSA') throw new TypeError('This needs an RSA key');
    if (!isEncrypt && !this.#isPrivate) throw new TypeError('This needs a private key');
    return native.pkeyCrypt(Boolean(isEncrypt), this.#pair, hashName(hash), data(label), data(bytes));
  }
  agree(other) {
    if (!(#pair in other) || !this.#isPrivate) throw new TypeError('This needs a private key and a public one');
    return native.pkeyAgree(this.#pair, other.#pair);
  }
  static #salt(value) { return value === -1 ? -1 : count(value, 1024, 'saltLength'); }
  static import(isPrivate, der) {
    const pair = native.pkeyImport(Boolean(isPrivate), data(der));
    return pair && native.pkeyKind(pair) !== '' ? new Pair(pair, Boolean(isPrivate)) : undefined;
  }
  static generate(kind, bits, exponent) {
    internals.needHandler();
    const curves = ['prime256v1', 'secp384r1', 'secp521r1', 'ED25519', 'X25519'];
    let pair;
    if (kind === 'RSA') {
      if (!(bits >= 1024 && bits <= 4096) || (exponent !== 3 && exponent !== 65537)) throw new RangeError('modulusLength must be 1024 to 4096, publicExponent 3 or 65537');
      pair = native.pkeyGenerate('RSA', Math.trunc(bits), exponent);
    } else if (curves.includes(kind)) pair = native.pkeyGenerate(kind);
    return new Pair(made(pair, 'The key could not be made'), true);
  }
}

const crypto = {
  hashName, digest: (name, bytes) => native.cryptoDigest(hashName(name), data(bytes)),
  openDigest: (name) => new Digest(native.digestOpen(hashName(name))),
  hmac: (name, key, bytes) => native.cryptoHmac(hashName(name), data(key), data(bytes)),
  openCipher(isEncrypt, name, key, iv, tagLength) {
    if (!CIPHERS.test(name)) throw new Error('Unknown cipher');
    return new Cipher(Boolean(isEncrypt), `${name}`, data(key), data(iv), count(tagLength, 16, 'authTagLength'));
  },
  fillRandom(view) {
    internals.needHandler();
    native.cryptoRandom(data(view));
  },
  pbkdf2: (name, password, salt, iterations, length) => made(native.cryptoPbkdf2(hashName(name), data(password), data(salt),
    count(iterations, MAX_ITERATIONS, 'iterations'), count(length, MAX_OUTPUT, 'keylen')), 'PBKDF2 failed'),
  hkdf: (name, key, salt, info, length) => made(native.cryptoHkdf(hashName(name), data(key), data(salt), data(info), count(length, MAX_OUTPUT, 'keylen')), 'HKDF failed'),
  scrypt(password, salt, N, r, p, memory, length) {
    const numbers = [N, r, p].map((n) => count(n, 2 ** 30, 'scrypt: N, r and p'));
    return native.cryptoScrypt(data(password), data(salt), ...numbers, Math.min(count(memory, 2 ** 52, 'maxmem'), MAX_SCRYPT), count(length, MAX_OUTPUT, 'keylen'));
  },
  isEqual(a, b) {
    const left = data(a), right = data(b);
    return left.length === right.length && native.cryptoIsEqual(left, right);
  },
  importPair: Pair.import, generatePair: Pair.generate,
};

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
  isServing: () => internals.isServing(),
  // What must be called before code runs for another reason than a reaction.
  onEvent(reset) { internals.resetContext = () => { Reflect.apply(reset, undefined, []); }; },
  crypto: Object.freeze(crypto),
};
internals.nodeModule = Object.freeze({ __proto__: null, ...surface });
