// keygen.js - generateKeyPair and generateKeyPairSync of node:crypto.
import { argValue, checkFunction, checkInteger, checkObject, checkString, coded, outOfRange } from 'node:internal/errors';
import { encodeKey, keyObject } from 'node:internal/keys';
import { parseKeyEncoding } from 'node:internal/keys_encoding';
import { realm } from 'node:internal/realm';
import { kPromisifyNames } from 'node:internal/util';

const { crypto, keys } = realm;
const MAX_BITS = 16384, RAW = ['ed25519', 'ed448', 'x25519', 'x448'], TYPES = ['rsa', 'rsa-pss', 'dsa', 'ec', 'dh', ...RAW];

function encodings(type, options = {}) {
  const { publicKeyEncoding, privateKeyEncoding } = options;
  const of = (given, isPublic, name) => {
    if (given === undefined || given === null) return undefined;
    if (typeof given !== 'object') throw argValue(`options.${name}`, given);
    return parseKeyEncoding(given, type, isPublic, name);
  };
  return [of(publicKeyEncoding, true, 'publicKeyEncoding'), of(privateKeyEncoding, false, 'privateKeyEncoding')];
}
function checkHash(name, option) {
  if (name === undefined) return;
  checkString(name, option);
  try { crypto.hashName(name); } catch { throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid ${option.includes('mgf1') ? 'MGF1 ' : ''}digest: ${name}`); }
}
// As in Node.js the errors of generating have no code.
function generated(made) {
  if (!keys.isKey(made)) throw new Error((typeof made === 'string' && made) || 'Key generation job failed');
  return made;
}
function rsa(type, options) {
  checkObject(options, 'options');
  const { modulusLength, hash, mgf1Hash, hashAlgorithm = hash, mgf1HashAlgorithm = mgf1Hash, saltLength } = options, publicExponent = options.publicExponent ?? 0x10001;
  checkInteger(modulusLength, 'options.modulusLength', 0, 2 ** 32 - 1);
  checkInteger(publicExponent, 'options.publicExponent', 0, 2 ** 32 - 1);
  if (type === 'rsa-pss') {
    if (saltLength !== undefined) checkInteger(saltLength, 'options.saltLength', 0, 2 ** 31 - 1);
    checkHash(hashAlgorithm, 'options.hashAlgorithm');
    checkHash(mgf1HashAlgorithm, 'options.mgf1HashAlgorithm');
  }
  if (modulusLength > MAX_BITS) throw outOfRange('options.modulusLength', `<= ${MAX_BITS}`, modulusLength);
  if (type === 'rsa') return () => generated(keys.makeRsa(false, modulusLength, publicExponent));
  const salt = saltLength ?? (hashAlgorithm === undefined ? undefined : crypto.digest(hashAlgorithm, new Uint8Array(0)).length);
  return () => generated(keys.makeRsa(true, modulusLength, publicExponent, hashAlgorithm, mgf1HashAlgorithm ?? hashAlgorithm, salt));
}
function ec(options) {
  checkObject(options, 'options');
  const { namedCurve, paramEncoding } = options;
  checkString(namedCurve, 'options.namedCurve');
  if (paramEncoding !== undefined && paramEncoding !== null && paramEncoding !== 'named') throw argValue('options.paramEncoding', paramEncoding);
  const curve = keys.curveName(namedCurve);
  if (curve === undefined) throw coded(TypeError, 'ERR_CRYPTO_INVALID_CURVE', 'Invalid EC curve name');
  return () => generated(keys.make(curve));
}
// What makes the two keys in the forms that are wished for.
function job(type, options) {
  checkString(type, 'type');
  const [publicForm, privateForm] = encodings(type, options);
  if (options !== undefined) checkObject(options, 'options');
  if (!TYPES.includes(type)) throw argValue('type', type, 'must be a supported key type');
  if (type === 'dsa' || type === 'dh') throw new Error(`[unenv] crypto.generateKeyPair of ${type} is not implemented yet!`);
  const make = type.startsWith('rsa') ? rsa(type, options) : type === 'ec' ? ec(options) : () => generated(keys.make(type));
  return () => {
    const key = make(), half = key.toPublic();
    return [publicForm ? encodeKey(half, publicForm) : keyObject(half), privateForm ? encodeKey(key, privateForm) : keyObject(key)];
  };
}
export function generateKeyPairSync(type, options) {
  const [publicKey, privateKey] = job(type, options)();
  return { publicKey, privateKey };
}
export function generateKeyPair(type, options, callback) {
  if (typeof options === 'function') [callback, options] = [options, undefined];
  checkFunction(callback, 'callback');
  const make = job(type, options);
  let pair, failure = null;
  try { pair = make(); } catch (error) { failure = error; }
  queueMicrotask(() => (failure ? callback(failure) : callback(null, pair[0], pair[1])));
}
Object.defineProperty(generateKeyPair, kPromisifyNames, { value: ['publicKey', 'privateKey'] });
