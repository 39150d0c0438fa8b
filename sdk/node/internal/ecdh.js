// ecdh.js - ECDH of node:crypto, and the names of curves.
import { Buffer } from 'node:internal/buffer';
import { checkString, coded } from 'node:internal/errors';
import { bytesArg } from 'node:internal/keys_encoding';
import { realm } from 'node:internal/realm';

const { keys } = realm;
const FORMS = { compressed: 2, uncompressed: 4, hybrid: 6, __proto__: null }, EMPTY = new Uint8Array(0);

const formOf = (format) => {
  if (!format) return FORMS.uncompressed;
  if (typeof format !== 'string' || !FORMS[format]) throw coded(TypeError, 'ERR_CRYPTO_ECDH_INVALID_FORMAT', `Invalid ECDH format: ${format}`);
  return FORMS[format];
};
function curveOf(name) {
  checkString(name, 'curve');
  const curve = keys.curveName(name);
  if (curve !== name) throw coded(TypeError, 'ERR_CRYPTO_INVALID_CURVE', 'Invalid EC curve name');
  return curve;
}
const encoded = (bytes, encoding) => {
  const buffer = Buffer.from(bytes);
  return encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer;
};
const operationFailed = (text) => coded(Error, 'ERR_CRYPTO_OPERATION_FAILED', text);

class ECDHClass {
  #curve; #d = null; #point = null;
  constructor(curve) { this.#curve = curveOf(curve); }
  generateKeys(encoding, format) {
    const key = keys.make(this.#curve);
    this.#d = key.part('k');
    this.#point = keys.pointOf(this.#curve, FORMS.uncompressed, this.#d, EMPTY);
    return this.getPublicKey(encoding, format);
  }
  computeSecret(key, inputEncoding, outputEncoding) {
    const given = bytesArg(key, 'key', inputEncoding);
    if (!this.#d) throw coded(RangeError, 'ERR_CRYPTO_INVALID_KEYPAIR', 'Invalid key pair');
    const theirs = keys.fromCurve(this.#curve, given);
    if (!keys.isKey(theirs)) throw coded(Error, 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY', 'Public key is not valid for specified curve');
    const mine = keys.fromCurve(this.#curve, keys.pointOf(this.#curve, FORMS.uncompressed, this.#d, EMPTY), this.#d), made = mine.agree(theirs);
    if (made === undefined) throw operationFailed('Failed to compute ECDH key');
    return encoded(made, outputEncoding);
  }
  getPrivateKey(encoding) {
    if (!this.#d) throw operationFailed('Failed to get ECDH private key');
    return encoded(this.#d, encoding);
  }
  getPublicKey(encoding, format) {
    const form = formOf(format);
    if (!this.#point) throw operationFailed('Failed to get ECDH public key');
    return encoded(keys.pointOf(this.#curve, form, EMPTY, this.#point), encoding);
  }
  setPrivateKey(key, encoding) {
    const d = bytesArg(key, 'key', encoding), point = d.length ? keys.pointOf(this.#curve, FORMS.uncompressed, d, EMPTY) : undefined;
    if (!point) throw coded(RangeError, 'ERR_CRYPTO_INVALID_KEYTYPE', 'Private key is not valid for specified curve.');
    this.#d = d.slice();
    this.#point = point;
    return this;
  }
  setPublicKey(key, encoding) {
    const point = keys.pointOf(this.#curve, FORMS.uncompressed, EMPTY, bytesArg(key, 'key', encoding));
    if (!point) throw operationFailed('Failed to convert Buffer to EC_POINT');
    this.#point = point;
    return this;
  }
  static convertKey(key, curve, inputEncoding, outputEncoding, format) {
    checkString(curve, 'curve');
    const given = bytesArg(key, 'key', inputEncoding), form = formOf(format), name = curveOf(curve), point = keys.pointOf(name, form, EMPTY, given);
    if (!point) throw operationFailed('Failed to convert Buffer to EC_POINT');
    return encoded(point, outputEncoding);
  }
}
Object.defineProperty(ECDHClass, 'name', { value: 'ECDH' });
export const ECDH = new Proxy(ECDHClass, { apply: (target, self, args) => new target(...args) });
export const createECDH = (curve) => new ECDH(curve);
export const getCurves = () => keys.curveNames().split(' ').sort();
