// What is refused, and by which name: of the Web Cryptography API.
const s = crypto.subtle, hex = (bytes) => new Uint8Array(bytes).toHex(), data = utf8('data');
const RSA = { modulusLength: 1024, publicExponent: bytesOf(1, 0, 1), hash: 'SHA-256' }, EC = { name: 'ECDSA', namedCurve: 'P-256' };
const hmac = await s.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']), gcm = await s.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt', 'decrypt']);
const fixed = await s.generateKey({ name: 'AES-CBC', length: 256 }, false, ['encrypt', 'wrapKey']), kw = await s.generateKey({ name: 'AES-KW', length: 128 }, true, ['wrapKey', 'unwrapKey']);
const ecdsa = await s.generateKey(EC, true, ['sign', 'verify']), ecdh = await s.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits', 'deriveKey']);
const other = await s.generateKey({ name: 'ECDH', namedCurve: 'P-384' }, true, ['deriveBits']), ed = await s.generateKey('Ed25519', true, ['sign', 'verify']);
const rsa = await s.generateKey({ name: 'RSA-OAEP', ...RSA }, true, ['encrypt', 'decrypt']), pss = await s.generateKey({ name: 'RSA-PSS', ...RSA }, true, ['sign', 'verify']);
const x = await s.generateKey('X25519', false, ['deriveBits']), password = await s.importKey('raw', data, 'PBKDF2', false, ['deriveBits']), hkdf = await s.importKey('raw', data, 'HKDF', false, ['deriveBits']);
const iv = new Uint8Array(16), jwk = await s.exportKey('jwk', gcm), edJwk = await s.exportKey('jwk', ed.privateKey), ecJwk = await s.exportKey('jwk', ecdsa.privateKey), raw = (n) => new Uint8Array(n);
const aes = (more) => s.importKey('jwk', { ...jwk, ...more }, 'AES-GCM', true, ['encrypt']);

for (const [name, f] of [
  ['TypeError', () => s.digest('SHA-256', 'text')], ['TypeError', () => s.digest('SHA-256')], ['NotSupportedError', () => s.digest('SHA-3', data)], ['TypeError', () => s.digest({}, data)],
  ['NotSupportedError', () => s.digest('HMAC', data)],
  // generateKey
  ['NotSupportedError', () => s.generateKey('none', true, ['sign'])], ['NotSupportedError', () => s.generateKey('PBKDF2', true, ['deriveBits'])], ['SyntaxError', () => s.generateKey({ name: 'AES-GCM', length: 128 }, true, [])],
  ['SyntaxError', () => s.generateKey({ name: 'AES-GCM', length: 128 }, true, ['sign'])], ['TypeError', () => s.generateKey({ name: 'AES-GCM', length: 128 }, true, ['fly'])], ['OperationError', () => s.generateKey({ name: 'AES-GCM', length: 127 }, true, ['encrypt'])],
  ['SyntaxError', () => s.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['encrypt'])], ['NotSupportedError', () => s.generateKey({ name: 'HMAC', hash: 'SHA-3' }, true, ['sign'])], ['OperationError', () => s.generateKey({ name: 'HMAC', hash: 'SHA-256', length: 0 }, true, ['sign'])],
  ['SyntaxError', () => s.generateKey(EC, true, ['encrypt'])], ['SyntaxError', () => s.generateKey(EC, true, [])], ['SyntaxError', () => s.generateKey(EC, true, ['verify'])], ['NotSupportedError', () => s.generateKey({ name: 'ECDSA', namedCurve: 'P-1' }, true, ['sign'])],
  ['SyntaxError', () => s.generateKey('Ed25519', true, ['deriveBits'])], ['SyntaxError', () => s.generateKey('X25519', true, ['sign'])], ['SyntaxError', () => s.generateKey({ name: 'RSA-OAEP', ...RSA }, true, ['sign'])],
  ['OperationError', () => s.generateKey({ name: 'RSA-PSS', ...RSA, publicExponent: bytesOf(1) }, true, ['sign'])], ['SyntaxError', () => s.generateKey({ name: 'AES-KW', length: 128 }, true, ['encrypt'])],
  // importKey
  ['TypeError', () => s.importKey('raw', 'text', 'AES-GCM', true, ['encrypt'])], ['DataError', () => s.importKey('raw', raw(15), 'AES-GCM', true, ['encrypt'])], ['NotSupportedError', () => s.importKey('spki', raw(16), 'AES-GCM', true, ['encrypt'])],
  ['DataError', () => s.importKey('raw', raw(0), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])], ['DataError', () => s.importKey('raw', raw(4), { name: 'HMAC', hash: 'SHA-256', length: 64 }, true, ['sign'])],
  ['SyntaxError', () => s.importKey('raw', raw(16), 'HKDF', true, ['deriveBits'])], ['SyntaxError', () => s.importKey('raw', raw(16), 'PBKDF2', false, ['sign'])], ['NotSupportedError', () => s.importKey('pkcs8', raw(16), 'PBKDF2', false, ['deriveBits'])],
  ['DataError', () => s.importKey('raw', raw(31), 'Ed25519', true, ['verify'])], ['SyntaxError', () => s.importKey('raw', raw(32), 'Ed25519', true, ['sign'])], ['SyntaxError', () => s.importKey('raw', raw(32), 'X25519', true, ['deriveBits'])],
  ['DataError', () => s.importKey('raw', raw(65), EC, true, ['verify'])], ['DataError', () => s.importKey('spki', raw(9), EC, true, ['verify'])], ['DataError', () => s.importKey('pkcs8', raw(9), { name: 'RSA-PSS', hash: 'SHA-1' }, true, ['sign'])],
  ['NotSupportedError', () => s.importKey('raw', raw(32), { name: 'RSA-PSS', hash: 'SHA-1' }, true, ['verify'])],
  ['DataError', () => aes({ kty: 'EC' })], ['DataError', () => aes({ k: 'ä' })], ['DataError', () => aes({ k: undefined })], ['DataError', () => aes({ alg: 'A256GCM' })], ['DataError', () => aes({ use: 'sig' })], ['DataError', () => aes({ ext: false })],
  ['DataError', () => aes({ key_ops: ['decrypt'] })], ['DataError', () => s.importKey('jwk', { ...edJwk, crv: 'X25519' }, 'Ed25519', true, ['sign'])], ['DataError', () => s.importKey('jwk', { ...edJwk, kty: 'EC' }, 'Ed25519', true, ['sign'])],
  ['DataError', () => s.importKey('jwk', { ...edJwk, alg: 'RS256' }, 'Ed25519', true, ['sign'])], ['DataError', () => s.importKey('jwk', { ...ecJwk, crv: 'P-384' }, EC, true, ['sign'])], ['DataError', () => s.importKey('jwk', { ...ecJwk, y: undefined }, EC, true, ['sign'])],
  ['DataError', () => s.importKey('jwk', { kty: 'RSA', n: 'AQAB' }, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['verify'])], ['SyntaxError', () => s.importKey('jwk', ecJwk, EC, true, [])], ['TypeError', () => s.importKey('jwk', 5, EC, true, ['sign'])],
  // exportKey
  ['InvalidAccessError', () => s.exportKey('raw', fixed)], ['InvalidAccessError', () => s.exportKey('pkcs8', x.privateKey)], ['NotSupportedError', () => s.exportKey('spki', gcm)], ['TypeError', () => s.exportKey('raw', {})],
  // sign, verify
  ['InvalidAccessError', () => s.sign('HMAC', gcm, data)], ['InvalidAccessError', () => s.verify('HMAC', hmac, data, data)], ['NotSupportedError', () => s.sign('AES-GCM', gcm, data)], ['InvalidAccessError', () => s.sign({ name: 'ECDSA', hash: 'SHA-256' }, ecdsa.publicKey, data)],
  ['InvalidAccessError', () => s.sign('Ed25519', ed.publicKey, data)], ['InvalidAccessError', () => s.verify('Ed25519', ed.privateKey, data, data)], ['TypeError', () => s.sign('HMAC', {}, data)], ['TypeError', () => s.sign('HMAC', hmac, 'data')],
  ['OperationError', () => s.sign({ name: 'RSA-PSS', saltLength: 500 }, pss.privateKey, data)], ['NotSupportedError', () => s.sign({ name: 'ECDSA', hash: 'none' }, ecdsa.privateKey, data)],
  // encrypt, decrypt
  ['OperationError', () => s.encrypt({ name: 'AES-GCM', iv, tagLength: 33 }, gcm, data)], ['InvalidAccessError', () => s.encrypt({ name: 'AES-CBC', iv }, gcm, data)], ['OperationError', () => s.encrypt({ name: 'AES-CBC', iv: raw(15) }, fixed, data)],
  ['InvalidAccessError', () => s.decrypt({ name: 'AES-CBC', iv }, fixed, raw(16))], ['OperationError', () => s.decrypt({ name: 'AES-GCM', iv }, gcm, raw(32))], ['OperationError', () => s.decrypt({ name: 'AES-GCM', iv }, gcm, raw(3))],
  ['OperationError', () => s.encrypt('RSA-OAEP', rsa.publicKey, raw(63))], ['InvalidAccessError', () => s.encrypt('RSA-OAEP', rsa.privateKey, data)], ['OperationError', () => s.decrypt('RSA-OAEP', rsa.privateKey, raw(128))], ['TypeError', () => s.encrypt('AES-GCM', gcm, data)],
  // derive
  ['OperationError', () => s.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: data, iterations: 0 }, password, 128)], ['OperationError', () => s.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: data, iterations: 1 }, password, 12)],
  ['OperationError', () => s.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: data, iterations: 1 }, password, null)], ['OperationError', () => s.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: data, info: data }, hkdf, null)],
  ['OperationError', () => s.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: data, info: data }, hkdf, 255 * 32 * 8 + 8)], ['TypeError', () => s.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: data }, hkdf, 128)],
  ['InvalidAccessError', () => s.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt: data, info: data }, hkdf, { name: 'AES-GCM', length: 128 }, true, ['encrypt'])],
  ['InvalidAccessError', () => s.deriveBits({ name: 'ECDH', public: other.publicKey }, ecdh.privateKey, 128)], ['InvalidAccessError', () => s.deriveBits({ name: 'ECDH', public: ecdh.privateKey }, ecdh.privateKey, 128)],
  ['OperationError', () => s.deriveBits({ name: 'ECDH', public: ecdh.publicKey }, ecdh.privateKey, 264)], ['InvalidAccessError', () => s.deriveBits({ name: 'X25519', public: ecdh.publicKey }, x.privateKey, 128)], ['TypeError', () => s.deriveBits({ name: 'X25519' }, x.privateKey, 128)],
  // wrapKey, unwrapKey
  ['InvalidAccessError', () => s.wrapKey('raw', fixed, kw, 'AES-KW')], ['InvalidAccessError', () => s.wrapKey('raw', gcm, gcm, { name: 'AES-GCM', iv })], ['OperationError', () => s.unwrapKey('raw', raw(24), kw, 'AES-KW', 'AES-GCM', true, ['encrypt'])],
  ['NotSupportedError', () => s.wrapKey('raw', gcm, hmac, 'HMAC')], ['InvalidAccessError', () => s.unwrapKey('raw', raw(24), gcm, 'AES-KW', 'AES-GCM', true, ['encrypt'])],
]) {
  current = String(f).slice(6);
  let got = 'no error', error;
  try { await f(); } catch (e) { error = e; got = e.name; }
  equal(got, name, error && error.message);
  if (name !== 'TypeError') ok(error instanceof DOMException, 'a DOMException');
}

// What goes: keys with all their forms, each into the other.
current = 'forms';
for (const [algorithm, usages, privateUses] of [
  [EC, ['sign', 'verify'], ['sign']], [{ ...EC, namedCurve: 'P-384' }, ['sign', 'verify'], ['sign']], [{ ...EC, namedCurve: 'P-521' }, ['sign', 'verify'], ['sign']], [{ name: 'ECDH', namedCurve: 'P-256' }, ['deriveBits'], ['deriveBits']],
  [{ name: 'ECDH', namedCurve: 'P-521' }, ['deriveBits'], ['deriveBits']], [{ name: 'Ed25519' }, ['sign', 'verify'], ['sign']], [{ name: 'X25519' }, ['deriveBits'], ['deriveBits']], [{ name: 'RSA-OAEP', ...RSA }, ['encrypt', 'decrypt'], ['decrypt']],
  [{ name: 'RSASSA-PKCS1-v1_5', ...RSA }, ['sign', 'verify'], ['sign']], [{ name: 'RSA-PSS', ...RSA }, ['sign', 'verify'], ['sign']],
]) {
  const { publicKey, privateKey } = await s.generateKey(algorithm, true, usages);
  const pkcs8 = await s.exportKey('pkcs8', privateKey), spki = await s.exportKey('spki', publicKey), publicUses = usages.filter((u) => !privateUses.includes(u));
  const fromJwk = await s.importKey('jwk', await s.exportKey('jwk', privateKey), algorithm, true, privateUses), openJwk = await s.importKey('jwk', await s.exportKey('jwk', publicKey), algorithm, true, publicUses);
  equal(hex(await s.exportKey('pkcs8', fromJwk)), hex(pkcs8), `${algorithm.name} jwk`);
  equal(hex(await s.exportKey('spki', openJwk)), hex(spki), `${algorithm.name} public jwk`);
  equal(hex(await s.exportKey('pkcs8', await s.importKey('pkcs8', pkcs8, algorithm, true, privateUses))), hex(pkcs8), `${algorithm.name} pkcs8`);
  if (!algorithm.name.startsWith('RSA')) equal(hex(await s.exportKey('spki', await s.importKey('raw', await s.exportKey('raw', publicKey), algorithm, true, publicUses))), hex(spki), `${algorithm.name} raw`);
  same([privateKey.type, publicKey.type, privateKey.usages, publicKey.usages], ['private', 'public', privateUses, publicUses]);
  for (const format of ['raw', 'spki']) { let name; try { await s.exportKey(format, privateKey); } catch (e) { name = e.name; } equal(['InvalidAccessError', 'NotSupportedError'].includes(name), true, `private as ${format}`); }
}

