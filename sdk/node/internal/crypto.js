// crypto.js - what there is of node:crypto: digests, ciphers, random values, keys out of passwords; more is in crypto.subtle.
import { Buffer, bytesOf } from 'node:internal/buffer';
import { argType, argValue, checkFunction, checkInteger, checkObject, checkString, coded, outOfRange } from 'node:internal/errors';
import { opensslError } from 'node:internal/openssl';
import { realm } from 'node:internal/realm';
import { Cipheriv, Decipheriv, createCipheriv, createDecipheriv, getCipherInfo, getCiphers, scryptSync } from 'node:internal/cipher';
import { KeyObject, contentOfObject, createPrivateKey, createPublicKey, createSecretKey, generateKeySync, keyOrBytes } from 'node:internal/keys';
import { ECDH, createECDH, getCurves } from 'node:internal/ecdh';
import { generateKeyPair, generateKeyPairSync } from 'node:internal/keygen';
import { privateDecrypt, privateEncrypt, publicDecrypt, publicEncrypt } from 'node:internal/public_crypt';
import { Sign, Verify, createSign, createVerify, sign, verify } from 'node:internal/sign';
import { X509Certificate } from 'node:internal/x509';
import { LazyTransform } from 'node:internal/streams/lazy';

const { crypto } = realm, webcrypto = globalThis.crypto;
const BLOCK = { MD5: 64, 'SHA-1': 64, 'SHA-256': 64, 'SHA-384': 128, 'SHA-512': 128 };
const out = (bytes, encoding) => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer;
};
function input(value, name, encoding) {
  const bytes = bytesOf(value, typeof value === 'string' && encoding !== 'buffer' ? encoding : undefined);
  if (!bytes) throw argType(name, ['string', 'Buffer', 'TypedArray', 'DataView'], value);
  return bytes;
}
const later = (make, callback) => {
  checkFunction(callback, 'callback');
  let result, failure = null;
  try { result = make(); } catch (error) { failure = error; }
  queueMicrotask(() => (failure ? callback(failure) : callback(null, result)));
};

const finalized = () => coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');

// update(), digest(), and both as a stream.
class Digesting extends LazyTransform {
  _transform(chunk, encoding, callback) {
    let failure = null;
    try { this.update(chunk, encoding); } catch (error) { failure = error; }
    callback(failure);
  }
  _flush(callback) {
    this.push(this.digest());
    callback();
  }
}
class Opened {
  constructor(digest) { this.digest = digest; }
}
class Hash extends Digesting {
  #digest; #isDone = false;
  constructor(algorithm, options) {
    super(options);
    if (algorithm instanceof Opened) this.#digest = algorithm.digest;
    else {
      checkString(algorithm, 'algorithm');
      this.#digest = crypto.openDigest(algorithm);
    }
  }
  copy(options) {
    if (this.#isDone) throw finalized();
    return new Hash(new Opened(this.#digest.copy()), options);
  }
  update(data, encoding) {
    if (this.#isDone) throw finalized();
    this.#digest.update(input(data, 'data', encoding));
    return this;
  }
  digest(encoding) {
    if (this.#isDone) throw finalized();
    this.#isDone = true;
    return out(this.#digest.digest(), encoding);
  }
}
class Hmac extends Digesting {
  #inner; #outer; #isDone = false;
  constructor(name, key, options) {
    checkString(name, 'hmac');
    let hash;
    try { hash = crypto.hashName(name); } catch { throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`); }
    const size = BLOCK[hash], given = input(keyOrBytes(key), 'key'), block = new Uint8Array(size);
    super(options);
    block.set(given.length > size ? crypto.digest(name, given) : given);
    this.#inner = crypto.openDigest(name);
    this.#outer = crypto.openDigest(name);
    this.#inner.update(block.map((byte) => byte ^ 0x36));
    this.#outer.update(block.map((byte) => byte ^ 0x5c));
  }
  update(data, encoding) {
    if (this.#isDone) throw finalized();
    this.#inner.update(input(data, 'data', encoding));
    return this;
  }
  digest(encoding) {
    if (this.#isDone) return out(new Uint8Array(0), encoding);
    this.#isDone = true;
    this.#outer.update(this.#inner.digest());
    return out(this.#outer.digest(), encoding);
  }
}
const createHash = (name, options) => new Hash(name, options), createHmac = (name, key, options) => new Hmac(name, key, options);
const hash = (name, data, encoding = 'hex') => new Hash(name).update(data).digest(encoding);
const getHashes = () => ['RSA-MD5', 'RSA-SHA1', 'RSA-SHA256', 'RSA-SHA384', 'RSA-SHA512', 'md5', 'sha1', 'sha256', 'sha384', 'sha512'];
const { subtle } = webcrypto, getRandomValues = (array) => webcrypto.getRandomValues(array), randomUUID = () => webcrypto.randomUUID();

function randomFillSync(buffer, offset = 0, size = buffer.byteLength - offset) {
  const bytes = typeof buffer === 'string' ? undefined : bytesOf(buffer);
  if (!bytes) throw argType('buf', ['ArrayBuffer', 'ArrayBufferView'], buffer);
  if (!(offset >= 0 && offset <= bytes.length)) throw outOfRange('offset', `>= 0 && <= ${bytes.length}`, offset);
  if (!(size >= 0 && offset + size <= bytes.length)) throw outOfRange('size + offset', `<= ${bytes.length}`, size + offset);
  crypto.fillRandom(bytes.subarray(offset, offset + size));
  return buffer;
}
function randomFill(buffer, offset, size, callback) {
  if (typeof offset === 'function') [callback, offset, size] = [offset, undefined, undefined];
  else if (typeof size === 'function') [callback, size] = [size, undefined];
  later(() => randomFillSync(buffer, offset, size), callback);
}
function randomBytes(size, callback) {
  if (typeof size !== 'number') throw argType('size', 'number', size);
  if (!(size >= 0 && size <= 2 ** 31 - 1)) throw outOfRange('size', '>= 0 && <= 2147483647', size);
  const make = () => randomFillSync(Buffer.alloc(size));
  return callback === undefined ? make() : later(make, callback);
}
function randomInt(min, max, callback) {
  if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max];
  if (!Number.isSafeInteger(min)) throw argType('min', 'a safe integer', min);
  if (!Number.isSafeInteger(max)) throw argType('max', 'a safe integer', max);
  if (max <= min) throw outOfRange('max', `greater than the value of "min" (${min})`, max);
  const range = max - min, limit = 2 ** 48 - 2 ** 48 % range;
  if (range > 2 ** 48 - 1) throw outOfRange('max - min', `<= ${2 ** 48 - 1}`, range);
  const make = () => {
    for (;;) {
      const value = randomBytes(6).readUIntBE(0, 6);
      if (value < limit) return min + value % range;
    }
  };
  return callback === undefined ? make() : later(make, callback);
}
function timingSafeEqual(a, b) {
  const left = typeof a === 'string' ? undefined : bytesOf(a), right = typeof b === 'string' ? undefined : bytesOf(b);
  if (!left) throw argType('buf1', ['ArrayBuffer', 'Buffer', 'TypedArray', 'DataView'], a);
  if (!right) throw argType('buf2', ['ArrayBuffer', 'Buffer', 'TypedArray', 'DataView'], b);
  if (left.length !== right.length) throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
  return crypto.isEqual(left, right);
}
function checkDigest(name) {
  checkString(name, 'digest');
  try { crypto.hashName(name); } catch { throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`); }
}
function pbkdf2Sync(password, salt, iterations, length, digest) {
  checkDigest(digest);
  checkInteger(iterations, 'iterations', 1, 2 ** 31 - 1);
  checkInteger(length, 'keylen', 0, 2 ** 31 - 1);
  return out(crypto.pbkdf2(digest, input(password, 'password'), input(salt, 'salt'), iterations, length));
}
function pbkdf2(password, salt, iterations, length, digest, callback) { later(() => pbkdf2Sync(password, salt, iterations, length, digest), callback); }
function hkdfSync(digest, key, salt, info, length) {
  checkDigest(digest);
  checkInteger(length, 'length', 0, 2 ** 31 - 1);
  return crypto.hkdf(digest, input(key, 'key'), input(salt, 'salt'), input(info, 'info'), length).slice().buffer;
}
function hkdf(digest, key, salt, info, length, callback) { later(() => hkdfSync(digest, key, salt, info, length), callback); }
function scrypt(password, salt, length, options, callback) {
  if (typeof options === 'function') [options, callback] = [undefined, options];
  checkFunction(callback, 'callback');
  const key = scryptSync(password, salt, length, options);
  queueMicrotask(() => callback(null, key));
}
function generateKey(type, options, callback) {
  checkFunction(callback, 'callback');
  const key = generateKeySync(type, options);
  queueMicrotask(() => callback(null, key));
}
function diffieHellman(options) {
  checkObject(options, 'options');
  const { privateKey, publicKey } = options;
  if (!(privateKey instanceof KeyObject)) throw argValue('options.privateKey', privateKey);
  if (!(publicKey instanceof KeyObject)) throw argValue('options.publicKey', publicKey);
  const mine = contentOfObject(privateKey, 'options.privateKey', ['private']), theirs = contentOfObject(publicKey, 'options.publicKey', ['public', 'private']);
  const [type, curve] = mine.kind.split(' '), [other, otherCurve] = theirs.kind.split(' ');
  if (type !== other || !['dh', 'ec', 'x448', 'x25519'].includes(type)) throw coded(Error, 'ERR_CRYPTO_INCOMPATIBLE_KEY', `Incompatible key types for Diffie-Hellman: ${type} and ${other}`);
  if (curve !== otherCurve) throw opensslError('error:1C8000CB:Provider routines::mismatching domain parameters', '');
  const made = mine.agree(theirs);
  if (made === undefined) throw new Error('diffieHellman failed');
  return out(made);
}
export default {
  KeyObject, createPrivateKey, createPublicKey, createSecretKey, generateKey, generateKeyPair, generateKeyPairSync, generateKeySync, diffieHellman,
  ECDH, createECDH, getCurves, X509Certificate,
  Sign, Verify, createSign, createVerify, sign, verify, publicEncrypt, publicDecrypt, privateEncrypt, privateDecrypt,
  Cipheriv, Decipheriv, createCipheriv, createDecipheriv, getCipherInfo, getCiphers, scrypt, scryptSync,
  Hash, Hmac, webcrypto, createHash, createHmac, hash, getHashes, subtle, getRandomValues, randomUUID, randomFillSync, randomFill, randomBytes, randomInt, timingSafeEqual,
  pbkdf2Sync, pbkdf2, hkdfSync, hkdf,
};
