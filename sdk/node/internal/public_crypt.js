// public_crypt.js - publicEncrypt, privateDecrypt, privateEncrypt and publicDecrypt of node:crypto: RSA.
import { Buffer } from 'node:internal/buffer';
import { checkString, coded } from 'node:internal/errors';
import { preparePrivate, preparePublic } from 'node:internal/keys';
import { bytesArg } from 'node:internal/keys_encoding';
import { opensslError } from 'node:internal/openssl';
import { realm } from 'node:internal/realm';

const { crypto } = realm;
const PKCS1 = 1, OAEP = 4;

function operation(name, prepare, usualPadding) {
  return (options, buffer) => {
    const open = prepare(options), padding = options.padding || usualPadding, { oaepHash, oaepLabel, encoding } = options;
    if (oaepHash !== undefined) checkString(oaepHash, 'key.oaepHash');
    const label = oaepLabel === undefined ? undefined : bytesArg(oaepLabel, 'key.oaepLabel', encoding), bytes = bytesArg(buffer, 'buffer', encoding), key = open();
    if (oaepHash !== undefined) {
      try { crypto.hashName(oaepHash); } catch { throw coded(Error, 'ERR_OSSL_EVP_INVALID_DIGEST', 'Invalid digest used'); }
    }
    const made = key.crypt(name, padding, oaepHash, label, bytes);
    if (typeof made === 'string') throw opensslError(made, 'The operation failed');
    // Who could tell right padding from wrong could read messages one by one.
    if (made === true) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', 'RSA_PKCS1_PADDING is no longer supported for private decryption');
    return Buffer.from(made.buffer, made.byteOffset, made.byteLength);
  };
}
export const publicEncrypt = operation('encrypt', preparePublic, OAEP), publicDecrypt = operation('recover', preparePublic, PKCS1);
export const privateEncrypt = operation('sign', preparePrivate, PKCS1), privateDecrypt = operation('decrypt', preparePrivate, OAEP);
