// keys_jwk.js - keys of two halves as JSON Web Keys (RFC 7517, 7518, 8037), both ways.
import { Buffer } from 'node:internal/buffer';
import { checkObject, checkOneOf, checkString, coded } from 'node:internal/errors';
import { realm } from 'node:internal/realm';

const { keys } = realm;
const CURVES = { 'P-256': ['prime256v1', 32], 'secp256k1': ['secp256k1', 32], 'P-384': ['secp384r1', 48], 'P-521': ['secp521r1', 66], __proto__: null };
const NAMES = { prime256v1: 'P-256', secp256k1: 'secp256k1', secp384r1: 'P-384', secp521r1: 'P-521', __proto__: null };
const RAW = { Ed25519: 32, Ed448: 57, X25519: 32, X448: 56, __proto__: null };
const RSA_SECRETS = ['d', 'p', 'q', 'dp', 'dq', 'qi'];
const invalid = (what = 'data') => coded(TypeError, 'ERR_CRYPTO_INVALID_JWK', `Invalid JWK ${what}`);
const bytes = (text) => Buffer.from(text, 'base64');
const text = (part) => Buffer.from(part).toString('base64url');

function made(result, what) {
  if (!keys.isKey(result)) throw invalid(what);
  return result;
}
function okp(jwk, isPrivate) {
  checkString(jwk.crv, 'key.crv');
  checkOneOf(jwk.crv, 'key.crv', Object.keys(RAW));
  checkString(jwk.x, 'key.x');
  if (isPrivate) checkString(jwk.d, 'key.d');
  const raw = bytes(isPrivate ? jwk.d : jwk.x);
  if (raw.length !== RAW[jwk.crv]) throw invalid();
  return made(keys.fromRaw(jwk.crv.toLowerCase(), isPrivate, raw));
}
// A coordinate in as many bytes as the curve has.
function coordinate(value, size) {
  let number = bytes(value);
  while (number.length > size && number[0] === 0) number = number.subarray(1);
  if (number.length > size) throw invalid('EC key');
  return Buffer.concat([Buffer.alloc(size - number.length), number]);
}
function ec(jwk, isPrivate) {
  checkString(jwk.crv, 'key.crv');
  checkOneOf(jwk.crv, 'key.crv', Object.keys(CURVES));
  checkString(jwk.x, 'key.x');
  checkString(jwk.y, 'key.y');
  if (isPrivate) checkString(jwk.d, 'key.d');
  const [curve, size] = CURVES[jwk.crv], point = Buffer.concat([Buffer.from([4]), coordinate(jwk.x, size), coordinate(jwk.y, size)]), d = isPrivate ? bytes(jwk.d) : undefined;
  if (d && d.length === 0) throw invalid('EC key');
  return made(keys.fromCurve(curve, point, d), 'EC key');
}
function rsa(jwk, isPrivate) {
  const names = ['n', 'e', ...(isPrivate ? RSA_SECRETS : [])];
  for (const name of names) checkString(jwk[name], `key.${name}`);
  const numbers = names.map((name) => bytes(jwk[name]));
  if (numbers.some((number) => number.length === 0)) throw invalid('RSA key');
  return made(keys.fromRsa(...numbers), 'RSA key');
}
// A key of the realm.
export function keyOfJwk(jwk, isPrivate) {
  checkObject(jwk, 'key');
  checkOneOf(jwk.kty, 'key.kty', ['RSA', 'EC', 'OKP']);
  return jwk.kty === 'OKP' ? okp(jwk, isPrivate) : jwk.kty === 'EC' ? ec(jwk, isPrivate) : rsa(jwk, isPrivate);
}

export function exportJwk(key) {
  const [type, first] = key.kind.split(' ');
  if (type === 'rsa') {
    const jwk = { kty: 'RSA', n: text(key.part('n')), e: text(key.part('e')) };
    if (key.isPrivate) for (const name of RSA_SECRETS) jwk[name] = text(key.part(name));
    return jwk;
  }
  if (type === 'ec') {
    const crv = NAMES[first];
    if (!crv) throw coded(Error, 'ERR_CRYPTO_JWK_UNSUPPORTED_CURVE', `Unsupported JWK EC curve: ${first}.`);
    const size = CURVES[crv][1], jwk = { kty: 'EC', x: text(key.part('x', size)), y: text(key.part('y', size)), crv };
    if (key.isPrivate) jwk.d = text(key.part('k', size));
    return jwk;
  }
  const crv = Object.keys(RAW).find((name) => name.toLowerCase() === type);
  if (!crv) throw coded(Error, 'ERR_CRYPTO_JWK_UNSUPPORTED_KEY_TYPE', 'Unsupported JWK Key Type.');
  return { crv, ...(key.isPrivate ? { d: text(key.raw(true)) } : {}), x: text(key.raw(false)), kty: 'OKP' };
}
