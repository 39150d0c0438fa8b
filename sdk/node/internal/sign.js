// sign.js - createSign, createVerify, sign and verify of node:crypto.
import { Buffer, bytesOf } from 'node:internal/buffer';
import { argType, argValue, checkFunction, checkString, coded } from 'node:internal/errors';
import { bytesArg } from 'node:internal/keys_encoding';
import { preparePrivate, preparePublic } from 'node:internal/keys';
import { opensslError } from 'node:internal/openssl';
import { realm } from 'node:internal/realm';
import { Writable } from 'node:stream';

const { crypto } = realm;
const PSS = 6, SALT_MAX = -2, EDWARDS = ['ed25519', 'ed448'];

const keyRequired = () => coded(Error, 'ERR_CRYPTO_SIGN_KEY_REQUIRED', 'No key provided to sign');
function intOption(name, options) {
  const value = options[name];
  if (value !== undefined && value !== value >> 0) throw argValue(`options.${name}`, value);
  return value;
}
// [padding, length of the salt, whether two numbers stand side by side] of how it is signed.
function how(options) {
  const padding = intOption('padding', options), salt = intOption('saltLength', options);
  const { dsaEncoding = 'der' } = typeof options === 'object' ? options : {};
  if (dsaEncoding !== 'der' && dsaEncoding !== 'ieee-p1363') throw argValue('options.dsaEncoding', dsaEncoding);
  return [padding ?? 0, padding === PSS && salt === undefined ? SALT_MAX : salt, dsaEncoding === 'ieee-p1363'];
}
function digestOf(name) {
  try { return crypto.openDigest(name); } catch { throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', 'Invalid digest'); }
}
function signed(made) {
  if (typeof made === 'string') throw opensslError(made, 'Signing failed');
  return Buffer.from(made.buffer, made.byteOffset, made.byteLength);
}
function judged(made) {
  if (typeof made === 'string') throw opensslError(made, 'Verification failed');
  return made;
}
const needsWhole = () => coded(Error, 'ERR_CRYPTO_UNSUPPORTED_OPERATION', 'Unsupported crypto operation');

class Signing extends Writable {
  #name; #digest;
  constructor(algorithm, options) {
    checkString(algorithm, 'algorithm');
    super(options);
    this.#digest = digestOf(algorithm);
    this.#name = algorithm;
  }
  _write(chunk, encoding, callback) {
    this.update(chunk, encoding);
    callback();
  }
  update(data, encoding) {
    const bytes = typeof data === 'string' ? Buffer.from(data, encoding === 'buffer' ? undefined : encoding) : ArrayBuffer.isView(data) ? bytesOf(data) : undefined;
    if (!bytes) throw argType('data', ['string', 'Buffer', 'TypedArray', 'DataView'], data);
    if (!this.#digest) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Not initialised');
    this.#digest.update(bytes);
    return this;
  }
  static finish(signing, key) {
    const digest = signing.#digest;
    if (!digest) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Not initialised');
    signing.#digest = null;
    if (EDWARDS.includes(key.kind)) throw needsWhole();
    return [signing.#name, digest.digest()];
  }
}
const { finish } = Signing;
delete Signing.finish;

// As in Node.js they may be called without new.
const callable = (C) => new Proxy(C, { apply: (target, self, args) => new target(...args) });
export const Sign = callable(class Sign extends Signing {
  sign(options, encoding) {
    if (!options) throw keyRequired();
    const open = preparePrivate(options), [padding, salt, isFlat] = how(options), key = open(), [name, digest] = finish(this, key);
    const made = signed(key.sign(name, padding, salt, isFlat, digest));
    return encoding && encoding !== 'buffer' ? made.toString(encoding) : made;
  }
});
export const Verify = callable(class Verify extends Signing {
  verify(options, signature, encoding) {
    const open = preparePublic(options), [padding, salt, isFlat] = how(options), bytes = bytesArg(signature, 'signature', encoding);
    const key = open(), [name, digest] = finish(this, key);
    return judged(key.verify(name, padding, salt, isFlat, digest, bytes));
  }
});
export const createSign = (algorithm, options) => new Sign(algorithm, options), createVerify = (algorithm, options) => new Verify(algorithm, options);

// ---- all at once ----

// Now, or for the callback, which gets the errors of the work itself.
function run(work, callback) {
  if (!callback) return work();
  let result, failure = null;
  // What is said later has no code there.
  try { result = work(); } catch (error) { failure = new Error(error.message); }
  queueMicrotask(() => (failure ? callback(failure) : callback(null, result)));
  return undefined;
}
function checkCall(algorithm, callback) {
  if (algorithm !== null && algorithm !== undefined) {
    checkString(algorithm, 'algorithm');
    try { crypto.hashName(algorithm); } catch { throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${algorithm}`); }
  }
  if (callback !== undefined) checkFunction(callback, 'callback');
}
// [name of the digest, what is signed] for a key.
function message(key, algorithm, data) {
  if (EDWARDS.includes(key.kind)) {
    if (algorithm !== null && algorithm !== undefined) throw opensslError('error:1C80007A:Provider routines::invalid digest', '');
    return [undefined, data];
  }
  const name = algorithm ?? defaultDigest(key.kind);
  return [name, crypto.digest(name, data)];
}
const defaultDigest = (kind) => (kind.startsWith('rsa-pss') ? kind.split(' ')[2]?.replace('SHA2-', 'SHA') ?? 'sha256' : 'sha256');

export function sign(algorithm, data, key, callback) {
  checkCall(algorithm, callback);
  const bytes = bytesArg(data, 'data');
  if (!key) throw keyRequired();
  const [padding, salt, isFlat] = how(key), open = preparePrivate(key), pair = open();
  return run(() => {
    const [name, digest] = message(pair, algorithm, bytes);
    return signed(pair.sign(name, padding, salt, isFlat, digest));
  }, callback);
}
export function verify(algorithm, data, key, signature, callback) {
  checkCall(algorithm, callback);
  const bytes = bytesArg(data, 'data');
  const [padding, salt, isFlat] = how(key);
  if (!ArrayBuffer.isView(signature)) throw argType('signature', ['Buffer', 'TypedArray', 'DataView'], signature);
  const open = preparePublic(key), pair = open(), given = bytesOf(signature);
  return run(() => {
    const [name, digest] = message(pair, algorithm, bytes);
    return judged(pair.verify(name, padding, salt, isFlat, digest, given));
  }, callback);
}
