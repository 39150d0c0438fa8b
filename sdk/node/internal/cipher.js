// cipher.js - createCipheriv and createDecipheriv of node:crypto: AES in its modes, ChaCha20 and others of OpenSSL's, a piece at a time.
import { Buffer, bytesOf } from 'node:internal/buffer';
import { argType, checkInteger, checkObject, checkString, coded } from 'node:internal/errors';
import { opensslError } from 'node:internal/openssl';
import { realm } from 'node:internal/realm';
import { keyOrBytes } from 'node:internal/keys';
import { LazyTransform } from 'node:internal/streams/lazy';
import { StringDecoder } from 'node:string_decoder';

const { crypto } = realm;
const MODES = { 1: 'ecb', 2: 'cbc', 3: 'cfb', 4: 'ofb', 5: 'ctr', 6: 'gcm', 0: 'stream' }, GCM = 6;
const GCM_TAGS = new Set([4, 8, 12, 13, 14, 15, 16]);
const SIZES = ['128', '192', '256'];
const NAMES = [
  ...SIZES.flatMap((size) => ['cbc', 'cfb', 'cfb1', 'cfb8', 'ctr', 'ecb', 'gcm', 'ofb'].map((mode) => `aes-${size}-${mode}`)), ...SIZES.map((size) => `aes${size}`),
  ...SIZES.flatMap((size) => ['cbc', 'cfb', 'cfb1', 'cfb8', 'ctr', 'ecb', 'ofb'].map((mode) => `camellia-${size}-${mode}`)), ...SIZES.map((size) => `camellia${size}`),
  'chacha20', 'chacha20-poly1305', 'des-ede', 'des-ede-cbc', 'des-ede3', 'des-ede3-cbc', 'des3',
].sort();

const state = (what = '') => coded(Error, 'ERR_CRYPTO_INVALID_STATE', `Invalid state${what && ` for operation ${what}`}`);
const badTag = (length) => coded(TypeError, 'ERR_CRYPTO_INVALID_AUTH_TAG', `Invalid authentication tag length: ${length}`);
function input(value, name, kinds, encoding) {
  const bytes = bytesOf(value, typeof value === 'string' && encoding !== 'buffer' ? encoding : undefined);
  if (!bytes) throw argType(name, kinds, value);
  return bytes;
}
const OF_KEY = ['string', 'ArrayBuffer', 'Buffer', 'TypedArray', 'DataView', 'KeyObject', 'CryptoKey'], OF_IV = OF_KEY.slice(0, 5), OF_DATA = ['string', 'Buffer', 'TypedArray', 'DataView'];

const refused = (text) => opensslError(text, 'Unsupported state or unable to authenticate data');

class CipherBase extends LazyTransform {
  #cipher; #info; #isEncrypt; #tagLength; #hasTag = false; #tag; #isUsed = false; #isOver = false; #decoder = null;
  constructor(name, key, iv, options, isEncrypt) {
    super(options);
    checkString(name, 'cipher');
    const tagLength = options?.authTagLength;
    const keyBytes = input(keyOrBytes(key), 'key', OF_KEY), ivBytes = iv === null ? new Uint8Array(0) : input(iv, 'iv', OF_IV);
    const cipher = crypto.openCipher(name, isEncrypt, keyBytes, ivBytes);
    if (cipher === 1) throw coded(Error, 'ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
    if (cipher === 2) throw coded(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
    if (cipher === 3) throw coded(TypeError, 'ERR_CRYPTO_INVALID_IV', 'Invalid initialization vector');
    this.#cipher = cipher;
    this.#info = crypto.cipherInfo(name);
    this.#isEncrypt = isEncrypt;
    this.#tagLength = tagLength;
    if (tagLength !== undefined && this.#info.isAead && !(tagLength >= 1 && tagLength <= 16 && this.#takes(tagLength))) throw badTag(tagLength);
  }
  #takes(length) { return this.#info.mode === GCM ? GCM_TAGS.has(length) : length === (this.#tagLength ?? 16); }
  #text(bytes, encoding, isLast) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (!encoding || encoding === 'buffer') return buffer;
    this.#decoder ??= new StringDecoder(encoding);
    return isLast ? this.#decoder.end(buffer) : this.#decoder.write(buffer);
  }
  update(data, inputEncoding, outputEncoding) {
    const bytes = input(data, 'data', OF_DATA, inputEncoding), made = this.#isOver ? undefined : this.#cipher.update(bytes);
    if (made === undefined) throw new Error('Trying to add data in unsupported state');
    this.#isUsed = true;
    return this.#text(made, outputEncoding, false);
  }
  final(outputEncoding) {
    if (this.#isOver) throw state();
    const isChecked = this.#info.isAead && !this.#isEncrypt;
    this.#isOver = true;
    const made = isChecked && !this.#hasTag ? '' : this.#cipher.final();
    if (typeof made === 'string') throw refused(made);
    if (this.#info.isAead && this.#isEncrypt) this.#tag = this.#cipher.tag(this.#tagLength ?? 16);
    return this.#text(made, outputEncoding, true);
  }
  setAutoPadding(isPadded = true) {
    if (this.#isOver) throw state('setAutoPadding');
    this.#cipher.pad(Boolean(isPadded));
    return this;
  }
  setAAD(data, options) {
    const bytes = input(data, 'buffer', OF_IV, options?.encoding);
    if (this.#isOver || !this.#info.isAead || this.#cipher.update(bytes, true) === undefined) throw state('setAAD');
    return this;
  }
  getAuthTag() {
    if (!this.#tag) throw state('getAuthTag');
    return Buffer.from(this.#tag);
  }
  setAuthTag(tag, encoding) {
    const bytes = input(tag, 'buffer', OF_IV, encoding);
    if (this.#isOver || !this.#info.isAead || this.#hasTag) throw state('setAuthTag');
    if (!this.#takes(bytes.length) || (this.#tagLength !== undefined && bytes.length !== this.#tagLength)) throw badTag(bytes.length);
    if (!this.#cipher.setTag(bytes)) throw state('setAuthTag');
    this.#hasTag = true;
    return this;
  }
  _transform(chunk, encoding, callback) {
    let made, failure = null;
    try { made = this.update(chunk, encoding); } catch (error) { failure = error; }
    callback(failure, made);
  }
  _flush(callback) {
    let made, failure = null;
    try { made = this.final(); } catch (error) { failure = error; }
    callback(failure, made);
  }
}
export class Cipheriv extends CipherBase {
  constructor(name, key, iv, options) { super(name, key, iv, options, true); }
}
export class Decipheriv extends CipherBase {
  constructor(name, key, iv, options) { super(name, key, iv, options, false); }
}
// As in Node.js: a tag is made by the one and given to the other.
const { getAuthTag, setAuthTag } = CipherBase.prototype;
delete CipherBase.prototype.getAuthTag;
delete CipherBase.prototype.setAuthTag;
Object.defineProperty(Cipheriv.prototype, 'getAuthTag', { value: getAuthTag, writable: true, configurable: true });
Object.defineProperty(Decipheriv.prototype, 'setAuthTag', { value: setAuthTag, writable: true, configurable: true });

export const createCipheriv = (name, key, iv, options) => new Cipheriv(name, key, iv, options);
export const createDecipheriv = (name, key, iv, options) => new Decipheriv(name, key, iv, options);
export const getCiphers = () => [...NAMES];
export function getCipherInfo(nameOrNumber, options) {
  if (typeof nameOrNumber !== 'string' && typeof nameOrNumber !== 'number') throw argType('nameOrNid', ['string', 'number'], nameOrNumber);
  if (options !== undefined) checkObject(options, 'options');
  const { keyLength, ivLength } = options ?? {};
  if (keyLength !== undefined) checkInteger(keyLength, 'options.keyLength');
  if (ivLength !== undefined) checkInteger(ivLength, 'options.ivLength');
  const name = typeof nameOrNumber === 'number' ? NAMES.find((one) => crypto.cipherInfo(one)?.nid === nameOrNumber) : nameOrNumber;
  const info = name === undefined ? undefined : crypto.cipherInfo(name);
  if (!info || (keyLength !== undefined && keyLength !== info.keyLength)) return undefined;
  if (ivLength !== undefined && (info.isAead ? ivLength < 1 || (info.mode !== GCM && ivLength > 12) : ivLength !== info.ivLength)) return undefined;
  const mode = MODES[info.mode], found = { mode, name: info.name.toLowerCase(), nid: info.nid };
  if (mode !== 'stream') found.blockSize = info.blockSize;
  if (info.ivLength > 0) found.ivLength = ivLength ?? info.ivLength;
  return { ...found, keyLength: info.keyLength };
}

// ---- scrypt (RFC 7914) ----

function costs(options) {
  const all = { N: 16384, r: 8, p: 1, maxmem: 32 << 20 };
  for (const [short, long] of [['N', 'cost'], ['r', 'blockSize'], ['p', 'parallelization'], ['maxmem', null]]) {
    const given = [options?.[short], long ? options?.[long] : undefined].filter((value) => value !== undefined);
    if (given.length > 1) throw coded(Error, 'ERR_CRYPTO_SCRYPT_INVALID_PARAMETER', 'Invalid scrypt parameter');
    if (given.length === 0) continue;
    checkInteger(given[0], short, 0, short === 'maxmem' ? Number.MAX_SAFE_INTEGER : 2 ** 32 - 1);
    if (given[0] !== 0) [all[short]] = given;
  }
  return all;
}
export function scryptSync(password, salt, length, options) {
  const secret = input(password, 'password', OF_IV), grain = input(salt, 'salt', OF_IV);
  checkInteger(length, 'keylen', 0, 2 ** 31 - 1);
  const { N, r, p, maxmem } = costs(options);
  const wrong = (why) => coded(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', `Invalid scrypt params${why}`);
  if (128 * r * (N + p) > maxmem) throw wrong(': error:030000AC:digital envelope routines::memory limit exceeded');
  if (N < 2 || (N & (N - 1)) !== 0) throw wrong('');
  const made = crypto.scrypt(secret, grain, N, r, p, Math.min(maxmem, 2 ** 28), length);
  if (!made) throw wrong('');
  return Buffer.from(made.buffer, made.byteOffset, made.byteLength);
}
