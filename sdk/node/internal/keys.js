// keys.js - KeyObject of node:crypto, and keys wherever they may stand: as one, as a CryptoKey, PEM, DER or JWK.
import { Buffer, bytesOf } from 'node:internal/buffer';
import { argType, argValue, checkInteger, checkObject, checkOneOf, checkString, coded } from 'node:internal/errors';
import { exportJwk, keyOfJwk } from 'node:internal/keys_jwk';
import { bytesArg, isBytes, parseKeyEncoding } from 'node:internal/keys_encoding';
import { granted } from 'node:internal/openssl';
import { realm } from 'node:internal/realm';

const { crypto, keys } = realm;
const OF_SECRET = ['ArrayBuffer', 'Buffer', 'TypedArray', 'DataView'], OF_KEY = [...OF_SECRET, 'string'], OF_ANY = [...OF_KEY, 'KeyObject', 'CryptoKey'];

// What a KeyObject is made of, bytes or a key of the realm: nobody outside has one.
class Material {
  constructor(content) { this.content = content; }
}
const contents = new WeakMap();
const wrongType = (type, expected) => coded(TypeError, 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', `Invalid key object type ${type}, expected ${expected}.`);

export class KeyObject {
  #type;
  constructor(type, material) {
    if (type !== 'secret' && type !== 'public' && type !== 'private') throw argValue('type', type);
    if (!(material instanceof Material)) throw argType('handle', 'object', material);
    this.#type = type;
    contents.set(this, material.content);
  }
  get type() { return this.#type; }
  static from(key) {
    const found = keys.ofCryptoKey(key);
    if (!found) throw argType('key', 'CryptoKey', key);
    return found.type === 'secret' ? secretOf(found.bytes) : keyObject(found.key);
  }
  equals(other) {
    if (!contents.has(other)) throw argType('otherKeyObject', 'KeyObject', other);
    if (other.type !== this.type) return false;
    const mine = contents.get(this), theirs = contents.get(other);
    return this.type === 'secret' ? crypto.isEqual(mine, theirs) : mine.equals(theirs);
  }
  toCryptoKey(algorithm, extractable, usages) {
    const content = contents.get(this);
    return this.type === 'secret' ? keys.secretToCryptoKey(content, algorithm, extractable, usages) : content.toCryptoKey(algorithm, extractable, usages);
  }
}
Object.defineProperty(KeyObject.prototype, Symbol.toStringTag, { value: 'KeyObject', configurable: true });

class SecretKeyObject extends KeyObject {
  get symmetricKeySize() { return contents.get(this).length; }
  export(options) {
    const bytes = Buffer.from(contents.get(this));
    if (options === undefined) return bytes;
    checkObject(options, 'options');
    if (options.format === 'jwk') return { kty: 'oct', k: bytes.toString('base64url') };
    checkOneOf(options.format, 'options.format', [undefined, 'buffer', 'jwk']);
    return bytes;
  }
}
class AsymmetricKeyObject extends KeyObject {
  get asymmetricKeyType() { return contents.get(this).kind.split(' ')[0]; }
  get asymmetricKeyDetails() {
    const key = contents.get(this), [type, first, second, third, fourth] = key.kind.split(' ');
    if (type === 'ec') return { namedCurve: first };
    if (type === 'dsa') return { modulusLength: Number(first), divisorLength: Number(second) };
    if (type !== 'rsa' && type !== 'rsa-pss') return {};
    const details = { modulusLength: Number(first), publicExponent: BigInt(`0x${Buffer.from(key.part('e')).toString('hex')}`) }, name = (hash) => hash.toLowerCase().replace('sha2-', 'sha');
    return second === undefined ? details : { ...details, hashAlgorithm: name(second), mgf1HashAlgorithm: name(third), saltLength: Number(fourth) };
  }
}
class PublicKeyObject extends AsymmetricKeyObject {
  export(options) {
    const key = contents.get(this);
    return options?.format === 'jwk' ? exportJwk(key) : encodeKey(key, parseKeyEncoding(options, this.asymmetricKeyType, true));
  }
}
class PrivateKeyObject extends AsymmetricKeyObject {
  export(options) {
    const key = contents.get(this);
    if (options?.format !== 'jwk') return encodeKey(key, parseKeyEncoding(options, this.asymmetricKeyType, false));
    if (options.passphrase !== undefined) throw coded(Error, 'ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS', 'The selected key encoding jwk does not support encryption.');
    return exportJwk(key);
  }
}
const secretOf = (bytes) => new SecretKeyObject('secret', new Material(bytes));
export const keyObject = (key) => (key.isPrivate ? new PrivateKeyObject('private', new Material(key)) : new PublicKeyObject('public', new Material(key)));

// A key of the realm in the form that parseKeyEncoding found.
export function encodeKey(key, { format, type, cipher, passphrase }) {
  if (format === 'jwk') return exportJwk(key);
  const bytes = granted(key.write(format, type, passphrase, cipher), `Failed to encode ${key.isPrivate ? 'private' : 'public'} key`);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return format === 'pem' ? buffer.latin1Slice(0, buffer.length) : buffer;
}

// ---- keys as arguments ----

// The bytes of a secret, where a key may stand; others as they are.
export function keyOrBytes(value) {
  const content = contents.get(value);
  if (content === undefined) {
    const found = isBytes(value) ? undefined : keys.ofCryptoKey(value);
    if (!found) return value;
    if (found.type !== 'secret') throw wrongType(found.type, 'secret');
    return found.bytes;
  }
  if (value.type !== 'secret') throw wrongType(value.type, 'secret');
  return content;
}

const CONSUME_PUBLIC = 0, CONSUME_PRIVATE = 1, CREATE_PUBLIC = 2, CREATE_PRIVATE = 3;
const isForPrivate = (context) => context === CONSUME_PRIVATE || context === CREATE_PRIVATE;

// The realm's key in a KeyObject or a CryptoKey; undefined: it is neither.
function contentOf(value, context) {
  let content = contents.get(value), type = content && value.type;
  if (content === undefined && value !== null && typeof value === 'object' && !isBytes(value)) {
    const found = keys.ofCryptoKey(value);
    content = found?.key ?? found?.bytes;
    type = found?.type;
  }
  if (content === undefined) return undefined;
  if (context === CREATE_PRIVATE) throw argType('key', ['string', 'ArrayBuffer', 'Buffer', 'TypedArray', 'DataView'], value);
  if (type !== 'private') {
    if (context === CONSUME_PRIVATE || context === CREATE_PUBLIC) throw wrongType(type, 'private');
    if (type !== 'public') throw wrongType(type, 'private or public');
  }
  return content;
}
function read(context, bytes, { format, type, passphrase }) {
  return granted(keys.read(isForPrivate(context), format, type, bytes, passphrase), isForPrivate(context) ? 'Failed to read private key' : 'Failed to read asymmetric key');
}
// What reads the key, when all other arguments have been looked at.
function prepare(key, context) {
  const found = contentOf(key, context);
  if (found) return () => found;
  if (isBytes(key)) return () => read(context, bytesArg(key, 'key'), { format: 'pem' });
  if (typeof key !== 'object' || key === null) throw argType('key', context === CREATE_PRIVATE ? OF_KEY : OF_ANY, key);
  const { key: inner, encoding, format } = key, held = contentOf(inner, context);
  if (held) return () => held;
  if (format === 'jwk') {
    checkObject(inner, 'key.key');
    const made = keyOfJwk(inner, isForPrivate(context));
    return () => made;
  }
  if (!isBytes(inner)) throw argType('key.key', context === CREATE_PRIVATE ? OF_KEY : OF_ANY, inner);
  const bytes = bytesArg(inner, 'key', encoding), form = parseKeyEncoding(key, undefined, isForPrivate(context) ? false : undefined);
  return () => read(context, bytes, form);
}
export const preparePrivate = (key) => prepare(key, CONSUME_PRIVATE);
export const preparePublic = (key) => prepare(key, CONSUME_PUBLIC);
export const createPrivateKey = (key) => keyObject(prepare(key, CREATE_PRIVATE)());
export const createPublicKey = (key) => keyObject(prepare(key, CREATE_PUBLIC)().toPublic());
// The key of a KeyObject that must be one of two halves.
export function contentOfObject(value, name, type) {
  const content = contents.get(value);
  if (content === undefined) throw argType(name, 'KeyObject', value);
  if (!type.includes(value.type)) throw wrongType(value.type, type.join(' or '));
  return content;
}

export function createSecretKey(key, encoding) {
  const bytes = bytesOf(key, typeof key === 'string' && encoding !== 'buffer' ? encoding : undefined);
  if (!bytes) throw argType('key', OF_SECRET, key);
  return secretOf(bytes.slice());
}
export function generateKeySync(type, options) {
  checkString(type, 'type');
  checkObject(options, 'options');
  const { length } = options;
  if (type === 'hmac') checkInteger(length, 'options.length', 8, 2 ** 31 - 1);
  else if (type === 'aes') checkOneOf(length, 'options.length', [128, 192, 256]);
  else throw argValue('type', type, 'must be a supported key type');
  const bytes = new Uint8Array(length >> 3);
  crypto.fillRandom(bytes);
  return secretOf(bytes);
}
