// keys_encoding.js - the options { format, type, cipher, passphrase } of keys that are read or written.
import { Buffer, bytesOf } from 'node:internal/buffer';
import { argType, argValue, checkObject, coded } from 'node:internal/errors';

export const isBytes = (value) => typeof value === 'string' || bytesOf(value) !== undefined;
export function bytesArg(value, name, encoding) {
  if (typeof value === 'string') return Buffer.from(value, encoding === 'buffer' ? 'utf8' : encoding);
  const bytes = bytesOf(value);
  if (!bytes) throw argType(name, ['string', 'ArrayBuffer', 'Buffer', 'TypedArray', 'DataView'], value);
  return bytes;
}
const option = (name, of) => (of === undefined ? `options.${name}` : `options.${of}.${name}`);
export const incompatible = (encoding, why) => coded(Error, 'ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS', `The selected key encoding ${encoding} ${why}.`);

function formatOf(format, isInput, of) {
  if (format === undefined && isInput) return 'pem';
  if (format !== 'pem' && format !== 'der' && format !== 'jwk') throw argValue(option('format', of), format);
  return format;
}
function typeOf(type, isRequired, keyType, isPublic, of) {
  if (type === undefined && !isRequired) return undefined;
  if (type === 'pkcs1') {
    if (keyType !== undefined && keyType !== 'rsa') throw incompatible(type, 'can only be used for RSA keys');
    return type;
  }
  if (type === 'spki' && isPublic !== false) return type;
  if (type === 'pkcs8' && isPublic !== true) return type;
  if (type === 'sec1' && isPublic !== true) {
    if (keyType !== undefined && keyType !== 'ec') throw incompatible(type, 'can only be used for EC keys');
    return type;
  }
  throw argValue(option('type', of), type);
}
function checkSecret({ cipher, passphrase }, isInput, format, type, of) {
  if (!isInput) {
    if (cipher !== undefined && cipher !== null) {
      if (typeof cipher !== 'string') throw argValue(option('cipher', of), cipher);
      if (format === 'der' && (type === 'pkcs1' || type === 'sec1')) throw incompatible(type, 'does not support encryption');
    } else if (passphrase !== undefined) throw argValue(option('cipher', of), cipher);
  }
  const isNeeded = isInput ? passphrase !== undefined : cipher !== undefined && cipher !== null;
  if (isNeeded && !isBytes(passphrase)) throw argValue(option('passphrase', of), passphrase);
}

// keyType: undefined for a key that is read; isPublic: true, false, or undefined for either; of: the option that it is the value of.
export function parseKeyEncoding(options, keyType, isPublic, of) {
  checkObject(options, 'options');
  const isInput = keyType === undefined, format = formatOf(options.format, isInput, of);
  const type = typeOf(options.type, (!isInput || format === 'der') && format !== 'jwk', keyType, isPublic, of);
  if (isPublic === true) return { format, type };
  checkSecret(options, isInput, format, type, of);
  const { cipher, passphrase, encoding } = options;
  return { format, type, cipher, passphrase: passphrase === undefined ? undefined : bytesArg(passphrase, 'key.passphrase', encoding) };
}
