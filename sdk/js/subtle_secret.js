// subtle_secret.js - crypto.subtle with one secret: HMAC, AES, PBKDF2, HKDF.

const { bytesOf, hashOf, checkUsages } = internals.subtle;
const failure = internals.cryptoFailure, algorithms = internals.algorithms;
const HASH_BITS = { 'SHA-1': 160, 'SHA-256': 256, 'SHA-384': 384, 'SHA-512': 512 };
const BLOCK_BITS = { 'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1024, 'SHA-512': 1024 };
const MAX_KEY_BITS = 1 << 20;           // of an HMAC key that is generated
const MAX_ITERATIONS = 100_000;         // of PBKDF2, as on Cloudflare
const MAX_DERIVED_BITS = 8 << 20;       // a megabyte
const TAGS = [32, 64, 96, 104, 112, 120, 128];
const EMPTY = new Uint8Array(0);

function randomBytes(length) {
  const bytes = new Uint8Array(length);
  native.cryptoRandom(bytes);
  return bytes;
}

// The bytes of base64url without padding, or undefined.
internals.fromBase64url = (text) => {
  if (typeof text !== 'string' || text.includes('=')) return undefined;
  try { return Uint8Array.fromBase64(text, { alphabet: 'base64url' }); } catch { return undefined; }
};
internals.toBase64url = (bytes) => bytes.toBase64({ alphabet: 'base64url', omitPadding: true });

// What the standard asks of every JWK.
internals.checkJwk = (jwk, kty, use, extractable, usages) => {
  const bad = (why) => failure('DataError', `The JSON Web Key cannot be used: ${why}`);
  if (jwk.kty !== kty) throw bad(`its "kty" is ${JSON.stringify(jwk.kty)}, not "${kty}".`);
  if (usages.length && jwk.use !== undefined && jwk.use !== use) throw bad(`its "use" is "${jwk.use}", not "${use}".`);
  if (jwk.key_ops !== undefined) {
    const operations = [...jwk.key_ops];
    for (const usage of usages) if (!operations.includes(usage)) throw bad(`its "key_ops" do not have "${usage}".`);
  }
  if (jwk.ext === false && extractable) throw bad('its "ext" is false.');
};

function importSecret(format, data, jwkAlgorithm, use, extractable, usages) {
  if (format === 'raw') return data;
  if (format !== 'jwk') throw failure('NotSupportedError', `A secret key cannot be in the format "${format}".`);
  internals.checkJwk(data, 'oct', use, extractable, usages);
  const secret = internals.fromBase64url(data.k);
  if (!secret) throw failure('DataError', 'The JSON Web Key cannot be used: its "k" is no base64url.');
  const wanted = jwkAlgorithm(secret);
  if (data.alg !== undefined && data.alg !== wanted) throw failure('DataError', `The JSON Web Key cannot be used: its "alg" is "${data.alg}", not "${wanted}".`);
  return secret;
}

function exportSecret(format, parts, jwkAlgorithm) {
  if (format === 'raw') return parts.secret.slice();
  if (format !== 'jwk') throw failure('NotSupportedError', `A secret key cannot be in the format "${format}".`);
  return { kty: 'oct', k: internals.toBase64url(parts.secret), alg: jwkAlgorithm(parts.secret), key_ops: parts.usages.slice(), ext: parts.extractable };
}

// ---- HMAC ----

const HMAC_USAGES = ['sign', 'verify'];
const hmacName = (hash) => () => `HS${hash.slice(4)}`;

function hmacKey(secret, hash, extractable, usages) {
  const algorithm = { name: 'HMAC', hash: { name: hash }, length: secret.length * 8 };
  return internals.makeKey({ type: 'secret', extractable, algorithm, usages, secret });
}

function hmacLength(parameters) {
  if (parameters.length === undefined) return BLOCK_BITS[hashOf(parameters.hash)];
  const length = Number(parameters.length);
  if (!(length > 0 && length <= MAX_KEY_BITS) || length % 8) throw failure('OperationError', `HMAC: the length of a key must be a multiple of 8 bits, at most ${MAX_KEY_BITS}.`);
  return length;
}

const hmac = {
  name: 'HMAC',
  keyLength: hmacLength,
  generateKey(parameters, extractable, usages) {
    checkUsages(usages, HMAC_USAGES);
    return hmacKey(randomBytes(hmacLength(parameters) / 8), hashOf(parameters.hash), extractable, usages);
  },
  importKey(format, data, parameters, extractable, usages) {
    checkUsages(usages, HMAC_USAGES);
    const hash = hashOf(parameters.hash), secret = importSecret(format, data, hmacName(hash), 'sig', extractable, usages);
    if (secret.length === 0) throw failure('DataError', 'HMAC: a key must not be empty.');
    if (parameters.length !== undefined && Number(parameters.length) !== secret.length * 8) throw failure('DataError', 'HMAC: the key is not as long as "length" says.');
    return hmacKey(secret, hash, extractable, usages);
  },
  exportKey: (format, parts) => exportSecret(format, parts, hmacName(parts.algorithm.hash.name)),
  sign: (parameters, key, data) => native.cryptoHmac(key.algorithm.hash.name, key.secret, data),
  verify(parameters, key, signature, data) {
    const right = native.cryptoHmac(key.algorithm.hash.name, key.secret, data);
    return signature.length === right.length && native.cryptoIsEqual(signature, right);
  },
};
algorithms.HMAC = hmac;

// ---- AES ----

function aesLength(parameters) {
  const length = Number(parameters.length);
  if (length !== 128 && length !== 192 && length !== 256) throw failure('OperationError', `AES: the length of a key must be 128, 192 or 256 bits, not ${parameters.length}.`);
  return length;
}

function aes(mode, allowed, more) {
  const name = `AES-${mode}`, jwkName = (secret) => `A${secret.length * 8}${mode}`;
  const make = (secret, extractable, usages) =>
    internals.makeKey({ type: 'secret', extractable, algorithm: { name, length: secret.length * 8 }, usages, secret });
  algorithms[name] = {
    name,
    keyLength: aesLength,
    generateKey(parameters, extractable, usages) {
      checkUsages(usages, allowed);
      return make(randomBytes(aesLength(parameters) / 8), extractable, usages);
    },
    importKey(format, data, parameters, extractable, usages) {
      checkUsages(usages, allowed);
      const secret = importSecret(format, data, jwkName, 'enc', extractable, usages);
      if (![16, 24, 32].includes(secret.length)) throw failure('DataError', `AES: a key has 128, 192 or 256 bits, not ${secret.length * 8}.`);
      return make(secret, extractable, usages);
    },
    exportKey: (format, parts) => exportSecret(format, parts, jwkName),
    ...more,
  };
}

// encrypt and decrypt of a mode; read(parameters) -> [iv, additional data, tag's bytes, counter's bits]
function ciphers(mode, read) {
  return {
    encrypt(parameters, key, data) {
      const made = native.cryptoCipher(true, mode, key.secret, ...((rest) => [rest[0], data, ...rest.slice(1)])(read(parameters)));
      if (!made) throw failure('OperationError', 'Encryption failed.');
      return made;
    },
    decrypt(parameters, key, data) {
      const made = native.cryptoCipher(false, mode, key.secret, ...((rest) => [rest[0], data, ...rest.slice(1)])(read(parameters)));
      if (!made) throw failure('OperationError', `Decryption failed. This could be due to a ciphertext authentication failure, bad padding, incorrect CryptoKey, or another algorithm-specific reason. Input length was ${data.length}.`);
      return made;
    },
  };
}

function ivOf(value, name, length) {
  const iv = bytesOf(value, name);
  if (length ? iv.length !== length : iv.length === 0)
    throw failure('OperationError', length ? `AES: ${name} must have ${length} bytes, not ${iv.length}.` : `AES: ${name} must not be empty.`);
  return iv;
}

const CIPHER_USAGES = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'];
aes('GCM', CIPHER_USAGES, ciphers('GCM', (parameters) => {
  const { iv, additionalData, tagLength = 128 } = parameters;
  if (!TAGS.includes(Number(tagLength))) throw failure('OperationError', `AES-GCM: tagLength must be one of ${TAGS.join(', ')}, not ${tagLength}.`);
  const aad = additionalData === undefined || additionalData === null ? EMPTY : bytesOf(additionalData, 'additionalData');
  return [ivOf(iv, 'iv', 0), aad, Number(tagLength) / 8, 0];
}));
aes('CBC', CIPHER_USAGES, ciphers('CBC', (parameters) => [ivOf(parameters.iv, 'iv', 16), EMPTY, 0, 0]));
aes('CTR', CIPHER_USAGES, ciphers('CTR', (parameters) => {
  const bits = Number(parameters.length);
  if (!(bits >= 1 && bits <= 128)) throw failure('OperationError', 'AES-CTR: length, the bits that count, must be 1 to 128.');
  return [ivOf(parameters.counter, 'counter', 16), EMPTY, 0, Math.trunc(bits)];
}));
const wrapping = ciphers('WRAP', () => [EMPTY, EMPTY, 0, 0]);
aes('KW', ['wrapKey', 'unwrapKey'], { wrap: wrapping.encrypt, unwrap: wrapping.decrypt });

// ---- PBKDF2, HKDF ----

function deriving(name, derive) {
  algorithms[name] = {
    name,
    keyLength: () => null,
    importKey(format, data, parameters, extractable, usages) {
      if (format !== 'raw') throw failure('NotSupportedError', `${name}: a key is imported as "raw", not as "${format}".`);
      checkUsages(usages, ['deriveKey', 'deriveBits']);
      if (extractable) throw failure('SyntaxError', `${name}: a key cannot be extractable.`);
      return internals.makeKey({ type: 'secret', extractable: false, algorithm: { name }, usages, secret: data });
    },
    deriveBits(parameters, key, bits) {
      if (bits === null || !(bits >= 0) || bits % 8) throw failure('OperationError', `${name}: the length must be a multiple of 8 bits.`);
      if (bits > MAX_DERIVED_BITS) throw failure('OperationError', `${name}: the length must be at most ${MAX_DERIVED_BITS} bits.`);
      if (bits === 0) return EMPTY.slice();
      const made = derive(parameters, key, bits / 8, hashOf(parameters.hash));
      if (!made) throw failure('OperationError', `${name}: the bits could not be derived.`);
      return made;
    },
  };
}

deriving('PBKDF2', (parameters, key, length, hash) => {
  const iterations = Math.trunc(Number(parameters.iterations));
  if (!(iterations > 0)) throw failure('OperationError', 'PBKDF2: iterations must be a number above 0.');
  if (iterations > MAX_ITERATIONS)
    throw failure('NotSupportedError', `Pbkdf2 failed: iteration counts above ${MAX_ITERATIONS} are not supported (requested ${iterations}).`);
  if (iterations * Math.ceil(length * 8 / HASH_BITS[hash]) > MAX_ITERATIONS * 64)
    throw failure('NotSupportedError', 'PBKDF2: so many bits with so many iterations take too long; derive fewer bits, and more from those with HKDF.');
  return native.cryptoPbkdf2(hash, key.secret, bytesOf(parameters.salt, 'salt'), iterations, length);
});
deriving('HKDF', (parameters, key, length, hash) =>
  native.cryptoHkdf(hash, key.secret, bytesOf(parameters.salt, 'salt'), bytesOf(parameters.info, 'info'), length));
