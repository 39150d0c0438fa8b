// subtle_pair.js - crypto.subtle with keys of two halves: RSA, ECDSA and ECDH, Ed25519 and X25519.
//
// parts.pair is an object of C (crypto/pkey.c).  JWK and raw keys become DER
// on their way there, see subtle_der.js.

const { bytesOf, hashOf, checkUsages } = internals.subtle;
const { der, algorithms, cryptoFailure: failure, fromBase64url, toBase64url } = internals;
const RSA_MIN = 512, RSA_MAX = 8192;                    // bits of what is imported
const RSA_GENERATE_MIN = 1024, RSA_GENERATE_MAX = 4096; // of what is generated: longer ones take seconds
const CURVES = { 'P-256': [32, 'prime256v1'], 'P-384': [48, 'secp384r1'], 'P-521': [66, 'secp521r1'], __proto__: null };
const EMPTY = new Uint8Array(0);

const badData = (why) => failure('DataError', `The key cannot be used: ${why}.`);
const noFormat = (format, name) => failure('NotSupportedError', `${name}: a key of this type cannot be in the format "${format}".`);

// A member of a JWK as bytes; length: how many it must have.
function member(jwk, name, length = 0) {
  const bytes = fromBase64url(jwk[name]);
  if (!bytes || (length && bytes.length !== length)) throw badData(`"${name}" of the JSON Web Key is missing or no base64url of the right length`);
  return bytes;
}

function checkAlg(jwk, wanted) {
  if (wanted !== null && jwk.alg !== undefined && jwk.alg !== wanted) throw badData(`"alg" of the JSON Web Key is "${jwk.alg}", not "${wanted}"`);
}

function importPair(isPrivate, bytes, kind) {
  const pair = native.pkeyImport(isPrivate, bytes);
  if (!pair) throw badData(isPrivate ? 'it is no valid private key' : 'it is no valid public key');
  const is = native.pkeyKind(pair);
  if (is !== kind) throw badData(`it is ${is ? `a key of ${is}` : 'of another algorithm'}, not of ${kind}`);
  return pair;
}

const exportDer = (parts) => native.pkeyExport(parts.type === 'private', parts.pair);
// Of a pair's halves, those that this usage list is for.
const usagesOfHalf = (usages, allowed) => usages.filter((usage) => allowed.includes(usage));

function makePair(algorithm, pair, extractable, usages, publicUsages, privateUsages) {
  checkUsages(usages, [...publicUsages, ...privateUsages]);
  return {
    publicKey: internals.makeKey({ type: 'public', extractable: true, algorithm, usages: usagesOfHalf(usages, publicUsages), pair }),
    privateKey: internals.makeKey({ type: 'private', extractable, algorithm, usages: usagesOfHalf(usages, privateUsages), pair }),
  };
}

function needType(parts, type) {
  if (parts.type !== type) throw failure('InvalidAccessError', `This needs a ${type} key.`);
}

function exportForm(format, parts, toRaw, toJwk) {
  if (format === 'jwk') return { ...toJwk(), key_ops: parts.usages.slice(), ext: parts.extractable };
  if (format === 'raw' && toRaw && parts.type === 'public') return toRaw();
  if (format === (parts.type === 'private' ? 'pkcs8' : 'spki')) return exportDer(parts);
  throw noFormat(format, parts.algorithm.name);
}

// ---- RSA ----

const RSA_MEMBERS = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'];

function rsaAlgorithm(name, pair, hash) {
  const { n, e } = der.rsaPublicParts(native.pkeyExport(false, pair));
  const bits = n.length * 8 - Math.clz32(n[0]) + 24;
  if (bits < RSA_MIN || bits > RSA_MAX) throw badData(`an RSA key must have ${RSA_MIN} to ${RSA_MAX} bits, not ${bits}`);
  return { name, modulusLength: bits, publicExponent: e.slice(), hash: { name: hash } };
}

function rsa(name, jwkPrefix, publicUsages, privateUsages, more) {
  const jwkName = (hash) => (jwkPrefix === 'RSA-OAEP' ? (hash === 'SHA-1' ? 'RSA-OAEP' : `RSA-OAEP-${hash.slice(4)}`) : `${jwkPrefix}${hash.slice(4)}`);
  algorithms[name.toUpperCase()] = {
    name,
    generateKey(parameters, extractable, usages) {
      const hash = hashOf(parameters.hash), bits = Number(parameters.modulusLength), exponent = bytesOf(parameters.publicExponent, 'publicExponent');
      if (!(bits >= RSA_GENERATE_MIN && bits <= RSA_GENERATE_MAX) || bits % 8)
        throw failure('OperationError', `${name}: modulusLength must be a multiple of 8, ${RSA_GENERATE_MIN} to ${RSA_GENERATE_MAX}, not ${parameters.modulusLength}.`);
      const e = exponent.reduce((sum, byte) => sum * 256 + byte, 0);
      if (e !== 3 && e !== 65537) throw failure('OperationError', `${name}: publicExponent must be 3 or 65537.`);
      checkUsages(usages, [...publicUsages, ...privateUsages]);
      const pair = native.pkeyGenerate('RSA', bits, e);
      if (!pair) throw failure('OperationError', `${name}: the key could not be made.`);
      return makePair(rsaAlgorithm(name, pair, hash), pair, extractable, usages, publicUsages, privateUsages);
    },
    importKey(format, data, parameters, extractable, usages) {
      const hash = hashOf(parameters.hash);
      let isPrivate = format === 'pkcs8', bytes = data;
      if (format === 'raw') throw noFormat(format, name);
      if (format === 'jwk') {
        isPrivate = data.d !== undefined;
        checkUsages(usages, isPrivate ? privateUsages : publicUsages);
        internals.checkJwk(data, 'RSA', more.sign ? 'sig' : 'enc', extractable, usages);
        checkAlg(data, jwkName(hash));
        if (data.oth !== undefined) throw failure('NotSupportedError', 'RSA: keys of more than two primes are not supported.');
        const numbers = {};
        for (const m of isPrivate ? RSA_MEMBERS : ['n', 'e']) numbers[m] = member(data, m);
        if (numbers.n.length > RSA_MAX / 8 + 1) throw badData(`an RSA key must have ${RSA_MIN} to ${RSA_MAX} bits`);
        bytes = isPrivate ? der.rsaPrivate(numbers) : der.rsaPublic(numbers);
      }
      checkUsages(usages, isPrivate ? privateUsages : publicUsages);
      const pair = importPair(isPrivate, bytes, 'RSA');
      return internals.makeKey({ type: isPrivate ? 'private' : 'public', extractable, algorithm: rsaAlgorithm(name, pair, hash), usages, pair });
    },
    exportKey: (format, parts) => exportForm(format, parts, null, () => {
      const numbers = parts.type === 'private' ? der.rsaPrivateParts(exportDer(parts)) : der.rsaPublicParts(exportDer(parts));
      const jwk = { kty: 'RSA', alg: jwkName(parts.algorithm.hash.name) };
      for (const m of Object.keys(numbers)) jwk[m] = toBase64url(numbers[m]);
      return jwk;
    }),
    ...more,
  };
}

// sign and verify; saltOf(parameters, key) -> RSA-PSS's, or -1; hashFor(parameters, key)
function signing(hashFor, saltOf = () => -1) {
  return {
    sign(parameters, key, data) {
      needType(key, 'private');
      const made = native.pkeySign(key.pair, hashFor(parameters, key), saltOf(parameters), data);
      if (!made) throw failure('OperationError', `${key.algorithm.name}: the data could not be signed with this key.`);
      return made;
    },
    verify(parameters, key, signature, data) {
      needType(key, 'public');
      return native.pkeyVerify(key.pair, hashFor(parameters, key), saltOf(parameters), signature, data);
    },
  };
}

const ownHash = (parameters, key) => key.algorithm.hash.name;
rsa('RSASSA-PKCS1-v1_5', 'RS', ['verify'], ['sign'], signing(ownHash));
rsa('RSA-PSS', 'PS', ['verify'], ['sign'], signing(ownHash, (parameters) => {
  const length = Number(parameters.saltLength);
  if (!(length >= 0 && length <= RSA_MAX / 8)) throw failure('OperationError', 'RSA-PSS: saltLength must be a number of bytes.');
  return Math.trunc(length);
}));

function oaep(isEncrypt, type) {
  return (parameters, key, data) => {
    needType(key, type);
    const { label } = parameters;
    const made = native.pkeyCrypt(isEncrypt, key.pair, key.algorithm.hash.name, label === undefined || label === null ? EMPTY : bytesOf(label, 'label'), data);
    if (!made) throw failure('OperationError', isEncrypt ? 'RSA-OAEP: the data is too long for this key.' : 'RSA-OAEP: decryption failed. The data was not made with this key and label.');
    return made;
  };
}
rsa('RSA-OAEP', 'RSA-OAEP', ['encrypt', 'wrapKey'], ['decrypt', 'unwrapKey'], { encrypt: oaep(true, 'public'), decrypt: oaep(false, 'private') });

// ---- elliptic curves ----

function curveOf(parameters) {
  const curve = String(parameters.namedCurve);
  if (!CURVES[curve]) throw failure('NotSupportedError', `Unrecognized or unimplemented EC curve "${curve}" requested.`);
  return curve;
}

function ecJwkPoint(jwk, curve) {
  const size = CURVES[curve][0];
  if (jwk.crv !== curve) throw badData(`"crv" of the JSON Web Key is ${JSON.stringify(jwk.crv)}, not "${curve}"`);
  return internals.concat([new Uint8Array([4]), member(jwk, 'x', size), member(jwk, 'y', size)]);
}

const ES = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' };

function ec(name, publicUsages, privateUsages, more) {
  const use = name === 'ECDSA' ? 'sig' : 'enc';
  algorithms[name] = {
    name,
    generateKey(parameters, extractable, usages) {
      const curve = curveOf(parameters);
      checkUsages(usages, [...publicUsages, ...privateUsages]);
      const pair = native.pkeyGenerate(CURVES[curve][1]);
      if (!pair) throw failure('OperationError', `${name}: the key could not be made.`);
      return makePair({ name, namedCurve: curve }, pair, extractable, usages, publicUsages, privateUsages);
    },
    importKey(format, data, parameters, extractable, usages) {
      const curve = curveOf(parameters), size = CURVES[curve][0];
      let isPrivate = format === 'pkcs8', bytes = data;
      if (format === 'raw') {
        if (![1 + 2 * size, 1 + size].includes(data.length)) throw badData(`a point of ${curve} has ${1 + 2 * size} bytes, not ${data.length}`);
        bytes = der.publicOfRaw(curve, data);
      } else if (format === 'jwk') {
        isPrivate = data.d !== undefined;
        internals.checkJwk(data, 'EC', use, extractable, usages);
        if (name === 'ECDSA') checkAlg(data, ES[curve]);
        const point = ecJwkPoint(data, curve);
        bytes = isPrivate ? der.ecPrivate(curve, member(data, 'd', size), point) : der.publicOfRaw(curve, point);
      }
      checkUsages(usages, isPrivate ? privateUsages : publicUsages);
      const pair = importPair(isPrivate, bytes, `EC ${curve}`);
      return internals.makeKey({ type: isPrivate ? 'private' : 'public', extractable, algorithm: { name, namedCurve: curve }, usages, pair });
    },
    exportKey(format, parts) {
      const curve = parts.algorithm.namedCurve, size = CURVES[curve][0];
      const point = () => der.rawOfPublic(native.pkeyExport(false, parts.pair)).slice();
      return exportForm(format, parts, point, () => {
        const raw = point(), jwk = { kty: 'EC', crv: curve, x: toBase64url(raw.subarray(1, 1 + size)), y: toBase64url(raw.subarray(1 + size)) };
        if (parts.type === 'private') jwk.d = toBase64url(der.ecPrivatePart(exportDer(parts)));
        return jwk;
      });
    },
    ...more,
  };
}

ec('ECDSA', ['verify'], ['sign'], signing((parameters) => hashOf(parameters.hash)));

// The bits that two parties share; bits: how many of them, null for all.
function agreeing(parameters, key, bits) {
  needType(key, 'private');
  const theirs = internals.keyParts(parameters.public ?? parameters.$public);
  needType(theirs, 'public');
  if (theirs.algorithm.name !== key.algorithm.name || theirs.algorithm.namedCurve !== key.algorithm.namedCurve)
    throw failure('InvalidAccessError', 'The two keys are of different algorithms or curves.');
  const made = native.pkeyAgree(key.pair, theirs.pair);
  if (!made) throw failure('OperationError', `${key.algorithm.name}: these keys share no secret.`);
  if (bits === null) return made;
  if (!(bits >= 0 && bits <= made.length * 8)) throw failure('OperationError', `${key.algorithm.name}: the length must be at most ${made.length * 8} bits.`);
  const part = made.slice(0, Math.ceil(bits / 8));
  if (bits % 8) part[part.length - 1] &= 0xff << (8 - bits % 8);
  return part;
}
ec('ECDH', [], ['deriveKey', 'deriveBits'], { deriveBits: agreeing });

// ---- Ed25519, X25519 ----

function edwards(name, use, publicUsages, privateUsages, more) {
  const kind = name.toUpperCase();
  const jwkOf = (parts) => {
    const jwk = { kty: 'OKP', crv: name, x: toBase64url(der.rawOfPublic(native.pkeyExport(false, parts.pair))) };
    if (name === 'Ed25519') jwk.alg = 'EdDSA';
    if (parts.type === 'private') jwk.d = toBase64url(der.edPrivatePart(exportDer(parts)));
    return jwk;
  };
  algorithms[kind] = {
    name,
    generateKey(parameters, extractable, usages) {
      checkUsages(usages, [...publicUsages, ...privateUsages]);
      const pair = native.pkeyGenerate(kind);
      if (!pair) throw failure('OperationError', `${name}: the key could not be made.`);
      return makePair({ name }, pair, extractable, usages, publicUsages, privateUsages);
    },
    importKey(format, data, parameters, extractable, usages) {
      let isPrivate = format === 'pkcs8', bytes = data;
      if (format === 'raw') {
        if (data.length !== 32) throw badData(`a key of ${name} has 32 bytes, not ${data.length}`);
        bytes = der.publicOfRaw(name, data);
      } else if (format === 'jwk') {
        isPrivate = data.d !== undefined;
        internals.checkJwk(data, 'OKP', use, extractable, usages);
        if (data.crv !== name) throw badData(`"crv" of the JSON Web Key is ${JSON.stringify(data.crv)}, not "${name}"`);
        if (name === 'Ed25519' && data.alg !== 'Ed25519') checkAlg(data, 'EdDSA');
        bytes = isPrivate ? der.edPrivate(name, member(data, 'd', 32)) : der.publicOfRaw(name, member(data, 'x', 32));
      }
      checkUsages(usages, isPrivate ? privateUsages : publicUsages);
      const pair = importPair(isPrivate, bytes, kind), parts = { type: isPrivate ? 'private' : 'public', extractable, algorithm: { name }, usages, pair };
      if (format === 'jwk' && isPrivate && jwkOf(parts).x !== data.x) throw badData('"x" of the JSON Web Key does not belong to its "d"');
      return internals.makeKey(parts);
    },
    exportKey: (format, parts) => exportForm(format, parts, () => der.rawOfPublic(exportDer(parts)).slice(), () => jwkOf(parts)),
    ...more,
  };
}

edwards('Ed25519', 'sig', ['verify'], ['sign'], signing(() => ''));
// Cloudflare's older name of the same curve, whose keys know it as their namedCurve.
const NODE_ED = 'NODE-ED25519', ed25519 = algorithms.ED25519;
function nodeKey(parameters, key) {
  const curve = parameters.namedCurve === undefined ? NODE_ED : String(parameters.namedCurve).toUpperCase();
  if (curve !== NODE_ED) throw failure('NotSupportedError', `Unrecognized or unimplemented EC curve "${parameters.namedCurve}" requested.`);
  return internals.makeKey({ ...internals.keyParts(key), algorithm: { name: NODE_ED, namedCurve: NODE_ED } });
}
algorithms[NODE_ED] = {
  ...ed25519, name: NODE_ED,
  generateKey(parameters, extractable, usages) {
    const { publicKey, privateKey } = ed25519.generateKey(parameters, extractable, usages);
    return { publicKey: nodeKey(parameters, publicKey), privateKey: nodeKey(parameters, privateKey) };
  },
  importKey: (format, data, parameters, extractable, usages) => nodeKey(parameters, ed25519.importKey(format, data, parameters, extractable, usages)),
};
edwards('X25519', 'enc', [], ['deriveKey', 'deriveBits'], { deriveBits: agreeing });
