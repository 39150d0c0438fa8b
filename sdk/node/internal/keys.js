// keys.js - KeyObject of node:crypto, for secrets: pairs of keys are those of crypto.subtle.
import { Buffer, bytesOf } from 'node:internal/buffer';
import { argType, argValue, checkInteger, checkObject, checkOneOf, checkString, unimplemented } from 'node:internal/errors';
import { realm } from 'node:internal/realm';

const { crypto } = realm;
const OF_SECRET = ['ArrayBuffer', 'Buffer', 'TypedArray', 'DataView'];

// What a KeyObject is made of: nobody outside has one.
class Material {
  constructor(bytes) { this.bytes = bytes; }
}
const bytesIn = new WeakMap();

export class KeyObject {
  #type;
  constructor(type, material) {
    if (type !== 'secret' && type !== 'public' && type !== 'private') throw argValue('type', type);
    if (!(material instanceof Material)) throw argType('handle', 'object', material);
    this.#type = type;
    bytesIn.set(this, material.bytes);
  }
  get type() { return this.#type; }
  static from() { throw unimplemented('crypto.KeyObject.from'); }
  equals(other) {
    if (!(other instanceof KeyObject)) throw argType('otherKeyObject', 'KeyObject', other);
    return crypto.isEqual(bytesIn.get(this), bytesIn.get(other));
  }
  get [Symbol.toStringTag]() { return 'KeyObject'; }
}
class SecretKeyObject extends KeyObject {
  get symmetricKeySize() { return bytesIn.get(this).length; }
  export(options) {
    const bytes = Buffer.from(bytesIn.get(this));
    if (options === undefined) return bytes;
    checkObject(options, 'options');
    if (options.format === 'jwk') return { kty: 'oct', k: bytes.toString('base64url') };
    checkOneOf(options.format, 'options.format', [undefined, 'buffer', 'jwk']);
    return bytes;
  }
}
// The bytes of a secret, where a key may stand; others as they are.
export const keyOrBytes = (value) => bytesIn.get(value) ?? value;

export function createSecretKey(key, encoding) {
  const bytes = bytesOf(key, typeof key === 'string' && encoding !== 'buffer' ? encoding : undefined);
  if (!bytes) throw argType('key', OF_SECRET, key);
  return new SecretKeyObject('secret', new Material(bytes.slice()));
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
  return new SecretKeyObject('secret', new Material(bytes));
}
