// node_keys.js - keys of two halves for node:crypto: what corral:node shows of src/realm/crypto/key*.c.
//
// A Key holds an object of C's that nobody outside sees; C looks at each that it gets, as Key's
// constructor is within the worker's reach.  Numbers become numbers here, before C reads them.

const { RangeError, TypeError } = globalThis;
const { bytesOf } = internals.subtle;
const MAX_RSA_BITS = 16384;
const NO_SALT = -100;           // as in crypto/key_use.c
const FORMATS = { pem: 0, der: 1, __proto__: null }, TYPES = { pkcs1: 1, pkcs8: 2, spki: 3, sec1: 4, __proto__: null };
const OPERATIONS = { encrypt: 0, decrypt: 1, sign: 2, recover: 3, __proto__: null };
const RAW = { ed25519: 'ED25519', ed448: 'ED448', x25519: 'X25519', x448: 'X448', __proto__: null };
const PARTS = { n: 'n', e: 'e', d: 'd', p: 'rsa-factor1', q: 'rsa-factor2', dp: 'rsa-exponent1', dq: 'rsa-exponent2', qi: 'rsa-coefficient1', x: 'qx', y: 'qy', k: 'priv', __proto__: null };
const EMPTY = new Uint8Array(0);

const data = (value) => bytesOf(value, 'the data');
const optional = (value) => (value === undefined ? undefined : data(value));
const whole = (value) => Number(value) | 0;
const hashName = (name) => (name === undefined || name === null ? '' : internals.nodeHashName(name));

class Key {
  #pair; #isPrivate; #mayLeave;
  constructor(pair, isPrivate, mayLeave = true) {
    this.#pair = pair;
    this.#isPrivate = isPrivate;
    this.#mayLeave = mayLeave;
  }
  static pairOf(key) { return key.#pair; }
  get isPrivate() { return this.#isPrivate; }
  get mayLeave() { return this.#mayLeave; }
  get kind() { return native.keyKind(this.#pair); }
  #open() {
    if (!this.#mayLeave) throw internals.cryptoFailure('InvalidAccessError', 'The key is not extractable.');
    return this.#pair;
  }
  toPublic() { return new Key(this.#pair, false); }
  equals(other) { return native.keyIsEqual(this.#pair, other.#pair); }
  write(format, type, passphrase, cipher) {
    return native.keyWrite(this.#isPrivate, FORMATS[format] ?? 0, TYPES[type] ?? 0, this.#open(), optional(passphrase), cipher === undefined || cipher === null ? '' : `${cipher}`);
  }
  part(name, least = 0) {
    const found = PARTS[name], isSecret = name !== 'n' && name !== 'e' && name !== 'x' && name !== 'y';
    if (!found || (isSecret && !this.#isPrivate)) return undefined;
    return native.keyPart(isSecret ? this.#open() : this.#pair, found, Math.min(whole(least) >>> 0, 256));
  }
  raw(isPrivate) { return isPrivate && !this.#isPrivate ? undefined : native.keyRaw(isPrivate ? this.#open() : this.#pair, Boolean(isPrivate)); }
  sign(hash, padding, salt, isFlat, bytes) {
    if (!this.#isPrivate) throw new TypeError('expected a private key');
    return native.keySign(this.#pair, hashName(hash), whole(padding), salt === undefined ? NO_SALT : whole(salt), Boolean(isFlat), data(bytes));
  }
  verify(hash, padding, salt, isFlat, bytes, signature) {
    return native.keyVerify(this.#pair, hashName(hash), whole(padding), salt === undefined ? NO_SALT : whole(salt), Boolean(isFlat), data(bytes), data(signature));
  }
  crypt(operation, padding, hash, label, bytes) {
    const number = OPERATIONS[operation];
    if (number === undefined || ((number === 1 || number === 2) && !this.#isPrivate)) throw new TypeError('expected an operation of this key');
    return native.keyCrypt(number, this.#pair, whole(padding), hashName(hash), label === undefined ? EMPTY : data(label), data(bytes));
  }
  agree(other) {
    if (!this.#isPrivate) throw new TypeError('expected a private key');
    return native.pkeyAgree(this.#pair, other.#pair);
  }
  // A CryptoKey of crypto.subtle with this key in it.
  toCryptoKey(algorithm, extractable, usages) {
    const der = native.keyWrite(this.#isPrivate, FORMATS.der, this.#isPrivate ? TYPES.pkcs8 : TYPES.spki, this.#pair, undefined, '');
    return internals.importKeyNow(this.#isPrivate ? 'pkcs8' : 'spki', der, algorithm, this.#mayLeave && Boolean(extractable), usages);
  }
}
// Nobody outside gets at what is in a key.
const { pairOf } = Key;
delete Key.pairOf;

// An X.509 certificate; what it says by numbers as in crypto/certificate.h.
class Certificate {
  #handle;
  constructor(handle) { this.#handle = handle; }
  text(part) { return native.certificateText(this.#handle, whole(part)); }
  der() { return native.certificateDer(this.#handle); }
  key() {
    const pair = native.certificateKey(this.#handle);
    return pair === undefined ? undefined : new Key(pair, false);
  }
  names(kind, name, flags) { return native.certificateNames(this.#handle, whole(kind), data(name), whole(flags) >>> 0); }
  fits(what, other) { return native.certificateFits(this.#handle, whole(what), other === undefined ? undefined : other instanceof Key ? pairOf(other) : other.#handle); }
}
const wrapped = (made, isPrivate) => (typeof made === 'object' ? new Key(made, isPrivate) : made);

internals.nodeKeys = {
  // Each gives a Key, or what is wrong: a number as in crypto/key.h, or what the library said.
  read: (isPrivate, format, type, bytes, passphrase) => wrapped(native.keyRead(Boolean(isPrivate), FORMATS[format] ?? 0, TYPES[type] ?? 0, data(bytes), optional(passphrase)), Boolean(isPrivate)),
  fromRsa(...numbers) {
    const all = [];
    for (let i = 0; i < 8; i++) all[i] = numbers[i] === undefined ? EMPTY : data(numbers[i]);
    return wrapped(native.keyFromRsa(all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7]), all[2].length > 0);
  },
  fromCurve(curve, point, d) {
    const number = d === undefined ? EMPTY : data(d);
    return wrapped(native.keyFromCurve(`${curve}`, data(point), number), number.length > 0);
  },
  fromRaw(name, isPrivate, bytes) {
    if (!RAW[name]) throw new TypeError('expected a kind of key');
    return wrapped(native.keyFromRaw(RAW[name], Boolean(isPrivate), data(bytes)), Boolean(isPrivate));
  },
  makeRsa(isPss, bits, exponent, hash, mask, salt) {
    internals.needHandler();
    const length = Number(bits), e = Number(exponent);
    if (!(length >= 0 && length <= MAX_RSA_BITS)) throw new RangeError(`a key of RSA may have at most ${MAX_RSA_BITS} bits`);
    return wrapped(native.keyMakeRsa(Boolean(isPss), Math.trunc(length), e >>> 0, hashName(hash), hashName(mask), salt === undefined ? -1 : whole(salt)), true);
  },
  make(kind) {
    internals.needHandler();
    return wrapped(native.keyMake(RAW[kind] ?? `${kind}`), true);
  },
  readCertificate(bytes) {
    const made = native.certificateRead(data(bytes));
    return typeof made === 'object' ? new Certificate(made) : made;
  },
  pointOf: (curve, form, d, point) => native.pointOf(`${curve}`, whole(form), data(d), data(point)),
  curveNames: () => native.curveNames(),
  curveName: (name) => native.curveName(`${name}`),
  isKey: (value) => value instanceof Key,
  // What a CryptoKey holds, { type, key } with a Key or { type, bytes }; undefined: it is none.
  ofCryptoKey(value) {
    let parts;
    try { parts = internals.keyParts(value); } catch { return undefined; }
    if (parts.pair) return { type: parts.type, key: new Key(parts.pair, parts.type === 'private', parts.extractable) };
    if (!parts.extractable) throw internals.cryptoFailure('InvalidAccessError', 'The key is not extractable.');
    return { type: 'secret', bytes: parts.secret.slice() };
  },
  secretToCryptoKey: (bytes, algorithm, extractable, usages) => internals.importKeyNow('raw', data(bytes), algorithm, extractable, usages),
};
